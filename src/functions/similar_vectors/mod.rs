//! `similar_vectors(set, over[, limit])`: the pairs of rows whose vectors have a cosine
//! over `over`, of a `vector_set`.
//!
//! Gives `struct(pairs struct(a bigint, b bigint, score decimal(5,4))[], found bigint)`: a <
//! b, by both. A score is the cosine rounded half-even to four decimals, and compared after
//! rounding; a vector of zeros is similar to nothing. With `limit`, a row is in at most
//! that many pairs: a pair is kept if it is among the `limit` best, by score, then by the other
//! row's id, of both its rows. `found` counts the pairs without a limit: `found` less the
//! pairs is how many were cut. What `vector_set` leaves out is neither found nor among the
//! best. No rows give no pairs.
//!
//! Exact for every pair, the same on every machine and for any number of threads: a fast
//! pass in `f32` leaves out only what its own error cannot reach, and half of the numbers
//! are enough for most pairs; `f64` decides.
//!
//! Cost: rows² ÷ 2 × numbers of each block (a list's number in `within`), a dozen at once,
//! on all threads of the session. Memory, from the engine's own: the set; the vectors of
//! some 65,000 rows, or of the largest block, once more; 16 bytes a row and place of the
//! limit, or 12 for each pair without one. It runs on threads where it may block, one set
//! after the other, and stops soon after the query is dropped.

mod best;
mod compare;
mod panels;
mod score;
mod set;

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::{
    arrow::{
        array::{Array, ArrayRef, AsArray, Decimal128Array, Int64Array, ListArray, StructArray},
        buffer::OffsetBuffer,
        compute::cast,
        datatypes::{DataType, Decimal128Type, Field, Fields, Int64Type},
    },
    common::{Result, exec_err, plan_err},
    execution::memory_pool::MemoryPool,
    logical_expr::{
        ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature,
        Volatility,
        async_udf::{AsyncScalarUDF, AsyncScalarUDFImpl},
    },
};

use super::vector_set::set_type;
use crate::work::{memory::Memory, turn::Turn, workers::Workers};
use compare::{Means, Similar, similar};
use set::Set;

const NAME: &str = "similar_vectors";
/// Digits of a score, and those behind the point.
const SCORE: (u8, i8) = (5, 4);

/// Returns `similar_vectors`, which takes its memory from `pool`.
pub(super) fn similar_vectors(pool: Arc<dyn MemoryPool>, threads: usize) -> ScalarUDF {
    let signature = Signature::one_of(
        vec![TypeSignature::Any(2), TypeSignature::Any(3)],
        Volatility::Immutable,
    );
    let function = SimilarVectors {
        signature,
        turn: Turn::new(pool, threads),
    };
    AsyncScalarUDF::new(Arc::new(function)).into_scalar_udf()
}

/// Which pairs are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rule {
    /// A score must be above this, in ten-thousandths.
    over: i32,
    /// The most pairs of a row, if there is a limit.
    limit: Option<usize>,
}

/// Two rows, by their numbers, and their score in ten-thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pair {
    /// The row with the lower id.
    a: u32,
    b: u32,
    score: i32,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct SimilarVectors {
    signature: Signature,
    turn: Turn,
}

impl ScalarUDFImpl for SimilarVectors {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        match arguments {
            [set, over, limit @ ..] if *set == set_type() => {
                let exact = over.is_integer() || over.is_decimal();
                match limit {
                    _ if !exact => plan_err!("{NAME}: over must be a decimal, not {over}"),
                    [limit] if !limit.is_integer() => {
                        plan_err!("{NAME}: limit must be an integer, not {limit}")
                    }
                    _ => Ok(DataType::Struct(fields())),
                }
            }
            _ => plan_err!("{NAME} takes (vector_set(id, vector, …), over, limit)"),
        }
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        exec_err!("{NAME} can only run asynchronously")
    }
}

#[async_trait]
impl AsyncScalarUDFImpl for SimilarVectors {
    async fn invoke_async_with_args(&self, given: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&given.args)?;
        let rules = rules(&columns)?;
        let sets = columns[0].as_list::<i32>().clone();
        let found = self.turn.run(NAME, move |workers, pool| {
            all_similar(&sets, &rules, workers, pool)
        });
        Ok(ColumnarValue::Array(Arc::new(found.await?)))
    }
}

