//! How much there is in each of several directories and sources, counted together.

use std::collections::HashMap;

use directory::{ConnectorId, DirectoryId, Status};

use crate::{ReadTx, SourceCounts, StoreError, WriteTx, args, sql};

/// How much a directory holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DirectoryCounts {
    /// Users who may log in.
    pub active_users: i64,
    /// Users who may not.
    pub disabled_users: i64,
    /// Groups.
    pub groups: i64,
    /// The newest position of its journal.
    pub position: i64,
    /// Whether applications may make users of their own in it.
    pub local_users: bool,
}

impl ReadTx<'_> {
    /// How much these directories hold.
    pub fn directory_counts(
        &self,
        directories: &[DirectoryId],
    ) -> Result<HashMap<DirectoryId, DirectoryCounts>, StoreError> {
        let numbers: Vec<i64> = directories.iter().map(|directory| directory.0).collect();
        let mut found = HashMap::with_capacity(numbers.len());
        for chunk in sql::padded(&numbers) {
            let list = sql::placeholders(1, chunk.len());
            let arguments: Vec<_> = chunk.into_iter().map(Into::into).collect();
            let whole = format!(
                "SELECT d.pk, d.local_users, d.active_users, d.disabled_users, d.group_count, \
                 COALESCE((SELECT max(j.pk) FROM journal j WHERE j.directory_pk = d.pk), d.journal_floor) \
                 FROM directory d WHERE d.pk IN ({list})"
            );
            self.for_each(&whole, &arguments, |row| {
                let counts = DirectoryCounts {
                    local_users: row.flag(1)?,
                    active_users: row.int(2)?,
                    disabled_users: row.int(3)?,
                    groups: row.int(4)?,
                    position: row.int(5)?,
                };
                found.insert(DirectoryId(row.int(0)?), counts);
                Ok(())
            })?;
        }
        Ok(found)
    }

    /// How many users of these directories belong to no connector.
    pub fn users_without_connector(
        &self,
        directories: &[DirectoryId],
    ) -> Result<HashMap<DirectoryId, i64>, StoreError> {
        let numbers: Vec<i64> = directories.iter().map(|directory| directory.0).collect();
        let mut found = HashMap::new();
        for chunk in sql::padded(&numbers) {
            let list = sql::placeholders(1, chunk.len());
            let arguments: Vec<_> = chunk.into_iter().map(Into::into).collect();
            let counted = format!(
                "SELECT d.pk, (SELECT count(*) FROM directory_user u WHERE u.directory_pk = d.pk \
                 AND u.connector_pk IS NULL AND u.status <> 'removed') FROM directory d WHERE d.pk IN ({list})"
            );
            self.for_each(&counted, &arguments, |row| {
                found.insert(DirectoryId(row.int(0)?), row.int(1)?);
                Ok(())
            })?;
        }
        Ok(found)
    }

    /// How much the source of every connector holds, and how many of its users are due now.
    pub fn source_counts_of_all(
        &self,
    ) -> Result<HashMap<ConnectorId, (SourceCounts, i64)>, StoreError> {
        let found = self.query(
            "SELECT c.user_count, c.group_count, c.users_deleted, c.groups_deleted, c.pk, \
             (SELECT count(*) FROM due d WHERE d.connector_pk = c.pk AND d.due_at <= $1) FROM connector c",
            args![self.now()],
            |row| {
                let counts = (SourceCounts::read(row)?, row.int(5)?);
                Ok((ConnectorId(row.int(4)?), counts))
            },
        )?;
        Ok(found.into_iter().collect())
    }
}

impl WriteTx<'_> {
    /// Counts users of a status who come into a directory, or leave it.
    pub(crate) fn count_users(
        &self,
        directory: DirectoryId,
        status: Status,
        more: i64,
    ) -> Result<(), StoreError> {
        let sql = match status {
            Status::Active => "UPDATE directory SET active_users = active_users + $1 WHERE pk = $2",
            Status::Disabled | Status::Anonymised => {
                "UPDATE directory SET disabled_users = disabled_users + $1 WHERE pk = $2"
            }
            _ => return Ok(()),
        };
        self.execute(sql, args![more, directory.0]).map(drop)
    }

    /// Counts groups that come into a directory, or leave it.
    pub(crate) fn count_groups(&self, directory: DirectoryId, more: i64) -> Result<(), StoreError> {
        let sql = "UPDATE directory SET group_count = group_count + $1 WHERE pk = $2";
        self.execute(sql, args![more, directory.0]).map(drop)
    }
}
