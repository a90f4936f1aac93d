//! Random values and conditions of one relation `x`, or of `x` and `y`.
//!
//! Each returns SQL as text. `u z` is read by subqueries. What is not wide is spelled and
//! computed alike here, in SQLite and in DuckDB; dates, lists and more functions are not in
//! SQLite.

use proptest::prelude::*;

/// A text of SQL.
pub(super) type Sql = BoxedStrategy<String>;

/// What may be used.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form {
    /// Whether there is a relation `y` beside `x`.
    pub(super) two: bool,
    /// Whether what SQLite lacks may be used.
    pub(super) wide: bool,
}

impl Form {
    /// Returns the form of `x` alone.
    pub(super) fn one(self) -> Form {
        Form { two: false, ..self }
    }
}

pub(super) fn one_of(texts: &[&str]) -> Sql {
    let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
    prop::sample::select(texts).boxed()
}

pub(super) fn format2(a: Sql, b: Sql, form: fn(String, String) -> String) -> Sql {
    (a, b).prop_map(move |(a, b)| form(a, b)).boxed()
}

/// Takes the wider of two, if that may be used, one time in two.
fn wider(form: Form, narrow: Sql, wide: impl FnOnce() -> Sql) -> Sql {
    match form.wide {
        true => prop_oneof![narrow, wide()].boxed(),
        false => narrow,
    }
}

/// A whole number.
pub(super) fn number(depth: u32, form: Form) -> Sql {
    let column = match form.two {
        true => one_of(&["x.a", "x.b", "y.a", "y.b", "x.id", "y.id"]),
        false => one_of(&["x.a", "x.b", "x.id"]),
    };
    let leaf = prop_oneof![4 => column, 2 => one_of(&["0", "1", "2", "-1"])].boxed();
    if depth == 0 {
        return leaf;
    }
    let sub = move || number(depth - 1, form);
    let narrow = prop_oneof![
        3 => leaf,
        1 => format2(sub(), sub(), |a, b| format!("({a} + {b})")),
        1 => format2(sub(), sub(), |a, b| format!("({a} - {b})")),
        1 => format2(sub(), sub(), |a, b| format!("({a} * {b})")),
        1 => sub().prop_map(|a| format!("({a} / 2)")),
        1 => sub().prop_map(|a| format!("({a} % 3)")),
        1 => sub().prop_map(|a| format!("(-{a})").replace("--", "- -")),
        1 => sub().prop_map(|a| format!("abs({a})")),
        1 => format2(sub(), sub(), |a, b| format!("coalesce({a}, {b})")),
        1 => format2(sub(), sub(), |a, b| format!("nullif({a}, {b})")),
        1 => (condition(depth - 1, form), sub(), sub())
            .prop_map(|(c, a, b)| format!("case when {c} then {a} else {b} end")),
        1 => sub().prop_map(|a| format!("case {a} when 0 then 1 when 1 then 2 end")),
        1 => text(depth - 1, form).prop_map(|t| format!("length({t})")),
        1 => text(depth - 1, form).prop_map(|t| format!("instr({t}, 'p')")),
        1 => number(0, form).prop_map(|a| format!("(select max(z.a) from u z where z.b = {a})")),
        1 => Just("(select count(*) from u z where z.b = x.a)".to_owned()),
        1 => Just("(select min(z.b) from u z)".to_owned()),
    ];
    wider(form, narrow.boxed(), move || wide_number(depth, form))
}

fn wide_number(depth: u32, form: Form) -> Sql {
    let sub = move || number(depth - 1, form);
    prop_oneof![
        (sub(), sub()).prop_map(|(a, b)| format!("greatest({a}, {b})")),
        (sub(), sub()).prop_map(|(a, b)| format!("least({a}, {b}, 1)")),
        date(0, form).prop_map(|e| format!("extract(day from {e})")),
        date(0, form).prop_map(|e| format!("extract(dow from {e})")),
        date(0, form).prop_map(|e| format!("date_part('month', {e})")),
        date(depth - 1, form).prop_map(|e| format!("({e} - date '2026-02-01')")),
        list(depth - 1, form).prop_map(|g| format!("({g})[1]")),
        list(depth - 1, form).prop_map(|g| format!("array_position({g}, 1)")),
        text(depth - 1, form).prop_map(|t| format!("strpos({t}, 'q')")),
        text(0, form).prop_map(|t| format!("try_cast({t} as bigint)")),
        sub().prop_map(|a| format!("cast(cast({a} as text) as bigint)")),
    ]
    .boxed()
}

