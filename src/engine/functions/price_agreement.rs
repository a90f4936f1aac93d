//! `price_agreement(store_id, product_id, price, min_prices, min_agreement)`:
//! which stores ask the same prices; used `group by company`.
//!
//! Compares each two stores that have more than `min_prices` prices, and returns
//! the tied pairs: those where same × 100 ≥ `min_agreement` × common, over the
//! products that both price. None in common is no tie. The result is a list of
//! `struct(store_a bigint, store_b bigint, common bigint, same bigint)`, store_a <
//! store_b, by both; no pairs make an empty list. Rows with a null do not count;
//! of several prices of one product in one store the lowest stands. Exact for
//! every pair: integers throughout, no sampling.
//!
//! Prices become a matrix of two-byte codes, stores by products, a block of
//! products at a time; comparing two rows of it is a loop the compiler
//! vectorises. A pair leaves as soon as it has differed more often than all that
//! is left could make good. Cost: stores² ÷ 2 × products, less what leaves early.
//! Memory: 16 bytes a price, 8 for each two stores, and one block.

use std::{collections::HashMap, sync::Arc};

use datafusion::{
    arrow::{
        array::{ArrayRef, AsArray, Int64Array},
        datatypes::{DataType, Decimal128Type, FieldRef, Int64Type},
    },
    common::{Result, ScalarValue, exec_datafusion_err, exec_err, plan_err},
    logical_expr::{
        Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility,
        function::{AccumulatorArgs, StateFieldsArgs},
        utils::AggregateOrderSensitivity,
    },
    physical_expr::PhysicalExpr,
};

use super::{
    arguments::{
        bigints, constant, constant_bigint, flattened, list_of_bigints, list_of_records, records,
    },
    store_comparison::{Comparison, Pair, Share},
};

const NAME: &str = "price_agreement";
const STATE: [&str; 3] = ["stores", "products", "prices"];
const RECORD: [&str; 4] = ["store_a", "store_b", "common", "same"];

/// Digits that an unscaled price in 64 bits can have.
const PRICE_DIGITS: u8 = 18;

