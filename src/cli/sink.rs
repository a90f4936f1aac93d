//! The screen as a sink of events: progress as it comes, all else as lines.
//!
//! The file of its command decides which lines an event becomes.

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
        Event::Nothing { found, next } => vec![Line::Say(found.clone()), Line::Help(next.clone())],
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{
        Archive, ArchiveAction, GenerateOutcome, Generated, TestFile, TestOutcome, UpdateOutcome,
        Updated, UploadOutcome, Uploaded,
    };

    /// Fails unless the last line of an event has the state's word.
    fn says(event: &Event, word: &str) {
        let lines = lines(event, 0);
        let Some(Line::Say(line)) = lines.last() else {
            panic!("`{word}` has no line");
        };
        assert!(line.to_lowercase().contains(word), "`{line}` is `{word}`");
    }

    fn step(step: Step) -> Event {
        Event::StepEnded(Box::new(step))
    }

    #[test]
    fn the_line_of_a_step_has_the_word_of_its_state() {
        for outcome in GenerateOutcome::ALL {
            let generated = Generated::new("bargains", *outcome, "20260101T000000Z-0");
            says(&step(Step::Generate(generated)), outcome.word());
        }
        for outcome in UploadOutcome::ALL {
            says(&step(Step::Upload(uploaded(*outcome))), outcome.word());
        }
        for outcome in UpdateOutcome::ALL {
            let updated = Updated::new("bargains", *outcome);
            says(&step(Step::Update(updated)), outcome.word());
        }
        for action in ArchiveAction::ALL {
            says(&step(Step::Archive(archived(*action))), action.word());
        }
        for outcome in TestOutcome::ALL {
            says(&Event::Tested(tested(*outcome)), outcome.word());
        }
    }

    fn uploaded(outcome: UploadOutcome) -> Uploaded {
        Uploaded {
            pipeline: "bargains".to_owned(),
            outcome,
            artifact: Some("000001-0123456789abcdef".to_owned()),
            rows: Some(1),
            target: "http://127.0.0.1:8000".to_owned(),
            verified: true,
            held: false,
            reason: None,
            error: None,
        }
    }

    fn archived(action: ArchiveAction) -> Archive {
        Archive {
            archive: "2026-01-01T000000Z".to_owned(),
            action,
            location: "data/archive".to_owned(),
            tables: Vec::new(),
        }
    }

    fn tested(outcome: TestOutcome) -> TestFile {
        TestFile {
            pipeline: "bargains".to_owned(),
            file: "tests/sql/bargains/bargains.slt".to_owned(),
            outcome,
            records: 1,
            rewritten: false,
            empty: Vec::new(),
            line: Some(1),
            message: None,
            findings: Vec::new(),
        }
    }
}
