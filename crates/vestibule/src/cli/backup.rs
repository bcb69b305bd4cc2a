//! Flags of `vestibule backup` and `vestibule restore`.

use std::path::PathBuf;

use clap::Args;

use super::DoorFlags;

/// `vestibule backup`
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// Where the data are.
    #[command(flatten)]
    pub door: DoorFlags,
    /// The file to write; it must not be there yet.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// `vestibule restore`
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// The backup.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Put it in the place of what is there. What is there stays if anything fails.
    #[arg(long)]
    pub replace: bool,
    /// Only look whether it is whole, and tell what is in it.
    #[arg(long, conflicts_with = "replace")]
    pub check: bool,
}
