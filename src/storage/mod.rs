//! Where data at rest is: a URL becomes a [`Location`] on an object store.
//!
//! A location is a folder of objects, on the local disk or in an `s3://` bucket;
//! every stage sees the same few operations, none of which leaves half an object
//! behind. Only this module builds stores, and only here are files written: what must
//! last by [`Location`] or `local`, temporary files by `scratch`.

mod error;
mod folder;
mod format;
pub(crate) mod local;
mod scratch;

use std::{path::PathBuf, sync::Arc};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream::BoxStream};
use object_store::{
    ObjectStore, ObjectStoreExt, PutMode, PutPayload, WriteMultipart,
    aws::{AmazonS3Builder, AmazonS3ConfigKey},
    memory::InMemory,
    path::Path,
};
use secrecy::ExposeSecret;
use tokio::io::AsyncReadExt;
use url::Url;

pub(crate) use self::error::hint_of;
pub use self::error::{Error, Result};
pub use self::format::{Format, Unreadable};
pub(crate) use self::local::TEMPORARY;
pub use self::scratch::Scratch;
pub(crate) use self::scratch::{create_passing, remove_passing};
use crate::config::StoreOptions;

/// What became of a create-only put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// The object is new and durable.
    New,
    /// The very same bytes were there already; nothing was written.
    Same,
    /// Other bytes hold the name; nothing was written.
    Different,
}

/// An object in a location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name below the location, with `/` between its parts.
    pub name: String,
    /// Its length in bytes.
    pub bytes: u64,
}

/// A folder of objects.
#[derive(Debug, Clone)]
pub struct Location {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    /// The root of the store, as DataFusion registers it (`file:///`, `s3://bucket/`).
    root: Url,
}

/// How often a create that another writer's attempt got in the way of is repeated.
const CREATE_ATTEMPTS: usize = 5;

/// What is put in one request; a larger file goes in parts of this size.
const PART_BYTES: usize = 16 << 20;

impl Location {
    /// Opens a local folder (made at the first write), `file://` or `s3://bucket/prefix`.
    /// A relative folder is meant from the working directory.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] for any other URL, and a failure to resolve the folder's path.
    pub fn open(url: &str, options: &StoreOptions) -> Result<Location> {
        match Url::parse(url) {
            Ok(parsed) if parsed.scheme() == "s3" => Location::s3(&parsed, options),
            Ok(parsed) if parsed.scheme() == "file" => match parsed.to_file_path() {
                Ok(folder) => Location::folder(&folder),
                Err(()) => Err(Error::Unsupported {
                    url: url.to_owned(),
                }),
            },
            Ok(parsed) if url.contains("://") => Err(Error::Unsupported {
                url: without_password(parsed),
            }),
            _ => Location::folder(std::path::Path::new(url)),
        }
    }

    /// Opens a local folder, made at the first write.
    ///
    /// # Errors
    ///
    /// The path cannot be resolved, or has characters that no store can have.
    pub fn folder(folder: &std::path::Path) -> Result<Location> {
        let io = |source| Error::Io {
            action: "open",
            path: folder.display().to_string(),
            source,
        };
        // The folder's own path may lead through symlinks; below it none is followed.
        let absolute = std::path::absolute(folder).map_err(io)?;
        let absolute = resolved(&absolute).map_err(io)?;
        let prefix = Path::from_absolute_path(&absolute).map_err(|_| Error::Unsupported {
            url: folder.display().to_string(),
        })?;
        let store = Arc::new(folder::Folder::new(absolute));
        Ok(Location {
            store,
            prefix,
            root: root_url("file:///")?,
        })
    }

