//! all-MiniLM-L6-v2, or another BERT of its form, from a folder, in this process.
//!
//! The folder holds `config.json`, `tokenizer.json` and `model.safetensors`, as the model
//! is published (<https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2>). As
//! there, a text is cut after 256 tokens, and its vector is the mean over its tokens.
//! Weights are `f32`, in candle; vectors agree with sentence-transformers' to a few units
//! of the seventh digit.
//!
//! A batch holds texts of one length in tokens, so that nothing is padded: padding changes
//! a vector's last bits, the size of a batch and threads were seen not to. Those bits may
//! differ on another kind of processor; cached vectors stay as they are. The name identifies
//! the bytes of the three files.
//!
//! Cost: some 2 ms a text of ten tokens on one core, all threads of the session at
//! once. Memory, beside the engine's own: 90 MB of weights, and some 20 MB a thread.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use datafusion::common::Result;
use rayon::{ThreadPool, ThreadPoolBuilder};
use tokenizers::{Tokenizer, TruncationParams};

use super::{
    Embedder, Error, Text,
    bert::{Bert, Config},
    unit,
};
use crate::{
    artifact::digest::Digest,
    work::workers::{Workers, while_awaited},
};

/// Tokens a text; what comes after does not count.
const MAX_TOKENS: usize = 256;
/// Tokens a batch: more hardly make it faster.
const BATCH_TOKENS: usize = 1024;

/// The model of a folder.
#[derive(Debug)]
pub(super) struct Minilm {
    name: String,
    dimension: usize,
    threads: usize,
    loaded: Arc<Loaded>,
}

struct Loaded {
    name: String,
    tokenizer: Tokenizer,
    bert: Bert,
}

impl fmt::Debug for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// The tokens of a text, and its place among the texts.
type Tokens = (usize, Vec<u32>);

impl Minilm {
    /// Reads the model of a folder.
    pub(super) async fn open(folder: &Path, threads: usize) -> Result<Minilm> {
        let folder = folder.to_owned();
        let load = move || load(&folder, threads);
        let loaded = tokio::task::spawn_blocking(load).await;
        let loaded = loaded.map_err(|error| failed("minilm", error))?;
        Ok(loaded?)
    }
}

fn load(folder: &Path, threads: usize) -> Result<Minilm, Error> {
    let read = |name: &str| -> Result<(PathBuf, Vec<u8>), Error> {
        let path = folder.join(name);
        let failed = |source| Error::Read {
            path: path.clone(),
            source,
        };
        let bytes = std::fs::read(&path).map_err(failed)?;
        Ok((path, bytes))
    };
    let (config_path, config) = read("config.json")?;
    let (tokenizer_path, tokenizer) = read("tokenizer.json")?;
    let (weights_path, weights) = read("model.safetensors")?;
    let digests = [&config, &tokenizer, &weights].map(|bytes| Digest::of_bytes(bytes).sha256);
    let digest =
        Digest::of_bytes(digests.each_ref().map(|hash| &**hash).concat().as_bytes()).sha256;
    let config: Config = serde_json::from_slice(&config).map_err(unusable(&config_path))?;
    let dimension = config.hidden_size;
    let name = format!("minilm-{}", &digest[..16]);
    let loaded = Loaded {
        name: name.clone(),
        tokenizer: tokenizer_of(&tokenizer, &config).map_err(unusable(&tokenizer_path))?,
        bert: bert(weights, &config).map_err(unusable(&weights_path))?,
    };
    Ok(Minilm {
        name,
        dimension,
        threads,
        loaded: Arc::new(loaded),
    })
}

fn tokenizer_of(bytes: &[u8], config: &Config) -> tokenizers::Result<Tokenizer> {
    let mut tokenizer = Tokenizer::from_bytes(bytes)?;
    tokenizer.with_padding(None);
    tokenizer.with_truncation(Some(TruncationParams {
        max_length: MAX_TOKENS.min(config.max_position_embeddings),
        ..TruncationParams::default()
    }))?;
    Ok(tokenizer)
}

