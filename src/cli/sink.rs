//! The screen as a sink of events: progress as it comes, all else as lines.
//!
//! Which lines an event is, its command's file says.

use super::{
    fetch, generate, load,
    screen::{Line, Screen, Tasks},
    synth, test, update, upload,
};
use crate::{
    events::{Event, Sink},
    report::Step,
};

/// A screen that receives events.
pub(super) struct ScreenSink {
    screen: Screen,
    tasks: Tasks,
}

impl ScreenSink {
    pub(super) fn new(screen: Screen) -> ScreenSink {
        ScreenSink {
            tasks: Tasks::new(&screen),
            screen,
        }
    }
}

impl Sink for ScreenSink {
    fn receive(&self, event: &Event) {
        match event {
            Event::TaskBegun { task, total, unit } => self.tasks.begin(task, *total, unit),
            Event::TaskAdvanced { task, done, total } => self.tasks.advance(task, *done, *total),
            Event::TaskWaiting { task, reason } => self.tasks.wait(task, reason),
            Event::TaskEnded { task, summary } => self.tasks.end(task, summary.as_deref()),
            other => {
                let lines = lines(other, self.screen.verbose());
                self.screen.show_event(other, &lines);
            }
        }
    }
}

/// Returns the lines that an event is.
fn lines(event: &Event, verbose: u8) -> Vec<Line> {
    match event {
        Event::TaskBegun { .. }
        | Event::TaskAdvanced { .. }
        | Event::TaskWaiting { .. }
        | Event::TaskEnded { .. } => Vec::new(),
        Event::Title { text } => vec![Line::Title(text.clone())],
        Event::Note { message } => vec![Line::Say(message.clone())],
        Event::Warning { message } => vec![Line::Warn(message.clone())],
        Event::Found { finding } => vec![Line::Finding(finding.clone())],
        Event::SnapshotCommitted { .. }
        | Event::DatasetMissing { .. }
        | Event::PreviousOpened { .. }
        | Event::HistoryOpened { .. } => fetch::lines(event),
        Event::ModelComputed { pipeline, model } => generate::model(pipeline, model, verbose),
        Event::TextsEmbedded { pipeline, embedded } => {
            generate::embedded(pipeline, *embedded, verbose)
        }
        Event::Checked { pipeline, result } => generate::check(pipeline, result, verbose),
        Event::OutputWritten {
            pipeline,
            file,
            bytes,
            seconds,
        } => generate::written((pipeline, file), *bytes, *seconds, verbose),
        Event::SynthBegun { .. } => synth::begun(event),
        Event::Tested(file) => test::file(file),
        Event::StepEnded(step) => match step.as_ref() {
            Step::Fetch(dataset) => fetch::dataset(dataset),
            Step::Generate(generated) => generate::generated(generated),
            Step::Upload(uploaded) => upload::uploaded(uploaded),
            Step::Update(updated) => update::updated(updated),
            Step::Archive(archive) => super::archive::archive(archive),
            Step::Load(table) => load::table(table),
            // It ended as a task.
            Step::Synth(_) => Vec::new(),
        },
    }
}
