//! The backup: everything as one file to download, and a file that is looked at and restored.

use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::http::{Method, StatusCode};
use axum::routing::{get, post};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Ui;
use super::desk::Desk;
use super::page::{Shell, Shown, Trouble, show, show_wrong};
use super::when::When;
use crate::limits::BACKUP_BYTES_MAX;

/// Where a backup that was sent is looked at.
const PLACE: &str = "/console/backup#restore";

/// The page of the backup.
pub(super) fn routes() -> Router<Ui> {
    Router::new()
        .route("/console/backup", get(page).post(download))
        .route("/console/backup/staged", post(stage))
        .route("/console/backup/staged/discard", post(discard))
        .route("/console/backup/staged/restore", post(restore))
}

#[derive(Template)]
#[template(path = "backup.html")]
struct BackupPage {
    shell: Shell,
    /// The file that lies ready.
    staged: Option<Staged>,
    /// When a restore failed, and why.
    failed: Option<(When, String)>,
    wrong: Option<Trouble>,
}

#[derive(Template)]
#[template(path = "restoring.html")]
struct RestoringPage {}

struct Staged {
    taken: When,
    backup: Backup,
}

/// What the admin API tells of a restore.
#[derive(Deserialize)]
struct Staging {
    backup: Option<Backup>,
    failed: Option<Failed>,
}

#[derive(Deserialize)]
struct Failed {
    at: Timestamp,
    why: String,
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

impl BackupPage {
    async fn of(desk: &Desk, wrong: Option<Trouble>) -> Result<Self, Trouble> {
        let shell = desk.shell("settings");
        let may_look = shell.is_owner && !shell.confined;
        let found: Option<Staging> = match may_look {
            true => Some(desk.get(&["backup", "staged"], &[]).await?),
            false => None,
        };
        let (backup, failed) = found.map_or((None, None), |it| (it.backup, it.failed));
        Ok(Self {
            shell,
            staged: backup.map(|backup| Staged {
                taken: desk.when(backup.taken),
                backup,
            }),
            failed: failed.map(|failed| (desk.when(failed.at), failed.why)),
            wrong,
        })
    }
}

/// `GET /console/backup`
async fn page(desk: Desk) -> Shown {
    show(&BackupPage::of(&desk, None).await?)
}

/// `POST /console/backup`: a form, so that no link or look ahead of a browser takes a backup.
async fn download(desk: Desk, body: Body) -> Shown {
    desk.form(body).await?;
    desk.download(&["backup"], &[]).await
}

/// `POST /console/backup/staged`
async fn stage(desk: Desk, body: Body) -> Shown {
    let form = desk.upload(body, BACKUP_BYTES_MAX).await?;
    if form.is_missing() {
        let wrong = Trouble::new(StatusCode::UNPROCESSABLE_ENTITY, "Choose a file first.");
        return refused(&desk, wrong).await;
    }
    let file = ("application/octet-stream", form.into_body());
    let staged: Result<Backup, Trouble> = desk
        .send_file(Method::PUT, &["backup", "staged"], &[], file)
        .await;
    match staged {
        Ok(_) => desk.go_told(PLACE, "The file is whole. Nothing is restored yet."),
        Err(wrong) => refused(&desk, wrong).await,
    }
}

/// `POST /console/backup/staged/discard`
async fn discard(desk: Desk, body: Body) -> Shown {
    desk.form(body).await?;
    let _gone: Value = desk
        .send(Method::DELETE, &["backup", "staged"], None)
        .await?;
    desk.go_told("/console/backup", "The file is taken away.")
}

/// `POST /console/backup/staged/restore`
async fn restore(desk: Desk, body: Body) -> Shown {
    let form = desk.form(body).await?;
    let wish = json!({"sha256": form.text("sha256")});
    let path = ["backup", "staged", "restore"];
    let begun: Result<Value, Trouble> = desk.send(Method::POST, &path, Some(wish)).await;
    match begun {
        Ok(_) => show(&RestoringPage {}),
        Err(wrong) => refused(&desk, wrong).await,
    }
}

async fn refused(desk: &Desk, wrong: Trouble) -> Shown {
    let status = wrong.status;
    show_wrong(status, &BackupPage::of(desk, Some(wrong)).await?)
}
