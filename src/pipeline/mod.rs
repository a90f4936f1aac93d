//! What an analyst defines: sources, pipelines, their SQL, seeds and checks.
//!
//! A [`Project`] is read once from `pipelines/` and `sql/` (or from the copies
//! embedded in the binary, where the project has none) and says everything that
//! the engine, the outbox and the update need to know. Nothing here runs SQL.

mod broken;
mod checks;
pub(crate) mod dag;
mod files;
mod grain;
mod graph;
pub mod keys;
mod load;
mod manifest;
mod names;
mod params;
mod plain;
mod reader;
mod relation;
mod seed_types;
mod seeds;
mod sources;
mod sql;
mod staging;
mod template;
mod units;

use std::{ops::Range, path::PathBuf, sync::Arc};

use indexmap::IndexMap;
use sha2::{Digest, Sha256};

pub use broken::Broken;
pub use checks::{Age, Change, Checks, Rows, Severity};
pub use files::{Embedded, embedded};
pub use grain::{Grain, Word};
pub use graph::Reads;
pub use params::{Bindings, Param};
pub use relation::Relation;
pub(crate) use relation::resolve;
pub use seed_types::read_declared;
pub use seeds::read_seed;
pub use sql::{Name, SqlFile};
pub(crate) use sql::{ParsedText, byte_at, lower_first, parse_any, walk, walk_mut};
pub use template::{Part, Slot, Template};
pub(crate) use units::{broken_units, units};

use crate::{
    dataset::{Contract, Dataset, Docs},
    diagnostics::{Finding, Findings, did_you_mean},
};

/// Why a pipeline could not be selected or bound.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No pipeline has that name.
    #[error("there is no pipeline `{name}`")]
    Unknown {
        /// What was asked for.
        name: String,
        /// The nearest name there is.
        nearest: Option<String>,
        /// All names.
        known: Vec<String>,
    },
    /// No parameter has that name.
    #[error("there is no parameter `{name}`")]
    UnknownParam {
        /// What was asked for.
        name: String,
        /// The nearest name there is.
        nearest: Option<String>,
    },
    /// The parameter is another pipeline's.
    #[error("parameter `{name}` belongs to `{pipeline}`, which is not involved here")]
    OtherParam {
        /// What was asked for.
        name: String,
        /// The pipeline that has it.
        pipeline: String,
    },
    /// A parameter's value cannot be used.
    #[error("parameter `{name}`: {reason}")]
    Param {
        /// The parameter's name.
        name: String,
        /// What is wrong with the value.
        reason: String,
    },
}

/// A result of this module.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Error::Unknown {
                nearest: Some(name),
                ..
            }
            | Error::UnknownParam {
                nearest: Some(name),
                ..
            } => Some(did_you_mean(name)),
            Error::Unknown { name, known, .. } if known.is_empty() => {
                Some(format!("`pricemill new pipeline {name}` creates it"))
            }
            Error::Unknown { known, .. } => Some(format!("the pipelines are {}", known.join(", "))),
            Error::UnknownParam { .. } | Error::OtherParam { .. } | Error::Param { .. } => None,
        }
    }
}

/// Everything an analyst has defined.
#[derive(Debug, Clone)]
pub struct Project {
    /// The folder that holds `pipelines/` and `sql/`; `None` for the embedded ones.
    pub root: Option<PathBuf>,
    /// The datasets of `pipelines/sources.toml`, by name.
    pub datasets: IndexMap<String, Dataset>,
    /// The pipelines, by name, sorted.
    pub pipelines: IndexMap<String, Pipeline>,
    /// The models of `sql/staging/` that every pipeline may read, as a pipeline without an
    /// output.
    pub staging: Pipeline,
    /// What is probably not meant: models that nothing reads, folders of no pipeline.
    pub warnings: Vec<Finding>,
    /// The pipelines that cannot run, of a project that was read for what can.
    pub broken: Vec<Broken>,
}

