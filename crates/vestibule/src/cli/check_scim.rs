//! Flags of `vestibule check-scim`.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};

use super::secret;

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

fn clients() -> impl TypedValueParser<Value = check::Client> {
    PossibleValuesParser::new(check::Client::ALL.map(check::Client::as_str))
        .try_map(|word| check::Client::parse(&word).ok_or("no such client"))
}
