//! What a command says at its end of the pipelines that it went on without.

use super::{context::Context, screen::Line};
use crate::{
    diagnostics::{Finding, Place},
    error::Result,
    report::LeftOut,
};

impl Context {
    /// Says which of the project's pipelines cannot be used, for a command that may read
    /// any of them.
    pub(super) fn say_left_out(&self) -> Result<()> {
        let left_out = self.env.left_out(&[])?;
        lines(&left_out).iter().for_each(|it| self.screen.show(it));
        Ok(())
    }
}

/// Returns a warning for each pipeline, with the first error in its files.
pub(super) fn lines(left_out: &[LeftOut]) -> Vec<Line> {
    let line = |one: &LeftOut| {
        let name = &one.pipeline;
        Line::Warn(match (&one.because, one.findings.first()) {
            (Some(because), _) => {
                format!("{name} is left out, because {because}, which it reads, is")
            }
            (None, Some(first)) => {
                let why = located(first, one.findings.len() - 1);
                format!("{name} is left out: {why}")
            }
            (None, None) => format!("{name} is left out"),
        })
    };
    left_out.iter().map(line).collect()
}

/// Returns the errors of the pipelines' files, for a command that they are a failure of.
pub(super) fn findings(left_out: &[LeftOut]) -> Vec<Line> {
    let findings = left_out.iter().flat_map(|one| &one.findings);
    findings
        .map(|it| Line::Finding(Box::new(it.clone())))
        .collect()
}

fn located(first: &Finding, more: usize) -> String {
    let file = |place: &Place| place.file.display().to_string();
    // A file that is no text has no lines either, and is in the message.
    let place = first.place();
    let place = place.filter(|place| !first.message.starts_with(&file(place)));
    let at = place.map(|place| {
        let (line, column) = place.line_column();
        format!("{}:{line}:{column}: ", file(place))
    });
    let more = match more {
        0 => String::new(),
        1 => " (and 1 more error)".to_owned(),
        more => format!(" (and {more} more errors)"),
    };
    format!("{}{}{more}", at.unwrap_or_default(), first.message)
}
