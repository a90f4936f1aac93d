//! Tables on a terminal: they fit it, and say what is hidden. Elsewhere nothing is cut.

use std::process::{Command, Stdio};

use crate::support::{screen::screen, shop::small, world::World};

/// Runs a command on a terminal of that width, and returns what it shows; nothing where the
/// system has no `script`.
fn on_terminal(world: &World, columns: &str, arguments: &[&str]) -> Option<String> {
    let words = arguments.iter().map(|word| format!("'{word}'"));
    let words = words.collect::<Vec<_>>().join(" ");
    let line = format!("'{}' {words} 2>/dev/null", env!("CARGO_BIN_EXE_pricemill"));
    let output = Command::new("script")
        .args(["-qec", &line, "/dev/null"])
        .current_dir(world.path(""))
        .env("COLUMNS", columns)
        .env("SHELL", "/bin/sh")
        .stdin(Stdio::null())
        .output();
    let output = output.ok().filter(|output| output.status.success())?;
    Some(
        String::from_utf8(output.stdout)
            .unwrap()
            .replace("\r\n", "\n"),
    )
}

const SHOW: &[&str] = &["show", "prices", "--limit", "2"];

#[test]
fn a_table_fits_the_terminal() {
    let world = small();
    world.run(&["fetch"]).ends(0);
    if on_terminal(&world, "80", &["docs"]).is_none() {
        return;
    }
    let shown = |columns: &str, arguments: &[&str]| on_terminal(&world, columns, arguments);
    screen!(shown("40", SHOW).unwrap(), @"
    +------------+----------+---+-----+
    | product_id | store_id | … | sku |
    +------------+----------+---+-----+
    | 1          | 1        | … |     |
    | 1          | 2        | … |     |
    +------------+----------+---+-----+
    3 columns are hidden: price, price_record_id, scraped_date; see all with --output lines
    ");
    let wide = shown("200", SHOW).unwrap();
    assert_eq!(
        wide,
        world.run(SHOW).ends(0).out,
        "what fits is not changed"
    );
    let long = [
        "query",
        "select id, name, repeat(name, 9) as names from stores",
    ];
    screen!(shown("60", &long).unwrap(), @"
    +----+---------+-------------------------------------------+
    | id | name    | names                                     |
    +----+---------+-------------------------------------------+
    | 1  | Alder 1 | Alder 1Alder 1Alder 1Alder 1Alder 1Alder… |
    | 2  | Alder 2 | Alder 2Alder 2Alder 2Alder 2Alder 2Alder… |
    | 3  | Birch 3 | Birch 3Birch 3Birch 3Birch 3Birch 3Birch… |
    +----+---------+-------------------------------------------+
    texts that end in … are cut; see all with --output lines
    ");
    world.run(&["run", "bargains"]).ends(0);
    for (columns, arguments) in [
        ("80", &["status", "bargains"][..]),
        ("60", &["show", "bargains", "--schema"]),
        ("50", &["explain"]),
        ("50", &["docs"]),
        ("50", &["show", "stores"]),
    ] {
        let text = shown(columns, arguments).unwrap();
        let most: usize = columns.parse().unwrap();
        let notes = ["hidden: ", "are cut; "];
        let mut lines = text
            .lines()
            .filter(|line| !notes.iter().any(|note| line.contains(note)));
        let is_fit = |line: &str| line.chars().count() <= most;
        assert!(lines.all(is_fit), "{arguments:?} at {columns}:\n{text}");
        assert!(
            text.contains("see all with --output lines"),
            "{arguments:?}:\n{text}"
        );
    }
}

#[test]
fn a_pipe_is_no_terminal() {
    let mut world = small();
    world.run(&["fetch"]).ends(0);
    let whole = world.run(SHOW).ends(0).out;
    world.set("COLUMNS", "20");
    assert_eq!(world.run(SHOW).ends(0).out, whole);
}

#[test]
fn lines_show_every_column_of_each_record() {
    let world = small();
    world.run(&["fetch"]).ends(0);
    let lines = |arguments: &[&str]| {
        let arguments = [arguments, &["--output", "lines"]].concat();
        world.run(&arguments).ends(0).out
    };
    screen!(lines(SHOW), @"
    product_id: 1
    store_id: 1
    price: 1.00
    price_record_id: 1
    scraped_date: 2026-11-01
    sku: null

    product_id: 1
    store_id: 2
    price: 1.00
    price_record_id: 2
    scraped_date: 2026-11-01
    sku: null
    ");
    screen!(lines(&["query", "select 'a' as a union all select 'b' order by a"]), @"
    a: a

    a: b
    ");
    screen!(lines(&["show", "companies", "--schema"]), @"
    column: id
    type: bigint not null
    unit: null
    doc: The company.

    column: name
    type: text not null
    unit: null
    doc: Its name, as in stores.
    ");
    screen!(lines(&["status", "bargains", "--runs", "1"]), @"
    pipeline: bargains
    generated: null
    rows: null
    age: null
    uploaded: null
    received: null
    received_rows: null
    state: null
    applied: null
    applied_rows: null

    run: <instant>
    command: fetch
    took: <time>
    exit: 0
    error:
    ");
    screen!(lines(&["lineage", "bargains"]), @"
    pipeline: bargains
    reader: bargains
    reads: extremes
    kind: model

    pipeline: bargains
    reader: extremes
    reads: prices
    kind: dataset
    ");
    screen!(lines(&["generate", "bargains"]), @"
    pipeline: bargains
    outcome: committed
    artifact: 000001-<hash>
    snapshot: <snapshot>
    rows: 1
    bytes: 127
    sha256: <sha256>
    ");
    assert!(lines(&["docs"]).starts_with("page: tutorial\ntitle: "));
    assert!(lines(&["explain"]).starts_with("code: "));
}
