//! Whether this process lives, whether it can serve, and its figures.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use provision::ProvisionError;

use crate::App;
use crate::metrics::{ChannelFigures, ConnectorFigures};

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

/// `GET /metrics`, in the OpenMetrics text form.
pub(crate) async fn metrics(State(app): State<App>) -> Response {
    let (figures, channels) = app
        .provision()
        .store()
        .read(|tx| {
            let counts = tx.source_counts_of_all()?;
            let mut figures = Vec::new();
            for stored in tx.connectors()? {
                let counts = counts.get(&stored.connector.id).copied();
                let (counts, due) = counts.unwrap_or_default();
                let holds = tx.hold_figures(stored.connector.id)?;
                figures.push(ConnectorFigures {
                    due,
                    users: counts.users,
                    groups: counts.groups,
                    open_holds: holds.open,
                    held_since: holds.since.map_or(0, |since| since.as_second()),
                    connector: stored.connector.public_id,
                });
            }
            let channels = tx.channels()?.into_iter().map(|channel| ChannelFigures {
                channel: channel.id,
                failures: channel.failures,
            });
            Ok::<_, ProvisionError>((figures, channels.collect::<Vec<_>>()))
        })
        .await
        .unwrap_or_default();
    let text = app.inner().metrics.text(&figures, &channels);
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(CONTENT_TYPE, kind)], text).into_response()
}
