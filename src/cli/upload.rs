//! `upload`: the outbox → the profile's server, or an inbox.

use super::{
    args::UploadArgs,
    context::{Context, Ending},
    screen::grouped,
};
use crate::{
    clock::SystemClock,
    error::{Error, Result},
    pipeline::Pipeline,
    upload::{self, HttpTransport, Outcome, StoreTransport, Transport, Uploaded},
};

/// Uploads the latest artifact of each pipeline.
pub(crate) async fn upload(context: &Context, args: &UploadArgs) -> Result<Ending> {
    let pipelines = context.select(&args.selection)?;
    let transport = transport(context)?;
    if args.dry_run {
        return rehearse(context, &pipelines, transport.as_ref()).await;
    }
    let progress = context.screen.progress_of_steps();
    let outbox = context.outbox();
    let uploaded = upload::upload(&outbox, &pipelines, transport.as_ref(), &progress).await?;
    let mut ending = Ending::default();
    for uploaded in uploaded {
        settle(context, &transport.target(), uploaded, &mut ending);
    }
    Ok(ending)
}

/// Returns the way to the profile's inbox: its own, its server's, or the local one.
fn transport(context: &Context) -> Result<Box<dyn Transport>> {
    let profile = &context.config.profile;
    match &profile.server {
        Some(server) if profile.inbox.is_none() => {
            let (key, fetch) = (context.config.key()?, &context.config.fetch);
            let clock = SystemClock::shared();
            Ok(Box::new(HttpTransport::new(server, key, fetch, clock)?))
        }
        _ => Ok(Box::new(StoreTransport::new(
            context.inbox()?,
            SystemClock::shared(),
        ))),
    }
}

async fn rehearse(
    context: &Context,
    pipelines: &[&Pipeline],
    transport: &dyn Transport,
) -> Result<Ending> {
    let mut ending = Ending::default();
    for pipeline in pipelines.iter().filter(|pipeline| pipeline.upload) {
        let name = &pipeline.name;
        let pending = context.outbox().pending(name, &transport.target()).await?;
        context.screen.say(match pending {
            Some(artifact) => format!(
                "{name}: {} would be sent to {}",
                artifact.manifest.id(),
                transport.target()
            ),
            None => format!("{name}: nothing would be sent"),
        });
        ending.passed(0);
    }
    Ok(ending)
}

fn settle(context: &Context, target: &str, uploaded: Uploaded, ending: &mut Ending) {
    let name = uploaded.pipeline;
    let manifest = uploaded.artifact.map(|artifact| artifact.manifest);
    let id = manifest
        .as_ref()
        .map(|manifest| manifest.id())
        .unwrap_or_default();
    let rows = manifest.as_ref().map_or(0, |manifest| manifest.rows);
    let (outcome, verified) = match uploaded.outcome {
        Outcome::Sent(receipt) => {
            let unverified = match receipt.verified {
                true => "",
                false => " (the service does not repeat the hash: not verified)",
            };
            let rows = grouped(rows);
            context.screen.say(format!(
                "{name}: {id}, {rows} rows, sent to {target}{unverified}"
            ));
            ending.passed(0);
            ("sent", receipt.verified)
        }
        Outcome::Already(receipt) => {
            context.screen.say(format!(
                "{name}: {id} is already at {target}; nothing to do"
            ));
            ending.passed(0);
            ("already", receipt.verified)
        }
        Outcome::Nothing => {
            context.screen.say(format!(
                "{name}: nothing is in the outbox; generate it first"
            ));
            ending.skip += 1;
            ("nothing", false)
        }
        Outcome::Kept => {
            context
                .screen
                .say(format!("{name}: skipped (`upload = false`)"));
            ending.skip += 1;
            ("kept", false)
        }
        Outcome::Failed(error) => {
            let error = Error::from(error);
            ending.held.push(name.clone());
            context.screen.error(&error);
            context
                .screen
                .say(format!("{name}: {id} stays in the outbox"));
            ending.failed(error.kind());
            ("failed", false)
        }
        Outcome::Skipped => {
            context
                .screen
                .say(format!("{name}: skipped; it stays in the outbox"));
            ending.skip += 1;
            ending.held.push(name.clone());
            ("skipped", false)
        }
    };
    context.step(
        "upload",
        [
            ("pipeline", name.into()),
            ("outcome", outcome.into()),
            ("artifact", id.into()),
            ("rows", rows.into()),
            ("target", target.into()),
            ("verified", verified.into()),
        ],
    );
}
