//! Decisions as an administrator would describe them, and laws that hold for all of them.
#![allow(clippy::unwrap_used)]

mod census;
mod cleanup;
mod configuration;
mod examples;
mod groups;
mod guard;
mod laws;
mod lifecycle;
mod mapping;
mod overrides;
mod recipes;
mod refusals;
mod rule_tests;
mod shadow;
mod shared;
mod stage;
mod steps;
mod switches;
mod throughput;
mod undo;
mod why;
mod why_not;
mod written;
