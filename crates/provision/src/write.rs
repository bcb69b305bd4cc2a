//! What writes of users and of groups have in common.

use directory::{ConnectorId, DirectoryId};
use scim::catalogue::Entry;
use scim::name::echo;
use scim::{Departure, Precondition, Resource, catalogue};
use store::{MemberKind, Scope, StoreError, WriteTx};

use crate::loaded::LoadedConnector;
use crate::{Provision, ProvisionError};

/// Where a write goes: the connector, and the directory whose writers are serial.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) connector: ConnectorId,
    pub(crate) directory: DirectoryId,
}

impl Place {
    pub(crate) fn of(connector: &LoadedConnector) -> Self {
        Self {
            connector: connector.connector.id,
            directory: connector.connector.directory,
        }
    }
}

impl Provision {
    pub(crate) async fn place_of(&self, connector: ConnectorId) -> Result<Place, ProvisionError> {
        Ok(Place {
            connector,
            directory: self.directory_of(connector).await?,
        })
    }

    /// One transaction about a connector, with the connector as it stands in it.
    pub(crate) async fn write_at<T: Send + 'static>(
        &self,
        place: Place,
        change: impl Fn(&Self, &WriteTx<'_>, &LoadedConnector) -> Result<T, ProvisionError>
        + Send
        + Sync
        + 'static,
    ) -> Result<T, ProvisionError> {
        let this = self.clone();
        self.store()
            .write(Scope::Directory(place.directory), move |tx| {
                let connector = this.require_connector(tx, place.connector)?;
                change(&this, tx, &connector)
            })
            .await
    }
}

/// The resource that a write is about, and the versions it may have.
#[derive(Clone, Copy)]
pub(crate) struct Target<'r> {
    pub(crate) id: &'r str,
    pub(crate) precondition: &'r Precondition,
}

impl<'r> Target<'r> {
    pub(crate) fn new(id: &'r str, precondition: &'r Precondition) -> Self {
        Self { id, precondition }
    }
}

/// 404 for an id that nothing has, here or in any other connector: the answer is the same.
pub(crate) fn no_such(what: &str, id: &str) -> ProvisionError {
    let entry = match what {
        "Group" => &catalogue::GROUP_NOT_FOUND,
        _ => &catalogue::USER_NOT_FOUND,
    };
    let id = echo(id);
    entry.error(format!(
        "There is no {what} with the id '{id}'. It may have been deleted; look it up with a filter."
    ))
    .into()
}

/// 409 for a value that another resource of the connector has; the client learns which one.
pub(crate) fn taken(
    entry: &'static Entry,
    what: &str,
    attribute: &str,
    value: &str,
    id: &str,
) -> ProvisionError {
    let value = echo(value);
    entry.error(format!(
        "A {what} with {attribute} '{value}' exists already (id {id}). Look it up with a filter and update it."
    ))
    .into()
}

/// The resource that a POST takes over, if the connector adopts: the one of the same connector that has
/// the same `externalId`. Several of them are 409, since nobody can say which one is meant.
pub(crate) fn adopted(
    connector: &LoadedConnector,
    resource: &Resource,
    what: &str,
    known: impl FnOnce(&str) -> Result<Vec<String>, StoreError>,
) -> Result<Option<String>, ProvisionError> {
    let adopts = connector.dialect.has(Departure::KnownExternalIdIsAdopted);
    let Some(external_id) = resource.external_id().filter(|id| adopts && !id.is_empty()) else {
        return Ok(None);
    };
    let mut known = known(external_id)?;
    match known.len() {
        0 | 1 => Ok(known.pop()),
        _ => Err(catalogue::EXTERNAL_ID_AMBIGUOUS.error(format!(
            "Several {what}s have the externalId '{}', so none can be taken over. Look the {what} up with a filter and update it, or delete the ones too many.",
            echo(external_id)
        ))
        .into()),
    }
}

/// Lets a user or a group into the groups that named it before it came (PL-09), by its id or by
/// the IdP's. Returns whether there were any.
pub(crate) fn claim_references(
    tx: &WriteTx<'_>,
    connector: ConnectorId,
    id: &str,
    resource: &Resource,
    member: MemberKind,
) -> Result<bool, ProvisionError> {
    let names = [id, resource.external_id().unwrap_or(id)];
    Ok(!tx
        .claim_pending_references(connector, names, member)?
        .is_empty())
}
