//! From the groups that the IdP put into groups to those of the directory: what should be nested, and where that
//! is still to be looked at.

use std::collections::{BTreeSet, HashMap};

use directory::{Cause, ConnectorId, GroupPk, JobId, SourceGroupPk, SourceUserPk, Trigger};

use crate::source_groups::{GROUP_COLUMNS, SourceGroup, read_group};
use crate::{Arg, ReadTx, StoreError, WriteTx, args, sql};

/// A group whose child groups are to be compared with a connector's source, and why.
#[derive(Debug, Clone)]
pub struct DueNesting {
    /// The group of the directory.
    pub group: GroupPk,
    /// What made it due.
    pub cause: Cause,
    /// The job it belongs to.
    pub job: Option<JobId>,
}

impl ReadTx<'_> {
    /// Which groups a connector's source puts into a group of the directory, each with the source groups that do;
    /// only these groups, or all if none are named.
    pub fn wanted_nestings(
        &self,
        connector: ConnectorId,
        parent: GroupPk,
        children: Option<&[GroupPk]>,
    ) -> Result<HashMap<GroupPk, BTreeSet<SourceGroupPk>>, StoreError> {
        let mut wanted: HashMap<GroupPk, BTreeSet<SourceGroupPk>> = HashMap::new();
        let mut take = |row: &crate::Row<'_>| {
            let sources = wanted.entry(GroupPk(row.int(0)?)).or_default();
            sources.insert(SourceGroupPk(row.int(1)?));
            Ok(())
        };
        let Some(children) = children else {
            self.for_each(
                "SELECT c.group_pk, s.pk FROM group_binding p CROSS JOIN source_group s \
                 CROSS JOIN source_group_member n CROSS JOIN group_binding c \
                 WHERE p.group_pk = $1 AND s.pk = p.source_group_pk AND s.connector_pk = $2 \
                 AND n.group_pk = s.pk AND c.source_group_pk = n.child_pk AND c.group_pk <> $1",
                args![parent.0, connector.0],
                &mut take,
            )?;
            return Ok(wanted);
        };
        for chunk in sql::chunks(children.iter().map(|group| group.0)) {
            let statement = format!(
                "SELECT c.group_pk, s.pk FROM group_binding c CROSS JOIN group_binding p CROSS JOIN source_group s \
                 CROSS JOIN source_group_member n WHERE p.group_pk = $1 AND s.pk = p.source_group_pk \
                 AND s.connector_pk = $2 AND n.group_pk = s.pk AND n.child_pk = c.source_group_pk \
                 AND c.group_pk <> $1 AND c.group_pk IN ({})",
                sql::placeholders(3, chunk.len())
            );
            let mut arguments = args![parent.0, connector.0];
            arguments.extend(chunk.into_iter().map(Into::into));
            self.for_each(&statement, arguments, &mut take)?;
        }
        Ok(wanted)
    }

    /// The groups of the directory that are fed by source groups which contain this one.
    pub fn bound_groups_above(&self, source: SourceGroupPk) -> Result<Vec<GroupPk>, StoreError> {
        self.query(
            "SELECT DISTINCT b.group_pk FROM source_group_member n JOIN group_binding b \
             ON b.source_group_pk = n.group_pk WHERE n.child_pk = $1 ORDER BY b.group_pk",
            args![source.0],
            |row| Ok(GroupPk(row.int(0)?)),
        )
    }

    /// The groups of the directory that are fed by source groups in this one.
    pub fn bound_groups_below(&self, source: SourceGroupPk) -> Result<Vec<GroupPk>, StoreError> {
        self.query(
            "SELECT DISTINCT b.group_pk FROM source_group_member n JOIN group_binding b \
             ON b.source_group_pk = n.child_pk WHERE n.group_pk = $1 ORDER BY b.group_pk",
            args![source.0],
            |row| Ok(GroupPk(row.int(0)?)),
        )
    }

    /// The groups of the directory that are fed by any of these source groups.
    pub fn bound_groups_of(&self, sources: &[SourceGroupPk]) -> Result<Vec<GroupPk>, StoreError> {
        let mut found = Vec::new();
        for chunk in sql::chunks(sources.iter().map(|group| group.0)) {
            let statement = format!(
                "SELECT group_pk FROM group_binding WHERE source_group_pk IN ({})",
                sql::placeholders(1, chunk.len())
            );
            let arguments: Vec<Arg<'_>> = chunk.into_iter().map(Into::into).collect();
            found.extend(self.query(&statement, arguments, |row| Ok(GroupPk(row.int(0)?)))?);
        }
        Ok(found)
    }

    /// The source groups that contain this one and feed no group of the directory.
    pub fn unbound_groups_above(
        &self,
        source: SourceGroupPk,
    ) -> Result<Vec<SourceGroup>, StoreError> {
        let sql = format!(
            "SELECT {GROUP_COLUMNS} FROM source_group_member n JOIN source_group g ON g.pk = n.group_pk \
             WHERE n.child_pk = $1 AND NOT EXISTS (SELECT 1 FROM group_binding b WHERE b.source_group_pk = g.pk) \
             ORDER BY g.pk"
        );
        self.query(&sql, args![source.0], read_group)
    }

    /// Which connector each of these source groups belongs to; those that are no more are missing.
    pub fn connectors_of_source_groups(
        &self,
        groups: &[SourceGroupPk],
    ) -> Result<HashMap<SourceGroupPk, ConnectorId>, StoreError> {
        let mut found = HashMap::new();
        for chunk in sql::chunks(groups.iter().map(|group| group.0)) {
            let statement = format!(
                "SELECT pk, connector_pk FROM source_group WHERE pk IN ({})",
                sql::placeholders(1, chunk.len())
            );
            let arguments: Vec<Arg<'_>> = chunk.into_iter().map(Into::into).collect();
            self.for_each(&statement, arguments, |row| {
                found.insert(SourceGroupPk(row.int(0)?), ConnectorId(row.int(1)?));
                Ok(())
            })?;
        }
        Ok(found)
    }

    /// Names of source groups that feed a group, in order, `limit` of them at most.
    pub fn source_groups_feeding(
        &self,
        group: GroupPk,
        limit: i64,
    ) -> Result<Vec<String>, StoreError> {
        self.query(
            "SELECT g.display_name FROM group_binding b JOIN source_group g ON g.pk = b.source_group_pk \
             WHERE b.group_pk = $1 ORDER BY g.display_name LIMIT $2",
            args![group.0, limit],
            |row| row.text(0),
        )
    }

    /// Names of source groups, to tell origins by.
    pub fn source_group_names(
        &self,
        groups: &[SourceGroupPk],
    ) -> Result<HashMap<SourceGroupPk, String>, StoreError> {
        let mut found = HashMap::new();
        for chunk in sql::chunks(groups.iter().map(|group| group.0)) {
            let statement = format!(
                "SELECT pk, display_name FROM source_group WHERE pk IN ({})",
                sql::placeholders(1, chunk.len())
            );
            let arguments: Vec<Arg<'_>> = chunk.into_iter().map(Into::into).collect();
            self.for_each(&statement, arguments, |row| {
                found.insert(SourceGroupPk(row.int(0)?), row.text(1)?);
                Ok(())
            })?;
        }
        Ok(found)
    }

    /// The connectors that feed a group of the directory.
    pub fn connectors_feeding(&self, group: GroupPk) -> Result<Vec<ConnectorId>, StoreError> {
        self.query(
            "SELECT DISTINCT s.connector_pk FROM group_binding b JOIN source_group s ON s.pk = b.source_group_pk \
             WHERE b.group_pk = $1 ORDER BY s.connector_pk",
            args![group.0],
            |row| Ok(ConnectorId(row.int(0)?)),
        )
    }

    /// The users whom the IdP put into a group itself, `limit` of them at most.
    pub fn source_users_in(
        &self,
        group: SourceGroupPk,
        limit: usize,
    ) -> Result<Vec<SourceUserPk>, StoreError> {
        self.query(
            "SELECT user_pk FROM source_member WHERE group_pk = $1 ORDER BY user_pk LIMIT $2",
            args![group.0, i64::try_from(limit).unwrap_or(i64::MAX)],
            |row| Ok(SourceUserPk(row.int(0)?)),
        )
    }
}

