//! Flags of `vestibule audit`.

use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;

use super::DoorFlags;

/// `vestibule audit`
#[derive(Debug, Args)]
pub struct AuditArgs {
    /// Where the data are.
    #[command(flatten)]
    pub door: DoorFlags,
    /// What to do.
    #[command(subcommand)]
    pub command: AuditCommand,
}

/// What to do with the audit log.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// List entries, oldest first: who did what, when and from where.
    List {
        /// Which.
        #[command(flatten)]
        filters: AuditFilters,
        /// How many at most, of the newest.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
        /// Show what is otherwise since, value by value, below each entry.
        #[arg(long)]
        changes: bool,
    },
    /// Print entries, newest first, to be saved in a file.
    Export {
        /// Which.
        #[command(flatten)]
        filters: AuditFilters,
        /// How they are written.
        #[arg(long, value_enum, default_value_t = AuditFormat::Csv)]
        format: AuditFormat,
    },
    /// Look whether the log is as it was written; fails if not.
    Check,
    /// Show how long entries are kept, or change it.
    Settings {
        /// Days, from 30 to 3660.
        #[arg(long, value_name = "NUMBER")]
        keep_days: Option<u32>,
    },
}

/// Which entries.
#[derive(Debug, Args)]
pub struct AuditFilters {
    /// Only of this actor, by name.
    #[arg(long)]
    pub actor: Option<String>,
    /// Only of this action, such as sign_in or apply_rules.
    #[arg(long)]
    pub action: Option<String>,
    /// Only what was done to this, or to something below it: a path of the admin API, such as /connectors/okta.
    #[arg(long, value_name = "PATH")]
    pub target: Option<String>,
    /// Only from this address.
    #[arg(long)]
    pub address: Option<String>,
    /// Only what was refused or failed.
    #[arg(long)]
    pub failed: bool,
    /// Only from this moment on.
    #[arg(long, value_name = "TIME")]
    pub since: Option<Timestamp>,
    /// Only before this moment.
    #[arg(long, value_name = "TIME")]
    pub until: Option<Timestamp>,
}

/// How entries are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AuditFormat {
    /// Lines of CSV with a heading.
    Csv,
    /// A JSON array.
    Json,
}
