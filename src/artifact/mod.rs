//! What stages hand on: files with an identity, and a manifest that makes them exist.
//!
//! In go bytes and what is known of them; out come digests, ids, manifests, and content
//! that is complete or absent. Snapshots, the outbox, the inbox and archives are all
//! committed by the one protocol in `sealed`. Nothing here knows what content means, or
//! which folder is whose.

pub mod csv;
pub mod digest;
pub mod id;
pub mod manifest;
pub mod sealed;
