//! Which places are cores, which cores are together, and where the others belong.

use super::{
    grid::Grid,
    place::{Point, Reach},
};
use crate::algorithms::union_find::UnionFind;

/// When places belong together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule {
    pub(crate) reach: Reach,
    pub(crate) min_samples: usize,
}

/// Cores of two cells that are tried at first; mostly two of them are near.
const TRIED_FIRST: usize = 16;

impl Rule {
    /// Returns each row's cluster.
    pub(crate) fn clusters(&self, rows: &[Option<Point>]) -> Vec<Option<i64>> {
        let mut search = Search {
            rule: *self,
            grid: Grid::new(rows, self.reach),
            cores: Vec::new(),
            sets: UnionFind::new(rows.len() as u32),
            near: Vec::new(),
        };
        search.find_cores();
        search.unite();
        let mut clusters = search.number(rows.len());
        search.add_borders(&mut clusters);
        clusters
    }
}

struct Search {
    rule: Rule,
    /// Its cells have their cores first.
    grid: Grid,
    /// By cell, how many cores it has.
    cores: Vec<usize>,
    /// Of rows: the cores that are together.
    sets: UnionFind,
    /// The cells near the one at hand; kept for its memory.
    near: Vec<usize>,
}

impl Search {
    fn find_cores(&mut self) {
        let mut is_core = vec![false; self.grid.places.len()];
        for cell in 0..self.grid.cells.len() {
            let places = self.grid.cells[cell].places.clone();
            if self.grid.is_tight && places.len() >= self.rule.min_samples {
                is_core[places].fill(true);
                continue;
            }
            self.grid.near_cells(cell, &mut self.near);
            for place in places {
                is_core[place] = self.is_core(cell, place);
            }
        }
        for cell in 0..self.grid.cells.len() {
            self.put_cores_first(cell, &is_core);
        }
    }

    /// Counts the places near one until there are enough.
    fn is_core(&self, cell: usize, place: usize) -> bool {
        let grid = &self.grid;
        let of = &grid.places[place].0;
        let own = &grid.cells[cell].places;
        let is_near = |(other, _): &&(Point, u32)| self.rule.reach.is_near(of, other);
        let mut near = match grid.is_tight {
            true => own.len(),
            false => grid.places[own.clone()].iter().filter(is_near).count(),
        };
        for other in &self.near {
            if near >= self.rule.min_samples {
                return true;
            }
            let places = &grid.places[grid.cells[*other].places.clone()];
            let lacking = self.rule.min_samples - near;
            near += places.iter().filter(is_near).take(lacking).count();
        }
        near >= self.rule.min_samples
    }

    fn put_cores_first(&mut self, cell: usize, is_core: &[bool]) {
        let places = self.grid.cells[cell].places.clone();
        let split = |wanted: bool| {
            let of_cell = places.clone().zip(&self.grid.places[places.clone()]);
            of_cell
                .filter(move |(place, _)| is_core[*place] == wanted)
                .map(|(_, place)| *place)
        };
        let mut sorted: Vec<_> = split(true).collect();
        self.cores.push(sorted.len());
        sorted.extend(split(false));
        self.grid.places[places].copy_from_slice(&sorted);
    }

    /// Returns the cores of a cell.
    fn cores(&self, cell: usize) -> &[(Point, u32)] {
        let start = self.grid.cells[cell].places.start;
        &self.grid.places[start..start + self.cores[cell]]
    }

    /// Puts cores that are near each other into one set.
    fn unite(&mut self) {
        let cells = 0..self.grid.cells.len();
        cells.clone().for_each(|cell| self.unite_within(cell));
        if !self.grid.is_tight {
            return cells.for_each(|cell| self.unite_each(cell));
        }
        // A few are tried everywhere before all are tried anywhere: by then most
        // cells are together by way of others.
        for tried in [TRIED_FIRST, usize::MAX] {
            for cell in cells.clone() {
                self.unite_cells(cell, tried);
            }
        }
    }

