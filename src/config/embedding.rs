//! What `embed` embeds with: the table `[embedding]`.

use std::path::{Path, PathBuf};

use super::{Error, Result, StoreOptions, file::EmbeddingTable, rooted};
use crate::diagnostics::nearest;

/// The models by the names they have in `pricemill.toml`.
const MODELS: [&str; 3] = ["ngram", "minilm", "file"];

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
            EmbeddingModel::Ngram => "ngram",
            EmbeddingModel::Minilm { .. } => "minilm",
            EmbeddingModel::File { .. } => "file",
        }
    }

    fn of(table: &EmbeddingTable, root: &Path) -> Result<EmbeddingModel> {
        let path = |what: &str| {
            let lacks = || value("path", format!("`{}` needs {what}", table.model()));
            table.path.as_deref().ok_or_else(lacks)
        };
        match table.model() {
            "ngram" if table.path.is_some() => Err(value(
                "path",
                "the model `ngram` reads no file; set `model` as well".to_owned(),
            )),
            "ngram" => Ok(EmbeddingModel::Ngram),
            "minilm" => Ok(EmbeddingModel::Minilm {
                folder: root.join(path("the model's folder")?),
            }),
            "file" => Ok(EmbeddingModel::File {
                path: rooted(root, path("a Parquet file of texts and vectors")?),
            }),
            other => Err(value("model", unknown(other))),
        }
    }
}

impl EmbeddingConfig {
    pub(super) fn of(
        table: &EmbeddingTable,
        root: &Path,
        data: &str,
        store: &StoreOptions,
    ) -> Result<EmbeddingConfig> {
        Ok(EmbeddingConfig {
            model: EmbeddingModel::of(table, root)?,
            cache: Some(format!("{}/embeddings", data.trim_end_matches('/'))),
            store: store.clone(),
        })
    }
}

impl EmbeddingTable {
    fn model(&self) -> &str {
        self.model.as_deref().unwrap_or(MODELS[0])
    }
}

fn unknown(model: &str) -> String {
    match nearest(model, MODELS) {
        Some(near) => format!("`{model}` is no model; did you mean `{near}`?"),
        None => format!("`{model}` is no model; there are {}", MODELS.join(", ")),
    }
}

fn value(key: &str, reason: String) -> Error {
    Error::Value {
        key: format!("embedding.{key}"),
        reason,
    }
}
