//! Flags of `vestibule pilot`.

use clap::{Args, Subcommand};

use super::DoorFlags;

/// `vestibule pilot`
#[derive(Debug, Args)]
pub struct PilotArgs {
    /// Where the data are.
    #[command(flatten)]
    pub door: DoorFlags,
    /// What to do.
    #[command(subcommand)]
    pub command: PilotCommand,
}

/// What to do with the pilot of a connector.
#[derive(Debug, Subcommand)]
pub enum PilotCommand {
    /// Show for whom a connector has effect, and what it would change for the others.
    Show {
        /// The connector, by name or id.
        connector: String,
    },
    /// Let a connector have effect for a part of its users only.
    Set(PilotSet),
    /// Let a connector have effect for everybody.
    End {
        /// The connector, by name or id.
        connector: String,
    },
}

/// For whom a connector is to have effect.
#[derive(Debug, Args)]
pub struct PilotSet {
    /// The connector, by name or id.
    pub connector: String,
    /// For users in this source group, by its name at the identity provider; can be given several times.
    #[arg(
        long = "group",
        value_name = "NAME",
        required_unless_present = "percent"
    )]
    pub groups: Vec<String>,
    /// For so many of a hundred users.
    #[arg(long, value_name = "NUMBER", conflicts_with = "groups")]
    pub percent: Option<u8>,
}