/// One pipeline: its manifest and its files.
#[derive(Debug, Clone)]
pub struct Pipeline {
    /// Its name, such as `store-groups`.
    pub name: String,
    /// What it makes, in one sentence.
    pub description: String,
    /// Other names it answers to (`--subs`).
    pub aliases: Vec<String>,
    /// The manifest's file and text, for findings.
    pub manifest: SourceFile,
    /// The model that is delivered.
    pub output: String,
    /// The delivered file.
    pub file: OutputFile,
    /// Further files that lie beside it, each with the model that it is; they are not
    /// uploaded.
    pub also: Vec<(OutputFile, String)>,
    /// The columns that name an output row.
    pub grain: Vec<String>,
    /// The columns the written rows are ordered by; the grain by default.
    pub order: Vec<String>,
    /// Whether the artifact is uploaded.
    pub upload: bool,
    /// The last part of the upload's URL; the name by default.
    pub endpoint: String,
    /// The datasets that count as empty when they were not fetched.
    pub optional: Vec<String>,
    /// The parameters, by name, in the order declared.
    pub params: IndexMap<String, Param>,
    /// The output's columns.
    pub contract: Contract,
    /// What its columns hold.
    pub docs: Docs,
    /// The checks that run before the commit.
    pub checks: Checks,
    /// What `update` does with the artifact.
    pub update: Vec<UpdateStep>,
    /// `sql/<name>/*.sql`, by name, sorted.
    pub models: IndexMap<String, SqlFile>,
    /// `sql/<name>/*.csv` and other text, by name, sorted.
    pub seeds: IndexMap<String, SourceFile>,
    /// The columns of seeds whose types are declared, by the seeds' names.
    pub seed_types: IndexMap<String, Contract>,
    /// `sql/<name>/checks/*.sql`, by name, sorted: each returns one rule's bad rows.
    pub rules: IndexMap<String, SqlFile>,
    /// `sql/<name>/update/<table>.sql`, by table: what fills it, over `artifact`
    /// and `db.<table>`.
    pub updates: IndexMap<String, SqlFile>,
    /// What the models and the rules read.
    pub reads: Reads,
    /// Where the manifest says what findings point at.
    pub places: Places,
}

/// Where a manifest says something, in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Places {
    /// `contract`.
    pub contract: Range<usize>,
    /// The contract's columns, by name.
    pub columns: IndexMap<String, Range<usize>>,
    /// The value of `grain`.
    pub grain: Range<usize>,
    /// The aliases, each with its bytes in the manifest.
    pub aliases: IndexMap<String, Range<usize>>,
}

/// A file of the project with its text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SourceFile {
    /// The path, relative to the project's folder, with `/`.
    pub path: PathBuf,
    /// The whole text, as read.
    pub text: Arc<str>,
}

/// The file a pipeline delivers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputFile {
    /// Its name, such as `bargains.json`.
    pub name: String,
    /// Its format, by its extension.
    pub format: Format,
}

/// The formats of artifacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A JSON array, one object a line.
    Json,
    /// JSON Lines.
    JsonLines,
    /// CSV with a header.
    Csv,
    /// Parquet.
    Parquet,
    /// One text column of one row, written as it is.
    Html,
    /// One text, an SVG picture, written as it is.
    Svg,
    /// One text, an SVG picture, that is drawn.
    Png,
}

impl Format {
    /// Whether a file of the format is one text, and not rows.
    pub fn is_one_text(self) -> bool {
        matches!(self, Format::Html | Format::Svg | Format::Png)
    }
}

/// One table that an artifact is applied to.
#[derive(Debug, Clone, PartialEq)]
pub struct UpdateStep {
    /// The table's name.
    pub table: String,
    /// Where the manifest names it, in bytes.
    pub table_at: Range<usize>,
    /// Whether rows that the artifact lacks are deleted.
    pub mode: UpdateMode,
    /// Column → `table.column` it must be found in.
    pub references: IndexMap<String, Reference>,
    /// Where the manifest says so, by column, in bytes.
    pub references_at: IndexMap<String, Range<usize>>,
    /// The share of rows that may be rejected, in percent, before all is refused.
    pub max_rejects_percent: f64,
}

/// How a table takes an artifact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpdateMode {
    /// The table becomes the artifact.
    Replace,
    /// The artifact's rows are inserted or changed; none is deleted.
    Upsert,
}

/// A column that must hold a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The table's name.
    pub table: String,
    /// The column's name.
    pub column: String,
}

impl Project {
    /// Reads a project's folder; one without `pipelines/` gets the embedded definitions.
    ///
    /// ```
    /// # use pricemill::pipeline::Project;
    /// let folder = tempfile::tempdir()?;
    /// let project = Project::load(folder.path())?;
    /// let bargains = &project.pipelines["bargains"];
    /// assert_eq!(bargains.grain, ["product_id"]);
    /// assert!(bargains.params.contains_key("min_ratio"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns every fault that reading alone can show, each with its place.
    pub fn load(root: &std::path::Path) -> Result<Project, Findings> {
        load::load(root)
    }

    /// Reads a project's folder for what can run: a pipeline with a fault is set aside,
    /// with those that read it, in [`Project::broken`].
    ///
    /// # Errors
    ///
    /// Returns every fault, if one is in what all pipelines share.
    pub fn load_sound(root: &std::path::Path) -> Result<Project, Findings> {
        load::load_sound(root)
    }

