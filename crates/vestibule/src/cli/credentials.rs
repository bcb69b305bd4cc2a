//! Flags about credentials: tokens, clients, and how a connector's identity provider proves who it is.

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand, ValueEnum};
use directory::JwtAlgorithm;

use super::{DoorFlags, RoleArg};

/// `vestibule token`
#[derive(Debug, Args)]
pub struct TokenArgs {
    /// Where the data are.
    #[command(flatten)]
    pub door: DoorFlags,
    /// What to do.
    #[command(subcommand)]
    pub command: TokenCommand,
}

/// What to do with tokens.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token and print it. It is shown this once.
    Create {
        /// What it is for; it stands in the journal as the one who did something.
        #[arg(long)]
        label: String,
        /// A connector, by name or id, whose token it is; without one it is a token of the admin API.
        #[arg(long)]
        connector: Option<String>,
        /// What a token of the admin API may do: read (auditor), operate (operator) or own (owner). It has to be said, by
        /// this or --read-only.
        #[arg(long, value_enum, conflicts_with_all = ["connector", "read_only"])]
        role: Option<RoleArg>,
        /// A connector, by name or id, to which a token of the admin API is confined; may be given several times.
        #[arg(long = "within", value_name = "CONNECTOR", requires = "role")]
        within: Vec<String>,
        /// What it may do.
        #[command(flatten)]
        grant: GrantArgs,
    },
    /// List all tokens, without their text.
    List {
        /// A connector, by name or id, whose tokens are meant.
        #[arg(long)]
        connector: Option<String>,
    },
    /// End a token at once.
    Revoke {
        /// Its id.
        id: String,
        /// A connector, by name or id, whose token it is.
        #[arg(long)]
        connector: Option<String>,
    },
}

/// What a credential may do.
#[derive(Debug, Clone, Args)]
pub struct GrantArgs {
    /// It may only read.
    #[arg(long)]
    pub read_only: bool,
    /// An address or range that it may come from; may be given several times. Without any, it may come from anywhere.
    #[arg(long = "from", value_name = "RANGE")]
    pub from: Vec<String>,
    /// It ends after so many days.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub days: Option<u32>,
}

/// `vestibule client`
#[derive(Debug, Args)]
pub struct ClientArgs {
    /// Where the data are.
    #[command(flatten)]
    pub door: DoorFlags,
    /// What to do.
    #[command(subcommand)]
    pub command: ClientCommand,
}

/// What to do with clients of a connector.
#[derive(Debug, Subcommand)]
pub enum ClientCommand {
    /// Make a client and print its id, its secret and where it gets tokens. The secret is shown this once.
    Create {
        /// The connector, by name or id.
        #[arg(long)]
        connector: String,
        /// What it is for; it stands in the journal as the one who did something.
        #[arg(long)]
        label: String,
        /// What it may do.
        #[command(flatten)]
        grant: GrantArgs,
    },
    /// List the clients of a connector with their secrets, without the secrets' text.
    List {
        /// The connector, by name or id.
        #[arg(long)]
        connector: String,
    },
    /// Make a new secret and print it. The one before keeps working for a while.
    Rotate {
        /// The client's id.
        id: String,
        /// The connector, by name or id.
        #[arg(long)]
        connector: String,
        /// How many minutes the secret before goes on working; 0 ends it at once.
        #[arg(long, value_name = "MINUTES", default_value_t = 1440)]
        overlap: u32,
        /// The new secret ends after so many days.
        #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=3650))]
        days: Option<u32>,
    },
    /// End a secret at once, with every access token that was given for it.
    RevokeSecret {
        /// The client's id.
        id: String,
        /// The secret's id.
        secret: String,
        /// The connector, by name or id.
        #[arg(long)]
        connector: String,
    },
    /// Delete a client; its secrets and access tokens end at once.
    Delete {
        /// The client's id.
        id: String,
        /// The connector, by name or id.
        #[arg(long)]
        connector: String,
    },
}

/// `vestibule connector credentials`
#[derive(Debug, Args)]
pub struct CredentialsArgs {
    /// Its name or id.
    pub connector: String,
    /// An address or range that requests may come from; may be given several times.
    #[arg(long = "from", value_name = "RANGE")]
    pub from: Vec<String>,
    /// Requests may come from anywhere.
    #[arg(long, conflicts_with = "from")]
    pub from_anywhere: bool,
    /// Take id and secret of a client as user name and password (HTTP Basic).
    #[arg(long, value_name = "true|false")]
    pub basic: Option<bool>,
    /// Take a token in Authorization without the word Bearer before it.
    #[arg(long, value_name = "true|false")]
    pub bare_token: Option<bool>,
    /// A header in which a token is taken in the place of Authorization.
    #[arg(long, value_name = "NAME")]
    pub token_header: Option<String>,
    /// Take tokens in Authorization alone.
    #[arg(long, conflicts_with = "token_header")]
    pub no_token_header: bool,
    /// How long access tokens of clients live.
    #[arg(long, value_name = "MINUTES")]
    pub access_token_minutes: Option<u32>,
    /// Requests in a second; 0 for what the server is set to.
    #[arg(long, value_name = "NUMBER")]
    pub rate: Option<u32>,
    /// Requests before the rate counts; 0 for what the server is set to.
    #[arg(long, value_name = "NUMBER")]
    pub burst: Option<u32>,
    /// Take tokens that the identity provider signs for this tenant; for presets that know tenants.
    #[arg(long, value_name = "ID")]
    pub jwt_tenant: Option<String>,
    /// Take tokens that this issuer signs. What else is said of signed tokens begins anew with it, or with --jwt-tenant;
    /// without either, it changes those that are taken already.
    #[arg(long, value_name = "ISSUER", requires = "jwt_audience")]
    pub jwt_issuer: Option<String>,
    /// For whom the issuer's tokens have to be meant.
    #[arg(long, value_name = "AUDIENCE")]
    pub jwt_audience: Option<String>,
    /// Where the issuer's keys are, if its discovery document does not say.
    #[arg(long, value_name = "URL")]
    pub jwt_keys_url: Option<String>,
    /// A claim that the tokens must have; may be given several times.
    #[arg(long = "jwt-claim", value_name = "NAME=VALUE")]
    pub jwt_claims: Vec<String>,
    /// An algorithm of signatures that is taken; may be given several times. RS256 if none is given.
    #[arg(long = "jwt-algorithm", value_name = "NAME", value_parser = algorithms())]
    pub jwt_algorithms: Vec<String>,
    /// Signed tokens may only read; `false` lets them write again.
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub jwt_read_only: Option<bool>,
    /// Take no signed tokens.
    #[arg(long, conflicts_with_all = ["jwt_tenant", "jwt_issuer", "jwt_audience", "jwt_keys_url", "jwt_claims",
        "jwt_algorithms", "jwt_read_only"])]
    pub no_jwt: bool,
}

/// What an application may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AccessArg {
    /// Read and sign users in.
    ReadOnly,
    /// Also make local groups, add members to them, and write attributes of users.
    ReadWrite,
}

fn algorithms() -> PossibleValuesParser {
    PossibleValuesParser::new(JwtAlgorithm::ALL.map(JwtAlgorithm::as_str))
}
