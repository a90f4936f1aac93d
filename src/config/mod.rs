//! Settings: defaults < `pricemill.toml` < environment < flags, resolved once.
//!
//! Only this module reads the environment. Secrets stay in [`SecretString`] and
//! are never printed.

mod embedding;
mod error;
mod file;
mod quantity;

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    time::Duration,
};

use secrecy::{ExposeSecret, SecretString};
use url::Url;

pub use embedding::{EmbeddingConfig, EmbeddingModel};
pub use error::{Error, Result};
pub use quantity::{bytes, duration, percent};

/// The settings' file.
pub const FILE: &str = "pricemill.toml";

/// The server of the profile `dev`, unless it is configured.
const DEV_SERVER: &str = "http://127.0.0.1:8000";

/// The variables of the process, read once. What is looked up is never printed.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// Reads the process's variables; those that are not UTF-8 are left out.
    pub fn of_process() -> Environment {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the one place that reads it"
        )]
        let all = std::env::vars_os();
        Environment(
            all.filter_map(|(name, value)| {
                Some((name.into_string().ok()?, value.into_string().ok()?))
            })
            .collect(),
        )
    }

    /// Returns an environment of these variables only.
    pub fn of<const N: usize>(variables: [(&str, &str); N]) -> Environment {
        Environment(
            variables
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
        )
    }

    /// Returns a variable that is set and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    fn with_prefix(&self, prefix: &str) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, value.as_str())))
    }
}

/// What the command line says about settings.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// `--profile`, or `dev` for `--dev`.
    pub profile: Option<String>,
    /// `--threads`.
    pub threads: Option<NonZeroUsize>,
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
            max_temp_bytes: 100 << 30,
            embedding: EmbeddingConfig::default(),
        }
    }
}

impl Config {
    /// Returns the folder of the project that `from` lies in: the nearest above with
    /// a `pricemill.toml`, else `from` itself.
    pub fn root_of(from: &Path) -> PathBuf {
        let found = from.ancestors().find(|folder| folder.join(FILE).is_file());
        found.unwrap_or(from).to_owned()
    }

    /// Resolves the settings of the project that `from` lies in.
    pub fn load(from: &Path, environment: &Environment, overrides: &Overrides) -> Result<Config> {
        let (root, text) = find(from)?;
        let file = file::parse(&text)?.overridden(environment)?;
        let profile = profile(&file, &root, environment, overrides)?;
        let data = rooted(&root, file.data.as_deref().unwrap_or("data"));
        let database = file.database.clone().unwrap_or_else(|| in_data(&data));
        let database = profile.database.clone().unwrap_or(database);
        let store = StoreOptions::of(environment);
        let mut engine = engine(&file.engine, &root, overrides)?;
        engine.embedding = EmbeddingConfig::of(&file.embedding, &root, &data, &store)?;
        Ok(Config {
            data,
            database,
            profile,
            engine,
            fetch: fetch(&file.fetch)?,
            serve: serve(&file.serve)?,
            store,
            api_key: environment.get("INTERNAL_API_KEY").map(SecretString::from),
            root,
        })
    }
}

