//! The record of requests: what identity providers asked for, what came of it, and who it was about.

use std::borrow::Cow;

use directory::{ConnectorId, DirectoryId};
use jiff::Timestamp;
use scim::catalogue::{self, Entry};
use scim::{Warning, fold};

use crate::connectors::json;
use crate::{Arg, JournalEntry, JournalQuery, ReadTx, Row, Sql, StoreError, WriteTx, args};

/// Rows that one step of pruning removes at most.
const PRUNED_AT_ONCE: i64 = 500;
/// Rows of one statement.
const ROWS_AT_ONCE: usize = 16;
/// Entries of the journal that are read in one piece to find those of one request.
const ENTRIES_AT_ONCE: i64 = 500;
/// Pieces that are looked through.
const PIECES_MAX: usize = 40;

/// One request and what came of it.
#[derive(Debug, Clone)]
pub struct RequestRecord {
    /// The number of this record; grows with time. Zero until it is stored.
    pub id: i64,
    /// The connector.
    pub connector: ConnectorId,
    /// When it arrived.
    pub at: Timestamp,
    /// Microseconds until the answer.
    pub took: i64,
    /// The id that the answer and the journal have too.
    pub request: String,
    /// The method.
    pub method: String,
    /// The path below the base URL with its query, without secrets.
    pub path: String,
    /// What it means: `create_user`, `patch_group`, `list_users` ...
    pub operation: String,
    /// The status of the answer.
    pub status: u16,
    /// `User` or `Group`.
    pub resource_type: Option<String>,
    /// The SCIM `id` of the resource concerned.
    pub resource_id: Option<String>,
    /// Its `userName` or `displayName`.
    pub resource_name: Option<String>,
    /// The code of the error; a keyword in records that former versions made.
    pub code: Option<String>,
    /// The sentence of the error.
    pub detail: Option<String>,
    /// What was ignored, and why.
    pub warnings: Vec<Warning>,
    /// The id of the token.
    pub token: Option<String>,
    /// The label of the token.
    pub actor: String,
    /// How the client calls itself.
    pub client: String,
    /// Whether the body is longer than what was kept.
    pub body_cut: bool,
    /// The body without secrets; lists leave it out.
    pub body: Option<String>,
}

impl RequestRecord {
    /// The kind of the error.
    pub fn entry(&self) -> Option<&'static Entry> {
        self.code.as_deref().and_then(catalogue::find)
    }

    /// The keyword of the error.
    pub fn scim_type(&self) -> Option<String> {
        match self.entry() {
            Some(entry) => entry.scim_type.map(|keyword| keyword.as_str().to_owned()),
            None => self.code.clone(),
        }
    }
}

/// Which records to list. The newest come first.
#[derive(Debug, Clone, Default)]
pub struct RequestQuery {
    /// Only of this connector.
    pub connector: Option<ConnectorId>,
    /// Only of one of these connectors.
    pub within: Option<Vec<ConnectorId>>,
    /// Only records before this one.
    pub before: Option<i64>,
    /// Only records behind this one.
    pub behind: Option<i64>,
    /// Only from this moment on.
    pub since: Option<Timestamp>,
    /// Only before this moment.
    pub until: Option<Timestamp>,
    /// Only answers with a status from the first to the last.
    pub status: Option<(u16, u16)>,
    /// Only about the resource of this SCIM `id`.
    pub resource_id: Option<String>,
    /// Only about a resource of this name.
    pub resource_name: Option<String>,
    /// Only of this meaning.
    pub operation: Option<String>,
    /// Only with an error of this code.
    pub code: Option<String>,
    /// Only of this request id.
    pub request: Option<String>,
    /// Only those with warnings.
    pub warned: bool,
    /// At most so many.
    pub limit: i64,
}

const COLUMNS: &str = "pk, connector_pk, at, took, request, method, path, operation, status, resource_type, \
     resource_id, resource_name, code, detail, warnings, token, actor, client, body_cut";

