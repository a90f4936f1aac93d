//! The one function that builds every DataFusion session.

use datafusion::prelude::SessionContext;

use super::Result;
use crate::config::EngineConfig;

/// Returns a session with the engine's memory pool, temp space and functions.
pub fn session(config: &EngineConfig) -> Result<SessionContext> {
    let _ = config;
    todo!()
}
