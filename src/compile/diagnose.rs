//! DataFusion's errors as findings in the user's own file.

use std::ops::Range;

use datafusion::{
    common::{Column, Diagnostic, SchemaError, Span},
    error::DataFusionError,
};
use indexmap::IndexSet;

use super::{
    signatures,
    wording::{self, Said},
};
use crate::{
    chain::words::plain,
    diagnostics::{Code, Finding, nearest},
    engine::Error,
    pipeline::{Name, SqlFile, byte_at, lower_first},
};

/// Functions that are only known with OVER.
const WINDOWS: &[&str] = &[
    "row_number",
    "rank",
    "dense_rank",
    "percent_rank",
    "cume_dist",
    "ntile",
    "lag",
    "lead",
];

/// Functions of other engines, and what to write for them.
const ELSEWHERE: &[(&str, &str)] = &[
    ("datediff", "`b - a`, which is days"),
    ("date_diff", "`b - a`, which is days"),
    ("dateadd", "`d + interval '1 day'`"),
    ("date_add", "`d + interval '1 day'`"),
    ("if", "`case when … then … else … end`"),
    ("iff", "`case when … then … else … end`"),
    ("iif", "`case when … then … else … end`"),
    ("strftime", "`to_char(d, '%Y-%m-%d')`"),
    ("strptime", "`to_timestamp(x, '%Y-%m-%d')`"),
    ("first", "`first_value(x order by …)`"),
    ("last", "`last_value(x order by …)`"),
    ("any_value", "`min(x)`"),
    ("list", "`array_agg(x order by x)`"),
    ("len", "`length(x)` of a text, `array_length(x)` of a list"),
    ("max_by", "`arg_max(x, y)`"),
    ("min_by", "`arg_min(x, y)`"),
    ("string_split", "`string_to_array(x, ',')`"),
    ("regexp_extract", "`regexp_match(x, '…')[1]`"),
    ("regexp_matches", "`regexp_like(x, '…')`"),
    ("year", "`date_part('year', d)`"),
    ("month", "`date_part('month', d)`"),
    ("day", "`date_part('day', d)`"),
    ("epoch", "`date_part('epoch', d)`"),
    ("sign", "`signum(x)`"),
    ("struct_pack", "`{'a': 1}`"),
    (
        "quantile",
        "`percentile_cont(0.5) within group (order by x)`",
    ),
    (
        "quantile_cont",
        "`percentile_cont(0.5) within group (order by x)`",
    ),
    (
        "mode",
        "`count(*)` per value in a WITH, and `arg_max(x, n)`",
    ),
];

/// Returns the finding for an error of planning `file`; `known` are the names of the
/// relations that it may read.
pub(crate) fn finding(
    error: &DataFusionError,
    file: &SqlFile,
    known: impl FnOnce() -> Vec<String>,
) -> Finding {
    let span = error.diagnostic().and_then(|diagnostic| diagnostic.span);
    let span = span.map(|span| bytes(&file.text, &span));
    match error.find_root() {
        DataFusionError::SchemaError(error, _) => schema(error, file, span),
        root => {
            let message = root.message().into_owned();
            if let Some(name) = quoted_after(&message, "table '") {
                return no_relation(&name, file, span, &known());
            }
            if let Some(name) = quoted_after(&message, "Invalid function '") {
                return unknown_function(&name, file, span, &message);
            }
            other(&message, error.diagnostic(), file, span)
        }
    }
}

/// Returns why a query of the moment cannot be started: a finding where its SQL is at
/// fault, and not the data or the machine.
pub(crate) fn of_query(error: DataFusionError, file: &SqlFile) -> Error {
    match is_of_sql(&error) {
        true => Error::invalid(vec![finding(&error, file, Vec::new)]),
        false => Error::run("the query", error),
    }
}

/// Says whether SQL is at fault that cannot be planned, and not a value of its rows.
pub(crate) fn is_of_sql(error: &DataFusionError) -> bool {
    matches!(
        error.find_root(),
        DataFusionError::Plan(_)
            | DataFusionError::SchemaError(..)
            | DataFusionError::NotImplemented(_)
    )
}

fn schema(error: &SchemaError, file: &SqlFile, span: Option<Range<usize>>) -> Finding {
    match error {
        SchemaError::FieldNotFound {
            field,
            valid_fields,
        } => unknown_column(field, valid_fields, file, span),
        SchemaError::AmbiguousReference { field } => {
            let name = field.name();
            let what = format!("`{name}` is a column of more than one relation");
            Finding::new(Code::AmbiguousColumn, what)
                .at(
                    file.place(span.unwrap_or_else(|| named(file, name))),
                    "which?",
                )
                .help(format!("write `<relation>.{name}`"))
        }
        SchemaError::DuplicateQualifiedField { name, .. }
        | SchemaError::DuplicateUnqualifiedField { name } => {
            let span = span.unwrap_or_else(|| named(file, name));
            Finding::new(
                Code::DuplicateColumn,
                format!("two columns are named `{name}`"),
            )
            .at(file.place(span), "here")
            .help("give one of them another name with `as`")
        }
    }
}

