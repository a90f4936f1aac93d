//! One way from text to plan: names → relations → a plan, for whoever asks.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};

use chrono::{DateTime, Utc};
use datafusion::{
    arrow::datatypes::{Field, Schema, SchemaRef},
    catalog::TableProvider,
    datasource::{ViewTable, provider_as_source},
    error::DataFusionError,
    logical_expr::{LogicalPlan, LogicalPlanBuilder},
    prelude::SessionContext,
};
use indexmap::IndexMap;

use super::{
    contract, diagnose, grain, keys, kinds, lint, mixed, page,
    planner::{Planner, Relation},
    retry,
    rows::Keys,
    scope::{self, ARTIFACT, Meaning, Scope},
};
use crate::{
    catalog::{Deferred, Empty, Named, Relations, tables},
    database::Table,
    diagnostics::{Code, Finding},
    engine::{Error, Result},
    pipeline::{Bindings, Name, Pipeline, Project, SqlFile, UpdateStep},
};

/// Plans a project's SQL over relations.
#[derive(Clone, Copy)]
pub struct Compiler<'a> {
    pub(super) relations: &'a dyn Relations,
    pub(super) context: &'a SessionContext,
    /// What `now()` is.
    pub(super) at: DateTime<Utc>,
}

/// How a model reads another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// As a relation of its columns, without a row: each model is planned alone.
    Columns,
    /// As its rows once they are computed, where more than one model reads it or it is
    /// delivered; else as part of the reader's own plan.
    Rows,
}

/// A pipeline's SQL as plans.
pub(crate) struct Compiled {
    /// The models that could be planned, each after those it reads.
    pub(crate) models: IndexMap<String, Model>,
    /// The checks that could be planned.
    pub(crate) checks: IndexMap<String, LogicalPlan>,
    /// What is wrong, in the order of the files.
    pub(crate) findings: Vec<Finding>,
    /// The files that were planned, or could not be.
    pub(crate) planned: BTreeSet<PathBuf>,
    /// What tells the rows of the relations apart, by the names that SQL gives them.
    pub(crate) keys: Keys,
    /// What plans and runs.
    pub(crate) planner: Planner,
}

/// A query of the moment as a plan.
pub(crate) struct Question {
    /// What plans and runs it.
    pub(crate) planner: Planner,
    /// Its plan.
    pub(crate) plan: LogicalPlan,
    /// What it probably does not mean, as warnings.
    pub(crate) doubts: Vec<Finding>,
}

/// A model's plan.
pub(crate) struct Model {
    /// Its logical plan, with parameters bound.
    pub(crate) plan: LogicalPlan,
    /// Where its rows are to be put, if others read them.
    pub(crate) deferred: Option<Arc<Deferred>>,
}

