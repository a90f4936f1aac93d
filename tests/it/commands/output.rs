//! What commands print: whole screens, and `--output` of each command.

use crate::support::{
    screen::screen,
    shop::small,
    world::{Said, World},
};

fn stdout(world: &World, arguments: &[&str]) -> String {
    world.run(arguments).ends(0).out
}

fn stderr(said: Said) -> String {
    assert_eq!(said.out, "", "data for people goes to stderr here");
    said.err
}

#[test]
fn one_turn_on_the_screen() {
    let world = small();
    screen!(stderr(world.run(&["load", "export"]).ends(0)), @"
    products: 0 inserted, 0 changed, 3 unchanged
    stores: 0 inserted, 0 changed, 3 unchanged
    prices: 0 inserted, 0 changed, 7 unchanged
    product_categories: 0 inserted, 0 changed, 6 unchanged
    loaded 4 tables in <time>
    ");
    screen!(stderr(world.run(&["fetch", "prices"]).ends(0)), @"
    prices: 7 rows
    snapshot <snapshot>
    fetched 1 dataset in <time>
    ");
    let generate = ["generate", "bargains", "--snapshot", "latest"];
    screen!(stderr(world.run(&generate).ends(0)), @"
    bargains: 1 rows in <time>, committed as 000001-<hash>
    generated 1, skipped 0, failed 0 in <time>
    ");
    screen!(stderr(world.run(&generate).ends(0)), @"
    bargains: 1 rows in <time>, unchanged since 000001-<hash>
    generated 1, skipped 0, failed 0; 1 unchanged in <time>
    ");
    screen!(stderr(world.run(&["upload", "bargains"]).ends(0)), @"
    bargains: 000001-<hash>, 1 rows, uploaded to <world>/data/inbox
    uploaded 1, skipped 0, failed 0 in <time>
    ");
    screen!(stderr(world.run(&["upload", "bargains"]).ends(0)), @"
    bargains: 000001-<hash> is already uploaded to <world>/data/inbox
    uploaded 0, skipped 0, failed 0; 1 already uploaded in <time>
    ");
    screen!(stderr(world.run(&["update", "bargains"]).ends(0)), @"
    bargains: 000001-<hash> applied
      bargains: 1 inserted, 0 changed, 0 unchanged, 0 deleted, 0 rejected
    applied 1, skipped 0, failed 0 in <time>
    ");
    screen!(stderr(world.run(&["update", "bargains"]).ends(0)), @"
    bargains: nothing pending in the inbox; artifact 1 is applied
    applied 0, skipped 1, failed 0 in <time>
    ");
    let status = stdout(&world, &["status", "bargains", "--runs", "0"]);
    screen!(status, @"
    pipeline  generated                rows  age  uploaded  received                 received_rows  state    applied                  applied_rows
    bargains  000001-<hash>  1 <age>  verified  000001-<hash>  1              applied  000001-<hash>  1
    ");
}

#[test]
fn what_needs_no_data_on_the_screen() {
    let world = World::new();
    screen!(stderr(world.run(&["check", "bargains"]).ends(0)), @"
    there is no project in <world>: these are the built-in pipelines
    help: `pricemill new DIR` creates a project of your own
    1 pipeline, 3 SQL files: names, types and contracts are valid; 1 of 4 promises (not null, one row per …) proved, the others are checked before each commit
    checked 1 pipeline in <time>
    ");
    screen!(stderr(world.run(&["test", "bargains"]).ends(0)), @"
    there is no project in <world>: these are the built-in pipelines
    help: `pricemill new DIR` creates a project of your own
    pass tests/sql/bargains/bargains.slt (6 records)
    pass tests/sql/bargains/checks.slt (2 records)
    pass tests/sql/bargains/extremes.slt (3 records)
    pass tests/sql/bargains/updates.slt (2 records)
    passed 4, skipped 0, failed 0 in <time>
    ");
    screen!(stdout(&world, &["lineage", "bargains"]), @"
    bargains → bargains.json
      bargains
        extremes
          prices  (dataset)
    ");
}

#[test]
fn json_is_one_document_with_a_version() {
    let world = small();
    let generate = ["generate", "bargains", "--output", "json"];
    let text = stdout(&world, &generate);
    let mut report: serde_json::Value = serde_json::from_str(&text).unwrap();
    let models = report["pipelines"][0]["models"].as_array_mut().unwrap();
    for model in models {
        let cost = model.as_object_mut().unwrap().remove("cost").unwrap();
        assert!(cost["peak_memory_bytes"].is_u64() && cost["operators"].is_array());
    }
    screen!(serde_json::to_string_pretty(&report).unwrap(), @r#"
    {
      "command": "generate",
      "format_version": 1,
      "pipelines": [
        {
          "after": null,
          "artifact": "000001-<hash>",
          "bytes": 127,
          "checks": [
            {
              "bad_rows": 0,
              "check": "not null",
              "message": "no nulls in columns declared `not null`",
              "outcome": "pass",
              "seconds": <time>
            },
            {
              "bad_rows": 0,
              "check": "grain",
              "message": "one row per product_id",
              "outcome": "pass",
              "seconds": <time>
            },
            {
              "bad_rows": 0,
              "check": "empty",
              "message": "there are rows",
              "outcome": "pass",
              "seconds": <time>
            },
            {
              "bad_rows": 0,
              "check": "change",
              "message": "there is no earlier artifact with rows to compare with",
              "outcome": "pass",
              "seconds": <time>
            },
            {
              "bad_rows": 0,
              "check": "age",
              "message": "the snapshot is 0.0 h old, at most 36.0 h allowed",
              "outcome": "pass",
              "seconds": <time>
            },
            {
              "bad_rows": 0,
              "check": "not_over_min_ratio",
              "message": "0 bad rows",
              "outcome": "pass",
              "seconds": <time>
            }
          ],
          "embedded": {
            "found": 0,
            "seconds": <time>,
            "texts": 0
          },
          "embedding": null,
          "models": [
            {
              "inlined": [
                "extremes"
              ],
              "model": "bargains",
              "rows": 1
            }
          ],
          "outcome": "committed",
          "pipeline": "bargains",
          "rows": 1,
          "sha256": "<sha256>",
          "snapshot": "<snapshot>",
          "written_seconds": <time>
        }
      ],
      "summary": {
        "fail": 0,
        "pass": 1,
        "skip": 0,
        "warn": 0
      }
    }
    "#);
    let upload = ["upload", "bargains", "--output", "json"];
    screen!(stdout(&world, &upload), @r#"
    {
      "format_version": 1,
      "command": "upload",
      "pipelines": [
        {
          "pipeline": "bargains",
          "outcome": "uploaded",
          "artifact": "000001-<hash>",
          "rows": 1,
          "target": "<world>/data/inbox",
          "verified": true
        }
      ],
      "summary": {
        "pass": 1,
        "warn": 0,
        "fail": 0,
        "skip": 0
      }
    }
    "#);
    let update = ["update", "bargains", "--output", "json"];
    screen!(stdout(&world, &update), @r#"
    {
      "format_version": 1,
      "command": "update",
      "dry_run": false,
      "pipelines": [
        {
          "pipeline": "bargains",
          "outcome": "applied",
          "artifact": "000001-<hash>",
          "tables": [
            {
              "table": "bargains",
              "inserted": 1,
              "changed": 0,
              "unchanged": 0,
              "deleted": 0,
              "rejected": 0
            }
          ],
          "superseded": [],
          "rejects": [],
          "unreadable": [],
          "refused_before": null
        }
      ],
      "summary": {
        "pass": 1,
        "warn": 0,
        "fail": 0,
        "skip": 0
      }
    }
    "#);
    let status = ["status", "bargains", "--runs", "0", "--output", "json"];
    screen!(stdout(&world, &status), @r#"
    {
      "format_version": 1,
      "command": "status",
      "pipelines": [
        {
          "pipeline": "bargains",
          "generated": "000001-<hash>",
          "rows": 1,
          "snapshot_at": "<instant>",
          "age_seconds": <age>,
          "uploaded": "verified",
          "received": "000001-<hash>",
          "received_rows": 1,
          "state": "applied",
          "applied": "000001-<hash>",
          "applied_rows": 1
        }
      ],
      "runs": [],
      "summary": {
        "pass": 0,
        "warn": 0,
        "fail": 0,
        "skip": 0
      }
    }
    "#);
}

#[test]
fn ndjson_has_a_version_in_each_line() {
    let world = small();
    let ndjson = |arguments: &[&str]| {
        let arguments = [arguments, &["--output", "ndjson"]].concat();
        stdout(&world, &arguments)
    };
    screen!(ndjson(&["fetch", "prices", "stores"]), @r#"
    {"format_version":1,"dataset":"prices","snapshot":"<snapshot>","form":"database","rows":7,"duplicates":0,"conflicts":0,"requests":0,"retries":0,"missing_references":{},"unknown_fields":{},"cross_origin_links":0}
    {"format_version":1,"dataset":"stores","snapshot":"<snapshot>","form":"database","rows":3,"duplicates":0,"conflicts":0,"requests":0,"retries":0,"missing_references":{},"unknown_fields":{},"cross_origin_links":0}
    "#);
    screen!(ndjson(&["load", "export"]), @r#"
    {"format_version":1,"path":"<world>/export","table":"products","inserted":0,"changed":0,"unchanged":3,"deleted":0}
    {"format_version":1,"path":"<world>/export","table":"stores","inserted":0,"changed":0,"unchanged":3,"deleted":0}
    {"format_version":1,"path":"<world>/export","table":"prices","inserted":0,"changed":0,"unchanged":7,"deleted":0}
    {"format_version":1,"path":"<world>/export","table":"product_categories","inserted":0,"changed":0,"unchanged":6,"deleted":0}
    "#);
    screen!(ndjson(&["lineage", "bargains"]), @r#"
    {"format_version":1,"pipeline":"bargains","reader":"bargains","reads":"extremes","kind":"model"}
    {"format_version":1,"pipeline":"bargains","reader":"extremes","reads":"prices","kind":"dataset"}
    "#);
    screen!(ndjson(&["test", "bargains"]), @r#"
    {"format_version":1,"pipeline":"bargains","file":"tests/sql/bargains/bargains.slt","outcome":"pass","records":6,"rewritten":false,"empty":[],"line":null,"message":null,"findings":[]}
    {"format_version":1,"pipeline":"bargains","file":"tests/sql/bargains/checks.slt","outcome":"pass","records":2,"rewritten":false,"empty":[],"line":null,"message":null,"findings":[]}
    {"format_version":1,"pipeline":"bargains","file":"tests/sql/bargains/extremes.slt","outcome":"pass","records":3,"rewritten":false,"empty":[],"line":null,"message":null,"findings":[]}
    {"format_version":1,"pipeline":"bargains","file":"tests/sql/bargains/updates.slt","outcome":"pass","records":2,"rewritten":false,"empty":[],"line":null,"message":null,"findings":[]}
    "#);
    let run = ndjson(&["run", "bargains", "--snapshot", "latest"]);
    let steps = run.lines().map(|line| {
        let step: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(step["format_version"], 1);
        format!("{} {}", step["step"], step["outcome"])
    });
    screen!(steps.collect::<Vec<_>>().join("\n"), @r#"
    "generate" "committed"
    "upload" "uploaded"
    "update" "applied"
    "#);
}

#[test]
fn csv_is_a_header_and_rows() {
    let world = small();
    let csv = |arguments: &[&str]| {
        let arguments = [arguments, &["--output", "csv"]].concat();
        stdout(&world, &arguments)
    };
    screen!(csv(&["generate", "bargains"]), @"
    pipeline,outcome,artifact,snapshot,rows,bytes,sha256
    bargains,committed,000001-<hash>,<snapshot>,1,127,<sha256>
    ");
    screen!(csv(&["update", "bargains"]), @"
    pipeline,outcome,artifact,tables
    bargains,nothing pending,,[]
    ");
    screen!(csv(&["generate", "--archive"]), @"
    table,rows
    applied_artifacts,0
    bargains,0
    brands,1
    categories,4
    category_links,0
    companies,2
    divisions,1
    popular_categories,0
    popular_category_members,0
    prices,7
    product_categories,6
    products,3
    store_group_members,0
    store_groups,0
    stores,3
    substitutions,0
    super_categories,0
    super_category_bargains,0
    super_category_categories,0
    ");
    screen!(csv(&["check", "bargains"]), @"code,severity,message,file,line,column");
    let synth = [
        "synth", "--prices", "1000", "--out", "made", "--layout", "named",
    ];
    screen!(csv(&synth), @"
    made,rows,into,spec
    products,103,<world>/made/products.parquet,synth 1000 prices seed 1
    stores,18,<world>/made/stores.parquet,synth 1000 prices seed 1
    prices,917,<world>/made/prices.parquet,synth 1000 prices seed 1
    ");
}

#[test]
fn findings_are_data_where_they_are_asked_for() {
    let world = small();
    world.run(&["new", "shop"]).ends(0);
    let file = "shop/sql/bargains/extremes.sql";
    let sql = std::fs::read_to_string(world.path(file)).unwrap();
    world.write(file, &sql.replace("product_id", "produkt_id"));
    let check = ["check", "bargains", "--output", "csv", "--quiet"];
    let said = world.run_in("shop", &check).ends(2);
    let first: Vec<_> = said.out.lines().take(2).collect();
    screen!(first.join("\n"), @"
    code,severity,message,file,line,column
    unknown-column,error,there is no column `produkt_id`,sql/bargains/extremes.sql,5,5
    ");
}

#[test]
fn a_schema_is_the_columns_with_their_types_units_and_docs() {
    let world = small();
    screen!(stdout(&world, &["show", "bargains", "--schema"]), @"
    column                          type             unit  doc
    product_id                      bigint not null  -     The product.
    store_id                        bigint not null  -     The cheapest store; of several, the one with the lowest id.
    cheapest_price_record_id        bigint           -     The price record of the cheapest store.
    most_expensive_price_record_id  bigint           -     The price record of the dearest store.
    percentage_difference           double not null  %     How much dearer the dearest price is than the cheapest.
    ");
    screen!(stdout(&world, &["show", "history.companies", "--schema", "--output", "ndjson"]), @r#"
    {"format_version":1,"name":"id","type":"bigint","nullable":false,"unit":null,"doc":"The company."}
    {"format_version":1,"name":"name","type":"text","nullable":false,"unit":null,"doc":"Its name, as in stores."}
    {"format_version":1,"name":"snapshot_at","type":"timestamp","nullable":false,"unit":null,"doc":"When the snapshot of the row was taken."}
    "#);
    screen!(stdout(&world, &["show", "bargains.extremes", "--schema", "--output", "csv"]), @r#"
    name,type,nullable,unit,doc
    product_id,bigint,false,,
    price_count,bigint,false,,
    cheapest_price,"decimal(10,2)",true,,
    dearest_price,"decimal(10,2)",true,,
    cheapest_store_id,bigint,true,,
    dearest_store_id,bigint,true,,
    cheapest_price_record_id,bigint,true,,
    dearest_price_record_id,bigint,true,,
    "#);
}
