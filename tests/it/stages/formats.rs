//! What earlier versions wrote is still read: `tests/golden/formats-v1` is a data folder as
//! version 1 of every format left it, with all states an artifact can be in.
//!
//! Artifact 1 is superseded, 2 applied, 3 refused, 4 pending; a fetch stopped half-way.

use std::{collections::BTreeSet, fs, path::Path};

use crate::support::{
    screen::screen,
    shop::small,
    world::{Said, World, files},
};

/// A copy of the folder, and the database it was left with.
fn of_version_1() -> World {
    let world = World::new();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/formats-v1");
    for (path, bytes) in files(&golden.join("data")) {
        let to = world.path(path.strip_prefix(&golden).unwrap().to_str().unwrap());
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::write(to, bytes).unwrap();
    }
    let database = rusqlite::Connection::open(world.path("data/pricemill.db")).unwrap();
    let dump = fs::read_to_string(golden.join("database.sql")).unwrap();
    database.execute_batch(&dump).unwrap();
    world
}

fn says(said: &Said, texts: &[&str]) {
    for text in texts {
        assert!(said.out.contains(text), "no `{text}` in:\n{}", said.out);
    }
}

#[test]
fn status_reads_outbox_receipts_inbox_database_and_runs() {
    let status = of_version_1().run(&["status"]).ends(0);
    let hops = [
        "000004-55eaf89d3e7f59b3",
        "verified",
        "000002-8ab415ed9e1229e0",
    ];
    says(&status, &hops);
    says(
        &status,
        &["generate --archive", "fetch stores prices --dev"],
    );
}

#[test]
fn update_applies_what_is_pending_and_takes_what_was_refused() {
    let world = of_version_1();
    world
        .run(&["update", "bargains"])
        .ends(0)
        .tells("000004-55eaf89d3e7f59b3 applied");
    assert_eq!(world.number("select count(*) from bargains"), 8);
    // Its manifest is of this version now, and read as well.
    world.run(&["status"]).ends(0);
    for (artifact, rows) in [("3", 1), ("1", 7), ("2", 9)] {
        let update = ["update", "bargains", "--artifact", artifact];
        let accept = ["--accept", "shrink,change"];
        world.run(&[&update[..], &accept].concat()).ends(0);
        assert_eq!(world.number("select count(*) from bargains"), rows);
    }
}

#[test]
fn generate_goes_on_after_the_last_number_and_upload_finds_what_is_there() {
    let world = of_version_1();
    let generate = ["generate", "bargains", "--snapshot", "latest"];
    let same = [&generate[..], &["--min-ratio", "2"]].concat();
    world.run(&same).ends(0).tells("unchanged");
    world.run(&["upload", "bargains"]).ends(0);
    world
        .run(&generate)
        .ends(0)
        .tells("committed as 000005-8ab415ed9e1229e0");
    world.run(&["upload", "bargains"]).ends(0);
    world
        .run(&["update", "bargains"])
        .ends(0)
        .tells("000005-8ab415ed9e1229e0 applied");
}

#[test]
fn snapshots_can_be_shown_and_queried() {
    let world = of_version_1();
    let show = ["show", "prices", "--snapshot", "latest", "--limit", "-1"];
    let show = [&show[..], &["--output", "ndjson"]].concat();
    assert_eq!(world.run(&show).ends(0).out.lines().count(), 18);
    let sql = "select count(*) as n from prices";
    let query = ["query", sql, "--snapshot", "2026-11-27T143800Z-897a74ba"];
    says(&world.run(&query).ends(0), &["18"]);
}

