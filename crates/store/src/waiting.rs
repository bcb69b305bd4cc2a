//! What waits for somebody: members named by an id that nobody has, and users whose name is taken.

use std::collections::HashMap;

use directory::{ConnectorId, DirectoryId, MatchedBy, SourceUserPk};
use jiff::Timestamp;
use scim::fold;

use crate::{FormerHolder, ReadTx, Row, StoreError, args, sql};

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

/// How much of a connector waits until somebody decides.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OpenDecisions {
    /// Changes that safety limits keep back.
    pub holds: i64,
    /// Users whose name is taken, about whom nobody has decided.
    pub conflicts: i64,
    /// Groups that products have already, with members from elsewhere.
    pub groups: i64,
    /// Users for whom the rules give a value that cannot be used.
    pub value_errors: i64,
    /// Groups that the IdP renamed and that go on by the name before: nothing has to be decided, but it can be.
    pub pinned_groups: i64,
    /// Users for whom switches of the rules keep something back, which nobody has to decide about.
    pub suppressed: i64,
}

/// What [`OpenDecisions`] is read from, of a connector `c`.
const OPEN_DECISIONS: &str = "(SELECT count(*) FROM hold WHERE connector_pk = c.pk AND state = 'open'), \
    (SELECT count(*) FROM name_conflict WHERE connector_pk = c.pk AND kept = 0), \
    (SELECT count(*) FROM group_standing WHERE connector_pk = c.pk AND review = 'waiting'), \
    (SELECT count(*) FROM value_error WHERE connector_pk = c.pk AND errors <> '[]'), \
    (SELECT count(*) FROM group_standing s WHERE s.connector_pk = c.pk AND s.former_name IS NOT NULL \
       AND s.former_until IS NULL AND s.own_name IS NULL), \
    (SELECT count(*) FROM value_error WHERE connector_pk = c.pk AND suppressed <> '[]') \
    + (SELECT count(*) FROM suppressed_account WHERE connector_pk = c.pk)";

impl OpenDecisions {
    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            holds: row.int(0)?,
            conflicts: row.int(1)?,
            groups: row.int(2)?,
            value_errors: row.int(3)?,
            pinned_groups: row.int(4)?,
            suppressed: row.int(5)?,
        })
    }
}

