//! What a reader needs that lays several directories one over the other: pieces of lists in the order of the
//! folded name, and look-ups of many names at once.

use std::ops::Bound;

use directory::{DirectoryId, Group, GroupPk, User, UserPk};
use scim::fold;

use crate::directory_groups::{self, read_group};
use crate::directory_users::{self, read_user};
use crate::{Arg, ReadTx, StoreError, args, sql};

impl ReadTx<'_> {
    /// A piece of the users that products see, in the order of the folded name, from a name on.
    pub fn directory_users_from(
        &self,
        directory: DirectoryId,
        from: Bound<&str>,
        limit: i64,
    ) -> Result<Vec<User>, StoreError> {
        let (compared, name) = begins(from);
        let sql = format!(
            "SELECT {} FROM directory_user d WHERE d.directory_pk = $1 AND d.name_fold {compared} $2 \
             AND d.status <> 'removed' ORDER BY d.name_fold LIMIT $3",
            directory_users::COLUMNS
        );
        self.query(&sql, args![directory.0, name, limit], read_user)
    }

    /// A piece of the groups in the order of the folded name, from a name on.
    pub fn directory_groups_from(
        &self,
        directory: DirectoryId,
        from: Bound<&str>,
        limit: i64,
    ) -> Result<Vec<Group>, StoreError> {
        let (compared, name) = begins(from);
        let sql = format!(
            "SELECT {} FROM directory_group g WHERE g.directory_pk = $1 AND g.name_fold {compared} $2 \
             ORDER BY g.name_fold LIMIT $3",
            directory_groups::COLUMNS
        );
        self.query(&sql, args![directory.0, name, limit], read_group)
    }

    /// Those users that products see and that have one of these names, compared by [`fold`], in no order.
    pub fn directory_users_named<'n>(
        &self,
        directory: DirectoryId,
        names: impl Iterator<Item = &'n str>,
    ) -> Result<Vec<User>, StoreError> {
        let mut found = Vec::new();
        for chunk in sql::chunks(names.map(fold)) {
            let statement = format!(
                "SELECT {} FROM directory_user d WHERE d.directory_pk = $1 AND d.status <> 'removed' \
                 AND d.name_fold IN ({})",
                directory_users::COLUMNS,
                sql::placeholders(2, chunk.len())
            );
            found.extend(self.query(&statement, with_texts(directory, chunk), read_user)?);
        }
        Ok(found)
    }

    /// Those groups that have one of these names, compared by [`fold`], in no order.
    pub fn directory_groups_named<'n>(
        &self,
        directory: DirectoryId,
        names: impl Iterator<Item = &'n str>,
    ) -> Result<Vec<Group>, StoreError> {
        let mut found = Vec::new();
        for chunk in sql::chunks(names.map(fold)) {
            let statement = format!(
                "SELECT {} FROM directory_group g WHERE g.directory_pk = $1 AND g.name_fold IN ({})",
                directory_groups::COLUMNS,
                sql::placeholders(2, chunk.len())
            );
            found.extend(self.query(&statement, with_texts(directory, chunk), read_group)?);
        }
        Ok(found)
    }

    /// Number and name of every user that products see, in no order.
    pub fn each_user_name(
        &self,
        directory: DirectoryId,
        each: &mut dyn FnMut(UserPk, &str) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.for_each(
            "SELECT pk, name FROM directory_user WHERE directory_pk = $1 AND status <> 'removed'",
            args![directory.0],
            |row| each(UserPk(row.int(0)?), row.str(1)?),
        )
    }

    /// Number and name of every group, in the order of the folded name.
    pub fn group_names(
        &self,
        directory: DirectoryId,
    ) -> Result<Vec<(GroupPk, String)>, StoreError> {
        self.query(
            "SELECT pk, name FROM directory_group WHERE directory_pk = $1 ORDER BY name_fold",
            args![directory.0],
            |row| Ok((GroupPk(row.int(0)?), row.text(1)?)),
        )
    }

    /// Number of every user in a group, in ascending order.
    pub fn each_user_pk_of_group(
        &self,
        group: GroupPk,
        each: &mut dyn FnMut(UserPk) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.for_each(
            "SELECT user_pk FROM membership WHERE group_pk = $1 ORDER BY user_pk",
            args![group.0],
            |row| each(UserPk(row.int(0)?)),
        )
    }
}

/// The comparison and the folded name with which a piece begins.
fn begins(from: Bound<&str>) -> (&'static str, String) {
    match from {
        Bound::Included(name) => (">=", fold(name)),
        Bound::Excluded(name) => (">", fold(name)),
        Bound::Unbounded => (">", String::new()),
    }
}

fn with_texts(directory: DirectoryId, texts: Vec<String>) -> Vec<Arg<'static>> {
    let mut arguments = args![directory.0];
    arguments.extend(texts.into_iter().map(Into::into));
    arguments
}
