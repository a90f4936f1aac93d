//! Names as sets of words, and how alike two of them are: the token-set ratio of
//! RapidFuzz 3.14 on processed text, the very same double.
//!
//! Many names are prepared once (cleaned, split, words numbered in their order,
//! letters numbered) and then compared as often as need be.
//!
//! - [`letters`] says what a word is made of.
//! - [`names`] prepares.
//! - [`ratio`] compares two.
//! - [`lcs`] is the core: the longest common subsequence, 64 letters at a time.

mod lcs;
mod letters;
mod names;
mod ratio;

pub(crate) use names::Names;
pub(crate) use ratio::{Comparison, ratio_of, within};

#[cfg(test)]
pub(crate) mod naive;
