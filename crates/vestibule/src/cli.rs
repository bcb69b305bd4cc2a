//! The commands and flags, as `clap` reads them. What they do is in `commands`.

mod insight;
mod look;
mod sign_in;

use std::path::PathBuf;

use clap::builder::PossibleValue;
use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use directory::{JwtAlgorithm, Preset};
use scim::Departure;

pub use insight::{
    ErrorsArgs, RequestFilters, RequestsArgs, RequestsCommand, ResourceTypeArg, SchemaArgs,
    SchemaCommand,
};
pub use look::{DirectoryArgs, DirectoryCommand, SessionArgs, SessionCommand, SessionOf, WhyArgs};
pub use sign_in::{SignInArgs, SignInCommand, SignInEdit, WebhookArgs, WebhookCommand};

/// SCIM 2.0 provisioning from identity providers to Atlassian products.
///
/// Without a command the server starts, as with `vestibule serve`.
#[derive(Debug, Parser)]
#[command(name = "vestibule", version, after_help = crate::exit::HELP, propagate_version = true)]
#[command(disable_help_subcommand = true, max_term_width = 100)]
pub struct Cli {
    /// Settings that every command takes.
    #[command(flatten)]
    pub common: CommonFlags,
    /// Settings of `serve`, for when the command is left out.
    #[command(flatten)]
    pub serve: ServeFlags,
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server (what happens without a command).
    Serve(ServeFlags),
    /// Run the server together with emulated identity providers and emulated products.
    ///
    /// Everything is in a temporary folder and gone at the end, unless --data or --database names another place.
    Demo(DemoArgs),
    /// Make, look at and change connectors: the endpoints that identity providers write to.
    Connector(ConnectorArgs),
    /// Make, look at, change and delete applications: the products that attach the directory.
    Application(ApplicationArgs),
    /// Show and change how people sign in with an application, and who may make users.
    SignIn(SignInArgs),
    /// Show what products see: users, groups and memberships after the rules.
    Directory(DirectoryArgs),
    /// Explain why somebody has an account or none, or is or is not in a group.
    Why(WhyArgs),
    /// List and end the sessions that somebody has with products.
    Session(SessionArgs),
    /// Say and see where applications want to hear of news, and how that goes.
    Webhook(WebhookArgs),
    /// Make, list and revoke tokens of the admin API and of connectors.
    Token(TokenArgs),
    /// Make, list and delete clients of connectors, which get access tokens for an id and a secret.
    Client(ClientArgs),
    /// Register schemas that a connector's users and groups have besides those of SCIM.
    Schema(SchemaArgs),
    /// Show what identity providers asked for, and what came of it.
    Requests(RequestsArgs),
    /// Tell what errors mean that identity providers and products are answered with, and what to do about them.
    Errors(ErrorsArgs),
    /// Play an identity provider against any SCIM 2.0 server.
    Simulate(SimulateArgs),
    /// Test any SCIM 2.0 server against the RFCs and the habits of identity providers.
    ///
    /// What it creates has a random prefix and is deleted at the end; nothing else is written to. Exit codes: 0 if no check
    /// failed, 1 if one did, 2 if nothing could be tested.
    CheckScim(Box<CheckScimArgs>),
    /// Show the settings and where each comes from.
    Config(ConfigArgs),
    /// Print the OpenAPI document of the admin API.
    Openapi,
}

/// Settings that every command takes.
#[derive(Debug, Args)]
pub struct CommonFlags {
    /// The folder for everything that is kept [default: ./vestibule-data] [env: VESTIBULE_DATA]
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<String>,
    /// The database: sqlite:PATH or postgres://... [default: a file in the data folder] [env: VESTIBULE_DATABASE]
    #[arg(long, global = true, value_name = "ADDRESS")]
    pub database: Option<String>,
    /// The configuration file [default: ./vestibule.toml if it is there] [env: VESTIBULE_CONFIG]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Which log lines to write, for example warn or info,server=debug [default: info] [env: VESTIBULE_LOG]
    #[arg(long, global = true, value_name = "FILTER")]
    pub log: Option<String>,
    /// How log lines look: auto, text or json [default: auto] [env: VESTIBULE_LOG_FORMAT]
    #[arg(long, global = true, value_name = "FORMAT")]
    pub log_format: Option<String>,
    /// Print JSON for machines instead of text for people.
    #[arg(long, global = true)]
    pub json: bool,
}

