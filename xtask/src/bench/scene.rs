//! The programs that are measured, built and started, and the people in them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::Size;
use super::wire::{Request, Wire};
use crate::process::Process;
use crate::steps::{ask, call, cargo, root};

/// Media type of SCIM.
const SCIM: &str = "application/scim+json";

/// A running server with its data, and how to speak to it.
pub struct Scene {
    pub size: Size,
    pub server: Process,
    /// SCIM ids of the users, by their numbers.
    pub ids: Vec<String>,
    folder: Folder,
    programs: PathBuf,
    scim: Door,
    crowd: Door,
}

/// A path of the server and the credential for it.
struct Door {
    path: String,
    authorization: String,
}

impl Scene {
    /// Builds the programs and starts the server on an empty folder.
    pub fn build(size: Size) -> Result<Self> {
        build(size)?;
        let programs = root()
            .join("target")
            .join(if size.release { "release" } else { "debug" });
        let folder = Folder::make()?;
        let server = Process::start(&mut serve(&programs, folder.path()))?;
        let scim = scim_door(&server.announced)?;
        let made = ask(vestibule(&programs, folder.path()).args([
            "application",
            "create",
            "--name",
            "bench",
            "--json",
        ]))?;
        let crowd =
            crowd_door(&serde_json::from_str(&made).context("no JSON about the application")?)?;
        Ok(Self {
            size,
            server,
            ids: Vec::new(),
            folder,
            programs,
            scim,
            crowd,
        })
    }

    /// A SCIM request.
    pub fn scim(&self, method: &str, path: &str, body: &[u8]) -> Request {
        let path = format!("{}/{path}", self.scim.path);
        Request::new(method, &path, &self.scim.authorization, SCIM, body)
    }

    /// A request of a product, answered in XML.
    pub fn crowd(&self, path: &str) -> Request {
        let path = format!("{}/{path}", self.crowd.path);
        Request::new(
            "GET",
            &path,
            &self.crowd.authorization,
            "application/xml",
            b"",
        )
    }

    /// Asks once and reads the answer as JSON.
    pub fn ask(&self, request: &Request) -> Result<Value> {
        Ok(serde_json::from_slice(&self.ask_bytes(request)?)?)
    }

    /// Asks once.
    pub fn ask_bytes(&self, request: &Request) -> Result<Vec<u8>> {
        let answer = Wire::connect(self.server.url()?)?.ask(request)?;
        let text = String::from_utf8_lossy(&answer.body);
        let is_good = (200..300).contains(&answer.status);
        ensure!(
            is_good,
            "{}: answer {}: {text}",
            request.first_line(),
            answer.status
        );
        Ok(answer.body)
    }

    /// Starts a bare handler that gives back these bytes at `/answer`.
    pub fn bare(&self, answer: &[u8]) -> Result<Process> {
        let folder = self.folder.path().join("answers");
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join("answer"), answer)?;
        Process::start(Command::new(self.programs.join("examples/bare-http")).arg(folder))
    }

    /// What a bare database writes in a second with so many writers: a `row` each, or the rows of a `user`.
    pub fn bare_writes(&self, writers: usize, what: &str) -> Result<f64> {
        let folder = self.folder.path().join("bare");
        std::fs::create_dir_all(&folder)?;
        let mut command = Command::new(self.programs.join("examples/bare-sqlite"));
        let printed: Value = serde_json::from_str(&ask(command
            .arg(&folder)
            .arg(writers.to_string())
            .args(["4", what]))?)?;
        printed["writes_per_second"]
            .as_f64()
            .context("no figure from the bare database")
    }

    /// Stops the server and starts it again on the same data.
    pub fn restart(self) -> Result<Self> {
        let Self {
            size,
            server,
            ids,
            folder,
            programs,
            scim,
            crowd,
        } = self;
        drop(server);
        let server = Process::start(&mut serve(&programs, folder.path()))?;
        Ok(Self {
            size,
            server,
            ids,
            folder,
            programs,
            scim,
            crowd,
        })
    }
}

/// Builds what is measured and what it is compared with, in one go, so that they share what they are built of.
fn build(size: Size) -> Result<()> {
    let mut command = cargo();
    command.args([
        "build",
        "--package",
        "vestibule",
        "--package",
        "server",
        "--package",
        "store",
    ]);
    command.args([
        "--bin",
        "vestibule",
        "--example",
        "bare-http",
        "--example",
        "bare-sqlite",
    ]);
    if size.release {
        command.arg("--release");
    }
    call(&mut command)
}

fn vestibule(programs: &Path, data: &Path) -> Command {
    let mut command = Command::new(programs.join("vestibule"));
    command
        .arg("--data")
        .arg(data.join("data"))
        .args(["--log", "warn"]);
    command
}

fn serve(programs: &Path, data: &Path) -> Command {
    let mut command = vestibule(programs, data);
    command.args(["--json", "serve", "--listen", "127.0.0.1:0"]);
    // One connector asks as fast as it can: its usual limit would be what is measured.
    command.args(["--scim-rate", "0"]);
    command
}

fn scim_door(announced: &Value) -> Result<Door> {
    let first = &announced["first_start"];
    let text = |name: &str| {
        first[name]
            .as_str()
            .with_context(|| format!("no {name} announced"))
    };
    let base = text("base_url")?;
    let path = base
        .splitn(4, '/')
        .nth(3)
        .context("no path in the base URL")?;
    Ok(Door {
        path: format!("/{path}"),
        authorization: format!("Bearer {}", text("token")?),
    })
}

fn crowd_door(made: &Value) -> Result<Door> {
    let text = |name: &str| {
        made[name]
            .as_str()
            .with_context(|| format!("no {name} of the application"))
    };
    let login = base64(format!("{}:{}", text("name")?, text("password")?).as_bytes());
    Ok(Door {
        path: "/rest/usermanagement/1".to_owned(),
        authorization: format!("Basic {login}"),
    })
}

/// Base64, which is needed here once.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().enumerate().fold(0_u32, |word, (index, byte)| {
            word | u32::from(*byte) << (16 - 8 * index)
        });
        for index in 0..4 {
            let letter = ALPHABET[(word >> (18 - 6 * index) & 63) as usize];
            text.push(if index <= chunk.len() {
                letter as char
            } else {
                '='
            });
        }
    }
    text
}

/// A new folder on the disk, gone when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn make() -> Result<Self> {
        // Not the system's temporary folder: that may be memory, and then nothing is ever synced.
        let path = root()
            .join("target")
            .join(format!("bench-{}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _left_behind = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_every_length() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("bench:s3~", "YmVuY2g6czN+"),
        ] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }
}
