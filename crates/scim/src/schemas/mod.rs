//! The documents of RFC 7643 as data: User with its enterprise extension, Group, what all share, and the
//! schemas of the discovery documents.

mod common;
mod custom;
mod discovery;
mod enterprise;
mod group;
pub(crate) mod upkeep;
mod user;

use std::sync::LazyLock;

use crate::schema::{ResourceType, Schema};

pub use custom::{CustomSchema, SchemaError, unique_attributes};
pub use enterprise::ENTERPRISE_URN;
pub use group::GROUP_URN;
pub use user::USER_URN;

pub(crate) fn user_type() -> ResourceType {
    ResourceType {
        name: "User".to_owned(),
        endpoint: "/Users".to_owned(),
        description: "User account".to_owned(),
        common: common::attributes(),
        core: user::schema(),
        extensions: vec![enterprise::schema()],
    }
}

pub(crate) fn group_type() -> ResourceType {
    ResourceType {
        name: "Group".to_owned(),
        endpoint: "/Groups".to_owned(),
        description: "Group of users and groups".to_owned(),
        common: common::attributes(),
        core: group::schema(),
        extensions: Vec::new(),
    }
}

/// The schemas of the discovery documents.
pub(crate) fn of_discovery() -> &'static [Schema] {
    static SCHEMAS: LazyLock<Vec<Schema>> = LazyLock::new(discovery::schemas);
    &SCHEMAS
}
