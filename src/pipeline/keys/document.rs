//! The keys for people and for editors: tables of Markdown, and JSON schemas.

use serde_json::{Map, Value, json};

use super::{Default, Key, Named, Section, Values, manifest::MANIFEST, sources::SOURCES};

/// Returns the keys of manifests and of `sources.toml` as Markdown, one table a section.
pub fn markdown_tables() -> String {
    let (mut text, mut seen) = (String::new(), Vec::new());
    for (title, section) in [
        ("`pipelines/<name>.toml`", &MANIFEST),
        ("`pipelines/sources.toml`", &SOURCES),
    ] {
        text += &format!("## {title}\n\n");
        write(section, &mut seen, &mut text);
    }
    text
}

/// Writes a section and those below it, each once.
fn write(section: &'static Section, seen: &mut Vec<&'static Section>, text: &mut String) {
    if seen.iter().any(|known| std::ptr::eq(*known, section)) {
        return;
    }
    seen.push(section);
    if !section.head.is_empty() {
        *text += &format!("### `{}`\n\n", section.head);
    }
    if !section.doc.is_empty() {
        *text += &format!("{}\n\n", section.doc);
    }
    *text += "| key | value | default | meaning | example |\n| --- | --- | --- | --- | --- |\n";
    section.keys.iter().for_each(|key| *text += &row(key));
    section
        .named
        .iter()
        .for_each(|any| *text += &named_row(any));
    *text += "\n";
    let keys = section.keys.iter().map(|key| key.values);
    let any = section.named.iter().map(|any| any.values);
    let below = keys.chain(any).filter_map(Values::section);
    below.for_each(|below| write(below, seen, text));
}

fn row(key: &Key) -> String {
    let Key {
        name,
        values,
        default,
        example,
        doc,
    } = key;
    let default = match default {
        Default::Required => "required".to_owned(),
        Default::Nothing => String::new(),
        Default::Is(text) if is_toml(text) => format!("`{text}`"),
        Default::Is(text) => (*text).to_owned(),
    };
    let values = values.in_words();
    format!("| `{name}` | {values} | {default} | {doc} | `{example}` |\n")
}

fn named_row(named: &Named) -> String {
    let Named {
        what,
        values,
        example,
        doc,
    } = named;
    let values = values.in_words();
    format!("| *{what}* | {values} | | {doc} | `{example}` |\n")
}

fn is_toml(text: &str) -> bool {
    text.starts_with(['"', '[']) || matches!(text, "true" | "false")
}

impl Values {
    fn in_words(self) -> String {
        let or = |texts: &[&str]| {
            let quoted: Vec<String> = texts.iter().map(|text| format!("`\"{text}\"`")).collect();
            quoted.join(" or ")
        };
        match self {
            Values::Text => "a string".to_owned(),
            Values::Texts => "a list of strings".to_owned(),
            Values::Flag => "`true` or `false`".to_owned(),
            Values::Whole => "a whole number".to_owned(),
            Values::Percent => "a percentage".to_owned(),
            Values::Duration => "a duration".to_owned(),
            Values::Scalar => "a string, a number or a boolean".to_owned(),
            Values::OneOf(texts) => or(texts),
            Values::OneOfOrFalse(texts) => format!("{} or `false`", or(texts)),
            Values::Type => "a type".to_owned(),
            Values::TypeOr(_) => "a type, or a table".to_owned(),
            Values::Table(_) => "a table".to_owned(),
            Values::TableOrFalse(_) => "a table, or `false`".to_owned(),
            Values::Tables(_) => "tables".to_owned(),
        }
    }