/// A decimal or a double.
pub(super) fn fraction(form: Form) -> Sql {
    let column = match form.two {
        true => one_of(&["x.d", "y.d", "x.f", "y.f"]),
        false => one_of(&["x.d", "x.f"]),
    };
    let number = move || number(1, form);
    prop_oneof![
        4 => column.clone(),
        1 => column.clone().prop_map(|d| format!("(-{d})")),
        1 => column.clone().prop_map(|d| format!("({d} * 2)")),
        1 => column.clone().prop_map(|d| format!("coalesce({d}, 0.5)")),
        1 => column.clone().prop_map(|d| format!("round({d})")),
        1 => column.clone().prop_map(|d| format!("abs({d})")),
        1 => (column.clone(), number()).prop_map(|(d, a)| format!("({d} + {a})")),
        1 => (column.clone(), column.clone()).prop_map(|(d, f)| format!("({d} - {f})")),
        1 => (column.clone(), column).prop_map(|(d, f)| format!("({d} * {f})")),
        1 => number().prop_map(|a| format!("cast({a} as double)")),
        1 => (condition(1, form), number())
            .prop_map(|(c, a)| format!("case when {c} then x.d else {a} end")),
    ]
    .boxed()
}

pub(super) fn text(depth: u32, form: Form) -> Sql {
    let column = match form.two {
        true => one_of(&["x.c", "y.c"]),
        false => one_of(&["x.c"]),
    };
    let leaf = prop_oneof![4 => column, 1 => one_of(&["'p'", "''", "'Q'"])].boxed();
    if depth == 0 {
        return leaf;
    }
    let sub = move || text(depth - 1, form);
    let narrow = prop_oneof![
        3 => leaf,
        1 => format2(sub(), sub(), |a, b| format!("({a} || {b})")),
        1 => sub().prop_map(|a| format!("upper({a})")),
        1 => sub().prop_map(|a| format!("lower({a})")),
        1 => sub().prop_map(|a| format!("trim({a})")),
        1 => sub().prop_map(|a| format!("substr({a}, 1, 1)")),
        1 => sub().prop_map(|a| format!("substr({a}, 2)")),
        1 => sub().prop_map(|a| format!("replace({a}, 'p', 'xy')")),
        1 => format2(sub(), sub(), |a, b| format!("coalesce({a}, {b})")),
        1 => format2(sub(), sub(), |a, b| format!("nullif({a}, {b})")),
        1 => number(0, form).prop_map(|a| format!("cast({a} as text)")),
        1 => (condition(depth - 1, form), sub(), sub())
            .prop_map(|(c, a, b)| format!("case when {c} then {a} else {b} end")),
        1 => Just("(select max(z.c) from u z where z.a = x.a)".to_owned()),
    ];
    wider(form, narrow.boxed(), move || wide_text(depth, form))
}

fn wide_text(depth: u32, form: Form) -> Sql {
    let sub = move || text(depth - 1, form);
    prop_oneof![
        sub().prop_map(|a| format!("left({a}, 1)")),
        sub().prop_map(|a| format!("right({a}, 1)")),
        sub().prop_map(|a| format!("lpad({a}, 3, '-')")),
        sub().prop_map(|a| format!("reverse({a})")),
        sub().prop_map(|a| format!("repeat({a}, 2)")),
        sub().prop_map(|a| format!("split_part({a}, 'p', 1)")),
        sub().prop_map(|a| format!("translate({a}, 'pq', 'qp')")),
        sub().prop_map(|a| format!("regexp_replace({a}, '[pq]', 'z', 'g')")),
        format2(sub(), sub(), |a, b| format!("concat({a}, {b})")),
        format2(sub(), sub(), |a, b| format!("concat_ws('-', {a}, {b})")),
        date(0, form).prop_map(|e| format!("cast({e} as text)")),
    ]
    .boxed()
}

/// A date; only in wide forms.
pub(super) fn date(depth: u32, form: Form) -> Sql {
    let column = match form.two {
        true => one_of(&["x.e", "y.e"]),
        false => one_of(&["x.e"]),
    };
    let leaf = prop_oneof![5 => column, 1 => Just("date '2026-01-31'".to_owned())].boxed();
    if depth == 0 {
        return leaf;
    }
    let sub = move || date(depth - 1, form);
    prop_oneof![
        3 => leaf,
        1 => sub().prop_map(|e| format!("cast({e} + interval '1 day' as date)")),
        1 => sub().prop_map(|e| format!("cast({e} - interval '1 month' as date)")),
        1 => sub().prop_map(|e| format!("cast({e} + interval '2 weeks' as date)")),
        1 => sub().prop_map(|e| format!("cast(date_trunc('month', {e}) as date)")),
        1 => sub().prop_map(|e| format!("cast(date_trunc('week', {e}) as date)")),
        1 => format2(sub(), sub(), |a, b| format!("coalesce({a}, {b})")),
        1 => format2(sub(), sub(), |a, b| format!("greatest({a}, {b})")),
        1 => (condition(depth - 1, form), sub(), sub())
            .prop_map(|(c, a, b)| format!("case when {c} then {a} else {b} end")),
    ]
    .boxed()
}

