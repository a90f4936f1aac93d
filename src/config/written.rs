//! What is written of settings: `pricemill.toml`, and the environment laid over it.
//!
//! All that is wrong in the file is found in one reading, each fault with its place.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::Arc,
};

use toml::de::{DeTable, DeValue};

use super::{
    Environment, Error, FILE, Result,
    settings::{self, ALL, Key, PREFIX, Setting},
    value::{Raw, Value},
};
use crate::diagnostics::{Code, Finding, Findings, Place, did_you_mean, nearest};

/// The values that are written, by path.
#[derive(Debug, Default)]
pub(super) struct Written {
    text: Arc<str>,
    values: BTreeMap<String, (Raw, Origin)>,
    /// The profiles that have a table or a variable.
    profiles: BTreeSet<String>,
}

/// Where a value is written.
#[derive(Debug, Clone, PartialEq)]
enum Origin {
    File(Range<usize>),
    Variable(String),
}

impl Written {
    /// Reads the file's text, then `PRICEMILL_<TABLE>_<KEY>` over its values.
    ///
    /// # Errors
    ///
    /// Finds every fault of the file and every variable of that prefix that is not a
    /// setting or has a value that cannot be used.
    pub(super) fn read(text: &str, environment: &Environment) -> Result<Written> {
        let mut reading = Reading {
            written: Written {
                text: Arc::from(text),
                ..Written::default()
            },
            findings: Vec::new(),
        };
        match DeTable::parse(text) {
            Ok(table) => reading.table("", "", table.get_ref()),
            Err(error) => {
                let span = error.span().unwrap_or(0..0);
                let finding = Finding::new(Code::TomlSyntax, error.message());
                reading
                    .findings
                    .push(finding.at(reading.written.place(span), "here"));
            }
        }
        let start = |finding: &Finding| finding.place().map(|place| place.span.start);
        reading.findings.sort_by_key(start);
        let Reading {
            mut written,
            mut findings,
        } = reading;
        let variables = environment.with_prefix(PREFIX);
        findings.extend(variables.filter_map(|(name, value)| written.set(name, value)));
        match findings.is_empty() {
            true => Ok(written),
            false => Err(Error::Invalid(Findings(findings))),
        }
    }

    /// Returns a key's value: as it is written, else the default.
    pub(super) fn get<T: Value>(&self, key: &Key<T>) -> T {
        self.value(key.path).unwrap_or_else(|| key.default.clone())
    }

    /// Returns the value of a profile's key.
    pub(super) fn of_profile<T: Value>(&self, profile: &str, key: &Key<T>) -> T {
        let path = key.path.replace('*', profile);
        self.value(&path).unwrap_or_else(|| key.default.clone())
    }

    fn value<T: Value>(&self, path: &str) -> Option<T> {
        // What cannot be read was refused before.
        self.values.get(path).and_then(|(raw, _)| T::read(raw))
    }

    /// Returns whether a profile has a table or a variable.
    pub(super) fn has_profile(&self, name: &str) -> bool {
        self.profiles.contains(name)
    }

    /// Returns the profiles that have a table or a variable, by name.
    pub(super) fn profiles(&self) -> impl Iterator<Item = &str> {
        self.profiles.iter().map(String::as_str)
    }

    /// Returns the error that a value cannot be used, where it is written.
    pub(super) fn unusable(&self, path: &str, reason: &str) -> Error {
        let name = match self.values.get(path) {
            Some((_, Origin::Variable(name))) => name,
            Some((_, Origin::File(_))) | None => path,
        };
        let finding = Finding::new(Code::BadSetting, format!("`{name}` {reason}"));
        Error::Invalid(Findings(vec![self.at(path, finding)]))
    }

    /// Adds where a value is written, if that is the file.
    pub(super) fn at(&self, path: &str, finding: Finding) -> Finding {
        match self.values.get(path) {
            Some((_, Origin::File(span))) => finding.at(self.place(span.clone()), "here"),
            Some((_, Origin::Variable(_))) | None => finding,
        }
    }

    fn place(&self, span: Range<usize>) -> Place {
        Place {
            file: FILE.into(),
            text: self.text.clone(),
            span,
        }
    }

    /// Sets what the variable `PRICEMILL_<name>` says; returns what is wrong with it.
    fn set(&mut self, name: &str, value: &str) -> Option<Finding> {
        let key = name.to_ascii_lowercase();
        // Ours, and not settings: the tests' data, and what a shell script of the
        // user's may keep for itself.
        if key.starts_with("test_") || key == "log" {
            return None;
        }
        let variable = format!("{PREFIX}{name}");
        let Some((setting, path)) = of_variable(&key) else {
            return Some(unknown_variable(name));
        };
        let raw = Raw::Variable(value.to_owned());
        if let Some(help) = setting.refuses(&raw) {
            let what = format!("`{variable}` must be {}, not `{value}`", setting.what());
            return Some(Finding::new(Code::BadSetting, what).help(help));
        }
        if let Some(profile) = profile_of(&path) {
            self.profiles.insert(profile.to_owned());
        }
        self.values.insert(path, (raw, Origin::Variable(variable)));
        None
    }
}

