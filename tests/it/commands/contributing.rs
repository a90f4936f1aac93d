//! What CONTRIBUTING names is there: files, aliases, and the places in the code that its
//! recipes send people to.

use std::{collections::BTreeSet, fs, path::Path};

const PAGE: &str = ".github/CONTRIBUTING.md";

/// What comes with cargo.
const SUBCOMMANDS: [&str; 6] = ["check", "fmt", "run", "test", "insta", "build"];

/// What the recipes name, and the file that they say it is in.
const NAMED: [(&str, &str); 15] = [
    ("`register`", "src/functions/mod.rs"),
    ("`register_udaf`", "src/functions/mod.rs"),
    ("`connected_components.rs`", "src/functions/mod.rs"),
    ("`dispatch`", "src/cli/mod.rs"),
    ("`Command`", "src/cli/line.rs"),
    ("`Command::selection`", "src/cli/line.rs"),
    ("`Command::writes`", "src/cli/line.rs"),
    ("`WITH_PIPELINES`", "src/cli/line.rs"),
    ("`export_columns`", "src/database/migrations/sqlite"),
    ("`migrations`", "src/database/sqlite/dialect.rs"),
    ("`SAME_TABLES_SINCE`", "src/database/migrations.rs"),
    ("`settings!`", "src/config/settings.rs"),
    ("`codes!`", "src/diagnostics/codes.rs"),
    ("`Source`", "src/source/mod.rs"),
    ("`screen!`", "tests/it/support/screen.rs"),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn page() -> String {
    fs::read_to_string(root().join(PAGE)).unwrap()
}

/// Returns what is written as code: in backticks, and the lines of blocks.
fn code(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for (at, part) in text.split("```").enumerate() {
        match at % 2 {
            0 => found.extend(part.split('`').skip(1).step_by(2)),
            _ => found.extend(part.lines().skip(1)),
        }
    }
    found
}

/// Returns the text of a file, or of all files of a folder.
fn text_of(path: &Path) -> String {
    if path.is_dir() {
        let files = fs::read_dir(path).unwrap();
        return files.map(|file| text_of(&file.unwrap().path())).collect();
    }
    fs::read_to_string(path).unwrap()
}

#[test]
fn every_path_is_there() {
    let text = page();
    let above = ["src/", "tests/", "pipelines/", "sql/", ".cargo/", ".ci/"];
    let mut seen = 0;
    for code in code(&text) {
        let path = code.split_whitespace().next().unwrap_or_default();
        let is_path = above.iter().any(|above| path.starts_with(above));
        if !is_path {
            continue;
        }
        // A name to choose stands for any: its folder must be there.
        let known = path.split('<').next().unwrap_or_default();
        let known = match known == path {
            true => known,
            false => known.rsplit_once('/').map_or(known, |(folder, _)| folder),
        };
        assert!(root().join(known).exists(), "{PAGE} names {path}");
        seen += 1;
    }
    assert!(seen > 30, "only {seen} paths were found");
}

#[test]
fn every_cargo_command_is_one() {
    let text = page();
    let config = fs::read_to_string(root().join(".cargo/config.toml")).unwrap();
    let config: toml::Table = config.parse().unwrap();
    let aliases = config["alias"].as_table().unwrap();
    let mut used = BTreeSet::new();
    for code in code(&text) {
        let words: Vec<&str> = code.split_whitespace().collect();
        let at = words.iter().position(|word| *word == "cargo");
        let Some(command) = at.and_then(|at| words.get(at + 1)) else {
            continue;
        };
        let is_known = aliases.contains_key(*command) || SUBCOMMANDS.contains(command);
        assert!(is_known, "{PAGE} names `cargo {command}`");
        used.insert((*command).to_owned());
    }
    assert!(used.contains("it") && used.contains("unit"), "{used:?}");
}

#[test]
fn what_a_recipe_names_is_in_its_file() {
    let text = page();
    for (name, file) in NAMED {
        assert!(text.contains(name), "{PAGE} does not name {name}");
        let word = name.trim_matches('`').trim_end_matches(".rs");
        let word = word.trim_end_matches('!').rsplit("::").next().unwrap();
        let found = text_of(&root().join(file));
        assert!(found.contains(word), "{file} has no {word}");
    }
}
