//! Asks a SCIM 2.0 server what it can do, over HTTP, and tells what it does otherwise than RFC 7643, RFC 7644 and
//! RFC 9865 say, or than the identity providers of this world expect.
//!
//! The crate knows nothing of our own server, so that both cannot share a mistake. What it creates has a random
//! prefix and is deleted at the end, also after a failure and when it is stopped; nothing else is written to.

mod catalogue;
mod checks;
mod compare;
mod fixture;
mod profile;
mod report;
mod run;
mod stop;
mod talk;
mod target;
mod wire;

pub use catalogue::{Check, Client, Level, all, section_title};
pub use report::{Counts, Evidence, Outcome, Report, Style, Verdict};
pub use run::{Cancel, CannotRun, Plan, Selection, run};
pub use target::{Credentials, Target};
