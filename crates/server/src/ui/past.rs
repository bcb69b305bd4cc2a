//! The past of who or what a page of the journal is about.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use super::compare::{Account, Compared, compared};
use super::desk::{Desk, segment};
use super::page::{Shown, Trouble, go_to};
use super::when::When;

/// What somebody or something was.
pub(super) struct Past {
    /// What became of them.
    pub(super) became: Option<String>,
    /// When it was so; none if nothing more is told.
    pub(super) at: Option<When>,
    pub(super) user: Option<Compared>,
    pub(super) group: Option<PastGroup>,
}

/// A group at a moment.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct PastGroup {
    pub(super) name: Option<String>,
    pub(super) members: usize,
    pub(super) member_names: Vec<String>,
}

/// A user or a group at a moment.
#[derive(Deserialize)]
struct Then {
    user: Option<Account>,
    #[serde(flatten)]
    group: PastGroup,
}

/// Whom a page is about.
#[derive(Deserialize)]
pub(super) struct Whoever {
    key: Option<String>,
    name: String,
    gone: Option<Timestamp>,
    became: Option<String>,
}

impl Past {
    /// What it was then; without a moment, what it was last.
    pub(super) async fn of(
        desk: &Desk,
        directory: &str,
        kind: &str,
        whoever: Whoever,
        then: &str,
    ) -> Result<Self, Trouble> {
        let last = whoever.gone.and_then(|gone| {
            let short = SignedDuration::from_micros(1);
            gone.checked_sub(short).ok()
        });
        let at = then.parse().ok().or(last);
        let mut past = Self {
            became: whoever.became,
            at: at.map(|at| desk.when(at)),
            user: None,
            group: None,
        };
        let Some(at) = at.map(|at: Timestamp| at.to_string()) else {
            return Ok(past);
        };
        let key = whoever.key.as_deref().unwrap_or(&whoever.name);
        let path = ["directories", directory, kind, key, "history"];
        let query = [("at", at.as_str())];
        let then: Then = match desk.get(&path, &query).await {
            Ok(then) => then,
            // The journal does not go back that far.
            Err(wrong) if wrong.status.is_client_error() => {
                past.at = None;
                return Ok(past);
            }
            Err(wrong) => return Err(wrong),
        };
        match kind {
            "users" => {
                let shown = |it: Account| compared(whoever.name, Some(it.clone()), Some(it), true);
                past.user = then.user.map(shown);
            }
            _ => past.group = Some(then.group),
        }
        Ok(past)
    }
}

/// Goes to the past of who is gone, or was called so; if nobody ever was, there is the trouble that there was.
pub(super) async fn past_of(
    desk: &Desk,
    directory: &str,
    (kind, name): (&str, &str),
    trouble: Trouble,
) -> Shown {
    let path = ["directories", directory, "journal"];
    match desk
        .find::<Value>(&path, &[(kind, name), ("limit", "1")])
        .await?
    {
        Some(_) => go_to(&format!(
            "/console/journal?directory={}&{kind}={}",
            segment(directory),
            segment(name)
        )),
        None => Err(trouble),
    }
}
