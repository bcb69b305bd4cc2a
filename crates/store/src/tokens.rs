//! Bearer tokens, of which only the SHA-256 is kept.

use directory::ConnectorId;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::connectors::json;
use crate::rights::read_rights;
use crate::{Access, ReadTx, Rights, Role, Row, StoreError, WriteTx, args};

/// What a token opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// The SCIM endpoint of one connector.
    Scim(ConnectorId),
    /// The admin API.
    Api,
}

/// A token as the store knows it.
#[derive(Debug, Clone)]
pub struct Token {
    /// Public id, for listing and revoking.
    pub id: String,
    /// What it opens.
    pub kind: TokenKind,
    /// What the administrator called it.
    pub label: String,
    /// What it may do.
    pub access: Access,
    /// What a token of the admin API may do; those of connectors have no such rights.
    pub rights: Option<Rights>,
    /// Addresses and CIDR ranges it may come from; empty means any.
    pub addresses: Vec<String>,
    /// When it was made.
    pub created: Timestamp,
    /// When it stops working, if ever.
    pub expires: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used: Option<Timestamp>,
    /// From which address it was last used.
    pub last_address: Option<String>,
}

impl Token {
    /// Whether it still works.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.expires.is_none_or(|expires| now < expires)
    }
}

/// What a credential is made with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// What the administrator calls it.
    pub label: String,
    /// What it may do.
    pub access: Access,
    /// What a token of the admin API may do, if that is not what the access says.
    pub rights: Option<Rights>,
    /// Addresses and CIDR ranges it may come from; empty means any.
    pub addresses: Vec<String>,
    /// When it stops working, if ever.
    pub expires: Option<Timestamp>,
}

impl Grant {
    /// A credential that may do everything, from everywhere, without an end.
    pub fn of(label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            access: Access::ReadWrite,
            rights: None,
            addresses: Vec::new(),
            expires: None,
        }
    }

    /// What a token of the admin API that is made with this may do.
    pub fn api_rights(&self) -> Rights {
        let of_access = || match self.access {
            Access::ReadOnly => Rights::of(Role::Auditor),
            Access::ReadWrite => Rights::of(Role::Owner),
        };
        self.rights.clone().unwrap_or_else(of_access)
    }
}

/// The form in which tokens are stored and looked up: SHA-256 in hexadecimal. Enough for
/// 256 random bits, which nobody can guess; an index look-up on it leaks nothing useful.
pub fn token_hash(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}

pub(crate) fn hex(digest: &[u8]) -> String {
    let mut hex = String::with_capacity(64);
    for byte in digest {
        hex.push(char::from(b"0123456789abcdef"[usize::from(byte >> 4)]));
        hex.push(char::from(b"0123456789abcdef"[usize::from(byte & 15)]));
    }
    hex
}

const COLUMNS: &str = "public_id, connector_pk, label, created, expires, last_used, last_address, access, addresses, role, connectors";

fn read_token(row: &Row<'_>) -> Result<Token, StoreError> {
    let kind = match row.opt_int(1)? {
        Some(connector) => TokenKind::Scim(ConnectorId(connector)),
        None => TokenKind::Api,
    };
    let rights = match kind {
        TokenKind::Scim(_) => None,
        TokenKind::Api => Some(read_rights(row, 9, 10)?),
    };
    Ok(Token {
        rights,
        id: row.text(0)?,
        kind,
        label: row.text(2)?,
        created: row.time(3)?,
        expires: row.opt_time(4)?,
        last_used: row.opt_time(5)?,
        last_address: row.opt_text(6)?,
        access: read_access(row, 7)?,
        addresses: read_addresses(row, 8)?,
    })
}

pub(crate) fn read_access(row: &Row<'_>, column: usize) -> Result<Access, StoreError> {
    Access::parse(row.str(column)?).ok_or_else(|| StoreError::corrupt("access"))
}

pub(crate) fn read_addresses(row: &Row<'_>, column: usize) -> Result<Vec<String>, StoreError> {
    serde_json::from_str(row.str(column)?)
        .map_err(|error| StoreError::corrupt(format!("addresses: {error}")))
}

