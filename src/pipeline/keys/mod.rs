//! The registry: each key of a manifest and of `sources.toml`, once.
//!
//! A table of TOML is a `Section` with its keys. From it come the names that the readers
//! accept, the tables of the documentation, and the JSON schemas. It reads nothing.

mod document;
mod manifest;
mod sources;

pub use document::{manifest_schema, markdown_tables, sources_schema};
pub(super) use manifest::{ALL_CHECKS, CHANGE, LIMIT, MANIFEST, PARAM, ROWS, RULE, UPDATE};
pub(super) use sources::{COLUMN, DATASET, SHARED_CHECKS};

/// A table of a file.
#[derive(Debug)]
pub(super) struct Section {
    /// How it is written: `[params.NAME]`; a whole file's is empty.
    head: &'static str,
    /// What it is for.
    doc: &'static str,
    /// Its keys.
    keys: &'static [Key],
    /// What any other key of it is: a name that the author gives.
    named: Option<Named>,
}

/// A key with a name of its own.
#[derive(Debug)]
struct Key {
    name: &'static str,
    values: Values,
    default: Default,
    /// A line of TOML that says it.
    example: &'static str,
    /// What it is for.
    doc: &'static str,
}

/// What the keys are that the author names.
#[derive(Debug)]
struct Named {
    /// What the name is: `COLUMN`.
    what: &'static str,
    values: Values,
    example: &'static str,
    doc: &'static str,
}

/// What a key is where it is not written.
#[derive(Debug, Clone, Copy)]
enum Default {
    /// The file is refused.
    Required,
    /// There is nothing.
    Nothing,
    /// That, in words or as TOML.
    Is(&'static str),
}

/// What the values of a key are.
#[derive(Debug, Clone, Copy)]
enum Values {
    Text,
    Texts,
    Flag,
    Whole,
    /// `"50%"`.
    Percent,
    /// `"36h"`.
    Duration,
    /// A text, a number or a boolean.
    Scalar,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// One of these texts, or false.
    OneOfOrFalse(&'static [&'static str]),
    /// A column's type.
    Type,
    /// A column's type, or a table with one.
    TypeOr(&'static Section),
    Table(&'static Section),
    /// A table, or false.
    TableOrFalse(&'static Section),
    /// `[[…]]`.
    Tables(&'static Section),
}

impl Section {
    /// Returns the names of its keys.
    pub(super) fn names(&self) -> Vec<&'static str> {
        self.keys.iter().map(|key| key.name).collect()
    }
}

impl Values {
    /// Returns the tables below a key.
    fn section(self) -> Option<&'static Section> {
        match self {
            Values::TypeOr(section)
            | Values::Table(section)
            | Values::TableOrFalse(section)
            | Values::Tables(section) => Some(section),
            Values::Text
            | Values::Texts
            | Values::Flag
            | Values::Whole
            | Values::Percent
            | Values::Duration
            | Values::Scalar
            | Values::OneOf(_)
            | Values::OneOfOrFalse(_)
            | Values::Type => None,
        }
    }
}
