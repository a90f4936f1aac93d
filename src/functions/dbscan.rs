//! `dbscan(latitude, longitude, eps_km, min_samples) over (partition by … order
//! by …)`: the cluster each place belongs to.
//!
//! Degrees on a sphere of radius 6371.0088 km, great-circle distances, two places
//! near when their distance is at most `eps_km`. A place with at least
//! `min_samples` places near it, itself among them, is a core; near cores are in
//! one cluster. Clusters are numbered from 0 by their first core in the window's
//! order; a place near cores of several clusters, but no core itself, goes to the
//! first of them: scikit-learn's labels on rows in this order. Null for noise and
//! for no coordinates: both 0, one null or not a number, or out of range.
//!
//! Places lie in cells so small that all of a cell are near each other: a cell of
//! `min_samples` is all cores, one cluster, without a distance measured, and cells are
//! together when two cores are near. So stores that crowd in a few towns cost no more
//! than others: some microseconds a place. Memory: 150 bytes a place.

use std::sync::Arc;

use datafusion::{
    arrow::{
        array::{Array, ArrayRef, AsArray, Int64Array},
        datatypes::{DataType, Field, FieldRef, Float64Type},
    },
    common::{Result, ScalarValue, exec_err},
    logical_expr::{
        LimitEffect, PartitionEvaluator, Signature, Volatility, WindowUDF, WindowUDFImpl,
        function::{PartitionEvaluatorArgs, WindowUDFFieldArgs},
    },
    physical_expr::PhysicalExpr,
};

use super::arguments::{constant, constant_bigint};
use crate::algorithms::dbscan::{EARTH_RADIUS_KM, Point, Reach, Rule};

/// Returns `dbscan`.
pub(super) fn dbscan() -> WindowUDF {
    let types = vec![
        DataType::Float64,
        DataType::Float64,
        DataType::Float64,
        DataType::Int64,
    ];
    let signature = Signature::exact(types, Volatility::Immutable);
    Dbscan { signature }.into()
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Dbscan {
    signature: Signature,
}

impl WindowUDFImpl for Dbscan {
    fn name(&self) -> &str {
        "dbscan"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn field(&self, arguments: WindowUDFFieldArgs) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(
            arguments.name(),
            DataType::Int64,
            true,
        )))
    }

    fn partition_evaluator(
        &self,
        arguments: PartitionEvaluatorArgs,
    ) -> Result<Box<dyn PartitionEvaluator>> {
        let given = arguments.input_exprs();
        let least = constant_bigint(given, 3, "dbscan", "min_samples", 1)?;
        Ok(Box::new(Rule {
            reach: Reach::new(eps_km(given)? / EARTH_RADIUS_KM),
            min_samples: least.try_into().unwrap_or(usize::MAX),
        }))
    }

    fn limit_effect(&self, _: &[Arc<dyn PhysicalExpr>]) -> LimitEffect {
        LimitEffect::Unknown
    }
}

fn eps_km(arguments: &[Arc<dyn PhysicalExpr>]) -> Result<f64> {
    match constant(arguments, 2, "dbscan", "eps_km")? {
        ScalarValue::Float64(Some(km)) if km > 0.0 && km.is_finite() => Ok(km),
        other => exec_err!("dbscan: eps_km must be above 0, not {other}"),
    }
}

