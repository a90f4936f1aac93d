//! Settings: defaults < `pricemill.toml` < environment < flags, resolved once.
//!
//! ```text
//! pricemill.toml ┐                                        ┌─► Config
//! PRICEMILL_…    ├─► written (each value with its place) ─┤
//! flags          ┘        ▲                               └─► findings
//!                     settings: the registry of keys ─► defaults, file, table, schema
//! ```
//!
//! A new key is one entry of the registry and one field. Only this module reads the
//! environment. Secrets stay in [`SecretString`] and are never printed.

mod document;
mod embedding;
mod environment;
mod error;
mod model;
mod profile;
mod settings;
mod tables;
mod value;
mod written;

use std::{
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret, SecretString};

pub use document::{default_file, markdown_table, schema};
pub use embedding::{EmbeddingConfig, EmbeddingModel};
pub use environment::{Environment, StoreOptions};
pub use error::{Error, Result};
pub use profile::Profile;
pub use tables::{EngineConfig, FetchConfig, ServeConfig};
pub use value::{bytes, duration};

use value::Text;
use written::Written;

use crate::text::without_mark;

/// The settings' file.
pub const FILE: &str = "pricemill.toml";

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
    /// Where snapshots, outbox, inbox, archive and runs are: a folder or a URL.
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

impl Config {
    /// Returns the folder of the project that `from` is in: the nearest above with
    /// a `pricemill.toml`, in letters of any case, else `from` itself.
    pub fn root_of(from: &Path) -> PathBuf {
        let found = from.ancestors().find(|folder| file_in(folder).is_some());
        found.unwrap_or(from).to_owned()
    }

    /// Resolves the settings of the project that `from` is in.
    ///
    /// # Errors
    ///
    /// Every fault of the file with its place, a variable that is not a setting or
    /// cannot be used, or a profile that is not there.
    pub fn load(from: &Path, environment: &Environment, overrides: &Overrides) -> Result<Config> {
        let (root, text) = find(from)?;
        let written = Written::read(&text, environment)?;
        let profile = Profile::of(&written, &root, environment, overrides)?;
        let data = rooted(&root, &written.get(&settings::DATA));
        let database = written.get(&settings::DATABASE).map(Text::into_owned);
        let database = profile.database.clone().or(database);
        let store = StoreOptions::of(environment);
        let embedding = EmbeddingConfig::of(&written, &root, &data, &store)?;
        Ok(Config {
            database: database.unwrap_or_else(|| in_data(&data)),
            data,
            profile,
            engine: EngineConfig::of(&written, &root, overrides, embedding),
            fetch: FetchConfig::of(&written),
            serve: ServeConfig::of(&written),
            store,
            api_key: environment.get("INTERNAL_API_KEY").map(SecretString::from),
            root,
        })
    }
}

