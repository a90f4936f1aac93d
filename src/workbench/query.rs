//! SQL of the moment: `query` over every relation there is, and `show` of one.
//!
//! A bare name is a pipeline's output, else a dataset, else the one model or seed
//! of that name; `export.<dataset>` and `<pipeline>.<model>` are always exact.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use datafusion::{
    arrow::datatypes::SchemaRef, catalog::TableProvider, common::TableReference,
    execution::SendableRecordBatchStream, logical_expr::LogicalPlanBuilder,
    prelude::SessionContext,
};
use indexmap::IndexMap;

use crate::{
    catalog::{Given, given, tables},
    compile::workspace::{self, EXPORT, HISTORY, PREVIOUS, Workspace},
    config::EngineConfig,
    dataset::Dataset,
    diagnostics::{Code, Finding},
    engine::{Cost, Error, Result, cost::Meter, session},
    pipeline::{Bindings, Pipeline, Project, Relation, SourceFile, read_seed, sql::references},
    snapshot::Snapshot,
    text::quoted,
};

/// Where SQL of the moment runs.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    /// The definitions.
    pub project: &'a Project,
    /// The parameters, by pipeline; one that lacks has its defaults.
    pub bindings: &'a IndexMap<String, Bindings>,
    /// Where the datasets are; needless where files stand for all that are read.
    pub snapshot: Option<&'a Snapshot>,
    /// Where those of `previous` are; without it they are empty.
    pub previous: Option<&'a Snapshot>,
    /// Where those of `history` are, the newest first.
    pub history: &'a [Snapshot],
    /// Files that stand for datasets, before the snapshot's.
    pub given: &'a [Given],
    /// What now() is where there is no snapshot, whose time it is otherwise.
    pub now: DateTime<Utc>,
    /// Memory, threads and temp space.
    pub config: &'a EngineConfig,
}

impl Query<'_> {
    fn at(&self) -> DateTime<Utc> {
        self.snapshot
            .map_or(self.now, |snapshot| snapshot.manifest.fetched_at)
    }

    fn has(&self, dataset: &str) -> bool {
        let fetched = |snapshot: &Snapshot| snapshot.manifest.datasets.contains_key(dataset);
        self.given.iter().any(|given| given.dataset == dataset)
            || self.snapshot.is_some_and(fetched)
    }
}

/// The rows of a query as they come.
pub struct Rows {
    /// Their columns.
    pub schema: SchemaRef,
    /// The rows; dropping the stream stops the query.
    pub stream: SendableRecordBatchStream,
    meter: Meter,
}

impl Rows {
    /// Returns what the query has cost so far: all, once the stream has ended.
    pub fn cost(&self) -> Cost {
        self.meter.read()
    }
}

/// Returns the rows of a SELECT, at most `limit` of them.
///
/// # Errors
///
/// Finds what is wrong with the SQL, or with the models that it needs.
pub async fn query(job: Query<'_>, sql: &str, limit: Option<usize>) -> Result<Rows> {
    let file = SourceFile {
        path: "query".into(),
        text: sql.into(),
    };
    let context = session(job.config)?;
    let scope = Scope { job, context };
    let workspace = Box::pin(scope.open(&file)).await?;
    let plan = workspace
        .plan_any(&file, &Bindings::default())
        .await
        .map_err(Error::invalid)?;
    let failed = |error| Error::run("the query", error);
    let plan = match limit {
        Some(_) => LogicalPlanBuilder::from(plan)
            .limit(0, limit)
            .and_then(|plan| plan.build()),
        None => Ok(plan),
    };
    let plan = plan.map_err(failed)?;
    let running = workspace.start(&plan).await.map_err(failed)?;
    Ok(Rows {
        schema: running.stream.schema(),
        stream: running.stream,
        meter: running.meter,
    })
}

/// Returns the rows of a relation, `prices`, `bargains.extremes` or `store-groups`,
/// for which `filter` holds, at most `limit` of them.
///
/// # Errors
///
/// As [`query`].
pub async fn show(
    job: Query<'_>,
    relation: &str,
    filter: Option<&str>,
    limit: Option<usize>,
) -> Result<Rows> {
    let relation = relation.replace('-', "_");
    let plain = |part: &str| part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let parts = relation.split('.').map(|part| match plain(part) {
        true => part.to_owned(),
        false => quoted(part),
    });
    let mut sql = format!("select *\nfrom {}", parts.collect::<Vec<_>>().join("."));
    if let Some(filter) = filter {
        sql.push_str(&format!("\nwhere {filter}"));
    }
    query(job, &sql, limit).await
}

