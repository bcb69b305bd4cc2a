//! Flags of the commands that show what identity providers send, and what they may send.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use scim::catalogue;

use super::DoorFlags;

/// `vestibule schema`
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// Where the data are.
    #[command(flatten)]
    pub door: DoorFlags,
    /// What to do.
    #[command(subcommand)]
    pub command: SchemaCommand,
}

/// What to do with schemas.
#[derive(Debug, Subcommand)]
pub enum SchemaCommand {
    /// List the schemas of a connector.
    List {
        /// The connector, by name or id.
        connector: String,
    },
    /// Print one schema as JSON, in the form that `put` reads.
    Show {
        /// The connector, by name or id.
        connector: String,
        /// Its URN.
        urn: String,
    },
    /// Register a schema, or change the one with its URN. What is stored under the URN stays.
    Put {
        /// The connector, by name or id.
        connector: String,
        /// The schema in the JSON form of RFC 7643, section 7, or as `show` prints it.
        #[arg(long)]
        file: PathBuf,
        /// Which resources have it; may be repeated [default: user, or as the file says]
        #[arg(long, value_enum, value_name = "TYPE")]
        resource_type: Vec<ResourceTypeArg>,
        /// Each of them must have it.
        #[arg(long)]
        required: bool,
        /// Go on even if stored values that were never returned become readable by the change.
        #[arg(long)]
        reveal: bool,
    },
    /// Forget a schema. What is stored under its URN stays, and is not checked any more.
    Delete {
        /// The connector, by name or id.
        connector: String,
        /// Its URN.
        urn: String,
        /// Go on even if stored values that were never returned become readable by it.
        #[arg(long)]
        reveal: bool,
    },
}

/// A kind of resource that can have a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ResourceTypeArg {
    /// Users.
    User,
    /// Groups.
    Group,
}

/// `vestibule requests`
#[derive(Debug, Args)]
pub struct RequestsArgs {
    /// Where the data are.
    #[command(flatten)]
    pub door: DoorFlags,
    /// What to do.
    #[command(subcommand)]
    pub command: RequestsCommand,
}

/// `vestibule errors`
#[derive(Debug, Args)]
pub struct ErrorsArgs {
    /// One code, as it is in the log or in the record of requests [default: all]
    pub code: Option<String>,
}

/// What to do with the record of requests.
#[derive(Debug, Subcommand)]
pub enum RequestsCommand {
    /// List requests that wrote or failed, the newest last.
    List(RequestFilters),
    /// Go on printing requests as they come, until Ctrl-C.
    Tail(RequestFilters),
    /// Show one request with its body, what was ignored, and what it changed.
    Show {
        /// Its number, from the list.
        id: i64,
    },
    /// Tell what one request would do now, by the present rules; nothing is written.
    Replay {
        /// Its number, from the list.
        id: i64,
    },
}

/// Which requests to list.
#[derive(Debug, Clone, Default, Args)]
pub struct RequestFilters {
    /// Only those of this connector, by name or id.
    #[arg(long)]
    pub connector: Option<String>,
    /// Only those about a person or group of this userName or displayName.
    #[arg(long)]
    pub name: Option<String>,
    /// Only those about the resource with this SCIM id.
    #[arg(long)]
    pub id: Option<String>,
    /// Only those of this meaning, such as create_user, patch_group or refused.
    #[arg(long)]
    pub operation: Option<String>,
    /// Only those with an error of this code; `vestibule errors` lists all.
    #[arg(long, value_parser = PossibleValuesParser::new(catalogue::entries().map(|entry| entry.code)), hide_possible_values = true)]
    pub code: Option<String>,
    /// Only those that failed.
    #[arg(long)]
    pub failed: bool,
    /// Only those in which something was ignored.
    #[arg(long)]
    pub warnings: bool,
    /// Only those from this moment on, such as 2026-03-01T09:00:00Z.
    #[arg(long, value_name = "TIME")]
    pub since: Option<Timestamp>,
    /// Only those before this moment.
    #[arg(long, value_name = "TIME")]
    pub until: Option<Timestamp>,
    /// How many at most.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub limit: u32,
}
