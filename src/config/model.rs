//! The embedding models by the names that they have in `pricemill.toml`.

use serde_json::json;

use super::value::{Raw, Value};
use crate::diagnostics::suggestion;

/// A model's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Model {
    Ngram,
    Minilm,
    File,
}

impl Model {
    const ALL: [Model; 3] = [Model::Ngram, Model::Minilm, Model::File];

    pub(super) fn name(self) -> &'static str {
        match self {
            Model::Ngram => "ngram",
            Model::Minilm => "minilm",
            Model::File => "file",
        }
    }
}

impl Value for Model {
    const WHAT: &'static str = "the name of a model";

    fn read(raw: &Raw) -> Option<Model> {
        let name = raw.text()?;
        Model::ALL.into_iter().find(|model| model.name() == name)
    }

    fn as_toml(&self) -> Option<String> {
        Some(format!("\"{}\"", self.name()))
    }

    fn schema() -> serde_json::Value {
        json!({"enum": Model::ALL.map(Model::name)})
    }

    fn help(raw: &Raw, _: &str) -> String {
        let names = Model::ALL.map(Model::name);
        let suggestion = raw.text().and_then(|name| suggestion(name, names));
        suggestion.unwrap_or_else(|| format!("the models are {}", names.join(", ")))
    }
}
