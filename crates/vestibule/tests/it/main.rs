//! The program as a user runs it: the command line, real files, real sockets.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends where its preparation fails"
)]

mod check_scim;
mod cli;
mod crash;
mod demo;
mod house;
mod product;
mod program;
mod providers;
mod remote;
mod serve;
