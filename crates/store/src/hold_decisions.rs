//! Decisions about holds: many at once, and what waits for one.

use std::collections::BTreeMap;

use directory::hold::child_of_mark;
use directory::{ConnectorId, DirectoryId, GroupPk, HoldKind, HoldState, UserPk};
use jiff::Timestamp;
use scim::fold;
use serde::{Deserialize, Serialize};

use crate::holds::named_like;
use crate::{ReadTx, Sql, StoreError, WriteTx, args, sql};

/// Which holds a decision is about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldChoice {
    /// Only this one.
    pub id: Option<i64>,
    /// Only of this kind.
    pub kind: Option<HoldKind>,
    /// Only about this group, by its name.
    pub group: Option<String>,
    /// Only about this account.
    pub user: Option<UserPk>,
    /// Only where the name of the user or of the group has this text in it.
    pub text: Option<String>,
    /// Only those that began before this moment.
    pub before: Option<Timestamp>,
}

impl HoldChoice {
    /// Adds what is true of these holds.
    fn narrow(&self, mut sql: Sql) -> Sql {
        if let Some(id) = self.id {
            sql = sql.then(" AND pk = ").bind(id);
        }
        if let Some(kind) = self.kind {
            sql = sql.then(" AND kind = ").bind(kind.as_str());
        }
        if let Some(group) = &self.group {
            sql = sql.then(" AND group_fold = ").bind(fold(group));
        }
        if let Some(user) = self.user {
            sql = sql.then(" AND user_pk = ").bind(user.0);
        }
        if let Some(text) = &self.text {
            sql = named_like(sql, text);
        }
        if let Some(before) = self.before {
            sql = sql.then(" AND since < ").bind(before);
        }
        sql
    }
}

/// What waits for a decision at one connector.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HoldFigures {
    /// How many holds are open.
    pub open: i64,
    /// Since when the oldest of them is.
    pub since: Option<Timestamp>,
}

impl ReadTx<'_> {
    /// What waits for a decision at a connector.
    pub fn hold_figures(&self, connector: ConnectorId) -> Result<HoldFigures, StoreError> {
        let found = self.query_one(
            "SELECT count(*), min(since) FROM hold WHERE connector_pk = $1 AND state = 'open'",
            args![connector.0],
            |row| {
                Ok(HoldFigures {
                    open: row.int(0)?,
                    since: row.opt_time(1)?,
                })
            },
        )?;
        Ok(found.unwrap_or_default())
    }

    /// How many open holds of a connector these are.
    pub fn count_open_holds(
        &self,
        connector: ConnectorId,
        choice: &HoldChoice,
    ) -> Result<i64, StoreError> {
        let sql = Sql::new("SELECT count(*) FROM hold WHERE state = 'open' AND connector_pk = ")
            .bind(connector.0);
        let sql = choice.narrow(sql);
        let count = self.query_one(&sql.text(), sql.args(), |row| row.int(0))?;
        Ok(count.unwrap_or(0))
    }

    /// The next open holds of a connector behind a number, up to another.
    pub fn open_holds_behind(
        &self,
        connector: ConnectorId,
        choice: &HoldChoice,
        (behind, upto): (i64, i64),
        limit: i64,
    ) -> Result<Vec<i64>, StoreError> {
        let sql = Sql::new("SELECT pk FROM hold WHERE state = 'open' AND connector_pk = ")
            .bind(connector.0)
            .then(" AND pk > ")
            .bind(behind)
            .then(" AND pk <= ")
            .bind(upto);
        let sql = choice.narrow(sql).then(" ORDER BY pk LIMIT ").bind(limit);
        self.query(&sql.text(), sql.args(), |row| row.int(0))
    }

    /// The number of the newest hold.
    pub fn newest_hold(&self) -> Result<i64, StoreError> {
        let newest = self.query_one(
            "SELECT pk FROM hold ORDER BY pk DESC LIMIT 1",
            args![],
            |row| row.int(0),
        )?;
        Ok(newest.unwrap_or(0))
    }

    /// Holds of a connector that were approved and have not taken effect yet: number, account, who approved.
    pub fn approved_holds(
        &self,
        connector: ConnectorId,
        limit: i64,
    ) -> Result<Vec<(i64, Option<UserPk>, String)>, StoreError> {
        self.query(
            "SELECT pk, user_pk, decided_by FROM hold WHERE connector_pk = $1 AND state = 'approved' \
             ORDER BY pk LIMIT $2",
            args![connector.0, limit],
            |row| {
                let by = row.opt_text(2)?.unwrap_or_default();
                Ok((row.int(0)?, row.opt_int(1)?.map(UserPk), by))
            },
        )
    }

    /// Holds on users of a connector that wait until all are known: of each kind and group, by its fold, how many.
    pub fn collected_holds(
        &self,
        connector: ConnectorId,
    ) -> Result<BTreeMap<(HoldKind, String), u64>, StoreError> {
        let found = self.query(
            "SELECT kind, group_fold, count(*) FROM hold WHERE connector_pk = $1 AND state = 'collected' \
             AND user_pk IS NOT NULL GROUP BY kind, group_fold",
            args![connector.0],
            |row| {
                let kind = HoldKind::parse(row.str(0)?)
                    .ok_or_else(|| StoreError::corrupt("hold.kind"))?;
                let count = u64::try_from(row.int(2)?).unwrap_or_default();
                Ok(((kind, row.text(1)?), count))
            },
        )?;
        Ok(found.into_iter().collect())
    }

    /// The same on groups that are to leave another one: the fold of that one, and the group.
    pub fn collected_child_groups(
        &self,
        connector: ConnectorId,
    ) -> Result<Vec<(String, GroupPk)>, StoreError> {
        let held = self.query(
            "SELECT directory_pk, group_fold, mark FROM hold WHERE connector_pk = $1 AND state = 'collected' \
             AND user_pk IS NULL ORDER BY pk",
            args![connector.0],
            |row| Ok((DirectoryId(row.int(0)?), row.text(1)?, row.text(2)?)),
        )?;
        let mut groups = Vec::with_capacity(held.len());
        for (directory, parent, mark) in held {
            let child = child_of_mark(&mark);
            if let Some(child) = self.directory_group(directory, child)? {
                groups.push((parent, child.pk));
            }
        }
        Ok(groups)
    }

    /// The state of a hold.
    pub fn hold_state(&self, id: i64) -> Result<Option<HoldState>, StoreError> {
        let found = self.query_one("SELECT state FROM hold WHERE pk = $1", args![id], |row| {
            HoldState::parse(row.str(0)?).ok_or_else(|| StoreError::corrupt("hold.state"))
        })?;
        Ok(found)
    }
}