/// Settings of the server.
#[derive(Debug, Args)]
pub struct ServeFlags {
    /// The address and port to serve HTTP on [default: 127.0.0.1:8080] [env: VESTIBULE_LISTEN]
    #[arg(long, value_name = "ADDR:PORT")]
    pub listen: Option<String>,
    /// How others reach this server, if through a proxy [default: the address of --listen] [env: VESTIBULE_PUBLIC_URL]
    #[arg(long, value_name = "URL")]
    pub public_url: Option<String>,
    /// Reverse proxies whose X-Forwarded-For is believed, as addresses and ranges with commas between
    /// [env: VESTIBULE_TRUSTED_PROXIES]
    #[arg(long, value_name = "RANGES")]
    pub trusted_proxies: Option<String>,
    /// Addresses and ranges that the server may call although they are special, such as its own machine
    /// [env: VESTIBULE_OUTBOUND_ALLOW]
    #[arg(long, value_name = "RANGES")]
    pub outbound_allow: Option<String>,
    /// The file with the secret key [default: secret-key in the data folder] [env: VESTIBULE_SECRET_KEY]
    #[arg(long, value_name = "FILE")]
    pub secret_key: Option<String>,
    /// What Crowd clients are told as product and version, as in Crowd/5.3.1 [env: VESTIBULE_CROWD_VERSION]
    #[arg(long, value_name = "NAME/VERSION")]
    pub crowd_version: Option<String>,
    /// Requests of one connector in a second; 0 for no limit [default: 500] [env: VESTIBULE_SCIM_RATE]
    #[arg(long, value_name = "NUMBER")]
    pub scim_rate: Option<String>,
    /// Requests of one connector before the rate counts [default: 2000] [env: VESTIBULE_SCIM_BURST]
    #[arg(long, value_name = "NUMBER")]
    pub scim_burst: Option<String>,
    /// Requests of one connector worked on at a time [default: 32] [env: VESTIBULE_SCIM_IN_FLIGHT]
    #[arg(long, value_name = "NUMBER")]
    pub scim_in_flight: Option<String>,
    /// Failed authentications from one address in a minute; 0 for no limit
    /// [default: 20] [env: VESTIBULE_FAILED_AUTHENTICATIONS]
    #[arg(long, value_name = "NUMBER")]
    pub failed_authentications: Option<String>,
    /// Connections at once [default: 4096] [env: VESTIBULE_CONNECTIONS]
    #[arg(long, value_name = "NUMBER")]
    pub connections: Option<String>,
    /// Connections at once from one address [default: 256] [env: VESTIBULE_CONNECTIONS_PER_ADDRESS]
    #[arg(long, value_name = "NUMBER")]
    pub connections_per_address: Option<String>,
    /// Days for which the record of requests is kept [default: 30] [env: VESTIBULE_REQUEST_DAYS]
    #[arg(long, value_name = "NUMBER")]
    pub request_days: Option<String>,
    /// Requests in the record at most; 0 for no record [default: 200000] [env: VESTIBULE_REQUEST_RECORDS]
    #[arg(long, value_name = "NUMBER")]
    pub request_records: Option<String>,
}

/// Through which door a command reaches the data: the data folder, or a running server.
#[derive(Debug, Args)]
pub struct DoorFlags {
    /// Work through the admin API of a running server instead of the data folder.
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "VESTIBULE_SERVER",
        requires = "token"
    )]
    pub server: Option<String>,
    /// The admin token for --server, or file:PATH of a file that holds it.
    #[arg(long, global = true, env = "VESTIBULE_TOKEN", hide_env_values = true, value_parser = secret)]
    pub token: Option<String>,
}

/// `vestibule connector`
#[derive(Debug, Args)]
pub struct ConnectorArgs {
    /// Where the data are.
    #[command(flatten)]
    pub door: DoorFlags,
    /// What to do.
    #[command(subcommand)]
    pub command: ConnectorCommand,
}

