//! Flags of `vestibule holds`.

use clap::{Args, Subcommand, ValueEnum};

use super::DoorFlags;

/// `vestibule holds`
#[derive(Debug, Args)]
pub struct HoldsArgs {
    /// Where the data are.
    #[command(flatten)]
    pub door: DoorFlags,
    /// What to do.
    #[command(subcommand)]
    pub command: HoldsCommand,
}

/// What to do about holds.
#[derive(Debug, Subcommand)]
pub enum HoldsCommand {
    /// List what is held. Ends with 7 if anything waits for a decision.
    List {
        /// Only those of this connector, by name or id.
        #[arg(long)]
        connector: Option<String>,
        /// Only of this kind.
        #[arg(long)]
        kind: Option<HoldKindArg>,
        /// Those in this state.
        #[arg(long, default_value = "open")]
        state: HoldStateArg,
        /// Only where the name of the user or of the group has this text in it.
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
    },
    /// Show one with what an approval would change now, and why.
    Show {
        /// Its number.
        id: i64,
    },
    /// Approve: each user is evaluated anew with the hold lifted.
    Approve(Which),
    /// Reject: nothing happens as long as the identity provider says the same.
    Reject(Which),
    /// Show the limits of a connector and how much of them is used up. Ends with 7 if anything is held.
    Limits {
        /// Its name or id.
        connector: String,
    },
}

/// Which holds a decision is about.
#[derive(Debug, Args)]
pub struct Which {
    /// Their numbers.
    #[arg(required_unless_present = "connector", conflicts_with = "connector")]
    pub ids: Vec<i64>,
    /// All open ones of this connector, by name or id.
    #[arg(long)]
    pub connector: Option<String>,
    /// Of those, only of this kind.
    #[arg(long, requires = "connector")]
    pub kind: Option<HoldKindArg>,
    /// Of those, only about this group.
    #[arg(long, requires = "connector")]
    pub group: Option<String>,
    /// Of those, only about the user of this key.
    #[arg(long, value_name = "KEY", requires = "connector")]
    pub user: Option<String>,
    /// Very many are a job: wait until it is over, and show how far it is.
    #[arg(long, requires = "connector")]
    pub wait: bool,
}

/// What a held change takes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum HoldKindArg {
    /// An account is disabled or removed.
    Deactivation,
    /// A user is no longer in a group.
    MembershipRemoval,
    /// The identity provider deleted a group.
    GroupDeletion,
    /// A user name changes.
    Rename,
}

impl HoldKindArg {
    /// The word of the admin API.
    pub fn as_str(self) -> &'static str {
        match self {
            HoldKindArg::Deactivation => "deactivation",
            HoldKindArg::MembershipRemoval => "membership_removal",
            HoldKindArg::GroupDeletion => "group_deletion",
            HoldKindArg::Rename => "rename",
        }
    }
}

/// What became of a held change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum HoldStateArg {
    /// It waits for a decision.
    Open,
    /// It waits until an evaluation of everybody is done.
    Collected,
    /// It is about to take effect.
    Approved,
    /// It may not take effect.
    Rejected,
    /// The identity provider took it back.
    Cancelled,
    /// It took effect.
    Released,
    /// Whatever became of it.
    Any,
}

impl HoldStateArg {
    /// The word of the admin API; none for any state.
    pub fn as_str(self) -> Option<&'static str> {
        match self {
            HoldStateArg::Open => Some("open"),
            HoldStateArg::Collected => Some("collected"),
            HoldStateArg::Approved => Some("approved"),
            HoldStateArg::Rejected => Some("rejected"),
            HoldStateArg::Cancelled => Some("cancelled"),
            HoldStateArg::Released => Some("released"),
            HoldStateArg::Any => None,
        }
    }
}
