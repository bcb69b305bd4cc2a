//! The store told as stories, each on both engines.

mod batches;
mod conflicts;
mod crash;
mod migrations;
mod outages;
mod place;
mod streaming;
mod support;
mod transactions;
mod values;
