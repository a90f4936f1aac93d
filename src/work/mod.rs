//! Work that takes seconds: its threads, its turn, its memory.
//!
//! What computes here stops when nobody waits for it, and asks for memory before it
//! takes it. It knows nothing about SQL, prices or embeddings.

pub(crate) mod memory;
pub(crate) mod turn;
pub(crate) mod workers;
