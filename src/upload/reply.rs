//! What a receiver says when it has an artifact.

use serde::Deserialize;

use super::{Error, Result};
use crate::{
    outbox::{Manifest, Receipt},
    service::Client,
};

/// What a receiver says. The existing service says the message only.
#[derive(Debug, Deserialize)]
struct Words {
    message: String,
    sha256: Option<String>,
    bytes: Option<u64>,
}

/// Reads a receipt from an answer of success.
///
/// # Errors
///
/// A page of a proxy that says 200 is not a receipt; neither is another file's.
pub(super) fn receipt(
    client: &Client,
    manifest: &Manifest,
    status: u16,
    body: &[u8],
) -> Result<Receipt> {
    let unusable = |reason| Error::Receipt {
        target: client.origin(),
        reason,
    };
    if !matches!(status, 200 | 201) {
        return Err(unusable("with an unexpected status"));
    }
    let words = serde_json::from_slice::<Words>(body);
    let words = words.map_err(|_| unusable("without a receiver's JSON message"))?;
    let same_hash = words.sha256.map(|sha256| sha256 == manifest.sha256);
    let same_length = words.bytes.map(|bytes| bytes == manifest.bytes);
    if same_hash == Some(false) || same_length == Some(false) {
        return Err(unusable("its receipt is for another file"));
    }
    Ok(Receipt {
        target: client.origin(),
        uploaded_at: client.clock().now(),
        verified: same_hash.is_some() && same_length.is_some(),
        message: client.shown(&words.message),
    })
}
