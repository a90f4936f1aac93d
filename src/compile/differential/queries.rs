//! Random queries of the shapes that analysts write, over `t` and `u`.

use proptest::prelude::*;

use super::{
    calls::{aggregate, window},
    scalars::{Form, Sql, condition, date, format2, fraction, list, number, one_of, text},
};

/// A condition of WHERE, which may also hold subqueries.
fn filter(form: Form) -> Sql {
    let subquery = prop_oneof![
        number(1, form).prop_map(|a| format!("{a} in (select z.b from u z)")),
        number(1, form).prop_map(|a| format!("{a} not in (select z.b from u z)")),
        number(0, form).prop_map(|a| format!("{a} not in (select z.b from u z where z.b > 0)")),
        Just("exists (select 1 from u z where z.a = x.a)".to_owned()),
        Just("not exists (select 1 from u z where z.a = x.a and z.b > x.b)".to_owned()),
        Just(
            "exists (select 1 from u z where z.a = x.a group by z.b having count(*) > 1)"
                .to_owned()
        ),
        text(1, form).prop_map(|a| format!("{a} in (select z.c from u z where z.a > 0)")),
        number(1, form).prop_map(|a| format!("{a} > (select min(z.a) from u z)")),
        number(1, form).prop_map(|a| format!("{a} >= (select avg(z.a) from u z where z.b = x.b)")),
        number(0, form)
            .prop_map(|a| format!("{a} in (select z.a from u z group by z.a having count(*) > 1)")),
    ]
    .boxed();
    prop_oneof![
        4 => condition(2, form),
        1 => subquery.clone(),
        1 => format2(subquery.clone(), condition(1, form), |a, b| format!("{a} and {b}")),
        1 => format2(subquery.clone(), condition(1, form), |a, b| format!("({a} or {b})")),
        1 => subquery.prop_map(|a| format!("not ({a})")),
    ]
    .boxed()
}

fn value(form: Form) -> Sql {
    let narrow = prop_oneof![
        3 => number(2, form),
        2 => text(2, form),
        2 => fraction(form),
        1 => condition(1, form)
            .prop_map(|c| format!("case when {c} then 1 when not ({c}) then 0 end")),
    ];
    match form.wide {
        true => prop_oneof![4 => narrow, 1 => date(2, form), 1 => list(2, form)].boxed(),
        false => narrow.boxed(),
    }
}

/// A FROM of `x` and `y`.
fn joined(form: Form) -> Sql {
    let two = Form { two: true, ..form };
    let kind = one_of(&["join", "left join", "right join", "full join"]);
    let on = prop_oneof![
        2 => Just("x.a = y.a".to_owned()),
        1 => Just("x.a = y.b and x.c = y.c".to_owned()),
        1 => condition(1, two).prop_map(|c| format!("x.a = y.a and {c}")),
        1 => Just("(x.a is not distinct from y.a)".to_owned()),
        1 => Just("x.a = y.a and x.b < y.b".to_owned()),
    ];
    let plain = (kind, on).prop_map(|(kind, on)| format!("t x {kind} u y on {on}"));
    let inner = one_of(&["join", "left join"]);
    let third = (inner, one_of(&["v.b = x.b", "v.b = y.b and v.a = x.a"]))
        .prop_map(|(kind, on)| format!("t x {kind} u y on x.a = y.a left join t v on {on}"));
    prop_oneof![
        5 => plain,
        1 => third,
        1 => Just("t x cross join u y".to_owned()),
        1 => condition(1, two).prop_map(|c| format!("t x join u y on {c}")),
    ]
    .boxed()
}

fn alone(form: Form) -> Sql {
    let derived = prop_oneof![
        3 => Just("t x".to_owned()),
        1 => filter(form).prop_map(|f| format!("(select * from t x where {f}) x")),
        1 => Just("(select * from t union all select * from u) x".to_owned()),
    ];
    let unnested = || Just("(select id, b, c, d, e, f, g, unnest(g) as a from t) x".to_owned());
    match form.wide {
        true => prop_oneof![5 => derived, 1 => unnested()].boxed(),
        false => derived.boxed(),
    }
}

/// The columns of a SELECT, and what comes behind its WHERE.
fn items(form: Form) -> BoxedStrategy<(String, String)> {
    let plain = (value(form), value(form), any::<bool>()).prop_map(|(a, b, distinct)| {
        let distinct = if distinct { "distinct " } else { "" };
        (format!("{distinct}{a} as p, {b} as q"), String::new())
    });
    let all = (aggregate(form), aggregate(form))
        .prop_map(|(a, b)| (format!("{a} as p, {b} as q"), String::new()));
    let having = prop_oneof![
        3 => Just(String::new()),
        1 => Just(" having count(*) > 1".to_owned()),
        1 => number(0, form).prop_map(|a| format!(" having sum({a}) > 0")),
        1 => number(0, form).prop_map(|a| format!(" having min({a}) is null or count(*) = 1")),
    ];
    let key = prop_oneof![2 => number(1, form), 1 => text(1, form)];
    let grouped = (key, aggregate(form), having.clone()).prop_map(|(key, a, having)| {
        (
            format!("{key} as p, {a} as q"),
            format!(" group by {key}{having}"),
        )
    });
    let twice = (aggregate(form), having).prop_map(|(a, having)| {
        (
            "x.b as o, x.c as p, ".to_owned() + &a + " as q",
            format!(" group by x.b, x.c{having}"),
        )
    });
    let over = (
        aggregate(form),
        one_of(&["sum(count(*)) over ()", "rank() over (order by count(*))"]),
    )
        .prop_map(|(a, w)| {
            (
                format!("x.b as o, {a} as p, {w} as q"),
                " group by x.b".to_owned(),
            )
        });
    let windows = (value(form), window(form))
        .prop_map(|(a, w)| (format!("{a} as p, {w} as q"), String::new()));
    match form.two {
        true => prop_oneof![3 => plain, 1 => all, 2 => grouped, 1 => twice].boxed(),
        false => {
            prop_oneof![3 => plain, 1 => all, 2 => grouped, 1 => twice, 1 => over, 3 => windows]
                .boxed()
        }
    }
}

