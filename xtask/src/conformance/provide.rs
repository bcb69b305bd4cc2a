//! The programs themselves: a virtual environment and a folder of packages below `target`, as the lock files say.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::programs::Runtime;
use crate::steps::{ask, root};
use crate::tools;

/// Where the lock files and scripts are, from the top of the project.
pub const FOLDER: &str = "conformance";
/// In a provided folder: the lock file that it was made from.
const STAMP: &str = "made-from";

/// Something that runs scripts, with the packages they need.
pub struct Provided {
    program: PathBuf,
    /// The variable by which scripts find their packages.
    variable: (&'static str, PathBuf),
}

impl Provided {
    /// A command that runs a script of the folder.
    pub fn run(&self, script: &str) -> Command {
        let folder = root().join(FOLDER);
        let (name, value) = &self.variable;
        let mut command = Command::new(&self.program);
        command
            .arg(folder.join(script))
            .current_dir(&folder)
            .env(name, value)
            // No files beside the scripts; and nothing between them and the server.
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("NO_PROXY", "*")
            .env("no_proxy", "*");
        command
    }
}

/// Provides what scripts of this kind need; nothing is fetched if it is there already. The error says what is missing.
pub fn provide(runtime: Runtime) -> Result<Provided> {
    match runtime {
        Runtime::Python => python(),
        Runtime::Node => node(),
    }
}

fn python() -> Result<Provided> {
    let (folder, lock) = place("python", "requirements.txt")?;
    let program = folder.join("bin").join("python");
    let is_usable = || ask(Command::new(&program).arg("--version")).is_ok();
    if !(is_current(&folder, &lock) && is_usable()) {
        tools::want(tools::PYTHON, || {
            // Debian has the module `venv` in a package of its own, and what it needs is `ensurepip`.
            ask(Command::new("python3").args(["-c", "import ensurepip, venv"])).is_ok()
        })?;
        println!("making a virtual environment: {}", folder.display());
        clear(&folder)?;
        ask(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
        ask(Command::new(&program)
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
            ])
            .args([
                "--only-binary",
                ":all:",
                "--require-hashes",
                "--requirement",
            ])
            .arg(root().join(FOLDER).join("requirements.txt")))
        .context("the packages could not be had")?;
        std::fs::write(folder.join(STAMP), lock)?;
    }
    Ok(Provided {
        program,
        variable: ("PYTHONPATH", root().join(FOLDER)),
    })
}

fn node() -> Result<Provided> {
    let (folder, lock) = place("node", "package-lock.json")?;
    let has_node = || ask(Command::new("node").arg("--version")).is_ok();
    if !(is_current(&folder, &lock) && has_node()) {
        tools::want(tools::NODE, || {
            has_node() && ask(Command::new("npm").arg("--version")).is_ok()
        })?;
        println!("installing packages of npm: {}", folder.display());
        clear(&folder)?;
        for file in ["package.json", "package-lock.json"] {
            std::fs::copy(root().join(FOLDER).join(file), folder.join(file))?;
        }
        ask(Command::new("npm").current_dir(&folder).args([
            "ci",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
        ]))
        .context("the packages could not be had")?;
        std::fs::write(folder.join(STAMP), lock)?;
    }
    Ok(Provided {
        program: "node".into(),
        variable: ("NODE_PATH", folder.join("node_modules")),
    })
}

/// The folder for what is provided, and the text of the lock file.
fn place(name: &str, lock: &str) -> Result<(PathBuf, String)> {
    let path = root().join(FOLDER).join(lock);
    let lock = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    Ok((root().join("target").join(FOLDER).join(name), lock))
}

fn is_current(folder: &Path, lock: &str) -> bool {
    std::fs::read_to_string(folder.join(STAMP)).is_ok_and(|made_from| made_from == lock)
}

fn clear(folder: &Path) -> Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    std::fs::create_dir_all(folder)?;
    Ok(())
}
