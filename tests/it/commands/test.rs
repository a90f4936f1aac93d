//! The shipped definitions, `test`, `query` and `show`.

use std::{fs, path::Path};

use futures::TryStreamExt;
use pricemill::{
    compile,
    config::EngineConfig,
    diagnostics::Finding,
    engine,
    pipeline::{Project, Relation, embedded},
    workbench::{self, Query, TestResult},
};

use crate::stages::generate::World;

/// The definitions that are in the binary, as a project's own folder.
fn shipped() -> Project {
    Project::load(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn rendered(findings: &[Finding]) -> String {
    findings
        .iter()
        .map(|finding| finding.render(false))
        .collect()
}

#[tokio::test]
async fn every_shipped_model_plans_and_keeps_its_contract() {
    let project = shipped();
    let pipelines = project.select(&[]).unwrap();
    let bindings = project.bind(&pipelines, &[]).unwrap();
    let tables = pricemill::database::schema().unwrap();
    let checked = compile::check(&project, &pipelines, &bindings, &tables)
        .await
        .unwrap();
    assert_eq!(rendered(&checked.findings), "");
    assert_eq!(rendered(&project.warnings), "");
    assert!(checked.planned > 0);
}

#[tokio::test]
async fn the_tests_of_the_shipped_sql_pass() {
    let project = shipped();
    let pipelines = project.select(&[]).unwrap();
    let results = workbench::test(&project, &pipelines, false).await.unwrap();
    let failed: Vec<_> = results
        .iter()
        .filter(|result| result.failure.is_some())
        .collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(results.iter().map(|result| result.records).sum::<usize>() > 0);
}

#[test]
fn every_shipped_check_and_update_step_is_tested() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sql");
    for pipeline in shipped().pipelines.values() {
        let folder = fs::read_dir(root.join(&pipeline.name)).unwrap();
        let tests = folder.map(|file| fs::read_to_string(file.unwrap().path()).unwrap());
        let tests: String = tests.collect();
        let checks = pipeline.rules.keys().map(|name| format!("checks.{name}\n"));
        let steps = pipeline.update.iter();
        let steps = steps.map(|step| format!("updates.{}\n", step.table));
        for name in checks.chain(steps) {
            assert!(tests.contains(&name), "{}: {name}", pipeline.name);
        }
    }
}

#[test]
fn the_binary_holds_the_definitions_as_they_are() {
    let files = embedded();
    assert!(
        files
            .iter()
            .any(|file| file.path() == Path::new("pipelines/sources.toml"))
    );
    for file in files {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file.path());
        assert_eq!(fs::read(&path).unwrap(), file.bytes(), "{}", path.display());
    }
    let nowhere = tempfile::tempdir().unwrap();
    let project = Project::load(nowhere.path()).unwrap();
    assert_eq!(project.root, None);
    assert_eq!(
        project.pipelines.keys().collect::<Vec<_>>(),
        shipped().pipelines.keys().collect::<Vec<_>>()
    );
}

const TEST: &str = "\
# The lower price stands; a parameter can be set.
statement ok
create table prices as select * from (values (1, 11, 2.5), (1, 12, 3)) as t (product_id, store_id, price)

query IRI
select * from lows
----
1 2.50 11

statement ok
set param.least = '3'

query IRRT
select * from cheapest
----
1 3.00 1 NULL
";

async fn tested(world: &World, text: &str, accept: bool) -> TestResult {
    world.file("tests/sql/cheapest/lows.slt", text);
    let project = world.project();
    let pipelines = project.select(&["cheapest".into()]).unwrap();
    let mut results = workbench::test(&project, &pipelines, accept).await.unwrap();
    assert_eq!(results.len(), 1);
    results.remove(0)
}

#[tokio::test]
async fn a_test_makes_a_dataset_and_reads_models() {
    let result = tested(
        &World::new(),
        &TEST.replace("1 3.00 1 NULL", "1 3.00 1 (empty)"),
        false,
    )
    .await;
    let failure = result.failure.unwrap();
    assert_eq!((result.records, failure.line), (4, 13));
    assert_eq!(
        failure.message,
        "query result mismatch:\n(-expected|+actual)\n-   1 3.00 1 (empty)\n+   1 3.00 1 NULL"
    );
    assert_eq!(tested(&World::new(), TEST, false).await.failure, None);
}

