//! Carrying out a plan: every change into the directory and into the journal.

use std::collections::BTreeSet;

use directory::{
    Attributes, Cause, Change, ConnectorId, DirectoryId, GivenUp, GroupPk, Memory, Origin, Plan,
    SourceGroupPk, SourceUserPk, Status, UserPk,
};
use store::{AccountOwner, StoredAccount, Subject, WriteTx};

use crate::ProvisionError;

/// Whose account a plan is for.
pub(crate) struct Target<'a> {
    /// The directory it is in.
    pub(crate) directory: DirectoryId,
    /// The connector it belongs to; none of a user who is kept here.
    pub(crate) connector: Option<ConnectorId>,
    /// The user of the source that feeds it; none when that one is being deleted.
    pub(crate) source: Option<SourceUserPk>,
    /// The IdP's id for it.
    pub(crate) external_id: Option<&'a str>,
    /// The account as it is, if there is one.
    pub(crate) existing: Option<&'a StoredAccount>,
}

/// Goes the way from what is to what should be. Returns which source groups brought the person into which groups.
pub(crate) fn carry_out(
    tx: &WriteTx<'_>,
    target: &Target<'_>,
    plan: &Plan,
    cause: &Cause,
) -> Result<Vec<(SourceGroupPk, GroupPk)>, ProvisionError> {
    let existing = target.existing.map(|found| &found.account);
    let mut work = Work {
        directory: target.directory,
        cause,
        user: target.existing.map(|found| found.user.pk),
        attributes: existing.map_or_else(Attributes::default, |found| found.attributes.clone()),
        status: existing.map_or(Status::Active, |found| found.status),
        used: Vec::new(),
    };
    if let Some(((name, manner), user)) = GivenUp::by(plan).zip(work.user) {
        tx.note_former_name(target.directory, name, user, manner)?;
    }
    for change in &plan.changes {
        work.apply(tx, target, change)?;
    }
    let Some(user) = work.user else {
        return Ok(work.used);
    };
    let blank = Memory::default();
    if existing.map_or(&blank, |found| &found.memory) != &plan.memory {
        tx.set_account_memory(user, &plan.memory)?;
    }
    let (Some(source), Some(connector)) = (target.source, target.connector) else {
        return Ok(work.used);
    };
    let linked = target.existing.is_none_or(|found| {
        found.user.connector == Some(connector)
            && found.source == Some(source)
            && found.user.external_id.as_deref() == target.external_id
    });
    if !linked {
        tx.link_account(user, connector, source, target.external_id)?;
    }
    Ok(work.used)
}

/// The state while one plan is carried out.
struct Work<'a> {
    directory: DirectoryId,
    cause: &'a Cause,
    user: Option<UserPk>,
    attributes: Attributes,
    status: Status,
    used: Vec<(SourceGroupPk, GroupPk)>,
}

