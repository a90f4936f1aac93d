//! `pricemill.toml` as it is written, and the environment laid over it.

use std::{collections::BTreeMap, sync::Arc};

use serde::Deserialize;

use super::{Environment, Error, Result};
use crate::diagnostics::{Code, Finding, Findings, Place, nearest};

/// The file. Every key is optional.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) data: Option<String>,
    pub(super) database: Option<String>,
    pub(super) default_profile: Option<String>,
    #[serde(default)]
    pub(super) profile: BTreeMap<String, ProfileTable>,
    #[serde(default)]
    pub(super) engine: EngineTable,
    #[serde(default)]
    pub(super) embedding: EmbeddingTable,
    #[serde(default)]
    pub(super) fetch: FetchTable,
    #[serde(default)]
    pub(super) serve: ServeTable,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProfileTable {
    pub(super) server: Option<String>,
    pub(super) inbox: Option<String>,
    pub(super) database: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EngineTable {
    pub(super) memory: Option<String>,
    pub(super) threads: Option<usize>,
    pub(super) temp: Option<String>,
    pub(super) max_temp: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EmbeddingTable {
    pub(super) model: Option<String>,
    pub(super) path: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FetchTable {
    pub(super) parallel: Option<usize>,
    pub(super) patience: Option<String>,
    pub(super) idle_timeout: Option<String>,
    pub(super) max_page: Option<String>,
    pub(super) columnar: Option<bool>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServeTable {
    pub(super) page_size: Option<usize>,
    pub(super) internal_per_day: Option<u32>,
    pub(super) anon_per_hour: Option<u32>,
    pub(super) max_upload: Option<String>,
    pub(super) max_decoded: Option<String>,
}

/// The keys that hold one value, as `table.key`; what the environment may override.
const KEYS: [&str; 19] = [
    "data",
    "database",
    "default_profile",
    "engine.memory",
    "engine.threads",
    "engine.temp",
    "engine.max_temp",
    "embedding.model",
    "embedding.path",
    "fetch.parallel",
    "fetch.patience",
    "fetch.idle_timeout",
    "fetch.max_page",
    "fetch.columnar",
    "serve.page_size",
    "serve.internal_per_day",
    "serve.anon_per_hour",
    "serve.max_upload",
    "serve.max_decoded",
];

/// Reads the file's text.
pub(super) fn parse(text: &str) -> Result<File> {
    toml::from_str(text).map_err(|error| Error::File(Findings(vec![finding(text, &error)])))
}

fn finding(text: &str, error: &toml::de::Error) -> Finding {
    let message = error.message().to_owned();
    let place = Place {
        file: "pricemill.toml".into(),
        text: Arc::from(text),
        span: error.span().unwrap_or(0..0),
    };
    let quoted = message.split('`').skip(1).step_by(2).collect::<Vec<_>>();
    let found = match quoted.split_first() {
        Some((wrong, known)) if message.starts_with("unknown field") => {
            let otherwise = format!("known settings are {}", known.join(", "));
            Finding::new(Code::UnknownSetting, format!("unknown setting `{wrong}`"))
                .suggest(wrong, known, otherwise)
        }
        _ if message.starts_with("invalid ") && text.parse::<toml::Table>().is_ok() => {
            Finding::new(Code::BadSetting, message)
        }
        _ => Finding::new(Code::TomlSyntax, message),
    };
    found.at(place, "")
}

impl File {
    /// Lays `PRICEMILL_<TABLE>_<KEY>` over the file's values.
    ///
    /// # Errors
    ///
    /// A variable of that prefix that names no key is an error with the nearest.
    pub(super) fn overridden(self, environment: &Environment) -> Result<File> {
        let mut file = self;
        for (name, value) in environment.with_prefix("PRICEMILL_") {
            file.set(name, value)?;
        }
        Ok(file)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<()> {
        let text = Some(value.to_owned());
        let key = name.to_ascii_lowercase();
        match key.as_str() {
            "data" => self.data = text,
            "database" => self.database = text,
            "default_profile" | "profile" => self.default_profile = text,
            "engine_memory" => self.engine.memory = text,
            "engine_threads" => self.engine.threads = Some(number(name, value)?),
            "engine_temp" => self.engine.temp = text,
            "engine_max_temp" => self.engine.max_temp = text,
            "embedding_model" => self.embedding.model = text,
            "embedding_path" => self.embedding.path = text,
            "fetch_parallel" => self.fetch.parallel = Some(number(name, value)?),
            "fetch_patience" => self.fetch.patience = text,
            "fetch_idle_timeout" => self.fetch.idle_timeout = text,
            "fetch_max_page" => self.fetch.max_page = text,
            "fetch_columnar" => self.fetch.columnar = Some(number(name, value)?),
            "serve_page_size" => self.serve.page_size = Some(number(name, value)?),
            "serve_internal_per_day" => self.serve.internal_per_day = Some(number(name, value)?),
            "serve_anon_per_hour" => self.serve.anon_per_hour = Some(number(name, value)?),
            "serve_max_upload" => self.serve.max_upload = text,
            "serve_max_decoded" => self.serve.max_decoded = text,
            // Ours, and no setting: the tests' data, and what a shell script of the
            // user's may keep for itself.
            _ if key.starts_with("test_") || key == "log" => {}
            _ => return self.set_profile(&key, name, value),
        }
        Ok(())
    }

    /// `PRICEMILL_PROFILE_<NAME>_SERVER` and its like.
    fn set_profile(&mut self, key: &str, name: &str, value: &str) -> Result<()> {
        let parts = key
            .strip_prefix("profile_")
            .and_then(|rest| rest.rsplit_once('_'));
        let text = Some(value.to_owned());
        match parts {
            Some((profile, "server")) => self.entry(profile).server = text,
            Some((profile, "inbox")) => self.entry(profile).inbox = text,
            Some((profile, "database")) => self.entry(profile).database = text,
            _ => {
                let known = KEYS.map(|key| key.replace('.', "_").to_ascii_uppercase());
                return Err(Error::UnknownVariable {
                    name: format!("PRICEMILL_{name}"),
                    nearest: nearest(name, known.iter().map(String::as_str))
                        .map(|near| format!("PRICEMILL_{near}")),
                });
            }
        }
        Ok(())
    }

    fn entry(&mut self, profile: &str) -> &mut ProfileTable {
        self.profile.entry(profile.to_owned()).or_default()
    }
}

fn number<T: std::str::FromStr>(name: &str, value: &str) -> Result<T> {
    value.trim().parse().map_err(|_| Error::Value {
        key: format!("PRICEMILL_{name}"),
        reason: format!("`{value}` cannot be used"),
    })
}
