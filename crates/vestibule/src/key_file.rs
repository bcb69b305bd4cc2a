//! The file that holds the secret key of an installation, readable by its owner alone.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use provision::SecretKey;

use crate::config::Settings;
use crate::exit::{Exit, Failure};

/// The name of the file in the data folder, unless the settings name another.
const FILE: &str = "secret-key";

/// Reads the key; the one in the data folder is made if it is missing.
pub fn read_or_make(settings: &Settings) -> Result<SecretKey, Failure> {
    match &settings.secret_key {
        Some(path) => read(path)?.ok_or_else(|| {
            let message = format!("the key file {} is not there", path.display());
            Failure::new(Exit::Failed, message)
                .with("make it with: openssl rand -hex 32, readable by this user only")
        }),
        None => {
            let path = settings.data.join(FILE);
            match read(&path)? {
                Some(key) => Ok(key),
                None => make(&path),
            }
        }
    }
}

/// Reads the key if there is one; none is made.
pub fn read_if_there(settings: &Settings) -> Result<Option<SecretKey>, Failure> {
    let in_folder = settings.data.join(FILE);
    read(settings.secret_key.as_ref().unwrap_or(&in_folder))
}

fn read(path: &PathBuf) -> Result<Option<SecretKey>, Failure> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            let message = format!("the key file {} cannot be read: {error}", path.display());
            return Err(Failure::new(Exit::Failed, message));
        }
    };
    let key = SecretKey::parse(&text).ok_or_else(|| {
        let message = format!("the key file {} holds no key", path.display());
        Failure::new(Exit::Failed, message)
            .with("it has to hold 64 hexadecimal digits; delete it to have a new one made, which ends no session")
    })?;
    Ok(Some(key))
}

fn make(path: &Path) -> Result<SecretKey, Failure> {
    let key = SecretKey::generate().map_err(anyhow::Error::from)?;
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| {
            file.write_all(format!("{}\n", key.reveal()).as_bytes())?;
            file.sync_all()
        });
    made.map_err(|error| {
        let message = format!("the key file {} cannot be made: {error}", path.display());
        Failure::new(Exit::Failed, message)
    })?;
    Ok(key)
}
