//! Random aggregates and windows.

use proptest::prelude::*;

use super::scalars::{Form, Sql, condition, date, fraction, number, one_of, text};

pub(super) fn aggregate(form: Form) -> Sql {
    let filter = prop_oneof![
        3 => Just(String::new()),
        1 => condition(1, form).prop_map(|c| format!(" filter (where {c})")),
    ];
    let call = prop_oneof![
        Just("count(*)".to_owned()),
        number(1, form).prop_map(|a| format!("count({a})")),
        number(1, form).prop_map(|a| format!("count(distinct {a})")),
        text(1, form).prop_map(|a| format!("count(distinct {a})")),
        number(1, form).prop_map(|a| format!("sum({a})")),
        number(1, form).prop_map(|a| format!("sum(distinct {a})")),
        number(1, form).prop_map(|a| format!("min({a})")),
        number(1, form).prop_map(|a| format!("avg({a})")),
        text(1, form).prop_map(|a| format!("max({a})")),
        fraction(form).prop_map(|a| format!("sum({a})")),
        fraction(form).prop_map(|a| format!("max({a})")),
        one_of(&["sum(x.d)", "min(x.d)", "avg(x.d)", "max(x.f)", "sum(x.f)"]),
        (number(0, form), number(0, form)).prop_map(|(a, b)| format!("sum({a}) - min({b})")),
        condition(1, form).prop_map(|c| format!("sum(case when {c} then 1 else 0 end)")),
    ];
    let plain = (call, filter)
        .prop_map(|(call, filter)| match call.contains(" - min") {
            true => call,
            false => call + &filter,
        })
        .boxed();
    match form.wide {
        true => prop_oneof![3 => plain, 1 => wide_aggregate(form)].boxed(),
        false => plain,
    }
}

fn wide_aggregate(form: Form) -> Sql {
    let order = match form.two {
        true => "x.id, y.id",
        false => "x.id",
    };
    prop_oneof![
        date(1, form).prop_map(|e| format!("min({e})")),
        date(1, form).prop_map(|e| format!("count(distinct {e})")),
        condition(1, form).prop_map(|c| format!("bool_and({c})")),
        condition(1, form).prop_map(|c| format!("bool_or({c})")),
        one_of(&["x.a", "x.b"]).prop_map(move |a| format!("array_agg({a} order by {a}, {order})")),
        Just("string_agg(x.c, '+' order by x.c)".to_owned()),
        number(1, form).prop_map(|a| format!("bit_or({a})")),
        Just("median(x.f)".to_owned()),
    ]
    .boxed()
}

/// A window over `x`, whose rows `id` tells apart.
pub(super) fn window(form: Form) -> Sql {
    let n = move || number(1, form);
    let frame = || {
        one_of(&[
            "rows between 1 preceding and 1 following",
            "rows between unbounded preceding and 1 preceding",
            "rows between 2 preceding and 1 preceding",
            "rows between current row and unbounded following",
            "rows between unbounded preceding and unbounded following",
            "range between 1 preceding and 1 following",
            "range between unbounded preceding and current row",
            "",
        ])
    };
    let partition = || one_of(&["partition by x.b ", "partition by x.c ", ""]);
    let call = prop_oneof![
        n().prop_map(|a| format!("sum({a})")),
        n().prop_map(|a| format!("count({a})")),
        n().prop_map(|a| format!("avg({a})")),
        n().prop_map(|a| format!("max({a})")),
        n().prop_map(|a| format!("last_value({a})")),
        n().prop_map(|a| format!("nth_value({a}, 2)")),
        text(1, form).prop_map(|a| format!("first_value({a})")),
        Just("sum(x.d)".to_owned()),
        condition(1, form).prop_map(|c| format!("sum(x.id) filter (where {c})")),
    ];
    let framed = (call, partition(), frame()).prop_map(|(call, partition, frame)| {
        format!("{call} over ({partition}order by x.id {frame})")
    });
    let placed = prop_oneof![
        n().prop_map(|a| format!("lag({a})")),
        n().prop_map(|a| format!("lead({a}, 2, 9)")),
        Just("row_number()".to_owned()),
        Just("ntile(2)".to_owned()),
        Just("percent_rank()".to_owned()),
        Just("cume_dist()".to_owned()),
    ];
    let placed =
        (placed, partition(), one_of(&["", " desc"])).prop_map(|(call, partition, desc)| {
            format!("{call} over ({partition}order by x.id{desc})")
        });
    let ranked = one_of(&[
        "rank() over (order by x.a nulls first)",
        "dense_rank() over (order by x.a desc nulls last)",
        "rank() over (partition by x.b order by x.c nulls first, x.a nulls last)",
        "count(*) over (order by x.a nulls first)",
        "sum(x.id) over (order by x.b nulls last)",
        "max(x.d) over (partition by x.b)",
        "count(*) over ()",
        "sum(x.id) over (order by x.a nulls first range between 1 preceding and current row)",
    ]);
    prop_oneof![3 => framed, 2 => placed, 2 => ranked].boxed()
}
