//! The backup: everything as one file to download, a file looked at, and how it is restored.

use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use axum::routing::{get, post};
use jiff::Timestamp;
use serde::Deserialize;

use super::Ui;
use super::desk::Desk;
use super::page::{Shell, Shown, Trouble, show, show_wrong};
use super::when::When;
use crate::limits::BACKUP_BYTES_MAX;

/// The page of the backup.
pub(super) fn routes() -> Router<Ui> {
    Router::new()
        .route("/console/backup", get(page).post(download))
        .route("/console/backup/check", post(check))
}

#[derive(Template)]
#[template(path = "backup.html")]
struct BackupPage {
    shell: Shell,
    /// A file that was looked at.
    checked: Option<Checked>,
    wrong: Option<Trouble>,
}

struct Checked {
    /// What the file is called.
    name: String,
    taken: When,
    backup: Backup,
}

/// What is in a backup, as the admin API tells it.
#[derive(Deserialize)]
struct Backup {
    taken: Timestamp,
    product: String,
    engine: String,
    schema: i64,
    migrations: u64,
    tables: u64,
    rows: u64,
    bytes: u64,
    sha256: String,
    own: bool,
    right_key: bool,
}

impl Backup {
    fn engine(&self) -> &'static str {
        match self.engine.as_str() {
            "postgres" => "PostgreSQL",
            _ => "SQLite",
        }
    }
}

impl Checked {
    /// What restores it.
    fn command(&self) -> String {
        let name = self.name.replace('\'', "'\\''");
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let name = match name.chars().all(is_plain) && !name.starts_with('-') {
            true => name,
            false => format!("'./{name}'"),
        };
        format!("vestibule restore {name} --replace --data FOLDER")
    }
}

impl BackupPage {
    fn of(desk: &Desk) -> Self {
        Self {
            shell: desk.shell("settings"),
            checked: None,
            wrong: None,
        }
    }
}

/// `GET /console/backup`
async fn page(desk: Desk) -> Shown {
    show(&BackupPage::of(&desk))
}

/// `POST /console/backup`: a form, so that no link or look ahead of a browser takes a backup.
async fn download(desk: Desk, body: Body) -> Shown {
    desk.form(body).await?;
    desk.download(&["backup"], &[]).await
}

/// `POST /console/backup/check`
async fn check(desk: Desk, body: Body) -> Shown {
    let form = desk.upload(body, BACKUP_BYTES_MAX).await?;
    if form.is_missing() {
        let wrong = Trouble::new(StatusCode::UNPROCESSABLE_ENTITY, "Choose a file first.");
        return refused(&desk, wrong);
    }
    let name = form.name.clone();
    let file = ("application/octet-stream", form.into_body());
    let looked: Result<Backup, Trouble> = desk.send_file(&["backup", "check"], &[], file).await;
    match looked {
        Ok(backup) => show(&BackupPage {
            checked: Some(Checked {
                name,
                taken: desk.when(backup.taken),
                backup,
            }),
            ..BackupPage::of(&desk)
        }),
        Err(wrong) => refused(&desk, wrong),
    }
}

fn refused(desk: &Desk, wrong: Trouble) -> Shown {
    show_wrong(
        wrong.status,
        &BackupPage {
            wrong: Some(wrong),
            ..BackupPage::of(desk)
        },
    )
}