/// What to do with connectors.
#[derive(Debug, Subcommand)]
pub enum ConnectorCommand {
    /// Make a connector and print its base URL and token. The token is shown this once.
    Create {
        /// A name for people; any text that no other connector has.
        #[arg(long)]
        name: String,
        /// The identity provider that will write to it.
        #[arg(long, default_value = "generic", value_parser = presets())]
        preset: Preset,
    },
    /// List what connectors can be made for, and which departures from the RFCs each has.
    Presets,
    /// Show or switch the departures from the RFCs of a connector.
    Departures {
        /// Its name or id.
        connector: String,
        /// Switch one on, whatever the preset says.
        #[arg(long, value_name = "DEPARTURE", value_parser = departures())]
        on: Vec<Departure>,
        /// Switch one off, whatever the preset says.
        #[arg(long, value_name = "DEPARTURE", value_parser = departures())]
        off: Vec<Departure>,
        /// Leave one to the preset again.
        #[arg(long, value_name = "DEPARTURE", value_parser = departures())]
        reset: Vec<Departure>,
    },
    /// List all connectors.
    List,
    /// Show one connector.
    Show {
        /// Its name or id.
        connector: String,
    },
    /// Make a new token and print it. The old ones keep working for a while, so that nothing is lost meanwhile.
    RotateToken {
        /// Its name or id.
        connector: String,
        /// How many minutes the old tokens go on working; 0 ends them at once.
        #[arg(long, value_name = "MINUTES", default_value_t = 1440)]
        overlap: u32,
    },
    /// Print the rules of a connector as JSON, or check and apply new ones.
    Rules {
        /// Its name or id.
        connector: String,
        /// A file with the new rules.
        #[arg(long)]
        file: Option<PathBuf>,
    },
    /// Give a connector another name. Its base URL and its directory stay as they are.
    Rename {
        /// Its name or id.
        connector: String,
        /// The new name.
        name: String,
    },
    /// Evaluate everybody anew.
    Reconcile {
        /// Its name or id.
        connector: String,
    },
    /// Show or change how the identity provider may prove who it is, from where, and how often it may ask.
    Credentials(Box<CredentialsArgs>),
    /// Show members whom groups name and whom nobody knows yet, and users whose name is taken.
    Waiting {
        /// Its name or id.
        connector: String,
    },
    /// Keep taking writes, but leave the directory as it is until `resume`.
    Pause {
        /// Its name or id.
        connector: String,
    },
    /// Refuse every request of the identity provider until `resume`.
    Disable {
        /// Its name or id.
        connector: String,
    },
    /// Let a paused or disabled connector work again, and catch up with what was written meanwhile.
    Resume {
        /// Its name or id.
        connector: String,
    },
}

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
}

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
    /// Take tokens that this issuer signs.
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
    /// Signed tokens may only read.
    #[arg(long)]
    pub jwt_read_only: bool,
    /// Take no signed tokens.
    #[arg(long, conflicts_with_all = ["jwt_tenant", "jwt_issuer"])]
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

/// `vestibule demo`
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// The address and port to serve HTTP on; port 0 takes a free one.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:0")]
    pub listen: String,
    /// Stop after the play instead of serving on; fails if something did not go as it should.
    #[arg(long)]
    pub once: bool,
    /// How many people the emulated identity providers have.
    #[arg(long, default_value_t = 50)]
    pub users: usize,
    /// How many groups they push.
    #[arg(long, default_value_t = 8)]
    pub groups: usize,
    /// The same seed gives the same people.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// `vestibule simulate`
#[derive(Debug, Args)]
pub struct SimulateArgs {
    /// Which identity provider to play.
    #[arg(value_enum)]
    pub provider: Provider,
    /// The base URL of the SCIM server, as one would paste it into the identity provider.
    #[arg(long)]
    pub url: String,
    /// The bearer token, or file:PATH of a file that holds it.
    #[arg(long, env = "VESTIBULE_TOKEN", hide_env_values = true, value_parser = secret)]
    pub token: String,
    /// How many users to push.
    #[arg(long, default_value_t = 100)]
    pub users: usize,
    /// How many groups to push.
    #[arg(long, default_value_t = 10)]
    pub groups: usize,
    /// The same seed gives the same people.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// An identity provider that can be played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Provider {
    /// Okta.
    Okta,
    /// Microsoft Entra ID.
    Entra,
}

/// `vestibule check-scim`
#[derive(Debug, Args)]
pub struct CheckScimArgs {
    /// The base URL of the SCIM server, as one would paste it into an identity provider.
    #[arg(long, required_unless_present = "list")]
    pub url: Option<String>,
    /// The bearer token, or file:PATH of a file that holds it.
    #[arg(long, env = "VESTIBULE_TOKEN", hide_env_values = true, value_parser = secret)]
    pub token: Option<String>,
    /// Name and password as NAME:PASSWORD instead of a token, or file:PATH of a file that holds them.
    #[arg(long, value_name = "NAME:PASSWORD", value_parser = secret, conflicts_with = "token")]
    pub basic: Option<String>,
    /// A header that proves who asks, as NAME:VALUE instead of a token, or file:PATH of a file that holds it.
    #[arg(long, value_name = "NAME:VALUE", value_parser = secret, conflicts_with_all = ["token", "basic"])]
    pub auth_header: Option<String>,
    /// A header for every request, as NAME:VALUE; may be given more than once.
    #[arg(long = "header", value_name = "NAME:VALUE", value_parser = secret)]
    pub headers: Vec<String>,
    /// The base URL of a second tenant, to test that both are apart.
    #[arg(long, value_name = "URL", requires = "other_token")]
    pub other_url: Option<String>,
    /// The bearer token of the second tenant, or file:PATH.
    #[arg(long, value_name = "TOKEN", value_parser = secret, requires = "other_url")]
    pub other_token: Option<String>,
    /// Run only what reads: safe on a server with real people.
    #[arg(long)]
    pub read_only: bool,
    /// Only these checks or sections, as ids: USR, USR-POST, USR-POST-01; may be given more than once.
    #[arg(long, value_name = "ID")]
    pub only: Vec<String>,
    /// Count what this client sends as binding; may be given more than once.
    #[arg(long, value_name = "CLIENT", value_parser = clients())]
    pub client: Vec<check::Client>,
    /// Count everything as binding: no warnings, only failures.
    #[arg(long)]
    pub strict: bool,
    /// Show the checks and send nothing.
    #[arg(long)]
    pub list: bool,
    /// How the report looks.
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub format: ReportFormat,
    /// Write the report to a file, and only counts to the terminal.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Name every check in the report, not only those that are wrong.
    #[arg(long)]
    pub full: bool,
    /// How many checks run at the same time.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub concurrency: u8,
    /// How many members a big group gets.
    #[arg(long, value_name = "COUNT", default_value_t = 101, value_parser = clap::value_parser!(u32).range(2..=100_000))]
    pub members: u32,
    /// How many seconds to wait for one answer.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub timeout: u64,
    /// Certificates (PEM) of authorities to trust beside those of the machine.
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Accept any certificate.
    #[arg(long)]
    pub insecure: bool,
}

