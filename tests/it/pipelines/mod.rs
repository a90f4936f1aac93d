//! The shipped pipelines on data with known answers.

mod derived;
mod map;
#[cfg(feature = "minilm")]
mod minilm;
mod smaller;
mod substitutions;
