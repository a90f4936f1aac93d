//! The queries of `tests/analyst/*.slt`, which analysts type: each passes `check` without a
//! finding, and gives DuckDB's rows.
//!
//! `benches/peers/expected.py` writes the expected rows. A query whose comment begins with
//! `refused:` is one that DuckDB answers and pricemill does not; it says why.

use std::{collections::BTreeMap, fs, path::Path};

use pricemill::{
    compile, database,
    diagnostics::{Code, Finding},
    pipeline::Project,
    workbench,
};

use crate::support::world::World;

/// Queries of one subject, `joins`, as the file has them.
struct Subject {
    name: String,
    queries: Vec<String>,
}

fn read(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/analyst");
    fs::read_to_string(folder.join(name)).unwrap()
}

fn subjects() -> Vec<Subject> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/analyst");
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let names = entries.map(|entry| entry.file_name().into_string().unwrap());
    let mut names: Vec<String> = names
        .filter_map(|name| Some(name.strip_suffix(".slt")?.to_owned()))
        .filter(|name| name != "tables")
        .collect();
    names.sort();
    let subject = |name: String| {
        let text = read(&format!("{name}.slt"));
        let queries = text.split("\n\n").map(str::to_owned).collect();
        Subject { name, queries }
    };
    names.into_iter().map(subject).collect()
}

fn is_refused(query: &str) -> bool {
    query.lines().any(|line| line.starts_with("# refused: "))
}

/// Returns the SQL of a query: what is between the head and the rows.
fn sql(query: &str) -> String {
    let lines = query.lines().skip_while(|line| line.starts_with('#'));
    let lines = lines.skip(1).take_while(|line| *line != "----");
    lines.collect::<Vec<_>>().join("\n")
}

/// Writes a project in which each query is a check, for `check` to examine, and a test.
fn project(world: &World, subjects: &[Subject]) -> Project {
    world.write("pipelines/sources.toml", &read("sources.toml"));
    let manifest = "description = \"Queries.\"\noutput = \"asked\"\nfile = \"asked.json\"\n\
        grain = [\"id\"]\n\n[contract]\nid = \"bigint not null\"\n";
    world.write("pipelines/asked.toml", manifest);
    let model = "-- asked: one row per id.\nselect id from products\n";
    world.write("sql/asked/asked.sql", model);
    let tables = read("tables.slt");
    for Subject { name, queries } in subjects {
        let mut test = tables.clone();
        for (number, query) in queries.iter().enumerate() {
            if is_refused(query) {
                continue;
            }
            let file = format!("sql/asked/checks/{name}_{:02}.sql", number + 1);
            world.write(&file, &sql(query));
            test += &format!("\n{query}\n");
        }
        world.write(&format!("tests/sql/asked/{name}.slt"), &test);
    }
    Project::load(&world.path("")).unwrap()
}

/// An order of the query's own rows is for its reader, and not for a model.
fn is_fault(finding: &Finding) -> bool {
    finding.code != Code::UselessOrder
}

#[tokio::test]
async fn sound_queries_pass_check_and_give_the_rows_of_duckdb() {
    let (world, subjects) = (World::new(), subjects());
    let project = project(&world, &subjects);
    let pipelines = project.select(&[]).unwrap();
    let bindings = project.bind(&pipelines, &[]).unwrap();
    let tables = database::schema().unwrap();
    let checked = compile::check(&project, &pipelines, &bindings, &tables).await;
    let findings = checked.unwrap().findings;
    let faults = findings.iter().filter(|finding| is_fault(finding));
    let faults: Vec<String> = faults.map(|finding| finding.render(false)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
    let results = workbench::test(&project, &pipelines, false).await.unwrap();
    assert_eq!(results.len(), subjects.len());
    let failures: BTreeMap<_, _> = results
        .into_iter()
        .filter_map(|result| Some((result.file, result.failure?)))
        .collect();
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn there_are_200_of_them_and_few_are_refused() {
    let all: Vec<String> = subjects().into_iter().flat_map(|it| it.queries).collect();
    let refused = all.iter().filter(|query| is_refused(query)).count();
    assert!(all.len() - refused >= 200, "{} of {refused}", all.len());
    assert!(refused * 20 < all.len(), "{refused} are refused");
    for query in all {
        assert!(query.contains("\n----"), "no rows: {query}");
    }
}
