//! `vestibule backup` and `vestibule restore`: everything that is stored as one file, and back.

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use provision::RestoredBy;
use serde::Serialize;
use store::{BackupContent, BackupError, Environment, Restored, verify_backup};

use super::serve::make_folder;
use crate::cli::{BackupArgs, RestoreArgs};
use crate::config::Settings;
use crate::door::{self, Door};
use crate::exit::{Exit, Failure};
use crate::key_file;
use crate::output::{Output, moment};

/// What a restore tells.
#[derive(Serialize)]
struct Told<'r> {
    #[serde(flatten)]
    content: &'r BackupContent,
    migrated: u64,
    replaced: bool,
    /// Whether the secret key here is the one of the backup; null if there is none here.
    right_key: Option<bool>,
}

/// `vestibule backup`
pub fn backup(args: &BackupArgs, settings: &Settings, out: Output) -> Result<(), Failure> {
    let path = &args.file;
    if path.exists() {
        let message = format!("there is a file {} already", path.display());
        return Err(Failure::new(Exit::Conflict, message).with("name another one, or remove it"));
    }
    let door = door::open(&args.door, settings)?;
    // Under another name until it is known to be whole.
    let part = beside(path);
    let taken = write(&door, &part).and_then(|()| verify_backup(&part).map_err(Failure::from));
    let content = match taken {
        Ok(content) => content,
        Err(failure) => {
            let _as_good_as_gone = fs::remove_file(&part);
            return Err(failure);
        }
    };
    fs::rename(&part, path).map_err(|error| unwritten(path, &error))?;
    out.show(&content, |content| {
        format!(
            "{} holds everything: {} rows, {} bytes.\n\
             It has neither the secret key of the installation nor sessions: keep the file secret-key as well, elsewhere.",
            path.display(),
            content.rows,
            content.bytes
        )
    })
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}

fn write(door: &Door, path: &Path) -> Result<(), Failure> {
    let options = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path);
    let file = options.map_err(|error| unwritten(path, &error))?;
    let mut file = BufWriter::new(file);
    door.download(&["backup"], &mut |bytes| file.write_all(bytes))?;
    let written = file
        .into_inner()
        .map_err(std::io::IntoInnerError::into_error);
    written
        .and_then(|file: File| file.sync_all())
        .map_err(|error| unwritten(path, &error))
}

fn unwritten(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(
        Exit::Failed,
        format!("{} cannot be written: {error}", path.display()),
    )
}

/// `vestibule restore`
pub fn restore(args: &RestoreArgs, settings: &Settings, out: Output) -> Result<(), Failure> {
    if args.check {
        let content = verify_backup(&args.file)?;
        return out.show(&content, |content| {
            format!("{} is whole.\n{}", args.file.display(), described(content))
        });
    }
    let is_new = !settings.data.exists();
    make_folder(&settings.data)?;
    let environment = Environment::system();
    let restored = provision::restore(
        &args.file,
        &settings.database,
        environment,
        args.replace,
        RestoredBy::command_line(),
    );
    if restored.is_err() && is_new {
        // Nothing is left behind; a folder that has something in it stays anyhow.
        let _stays = fs::remove_dir(&settings.data);
    }
    let restored = restored?;
    let key = key_file::read_if_there(settings)?;
    let right_key = key.map(|key| provision::is_key_of(&key, &restored));
    let told = Told {
        content: &restored.content,
        migrated: restored.migrated,
        replaced: restored.replaced,
        right_key,
    };
    out.show(&told, |told| words(&restored, told.right_key, settings))
}

fn described(content: &BackupContent) -> String {
    let head = &content.head;
    format!(
        "It was taken {} from a store in {} by version {}, and has {} rows in {} tables.",
        moment(head.taken),
        match head.engine.as_str() {
            "postgres" => "PostgreSQL",
            _ => "SQLite",
        },
        head.product,
        content.rows,
        content.tables
    )
}

fn words(restored: &Restored, right_key: Option<bool>, settings: &Settings) -> String {
    let mut lines = vec![
        format!("Restored into {}.", settings.database),
        described(&restored.content),
    ];
    if restored.migrated > 0 {
        lines.push(format!(
            "Its schema was brought up to date by {} migrations.",
            restored.migrated
        ));
    }
    lines.push(
        "Everybody has to sign in again, and open invitations and set-up links are gone. Products fetch everything anew by themselves."
            .to_owned(),
    );
    let key = match right_key {
        Some(true) => None,
        Some(false) => Some("The secret key here is another than that of the backup"),
        None => Some("There is no secret key here yet"),
    };
    if let Some(key) = key {
        lines.push(format!(
            "{key}: put the file secret-key of that installation in its place before the start. Without it, second factors, the \
             client secret of an OpenID provider and the secrets of notification channels have to be set up anew."
        ));
    }
    lines.push(
        "Now start the server, and make the identity providers send everything again.".to_owned(),
    );
    lines.join("\n")
}

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Self {
        let failure = |exit| Self::new(exit, error.to_string());
        match &error {
            BackupError::Store(error) => error.clone().into(),
            BackupError::Io(error) if error.kind() == ErrorKind::NotFound => failure(Exit::NotFound),
            BackupError::NotEmpty { .. } => failure(Exit::Conflict)
                .with("use another data folder or database, or --replace to put the backup in the place of what is there"),
            BackupError::InUse { .. } | BackupError::Newer { .. } | BackupError::OtherSchema { .. } => {
                failure(Exit::Store)
            }
            _ => failure(Exit::Failed),
        }
    }
}
