//! One user of a preview: as it is, as it would be, and what leads from the one to the other.

use std::collections::BTreeSet;

use directory::name::folded;
use directory::rules::{REDACTED, Target};
use directory::{Account, Attributes, Change, Operation, Reason, Status, ValueError};
use serde::{Deserialize, Serialize};
use store::PreviewItem;

use super::corrupt;
use super::foresight::ForeseenHold;
use super::grace::AfterGrace;
use crate::ProvisionError;
use crate::name_holder::NameHolder;

/// A user for whom something would change, or cannot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviewedUser {
    /// The SCIM `id`; none of an account whose user the identity provider deleted.
    pub id: Option<String>,
    /// The `userName` at the identity provider; of a deleted user, the name of the account.
    pub user_name: String,
    /// What it is.
    pub operations: BTreeSet<Operation>,
    /// The account as it is; none if there is none.
    pub before: Option<PreviewedAccount>,
    /// The account as it would be; none if there would be none.
    pub after: Option<PreviewedAccount>,
    /// What would be done, in the words of the journal.
    pub changes: Vec<Change>,
    /// What would be kept back, and is in neither of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<ForeseenHold>,
    /// What comes later, since the user keeps the account only for a while.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_grace: Option<AfterGrace>,
    /// The name that the user should have and that somebody else has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken_name: Option<String>,
    /// Who has it; none if it is only kept for somebody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_by: Option<NameHolder>,
    /// Values that cannot be used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ValueError>,
    /// Whether the present rules have no such trouble with the user.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_new_problem: bool,
}

/// An account in a preview.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviewedAccount {
    /// Its attributes.
    #[serde(flatten)]
    pub attributes: Attributes,
    /// Whether it may log in.
    pub status: Status,
    /// Why.
    pub reason: Reason,
    /// The names of its groups.
    pub groups: Vec<String>,
}

impl PreviewedAccount {
    /// The account; none if only a tombstone is left.
    pub(super) fn of(account: &Account) -> Option<Self> {
        let mut groups: Vec<String> = account
            .memberships
            .iter()
            .map(|membership| membership.group.clone())
            .collect();
        groups.sort_by_cached_key(|name| folded(name).into_owned());
        (account.status != Status::Removed).then(|| Self {
            attributes: account.attributes.clone(),
            status: account.status,
            reason: account.reason,
            groups,
        })
    }
}

impl PreviewedUser {
    /// The name by which a person would look for the user.
    pub fn name(&self) -> &str {
        let account = self.after.as_ref().or(self.before.as_ref());
        account.map_or(self.user_name.as_str(), |it| &it.attributes.username)
    }

    /// Hides the values of targets.
    pub(super) fn redact(&mut self, hidden: &BTreeSet<Target>) {
        let had = self.before.as_ref().map(|it| it.attributes.clone());
        if let Some(after) = &mut self.after {
            after.attributes.redact(hidden, had.as_ref());
        }
        if let Some(before) = &mut self.before {
            before.attributes.redact(hidden, None);
        }
        redact(&mut self.changes, &mut self.held, hidden);
        if let Some(after) = &mut self.after_grace {
            redact(&mut after.changes, &mut after.held, hidden);
        }
        if let Some(name) = self
            .taken_name
            .as_mut()
            .filter(|_| hidden.contains(&Target::Username))
        {
            *name = REDACTED.to_owned();
            self.taken_by = None;
        }
    }

    /// Whether there is something to tell of it.
    pub(super) fn is_noteworthy(&self) -> bool {
        !self.changes.is_empty() || !self.operations.contains(&Operation::Unchanged)
    }

    /// As the store keeps it.
    pub(super) fn to_item(&self, number: i64) -> Result<PreviewItem, ProvisionError> {
        let accounts = self.before.iter().chain(&self.after);
        let texts = accounts.flat_map(|it| [&it.attributes.username, &it.attributes.display_name]);
        let names: BTreeSet<String> = std::iter::once(&self.user_name)
            .chain(texts)
            .map(|name| folded(name).into_owned())
            .collect();
        let names: Vec<String> = names.into_iter().collect();
        let document = serde_json::to_string(self).map_err(corrupt)?;
        Ok(PreviewItem {
            number,
            names_fold: names.join("\n"),
            operations: bits(self.operations.iter().copied()),
            document,
        })
    }

    /// As it was kept.
    pub(super) fn of_item(item: &PreviewItem) -> Result<Self, ProvisionError> {
        serde_json::from_str(&item.document).map_err(corrupt)
    }
}

fn redact(changes: &mut [Change], held: &mut [ForeseenHold], hidden: &BTreeSet<Target>) {
    let kept = held.iter_mut().map(|it| &mut it.change);
    changes
        .iter_mut()
        .chain(kept)
        .for_each(|it| it.redact(hidden));
}

/// Adds an operation that is something to tell of, though nothing changes.
pub(super) fn tell(operations: &mut BTreeSet<Operation>, operation: Operation) {
    operations.remove(&Operation::Unchanged);
    operations.insert(operation);
}

/// One bit for each operation, as the store keeps and searches them.
pub(super) fn bits(operations: impl IntoIterator<Item = Operation>) -> i64 {
    operations.into_iter().fold(0, |bits, operation| {
        let place = Operation::ALL.iter().position(|it| *it == operation);
        bits | 1_i64 << place.unwrap_or_default()
    })
}
