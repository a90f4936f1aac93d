//! `similar_names(names, over, below)`: the pairs of a block whose names are alike.
//!
//! `names` is a `name_list(id, name)`, such as that of a brand. The result is every pair
//! with `over` < token-set ratio < `below`, as `token_set_ratio` gives it: a list of
//! `struct(a bigint, b bigint, score double)`, a < b, by both; no pairs make an empty
//! list. Exact: what is not compared letter by letter is provably not over. `over` may be
//! 0 and more; a `below` of 100 leaves out names whose words are all the other's.
//!
//! Cost: names² ÷ 2 look-ups of 32 bytes within the lengths that come into question,
//! some hundred million a second and thread, then a comparison of letters for the few
//! that are left. Blocks of up to 1,024 names are shared out to the session's threads,
//! larger ones are compared on all of them, one after the other. Memory, from the
//! engine's own: some 128 bytes a name and 16 a letter of the blocks at work, and 24 bytes
//! a pair, twice. It runs on threads where it may block, and stops soon after the query is
//! dropped.

mod block;
mod pairs;
mod sieve;

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use datafusion::{
    arrow::{
        array::{
            Array, ArrayRef, AsArray, Float64Array, Int64Array, ListArray, StringArray, StructArray,
        },
        buffer::OffsetBuffer,
        datatypes::{DataType, Field, Fields, Int64Type},
    },
    common::{Result, ScalarValue, exec_err, plan_err},
    execution::memory_pool::MemoryPool,
    logical_expr::{
        ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
        async_udf::{AsyncScalarUDF, AsyncScalarUDFImpl},
    },
};

use super::name_list::name_list_type;
use crate::work::{memory::Memory, turn::Turn, workers::Workers};
use block::Block;
use pairs::{Bounds, Finder, Pair};

const NAME: &str = "similar_names";

/// A block of more names is compared on all threads.
const LARGE: usize = if cfg!(test) { 8 } else { 1024 };

/// Names of a large block that a thread takes at once.
const STEP: usize = if cfg!(test) { 3 } else { 64 };

/// Returns `similar_names`, which takes its memory from `pool`.
pub(super) fn similar_names(pool: Arc<dyn MemoryPool>, threads: usize) -> ScalarUDF {
    let function = SimilarNames {
        signature: Signature::any(3, Volatility::Immutable),
        turn: Turn::new(pool, threads),
    };
    AsyncScalarUDF::new(Arc::new(function)).into_scalar_udf()
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct SimilarNames {
    signature: Signature,
    turn: Turn,
}

impl ScalarUDFImpl for SimilarNames {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        match arguments {
            [names, ..] if *names == name_list_type() => Ok(DataType::List(item())),
            _ => plan_err!("{NAME} takes (name_list(id, name), over, below)"),
        }
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        exec_err!("{NAME} can only run asynchronously")
    }
}

#[async_trait]
impl AsyncScalarUDFImpl for SimilarNames {
    async fn invoke_async_with_args(&self, given: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let bounds = Bounds {
            over: percent(&given.args[1], "over")?,
            below: percent(&given.args[2], "below")?,
        };
        let lists = given.args[0].to_array(given.number_rows)?;
        let pairs = self.turn.run(NAME, move |workers, pool| {
            pairs_of(lists.as_list(), bounds, workers, pool)
        });
        Ok(ColumnarValue::Array(Arc::new(pairs.await?)))
    }
}

fn percent(given: &ColumnarValue, argument: &str) -> Result<f64> {
    let ColumnarValue::Scalar(value) = given else {
        return exec_err!("{NAME}: {argument} must be a constant");
    };
    match value.cast_to(&DataType::Float64)? {
        ScalarValue::Float64(Some(percent)) if percent >= 0.0 => Ok(percent),
        other => exec_err!("{NAME}: {argument} must be 0 or more, not {other}"),
    }
}

/// The names of a row.
#[derive(Debug)]
struct Row {
    ids: Int64Array,
    names: StringArray,
}

impl Row {
    fn of(list: &ArrayRef) -> Row {
        let rows = list.as_struct();
        Row {
            ids: rows.column(0).as_primitive::<Int64Type>().clone(),
            names: rows.column(1).as_string::<i32>().clone(),
        }
    }

    fn none() -> Row {
        Row {
            ids: Int64Array::from(Vec::<i64>::new()),
            names: StringArray::from(Vec::<&str>::new()),
        }
    }