/// A relation of the project: a model or a seed of a pipeline, or a dataset.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Found<'a> {
    Own(&'a str, String),
    Dataset(&'a str),
}

struct Scope<'a> {
    job: Query<'a>,
    context: SessionContext,
}

impl<'a> Scope<'a> {
    /// Opens a schema with the relations that the SQL reads.
    async fn open(&self, file: &SourceFile) -> Result<Workspace> {
        let names = references(&file.text);
        let mut found = BTreeMap::new();
        for name in &names {
            if let Some(relation) = self.find(name, file)? {
                found.insert(name.to_string(), (name, relation));
            }
        }
        let wanted: Vec<_> = found.values().map(|(_, relation)| relation).collect();
        self.build(&wanted).await?;
        let failed = |error| Error::run("the query", error);
        let at = self.job.at();
        let workspace = Workspace::new(&self.context, "query", at, self.names());
        let workspace = workspace.map_err(failed)?;
        for (name, relation) in found.values() {
            if let TableReference::Bare { table } = name {
                let (schema, source) = match relation {
                    Found::Own(pipeline, source) => (pipeline.replace('-', "_"), source.as_str()),
                    Found::Dataset(source) => (EXPORT.to_owned(), *source),
                };
                let schema = workspace::schema_of(&self.context, &schema).map_err(failed)?;
                if let Some(provider) = schema.table(source).await.map_err(failed)? {
                    workspace.register(table, provider).map_err(failed)?;
                }
            }
        }
        Ok(workspace)
    }

