//! `jaccard(a, b)`: how much two lists have in common: their common elements over all
//! elements of both, each counted once, from 0 to 1.
//!
//! Lists of integers, or of text. An element that is null does not count. A list that is
//! null makes null, and so do two lists without any element: there is nothing to compare.
//!
//! Cost: sorts both lists of each row.

use std::sync::Arc;

use datafusion::{
    arrow::{
        array::{ArrayRef, AsArray, Float64Array, ListArray},
        datatypes::{DataType, Field, Int64Type},
    },
    common::{Result, plan_err},
    logical_expr::{
        ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
    },
};

const NAME: &str = "jaccard";

/// Returns `jaccard`.
pub(super) fn jaccard() -> ScalarUDF {
    let signature = Signature::user_defined(Volatility::Immutable);
    Jaccard { signature }.into()
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Jaccard {
    signature: Signature,
}

impl ScalarUDFImpl for Jaccard {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let [a, b] = given else {
            return plan_err!("{NAME} takes (list, list)");
        };
        let is_wanted = |is: fn(&DataType) -> bool| {
            [a, b]
                .into_iter()
                .all(|list| element(list).is_some_and(|element| element.is_null() || is(element)))
        };
        let element = match (
            is_wanted(DataType::is_integer),
            is_wanted(DataType::is_string),
        ) {
            (true, _) => DataType::Int64,
            (_, true) => DataType::Utf8,
            _ => {
                return plan_err!("{NAME} takes two lists of integers or of text, not {a} and {b}");
            }
        };
        let list = DataType::List(Arc::new(Field::new_list_field(element, true)));
        Ok(vec![list.clone(), list])
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn invoke_with_args(&self, given: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let a = given.args[0].to_array(given.number_rows)?;
        let b = given.args[1].to_array(given.number_rows)?;
        let (a, b) = (a.as_list(), b.as_list());
        let shares = match a.value_type() {
            DataType::Int64 => shares(a, b, |list| {
                list.as_primitive::<Int64Type>().iter().flatten().collect()
            }),
            _ => shares(a, b, |list| {
                let texts = list.as_string::<i32>().iter().flatten();
                texts.map(str::to_owned).collect()
            }),
        };
        Ok(ColumnarValue::Array(Arc::new(shares) as ArrayRef))
    }
}

/// Returns the type of a list's elements; an untyped null is a list of nulls.
fn element(list: &DataType) -> Option<&DataType> {
    match list {
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::FixedSizeList(item, _) => Some(item.data_type()),
        DataType::Null => Some(list),
        _ => None,
    }
}

fn shares<T: Ord>(a: &ListArray, b: &ListArray, of: fn(ArrayRef) -> Vec<T>) -> Float64Array {
    let share = |(a, b): (Option<ArrayRef>, Option<ArrayRef>)| share(of(a?), of(b?));
    a.iter().zip(b.iter()).map(share).collect()
}

fn share<T: Ord>(mut a: Vec<T>, mut b: Vec<T>) -> Option<f64> {
    for list in [&mut a, &mut b] {
        list.sort_unstable();
        list.dedup();
    }
    let common = a
        .iter()
        .filter(|element| b.binary_search(element).is_ok())
        .count();
    let all = a.len() + b.len() - common;
    (all > 0).then(|| common as f64 / all as f64)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_the_common_over_all(
            a in prop::collection::vec(0i64..12, 0..20), b in prop::collection::vec(0i64..12, 0..20),
        ) {
            let sets = [&a, &b].map(|list| list.iter().collect::<BTreeSet<_>>());
            let common = sets[0].intersection(&sets[1]).count();
            let all = sets[0].union(&sets[1]).count();
            let expected = (all > 0).then(|| common as f64 / all as f64);
            prop_assert_eq!(share(a, b), expected);
        }
    }
}
