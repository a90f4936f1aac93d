//! Reads a user's TOML with the place of everything in it.
//!
//! A value that cannot be used becomes a finding and is left out, so that one
//! reading finds all that is wrong.

use std::{ops::Range, str::FromStr};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::SourceFile;
use crate::diagnostics::{Code, Finding, Place, did_you_mean};

/// A value with its bytes in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Placed<T> {
    pub(super) value: T,
    pub(super) span: Range<usize>,
}

/// A table with its name in messages, such as `[params.min_ratio]`.
#[derive(Clone, Copy)]
pub(super) struct Section<'t> {
    pub(super) name: &'t str,
    pub(super) table: &'t DeTable<'t>,
}

/// A file being read, and what was found wrong in it.
pub(super) struct Reader<'f> {
    pub(super) file: &'f SourceFile,
    pub(super) findings: Vec<Finding>,
}

impl<'f> Reader<'f> {
    pub(super) fn new(file: &'f SourceFile) -> Reader<'f> {
        Reader {
            file,
            findings: Vec::new(),
        }
    }

    /// Parses the file. If it is not TOML, only the first fault is reported: all that
    /// would follow are its echoes.
    pub(super) fn parse(&mut self) -> Option<DeTable<'f>> {
        let (table, errors) = DeTable::parse_recoverable(&self.file.text);
        let begins = |error: &toml::de::Error| error.span().map_or(0, |span| span.start);
        let Some(first) = errors.iter().min_by_key(|error| begins(error)) else {
            return Some(table.into_inner());
        };
        let span = first.span().unwrap_or(0..0);
        self.error(Code::TomlSyntax, first.message(), span, "here");
        None
    }

    /// Records a finding at `span`.
    pub(super) fn error(
        &mut self,
        code: Code,
        message: impl Into<String>,
        span: Range<usize>,
        label: impl Into<String>,
    ) {
        let finding = self.finding(code, message, span, label);
        self.findings.push(finding);
    }

    /// Returns a finding at `span`, to be recorded once it has its help.
    pub(super) fn finding(
        &self,
        code: Code,
        message: impl Into<String>,
        span: Range<usize>,
        label: impl Into<String>,
    ) -> Finding {
        Finding::new(code, message).at(self.file.place(span), label)
    }

    /// Finds the keys of a section that are not in `known`.
    pub(super) fn only(&mut self, section: Section<'_>, known: &[&str]) {
        for (key, _) in entries(section.table) {
            if known.contains(&key.value) {
                continue;
            }
            let what = format!("{} has no key `{}`", section.name, key.value);
            let otherwise = format!("known keys are {}", known.join(", "));
            let finding = self.finding(Code::UnknownKey, what, key.span, "unknown key");
            let finding = finding.suggest(key.value, known, otherwise);
            self.findings.push(finding);
        }
    }

    /// Finds that a section lacks a key it must have.
    pub(super) fn missing(&mut self, section: Section<'_>, key: &str, example: &str) {
        // A misspelt key is reported once, at its own place.
        let meant = did_you_mean(key);
        if self
            .findings
            .iter()
            .any(|finding| finding.code == Code::UnknownKey && finding.help.contains(&meant))
        {
            return;
        }
        let span = section_span(section.table, &self.file.text);
        let what = format!("{} lacks `{key}`", section.name);
        let finding = self.finding(Code::MissingKey, what, span, "in this table");
        self.findings.push(finding.help(format!("add `{example}`")));
    }

