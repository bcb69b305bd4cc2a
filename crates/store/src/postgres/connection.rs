//! One connection, driven by the thread that uses it, with a deadline on every exchange.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{
    Client, Config, Error, IsolationLevel, NoTls, Socket, Statement, Transaction,
};

use super::address::{Address, with_cause};
use super::fault::Fault;

/// Around connecting to one host, up to its first answer.
const CONNECT_LIMIT: Duration = Duration::from_secs(3);
/// The head start of one host before the next is asked.
const NEXT_HOST: Duration = Duration::from_millis(250);
/// What the server is told to give a statement.
const STATEMENT_LIMIT: Duration = Duration::from_secs(10);
/// After this time without an answer to a statement the connection is dropped.
const SILENCE_LIMIT: Duration = Duration::from_secs(12);
/// Prepared statements that a connection keeps.
const STATEMENTS: usize = 256;

/// A connection, and the runtime that drives it. A connection idle in the pool is not driven.
pub(super) struct Connection {
    client: Client,
    /// Always there, until the connection is dropped.
    runtime: Option<Runtime>,
    statements: RefCell<HashMap<String, Statement>>,
    opened: Instant,
}

/// What statements need of a connection beside its transaction.
pub(super) struct Line<'c> {
    runtime: &'c Runtime,
    pub(super) statements: &'c RefCell<HashMap<String, Statement>>,
}

impl Connection {
    /// Connects to the host that served last, and, a little later, to the others; the first that accepts writes is taken.
    pub(super) fn open(address: &Address) -> Result<Self, Fault> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Fault::Local(format!("no runtime for a connection: {error}")))?;
        let (host, client) = runtime.block_on(first_host(address))?;
        address.remember(host);
        Ok(Self {
            client,
            runtime: Some(runtime),
            statements: RefCell::default(),
            opened: Instant::now(),
        })
    }

    /// Begins a transaction.
    pub(super) fn begin(
        &mut self,
        isolation: IsolationLevel,
        read_only: bool,
    ) -> Result<(Transaction<'_>, Line<'_>), Fault> {
        let runtime = self
            .runtime
            .as_ref()
            .ok_or_else(|| Fault::Local("the connection is closed".to_owned()))?;
        let line = Line {
            runtime,
            statements: &self.statements,
        };
        let begin = self
            .client
            .build_transaction()
            .isolation_level(isolation)
            .read_only(read_only)
            .start();
        // It has to be quick: it is also how a connection that died in the pool is noticed.
        let transaction = line.run_within(CONNECT_LIMIT, begin)?;
        Ok((transaction, line))
    }

    /// Whether the connection may go back into the pool.
    pub(super) fn is_usable(&self, age_max: Duration) -> bool {
        !self.client.is_closed() && self.opened.elapsed() < age_max
    }
}

impl Drop for Connection {
    /// Lets go of the socket without waiting, which a thread of an asynchronous runtime must not do.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Line<'_> {
    /// Waits for an exchange with the server.
    pub(super) fn run<T>(
        &self,
        exchange: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Fault> {
        self.run_within(SILENCE_LIMIT, exchange)
    }

    /// Waits for an exchange that may take its time.
    pub(super) fn run_patiently<T>(
        &self,
        exchange: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Fault> {
        Ok(self.runtime.block_on(exchange)?)
    }

    fn run_within<T>(
        &self,
        limit: Duration,
        exchange: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Fault> {
        match self
            .runtime
            .block_on(async { timeout(limit, exchange).await })
        {
            Ok(outcome) => Ok(outcome?),
            Err(_elapsed) => Err(Fault::Silence(limit)),
        }
    }

    /// Remembers a prepared statement.
    pub(super) fn keep(&self, sql: &str, statement: &Statement) {
        let mut statements = self.statements.borrow_mut();
        if statements.len() >= STATEMENTS {
            statements.clear();
        }
        statements.insert(sql.to_owned(), statement.clone());
    }
}

/// The first host that answers and accepts writes.
async fn first_host(address: &Address) -> Result<(usize, Client), Fault> {
    let mut asked = JoinSet::new();
    for (turn, (number, config)) in (0_u32..).zip(address.hosts()) {
        let tls = address.tls();
        asked.spawn(async move {
            sleep(NEXT_HOST * turn).await;
            let connecting = async {
                match tls {
                    Some(tls) => connect(&config, tls).await,
                    None => connect(&config, NoTls).await,
                }
            };
            match timeout(CONNECT_LIMIT, connecting).await {
                Ok(Ok(client)) => Ok((number, client)),
                Ok(Err(error)) => Err(Fault::Driver(error)),
                Err(_elapsed) => Err(Fault::Silence(CONNECT_LIMIT)),
            }
        });
    }
    let mut refusals = Vec::new();
    while let Some(answer) = asked.join_next().await {
        match answer {
            Ok(Ok(connected)) => return Ok(connected),
            Ok(Err(refusal)) => refusals.push(refusal),
            Err(error) => refusals.push(Fault::Local(error.to_string())),
        }
    }
    // A wrong password or an unknown database is not an outage: say it at once instead of trying on.
    let lasting = refusals
        .iter()
        .position(|refusal| refusal.again().is_none() && refusals.len() == 1);
    match lasting {
        Some(index) => Err(refusals.swap_remove(index)),
        None => Err(Fault::Hosts(
            refusals.iter().map(ToString::to_string).collect(),
        )),
    }
}

async fn connect<T>(config: &Config, tls: T) -> Result<Client, Error>
where
    T: MakeTlsConnect<Socket>,
    T::Stream: Send + 'static,
{
    let (client, driver) = config.connect(tls).await?;
    tokio::spawn(async move {
        if let Err(error) = driver.await {
            tracing::debug!(error = with_cause(&error), "a connection ended");
        }
    });
    let limits = format!(
        "SET statement_timeout = {}; SET idle_in_transaction_session_timeout = '120s'",
        STATEMENT_LIMIT.as_millis()
    );
    client.batch_execute(&limits).await?;
    Ok(client)
}