impl<'a> Compiler<'a> {
    /// Compiles over `relations`; `now()` is `at`.
    pub fn new(
        relations: &'a dyn Relations,
        context: &'a SessionContext,
        at: DateTime<Utc>,
    ) -> Compiler<'a> {
        Compiler {
            relations,
            context,
            at,
        }
    }

    /// Compiles what a run of the pipeline needs: its output, the files beside it, and
    /// its checks.
    pub(crate) async fn for_run(
        self,
        project: &'a Project,
        pipeline: &'a Pipeline,
        bindings: &Bindings,
    ) -> Result<Compiled> {
        let models = pipeline.reads.needed_models(&pipeline.output);
        let mut unit = Unit::new(self, (project, pipeline), bindings, Reading::Rows);
        unit.models(&models).await?;
        unit.checks().await?;
        Ok(unit.compiled)
    }

    /// Compiles every model and every check of the pipeline, each alone.
    pub(crate) async fn for_check(
        self,
        project: &'a Project,
        pipeline: &'a Pipeline,
        bindings: &Bindings,
    ) -> Result<Compiled> {
        let mut unit = Unit::new(self, (project, pipeline), bindings, Reading::Columns);
        unit.models(&pipeline.reads.all_models()).await?;
        unit.checks().await?;
        Ok(unit.compiled)
    }

    /// Compiles a SELECT that is not a file of a pipeline, with the models that it reads as
    /// parts of its plan.
    ///
    /// # Errors
    ///
    /// Finds what is wrong with it, or with the models.
    pub(crate) async fn select(
        &self,
        scope: Scope<'a>,
        file: &SqlFile,
        bindings: &IndexMap<String, Bindings>,
    ) -> Result<(Planner, LogicalPlan)> {
        let relations = self.relations_of(scope, file, bindings).await?;
        self.over(scope, file, bindings, relations).await
    }

    /// Compiles a query of the moment, and finds what it probably does not mean.
    ///
    /// # Errors
    ///
    /// As [`Compiler::select`].
    pub(crate) async fn question(
        &self,
        scope: Scope<'a>,
        file: &SqlFile,
        bindings: &IndexMap<String, Bindings>,
    ) -> Result<Question> {
        let keys = keys::of(&self.named(scope, file)?);
        let relations = self.relations_of(scope, file, bindings).await?;
        // What the models say is theirs: `check` reports it.
        let columns = relations.iter().map(|(name, table)| {
            let table: Arc<dyn TableProvider> = tables::empty(table.schema());
            (name.clone(), table)
        });
        let columns = columns.collect();
        let (planner, plan) = self.over(scope, file, bindings, relations).await?;
        let (_, own) = self.over(scope, file, bindings, columns).await?;
        Ok(Question {
            planner,
            plan,
            doubts: lint::of_query(&own, file, &keys),
        })
    }

    /// Plans a file over these relations.
    async fn over(
        &self,
        scope: Scope<'a>,
        file: &SqlFile,
        bindings: &IndexMap<String, Bindings>,
        relations: Vec<Relation>,
    ) -> Result<(Planner, LogicalPlan)> {
        let mut planner = Planner::new(self.context, self.at);
        let own = match scope {
            Scope::Pipeline(_, pipeline)
            | Scope::Test(_, pipeline, _)
            | Scope::Update(pipeline, _) => bindings.get(&pipeline.name),
            Scope::Project(_) => None,
        };
        let none = Bindings::default();
        let plan = planned(&mut planner, scope, file, own.unwrap_or(&none), relations);
        let plan = plan.await?;
        Ok((planner, plan))
    }

    /// Returns what a file reads, the models as their plans.
    async fn relations_of(
        &self,
        scope: Scope<'a>,
        file: &SqlFile,
        bindings: &IndexMap<String, Bindings>,
    ) -> Result<Vec<Relation>> {
        let mut views = Views {
            compiler: *self,
            scope,
            bindings,
            tables: BTreeMap::new(),
        };
        let mut relations = Vec::new();
        for (name, named) in self.named(scope, file)? {
            relations.push((name.reference.clone(), views.table(named).await?));
        }
        Ok(relations)
    }

    /// Plans what a step of an update gives its table: what its SQL makes of `artifact`
    /// and `db`, or the artifact itself.
    ///
    /// # Errors
    ///
    /// Finds what is wrong with the SQL.
    pub(crate) async fn step(
        &self,
        pipeline: &'a Pipeline,
        step: &UpdateStep,
        tables: &'a [Table],
    ) -> Result<(Planner, LogicalPlan)> {
        if let Some(file) = pipeline.updates.get(&step.table) {
            let defaults = (pipeline.name.clone(), Bindings::defaults(pipeline));
            let bindings = [defaults].into_iter().collect();
            return self
                .select(Scope::Update(pipeline, tables), file, &bindings)
                .await;
        }
        let named = Named::Artifact(pipeline);
        let artifact = outside(self.relations, self.context, named).await?;
        let plan = LogicalPlanBuilder::scan(ARTIFACT, provider_as_source(artifact), None)
            .and_then(LogicalPlanBuilder::build);
        let plan = plan.map_err(|error| Error::run(&pipeline.name, error))?;
        Ok((Planner::new(self.context, self.at), plan))
    }

    /// Returns what each name of a file means.
    ///
    /// # Errors
    ///
    /// Finds what keeps the file from being planned, and the names that mean nothing.
    pub(crate) fn named<'f>(
        &self,
        scope: Scope<'a>,
        file: &'f SqlFile,
    ) -> Result<Vec<(&'f Name, Named<'a>)>> {
        let mut findings = file.findings().to_vec();
        let mut named = Vec::new();
        for name in file.names() {
            match scope.meaning(&name.reference) {
                Meaning::One(meaning) => named.push((name, meaning)),
                Meaning::Unknown => findings.push(unknown(scope, file, name)),
                Meaning::Ambiguous(one, other) => findings.push(ambiguous(file, name, one, other)),
                Meaning::Broken(broken) => {
                    let faults = scope.faults(broken);
                    match faults.is_empty() {
                        true => findings.push(unknown(scope, file, name)),
                        false => findings.extend(faults),
                    }
                }
            }
        }
        match findings.is_empty() {
            true => Ok(named),
            false => Err(Error::invalid(findings)),
        }
    }
}

