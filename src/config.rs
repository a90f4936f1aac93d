//! Settings: defaults < `pricemill.toml` < environment < flags, resolved once.
//!
//! Only this module reads the environment. Secrets stay in [`SecretString`] and
//! are never printed.

use std::{collections::BTreeMap, num::NonZeroUsize, path::PathBuf, time::Duration};

use secrecy::SecretString;
use url::Url;

/// Why the settings could not be resolved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A value cannot be used.
    #[error("{key}: {reason}")]
    Value {
        /// The key, as in `pricemill.toml`.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// A result of this module.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn hint(&self) -> Option<String> {
        None
    }
}

/// Everything a command needs to know, resolved.
#[derive(Debug, Clone)]
pub struct Config {
    /// The project's folder: where `pricemill.toml` is, else the working directory.
    pub root: PathBuf,
    /// Where snapshots, outbox, inbox, archive and runs lie: a folder or a URL.
    pub data: String,
    /// The database's URL, such as `sqlite:data/pricemill.db`.
    pub database: String,
    /// The profile in use.
    pub profile: Profile,
    /// The engine's settings.
    pub engine: EngineConfig,
    /// The client's settings.
    pub fetch: FetchConfig,
    /// The server's settings.
    pub serve: ServeConfig,
    /// Object stores' options and credentials.
    pub store: StoreOptions,
    /// The key of the internal API, from `INTERNAL_API_KEY`.
    pub api_key: Option<SecretString>,
}

/// Where a turn of the loop comes from and goes to.
#[derive(Debug, Clone, Default)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// The service with exports and uploads.
    pub server: Option<Url>,
    /// An inbox on an object store, to upload to instead of the server.
    pub inbox: Option<String>,
    /// A database to read and update directly.
    pub database: Option<String>,
}

/// The engine's settings.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// The memory pool, in bytes.
    pub memory_bytes: usize,
    /// Threads and partitions.
    pub threads: NonZeroUsize,
    /// Where spilled and intermediate files go; the system's temp folder if none.
    pub temp: Option<PathBuf>,
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

/// Options of the object stores: `aws_endpoint`, `aws_access_key_id` …, by
/// object_store's own key names.
#[derive(Clone, Default)]
pub struct StoreOptions(pub BTreeMap<String, SecretString>);

impl std::fmt::Debug for StoreOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Default for FetchConfig {
    fn default() -> Self {
        FetchConfig {
            parallel: NonZeroUsize::MIN.saturating_add(3),
            patience: Duration::from_secs(600),
            idle_timeout: Duration::from_secs(30),
            max_page_bytes: 64 << 20,
            columnar: true,
        }
    }
}

impl Default for ServeConfig {
    fn default() -> Self {
        ServeConfig {
            page_size: NonZeroUsize::MIN.saturating_add(499),
            internal_per_day: 100_000,
            anon_per_hour: 100,
            max_upload_bytes: 2 << 30,
            max_decoded_bytes: 16 << 30,
        }
    }
}

impl Default for EngineConfig {
    fn default() -> Self {
        EngineConfig {
            memory_bytes: 1 << 30,
            threads: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            temp: None,
        }
    }
}