    fn s3(url: &Url, options: &StoreOptions) -> Result<Location> {
        let bucket = url.host_str().unwrap_or_default();
        let mut builder = AmazonS3Builder::new().with_bucket_name(bucket);
        for (key, value) in &options.0 {
            if let Ok(key) = key.parse::<AmazonS3ConfigKey>() {
                builder = builder.with_config(key, value.expose_secret());
            }
        }
        let opened = |source| Error::Store {
            action: "open",
            path: url.to_string(),
            source: Box::new(source),
        };
        let store = Arc::new(builder.build().map_err(opened)?);
        let prefix = Path::from_url_path(url.path()).map_err(|source| opened(source.into()))?;
        Ok(Location {
            store,
            prefix,
            root: root_url(&format!("s3://{bucket}/"))?,
        })
    }

    /// Returns an empty location in memory, for tests.
    pub fn in_memory() -> Location {
        Location {
            store: Arc::new(InMemory::new()),
            prefix: Path::default(),
            root: Url::from_directory_path("/memory").unwrap_or_else(|()| unreachable!()),
        }
    }

    /// Returns the folder of that name below this one; `/` separates several.
    pub fn child(&self, name: &str) -> Location {
        Location {
            prefix: self.path(name),
            ..self.clone()
        }
    }

    /// Returns the object's path within the store.
    pub fn path(&self, name: &str) -> Path {
        let parts = name.split('/').filter(|part| !part.is_empty());
        parts.fold(self.prefix.clone(), |path, part| path.join(part))
    }

    /// Returns the store, for readers and writers of Parquet.
    pub fn store(&self) -> &Arc<dyn ObjectStore> {
        &self.store
    }

    /// Returns the store's root URL, under which the engine registers it.
    pub fn root(&self) -> &Url {
        &self.root
    }

    /// Returns the folder on the local disk, if it is one.
    pub fn local(&self) -> Option<PathBuf> {
        let local = self.root.scheme() == "file" && self.root.path() == "/";
        local.then(|| PathBuf::from(format!("/{}", self.prefix)))
    }

    /// Returns whether both are the same place.
    pub fn is(&self, other: &Location) -> bool {
        self.root == other.root && self.prefix == other.prefix
    }

    /// Returns how a user would write the object's place: a path, or a URL.
    pub fn display(&self, name: &str) -> String {
        let path = self.path(name);
        match self.root.scheme() {
            "file" => format!("/{path}"),
            _ => format!("{}{path}", self.root),
        }
    }

    fn refused(
        &self,
        action: &'static str,
        name: &str,
    ) -> impl Fn(object_store::Error) -> Error + use<> {
        let path = self.display(name);
        move |source| Error::Store {
            action,
            path: path.clone(),
            source: Box::new(source),
        }
    }

    /// Writes an object that must not exist yet, durably.
    ///
    /// A store may say that an object exists because our own first attempt, or
    /// another writer's unfinished one, got in the way: so what is there is looked
    /// at, and the put repeated when there is nothing.
    ///
    /// # Errors
    ///
    /// The store refuses the write, or the read of what is there.
    pub async fn put_new(&self, name: &str, bytes: Bytes) -> Result<Put> {
        for _ in 0..CREATE_ATTEMPTS {
            let payload = PutPayload::from_bytes(bytes.clone());
            match self
                .store
                .put_opts(&self.path(name), payload, PutMode::Create.into())
                .await
            {
                Ok(_) => return Ok(Put::New),
                Err(object_store::Error::AlreadyExists { .. }) => match self.read(name).await? {
                    Some(there) if there == bytes => return Ok(Put::Same),
                    Some(_) => return Ok(Put::Different),
                    None => {}
                },
                Err(error) => return Err(self.refused("write", name)(error)),
            }
        }
        Ok(Put::Different)
    }

