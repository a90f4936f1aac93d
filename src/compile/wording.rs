//! What the planner says of SQL that it cannot plan, in our words: what is wrong, what to
//! write, and at which word.
//!
//! In comes a message with types as SQL names them; out comes ours, or nothing where the
//! message says it well. It never looks at a plan.

use crate::{
    chain::phrases::{captured, filled},
    diagnostics::Code,
};

/// A message of ours.
pub(super) struct Said {
    pub(super) code: Code,
    pub(super) what: String,
    pub(super) help: String,
    /// The words to point at, the first that is written.
    pub(super) at: Vec<String>,
}

/// A phrase of the planner, ours for it, what to write, and the words to point at, between
/// commas.
type Row = (&'static str, &'static str, &'static str, &'static str);

const CLAUSES: &[Row] = &[
    (
        "Aggregate functions are not allowed in the WHERE",
        "an aggregate cannot be used in WHERE, which chooses rows before they are grouped",
        "write `having`, or compute it in a subquery: `x > (select avg(x) from …)`",
        "where",
    ),
    (
        "ggregate function calls cannot be nested",
        "an aggregate cannot be computed of another aggregate",
        "compute the inner one in a WITH, and aggregate its column",
        "",
    ),
    (
        "ggregate function calls cannot contain window",
        "an aggregate cannot be computed of a window function",
        "compute the window function in a WITH, and aggregate its column",
        "over",
    ),
    (
        "indow function calls cannot be nested",
        "a window function cannot be computed of another",
        "compute the inner one in a WITH, and use its column",
        "over",
    ),
    (
        "HAVING clause references: {} must appear",
        "HAVING chooses among groups, and `{0}` is of single rows",
        "write `where`, or aggregate in HAVING: `count(*) > 1`",
        "having",
    ),
    (
        "QUALIFY clause requires window functions",
        "QUALIFY chooses by a window function, and there is none",
        "write `where`",
        "qualify",
    ),
    (
        "SELECT DISTINCT ON expressions must match",
        "ORDER BY must begin with what DISTINCT ON tells apart",
        "write `select distinct on (a) … order by a, b`",
        "distinct",
    ),
    (
        "rder by column out of bounds, specified: {}, max: {}",
        "ORDER BY {0} means a column by its number, and there are {1}",
        "write the column's name",
        "{0}",
    ),
    (
        "annot find column with position {} in SELECT clause. Valid columns: 1 to {}",
        "GROUP BY {0} means a column by its number, and there are {1}",
        "write the column's name",
        "{0}",
    ),
    (
        "rder by index starts at 1",
        "ORDER BY means a column by its number, and numbers begin at 1",
        "write the column's name",
        "order",
    ),
    (
        "xpected LIMIT to be an integer or null, but got {}",
        "LIMIT takes a whole number, not a {0}",
        "write `limit 10`",
        "limit",
    ),
    (
        "xpected OFFSET to be an integer or null, but got {}",
        "OFFSET takes a whole number, not a {0}",
        "write `offset 10`",
        "offset",
    ),
    (
        "LIMIT must be >= 0, '{}'",
        "LIMIT cannot be negative",
        "leave it out for all rows",
        "limit",
    ),
    (
        "OFFSET must be >=0, '{}'",
        "OFFSET cannot be negative",
        "write `order by … desc` to count from the end",
        "offset",
    ),
    (
        "SELECT * with no tables",
        "`*` means all columns of FROM, and there is no FROM",
        "write `select * from …`",
        "*",
    ),
    (
        "nvalid qualifier {}",
        "there is no relation `{0}` in this FROM",
        "write the name or the alias that FROM gives",
        "{0}",
    ),
    (
        "rgument {} to grouping function",
        "`grouping` takes a column of GROUP BY, and `{0}` is not one",
        "add it to `group by rollup (…)`",
        "grouping",
    ),
    (
        "ource table contains {} columns but only {} names",
        "a list of names has {1}, and the relation {0} columns",
        "name all columns, or none",
        "",
    ),
    (
        "nconsistent data length across values list: got {} values in row {} but expected {}",
        "the rows of VALUES have different lengths: {0} values, where the first has {2}",
        "write as many values in each row; `null` for one that is missing",
        "values",
    ),
    (
        "alues list cannot be empty",
        "VALUES has no row",
        "write `values (1)`",
        "values",
    ),
    (
        "WITH query name \"{}\" specified more than once",
        "two queries of WITH are named `{0}`",
        "give one of them another name",
        "{0}",
    ),
    (
        "ecursive term must have the same number of columns ({} != {})",
        "the first part of a recursive query has {0} columns, the second {1}",
        "select as many columns in both",
        "recursive",
    ),
    (
        "ueries have different number of columns",
        "the queries of a set operation have different numbers of columns",
        "select as many columns in each; `null as x` for one that is missing",
        "union,intersect,except",
    ),
    (
        "nsupported JOIN operator {}(",
        "{0} JOIN is not supported",
        "write `where exists (select 1 from … where …)` for rows that have one, `not exists` for those that have none",
        "semi,anti,asof",
    ),
    (
        "oin condition should not be empty",
        "a left, right or full join needs a condition",
        "write `join … on a.id = b.id`, or `cross join`",
        "join",
    ),
    (
        "oin condition must be boolean type, but got {}",
        "the condition of a join is a {0}, not a boolean",
        "compare: `on a.id = b.id`",
        "on",
    ),
];

