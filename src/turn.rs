//! `run`: one turn of the loop, generate → upload → update, as far as the profile goes.
//!
//! A pipeline that fails at one step goes no further; the others do.

use crate::{
    env::{self, Env},
    generate,
    kind::passes_on,
    report::{self, Report, Step},
    update, upload,
};

/// Why a turn stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The project is not to be had.
    #[error(transparent)]
    Env(#[from] env::Error),
    /// Nothing could be generated or committed.
    #[error(transparent)]
    Generate(#[from] generate::run::Error),
    /// Nothing could be uploaded.
    #[error(transparent)]
    Upload(#[from] upload::Error),
    /// Nothing could be applied.
    #[error(transparent)]
    Update(#[from] update::Error),
}

/// A result of this module.
pub type Result<T, E = Error> = std::result::Result<T, E>;

passes_on!(Env, Generate, Upload, Update;);

/// Runs one turn. With a server or an inbox it ends there; with a database it goes
/// on into the tables.
///
/// # Errors
///
/// A step could not begin; what the steps before it did is done.
pub async fn run(env: &Env, request: &generate::Request) -> Result<report::Turn> {
    let generated = generate::run(env, request).await?;
    let mut held: Vec<String> = generated.held().map(str::to_owned).collect();
    let failed = generated.summary().fail > 0;
    let mut turn = report::Turn::default();
    let steps = generated.pipelines.into_iter();
    turn.steps.extend(steps.map(Step::Generate));
    let is_empty = turn.steps.is_empty();
    if is_empty || request.dry_run || (request.fail_fast && failed) {
        return Ok(turn);
    }
    if let Some(pipelines) = through(env, request, &held)? {
        let request = upload::Request {
            pipelines,
            dry_run: false,
        };
        let uploaded = upload::run(env, &request).await?;
        held.extend(uploaded.held().map(str::to_owned));
        let steps = uploaded.pipelines.into_iter();
        turn.steps.extend(steps.map(Step::Upload));
    }
    let profile = &env.config.profile;
    if profile.server.is_some() || profile.inbox.is_some() {
        return Ok(turn);
    }
    if let Some(pipelines) = through(env, request, &held)? {
        let request = update::Request {
            pipelines,
            ..update::Request::default()
        };
        let updated = update::run(env, &request).await?;
        let steps = updated.pipelines.into_iter();
        turn.steps.extend(steps.map(Step::Update));
    }
    Ok(turn)
}

/// Returns the pipelines meant that have come through so far, if any has.
fn through(env: &Env, request: &generate::Request, held: &[String]) -> Result<Option<Vec<String>>> {
    let (pipelines, _) = env.sound(&request.pipelines)?;
    let pipelines = pipelines.into_iter();
    let names = pipelines.map(|pipeline| pipeline.name.clone());
    let names: Vec<_> = names.filter(|name| !held.contains(name)).collect();
    Ok((!names.is_empty()).then_some(names))
}
