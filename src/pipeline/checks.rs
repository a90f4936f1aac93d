//! `[checks]`: what must hold of the output before it is committed.
//!
//! A key is a built-in check (`rows`, `empty`, `change`, `age`) or a file in `checks/`,
//! which is an error unless its key says otherwise. `[checks]` of `sources.toml` has the
//! `change` and `age` of every pipeline that does not say its own; `false` turns one off.

use std::time::Duration;

use indexmap::IndexMap;
use toml::de::DeValue;

use super::{
    SourceFile, keys,
    reader::{Reader, Section, entries},
};
use crate::{config, diagnostics::Code};

/// What a failed check does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Severity {
    /// Keeps the artifact from being committed.
    #[default]
    Error,
    /// It is reported; nothing else happens.
    Warn,
}

/// The checks of a manifest.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Checks {
    /// How many rows there must be.
    pub rows: Option<Rows>,
    /// What an output without rows does where that is a surprise; none: nothing.
    pub empty: Option<Severity>,
    /// How far the number of rows may move from the last committed artifact's.
    pub change: Option<Change>,
    /// How old the snapshot may be.
    pub age: Option<Age>,
    /// What a failure of a file of `checks/` does, where the manifest says so.
    pub rules: IndexMap<String, Severity>,
}

/// The checks of all pipelines that do not say their own.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Defaults {
    change: Option<Change>,
    age: Option<Age>,
}

impl Checks {
    /// Returns what a failure of a file of `checks/` does.
    pub fn severity_of(&self, rule: &str) -> Severity {
        self.rules.get(rule).copied().unwrap_or_default()
    }
}

/// `rows = { min = 1, max = … }`.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// The lowest number of rows that passes; none: no limit.
    pub min: Option<u64>,
    /// The highest number of rows that passes; none: no limit.
    pub max: Option<u64>,
    /// What a failure does.
    pub severity: Severity,
}

/// `change = { max = "50%" }`.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// In percent of the last artifact's rows.
    pub max_percent: f64,
    /// What a failure does.
    pub severity: Severity,
}

/// `age = { max = "36h" }`.
#[derive(Debug, Clone, PartialEq)]
pub struct Age {
    /// The oldest a snapshot may be.
    pub max: Duration,
    /// What a failure does.
    pub severity: Severity,
}

impl Defaults {
    /// Reads `[checks]` of `sources.toml`.
    pub(super) fn read(reader: &mut Reader<'_>, section: Section<'_>) -> Defaults {
        reader.only(section, &keys::SHARED_CHECKS.names());
        Defaults {
            change: change(reader, section),
            age: age(reader, section),
        }
    }

    /// Returns the checks of a manifest that has none of its own.
    pub(super) fn checks(&self) -> Checks {
        Checks {
            change: self.change.clone(),
            age: self.age.clone(),
            ..Checks::default()
        }
    }
}

/// Reads a manifest's `[checks]`; `files` are those of `checks/`, by rule.
pub(super) fn read(
    reader: &mut Reader<'_>,
    section: Section<'_>,
    files: &IndexMap<String, SourceFile>,
    defaults: &Defaults,
) -> Checks {
    Checks {
        rows: rows(reader, section),
        empty: empty(reader, section),
        change: match stated(section, "change") {
            Stated::Nothing => defaults.change.clone(),
            Stated::Off => None,
            Stated::Own => change(reader, section),
        },
        age: match stated(section, "age") {
            Stated::Nothing => defaults.age.clone(),
            Stated::Off => None,
            Stated::Own => age(reader, section),
        },
        rules: rules(reader, section, files),
    }
}

/// What a manifest says of a check that has a default.
enum Stated {
    Nothing,
    Off,
    Own,
}

fn stated(checks: Section<'_>, key: &str) -> Stated {
    match checks.table.get(key).map(|value| value.get_ref()) {
        None => Stated::Nothing,
        Some(DeValue::Boolean(false)) => Stated::Off,
        Some(_) => Stated::Own,
    }
}

fn rules(
    reader: &mut Reader<'_>,
    checks: Section<'_>,
    files: &IndexMap<String, SourceFile>,
) -> IndexMap<String, Severity> {
    let mut rules = IndexMap::new();
    let built_in = keys::ALL_CHECKS.names();
    for (name, _) in entries(checks.table) {
        if built_in.contains(&name.value) {
            continue;
        }
        if !files.contains_key(name.value) {
            let what = format!("there is no check `{}`", name.value);
            let known = built_in
                .iter()
                .copied()
                .chain(files.keys().map(String::as_str));
            let otherwise = "a check is `rows`, `empty`, `change`, `age` or a file in checks/";
            let finding = reader.finding(Code::UnknownCheck, what, name.span, "no such check");
            let finding = finding.suggest(name.value, known, otherwise);
            reader.findings.push(finding);
            continue;
        }
        let title = format!("the check `{}`", name.value);
        if let Some(table) = reader.table(checks, name.value) {
            let section = Section {
                name: &title,
                table,
            };
            reader.only(section, &keys::RULE.names());
            rules.insert(name.value.to_owned(), severity(reader, section));
        }
    }
    rules
}

