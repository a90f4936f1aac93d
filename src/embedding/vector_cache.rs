//! Caches vectors that are slow to compute, so that a second run embeds only what is new.
//!
//! ```text
//! data/embeddings/<the model's name>/<hash of the content>.parquet
//! ```
//!
//! Each file holds some texts and their vectors, is put whole or not at all, and never
//! changes: two runs at once write files of their own, and one that is killed loses the
//! texts it was at. A folder can be read as `model = "file"`, copied, or removed; nothing
//! else is lost with it. A file whose content is not what its name says is removed, one that
//! cannot be read is skipped, and a folder that cannot be written caches nothing: all are
//! reported, and the run goes on.
//! Memory: as `vector_files` says, and one file's vectors. All files are read once, when the folder
//! is opened, to be held against their names: 1.5 KB a text.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use async_trait::async_trait;
use datafusion::common::Result;
use tokio::sync::RwLock;

use super::{
    Embedder, Error, Text,
    vector_files::{self, VectorFiles},
};
use crate::{
    artifact::digest::Digest,
    chain::chain,
    config::StoreOptions,
    storage::{Location, Put},
};

/// New texts a file: what a run that is killed may lose.
const TEXTS_A_FILE: usize = if cfg!(test) { 3 } else { 2048 };

/// A model whose vectors are cached.
#[derive(Debug)]
pub(super) struct VectorCache {
    model: Arc<dyn Embedder>,
    files: RwLock<VectorFiles>,
    found: AtomicU64,
    /// Whether the warning that nothing can be cached was given.
    warned: AtomicBool,
}

impl VectorCache {
    /// Opens what was kept of a model under `place`.
    pub(super) async fn open(
        model: Arc<dyn Embedder>,
        place: &str,
        store: &StoreOptions,
    ) -> Result<VectorCache> {
        let location = Location::open(place, store).map_err(Error::from)?;
        VectorCache::at(model, &location).await
    }

    async fn at(model: Arc<dyn Embedder>, location: &Location) -> Result<VectorCache> {
        let location = location.child(model.name());
        let entries = location.list().await;
        let mut kept = VectorCache {
            model,
            files: RwLock::new(VectorFiles::new(location)),
            found: AtomicU64::new(0),
            warned: AtomicBool::new(false),
        };
        let files = kept.files.get_mut();
        for entry in entries.as_deref().unwrap_or_default() {
            if is_kept(&entry.name) && is_whole(files.location(), &entry.name).await {
                files.add(&entry.name).await?;
            }
        }
        if let Err(error) = entries {
            kept.keeps_nothing(&chain(&error));
        }
        Ok(kept)
    }

    /// Embeds new texts and keeps their vectors.
    async fn keep(&self, texts: &[Text]) -> Result<Vec<f32>> {
        let vectors = self.model.embed(texts).await?;
        let bytes = vector_files::file(texts, vectors.clone(), self.dimension())?;
        let name = name_of(&bytes);
        let mut files = self.files.write().await;
        match files.location().put_new(&name, bytes).await {
            Ok(Put::New | Put::Same) => files.add(&name).await?,
            Ok(Put::Different) => self.keeps_nothing("another file has its name"),
            Err(error) => self.keeps_nothing(&chain(&error)),
        }
        Ok(vectors)
    }

    /// Warns once that new vectors are lost with the run, and why.
    fn keeps_nothing(&self, reason: &str) {
        if !self.warned.swap(true, Ordering::Relaxed) {
            let model = self.name();
            tracing::warn!(model, reason, "new vectors are not cached");
        }
    }
}

/// Returns the name of a file of these bytes.
fn name_of(bytes: &[u8]) -> String {
    format!("{}.parquet", &Digest::of_bytes(bytes).sha256[..16])
}

