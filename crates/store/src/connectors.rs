//! Connectors and the directories they feed.

use directory::{Connector, ConnectorId, ConnectorState, DirectoryId, Preset};
use jiff::Timestamp;
use scim::fold;

use crate::{ReadTx, Row, StoreError, WriteTx, args};

/// A directory: what products attach.
#[derive(Debug, Clone)]
pub struct Directory {
    /// The store's number.
    pub id: DirectoryId,
    /// UUID for URLs.
    pub public_id: String,
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
}

/// How much a connector's source holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SourceCounts {
    /// Users of the source.
    pub users: i64,
    /// Groups of the source.
    pub groups: i64,
    /// Users that were ever deleted.
    pub users_deleted: i64,
    /// Groups that were ever deleted.
    pub groups_deleted: i64,
}

impl SourceCounts {
    pub(crate) fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            users: row.int(0)?,
            groups: row.int(1)?,
            users_deleted: row.int(2)?,
            groups_deleted: row.int(3)?,
        })
    }
}

/// What is known about a connector's state and runs beside its settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConnectorTimes {
    /// When it is to be reconciled next by its schedule.
    pub next_run: Option<Timestamp>,
    /// Until when reads are recorded, if that is still to come.
    pub reads_recorded: Option<Timestamp>,
    /// Since when it has its state, and who gave it; none for one that never changed it.
    pub state: Option<(Timestamp, String)>,
}

/// A connector together with the version that caches compare.
#[derive(Debug, Clone)]
pub struct StoredConnector {
    /// The connector.
    pub connector: Connector,
    /// Another one after every change of it, and never one that a change had that was rolled back.
    pub version: i64,
}

const COLUMNS: &str =
    "pk, public_id, name, preset, state, directory_pk, rules, settings, version, created, updated";

fn read_connector(row: &Row<'_>) -> Result<StoredConnector, StoreError> {
    let preset = row.text(3)?;
    let state = row.text(4)?;
    Ok(StoredConnector {
        connector: Connector {
            id: ConnectorId(row.int(0)?),
            public_id: row.text(1)?,
            name: row.text(2)?,
            preset: Preset::parse(&preset)
                .ok_or_else(|| StoreError::corrupt("connector.preset"))?,
            state: ConnectorState::parse(&state)
                .ok_or_else(|| StoreError::corrupt("connector.state"))?,
            directory: DirectoryId(row.int(5)?),
            rules: serde_json::from_str(&row.text(6)?)
                .map_err(|error| StoreError::corrupt(format!("connector.rules: {error}")))?,
            settings: serde_json::from_str(&row.text(7)?)
                .map_err(|error| StoreError::corrupt(format!("connector.settings: {error}")))?,
            created: row.time(9)?,
            updated: row.time(10)?,
        },
        version: row.int(8)?,
    })
}

fn read_directory(row: &Row<'_>) -> Result<Directory, StoreError> {
    Ok(Directory {
        id: DirectoryId(row.int(0)?),
        public_id: row.text(1)?,
        name: row.text(2)?,
        created: row.time(3)?,
    })
}

