//! The use cases on both engines, told as an identity provider and a product live through them.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod accounts;
mod conversations;
mod departed;
mod feed;
mod grace;
mod group_fate;
mod group_rules;
mod hold_jobs;
mod holds;
mod identity;
mod jobs;
mod lifecycle;
mod nesting;
mod nesting_model;
mod order;
mod overrides;
mod pause;
mod pilot;
mod places;
mod precedence;
mod release;
mod rule_changes;
mod rule_samples;
mod subjects;
mod undo;
mod world;
