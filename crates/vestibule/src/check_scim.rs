//! `vestibule check-scim`: tests any SCIM 2.0 server, and tells what it does otherwise than clients expect.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::time::Duration;

use check::{Cancel, CannotRun, Credentials, Level, Plan, Report, Selection, Style, Target};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::{CheckScimArgs, ReportFormat};
use crate::exit::{Exit, Failure};
use crate::output::{Output, Reader, table};

/// Runs the checks and shows the report; fails if a check failed.
pub fn run(args: &CheckScimArgs, out: Output) -> Result<(), Failure> {
    if args.list {
        return list(args, out);
    }
    let plan = plan(args)?;
    let cancel = Cancel::default();
    let bar = bar(check::all().len());
    let report = with_signals(&cancel, || {
        check::run(&plan, &cancel, &|outcome, total| {
            bar.set_length(total as u64);
            bar.set_message(outcome.id);
            bar.inc(1);
        })
    })?;
    bar.finish_and_clear();
    show(&report?, args, out)
}

fn show(report: &Report, args: &CheckScimArgs, out: Output) -> Result<(), Failure> {
    let format = match out.reader {
        Reader::Machine => ReportFormat::Json,
        Reader::Person => args.format,
    };
    let is_terminal = args.out.is_none() && std::io::stdout().is_terminal();
    let style = Style {
        is_coloured: is_terminal && std::env::var_os("NO_COLOR").is_none(),
        is_full: args.full,
    };
    let text = match format {
        ReportFormat::Text => report.text(style),
        ReportFormat::Json => {
            serde_json::to_string_pretty(&report.json()).map_err(anyhow::Error::from)?
        }
        ReportFormat::Junit => report.junit(),
    };
    let counts = report.counts();
    let told = format!(
        "{} passed, {} failed, {} warnings, {} skipped",
        counts.pass, counts.fail, counts.warn, counts.skip
    );
    match &args.out {
        None => out.text(&text)?,
        Some(path) => {
            write(path, &text)?;
            out.text(&format!("{told}; the report is in {}", path.display()))?;
        }
    }
    if report.is_cancelled {
        return Err(Failure::new(Exit::Failed, "stopped before the end"));
    }
    match counts.fail {
        0 => Ok(()),
        failed => Err(Failure::new(
            Exit::Failed,
            format!("{failed} checks failed"),
        )),
    }
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let written = std::fs::File::create(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| {
        let message = format!("{} cannot be written: {error}", path.display());
        Failure::new(Exit::Failed, message)
    })
}

fn list(args: &CheckScimArgs, out: Output) -> Result<(), Failure> {
    let selection = Selection(args.only.clone());
    let all = check::all();
    if let Some(word) = selection.unknown(&all) {
        return Err(usage(format!("there is no check or section `{word}`")));
    }
    let chosen: Vec<&check::Check> = all.iter().filter(|one| selection.has(one)).collect();
    let level = |one: &check::Check| match one.level {
        Level::Habit(client) => format!("habit of {client}"),
        other => other.as_str().to_owned(),
    };
    let told: Vec<Value> = chosen
        .iter()
        .map(|one| {
            json!({
                "id": one.id, "title": one.title, "level": level(one), "source": one.source,
                "readsOnly": one.is_reading(), "why": one.why, "fix": one.fix,
            })
        })
        .collect();
    let rows = chosen.iter().map(|one| {
        let writes = if one.is_reading() { "" } else { "writes" };
        [
            one.id.to_owned(),
            level(one),
            writes.to_owned(),
            one.title.to_owned(),
        ]
    });
    out.show(&told, |_| {
        table(["id", "level", "", "what a good server does"], rows)
    })
}

