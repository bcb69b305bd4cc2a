//! Decisions about holds: many at once, and what waits for one.

use std::collections::BTreeMap;

use directory::{ConnectorId, HoldKind, HoldState, UserPk};
use jiff::Timestamp;
use scim::fold;

use crate::holds::named_like;
use crate::{ReadTx, Sql, StoreError, WriteTx, args};

/// Which holds a decision is about.
#[derive(Debug, Clone, Default)]
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

    /// Holds of a connector that wait until all are known: of each kind and group, by its fold, how many.
    pub fn collected_holds(
        &self,
        connector: ConnectorId,
    ) -> Result<BTreeMap<(HoldKind, String), u64>, StoreError> {
        let found = self.query(
            "SELECT kind, group_fold, count(*) FROM hold WHERE connector_pk = $1 AND state = 'collected' \
             GROUP BY kind, group_fold",
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
        if let Some(id) = choice.id {
            sql = sql.then(" AND pk = ").bind(id);
        }
        if let Some(kind) = choice.kind {
            sql = sql.then(" AND kind = ").bind(kind.as_str());
        }
        if let Some(group) = &choice.group {
            sql = sql.then(" AND group_fold = ").bind(fold(group));
        }
        if let Some(user) = choice.user {
            sql = sql.then(" AND user_pk = ").bind(user.0);
        }
        if let Some(text) = &choice.text {
            sql = named_like(sql, text);
        }
        if let Some(before) = choice.before {
            sql = sql.then(" AND since < ").bind(before);
        }
        if choice.id.is_none() {
            // All that wait, and not those that were looked at one by one and rejected.
            sql = sql.then(" AND state = 'open'");
        }
        self.execute(&sql.text(), sql.args())
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
