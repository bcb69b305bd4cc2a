//! The directory: groups and memberships as the products see them.

use std::collections::{BTreeSet, HashMap};

use directory::{DirectoryId, Group, GroupPk, Membership, Origin, SourceGroupPk, User, UserPk};
use scim::fold;

use crate::directory_users::{self, Attribute, read_attribute};
use crate::{
    Arg, ReadTx, Row, StoreError, WriteTx, applications::json_list, args, connectors::json, sql,
};

/// The columns of [`read_group`], in its order, of a table called `g`.
pub(crate) const COLUMNS: &str = "g.pk, g.name, g.description, g.is_local, g.created, g.updated";

/// Reads a row of [`COLUMNS`].
pub(crate) fn read_group(row: &Row<'_>) -> Result<Group, StoreError> {
    Ok(Group {
        pk: GroupPk(row.int(0)?),
        name: row.text(1)?,
        description: row.text(2)?,
        local: row.flag(3)?,
        created: row.time(4)?,
        updated: row.time(5)?,
    })
}

pub(crate) fn read_origins(text: &str) -> Result<BTreeSet<Origin>, StoreError> {
    serde_json::from_str(text)
        .map_err(|error| StoreError::corrupt(format!("membership.origins: {error}")))
}

impl ReadTx<'_> {
    /// The group of this name, compared by [`fold`].
    pub fn directory_group(
        &self,
        directory: DirectoryId,
        name: &str,
    ) -> Result<Option<Group>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM directory_group g WHERE g.directory_pk = $1 AND g.name_fold = $2"
        );
        self.query_one(&sql, args![directory.0, fold(name)], read_group)
    }

    /// Those of these groups that exist, in no order.
    pub fn directory_groups_by_pk(
        &self,
        directory: DirectoryId,
        groups: &[GroupPk],
    ) -> Result<Vec<Group>, StoreError> {
        let mut found = Vec::with_capacity(groups.len());
        for chunk in sql::chunks(groups.iter().map(|group| group.0)) {
            let statement = format!(
                "SELECT {COLUMNS} FROM directory_group g WHERE +g.directory_pk = $1 AND g.pk IN ({})",
                sql::placeholders(2, chunk.len())
            );
            let mut arguments = args![directory.0];
            arguments.extend(chunk.into_iter().map(Into::into));
            found.extend(self.query(&statement, arguments, read_group)?);
        }
        Ok(found)
    }

    /// Every group whose folded name comes behind that of `after` (all, if it is empty), in the
    /// order of the folded name, one after the other.
    pub fn each_directory_group(
        &self,
        directory: DirectoryId,
        after: &str,
        each: &mut dyn FnMut(Group) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM directory_group g WHERE g.directory_pk = $1 AND g.name_fold > $2 \
             ORDER BY g.name_fold"
        );
        self.for_each(&sql, args![directory.0, fold(after)], |row| {
            each(read_group(row)?)
        })
    }

    /// A page of the groups in the order of the folded name.
    pub fn directory_groups(
        &self,
        directory: DirectoryId,
        skip: i64,
        limit: i64,
    ) -> Result<Vec<Group>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM directory_group g WHERE g.directory_pk = $1 ORDER BY g.name_fold LIMIT $2 OFFSET $3"
        );
        self.query(&sql, args![directory.0, limit, skip], read_group)
    }

    /// The groups that a user is in, by name. Here and below, a cross join begins with the few rows that the question
    /// is about: the embedded engine knows no numbers of rows, and would go through all groups to spare the sorting.
    pub fn groups_of_user(
        &self,
        directory: DirectoryId,
        user: UserPk,
    ) -> Result<Vec<Group>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM membership m CROSS JOIN directory_group g \
             WHERE m.user_pk = $1 AND g.pk = m.group_pk AND g.directory_pk = $2 ORDER BY g.name_fold"
        );
        self.query(&sql, args![user.0, directory.0], read_group)
    }

    /// The names of the groups of several users.
    pub fn group_names_of_many(
        &self,
        users: &[UserPk],
    ) -> Result<HashMap<UserPk, Vec<String>>, StoreError> {
        let mut found: HashMap<UserPk, Vec<String>> = HashMap::with_capacity(users.len());
        for chunk in sql::chunks(users.iter().map(|user| user.0)) {
            let statement = format!(
                "SELECT m.user_pk, g.name FROM membership m JOIN directory_group g ON g.pk = m.group_pk \
                 WHERE m.user_pk IN ({}) ORDER BY m.user_pk, g.name_fold",
                sql::placeholders(1, chunk.len())
            );
            let arguments: Vec<Arg<'_>> = chunk.into_iter().map(Into::into).collect();
            for (user, name) in self.query(&statement, arguments, |row| {
                Ok((UserPk(row.int(0)?), row.text(1)?))
            })? {
                found.entry(user).or_default().push(name);
            }
        }
        Ok(found)
    }

    /// The users in a group whose folded name comes behind that of `after` (all, if it is empty), in the order of the
    /// folded name, one after the other.
    pub fn each_user_of_group(
        &self,
        directory: DirectoryId,
        group: GroupPk,
        after: &str,
        each: &mut dyn FnMut(User) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let columns = directory_users::COLUMNS;
        // Of few users all are read and put in order. Most users of a directory are met on the way through it, so that
        // the first of them come at once.
        let sql = match self.has_many_of(directory, group)? {
            false => format!(
                "SELECT {columns} FROM membership m CROSS JOIN directory_user d \
                 WHERE m.group_pk = $1 AND d.pk = m.user_pk AND +d.directory_pk = $2 AND d.status <> 'removed' \
                 AND d.name_fold > $3 ORDER BY d.name_fold"
            ),
            true => format!(
                "SELECT {columns} FROM directory_user d WHERE d.directory_pk = $2 AND d.status <> 'removed' \
                 AND d.name_fold > $3 AND EXISTS \
                 (SELECT 1 FROM membership m WHERE m.user_pk = d.pk AND m.group_pk = $1) ORDER BY d.name_fold"
            ),
        };
        self.for_each(&sql, args![group.0, directory.0, fold(after)], |row| {
            each(directory_users::read_user(row)?)
        })
    }

    /// Whether a group has more than an eighth of the users of its directory.
    fn has_many_of(&self, directory: DirectoryId, group: GroupPk) -> Result<bool, StoreError> {
        let users = self.query_one(
            "SELECT active_users + disabled_users FROM directory WHERE pk = $1",
            args![directory.0],
            |row| row.int(0),
        )?;
        let part = users.unwrap_or(0) / 8;
        let found = self.query_one(
            "SELECT count(*) FROM (SELECT 1 FROM membership WHERE group_pk = $1 LIMIT $2) x",
            args![group.0, part + 1],
            |row| row.int(0),
        )?;
        Ok(found.unwrap_or(0) > part)
    }

    /// Numbers of the users in a group.
    pub fn user_pks_of_group(&self, group: GroupPk, limit: i64) -> Result<Vec<UserPk>, StoreError> {
        self.query(
            "SELECT user_pk FROM membership WHERE group_pk = $1 ORDER BY user_pk LIMIT $2",
            args![group.0, limit],
            |row| Ok(UserPk(row.int(0)?)),
        )
    }

    /// Why a user is in a group; none if it is not.
    pub fn membership_origins(
        &self,
        group: GroupPk,
        user: UserPk,
    ) -> Result<Option<BTreeSet<Origin>>, StoreError> {
        self.query_one(
            "SELECT origins FROM membership WHERE group_pk = $1 AND user_pk = $2",
            args![group.0, user.0],
            |row| read_origins(row.str(0)?),
        )
    }

    /// Why each of these users is in a group, if it is.
    pub fn membership_origins_of(
        &self,
        group: GroupPk,
        users: &[UserPk],
    ) -> Result<HashMap<UserPk, BTreeSet<Origin>>, StoreError> {
        let mut found = HashMap::with_capacity(users.len());
        for chunk in sql::chunks(users.iter().map(|user| user.0)) {
            let list = sql::placeholders(2, chunk.len());
            let statement = format!(
                "SELECT user_pk, origins FROM membership WHERE group_pk = $1 AND user_pk IN ({list})"
            );
            let mut arguments = args![group.0];
            arguments.extend(chunk.into_iter().map(Arg::from));
            self.for_each(&statement, arguments, |row| {
                found.insert(UserPk(row.int(0)?), read_origins(row.str(1)?)?);
                Ok(())
            })?;
        }
        Ok(found)
    }

    /// The numbers of a group's members, whatever their status.
    pub fn member_pks(&self, group: GroupPk) -> Result<Vec<UserPk>, StoreError> {
        self.query(
            "SELECT user_pk FROM membership WHERE group_pk = $1 ORDER BY user_pk",
            args![group.0],
            |row| Ok(UserPk(row.int(0)?)),
        )
    }

    /// The memberships of a user with their origins, by group name.
    pub fn memberships_of(&self, user: UserPk) -> Result<Vec<Membership>, StoreError> {
        self.query(
            "SELECT g.name, m.origins FROM membership m JOIN directory_group g ON g.pk = m.group_pk \
             WHERE m.user_pk = $1 ORDER BY g.name_fold",
            args![user.0],
            |row| {
                Ok(Membership {
                    group: row.text(0)?,
                    origins: read_origins(row.str(1)?)?,
                })
            },
        )
    }

    /// Every group with the names of its users and its child groups, for a listing of all memberships: first `group`
    /// with the name, then `user` for each user, then `child` for each child group, then the next group. The names of all users are
    /// held in memory meanwhile, so that a million memberships cost a walk over one index.
    pub fn each_membership(
        &self,
        directory: DirectoryId,
        each: &mut dyn FnMut(MembershipItem<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut names: HashMap<i64, Box<str>> = HashMap::new();
        self.for_each(
            "SELECT pk, name FROM directory_user WHERE directory_pk = $1 AND status <> 'removed'",
            args![directory.0],
            |row| {
                names.insert(row.int(0)?, row.str(1)?.into());
                Ok(())
            },
        )?;
        let groups = self.query(
            "SELECT pk, name FROM directory_group WHERE directory_pk = $1 ORDER BY name_fold",
            args![directory.0],
            |row| Ok((row.int(0)?, row.text(1)?)),
        )?;
        let nestings = self.nestings(directory)?;
        let group_names: HashMap<i64, &str> = match nestings.is_empty() {
            true => HashMap::new(),
            false => groups
                .iter()
                .map(|(pk, name)| (*pk, name.as_str()))
                .collect(),
        };
        for (group, name) in &groups {
            each(MembershipItem::Group(name))?;
            self.for_each(
                "SELECT user_pk FROM membership WHERE group_pk = $1 ORDER BY user_pk",
                args![*group],
                |row| match names.get(&row.int(0)?) {
                    Some(user) => each(MembershipItem::User(user)),
                    None => Ok(()),
                },
            )?;
            let children = nestings.get(&GroupPk(*group)).into_iter().flatten();
            for name in children.filter_map(|child| group_names.get(&child.0)) {
                each(MembershipItem::Child(name))?;
            }
        }
        Ok(())
    }

    /// All attributes of a group by name.
    pub fn group_attributes(&self, group: GroupPk) -> Result<Vec<Attribute>, StoreError> {
        self.query(
            "SELECT name, vals FROM group_attribute WHERE group_pk = $1 ORDER BY name_fold",
            args![group.0],
            read_attribute,
        )
    }

    /// How many users a group has.
    pub fn count_group_users(&self, group: GroupPk) -> Result<i64, StoreError> {
        Ok(self
            .query_one(
                "SELECT count(*) FROM membership WHERE group_pk = $1",
                args![group.0],
                |row| row.int(0),
            )?
            .unwrap_or(0))
    }

    /// The group that a source group feeds.
    pub fn bound_group(&self, source: SourceGroupPk) -> Result<Option<Group>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM group_binding b JOIN directory_group g ON g.pk = b.group_pk \
             WHERE b.source_group_pk = $1"
        );
        self.query_one(&sql, args![source.0], read_group)
    }

    /// How many source groups feed a group.
    pub fn count_bindings(&self, group: GroupPk) -> Result<i64, StoreError> {
        Ok(self
            .query_one(
                "SELECT count(*) FROM group_binding WHERE group_pk = $1",
                args![group.0],
                |row| row.int(0),
            )?
            .unwrap_or(0))
    }
}

