//! Flags of commands that let accounts go.

use clap::{Args, ValueEnum};

/// What becomes of accounts that are let go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FateArg {
    /// They stay as they are, kept here.
    Keep,
    /// They stay, and may not log in.
    Disable,
    /// They go.
    Remove,
}

impl FateArg {
    /// The word of the admin API.
    pub const fn word(self) -> &'static str {
        match self {
            FateArg::Keep => "keep",
            FateArg::Disable => "disable",
            FateArg::Remove => "remove",
        }
    }

    /// What happens to them.
    pub const fn outcome(self) -> &'static str {
        match self {
            FateArg::Keep => "kept here as they are",
            FateArg::Disable => "disabled",
            FateArg::Remove => "removed",
        }
    }
}

/// How the same person is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MatchArg {
    /// The same userName.
    Username,
    /// The same e-mail address.
    Email,
    /// The same externalId.
    ExternalId,
}

/// `vestibule connector transfer`
#[derive(Debug, Args)]
pub struct TransferArgs {
    /// Name or id of the connector that gives.
    pub connector: String,
    /// Name or id of the connector that gets them; it feeds the same directory.
    #[arg(long, value_name = "CONNECTOR")]
    pub to: String,
    /// How the same person is found there.
    #[arg(long = "match", value_name = "BY", default_value = "username")]
    pub match_by: MatchArg,
    /// Only those whom this SCIM filter selects among the users of the connector that gives.
    #[arg(long, value_name = "FILTER")]
    pub filter: Option<String>,
    /// Let accounts leave groups that the connector that gets them does not give.
    #[arg(long)]
    pub drop_memberships: bool,
    /// Do it; without, show what it would do.
    #[arg(long)]
    pub yes: bool,
    /// Stay until it is over, and show how far it is.
    #[arg(long, requires = "yes")]
    pub wait: bool,
}
