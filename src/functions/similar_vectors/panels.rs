//! Vectors laid out to be multiplied, many pairs at once.
//!
//! Rows are laid out in panels, number by number: what is multiplied with one number of
//! another row is contiguous. A block of [`ROWS`] rows times a panel is a tile; its sums
//! stay in the processor's registers. After the first half of the numbers a tile is left
//! when no pair of it can reach the cut any more: the second halves add at most the
//! product of their lengths (Cauchy and Schwarz).

use pulp::{Arch, Simd, WithSimd};

/// Rows on one side of a tile.
pub(super) const ROWS: usize = 6;
/// Vectors of the processor's on the other.
const VECTORS: usize = 2;
/// The most rows that a panel has on any processor.
const MAX_WIDTH: usize = VECTORS * 16;

/// Rows in panels.
#[derive(Debug)]
pub(super) struct Panels {
    arch: Arch,
    /// Numbers a row.
    dimension: usize,
    rows: usize,
    /// Rows a panel.
    width: usize,
    /// By panel, then by number, then by row; zeros where there is no row.
    numbers: Vec<f32>,
    /// The length of each row's second half.
    rests: Vec<f32>,
}

/// Some rows, at most [`ROWS`], by number.
#[derive(Debug)]
pub(super) struct Few {
    numbers: Vec<f32>,
    rests: [f32; ROWS],
}

/// The sums of a tile: by row of the few, then by row of the panel.
pub(super) type Sums = [f32; ROWS * MAX_WIDTH];

/// Returns room for sums.
pub(super) fn no_sums() -> Sums {
    [0.0; ROWS * MAX_WIDTH]
}

impl Panels {
    /// Lays out rows of this many numbers each.
    pub(super) fn of(dimension: usize, rows: usize, row: impl Fn(usize) -> Vec<f32>) -> Panels {
        let arch = Arch::new();
        let width = arch.dispatch(Width);
        let mut panels = Panels {
            arch,
            dimension,
            rows,
            width,
            numbers: vec![0.0; rows.div_ceil(width) * width * dimension],
            rests: vec![0.0; rows.next_multiple_of(width)],
        };
        for place in 0..rows {
            panels.put(place, &row(place));
        }
        panels
    }

    /// Returns the bytes of this many rows.
    pub(super) fn size(dimension: usize, rows: usize) -> usize {
        rows.next_multiple_of(MAX_WIDTH) * (dimension + 1) * size_of::<f32>()
    }

    fn put(&mut self, row: usize, numbers: &[f32]) {
        let panel = row / self.width * self.width * self.dimension;
        let column = self.numbers[panel + row % self.width..].iter_mut();
        for (place, number) in column.step_by(self.width).zip(numbers) {
            *place = *number;
        }
        self.rests[row] = length(&numbers[self.dimension / 2..]);
    }

    /// Returns how many panels there are.
    pub(super) fn count(&self) -> usize {
        self.rows.div_ceil(self.width)
    }

    /// Returns how many rows a panel has.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// Returns [`ROWS`] rows from `first` on; zeros where there is no row.
    pub(super) fn few(&self, first: usize) -> Few {
        let mut few = Few {
            numbers: vec![0.0; ROWS * self.dimension],
            rests: [0.0; ROWS],
        };
        for (place, row) in (first..self.rows.min(first + ROWS)).enumerate() {
            let panel = row / self.width * self.width * self.dimension;
            let column = self.numbers[panel + row % self.width..]
                .iter()
                .step_by(self.width);
            for (number, value) in few.numbers[place..].iter_mut().step_by(ROWS).zip(column) {
                *number = *value;
            }
            few.rests[place] = self.rests[row];
        }
        few
    }

    /// Multiplies some rows with those of a panel. Returns whether a product is over the
    /// cut; only then `sums` hold them.
    pub(super) fn multiply(&self, few: &Few, panel: usize, cut: f32, sums: &mut Sums) -> bool {
        let first = panel * self.width;
        self.arch.dispatch(Tile {
            few,
            panel: &self.numbers[first * self.dimension..][..self.width * self.dimension],
            rests: &self.rests[first..first + self.width],
            half: self.dimension / 2,
            cut,
            sums,
        })
    }
}

/// Returns a length that is not less than the vector's, rounding included.
fn length(numbers: &[f32]) -> f32 {
    let squares: f64 = numbers.iter().map(|x| f64::from(*x) * f64::from(*x)).sum();
    (squares.sqrt() as f32).next_up()
}

struct Width;

impl WithSimd for Width {
    type Output = usize;

    fn with_simd<S: Simd>(self, _: S) -> usize {
        VECTORS * S::F32_LANES
    }
}

struct Tile<'a> {
    few: &'a Few,
    panel: &'a [f32],
    rests: &'a [f32],
    half: usize,
    cut: f32,
    sums: &'a mut Sums,
}

/// A tile's sums in registers.
type Registers<S> = [[<S as Simd>::f32s; VECTORS]; ROWS];

impl WithSimd for Tile<'_> {
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> bool {
        let (panel, _) = S::as_simd_f32s(self.panel);
        let (head, tail) = panel.split_at(VECTORS * self.half);
        let (few_head, few_tail) = self.few.numbers.split_at(ROWS * self.half);
        let mut sums = [[simd.splat_f32s(0.0); VECTORS]; ROWS];
        add(simd, few_head, head, &mut sums);
        if !self.may_reach(simd, &sums) {
            return false;
        }
        add(simd, few_tail, tail, &mut sums);
        self.store(simd, &sums)
    }
}

#[inline(always)]
fn add<S: Simd>(simd: S, few: &[f32], panel: &[S::f32s], sums: &mut Registers<S>) {
    let mut added = *sums;
    for (few, panel) in few.chunks_exact(ROWS).zip(panel.chunks_exact(VECTORS)) {
        for row in 0..ROWS {
            let number = simd.splat_f32s(few[row]);
            for vector in 0..VECTORS {
                added[row][vector] = simd.mul_add_e_f32s(number, panel[vector], added[row][vector]);
            }
        }
    }
    *sums = added;
}

impl Tile<'_> {
    /// Returns whether a product can be over the cut once the rest is added.
    #[inline(always)]
    fn may_reach<S: Simd>(&self, simd: S, sums: &Registers<S>) -> bool {
        let (rests, _) = S::as_simd_f32s(self.rests);
        let mut most = simd.splat_f32s(f32::NEG_INFINITY);
        for (rest, sums) in self.few.rests.iter().zip(sums) {
            let rest = simd.splat_f32s(*rest);
            for vector in 0..VECTORS {
                let bound = simd.mul_add_e_f32s(rest, rests[vector], sums[vector]);
                most = simd.max_f32s(most, bound);
            }
        }
        simd.reduce_max_f32s(most) > self.cut
    }

    #[inline(always)]
    fn store<S: Simd>(self, simd: S, sums: &Registers<S>) -> bool {
        let (stored, _) = S::as_mut_simd_f32s(self.sums);
        let mut most = simd.splat_f32s(f32::NEG_INFINITY);
        for row in 0..ROWS {
            for vector in 0..VECTORS {
                stored[row * VECTORS + vector] = sums[row][vector];
                most = simd.max_f32s(most, sums[row][vector]);
            }
        }
        simd.reduce_max_f32s(most) > self.cut
    }
}
