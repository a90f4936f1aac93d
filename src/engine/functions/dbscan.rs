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
//! Places are sorted by latitude, and each is compared with those of a band
//! `eps_km` high: cost grows with the square of the places in a band. Memory:
//! some 60 bytes a place and 8 for each of at most `min_samples` cores near a
//! place that is none.

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

use super::{
    arguments::{constant, constant_bigint},
    union_find::UnionFind,
};

/// The mean radius of the earth, as the IUGG has it.
const EARTH_RADIUS_KM: f64 = 6371.0088;

/// How far the quick test by chords may err, relatively: far more than it does.
const CHORD_SLACK: f64 = 1e-9;

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
            eps: eps_km(given)? / EARTH_RADIUS_KM,
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

/// When places belong together.
#[derive(Debug, Clone, Copy)]
struct Rule {
    /// The greatest distance of near places, as an angle in radians.
    eps: f64,
    min_samples: usize,
}

impl PartitionEvaluator for Rule {
    fn evaluate_all(&mut self, values: &[ArrayRef], num_rows: usize) -> Result<ArrayRef> {
        let latitudes = values[0].as_primitive::<Float64Type>();
        let longitudes = values[1].as_primitive::<Float64Type>();
        let places: Vec<Option<Place>> = (0..num_rows)
            .map(|row| {
                let is_there = latitudes.is_valid(row) && longitudes.is_valid(row);
                is_there.then(|| Place::new(latitudes.value(row), longitudes.value(row)))?
            })
            .collect();
        let clusters = self.clusters(&places);
        Ok(Arc::new(Int64Array::from(clusters)))
    }
}

/// A point on the unit sphere.
#[derive(Debug, Clone, Copy)]
struct Place {
    latitude: f64,
    longitude: f64,
    cos_latitude: f64,
    /// The same point in space, for distances without a sine.
    vector: [f64; 3],
}

impl Place {
    /// Takes degrees; returns none where they are no place.
    fn new(latitude: f64, longitude: f64) -> Option<Place> {
        let in_range = latitude.abs() <= 90.0 && longitude.abs() <= 180.0;
        if !in_range || (latitude == 0.0 && longitude == 0.0) {
            return None;
        }
        let (latitude, longitude) = (latitude.to_radians(), longitude.to_radians());
        let (sin, cos) = latitude.sin_cos();
        Some(Place {
            latitude,
            longitude,
            cos_latitude: cos,
            vector: [cos * longitude.cos(), cos * longitude.sin(), sin],
        })
    }

    /// Returns the angle between two places, by the haversine formula.
    fn angle(&self, other: &Place) -> f64 {
        let half = |a: f64, b: f64| ((a - b) / 2.0).sin().powi(2);
        let haversine = half(self.latitude, other.latitude)
            + self.cos_latitude * other.cos_latitude * half(self.longitude, other.longitude);
        2.0 * haversine.min(1.0).sqrt().asin()
    }

    fn squared_chord(&self, other: &Place) -> f64 {
        let square = |axis: usize| (self.vector[axis] - other.vector[axis]).powi(2);
        square(0) + square(1) + square(2)
    }
}

impl Rule {
    /// Returns each row's cluster.
    fn clusters(&self, rows: &[Option<Place>]) -> Vec<Option<i64>> {
        let sweep = Sweep::new(rows, self.eps);
        let is_core = self.cores(&sweep, rows.len());
        let mut sets = UnionFind::new(rows.len() as u32);
        let mut borders = Vec::new();
        sweep.each_near_pair(|a, b| match (is_core[a as usize], is_core[b as usize]) {
            (true, true) => sets.union(a, b),
            (true, false) => borders.push((b, a)),
            (false, true) => borders.push((a, b)),
            (false, false) => {}
        });
        let mut clusters = numbered(&is_core, &mut sets);
        for (border, core) in borders {
            let reached = clusters[core as usize];
            let so_far = &mut clusters[border as usize];
            *so_far = so_far.map_or(reached, |so_far| reached.map(|new| new.min(so_far)));
        }
        clusters
    }

    fn cores(&self, sweep: &Sweep, rows: usize) -> Vec<bool> {
        let mut near = vec![0usize; rows];
        for (_, row) in &sweep.places {
            near[*row as usize] = 1;
        }
        sweep.each_near_pair(|a, b| {
            near[a as usize] += 1;
            near[b as usize] += 1;
        });
        near.iter().map(|&near| near >= self.min_samples).collect()
    }
}

/// Numbers the sets of cores by their first core.
fn numbered(is_core: &[bool], sets: &mut UnionFind) -> Vec<Option<i64>> {
    let mut clusters = vec![None; is_core.len()];
    let mut next = 0..;
    for core in (0..is_core.len()).filter(|&row| is_core[row]) {
        // A set is named by its first core, which has its number by now.
        let first = sets.find(core as u32) as usize;
        clusters[core] = if first == core {
            next.next()
        } else {
            clusters[first]
        };
    }
    clusters
}

/// The places by latitude, each with its row.
struct Sweep {
    places: Vec<(Place, u32)>,
    eps: f64,
}

impl Sweep {
    fn new(rows: &[Option<Place>], eps: f64) -> Sweep {
        let mut places: Vec<(Place, u32)> = rows
            .iter()
            .zip(0..)
            .filter_map(|(place, row)| Some(((*place)?, row)))
            .collect();
        places.sort_unstable_by(|a, b| a.0.latitude.total_cmp(&b.0.latitude));
        Sweep { places, eps }
    }

    /// Calls `found` with the rows of each two places that are near.
    fn each_near_pair(&self, mut found: impl FnMut(u32, u32)) {
        let half = (self.eps / 2.0).min(std::f64::consts::FRAC_PI_2);
        let longest_chord = 4.0 * half.sin().powi(2) * (1.0 + CHORD_SLACK);
        let band = self.eps * (1.0 + CHORD_SLACK) + f64::EPSILON;
        for (i, (place, row)) in self.places.iter().enumerate() {
            for (other, other_row) in &self.places[i + 1..] {
                if other.latitude - place.latitude > band {
                    break;
                }
                if place.squared_chord(other) <= longest_chord && place.angle(other) <= self.eps {
                    found(*row, *other_row);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Degrees = (f64, f64);

    fn places(degrees: &[Degrees]) -> Vec<Option<Place>> {
        degrees
            .iter()
            .map(|place| Place::new(place.0, place.1))
            .collect()
    }

    fn rule(eps_km: f64, min_samples: usize) -> Rule {
        Rule {
            eps: eps_km / EARTH_RADIUS_KM,
            min_samples,
        }
    }

    /// scikit-learn's `dbscan_inner`, line by line, over all pairs.
    fn expected(rows: &[Option<Place>], rule: Rule) -> Vec<Option<i64>> {
        let is_near = |a: usize, b: usize| match (&rows[a], &rows[b]) {
            (Some(a), Some(b)) => a.angle(b) <= rule.eps,
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
                Place::new(latitude, longitude).is_none(),
                "{latitude} {longitude}"
            );
        }
        assert!(Place::new(0.0, 16.0).is_some());
    }

    #[test]
    fn a_quarter_of_the_equator_is_a_quarter_of_the_circumference() {
        let (a, b) = (
            Place::new(0.0, -170.0).unwrap(),
            Place::new(0.0, 100.0).unwrap(),
        );
        assert!((a.angle(&b) - std::f64::consts::FRAC_PI_2).abs() < 1e-12);
    }
}
