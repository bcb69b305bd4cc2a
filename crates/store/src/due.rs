//! Evaluations that are owed: large work cut into chunks, and grace delays that end.

use directory::{
    Cause, ConnectorId, GroupPk, JobId, JobKind, SourceGroupPk, SourceUserPk, Trigger, UserPk,
};
use jiff::Timestamp;

use crate::{ReadTx, StoreError, WriteTx, args, sql};

/// A user whose evaluation is owed, and why.
#[derive(Debug, Clone)]
pub struct DueUser {
    /// The user of the source.
    pub user: SourceUserPk,
    /// Since when it is owed.
    pub at: Timestamp,
    /// What made it due.
    pub cause: Cause,
    /// The job it belongs to.
    pub job: Option<JobId>,
}

/// An account whose user the IdP deleted, to be looked at.
#[derive(Debug, Clone)]
pub struct DueAccount {
    /// The account.
    pub user: UserPk,
    /// Since when.
    pub at: Timestamp,
    /// What deleted the user, if that has had no effect yet.
    pub cause: Option<Cause>,
}

/// Who wants an evaluation.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a> {
    /// What it is for.
    pub cause: &'a Cause,
    /// The job it belongs to.
    pub job: Option<JobId>,
    /// Whether nobody but that job wants it, which can be cancelled.
    pub optional: bool,
}

impl<'a> From<&'a Cause> for Claim<'a> {
    fn from(cause: &'a Cause) -> Self {
        Self {
            cause,
            job: None,
            optional: false,
        }
    }
}

impl<'a> Claim<'a> {
    /// The claim of a job.
    pub fn of_job(job: JobId, kind: JobKind, cause: &'a Cause) -> Self {
        Self {
            cause,
            job: Some(job),
            optional: kind.can_be_cancelled(),
        }
    }
}

/// What becomes of an evaluation that is owed already: an earlier one takes its place, and one that has to be takes the
/// place of one that might be cancelled.
const TAKE_OVER: &str = " ON CONFLICT (user_pk) DO UPDATE SET \
     later = CASE WHEN due.optional = 1 THEN due.later WHEN excluded.optional = 1 THEN due.due_at END, \
     due_at = CASE WHEN excluded.due_at < due.due_at THEN excluded.due_at ELSE due.due_at END, \
     trigger_name = excluded.trigger_name, actor = excluded.actor, request = excluded.request, \
     job_pk = excluded.job_pk, optional = excluded.optional \
     WHERE excluded.due_at < due.due_at OR (due.optional = 1 AND excluded.optional = 0)";

/// The columns that a claim fills, and how: to be followed by its place in the arguments.
fn claimed(first: usize) -> String {
    format!(
        "CAST(${} AS BIGINT), CAST(${} AS TEXT), CAST(${} AS TEXT), CAST(${} AS TEXT), CAST(${} AS BIGINT), \
         CAST(${} AS BIGINT)",
        first,
        first + 1,
        first + 2,
        first + 3,
        first + 4,
        first + 5
    )
}

const CLAIMED: &str = "due_at, trigger_name, actor, request, job_pk, optional";

fn claim_args<'a>(at: Timestamp, claim: &Claim<'a>) -> Vec<crate::Arg<'a>> {
    args![
        at,
        claim.cause.trigger.as_str(),
        claim.cause.actor.as_str(),
        claim.cause.request.as_str(),
        claim.job.map(|job| job.0),
        claim.optional
    ]
}

