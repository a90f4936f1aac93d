//! Prices as they stream: in key order, or as scrapers bring them.

use std::{fmt::Write, sync::Arc};

use datafusion::arrow::{
    array::{ArrayRef, Date32Builder, Decimal128Builder, Int64Builder, StringBuilder},
    datatypes::{DataType, Field, Schema, SchemaRef},
    error::ArrowError,
    record_batch::RecordBatch,
};

use super::{
    country::Store,
    dirt::{self, Repeats},
    market::{CompanyPrice, Market, Offer, ZonePrice},
};

/// A batch has about so many rows.
const BATCH_ROWS: usize = 65_536;

/// In which order prices come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// By product, then by store.
    Key,
    /// As scrapers bring them: store by store, each going round the catalog from
    /// where it begins.
    Arrival,
}

/// Returns all prices, a batch at a time: columns as in the datasets' contract.
pub(super) fn prices(
    market: &Arc<Market>,
    order: Order,
    repeats: Repeats,
) -> Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>> + Send> {
    match order {
        Order::Key => Box::new(ByKey {
            rows: Rows::new(market, repeats),
            zones: Vec::new(),
            product: 1,
        }),
        Order::Arrival => Box::new(ByArrival {
            rows: Rows::new(market, repeats),
            store: 0,
            at: 0,
        }),
    }
}

/// Returns the columns.
pub(super) fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("product_id", DataType::Int64, false),
        Field::new("store_id", DataType::Int64, false),
        Field::new("price", DataType::Decimal128(10, 2), false),
        Field::new("price_record_id", DataType::Int64, true),
        Field::new("scraped_date", DataType::Date32, true),
        Field::new("sku", DataType::Utf8, true),
    ]))
}

struct ByKey {
    rows: Rows,
    /// The zones' prices of a company, used again and again.
    zones: Vec<ZonePrice>,
    product: u32,
}

impl Iterator for ByKey {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let market = self.rows.market.clone();
        while self.product <= market.spec.products && self.rows.len < BATCH_ROWS {
            for (company, stores) in market.country.companies() {
                if let Some(company) = market.of_company(self.product, company) {
                    self.rows.sku(self.product, company.company());
                    self.sell(&market, &company, stores);
                }
            }
            self.product += 1;
        }
        self.rows.take()
    }
}

impl ByKey {
    fn sell(&mut self, market: &Market, company: &CompanyPrice, stores: &[Store]) {
        let alone = market.is_alone(company.company());
        self.zones.clear();
        if !alone {
            let zones = 0..market.country.zones[company.company() as usize];
            self.zones
                .extend(zones.map(|zone| market.of_zone(company, zone)));
        }
        for store in stores {
            let zone = match alone {
                true => market.of_zone(company, store.zone),
                false => self.zones[store.zone as usize],
            };
            if let Some(offer) = market.of_store(self.product, &zone, store) {
                self.rows.push(&offer);
            }
        }
    }
}

struct ByArrival {
    rows: Rows,
    store: usize,
    /// How far its scraper has come.
    at: u32,
}

impl Iterator for ByArrival {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let market = self.rows.market.clone();
        while let Some(store) = market.country.stores.get(self.store)
            && self.rows.len < BATCH_ROWS
        {
            let product = market.met(store, self.at);
            if let Some(company) = market.of_company(product, store.company) {
                let zone = market.of_zone(&company, store.zone);
                if let Some(offer) = market.of_store(product, &zone, store) {
                    self.rows.sku(product, store.company);
                    self.rows.push(&offer);
                }
            }
            self.at += 1;
            if self.at == market.spec.products {
                (self.store, self.at) = (self.store + 1, 0);
            }
        }
        self.rows.take()
    }
}

/// The rows of the next batch.
struct Rows {
    market: Arc<Market>,
    repeats: Repeats,
    len: usize,
    products: Int64Builder,
    stores: Int64Builder,
    prices: Decimal128Builder,
    records: Int64Builder,
    dates: Date32Builder,
    skus: StringBuilder,
    /// The company's number of the product at hand; empty: it has none.
    sku: String,
}

impl Rows {
    fn new(market: &Arc<Market>, repeats: Repeats) -> Rows {
        Rows {
            market: market.clone(),
            repeats,
            len: 0,
            products: Int64Builder::with_capacity(BATCH_ROWS),
            stores: Int64Builder::with_capacity(BATCH_ROWS),
            prices: Decimal128Builder::with_capacity(BATCH_ROWS)
                .with_data_type(DataType::Decimal128(10, 2)),
            records: Int64Builder::with_capacity(BATCH_ROWS),
            dates: Date32Builder::with_capacity(BATCH_ROWS),
            skus: StringBuilder::with_capacity(BATCH_ROWS, BATCH_ROWS * 8),
            sku: String::new(),
        }
    }

    /// Takes a company's number for the product whose prices come next.
    fn sku(&mut self, product: u32, company: u32) {
        self.sku.clear();
        let number = u64::from(product) * 7_919 % 8_999_993;
        // Writing to a string never fails.
        let _ = match company {
            0 => write!(self.sku, "{}", 1_000_000 + number),
            2 => write!(self.sku, "C{number:07}"),
            3 if !product.is_multiple_of(20) => write!(self.sku, "{number}P"),
            _ => Ok(()),
        };
    }

    fn push(&mut self, offer: &Offer) {
        if self.market.spec.dirt {
            return self.push_dirty(offer);
        }
        self.push_row(offer, i128::from(offer.cents), true, true);
    }

    fn push_dirty(&mut self, offer: &Offer) {
        let faults = dirt::of_offer(&self.market, offer);
        let cents = if faults.zero {
            0
        } else {
            i128::from(offer.cents)
        };
        self.push_row(offer, cents, !faults.no_record, !faults.no_date);
        if self.repeats == Repeats::Kept {
            if faults.twice {
                self.push_row(offer, cents, !faults.no_record, !faults.no_date);
            }
            if faults.differs {
                self.push_row(offer, cents + 10, !faults.no_record, !faults.no_date);
            }
        }
    }

    #[inline]
    fn push_row(&mut self, offer: &Offer, cents: i128, record: bool, date: bool) {
        self.len += 1;
        self.products.append_value(i64::from(offer.product));
        self.stores.append_value(i64::from(offer.store));
        self.prices.append_value(cents);
        self.records.append_option(record.then_some(offer.record));
        self.dates.append_option(date.then_some(offer.date));
        match self.sku.is_empty() {
            true => self.skus.append_null(),
            false => self.skus.append_value(&self.sku),
        }
    }

    fn take(&mut self) -> Option<Result<RecordBatch, ArrowError>> {
        if self.len == 0 {
            return None;
        }
        self.len = 0;
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.products.finish()),
            Arc::new(self.stores.finish()),
            Arc::new(self.prices.finish()),
            Arc::new(self.records.finish()),
            Arc::new(self.dates.finish()),
            Arc::new(self.skus.finish()),
        ];
        Some(RecordBatch::try_new(schema(), columns))
    }
}
