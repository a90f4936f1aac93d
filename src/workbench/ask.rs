//! `show` and `query` as a whole: ad-hoc SQL over a snapshot or given files.
//!
//! In comes a question with the names of what it is asked over; out come rows, as a
//! stream. Nothing is written.

use super::{Needs, Query, Result, Rows, query, query::require_sound, select_all, show};
use crate::{
    catalog::Given,
    engine,
    env::{self, Env},
    fetch,
    snapshot::{self, Snapshot},
};

/// What is asked, and over what.
#[derive(Debug, Clone)]
pub struct Question {
    /// What is asked.
    pub about: About,
    /// The most rows; all without one.
    pub limit: Option<usize>,
    /// The snapshot: its id, or `latest`.
    pub snapshot: String,
    /// Files in place of datasets, before the snapshot's.
    pub files: Vec<Given>,
    /// Parameters of the pipelines that are read.
    pub params: Vec<String>,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// A SELECT.
    Sql(String),
    /// The rows of a dataset, a model or an output.
    Relation {
        /// Its name, such as `prices` or `bargains.extremes`.
        name: String,
        /// SQL that holds for the rows wanted.
        filter: Option<String>,
    },
}

impl About {
    /// Returns the SQL of it.
    fn sql(&self) -> String {
        match self {
            About::Sql(sql) => sql.clone(),
            About::Relation { name, filter } => select_all(name, filter.as_deref()),
        }
    }

    /// Answers it.
    async fn rows(&self, job: Query<'_>, limit: Option<usize>) -> engine::Result<Rows> {
        match self {
            About::Sql(sql) => query(job, sql, limit).await,
            About::Relation { name, filter } => show(job, name, filter.as_deref(), limit).await,
        }
    }
}

/// Answers a question.
///
/// # Errors
///
/// There is no snapshot to ask, or the SQL is wrong.
pub async fn ask(env: &Env, question: &Question) -> Result<Rows> {
    let project = env.project()?;
    let sql = question.about.sql();
    require_sound(project, &sql)?;
    let needs = Needs::of(project, &sql);
    let data = Data::open(env, &needs, question).await?;
    let pipelines = needs.pipelines.iter();
    let pipelines: Vec<_> = pipelines.map(|name| &project.pipelines[name]).collect();
    let bindings = project
        .bind(&pipelines, &question.params)
        .map_err(env::Error::from)?;
    let job = Query {
        project,
        bindings: &bindings,
        snapshot: data.snapshot.as_ref(),
        previous: data.previous.as_ref(),
        history: &data.history,
        given: &data.given,
        now: env.now,
        config: &env.config.engine,
    };
    Ok(question.about.rows(job, question.limit).await?)
}

/// Where the rows of the datasets are.
#[derive(Default)]
struct Data {
    snapshot: Option<Snapshot>,
    previous: Option<Snapshot>,
    history: Vec<Snapshot>,
    given: Vec<Given>,
}

impl Data {
    /// Opens the snapshot named, unless files replace all that is read.
    async fn open(env: &Env, needs: &Needs, question: &Question) -> Result<Data> {
        let project = env.project()?;
        let mut given = Vec::new();
        for file in &question.files {
            given.push(Given {
                dataset: fetch::named(project, &file.dataset)?.name.clone(),
                path: file.path.clone(),
            });
        }
        let is_given = |name: &&str| given.iter().any(|given| given.dataset == *name);
        let needed = needs.datasets.keys().map(String::as_str);
        let needed: Vec<_> = needed.filter(|name| !is_given(name)).collect();
        let optional = needs.optional.iter().map(String::as_str);
        let optional: Vec<_> = optional.filter(|name| !is_given(name)).collect();
        if needed.is_empty() && !given.is_empty() {
            return Ok(Data {
                given,
                ..Data::default()
            });
        }
        let snapshot = fetch::open(env, &question.snapshot, &needed, &optional).await?;
        let (snapshots, manifest) = (env.snapshots(), &snapshot.manifest);
        let previous: Vec<_> = needs.previous.iter().map(String::as_str).collect();
        let previous = match previous.is_empty() {
            true => None,
            false => snapshot::before(&snapshots, manifest, &previous)
                .await
                .map_err(fetch::Error::from)?,
        };
        let history = needs.history.iter().map(|name| &project.datasets[name]);
        let history: Vec<_> = history.collect();
        let history = match history.is_empty() {
            true => Vec::new(),
            false => snapshot::history(&snapshots, manifest, &history)
                .await
                .map_err(fetch::Error::from)?,
        };
        Ok(Data {
            snapshot: Some(snapshot),
            previous,
            history,
            given,
        })
    }
}
