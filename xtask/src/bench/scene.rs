//! The programs that are measured, built and started, and the ways to speak to them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::Size;
use super::wire::{Request, Wire};
use crate::process::Process;
use crate::steps::{ask, call, cargo, root};

/// Media type of SCIM.
const SCIM: &str = "application/scim+json";

/// What is remembered of a scene beside its data.
const NOTES: &str = "bench.json";

/// A running server with its data, and how to speak to it.
pub struct Scene {
    pub size: Size,
    pub server: Process,
    /// SCIM ids of the users, by their numbers.
    pub ids: Vec<String>,
    /// The connector, by its id in URLs.
    pub connector: String,
    /// A group of 100.
    pub small: String,
    /// A group of everybody.
    pub large: String,
    /// A group whose members are replaced.
    pub replaced: String,
    folder: Folder,
    programs: PathBuf,
    scim: Door,
    crowd: Door,
    api: Door,
}

/// A path of the server and the credential for it.
struct Door {
    path: String,
    authorization: String,
}

impl Scene {
    /// Builds the programs and starts the server: on an empty folder, or on the data of an earlier run.
    pub fn build(size: Size) -> Result<Self> {
        build(&size)?;
        let programs = root()
            .join("target")
            .join(if size.release { "release" } else { "debug" });
        let folder = Folder::make(size.data.as_deref())?;
        let server = Process::start(&mut serve(&programs, folder.path()))?;
        let notes = folder.path().join(NOTES);
        let known: Value = match std::fs::read(&notes) {
            Ok(bytes) => serde_json::from_slice(&bytes).context("the notes of an earlier run")?,
            Err(_missing) => introduce(&programs, folder.path(), &server.announced)?,
        };
        let ids = known["ids"].as_array().into_iter().flatten();
        let ids: Vec<String> = ids
            .filter_map(|id| id.as_str().map(str::to_owned))
            .collect();
        ensure!(
            ids.is_empty() || ids.len() == size.users,
            "the data are of {} users; say --users {0}, or take another folder",
            ids.len()
        );
        let word = |name: &str| known[name].as_str().unwrap_or_default().to_owned();
        let connector = text_of(&known, "connector")?;
        let door = |path: &str, authorization: &str| -> Result<Door> {
            Ok(Door {
                path: path.to_owned(),
                authorization: text_of(&known, authorization)?,
            })
        };
        Ok(Self {
            scim: door(&format!("/scim/v2/{connector}"), "scim")?,
            crowd: door("/rest/usermanagement/1", "crowd")?,
            api: door("/api/v1", "api")?,
            small: word("small"),
            large: word("large"),
            replaced: word("replaced"),
            connector,
            size,
            server,
            ids,
            folder,
            programs,
        })
    }

    /// Keeps for a later run what the data do not tell.
    pub fn remember(&self) -> Result<()> {
        let known = json!({
            "connector": self.connector,
            "scim": self.scim.authorization,
            "crowd": self.crowd.authorization,
            "api": self.api.authorization,
            "small": self.small,
            "large": self.large,
            "replaced": self.replaced,
            "ids": self.ids,
        });
        std::fs::write(self.folder.path().join(NOTES), known.to_string())?;
        Ok(())
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

    /// A request of the admin API.
    pub fn api(&self, method: &str, path: &str, body: &[u8]) -> Request {
        let path = format!("{}/{path}", self.api.path);
        Request::new(
            method,
            &path,
            &self.api.authorization,
            "application/json",
            body,
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

    /// What a bare database does with so many writers for some seconds: a `row` each, or the rows of a `user`.
    pub fn bare_writes(&self, writers: usize, seconds: u32, what: &str) -> Result<BareWrites> {
        // Emptied, so that nothing of the run before is in the way.
        let folder = self.folder.path().join("bare");
        let _missing = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder)?;
        let printed = self.example(
            "bare-sqlite",
            &[
                &folder.display().to_string(),
                &writers.to_string(),
                &seconds.to_string(),
                what,
            ],
        )?;
        let _left_behind = std::fs::remove_dir_all(&folder);
        let figure = |name: &str| {
            printed[name]
                .as_f64()
                .with_context(|| format!("no {name} from the bare database"))
        };
        Ok(BareWrites {
            rate: figure("writes_per_second")?,
            cpu_ms: figure("cpu_ms_per_write")?,
        })
    }

    /// Runs one of the examples to its end; gives the JSON that it prints.
    pub fn example(&self, name: &str, words: &[&str]) -> Result<Value> {
        let program = self.programs.join("examples").join(name);
        Ok(serde_json::from_str(&ask(
            Command::new(program).args(words)
        )?)?)
    }

    /// Stops the server and starts it again on the same data.
    pub fn restart(&mut self) -> Result<()> {
        self.server.stop();
        self.server = Process::start(&mut serve(&self.programs, self.folder.path()))?;
        Ok(())
    }
}

/// What a bare database did.
pub struct BareWrites {
    /// Durable writes in a second.
    pub rate: f64,
    /// Processor time of one, in milliseconds.
    pub cpu_ms: f64,
}

/// Builds what is measured and what it is compared with, in one go, so that they share what they are built of.
fn build(size: &Size) -> Result<()> {
    let mut command = cargo();
    command.args([
        "build",
        "--package",
        "vestibule",
        "--package",
        "server",
        "--package",
        "store",
        "--package",
        "directory",
    ]);
    command.args([
        "--bin",
        "vestibule",
        "--example",
        "bare-http",
        "--example",
        "bare-sqlite",
        "--example",
        "evaluate",
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

/// Makes the credentials with which a new server is spoken to.
fn introduce(programs: &Path, folder: &Path, announced: &Value) -> Result<Value> {
    let first = &announced["first_start"];
    let base = text_of(first, "base_url")?;
    let connector = base.rsplit('/').next().context("no path in the base URL")?;
    let made = |words: &[&str]| -> Result<Value> {
        let printed = ask(vestibule(programs, folder).args(words).arg("--json"))?;
        serde_json::from_str(&printed).with_context(|| format!("no JSON of {words:?}"))
    };
    let token = made(&["token", "create", "--label", "bench", "--role", "owner"])?;
    let application = made(&["application", "create", "--name", "bench"])?;
    let login = format!(
        "{}:{}",
        text_of(&application, "name")?,
        text_of(&application, "password")?
    );
    Ok(json!({
        "connector": connector,
        "scim": format!("Bearer {}", text_of(first, "token")?),
        "api": format!("Bearer {}", text_of(&token, "token")?),
        "crowd": format!("Basic {}", base64(login.as_bytes())),
    }))
}

/// A member of an object that has to be a text.
pub fn text_of(object: &Value, name: &str) -> Result<String> {
    let text = object[name]
        .as_str()
        .with_context(|| format!("no {name} in {object}"))?;
    Ok(text.to_owned())
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

/// A folder on the disk; a new one is gone when it is dropped.
struct Folder {
    path: PathBuf,
    is_kept: bool,
}

impl Folder {
    fn make(kept: Option<&Path>) -> Result<Self> {
        // Not the system's temporary folder: that may be memory, and then nothing is ever synced.
        let new = || {
            let name = format!("bench-{}", std::process::id());
            root().join("target").join(name)
        };
        let path = kept.map_or_else(new, Path::to_owned);
        std::fs::create_dir_all(&path)?;
        Ok(Self {
            path,
            is_kept: kept.is_some(),
        })
    }

    fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.is_kept {
            let _left_behind = std::fs::remove_dir_all(&self.path);
        }
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