const WINDOWS: &[Row] = &[
    (
        "he window {} is not defined",
        "there is no window `{0}`",
        "declare it after FROM: `window {0} as (partition by … order by …)`",
        "over",
    ),
    (
        "he window {} is defined multiple times",
        "two windows are named `{0}`",
        "give one of them another name",
        "{0}",
    ),
    (
        "start bound cannot be UNBOUNDED FOLLOWING",
        "a window's frame cannot start at UNBOUNDED FOLLOWING",
        "write `unbounded preceding`, `current row` or a number first",
        "following",
    ),
    (
        "end bound cannot be UNBOUNDED PRECEDING",
        "a window's frame cannot end at UNBOUNDED PRECEDING",
        "write `unbounded following`, `current row` or a number last",
        "preceding",
    ),
    (
        "start bound ({}) cannot be larger than end bound ({})",
        "a window's frame cannot start at {0} and end at {1}",
        "write the earlier one first: `between 1 preceding and 1 following`",
        "between",
    ),
    (
        "frame offsets for ROWS / GROUPS must be non negative",
        "the distances of a window's frame are whole numbers from 0 on",
        "write `1 preceding` or `1 following`",
        "rows,groups",
    ),
    (
        "RANGE requires exactly one ORDER BY column",
        "RANGE with a distance needs one column in the window's ORDER BY",
        "write `over (order by x range between 1 preceding and current row)`",
        "range",
    ),
    (
        "GROUPS requires an ORDER BY",
        "GROUPS needs an ORDER BY in its window",
        "write `over (order by x groups …)`",
        "groups",
    ),
    (
        "COUNT DISTINCT with multiple arguments",
        "`count(distinct …)` takes one column",
        "count the rows of a subquery: `select count(*) from (select distinct a, b from …) as t`",
        "distinct",
    ),
    (
        "ercentile value must be between 0.0 and 1.0 inclusive, {} is invalid",
        "a percentile is from 0 to 1, not {0}",
        "write `0.5` for the median",
        "{0}",
    ),
];

const SUBQUERIES: &[Row] = &[
    (
        "oo many columns! The subquery should only return one column",
        "a subquery in the place of a value must select one column",
        "select one column in it, or join it",
        "#subquery",
    ),
    (
        "orrelated scalar subquery must be aggregated",
        "a subquery in the place of a value, which reads the query around it, must return one row",
        "aggregate it: `(select max(x) from … where …)`",
        "#subquery",
    ),
    (
        "a window function cannot be used here",
        "a window function cannot be used here",
        "compute it in a WITH, and use its column; to choose rows by it, write `qualify`",
        "over",
    ),
    (
        "an aggregate cannot be used here or within another",
        "an aggregate cannot be used here or within another",
        "compute it in a WITH, and use its column",
        "",
    ),
    (
        "a subquery cannot read this column of the query around it",
        "a subquery cannot read this column of the query around it",
        "join it instead",
        "#subquery",
    ),
    (
        "this subquery, which reads the query around it, is not supported",
        "this subquery, which reads the query around it, is not supported",
        "join it, or aggregate with an equality: `(select max(x) from t where t.k = s.k)`",
        "#subquery",
    ),
    (
        "nnest should be rewritten",
        "`unnest` cannot be used here",
        "select it in a subquery, and filter or aggregate its rows",
        "unnest",
    ),
    (
        "nnest() can only be applied to array",
        "`unnest` takes a list",
        "write it of a column of type `…[]`, or of `[1, 2]`",
        "unnest",
    ),
    (
        "nnest() requires exactly one argument",
        "`unnest` takes one list",
        "write one `unnest` for each",
        "unnest",
    ),
    (
        "UNNEST must have at least one argument",
        "`unnest` takes a list",
        "write `unnest([1, 2])`",
        "unnest",
    ),
];