impl Work<'_> {
    fn apply(
        &mut self,
        tx: &WriteTx<'_>,
        target: &Target<'_>,
        change: &Change,
    ) -> Result<(), ProvisionError> {
        match change {
            Change::CreateUser {
                attributes,
                status,
                reason,
            } => {
                let user = match self.user {
                    Some(tombstone) => {
                        tx.update_account(tombstone, &self.attributes, attributes)?;
                        tx.set_account_status(tombstone, *status, *reason)?;
                        tombstone
                    }
                    None => self.insert(tx, target, attributes, *status, *reason)?,
                };
                self.user = Some(user);
                self.attributes = attributes.clone();
                self.status = *status;
                self.note_user(tx, user, None, change)
            }
            Change::RenameUser { from, to } => {
                let user = self.require_user(change)?;
                let mut after = self.attributes.clone();
                after.username.clone_from(to);
                tx.update_account(user, &self.attributes, &after)?;
                self.attributes = after;
                tx.mark_waiting_for_name(self.directory, from, self.cause)?;
                self.note_user(tx, user, Some(from), change)
            }
            Change::UpdateUser { after, .. } => {
                let user = self.require_user(change)?;
                tx.update_account(user, &self.attributes, after)?;
                self.attributes = after.clone();
                self.note_user(tx, user, Some(&after.username), change)
            }
            Change::Disable { reason, .. } => {
                self.set_status(tx, Status::Disabled, *reason, change)
            }
            Change::Anonymise { reason, .. } => {
                self.set_status(tx, Status::Anonymised, *reason, change)
            }
            Change::Reactivate { reason, .. } => {
                self.set_status(tx, Status::Active, *reason, change)
            }
            Change::SetReason { after, .. } => self.set_status(tx, self.status, *after, change),
            Change::RemoveUser { reason, name, .. } => {
                let user = self.require_user(change)?;
                tx.delete_memberships_of(user)?;
                self.set_status(tx, Status::Removed, *reason, change)?;
                tx.mark_waiting_for_name(self.directory, name, self.cause)?;
                Ok(())
            }
            Change::AddMembership { group, origins } => {
                let user = self.require_user(change)?;
                let group = ensure_group(tx, self.directory, group, self.cause)?;
                tx.put_membership(group, user, origins)?;
                self.note_used(group, origins);
                self.note(tx, Subject::Membership(group, user), None, change)
            }
            Change::SetOrigins { group, after, .. } => {
                let user = self.require_user(change)?;
                let group = ensure_group(tx, self.directory, group, self.cause)?;
                tx.put_membership(group, user, after)?;
                self.note_used(group, after);
                self.note(tx, Subject::Membership(group, user), None, change)
            }
            Change::RemoveMembership { group, .. } => {
                let user = self.require_user(change)?;
                let Some(group) = tx.directory_group(self.directory, group)? else {
                    return Ok(());
                };
                tx.delete_membership(group.pk, user)?;
                self.note(tx, Subject::Membership(group.pk, user), None, change)
            }
            // Plans for one person speak of nothing else.
            Change::LinkUser { .. }
            | Change::AddChildGroup { .. }
            | Change::RemoveChildGroup { .. }
            | Change::SetChildGroupOrigins { .. }
            | Change::CreateGroup { .. }
            | Change::UpdateGroup { .. }
            | Change::RenameGroup { .. }
            | Change::DeleteGroup { .. }
            | Change::SetAttribute { .. } => Ok(()),
        }
    }

    fn note_used(&mut self, group: GroupPk, origins: &BTreeSet<Origin>) {
        let sources = origins.iter().filter_map(|origin| match origin {
            Origin::Idp(source) => Some((*source, group)),
            _ => None,
        });
        self.used.extend(sources);
    }

    fn insert(
        &self,
        tx: &WriteTx<'_>,
        target: &Target<'_>,
        attributes: &Attributes,
        status: Status,
        reason: directory::Reason,
    ) -> Result<UserPk, ProvisionError> {
        let (Some(connector), Some(source)) = (target.connector, target.source) else {
            return Err(ProvisionError::invalid(
                "plan",
                "an account cannot be made for a user that is deleted",
            ));
        };
        let owner = AccountOwner {
            directory: self.directory,
            connector,
            source,
            external_id: target.external_id.map(str::to_owned),
        };
        Ok(tx.insert_account(&owner, attributes, status, reason)?)
    }

    fn set_status(
        &mut self,
        tx: &WriteTx<'_>,
        status: Status,
        reason: directory::Reason,
        change: &Change,
    ) -> Result<(), ProvisionError> {
        let user = self.require_user(change)?;
        tx.set_account_status(user, status, reason)?;
        self.status = status;
        let name = self.attributes.username.clone();
        self.note_user(tx, user, Some(&name), change)
    }

    fn require_user(&self, change: &Change) -> Result<UserPk, ProvisionError> {
        self.user.ok_or_else(|| {
            ProvisionError::invalid("plan", format!("{} without an account", change.kind()))
        })
    }

    fn note_user(
        &self,
        tx: &WriteTx<'_>,
        user: UserPk,
        known_as: Option<&str>,
        change: &Change,
    ) -> Result<(), ProvisionError> {
        self.note(tx, Subject::User(user), known_as, change)
    }

    fn note(
        &self,
        tx: &WriteTx<'_>,
        subject: Subject,
        known_as: Option<&str>,
        change: &Change,
    ) -> Result<(), ProvisionError> {
        tx.append_journal(self.directory, subject, known_as, change, self.cause)?;
        Ok(())
    }
}

/// The group of this name, made if it is missing (US-25).
pub(crate) fn ensure_group(
    tx: &WriteTx<'_>,
    directory: DirectoryId,
    name: &str,
    cause: &Cause,
) -> Result<GroupPk, ProvisionError> {
    if let Some(group) = tx.directory_group(directory, name)? {
        return Ok(group.pk);
    }
    let group = tx.insert_directory_group(directory, name, "", false)?;
    let change = Change::CreateGroup {
        name: name.to_owned(),
        description: String::new(),
    };
    tx.append_journal(directory, Subject::Group(group.pk), None, &change, cause)?;
    Ok(group.pk)
}
