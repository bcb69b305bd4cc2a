//! A server as a process: what it announces, what it costs and what it keeps.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The unit of the kernel's account of processor time.
const TICK: Duration = Duration::from_millis(10);

/// A server that announces itself by one line of JSON.
pub struct Process {
    child: Child,
    /// What it announced.
    pub announced: Value,
    /// From its start to its announcement.
    pub start: Duration,
}

impl Process {
    /// Starts a server and waits for its announcement.
    pub fn start(command: &mut Command) -> Result<Self> {
        let begun = Instant::now();
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        let output = child.stdout.take().context("no pipe")?;
        let announced = first_line(output)?;
        Ok(Self {
            child,
            announced,
            start: begun.elapsed(),
        })
    }

    /// The URL that it announced.
    pub fn url(&self) -> Result<&str> {
        self.announced["url"].as_str().context("no url announced")
    }

    /// Processor time used so far.
    pub fn cpu(&self) -> Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name in brackets may have blanks in it.
        let (_, fields) = stat.rsplit_once(") ").context("no process name")?;
        let fields: Vec<&str> = fields.split(' ').collect();
        let ticks = |index: usize| {
            fields
                .get(index)
                .and_then(|field| field.parse::<u32>().ok())
        };
        match (ticks(11), ticks(12)) {
            (Some(user), Some(system)) => Ok(TICK * (user + system)),
            _ => bail!("no processor time in '{stat}'"),
        }
    }

    /// Memory in MB: now, and at the most so far.
    pub fn memory(&self) -> Result<(f64, f64)> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let field = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name))?;
            line.split_whitespace()
                .nth(1)?
                .parse::<f64>()
                .ok()
                .map(|kilobytes| kilobytes / 1024.0)
        };
        field("VmRSS:")
            .zip(field("VmHWM:"))
            .context("no memory figures")
    }

    /// Forgets the most of memory so far.
    pub fn forget_peak(&self) {
        // Without the permission the figures are only too high.
        let _unmeasured = std::fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5");
    }

    /// Waits until it has done what it still had to do in the background.
    pub fn settle(&self) -> Result<()> {
        let mut quiet = 0;
        let mut before = self.cpu()?;
        while quiet < 5 {
            std::thread::sleep(Duration::from_millis(500));
            let now = self.cpu()?;
            quiet = if now - before <= TICK * 2 {
                quiet + 1
            } else {
                0
            };
            before = now;
        }
        Ok(())
    }
}

impl Process {
    /// Asks it to stop, as an operator would, and waits.
    pub fn stop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let id = self.child.id().to_string();
            let _asked = Command::new("kill").args(["-TERM", &id]).status();
            let _ended = self.child.wait();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The first line that a process prints, as JSON.
fn first_line(output: impl Read) -> Result<serde_json::Value> {
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line)?;
    serde_json::from_str(&line).with_context(|| format!("no JSON in '{line}'"))
}
