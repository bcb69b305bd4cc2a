//! What stands that administrators are told of: how much of it, and since when.

use directory::ConnectorId;
use jiff::Timestamp;

use crate::group_standing::PINNED;
use crate::{ReadTx, Row, StoreError, args};

/// Jobs and imports that are told of one by one.
const FAILED_MAX: i64 = 100;

/// Holds of a connector that wait for a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenHolds {
    /// Whose limits.
    pub connector: ConnectorId,
    /// How many.
    pub count: i64,
    /// The number of the newest.
    pub newest: i64,
    /// Since when the oldest waits.
    pub since: Timestamp,
}

/// Users of a connector whose name is taken, about whom nobody has decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenConflicts {
    /// Whose users.
    pub connector: ConnectorId,
    /// How many.
    pub count: i64,
    /// When the oldest was found.
    pub since: Timestamp,
    /// When the newest was found.
    pub newest: Timestamp,
}

/// Groups of a connector about which somebody has to decide, or should know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenGroups {
    /// Whose groups.
    pub connector: ConnectorId,
    /// How many.
    pub count: i64,
    /// Since when the oldest.
    pub since: Timestamp,
    /// Since when the newest.
    pub newest: Timestamp,
}

/// Users of a connector whose evaluation failed and is tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedEvaluations {
    /// Whose users.
    pub connector: ConnectorId,
    /// How many.
    pub count: i64,
    /// When the first one failed.
    pub since: Timestamp,
    /// When the newest one first failed.
    pub newest: Timestamp,
    /// Why one of them failed.
    pub example: String,
}

/// A job or an import that cannot go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedWork {
    /// Its id.
    pub id: String,
    /// What it is about.
    pub subject: String,
    /// The connector it is about, if it is about one.
    pub connector: Option<ConnectorId>,
    /// The name of the directory.
    pub directory: String,
    /// When it ended.
    pub at: Timestamp,
    /// Why.
    pub failure: String,
}

/// A credential that ends, or has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenEnding {
    /// Its id.
    pub id: String,
    /// The connector that it opens; none if it opens the admin API.
    pub connector: Option<ConnectorId>,
    /// What it is for.
    pub label: String,
    /// When it ends.
    pub expires: Timestamp,
    /// Whether it is a secret of a client.
    pub is_client_secret: bool,
    /// The newest token of the same connector that lasts longer.
    pub newer: Option<NewerToken>,
}

/// A token that is there to take the place of one that ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewerToken {
    /// What it is for.
    pub label: String,
    /// Whether it was used, and the one that ends was not since this one was made.
    pub has_taken_over: bool,
}

/// A webhook of an application whose other end does not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailingWebhook {
    /// Its number.
    pub id: i64,
    /// Id and name of its application.
    pub application: (String, String),
    /// Since when it fails.
    pub since: Timestamp,
    /// Why it last did.
    pub error: String,
    /// Whether it was given up.
    pub given_up: bool,
}

