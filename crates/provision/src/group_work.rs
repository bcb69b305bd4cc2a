//! Work on groups that comes after all that is due about people: groups that go, groups that are taken over.

use std::collections::BTreeSet;

use directory::{Change, Group, Origin};
use store::{DueGroup, GroupTask, Subject, WriteTx};

use crate::ProvisionError;
use crate::loaded::LoadedConnector;

/// Groups worked on in one transaction.
const GROUPS_MAX: i64 = 20;
/// Members looked at in one transaction.
const MEMBERS_MAX: i64 = 200;

/// Works on the groups of a connector that are due. Returns how many there were.
pub(crate) fn work_on_groups(
    tx: &WriteTx<'_>,
    connector: &LoadedConnector,
) -> Result<usize, ProvisionError> {
    let id = connector.connector.id;
    let due = tx.due_groups(id, GROUPS_MAX)?;
    for item in &due {
        let group = tx.directory_group_by_pk(connector.connector.directory, item.group)?;
        let ended = match (group, item.task) {
            (None, _) => true,
            (Some(group), GroupTask::Retire) => {
                retire(tx, connector, &group, item)?;
                true
            }
            (Some(group), GroupTask::TakeOver) => take_over(tx, connector, &group, item)?,
        };
        if ended {
            tx.clear_due_group(id, item)?;
        }
    }
    Ok(due.len())
}

/// Deletes a group that nothing feeds and nobody is in, unless it was made here (US-25).
fn retire(
    tx: &WriteTx<'_>,
    connector: &LoadedConnector,
    group: &Group,
    item: &DueGroup,
) -> Result<(), ProvisionError> {
    if group.local || tx.count_bindings(group.pk)? > 0 || !tx.is_group_empty(group.pk)? {
        return Ok(());
    }
    tx.delete_directory_group(group.pk)?;
    let change = Change::DeleteGroup {
        name: group.name.clone(),
    };
    let (directory, subject) = (connector.connector.directory, Subject::Group(group.pk));
    tx.append_journal(directory, subject, Some(&group.name), &change, &item.cause)?;
    Ok(())
}

/// Takes the next members out whom others put there. Returns whether these were the last.
fn take_over(
    tx: &WriteTx<'_>,
    connector: &LoadedConnector,
    group: &Group,
    item: &DueGroup,
) -> Result<bool, ProvisionError> {
    let members = tx.members_after(group.pk, item.position, MEMBERS_MAX)?;
    for (user, before) in &members {
        let ours = before.iter().filter(|origin| origin.is_ours());
        let after: BTreeSet<Origin> = ours.cloned().collect();
        if after == *before {
            continue;
        }
        let name = group.name.clone();
        let change = if after.is_empty() {
            tx.delete_membership(group.pk, *user)?;
            Change::RemoveMembership {
                group: name,
                origins: before.clone(),
            }
        } else {
            tx.put_membership(group.pk, *user, &after)?;
            Change::SetOrigins {
                group: name,
                before: before.clone(),
                after,
            }
        };
        let (directory, subject) = (
            connector.connector.directory,
            Subject::Membership(group.pk, *user),
        );
        tx.append_journal(directory, subject, None, &change, &item.cause)?;
    }
    let more = members.len() >= usize::try_from(MEMBERS_MAX).unwrap_or(usize::MAX);
    match members.last().filter(|_| more) {
        Some((last, _)) => {
            tx.advance_due_group(connector.connector.id, item, *last)?;
            Ok(false)
        }
        None => {
            tx.hand_over_group(group.pk)?;
            Ok(true)
        }
    }
}
