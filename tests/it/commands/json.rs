//! `--output json` and its kin: numbers are numbers, times are times, nulls are nulls.

use serde_json::Value;

use crate::support::{screen::screen, shop::small, world::World};

/// A value of each type that SQL has here.
const TYPES: &str = "select
    9007199254740993 as bigint,
    cast(1.10 as decimal(10,2)) as money,
    cast('12345678901234567890.123456789' as decimal(38,9)) as long,
    0.1e0 + 0.2e0 as double,
    cast('NaN' as double) as not_a_number,
    cast('-Infinity' as double) as endless,
    true as yes,
    date '2026-01-31' as day,
    cast('2026-01-31T12:00:00.5Z' as timestamp) as instant,
    'say \"a, b\"' as said,
    '' as blank,
    cast(null as bigint) as nothing,
    [1, null, 3] as list,
    named_struct('a', 1, 'b', [date '2026-01-31']) as record";

fn output(world: &World, format: &str) -> String {
    let query = ["query", TYPES, "--output", format];
    world.run(&query).ends(0).out
}

fn world() -> World {
    let world = small();
    world.run(&["fetch"]).ends(0);
    world
}

#[test]
fn rows_have_the_documented_form_in_each_format() {
    let world = world();
    screen!(output(&world, "json"), @r#"
    [
    {"bigint":9007199254740993,"money":1.10,"long":12345678901234567890.123456789,"double":0.30000000000000004,"not_a_number":"NaN","endless":"-Infinity","yes":true,"day":"2026-01-31","instant":"<instant>","said":"say \"a, b\"","blank":"","nothing":null,"list":[1,null,3],"record":{"a":1,"b":["2026-01-31"]}}
    ]
    "#);
    screen!(output(&world, "ndjson"), @r#"{"bigint":9007199254740993,"money":1.10,"long":12345678901234567890.123456789,"double":0.30000000000000004,"not_a_number":"NaN","endless":"-Infinity","yes":true,"day":"2026-01-31","instant":"<instant>","said":"say \"a, b\"","blank":"","nothing":null,"list":[1,null,3],"record":{"a":1,"b":["2026-01-31"]}}"#);
    screen!(output(&world, "csv"), @r#"
    bigint,money,long,double,not_a_number,endless,yes,day,instant,said,blank,nothing,list,record
    9007199254740993,1.10,12345678901234567890.123456789,0.30000000000000004,NaN,-Infinity,true,2026-01-31,<instant>,"say ""a, b""","",,"[1,null,3]","{""a"":1,""b"":[""2026-01-31""]}"
    "#);
    screen!(output(&world, "lines"), @r#"
    bigint: 9007199254740993
    money: 1.10
    long: 12345678901234567890.123456789
    double: 0.30000000000000004
    not_a_number: NaN
    endless: -inf
    yes: true
    day: 2026-01-31
    instant: 2026-01-31T12:00:00.500
    said: say "a, b"
    blank:
    nothing: null
    list: [1, , 3]
    record: {a: 1, b: [2026-01-31]}
    "#);
}

#[test]
fn json_is_json_and_its_types_are_those_of_sql() {
    let world = world();
    let rows: Value = serde_json::from_str(&output(&world, "json")).unwrap();
    let row: Value = serde_json::from_str(&output(&world, "ndjson")).unwrap();
    assert_eq!(rows, Value::from(vec![row.clone()]));
    for name in ["bigint", "money", "long", "double"] {
        assert!(row[name].is_number(), "{name}: {}", row[name]);
    }
    assert!(row["yes"].is_boolean() && row["nothing"].is_null());
    assert_eq!(row["list"], serde_json::json!([1, null, 3]));
    assert_eq!(
        row["record"],
        serde_json::json!({"a": 1, "b": ["2026-01-31"]})
    );
    let instant = row["instant"].as_str().unwrap();
    assert!(chrono::DateTime::parse_from_rfc3339(instant).is_ok() && instant.ends_with('Z'));
    let show = world
        .run(&["show", "prices", "--output", "json"])
        .ends(0)
        .out;
    let rows: Value = serde_json::from_str(&show).unwrap();
    assert!(rows[0]["price"].is_number() && rows[0]["sku"].is_null());
    assert_eq!(rows[0]["scraped_date"], "2026-11-01");
}

#[test]
fn csv_distinguishes_null_from_the_empty_text_as_artifacts_do() {
    let world = world();
    let sql = "select '' as a, cast(null as text) as b, 'x' as c";
    let csv = world.run(&["query", sql, "--output", "csv"]).ends(0).out;
    assert_eq!(csv, "a,b,c\n\"\",,x\n");
}

/// Every command that writes a report, after what it needs.
const REPORTS: &[&[&str]] = &[
    &["load", "export"],
    &["fetch"],
    &["check"],
    &["test", "bargains"],
    &["lineage", "bargains"],
    &["generate", "bargains", "--snapshot", "latest"],
    &["upload", "bargains"],
    &["update", "bargains"],
    &["run", "bargains", "--snapshot", "latest"],
    &["status", "bargains"],
    &["show", "prices", "--schema"],
    &["explain", "unknown-column"],
    &["docs", "output"],
    &["synth", "--prices", "1000", "--out", "made"],
    &["generate", "--archive"],
    &["update", "--archive", "--dry-run"],
    &["generate", "bargans"],
];

/// The fields that hold text, whatever the text looks like.
const TEXTS: &[&str] = &["sha256", "exit_code"];

#[test]
fn every_field_of_every_report_has_the_type_of_what_it_says() {
    let world = small();
    for command in REPORTS {
        for format in ["json", "ndjson"] {
            let arguments = [command, &["--output", format][..]].concat();
            let out = world.run(&arguments).out;
            let documents = match format {
                "json" => vec![serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}"))],
                _ => out
                    .lines()
                    .map(|line| serde_json::from_str(line).unwrap())
                    .collect(),
            };
            for document in documents {
                let document: Value = document;
                assert_eq!(document["format_version"], 1, "{command:?}");
                typed(&format!("{command:?}"), "", &document);
            }
            let _ = std::fs::remove_dir_all(world.path("made"));
        }
    }
}

/// Fails where a value is not of the type that its name says.
fn typed(within: &str, name: &str, value: &Value) {
    let at = format!("{within}: {name} = {value}");
    match value {
        Value::Object(fields) => {
            for (field, value) in fields {
                typed(within, field, value);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| typed(within, name, item)),
        Value::String(text) if name.ends_with("_at") => {
            let is_instant = chrono::DateTime::parse_from_rfc3339(text).is_ok();
            assert!(is_instant && text.ends_with('Z'), "{at}");
        }
        Value::String(text) if !TEXTS.contains(&name) => {
            assert!(text.parse::<f64>().is_err(), "{at} is a number");
            assert!(
                !["true", "false", "null", "-"].contains(&text.as_str()),
                "{at}"
            );
        }
        _ => {}
    }
    let counts = [
        "rows", "bytes", "seconds", "requests", "line", "column", "exit", "records",
    ];
    if counts
        .iter()
        .any(|count| name == *count || name.ends_with(&format!("_{count}")))
    {
        let is_list = name == "rows" && value.is_array();
        assert!(value.is_number() || value.is_null() || is_list, "{at}");
    }
}
