//! Flags of `vestibule export`, `vestibule plan` and `vestibule apply`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

use super::DoorFlags;

/// `vestibule export`
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Where the data are.
    #[command(flatten)]
    pub door: DoorFlags,
    /// Only this connector and its directory, by name; may be repeated.
    #[arg(long, value_name = "NAME")]
    pub connector: Vec<String>,
    /// Print the JSON Schema of configuration files instead; no data are looked at.
    #[arg(long, conflicts_with = "connector")]
    pub schema: bool,
    /// With the secrets, sealed with a passphrase, so that another server can be set up with the same.
    #[arg(long, conflicts_with = "schema")]
    pub seal: bool,
    /// Where the passphrase is: env:NAME or file:PATH. Without, it is asked for.
    #[arg(long, value_name = "SOURCE", requires = "seal")]
    pub passphrase: Option<PassphraseSource>,
}

/// Where a passphrase is. In an argument everybody on the machine could read it.
#[derive(Debug, Clone)]
pub enum PassphraseSource {
    /// In this environment variable.
    Env(String),
    /// In this file; white space at its end does not count.
    File(PathBuf),
}

impl FromStr for PassphraseSource {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            Some(("env", name)) if !name.is_empty() => Ok(Self::Env(name.to_owned())),
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(path.into())),
            _ => Err(
                "write env:NAME of an environment variable or file:PATH of a file that holds it",
            ),
        }
    }
}

/// A configuration file, and how it is meant.
#[derive(Debug, Args)]
pub struct FileArgs {
    /// The file, YAML or JSON; `-` for the standard input.
    #[arg(short, long, value_name = "FILE")]
    pub file: PathBuf,
    /// Remove what is there and is not in a list of the file. Lists that the file does not have are left alone.
    #[arg(long)]
    pub prune: bool,
    /// Go on although a test of rules fails or users would get no usable values.
    #[arg(long)]
    pub anyway: bool,
    /// Where the passphrase is that secrets in the file were sealed with: env:NAME or file:PATH. Without, it is asked for.
    #[arg(long, value_name = "SOURCE")]
    pub passphrase: Option<PassphraseSource>,
}

/// `vestibule plan`
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Where the data are.
    #[command(flatten)]
    pub door: DoorFlags,
    /// What is planned.
    #[command(flatten)]
    pub file: FileArgs,
}

/// `vestibule apply`
#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// Where the data are.
    #[command(flatten)]
    pub door: DoorFlags,
    /// What is applied.
    #[command(flatten)]
    pub file: FileArgs,
    /// What the change is for; kept with new versions of rules.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub comment: String,
    /// Only if the configuration is still what a plan was made on: the `ground` that `vestibule plan` printed.
    #[arg(long, value_name = "MARK")]
    pub ground: Option<String>,
    /// Apply without asking, also where safety limits would hold something.
    #[arg(long)]
    pub yes: bool,
    /// Stay until everything that goes on is over, and show how far it is.
    #[arg(long)]
    pub wait: bool,
}
