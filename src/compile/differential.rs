//! Random queries of the shapes that analysts write, on small random tables, here and in
//! SQLite: the same rows, or a refusal. Differences are shrunk.
//!
//! The seed is fixed. `PRICEMILL_TEST_QUERIES=100000` runs that many with a seed of the
//! day.

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};

use chrono::DateTime;
use datafusion::{
    arrow::{
        array::{Array, ArrayRef, Decimal128Array, Int64Array, RecordBatch, StringArray},
        datatypes::{DataType, Field, Schema},
        util::display::array_value_to_string,
    },
    catalog::TableProvider,
    common::TableReference,
    datasource::MemTable,
    prelude::SessionContext,
};
use futures::TryStreamExt;
use indexmap::IndexMap;
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner},
};
use rusqlite::{Connection, types::ValueRef};

use super::{kinds, planner::Planner};
use crate::{
    config::EngineConfig,
    engine::session,
    pipeline::{Bindings, SourceFile, SqlFile},
};

/// `a` and `b` are small numbers, `c` is a short text, `d` quarters; each may be null.
type Row = (Option<i64>, Option<i64>, Option<String>, Option<i64>);
type Rows = Vec<Option<String>>;

fn row() -> impl Strategy<Value = Row> {
    (
        prop::option::weighted(0.8, -1..4i64),
        prop::option::weighted(0.8, 0..3i64),
        prop::option::weighted(
            0.8,
            prop::sample::select(vec!["", "p", "q", "pq", "P", "%"]),
        ),
        prop::option::weighted(0.8, -2..6i64),
    )
        .prop_map(|(a, b, c, d)| (a, b, c.map(str::to_owned), d))
}

/// A text of SQL.
type Sql = BoxedStrategy<String>;

fn one_of(texts: &[&str]) -> Sql {
    let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
    prop::sample::select(texts).boxed()
}

fn format2(a: Sql, b: Sql, form: fn(String, String) -> String) -> Sql {
    (a, b).prop_map(move |(a, b)| form(a, b)).boxed()
}

/// A number, of one relation `x` or of `x` and `y`.
fn number(depth: u32, two: bool) -> Sql {
    let column = match two {
        true => one_of(&["x.a", "x.b", "y.a", "y.b", "x.id", "y.id"]),
        false => one_of(&["x.a", "x.b", "x.id"]),
    };
    let leaf = prop_oneof![4 => column, 2 => one_of(&["0", "1", "2", "-1"])].boxed();
    if depth == 0 {
        return leaf;
    }
    let sub = move || number(depth - 1, two);
    prop_oneof![
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
        1 => (condition(depth - 1, two), sub(), sub())
            .prop_map(|(c, a, b)| format!("case when {c} then {a} else {b} end")),
        1 => text(depth - 1, two).prop_map(|t| format!("length({t})")),
        1 => number(0, two).prop_map(|a| format!("(select max(z.a) from u z where z.b = {a})")),
        1 => sub().prop_map(|_| "(select count(*) from u z where z.b = x.a)".to_owned()),
    ]
    .boxed()
}

fn text(depth: u32, two: bool) -> Sql {
    let column = match two {
        true => one_of(&["x.c", "y.c"]),
        false => one_of(&["x.c"]),
    };
    let leaf = prop_oneof![4 => column, 1 => one_of(&["'p'", "''", "'Q'"])].boxed();
    if depth == 0 {
        return leaf;
    }
    let sub = move || text(depth - 1, two);
    prop_oneof![
        3 => leaf,
        1 => format2(sub(), sub(), |a, b| format!("({a} || {b})")),
        1 => sub().prop_map(|a| format!("upper({a})")),
        1 => sub().prop_map(|a| format!("substr({a}, 1, 1)")),
        1 => sub().prop_map(|a| format!("replace({a}, 'p', 'xy')")),
        1 => format2(sub(), sub(), |a, b| format!("coalesce({a}, {b})")),
        1 => (condition(depth - 1, two), sub(), sub())
            .prop_map(|(c, a, b)| format!("case when {c} then {a} else {b} end")),
    ]
    .boxed()
}

