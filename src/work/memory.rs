//! The engine's memory, asked for before it is used.

use std::sync::Arc;

use datafusion::{
    common::{DataFusionError, Result},
    execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation, human_readable_size},
};

/// What one call holds of the engine's memory; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Memory {
    function: &'static str,
    reservation: MemoryReservation,
}

impl Memory {
    /// Begins with nothing, for a call of the function.
    pub(crate) fn of(function: &'static str, pool: &Arc<dyn MemoryPool>) -> Memory {
        Memory {
            function,
            reservation: MemoryConsumer::new(function).register(pool),
        }
    }

    /// Begins with nothing, for a part of the call.
    pub(crate) fn part(&self) -> Memory {
        Memory {
            function: self.function,
            reservation: self.reservation.new_empty(),
        }
    }

    /// Takes more.
    ///
    /// # Errors
    ///
    /// Returns an error that says how much was needed when there is not so much left.
    pub(crate) fn grow(&self, bytes: usize) -> Result<()> {
        let refused = |error: DataFusionError| {
            let held = human_readable_size(self.reservation.size());
            let more = human_readable_size(bytes);
            DataFusionError::ResourcesExhausted(format!(
                "{} holds {held} and needs {more} more than `memory` under [engine] leaves: {error}",
                self.function
            ))
        };
        self.reservation.try_grow(bytes).map_err(refused)
    }
}
