//! `vestibule serve`: opens the store, serves, and stops cleanly.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use deliver::{CrowdClient, IssuerClient, Notifier, OpenIdAsker};
use provision::{FirstStart, Guard, Provision, Reach, RestoredBy};
use serde::Serialize;
use server::{FailedRestore, RestoreOrder};
use store::{Environment, Store};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

use crate::config::Settings;
use crate::exit::{Exit, Failure};
use crate::output::{Output, Reader, fields};
use crate::{door, key_file, logging};

/// How long what still runs has to let go of the store, before it is restored.
const LET_GO: Duration = Duration::from_secs(10);

/// Serves until a signal says to stop. Where somebody wants it, it begins anew with a backup in between.
pub fn run(settings: &Settings, out: Output) -> Result<(), Failure> {
    logging::start(settings);
    let mut runtime = new_runtime()?;
    // Kept all the time: whoever asks during a restore waits.
    let listener = runtime.block_on(listen(settings.listen))?.into_std()?;
    let mut is_first = true;
    let mut failed = None;
    loop {
        let ended = runtime.block_on(async {
            let stop = stop_signal()?;
            let listener = TcpListener::from_std(listener.try_clone()?)?;
            let started = Started::open(settings, listener, Renewal::Ready(failed.take())).await?;
            if is_first {
                announce(&started, out)?;
            }
            Ok::<_, Failure>(started.serve_or_renew(stop).await)
        });
        // Whatever runs on would keep the store open.
        runtime.shutdown_timeout(LET_GO);
        let Some(order) = ended? else {
            return Ok(());
        };
        failed = renew(order, settings);
        is_first = false;
        runtime = new_runtime()?;
    }
}

fn new_runtime() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
}

/// Restores the backup that is wanted, while nobody has the store open.
fn renew(order: RestoreOrder, settings: &Settings) -> Option<FailedRenewal> {
    tracing::info!(by = order.by.name, "beginning anew with a backup");
    let (database, environment) = (&settings.database, Environment::system());
    let restored = provision::restore(&order.file, database, environment, true, order.by.clone());
    match restored {
        Ok(restored) => {
            let content = restored.content;
            tracing::info!(taken = %content.head.taken, rows = content.rows, "the backup is restored");
            None
        }
        Err(error) => {
            tracing::error!(%error, "the backup could not be restored; everything is as it was");
            let why = error.to_string();
            Some(FailedRenewal { by: order.by, why })
        }
    }
}

/// A restore that came to nothing.
pub struct FailedRenewal {
    by: RestoredBy,
    why: String,
}

/// Whether a server can begin anew with a backup.
pub enum Renewal {
    /// Whoever runs it does not start it again.
    Never,
    /// Whoever runs it does; the last time it failed, if there was one.
    Ready(Option<FailedRenewal>),
}

/// A server that holds its address and its store, and answers as soon as it is served.
pub struct Started {
    /// The beginning of every URL of it.
    pub url: String,
    /// What the first start on an empty store made.
    pub first: Option<FirstStart>,
    /// A link for the first administrator, while there is none.
    pub welcome: Option<String>,
    /// Its use cases.
    pub provision: Provision,
    listener: TcpListener,
    app: server::App,
    webhooks: deliver::Client,
}

impl Started {
    /// Opens everything that a server needs; nothing is answered yet.
    pub async fn open(
        settings: &Settings,
        listener: TcpListener,
        renewal: Renewal,
    ) -> Result<Self, Failure> {
        make_folder(&settings.data)?;
        warn_of_listeners(settings);
        let url = settings
            .public_url
            .clone()
            .unwrap_or_else(|| local_url(listener.local_addr().unwrap_or(settings.listen)));
        let database = settings.database.clone();
        let opening =
            tokio::task::spawn_blocking(move || Store::open(&database, Environment::system()));
        let store = opening.await.map_err(anyhow::Error::from)??;
        let provision = Provision::with_key(store, key_file::read_or_make(settings)?);
        let first = provision.prepare().await?;
        let invitation = provision.invite_first().await?;
        let welcome = invitation.map(|made| server::welcome_link(&url, made.secret.reveal()));
        door::leave_url(&settings.data, &url)?;
        let (staging, failed_restore) = match renewal {
            Renewal::Never => (None, None),
            Renewal::Ready(None) => (Some(settings.data.clone()), None),
            Renewal::Ready(Some(failed)) => {
                let FailedRenewal { by, why } = failed;
                provision.note_failed_restore(&by, &why).await?;
                let at = provision.store().now();
                (Some(settings.data.clone()), Some(FailedRestore { at, why }))
            }
        };
        provision.allow_outbound(settings.outbound_allow.clone());
        let guard = Guard::new(Reach::Network, settings.outbound_allow.clone());
        let client = deliver::Client::new(guard);
        provision.read_crowds_with(Arc::new(CrowdClient::new(client.clone())));
        let notifier = Notifier::new(&settings.outbound_allow, settings.public_url.clone());
        provision.notify_with(Arc::new(notifier));
        let app = server::App::with_clients(
            provision.clone(),
            server::Settings {
                limits: settings.limits.clone(),
                retention: settings.retention,
                public_url: settings.public_url.clone(),
                trusted_proxies: settings.trusted_proxies.clone(),
                metrics_from: settings.metrics_from.clone(),
                crowd_version: settings.crowd_version.clone(),
                staging,
                failed_restore,
            },
            Arc::new(IssuerClient::new(client.clone())),
            Arc::new(OpenIdAsker::new(client)),
        );
        // Applications register webhooks, so these go to the public or to what the settings name.
        let guard = Guard::new(Reach::Public, settings.outbound_allow.clone());
        let webhooks = deliver::Client::new(guard);
        Ok(Self {
            url,
            first,
            welcome,
            provision,
            listener,
            app,
            webhooks,
        })
    }