/// Says whether a name is one that [`name_of`] gives.
fn is_kept(name: &str) -> bool {
    let hash = name.strip_suffix(".parquet").unwrap_or_default();
    hash.len() == 16
        && hash
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Says whether a file's content is what its name says. One that is damaged is removed; one
/// that cannot be read may be whole, and is left where it is.
async fn is_whole(location: &Location, name: &str) -> bool {
    let file = location.display(name);
    // Read twice: another run may have put it right in between.
    for _ in 0..2 {
        match location.read(name).await {
            Ok(Some(bytes)) if name_of(&bytes) == name => return true,
            Ok(Some(_)) => {}
            Ok(None) => return false,
            Err(error) => {
                let reason = chain(&error);
                tracing::warn!(file, reason, "skipped: its texts are embedded again");
                return false;
            }
        }
    }
    match location.delete(name).await {
        Ok(()) => tracing::warn!(file, "damaged, and removed: its texts are embedded again"),
        Err(error) => {
            let reason = chain(&error);
            tracing::warn!(file, reason, "damaged: its texts are embedded again");
        }
    }
    false
}

#[async_trait]
impl Embedder for VectorCache {
    fn name(&self) -> &str {
        self.model.name()
    }

    fn dimension(&self) -> usize {
        self.model.dimension()
    }

    async fn embed(&self, texts: &[Text]) -> Result<Vec<f32>> {
        let dimension = self.dimension();
        let mut vectors = vec![0.0; texts.len() * dimension];
        let lacking = self.files.read().await.read(texts, &mut vectors).await?;
        let found = (texts.len() - lacking.len()) as u64;
        self.found.fetch_add(found, Ordering::Relaxed);
        for places in lacking.chunks(TEXTS_A_FILE) {
            let new: Vec<Text> = places.iter().map(|&text| texts[text].clone()).collect();
            let made = self.keep(&new).await?;
            for (text, vector) in places.iter().zip(made.chunks(dimension)) {
                vectors[text * dimension..][..dimension].copy_from_slice(vector);
            }
        }
        Ok(vectors)
    }

    fn found(&self) -> u64 {
        self.found.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a text its length, and a third; counts the texts it is asked for.
    #[derive(Debug, Default)]
    struct Counting(AtomicU64);

    #[async_trait]
    impl Embedder for Counting {
        fn name(&self) -> &str {
            "counting-1"
        }

        fn dimension(&self) -> usize {
            2
        }

        async fn embed(&self, texts: &[Text]) -> Result<Vec<f32>> {
            self.0.fetch_add(texts.len() as u64, Ordering::Relaxed);
            let vector = |text: &Text| [text.len() as f32, 1.0 / 3.0];
            Ok(texts.iter().flat_map(vector).collect())
        }
    }

    async fn embed(model: &VectorCache, texts: &[&str]) -> Vec<f32> {
        let texts: Vec<Text> = texts.iter().map(|text| Text::from(*text)).collect();
        model.embed(&texts).await.unwrap()
    }

    #[tokio::test]
    async fn a_text_is_embedded_once_and_its_bytes_stay() {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::folder(folder.path()).unwrap();
        let model = Arc::new(Counting::default());
        let first = VectorCache::at(model.clone(), &location).await.unwrap();
        let texts = ["", "a", "bb", "ccc", "dddd"];
        let vectors = embed(&first, &texts).await;
        assert_eq!((model.0.load(Ordering::Relaxed), first.found()), (5, 0));
        assert_eq!(embed(&first, &texts).await, vectors);
        let second = VectorCache::at(model.clone(), &location).await.unwrap();
        let more = embed(&second, &["dddd", "new", "a", "", "bb", "ccc"]).await;
        assert_eq!((model.0.load(Ordering::Relaxed), second.found()), (6, 5));
        assert_eq!(&more[..2], &vectors[8..]);
        assert_eq!(more[2], 3.0);
        assert_eq!(&more[4..6], &vectors[2..4]);
        // Three texts a file.
        let files = location.child("counting-1").list().await.unwrap();
        assert_eq!(files.len(), 3);
    }

    #[tokio::test]
    async fn a_damaged_file_is_removed_and_its_texts_embedded_anew() {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::folder(folder.path()).unwrap();
        let model = Arc::new(Counting::default());
        let texts = ["a", "bb", "ccc", "dddd"];
        let vectors = embed(
            &VectorCache::at(model.clone(), &location).await.unwrap(),
            &texts,
        )
        .await;
        for entry in std::fs::read_dir(folder.path().join("counting-1")).unwrap() {
            let path = entry.unwrap().path();
            let mut bytes = std::fs::read(&path).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            std::fs::write(path, bytes).unwrap();
        }
        std::fs::write(
            folder.path().join("counting-1/foreign.parquet"),
            "no Parquet",
        )
        .unwrap();
        let again = VectorCache::at(model.clone(), &location).await.unwrap();
        assert_eq!(embed(&again, &texts).await, vectors);
        assert_eq!((model.0.load(Ordering::Relaxed), again.found()), (8, 0));
        let third = VectorCache::at(model, &location).await.unwrap();
        embed(&third, &texts).await;
        assert_eq!(third.found(), 4);
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_read_is_left_where_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::folder(folder.path()).unwrap();
        let model = Arc::new(Counting::default());
        let texts = ["a", "bb"];
        embed(
            &VectorCache::at(model.clone(), &location).await.unwrap(),
            &texts,
        )
        .await;
        let kept = folder.path().join("counting-1");
        let file = std::fs::read_dir(&kept).unwrap().next().unwrap().unwrap();
        let aside = folder.path().join("aside");
        std::fs::rename(file.path(), &aside).unwrap();
        // Only plain files are read: anything else is not listed, and an error to read.
        std::os::unix::fs::symlink(&aside, file.path()).unwrap();
        let again = VectorCache::at(model, &location).await.unwrap();
        assert_eq!(embed(&again, &texts).await.len(), 4);
        assert_eq!(again.found(), 0);
        assert!(std::fs::symlink_metadata(file.path()).is_ok() && aside.exists());
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_written_keeps_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::folder(folder.path()).unwrap();
        let model = Arc::new(Counting::default());
        let kept = VectorCache::at(model.clone(), &location).await.unwrap();
        std::fs::write(folder.path().join("counting-1"), "in the way").unwrap();
        assert_eq!(
            embed(&kept, &["a", "bb"]).await,
            embed(&kept, &["a", "bb"]).await
        );
        assert_eq!((model.0.load(Ordering::Relaxed), kept.found()), (4, 0));
    }

    #[tokio::test]
    async fn two_runs_at_once_do_not_disturb_each_other() {
        let location = Location::in_memory();
        let model = Arc::new(Counting::default());
        let one = VectorCache::at(model.clone(), &location).await.unwrap();
        let other = VectorCache::at(model.clone(), &location).await.unwrap();
        let (a, b) = tokio::join!(embed(&one, &["a", "bb"]), embed(&other, &["a", "bb"]));
        assert_eq!(a, b);
        embed(&other, &["ccc"]).await;
        let third = VectorCache::at(model, &location).await.unwrap();
        embed(&third, &["a", "bb", "ccc"]).await;
        assert_eq!(third.found(), 3);
    }
}