    /// Returns what a name means; nothing for one that is unknown, which planning tells.
    fn find(&self, name: &TableReference, file: &SourceFile) -> Result<Option<Found<'a>>> {
        let project = self.job.project;
        match name {
            TableReference::Bare { table } => self.find_bare(table, file),
            TableReference::Partial { schema, table } if schema.as_ref() == EXPORT => {
                Ok(self.find_dataset(table))
            }
            TableReference::Partial { schema, table } => {
                let pipeline = project
                    .pipelines
                    .values()
                    .find(|p| p.relation() == schema.as_ref());
                Ok(pipeline.and_then(|pipeline| own(pipeline, table)))
            }
            TableReference::Full { .. } => Ok(None),
        }
    }

    fn find_dataset(&self, name: &str) -> Option<Found<'a>> {
        let dataset = self.job.project.datasets.get(name)?;
        Some(Found::Dataset(&dataset.name))
    }

    fn find_bare(&self, name: &str, file: &SourceFile) -> Result<Option<Found<'a>>> {
        let pipelines = || self.job.project.pipelines.values();
        if let Some(pipeline) = pipelines().find(|pipeline| pipeline.relation() == name) {
            return Ok(Some(Found::Own(&pipeline.name, pipeline.output.clone())));
        }
        if let Some(dataset) = self.find_dataset(name) {
            return Ok(Some(dataset));
        }
        let mut owners = pipelines().filter_map(|pipeline| own(pipeline, name));
        match (owners.next(), owners.next()) {
            (Some(Found::Own(one, _)), Some(Found::Own(other, _))) => {
                let what = format!("`{name}` is a relation of {one} and of {other}");
                let place = file.place(crate::pipeline::graph::word(&file.text, name));
                let help = format!("write `{}.{name}`", one.replace('-', "_"));
                let finding = Finding::new(Code::AmbiguousRelation, what).at(place, "which?");
                Err(Error::invalid(vec![finding.help(help)]))
            }
            (found, _) => Ok(found),
        }
    }

    /// Builds the pipelines' schemas as far as the relations need them.
    async fn build(&self, wanted: &[&Found<'a>]) -> Result<()> {
        let project = self.job.project;
        let mut models: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let mut datasets = BTreeSet::new();
        for relation in wanted {
            match relation {
                Found::Own(pipeline, name) => {
                    models.entry(pipeline).or_default().insert(name);
                }
                Found::Dataset(name) => {
                    datasets.insert(*name);
                }
            }
        }
        self.datasets(&datasets).await?;
        let pipelines: Vec<_> = models
            .keys()
            .filter_map(|name| project.pipelines.get(*name))
            .collect();
        for pipeline in project.in_order(&pipelines) {
            let explicit = models
                .get(pipeline.name.as_str())
                .into_iter()
                .flatten()
                .copied();
            let mut wanted: Vec<&str> = explicit.collect();
            wanted.push(&pipeline.output);
            self.pipeline(pipeline, &wanted).await?;
        }
        Ok(())
    }

    async fn datasets(&self, wanted: &BTreeSet<&str>) -> Result<()> {
        if let Some(name) = wanted.iter().find(|name| !self.job.has(name)) {
            return Err(Error::NotFetched {
                dataset: (*name).to_owned(),
                pipeline: "the query".to_owned(),
            });
        }
        let failed = |error| Error::run("the datasets", error);
        let schema = workspace::schema_of(&self.context, EXPORT).map_err(failed)?;
        for dataset in self.job.project.datasets.values() {
            let table = self.dataset(dataset).await?;
            schema
                .register_table(dataset.name.clone(), table)
                .map_err(failed)?;
        }
        let previous = |dataset: &_| tables::dataset_of(&self.context, self.job.previous, dataset);
        workspace::register_datasets(&self.context, self.job.project, PREVIOUS, previous)
            .map_err(failed)?;
        let history = |dataset: &_| tables::history_of(&self.context, self.job.history, dataset);
        workspace::register_datasets(&self.context, self.job.project, HISTORY, history)
            .map_err(failed)
    }

    async fn dataset(&self, dataset: &Dataset) -> Result<Arc<dyn TableProvider>> {
        let mut given = self.job.given.iter();
        if let Some(given) = given.find(|given| given.dataset == dataset.name) {
            return given::dataset(&self.context, dataset, &given.path).await;
        }
        tables::dataset_of(&self.context, self.job.snapshot, dataset)
            .map_err(|error| Error::run("the datasets", error))
    }

    async fn pipeline(&self, pipeline: &Pipeline, wanted: &[&str]) -> Result<()> {
        let failed = |error| Error::run(&format!("the relations of {}", pipeline.name), error);
        let relations = workspace::relations(self.job.project, pipeline);
        let at = self.job.at();
        let workspace = Workspace::new(&self.context, &pipeline.relation(), at, relations);
        let workspace = workspace.map_err(failed)?;
        for (name, file) in &pipeline.seeds {
            let batch = read_seed(file).map_err(|finding| Error::invalid(vec![*finding]))?;
            let table = tables::rows(batch).map_err(failed)?;
            workspace.register(name, table).map_err(failed)?;
        }
        let below: Vec<&str> = wanted
            .iter()
            .flat_map(|name| pipeline.reads.models_below(name))
            .collect();
        let reads = below
            .iter()
            .filter_map(|name| pipeline.reads.models.get(*name))
            .flatten();
        for relation in reads {
            let (name, schema, source) = match relation {
                Relation::Output(name) => {
                    let above = &self.job.project.pipelines[name];
                    (above.relation(), above.relation(), above.output.clone())
                }
                Relation::Dataset(name)
                    if !Workspace::is_bare(self.job.project, pipeline, name) =>
                {
                    continue;
                }
                Relation::Dataset(name) => (name.clone(), EXPORT.to_owned(), name.clone()),
                Relation::Model(_)
                | Relation::Seed(_)
                | Relation::Previous(_)
                | Relation::History(_) => continue,
            };
            let schema = workspace::schema_of(&self.context, &schema).map_err(failed)?;
            if let Some(table) = schema.table(&source).await.map_err(failed)? {
                workspace.register(&name, table).map_err(failed)?;
            }
        }
        self.views(pipeline, &workspace, &below).await
    }

    async fn views(
        &self,
        pipeline: &Pipeline,
        workspace: &Workspace,
        models: &[&str],
    ) -> Result<()> {
        let given = self.job.bindings.get(&pipeline.name).cloned();
        let bindings = given.unwrap_or_else(|| Bindings::defaults(pipeline));
        let mut done = BTreeSet::new();
        for name in models.iter().filter(|name| done.insert(**name)) {
            let file = &pipeline.models[*name];
            let plan = workspace
                .plan(file, &bindings)
                .await
                .map_err(Error::invalid)?;
            let viewed = workspace.register_view(name, plan);
            viewed.map_err(|error| Error::run(&file.path.display().to_string(), error))?;
        }
        Ok(())
    }

    /// Returns every name that a query may use.
    fn names(&self) -> Vec<String> {
        let project = self.job.project;
        let outputs = project.pipelines.values().map(Pipeline::relation);
        let datasets = project.datasets.keys().cloned();
        let models = project.pipelines.values().flat_map(|pipeline| {
            let own = pipeline.models.keys().chain(pipeline.seeds.keys());
            let relation = pipeline.relation();
            own.map(move |name| format!("{relation}.{name}"))
        });
        outputs.chain(datasets).chain(models).collect()
    }
}

fn own<'a>(pipeline: &'a Pipeline, name: &str) -> Option<Found<'a>> {
    let name = match name == pipeline.relation() {
        true => pipeline.output.as_str(),
        false => name,
    };
    let has = pipeline.models.contains_key(name) || pipeline.seeds.contains_key(name);
    has.then(|| Found::Own(&pipeline.name, name.to_owned()))
}
