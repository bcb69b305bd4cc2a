//! The audit log: what administrators did, and who tried. Each entry is chained to the one before.

use jiff::Timestamp;
use scim::fold;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{ReadTx, Row, Sql, StoreError, WriteTx, args};

/// Who did something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    /// An administrator who was signed in, or was about to be.
    Administrator,
    /// A token of the admin API.
    Token,
    /// Whoever has the store itself in hand.
    CommandLine,
    /// Somebody who did not prove to be anybody.
    Nobody,
}

impl ActorKind {
    const ALL: [ActorKind; 4] = [
        ActorKind::Administrator,
        ActorKind::Token,
        ActorKind::CommandLine,
        ActorKind::Nobody,
    ];

    /// The word used in storage and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            ActorKind::Administrator => "administrator",
            ActorKind::Token => "token",
            ActorKind::CommandLine => "command_line",
            ActorKind::Nobody => "nobody",
        }
    }

    fn parse(text: &str) -> Option<ActorKind> {
        ActorKind::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

/// Something to be entered.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AuditDraft {
    /// What kind of actor.
    pub actor_kind: ActorKind,
    /// The id of the administrator or token.
    pub actor_id: Option<String>,
    /// The name at that time.
    pub actor: String,
    /// From which address.
    pub address: Option<String>,
    /// The id of the request.
    pub request: String,
    /// What was done: the name of an operation of the admin API, or of a sign-in.
    pub action: String,
    /// What it was done to.
    pub target: String,
    /// Whether it was done.
    pub succeeded: bool,
    /// What was asked for, or why it was refused.
    pub detail: String,
    /// What is otherwise since, as JSON; none where nobody looked.
    pub changes: Option<String>,
    /// The target with ids in the place of names.
    pub object: Option<String>,
}

/// An entry of the audit log.
#[derive(Debug, Clone)]
pub struct AuditEntry {
    /// Its number; grows with time.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// What was entered.
    pub entry: AuditDraft,
    /// What chains it to the entry before.
    pub digest: String,
}

impl AuditEntry {
    /// What the digest has to be, behind an entry with this one. Each part is preceded by its length, so that no two
    /// entries are written alike.
    pub fn chained(&self, previous: &str) -> String {
        chained(previous, self.at, &self.entry)
    }
}

fn chained(previous: &str, at: Timestamp, draft: &AuditDraft) -> String {
    let at = at.as_microsecond().to_string();
    let parts = [
        previous,
        &at,
        draft.actor_kind.as_str(),
        draft.actor_id.as_deref().unwrap_or_default(),
        &draft.actor,
        draft.address.as_deref().unwrap_or_default(),
        &draft.request,
        &draft.action,
        &draft.target,
        match draft.succeeded {
            true => "1",
            false => "0",
        },
        &draft.detail,
    ];
    let mut digest = Sha256::new();
    // Entries that were written before there were these have no such parts.
    let (changes, object) = (draft.changes.as_deref(), draft.object.as_deref());
    let later = [changes, object].map(Option::unwrap_or_default);
    let later = later.into_iter().filter(|_| changes.or(object).is_some());
    for part in parts.into_iter().chain(later) {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part.as_bytes());
    }
    crate::tokens::hex(&digest.finalize())
}

/// A change that was begun, and of which no entry tells yet how it ended.
#[derive(Debug)]
pub struct AuditBegun {
    /// What [`WriteTx::begin_audit`] returned.
    pub id: i64,
    /// When it was begun.
    pub at: Timestamp,
    /// What was known of it then.
    pub draft: AuditDraft,
}

/// What entries are about.
#[derive(Debug, Clone)]
pub struct AuditTarget {
    /// Its path, by the names it was called.
    pub path: String,
    /// The same by ids.
    pub object: String,
}

