//! What writes of users and of groups have in common.

use directory::{ConnectorId, DirectoryId};
use scim::{Precondition, Resource, ScimError};
use store::{MemberKind, WriteTx};

use crate::ProvisionError;
use crate::loaded::LoadedConnector;

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
    ScimError::not_found(format!(
        "There is no {what} with the id '{id}'. It may have been deleted; look it up with a filter."
    ))
    .into()
}

/// 409 for a name that another resource of the connector has; the client learns which one.
pub(crate) fn taken(what: &str, attribute: &str, name: &str, id: &str) -> ProvisionError {
    ScimError::uniqueness(format!(
        "A {what} with {attribute} '{name}' exists already (id {id}). Look it up with a filter and update it."
    ))
    .into()
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
