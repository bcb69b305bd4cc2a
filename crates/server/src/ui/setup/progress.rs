//! The checklist of a set-up as pages show it.

use jiff::Timestamp;
use serde::Deserialize;

use super::View;
use crate::ui::desk::{Desk, segment};
use crate::ui::page::Trouble;
use crate::ui::when::When;

/// The checklist as it is shown.
pub(in crate::ui) struct Progress {
    pub(in crate::ui) checks: Vec<CheckRow>,
    pub(in crate::ui) complete: bool,
    /// How far it is, in a sentence.
    pub(in crate::ui) words: String,
}

pub(in crate::ui) struct CheckRow {
    pub(in crate::ui) check: Check,
    pub(in crate::ui) at: Option<When>,
    /// Whether more is told of it: what has not begun waits for the one before.
    pub(in crate::ui) is_told: bool,
    /// Where more is told of it.
    pub(in crate::ui) more: Option<String>,
}

#[derive(Deserialize)]
pub(in crate::ui) struct Answer {
    pub(in crate::ui) items: Vec<Check>,
}

impl Answer {
    /// Keeps the part that is the identity provider's.
    pub(in crate::ui) fn keep_provider(&mut self) {
        self.items.retain(|one| one.side == "provider");
    }
}

#[derive(Deserialize)]
pub(in crate::ui) struct Check {
    check: String,
    side: String,
    pub(in crate::ui) title: String,
    pub(in crate::ui) state: String,
    pub(in crate::ui) seen: String,
    pub(in crate::ui) remedy: Option<String>,
    at: Option<Timestamp>,
}

impl Check {
    pub(in crate::ui) fn word(&self) -> &'static str {
        match self.state.as_str() {
            "done" => "done",
            "failed" => "refused",
            "skipped" => "not needed",
            _ => "waiting",
        }
    }

    /// Whether people have come and there is something to do about their accounts.
    fn lets_nobody_in(&self) -> bool {
        self.check == "user" && self.state == "done" && self.remedy.is_some()
    }

    pub(in crate::ui) fn mark(&self) -> &'static str {
        match self.state.as_str() {
            "done" => "✓",
            "failed" => "!",
            "skipped" => "–",
            _ => "",
        }
    }
}

/// The checklist of a connector, of everybody or of one application.
pub(super) async fn progress(
    desk: &Desk,
    connector: &str,
    view: &View,
) -> Result<Progress, Trouble> {
    let path = ["connectors", connector, "checklist"];
    let mut answer: Answer = desk
        .get(&path, &[("application", &view.application)])
        .await?;
    // Who may not see applications can do nothing about them either; Atlassian Cloud attaches to none.
    if desk.is_confined() || view.is_cloud() {
        answer.keep_provider();
    }
    let mut progress = shown(answer.items, |at| desk.when(at));
    let people = progress
        .checks
        .iter_mut()
        .find(|row| row.check.lets_nobody_in());
    if let Some(row) = people {
        let place = format!("/console/connectors/{}/source-users", segment(connector));
        row.more = Some(format!("{place}?account=false"));
    }
    Ok(progress)
}

/// Checks as a page shows them.
pub(in crate::ui) fn shown(checks: Vec<Check>, when: impl Fn(Timestamp) -> When) -> Progress {
    let is_over = |one: &&Check| matches!(one.state.as_str(), "done" | "skipped");
    let over = checks.iter().filter(is_over).count();
    let all = checks.len();
    // What is not needed is neither done nor still to be done.
    let skipped = checks.iter().filter(|one| one.state == "skipped").count();
    let next = checks.iter().position(|one| !is_over(&one));
    let words = match next.and_then(|next| checks.get(next)) {
        None => "Everything works.".to_owned(),
        Some(next) => format!(
            "{} of {} done. Next: {}.",
            over - skipped,
            all - skipped,
            lower_first(&next.title)
        ),
    };
    let rows = checks
        .into_iter()
        .enumerate()
        .map(|(place, check)| CheckRow {
            at: check.at.map(&when),
            is_told: check.state != "waiting" || next == Some(place),
            check,
            more: None,
        });
    Progress {
        complete: over == all,
        words,
        checks: rows.collect(),
    }
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_lowercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}