fn condition(depth: u32, two: bool) -> Sql {
    let n = move || number(depth.saturating_sub(1), two);
    let t = move || text(depth.saturating_sub(1), two);
    let compare = || one_of(&["=", "<>", "<", "<=", ">", ">="]);
    let leaf = prop_oneof![
        (n(), compare(), n()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        (t(), compare(), t()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        compare().prop_map(|op| format!("x.d {op} 0.75")),
        n().prop_map(|a| format!("{a} is null")),
        t().prop_map(|a| format!("{a} is not null")),
        (n(), n(), n()).prop_map(|(a, b, c)| format!("{a} between {b} and {c}")),
        (n(), n(), n()).prop_map(|(a, b, c)| format!("{a} in ({b}, {c}, null)")),
        (n(), n()).prop_map(|(a, b)| format!("{a} not in ({b}, 2)")),
        t().prop_map(|a| format!("{a} like 'p%'")),
        (n(), n()).prop_map(|(a, b)| format!("({a} is distinct from {b})")),
        (n(), n()).prop_map(|(a, b)| format!("({a} is not distinct from {b})")),
    ]
    .boxed();
    if depth == 0 {
        return leaf;
    }
    let sub = move || condition(depth - 1, two);
    prop_oneof![
        4 => leaf,
        1 => format2(sub(), sub(), |a, b| format!("({a} and {b})")),
        1 => format2(sub(), sub(), |a, b| format!("({a} or {b})")),
        1 => sub().prop_map(|a| format!("not ({a})")),
    ]
    .boxed()
}

/// A condition of WHERE, which may also hold subqueries.
fn filter(two: bool) -> Sql {
    let subquery = prop_oneof![
        number(1, two).prop_map(|a| format!("{a} in (select z.b from u z)")),
        number(1, two).prop_map(|a| format!("{a} not in (select z.b from u z)")),
        number(0, two).prop_map(|a| format!("{a} not in (select z.b from u z where z.b > 0)")),
        Just("exists (select 1 from u z where z.a = x.a)".to_owned()),
        Just("not exists (select 1 from u z where z.a = x.a and z.b > x.b)".to_owned()),
        text(1, two).prop_map(|a| format!("{a} in (select z.c from u z where z.a > 0)")),
    ]
    .boxed();
    prop_oneof![
        4 => condition(2, two),
        1 => subquery.clone(),
        1 => format2(subquery.clone(), condition(1, two), |a, b| format!("{a} and {b}")),
        1 => format2(subquery.clone(), condition(1, two), |a, b| format!("({a} or {b})")),
        1 => subquery.prop_map(|a| format!("not ({a})")),
    ]
    .boxed()
}

fn value(two: bool) -> Sql {
    prop_oneof![
        3 => number(2, two),
        2 => text(2, two),
        1 => Just("x.d".to_owned()),
        1 => condition(1, two)
            .prop_map(|c| format!("case when {c} then 1 when not ({c}) then 0 end")),
    ]
    .boxed()
}

fn aggregate(two: bool) -> Sql {
    let filter = prop_oneof![
        3 => Just(String::new()),
        1 => condition(1, two).prop_map(|c| format!(" filter (where {c})")),
    ];
    let call = prop_oneof![
        Just("count(*)".to_owned()),
        number(1, two).prop_map(|a| format!("count({a})")),
        number(1, two).prop_map(|a| format!("count(distinct {a})")),
        number(1, two).prop_map(|a| format!("sum({a})")),
        number(1, two).prop_map(|a| format!("sum(distinct {a})")),
        number(1, two).prop_map(|a| format!("min({a})")),
        text(1, two).prop_map(|a| format!("max({a})")),
        Just("sum(x.d)".to_owned()),
        Just("min(x.d)".to_owned()),
    ];
    (call, filter)
        .prop_map(|(call, filter)| call + &filter)
        .boxed()
}

fn window() -> Sql {
    let order = "over (partition by x.b order by x.id";
    prop_oneof![
        number(1, false).prop_map(move |a| format!("sum({a}) {order})")),
        number(1, false).prop_map(move |a| format!("lag({a}) {order})")),
        number(1, false).prop_map(move |a| format!("lead({a}, 2, 9) {order})")),
        number(1, false).prop_map(move |a| format!(
            "max({a}) {order} rows between 1 preceding and 1 following)"
        )),
        text(1, false).prop_map(move |a| format!("first_value({a}) {order})")),
        Just(format!("row_number() {order} desc)")),
        Just("rank() over (order by x.a nulls first)".to_owned()),
        Just("dense_rank() over (order by x.a desc nulls last)".to_owned()),
        Just("count(*) over (order by x.a nulls first)".to_owned()),
    ]
    .boxed()
}

/// A FROM of `x` and `y`.
fn joined() -> Sql {
    let kind = one_of(&["join", "left join", "right join", "full join"]);
    let on = prop_oneof![
        Just("x.a = y.a".to_owned()),
        Just("x.a = y.b and x.c = y.c".to_owned()),
        condition(1, true).prop_map(|c| format!("x.a = y.a and {c}")),
        Just("(x.a is not distinct from y.a)".to_owned()),
    ];
    (kind, on)
        .prop_map(|(kind, on)| format!("t x {kind} u y on {on}"))
        .boxed()
}

fn select(two: bool) -> Sql {
    let from = match two {
        true => joined(),
        false => prop_oneof![
            3 => Just("t x".to_owned()),
            1 => filter(false).prop_map(|f| format!("(select * from t x where {f}) x")),
            1 => Just("(select * from t union all select * from u) x".to_owned()),
        ]
        .boxed(),
    };
    let wanted = prop_oneof![
        3 => Just(String::new()),
        2 => filter(two).prop_map(|f| format!(" where {f}")),
    ];
    let plain = (value(two), value(two), any::<bool>()).prop_map(|(a, b, distinct)| {
        let distinct = if distinct { "distinct " } else { "" };
        (format!("{distinct}{a} as p, {b} as q"), String::new())
    });
    let all = (aggregate(two), aggregate(two))
        .prop_map(|(a, b)| (format!("{a} as p, {b} as q"), String::new()));
    let grouped = (number(1, two), aggregate(two), any::<bool>()).prop_map(|(key, a, having)| {
        let having = if having { " having count(*) > 1" } else { "" };
        (
            format!("{key} as p, {a} as q"),
            format!(" group by {key}{having}"),
        )
    });
    let windows =
        (value(false), window()).prop_map(|(a, w)| (format!("{a} as p, {w} as q"), String::new()));
    let shape = match two {
        true => prop_oneof![3 => plain, 1 => all, 2 => grouped].boxed(),
        false => prop_oneof![3 => plain, 1 => all, 2 => grouped, 2 => windows].boxed(),
    };
    (shape, from, wanted)
        .prop_map(|((items, tail), from, wanted)| {
            format!("select {items} from {from}{wanted}{tail}")
        })
        .boxed()
}

fn query() -> Sql {
    let set = one_of(&["union", "union all", "intersect", "except"]);
    let pair = |two| {
        let columns = (number(1, two), text(1, two));
        columns
            .prop_map(|(a, b)| format!("select {a} as p, {b} as q from t x"))
            .boxed()
    };
    let limited = (number(1, false), 0..4u8, 0..3u8).prop_map(|(a, limit, offset)| {
        format!("select {a} as p from t x order by x.id limit {limit} offset {offset}")
    });
    prop_oneof![
        4 => select(false),
        4 => select(true),
        1 => (pair(false), set, pair(false)).prop_map(|(a, set, b)| format!("{a} {set} {b}")),
        1 => limited,
        1 => select(false).prop_map(|q| format!("with w as ({q}) select p, q from w where p is not null")),
        1 => number(1, true).prop_map(|v| format!(
            "select a as p, {v} as q from t x left join u y using (a)"
        )),
    ]
    .boxed()
}

/// Returns the rows of SQLite.
fn expected(sqlite: &Connection, sql: &str) -> Result<Vec<Rows>, rusqlite::Error> {
    let mut statement = sqlite.prepare(sql)?;
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| {
        (0..columns)
            .map(|column| {
                Ok(match row.get_ref(column)? {
                    ValueRef::Null => None,
                    ValueRef::Integer(number) => Some(format!("{}", number as f64)),
                    ValueRef::Real(number) => Some(format!("{number}")),
                    ValueRef::Text(text) => Some(format!("'{}'", String::from_utf8_lossy(text))),
                    ValueRef::Blob(_) => Some("blob".to_owned()),
                })
            })
            .collect()
    })?;
    rows.collect()
}

fn shown(column: &ArrayRef, row: usize) -> Option<String> {
    if column.is_null(row) {
        return None;
    }
    let text = array_value_to_string(column, row).unwrap();
    Some(match column.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => format!("'{text}'"),
        _ => format!("{}", text.parse::<f64>().unwrap()),
    })
}

