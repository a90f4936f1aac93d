//! The datasets, as a service exports them.

use std::{ops::RangeInclusive, sync::Arc};

use datafusion::arrow::{
    array::{
        ArrayRef, Float64Array, Int64Array, Int64Builder, ListBuilder, StringArray, new_null_array,
    },
    datatypes::{DataType, Field, Schema, SchemaRef},
    error::ArrowError,
    record_batch::RecordBatch,
};

use super::{
    Error, Result,
    categories::{self, Category},
    dirt::{self, Repeats},
    market::Market,
    prices::{self, Order},
    spec::Spec,
};
use crate::{
    dataset::{Column, Contract, Dataset},
    text::{Units, normalized_name},
};

/// Rows that are made as they are asked for.
pub type Batches = Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>> + Send>;

/// Rows a batch, where rows are wide.
const BATCH_ROWS: u32 = 8_192;

/// A made-up export.
///
/// What it keeps in memory grows with its products and stores, not with its prices.
#[derive(Debug, Clone)]
pub struct Export {
    pub(super) market: Arc<Market>,
}

impl Export {
    /// Makes a country up.
    pub fn new(spec: &Spec) -> Export {
        let market = Arc::new(Market::new(spec));
        Export { market }
    }

    /// Returns what was asked for.
    pub fn spec(&self) -> &Spec {
        &self.market.spec
    }

    /// Returns how many stores there are.
    pub fn stores(&self) -> u64 {
        self.market.country.stores.len() as u64
    }

    /// Returns how many prices there are, repeated ones not counted. Looks at each.
    pub fn prices(&self) -> u64 {
        self.market.count()
    }

    /// Returns the rows of a dataset in key order, each key once, with exactly the
    /// contract's columns; `None` for one that is not made up.
    ///
    /// # Errors
    ///
    /// The contract has a column that is made up of another type, or not made up though
    /// it may not be null.
    pub fn dataset(&self, dataset: &Dataset) -> Result<Option<Batches>> {
        let rows = self.rows(&dataset.name, Order::Key, Repeats::LeftOut);
        rows.map(|rows| Ok(rows.fitted(dataset)?.batches))
            .transpose()
    }

    pub(super) fn rows(&self, dataset: &str, order: Order, repeats: Repeats) -> Option<Rows> {
        let market = &self.market;
        Some(match dataset {
            "prices" => Rows {
                schema: prices::schema(),
                batches: prices::prices(market, order, repeats),
            },
            "products" => in_chunks(market, PRODUCTS, market.spec.products, products),
            "stores" => in_chunks(market, STORES, self.stores() as u32, stores),
            "companies" => {
                let count = market.spec.companies.len() as u32;
                in_chunks(market, COMPANIES, count, companies)
            }
            "categories" => categories_with(market, false),
            "categories_with_products" => categories_with(market, true),
            "category_links" => links(market),
            _ => return None,
        })
    }
}

/// Rows with the columns that are made.
pub(super) struct Rows {
    pub(super) schema: SchemaRef,
    pub(super) batches: Batches,
}

impl Rows {
    /// Returns the rows with a contract's columns.
    pub(super) fn fitted(self, dataset: &Dataset) -> Result<Rows> {
        let made = |column: &&Column| match self.schema.field_with_name(&column.name) {
            Ok(field) => *field.data_type() == column.data_type.arrow(),
            Err(_) => column.nullable,
        };
        if let Some(column) = dataset.contract.columns.iter().find(|column| !made(column)) {
            return Err(Error::Column {
                dataset: dataset.name.clone(),
                column: column.name.clone(),
                declared: column.spelled_type(),
            });
        }
        let contract = dataset.contract.clone();
        let batches = self.batches;
        Ok(Rows {
            schema: contract.arrow(),
            batches: Box::new(batches.map(move |batch| fitted(&batch?, &contract))),
        })
    }
}

fn fitted(batch: &RecordBatch, contract: &Contract) -> Result<RecordBatch, ArrowError> {
    let columns = contract.columns.iter().map(|column| {
        let array = batch.column_by_name(&column.name).cloned();
        array.unwrap_or_else(|| new_null_array(&column.data_type.arrow(), batch.num_rows()))
    });
    RecordBatch::try_new(contract.arrow(), columns.collect())
}

