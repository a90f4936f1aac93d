//! The Gaussian error linear unit (Hendrycks and Gimpel, 2016), x · Φ(x), for many at once.
//!
//! Φ by the error function's rational approximation 7.1.26 of Abramowitz and Stegun, off
//! by 1.5e-7 at most, and the exponential by a polynomial after Cody and Waite's reduction
//! of its argument: no branch, no call, so that it is compiled to vectors. Each step is
//! rounded in a fixed order; the result is the same on all processors.

/// Returns x · Φ(x).
#[inline(always)]
pub(super) fn gelu(x: f32) -> f32 {
    const SLOPE: f32 = 0.327_591_1;
    const FACTORS: [f32; 5] = [
        0.254_829_6,
        -0.284_496_74,
        1.421_413_7,
        -1.453_152,
        1.061_405_4,
    ];
    let z = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let t = 1.0 / (1.0 + SLOPE * z);
    let [a, b, c, d, e] = FACTORS;
    let tail = t * (a + t * (b + t * (c + t * (d + t * e))));
    // Half of what the error function lacks to 1.
    let beyond = 0.5 * tail * exp(-z * z);
    x * if x < 0.0 { beyond } else { 1.0 - beyond }
}

/// Returns e to the power of `x`, which is not above 0.
#[inline(always)]
fn exp(x: f32) -> f32 {
    /// Added to a number, it leaves the nearest integer in the last bits.
    const INTEGER: f32 = 12_582_912.0;
    /// ln 2 in two parts; the first has few bits, so that its multiples are exact.
    const LN_2: [f32; 2] = [0.693_359_4, -0.000_212_194_44];
    let x = x.max(-87.0);
    let shifted = x * std::f32::consts::LOG2_E + INTEGER;
    let twos = shifted - INTEGER;
    let rest = x - twos * LN_2[0] - twos * LN_2[1];
    let power = 1.0 / 120.0 + rest * (1.0 / 720.0);
    let power = 1.0 / 6.0 + rest * (1.0 / 24.0 + rest * power);
    let power = 1.0 + rest * (1.0 + rest * (0.5 + rest * power));
    let exponent = shifted.to_bits().wrapping_sub(INTEGER.to_bits());
    power * f32::from_bits(exponent.wrapping_add(127) << 23)
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Tensor};

    use super::*;

    #[test]
    fn it_is_candles_own_to_half_a_millionth() {
        let numbers: Vec<f32> = (-20_000..20_000).map(|n| n as f32 / 1000.0).collect();
        let tensor = Tensor::new(numbers.as_slice(), &Device::Cpu).unwrap();
        let theirs: Vec<f32> = tensor.gelu_erf().unwrap().to_vec1().unwrap();
        for (x, theirs) in numbers.into_iter().zip(theirs) {
            let error = (gelu(x) - theirs).abs() / theirs.abs().max(1.0);
            assert!(error < 5e-7, "{x}: {} {theirs}", gelu(x));
        }
    }

    #[test]
    fn the_exponential_is_right_to_the_last_bits() {
        for n in 0..87_000 {
            let x = -(n as f32) / 1000.0;
            let (ours, exact) = (f64::from(exp(x)), f64::from(x).exp());
            assert!((ours / exact - 1.0).abs() < 3e-7, "{x}: {ours} {exact}");
        }
    }

    #[test]
    fn what_is_endless_or_no_number_stays_so() {
        assert!(gelu(f32::INFINITY).is_infinite() && gelu(f32::NAN).is_nan());
        assert_eq!((gelu(0.0), gelu(-0.0)), (0.0, 0.0));
    }
}