fn table(rows: &[Row]) -> Arc<dyn TableProvider> {
    let quarters = rows.iter().map(|row| row.3.map(|d| i128::from(d) * 25));
    let quarters: Decimal128Array = quarters.collect();
    let columns: Vec<(&str, ArrayRef)> = vec![
        (
            "id",
            Arc::new(Int64Array::from_iter_values(1..=rows.len() as i64)),
        ),
        (
            "a",
            Arc::new(rows.iter().map(|row| row.0).collect::<Int64Array>()),
        ),
        (
            "b",
            Arc::new(rows.iter().map(|row| row.1).collect::<Int64Array>()),
        ),
        (
            "c",
            Arc::new(
                rows.iter()
                    .map(|row| row.2.clone())
                    .collect::<StringArray>(),
            ),
        ),
        (
            "d",
            Arc::new(quarters.with_precision_and_scale(10, 2).unwrap()),
        ),
    ];
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, column)| Field::new(*name, column.data_type().clone(), *name != "id"))
        .collect();
    let schema = Arc::new(Schema::new(fields));
    let columns = columns.into_iter().map(|(_, column)| column).collect();
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns).unwrap();
    Arc::new(MemTable::try_new(schema, vec![vec![batch]]).unwrap())
}

fn fill(sqlite: &Connection, name: &str, rows: &[Row]) {
    let create = format!("create table {name} (id integer, a integer, b integer, c text, d real)");
    sqlite.execute(&create, []).unwrap();
    for (id, (a, b, c, d)) in rows.iter().enumerate() {
        let d = d.map(|d| d as f64 / 4.0);
        let insert = format!("insert into {name} values (?, ?, ?, ?, ?)");
        sqlite
            .execute(&insert, (id as i64 + 1, a, b, c, d))
            .unwrap();
    }
}

