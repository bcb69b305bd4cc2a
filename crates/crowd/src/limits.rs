//! The limits of this room, each with its unit in its name.

/// Largest request body of the Crowd API, in bytes; enforced by the server, which answers 413.
pub const BODY_BYTES_MAX: usize = 512 * 1024;

/// Deepest nesting of elements in an XML request.
pub const XML_DEPTH_MAX: usize = 16;

/// Most elements in an XML request.
pub const XML_ELEMENTS_MAX: usize = 10_000;

/// Most attributes (namespace declarations included) in one XML tag.
pub const XML_ATTRIBUTES_MAX: usize = 16;

/// Deepest nesting of arrays and objects in a JSON request.
pub const JSON_DEPTH_MAX: usize = 32;

/// Most members in one object of a JSON request.
pub const JSON_MEMBERS_MAX: usize = 1_000;

/// Longest CQL text, in bytes.
pub const CQL_BYTES_MAX: usize = 8 * 1024;

/// Most nodes (tests and connectives) of a restriction.
pub const RESTRICTION_NODES_MAX: usize = 200;

/// Deepest nesting of connectives, and of parentheses in CQL, of a restriction.
pub const RESTRICTION_DEPTH_MAX: usize = 32;

/// Longest name or value of a custom attribute, in characters.
pub const ATTRIBUTE_CHARS_MAX: usize = 255;

/// Longest message of an error entity, in characters.
pub const MESSAGE_CHARS_MAX: usize = 500;

/// Longest piece of a caller's own input that an error message repeats, in characters.
pub const ECHO_CHARS_MAX: usize = 64;

/// Entries of a list when the caller gives no `max-results`.
pub const MAX_RESULTS_DEFAULT: u64 = 1_000;

/// Bytes a streaming writer collects before it hands them on.
pub const CHUNK_BYTES: usize = 64 * 1024;
