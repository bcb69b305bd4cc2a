//! Which group of the directory a source group feeds, and what a new name does to it.

use directory::{Cause, Change, GroupPk, SourceGroupPk, SourceUserPk};
use scim::fold;
use store::{SourceGroup, Subject, WriteTx};

use crate::carry_out::ensure_group;
use crate::loaded::LoadedConnector;
use crate::nesting::Neighbours;
use crate::settle::AT_ONCE_MAX;
use crate::{Provision, ProvisionError};

impl Provision {
    /// Ties a source group to the group that products see, making that one if the rules want
    /// groups without members too (US-25). Returns the former and the present one if that is another.
    pub(crate) fn rebind(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        group: &SourceGroup,
        cause: &Cause,
    ) -> Result<Option<[Option<GroupPk>; 2]>, ProvisionError> {
        let directory = connector.connector.directory;
        let before = tx.bound_group(group.pk)?.map(|found| found.pk);
        let bound = match connector.rules.effective_group(&group.display_name) {
            Some(name) if connector.rules.creates_empty_groups() => {
                Some(ensure_group(tx, directory, &name, cause)?)
            }
            Some(name) => tx.directory_group(directory, &name)?.map(|found| found.pk),
            None => None,
        };
        if before == bound {
            return Ok(None);
        }
        tx.bind_group(group.pk, bound)?;
        Ok(Some([before, bound]))
    }

    /// Follows a rename in the IdP. Where one source group feeds one group, that group gets the
    /// new name and keeps its memberships, whatever its size; otherwise members move. `changed` are
    /// groups that the same request put into it or took out.
    pub(crate) fn rename(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        group: &SourceGroup,
        changed: &[SourceGroupPk],
        cause: &Cause,
    ) -> Result<(), ProvisionError> {
        let directory = connector.connector.directory;
        let bound = tx.bound_group(group.pk)?;
        let wanted = connector.rules.effective_group(&group.display_name);
        if let (Some(bound), Some(wanted)) = (&bound, &wanted) {
            if bound.name == *wanted {
                return Ok(());
            }
            let sole = !bound.local && tx.count_bindings(bound.pk)? == 1;
            let free = fold(&bound.name) == fold(wanted)
                || tx.directory_group(directory, wanted)?.is_none();
            if sole && free {
                tx.update_directory_group(bound.pk, wanted, &bound.description)?;
                let change = Change::RenameGroup {
                    from: bound.name.clone(),
                    to: wanted.clone(),
                };
                let subject = Subject::Group(bound.pk);
                tx.append_journal(directory, subject, Some(&bound.name), &change, cause)?;
            }
        }
        if let Some(fed) = self.rebind(tx, connector, group, cause)? {
            let mut neighbours = Neighbours::of(tx, group.pk)?;
            neighbours.children.extend(tx.bound_groups_of(changed)?);
            self.settle_around(tx, connector, &neighbours, fed, cause)?;
        }
        let affected = self.affected_members(tx, connector, group.pk, cause)?;
        self.settle_many(tx, connector, &affected, cause)
    }

    /// The users to whom it matters that they are in a group, if they are few enough to be settled
    /// at once; else they are all marked as due and none is returned. Those in its child groups are
    /// among them where the rules reach that far.
    pub(crate) fn affected_members(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        group: SourceGroupPk,
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
        match below {
            true => tx.mark_members_due(connector.connector.id, group, cause)?,
            false => tx.mark_direct_members_due(connector.connector.id, group, cause)?,
        };
        self.wake_worker();
        Ok(Vec::new())
    }
}
