//! The directory: users as the products see them, and their attributes.

use directory::{ConnectorId, DirectoryId, Reason, SourceUserPk, Status, User, UserPk};
use scim::fold;

use crate::{Arg, ReadTx, Row, StoreError, WriteTx, args, connectors::json, sql};

/// One attribute of a user or a group: a name with one or more texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// The name in its stored spelling.
    pub name: String,
    /// The values.
    pub values: Vec<String>,
}

/// The columns of [`read_user`], in its order, of a table called `d`.
pub(crate) const COLUMNS: &str = "d.pk, d.key, d.name, d.first_name, d.last_name, d.display_name, d.email, d.status, \
     d.reason, d.connector_pk, d.external_id, d.created, d.updated";

/// Reads a status.
pub(crate) fn read_status(row: &Row<'_>, column: usize) -> Result<Status, StoreError> {
    Status::parse(row.str(column)?).ok_or_else(|| StoreError::corrupt("directory_user.status"))
}

/// Reads a row of [`COLUMNS`].
pub(crate) fn read_user(row: &Row<'_>) -> Result<User, StoreError> {
    Ok(User {
        pk: UserPk(row.int(0)?),
        key: row.text(1)?,
        name: row.text(2)?,
        first_name: row.text(3)?,
        last_name: row.text(4)?,
        display_name: row.text(5)?,
        email: row.text(6)?,
        status: read_status(row, 7)?,
        reason: Reason::parse(row.str(8)?)
            .ok_or_else(|| StoreError::corrupt("directory_user.reason"))?,
        connector: row.opt_int(9)?.map(ConnectorId),
        external_id: row.opt_text(10)?,
        created: row.time(11)?,
        updated: row.time(12)?,
    })
}