/// What a listing of all memberships goes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MembershipItem<'a> {
    /// A group begins.
    Group(&'a str),
    /// A user in it.
    User(&'a str),
    /// A group in it.
    Child(&'a str),
}

impl WriteTx<'_> {
    /// Makes a group. A taken name is [`StoreError::Conflict`] on `directory_group_name`.
    pub fn insert_directory_group(
        &self,
        directory: DirectoryId,
        name: &str,
        description: &str,
        local: bool,
    ) -> Result<Group, StoreError> {
        let now = self.now();
        let pk = self.insert(
            "INSERT INTO directory_group (directory_pk, name, name_fold, description, is_local, created, updated) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING pk",
            args![directory.0, name, fold(name), description, local, now, now],
        )?;
        self.count_groups(directory, 1)?;
        Ok(Group {
            pk: GroupPk(pk),
            name: name.to_owned(),
            description: description.to_owned(),
            local,
            created: now,
            updated: now,
        })
    }

    /// Writes name and description of a group. A taken name is [`StoreError::Conflict`] on
    /// `directory_group_name`.
    pub fn update_directory_group(
        &self,
        group: GroupPk,
        name: &str,
        description: &str,
    ) -> Result<(), StoreError> {
        let now = self.now();
        self.execute(
            "UPDATE directory_group SET name = $1, name_fold = $2, description = $3, updated = $4 WHERE pk = $5",
            args![name, fold(name), description, now, group.0],
        )?;
        Ok(())
    }

    /// Deletes a group with its memberships, its places in other groups and theirs in it, and its attributes.
    pub fn delete_directory_group(&self, group: GroupPk) -> Result<(), StoreError> {
        let directory = self.query_one(
            "SELECT directory_pk FROM directory_group WHERE pk = $1",
            args![group.0],
            |row| Ok(DirectoryId(row.int(0)?)),
        )?;
        if let Some(directory) = directory {
            self.count_groups(directory, -1)?;
        }
        for sql in [
            "DELETE FROM membership WHERE group_pk = $1",
            "DELETE FROM group_nesting WHERE parent_pk = $1",
            "DELETE FROM group_nesting WHERE child_pk = $1",
            "DELETE FROM due_nesting WHERE group_pk = $1",
            "DELETE FROM due_group WHERE group_pk = $1",
            "DELETE FROM group_attribute WHERE group_pk = $1",
            "DELETE FROM group_binding WHERE group_pk = $1",
            "DELETE FROM former_feed WHERE group_pk = $1",
            "DELETE FROM directory_group WHERE pk = $1",
        ] {
            self.execute(sql, args![group.0])?;
        }
        Ok(())
    }

    /// Notes which group a source group feeds, or that it feeds none.
    pub fn bind_group(
        &self,
        source: SourceGroupPk,
        group: Option<GroupPk>,
    ) -> Result<(), StoreError> {
        match group {
            Some(group) => self.execute(
                "INSERT INTO group_binding (source_group_pk, group_pk) VALUES ($1, $2) \
                 ON CONFLICT (source_group_pk) DO UPDATE SET group_pk = excluded.group_pk",
                args![source.0, group.0],
            )?,
            None => self.execute(
                "DELETE FROM group_binding WHERE source_group_pk = $1",
                args![source.0],
            )?,
        };
        Ok(())
    }

    /// Notes that a source group fed a group until now.
    pub fn note_former_feed(
        &self,
        source: SourceGroupPk,
        group: GroupPk,
    ) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO former_feed (source_group_pk, group_pk) VALUES ($1, $2) \
             ON CONFLICT (source_group_pk, group_pk) DO NOTHING",
            args![source.0, group.0],
        )?;
        Ok(())
    }

    /// Puts a user into a group, or writes anew why it is there.
    pub fn put_membership(
        &self,
        group: GroupPk,
        user: UserPk,
        origins: &BTreeSet<Origin>,
    ) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO membership (group_pk, user_pk, origins) VALUES ($1, $2, $3) \
             ON CONFLICT (group_pk, user_pk) DO UPDATE SET origins = excluded.origins",
            args![group.0, user.0, json(origins)?],
        )?;
        Ok(())
    }

    /// Takes a user out of a group.
    pub fn delete_membership(&self, group: GroupPk, user: UserPk) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM membership WHERE group_pk = $1 AND user_pk = $2",
            args![group.0, user.0],
        )?;
        Ok(())
    }

    /// Takes a user out of every group.
    pub fn delete_memberships_of(&self, user: UserPk) -> Result<(), StoreError> {
        self.execute("DELETE FROM membership WHERE user_pk = $1", args![user.0])?;
        Ok(())
    }

    /// Sets an attribute of a group as a product wrote it; no values removes it.
    pub fn set_group_attribute(
        &self,
        group: GroupPk,
        name: &str,
        values: &[String],
    ) -> Result<(), StoreError> {
        if values.is_empty() {
            self.execute(
                "DELETE FROM group_attribute WHERE group_pk = $1 AND name_fold = $2",
                args![group.0, fold(name)],
            )?;
        } else {
            self.execute(
                "INSERT INTO group_attribute (group_pk, name_fold, name, vals) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (group_pk, name_fold) DO UPDATE SET name = excluded.name, vals = excluded.vals",
                args![group.0, fold(name), name, json_list(values)],
            )?;
        }
        Ok(())
    }
}
