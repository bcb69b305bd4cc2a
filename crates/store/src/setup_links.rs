//! Links that show the set-up of one connector to somebody who has no account here.

use directory::ConnectorId;
use jiff::Timestamp;

use crate::{ReadTx, Row, StoreError, WriteTx, args};

/// A link to the set-up of a connector.
#[derive(Debug, Clone)]
pub struct SetupLink {
    /// Its id, for listing and taking back.
    pub id: String,
    /// The connector that it shows.
    pub connector: ConnectorId,
    /// The id of the token that was made by it last.
    pub token: Option<String>,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it stops working.
    pub expires: Timestamp,
    /// When it was last opened, to the minute.
    pub last_opened: Option<Timestamp>,
}

const COLUMNS: &str =
    "public_id, connector_pk, token_id, created_by, created, expires, last_opened";

fn read(row: &Row<'_>) -> Result<SetupLink, StoreError> {
    Ok(SetupLink {
        id: row.text(0)?,
        connector: ConnectorId(row.int(1)?),
        token: row.opt_text(2)?,
        created_by: row.text(3)?,
        created: row.time(4)?,
        expires: row.time(5)?,
        last_opened: row.opt_time(6)?,
    })
}

impl ReadTx<'_> {
    /// The link with this hash, unless its time is over.
    pub fn setup_link(&self, hash: &str) -> Result<Option<SetupLink>, StoreError> {
        let now = self.now();
        let sql = format!("SELECT {COLUMNS} FROM setup_link WHERE hash = $1 AND expires > $2");
        self.query_one(&sql, args![hash, now], read)
    }

    /// The links of a connector that still work, newest first.
    pub fn setup_links(&self, connector: ConnectorId) -> Result<Vec<SetupLink>, StoreError> {
        let now = self.now();
        let sql = format!(
            "SELECT {COLUMNS} FROM setup_link WHERE connector_pk = $1 AND expires > $2 \
             ORDER BY created DESC, public_id"
        );
        self.query(&sql, args![connector.0, now], read)
    }
}

impl WriteTx<'_> {
    /// Stores a link by its hash. Those of the connector whose time is over go.
    pub fn insert_setup_link(
        &self,
        hash: &str,
        connector: ConnectorId,
        created_by: &str,
        expires: Timestamp,
    ) -> Result<SetupLink, StoreError> {
        let id = self.new_id().to_string();
        let now = self.now();
        self.execute(
            "DELETE FROM setup_link WHERE connector_pk = $1 AND expires <= $2",
            args![connector.0, now],
        )?;
        self.execute(
            "INSERT INTO setup_link (hash, public_id, connector_pk, created_by, created, expires) \
             VALUES ($1, $2, $3, $4, $5, $6)",
            args![hash, id.as_str(), connector.0, created_by, now, expires],
        )?;
        Ok(SetupLink {
            id,
            connector,
            token: None,
            created_by: created_by.to_owned(),
            created: now,
            expires,
            last_opened: None,
        })
    }

    /// Remembers which token a link made last.
    pub fn set_setup_link_token(&self, id: &str, token: &str) -> Result<(), StoreError> {
        self.execute(
            "UPDATE setup_link SET token_id = $1 WHERE public_id = $2",
            args![token, id],
        )?;
        Ok(())
    }

    /// Notes that a link was opened, just now.
    pub fn touch_setup_link(&self, id: &str) -> Result<(), StoreError> {
        self.execute(
            "UPDATE setup_link SET last_opened = $1 WHERE public_id = $2",
            args![self.now(), id],
        )?;
        Ok(())
    }

    /// Deletes a link of a connector. Returns whether there was one.
    pub fn delete_setup_link(&self, connector: ConnectorId, id: &str) -> Result<bool, StoreError> {
        Ok(self.execute(
            "DELETE FROM setup_link WHERE public_id = $1 AND connector_pk = $2",
            args![id, connector.0],
        )? > 0)
    }
}