    fn unite_within(&mut self, cell: usize) {
        let start = self.grid.cells[cell].places.start;
        let cores = start..start + self.cores[cell];
        for place in cores.clone() {
            let (of, row) = self.grid.places[place];
            match self.grid.is_tight {
                true => self.sets.union(self.grid.places[start].1, row),
                false => {
                    for (other, other_row) in &self.grid.places[place + 1..cores.end] {
                        if self.rule.reach.is_near(&of, other) {
                            self.sets.union(row, *other_row);
                        }
                    }
                }
            }
        }
    }

    /// Unites a cell's cores with those of cells after it, of which one set each is
    /// made already.
    fn unite_cells(&mut self, cell: usize, tried: usize) {
        let Some(&(_, row)) = self.cores(cell).first() else {
            return;
        };
        let mut near = std::mem::take(&mut self.near);
        self.grid.near_cells(cell, &mut near);
        for &other in near.iter().filter(|other| **other > cell) {
            let Some(&(_, other_row)) = self.cores(other).first() else {
                continue;
            };
            let are_together = self.sets.find(row) == self.sets.find(other_row);
            if !are_together && self.are_near(cell, other, tried) {
                self.sets.union(row, other_row);
            }
        }
        self.near = near;
    }

    /// Returns whether two of the first cores of two cells are near each other.
    fn are_near(&self, a: usize, b: usize, tried: usize) -> bool {
        let reach = &self.rule.reach;
        let others = &self.cores(b)[..tried.min(self.cores[b])];
        let (south, north) = latitudes(others);
        let mut within = self.cores(a).iter().take(tried).filter(|(place, _)| {
            (south - reach.eps * 1.001..=north + reach.eps * 1.001).contains(&place.latitude)
        });
        within.any(|(place, _)| others.iter().any(|(other, _)| reach.is_near(place, other)))
    }

    /// Unites a cell's cores with all cores near them, one by one.
    fn unite_each(&mut self, cell: usize) {
        let mut near = std::mem::take(&mut self.near);
        self.grid.near_cells(cell, &mut near);
        for &other in near.iter().filter(|other| **other > cell) {
            for (place, row) in self.cores(cell).to_vec() {
                for (other, other_row) in self.cores(other).to_vec() {
                    if self.rule.reach.is_near(&place, &other) {
                        self.sets.union(row, other_row);
                    }
                }
            }
        }
        self.near = near;
    }

    /// Numbers the sets of cores by their first core.
    fn number(&mut self, rows: usize) -> Vec<Option<i64>> {
        let mut is_core = vec![false; rows];
        for cell in 0..self.grid.cells.len() {
            for (_, row) in self.cores(cell) {
                is_core[*row as usize] = true;
            }
        }
        let mut clusters = vec![None; rows];
        let mut next = 0..;
        for core in (0..rows).filter(|&row| is_core[row]) {
            // A set is named by its first core, which has its number by now.
            let first = self.sets.find(core as u32) as usize;
            clusters[core] = match first == core {
                true => next.next(),
                false => clusters[first],
            };
        }
        clusters
    }

    /// Gives each place that is not a core the first cluster of a core near it.
    fn add_borders(&mut self, clusters: &mut [Option<i64>]) {
        for cell in 0..self.grid.cells.len() {
            let places = &self.grid.cells[cell].places;
            let borders = places.start + self.cores[cell]..places.end;
            if borders.is_empty() {
                continue;
            }
            self.grid.near_cells(cell, &mut self.near);
            self.near.push(cell);
            for place in borders {
                let (of, row) = self.grid.places[place];
                clusters[row as usize] = self.first_cluster(&of, clusters);
            }
        }
    }

    fn first_cluster(&self, place: &Point, clusters: &[Option<i64>]) -> Option<i64> {
        let mut first: Option<i64> = None;
        for &cell in &self.near {
            for (core, row) in self.cores(cell) {
                let cluster = clusters[*row as usize];
                let is_better = first.is_none() || cluster < first;
                if is_better && self.rule.reach.is_near(place, core) {
                    first = cluster;
                } else if !is_better && self.grid.is_tight {
                    // All cores of a tight cell are of one cluster.
                    break;
                }
            }
        }
        first
    }
}

fn latitudes(places: &[(Point, u32)]) -> (f64, f64) {
    let all = places.iter().map(|(place, _)| place.latitude);
    all.fold(
        (f64::INFINITY, f64::NEG_INFINITY),
        |(south, north), latitude| (south.min(latitude), north.max(latitude)),
    )
}
