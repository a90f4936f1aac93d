//! The Gaussian error linear unit (Hendrycks and Gimpel, 2016), x · Φ(x), many at once.
//!
//! Φ by the error function's rational approximation 7.1.26 of Abramowitz and Stegun, off
//! by 1.5e-7 at most, and the exponential by a polynomial after Cody and Waite's reduction
//! of its argument: no branch, no call, so that it is compiled to vectors. Each step is
//! rounded in a fixed order; the result is the same on all processors.

use candle_core::{CpuStorage, InplaceOp2, Layout, Result, bail};
use pulp::{Arch, NullaryFnOnce};

/// Of the sum with a bias for each column, in the place of a tensor of `f32`.
pub(super) struct Gelu;

impl InplaceOp2 for Gelu {
    fn name(&self) -> &'static str {
        "gelu"
    }

    fn cpu_fwd(
        &self,
        numbers: &mut CpuStorage,
        layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<()> {
        let places = (
            layout.contiguous_offsets(),
            bias_layout.contiguous_offsets(),
        );
        let (CpuStorage::F32(numbers), CpuStorage::F32(bias)) = (numbers, bias) else {
            bail!("gelu takes f32");
        };
        let (Some((from, to)), Some((first, end))) = places else {
            bail!("gelu takes no tensor with gaps");
        };
        Arch::new().dispatch(Rows {
            numbers: &mut numbers[from..to],
            bias: &bias[first..end],
        });
        Ok(())
    }
}

struct Rows<'a> {
    numbers: &'a mut [f32],
    bias: &'a [f32],
}

impl NullaryFnOnce for Rows<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for row in self.numbers.chunks_mut(self.bias.len().max(1)) {
            for (number, bias) in row.iter_mut().zip(self.bias) {
                *number = gelu(*number + *bias);
            }
        }
    }
}

#[inline(always)]
fn gelu(x: f32) -> f32 {
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

    fn no_bias() -> Tensor {
        Tensor::new(&[0.0f32], &Device::Cpu).unwrap()
    }

    #[test]
    fn each_column_has_its_bias() {
        let tensor = Tensor::new(&[[0.0f32, 1.0], [2.0, 3.0]], &Device::Cpu).unwrap();
        let bias = Tensor::new(&[1.0f32, -1.0], &Device::Cpu).unwrap();
        tensor.inplace_op2(&bias, &Gelu).unwrap();
        let rows: Vec<Vec<f32>> = tensor.to_vec2().unwrap();
        assert_eq!(rows, [[gelu(1.0), gelu(0.0)], [gelu(3.0), gelu(2.0)]]);
    }

    #[test]
    fn it_is_candles_own_to_half_a_millionth() {
        let numbers: Vec<f32> = (-20_000..20_000).map(|n| n as f32 / 1000.0).collect();
        let tensor = Tensor::new(numbers.as_slice(), &Device::Cpu).unwrap();
        let theirs: Vec<f32> = tensor.gelu_erf().unwrap().to_vec1().unwrap();
        tensor.inplace_op2(&no_bias(), &Gelu).unwrap();
        let ours: Vec<f32> = tensor.to_vec1().unwrap();
        for ((x, ours), theirs) in numbers.iter().zip(ours).zip(theirs) {
            let error = (ours - theirs).abs() / theirs.abs().max(1.0);
            assert!(error < 5e-7, "{x}: {ours} {theirs}");
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
        let numbers = [f32::INFINITY, f32::NEG_INFINITY, f32::NAN, 0.0, -0.0];
        let tensor = Tensor::new(&numbers, &Device::Cpu).unwrap();
        tensor.inplace_op2(&no_bias(), &Gelu).unwrap();
        let [endless, _, none, zero, minus] = tensor.to_vec1::<f32>().unwrap()[..] else {
            panic!("five numbers");
        };
        assert!(endless.is_infinite() && none.is_nan());
        assert_eq!((zero, minus), (0.0, 0.0));
    }

    #[test]
    fn a_tensor_with_gaps_is_refused() {
        let tensor = Tensor::zeros((2, 3), candle_core::DType::F32, &Device::Cpu).unwrap();
        let turned = tensor.t().unwrap();
        assert!(turned.inplace_op2(&no_bias(), &Gelu).is_err());
    }
}
