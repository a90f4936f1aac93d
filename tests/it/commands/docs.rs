//! The pages of the documentation: printed, complete, and their links right.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use datafusion::execution::SessionStateDefaults;
use pricemill::{config::EngineConfig, docs::PAGES, engine};

use crate::support::world::World;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn docs_prints_the_list_or_a_page_even_in_a_broken_project() {
    let world = World::new();
    world.write("pricemill.toml", "= broken");
    let list = world.run(&["docs"]).ends(0).out;
    insta::assert_snapshot!(list, @"
    tutorial       A pipeline from nothing, in ten minutes
    how-to         Recipes: queries, parameters, seeds, checks, tests, pages
    pipelines      What the shipped pipelines compute
    sql            The SQL of models: values, differences, what is refused
    sql-functions  All SQL functions, with examples
    functions      pricemill's own SQL functions, and embedding models
    coming-from    If you come from DuckDB, PostgreSQL, SQLite or dbt
    manifest       The keys of manifests and of sources.toml
    commands       All commands, profiles, exit codes
    output         What commands print: formats, fields, words
    settings       The keys of pricemill.toml
    formats        The files of a project, the data folder, format versions
    large-data     Memory, temporary space, made-up data of any size
    peers          Benchmarks against DuckDB, Polars and Python
    ");
    for page in PAGES {
        assert_eq!(world.run(&["docs", page.name]).ends(0).out, page.text);
    }
}

#[test]
fn a_page_that_does_not_exist_is_refused_with_the_nearest() {
    let said = World::new().run(&["docs", "tutorail"]).ends(2);
    said.tells("tip: a similar value exists: 'tutorial'");
}

#[test]
fn docs_in_json_has_the_text_of_a_page() {
    let said = World::new().run(&["docs", "formats", "--output", "json"]);
    let report = serde_json::from_str::<serde_json::Value>(&said.ends(0).out).unwrap();
    assert_eq!(report["format_version"], 1);
    assert_eq!(report["command"], "docs");
    assert_eq!(report["pages"][0]["page"], "formats");
    assert!(
        report["pages"][0]["text"]
            .as_str()
            .unwrap()
            .starts_with("# ")
    );
}

#[test]
fn every_file_of_the_folder_is_a_page() {
    for entry in fs::read_dir(root().join("src/docs")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let is_page = path.extension().is_some_and(|extension| extension == "md");
        let listed = !is_page || PAGES.iter().any(|page| page.name == name);
        assert!(
            listed,
            "nobody can read {name}: add it to src/docs/mod.rs and to the README"
        );
    }
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    for page in PAGES {
        let link = format!("(src/docs/{}.md)", page.name);
        assert!(readme.contains(&link), "the README has no {link}");
    }
}

#[test]
fn every_command_is_on_the_page_of_commands() {
    let help = World::new().run(&["--help"]).ends(0).out;
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let page = pricemill::docs::page("commands").unwrap().text;
    for line in commands.lines().take_while(|line| !line.is_empty()) {
        let name = line.trim().split(' ').next().unwrap();
        let listed = page.lines().any(|line| {
            let row = line
                .strip_prefix("| `")
                .and_then(|row| row.strip_prefix(name));
            row.is_some_and(|row| row.starts_with(['`', ' ']))
        });
        // The continuation of a long help text begins in a later column.
        let is_command = line.starts_with("  ") && !line.starts_with("   ") && name != "help";
        assert!(listed || !is_command, "docs/commands.md has no `{name}`");
    }
}

/// Returns the names of DataFusion's own functions.
fn built_in() -> BTreeSet<String> {
    let scalar = SessionStateDefaults::default_scalar_functions();
    let aggregate = SessionStateDefaults::default_aggregate_functions();
    let window = SessionStateDefaults::default_window_functions();
    let mut names = BTreeSet::new();
    for function in &scalar {
        names.insert(function.name().to_owned());
        names.extend(function.aliases().iter().cloned());
    }
    for function in &aggregate {
        names.insert(function.name().to_owned());
        names.extend(function.aliases().iter().cloned());
    }
    for function in &window {
        names.insert(function.name().to_owned());
        names.extend(function.aliases().iter().cloned());
    }
    names
}

#[tokio::test]
async fn every_function_of_ours_is_on_the_page_of_functions() {
    let state = engine::session(&EngineConfig::default()).unwrap().state();
    let all = state.scalar_functions().keys();
    let all = all.chain(state.aggregate_functions().keys());
    let all = all.chain(state.window_functions().keys());
    let (built_in, mut ours) = (built_in(), 0);
    let page = pricemill::docs::page("functions").unwrap().text;
    for name in all.filter(|name| !built_in.contains(*name)) {
        let shown = format!("`{name}(");
        assert!(page.contains(&shown), "docs/functions.md has no `{name}`");
        ours += 1;
    }
    assert!(ours > 15, "only {ours} functions are ours");
}

/// Returns the targets of a text's links; code is left out.
fn targets(text: &str) -> Vec<&str> {
    let prose = text.split("```").step_by(2);
    let inline = prose.clone().flat_map(|text| {
        let after = text.split("](").skip(1);
        after.filter_map(|rest| Some(rest.split_once(')')?.0))
    });
    let definitions = prose.flat_map(str::lines).filter_map(|line| {
        let (_, target) = line.strip_prefix('[')?.split_once("]: ")?;
        Some(target)
    });
    inline.chain(definitions).collect()
}

/// Returns the anchors of a page's headings, as GitHub makes them.
fn anchors(text: &str) -> Vec<String> {
    let prose = text.split("```").step_by(2).flat_map(str::lines);
    let headings = prose.filter(|line| line.starts_with('#'));
    headings
        .map(|line| {
            let heading = line.trim_start_matches('#').trim().to_lowercase();
            let kept = heading.chars().filter_map(|letter| match letter {
                ' ' => Some('-'),
                '-' | '_' => Some(letter),
                letter => letter.is_alphanumeric().then_some(letter),
            });
            kept.collect()
        })
        .collect()
}

/// Asserts that the file or heading that a page links to exists.
fn assert_exists(page: &Path, target: &str) {
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let linked = match file {
        "" => page.to_owned(),
        file => page.parent().unwrap().join(file),
    };
    let shown = page.display();
    assert!(linked.exists(), "{shown}: no file for the link {target}");
    if !anchor.is_empty() {
        let anchors = anchors(&fs::read_to_string(linked).unwrap());
        assert!(
            anchors.iter().any(|known| known == anchor),
            "{shown}: no heading for the link {target}; there are {anchors:?}"
        );
    }
}

#[test]
fn every_link_leads_somewhere() {
    let pages = PAGES
        .iter()
        .map(|page| format!("src/docs/{}.md", page.name));
    let others = [
        "README.md",
        "CHANGELOG.md",
        ".github/CONTRIBUTING.md",
        ".github/SECURITY.md",
        ".github/pull_request_template.md",
    ];
    let mut followed = 0;
    for name in others.map(str::to_owned).into_iter().chain(pages) {
        let page = root().join(&name);
        let text = fs::read_to_string(&page).unwrap();
        for target in targets(&text) {
            if !target.contains("://") {
                assert_exists(&page, target);
                followed += 1;
            }
        }
    }
    assert!(followed > 20, "only {followed} links were found");
}
