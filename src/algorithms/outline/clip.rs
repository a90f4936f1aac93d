//! Outlines cut to a box: areas by Sutherland and Hodgman ("Reentrant polygon clipping",
//! 1974), lines by Liang and Barsky ("A new concept and method for line clipping", 1984).

/// A place in the picture.
pub(super) type Point = (f64, f64);

/// A box with its edges along the axes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bounds {
    pub(super) least: Point,
    pub(super) most: Point,
}

impl Bounds {
    /// Returns what of a ring is within, as one ring: where it leaves the box and comes
    /// back, it follows the edge.
    pub(super) fn area(&self, ring: &[Point]) -> Vec<Point> {
        let swap = |(x, y): Point| (y, x);
        let mut kept = beyond(ring, |point| point.0 - self.least.0);
        kept = beyond(&kept, |point| self.most.0 - point.0);
        kept = kept.into_iter().map(swap).collect();
        kept = beyond(&kept, |point| point.0 - self.least.1);
        kept = beyond(&kept, |point| self.most.1 - point.0);
        kept.into_iter().map(swap).collect()
    }

    /// Returns what of a line is within, in as many parts as there are.
    pub(super) fn line(&self, line: &[Point]) -> Vec<Vec<Point>> {
        let mut parts: Vec<Vec<Point>> = Vec::new();
        for (from, to) in line.iter().zip(line.iter().skip(1)) {
            let Some((from, to)) = self.segment(*from, *to) else {
                continue;
            };
            match parts.last_mut().filter(|part| part.last() == Some(&from)) {
                Some(part) => part.push(to),
                None => parts.push(vec![from, to]),
            }
        }
        parts
    }

    /// Returns what of a segment is within.
    fn segment(&self, from: Point, to: Point) -> Option<(Point, Point)> {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let edges = [
            (-dx, from.0 - self.least.0),
            (dx, self.most.0 - from.0),
            (-dy, from.1 - self.least.1),
            (dy, self.most.1 - from.1),
        ];
        let (mut enters, mut leaves) = (0.0_f64, 1.0_f64);
        for (towards, room) in edges {
            if towards == 0.0 && room < 0.0 {
                return None;
            } else if towards < 0.0 {
                enters = enters.max(room / towards);
            } else if towards > 0.0 {
                leaves = leaves.min(room / towards);
            }
        }
        let at = |t: f64| match t {
            0.0 => from,
            1.0 => to,
            t => (from.0 + t * dx, from.1 + t * dy),
        };
        (enters <= leaves).then(|| (at(enters), at(leaves)))
    }
}

/// Returns what of a ring has a depth of 0 or more.
fn beyond(ring: &[Point], depth: impl Fn(&Point) -> f64) -> Vec<Point> {
    let mut kept = Vec::with_capacity(ring.len());
    let before = ring.iter().cycle().skip(ring.len().saturating_sub(1));
    for (from, to) in before.zip(ring) {
        let (outer, inner) = (depth(from), depth(to));
        if (outer < 0.0) != (inner < 0.0) {
            let t = outer / (outer - inner);
            kept.push((from.0 + t * (to.0 - from.0), from.1 + t * (to.1 - from.1)));
        }
        if inner >= 0.0 {
            kept.push(*to);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BOX: Bounds = Bounds {
        least: (0.0, 0.0),
        most: (10.0, 10.0),
    };

    fn area(ring: &[Point]) -> f64 {
        let next = ring.iter().cycle().skip(1);
        let twice: f64 = ring
            .iter()
            .zip(next)
            .map(|(a, b)| a.0 * b.1 - b.0 * a.1)
            .sum();
        twice / 2.0
    }

    #[test]
    fn a_ring_around_the_box_becomes_the_box() {
        let around = [(-5.0, -5.0), (15.0, -5.0), (15.0, 15.0), (-5.0, 15.0)];
        assert_eq!(area(&BOX.area(&around)), 100.0);
        assert!(
            BOX.area(&[(20.0, 20.0), (30.0, 20.0), (30.0, 30.0)])
                .is_empty()
        );
        assert!(BOX.area(&[]).is_empty());
    }

    #[test]
    fn a_line_through_the_box_has_a_part_for_each_visit() {
        let line = [
            (-5.0, 5.0),
            (15.0, 5.0),
            (15.0, 8.0),
            (5.0, 8.0),
            (5.0, 9.0),
        ];
        let parts = BOX.line(&line);
        assert_eq!(parts[0], [(0.0, 5.0), (10.0, 5.0)]);
        assert_eq!(parts[1], [(10.0, 8.0), (5.0, 8.0), (5.0, 9.0)]);
        assert_eq!(parts.len(), 2);
    }

    proptest! {
        /// A triangle's area within the box, counted in cells of its own size.
        #[test]
        fn an_area_within_is_what_a_grid_counts(
            corners in prop::collection::vec((-8i32..18, -8i32..18), 3),
        ) {
            let ring: Vec<Point> = corners.iter().map(|(x, y)| (f64::from(*x), f64::from(*y))).collect();
            let kept = BOX.area(&ring);
            prop_assert!(kept.iter().all(|p| (-1e-9..=10.0 + 1e-9).contains(&p.0) && (-1e-9..=10.0 + 1e-9).contains(&p.1)));
            let side = |a: Point, b: Point, p: Point| (b.0 - a.0) * (p.1 - a.1) - (b.1 - a.1) * (p.0 - a.0);
            let mut inside = 0;
            for cell in 0..10_000 {
                let p = (f64::from(cell % 100) / 10.0 + 0.05, f64::from(cell / 100) / 10.0 + 0.05);
                let sides = [side(ring[0], ring[1], p), side(ring[1], ring[2], p), side(ring[2], ring[0], p)];
                let same = sides.iter().all(|s| *s > 0.0) || sides.iter().all(|s| *s < 0.0);
                inside += i32::from(same);
            }
            prop_assert!((area(&kept).abs() - f64::from(inside) / 100.0).abs() < 1.5);
        }
    }
}
