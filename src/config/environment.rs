//! The process's environment, read once. Nothing else reads it.

use std::collections::BTreeMap;

use secrecy::SecretString;

/// The variables of the process. Their values are never printed.
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
        variables.into_iter().collect()
    }

    /// Returns a variable that is set and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    pub(super) fn with_prefix(&self, prefix: &str) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, value.as_str())))
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for Environment {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(variables: I) -> Environment {
        let variables = variables.into_iter();
        Environment(
            variables
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        )
    }
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

impl StoreOptions {
    /// Takes the object stores' own variables, `AWS_*`.
    pub(super) fn of(environment: &Environment) -> StoreOptions {
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
