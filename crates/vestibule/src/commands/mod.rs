//! One module for each command of the program.

pub mod application;
pub mod client;
pub mod config;
pub mod connector;
pub mod credentials;
pub mod dialect;
pub mod errors;
pub mod look;
pub mod requests;
pub mod schema;
pub mod serve;
pub mod sign_in;
pub mod token;
