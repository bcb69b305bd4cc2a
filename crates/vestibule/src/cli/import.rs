//! Flags of the commands about accounts that exist already.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{DoorFlags, secret};

/// `vestibule import`
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// Where the data are.
    #[command(flatten)]
    pub door: DoorFlags,
    /// The directory to copy into, by name or id; may be left out while there is only one.
    #[arg(long)]
    pub directory: Option<String>,
    /// A file with people and groups: CSV if its name ends in .csv, else JSON.
    #[arg(long, required_unless_present = "crowd", conflicts_with = "crowd")]
    pub file: Option<PathBuf>,
    /// The address of a Crowd server, or of a Jira that acts as one.
    #[arg(long, value_name = "URL", requires_all = ["application", "password"])]
    pub crowd: Option<String>,
    /// The name of the application as which the Crowd server is read.
    #[arg(long, value_name = "NAME")]
    pub application: Option<String>,
    /// The password of that application, or file:PATH of a file that holds it. It is kept nowhere.
    #[arg(long, env = "VESTIBULE_CROWD_PASSWORD", hide_env_values = true, value_parser = secret)]
    pub password: Option<String>,
    /// Which groups, with who is in them: all, none, or an entry as in the rules, such as re:jira-.*
    #[arg(long, default_value = "all")]
    pub groups: String,
    /// Copy only these attributes; may be repeated [default: all but those about passwords]
    #[arg(long, value_name = "NAME")]
    pub attribute: Vec<String>,
    /// Let the server read the Crowd server, rather than this command.
    #[arg(long, requires = "crowd")]
    pub by_server: bool,
    /// Only tell what would come of it.
    #[arg(long)]
    pub dry_run: bool,
}

/// `vestibule match`
#[derive(Debug, Args)]
pub struct MatchArgs {
    /// Where the data are.
    #[command(flatten)]
    pub door: DoorFlags,
    /// The connector, by name or id.
    pub connector: String,
    /// The directory whose accounts are looked at, by name or id [default: the connector's own]
    #[arg(long)]
    pub directory: Option<String>,
    /// Only users of this kind: linked, exact, case_only, domain_stripped, email, ambiguous or none.
    #[arg(long)]
    pub kind: Option<String>,
    /// Tell only how many there are, and which row for the user name would find the most.
    #[arg(long)]
    pub summary: bool,
}

/// `vestibule conflict`
#[derive(Debug, Args)]
pub struct ConflictArgs {
    /// Where the data are.
    #[command(flatten)]
    pub door: DoorFlags,
    /// What to do.
    #[command(subcommand)]
    pub command: ConflictCommand,
}

/// What to do with users and the accounts in their way.
#[derive(Debug, Subcommand)]
pub enum ConflictCommand {
    /// List the users of a connector in whose way an account is.
    List {
        /// The connector, by name or id.
        connector: String,
    },
    /// They are one person: the account becomes the user's own.
    Link {
        /// The connector, by name or id.
        connector: String,
        /// The userName or SCIM id of the user.
        user: String,
    },
    /// They are two people: both stay as they are.
    Keep {
        /// The connector, by name or id.
        connector: String,
        /// The userName or SCIM id of the user.
        user: String,
    },
    /// List user names that somebody gave up lately and that nobody else gets yet.
    Reserved {
        /// The directory, by name or id; may be left out while there is only one.
        #[arg(long)]
        directory: Option<String>,
    },
    /// Let such a name go to whoever wants it, before its time.
    Release {
        /// The user name.
        name: String,
        /// The directory, by name or id; may be left out while there is only one.
        #[arg(long)]
        directory: Option<String>,
    },
}
