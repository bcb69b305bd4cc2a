//! The use cases on both engines, told as an identity provider and a product live through them.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod conversations;
mod feed;
mod nesting;
mod nesting_model;
mod order;
mod world;
