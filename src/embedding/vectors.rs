//! Vectors made elsewhere: Parquet files of texts and their vectors.
//!
//! A file, or a folder of them, with the columns `text` and `vector`, a list of floats;
//! vectors are scaled to length 1. The name identifies the bytes of all of them. A text
//! without a vector is an error that names it: a null would silently leave products out of
//! every result. Cost: the files are read once, to identify them and to find each text; of
//! the vectors, only those that are asked for are read. Memory: see `vector_files`.

use std::{io::Write, path::Path};

use async_trait::async_trait;
use datafusion::common::Result;
use futures::TryStreamExt;

use super::{Embedder, Error, Text, unit, vector_files::VectorFiles};
use crate::{
    artifact::digest::Digester,
    config::StoreOptions,
    storage::{Entry, Location},
    text::has_extension,
};

/// Vectors made elsewhere.
#[derive(Debug)]
pub(super) struct Vectors {
    path: String,
    name: String,
    files: VectorFiles,
}

impl Vectors {
    pub(super) async fn open(path: &str, store: &StoreOptions) -> Result<Vectors> {
        let (location, entries) = find(path, store).await?;
        let mut files = VectorFiles::new(location);
        let mut content = Digester::default();
        for entry in &entries {
            files.add(&entry.name).await?;
            digest(files.location(), &entry.name, &mut content).await?;
        }
        Ok(Vectors {
            path: path.to_owned(),
            name: format!("file-{}", &content.finish().sha256[..16]),
            files,
        })
    }
}

/// Adds a file's bytes: the name identifies them.
async fn digest(location: &Location, name: &str, content: &mut Digester) -> Result<()> {
    let bytes = location.stream(name).await.map_err(Error::from)?;
    let Some(mut bytes) = bytes else {
        return Err(no_file(&location.display(name)));
    };
    while let Some(chunk) = bytes.try_next().await.map_err(Error::from)? {
        content.write_all(&chunk)?;
    }
    Ok(())
}

/// Returns the Parquet files that a path means, by name: itself, or those in it.
async fn find(path: &str, store: &StoreOptions) -> Result<(Location, Vec<Entry>)> {
    let is_parquet = |name: &str| has_extension(Path::new(name), "parquet");
    let is_file = is_parquet(path);
    let (folder, file) = match path.trim_end_matches('/').rsplit_once('/') {
        Some((folder, file)) if is_file => (folder, file),
        _ => (path, ""),
    };
    let location = Location::open(folder, store).map_err(Error::from)?;
    let mut entries = location.list().await.map_err(Error::from)?;
    entries.retain(|entry| match is_file {
        true => entry.name == file,
        false => is_parquet(&entry.name),
    });
    match entries.is_empty() {
        true => Err(no_file(path)),
        false => Ok((location, entries)),
    }
}

fn no_file(path: &str) -> datafusion::error::DataFusionError {
    let path = path.to_owned();
    Error::NoFile { path }.into()
}

#[async_trait]
impl Embedder for Vectors {
    fn name(&self) -> &str {
        &self.name
    }

    fn dimension(&self) -> usize {
        self.files.dimension()
    }

    async fn embed(&self, texts: &[Text]) -> Result<Vec<f32>> {
        let mut vectors = vec![0.0; texts.len() * self.dimension()];
        let lacking = self.files.read(texts, &mut vectors).await?;
        if let Some(&text) = lacking.first() {
            let (path, text) = (self.path.clone(), texts[text].to_string());
            return Err(Error::Lacks { path, text }.into());
        }
        for vector in vectors.chunks_mut(self.dimension().max(1)) {
            let numbers: Vec<f64> = vector.iter().map(|number| f64::from(*number)).collect();
            vector.copy_from_slice(&unit(&numbers));
        }
        Ok(vectors)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::embedding::vector_files;

    fn texts(texts: &[&str]) -> Vec<Text> {
        texts.iter().map(|text| Text::from(*text)).collect()
    }

    fn write(path: &Path, names: &[&str], vectors: &[f32]) {
        let dimension = vectors.len() / names.len();
        let file = vector_files::file(&texts(names), vectors.to_vec(), dimension).unwrap();
        std::fs::write(path, file).unwrap();
    }

    async fn open(path: &Path) -> Result<Vectors> {
        Vectors::open(path.to_str().unwrap(), &StoreOptions::default()).await
    }

    #[tokio::test]
    async fn a_vector_is_found_by_its_text_and_scaled() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("all.parquet");
        write(
            &file,
            &["a", "b", "", "b"],
            &[3.0, 4.0, 0.0, 2.0, 0.0, 0.0, 9.0, 9.0],
        );
        for path in [file.as_path(), folder.path()] {
            let model = open(path).await.unwrap();
            assert_eq!(model.dimension(), 2);
            let vectors = model.embed(&texts(&["b", "", "a", "b"])).await.unwrap();
            assert_eq!(vectors, [0.0, 1.0, 0.0, 0.0, 0.6, 0.8, 0.0, 1.0]);
        }
    }

    #[tokio::test]
    async fn a_text_that_lacks_is_named() {
        let folder = tempfile::tempdir().unwrap();
        write(&folder.path().join("all.parquet"), &["a"], &[1.0]);
        let model = open(folder.path()).await.unwrap();
        let error = model.embed(&texts(&["a", "ž", "c"])).await.unwrap_err();
        assert!(
            error.to_string().ends_with("has no vector for \"ž\""),
            "{error}"
        );
    }

    #[tokio::test]
    async fn the_name_stands_for_the_content() {
        let folder = tempfile::tempdir().unwrap();
        let [one, other] = ["one.parquet", "other.parquet"].map(|name| folder.path().join(name));
        write(&one, &["a"], &[1.0]);
        write(&other, &["a"], &[1.0]);
        let name = async |path: &Path| open(path).await.unwrap().name().to_owned();
        assert_eq!(name(&one).await, name(&other).await);
        write(&other, &["a"], &[-1.0]);
        assert_ne!(name(&one).await, name(&other).await);
    }

    #[tokio::test]
    async fn what_is_no_file_of_vectors_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let error = open(folder.path()).await.unwrap_err().to_string();
        assert!(error.contains("contains no Parquet file"), "{error}");
        let file = folder.path().join("bad.parquet");
        std::fs::write(&file, "text,vector").unwrap();
        let error = open(&file).await.unwrap_err().to_string();
        assert!(error.contains("could not read the vectors of"), "{error}");
        write(&file, &["a"], &[f32::NAN]);
        let model = open(&file).await.unwrap();
        let error = model.embed(&texts(&["a"])).await.unwrap_err().to_string();
        assert!(
            error.contains("contains a value that is not a number"),
            "{error}"
        );
        write(&folder.path().join("bad2.parquet"), &["b"], &[1.0, 2.0]);
        let model = open(folder.path()).await.unwrap();
        let error = model.embed(&texts(&["b"])).await.unwrap_err().to_string();
        assert!(
            error.contains("a vector has 2 numbers, and another 1"),
            "{error}"
        );
    }
}