const VALUES: &[Row] = &[
    (
        "ubstring without for/from",
        "`substr` takes a text, where to start and how many characters",
        "write `substr(text, 1, 3)`",
        "substr,substring",
    ),
    (
        "nsupported SQL type {}",
        "there is no type `{0}`",
        "the types are bigint, integer, double, decimal(p, s), text, boolean, date and timestamp; a list is `bigint[]`",
        "{0}",
    ),
    (
        "nsupported CAST from {} to {}",
        "a {0} cannot be cast to {1}",
        "of a list take an item, `list[1]`, or `array_to_string(list, ', ')`",
        "cast,try_cast,::",
    ),
    (
        "nvalid input syntax for type interval: \"{}\"",
        "`{0}` is not an interval",
        "write `interval '3 days'`; the units are year, month, week, day, hour, minute and second",
        "{0}",
    ),
    (
        "- cannot be used with {}",
        "`-` takes a number, not a {0}",
        "cast it to a number",
        "-",
    ),
    (
        "+ cannot be used with {}",
        "`+` takes a number, not a {0}",
        "cast it to a number",
        "+",
    ),
    (
        "NOT cannot be used with {}",
        "`not` takes a condition, not a {0}",
        "compare it: `not (x = 1)`, `x is null`",
        "not",
    ),
    (
        "nvalid escape character in LIKE expression. Expected a single character wrapped with single quotes, got {}",
        "ESCAPE takes one character, not {0}",
        "write `like 'a!_b' escape '!'`",
        "escape",
    ),
    (
        "annot access field at argument {}: type {} is not Struct",
        "a {1} has no fields",
        "`[1]` takes an item of a list, `['a']` a field of a struct",
        "#dot",
    ),
    (
        "ot access not supported for non-string",
        "a field is named by a text",
        "write `s['a']`",
        ".",
    ),
    (
        "unction '{}' could not coerce {} and {} to",
        "`{0}` takes texts, not a {1} and a {2}",
        "cast it: `cast(x as text)`",
        "{0}",
    ),
    (
        "named_struct requires an even number",
        "`named_struct` takes names and values in turn",
        "write `named_struct('a', 1, 'b', 2)`, or `{'a': 1, 'b': 2}`",
        "named_struct",
    ),
    (
        "rgument #{} must be an INTEGER, TIMESTAMP, DATE or NULL, got {}",
        "`generate_series` takes numbers or dates, not a {1}",
        "write `generate_series(1, 9)`",
        "generate_series,range",
    ),
    (
        "able function '{}' not found",
        "there is no table function `{0}`",
        "files are read in place of a dataset: `query --file prices=export.parquet`",
        "{0}",
    ),
    (
        "variable [\"{}\"] has no type information",
        "there are no variables in this SQL: `{0}`",
        "parameters are written `$name`, and declared in a manifest",
        "{0}",
    ),
    (
        "nvalid HexStringLiteral '{}'",
        "`{0}` is not hexadecimal",
        "write digits and the letters a to f",
        "{0}",
    ),
    (
        "ecimal(precision = {}, scale = {}) should satisfy",
        "there is no `decimal({0}, {1})`: the second number is how many of the digits come after the point",
        "write `decimal(10, 2)`",
        "decimal,numeric",
    ),
    (
        "a number is divided by zero",
        "a number is divided by zero",
        "write `nullif(divisor, 0)`",
        "/,%",
    ),
];

/// Operators of arithmetic and logic, as the planner prints them between two types.
const OPERATORS: &[&str] = &[
    "+",
    "-",
    "*",
    "/",
    "%",
    "||",
    "&",
    "|",
    "#",
    "<<",
    ">>",
    "->",
    "->>",
    "@>",
    "<@",
    "AND",
    "OR",
    "=",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "~",
    "~*",
    "!~",
    "!~*",
    "LIKE",
    "ILIKE",
    "IS DISTINCT FROM",
    "IS NOT DISTINCT FROM",
];

