//! Flags of `vestibule application`.

use clap::{Args, Subcommand};

use super::{AccessArg, DoorFlags};

/// `vestibule application`
#[derive(Debug, Args)]
pub struct ApplicationArgs {
    /// Where the data are.
    #[command(flatten)]
    pub door: DoorFlags,
    /// What to do.
    #[command(subcommand)]
    pub command: ApplicationCommand,
}

/// What to do with applications.
#[derive(Debug, Subcommand)]
pub enum ApplicationCommand {
    /// Make an application and print its name, password and URL. The password is shown this once.
    Create {
        /// The name that the product signs in with.
        #[arg(long)]
        name: String,
        /// What the product may do.
        #[arg(long, value_enum, default_value_t = AccessArg::ReadOnly)]
        access: AccessArg,
        /// An address or range that it may come from; may be given several times. Without any, it may come from anywhere.
        #[arg(long = "from", value_name = "RANGE")]
        from: Vec<String>,
        /// What it sees.
        #[command(flatten)]
        sight: SightArgs,
    },
    /// Change an application. Products synchronise in full after a change of what they see.
    Update {
        /// The application, by name or id.
        application: String,
        /// The new name; the product has to sign in with it from then on.
        #[arg(long)]
        name: Option<String>,
        /// What the product may do.
        #[arg(long, value_enum)]
        access: Option<AccessArg>,
        /// An address or range that it may come from, in the place of those before; may be given several times.
        #[arg(long = "from", value_name = "RANGE")]
        from: Vec<String>,
        /// It may come from anywhere.
        #[arg(long, conflicts_with = "from")]
        from_anywhere: bool,
        /// What it sees.
        #[command(flatten)]
        sight: SightArgs,
    },
    /// List all applications.
    List,
    /// Show one application: what it sees, and who may log in.
    Show {
        /// The application, by name or id.
        application: String,
    },
    /// Make a new password and print it, this once. The old one stops working at once.
    ResetPassword {
        /// The application, by name or id.
        application: String,
    },
    /// Delete an application: the product cannot fetch any more. The directories that it saw stay.
    Delete {
        /// The application, by name or id.
        application: String,
    },
}

/// What an application sees.
#[derive(Debug, Clone, Args)]
pub struct SightArgs {
    /// A directory that it sees, by name or id; may be left out while there is one only. Several are named one after
    /// the other: a user name that two of them have is the user of the first.
    #[arg(long = "directory", value_name = "DIRECTORY")]
    pub directories: Vec<String>,
    /// Count the memberships of every directory that has a user's name, or only those of the first.
    #[arg(long, value_name = "true|false")]
    pub aggregate_memberships: Option<bool>,
    /// A group whose members may log in; may be given several times. Without any, everybody may.
    #[arg(long = "login-group", value_name = "GROUP")]
    pub login_groups: Vec<String>,
    /// Let everybody log in again.
    #[arg(long, conflicts_with = "login_groups")]
    pub everybody: bool,
    /// Show only users who may log in.
    #[arg(long, value_name = "true|false")]
    pub only_with_access: Option<bool>,
    /// With --only-with-access, show only groups whose members may log in, too.
    #[arg(long, value_name = "true|false")]
    pub only_groups_with_access: Option<bool>,
}
