//! DataFusion's and Arrow's words in those of SQL.
//!
//! In comes what one of their errors says; out comes the same as users know it: `bigint`
//! for `Int64`, `'a'` for `Utf8("a")`, and none of the wrappers that say which crate has
//! failed. Text without such words stays as it is. It never decides what an error means.

use super::phrases;

/// What is put before or behind another's words, and says nothing to users.
const WRAPPERS: &[&str] = &[
    "External error: ",
    "External: ",
    "Arrow error: ",
    "Cast error: ",
    "Compute error: ",
    "Invalid argument error: ",
    "Arithmetic overflow: ",
    "Overflow happened on: ",
    "Execution error: ",
    "Error during planning: ",
    "Schema error: ",
    "This feature is not implemented: ",
    "Not yet implemented: ",
    "Internal error: ",
    "Internal Error: ",
    "type_coercion\ncaused by\n",
    "Context: ",
    "SQL error: ",
    "DataFusion error: ",
    "ParserError: ",
    "Parser error: ",
];

/// What DataFusion adds to what it has not foreseen.
const BUG: &str = "This issue was likely caused by a bug";

/// Returns what an error says in plain words.
pub(crate) fn plain(says: &str) -> String {
    let mut says = match says.split_once(BUG) {
        Some((says, _)) => without_rules(says.trim().trim_end_matches('.')),
        None => without_rules(says),
    };
    for wrapper in WRAPPERS {
        says = says.replace(wrapper, "");
    }
    let says = sentence(&says).unwrap_or(says);
    typed(&says).trim().to_owned()
}

/// Drops `Optimizer rule 'x' failed` and its like, each on a line of its own.
fn without_rules(says: &str) -> String {
    let mut says = says;
    while let Some((before, rest)) = says.split_once("\ncaused by\n") {
        let is_rule = before.ends_with("failed") || !before.contains(' ');
        match is_rule {
            true => says = rest,
            false => return format!("{before}: {}", without_rules(rest)),
        }
    }
    says.to_owned()
}

/// Returns a sentence of ours for one of theirs that users would not understand.
fn sentence(says: &str) -> Option<String> {
    if let Some((_, rest)) = says.split_once("Cannot cast string '") {
        let (value, rest) = rest.split_once("' to value of ")?;
        let (name, _) = rest.split_once(" type")?;
        // Of a decimal Arrow names the widest there is.
        let name = if name.starts_with("Decimal") {
            "decimal"
        } else {
            name
        };
        return Some(format!("`{value}` is not a {name}"));
    }
    if let Some((_, rest)) = says.split_once("Cannot cast value '") {
        let (value, rest) = rest.split_once("' to value of ")?;
        let (name, _) = rest.split_once(" type")?;
        return Some(format!("`{value}` is not a {}", name.to_lowercase()));
    }
    if let Some((_, rest)) = says.split_once("Can't cast value ") {
        let (value, name) = rest.split_once(" to type ")?;
        return Some(format!("{value} is beyond the range of {name}"));
    }
    if let Some((before, rest)) = says.split_once(". Overflowing on ") {
        let (_, name) = before.split_once("Cannot cast to ")?;
        return Some(format!("{rest} is beyond the range of {name}"));
    }
    if let Some((value, rest)) = says.split_once(" is too large to store in a ") {
        let (name, _) = rest.split_once(" of precision ")?;
        let precision = rest.split_once(" of precision ")?.1.split('.').next()?;
        let value = value.rsplit(' ').next()?;
        return Some(format!(
            "{value} has more than {precision} digits, which a {name} cannot hold"
        ));
    }
    if says.contains("Divide by zero") {
        return Some("a number is divided by zero: write `nullif(divisor, 0)`".to_owned());
    }
    if let Some((_, rest)) = says.split_once("Cannot create filter with non-boolean predicate '") {
        let (predicate, name) = rest.split_once("' returning ")?;
        return Some(format!(
            "the condition `{predicate}` is a {name}, not a boolean"
        ));
    }
    phrases::run(&typed(says)).or_else(|| unsupported(says))
}

