//! Evaluations that are owed: large work cut into chunks, and grace delays that end.

use directory::{Cause, ConnectorId, SourceGroupPk, SourceUserPk, Trigger, UserPk};
use jiff::Timestamp;

use crate::{ReadTx, StoreError, WriteTx, args, sql};

/// A user whose evaluation is owed, and why.
#[derive(Debug, Clone)]
pub struct DueUser {
    /// The user of the source.
    pub user: SourceUserPk,
    /// What made it due.
    pub cause: Cause,
}

impl ReadTx<'_> {
    /// Active connectors with work that is due now.
    pub fn connectors_with_due_users(&self) -> Result<Vec<ConnectorId>, StoreError> {
        let now = self.now();
        self.query(
            "SELECT c.pk FROM connector c WHERE c.state = 'active' AND (EXISTS \
             (SELECT 1 FROM due d WHERE d.connector_pk = c.pk AND d.due_at <= $1) \
             OR EXISTS (SELECT 1 FROM due_nesting n WHERE n.connector_pk = c.pk) \
             OR EXISTS (SELECT 1 FROM directory_user d WHERE d.connector_pk = c.pk \
             AND d.source_user_pk IS NULL AND d.status = 'active' AND d.reason <> 'IDP_DELETED')) ORDER BY c.pk",
            args![now],
            |row| Ok(ConnectorId(row.int(0)?)),
        )
    }

    /// Accounts of a connector whose user the IdP deleted while nothing was to have effect.
    pub fn accounts_left_behind(
        &self,
        connector: ConnectorId,
        limit: i64,
    ) -> Result<Vec<UserPk>, StoreError> {
        self.query(
            "SELECT pk FROM directory_user WHERE connector_pk = $1 AND source_user_pk IS NULL \
             AND status = 'active' AND reason <> 'IDP_DELETED' ORDER BY pk LIMIT $2",
            args![connector.0, limit],
            |row| Ok(UserPk(row.int(0)?)),
        )
    }

    /// When the next evaluation is owed, if any waits.
    pub fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.query_one(
            "SELECT d.due_at FROM due d JOIN connector c ON c.pk = d.connector_pk AND c.state = 'active' \
             ORDER BY d.due_at LIMIT 1",
            args![],
            |row| row.time(0),
        )
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
            "SELECT user_pk, trigger_name, actor, request FROM due \
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
        self.execute(
            "INSERT INTO due (user_pk, connector_pk, due_at, trigger_name, actor, request) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (user_pk) DO UPDATE SET due_at = excluded.due_at \
             WHERE excluded.due_at < due.due_at",
            args![
                user.0,
                connector.0,
                at,
                cause.trigger.as_str(),
                cause.actor.as_str(),
                cause.request.as_str()
            ],
        )?;
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
                "INSERT INTO due (connector_pk, due_at, trigger_name, actor, request, user_pk) \
                 SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT), CAST($3 AS TEXT), CAST($4 AS TEXT), \
                 CAST($5 AS TEXT), pk FROM source_user WHERE pk IN ({}) \
                 ON CONFLICT (user_pk) DO UPDATE SET due_at = excluded.due_at WHERE excluded.due_at < due.due_at",
                sql::placeholders(6, chunk.len())
            );
            let mut arguments = args![
                connector.0,
                now,
                cause.trigger.as_str(),
                cause.actor.as_str(),
                cause.request.as_str()
            ];
            arguments.extend(chunk.into_iter().map(Into::into));
            self.execute(&statement, arguments)?;
        }
        Ok(())
    }

    /// Puts an evaluation off, after it failed.
    pub fn postpone_due(&self, user: SourceUserPk, until: Timestamp) -> Result<(), StoreError> {
        self.execute(
            "UPDATE due SET due_at = $1 WHERE user_pk = $2",
            args![until, user.0],
        )?;
        Ok(())
    }

    /// Owes every user below a group, at any depth, an evaluation now. Returns how many there are.
    pub fn mark_members_due(
        &self,
        connector: ConnectorId,
        group: SourceGroupPk,
        cause: &Cause,
    ) -> Result<u64, StoreError> {
        let now = self.now();
        self.execute(
            "WITH RECURSIVE below (pk) AS (SELECT pk FROM source_group WHERE pk = $1 \
               UNION SELECT n.child_pk FROM source_group_member n JOIN below b ON n.group_pk = b.pk) \
             INSERT INTO due (user_pk, connector_pk, due_at, trigger_name, actor, request) \
             SELECT DISTINCT m.user_pk, CAST($2 AS BIGINT), CAST($3 AS BIGINT), CAST($4 AS TEXT), \
               CAST($5 AS TEXT), CAST($6 AS TEXT) \
             FROM below b CROSS JOIN source_member m WHERE m.group_pk = b.pk \
             ON CONFLICT (user_pk) DO UPDATE SET due_at = excluded.due_at WHERE excluded.due_at < due.due_at",
            args![
                group.0,
                connector.0,
                now,
                cause.trigger.as_str(),
                cause.actor.as_str(),
                cause.request.as_str()
            ],
        )
    }

    /// Owes every user whom the IdP put into a group itself an evaluation now. Returns how many there are.
    pub fn mark_direct_members_due(
        &self,
        connector: ConnectorId,
        group: SourceGroupPk,
        cause: &Cause,
    ) -> Result<u64, StoreError> {
        let now = self.now();
        self.execute(
            "INSERT INTO due (user_pk, connector_pk, due_at, trigger_name, actor, request) \
             SELECT user_pk, CAST($1 AS BIGINT), CAST($2 AS BIGINT), CAST($3 AS TEXT), CAST($4 AS TEXT), \
             CAST($5 AS TEXT) FROM source_member WHERE group_pk = $6 \
             ON CONFLICT (user_pk) DO UPDATE SET due_at = excluded.due_at WHERE excluded.due_at < due.due_at",
            args![
                connector.0,
                now,
                cause.trigger.as_str(),
                cause.actor.as_str(),
                cause.request.as_str(),
                group.0
            ],
        )
    }

    /// Owes every user of a connector an evaluation now. Returns how many there are.
    pub fn mark_connector_due(
        &self,
        connector: ConnectorId,
        cause: &Cause,
    ) -> Result<u64, StoreError> {
        let now = self.now();
        self.execute(
            "INSERT INTO due (user_pk, connector_pk, due_at, trigger_name, actor, request) \
             SELECT pk, connector_pk, CAST($1 AS BIGINT), CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS TEXT) \
             FROM source_user WHERE connector_pk = $5 \
             ON CONFLICT (user_pk) DO UPDATE SET due_at = excluded.due_at WHERE excluded.due_at < due.due_at",
            args![
                now,
                cause.trigger.as_str(),
                cause.actor.as_str(),
                cause.request.as_str(),
                connector.0
            ],
        )
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