/// Returns the project's folder and the text of its settings.
fn find(from: &Path) -> Result<(PathBuf, String)> {
    let root = Config::root_of(from);
    let path = root.join(FILE);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok((root, text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok((root, String::new())),
        Err(source) => Err(Error::Read { path, source }),
    }
}

/// Returns a folder as meant from the project's; a URL as it is.
fn rooted(root: &Path, location: &str) -> String {
    match location.contains("://") {
        true => location.to_owned(),
        false => root.join(location).display().to_string(),
    }
}

/// Returns the database beside the data, or in the project's folder where the data
/// is on an object store.
fn in_data(data: &str) -> String {
    match data.contains("://") {
        true => "sqlite:pricemill.db".to_owned(),
        false => format!("sqlite:{data}/pricemill.db"),
    }
}

fn profile(
    file: &file::File,
    root: &Path,
    environment: &Environment,
    overrides: &Overrides,
) -> Result<Profile> {
    let asked = overrides.profile.as_ref().or(file.default_profile.as_ref());
    let Some(name) = asked else {
        return Ok(Profile {
            name: "local".to_owned(),
            ..Profile::default()
        });
    };
    let table = match file.profile.get(name) {
        Some(table) => table.clone(),
        None if name == "dev" => file::ProfileTable::default(),
        None if name == "local" => file::ProfileTable::default(),
        None => {
            let known = file
                .profile
                .keys()
                .cloned()
                .chain(["dev".to_owned()])
                .collect();
            return Err(Error::UnknownProfile {
                name: name.clone(),
                known,
            });
        }
    };
    let key = |key: &str| format!("profile.{name}.{key}");
    let expand = |text: &Option<String>, field: &str| {
        text.as_ref()
            .map(|text| expanded(text, &key(field), environment))
            .transpose()
    };
    let (inbox, database) = (
        expand(&table.inbox, "inbox")?,
        expand(&table.database, "database")?,
    );
    let mut server = expand(&table.server, "server")?;
    if name == "dev" && server.is_none() && inbox.is_none() && database.is_none() {
        server = Some(DEV_SERVER.to_owned());
    }
    let server = server
        .map(|text| server_url(&text, &key("server")))
        .transpose()?;
    Ok(Profile {
        name: name.clone(),
        server,
        inbox: inbox.map(|inbox| rooted(root, &inbox)),
        database,
    })
}

fn server_url(text: &str, key: &str) -> Result<Url> {
    let bad = |reason: &str| Error::Value {
        key: key.to_owned(),
        reason: reason.to_owned(),
    };
    let url = Url::parse(text).map_err(|_| bad("not a URL such as https://prices.example"))?;
    match url.scheme() {
        "http" | "https" if url.has_host() && url.password().is_none() => Ok(url),
        "http" | "https" => Err(bad(
            "a password does not belong in a URL; the key is INTERNAL_API_KEY",
        )),
        _ => Err(bad("must begin with http:// or https://")),
    }
}

/// Returns the text with each `${NAME}` replaced by the variable's value.
fn expanded(text: &str, key: &str, environment: &Environment) -> Result<String> {
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((variable, after)) = after.split_once('}') else {
            break;
        };
        let unset = || Error::Unset {
            key: key.to_owned(),
            variable: variable.to_owned(),
        };
        result += before;
        result += environment.get(variable).ok_or_else(unset)?;
        rest = after;
    }
    Ok(result + rest)
}

fn value<T>(key: &str, text: &str, read: Option<T>, example: &str) -> Result<T> {
    read.ok_or_else(|| Error::Value {
        key: key.to_owned(),
        reason: format!("`{text}` cannot be used; write it like `{example}`"),
    })
}

fn non_zero(key: &str, number: usize) -> Result<NonZeroUsize> {
    NonZeroUsize::new(number).ok_or_else(|| Error::Value {
        key: key.to_owned(),
        reason: "must be at least 1".to_owned(),
    })
}

fn engine(table: &file::EngineTable, root: &Path, overrides: &Overrides) -> Result<EngineConfig> {
    let memory = table.memory.as_deref().unwrap_or("60%");
    let of_machine = |percent: f64| (quantity::machine_memory() as f64 * percent / 100.0) as u64;
    let read = percent(memory).map(of_machine).or_else(|| bytes(memory));
    let memory_bytes = value("engine.memory", memory, read, "768MiB` or `60%")?;
    let default = EngineConfig::default();
    let threads = table
        .threads
        .map(|threads| non_zero("engine.threads", threads))
        .transpose()?;
    let mut max_temp_bytes = default.max_temp_bytes;
    if let Some(text) = &table.max_temp {
        max_temp_bytes = value("engine.max_temp", text, bytes(text), "100GiB")?;
    }
    Ok(EngineConfig {
        memory_bytes: usize::try_from(memory_bytes).unwrap_or(usize::MAX),
        threads: overrides.threads.or(threads).unwrap_or(default.threads),
        temp: table.temp.as_ref().map(|temp| root.join(temp)),
        max_temp_bytes,
        embedding: default.embedding,
    })
}

