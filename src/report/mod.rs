//! What commands did, as plain values.
//!
//! Each use case returns one report; events carry its parts while it works; `--output
//! json|ndjson|csv` writes it; the record of a run keeps it. Nothing here prints,
//! and nothing here knows a stage: stages fill these structs.
//!
//! Every field that is public here is documented output: a change of its meaning or
//! its name is a new [`FORMAT_VERSION`].

mod archive;
mod check;
mod docs;
mod explain;
mod failure;
mod fetch;
mod generate;
mod left_out;
mod lineage;
mod load;
mod sample;
mod schema;
pub mod state;
mod status;
mod summary;
mod synth;
mod test;
mod turn;
mod update;
mod upload;

use std::time::Duration;

use serde::{Serialize, Serializer};
use serde_json::Value;

pub use archive::{Archive, ArchiveAction, ArchivedTable};
pub use check::{Check, Promise};
pub use docs::{Docs, DocsPage};
pub use explain::{Explain, Explained};
pub use failure::Failure;
pub use fetch::{Dataset, Fetch};
pub use generate::{
    CheckOutcome, CheckResult, Cost, Embedded, Generate, GenerateOutcome, Generated, Model,
    Operator,
};
pub use left_out::LeftOut;
pub use lineage::{Edge, Lineage, PipelineOutput};
pub use load::{Load, LoadedTable};
pub use sample::{Sample, SampleColumn};
pub use schema::{Schema, SchemaColumn};
pub use status::{PastRun, PipelineStatus, Status};
pub use summary::Summary;
pub use synth::{Made, Synth};
pub use test::{Test, TestFile, TestOutcome};
pub use turn::{Step, Turn};
pub use update::{TableRows, Update, UpdateOutcome, Updated};
pub use upload::{Upload, UploadOutcome, Uploaded};

/// The version of everything that is written from a report.
pub const FORMAT_VERSION: u32 = 1;

/// A command's report, as `--output` writes it.
pub trait Report: Serialize {
    /// The command, as `command` in JSON.
    const COMMAND: &'static str;
    /// The columns of CSV: fields of an item.
    const COLUMNS: &'static [&'static str];
    /// What ndjson has a line of, and CSV a row.
    type Item: Serialize;

    /// Returns the items, in order.
    fn items(&self) -> Vec<&Self::Item>;

    /// Counts how it ended.
    fn summary(&self) -> Summary;

    /// Returns the pipelines that the command went on without, where it is about many and
    /// has no item for each.
    fn left_out(&self) -> &[LeftOut] {
        &[]
    }

    /// Returns what a column of CSV holds of an item that was turned into JSON.
    fn cell<'a>(item: &'a Value, column: &str) -> Option<&'a Value> {
        item.get(column)
    }
}

/// Writes a time in seconds.
fn seconds<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}

/// Gives an enum of states its words of [`state`], in JSON and on the screen alike.
macro_rules! words {
    ($name:ident { $($variant:ident => $word:expr),+ $(,)? }) => {
        impl $name {
            /// Every state.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// Returns the word for it, the same on all screens and in all output.
            pub fn word(self) -> &'static str {
                match self {
                    $($name::$variant => $word),+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.word())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.word())
            }
        }
    };
}
use words;

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails where the documentation of `--output` lacks a column.
    fn documented<R: Report>() {
        let text = include_str!("../docs/output.md");
        for column in R::COLUMNS {
            assert!(
                text.contains(&format!("`{column}`")),
                "{}: {column}",
                R::COMMAND
            );
        }
    }

    #[test]
    fn every_column_is_documented() {
        documented::<Archive>();
        documented::<Check>();
        documented::<Docs>();
        documented::<Explain>();
        documented::<Fetch>();
        documented::<Generate>();
        documented::<Lineage>();
        documented::<Load>();
        documented::<Schema>();
        documented::<Status>();
        documented::<Synth>();
        documented::<Test>();
        documented::<Turn>();
        documented::<Update>();
        documented::<Upload>();
    }
}