/// What stands between a user of the source and its account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standoff {
    /// The name of the account in the way, as names are compared.
    pub name: String,
    /// Somebody decided that they are two people.
    pub kept: bool,
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
    /// By what user and account were taken for one person.
    pub matched: MatchedBy,
    /// Somebody decided that they are two people.
    pub kept: bool,
    /// Key and name of the account that has the name, if somebody still has it.
    pub holder: Option<(String, String)>,
    /// Who gave it up last, with the key of that account.
    pub former: Option<(FormerHolder, String)>,
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

    /// How much of a connector waits until somebody decides.
    pub fn open_decisions(&self, connector: ConnectorId) -> Result<OpenDecisions, StoreError> {
        let sql = format!("SELECT {OPEN_DECISIONS} FROM connector c WHERE c.pk = $1");
        let found = self.query_one(&sql, args![connector.0], OpenDecisions::read)?;
        Ok(found.unwrap_or_default())
    }

    /// The same of all connectors.
    pub fn open_decisions_of_all(&self) -> Result<HashMap<ConnectorId, OpenDecisions>, StoreError> {
        let sql = format!("SELECT {OPEN_DECISIONS}, c.pk FROM connector c");
        let found = self.query(&sql, args![], |row| {
            Ok((ConnectorId(row.int(6)?), OpenDecisions::read(row)?))
        })?;
        Ok(found.into_iter().collect())
    }

    /// What stands between a user of the source and its account, as it was last found.
    pub fn standoff(&self, source: SourceUserPk) -> Result<Option<Standoff>, StoreError> {
        self.query_one(
            "SELECT name_fold, kept FROM name_conflict WHERE source_user_pk = $1",
            args![source.0],
            |row| {
                Ok(Standoff {
                    name: row.text(0)?,
                    kept: row.flag(1)?,
                })
            },
        )
    }

    /// How many of some users of the source cannot have their name, since it is taken.
    pub fn count_name_conflicts(&self, users: &[SourceUserPk]) -> Result<i64, StoreError> {
        self.count_among("name_conflict", "kept IN (0, 1)", users)
    }

    /// How many of some users of the source have a row in a table that is about one each, of which something is true.
    pub(crate) fn count_among(
        &self,
        table: &'static str,
        condition: &'static str,
        users: &[SourceUserPk],
    ) -> Result<i64, StoreError> {
        let mut count = 0;
        for chunk in sql::chunks(users.iter().map(|user| user.0)) {
            let statement = format!(
                "SELECT count(*) FROM {table} WHERE {condition} AND source_user_pk IN ({})",
                sql::placeholders(1, chunk.len())
            );
            let arguments: Vec<crate::Arg<'_>> = chunk.into_iter().map(Into::into).collect();
            let found = self.query_one(&statement, arguments, |row| row.int(0))?;
            count += found.unwrap_or(0);
        }
        Ok(count)
    }

    /// A directory that some application has further down than this one, and in which somebody has this name.
    pub fn name_further_down(
        &self,
        directory: DirectoryId,
        name: &str,
    ) -> Result<Option<DirectoryId>, StoreError> {
        self.query_one(
            "SELECT o.directory_pk FROM application_directory m JOIN application_directory o \
             ON o.application_pk = m.application_pk AND o.position > m.position \
             JOIN directory_user u ON u.directory_pk = o.directory_pk AND u.name_fold = $2 AND u.status <> 'removed' \
             WHERE m.directory_pk = $1 ORDER BY o.directory_pk LIMIT 1",
            args![directory.0, fold(name)],
            |row| Ok(DirectoryId(row.int(0)?)),
        )
    }

    /// Who waits for a name in a directory: the connector's name and the SCIM id of each, the first of them.
    pub fn waiting_for_name(
        &self,
        directory: DirectoryId,
        name: &str,
        limit: i64,
    ) -> Result<Vec<(String, String)>, StoreError> {
        self.query(
            "SELECT c.name, u.id FROM name_conflict n JOIN source_user u ON u.pk = n.source_user_pk \
             JOIN connector c ON c.pk = n.connector_pk WHERE n.directory_pk = $1 AND n.name_fold = $2 \
             ORDER BY n.source_user_pk LIMIT $3",
            args![directory.0, fold(name), limit],
            |row| Ok((row.text(0)?, row.text(1)?)),
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
            "SELECT c.source_user_pk, u.id, u.document, c.name_fold, c.since, d.key, d.name, c.matched, c.kept, \
               f.user_pk, f.manner, f.given_up, o.key \
             FROM name_conflict c JOIN source_user u ON u.pk = c.source_user_pk \
             LEFT JOIN directory_user d ON d.directory_pk = c.directory_pk AND d.name_fold = c.name_fold \
               AND d.status <> 'removed' \
             LEFT JOIN former_name f ON f.directory_pk = c.directory_pk AND f.name_fold = c.name_fold \
             LEFT JOIN directory_user o ON o.pk = f.user_pk \
             WHERE c.connector_pk = $1 AND c.source_user_pk > $2 ORDER BY c.source_user_pk LIMIT $3",
            args![connector.0, behind, limit],
            |row| {
                let holder = row.opt_text(5)?.zip(row.opt_text(6)?);
                let former = FormerHolder::read(row, 9)?.zip(row.opt_text(12)?);
                Ok(NameConflict {
                    source_pk: row.int(0)?,
                    id: row.text(1)?,
                    document: row.text(2)?,
                    name: row.text(3)?,
                    since: row.time(4)?,
                    matched: MatchedBy::parse(row.str(7)?)
                        .ok_or_else(|| StoreError::corrupt("name_conflict.matched"))?,
                    kept: row.flag(8)?,
                    holder,
                    former,
                })
            },
        )
    }
}
