//! Flags of the commands that show what products see, and why.

use clap::{Args, Subcommand};

use super::DoorFlags;

/// `vestibule directory`
#[derive(Debug, Args)]
pub struct DirectoryArgs {
    /// Where the data are.
    #[command(flatten)]
    pub door: DoorFlags,
    /// What to do.
    #[command(subcommand)]
    pub command: DirectoryCommand,
}

/// What to do with directories.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum DirectoryCommand {
    /// List all directories: who feeds them, and how much is in them.
    List,
}

/// `vestibule why`
#[derive(Debug, Args)]
pub struct WhyArgs {
    /// Where the data are.
    #[command(flatten)]
    pub door: DoorFlags,
    /// Somebody, by the name that products see or by the userName of the identity provider.
    pub user: String,
    /// Only what has to do with this group, by its name for products or at the identity provider.
    pub group: Option<String>,
    /// Look in this directory only, by name or id.
    #[arg(long)]
    pub directory: Option<String>,
}

/// `vestibule session`
#[derive(Debug, Args)]
pub struct SessionArgs {
    /// Where the data are.
    #[command(flatten)]
    pub door: DoorFlags,
    /// What to do.
    #[command(subcommand)]
    pub command: SessionCommand,
}

/// What to do with the sessions that people have with products.
#[derive(Debug, Subcommand)]
pub enum SessionCommand {
    /// List the sessions of somebody.
    List(SessionOf),
    /// End all sessions of somebody: every product asks for a login again.
    End(SessionOf),
}

/// Whose sessions.
#[derive(Debug, Args)]
pub struct SessionOf {
    /// The user, by the name that products see.
    pub user: String,
    /// The directory that the user is in, by name or id; may be left out while one only has the user.
    #[arg(long)]
    pub directory: Option<String>,
}