    fn schema(self) -> Value {
        let one_of = |texts: &[&str]| json!({"type": "string", "enum": texts});
        let off = || json!({"const": false});
        match self {
            Values::Text | Values::Type => json!({"type": "string"}),
            Values::Texts => json!({"type": "array", "items": {"type": "string"}}),
            Values::Flag => json!({"type": "boolean"}),
            Values::Whole => json!({"type": ["integer", "string"]}),
            Values::Percent => json!({"type": "string", "pattern": "^[0-9.]+ *%$"}),
            Values::Duration => json!({"type": "string", "examples": ["90m", "36h", "2d"]}),
            Values::Scalar => json!({"type": ["string", "number", "boolean"]}),
            Values::OneOf(texts) => one_of(texts),
            Values::OneOfOrFalse(texts) => json!({"anyOf": [one_of(texts), off()]}),
            Values::TypeOr(below) => json!({"anyOf": [{"type": "string"}, below.schema()]}),
            Values::Table(below) => below.schema(),
            Values::TableOrFalse(below) => json!({"anyOf": [below.schema(), off()]}),
            Values::Tables(below) => json!({"type": "array", "items": below.schema()}),
        }
    }
}

impl Section {
    fn schema(&self) -> Value {
        let property = |key: &Key| {
            let mut schema = key.values.schema();
            schema["description"] = key.doc.into();
            (key.name.to_owned(), schema)
        };
        let properties: Map<String, Value> = self.keys.iter().map(property).collect();
        let required = self
            .keys
            .iter()
            .filter(|key| matches!(key.default, Default::Required));
        let required: Vec<&str> = required.map(|key| key.name).collect();
        let others = self.named.as_ref().map_or(Value::Bool(false), |named| {
            let mut schema = named.values.schema();
            schema["description"] = named.doc.into();
            schema
        });
        let mut schema = json!({
            "type": "object",
            "properties": properties,
            "additionalProperties": others,
        });
        if !required.is_empty() {
            schema["required"] = required.into();
        }
        schema
    }
}

/// Returns the JSON schema of a manifest, which editors check the file by.
pub fn manifest_schema() -> Value {
    of_file(&MANIFEST, "pipelines/<name>.toml")
}

/// Returns the JSON schema of `pipelines/sources.toml`.
pub fn sources_schema() -> Value {
    of_file(&SOURCES, "pipelines/sources.toml")
}

