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
mod width;

pub(crate) use fold::{fold_case, folded, is_of_word};
pub(crate) use normal::normalized_name;
pub(crate) use size::Size;
pub(crate) use units::Units;
pub(crate) use width::{MORE, cut, width};

/// Returns a text without the byte-order mark that editors put before it.
pub(crate) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// Says whether a file's name ends in `.extension`, in letters of any case.
pub(crate) fn has_extension(path: &std::path::Path, extension: &str) -> bool {
    let end = path.extension();
    end.is_some_and(|end| end.eq_ignore_ascii_case(extension))
}

/// Returns a name as SQL quotes it.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
