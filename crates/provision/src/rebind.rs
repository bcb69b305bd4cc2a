//! Which group of the directory a source group feeds, and what a new name does to it.

use directory::rules::{OnExisting, OnSourceDeleted, RenamePolicy};
use directory::{
    Cause, Change, ConnectorState, Group, GroupPk, JobKind, Review, SourceGroupPk, SourceUserPk,
};
use jiff::SignedDuration;
use scim::fold;
use store::{GroupStanding, GroupTask, ReadTx, SourceGroup, Subject, WriteTx};

use crate::carry_out::ensure_group;
use crate::jobs::begin_for_group;
use crate::loaded::LoadedConnector;
use crate::nesting::Neighbours;
use crate::settle::AT_ONCE_MAX;
use crate::{Provision, ProvisionError};

impl Provision {
    /// Ties a source group to the group that products see, making that one if the rules want
    /// groups without members too (US-25). One that has members from elsewhere may have to be
    /// decided about first (AG-06). Returns the former and the present one if that is another.
    pub(crate) fn rebind(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        group: &SourceGroup,
        cause: &Cause,
    ) -> Result<Option<[Option<GroupPk>; 2]>, ProvisionError> {
        if connector.connector.state != ConnectorState::Active {
            // Made up for when the connector is active again.
            return Ok(None);
        }
        let directory = connector.connector.directory;
        let before = tx.bound_group(group.pk)?.map(|found| found.pk);
        let mut standing = tx.group_standing(group.pk)?;
        let seen = standing.clone().seen(group.pk, group.display_name.clone());
        let names = connector.rules.effective_groups(&seen);
        let there = match names.first() {
            Some(name) => tx.directory_group(directory, name)?,
            None => None,
        };
        let waits = match &there {
            Some(there) if before != Some(there.pk) => has_to_wait(tx, connector, &seen, there)?,
            _ => false,
        };
        let review = match standing.review {
            Review::Ignored => Review::Ignored,
            _ if waits => Review::Waiting,
            _ => Review::Settled,
        };
        if review != standing.review {
            standing.review = review;
            tx.put_group_standing(connector.connector.id, group.pk, &standing)?;
        }
        let makes = connector.rules.creates_empty_groups();
        let bound = match (names.first(), there) {
            _ if waits => None,
            (Some(_), Some(there)) => Some(there.pk),
            (Some(name), None) if makes => Some(ensure_group(tx, directory, name, cause)?),
            _ => None,
        };
        if makes && !waits {
            for name in names.iter().skip(1) {
                ensure_group(tx, directory, name, cause)?;
            }
        }
        if before == bound {
            return Ok(None);
        }
        if let Some(before) = before {
            tx.note_former_feed(group.pk, before)?;
        }
        tx.bind_group(group.pk, bound)?;
        Ok(Some([before, bound]))
    }

    /// Follows a rename in the IdP as the rules say (CP-02). `former` is the name before it, `changed` are
    /// groups that the same request put into the group or took out.
    pub(crate) fn rename(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        group: &SourceGroup,
        former: &str,
        changed: &[SourceGroupPk],
        cause: &Cause,
    ) -> Result<(), ProvisionError> {
        let id = connector.connector.id;
        let before = tx.group_standing(group.pk)?;
        let mut standing = before.clone();
        let bound = tx.bound_group(group.pk)?;
        let policy = match &bound {
            Some(bound) => self.rename_policy(tx, connector, group, bound, &standing)?,
            None => Some(RenamePolicy::Follow),
        };
        let Some(policy) = policy else {
            if standing.former_name.is_some() && standing.former_until.is_none() {
                standing.former_name = None;
                tx.put_group_standing(id, group.pk, &standing)?;
            }
            return Ok(());
        };
        match (policy, &bound) {
            (RenamePolicy::Pin, _) => {
                let pinned = before
                    .former_until
                    .is_none()
                    .then_some(before.former_name.as_ref());
                let name = pinned.flatten().map_or(former, String::as_str).to_owned();
                standing.former_name = (name != group.display_name).then_some(name);
                standing.former_until = None;
            }
            (RenamePolicy::Alias, Some(bound)) => {
                let days = i64::from(connector.connector.rules.groups.alias_days);
                let until = tx.now() + SignedDuration::from_hours(24 * days);
                standing.former_name = Some(former.to_owned());
                standing.former_until = Some(until);
                admit_alias(tx, connector, group, bound)?;
                self.retire(tx, connector, bound.pk, until, cause)?;
            }
            _ => (standing.former_name, standing.former_until) = (None, None),
        }
        if standing != before {
            tx.put_group_standing(id, group.pk, &standing)?;
        }
        match policy {
            RenamePolicy::Pin => Ok(()),
            RenamePolicy::Alias => self.refeed(tx, connector, group, changed, cause),
            RenamePolicy::Follow => {
                let lets_go = before.former_name.is_some();
                self.follow(tx, connector, group, (changed, lets_go), cause)
            }
        }
    }

