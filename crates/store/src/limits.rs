//! What a connector's limits let through lately, and of how many.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use directory::{
    ConnectorId, DirectoryId, GroupPk, HeldDeletion, HoldState, SourceGroupPk, Tally, UserPk,
};
use jiff::Timestamp;

use crate::{Arg, ReadTx, StoreError, WriteTx, args, sql};

/// Groups that one question of [`ReadTx::passed`] can name; what is beyond is asked in another.
const GROUPS_MAX: usize = sql::CHUNK_MAX;

const MINUTE: i64 = 60 * 1_000_000;

/// A question about what was let through.
#[derive(Debug, Clone, Copy)]
pub struct PassedQuery<'a> {
    /// Whose limits.
    pub connector: ConnectorId,
    /// Since when it counts.
    pub since: Timestamp,
    /// About whom the answer tells what was let through for this very one.
    pub user: Option<UserPk>,
    /// Folds of the groups to answer for, besides all together.
    pub groups: &'a [String],
    /// Source groups to tell of whether the deletion of one is held.
    pub sources: &'a [SourceGroupPk],
}

/// What was let through.
#[derive(Debug, Clone, Default)]
pub struct Passed {
    /// How many.
    pub counts: BTreeMap<Tally, u64>,
    /// Those of the user who was asked about.
    pub of_user: BTreeSet<Tally>,
    /// Source groups whose deletion was ever held, and what became of that.
    pub deletions: BTreeMap<SourceGroupPk, HeldDeletion>,
}

/// Everything that was let through for a connector, to foresee what will be.
#[derive(Debug, Clone, Default)]
pub struct PassedByAll {
    /// How many.
    pub counts: BTreeMap<Tally, u64>,
    /// For whom.
    pub of_users: HashMap<UserPk, BTreeSet<Tally>>,
    /// Source groups whose deletion was ever held, and what became of that.
    pub deletions: BTreeMap<SourceGroupPk, HeldDeletion>,
}

fn tally(what: &str, group: &str) -> Result<Tally, StoreError> {
    Tally::from_parts(what, group).ok_or_else(|| StoreError::corrupt("passed_count.tally"))
}