fn select(form: Form) -> Sql {
    let from = match form.two {
        true => joined(form),
        false => alone(form),
    };
    let wanted = prop_oneof![
        3 => Just(String::new()),
        2 => filter(form).prop_map(|f| format!(" where {f}")),
    ];
    (items(form), from, wanted)
        .prop_map(|((items, tail), from, wanted)| {
            // Where `id` is not unique, the order of a window has ties.
            let repeats = from.contains("union all") || from.contains("unnest");
            let from = match items.contains(" over (") && repeats {
                true => "t x".to_owned(),
                false => from,
            };
            format!("select {items} from {from}{wanted}{tail}")
        })
        .boxed()
}

/// A SELECT whose columns are `p`, a number, and `q`, a text.
fn pair(form: Form) -> Sql {
    (number(1, form), text(1, form), one_of(&["t", "u"]))
        .prop_map(|(a, b, from)| format!("select {a} as p, {b} as q from {from} x"))
        .boxed()
}

fn sets(form: Form) -> Sql {
    let one = form.one();
    let set = || one_of(&["union", "union all", "intersect", "except"]);
    prop_oneof![
        3 => (pair(one), set(), pair(one)).prop_map(|(a, set, b)| format!("{a} {set} {b}")),
        1 => (pair(one), set(), pair(one), set(), pair(one)).prop_map(
            |(a, s, b, r, c)| format!("select * from ({a} {s} {b}) m {r} select * from ({c}) n")
        ),
        1 => (pair(one), set(), pair(one)).prop_map(|(a, set, b)| format!(
            "select p, count(*) as q from ({a} {set} {b}) m group by p"
        )),
    ]
    .boxed()
}

/// Queries that read other queries.
fn nested(form: Form) -> Sql {
    let one = form.one();
    let top = (window(one), number(1, one)).prop_map(|(w, a)| {
        format!("select p, q from (select {a} as p, {w} as q, x.id as r from t x) m where r <= 3")
    });
    let first = one_of(&["x.b", "x.c"]).prop_map(|key| {
        format!(
            "select p, q from (select {key} as p, x.id as q, row_number() over \
            (partition by {key} order by x.a nulls first, x.id) as n from t x) m where n = 1"
        )
    });
    let with = select(one)
        .prop_map(|query| format!("with w as ({query}) select p, q from w where p is not null"));
    let joined = (pair(one), one_of(&["join", "left join", "full join"])).prop_map(|(a, kind)| {
        format!("with w as ({a}) select m.p, n.q from w m {kind} w n on m.p = n.p")
    });
    let limited = (pair(one), 0..4u8, 0..3u8).prop_map(|(query, limit, offset)| {
        format!(
            "select p, q from ({query}) m order by p nulls first, q nulls last \
            limit {limit} offset {offset}"
        )
    });
    let grouped = (number(1, one), aggregate(one)).prop_map(|(key, a)| {
        format!(
            "select q, count(*) as p from (select {key} as p, {a} as q from t x group by {key}) m \
            group by q"
        )
    });
    prop_oneof![2 => with, 1 => top, 1 => first, 1 => joined, 1 => limited, 1 => grouped].boxed()
}

/// Shapes that SQLite lacks.
fn wide(form: Form) -> Sql {
    let one = form.one();
    let sets = (
        aggregate(one),
        one_of(&[
            "rollup (x.b, x.c)",
            "cube (x.b, x.c)",
            "grouping sets ((x.b), (x.c), ())",
        ]),
    );
    let sets = sets
        .prop_map(|(a, by)| format!("select x.b as o, x.c as p, {a} as q from t x group by {by}"));
    let on = value(one).prop_map(|a| {
        format!("select distinct on (x.b) x.b as p, {a} as q from t x order by x.b, x.id")
    });
    let qualified = (value(one), one_of(&["x.b", "x.c"])).prop_map(|(a, key)| {
        format!(
            "select {a} as p, x.id as q from t x \
            qualify row_number() over (partition by {key} order by x.id) = 1"
        )
    });
    let values = one_of(&["join", "left join", "right join", "full join"]).prop_map(|kind| {
        format!(
            "select x.id as p, v.w as q from t x {kind} \
            (values (0, 'p'), (1, null), (null, 'q')) as v (k, w) on v.k = x.a"
        )
    });
    let lists = (list(1, one), condition(1, one))
        .prop_map(|(g, c)| format!("select x.id as p, unnest({g}) as q from t x where {c}"));
    prop_oneof![sets, on, qualified, values, lists].boxed()
}

/// A query; a wide one is not for SQLite.
pub(super) fn query(wide: bool) -> Sql {
    let one = Form { two: false, wide };
    let two = Form { two: true, wide };
    let limited = (number(1, one), 0..4u8, 0..3u8).prop_map(|(a, limit, offset)| {
        format!("select {a} as p from t x order by x.id limit {limit} offset {offset}")
    });
    let narrow = prop_oneof![
        4 => select(one),
        4 => select(two),
        1 => sets(one),
        1 => limited,
        2 => nested(one),
        1 => number(1, two).prop_map(|v| format!(
            "select a as p, {v} as q from t x left join u y using (a)"
        )),
    ];
    match wide {
        true => prop_oneof![8 => narrow, 1 => self::wide(one)].boxed(),
        false => narrow.boxed(),
    }
}