    /// What a rename of a source group that feeds a group leads to; none if that is the group of both names, so that they cannot
    /// stand side by side, and it stays as it is written. A new name that would have to be decided about first is not taken up
    /// by itself.
    fn rename_policy(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        group: &SourceGroup,
        bound: &Group,
        standing: &GroupStanding,
    ) -> Result<Option<RenamePolicy>, ProvisionError> {
        let renamed = GroupStanding {
            former_name: None,
            ..standing.clone()
        };
        let seen = renamed.seen(group.pk, group.display_name.clone());
        if !connector.rules.are_names_by_rules(&seen) {
            return Ok(Some(RenamePolicy::Follow));
        }
        let policy = connector.connector.rules.groups.rename;
        let Some(wanted) = connector.rules.effective_group(&seen) else {
            return Ok(Some(policy));
        };
        if policy == RenamePolicy::Alias && fold(&wanted) == fold(&bound.name) {
            return Ok(None);
        }
        let there = tx.directory_group(connector.connector.directory, &wanted)?;
        match there {
            Some(there) if there.pk != bound.pk && has_to_wait(tx, connector, &seen, &there)? => {
                Ok(Some(RenamePolicy::Pin))
            }
            _ => Ok(Some(policy)),
        }
    }

    /// Gives products the present name. Where one source group feeds one group, that group gets the
    /// new name and keeps its memberships, whatever its size; otherwise members move. `lets_go` means that it had a
    /// former name until now, from which members go in any case.
    pub(crate) fn follow(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        group: &SourceGroup,
        (changed, lets_go): (&[SourceGroupPk], bool),
        cause: &Cause,
    ) -> Result<(), ProvisionError> {
        let kind = JobKind::GroupRenamed;
        if connector.connector.state != ConnectorState::Active {
            let affected = self.affected_members(tx, connector, group.pk, kind, cause)?;
            return self.settle_many(tx, connector, &affected, cause);
        }
        match self.give_name(tx, connector, group, cause)? || lets_go {
            true => self.refeed(tx, connector, group, changed, cause),
            false => Ok(()),
        }
    }

    /// Gives the group that a source group feeds alone its present name, if that is free. Returns whether the source
    /// group has to be tied anew: it does not feed a group of its name yet.
    fn give_name(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        group: &SourceGroup,
        cause: &Cause,
    ) -> Result<bool, ProvisionError> {
        let directory = connector.connector.directory;
        let bound = tx.bound_group(group.pk)?;
        let wanted = connector.rules.effective_group(&tx.seen_by_rules(group)?);
        if let (Some(bound), Some(wanted)) = (&bound, &wanted) {
            if bound.name == *wanted {
                return Ok(false);
            }
            let sole = !bound.local && tx.count_bindings(bound.pk)? == 1;
            let free = fold(&bound.name) == fold(wanted)
                || tx.directory_group(directory, wanted)?.is_none();
            if sole && free {
                tx.update_directory_group(bound.pk, wanted, &bound.description)?;
                let change = Change::RenameGroup {
                    from: bound.name.clone(),
                    to: wanted.clone(),
                    admitted_to: tx.rename_login_group(directory, &bound.name, wanted)?,
                };
                let subject = Subject::Group(bound.pk);
                tx.append_journal(directory, subject, Some(&bound.name), &change, cause)?;
            }
        }
        Ok(true)
    }

    /// Ties a source group anew and settles all whom that concerns.
    pub(crate) fn refeed(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        group: &SourceGroup,
        changed: &[SourceGroupPk],
        cause: &Cause,
    ) -> Result<(), ProvisionError> {
        self.retie(tx, connector, group, changed, cause)?;
        let kind = JobKind::GroupRenamed;
        let affected = self.affected_members(tx, connector, group.pk, kind, cause)?;
        self.settle_many(tx, connector, &affected, cause)
    }

    /// Ties a source group anew, with the groups around it.
    fn retie(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        group: &SourceGroup,
        changed: &[SourceGroupPk],
        cause: &Cause,
    ) -> Result<(), ProvisionError> {
        if let Some(fed) = self.rebind(tx, connector, group, cause)? {
            let mut neighbours = Neighbours::of(tx, group.pk)?;
            neighbours.children.extend(tx.bound_groups_of(changed)?);
            self.settle_around(tx, connector, &neighbours, fed, cause)?;
        }
        Ok(())
    }

