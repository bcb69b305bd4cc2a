//! Clients of a connector: an id and secrets, and the access tokens that were given for them
//! (RFC 6749 section 4.4). Of secrets and tokens only the SHA-256 is kept.

use std::collections::HashMap;

use directory::ConnectorId;
use jiff::Timestamp;

use crate::connectors::json;
use crate::tokens::{read_access, read_addresses};
use crate::{Access, Grant, ReadTx, Row, StoreError, WriteTx, args};

/// A client as the store knows it.
#[derive(Debug, Clone)]
pub struct Client {
    pk: i64,
    /// Its id, which it shows with a secret.
    pub id: String,
    /// The connector that it may ask.
    pub connector: ConnectorId,
    /// What the administrator called it.
    pub label: String,
    /// What it may do.
    pub access: Access,
    /// Addresses and CIDR ranges it may come from; empty means any.
    pub addresses: Vec<String>,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last used, to the minute.
    pub last_used: Option<Timestamp>,
    /// From which address it was last used.
    pub last_address: Option<String>,
}

/// A secret of a client, without its text.
#[derive(Debug, Clone)]
pub struct ClientSecret {
    pk: i64,
    /// Public id, for listing and revoking.
    pub id: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it stops working, if ever.
    pub expires: Option<Timestamp>,
}

impl ClientSecret {
    /// Whether it still works.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.expires.is_none_or(|expires| now < expires)
    }
}

/// An access token: who has it, and for how long.
#[derive(Debug, Clone)]
pub struct AccessToken {
    /// To whom it was given.
    pub client: Client,
    /// What it may do: no more than the client.
    pub access: Access,
    /// When it stops working.
    pub expires: Timestamp,
}

const COLUMNS: &str = "c.pk, c.public_id, c.connector_pk, c.label, c.access, c.addresses, c.created, c.last_used, c.last_address";

fn read_client(row: &Row<'_>) -> Result<Client, StoreError> {
    Ok(Client {
        pk: row.int(0)?,
        id: row.text(1)?,
        connector: ConnectorId(row.int(2)?),
        label: row.text(3)?,
        access: read_access(row, 4)?,
        addresses: read_addresses(row, 5)?,
        created: row.time(6)?,
        last_used: row.opt_time(7)?,
        last_address: row.opt_text(8)?,
    })
}

fn read_secret(row: &Row<'_>, first: usize) -> Result<ClientSecret, StoreError> {
    Ok(ClientSecret {
        pk: row.int(first)?,
        id: row.text(first + 1)?,
        created: row.time(first + 2)?,
        expires: row.opt_time(first + 3)?,
    })
}

impl ReadTx<'_> {
    /// The clients of a connector, in the order they were made.
    pub fn clients(&self, connector: ConnectorId) -> Result<Vec<Client>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM client c WHERE c.connector_pk = $1 ORDER BY c.pk");
        self.query(&sql, args![connector.0], read_client)
    }

    /// A client of a connector.
    pub fn client(&self, connector: ConnectorId, id: &str) -> Result<Option<Client>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM client c WHERE c.public_id = $1 AND c.connector_pk = $2"
        );
        self.query_one(&sql, args![id, connector.0], read_client)
    }

    /// The client with this id, whichever connector it may ask.
    pub fn client_by_id(&self, id: &str) -> Result<Option<Client>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM client c WHERE c.public_id = $1");
        self.query_one(&sql, args![id], read_client)
    }

    /// By what the secrets of a client are recognised, and when they end.
    pub fn hashes_of_client(
        &self,
        client: &Client,
    ) -> Result<Vec<(String, Option<Timestamp>)>, StoreError> {
        self.query(
            "SELECT hash, expires FROM client_secret WHERE client_pk = $1 ORDER BY pk",
            args![client.pk],
            |row| Ok((row.text(0)?, row.opt_time(1)?)),
        )
    }

    /// The secrets of a client, newest first; those that have ended as well.
    pub fn client_secrets(&self, client: &Client) -> Result<Vec<ClientSecret>, StoreError> {
        self.query(
            "SELECT pk, public_id, created, expires FROM client_secret WHERE client_pk = $1 ORDER BY pk DESC",
            args![client.pk],
            |row| read_secret(row, 0),
        )
    }

    /// The clients of a connector, in the order they were made, each with its secrets, newest first.
    pub fn clients_with_secrets(
        &self,
        connector: ConnectorId,
    ) -> Result<Vec<(Client, Vec<ClientSecret>)>, StoreError> {
        let mut secrets: HashMap<i64, Vec<ClientSecret>> = HashMap::new();
        self.for_each(
            "SELECT s.pk, s.public_id, s.created, s.expires, s.client_pk FROM client_secret s \
             JOIN client c ON c.pk = s.client_pk WHERE c.connector_pk = $1 ORDER BY s.pk DESC",
            args![connector.0],
            |row| {
                let of_client = secrets.entry(row.int(4)?).or_default();
                of_client.push(read_secret(row, 0)?);
                Ok(())
            },
        )?;
        let clients = self.clients(connector)?.into_iter();
        Ok(clients
            .map(|client| {
                let secrets = secrets.remove(&client.pk).unwrap_or_default();
                (client, secrets)
            })
            .collect())
    }

    /// The secret with this hash, live or ended, and whose it is.
    pub fn client_secret(&self, hash: &str) -> Result<Option<(Client, ClientSecret)>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS}, s.pk, s.public_id, s.created, s.expires \
             FROM client_secret s JOIN client c ON c.pk = s.client_pk WHERE s.hash = $1"
        );
        self.query_one(&sql, args![hash], |row| {
            Ok((read_client(row)?, read_secret(row, 9)?))
        })
    }

    /// The access token with this hash, live or ended.
    pub fn access_token(&self, hash: &str) -> Result<Option<AccessToken>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS}, t.access, t.expires FROM access_token t \
             JOIN client_secret s ON s.pk = t.secret_pk JOIN client c ON c.pk = s.client_pk WHERE t.hash = $1"
        );
        self.query_one(&sql, args![hash], |row| {
            Ok(AccessToken {
                client: read_client(row)?,
                access: read_access(row, 9)?,
                expires: row.time(10)?,
            })
        })
    }
}

