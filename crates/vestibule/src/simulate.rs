//! `vestibule simulate`: plays an identity provider against any SCIM 2.0 server, and tells how it went.

use emulate::entra::{Entra, PatchDialect};
use emulate::http::Traffic;
use emulate::okta::{AppKind, Okta};
use emulate::organization::{Organization, Size};
use emulate::provider::Provider;
use emulate::report::Report;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::cli::{self, SimulateArgs};
use crate::exit::{Exit, Failure};
use crate::output::{Output, fields, table};

/// So many failures are shown to a person; a script gets more.
const SHOWN_FAILURES: usize = 10;

/// How many requests go at the same time, as the real ones have it.
const CONCURRENCY: usize = 8;

/// The whole of a simulation, as told at the end.
#[derive(Serialize)]
struct Simulation {
    provider: &'static str,
    url: String,
    people: usize,
    groups: usize,
    seed: u64,
    phases: Vec<Phase>,
    traffic: Traffic,
}

/// One part of the script.
#[derive(Serialize)]
struct Phase {
    name: &'static str,
    requests: u64,
    #[serde(flatten)]
    report: Report,
}

/// Plays the provider: connection test, everybody, some time of changes, and with Okta an import to compare.
///
/// Fails if any task failed.
pub fn run(args: &SimulateArgs, out: Output) -> Result<(), Failure> {
    let runtime = tokio::runtime::Runtime::new()?;
    let simulation = runtime.block_on(play(args))?;
    out.show(&simulation, told)?;
    let failed: u64 = simulation
        .phases
        .iter()
        .map(|phase| phase.report.failed)
        .sum();
    if failed == 0 {
        return Ok(());
    }
    Err(Failure::new(Exit::Failed, format!("{failed} tasks failed")))
}

async fn play(args: &SimulateArgs) -> Result<Simulation, Failure> {
    let mut organization = Organization::found(&Size {
        people: args.users,
        groups: args.groups,
        seed: args.seed,
        domain: "example.org".to_owned(),
    });
    let mut script = Script {
        provider: provider(args)?,
        phases: Vec::new(),
        requests: 0,
    };
    let tested = script.provider.test().await;
    if script.note("connection test", tested) {
        script.synchronize("everybody", &organization).await;
        for _ in 0..args.users.div_ceil(10) {
            organization.next_event();
        }
        script.synchronize("changes", &organization).await;
        script.read_back().await;
    }
    Ok(Simulation {
        provider: script.provider.name(),
        url: args.url.clone(),
        people: args.users,
        groups: args.groups,
        seed: args.seed,
        traffic: script.provider.client().traffic(),
        phases: script.phases,
    })
}

fn provider(args: &SimulateArgs) -> Result<Provider, Failure> {
    let token = &args.token;
    let wrong = |error: emulate::http::SetupError| Failure::new(Exit::Usage, error.to_string());
    Ok(match args.provider {
        cli::Provider::Okta => {
            let okta = Okta::new(&args.url, token, AppKind::Template).map_err(wrong)?;
            Provider::Okta(okta.with_concurrency(CONCURRENCY))
        }
        cli::Provider::Entra => {
            let entra = Entra::new(&args.url, token, PatchDialect::Classic).map_err(wrong)?;
            Provider::Entra(entra.with_concurrency(CONCURRENCY))
        }
    })
}

/// The simulation as it goes on.
struct Script {
    provider: Provider,
    phases: Vec<Phase>,
    requests: u64,
}

impl Script {
    /// Notes a phase and says whether it went well.
    fn note(&mut self, name: &'static str, report: Report) -> bool {
        let before = std::mem::replace(
            &mut self.requests,
            self.provider.client().traffic().requests,
        );
        let clean = report.is_clean();
        self.phases.push(Phase {
            name,
            requests: self.requests - before,
            report,
        });
        clean
    }

    async fn synchronize(&mut self, name: &'static str, organization: &Organization) {
        let bar = bar(name);
        let progress = |done: u64, total: u64, label: &str| advance(&bar, done, total, label);
        let report = self.provider.synchronize(organization, &progress).await;
        bar.finish_and_clear();
        self.note(name, report);
    }

    /// Okta can read everything back: nobody who is active may be missing.
    async fn read_back(&mut self) {
        let Provider::Okta(okta) = &self.provider else {
            return;
        };
        let bar = bar("import");
        let report = okta
            .import_and_compare(&|done, total, label| advance(&bar, done, total, label))
            .await;
        bar.finish_and_clear();
        self.note("import", report);
    }
}

/// A progress bar on a terminal, and nothing anywhere else.
fn bar(name: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(0).with_message(name);
    if let Ok(style) = ProgressStyle::with_template("{msg:16} {bar:40} {pos}/{len} {per_sec}") {
        bar.set_style(style);
    }
    bar
}

fn advance(bar: &ProgressBar, done: u64, total: u64, _label: &str) {
    bar.set_length(total);
    bar.set_position(done);
}

fn told(simulation: &Simulation) -> String {
    let rows = simulation.phases.iter().map(|phase| {
        [
            phase.name.to_owned(),
            phase.requests.to_string(),
            format!("{:.1}", phase.report.duration.as_secs_f64()),
            phase.report.failed.to_string(),
            counts(&phase.report),
        ]
    });
    let phases = table(["phase", "requests", "seconds", "failed", "done"], rows);
    let traffic = simulation.traffic;
    let times = fields(&[
        ("requests", &traffic.requests.to_string()),
        ("throttled", &traffic.throttled.to_string()),
        (
            "half answered in",
            &format!("{:.1} ms", traffic.latency.p50_ms),
        ),
        ("95 % in", &format!("{:.1} ms", traffic.latency.p95_ms)),
        ("99 % in", &format!("{:.1} ms", traffic.latency.p99_ms)),
        ("all in", &format!("{:.1} ms", traffic.latency.max_ms)),
    ]);
    let failures = simulation
        .phases
        .iter()
        .flat_map(|phase| &phase.report.failures)
        .take(SHOWN_FAILURES);
    let failures: Vec<String> = failures.map(|failure| format!("\n{failure}")).collect();
    format!(
        "{} at {}\n\n{phases}\n\n{times}\n{}",
        simulation.provider,
        simulation.url,
        failures.join("")
    )
}

fn counts(report: &Report) -> String {
    let counts: Vec<String> = report
        .counts
        .iter()
        .map(|(what, count)| format!("{count} {what}"))
        .collect();
    counts.join(", ")
}
