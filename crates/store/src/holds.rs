//! Holds: effects that were decided and are kept back.

use std::collections::HashMap;

use directory::{
    Cause, Change, ConnectorId, DirectoryId, Held, HoldKind, HoldState, SourceGroupPk,
    StandingHold, Trigger, UserPk,
};
use jiff::Timestamp;
use scim::fold;

use crate::{ReadTx, Row, Sql, StoreError, WriteTx, args, connectors::json, sql};

/// A hold.
#[derive(Debug, Clone)]
pub struct StoredHold {
    /// Its number.
    pub id: i64,
    /// Whose limits.
    pub connector: ConnectorId,
    /// The directory that stays as it is.
    pub directory: DirectoryId,
    /// What it keeps back.
    pub kind: HoldKind,
    /// The account it is about; none if it is about a group as a whole.
    pub user: Option<UserPk>,
    /// The account's name when it began; empty without one.
    pub user_name: String,
    /// The group's name; empty where the kind speaks of none.
    pub group: String,
    /// The change that is kept back.
    pub change: Change,
    /// What made it.
    pub cause: Cause,
    /// What became of it.
    pub state: HoldState,
    /// Since when it is held.
    pub since: Timestamp,
    /// When somebody decided.
    pub decided: Option<Timestamp>,
    /// Who decided.
    pub decided_by: Option<String>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// When it was reported as waiting for long.
    pub escalated: Option<Timestamp>,
}

/// A hold to begin.
#[derive(Debug, Clone, Copy)]
pub struct HoldDraft<'a> {
    /// Whose limits.
    pub connector: ConnectorId,
    /// The directory that stays as it is.
    pub directory: DirectoryId,
    /// The account it is about, and its name; none if it is about a group as a whole.
    pub user: Option<(UserPk, &'a str)>,
    /// The group that the IdP deleted, if it is about that.
    pub source_group: Option<SourceGroupPk>,
    /// What it keeps back.
    pub held: &'a Held,
    /// `open`, or `collected` until all of its kind are known.
    pub state: HoldState,
}

/// Which holds to list.
#[derive(Debug, Clone, Default)]
pub struct HoldQuery {
    /// Only those of this connector.
    pub connector: Option<ConnectorId>,
    /// Only those of one of these connectors.
    pub within: Option<Vec<ConnectorId>>,
    /// Only this kind.
    pub kind: Option<HoldKind>,
    /// Only in this state.
    pub state: Option<HoldState>,
    /// Only about this account.
    pub user: Option<UserPk>,
    /// Only those that the request of this id brought about.
    pub request: Option<String>,
    /// Only where the name of the user or of the group has this text in it.
    pub text: Option<String>,
    /// Only those with a larger number.
    pub after: i64,
    /// At most so many.
    pub limit: i64,
}

const COLUMNS: &str = "pk, connector_pk, directory_pk, kind, user_pk, user_name, group_name, change, trigger_name, \
     actor, request, state, since, decided, decided_by, ended, escalated";

fn read_hold(row: &Row<'_>) -> Result<StoredHold, StoreError> {
    let connector = ConnectorId(row.int(1)?);
    Ok(StoredHold {
        id: row.int(0)?,
        connector,
        directory: DirectoryId(row.int(2)?),
        kind: kind(row.str(3)?)?,
        user: row.opt_int(4)?.map(UserPk),
        user_name: row.text(5)?,
        group: row.text(6)?,
        change: serde_json::from_str(row.str(7)?)
            .map_err(|error| StoreError::corrupt(format!("hold.change: {error}")))?,
        cause: Cause {
            trigger: Trigger::parse(row.str(8)?)
                .ok_or_else(|| StoreError::corrupt("hold.trigger_name"))?,
            connector: Some(connector),
            actor: row.text(9)?,
            request: row.text(10)?,
        },
        state: state(row.str(11)?)?,
        since: row.time(12)?,
        decided: row.opt_time(13)?,
        decided_by: row.opt_text(14)?,
        ended: row.opt_time(15)?,
        escalated: row.opt_time(16)?,
    })
}

fn kind(word: &str) -> Result<HoldKind, StoreError> {
    HoldKind::parse(word).ok_or_else(|| StoreError::corrupt("hold.kind"))
}

fn state(word: &str) -> Result<HoldState, StoreError> {
    HoldState::parse(word).ok_or_else(|| StoreError::corrupt("hold.state"))
}

/// Adds that the name of the user or of the group has a text in it.
pub(crate) fn named_like(parts: Sql, text: &str) -> Sql {
    let pattern = sql::containing(&fold(text));
    parts
        .then(" AND (user_fold LIKE ")
        .bind(pattern.clone())
        .then(" ESCAPE '!' OR group_fold LIKE ")
        .bind(pattern)
        .then(" ESCAPE '!')")
}

