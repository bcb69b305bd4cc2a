//! The passphrase that secrets of a configuration are sealed with: from the environment, from a file, or asked for.

use console::Term;

use crate::cli::PassphraseSource;
use crate::exit::{Exit, Failure};

/// The passphrase to seal with. Who is asked for it says it twice.
pub(super) fn to_seal(source: Option<&PassphraseSource>) -> Result<String, Failure> {
    if let Some(source) = source {
        return read(source);
    }
    let usage = |message: &str| Failure::new(Exit::Usage, message);
    let first = asked("Passphrase to seal with: ")?.ok_or_else(|| {
        usage("there is nobody to ask for the passphrase")
            .with("name it with --passphrase env:NAME or --passphrase file:PATH")
    })?;
    match asked("Once more: ")? {
        Some(again) if again == first => Ok(first),
        _ => Err(usage("these are two passphrases; nothing was exported")),
    }
}

/// The passphrase to open with; none if there is nobody to ask, which the server tells of.
pub(super) fn to_open(source: Option<&PassphraseSource>) -> Result<Option<String>, Failure> {
    match source {
        Some(source) => read(source).map(Some),
        None => asked("Passphrase that the secrets in the file were sealed with: "),
    }
}

fn read(source: &PassphraseSource) -> Result<String, Failure> {
    let usage = |message: String| Failure::new(Exit::Usage, message);
    match source {
        PassphraseSource::Env(name) => match std::env::var(name) {
            Ok(text) if !text.is_empty() => Ok(text),
            _ => Err(usage(format!(
                "--passphrase: the environment has no variable {name}"
            ))),
        },
        PassphraseSource::File(path) => match std::fs::read_to_string(path) {
            Ok(text) => Ok(text.trim_end().to_owned()),
            Err(error) => Err(usage(format!(
                "--passphrase: {} cannot be read: {error}",
                path.display()
            ))),
        },
    }
}

/// What somebody at the terminal types, unseen; nothing if nobody is there.
fn asked(question: &str) -> Result<Option<String>, Failure> {
    let terminal = Term::stderr();
    if !terminal.is_term() {
        return Ok(None);
    }
    terminal.write_str(question)?;
    Ok(Some(terminal.read_secure_line()?))
}
