//! An upload's form, read from the wire into a temporary file.
//!
//! The parser gathers what it is given until it finds the end of a part's headers. So
//! it is given little at a time, and no more once too much of it is unread.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    body::{Body, BodyDataStream},
    extract::{
        FromRequest, Multipart, Request,
        multipart::{Field, MultipartError},
    },
    http::StatusCode,
};
use bytes::Bytes;
use futures::{Stream, StreamExt};
use tempfile::NamedTempFile;
use tokio::io::AsyncWriteExt;

use super::error::{Refusal, Result};
use crate::{
    chain::causes,
    clock::{self, Clock, SharedClock},
    outbox,
};

/// What the parser is given at once.
const PIECE_BYTES: usize = 64 << 10;
/// The most it may hold without making a part of it.
const MAX_UNREAD_BYTES: usize = 1 << 20;
/// The most bytes of any part but the file.
const MAX_FIELD_BYTES: usize = 1 << 20;
/// The most parts.
const MAX_FIELDS: usize = 16;
/// What the names of the temporary files begin with.
pub(super) const TEMP_PREFIX: &str = "upload-";

/// An upload as it was sent.
#[derive(Debug)]
pub(super) struct Sent {
    /// The compressed file.
    pub(super) file: NamedTempFile,
    /// The sender's manifest; a sender of another kind has none.
    pub(super) manifest: Option<outbox::Manifest>,
}

/// How a form is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules<'a> {
    /// The one name the file may have.
    pub(super) file_name: &'a str,
    /// The most bytes of the whole request.
    pub(super) max_bytes: u64,
    /// How long the sender may stay silent.
    pub(super) timeout: Duration,
    /// The clock that knows how long that is.
    pub(super) clock: &'a SharedClock,
    /// Where temporary files are made.
    pub(super) temp: &'a Path,
}

/// Why a body is not read on.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("the upload is too large")]
    TooLarge,
    #[error("the client sent nothing for too long")]
    Silent,
    #[error("the connection was lost")]
    Broken(#[source] axum::Error),
}

/// Reads the form: one part `file` of the right name, and perhaps a `manifest`. All
/// other parts are skipped.
pub(super) async fn read(request: Request, rules: Rules<'_>) -> Result<Sent> {
    let unread = Arc::new(AtomicUsize::new(0));
    let (parts, body) = request.into_parts();
    let body = Body::from_stream(metered(
        body,
        rules.max_bytes,
        (rules.clock.clone(), rules.timeout),
        unread.clone(),
    ));
    let form = Multipart::from_request(Request::from_parts(parts, body), &()).await;
    let mut form = form.map_err(|error| bad(error.body_text()))?;

    let (mut file, mut manifest) = (None, None);
    let mut fields = 0;
    while let Some(mut field) = form.next_field().await.map_err(broken)? {
        unread.store(0, Ordering::Relaxed);
        fields += 1;
        if fields > MAX_FIELDS {
            return Err(bad("the form has too many parts"));
        }
        match field.name() {
            Some("file") if file.is_some() => return Err(bad("there must be one `file`, not two")),
            Some("file") => file = Some(save(&mut field, rules, &unread).await?),
            Some("manifest") => manifest = Some(parse(&small(&mut field, &unread).await?)?),
            _ => drop(small(&mut field, &unread).await?),
        }
    }
    let file = file.ok_or_else(|| bad("no file was sent: the form needs a part `file`"))?;
    Ok(Sent { file, manifest })
}

/// Removes the files that a killed server left behind, and makes sure of the folder.
pub(super) fn sweep(temp: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(temp)?;
    for entry in std::fs::read_dir(temp)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(TEMP_PREFIX) {
            crate::storage::remove_passing(&entry.path())?;
        }
    }
    Ok(())
}

/// Makes a temporary file; it is removed when it is dropped, on every path.
pub(super) fn temporary(folder: &Path) -> Result<NamedTempFile> {
    let made = tempfile::Builder::new()
        .prefix(TEMP_PREFIX)
        .tempfile_in(folder);
    made.map_err(Refusal::Disk)
}

/// Passes a body on in small pieces, and gives the parser a turn after each.
fn metered(
    body: Body,
    max_bytes: u64,
    (clock, timeout): (SharedClock, Duration),
    unread: Arc<AtomicUsize>,
) -> impl Stream<Item = Result<Bytes, Fault>> {
    let mut body = body.into_data_stream();
    let mut left = max_bytes;
    async_stream::try_stream! {
        while let Some(chunk) = next(&mut body, &*clock, timeout).await? {
            left = left.checked_sub(chunk.len() as u64).ok_or(Fault::TooLarge)?;
            let mut chunk = chunk;
            while !chunk.is_empty() {
                let piece = chunk.split_to(chunk.len().min(PIECE_BYTES));
                if unread.fetch_add(piece.len(), Ordering::Relaxed) > MAX_UNREAD_BYTES {
                    Err(Fault::TooLarge)?;
                }
                yield piece;
                tokio::task::yield_now().await;
            }
        }
    }
}

async fn next(
    body: &mut BodyDataStream,
    clock: &dyn Clock,
    timeout: Duration,
) -> Result<Option<Bytes>, Fault> {
    let next = clock::within(clock, timeout, body.next()).await;
    let next = next.ok_or(Fault::Silent)?;
    next.transpose().map_err(Fault::Broken)
}

async fn save(
    field: &mut Field<'_>,
    rules: Rules<'_>,
    unread: &AtomicUsize,
) -> Result<NamedTempFile> {
    // The name is only compared: nothing is ever stored under it.
    if field.file_name() != Some(rules.file_name) {
        return Err(bad(format!("the file must be named {}", rules.file_name)));
    }
    let temp = temporary(rules.temp)?;
    let mut out = tokio::fs::File::from_std(temp.reopen().map_err(Refusal::Disk)?);
    while let Some(chunk) = field.chunk().await.map_err(broken)? {
        unread.store(0, Ordering::Relaxed);
        out.write_all(&chunk).await.map_err(Refusal::Disk)?;
    }
    out.flush().await.map_err(Refusal::Disk)?;
    Ok(temp)
}

async fn small(field: &mut Field<'_>, unread: &AtomicUsize) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(broken)? {
        unread.store(0, Ordering::Relaxed);
        text.extend_from_slice(&chunk);
        if text.len() > MAX_FIELD_BYTES {
            return Err(too_large("a part of the form is too large"));
        }
    }
    Ok(text)
}

fn parse(text: &[u8]) -> Result<outbox::Manifest> {
    outbox::Manifest::from_text(text)
        .map_err(|error| bad(format!("could not read the manifest: {error}")))
}

fn bad(reason: impl Into<String>) -> Refusal {
    Refusal::upload(StatusCode::BAD_REQUEST, reason)
}

pub(super) fn too_large(reason: impl Into<String>) -> Refusal {
    Refusal::upload(StatusCode::PAYLOAD_TOO_LARGE, reason)
}

fn broken(error: MultipartError) -> Refusal {
    match causes(&error).find_map(|cause| cause.downcast_ref::<Fault>()) {
        Some(fault @ Fault::TooLarge) => too_large(fault.to_string()),
        Some(fault @ Fault::Silent) => {
            Refusal::upload(StatusCode::REQUEST_TIMEOUT, fault.to_string())
        }
        Some(fault @ Fault::Broken(_)) => bad(fault.to_string()),
        None => bad(format!("the form is malformed: {}", error.body_text())),
    }
}
