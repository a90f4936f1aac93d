//! Which form of an export the client wants.

use axum::http::{HeaderMap, header};

/// A form an export has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Pages of JSON.
    Pages,
    /// The whole dataset as an Arrow IPC stream.
    Arrow,
    /// The whole dataset as one Parquet file.
    Parquet,
}

impl Form {
    pub(super) fn media_type(self) -> &'static str {
        match self {
            Form::Pages => "application/json",
            Form::Arrow => "application/vnd.apache.arrow.stream",
            Form::Parquet => "application/vnd.apache.parquet",
        }
    }
}

/// Returns the form of the highest quality that the client accepts; of equal ones the
/// first it names. A wildcard means pages, as does no header at all. `None` when the
/// client wants what there is not.
pub(super) fn form(headers: &HeaderMap) -> Option<Form> {
    let mut ranges = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter(|range| !range.trim().is_empty())
        .peekable();
    if ranges.peek().is_none() {
        return Some(Form::Pages);
    }
    let mut best: Option<(f32, Form)> = None;
    for (quality, form) in ranges.filter_map(read) {
        if quality > best.map_or(0.0, |(best, _)| best) {
            best = Some((quality, form));
        }
    }
    best.map(|(_, form)| form)
}

/// Reads `application/json;q=0.5`.
fn read(range: &str) -> Option<(f32, Form)> {
    let mut parts = range.split(';').map(str::trim);
    let form = match parts.next()?.to_ascii_lowercase().as_str() {
        "*/*" | "application/*" | "application/json" => Form::Pages,
        "application/vnd.apache.arrow.stream" => Form::Arrow,
        "application/vnd.apache.parquet" => Form::Parquet,
        _ => return None,
    };
    let quality = parts.find_map(|part| part.strip_prefix("q="));
    Some((quality.map_or(Some(1.0), |q| q.parse().ok())?, form))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_form_named_is_served() {
        let arrow = "application/vnd.apache.arrow.stream";
        for (accept, wanted) in [
            ("", Some(Form::Pages)),
            ("*/*", Some(Form::Pages)),
            ("text/html, */*;q=0.8", Some(Form::Pages)),
            (arrow, Some(Form::Arrow)),
            (&format!("{arrow}, application/json"), Some(Form::Arrow)),
            (
                &format!("application/json;q=0.5, {arrow}"),
                Some(Form::Arrow),
            ),
            (
                &format!("{arrow};q=0.2, application/json;q=0.9"),
                Some(Form::Pages),
            ),
            (&format!("{arrow};q=0, */*"), Some(Form::Pages)),
            ("application/vnd.apache.parquet", Some(Form::Parquet)),
            ("text/html", None),
            ("application/json;q=0", None),
            ("application/json;q=NaN", None),
        ] {
            let headers = [(header::ACCEPT, accept.parse().unwrap())];
            assert_eq!(form(&headers.into_iter().collect()), wanted, "{accept}");
        }
    }
}
