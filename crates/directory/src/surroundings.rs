//! What a decision about one person may ask about others.

use scim::Resource;

use crate::rules::LookupBy;

/// Answers about other people, given by whoever keeps them. Within one decision the answers must not change.
pub trait Surroundings {
    /// Whether somebody else in the directory has this user name, or a tombstone keeps it.
    fn is_taken(&self, username: &str) -> bool;

    /// Another user of the same connector, as the identity provider wrote it.
    fn find_user(&self, by: LookupBy, value: &str) -> Option<Resource>;
}

/// Nobody else is there: every name is free, and nobody is found.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alone;

impl Surroundings for Alone {
    fn is_taken(&self, _username: &str) -> bool {
        false
    }

    fn find_user(&self, _by: LookupBy, _value: &str) -> Option<Resource> {
        None
    }
}
