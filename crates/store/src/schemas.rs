//! Schemas that an administrator registered for connectors, and the values that they make unique.

use directory::ConnectorId;
use jiff::Timestamp;
use serde_json::Value;

use crate::connectors::json;
use crate::{ReadTx, Row, StoreError, WriteTx, args};

/// A registered schema as it was sent.
#[derive(Debug, Clone)]
pub struct StoredSchema {
    /// Whether users have it.
    pub of_users: bool,
    /// Whether groups have it.
    pub of_groups: bool,
    /// Whether each resource must have it.
    pub required: bool,
    /// The document of RFC 7643, section 7.
    pub document: Value,
    /// When it was registered.
    pub created: Timestamp,
    /// When it was last changed.
    pub updated: Timestamp,
}

/// Whether a value is of a user or of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// A user, by its number.
    User,
    /// A group, by its number.
    Group,
}

impl Of {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Of::User => "User",
            Of::Group => "Group",
        }
    }
}

const COLUMNS: &str = "of_users, of_groups, required, document, created, updated";

fn read_schema(row: &Row<'_>) -> Result<StoredSchema, StoreError> {
    Ok(StoredSchema {
        of_users: row.flag(0)?,
        of_groups: row.flag(1)?,
        required: row.flag(2)?,
        document: serde_json::from_str(row.str(3)?)
            .map_err(|error| StoreError::corrupt(format!("connector_schema.document: {error}")))?,
        created: row.time(4)?,
        updated: row.time(5)?,
    })
}

impl ReadTx<'_> {
    /// The schemas of a connector, by URN.
    pub fn connector_schemas(
        &self,
        connector: ConnectorId,
    ) -> Result<Vec<StoredSchema>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM connector_schema WHERE connector_pk = $1 ORDER BY urn_fold"
        );
        self.query(&sql, args![connector.0], read_schema)
    }

    /// Goes through the documents of all users or groups of a connector.
    pub fn source_documents(
        &self,
        connector: ConnectorId,
        of: Of,
        each: &mut dyn FnMut(i64, &str, &str) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let sql = match of {
            Of::User => "SELECT pk, id, document FROM source_user WHERE connector_pk = $1",
            Of::Group => "SELECT pk, id, document FROM source_group WHERE connector_pk = $1",
        };
        self.for_each(sql, args![connector.0], |row| {
            each(row.int(0)?, row.str(1)?, row.str(2)?)
        })
    }

    /// The SCIM `id` of the resource that has a unique value.
    pub fn holder_of_unique_value(
        &self,
        connector: ConnectorId,
        of: Of,
        attribute: &str,
        value: &str,
    ) -> Result<Option<String>, StoreError> {
        let sql = match of {
            Of::User => {
                "SELECT r.id FROM unique_value v JOIN source_user r ON r.pk = v.resource_pk \
                 WHERE v.connector_pk = $1 AND v.kind = $2 AND v.attribute = $3 AND v.value = $4"
            }
            Of::Group => {
                "SELECT r.id FROM unique_value v JOIN source_group r ON r.pk = v.resource_pk \
                 WHERE v.connector_pk = $1 AND v.kind = $2 AND v.attribute = $3 AND v.value = $4"
            }
        };
        self.query_one(
            sql,
            args![connector.0, of.as_str(), attribute, value],
            |row| row.text(0),
        )
    }
}

impl WriteTx<'_> {
    /// Stores a schema in the place of the one with its URN.
    pub fn put_connector_schema(
        &self,
        connector: ConnectorId,
        urn: &str,
        schema: &StoredSchema,
    ) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO connector_schema (connector_pk, urn_fold, of_users, of_groups, required, document, \
             created, updated) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
             ON CONFLICT (connector_pk, urn_fold) DO UPDATE SET of_users = excluded.of_users, \
             of_groups = excluded.of_groups, required = excluded.required, document = excluded.document, \
             updated = excluded.updated",
            args![
                connector.0,
                urn.to_ascii_lowercase(),
                schema.of_users,
                schema.of_groups,
                schema.required,
                json(&schema.document)?,
                schema.created,
                schema.updated
            ],
        )?;
        self.new_connector_version(connector)
    }

    /// Forgets a schema. Returns whether there was one.
    pub fn delete_connector_schema(
        &self,
        connector: ConnectorId,
        urn: &str,
    ) -> Result<bool, StoreError> {
        let deleted = self.execute(
            "DELETE FROM connector_schema WHERE connector_pk = $1 AND urn_fold = $2",
            args![connector.0, urn.to_ascii_lowercase()],
        )?;
        self.new_connector_version(connector)?;
        Ok(deleted > 0)
    }

    /// Caches of the connector are worthless from now on.
    fn new_connector_version(&self, connector: ConnectorId) -> Result<(), StoreError> {
        self.execute(
            "UPDATE connector SET version = $1 WHERE pk = $2",
            args![self.new_version(), connector.0],
        )?;
        Ok(())
    }

    /// Gives a resource a unique value; false if another one has it.
    pub fn claim_unique_value(
        &self,
        connector: ConnectorId,
        of: Of,
        resource: i64,
        attribute: &str,
        value: &str,
    ) -> Result<bool, StoreError> {
        let claimed = self.execute(
            "INSERT INTO unique_value (connector_pk, kind, attribute, value, resource_pk) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (connector_pk, kind, attribute, value) DO NOTHING",
            args![connector.0, of.as_str(), attribute, value, resource],
        )?;
        Ok(claimed > 0)
    }

    /// Takes a unique value from the resource that had it.
    pub fn release_unique_value(
        &self,
        connector: ConnectorId,
        of: Of,
        resource: i64,
        attribute: &str,
        value: &str,
    ) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM unique_value WHERE connector_pk = $1 AND kind = $2 AND attribute = $3 AND value = $4 \
             AND resource_pk = $5",
            args![connector.0, of.as_str(), attribute, value, resource],
        )?;
        Ok(())
    }

    /// Takes all values of an attribute that is unique no more.
    pub fn release_unique_values(
        &self,
        connector: ConnectorId,
        of: Of,
        attribute: &str,
    ) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM unique_value WHERE connector_pk = $1 AND kind = $2 AND attribute = $3",
            args![connector.0, of.as_str(), attribute],
        )?;
        Ok(())
    }
}