impl ReadTx<'_> {
    /// What was let through since a moment; one statement.
    pub fn passed(&self, query: &PassedQuery<'_>) -> Result<Passed, StoreError> {
        let mut passed = Passed::default();
        let mut groups = query.groups.chunks(GROUPS_MAX);
        let mut sources = query.sources.chunks(GROUPS_MAX);
        self.add_passed(
            query,
            groups.next().unwrap_or_default(),
            sources.next().unwrap_or_default(),
            &mut passed,
        )?;
        for more in groups {
            self.add_passed(query, more, &[], &mut passed)?;
        }
        for more in sources {
            self.add_passed(query, &[], more, &mut passed)?;
        }
        Ok(passed)
    }

    fn add_passed(
        &self,
        query: &PassedQuery<'_>,
        groups: &[String],
        sources: &[SourceGroupPk],
        passed: &mut Passed,
    ) -> Result<(), StoreError> {
        let minute = query.since.as_microsecond().div_euclid(MINUTE);
        let user = query.user.map_or(0, |user| user.0);
        let mut arguments = args![query.connector.0, minute, user, query.since];
        arguments.extend(groups.iter().map(Arg::from));
        let mut statement = format!(
            "SELECT 0, tally, group_fold, CAST(sum(count) AS BIGINT), CAST(0 AS BIGINT) FROM passed_count \
             WHERE connector_pk = $1 AND tally IN ('deactivation', 'leaver', 'membership', 'group_deletion', 'rename') \
             AND group_fold IN ('', {}) AND minute >= $2 GROUP BY tally, group_fold \
             UNION ALL SELECT 1, tally, group_fold, user_pk, 0 FROM passed_subject \
             WHERE connector_pk = $1 AND user_pk = $3 AND at > $4",
            match groups {
                [] => "''".to_owned(),
                some => sql::placeholders(5, some.len()),
            }
        );
        if !sources.is_empty() {
            statement.push_str(&format!(
                " UNION ALL SELECT 2, state, '', source_group_pk, pk FROM hold \
                 WHERE source_group_pk IN ({})",
                sql::placeholders(5 + groups.len(), sources.len())
            ));
            arguments.extend(sources.iter().map(|source| Arg::from(source.0)));
        }
        self.for_each(&statement, arguments, |row| {
            let (word, group) = (row.str(1)?, row.str(2)?);
            match row.int(0)? {
                0 => {
                    let count = u64::try_from(row.int(3)?).unwrap_or_default();
                    passed.counts.insert(tally(word, group)?, count);
                }
                1 => {
                    passed.of_user.insert(tally(word, group)?);
                }
                _ => {
                    let held = HeldDeletion {
                        hold: row.int(4)?,
                        state: HoldState::parse(word)
                            .ok_or_else(|| StoreError::corrupt("hold.state"))?,
                    };
                    passed.deletions.insert(SourceGroupPk(row.int(3)?), held);
                }
            }
            Ok(())
        })
    }

    /// Everything that was let through for a connector since a moment.
    pub fn passed_by_all(
        &self,
        connector: ConnectorId,
        since: Timestamp,
    ) -> Result<PassedByAll, StoreError> {
        let mut passed = PassedByAll::default();
        self.for_each(
            "SELECT tally, group_fold, CAST(sum(count) AS BIGINT) FROM passed_count \
             WHERE connector_pk = $1 AND minute >= $2 GROUP BY tally, group_fold",
            args![connector.0, since.as_microsecond().div_euclid(MINUTE)],
            |row| {
                let count = u64::try_from(row.int(2)?).unwrap_or_default();
                passed
                    .counts
                    .insert(tally(row.str(0)?, row.str(1)?)?, count);
                Ok(())
            },
        )?;
        self.for_each(
            "SELECT user_pk, tally, group_fold FROM passed_subject WHERE connector_pk = $1 AND at > $2",
            args![connector.0, since],
            |row| {
                let of_user = passed.of_users.entry(UserPk(row.int(0)?)).or_default();
                of_user.insert(tally(row.str(1)?, row.str(2)?)?);
                Ok(())
            },
        )?;
        passed.deletions = self.held_deletions(connector)?;
        Ok(passed)
    }

    /// Source groups of a connector that were deleted, and what became of the hold on that.
    pub fn held_deletions(
        &self,
        connector: ConnectorId,
    ) -> Result<BTreeMap<SourceGroupPk, HeldDeletion>, StoreError> {
        let found = self.query(
            "SELECT source_group_pk, state, pk FROM hold WHERE connector_pk = $1 AND source_group_pk IS NOT NULL",
            args![connector.0],
            |row| {
                let state = HoldState::parse(row.str(1)?);
                let state = state.ok_or_else(|| StoreError::corrupt("hold.state"))?;
                let hold = row.int(2)?;
                Ok((SourceGroupPk(row.int(0)?), HeldDeletion { hold, state }))
            },
        )?;
        Ok(found.into_iter().collect())
    }

    /// The groups with the most memberships that were let end since a moment, by their fold.
    pub fn passed_by_group(
        &self,
        connector: ConnectorId,
        since: Timestamp,
        limit: i64,
    ) -> Result<Vec<(String, u64)>, StoreError> {
        let minute = since.as_microsecond().div_euclid(MINUTE);
        self.query(
            "SELECT group_fold, CAST(sum(count) AS BIGINT) AS passed FROM passed_count \
             WHERE connector_pk = $1 AND tally = 'membership' AND group_fold <> '' AND minute >= $2 \
             GROUP BY group_fold ORDER BY passed DESC, group_fold LIMIT $3",
            args![connector.0, minute, limit],
            |row| Ok((row.text(0)?, u64::try_from(row.int(1)?).unwrap_or_default())),
        )
    }

    /// Of how many a share is taken, if that was counted since a moment.
    pub fn limit_base(
        &self,
        connector: ConnectorId,
        tally: &Tally,
        since: Timestamp,
    ) -> Result<Option<u64>, StoreError> {
        let (what, group) = tally.parts();
        self.query_one(
            "SELECT base FROM limit_base WHERE connector_pk = $1 AND tally = $2 AND group_fold = $3 AND at > $4",
            args![connector.0, what, group, since],
            |row| Ok(u64::try_from(row.int(0)?).unwrap_or_default()),
        )
    }

    /// How many active accounts a connector has. Counts them.
    pub fn count_active_accounts(&self, connector: ConnectorId) -> Result<u64, StoreError> {
        self.number(
            "SELECT count(*) FROM directory_user WHERE connector_pk = $1 AND status = 'active'",
            args![connector.0],
        )
    }

    /// The group whose deletion by the IdP a hold keeps back.
    pub fn group_of_deletion(&self, hold: i64) -> Result<Option<GroupPk>, StoreError> {
        self.query_one(
            "SELECT g.pk FROM hold h JOIN directory_group g \
             ON g.directory_pk = h.directory_pk AND g.name_fold = h.group_fold WHERE h.pk = $1",
            args![hold],
            |row| Ok(GroupPk(row.int(0)?)),
        )
    }

    /// How many users are in a group, by its fold. Counts them.
    pub fn count_members_by_fold(
        &self,
        directory: DirectoryId,
        group: &str,
    ) -> Result<u64, StoreError> {
        self.number(
            "SELECT count(*) FROM membership WHERE group_pk = \
             (SELECT pk FROM directory_group WHERE directory_pk = $1 AND name_fold = $2)",
            args![directory.0, group],
        )
    }

    /// How often somebody came into a group behind a position of the journal, by the group's fold. Counts these entries.
    pub fn count_joins_by_fold(
        &self,
        directory: DirectoryId,
        group: &str,
        position: i64,
    ) -> Result<u64, StoreError> {
        self.number(
            "SELECT count(*) FROM journal WHERE group_pk = \
             (SELECT pk FROM directory_group WHERE directory_pk = $1 AND name_fold = $2) \
             AND pk > $3 AND change LIKE '_\"change\":\"add_membership\"%'",
            args![directory.0, group, position],
        )
    }

    /// How many members the groups of a connector's source have, by the counter of each group.
    pub fn count_source_memberships(&self, connector: ConnectorId) -> Result<u64, StoreError> {
        self.number(
            "SELECT CAST(coalesce(sum(member_count), 0) AS BIGINT) FROM source_group WHERE connector_pk = $1",
            args![connector.0],
        )
    }

    fn number(&self, sql: &str, arguments: Vec<Arg<'_>>) -> Result<u64, StoreError> {
        let found = self.query_one(sql, arguments, |row| row.int(0))?;
        Ok(found
            .and_then(|count| u64::try_from(count).ok())
            .unwrap_or_default())
    }
}

