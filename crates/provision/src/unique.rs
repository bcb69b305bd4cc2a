//! Attributes of registered schemas whose values no two users, or no two groups, may have alike.

use directory::ConnectorId;
use scim::{
    Attribute, Resource, ResourceType, Schema, catalogue, fold, schemas::unique_attributes,
};
use serde_json::Value;
use store::{Of, WriteTx};

use crate::ProvisionError;
use crate::write::taken;

/// One value, as it is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unique {
    /// URN and name, folded.
    pub(crate) key: String,
    /// URN and name as the schema spells them.
    pub(crate) name: String,
    /// As it is compared.
    pub(crate) value: String,
    /// As it was written.
    pub(crate) written: String,
}

/// The key of an attribute in the store.
pub(crate) fn key(schema: &Schema, attribute: &Attribute) -> String {
    format!("{}:{}", schema.id, attribute.name).to_ascii_lowercase()
}

/// The value of one attribute in the object of its extension, whatever the case of its name.
pub(crate) fn value_of(
    schema: &Schema,
    attribute: &Attribute,
    extension: &Value,
) -> Option<Unique> {
    let mut entries = extension.as_object()?.iter();
    let (_, value) = entries.find(|(name, _)| name.eq_ignore_ascii_case(&attribute.name))?;
    let written = value.as_str().filter(|text| !text.is_empty())?;
    Some(Unique {
        key: key(schema, attribute),
        name: format!("{}:{}", schema.id, attribute.name),
        value: if attribute.case_exact {
            written.to_owned()
        } else {
            fold(written)
        },
        written: written.to_owned(),
    })
}

fn values(ty: &ResourceType, resource: &Resource) -> Vec<Unique> {
    let schemas = ty.extensions.iter();
    schemas
        .flat_map(|schema| unique_attributes(schema).map(move |attribute| (schema, attribute)))
        .filter_map(|(schema, attribute)| {
            let mut members = resource.as_map().iter();
            let (_, extension) = members.find(|(urn, _)| urn.eq_ignore_ascii_case(&schema.id))?;
            value_of(schema, attribute, extension)
        })
        .collect()
}

fn has_unique(ty: &ResourceType) -> bool {
    let mut schemas = ty.extensions.iter();
    schemas.any(|schema| unique_attributes(schema).next().is_some())
}

/// Frees the values of a resource that goes.
pub(crate) fn free(
    tx: &WriteTx<'_>,
    connector: ConnectorId,
    place: (Of, i64),
    ty: &ResourceType,
    document: &str,
) -> Result<(), ProvisionError> {
    if !has_unique(ty) {
        return Ok(());
    }
    let before = Resource::parse_stored(document)?;
    settle(tx, connector, place, ty, Some(&before), None)
}

/// Keeps the values of one resource as a write leaves them. One that is taken is 409 `uniqueness`.
pub(crate) fn settle(
    tx: &WriteTx<'_>,
    connector: ConnectorId,
    (of, pk): (Of, i64),
    ty: &ResourceType,
    before: Option<&Resource>,
    after: Option<&Resource>,
) -> Result<(), ProvisionError> {
    if !has_unique(ty) {
        return Ok(());
    }
    let values = |resource: Option<&Resource>| {
        resource
            .map(|resource| values(ty, resource))
            .unwrap_or_default()
    };
    let (before, after) = (values(before), values(after));
    let is_in = |one: &Unique, others: &[Unique]| {
        others
            .iter()
            .any(|other| other.key == one.key && other.value == one.value)
    };
    for one in before.iter().filter(|one| !is_in(one, &after)) {
        tx.release_unique_value(connector, of, pk, &one.key, &one.value)?;
    }
    for one in after.iter().filter(|one| !is_in(one, &before)) {
        if !tx.claim_unique_value(connector, of, pk, &one.key, &one.value)? {
            let holder = tx.holder_of_unique_value(connector, of, &one.key, &one.value)?;
            let what = match of {
                Of::User => "user",
                Of::Group => "group",
            };
            let holder = holder.unwrap_or_default();
            return Err(taken(
                &catalogue::VALUE_TAKEN,
                what,
                &one.name,
                &one.written,
                &holder,
            ));
        }
    }
    Ok(())
}
