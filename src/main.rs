//! Parses, traces, runs, and turns the end into an exit code.

use std::process::ExitCode;

use pricemill::{cli, config::Environment};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let from = std::env::current_dir().unwrap_or_else(|_| ".".into());
    cli::run(
        std::env::args_os().collect(),
        &Environment::of_process(),
        &from,
    )
}
