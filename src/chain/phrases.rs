//! Sentences of DataFusion and Arrow that users would not understand, and ours for them.
//!
//! In comes what an error says, with types as SQL names them; out comes a sentence of ours,
//! or nothing. A phrase is a text with `{}` for what differs; ours has `{0}`, `{1}` in its
//! place.

/// What fails when a query runs, or when the planner computes a constant.
const RUNS: &[(&str, &str)] = &[
    (
        "calar subquery returned more than one row",
        "a subquery in the place of a value returned more than one row: aggregate it, or compare with `in`",
    ),
    (
        "Unsupported date_trunc granularity: '{}'. Supported values are: {}",
        "`{0}` is not a unit of `date_trunc`; the units are {1}",
    ),
    (
        "Date part '{}' not supported",
        "`{0}` is not a part of a date; the parts are year, quarter, month, week, day, dow, doy, hour, minute, second, epoch",
    ),
    (
        "Error parsing timestamp from '{}': {}",
        "`{0}` is not a timestamp: write it as `2026-11-27 10:30:00`",
    ),
    (
        "{} function unsupported data type at index {}: {}",
        "`{0}` takes no {2} as an argument: cast it to text",
    ),
    (
        "field position must not be zero",
        "`split_part` counts from 1: there is no part 0",
    ),
    (
        "Placeholder '{}' was not provided a value",
        "there is no value for `{0}`: parameters are written `$name`, and declared in a manifest",
    ),
    (
        "Invalid timezone \"{}\"",
        "`{0}` is not a time zone: write a name such as `Europe/Zagreb`, or `+01:00`",
    ),
    (
        "NTILE requires a positive integer",
        "`ntile` takes a whole number above zero",
    ),
    (
        "Expected an integer value",
        "the offset of `lag` and `lead` is a whole number",
    ),
    (
        "operator '{}' is not supported in the physical expr",
        "this operator is not supported between these values",
    ),
    (
        "There is no built-in encoding named '{}', currently supported encodings are: {}",
        "`{0}` is not an encoding; the encodings are {1}",
    ),
    (
        "Month value '{}' is out of range",
        "`{0}` is not a month: months are 1 to 12",
    ),
    (
        "Day value '{}' is out of range",
        "`{0}` is not a day of the month",
    ),
];

/// Returns our sentence for an error of a run.
pub(super) fn run(says: &str) -> Option<String> {
    if let Some(says) = regular_expression(says) {
        return Some(says);
    }
    if says.trim() == "Format error" {
        return Some("the format is not valid: `%Y-%m-%d` is one".to_owned());
    }
    RUNS.iter()
        .find_map(|(theirs, ours)| Some(filled(ours, &captured(says, theirs)?)))
}

/// Returns what is wrong with a regular expression, which is printed over several lines.
fn regular_expression(says: &str) -> Option<String> {
    let (_, rest) = says.split_once("regex parse error:")?;
    let mut lines = rest.lines().map(str::trim).filter(|line| !line.is_empty());
    let pattern = lines.next()?;
    let (_, why) = rest.split_once("error: ")?;
    let why = why.lines().next().unwrap_or(why);
    Some(format!("`{pattern}` is not a regular expression: {why}"))
}

/// Returns what stands for each `{}` of a phrase, if a text has the phrase.
pub(crate) fn captured<'t>(text: &'t str, phrase: &str) -> Option<Vec<&'t str>> {
    let mut pieces = phrase.split("{}");
    let first = pieces.next()?;
    let start = text.find(first)?;
    let mut found = Vec::new();
    let mut rest = &text[start + first.len()..];
    if first.is_empty() {
        rest = text;
    }
    for piece in pieces {
        let end = match piece.is_empty() {
            true => rest.lines().next().map_or(0, str::len),
            false => rest.find(piece)?,
        };
        found.push(rest[..end].trim());
        rest = &rest[end + piece.len()..];
    }
    Some(found)
}

/// Puts what was found into a sentence of ours.
pub(crate) fn filled(ours: &str, found: &[&str]) -> String {
    let mut said = ours.to_owned();
    for (at, value) in found.iter().enumerate() {
        said = said.replace(&format!("{{{at}}}"), value);
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_found_and_put_into_our_sentence() {
        let says = "order by column out of bounds, specified: 9, max: 6\nmore";
        let found = captured(says, "specified: {}, max: {}").unwrap();
        assert_eq!(found, ["9", "6"]);
        assert_eq!(filled("{1} before {0}", &found), "6 before 9");
        assert!(captured(says, "specified: {}, least: {}").is_none());
        assert_eq!(captured("abc, d", "{}, d").unwrap(), ["abc"]);
    }

    #[test]
    fn errors_of_runs_have_sentences_of_ours() {
        for (theirs, ours) in [
            (
                "Invalid regex: regex parse error:\n    (\n    ^\nerror: unclosed group",
                "`(` is not a regular expression: unclosed group",
            ),
            (
                "Date part 'foo' not supported",
                "`foo` is not a part of a date; the parts are year, quarter, month, week, day, dow, doy, hour, minute, second, epoch",
            ),
            (
                "Error parsing timestamp from 'x': timestamp must contain at least 10 characters",
                "`x` is not a timestamp: write it as `2026-11-27 10:30:00`",
            ),
        ] {
            assert_eq!(run(theirs).as_deref(), Some(ours));
        }
        assert_eq!(run("the disk is full"), None);
    }
}