fn read_record(row: &Row<'_>) -> Result<RequestRecord, StoreError> {
    Ok(RequestRecord {
        id: row.int(0)?,
        connector: ConnectorId(row.int(1)?),
        at: row.time(2)?,
        took: row.int(3)?,
        request: row.text(4)?,
        method: row.text(5)?,
        path: row.text(6)?,
        operation: row.text(7)?,
        status: u16::try_from(row.int(8)?)
            .map_err(|_out_of_range| StoreError::corrupt("scim_request.status"))?,
        resource_type: row.opt_text(9)?,
        resource_id: row.opt_text(10)?,
        resource_name: row.opt_text(11)?,
        code: row.opt_text(12)?,
        detail: row.opt_text(13)?,
        warnings: serde_json::from_str(row.str(14)?)
            .map_err(|error| StoreError::corrupt(format!("scim_request.warnings: {error}")))?,
        token: row.opt_text(15)?,
        actor: row.text(16)?,
        client: row.text(17)?,
        body_cut: row.flag(18)?,
        body: None,
    })
}

impl RequestQuery {
    pub(crate) fn sql(&self) -> Sql {
        let mut sql = Sql::new(
            "SELECT pk, connector_pk, at, took, request, method, path, operation, status, resource_type, \
             resource_id, resource_name, code, detail, warnings, token, actor, client, body_cut \
             FROM scim_request WHERE ",
        );
        // What is about one resource is found by that, not by its place in time, of which the embedded engine thinks more.
        let (before, behind) = match self.resource_id.is_some() || self.resource_name.is_some() {
            true => ("+pk < ", " AND +pk > "),
            false => ("pk < ", " AND pk > "),
        };
        sql = sql.then(before).bind(self.before.unwrap_or(i64::MAX));
        sql = sql.then(behind).bind(self.behind.unwrap_or(0));
        if let Some(connector) = self.connector {
            // Few rows have one request id, and very many one connector, which the embedded engine does not know: the
            // sign keeps it from going by connector.
            let column = match self.request {
                Some(_) => " AND +connector_pk = ",
                None => " AND connector_pk = ",
            };
            sql = sql.then(column).bind(connector.0);
        }
        if let Some(within) = &self.within {
            // The newest of several connectors are found from the end; by connector, all of theirs would be sorted.
            let numbers = within.iter().map(|connector| connector.0);
            sql = sql.then(" AND ").among("+connector_pk", numbers);
        }
        if let Some(since) = self.since {
            sql = sql.then(" AND at >= ").bind(since);
        }
        if let Some(until) = self.until {
            sql = sql.then(" AND at < ").bind(until);
        }
        if let Some((first, last)) = self.status {
            if first >= 400 {
                // Said in so many words, or the index of failures is not considered.
                sql = sql.then(" AND status >= 400");
            }
            sql = sql.then(" AND status >= ").bind(first);
            sql = sql.then(" AND status <= ").bind(last);
        }
        if self.code.is_some() && self.status.is_none() {
            sql = sql.then(" AND status >= 400");
        }
        for (column, text) in [
            (" AND resource_id = ", &self.resource_id),
            (" AND operation = ", &self.operation),
            (" AND request = ", &self.request),
            (" AND code = ", &self.code),
        ] {
            if let Some(text) = text {
                sql = sql.then(column).bind(text.as_str());
            }
        }
        if let Some(name) = &self.resource_name {
            sql = sql.then(" AND resource_name_fold = ").bind(fold(name));
        }
        if self.warned {
            sql = sql.then(" AND warning_count > 0");
        }
        sql.then(" ORDER BY pk DESC LIMIT ").bind(self.limit)
    }
}

impl ReadTx<'_> {
    /// Lists records without their bodies, the newest first.
    pub fn requests(&self, query: &RequestQuery) -> Result<Vec<RequestRecord>, StoreError> {
        let sql = query.sql();
        self.query(&sql.text(), sql.args(), read_record)
    }

    /// What a resource was called that is gone: as in the newest record about it.
    pub fn recorded_name(
        &self,
        connector: ConnectorId,
        resource_id: &str,
    ) -> Result<Option<String>, StoreError> {
        let newest = self.query_one(
            "SELECT resource_name FROM scim_request WHERE connector_pk = $1 AND resource_id = $2 \
             ORDER BY pk DESC LIMIT 1",
            args![connector.0, resource_id],
            |row| row.opt_text(0),
        )?;
        Ok(newest.flatten())
    }

    /// One record with its body.
    pub fn request(&self, id: i64) -> Result<Option<RequestRecord>, StoreError> {
        let sql = format!("SELECT {COLUMNS}, body FROM scim_request WHERE pk = $1");
        self.query_one(&sql, args![id], |row| {
            Ok(RequestRecord {
                body: row.opt_text(19)?,
                ..read_record(row)?
            })
        })
    }

    /// The entries of a directory's journal that a request caused, the first of them only if they
    /// are many.
    pub fn journal_of_request(
        &self,
        directory: DirectoryId,
        request: &str,
        from: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<JournalEntry>, StoreError> {
        let mut found = Vec::new();
        let mut query = JournalQuery {
            after: self.journal_before(directory, from)?,
            limit: ENTRIES_AT_ONCE,
            ..JournalQuery::default()
        };
        for _piece in 0..PIECES_MAX {
            let entries = self.journal(directory, &query)?;
            let Some(last) = entries.last() else { break };
            let is_over = last.at > until;
            query.after = last.position;
            let of_request = |entry: &JournalEntry| entry.cause.request == request;
            found.extend(entries.into_iter().filter(of_request));
            if is_over || found.len() >= limit {
                break;
            }
        }
        found.truncate(limit);
        Ok(found)
    }
}

