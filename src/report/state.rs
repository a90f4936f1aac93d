//! The words for states: one state has one word on every screen, in reports and in the
//! records of runs.
//!
//! Each word has what it means of an artifact, a check or a pipeline's step. A word that
//! is not here is not a state: tests compare the reports, the screens, the inbox's files
//! and the documentation with [`ALL`].

/// Declares the words, and the list of them.
macro_rules! states {
    ($($(#[doc = $doc:literal])+ $name:ident = $word:literal;)+) => {
        $($(#[doc = $doc])+ pub const $name: &str = $word;)+

        /// Every word, in the order of an artifact's way.
        pub const ALL: &[&str] = &[$($name),+];
    };
}

states! {
    /// A new artifact is in the outbox.
    COMMITTED = "committed";
    /// The same content as before; nothing was written.
    UNCHANGED = "unchanged";
    /// Everything but the last step was done: it was a dry run.
    DRY_RUN = "dry run";
    /// The receiver has the artifact now.
    UPLOADED = "uploaded";
    /// The receiver had the artifact before; nothing was sent.
    ALREADY_UPLOADED = "already uploaded";
    /// Still to be uploaded, or in the inbox and still to be applied.
    PENDING = "pending";
    /// There is nothing to upload, or to apply.
    NOTHING_PENDING = "nothing pending";
    /// The artifact is in the database.
    APPLIED = "applied";
    /// The artifact was in the database before; nothing was changed.
    ALREADY_APPLIED = "already applied";
    /// The artifact is in the database, and still in the inbox.
    APPLIED_NOT_ARCHIVED = "applied, not archived";
    /// A newer artifact of the pipeline came before it was applied.
    SUPERSEDED = "superseded";
    /// A check or a guard kept it from being committed or applied.
    REFUSED = "refused";
    /// An error stopped it; nothing was changed.
    FAILED = "failed";
    /// It was not tried, because of a failure before it or a setting.
    SKIPPED = "skipped";
    /// The database is in an archive.
    ARCHIVED = "archived";
    /// The database has the rows of an archive.
    RESTORED = "restored";
    /// A check or a test holds.
    PASS = "pass";
    /// A check does not hold, and only warns.
    WARN = "warn";
    /// A check or a test does not hold.
    FAIL = "fail";
}

#[cfg(test)]
mod tests {
    use super::ALL;
    use crate::{
        artifact::id::Seq,
        inbox::Disposition,
        report::{
            ArchiveAction, CheckOutcome, GenerateOutcome, TestOutcome, UpdateOutcome, UploadOutcome,
        },
    };

    /// Returns the words of all enums of states.
    fn reported() -> Vec<&'static str> {
        let mut words: Vec<&str> = Vec::new();
        words.extend(GenerateOutcome::ALL.iter().map(|state| state.word()));
        words.extend(UploadOutcome::ALL.iter().map(|state| state.word()));
        words.extend(UpdateOutcome::ALL.iter().map(|state| state.word()));
        words.extend(ArchiveAction::ALL.iter().map(|state| state.word()));
        words.extend(CheckOutcome::ALL.iter().map(|state| state.word()));
        words.extend(TestOutcome::ALL.iter().map(|state| state.word()));
        words
    }

    fn received() -> [Disposition; 4] {
        [
            Disposition::Pending,
            Disposition::Applied {
                at: chrono::DateTime::UNIX_EPOCH,
            },
            Disposition::Superseded { by: Seq(2) },
            Disposition::Refused {
                reason: "too few rows".to_owned(),
            },
        ]
    }

    #[test]
    fn a_state_has_one_word_in_reports_and_in_the_inbox() {
        let mut words = reported();
        for disposition in received() {
            let at_rest = serde_json::to_value(&disposition).unwrap();
            assert_eq!(at_rest["state"], disposition.word());
            words.push(disposition.word());
        }
        for word in &words {
            assert!(ALL.contains(word), "`{word}` is not in the list of states");
        }
        for word in ALL {
            assert!(words.contains(word), "nothing has the state `{word}`");
        }
    }

    #[test]
    fn every_word_is_documented() {
        let text = include_str!("../docs/output.md");
        for word in ALL {
            assert!(text.contains(&format!("`{word}`")), "{word}");
        }
    }
}