impl ReadTx<'_> {
    /// Which store this is: part of every event token, so that a token of another store is refused.
    pub fn store_id(&self) -> Result<String, StoreError> {
        self.query_one(
            "SELECT store_id FROM instance WHERE pk = 1",
            args![],
            |row| row.text(0),
        )?
        .ok_or_else(|| StoreError::corrupt("instance"))
    }

    /// The secret with which cursors are sealed: a text of some hundred random bits.
    pub fn cursor_key(&self) -> Result<String, StoreError> {
        self.query_one(
            "SELECT cursor_key FROM instance WHERE pk = 1",
            args![],
            |row| row.text(0),
        )?
        .ok_or_else(|| StoreError::corrupt("instance"))
    }

    /// The connector with this number.
    pub fn connector(&self, id: ConnectorId) -> Result<Option<StoredConnector>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM connector WHERE pk = $1");
        self.query_one(&sql, args![id.0], read_connector)
    }

    /// The connector with this public id or this name.
    pub fn find_connector(&self, text: &str) -> Result<Option<StoredConnector>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM connector WHERE public_id = $1 OR name_fold = $2 ORDER BY public_id = $1 DESC"
        );
        self.query_one(&sql, args![text, fold(text)], read_connector)
    }

    /// The version of a connector, for caches; one index look-up.
    pub fn connector_version(&self, id: ConnectorId) -> Result<Option<i64>, StoreError> {
        self.query_one(
            "SELECT version FROM connector WHERE pk = $1",
            args![id.0],
            |row| row.int(0),
        )
    }

    /// What is known about a connector's state and runs.
    pub fn connector_times(&self, id: ConnectorId) -> Result<ConnectorTimes, StoreError> {
        let found = self.query_one(
            "SELECT next_run, state_since, state_by, reads_until FROM connector WHERE pk = $1",
            args![id],
            |row| {
                Ok(ConnectorTimes {
                    next_run: row.opt_time(0)?,
                    state: row.opt_time(1)?.zip(row.opt_text(2)?),
                    reads_recorded: row.opt_time(3)?.filter(|until| *until > self.now()),
                })
            },
        )?;
        Ok(found.unwrap_or_default())
    }

    /// Connectors whose next run by schedule has come.
    pub fn scheduled_connectors(&self) -> Result<Vec<ConnectorId>, StoreError> {
        self.query(
            "SELECT pk FROM connector WHERE next_run <= $1 ORDER BY next_run",
            args![self.now()],
            |row| Ok(ConnectorId(row.int(0)?)),
        )
    }

    /// All connectors in the order they were made.
    pub fn connectors(&self) -> Result<Vec<StoredConnector>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM connector ORDER BY pk");
        self.query(&sql, args![], read_connector)
    }

    /// Those that take no effect at present, which are few.
    pub fn stopped_connectors(&self) -> Result<Vec<StoredConnector>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM connector WHERE state <> 'active' ORDER BY pk");
        self.query(&sql, args![], read_connector)
    }

    /// How much a connector's source holds; kept up to date by every write.
    pub fn source_counts(&self, id: ConnectorId) -> Result<SourceCounts, StoreError> {
        self.query_one(
            "SELECT user_count, group_count, users_deleted, groups_deleted FROM connector WHERE pk = $1",
            args![id.0],
            SourceCounts::read,
        )
        .map(Option::unwrap_or_default)
    }

    /// The directory with this public id or this name.
    pub fn find_directory(&self, text: &str) -> Result<Option<Directory>, StoreError> {
        self.query_one(
            "SELECT pk, public_id, name, created FROM directory WHERE public_id = $1 OR name_fold = $2 \
             ORDER BY public_id = $1 DESC",
            args![text, fold(text)],
            read_directory,
        )
    }

    /// The directory with this number.
    pub fn directory(&self, id: DirectoryId) -> Result<Option<Directory>, StoreError> {
        self.query_one(
            "SELECT pk, public_id, name, created FROM directory WHERE pk = $1",
            args![id.0],
            read_directory,
        )
    }

    /// All directories in the order they were made.
    pub fn directories(&self) -> Result<Vec<Directory>, StoreError> {
        self.query(
            "SELECT pk, public_id, name, created FROM directory ORDER BY pk",
            args![],
            read_directory,
        )
    }
}

