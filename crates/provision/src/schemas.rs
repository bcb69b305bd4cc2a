//! Schemas that an administrator registers for a connector. What is stored is never lost: it is read
//! with another schema, or with none, and a schema that would show what was secret is refused.

use std::collections::BTreeSet;

use directory::ConnectorId;
use scim::name::echo;
use scim::schema::{Mutability, Returned};
use scim::schemas::unique_attributes;
use scim::{Attribute, CustomSchema, Resource, ResourceTypes, SchemaError, catalogue};
use serde_json::Value;
use store::{Of, ReadTx, Scope, StoreError, StoredSchema, WriteTx};

use crate::unique::{key, value_of};
use crate::{Provision, ProvisionError};

/// A schema to be registered.
#[derive(Debug, Clone)]
pub struct SchemaDraft {
    /// Whether users have it.
    pub of_users: bool,
    /// Whether groups have it.
    pub of_groups: bool,
    /// Whether each resource must have it.
    pub required: bool,
    /// The document of RFC 7643, section 7.
    pub document: Value,
}

/// How many resources have data under the URN of a schema.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StoredData {
    /// Users.
    pub users: u64,
    /// Groups.
    pub groups: u64,
}

/// A schema after it was registered or changed.
#[derive(Debug, Clone)]
pub struct WrittenSchema {
    /// As it is stored now.
    pub schema: StoredSchema,
    /// Whether there was none of its URN.
    pub is_new: bool,
    /// What was stored under its URN already; it stays as it is until it is written anew.
    pub stored: StoredData,
}

/// A schema that was forgotten.
#[derive(Debug, Clone, Copy)]
pub struct DeletedSchema {
    /// What is stored under its URN; it stays, and is not checked any more.
    pub stored: StoredData,
}

/// Reads a stored schema.
pub(crate) fn parsed(stored: &StoredSchema) -> Result<CustomSchema, Vec<SchemaError>> {
    CustomSchema::parse(
        &stored.document,
        stored.required,
        stored.of_users,
        stored.of_groups,
    )
}

impl Provision {
    /// The schemas of a connector, by URN.
    pub fn schemas(
        &self,
        tx: &ReadTx<'_>,
        connector: ConnectorId,
    ) -> Result<Vec<StoredSchema>, ProvisionError> {
        Ok(tx.connector_schemas(connector)?)
    }

    /// The schema of this URN.
    pub fn schema(
        &self,
        tx: &ReadTx<'_>,
        connector: ConnectorId,
        urn: &str,
    ) -> Result<StoredSchema, ProvisionError> {
        let mut all = tx.connector_schemas(connector)?.into_iter();
        all.find(|stored| is_of(stored, urn))
            .ok_or_else(|| ProvisionError::not_found("schema", urn))
    }

    /// Registers a schema, or puts it in the place of the one with its URN. Attributes that nobody could
    /// read must not become readable while values are stored, unless `reveal` says so; attributes that
    /// become unique must have different values already.
    pub async fn put_schema(
        &self,
        connector: ConnectorId,
        urn: &str,
        draft: SchemaDraft,
        reveal: bool,
    ) -> Result<WrittenSchema, ProvisionError> {
        let custom = CustomSchema::parse(
            &draft.document,
            draft.required,
            draft.of_users,
            draft.of_groups,
        )
        .map_err(ProvisionError::Schema)?;
        let id = custom.schema.id.clone();
        if !id.eq_ignore_ascii_case(urn) {
            return Err(ProvisionError::invalid(
                "id",
                format!("of the document is '{id}', which is not the URN in the address"),
            ));
        }
        let stored = self.stored_under(connector, &id).await?;
        let directory = self.directory_of(connector).await?;
        let _settings = self.store().changing_settings();
        self.store()
            .write(Scope::Directory(directory), move |tx| {
                let (schema, is_new) = put(tx, connector, &custom, &draft, reveal)?;
                Ok(WrittenSchema {
                    schema,
                    is_new,
                    stored,
                })
            })
            .await
    }

    /// Forgets a schema. What is stored under its URN stays.
    pub async fn delete_schema(
        &self,
        connector: ConnectorId,
        urn: &str,
        reveal: bool,
    ) -> Result<DeletedSchema, ProvisionError> {
        let urn = urn.to_owned();
        let stored = self.stored_under(connector, &urn).await?;
        let directory = self.directory_of(connector).await?;
        let this = self.clone();
        let _settings = self.store().changing_settings();
        self.store()
            .write(Scope::Directory(directory), move |tx| {
                forget(tx, connector, &this.schema(tx, connector, &urn)?, reveal)?;
                Ok(DeletedSchema { stored })
            })
            .await
    }

