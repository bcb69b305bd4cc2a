//! One module for each command of the program.

pub mod application;
pub mod config;
pub mod connector;
pub mod serve;
pub mod token;
