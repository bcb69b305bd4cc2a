//! The limits of this room, each with its unit in its name. What is above one is refused with a sentence.

/// Largest body of a request about one user, in bytes.
pub const USER_BODY_BYTES_MAX: usize = 1024 * 1024;
/// Largest body of a request about one group (its members are in it), in bytes.
pub const GROUP_BODY_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Deepest nesting of a JSON document.
pub const JSON_DEPTH_MAX: usize = 32;
/// Most members (names) in one JSON object.
pub const JSON_NAMES_MAX: usize = 1_000;
/// Longest text anywhere in a JSON document, in bytes.
pub const JSON_TEXT_BYTES_MAX: usize = 64 * 1024;
/// Longest `userName` and group `displayName`, in characters.
pub const NAME_CHARS_MAX: usize = 255;
/// Longest `externalId`, in characters.
pub const EXTERNAL_ID_CHARS_MAX: usize = 512;
/// Longest e-mail address, in characters.
pub const EMAIL_CHARS_MAX: usize = 254;
/// Longest other simple text, in characters.
pub const TEXT_CHARS_MAX: usize = 4_096;
/// Most values of a multi-valued attribute other than `members`.
pub const VALUES_MAX: usize = 100;
/// Largest stored resource without its members, in bytes.
pub const RESOURCE_BYTES_MAX: usize = 256 * 1024;
/// Most operations in one PATCH request.
pub const PATCH_OPERATIONS_MAX: usize = 1_000;
/// Most members in one request.
pub const MEMBERS_PER_REQUEST_MAX: usize = 100_000;
/// Most members of one group.
pub const MEMBERS_PER_GROUP_MAX: usize = 1_000_000;
/// Longest filter, in bytes.
pub const FILTER_BYTES_MAX: usize = 8 * 1024;
/// Most nodes (tests and connectives) of a filter.
pub const FILTER_NODES_MAX: usize = 200;
/// Deepest nesting of a filter.
pub const FILTER_DEPTH_MAX: usize = 32;
/// Longest PATCH path, in bytes.
pub const PATH_BYTES_MAX: usize = 1024;
/// Most nodes in the filter of a PATCH path.
pub const PATH_NODES_MAX: usize = 20;
/// Resources on a page when the client does not say.
pub const PAGE_DEFAULT: u32 = 100;
/// Most resources on a page; a larger `count` is lowered to it.
pub const PAGE_MAX: u32 = 1_000;
/// Most names in `attributes` and in `excludedAttributes`.
pub const PROJECTION_NAMES_MAX: usize = 100;
/// Longest `detail` of an error, in characters.
pub const DETAIL_CHARS_MAX: usize = 500;
/// Longest piece of a client's input that an error repeats, in characters.
pub const ECHO_CHARS_MAX: usize = 64;
