//! What a connector's identity provider wrote last.

use askama::Template;
use axum::extract::Path;

use super::super::activity::{self, RequestRow};
use super::super::desk::Desk;
use super::super::page::{Shell, Shown, show};
use super::Frame;

#[derive(Template)]
#[template(path = "connector/activity.html")]
struct ActivityPage {
    shell: Shell,
    frame: Frame,
    requests: Vec<RequestRow>,
}

/// `GET /console/connectors/{connector}/activity`
pub(in crate::ui) async fn page(desk: Desk, Path(connector): Path<String>) -> Shown {
    show(&ActivityPage {
        shell: desk.shell("connectors"),
        requests: activity::newest(&desk, &connector, "25").await?,
        frame: Frame::of(&desk, &connector, "activity").await?,
    })
}
