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
#[derive(Debug, Subcommand)]
pub enum DirectoryCommand {
    /// List all directories: who feeds them, and how much is in them.
    List,
    /// List the users that products see, in the order of their names.
    Users {
        /// Its name or id.
        directory: String,
        /// Only those who may log in (true), or only those who may not (false).
        #[arg(long, value_name = "true|false")]
        active: Option<bool>,
        /// Only those with this text in a name or the address, in any case.
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
        /// Which page.
        #[command(flatten)]
        page: PageArgs,
    },
    /// List the groups that products see, in the order of their names.
    Groups {
        /// Its name or id.
        directory: String,
        /// Only those with this text in the name or the description, in any case.
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
        /// Which page.
        #[command(flatten)]
        page: PageArgs,
    },
    /// List who is in a group itself, and why.
    Members {
        /// The directory's name or id.
        directory: String,
        /// The group's name.
        group: String,
        /// Which page.
        #[command(flatten)]
        page: PageArgs,
    },
    /// Make a directory that no connector feeds yet.
    Create {
        /// Its name.
        name: String,
    },
    /// Give a directory another name.
    Rename {
        /// Its name or id.
        directory: String,
        /// The new name.
        name: String,
    },
    /// Whose word counts where several connectors of a directory know the same person.
    ///
    /// Without options it is shown. With an order, what it would change is shown; with --yes, it holds.
    Precedence {
        /// Its name or id.
        directory: String,
        /// The connectors, the one whose word counts most first, separated by commas.
        #[arg(long, value_name = "CONNECTORS", value_delimiter = ',')]
        order: Vec<String>,
        /// Another order for one target: `email=Okta,Entra`, `attr:title=Entra`. For `groups`, the first that knows the
        /// person decides alone. Can be given several times.
        #[arg(long = "target", value_name = "TARGET=CONNECTORS")]
        targets: Vec<String>,
        /// Each account is spoken of by one connector alone.
        #[arg(long, conflicts_with_all = ["order", "targets"])]
        off: bool,
        /// Do it; without, show what it would change.
        #[arg(long)]
        yes: bool,
    },
    /// Make everything in a directory local, and pause its connectors. Products see no difference.
    Detach {
        /// Its name or id.
        directory: String,
        /// Do it; without, show what it would touch.
        #[arg(long)]
        yes: bool,
        /// Stay until it is over, and show how far it is.
        #[arg(long, requires = "yes")]
        wait: bool,
    },
    /// Delete a directory that no connector feeds.
    Delete {
        /// Its name or id.
        directory: String,
        /// Take it away from applications that see it.
        #[arg(long)]
        force: bool,
        /// Do it; without, show what it would touch.
        #[arg(long)]
        yes: bool,
        /// Stay until it is over, and show how far it is.
        #[arg(long, requires = "yes")]
        wait: bool,
    },
}

/// Which page of a list.
#[derive(Debug, Args)]
pub struct PageArgs {
    /// Only what comes behind this name.
    #[arg(long, value_name = "NAME")]
    pub after: Option<String>,
    /// How many at most, 1 to 1000.
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    pub limit: u32,
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
    /// Only how this attribute comes about: username, email, attr:title ...
    #[arg(long, value_name = "TARGET", conflicts_with = "group")]
    pub attribute: Option<String>,
    /// Look in this directory only, by name or id.
    #[arg(long)]
    pub directory: Option<String>,
    /// Tell only of the user whom this connector knows, by name or id; it may be one whose name another has at the products.
    #[arg(long, conflicts_with = "directory")]
    pub connector: Option<String>,
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