#[test]
fn check_and_lineage_read_the_definitions_beside_it() {
    let world = of_version_1();
    screen!(world.run(&["check", "bargains"]).ends(0).err, @"
    there is no project in <world>: these are the built-in pipelines
    help: `pricemill new DIR` creates a project of your own
    1 pipeline, 3 SQL files: names, types and contracts are valid; 1 of 4 promises (not null, one row per …) proved, the others are checked before each commit
    checked 1 pipeline in <time>
    ");
    screen!(world.run(&["lineage", "bargains"]).ends(0).out, @"
    bargains → bargains.json
      bargains
        extremes
          prices  (dataset)
    ");
}

#[test]
fn run_goes_all_the_way_from_what_is_there() {
    let world = of_version_1();
    let run = ["run", "bargains", "--snapshot", "latest"];
    // The snapshot grows older than the check `age` allows: that is said as well.
    let said = world.run(&run).ends(0);
    let said = said
        .tells("9 rows in")
        .tells("000005-8ab415ed9e1229e0 applied");
    said.tells("000004-55eaf89d3e7f59b3 superseded, and archived");
    assert_eq!(world.number("select count(*) from bargains"), 9);
    says(
        &world.run(&["status"]).ends(0),
        &["000005-8ab415ed9e1229e0", "applied"],
    );
}

#[test]
fn an_archive_is_made_and_put_back() {
    let world = of_version_1();
    let delete = || {
        let path = world.path("data/pricemill.db");
        let database = rusqlite::Connection::open(path).unwrap();
        database.execute_batch("delete from bargains").unwrap();
    };
    // The one of version 1, then one that is written now.
    delete();
    screen!(world.run(&["update", "--archive", "--yes"]).ends(0).err, @"
    19 tables, 54 rows, restored from <archive>
    restored 19 tables in <time>
    ");
    assert_eq!(world.number("select count(*) from bargains"), 9);
    screen!(world.run(&["generate", "--archive"]).ends(0).err, @"
    19 tables, 54 rows, archived as <archive>
    archived 19 tables in <time>
    ");
    delete();
    screen!(world.run(&["update", "--archive", "--yes"]).ends(0).err, @"
    19 tables, 54 rows, restored from <archive>
    restored 19 tables in <time>
    ");
    assert_eq!(world.number("select count(*) from bargains"), 9);
}

/// Returns a file at rest as a row of the documented table, if it is JSON.
fn at_rest(path: &str, bytes: &[u8]) -> Option<String> {
    let json: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    let version = json.as_object()?.get("format_version")?.as_u64()?;
    let kind = match path.split('/').collect::<Vec<_>>().as_slice() {
        ["runs", ..] => "run",
        ["archive", "database", ..] => "archive",
        ["outbox", .., file] if file.starts_with("receipt-") => "receipt",
        ["archive", "inbox", ..] => "inbox",
        [folder, ..] => folder,
        [] => path,
    };
    Some(format!("{kind} {version}"))
}

#[test]
fn what_is_written_has_the_documented_versions() {
    let world = small();
    let run = ["run", "bargains"];
    world.run(&run).ends(0);
    world.run(&["generate", "--archive"]).ends(0);
    let data = world.path("data");
    let kinds = files(&data).into_iter().filter_map(|(path, bytes)| {
        let path = path
            .strip_prefix(&data)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        at_rest(&path, &bytes)
    });
    let kinds: BTreeSet<String> = kinds.collect();
    insta::assert_snapshot!(kinds.into_iter().collect::<Vec<_>>().join("\n"), @"
    archive 1
    inbox 2
    outbox 1
    receipt 1
    run 1
    snapshots 2
    ");
}

/// Returns a later version of a file: its text with the version one higher than is written.
fn later(world: &World, path: &str) {
    let text = fs::read_to_string(world.path(path)).unwrap();
    let text = text.trim_start().strip_prefix('{').unwrap();
    world.write(path, &format!("{{ \"format_version\": 99,{text}"));
}

#[test]
fn a_later_version_is_refused_with_what_to_do_and_left_alone() {
    let cases: [(&str, &[&str]); 5] = [
        (
            "inbox/bargains/000004.manifest.json",
            &["update", "bargains"],
        ),
        (
            "outbox/bargains/000004.manifest.json",
            &["upload", "bargains"],
        ),
        (
            "outbox/bargains/000004-55eaf89d3e7f59b3/receipt-bfa62b73cc2fe32e.json",
            &["upload", "bargains"],
        ),
        (
            "snapshots/2026-11-27T143802Z-7dd5f7f3/manifest.json",
            &["generate", "bargains", "--snapshot", "latest"],
        ),
        (
            "archive/database/2026-11-27T143804Z/manifest.json",
            &["update", "--archive", "--yes"],
        ),
    ];
    for (file, command) in cases {
        let world = of_version_1();
        let path = format!("data/{file}");
        later(&world, &path);
        let said = world.run(command);
        assert_ne!(said.code, 0, "{file}: {}", said.err);
        let said = said.tells(&path).tells("format version 99 is too new");
        said.tells("it was written by a newer pricemill");
        assert!(world.path(&path).exists(), "{file}");
    }
}
