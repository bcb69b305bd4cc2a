//! Everything that reads what strangers send, given what nobody would send.
//!
//! A [`Target`] is a function of bytes that panics where a law is broken. Its corpus (`corpus/<name>/`) has
//! valid, odd and hostile input; a [`Mutator`] makes more of it, the same from the same seed. The tests replay
//! the corpus and some thousand mutations of it; `cargo run -p fuzz -- <name> <seconds>` goes on for longer.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a broken law ends the run"
)]

pub mod corpus;
mod mutator;
mod targets;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

pub use mutator::{INPUT_BYTES_MAX, Mutator};
pub use targets::TARGETS;

/// Longer than any input of these sizes may take, also without optimization on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// What is fuzzed.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name, and that of its corpus.
    pub name: &'static str,
    /// Panics where a law is broken.
    pub run: fn(&[u8]),
    /// What input of it is made of.
    pub words: &'static [&'static str],
}

impl Target {
    /// The target of this name.
    pub fn named(name: &str) -> Option<&'static Target> {
        TARGETS.iter().find(|target| target.name == name)
    }

    /// Gives it one input; says what was wrong.
    pub fn check(&self, input: &[u8]) -> Result<(), String> {
        let began = Instant::now();
        let ran = catch_unwind(AssertUnwindSafe(|| (self.run)(input)));
        if let Err(payload) = ran {
            let text = payload.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
            return Err(text.unwrap_or("it panicked").to_owned());
        }
        let took = began.elapsed();
        if took > PATIENCE {
            return Err(format!("it took {took:?}"));
        }
        Ok(())
    }
}
