//! The use cases on both engines, told as an identity provider and a product live through them.

mod conversations;
mod feed;
mod world;
