//! Outlines on the globe as paths of a picture.
//!
//! - [`path`] reads encoded polylines and writes SVG paths.
//! - [`clip`] cuts outlines to a box.

mod clip;
mod path;

pub(crate) use path::{View, read};