    /// Returns a text value.
    pub(super) fn text<'t>(&mut self, section: Section<'t>, key: &str) -> Option<Placed<&'t str>> {
        let value = section.table.get(key)?;
        match value.get_ref() {
            DeValue::String(text) => Some(Placed {
                value: text,
                span: value.span(),
            }),
            _ => self.wrong_type(section, key, value, "a string"),
        }
    }

    /// Returns a list of texts.
    pub(super) fn texts<'t>(
        &mut self,
        section: Section<'t>,
        key: &str,
    ) -> Option<Vec<Placed<&'t str>>> {
        let value = section.table.get(key)?;
        let DeValue::Array(items) = value.get_ref() else {
            return self.wrong_type(section, key, value, "a list such as [\"a\", \"b\"]");
        };
        let mut texts = Vec::new();
        for item in items {
            match item.get_ref() {
                DeValue::String(text) => texts.push(Placed {
                    value: text.as_ref(),
                    span: item.span(),
                }),
                _ => return self.wrong_type(section, key, item, "a list of strings"),
            }
        }
        Some(texts)
    }

    /// Returns a text, a number or a boolean as the file spells it.
    pub(super) fn scalar<'t>(
        &mut self,
        section: Section<'t>,
        key: &str,
    ) -> Option<Placed<&'t str>> {
        let value = section.table.get(key)?;
        let text = match value.get_ref() {
            DeValue::String(text) => text.as_ref(),
            DeValue::Integer(number) => number.as_str(),
            DeValue::Float(number) => number.as_str(),
            DeValue::Boolean(true) => "true",
            DeValue::Boolean(false) => "false",
            _ => return self.wrong_type(section, key, value, "a string or a number"),
        };
        Some(Placed {
            value: text,
            span: value.span(),
        })
    }

    /// Returns a value that is written as a number or a text and read by `FromStr`.
    pub(super) fn number<T: FromStr>(
        &mut self,
        section: Section<'_>,
        key: &str,
        what: &str,
    ) -> Option<T> {
        let text = self.scalar(section, key)?;
        match text.value.parse() {
            Ok(number) => Some(number),
            Err(_) => self.wrong_type(section, key, section.table.get(key)?, what),
        }
    }

    /// Returns a boolean.
    pub(super) fn flag(&mut self, section: Section<'_>, key: &str) -> Option<bool> {
        let value = section.table.get(key)?;
        match value.get_ref() {
            DeValue::Boolean(flag) => Some(*flag),
            _ => self.wrong_type(section, key, value, "true or false"),
        }
    }

    /// Returns a table.
    pub(super) fn table<'t>(&mut self, section: Section<'t>, key: &str) -> Option<&'t DeTable<'t>> {
        let value = section.table.get(key)?;
        match value.get_ref() {
            DeValue::Table(table) => Some(table),
            _ => self.wrong_type(section, key, value, "a table"),
        }
    }

    /// Returns a percentage such as `"50%"`.
    pub(super) fn percent(&mut self, section: Section<'_>, key: &str) -> Option<f64> {
        let value = section.table.get(key)?;
        let text = value.get_ref().as_str();
        let number = text.and_then(|text| text.strip_suffix('%')?.trim().parse().ok());
        match number {
            Some(percent) if (0.0..=1e9).contains(&percent) => Some(percent),
            _ => self.wrong_type(section, key, value, "a percentage such as \"50%\""),
        }
    }

    /// Records that a value has the wrong type, and returns nothing.
    pub(super) fn wrong_type<T>(
        &mut self,
        section: Section<'_>,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        wanted: &str,
    ) -> Option<T> {
        let what = format!("`{key}` of {} must be {wanted}", section.name);
        let found = format!("this is {}", described(value.get_ref()));
        self.error(Code::WrongType, what, value.span(), found);
        None
    }
}

/// Returns a table's entries in the order of the file.
pub(super) fn entries<'t>(
    table: &'t DeTable<'t>,
) -> Vec<(Placed<&'t str>, &'t Spanned<DeValue<'t>>)> {
    let mut entries: Vec<_> = table
        .iter()
        .map(|(key, value)| {
            let span = key.span();
            let value_of_key = key.get_ref().as_ref();
            (
                Placed {
                    value: value_of_key,
                    span,
                },
                value,
            )
        })
        .collect();
    entries.sort_by_key(|(key, _)| key.span.start);
    entries
}

/// Returns where a section is: its first key, or the file's first line.
fn section_span(table: &DeTable<'_>, text: &str) -> Range<usize> {
    match entries(table).first() {
        Some((key, _)) => key.span.clone(),
        None => 0..text.find('\n').unwrap_or(text.len()),
    }
}

fn described(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("the string \"{text}\""),
        DeValue::Integer(number) => format!("the number {number}"),
        DeValue::Float(number) => format!("the number {number}"),
        DeValue::Boolean(flag) => format!("{flag}"),
        DeValue::Datetime(_) => "a date".to_owned(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

impl SourceFile {
    /// Returns a place in this file.
    pub fn place(&self, span: Range<usize>) -> Place {
        Place {
            file: self.path.clone(),
            text: self.text.clone(),
            span,
        }
    }
}