impl WriteTx<'_> {
    /// Changes what a client is for, may do and comes from; its id and secrets stay.
    pub fn update_client(&self, client: &Client, grant: &Grant) -> Result<(), StoreError> {
        self.execute(
            "UPDATE client SET label = $1, access = $2, addresses = $3 WHERE pk = $4",
            args![
                grant.label.as_str(),
                grant.access.as_str(),
                json(&grant.addresses)?,
                client.pk
            ],
        )?;
        Ok(())
    }

    /// Makes a client without a secret. Without an id it gets a new one.
    pub fn insert_client(
        &self,
        connector: ConnectorId,
        id: Option<&str>,
        grant: &Grant,
    ) -> Result<Client, StoreError> {
        let id = id.map_or_else(|| self.new_id().to_string(), str::to_owned);
        let now = self.now();
        let pk = self.insert(
            "INSERT INTO client (public_id, connector_pk, label, access, addresses, created) \
             VALUES ($1, $2, $3, $4, $5, $6) RETURNING pk",
            args![
                id.as_str(),
                connector.0,
                grant.label.as_str(),
                grant.access.as_str(),
                json(&grant.addresses)?,
                now
            ],
        )?;
        Ok(Client {
            pk,
            id,
            connector,
            label: grant.label.clone(),
            access: grant.access,
            addresses: grant.addresses.clone(),
            created: now,
            last_used: None,
            last_address: None,
        })
    }

    /// Gives a client one more secret.
    pub fn insert_client_secret(
        &self,
        client: &Client,
        hash: &str,
        expires: Option<Timestamp>,
    ) -> Result<ClientSecret, StoreError> {
        let id = self.new_id().to_string();
        let now = self.now();
        let pk = self.insert(
            "INSERT INTO client_secret (public_id, client_pk, hash, created, expires) \
             VALUES ($1, $2, $3, $4, $5) RETURNING pk",
            args![id.as_str(), client.pk, hash, now, expires],
        )?;
        Ok(ClientSecret {
            pk,
            id,
            created: now,
            expires,
        })
    }

    /// Ends the secrets of a client at `at`, unless they end sooner: the overlap of a rotation.
    pub fn expire_client_secrets(&self, client: &Client, at: Timestamp) -> Result<(), StoreError> {
        self.execute(
            "UPDATE client_secret SET expires = $1 WHERE client_pk = $2 AND (expires IS NULL OR expires > $1)",
            args![at, client.pk],
        )?;
        Ok(())
    }

    /// Deletes a secret with every access token that was given for it.
    pub fn delete_client_secret(&self, secret: &ClientSecret) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM access_token WHERE secret_pk = $1",
            args![secret.pk],
        )?;
        self.execute("DELETE FROM client_secret WHERE pk = $1", args![secret.pk])?;
        Ok(())
    }

    /// Deletes a client with its secrets and access tokens.
    pub fn delete_client(&self, client: &Client) -> Result<(), StoreError> {
        for secret in self.client_secrets(client)? {
            self.delete_client_secret(&secret)?;
        }
        self.execute("DELETE FROM client WHERE pk = $1", args![client.pk])?;
        Ok(())
    }

    /// Deletes every token, client and set-up link of a connector: what goes first when the connector goes.
    pub fn delete_credentials(&self, connector: ConnectorId) -> Result<(), StoreError> {
        for client in self.clients(connector)? {
            self.delete_client(&client)?;
        }
        self.execute(
            "DELETE FROM token WHERE connector_pk = $1",
            args![connector.0],
        )?;
        self.execute(
            "DELETE FROM setup_link WHERE connector_pk = $1",
            args![connector.0],
        )?;
        Ok(())
    }

    /// Stores an access token by its hash. Those of anybody that have ended go, and of those that
    /// were given for the same secret the oldest, above `kept` of them.
    pub fn insert_access_token(
        &self,
        secret: &ClientSecret,
        hash: &str,
        access: Access,
        expires: Timestamp,
        kept: i64,
    ) -> Result<(), StoreError> {
        let now = self.now();
        self.execute("DELETE FROM access_token WHERE expires <= $1", args![now])?;
        self.execute(
            "DELETE FROM access_token WHERE hash IN (SELECT hash FROM access_token WHERE secret_pk = $1 \
             ORDER BY created DESC LIMIT 1000 OFFSET $2)",
            args![secret.pk, kept - 1],
        )?;
        self.execute(
            "INSERT INTO access_token (hash, secret_pk, access, created, expires) VALUES ($1, $2, $3, $4, $5)",
            args![hash, secret.pk, access.as_str(), now, expires],
        )?;
        Ok(())
    }
}
