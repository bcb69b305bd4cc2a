//! Flags of the commands about channels by which administrators are told.

use clap::{Args, Subcommand, ValueEnum};

use super::DoorFlags;

/// `vestibule notifications`
#[derive(Debug, Args)]
pub struct NotificationsArgs {
    /// Where the data are.
    #[command(flatten)]
    pub door: DoorFlags,
    /// What to do.
    #[command(subcommand)]
    pub command: NotificationsCommand,
}

/// What to do with channels.
#[derive(Debug, Subcommand)]
pub enum NotificationsCommand {
    /// List the channels, and whether they work.
    List,
    /// List the events that a channel can tell.
    Events,
    /// Make a channel. What stands then is told by it first.
    Create(Box<ChannelArgs>),
    /// Set what a channel is, as a whole; its secret stays if it is left out and would go to the same place.
    Set(Box<ChannelArgs>),
    /// Send a test message by a channel, and show what the other end says.
    Test {
        /// The channel, by name or id.
        channel: String,
    },
    /// Delete a channel.
    Delete {
        /// The channel, by name or id.
        channel: String,
    },
}

/// What a channel is to be.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("way").required(true).args(["mail_server", "webhook", "chat"])))]
pub struct ChannelArgs {
    /// Its name.
    pub name: String,
    /// Tell by mail through this server.
    #[arg(long, value_name = "HOST", requires_all = ["from", "to"])]
    pub mail_server: Option<String>,
    /// The port of the mail server [default: 587, 465 or 25, as the protection has it]
    #[arg(long, value_name = "PORT", requires = "mail_server")]
    pub port: Option<u16>,
    /// How the connection to the mail server is protected.
    #[arg(long, value_enum, default_value_t = SecurityArg::Starttls)]
    pub security: SecurityArg,
    /// Who signs in at the mail server; the password is --secret.
    #[arg(long, value_name = "NAME", requires = "mail_server")]
    pub username: Option<String>,
    /// The address that mail comes from.
    #[arg(long, value_name = "ADDRESS", requires = "mail_server")]
    pub from: Option<String>,
    /// An address that mail goes to; may be given several times.
    #[arg(long, value_name = "ADDRESS", requires = "mail_server")]
    pub to: Vec<String>,
    /// Tell by a signed POST to this URL; its key is --secret, or is made and shown once.
    #[arg(long, value_name = "URL")]
    pub webhook: Option<String>,
    /// Tell in a chat that understands this; the URL of its incoming webhook is --secret.
    #[arg(long, value_enum)]
    pub chat: Option<ChatArg>,
    /// The password, the key of signatures or the URL of the chat, or file:PATH of a file that holds it.
    #[arg(long, value_name = "SECRET", value_parser = super::secret)]
    pub secret: Option<String>,
    /// An event that it tells; may be given several times. Without any, it tells all.
    #[arg(long = "event", value_name = "EVENT")]
    pub events: Vec<String>,
    /// A connector, by name or id, that it tells of; may be given several times. Without any, it tells of everything.
    #[arg(long = "connector", value_name = "CONNECTOR")]
    pub connectors: Vec<String>,
    /// Minutes between two messages at least.
    #[arg(long, value_name = "MINUTES", default_value_t = 15)]
    pub every_minutes: u32,
    /// It tells nothing for now.
    #[arg(long)]
    pub off: bool,
}

/// How a connection to a mail server is protected.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum SecurityArg {
    /// It is encrypted before anything is said.
    Starttls,
    /// It is encrypted from the beginning.
    Tls,
    /// It is not: for a relay on the same machine or network.
    None,
}

/// What a chat understands.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum ChatArg {
    /// Slack, Mattermost, Rocket.Chat, Google Chat.
    Text,
    /// Microsoft Teams.
    Teams,
}
