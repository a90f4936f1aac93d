//! A server over an environment.

use std::sync::Arc;

use super::{Keys, Result, Service};
use crate::env::Env;

/// Gathers what the server needs. Uploads in progress are kept in a folder of the port's
/// own, so that the next server there can sweep it.
///
/// # Errors
///
/// The project is wrong, the database or the inbox is not to be had, or the folder
/// cannot be made.
pub fn service(env: &Env, port: u16) -> Result<Service> {
    let keys = Keys::new(env.config.api_key.as_ref());
    let temp = env.data.local().unwrap_or_else(std::env::temp_dir);
    let temp = temp.join(format!(".uploads-{port}"));
    Service::new(
        Arc::new(env.project()?.clone()),
        env.database()?,
        env.inbox()?,
        env.config.serve.clone(),
        keys,
        temp,
    )
}
