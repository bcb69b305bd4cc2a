//! What a connector's identity provider wrote last, and whether what it reads is recorded as well.

use askama::Template;
use axum::body::Body;
use axum::extract::Path;
use axum::http::Method;
use serde_json::{Value, json};

use super::super::activity::{self, RequestRow};
use super::super::desk::Desk;
use super::super::page::{Shell, Shown, show};
use super::super::when::When;
use super::{Detail, Frame, place};

#[derive(Template)]
#[template(path = "connector/activity.html")]
struct ActivityPage {
    shell: Shell,
    frame: Frame,
    requests: Vec<RequestRow>,
    /// Until when reads are recorded.
    reads_until: Option<When>,
}

/// `GET /console/connectors/{connector}/activity`
pub(in crate::ui) async fn page(desk: Desk, Path(connector): Path<String>) -> Shown {
    let mut found: Detail = desk.get(&["connectors", &connector], &[]).await?;
    show(&ActivityPage {
        shell: desk.shell("connectors"),
        requests: activity::newest(&desk, &connector, "25").await?,
        reads_until: found.reads_recorded_until.map(|until| desk.when(until)),
        frame: found.frame(&desk, "activity"),
    })
}

/// `POST /console/connectors/{connector}/recording`
pub(in crate::ui) async fn record_reads(
    desk: Desk,
    Path(connector): Path<String>,
    body: Body,
) -> Shown {
    let form = desk.form(body).await?;
    let hours: u32 = form.text("hours").parse().unwrap_or_default();
    let path = ["connectors", connector.as_str(), "recording"];
    let wish = json!({ "hours": hours });
    let _until: Value = desk.send(Method::PUT, &path, Some(wish)).await?;
    let told = match hours {
        0 => "Reads are not recorded any more.",
        _ => "What the identity provider reads is recorded from now on.",
    };
    desk.go_told(&format!("{}/activity", place(&connector)), told)
}
