//! A pair's score: the cosine in ten-thousandths, the same on every machine.

/// Ten-thousandths of one.
pub(super) const ONE: i32 = 10_000;

/// Sums that are added up side by side. Part of what a score means: another number would
/// round otherwise.
const LANES: usize = 8;

/// Returns the cosine of two vectors, rounded half-even to ten-thousandths. `a_squares`
/// and `b_squares` are their [`squares`], neither of them 0.
///
/// Products of two `f32` are exact in `f64`; sums are rounded in an order that is fixed.
pub(super) fn score(a: &[f32], a_squares: f64, b: &[f32], b_squares: f64) -> i32 {
    let cosine = dot(a, b) / (a_squares * b_squares).sqrt();
    (cosine.clamp(-1.0, 1.0) * f64::from(ONE)).round_ties_even() as i32
}

/// Returns the square of a vector's length.
pub(super) fn squares(vector: &[f32]) -> f64 {
    dot(vector, vector)
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    let mut sums = [0.0; LANES];
    let (a, b) = (a.chunks(LANES), b.chunks(LANES));
    for (a, b) in a.zip(b) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += f64::from(*a) * f64::from(*b);
        }
    }
    let [a, b, c, d, e, f, g, h] = sums;
    ((a + b) + (c + d)) + ((e + f) + (g + h))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(a: &[f32], b: &[f32]) -> i32 {
        score(a, squares(a), b, squares(b))
    }

    #[test]
    fn a_score_is_the_rounded_cosine() {
        assert_eq!(of(&[3.0, 4.0], &[4.0, 3.0]), 9600);
        assert_eq!(of(&[1.0, 0.0], &[1.0, 1.0]), 7071);
        assert_eq!(of(&[1.0; 20], &[-2.0; 20]), -ONE);
        assert_eq!(of(&[0.1; 20], &[0.3; 20]), ONE);
    }

    #[test]
    fn a_half_is_rounded_to_the_even_neighbour() {
        // Cosines of exactly 1.5 and 2.5 ten-thousandths do not exist in f32, but those
        // of halves do: (1, 1, 1, 1) and (1, 0, 0, 0) is 0.5.
        assert_eq!(of(&[1.0; 4], &[1.0, 0.0, 0.0, 0.0]), 5000);
        assert_eq!((1.5f64).round_ties_even(), 2.0);
        assert_eq!((2.5f64).round_ties_even(), 2.0);
    }
}
