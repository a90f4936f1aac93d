//! `price_agreement(matrix, min_prices[, min_agreement])`: which stores ask the same
//! prices, of a `price_matrix`.
//!
//! Compares each two stores that have more than `min_prices` prices. With
//! `min_agreement`, percent, the result are the tied pairs: those where same × 100 ≥
//! `min_agreement` × common, over the products that both price; none in common is no
//! tie. Without, it is every pair, also of stores that have nothing in common: the
//! table behind a heat map. A list of `struct(store_a bigint, store_b bigint, common
//! bigint, same bigint, prices_a bigint, prices_b bigint)`, store_a < store_b, by both,
//! with how many prices each of the two has; no pairs make an empty list.
//! Exact for every pair: integers throughout, no sampling.
//!
//! Cost: stores² ÷ 2 × products, sixteen or more at once, on all threads of the
//! session, less the pairs that leave because they differ too often to be tied, and
//! less the stores that are all the same. Memory, from the engine's own: 64 MiB or one
//! block of 512 products, and 12 bytes for each pair that is left, 60 for each that is
//! returned. It runs on threads where it may block, one matrix after the other, and
//! stops soon after the query is dropped.

mod block;
mod compare;
mod lookalikes;
mod merged;
mod share;
mod survey;
mod tiles;

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::{
    arrow::{array::ListArray, buffer::Buffer, datatypes::DataType},
    common::{Result, ScalarValue, exec_err, plan_err},
    execution::memory_pool::MemoryPool,
    logical_expr::{
        ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature,
        Volatility,
        async_udf::{AsyncScalarUDF, AsyncScalarUDFImpl},
    },
};

use super::{
    arguments::{lists_of_records, records},
    price_matrix::{matrix_type, of_column},
};
use crate::work::{memory::Memory, turn::Turn, workers::Workers};
use compare::{Compared, Means, Rule};
use merged::Merged;
use share::Share;

const NAME: &str = "price_agreement";
const RECORD: [&str; 6] = [
    "store_a", "store_b", "common", "same", "prices_a", "prices_b",
];

/// Returns `price_agreement`, which takes its memory from `pool`.
pub(super) fn price_agreement(pool: Arc<dyn MemoryPool>, threads: usize) -> ScalarUDF {
    let signature = Signature::one_of(
        vec![TypeSignature::Any(2), TypeSignature::Any(3)],
        Volatility::Immutable,
    );
    let function = PriceAgreement {
        signature,
        turn: Turn::new(pool, threads),
    };
    AsyncScalarUDF::new(Arc::new(function)).into_scalar_udf()
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct PriceAgreement {
    signature: Signature,
    turn: Turn,
}

impl ScalarUDFImpl for PriceAgreement {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        match arguments {
            [matrix, ..] if *matrix == matrix_type() => Ok(records(&RECORD)),
            _ => plan_err!(
                "{NAME} takes (price_matrix(store_id, product_id, price), min_prices, min_agreement)"
            ),
        }
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        exec_err!("{NAME} can only run asynchronously")
    }
}

#[async_trait]
impl AsyncScalarUDFImpl for PriceAgreement {
    async fn invoke_async_with_args(&self, given: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rule = Rule {
            min_prices: min_prices(&given.args[1])?,
            min_agreement: given.args.get(2).map(min_agreement).transpose()?,
        };
        let matrices = of_column(&given.args[0].to_array(given.number_rows)?)?;
        let lists = self.turn.run(NAME, move |workers, pool| {
            agreements(&matrices, rule, workers, pool)
        });
        Ok(ColumnarValue::Array(Arc::new(lists.await?)))
    }
}

fn min_prices(given: &ColumnarValue) -> Result<u64> {
    let count = constant(given, "min_prices")?.cast_to(&DataType::Int64)?;
    match count {
        ScalarValue::Int64(Some(count)) if count >= 0 => Ok(count as u64),
        other => exec_err!("{NAME}: min_prices must be 0 or more, not {other}"),
    }
}

fn min_agreement(given: &ColumnarValue) -> Result<Share> {
    Share::of(constant(given, "min_agreement")?)
}

fn constant<'a>(given: &'a ColumnarValue, argument: &str) -> Result<&'a ScalarValue> {
    match given {
        ColumnarValue::Scalar(value) if !value.is_null() => Ok(value),
        _ => exec_err!("{NAME}: {argument} must be a constant that is not null"),
    }
}

/// Returns a list of pairs for each matrix.
fn agreements(
    matrices: &[Vec<Buffer>],
    rule: Rule,
    workers: &Workers,
    pool: &Arc<dyn MemoryPool>,
) -> Result<ListArray> {
    let memory = Memory::of(NAME, pool);
    let pieces = matrices.iter().flatten();
    memory.grow(pieces.map(|piece| piece.len()).sum())?;
    let mut columns = RECORD.map(|_| Vec::new());
    let mut lengths = Vec::with_capacity(matrices.len());
    for matrix in matrices {
        let of_matrix = memory.part();
        let merged = Merged::open(matrix)?;
        let means = Means {
            workers,
            memory: &of_matrix,
        };
        let compared = compare::compare(&merged, rule, means)?;
        let pairs = compared.pairs.len();
        memory.grow(pairs * columns.len() * size_of::<i64>())?;
        append(&mut columns, &merged.stores, &compared);
        lengths.push(pairs);
    }
    lists_of_records(&RECORD, columns.into(), lengths)
}

fn append(columns: &mut [Vec<i64>; 6], stores: &[i64], compared: &Compared) {
    let pairs = &compared.pairs;
    let store = |number: u16| stores[usize::from(number)];
    let prices = |number: u16| i64::from(compared.prices[usize::from(number)]);
    let [a, b, common, same, prices_a, prices_b] = columns;
    a.extend(pairs.iter().map(|pair| store(pair.a)));
    b.extend(pairs.iter().map(|pair| store(pair.b)));
    common.extend(pairs.iter().map(|pair| i64::from(pair.common)));
    same.extend(pairs.iter().map(|pair| i64::from(pair.same)));
    prices_a.extend(pairs.iter().map(|pair| prices(pair.a)));
    prices_b.extend(pairs.iter().map(|pair| prices(pair.b)));
}

#[cfg(test)]
mod tests;