impl ReadTx<'_> {
    /// Active connectors with work that is due now.
    pub fn connectors_with_due_users(&self) -> Result<Vec<ConnectorId>, StoreError> {
        let now = self.now();
        self.query(
            "SELECT c.pk FROM connector c WHERE c.state = 'active' AND (EXISTS \
             (SELECT 1 FROM due d WHERE d.connector_pk = c.pk AND d.due_at <= $1) \
             OR EXISTS (SELECT 1 FROM due_nesting n WHERE n.connector_pk = c.pk) \
             OR EXISTS (SELECT 1 FROM due_group g WHERE g.connector_pk = c.pk AND g.due_at <= $1) \
             OR EXISTS (SELECT 1 FROM directory_user d WHERE d.connector_pk = c.pk \
             AND d.source_user_pk IS NULL AND d.status = 'active' AND d.reason <> 'IDP_DELETED' AND d.reason <> 'HELD' \
             AND d.due_at IS NULL AND NOT EXISTS (SELECT 1 FROM user_override o WHERE o.user_pk = d.pk AND o.kind = 'keep_as_is')) \
             OR EXISTS (SELECT 1 FROM hold h WHERE h.connector_pk = c.pk AND h.state IN ('approved', 'collected')) \
             OR EXISTS (SELECT 1 FROM directory_user d WHERE d.connector_pk = c.pk AND d.due_at <= $1)) ORDER BY c.pk",
            args![now],
            |row| Ok(ConnectorId(row.int(0)?)),
        )
    }

    /// Accounts of a connector whose user the IdP deleted while nothing was to have effect, and nobody noted when.
    pub fn accounts_left_behind(
        &self,
        connector: ConnectorId,
        limit: i64,
    ) -> Result<Vec<UserPk>, StoreError> {
        self.query(
            "SELECT pk FROM directory_user WHERE connector_pk = $1 AND source_user_pk IS NULL \
             AND status = 'active' AND reason <> 'IDP_DELETED' AND reason <> 'HELD' AND due_at IS NULL AND NOT EXISTS (SELECT 1 FROM user_override o \
             WHERE o.user_pk = directory_user.pk AND o.kind = 'keep_as_is') ORDER BY pk LIMIT $2",
            args![connector.0, limit],
            |row| Ok(UserPk(row.int(0)?)),
        )
    }

    /// Accounts of a connector whose user the IdP deleted and that are to be looked at now.
    pub fn accounts_due(
        &self,
        connector: ConnectorId,
        limit: i64,
    ) -> Result<Vec<DueAccount>, StoreError> {
        let now = self.now();
        self.query(
            "SELECT pk, due_at, due_actor, due_request FROM directory_user \
             WHERE connector_pk = $1 AND due_at <= $2 ORDER BY due_at, pk LIMIT $3",
            args![connector.0, now, limit],
            |row| {
                let written = row.opt_text(2)?.zip(row.opt_text(3)?);
                Ok(DueAccount {
                    user: UserPk(row.int(0)?),
                    at: row.time(1)?,
                    cause: written.map(|(actor, request)| Cause {
                        trigger: Trigger::Scim,
                        connector: Some(connector),
                        actor,
                        request,
                    }),
                })
            },
        )
    }

    /// How many writes to a connector that is not active wait for it: users that changed, and users that were deleted.
    pub fn waiting_count(&self, connector: ConnectorId) -> Result<i64, StoreError> {
        let deleted = self.query_one(
            "SELECT count(*) FROM directory_user WHERE connector_pk = $1 AND source_user_pk IS NULL \
             AND status = 'active' AND reason <> 'IDP_DELETED'",
            args![connector],
            |row| row.int(0),
        )?;
        Ok(self.due_count(connector)? + deleted.unwrap_or(0))
    }

    /// When the next work is owed, if any waits.
    pub fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let user = self.query_one(
            "SELECT d.due_at FROM due d JOIN connector c ON c.pk = d.connector_pk AND c.state = 'active' \
             ORDER BY d.due_at LIMIT 1",
            args![],
            |row| row.time(0),
        )?;
        let group = self.query_one(
            "SELECT g.due_at FROM due_group g JOIN connector c ON c.pk = g.connector_pk AND c.state = 'active' \
             ORDER BY g.due_at LIMIT 1",
            args![],
            |row| row.time(0),
        )?;
        Ok(user.into_iter().chain(group).min())
    }

    /// How many users of a connector are due now.
    pub fn due_count(&self, connector: ConnectorId) -> Result<i64, StoreError> {
        let now = self.now();
        Ok(self
            .query_one(
                "SELECT count(*) FROM due WHERE connector_pk = $1 AND due_at <= $2",
                args![connector.0, now],
                |row| row.int(0),
            )?
            .unwrap_or(0))
    }
}

