use datafusion::{
    arrow::array::Array,
    execution::memory_pool::{GreedyMemoryPool, UnboundedMemoryPool},
};
use proptest::prelude::*;

use super::*;
use crate::algorithms::token_sets::naive;

/// a, b, ratio
type Found = Vec<(i64, i64, f64)>;

fn lists(blocks: &[Vec<String>]) -> ListArray {
    let ids = Int64Array::from_iter_values(blocks.iter().flat_map(|block| 1..=block.len() as i64));
    let names: StringArray = blocks.iter().flatten().map(Some).collect();
    let DataType::List(item) = name_list_type() else {
        unreachable!()
    };
    let DataType::Struct(fields) = item.data_type().clone() else {
        unreachable!()
    };
    let rows = StructArray::new(fields, vec![Arc::new(ids), Arc::new(names)], None);
    let lengths = OffsetBuffer::from_lengths(blocks.iter().map(Vec::len));
    ListArray::new(item, lengths, Arc::new(rows), None)
}

fn found(blocks: &[Vec<String>], bounds: Bounds, threads: usize) -> Vec<Found> {
    let pool: Arc<dyn MemoryPool> = Arc::new(UnboundedMemoryPool::default());
    let pairs = pairs_of(&lists(blocks), bounds, &Workers::new(threads), &pool).unwrap();
    assert_eq!(pool.reserved(), 0);
    let of_list = |list: Option<ArrayRef>| {
        let list = list.unwrap();
        let rows = list.as_struct();
        let id = |column: usize| rows.column(column).as_primitive::<Int64Type>().clone();
        let scores = rows
            .column(2)
            .as_primitive::<datafusion::arrow::datatypes::Float64Type>();
        let (a, b) = (id(0), id(1));
        (0..list.len())
            .map(|row| (a.value(row), b.value(row), scores.value(row)))
            .collect()
    };
    pairs.iter().map(of_list).collect()
}

/// The rule as it is written, over all pairs.
fn expected(block: &[String], bounds: Bounds) -> Found {
    let numbered = || (1i64..).zip(block);
    let mut pairs = Vec::new();
    for (a, name) in numbered() {
        for (b, other) in numbered().skip(a as usize) {
            let score = naive::ratio(name, other);
            if bounds.over < score && score < bounds.below {
                pairs.push((a, b, score));
            }
        }
    }
    pairs
}

fn block() -> impl Strategy<Value = Vec<String>> {
    let word = prop::sample::select(vec![
        "sok", "soka", "od", "jabuke", "jabuka", "naranca", "1l", "2l",
    ]);
    let name = prop::collection::vec(word, 0..6).prop_map(|words| words.join(" "));
    prop::collection::vec(name, 0..30)
}

proptest! {
    #[test]
    fn every_block_has_its_own_pairs_whatever_the_threads(
        blocks in prop::collection::vec(block(), 0..4), over in 0f64..100.0, threads in 1usize..4,
    ) {
        let bounds = Bounds { over, below: 100.0 };
        let expected: Vec<_> = blocks.iter().map(|block| expected(block, bounds)).collect();
        prop_assert_eq!(found(&blocks, bounds, threads), expected);
    }
}

#[test]
fn too_little_memory_is_told_with_its_key() {
    let block: Vec<String> = (0..200)
        .map(|number| format!("sok od jabuke {number}"))
        .collect();
    let bounds = Bounds {
        over: 50.0,
        below: 100.0,
    };
    let small: Vec<Vec<String>> = block.chunks(LARGE).map(<[String]>::to_vec).collect();
    for (blocks, bytes) in [(vec![block], 100_000), (small, 20_000)] {
        let pool: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(bytes));
        let error = pairs_of(&lists(&blocks), bounds, &Workers::new(2), &pool).unwrap_err();
        assert!(
            matches!(
                error,
                datafusion::error::DataFusionError::ResourcesExhausted(_)
            ),
            "{error}"
        );
        let error = error.to_string();
        let is_told = error.contains(NAME) && error.contains("`memory` under [engine]");
        assert!(is_told, "{error}");
        assert_eq!(pool.reserved(), 0);
    }
}
