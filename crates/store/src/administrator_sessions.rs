//! Who is signed in to the console, and what their forms did.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::administrators::{Administrator, COLUMNS, read_administrator};
use crate::connectors::json;
use crate::{ReadTx, Row, StoreError, WriteTx, args};

/// What a session is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Everything that the administrator may do.
    Full,
    /// Showing the second factor.
    Code,
    /// Setting a second factor up, because one is required.
    Enrol,
}

impl Stage {
    const ALL: [Stage; 3] = [Stage::Full, Stage::Code, Stage::Enrol];

    const fn as_str(self) -> &'static str {
        match self {
            Stage::Full => "full",
            Stage::Code => "code",
            Stage::Enrol => "enrol",
        }
    }

    fn parse(text: &str) -> Option<Stage> {
        Stage::ALL.into_iter().find(|stage| stage.as_str() == text)
    }
}

/// In what a session began, as far as that is known.
#[derive(Debug, Clone, Default)]
pub struct Browser {
    /// The address that it came from.
    pub address: Option<String>,
    /// What the browser calls itself.
    pub agent: Option<String>,
}

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub struct AdministratorSession {
    /// Its id, for listing and ending.
    pub id: String,
    /// Who.
    pub administrator: Administrator,
    /// What it is good for.
    pub stage: Stage,
    /// In what it began.
    pub browser: Browser,
    /// When it began.
    pub created: Timestamp,
    /// When the session was last used, to the minute.
    pub last_used: Timestamp,
    /// When it was last shown whose it is.
    pub proved: Timestamp,
    /// When it ends unless it is used before.
    pub expires: Timestamp,
    /// When it ends in any case.
    pub ends: Timestamp,
}

/// A form that a session sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentForm {
    /// Which.
    pub form: String,
    /// Where what it made is looked at, once that is known.
    pub place: Option<String>,
}

const SESSION: &str =
    "s.public_id, s.stage, s.address, s.agent, s.created, s.last_used, s.expires, s.ends, s.proved";

/// Columns of the administrator before those of the session.
const BEFORE: usize = 9;

fn read_session(row: &Row<'_>) -> Result<AdministratorSession, StoreError> {
    let stage = Stage::parse(row.str(BEFORE + 1)?);
    Ok(AdministratorSession {
        id: row.text(BEFORE)?,
        administrator: read_administrator(row)?,
        stage: stage.ok_or_else(|| StoreError::corrupt("stage"))?,
        browser: Browser {
            address: row.opt_text(BEFORE + 2)?,
            agent: row.opt_text(BEFORE + 3)?,
        },
        created: row.time(BEFORE + 4)?,
        last_used: row.time(BEFORE + 5)?,
        expires: row.time(BEFORE + 6)?,
        ends: row.time(BEFORE + 7)?,
        proved: row.time(BEFORE + 8)?,
    })
}

impl ReadTx<'_> {
    /// The session with this hash, if it has not ended.
    pub fn administrator_session(
        &self,
        hash: &str,
    ) -> Result<Option<AdministratorSession>, StoreError> {
        let now = self.now();
        let sql = format!(
            "SELECT {COLUMNS}, {SESSION} FROM administrator_session s \
             JOIN administrator a ON a.pk = s.administrator_pk \
             WHERE s.hash = $1 AND s.expires > $2 AND s.ends > $2"
        );
        self.query_one(&sql, args![hash, now], read_session)
    }

    /// The sessions of an administrator that have not ended, the newest first.
    pub fn administrator_sessions(
        &self,
        administrator: i64,
    ) -> Result<Vec<AdministratorSession>, StoreError> {
        let now = self.now();
        let sql = format!(
            "SELECT {COLUMNS}, {SESSION} FROM administrator_session s \
             JOIN administrator a ON a.pk = s.administrator_pk \
             WHERE s.administrator_pk = $1 AND s.expires > $2 AND s.ends > $2 \
             ORDER BY s.created DESC, s.public_id"
        );
        self.query(&sql, args![administrator, now], read_session)
    }

    /// The forms that a session sent, as far as they are remembered, the newest last; none if there is no such session.
    pub fn sent_forms(&self, hash: &str) -> Result<Option<Vec<SentForm>>, StoreError> {
        let found = self.query_one(
            "SELECT sent_forms FROM administrator_session WHERE hash = $1",
            args![hash],
            |row| row.text(0),
        )?;
        let read = |text: String| {
            serde_json::from_str(&text)
                .map_err(|error| StoreError::corrupt(format!("sent_forms: {error}")))
        };
        found.map(read).transpose()
    }
}

