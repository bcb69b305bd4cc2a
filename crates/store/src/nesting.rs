//! The directory: groups in groups as the products see them. What the source says may be circular, so every walk
//! takes each group once.

use std::collections::{BTreeSet, HashMap};

use directory::{DirectoryId, Group, GroupPk, Origin, User, UserPk};

use crate::directory_groups::{COLUMNS, read_group, read_origins};
use crate::directory_users::{self, read_user};
use crate::{Arg, ReadTx, StoreError, WriteTx, args, connectors::json, sql};

/// A group next to another one, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NestedGroup {
    /// The group.
    pub group: Group,
    /// Why the one is in the other.
    pub origins: BTreeSet<Origin>,
}

/// Names of the groups next to each of several groups.
#[derive(Debug, Default)]
pub struct Neighbours {
    /// The groups that contain it, by name.
    pub parents: HashMap<GroupPk, Vec<String>>,
    /// The groups in it, by name.
    pub children: HashMap<GroupPk, Vec<String>>,
}

impl ReadTx<'_> {
    /// The groups directly in a group, by name, and why.
    pub fn child_groups(
        &self,
        directory: DirectoryId,
        group: GroupPk,
    ) -> Result<Vec<NestedGroup>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS}, n.origins FROM group_nesting n CROSS JOIN directory_group g \
             WHERE n.parent_pk = $1 AND g.pk = n.child_pk AND g.directory_pk = $2 ORDER BY g.name_fold"
        );
        self.query(&sql, args![group.0, directory.0], read_nested)
    }

    /// The groups that a group is directly in, by name, and why.
    pub fn parent_groups(
        &self,
        directory: DirectoryId,
        group: GroupPk,
    ) -> Result<Vec<NestedGroup>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS}, n.origins FROM group_nesting n CROSS JOIN directory_group g \
             WHERE n.child_pk = $1 AND g.pk = n.parent_pk AND g.directory_pk = $2 ORDER BY g.name_fold"
        );
        self.query(&sql, args![group.0, directory.0], read_nested)
    }

    /// The groups below a group at any depth, without itself, by name.
    pub fn groups_below(
        &self,
        directory: DirectoryId,
        group: GroupPk,
    ) -> Result<Vec<Group>, StoreError> {
        let sql = format!(
            "WITH RECURSIVE below (pk) AS (SELECT child_pk FROM group_nesting WHERE parent_pk = $1 \
               UNION SELECT n.child_pk FROM group_nesting n JOIN below b ON n.parent_pk = b.pk) \
             SELECT {COLUMNS} FROM below b CROSS JOIN directory_group g \
             WHERE g.pk = b.pk AND g.pk <> $1 AND g.directory_pk = $2 ORDER BY g.name_fold"
        );
        self.query(&sql, args![group.0, directory.0], read_group)
    }

    /// The groups above a group at any height, without itself, by name.
    pub fn groups_above(
        &self,
        directory: DirectoryId,
        group: GroupPk,
    ) -> Result<Vec<Group>, StoreError> {
        let sql = format!(
            "WITH RECURSIVE above (pk) AS (SELECT parent_pk FROM group_nesting WHERE child_pk = $1 \
               UNION SELECT n.parent_pk FROM group_nesting n JOIN above a ON n.child_pk = a.pk) \
             SELECT {COLUMNS} FROM above a CROSS JOIN directory_group g \
             WHERE g.pk = a.pk AND g.pk <> $1 AND g.directory_pk = $2 ORDER BY g.name_fold"
        );
        self.query(&sql, args![group.0, directory.0], read_group)
    }

    /// The groups that a user is in, itself or by way of groups in them, by name.
    pub fn groups_of_user_nested(
        &self,
        directory: DirectoryId,
        user: UserPk,
    ) -> Result<Vec<Group>, StoreError> {
        let sql = format!(
            "WITH RECURSIVE above (pk) AS (SELECT group_pk FROM membership WHERE user_pk = $1 \
               UNION SELECT n.parent_pk FROM group_nesting n JOIN above a ON n.child_pk = a.pk) \
             SELECT {COLUMNS} FROM above a CROSS JOIN directory_group g \
             WHERE g.pk = a.pk AND g.directory_pk = $2 ORDER BY g.name_fold"
        );
        self.query(&sql, args![user.0, directory.0], read_group)
    }

    /// The users in a group or in any group below it, each once, in the order of the folded name.
    pub fn each_user_below_group(
        &self,
        directory: DirectoryId,
        group: GroupPk,
        each: &mut dyn FnMut(User) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let sql = format!(
            "WITH RECURSIVE below (pk) AS (SELECT pk FROM directory_group WHERE pk = $1 \
               UNION SELECT n.child_pk FROM group_nesting n JOIN below b ON n.parent_pk = b.pk) \
             SELECT {} FROM (SELECT DISTINCT m.user_pk FROM below b CROSS JOIN membership m WHERE m.group_pk = b.pk) u \
             CROSS JOIN directory_user d WHERE d.pk = u.user_pk AND d.directory_pk = $2 AND d.status <> 'removed' \
             ORDER BY d.name_fold",
            directory_users::COLUMNS
        );
        self.for_each(&sql, args![group.0, directory.0], |row| {
            each(read_user(row)?)
        })
    }

    /// How many users are in a group or in any group below it.
    pub fn count_users_below_group(&self, group: GroupPk) -> Result<i64, StoreError> {
        // To tell who is in several takes much longer than to count who is in one.
        let below = self.query_one(
            "SELECT 1 FROM group_nesting WHERE parent_pk = $1 LIMIT 1",
            args![group.0],
            |row| row.int(0),
        )?;
        if below.is_none() {
            return self.count_group_users(group);
        }
        Ok(self
            .query_one(
                "WITH RECURSIVE below (pk) AS (SELECT pk FROM directory_group WHERE pk = $1 \
                   UNION SELECT n.child_pk FROM group_nesting n JOIN below b ON n.parent_pk = b.pk) \
                 SELECT count(DISTINCT m.user_pk) FROM below b CROSS JOIN membership m WHERE m.group_pk = b.pk",
                args![group.0],
                |row| row.int(0),
            )?
            .unwrap_or(0))
    }

    /// The users in a group or in any group below it who may log in, each once.
    pub fn active_users_below_group(&self, group: GroupPk) -> Result<Vec<UserPk>, StoreError> {
        self.query(
            "WITH RECURSIVE below (pk) AS (SELECT pk FROM directory_group WHERE pk = $1 \
               UNION SELECT n.child_pk FROM group_nesting n JOIN below b ON n.parent_pk = b.pk) \
             SELECT DISTINCT m.user_pk FROM below b CROSS JOIN membership m CROSS JOIN directory_user d \
             WHERE m.group_pk = b.pk AND d.pk = m.user_pk AND d.status = 'active'",
            args![group.0],
            |row| Ok(UserPk(row.int(0)?)),
        )
    }

    /// Whether a user is in a group or in any group below it.
    pub fn user_lies_below_group(&self, user: UserPk, group: GroupPk) -> Result<bool, StoreError> {
        Ok(self
            .query_one(
                "WITH RECURSIVE above (pk) AS (SELECT group_pk FROM membership WHERE user_pk = $1 \
                   UNION SELECT n.parent_pk FROM group_nesting n JOIN above a ON n.child_pk = a.pk) \
                 SELECT 1 FROM above WHERE pk = $2",
                args![user.0, group.0],
                |row| row.int(0),
            )?
            .is_some())
    }

    /// Whether `inner` lies below `outer` at any depth.
    pub fn group_lies_below(&self, inner: GroupPk, outer: GroupPk) -> Result<bool, StoreError> {
        Ok(self
            .query_one(
                "WITH RECURSIVE above (pk) AS (SELECT parent_pk FROM group_nesting WHERE child_pk = $1 \
                   UNION SELECT n.parent_pk FROM group_nesting n JOIN above a ON n.child_pk = a.pk) \
                 SELECT 1 FROM above WHERE pk = $2",
                args![inner.0, outer.0],
                |row| row.int(0),
            )?
            .is_some())
    }

    /// Every step by which a user comes into groups: the group, and the group by which; none for a membership of
    /// its own. [`directory::nesting::ways`] makes ways of them.
    pub fn steps_of_user(
        &self,
        user: UserPk,
    ) -> Result<Vec<(GroupPk, Option<GroupPk>)>, StoreError> {
        self.query(
            "WITH RECURSIVE above (pk, via) AS (SELECT group_pk, CAST(0 AS BIGINT) FROM membership WHERE user_pk = $1 \
               UNION SELECT n.parent_pk, n.child_pk FROM group_nesting n JOIN above a ON n.child_pk = a.pk) \
             SELECT pk, via FROM above",
            args![user.0],
            |row| {
                let via = row.int(1)?;
                Ok((GroupPk(row.int(0)?), (via != 0).then_some(GroupPk(via))))
            },
        )
    }

    /// Why a group is in another; none if it is not directly in it.
    pub fn nesting_origins(
        &self,
        parent: GroupPk,
        child: GroupPk,
    ) -> Result<Option<BTreeSet<Origin>>, StoreError> {
        self.query_one(
            "SELECT origins FROM group_nesting WHERE parent_pk = $1 AND child_pk = $2",
            args![parent.0, child.0],
            |row| read_origins(row.str(0)?),
        )
    }

    /// Which of these groups are directly in a group, or all that are if none are named, and why; in no order.
    pub fn nestings_in(
        &self,
        parent: GroupPk,
        children: Option<&[GroupPk]>,
    ) -> Result<Vec<(GroupPk, BTreeSet<Origin>)>, StoreError> {
        let Some(children) = children else {
            return self.query(
                "SELECT child_pk, origins FROM group_nesting WHERE parent_pk = $1",
                args![parent.0],
                |row| Ok((GroupPk(row.int(0)?), read_origins(row.str(1)?)?)),
            );
        };
        let mut found = Vec::new();
        for chunk in sql::chunks(children.iter().map(|group| group.0)) {
            let statement = format!(
                "SELECT child_pk, origins FROM group_nesting WHERE parent_pk = $1 AND child_pk IN ({})",
                sql::placeholders(2, chunk.len())
            );
            let mut arguments = args![parent.0];
            arguments.extend(chunk.into_iter().map(Into::into));
            found.extend(self.query(&statement, arguments, |row| {
                Ok((GroupPk(row.int(0)?), read_origins(row.str(1)?)?))
            })?);
        }
        Ok(found)
    }

    /// Every group that has groups in it, with them, for a listing of all memberships.
    pub fn nestings(
        &self,
        directory: DirectoryId,
    ) -> Result<HashMap<GroupPk, Vec<GroupPk>>, StoreError> {
        let mut found: HashMap<GroupPk, Vec<GroupPk>> = HashMap::new();
        self.for_each(
            "SELECT n.parent_pk, n.child_pk FROM directory_group g CROSS JOIN group_nesting n \
             WHERE g.directory_pk = $1 AND n.parent_pk = g.pk ORDER BY n.parent_pk, n.child_pk",
            args![directory.0],
            |row| {
                let children = found.entry(GroupPk(row.int(0)?)).or_default();
                children.push(GroupPk(row.int(1)?));
                Ok(())
            },
        )?;
        Ok(found)
    }

    /// Names of the parents and the children of several groups.
    pub fn neighbours_of_many(&self, groups: &[GroupPk]) -> Result<Neighbours, StoreError> {
        let mut found = Neighbours::default();
        for chunk in sql::chunks(groups.iter().map(|group| group.0)) {
            let list = sql::placeholders(1, chunk.len());
            let arguments: Vec<Arg<'_>> = chunk.into_iter().map(Into::into).collect();
            let parents = format!(
                "SELECT n.child_pk, g.name FROM group_nesting n JOIN directory_group g ON g.pk = n.parent_pk \
                 WHERE n.child_pk IN ({list}) ORDER BY n.child_pk, g.name_fold"
            );
            let children = format!(
                "SELECT n.parent_pk, g.name FROM group_nesting n JOIN directory_group g ON g.pk = n.child_pk \
                 WHERE n.parent_pk IN ({list}) ORDER BY n.parent_pk, g.name_fold"
            );
            for (sql, names) in [
                (parents, &mut found.parents),
                (children, &mut found.children),
            ] {
                self.for_each(&sql, arguments.clone(), |row| {
                    let group = GroupPk(row.int(0)?);
                    names.entry(group).or_default().push(row.text(1)?);
                    Ok(())
                })?;
            }
        }
        Ok(found)
    }
}

fn read_nested(row: &crate::Row<'_>) -> Result<NestedGroup, StoreError> {
    Ok(NestedGroup {
        group: read_group(row)?,
        origins: read_origins(row.str(6)?)?,
    })
}

impl WriteTx<'_> {
    /// Puts a group into another, or writes anew why it is there.
    pub fn put_nesting(
        &self,
        parent: GroupPk,
        child: GroupPk,
        origins: &BTreeSet<Origin>,
    ) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO group_nesting (parent_pk, child_pk, origins) VALUES ($1, $2, $3) \
             ON CONFLICT (parent_pk, child_pk) DO UPDATE SET origins = excluded.origins",
            args![parent.0, child.0, json(origins)?],
        )?;
        Ok(())
    }

    /// Takes a group out of another.
    pub fn delete_nesting(&self, parent: GroupPk, child: GroupPk) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM group_nesting WHERE parent_pk = $1 AND child_pk = $2",
            args![parent.0, child.0],
        )?;
        Ok(())
    }
}