fn unknown_column(
    field: &Column,
    valid: &[Column],
    file: &SqlFile,
    span: Option<Range<usize>>,
) -> Finding {
    let name = field.name();
    if span.is_none() && file.word(name).is_none() {
        return of_subquery(file);
    }
    let span = span.unwrap_or_else(|| named(file, name));
    let finding = Finding::new(Code::UnknownColumn, format!("there is no column `{name}`"))
        .at(file.place(span), "unknown column");
    let names: IndexSet<&str> = valid.iter().map(Column::name).collect();
    let names: Vec<&str> = names.into_iter().collect();
    let otherwise = match names.is_empty() {
        true => String::new(),
        false => format!("the columns are {}", names.join(", ")),
    };
    finding.suggest(name, names, otherwise)
}

/// Returns the finding for a column that nobody wrote: the engine took a subquery apart, and
/// could not put it together.
fn of_subquery(file: &SqlFile) -> Finding {
    let what = "a subquery that reads the query around it is not supported in this form";
    let at = file.subquery().unwrap_or_else(|| file.first_token());
    Finding::new(Code::BadSql, what)
        .at(file.place(at), "here")
        .help("join it, or compare with `=` alone: `(select max(x) from t where t.k = s.k)`")
}

/// Returns the finding for a name that means nothing where it is written.
pub(crate) fn unknown_table(file: &SqlFile, name: &Name, known: &[String]) -> Finding {
    let written = name.reference.to_string();
    no_relation(&written, file, Some(name.span.clone()), known)
}

fn no_relation(
    name: &str,
    file: &SqlFile,
    span: Option<Range<usize>>,
    relations: &[String],
) -> Finding {
    let mut parts = name.rsplit('.');
    let last = parts.next().unwrap_or(name);
    let known = relations.iter().map(String::as_str);
    let span = span.unwrap_or_else(|| named(file, last));
    let written = &file.text[span.clone()];
    let shown = if written.is_empty() { last } else { written };
    let finding = Finding::new(
        Code::UnknownRelation,
        format!("there is no relation `{shown}`"),
    )
    .at(file.place(span), "unknown relation");
    let bare = relations.iter().filter(|name| !name.contains('.'));
    let bare: IndexSet<&str> = bare.map(String::as_str).collect();
    let bare: Vec<&str> = bare.into_iter().collect();
    let otherwise = match relations.is_empty() {
        true => String::new(),
        false => format!("the relations are {}", bare.join(", ")),
    };
    // What is written as a whole comes first: `export.pirces` is near `export.prices`.
    let wanted = match nearest(shown, known.clone()) {
        Some(_) => shown,
        None => last,
    };
    finding.suggest(wanted, known, otherwise)
}

fn unknown_function(
    name: &str,
    file: &SqlFile,
    span: Option<Range<usize>>,
    message: &str,
) -> Finding {
    let span = span.unwrap_or_else(|| named(file, name));
    let finding = Finding::new(
        Code::UnknownFunction,
        format!("there is no function `{name}`"),
    )
    .at(file.place(span), "unknown function");
    let lower = name.to_lowercase();
    if WINDOWS.contains(&lower.as_str()) {
        return finding.help(format!(
            "it is a window function: write `{lower}(…) over (partition by … order by …)`"
        ));
    }
    if let Some((_, help)) = ELSEWHERE.iter().find(|(known, _)| *known == lower) {
        return finding.help(format!("write {help}"));
    }
    // The planner always names one, however far from what is written.
    let named = quoted_after(message, "Did you mean '");
    finding.suggest(
        name,
        named,
        "`pricemill docs functions` lists the functions",
    )
}

/// Returns the finding for a name that two columns of one SELECT have.
fn repeated(message: &str, file: &SqlFile) -> Option<Finding> {
    let (_, rest) = message.split_once("unique expression names but the expression \"")?;
    let (expression, _) = rest.split_once("\" at position")?;
    let name = match expression.rsplit_once(" AS ") {
        Some((_, alias)) => alias,
        None => expression.rsplit('.').next().unwrap_or(expression),
    };
    let finding = Finding::new(
        Code::DuplicateColumn,
        format!("two columns are named `{name}`"),
    );
    let finding = match file.selected(name).as_slice() {
        [first, .., second] => finding
            .at(file.place(second.clone()), "the second")
            .see(file.place(first.clone()), "the first"),
        _ => finding.at(file.place(file.first_token()), "in this SELECT"),
    };
    Some(finding.help("give one of them another name with `as`"))
}