fn fetch(table: &file::FetchTable) -> Result<FetchConfig> {
    let mut fetch = FetchConfig::default();
    if let Some(parallel) = table.parallel {
        fetch.parallel = non_zero("fetch.parallel", parallel)?;
    }
    if let Some(text) = &table.patience {
        fetch.patience = value("fetch.patience", text, duration(text), "10m")?;
    }
    if let Some(text) = &table.idle_timeout {
        fetch.idle_timeout = value("fetch.idle_timeout", text, duration(text), "30s")?;
    }
    if let Some(text) = &table.max_page {
        fetch.max_page_bytes = value("fetch.max_page", text, bytes(text), "64MiB")?;
    }
    fetch.columnar = table.columnar.unwrap_or(fetch.columnar);
    Ok(fetch)
}

fn serve(table: &file::ServeTable) -> Result<ServeConfig> {
    let mut serve = ServeConfig::default();
    if let Some(rows) = table.page_size {
        serve.page_size = non_zero("serve.page_size", rows)?;
    }
    serve.internal_per_day = table.internal_per_day.unwrap_or(serve.internal_per_day);
    serve.anon_per_hour = table.anon_per_hour.unwrap_or(serve.anon_per_hour);
    if let Some(text) = &table.max_upload {
        serve.max_upload_bytes = value("serve.max_upload", text, bytes(text), "2GiB")?;
    }
    if let Some(text) = &table.max_decoded {
        serve.max_decoded_bytes = value("serve.max_decoded", text, bytes(text), "16GiB")?;
    }
    Ok(serve)
}

impl StoreOptions {
    /// Takes the object stores' own variables, `AWS_*`.
    fn of(environment: &Environment) -> StoreOptions {
        let options = environment
            .with_prefix("AWS_")
            .filter(|(_, value)| !value.is_empty());
        StoreOptions(
            options
                .map(|(name, value)| {
                    (
                        format!("aws_{}", name.to_ascii_lowercase()),
                        SecretString::from(value),
                    )
                })
                .collect(),
        )
    }
}

impl Profile {
    /// Returns the server, or says that the profile has none.
    pub fn server(&self) -> Result<&Url> {
        let lacks = || Error::Lacks {
            profile: self.name.clone(),
            missing: "server",
        };
        self.server.as_ref().ok_or_else(lacks)
    }
}

