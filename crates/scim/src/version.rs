//! Meta data, entity tags and preconditions as values (RFC 7643, 3.1; RFC 7644, 3.14).

use jiff::Timestamp;

use crate::ScimError;

/// When a resource was made and last changed, and how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meta {
    /// When it was created.
    pub created: Timestamp,
    /// When it was last changed; equals `created` at first.
    pub last_modified: Timestamp,
    /// Counts the changes.
    pub version: i64,
}

impl Meta {
    /// The entity tag, `W/"<version>"`.
    pub fn etag(&self) -> String {
        etag(self.version)
    }
}

/// The entity tag of a version. Weak: two renderings of one version may differ in their bytes.
pub fn etag(version: i64) -> String {
    format!("W/\"{version}\"")
}

/// A point in time as answers show it: RFC 3339 in UTC with six decimals, so that a client that sends
/// it back in a filter means the same instant.
pub fn time(at: Timestamp) -> String {
    format!("{at:.6}")
}

/// The header `If-Match`: proceed only on one of these versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IfMatch(Tags);

impl IfMatch {
    /// Reads the header. A tag that isn't one of ours is kept as one that nothing has.
    pub fn parse(header: &str) -> IfMatch {
        IfMatch(Tags::parse(header))
    }

    /// Whether a write may go on when the resource has this version.
    pub fn accepts(&self, version: i64) -> bool {
        self.0.contains(version)
    }

    /// Refuses with 412 when the resource has another version.
    pub fn check(&self, version: i64) -> Result<(), ScimError> {
        if self.accepts(version) {
            return Ok(());
        }
        let detail = format!(
            "The resource has been changed meanwhile: its version is {} and If-Match asks for another. Read it again and repeat the request.",
            etag(version)
        );
        Err(ScimError::precondition_failed(detail))
    }
}

/// The header `If-None-Match`: answer only if the resource has none of these versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IfNoneMatch(Tags);

impl IfNoneMatch {
    /// Reads the header.
    pub fn parse(header: &str) -> IfNoneMatch {
        IfNoneMatch(Tags::parse(header))
    }

    /// Whether there is something to answer; if not, the answer is 304.
    pub fn accepts(&self, version: i64) -> bool {
        !self.0.contains(version)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Tags {
    Any,
    These(Vec<i64>),
}

impl Tags {
    fn parse(header: &str) -> Tags {
        if header.trim() == "*" {
            return Tags::Any;
        }
        Tags::These(header.split(',').filter_map(Tags::one).collect())
    }

    /// SCIM compares weakly, and clients are seen to drop the prefix or the quotes.
    fn one(tag: &str) -> Option<i64> {
        let tag = tag.trim();
        let tag = tag
            .strip_prefix("W/")
            .or_else(|| tag.strip_prefix("w/"))
            .unwrap_or(tag);
        tag.trim_matches('"').parse().ok()
    }

    fn contains(&self, version: i64) -> bool {
        match self {
            Tags::Any => true,
            Tags::These(versions) => versions.contains(&version),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preconditions_compare_weakly() {
        for header in ["W/\"7\"", "\"7\"", "7", " \"3\" , W/\"7\"", "*"] {
            assert!(IfMatch::parse(header).accepts(7), "{header}");
            assert!(!IfNoneMatch::parse(header).accepts(7), "{header}");
        }
        for header in ["", "W/\"70\"", "\"abc\"", "W/\"6\", \"8\""] {
            assert!(!IfMatch::parse(header).accepts(7), "{header}");
            assert!(IfNoneMatch::parse(header).accepts(7), "{header}");
        }
        assert_eq!(IfMatch::parse("\"6\"").check(7).unwrap_err().status, 412);
    }

    #[test]
    fn times_have_a_fixed_shape() {
        let at: Timestamp = "2026-03-01T09:00:00Z".parse().unwrap();
        assert_eq!(time(at), "2026-03-01T09:00:00.000000Z");
        let at = Timestamp::from_microsecond(1_772_355_600_123_456).unwrap();
        assert_eq!(time(at), "2026-03-01T09:00:00.123456Z");
    }
}
