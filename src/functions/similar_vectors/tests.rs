//! Every pair that qualifies is found, with its score, and no other.

use std::collections::BTreeMap;

use datafusion::{
    arrow::{
        array::{ListBuilder, PrimitiveBuilder},
        datatypes::{ArrowPrimitiveType, Float32Type},
    },
    execution::memory_pool::{GreedyMemoryPool, UnboundedMemoryPool},
};
use proptest::prelude::*;

use super::*;
use crate::functions::vector_set::rows_of;

/// A row of a set; `within` and its like as they are given.
#[derive(Debug, Clone)]
struct Row {
    id: i64,
    vector: Vec<f32>,
    within: Vec<i64>,
    without: Vec<i64>,
    settled: Vec<i64>,
}

/// a, b, ten-thousandths
type Scored = (i64, i64, i32);

fn lists<T: ArrowPrimitiveType>(rows: impl Iterator<Item = Vec<T::Native>>) -> ArrayRef {
    let mut builder = ListBuilder::new(PrimitiveBuilder::<T>::new());
    for row in rows {
        builder.append_value(row.into_iter().map(Some));
    }
    Arc::new(builder.finish())
}

fn set_of(rows: &[Row]) -> Result<Set> {
    let bigints = |field: fn(&Row) -> &Vec<i64>| {
        lists::<Int64Type>(rows.iter().map(|row| field(row).clone()))
    };
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.id))),
        lists::<Float32Type>(rows.iter().map(|row| row.vector.clone())),
        bigints(|row| &row.within),
        bigints(|row| &row.without),
        bigints(|row| &row.settled),
    ];
    Set::of(rows_of(columns)?.as_struct())
}

fn unbounded() -> Memory {
    let pool: Arc<dyn MemoryPool> = Arc::new(UnboundedMemoryPool::default());
    Memory::of(NAME, &pool)
}

fn found(rows: &[Row], rule: Rule, threads: usize) -> (Vec<Scored>, u64) {
    let (workers, memory) = (Workers::new(threads), unbounded());
    let set = set_of(rows).unwrap();
    let means = Means {
        workers: &workers,
        memory: &memory,
    };
    let similar = similar(&set, rule, means).unwrap();
    let id = |row: u32| set.ids[row as usize];
    let named = |pair: &Pair| (id(pair.a), id(pair.b), pair.score);
    (similar.pairs.iter().map(named).collect(), similar.found)
}

/// Looks at each two rows, and at nothing else.
fn naive(rows: &[Row], rule: Rule) -> (Vec<Scored>, u64) {
    let mut all = Vec::new();
    for a in rows {
        for b in rows.iter().filter(|b| a.id < b.id) {
            let share = |a: &[i64], b: &[i64]| a.iter().any(|number| b.contains(number));
            let squares = score::squares(&a.vector) * score::squares(&b.vector);
            let settled = a.settled.contains(&b.id) || b.settled.contains(&a.id);
            if squares == 0.0
                || settled
                || share(&a.without, &b.without)
                || !share(&a.within, &b.within)
            {
                continue;
            }
            let dot: f64 = a
                .vector
                .iter()
                .zip(&b.vector)
                .map(|(a, b)| f64::from(*a) * f64::from(*b))
                .sum();
            let score = (dot / squares.sqrt() * 10_000.0).round_ties_even() as i32;
            if score > rule.over {
                all.push((a.id, b.id, score));
            }
        }
    }
    let mut best: BTreeMap<i64, Vec<(i32, i64)>> = BTreeMap::new();
    for &(a, b, score) in &all {
        best.entry(a).or_default().push((-score, b));
        best.entry(b).or_default().push((-score, a));
    }
    for pairs in best.values_mut() {
        pairs.sort_unstable();
        pairs.truncate(rule.limit.unwrap_or(usize::MAX));
    }
    let has = |row: i64, other: i64, score: i32| best[&row].contains(&(-score, other));
    let mut standing = all.clone();
    standing.retain(|&(a, b, score)| has(a, b, score) && has(b, a, score));
    standing.sort_unstable();
    (standing, all.len() as u64)
}

