//! `cargo xtask gen`: documents that are written from the program, so that they cannot be wrong.
//!
//! Each document is one function from the built program to the text. `--check` compares instead of
//! writing and is a part of the tests.

mod cli;
mod configuration;
mod conformance;
mod dialects;
mod errors;
mod openapi;

use anyhow::{Context, Result, bail};

use crate::steps::{Program, build, root};

/// Whether to write the documents or only to compare them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Write,
    Check,
}

/// A generated document.
struct Document {
    /// From the top of the project.
    path: &'static str,
    text: fn(&Program) -> Result<String>,
}

const DOCUMENTS: &[Document] = &[
    Document {
        path: "docs/src/reference/command-line.md",
        text: cli::reference,
    },
    Document {
        path: "docs/src/reference/configuration.md",
        text: configuration::reference,
    },
    Document {
        path: "docs/src/reference/conformance.md",
        text: conformance::reference,
    },
    Document {
        path: "docs/src/reference/dialects.md",
        text: dialects::reference,
    },
    Document {
        path: "docs/src/reference/scim-errors.md",
        text: errors::scim,
    },
    Document {
        path: "docs/src/reference/crowd-errors.md",
        text: errors::crowd,
    },
    Document {
        path: "docs/src/reference/configuration.schema.json",
        text: openapi::configuration,
    },
    Document {
        path: "docs/src/reference/openapi.json",
        text: openapi::document,
    },
];

/// Writes or checks all documents; in check an error names those that are not current.
pub fn run(mode: Mode) -> Result<()> {
    let program = build("vestibule")?;
    let mut stale = Vec::new();
    for document in DOCUMENTS {
        let text = (document.text)(&program).with_context(|| format!("for {}", document.path))?;
        let path = root().join(document.path);
        let is_current = std::fs::read_to_string(&path).is_ok_and(|present| present == text);
        match mode {
            _ if is_current => println!("current: {}", document.path),
            Mode::Check => stale.push(document.path),
            Mode::Write => {
                if let Some(folder) = path.parent() {
                    std::fs::create_dir_all(folder)?;
                }
                std::fs::write(&path, text)?;
                println!("written: {}", document.path);
            }
        }
    }
    if !stale.is_empty() {
        bail!("not current (run `cargo xtask gen`): {}", stale.join(", "));
    }
    Ok(())
}
