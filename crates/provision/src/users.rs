//! Users of the source: created, replaced, patched, deleted.

use directory::{Cause, ConnectorId, ConnectorState, SourceUserPk};
use scim::{IfMatch, PatchRequest, Resource, ScimError, Warning, fold};
use store::{GroupReference, MemberKind, Scope, SourceUser, WriteTx};

use crate::JsonObject;
use crate::loaded::LoadedConnector;
use crate::settle::Person;
use crate::write::{Place, check_precondition, claim_references, no_such, taken};
use crate::{Provision, ProvisionError};

/// A password that came with a write, hashed before the transaction began.
#[derive(Clone)]
pub struct NewPassword {
    /// argon2id hash as a PHC string.
    pub hash: String,
}

/// A user after a write.
#[derive(Debug, Clone)]
pub struct WrittenUser {
    /// As it is stored now.
    pub user: SourceUser,
    /// The groups of the source that contain it.
    pub groups: Vec<GroupReference>,
    /// What of the request was ignored, and why.
    pub warnings: Vec<Warning>,
}

impl Provision {
    /// Creates a user (RFC 7644 section 3.3). A taken `userName` is 409 `uniqueness`.
    pub async fn create_user(
        &self,
        connector: &LoadedConnector,
        user: Resource,
        password: Option<NewPassword>,
        cause: Cause,
    ) -> Result<WrittenUser, ProvisionError> {
        let place = Place::of(connector);
        let this = self.clone();
        self.store()
            .write(Scope::Directory(place.directory), move |tx| {
                let connector = this.require_connector(tx, place.connector)?;
                require_free_user_name(tx, place.connector, &user)?;
                let written = tx.insert_source_user(place.connector, &user)?;
                if let Some(password) = &password {
                    tx.set_source_password(written.pk, Some(&password.hash))?;
                }
                let member = MemberKind::User(written.pk);
                let claimed = claim_references(tx, place.connector, &written.id, &user, member)?;
                let person = Person {
                    source: written.pk,
                    user: &user,
                    is_new: !claimed,
                };
                this.settle_person(tx, &connector, &person, &cause)?;
                if claimed {
                    return written_user(tx, place.connector, written, Vec::new());
                }
                Ok(WrittenUser {
                    user: written,
                    groups: Vec::new(),
                    warnings: Vec::new(),
                })
            })
            .await
    }

    /// Replaces a user (RFC 7644 section 3.5.1).
    pub async fn replace_user(
        &self,
        connector: &LoadedConnector,
        id: String,
        incoming: JsonObject,
        password: Option<NewPassword>,
        if_match: Option<IfMatch>,
        cause: Cause,
    ) -> Result<WrittenUser, ProvisionError> {
        self.change_user(
            connector,
            id,
            password,
            if_match,
            cause,
            move |before, connector| {
                let (after, warnings) = before.replaced_by(
                    &connector.types.user,
                    incoming.clone(),
                    &connector.dialect,
                )?;
                Ok((after, warnings))
            },
        )
        .await
    }

    /// Applies a PATCH to a user (RFC 7644 section 3.5.2), whole or not at all. A request that
    /// changes nothing leaves version and times as they are.
    pub async fn patch_user(
        &self,
        connector: &LoadedConnector,
        id: String,
        request: PatchRequest,
        password: Option<NewPassword>,
        if_match: Option<IfMatch>,
        cause: Cause,
    ) -> Result<WrittenUser, ProvisionError> {
        self.change_user(
            connector,
            id,
            password,
            if_match,
            cause,
            move |before, connector| {
                let patched = request.apply(&connector.types.user, before, &connector.dialect)?;
                Ok((patched.resource, patched.warnings))
            },
        )
        .await
    }

