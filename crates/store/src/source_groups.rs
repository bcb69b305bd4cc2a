//! The source: groups and their members exactly as the IdP wrote them.

use std::collections::HashMap;

use directory::{ConnectorId, SourceGroupPk};
use scim::{Meta, Resource, fold};

use crate::{ReadTx, Row, StoreError, WriteTx, args, sql};

/// A group of the source, without its members.
#[derive(Debug, Clone)]
pub struct SourceGroup {
    /// The store's number of this group.
    pub pk: SourceGroupPk,
    /// The SCIM `id`.
    pub id: String,
    /// The SCIM `displayName`.
    pub display_name: String,
    /// Version and times.
    pub meta: Meta,
    /// The resource as [`Resource::to_stored`] gave it; never with members.
    pub document: String,
    /// How many users and groups are in it.
    pub member_count: i64,
}

/// The columns of [`read_group`], in its order.
pub(crate) const GROUP_COLUMNS: &str =
    "g.pk, g.id, g.display_name, g.version, g.created, g.modified, g.document, g.member_count";

/// Reads a row of [`GROUP_COLUMNS`].
pub(crate) fn read_group(row: &Row<'_>) -> Result<SourceGroup, StoreError> {
    Ok(SourceGroup {
        pk: SourceGroupPk(row.int(0)?),
        id: row.text(1)?,
        display_name: row.text(2)?,
        meta: Meta {
            version: row.int(3)?,
            created: row.time(4)?,
            last_modified: row.time(5)?,
            beside: None,
        },
        document: row.text(6)?,
        member_count: row.int(7)?,
    })
}

impl ReadTx<'_> {
    /// The group with this SCIM `id`.
    pub fn source_group(
        &self,
        connector: ConnectorId,
        id: &str,
    ) -> Result<Option<SourceGroup>, StoreError> {
        self.query_one(
            "SELECT g.pk, g.id, g.display_name, g.version, g.created, g.modified, g.document, g.member_count \
             FROM source_group g WHERE g.connector_pk = $1 AND g.id = $2",
            args![connector.0, id],
            read_group,
        )
    }

    /// SCIM id of the group with this `displayName`, compared by [`fold`].
    pub fn source_group_id_by_display_name(
        &self,
        connector: ConnectorId,
        display_name: &str,
    ) -> Result<Option<String>, StoreError> {
        self.query_one(
            "SELECT id FROM source_group WHERE connector_pk = $1 AND display_name_fold = $2",
            args![connector.0, fold(display_name)],
            |row| row.text(0),
        )
    }

    /// SCIM ids of groups with this `externalId`, compared exactly; two at most, since more say no more.
    pub fn source_group_ids_by_external_id(
        &self,
        connector: ConnectorId,
        external_id: &str,
    ) -> Result<Vec<String>, StoreError> {
        self.query(
            "SELECT id FROM source_group WHERE connector_pk = $1 AND external_id = $2 LIMIT 2",
            args![connector.0, external_id],
            |row| row.text(0),
        )
    }

    /// Which groups have these SCIM ids; those that nothing has are missing.
    pub fn source_groups_by_ids(
        &self,
        connector: ConnectorId,
        ids: &[&str],
    ) -> Result<HashMap<String, SourceGroupPk>, StoreError> {
        let mut found = HashMap::with_capacity(ids.len());
        for chunk in sql::chunks(ids.iter().copied()) {
            let statement = format!(
                "SELECT id, pk FROM source_group WHERE connector_pk = $1 AND id IN ({})",
                sql::placeholders(2, chunk.len())
            );
            let mut arguments = args![connector.0];
            arguments.extend(chunk.into_iter().map(Into::into));
            self.for_each(&statement, arguments, |row| {
                found.insert(row.text(0)?, SourceGroupPk(row.int(1)?));
                Ok(())
            })?;
        }
        Ok(found)
    }

    /// A source group as the rules see it.
    pub fn seen_by_rules(&self, group: &SourceGroup) -> Result<directory::SourceGroup, StoreError> {
        let standing = self.group_standing(group.pk)?;
        Ok(standing.seen(group.pk, group.display_name.clone()))
    }

    /// Every group of a connector, without members.
    pub fn source_groups_all(
        &self,
        connector: ConnectorId,
    ) -> Result<Vec<SourceGroup>, StoreError> {
        self.query(
            "SELECT g.pk, g.id, g.display_name, g.version, g.created, g.modified, g.document, g.member_count \
             FROM source_group g WHERE g.connector_pk = $1 ORDER BY g.pk",
            args![connector.0],
            read_group,
        )
    }
}

