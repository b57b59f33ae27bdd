//! The command line. Exit codes: 0 fine, 1 it did not work or what was checked does not hold, 2 wrong usage.

mod admin;
mod failure;
mod figures;
mod housekeeping;
mod keys;
mod logging;
mod migrate;
mod replay;
mod serve;
mod settings;
mod table;
mod token;
mod views;
mod work;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub(crate) use failure::Failure;

/// Incident management and on-call on one append-only log.
#[derive(Debug, Parser)]
#[command(name = "pagefree", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// How log lines are written to standard error; what is written is the filter in `PAGEFREE_LOG`.
    #[arg(long, global = true, value_enum, default_value_t)]
    log_format: logging::Format,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the server.
    Serve(serve::Serve),
    /// Lets people in who look after the platform. Works while a server runs.
    Admin(admin::Admin),
    /// Makes API tokens. Works while a server runs.
    Token(token::Token),
    /// Shows and moves what is in the work queue. Works while a server runs.
    Work(work::Work),
    /// Shows where the views stand, and repairs one that has stopped. Works while a server runs.
    Views(views::Views),
    /// Builds views anew from the log, and compares them with what is live. Works while a server runs.
    Replay(replay::Replay),
    /// Makes or upgrades the tables, and exits. `serve` does so by itself.
    Migrate(migrate::Migrate),
}

/// What time it is, for commands that need to be told.
fn now() -> jiff::Timestamp {
    #[expect(clippy::disallowed_methods, reason = "the command line is a door, where commands get their time")]
    jiff::Timestamp::now()
}

pub(crate) async fn run() -> ExitCode {
    let cli = Cli::parse();
    logging::start(cli.log_format);
    let done = match cli.command {
        Command::Serve(serve) => serve.run().await,
        Command::Admin(admin) => admin.run().await,
        Command::Token(token) => token.run().await,
        Command::Work(work) => work.run().await,
        Command::Views(views) => views.run().await,
        Command::Replay(replay) => replay.run().await,
        Command::Migrate(migrate) => migrate.run().await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("pagefree: {failure}");
            failure.exit_code()
        }
    }
}
