//! Log lines go to the standard error: text on a terminal, one JSON object a line elsewhere.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

use crate::config::{LogFormat, Settings};

/// Starts logging for the whole program.
pub fn start(settings: &Settings) {
    let filter =
        EnvFilter::try_new(&settings.log).unwrap_or_else(|_invalid| EnvFilter::new("info"));
    let is_terminal = io::stderr().is_terminal();
    let is_text = match settings.log_format {
        LogFormat::Auto => is_terminal,
        LogFormat::Text => true,
        LogFormat::Json => false,
    };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr);
    // A second start, as in tests, keeps the first.
    let _already_started = if is_text {
        builder.with_ansi(is_terminal).try_init()
    } else {
        builder
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .try_init()
    };
    for doubt in &settings.doubts {
        tracing::warn!("{doubt}");
    }
}
