//! What a use case works with: the project, the places of its data, the database, the
//! instant, the run's name, the settings, and who receives its events.
//!
//! A command, a server or a test builds one and calls the stages: `fetch`, `generate`,
//! `upload`, `update` … It opens places when they are asked for, and decides nothing.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::{
    clock::SharedClock,
    config::{self, Config},
    database::{self, Database},
    diagnostics::{Finding, Findings},
    events::Events,
    inbox::Inbox,
    kind::Kind,
    outbox::Outbox,
    pipeline::{self, Broken, Pipeline, Project},
    report::{Failure, LeftOut},
    runs::RunId,
    source::{self, DatabaseSource, Http, Source},
    storage::{self, Location},
};

/// Why a use case lacks what it works with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The project's own files are wrong; every finding has its place in them.
    #[error(transparent)]
    Invalid(#[from] Findings),
    /// There is no such pipeline.
    #[error(transparent)]
    Pipeline(#[from] pipeline::Error),
    /// A setting is missing.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// A place cannot be opened.
    #[error(transparent)]
    Storage(#[from] storage::Error),
    /// The database cannot be opened.
    #[error(transparent)]
    Database(#[from] database::Error),
    /// The server's client cannot be made.
    #[error(transparent)]
    Source(#[from] source::Error),
    /// No dataset is named, and there is no pipeline that reads any.
    #[error("{NO_PIPELINES}, which would say what to fetch")]
    NothingToFetch,
}

/// A result of this module.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Error::Invalid(_) | Error::Pipeline(_) | Error::Config(_) | Error::NothingToFetch => {
                Kind::Usage
            }
            Error::Storage(error) => error.kind(),
            Error::Database(error) => error.kind(),
            Error::Source(error) => error.kind(),
        }
    }

    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Error::Invalid(_) => None,
            Error::Pipeline(error) => error.hint(),
            Error::Config(error) => error.hint(),
            Error::Storage(error) => error.hint(),
            Error::Database(error) => error.hint(),
            Error::Source(error) => error.hint(),
            Error::NothingToFetch => Some(NEW_PIPELINE.to_owned()),
        }
    }

    pub(crate) fn findings(&self) -> &[Finding] {
        match self {
            Error::Invalid(findings) => &findings.0,
            Error::Config(error) => error.findings(),
            Error::Pipeline(_)
            | Error::Storage(_)
            | Error::Database(_)
            | Error::Source(_)
            | Error::NothingToFetch => &[],
        }
    }
}

/// What is said of a project that has only datasets.
pub(crate) const NO_PIPELINES: &str = "the project has no pipelines yet";

/// What to do then.
pub(crate) const NEW_PIPELINE: &str = "`pricemill new pipeline NAME` creates one";

/// What a use case works with.
#[derive(Debug)]
pub struct Env {
    /// The settings.
    pub config: Config,
    /// Where the data is.
    pub data: Location,
    /// The run's name.
    pub run: RunId,
    /// When the run began: the instant that everything it makes carries.
    pub now: DateTime<Utc>,
    /// What decides by time reads this clock, and waits by it.
    pub clock: SharedClock,
    /// Who receives events.
    pub events: Events,
    /// Read once; its faults are kept until a use case needs the project.
    project: Result<Project, Findings>,
}

impl Env {
    /// Opens the data folder and begins a run.
    ///
    /// # Errors
    ///
    /// The data's location cannot be opened.
    pub fn open(
        config: Config,
        project: Result<Project, Findings>,
        clock: SharedClock,
        events: Events,
    ) -> Result<Env> {
        let now = clock.now();
        Ok(Env {
            data: Location::open(&config.data, &config.store)?,
            config,
            run: RunId::new(now, std::process::id()),
            now,
            clock,
            events,
            project,
        })
    }

    /// Returns the project: what can run of it, and what cannot in [`Project::broken`].
    ///
    /// # Errors
    ///
    /// Returns what is wrong with its files, if it is in what all pipelines share.
    pub fn project(&self) -> Result<&Project> {
        self.project.as_ref().map_err(|found| found.clone().into())
    }

