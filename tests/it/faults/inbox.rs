//! `update` over an inbox that somebody, or a disk, has been at.

use std::{fs, path::PathBuf};

use crate::support::{
    screen::screen,
    world::{World, files},
};

/// A database of two prices with a bargain, uploaded to the local inbox.
fn uploaded() -> World {
    let world = World::new();
    world.write(
        "export/stores.csv",
        "id,company,name\n1,Lidl,A\n2,Lidl,B\n3,Lidl,C\n",
    );
    world.write("export/products.csv", "id,name\n10,Milk\n");
    world.write(
        "export/prices.csv",
        "product_id,store_id,price\n10,1,1.00\n10,2,9.00\n",
    );
    world.run(&["load", "export"]).ends(0);
    world.run(&["generate", "bargains"]).ends(0);
    world.run(&["upload", "bargains"]).ends(0);
    world
}

/// Returns the only file in the inbox whose name ends so.
fn waiting(world: &World, end: &str) -> PathBuf {
    let mut found = files(&world.path("data/inbox")).into_iter();
    let found = found.find(|(path, _)| path.to_string_lossy().ends_with(end));
    found.expect("such a file waits").0
}

fn content(world: &World) -> PathBuf {
    let manifest = waiting(world, ".manifest.json");
    let mut all = files(manifest.parent().unwrap()).into_iter();
    all.find(|(path, _)| *path != manifest).unwrap().0
}

fn upload_again(world: &World) {
    let outbox = files(&world.path("data/outbox")).into_iter();
    for (path, _) in outbox.filter(|(path, _)| path.to_string_lossy().contains("receipt-")) {
        fs::remove_file(path).unwrap();
    }
    world.run(&["upload", "bargains"]).ends(0);
    world.run(&["update", "bargains"]).ends(0);
    assert_eq!(world.number("select count(*) from bargains"), 1);
}

#[test]
fn a_manifest_that_cannot_be_read_is_reported_once_and_holds_up_no_other() {
    let world = uploaded();
    world.write("data/inbox/bargains/000000.manifest.json", "{\"oops\"");
    screen!(world.run(&["update", "bargains"]).ends(1).err, @"
    error: could not read manifest <world>/data/inbox/bargains/refused/000000.manifest.json.broken: EOF while parsing an object at line 1 column 7
    help: inspect <world>/data/inbox/bargains/refused/000000.manifest.json.broken, and delete it if it is not needed
    bargains: 000001-<hash> applied
      bargains: 1 inserted, 0 changed, 0 unchanged, 0 deleted, 0 rejected
    applied 1, skipped 0, failed 1 in <time>
    ");
    assert_eq!(world.number("select count(*) from bargains"), 1);
    world.run(&["update", "bargains"]).ends(0);
    world.run(&["status"]).ends(0);
}

#[test]
fn content_that_is_not_what_was_received_is_set_aside_and_can_be_uploaded_again() {
    let world = uploaded();
    fs::write(content(&world), "[\n]\n").unwrap();
    screen!(world.run(&["update", "bargains"]).ends(3).err, @"
    error: <world>/data/inbox/bargains/000001-<hash>.json does not match its manifest
    help: it is set aside; remove its receipt from the outbox and upload it again
    bargains: 000001-<hash> refused; the tables are unchanged
    applied 0, skipped 0, failed 1; 1 refused in <time>
    ");
    world.run(&["update", "bargains"]).ends(0);
    upload_again(&world);
}

#[test]
fn content_that_is_gone_is_reported_once_and_can_be_uploaded_again() {
    let world = uploaded();
    fs::remove_file(content(&world)).unwrap();
    screen!(world.run(&["update", "bargains"]).ends(1).err, @"
    error: <world>/data/inbox/bargains/000001-<hash>.json is missing
    help: it is set aside; remove its receipt from the outbox and upload it again
    bargains: 000001-<hash> failed; the tables are unchanged
    applied 0, skipped 0, failed 1 in <time>
    ");
    world.run(&["update", "bargains"]).ends(0);
    upload_again(&world);
}

#[test]
fn what_is_in_the_tables_is_told_so_when_its_file_cannot_be_moved() {
    let world = uploaded();
    world.write(
        "data/archive/inbox/bargains",
        "a file in the folder's place",
    );
    screen!(world.run(&["update", "bargains"]).ends(1).err, @"
    error: could not write <world>/data/archive/inbox/bargains/000001-<hash>.json: Generic folder error: Not a directory (os error 20)
    bargains: 000001-<hash> applied, not archived: the next update moves it out of the inbox
      bargains: 1 inserted, 0 changed, 0 unchanged, 0 deleted, 0 rejected
    applied 0, skipped 0, failed 1; 1 applied but not archived in <time>
    ");
    assert_eq!(world.number("select count(*) from bargains"), 1);
    fs::remove_file(world.path("data/archive/inbox/bargains")).unwrap();
    screen!(world.run(&["update", "bargains"]).ends(0).err, @"
    bargains: 000001-<hash> is already applied
    applied 0, skipped 0, failed 0; 1 already applied in <time>
    ");
    screen!(world.run(&["update", "bargains"]).ends(0).err, @"
    bargains: nothing pending in the inbox; artifact 1 is applied
    applied 0, skipped 1, failed 0 in <time>
    ");
}

#[test]
fn temporary_files_of_a_killed_run_are_removed_by_the_next() {
    let mut world = uploaded();
    world.set("TMPDIR", world.path("").to_str().unwrap());
    world.write("pricemill-run-killed/lock", "");
    world.write("pricemill-run-killed/rows.parquet", "x");
    world.write("data/inbox/.tmp-1-0", "x");
    let left = world.path("data/inbox/.tmp-1-0");
    let file = fs::File::options().write(true).open(&left).unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH)
        .unwrap();
    drop(file);
    world.run(&["update", "bargains"]).ends(0);
    assert!(!left.exists() && !world.path("pricemill-run-killed").exists());
    let own = fs::read_dir(world.path("")).unwrap();
    let own = own.map(|entry| entry.unwrap().file_name());
    assert!(
        own.into_iter()
            .all(|name| !name.to_string_lossy().starts_with("pricemill-run"))
    );
}
