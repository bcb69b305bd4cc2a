//! How a command ends: the exit codes, and a failure that says what to do.

use std::fmt;
use std::process::ExitCode;

use store::StoreError;

/// Why a command did not do what it was asked. The numbers are a promise to scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It failed for any other reason.
    Failed = 1,
    /// The command line or the settings are wrong; nothing was done.
    Usage = 2,
    /// What was named is not there.
    NotFound = 3,
    /// It would clash with what is there.
    Conflict = 4,
    /// The database cannot be opened or reached.
    Store = 5,
    /// The server did not accept the token.
    Refused = 6,
    /// It is done, and something is held that waits for a decision.
    Held = 7,
    /// Nothing was done yet, and something would be.
    Pending = 8,
    /// Nothing was done, since safety limits would hold some of it and nobody agreed to that.
    Unconfirmed = 9,
}

/// Shown at the end of `--help`.
pub const HELP: &str = "\
Exit codes:
  0  done
  1  failed
  2  the command line or the settings are wrong
  3  what was named is not there
  4  it would clash with what is there
  5  the database or the server cannot be reached
  6  the server did not accept the token
  7  done, and changes are held that wait for a decision
  8  a preview found something to do
  9  nothing was done: safety limits would hold some of it, and --yes was not said";

/// A failure for a person: what happened, and what to do about it.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// What happened, a sentence without a full stop.
    pub message: String,
    /// What to do, if there is something to do.
    pub remedy: Option<String>,
}

impl Failure {
    /// A failure without advice.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            remedy: None,
        }
    }

    /// The same with advice.
    pub fn with(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// What refuses rules that could be taken all the same says by which flag.
    pub fn advised(self) -> Self {
        match self.remedy.is_none() && self.message.contains("anyway") {
            true => self.with("--anyway takes the rules all the same"),
            false => self,
        }
    }

    /// The process's exit code.
    pub fn code(&self) -> ExitCode {
        ExitCode::from(self.exit as u8)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.remedy {
            Some(remedy) => write!(f, "\n  {remedy}"),
            None => Ok(()),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let exit = match &error {
            StoreError::Conflict { .. } => Exit::Conflict,
            StoreError::Busy
            | StoreError::Unavailable { .. }
            | StoreError::NewerSchema { .. }
            | StoreError::InUse { .. }
            | StoreError::Open { .. }
            | StoreError::Corrupt { .. }
            | StoreError::DiskFull => Exit::Store,
            StoreError::Panicked { .. } | StoreError::Sql { .. } => Exit::Failed,
        };
        Self::new(exit, error.to_string())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new(Exit::Failed, error.to_string())
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::new(Exit::Failed, format!("{error:#}"))
    }
}

impl From<crate::config::Mistakes> for Failure {
    fn from(mistakes: crate::config::Mistakes) -> Self {
        Self::new(Exit::Usage, mistakes.to_string())
    }
}

/// The flag for a field of a use case. They have the same names, but for the few that are shorter.
fn flag_of(field: &str) -> String {
    let field = match field {
        "addresses" => "from",
        "jwt" => "jwt-issuer",
        field => field,
    };
    format!("--{}", field.replace(['_', '.'], "-"))
}

impl From<provision::ProvisionError> for Failure {
    fn from(error: provision::ProvisionError) -> Self {
        use provision::ProvisionError as Error;
        let message = match &error {
            Error::Rules(wrong) => {
                let lines: Vec<String> = wrong.iter().map(ToString::to_string).collect();
                lines.join("\n")
            }
            Error::Limits(wrong) | Error::Precedence(wrong) | Error::Configuration(wrong) => {
                let lines: Vec<String> = wrong.iter().map(ToString::to_string).collect();
                lines.join("\n")
            }
            Error::Schema(wrong) => {
                let lines: Vec<String> = wrong.iter().map(ToString::to_string).collect();
                lines.join("\n")
            }
            Error::Invalid { field, message } => format!("{}: {message}", flag_of(field)),
            other => other.to_string(),
        };
        let exit = match error {
            Error::Store(error) => return Self::from(error),
            Error::NotFound { .. } => Exit::NotFound,
            Error::Exists { .. } | Error::Busy { .. } | Error::Conflict(_) => Exit::Conflict,
            Error::Invalid { .. }
            | Error::Rules(_)
            | Error::Limits(_)
            | Error::Precedence(_)
            | Error::Configuration(_)
            | Error::Schema(_)
            | Error::Census(_) => Exit::Usage,
            Error::Scim(error) if error.status == 409 => Exit::Conflict,
            Error::Scim(_) => Exit::Failed,
        };
        Self::new(exit, message)
    }
}