/// Returns the project's folder and the text of its settings.
fn find(from: &Path) -> Result<(PathBuf, String)> {
    let root = Config::root_of(from);
    let Some(path) = file_in(&root) else {
        return Ok((root, String::new()));
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok((root, without_mark(&text).to_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok((root, String::new())),
        Err(source) => Err(Error::Read { path, source }),
    }
}

/// Returns the settings' file of a folder, if it has one: the one spelled as we do, else one
/// that differs in its capitals.
fn file_in(folder: &Path) -> Option<PathBuf> {
    let usual = folder.join(FILE);
    if usual.is_file() {
        return Some(usual);
    }
    let entries = std::fs::read_dir(folder).ok()?.flatten();
    let mut names = entries.filter(|entry| entry.file_name().eq_ignore_ascii_case(FILE));
    let found = names.find(|entry| entry.path().is_file());
    found.map(|entry| entry.path())
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

impl Config {
    /// Returns the key.
    ///
    /// # Errors
    ///
    /// It is not set.
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
                "`embedding.model` must be the name of a model; did you mean `ngram`?",
            ),
            (
                "model = \"bert\"",
                "`embedding.model` must be the name of a model; the models are ngram, minilm, file",
            ),
            (
                "model = \"file\"",
                "`embedding.model` is `file`, which needs a Parquet file",
            ),
            (
                "path = \"x\"",
                "`embedding.path` has no effect: the model `ngram` reads no file",
            ),
        ] {
            let error = load(
                &format!("[embedding]\n{text}"),
                &Environment::default(),
                None,
            );
            let Err(Error::Invalid(findings)) = error else {
                panic!("{error:?}")
            };
            let finding = &findings.0[0];
            let error = format!("{}; {}", finding.message, finding.help.join("; "));
            assert!(error.contains(said), "{error}");
            assert_eq!(finding.place().unwrap().line_column().0, 2);
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
        let Err(Error::Invalid(findings)) = error else {
            panic!("{error:?}")
        };
        assert_eq!(findings.0[0].help, ["did you mean `memory`?"]);
        assert_eq!(findings.0[0].place().unwrap().line_column(), (2, 1));
    }

    #[test]
    fn an_unknown_variable_and_profile_are_refused_with_the_nearest() {
        let environment = Environment::of([("PRICEMILL_ENGINE_MEMROY", "1GiB")]);
        assert_eq!(
            found("", &environment, None),
            "unknown-setting: unknown setting `PRICEMILL_ENGINE_MEMROY`; did you mean \
             `PRICEMILL_ENGINE_MEMORY`?"
        );
        let text = "[profile.prod]\nserver = \"http://x\"";
        assert_eq!(
            found(text, &Environment::default(), Some("prd")),
            "unknown-profile: unknown profile `prd`; did you mean `prod`?"
        );
        let variable = Environment::of([("PRICEMILL_PROFILE", "shop")]);
        assert_eq!(
            found(text, &variable, None),
            "unknown-profile: unknown profile `shop`; add [profile.shop] with a `server` to \
             pricemill.toml"
        );
    }

    /// Returns what is found in settings, a line each.
    fn found(text: &str, environment: &Environment, profile: Option<&str>) -> String {
        let error = load(text, environment, profile).unwrap_err();
        let lines = error.findings().iter().map(|finding| {
            let help = finding.help.join("; ");
            format!("{}: {}; {help}", finding.code, finding.message)
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Returns what the settings come to, whatever the folder.
    fn resolved(text: &str, variables: &[(&str, &str)], profile: Option<&str>) -> String {
        let all = [&[("API_SERVER_URL", "https://prices.example")], variables].concat();
        let environment = all.iter().map(|(name, value)| (*name, *value));
        match load(text, &environment.collect(), profile) {
            Ok(config) => {
                let root = config.root.display().to_string();
                format!("{config:?}").replace(&root, "ROOT")
            }
            Err(error) => format!("{error:?}"),
        }
    }

    #[test]
    fn every_key_of_the_registry_is_read_from_the_file_and_from_its_variable() {
        for setting in settings::ALL {
            let path = setting.path().replace('*', "prod");
            let profile = path.starts_with("profile.").then_some("prod");
            let (table, name) = path.rsplit_once('.').unwrap_or(("", &path));
            let example = setting.example();
            let text = match table {
                "" => format!("{name} = {example}"),
                table => format!("[{table}]\n{name} = {example}"),
            };
            let of_file = resolved(&text, &[], profile);
            // The default of `engine.threads` is the machine's, which may be the example.
            if path != "engine.threads" {
                assert_ne!(of_file, resolved("", &[], profile), "{path}");
            }
            let variable = settings::variable(&path);
            let of_variable = resolved("", &[(&variable, example.trim_matches('"'))], profile);
            // A model's path is missing: that is said where the model is named.
            if path != "embedding.model" && path != "embedding.path" {
                assert_eq!(of_file, of_variable, "{path}");
            }
        }
    }

    #[test]
    fn every_fault_of_the_file_is_found_at_once_in_its_order() {
        let text = "[fetch]\nparallel = 0\npatience = 5\nserver = 1\n[serve]\nmax_upload = \"big\"";
        let Err(Error::Invalid(findings)) = load(text, &Environment::default(), None) else {
            panic!("accepted")
        };
        let found = findings.0.iter().map(|finding| {
            let line = finding.place().unwrap().line_column().0;
            format!("{line}: {}; {}", finding.message, finding.help.join("; "))
        });
        insta::assert_snapshot!(found.collect::<Vec<_>>().join("\n"), @r#"
        2: `fetch.parallel` must be a whole number of at least 1; write it like 8
        3: `fetch.patience` must be a duration; write it like "1h"
        4: unknown setting `server`; known settings are parallel, patience, idle_timeout, max_page, columnar
        6: `serve.max_upload` must be a size; write it like "512MiB"
        "#);
    }

    #[test]
    fn a_variable_that_cannot_be_used_is_named() {
        let environment = Environment::of([
            ("PRICEMILL_FETCH_PATIENCE", "10 miles"),
            ("PRICEMILL_FOO", "1"),
            ("PRICEMILL_PROFILE_DEV_SERVER", "prices"),
        ]);
        insta::assert_snapshot!(found("", &environment, Some("dev")), @"
        bad-setting: `PRICEMILL_FETCH_PATIENCE` must be a duration, not `10 miles`; write it like 1h
        unknown-setting: unknown setting `PRICEMILL_FOO`; `pricemill docs settings` lists all settings
        ");
        let environment = Environment::of([("PRICEMILL_PROFILE_DEV_SERVER", "prices")]);
        insta::assert_snapshot!(found("", &environment, Some("dev")), @"bad-setting: `PRICEMILL_PROFILE_DEV_SERVER` is not a URL such as https://prices.example;");
    }

    #[test]
    fn a_server_that_is_not_a_url_is_shown_where_it_is_written() {
        let text = "[profile.prod]\nserver = \"prices\"";
        let Err(Error::Invalid(findings)) = load(text, &Environment::default(), Some("prod"))
        else {
            panic!("accepted")
        };
        assert_eq!(
            findings.0[0].message,
            "`profile.prod.server` is not a URL such as https://prices.example"
        );
        assert_eq!(findings.0[0].place().unwrap().line_column(), (2, 10));
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
