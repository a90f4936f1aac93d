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

/// About how many rows a batch has.
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
    /// The company's own number for the current product; empty when it has none.
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

#[cfg(test)]
mod tests {
    use datafusion::arrow::{
        array::{Array, AsArray},
        datatypes::{Date32Type, Decimal128Type, Int64Type},
        util::pretty::pretty_format_batches,
    };

    use super::*;
    use crate::synth::spec::Spec;

    fn made(
        prices: u64,
        seed: u64,
        dirt: bool,
        order: Order,
        repeats: Repeats,
    ) -> Vec<RecordBatch> {
        let spec = Spec {
            dirt,
            ..Spec::with_prices(prices, seed)
        };
        let market = Arc::new(Market::new(&spec));
        let batches = super::prices(&market, order, repeats);
        batches.collect::<Result<_, _>>().unwrap()
    }

    fn keys(batches: &[RecordBatch]) -> Vec<(i64, i64)> {
        let keys = batches.iter().flat_map(|batch| {
            let ids = |column: usize| batch.column(column).as_primitive::<Int64Type>().clone();
            let (products, stores) = (ids(0), ids(1));
            let pairs =
                (0..batch.num_rows()).map(move |row| (products.value(row), stores.value(row)));
            pairs.collect::<Vec<_>>()
        });
        keys.collect()
    }

    fn lines(batches: &[RecordBatch]) -> Vec<String> {
        let text = pretty_format_batches(batches).unwrap().to_string();
        let mut lines: Vec<_> = text.lines().skip(3).map(str::to_owned).collect();
        lines.sort();
        lines
    }

    #[test]
    fn in_key_order_each_key_comes_once() {
        for dirt in [false, true] {
            let batches = made(30_000, 1, dirt, Order::Key, Repeats::LeftOut);
            assert!(keys(&batches).is_sorted_by(|a, b| a < b));
        }
    }

    #[test]
    fn both_orders_bring_the_same_rows() {
        for dirt in [false, true] {
            let by_key = made(20_000, 2, dirt, Order::Key, Repeats::Kept);
            let arriving = made(20_000, 2, dirt, Order::Arrival, Repeats::Kept);
            assert!(!keys(&arriving).is_sorted());
            assert_eq!(lines(&by_key), lines(&arriving));
        }
    }

    #[test]
    fn the_same_seed_makes_the_same_rows_and_another_makes_others() {
        let made = |seed| lines(&made(5_000, seed, true, Order::Key, Repeats::Kept));
        assert_eq!(made(1), made(1));
        assert_ne!(made(1), made(2));
    }

    #[test]
    fn a_batch_is_bounded_whatever_the_size() {
        let market = Arc::new(Market::new(&Spec::with_prices(3_000_000, 1)));
        let most = BATCH_ROWS + market.country.stores.len();
        for order in [Order::Key, Order::Arrival] {
            let mut batches = super::prices(&market, order, Repeats::Kept);
            let rows = batches.try_fold(0, |rows, batch| {
                let batch = batch?;
                assert!(batch.num_rows() <= most);
                Ok::<_, ArrowError>(rows + batch.num_rows() as u64)
            });
            assert_eq!(rows.unwrap(), market.count());
        }
    }

    #[test]
    fn dirt_is_what_it_says_and_without_it_there_is_none() {
        let clean = made(100_000, 4, false, Order::Key, Repeats::Kept);
        let dirty = made(100_000, 4, true, Order::Key, Repeats::Kept);
        let counts = |batches: &[RecordBatch]| {
            let sum = |of: &dyn Fn(&RecordBatch) -> usize| batches.iter().map(of).sum::<usize>();
            let keys = keys(batches);
            [
                sum(&|batch| {
                    let prices = batch.column(2).as_primitive::<Decimal128Type>().values();
                    prices.iter().filter(|cents| **cents == 0).count()
                }),
                sum(&|batch| batch.column(3).null_count()),
                sum(&|batch| batch.column(4).as_primitive::<Date32Type>().null_count()),
                keys.windows(2).filter(|pair| pair[0] == pair[1]).count(),
            ]
        };
        assert_eq!(counts(&clean), [0; 4]);
        let per_mille = counts(&dirty).map(|count| count as f64 / 100.0);
        for (count, expected) in per_mille.into_iter().zip([2.0, 5.0, 5.0, 2.0]) {
            assert!((count - expected).abs() < 1.0, "{count} for {expected}");
        }
    }
}