/// Expressions where they cannot be, which are printed as their trees.
fn unsupported(says: &str) -> Option<String> {
    let is_placed = says.contains("does not support") || says.contains("not supported");
    if let Some(at) = says.find("WindowFunction").filter(|_| is_placed) {
        let help =
            "a window function cannot be used here: compute it in a WITH, and use its column";
        return Some(help.to_owned()).filter(|_| !says[..at].contains('`'));
    }
    if says.contains("AggregateFunction") && is_placed {
        return Some(
            "an aggregate cannot be used here or within another: compute it in a WITH, and use its column".to_owned(),
        );
    }
    if says.contains("OuterReferenceColumn") && is_placed {
        return Some(
            "a subquery cannot read this column of the query around it: join it instead".to_owned(),
        );
    }
    let subqueries = ["ScalarSubquery", "InSubquery", "Exists", "SetComparison"];
    if is_placed && subqueries.iter().any(|name| says.contains(name)) {
        return Some(
            "this subquery, which reads the query around it, is not supported: join it instead"
                .to_owned(),
        );
    }
    let dump = says.find(" { ")?;
    let name = says[..dump].rfind([' ', '(']).map_or(0, |at| at + 1);
    let (field, _) = says[dump + 3..].split_once(": ")?;
    // A field of a type is named within the type.
    let is_tree = says[name..].starts_with(|c: char| c.is_ascii_uppercase())
        && !says[name..].starts_with("Field ");
    if !is_tree || !field.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return None;
    }
    let before = says[..name].trim_end_matches([' ', ':', '(']);
    Some(match before.is_empty() {
        true => "the engine cannot run this".to_owned(),
        false => before.to_owned(),
    })
}

/// Returns the text with the names of types, and literals with theirs, as SQL has them.
fn typed(says: &str) -> String {
    let mut out = String::with_capacity(says.len());
    let mut rest = says;
    let mut before = ' ';
    while let Some(c) = rest.chars().next() {
        let starts = c.is_ascii_alphabetic() && !before.is_alphanumeric() && before != '_';
        if starts && let Some((text, length)) = value(rest).or_else(|| type_at(rest)) {
            out.push_str(&text);
            rest = &rest[length..];
            before = 'x';
            continue;
        }
        out.push(c);
        before = c;
        rest = &rest[c.len_utf8()..];
    }
    out
}

/// Reads a literal as DataFusion prints it, `Utf8("a")`, and returns its length.
fn value(text: &str) -> Option<(String, usize)> {
    let (name, word) = word(text)?;
    let inner = text[word..].strip_prefix('(')?;
    if name.starts_with("Utf8") || name == "LargeUtf8" {
        let inner = inner.strip_prefix('"')?;
        let end = inner.find("\")")?;
        return Some((format!("'{}'", &inner[..end]), word + 2 + end + 2));
    }
    let end = inner.find(')')?;
    let plain = &inner[..end];
    let is_plain = plain.parse::<f64>().is_ok() || matches!(plain, "true" | "false" | "NULL");
    let length = word + 1 + end + 1;
    if name.starts_with("Decimal") && plain.starts_with("Some(") {
        let (digits, rest) = inner.strip_prefix("Some(")?.split_once("),")?;
        let (shape, _) = rest.split_once(')')?;
        let scale: usize = shape.split(',').nth(1)?.trim().parse().ok()?;
        let length = text.len() - (rest.len() - shape.len() - 1);
        return Some((decimal(digits, scale), length));
    }
    (is_plain && simple(name).is_some()).then(|| (plain.to_owned(), length))
}

/// Puts the point into a decimal's digits.
fn decimal(digits: &str, scale: usize) -> String {
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", digits),
    };
    let digits = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    match scale {
        0 => format!("{sign}{whole}"),
        _ => format!("{sign}{whole}.{fraction}"),
    }
}

/// Reads a type as Arrow prints it, `List(Int64)`, and returns its length.
fn type_at(text: &str) -> Option<(String, usize)> {
    let (name, length) = word(text)?;
    if let Some(name) = simple(name) {
        return Some((name.to_owned(), length));
    }
    let inner = text[length..].strip_prefix('(');
    let closed = inner.and_then(|inner| Some((inner, closing(inner)?)));
    let whole = closed.map_or(length, |(_, end)| length + 1 + end + 1);
    let inner = closed.map(|(inner, end)| &inner[..end]);
    Some(match (name, inner) {
        ("Decimal32" | "Decimal64" | "Decimal128" | "Decimal256", Some(shape)) => {
            (format!("decimal({})", shape.replace(' ', "")), whole)
        }
        ("Decimal32" | "Decimal64" | "Decimal128" | "Decimal256", None) => {
            ("decimal".to_owned(), length)
        }
        ("List" | "LargeList" | "ListView", Some(item)) => {
            (format!("{}[]", item_type(item)), whole)
        }
        ("Timestamp", Some(_)) => ("timestamp".to_owned(), whole),
        ("Time64" | "Time32", Some(_)) => ("time".to_owned(), whole),
        ("Interval" | "Duration", Some(_)) => ("interval".to_owned(), whole),
        ("Dictionary", Some(shape)) => (typed(shape.split_once(", ")?.1), whole),
        ("FixedSizeBinary", Some(_)) => ("bytes".to_owned(), whole),
        _ => return None,
    })
}