fn of_file(section: &Section, title: &str) -> Value {
    let mut schema = section.schema();
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["title"] = title.into();
    schema
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{
        diagnostics::{Code, Finding},
        pipeline::Project,
    };

    /// Returns what is wrong in a project of this manifest or this `sources.toml`.
    fn faults(file: &str, text: &str) -> Vec<Finding> {
        let folder = tempfile::tempdir().unwrap();
        let sources = "[products]\nkey = [\"id\"]\n[products.columns]\nid = \"bigint not null\"\n";
        let model = "-- best_offers: one row per product_id.\n\
            select id as product_id, cast(1 as decimal(10,2)) as price from products\n";
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("pipelines/sources.toml", sources);
        write("sql/offers/best_offers.sql", model);
        write("sql/offers/brands.csv", "code\n7\n");
        write(
            "sql/offers/checks/no_free_lunch.sql",
            "select * from best_offers where price = 0",
        );
        write(file, text);
        let mut found = match Project::load(folder.path()) {
            Ok(project) => project.warnings,
            Err(findings) => findings.0,
        };
        // No model reads the seed.
        found.retain(|finding| finding.code != Code::UnusedFile);
        found
    }

    const MANIFEST_FILE: &str = "pipelines/offers.toml";

    /// Returns a manifest of the examples of all keys; `other` stands for that of one key.
    fn manifest(key: &str, other: Option<&str>) -> String {
        let line = |known: &Key| match other {
            Some(other) if known.name == key => other.to_owned(),
            // Datasets of the example are not those of the test.
            _ if known.name == "optional" => "optional = [\"products\"]".to_owned(),
            _ => known.example.to_owned(),
        };
        let lines: Vec<String> = MANIFEST.keys.iter().map(line).collect();
        lines.join("\n")
    }

    #[test]
    fn every_example_is_accepted() {
        let found = faults(MANIFEST_FILE, &manifest("", None));
        assert!(found.is_empty(), "{found:#?}");
        let inside = |section: &Section| {
            // The values of the one example are not of the other's type.
            let keys = section.keys.iter().filter(|key| key.name != "one_of");
            let lines: Vec<&str> = keys.map(|key| key.example).collect();
            lines.join(", ")
        };
        for (key, other) in [
            (
                "params",
                format!("params = {{ x = {{ {} }} }}", inside(&super::super::PARAM)),
            ),
            (
                "checks",
                format!("checks = {{ {} }}", inside(&super::super::ALL_CHECKS)),
            ),
            (
                "checks",
                format!(
                    "checks = {{ rows = {{ {} }} }}",
                    inside(&super::super::ROWS)
                ),
            ),
            (
                "checks",
                format!(
                    "checks = {{ change = {{ {} }} }}",
                    inside(&super::super::CHANGE)
                ),
            ),
            (
                "checks",
                format!(
                    "checks = {{ age = {{ {} }} }}",
                    inside(&super::super::LIMIT)
                ),
            ),
            (
                "checks",
                format!(
                    "checks = {{ no_free_lunch = {{ {} }} }}",
                    inside(&super::super::RULE)
                ),
            ),
            (
                "update",
                format!("update = [{{ {} }}]", inside(&super::super::UPDATE)),
            ),
            (
                "contract",
                format!(
                    "contract = {{ product_id = \"bigint not null\", price = {{ {} }} }}",
                    inside(&super::super::COLUMN)
                ),
            ),
        ] {
            let text = manifest(key, Some(&other));
            let found = faults(MANIFEST_FILE, &text);
            assert!(found.is_empty(), "{text}\n{found:#?}");
        }
    }

    #[test]
    fn every_key_is_read() {
        for key in MANIFEST.keys {
            // No key is a day.
            let wrong = format!("{} = 2026-11-27", key.name);
            let found = faults(MANIFEST_FILE, &manifest(key.name, Some(&wrong)));
            let is_found = found.iter().any(|finding| finding.code == Code::WrongType);
            assert!(is_found, "{}: {found:#?}", key.name);
        }
    }

    #[test]
    fn a_dataset_of_the_examples_is_accepted() {
        let lines = |section: &Section| {
            let lines: Vec<&str> = section.keys.iter().map(|key| key.example).collect();
            lines.join("\n")
        };
        let dataset = lines(&super::super::DATASET)
            .replace(
                "key = [\"product_id\", \"store_id\"]",
                "key = [\"product_id\"]",
            )
            .replace(
                "prefer = [\"price_record_id desc\", \"price\"]",
                "prefer = [\"price desc\"]",
            );
        let checks = lines(&super::super::SHARED_CHECKS);
        let text = format!(
            "[checks]\n{checks}\n[prices]\n{dataset}\n\
            [products]\nkey = [\"id\"]\n[products.columns]\nid = \"bigint not null\"\n"
        );
        let found = faults("pipelines/sources.toml", &text);
        let wrong = found.iter().filter(|it| it.code != Code::MissingFile);
        let wrong: Vec<_> = wrong.collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn the_documented_tables_are_the_registry() {
        let page = include_str!("../../docs/manifest.md");
        let tables = markdown_tables();
        assert!(page.contains(&tables), "should hold:\n{tables}");
    }

    #[test]
    fn the_schemas_know_every_key_and_no_other() {
        let manifest = manifest_schema();
        assert_eq!(manifest["additionalProperties"], false);
        for key in MANIFEST.keys {
            let description = &manifest["properties"][key.name]["description"];
            assert_eq!(*description, key.doc, "{}", key.name);
        }
        let required = ["description", "output", "file", "contract"];
        assert_eq!(manifest["required"], json!(required));
        let dataset = &sources_schema()["additionalProperties"];
        assert_eq!(dataset["required"], json!(["key", "columns"]));
    }

    #[test]
    fn every_shipped_file_has_known_keys_only() {
        let project = Project::load(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
        assert!(project.warnings.is_empty(), "{:#?}", project.warnings);
    }
}
