//! Typed parameters: `$min_ratio` in SQL, a literal put in at token level.
//!
//! A value is checked as text, by its digits, and brought to one spelling; it
//! never passes through a double unless it is one.

use std::{cmp::Ordering, fmt};

use chrono::{DateTime, NaiveDate, Utc};
use indexmap::IndexMap;

use super::{Error, Pipeline, Project, Result, names};
use crate::{dataset::ColumnType, diagnostics::nearest};

/// `[params.<name>]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Param {
    /// Its type.
    pub data_type: ColumnType,
    /// Its value unless given, as text.
    pub default: String,
    /// The least it may be, as text.
    pub min: Option<String>,
    /// The most it may be, as text.
    pub max: Option<String>,
    /// The values it may have; any if empty.
    pub one_of: Vec<String>,
    /// What it means.
    pub doc: String,
}

/// The parameters of one pipeline with their values, checked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bindings {
    /// Name → type and value, as text in its canonical spelling.
    pub values: IndexMap<String, (ColumnType, String)>,
}

impl Param {
    /// Returns the value in its canonical spelling (`1.50` as `decimal(6,3)` is `1.500`).
    ///
    /// # Errors
    ///
    /// Says in words what is wrong: the type, the range or the known values.
    pub fn check(&self, text: &str) -> Result<String, String> {
        let value = spell(&self.data_type, text).ok_or_else(|| self.refusal(text))?;
        let fits = self.one_of.is_empty() || self.one_of.contains(&value);
        if fits && self.within(&value) {
            return Ok(value);
        }
        Err(self.refusal(text))
    }

    fn within(&self, value: &str) -> bool {
        let order = |bound: &str| {
            let bound = spell(&self.data_type, bound)?;
            compare(&self.data_type, value, &bound)
        };
        let above = self
            .min
            .as_deref()
            .is_none_or(|min| order(min).is_some_and(Ordering::is_ge));
        let below = self
            .max
            .as_deref()
            .is_none_or(|max| order(max).is_some_and(Ordering::is_le));
        above && below
    }

    fn refusal(&self, text: &str) -> String {
        format!("`{text}` is not {self}")
    }

    /// Says whether text can be a value of parameters of this type.
    pub(super) fn is_type(data_type: &ColumnType) -> bool {
        !matches!(data_type, ColumnType::List(_) | ColumnType::Struct(_))
    }

    /// Returns the parameter with its default, as a binding has it.
    fn bound(&self, text: &str) -> Result<(ColumnType, String), String> {
        Ok((self.data_type.clone(), self.check(text)?))
    }
}

/// What the parameter takes, in words.
impl fmt::Display for Param {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.one_of.is_empty() {
            return write!(f, "one of {}", self.one_of.join(", "));
        }
        write!(f, "a {}", self.data_type)?;
        match (&self.min, &self.max) {
            (Some(min), Some(max)) => write!(f, " from {min} to {max}"),
            (Some(min), None) => write!(f, " of {min} or more"),
            (None, Some(max)) => write!(f, " of {max} or less"),
            (None, None) => Ok(()),
        }
    }
}

/// Returns text as a type spells it, or nothing if it is not a value of the type.
fn spell(data_type: &ColumnType, text: &str) -> Option<String> {
    match data_type {
        ColumnType::Text => Some(text.to_owned()),
        ColumnType::Bigint => text.trim().parse::<i64>().ok().map(|n| n.to_string()),
        ColumnType::Double => spell_double(text.trim()),
        ColumnType::Boolean => text.trim().parse::<bool>().ok().map(|b| b.to_string()),
        ColumnType::Date => text.trim().parse::<NaiveDate>().ok().map(|d| d.to_string()),
        ColumnType::Timestamp => {
            let instant = text.trim().parse::<DateTime<Utc>>().ok()?;
            Some(instant.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string())
        }
        ColumnType::Decimal { precision, scale } => {
            let units = decimal_units(text.trim(), *scale)?;
            let most = 10i128.checked_pow(u32::from(*precision))?;
            (units.abs() < most).then(|| spell_decimal(units, *scale))
        }
        ColumnType::List(_) | ColumnType::Struct(_) => None,
    }
}

fn spell_double(text: &str) -> Option<String> {
    let number = text.parse::<f64>().ok()?;
    number.is_finite().then(|| number.to_string())
}

/// Reads a decimal's digits as a whole number of its last places.
fn decimal_units(text: &str, scale: i8) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let only_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let scale = usize::try_from(scale).ok()?;
    let fraction = fraction.trim_end_matches('0');
    if whole.is_empty() || !only_digits(whole) || !only_digits(fraction) || fraction.len() > scale {
        return None;
    }
    let units: i128 = format!("{whole}{fraction:0<scale$}").parse().ok()?;
    Some(if negative { -units } else { units })
}

fn spell_decimal(units: i128, scale: i8) -> String {
    let scale = usize::from(scale.unsigned_abs());
    let sign = if units < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", units.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let point = if scale == 0 { "" } else { "." };
    format!("{sign}{whole}{point}{fraction}")
}

