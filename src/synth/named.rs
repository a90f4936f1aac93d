//! Stores, products and prices by names instead of ids: what people keep, and `load`
//! takes.

use std::ops::RangeInclusive;

use datafusion::arrow::array::ArrayRef;

use super::{
    dirt::Repeats,
    export::{Columns, Export, Rows, Type, in_chunks, numbers, product, texts},
    market::Market,
    prices::Order,
};

/// Returns the relations, by the names of their tables.
pub(super) fn relations(export: &Export, order: Order) -> Vec<(&'static str, Rows)> {
    let market = &export.market;
    let others = ["stores", "prices"];
    let others = others
        .into_iter()
        .filter_map(|name| Some((name, export.rows(name, order, Repeats::Kept)?)));
    let products = in_chunks(market, PRODUCTS, market.spec.products, products);
    [("products", products)].into_iter().chain(others).collect()
}

const PRODUCTS: Columns = &[
    ("id", Type::Id),
    ("name", Type::Text),
    ("brand", Type::MaybeText),
    ("size", Type::MaybeText),
    ("barcode", Type::MaybeText),
    ("category", Type::MaybeText),
];

fn products(market: &Market, ids: RangeInclusive<u32>) -> Vec<ArrayRef> {
    let rows: Vec<_> = ids.clone().map(|id| product(market, id)).collect();
    let of = |id: u32| market.product(id);
    let brand = |row: Option<u32>| row.map_or("NO BRAND", |id| market.catalog.brand(id));
    let barcodes: Vec<_> = ids.clone().map(barcode).collect();
    let category = |id: u32| {
        let department = of(id).kind().department;
        // As shops spell it: sometimes one way, sometimes the other.
        match id % 16 {
            0 => department.to_uppercase(),
            _ => department.to_owned(),
        }
    };
    let categories: Vec<_> = ids.clone().map(category).collect();
    vec![
        numbers(ids),
        texts(rows.iter().map(|row| Some(row.name.as_str()))),
        texts(rows.iter().map(|row| Some(brand(row.brand)))),
        texts(rows.iter().map(|row| row.size.as_deref())),
        texts(barcodes.iter().map(|text| Some(text.as_str()))),
        texts(categories.iter().map(|text| Some(text.as_str()))),
    ]
}

/// Returns a product's thirteen digits.
pub(super) fn barcode(product: u32) -> String {
    format!("385{:010}", u64::from(product) * 7)
}
