//! Flags of the commands about how people sign in with applications, and how applications hear of news.

use clap::{ArgAction, Args, Subcommand};

use super::DoorFlags;

/// `vestibule sign-in`
#[derive(Debug, Args)]
pub struct SignInArgs {
    /// Where the data are.
    #[command(flatten)]
    pub door: DoorFlags,
    /// What to do.
    #[command(subcommand)]
    pub command: SignInCommand,
}

/// What to do about signing in.
#[derive(Debug, Subcommand)]
pub enum SignInCommand {
    /// Show the cookie of an application and how long its sessions live.
    Show {
        /// The application, by name or id.
        application: String,
    },
    /// Change the cookie of an application, or how long sessions live that begin there.
    Set {
        /// The application, by name or id.
        application: String,
        /// What to change.
        #[command(flatten)]
        edit: SignInEdit,
    },
    /// Say whether applications with read-write access may make users of their own in a directory.
    LocalUsers {
        /// The directory, by name or id.
        directory: String,
        /// Whether they may.
        #[arg(action = ArgAction::Set, value_name = "true|false")]
        allowed: bool,
    },
}

/// What to change about signing in; what is left out stays.
#[derive(Debug, Clone, Default, Args, serde::Serialize)]
pub struct SignInEdit {
    /// The domain of the cookie, as in .example.org; empty leaves it to the product.
    #[arg(long, value_name = "DOMAIN")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cookie_domain: Option<String>,
    /// Whether the cookie goes over TLS only.
    #[arg(long, value_name = "true|false")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cookie_secure: Option<bool>,
    /// The name of the cookie; the same for all applications that share a sign-in.
    #[arg(long, value_name = "NAME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cookie_name: Option<String>,
    /// Minutes without use after which a session ends.
    #[arg(long, value_name = "MINUTES")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_idle_minutes: Option<u32>,
    /// Minutes after which a session ends in any case.
    #[arg(long, value_name = "MINUTES")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_life_minutes: Option<u32>,
}

/// `vestibule webhook`
#[derive(Debug, Args)]
pub struct WebhookArgs {
    /// Where the data are.
    #[command(flatten)]
    pub door: DoorFlags,
    /// What to do.
    #[command(subcommand)]
    pub command: WebhookCommand,
}

/// What to do with webhooks.
#[derive(Debug, Subcommand)]
pub enum WebhookCommand {
    /// List the webhooks of an application, and how telling them goes.
    List {
        /// The application, by name or id.
        application: String,
    },
    /// Register a webhook for an application, as the application itself can.
    Create {
        /// The application, by name or id.
        application: String,
        /// Where to send, as https://HOST/PATH.
        #[arg(long)]
        url: String,
        /// What the receiver knows the sender by, or file:PATH; sent as Authorization: Basic SECRET.
        #[arg(long, value_name = "SECRET", value_parser = super::secret)]
        secret: Option<String>,
    },
    /// Give a webhook that was given up another chance.
    Enable {
        /// The application, by name or id.
        application: String,
        /// The webhook's number.
        id: i64,
    },
    /// Delete a webhook.
    Delete {
        /// The application, by name or id.
        application: String,
        /// The webhook's number.
        id: i64,
    },
}