/// A list of whole numbers; only in wide forms.
pub(super) fn list(depth: u32, form: Form) -> Sql {
    let column = match form.two {
        true => one_of(&["x.g", "y.g"]),
        false => one_of(&["x.g"]),
    };
    if depth == 0 {
        return column;
    }
    let sub = move || list(depth - 1, form);
    prop_oneof![
        3 => column,
        1 => number(0, form).prop_map(|a| format!("[{a}, 1]")),
        1 => sub().prop_map(|g| format!("array_sort({g}, 'asc', 'nulls last')")),
        1 => sub().prop_map(|g| format!("array_reverse({g})")),
        1 => (sub(), number(0, form)).prop_map(|(g, a)| format!("array_append({g}, {a})")),
        1 => format2(sub(), sub(), |a, b| {
            // DuckDB takes a null for an empty list.
            format!("array_concat(coalesce({a}, [1]), coalesce({b}, [2]))")
        }),
        1 => format2(sub(), sub(), |a, b| format!("coalesce({a}, {b})")),
    ]
    .boxed()
}

pub(super) fn condition(depth: u32, form: Form) -> Sql {
    let leaf = leaf(depth, form);
    if depth == 0 {
        return leaf;
    }
    let sub = move || condition(depth - 1, form);
    prop_oneof![
        5 => leaf,
        1 => format2(sub(), sub(), |a, b| format!("({a} and {b})")),
        1 => format2(sub(), sub(), |a, b| format!("({a} or {b})")),
        1 => sub().prop_map(|a| format!("not ({a})")),
        1 => sub().prop_map(|a| format!("({a}) is not true")),
    ]
    .boxed()
}

fn leaf(depth: u32, form: Form) -> Sql {
    let n = move || number(depth.saturating_sub(1), form);
    let t = move || text(depth.saturating_sub(1), form);
    let compare = || one_of(&["=", "<>", "<", "<=", ">", ">="]);
    let narrow = prop_oneof![
        (n(), compare(), n()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        (t(), compare(), t()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        (compare(), one_of(&["x.d", "x.f"])).prop_map(|(op, d)| format!("{d} {op} 0.75")),
        (compare(), n()).prop_map(|(op, a)| format!("x.d {op} {a}")),
        compare().prop_map(|op| format!("x.d {op} x.f")),
        n().prop_map(|a| format!("{a} is null")),
        t().prop_map(|a| format!("{a} is not null")),
        (n(), n(), n()).prop_map(|(a, b, c)| format!("{a} between {b} and {c}")),
        (n(), n(), n()).prop_map(|(a, b, c)| format!("{a} not between {b} and {c}")),
        (n(), n(), n()).prop_map(|(a, b, c)| format!("{a} in ({b}, {c}, null)")),
        (n(), n()).prop_map(|(a, b)| format!("{a} not in ({b}, 2)")),
        (t(), t()).prop_map(|(a, b)| format!("{a} in ({b}, 'p')")),
        t().prop_map(|a| format!("{a} like 'p%'")),
        t().prop_map(|a| format!("{a} not like '%q'")),
        (n(), n()).prop_map(|(a, b)| format!("({a} is distinct from {b})")),
        (n(), n()).prop_map(|(a, b)| format!("({a} is not distinct from {b})")),
    ];
    wider(form, narrow.boxed(), move || wide_condition(depth, form))
}

fn wide_condition(depth: u32, form: Form) -> Sql {
    let depth = depth.saturating_sub(1);
    let compare = || one_of(&["=", "<>", "<", "<=", ">", ">="]);
    let e = move || date(depth, form);
    prop_oneof![
        (e(), compare(), e()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        compare().prop_map(|op| format!("x.e {op} '2026-02-01'")),
        e().prop_map(|a| format!("{a} between date '2026-01-30' and date '2026-02-01'")),
        e().prop_map(|a| format!("{a} is null")),
        (list(depth, form), number(0, form)).prop_map(|(g, a)| format!("array_has({g}, {a})")),
        list(depth, form).prop_map(|g| format!("{g} is not null")),
        text(depth, form).prop_map(|t| format!("starts_with({t}, 'p')")),
        text(depth, form).prop_map(|t| format!("{t} ilike 'P%'")),
    ]
    .boxed()
}
