//! The arguments of `show` and `query` as text with places.
//!
//! In come the arguments; out comes the SQL that they are, and findings in that SQL as
//! findings in the argument that the user wrote: the query, the relation or `--where`.

use std::ops::Range;

use crate::{
    diagnostics::{Finding, Findings, Place},
    engine::Error,
    text::quoted,
};

/// How a query is named in findings.
pub(super) const QUERY: &str = "query";

/// How the relation of `show` is named in findings.
const RELATION: &str = "RELATION";

/// How the condition of `show` is named in findings.
const WHERE: &str = "--where";

const BEFORE_RELATION: &str = "select *\nfrom ";
const BEFORE_FILTER: &str = "\nwhere ";

/// Returns the SQL that shows a relation.
pub fn select_all(relation: &str, filter: Option<&str>) -> String {
    let mut sql = format!("{BEFORE_RELATION}{}", in_sql(relation));
    if let Some(filter) = filter {
        sql.push_str(BEFORE_FILTER);
        sql.push_str(filter);
    }
    sql
}

/// Returns a relation as SQL names it.
fn in_sql(relation: &str) -> String {
    let relation = relation.replace('-', "_");
    let plain = |part: &str| part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let parts = relation.split('.').map(|part| match plain(part) {
        true => part.to_owned(),
        false => quoted(part),
    });
    parts.collect::<Vec<_>>().join(".")
}

/// Returns the error with its findings in the arguments of `show`.
pub(super) fn error_in_arguments(error: Error, relation: &str, filter: Option<&str>) -> Error {
    let Error::Invalid(Findings(mut findings)) = error else {
        return error;
    };
    in_arguments(&mut findings, relation, filter);
    Error::invalid(findings)
}

/// Puts findings in the query into the arguments of `show` that it was made of.
pub(super) fn in_arguments(findings: &mut [Finding], relation: &str, filter: Option<&str>) {
    for annotation in findings.iter_mut().flat_map(|it| &mut it.places) {
        if annotation.place.file.as_os_str() == QUERY {
            annotation.place = in_argument(&annotation.place.span, relation, filter);
        }
    }
}

fn in_argument(span: &Range<usize>, relation: &str, filter: Option<&str>) -> Place {
    let relation = in_sql(relation);
    let after_relation = BEFORE_RELATION.len() + relation.len();
    let (file, text, before) = match filter {
        Some(filter) if span.start > after_relation => (
            WHERE,
            filter.to_owned(),
            after_relation + BEFORE_FILTER.len(),
        ),
        _ => (RELATION, relation, BEFORE_RELATION.len()),
    };
    Place {
        file: file.into(),
        text: text.into(),
        span: span.start.saturating_sub(before)..span.end.saturating_sub(before),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_in_the_argument_that_it_comes_from() {
        let filter = "prise > 1";
        let sql = select_all("store-groups", Some(filter));
        let at = |word: &str| {
            let start = sql.find(word).unwrap();
            let place = in_argument(&(start..start + word.len()), "store-groups", Some(filter));
            let shown = place.text[place.span.clone()].to_owned();
            (place.file.display().to_string(), place.span.start, shown)
        };
        assert_eq!(at("prise"), ("--where".into(), 0, "prise".into()));
        assert_eq!(at("> 1"), ("--where".into(), 6, "> 1".into()));
        assert_eq!(
            at("store_groups"),
            ("RELATION".into(), 0, "store_groups".into())
        );
    }
}
