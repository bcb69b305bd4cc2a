//! Administrators of the console, and their invitations.

use jiff::Timestamp;
use scim::fold;
use serde::{Deserialize, Serialize};

use crate::attempts::read_attempts;
use crate::rights::read_rights;
use crate::{Attempts, ReadTx, Rights, Row, StoreError, WriteTx, args};

/// What an administrator may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything, other administrators and tokens of the admin API included.
    Owner,
    /// Everything but that.
    Operator,
    /// Look at everything, and change nothing.
    Auditor,
}

impl Role {
    /// All of them, the one that may most first.
    pub const ALL: [Role; 3] = [Role::Owner, Role::Operator, Role::Auditor];

    /// The word used in storage and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Role::Owner => "owner",
            Role::Operator => "operator",
            Role::Auditor => "auditor",
        }
    }

    /// Reads the word.
    pub fn parse(text: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

/// A person who administers this server.
#[derive(Debug, Clone)]
pub struct Administrator {
    /// The store's number.
    pub pk: i64,
    /// The id in URLs.
    pub id: String,
    /// The name to sign in with.
    pub name: String,
    /// What the person may do.
    pub rights: Rights,
    /// When the account was made.
    pub created: Timestamp,
    /// When the person last signed in.
    pub last_sign_in: Option<Timestamp>,
    /// Since when a second factor is asked for, if one is.
    pub second_factor: Option<Timestamp>,
    /// The OpenID provider at which the person signs in; none for one with a password.
    pub issuer: Option<String>,
}

/// What stands between a person and the console.
#[derive(Debug, Clone)]
pub struct AdministratorLock {
    /// argon2id hash as a PHC string.
    pub password_hash: String,
    /// Attempts since the last one that succeeded.
    pub attempts: Attempts,
}

/// A link that makes an administrator, or gives one a new password.
#[derive(Debug, Clone)]
pub struct Invitation {
    /// Its id, for listing and taking back.
    pub id: String,
    /// What the person will be.
    pub rights: Rights,
    /// Whose password it renews; none for somebody new.
    pub administrator: Option<i64>,
    /// Who invited.
    pub created_by: String,
    /// The id of the administrator or token that did; none for the command line and the first start.
    pub created_by_id: Option<String>,
    /// When it was made.
    pub created: Timestamp,
    /// When it stops working.
    pub expires: Timestamp,
}

pub(crate) const COLUMNS: &str = "a.pk, a.public_id, a.name, a.role, a.created, a.last_sign_in, a.totp_since, a.connectors, a.issuer";

pub(crate) fn read_administrator(row: &Row<'_>) -> Result<Administrator, StoreError> {
    Ok(Administrator {
        pk: row.int(0)?,
        id: row.text(1)?,
        name: row.text(2)?,
        rights: read_rights(row, 3, 7)?,
        created: row.time(4)?,
        last_sign_in: row.opt_time(5)?,
        second_factor: row.opt_time(6)?,
        issuer: row.opt_text(8)?,
    })
}

fn read_invitation(row: &Row<'_>) -> Result<Invitation, StoreError> {
    Ok(Invitation {
        id: row.text(0)?,
        rights: read_rights(row, 1, 6)?,
        administrator: row.opt_int(2)?,
        created_by: row.text(3)?,
        created_by_id: row.opt_text(7)?,
        created: row.time(4)?,
        expires: row.time(5)?,
    })
}

const INVITATION: &str =
    "public_id, role, administrator_pk, created_by, created, expires, connectors, created_by_id";

impl ReadTx<'_> {
    /// All administrators, in the order they were made.
    pub fn administrators(&self) -> Result<Vec<Administrator>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM administrator a ORDER BY a.pk");
        self.query(&sql, args![], read_administrator)
    }

    /// The administrator with this id or name.
    pub fn find_administrator(&self, text: &str) -> Result<Option<Administrator>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM administrator a WHERE a.public_id = $1 OR a.name_fold = $2"
        );
        self.query_one(&sql, args![text, fold(text)], read_administrator)
    }

    /// The administrator whom an OpenID provider calls so.
    pub fn external_administrator(
        &self,
        issuer: &str,
        subject: &str,
    ) -> Result<Option<Administrator>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM administrator a WHERE a.issuer = $1 AND a.subject = $2");
        self.query_one(&sql, args![issuer, subject], read_administrator)
    }

    /// What stands between an administrator and the console.
    pub fn administrator_lock(
        &self,
        administrator: i64,
    ) -> Result<Option<AdministratorLock>, StoreError> {
        self.query_one(
            "SELECT password_hash, failures, locked_until FROM administrator WHERE pk = $1",
            args![administrator],
            |row| {
                Ok(AdministratorLock {
                    password_hash: row.text(0)?,
                    attempts: read_attempts(row, 1)?,
                })
            },
        )
    }

    /// The invitation with this hash, unless its time is over.
    pub fn invitation(&self, hash: &str) -> Result<Option<Invitation>, StoreError> {
        let now = self.now();
        let sql = format!("SELECT {INVITATION} FROM invitation WHERE hash = $1 AND expires > $2");
        self.query_one(&sql, args![hash, now], read_invitation)
    }

    /// Invitations that nobody has used yet, newest first.
    pub fn invitations(&self) -> Result<Vec<Invitation>, StoreError> {
        let now = self.now();
        let sql = format!(
            "SELECT {INVITATION} FROM invitation WHERE expires > $1 ORDER BY created DESC, public_id"
        );
        self.query(&sql, args![now], read_invitation)
    }
}

