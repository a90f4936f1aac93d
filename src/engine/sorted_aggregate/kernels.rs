//! The extremes of a run of integers, and where each occurs first.

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

/// The rows of a run that have its lowest and its highest value first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extremes {
    pub(super) lowest: At,
    pub(super) highest: At,
}

/// A value and its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct At {
    pub(super) row: usize,
    pub(super) value: i64,
}

/// Returns the extremes of a run; none where all is null.
///
/// # Errors
/// A value does not fit 64 bits.
pub(super) fn extremes<T: ArrowPrimitiveType<Native: Number>>(
    values: &PrimitiveArray<T>,
    run: Range<usize>,
) -> Result<Option<Extremes>> {
    if values.null_count() > 0 {
        return extremes_of_some(values, run);
    }
    let slice = &values.values()[run.clone()];
    let bounds = Arch::new().dispatch(|| Bounds::of(slice));
    if !bounds.fit {
        return Err(too_long(values));
    }
    let first = |value: i64| {
        let place = slice.iter().position(|other| other.low() == value)?;
        let row = run.start + place;
        Some(At { row, value })
    };
    Ok(first(bounds.lowest)
        .zip(first(bounds.highest))
        .map(|(lowest, highest)| Extremes { lowest, highest }))
}

fn extremes_of_some<T: ArrowPrimitiveType<Native: Number>>(
    values: &PrimitiveArray<T>,
    run: Range<usize>,
) -> Result<Option<Extremes>> {
    let mut found: Option<Extremes> = None;
    for row in run.filter(|row| values.is_valid(*row)) {
        let value = values.value(row);
        if !value.fits() {
            return Err(too_long(values));
        }
        let value = value.low();
        let here = At { row, value };
        let extremes = found.get_or_insert(Extremes {
            lowest: here,
            highest: here,
        });
        if value < extremes.lowest.value {
            extremes.lowest = here;
        }
        if value > extremes.highest.value {
            extremes.highest = here;
        }
    }
    Ok(found)
}

/// The bounds of a run's values, cut to 64 bits.
struct Bounds {
    lowest: i64,
    highest: i64,
    /// Whether nothing was cut off.
    fit: bool,
}

impl Bounds {
    #[inline(always)]
    fn of<N: Number>(values: &[N]) -> Bounds {
        let nothing = Bounds {
            lowest: i64::MAX,
            highest: i64::MIN,
            fit: true,
        };
        values.iter().fold(nothing, |bounds, value| Bounds {
            lowest: bounds.lowest.min(value.low()),
            highest: bounds.highest.max(value.low()),
            fit: bounds.fit & value.fits(),
        })
    }
}

fn too_long(values: &dyn Array) -> datafusion::error::DataFusionError {
    exec_datafusion_err!(
        "a value has more digits than its type {}",
        values.data_type()
    )
}
