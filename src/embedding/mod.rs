//! Texts become vectors that are close where the texts mean alike.
//!
//! ```text
//! [embedding] ─► Embedder: ngram, minilm, file ─► VectorCache: data/embeddings/<name>/ ─► embed(text)
//! ```
//!
//! An embedder takes texts and returns unit vectors of `f32`, of one dimension; the same
//! text has the same vector, whatever texts come with it and however many threads there
//! are. Its name identifies its vectors: another model, or other weights, have another.
//! Vectors that are slow to compute are cached (`vector_cache`), as files of vectors
//! (`vector_files`).
//! A session opens its model when the first text comes.

#[cfg(feature = "minilm")]
mod bert;
mod error;
#[cfg(feature = "minilm")]
mod gelu;
#[cfg(feature = "minilm")]
mod in_place;
#[cfg(feature = "minilm")]
mod minilm;
mod ngram;
mod object;
mod vector_cache;
mod vector_files;
mod vectors;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use datafusion::{common::Result, prelude::SessionConfig};
use tokio::sync::{OnceCell, Semaphore};

pub use error::Error;
pub(super) use vector_files::{to_lists, vector_type};

use crate::{
    clock::Stopwatch,
    config::{EmbeddingConfig, EmbeddingModel},
};
use vector_cache::VectorCache;

/// A text on its way to an embedder.
pub(super) type Text = Arc<str>;

/// Makes vectors of texts.
#[async_trait]
pub(super) trait Embedder: fmt::Debug + Send + Sync {
    /// Returns the name that identifies the vectors: it is also the name of a folder.
    fn name(&self) -> &str;

    /// Returns how many numbers a vector has.
    fn dimension(&self) -> usize;

    /// Returns the texts' vectors, one after the other. Each has length 1, or is all
    /// zeros where the text has nothing to embed. Dropping the future stops the work.
    async fn embed(&self, texts: &[Text]) -> Result<Vec<f32>>;

    /// Returns how many of all texts so far had a vector in the cache.
    fn found(&self) -> u64 {
        0
    }
}

/// The model of a session, and what it has done.
#[derive(Debug)]
pub(super) struct Embedding {
    config: EmbeddingConfig,
    threads: usize,
    model: OnceCell<Arc<dyn Embedder>>,
    /// One batch at a time has all the threads.
    turn: Semaphore,
    texts: AtomicU64,
    micros: AtomicU64,
}

/// What was embedded, and what it took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Embedded {
    /// Texts, each once a batch.
    pub texts: u64,
    /// Those of them whose vectors were in the cache.
    pub found: u64,
    /// How long it took, in microseconds.
    pub micros: u64,
}

impl Embedding {
    pub(super) fn new(config: &EmbeddingConfig, threads: usize) -> Embedding {
        Embedding {
            config: config.clone(),
            threads,
            model: OnceCell::new(),
            turn: Semaphore::new(1),
            texts: AtomicU64::new(0),
            micros: AtomicU64::new(0),
        }
    }

    /// Returns the session's.
    pub(super) fn of(session: &SessionConfig) -> Arc<Embedding> {
        let default = || Arc::new(Embedding::new(&EmbeddingConfig::default(), 1));
        session.get_extension().unwrap_or_else(default)
    }

    /// Returns the model's name in `pricemill.toml`.
    pub(super) fn setting(&self) -> &'static str {
        self.config.model.name()
    }

    /// Opens the model, once.
    pub(super) async fn model(&self) -> Result<&Arc<dyn Embedder>> {
        let open = || open(&self.config, self.threads);
        self.model.get_or_try_init(open).await
    }

    /// Returns the texts' vectors, one after the other.
    pub(super) async fn embed(&self, texts: &[Text]) -> Result<Vec<f32>> {
        let model = self.model().await?;
        let _turn = self.turn.acquire().await.map_err(Error::Stopped)?;
        let started = Stopwatch::start();
        let vectors = model.embed(texts).await?;
        let micros = started.elapsed().as_micros() as u64;
        self.texts.fetch_add(texts.len() as u64, Ordering::Relaxed);
        self.micros.fetch_add(micros, Ordering::Relaxed);
        Ok(vectors)
    }

    /// Returns what was embedded so far.
    pub(super) fn embedded(&self) -> Embedded {
        Embedded {
            texts: self.texts.load(Ordering::Relaxed),
            found: self.model.get().map_or(0, |model| model.found()),
            micros: self.micros.load(Ordering::Relaxed),
        }
    }
}

impl Embedded {
    /// Returns what came after `before`.
    pub(super) fn since(self, before: Embedded) -> Embedded {
        Embedded {
            texts: self.texts - before.texts,
            found: self.found - before.found,
            micros: self.micros - before.micros,
        }
    }

    /// Returns how long it took.
    pub fn elapsed(self) -> Duration {
        Duration::from_micros(self.micros)
    }
}

async fn open(config: &EmbeddingConfig, threads: usize) -> Result<Arc<dyn Embedder>> {
    match &config.model {
        EmbeddingModel::Ngram => Ok(Arc::new(ngram::Ngram)),
        EmbeddingModel::Minilm { folder } => {
            let model = minilm(folder, threads).await?;
            match &config.cache {
                Some(cache) => Ok(Arc::new(
                    VectorCache::open(model, cache, &config.store).await?,
                )),
                None => Ok(model),
            }
        }
        EmbeddingModel::File { path } => {
            let file = vectors::Vectors::open(path, &config.store).await?;
            Ok(Arc::new(file))
        }
    }
}

#[cfg(feature = "minilm")]
async fn minilm(folder: &std::path::Path, threads: usize) -> Result<Arc<dyn Embedder>> {
    Ok(Arc::new(minilm::Minilm::open(folder, threads).await?))
}

#[cfg(not(feature = "minilm"))]
async fn minilm(_: &std::path::Path, _: usize) -> Result<Arc<dyn Embedder>> {
    Err(Error::NotBuilt.into())
}

/// Returns the numbers scaled to length 1; all zeros stay.
fn unit(numbers: &[f64]) -> Vec<f32> {
    let squares: f64 = numbers.iter().map(|number| number * number).sum();
    let length = if squares == 0.0 { 1.0 } else { squares.sqrt() };
    numbers
        .iter()
        .map(|number| (number / length) as f32)
        .collect()
}
