//! What was decided about source groups one by one, beside the rules that hold for all.

use directory::{ConnectorId, DirectoryId, Group, GroupPk, Review, SourceGroupPk, Standing};
use jiff::Timestamp;

use crate::directory_groups;
use crate::source_groups::{GROUP_COLUMNS, SourceGroup, read_group};
use crate::{ReadTx, Row, StoreError, WriteTx, args};

/// The columns of [`GroupStanding::read`], in its order, of a table called `s`.
pub(crate) const STANDING_COLUMNS: &str = "s.former_name, s.former_until, s.own_name, s.review";

/// The condition that the IdP renamed a group that goes on by the name before, of a table called `s`.
pub(crate) const PINNED: &str =
    "s.former_name IS NOT NULL AND s.former_until IS NULL AND s.own_name IS NULL";

/// What was decided about one source group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupStanding {
    /// The name before the IdP renamed it.
    pub former_name: Option<String>,
    /// Until when it has that name beside the present one; without an end it has that name alone.
    pub former_until: Option<Timestamp>,
    /// The name that an administrator gave its group.
    pub own_name: Option<String>,
    /// Whether it may feed a group.
    pub review: Review,
}

impl GroupStanding {
    /// Reads [`STANDING_COLUMNS`] from this place on; without a row nothing was decided.
    pub(crate) fn read(row: &Row<'_>, at: usize) -> Result<Self, StoreError> {
        let review = row.opt_text(at + 3)?;
        Ok(Self {
            former_name: row.opt_text(at)?,
            former_until: row.opt_time(at + 1)?,
            own_name: row.opt_text(at + 2)?,
            review: review
                .as_deref()
                .and_then(Review::parse)
                .unwrap_or_default(),
        })
    }

    /// The source group of this standing as the rules see it.
    pub fn seen(self, group: SourceGroupPk, display_name: String) -> directory::SourceGroup {
        if self == Self::default() {
            return directory::SourceGroup::direct(group, display_name);
        }
        let mut standing = Standing {
            own_name: self.own_name,
            review: self.review,
            ..Standing::default()
        };
        let mut name = display_name;
        match (self.former_name, self.former_until) {
            (Some(former), Some(until)) => standing.alias = Some((former, until)),
            (Some(former), None) => {
                standing.renamed = Some(std::mem::replace(&mut name, former));
            }
            (None, _) => {}
        }
        directory::SourceGroup {
            standing: Some(Box::new(standing)),
            ..directory::SourceGroup::direct(group, name)
        }
    }
}

/// A source group with what was decided about it and the group that it feeds.
#[derive(Debug, Clone)]
pub struct ConnectorGroup {
    /// The source group.
    pub group: SourceGroup,
    /// What was decided.
    pub standing: GroupStanding,
    /// Since when.
    pub since: Option<Timestamp>,
}

/// Which source groups to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StandingFilter {
    /// All.
    Any,
    /// Those with this review.
    Review(Review),
    /// Those that the IdP renamed and that have a former name still.
    Renamed,
}

/// How the members of a source group and those of a group differ.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MemberComparison {
    /// Users in the group.
    pub members: i64,
    /// Users whom the source group would add.
    pub added: i64,
    /// Users whom nobody but others than the rules put there, and who are not in the source group.
    pub removed: i64,
}

