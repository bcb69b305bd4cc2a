//! `cargo xtask screenshots`: each kind of page of the console at three widths, in light and dark, with the people of the
//! demo in it; with `--docs`, the few pictures that the book shows.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::steps::{self, call, cargo, root};

/// Where pictures go unless another folder is named, from the top of the project.
const FOLDER: &str = "target/screenshots";
/// Where those of the book are.
const BOOK: &str = "docs/src/images";

/// Takes pictures of each kind of page, into a folder.
pub fn run(folder: Option<&str>) -> Result<()> {
    let folder = folder.map_or_else(|| root().join(FOLDER), |named| named.into());
    take(&folder, &[])
}

/// Takes the pictures of the book anew.
pub fn for_book() -> Result<()> {
    take(&root().join(BOOK), &["--book"])
}

fn take(folder: &Path, options: &[&str]) -> Result<()> {
    crate::tools::provide()?;
    let vestibule = steps::build("vestibule")?;
    let mut command = vestibule.command();
    command.args(["demo", "--json", "--listen", "127.0.0.1:0", "--users", "60"]);
    let demo = Demo::play(&mut command)?;
    call(
        cargo()
            .args([
                "run",
                "--quiet",
                "--package",
                "emulate",
                "--example",
                "screenshots",
                "--",
            ])
            .args(options)
            .arg(&demo.welcome)
            .arg(folder),
    )?;
    drop(demo);
    println!("pictures are in {}", folder.display());
    Ok(())
}

/// A demo that has played to its end and serves on.
struct Demo {
    child: Child,
    /// The link that makes the first account.
    welcome: String,
}

impl Demo {
    fn play(command: &mut Command) -> Result<Self> {
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let output = child.stdout.take().context("no pipe")?;
        let mut demo = Self {
            child,
            welcome: String::new(),
        };
        for line in BufReader::new(output).lines() {
            let told: Value = serde_json::from_str(&line?)?;
            if let Some(welcome) = told["welcome"].as_str() {
                demo.welcome = welcome.to_owned();
            }
            match told["failures"].as_u64() {
                Some(0) => return Ok(demo),
                Some(_) => bail!("the demo went wrong"),
                None => {}
            }
        }
        bail!("the demo ended before it was over")
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let id = self.child.id().to_string();
        let _asked = Command::new("kill").args(["-TERM", &id]).status();
        let _ended = self.child.wait();
    }
}