    /// Reads what can be read of a project that [`Project::load`] refuses, to find what else
    /// is wrong in it; nothing where the rest would only follow from its errors.
    pub fn readable(root: &std::path::Path) -> Option<Project> {
        load::readable(root)
    }

    /// Returns the pipelines meant by names or aliases (`-` and `_` are the same);
    /// all when none is given. Each once, none before what it reads.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Unknown`] with the nearest name there is.
    pub fn select(&self, names: &[String]) -> Result<Vec<&Pipeline>> {
        let mut selected = Vec::new();
        for name in names {
            selected.push(names::find(self, name)?);
        }
        if names.is_empty() {
            selected.extend(self.pipelines.values());
        }
        let mut order = graph::in_order(self, &selected);
        order.retain(|pipeline| selected.iter().any(|wanted| wanted.name == pipeline.name));
        Ok(order)
    }

    /// Returns the pipelines of these names as they are here.
    pub fn these(&self, pipelines: &[&Pipeline]) -> Vec<&Pipeline> {
        let here = pipelines
            .iter()
            .map(|pipeline| &self.pipelines[&pipeline.name]);
        here.collect()
    }

    /// Says why no new pipeline can have a name; nothing if one can.
    pub fn refuses_name(&self, name: &str) -> Option<String> {
        names::refused(self, name)
    }

    /// Gives every pipeline its parameters: the defaults, and for the selected ones
    /// what `k=v` and `pipeline.k=v` say. By the pipelines' names.
    ///
    /// # Errors
    ///
    /// Names the parameter, its type and its range.
    pub fn bind(
        &self,
        selected: &[&Pipeline],
        given: &[String],
    ) -> Result<IndexMap<String, Bindings>> {
        params::bind(self, selected, given)
    }

    /// Returns the pipelines and all that they read, each after what it reads.
    pub fn in_order(&self, pipelines: &[&Pipeline]) -> Vec<&Pipeline> {
        graph::in_order(self, pipelines)
    }

    /// Returns the pipelines whose outputs `pipeline` reads, itself left out, in
    /// the order they must run.
    pub fn upstream(&self, pipeline: &Pipeline) -> Vec<&Pipeline> {
        graph::upstream(self, pipeline)
    }

    /// Returns the datasets that the pipelines read, themselves or through other
    /// pipelines, by name.
    pub fn datasets_of(&self, pipelines: &[&Pipeline]) -> Vec<&Dataset> {
        graph::datasets_of(self, pipelines)
    }

    /// Returns the datasets that the pipelines read of the snapshot before the one in
    /// use, as `previous.<dataset>`, themselves or through other pipelines, by name.
    pub fn previous_of(&self, pipelines: &[&Pipeline]) -> Vec<&str> {
        graph::previous_of(self, pipelines).into_iter().collect()
    }

    /// Returns the datasets that the pipelines read of the days before the snapshot in
    /// use, as `history.<dataset>`, themselves or through other pipelines, by name.
    pub fn history_of(&self, pipelines: &[&Pipeline]) -> Vec<&str> {
        graph::history_of(self, pipelines).into_iter().collect()
    }

    /// Says whether the dataset counts as empty for these pipelines when a service
    /// lacks it: every one that reads it declares it `optional`.
    pub fn is_optional(&self, pipelines: &[&Pipeline], dataset: &str) -> bool {
        graph::is_optional(self, pipelines, dataset)
    }
}

impl Pipeline {
    /// Returns the pipeline's name as a relation: `store_groups`.
    pub fn relation(&self) -> String {
        names::relation(&self.name)
    }

    /// Returns the hash, in hex, of what makes the output: the manifest, the models,
    /// the seeds, the rules and the templates, with their names.
    pub fn sql_sha256(&self) -> String {
        let mut hash = Sha256::new();
        let sources = |files: &'_ IndexMap<String, SqlFile>| -> Vec<SourceFile> {
            files.values().map(|file| (**file).clone()).collect()
        };
        let seeds = self.seeds.values().cloned().collect();
        let templates = self.models.values().filter_map(SqlFile::template);
        let templates = templates.map(|template| template.source().clone());
        let files = [sources(&self.models), seeds, sources(&self.rules)].concat();
        let files: Vec<SourceFile> = files.into_iter().chain(templates).collect();
        for file in std::iter::once(&self.manifest).chain(&files) {
            let path = file.path.to_string_lossy();
            hash.update(format!("{} {}\n", path.replace('\\', "/"), file.text.len()));
            hash.update(file.text.as_bytes());
        }
        hex::encode(hash.finalize())
    }

    /// Returns the datasets that the pipeline's own SQL reads, by name.
    pub fn datasets(&self) -> Vec<&str> {
        graph::own_datasets(self).into_iter().collect()
    }
}
