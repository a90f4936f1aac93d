//! `completions`: a shell's completions, with the project's own flags.

/// The arguments of `completions`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Shell
    pub(super) shell: clap_complete::Shell,
}

/// Prints the completions of a command line.
pub(super) fn run(mut line: clap::Command, shell: clap_complete::Shell) {
    clap_complete::generate(shell, &mut line, "pricemill", &mut std::io::stdout());
}
