//! The commands and flags, as `clap` reads them. What they do is in `commands`.

mod admin;
mod application;
mod audit;
mod backup;
mod check_scim;
mod config;
mod configuration;
mod connector;
mod credentials;
mod group;
mod holds;
mod import;
mod insight;
mod jobs;
mod look;
mod notifications;
mod past;
mod pilot;
mod play;
mod release;
mod rules;
mod sign_in;
mod subscriptions;
mod user;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub use admin::{AdminArgs, AdminCommand, OpenIdCommand, RoleArg};
pub use application::{ApplicationArgs, ApplicationCommand, SightArgs};
pub use audit::{AuditArgs, AuditCommand, AuditFilters, AuditFormat};
pub use backup::{BackupArgs, RestoreArgs};
pub use check_scim::{CheckScimArgs, ReportFormat};
pub use config::{ConfigArgs, ConfigCommand};
pub use configuration::{ApplyArgs, ExportArgs, FileArgs, PassphraseSource, PlanArgs};
pub use connector::{ConnectorArgs, ConnectorCommand};
pub use credentials::{
    AccessArg, ClientArgs, ClientCommand, CredentialsArgs, GrantArgs, TokenArgs, TokenCommand,
};
pub use group::{GroupArgs, GroupCommand};
pub use holds::{HoldsArgs, HoldsCommand, Which};
pub use import::{ConflictArgs, ConflictCommand, ImportArgs, MatchArgs};
pub use insight::{
    ErrorsArgs, RequestFilters, RequestsArgs, RequestsCommand, ResourceTypeArg, SchemaArgs,
    SchemaCommand,
};
pub use jobs::{JobArgs, JobCommand, ReconcileArgs};
pub use look::{
    DirectoryArgs, DirectoryCommand, PageArgs, SessionArgs, SessionCommand, SessionOf, WhyArgs,
};
pub use notifications::{
    ChannelArgs, ChatArg, NotificationsArgs, NotificationsCommand, SecurityArg,
};
pub use past::{
    HistoryArgs, JournalArgs, OverrideAdd, OverrideArgs, OverrideCommand, OverrideKindArg, UndoArgs,
};
pub use pilot::{PilotArgs, PilotCommand};
pub use play::{DemoArgs, Provider, SimulateArgs};
pub use release::{FateArg, MatchArg, TransferArgs};
pub use rules::{RulesArgs, RulesCommand, TermsArgs, TryArgs};
pub use sign_in::{SignInArgs, SignInCommand, SignInEdit, WebhookArgs, WebhookCommand};
pub use subscriptions::{SubscriptionArgs, SubscriptionsArgs, SubscriptionsCommand};
pub use user::{StickyArgs, StickyCommand, StickyReason, UserArgs, UserCommand};

/// SCIM 2.0 provisioning from identity providers to Atlassian products.
///
/// Without a command the server starts, as with `vestibule serve`.
#[derive(Debug, Parser)]
#[command(name = "vestibule", version, after_help = crate::exit::HELP)]
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
    /// Try a connector out on a part of its users, and see what it would mean for the others.
    Pilot(PilotArgs),
    /// Change the rules of a connector safely: edit, preview, apply, go back, compare and test.
    Rules(RulesArgs),
    /// Make, look at, change and delete applications: the products that attach the directory.
    Application(ApplicationArgs),
    /// Show and change how people sign in with an application, and who may make users.
    SignIn(SignInArgs),
    /// List, make, change and give up directories, and list who is in them: what products see.
    Directory(DirectoryArgs),
    /// List the groups that an identity provider has written, and decide about one.
    Group(GroupArgs),
    /// Copy people and groups of another server or a file into a directory.
    ///
    /// Their accounts wait there for the identity provider: a user who is created with the same name gets the account,
    /// with its groups. Copying again changes only what is different.
    Import(ImportArgs),
    /// Compare the users of a connector with the accounts that exist, before they meet.
    Match(MatchArgs),
    /// Show users in whose way an account is, and decide whether both are one person.
    Conflict(ConflictArgs),
    /// Evaluate everybody of a connector anew, or one user.
    Reconcile(ReconcileArgs),
    /// Show how far work on many people is and what it changed, and end it.
    Job(JobArgs),
    /// Explain why somebody has an account or none, or is or is not in a group.
    Why(WhyArgs),
    /// Show what a user or a group was at a moment, and what changed since another.
    History(HistoryArgs),
    /// List what changed in a directory, and what made it change.
    Journal(JournalArgs),
    /// Say something about one user beside the rules, for a time; list and remove what was said.
    Override(OverrideArgs),
    /// Take back what a connector, a request, an actor or a time did to users and memberships.
    Undo(UndoArgs),
    /// List and decide what safety limits keep back, and show how much of the limits is used up.
    Holds(HoldsArgs),
    /// Show one user, and take or give back the log-in.
    User(UserArgs),
    /// Show who stays disabled although the identity provider says otherwise; export, import and clear that list.
    Sticky(StickyArgs),
    /// List and end the sessions that somebody has with products.
    Session(SessionArgs),
    /// Say and see where applications want to hear of news, and how that goes.
    Webhook(WebhookArgs),
    /// Make, try and delete channels by which administrators are told of what needs somebody.
    Notifications(NotificationsArgs),
    /// Tell other programs of every change of directories, in order, by signed messages.
    Subscriptions(SubscriptionsArgs),
    /// Invite, list and delete administrators of the console.
    Admin(AdminArgs),
    /// Show, save and check the audit log: what administrators did, and who tried.
    Audit(AuditArgs),
    /// Make, list and revoke tokens of the admin API and of connectors.
    Token(TokenArgs),
    /// Make, list and delete clients of connectors, which get access tokens for an id and a secret.
    Client(ClientArgs),
    /// Register schemas that a connector's users and groups have besides those of SCIM.
    Schema(SchemaArgs),
    /// Print everything that administrators set up as one configuration file, without secrets.
    Export(ExportArgs),
    /// Show what a configuration file would change, changing nothing. Exit code 8 if it would change something.
    Plan(PlanArgs),
    /// Make things as a configuration file says, all or nothing. What the file does not name stays.
    Apply(ApplyArgs),
    /// Write everything that is stored into one file, also while the server runs.
    ///
    /// The file can be restored into SQLite and PostgreSQL alike. It holds the hashes of passwords and tokens: keep it like a
    /// password. It holds neither the secret key of the installation nor sessions.
    Backup(BackupArgs),
    /// Fill an empty data folder or database from a backup, all or nothing. No server may run on it.
    Restore(RestoreArgs),
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
    /// Addresses and ranges from which /metrics is answered without a token, beside this machine [env: VESTIBULE_METRICS_FROM]
    #[arg(long, value_name = "RANGES")]
    pub metrics_from: Option<String>,
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

/// Longest name of an author, in characters.
const AUTHOR_CHARS_MAX: usize = 100;

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
    /// Who it is by, in the journal and the audit log, when it works on the data folder [default: the account of the system]
    #[arg(long, global = true, value_name = "NAME", env = "VESTIBULE_AUTHOR", value_parser = author)]
    pub author: Option<String>,
}

/// A name that can stand in a journal.
fn author(name: &str) -> Result<String, &'static str> {
    let name = name.trim();
    let is_good = !name.is_empty()
        && name.chars().count() <= AUTHOR_CHARS_MAX
        && !name.chars().any(char::is_control);
    match is_good {
        true => Ok(name.to_owned()),
        false => Err("a name has 1 to 100 characters, none of them invisible"),
    }
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
