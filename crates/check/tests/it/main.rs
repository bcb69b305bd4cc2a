//! The tester itself is tested: against a server that does everything right, and with one fault at a time.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test ends where its preparation fails"
)]

mod fake;
mod faults;
mod reports;
