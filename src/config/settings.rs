//! The registry: each key of `pricemill.toml`, once.
//!
//! From it come the reading of the file and of the environment, the defaults, the file
//! that `new` writes, the table of the documentation, and the JSON schema.

use std::{borrow::Cow, num::NonZeroUsize, time::Duration};

use super::{
    model::Model,
    value::{Memory, Raw, Size, Text, Value},
};

/// A key with the type of its value.
#[derive(Debug)]
pub(super) struct Key<T: 'static> {
    /// `table.key`; a profile's name is `*`.
    pub(super) path: &'static str,
    /// What it holds where nothing else is said.
    pub(super) default: T,
    /// Another value, as TOML.
    example: &'static str,
    /// What it is for, and in which unit.
    doc: &'static str,
}

/// A key of any type.
pub(super) trait Setting: Sync {
    /// Returns `table.key`; a profile's name is `*`.
    fn path(&self) -> &'static str;
    /// Returns the default as TOML, if there is one.
    fn default(&self) -> Option<String>;
    /// Returns a value other than the default, as TOML.
    fn example(&self) -> &'static str;
    /// Returns what it is for, and in which unit.
    fn doc(&self) -> &'static str;
    /// Returns what its values are: `a size`.
    fn what(&self) -> &'static str;
    /// Returns the JSON schema of its values.
    fn schema(&self) -> serde_json::Value;
    /// Returns how to write it, if that is not a value for it.
    fn refuses(&self, raw: &Raw) -> Option<String>;
}

impl<T: Value> Setting for Key<T> {
    fn path(&self) -> &'static str {
        self.path
    }

    fn default(&self) -> Option<String> {
        self.default.as_toml()
    }

    fn example(&self) -> &'static str {
        self.example
    }

    fn doc(&self) -> &'static str {
        self.doc.trim()
    }

    fn what(&self) -> &'static str {
        T::WHAT
    }

    fn schema(&self) -> serde_json::Value {
        T::schema()
    }

    fn refuses(&self, raw: &Raw) -> Option<String> {
        match T::read(raw) {
            Some(_) => None,
            None => Some(T::help(raw, self.example)),
        }
    }
}

/// Declares keys, and the list of all of them.
macro_rules! settings {
    ($(#[doc = $doc:literal] $name:ident: $type:ty = $path:literal, $default:expr, $example:literal;)+) => {
        $(pub(super) static $name: Key<$type> = Key {
            path: $path,
            default: $default,
            example: $example,
            doc: $doc,
        };)+

        /// Every key, in the order of the file.
        pub(super) static ALL: &[&dyn Setting] = &[$(&$name),+];
    };
}

settings! {
    /// snapshots, outbox, inbox, archive, runs: a folder or s3://bucket/prefix
    DATA: Text = "data", text("data"), r#""s3://bucket/prefix""#;
    /// the database; default: `pricemill.db` in the data folder
    DATABASE: Option<Text> = "database", None, r#""sqlite:data/pricemill.db""#;
    /// the profile to use when none is named; default: the local database and inbox
    DEFAULT_PROFILE: Option<Text> = "default_profile", None, r#""dev""#;

    /// the service to fetch from and to upload to
    PROFILE_SERVER: Option<Text> = "profile.*.server", None, r#""${API_SERVER_URL}""#;
    /// upload there instead of to the server
    PROFILE_INBOX: Option<Text> = "profile.*.inbox", None, r#""s3://bucket/inbox""#;
    /// the database to update, if this profile has its own
    PROFILE_DATABASE: Option<Text> = "profile.*.database", None, r#""sqlite:other.db""#;

    /// memory limit for all operators together: a share of the machine's memory, or a size
    ENGINE_MEMORY: Memory = "engine.memory", Memory::Percent(60.0), r#""2GiB""#;
    /// number of threads; default: one per core
    ENGINE_THREADS: Option<NonZeroUsize> = "engine.threads", None, "2";
    /// where operators spill; default: the system's temporary folder
    ENGINE_TEMP: Option<Text> = "engine.temp", None, r#""tmp""#;
    /// limit on spilled data at any one time; exceeding it is an error
    ENGINE_MAX_TEMP: Size = "engine.max_temp", Size(100 << 30), r#""20GiB""#;

    /// the model behind embed(text): "ngram" (built in), "minilm" (a folder) or "file" (vectors made elsewhere)
    EMBEDDING_MODEL: Model = "embedding.model", Model::Ngram, r#""minilm""#;
    /// the folder with config.json, tokenizer.json and model.safetensors, or the Parquet file
    EMBEDDING_PATH: Option<Text> = "embedding.path", None, r#""models/minilm""#;

    /// number of pages to request at once
    FETCH_PARALLEL: NonZeroUsize = "fetch.parallel", count(4), "8";
    /// how long to retry one request, waits included
    FETCH_PATIENCE: Duration = "fetch.patience", Duration::from_secs(600), r#""1h""#;
    /// how long a connection may be idle
    FETCH_IDLE_TIMEOUT: Duration = "fetch.idle_timeout", Duration::from_secs(30), r#""2m""#;
    /// maximum size of one page, decoded
    FETCH_MAX_PAGE: Size = "fetch.max_page", Size(64 << 20), r#""128MiB""#;
    /// ask for one Arrow stream instead of pages
    FETCH_COLUMNAR: bool = "fetch.columnar", true, "false";

    /// rows per page
    SERVE_PAGE_SIZE: NonZeroUsize = "serve.page_size", count(500), "1000";
    /// requests per day with a valid key
    SERVE_INTERNAL_PER_DAY: u32 = "serve.internal_per_day", 100_000, "1000";
    /// requests per hour and address without a key
    SERVE_ANON_PER_HOUR: u32 = "serve.anon_per_hour", 100, "10";
    /// maximum size of an upload, as sent
    SERVE_MAX_UPLOAD: Size = "serve.max_upload", Size(2 << 30), r#""512MiB""#;
    /// maximum size of an upload, once decompressed
    SERVE_MAX_DECODED: Size = "serve.max_decoded", Size(16 << 30), r#""4GiB""#;
}

const fn text(text: &'static str) -> Text {
    Cow::Borrowed(text)
}

const fn count(count: usize) -> NonZeroUsize {
    NonZeroUsize::MIN.saturating_add(count - 1)
}

/// Returns the key's table, empty for a key above all tables, and its name there.
pub(super) fn split(path: &'static str) -> (&'static str, &'static str) {
    path.rsplit_once('.').unwrap_or(("", path))
}

/// Returns the variable that overrides a key: `PRICEMILL_FETCH_PARALLEL`.
pub(super) fn variable(path: &str) -> String {
    let name = path.replace('.', "_").to_ascii_uppercase();
    format!("{PREFIX}{name}")
}

/// What the names of our variables begin with.
pub(super) const PREFIX: &str = "PRICEMILL_";

/// Returns the key of that path.
pub(super) fn find(path: &str) -> Option<&'static dyn Setting> {
    ALL.iter().copied().find(|setting| setting.path() == path)
}
