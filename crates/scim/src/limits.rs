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
/// Most operations in one bulk request; clients take it for that of a PATCH, too.
pub const BULK_OPERATIONS_MAX: usize = PATCH_OPERATIONS_MAX;
/// Largest body of a bulk request, in bytes.
pub const BULK_BODY_BYTES_MAX: usize = 1024 * 1024;
/// Most members in one request.
pub const MEMBERS_PER_REQUEST_MAX: usize = 100_000;
/// Most members of one group.
pub const MEMBERS_PER_GROUP_MAX: usize = 1_000_000;
/// Most extensions of one resource whose schemas nobody registered.
pub const FOREIGN_EXTENSIONS_MAX: usize = 20;
/// Largest such extension, in bytes.
pub const FOREIGN_EXTENSION_BYTES_MAX: usize = 32 * 1024;
/// Longest URN of a schema, in characters.
pub const URN_CHARS_MAX: usize = 200;
/// Most schemas that can be registered for one connector.
pub const CUSTOM_SCHEMAS_MAX: usize = 20;
/// Largest document of a registered schema, in bytes.
pub const CUSTOM_SCHEMA_BYTES_MAX: usize = 64 * 1024;
/// Most attributes of a registered schema, and most parts of one complex attribute.
pub const CUSTOM_ATTRIBUTES_MAX: usize = 100;
/// Most suggested values of an attribute, and most things a reference may point at.
pub const CUSTOM_VALUES_MAX: usize = 200;
/// Longest name of an attribute of a registered schema, in characters.
pub const CUSTOM_NAME_CHARS_MAX: usize = 64;
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
/// How long a cursor can be used after it was given, in seconds.
pub const CURSOR_SECONDS: i64 = 24 * 60 * 60;
/// Most names in `attributes` and in `excludedAttributes`.
pub const PROJECTION_NAMES_MAX: usize = 100;
/// Longest `detail` of an error, in characters.
pub const DETAIL_CHARS_MAX: usize = 500;
/// Longest piece of a client's input that an error repeats, in characters.
pub const ECHO_CHARS_MAX: usize = 64;
