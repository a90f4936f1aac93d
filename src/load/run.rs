//! `load` as a whole: files or folders → the database, each whole or not at all.

use std::path::PathBuf;

use super::{Options, Result, files, load, whole};
use crate::{
    database::{Accept, Database},
    diagnostics::Findings,
    env::{self, Env},
    pipeline::{self, Project},
    report::{self, LoadedTable, Step},
};

/// What to load, and what it is all of.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Files or folders, in order.
    pub paths: Vec<PathBuf>,
    /// The tables that the files are all of.
    pub replace: Vec<String>,
    /// The company, by name, that the files are all of.
    pub replace_company: Option<String>,
    /// The guards that the user has waived.
    pub accept: Accept,
}

/// Loads files or folders, in the order named.
///
/// # Errors
///
/// What is wrong with the first that could not be loaded; those before it are loaded.
pub async fn run(env: &Env, request: &Request) -> Result<report::Load> {
    let database = env.database()?;
    let options = Options {
        replace: request.replace.clone(),
        replace_company: request.replace_company.clone(),
        accept: request.accept,
        ..Options::of(project(env))
    };
    check(database.as_ref(), request, &options).await?;
    let mut report = report::Load::default();
    for path in &request.paths {
        let events = env.events.brief();
        let engine = &env.config.engine;
        let loaded = load(database.as_ref(), path, &options, engine, &events).await?;
        for warning in &loaded.notes {
            env.events.warn(warning);
        }
        for counts in loaded.tables {
            let table = LoadedTable {
                path: path.display().to_string(),
                table: counts.table,
                inserted: counts.inserted,
                changed: counts.changed,
                unchanged: counts.unchanged,
                deleted: counts.deleted,
            };
            env.events.step(Step::Load(table.clone()));
            report.tables.push(table);
        }
        report.warnings.extend(loaded.notes);
        report.paths += 1;
    }
    Ok(report)
}

/// Refuses to replace what no path has a file for, before anything is loaded.
async fn check(database: &dyn Database, request: &Request, options: &Options) -> Result<()> {
    if options.replace.is_empty() && options.replace_company.is_none() {
        return Ok(());
    }
    let tables = database.tables().await?;
    let mut all = Vec::new();
    for path in &request.paths {
        all.extend(files::find(path, &tables, &mut Vec::new())?);
    }
    whole::check(options, &all, &tables)
}

/// Returns the project, or what is wrong with its files. A broken pipeline matters only
/// where no sound one has the units.
fn project(env: &Env) -> Result<&Project, Findings> {
    let project = env.project().map_err(|error| match error {
        env::Error::Invalid(findings) => findings,
        _ => Findings(Vec::new()),
    })?;
    let broken = pipeline::broken_units(project);
    match broken.is_empty() {
        true => Ok(project),
        false => Err(project.faults_of(&broken)),
    }
}
