//! Products of the plain layout: brand by name, category as text.

use super::{
    bad::Fault,
    fold::folded,
    header::Header,
    normalized_name,
    rows::{Convert, Row},
    shape::Shape,
    state::State,
    values::{self, Value},
};
use crate::dataset::{ColumnType, Contract};

/// What a source writes for a product without a brand, folded.
const NO_BRAND: &str = "no brand";

/// Rows of `products` with names.
pub(super) struct ProductRows {
    shape: Shape,
    has_category: bool,
}

impl ProductRows {
    pub(super) const REQUIRED: &[&str] = &["id", "name"];
    pub(super) const OPTIONAL: &[&str] =
        &["brand", "size", "barcode", "category", "normalized_name"];

    pub(super) fn new(header: &Header) -> ProductRows {
        ProductRows {
            has_category: header.has("category"),
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

    fn convert(&mut self, row: &Row<'_>, state: &mut State) -> Result<Vec<Option<Value>>, Fault> {
        let id = row.parse("id", values::integer)?;
        let name = row.require("name")?;
        state.first("products", "id", id)?;
        let category = row.get("category");
        if self.has_category {
            state.set_category(id, category);
        }
        state.products.add(id);
        let normalized = match row.get("normalized_name") {
            Some(given) => given.to_owned(),
            None => normalized_name(name),
        };
        Ok(self.shape.select([
            Some(Value::Bigint(id)),
            Some(Value::Text(name.to_owned())),
            Some(Value::Text(normalized)),
            row.get("brand").and_then(|name| brand(name, state)),
            text(row.get("size")),
            text(row.get("barcode")),
            text(category),
        ]))
    }
}

fn brand(name: &str, state: &mut State) -> Option<Value> {
    let folded = folded(name);
    let known = folded != NO_BRAND;
    known.then(|| Value::Bigint(state.brands.id(folded, name)))
}

fn text(field: Option<&str>) -> Option<Value> {
    field.map(|text| Value::Text(text.to_owned()))
}