/// Which entries are asked for.
#[derive(Debug, Clone, Default)]
pub struct AuditQuery {
    /// Only of this actor, by name.
    pub actor: Option<String>,
    /// Only of this action.
    pub action: Option<String>,
    /// Only from this address.
    pub address: Option<String>,
    /// Only what was done to this, or to something below it.
    pub target: Option<AuditTarget>,
    /// Only what was done, or only what was not.
    pub succeeded: Option<bool>,
    /// Only from this moment on.
    pub since: Option<Timestamp>,
    /// Only before this moment.
    pub until: Option<Timestamp>,
    /// Only entries before this one.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: i64,
}

const COLUMNS: &str = "pk, at, actor_kind, actor_id, actor, address, request, action, target, succeeded, detail, \
     changes, object, digest";

fn read_entry(row: &Row<'_>) -> Result<AuditEntry, StoreError> {
    let kind = ActorKind::parse(row.str(2)?).ok_or_else(|| StoreError::corrupt("actor_kind"))?;
    Ok(AuditEntry {
        id: row.int(0)?,
        at: row.time(1)?,
        entry: AuditDraft {
            actor_kind: kind,
            actor_id: row.opt_text(3)?,
            actor: row.text(4)?,
            address: row.opt_text(5)?,
            request: row.text(6)?,
            action: row.text(7)?,
            target: row.text(8)?,
            succeeded: row.int(9)? != 0,
            detail: row.text(10)?,
            changes: row.opt_text(11)?,
            object: row.opt_text(12)?,
        },
        digest: row.text(13)?,
    })
}

/// A path, or what is below it: what is below begins with a slash, and `0` is the character behind that.
fn at_or_below(column: &'static str, path: &str) -> Sql {
    Sql::new("(")
        .then(column)
        .then(" = ")
        .bind(path)
        .then(" OR (")
        .then(column)
        .then(" > ")
        .bind(format!("{path}/"))
        .then(" AND ")
        .then(column)
        .then(" < ")
        .bind(format!("{path}0"))
        .then("))")
}

impl ReadTx<'_> {
    /// Entries, the newest first.
    pub fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, StoreError> {
        let mut sql = Sql::new("SELECT ")
            .then(COLUMNS)
            .then(" FROM audit_entry WHERE 1 = 1");
        if let Some(actor) = &query.actor {
            sql = sql.then(" AND actor_fold = ").bind(fold(actor));
        }
        if let Some(action) = &query.action {
            sql = sql.then(" AND action = ").bind(action.as_str());
        }
        if let Some(address) = &query.address {
            sql = sql.then(" AND address = ").bind(address.as_str());
        }
        if let Some(target) = &query.target {
            sql = sql
                .then(" AND (")
                .and_then(at_or_below("target", &target.path))
                .then(" OR ")
                .and_then(at_or_below("object", &target.object))
                .then(")");
        }
        if let Some(succeeded) = query.succeeded {
            sql = sql.then(" AND succeeded = ").bind(i64::from(succeeded));
        }
        if let Some(since) = query.since {
            sql = sql.then(" AND at >= ").bind(since);
        }
        if let Some(until) = query.until {
            sql = sql.then(" AND at < ").bind(until);
        }
        if let Some(before) = query.before {
            sql = sql.then(" AND pk < ").bind(before);
        }
        let sql = sql.then(" ORDER BY pk DESC LIMIT ").bind(query.limit);
        self.query(&sql.text(), sql.args(), read_entry)
    }

    /// Entries behind one, the oldest first: the way of the chain.
    pub fn audit_after(&self, id: i64, limit: i64) -> Result<Vec<AuditEntry>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM audit_entry WHERE pk > $1 ORDER BY pk LIMIT $2");
        self.query(&sql, args![id, limit], read_entry)
    }

    /// Changes that were begun before a moment and have not ended, the oldest first.
    pub fn audit_begun(
        &self,
        before: Timestamp,
        limit: i64,
    ) -> Result<Vec<AuditBegun>, StoreError> {
        self.query(
            "SELECT pk, at, draft FROM audit_begun WHERE at < $1 ORDER BY at, pk LIMIT $2",
            args![before, limit],
            |row| {
                let draft = serde_json::from_str(row.str(2)?)
                    .map_err(|error| StoreError::corrupt(format!("audit_begun.draft: {error}")))?;
                Ok(AuditBegun {
                    id: row.int(0)?,
                    at: row.time(1)?,
                    draft,
                })
            },
        )
    }

    /// The digest of the newest entry.
    pub fn audit_head(&self) -> Result<Option<(i64, String)>, StoreError> {
        self.query_one(
            "SELECT pk, digest FROM audit_entry ORDER BY pk DESC LIMIT 1",
            args![],
            |row| Ok((row.int(0)?, row.text(1)?)),
        )
    }
}