    /// Ties the source groups that wait in a directory anew, after a group of it is gone.
    pub(crate) fn refeed_waiting(
        &self,
        tx: &WriteTx<'_>,
        directory: directory::DirectoryId,
        cause: &Cause,
    ) -> Result<(), ProvisionError> {
        for (connector, group) in tx.waiting_groups(directory)? {
            let connector = self.require_connector(tx, connector)?;
            self.refeed(tx, &connector, &group, &[], cause)?;
        }
        Ok(())
    }

    /// Leaves a group that is about to be fed no more to the worker, if it is to go then.
    pub(crate) fn retire(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        group: GroupPk,
        at: jiff::Timestamp,
        cause: &Cause,
    ) -> Result<(), ProvisionError> {
        let policy = connector.connector.rules.groups.on_source_deleted;
        if policy == OnSourceDeleted::DeleteIfEmptyAndOurs {
            let id = connector.connector.id;
            tx.mark_group_due(id, group, GroupTask::Retire, at, cause)?;
            self.wake_worker();
        }
        Ok(())
    }

    /// Makes up for what happened to groups while a connector was not active. Whom it concerned was marked as due when
    /// it happened, and is evaluated by the worker: there may be thousands of groups, and nobody else writes meanwhile.
    pub(crate) fn catch_up_groups(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        cause: &Cause,
    ) -> Result<(), ProvisionError> {
        // Only who follows each name follows how it is written.
        let written = |name: String| match connector.connector.rules.groups.rename {
            RenamePolicy::Follow => name,
            RenamePolicy::Pin | RenamePolicy::Alias => fold(&name),
        };
        for group in tx.source_groups_all(connector.connector.id)? {
            let bound = tx.bound_group(group.pk)?.map(|bound| bound.name);
            let wanted = connector.rules.effective_group(&tx.seen_by_rules(&group)?);
            // Without members it may have to wait for the first one, who is due.
            let waits = bound.is_none() && !connector.rules.creates_empty_groups();
            let differs = bound.map(written) != wanted.map(written);
            if differs && !waits && self.give_name(tx, connector, &group, cause)? {
                self.retie(tx, connector, &group, &[], cause)?;
            }
        }
        Ok(())
    }

    /// The users to whom it matters that they are in a group, if they are few enough to be settled
    /// at once; else they are all marked as due by a job of this kind and none is returned. Those in its child groups are
    /// among them where the rules reach that far.
    pub(crate) fn affected_members(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        group: SourceGroupPk,
        kind: JobKind,
        cause: &Cause,
    ) -> Result<Vec<SourceUserPk>, ProvisionError> {
        let below = connector.rules.reaches_below();
        let users = match below {
            true => tx.source_users_below(group, AT_ONCE_MAX + 1)?,
            false => tx.source_users_in(group, AT_ONCE_MAX + 1)?,
        };
        if users.len() <= AT_ONCE_MAX {
            return Ok(users);
        }
        begin_for_group(tx, &connector.connector, (group, below), kind, cause)?;
        self.wake_worker();
        Ok(Vec::new())
    }
}

/// Lets the members of a group log in under its new name too, where they do under the former one. A group that is
/// there already has members of its own, whom nobody meant.
fn admit_alias(
    tx: &WriteTx<'_>,
    connector: &LoadedConnector,
    group: &SourceGroup,
    former: &Group,
) -> Result<(), ProvisionError> {
    let directory = connector.connector.directory;
    let mut seen = tx.group_standing(group.pk)?;
    (seen.former_name, seen.former_until) = (None, None);
    let seen = seen.seen(group.pk, group.display_name.clone());
    if let Some(wanted) = connector.rules.effective_group(&seen)
        && tx.directory_group(directory, &wanted)?.is_none()
    {
        tx.add_login_group(directory, &former.name, &wanted)?;
    }
    Ok(())
}

/// Whether somebody has to decide before a source group feeds a group that is there (AG-06). Who wrote a row of the
/// mapping has decided; and where it fed the group before, that was decided then.
pub(crate) fn has_to_wait(
    tx: &ReadTx<'_>,
    connector: &LoadedConnector,
    seen: &directory::SourceGroup,
    there: &Group,
) -> Result<bool, ProvisionError> {
    let asks = connector.connector.rules.groups.on_existing == OnExisting::Review;
    Ok(asks
        && connector.rules.are_names_by_rules(seen)
        && tx.has_members_from_elsewhere(there.pk, connector.connector.id)?
        && !tx.was_fed_by(there.pk, seen.id)?)
}