impl ReadTx<'_> {
    /// The token with this hash, live or expired.
    pub fn token(&self, hash: &str) -> Result<Option<Token>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM token WHERE hash = $1");
        self.query_one(&sql, args![hash], read_token)
    }

    /// The tokens of one kind, newest first.
    pub fn tokens(&self, kind: TokenKind) -> Result<Vec<Token>, StoreError> {
        let connector = match kind {
            TokenKind::Scim(connector) => connector.0,
            TokenKind::Api => 0,
        };
        let sql = format!(
            "SELECT {COLUMNS} FROM token WHERE coalesce(connector_pk, 0) = $1 ORDER BY pk DESC"
        );
        self.query(&sql, args![connector], read_token)
    }

    /// By what a token is recognised.
    pub fn hash_of_token(&self, token: &Token) -> Result<Option<String>, StoreError> {
        self.query_one(
            "SELECT hash FROM token WHERE public_id = $1",
            args![token.id.as_str()],
            |row| row.text(0),
        )
    }
}

impl WriteTx<'_> {
    /// Stores a token by its hash.
    pub fn insert_token(
        &self,
        kind: TokenKind,
        grant: &Grant,
        hash: &str,
    ) -> Result<Token, StoreError> {
        let (name, connector, rights) = match kind {
            TokenKind::Scim(connector) => ("scim", Some(connector.0), None),
            TokenKind::Api => ("api", None, Some(grant.api_rights())),
        };
        let bound = rights.as_ref().map(Rights::stored_bound).transpose()?;
        let id = self.new_id().to_string();
        let now = self.now();
        self.execute(
            "INSERT INTO token (public_id, kind, connector_pk, label, hash, created, expires, access, addresses, role, connectors) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            args![
                id.as_str(),
                name,
                connector,
                grant.label.as_str(),
                hash,
                now,
                grant.expires,
                grant.access.as_str(),
                json(&grant.addresses)?,
                rights.as_ref().map(|rights| rights.role.as_str()),
                bound.flatten()
            ],
        )?;
        Ok(Token {
            id,
            kind,
            label: grant.label.clone(),
            access: grant.access,
            rights,
            addresses: grant.addresses.clone(),
            created: now,
            expires: grant.expires,
            last_used: None,
            last_address: None,
        })
    }

    /// Changes what a token is for, may do and comes from, and when it ends; its text stays.
    pub fn update_token(&self, id: &str, grant: &Grant) -> Result<(), StoreError> {
        self.execute(
            "UPDATE token SET label = $1, access = $2, addresses = $3, expires = $4 WHERE public_id = $5",
            args![
                grant.label.as_str(),
                grant.access.as_str(),
                json(&grant.addresses)?,
                grant.expires,
                id
            ],
        )?;
        Ok(())
    }

    /// Ends every live token of a kind at `at`, unless it ends sooner: the overlap of a rotation.
    pub fn expire_tokens(&self, kind: TokenKind, at: Timestamp) -> Result<u64, StoreError> {
        let connector = match kind {
            TokenKind::Scim(connector) => connector.0,
            TokenKind::Api => 0,
        };
        self.execute(
            "UPDATE token SET expires = $1 WHERE coalesce(connector_pk, 0) = $2 \
             AND (expires IS NULL OR expires > $1)",
            args![at, connector],
        )
    }

    /// Deletes a token. Returns whether there was one.
    pub fn delete_token(&self, kind: TokenKind, id: &str) -> Result<bool, StoreError> {
        let connector = match kind {
            TokenKind::Scim(connector) => connector.0,
            TokenKind::Api => 0,
        };
        Ok(self.execute(
            "DELETE FROM token WHERE public_id = $1 AND coalesce(connector_pk, 0) = $2",
            args![id, connector],
        )? > 0)
    }

    /// Notes when and from where a token, or a client, was last used.
    pub fn touch_credential(
        &self,
        id: &str,
        at: Timestamp,
        address: Option<&str>,
    ) -> Result<(), StoreError> {
        let tokens = self.execute(
            "UPDATE token SET last_used = $1, last_address = $2 WHERE public_id = $3",
            args![at, address, id],
        )?;
        if tokens == 0 {
            self.execute(
                "UPDATE client SET last_used = $1, last_address = $2 WHERE public_id = $3",
                args![at, address, id],
            )?;
        }
        Ok(())
    }
}