impl ReadTx<'_> {
    /// The user of this name that products see, compared by [`fold`].
    pub fn directory_user(
        &self,
        directory: DirectoryId,
        name: &str,
    ) -> Result<Option<User>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM directory_user d \
             WHERE d.directory_pk = $1 AND d.name_fold = $2 AND d.status <> 'removed'"
        );
        self.query_one(&sql, args![directory.0, fold(name)], read_user)
    }

    /// The user with this Crowd key, compared exactly.
    pub fn directory_user_by_key(
        &self,
        directory: DirectoryId,
        key: &str,
    ) -> Result<Option<User>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM directory_user d \
             WHERE d.key = $1 AND d.directory_pk = $2 AND d.status <> 'removed'"
        );
        self.query_one(&sql, args![key, directory.0], read_user)
    }

    /// The user of this key in whichever directory, tombstones included.
    pub fn user_of_key(&self, key: &str) -> Result<Option<UserPk>, StoreError> {
        self.query_one(
            "SELECT pk FROM directory_user WHERE key = $1",
            args![key],
            |row| Ok(UserPk(row.int(0)?)),
        )
    }

    /// Those of these users that exist, tombstones included, in no order.
    pub fn directory_users_by_pk(
        &self,
        directory: DirectoryId,
        users: &[UserPk],
    ) -> Result<Vec<User>, StoreError> {
        let mut found = Vec::with_capacity(users.len());
        for chunk in sql::chunks(users.iter().map(|user| user.0)) {
            let statement = format!(
                "SELECT {COLUMNS} FROM directory_user d WHERE +d.directory_pk = $1 AND d.pk IN ({})",
                sql::placeholders(2, chunk.len())
            );
            let mut arguments = args![directory.0];
            arguments.extend(chunk.into_iter().map(Into::into));
            found.extend(self.query(&statement, arguments, read_user)?);
        }
        Ok(found)
    }

    /// Every user that products see whose folded name comes behind that of `after` (all, if it is
    /// empty), in the order of the folded name, one after the other.
    pub fn each_directory_user(
        &self,
        directory: DirectoryId,
        after: &str,
        each: &mut dyn FnMut(User) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.each_directory_user_who(directory, after, None, each)
    }

    /// The same, of those who may log in alone, or of those who may not, if `active` says so: each by an index of its own.
    pub fn each_directory_user_who(
        &self,
        directory: DirectoryId,
        after: &str,
        active: Option<bool>,
        each: &mut dyn FnMut(User) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let sql = match active {
            None => format!(
                "SELECT {COLUMNS} FROM directory_user d WHERE d.directory_pk = $1 AND d.name_fold > $2 \
                 AND d.status <> 'removed' ORDER BY d.name_fold"
            ),
            Some(true) => format!(
                "SELECT {COLUMNS} FROM directory_user d WHERE d.directory_pk = $1 AND d.name_fold > $2 \
                 AND d.status = 'active' ORDER BY d.name_fold"
            ),
            Some(false) => format!(
                "SELECT {COLUMNS} FROM directory_user d WHERE d.directory_pk = $1 AND d.name_fold > $2 \
                 AND d.status NOT IN ('active', 'removed') ORDER BY d.name_fold"
            ),
        };
        self.for_each(&sql, args![directory.0, fold(after)], |row| {
            each(read_user(row)?)
        })
    }

    /// A page of the users that products see, in the order of the folded name.
    pub fn directory_users(
        &self,
        directory: DirectoryId,
        skip: i64,
        limit: i64,
    ) -> Result<Vec<User>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM directory_user d WHERE d.directory_pk = $1 AND d.status <> 'removed' \
             ORDER BY d.name_fold LIMIT $2 OFFSET $3"
        );
        self.query(&sql, args![directory.0, limit, skip], read_user)
    }

    /// Users whose folded name begins with the fold of `prefix`, in order.
    pub fn directory_users_by_prefix(
        &self,
        directory: DirectoryId,
        prefix: &str,
        each: &mut dyn FnMut(User) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let from = fold(prefix);
        let sql = format!(
            "SELECT {COLUMNS} FROM directory_user d WHERE d.directory_pk = $1 AND d.status <> 'removed' \
             AND d.name_fold >= $2 AND d.name_fold < $3 ORDER BY d.name_fold"
        );
        let to = sql::after_prefix(&from).unwrap_or(char::MAX.into());
        self.for_each(&sql, args![directory.0, from, to], |row| {
            each(read_user(row)?)
        })
    }

    /// Users with this e-mail address, compared by [`fold`].
    pub fn directory_users_by_email(
        &self,
        directory: DirectoryId,
        email: &str,
    ) -> Result<Vec<User>, StoreError> {
        // The order is not one of an index, or the embedded engine would go through all names to spare the sorting.
        let sql = format!(
            "SELECT {COLUMNS} FROM directory_user d WHERE d.directory_pk = $1 AND d.email_fold = $2 \
             AND d.status <> 'removed' ORDER BY d.name_fold || ''"
        );
        self.query(&sql, args![directory.0, fold(email)], read_user)
    }

    /// Users with one of these folded e-mail addresses.
    pub fn directory_users_addressed(
        &self,
        directory: DirectoryId,
        folded: &[String],
    ) -> Result<Vec<User>, StoreError> {
        let mut found = Vec::new();
        for chunk in sql::chunks(folded.iter()) {
            let statement = format!(
                "SELECT {COLUMNS} FROM directory_user d WHERE d.directory_pk = $1 AND d.status <> 'removed' \
                 AND d.email_fold IN ({})",
                sql::placeholders(2, chunk.len())
            );
            let mut arguments = args![directory.0];
            arguments.extend(chunk.into_iter().map(|value| value.as_str().into()));
            found.extend(self.query(&statement, arguments, read_user)?);
        }
        Ok(found)
    }

    /// Up to two users with one value of an attribute that no rule wrote: more would not be told apart either.
    pub fn directory_users_by_attribute(
        &self,
        directory: DirectoryId,
        name: &str,
        value: &str,
    ) -> Result<Vec<User>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM user_attribute a JOIN directory_user d ON d.pk = a.user_pk \
             WHERE a.name_fold = $1 AND a.vals = $2 AND a.origin <> 'rule' AND length(a.vals) <= 400 \
             AND d.directory_pk = $3 AND d.status <> 'removed' ORDER BY d.pk LIMIT 2"
        );
        self.query(
            &sql,
            args![fold(name), json(&[value])?, directory.0],
            read_user,
        )
    }

    /// The source user behind a user, if the IdP still has one.
    pub fn source_behind(&self, user: UserPk) -> Result<Option<SourceUserPk>, StoreError> {
        Ok(self
            .query_one(
                "SELECT source_user_pk FROM directory_user WHERE pk = $1",
                args![user.0],
                |row| row.opt_int(0),
            )?
            .flatten()
            .map(SourceUserPk))
    }

    /// All attributes of a user, mapped and written by products, by name.
    pub fn user_attributes(&self, user: UserPk) -> Result<Vec<Attribute>, StoreError> {
        self.query(
            "SELECT name, vals FROM user_attribute WHERE user_pk = $1 ORDER BY name_fold",
            args![user.0],
            read_attribute,
        )
    }

    /// All attributes of several users.
    pub fn user_attributes_of_many(
        &self,
        users: &[UserPk],
    ) -> Result<Vec<(UserPk, Attribute)>, StoreError> {
        let mut found = Vec::new();
        for chunk in sql::chunks(users.iter().map(|user| user.0)) {
            let statement = format!(
                "SELECT name, vals, user_pk FROM user_attribute WHERE user_pk IN ({}) ORDER BY user_pk, name_fold",
                sql::placeholders(1, chunk.len())
            );
            let arguments: Vec<Arg<'_>> = chunk.into_iter().map(Into::into).collect();
            found.extend(self.query(&statement, arguments, |row| {
                Ok((UserPk(row.int(2)?), read_attribute(row)?))
            })?);
        }
        Ok(found)
    }

    /// Whether an attribute of a user comes from the rules, so that products may not write it.
    pub fn user_attribute_is_mapped(&self, user: UserPk, name: &str) -> Result<bool, StoreError> {
        Ok(self
            .query_one(
                "SELECT 1 FROM user_attribute WHERE user_pk = $1 AND name_fold = $2 AND origin = 'rule'",
                args![user.0, fold(name)],
                |row| row.int(0),
            )?
            .is_some())
    }
}

