//! Which columns of a table fit a terminal, and how wide each is.
//!
//! In come what the columns need and the room there is. Long texts are cut first, the
//! longest most; then columns are left out from the middle, so that the first, which name
//! a row, and the last stay. Numbers and dates are never cut: a number without its end is
//! another number.

/// What a column needs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Need {
    /// The width of its longest value, or of its name.
    pub(super) natural: usize,
    /// The least it can be cut to.
    pub(super) least: usize,
}

/// What is around the columns.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    /// What each column adds to its width.
    pub(super) each: usize,
    /// What the table adds.
    pub(super) whole: usize,
    /// The width of the column that stands for those left out.
    pub(super) gap: usize,
}

/// The columns that are shown.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fit {
    /// The columns, each with its width.
    pub(super) shown: Vec<(usize, usize)>,
    /// How many of the shown columns are before those left out.
    pub(super) before: usize,
}

/// Returns what fits.
pub(super) fn fit(needs: &[Need], frame: Frame, room: usize) -> Fit {
    let counts = (1..=needs.len()).rev();
    let fits = |count: &usize| {
        let least = kept(needs.len(), *count).map(|at| needs[at].least);
        around(frame, needs.len(), *count) + least.sum::<usize>() <= room
    };
    let count = counts.clone().find(fits);
    let count = count.unwrap_or(needs.len().min(1));
    let inside = room.saturating_sub(around(frame, needs.len(), count));
    Fit {
        shown: widths(needs, count, inside),
        before: count.div_ceil(2),
    }
}

/// Returns the columns that are kept of all: as many of the first as of the last.
fn kept(all: usize, count: usize) -> impl Iterator<Item = usize> {
    let before = count.div_ceil(2);
    (0..before).chain(all - (count - before)..all)
}

/// Returns the width of all that is not a value.
fn around(frame: Frame, all: usize, count: usize) -> usize {
    let gap = match count < all {
        true => frame.gap + frame.each,
        false => 0,
    };
    frame.whole + count * frame.each + gap
}

/// Cuts the widest texts to one width, so that all fit.
fn widths(needs: &[Need], count: usize, inside: usize) -> Vec<(usize, usize)> {
    let at_most = |cap: usize| {
        let columns = kept(needs.len(), count);
        columns.map(move |at| (at, needs[at].natural.min(cap.max(needs[at].least))))
    };
    let total = |cap: usize| at_most(cap).map(|(_, width)| width).sum::<usize>();
    let cap = (0..=inside).rev().find(|cap| total(*cap) <= inside);
    match cap {
        Some(cap) => at_most(cap).collect(),
        // Not even one column fits.
        None => at_most(0).map(|(at, _)| (at, inside.max(1))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRID: Frame = Frame {
        each: 3,
        whole: 1,
        gap: 1,
    };

    fn shown(needs: &[(usize, usize)], room: usize) -> Vec<(usize, usize)> {
        let needs = needs.iter();
        let needs: Vec<Need> = needs
            .map(|&(natural, least)| Need { natural, least })
            .collect();
        fit(&needs, GRID, room).shown
    }

    #[test]
    fn what_fits_is_left_as_it_is() {
        assert_eq!(shown(&[(4, 4), (6, 6)], 17), [(0, 4), (1, 6)]);
    }

    #[test]
    fn long_texts_are_cut_before_a_column_is_left_out() {
        let needs = [(4, 4), (50, 12), (30, 12)];
        assert_eq!(shown(&needs, 60), [(0, 4), (1, 23), (2, 23)]);
        assert_eq!(shown(&needs, 70), [(0, 4), (1, 28), (2, 28)]);
    }

    #[test]
    fn columns_are_left_out_from_the_middle() {
        let needs = [(10, 10); 6];
        assert_eq!(shown(&needs, 50), [(0, 10), (1, 10), (5, 10)]);
        assert_eq!(shown(&needs, 20), [(0, 10)]);
    }

    #[test]
    fn one_column_is_shown_whatever_the_room() {
        assert_eq!(shown(&[(10, 10), (10, 10)], 9), [(0, 1)]);
        assert_eq!(shown(&[], 9), []);
    }
}
