//! Parses, traces, runs, and turns the end into an exit code.

use std::process::ExitCode;

use pricemill::{cli, config::Environment};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let from = std::env::current_dir().unwrap_or_else(|_| ".".into());
    #[expect(clippy::disallowed_methods, reason = "they are read here, once")]
    let arguments = std::env::args_os().collect();
    cli::run(arguments, &Environment::of_process(), &from)
}