    /// Says whether the project has no pipelines, and reports how to get one.
    ///
    /// # Errors
    ///
    /// The project is wrong.
    pub(crate) fn is_without_pipelines(&self) -> Result<bool> {
        let project = self.project()?;
        let is_without = project.pipelines.is_empty() && project.broken.is_empty();
        if is_without {
            self.events.nothing(NO_PIPELINES, NEW_PIPELINE);
        }
        Ok(is_without)
    }

    /// Reports that the definitions are not the user's own, if they are not.
    ///
    /// # Errors
    ///
    /// The project is wrong.
    pub(crate) fn say_if_built_in(&self) -> Result<()> {
        if self.project()?.root.is_none() {
            let folder = self.config.root.display();
            self.events.nothing(
                format!("there is no project in {folder}: these are the built-in pipelines"),
                "`pricemill new DIR` creates a project of your own",
            );
        }
        Ok(())
    }

    /// Returns the pipelines of these names that can run, each after those it reads (all
    /// when none is given), and those that cannot.
    ///
    /// # Errors
    ///
    /// None of the pipelines can run, or a name is unknown.
    pub fn sound(&self, names: &[String]) -> Result<(Vec<&Pipeline>, Vec<&Broken>)> {
        let project = self.project()?;
        let (pipelines, broken) = project.sound(names)?;
        match pipelines.is_empty() && !broken.is_empty() {
            true => Err(project.faults_of(&broken).into()),
            false => Ok((pipelines, broken)),
        }
    }

    /// Returns the pipelines of these names that cannot run and why; all when none is given.
    /// What goes on without them says so at its end.
    ///
    /// # Errors
    ///
    /// The project is wrong.
    pub fn left_out(&self, names: &[String]) -> Result<Vec<LeftOut>> {
        let broken = self.project()?.broken(names).into_iter();
        let left_out = broken.map(|broken| LeftOut {
            pipeline: broken.name.clone(),
            because: broken.because.clone(),
            findings: broken.errors().cloned().collect(),
        });
        Ok(left_out.collect())
    }

    /// Describes why a pipeline cannot run.
    ///
    /// # Errors
    ///
    /// The project is wrong.
    pub(crate) fn fault(&self, broken: &Broken) -> Result<Failure> {
        let error = Error::Invalid(self.project()?.faults_of(&[broken]));
        Ok(Failure::new(
            &error,
            error.kind(),
            error.hint(),
            error.findings(),
        ))
    }

    /// Returns where snapshots are.
    pub fn snapshots(&self) -> Location {
        self.data.child("snapshots")
    }

    /// Returns where artifacts are before their upload.
    pub fn outbox(&self) -> Outbox {
        Outbox {
            location: self.data.child("outbox"),
        }
    }

    /// Returns the profile's own inbox, else the data folder's. What was applied goes
    /// to an archive beside it, where senders see it too.
    ///
    /// # Errors
    ///
    /// The profile's inbox cannot be opened.
    pub fn inbox(&self) -> Result<Inbox> {
        match &self.config.profile.inbox {
            Some(inbox) => {
                let inbox = Location::open(inbox, &self.config.store)?;
                let archive = inbox.child("archive");
                Ok(Inbox::new(inbox, archive))
            }
            None => Ok(Inbox::new(
                self.data.child("inbox"),
                self.data.child("archive/inbox"),
            )),
        }
    }

    /// Returns where archives of the database are.
    pub fn archives(&self) -> Location {
        self.data.child("archive/database")
    }

    /// Returns where the records of runs are.
    pub fn runs(&self) -> Location {
        self.data.child("runs")
    }

    /// Opens the database, made and migrated if need be.
    ///
    /// # Errors
    ///
    /// It cannot be opened, or is of a later version.
    pub fn database(&self) -> Result<Arc<dyn Database>> {
        Ok(database::open(&self.config.database, &self.config.root)?)
    }

    /// Returns where prices come from: the profile's server, else the database.
    ///
    /// # Errors
    ///
    /// The key is missing, or the database cannot be opened.
    pub fn source(&self) -> Result<Box<dyn Source>> {
        match &self.config.profile.server {
            Some(server) => Ok(Box::new(Http::new(
                server,
                self.config.key()?.clone(),
                &self.config.fetch,
                self.clock.clone(),
            )?)),
            None => {
                let name = self.config.database.clone();
                Ok(Box::new(DatabaseSource::new(name, self.database()?)))
            }
        }
    }
}