fn unknown(scope: Scope<'_>, file: &SqlFile, name: &Name) -> Finding {
    private(
        scope,
        name,
        diagnose::unknown_table(file, name, &scope.known()),
    )
}

/// Says of an unknown relation that it is another pipeline's own model.
fn private(scope: Scope<'_>, name: &Name, mut finding: Finding) -> Finding {
    let Scope::Pipeline(project, pipeline) = scope else {
        return finding;
    };
    let table = name.reference.table();
    let mut others = project.pipelines.values();
    let owner = others.find(|other| other.models.contains_key(table));
    if let Some(owner) = owner.filter(|owner| owner.name != pipeline.name) {
        finding.help = vec![format!(
            "`{table}` is a model of {}, and models are private: read its output `{}`",
            owner.name,
            owner.relation()
        )];
    }
    finding
}

fn ambiguous(file: &SqlFile, name: &Name, one: &str, other: &str) -> Finding {
    let table = name.reference.table();
    let what = format!("`{table}` is a relation of both {one} and {other}");
    Finding::new(Code::AmbiguousRelation, what)
        .at(file.place(name.span.clone()), "which?")
        .help(format!("write `{}.{table}`", one.replace('-', "_")))
}

/// Plans a file whose relations are known.
async fn planned(
    planner: &mut Planner,
    scope: Scope<'_>,
    file: &SqlFile,
    bindings: &Bindings,
    relations: Vec<Relation>,
) -> Result<LogicalPlan> {
    let statement = file.bound(bindings).map_err(Error::invalid)?;
    let dropped = kinds::findings(planner.state(), file);
    if !dropped.is_empty() {
        return Err(Error::invalid(dropped));
    }
    let plan = retry::plan(planner, statement, relations).await;
    let plan = plan.map_err(|error| {
        let known = || scope.known();
        Error::invalid(vec![diagnose::finding(&error, file, known)])
    })?;
    let mixed = mixed::findings(&plan, file);
    if !mixed.is_empty() {
        return Err(Error::invalid(mixed));
    }
    page::filled(plan, file)
}

/// A pipeline that is being compiled.
struct Unit<'a, 'b> {
    compiler: Compiler<'a>,
    project: &'a Project,
    pipeline: &'a Pipeline,
    bindings: &'b Bindings,
    reading: Reading,
    compiled: Compiled,
    /// The models as relations, by name; of those that could not be planned, none.
    tables: BTreeMap<String, Arc<dyn TableProvider>>,
}

impl<'a, 'b> Unit<'a, 'b> {
    fn new(
        compiler: Compiler<'a>,
        (project, pipeline): (&'a Project, &'a Pipeline),
        bindings: &'b Bindings,
        reading: Reading,
    ) -> Unit<'a, 'b> {
        Unit {
            compiler,
            project,
            pipeline,
            bindings,
            reading,
            compiled: Compiled {
                models: IndexMap::new(),
                checks: IndexMap::new(),
                findings: Vec::new(),
                planned: BTreeSet::new(),
                keys: Keys::new(),
                planner: Planner::new(compiler.context, compiler.at),
            },
            tables: BTreeMap::new(),
        }
    }

