//! Users of the source: created, replaced, patched, deleted.

use directory::{Cause, ConnectorId, ConnectorState, Moment, SourceUserPk};
use scim::{
    PatchRequest, Precondition, Resource, ResourceType, ScimError, Warning, catalogue, fold,
};
use store::{GroupReference, MemberKind, Of, SourceUser, WriteTx};

use crate::JsonObject;
use crate::facts::Person;
use crate::loaded::LoadedConnector;
use crate::write::{Place, Target, adopted, claim_references, no_such, taken};
use crate::{Provision, ProvisionError, unique};

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
    /// Creates a user (RFC 7644 section 3.3). A taken `userName` is 409 `uniqueness`. If the connector
    /// adopts, a user of the connector with the same `externalId` is replaced instead.
    pub async fn create_user(
        &self,
        connector: &LoadedConnector,
        user: Resource,
        password: Option<NewPassword>,
        cause: Cause,
    ) -> Result<WrittenUser, ProvisionError> {
        self.write_at(Place::of(connector), move |this, tx, connector| {
            this.create_user_in(tx, connector, &user, password.as_ref(), &cause)
        })
        .await
    }

    /// [`Provision::create_user`] inside a transaction.
    pub(crate) fn create_user_in(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        user: &Resource,
        password: Option<&NewPassword>,
        cause: &Cause,
    ) -> Result<WrittenUser, ProvisionError> {
        let id = connector.connector.id;
        if let Some(known) = adopted(connector, user, "user", |external_id| {
            tx.source_user_ids_by_external_id(id, external_id)
        })? {
            let (always, incoming) = (Precondition::default(), user.as_map());
            let target = Target::new(&known, &always);
            return self.replace_user_in(tx, connector, target, incoming, password, cause);
        }
        require_free_user_name(tx, id, user)?;
        let written = tx.insert_source_user(id, user)?;
        let place = (Of::User, written.pk.0);
        unique::settle(tx, id, place, &connector.types.user, None, Some(user))?;
        if let Some(password) = password {
            tx.set_source_password(written.pk, Some(&password.hash))?;
        }
        let member = MemberKind::User(written.pk);
        let claimed = claim_references(tx, id, &written.id, user, member)?;
        let known = known(user, &written);
        let person = Person {
            source: written.pk,
            user: &known,
            is_new: !claimed,
        };
        let settled = self.settle_at(tx, connector, &person, cause, Moment::Creation)?;
        let warnings = settled.warnings().collect();
        self.tell_lookers(tx, connector, &written.id, None, Some(user), cause)?;
        if claimed {
            return written_user(tx, id, written, warnings);
        }
        Ok(WrittenUser {
            user: written,
            groups: Vec::new(),
            warnings,
        })
    }

    /// Replaces a user (RFC 7644 section 3.5.1).
    pub async fn replace_user(
        &self,
        connector: &LoadedConnector,
        id: String,
        incoming: JsonObject,
        password: Option<NewPassword>,
        precondition: Option<Precondition>,
        cause: Cause,
    ) -> Result<WrittenUser, ProvisionError> {
        let precondition = precondition.unwrap_or_default();
        self.write_at(Place::of(connector), move |this, tx, connector| {
            let target = Target::new(&id, &precondition);
            this.replace_user_in(tx, connector, target, &incoming, password.as_ref(), &cause)
        })
        .await
    }

    /// [`Provision::replace_user`] inside a transaction.
    pub(crate) fn replace_user_in(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        target: Target<'_>,
        incoming: &JsonObject,
        password: Option<&NewPassword>,
        cause: &Cause,
    ) -> Result<WrittenUser, ProvisionError> {
        self.change_user(tx, connector, target, password, cause, |before| {
            before.replaced_by(&connector.types.user, incoming.clone(), &connector.dialect)
        })
    }

    /// Applies a PATCH to a user (RFC 7644 section 3.5.2), whole or not at all. A request that
    /// changes nothing leaves version and times as they are.
    pub async fn patch_user(
        &self,
        connector: &LoadedConnector,
        id: String,
        request: PatchRequest,
        password: Option<NewPassword>,
        precondition: Option<Precondition>,
        cause: Cause,
    ) -> Result<WrittenUser, ProvisionError> {
        let precondition = precondition.unwrap_or_default();
        self.write_at(Place::of(connector), move |this, tx, connector| {
            let target = Target::new(&id, &precondition);
            this.patch_user_in(tx, connector, target, &request, password.as_ref(), &cause)
        })
        .await
    }

    /// [`Provision::patch_user`] inside a transaction.
    pub(crate) fn patch_user_in(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        target: Target<'_>,
        request: &PatchRequest,
        password: Option<&NewPassword>,
        cause: &Cause,
    ) -> Result<WrittenUser, ProvisionError> {
        self.change_user(tx, connector, target, password, cause, |before| {
            let patched = request.apply(&connector.types.user, before, &connector.dialect)?;
            Ok((patched.resource, patched.warnings))
        })
    }

    fn change_user(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        target: Target<'_>,
        password: Option<&NewPassword>,
        cause: &Cause,
        change: impl FnOnce(&Resource) -> Result<(Resource, Vec<Warning>), ScimError>,
    ) -> Result<WrittenUser, ProvisionError> {
        let id = connector.connector.id;
        let stored = require_user(tx, id, target.id)?;
        target.precondition.check(&stored.meta)?;
        let before = Resource::parse_stored(&stored.document)?;
        let (after, mut warnings) = change(&before)?;
        if let Some(password) = password {
            tx.set_source_password(stored.pk, Some(&password.hash))?;
        }
        if after.as_map() == before.as_map() {
            return written_user(tx, id, stored, warnings);
        }
        if fold(after.user_name().unwrap_or_default())
            != fold(before.user_name().unwrap_or_default())
        {
            require_free_user_name(tx, id, &after)?;
        }
        let written = tx.update_source_user(id, &stored, &after)?;
        let (place, ty) = ((Of::User, written.pk.0), &connector.types.user);
        unique::settle(tx, id, place, ty, Some(&before), Some(&after))?;
        if after.external_id() != before.external_id() {
            let member = MemberKind::User(written.pk);
            claim_references(tx, id, &written.id, &after, member)?;
        }
        let known = known(&after, &written);
        let person = Person {
            source: written.pk,
            user: &known,
            is_new: false,
        };
        let settled = self.settle_at(tx, connector, &person, cause, Moment::Later)?;
        warnings.extend(settled.warnings());
        let (was, is) = (Some(&before), Some(&after));
        self.tell_lookers(tx, connector, &written.id, was, is, cause)?;
        written_user(tx, id, written, warnings)
    }

    /// Deletes a user (RFC 7644 section 3.6). What the directory keeps of it, the rules say.
    pub async fn delete_user(
        &self,
        connector: &LoadedConnector,
        id: String,
        precondition: Option<Precondition>,
        cause: Cause,
    ) -> Result<(), ProvisionError> {
        let precondition = precondition.unwrap_or_default();
        self.write_at(Place::of(connector), move |this, tx, connector| {
            let target = Target::new(&id, &precondition);
            this.delete_user_in(tx, connector, target, &cause)
        })
        .await
    }

    /// [`Provision::delete_user`] inside a transaction.
    pub(crate) fn delete_user_in(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        target: Target<'_>,
        cause: &Cause,
    ) -> Result<(), ProvisionError> {
        let id = connector.connector.id;
        let stored = require_user(tx, id, target.id)?;
        target.precondition.check(&stored.meta)?;
        let place = (Of::User, stored.pk.0);
        unique::free(tx, id, place, &connector.types.user, &stored.document)?;
        self.settle_deletion(tx, connector, &stored, cause)?;
        tx.delete_source_user(id, stored.pk)?;
        if connector.rules.looks_at_others() {
            let gone = Resource::parse_stored(&stored.document)?;
            self.tell_lookers(tx, connector, &stored.id, Some(&gone), None, cause)?;
        }
        Ok(())
    }
}

/// A user as it was just written, with its `id` and its times.
fn known(user: &Resource, written: &SourceUser) -> Resource {
    user.clone()
        .known_as(ResourceType::user(), &written.id, &written.meta)
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
        Some(id) => Err(taken(
            &catalogue::USER_NAME_TAKEN,
            "user",
            "userName",
            name,
            &id,
        )),
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
        let users: Vec<(SourceUserPk, &Cause)> = users.iter().map(|user| (*user, cause)).collect();
        self.settle_each(tx, connector, &users).map(|_kept_back| ())
    }
}
