//! Prices of the plain layout: the price as a decimal, the record's number that of
//! its row where the file has none.

use super::{
    bad::Fault,
    batch::Batch,
    convert::Convert,
    header::{Field, Header},
    ids::Ids,
    row::Row,
    shape::Shape,
    state::State,
    values::{self, Value},
};
use crate::dataset::{ColumnType, Contract};

/// Rows of `prices` with decimals.
pub(super) struct PriceRows {
    shape: Shape,
    product: Field,
    store: Field,
    price: Field,
    record: Field,
    date: Field,
    sku: Field,
    /// Of each product, a bit for each store that has had its row.
    had: Vec<Vec<u64>>,
}

impl PriceRows {
    pub(super) const REQUIRED: &[&str] = &["product_id", "store_id", "price"];
    pub(super) const OPTIONAL: &[&str] = &["scraped_date", "sku", "price_record_id"];

    pub(super) fn new(header: &Header) -> PriceRows {
        PriceRows {
            had: Vec::new(),
            product: header.field("product_id"),
            store: header.field("store_id"),
            price: header.field("price"),
            record: header.field("price_record_id"),
            date: header.field("scraped_date"),
            sku: header.field("sku"),
            shape: Shape::new(
                header,
                &[
                    ("", "product_id", ColumnType::Bigint),
                    ("", "store_id", ColumnType::Bigint),
                    ("", "price_cents", ColumnType::Bigint),
                    ("", "price_record_id", ColumnType::Bigint),
                    ("scraped_date", "scraped_date", ColumnType::Date),
                    ("sku", "sku", ColumnType::Text),
                ],
            ),
        }
    }

    /// Refuses a second row of one product and store.
    fn first(&mut self, product: usize, store: usize) -> Result<(), Fault> {
        if self.had.len() <= product {
            self.had.resize(product + 1, Vec::new());
        }
        let (word, bit) = (store / 64, 1 << (store % 64));
        let stores = &mut self.had[product];
        if stores.len() <= word {
            stores.resize(word + 1, 0);
        }
        if stores[word] & bit != 0 {
            let reason = "is a second row for its product_id and store_id";
            return Err(Fault::row(reason));
        }
        stores[word] |= bit;
        Ok(())
    }
}

impl Convert for PriceRows {
    fn contract(&self) -> &Contract {
        self.shape.contract()
    }

    fn convert(
        &mut self,
        row: &Row<'_>,
        state: &mut State,
        batch: &mut Batch,
    ) -> Result<(), Fault> {
        let product = row.parse(&self.product, values::integer)?;
        let store = row.parse(&self.store, values::integer)?;
        let cents = row.parse(&self.price, values::cents)?;
        let record = row.parse_opt(&self.record, values::integer)?;
        let date = row.parse_opt(&self.date, values::date)?;
        let product_place = known(&state.products, "product_id", "products", product)?;
        let store_place = known(&state.stores, "store_id", "stores", store)?;
        self.first(product_place, store_place)?;
        state.price(product, store);
        let values = [
            Some(Value::Bigint(product)),
            Some(Value::Bigint(store)),
            Some(Value::Bigint(cents)),
            Some(Value::Bigint(record.unwrap_or(row.number))),
            date.map(Value::Date),
            row.get(&self.sku).map(|sku| Value::Text(sku.into())),
        ];
        self.shape.push(batch, values);
        Ok(())
    }
}

fn known(ids: &Ids, column: &str, table: &str, id: i64) -> Result<usize, Fault> {
    ids.place(id)
        .ok_or_else(|| Fault::at(column, format!("{table} has no id {id}")))
}
