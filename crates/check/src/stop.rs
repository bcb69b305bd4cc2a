//! How a check ends early: the server did something else than expected, or the check does not apply.

/// What was expected and what came instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What should have come, as a part of a sentence.
    pub expected: String,
    /// What came.
    pub came: String,
    /// Which request of the conversation it is about, from 0; the last one if none is named.
    pub about: Option<usize>,
}

/// Why a check did not come to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// The server is wrong.
    Fault(Fault),
    /// The check does not apply to this server, or could not be prepared.
    Skip(String),
    /// The user wants to end.
    Cancelled,
}

/// A step of a conversation.
pub type Step<T = ()> = Result<T, Stop>;

/// The server is wrong.
pub fn fault<T>(expected: impl Into<String>, came: impl Into<String>) -> Step<T> {
    Err(Stop::Fault(Fault {
        expected: expected.into(),
        came: came.into(),
        about: None,
    }))
}

/// The server is wrong unless the condition holds.
pub fn ensure(is_right: bool, expected: impl Into<String>, came: impl FnOnce() -> String) -> Step {
    match is_right {
        true => Ok(()),
        false => fault(expected, came()),
    }
}

/// The check does not apply.
pub fn skip<T>(reason: impl Into<String>) -> Step<T> {
    Err(Stop::Skip(reason.into()))
}

/// Turns a fault of a preparation into a skip: another check is about that.
pub fn preparing<T>(what: &str, step: Step<T>) -> Step<T> {
    step.map_err(|stop| match stop {
        Stop::Fault(fault) => Stop::Skip(format!(
            "{what} did not work: expected {}, got {}",
            fault.expected, fault.came
        )),
        other => other,
    })
}
