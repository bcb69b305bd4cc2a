//! What waits for somebody: members named by an id that nobody has, and users whose name is taken.

use directory::ConnectorId;
use jiff::Timestamp;

use crate::{ReadTx, StoreError, args};

/// A member that a group names and that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingMember {
    /// The id by which it is named.
    pub value: String,
    /// The store's number of the group, for the next page.
    pub group_pk: i64,
    /// The SCIM `id` of the group.
    pub group: String,
    /// Its `displayName`.
    pub display_name: String,
}

/// A user of the source who could not have the name that the rules give it.
#[derive(Debug, Clone)]
pub struct NameConflict {
    /// The store's number of the user, for the next page.
    pub source_pk: i64,
    /// The SCIM `id` of the user.
    pub id: String,
    /// Its document.
    pub document: String,
    /// The name, as names are compared.
    pub name: String,
    /// Since when.
    pub since: Timestamp,
    /// Key and name of the account that has the name, if somebody still has it.
    pub holder: Option<(String, String)>,
}

impl ReadTx<'_> {
    /// Members of a connector's groups that are not there, from a place on.
    pub fn pending_members(
        &self,
        connector: ConnectorId,
        behind: (&str, i64),
        limit: i64,
    ) -> Result<Vec<PendingMember>, StoreError> {
        self.query(
            "SELECT p.value, p.group_pk, g.id, g.display_name FROM pending_reference p \
             CROSS JOIN source_group g \
             WHERE g.pk = p.group_pk AND p.connector_pk = $1 AND (p.value, p.group_pk) > ($2, $3) \
             ORDER BY p.value, p.group_pk LIMIT $4",
            args![connector.0, behind.0, behind.1, limit],
            |row| {
                Ok(PendingMember {
                    value: row.text(0)?,
                    group_pk: row.int(1)?,
                    group: row.text(2)?,
                    display_name: row.text(3)?,
                })
            },
        )
    }

    /// Users of a connector whose name is taken, from a place on.
    pub fn name_conflicts(
        &self,
        connector: ConnectorId,
        behind: i64,
        limit: i64,
    ) -> Result<Vec<NameConflict>, StoreError> {
        self.query(
            "SELECT c.source_user_pk, u.id, u.document, c.name_fold, c.since, d.key, d.name \
             FROM name_conflict c JOIN source_user u ON u.pk = c.source_user_pk \
             LEFT JOIN directory_user d ON d.directory_pk = c.directory_pk AND d.name_fold = c.name_fold \
               AND d.status <> 'removed' \
             WHERE c.connector_pk = $1 AND c.source_user_pk > $2 ORDER BY c.source_user_pk LIMIT $3",
            args![connector.0, behind, limit],
            |row| {
                let holder = row.opt_text(5)?.zip(row.opt_text(6)?);
                Ok(NameConflict {
                    source_pk: row.int(0)?,
                    id: row.text(1)?,
                    document: row.text(2)?,
                    name: row.text(3)?,
                    since: row.time(4)?,
                    holder,
                })
            },
        )
    }
}
