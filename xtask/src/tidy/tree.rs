//! The text files of the project, as the rules see them.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::source::Source;
use crate::steps::ask;

/// All text files that are kept, or would be kept if they were added.
pub struct Tree {
    root: String,
    files: Vec<File>,
}

/// One text file.
pub struct File {
    /// From the top of the project, with `/` between the parts.
    pub path: String,
    pub text: String,
    /// The parts of a Rust file, apart; `None` for everything else.
    pub rust: Option<Source>,
}

impl Tree {
    /// Reads what version control knows or would take. Files that are not UTF-8 are left out.
    pub fn load(root: &Path) -> Result<Self> {
        let listed = ask(Command::new("git").current_dir(root).args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ]))
        .context("the list of files comes from git")?;
        let mut paths: Vec<&str> = listed.split('\0').filter(|p| !p.is_empty()).collect();
        paths.sort_unstable();
        paths.dedup();
        let files = paths
            .into_iter()
            .filter_map(|path| {
                // A file that was deleted but is still listed, or a picture, is nothing to check.
                let text = std::fs::read_to_string(root.join(path)).ok()?;
                Some(File::new(path, text))
            })
            .collect();
        Ok(Self {
            root: root.to_string_lossy().into_owned(),
            files,
        })
    }

    #[cfg(test)]
    pub fn of(files: &[(&str, &str)]) -> Self {
        let files = files
            .iter()
            .map(|(path, text)| File::new(path, (*text).to_owned()))
            .collect();
        Self {
            root: "/checkout/place".to_owned(),
            files,
        }
    }

    /// The folder that the paths are relative to.
    pub fn root(&self) -> &str {
        &self.root
    }

    pub fn files(&self) -> &[File] {
        &self.files
    }

    /// The Rust files with their parts.
    pub fn rust(&self) -> impl Iterator<Item = (&File, &Source)> {
        self.files
            .iter()
            .filter_map(|file| file.rust.as_ref().map(|source| (file, source)))
    }

    /// Whether the path names a file, or a folder with files.
    pub fn has(&self, path: &str) -> bool {
        let folder = format!("{}/", path.trim_end_matches('/'));
        path.is_empty()
            || self
                .files
                .iter()
                .any(|file| file.path == path || file.path.starts_with(&folder))
            // A picture is no text, and is there all the same.
            || (path.ends_with(".png") && Path::new(&self.root).join(path).is_file())
    }

    pub fn get(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }
}

impl File {
    fn new(path: &str, text: String) -> Self {
        let rust = path.ends_with(".rs").then(|| Source::parse(&text));
        Self {
            path: path.to_owned(),
            text,
            rust,
        }
    }
}
