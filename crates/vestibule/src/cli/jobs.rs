//! Flags of `vestibule reconcile` and `vestibule job`.

use clap::{Args, Subcommand};

use super::DoorFlags;

/// `vestibule reconcile`
#[derive(Debug, Args)]
pub struct ReconcileArgs {
    /// Where the data are.
    #[command(flatten)]
    pub door: DoorFlags,
    /// Name or id of the connector.
    pub connector: String,
    /// Only this user, by SCIM id or userName, and at once.
    #[arg(long, value_name = "USER", conflicts_with = "wait")]
    pub user: Option<String>,
    /// Stay until it is over, and show how far it is.
    #[arg(long)]
    pub wait: bool,
}

/// `vestibule job`
#[derive(Debug, Args)]
pub struct JobArgs {
    /// Where the data are.
    #[command(flatten)]
    pub door: DoorFlags,
    /// What to do.
    #[command(subcommand)]
    pub command: JobCommand,
}

/// What to do with jobs.
#[derive(Debug, Subcommand)]
pub enum JobCommand {
    /// List jobs, newest first.
    List {
        /// Only jobs about this connector, by name or id.
        #[arg(long, value_name = "CONNECTOR")]
        connector: Option<String>,
        /// Only jobs about this directory, by name or id.
        #[arg(long, value_name = "DIRECTORY")]
        directory: Option<String>,
        /// Only jobs in this state: queued, running, done, failed or cancelled.
        #[arg(long, value_name = "STATE")]
        state: Option<String>,
        /// At most so many.
        #[arg(long, value_name = "NUMBER", default_value_t = 20)]
        limit: u32,
    },
    /// Show how far a job is, and what it did.
    Show {
        /// Its id.
        job: String,
        /// Stay until it is over, and show how far it is.
        #[arg(long)]
        wait: bool,
    },
    /// Print what a job changed.
    Results {
        /// Its id.
        job: String,
        /// Only changes of this kind, such as create, disable or group_add.
        #[arg(long, value_name = "OPERATION")]
        operation: Option<String>,
        /// Only changes of this user, by name or key.
        #[arg(long, value_name = "USER")]
        user: Option<String>,
        /// Only changes whose user or group has this text in the name.
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
        /// Print CSV.
        #[arg(long)]
        csv: bool,
    },
    /// End an evaluation by hand or by schedule. What it did so far stays.
    Cancel {
        /// Its id.
        job: String,
    },
}
