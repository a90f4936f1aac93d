//! The database's tables, as the service would have filled them.

use std::{ops::RangeInclusive, sync::Arc};

use datafusion::{
    arrow::{
        array::{ArrayRef, AsArray, Int64Array},
        datatypes::{DataType, Decimal128Type, Field, Schema, SchemaRef},
        error::ArrowError,
        record_batch::RecordBatch,
    },
    execution::SendableRecordBatchStream,
};
use futures::StreamExt;

use super::{
    Error, Result,
    ahead::ahead,
    categories,
    dirt::Repeats,
    export::{
        Batches, Columns, Export, Rows, Type, at_once, degrees, in_chunks, maybe_numbers, numbers,
        product, store, texts,
    },
    market::Market,
    named::barcode,
    prices::Order,
};
use crate::{
    database::{Database, Fill, Replace, Table, TableCounts},
    events::Events,
};

/// The tables that are filled, parents first.
const TABLES: [&str; 9] = [
    "companies",
    "divisions",
    "brands",
    "stores",
    "categories",
    "products",
    "product_categories",
    "prices",
    "category_links",
];

/// Fills the database's tables in one transaction. Holds a few batches.
///
/// # Errors
///
/// A table has rows already, unless they are to be replaced; the database refuses.
pub async fn fill(
    export: &Export,
    database: &dyn Database,
    replace: bool,
    progress: &Events,
) -> Result<Vec<TableCounts>> {
    let known = database.tables().await?;
    let mut fills = Vec::new();
    for name in TABLES {
        let table = known.iter().find(|table| table.name == name);
        let missing = || Error::NoTable(name.to_owned());
        let table = table.ok_or_else(missing)?;
        if !replace {
            refuse_rows(database, table).await?;
        }
        let rows = rows(export, name).ok_or_else(missing)?;
        fills.push(Fill {
            table: table.clone(),
            replace: match replace {
                true => Replace::All,
                false => Replace::Nothing,
            },
            rows: stream_of(name, rows, progress.clone()),
        });
    }
    Ok(database.fill(fills).await?)
}

/// Refuses a table that has rows: made-up rows could not be distinguished from them.
async fn refuse_rows(database: &dyn Database, table: &Table) -> Result<()> {
    let mut rows = database.read(&table.name).await?;
    while let Some(batch) = rows.next().await {
        let batch = batch.map_err(|source| Error::Read {
            table: table.name.clone(),
            source: Box::new(source),
        })?;
        if batch.num_rows() > 0 {
            return Err(Error::NotEmpty(table.name.clone()));
        }
    }
    Ok(())
}

fn stream_of(table: &'static str, rows: Rows, progress: Events) -> SendableRecordBatchStream {
    let mut done = 0;
    let batches = rows.batches.inspect(move |batch| {
        if done == 0 {
            progress.begin(table, None, "rows");
        }
        done += batch.as_ref().map_or(0, |batch| batch.num_rows() as u64);
        progress.at(table, done, None);
    });
    ahead(rows.schema, Box::new(batches))
}

fn rows(export: &Export, table: &str) -> Option<Rows> {
    let market = &export.market;
    let spec = &market.spec;
    let rows = |dataset| export.rows(dataset, Order::Key, Repeats::Kept);
    Some(match table {
        "companies" => rows("companies")?,
        "divisions" => divisions(market),
        "brands" => brands(market),
        "stores" => in_chunks(market, STORES, export.stores() as u32, stores),
        "categories" => renamed(rows("categories")?, &["id", "name", "company_id"]),
        "products" => in_chunks(market, PRODUCTS, spec.products, products),
        "product_categories" => in_chunks(market, MEMBERS, spec.products, members),
        "prices" => prices(rows("prices")?),
        "category_links" => renamed(
            rows("category_links")?,
            &["category_a", "category_b", "link_type"],
        ),
        _ => return None,
    })
}

/// A company's first division, counting those of all from 1.
fn first_division(market: &Market, company: u32) -> u32 {
    let before = market.spec.companies.iter().take(company as usize);
    1 + before
        .map(|company| company.divisions.len() as u32)
        .sum::<u32>()
}

fn divisions(market: &Arc<Market>) -> Rows {
    const COLUMNS: Columns = &[
        ("id", Type::Id),
        ("company_id", Type::Id),
        ("name", Type::Text),
    ];
    let companies = (1..).zip(&market.spec.companies);
    let all =
        companies.flat_map(|(id, company)| company.divisions.iter().map(move |name| (id, name)));
    let all: Vec<(u32, &str)> = all.map(|(id, name)| (id, *name)).collect();
    at_once(COLUMNS, move || {
        vec![
            numbers(1..=all.len() as u32),
            numbers(all.iter().map(|(company, _)| *company)),
            texts(all.iter().map(|(_, name)| Some(*name))),
        ]
    })
}

