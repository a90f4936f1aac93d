//! A local folder as an object store that keeps what it has promised.
//!
//! `object_store`'s own local store never syncs, links instead of copying and
//! follows symlinks. This one writes to a hidden temporary name, syncs the file,
//! moves it into place, syncs the folder, and only then answers; a symlink below
//! its base is never followed, for reading or for writing.

use std::{
    fmt,
    fs::{self, File},
    io::{self, ErrorKind, Write},
    ops::Range,
    path::{Component, Path as FsPath, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{FutureExt, StreamExt, TryStreamExt, stream::BoxStream};
use object_store::{
    CopyMode, CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, UploadPart,
    local::LocalFileSystem, path::Path,
};
use rustix::fs::{CWD, RenameFlags, renameat_with};

type Result<T, E = object_store::Error> = std::result::Result<T, E>;

/// What a temporary file's name begins with; such names are never listed.
pub(crate) const TEMPORARY: &str = ".tmp-";

/// A temporary file that was written to since then may not have its lock yet.
const YOUNG: Duration = Duration::from_secs(60);

static NEXT: AtomicU64 = AtomicU64::new(0);

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

    /// Returns the file that a path means, unless a symlink stands in its way.
    fn file(&self, path: &Path) -> Result<PathBuf> {
        let file = PathBuf::from(format!("/{}", path.as_ref()));
        let below = file
            .strip_prefix(&self.base)
            .map_err(|_| denied(&file, "lies outside"))?;
        let mut walked = self.base.clone();
        for part in below.components() {
            let Component::Normal(part) = part else {
                return Err(denied(&file, "lies outside"));
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

/// A file on its way into a folder; removed again unless it is published.
#[derive(Debug)]
struct Temporary {
    file: Option<File>,
    at: PathBuf,
    target: PathBuf,
}

impl Temporary {
    fn beside(target: PathBuf) -> Result<Temporary> {
        let folder = target.parent().unwrap_or(FsPath::new("/")).to_path_buf();
        make_folders(&folder).map_err(|error| failed(&folder, error))?;
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let at = folder.join(format!("{TEMPORARY}{}-{number}", std::process::id()));
        let file = File::options()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&at);
        let file = file.map_err(|error| failed(&at, error))?;
        // Tells `sweep` that somebody is at work. A file system without locks has none
        // for the sweeper to take either.
        let _ = file.try_lock();
        Ok(Temporary {
            file: Some(file),
            at,
            target,
        })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        match &mut self.file {
            Some(file) => file
                .write_all(bytes)
                .map_err(|error| failed(&self.target, error)),
            None => Ok(()),
        }
    }

    /// Syncs the file, moves it to its name, syncs the folder.
    fn publish(mut self, create: bool) -> Result<PutResult> {
        let Some(file) = self.file.take() else {
            return Ok(PutResult {
                e_tag: None,
                version: None,
            });
        };
        file.sync_all()
            .map_err(|error| failed(&self.target, error))?;
        move_into_place(&self.at, &self.target, create)
            .map_err(|error| failed(&self.target, error))?;
        drop(file); // with its lock, which nobody may take before
        if let Some(folder) = self.target.parent() {
            sync_folder(folder).map_err(|error| failed(folder, error))?;
        }
        Ok(PutResult {
            e_tag: None,
            version: None,
        })
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // Gone already when it was published.
        let _ = fs::remove_file(&self.at);
    }
}

/// Renames; with `create` only when nothing has the name, on any file system.
fn move_into_place(from: &FsPath, to: &FsPath, create: bool) -> io::Result<()> {
    if !create {
        return fs::rename(from, to);
    }
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => fs::hard_link(from, to),
        done => Ok(done?),
    }
}

/// Makes a folder and those above it, each synced into the one above.
fn make_folders(folder: &FsPath) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(above) = folder.parent() {
        make_folders(above)?;
        match fs::create_dir(folder) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            _ => sync_folder(above)?,
        }
    }
    Ok(())
}

fn sync_folder(folder: &FsPath) -> io::Result<()> {
    File::open(folder)?.sync_all()
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

/// Removes the temporary files below a folder that a killed run left: old enough, and
/// with nobody's lock on them. What cannot be removed is left to the next sweep.
pub(super) fn sweep(folder: &FsPath) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, kind) = (entry.path(), entry.file_type());
        let temporary = entry.file_name().to_string_lossy().starts_with(TEMPORARY);
        match kind {
            Ok(kind) if kind.is_dir() => sweep(&path),
            Ok(kind) if kind.is_file() && temporary && is_left(&path) => {
                let _ = fs::remove_file(&path);
            }
            _ => {}
        }
    }
}

fn is_left(file: &FsPath) -> bool {
    let left = || -> io::Result<bool> {
        let file = File::open(file)?;
        let age = file.metadata()?.modified()?.elapsed();
        Ok(age.is_ok_and(|age| age > YOUNG) && file.try_lock().is_ok())
    };
    left().unwrap_or(false)
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
        blocking(move || {
            let mut file = Temporary::beside(target)?;
            payload.iter().try_for_each(|bytes| file.write(bytes))?;
            file.publish(create)
        })
        .await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        _: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let target = self.file(location)?;
        let file = blocking(move || Temporary::beside(target)).await?;
        Ok(Box::new(Parts {
            file: Arc::new(Mutex::new(Some(file))),
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
                    blocking(move || remove(&file)).await?;
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
        blocking(move || {
            let mut source = File::open(&from).map_err(|error| failed(&from, error))?;
            let mut file = Temporary::beside(to)?;
            if let Some(target) = &mut file.file {
                io::copy(&mut source, target).map_err(|error| failed(&from, error))?;
            }
            file.publish(matches!(options.mode, CopyMode::Create))?;
            Ok(())
        })
        .await
    }
}

fn remove(file: &FsPath) -> Result<()> {
    fs::remove_file(file).map_err(|error| failed(file, error))?;
    match file.parent() {
        Some(folder) => sync_folder(folder).map_err(|error| failed(folder, error)),
        None => Ok(()),
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
}

impl Parts {
    fn take(&self) -> Option<Temporary> {
        self.file
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .take()
    }
}

#[async_trait]
impl MultipartUpload for Parts {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        // Written here and now: parts may be awaited in any order, and their bytes
        // must stand in the order of the calls.
        let mut file = self
            .file
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        let written = match file.as_mut() {
            Some(file) => data.iter().try_for_each(|bytes| file.write(bytes)),
            None => Err(not_implemented("a part after the end")),
        };
        futures::future::ready(written).boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        match self.take() {
            Some(file) => blocking(move || file.publish(false)).await,
            None => Err(not_implemented("a second end")),
        }
    }

    async fn abort(&mut self) -> Result<()> {
        drop(self.take());
        Ok(())
    }
}
