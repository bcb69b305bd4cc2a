//! The input that is kept.

use std::path::{Path, PathBuf};

/// The folder of a target's input.
pub fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target)
}

/// All input of a target with the names of its files, in their order.
pub fn of(target: &str) -> std::io::Result<Vec<(String, Vec<u8>)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder(target))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        found.push((name, std::fs::read(entry.path())?));
    }
    found.sort();
    Ok(found)
}
