//! A local folder as an object store that keeps what it has promised.
//!
//! `object_store`'s own local store never syncs, links instead of copying and
//! follows symlinks. This one writes by `local`, and answers only once the file and its
//! folder are synced; a symlink below its base is never followed, for reading or for
//! writing.

use std::{
    fmt, fs,
    io::{self, ErrorKind},
    ops::Range,
    path::{Component, Path as FsPath, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{FutureExt, StreamExt, TryStreamExt, stream::BoxStream};
use object_store::{
    CopyMode, CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, UploadPart,
    local::LocalFileSystem, path::Path,
};

use super::local::{self, TEMPORARY, Temporary};

type Result<T, E = object_store::Error> = std::result::Result<T, E>;

/// The store. Paths are absolute, as DataFusion registers `file:///`.
#[derive(Debug)]
pub(super) struct Folder {
    inner: LocalFileSystem,
    base: PathBuf,
}

impl Folder {
    /// Returns a store that works below `base`, an absolute path.
    #[expect(
        clippy::disallowed_methods,
        reason = "it only reads here; what is written is written by us"
    )]
    pub(super) fn new(base: PathBuf) -> Folder {
        Folder {
            inner: LocalFileSystem::new(),
            base,
        }
    }

    /// Returns the file that a path means, unless a symlink is in its way.
    fn file(&self, path: &Path) -> Result<PathBuf> {
        let file = PathBuf::from(format!("/{}", path.as_ref()));
        let below = file
            .strip_prefix(&self.base)
            .map_err(|_| denied(&file, "is outside the data folder"))?;
        let mut walked = self.base.clone();
        for part in below.components() {
            let Component::Normal(part) = part else {
                return Err(denied(&file, "is outside the data folder"));
            };
            walked.push(part);
            match fs::symlink_metadata(&walked) {
                Ok(found) if found.is_symlink() => return Err(denied(&walked, "is a symlink")),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::NotFound => break,
                Err(error) => return Err(failed(&walked, error)),
            }
        }
        Ok(file)
    }
}

impl fmt::Display for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.base.display())
    }
}

fn denied(path: &FsPath, why: &str) -> object_store::Error {
    object_store::Error::PermissionDenied {
        path: path.display().to_string(),
        source: why.to_owned().into(),
    }
}

fn failed(path: &FsPath, source: io::Error) -> object_store::Error {
    let path = path.display().to_string();
    let source = Box::new(source) as Box<dyn std::error::Error + Send + Sync>;
    match source.downcast_ref::<io::Error>().map(io::Error::kind) {
        Some(ErrorKind::NotFound) => object_store::Error::NotFound { path, source },
        Some(ErrorKind::AlreadyExists) => object_store::Error::AlreadyExists { path, source },
        Some(ErrorKind::PermissionDenied) => object_store::Error::PermissionDenied { path, source },
        _ => object_store::Error::Generic {
            store: "folder",
            source,
        },
    }
}

/// Works on a file, off the async threads.
async fn writing<T: Send + 'static>(
    target: PathBuf,
    work: impl FnOnce(&FsPath) -> io::Result<T> + Send + 'static,
) -> Result<T> {
    blocking(move || work(&target).map_err(|error| failed(&target, error))).await
}

fn published() -> PutResult {
    PutResult {
        e_tag: None,
        version: None,
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await?
}

/// Returns every plain file below a folder; symlinks, devices and temporary names
/// are left out, and so is what vanishes while it is looked at.
fn walk(folder: &FsPath, found: &mut Vec<ObjectMeta>) -> Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(folder, error)),
    };
    for entry in entries {
        let entry = entry.map_err(|error| failed(folder, error))?;
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        if kind.is_dir() {
            walk(&entry.path(), found)?;
        } else if kind.is_file() && !entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
            found.extend(described(&entry));
        }
    }
    Ok(())
}

