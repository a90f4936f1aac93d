//! What the tests stand on.

pub(crate) mod browser;
pub(crate) mod clock;
pub(crate) mod data;
pub(crate) mod doubles;
pub(crate) mod screen;
pub(crate) mod service;
pub(crate) mod shop;
pub(crate) mod world;
