//! Every pair that is wanted is found, with its counts, and no other.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use datafusion::execution::memory_pool::{GreedyMemoryPool, UnboundedMemoryPool};
use proptest::prelude::*;

use super::{
    block::PRODUCTS,
    compare::{Pair, pairs_of},
    lookalikes::Lookalikes,
    survey::Survey,
    tiles::TILE,
    *,
};
use crate::functions::price_matrix::tests::{Row, matrix_of, rows};

/// store_a, store_b, common, same
type Found = (i64, i64, u32, u32);

fn rule(min_prices: u64, tenths: Option<i128>) -> Rule {
    Rule {
        min_prices,
        min_agreement: tenths.map(|tenths| Share::percent(tenths, 10)),
    }
}

fn found(parts: &[Vec<Row>], rule: Rule, threads: usize) -> Vec<Found> {
    let (workers, memory) = (Workers::new(threads), unbounded());
    let matrix = matrix_of(parts);
    let merged = Merged::open(&matrix).unwrap();
    let means = Means {
        workers: &workers,
        memory: &memory,
    };
    let compared = compare::compare(&merged, rule, means).unwrap();
    assert_eq!(own_prices(&merged, &compared), standing(&parts.concat()));
    named(&merged, &compared.pairs)
}

/// Each store with the number of its prices.
fn own_prices(merged: &Merged, compared: &Compared) -> BTreeMap<i64, u32> {
    let stores = merged.stores.iter().copied();
    stores.zip(compared.prices.iter().copied()).collect()
}

/// The same by the rows.
fn standing(rows: &[Row]) -> BTreeMap<i64, u32> {
    let keys: BTreeSet<(i64, i64)> = rows.iter().map(|row| (row.0, row.1)).collect();
    let mut counts = BTreeMap::new();
    for (store, _) in keys {
        *counts.entry(store).or_default() += 1;
    }
    counts
}

fn unbounded() -> Memory {
    let pool: Arc<dyn MemoryPool> = Arc::new(UnboundedMemoryPool::default());
    Memory::of(NAME, &pool)
}

fn named(merged: &Merged, pairs: &[Pair]) -> Vec<Found> {
    let store = |number: u16| merged.stores[usize::from(number)];
    let named = pairs
        .iter()
        .map(|pair| (store(pair.a), store(pair.b), pair.common, pair.same));
    named.collect()
}

/// The rule as it is written, over all pairs.
fn expected(rows: &[Row], min_prices: u64, tenths: Option<u32>) -> Vec<Found> {
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
    for (&a, prices_a) in &asked {
        for (&b, prices_b) in asked.range(a + 1..) {
            let both: BTreeSet<_> = prices_a
                .keys()
                .filter(|id| prices_b.contains_key(id))
                .collect();
            let same = both
                .iter()
                .filter(|id| prices_a[*id] == prices_b[*id])
                .count() as u32;
            let common = both.len() as u32;
            let is_tied = |tenths| common > 0 && same * 1000 >= tenths * common;
            if tenths.is_none_or(is_tied) {
                pairs.push((a, b, common, same));
            }
        }
    }
    pairs
}

proptest! {
    #[test]
    fn every_pair_that_is_wanted_is_found_with_its_counts(
        parts in prop::collection::vec(rows(), 1..4), min_prices in 0u64..12,
        tenths in prop::option::of(0u32..=1000), threads in 1usize..4,
    ) {
        let rule = rule(min_prices, tenths.map(i128::from));
        let expected = expected(&parts.concat(), min_prices, tenths);
        prop_assert_eq!(found(&parts, rule, threads), expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn stores_of_a_few_kinds_are_told_apart(
        // More stores than a tile, more products than a block, in four kinds that
        // differ here and there.
        kinds in prop::collection::vec(0i64..4, TILE + 1..3 * TILE),
        odd in prop::collection::vec((0usize..TILE, 0i64..700), 0..20),
        tenths in prop::option::of(900u32..=1000), products in 1i64..700,
    ) {
        let mut rows = Vec::new();
        for (store, kind) in kinds.iter().enumerate() {
            for product in 0..products {
                let is_odd = odd.contains(&(store, product));
                let differs = product % 97 < *kind || is_odd;
                if (product + kind) % 11 != 0 {
                    rows.push((store as i64, product, if differs { 2 + kind } else { 1 }));
                }
            }
        }
        let expected = expected(&rows, 0, tenths);
        prop_assert_eq!(found(&[rows], rule(0, tenths.map(i128::from)), 2), expected);
    }
}

#[test]
fn a_share_that_is_just_reached_ties() {
    let differing = |count: i64| -> Vec<Vec<Row>> {
        let one = (0..200).map(|product| (1, product, 100)).collect();
        let other = (0..200).map(|product| (2, product, 100 + i64::from(product < count)));
        vec![one, other.collect()]
    };
    let count = |differing_in, more_than| {
        found(&differing(differing_in), rule(more_than, Some(995)), 1).len()
    };
    assert_eq!(count(1, 100), 1);
    assert_eq!(count(2, 100), 0);
    assert_eq!(count(0, 200), 0);
}

#[test]
fn pairs_are_compared_across_blocks() {
    let products = 3 * PRODUCTS as i64 + 5;
    let price = |store, id| if id == products - 1 { store } else { 7 };
    let row = |store| (0..products).map(move |id| (store, id, price(store, id)));
    let rows: Vec<Row> = row(1).chain(row(2)).collect();
    let common = products as u32;
    assert_eq!(
        found(&[rows], rule(100, Some(995)), 2),
        [(1, 2, common, common - 1)]
    );
}

#[test]
fn stores_that_only_seem_the_same_are_compared_all_the_same() {
    let rows: Vec<Row> = (0..40)
        .flat_map(|store| (0..9).map(move |id| (store, id, store % 3)))
        .collect();
    let (matrix, workers, memory) = (
        matrix_of(std::slice::from_ref(&rows)),
        Workers::new(2),
        unbounded(),
    );
    let merged = Merged::open(&matrix).unwrap();
    let mut survey = Survey::of(&merged, &workers).unwrap();
    survey.looks.fill(0);
    let all: Vec<u16> = (0..40).collect();
    let classes = Lookalikes::of(&survey, &all);
    assert_eq!(classes.classes.len(), 1);
    let means = Means {
        workers: &workers,
        memory: &memory,
    };
    let pairs = pairs_of(&merged, &survey, classes, rule(0, Some(1000)), means).unwrap();
    assert_eq!(named(&merged, &pairs), expected(&rows, 0, Some(1000)));
}

#[test]
fn too_little_memory_is_told_with_its_key() {
    let rows: Vec<Row> = (0..40)
        .flat_map(|store| (0..9).map(move |id| (store, id, 1)))
        .collect();
    let pool: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(10_000));
    let matrices = [matrix_of(&[rows])];
    let all = rule(0, None);
    let error = agreements(&matrices, all, &Workers::new(1), &pool).unwrap_err();
    assert!(matches!(
        error,
        datafusion::error::DataFusionError::ResourcesExhausted(_)
    ));
    let error = error.to_string();
    assert!(
        error.contains(NAME) && error.contains("`memory` under [engine]"),
        "{error}"
    );
    assert_eq!(pool.reserved(), 0);
}