#[tokio::test]
async fn accepting_rewrites_what_is_expected_and_nothing_else() {
    let world = World::new();
    let wrong = TEST
        .replace("1 2.50 11", "9 9.99 99")
        .replace("1 3.00 1 NULL\n", "");
    let result = tested(&world, &wrong, true).await;
    assert!(result.rewritten);
    assert_eq!(result.failure, None);
    assert_eq!(world.read("tests/sql/cheapest/lows.slt"), TEST);
}

#[tokio::test]
async fn accepting_makes_no_passing_test_of_what_does_not_run() {
    let world = World::new();
    let broken = TEST.replace("select * from lows", "select * from lowz");
    let result = tested(&world, &broken, true).await;
    let said = rendered(&result.failure.unwrap().findings);
    assert!(said.contains("did you mean `lows`?"), "{said}");
    assert_eq!(world.read("tests/sql/cheapest/lows.slt"), broken);
    let broken = TEST.replace("store_id, price)", "store_id, prize)");
    assert!(tested(&world, &broken, true).await.failure.is_some());
    assert_eq!(world.read("tests/sql/cheapest/lows.slt"), broken);
}

#[tokio::test]
async fn the_pipelines_own_name_is_its_output() {
    let (world, toml) = (World::new(), "pipelines/cheapest.toml");
    let renamed = world
        .read(toml)
        .replace("output = \"cheapest\"", "output = \"winners\"");
    world.file(toml, &renamed);
    world.file(
        "sql/cheapest/winners.sql",
        &world.read("sql/cheapest/cheapest.sql"),
    );
    world.remove("sql/cheapest/cheapest.sql");
    assert_eq!(tested(&world, TEST, false).await.failure, None);
}

#[tokio::test]
async fn what_was_read_and_not_made_is_told() {
    let (world, query) = (
        World::new(),
        "query I\nselect count(*) from lows\n----\n0\n",
    );
    let result = tested(&world, query, false).await;
    assert_eq!(
        (result.failure, result.empty),
        (None, vec!["prices".to_owned()])
    );
    let made = "create table stores as select 1 as id";
    let all = TEST.replace("set param.least = '3'", made);
    let result = tested(&world, &all, false).await;
    assert_eq!(result.empty, Vec::<String>::new());
}

#[tokio::test]
async fn what_a_test_cannot_do_is_told_with_its_line() {
    let cases = [
        (
            "statement ok\ncreate table prices as select 1 as prize",
            "`prices` has no column `prize`; its columns are product_id, store_id, price",
        ),
        (
            "system ok\ntouch /tmp/made-by-a-test",
            "a test cannot run system commands",
        ),
        (
            "query I\nselect nothing from lows",
            "there is no column `nothing`",
        ),
        (
            "query T\nselect product_id from lows\n----",
            "the column types are `I`, not `T`: write `query I`",
        ),
        (
            "statement ok\nset param.last = '3'",
            "there is no parameter `last`",
        ),
        (
            "statement ok\ncopy lows to 'made.csv'",
            "a model is a SELECT, not COPY",
        ),
        ("query Z\nselect 1", "invalid type character"),
    ];
    for (text, wanted) in cases {
        let failure = tested(&World::new(), text, false).await.failure.unwrap();
        assert!(
            failure.message.contains(wanted),
            "{text}: {}",
            failure.message
        );
        assert_eq!(failure.line, 1, "{text}");
    }
    assert!(!Path::new("/tmp/made-by-a-test").exists());
}