impl WriteTx<'_> {
    /// Begins a session.
    pub fn insert_administrator_session(
        &self,
        hash: &str,
        administrator: i64,
        stage: Stage,
        browser: &Browser,
        (expires, ends): (Timestamp, Timestamp),
    ) -> Result<(), StoreError> {
        let id = self.new_id().to_string();
        let now = self.now();
        self.execute(
            "INSERT INTO administrator_session \
             (hash, public_id, administrator_pk, stage, address, agent, created, last_used, proved, expires, ends) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            args![
                hash,
                id.as_str(),
                administrator,
                stage.as_str(),
                browser.address.as_deref(),
                browser.agent.as_deref(),
                now,
                now,
                now,
                expires,
                ends
            ],
        )?;
        Ok(())
    }

    /// Notes that it was shown whose a session is.
    pub fn prove_administrator_session(&self, hash: &str) -> Result<(), StoreError> {
        let now = self.now();
        self.execute(
            "UPDATE administrator_session SET proved = $1 WHERE hash = $2",
            args![now, hash],
        )?;
        Ok(())
    }

    /// Notes that a session is used.
    pub fn touch_administrator_session(
        &self,
        hash: &str,
        expires: Timestamp,
    ) -> Result<(), StoreError> {
        let now = self.now();
        self.execute(
            "UPDATE administrator_session SET last_used = $1, expires = $2 WHERE hash = $3",
            args![now, expires, hash],
        )?;
        Ok(())
    }

    /// Ends a session.
    pub fn end_administrator_session(&self, hash: &str) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM administrator_session WHERE hash = $1",
            args![hash],
        )?;
        Ok(())
    }

    /// Ends a session of an administrator by its id. Returns whether there was one.
    pub fn end_administrator_session_of(
        &self,
        administrator: i64,
        id: &str,
    ) -> Result<bool, StoreError> {
        let ended = self.execute(
            "DELETE FROM administrator_session WHERE public_id = $1 AND administrator_pk = $2",
            args![id, administrator],
        )?;
        Ok(ended > 0)
    }

    /// Remembers the forms that a session sent.
    pub fn set_sent_forms(&self, hash: &str, forms: &[SentForm]) -> Result<(), StoreError> {
        self.execute(
            "UPDATE administrator_session SET sent_forms = $1 WHERE hash = $2",
            args![json(&forms)?, hash],
        )?;
        Ok(())
    }

    /// Ends all sessions of an administrator.
    pub fn end_administrator_sessions(&self, administrator: i64) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM administrator_session WHERE administrator_pk = $1",
            args![administrator],
        )?;
        Ok(())
    }

    /// Ends the sessions of all who signed in at an OpenID provider.
    pub fn end_external_sessions(&self) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM administrator_session WHERE administrator_pk IN \
             (SELECT pk FROM administrator WHERE issuer IS NOT NULL)",
            args![],
        )?;
        Ok(())
    }

    /// Forgets sessions and invitations whose time is over.
    pub fn prune_administrator_sessions(&self) -> Result<(), StoreError> {
        let now = self.now();
        self.execute(
            "DELETE FROM administrator_session WHERE expires <= $1",
            args![now],
        )?;
        self.execute("DELETE FROM invitation WHERE expires <= $1", args![now])?;
        Ok(())
    }
}
