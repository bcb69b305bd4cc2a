//! Flags of the commands about overrides, the past, and undo.

use clap::{Args, Subcommand, ValueEnum};
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};
use serde::Serialize;

use super::DoorFlags;

/// `vestibule override`
#[derive(Debug, Args)]
pub struct OverrideArgs {
    /// Where the data are.
    #[command(flatten)]
    pub door: DoorFlags,
    /// What to do.
    #[command(subcommand)]
    pub command: OverrideCommand,
}

/// What to do with overrides.
#[derive(Debug, Subcommand)]
pub enum OverrideCommand {
    /// List all overrides, for review.
    List {
        /// The directory, by name or id; may be left out while there is only one.
        #[arg(long)]
        directory: Option<String>,
    },
    /// Say something about one user beside the rules, for a time.
    Add(OverrideAdd),
    /// Take an override back.
    Remove {
        /// Its number.
        id: i64,
        /// The directory, by name or id; may be left out while there is only one.
        #[arg(long)]
        directory: Option<String>,
    },
}

/// What to say about a user.
#[derive(Debug, Args)]
pub struct OverrideAdd {
    /// The user, by name or key.
    pub user: String,
    /// What.
    #[arg(value_enum)]
    pub kind: OverrideKindArg,
    /// The group, for add-to-group and keep-out-of-group.
    #[arg(long)]
    pub group: Option<String>,
    /// When it ends, as 2026-12-31T18:00:00Z.
    #[arg(long, value_name = "TIME", conflicts_with = "for_time")]
    pub until: Option<Timestamp>,
    /// How long it stands, as 3d or 12h.
    #[arg(long = "for", id = "for_time", value_name = "SPAN", value_parser = span)]
    pub for_time: Option<SignedDuration>,
    /// What for.
    #[arg(long, default_value = "")]
    pub comment: String,
    /// The directory, by name or id; may be left out while there is only one.
    #[arg(long)]
    pub directory: Option<String>,
}

/// What an override says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OverrideKindArg {
    /// The account is active, whatever the identity provider and the rules say.
    KeepActive,
    /// The user may not log in.
    Exclude,
    /// The user is in a group.
    AddToGroup,
    /// The user is not in a group.
    KeepOutOfGroup,
    /// The account stays as it is until the identity provider says something else of the user.
    KeepAsIs,
}

/// `vestibule undo`
#[derive(Debug, Args)]
pub struct UndoArgs {
    /// Where the data are.
    #[command(flatten)]
    pub door: DoorFlags,
    /// What came through this connector, by name or id.
    #[arg(long)]
    pub connector: Option<String>,
    /// What the request of this id did; of an undo, the id that it answered with.
    #[arg(long)]
    pub request: Option<String>,
    /// What this actor did: a token's label, an application, an administrator.
    #[arg(long)]
    pub actor: Option<String>,
    /// What was done then or later, as 2026-11-29T09:00:00Z.
    #[arg(long, value_name = "TIME")]
    pub from: Option<Timestamp>,
    /// What was done before then.
    #[arg(long, value_name = "TIME")]
    pub to: Option<Timestamp>,
    /// Only what was done to this user, by name or key; can be given several times.
    #[arg(long = "user", value_name = "USER")]
    pub users: Vec<String>,
    /// The directory, by name or id; may be left out while there is only one.
    #[arg(long)]
    pub directory: Option<String>,
    /// Do it. Without this, only what would be done is shown, and the exit code is 8 if that is anything.
    #[arg(long)]
    pub yes: bool,
    /// Where so many users are touched that a job is made of it: stay until it is over, and show how far it is.
    #[arg(long, requires = "yes")]
    pub wait: bool,
}

/// `vestibule journal`
#[derive(Debug, Args)]
pub struct JournalArgs {
    /// Where the data are.
    #[command(flatten)]
    pub door: DoorFlags,
    /// Only what is about this user, by name or key, memberships included.
    #[arg(long)]
    pub user: Option<String>,
    /// Only what is about this group, its members included.
    #[arg(long)]
    pub group: Option<String>,
    /// Only what came through this connector, by name or id.
    #[arg(long)]
    pub connector: Option<String>,
    /// Only what changed then or later, as 2026-11-29T09:00:00Z.
    #[arg(long, value_name = "TIME")]
    pub since: Option<Timestamp>,
    /// Only what changed before then.
    #[arg(long, value_name = "TIME")]
    pub until: Option<Timestamp>,
    /// How many changes at most, the newest first.
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub limit: u32,
    /// The directory, by name or id; may be left out while there is only one.
    #[arg(long)]
    pub directory: Option<String>,
}

/// `vestibule history`
#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// Where the data are.
    #[command(flatten)]
    pub door: DoorFlags,
    /// A user, by name or key; with --group, a group.
    pub name: String,
    /// The name is that of a group.
    #[arg(long)]
    pub group: bool,
    /// The moment, as 2026-11-29T09:00:00Z [default: now]
    #[arg(long, value_name = "TIME")]
    pub at: Option<Timestamp>,
    /// An earlier moment to compare with.
    #[arg(long, value_name = "TIME")]
    pub since: Option<Timestamp>,
    /// The directory, by name or id; may be left out while there is only one.
    #[arg(long)]
    pub directory: Option<String>,
}

fn span(text: &str) -> Result<SignedDuration, String> {
    let span: Span = text
        .parse()
        .map_err(|error| format!("{error}; write it as 3d or 12h"))?;
    span.to_duration(SpanRelativeTo::days_are_24_hours())
        .map_err(|error| format!("{error}; use days and hours"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_days_and_hours() {
        assert_eq!(span("3d"), Ok(SignedDuration::from_hours(72)));
        assert_eq!(span("1d 12h"), Ok(SignedDuration::from_hours(36)));
        assert!(span("soon").is_err());
        assert!(span("2 months").is_err());
    }
}
