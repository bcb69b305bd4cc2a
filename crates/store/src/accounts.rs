//! The directory: accounts as the rules see and change them.

use std::collections::BTreeMap;

use directory::{
    Account, Attributes, ConnectorId, DirectoryId, Reason, SourceUserPk, Status, User, UserPk,
};
use jiff::Timestamp;
use scim::fold;

use crate::directory_users::{COLUMNS, read_attribute, read_user};
use crate::{ReadTx, StoreError, WriteTx, args};

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

impl ReadTx<'_> {
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

    /// Gives a user a new status; all sessions end unless that is active. A tombstone keeps the names of the
    /// groups it had.
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
        if status != Status::Active {
            self.delete_sessions_of(user, None)?;
        }
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
}
