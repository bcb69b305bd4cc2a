//! Groups of the source: created, replaced, patched, deleted. Members never enter a resource: a
//! write costs what it changes, whatever the size of the group.

use directory::{Cause, ConnectorId, JobKind};
use scim::{Member, MemberOp, PatchRequest, Precondition, Resource, Warning, catalogue, fold};
use store::{MemberChange, MemberKind, Of, SourceGroup, WriteTx};

use crate::JsonObject;
use crate::loaded::LoadedConnector;
use crate::nesting::Neighbours;
use crate::safety::guard_group_deletion;
use crate::write::{Place, Target, adopted, claim_references, no_such, taken};
use crate::{Provision, ProvisionError, members, unique};

/// A group after a write.
#[derive(Debug, Clone)]
pub struct WrittenGroup {
    /// As it is stored now, without members.
    pub group: SourceGroup,
    /// What of the request was ignored or has to wait, and why.
    pub warnings: Vec<Warning>,
}

/// What one request makes of a group.
struct Draft {
    resource: Resource,
    warnings: Vec<Warning>,
    members: MemberChange,
}

impl Provision {
    /// Creates a group (RFC 7644 section 3.3). A taken `displayName` is 409 `uniqueness`.
    pub async fn create_group(
        &self,
        connector: &LoadedConnector,
        group: Resource,
        members: Vec<Member>,
        cause: Cause,
    ) -> Result<WrittenGroup, ProvisionError> {
        self.write_at(Place::of(connector), move |this, tx, connector| {
            this.create_group_in(tx, connector, &group, &members, &cause)
        })
        .await
    }

    /// [`Provision::create_group`] inside a transaction.
    pub(crate) fn create_group_in(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        group: &Resource,
        members: &[Member],
        cause: &Cause,
    ) -> Result<WrittenGroup, ProvisionError> {
        let id = connector.connector.id;
        if let Some(known) = adopted(connector, group, "group", |external_id| {
            tx.source_group_ids_by_external_id(id, external_id)
        })? {
            return self.adopt_group(tx, connector, &known, group, members, cause);
        }
        require_free_display_name(tx, id, group)?;
        let created = tx.insert_source_group(id, group)?;
        let place = (Of::Group, created.pk.0);
        unique::settle(tx, id, place, &connector.types.group, None, Some(group))?;
        claim_references(tx, id, &created.id, group, MemberKind::Group(created.pk))?;
        if let Some(fed) = self.rebind(tx, connector, &created, cause)? {
            let neighbours = Neighbours::of(tx, created.pk)?;
            self.settle_around(tx, connector, &neighbours, fed, cause)?;
        }
        let change = members::add(tx, id, created.pk, members)?;
        members::require_known(connector, &change)?;
        let warnings = members::warnings(&change);
        let written = count_members(tx, created, &change)?;
        self.settle_members(tx, connector, &written, &change, cause)?;
        Ok(WrittenGroup {
            group: written,
            warnings,
        })
    }

    /// A POST names nobody to remove: the members that an adopted group has stay.
    fn adopt_group(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        known: &str,
        group: &Resource,
        members: &[Member],
        cause: &Cause,
    ) -> Result<WrittenGroup, ProvisionError> {
        let always = Precondition::default();
        let target = Target::new(known, &always);
        self.change_group(tx, connector, target, cause, |stored, before| {
            let (ty, incoming) = (&connector.types.group, group.as_map().clone());
            let (resource, warnings) = before.replaced_by(ty, incoming, &connector.dialect)?;
            Ok(Draft {
                resource,
                warnings,
                members: members::add(tx, connector.connector.id, stored.pk, members)?,
            })
        })
    }

    /// Replaces a group (RFC 7644 section 3.5.1). Members that stay cost a comparison and nothing
    /// more; no `members` means none.
    pub async fn replace_group(
        &self,
        connector: &LoadedConnector,
        id: String,
        incoming: JsonObject,
        members: Vec<Member>,
        precondition: Option<Precondition>,
        cause: Cause,
    ) -> Result<WrittenGroup, ProvisionError> {
        let precondition = precondition.unwrap_or_default();
        self.write_at(Place::of(connector), move |this, tx, connector| {
            let target = Target::new(&id, &precondition);
            this.replace_group_in(tx, connector, target, &incoming, &members, &cause)
        })
        .await
    }

