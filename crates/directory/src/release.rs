//! Letting an account go: what becomes of it when no identity provider feeds it any more.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::change::{Change, Former};
use crate::model::{Account, Membership, Origin, Reason, Status};
use crate::plan::Plan;

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
/// rules and source groups gave is given by nobody but us then.
pub fn release(account: &Account, fate: Fate) -> Plan {
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
    } else if account.reason != reason {
        plan.changes.push(Change::SetReason {
            before: account.reason,
            after: reason,
        });
    }
    for membership in &account.memberships {
        let before = &membership.origins;
        if before.iter().any(Origin::is_ours) {
            let kept = before.iter().filter(|origin| !origin.is_ours()).cloned();
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
            let plan = release(&before, fate);
            let after = crate::apply(Some(&before), &plan).unwrap();
            let groups = |account: &Account| -> Vec<String> {
                let all = account.memberships.iter();
                all.map(|membership| membership.group.clone()).collect()
            };
            assert_eq!(groups(&after), groups(&before));
            let mut origins = after.memberships.iter().flat_map(|it| &it.origins);
            assert!(!origins.any(Origin::is_ours));
            assert_eq!(after.status == Status::Active, fate == Fate::Keep);
            assert!(release(&after, fate).is_empty(), "it is let go once");
        }
    }

    #[test]
    fn what_is_removed_is_gone_once() {
        let before = account();
        let plan = release(&before, Fate::Remove);
        assert!(matches!(plan.changes[..], [Change::RemoveUser { .. }]));
        let gone = Account {
            status: Status::Removed,
            ..before
        };
        assert!(release(&gone, Fate::Remove).is_empty());
    }
}
