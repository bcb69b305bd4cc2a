//! Meta data, entity tags and preconditions as values (RFC 7643, 3.1; RFC 7644, 3.14).

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;

use crate::ScimError;
use crate::catalogue;

/// When a resource was made and last changed, and how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meta {
    /// When it was created.
    pub created: Timestamp,
    /// When it was last changed; equals `created` at first.
    pub last_modified: Timestamp,
    /// Counts the changes.
    pub version: i64,
    /// Digest of what is shown with the resource and kept apart from it, such as the groups of a user:
    /// it changes without a write to the resource. `None` if that isn't shown, 0 if there is nothing.
    pub beside: Option<u32>,
}

impl Meta {
    /// The same for an answer that shows this beside the resource: the parts of a list, in its order.
    #[must_use]
    pub fn showing<'p>(self, parts: impl IntoIterator<Item = &'p str>) -> Meta {
        // FNV-1a: nothing depends on it but that different lists give different tags.
        let mut digest = 0_u32;
        for part in parts {
            if digest == 0 {
                digest = 0x811c_9dc5;
            }
            for byte in part.bytes().chain([0]) {
                digest = (digest ^ u32::from(byte)).wrapping_mul(0x0100_0193);
            }
        }
        Meta {
            beside: Some(digest),
            ..self
        }
    }

    /// The entity tag: `W/"<version>"`, or `W/"<version>-<digest>"` if something is shown beside the
    /// resource. Weak: two renderings of one version may differ in their bytes.
    pub fn etag(&self) -> String {
        match self.beside {
            None | Some(0) => format!("W/\"{}\"", self.version),
            Some(digest) => format!("W/\"{}-{digest:08x}\"", self.version),
        }
    }
}

/// A point in time as answers show it: RFC 3339 in UTC with six decimals, so that a client that sends
/// it back in a filter means the same instant.
pub fn time(at: Timestamp) -> String {
    static SIX_DECIMALS: DateTimePrinter = DateTimePrinter::new().precision(Some(6));
    SIX_DECIMALS.timestamp_to_string(&at)
}

/// What the headers `If-Match` and `If-None-Match` demand of a resource that is there (RFC 9110, 13.1).
///
/// Tags are compared weakly, as SCIM does. A write is about the resource alone: what is shown beside it
/// doesn't count there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Precondition {
    among: Option<Tags>,
    not_among: Option<Tags>,
}

/// What a precondition says to a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Answer.
    Show,
    /// The client has this version: 304.
    NotModified,
}

impl Precondition {
    /// Reads the headers; several of one name are joined by commas. A tag that isn't one of ours is
    /// kept as one that nothing has.
    pub fn parse(if_match: Option<&str>, if_none_match: Option<&str>) -> Precondition {
        Precondition {
            among: if_match.map(Tags::parse),
            not_among: if_none_match.map(Tags::parse),
        }
    }

    /// Whether it demands nothing.
    pub fn is_empty(&self) -> bool {
        self.among.is_none() && self.not_among.is_none()
    }

    /// Refuses a write with 412 when the resource has a version that the client does not accept.
    pub fn check(&self, meta: &Meta) -> Result<(), ScimError> {
        let resource = Meta {
            beside: None,
            ..*meta
        };
        self.check_match(&resource)?;
        match &self.not_among {
            Some(tags) if tags.contain(&resource) => Err(catalogue::VERSION_EXCLUDED.error(format!(
                "The resource is there with the version {}, which If-None-Match excludes. Leave the header out to change it.",
                resource.etag()
            ))),
            _ => Ok(()),
        }
    }

    /// What to answer to a reader; 412 if `If-Match` asks for another version.
    pub fn read(&self, meta: &Meta) -> Result<Reading, ScimError> {
        self.check_match(meta)?;
        match &self.not_among {
            Some(tags) if tags.contain(meta) => Ok(Reading::NotModified),
            _ => Ok(Reading::Show),
        }
    }