/// Few numbers, so that scores tie, and small vectors, so that many are alike.
fn some_rows() -> impl Strategy<Value = Vec<Row>> {
    let few = || prop::collection::vec(0i64..4, 0..3);
    let row = (
        prop::collection::vec(-2i8..3, 5),
        few(),
        few(),
        prop::collection::vec(-40i64..40, 0..3),
    );
    prop::collection::vec(row, 0..60).prop_map(|rows| {
        let row = |(place, (vector, within, without, settled))| Row {
            // Ids in no order, below zero as well.
            id: (place as i64 * 37) % 61 - 30,
            vector: Vec::<i8>::into_iter(vector).map(f32::from).collect(),
            within,
            without,
            settled,
        };
        rows.into_iter().enumerate().map(row).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn pairs_are_those_that_a_look_at_each_two_finds(
        rows in some_rows(),
        over in -10_001i32..10_000,
        limit in prop::option::of(1usize..6),
        threads in 1usize..4,
    ) {
        let rule = Rule { over: over.max(-10_000), limit };
        prop_assert_eq!(found(&rows, rule, threads), naive(&rows, rule));
    }
}

/// Rows of 50 numbers around a few centres, all in one block.
fn crowd(rows: usize) -> Vec<Row> {
    let mut state = 7u64;
    let mut random = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 40) as f32 / (1u64 << 24) as f32 - 0.5
    };
    let centres: Vec<Vec<f32>> = (0..4)
        .map(|_| (0..50).map(|_| random()).collect())
        .collect();
    let row = |place: usize| Row {
        id: place as i64,
        vector: centres[place % 4]
            .iter()
            .map(|x| x + 0.8 * random())
            .collect(),
        within: vec![1],
        without: vec![],
        settled: vec![],
    };
    (0..rows).map(row).collect()
}

#[test]
fn many_tiles_and_threads_find_what_a_look_at_each_two_finds() {
    let rows = crowd(230);
    for limit in [None, Some(5)] {
        let rule = Rule { over: 7500, limit };
        let expected = naive(&rows, rule);
        assert!(expected.1 > 100, "{}", expected.1);
        for threads in [1, 3] {
            assert_eq!(found(&rows, rule, threads), expected);
        }
    }
}

#[test]
fn a_score_is_compared_after_it_is_rounded() {
    let row = |id: i64, vector: [f32; 2]| Row {
        id,
        vector: vector.to_vec(),
        within: vec![0],
        without: vec![],
        settled: vec![],
    };
    // Cosines of 0.75004 and 0.75006, before they are rounded.
    let at = |cosine: f32| [cosine, (1.0 - cosine * cosine).sqrt()];
    let rows = [
        row(1, [1.0, 0.0]),
        row(2, at(0.75004)),
        row(3, at(-0.75006)),
    ];
    let rule = |over: i32| Rule { over, limit: None };
    assert_eq!(found(&rows, rule(7500), 1).0, []);
    assert_eq!(found(&rows, rule(7499), 1).0, [(1, 2, 7500)]);
    let rows = [row(1, [1.0, 0.0]), row(2, at(0.75006))];
    assert_eq!(found(&rows, rule(7500), 1).0, [(1, 2, 7501)]);
}

#[test]
fn what_is_no_set_of_vectors_is_named() {
    let row = |id: i64, vector: &[f32]| Row {
        id,
        vector: vector.to_vec(),
        within: vec![0],
        without: vec![],
        settled: vec![],
    };
    for (rows, said) in [
        (
            vec![row(7, &[1.0]), row(7, &[1.0])],
            "the id 7 occurs twice",
        ),
        (
            vec![row(1, &[1.0]), row(2, &[1.0, 2.0])],
            "the vector of 2 has 2 numbers",
        ),
        (
            vec![row(3, &[f32::INFINITY])],
            "the vector of 3 contains a value that is not a number",
        ),
    ] {
        let Err(error) = set_of(&rows) else {
            panic!("{said}")
        };
        assert!(error.to_string().contains(said), "{error}");
    }
}

#[test]
fn too_little_memory_is_told() {
    let pool: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(10_000));
    let (workers, memory) = (Workers::new(1), Memory::of(NAME, &pool));
    let means = Means {
        workers: &workers,
        memory: &memory,
    };
    let rule = Rule {
        over: 0,
        limit: Some(50),
    };
    let set = set_of(&crowd(100)).unwrap();
    let error = similar(&set, rule, means).unwrap_err().to_string();
    assert!(error.contains("similar_vectors holds"), "{error}");
}
