//! The seam between a file's layout and its table: a row goes in, values come out.

use super::{bad::Fault, batch::Batch, row::Row, state::State};
use crate::dataset::Contract;

/// How a file's rows become its table's.
pub(super) trait Convert: Send {
    /// Returns the columns of what comes out.
    fn contract(&self) -> &Contract;

    /// Adds a row's values to the batch, which has the contract's columns, and notes in
    /// `state` what later rows and files need to know of it; of a row at fault nothing.
    fn convert(&mut self, row: &Row<'_>, state: &mut State, batch: &mut Batch)
    -> Result<(), Fault>;
}
