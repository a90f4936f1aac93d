//! `POST /api/upload/<endpoint>/`: an artifact into the inbox, checked first.

use std::{
    fs::File,
    io::{self, BufReader},
    path::PathBuf,
};

use axum::{
    Json,
    extract::{Path, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;
use tempfile::NamedTempFile;

pub(super) use super::body::sweep;
use super::{
    Service,
    body::{self, Rules, Sent, too_large},
    error::{Refusal, Result},
    gunzip::gunzip,
};
use crate::{
    artifact::{
        digest::Digest,
        id::{ArtifactId, PipelineName, Seq},
    },
    dataset::Contract,
    inbox::{Arrival, Receive, Received},
    json::{self, Layout},
    outbox::Manifest,
    pipeline::{Format, Pipeline},
};

/// What a form takes besides its file.
const FORM_BYTES: u64 = 2 << 20;
/// The highest number a sender may give: there must be numbers left after it.
const MAX_SEQ: u64 = 1_000_000_000_000;
/// Rows decoded at a time while the content is checked.
const BATCH_ROWS: usize = 8192;

/// Takes an upload: 201 once it is durably in the inbox, 200 when it was before.
pub(super) async fn upload(
    State(service): State<Service>,
    Path(endpoint): Path<String>,
    request: Request,
) -> Result<Response> {
    let pipeline = find(&service, &endpoint)?;
    let layout = layout(pipeline)?;
    refuse_by_headers(request.headers(), service.config.max_upload_bytes)?;
    let rules = Rules {
        file_name: &format!("{}.gz", pipeline.file.name),
        max_bytes: service.config.max_upload_bytes.saturating_add(FORM_BYTES),
        timeout: service.limits.body_timeout,
        clock: &service.clock,
        temp: &service.temp,
    };
    let Sent { file, manifest } = body::read(request, rules).await?;
    let check = Check {
        contract: pipeline.contract.clone(),
        layout,
        max_bytes: service.config.max_decoded_bytes,
        temp: service.temp.clone(),
    };
    let checked = tokio::task::spawn_blocking(move || check.run(&file)).await;
    let checked = checked.map_err(|error| Refusal::Bug(error.to_string()))??;
    store(&service, pipeline, checked, manifest).await
}

fn find<'a>(service: &'a Service, endpoint: &str) -> Result<&'a Pipeline> {
    let mut pipelines = service.project.pipelines.values();
    let found = pipelines.find(|pipeline| pipeline.upload && pipeline.endpoint == endpoint);
    let mut broken = service.project.broken.iter();
    match found {
        Some(pipeline) => Ok(pipeline),
        // A sender keeps what it has until the definition is mended.
        None if broken.any(|broken| broken.name == endpoint) => Err(Refusal::upload(
            StatusCode::SERVICE_UNAVAILABLE,
            "the pipeline's definition has errors on this server",
        )),
        None => Err(Refusal::NotFound),
    }
}

fn layout(pipeline: &Pipeline) -> Result<Layout> {
    match pipeline.file.format {
        Format::Json => Ok(Layout::Array),
        Format::JsonLines => Ok(Layout::Lines),
        Format::Csv | Format::Parquet | Format::Html | Format::Svg | Format::Png => {
            Err(Refusal::upload(
                StatusCode::BAD_REQUEST,
                "only .json.gz and .jsonl.gz files can be uploaded",
            ))
        }
    }
}

/// Refuses what its headers alone show, before any of the body is read.
fn refuse_by_headers(headers: &HeaderMap, max_bytes: u64) -> Result<()> {
    let encodings = headers.get_all(header::CONTENT_ENCODING);
    if encodings.iter().any(|encoding| encoding != "identity") {
        return Err(Refusal::upload(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the request itself must not be encoded: the file in it is gzip",
        ));
    }
    let length = headers.get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > max_bytes.saturating_add(FORM_BYTES)) {
        return Err(too_large("the upload is too large"));
    }
    Ok(())
}

