//! The program as a user runs it: the command line, real files, real sockets.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends where its preparation fails"
)]

mod audit;
mod backup;
mod check_scim;
mod cli;
mod configuration;
mod crash;
mod demo;
mod house;
mod import;
mod look;
mod notifications;
mod openid;
mod past;
mod product;
mod program;
mod providers;
mod remote;
mod rules;
mod rules_applied;
mod serve;
mod subscriptions;
mod tour;
