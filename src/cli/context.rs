//! What a command works with, and how it comes to its end.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use serde_json::Value;

use super::{
    Loaded,
    args::{Command, Parsed, Selection},
    dispatch,
    screen::{Screen, chain, sized, spoken},
};
use crate::{
    clock::SystemClock,
    config::{Config, Environment, Overrides},
    database::{self, Database},
    error::{Error, Result},
    inbox::Inbox,
    kind::Kind,
    outbox::Outbox,
    pipeline::{Pipeline, Project},
    runs::{self, Lock, Run, RunId},
    source::{DatabaseSource, Http, Source},
    storage::{Location, Scratch},
};

/// What a command works with.
pub(crate) struct Context {
    pub(crate) config: Config,
    pub(crate) screen: Screen,
    /// Where the data lies.
    pub(crate) data: Location,
    /// The run's name.
    pub(crate) run: RunId,
    /// When the run began.
    pub(crate) now: DateTime<Utc>,
    pub(crate) environment: Environment,
    /// The working directory.
    pub(crate) from: PathBuf,
    project: Loaded,
    steps: Mutex<Vec<IndexMap<String, Value>>>,
}

/// How a command ended: one count a pipeline (or a test).
#[derive(Debug, Clone, Default)]
pub(crate) struct Ending {
    pub(crate) pass: usize,
    pub(crate) warn: usize,
    pub(crate) fail: usize,
    pub(crate) skip: usize,
    /// What the failures were.
    pub(crate) kinds: Vec<Kind>,
    /// The pipelines that did not come through: what follows leaves them alone.
    pub(crate) held: Vec<String>,
    /// Whether there is no summary line.
    pub(crate) silent: bool,
}

impl Ending {
    /// Returns the ending of a command that has nothing to count.
    pub(crate) fn silent() -> Ending {
        Ending {
            silent: true,
            ..Ending::default()
        }
    }

    /// Counts a success, with warnings or without.
    pub(crate) fn passed(&mut self, warnings: usize) {
        self.pass += 1;
        self.warn += warnings;
    }

    /// Counts a failure.
    pub(crate) fn failed(&mut self, kind: Kind) {
        self.fail += 1;
        self.kinds.push(kind);
    }

    /// Adds another ending.
    pub(crate) fn and(mut self, other: Ending) -> Ending {
        self.pass += other.pass;
        self.warn += other.warn;
        self.fail += other.fail;
        self.skip += other.skip;
        self.kinds.extend(other.kinds);
        self.held.extend(other.held);
        self.silent = self.silent && other.silent;
        self
    }

    /// Returns the exit code: the first of 130, 70, 1, 3, 75 that occurred.
    fn exit_code(&self) -> u8 {
        use Kind::{Busy, Data, Failed, Internal, Interrupted, Unavailable, Usage};
        let order = [
            Interrupted,
            Internal,
            Failed,
            Data,
            Unavailable,
            Busy,
            Usage,
        ];
        let worst = order.into_iter().find(|kind| self.kinds.contains(kind));
        worst.map_or(0, Kind::exit_code)
    }

    fn summary(&self, time: Duration) -> String {
        let Ending {
            pass,
            warn,
            fail,
            skip,
            ..
        } = self;
        format!(
            "PASS={pass} WARN={warn} FAIL={fail} SKIP={skip} in {}",
            spoken(time)
        )
    }
}

/// Reads the project that a folder lies in.
pub(crate) fn project_of(from: &Path) -> Loaded {
    Project::load(&Config::root_of(from))
}

/// Runs a command to its end, tells it, records it, and returns the exit code.
pub(crate) async fn to_the_end(
    parsed: Parsed,
    project: Loaded,
    environment: &Environment,
    from: &Path,
    screen: Screen,
) -> u8 {
    let began = Instant::now();
    let words = std::env::args().skip(1).collect::<Vec<_>>();
    let overrides = Overrides {
        profile: parsed
            .global
            .profile
            .clone()
            .or(parsed.global.dev.then(|| "dev".to_owned())),
        threads: parsed.global.threads,
    };
    let context = Config::load(from, environment, &overrides)
        .map_err(Error::from)
        .and_then(|config| Context::new(config, project, screen.clone(), environment, from));
    let mut context = match context {
        Ok(context) => context,
        Err(error) => {
            screen.error(&error);
            return error.kind().exit_code();
        }
    };
    // Without it temporary files go where they go, and a killed run leaves them there.
    let scratch = Scratch::open(context.config.engine.temp.as_deref()).ok();
    if let Some(scratch) = &scratch {
        scratch.adopt();
        context.spill_into(scratch);
    }
    let writes = parsed.command.writes();
    let wait = parsed.global.wait.unwrap_or_default();
    let ended = locked(&context, parsed.command, writes, &words, wait).await;
    let (code, error) = match &ended {
        Ok(ending) => (ending.exit_code(), None),
        Err(Stopped::Signal(code)) => (*code, Some("interrupted".to_owned())),
        Err(Stopped::Error(error)) => (error.kind().exit_code(), Some(chain(error))),
    };
    if writes && code != Kind::Busy.exit_code() {
        context.record(words, began.elapsed(), code, error).await;
    }
    match ended {
        Ok(ending) if ending.silent => {}
        Ok(ending) => {
            if let Some(bytes) = runs::peak_memory_bytes().filter(|_| screen.verbose()) {
                screen.say(format!("the process held {} at most", sized(bytes)));
            }
            screen.say(ending.summary(began.elapsed()));
        }
        Err(Stopped::Signal(_)) => {
            screen.say("interrupted; the same command goes on where this one stopped")
        }
        Err(Stopped::Error(error)) => screen.error(&error),
    }
    code
}