    /// Copies a local file to an object, durably, without holding it in memory. The
    /// name should hold the content's hash: a file of more than one part is put
    /// without the store's own guard against a second writer, which has none there.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or the store refuses the write.
    pub async fn put_new_file(&self, name: &str, file: &std::path::Path) -> Result<Put> {
        let io = |source| Error::Io {
            action: "read",
            path: file.display().to_string(),
            source,
        };
        let bytes = tokio::fs::metadata(file).await.map_err(io)?.len();
        if bytes <= PART_BYTES as u64 {
            return self
                .put_new(name, tokio::fs::read(file).await.map_err(io)?.into())
                .await;
        }
        if let Some(there) = self.stream(name).await? {
            return Ok(if same(there, file).await? {
                Put::Same
            } else {
                Put::Different
            });
        }
        let refused = self.refused("write", name);
        let parts = self
            .store
            .put_multipart(&self.path(name))
            .await
            .map_err(&refused)?;
        let mut writer = WriteMultipart::new_with_chunk_size(parts, PART_BYTES);
        let mut source = tokio::fs::File::open(file).await.map_err(io)?;
        let mut buffer = vec![0; 1 << 20];
        loop {
            writer.wait_for_capacity(2).await.map_err(&refused)?;
            match source.read(&mut buffer).await.map_err(io)? {
                0 => break,
                read => writer.write(&buffer[..read]),
            }
        }
        writer.finish().await.map_err(&refused)?;
        Ok(Put::New)
    }

    /// Writes or replaces an object, durably.
    ///
    /// # Errors
    ///
    /// The store refuses the write; the object is then as it was.
    pub async fn put(&self, name: &str, bytes: Bytes) -> Result<()> {
        let payload = PutPayload::from_bytes(bytes);
        let put = self.store.put(&self.path(name), payload).await;
        put.map(|_| ()).map_err(self.refused("write", name))
    }

    /// Returns the object's bytes, or `None` if there is none.
    ///
    /// # Errors
    ///
    /// The store refuses the read; an object that does not exist is not an error.
    pub async fn read(&self, name: &str) -> Result<Option<Bytes>> {
        match self.store.get(&self.path(name)).await {
            Ok(found) => found
                .bytes()
                .await
                .map(Some)
                .map_err(self.refused("read", name)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.refused("read", name)(error)),
        }
    }

    /// Streams the object's bytes, or returns `None` if there is none.
    ///
    /// # Errors
    ///
    /// The store refuses the read; so may the stream later on.
    pub async fn stream(&self, name: &str) -> Result<Option<BoxStream<'static, Result<Bytes>>>> {
        let refused = self.refused("read", name);
        match self.store.get(&self.path(name)).await {
            Ok(found) => Ok(Some(found.into_stream().map_err(refused).boxed())),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(refused(error)),
        }
    }

    /// Returns every object below this location, by name. A folder that is not
    /// there is empty. Temporary names and what follows a symlink are left out.
    ///
    /// # Errors
    ///
    /// The store cannot list the objects.
    pub async fn list(&self) -> Result<Vec<Entry>> {
        let objects = self
            .store
            .list(Some(&self.prefix))
            .try_collect::<Vec<_>>()
            .await;
        let mut entries = objects
            .map_err(self.refused("list", ""))?
            .into_iter()
            .filter_map(|object| {
                let parts = object.location.prefix_match(&self.prefix)?;
                let parts = parts
                    .map(|part| part.as_ref().to_owned())
                    .collect::<Vec<_>>();
                Some(Entry {
                    name: parts.join("/"),
                    bytes: object.size,
                })
            })
            .filter(|entry| !entry.name.is_empty())
            .collect::<Vec<_>>();
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    /// Returns the names of the folders right below this location, sorted.
    ///
    /// # Errors
    ///
    /// The store cannot list the folders.
    pub async fn folders(&self) -> Result<Vec<String>> {
        let listed = self.store.list_with_delimiter(Some(&self.prefix)).await;
        let listed = listed.map_err(self.refused("list", ""))?;
        let names = listed
            .common_prefixes
            .iter()
            .filter_map(|path| path.filename());
        let mut names = names.map(str::to_owned).collect::<Vec<_>>();
        names.sort();
        Ok(names)
    }

    /// Removes the temporary files that a killed run left in a local folder; those of
    /// runs at work stay. A store elsewhere has none.
    pub async fn sweep(&self) {
        if let Some(folder) = self.local() {
            let _ = tokio::task::spawn_blocking(move || local::sweep(&folder)).await;
        }
    }

    /// Deletes the object; one that does not exist is not an error.
    ///
    /// # Errors
    ///
    /// The store refuses.
    pub async fn delete(&self, name: &str) -> Result<()> {
        match self.store.delete(&self.path(name)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.refused("delete", name)(error)),
        }
    }

    /// Moves an object to another location: copies its bytes, then deletes it. An
    /// object that is not there was moved before.
    ///
    /// # Errors
    ///
    /// One of the stores refuses; the object is then still where it was.
    pub async fn move_to(&self, name: &str, target: &Location, as_name: &str) -> Result<()> {
        let Some(mut bytes) = self.stream(name).await? else {
            return Ok(());
        };
        let refused = target.refused("write", as_name);
        let parts = target
            .store
            .put_multipart(&target.path(as_name))
            .await
            .map_err(&refused)?;
        let mut writer = WriteMultipart::new_with_chunk_size(parts, PART_BYTES);
        while let Some(chunk) = bytes.try_next().await? {
            writer.wait_for_capacity(2).await.map_err(&refused)?;
            writer.put(chunk);
        }
        writer.finish().await.map_err(&refused)?;
        self.delete(name).await
    }
}

