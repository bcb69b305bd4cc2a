//! What is there after a plan: the same step that the store takes, on an account in memory.

use crate::change::Change;
use crate::model::{Account, Membership, Memory, Status};
use crate::name::same;
use crate::plan::Plan;

/// The account after a plan. Without one before, only a plan that creates the user gives one; an
/// account that was removed remembers which groups it was in.
pub fn apply(existing: Option<&Account>, plan: &Plan) -> Option<Account> {
    let mut account = existing.cloned();
    for change in &plan.changes {
        if let Change::CreateUser {
            attributes,
            status,
            reason,
        } = change
        {
            account = Some(Account {
                key: account
                    .as_ref()
                    .map_or_else(String::new, |it| it.key.clone()),
                last_login: account.as_ref().and_then(|it| it.last_login),
                attributes: attributes.clone(),
                status: *status,
                reason: *reason,
                memberships: Vec::new(),
                memory: Memory::default(),
            });
        } else if let Some(account) = &mut account {
            account.take(change);
        }
    }
    if let Some(account) = &mut account {
        account.memory = plan.memory.clone();
    }
    account
}

impl Account {
    fn take(&mut self, change: &Change) {
        match change {
            Change::UpdateUser { after, .. } => self.attributes = after.clone(),
            Change::RenameUser { to, .. } => self.attributes.username.clone_from(to),
            Change::Disable { reason, .. } => {
                self.status = Status::Disabled;
                self.reason = *reason;
            }
            Change::Anonymise { reason, .. } => {
                self.status = Status::Anonymised;
                self.reason = *reason;
            }
            Change::Reactivate { reason, .. } => {
                self.status = Status::Active;
                self.reason = *reason;
            }
            Change::SetReason { after, .. } => self.reason = *after,
            Change::RemoveUser { reason, .. } => {
                self.status = Status::Removed;
                self.reason = *reason;
                self.memberships.clear();
            }
            Change::AddMembership { group, origins } => self.memberships.push(Membership {
                group: group.clone(),
                origins: origins.clone(),
            }),
            Change::RemoveMembership { group, .. } => {
                self.memberships.retain(|it| !same(&it.group, group));
            }
            Change::SetOrigins { group, after, .. } => {
                let found = self
                    .memberships
                    .iter_mut()
                    .find(|it| same(&it.group, group));
                if let Some(membership) = found {
                    membership.origins.clone_from(after);
                }
            }
            // Of groups, of what products write and of whose it is, an account knows nothing.
            Change::CreateUser { .. }
            | Change::LinkUser { .. }
            | Change::AddChildGroup { .. }
            | Change::RemoveChildGroup { .. }
            | Change::SetChildGroupOrigins { .. }
            | Change::CreateGroup { .. }
            | Change::UpdateGroup { .. }
            | Change::RenameGroup { .. }
            | Change::DeleteGroup { .. }
            | Change::SetAttribute { .. } => {}
        }
    }
}
