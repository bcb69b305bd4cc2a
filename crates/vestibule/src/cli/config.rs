//! Flags of `vestibule config`.

use clap::{Args, Subcommand};

/// `vestibule config`
#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// What to show.
    #[command(subcommand)]
    pub command: ConfigCommand,
}

/// What to show of the settings.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum ConfigCommand {
    /// Show every setting, its value and where the value comes from.
    Show,
    /// Print a vestibule.toml with every setting at its default, each explained.
    Template,
}
