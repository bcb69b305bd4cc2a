//! The backup: everything that is stored, given out as one file while the server serves, and such a file looked at.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use futures_util::stream;
use jiff::Timestamp;
use provision::CheckedBackup;
use serde::Serialize;
use store::BackupError;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Answer, Problem, arriving};
use crate::App;
use crate::authority::Admin;

/// Pieces of a file that may wait on their way.
pub(super) const PIECES_AHEAD: usize = 4;
/// A client that takes nothing for so long is gone; the reading transaction has to end.
const STALL_TIMEOUT: Duration = Duration::from_secs(60);

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(take))
        .routes(routes!(check))
}

/// Everything that is stored, as one file that `vestibule restore` reads. For owners.
///
/// It is of one moment, whatever is written meanwhile, and can be restored into SQLite and PostgreSQL alike. It holds the hashes
/// of passwords and tokens: keep it like a password. It holds neither the secret key of the installation nor who is signed in.
#[utoipa::path(get, path = "/backup", operation_id = "take_backup", tag = "backup",
    responses((status = OK, body = String, content_type = "application/octet-stream")))]
async fn take(_admin: Admin, State(app): State<App>) -> Answer<impl IntoResponse> {
    let alone = alone(&app)?;
    let taken = app.provision().store().now().strftime("%Y%m%dT%H%M%SZ");
    let name = format!("attachment; filename=\"vestibule-{taken}.backup\"");
    let (channel, mut pieces) = mpsc::channel(PIECES_AHEAD);
    let sender = Pieces {
        channel,
        begun: Arc::default(),
        runtime: Handle::current(),
    };
    tokio::task::spawn_blocking(move || {
        let last = match app.provision().back_up(|| sender.begin()) {
            Ok(()) => Piece::End,
            Err(error) => Piece::Failed(error),
        };
        // Whoever has all of it may ask again at once.
        drop(alone);
        if sender.pass(last).is_err() {
            tracing::warn!("whoever asked for a backup went away");
        }
    });
    // What fails before anything was given out is a plain refusal.
    let first = match pieces.recv().await {
        Some(Piece::Bytes(bytes)) => bytes,
        Some(Piece::Failed(error)) => return Err(problem(error)),
        Some(Piece::End) | None => return Err(problem(interrupted().into())),
    };
    let body = Body::from_stream(stream::try_unfold(
        (Some(first), pieces),
        |(first, mut pieces)| async {
            if let Some(first) = first {
                return Ok(Some((first, (None, pieces))));
            }
            match pieces.recv().await {
                Some(Piece::Bytes(bytes)) => Ok(Some((bytes, (None, pieces)))),
                Some(Piece::End) => Ok(None),
                Some(Piece::Failed(error)) => {
                    tracing::error!(%error, "a backup was cut off");
                    Err(interrupted())
                }
                None => Err(interrupted()),
            }
        },
    ));
    let head = [
        (CONTENT_TYPE, "application/octet-stream".to_owned()),
        (CONTENT_DISPOSITION, name),
    ];
    Ok((head, body))
}

/// One backup at a time is given out or looked at.
pub(super) fn alone(app: &App) -> Answer<OwnedSemaphorePermit> {
    let alone = Arc::clone(&app.inner().backups).try_acquire_owned();
    alone.map_err(|_taken| {
        let detail = "A backup is being given out or looked at already. Wait until that is over.";
        Problem::new(StatusCode::CONFLICT, detail)
    })
}

/// What is in a backup, and how it stands to this installation.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BackupCheckView {
    /// When it was taken.
    #[schema(value_type = String, format = DateTime)]
    taken: Timestamp,
    /// The version of the program that took it.
    product: String,
    /// The engine that it was taken from: `sqlite` or `postgres`. It can be restored into either.
    engine: String,
    /// The number of its schema.
    schema: i64,
    /// Migrations that a restore applies to bring it up to date.
    migrations: u64,
    /// Tables.
    tables: u64,
    /// Rows of all tables together.
    rows: u64,
    /// Bytes of the file.
    bytes: u64,
    /// The SHA-256 of all before its last line, which says it.
    sha256: String,
    /// Whether it was taken from this very store, since that was last restored.
    own: bool,
    /// Whether it was taken with the secret key that is here. If not, put that key into the data folder before the start.
    right_key: bool,
}

impl From<CheckedBackup> for BackupCheckView {
    fn from(checked: CheckedBackup) -> Self {
        let migrations = checked.content.behind();
        let content = checked.content;
        Self {
            taken: content.head.taken,
            product: content.head.product,
            engine: content.head.engine,
            schema: content.head.schema,
            migrations,
            tables: content.tables,
            rows: content.rows,
            bytes: content.bytes,
            sha256: content.sha256,
            own: checked.own,
            right_key: checked.right_key,
        }
    }
}

/// Looks whether a file is a backup that is whole and can be restored by this program. For owners.
///
/// Nothing of it is kept, and nothing is restored. To restore it, send it to `/backup/staged`, or use `vestibule restore` where no
/// server runs.
#[utoipa::path(post, path = "/backup/check", operation_id = "check_backup", tag = "backup",
    extensions(("x-changes" = json!("nothing"))),
    request_body(content = String, content_type = "application/octet-stream"),
    responses((status = OK, body = BackupCheckView)))]
async fn check(
    _admin: Admin,
    State(app): State<App>,
    headers: HeaderMap,
    body: Body,
) -> Answer<Json<BackupCheckView>> {
    let checked = arriving::receive(&app, alone(&app)?, &headers, body, None).await?;
    Ok(Json(checked.into()))
}

pub(super) fn problem(error: BackupError) -> Problem {
    match error {
        BackupError::Store(error) => error.into(),
        error => {
            tracing::error!(%error, "a backup cannot be taken");
            let detail = "The backup could not be taken. The log of the server says more.";
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
        }
    }
}

pub(super) fn interrupted() -> io::Error {
    io::Error::other("the backup could not be read to its end")
}

enum Piece {
    Bytes(Bytes),
    End,
    Failed(BackupError),
}

/// The reading thread's end of the channel to the connection.
#[derive(Clone)]
struct Pieces {
    channel: mpsc::Sender<Piece>,
    begun: Arc<AtomicBool>,
    runtime: Handle,
}

impl Pieces {
    /// A store may run a closure again after it lost its connection; once a part is out, it must not.
    fn begin(&self) -> io::Result<Self> {
        match self.begun.load(Ordering::Relaxed) {
            true => Err(interrupted()),
            false => Ok(self.clone()),
        }
    }

    fn pass(&self, piece: Piece) -> io::Result<()> {
        let passing = self.channel.send_timeout(piece, STALL_TIMEOUT);
        let passed = self.runtime.block_on(passing);
        passed.map_err(|_gone| io::ErrorKind::BrokenPipe.into())
    }
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.begun.store(true, Ordering::Relaxed);
        self.pass(Piece::Bytes(Bytes::copy_from_slice(bytes)))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
