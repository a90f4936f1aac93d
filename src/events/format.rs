//! Numbers and sizes as people read them.

use indicatif::{BinaryBytes, HumanCount};

/// Returns a size as people read it: `7 B`, `34.00 MiB`.
pub(crate) fn sized(bytes: u64) -> String {
    BinaryBytes(bytes).to_string()
}

/// Returns a number with a comma between its thousands.
pub(crate) fn grouped(number: u64) -> String {
    HumanCount(number).to_string()
}