fn bert(weights: Vec<u8>, config: &Config) -> candle_core::Result<Bert> {
    let weights = VarBuilder::from_buffered_safetensors(weights, DType::F32, &Device::Cpu)?;
    Bert::load(weights, config)
}

#[async_trait]
impl Embedder for Minilm {
    fn name(&self) -> &str {
        &self.name
    }

    fn dimension(&self) -> usize {
        self.dimension
    }

    async fn embed(&self, texts: &[Text]) -> Result<Vec<f32>> {
        let (loaded, texts, dimension) = (self.loaded.clone(), texts.to_vec(), self.dimension);
        while_awaited("embed", self.threads, move |workers| {
            let batches = batches(&loaded, &texts, workers)?;
            let done = embed(&loaded, &batches, workers)?;
            let mut vectors = vec![0.0; texts.len() * dimension];
            for (text, vector) in done {
                if vector.iter().any(|number| !number.is_finite()) {
                    return Err(
                        failed(&loaded.name, "it returned a value that is not a number").into(),
                    );
                }
                vectors[text * dimension..][..dimension].copy_from_slice(&vector);
            }
            Ok(vectors)
        })
        .await
    }
}

/// Returns the texts' tokens, in batches of one length.
fn batches(loaded: &Loaded, texts: &[Text], workers: &Workers) -> Result<Vec<Vec<Tokens>>> {
    let tokens = |done: &mut Vec<Tokens>, text: usize| {
        let encoded = loaded.tokenizer.encode(&*texts[text], true);
        let encoded = encoded.map_err(|error| failed(&loaded.name, error))?;
        done.push((text, encoded.get_ids().to_vec()));
        Ok(())
    };
    let all = workers.each(texts.len(), Vec::new, tokens)?;
    let mut by_length: BTreeMap<usize, Vec<Tokens>> = BTreeMap::new();
    for (text, tokens) in all.into_iter().flatten() {
        by_length
            .entry(tokens.len())
            .or_default()
            .push((text, tokens));
    }
    // The longest first: what is left for last is short.
    let batches = by_length.into_iter().rev().flat_map(|(length, texts)| {
        let size = (BATCH_TOKENS / length.max(1)).max(1);
        texts
            .chunks(size)
            .map(<[Tokens]>::to_vec)
            .collect::<Vec<_>>()
    });
    Ok(batches.collect())
}

/// What a thread has done, and a pool of one thread for what the model would otherwise do on
/// all of them.
struct Thread {
    pool: Result<ThreadPool, rayon::ThreadPoolBuildError>,
    done: Vec<(usize, Vec<f32>)>,
}

fn embed(
    loaded: &Loaded,
    batches: &[Vec<Tokens>],
    workers: &Workers,
) -> Result<Vec<(usize, Vec<f32>)>> {
    let thread = || Thread {
        pool: ThreadPoolBuilder::new().num_threads(1).build(),
        done: Vec::new(),
    };
    let embed = |thread: &mut Thread, batch: usize| {
        let batch = &batches[batch];
        let pool = thread.pool.as_ref();
        let pool = pool.map_err(|error| failed(&loaded.name, error.to_string()))?;
        let vectors = pool.install(|| forward(&loaded.bert, batch));
        let vectors = vectors.map_err(|error| failed(&loaded.name, error))?;
        let texts = batch.iter().map(|(text, _)| *text);
        thread.done.extend(texts.zip(vectors));
        Ok(())
    };
    let threads = workers.each(batches.len(), thread, embed)?;
    Ok(threads.into_iter().flat_map(|thread| thread.done).collect())
}