/// Returns our rows, or why the query is refused.
async fn ours(
    context: &SessionContext,
    sql: &str,
    tables: &BTreeMap<&str, Vec<Row>>,
) -> Result<Vec<Rows>, String> {
    let source = SourceFile {
        path: "query".into(),
        text: sql.into(),
    };
    let file = SqlFile::parse(source, &IndexMap::new());
    let mut planner = Planner::new(context, DateTime::UNIX_EPOCH);
    let mut refused = file.findings().to_vec();
    refused.extend(kinds::findings(planner.state(), &file));
    if let Some(finding) = refused.first() {
        return Err(format!("refused: {}", finding.message));
    }
    let statement = file.bound(&Bindings::default()).unwrap();
    let relations = tables
        .iter()
        .map(|(name, rows)| (TableReference::bare(*name), table(rows)));
    let plan = planner.plan(statement, relations.collect()).await;
    let plan = plan.map_err(|error| format!("not planned: {error}"))?;
    let stream = planner.run(&plan).await;
    let stream = stream.map_err(|error| format!("not run: {error}"))?;
    let batches: Vec<RecordBatch> = stream
        .try_collect()
        .await
        .map_err(|error| format!("failed: {error}"))?;
    let rows = batches.iter().flat_map(|batch| {
        let row = |row| {
            batch
                .columns()
                .iter()
                .map(|column| shown(column, row))
                .collect()
        };
        (0..batch.num_rows()).map(row).collect::<Vec<Rows>>()
    });
    Ok(rows.collect())
}

