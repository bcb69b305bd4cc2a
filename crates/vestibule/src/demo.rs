//! `vestibule demo`: the server together with two emulated identity providers and two emulated products, all of them
//! talking real HTTP, so that everything can be seen working within a minute.

mod cast;
mod stage;
mod teller;

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::cli::DemoArgs;
use crate::commands::serve::{Renewal, Started, listen, stop_signal};
use crate::config::{Origin, Settings};
use crate::exit::{Exit, Failure};
use crate::logging;
use crate::output::Output;

use cast::Cast;
use stage::Stage;
use teller::Teller;

/// How long a person gets to read each scene.
const READING_TIME: Duration = Duration::from_millis(1200);

/// Plays the demo, then serves until a signal says to stop; with `--once` it stops after the play.
///
/// Fails if a task failed, or if a product did not come to see what its identity provider had sent.
pub fn run(args: &DemoArgs, settings: &Settings, out: Output) -> Result<(), Failure> {
    let folder = tempfile::Builder::new()
        .prefix("vestibule-demo-")
        .tempdir()?;
    let (settings, kept) = settings_for(args, settings, folder.path())?;
    logging::start(&settings);
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let listener = listen(settings.listen).await?;
        let started = Started::open(&settings, listener, Renewal::Never).await?;
        let reading_time = if std::io::stdout().is_terminal() {
            READING_TIME
        } else {
            Duration::ZERO
        };
        let teller = Teller::new(out, reading_time);
        let cast = Cast::assemble(&started, args).await?;
        let kept = kept.then_some(settings.data.as_path());
        teller.opening(&started.url, started.welcome.as_deref(), kept, &cast)?;
        let (stop, stopped) = oneshot::channel::<()>();
        let signal = stop_signal()?;
        let until_stopped = async {
            // Either was sent, or the sender is gone: both mean the end.
            let _ended = stopped.await;
        };
        let serving = tokio::spawn(started.serve(until_stopped));
        let played = play(cast, &teller, args.once, signal).await;
        drop(stop);
        serving.await.map_err(anyhow::Error::from)?;
        played
    })
}

/// The play, and the quiet time after it; the signal ends both.
async fn play(
    cast: Cast,
    teller: &Teller,
    once: bool,
    signal: impl Future<Output = ()>,
) -> Result<(), Failure> {
    let mut signal = std::pin::pin!(signal);
    let mut stage = Stage::new(cast, teller);
    let failures = tokio::select! {
        played = stage.play() => played?,
        () = &mut signal => return Ok(()),
    };
    stage.closing(once)?;
    if !once {
        signal.await;
    }
    match failures {
        0 => Ok(()),
        some => Err(Failure::new(
            Exit::Failed,
            format!("{some} things did not go as they should"),
        )),
    }
}

/// The settings of the demo's server: a temporary folder unless one was named, and only warnings in the log.
fn settings_for(
    args: &DemoArgs,
    settings: &Settings,
    folder: &std::path::Path,
) -> Result<(Settings, bool), Failure> {
    let is_default = |name: &str| {
        settings
            .given
            .get(name)
            .is_none_or(|given| given.origin == Origin::Default)
    };
    let mut changed = settings.clone();
    changed.listen =
        args.listen
            .parse::<SocketAddr>()
            .map_err(|_unparsable: std::net::AddrParseError| {
                Failure::new(
                    Exit::Usage,
                    format!("`{}` is not an address with a port", args.listen),
                )
            })?;
    let temporary = is_default("data") && is_default("database");
    if temporary {
        changed.data = folder.to_path_buf();
        changed.database = store::Database::Sqlite(folder.join("vestibule.db"));
    }
    if is_default("log") {
        changed.log = "warn".to_owned();
    }
    Ok((changed, !temporary))
}
