//! Runs a series of steps, says how long each took, and fails if any of them did.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// What was run so far, in order.
#[derive(Default)]
pub struct Steps {
    done: Vec<Step>,
}

struct Step {
    name: &'static str,
    took: Duration,
    outcome: Result<Done>,
}

/// What became of a step that did not fail.
pub enum Done {
    Fully,
    /// It, or a part of it, could not be done on this machine: what, and why.
    Skipped(String),
}

impl Steps {
    /// Runs one step. A failure is remembered and reported, and the next step still runs, so that
    /// one run tells everything that is wrong.
    pub fn run(&mut self, name: &'static str, step: impl FnOnce() -> Result<()>) {
        self.run_or_skip(name, || step().map(|()| Done::Fully));
    }

    /// Runs a step that some machines cannot do.
    pub fn run_or_skip(&mut self, name: &'static str, step: impl FnOnce() -> Result<Done>) {
        println!("\n=== {name}");
        let start = Instant::now();
        let outcome = step();
        match &outcome {
            Ok(Done::Fully) => {}
            Ok(Done::Skipped(why)) => println!("SKIPPED: {why}"),
            Err(error) => eprintln!("error: {error:#}"),
        }
        self.done.push(Step {
            name,
            took: start.elapsed(),
            outcome,
        });
    }

    /// Prints the summary; an error if any step failed.
    pub fn finish(self) -> Result<()> {
        println!("\n=== summary");
        for step in &self.done {
            let (word, why) = match &step.outcome {
                Ok(Done::Fully) => ("ok", String::new()),
                Ok(Done::Skipped(why)) => ("skipped", format!(" ({why})")),
                Err(_) => ("FAILED", String::new()),
            };
            println!(
                "{:>9.1} s  {:<7}  {}{why}",
                step.took.as_secs_f64(),
                word,
                step.name
            );
        }
        let failed: Vec<&str> = self
            .done
            .iter()
            .filter(|step| step.outcome.is_err())
            .map(|step| step.name)
            .collect();
        if !failed.is_empty() {
            bail!("failed: {}", failed.join(", "));
        }
        Ok(())
    }
}

/// The cargo that runs this program.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Runs a command with its output on the terminal; an error unless it exits with 0.
pub fn call(command: &mut Command) -> Result<()> {
    println!("+ {}", shown(command));
    let status = command
        .status()
        .with_context(|| format!("cannot start `{}`", shown(command)))?;
    if !status.success() {
        bail!("`{}` ended with {status}", shown(command));
    }
    Ok(())
}

/// Runs a command and gives its standard output; an error, with what it said, unless it exits with 0.
pub fn ask(command: &mut Command) -> Result<String> {
    let output = command
        .output()
        .with_context(|| format!("cannot start `{}`", shown(command)))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!(
            "`{}` ended with {}: {}",
            shown(command),
            output.status,
            said.trim()
        );
    }
    String::from_utf8(output.stdout)
        .with_context(|| format!("`{}` did not print UTF-8", shown(command)))
}

fn shown(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The folder of the workspace.
pub fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    match here.parent() {
        Some(parent) => parent.to_path_buf(),
        None => here,
    }
}

/// A program of the workspace, built.
pub struct Program {
    path: PathBuf,
}

/// Builds a program of the workspace as the tests build it.
pub fn build(name: &str) -> Result<Program> {
    let output = ask(cargo().args([
        "build",
        "--quiet",
        "--workspace",
        "--bin",
        name,
        "--message-format=json-render-diagnostics",
    ]))?;
    let path = output
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["target"]["name"] == name)
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .with_context(|| format!("cargo did not say where the program {name} is"))?;
    Ok(Program { path })
}

impl Program {
    /// What it is called on the command line.
    pub fn name(&self) -> &str {
        self.path
            .file_stem()
            .and_then(|name| name.to_str())
            .unwrap_or_default()
    }

    /// A command that runs it; the caller says with what.
    pub fn command(&self) -> Command {
        Command::new(&self.path)
    }

    /// What it prints; an error unless it exits with 0. Neither the environment nor a file in the
    /// current folder changes its answer.
    pub fn say(&self, arguments: &[&str]) -> Result<String> {
        let folder = std::env::temp_dir();
        ask(Command::new(&self.path)
            .args(arguments)
            .env_clear()
            .env("COLUMNS", "100")
            .current_dir(folder))
    }
}