/// What the planner cannot do and says so; it gives no wrong answer.
const LIMITS: &[&str] = &[
    "refused: ",
    "null_aware anti join only supports single column join key",
    "Physical plan does not support logical expression",
    "Correlated scalar subquery",
    "correlated",
    // Took a subquery apart, and cannot name its columns: users read our words for it.
    "__scalar_sq",
];

#[test]
fn a_query_gives_the_rows_that_sqlite_gives() {
    let asked = std::env::var("PRICEMILL_TEST_QUERIES").ok();
    let cases = asked
        .as_ref()
        .map_or(Ok(1500), |cases| cases.parse())
        .unwrap();
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 2000,
        ..Config::default()
    };
    let rng = match asked {
        None => TestRng::deterministic_rng(RngAlgorithm::ChaCha),
        Some(_) => TestRng::from_seed(RngAlgorithm::ChaCha, &seed_of_the_day()),
    };
    let mut runner = TestRunner::new_with_rng(config, rng);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let context = session(&EngineConfig::default()).unwrap();
    let mut limits: BTreeMap<String, u32> = BTreeMap::new();
    let limits_of = std::cell::RefCell::new(&mut limits);
    let tables = || prop::collection::vec(row(), 0..6);
    let input = (tables(), tables(), query());
    let result = runner.run(&input, |(t, u, sql)| {
        let sqlite = Connection::open_in_memory().unwrap();
        sqlite
            .pragma_update(None, "case_sensitive_like", true)
            .unwrap();
        let tables = BTreeMap::from([("t", t), ("u", u)]);
        tables
            .iter()
            .for_each(|(name, rows)| fill(&sqlite, name, rows));
        let mut expected = expected(&sqlite, &sql)
            .map_err(|error| TestCaseError::reject(format!("SQLite: {error}")))?;
        let mut found = match runtime.block_on(ours(&context, &sql, &tables)) {
            Ok(rows) => rows,
            Err(why) => {
                let Some(limit) = LIMITS.iter().find(|limit| why.contains(*limit)) else {
                    return Err(TestCaseError::fail(format!("{sql}\n{why}")));
                };
                *limits_of
                    .borrow_mut()
                    .entry((*limit).to_owned())
                    .or_insert(0) += 1;
                return Ok(());
            }
        };
        expected.sort();
        found.sort();
        prop_assert_eq!(found, expected, "{}", sql);
        Ok(())
    });
    let mut report = String::new();
    for (limit, count) in &limits {
        writeln!(report, "{count} × {limit}").unwrap();
    }
    println!("{cases} queries, not answered:\n{report}");
    result.unwrap();
    let unanswered: u32 = limits.values().sum();
    assert!(unanswered * 5 < cases, "too much is refused:\n{report}");
}

fn seed_of_the_day() -> [u8; 32] {
    let mut seed = [0; 32];
    let days = chrono::Utc::now().timestamp() / 86_400;
    seed[..8].copy_from_slice(&days.to_le_bytes());
    seed
}
