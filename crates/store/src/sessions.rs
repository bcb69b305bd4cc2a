//! Sessions that people have with products (single sign-on), by the hash of their token.

use std::collections::BTreeSet;

use directory::{DirectoryId, User, UserPk};
use jiff::{SignedDuration, Timestamp};

use crate::{ReadTx, Row, StoreError, WriteTx, args, connectors::json};

/// What a session is bound to, as names and values; order and repetition mean nothing.
pub type Factors = BTreeSet<(String, String)>;

/// A session as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The store's number.
    pub pk: i64,
    /// SHA-256 of its token, as [`crate::token_hash`] gives it.
    pub hash: String,
    /// What the token is derived from.
    pub salt: String,
    /// The directory that its user is in.
    pub directory: DirectoryId,
    /// Whose it is.
    pub user: UserPk,
    /// What it is bound to.
    pub factors: Factors,
    /// The name of the application that began it.
    pub application: String,
    /// When it began.
    pub created: Timestamp,
    /// The time without use after which it ends.
    pub idle: SignedDuration,
    /// When it ends unless it is used before.
    pub expires: Timestamp,
    /// When it ends in any case.
    pub ends: Timestamp,
}

impl Session {
    /// Whether it has not ended.
    pub fn is_live(&self, now: Timestamp) -> bool {
        now < self.expires
    }

    /// When it would end after a use at `now`.
    pub fn prolonged(&self, now: Timestamp) -> Timestamp {
        now.checked_add(self.idle)
            .map_or(self.ends, |later| later.min(self.ends))
    }
}

const COLUMNS: &str = "s.pk, s.hash, s.salt, s.directory_pk, s.user_pk, s.factors, s.application, s.created, s.idle, \
     s.expires, s.ends";

fn read_session(row: &Row<'_>) -> Result<Session, StoreError> {
    Ok(Session {
        pk: row.int(0)?,
        hash: row.text(1)?,
        salt: row.text(2)?,
        directory: DirectoryId(row.int(3)?),
        user: UserPk(row.int(4)?),
        factors: serde_json::from_str(row.str(5)?)
            .map_err(|error| StoreError::corrupt(format!("sso_session.factors: {error}")))?,
        application: row.text(6)?,
        created: row.time(7)?,
        idle: SignedDuration::from_micros(row.int(8)?),
        expires: row.time(9)?,
        ends: row.time(10)?,
    })
}

impl ReadTx<'_> {
    /// The session whose token has this hash, live or not.
    pub fn session(&self, hash: &str) -> Result<Option<Session>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM sso_session s WHERE s.hash = $1");
        self.query_one(&sql, args![hash], read_session)
    }

    /// The sessions of a user, live or not, oldest first.
    pub fn sessions_of(&self, user: UserPk) -> Result<Vec<Session>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM sso_session s WHERE s.user_pk = $1 ORDER BY s.pk");
        self.query(&sql, args![user.0], read_session)
    }

    /// The user behind a session, under today's name; none if products see no such user any more.
    pub fn session_user(&self, session: &Session) -> Result<Option<User>, StoreError> {
        let found = self.directory_users_by_pk(session.directory, &[session.user])?;
        let seen = |user: &User| user.status != directory::Status::Removed;
        Ok(found.into_iter().find(seen))
    }

    /// The directory that a user is in.
    pub fn directory_of_user(&self, user: UserPk) -> Result<Option<DirectoryId>, StoreError> {
        self.query_one(
            "SELECT directory_pk FROM directory_user WHERE pk = $1",
            args![user.0],
            |row| row.int(0).map(DirectoryId),
        )
    }
}

impl WriteTx<'_> {
    /// Stores a session; its number is made here.
    pub fn insert_session(&self, session: &Session) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO sso_session (hash, salt, directory_pk, user_pk, factors, application, created, idle, expires, \
             ends) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            args![
                session.hash.as_str(),
                session.salt.as_str(),
                session.directory.0,
                session.user.0,
                json(&session.factors)?,
                session.application.as_str(),
                session.created,
                micros(session.idle),
                session.expires,
                session.ends
            ],
        )?;
        Ok(())
    }

    /// Gives a session another end and another time of rest.
    pub fn prolong_session(
        &self,
        session: i64,
        idle: SignedDuration,
        expires: Timestamp,
    ) -> Result<(), StoreError> {
        self.execute(
            "UPDATE sso_session SET idle = $1, expires = $2 WHERE pk = $3",
            args![micros(idle), expires, session],
        )?;
        Ok(())
    }

    /// Ends a session.
    pub fn delete_session(&self, session: i64) -> Result<(), StoreError> {
        self.execute("DELETE FROM sso_session WHERE pk = $1", args![session])?;
        Ok(())
    }

    /// Ends all sessions of a user but the one with this hash. Returns how many that were.
    pub fn delete_sessions_of(
        &self,
        user: UserPk,
        except: Option<&str>,
    ) -> Result<u64, StoreError> {
        self.execute(
            "DELETE FROM sso_session WHERE user_pk = $1 AND hash <> $2",
            args![user.0, except.unwrap_or_default()],
        )
    }

    /// Ends all sessions of the accounts that a user of the source feeds.
    pub(crate) fn delete_sessions_of_source(&self, source: i64) -> Result<u64, StoreError> {
        self.execute(
            "DELETE FROM sso_session WHERE user_pk IN \
             (SELECT pk FROM directory_user WHERE source_user_pk = $1)",
            args![source],
        )
    }

    /// Forgets sessions that have ended, at most so many. Returns how many.
    pub fn prune_sessions(&self, limit: i64) -> Result<u64, StoreError> {
        let now = self.now();
        self.execute(
            "DELETE FROM sso_session WHERE pk IN \
             (SELECT pk FROM sso_session WHERE expires <= $1 ORDER BY expires LIMIT $2)",
            args![now, limit],
        )
    }
}

fn micros(duration: SignedDuration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