/// How a report looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// For build servers.
    Junit,
}

/// `vestibule config`
#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// What to show.
    #[command(subcommand)]
    pub command: ConfigCommand,
}

/// What to show of the settings.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum ConfigCommand {
    /// Show every setting, its value and where the value comes from.
    Show,
    /// Print a vestibule.toml with every setting at its default, each explained.
    Template,
}

fn presets() -> impl TypedValueParser<Value = Preset> {
    let values = Preset::ALL.map(|preset| {
        let value = PossibleValue::new(preset.as_str()).help(preset.about());
        match preset {
            Preset::Pingone => value.alias("ping"),
            _ => value,
        }
    });
    PossibleValuesParser::new(values).map(|word| Preset::parse(&word).unwrap_or_default())
}

fn departures() -> impl TypedValueParser<Value = Departure> {
    let values = Departure::ALL
        .map(|departure| PossibleValue::new(departure.as_str()).help(departure.about()));
    PossibleValuesParser::new(values)
        .try_map(|word| Departure::parse(&word).ok_or("no such departure"))
}

fn algorithms() -> PossibleValuesParser {
    PossibleValuesParser::new(JwtAlgorithm::ALL.map(JwtAlgorithm::as_str))
}

fn clients() -> impl TypedValueParser<Value = check::Client> {
    PossibleValuesParser::new(check::Client::ALL.map(check::Client::as_str))
        .try_map(|word| check::Client::parse(&word).ok_or("no such client"))
}

/// The text itself, or what is in the file that `file:PATH` names: a token in the arguments can be
/// read by everybody on the machine.
fn secret(text: &str) -> Result<String, String> {
    match text.strip_prefix("file:") {
        None => Ok(text.to_owned()),
        Some(path) => match std::fs::read_to_string(path) {
            Ok(text) => Ok(text.trim().to_owned()),
            Err(error) => Err(format!("{path} cannot be read: {error}")),
        },
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definitions_hold_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_setting_has_its_flag_and_says_its_default_and_variable() {
        let command = Cli::command();
        for key in crate::config::KEYS {
            let flag = key.flag();
            let argument = command
                .get_arguments()
                .find(|argument| argument.get_long() == flag.strip_prefix("--"))
                .unwrap_or_else(|| panic!("no flag for {}", key.name));
            let help = argument.get_help().unwrap().to_string();
            assert!(
                help.contains(&format!("[env: {}]", key.variable())),
                "{flag}: {help}"
            );
            let default = format!("[default: {}]", key.default);
            assert!(
                key.default.is_empty() || help.contains(&default),
                "{flag}: {help}"
            );
        }
    }

    #[test]
    fn folders_can_be_named_before_and_after_the_command() {
        for words in [
            "vestibule --data d connector list",
            "vestibule connector --data d list",
            "vestibule connector list --data d",
        ] {
            let cli = Cli::try_parse_from(words.split(' ')).unwrap();
            assert_eq!(cli.common.data.as_deref(), Some("d"), "{words}");
        }
    }

    #[test]
    fn a_token_can_lie_in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "s3cret\n").unwrap();
        assert_eq!(
            secret(&format!("file:{}", path.display())),
            Ok("s3cret".to_owned())
        );
        assert_eq!(secret("s3cret"), Ok("s3cret".to_owned()));
        assert!(secret("file:/nowhere/at/all").is_err());
    }

    #[test]
    fn a_server_needs_a_token() {
        let words = "vestibule connector list --server http://127.0.0.1:1";
        assert!(Cli::try_parse_from(words.split(' ')).is_err());
        let words = format!("{words} --token t");
        assert!(Cli::try_parse_from(words.split(' ')).is_ok());
    }
}
