//! The matrices of all groups, as the aggregate operators drive them.

use std::{
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

use datafusion::{
    arrow::{
        array::{Array, ArrayRef, AsArray, BooleanArray},
        buffer::{BooleanBuffer, Buffer, NullBuffer, ScalarBuffer},
        datatypes::{DataType, Decimal64Type, Decimal128Type, Int64Type},
    },
    common::{Result, ScalarValue, exec_datafusion_err, exec_err},
    logical_expr::{Accumulator, EmitTo, GroupsAccumulator},
};

use super::{NAME, company::Company, piece::Piece, pieces};

/// A piece smaller than this is taken apart when it is merged: many small ones would
/// each repeat their stores.
const SMALL_PIECE_BYTES: usize = if cfg!(test) { 256 } else { 64 << 10 };

/// The matrices so far, by group.
#[derive(Debug)]
pub(super) struct Matrices {
    groups: Vec<Matrix>,
    /// Odd, and unknown to whoever made the prices.
    seed: u64,
}

/// One group: the prices that came here, and pieces that came as such.
#[derive(Debug, Default)]
struct Matrix {
    company: Company,
    pieces: Vec<Buffer>,
    piece_bytes: usize,
}

impl Matrices {
    pub(super) fn new() -> Self {
        Matrices {
            groups: Vec::new(),
            seed: RandomState::new().hash_one(NAME) | 1,
        }
    }

    fn grow(&mut self, groups: usize) {
        self.groups.resize_with(groups, Matrix::default);
    }

    fn add(&mut self, rows: &Rows, groups: &[usize]) -> Result<()> {
        match &rows.prices {
            Unscaled::Narrow(prices) => self.add_rows(rows, prices, groups),
            Unscaled::Wide(prices) => self.add_rows(rows, prices, groups),
        }
    }

    fn add_rows<P: Copy + TryInto<i64>>(
        &mut self,
        rows: &Rows,
        prices: &[P],
        groups: &[usize],
    ) -> Result<()> {
        let mut add = |row: usize| {
            let price = prices[row].try_into().map_err(|_| too_long())?;
            let (store, product) = (rows.stores[row], rows.products[row]);
            let matrix = &mut self.groups[groups[row]];
            matrix.company.push(store, product, price, self.seed)
        };
        match &rows.counting {
            None => (0..prices.len()).try_for_each(add),
            Some(counting) => counting.set_indices().try_for_each(&mut add),
        }
    }

    fn take(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let taken = emit_to.take_needed(&mut self.groups);
        let matrices = taken.into_iter().map(Matrix::into_pieces).collect();
        Ok(Arc::new(pieces::column(matrices)?))
    }
}

impl Matrix {
    fn merge(&mut self, piece: Buffer, seed: u64) -> Result<()> {
        if piece.len() >= SMALL_PIECE_BYTES {
            self.piece_bytes += piece.len();
            self.pieces.push(piece);
            return Ok(());
        }
        let piece = Piece::open(&piece)?;
        let stores: Vec<i64> = piece.stores().collect();
        for product in &piece.products {
            let mut added = Ok(());
            product.each_code(|store, code| {
                let price = product.price(code);
                let pushed = self.company.push(stores[store], product.id, price, seed);
                if pushed.is_err() {
                    added = pushed;
                }
            });
            added?;
        }
        Ok(())
    }

    fn into_pieces(mut self) -> Vec<Buffer> {
        self.pieces.extend(self.company.into_pieces());
        self.pieces
    }

    fn size(&self) -> usize {
        let pieces = self.pieces.capacity() * size_of::<Buffer>();
        size_of::<Self>() + self.company.size() + pieces + self.piece_bytes
    }
}

impl GroupsAccumulator for Matrices {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.grow(total_num_groups);
        self.add(&Rows::of(values, filter)?, group_indices)
    }

    fn merge_batch(
        &mut self,
        states: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        self.grow(total_num_groups);
        for (pieces, &group) in pieces::of_column(&states[0])?
            .into_iter()
            .zip(group_indices)
        {
            for piece in pieces {
                self.groups[group].merge(piece, self.seed)?;
            }
        }
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        self.take(emit_to)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.take(emit_to)?])
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        // A group of its own for each row.
        let groups: Vec<usize> = (0..values[0].len()).collect();
        let mut matrices = Matrices::new();
        matrices.update_batch(values, &groups, filter, groups.len())?;
        matrices.state(EmitTo::All)
    }

    fn size(&self) -> usize {
        let unused = self.groups.capacity() - self.groups.len();
        let groups = self.groups.iter().map(Matrix::size).sum::<usize>();
        groups + unused * size_of::<Matrix>()
    }
}