impl WriteTx<'_> {
    /// Users of a connector that are due now, oldest first.
    pub fn due_users(
        &self,
        connector: ConnectorId,
        limit: i64,
    ) -> Result<Vec<DueUser>, StoreError> {
        let now = self.now();
        self.query(
            "SELECT user_pk, trigger_name, actor, request, job_pk, due_at FROM due \
             WHERE connector_pk = $1 AND due_at <= $2 ORDER BY due_at, user_pk LIMIT $3",
            args![connector.0, now, limit],
            |row| {
                Ok(DueUser {
                    user: SourceUserPk(row.int(0)?),
                    cause: Cause {
                        trigger: Trigger::parse(&row.text(1)?).unwrap_or(Trigger::Reconcile),
                        connector: Some(connector),
                        actor: row.text(2)?,
                        request: row.text(3)?,
                    },
                    job: row.opt_int(4)?.map(JobId),
                    at: row.time(5)?,
                })
            },
        )
    }

    /// Owes a user an evaluation at `at`, or earlier if that was owed already.
    pub fn mark_due(
        &self,
        connector: ConnectorId,
        user: SourceUserPk,
        at: Timestamp,
        cause: &Cause,
    ) -> Result<(), StoreError> {
        let statement = format!(
            "INSERT INTO due ({CLAIMED}, user_pk, connector_pk) VALUES ({}, $7, $8){TAKE_OVER}",
            claimed(1)
        );
        let mut arguments = claim_args(at, &cause.into());
        arguments.extend(args![user, connector]);
        self.execute(&statement, arguments)?;
        Ok(())
    }

    /// Owes several users an evaluation now.
    pub fn mark_many_due(
        &self,
        connector: ConnectorId,
        users: &[SourceUserPk],
        cause: &Cause,
    ) -> Result<(), StoreError> {
        let now = self.now();
        for chunk in sql::chunks(users.iter().map(|user| user.0)) {
            let statement = format!(
                "INSERT INTO due ({CLAIMED}, connector_pk, user_pk) SELECT {}, CAST($7 AS BIGINT), pk \
                 FROM source_user WHERE pk IN ({}){TAKE_OVER}",
                claimed(1),
                sql::placeholders(8, chunk.len())
            );
            let mut arguments = claim_args(now, &cause.into());
            arguments.push(connector.into());
            arguments.extend(chunk.into_iter().map(Into::into));
            self.execute(&statement, arguments)?;
        }
        Ok(())
    }

    /// Puts an evaluation off, after it failed; no job waits for it any longer.
    pub fn postpone_due(
        &self,
        user: SourceUserPk,
        until: Timestamp,
        failure: &str,
    ) -> Result<(), StoreError> {
        self.execute(
            "UPDATE due SET due_at = $1, job_pk = NULL, optional = 0, later = NULL, \
             failed = coalesce(failed, $2), failure = $3 WHERE user_pk = $4",
            args![until, self.now(), failure, user.0],
        )?;
        Ok(())
    }

    /// Owes every user below a group, at any depth, an evaluation now.
    pub fn mark_members_due<'a>(
        &self,
        connector: ConnectorId,
        group: SourceGroupPk,
        claim: impl Into<Claim<'a>>,
    ) -> Result<(), StoreError> {
        let statement = format!(
            "WITH RECURSIVE below (pk) AS (SELECT pk FROM source_group WHERE pk = $7 \
               UNION SELECT n.child_pk FROM source_group_member n JOIN below b ON n.group_pk = b.pk) \
             INSERT INTO due ({CLAIMED}, user_pk, connector_pk) \
             SELECT DISTINCT {}, m.user_pk, CAST($8 AS BIGINT) \
             FROM below b CROSS JOIN source_member m WHERE m.group_pk = b.pk{TAKE_OVER}",
            claimed(1)
        );
        let mut arguments = claim_args(self.now(), &claim.into());
        arguments.extend(args![group, connector]);
        self.execute(&statement, arguments)?;
        Ok(())
    }

    /// Owes every user whom the IdP put into a group itself an evaluation now.
    pub fn mark_direct_members_due<'a>(
        &self,
        connector: ConnectorId,
        group: SourceGroupPk,
        claim: impl Into<Claim<'a>>,
    ) -> Result<(), StoreError> {
        let statement = format!(
            "INSERT INTO due ({CLAIMED}, user_pk, connector_pk) SELECT {}, user_pk, CAST($8 AS BIGINT) \
             FROM source_member WHERE group_pk = $7{TAKE_OVER}",
            claimed(1)
        );
        let mut arguments = claim_args(self.now(), &claim.into());
        arguments.extend(args![group, connector]);
        self.execute(&statement, arguments)?;
        Ok(())
    }

    /// Owes every user of a connector who is in a group of the directory an evaluation now. Returns how many there are.
    pub fn mark_members_of_directory_group_due<'a>(
        &self,
        connector: ConnectorId,
        group: GroupPk,
        claim: impl Into<Claim<'a>>,
    ) -> Result<u64, StoreError> {
        let statement = format!(
            "INSERT INTO due ({CLAIMED}, user_pk, connector_pk) SELECT {}, u.source_user_pk, u.connector_pk \
             FROM membership m CROSS JOIN directory_user u WHERE m.group_pk = $7 AND u.pk = m.user_pk \
             AND u.connector_pk = $8 AND u.source_user_pk IS NOT NULL{TAKE_OVER}",
            claimed(1)
        );
        let mut arguments = claim_args(self.now(), &claim.into());
        arguments.extend(args![group.0, connector.0]);
        self.execute(&statement, arguments)
    }

    /// Owes every user of a connector an evaluation now, and every account whose user the IdP deleted.
    pub fn mark_connector_due<'a>(
        &self,
        connector: ConnectorId,
        claim: impl Into<Claim<'a>>,
    ) -> Result<(), StoreError> {
        self.execute(
            "UPDATE directory_user SET due_at = $1 WHERE connector_pk = $2 AND source_user_pk IS NULL \
             AND status <> 'removed' AND (due_at IS NULL OR due_at > $1)",
            args![self.now(), connector.0],
        )?;
        let statement = format!(
            "INSERT INTO due ({CLAIMED}, user_pk, connector_pk) SELECT {}, pk, connector_pk \
             FROM source_user WHERE connector_pk = $7{TAKE_OVER}",
            claimed(1)
        );
        let mut arguments = claim_args(self.now(), &claim.into());
        arguments.push(connector.into());
        self.execute(&statement, arguments)?;
        Ok(())
    }

    /// Owes those an evaluation who could not have this name while it was taken.
    pub fn mark_waiting_for_name(
        &self,
        directory: directory::DirectoryId,
        name: &str,
        cause: &Cause,
    ) -> Result<(), StoreError> {
        let waiting = self.query(
            "SELECT source_user_pk, connector_pk FROM name_conflict WHERE directory_pk = $1 AND name_fold = $2",
            args![directory.0, scim::fold(name)],
            |row| Ok((SourceUserPk(row.int(0)?), ConnectorId(row.int(1)?))),
        )?;
        let now = self.now();
        for (user, connector) in waiting {
            self.mark_due(connector, user, now, cause)?;
        }
        Ok(())
    }

    /// Notes that a user has been evaluated.
    pub fn clear_due(&self, user: SourceUserPk) -> Result<(), StoreError> {
        self.execute("DELETE FROM due WHERE user_pk = $1", args![user.0])?;
        Ok(())
    }
}
