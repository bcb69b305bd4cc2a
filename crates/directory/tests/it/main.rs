//! Decisions as an administrator would describe them, and laws that hold for all of them.
#![allow(clippy::unwrap_used)]

mod examples;
mod laws;
mod lifecycle;
mod mapping;
mod recipes;
mod refusals;
mod stage;
mod steps;
mod switches;
mod throughput;
mod why;