impl Config {
    /// Returns the key, or says that it is not set.
    pub fn key(&self) -> Result<&SecretString> {
        self.api_key
            .as_ref()
            .filter(|key| !key.expose_secret().is_empty())
            .ok_or_else(|| Error::Unset {
                key: format!("the server of profile `{}`", self.profile.name),
                variable: "INTERNAL_API_KEY".to_owned(),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str, environment: &Environment, profile: Option<&str>) -> Result<Config> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), text).unwrap();
        let below = folder.path().join("a/b");
        std::fs::create_dir_all(&below).unwrap();
        let profile = profile.map(str::to_owned);
        Config::load(
            &below,
            environment,
            &Overrides {
                profile,
                threads: None,
            },
        )
    }

    #[test]
    fn dev_works_without_a_table() {
        let config = load("", &Environment::default(), Some("dev")).unwrap();
        assert_eq!(
            config.profile.server.unwrap().as_str(),
            "http://127.0.0.1:8000/"
        );
        assert!(config.data.ends_with("/data") && config.database.ends_with("/data/pricemill.db"));
    }

    #[test]
    fn the_environment_overrides_the_file() {
        let environment = Environment::of([("PRICEMILL_ENGINE_MEMORY", "768MiB")]);
        let config = load("[engine]\nmemory = \"1GiB\"", &environment, None).unwrap();
        assert_eq!(config.engine.memory_bytes, 768 << 20);
    }

    #[test]
    fn every_setting_of_the_engine_has_a_variable() {
        let environment = Environment::of([
            ("PRICEMILL_ENGINE_MEMORY", "1GiB"),
            ("PRICEMILL_ENGINE_THREADS", "3"),
            ("PRICEMILL_ENGINE_TEMP", "/scratch"),
            ("PRICEMILL_ENGINE_MAX_TEMP", "20GiB"),
        ]);
        let engine = load("", &environment, None).unwrap().engine;
        assert_eq!((engine.memory_bytes, engine.threads.get()), (1 << 30, 3));
        assert_eq!(engine.temp.unwrap(), Path::new("/scratch"));
        assert_eq!(engine.max_temp_bytes, 20 << 30);
    }

    #[test]
    fn a_model_is_named_in_the_file_or_by_a_variable() {
        let environment = Environment::of([
            ("PRICEMILL_EMBEDDING_MODEL", "minilm"),
            ("PRICEMILL_EMBEDDING_PATH", "models/minilm"),
        ]);
        let config = load("[embedding]\nmodel = \"ngram\"", &environment, None).unwrap();
        let EmbeddingModel::Minilm { folder } = config.engine.embedding.model else {
            panic!("{:?}", config.engine.embedding)
        };
        assert_eq!(folder, config.root.join("models/minilm"));
        let config = load("", &Environment::default(), None).unwrap();
        assert_eq!(config.engine.embedding.model, EmbeddingModel::Ngram);
    }

    #[test]
    fn an_unknown_model_is_refused_with_the_nearest_and_a_lacking_path_is_named() {
        for (text, said) in [
            (
                "model = \"ngrams\"",
                "`ngrams` is no model; did you mean `ngram`?",
            ),
            (
                "model = \"bert\"",
                "`bert` is no model; there are ngram, minilm, file",
            ),
            ("model = \"file\"", "embedding.path: `file` needs"),
            (
                "path = \"x\"",
                "embedding.path: the model `ngram` reads no file",
            ),
        ] {
            let error = load(
                &format!("[embedding]\n{text}"),
                &Environment::default(),
                None,
            );
            let error = error.unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn variables_are_read_for_the_profile_in_use_only() {
        let text = "[profile.prod]\nserver = \"${API_SERVER_URL}\"";
        assert!(load(text, &Environment::default(), Some("dev")).is_ok());
        let error = load(text, &Environment::default(), Some("prod")).unwrap_err();
        assert!(matches!(error, Error::Unset { variable, .. } if variable == "API_SERVER_URL"));
        let environment = Environment::of([("API_SERVER_URL", "https://prices.example")]);
        let config = load(text, &environment, Some("prod")).unwrap();
        assert_eq!(
            config.profile.server.unwrap().host_str(),
            Some("prices.example")
        );
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_nearest() {
        let error = load(
            "[engine]\nmemmory = \"1GiB\"",
            &Environment::default(),
            None,
        );
        let Err(Error::File(findings)) = error else {
            panic!("{error:?}")
        };
        assert_eq!(findings.0[0].help, ["did you mean `memory`?"]);
        assert_eq!(findings.0[0].place().unwrap().line_column(), (2, 1));
    }

    #[test]
    fn an_unknown_variable_and_profile_are_refused_with_the_nearest() {
        let environment = Environment::of([("PRICEMILL_ENGINE_MEMROY", "1GiB")]);
        let error = load("", &environment, None).unwrap_err();
        assert_eq!(
            error.hint().unwrap(),
            "did you mean PRICEMILL_ENGINE_MEMORY?"
        );
        let error = load(
            "[profile.prod]\nserver = \"http://x\"",
            &Environment::default(),
            Some("prd"),
        );
        assert_eq!(error.unwrap_err().hint().unwrap(), "did you mean `prod`?");
    }

    #[test]
    fn secrets_are_not_shown() {
        let environment = Environment::of([
            ("INTERNAL_API_KEY", "canary"),
            ("AWS_SECRET_ACCESS_KEY", "canary"),
        ]);
        let config = load("", &environment, None).unwrap();
        assert!(!format!("{config:?}").contains("canary"));
    }
}
