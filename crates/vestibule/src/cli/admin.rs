//! Flags of `vestibule admin`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::DoorFlags;

/// `vestibule admin`
#[derive(Debug, Args)]
pub struct AdminArgs {
    /// Where the data are.
    #[command(flatten)]
    pub door: DoorFlags,
    /// What to do.
    #[command(subcommand)]
    pub command: AdminCommand,
}

/// What to do with administrators.
#[derive(Debug, Subcommand)]
pub enum AdminCommand {
    /// List administrators of the console, and links that nobody has used yet.
    List,
    /// Print a link with which somebody makes an account. It is good once, for a day.
    Invite {
        /// What the person may do.
        #[arg(long, value_enum, default_value_t = RoleArg::Owner)]
        role: RoleArg,
        /// A connector, by name or id, to which an operator or auditor is confined; may be given several times.
        #[arg(long = "within", value_name = "CONNECTOR")]
        within: Vec<String>,
    },
    /// Print a link with which an administrator sets a new password.
    Reset {
        /// The administrator, by name or id.
        administrator: String,
    },
    /// Give an administrator another role. It takes the place of all rights before; the person is signed out.
    Role {
        /// The administrator, by name or id.
        administrator: String,
        /// What the person may do from now on.
        #[arg(value_enum)]
        role: RoleArg,
        /// A connector, by name or id, to which an operator or auditor is confined; may be given several times.
        #[arg(long = "within", value_name = "CONNECTOR")]
        within: Vec<String>,
    },
    /// Take the second factor from an administrator who lost it. The person is signed out.
    ResetSecondFactor {
        /// The administrator, by name or id.
        administrator: String,
    },
    /// List where an administrator is signed in to the console.
    Sessions {
        /// The administrator, by name or id.
        administrator: String,
    },
    /// End sessions of an administrator: the person is signed out.
    EndSessions {
        /// The administrator, by name or id.
        administrator: String,
        /// Only the one with this id.
        #[arg(long)]
        session: Option<String>,
    },
    /// Show how administrators sign in, or change it.
    SignIn {
        /// Whether everybody needs a second factor: true or false. Who has none is signed out, and sets one up at
        /// the next sign-in.
        #[arg(long, value_name = "BOOL")]
        require_second_factor: Option<bool>,
    },
    /// Let administrators sign in at the company's own OpenID provider, show how that is set, or end it.
    Openid {
        /// What to do; without it, it is shown.
        #[command(subcommand)]
        command: Option<OpenIdCommand>,
    },
    /// Delete an administrator, who is signed out at once.
    Delete {
        /// The administrator, by name or id.
        administrator: String,
    },
}

/// What to do with the OpenID provider.
#[derive(Debug, Subcommand)]
pub enum OpenIdCommand {
    /// Set it. It takes the place of what was set before, but for a secret that is left out.
    Set {
        /// The provider, to the letter as its discovery document names it.
        #[arg(long)]
        issuer: String,
        /// What this server is called there.
        #[arg(long)]
        client_id: String,
        /// A file with the secret of this server there; - reads it from the standard input.
        #[arg(long, value_name = "FILE")]
        secret_file: Option<PathBuf>,
        /// What the button says.
        #[arg(long, default_value = "")]
        label: String,
        /// What is asked for besides openid; may be given several times [default: profile, email].
        #[arg(long = "scope")]
        scopes: Vec<String>,
        /// The claim that names a person [default: preferred_username].
        #[arg(long)]
        name_claim: Option<String>,
        /// The claim that has the person's groups [default: groups].
        #[arg(long)]
        groups_claim: Option<String>,
        /// What a group gives, as GROUP=ROLE; may be given several times.
        #[arg(long = "group", value_name = "GROUP=ROLE")]
        groups: Vec<String>,
        /// Keep the way closed.
        #[arg(long)]
        closed: bool,
    },
    /// Ask it what it says of itself. Only a running server can: use --server.
    Check,
    /// Forget it. Who came by it is signed out.
    Delete,
}

/// What an administrator may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RoleArg {
    /// Everything.
    Owner,
    /// Everything but administrators, tokens of the admin API and notifications.
    Operator,
    /// Look at everything, and change nothing.
    Auditor,
}

impl RoleArg {
    /// The word of the admin API.
    pub const fn as_str(self) -> &'static str {
        match self {
            RoleArg::Owner => "owner",
            RoleArg::Operator => "operator",
            RoleArg::Auditor => "auditor",
        }
    }
}
