//! A PostgreSQL server for tests: made when first asked for, gone with the process that asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

/// Serves the cluster and obeys its standard input; see there.
const KEEPER: &str = include_str!("postgres.sh");
/// Where Debian puts the programs of each version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// Why there is no server.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PostgresError {
    /// PostgreSQL is not installed.
    #[error(
        "PostgreSQL is not installed: `apt-get install postgresql` brings it (initdb and postgres are needed)"
    )]
    Missing,
    /// It is installed and did not work.
    #[error("PostgreSQL did not work: {0}")]
    Failed(String),
}

/// A running server with a cluster of its own, reached through a socket in a private folder.
///
/// Every database of it is open to whoever may read that folder. It stops when this value is dropped, and also when the
/// process ends without dropping it: a keeper process holds the other end of a pipe.
pub struct TestPostgres {
    folder: PathBuf,
    programs: PathBuf,
    keeper: Mutex<Keeper>,
    databases: AtomicU64,
}

struct Keeper {
    process: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl TestPostgres {
    /// Starts a server that does not force its writes to disk.
    pub fn start() -> Result<Self, PostgresError> {
        Self::start_with(false)
    }

    /// Starts a server; `fsync`: whether it forces its writes to disk, as a real one does.
    pub fn start_with(fsync: bool) -> Result<Self, PostgresError> {
        let programs = programs().ok_or(PostgresError::Missing)?;
        let mut process = keeper_command(&programs, fsync)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A Ctrl-C at the terminal is for the tests; the server ends when they have.
            .process_group(0)
            .spawn()
            .map_err(failed)?;
        let orders = process.stdin.take();
        let answers = process.stdout.take().ok_or_else(|| failed("no pipe"))?;
        let mut keeper = Keeper {
            process,
            orders,
            answers: BufReader::new(answers),
        };
        let folder = PathBuf::from(keeper.answer()?);
        Ok(Self {
            folder,
            programs,
            keeper: Mutex::new(keeper),
            databases: AtomicU64::new(0),
        })
    }

    /// The server that all tests of this process share.
    pub fn shared() -> Result<&'static Self, PostgresError> {
        static SHARED: OnceLock<Result<TestPostgres, PostgresError>> = OnceLock::new();
        SHARED
            .get_or_init(Self::start)
            .as_ref()
            .map_err(Clone::clone)
    }

    /// Makes an empty database; gives its connection URL.
    pub fn create_database(&self) -> Result<String, PostgresError> {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.run(&self.url("postgres"), &format!("CREATE DATABASE {name}"))?;
        Ok(self.url(&name))
    }

    /// Forgets a database that [`TestPostgres::create_database`] made, even while somebody is connected to it.
    pub fn drop_database(&self, url: &str) -> Result<(), PostgresError> {
        let name = url
            .trim_start_matches("postgres:///")
            .split('?')
            .next()
            .unwrap_or_default();
        self.run(
            &self.url("postgres"),
            &format!("DROP DATABASE {name} WITH (FORCE)"),
        )?;
        Ok(())
    }

    /// The connection URL of a database of this server.
    pub fn url(&self, database: &str) -> String {
        format!(
            "postgres:///{database}?host={}&user=postgres",
            self.folder.display()
        )
    }

    /// The folder of the server's socket.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Runs SQL as an administrator would, outside the program under test; gives what it printed, fields split by `|`.
    pub fn run(&self, url: &str, sql: &str) -> Result<String, PostgresError> {
        let output = Command::new(self.programs.join("psql"))
            .args([
                "--no-psqlrc",
                "--quiet",
                "--tuples-only",
                "--no-align",
                "--set",
                "ON_ERROR_STOP=1",
                "--command",
                sql,
                url,
            ])
            .output()
            .map_err(failed)?;
        if !output.status.success() {
            return Err(failed(String::from_utf8_lossy(&output.stderr)));
        }
        Ok(String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned())
    }

    /// Stops the server at once, as a power failure would. Databases stay.
    pub fn stop(&self) -> Result<(), PostgresError> {
        self.order("stop")
    }

    /// Starts the server again.
    pub fn restart(&self) -> Result<(), PostgresError> {
        self.order("start")
    }