/// Returns the rule of each set.
fn rules(columns: &[ArrayRef]) -> Result<Vec<Rule>> {
    let over = cast(&columns[1], &DataType::Decimal128(38, 18))?;
    let limits = match columns.get(2) {
        Some(limits) => Some(cast(limits, &DataType::Int64)?),
        None => None,
    };
    let rule = |row: usize| {
        Ok(Rule {
            over: over_of(&over, row)?,
            limit: limits
                .as_ref()
                .map(|limits| limit_of(limits, row))
                .transpose()?,
        })
    };
    (0..over.len()).map(rule).collect()
}

/// Returns the ten-thousandths that a score must be over: digits beyond the fourth make
/// no difference to a score of four.
fn over_of(column: &ArrayRef, row: usize) -> Result<i32> {
    let column = column.as_primitive::<Decimal128Type>();
    let ten_thousandths = column.value(row).div_euclid(10i128.pow(14));
    match i32::try_from(ten_thousandths) {
        Ok(over) if column.is_valid(row) && over.abs() <= score::ONE => Ok(over),
        _ => exec_err!("{NAME}: over must be from -1 to 1"),
    }
}

fn limit_of(column: &ArrayRef, row: usize) -> Result<usize> {
    let column = column.as_primitive::<Int64Type>();
    match usize::try_from(column.value(row)) {
        Ok(limit) if column.is_valid(row) && limit > 0 => Ok(limit),
        _ => exec_err!("{NAME}: limit must be 1 or more"),
    }
}

/// Returns the similar pairs of each set.
fn all_similar(
    sets: &ListArray,
    rules: &[Rule],
    workers: &Workers,
    pool: &Arc<dyn MemoryPool>,
) -> Result<StructArray> {
    let memory = Memory::of(NAME, pool);
    memory.grow(sets.get_buffer_memory_size())?;
    let mut found = Found::default();
    for (place, rule) in rules.iter().enumerate() {
        let rows = sets.value(place);
        let set = Set::of(rows.as_struct())?;
        let of_set = memory.part();
        let means = Means {
            workers,
            memory: &of_set,
        };
        let similar = similar(&set, *rule, means)?;
        memory.grow(similar.pairs.len() * Found::PAIR_BYTES)?;
        found.append(&set, similar);
    }
    found.finish()
}

/// The columns of the result.
#[derive(Debug, Default)]
struct Found {
    a: Vec<i64>,
    b: Vec<i64>,
    scores: Vec<i128>,
    lengths: Vec<usize>,
    found: Vec<i64>,
}

impl Found {
    const PAIR_BYTES: usize = 2 * size_of::<i64>() + size_of::<i128>();

    fn append(&mut self, set: &Set, similar: Similar) {
        let id = |row: u32| set.ids[row as usize];
        self.a.extend(similar.pairs.iter().map(|pair| id(pair.a)));
        self.b.extend(similar.pairs.iter().map(|pair| id(pair.b)));
        let scores = similar.pairs.iter().map(|pair| i128::from(pair.score));
        self.scores.extend(scores);
        self.lengths.push(similar.pairs.len());
        self.found.push(similar.found as i64);
    }

    fn finish(self) -> Result<StructArray> {
        if i32::try_from(self.a.len()).is_err() {
            return exec_err!(
                "{NAME}: {} pairs are more than a list can have",
                self.a.len()
            );
        }
        let scores = Decimal128Array::from(self.scores);
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(self.a)),
            Arc::new(Int64Array::from(self.b)),
            Arc::new(scores.with_precision_and_scale(SCORE.0, SCORE.1)?),
        ];
        let pairs = StructArray::try_new(pair_fields(), columns, None)?;
        let item = Field::new_list_field(DataType::Struct(pair_fields()), true);
        let offsets = OffsetBuffer::from_lengths(self.lengths);
        let lists = ListArray::try_new(Arc::new(item), offsets, Arc::new(pairs), None)?;
        let columns: Vec<ArrayRef> = vec![Arc::new(lists), Arc::new(Int64Array::from(self.found))];
        Ok(StructArray::try_new(fields(), columns, None)?)
    }
}

fn fields() -> Fields {
    let pairs = DataType::new_list(DataType::Struct(pair_fields()), true);
    Fields::from(vec![
        Field::new("pairs", pairs, true),
        Field::new("found", DataType::Int64, true),
    ])
}

fn pair_fields() -> Fields {
    Fields::from(vec![
        Field::new("a", DataType::Int64, true),
        Field::new("b", DataType::Int64, true),
        Field::new("score", DataType::Decimal128(SCORE.0, SCORE.1), true),
    ])
}

#[cfg(test)]
mod tests;
