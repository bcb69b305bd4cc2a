//! Groups of the directory with work that comes after all that is due about people.

use std::collections::BTreeSet;

use directory::{Cause, ConnectorId, GroupPk, Origin, Trigger, UserPk};
use jiff::Timestamp;

use crate::directory_groups::read_origins;
use crate::{ReadTx, StoreError, WriteTx, args};

/// What is to be done about a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupTask {
    /// It goes, if nobody is left in it.
    Retire,
    /// The members that others put there go.
    TakeOver,
}

impl GroupTask {
    const fn as_str(self) -> &'static str {
        match self {
            GroupTask::Retire => "retire",
            GroupTask::TakeOver => "take_over",
        }
    }
}

/// A group with work.
#[derive(Debug, Clone)]
pub struct DueGroup {
    /// The group.
    pub group: GroupPk,
    /// What is to be done.
    pub task: GroupTask,
    /// Of work in pieces: the user up to whom it is done.
    pub position: UserPk,
    /// What made it due.
    pub cause: Cause,
}

impl ReadTx<'_> {
    /// Users in a group in the order of their numbers, behind this one, and why they are in it.
    pub fn members_after(
        &self,
        group: GroupPk,
        after: UserPk,
        limit: i64,
    ) -> Result<Vec<(UserPk, BTreeSet<Origin>)>, StoreError> {
        self.query(
            "SELECT user_pk, origins FROM membership WHERE group_pk = $1 AND user_pk > $2 \
             ORDER BY user_pk LIMIT $3",
            args![group.0, after.0, limit],
            |row| Ok((UserPk(row.int(0)?), read_origins(row.str(1)?)?)),
        )
    }
}

impl WriteTx<'_> {
    /// Groups of a connector with work that is due now.
    pub fn due_groups(
        &self,
        connector: ConnectorId,
        limit: i64,
    ) -> Result<Vec<DueGroup>, StoreError> {
        let now = self.now();
        self.query(
            "SELECT group_pk, task, position, trigger_name, actor, request FROM due_group \
             WHERE connector_pk = $1 AND due_at <= $2 ORDER BY due_at, group_pk LIMIT $3",
            args![connector.0, now, limit],
            |row| {
                Ok(DueGroup {
                    group: GroupPk(row.int(0)?),
                    task: match row.str(1)? {
                        "take_over" => GroupTask::TakeOver,
                        _ => GroupTask::Retire,
                    },
                    position: UserPk(row.int(2)?),
                    cause: Cause {
                        trigger: Trigger::parse(&row.text(3)?).unwrap_or(Trigger::Reconcile),
                        connector: Some(connector),
                        actor: row.text(4)?,
                        request: row.text(5)?,
                    },
                })
            },
        )
    }

    /// Owes a group work at `at`; work of the same kind that is owed already begins anew.
    pub fn mark_group_due(
        &self,
        connector: ConnectorId,
        group: GroupPk,
        task: GroupTask,
        at: Timestamp,
        cause: &Cause,
    ) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO due_group (connector_pk, group_pk, task, due_at, position, trigger_name, actor, request) \
             VALUES ($1, $2, $3, $4, 0, $5, $6, $7) ON CONFLICT (connector_pk, group_pk, task) \
             DO UPDATE SET due_at = excluded.due_at, position = 0",
            args![
                connector.0,
                group.0,
                task.as_str(),
                at,
                cause.trigger.as_str(),
                cause.actor.as_str(),
                cause.request.as_str()
            ],
        )?;
        Ok(())
    }

    /// Notes up to whom the work on a group is done.
    pub fn advance_due_group(
        &self,
        connector: ConnectorId,
        item: &DueGroup,
        position: UserPk,
    ) -> Result<(), StoreError> {
        self.execute(
            "UPDATE due_group SET position = $1 WHERE connector_pk = $2 AND group_pk = $3 AND task = $4",
            args![position.0, connector.0, item.group.0, item.task.as_str()],
        )?;
        Ok(())
    }

    /// Notes that the work on a group is done.
    pub fn clear_due_group(
        &self,
        connector: ConnectorId,
        item: &DueGroup,
    ) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM due_group WHERE connector_pk = $1 AND group_pk = $2 AND task = $3",
            args![connector.0, item.group.0, item.task.as_str()],
        )?;
        Ok(())
    }
}
