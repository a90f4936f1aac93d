//! Products of the plain layout: brand by name, category as text.

use std::{borrow::Cow, sync::Arc};

use super::{
    bad::Fault,
    batch::Batch,
    convert::Convert,
    header::{Field, Header},
    row::Row,
    shape::Shape,
    state::State,
    values::{self, Value},
};
use crate::{
    dataset::{ColumnType, Contract},
    text::{Units, fold_case, normalized_name},
};

/// What a source writes for a product without a brand, folded.
const NO_BRAND: &str = "no brand";

/// Rows of `products` with names.
pub(super) struct ProductRows {
    shape: Shape,
    units: Arc<Units>,
    id: Field,
    name: Field,
    normalized_name: Field,
    brand: Field,
    size: Field,
    barcode: Field,
    category: Field,
}

impl ProductRows {
    pub(super) const REQUIRED: &[&str] = &["id", "name"];
    pub(super) const OPTIONAL: &[&str] =
        &["brand", "size", "barcode", "category", "normalized_name"];

    pub(super) fn new(header: &Header, units: Arc<Units>) -> ProductRows {
        ProductRows {
            units,
            id: header.field("id"),
            name: header.field("name"),
            normalized_name: header.field("normalized_name"),
            brand: header.field("brand"),
            size: header.field("size"),
            barcode: header.field("barcode"),
            category: header.field("category"),
            shape: Shape::new(
                header,
                &[
                    ("", "id", ColumnType::Bigint),
                    ("", "name", ColumnType::Text),
                    ("", "normalized_name", ColumnType::Text),
                    ("brand", "brand_id", ColumnType::Bigint),
                    ("size", "size", ColumnType::Text),
                    ("barcode", "barcode", ColumnType::Text),
                    ("category", "category", ColumnType::Text),
                ],
            ),
        }
    }
}

impl Convert for ProductRows {
    fn contract(&self) -> &Contract {
        self.shape.contract()
    }

    fn convert(
        &mut self,
        row: &Row<'_>,
        state: &mut State,
        batch: &mut Batch,
    ) -> Result<(), Fault> {
        let id = row.parse(&self.id, values::integer)?;
        let name = row.require(&self.name)?;
        state.first("products", "id", id)?;
        let category = row.get(&self.category);
        if self.category.index.is_some() {
            state.set_category(id, category);
        }
        state.products.add(id);
        let normalized = match row.get(&self.normalized_name) {
            Some(given) => Cow::from(given),
            None => Cow::from(normalized_name(name, &self.units)),
        };
        let values = [
            Some(Value::Bigint(id)),
            Some(Value::Text(name.into())),
            Some(Value::Text(normalized)),
            row.get(&self.brand).and_then(|name| brand(name, state)),
            text(row.get(&self.size)),
            text(row.get(&self.barcode)),
            text(category),
        ];
        self.shape.push(batch, values);
        Ok(())
    }
}

fn brand(name: &str, state: &mut State) -> Option<Value<'static>> {
    let folded = fold_case(name);
    let known = folded != NO_BRAND;
    known.then(|| Value::Bigint(state.brands.id(folded, name)))
}

fn text(field: Option<&str>) -> Option<Value<'_>> {
    field.map(|text| Value::Text(text.into()))
}