    async fn stored_under(
        &self,
        connector: ConnectorId,
        urn: &str,
    ) -> Result<StoredData, ProvisionError> {
        let urn = urn.to_owned();
        self.store()
            .read(move |tx| stored_under(tx, connector, &urn))
            .await
    }
}

/// Stores a schema, inside a transaction that has the connector's directory for itself; whether there was none before.
pub(crate) fn put(
    tx: &WriteTx<'_>,
    connector: ConnectorId,
    custom: &CustomSchema,
    draft: &SchemaDraft,
    reveal: bool,
) -> Result<(StoredSchema, bool), ProvisionError> {
    let id = &custom.schema.id;
    let all = tx.connector_schemas(connector)?;
    let (same, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|stored| is_of(stored, id));
    let before = same.first();
    let former = before.and_then(|stored| parsed(stored).ok());
    let mut together: Vec<CustomSchema> =
        others.iter().filter_map(|one| parsed(one).ok()).collect();
    together.push(custom.clone());
    ResourceTypes::with(&together).map_err(ProvisionError::Schema)?;
    if !reveal {
        require_secrecy(tx, connector, former.as_ref(), Some(custom))?;
    }
    index_unique(tx, connector, former.as_ref(), Some(custom))?;
    let now = tx.now();
    let schema = StoredSchema {
        of_users: draft.of_users,
        of_groups: draft.of_groups,
        required: draft.required,
        document: scim::discovery::document_of(&custom.schema),
        created: before.map_or(now, |stored| stored.created),
        updated: now,
    };
    tx.put_connector_schema(connector, id, &schema)?;
    Ok((schema, before.is_none()))
}

/// Forgets a schema, inside a transaction that has the connector's directory for itself.
pub(crate) fn forget(
    tx: &WriteTx<'_>,
    connector: ConnectorId,
    stored: &StoredSchema,
    reveal: bool,
) -> Result<(), ProvisionError> {
    let former = parsed(stored).ok();
    if !reveal {
        require_secrecy(tx, connector, former.as_ref(), None)?;
    }
    index_unique(tx, connector, former.as_ref(), None)?;
    let urn = stored.document.get("id").and_then(Value::as_str);
    tx.delete_connector_schema(connector, urn.unwrap_or_default())?;
    Ok(())
}

/// Counts the resources that have data under a URN. Reads every document of the connector.
fn stored_under(
    tx: &ReadTx<'_>,
    connector: ConnectorId,
    urn: &str,
) -> Result<StoredData, ProvisionError> {
    let name = format!("\"{}\":{{", urn.to_ascii_lowercase());
    let count = |of| {
        let mut count = 0;
        tx.source_documents(connector, of, &mut |_, _, document| {
            count += u64::from(document.to_ascii_lowercase().contains(&name));
            Ok(())
        })?;
        Ok::<_, StoreError>(count)
    };
    Ok(StoredData {
        users: count(Of::User)?,
        groups: count(Of::Group)?,
    })
}

pub(crate) fn is_of(stored: &StoredSchema, urn: &str) -> bool {
    let id = stored.document.get("id").and_then(Value::as_str);
    id.is_some_and(|id| id.eq_ignore_ascii_case(urn))
}

/// Refuses what would show stored values that nobody may read. They are counted here, where nothing can be
/// written in between, and only if they would be shown.
fn require_secrecy(
    tx: &ReadTx<'_>,
    connector: ConnectorId,
    former: Option<&CustomSchema>,
    next: Option<&CustomSchema>,
) -> Result<(), ProvisionError> {
    let Some(former) = former else { return Ok(()) };
    let users = shown_after(former, next, Of::User);
    let groups = shown_after(former, next, Of::Group);
    if users.is_empty() && groups.is_empty() {
        return Ok(());
    }
    let stored = stored_under(tx, connector, &former.schema.id)?;
    let mut shown = BTreeSet::new();
    if stored.users > 0 {
        shown.extend(users);
    }
    if stored.groups > 0 {
        shown.extend(groups);
    }
    if shown.is_empty() {
        return Ok(());
    }
    Err(catalogue::SECRETS_WOULD_SHOW.error(format!(
        "Values of {} are stored that are never returned, and this change would show them. Remove them with the identity provider first, or repeat the request with reveal=true.",
        Vec::from_iter(shown).join(", ")
    ))
    .into())
}

