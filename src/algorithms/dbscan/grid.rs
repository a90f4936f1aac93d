//! Places in cells so small that all places of a cell are near each other.
//!
//! Bands of latitude, each cut into steps of longitude that are as wide, on the
//! ground, as the band is high. So the places near those of a cell lie in a few bands
//! and there in a few cells, however many places there are in one.

use std::{
    f64::consts::{FRAC_PI_2, PI, SQRT_2},
    ops::Range,
};

use super::place::{Point, Reach};

/// The least height of a band. Below it, angles would be all rounding.
const MIN_HEIGHT: f64 = 1e-8;

/// All places, by cell.
#[derive(Debug)]
pub(super) struct Grid {
    reach: Reach,
    /// Height of a band, as an angle.
    height: f64,
    /// Whether the places of a cell are all near each other.
    pub(super) is_tight: bool,
    /// By band, then longitude.
    pub(super) cells: Vec<Cell>,
    bands: Vec<Band>,
    /// By cell, each with its row.
    pub(super) places: Vec<(Point, u32)>,
}

/// Some places that lie together.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    band: i64,
    pub(super) places: Range<usize>,
    /// The least and the greatest longitude, and latitude without its sign.
    longitudes: (f64, f64),
    steepest: f64,
}

/// A band that has places.
#[derive(Debug)]
struct Band {
    number: i64,
    cells: Range<usize>,
    /// How wide its cells are.
    step: f64,
    /// The least cosine of a latitude in it.
    least_cos: f64,
}

impl Grid {
    /// Puts the places of `rows` into cells.
    pub(super) fn new(rows: &[Option<Point>], reach: Reach) -> Grid {
        // The corners of a cell are at most eps apart: by the haversine formula
        // sin² eps/2 is at least the sum of its sides' half, squared, each.
        let tight = SQRT_2 * (reach.eps.min(PI) / 2.0).sin() * (1.0 - 1e-6);
        let height = tight.max(MIN_HEIGHT);
        let mut places: Vec<(i64, i64, u32, Point)> = rows
            .iter()
            .zip(0..)
            .filter_map(|(place, row)| Some(((*place)?, row)))
            .map(|(place, row)| {
                let band = (place.latitude / height).floor() as i64;
                let step = (place.longitude / step(band, height)).floor() as i64;
                (band, step, row, place)
            })
            .collect();
        places.sort_unstable_by_key(|place| (place.0, place.1, place.2));
        let mut cells: Vec<Cell> = Vec::new();
        for cell in places.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
            let start = cells.last().map_or(0, |cell: &Cell| cell.places.end);
            cells.push(Cell::new(
                cell[0].0,
                start,
                cell.iter().map(|place| &place.3),
            ));
        }
        Grid {
            reach,
            height,
            is_tight: tight > MIN_HEIGHT,
            bands: bands(&cells, height),
            cells,
            places: places
                .iter()
                .map(|&(_, _, row, place)| (place, row))
                .collect(),
        }
    }

    /// Fills `near` with the other cells that may hold a place near one of a cell's.
    pub(super) fn near_cells(&self, cell: usize, near: &mut Vec<usize>) {
        near.clear();
        let of = &self.cells[cell];
        let bands = (self.reach.eps.min(PI) / self.height + 1e-9).ceil() as i64;
        let first = self
            .bands
            .partition_point(|band| band.number < of.band - bands);
        for band in &self.bands[first..] {
            if band.number > of.band + bands {
                break;
            }
            for range in self.near_in_band(of, band).into_iter().flatten() {
                near.extend(range.filter(|other| *other != cell));
            }
        }
    }

    /// Returns the cells of a band within reach of a cell, no cell twice.
    fn near_in_band(&self, cell: &Cell, band: &Band) -> [Option<Range<usize>>; 3] {
        let widest =
            (self.reach.eps.min(PI) / 2.0).sin().powi(2) / (cell.steepest.cos() * band.least_cos);
        // Not a number, where a pole is in reach: all of the band, then.
        let reach = match widest < 1.0 {
            true => 2.0 * widest.sqrt().asin() * (1.0 + 1e-9) + 1e-12,
            false => PI,
        };
        let (west, east) = (cell.longitudes.0 - reach, cell.longitudes.1 + reach);
        let turn = 2.0 * PI;
        let is_all_round = east - west + band.step >= turn;
        match is_all_round {
            true => [Some(band.cells.clone()), None, None],
            false => [0.0, turn, -turn].map(|turn| self.between(band, west + turn, east + turn)),
        }
    }

    fn between(&self, band: &Band, west: f64, east: f64) -> Option<Range<usize>> {
        let cells = &self.cells[band.cells.clone()];
        let first = cells.partition_point(|cell| cell.longitudes.1 < west);
        let end = cells.partition_point(|cell| cell.longitudes.0 <= east);
        let start = band.cells.start;
        (first < end).then(|| start + first..start + end)
    }
}

impl Cell {
    fn new<'a>(band: i64, start: usize, places: impl Iterator<Item = &'a Point>) -> Cell {
        let mut cell = Cell {
            band,
            places: start..start,
            longitudes: (f64::INFINITY, f64::NEG_INFINITY),
            steepest: 0.0,
        };
        for place in places {
            cell.places.end += 1;
            let (west, east) = cell.longitudes;
            cell.longitudes = (west.min(place.longitude), east.max(place.longitude));
            cell.steepest = cell.steepest.max(place.latitude.abs());
        }
        cell
    }
}

fn bands(cells: &[Cell], height: f64) -> Vec<Band> {
    let mut end = 0;
    let of_band = cells.chunk_by(|a, b| a.band == b.band);
    of_band
        .map(|band| {
            let number = band[0].band;
            let steepest = band.iter().map(|cell| cell.steepest).fold(0.0, f64::max);
            end += band.len();
            Band {
                number,
                cells: end - band.len()..end,
                step: step(number, height),
                least_cos: steepest.cos(),
            }
        })
        .collect()
}

/// Returns how wide the cells of a band are, as a difference of longitudes.
fn step(band: i64, height: f64) -> f64 {
    // A band lies on one side of the equator; here is its edge next to it.
    let edge = match band < 0 {
        true => (band + 1) as f64 * -height,
        false => band as f64 * height,
    };
    height / edge.min(FRAC_PI_2).cos()
}
