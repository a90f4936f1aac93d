//! What is done to a tensor's numbers in their place, in vectors.
//!
//! candle adds with threads of its own once there are 65,536 numbers. These spin beside
//! ours: a quarter of all the time. And a bias, then gelu, would be two passes.

use candle_core::{CpuStorage, InplaceOp2, Layout, Result, bail};
use pulp::{Arch, NullaryFnOnce};

/// Adds a row to every row, as many numbers as it has, one after the other; then makes of
/// each sum what the function says.
pub(super) struct AddRowThen<F>(pub(super) F);

impl<F: Fn(f32) -> f32 + Copy> InplaceOp2 for AddRowThen<F> {
    fn name(&self) -> &'static str {
        "add_row"
    }

    fn cpu_fwd(
        &self,
        numbers: &mut CpuStorage,
        layout: &Layout,
        row: &CpuStorage,
        row_layout: &Layout,
    ) -> Result<()> {
        let (numbers, row) = rows(numbers, layout, row, row_layout)?;
        let each = self.0;
        Arch::new().dispatch(Rows { numbers, row, each });
        Ok(())
    }
}

fn rows<'a>(
    numbers: &'a mut CpuStorage,
    layout: &Layout,
    row: &'a CpuStorage,
    row_layout: &Layout,
) -> Result<(&'a mut [f32], &'a [f32])> {
    let (numbers, row) = (of_mut(numbers, layout)?, of(row, row_layout)?);
    if row.is_empty() || !numbers.len().is_multiple_of(row.len()) {
        bail!(
            "{} numbers do not make rows of {}",
            numbers.len(),
            row.len()
        );
    }
    Ok((numbers, row))
}

fn of<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(numbers), Some((from, to))) => Ok(&numbers[from..to]),
        _ => bail!("expected a contiguous tensor of f32"),
    }
}

fn of_mut<'a>(storage: &'a mut CpuStorage, layout: &Layout) -> Result<&'a mut [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(numbers), Some((from, to))) => Ok(&mut numbers[from..to]),
        _ => bail!("expected a contiguous tensor of f32"),
    }
}

struct Rows<'a, F> {
    numbers: &'a mut [f32],
    row: &'a [f32],
    each: F,
}

impl<F: Fn(f32) -> f32> NullaryFnOnce for Rows<'_, F> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for row in self.numbers.chunks_mut(self.row.len()) {
            for (number, added) in row.iter_mut().zip(self.row) {
                *number = (self.each)(*number + *added);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::identity;

    use candle_core::{DType, Device, Tensor};

    use super::*;
    use crate::embedding::gelu::gelu;

    fn rows(op: &impl InplaceOp2) -> Vec<Vec<f32>> {
        let tensor = Tensor::new(&[[0.0f32, 1.0], [2.0, 3.0]], &Device::Cpu).unwrap();
        let row = Tensor::new(&[1.0f32, -1.0], &Device::Cpu).unwrap();
        tensor.inplace_op2(&row, op).unwrap();
        tensor.to_vec2().unwrap()
    }

    #[test]
    fn each_column_has_its_own_number() {
        assert_eq!(rows(&AddRowThen(identity)), [[1.0, 0.0], [3.0, 2.0]]);
        let wanted = [[1.0, 0.0], [3.0, 2.0]].map(|row| row.map(gelu));
        assert_eq!(rows(&AddRowThen(gelu)), wanted);
    }

    #[test]
    fn a_tensor_with_gaps_or_of_no_such_rows_is_refused() {
        let tensor = Tensor::zeros((2, 3), DType::F32, &Device::Cpu).unwrap();
        let row = Tensor::zeros(2, DType::F32, &Device::Cpu).unwrap();
        let four = Tensor::zeros(4, DType::F32, &Device::Cpu).unwrap();
        assert!(tensor.inplace_op2(&four, &AddRowThen(identity)).is_err());
        let turned = tensor.t().unwrap();
        assert!(turned.inplace_op2(&row, &AddRowThen(identity)).is_err());
    }
}