impl WriteTx<'_> {
    /// Approves or rejects holds of a connector that stand otherwise. Returns how many.
    pub fn decide_holds(
        &self,
        connector: ConnectorId,
        choice: &HoldChoice,
        state: HoldState,
        by: &str,
    ) -> Result<u64, StoreError> {
        let mut sql = Sql::new("UPDATE hold SET state = ")
            .bind(state.as_str())
            .then(", decided = ")
            .bind(self.now())
            .then(", decided_by = ")
            .bind(by)
            .then(" WHERE connector_pk = ")
            .bind(connector.0)
            .then(match state {
                // Who rejected it may think again; what is approved is as good as done.
                HoldState::Approved => " AND state IN ('open', 'rejected')",
                _ => " AND state = 'open'",
            });
        sql = choice.narrow(sql);
        if choice.id.is_none() {
            // All that wait, and not those that were looked at one by one and rejected.
            sql = sql.then(" AND state = 'open'");
        }
        self.execute(&sql.text(), sql.args())
    }

    /// Approves or rejects these holds, those of them that are open.
    pub fn decide_these_holds(
        &self,
        holds: &[i64],
        state: HoldState,
        by: &str,
    ) -> Result<(), StoreError> {
        for chunk in sql::chunks(holds.iter().copied()) {
            let statement = format!(
                "UPDATE hold SET state = $1, decided = $2, decided_by = $3 WHERE state = 'open' AND pk IN ({})",
                sql::placeholders(4, chunk.len())
            );
            let mut arguments = args![state.as_str(), self.now(), by];
            arguments.extend(chunk.into_iter().map(Into::into));
            self.execute(&statement, arguments)?;
        }
        Ok(())
    }

    /// Says of all holds that waited until all were known whether they are let through or open.
    pub fn end_collection(
        &self,
        connector: ConnectorId,
        state: HoldState,
        by: Option<&str>,
    ) -> Result<(), StoreError> {
        let decided = by.map(|_| self.now());
        self.execute(
            "UPDATE hold SET state = $1, decided = $2, decided_by = $3 WHERE connector_pk = $4 AND state = 'collected'",
            args![state.as_str(), decided, by, connector.0],
        )?;
        Ok(())
    }

    /// Open holds that began before a moment and were not reported yet, oldest first; they are reported from now on.
    /// Per connector: its name, and how many.
    pub fn escalate_holds(&self, before: Timestamp) -> Result<Vec<(String, i64)>, StoreError> {
        let found = self.query(
            "SELECT c.name, count(*) FROM hold h JOIN connector c ON c.pk = h.connector_pk \
             WHERE h.state = 'open' AND h.since < $1 AND h.escalated IS NULL GROUP BY c.name ORDER BY c.name",
            args![before],
            |row| Ok((row.text(0)?, row.int(1)?)),
        )?;
        if !found.is_empty() {
            let now = self.now();
            self.execute(
                "UPDATE hold SET escalated = $1 WHERE state = 'open' AND since < $2 AND escalated IS NULL",
                args![now, before],
            )?;
        }
        Ok(found)
    }
}
