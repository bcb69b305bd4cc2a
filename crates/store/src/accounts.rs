//! The directory: accounts as the rules see and change them.

use std::collections::BTreeMap;

use directory::{
    Account, Attributes, Cause, ConnectorId, DirectoryId, MatchedBy, Membership, Memory, Origin,
    Reason, SourceUserPk, Status, User, UserPk,
};
use jiff::Timestamp;
use scim::fold;
use serde::Deserialize;

use crate::connectors::json;
use crate::directory_users::{read_attribute, read_status, read_user};
use crate::{ReadTx, Row, StoreError, WriteTx, args, sql};

/// An account with everything that an evaluation and its carrying out need.
#[derive(Debug, Clone)]
pub struct StoredAccount {
    /// The user.
    pub user: User,
    /// The user of the source that feeds it; none after the IdP deleted that one.
    pub source: Option<SourceUserPk>,
    /// What the rules compare with.
    pub account: Account,
    /// How many holds bear on it.
    pub holds: i64,
    /// When it is to be looked at again although the IdP deleted its user.
    pub due_at: Option<Timestamp>,
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

/// The columns of [`read_bare_account`], in its order, of a table called `d`.
pub(crate) const ACCOUNT_COLUMNS: &str = "d.pk, d.key, d.name, d.first_name, d.last_name, d.display_name, d.email, \
     d.status, d.reason, d.connector_pk, d.external_id, d.created, d.updated, d.source_user_pk, d.due_at, \
     d.last_login, d.out_of_scope_since, d.cleaned_up_since, d.active_since, d.restore, d.holds, d.stays_until";

/// Reads a row of [`ACCOUNT_COLUMNS`]: an account without its memberships and mapped attributes.
pub(crate) fn read_bare_account(row: &Row<'_>) -> Result<StoredAccount, StoreError> {
    let user = read_user(row)?;
    let account = Account {
        key: user.key.clone(),
        attributes: Attributes {
            username: user.name.clone(),
            email: user.email.clone(),
            display_name: user.display_name.clone(),
            first_name: user.first_name.clone(),
            last_name: user.last_name.clone(),
            extra: BTreeMap::new(),
        },
        status: user.status,
        reason: user.reason,
        memberships: Vec::new(),
        last_login: row.opt_time(15)?,
        memory: Memory {
            out_of_scope_since: row.opt_time(16)?,
            cleaned_up_since: row.opt_time(17)?,
            active_since: row.opt_time(18)?,
            stays_until: row.opt_time(21)?,
            restore: read_restore(row.str(19)?)?,
        },
    };
    Ok(StoredAccount {
        source: row.opt_int(13)?.map(SourceUserPk),
        due_at: row.opt_time(14)?,
        user,
        account,
        holds: row.int(20)?,
    })
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

    /// When a user last logged in, as far as known.
    pub fn last_login(&self, user: UserPk) -> Result<Option<Timestamp>, StoreError> {
        let found = self.query_one(
            "SELECT last_login FROM directory_user WHERE pk = $1",
            args![user.0],
            |row| row.opt_time(0),
        )?;
        Ok(found.flatten())
    }

    fn account_where(
        &self,
        condition: &str,
        arguments: Vec<crate::Arg<'_>>,
    ) -> Result<Option<StoredAccount>, StoreError> {
        let sql = format!(
            "SELECT {ACCOUNT_COLUMNS} FROM directory_user d WHERE {condition} ORDER BY d.pk DESC LIMIT 1"
        );
        let Some(mut found) = self.query_one(&sql, arguments, read_bare_account)? else {
            return Ok(None);
        };
        found.account.memberships = self.memberships_of(found.user.pk)?;
        found.account.attributes.extra = self.mapped_attributes(found.user.pk)?;
        Ok(Some(found))
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
        let key = format!("{}:{}", owner.directory, self.new_id_in_order());
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
        self.count_users(owner.directory, status, 1)?;
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

    /// Frees the name of a user who gets another one in the same transaction, for whoever is settled before.
    pub fn set_name_aside(&self, user: UserPk) -> Result<(), StoreError> {
        // No name has a control character.
        let aside = format!("\u{7f}{}", user.0);
        self.execute(
            "UPDATE directory_user SET name_fold = $1 WHERE pk = $2",
            args![aside, user.0],
        )?;
        Ok(())
    }

    /// Gives a user a new status; all sessions end unless that is active.
    pub fn set_account_status(
        &self,
        user: UserPk,
        status: Status,
        reason: Reason,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let before = self.query_one(
            "SELECT directory_pk, status FROM directory_user WHERE pk = $1",
            args![user.0],
            |row| Ok((DirectoryId(row.int(0)?), read_status(row, 1)?)),
        )?;
        if let Some((directory, before)) = before.filter(|(_, before)| *before != status) {
            self.count_users(directory, before, -1)?;
            self.count_users(directory, status, 1)?;
        }
        self.execute(
            "UPDATE directory_user SET status = $1, reason = $2, updated = $3, status_since = $3 WHERE pk = $4",
            args![status.as_str(), reason.as_str(), now, user.0],
        )?;
        if status != Status::Active {
            self.delete_sessions_of(user, None)?;
        }
        // Nobody is to know any more who that was.
        if matches!(status, Status::Anonymised | Status::Removed) {
            self.forget_departed(user)?;
        }
        Ok(())
    }

    /// Keeps what decisions remember of a user; no change that products see.
    pub fn set_account_memory(&self, user: UserPk, memory: &Memory) -> Result<(), StoreError> {
        self.execute(
            "UPDATE directory_user SET out_of_scope_since = $1, cleaned_up_since = $2, active_since = $3, \
             stays_until = $4, restore = $5 WHERE pk = $6",
            args![
                memory.out_of_scope_since,
                memory.cleaned_up_since,
                memory.active_since,
                memory.stays_until,
                json(&memory.restore)?,
                user.0
            ],
        )?;
        Ok(())
    }

    /// Owes the account of a deleted user another look, or no more; for this cause, if what deleted the user is still to
    /// take effect.
    pub fn set_account_due(
        &self,
        user: UserPk,
        at: Option<Timestamp>,
        cause: Option<&Cause>,
    ) -> Result<(), StoreError> {
        let (actor, request) = cause
            .map(|cause| (cause.actor.as_str(), cause.request.as_str()))
            .unzip();
        self.execute(
            "UPDATE directory_user SET due_at = $1, due_actor = $2, due_request = $3 WHERE pk = $4",
            args![at, actor, request, user.0],
        )?;
        Ok(())
    }

    /// Notes that users have logged in now, unless that was noted within the last minutes.
    pub fn note_logins(&self, users: &[UserPk], unless_since: Timestamp) -> Result<(), StoreError> {
        let now = self.now();
        for chunk in sql::chunks(users.iter().map(|user| user.0)) {
            let statement = format!(
                "UPDATE directory_user SET last_login = $1 WHERE pk IN ({}) \
                 AND (last_login IS NULL OR last_login < $2)",
                sql::placeholders(3, chunk.len())
            );
            let mut arguments = args![now, unless_since];
            arguments.extend(chunk.into_iter().map(Into::into));
            self.execute(&statement, arguments)?;
        }
        Ok(())
    }

    /// Notes that a user logged in at this time, unless a later one is known.
    pub fn note_login_at(&self, user: UserPk, at: Timestamp) -> Result<(), StoreError> {
        self.execute(
            "UPDATE directory_user SET last_login = $1 WHERE pk = $2 AND (last_login IS NULL OR last_login < $1)",
            args![at, user.0],
        )?;
        Ok(())
    }

    /// Ties an account to the user of the source that feeds it, to its connector, and to the IdP's id for it.
    pub fn link_account(
        &self,
        user: UserPk,
        connector: ConnectorId,
        source: SourceUserPk,
        external_id: Option<&str>,
    ) -> Result<(), StoreError> {
        self.execute(
            "UPDATE directory_user SET connector_pk = $1, source_user_pk = $2, external_id = $3, due_at = NULL WHERE pk = $4",
            args![connector.0, source.0, external_id, user.0],
        )?;
        self.clear_suppressed_account(user)?;
        self.forget_departed(user)
    }

    /// Notes that an account stands in the way of a user of the source: of its name, or of an account at all. What
    /// was decided about the same two before stays decided.
    pub fn note_name_conflict(
        &self,
        connector: ConnectorId,
        directory: DirectoryId,
        source: SourceUserPk,
        name: &str,
        matched: MatchedBy,
    ) -> Result<(), StoreError> {
        let now = self.now();
        self.execute(
            "INSERT INTO name_conflict (source_user_pk, connector_pk, directory_pk, name_fold, since, matched, kept) \
             VALUES ($1, $2, $3, $4, $5, $6, 0) ON CONFLICT (source_user_pk) DO UPDATE SET \
             kept = CASE WHEN name_conflict.name_fold = excluded.name_fold THEN name_conflict.kept ELSE 0 END, \
             since = CASE WHEN name_conflict.name_fold = excluded.name_fold THEN name_conflict.since ELSE excluded.since END, \
             name_fold = excluded.name_fold, matched = excluded.matched",
            args![
                source.0,
                connector.0,
                directory.0,
                fold(name),
                now,
                matched.as_str()
            ],
        )?;
        Ok(())
    }

    /// Notes that a user of the source and the account in its way are two people. Returns whether there was a
    /// conflict to decide.
    pub fn keep_name_conflict(&self, source: SourceUserPk) -> Result<bool, StoreError> {
        let changed = self.execute(
            "UPDATE name_conflict SET kept = 1 WHERE source_user_pk = $1",
            args![source.0],
        )?;
        Ok(changed > 0)
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

/// Reads memberships to be given back. Of earlier times only the names of groups are known.
fn read_restore(text: &str) -> Result<Vec<Membership>, StoreError> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Stored {
        Name(String),
        Membership(Membership),
    }
    let stored: Vec<Stored> = serde_json::from_str(text)
        .map_err(|error| StoreError::corrupt(format!("directory_user.restore: {error}")))?;
    let read = stored.into_iter().map(|stored| match stored {
        Stored::Name(name) => Membership::new(name, Origin::Copied),
        Stored::Membership(membership) => membership,
    });
    Ok(read.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_to_be_given_back_reads_in_either_form() {
        let now = Membership::new("dev", Origin::Local);
        let written = json(&vec![now.clone()]).unwrap();
        assert_eq!(read_restore(&written).unwrap(), [now]);
        let before = Membership::new("dev", Origin::Copied);
        assert_eq!(read_restore(r#"["dev"]"#).unwrap(), [before]);
        assert!(read_restore("[1]").is_err());
    }
}