/// The one matrix where nothing is grouped.
#[derive(Debug)]
pub(super) struct OneMatrix(Matrices);

impl OneMatrix {
    pub(super) fn new() -> Self {
        let mut matrices = Matrices::new();
        matrices.grow(1);
        OneMatrix(matrices)
    }
}

impl Accumulator for OneMatrix {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let groups = vec![0; values[0].len()];
        self.0.update_batch(values, &groups, None, 1)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let groups = vec![0; states[0].len()];
        self.0.merge_batch(states, &groups, 1)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let matrix = self.0.take(EmitTo::All)?;
        self.0.grow(1);
        // What came so far stands for itself: a window evaluates again and again.
        self.0.merge_batch(&[Arc::clone(&matrix)], &[0], 1)?;
        ScalarValue::try_from_array(&matrix, 0)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let matrix = self.0.take(EmitTo::All)?;
        self.0.grow(1);
        Ok(vec![ScalarValue::try_from_array(&matrix, 0)?])
    }

    fn size(&self) -> usize {
        self.0.size()
    }
}

/// A batch of prices.
struct Rows {
    stores: ScalarBuffer<i64>,
    products: ScalarBuffer<i64>,
    prices: Unscaled,
    /// The rows that count: those without a null that the filter lets through; none
    /// when all do.
    counting: Option<BooleanBuffer>,
}

/// Prices without their decimal point.
enum Unscaled {
    Narrow(ScalarBuffer<i64>),
    Wide(ScalarBuffer<i128>),
}

impl Rows {
    fn of(values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Self> {
        let [stores, products, prices] = values else {
            return exec_err!("{NAME} takes three columns, not {}", values.len());
        };
        Ok(Rows {
            stores: stores.as_primitive::<Int64Type>().values().clone(),
            products: products.as_primitive::<Int64Type>().values().clone(),
            prices: match prices.data_type() {
                DataType::Int64 => {
                    Unscaled::Narrow(prices.as_primitive::<Int64Type>().values().clone())
                }
                DataType::Decimal64(..) => {
                    Unscaled::Narrow(prices.as_primitive::<Decimal64Type>().values().clone())
                }
                _ => Unscaled::Wide(prices.as_primitive::<Decimal128Type>().values().clone()),
            },
            counting: counting(values, filter),
        })
    }
}

fn counting(values: &[ArrayRef], filter: Option<&BooleanArray>) -> Option<BooleanBuffer> {
    let passing = filter.map(|filter| match filter.nulls() {
        Some(nulls) => filter.values() & nulls.inner(),
        None => filter.values().clone(),
    });
    let all = values.iter().map(|column| column.logical_nulls());
    let nulls = all.fold(None, |all, column| {
        NullBuffer::union(all.as_ref(), column.as_ref())
    });
    match (nulls.map(NullBuffer::into_inner), passing) {
        (Some(valid), Some(passing)) => Some(&valid & &passing),
        (one, other) => one.or(other),
    }
}

fn too_long() -> datafusion::error::DataFusionError {
    exec_datafusion_err!("{NAME}: a price has more than 18 digits")
}