    async fn models(&mut self, models: &[&str]) -> Result<()> {
        for name in models {
            let file = &self.pipeline.models[*name];
            if let Some(plan) = self.plan(file).await? {
                if self.reading == Reading::Columns {
                    let found = grain::findings(self.pipeline, name, plan.schema().as_arrow());
                    self.compiled.findings.extend(found);
                }
                self.add(name, plan)?;
            }
        }
        Ok(())
    }

    async fn checks(&mut self) -> Result<()> {
        for (name, file) in &self.pipeline.rules {
            if let Some(plan) = self.plan(file).await? {
                self.compiled.checks.insert(name.clone(), plan);
            }
        }
        Ok(())
    }

    /// Plans a file, or keeps what is wrong with it. What reads a model that could not
    /// be planned is left out: its faults would be echoes.
    async fn plan(&mut self, file: &SqlFile) -> Result<Option<LogicalPlan>> {
        match self.try_plan(file).await {
            Ok(Some(plan)) if self.reading == Reading::Columns => {
                Ok(self.examined(file, plan).await)
            }
            Ok(plan) => Ok(plan),
            Err(Error::Invalid(findings)) => {
                self.compiled.planned.insert(file.path.clone());
                self.compiled.findings.extend(findings.0);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Plans down to what would run, and looks for what is probably not meant.
    async fn examined(&mut self, file: &SqlFile, plan: LogicalPlan) -> Option<LogicalPlan> {
        let scope = Scope::Pipeline(self.project, self.pipeline);
        let keys = self
            .compiler
            .named(scope, file)
            .map(|named| keys::of(&named));
        let keys = keys.unwrap_or_default();
        self.compiled
            .findings
            .extend(lint::lint(&plan, file, &keys));
        match self.compiled.planner.physical(&plan).await {
            Ok(_) => Some(plan),
            Err(error) => {
                let known = || Scope::Pipeline(self.project, self.pipeline).known();
                let finding = diagnose::finding(&error, file, known);
                self.compiled.findings.push(finding);
                None
            }
        }
    }

    async fn try_plan(&mut self, file: &SqlFile) -> Result<Option<LogicalPlan>> {
        let scope = Scope::Pipeline(self.project, self.pipeline);
        let mut relations = Vec::new();
        let named = self.compiler.named(scope, file)?;
        self.compiled.keys.extend(keys::of(&named));
        for (name, named) in named {
            let table = match named {
                Named::Model(_, model) => match self.tables.get(model) {
                    Some(table) => Arc::clone(table),
                    None => return Ok(None),
                },
                named => self.outside(named).await?,
            };
            relations.push((name.reference.clone(), table));
        }
        self.compiled.planned.insert(file.path.clone());
        let planner = &mut self.compiled.planner;
        let plan = planned(planner, scope, file, self.bindings, relations);
        plan.await.map(Some)
    }

    /// Returns what comes from outside the pipeline's SQL. What the parameters leave out
    /// is empty.
    async fn outside(&self, named: Named<'a>) -> Result<Arc<dyn TableProvider>> {
        let mut left_out = self.pipeline.reads.left_out.iter();
        let is_left_out = left_out.any(|relation| {
            let meant = scope::named(self.project, self.pipeline, relation);
            meant.is_some_and(|meant| meant.is(named))
        });
        let relations: &dyn Relations = match is_left_out {
            true => &Empty,
            false => self.compiler.relations,
        };
        outside(relations, self.compiler.context, named).await
    }

    /// Makes a model a relation for those that read it.
    fn add(&mut self, name: &str, plan: LogicalPlan) -> Result<()> {
        let pipeline = self.pipeline;
        if name == pipeline.output {
            let found = contract::compare(pipeline, plan.schema().as_arrow());
            self.compiled.findings.extend(found);
        }
        let is_written =
            name == pipeline.output || pipeline.reads.is_written(name, &pipeline.output);
        let (table, deferred): (Arc<dyn TableProvider>, _) = match self.reading {
            Reading::Columns => {
                let schema = Arc::new(plan.schema().as_arrow().clone());
                (tables::empty(schema), None)
            }
            Reading::Rows if is_written => {
                let deferred = Arc::new(Deferred::new(name, delivered(pipeline, name, &plan)));
                (Arc::clone(&deferred) as _, Some(deferred))
            }
            Reading::Rows => (Arc::new(ViewTable::new(plan.clone(), None)), None),
        };
        self.tables.insert(name.to_owned(), table);
        let model = Model { plan, deferred };
        self.compiled.models.insert(name.to_owned(), model);
        Ok(())
    }
}

/// Returns the columns of a model once it is written: the contract's, if it is the output.
pub(crate) fn delivered(pipeline: &Pipeline, model: &str, plan: &LogicalPlan) -> SchemaRef {
    match model == pipeline.output {
        true => nullable(&pipeline.contract.arrow()),
        false => nullable(plan.schema().as_arrow()),
    }
}

/// Returns the schema with every column nullable: nulls are found by the checks, which
/// show the rows, and not by the writer.
fn nullable(schema: &Schema) -> SchemaRef {
    let nullable = |field: &Arc<Field>| Field::new(field.name(), field.data_type().clone(), true);
    let fields: Vec<Field> = schema.fields().iter().map(nullable).collect();
    Arc::new(Schema::new(fields))
}

/// Returns the rows of what no SQL of the pipeline makes.
async fn outside(
    relations: &dyn Relations,
    context: &SessionContext,
    named: Named<'_>,
) -> Result<Arc<dyn TableProvider>> {
    let table = relations.table(context, named).await?;
    table.ok_or_else(|| {
        let nowhere = format!("there are no rows for {named:?}");
        Error::run("the relations", DataFusionError::Internal(nowhere))
    })
}

/// Models and outputs as parts of the plans that read them, each planned once.
struct Views<'a, 'b> {
    compiler: Compiler<'a>,
    scope: Scope<'a>,
    bindings: &'b IndexMap<String, Bindings>,
    /// By pipeline and model.
    tables: BTreeMap<(&'a str, &'a str), Arc<dyn TableProvider>>,
}

impl<'a> Views<'a, '_> {
    async fn table(&mut self, named: Named<'a>) -> Result<Arc<dyn TableProvider>> {
        let Compiler {
            relations, context, ..
        } = self.compiler;
        if let Some(table) = relations.table(context, named).await? {
            return Ok(table);
        }
        match named {
            Named::Model(pipeline, model) => self.model(pipeline, model).await,
            Named::Output(pipeline) => self.model(pipeline, &pipeline.output).await,
            named => outside(relations, context, named).await,
        }
    }

    async fn model(
        &mut self,
        pipeline: &'a Pipeline,
        model: &'a str,
    ) -> Result<Arc<dyn TableProvider>> {
        let key = (pipeline.name.as_str(), model);
        if let Some(table) = self.tables.get(&key) {
            return Ok(Arc::clone(table));
        }
        let view = Box::pin(self.view(pipeline, model)).await?;
        self.tables.insert(key, Arc::clone(&view));
        Ok(view)
    }

    /// Plans a model; those it reads are planned before it.
    async fn view(
        &mut self,
        pipeline: &'a Pipeline,
        model: &'a str,
    ) -> Result<Arc<dyn TableProvider>> {
        let file = &pipeline.models[model];
        let scope = self.scope.of_models(pipeline);
        let mut relations = Vec::new();
        for (name, named) in self.compiler.named(scope, file)? {
            relations.push((name.reference.clone(), self.table(named).await?));
        }
        let given = self.bindings.get(&pipeline.name).cloned();
        let bindings = given.unwrap_or_else(|| Bindings::defaults(pipeline));
        let mut planner = Planner::new(self.compiler.context, self.compiler.at);
        let plan = planned(&mut planner, scope, file, &bindings, relations);
        Ok(Arc::new(ViewTable::new(plan.await?, None)))
    }
}