/// Returns our message for one of the planner's.
pub(super) fn said(says: &str) -> Option<Said> {
    let mut rows = [CLAUSES, WINDOWS, SUBQUERIES, VALUES].into_iter().flatten();
    let found = rows.find_map(|(theirs, what, help, at)| {
        let found = captured(says, theirs)?;
        let at = at.split(',').filter(|it| !it.is_empty());
        Some(Said {
            code: Code::BadSql,
            what: filled(what, &found),
            help: filled(help, &found),
            at: at.map(|it| filled(it, &found).to_lowercase()).collect(),
        })
    });
    found
        .or_else(|| operation(says))
        .or_else(|| condition(says))
}

/// A condition that is not a boolean.
fn condition(says: &str) -> Option<Said> {
    let found = captured(says, "the condition `{}` is a {}, not a boolean")?;
    let written = found[0].rsplit('.').next().unwrap_or(found[0]);
    Some(Said {
        code: Code::BadSql,
        what: format!("the condition `{written}` is a {}, not a boolean", found[1]),
        help: format!("compare it: `{written} = …`, or `{written} is not null`"),
        at: vec![written.trim_matches('\'').to_owned(), "where".to_owned()],
    })
}

/// An operator between two types that it does not take.
fn operation(says: &str) -> Option<Said> {
    const PHRASES: &[&str] = &[
        "Cannot coerce {} expression {} to valid types",
        "Cannot infer common {} type for {} operation {}",
        "Cannot infer common {} for {} operation {}",
        "Cannot infer common {} operation {}",
        "Cannot get result type for {} operation {}: ",
        "common type to coerce {} expression",
    ];
    let found = PHRASES.iter().find_map(|phrase| captured(says, phrase))?;
    let sides = found.last()?;
    // `text and bigint in LIKE`
    if let Some((sides, op)) = sides.split_once(" in ") {
        let (left, right) = sides.split_once(" and ")?;
        return Some(between(left, op, right));
    }
    OPERATORS.iter().find_map(|op| {
        let (left, right) = sides.split_once(&format!(" {op} "))?;
        Some(between(left, op, right))
    })
}

fn between(left: &str, op: &str, right: &str) -> Said {
    let op = op.to_lowercase();
    let is = |name: &str| left == name || right == name;
    let is_time = is("date") || is("timestamp");
    let help = match op.as_str() {
        "and" | "or" => "compare each side: `x = 1 and y = 2`".to_owned(),
        "||" => "cast one of them: `cast(x as text) || y`".to_owned(),
        "like" | "ilike" => "compare a text with a text: `cast(x as text) like 'a%'`".to_owned(),
        "+" | "-" if is_time && is("text") => "write an interval: `+ interval '1 day'`".to_owned(),
        "+" if is_time => "dates are subtracted, which gives days: `a - b`".to_owned(),
        "*" | "/" | "%" if is_time => {
            "dates and intervals are only added and subtracted".to_owned()
        }
        "+" if left == "text" && right == "text" => "texts are joined with `||`".to_owned(),
        _ if left.ends_with("[]") || right.ends_with("[]") => {
            "write `unnest(…)` for a row per item, or take an item, `list[1]`".to_owned()
        }
        "//" => "whole numbers divide with `/`, which drops the fraction".to_owned(),
        "->" | "->>" => "texts of JSON are not read in SQL".to_owned(),
        _ if left == right => format!("`{op}` is not for values of this type: cast both"),
        _ => "cast one of them to the other's type".to_owned(),
    };
    let both = match left == right {
        true => format!("two values of type {left}"),
        false => format!("a {left} and a {right}"),
    };
    Said {
        code: Code::MixedTypes,
        what: format!("`{op}` is between {both}"),
        help,
        at: vec![op],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_the_planner_become_ours() {
        for (theirs, what, at) in [
            (
                "Cannot coerce arithmetic expression text + bigint to valid types",
                "`+` is between a text and a bigint",
                "+",
            ),
            (
                "There isn't a common type to coerce text and bigint in LIKE expression",
                "`like` is between a text and a bigint",
                "like",
            ),
            (
                "Cannot infer common argument type for logical boolean operation bigint AND boolean",
                "`and` is between a bigint and a boolean",
                "and",
            ),
            (
                "Order by column out of bounds, specified: 9, max: 6",
                "ORDER BY 9 means a column by its number, and there are 6",
                "9",
            ),
            (
                "The window w is not defined!",
                "there is no window `w`",
                "over",
            ),
        ] {
            let said = said(theirs).unwrap();
            assert_eq!(said.what, what);
            assert_eq!(said.at, [at]);
        }
        assert!(said("there is no such thing").is_none());
    }
}