/// Returns the type of a list's items: `Int64`, `non-null Int64, field: 'x'`, or
/// `Field { name: "item", data_type: Int64, … }`.
fn item_type(item: &str) -> String {
    let item = item.split("data_type: ").last().unwrap_or(item);
    let item = item
        .trim_start_matches("non-null ")
        .trim_start_matches("nullable ");
    match type_at(item) {
        Some((name, _)) => name,
        None => typed(item),
    }
}

/// Returns where the bracket that is open closes.
fn closing(text: &str) -> Option<usize> {
    let mut open = 0_usize;
    text.char_indices().find_map(|(at, c)| match c {
        '(' => {
            open += 1;
            None
        }
        ')' if open == 0 => Some(at),
        ')' => {
            open -= 1;
            None
        }
        _ => None,
    })
}

fn word(text: &str) -> Option<(&str, usize)> {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let end = end.unwrap_or(text.len());
    (end > 0).then(|| (&text[..end], end))
}

fn simple(name: &str) -> Option<&'static str> {
    Some(match name {
        "Int64" | "UInt64" | "UInt32" => "bigint",
        "Int32" | "Int16" | "Int8" | "UInt16" | "UInt8" => "integer",
        "Float64" => "double",
        "Float32" | "Float16" => "real",
        "Utf8" | "LargeUtf8" | "Utf8View" => "text",
        "Boolean" => "boolean",
        "Date32" | "Date64" => "date",
        "Binary" | "LargeBinary" | "BinaryView" => "bytes",
        "Null" => "null",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_named_as_in_sql() {
        for (theirs, ours) in [
            ("Int64", "bigint"),
            ("Utf8View", "text"),
            ("Decimal128(10, 2)", "decimal(10,2)"),
            ("List(Int64)", "bigint[]"),
            ("List(non-null Int64)", "bigint[]"),
            (
                r#"List(Field { name: "item", data_type: Utf8, nullable: true })"#,
                "text[]",
            ),
            ("List(List(Decimal128(4, 1)))", "decimal(4,1)[][]"),
            ("Timestamp(Nanosecond, None)", "timestamp"),
            ("Timestamp(ns)", "timestamp"),
            ("Dictionary(Int32, Utf8)", "text"),
            ("has type Int64 and Date32", "has type bigint and date"),
            ("Int64(5) + Utf8(\"a b\")", "5 + 'a b'"),
            ("Decimal128(Some(150),3,2) > t.x", "1.50 > t.x"),
            (
                "the column Int64s of myInt64",
                "the column Int64s of myInt64",
            ),
            ("a boolean is Boolean(true)", "a boolean is true"),
        ] {
            assert_eq!(plain(theirs), ours);
        }
    }

    #[test]
    fn errors_are_said_without_wrappers_trees_and_bugs() {
        for (theirs, ours) in [
            (
                "Arrow error: Cast error: Cannot cast string 'C0007919' to value of Int64 type",
                "`C0007919` is not a bigint",
            ),
            (
                "Optimizer rule 'simplify_expressions' failed\ncaused by\nArrow error: Cast error: Cannot cast string 'x' to value of Date32 type",
                "`x` is not a date",
            ),
            (
                "Arrow error: Divide by zero error",
                "a number is divided by zero: write `nullif(divisor, 0)`",
            ),
            (
                "Arrow error: Cast error: Can't cast value 300 to type Int8",
                "300 is beyond the range of integer",
            ),
            (
                "Cast error: Cannot cast to Decimal128(4, 2). Overflowing on 123456",
                "123456 is beyond the range of decimal(4,2)",
            ),
            (
                "Arrow error: Invalid argument error: 123456.00 is too large to store in a Decimal128 of precision 4. Max is 99.99",
                "123456.00 has more than 4 digits, which a decimal cannot hold",
            ),
            (
                "Execution error: 5 + 1 is beyond the range of its type",
                "5 + 1 is beyond the range of its type",
            ),
            (
                "Internal error: Physical plan does not support logical expression AggregateFunction(AggregateFunction { func: 1 }).\nThis issue was likely caused by a bug in DataFusion's code. Please help us",
                "an aggregate cannot be used here or within another: compute it in a WITH, and use its column",
            ),
            (
                "This feature is not implemented: Physical plan does not support logical expression WindowFunction(WindowFunction { fun: 1 })",
                "a window function cannot be used here: compute it in a WITH, and use its column",
            ),
            (
                "Error during planning: Cannot coerce arithmetic expression Utf8 + List(Int64) to valid types",
                "Cannot coerce arithmetic expression text + bigint[] to valid types",
            ),
            ("Internal error: Odd { a: 1 }", "the engine cannot run this"),
            ("could not open the file", "could not open the file"),
        ] {
            assert_eq!(plain(theirs), ours);
        }
    }
}
