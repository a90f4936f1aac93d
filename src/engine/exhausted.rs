//! What an operator lacked: DataFusion reports it in one text; people want its parts.

use std::fmt;

use datafusion::error::DataFusionError;

/// What DataFusion says when spilled files are over their limit.
const TEMP_LIMIT: &str = "max_temp_directory_size";

/// What ran out while an operator was at work.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Exhausted {
    /// An operator asked for more memory than is left. Sizes as DataFusion reports them.
    Memory {
        /// The operator, as DataFusion names it.
        operator: String,
        /// Whether it could have spilled, where that is known.
        can_spill: Option<bool>,
        /// What it asked for.
        asked: String,
        /// What it had.
        held: String,
        /// What the pool had left for it.
        left: String,
        /// The pool, as `memory` sets it.
        pool: String,
    },
    /// One of pricemill's own operators, or one that reports no sizes, asked for too much.
    Other(String),
    /// What operators spilled is over `max_temp`.
    Temp {
        /// The limit, as DataFusion prints it.
        limit: String,
    },
}

impl Exhausted {
    /// Returns what an error says ran out, if that is what it says.
    pub(crate) fn of(error: &DataFusionError) -> Option<Exhausted> {
        let text = error.to_string();
        if text.contains(TEMP_LIMIT) {
            let limit = between(&text, "allowable limit of ", ". ");
            return Some(Exhausted::Temp {
                limit: limit.unwrap_or_default().to_owned(),
            });
        }
        match error.find_root() {
            DataFusionError::ResourcesExhausted(text) => Some(memory(text)),
            _ => None,
        }
    }

    /// Returns the setting to change.
    pub(crate) fn hint(&self) -> String {
        let (key, what) = match self {
            Exhausted::Temp { .. } => ("max_temp", "let the engine spill more"),
            _ => ("memory", "give the engine more memory"),
        };
        let variable = key.to_ascii_uppercase();
        format!(
            "{what}: `{key}` under [engine] in pricemill.toml, or PRICEMILL_ENGINE_{variable}; \
             fewer `--threads` need less"
        )
    }
}

/// Takes the text apart; one of another form is text as it is.
fn memory(text: &str) -> Exhausted {
    let parts = || {
        let (_, failed) = text.rsplit_once("Failed to allocate additional ")?;
        let (asked, rest) = failed.split_once(" for ")?;
        let (before, rest) = rest.split_once(" already allocated for this reservation - ")?;
        let (operator, held) = before.rsplit_once(" with ")?;
        let (left, pool) = rest.split_once(" remain available")?;
        Some(Exhausted::Memory {
            operator: operator.to_owned(),
            can_spill: can_spill(text, operator),
            asked: asked.to_owned(),
            held: held.to_owned(),
            left: left.to_owned(),
            pool: between(pool, "pool_size: ", ")")?.to_owned(),
        })
    };
    parts().unwrap_or_else(|| Exhausted::Other(text.to_owned()))
}

/// Looks an operator up in the list of the largest consumers.
fn can_spill(text: &str, operator: &str) -> Option<bool> {
    let start = format!("{operator}#");
    let line = text
        .lines()
        .find(|line| line.trim_start().starts_with(&start))?;
    between(line, "(can spill: ", ")")?.parse().ok()
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    Some(rest.split_once(after)?.0)
}

impl fmt::Display for Exhausted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Exhausted::Memory {
                operator,
                can_spill,
                asked,
                held,
                left,
                pool,
            } => {
                write!(
                    f,
                    "the operator {operator} holds {held} and asked for {asked} more, but only \
                     {left} of {pool} is left"
                )?;
                match can_spill {
                    Some(false) => f.write_str(", and it cannot spill"),
                    _ => Ok(()),
                }
            }
            Exhausted::Other(text) => f.write_str(text),
            Exhausted::Temp { limit } => write!(f, "spilled data exceeds the limit of {limit}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operator_that_cannot_spill_is_named_with_its_sizes() {
        let text = "Additional allocation failed for HashJoinInput with top memory consumers \
            (across reservations) as:\n  HashJoinInput#12(can spill: false) consumed 700.0 MB, \
            peak 700.0 MB.\nError: Failed to allocate additional 128.0 MB for HashJoinInput with \
            64.0 MB already allocated for this reservation - 12.0 MB remain available for the \
            total memory pool: fair(pool_size: 768.0 MB)";
        let error = DataFusionError::ResourcesExhausted(text.to_owned()).context("within a join");
        let exhausted = Exhausted::of(&error).unwrap();
        assert_eq!(
            exhausted.to_string(),
            "the operator HashJoinInput holds 64.0 MB and asked for 128.0 MB more, but only 12.0 MB \
             of 768.0 MB is left, and it cannot spill"
        );
        assert!(exhausted.hint().contains("PRICEMILL_ENGINE_MEMORY"));
    }

    #[test]
    fn a_text_of_another_form_is_told_as_it_is() {
        let error = DataFusionError::ResourcesExhausted("too many pairs".to_owned());
        let exhausted = Exhausted::of(&error).unwrap();
        assert_eq!(exhausted, Exhausted::Other("too many pairs".to_owned()));
        assert_eq!(
            Exhausted::of(&DataFusionError::Plan("no table".into())),
            None
        );
    }
}
