//! `price_matrix(store_id, product_id, price)`: all prices of a group, small enough to
//! hold a hundred million of them; what `price_agreement` compares.
//!
//! A store's price of a product is a code of two bytes: how far it is from the
//! product's first price or, where prices are far apart, its number among the distinct
//! ones. All together are a table of stores by products. Rows with a null do not count;
//! of several prices of one product in one store the lowest counts. The matrix itself
//! is bytes for `price_agreement` and nobody else; no prices make an empty list.
//!
//! Cost: a look-up of the store and two comparisons a row where rows come by product;
//! a few look-ups where they do not. Memory: 2 bytes a price where most stores have a
//! product, never over 4, and 8 for each different price of a product whose prices are
//! far apart or come in no order.

mod accumulator;
mod column;
mod company;
mod dictionary;
mod piece;
mod pieces;
mod product;
mod run;
mod writer;

use std::sync::Arc;

pub(super) use piece::{Piece, PieceProduct};
pub(super) use pieces::{matrix_type, of_column};

use accumulator::{Matrices, OneMatrix};
use datafusion::{
    arrow::datatypes::{DataType, Field, FieldRef},
    common::{Result, plan_err},
    logical_expr::{
        Accumulator, AggregateUDF, AggregateUDFImpl, GroupsAccumulator, Signature, Volatility,
        function::{AccumulatorArgs, StateFieldsArgs},
        utils::AggregateOrderSensitivity,
    },
};

const NAME: &str = "price_matrix";

/// Returns `price_matrix`.
pub(super) fn price_matrix() -> AggregateUDF {
    let signature = Signature::user_defined(Volatility::Immutable);
    PriceMatrix { signature }.into()
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct PriceMatrix {
    signature: Signature,
}

impl AggregateUDFImpl for PriceMatrix {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        let [_, _, price] = arguments else {
            return plan_err!("{NAME} takes (store_id, product_id, price)");
        };
        Ok(vec![DataType::Int64, DataType::Int64, exact(price)?])
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(matrix_type())
    }

    fn state_fields(&self, arguments: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let name = format!("{}[pieces]", arguments.name);
        Ok(vec![Arc::new(Field::new(name, matrix_type(), true))])
    }

    fn accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(OneMatrix::new()))
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Matrices::new()))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

/// Returns the type that an exact number is read as.
fn exact(given: &DataType) -> Result<DataType> {
    match given {
        DataType::Decimal64(..) | DataType::Decimal128(..) => Ok(given.clone()),
        DataType::Decimal32(precision, scale) => Ok(DataType::Decimal64(*precision, *scale)),
        given if given.is_integer() => Ok(DataType::Int64),
        _ => plan_err!("{NAME}: price must be a decimal or an integer, not {given}"),
    }
}

#[cfg(test)]
pub(super) mod tests;
