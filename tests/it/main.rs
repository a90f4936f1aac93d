//! The one integration-test binary: one file a stage.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test says why it failed by panicking"
)]

mod broken;
mod browser;
mod data;
mod database;
mod derived;
mod doubles;
mod engine;
mod functions;
mod given;
mod inbox;
mod load;
mod map;
#[cfg(feature = "minilm")]
mod minilm;
mod money;
mod narrow;
mod outbox;
mod pipelines;
mod plans;
mod s3;
mod serve;
mod service;
mod snapshot;
mod source;
mod substitutions;
mod synth;
mod tests_of_sql;
mod turn;
mod tutorial;
mod update;
mod upload;
mod world;

#[test]
fn no_file_here_is_forgotten() {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let this = include_str!("main.rs");
    for entry in std::fs::read_dir(here).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let known = name == "main" || this.contains(&format!("\nmod {name};"));
        assert!(
            known,
            "{} is compiled by nobody: add `mod {name};`",
            path.display()
        );
    }
}