/// What of users, or of groups, nobody can read now and everybody could then.
fn shown_after(former: &CustomSchema, next: Option<&CustomSchema>, of: Of) -> Vec<String> {
    if !applies(former, of) {
        return Vec::new();
    }
    let next = next.filter(|next| applies(next, of));
    let next = next.map(|next| &next.schema);
    secrets(&former.schema.attributes)
        .into_iter()
        .filter(|(name, part)| {
            let attribute = next.and_then(|schema| schema.attribute(name));
            let still = attribute.is_some_and(|attribute| {
                is_secret(attribute)
                    || part
                        .and_then(|part| attribute.sub(part))
                        .is_some_and(is_secret)
            });
            !still
        })
        .map(|(name, part)| match part {
            Some(part) => format!("{name}.{part}"),
            None => name.to_owned(),
        })
        .collect()
}

fn is_secret(attribute: &Attribute) -> bool {
    attribute.returned == Returned::Never || attribute.mutability == Mutability::WriteOnly
}

fn secrets(attributes: &[Attribute]) -> Vec<(&str, Option<&str>)> {
    let mut found = Vec::new();
    for attribute in attributes {
        if is_secret(attribute) {
            found.push((attribute.name.as_str(), None));
        }
        for part in attribute
            .sub_attributes
            .iter()
            .filter(|part| is_secret(part))
        {
            found.push((attribute.name.as_str(), Some(part.name.as_str())));
        }
    }
    found
}

/// Brings the index of unique values in line with a changed schema.
fn index_unique(
    tx: &WriteTx<'_>,
    connector: ConnectorId,
    former: Option<&CustomSchema>,
    next: Option<&CustomSchema>,
) -> Result<(), ProvisionError> {
    for of in [Of::User, Of::Group] {
        let unique = |custom: Option<&CustomSchema>| -> Vec<(String, bool)> {
            let custom = custom.filter(|custom| applies(custom, of));
            let attributes = custom.into_iter().flat_map(|custom| {
                unique_attributes(&custom.schema)
                    .map(|attribute| (key(&custom.schema, attribute), attribute.case_exact))
            });
            attributes.collect()
        };
        let (before, after) = (unique(former), unique(next));
        for (key, _) in before.iter().filter(|one| !after.contains(one)) {
            tx.release_unique_values(connector, of, key)?;
        }
        let Some(next) = next.filter(|_| after.iter().any(|one| !before.contains(one))) else {
            continue;
        };
        let fresh: Vec<&Attribute> = next
            .unique_attributes()
            .filter(|attribute| {
                !before.contains(&(key(&next.schema, attribute), attribute.case_exact))
            })
            .collect();
        claim_stored(tx, connector, of, next, &fresh)?;
    }
    Ok(())
}

fn applies(custom: &CustomSchema, of: Of) -> bool {
    match of {
        Of::User => custom.of_users,
        Of::Group => custom.of_groups,
    }
}

/// Enters the values that are stored already.
fn claim_stored(
    tx: &WriteTx<'_>,
    connector: ConnectorId,
    of: Of,
    custom: &CustomSchema,
    attributes: &[&Attribute],
) -> Result<(), ProvisionError> {
    let schema = &custom.schema;
    let name = format!("\"{}\":{{", schema.id.to_ascii_lowercase());
    let mut claims = Vec::new();
    let mut unreadable = None;
    tx.source_documents(connector, of, &mut |pk, id, document| {
        if !document.to_ascii_lowercase().contains(&name) {
            return Ok(());
        }
        let document = match Resource::parse_stored(document) {
            Ok(document) => document,
            Err(error) => {
                unreadable = Some(error);
                return Ok(());
            }
        };
        let mut members = document.as_map().iter();
        let extension =
            members.find_map(|(urn, value)| urn.eq_ignore_ascii_case(&schema.id).then_some(value));
        for attribute in attributes {
            let value = extension.and_then(|extension| value_of(schema, attribute, extension));
            claims.extend(value.map(|value| (pk, id.to_owned(), value)));
        }
        Ok(())
    })?;
    if let Some(error) = unreadable {
        return Err(error.into());
    }
    for (pk, id, one) in claims {
        if !tx.claim_unique_value(connector, of, pk, &one.key, &one.value)? {
            let holder = tx.holder_of_unique_value(connector, of, &one.key, &one.value)?;
            return Err(catalogue::VALUE_TAKEN.error(format!(
                "'{}' cannot become unique: the resources {id} and {} both have the value '{}'. Correct one of them in the identity provider first.",
                one.name,
                holder.unwrap_or_default(),
                echo(&one.written)
            ))
            .into());
        }
    }
    Ok(())
}
