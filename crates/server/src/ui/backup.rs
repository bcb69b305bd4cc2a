//! The backup: everything as one file to download, and how it is restored.

use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::routing::get;

use super::Ui;
use super::desk::Desk;
use super::page::{Shell, Shown, show};

/// The page of the backup.
pub(super) fn routes() -> Router<Ui> {
    Router::new().route("/console/backup", get(page).post(download))
}

#[derive(Template)]
#[template(path = "backup.html")]
struct BackupPage {
    shell: Shell,
}

/// `GET /console/backup`
async fn page(desk: Desk) -> Shown {
    show(&BackupPage {
        shell: desk.shell("settings"),
    })
}

/// `POST /console/backup`: a form, so that no link or look ahead of a browser takes a backup.
async fn download(desk: Desk, body: Body) -> Shown {
    desk.form(body).await?;
    desk.download(&["backup"], &[]).await
}