/// Returns the rows as text, or what is wrong.
async fn shown(
    world: &World,
    relation: &str,
    filter: Option<&str>,
    limit: Option<usize>,
) -> String {
    let project = world.project();
    let snapshot = world.snapshot();
    let job = Query {
        project: &project,
        bindings: &project.bind(&[], &[]).unwrap(),
        snapshot: Some(&snapshot),
        previous: None,
        history: &[],
        given: &[],
        now: snapshot.manifest.fetched_at,
        config: &EngineConfig::default(),
    };
    let rows = match relation.contains(' ') {
        true => workbench::query(job, relation, limit).await,
        false => workbench::show(job, relation, filter, limit).await,
    };
    match rows {
        Ok(rows) => {
            let batches: Vec<_> = rows.stream.try_collect().await.unwrap();
            datafusion::arrow::util::pretty::pretty_format_batches(&batches)
                .unwrap()
                .to_string()
        }
        Err(engine::Error::Invalid(findings)) => rendered(&findings.0),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn show_names_any_relation() {
    let world = World::new();
    for (relation, rows) in [
        ("prices", 6),
        ("export.prices", 6),
        ("cheapest", 4),
        ("lows", 4),
        ("cheapest.lows", 4),
        ("cheapest.shops", 2),
        ("doubled", 4),
    ] {
        let shown = shown(&world, relation, None, None).await;
        assert_eq!(shown.lines().count(), rows + 4, "{relation}\n{shown}");
    }
    let shown = shown(&world, "doubled", Some("price > 1"), Some(2)).await;
    assert_eq!(shown.lines().count(), 6, "{shown}");
}

#[tokio::test]
async fn a_query_reads_every_pipeline_at_once() {
    let sql = "select count(*) as n from cheapest.lows inner join doubled on doubled.product_id = lows.product_id inner join prices on prices.product_id = lows.product_id";
    let shown = shown(&World::new(), sql, None, None).await;
    insta::assert_snapshot!(shown, @"
    +---+
    | n |
    +---+
    | 6 |
    +---+
    ");
}

#[tokio::test]
async fn a_query_that_is_wrong_says_what_is_meant() {
    let world = World::new();
    world.file("sql/doubled/lows.sql", "select * from cheapest");
    let ambiguous = shown(&world, "lows", None, None).await;
    let unknown = shown(&world, "cheepest", None, None).await;
    let write = shown(&world, "drop table prices", None, None).await;
    let lacking = shown(&world, "stores", None, None).await;
    insta::assert_snapshot!([ambiguous, unknown, write, lacking].join("\n\n"), @"
    error[ambiguous-relation]: `lows` is a relation of both cheapest and doubled
     --> RELATION:1:1
      |
    1 | lows
      | ^^^^ which?
      |
      = help: write `cheapest.lows`

    error[unknown-relation]: there is no relation `cheepest`
     --> RELATION:1:1
      |
    1 | cheepest
      | ^^^^^^^^ unknown relation
      |
      = help: did you mean `cheapest`?

    error[not-a-select]: a model is a SELECT, not DROP
     --> query:1:1
      |
    1 | drop table prices
      | ^^^^ not allowed here
      |
      = help: SQL only reads; the manifest declares what is written

    the snapshot has no dataset `stores`, which the query reads
    ");
}

#[test]
fn names_are_tolerant_and_what_reads_what_is_read_from_the_sql() {
    let world = World::new();
    let project = world.project();
    let names = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let selected = project.select(&names).map_err(|error| error.to_string());
        selected.map(|all| all.iter().map(|p| p.name.clone()).collect::<Vec<_>>())
    };
    assert_eq!(
        names(&["doubled", "cheapest", "doubled"]).unwrap(),
        ["cheapest", "doubled"]
    );
    assert_eq!(
        names(&["dobled"]).unwrap_err(),
        "there is no pipeline `dobled`"
    );
    let doubled = &project.pipelines["doubled"];
    assert_eq!(
        doubled.reads.models["doubled"],
        [Relation::Output("cheapest".into())]
    );
    let datasets: Vec<_> = project
        .datasets_of(&[doubled])
        .iter()
        .map(|d| d.name.clone())
        .collect();
    assert_eq!(datasets, ["prices", "stores"]);
    assert!(
        project.is_optional(&[doubled], "stores") && !project.is_optional(&[doubled], "prices")
    );
}
