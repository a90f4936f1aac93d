//! `pricemill schema`: what editors check `pricemill.toml` by.

use pricemill::config;
use serde_json::Value;

use crate::support::world::World;

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