fn plan(args: &CheckScimArgs) -> Result<Plan, Failure> {
    let url = args.url.clone().unwrap_or_default();
    let mut target = Target::new(url, credentials(args)?);
    target.headers = args
        .headers
        .iter()
        .map(|text| pair(text, "--header"))
        .collect::<Result<_, _>>()?;
    target.time_limit = Duration::from_secs(args.timeout);
    target.is_insecure = args.insecure;
    if let Some(path) = &args.ca_file {
        let read = std::fs::read(path);
        let pem = read.map_err(|e| usage(format!("{} cannot be read: {e}", path.display())))?;
        target.authorities = Some(pem);
    }
    let other = args.other_url.as_ref().zip(args.other_token.as_ref());
    let other = other.map(|(url, token)| Target {
        url: url.clone(),
        credentials: Credentials::Bearer(token.clone()),
        ..target.clone()
    });
    Ok(Plan {
        other,
        selection: Selection(args.only.clone()),
        is_read_only: args.read_only,
        clients: args.client.clone(),
        is_strict: args.strict,
        concurrency: usize::from(args.concurrency),
        crowd: args.members as usize,
        told: |what| eprintln!("vestibule: {what}"),
        ..Plan::new(target)
    })
}

fn credentials(args: &CheckScimArgs) -> Result<Credentials, Failure> {
    if let Some(text) = &args.basic {
        let (name, password) = pair(text, "--basic")?;
        return Ok(Credentials::Basic { name, password });
    }
    if let Some(text) = &args.auth_header {
        let (name, value) = pair(text, "--auth-header")?;
        return Ok(Credentials::Header { name, value });
    }
    Ok(match &args.token {
        Some(token) => Credentials::Bearer(token.clone()),
        None => Credentials::Nothing,
    })
}

/// What is before and after the first colon. A password may begin with a blank; the value of a header cannot.
fn pair(text: &str, flag: &str) -> Result<(String, String), Failure> {
    let (name, value) = text
        .split_once(':')
        .ok_or_else(|| usage(format!("{flag} has to have a colon: NAME:VALUE")))?;
    let value = match flag {
        "--basic" => value,
        _ => value.trim(),
    };
    Ok((name.trim().to_owned(), value.to_owned()))
}

fn usage(message: String) -> Failure {
    Failure::new(Exit::Usage, message)
}

/// Does the work; a signal to end cancels it, a second one ends the program as usual.
fn with_signals<T>(cancel: &Cancel, work: impl FnOnce() -> T) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let (mut interrupt, mut terminate) = {
        let _inside = runtime.enter();
        (
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
        )
    };
    let cancel = cancel.clone();
    runtime.spawn(async move {
        let mut is_second = false;
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if is_second {
                std::process::exit(Exit::Failed as i32);
            }
            is_second = true;
            eprintln!(
                "vestibule: stopping, and deleting what was created; once more to leave at once"
            );
            cancel.cancel();
        }
    });
    Ok(work())
}

/// A progress bar on a terminal, and nothing anywhere else.
fn bar(total: usize) -> ProgressBar {
    let bar = ProgressBar::new(total as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}") {
        bar.set_style(style);
    }
    bar
}

impl From<CannotRun> for Failure {
    fn from(why: CannotRun) -> Failure {
        let remedy = match &why {
            CannotRun::Plan(_) => None,
            CannotRun::Unreachable { .. } => Some(
                "The base URL is what one pastes into an identity provider: /Users is added to it. Is the server up, and its certificate trusted (--ca-file)?",
            ),
            CannotRun::Refused { .. } => Some("Check --token, or use --basic or --auth-header."),
        };
        // Nothing was tested: to a script that is the same as a wrong command line.
        let failure = Failure::new(Exit::Usage, why.to_string());
        match remedy {
            Some(remedy) => failure.with(remedy),
            None => failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_cut_at_its_first_colon() {
        let cut = |text| pair(text, "--basic").unwrap();
        assert_eq!(cut("ann:a:b "), ("ann".into(), "a:b ".into()));
        let header = pair("X-Key: abc ", "--header").unwrap();
        assert_eq!(header, ("X-Key".into(), "abc".into()));
        assert!(pair("nothing", "--header").is_err());
    }
}