impl ReadTx<'_> {
    /// What was decided about a source group.
    pub fn group_standing(&self, group: SourceGroupPk) -> Result<GroupStanding, StoreError> {
        let sql =
            format!("SELECT {STANDING_COLUMNS} FROM group_standing s WHERE s.source_group_pk = $1");
        let found = self.query_one(&sql, args![group.0], |row| GroupStanding::read(row, 0))?;
        Ok(found.unwrap_or_default())
    }

    /// Source groups of a connector in the order of their numbers, behind this one.
    pub fn connector_groups(
        &self,
        connector: ConnectorId,
        filter: StandingFilter,
        after: SourceGroupPk,
        limit: i64,
    ) -> Result<Vec<ConnectorGroup>, StoreError> {
        let (join, only) = match filter {
            StandingFilter::Any => ("LEFT JOIN", ""),
            StandingFilter::Review(Review::Settled) => ("LEFT JOIN", "AND s.review = 'settled'"),
            StandingFilter::Review(Review::Waiting) => ("JOIN", "AND s.review = 'waiting'"),
            StandingFilter::Review(Review::Ignored) => ("JOIN", "AND s.review = 'ignored'"),
            StandingFilter::Renamed => ("JOIN", "AND s.former_name IS NOT NULL"),
        };
        let sql = format!(
            "SELECT {GROUP_COLUMNS}, {STANDING_COLUMNS}, s.since FROM source_group g \
             {join} group_standing s ON s.source_group_pk = g.pk \
             WHERE g.connector_pk = $1 AND g.pk > $2 {only} ORDER BY g.pk LIMIT $3"
        );
        self.query(&sql, args![connector.0, after.0, limit], |row| {
            Ok(ConnectorGroup {
                group: read_group(row)?,
                standing: GroupStanding::read(row, 8)?,
                since: row.opt_time(12)?,
            })
        })
    }

    /// Source groups that feed a group, so many at most, each with its connector.
    pub fn feeding_groups(
        &self,
        group: GroupPk,
        limit: i64,
    ) -> Result<Vec<(ConnectorId, ConnectorGroup)>, StoreError> {
        let sql = format!(
            "SELECT {GROUP_COLUMNS}, {STANDING_COLUMNS}, s.since, g.connector_pk FROM group_binding b \
             CROSS JOIN source_group g LEFT JOIN group_standing s ON s.source_group_pk = g.pk \
             WHERE b.group_pk = $1 AND g.pk = b.source_group_pk ORDER BY g.pk LIMIT $2"
        );
        self.query(&sql, args![group.0, limit], |row| {
            let found = ConnectorGroup {
                group: read_group(row)?,
                standing: GroupStanding::read(row, 8)?,
                since: row.opt_time(12)?,
            };
            Ok((ConnectorId(row.int(13)?), found))
        })
    }

    /// Source groups that wait for a decision, of every connector that feeds a directory.
    pub fn waiting_groups(
        &self,
        directory: DirectoryId,
    ) -> Result<Vec<(ConnectorId, SourceGroup)>, StoreError> {
        let sql = format!(
            "SELECT {GROUP_COLUMNS}, c.pk FROM group_standing s JOIN source_group g ON g.pk = s.source_group_pk \
             JOIN connector c ON c.pk = g.connector_pk \
             WHERE s.review = 'waiting' AND c.directory_pk = $1 ORDER BY g.pk"
        );
        self.query(&sql, args![directory.0], |row| {
            Ok((ConnectorId(row.int(8)?), read_group(row)?))
        })
    }

    /// Whether somebody is in a group whom others put there, and this connector does not feed it yet: products, an
    /// administrator, an import, or another connector.
    pub fn has_members_from_elsewhere(
        &self,
        group: GroupPk,
        connector: ConnectorId,
    ) -> Result<bool, StoreError> {
        let mut feeders = self.connectors_feeding(group)?;
        if feeders.contains(&connector) {
            return Ok(false);
        }
        let any = match feeders.pop() {
            Some(_) => "",
            None => {
                "AND (origins LIKE '%\"kind\":\"local\"%' OR origins LIKE '%\"kind\":\"product\"%' \
                 OR origins LIKE '%\"kind\":\"copied\"%')"
            }
        };
        let sql =
            format!("SELECT CAST(1 AS BIGINT) FROM membership WHERE group_pk = $1 {any} LIMIT 1");
        let found = self.query_one(&sql, args![group.0], |row| row.int(0))?;
        Ok(found.is_some())
    }

    /// Whether a source group fed a group before, and nobody else came to feed it since.
    pub fn was_fed_by(&self, group: GroupPk, source: SourceGroupPk) -> Result<bool, StoreError> {
        let found = self.query_one(
            "SELECT CAST(1 AS BIGINT) FROM former_feed f WHERE f.source_group_pk = $1 AND f.group_pk = $2 \
             AND NOT EXISTS (SELECT 1 FROM group_binding b WHERE b.group_pk = f.group_pk)",
            args![source.0, group.0],
            |row| row.int(0),
        )?;
        Ok(found.is_some())
    }

    /// How the members of a source group, with those below it if they count, and those of a group differ.
    pub fn compare_members(
        &self,
        source: SourceGroupPk,
        group: GroupPk,
        below: bool,
    ) -> Result<MemberComparison, StoreError> {
        let deeper = match below {
            true => {
                "UNION SELECT n.child_pk FROM source_group_member n JOIN below b ON n.group_pk = b.pk"
            }
            false => "UNION SELECT pk FROM below",
        };
        let wanted = format!(
            "WITH RECURSIVE below (pk) AS (SELECT pk FROM source_group WHERE pk = $1 {deeper}), \
             wanted (pk) AS (SELECT DISTINCT d.pk FROM below b JOIN source_member m ON m.group_pk = b.pk \
               JOIN directory_user d ON d.source_user_pk = m.user_pk WHERE d.status <> 'removed')"
        );
        let count = |rest: &str| {
            let sql = format!("{wanted} {rest}");
            let found = self.query_one(&sql, args![source.0, group.0], |row| row.int(0));
            found.map(Option::unwrap_or_default)
        };
        Ok(MemberComparison {
            members: self.count_group_users(group)?,
            added: count(
                "SELECT count(*) FROM wanted w WHERE NOT EXISTS \
                 (SELECT 1 FROM membership m WHERE m.group_pk = $2 AND m.user_pk = w.pk)",
            )?,
            removed: count(
                "SELECT count(*) FROM membership m WHERE m.group_pk = $2 \
                 AND m.origins NOT LIKE '%\"kind\":\"idp\"%' AND m.origins NOT LIKE '%\"kind\":\"always\"%' \
                 AND m.origins NOT LIKE '%\"kind\":\"rule\"%' AND m.user_pk NOT IN (SELECT pk FROM wanted)",
            )?,
        })
    }

    /// Whether nobody is in a group, it is in no group and none is in it.
    pub fn is_group_empty(&self, group: GroupPk) -> Result<bool, StoreError> {
        let found = self.query_one(
            "SELECT CAST(1 AS BIGINT) WHERE EXISTS (SELECT 1 FROM membership WHERE group_pk = $1) \
             OR EXISTS (SELECT 1 FROM group_nesting WHERE parent_pk = $1) \
             OR EXISTS (SELECT 1 FROM group_nesting WHERE child_pk = $1)",
            args![group.0],
            |row| row.int(0),
        )?;
        Ok(found.is_none())
    }

    /// A group of a directory by its number.
    pub fn directory_group_by_pk(
        &self,
        directory: DirectoryId,
        group: GroupPk,
    ) -> Result<Option<Group>, StoreError> {
        let sql = format!(
            "SELECT {} FROM directory_group g WHERE g.directory_pk = $1 AND g.pk = $2",
            directory_groups::COLUMNS
        );
        self.query_one(
            &sql,
            args![directory.0, group.0],
            directory_groups::read_group,
        )
    }
}

