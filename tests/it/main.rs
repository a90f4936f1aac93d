//! The one integration-test binary: commands, stages, pipelines, faults.
#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test says why it failed by panicking, and makes and breaks files of its own"
)]

mod commands;
mod faults;
mod pipelines;
mod stages;
mod support;

#[test]
fn no_file_here_is_forgotten() {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    for folder in ["commands", "faults", "pipelines", "stages", "support"] {
        let folder = here.join(folder);
        let modules = std::fs::read_to_string(folder.join("mod.rs")).unwrap();
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap();
            let known = name == "mod" || modules.contains(&format!("mod {name};\n"));
            assert!(
                known,
                "{} is compiled by nobody: add `mod {name};`",
                path.display()
            );
        }
    }
}