impl PartitionEvaluator for Rule {
    fn evaluate_all(&mut self, values: &[ArrayRef], num_rows: usize) -> Result<ArrayRef> {
        let latitudes = values[0].as_primitive::<Float64Type>();
        let longitudes = values[1].as_primitive::<Float64Type>();
        let places: Vec<Option<Point>> = (0..num_rows)
            .map(|row| {
                let is_there = latitudes.is_valid(row) && longitudes.is_valid(row);
                is_there.then(|| Point::new(latitudes.value(row), longitudes.value(row)))?
            })
            .collect();
        let clusters = self.clusters(&places);
        Ok(Arc::new(Int64Array::from(clusters)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Degrees = (f64, f64);

    fn places(degrees: &[Degrees]) -> Vec<Option<Point>> {
        degrees
            .iter()
            .map(|place| Point::new(place.0, place.1))
            .collect()
    }

    fn rule(eps_km: f64, min_samples: usize) -> Rule {
        Rule {
            reach: Reach::new(eps_km / EARTH_RADIUS_KM),
            min_samples,
        }
    }

    /// scikit-learn's `dbscan_inner`, line by line, over all pairs.
    fn expected(rows: &[Option<Point>], rule: Rule) -> Vec<Option<i64>> {
        let is_near = |a: usize, b: usize| match (&rows[a], &rows[b]) {
            (Some(a), Some(b)) => a.angle(b) <= rule.reach.eps,
            _ => false,
        };
        let near: Vec<Vec<usize>> = (0..rows.len())
            .map(|a| (0..rows.len()).filter(|&b| is_near(a, b)).collect())
            .collect();
        let is_core: Vec<bool> = near
            .iter()
            .map(|near| near.len() >= rule.min_samples)
            .collect();
        let mut labels = vec![None; rows.len()];
        let mut label = 0;
        for start in 0..rows.len() {
            if labels[start].is_some() || !is_core[start] {
                continue;
            }
            let mut stack = vec![start];
            while let Some(row) = stack.pop() {
                if labels[row].is_none() {
                    labels[row] = Some(label);
                    if is_core[row] {
                        stack.extend(near[row].iter().filter(|&&v| labels[v].is_none()));
                    }
                }
            }
            label += 1;
        }
        labels
    }

    proptest! {
        #[test]
        fn labels_are_those_of_scikit_learn(
            // A grid of tenths of a degree, some 11 km, on both sides of ±180.
            grid in prop::collection::vec((-8i32..8, -8i32..8), 0..60),
            middle in prop::sample::select(vec![(0.0, 0.0), (45.0, 16.0), (-35.0, 179.9), (89.5, 10.0)]),
            eps_km in prop::sample::select(vec![8.0, 12.0, 25.0, 40.0]),
            min_samples in 1usize..6,
        ) {
            let degrees: Vec<Degrees> = grid
                .iter()
                .map(|(north, east)| {
                    let longitude = middle.1 + f64::from(*east) / 10.0;
                    let wrapped = if longitude > 180.0 { longitude - 360.0 } else { longitude };
                    (middle.0 + f64::from(*north) / 10.0, wrapped)
                })
                .collect();
            let (rows, rule) = (places(&degrees), rule(eps_km, min_samples));
            prop_assert_eq!(rule.clusters(&rows), expected(&rows, rule));
        }
    }

    #[test]
    fn a_border_place_goes_to_the_cluster_with_the_lower_first_core() {
        // The place between is near one core of each side, too few to be a core.
        let between = [(45.0, 16.0)];
        let west = [(45.0, 15.9), (45.0, 15.82), (45.0, 15.82), (45.0, 15.82)];
        let east = west.map(|(latitude, longitude)| (latitude, 32.0 - longitude));
        let rule = rule(10.0, 4);
        let clusters = |parts: [&[Degrees]; 3]| rule.clusters(&places(&parts.concat()));
        let (first, second) = (Some(0), Some(1));
        let mut expected = [[first; 5].as_slice(), &[second; 4]].concat();
        assert_eq!(clusters([&between, &west, &east]), expected);
        assert_eq!(clusters([&east, &between, &west]), expected);
        expected.rotate_left(1);
        assert_eq!(clusters([&west, &east, &between]), expected);
    }

    #[test]
    fn no_coordinates_are_no_place() {
        for (latitude, longitude) in [
            (0.0, 0.0),
            (-0.0, 0.0),
            (90.5, 0.0),
            (0.0, -180.5),
            (f64::NAN, 1.0),
            (1.0, f64::INFINITY),
        ] {
            assert!(
                Point::new(latitude, longitude).is_none(),
                "{latitude} {longitude}"
            );
        }
        assert!(Point::new(0.0, 16.0).is_some());
    }

    #[test]
    fn a_quarter_of_the_equator_is_a_quarter_of_the_circumference() {
        let (a, b) = (
            Point::new(0.0, -170.0).unwrap(),
            Point::new(0.0, 100.0).unwrap(),
        );
        assert!((a.angle(&b) - std::f64::consts::FRAC_PI_2).abs() < 1e-12);
    }
}
