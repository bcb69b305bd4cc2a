//! Flags of the command for the groups of a connector.

use clap::{Args, Subcommand, ValueEnum};

use super::DoorFlags;

/// `vestibule group`
#[derive(Debug, Args)]
pub struct GroupArgs {
    /// Where the data are.
    #[command(flatten)]
    pub door: DoorFlags,
    /// What to do.
    #[command(subcommand)]
    pub command: GroupCommand,
}

/// What to do with the groups that an identity provider has written.
#[derive(Debug, Subcommand)]
pub enum GroupCommand {
    /// List them with their SCIM ids and what has become of each.
    List {
        /// The connector, by name or id.
        connector: String,
        /// Only those that have come to this.
        #[arg(long)]
        state: Option<GroupState>,
    },
    /// Decide about one: what waits for a decision, what was renamed, what is to be called otherwise.
    Decide {
        /// The connector, by name or id.
        connector: String,
        /// The group, by SCIM id or by its name at the identity provider.
        group: String,
        /// What to do.
        choice: GroupChoiceWord,
        /// The name of the group from now on; with `rename`.
        #[arg(long)]
        name: Option<String>,
    },
}

/// What a group has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum GroupState {
    /// Its members get its groups.
    Assigned,
    /// Somebody has to decide: a group of its name has members from elsewhere.
    Waiting,
    /// Somebody decided that it feeds no group.
    Ignored,
    /// Its name is protected, so that its members are refused.
    Protected,
    /// The rules leave it out.
    LeftOut,
    /// The identity provider renamed it, and it has its former name still.
    Renamed,
}

/// What to do about a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum GroupChoiceWord {
    /// It feeds the group that it waits for, and the members that others put there go.
    Adopt,
    /// It feeds the group that it waits for, whose members stay.
    Merge,
    /// It feeds a group of another name.
    Rename,
    /// It feeds no group.
    Ignore,
    /// Nothing special any more: it goes by its present name and the rules.
    Follow,
}

impl GroupState {
    /// The word of the admin API.
    pub const fn as_str(self) -> &'static str {
        match self {
            GroupState::Assigned => "assigned",
            GroupState::Waiting => "waiting",
            GroupState::Ignored => "ignored",
            GroupState::Protected => "protected",
            GroupState::LeftOut => "left_out",
            GroupState::Renamed => "renamed",
        }
    }
}

impl GroupChoiceWord {
    /// The word of the admin API.
    pub const fn as_str(self) -> &'static str {
        match self {
            GroupChoiceWord::Adopt => "adopt",
            GroupChoiceWord::Merge => "merge",
            GroupChoiceWord::Rename => "rename",
            GroupChoiceWord::Ignore => "ignore",
            GroupChoiceWord::Follow => "follow",
        }
    }
}
