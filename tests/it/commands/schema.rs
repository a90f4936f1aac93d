//! `pricemill schema`: what editors check `pricemill.toml` by.

use pricemill::config;
use serde_json::Value;

use crate::support::{screen::screen, world::World};

#[test]
fn schema_prints_the_settings_even_where_they_are_broken() {
    let world = World::new();
    world.write("pricemill.toml", "= broken");
    let said = world.run(&["schema"]).ends(0);
    assert_eq!(said.err, "");
    let schema: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(schema, config::schema());
    assert_eq!(schema["title"], "pricemill.toml");
    let fetch = &schema["properties"]["fetch"];
    insta::assert_snapshot!(format!("{:#}", fetch["properties"]["patience"]), @r#"
    {
      "default": "10m",
      "description": "how long to retry one request, waits included",
      "examples": [
        "30s",
        "10m",
        "36h"
      ],
      "type": "string"
    }
    "#);
}

#[test]
fn schema_prints_those_of_manifests_and_of_sources() {
    let world = World::new();
    let schema = |file: &str| {
        let said = world.run(&["schema", file]).ends(0);
        serde_json::from_str::<Value>(&said.out).unwrap()
    };
    let manifest = schema("manifest");
    assert_eq!(manifest["title"], "pipelines/<name>.toml");
    insta::assert_snapshot!(format!("{:#}", manifest["properties"]["order"]), @r#"
    {
      "description": "The columns that the rows of the file are sorted by, ascending.",
      "items": {
        "type": "string"
      },
      "type": "array"
    }
    "#);
    let sources = schema("sources");
    assert_eq!(sources["title"], "pipelines/sources.toml");
    assert_eq!(schema("settings"), config::schema());
}

#[test]
fn describe_prints_the_columns_of_a_relation_or_of_a_query() {
    let world = World::new();
    let query = |sql: &str| world.run(&["query", sql]);
    screen!(query("describe companies").ends(0).out, @"
    column  type             unit  doc
    id      bigint not null  -     The company.
    name    text not null    -     Its name, as in stores.
    ");
    let of_show = world.run(&["show", "companies", "--schema"]).ends(0).out;
    assert_eq!(query("DESC companies;").ends(0).out, of_show);
    screen!(query("describe select id, name as called from companies").ends(0).out, @"
    column  type             unit  doc
    id      bigint not null  -     -
    called  text not null    -     -
    ");
    query("describe companeis")
        .ends(2)
        .tells("did you mean `companies`?");
    let json = world.run(&["query", "describe companies", "--output", "json"]);
    let report: Value = serde_json::from_str(&json.ends(0).out).unwrap();
    assert_eq!(report["columns"][0]["name"], "id");
    assert_eq!(report["columns"][0]["nullable"], false);
}