type Make = fn(&Market, RangeInclusive<u32>) -> Vec<ArrayRef>;
pub(super) type Columns = &'static [(&'static str, Type)];

/// The types that are made.
#[derive(Debug, Clone, Copy)]
pub(super) enum Type {
    Id,
    /// An id, or null.
    MaybeId,
    Text,
    MaybeText,
    MaybeDegrees,
    Ids,
}

fn schema(columns: Columns) -> SchemaRef {
    let field = |(name, of): &(&str, Type)| {
        let (data_type, nullable) = match of {
            Type::Id => (DataType::Int64, false),
            Type::MaybeId => (DataType::Int64, true),
            Type::Text => (DataType::Utf8, false),
            Type::MaybeText => (DataType::Utf8, true),
            Type::MaybeDegrees => (DataType::Float64, true),
            Type::Ids => (
                DataType::List(Arc::new(Field::new_list_field(DataType::Int64, true))),
                false,
            ),
        };
        Field::new(*name, data_type, nullable)
    };
    Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()))
}

/// Makes rows with ids from 1 on.
pub(super) fn in_chunks(market: &Arc<Market>, columns: Columns, count: u32, make: Make) -> Rows {
    let (market, of) = (market.clone(), schema(columns));
    let schema = of.clone();
    let chunks = (1..=count).step_by(BATCH_ROWS as usize);
    let batches = chunks.map(move |first| {
        let last = count.min(first + (BATCH_ROWS - 1));
        RecordBatch::try_new(of.clone(), make(&market, first..=last))
    });
    Rows {
        schema,
        batches: Box::new(batches),
    }
}

/// Makes all rows when the first is asked for.
pub(super) fn at_once(
    columns: Columns,
    make: impl FnOnce() -> Vec<ArrayRef> + Send + 'static,
) -> Rows {
    let of = schema(columns);
    let schema = of.clone();
    let batches = std::iter::once_with(move || RecordBatch::try_new(of, make()));
    Rows {
        schema,
        batches: Box::new(batches),
    }
}

const PRODUCTS: Columns = &[
    ("id", Type::Id),
    ("name", Type::Text),
    ("normalized_name", Type::MaybeText),
    ("brand_id", Type::MaybeId),
    ("size", Type::MaybeText),
    ("category", Type::Ids),
];

fn products(market: &Market, ids: RangeInclusive<u32>) -> Vec<ArrayRef> {
    let rows: Vec<_> = ids.clone().map(|id| product(market, id)).collect();
    let lists = ids.clone().map(|id| categories::of_product(market, id));
    vec![
        numbers(ids),
        texts(rows.iter().map(|row| Some(row.name.as_str()))),
        texts(rows.iter().map(|row| row.normalized_name.as_deref())),
        maybe_numbers(rows.iter().map(|row| row.brand)),
        texts(rows.iter().map(|row| row.size.as_deref())),
        lists_of(lists),
    ]
}

/// A product as it is exported.
pub(super) struct ProductRow {
    pub(super) name: String,
    pub(super) normalized_name: Option<String>,
    pub(super) brand: Option<u32>,
    pub(super) size: Option<String>,
}

pub(super) fn product(market: &Market, id: u32) -> ProductRow {
    let product = market.product(id);
    let of = u64::from(id);
    let null = |column: u64| dirt::is_null(market, of | column << 60);
    let name = dirt::text(market, of, market.catalog.name(product));
    ProductRow {
        normalized_name: (!null(1)).then(|| normalized_name(&name, Units::usual())),
        name,
        brand: product.brand.filter(|_| !null(2)),
        size: (!null(3)).then(|| dirt::text(market, of | 4 << 60, product.size().to_owned())),
    }
}

const STORES: Columns = &[
    ("id", Type::Id),
    ("name", Type::Text),
    ("company", Type::Text),
    ("division", Type::MaybeText),
    ("latitude", Type::MaybeDegrees),
    ("longitude", Type::MaybeDegrees),
];

