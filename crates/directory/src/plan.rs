//! From what is to what should be: the changes between, in the order to make them.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::change::{Change, Former};
use crate::model::{Account, Membership, Memory, Reason, Status};
use crate::name::folded;
use crate::outcome::{Outcome, Verdict};

/// What to do about one person, in the order to do it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The changes; none if the directory is as it should be.
    pub changes: Vec<Change>,
    /// What the account is to remember. That alone is no change.
    pub memory: Memory,
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

/// The changes that turn an account into what was decided: the user first, then memberships that
/// appear or have other reasons, then those that go.
pub fn plan(existing: Option<&Account>, outcome: &Outcome) -> Plan {
    let live = existing.filter(|account| account.status != Status::Removed);
    let mut changes = Vec::new();
    match (live, outcome.verdict) {
        (Some(account), Verdict::Remove { reason }) => changes.push(Change::RemoveUser {
            name: account.attributes.username.clone(),
            reason,
            before: Some(Former::from(account)),
        }),
        (Some(account), Verdict::Account { status, reason }) => {
            plan_user(account, outcome, &mut changes);
            plan_status(account, status, reason, &mut changes);
            plan_memberships(&account.memberships, &outcome.memberships, &mut changes);
        }
        (None, Verdict::Account { status, reason }) => {
            changes.push(Change::CreateUser {
                attributes: outcome.attributes.clone(),
                status,
                reason,
            });
            plan_memberships(&[], &outcome.memberships, &mut changes);
        }
        (_, Verdict::NoAccount { .. }) | (None, Verdict::Remove { .. }) => {
            // A tombstone goes on remembering what it did.
            let memory = existing.map_or_else(Memory::default, |it| it.memory.clone());
            return Plan { changes, memory };
        }
    }
    Plan {
        changes,
        memory: outcome.memory.clone(),
    }
}

fn plan_user(account: &Account, outcome: &Outcome, changes: &mut Vec<Change>) {
    let after = &outcome.attributes;
    if account.attributes == *after {
        return;
    }
    let mut before = account.attributes.clone();
    if before.username != after.username {
        let from = std::mem::replace(&mut before.username, after.username.clone());
        changes.push(Change::RenameUser {
            from,
            to: after.username.clone(),
        });
    }
    if before != *after {
        changes.push(Change::UpdateUser {
            before,
            after: after.clone(),
        });
    }
}

fn plan_status(account: &Account, status: Status, reason: Reason, changes: &mut Vec<Change>) {
    match (account.status == status, status) {
        (false, Status::Active) => changes.push(Change::Reactivate {
            reason,
            before: Some(account.reason),
        }),
        (false, Status::Anonymised) => changes.push(Change::Anonymise {
            reason,
            status: account.status,
            before: account.reason,
        }),
        (false, _) => changes.push(Change::Disable {
            reason,
            before: Some(account.reason),
        }),
        (true, _) if account.reason != reason => changes.push(Change::SetReason {
            before: account.reason,
            after: reason,
        }),
        (true, _) => {}
    }
}

fn plan_memberships(before: &[Membership], after: &[Membership], changes: &mut Vec<Change>) {
    let before = sorted(before);
    let after = sorted(after);
    let mut removals = Vec::new();
    let (mut old, mut new) = (before.iter().peekable(), after.iter().peekable());
    loop {
        let order = match (old.peek(), new.peek()) {
            (Some((a, _)), Some((b, _))) => a.cmp(b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => break,
        };
        let gone = if order.is_le() { old.next() } else { None };
        let come = if order.is_ge() { new.next() } else { None };
        match (gone, come) {
            (Some((_, gone)), None) => removals.push(Change::RemoveMembership {
                group: gone.group.clone(),
                origins: gone.origins.clone(),
            }),
            (None, Some((_, come))) => changes.push(Change::AddMembership {
                group: come.group.clone(),
                origins: come.origins.clone(),
            }),
            (Some((_, gone)), Some((_, come))) if gone.origins != come.origins => {
                changes.push(Change::SetOrigins {
                    group: gone.group.clone(),
                    before: gone.origins.clone(),
                    after: come.origins.clone(),
                });
            }
            _ => {}
        }
    }
    changes.append(&mut removals);
}

fn sorted(memberships: &[Membership]) -> Vec<(std::borrow::Cow<'_, str>, &Membership)> {
    let mut sorted: Vec<_> = memberships
        .iter()
        .map(|it| (folded(&it.group), it))
        .collect();
    sorted.sort_by(|a, b| a.0.cmp(&b.0));
    sorted
}
