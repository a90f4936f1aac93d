//! The parameters of what `show` and `query` read, by their own flags.

use crate::support::{screen::screen, shop::small, world::World};

fn fetched() -> World {
    let world = small();
    world.run(&["fetch"]).ends(0);
    world
}

fn csv(world: &World, arguments: &[&str]) -> String {
    let arguments = [arguments, &["--output", "csv"]].concat();
    world.run(&arguments).ends(0).out
}

#[test]
fn a_parameter_has_a_flag_in_show_and_query() {
    let world = fetched();
    let rows = |arguments: &[&str]| csv(&world, arguments).lines().count() - 1;
    assert_eq!(rows(&["show", "bargains"]), 1);
    for flag in [
        &["--min-ratio", "3"][..],
        &["--min_ratio", "3"],
        &["--min-ratio=3"],
        &["--param", "min_ratio=3"],
        &["--param", "bargains.min_ratio=3"],
    ] {
        assert_eq!(rows(&[&["show", "bargains"], flag].concat()), 0, "{flag:?}");
        let query = ["query", "select product_id from bargains"];
        assert_eq!(rows(&[&query, flag].concat()), 0, "{flag:?}");
        let preview = ["preview", "bargains.bargains"];
        assert_eq!(rows(&[&preview, flag].concat()), 0, "{flag:?}");
    }
}

#[test]
fn the_help_lists_the_parameters_of_what_is_read() {
    let world = World::new();
    let help = |arguments: &[&str]| {
        let said = world.run(&[arguments, &["--help"]].concat()).ends(0).out;
        let flags = said
            .lines()
            .filter_map(|line| line.trim().strip_prefix("--"));
        let flags = flags.map(|flag| flag.split(' ').next().unwrap().to_owned());
        flags.collect::<Vec<_>>()
    };
    let has = |flags: &[String], name: &str| flags.iter().any(|flag| flag == name);
    let bargains = help(&["show", "bargains"]);
    assert!(
        has(&bargains, "min-ratio") && !has(&bargains, "distant-overlap"),
        "{bargains:?}"
    );
    let links = help(&["query", "select * from category_links_output"]);
    assert!(
        has(&links, "min-ratio"),
        "nothing is known of it: all are listed"
    );
    let links = help(&["show", "category-links.overlaps"]);
    assert!(!has(&links, "min-ratio"), "{links:?}");
    let dataset = help(&["show", "prices"]);
    assert!(
        !has(&dataset, "min-ratio") && has(&dataset, "param"),
        "{dataset:?}"
    );
    let sql = help(&["query", "select count(*) from bargains.extremes"]);
    assert!(has(&sql, "min-ratio"), "{sql:?}");
    assert!(has(&help(&["show"]), "min-ratio"));
    assert!(has(&help(&["show"]), "distant-overlap"));
}

#[test]
fn a_value_is_checked_and_a_name_that_is_wrong_is_corrected() {
    let world = fetched();
    let said = |arguments: &[&str]| world.run(arguments).ends(2).err;
    screen!(said(&["show", "bargains", "--min-ratio", "0.5"]), @"error: parameter `min_ratio`: `0.5` is not a decimal(6,3) of 1 or more");
    screen!(said(&["show", "bargains", "--min-ratio", "x"]), @"error: parameter `min_ratio`: `x` is not a decimal(6,3) of 1 or more");
    screen!(said(&["show", "bargains", "--min-rato", "3"]), @"
    error: unexpected argument '--min-rato' found

      tip: a similar argument exists: '--min-ratio'

    Usage: pricemill show --min-ratio <decimal(6,3)> <RELATION>

    For more information, try '--help'.
    ");
    screen!(said(&["query", "select * from bargains", "--param", "min_rato=3"]), @"
    error: there is no parameter `min_rato`
    help: did you mean `min_ratio`?
    ");
    screen!(said(&["show", "prices", "--min-ratio", "3"]), @"error: parameter `min_ratio` belongs to `bargains`, which is not involved here");
    screen!(said(&["show", "bargains", "--schema", "--min-ratio", "3"]), @"
    error: the argument '--schema' cannot be used with '--min-ratio <decimal(6,3)>'

    Usage: pricemill show --schema <RELATION>

    For more information, try '--help'.
    ");
}
