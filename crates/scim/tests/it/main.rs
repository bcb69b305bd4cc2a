//! Behaviour of the SCIM room as its clients meet it.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

mod bulk;
mod custom;
mod documents;
mod entra;
mod filters;
mod hostile;
mod laws;
mod members;
mod okta;
mod others;
mod plain_lists;
mod resources;
mod scene;