impl ReadTx<'_> {
    /// Holds that wait for a decision, by connector.
    pub fn open_holds(&self) -> Result<Vec<OpenHolds>, StoreError> {
        self.holds_that_wait("state = 'open'")
    }

    /// Holds that have waited for long, by connector.
    pub fn escalated_holds(&self) -> Result<Vec<OpenHolds>, StoreError> {
        self.holds_that_wait("state = 'open' AND escalated IS NOT NULL")
    }

    fn holds_that_wait(&self, condition: &str) -> Result<Vec<OpenHolds>, StoreError> {
        let sql = format!(
            "SELECT connector_pk, count(*), max(pk), min(since) FROM hold WHERE {condition} \
             GROUP BY connector_pk ORDER BY connector_pk"
        );
        self.query(&sql, args![], |row| {
            Ok(OpenHolds {
                connector: ConnectorId(row.int(0)?),
                count: row.int(1)?,
                newest: row.int(2)?,
                since: row.time(3)?,
            })
        })
    }

    /// Users whose name is taken, by connector.
    pub fn open_conflicts(&self) -> Result<Vec<OpenConflicts>, StoreError> {
        self.query(
            "SELECT c.pk, count(*), min(n.since), max(n.since) FROM connector c CROSS JOIN name_conflict n \
             WHERE n.connector_pk = c.pk AND n.kept = 0 GROUP BY c.pk ORDER BY c.pk",
            args![],
            |row| {
                Ok(OpenConflicts {
                    connector: ConnectorId(row.int(0)?),
                    count: row.int(1)?,
                    since: row.time(2)?,
                    newest: row.time(3)?,
                })
            },
        )
    }

    /// Groups that wait for a decision, by connector.
    pub fn groups_that_wait(&self) -> Result<Vec<OpenGroups>, StoreError> {
        self.groups_standing("s.review = 'waiting'")
    }

    /// Groups that the identity provider renamed and that go on by the name before, by connector.
    pub fn groups_with_pinned_names(&self) -> Result<Vec<OpenGroups>, StoreError> {
        self.groups_standing(PINNED)
    }

    fn groups_standing(&self, condition: &str) -> Result<Vec<OpenGroups>, StoreError> {
        let sql = format!(
            "SELECT s.connector_pk, count(*), min(s.since), max(s.since) FROM connector c CROSS JOIN group_standing s \
             WHERE s.connector_pk = c.pk AND {condition} GROUP BY s.connector_pk ORDER BY s.connector_pk"
        );
        self.query(&sql, args![], |row| {
            Ok(OpenGroups {
                connector: ConnectorId(row.int(0)?),
                count: row.int(1)?,
                since: row.time(2)?,
                newest: row.time(3)?,
            })
        })
    }

    /// Users whose evaluation failed, by connector.
    pub fn failed_evaluations(&self) -> Result<Vec<FailedEvaluations>, StoreError> {
        self.query(
            "SELECT c.pk, count(*), min(d.failed), max(d.failed), min(d.failure) FROM connector c CROSS JOIN due d \
             WHERE d.connector_pk = c.pk AND d.failed IS NOT NULL GROUP BY c.pk ORDER BY c.pk",
            args![],
            |row| {
                Ok(FailedEvaluations {
                    connector: ConnectorId(row.int(0)?),
                    count: row.int(1)?,
                    since: row.time(2)?,
                    newest: row.time(3)?,
                    example: row.opt_text(4)?.unwrap_or_default(),
                })
            },
        )
    }

    /// Jobs that failed since a moment, the newest first.
    pub fn failed_jobs(&self, since: Timestamp) -> Result<Vec<FailedWork>, StoreError> {
        self.query(
            "SELECT public_id, subject, connector_pk, directory_name, finished, failure FROM job \
             WHERE state = 'failed' AND finished > $1 ORDER BY pk DESC LIMIT $2",
            args![since, FAILED_MAX],
            read_work,
        )
    }

    /// Imports that failed since a moment, the newest first.
    pub fn failed_imports(&self, since: Timestamp) -> Result<Vec<FailedWork>, StoreError> {
        self.query(
            "SELECT i.public_id, i.source, CAST(NULL AS BIGINT), d.name, i.updated, i.failure FROM directory_import i \
             JOIN directory d ON d.pk = i.directory_pk WHERE i.state = 'failed' AND i.updated > $1 \
             ORDER BY i.pk DESC LIMIT $2",
            args![since, FAILED_MAX],
            read_work,
        )
    }

    /// Tokens and secrets of clients that end between two moments.
    pub fn tokens_ending(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<TokenEnding>, StoreError> {
        self.query(
            "SELECT t.public_id, t.connector_pk, t.label, t.expires, CAST(0 AS BIGINT), n.label, t.last_used, n.created, n.last_used \
             FROM token t LEFT JOIN token n ON n.pk = (SELECT max(o.pk) FROM token o WHERE o.connector_pk = t.connector_pk \
             AND o.pk > t.pk AND (o.expires IS NULL OR o.expires > t.expires)) WHERE t.expires >= $1 AND t.expires <= $2 \
             UNION ALL SELECT s.public_id, c.connector_pk, c.label, s.expires, CAST(1 AS BIGINT), NULL, NULL, NULL, NULL FROM client_secret s \
             JOIN client c ON c.pk = s.client_pk WHERE s.expires >= $1 AND s.expires <= $2 ORDER BY 4, 1",
            args![from, to],
            |row| {
                Ok(TokenEnding {
                    id: row.text(0)?,
                    connector: row.opt_int(1)?.map(ConnectorId),
                    label: row.text(2)?,
                    expires: row.time(3)?,
                    is_client_secret: row.flag(4)?,
                    newer: match row.opt_text(5)? {
                        Some(label) => Some(NewerToken {
                            label,
                            has_taken_over: row.opt_time(8)?.is_some()
                                && row.opt_time(6)? < row.opt_time(7)?,
                        }),
                        None => None,
                    },
                })
            },
        )
    }

    /// Webhooks of applications that failed so often or were given up.
    pub fn failing_webhooks(&self, failures: i64) -> Result<Vec<FailingWebhook>, StoreError> {
        self.query(
            "SELECT w.pk, a.public_id, a.name, coalesce(w.failing_since, w.created), w.last_error, w.disabled FROM webhook w \
             JOIN application a ON a.pk = w.application_pk WHERE w.failures >= $1 OR w.disabled IS NOT NULL ORDER BY w.pk",
            args![failures],
            |row| {
                Ok(FailingWebhook {
                    id: row.int(0)?,
                    application: (row.text(1)?, row.text(2)?),
                    since: row.time(3)?,
                    error: row.opt_text(4)?.unwrap_or_default(),
                    given_up: row.opt_time(5)?.is_some(),
                })
            },
        )
    }
}

fn read_work(row: &Row<'_>) -> Result<FailedWork, StoreError> {
    Ok(FailedWork {
        id: row.text(0)?,
        subject: row.text(1)?,
        connector: row.opt_int(2)?.map(ConnectorId),
        directory: row.text(3)?,
        at: row.time(4)?,
        failure: row.opt_text(5)?.unwrap_or_default(),
    })
}
