//! Projects with one fault each (`tests/broken/<case>/`), and what the user reads.

use std::{fs, path::Path};

use pricemill::{compile::check, diagnostics::Finding, pipeline::Project};

/// Returns everything that is found in a case's project, as a terminal shows it.
async fn findings(case: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/broken")
        .join(case);
    let render = |findings: &[Finding]| {
        let rendered: Vec<_> = findings
            .iter()
            .map(|finding| finding.render(false))
            .collect();
        rendered.join("\n\n")
    };
    let project = match Project::load(&root) {
        Ok(project) => project,
        Err(findings) => return render(&findings.0),
    };
    let pipelines = project.select(&[]).unwrap();
    let bindings = project.bind(&pipelines, &[]).unwrap();
    let checked = check(&project, &pipelines, &bindings, &[]).await.unwrap();
    let all: Vec<_> = project
        .warnings
        .iter()
        .chain(&checked.findings)
        .cloned()
        .collect();
    render(&all)
}

#[test]
fn every_case_is_told_here() {
    let tests = include_str!("check.rs");
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/broken");
    for case in fs::read_dir(cases).unwrap() {
        let name = case.unwrap().file_name().into_string().unwrap();
        assert!(tests.contains(&format!("findings(\"{name}\")")), "{name}");
    }
}