/// What an upload's content must be.
struct Check {
    contract: Contract,
    layout: Layout,
    max_bytes: u64,
    temp: PathBuf,
}

/// An upload whose content is the pipeline's.
struct Checked {
    file: NamedTempFile,
    digest: Digest,
    rows: u64,
}

impl Check {
    fn run(&self, encoded: &NamedTempFile) -> Result<Checked> {
        let decoded = gunzip(encoded, self.max_bytes, &self.temp)?;
        let reader = BufReader::new(decoded.file.reopen().map_err(Refusal::Disk)?);
        Ok(Checked {
            rows: self.count_rows(reader).map_err(broken_content)?,
            file: decoded.file,
            digest: decoded.digest,
        })
    }

    fn count_rows(&self, reader: BufReader<File>) -> json::Result<u64> {
        let mut rows = 0;
        json::decode(reader, self.layout, &self.contract, BATCH_ROWS, |batch| {
            rows += batch.num_rows() as u64;
            Ok(())
        })?;
        Ok(rows)
    }
}

/// Content that cannot be read at all is the server's fault, not the sender's.
fn broken_content(error: json::Error) -> Refusal {
    match error {
        json::Error::Io(error) if error.kind() != io::ErrorKind::InvalidData => {
            Refusal::Disk(error)
        }
        error => Refusal::Contract(error),
    }
}

async fn store(
    service: &Service,
    pipeline: &Pipeline,
    checked: Checked,
    manifest: Option<Manifest>,
) -> Result<Response> {
    if let Some(manifest) = &manifest {
        compare(manifest, pipeline, &checked)?;
    }
    let applied = service.database.applied(&pipeline.name).await?;
    let extension = pipeline.file.name.rsplit('.').next().unwrap_or_default();
    let arrival = Arrival {
        pipeline: PipelineName::new(&*pipeline.name),
        seq: manifest.as_ref().map(|manifest| manifest.seq),
        extension: extension.to_owned(),
        digest: checked.digest,
        rows: checked.rows,
        at: service.clock.now(),
        manifest,
    };
    // What is not a hash was not written by this server, so nothing equals it.
    let applied = applied.and_then(|entry| {
        Some(ArtifactId {
            seq: Seq(entry.seq),
            sha256: entry.sha256.try_into().ok()?,
        })
    });
    let receive = service.inbox.receive(arrival, checked.file.path(), applied);
    Ok(match receive.await.map_err(Refusal::Inbox)? {
        Receive::New(received) => {
            tracing::info!(
                pipeline = %received.pipeline,
                artifact = %received.id(),
                "received"
            );
            receipt(StatusCode::CREATED, "received", &received)
        }
        Receive::Already(received) => receipt(StatusCode::OK, "already received", &received),
    })
}

/// Makes sure that the file is the one the sender means.
fn compare(manifest: &Manifest, pipeline: &Pipeline, checked: &Checked) -> Result<()> {
    let digest = &checked.digest;
    let reason = if manifest.pipeline != pipeline.name {
        "the manifest belongs to another pipeline"
    } else if (&manifest.sha256, manifest.bytes) != (&digest.sha256, digest.bytes) {
        "the file does not match the manifest"
    } else if manifest.rows != checked.rows {
        "the file's rows do not match the manifest"
    } else if !(1..=MAX_SEQ).contains(&manifest.seq.0) {
        "the manifest's number is out of range"
    } else {
        return Ok(());
    };
    Err(Refusal::upload(StatusCode::BAD_REQUEST, reason))
}

fn receipt(status: StatusCode, message: &str, received: &Received) -> Response {
    let body = json!({
        "message": message,
        "pipeline": received.pipeline,
        "seq": received.seq,
        "sha256": received.sha256,
        "bytes": received.bytes,
        "rows": received.rows,
    });
    (status, Json(body)).into_response()
}
