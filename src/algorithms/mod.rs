//! What our SQL functions compute, over plain values: clusters of places, outlines on a
//! picture, connected sets, names as sets of words. No SQL, no Arrow, no threads.

pub(crate) mod dbscan;
pub(crate) mod outline;
pub(crate) mod token_sets;
pub(crate) mod union_find;
