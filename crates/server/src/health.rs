//! Whether this process lives, whether it can serve, and its figures.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use directory::{ConnectorId, ConnectorState};
use jiff::Timestamp;
use provision::{Presence, ProvisionError, poll_report, presence};
use store::ReadTx;

use crate::App;
use crate::api::Problem;
use crate::authority::{address_of, prove};
use crate::metrics::{
    ApplicationFigures, ChannelFigures, ConnectorFigures, Credential, EndingFigures, Figures,
};

/// The store has to answer by then for the process to count as ready.
const READY_TIMEOUT: Duration = Duration::from_secs(2);

/// `GET /health/live`: the process turns its loop.
pub(crate) async fn live() -> &'static str {
    "live\n"
}

/// `GET /health/ready`: the store answers.
pub(crate) async fn ready(State(app): State<App>) -> Response {
    let asked = app.provision().store().read(|tx| tx.store_id());
    match tokio::time::timeout(READY_TIMEOUT, asked).await {
        Ok(Ok(_)) => "ready\n".into_response(),
        Ok(Err(error)) => not_ready(&error.to_string()),
        Err(_elapsed) => not_ready("the database does not answer"),
    }
}

fn not_ready(why: &str) -> Response {
    tracing::warn!(why, "not ready");
    let body = "not ready: the database does not answer\n";
    (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "5")], body).into_response()
}

/// `GET /metrics`, in the OpenMetrics text form: to this machine and the addresses in the settings, and to tokens of the
/// admin API that see everything.
pub(crate) async fn metrics(State(app): State<App>, request: Request) -> Response {
    let address = address_of(&app, &request);
    if !is_scraper(&app, &request, address) {
        let (parts, _body) = request.into_parts();
        match prove(&app, &parts, address).await {
            Err(refusal) => return refusal,
            Ok(admin) if admin.rights.connectors.is_some() => {
                let why = "The token sees some connectors only, and these are the figures of all.";
                return Problem::new(StatusCode::FORBIDDEN, why).into_response();
            }
            Ok(_) => {}
        }
    }
    let figures = app.provision().store().read(|tx| figures(tx)).await;
    let text = app.inner().metrics.text(&figures.unwrap_or_default());
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(CONTENT_TYPE, kind)], text).into_response()
}

/// Whether figures go there without a token. What a proxy on this machine passes on comes from elsewhere, whether the
/// settings know of the proxy or not.
fn is_scraper(app: &App, request: &Request, address: Option<IpAddr>) -> bool {
    let Some(address) = address else {
        return false;
    };
    let settings = &app.inner().settings;
    if settings
        .metrics_from
        .iter()
        .any(|range| range.contains(address))
    {
        return true;
    }
    let headers = request.headers();
    let passed_on = ["x-forwarded-for", "forwarded", "x-real-ip", "via"];
    address.to_canonical().is_loopback()
        && !passed_on.iter().any(|name| headers.contains_key(*name))
}

fn figures(tx: &ReadTx<'_>) -> Result<Figures, ProvisionError> {
    let counts = tx.source_counts_of_all()?;
    let mut connectors = Vec::new();
    let mut called = HashMap::new();
    for stored in tx.connectors()? {
        let id = stored.connector.id;
        called.insert(id, stored.connector.public_id.clone());
        let (counts, due) = counts.get(&id).copied().unwrap_or_default();
        let holds = tx.hold_figures(id)?;
        let present = match stored.connector.state {
            ConnectorState::Disabled => None,
            _ => presence(tx, id)?,
        };
        connectors.push(ConnectorFigures {
            due,
            users: counts.users,
            groups: counts.groups,
            open_holds: holds.open,
            held_since: holds.since.map_or(0, |since| since.as_second()),
            is_silent: present.is_some_and(Presence::is_silent),
            connector: stored.connector.public_id,
        });
    }
    let mut applications = Vec::new();
    for application in tx.applications()? {
        let polls = poll_report(tx, application.id)?;
        applications.push(ApplicationFigures {
            application: application.public_id,
            polled: polls.last_heard.map_or(0, |at| at.as_second()),
            is_silent: polls.silent,
        });
    }
    let channels = tx.channels()?.into_iter().map(|channel| ChannelFigures {
        channel: channel.id,
        failures: channel.failures,
    });
    Ok(Figures {
        connectors,
        applications,
        channels: channels.collect(),
        endings: endings(tx, &called)?,
    })
}

/// The tokens that end first, of each kind and connector one.
fn endings(
    tx: &ReadTx<'_>,
    called: &HashMap<ConnectorId, String>,
) -> Result<Vec<EndingFigures>, ProvisionError> {
    let (now, mut seen) = (tx.now(), HashSet::new());
    // They come in the order of their end.
    let all = tx.tokens_ending(now, Timestamp::MAX)?.into_iter();
    let first = all.filter(|token| seen.insert((token.is_client_secret, token.connector)));
    let figures = first.map(|token| EndingFigures {
        kind: match (token.connector, token.is_client_secret) {
            (None, _) => Credential::ApiToken,
            (Some(_), true) => Credential::ClientSecret,
            (Some(_), false) => Credential::Token,
        },
        connector: token
            .connector
            .and_then(|id| called.get(&id).cloned())
            .unwrap_or_default(),
        seconds: token.expires.duration_since(now).as_secs(),
    });
    Ok(figures.collect())
}
