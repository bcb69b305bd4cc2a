//! Groups of the source: created, replaced, patched, deleted. Members never enter a resource: a
//! write costs what it changes, whatever the size of the group.

use directory::{Cause, ConnectorId};
use scim::{IfMatch, Member, PatchRequest, Resource, Warning, fold};
use store::{MemberChange, MemberKind, Scope, SourceGroup, WriteTx};

use crate::JsonObject;
use crate::loaded::LoadedConnector;
use crate::write::{Place, check_precondition, claim_references, no_such, taken};
use crate::{Provision, ProvisionError, members};

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
        let Place {
            connector: id,
            directory,
        } = Place::of(connector);
        let this = self.clone();
        self.store()
            .write(Scope::Directory(directory), move |tx| {
                let connector = this.require_connector(tx, id)?;
                require_free_display_name(tx, id, &group)?;
                let created = tx.insert_source_group(id, &group)?;
                claim_references(tx, id, &created.id, &group, MemberKind::Group(created.pk))?;
                this.rebind(tx, &connector, &created, &cause)?;
                let change = members::add(tx, id, created.pk, &members)?;
                let warnings = members::warnings(&change);
                let written = count_members(tx, created, &change)?;
                this.settle_members(tx, &connector, &change, &cause)?;
                Ok(WrittenGroup {
                    group: written,
                    warnings,
                })
            })
            .await
    }

    /// Replaces a group (RFC 7644 section 3.5.1). Members that stay cost a comparison and nothing
    /// more; no `members` means none.
    pub async fn replace_group(
        &self,
        connector: &LoadedConnector,
        id: String,
        incoming: JsonObject,
        members: Vec<Member>,
        if_match: Option<IfMatch>,
        cause: Cause,
    ) -> Result<WrittenGroup, ProvisionError> {
        self.change_group(
            connector,
            id,
            if_match,
            cause,
            move |tx, connector, stored, before| {
                let (resource, warnings) = before.replaced_by(
                    &connector.types.group,
                    incoming.clone(),
                    &connector.dialect,
                )?;
                Ok(Draft {
                    resource,
                    warnings,
                    members: members::replace(tx, connector.connector.id, stored.pk, &members)?,
                })
            },
        )
        .await
    }

    /// Applies a PATCH to a group (RFC 7644 section 3.5.2), whole or not at all.
    pub async fn patch_group(
        &self,
        connector: &LoadedConnector,
        id: String,
        request: PatchRequest,
        if_match: Option<IfMatch>,
        cause: Cause,
    ) -> Result<WrittenGroup, ProvisionError> {
        let (attributes, operations) = request.split_members()?;
        self.change_group(
            connector,
            id,
            if_match,
            cause,
            move |tx, connector, stored, before| {
                let patched =
                    attributes.apply(&connector.types.group, before, &connector.dialect)?;
                Ok(Draft {
                    resource: patched.resource,
                    warnings: patched.warnings,
                    members: members::apply(tx, connector.connector.id, stored.pk, &operations)?,
                })
            },
        )
        .await
    }

    async fn change_group(
        &self,
        connector: &LoadedConnector,
        group: String,
        if_match: Option<IfMatch>,
        cause: Cause,
        change: impl Fn(
            &WriteTx<'_>,
            &LoadedConnector,
            &SourceGroup,
            &Resource,
        ) -> Result<Draft, ProvisionError>
        + Send
        + Sync
        + 'static,
    ) -> Result<WrittenGroup, ProvisionError> {
        let Place {
            connector: id,
            directory,
        } = Place::of(connector);
        let this = self.clone();
        self.store()
            .write(Scope::Directory(directory), move |tx| {
                let connector = this.require_connector(tx, id)?;
                let stored = require_group(tx, id, &group)?;
                check_precondition(if_match.as_ref(), &stored.meta)?;
                let before = Resource::parse_stored(&stored.document)?;
                let mut draft = change(tx, &connector, &stored, &before)?;
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
                if renamed {
                    this.rename(tx, &connector, &written, &cause)?;
                }
                this.settle_members(tx, &connector, &draft.members, &cause)?;
                Ok(WrittenGroup {
                    group: written,
                    warnings: draft.warnings,
                })
            })
            .await
    }

    /// Deletes a group (RFC 7644 section 3.6). Its memberships go; the group that products know
    /// stays (US-25), since they may have built permissions on it.
    pub async fn delete_group(
        &self,
        connector: &LoadedConnector,
        id: String,
        if_match: Option<IfMatch>,
        cause: Cause,
    ) -> Result<(), ProvisionError> {
        let Place {
            connector: connector_id,
            directory,
        } = Place::of(connector);
        let this = self.clone();
        self.store()
            .write(Scope::Directory(directory), move |tx| {
                let connector = this.require_connector(tx, connector_id)?;
                let stored = require_group(tx, connector_id, &id)?;
                check_precondition(if_match.as_ref(), &stored.meta)?;
                let affected = this.affected_members(tx, &connector, stored.pk, &cause)?;
                tx.delete_source_group(connector_id, stored.pk)?;
                this.settle_many(tx, &connector, &affected, &cause)
            })
            .await
    }

    fn settle_members(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        change: &MemberChange,
        cause: &Cause,
    ) -> Result<(), ProvisionError> {
        for child in &change.groups_changed {
            tx.mark_members_due(connector.connector.id, *child, cause)?;
            self.wake_worker();
        }
        let mut users = change.users_added.clone();
        users.extend(&change.users_removed);
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
        Some(id) => Err(taken("group", "displayName", name, &id)),
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
