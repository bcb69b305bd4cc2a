//! The store told as stories, each on both engines.

// A test that meets an error it did not expect has failed; so have the functions that tests share.
#![allow(clippy::unwrap_used)]

mod backup;
mod batches;
mod conflicts;
mod crash;
mod job_memory;
mod lists;
mod migrations;
mod outages;
mod place;
mod plan;
mod release;
mod statements;
mod streaming;
mod support;
mod transactions;
mod values;