fn described(entry: &fs::DirEntry) -> Option<ObjectMeta> {
    let metadata = entry.metadata().ok()?;
    Some(ObjectMeta {
        location: Path::from_absolute_path(entry.path()).ok()?,
        last_modified: metadata.modified().ok()?.into(),
        size: metadata.len(),
        e_tag: None,
        version: None,
    })
}

#[async_trait]
impl ObjectStore for Folder {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        opts: PutOptions,
    ) -> Result<PutResult> {
        let create = match opts.mode {
            PutMode::Create => true,
            PutMode::Overwrite => false,
            PutMode::Update(_) => return Err(not_implemented("put in mode update")),
        };
        let target = self.file(location)?;
        writing(target, move |target| {
            let mut file = Temporary::beside(target)?;
            payload.iter().try_for_each(|bytes| file.write(bytes))?;
            file.publish(create)
        })
        .await?;
        Ok(published())
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        _: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let target = self.file(location)?;
        let at = target.clone();
        let file = writing(at, Temporary::beside).await?;
        Ok(Box::new(Parts {
            file: Arc::new(Mutex::new(Some(file))),
            target,
        }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.file(location)?;
        self.inner.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.file(location)?;
        self.inner.get_ranges(location, ranges).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let base = self.base.clone();
        locations
            .and_then(move |location| {
                let folder = Folder::new(base.clone());
                async move {
                    let file = folder.file(&location)?;
                    writing(file, local::remove_file).await?;
                    Ok(location)
                }
            })
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let folder = self.file(&prefix.cloned().unwrap_or_default());
        async move {
            let folder = folder?;
            let found = blocking(move || {
                let mut found = Vec::new();
                walk(&folder, &mut found)?;
                found.sort_by(|a, b| a.location.cmp(&b.location));
                Ok(found)
            })
            .await?;
            Ok::<_, object_store::Error>(futures::stream::iter(found.into_iter().map(Ok)))
        }
        .into_stream()
        .try_flatten()
        .boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let prefix = prefix.cloned().unwrap_or_default();
        let (mut objects, mut common_prefixes) = (Vec::new(), Vec::new());
        for object in self.list(Some(&prefix)).try_collect::<Vec<_>>().await? {
            let mut parts = object.location.prefix_match(&prefix).into_iter().flatten();
            let (first, more) = (parts.next(), parts.next().is_some());
            drop(parts);
            match first {
                Some(first) if more => common_prefixes.push(prefix.clone().join(first)),
                _ => objects.push(object),
            }
        }
        common_prefixes.dedup();
        Ok(ListResult {
            common_prefixes,
            objects,
        })
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let (from, to) = (self.file(from)?, self.file(to)?);
        writing(from, move |from| {
            let mut source = fs::File::open(from)?;
            let mut file = Temporary::beside(&to)?;
            file.copy(&mut source)?;
            file.publish(matches!(options.mode, CopyMode::Create))
        })
        .await
    }
}

fn not_implemented(operation: &str) -> object_store::Error {
    object_store::Error::NotImplemented {
        operation: operation.to_owned(),
        implementer: "folder".to_owned(),
    }
}

/// A large object on its way, part by part. Parts are written in the order in
/// which `put_part` was called, each before its future is polled to the next.
#[derive(Debug)]
struct Parts {
    file: Arc<Mutex<Option<Temporary>>>,
    target: PathBuf,
}

impl Parts {
    fn file(&self) -> MutexGuard<'_, Option<Temporary>> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl MultipartUpload for Parts {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        // Written here and now: parts may be awaited in any order, and their bytes
        // must be in the order of the calls.
        let written = match self.file().as_mut() {
            Some(file) => data
                .iter()
                .try_for_each(|bytes| file.write(bytes))
                .map_err(|error| failed(&self.target, error)),
            None => Err(not_implemented("a part after the end")),
        };
        futures::future::ready(written).boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let file = self.file().take();
        let Some(file) = file else {
            return Err(not_implemented("a second end"));
        };
        writing(self.target.clone(), |_| file.publish(false)).await?;
        Ok(published())
    }

    async fn abort(&mut self) -> Result<()> {
        drop(self.file().take());
        Ok(())
    }
}