    /// Lays out the names.
    fn block(&self, memory: &Memory) -> Result<Block> {
        let bytes = self.names.value_offsets();
        let bytes = bytes[bytes.len() - 1] - bytes[0];
        memory.grow(Block::size(self.names.len(), bytes as usize))?;
        Ok(Block::of(self.names.iter().map(Option::unwrap_or_default)))
    }
}

/// Returns a list of pairs for each list of names.
fn pairs_of(
    lists: &ListArray,
    bounds: Bounds,
    workers: &Workers,
    pool: &Arc<dyn MemoryPool>,
) -> Result<ListArray> {
    let memory = Memory::of(NAME, pool);
    memory.grow(lists.get_array_memory_size())?;
    let rows: Vec<Row> = lists
        .iter()
        .map(|list| list.as_ref().map_or_else(Row::none, Row::of))
        .collect();
    let mut pairs = of_small(&rows, bounds, workers, &memory)?;
    for (row, pairs) in rows.iter().zip(&mut pairs) {
        if row.ids.len() > LARGE {
            *pairs = of_large(row, bounds, workers, &memory)?;
        }
    }
    memory.grow(
        pairs
            .iter()
            .map(|pairs| size_of_val(pairs.as_slice()))
            .sum(),
    )?;
    column(pairs)
}

/// Returns the pairs of each small block; a thread takes a block at a time.
fn of_small(
    rows: &[Row],
    bounds: Bounds,
    workers: &Workers,
    memory: &Memory,
) -> Result<Vec<Vec<Pair>>> {
    let found: Vec<Mutex<Vec<Pair>>> = rows.iter().map(|_| Mutex::default()).collect();
    let find = |_: &mut (), place: usize| {
        let row = &rows[place];
        if row.ids.len() > LARGE {
            return Ok(());
        }
        let at_work = memory.part();
        let block = row.block(&at_work)?;
        let mut finder = Finder::new(&block, row.ids.values(), bounds);
        finder.find(0..block.len());
        memory.grow(size_of_val(finder.found.as_slice()))?;
        *found[place].lock().unwrap_or_else(PoisonError::into_inner) = pairs::sorted(finder.found);
        Ok(())
    };
    workers.each(rows.len(), || (), find)?;
    let found = found.into_iter().map(Mutex::into_inner);
    Ok(found
        .map(|pairs| pairs.unwrap_or_else(PoisonError::into_inner))
        .collect())
}

/// Returns the pairs of a large block; a thread takes some of its names at a time.
fn of_large(row: &Row, bounds: Bounds, workers: &Workers, memory: &Memory) -> Result<Vec<Pair>> {
    let at_work = memory.part();
    let block = row.block(&at_work)?;
    at_work.grow(workers.threads() * Finder::size(&block))?;
    let find = |finder: &mut Finder, step: usize| {
        let before = finder.found.capacity();
        finder.find(step * STEP..block.len().min((step + 1) * STEP));
        memory.grow((finder.found.capacity() - before) * size_of::<Pair>())
    };
    let finder = || Finder::new(&block, row.ids.values(), bounds);
    let finders = workers.each(block.len().div_ceil(STEP), finder, find)?;
    let found = finders.into_iter().flat_map(|finder| finder.found);
    Ok(pairs::sorted(found.collect()))
}

fn fields() -> Fields {
    let field = |(name, data_type)| Field::new(name, data_type, true);
    let columns = [
        ("a", DataType::Int64),
        ("b", DataType::Int64),
        ("score", DataType::Float64),
    ];
    columns.map(field).into_iter().collect()
}

fn item() -> Arc<Field> {
    Arc::new(Field::new_list_field(DataType::Struct(fields()), true))
}

fn column(lists: Vec<Vec<Pair>>) -> Result<ListArray> {
    let lengths: Vec<usize> = lists.iter().map(Vec::len).collect();
    let total: usize = lengths.iter().sum();
    if i32::try_from(total).is_err() {
        return exec_err!("{NAME}: {total} pairs are more than a column of lists can have");
    }
    let pairs = lists.concat();
    let ids = |of: fn(&Pair) -> i64| Arc::new(Int64Array::from_iter_values(pairs.iter().map(of)));
    let scores = Float64Array::from_iter_values(pairs.iter().map(|pair| pair.score));
    let columns: Vec<ArrayRef> = vec![ids(|pair| pair.a), ids(|pair| pair.b), Arc::new(scores)];
    let rows = StructArray::try_new(fields(), columns, None)?;
    let offsets = OffsetBuffer::from_lengths(lengths);
    Ok(ListArray::try_new(item(), offsets, Arc::new(rows), None)?)
}

#[cfg(test)]
mod tests;
