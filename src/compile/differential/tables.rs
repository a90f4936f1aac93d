//! The small random tables `t` and `u`, for each engine.

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};

use chrono::{Days, NaiveDate};
use datafusion::{
    arrow::{
        array::{
            ArrayRef, Date32Array, Decimal128Array, Float64Array, Int64Array, ListArray,
            RecordBatch, StringArray,
        },
        datatypes::{Date32Type, Field, Int64Type, Schema},
    },
    catalog::TableProvider,
    datasource::MemTable,
};
use proptest::prelude::*;

/// A row: `id` is its number. Each but `id` may be null.
#[derive(Debug, Clone)]
pub(super) struct Row {
    a: Option<i64>,
    b: Option<i64>,
    c: Option<String>,
    /// Quarters, a decimal.
    d: Option<i64>,
    /// Days after 29 January 2026.
    e: Option<u64>,
    /// Eighths, a double.
    f: Option<i64>,
    g: Option<Vec<Option<i64>>>,
}

/// The tables, by name.
pub(super) type Tables = BTreeMap<&'static str, Vec<Row>>;

fn row() -> impl Strategy<Value = Row> {
    let often = |values: std::ops::Range<i64>| prop::option::weighted(0.8, values);
    let text = prop::sample::select(vec!["", "p", "q", "pq", "P", "%", " p", "1"]);
    let text = prop::option::weighted(0.8, text.prop_map(str::to_owned));
    let list = prop::collection::vec(prop::option::weighted(0.8, 0..3i64), 0..3);
    let days = prop::option::weighted(0.8, 0..6u64);
    let list = prop::option::weighted(0.8, list);
    (
        often(-1..4),
        often(0..3),
        text,
        often(-2..6),
        days,
        often(-4..12),
        list,
    )
        .prop_map(|(a, b, c, d, e, f, g)| Row {
            a,
            b,
            c,
            d,
            e,
            f,
            g,
        })
}

/// Two tables.
pub(super) fn tables() -> impl Strategy<Value = Tables> {
    let rows = || prop::collection::vec(row(), 0..6);
    (rows(), rows()).prop_map(|(t, u)| BTreeMap::from([("t", t), ("u", u)]))
}

fn day(days: u64) -> NaiveDate {
    let first = NaiveDate::from_ymd_opt(2026, 1, 29).unwrap();
    first.checked_add_days(Days::new(days)).unwrap()
}

/// Returns a table as our engine reads it.
pub(super) fn provider(rows: &[Row]) -> Arc<dyn TableProvider> {
    let quarters = rows.iter().map(|row| row.d.map(|d| i128::from(d) * 25));
    let quarters: Decimal128Array = quarters.collect();
    let texts: StringArray = rows.iter().map(|row| row.c.clone()).collect();
    let days = rows
        .iter()
        .map(|row| Some(Date32Type::from_naive_date(day(row.e?))));
    let days: Date32Array = days.collect();
    let eighths: Float64Array = rows.iter().map(|row| Some(row.f? as f64 / 8.0)).collect();
    let lists = ListArray::from_iter_primitive::<Int64Type, _, _>(rows.iter().map(|r| r.g.clone()));
    let whole = |of: fn(&Row) -> Option<i64>| rows.iter().map(of).collect::<Int64Array>();
    let ids = Int64Array::from_iter_values(1..=rows.len() as i64);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(ids)),
        ("a", Arc::new(whole(|row| row.a))),
        ("b", Arc::new(whole(|row| row.b))),
        ("c", Arc::new(texts)),
        (
            "d",
            Arc::new(quarters.with_precision_and_scale(10, 2).unwrap()),
        ),
        ("e", Arc::new(days)),
        ("f", Arc::new(eighths)),
        ("g", Arc::new(lists)),
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

/// The types of the columns, of which SQLite has the first seven.
const COLUMNS: [&str; 8] = [
    "id bigint",
    "a bigint",
    "b bigint",
    "c text",
    "d decimal(10, 2)",
    "e date",
    "f double",
    "g bigint[]",
];

/// Returns SQL that makes the tables.
pub(super) fn statements(tables: &Tables, is_sqlite: bool) -> Vec<String> {
    let mut statements = Vec::new();
    let columns = match is_sqlite {
        true => &COLUMNS[..7],
        false => &COLUMNS[..],
    };
    for (name, rows) in tables {
        // SQLite's decimals are texts that become numbers where they can.
        let declared = columns.join(", ").replace(
            "decimal(10, 2)",
            match is_sqlite {
                true => "real",
                false => "decimal(10, 2)",
            },
        );
        statements.push(format!("create table {name} ({declared})"));
        if !rows.is_empty() {
            let rows = rows.iter().enumerate();
            let rows: Vec<String> = rows
                .map(|(id, row)| literal(id + 1, row, is_sqlite))
                .collect();
            statements.push(format!("insert into {name} values {}", rows.join(", ")));
        }
    }
    statements
}

fn literal(id: usize, row: &Row, is_sqlite: bool) -> String {
    fn or_null<T: std::fmt::Display>(value: Option<T>) -> String {
        value.map_or_else(|| "null".to_owned(), |value| value.to_string())
    }
    let mut text = format!("({id}, {}, {}", or_null(row.a), or_null(row.b));
    let texts = row.c.as_ref().map(|text| format!("'{text}'"));
    let days = row.e.map(|days| format!("'{}'", day(days)));
    let parts = [
        or_null(texts),
        or_null(row.d.map(|d| d as f64 / 4.0)),
        or_null(days),
        or_null(row.f.map(|f| f as f64 / 8.0)),
    ];
    write!(text, ", {}", parts.join(", ")).unwrap();
    if !is_sqlite {
        let list = row.g.as_ref().map(|list| {
            let items: Vec<String> = list.iter().map(|item| or_null(*item)).collect();
            format!("[{}]", items.join(", "))
        });
        write!(text, ", {}", or_null(list)).unwrap();
    }
    text + ")"
}
