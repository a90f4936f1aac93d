//! What a command that fails leaves on the screen and, where JSON was asked for, on stdout.

use std::{fs, net::TcpListener};

use serde_json::Value;

use crate::support::{screen::screen, shop::small, world::World};

/// Returns the one object that a command that fails writes.
fn object(world: &World, arguments: &[&str], code: i32) -> String {
    let arguments = [arguments, &["--output", "json"]].concat();
    let said = world.run(&arguments).ends(code);
    assert!(!said.err.is_empty(), "stderr is for people in any case");
    let line = world.run(&[&arguments[..arguments.len() - 1], &["ndjson"]].concat());
    let of_ndjson: Value = serde_json::from_str(&line.ends(code).out).unwrap();
    let of_json: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(of_json["format_version"], 1);
    assert_eq!(of_json["error"]["kind"], of_ndjson["error"]["kind"]);
    said.out
}

#[test]
fn a_wrong_command_line_is_an_object_with_the_tip() {
    let world = World::new();
    screen!(object(&world, &["generate", "--bargans"], 2), @r#"
    {
      "format_version": 1,
      "command": "generate",
      "error": {
        "kind": "usage",
        "message": "unexpected argument '--bargans' found",
        "causes": [],
        "hint": "a similar argument exists: '--bargains'",
        "findings": []
      }
    }
    "#);
    screen!(object(&world, &["genrate"], 2), @r#"
    {
      "format_version": 1,
      "command": null,
      "error": {
        "kind": "usage",
        "message": "unrecognized subcommand 'genrate'",
        "causes": [],
        "hint": "a similar subcommand exists: 'generate'",
        "findings": []
      }
    }
    "#);
    screen!(object(&world, &["explain", "unknown-colum"], 2), @r#"
    {
      "format_version": 1,
      "command": "explain",
      "error": {
        "kind": "usage",
        "message": "invalid value 'unknown-colum' for '[CODE]': there is no such code; did you mean `unknown-column`?",
        "causes": [],
        "hint": null,
        "findings": []
      }
    }
    "#);
}

#[test]
fn a_name_that_is_not_there_is_an_object_with_the_hint() {
    let world = small();
    screen!(object(&world, &["fetch", "price"], 2), @r#"
    {
      "format_version": 1,
      "command": "fetch",
      "error": {
        "kind": "usage",
        "message": "there is no dataset `price`",
        "causes": [],
        "hint": "did you mean `prices`?",
        "findings": []
      }
    }
    "#);
    screen!(object(&world, &["status", "bargans"], 2), @r#"
    {
      "format_version": 1,
      "command": "status",
      "error": {
        "kind": "usage",
        "message": "there is no pipeline `bargans`",
        "causes": [],
        "hint": "did you mean `bargains`?",
        "findings": []
      }
    }
    "#);
    screen!(object(&world, &["show", "prices", "--snapshot", "latest"], 1), @r#"
    {
      "format_version": 1,
      "command": "show",
      "error": {
        "kind": "failed",
        "message": "there is no snapshot with prices",
        "causes": [],
        "hint": "`pricemill fetch prices` creates one",
        "findings": []
      }
    }
    "#);
}

#[test]
fn what_is_wrong_in_the_users_files_is_an_object_with_findings() {
    let mut world = small();
    world.run(&["fetch", "prices"]).ends(0);
    screen!(object(&world, &["show", "prices", "--where", "prise > 1"], 2), @r#"
    {
      "format_version": 1,
      "command": "show",
      "error": {
        "kind": "usage",
        "message": "there is no column `prise`",
        "causes": [],
        "hint": null,
        "findings": [
          {
            "code": "unknown-column",
            "severity": "error",
            "message": "there is no column `prise`",
            "places": [
              {
                "file": "--where",
                "line": 1,
                "column": 1,
                "end_line": 1,
                "end_column": 6,
                "start_byte": 0,
                "end_byte": 5,
                "label": "unknown column"
              }
            ],
            "help": [
              "did you mean `price`?"
            ]
          }
        ]
      }
    }
    "#);
    world.set("PRICEMILL_ENGINE_MEMROY", "1GiB");
    screen!(object(&world, &["status"], 2), @r#"
    {
      "format_version": 1,
      "command": "status",
      "error": {
        "kind": "usage",
        "message": "unknown setting `PRICEMILL_ENGINE_MEMROY`",
        "causes": [],
        "hint": null,
        "findings": [
          {
            "code": "unknown-setting",
            "severity": "error",
            "message": "unknown setting `PRICEMILL_ENGINE_MEMROY`",
            "places": [],
            "help": [
              "did you mean `PRICEMILL_ENGINE_MEMORY`?"
            ]
          }
        ]
      }
    }
    "#);
}

#[test]
fn a_server_that_is_not_there_is_an_object_with_causes() {
    let mut world = World::new();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
    let server = format!("http://{}", free.unwrap());
    world.set("PRICEMILL_PROFILE_DEV_SERVER", &server);
    world.set("PRICEMILL_FETCH_PATIENCE", "100ms");
    let said = object(&world, &["fetch", "--dev"], 75);
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["error"]["kind"], "unavailable");
    let causes = said["error"]["causes"].as_array().unwrap();
    assert!(!causes.is_empty(), "{said}");
}

#[test]
fn another_run_at_work_is_an_object_of_its_kind() {
    let world = small();
    let lock = fs::File::options()
        .write(true)
        .open(world.path("data/.lock"));
    let lock = lock.unwrap();
    lock.lock().unwrap();
    let said = object(&world, &["load", "export"], 4);
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["error"]["kind"], "busy");
    assert_eq!(said["command"], "load");
}

#[test]
fn text_and_csv_leave_stdout_empty() {
    let world = World::new();
    for format in ["text", "csv"] {
        for arguments in [["fetch", "price"], ["generate", "--bargans"]] {
            let said = world.run(&[&arguments[..], &["--output", format]].concat());
            assert_eq!(said.ends(2).out, "");
        }
    }
}

#[test]
fn findings_are_followed_by_where_they_are_explained() {
    let world = small();
    world.run(&["new", "shop"]).ends(0);
    let path = "shop/sql/bargains/checks/not_over_min_ratio.sql";
    let sql = fs::read_to_string(world.path(path)).unwrap();
    world.write(path, &sql.replace("percentage_difference", "percent"));
    screen!(world.run_in("shop", &["check", "bargains"]).ends(2).err, @"
    error[unknown-column]: there is no column `percent`
     --> sql/bargains/checks/not_over_min_ratio.sql:7:7
      |
    7 | where percent <= cast(($min_ratio - 1) * 100 as double)
      |       ^^^^^^^ unknown column
      |
      = help: did you mean `percentage_difference`?

    for more about this error, try `pricemill explain unknown-column`
    checked 1 pipeline, 1 error in <time>
    ");
    world.write(path, "select nothing from\n");
    world.write("shop/sql/bargains/extra.sql", "select * from bargans");
    screen!(world.run_in("shop", &["check", "bargains"]).ends(2).err, @"
    error[unknown-relation]: there is no relation `bargans`
     --> sql/bargains/extra.sql:1:15
      |
    1 | select * from bargans
      |               ^^^^^^^ unknown relation
      |
      = help: did you mean `bargains`?

    error[syntax]: expected: identifier, found: the end of the SQL
     --> sql/bargains/checks/not_over_min_ratio.sql:1:20
      |
    1 | select nothing from
      |                    ^ here

    for more about these errors, try `pricemill explain <code>`: syntax, unknown-relation
    checked 1 pipeline, 2 errors in <time>
    ");
    world.run(&["fetch", "prices"]).ends(0);
    screen!(world.run(&["query", "select prise from prices"]).ends(2).err, @"
    error[unknown-column]: there is no column `prise`
     --> query:1:8
      |
    1 | select prise from prices
      |        ^^^^^ unknown column
      |
      = help: did you mean `price`?

    for more about this error, try `pricemill explain unknown-column`
    ");
}

#[test]
fn settings_of_the_environment_have_codes_and_are_all_named() {
    let mut world = World::new();
    world.set("PRICEMILL_FOO", "1");
    world.set("PRICEMILL_FETCH_PATIENCE", "10 miles");
    screen!(world.run(&["status"]).ends(2).err, @"
    error[bad-setting]: `PRICEMILL_FETCH_PATIENCE` must be a duration, not `10 miles`
     |
     = help: write it like 1h

    error[unknown-setting]: unknown setting `PRICEMILL_FOO`
     |
     = help: `pricemill docs settings` lists all settings

    for more about these errors, try `pricemill explain <code>`: unknown-setting, bad-setting
    ");
    let mut world = World::new();
    world.set("PRICEMILL_PROFILE", "prod");
    screen!(world.run(&["status"]).ends(2).err, @"
    error[unknown-profile]: unknown profile `prod`
     |
     = help: add [profile.prod] with a `server` to pricemill.toml

    for more about this error, try `pricemill explain unknown-profile`
    ");
}

#[test]
fn what_a_test_cannot_do_is_shown_in_its_file() {
    let world = World::new();
    world.run(&["new", "shop"]).ends(0);
    world.write(
        "shop/tests/sql/bargains/wrong.slt",
        "# Letters and columns that are none.\nstatement ok\n\
         create table prices (price double)\n",
    );
    screen!(world.run_in("shop", &["test", "bargains"]).ends(1).err, @"
    pass tests/sql/bargains/bargains.slt (6 records)
    pass tests/sql/bargains/checks.slt (2 records)
    pass tests/sql/bargains/extremes.slt (3 records)
    pass tests/sql/bargains/updates.slt (2 records)
    FAIL tests/sql/bargains/wrong.slt:2
    error[bad-test]: write `create table prices as select …`
     --> tests/sql/bargains/wrong.slt:3:1
      |
    3 | create table prices (price double)
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ here

    for more about this error, try `pricemill explain bad-test`
    passed 4, skipped 0, failed 1 in <time>
    ");
    world.write(
        "shop/tests/sql/bargains/wrong.slt",
        "query Z\nselect 1\n----\n1\n",
    );
    screen!(world.run_in("shop", &["test", "bargains"]).ends(1).err, @"
    pass tests/sql/bargains/bargains.slt (6 records)
    pass tests/sql/bargains/checks.slt (2 records)
    pass tests/sql/bargains/extremes.slt (3 records)
    pass tests/sql/bargains/updates.slt (2 records)
    FAIL tests/sql/bargains/wrong.slt:1
    error[bad-test]: invalid type character: 'Z' in type string
     --> tests/sql/bargains/wrong.slt:1:1
      |
    1 | query Z
      | ^^^^^^^ here

    for more about this error, try `pricemill explain bad-test`
    passed 4, skipped 0, failed 1 in <time>
    ");
    world.write(
        "shop/tests/sql/bargains/wrong.slt",
        "statement ok\nset param.min_ratoi = '2'\n",
    );
    screen!(world.run_in("shop", &["test", "bargains"]).ends(1).err, @"
    pass tests/sql/bargains/bargains.slt (6 records)
    pass tests/sql/bargains/checks.slt (2 records)
    pass tests/sql/bargains/extremes.slt (3 records)
    pass tests/sql/bargains/updates.slt (2 records)
    FAIL tests/sql/bargains/wrong.slt:1
    error[unknown-parameter]: there is no parameter `min_ratoi`
     --> tests/sql/bargains/wrong.slt:2:1
      |
    2 | set param.min_ratoi = '2'
      | ^^^^^^^^^^^^^^^^^^^^^^^^^ here
      |
      = help: did you mean `min_ratio`?

    for more about this error, try `pricemill explain unknown-parameter`
    passed 4, skipped 0, failed 1 in <time>
    ");
}
