//! Members of a group: differences applied, whole lists compared.

use std::collections::{HashMap, HashSet};

use directory::{ConnectorId, SourceGroupPk};
use scim::name::echo;
use scim::{Departure, Member, MemberOp, Node, Warning, catalogue};
use store::{MemberChange, MemberKind, WriteTx};

use crate::ProvisionError;
use crate::loaded::LoadedConnector;

/// Puts members in.
pub(crate) fn add(
    tx: &WriteTx<'_>,
    connector: ConnectorId,
    group: SourceGroupPk,
    members: &[Member],
) -> Result<MemberChange, ProvisionError> {
    let mut change = MemberChange::default();
    add_into(tx, connector, group, members, &mut change)?;
    Ok(change)
}

/// Makes the members exactly these.
pub(crate) fn replace(
    tx: &WriteTx<'_>,
    connector: ConnectorId,
    group: SourceGroupPk,
    members: &[Member],
) -> Result<MemberChange, ProvisionError> {
    let mut change = MemberChange::default();
    replace_into(tx, connector, group, members, &mut change)?;
    Ok(change)
}

/// Carries out operations in their order.
pub(crate) fn apply(
    tx: &WriteTx<'_>,
    connector: &LoadedConnector,
    group: SourceGroupPk,
    operations: &[MemberOp],
) -> Result<MemberChange, ProvisionError> {
    let one_is_added = connector.dialect.has(Departure::OneMemberReplaceAdds);
    let connector = connector.connector.id;
    let mut change = MemberChange::default();
    for operation in operations {
        match operation {
            MemberOp::Add(members) => add_into(tx, connector, group, members, &mut change)?,
            MemberOp::Remove(values) => {
                let values: Vec<&str> = values.iter().map(String::as_str).collect();
                tx.remove_source_members(connector, group, &values, &mut change)?;
            }
            MemberOp::RemoveWhere(filter) => {
                let values = matching(tx, group, filter)?;
                let values: Vec<&str> = values.iter().map(String::as_str).collect();
                tx.remove_source_members(connector, group, &values, &mut change)?;
            }
            MemberOp::Replace(members) if one_is_added && members.len() == 1 => {
                add_into(tx, connector, group, members, &mut change)?;
            }
            MemberOp::Replace(members) => {
                replace_into(tx, connector, group, members, &mut change)?;
            }
        }
    }
    cancel_out(&mut change);
    Ok(change)
}

/// How many members more or fewer a change leaves.
pub(crate) fn difference(change: &MemberChange) -> i64 {
    let signed = |length: usize| i64::try_from(length).unwrap_or(i64::MAX);
    signed(change.users_added.len()) - signed(change.users_removed.len()) + change.group_difference
}

/// 400 for members that nobody knows, unless the connector lets them wait.
pub(crate) fn require_known(
    connector: &LoadedConnector,
    change: &MemberChange,
) -> Result<(), ProvisionError> {
    let Some(unknown) = change.newly_pending.first() else {
        return Ok(());
    };
    if connector.dialect.has(Departure::UnknownMembersWait) {
        return Ok(());
    }
    let unknown = echo(unknown);
    Err(catalogue::MEMBER_UNKNOWN.error(format!(
        "No user or group has the id '{unknown}'. Provision it first, or let unknown members wait: departure 'unknown_members_wait' in the settings of the connector."
    ))
    .into())
}

/// Tells the administrator which ids are waited for, and that a group named itself. Groups may well contain each other,
/// as RFC 7644 section 3.7.1 has it; one that is in itself means nothing, and a client that hears 400 gives up.
pub(crate) fn warnings(change: &MemberChange) -> Vec<Warning> {
    let itself = change
        .named_itself
        .then(|| Warning::new("members", "a group is no member of itself, ignored"));
    let waiting = change.newly_pending.iter();
    let waiting = waiting
        .map(|value| {
            Warning::new(
                &format!("members[value eq \"{value}\"]"),
                "no user or group of this id has been provisioned yet; it joins the group when it appears",
            )
        });
    itself.into_iter().chain(waiting).collect()
}