    async fn change_user(
        &self,
        connector: &LoadedConnector,
        id: String,
        password: Option<NewPassword>,
        if_match: Option<IfMatch>,
        cause: Cause,
        change: impl Fn(&Resource, &LoadedConnector) -> Result<(Resource, Vec<Warning>), ScimError>
        + Send
        + Sync
        + 'static,
    ) -> Result<WrittenUser, ProvisionError> {
        let place = Place::of(connector);
        let this = self.clone();
        self.store()
            .write(Scope::Directory(place.directory), move |tx| {
                let connector = this.require_connector(tx, place.connector)?;
                let stored = require_user(tx, place.connector, &id)?;
                check_precondition(if_match.as_ref(), &stored.meta)?;
                let before = Resource::parse_stored(&stored.document)?;
                let (after, warnings) = change(&before, &connector)?;
                if let Some(password) = &password {
                    tx.set_source_password(stored.pk, Some(&password.hash))?;
                }
                if after.as_map() == before.as_map() {
                    return written_user(tx, place.connector, stored, warnings);
                }
                if fold(after.user_name().unwrap_or_default())
                    != fold(before.user_name().unwrap_or_default())
                {
                    require_free_user_name(tx, place.connector, &after)?;
                }
                let written = tx.update_source_user(place.connector, &stored, &after)?;
                if after.external_id() != before.external_id() {
                    let member = MemberKind::User(written.pk);
                    claim_references(tx, place.connector, &written.id, &after, member)?;
                }
                let person = Person {
                    source: written.pk,
                    user: &after,
                    is_new: false,
                };
                this.settle_person(tx, &connector, &person, &cause)?;
                written_user(tx, place.connector, written, warnings)
            })
            .await
    }

    /// Deletes a user (RFC 7644 section 3.6). What the directory keeps of it, the rules say.
    pub async fn delete_user(
        &self,
        connector: &LoadedConnector,
        id: String,
        if_match: Option<IfMatch>,
        cause: Cause,
    ) -> Result<(), ProvisionError> {
        let place = Place::of(connector);
        let this = self.clone();
        self.store()
            .write(Scope::Directory(place.directory), move |tx| {
                let connector = this.require_connector(tx, place.connector)?;
                let stored = require_user(tx, place.connector, &id)?;
                check_precondition(if_match.as_ref(), &stored.meta)?;
                this.settle_deletion(tx, &connector, stored.pk, &cause)?;
                tx.delete_source_user(place.connector, stored.pk)?;
                Ok(())
            })
            .await
    }
}

fn require_user(
    tx: &WriteTx<'_>,
    connector: ConnectorId,
    id: &str,
) -> Result<SourceUser, ProvisionError> {
    tx.source_user(connector, id)?
        .ok_or_else(|| no_such("User", id))
}

fn require_free_user_name(
    tx: &WriteTx<'_>,
    connector: ConnectorId,
    user: &Resource,
) -> Result<(), ProvisionError> {
    let name = user.user_name().unwrap_or_default();
    match tx.source_user_id_by_user_name(connector, name)? {
        Some(id) => Err(taken("user", "userName", name, &id)),
        None => Ok(()),
    }
}

fn written_user(
    tx: &WriteTx<'_>,
    connector: ConnectorId,
    user: SourceUser,
    warnings: Vec<Warning>,
) -> Result<WrittenUser, ProvisionError> {
    let groups = tx.source_groups_of(connector, user.pk)?;
    Ok(WrittenUser {
        user,
        groups,
        warnings,
    })
}

impl Provision {
    /// Evaluates users whose groups changed: at once when they are few, else by the worker. A
    /// user who is marked keeps its place: evaluation looks at what is stored then.
    pub(crate) fn settle_many(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        users: &[SourceUserPk],
        cause: &Cause,
    ) -> Result<(), ProvisionError> {
        if users.len() > crate::settle::AT_ONCE_MAX
            || connector.connector.state != ConnectorState::Active
        {
            tx.mark_many_due(connector.connector.id, users, cause)?;
            self.wake_worker();
            return Ok(());
        }
        for user in users {
            self.settle(tx, connector, *user, cause)?;
        }
        Ok(())
    }
}