impl WriteTx<'_> {
    /// Stores a new group without members. A taken `displayName` is
    /// [`StoreError::Conflict`] on `source_group_display_name`.
    pub fn insert_source_group(
        &self,
        connector: ConnectorId,
        group: &Resource,
    ) -> Result<SourceGroup, StoreError> {
        let id = self.new_id_in_order().to_string();
        let now = self.now();
        let document = group.to_stored();
        let display_name = group.display_name().unwrap_or_default().to_owned();
        let pk = self.insert(
            "INSERT INTO source_group (connector_pk, id, display_name, display_name_fold, external_id, version, \
             created, modified, member_count, document) VALUES ($1, $2, $3, $4, $5, 1, $6, $7, 0, $8) RETURNING pk",
            args![
                connector.0,
                id.as_str(),
                display_name.as_str(),
                fold(&display_name),
                group.external_id(),
                now,
                now,
                document.as_str()
            ],
        )?;
        self.execute(
            "UPDATE connector SET group_count = group_count + 1 WHERE pk = $1",
            args![connector.0],
        )?;
        Ok(SourceGroup {
            pk: SourceGroupPk(pk),
            id,
            display_name,
            meta: Meta {
                version: 1,
                created: now,
                last_modified: now,
                beside: None,
            },
            document,
            member_count: 0,
        })
    }

    /// Gives a group a new version, with a new document and as many members more or fewer.
    pub fn update_source_group(
        &self,
        connector: ConnectorId,
        before: &SourceGroup,
        group: &Resource,
        member_difference: i64,
    ) -> Result<SourceGroup, StoreError> {
        let now = self.later_than(before.meta.last_modified);
        let document = group.to_stored();
        let display_name = group.display_name().unwrap_or_default().to_owned();
        self.execute(
            "UPDATE source_group SET display_name = $1, display_name_fold = $2, external_id = $3, \
             version = version + 1, modified = $4, document = $5, member_count = member_count + $6 \
             WHERE pk = $7 AND connector_pk = $8",
            args![
                display_name.as_str(),
                fold(&display_name),
                group.external_id(),
                now,
                document.as_str(),
                member_difference,
                before.pk.0,
                connector.0
            ],
        )?;
        Ok(SourceGroup {
            pk: before.pk,
            id: before.id.clone(),
            display_name,
            meta: Meta {
                version: before.meta.version + 1,
                created: before.meta.created,
                last_modified: now,
                beside: None,
            },
            document,
            member_count: before.member_count + member_difference,
        })
    }

    /// Forgets a group and its memberships.
    pub fn delete_source_group(
        &self,
        connector: ConnectorId,
        group: SourceGroupPk,
    ) -> Result<(), StoreError> {
        self.execute(
            "UPDATE source_group SET member_count = member_count - 1, version = version + 1, \
             modified = CASE WHEN modified < $2 THEN $2 ELSE modified + 1 END \
             WHERE pk IN (SELECT group_pk FROM source_group_member WHERE child_pk = $1)",
            args![group.0, self.now()],
        )?;
        for sql in [
            "DELETE FROM source_member WHERE group_pk = $1",
            "DELETE FROM source_group_member WHERE group_pk = $1",
            "DELETE FROM source_group_member WHERE child_pk = $1",
            "DELETE FROM pending_reference WHERE group_pk = $1",
            "DELETE FROM group_binding WHERE source_group_pk = $1",
            "DELETE FROM group_standing WHERE source_group_pk = $1",
            "DELETE FROM former_feed WHERE source_group_pk = $1",
            "DELETE FROM source_group WHERE pk = $1",
        ] {
            self.execute(sql, args![group.0])?;
        }
        self.execute(
            "UPDATE connector SET group_count = group_count - 1, groups_deleted = groups_deleted + 1 WHERE pk = $1",
            args![connector.0],
        )?;
        Ok(())
    }
}