impl WriteTx<'_> {
    /// Enters something behind the entry with this digest.
    pub fn insert_audit(&self, draft: &AuditDraft, previous: &str) -> Result<(), StoreError> {
        let now = self.now();
        self.execute(
            "INSERT INTO audit_entry (at, actor_kind, actor_id, actor, actor_fold, address, request, action, target, \
             succeeded, detail, changes, object, digest) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
            args![
                now,
                draft.actor_kind.as_str(),
                draft.actor_id.as_deref(),
                draft.actor.as_str(),
                fold(&draft.actor),
                draft.address.as_deref(),
                draft.request.as_str(),
                draft.action.as_str(),
                draft.target.as_str(),
                i64::from(draft.succeeded),
                draft.detail.as_str(),
                draft.changes.as_deref(),
                draft.object.as_deref(),
                chained(previous, now, draft)
            ],
        )?;
        Ok(())
    }

    /// Notes that a change begins. Returns by what it is ended.
    pub fn begin_audit(&self, draft: &AuditDraft) -> Result<i64, StoreError> {
        let text = crate::connectors::json(draft)?;
        self.insert(
            "INSERT INTO audit_begun (at, draft) VALUES ($1, $2) RETURNING pk",
            args![self.now(), text],
        )
    }

    /// Forgets that a change was begun.
    pub fn end_audit(&self, id: i64) -> Result<(), StoreError> {
        self.execute("DELETE FROM audit_begun WHERE pk = $1", args![id])?;
        Ok(())
    }

    /// Removes entries up to this one.
    pub fn prune_audit(&self, id: i64) -> Result<u64, StoreError> {
        self.execute("DELETE FROM audit_entry WHERE pk <= $1", args![id])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_an_entry_is_in_its_digest() {
        let draft = AuditDraft {
            actor_kind: ActorKind::Token,
            actor_id: None,
            actor: "ann".into(),
            address: None,
            request: "r".into(),
            action: "a".into(),
            target: "t".into(),
            succeeded: true,
            detail: "d".into(),
            changes: None,
            object: None,
        };
        let at = Timestamp::UNIX_EPOCH;
        let digest = |change: fn(&mut AuditDraft)| {
            let mut changed = draft.clone();
            change(&mut changed);
            chained("", at, &changed)
        };
        let all = [
            digest(|_| {}),
            digest(|draft| draft.actor_kind = ActorKind::Nobody),
            digest(|draft| draft.actor_id = Some("i".into())),
            digest(|draft| draft.actor = "an".into()),
            digest(|draft| draft.address = Some("1".into())),
            digest(|draft| draft.request = String::new()),
            digest(|draft| draft.action = "at".into()),
            digest(|draft| (draft.action, draft.target) = ("at".into(), String::new())),
            digest(|draft| draft.succeeded = false),
            digest(|draft| draft.detail.push('d')),
            digest(|draft| draft.changes = Some(String::new())),
            digest(|draft| draft.changes = Some("c".into())),
            digest(|draft| draft.object = Some("c".into())),
            chained("x", at, &draft),
            chained("", Timestamp::MAX, &draft),
        ];
        let distinct: std::collections::BTreeSet<&String> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
        assert_eq!(all[0].len(), 64);
    }
}