    /// [`Provision::replace_group`] inside a transaction.
    pub(crate) fn replace_group_in(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        target: Target<'_>,
        incoming: &JsonObject,
        members: &[Member],
        cause: &Cause,
    ) -> Result<WrittenGroup, ProvisionError> {
        self.change_group(tx, connector, target, cause, |stored, before| {
            let (resource, warnings) =
                before.replaced_by(&connector.types.group, incoming.clone(), &connector.dialect)?;
            Ok(Draft {
                resource,
                warnings,
                members: members::replace(tx, connector.connector.id, stored.pk, members)?,
            })
        })
    }

    /// Applies a PATCH to a group (RFC 7644 section 3.5.2), whole or not at all.
    pub async fn patch_group(
        &self,
        connector: &LoadedConnector,
        id: String,
        request: PatchRequest,
        precondition: Option<Precondition>,
        cause: Cause,
    ) -> Result<WrittenGroup, ProvisionError> {
        let (attributes, operations) = request.split_members()?;
        let precondition = precondition.unwrap_or_default();
        self.write_at(Place::of(connector), move |this, tx, connector| {
            let target = Target::new(&id, &precondition);
            this.patch_group_in(tx, connector, target, &attributes, &operations, &cause)
        })
        .await
    }

    /// [`Provision::patch_group`] inside a transaction; the request is split already.
    pub(crate) fn patch_group_in(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        target: Target<'_>,
        attributes: &PatchRequest,
        operations: &[MemberOp],
        cause: &Cause,
    ) -> Result<WrittenGroup, ProvisionError> {
        self.change_group(tx, connector, target, cause, |stored, before| {
            let patched = attributes.apply(&connector.types.group, before, &connector.dialect)?;
            let members = members::apply(tx, connector, stored.pk, operations)?;
            let mut warnings = patched.warnings;
            warnings.extend(members::replaced_by_one(connector, operations, &members));
            Ok(Draft {
                resource: patched.resource,
                warnings,
                members,
            })
        })
    }

    fn change_group(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        target: Target<'_>,
        cause: &Cause,
        change: impl FnOnce(&SourceGroup, &Resource) -> Result<Draft, ProvisionError>,
    ) -> Result<WrittenGroup, ProvisionError> {
        let id = connector.connector.id;
        let stored = require_group(tx, id, target.id)?;
        target.precondition.check(&stored.meta)?;
        let before = Resource::parse_stored(&stored.document)?;
        let mut draft = change(&stored, &before)?;
        members::require_known(connector, &draft.members)?;
        draft.warnings.extend(members::warnings(&draft.members));
        if draft.resource.as_map() == before.as_map() && draft.members.is_empty() {
            return Ok(WrittenGroup {
                group: stored,
                warnings: draft.warnings,
            });
        }
        let renamed = draft.resource.display_name() != before.display_name();
        if fold(draft.resource.display_name().unwrap_or_default())
            != fold(before.display_name().unwrap_or_default())
        {
            require_free_display_name(tx, id, &draft.resource)?;
        }
        let difference = members::difference(&draft.members);
        let written = tx.update_source_group(id, &stored, &draft.resource, difference)?;
        let (place, ty) = ((Of::Group, written.pk.0), &connector.types.group);
        unique::settle(tx, id, place, ty, Some(&before), Some(&draft.resource))?;
        if renamed {
            let changed = &draft.members.groups_changed;
            let former = before.display_name().unwrap_or_default();
            self.rename(tx, connector, &written, former, changed, cause)?;
        }
        self.settle_members(tx, connector, &written, &draft.members, cause)?;
        Ok(WrittenGroup {
            group: written,
            warnings: draft.warnings,
        })
    }