/// Compares two values in their canonical spelling.
fn compare(data_type: &ColumnType, a: &str, b: &str) -> Option<Ordering> {
    match data_type {
        ColumnType::Bigint => Some(a.parse::<i64>().ok()?.cmp(&b.parse().ok()?)),
        ColumnType::Double => a.parse::<f64>().ok()?.partial_cmp(&b.parse().ok()?),
        ColumnType::Decimal { scale, .. } => {
            Some(decimal_units(a, *scale)?.cmp(&decimal_units(b, *scale)?))
        }
        _ => Some(a.cmp(b)),
    }
}

impl Bindings {
    /// Returns every parameter of the pipeline at its default.
    pub fn defaults(pipeline: &Pipeline) -> Bindings {
        let values = pipeline.params.iter().filter_map(|(name, param)| {
            let bound = param.bound(&param.default).ok()?;
            Some((name.clone(), bound))
        });
        Bindings {
            values: values.collect(),
        }
    }

    /// Returns the values as text, by name, for manifests and reports.
    pub fn texts(&self) -> IndexMap<String, String> {
        let texts = self
            .values
            .iter()
            .map(|(name, (_, text))| (name.clone(), text.clone()));
        texts.collect()
    }

    /// Gives a parameter another value.
    pub(crate) fn set(&mut self, pipeline: &Pipeline, name: &str, text: &str) -> Result<()> {
        let Some(param) = pipeline.params.get(name) else {
            let known = pipeline.params.keys().map(String::as_str);
            return Err(unknown(name, known));
        };
        let bound = param.bound(text).map_err(|reason| Error::Param {
            name: name.to_owned(),
            reason,
        })?;
        self.values.insert(name.to_owned(), bound);
        Ok(())
    }
}

/// Gives each pipeline of the project its values: its defaults, and for the
/// selected ones what `k=v` and `pipeline.k=v` say. The last one of a name counts.
pub(super) fn bind(
    project: &Project,
    selected: &[&Pipeline],
    given: &[String],
) -> Result<IndexMap<String, Bindings>> {
    let mut all: IndexMap<String, Bindings> = project
        .pipelines
        .iter()
        .map(|(name, pipeline)| (name.clone(), Bindings::defaults(pipeline)))
        .collect();
    for pair in given {
        let (key, value) = pair.split_once('=').ok_or_else(|| Error::Param {
            name: pair.clone(),
            reason: "write a parameter as name=value".to_owned(),
        })?;
        let (pipeline, name) = meant(project, selected, key.trim())?;
        if let Some(bindings) = all.get_mut(&pipeline.name) {
            bindings.set(pipeline, name, value)?;
        }
    }
    Ok(all)
}

/// Returns the pipeline and the parameter that a key names.
fn meant<'a, 'k>(
    project: &'a Project,
    selected: &[&'a Pipeline],
    key: &'k str,
) -> Result<(&'a Pipeline, &'k str)> {
    if let Some((pipeline, name)) = key.split_once('.') {
        return Ok((names::find(project, pipeline)?, name));
    }
    let mut having = selected.iter().filter(|p| p.params.contains_key(key));
    match (having.next(), having.next()) {
        (Some(pipeline), None) => Ok((pipeline, key)),
        (Some(one), Some(other)) => Err(Error::Param {
            name: key.to_owned(),
            reason: format!(
                "both `{}` and `{}` have it; write `{}.{key}=…`",
                one.name, other.name, one.name
            ),
        }),
        (None, _) => {
            let mut others = project.pipelines.values();
            if let Some(other) = others.find(|other| other.params.contains_key(key)) {
                return Err(Error::OtherParam {
                    name: key.to_owned(),
                    pipeline: other.name.clone(),
                });
            }
            let known = selected.iter().flat_map(|p| p.params.keys());
            Err(unknown(key, known.map(String::as_str)))
        }
    }
}

fn unknown<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Error {
    Error::UnknownParam {
        name: name.to_owned(),
        nearest: nearest(name, known).map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn param(data_type: &str, min: &str, max: Option<&str>) -> Param {
        Param {
            data_type: data_type.parse().unwrap(),
            default: min.to_owned(),
            min: Some(min.to_owned()),
            max: max.map(str::to_owned),
            one_of: Vec::new(),
            doc: String::new(),
        }
    }

    #[test]
    fn a_decimal_keeps_its_digits() {
        let ratio = param("decimal(6,3)", "1", Some("100"));
        assert_eq!(ratio.check("1.5").unwrap(), "1.500");
        assert_eq!(ratio.check("100").unwrap(), "100.000");
        assert_eq!(
            ratio.check("0.999").unwrap_err(),
            "`0.999` is not a decimal(6,3) from 1 to 100"
        );
        for bad in ["1.2345", "1e1", "", ".5", "NaN", "1.5.0", "+2", "1000000"] {
            assert!(ratio.check(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn bounds_are_compared_as_numbers_not_as_text() {
        let count = param("bigint", "9", Some("100"));
        assert_eq!(count.check("10").unwrap(), "10");
        assert!(count.check("8").is_err());
        assert!(count.check("101").is_err());
        assert!(param("decimal(4,1)", "-2", None).check("-10").is_err());
    }

    #[test]
    fn one_of_is_exact() {
        let method = Param {
            data_type: ColumnType::Text,
            min: None,
            one_of: vec!["price".into(), "geography".into()],
            ..param("text", "price", None)
        };
        assert!(method.check("price").is_ok());
        assert_eq!(
            method.check("Price").unwrap_err(),
            "`Price` is not one of price, geography"
        );
    }
}