/// Returns the path with the symlinks of the part that exists resolved.
fn resolved(path: &std::path::Path) -> std::io::Result<PathBuf> {
    match path.canonicalize() {
        Ok(real) => Ok(real),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            match (path.parent(), path.file_name()) {
                (Some(above), Some(name)) => Ok(resolved(above)?.join(name)),
                _ => Err(error),
            }
        }
        Err(error) => Err(error),
    }
}

fn root_url(url: &str) -> Result<Url> {
    Url::parse(url).map_err(|_| Error::Unsupported {
        url: url.to_owned(),
    })
}

fn without_password(mut url: Url) -> String {
    // A URL that cannot have a password has none to hide.
    let _ = url.set_password(None);
    url.to_string()
}

/// Returns whether an object's bytes are the file's.
async fn same(
    mut object: BoxStream<'static, Result<Bytes>>,
    file: &std::path::Path,
) -> Result<bool> {
    let io = |source| Error::Io {
        action: "read",
        path: file.display().to_string(),
        source,
    };
    let mut file_reader = tokio::fs::File::open(file).await.map_err(io)?;
    while let Some(chunk) = object.try_next().await? {
        let mut mine = vec![0; chunk.len()];
        match file_reader.read_exact(&mut mine).await {
            Ok(_) if mine == chunk => {}
            Ok(_) => return Ok(false),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(false),
            Err(error) => return Err(io(error)),
        }
    }
    Ok(file_reader.read(&mut [0]).await.map_err(io)? == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on_disk() -> (tempfile::TempDir, Location) {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::folder(&folder.path().join("data")).unwrap();
        (folder, location)
    }

    async fn conforms(location: Location) {
        assert_eq!(location.list().await.unwrap(), []);
        assert_eq!(location.read("a/b.txt").await.unwrap(), None);
        assert_eq!(
            location.put_new("a/b.txt", "one".into()).await.unwrap(),
            Put::New
        );
        assert_eq!(
            location.put_new("a/b.txt", "one".into()).await.unwrap(),
            Put::Same
        );
        assert_eq!(
            location.put_new("a/b.txt", "two".into()).await.unwrap(),
            Put::Different
        );
        assert_eq!(location.read("a/b.txt").await.unwrap().unwrap(), "one");
        location.put("a/b.txt", "two".into()).await.unwrap();
        location.put("c.txt", "three".into()).await.unwrap();
        let entry = |name: &str, bytes| Entry {
            name: name.into(),
            bytes,
        };
        assert_eq!(
            location.list().await.unwrap(),
            [entry("a/b.txt", 3), entry("c.txt", 5)]
        );
        assert_eq!(location.folders().await.unwrap(), ["a"]);
        location
            .move_to("c.txt", &location.child("a"), "d.txt")
            .await
            .unwrap();
        location
            .move_to("c.txt", &location.child("a"), "d.txt")
            .await
            .unwrap();
        assert_eq!(location.child("a").list().await.unwrap().len(), 2);
        location.delete("a/d.txt").await.unwrap();
        location.delete("a/d.txt").await.unwrap();
        assert_eq!(location.list().await.unwrap(), [entry("a/b.txt", 3)]);
    }

    #[tokio::test]
    async fn a_location_conforms_in_memory_and_on_disk() {
        conforms(Location::in_memory()).await;
        conforms(on_disk().1).await;
    }

    #[tokio::test]
    async fn a_large_file_is_put_in_parts_and_known_again() {
        let (folder, location) = on_disk();
        let file = folder.path().join("large");
        let bytes = (0..PART_BYTES as u32 / 2)
            .flat_map(u32::to_le_bytes)
            .collect::<Vec<_>>();
        std::fs::write(&file, &bytes).unwrap();
        assert_eq!(
            location.put_new_file("large", &file).await.unwrap(),
            Put::New
        );
        assert_eq!(
            location.put_new_file("large", &file).await.unwrap(),
            Put::Same
        );
        assert_eq!(location.read("large").await.unwrap().unwrap(), bytes);
        std::fs::write(&file, &bytes[1..]).unwrap();
        assert_eq!(
            location.put_new_file("large", &file).await.unwrap(),
            Put::Different
        );
    }

    #[tokio::test]
    async fn a_symlink_is_neither_read_nor_written_nor_listed() {
        let (folder, location) = on_disk();
        location.put("real.txt", "x".into()).await.unwrap();
        let outside = folder.path().join("outside");
        std::fs::create_dir(&outside).unwrap();
        std::fs::write(outside.join("secret"), "s").unwrap();
        let data = location.local().unwrap();
        std::os::unix::fs::symlink(&outside, data.join("link")).unwrap();
        std::os::unix::fs::symlink(outside.join("secret"), data.join("file")).unwrap();
        assert!(location.read("link/secret").await.is_err());
        assert!(location.read("file").await.is_err());
        assert!(location.put("link/new", "x".into()).await.is_err());
        assert!(!outside.join("new").exists());
        assert_eq!(location.list().await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn what_a_killed_writer_left_is_swept_and_what_is_written_is_not() {
        let (_folder, location) = on_disk();
        location.put("a/real.txt", "x".into()).await.unwrap();
        let folder = location.local().unwrap().join("a");
        let hour_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
        let file = |name: &str| {
            let file = std::fs::File::create(folder.join(name)).unwrap();
            file.set_modified(hour_ago).unwrap();
            file
        };
        drop(file(".tmp-1-left"));
        drop(file("old.txt"));
        let written = file(".tmp-1-written");
        written.lock().unwrap();
        std::fs::write(folder.join(".tmp-1-young"), "x").unwrap();
        location.sweep().await;
        let left = |name: &str| folder.join(name).exists();
        assert!(!left(".tmp-1-left"));
        for stays in ["real.txt", "old.txt", ".tmp-1-written", ".tmp-1-young"] {
            assert!(left(stays), "{stays}");
        }
    }

    #[tokio::test]
    async fn of_sixteen_writers_one_wins() {
        let (_folder, location) = on_disk();
        let puts = (0..16).map(|i| {
            let location = location.clone();
            async move {
                location
                    .put_new("one", format!("{i}").into())
                    .await
                    .unwrap()
            }
        });
        let puts = futures::future::join_all(puts).await;
        assert_eq!(puts.iter().filter(|put| **put == Put::New).count(), 1);
    }

    #[test]
    fn other_schemes_are_refused_without_their_password() {
        let error = Location::open("ftp://me:secret@host/x", &StoreOptions::default());
        let message = error.unwrap_err().to_string();
        assert!(message.contains("ftp://me@host/x"), "{message}");
    }
}