impl WriteTx<'_> {
    /// Names this store, once.
    pub fn ensure_instance(&self) -> Result<(), StoreError> {
        let id = self.new_id().simple().to_string();
        let now = self.now();
        self.execute(
            "INSERT INTO instance (pk, store_id, created) VALUES (1, $1, $2) ON CONFLICT (pk) DO NOTHING",
            args![&id[..12], now],
        )?;
        let secret = [self.new_id(), self.new_id()].map(|id| id.simple().to_string());
        self.execute(
            "UPDATE instance SET cursor_key = $1 WHERE pk = 1 AND cursor_key IS NULL",
            args![secret.concat()],
        )?;
        Ok(())
    }

    /// Makes a directory. A taken name is [`StoreError::Conflict`] on `directory_name`.
    pub fn insert_directory(&self, name: &str) -> Result<Directory, StoreError> {
        let public_id = self.new_id().to_string();
        let now = self.now();
        let pk = self.insert(
            "INSERT INTO directory (public_id, name, name_fold, journal_floor, created) \
             VALUES ($1, $2, $3, 0, $4) RETURNING pk",
            args![public_id.as_str(), name, fold(name), now],
        )?;
        Ok(Directory {
            id: DirectoryId(pk),
            public_id,
            name: name.to_owned(),
            created: now,
        })
    }

    /// Gives a connector that was just made another id for its address.
    pub fn set_connector_id(&self, connector: ConnectorId, id: &str) -> Result<(), StoreError> {
        self.execute(
            "UPDATE connector SET public_id = $1 WHERE pk = $2",
            args![id, connector.0],
        )?;
        Ok(())
    }

    /// Makes a connector; author and comment are those of its first rules. A taken name is [`StoreError::Conflict`] on `connector_name`.
    pub fn insert_connector(
        &self,
        name: &str,
        preset: Preset,
        directory: DirectoryId,
        rules: &directory::Rules,
        settings: &directory::ConnectorSettings,
        (author, comment): (&str, &str),
    ) -> Result<StoredConnector, StoreError> {
        let public_id = self.new_id().to_string();
        let version = self.new_version();
        let now = self.now();
        let pk = self.insert(
            "INSERT INTO connector (public_id, name, name_fold, preset, state, directory_pk, rules, settings, \
             version, user_count, group_count, created, updated) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0, $10, $10) RETURNING pk",
            args![
                public_id.as_str(),
                name,
                fold(name),
                preset.as_str(),
                ConnectorState::Active.as_str(),
                directory.0,
                json(rules)?,
                json(settings)?,
                version,
                now
            ],
        )?;
        self.insert_rules_version(ConnectorId(pk), rules, author, comment)?;
        Ok(StoredConnector {
            connector: Connector {
                id: ConnectorId(pk),
                public_id,
                name: name.to_owned(),
                preset,
                state: ConnectorState::Active,
                directory,
                rules: rules.clone(),
                settings: settings.clone(),
                created: now,
                updated: now,
            },
            version,
        })
    }

    /// Says when a connector is to be reconciled next; caches of it stay good.
    pub fn set_next_run(&self, id: ConnectorId, at: Option<Timestamp>) -> Result<(), StoreError> {
        self.execute(
            "UPDATE connector SET next_run = $1 WHERE pk = $2",
            args![at, id],
        )?;
        Ok(())
    }

    /// Says until when reads of a connector are recorded.
    pub fn set_reads_recorded(
        &self,
        id: ConnectorId,
        until: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        self.execute(
            "UPDATE connector SET reads_until = $1, version = $2 WHERE pk = $3",
            args![until, self.new_version(), id],
        )?;
        Ok(())
    }

    /// Notes who gave a connector its state, just now.
    pub fn note_state(&self, id: ConnectorId, by: &str) -> Result<(), StoreError> {
        self.execute(
            "UPDATE connector SET state_since = $1, state_by = $2 WHERE pk = $3",
            args![self.now(), by, id],
        )?;
        Ok(())
    }

    /// Stores name, preset, state, rules and settings of a connector anew.
    pub fn update_connector(&self, connector: &Connector) -> Result<(), StoreError> {
        let now = self.later_than(connector.updated);
        self.execute(
            "UPDATE connector SET name = $1, name_fold = $2, preset = $3, state = $4, rules = $5, settings = $6, \
             version = $7, updated = $8 WHERE pk = $9",
            args![
                connector.name.as_str(),
                fold(&connector.name),
                connector.preset.as_str(),
                connector.state.as_str(),
                json(&connector.rules)?,
                json(&connector.settings)?,
                self.new_version(),
                now,
                connector.id.0
            ],
        )?;
        Ok(())
    }

    /// A version that nothing had before. Counting would not do: a number that was rolled back comes again, and a
    /// cache may have seen it meanwhile.
    pub(crate) fn new_version(&self) -> i64 {
        let (high, low) = self.new_id().as_u64_pair();
        (high ^ low).cast_signed()
    }
}

/// JSON text of something that is always representable; failing is a defect of its type.
pub(crate) fn json<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::corrupt(format!("json: {error}")))
}
