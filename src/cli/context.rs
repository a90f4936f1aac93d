//! What a command works with, and how it ends.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use super::{
    ending::Ending,
    left_out,
    screen::{Screen, print_failure, print_report, sized},
};
use crate::{
    chain::chain,
    clock::{Stopwatch, SystemClock},
    config::{Config, Environment, Overrides},
    diagnostics::Findings,
    env::Env,
    error::{Error, Result},
    events::Events,
    kind::Kind,
    pipeline::Project,
    report::{Failure, Report},
    runs::{self, Lock, Run, Steps},
    storage::Scratch,
};

/// What a project is to the commands: read once, faults kept until one needs it.
pub(super) type Loaded = Result<Project, Findings>;

/// What a command works with.
pub(super) struct Context {
    pub(super) env: Env,
    pub(super) screen: Screen,
    pub(super) environment: Environment,
    /// The working directory.
    pub(super) from: PathBuf,
}

/// What is known before a command has what it works with.
pub(super) struct Start {
    /// The command line, without the program's name.
    pub(super) words: Vec<String>,
    /// The command's name.
    pub(super) name: String,
    pub(super) overrides: Overrides,
    /// How long to wait for another run.
    pub(super) wait: Duration,
    pub(super) project: Loaded,
    pub(super) environment: Environment,
    pub(super) from: PathBuf,
    pub(super) events: Events,
    pub(super) screen: Screen,
    /// The sink that keeps the steps for the run's record.
    pub(super) steps: Arc<Steps>,
}

/// What a command is to whoever runs it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Nature {
    /// It writes to the data folder or the database.
    pub(super) writes: bool,
    /// It ends by itself when it is asked to.
    pub(super) hears_signals: bool,
}

/// Reads the project that a folder is in.
pub(super) fn project_of(from: &Path) -> Loaded {
    Project::load_sound(&Config::root_of(from))
}

/// Returns what is wrong with the project and its pipelines, if anything is.
pub(super) fn faults(project: Loaded) -> Option<Findings> {
    match project {
        Ok(project) if project.broken.is_empty() => None,
        Ok(project) => Some(project.faults_of(&project.broken(&[]))),
        Err(findings) => Some(findings),
    }
}

enum Stopped {
    Signal(u8),
    Error(Error),
}

impl Start {
    /// Runs a command, prints how it ended, records it, and returns the exit
    /// code.
    pub(super) async fn run_to_end(
        self,
        nature: Nature,
        command: impl AsyncFnOnce(&Context) -> Result<Ending>,
    ) -> u8 {
        let began = Stopwatch::start();
        let Start {
            words, steps, wait, ..
        } = &self;
        let (words, steps, wait) = (words.clone(), steps.clone(), *wait);
        let (screen, name) = (self.screen.clone(), self.name.clone());
        let mut context = match self.open() {
            Ok(context) => context,
            Err(error) => {
                screen.failure(Some(&name), &error.failure());
                return error.kind().exit_code();
            }
        };
        // Without it, temporary files are in the system's folder, where a killed run leaves them.
        let scratch = Scratch::open(context.env.config.engine.temp.as_deref()).ok();
        if let Some(scratch) = &scratch {
            scratch.adopt();
            context.spill_into(scratch);
        }
        let work = async {
            let _lock = match nature.writes {
                true => Some(context.lock(&words, wait).await?),
                false => None,
            };
            command(&context).await
        };
        let ended = tokio::select! {
            ended = work => ended.map_err(Stopped::Error),
            code = signal(), if !nature.hears_signals => Err(Stopped::Signal(code)),
        };
        let (code, error) = match &ended {
            Ok(ending) => (ending.exit_code(), None),
            Err(Stopped::Signal(code)) => (*code, Some("interrupted".to_owned())),
            Err(Stopped::Error(error)) => (error.kind().exit_code(), Some(chain(error))),
        };
        if nature.writes && code != Kind::Busy.exit_code() && !is_read_only(&ended) {
            let run = context.run(words, began.elapsed(), &steps, (code, error));
            if let Err(error) = run.record(&context.env.runs()).await {
                screen.warn(chain(&error));
            }
        }
        print_end(&screen, &name, &ended, began.elapsed());
        code
    }

    fn open(self) -> Result<Context> {
        let config = Config::load(&self.from, &self.environment, &self.overrides)?;
        Context::new(
            config,
            self.project,
            self.screen,
            self.events,
            self.environment,
            self.from,
        )
    }
}

/// Says whether there is no place for the run's record either.
fn is_read_only(ended: &Result<Ending, Stopped>) -> bool {
    let error = ended.as_ref().err();
    matches!(
        error,
        Some(Stopped::Error(Error::Runs(runs::Error::ReadOnly { .. })))
    )
}

fn print_end(screen: &Screen, name: &str, ended: &Result<Ending, Stopped>, time: Duration) {
    match ended {
        Ok(ending) => {
            screen.point_to_explain();
            let Some(line) = ending.line(time) else {
                return;
            };
            if let Some(bytes) = runs::peak_memory_bytes().filter(|_| screen.verbose() > 0) {
                screen.say(format!("peak memory of the process: {}", sized(bytes)));
            }
            screen.say(line);
        }
        Err(Stopped::Signal(_)) => {
            screen.say("interrupted; run the same command again to continue");
            let failure = Failure::of_message(Kind::Interrupted, "interrupted");
            print_failure(Some(name), &failure, screen.output());
        }
        Err(Stopped::Error(error)) => screen.failure(Some(name), &error.failure()),
    }
}

/// Waits for an interrupt (130) or a request to end (143).
pub(super) async fn signal() -> u8 {
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
    pub(super) fn new(
        config: Config,
        project: Loaded,
        screen: Screen,
        events: Events,
        environment: Environment,
        from: PathBuf,
    ) -> Result<Context> {
        let clock = SystemClock::shared();
        Ok(Context {
            env: Env::open(config, project, clock, events)?,
            screen,
            environment,
            from,
        })
    }

    /// Has the engine spill into the run's own folder. With data elsewhere the folder of
    /// the settings also keeps fetches in progress, which outlive a run.
    fn spill_into(&mut self, scratch: &Scratch) {
        let is_local = self.env.data.local().is_some();
        if let Some(temp) = self.env.config.engine.temp.as_mut().filter(|_| is_local) {
            scratch.path().clone_into(temp);
        }
    }

    /// Takes the right to write to the data folder, and sweeps it.
    async fn lock(&self, words: &[String], wait: Duration) -> Result<Lock> {
        let holder = format!("pricemill {}", words.join(" "));
        let lock = Lock::take(&self.env.data, &holder, wait, &*self.env.clock).await?;
        self.env.data.sweep().await;
        Ok(lock)
    }

    /// Writes a report to stdout, where a format for it was asked for, and returns how
    /// the command ended.
    pub(super) fn finish<R: Report>(&self, report: &R) -> Result<Ending> {
        print_report(report, self.screen.output())?;
        let left_out = left_out::lines(report.left_out());
        left_out.iter().for_each(|line| self.screen.show(line));
        Ok(Ending::counted(report.summary()))
    }

    /// Returns the record of the run.
    fn run(
        &self,
        command: Vec<String>,
        time: Duration,
        steps: &Steps,
        (exit, error): (u8, Option<String>),
    ) -> Run {
        Run {
            id: self.env.run.clone(),
            command,
            profile: self.env.config.profile.name.clone(),
            began_at: self.env.now,
            seconds: time.as_secs_f64(),
            exit,
            error,
            peak_memory_bytes: runs::peak_memory_bytes(),
            steps: steps.so_far(),
        }
    }
}
