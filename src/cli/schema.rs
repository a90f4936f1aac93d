//! `schema`: the JSON schemas of settings, manifests and `sources.toml`, by which editors
//! check and complete them.
//!
//! It reads no project and no settings, so it works where they are broken.

use super::screen::print_text;
use crate::{config, pipeline::keys};

/// The arguments of `schema`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Which file the schema is of
    #[arg(value_enum, default_value_t = File::Settings)]
    pub(super) file: File,
}

/// A kind of TOML file.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(super) enum File {
    /// pricemill.toml
    Settings,
    /// pipelines/<name>.toml
    Manifest,
    /// pipelines/sources.toml
    Sources,
}

/// Prints a schema.
pub(super) fn run(args: &Args) {
    let schema = match args.file {
        File::Settings => config::schema(),
        File::Manifest => keys::manifest_schema(),
        File::Sources => keys::sources_schema(),
    };
    print_text(&format!("{schema:#}\n"));
}
