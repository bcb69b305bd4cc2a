//! Flags of the commands about endpoints that are told of every change.

use clap::{Args, Subcommand};

use super::DoorFlags;

/// `vestibule subscriptions`
#[derive(Debug, Args)]
pub struct SubscriptionsArgs {
    /// Where the data are.
    #[command(flatten)]
    pub door: DoorFlags,
    /// What to do.
    #[command(subcommand)]
    pub command: SubscriptionsCommand,
}

/// What to do with subscriptions.
#[derive(Debug, Subcommand)]
pub enum SubscriptionsCommand {
    /// List the subscriptions, and how they fare.
    List,
    /// List the events that a subscription can be told of.
    Events,
    /// Make a subscription for what happens from now on.
    Create(SubscriptionArgs),
    /// Set what a subscription is, as a whole; its key stays if it is left out and the URL does.
    Set(SubscriptionArgs),
    /// Send a message without events, and show what the other end says.
    Test {
        /// The subscription, by name or id.
        subscription: String,
    },
    /// Try a subscription again at once that fails, or was given up.
    Retry {
        /// The subscription, by name or id.
        subscription: String,
    },
    /// List what a subscription was told in the last seven days, the newest first.
    Deliveries {
        /// The subscription, by name or id.
        subscription: String,
    },
    /// Send once more what a subscription was told.
    Send {
        /// The subscription, by name or id.
        subscription: String,
        /// The delivery, by its id.
        delivery: String,
    },
    /// Go on without a delivery that is not taken; it can be sent again later.
    Skip {
        /// The subscription, by name or id.
        subscription: String,
        /// The delivery, by its id.
        delivery: String,
    },
    /// Delete a subscription.
    Delete {
        /// The subscription, by name or id.
        subscription: String,
    },
}

/// What a subscription is to be.
#[derive(Debug, Args)]
pub struct SubscriptionArgs {
    /// Its name.
    pub name: String,
    /// Where the messages go.
    #[arg(long, value_name = "URL")]
    pub url: String,
    /// Tell only this event; may be repeated. Without, all are told.
    #[arg(long = "event", value_name = "EVENT")]
    pub events: Vec<String>,
    /// Tell only of this directory, by name or id; may be repeated. Without, all are told of.
    #[arg(long = "directory", value_name = "DIRECTORY")]
    pub directories: Vec<String>,
    /// The key of the signatures, `whsec_...`; file:PATH reads it from a file. Without, one is made and shown once.
    #[arg(long, value_name = "KEY", value_parser = super::secret)]
    pub secret: Option<String>,
    /// Tell nothing for now; what happens waits.
    #[arg(long)]
    pub off: bool,
}
