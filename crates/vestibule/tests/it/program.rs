//! Runs the built program: once for its answer, or as a server that is stopped when it is dropped.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

/// How long anything may take before the test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// The program in a folder of its own, without any of our environment.
pub struct Program {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

/// How a run ended.
#[derive(Debug)]
pub struct Ran {
    /// The exit code.
    pub code: i32,
    /// The standard output.
    pub out: String,
    /// The standard error.
    pub err: String,
}

impl Program {
    /// A new empty folder.
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            variables: Vec::new(),
        }
    }

    /// Sets an environment variable for all runs.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The current folder of all runs.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file into the folder.
    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn command<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
        command
            .args(arguments)
            .current_dir(self.folder())
            .env_clear()
            .envs(self.variables.iter().cloned())
            .stdin(Stdio::null());
        command
    }

    /// Runs to the end.
    pub fn run<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Ran {
        let output = self.command(arguments).output().unwrap();
        Ran {
            code: code(output.status),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs to the end, which has to be a success, and reads the output as JSON.
    pub fn json<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Value {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 0, "{ran:?}");
        serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
    }

    /// Starts a server on a free port and waits until it is ready.
    pub fn serve(&self, arguments: &[&str]) -> Serving {
        self.serve_at("127.0.0.1:0", arguments)
    }

    /// Starts a server on an empty folder as a person would, and gives what it tells.
    pub fn serve_in_words(&self) -> (Serving, String) {
        let mut child = self
            .command(&["--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut told = String::new();
        while !told.contains("vestibule simulate okta") {
            assert!(out.read_line(&mut told).unwrap() > 0, "it stopped: {told}");
        }
        let behind = |label: &str| {
            let (_, rest) = told.split_once(label).unwrap();
            rest.split_whitespace().next().unwrap().to_owned()
        };
        let base_url = behind("base URL");
        let (url, _) = base_url.split_once("/scim/").unwrap();
        let announced = json!({
            "url": url,
            "first_start": {"base_url": base_url, "token": behind("\n  token")},
        });
        let serving = Serving {
            child,
            announced,
            out,
        };
        (serving, told)
    }

    /// Starts a server at an address and waits until it is ready.
    pub fn serve_at(&self, address: &str, arguments: &[&str]) -> Serving {
        let mut words = vec!["serve", "--json", "--listen", address];
        words.extend(arguments);
        let log = std::fs::File::create(self.folder().join("serve.log")).unwrap();
        let mut child = self
            .command(&words)
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut line = String::new();
        let out = child.stdout.take().unwrap();
        let mut out = BufReader::new(out);
        out.read_line(&mut line).unwrap();
        let announced = serde_json::from_str(&line).unwrap_or_else(|_no_line| {
            let log = std::fs::read_to_string(self.folder().join("serve.log")).unwrap();
            panic!("the server did not start; it printed {line:?} and logged\n{log}")
        });
        Serving {
            child,
            announced,
            out,
        }
    }
}

/// A server with forty people in the connector `default`.
pub fn peopled() -> (Program, Serving) {
    let program = Program::new();
    let server = program.serve(&[]);
    let announced = &server.announced["first_start"];
    let text = |name: &str| announced[name].as_str().unwrap();
    let (url, token) = (text("base_url"), text("token"));
    let simulate = [
        "simulate", "okta", "--url", url, "--token", token, "--users", "40", "--groups", "2",
    ];
    assert_eq!(program.run(&simulate).code, 0);
    (program, server)
}

fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or(-1)
}

/// A running server.
pub struct Serving {
    child: Child,
    /// What it printed when it was ready.
    pub announced: Value,
    out: BufReader<std::process::ChildStdout>,
}

impl Serving {
    /// Its public URL.
    pub fn url(&self) -> &str {
        self.announced["url"].as_str().unwrap()
    }

    /// Sends a signal by name, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
    }

    /// Waits for the end; gives the exit code and what it printed after it was ready.
    pub fn wait(mut self) -> (i32, String) {
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(start.elapsed() < PATIENCE, "the server does not end");
            std::thread::sleep(Duration::from_millis(10));
        };
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        (code(status), rest)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Already ended, or ended now: either is fine.
        let _already_ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}