impl ReadTx<'_> {
    /// Holds that bear on an account.
    pub fn standing_holds(&self, user: UserPk) -> Result<Vec<StandingHold>, StoreError> {
        self.query(
            "SELECT pk, kind, group_fold, state, mark FROM hold \
             WHERE user_pk = $1 AND state IN ('collected', 'open', 'approved', 'rejected') ORDER BY pk",
            args![user.0],
            |row| {
                Ok(StandingHold {
                    id: row.int(0)?,
                    kind: kind(row.str(1)?)?,
                    group: row.text(2)?,
                    state: state(row.str(3)?)?,
                    mark: row.text(4)?,
                })
            },
        )
    }

    /// Holds that stand on child groups of a group, by the fold of its name; each by its mark.
    pub fn standing_holds_on_children(
        &self,
        directory: DirectoryId,
        parent: &str,
    ) -> Result<HashMap<String, (i64, HoldState)>, StoreError> {
        let found = self.query(
            "SELECT pk, state, mark FROM hold WHERE directory_pk = $1 AND group_fold = $2 AND user_pk IS NULL \
             AND kind = 'membership_removal' AND state IN ('collected', 'open', 'approved', 'rejected')",
            args![directory, parent],
            |row| Ok((row.text(2)?, (row.int(0)?, state(row.str(1)?)?))),
        )?;
        Ok(found.into_iter().collect())
    }

    /// The hold of this number.
    pub fn hold(&self, id: i64) -> Result<Option<StoredHold>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM hold WHERE pk = $1");
        self.query_one(&sql, args![id], read_hold)
    }

    /// Holds in the order in which they began.
    pub fn holds(&self, query: &HoldQuery) -> Result<Vec<StoredHold>, StoreError> {
        let mut parts = Sql::new("pk > ").bind(query.after);
        if let Some(connector) = query.connector {
            parts = parts.then(" AND connector_pk = ").bind(connector.0);
        }
        if let Some(within) = &query.within {
            let numbers = within.iter().map(|connector| connector.0);
            parts = parts.then(" AND ").among("connector_pk", numbers);
        }
        if let Some(kind) = query.kind {
            parts = parts.then(" AND kind = ").bind(kind.as_str());
        }
        if let Some(state) = query.state {
            parts = parts.then(" AND state = ").bind(state.as_str());
        }
        if let Some(user) = query.user {
            parts = parts.then(" AND user_pk = ").bind(user.0);
        }
        if let Some(request) = &query.request {
            parts = parts.then(" AND request = ").bind(request.as_str());
        }
        if let Some(text) = &query.text {
            parts = named_like(parts, text);
        }
        let parts = parts.then(" ORDER BY pk LIMIT ").bind(query.limit);
        let sql = format!("SELECT {COLUMNS} FROM hold WHERE {}", parts.text());
        self.query(&sql, parts.args(), read_hold)
    }
}

impl WriteTx<'_> {
    /// Begins a hold.
    pub fn insert_hold(&self, draft: &HoldDraft<'_>, cause: &Cause) -> Result<i64, StoreError> {
        let now = self.now();
        let (user, name) = draft.user.unzip();
        let held = draft.held;
        let id = self.insert(
            "INSERT INTO hold (connector_pk, directory_pk, kind, user_pk, user_name, user_fold, group_name, group_fold, \
             source_group_pk, mark, change, trigger_name, actor, request, state, since) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) RETURNING pk",
            args![
                draft.connector.0,
                draft.directory.0,
                held.kind.as_str(),
                user.map(|user| user.0),
                name.unwrap_or_default(),
                fold(name.unwrap_or_default()),
                held.group.as_str(),
                fold(&held.group),
                draft.source_group.map(|group| group.0),
                held.mark.as_str(),
                json(&held.change)?,
                cause.trigger.as_str(),
                cause.actor.as_str(),
                cause.request.as_str(),
                draft.state.as_str(),
                now
            ],
        )?;
        if let Some(user) = user {
            self.count_holds(user, 1)?;
        }
        Ok(id)
    }

    /// Notes that an open hold is about something else by now.
    pub fn renew_hold(&self, id: i64, held: &Held) -> Result<(), StoreError> {
        self.execute(
            "UPDATE hold SET mark = $1, change = $2 WHERE pk = $3",
            args![held.mark.as_str(), json(&held.change)?, id],
        )?;
        Ok(())
    }

    /// Takes a decision about a hold back.
    pub fn reopen_hold(&self, id: i64) -> Result<(), StoreError> {
        self.execute(
            "UPDATE hold SET state = 'open', decided = NULL, decided_by = NULL WHERE pk = $1",
            args![id],
        )?;
        Ok(())
    }

    /// Ends a hold on an account, as `cancelled` or `released`.
    pub fn end_hold(
        &self,
        id: i64,
        user: Option<UserPk>,
        state: HoldState,
    ) -> Result<(), StoreError> {
        let now = self.now();
        self.execute(
            "UPDATE hold SET state = $1, ended = $2 WHERE pk = $3",
            args![state.as_str(), now, id],
        )?;
        match user {
            Some(user) => self.count_holds(user, -1),
            None => Ok(()),
        }
    }

    fn count_holds(&self, user: UserPk, by: i64) -> Result<(), StoreError> {
        self.execute(
            "UPDATE directory_user SET holds = holds + $1 WHERE pk = $2",
            args![by, user.0],
        )?;
        Ok(())
    }
}
