//! The settings for people and for editors: the file that `new` writes, the table of
//! the documentation, the JSON schema.

use serde_json::{Map, Value, json};

use super::{
    profile::DEV_SERVER,
    settings::{ALL, Setting, split, variable},
};

/// The column where comments begin.
const COMMENT: usize = 40;

const HEAD: &str = "\
# Every key has a default; the lines that are commented out show it, or an example.
# An environment variable PRICEMILL_<TABLE>_<KEY> overrides a key; ${NAME} in a
# profile is read from the environment when that profile is used. Secrets come
# from there only: INTERNAL_API_KEY, AWS_ACCESS_KEY_ID and the like.
";

/// Returns a `pricemill.toml` with every key, commented out.
pub fn default_file() -> String {
    let mut text = HEAD.to_owned();
    let mut table = None;
    for setting in ALL {
        let (its_table, name) = split(setting.path());
        if table != Some(its_table) {
            table = Some(its_table);
            text += "\n";
            text += &head_of(its_table);
        }
        let shown = setting.default();
        let shown = shown.as_deref().unwrap_or(setting.example());
        text += &line(&format!("{name} = {shown}"), setting.doc());
    }
    text
}

fn head_of(table: &str) -> String {
    match table {
        "" => String::new(),
        "profile.*" => {
            let dev = line("[profile.dev]", "--dev");
            let server = line(&format!("server = \"{DEV_SERVER}\""), "");
            let prod = line("[profile.prod]", "--profile prod");
            format!("{dev}{server}\n{prod}")
        }
        table => line(&format!("[{table}]"), ""),
    }
}

fn line(code: &str, comment: &str) -> String {
    let code = format!("# {code}");
    match comment {
        "" => format!("{code}\n"),
        comment => format!("{code:<COMMENT$}# {comment}\n"),
    }
}

/// Returns the settings as a table of Markdown, one row a key.
pub fn markdown_table() -> String {
    let mut text = "| key | value | default | environment | what it is | example |\n\
        | --- | --- | --- | --- | --- | --- |\n"
        .to_owned();
    for setting in ALL {
        let path = setting.path().replace('*', "NAME");
        let default = setting.default().map(|toml| format!("`{toml}`"));
        let (default, variable) = (default.unwrap_or_default(), variable(&path));
        let (what, doc, example) = (setting.what(), setting.doc(), setting.example());
        text +=
            &format!("| `{path}` | {what} | {default} | `{variable}` | {doc} | `{example}` |\n");
    }
    text
}

/// Returns the JSON schema of `pricemill.toml`, which editors check the file by.
pub fn schema() -> Value {
    let mut root = object(Map::new());
    for setting in ALL {
        let mut names = setting.path().split('.').peekable();
        let mut table = &mut root;
        while let Some(name) = names.next() {
            let is_key = names.peek().is_none();
            let child = match name {
                "*" => &mut table["additionalProperties"],
                name => &mut table["properties"][name],
            };
            if is_key {
                *child = of_setting(*setting);
            } else if !child.is_object() {
                *child = object(Map::new());
            }
            table = child;
        }
    }
    root["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    root["title"] = super::FILE.into();
    root
}

fn object(properties: Map<String, Value>) -> Value {
    json!({"type": "object", "properties": properties, "additionalProperties": false})
}

fn of_setting(setting: &dyn Setting) -> Value {
    let mut schema = setting.schema();
    schema["description"] = setting.doc().into();
    let default = setting.default();
    if let Some(default) = default.and_then(|toml| serde_json::from_str::<Value>(&toml).ok()) {
        schema["default"] = default;
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_file_is_the_registry() {
        assert_eq!(include_str!("../../pricemill.toml"), default_file());
    }

    #[test]
    fn the_documented_table_is_the_registry() {
        let page = include_str!("../docs/settings.md");
        assert!(
            page.contains(&markdown_table()),
            "should hold:\n{}",
            markdown_table()
        );
    }

    #[test]
    fn the_schema_knows_every_key_and_no_other() {
        let schema = schema();
        for setting in ALL {
            let pointer = setting.path().replace(".*.", "/additionalProperties/");
            let pointer = pointer.replace('.', "/").replace('/', "/properties/");
            let pointer =
                pointer.replace("/properties/additionalProperties", "/additionalProperties");
            let found = schema.pointer(&format!("/properties/{pointer}"));
            let description = found.and_then(|found| found["description"].as_str());
            assert_eq!(description, Some(setting.doc()), "{}", setting.path());
        }
        assert_eq!(schema["properties"]["fetch"]["additionalProperties"], false);
        assert_eq!(
            schema["properties"]["fetch"]["properties"]["patience"]["default"],
            "10m"
        );
        assert_eq!(
            schema["properties"]["profile"]["additionalProperties"]["additionalProperties"],
            false
        );
    }
}