    /// Deletes a group (RFC 7644 section 3.6). Its memberships go; the group that products know
    /// stays (US-25), since they may have built permissions on it, unless the rules say otherwise.
    pub async fn delete_group(
        &self,
        connector: &LoadedConnector,
        id: String,
        precondition: Option<Precondition>,
        cause: Cause,
    ) -> Result<(), ProvisionError> {
        let precondition = precondition.unwrap_or_default();
        self.write_at(Place::of(connector), move |this, tx, connector| {
            let target = Target::new(&id, &precondition);
            this.delete_group_in(tx, connector, target, &cause)
        })
        .await
    }

    /// [`Provision::delete_group`] inside a transaction.
    pub(crate) fn delete_group_in(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        target: Target<'_>,
        cause: &Cause,
    ) -> Result<(), ProvisionError> {
        let stored = require_group(tx, connector.connector.id, target.id)?;
        target.precondition.check(&stored.meta)?;
        guard_group_deletion(tx, connector, &stored, cause)?;
        let kind = JobKind::GroupDeleted;
        let affected = self.affected_members(tx, connector, stored.pk, kind, cause)?;
        let neighbours = Neighbours::of(tx, stored.pk)?;
        let fed = tx.bound_group(stored.pk)?.map(|group| group.pk);
        for name in connector
            .rules
            .effective_groups(&tx.seen_by_rules(&stored)?)
        {
            if let Some(group) = tx.directory_group(connector.connector.directory, &name)? {
                self.retire(tx, connector, group.pk, tx.now(), cause)?;
            }
        }
        let place = (Of::Group, stored.pk.0);
        let ty = &connector.types.group;
        unique::free(tx, connector.connector.id, place, ty, &stored.document)?;
        tx.delete_source_group(connector.connector.id, stored.pk)?;
        self.settle_around(tx, connector, &neighbours, [fed, None], cause)?;
        self.settle_many(tx, connector, &affected, cause)
    }

    /// Brings the directory in line with users and groups that came into a group or went.
    fn settle_members(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        group: &SourceGroup,
        change: &MemberChange,
        cause: &Cause,
    ) -> Result<(), ProvisionError> {
        let mut users = change.users_added.clone();
        users.extend(&change.users_removed);
        if !change.groups_changed.is_empty() {
            if let Some(fed) = self.fed_by(tx, connector, group, cause)? {
                let children = tx.bound_groups_of(&change.groups_changed)?;
                let pairs = children.into_iter().map(|child| (fed, child));
                self.settle_pairs(tx, connector, pairs, cause)?;
            }
            if connector.rules.reaches_below() {
                for child in &change.groups_changed {
                    let kind = JobKind::GroupNested;
                    users.extend(self.affected_members(tx, connector, *child, kind, cause)?);
                }
            }
        }
        users.sort_unstable();
        users.dedup();
        self.settle_many(tx, connector, &users, cause)
    }
}

fn require_group(
    tx: &WriteTx<'_>,
    connector: ConnectorId,
    id: &str,
) -> Result<SourceGroup, ProvisionError> {
    tx.source_group(connector, id)?
        .ok_or_else(|| no_such("Group", id))
}

fn require_free_display_name(
    tx: &WriteTx<'_>,
    connector: ConnectorId,
    group: &Resource,
) -> Result<(), ProvisionError> {
    let name = group.display_name().unwrap_or_default();
    match tx.source_group_id_by_display_name(connector, name)? {
        Some(id) => Err(taken(
            &catalogue::GROUP_NAME_TAKEN,
            "group",
            "displayName",
            name,
            &id,
        )),
        None => Ok(()),
    }
}

fn count_members(
    tx: &WriteTx<'_>,
    mut group: SourceGroup,
    change: &MemberChange,
) -> Result<SourceGroup, ProvisionError> {
    let difference = members::difference(change);
    if difference != 0 {
        tx.add_to_member_count(group.pk, difference)?;
        group.member_count += difference;
    }
    Ok(group)
}
