//! What is read out of text: rows of CSV, and the names and sizes of products.
//!
//! Text goes in as a shop wrote it, of any length and in any script; out come rows, a
//! size in whole milligrams, microlitres or pieces, or a name as names are compared.
//! Nothing here runs longer than the text is long.

pub(crate) mod csv;
mod fold;
pub(crate) mod iso_date;
mod normal;
mod number;
mod scan;
mod size;
mod units;

pub(crate) use fold::{fold_case, folded, is_of_word};
pub(crate) use normal::normalized_name;
pub(crate) use size::Size;
pub(crate) use units::Units;

/// Returns a name as SQL quotes it.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
