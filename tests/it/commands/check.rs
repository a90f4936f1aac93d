//! Projects with a fault each (`tests/broken/<case>/`), and what the user reads of them.
//!
//! The screen of a case lies beside its files, in `screen.snap`. A new case is a new folder:
//! `INSTA_UPDATE=always cargo test commands::check` writes its screen.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use indexmap::IndexMap;
use pricemill::{
    compile,
    config::{self, Config, EngineConfig, Environment, Overrides},
    database,
    diagnostics::{Code, Finding},
    engine,
    pipeline::Project,
    workbench,
};

/// Returns everything that is found in a project's folder, as a terminal shows it: in its
/// settings, its files, its SQL, its tests, and the query in `query.sql`.
pub(super) async fn screen(root: &Path) -> String {
    let mut screen = Vec::new();
    if root.join("pricemill.toml").exists()
        && let Err(error) = Config::load(root, &Environment::of([]), &Overrides::default())
    {
        match error {
            config::Error::Invalid(findings) => screen.extend(rendered(&findings.0)),
            other => screen.push(other.to_string()),
        }
    }
    match Project::load(root) {
        Ok(project) => {
            screen.extend(rendered(&project.warnings));
            screen.extend(checked(&project).await);
            screen.extend(tested(&project).await);
            if let Ok(sql) = fs::read_to_string(root.join("query.sql")) {
                screen.extend(queried(&project, &sql).await);
            }
        }
        Err(findings) => screen.extend(rendered(&findings.0)),
    }
    screen.join("\n\n")
}

fn rendered(findings: &[Finding]) -> Vec<String> {
    let rendered = findings.iter().map(|finding| finding.render(false));
    rendered.collect()
}

async fn checked(project: &Project) -> Vec<String> {
    let pipelines = project.select(&[]).unwrap();
    let bindings = project.bind(&pipelines, &[]).unwrap();
    let tables = database::schema().unwrap();
    let checked = compile::check(project, &pipelines, &bindings, &tables).await;
    rendered(&checked.unwrap().findings)
}

async fn tested(project: &Project) -> Vec<String> {
    let pipelines = project.select(&[]).unwrap();
    let results = workbench::test(project, &pipelines, false).await.unwrap();
    let failures = results.into_iter().filter_map(|result| result.failure);
    failures
        .flat_map(|failure| match failure.findings.is_empty() {
            true => vec![failure.message],
            false => rendered(&failure.findings),
        })
        .collect()
}

async fn queried(project: &Project, sql: &str) -> Vec<String> {
    let job = workbench::Query {
        project,
        bindings: &IndexMap::new(),
        snapshot: None,
        previous: None,
        history: &[],
        given: &[],
        now: chrono::DateTime::UNIX_EPOCH,
        config: &EngineConfig::default(),
    };
    match workbench::query(job, sql, None).await {
        Err(engine::Error::Invalid(findings)) => rendered(&findings.0),
        // A sound query stops later: there is no snapshot.
        _ => Vec::new(),
    }
}

/// Says whether the screen has a finding of the code.
pub(super) fn has(screen: &str, code: Code) -> bool {
    screen.contains(&format!("{}[{code}]:", code.severity()))
}

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/broken");
    let mut cases: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|case| case.unwrap().path())
        .collect();
    cases.sort();
    cases
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_reads_as_its_screen_says() {
    let mut found = BTreeSet::new();
    for case in cases() {
        let screen = screen(&case).await;
        let codes = Code::ALL.iter().filter(|code| has(&screen, **code));
        found.extend(codes.copied());
        insta::with_settings!({
            snapshot_path => &case,
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, {
            insta::assert_snapshot!("screen", screen);
        });
    }
    let unproved: Vec<_> = Code::ALL
        .iter()
        .filter(|code| !found.contains(code))
        .map(|code| code.id())
        .collect();
    assert!(unproved.is_empty(), "no case in tests/broken: {unproved:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sound_project_has_an_empty_screen() {
    let sound = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/broken/sound");
    assert_eq!(screen(&sound).await, "");
}