impl WriteTx<'_> {
    /// Writes what was decided about a source group.
    pub fn put_group_standing(
        &self,
        connector: ConnectorId,
        group: SourceGroupPk,
        standing: &GroupStanding,
    ) -> Result<(), StoreError> {
        if *standing == GroupStanding::default() {
            self.execute(
                "DELETE FROM group_standing WHERE source_group_pk = $1",
                args![group.0],
            )?;
            return Ok(());
        }
        let now = self.now();
        self.execute(
            "INSERT INTO group_standing (source_group_pk, connector_pk, former_name, former_until, own_name, review, since) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (source_group_pk) DO UPDATE SET \
             former_name = excluded.former_name, former_until = excluded.former_until, \
             own_name = excluded.own_name, review = excluded.review, since = excluded.since",
            args![
                group.0,
                connector.0,
                standing.former_name.as_deref(),
                standing.former_until,
                standing.own_name.as_deref(),
                standing.review.as_str(),
                now
            ],
        )?;
        Ok(())
    }

    /// Notes that a group is kept by a connector from now on, not by those who made it here.
    pub fn hand_over_group(&self, group: GroupPk) -> Result<(), StoreError> {
        self.execute(
            "UPDATE directory_group SET is_local = 0 WHERE pk = $1",
            args![group.0],
        )?;
        Ok(())
    }
}