/// Returns the finding for a column that is neither grouped nor aggregated.
fn ungrouped(message: &str, file: &SqlFile, span: Range<usize>) -> Option<Finding> {
    let (before, _) = message.split_once("' must appear in GROUP BY")?;
    let (_, written) = before.rsplit_once('\'')?;
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
    let column = match written.rsplit_once('.') {
        Some((_, column)) if written.chars().all(is_name) => column,
        _ => written,
    };
    let what = format!("`{column}` is neither grouped nor aggregated");
    let help = format!("add it to `group by`, or aggregate it: `min({column})`");
    let finding = Finding::new(Code::UngroupedColumn, what);
    Some(finding.at(file.place(span), "not in GROUP BY").help(help))
}

/// Returns where the first name that an error quotes is written, or where SQL begins.
fn suspected(message: &str, file: &SqlFile) -> Range<usize> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let quoted = message.split(['\'', '`', '"']).skip(1).step_by(2);
    let mut found = quoted.filter_map(|quoted| {
        let name = quoted.rsplit('.').next()?;
        let name = name.split(|c| !is_name(c)).next()?;
        file.literal(quoted).or_else(|| file.word(name))
    });
    let clauses = [
        ("window function", "over"),
        ("WHERE", "where"),
        ("CAST", "cast"),
    ];
    let of_clause = || {
        let mut named = clauses.iter().filter(|(says, _)| message.contains(says));
        named.find_map(|(_, keyword)| file.word(keyword))
    };
    let found = found.next().or_else(of_clause);
    found.unwrap_or_else(|| file.first_token())
}

fn other(
    message: &str,
    diagnostic: Option<&Diagnostic>,
    file: &SqlFile,
    span: Option<Range<usize>>,
) -> Finding {
    if let Some(finding) = signatures::finding(message, file) {
        return finding;
    }
    let own = diagnostic.map(|diagnostic| diagnostic.message.as_str());
    let texts = [Some(message), own].into_iter().flatten().map(plain);
    let texts: Vec<String> = texts.collect();
    if let Some(said) = texts.iter().find_map(|text| wording::said(text)) {
        return worded(said, file, span);
    }
    let message = texts.last().map_or("", String::as_str);
    let mut lines = message.trim().lines();
    let first = lines.next().unwrap_or("the SQL cannot be planned");
    let span = span.unwrap_or_else(|| suspected(first, file));
    if let Some(finding) = ungrouped(first, file, span.clone()) {
        return finding;
    }
    if let Some(finding) = repeated(first, file) {
        return finding;
    }
    let mut finding = Finding::new(Code::BadSql, lower_first(first.trim_end_matches('.')))
        .at(file.place(span), "in this SELECT");
    let rest = lines.map(str::trim).filter(|line| !line.is_empty());
    finding.help.extend(rest.map(str::to_owned));
    if let Some(diagnostic) = diagnostic {
        let helps = diagnostic.helps.iter().map(|help| plain(&help.message));
        finding.help.extend(helps);
        let notes = diagnostic.notes.iter().map(|note| plain(&note.message));
        finding.help.extend(notes);
    }
    finding
}

/// Returns the finding of a message of ours, at the first of its words that is written, or
/// where the planner says.
fn worded(said: Said, file: &SqlFile, span: Option<Range<usize>>) -> Finding {
    let words = said.at.iter();
    let mut places = words.filter_map(|word| match word.as_str() {
        "#subquery" => file.subquery(),
        "#dot" => file.symbol("[").or_else(|| file.symbol(".")),
        word => {
            let named = file.word(word).or_else(|| file.literal(word));
            named.or_else(|| file.symbol(word))
        }
    });
    // Of an operation or a subquery the planner knows which it is, where it has a column.
    let is_known = said.code == Code::MixedTypes || said.at.iter().any(|at| at == "#subquery");
    let at = match is_known {
        true => span.or_else(|| places.next()),
        false => places.next().or(span),
    };
    let at = at.unwrap_or_else(|| suspected(&said.what, file));
    Finding::new(said.code, said.what)
        .at(file.place(at), "here")
        .help(said.help)
}

/// Returns where SQL first writes a name, or where it begins.
fn named(file: &SqlFile, name: &str) -> Range<usize> {
    file.word(name).unwrap_or_else(|| file.first_token())
}

/// Returns what is between `before` and the next quote.
fn quoted_after(text: &str, before: &str) -> Option<String> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once('\'').map(|(name, _)| name.to_owned())
}

fn bytes(text: &str, span: &Span) -> Range<usize> {
    let start = byte_at(text, span.start.line, span.start.column);
    let end = byte_at(text, span.end.line, span.end.column);
    start..end.max(start)
}
