//! Workshop: emulated identity providers and products over real HTTP, for demo, simulate, tests and benches.
//!
//! Nothing here shares code with the server under test: an emulated client that used our own codecs would agree with
//! our own mistakes. What each client sends, and how strictly it reads the answers, follows what the real one does.

pub mod browser;
pub mod databases;
pub mod entra;
pub mod http;
pub mod issuer;
pub mod jira;
pub mod okta;
pub mod organization;
pub mod picture;
pub mod postgres;
pub mod provider;
pub mod random;
pub mod report;

mod answer;
#[cfg(test)]
mod fake;
mod latency;

pub use latency::Latency;
