//! `schema`: the JSON schema of `pricemill.toml`, by which editors check and complete it.
//!
//! It reads no project and no settings, so it works where they are broken.

use super::screen::print_text;
use crate::config;

/// Prints the schema.
pub(super) fn run() {
    print_text(&format!("{:#}\n", config::schema()));
}