#[tokio::test]
async fn bad_seed() {
    insta::assert_snapshot!(findings("bad-seed").await, @"
    error[bad-seed]: line 3 has 3 fields where the header has 2
     --> sql/cheapest/brands.csv:3:1
      |
    3 | 2,Cd,Ef
      | ^^^^^^^ this row
      |
      = help: put a field that holds a comma in double quotes
    ");
}

#[tokio::test]
async fn bad_type() {
    insta::assert_snapshot!(findings("bad-type").await, @r#"
    error[bad-type]: `money` is not a type; known are bigint, double, boolean, text, date, timestamp, decimal(p,s), T[] and struct(name T, …)
      --> pipelines/cheapest.toml:13:9
       |
    13 | price = "money not null"
       |         ^^^^^^^^^^^^^^^^ unknown type
       |
       = help: did you mean `decimal(10,2)`?
    "#);
}

#[tokio::test]
async fn ddl() {
    insta::assert_snapshot!(findings("ddl").await, @"
    error[not-a-select]: a model is a SELECT, not DROP
     --> sql/cheapest/cheapest.sql:1:1
      |
    1 | drop table prices
      | ^^^^ not allowed here
      |
      = help: SQL reads; what is written, the manifest says
    ");
}

#[tokio::test]
async fn default_out_of_range() {
    insta::assert_snapshot!(findings("default-out-of-range").await, @r#"
    error[bad-parameter]: the default of [params.least]: `-1` is not a decimal(6,2) of 0 or more
     --> pipelines/cheapest.toml:8:11
      |
    8 | default = "-1"
      |           ^^^^ not allowed
    "#);
}

#[tokio::test]
async fn doubles_summed() {
    insta::assert_snapshot!(findings("doubles-summed").await, @"
    warning[inexact-sum]: sum over a double hangs on the order of the rows
     --> sql/cheapest/cheapest.sql:4:10
      |
    4 |     cast(sum(cast(price as double)) as decimal(10,2)) as price
      |          ^^^ not exact
      |
      = help: cast to a decimal first, or sum integers
    ");
}

#[tokio::test]
async fn duplicate_alias() {
    insta::assert_snapshot!(findings("duplicate-alias").await, @r#"
    error[duplicate-name]: `dear` already names the pipeline `cheapest`
     --> pipelines/dearest.toml:4:12
      |
    4 | aliases = ["dear"]
      |            ^^^^^^ taken
      |
      = help: choose another alias
    "#);
}

#[tokio::test]
async fn lacking_column() {
    insta::assert_snapshot!(findings("lacking-column").await, @r#"
    error[contract]: the model `cheapest` makes no column `price`
      --> pipelines/cheapest.toml:13:1
       |
    13 | price = "decimal(10,2) not null"
       | ^^^^^ declared here
       |
       = help: it makes product_id, lowest

    error[contract]: the contract does not declare `lowest`, which the model makes
     --> sql/cheapest/cheapest.sql:4:19
      |
    4 |     min(price) as lowest
      |                   ^^^^^^ not in the contract
      |
      = help: add `lowest` to [contract] in pipelines/cheapest.toml
    "#);
}

#[tokio::test]
async fn loose_limit() {
    insta::assert_snapshot!(findings("loose-limit").await, @"
    warning[unordered]: a limit without an order takes other rows each time
     --> sql/cheapest/cheapest.sql:5:28
      |
    5 | from (select * from prices limit 10) as some
      |                            ^^^^^ of which rows?
      |
      = help: add `order by` with a key of the rows before it
    ");
}

#[tokio::test]
async fn many_faults() {
    insta::assert_snapshot!(findings("many-faults").await, @r#"
    error[unknown-column]: there is no column `product`
     --> pipelines/cheapest.toml:4:10
      |
    4 | grain = ["product"]
      |          ^^^^^^^^^ not declared
      |
      = help: did you mean `product_id`?

    error[bad-type]: `decimal` is not a type; known are bigint, double, boolean, text, date, timestamp, decimal(p,s), T[] and struct(name T, …)
     --> pipelines/cheapest.toml:7:8
      |
    7 | type = "decimal"
      |        ^^^^^^^^^ unknown type
      |
      = help: did you mean `decimal(10,2)`?

    error[bad-type]: `decimal(2,9)` is not a type; known are bigint, double, boolean, text, date, timestamp, decimal(p,s), T[] and struct(name T, …)
      --> pipelines/cheapest.toml:13:9
       |
    13 | price = "decimal(2,9)"
       |         ^^^^^^^^^^^^^^ unknown type
       |
       = help: did you mean `decimal(10,2)`?

    error[unknown-column]: there is no column `stor_id`
     --> pipelines/sources.toml:2:22
      |
    2 | key = ["product_id", "stor_id"]
      |                      ^^^^^^^^^ not declared
      |
      = help: did you mean `store_id`?
    "#);
}

#[tokio::test]
async fn misspelt_column() {
    insta::assert_snapshot!(findings("misspelt-column").await, @"
    error[unknown-column]: there is no column `prise`
     --> sql/cheapest/cheapest.sql:4:9
      |
    4 |     min(prise) as price
      |         ^^^^^ unknown column
      |
      = help: did you mean `price`?
    ");
}

#[tokio::test]
async fn misspelt_function() {
    insta::assert_snapshot!(findings("misspelt-function").await, @"
    error[unknown-function]: there is no function `minn`
     --> sql/cheapest/cheapest.sql:4:5
      |
    4 |     minn(price) as price
      |     ^^^^ unknown function
      |
      = help: did you mean `min`?
    ");
}

#[tokio::test]
async fn misspelt_parameter() {
    insta::assert_snapshot!(findings("misspelt-parameter").await, @"
    error[unknown-parameter]: there is no parameter `$lest`
     --> sql/cheapest/cheapest.sql:6:15
      |
    6 | where price > $lest
      |               ^^^^^ not declared
      |
      = help: did you mean `$least`?
    ");
}

#[tokio::test]
async fn misspelt_relation() {
    insta::assert_snapshot!(findings("misspelt-relation").await, @"
    error[unknown-table]: there is no relation `pirces`
     --> sql/cheapest/cheapest.sql:5:6
      |
    5 | from pirces
      |      ^^^^^^ unknown relation
      |
      = help: did you mean `prices`?
    ");
}

#[tokio::test]
async fn model_cycle() {
    insta::assert_snapshot!(findings("model-cycle").await, @"
    error[cycle]: models read each other: cheapest → lows → cheapest
     --> sql/cheapest/cheapest.sql:5:6
      |
    5 | from lows
      |      ^^^^ reads itself in the end
      |
      = help: let one of them read something else
    ");
}

#[tokio::test]
async fn no_output_model() {
    insta::assert_snapshot!(findings("no-output-model").await, @r#"
    error[unknown-model]: there is no model `cheapets`
     --> pipelines/cheapest.toml:2:10
      |
    2 | output = "cheapets"
      |          ^^^^^^^^^^ no such model
      |
      = help: did you mean `cheapest`?
    "#);
}

#[tokio::test]
async fn own_name() {
    insta::assert_snapshot!(findings("own-name").await, @"
    error[cycle]: models read each other: prices → prices
     --> sql/cheapest/prices.sql:2:15
      |
    2 | select * from prices where price > 0
      |               ^^^^^^ reads itself in the end
      |
      = help: a dataset of that name is `export.prices`
    ");
}

#[tokio::test]
async fn pipeline_cycle() {
    insta::assert_snapshot!(findings("pipeline-cycle").await, @"
    error[cycle]: pipelines read each other: cheapest → dearest → cheapest
     --> sql/cheapest/cheapest.sql:5:6
      |
    5 | from dearest
      |      ^^^^^^^ reads itself in the end
      |
      = help: move what both need into a model of its own
    ");
}

#[tokio::test]
async fn private_model() {
    insta::assert_snapshot!(findings("private-model").await, @"
    error[unknown-table]: there is no relation `lows`
     --> sql/dearest/dearest.sql:2:45
      |
    2 | select product_id, max(price) as price from lows group by product_id
      |                                             ^^^^ unknown relation
      |
      = help: `lows` is a model of cheapest, and models are private: read its output `cheapest`
    ");
}

#[tokio::test]
async fn random() {
    insta::assert_snapshot!(findings("random").await, @"
    error[chance]: random() gives another value each time
     --> sql/cheapest/cheapest.sql:6:7
      |
    6 | where random() < 0.5
      |       ^^^^^^ not allowed here
      |
      = help: the same snapshot must give the same artifact: derive the value from the rows
    ");
}

#[tokio::test]
async fn sound() {
    insta::assert_snapshot!(findings("sound").await, @"");
}

#[tokio::test]
async fn syntax() {
    insta::assert_snapshot!(findings("syntax").await, @"
    error[syntax]: expected: end of statement, found: group
     --> sql/cheapest/cheapest.sql:7:1
      |
    7 | group product_id
      | ^^^^^ here
      |
      = help: a comma may be missing before it, or a keyword be misspelt
    ");
}

#[tokio::test]
async fn toml_syntax() {
    insta::assert_snapshot!(findings("toml-syntax").await, @"
    error[toml-syntax]: string values must be quoted, expected literal string
     --> pipelines/cheapest.toml:2:10
      |
    2 | output = cheapest
      |          ^^^^^^^^ here
    ");
}

#[tokio::test]
async fn type_mismatch() {
    insta::assert_snapshot!(findings("type-mismatch").await, @"
    error[sql]: expressions have incompatible types
     --> sql/cheapest/cheapest.sql:2:1
      |
    2 | select
      | ^^^^^^ in this SELECT
      |
      = help: one side is a Decimal128(10, 2), the other a List(Int64)
    ");
}

#[tokio::test]
async fn unknown_file() {
    insta::assert_snapshot!(findings("unknown-file").await, @r#"
    error[bad-file-name]: `cheapest.xlsx` is no file that can be written
     --> pipelines/cheapest.toml:3:8
      |
    3 | file = "cheapest.xlsx"
      |        ^^^^^^^^^^^^^^^ unknown kind of file
      |
      = help: a plain name that ends in .json, .jsonl, .csv, .parquet, .html, .svg or .png
    "#);
}

#[tokio::test]
async fn unknown_grain() {
    insta::assert_snapshot!(findings("unknown-grain").await, @r#"
    error[unknown-column]: there is no column `product`
     --> pipelines/cheapest.toml:4:10
      |
    4 | grain = ["product"]
      |          ^^^^^^^^^ not declared
      |
      = help: did you mean `product_id`?
    "#);
}

#[tokio::test]
async fn unknown_key() {
    insta::assert_snapshot!(findings("unknown-key").await, @r#"
    error[unknown-key]: a pipeline has no key `grane`
     --> pipelines/cheapest.toml:4:1
      |
    4 | grane = ["product_id"]
      | ^^^^^ unknown key
      |
      = help: did you mean `grain`?
    "#);
}

#[tokio::test]
async fn unread_model() {
    insta::assert_snapshot!(findings("unread-model").await, @"
    warning[unread]: nothing reads the model `forgotten`
     --> sql/cheapest/forgotten.sql:1:1
      |
    1 | -- forgotten: one row.
      | ^^^^^^^^^^^^^^^^^^^^^^ is never computed
      |
      = help: read it in another model, or delete the file
    ");
}

#[tokio::test]
async fn wrong_output_type() {
    insta::assert_snapshot!(findings("wrong-output-type").await, @"
    error[contract]: `price` is a double, not a decimal(10,2)
     --> sql/cheapest/cheapest.sql:4:35
      |
    4 |     cast(min(price) as double) as price
      |                                   ^^^^^ this is a double
      |
      = help: write `cast(… as decimal(10,2)) as price`, or declare `double` at pipelines/cheapest.toml:13
    ");
}
