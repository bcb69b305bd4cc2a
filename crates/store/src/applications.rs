//! Applications: products that attach a directory through the Crowd REST API.

use directory::{ApplicationId, DirectoryId};
use jiff::Timestamp;
use scim::fold;

use crate::{ReadTx, Row, StoreError, WriteTx, args};

/// What an application may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Read and authenticate only.
    ReadOnly,
    /// Also local groups, local memberships and user attributes.
    ReadWrite,
}

impl Access {
    /// `read-only` or `read-write`.
    pub fn as_str(self) -> &'static str {
        match self {
            Access::ReadOnly => "read-only",
            Access::ReadWrite => "read-write",
        }
    }

    /// Reads what [`Access::as_str`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "read-only" => Some(Access::ReadOnly),
            "read-write" => Some(Access::ReadWrite),
            _ => None,
        }
    }
}

/// A product that attaches a directory.
#[derive(Debug, Clone)]
pub struct Application {
    /// The store's number.
    pub id: ApplicationId,
    /// UUID for the admin API.
    pub public_id: String,
    /// The name that the product signs in with.
    pub name: String,
    /// argon2id hash (PHC string) of its password.
    pub password_hash: String,
    /// What it may do.
    pub access: Access,
    /// Addresses and CIDR ranges it may come from; empty means any.
    pub addresses: Vec<String>,
    /// The directory it sees.
    pub directory: DirectoryId,
    /// When it was made.
    pub created: Timestamp,
    /// When anything of it last changed; a cache of verified credentials is good for this value only.
    pub updated: Timestamp,
    /// When it last asked for anything, to the minute.
    pub last_seen: Option<Timestamp>,
    /// The journal position it has fetched up to.
    pub last_position: Option<i64>,
}

const COLUMNS: &str = "pk, public_id, name, password_hash, access, addresses, directory_pk, created, updated, \
     last_seen, last_position";

fn read_application(row: &Row<'_>) -> Result<Application, StoreError> {
    let access = row.text(4)?;
    let addresses = row.text(5)?;
    Ok(Application {
        id: ApplicationId(row.int(0)?),
        public_id: row.text(1)?,
        name: row.text(2)?,
        password_hash: row.text(3)?,
        access: Access::parse(&access).ok_or_else(|| StoreError::corrupt("application.access"))?,
        addresses: serde_json::from_str(&addresses)
            .map_err(|error| StoreError::corrupt(format!("application.addresses: {error}")))?,
        directory: DirectoryId(row.int(6)?),
        created: row.time(7)?,
        updated: row.time(8)?,
        last_seen: row.opt_time(9)?,
        last_position: row.opt_int(10)?,
    })
}

impl ReadTx<'_> {
    /// The application of this name, compared by [`fold`].
    pub fn application(&self, name: &str) -> Result<Option<Application>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM application WHERE name_fold = $1");
        self.query_one(&sql, args![fold(name)], read_application)
    }

    /// The application with this public id.
    pub fn application_by_public_id(
        &self,
        public_id: &str,
    ) -> Result<Option<Application>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM application WHERE public_id = $1");
        self.query_one(&sql, args![public_id], read_application)
    }

    /// All applications by name.
    pub fn applications(&self) -> Result<Vec<Application>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM application ORDER BY name_fold");
        self.query(&sql, args![], read_application)
    }
}

impl WriteTx<'_> {
    /// Stores a new application. A taken name is [`StoreError::Conflict`] on `application_name`.
    pub fn insert_application(
        &self,
        name: &str,
        password_hash: &str,
        access: Access,
        addresses: &[String],
        directory: DirectoryId,
    ) -> Result<Application, StoreError> {
        let public_id = self.new_id().to_string();
        let now = self.now();
        let pk = self.insert(
            "INSERT INTO application (public_id, name, name_fold, password_hash, access, addresses, directory_pk, \
             created, updated) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING pk",
            args![
                public_id.as_str(),
                name,
                fold(name),
                password_hash,
                access.as_str(),
                json_list(addresses),
                directory.0,
                now,
                now
            ],
        )?;
        Ok(Application {
            id: ApplicationId(pk),
            public_id,
            name: name.to_owned(),
            password_hash: password_hash.to_owned(),
            access,
            addresses: addresses.to_vec(),
            directory,
            created: now,
            updated: now,
            last_seen: None,
            last_position: None,
        })
    }

    /// Stores name, password hash, access and addresses of an application anew.
    pub fn update_application(&self, application: &Application) -> Result<(), StoreError> {
        let now = self.later_than(application.updated);
        self.execute(
            "UPDATE application SET name = $1, name_fold = $2, password_hash = $3, access = $4, addresses = $5, \
             directory_pk = $6, updated = $7 WHERE pk = $8",
            args![
                application.name.as_str(),
                fold(&application.name),
                application.password_hash.as_str(),
                application.access.as_str(),
                json_list(&application.addresses),
                application.directory.0,
                now,
                application.id.0
            ],
        )?;
        Ok(())
    }

    /// Deletes an application.
    pub fn delete_application(&self, application: ApplicationId) -> Result<bool, StoreError> {
        Ok(self.execute(
            "DELETE FROM application WHERE pk = $1",
            args![application.0],
        )? > 0)
    }

    /// Notes when an application was last seen and how far it has read the journal.
    pub fn touch_application(
        &self,
        application: ApplicationId,
        at: Timestamp,
        position: Option<i64>,
    ) -> Result<(), StoreError> {
        self.execute(
            "UPDATE application SET last_seen = $1, last_position = coalesce($2, last_position) WHERE pk = $3",
            args![at, position, application.0],
        )?;
        Ok(())
    }
}

/// A JSON array of texts.
pub(crate) fn json_list(values: &[String]) -> String {
    serde_json::Value::from(values).to_string()
}