impl WriteTx<'_> {
    /// Stores an administrator. A taken name is [`StoreError::Conflict`] on `administrator_name`.
    pub fn insert_administrator(
        &self,
        name: &str,
        rights: &Rights,
        password_hash: &str,
    ) -> Result<Administrator, StoreError> {
        let id = self.new_id().to_string();
        let now = self.now();
        let pk = self.insert(
            "INSERT INTO administrator (public_id, name, name_fold, role, connectors, password_hash, failures, created) \
             VALUES ($1, $2, $3, $4, $5, $6, 0, $7) RETURNING pk",
            args![
                id.as_str(),
                name,
                fold(name),
                rights.role.as_str(),
                rights.stored_bound()?,
                password_hash,
                now
            ],
        )?;
        Ok(Administrator {
            pk,
            id,
            name: name.to_owned(),
            rights: rights.clone(),
            created: now,
            last_sign_in: None,
            second_factor: None,
            issuer: None,
        })
    }

    /// Stores an administrator who signs in at an OpenID provider.
    pub fn insert_external_administrator(
        &self,
        name: &str,
        rights: &Rights,
        issuer: &str,
        subject: &str,
    ) -> Result<Administrator, StoreError> {
        let made = self.insert_administrator(name, rights, "")?;
        self.execute(
            "UPDATE administrator SET issuer = $1, subject = $2 WHERE pk = $3",
            args![issuer, subject, made.pk],
        )?;
        Ok(Administrator {
            issuer: Some(issuer.to_owned()),
            ..made
        })
    }

    /// Gives an administrator other rights. Who is no owner any more has invited nobody.
    pub fn set_administrator_rights(
        &self,
        administrator: i64,
        rights: &Rights,
    ) -> Result<(), StoreError> {
        self.execute(
            "UPDATE administrator SET role = $1, connectors = $2 WHERE pk = $3",
            args![rights.role.as_str(), rights.stored_bound()?, administrator],
        )?;
        match rights.role {
            Role::Owner => Ok(()),
            Role::Operator | Role::Auditor => self.delete_invitations_by(administrator),
        }
    }

    /// Gives an administrator another password, forgets the wrong ones, and ends every link to another one.
    pub fn set_administrator_password(
        &self,
        administrator: i64,
        password_hash: &str,
    ) -> Result<(), StoreError> {
        self.execute(
            "UPDATE administrator SET password_hash = $1, failures = 0, locked_until = NULL WHERE pk = $2",
            args![password_hash, administrator],
        )?;
        self.delete_invitations_for(administrator)
    }

    /// Notes that an administrator signed in, and forgets wrong passwords.
    pub fn note_administrator_sign_in(&self, administrator: i64) -> Result<(), StoreError> {
        let now = self.now();
        self.execute(
            "UPDATE administrator SET failures = 0, locked_until = NULL, last_sign_in = $1 WHERE pk = $2",
            args![now, administrator],
        )?;
        Ok(())
    }

    /// Deletes an administrator with all sessions, and all invitations by and for that person.
    pub fn delete_administrator(&self, administrator: i64) -> Result<(), StoreError> {
        self.end_administrator_sessions(administrator)?;
        self.remove_second_factor(administrator)?;
        self.delete_invitations_for(administrator)?;
        self.delete_invitations_by(administrator)?;
        self.execute(
            "DELETE FROM administrator WHERE pk = $1",
            args![administrator],
        )?;
        Ok(())
    }

    /// Stores an invitation by its hash.
    pub fn insert_invitation(
        &self,
        hash: &str,
        rights: &Rights,
        administrator: Option<i64>,
        (created_by, created_by_id): (&str, Option<&str>),
        expires: Timestamp,
    ) -> Result<Invitation, StoreError> {
        let id = self.new_id().to_string();
        let now = self.now();
        self.execute(
            "INSERT INTO invitation (hash, public_id, role, connectors, administrator_pk, created_by, created, expires, \
             created_by_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            args![
                hash,
                id.as_str(),
                rights.role.as_str(),
                rights.stored_bound()?,
                administrator,
                created_by,
                now,
                expires,
                created_by_id
            ],
        )?;
        Ok(Invitation {
            id,
            rights: rights.clone(),
            administrator,
            created_by: created_by.to_owned(),
            created_by_id: created_by_id.map(str::to_owned),
            created: now,
            expires,
        })
    }

    /// Deletes an invitation by its id. Returns whether there was one.
    pub fn delete_invitation(&self, id: &str) -> Result<bool, StoreError> {
        let deleted = self.execute("DELETE FROM invitation WHERE public_id = $1", args![id])?;
        Ok(deleted > 0)
    }

    /// Deletes the invitations of nobody that are called so.
    pub fn delete_invitations_called(&self, created_by: &str) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM invitation WHERE created_by = $1 AND created_by_id IS NULL",
            args![created_by],
        )?;
        Ok(())
    }

    /// Deletes the invitations that an administrator made.
    fn delete_invitations_by(&self, administrator: i64) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM invitation WHERE created_by_id = (SELECT public_id FROM administrator WHERE pk = $1)",
            args![administrator],
        )?;
        Ok(())
    }

    /// Deletes the links with which an administrator would set a new password.
    fn delete_invitations_for(&self, administrator: i64) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM invitation WHERE administrator_pk = $1",
            args![administrator],
        )?;
        Ok(())
    }
}
