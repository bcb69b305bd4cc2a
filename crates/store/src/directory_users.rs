//! The directory: users as the products see them, and their attributes.

use std::collections::BTreeMap;

use directory::{
    Account, Attributes, ConnectorId, DirectoryId, Reason, SourceUserPk, Status, User, UserPk,
};
use jiff::Timestamp;
use scim::fold;

use crate::{Arg, ReadTx, Row, StoreError, WriteTx, args, connectors::json, sql};

/// An account with everything that an evaluation and its carrying out need.
#[derive(Debug, Clone)]
pub struct StoredAccount {
    /// The user.
    pub user: User,
    /// The user of the source that feeds it; none after the IdP deleted that one.
    pub source: Option<SourceUserPk>,
    /// What the rules compare with.
    pub account: Account,
}

/// What a new account belongs to.
#[derive(Debug, Clone)]
pub struct AccountOwner {
    /// The directory it is in.
    pub directory: DirectoryId,
    /// The connector that owns it.
    pub connector: ConnectorId,
    /// The user of the source that feeds it.
    pub source: SourceUserPk,
    /// The IdP's `externalId` for it.
    pub external_id: Option<String>,
}

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
        status: Status::parse(row.str(7)?)
            .ok_or_else(|| StoreError::corrupt("directory_user.status"))?,
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

    /// The user with this number, tombstones included.
    pub fn directory_user_by_pk(
        &self,
        directory: DirectoryId,
        pk: UserPk,
    ) -> Result<Option<User>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM directory_user d WHERE d.pk = $1 AND d.directory_pk = $2"
        );
        self.query_one(&sql, args![pk.0, directory.0], read_user)
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
                "SELECT {COLUMNS} FROM directory_user d WHERE d.directory_pk = $1 AND d.pk IN ({})",
                sql::placeholders(2, chunk.len())
            );
            let mut arguments = args![directory.0];
            arguments.extend(chunk.into_iter().map(Into::into));
            found.extend(self.query(&statement, arguments, read_user)?);
        }
        Ok(found)
    }

    /// Every user that products see, in the order of the folded name, one after the other.
    pub fn each_directory_user(
        &self,
        directory: DirectoryId,
        each: &mut dyn FnMut(User) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM directory_user d WHERE d.directory_pk = $1 AND d.status <> 'removed' \
             ORDER BY d.name_fold"
        );
        self.for_each(&sql, args![directory.0], |row| each(read_user(row)?))
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
        let to = format!("{from}{}", char::MAX);
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
        let sql = format!(
            "SELECT {COLUMNS} FROM directory_user d WHERE d.directory_pk = $1 AND d.email_fold = $2 \
             AND d.status <> 'removed' ORDER BY d.name_fold"
        );
        self.query(&sql, args![directory.0, fold(email)], read_user)
    }

    /// How many users products see, by status.
    pub fn count_directory_users(
        &self,
        directory: DirectoryId,
    ) -> Result<Vec<(Status, i64)>, StoreError> {
        self.query(
            "SELECT status, count(*) FROM directory_user WHERE directory_pk = $1 GROUP BY status ORDER BY status",
            args![directory.0],
            |row| {
                Ok((
                    Status::parse(row.str(0)?)
                        .ok_or_else(|| StoreError::corrupt("directory_user.status"))?,
                    row.int(1)?,
                ))
            },
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

    /// The account that a user of the source feeds.
    pub fn account_of_source(
        &self,
        source: SourceUserPk,
    ) -> Result<Option<StoredAccount>, StoreError> {
        self.account_where("d.source_user_pk = $1", args![source.0])
    }

    /// The account with this number.
    pub fn account(&self, user: UserPk) -> Result<Option<StoredAccount>, StoreError> {
        self.account_where("d.pk = $1", args![user.0])
    }

    /// An account of this connector that the IdP deleted and that has this `externalId`: the same
    /// person coming back.
    pub fn orphan_by_external_id(
        &self,
        connector: ConnectorId,
        external_id: &str,
    ) -> Result<Option<StoredAccount>, StoreError> {
        self.account_where(
            "d.connector_pk = $1 AND d.external_id = $2 AND d.source_user_pk IS NULL",
            args![connector.0, external_id],
        )
    }

    /// The account that holds a name, if it belongs to this connector and the IdP deleted its user.
    pub fn orphan_by_name(
        &self,
        connector: ConnectorId,
        directory: DirectoryId,
        name: &str,
    ) -> Result<Option<StoredAccount>, StoreError> {
        self.account_where(
            "d.directory_pk = $1 AND d.name_fold = $2 AND d.status <> 'removed' AND d.connector_pk = $3 \
             AND d.source_user_pk IS NULL",
            args![directory.0, fold(name), connector.0],
        )
    }

    fn account_where(
        &self,
        condition: &str,
        arguments: Vec<crate::Arg<'_>>,
    ) -> Result<Option<StoredAccount>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS}, d.source_user_pk, d.out_of_scope_since, d.restore FROM directory_user d \
             WHERE {condition} ORDER BY d.pk DESC LIMIT 1"
        );
        let found = self.query_one(&sql, arguments, |row| {
            let restore: Vec<String> = serde_json::from_str(row.str(15)?)
                .map_err(|error| StoreError::corrupt(format!("directory_user.restore: {error}")))?;
            Ok((
                read_user(row)?,
                row.opt_int(13)?.map(SourceUserPk),
                row.opt_time(14)?,
                restore,
            ))
        })?;
        let Some((user, source, out_of_scope_since, restore)) = found else {
            return Ok(None);
        };
        let memberships = self.memberships_of(user.pk)?;
        let extra = self.mapped_attributes(user.pk)?;
        let account = Account {
            attributes: Attributes {
                username: user.name.clone(),
                email: user.email.clone(),
                display_name: user.display_name.clone(),
                first_name: user.first_name.clone(),
                last_name: user.last_name.clone(),
                extra,
            },
            status: user.status,
            reason: user.reason,
            memberships,
            out_of_scope_since,
            restore,
        };
        Ok(Some(StoredAccount {
            user,
            source,
            account,
        }))
    }

    fn mapped_attributes(&self, user: UserPk) -> Result<BTreeMap<String, Vec<String>>, StoreError> {
        Ok(self
            .query(
                "SELECT name, vals FROM user_attribute WHERE user_pk = $1 AND origin = 'rule' ORDER BY name_fold",
                args![user.0],
                read_attribute,
            )?
            .into_iter()
            .map(|attribute| (attribute.name, attribute.values))
            .collect())
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
        values: serde_json::from_str(row.str(1)?)
            .map_err(|error| StoreError::corrupt(format!("attribute: {error}")))?,
    })
}