    fn check_match(&self, meta: &Meta) -> Result<(), ScimError> {
        match &self.among {
            Some(tags) if !tags.contain(meta) => Err(catalogue::VERSION_CHANGED.error(format!(
                "The resource has been changed meanwhile: its version is {} and If-Match asks for another. Read it again and repeat the request.",
                meta.etag()
            ))),
            _ => Ok(()),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Tags {
    Any,
    These(Vec<Tag>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Tag {
    version: i64,
    beside: u32,
}

impl Tags {
    fn parse(header: &str) -> Tags {
        if header.trim() == "*" {
            return Tags::Any;
        }
        Tags::These(header.split(',').filter_map(Tag::parse).collect())
    }

    fn contain(&self, meta: &Meta) -> bool {
        let is_it = |tag: &Tag| {
            tag.version == meta.version && meta.beside.is_none_or(|beside| beside == tag.beside)
        };
        match self {
            Tags::Any => true,
            Tags::These(tags) => tags.iter().any(is_it),
        }
    }
}

impl Tag {
    /// Clients are seen to drop the prefix or the quotes.
    fn parse(tag: &str) -> Option<Tag> {
        let tag = tag.trim();
        let tag = tag
            .strip_prefix("W/")
            .or_else(|| tag.strip_prefix("w/"))
            .unwrap_or(tag);
        let (version, beside) = match tag.trim_matches('"').split_once('-') {
            Some((version, digest)) => (version, u32::from_str_radix(digest, 16).ok()?),
            None => (tag.trim_matches('"'), 0),
        };
        let version = version.parse().ok()?;
        Some(Tag { version, beside })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meta(version: i64) -> Meta {
        Meta {
            created: Timestamp::UNIX_EPOCH,
            last_modified: Timestamp::UNIX_EPOCH,
            version,
            beside: None,
        }
    }

    fn only(header: &str) -> Precondition {
        Precondition::parse(Some(header), None)
    }

    fn none_of(header: &str) -> Precondition {
        Precondition::parse(None, Some(header))
    }

    #[test]
    fn preconditions_compare_weakly() {
        for header in [
            "W/\"7\"",
            "\"7\"",
            "7",
            " \"3\" , W/\"7\"",
            "*",
            "W/\"7-0000abcd\"",
        ] {
            assert_eq!(only(header).check(&meta(7)), Ok(()), "{header}");
            assert_eq!(
                none_of(header).check(&meta(7)).unwrap_err().status,
                412,
                "{header}"
            );
            assert_eq!(
                none_of(header).read(&meta(7)),
                Ok(Reading::NotModified),
                "{header}"
            );
            assert_eq!(only(header).read(&meta(7)), Ok(Reading::Show), "{header}");
        }
        for header in [
            "",
            "W/\"70\"",
            "\"abc\"",
            "W/\"6\", \"8\"",
            "W/\"7-x\"",
            "-7",
            "7-",
        ] {
            assert_eq!(
                only(header).check(&meta(7)).unwrap_err().status,
                412,
                "{header}"
            );
            assert_eq!(
                only(header).read(&meta(7)).unwrap_err().status,
                412,
                "{header}"
            );
            assert_eq!(none_of(header).check(&meta(7)), Ok(()), "{header}");
            assert_eq!(
                none_of(header).read(&meta(7)),
                Ok(Reading::Show),
                "{header}"
            );
        }
        let both = Precondition::parse(Some("*"), Some("\"8\""));
        assert_eq!(both.check(&meta(7)), Ok(()));
        assert!(Precondition::parse(None, None).is_empty() && !both.is_empty());
    }

    #[test]
    fn a_tag_tells_what_is_shown_beside_the_resource() {
        let alone = meta(7);
        let (none, one, other) = (
            alone.showing([]),
            alone.showing(["a"]),
            alone.showing(["b"]),
        );
        assert_eq!(
            (alone.etag(), none.etag()),
            ("W/\"7\"".into(), "W/\"7\"".into())
        );
        assert_ne!(one.etag(), other.etag());
        assert_ne!(
            alone.showing(["ab", "c"]).etag(),
            alone.showing(["a", "bc"]).etag()
        );
        for now in [none, one, other] {
            assert_eq!(none_of(&now.etag()).read(&now), Ok(Reading::NotModified));
            assert_eq!(none_of(&now.etag()).read(&alone), Ok(Reading::NotModified));
            assert_eq!(
                only(&now.etag()).check(&one),
                Ok(()),
                "a write is about the resource"
            );
        }
        for (had, now) in [(none, one), (one, none), (one, other)] {
            assert_eq!(none_of(&had.etag()).read(&now), Ok(Reading::Show));
        }
    }

    #[test]
    fn times_have_a_fixed_shape() {
        let at: Timestamp = "2026-03-01T09:00:00Z".parse().unwrap();
        assert_eq!(time(at), "2026-03-01T09:00:00.000000Z");
        let at = Timestamp::from_microsecond(1_772_355_600_123_456).unwrap();
        assert_eq!(time(at), "2026-03-01T09:00:00.123456Z");
    }
}
