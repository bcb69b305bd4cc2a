//! A fresh server for each program, on a fresh database of either engine.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::process::Process;
use crate::steps::{self, Program, ask, call, cargo, root};

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// A running server with two applications, gone when this is dropped.
pub struct Scene {
    /// What scripts need to know, as they read it.
    pub text: String,
    // Dropped from above to below: first the server, then what it stands on.
    _server: Process,
    _cluster: Option<Cluster>,
    _folder: Folder,
}

/// Builds what scenes are made of.
pub fn build() -> Result<Program> {
    let words = ["build", "--quiet", "--workspace", "--example", "postgres"];
    call(cargo().args(words))?;
    steps::build("vestibule")
}

impl Scene {
    /// Starts a server with an application that may write and one that may only read.
    pub fn start(program: &Program, engine: Engine) -> Result<Self> {
        let folder = Folder::make()?;
        let cluster = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some(Cluster::start()?),
        };
        let command = || {
            let mut command = program.command();
            command.arg("--data").arg(folder.0.join("data"));
            command.args(["--log", "warn", "--json"]);
            if let Some(cluster) = &cluster {
                command.args(["--database", &cluster.url]);
            }
            command
        };
        // One address asks as fast as it can, often with a wrong password.
        let limits = ["--scim-rate", "0", "--failed-authentications", "0"];
        let server = Process::start(
            command()
                .args(["serve", "--listen", "127.0.0.1:0"])
                .args(limits),
        )?;
        let application = |name: &str, access: &str| -> Result<Value> {
            let words = ["application", "create", "--name", name, "--access", access];
            let made: Value = serde_json::from_str(&ask(command().args(words))?)?;
            Ok(json!({ "name": name, "password": made["password"] }))
        };
        let first = &server.announced["first_start"];
        let text = json!({
            "url": server.url()?,
            "scim": first["base_url"],
            "scim_token": first["token"],
            "admin_token": first["admin_token"],
            "password": "correct horse battery",
            "connector": first["connector"],
            "crowd": format!("{}/crowd", server.url()?),
            "writer": application("writer", "read-write")?,
            "reader": application("reader", "read-only")?,
        })
        .to_string();
        Ok(Self {
            text,
            _server: server,
            _cluster: cluster,
            _folder: folder,
        })
    }
}

/// A PostgreSQL server of its own, which ends when the pipe to it does.
struct Cluster {
    server: Child,
    url: String,
}

impl Cluster {
    fn start() -> Result<Self> {
        let mut server = Command::new(root().join("target/debug/examples/postgres"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start PostgreSQL")?;
        let mut url = String::new();
        let output = server.stdout.take().context("no pipe")?;
        BufReader::new(output).read_line(&mut url)?;
        ensure!(!url.is_empty(), "PostgreSQL did not start");
        let url = url.trim().to_owned();
        Ok(Self { server, url })
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.server.stdin.take());
        let _ended = self.server.wait();
    }
}

/// A new folder, gone when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn make() -> Result<Self> {
        let name = format!("run-{}", std::process::id());
        let path = root().join("target/conformance").join(name);
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _left_behind = std::fs::remove_dir_all::<&Path>(&self.0);
    }
}
