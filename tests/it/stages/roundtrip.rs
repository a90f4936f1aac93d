//! Every format brings an artifact's values into the tables as the pipeline made them,
//! through outbox, upload, inbox and update.

use crate::support::{shop::small, world::World};

/// One row per text that some format may change on its way, and the extremes of each type.
fn sql(format: &str) -> String {
    let texts = [
        "''",
        "' '",
        "'null'",
        "'a,b;c'",
        "'say \"hi\"'",
        "'\"'",
        "'it''s'",
        "chr(13)",
        "chr(10)",
        "'x' || chr(13) || chr(10) || 'y'",
        "'x' || chr(10)",
        "chr(9)",
        "'\\N'",
        "'é 😀 ' || chr(65279)",
        "'0123'",
        "'-'",
    ];
    let numbers = ["null", "-0.0", "1e300", "-4.9e-324", "0.1", "1.0"];
    let decimals = [
        "null",
        "'99999999999999.9999'",
        "'-99999999999999.9999'",
        "'0.0001'",
        "'0'",
    ];
    let lists = [
        "null",
        "make_array('', 'a,\"b\"', chr(10))",
        "make_array('x')",
    ];
    // A flat format has no lists, which `check` says.
    let list = |list: &str| match format {
        "csv" => String::new(),
        _ => format!(", {list} as list"),
    };
    let rows = texts.iter().enumerate().map(|(id, text)| {
        let maybe = if id % 3 == 0 { "null" } else { text };
        let day = ["null", "'0001-01-01'", "'9999-12-31'"][id % 3];
        let at = ["'2026-02-28T23:59:59.999999Z'", "null", "'1677-09-22T00:00:00Z'"][id % 3];
        let flag = ["true", "false", "null"][id % 3];
        let whole = ["9223372036854775807", "'-9223372036854775808'", "null"][id % 3];
        format!(
            "select cast({id} as bigint) as id, {text} as t, cast({maybe} as text) as o, \
             cast({} as double) as d, cast({} as decimal(18, 4)) as m, cast({day} as date) as day, \
             cast({at} as timestamp) as at, cast({flag} as boolean) as b, cast({whole} as bigint) as n{}",
            numbers[id % numbers.len()],
            decimals[id % decimals.len()],
            list(lists[id % lists.len()]),
        )
    });
    rows.collect::<Vec<_>>().join("\nunion all\n")
}

const FORMATS: [&str; 4] = ["parquet", "csv", "json", "jsonl"];

fn project() -> World {
    let world = small();
    let sources = "[prices]\nkey = [\"product_id\", \"store_id\"]\n[prices.columns]\n\
        product_id = \"bigint not null\"\nstore_id = \"bigint not null\"\nprice = \"decimal(10,2) not null\"\n";
    world.write("pipelines/sources.toml", sources);
    for format in FORMATS {
        let list = match format {
            "csv" => "",
            _ => "list = \"text[]\"\n",
        };
        let manifest = format!(
            "description = \"Values.\"\noutput = \"as_{format}\"\nfile = \"as_{format}.{format}\"\n\
             grain = [\"id\"]\n\n[contract]\nid = \"bigint not null\"\nt = \"text not null\"\n\
             o = \"text\"\nd = \"double\"\nm = \"decimal(18,4)\"\nday = \"date\"\nat = \"timestamp\"\n\
             b = \"boolean\"\nn = \"bigint\"\n{list}\n\
             [[update]]\ntable = \"as_{format}\"\nmode = \"replace\"\n"
        );
        world.write(&format!("pipelines/as-{format}.toml"), &manifest);
        let model = format!("-- as_{format}: one row per id.\n{}\n", sql(format));
        world.write(&format!("sql/as-{format}/as_{format}.sql"), &model);
    }
    world
}

/// The rows of a table, each as text, with the types that SQLite gave the values.
fn rows(world: &World, table: &str, columns: &str) -> Vec<String> {
    let database = rusqlite::Connection::open(world.path("data/pricemill.db")).unwrap();
    let sql = format!("select {columns} from {table} order by id");
    let mut statement = database.prepare(&sql).unwrap();
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| {
        let values = (0..columns).map(|at| row.get::<_, rusqlite::types::Value>(at));
        Ok(format!("{:?}", values.collect::<Result<Vec<_>, _>>()?))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

#[test]
fn every_format_brings_values_back_as_they_were_written() {
    let world = project();
    world.run(&["run"]).ends(0);
    let flat = "id, t, o, d, m, day, at, b, n";
    let wanted = rows(&world, "as_parquet", flat);
    assert_eq!(wanted.len(), 16);
    assert!(wanted[0].contains("Text(\"\"), Null, "), "{}", wanted[0]);
    assert!(wanted[9].contains("Text(\"x\\r\\ny\")"), "{}", wanted[9]);
    for format in FORMATS {
        let table = format!("as_{format}");
        assert_eq!(rows(&world, &table, flat), wanted, "{format}");
    }
    let lists = rows(&world, "as_parquet", "list");
    for table in ["as_json", "as_jsonl"] {
        assert_eq!(rows(&world, table, "list"), lists, "{table}");
    }
    // The artifact itself, not only its rows.
    let again = world.run(&["run", "--snapshot", "latest"]).ends(0);
    assert!(again.err.contains("; 4 unchanged,"), "{}", again.err);
}
