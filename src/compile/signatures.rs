//! Calls whose arguments are too many, too few, or of types that the function does not take.
//!
//! In comes what the planner says of a call; out comes what is given and what is taken, in
//! SQL's names of types. The planner knows some functions by another name than is written.

use crate::{
    chain::words::plain,
    diagnostics::{Code, Finding},
    pipeline::SqlFile,
};

/// Names of the planner, and how they are written.
const WRITTEN: &[(&str, &[&str])] = &[
    ("character_length", &["length", "char_length"]),
    ("btrim", &["trim"]),
    ("nvl", &["ifnull"]),
    ("strpos", &["position", "instr"]),
    ("substr", &["substring"]),
    ("array_element", &["list_element", "["]),
    ("make_array", &["array", "["]),
    ("array_append", &["||"]),
    ("array_concat", &["||"]),
    ("array_has", &["list_contains", "any"]),
    ("datetrunc", &["date_trunc"]),
    ("datepart", &["date_part", "extract"]),
    ("mean", &["avg"]),
];

/// What the planner calls kinds of arguments.
const KINDS: &[(&str, &str)] = &[
    ("Numeric(1)", "number"),
    ("Numeric(2)", "number, number"),
    ("Numeric(3)", "number, number, number"),
    ("String(1)", "text"),
    ("String(2)", "text, text"),
    ("String(3)", "text, text, text"),
    ("Numeric", "number"),
    ("Integer", "bigint"),
    ("Float", "double"),
    ("Decimal", "decimal"),
    ("String", "text"),
    ("Any", "value"),
    ("Interval", "interval"),
    ("Duration", "interval"),
    ("Timestamp", "timestamp"),
    ("Time", "time"),
    ("Date", "date"),
    ("Boolean", "boolean"),
];

/// Returns the finding for such a call.
pub(super) fn finding(message: &str, file: &SqlFile) -> Option<Finding> {
    let (_, rest) =
        message.split_once("No function matches the given name and argument types '")?;
    let (call, rest) = rest.split_once("'.")?;
    let (name, given) = call.split_once('(')?;
    let name = written(&name.to_lowercase(), file);
    let given = plain(given.strip_suffix(')').unwrap_or(given));
    let shown = match name.as_str() {
        "[" => "`[…]`".to_owned(),
        name => format!("`{name}`"),
    };
    let what = match given.is_empty() {
        true => format!("{shown} does not work without arguments"),
        false => format!("{shown} does not take ({given})"),
    };
    let at = file.word(&name).or_else(|| file.symbol(&name));
    let at = at.unwrap_or_else(|| file.first_token());
    let help = match taken(rest) {
        Some(taken) => format!("it takes ({})", taken.join("), or (")),
        None => "give as many arguments as it takes, and `cast(… as …)` those of another type"
            .to_owned(),
    };
    let finding = Finding::new(Code::BadSql, what).at(file.place(at), "in this call");
    Some(finding.help(help))
}

fn written(name: &str, file: &SqlFile) -> String {
    if file.word(name).is_some() {
        return name.to_owned();
    }
    let known = WRITTEN.iter().find(|(theirs, _)| *theirs == name);
    let mut names = known.into_iter().flat_map(|(_, names)| names.iter());
    let found = names.find(|name| file.word(name).or_else(|| file.symbol(name)).is_some());
    found.map_or_else(|| name.to_owned(), |name| (*name).to_owned())
}

/// Returns the lists of arguments that a function takes, at most three, if all of their
/// words are SQL's.
fn taken(rest: &str) -> Option<Vec<String>> {
    let (_, candidates) = rest.split_once("Candidate functions:")?;
    let lines = candidates
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty());
    let mut all: Vec<String> = Vec::new();
    for line in lines {
        let (_, list) = line.split_once('(')?;
        let list = kinds(list.strip_suffix(')')?)?;
        if !all.contains(&list) {
            all.push(list);
        }
    }
    (1..=3).contains(&all.len()).then_some(all)
}

fn kinds(list: &str) -> Option<String> {
    // `expr: value`, of which the name says nothing.
    let said = plain(list);
    let values = said
        .split(", ")
        .map(|it| it.rsplit(": ").next().unwrap_or(it));
    let mut said = values.collect::<Vec<_>>().join(", ");
    for (theirs, ours) in KINDS {
        said = said.replace(theirs, ours);
    }
    let is_plain = said
        .chars()
        .all(|c| c.is_lowercase() || c.is_ascii_digit() || " ,()[]_./:".contains(c));
    is_plain.then(|| said.replace('/', " or "))
}