impl WriteTx<'_> {
    /// Makes an account with a new key. A taken name is [`StoreError::Conflict`] on `directory_user_name`.
    pub fn insert_account(
        &self,
        owner: &AccountOwner,
        attributes: &Attributes,
        status: Status,
        reason: Reason,
    ) -> Result<UserPk, StoreError> {
        let key = format!("{}:{}", owner.directory, self.new_id());
        let now = self.now();
        let pk = self.insert(
            "INSERT INTO directory_user (directory_pk, key, connector_pk, source_user_pk, external_id, name, name_fold, \
             first_name, last_name, display_name, email, email_fold, status, reason, restore, created, updated) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, '[]', $15, $16) RETURNING pk",
            args![
                owner.directory.0,
                key,
                owner.connector.0,
                owner.source.0,
                owner.external_id.as_deref(),
                attributes.username.as_str(),
                fold(&attributes.username),
                attributes.first_name.as_str(),
                attributes.last_name.as_str(),
                attributes.display_name.as_str(),
                attributes.email.as_str(),
                fold(&attributes.email),
                status.as_str(),
                reason.as_str(),
                now,
                now
            ],
        )?;
        let user = UserPk(pk);
        self.set_mapped_attributes(user, &BTreeMap::new(), &attributes.extra)?;
        Ok(user)
    }

    /// Writes names, e-mail and mapped attributes of a user. A taken name is
    /// [`StoreError::Conflict`] on `directory_user_name`.
    pub fn update_account(
        &self,
        user: UserPk,
        before: &Attributes,
        after: &Attributes,
    ) -> Result<(), StoreError> {
        let now = self.now();
        self.execute(
            "UPDATE directory_user SET name = $1, name_fold = $2, first_name = $3, last_name = $4, display_name = $5, \
             email = $6, email_fold = $7, updated = $8 WHERE pk = $9",
            args![
                after.username.as_str(),
                fold(&after.username),
                after.first_name.as_str(),
                after.last_name.as_str(),
                after.display_name.as_str(),
                after.email.as_str(),
                fold(&after.email),
                now,
                user.0
            ],
        )?;
        self.set_mapped_attributes(user, &before.extra, &after.extra)
    }

    /// Gives a user a new status. A tombstone keeps the names of the groups it had.
    pub fn set_account_status(
        &self,
        user: UserPk,
        status: Status,
        reason: Reason,
        restore: &[String],
    ) -> Result<(), StoreError> {
        let now = self.now();
        self.execute(
            "UPDATE directory_user SET status = $1, reason = $2, restore = $3, updated = $4 WHERE pk = $5",
            args![
                status.as_str(),
                reason.as_str(),
                crate::applications::json_list(restore),
                now,
                user.0
            ],
        )?;
        Ok(())
    }

    /// Notes since when no required group holds the user; no change that products see.
    pub fn set_out_of_scope_since(
        &self,
        user: UserPk,
        since: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        self.execute(
            "UPDATE directory_user SET out_of_scope_since = $1 WHERE pk = $2",
            args![since, user.0],
        )?;
        Ok(())
    }

    /// Ties an account to the user of the source that feeds it, and to the IdP's id for it.
    pub fn link_account(
        &self,
        user: UserPk,
        source: SourceUserPk,
        external_id: Option<&str>,
    ) -> Result<(), StoreError> {
        self.execute(
            "UPDATE directory_user SET source_user_pk = $1, external_id = $2 WHERE pk = $3",
            args![source.0, external_id, user.0],
        )?;
        Ok(())
    }

    /// Notes that a user of the source has to do without the name, since it is taken.
    pub fn note_name_conflict(
        &self,
        connector: ConnectorId,
        directory: DirectoryId,
        source: SourceUserPk,
        name: &str,
    ) -> Result<(), StoreError> {
        let now = self.now();
        self.execute(
            "INSERT INTO name_conflict (source_user_pk, connector_pk, directory_pk, name_fold, since) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (source_user_pk) DO UPDATE SET name_fold = excluded.name_fold",
            args![source.0, connector.0, directory.0, fold(name), now],
        )?;
        Ok(())
    }

    /// Notes that a user of the source has the name it should have.
    pub fn clear_name_conflict(&self, source: SourceUserPk) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM name_conflict WHERE source_user_pk = $1",
            args![source.0],
        )?;
        Ok(())
    }

    /// Sets an attribute of a user as a product wrote it; no values removes it.
    pub fn set_local_user_attribute(
        &self,
        user: UserPk,
        name: &str,
        values: &[String],
    ) -> Result<(), StoreError> {
        self.set_user_attribute(user, name, values, "local")
    }

    fn set_mapped_attributes(
        &self,
        user: UserPk,
        before: &BTreeMap<String, Vec<String>>,
        after: &BTreeMap<String, Vec<String>>,
    ) -> Result<(), StoreError> {
        for name in before.keys().filter(|name| !after.contains_key(*name)) {
            self.set_user_attribute(user, name, &[], "rule")?;
        }
        for (name, values) in after {
            if before.get(name) != Some(values) {
                self.set_user_attribute(user, name, values, "rule")?;
            }
        }
        Ok(())
    }

    fn set_user_attribute(
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