fn stores(market: &Market, ids: RangeInclusive<u32>) -> Vec<ArrayRef> {
    let rows: Vec<_> = ids.clone().map(|id| store(market, id)).collect();
    let company = |row: &StoreRow| &market.spec.companies[row.company as usize];
    let division = |row: &StoreRow| Some(company(row).divisions[row.division? as usize]);
    vec![
        numbers(ids),
        texts(rows.iter().map(|row| Some(row.name.as_str()))),
        texts(rows.iter().map(|row| Some(company(row).name))),
        texts(rows.iter().map(division)),
        degrees(rows.iter().map(|row| row.latitude)),
        degrees(rows.iter().map(|row| row.longitude)),
    ]
}

/// A store as it is exported.
pub(super) struct StoreRow {
    pub(super) name: String,
    pub(super) company: u32,
    /// Its place in its company's divisions.
    pub(super) division: Option<u32>,
    pub(super) latitude: Option<f64>,
    pub(super) longitude: Option<f64>,
}

pub(super) fn store(market: &Market, id: u32) -> StoreRow {
    let store = &market.country.stores[id as usize - 1];
    let company = &market.spec.companies[store.company as usize];
    let town = &market.country.towns[store.town as usize].name;
    let of = u64::from(id) | 5 << 60;
    let (latitude, longitude) = dirt::place(market, of, store.place);
    StoreRow {
        name: dirt::text(market, of, format!("{} {town} {id}", company.name)),
        company: store.company,
        division: store.division.filter(|_| !dirt::is_null(market, of)),
        latitude,
        longitude,
    }
}

const COMPANIES: Columns = &[("id", Type::Id), ("name", Type::Text)];

fn companies(market: &Market, ids: RangeInclusive<u32>) -> Vec<ArrayRef> {
    let names = market
        .spec
        .companies
        .iter()
        .map(|company| Some(company.name));
    vec![numbers(ids), texts(names)]
}

fn categories_with(market: &Arc<Market>, members: bool) -> Rows {
    const COLUMNS: Columns = &[
        ("id", Type::Id),
        ("name", Type::Text),
        ("company", Type::Id),
        ("product_ids", Type::Ids),
    ];
    let columns = if members { COLUMNS } else { &COLUMNS[..3] };
    let market = market.clone();
    at_once(columns, move || {
        let all = categories::categories(&market);
        let name = |category: &Category| {
            dirt::text(
                &market,
                u64::from(category.id) | 6 << 60,
                category.name.clone(),
            )
        };
        let names: Vec<_> = all.iter().map(name).collect();
        let mut columns = vec![
            numbers(all.iter().map(|category| category.id)),
            texts(names.iter().map(|name| Some(name.as_str()))),
            numbers(all.iter().map(|category| category.company + 1)),
        ];
        if members {
            columns.push(lists_of(categories::members(&market).into_iter()));
        }
        columns
    })
}

fn links(market: &Arc<Market>) -> Rows {
    const COLUMNS: Columns = &[
        ("category_a_id", Type::Id),
        ("category_b_id", Type::Id),
        ("link_type", Type::Text),
    ];
    let market = market.clone();
    at_once(COLUMNS, move || {
        let links = categories::links(&market);
        vec![
            numbers(links.iter().map(|link| link.a)),
            numbers(links.iter().map(|link| link.b)),
            texts(links.iter().map(|link| Some(link.link_type))),
        ]
    })
}

pub(super) fn numbers(of: impl Iterator<Item = u32>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(of.map(i64::from)))
}

pub(super) fn maybe_numbers(of: impl Iterator<Item = Option<u32>>) -> ArrayRef {
    Arc::new(Int64Array::from_iter(of.map(|id| id.map(i64::from))))
}

pub(super) fn degrees(of: impl Iterator<Item = Option<f64>>) -> ArrayRef {
    Arc::new(Float64Array::from_iter(of))
}

pub(super) fn texts<'a>(of: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    Arc::new(StringArray::from_iter(of))
}

fn lists_of(of: impl Iterator<Item = Vec<u32>>) -> ArrayRef {
    let mut lists = ListBuilder::new(Int64Builder::new());
    for list in of {
        lists
            .values()
            .extend(list.into_iter().map(|id| Some(i64::from(id))));
        lists.append(true);
    }
    Arc::new(lists.finish())
}
