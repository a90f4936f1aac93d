//! DBSCAN over places on the earth: clusters of places that lie close together.
//!
//! - [`place`] measures distances on a sphere.
//! - [`grid`] finds the places near a place.
//! - [`clusters`] numbers the clusters.

mod clusters;
mod grid;
mod place;

pub(crate) use clusters::Rule;
pub(crate) use place::{EARTH_RADIUS_KM, Point, Reach};
