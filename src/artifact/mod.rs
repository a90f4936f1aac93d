//! The identity of files that stages hand on.

pub mod digest;
