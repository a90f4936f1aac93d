//! One broken pipeline: it and those that read it stop, and no other, in every command.

use std::{fs, os::unix::fs::symlink};

use serde_json::Value;

use crate::support::{screen::screen, shop::small, world::World};

const SOURCES: &str = "\
[prices]
key = [\"product_id\", \"store_id\"]

[prices.columns]
product_id = \"bigint not null\"
store_id = \"bigint not null\"
price = \"decimal(10,2) not null\"
";

const MANIFEST: &str = "cheapest.toml";

/// Returns a project of three pipelines, `counted` reads `cheapest`, with a snapshot.
fn three() -> World {
    let world = small();
    world.write("pipelines/sources.toml", SOURCES);
    for (name, sql) in [
        (
            "cheapest",
            "product_id, min(price) as price from prices group by product_id",
        ),
        (
            "dearest",
            "product_id, max(price) as price from prices group by product_id",
        ),
        ("counted", "product_id, price from cheapest"),
    ] {
        world.write(&format!("pipelines/{name}.toml"), &manifest(name));
        let sql = format!("-- {name}: one row per product_id\nselect {sql}\n");
        world.write(&format!("sql/{name}/{name}.sql"), &sql);
        let test = "statement ok\ncreate table prices as select 1 as product_id, 1 as store_id, \
                    2.00 as price\n";
        let query = format!("\nquery IR\nselect product_id, price from {name}\n----\n");
        let rows = match name {
            "counted" => String::new(),
            _ => "1 2.00\n".to_owned(),
        };
        world.write(
            &format!("tests/sql/{name}/{name}.slt"),
            &format!("{test}{query}{rows}"),
        );
    }
    world.run(&["fetch"]).ends(0);
    world
}

fn manifest(name: &str) -> String {
    format!(
        "description = \"Prices of products.\"\noutput = \"{name}\"\nfile = \"{name}.json\"\n\
         grain = [\"product_id\"]\n\n[contract]\nproduct_id = \"bigint not null\"\n\
         price = \"decimal(10,2) not null\"\n"
    )
}

/// Breaks `cheapest` in one way.
fn broken(how: &str) -> World {
    let world = three();
    let path = format!("pipelines/{MANIFEST}");
    let manifest = manifest("cheapest");
    let at = world.path(&path);
    match how {
        "toml-syntax" => world.write(&path, &format!("{manifest}width = 7 7\n")),
        "unknown-key" => world.write(&path, &format!("graim = 1\n{manifest}")),
        "unknown-model" => fs::remove_file(world.path("sql/cheapest/cheapest.sql")).unwrap(),
        "not-text" => fs::write(at, b"description = \"caf\xe9\"\n").unwrap(),
        "folder" => {
            fs::remove_file(&at).unwrap();
            fs::create_dir(at).unwrap();
        }
        // Root reads whatever its permissions forbid, but not what is not there.
        "unreadable" => {
            fs::remove_file(&at).unwrap();
            symlink("nowhere", at).unwrap();
        }
        "unreadable-model" => {
            let model = world.path("sql/cheapest/cheapest.sql");
            fs::remove_file(&model).unwrap();
            symlink("nowhere", model).unwrap();
        }
        "duplicate-name" => {
            world.write(&path, &format!("aliases = [\"dearest\"]\n{manifest}"));
        }
        "same-name" => {
            world.write("pipelines/cheap_est.toml", &self::manifest("cheap_est"));
            fs::rename(at, world.path("pipelines/cheap-est.toml")).unwrap();
        }
        "cycle" => world.write("sql/cheapest/checks/all.sql", "select * from counted\n"),
        other => panic!("{other}"),
    }
    world
}

const ALL: [&str; 9] = [
    "toml-syntax",
    "unknown-key",
    "unknown-model",
    "not-text",
    "folder",
    "unreadable",
    "unreadable-model",
    "duplicate-name",
    "cycle",
];

#[test]
fn however_a_pipeline_is_broken_the_others_work_and_say_what_is_left_out() {
    for how in ALL {
        let world = broken(how);
        for command in [
            &["show", "dearest"][..],
            &["show", "prices", "--schema"],
            &["query", "select max(price) as price from dearest"],
        ] {
            let said = world.run(command).ends(0);
            let said = said.tells("warning: cheapest is left out: ");
            assert!(!said.out.is_empty(), "{how}");
            let read = said.tells("warning: counted is left out, because cheapest");
            assert!(!read.err.contains("dearest is"), "{how}: {}", read.err);
        }
        for command in [
            &["lineage", "dearest"][..],
            &["test", "dearest"],
            &["check", "dearest"],
            &["status", "dearest"],
            &["generate", "--dearest", "--snapshot", "latest", "--dry-run"],
        ] {
            let said = world.run(command).ends(0);
            assert!(!said.err.contains("left out"), "{how}: {}", said.err);
        }
    }
}

#[test]
fn a_broken_pipeline_that_is_named_fails_with_its_findings() {
    for how in ALL {
        let world = broken(how);
        for command in [
            &["show", "cheapest"][..],
            &["show", "counted"],
            &["show", "cheapest", "--schema"],
            &["query", "select * from cheapest"],
            &["lineage", "cheapest"],
            &["test", "counted"],
            &["generate", "--cheapest"],
        ] {
            let said = world.run(command).ends(2);
            assert!(said.out.is_empty(), "{how}: {}", said.out);
            assert!(said.err.contains("error["), "{how}: {}", said.err);
            assert!(said.err.contains("cheapest"), "{how}: {}", said.err);
        }
    }
}

#[test]
fn commands_about_all_pipelines_fail_and_do_the_rest() {
    for how in ALL {
        let world = broken(how);
        let said = world.run(&["lineage"]).ends(2).tells("error[");
        assert!(said.out.contains("dearest →"), "{how}: {}", said.out);
        assert!(!said.out.contains("counted →"), "{how}: {}", said.out);
        let said = world.run(&["test"]).ends(2).tells("error[");
        said.tells("pass tests/sql/dearest/dearest.slt")
            .tells("cheapest is left out: ")
            .tells("passed 1, skipped 1, failed 1");
        let said = world.run(&["check"]).ends(2).tells("error[");
        said.tells("cheapest is left out: ");
        let said = world.run(&["status"]).ends(2).tells("error[");
        assert!(said.out.contains("dearest"), "{how}: {}", said.out);
        let generate = ["generate", "--snapshot", "latest"];
        let said = world.run(&generate).ends(2).tells("error[");
        said.tells("dearest: 3 rows").tells("counted: skipped");
    }
}

#[test]
fn two_manifests_of_one_name_in_sql_are_both_broken() {
    let world = broken("same-name");
    let said = world.run(&["check"]).ends(2);
    said.tells("pipelines/cheap-est.toml:1:1")
        .tells("pipelines/cheap_est.toml:1:1");
    world.run(&["show", "dearest"]).ends(0);
    world.run(&["show", "cheap_est"]).ends(2).tells("error[");
}

#[test]
fn sql_that_cannot_be_parsed_stops_what_reads_it() {
    let world = three();
    world.write("sql/cheapest/cheapest.sql", "select (");
    world.run(&["show", "dearest"]).ends(0);
    world.run(&["query", "select * from prices"]).ends(0);
    world.run(&["lineage", "dearest"]).ends(0);
    world.run(&["test", "dearest"]).ends(0);
    for command in [
        &["show", "cheapest"][..],
        &["show", "counted"],
        &["query", "select * from counted"],
        &["lineage", "cheapest"],
        &["check"],
    ] {
        let said = world.run(command).ends(2);
        said.tells("sql/cheapest/cheapest.sql:1:");
    }
    let said = world.run(&["lineage"]).ends(2);
    assert!(said.out.contains("dearest →"), "{}", said.out);
    world.run(&["test"]).ends(1).tells("pass tests/sql/dearest");
}

/// A dataset of the name must not be taken for the output that is not there.
#[test]
fn the_name_of_a_broken_pipeline_is_not_another_relation() {
    let world = three();
    world.write("pipelines/prices.toml", "price = 7 7\n");
    let said = world.run(&["show", "prices"]).ends(2);
    said.tells("pipelines/prices.toml:1:");
    world.run(&["show", "export.prices"]).ends(0);
    let all = ["generate", "--snapshot", "latest"];
    world.run(&all).ends(2).tells("pipelines/prices.toml:1:");
    assert!(!world.path("data/outbox/dearest").exists());
}

#[test]
fn what_needs_no_pipeline_does_not_notice() {
    let world = broken("toml-syntax");
    for command in [
        &["new", "other"][..],
        &["docs", "sql"],
        &["explain", "cycle"],
        &["schema"],
        &["load", "export"],
        &["synth", "--prices", "1000", "--snapshot", "--dry-run"],
    ] {
        let said = world.run(command).ends(0);
        assert!(!said.err.contains("cheapest"), "{command:?}: {}", said.err);
    }
    let said = world.run(&["completions", "bash"]).ends(0);
    assert!(said.tells("cheapest is left out").out.contains("--dearest"));
    // A wrong option is its own fault.
    let said = world.run(&["show", "dearest", "--limt", "3"]).ends(2);
    said.tells("--limt");
}

#[test]
fn a_server_takes_what_is_for_the_others_and_asks_to_wait_with_the_rest() {
    let mut world = three();
    let generate = ["generate", "--snapshot", "latest"];
    world.run(&generate).ends(0);
    let path = format!("pipelines/{MANIFEST}");
    let sound = fs::read_to_string(world.path(&path)).unwrap();
    world.write(&path, "price = 7 7\n");
    let server = world.serve();
    // The sender's definitions are sound.
    world.write(&path, &sound);
    world.set("PRICEMILL_FETCH_PATIENCE", "1ms");
    let upload = |name: &str| world.run(&["upload", name, "--dev"]);
    upload("dearest").ends(0).tells("uploaded to");
    upload("cheapest").ends(75).tells("503");
    server.stop();
}

#[test]
fn what_is_left_out_is_in_the_json_of_reports() {
    let world = broken("toml-syntax");
    let json = |command: &[&str], code| -> Value {
        let said = world.run(&[command, &["--output", "json"]].concat());
        serde_json::from_str(&said.ends(code).out).unwrap()
    };
    for (command, code) in [
        (&["test"][..], 2),
        (&["lineage"], 2),
        (&["check"], 2),
        (&["fetch"], 0),
        (&["show", "dearest", "--schema"], 0),
    ] {
        let left_out = &json(command, code)["left_out"];
        let names: Vec<_> = left_out
            .as_array()
            .unwrap()
            .iter()
            .map(|one| &one["pipeline"])
            .collect();
        assert_eq!(names, ["cheapest", "counted"], "{command:?}");
        assert_eq!(left_out[0]["findings"][0]["code"], "toml-syntax");
        assert_eq!(left_out[1]["because"], "cheapest");
    }
    assert!(json(&["lineage", "dearest"], 0).get("left_out").is_none());
}

#[test]
fn a_test_file_that_is_not_text_fails_alone() {
    let world = three();
    fs::write(world.path("tests/sql/cheapest/odd.slt"), b"\xff").unwrap();
    let said = world.run(&["test", "cheapest", "dearest"]).ends(1);
    said.tells("FAIL tests/sql/cheapest/odd.slt:1")
        .tells("passed 2, skipped 0, failed 1");
    world.run(&["check"]).ends(0);
}

#[test]
fn the_screen_names_the_first_error_of_what_is_left_out() {
    let world = broken("toml-syntax");
    screen!(world.run(&["show", "dearest"]).ends(0).err, @"
    warning: cheapest is left out: pipelines/cheapest.toml:9:9: string values must be quoted, expected literal string
    warning: counted is left out, because cheapest, which it reads, is
    ");
    screen!(world.run(&["test"]).ends(2).err, @"
    pass tests/sql/dearest/dearest.slt (2 records)
    error[toml-syntax]: string values must be quoted, expected literal string
     --> pipelines/cheapest.toml:9:9
      |
    9 | width = 7 7
      |         ^^^ here

    warning: cheapest is left out: pipelines/cheapest.toml:9:9: string values must be quoted, expected literal string
    warning: counted is left out, because cheapest, which it reads, is
    for more about this error, try `pricemill explain toml-syntax`
    passed 1, skipped 1, failed 1 in <time>
    ");
}
