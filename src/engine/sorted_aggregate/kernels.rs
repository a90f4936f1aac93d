//! The extreme of a run of integers, and where it stands first.

use std::ops::Range;

use datafusion::{
    arrow::{
        array::{Array, PrimitiveArray},
        datatypes::{ArrowNativeType, ArrowPrimitiveType},
    },
    common::{Result, exec_datafusion_err},
};
use pulp::Arch;

/// An integer that is compared in 64 bits.
pub(super) trait Number: ArrowNativeType {
    /// Returns the lower 64 bits.
    fn low(self) -> i64;
    /// Returns whether nothing else is in it.
    fn fits(self) -> bool;
}

impl Number for i64 {
    fn low(self) -> i64 {
        self
    }

    fn fits(self) -> bool {
        true
    }
}

impl Number for i128 {
    fn low(self) -> i64 {
        self as i64
    }

    fn fits(self) -> bool {
        self == i128::from(self as i64)
    }
}

/// Returns the first row of the run whose value is lowest, or highest, and that value
/// such that lower is better; none where all are null.
///
/// # Errors
/// A value does not fit 64 bits.
pub(super) fn first_extreme<T: ArrowPrimitiveType<Native: Number>, const HIGHEST: bool>(
    values: &PrimitiveArray<T>,
    run: Range<usize>,
) -> Result<Option<(usize, i64)>> {
    if values.null_count() > 0 {
        return first_of_some::<T, HIGHEST>(values, run);
    }
    let slice = &values.values()[run.clone()];
    let (best, fits) = Arch::new().dispatch(|| best::<_, HIGHEST>(slice));
    if !fits {
        return Err(too_long(values));
    }
    let row = slice
        .iter()
        .position(|value| ranked::<_, HIGHEST>(*value) == best);
    Ok(row.map(|row| (run.start + row, best)))
}

fn first_of_some<T: ArrowPrimitiveType<Native: Number>, const HIGHEST: bool>(
    values: &PrimitiveArray<T>,
    run: Range<usize>,
) -> Result<Option<(usize, i64)>> {
    let mut first: Option<(usize, i64)> = None;
    for row in run.filter(|row| values.is_valid(*row)) {
        let value = values.value(row);
        if !value.fits() {
            return Err(too_long(values));
        }
        let value = ranked::<_, HIGHEST>(value);
        if first.is_none_or(|(_, best)| value < best) {
            first = Some((row, value));
        }
    }
    Ok(first)
}

#[inline(always)]
fn ranked<N: Number, const HIGHEST: bool>(value: N) -> i64 {
    if HIGHEST { !value.low() } else { value.low() }
}

#[inline(always)]
fn best<N: Number, const HIGHEST: bool>(values: &[N]) -> (i64, bool) {
    values.iter().fold((i64::MAX, true), |(best, fits), value| {
        (best.min(ranked::<N, HIGHEST>(*value)), fits & value.fits())
    })
}

fn too_long(values: &dyn Array) -> datafusion::error::DataFusionError {
    exec_datafusion_err!(
        "a value has more digits than its type {}",
        values.data_type()
    )
}