impl WriteTx<'_> {
    /// Counts what was let through, and for whom.
    pub fn note_passed(
        &self,
        connector: ConnectorId,
        user: Option<UserPk>,
        tallies: &[Tally],
    ) -> Result<(), StoreError> {
        let now = self.now();
        let minute = now.as_microsecond().div_euclid(MINUTE);
        let mut counts: BTreeMap<&Tally, i64> = BTreeMap::new();
        for tally in tallies {
            *counts.entry(tally).or_default() += 1;
        }
        for (tally, count) in counts {
            self.add_passed(connector, tally, minute, count)?;
            let Some(user) = user.filter(|_| tally.counts_subjects()) else {
                continue;
            };
            let (what, group) = tally.parts();
            self.execute(
                "INSERT INTO passed_subject (connector_pk, user_pk, tally, group_fold, at) VALUES ($1, $2, $3, $4, $5) \
                 ON CONFLICT (connector_pk, user_pk, tally, group_fold) DO UPDATE SET at = excluded.at",
                args![connector.0, user.0, what, group, now],
            )?;
        }
        Ok(())
    }

    /// Counts something that was let through for many at once.
    pub fn note_many_passed(
        &self,
        connector: ConnectorId,
        tallies: &[Tally],
        count: u64,
    ) -> Result<(), StoreError> {
        let minute = self.now().as_microsecond().div_euclid(MINUTE);
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        for tally in tallies {
            self.add_passed(connector, tally, minute, count)?;
        }
        Ok(())
    }

    fn add_passed(
        &self,
        connector: ConnectorId,
        tally: &Tally,
        minute: i64,
        count: i64,
    ) -> Result<(), StoreError> {
        let (what, group) = tally.parts();
        self.execute(
            "INSERT INTO passed_count (connector_pk, tally, group_fold, minute, count) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (connector_pk, tally, group_fold, minute) \
             DO UPDATE SET count = passed_count.count + excluded.count",
            args![connector.0, what, group, minute, count],
        )?;
        Ok(())
    }

    /// Keeps of how many a share is taken, for the rest of the window.
    pub fn keep_limit_base(
        &self,
        connector: ConnectorId,
        tally: &Tally,
        base: u64,
    ) -> Result<(), StoreError> {
        let (what, group) = tally.parts();
        let now = self.now();
        self.execute(
            "INSERT INTO limit_base (connector_pk, tally, group_fold, base, at) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (connector_pk, tally, group_fold) DO UPDATE SET base = excluded.base, at = excluded.at",
            args![connector.0, what, group, i64::try_from(base).unwrap_or(i64::MAX), now],
        )?;
        Ok(())
    }

    /// Forgets what was let through before a moment.
    pub fn forget_passed(&self, before: Timestamp) -> Result<(), StoreError> {
        let minute = before.as_microsecond().div_euclid(MINUTE);
        self.execute("DELETE FROM passed_count WHERE minute < $1", args![minute])?;
        self.execute("DELETE FROM passed_subject WHERE at < $1", args![before])?;
        self.execute("DELETE FROM limit_base WHERE at < $1", args![before])?;
        Ok(())
    }
}