/// Returns the profile that a value is of.
fn profile_of(path: &str) -> Option<&str> {
    let (name, _) = path.strip_prefix("profile.")?.rsplit_once('.')?;
    Some(name)
}

/// Returns the setting that a variable names, without the prefix and in lower case, and
/// the path of its value.
fn of_variable(name: &str) -> Option<(&'static dyn Setting, String)> {
    let name = match name {
        "profile" => "default_profile",
        name => name,
    };
    ALL.iter().copied().find_map(|setting| {
        let path = setting.path();
        let plain = path.replace('.', "_");
        let Some((before, after)) = plain.split_once('*') else {
            return (plain == name).then(|| (setting, path.to_owned()));
        };
        let profile = name.strip_prefix(before)?.strip_suffix(after)?;
        (!profile.is_empty()).then(|| (setting, path.replace('*', profile)))
    })
}

/// Finds a variable without a setting. The prefix, which all have, makes none nearer.
fn unknown_variable(name: &str) -> Finding {
    let finding = Finding::new(
        Code::UnknownSetting,
        format!("unknown setting `{PREFIX}{name}`"),
    );
    let known: Vec<String> = ALL
        .iter()
        .map(|setting| settings::variable(setting.path()))
        .collect();
    let known = known.iter().filter_map(|known| known.strip_prefix(PREFIX));
    match nearest(name, known) {
        Some(near) => finding.help(did_you_mean(format!("{PREFIX}{near}"))),
        None => finding.help("`pricemill docs settings` lists all settings"),
    }
}

/// A file being read, and what is wrong in it.
struct Reading {
    written: Written,
    findings: Vec<Finding>,
}

impl Reading {
    /// Reads a table. `pattern` is its path in the registry, where a profile's name is
    /// `*`; `path` is its path in the file.
    fn table(&mut self, pattern: &str, path: &str, table: &DeTable<'_>) {
        for (name, value) in table.iter() {
            let (known, key) = match pattern {
                "profile" => ("*", name.span()),
                _ => (name.get_ref().as_ref(), name.span()),
            };
            let pattern_of_value = below(pattern, known);
            let path = below(path, name.get_ref());
            if let Some(setting) = settings::find(&pattern_of_value) {
                self.value(setting, path, value.get_ref(), value.span());
            } else if !is_table(&pattern_of_value) {
                self.unknown(pattern, name.get_ref(), key);
            } else if let DeValue::Table(table) = value.get_ref() {
                if pattern == "profile" {
                    self.written.profiles.insert(name.get_ref().to_string());
                }
                self.table(&pattern_of_value, &path, table);
            } else {
                let message = format!("`{path}` must be a table");
                let help = format!("write [{path}], and its keys below");
                self.unusable(message, value.span(), help);
            }
        }
    }

    fn value(
        &mut self,
        setting: &dyn Setting,
        path: String,
        value: &DeValue<'_>,
        span: Range<usize>,
    ) {
        let raw = match value {
            DeValue::String(text) => Raw::Text(text.clone().into_owned()),
            DeValue::Integer(number) => {
                let number = i128::from_str_radix(number.as_str(), number.radix());
                number.map_or(Raw::Other, Raw::Integer)
            }
            DeValue::Boolean(value) => Raw::Boolean(*value),
            DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => {
                Raw::Other
            }
        };
        match setting.refuses(&raw) {
            None => {
                let value = (raw, Origin::File(span));
                self.written.values.insert(path, value);
            }
            Some(help) => {
                let message = format!("`{path}` must be {}", setting.what());
                self.unusable(message, span, help);
            }
        }
    }

    fn unknown(&mut self, pattern: &str, name: &str, span: Range<usize>) {
        let known = names_in(pattern);
        let otherwise = format!("known settings are {}", known.join(", "));
        let finding = Finding::new(Code::UnknownSetting, format!("unknown setting `{name}`"));
        let finding = finding.at(self.written.place(span), "");
        self.findings.push(finding.suggest(name, known, otherwise));
    }

    fn unusable(&mut self, message: String, span: Range<usize>, help: String) {
        let finding = Finding::new(Code::BadSetting, message);
        let finding = finding.at(self.written.place(span), "");
        self.findings.push(finding.help(help));
    }
}

fn below(table: &str, name: &str) -> String {
    match table {
        "" => name.to_owned(),
        table => format!("{table}.{name}"),
    }
}

/// Returns whether keys are below that path.
fn is_table(pattern: &str) -> bool {
    let below = format!("{pattern}.");
    ALL.iter().any(|setting| setting.path().starts_with(&below))
}

/// Returns the names that a table may have, in order, each once.
fn names_in(pattern: &str) -> Vec<&'static str> {
    let mut names = Vec::new();
    for setting in ALL {
        let rest = match pattern {
            "" => Some(setting.path()),
            _ => setting
                .path()
                .strip_prefix(pattern)
                .and_then(|rest| rest.strip_prefix('.')),
        };
        let name = rest.and_then(|rest| rest.split('.').next());
        if let Some(name) = name.filter(|name| !names.contains(name)) {
            names.push(name);
        }
    }
    names
}
