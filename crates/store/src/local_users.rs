//! Users who are kept here, by no identity provider, and their passwords.

use directory::{Attributes, DirectoryId, Reason, Status, User, UserPk};
use scim::fold;

use crate::{ReadTx, StoreError, WriteTx, args};

/// The password of a user.
#[derive(Clone, PartialEq, Eq)]
pub struct KeptPassword {
    /// argon2id hash as a PHC string.
    pub hash: String,
    /// Whether it has to be changed before it is good again.
    pub expired: bool,
}

impl ReadTx<'_> {
    /// Whether products may make users in a directory.
    pub fn allows_local_users(&self, directory: DirectoryId) -> Result<bool, StoreError> {
        let found = self.query_one(
            "SELECT local_users FROM directory WHERE pk = $1",
            args![directory.0],
            |row| row.flag(0),
        )?;
        Ok(found.unwrap_or(false))
    }

    /// The password of a user, if there is one: one that was set here, or one that the identity provider pushed.
    pub fn password_of(&self, user: &User) -> Result<Option<KeptPassword>, StoreError> {
        if user.connector.is_none() {
            return self.query_one(
                "SELECT hash, expired FROM user_password WHERE user_pk = $1",
                args![user.pk.0],
                |row| {
                    Ok(KeptPassword {
                        hash: row.text(0)?,
                        expired: row.flag(1)?,
                    })
                },
            );
        }
        let Some(source) = self.source_behind(user.pk)? else {
            return Ok(None);
        };
        let pushed = self.source_password(source)?;
        Ok(pushed.map(|hash| KeptPassword {
            hash,
            expired: false,
        }))
    }
}

impl WriteTx<'_> {
    /// Says whether products may make users in a directory.
    pub fn allow_local_users(
        &self,
        directory: DirectoryId,
        allowed: bool,
    ) -> Result<(), StoreError> {
        self.execute(
            "UPDATE directory SET local_users = $1 WHERE pk = $2",
            args![allowed, directory.0],
        )?;
        Ok(())
    }

    /// Makes a user whom no identity provider knows, with a new key. A taken name is
    /// [`StoreError::Conflict`] on `directory_user_name`.
    pub fn insert_local_user(
        &self,
        directory: DirectoryId,
        attributes: &Attributes,
        status: Status,
        reason: Reason,
    ) -> Result<UserPk, StoreError> {
        let key = format!("{directory}:{}", self.new_id_in_order());
        let now = self.now();
        let pk = self.insert(
            "INSERT INTO directory_user (directory_pk, key, name, name_fold, first_name, last_name, display_name, email, \
             email_fold, status, reason, restore, created, updated) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, '[]', $12, $13) RETURNING pk",
            args![
                directory.0,
                key,
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
        self.count_users(directory, status, 1)?;
        Ok(UserPk(pk))
    }

    /// Gives a user who is kept here a new password, or takes it away. All sessions of the user end.
    pub fn set_local_password(&self, user: UserPk, hash: Option<&str>) -> Result<(), StoreError> {
        match hash {
            Some(hash) => self.execute(
                "INSERT INTO user_password (user_pk, hash, expired) VALUES ($1, $2, 0) \
                 ON CONFLICT (user_pk) DO UPDATE SET hash = excluded.hash, expired = 0",
                args![user.0, hash],
            )?,
            None => self.execute(
                "DELETE FROM user_password WHERE user_pk = $1",
                args![user.0],
            )?,
        };
        self.delete_sessions_of(user, None)?;
        Ok(())
    }

    /// Makes every user who is kept here change the password before the next login, and ends their sessions.
    /// Returns how many that are.
    pub fn expire_local_passwords(&self, directory: DirectoryId) -> Result<u64, StoreError> {
        self.execute(
            "DELETE FROM sso_session WHERE user_pk IN (SELECT d.pk FROM directory_user d \
             JOIN user_password p ON p.user_pk = d.pk WHERE d.directory_pk = $1)",
            args![directory.0],
        )?;
        self.execute(
            "UPDATE user_password SET expired = 1 WHERE user_pk IN \
             (SELECT pk FROM directory_user WHERE directory_pk = $1 AND connector_pk IS NULL)",
            args![directory.0],
        )
    }
}
