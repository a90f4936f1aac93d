//! `upload`: the outbox → the profile's server, or an inbox.

use super::{
    context::Context,
    ending::Ending,
    screen::{Line, grouped},
    selection::Selection,
};
use crate::{
    error::Result,
    report::{UploadOutcome, Uploaded},
    upload::{self, Request},
};

/// The arguments of `upload`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[arg(skip)]
    pub(super) selection: Selection,
    /// Print what would be sent, and send nothing
    #[arg(long)]
    pub(super) dry_run: bool,
}

/// Uploads the latest artifact of each pipeline.
pub(super) async fn run(context: &Context, args: Args) -> Result<Ending> {
    let request = Request {
        pipelines: args.selection.names,
        dry_run: args.dry_run,
    };
    context.finish(&upload::run(&context.env, &request).await?)
}

/// Returns what became of a pipeline's artifact.
pub(super) fn uploaded(uploaded: &Uploaded) -> Vec<Line> {
    let Uploaded {
        pipeline, target, ..
    } = uploaded;
    let id = uploaded.artifact.as_deref().unwrap_or_default();
    let mut lines = Vec::new();
    let what = match uploaded.outcome {
        UploadOutcome::Uploaded => {
            let rows = grouped(uploaded.rows.unwrap_or_default());
            let unverified = match uploaded.verified {
                true => "",
                false => " (not verified: the service does not return the hash)",
            };
            format!("{id}, {rows} rows, uploaded to {target}{unverified}")
        }
        UploadOutcome::AlreadyUploaded => format!("{id} is already uploaded to {target}"),
        UploadOutcome::Pending => format!("{id} is pending, and would be uploaded to {target}"),
        UploadOutcome::NothingPending => match &uploaded.reason {
            Some(reason) => format!("nothing pending: {reason}"),
            None => format!("nothing pending in the outbox: {target} has the latest artifact"),
        },
        UploadOutcome::Skipped => match &uploaded.reason {
            Some(reason) => format!("skipped ({reason})"),
            None => "skipped".to_owned(),
        },
        UploadOutcome::Failed => {
            let error = uploaded.error.iter();
            lines.extend(error.flat_map(Line::of_failure));
            format!("{id} failed, and stays in the outbox")
        }
    };
    lines.push(Line::Say(format!("{pipeline}: {what}")));
    lines
}
