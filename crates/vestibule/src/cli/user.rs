//! Flags of the commands about one user.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;

use super::DoorFlags;
use super::look::SessionOf;

/// `vestibule user`
#[derive(Debug, Args)]
pub struct UserArgs {
    /// Where the data are.
    #[command(flatten)]
    pub door: DoorFlags,
    /// What to do.
    #[command(subcommand)]
    pub command: UserCommand,
}

/// What to do with a user.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Show who somebody is: status and reason, names, and when the user last logged in.
    Show(SessionOf),
    /// Take the log-in from somebody, whatever the identity provider says, until `enable` or until a time.
    Disable {
        /// Who.
        #[command(flatten)]
        of: SessionOf,
        /// When it ends by itself, e.g. 2026-12-31T00:00:00Z.
        #[arg(long, value_name = "TIME")]
        until: Option<Timestamp>,
    },
    /// Take back a `disable`, or what the rule for inactive people did; the rules decide then.
    Enable(SessionOf),
    /// Keep the account here, as it is: its identity provider feeds it no more.
    Unlink(SessionOf),
}

/// `vestibule sticky`
#[derive(Debug, Args)]
pub struct StickyArgs {
    /// Where the data are.
    #[command(flatten)]
    pub door: DoorFlags,
    /// The directory, by name or id; may be left out while there is only one.
    #[arg(long, global = true)]
    pub directory: Option<String>,
    /// What to do.
    #[command(subcommand)]
    pub command: StickyCommand,
}

/// What to do with the list of those who stay disabled.
#[derive(Debug, Subcommand)]
pub enum StickyCommand {
    /// List who stays disabled, why, and until when.
    List {
        /// Only for this reason.
        #[arg(long)]
        reason: Option<StickyReason>,
    },
    /// Write the list as CSV, e.g. for whoever removes these people in the identity provider.
    Export {
        /// Only for this reason.
        #[arg(long)]
        reason: Option<StickyReason>,
    },
    /// Take the log-in from everybody in a file.
    Import {
        /// CSV with a column key or user_name, and perhaps until, if its name ends in .csv; else JSON: a list of
        /// {"user": NAME, "until": TIME}.
        file: PathBuf,
        /// When it ends by itself for those for whom the file says nothing, e.g. 2026-12-31T00:00:00Z.
        #[arg(long, value_name = "TIME")]
        until: Option<Timestamp>,
    },
    /// Give the log-in back to everybody on the list; the rules decide then.
    Clear {
        /// Only for this reason.
        #[arg(long)]
        reason: Option<StickyReason>,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

/// Why somebody stays disabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum StickyReason {
    /// An administrator said so.
    Manual,
    /// They had not logged in for long.
    InactivityRule,
}

impl StickyReason {
    /// The word of the admin API.
    pub const fn as_str(self) -> &'static str {
        match self {
            StickyReason::Manual => "manual",
            StickyReason::InactivityRule => "inactivity_rule",
        }
    }
}
