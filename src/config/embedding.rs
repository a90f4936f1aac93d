//! What `embed` embeds with: the table `[embedding]`.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::{
    Result, StoreOptions, rooted,
    settings::{EMBEDDING_MODEL, EMBEDDING_PATH},
    value::{Raw, Value},
    written::Written,
};
use crate::diagnostics::suggestion;

/// What `embed` embeds with, and where vectors are kept.
#[derive(Debug, Clone, Default)]
pub struct EmbeddingConfig {
    /// The model.
    pub model: EmbeddingModel,
    /// The folder or URL where vectors that took long are kept; nowhere if none.
    pub cache: Option<String>,
    /// The options of the stores that `cache` and a model's path may be on.
    pub store: StoreOptions,
}

/// The models by the names they have in `pricemill.toml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Model {
    Ngram,
    Minilm,
    File,
}

/// A model that makes vectors of texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum EmbeddingModel {
    /// The built-in character n-grams.
    #[default]
    Ngram,
    /// all-MiniLM-L6-v2, or another BERT of its form, from a folder.
    Minilm {
        /// `config.json`, `tokenizer.json` and `model.safetensors` are here.
        folder: PathBuf,
    },
    /// Vectors made elsewhere.
    File {
        /// A Parquet file, or a folder of them: a path or a URL.
        path: String,
    },
}

impl EmbeddingModel {
    /// Returns the model's name in `pricemill.toml`.
    pub fn name(&self) -> &'static str {
        match self {
            EmbeddingModel::Ngram => Model::Ngram.name(),
            EmbeddingModel::Minilm { .. } => Model::Minilm.name(),
            EmbeddingModel::File { .. } => Model::File.name(),
        }
    }

    fn of(written: &Written, root: &Path) -> Result<EmbeddingModel> {
        let model = written.get(&EMBEDDING_MODEL);
        let path = written.get(&EMBEDDING_PATH);
        let needed = |what: &str| {
            let lacks = || {
                let reason = format!("is `{}`, which needs {what}: set `path` too", model.name());
                written.unusable(EMBEDDING_MODEL.path, &reason)
            };
            path.as_deref().ok_or_else(lacks)
        };
        match model {
            Model::Ngram if path.is_some() => Err(written.unusable(
                EMBEDDING_PATH.path,
                "has no effect: the model `ngram` reads no file; set `model` too",
            )),
            Model::Ngram => Ok(EmbeddingModel::Ngram),
            Model::Minilm => Ok(EmbeddingModel::Minilm {
                folder: root.join(needed("the model's folder")?),
            }),
            Model::File => Ok(EmbeddingModel::File {
                path: rooted(root, needed("a Parquet file of texts and vectors")?),
            }),
        }
    }
}

impl EmbeddingConfig {
    pub(super) fn of(
        written: &Written,
        root: &Path,
        data: &str,
        store: &StoreOptions,
    ) -> Result<EmbeddingConfig> {
        Ok(EmbeddingConfig {
            model: EmbeddingModel::of(written, root)?,
            cache: Some(format!("{}/embeddings", data.trim_end_matches('/'))),
            store: store.clone(),
        })
    }
}

impl Model {
    const ALL: [Model; 3] = [Model::Ngram, Model::Minilm, Model::File];

    fn name(self) -> &'static str {
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
        suggestion.unwrap_or_else(|| format!("there are {}", names.join(", ")))
    }
}
