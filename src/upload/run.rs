//! `upload` as a whole: the outbox → the profile's server, or an inbox.
//!
//! In come the names of pipelines; out comes what became of the latest artifact of
//! each.

use super::{HttpTransport, Outcome, Result, StoreTransport, Transport, upload};
use crate::{
    env::{self, Env},
    pipeline::{Broken, Pipeline},
    report::{self, Failure, Step, UploadOutcome},
};

/// What to upload.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The pipelines, by name; all when none is named.
    pub pipelines: Vec<String>,
    /// Whether to look only at what would be sent.
    pub dry_run: bool,
}

/// Uploads the latest artifact of each pipeline that the receiver does not have.
///
/// A second run sends nothing.
///
/// # Errors
///
/// Returns an error when nothing could be sent at all; what became of a pipeline is in
/// the report.
pub async fn run(env: &Env, request: &Request) -> Result<report::Upload> {
    let (pipelines, broken) = env.sound(&request.pipelines)?;
    if env.is_without_pipelines()? {
        return Ok(report::Upload::default());
    }
    let transport = transport(env)?;
    let target = transport.target();
    let mut report = report::Upload::default();
    for broken in broken {
        let unable = unable(env, broken, &target)?;
        env.events.step(Step::Upload(unable.clone()));
        report.pipelines.push(unable);
    }
    if request.dry_run {
        for pipeline in pipelines.iter().filter(|pipeline| pipeline.upload) {
            let pending = pending(env, pipeline, &target).await?;
            env.events.step(Step::Upload(pending.clone()));
            report.pipelines.push(pending);
        }
        return Ok(report);
    }
    let events = env.events.brief();
    let uploaded = upload(&env.outbox(), &pipelines, transport.as_ref(), &events).await?;
    for uploaded in uploaded {
        let uploaded = described(uploaded, &target);
        env.events.step(Step::Upload(uploaded.clone()));
        report.pipelines.push(uploaded);
    }
    Ok(report)
}

/// Returns the way to the profile's inbox: its own, its server's, or the local one.
fn transport(env: &Env) -> Result<Box<dyn Transport>> {
    let profile = &env.config.profile;
    match &profile.server {
        Some(server) if profile.inbox.is_none() => {
            let key = env.config.key().map_err(env::Error::from)?;
            let (fetch, clock) = (&env.config.fetch, env.clock.clone());
            let transport = HttpTransport::new(server, key, fetch, clock)?;
            Ok(Box::new(transport.reporting(env.events.clone())))
        }
        _ => Ok(Box::new(StoreTransport::new(
            env.inbox()?,
            env.clock.clone(),
        ))),
    }
}

/// Reports a pipeline that cannot run: its own files are wrong, or those of one it reads.
fn unable(env: &Env, broken: &Broken, target: &str) -> Result<report::Uploaded> {
    let (outcome, reason, error) = match &broken.because {
        Some(because) => {
            let reason = format!("{because} cannot run; it stays in the outbox");
            (UploadOutcome::Skipped, Some(reason), None)
        }
        None => (UploadOutcome::Failed, None, Some(env.fault(broken)?)),
    };
    Ok(report::Uploaded {
        pipeline: broken.name.clone(),
        outcome,
        artifact: None,
        rows: None,
        target: target.to_owned(),
        verified: false,
        held: true,
        reason,
        error,
    })
}

async fn pending(env: &Env, pipeline: &Pipeline, target: &str) -> Result<report::Uploaded> {
    let outbox = env.outbox();
    let pending = outbox.pending(&pipeline.name, target).await?;
    let is_empty = outbox.latest(&pipeline.name).await?.is_none();
    let manifest = pending.as_ref().map(|pending| &pending.manifest);
    Ok(report::Uploaded {
        pipeline: pipeline.name.clone(),
        outcome: match manifest {
            Some(_) => UploadOutcome::Pending,
            None => UploadOutcome::NothingPending,
        },
        artifact: manifest.map(|manifest| manifest.id().to_string()),
        rows: manifest.map(|manifest| manifest.rows),
        target: target.to_owned(),
        verified: false,
        held: false,
        reason: is_empty.then(|| nothing(&pipeline.name)),
        error: None,
    })
}

/// Says that a pipeline has no artifact, and how it gets one.
fn nothing(pipeline: &str) -> String {
    format!("nothing in the outbox; `pricemill generate {pipeline}` makes an artifact")
}

fn described(uploaded: super::Uploaded, target: &str) -> report::Uploaded {
    let manifest = uploaded.artifact.map(|artifact| artifact.manifest);
    let mut described = report::Uploaded {
        pipeline: uploaded.pipeline,
        outcome: UploadOutcome::Skipped,
        artifact: manifest.as_ref().map(|manifest| manifest.id().to_string()),
        rows: manifest.as_ref().map(|manifest| manifest.rows),
        target: target.to_owned(),
        verified: false,
        held: false,
        reason: None,
        error: None,
    };
    match uploaded.outcome {
        Outcome::Sent(receipt) => {
            described.outcome = UploadOutcome::Uploaded;
            described.verified = receipt.verified;
        }
        Outcome::Already(receipt) => {
            described.outcome = UploadOutcome::AlreadyUploaded;
            described.verified = receipt.verified;
        }
        Outcome::Nothing => {
            described.reason = Some(nothing(&described.pipeline));
        }
        Outcome::Kept => described.reason = Some("`upload = false`".to_owned()),
        Outcome::Failed(error) => {
            described.outcome = UploadOutcome::Failed;
            described.held = true;
            let findings = error.findings();
            described.error = Some(Failure::new(&error, error.kind(), error.hint(), findings));
        }
        Outcome::Skipped => {
            described.held = true;
            described.reason =
                Some("the server rejected the key; it stays in the outbox".to_owned());
        }
    }
    described
}
