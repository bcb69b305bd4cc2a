//! Programs that the tests start and that a bare machine does not have: found, or installed.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::steps::{ask, call};

/// A program that the tests need, and where it comes from on Debian.
struct Tool {
    /// What it is called in messages.
    name: &'static str,
    /// Programs that must all be in one folder of `PATH` or of `folders`.
    programs: &'static [&'static str],
    /// Where the package puts them outside `PATH`; a `*` stands for any one folder.
    folders: &'static [&'static str],
    /// Packages, most wanted first; the first one that this release of Debian has is installed.
    packages: &'static [&'static str],
    /// What it is for.
    why: &'static str,
}

const TOOLS: &[Tool] = &[
    Tool {
        name: "PostgreSQL",
        programs: &["initdb", "pg_ctl", "postgres"],
        folders: &["/usr/lib/postgresql/*/bin"],
        packages: &["postgresql-15", "postgresql"],
        why: "the store's tests run on both engines",
    },
    Tool {
        name: "Chromium",
        programs: &["chromium"],
        folders: &[],
        packages: &["chromium"],
        why: "the console is tested in a browser",
    },
    Tool {
        name: "ChromeDriver",
        programs: &["chromedriver"],
        folders: &[],
        packages: &["chromium-driver"],
        why: "tests tell the browser what to do",
    },
];

/// Packages for Python with virtual environments.
pub const PYTHON: &[&str] = &["python3", "python3-venv"];
/// Packages for Node.js with its package manager.
pub const NODE: &[&str] = &["nodejs", "npm"];

/// Looks for Node.js, which the tests of signing in at an OpenID provider start one with, and installs it if it is missing.
/// Where that cannot be, those tests say that they are skipped.
fn provide_node() {
    let is_there = || {
        ["node", "npm"]
            .iter()
            .all(|program| ask(Command::new(program).arg("--version")).is_ok())
    };
    match want(NODE, is_there) {
        Ok(()) => println!("Node.js with npm: found"),
        Err(why) => {
            println!("Node.js with npm: not to be had, so tests that need it are skipped: {why:#}")
        }
    }
}

/// Looks for Python with virtual environments, which the test of mail starts a mail server with, and installs it likewise.
fn provide_python() {
    let is_there = || ask(Command::new("python3").args(["-c", "import ensurepip, venv"])).is_ok();
    match want(PYTHON, is_there) {
        Ok(()) => println!("Python with virtual environments: found"),
        Err(why) => println!(
            "Python with virtual environments: not to be had, so tests that need it are skipped: {why:#}"
        ),
    }
}

/// Finds every tool that the tests cannot do without, and installs what is missing.
pub fn provide() -> Result<()> {
    provide_node();
    provide_python();
    let mut missing = Vec::new();
    for tool in TOOLS {
        match find(tool) {
            Some(folder) => println!("{}: found in {}", tool.name, folder.display()),
            None => {
                println!("{}: not found", tool.name);
                missing.push(tool);
            }
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing
        .iter()
        .flat_map(|tool| tool.packages.first().copied())
        .collect();
    let prefix = privilege(&packages)?;
    println!("refreshing the list of packages");
    apt(prefix, &["update", "-qq"])?;
    for tool in missing {
        let package = available(tool)?;
        println!("installing {package} ({})", tool.why);
        install(prefix, &[package])?;
        if find(tool).is_none() {
            bail!(
                "{package} is installed, but {} was not found",
                tool.programs.join(", ")
            );
        }
    }
    Ok(())
}

/// Installs packages unless something is there already; the error says why it cannot be.
pub fn want(packages: &[&str], is_there: impl Fn() -> bool) -> Result<()> {
    if is_there() {
        return Ok(());
    }
    let prefix = privilege(packages)?;
    println!("installing {}", packages.join(", "));
    apt(prefix, &["update", "-qq"])?;
    install(prefix, packages)?;
    if !is_there() {
        bail!("{} did not help", packages.join(", "));
    }
    Ok(())
}

fn find(tool: &Tool) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(tool.folders.iter().flat_map(|f| expand(f)))
        .find(|folder| tool.programs.iter().all(|p| folder.join(p).is_file()))
}

/// The folders that a pattern with at most one `*` names.
fn expand(pattern: &str) -> Vec<PathBuf> {
    let Some((before, after)) = pattern.split_once('*') else {
        return vec![PathBuf::from(pattern)];
    };
    let Ok(entries) = std::fs::read_dir(Path::new(before)) else {
        return Vec::new();
    };
    entries
        .flatten()
        .map(|entry| entry.path().join(after.trim_start_matches('/')))
        .collect()
}

/// What to put before `apt-get`: nothing for root, `sudo -n` where that works without a question.
fn privilege(packages: &[&str]) -> Result<&'static [&'static str]> {
    let is_root = ask(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    if is_root {
        return Ok(&[]);
    }
    if ask(Command::new("sudo").args(["-n", "true"])).is_ok() {
        return Ok(&["sudo", "-n"]);
    }
    bail!(
        "this account may not install packages (it is not root, and `sudo -n` asks for a password); \
         as an administrator run: apt-get install {}",
        packages.join(" ")
    )
}

fn install(prefix: &[&str], packages: &[&str]) -> Result<()> {
    let words = ["install", "-y", "-qq", "--no-install-recommends"];
    apt(prefix, &[&words[..], packages].concat())
}

fn apt(prefix: &[&str], arguments: &[&str]) -> Result<()> {
    let words: Vec<&str> = prefix
        .iter()
        .chain(&["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"])
        .chain(arguments)
        .copied()
        .collect();
    match words.split_first() {
        Some((program, rest)) => call(Command::new(program).args(rest)),
        None => Ok(()),
    }
}

fn available(tool: &Tool) -> Result<&'static str> {
    for package in tool.packages {
        let policy = ask(Command::new("apt-cache").args(["policy", package]))?;
        let candidate = policy
            .lines()
            .find_map(|line| line.trim().strip_prefix("Candidate:"));
        if candidate.is_some_and(|version| version.trim() != "(none)") {
            return Ok(package);
        }
    }
    bail!(
        "this release of Debian has none of: {}",
        tool.packages.join(", ")
    )
}
