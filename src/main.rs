//! The `pagefree` binary: subcommands, and the only place where all rooms are wired.

mod cli;

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    cli::run().await
}
