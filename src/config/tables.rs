//! The tables `[engine]`, `[fetch]` and `[serve]`, resolved.

use std::{
    num::NonZeroUsize,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    EmbeddingConfig, Overrides,
    settings::{
        ENGINE_MAX_TEMP, ENGINE_MEMORY, ENGINE_TEMP, ENGINE_THREADS, FETCH_COLUMNAR,
        FETCH_IDLE_TIMEOUT, FETCH_MAX_PAGE, FETCH_PARALLEL, FETCH_PATIENCE, SERVE_ANON_PER_HOUR,
        SERVE_INTERNAL_PER_DAY, SERVE_MAX_DECODED, SERVE_MAX_UPLOAD, SERVE_PAGE_SIZE,
    },
    value::{Memory, machine_memory},
    written::Written,
};

/// The engine's settings.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// The memory pool, in bytes.
    pub memory_bytes: usize,
    /// Threads and partitions.
    pub threads: NonZeroUsize,
    /// Where spilled and intermediate files go; the system's temp folder if none.
    pub temp: Option<PathBuf>,
    /// The most bytes that the operators of one session may have spilled at once.
    pub max_temp_bytes: u64,
    /// What `embed` embeds with.
    pub embedding: EmbeddingConfig,
}

/// The client's settings.
#[derive(Debug, Clone)]
pub struct FetchConfig {
    /// Pages in flight at once.
    pub parallel: NonZeroUsize,
    /// How long a request may be retried, waits included, before the fetch stops with 75.
    pub patience: Duration,
    /// How long a connection may stay silent.
    pub idle_timeout: Duration,
    /// The most bytes of one page's body, decoded.
    pub max_page_bytes: u64,
    /// Whether the columnar form is asked for first.
    pub columnar: bool,
}

/// The server's settings.
#[derive(Debug, Clone)]
pub struct ServeConfig {
    /// Rows a page.
    pub page_size: NonZeroUsize,
    /// Requests a day of a valid key.
    pub internal_per_day: u32,
    /// Requests an hour of everything else, by address.
    pub anon_per_hour: u32,
    /// The most bytes of an upload as sent.
    pub max_upload_bytes: u64,
    /// The most bytes of an upload once decompressed.
    pub max_decoded_bytes: u64,
}

impl EngineConfig {
    pub(super) fn of(
        written: &Written,
        root: &Path,
        overrides: &Overrides,
        embedding: EmbeddingConfig,
    ) -> EngineConfig {
        let memory_bytes = match written.get(&ENGINE_MEMORY) {
            Memory::Percent(percent) => (machine_memory() as f64 * percent / 100.0) as u64,
            Memory::Bytes(bytes) => bytes,
        };
        let threads = overrides.threads.or(written.get(&ENGINE_THREADS));
        EngineConfig {
            memory_bytes: usize::try_from(memory_bytes).unwrap_or(usize::MAX),
            threads: threads.unwrap_or_else(all_threads),
            temp: written.get(&ENGINE_TEMP).map(|temp| root.join(&*temp)),
            max_temp_bytes: written.get(&ENGINE_MAX_TEMP).0,
            embedding,
        }
    }
}

impl FetchConfig {
    pub(super) fn of(written: &Written) -> FetchConfig {
        FetchConfig {
            parallel: written.get(&FETCH_PARALLEL),
            patience: written.get(&FETCH_PATIENCE),
            idle_timeout: written.get(&FETCH_IDLE_TIMEOUT),
            max_page_bytes: written.get(&FETCH_MAX_PAGE).0,
            columnar: written.get(&FETCH_COLUMNAR),
        }
    }
}

impl ServeConfig {
    pub(super) fn of(written: &Written) -> ServeConfig {
        ServeConfig {
            page_size: written.get(&SERVE_PAGE_SIZE),
            internal_per_day: written.get(&SERVE_INTERNAL_PER_DAY),
            anon_per_hour: written.get(&SERVE_ANON_PER_HOUR),
            max_upload_bytes: written.get(&SERVE_MAX_UPLOAD).0,
            max_decoded_bytes: written.get(&SERVE_MAX_DECODED).0,
        }
    }
}

impl Default for FetchConfig {
    fn default() -> Self {
        FetchConfig::of(&Written::default())
    }
}

impl Default for ServeConfig {
    fn default() -> Self {
        ServeConfig::of(&Written::default())
    }
}

impl Default for EngineConfig {
    /// The settings' defaults, but with 1 GiB of memory on every machine.
    fn default() -> Self {
        EngineConfig {
            memory_bytes: 1 << 30,
            threads: all_threads(),
            temp: None,
            max_temp_bytes: ENGINE_MAX_TEMP.default.0,
            embedding: EmbeddingConfig::default(),
        }
    }
}

fn all_threads() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}
