//! What the server says about itself, read once before the checks.

use serde_json::Value;

use crate::talk::{ENTERPRISE, GROUP};

/// What a check needs from the server or from the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Permission to write.
    Write,
    /// PATCH.
    Patch,
    /// Filters.
    Filter,
    /// Bulk.
    Bulk,
    /// Sorting.
    Sort,
    /// Versions.
    Etag,
    /// Cursors (RFC 9865).
    Cursor,
    /// A ServiceProviderConfig at all.
    Config,
    /// Groups.
    Groups,
    /// The enterprise extension of users.
    Enterprise,
    /// Credentials of a second tenant.
    OtherTenant,
}

/// What was found out about the server.
#[derive(Debug, Default)]
pub struct Profile {
    /// `/ServiceProviderConfig`, if there is one.
    pub config: Option<Value>,
    /// The resources of `/ResourceTypes`.
    pub types: Vec<Value>,
    /// The resources of `/Schemas`.
    pub schemas: Vec<Value>,
    /// Whether `/Groups` answers.
    pub has_groups: bool,
    /// Whether the caller allows writing.
    pub may_write: bool,
    /// Whether the caller gave a second tenant.
    pub has_other: bool,
}

impl Profile {
    /// Why a check that needs this cannot be run, if so.
    pub fn lacks(&self, need: Need) -> Option<String> {
        let flag = |pointer: &str, assumed: bool| {
            if self.flag(pointer).unwrap_or(assumed) {
                return None;
            }
            Some(match &self.config {
                Some(_) => format!(
                    "ServiceProviderConfig does not offer it ({} is not true)",
                    pointer.trim_start_matches('/').replace('/', ".")
                ),
                None => "there is no ServiceProviderConfig that offers it".to_owned(),
            })
        };
        let unless = |holds: bool, reason: &str| (!holds).then(|| reason.to_owned());
        match need {
            Need::Write => unless(self.may_write, "it writes, and this is a read-only run"),
            // Without the document most servers have these two all the same.
            Need::Patch => flag("/patch/supported", self.config.is_none()),
            Need::Filter => flag("/filter/supported", self.config.is_none()),
            Need::Bulk => flag("/bulk/supported", false),
            Need::Sort => flag("/sort/supported", false),
            Need::Etag => flag("/etag/supported", false),
            Need::Cursor => flag("/pagination/cursor", false),
            Need::Config => unless(self.config.is_some(), "there is no ServiceProviderConfig"),
            Need::Groups => unless(self.has_groups, "the server has no groups"),
            Need::Enterprise => unless(
                self.has_enterprise(),
                "ResourceTypes does not name the enterprise extension of users",
            ),
            Need::OtherTenant => unless(
                self.has_other,
                "it needs a second tenant (--other-url and --other-token)",
            ),
        }
    }

    /// A boolean of ServiceProviderConfig.
    pub fn flag(&self, pointer: &str) -> Option<bool> {
        self.config.as_ref()?.pointer(pointer)?.as_bool()
    }

    /// A number of ServiceProviderConfig.
    pub fn number(&self, pointer: &str) -> Option<u64> {
        self.config.as_ref()?.pointer(pointer)?.as_u64()
    }

    /// Whether a resource type of that schema is named.
    pub fn names_groups(&self) -> bool {
        self.types.iter().any(|kind| kind["schema"] == GROUP)
    }

    fn has_enterprise(&self) -> bool {
        self.types.is_empty()
            || self.types.iter().any(|kind| {
                let extensions = kind["schemaExtensions"].as_array();
                extensions.is_some_and(|list| list.iter().any(|one| one["schema"] == ENTERPRISE))
            })
    }

    /// What the server offers, in words.
    pub fn offers(&self) -> Vec<&'static str> {
        let all = [
            ("patch", Need::Patch),
            ("filter", Need::Filter),
            ("bulk", Need::Bulk),
            ("sort", Need::Sort),
            ("etag", Need::Etag),
            ("cursor", Need::Cursor),
            ("groups", Need::Groups),
            ("enterprise", Need::Enterprise),
        ];
        let offered = all.iter().filter(|(_, need)| self.lacks(*need).is_none());
        offered.map(|(word, _)| *word).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_offered_is_not_asked_for() {
        let said = Profile {
            config: Some(json!({"patch": {"supported": false}, "sort": {"supported": true}})),
            ..Profile::default()
        };
        assert!(said.lacks(Need::Patch).unwrap().contains("patch.supported"));
        assert!(said.lacks(Need::Filter).is_some());
        assert!(said.lacks(Need::Sort).is_none());
        assert!(said.lacks(Need::Write).is_some());
        let silent = Profile::default();
        assert!(silent.lacks(Need::Patch).is_none());
        assert!(silent.lacks(Need::Bulk).is_some());
        assert!(silent.lacks(Need::Config).is_some());
    }
}
