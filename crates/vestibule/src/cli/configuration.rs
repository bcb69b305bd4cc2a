//! Flags of `vestibule export`, `vestibule plan` and `vestibule apply`.

use std::path::PathBuf;

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
    /// Apply without asking.
    #[arg(long)]
    pub yes: bool,
}
