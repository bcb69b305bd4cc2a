//! The journal read backwards: which entries somebody made, whom they touched, and what came after.

use std::collections::BTreeMap;

use directory::{Change, ConnectorId, DirectoryId, GroupPk, UserPk};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::journal::{ENTRY_COLUMNS, read_entry};
use crate::{Arg, JournalEntry, ReadTx, StoreError, args, sql};

/// Entries of a directory's journal; what is left out does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JournalSelection {
    /// Behind this position.
    pub after: i64,
    /// Up to this position.
    pub upto: i64,
    /// Caused through this connector.
    pub connector: Option<ConnectorId>,
    /// Caused by this request.
    pub request: Option<String>,
    /// Caused by this actor.
    pub actor: Option<String>,
}

impl JournalSelection {
    /// Whether an entry is one of them.
    pub fn has(&self, entry: &JournalEntry) -> bool {
        let cause = &entry.cause;
        entry.position > self.after
            && entry.position <= self.upto
            && self.connector.is_none_or(|it| cause.connector == Some(it))
            && self.request.as_ref().is_none_or(|it| cause.request == *it)
            && self.actor.as_ref().is_none_or(|it| cause.actor == *it)
    }

    /// What is true of the selected entries, and its arguments, of which the first is the directory.
    fn within(&self, directory: DirectoryId) -> (String, Vec<Arg<'static>>) {
        let mut arguments = args![directory.0, self.after, self.upto];
        let mut conditions = "pk > $2 AND pk <= $3".to_owned();
        let values = [
            ("connector_pk", self.connector.map(|it| Arg::from(it.0))),
            ("request", self.request.clone().map(Arg::from)),
            ("actor", self.actor.clone().map(Arg::from)),
        ];
        for (column, value) in values {
            if let Some(value) = value {
                arguments.push(value);
                conditions.push_str(&format!(" AND {column} = ${}", arguments.len()));
            }
        }
        (conditions, arguments)
    }
}