/// Returns `price_agreement`.
pub(super) fn price_agreement() -> AggregateUDF {
    let signature = Signature::user_defined(Volatility::Immutable);
    PriceAgreement { signature }.into()
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct PriceAgreement {
    signature: Signature,
}

impl AggregateUDFImpl for PriceAgreement {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        let [_, _, price, _, min_agreement] = arguments else {
            return plan_err!(
                "{NAME} takes (store_id, product_id, price, min_prices, min_agreement)"
            );
        };
        Ok(vec![
            DataType::Int64,
            DataType::Int64,
            exact(price, "price")?,
            DataType::Int64,
            exact(min_agreement, "min_agreement")?,
        ])
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(records(&RECORD))
    }

    fn state_fields(&self, _: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(STATE.map(bigints).to_vec())
    }

    fn accumulator(&self, arguments: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let given = arguments.exprs;
        Ok(Box::new(Prices::new(Rule {
            min_prices: constant_bigint(given, 3, NAME, "min_prices", 0)? as u64,
            min_agreement: share(given)?,
        })))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

/// Returns the decimal that an exact number is compared as.
fn exact(given: &DataType, argument: &str) -> Result<DataType> {
    match given {
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
            if (0..PRICE_DIGITS as i8).contains(scale) =>
        {
            Ok(DataType::Decimal128(PRICE_DIGITS, *scale))
        }
        given if given.is_integer() => Ok(DataType::Decimal128(PRICE_DIGITS, 0)),
        _ => plan_err!("{NAME}: {argument} must be a decimal or an integer, not {given}"),
    }
}

/// Which stores are compared, and which pairs are tied.
#[derive(Debug, Clone, Copy)]
struct Rule {
    /// A store needs more prices than this.
    min_prices: u64,
    min_agreement: Share,
}

fn share(arguments: &[Arc<dyn PhysicalExpr>]) -> Result<Share> {
    match constant(arguments, 4, NAME, "min_agreement")? {
        ScalarValue::Decimal128(Some(numerator), _, scale)
            if (0..=100 * 10i128.pow(scale as u32)).contains(&numerator) =>
        {
            let denominator = 10i128.pow(scale as u32);
            Ok(Share::percent(numerator, denominator))
        }
        other => exec_err!("{NAME}: min_agreement must be from 0 to 100, not {other}"),
    }
}

/// Numbers for ids, in the order they come.
#[derive(Debug, Default)]
struct Codes {
    codes: HashMap<i64, u32>,
    ids: Vec<i64>,
}

impl Codes {
    fn code(&mut self, id: i64) -> u32 {
        *self.codes.entry(id).or_insert_with(|| {
            self.ids.push(id);
            self.ids.len() as u32 - 1
        })
    }

    fn size(&self) -> usize {
        self.codes.capacity() * (size_of::<(i64, u32)>() + 1)
            + self.ids.capacity() * size_of::<i64>()
    }
}

/// One price: codes of its product and store, and its unscaled digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Price {
    product: u32,
    store: u32,
    unscaled: i64,
}

/// All prices of a company.
#[derive(Debug)]
struct Prices {
    rule: Rule,
    stores: Codes,
    products: Codes,
    rows: Vec<Price>,
}

impl Prices {
    fn new(rule: Rule) -> Self {
        Prices {
            rule,
            stores: Codes::default(),
            products: Codes::default(),
            rows: Vec::new(),
        }
    }

    fn push(&mut self, store: i64, product: i64, unscaled: i64) {
        let (product, store) = (self.products.code(product), self.stores.code(store));
        self.rows.push(Price {
            product,
            store,
            unscaled,
        });
    }

    /// Keeps one price for each product and store, by product, then store.
    fn settle(&mut self) {
        self.rows.sort_unstable();
        self.rows.dedup_by_key(|row| (row.product, row.store));
    }

    /// Returns the stores with enough prices, by id: their ids and, by code,
    /// their places in this order.
    fn compared(&self) -> (Vec<i64>, Vec<Option<usize>>) {
        let mut prices = vec![0u64; self.stores.ids.len()];
        for row in &self.rows {
            prices[row.store as usize] += 1;
        }
        let mut stores: Vec<(i64, usize)> = (0..prices.len())
            .filter(|&code| prices[code] > self.rule.min_prices)
            .map(|code| (self.stores.ids[code], code))
            .collect();
        stores.sort_unstable();
        let mut places = vec![None; prices.len()];
        for (place, (_, code)) in stores.iter().enumerate() {
            places[*code] = Some(place);
        }
        (stores.into_iter().map(|store| store.0).collect(), places)
    }

    fn tied(&mut self) -> Result<Vec<Pair>> {
        self.settle();
        let (ids, places) = self.compared();
        if ids.len() > Comparison::MAX_STORES {
            let most = Comparison::MAX_STORES;
            return exec_err!("{NAME} compares at most {most} stores, not {}", ids.len());
        }
        let place = |row: &Price| Some((places[row.store as usize]?, row.unscaled));
        let prices = self.rows.iter().filter_map(place).map(|(store, _)| store);
        let mut comparison = Comparison::new(ids.len(), prices, self.rule.min_agreement);
        let mut asked = Vec::new();
        for product in self.rows.chunk_by(|a, b| a.product == b.product) {
            asked.clear();
            asked.extend(product.iter().filter_map(place));
            comparison.add_product(&mut asked);
        }
        Ok(comparison.finish(&ids))
    }
}

impl Accumulator for Prices {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let stores = values[0].as_primitive::<Int64Type>();
        let products = values[1].as_primitive::<Int64Type>();
        let prices = values[2].as_primitive::<Decimal128Type>();
        self.rows.reserve(prices.len());
        for ((store, product), price) in stores.iter().zip(products).zip(prices) {
            if let (Some(store), Some(product), Some(price)) = (store, product, price) {
                let unscaled = i64::try_from(price)
                    .map_err(|_| exec_datafusion_err!("{NAME}: a price has too many digits"))?;
                self.push(store, product, unscaled);
            }
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let lists = states
            .iter()
            .map(flattened)
            .collect::<Result<Vec<Int64Array>>>()?;
        let [stores, products, prices] = lists.as_slice() else {
            return exec_err!("{NAME}: a state has three lists");
        };
        for row in 0..prices.len() {
            self.push(stores.value(row), products.value(row), prices.value(row));
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let rows = std::mem::take(&mut self.rows);
        let store = |row: &Price| self.stores.ids[row.store as usize];
        let product = |row: &Price| self.products.ids[row.product as usize];
        Ok(vec![
            list_of_bigints(rows.iter().map(store).collect())?,
            list_of_bigints(rows.iter().map(product).collect())?,
            list_of_bigints(rows.iter().map(|row| row.unscaled).collect())?,
        ])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let pairs = self.tied()?;
        let column = |of: fn(&Pair) -> i64| pairs.iter().map(of).collect();
        let columns = vec![
            column(|pair| pair.store_a),
            column(|pair| pair.store_b),
            column(|pair| pair.common as i64),
            column(|pair| pair.same as i64),
        ];
        list_of_records(&RECORD, columns)
    }

    /// Counts what `evaluate` will need as well, since it cannot ask then.
    fn size(&self) -> usize {
        let rows = self.rows.capacity() * size_of::<Price>();
        let comparison = Comparison::size(self.stores.ids.len());
        size_of::<Self>() + rows + self.stores.size() + self.products.size() + comparison
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    /// store, product, price
    type Row = (i64, i64, i64);

    fn prices(rows: &[Row], min_prices: u64, tenths: i128) -> Prices {
        let rule = Rule {
            min_prices,
            min_agreement: Share::percent(tenths, 10),
        };
        let mut prices = Prices::new(rule);
        rows.iter().for_each(|row| prices.push(row.0, row.1, row.2));
        prices
    }

    /// The rule as it is written, over all pairs.
    fn expected(rows: &[Row], min_prices: u64, tenths: u64) -> Vec<Pair> {
        let mut asked: BTreeMap<i64, BTreeMap<i64, i64>> = BTreeMap::new();
        for &(store, product, price) in rows {
            let stands = asked
                .entry(store)
                .or_default()
                .entry(product)
                .or_insert(price);
            *stands = price.min(*stands);
        }
        asked.retain(|_, prices| prices.len() as u64 > min_prices);
        let mut pairs = Vec::new();
        for (&store_a, a) in &asked {
            for (&store_b, b) in asked.range(store_a + 1..) {
                let both: BTreeSet<_> = a.keys().filter(|id| b.contains_key(id)).collect();
                let common = both.len() as u64;
                let same = both.iter().filter(|id| a[*id] == b[*id]).count() as u64;
                if common > 0 && same * 1000 >= tenths * common {
                    pairs.push(Pair {
                        store_a,
                        store_b,
                        common,
                        same,
                    });
                }
            }
        }
        pairs
    }

    fn rows() -> impl Strategy<Value = Vec<Row>> {
        prop::collection::vec(
            (-3i64..4, 0i64..12, prop::sample::select(vec![5, 5, 5, 7])),
            0..80,
        )
    }

    proptest! {
        #[test]
        fn every_tied_pair_is_found_with_its_counts(
            rows in rows(), min_prices in 0u64..4, tenths in 0u64..=1000,
        ) {
            let found = prices(&rows, min_prices, tenths.into()).tied().unwrap();
            prop_assert_eq!(found, expected(&rows, min_prices, tenths));
        }

        #[test]
        fn a_state_carries_every_price(rows in rows(), split in 0usize..80) {
            let (first, second) = rows.split_at(split.min(rows.len()));
            let mut merged = prices(first, 0, 995);
            let state = prices(second, 0, 995).state().unwrap();
            let state: Vec<_> = state.iter().map(|list| list.to_array().unwrap()).collect();
            merged.merge_batch(&state).unwrap();
            prop_assert_eq!(merged.tied().unwrap(), expected(&rows, 0, 995));
        }
    }

    #[test]
    fn a_share_that_is_just_reached_ties() {
        let differing = |count: i64| -> Vec<Row> {
            let one = (0..200).map(|product| (1, product, 100));
            let other = (0..200).map(|product| (2, product, 100 + i64::from(product < count)));
            one.chain(other).collect()
        };
        assert_eq!(prices(&differing(1), 100, 995).tied().unwrap().len(), 1);
        assert_eq!(prices(&differing(2), 100, 995).tied().unwrap().len(), 0);
        assert_eq!(prices(&differing(0), 200, 995).tied().unwrap().len(), 0);
    }

    #[test]
    fn pairs_are_compared_across_blocks() {
        let products = 3 * Comparison::BLOCK_PRODUCTS as i64 + 5;
        let row = |store| {
            (0..products).map(move |id| (store, id, if id == products - 1 { store } else { 7 }))
        };
        let rows: Vec<Row> = row(1).chain(row(2)).collect();
        let (common, same) = (products as u64, products as u64 - 1);
        let pair = Pair {
            store_a: 1,
            store_b: 2,
            common,
            same,
        };
        assert_eq!(prices(&rows, 100, 995).tied().unwrap(), [pair]);
    }
}