/// Returns the vectors of a batch.
fn forward(bert: &Bert, batch: &[Tokens]) -> candle_core::Result<Vec<Vec<f32>>> {
    let length = batch[0].1.len();
    let ids: Vec<u32> = batch.iter().flat_map(|(_, ids)| ids).copied().collect();
    let ids = Tensor::from_vec(ids, (batch.len(), length), &Device::Cpu)?;
    let hidden = bert.forward(&ids)?;
    let dimension = hidden.dim(2)?;
    let numbers: Vec<f32> = hidden.flatten_all()?.to_vec1()?;
    let texts = numbers.chunks(length * dimension);
    Ok(texts.map(|tokens| mean(tokens, dimension)).collect())
}

/// Returns the mean of the tokens' vectors, with length 1.
fn mean(tokens: &[f32], dimension: usize) -> Vec<f32> {
    let mut sums = vec![0.0; dimension];
    for token in tokens.chunks(dimension) {
        for (sum, number) in sums.iter_mut().zip(token) {
            *sum += f64::from(*number);
        }
    }
    unit(&sums)
}

fn unusable<E: Into<Box<dyn std::error::Error + Send + Sync>>>(
    path: &Path,
) -> impl Fn(E) -> Error + use<E> {
    let path: PathBuf = path.to_owned();
    move |source| Error::Model {
        path: path.clone(),
        source: source.into(),
    }
}

fn failed(name: &str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Failed {
        name: name.to_owned(),
        source: source.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use datafusion::{
        arrow::array::AsArray, parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder,
    };

    use super::*;
    use crate::{config::StoreOptions, embedding::vectors::Vectors};

    const REFERENCE: &str = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/minilm/reference.parquet"
    );

    /// Opens the real model, if the environment says where it is.
    async fn open(threads: usize) -> Option<Minilm> {
        #[expect(clippy::disallowed_methods, reason = "a test's data, and no setting")]
        let folder = std::env::var_os("PRICEMILL_TEST_MINILM")?;
        Some(Minilm::open(Path::new(&folder), threads).await.unwrap())
    }

    fn texts() -> Vec<Text> {
        let file = File::open(REFERENCE).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
        let batch = reader.build().unwrap().next().unwrap().unwrap();
        let texts = batch.column(0).as_string::<i32>().iter();
        texts.map(|text| Text::from(text.unwrap())).collect()
    }

    #[tokio::test]
    async fn vectors_are_those_of_sentence_transformers() {
        let Some(model) = open(2).await else { return };
        let texts = texts();
        let ours = model.embed(&texts).await.unwrap();
        let reference = Vectors::open(REFERENCE, &StoreOptions::default()).await;
        let theirs = reference.unwrap().embed(&texts).await.unwrap();
        assert_eq!((texts.len(), model.dimension()), (55, 384));
        for ((ours, theirs), text) in ours.chunks(384).zip(theirs.chunks(384)).zip(&texts) {
            let products = ours.iter().zip(theirs);
            let cosine: f64 = products.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
            assert!(cosine >= 0.9999, "{cosine} {text:?}");
        }
    }

    #[tokio::test]
    async fn a_vector_is_the_same_whatever_comes_with_it() {
        let (Some(one), Some(three)) = (open(1).await, open(3).await) else {
            return;
        };
        let texts = &texts()[..40];
        let together = three.embed(texts).await.unwrap();
        for (text, vector) in texts.iter().zip(together.chunks(384)) {
            let alone = one.embed(std::slice::from_ref(text)).await.unwrap();
            assert_eq!(alone, vector, "{text:?}");
        }
    }

    #[tokio::test]
    async fn a_file_that_lacks_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = Minilm::open(folder.path(), 1)
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains("config.json"), "{error}");
        std::fs::write(folder.path().join("config.json"), "{}").unwrap();
        std::fs::write(folder.path().join("tokenizer.json"), "{}").unwrap();
        std::fs::write(folder.path().join("model.safetensors"), "").unwrap();
        let error = Minilm::open(folder.path(), 1)
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains("config.json cannot be used"), "{error}");
    }
}