impl WriteTx<'_> {
    /// Stores records, many in one statement; each with the name of its resource, where it has none itself.
    pub fn insert_requests(
        &self,
        records: &[RequestRecord],
        names: &[Option<String>],
    ) -> Result<(), StoreError> {
        let rows: Vec<_> = records.iter().zip(names).collect();
        // The embedded engine compares the name of each argument with all before it.
        let pieces = rows.chunks(ROWS_AT_ONCE);
        for rows in pieces.flat_map(|piece| crate::sql::chunks(piece.iter().copied())) {
            let mut sql = String::from(
                "INSERT INTO scim_request (connector_pk, at, took, request, method, path, operation, status, \
                 resource_type, resource_id, resource_name, resource_name_fold, code, detail, \
                 warning_count, warnings, token, actor, client, body_cut, body) VALUES ",
            );
            let mut arguments = Vec::with_capacity(rows.len() * 21);
            for (nth, (record, name)) in rows.into_iter().enumerate() {
                let first = arguments.len() + 1;
                push_row(&mut arguments, record, name.as_deref())?;
                sql.push_str(if nth == 0 { "(" } else { ", (" });
                let count = arguments.len() + 1 - first;
                sql.push_str(&crate::sql::placeholders(first, count));
                sql.push(')');
            }
            self.execute(&sql, arguments)?;
        }
        Ok(())
    }

    /// Removes the oldest records: those from before `from`, and those beyond the newest `most`. Works
    /// in small pieces; gives how many went, and is to be called again if that is not none.
    pub fn prune_requests(&self, from: Timestamp, most: i64) -> Result<u64, StoreError> {
        let newest = self
            .query_one(
                "SELECT pk FROM scim_request WHERE pk > 0 ORDER BY pk DESC LIMIT 1",
                args![],
                |row| row.int(0),
            )?
            .unwrap_or(0);
        let mut last = 0;
        self.for_each(
            "SELECT pk, at FROM scim_request WHERE pk > 0 ORDER BY pk LIMIT $1",
            args![PRUNED_AT_ONCE],
            |row| {
                let pk = row.int(0)?;
                if row.time(1)? < from || pk <= newest.saturating_sub(most) {
                    last = last.max(pk);
                }
                Ok(())
            },
        )?;
        if last == 0 {
            return Ok(0);
        }
        self.execute(
            "DELETE FROM scim_request WHERE pk > 0 AND pk <= $1",
            args![last],
        )
    }
}

fn push_row<'r>(
    arguments: &mut Vec<Arg<'r>>,
    record: &'r RequestRecord,
    name: Option<&'r str>,
) -> Result<(), StoreError> {
    let warnings = match record.warnings.as_slice() {
        [] => Cow::Borrowed("[]"),
        several => Cow::Owned(json(&several)?),
    };
    let name = record.resource_name.as_deref().or(name);
    arguments.extend(args![
        record.connector.0,
        record.at,
        record.took,
        record.request.as_str(),
        record.method.as_str(),
        record.path.as_str(),
        record.operation.as_str(),
        record.status,
        &record.resource_type,
        &record.resource_id,
        name,
        name.map(fold),
        &record.code,
        &record.detail,
        i64::try_from(record.warnings.len()).unwrap_or(i64::MAX),
        warnings,
        &record.token,
        record.actor.as_str(),
        record.client.as_str(),
        record.body_cut,
        &record.body,
    ]);
    Ok(())
}
