//! What is held, as it would be now: of one user, and of everybody in a group whose deletion is held.

use directory::{Change, Group, Outcome, Plan, User, UserPk, name};
use store::ReadTx;

use crate::safety::guard_silently;
use crate::why::of_deleted;
use crate::{Provision, ProvisionError};

/// Members of a group of whom is looked what an approval would change.
const LOOKED_AT_MAX: i64 = 100;

/// What is decided about somebody of whom something is held.
#[derive(Debug)]
pub struct HeldNow {
    /// What would change if nothing were held.
    pub without_holds: Plan,
    /// The outcome as it is with everything that is held, with its trace.
    pub outcome: Outcome,
}

/// The members of a group whose deletion is held.
#[derive(Debug)]
pub struct HeldGroup {
    /// The group.
    pub group: Group,
    /// How many there are.
    pub members: i64,
    /// Of how many of them is known what an approval would change.
    pub looked_at: usize,
    /// Those of these whom it would change, and how.
    pub changed: Vec<(User, Vec<Change>)>,
}

impl Provision {
    /// Evaluates a user of whom something is held, without changing anything. None if no IdP speaks of the user.
    pub fn held(&self, tx: &ReadTx<'_>, user: UserPk) -> Result<Option<HeldNow>, ProvisionError> {
        let Some(found) = tx.account(user)? else {
            return Ok(None);
        };
        let Some(id) = found.user.connector else {
            return Ok(None);
        };
        let connector = self.require_connector(tx, id)?;
        let (existing, mut outcome) = match found.source {
            None => {
                let outcome = of_deleted(tx, &connector, &found, |case| case.outcome())?;
                (Some(found), outcome)
            }
            Some(source) => {
                let Some(stored) = tx.source_user_by_pk(id, source)? else {
                    return Ok(None);
                };
                let (decision, _outside_pilot) = self.decided(tx, &connector, &stored)?;
                (decision.existing, decision.outcome)
            }
        };
        let account = existing.as_ref().map(|found| &found.account);
        let without_holds = directory::plan(account, &outcome);
        guard_silently(tx, &connector, existing.as_ref(), &mut outcome)?;
        Ok(Some(HeldNow {
            without_holds,
            outcome,
        }))
    }

    /// What an approval of the deletion of a group would change for its members, the first of them. None if there is no
    /// such group any more.
    pub fn held_group(
        &self,
        tx: &ReadTx<'_>,
        hold: i64,
    ) -> Result<Option<HeldGroup>, ProvisionError> {
        let (Some(stored), Some(pk)) = (tx.hold(hold)?, tx.group_of_deletion(hold)?) else {
            return Ok(None);
        };
        let Some(group) = tx.directory_groups_by_pk(stored.directory, &[pk])?.pop() else {
            return Ok(None);
        };
        let members = tx.members_after(pk, UserPk(0), LOOKED_AT_MAX)?;
        let members: Vec<UserPk> = members.into_iter().map(|(user, _origins)| user).collect();
        let mut users = tx.directory_users_by_pk(stored.directory, &members)?;
        users.sort_by_cached_key(|user| name::folded(&user.name).into_owned());
        let mut changed = Vec::new();
        for user in users {
            let would = self.held(tx, user.pk)?;
            let changes = would.map_or_else(Vec::new, |it| it.without_holds.changes);
            let is_about = |change: &Change| {
                change
                    .group_name()
                    .is_some_and(|it| name::same(it, &group.name))
            };
            let changes: Vec<Change> = changes.into_iter().filter(is_about).collect();
            if !changes.is_empty() {
                changed.push((user, changes));
            }
        }
        Ok(Some(HeldGroup {
            members: tx.count_group_users(pk)?,
            looked_at: members.len(),
            changed,
            group,
        }))
    }
}
