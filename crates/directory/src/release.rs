//! Letting an account go: what becomes of it when no identity provider feeds it any more.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cause::Trigger;
use crate::change::{Change, Former};
use crate::model::{Account, Membership, Origin, Reason, Status};
use crate::outcome::{Outcome, Subject, Verdict};
use crate::overrides::{self, Override, OverrideKind};
use crate::plan::Plan;
use crate::trace::Trace;

/// What becomes of an account that is let go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It stays as it is, kept here.
    #[default]
    Keep,
    /// It stays, and may not log in.
    Disable,
    /// It goes.
    Remove,
}

/// The changes that let an account go. Whom products see, and in which groups, stays the same with [`Fate::Keep`]; what
/// rules and source groups gave is given by nobody but us then. What an override gives or takes for a time bears its
/// mark on, so that it ends as it was to.
pub fn release(account: &Account, fate: Fate, overrides: &[Override]) -> Plan {
    let mut plan = Plan::default();
    if account.status == Status::Removed {
        return plan;
    }
    if fate == Fate::Remove {
        plan.changes.push(Change::RemoveUser {
            name: account.attributes.username.clone(),
            reason: Reason::Manual,
            before: Some(Former::from(account)),
        });
        return plan;
    }
    let reason = match fate {
        Fate::Disable => Reason::Manual,
        Fate::Keep | Fate::Remove => Reason::Local,
    };
    if fate == Fate::Disable && account.status == Status::Active {
        plan.changes.push(Change::Disable {
            reason,
            before: Some(account.reason),
        });
    } else if account.reason != reason && !(fate == Fate::Keep && is_overridden(account, overrides))
    {
        plan.changes.push(Change::SetReason {
            before: account.reason,
            after: reason,
        });
    }
    for membership in &account.memberships {
        let before = &membership.origins;
        if before.iter().any(Origin::is_of_connector) {
            let kept = before.iter().filter(|it| !it.is_of_connector()).cloned();
            let after: BTreeSet<Origin> = kept.chain([Origin::Local]).collect();
            plan.changes.push(Change::SetOrigins {
                group: membership.group.clone(),
                before: before.clone(),
                after,
            });
        }
    }
    plan
}

/// Whether an override has made the account active or not.
fn is_overridden(account: &Account, overrides: &[Override]) -> bool {
    let kept = account.status == Status::Active && account.reason != Reason::IdpActive;
    let keeps = || {
        overrides
            .iter()
            .any(|it| it.kind == OverrideKind::KeepActive)
    };
    account.reason == Reason::Override || (kept && keeps())
}

/// What should be of an account that was let go, by the overrides that still stand: when one ends, the account is as it
/// would have been without it.
pub fn kept_here(account: &Account, overrides: &[Override], now: Timestamp) -> Outcome {
    let mut bare = account.clone();
    (bare.status, bare.reason) = match (account.status, account.reason) {
        (Status::Disabled, Reason::Override) => (Status::Active, Reason::Local),
        // Only an override kept somebody active for whom the rules wanted something else.
        (Status::Active, reason) if !matches!(reason, Reason::IdpActive | Reason::Local) => {
            (Status::Disabled, reason)
        }
        stands => stands,
    };
    bare.memberships.retain_mut(|membership| {
        let had = !membership.origins.is_empty();
        let marked = |it: &Origin| matches!(it, Origin::Override(_));
        membership.origins.retain(|it| !marked(it));
        !had || !membership.origins.is_empty()
    });
    let mut outcome = Outcome {
        verdict: Verdict::Account {
            status: bare.status,
            reason: bare.reason,
        },
        attributes: bare.attributes.clone(),
        memberships: bare.memberships.clone(),
        recheck_at: None,
        memory: bare.memory.clone(),
        trace: Trace::default(),
    };
    let subject = Subject {
        user: None,
        groups: &[],
        existing: Some(&bare),
        now,
        trigger: Trigger::Reconcile,
        overrides,
    };
    overrides::impose(&subject, &mut outcome);
    if let Verdict::Account {
        status: Status::Disabled,
        reason,
    } = &mut outcome.verdict
        && !matches!(reason, Reason::Override | Reason::Manual)
    {
        *reason = Reason::Local;
    }
    outcome
}

/// The memberships of an account that goes to another connector: what the former one gave and the other one does not, stays as
/// taken over from elsewhere. What others said, overrides with an end among them, stays what it is.
pub fn handed_on(memberships: &[Membership], gives: impl Fn(&str) -> bool) -> Vec<Membership> {
    let hand_on = |membership: &Membership| {
        let mut origins = membership.origins.clone();
        if !gives(&membership.group) && origins.iter().any(Origin::is_of_connector) {
            origins.retain(|origin| !origin.is_of_connector());
            origins.insert(Origin::Copied);
        }
        Membership {
            group: membership.group.clone(),
            origins,
        }
    };
    memberships.iter().map(hand_on).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::SourceGroupPk;
    use crate::model::{Attributes, Membership};

    fn account() -> Account {
        let mut staff = Membership::new("staff", Origin::Idp(SourceGroupPk(1)));
        staff.origins.insert(Origin::Product);
        Account {
            key: String::new(),
            attributes: Attributes {
                username: "ann".into(),
                ..Attributes::default()
            },
            status: Status::Active,
            reason: Reason::IdpActive,
            memberships: vec![
                Membership::new("everyone", Origin::Always),
                Membership::new("mine", Origin::Product),
                staff,
            ],
            last_login: None,
            memory: Default::default(),
        }
    }

    #[test]
    fn what_is_kept_looks_the_same_and_is_nobody_elses() {
        for fate in [Fate::Keep, Fate::Disable] {
            let before = account();
            let plan = release(&before, fate, &[]);
            let after = crate::apply(Some(&before), &plan).unwrap();
            let groups = |account: &Account| -> Vec<String> {
                let all = account.memberships.iter();
                all.map(|membership| membership.group.clone()).collect()
            };
            assert_eq!(groups(&after), groups(&before));
            let mut origins = after.memberships.iter().flat_map(|it| &it.origins);
            assert!(!origins.any(Origin::is_ours));
            assert_eq!(after.status == Status::Active, fate == Fate::Keep);
            assert!(release(&after, fate, &[]).is_empty(), "it is let go once");
        }
    }

    #[test]
    fn what_is_removed_is_gone_once() {
        let before = account();
        let plan = release(&before, Fate::Remove, &[]);
        assert!(matches!(plan.changes[..], [Change::RemoveUser { .. }]));
        let gone = Account {
            status: Status::Removed,
            ..before
        };
        assert!(release(&gone, Fate::Remove, &[]).is_empty());
    }
}