/// Reads name and values from the first two columns.
pub(crate) fn read_attribute(row: &Row<'_>) -> Result<Attribute, StoreError> {
    Ok(Attribute {
        name: row.text(0)?,
        values: read_values(row.str(1)?)?,
    })
}

/// Reads the values of an attribute.
pub(crate) fn read_values(text: &str) -> Result<Vec<String>, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::corrupt(format!("attribute: {error}")))
}

impl WriteTx<'_> {
    /// Sets an attribute of a user as a product wrote it; no values removes it.
    pub fn set_local_user_attribute(
        &self,
        user: UserPk,
        name: &str,
        values: &[String],
    ) -> Result<(), StoreError> {
        self.set_user_attribute(user, name, values, "local")
    }

    pub(crate) fn set_user_attribute(
        &self,
        user: UserPk,
        name: &str,
        values: &[String],
        origin: &str,
    ) -> Result<(), StoreError> {
        if values.is_empty() {
            self.execute(
                "DELETE FROM user_attribute WHERE user_pk = $1 AND name_fold = $2",
                args![user.0, fold(name)],
            )?;
        } else {
            self.execute(
                "INSERT INTO user_attribute (user_pk, name_fold, name, vals, origin) VALUES ($1, $2, $3, $4, $5) \
                 ON CONFLICT (user_pk, name_fold) DO UPDATE SET name = excluded.name, vals = excluded.vals, \
                 origin = excluded.origin",
                args![user.0, fold(name), name, json(&values)?, origin],
            )?;
        }
        Ok(())
    }
}
