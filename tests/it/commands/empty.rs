//! Where there is nothing to work on: what was found, and the command to type next.

use crate::support::{shop::small, world::World};

/// What a command is run in.
#[derive(Debug, Clone, Copy)]
enum State {
    /// A folder of no project, and no data.
    NoProject,
    /// A project without pipelines.
    NoPipelines,
    /// A pipeline without tests.
    NoTests,
    /// A database with a shop, and nothing fetched.
    Loaded,
    /// The same, fetched.
    Fetched,
    /// The same, generated and not uploaded.
    Generated,
    /// The same, applied.
    Applied,
}

fn world(state: State) -> World {
    let steps: &[&[&str]] = match state {
        State::NoProject => return World::new(),
        State::NoPipelines | State::NoTests => &[],
        State::Loaded => &[],
        State::Fetched => &[&["fetch"]],
        State::Generated => &[&["generate", "bargains"]],
        State::Applied => &[&["run", "bargains"]],
    };
    let world = match state {
        State::NoPipelines | State::NoTests => {
            let world = World::new();
            world.run(&["new", "--empty", "."]).ends(0);
            world
        }
        _ => small(),
    };
    if matches!(state, State::NoTests) {
        world.run(&["new", "pipeline", "milk"]).ends(0);
        std::fs::remove_dir_all(world.path("tests")).unwrap();
    }
    for step in steps {
        world.run(step).ends(0);
    }
    world
}

/// A state, a command, its exit code, what it says and what it says to do next.
type Case = (
    State,
    &'static [&'static str],
    i32,
    &'static str,
    &'static str,
);

const CASES: &[Case] = &[
    // No project here.
    (
        State::NoProject,
        &["check"],
        0,
        "there is no project in",
        "pricemill new DIR",
    ),
    (
        State::NoProject,
        &["test", "bargains"],
        0,
        "there is no project in",
        "pricemill new DIR",
    ),
    (
        State::NoProject,
        &["new", "pipeline", "a"],
        2,
        "there is no project in",
        "pricemill new DIR",
    ),
    // No exports.
    (
        State::NoProject,
        &["fetch", "prices"],
        0,
        "the exports have no rows",
        "pricemill load FILES",
    ),
    (
        State::NoProject,
        &["load", "."],
        2,
        "is named after a table",
        "stores.csv",
    ),
    // No pipelines.
    (
        State::NoPipelines,
        &["check"],
        0,
        "has no pipelines yet",
        "pricemill new pipeline NAME",
    ),
    (
        State::NoPipelines,
        &["test"],
        0,
        "has no pipelines yet",
        "pricemill new pipeline NAME",
    ),
    (
        State::NoPipelines,
        &["lineage"],
        0,
        "has no pipelines yet",
        "pricemill new pipeline NAME",
    ),
    (
        State::NoPipelines,
        &["status"],
        0,
        "has no pipelines yet",
        "pricemill new pipeline NAME",
    ),
    (
        State::NoPipelines,
        &["fetch"],
        2,
        "has no pipelines yet",
        "pricemill new pipeline NAME",
    ),
    (
        State::NoPipelines,
        &["generate"],
        0,
        "has no pipelines yet",
        "pricemill new pipeline NAME",
    ),
    (
        State::NoPipelines,
        &["upload"],
        0,
        "has no pipelines yet",
        "pricemill new pipeline NAME",
    ),
    (
        State::NoPipelines,
        &["update"],
        0,
        "has no pipelines yet",
        "pricemill new pipeline NAME",
    ),
    (
        State::NoPipelines,
        &["run"],
        0,
        "has no pipelines yet",
        "pricemill new pipeline NAME",
    ),
    (
        State::NoPipelines,
        &["check", "a"],
        2,
        "no pipeline `a`",
        "pricemill new pipeline a",
    ),
    // No tests.
    (
        State::NoTests,
        &["test"],
        0,
        "no tests of milk",
        "pricemill docs how-to",
    ),
    // No snapshot yet.
    (
        State::Loaded,
        &["show", "prices"],
        1,
        "there is no snapshot",
        "pricemill fetch",
    ),
    (
        State::Loaded,
        &["query", "select 1 as a from prices"],
        1,
        "there is no snapshot",
        "pricemill fetch",
    ),
    (
        State::Loaded,
        &["generate", "--snapshot", "latest"],
        1,
        "there is no snapshot",
        "pricemill fetch",
    ),
    (
        State::Loaded,
        &["status", "bargains"],
        0,
        "nothing is generated yet",
        "pricemill generate",
    ),
    // Nothing to upload, nothing in the inbox, no artifact.
    (
        State::Loaded,
        &["upload", "bargains"],
        0,
        "nothing in the outbox",
        "pricemill generate bargains",
    ),
    (
        State::Loaded,
        &["upload", "bargains", "--dry-run"],
        0,
        "nothing in the outbox",
        "pricemill generate bargains",
    ),
    (
        State::Loaded,
        &["update", "bargains"],
        0,
        "nothing pending in the inbox",
        "pricemill generate bargains",
    ),
    (
        State::Generated,
        &["update", "bargains"],
        0,
        "nothing pending in the inbox",
        "pricemill upload bargains",
    ),
    (
        State::Applied,
        &["update", "bargains"],
        0,
        "nothing pending in the inbox",
        "artifact 1 is applied",
    ),
    (
        State::Applied,
        &["upload", "bargains", "--dry-run"],
        0,
        "nothing pending in the outbox",
        "has the latest artifact",
    ),
    (
        State::Loaded,
        &["update", "--artifact", "7"],
        2,
        "there is no artifact `7`",
        "pricemill status",
    ),
    (
        State::Loaded,
        &["update", "--archive", "--yes"],
        2,
        "there is no archive",
        "pricemill generate --archive",
    ),
    // No rows.
    (
        State::Fetched,
        &["show", "prices", "--where", "price > 99"],
        0,
        "no row of `prices` matches",
        "pricemill show prices",
    ),
    (
        State::Fetched,
        &["show", "export.category_links"],
        0,
        "`export.category_links` has no rows",
        "pricemill fetch category_links",
    ),
    (
        State::Fetched,
        &["show", "bargains", "--min-ratio", "9"],
        0,
        "`bargains` has no rows",
        "pricemill lineage",
    ),
    (
        State::Fetched,
        &["query", "select id from stores where id > 99"],
        0,
        "the query returned no rows",
        "pricemill show stores",
    ),
];

#[test]
fn each_empty_state_says_what_was_found_and_what_to_type_next() {
    for (state, command, code, found, next) in CASES {
        let said = world(*state).run(command).ends(*code);
        let shown = format!("{state:?}, {command:?}:\n{}", said.err);
        assert!(said.err.contains(found), "no `{found}`: {shown}");
        assert!(said.err.contains(next), "no `{next}`: {shown}");
    }
}