impl ReadTx<'_> {
    /// The position before the first entry of this moment or later. The journal is in the order of time, so that is
    /// found by halving.
    pub fn journal_before(
        &self,
        directory: DirectoryId,
        moment: Timestamp,
    ) -> Result<i64, StoreError> {
        let (mut low, mut high) = (
            self.journal_floor(directory)?,
            self.journal_position(directory)?,
        );
        while low < high {
            let middle = low + (high - low) / 2;
            let at = self.query_one(
                "SELECT at FROM journal WHERE directory_pk = $1 AND pk > $2 ORDER BY pk LIMIT 1",
                args![directory.0, middle],
                |row| row.time(0),
            )?;
            if at.is_some_and(|at| at < moment) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }

    /// The users whom the selected entries touched, in the order of their numbers.
    pub fn users_touched(
        &self,
        directory: DirectoryId,
        selection: &JournalSelection,
    ) -> Result<Vec<UserPk>, StoreError> {
        let (conditions, arguments) = selection.within(directory);
        let sql = format!(
            "SELECT DISTINCT user_pk FROM journal WHERE directory_pk = $1 AND {conditions} \
             AND user_pk IS NOT NULL ORDER BY user_pk"
        );
        self.query(&sql, arguments, |row| Ok(UserPk(row.int(0)?)))
    }

    /// The position before the first of the selected entries; their end if there is none.
    pub fn before_selected(
        &self,
        directory: DirectoryId,
        selection: &JournalSelection,
    ) -> Result<i64, StoreError> {
        let (conditions, arguments) = selection.within(directory);
        let sql = format!(
            "SELECT pk FROM journal WHERE directory_pk = $1 AND {conditions} ORDER BY pk LIMIT 1"
        );
        let first = self.query_one(&sql, arguments, |row| row.int(0))?;
        Ok(first.map_or(selection.upto, |first| first - 1))
    }

    /// Those of some users whom selected entries touched, each with the position of the first of these, in the order of
    /// their numbers. What is known of a user lies together in an index, so that nothing else is read.
    pub fn touched_among(
        &self,
        directory: DirectoryId,
        selection: &JournalSelection,
        among: &[UserPk],
    ) -> Result<BTreeMap<UserPk, i64>, StoreError> {
        let mut touched = BTreeMap::new();
        for chunk in sql::chunks(among.iter().map(|user| user.0)) {
            let (conditions, mut arguments) = selection.within(directory);
            let sql = format!(
                "SELECT user_pk, min(pk) FROM journal WHERE +directory_pk = $1 AND {conditions} \
                 AND user_pk IN ({}) GROUP BY user_pk",
                sql::placeholders(arguments.len() + 1, chunk.len())
            );
            arguments.extend(chunk.into_iter().map(Into::into));
            self.for_each(&sql, arguments, |row| {
                touched.insert(UserPk(row.int(0)?), row.int(1)?);
                Ok(())
            })?;
        }
        Ok(touched)
    }

    /// How many of the selected entries are about groups alone.
    pub fn group_changes(
        &self,
        directory: DirectoryId,
        selection: &JournalSelection,
    ) -> Result<i64, StoreError> {
        let (conditions, arguments) = selection.within(directory);
        let sql = format!(
            "SELECT count(*) FROM journal WHERE directory_pk = $1 AND {conditions} AND user_pk IS NULL"
        );
        let count = self.query_one(&sql, arguments, |row| row.int(0))?;
        Ok(count.unwrap_or(0))
    }

    /// Entries about these users behind a position, the newest first.
    pub fn journal_of_users(
        &self,
        directory: DirectoryId,
        users: &[UserPk],
        after: i64,
    ) -> Result<Vec<JournalEntry>, StoreError> {
        let mut found = Vec::new();
        for chunk in sql::chunks(users.iter().map(|user| user.0)) {
            let statement = format!(
                // The sign keeps SQLite from walking the directory's whole journal in place of these users' entries.
                "SELECT {ENTRY_COLUMNS} FROM journal WHERE +directory_pk = $1 AND pk > $2 AND user_pk IN ({})",
                sql::placeholders(3, chunk.len())
            );
            let mut arguments = args![directory.0, after];
            arguments.extend(chunk.into_iter().map(Into::into));
            found.extend(self.query(&statement, arguments, read_entry)?);
        }
        found.sort_unstable_by_key(|entry| std::cmp::Reverse(entry.position));
        Ok(found)
    }

    /// Entries about groups themselves behind a position, the newest first.
    pub fn journal_of_groups(
        &self,
        directory: DirectoryId,
        after: i64,
    ) -> Result<Vec<JournalEntry>, StoreError> {
        let sql = format!(
            "SELECT {ENTRY_COLUMNS} FROM journal WHERE directory_pk = $1 AND pk > $2 AND subject = 'group' \
             ORDER BY pk DESC"
        );
        self.query(&sql, args![directory.0, after], read_entry)
    }

    /// Entries by which users were removed behind a position, the newest first: with a user go memberships.
    pub fn journal_of_removals(
        &self,
        directory: DirectoryId,
        after: i64,
    ) -> Result<Vec<JournalEntry>, StoreError> {
        let sql = format!(
            "SELECT {ENTRY_COLUMNS} FROM journal WHERE directory_pk = $1 AND pk > $2 AND subject = 'user' \
             AND change LIKE '{{\"change\":\"remove_user\"%' ORDER BY pk DESC"
        );
        self.query(&sql, args![directory.0, after], read_entry)
    }

    /// Entries by which these users were removed, in order.
    pub fn removals_of(
        &self,
        directory: DirectoryId,
        users: &[UserPk],
    ) -> Result<Vec<JournalEntry>, StoreError> {
        let mut found = Vec::new();
        for chunk in sql::chunks(users.iter().map(|user| user.0)) {
            let statement = format!(
                "SELECT {ENTRY_COLUMNS} FROM journal WHERE +directory_pk = $1 AND user_pk IN ({}) \
                 AND change LIKE '{{\"change\":\"remove_user\"%'",
                sql::placeholders(2, chunk.len())
            );
            let mut arguments = args![directory.0];
            arguments.extend(chunk.into_iter().map(Into::into));
            found.extend(self.query(&statement, arguments, read_entry)?);
        }
        found.sort_unstable_by_key(|entry| entry.position);
        Ok(found)
    }

    /// The entry by which an account became that of a user of a source last.
    pub fn journal_of_linking(&self, user: UserPk) -> Result<Option<JournalEntry>, StoreError> {
        let sql = format!(
            "SELECT {ENTRY_COLUMNS} FROM journal WHERE user_pk = $1 \
             AND change LIKE '{{\"change\":\"link_user\"%' ORDER BY pk DESC LIMIT 1"
        );
        self.query_one(&sql, args![user.0], read_entry)
    }

    /// The entry by which a user came into a group last.
    pub fn journal_of_joining(
        &self,
        user: UserPk,
        group: GroupPk,
    ) -> Result<Option<JournalEntry>, StoreError> {
        let sql = format!(
            "SELECT {ENTRY_COLUMNS} FROM journal WHERE user_pk = $1 AND +group_pk = $2 \
             AND change LIKE '{{\"change\":\"add_membership\"%' ORDER BY pk DESC LIMIT 1"
        );
        self.query_one(&sql, args![user.0, group.0], read_entry)
    }

    /// The entry by which somebody who is in a group no more came out of it: of the membership, or of the account that it went
    /// with.
    pub fn journal_of_leaving(
        &self,
        user: UserPk,
        group: GroupPk,
    ) -> Result<Option<JournalEntry>, StoreError> {
        let last = format!(
            "SELECT {ENTRY_COLUMNS} FROM journal WHERE user_pk = $1 AND +group_pk = $2 ORDER BY pk DESC LIMIT 1"
        );
        let last = match self.query_one(&last, args![user.0, group.0], read_entry)? {
            Some(last) if !matches!(last.change, Change::RemoveMembership { .. }) => last,
            last => return Ok(last),
        };
        let removed = format!(
            "SELECT {ENTRY_COLUMNS} FROM journal WHERE user_pk = $1 AND pk > $2 \
             AND change LIKE '{{\"change\":\"remove_user\"%' ORDER BY pk LIMIT 1"
        );
        self.query_one(&removed, args![user.0, last.position], read_entry)
    }

    /// When the oldest entry that is left was written.
    pub fn journal_begins(&self, directory: DirectoryId) -> Result<Option<Timestamp>, StoreError> {
        self.query_one(
            "SELECT at FROM journal WHERE directory_pk = $1 ORDER BY pk LIMIT 1",
            args![directory.0],
            |row| row.time(0),
        )
    }
}