    /// Answers until `stop` ends, or until somebody wants to begin anew with a backup: that is returned.
    async fn serve_or_renew(self, stop: impl Future<Output = ()>) -> Option<RestoreOrder> {
        let app = self.app.clone();
        let mut order = None;
        let until = async {
            tokio::select! {
                () = stop => {}
                wanted = app.restore_ordered() => order = Some(wanted),
            }
        };
        self.serve(until).await;
        order
    }

    /// Answers until `stop` ends and what is running then is done, or has had its time.
    pub async fn serve(self, stop: impl Future<Output = ()>) {
        let work = tokio::spawn(self.app.clone().run_background_work());
        let provision = self.provision;
        let told = tokio::spawn(deliver::tell_administrators(provision.clone()));
        let subscriptions = tokio::spawn(deliver::tell_subscriptions(provision.clone()));
        let webhooks = tokio::spawn(deliver::call_webhooks(provision, self.webhooks));
        tracing::info!(url = self.url, "serving");
        server::serve(self.listener, self.app.clone(), stop).await;
        // Before the work ends: what it holds would be lost.
        self.app.flush_records().await;
        work.abort();
        webhooks.abort();
        subscriptions.abort();
        told.abort();
        tracing::info!("stopped");
    }
}

/// Makes the data folder, for its owner alone; one that is there is left as it is.
pub fn make_folder(path: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::DirBuilderExt;
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder.create(path).map_err(|error| {
        let message = format!("the data folder {} cannot be made: {error}", path.display());
        Failure::new(Exit::Store, message).with("name another folder with --data")
    })
}

/// What is sent in the clear on a network is read there.
fn warn_of_listeners(settings: &Settings) {
    let public = settings.public_url.as_deref().unwrap_or_default();
    if !settings.listen.ip().is_loopback() && !public.starts_with("https://") {
        tracing::warn!(
            address = %settings.listen,
            "serving without encryption on a network: passwords, tokens and people's data can be read on their way; \
             put a proxy with HTTPS before it, listen for that alone, and set public_url"
        );
    }
}

pub async fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        Failure::new(Exit::Failed, format!("cannot listen on {address}: {error}"))
            .with("name another address with --listen; port 0 takes a free one")
    })
}

/// How this machine reaches itself at an address that may mean all networks.
fn local_url(address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        format!("http://localhost:{}", address.port())
    } else {
        format!("http://{address}")
    }
}

/// Ends at SIGTERM or SIGINT.
pub fn stop_signal() -> Result<impl Future<Output = ()>, Failure> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping: requests in progress may finish");
    })
}

/// What a start tells, in one line of JSON for a machine.
#[derive(Serialize)]
struct Announcement<'a> {
    url: &'a str,
    welcome: Option<&'a str>,
    first_start: Option<FirstAnnouncement>,
}

#[derive(Serialize)]
struct FirstAnnouncement {
    connector: String,
    id: String,
    base_url: String,
    token: String,
    admin_token: String,
}

fn announce(started: &Started, out: Output) -> Result<(), Failure> {
    let first = started.first.as_ref().map(|first| FirstAnnouncement {
        connector: first.connector.connector.name.clone(),
        id: first.connector.connector.public_id.clone(),
        base_url: format!(
            "{}/scim/v2/{}",
            started.url, first.connector.connector.public_id
        ),
        token: first.scim_token.secret.reveal().to_owned(),
        admin_token: first.api_token.secret.reveal().to_owned(),
    });
    let announcement = Announcement {
        url: &started.url,
        welcome: started.welcome.as_deref(),
        first_start: first,
    };
    match out.reader {
        Reader::Person => out.text(&told(&announcement)),
        Reader::Machine => {
            out.text(&serde_json::to_string(&announcement).map_err(anyhow::Error::from)?)
        }
    }
}

fn told(announcement: &Announcement<'_>) -> String {
    let url = announcement.url;
    let Some(first) = &announcement.first_start else {
        let open = match announcement.welcome {
            Some(welcome) => format!("Nobody administers it yet. Make your account: {welcome}"),
            None => format!("Open {url}/console"),
        };
        return format!(
            "Vestibule is running. {open}\n\
             Connectors: vestibule connector list    Stop: Ctrl-C"
        );
    };
    let welcome = announcement.welcome.unwrap_or(url);
    let lines = fields(&[
        ("  base URL", &first.base_url),
        ("  token", &first.token),
        ("  admin token", &first.admin_token),
    ]);
    format!(
        "Vestibule is running at {url}, with a first connector named {}.\n\n\
         Open this to make your account; the link is good once, for a day:\n\n  {welcome}\n\n{lines}\n\n\
         The tokens are shown this once: keep them.\n\n\
         Or go on in another terminal:\n\
         \x20 let Jira, Confluence or Bitbucket fetch:  vestibule application create --name jira\n\
         \x20 push people without an identity provider: vestibule simulate okta --url BASE_URL --token TOKEN\n",
        first.connector
    )
}
