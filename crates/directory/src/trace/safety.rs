//! What is kept back, in words.

use super::{Entry, SafetyEffect};
use crate::change::Change;
use crate::outcome::Outcome;
use crate::why_not::Remedy;

/// A sentence about a change that does not take effect.
pub(super) fn kept_back(change: &Change, effect: &SafetyEffect, hold: Option<i64>) -> String {
    let what = match change {
        Change::Disable { reason, .. } => format!("disabling the account ({})", reason.as_str()),
        Change::Anonymise { reason, .. } => {
            format!(
                "taking names and attributes from the account ({})",
                reason.as_str()
            )
        }
        Change::RemoveUser { reason, .. } => format!("removing the account ({})", reason.as_str()),
        Change::RenameUser { to, .. } => format!("the new user name `{to}`"),
        Change::RemoveMembership { group, .. } => format!("taking the user out of `{group}`"),
        other => other.kind().to_owned(),
    };
    let number = hold.map_or_else(String::new, |hold| format!(" (hold {hold})"));
    match effect {
        SafetyEffect::Held => {
            format!("HELD: {what} waits for an administrator{number}, as a safety limit is reached")
        }
        SafetyEffect::Rejected => format!(
            "HELD: {what} was rejected by an administrator{number}, and stays so as long as the identity provider \
             says the same"
        ),
        SafetyEffect::GroupKept => {
            format!("HELD: {what} waits, as the deletion of the group is held{number}")
        }
        SafetyEffect::GroupStays => format!(
            "HELD: {what} does not happen, as an administrator rejected the deletion of the group{number}"
        ),
        SafetyEffect::NameBelow => format!(
            "HELD: {what} waits{number}, as a directory further down has a user of that name, whom this one would \
             cover; give that user another name or remove it, or give this one another name by the identity provider \
             or a rule, or approve"
        ),
        SafetyEffect::RenameWaits => format!(
            "HELD: {what} waits for an administrator{number}, as the rule `accounts.rename` says for every new name"
        ),
        SafetyEffect::BreakGlass(by) => {
            format!("HELD: {what} never happens, by the break-glass entry `{by}`")
        }
    }
}

impl Outcome {
    /// What of what is held would have to be approved to take effect: all of it, or what is about a group or an attribute.
    pub fn to_approve(&self, group: Option<&str>, attribute: Option<&str>) -> Vec<Remedy> {
        let is_asked = |entry: &Entry, change: &Change| match (group, attribute) {
            (Some(group), _) => entry.bears_on(group),
            (None, Some(attribute)) => {
                matches!(change, Change::RenameUser { .. })
                    && attribute.eq_ignore_ascii_case("username")
            }
            (None, None) => true,
        };
        let mut remedies = Vec::new();
        for entry in self.trace.entries() {
            if let Entry::Safety {
                change,
                effect,
                hold: Some(hold),
            } = entry
                && is_asked(entry, change)
            {
                let rejected = matches!(effect, SafetyEffect::Rejected | SafetyEffect::GroupStays);
                let remedy = Remedy::Approved {
                    hold: *hold,
                    rejected,
                };
                if !remedies.contains(&remedy) {
                    remedies.push(remedy);
                }
            }
        }
        remedies
    }
}