impl WriteTx<'_> {
    /// Groups whose child groups are to be compared with a connector's source.
    pub fn due_nestings(
        &self,
        connector: ConnectorId,
        limit: i64,
    ) -> Result<Vec<DueNesting>, StoreError> {
        self.query(
            "SELECT group_pk, trigger_name, actor, request, job_pk FROM due_nesting WHERE connector_pk = $1 \
             ORDER BY group_pk LIMIT $2",
            args![connector.0, limit],
            |row| {
                Ok(DueNesting {
                    group: GroupPk(row.int(0)?),
                    cause: Cause {
                        trigger: Trigger::parse(&row.text(1)?).unwrap_or(Trigger::Reconcile),
                        connector: Some(connector),
                        actor: row.text(2)?,
                        request: row.text(3)?,
                    },
                    job: row.opt_int(4)?.map(JobId),
                })
            },
        )
    }

    /// Owes groups a comparison of their child groups with a connector's source.
    pub fn mark_nestings_due(
        &self,
        connector: ConnectorId,
        groups: &[GroupPk],
        cause: &Cause,
    ) -> Result<(), StoreError> {
        for chunk in sql::chunks(groups.iter().map(|group| group.0)) {
            let statement = format!(
                "INSERT INTO due_nesting (connector_pk, trigger_name, actor, request, group_pk) \
                 SELECT CAST($1 AS BIGINT), CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS TEXT), pk \
                 FROM directory_group WHERE pk IN ({}) ON CONFLICT (connector_pk, group_pk) DO NOTHING",
                sql::placeholders(5, chunk.len())
            );
            let mut arguments = args![
                connector.0,
                cause.trigger.as_str(),
                cause.actor.as_str(),
                cause.request.as_str()
            ];
            arguments.extend(chunk.into_iter().map(Into::into));
            self.execute(&statement, arguments)?;
        }
        Ok(())
    }

    /// Owes every group that a connector feeds, and that has groups in it here or at the IdP, that comparison.
    pub fn mark_all_nestings_due(
        &self,
        connector: ConnectorId,
        cause: &Cause,
        job: JobId,
    ) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO due_nesting (connector_pk, group_pk, trigger_name, actor, request, job_pk) \
             SELECT DISTINCT s.connector_pk, b.group_pk, CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS TEXT), \
               CAST($5 AS BIGINT) \
             FROM source_group s CROSS JOIN group_binding b WHERE s.connector_pk = $1 AND b.source_group_pk = s.pk \
             AND (EXISTS (SELECT 1 FROM source_group_member n WHERE n.group_pk = s.pk) \
             OR EXISTS (SELECT 1 FROM group_nesting n WHERE n.parent_pk = b.group_pk)) \
             ON CONFLICT (connector_pk, group_pk) DO NOTHING",
            args![
                connector.0,
                cause.trigger.as_str(),
                cause.actor.as_str(),
                cause.request.as_str(),
                job
            ],
        )?;
        Ok(())
    }

    /// Notes that a group's child groups have been compared.
    pub fn clear_due_nesting(
        &self,
        connector: ConnectorId,
        group: GroupPk,
    ) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM due_nesting WHERE connector_pk = $1 AND group_pk = $2",
            args![connector.0, group.0],
        )?;
        Ok(())
    }
}
