//! The store: an open database, and the ways to run a closure on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use uuid::Uuid;

use crate::pool::wait;
use crate::postgres::Postgres;
use crate::sqlite::Sqlite;
use crate::{Database, Environment, ReadTx, Scope, StoreCounts, StoreError, WriteTx};

/// What a process opens a store for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenMode {
    /// To serve it: the only process that may do so on an embedded database, and the only one that runs
    /// background work.
    Serve,
    /// To look into it or change it from the command line, also while a server runs.
    Tool,
}

/// An open database. Clones share it; it is closed when the last one is dropped.
#[derive(Clone)]
pub struct Store {
    engine: Engine,
    mode: OpenMode,
    environment: Environment,
    settings_version: Arc<AtomicU64>,
}

/// Counts a change of settings when the write that makes it is over, however it ended.
struct SettingsChange<'s>(&'s AtomicU64);

impl Drop for SettingsChange<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Release);
    }
}

#[derive(Clone)]
enum Engine {
    Sqlite(Arc<Sqlite>),
    Postgres(Arc<Postgres>),
}

impl Store {
    /// Opens a database to serve it, and brings its schema up to date. Blocks.
    pub fn open(database: &Database, environment: Environment) -> Result<Self, StoreError> {
        Self::open_for(OpenMode::Serve, database, environment)
    }

    /// Opens a database for a purpose, and brings its schema up to date. Blocks.
    pub fn open_for(
        mode: OpenMode,
        database: &Database,
        environment: Environment,
    ) -> Result<Self, StoreError> {
        let clock = environment.clone();
        let engine = match database {
            Database::Sqlite(path) => {
                Engine::Sqlite(Arc::new(Sqlite::open(path, environment, mode)?))
            }
            Database::Postgres(url) => {
                Engine::Postgres(Arc::new(Postgres::open(url, environment)?))
            }
        };
        Ok(Self {
            engine,
            mode,
            environment: clock,
            settings_version: Arc::default(),
        })
    }

    /// What this process opened the store for.
    pub fn mode(&self) -> OpenMode {
        self.mode
    }

    /// The present moment, by the clock that transactions go by.
    pub fn now(&self) -> Timestamp {
        self.environment.moment()
    }

    /// A new id of a request; those of one time lie side by side in the index of their records.
    pub fn new_request_id(&self) -> Uuid {
        self.environment.id_in_order(self.now())
    }

    /// Grows with every change of settings that this process makes, once it is durable and before
    /// its caller goes on: what was remembered of credentials under another number is worthless.
    pub fn settings_version(&self) -> u64 {
        self.settings_version.load(Ordering::Acquire)
    }

    /// Says that a write in another scope than [`Scope::Settings`] changes settings. What it gives is
    /// kept until the write is over.
    pub fn changing_settings(&self) -> impl Drop + '_ {
        SettingsChange(&self.settings_version)
    }

    /// What this store has done since it was opened.
    pub fn counts(&self) -> StoreCounts {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.counts.now(),
            Engine::Postgres(postgres) => postgres.counts.now(),
        }
    }

    /// Runs a closure that writes. `Ok` means that its work is durable; `Err` means that none of it happened
    /// (unless the text of [`StoreError::Unavailable`] says that the outcome is unknown).
    ///
    /// The closure may run several times. Once it has been queued it runs to its end, even if the caller is gone.
    pub async fn write<T, E>(
        &self,
        scope: Scope,
        closure: impl Fn(&mut WriteTx<'_>) -> Result<T, E> + Send + Sync + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let _change = (scope == Scope::Settings).then(|| self.changing_settings());
        match &self.engine {
            Engine::Sqlite(sqlite) => answered(sqlite.submit(closure)?.await),
            Engine::Postgres(postgres) => {
                let permit = postgres.permit().await?;
                let postgres = Arc::clone(postgres);
                joined(spawn_blocking(move || postgres.write(permit, scope, &closure)).await)
            }
        }
    }

    /// [`Store::write`] for a plain thread.
    pub fn write_blocking<T, E>(
        &self,
        scope: Scope,
        closure: impl Fn(&mut WriteTx<'_>) -> Result<T, E> + Send + Sync + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let _change = (scope == Scope::Settings).then(|| self.changing_settings());
        match &self.engine {
            Engine::Sqlite(sqlite) => answered(wait(sqlite.submit(closure)?)),
            Engine::Postgres(postgres) => {
                postgres.write(postgres.permit_blocking()?, scope, &closure)
            }
        }
    }

    /// Runs a closure that reads, on one consistent state; it never waits for writers. It should be over in a moment:
    /// few run at once.
    pub async fn read<T, E>(
        &self,
        closure: impl Fn(&mut ReadTx<'_>) -> Result<T, E> + Send + Sync + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        if let Engine::Sqlite(sqlite) = &self.engine {
            let permit = sqlite.permit().await.ok_or_else(closed)?;
            let sqlite = Arc::clone(sqlite);
            return joined(spawn_blocking(move || sqlite.read_by(permit, &closure)).await);
        }
        self.read_at_length(closure).await
    }

    /// [`Store::read`] for a closure that goes through a great many rows.
    pub async fn read_at_length<T, E>(
        &self,
        closure: impl Fn(&mut ReadTx<'_>) -> Result<T, E> + Send + Sync + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        match &self.engine {
            Engine::Sqlite(sqlite) => {
                let permit = sqlite.permit_at_length().await.ok_or_else(closed)?;
                let sqlite = Arc::clone(sqlite);
                joined(spawn_blocking(move || sqlite.read_by(permit, &closure)).await)
            }
            Engine::Postgres(postgres) => {
                let permit = postgres.permit().await?;
                let postgres = Arc::clone(postgres);
                joined(spawn_blocking(move || postgres.read(permit, &closure)).await)
            }
        }
    }

    /// [`Store::read_at_length`] for a plain thread.
    pub fn read_blocking<T, E>(
        &self,
        closure: impl Fn(&mut ReadTx<'_>) -> Result<T, E>,
    ) -> Result<T, E>
    where
        E: From<StoreError>,
    {
        match &self.engine {
            Engine::Sqlite(sqlite) => {
                sqlite.read_by(sqlite.permit_blocking().ok_or_else(closed)?, &closure)
            }
            Engine::Postgres(postgres) => postgres.read(postgres.permit_blocking()?, &closure),
        }
    }

    /// [`Store::read`] for a few index look-ups with a small answer. On the embedded engine it runs at once, on
    /// the calling task: going to another thread and back would cost more than the look-up.
    pub async fn look_up<T, E>(
        &self,
        closure: impl Fn(&mut ReadTx<'_>) -> Result<T, E> + Send + Sync + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.read(&closure),
            Engine::Postgres(_) => self.read(closure).await,
        }
    }
}

/// The answer of the writing thread.
fn answered<T, E: From<StoreError>>(
    answer: Result<Result<T, E>, oneshot::error::RecvError>,
) -> Result<T, E> {
    answer.unwrap_or_else(|_no_answer| {
        Err(StoreError::unavailable("its writing thread has ended").into())
    })
}

/// The outcome of a closure on another thread.
fn joined<T, E: From<StoreError>>(
    outcome: Result<Result<T, E>, tokio::task::JoinError>,
) -> Result<T, E> {
    outcome.unwrap_or_else(|error| {
        Err(StoreError::Panicked {
            what: error.to_string(),
        }
        .into())
    })
}

fn closed() -> StoreError {
    StoreError::unavailable("it is closed")
}