fn rows(reader: &mut Reader<'_>, checks: Section<'_>) -> Option<Rows> {
    let section = Section {
        name: "the check `rows`",
        table: reader.table(checks, "rows")?,
    };
    reader.only(section, &keys::ROWS.names());
    Some(Rows {
        min: reader.number(section, "min", "a whole number"),
        max: reader.number(section, "max", "a whole number"),
        severity: severity(reader, section),
    })
}

/// Reads `empty = "error" | "warn"`; `false` is no check.
fn empty(reader: &mut Reader<'_>, checks: Section<'_>) -> Option<Severity> {
    let value = checks.table.get("empty")?;
    match value.get_ref() {
        DeValue::Boolean(false) => None,
        DeValue::String(text) if text == "error" => Some(Severity::Error),
        DeValue::String(text) if text == "warn" => Some(Severity::Warn),
        _ => reader.wrong_type(checks, "empty", value, "\"error\", \"warn\" or false"),
    }
}

fn change(reader: &mut Reader<'_>, checks: Section<'_>) -> Option<Change> {
    let section = Section {
        name: "the check `change`",
        table: reader.table(checks, "change")?,
    };
    reader.only(section, &keys::CHANGE.names());
    let max_percent = reader.percent(section, "max");
    if max_percent.is_none() && !section.table.contains_key("max") {
        reader.missing(section, "max", "max = \"50%\"");
    }
    Some(Change {
        max_percent: max_percent?,
        severity: severity(reader, section),
    })
}

fn age(reader: &mut Reader<'_>, checks: Section<'_>) -> Option<Age> {
    let section = Section {
        name: "the check `age`",
        table: reader.table(checks, "age")?,
    };
    reader.only(section, &keys::LIMIT.names());
    let Some(text) = reader.text(section, "max") else {
        if !section.table.contains_key("max") {
            reader.missing(section, "max", "max = \"36h\"");
        }
        return None;
    };
    let Some(max) = config::duration(text.value) else {
        let what = format!("`{}` is not a duration", text.value);
        let finding = reader.finding(Code::WrongType, what, text.span, "here");
        let help = "write it as \"90m\", \"36h\" or \"2d\"";
        reader.findings.push(finding.help(help));
        return None;
    };
    Some(Age {
        max,
        severity: severity(reader, section),
    })
}

/// Reads `severity = "error" | "warn"`, an error by default.
fn severity(reader: &mut Reader<'_>, section: Section<'_>) -> Severity {
    match reader.text(section, "severity").map(|text| text.value) {
        None | Some("error") => Severity::Error,
        Some("warn") => Severity::Warn,
        Some(_) => {
            if let Some(value) = section.table.get("severity") {
                reader.wrong_type::<()>(section, "severity", value, "\"error\" or \"warn\"");
            }
            Severity::Error
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> SourceFile {
        SourceFile {
            path: "checks.toml".into(),
            text: text.into(),
        }
    }

    /// Reads a manifest's checks under the project's; also returns how many faults it has.
    fn read_under(defaults: &str, own: &str) -> (Checks, usize) {
        let (defaults, own) = (file(defaults), file(own));
        let name = "[checks]";
        let mut reader = Reader::new(&defaults);
        let table = reader.parse().unwrap();
        let section = Section {
            name,
            table: &table,
        };
        let defaults = Defaults::read(&mut reader, section);
        assert_eq!(reader.findings, []);
        let mut reader = Reader::new(&own);
        let table = reader.parse().unwrap();
        let section = Section {
            name,
            table: &table,
        };
        let checks = read(&mut reader, section, &IndexMap::new(), &defaults);
        (checks, reader.findings.len())
    }

    #[test]
    fn a_manifest_keeps_the_defaults_changes_them_or_turns_them_off() {
        let defaults = "change = { max = \"50%\" }\nage = { max = \"36h\" }";
        let of = |own: &str| {
            let (checks, faults) = read_under(defaults, own);
            assert_eq!(faults, 0, "{own}");
            let percent = checks.change.map(|change| change.max_percent);
            (percent, checks.age.map(|age| age.max.as_secs() / 3600))
        };
        assert_eq!(of("rows = { min = 1 }"), (Some(50.0), Some(36)));
        assert_eq!(of("change = false"), (None, Some(36)));
        assert_eq!(of("age = { max = \"2d\" }"), (Some(50.0), Some(48)));
        assert_eq!(read_under(defaults, "age = true").1, 1);
    }

    #[test]
    fn an_output_without_rows_is_an_error_a_warning_or_nothing() {
        let of = |own: &str| {
            let (checks, faults) = read_under("", own);
            (checks.empty, faults)
        };
        assert_eq!(of(""), (None, 0));
        assert_eq!(of("empty = false"), (None, 0));
        assert_eq!(of("empty = \"error\""), (Some(Severity::Error), 0));
        assert_eq!(of("empty = \"warn\""), (Some(Severity::Warn), 0));
        assert_eq!(of("empty = true"), (None, 1));
        assert_eq!(of("empty = \"refuse\""), (None, 1));
    }
}
