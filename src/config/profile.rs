//! Profiles: where a turn comes from and goes to.

use std::path::Path;

use url::Url;

use super::{
    Environment, Error, FILE, Overrides, Result, rooted,
    settings::{DEFAULT_PROFILE, Key, PROFILE_DATABASE, PROFILE_INBOX, PROFILE_SERVER},
    value::Text,
    written::Written,
};
use crate::diagnostics::{Code, Finding, Findings};

/// The profile of `--dev`, which needs no table.
pub(super) const DEV: &str = "dev";
/// Its server, unless it is configured.
pub(super) const DEV_SERVER: &str = "http://127.0.0.1:8000";
/// The profile where none is named.
const LOCAL: &str = "local";

/// Where a turn comes from and goes to.
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

impl Profile {
    /// Returns the profile that is asked for. Of the others nothing is read: their
    /// variables need not be set.
    pub(super) fn of(
        written: &Written,
        root: &Path,
        environment: &Environment,
        overrides: &Overrides,
    ) -> Result<Profile> {
        let asked = overrides.profile.clone();
        let asked = asked.or_else(|| written.get(&DEFAULT_PROFILE).map(Text::into_owned));
        let Some(name) = asked else {
            return Ok(Profile {
                name: LOCAL.to_owned(),
                ..Profile::default()
            });
        };
        if !written.has_profile(&name) && name != DEV && name != LOCAL {
            let finding = unknown(&name, written);
            let finding = match overrides.profile {
                Some(_) => finding,
                None => written.at(DEFAULT_PROFILE.path, finding),
            };
            return Err(Error::Invalid(Findings(vec![finding])));
        }
        let value = |key: &Key<Option<Text>>| {
            let path = key.path.replace('*', &name);
            let text = written.of_profile(&name, key);
            text.map(|text| expanded(&text, &path, environment))
                .transpose()
        };
        let (inbox, database) = (value(&PROFILE_INBOX)?, value(&PROFILE_DATABASE)?);
        let mut server = value(&PROFILE_SERVER)?;
        if name == DEV && server.is_none() && inbox.is_none() && database.is_none() {
            server = Some(DEV_SERVER.to_owned());
        }
        let path = PROFILE_SERVER.path.replace('*', &name);
        let server = server.map(|text| {
            let url = server_url(&text);
            url.map_err(|reason| written.unusable(&path, reason))
        });
        Ok(Profile {
            server: server.transpose()?,
            inbox: inbox.map(|inbox| rooted(root, &inbox)),
            database,
            name,
        })
    }

    /// Returns the server.
    ///
    /// # Errors
    ///
    /// The profile has none.
    pub fn server(&self) -> Result<&Url> {
        let lacks = || Error::Lacks {
            profile: self.name.clone(),
            missing: "server",
        };
        self.server.as_ref().ok_or_else(lacks)
    }
}

fn unknown(name: &str, written: &Written) -> Finding {
    let known = written.profiles().chain([DEV]);
    let otherwise = format!("add [profile.{name}] with a `server` to {FILE}");
    Finding::new(Code::UnknownProfile, format!("unknown profile `{name}`"))
        .suggest(name, known, otherwise)
}

fn server_url(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| "is not a URL such as https://prices.example")?;
    match url.scheme() {
        "http" | "https" if url.has_host() && url.password().is_none() => Ok(url),
        "http" | "https" => {
            Err("contains a password, which does not belong in a URL: set INTERNAL_API_KEY instead")
        }
        _ => Err("must begin with http:// or https://"),
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
