//! Log lines on standard error.

use std::io::{IsTerminal, stderr};

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(crate) enum Format {
    #[default]
    Text,
    Json,
}

/// What is logged unless `PAGEFREE_LOG` says otherwise. Actix tells at every start on which runtime it runs.
const USUAL: &str = "info,actix_server=warn";

pub(crate) fn start(format: Format) {
    let filter = EnvFilter::try_from_env("PAGEFREE_LOG").unwrap_or_else(|_| EnvFilter::new(USUAL));
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    match format {
        Format::Text => subscriber.with_ansi(stderr().is_terminal()).init(),
        Format::Json => subscriber.json().init(),
    }
}