    fn order(&self, order: &str) -> Result<(), PostgresError> {
        let mut keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner);
        let orders = keeper
            .orders
            .as_mut()
            .ok_or_else(|| failed("the keeper is gone"))?;
        writeln!(orders, "{order}").map_err(failed)?;
        keeper.answer().map(drop)
    }
}

impl Drop for TestPostgres {
    fn drop(&mut self) {
        let keeper = self
            .keeper
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        drop(keeper.orders.take());
        // The folder is gone when the keeper is.
        let _ended = keeper.process.wait();
    }
}

impl Keeper {
    /// The next line of the keeper, or why it ended.
    fn answer(&mut self) -> Result<String, PostgresError> {
        let mut line = String::new();
        self.answers.read_line(&mut line).map_err(failed)?;
        if line.is_empty() {
            let mut said = String::new();
            if let Some(errors) = self.process.stderr.as_mut() {
                errors.read_to_string(&mut said).map_err(failed)?;
            }
            return Err(failed(said));
        }
        Ok(line.trim_end().to_owned())
    }
}

/// The folder with the newest installed version's programs.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    let newest = versions
        .filter_map(|entry| {
            Some((
                entry.file_name().to_str()?.parse::<u32>().ok()?,
                entry.path().join("bin"),
            ))
        })
        .filter(|(_, folder)| is_complete(folder))
        .max_by_key(|(version, _)| *version)
        .map(|(_, folder)| folder);
    let path = std::env::var_os("PATH").unwrap_or_default();
    newest.or_else(|| std::env::split_paths(&path).find(|folder| is_complete(folder)))
}

fn is_complete(folder: &Path) -> bool {
    ["initdb", "postgres", "pg_isready", "psql"]
        .iter()
        .all(|program| folder.join(program).exists())
}

/// The keeper as the user that the server may run as: it refuses to run as root.
fn keeper_command(programs: &Path, fsync: bool) -> Command {
    let mut command = if is_root() {
        let mut command = Command::new("setpriv");
        command.args([
            "--reuid=postgres",
            "--regid=postgres",
            "--clear-groups",
            "sh",
        ]);
        command
    } else {
        Command::new("sh")
    };
    command
        .arg("-c")
        .arg(KEEPER)
        .arg("keeper")
        .arg(programs)
        .arg(if fsync { "on" } else { "off" });
    // The folder that the tests run in may be closed to that user.
    command.current_dir("/");
    command
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

fn failed(why: impl ToString) -> PostgresError {
    PostgresError::Failed(why.to_string())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    /// Tells this program that it is the one to be killed.
    const VICTIM: &str = "VESTIBULE_TEST_VICTIM";

    #[test]
    fn databases_are_apart_and_survive_a_stop() {
        let server = TestPostgres::start().unwrap();
        let (first, second) = (
            server.create_database().unwrap(),
            server.create_database().unwrap(),
        );
        let schemas = |url: &str| server.run(url, "\\dn");
        server.run(&first, "CREATE SCHEMA kept").unwrap();
        assert!(!schemas(&second).unwrap().contains("kept"));
        server.stop().unwrap();
        assert!(schemas(&first).is_err());
        server.restart().unwrap();
        assert!(schemas(&first).unwrap().contains("kept"));
        server.drop_database(&first).unwrap();
        assert!(schemas(&first).is_err());
        let folder = server.folder().to_owned();
        drop(server);
        assert!(!folder.exists());
    }

    #[test]
    fn the_server_goes_with_a_process_that_is_killed() {
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "postgres::tests::victim", "--nocapture"])
            .env(VICTIM, "yes")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(victim.stdout.take().unwrap()).lines();
        let folder = lines
            .find_map(|line| Some(PathBuf::from(line.unwrap().strip_prefix("folder ")?)))
            .unwrap();
        assert!(folder.exists());
        victim.kill().unwrap();
        victim.wait().unwrap();
        let begun = Instant::now();
        while folder.exists() {
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "{} is still there",
                folder.display()
            );
            std::thread::yield_now();
        }
    }

    /// Not a story of its own: the process that is killed in the other.
    #[test]
    fn victim() {
        if std::env::var_os(VICTIM).is_none() {
            return;
        }
        let server = TestPostgres::start().unwrap();
        println!("folder {}", server.folder().display());
        // Until it is killed.
        let _never = std::io::stdin().read(&mut [0]);
    }
}