/// Tells the administrator that a list of one took the place of more: some clients mean one more member by it.
pub(crate) fn replaced_by_one(
    connector: &LoadedConnector,
    operations: &[MemberOp],
    change: &MemberChange,
) -> Option<Warning> {
    let is_one = |operation: &MemberOp| match operation {
        MemberOp::Replace(members) => members.len() == 1,
        _ => false,
    };
    let replaces = !connector.dialect.has(Departure::OneMemberReplaceAdds)
        && operations.iter().any(is_one)
        && !change.users_removed.is_empty();
    replaces.then(|| {
        Warning::new(
            "members",
            "replaced by one member, so the others left; if one more was meant, switch on one_member_replace_adds",
        )
    })
}

fn add_into(
    tx: &WriteTx<'_>,
    connector: ConnectorId,
    group: SourceGroupPk,
    members: &[Member],
    change: &mut MemberChange,
) -> Result<(), ProvisionError> {
    let values = distinct(members);
    Ok(tx.add_source_members(connector, group, &values, change)?)
}

fn replace_into(
    tx: &WriteTx<'_>,
    connector: ConnectorId,
    group: SourceGroupPk,
    members: &[Member],
    change: &mut MemberChange,
) -> Result<(), ProvisionError> {
    let present = tx.source_member_ids(group)?;
    let wanted: HashSet<&str> = members.iter().map(|member| member.value.as_str()).collect();
    let new: Vec<&str> = distinct(members)
        .into_iter()
        .filter(|value| !present.contains_key(*value))
        .collect();
    let kept = other_names(tx, connector, &new, &present)?;
    let gone: Vec<&str> = present
        .iter()
        .filter(|(value, kind)| !wanted.contains(value.as_str()) && !kept.contains(*kind))
        .map(|(value, _)| value.as_str())
        .collect();
    tx.remove_source_members(connector, group, &gone, change)?;
    Ok(tx.add_source_members(connector, group, &new, change)?)
}

/// Members that a list names by something else than their id, and that are in the group already.
fn other_names(
    tx: &WriteTx<'_>,
    connector: ConnectorId,
    new: &[&str],
    present: &HashMap<String, MemberKind>,
) -> Result<HashSet<MemberKind>, ProvisionError> {
    if new.is_empty() || present.is_empty() {
        return Ok(HashSet::new());
    }
    let kinds = tx.resolve_members(connector, new)?;
    Ok(kinds
        .into_iter()
        .filter(|kind| *kind != MemberKind::Pending)
        .collect())
}

fn distinct(members: &[Member]) -> Vec<&str> {
    let mut seen = HashSet::with_capacity(members.len());
    members
        .iter()
        .map(|member| member.value.as_str())
        .filter(|value| seen.insert(*value))
        .collect()
}

/// The ids of members that a value filter of a PATCH path selects.
fn matching(
    tx: &WriteTx<'_>,
    group: SourceGroupPk,
    filter: &Node,
) -> Result<Vec<String>, ProvisionError> {
    let mut values = Vec::new();
    tx.source_members(group, &mut |member| {
        let kind = match member.kind {
            MemberKind::User(_) => Some("User"),
            MemberKind::Group(_) => Some("Group"),
            MemberKind::Pending => None,
        };
        let element = serde_json::json!({
            "value": member.value,
            "type": kind,
            "display": member.display,
        });
        if filter.matches_element(&element) {
            values.push(member.value);
        }
        Ok(())
    })?;
    Ok(values)
}

/// A user that one request removes and adds again has not changed.
fn cancel_out(change: &mut MemberChange) {
    let removed: HashSet<_> = change.users_removed.iter().copied().collect();
    let both: HashSet<_> = change
        .users_added
        .iter()
        .copied()
        .filter(|user| removed.contains(user))
        .collect();
    if !both.is_empty() {
        change.users_added.retain(|user| !both.contains(user));
        change.users_removed.retain(|user| !both.contains(user));
    }
}