fn brands(market: &Arc<Market>) -> Rows {
    const COLUMNS: Columns = &[("id", Type::Id), ("name", Type::Text)];
    let market = market.clone();
    at_once(COLUMNS, move || {
        let names = &market.catalog.brands;
        vec![
            numbers(1..=names.len() as u32),
            texts(names.iter().map(|name| Some(name.as_str()))),
        ]
    })
}

const STORES: Columns = &[
    ("id", Type::Id),
    ("name", Type::Text),
    ("company_id", Type::Id),
    ("division_id", Type::MaybeId),
    ("latitude", Type::MaybeDegrees),
    ("longitude", Type::MaybeDegrees),
];

fn stores(market: &Market, ids: RangeInclusive<u32>) -> Vec<ArrayRef> {
    let rows: Vec<_> = ids.clone().map(|id| store(market, id)).collect();
    let division = rows.iter().map(|row| {
        let at = row.division?;
        Some(first_division(market, row.company) + at)
    });
    vec![
        numbers(ids),
        texts(rows.iter().map(|row| Some(row.name.as_str()))),
        numbers(rows.iter().map(|row| row.company + 1)),
        maybe_numbers(division),
        degrees(rows.iter().map(|row| row.latitude)),
        degrees(rows.iter().map(|row| row.longitude)),
    ]
}

const PRODUCTS: Columns = &[
    ("id", Type::Id),
    ("name", Type::Text),
    ("normalized_name", Type::MaybeText),
    ("brand_id", Type::MaybeId),
    ("size", Type::MaybeText),
    ("barcode", Type::MaybeText),
    ("category", Type::MaybeText),
];

fn products(market: &Market, ids: RangeInclusive<u32>) -> Vec<ArrayRef> {
    let rows: Vec<_> = ids.clone().map(|id| product(market, id)).collect();
    let barcodes: Vec<_> = ids.clone().map(barcode).collect();
    let department = |id| Some(market.product(id).kind().department);
    vec![
        numbers(ids.clone()),
        texts(rows.iter().map(|row| Some(row.name.as_str()))),
        texts(rows.iter().map(|row| row.normalized_name.as_deref())),
        maybe_numbers(rows.iter().map(|row| row.brand)),
        texts(rows.iter().map(|row| row.size.as_deref())),
        texts(barcodes.iter().map(|text| Some(text.as_str()))),
        texts(ids.map(department)),
    ]
}

const MEMBERS: Columns = &[("product_id", Type::Id), ("category_id", Type::Id)];

fn members(market: &Market, ids: RangeInclusive<u32>) -> Vec<ArrayRef> {
    let members = ids.flat_map(|id| {
        let categories = categories::of_product(market, id).into_iter();
        categories.map(move |category| (id, category))
    });
    let members: Vec<_> = members.collect();
    vec![
        numbers(members.iter().map(|(product, _)| *product)),
        numbers(members.iter().map(|(_, category)| *category)),
    ]
}

/// Returns the rows under a table's names.
fn renamed(rows: Rows, names: &[&str]) -> Rows {
    let fields = rows.schema.fields().iter().zip(names);
    let fields = fields.map(|(field, name)| field.as_ref().clone().with_name(*name));
    let schema: SchemaRef = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let of = schema.clone();
    let batches = rows
        .batches
        .map(move |batch| RecordBatch::try_new(of.clone(), batch?.columns().to_vec()));
    Rows {
        schema,
        batches: Box::new(batches),
    }
}

/// Returns the prices in cents.
fn prices(rows: Rows) -> Rows {
    let fields = rows
        .schema
        .fields()
        .iter()
        .map(|field| match field.name().as_str() {
            "price" => Arc::new(Field::new("price_cents", DataType::Int64, false)),
            _ => field.clone(),
        });
    let schema: SchemaRef = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let of = schema.clone();
    let batches: Batches = Box::new(rows.batches.map(move |batch| in_cents(&batch?, &of)));
    Rows { schema, batches }
}

fn in_cents(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let columns = batch.columns().iter().map(|column| {
        let Some(prices) = column.as_primitive_opt::<Decimal128Type>() else {
            return column.clone();
        };
        // They were made of 32 bits.
        let cents = prices.values().iter().map(|cents| *cents as i64);
        Arc::new(Int64Array::from_iter_values(cents)) as ArrayRef
    });
    RecordBatch::try_new(schema.clone(), columns.collect())
}