enum Stopped {
    Signal(u8),
    Error(Error),
}

async fn locked(
    context: &Context,
    command: Command,
    writes: bool,
    words: &[String],
    wait: Duration,
) -> Result<Ending, Stopped> {
    let holder = format!("pricemill {}", words.join(" "));
    let serves = matches!(command, Command::Serve(_));
    let work = async {
        let _lock = match writes {
            true => {
                let lock = Lock::take(&context.data, &holder, wait).await?;
                context.data.sweep().await;
                Some(lock)
            }
            false => None,
        };
        dispatch(context, command).await
    };
    tokio::select! {
        ended = work => ended.map_err(Stopped::Error),
        // The server hears the signal itself, and ends gracefully.
        code = signal(), if !serves => Err(Stopped::Signal(code)),
    }
}

/// Waits for an interrupt (130) or a request to end (143).
pub(crate) async fn signal() -> u8 {
    use tokio::signal::unix::{SignalKind, signal};
    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => terminate.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => match interrupted {
            Ok(()) => 130,
            Err(_) => std::future::pending().await,
        },
        _ = terminate => 143,
    }
}

impl Context {
    /// Returns what a command works with under these settings.
    pub(crate) fn new(
        config: Config,
        project: Loaded,
        screen: Screen,
        environment: &Environment,
        from: &Path,
    ) -> Result<Context> {
        let now = Utc::now();
        Ok(Context {
            data: Location::open(&config.data, &config.store)?,
            run: RunId::new(now, std::process::id()),
            now,
            config,
            screen,
            environment: environment.clone(),
            from: from.to_owned(),
            project,
            steps: Mutex::default(),
        })
    }

    /// Has the engine spill into the run's own folder. With data elsewhere the folder of
    /// the settings also keeps fetches in progress, which outlive a run.
    fn spill_into(&mut self, scratch: &Scratch) {
        if let (Some(temp), Some(_)) = (&mut self.config.engine.temp, self.data.local()) {
            scratch.path().clone_into(temp);
        }
    }

    /// Returns the project, or what is wrong with it.
    pub(crate) fn project(&self) -> Result<&Project> {
        self.project
            .as_ref()
            .map_err(|findings| Error::Invalid(findings.clone()))
    }

    /// Returns the pipelines meant.
    pub(crate) fn select(&self, selection: &Selection) -> Result<Vec<&Pipeline>> {
        Ok(self.project()?.select(&selection.names)?)
    }

    pub(crate) fn snapshots(&self) -> Location {
        self.data.child("snapshots")
    }

    pub(crate) fn outbox(&self) -> Outbox {
        Outbox {
            location: self.data.child("outbox"),
        }
    }

    /// Returns the profile's own inbox, else the data folder's. What was applied goes
    /// to an archive beside it, where senders see it too.
    pub(crate) fn inbox(&self) -> Result<Inbox> {
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

    pub(crate) fn runs(&self) -> Location {
        self.data.child("runs")
    }

    pub(crate) fn database(&self) -> Result<Arc<dyn Database>> {
        Ok(database::open(&self.config.database, &self.config.root)?)
    }

    /// Returns where prices come from: the profile's server, else the database.
    pub(crate) fn source(&self) -> Result<Box<dyn Source>> {
        match &self.config.profile.server {
            Some(server) => Ok(Box::new(Http::new(
                server,
                self.config.key()?.clone(),
                &self.config.fetch,
                SystemClock::shared(),
            )?)),
            None => {
                let name = self.config.database.clone();
                Ok(Box::new(DatabaseSource::new(name, self.database()?)))
            }
        }
    }

    /// Keeps what a step did for the run's record.
    pub(crate) fn step(&self, name: &str, facts: impl IntoIterator<Item = (&'static str, Value)>) {
        let facts = facts
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value));
        let step = [("step".to_owned(), name.into())]
            .into_iter()
            .chain(facts)
            .collect();
        self.steps
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .push(step);
    }

    async fn record(&self, command: Vec<String>, time: Duration, exit: u8, error: Option<String>) {
        let steps = self
            .steps
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .clone();
        let run = Run {
            id: self.run.clone(),
            command,
            profile: self.config.profile.name.clone(),
            began_at: self.now,
            seconds: time.as_secs_f64(),
            exit,
            error,
            peak_memory_bytes: runs::peak_memory_bytes(),
            steps,
        };
        if let Err(error) = run.record(&self.runs()).await {
            self.screen.warn(chain(&error));
        }
    }
}
