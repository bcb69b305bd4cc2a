//! Limits of the HTTP server, with their units in the names.

use std::time::Duration;

/// One SCIM user in a request.
pub const USER_BODY_BYTES_MAX: usize = 1024 * 1024;
/// One SCIM group in a request, with its members or their differences.
pub const GROUP_BODY_BYTES_MAX: usize = 16 * 1024 * 1024;
/// One SCIM search in a request.
pub const SEARCH_BODY_BYTES_MAX: usize = 128 * 1024;
/// One Crowd request.
pub const CROWD_BODY_BYTES_MAX: usize = 512 * 1024;
/// One request of the admin API.
pub const API_BODY_BYTES_MAX: usize = 1024 * 1024;
/// A configuration with what is to be done with it, in one request.
pub const CONFIGURATION_BODY_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Deepest nesting of a configuration: rules at their deepest, and what they lie in.
pub const CONFIGURATION_DEPTH_MAX: usize = 48;
/// What is to be copied into a directory, in one request.
pub const IMPORT_BODY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A backup that is sent to be looked at.
pub const BACKUP_BYTES_MAX: u64 = 16 * 1024 * 1024 * 1024;

/// Request line and headers must have arrived by then.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// The first byte of a body must have arrived by then.
pub const FIRST_BYTE_TIMEOUT: Duration = Duration::from_secs(10);
/// After that, a body has to come with this many bytes in a second on average.
pub const BODY_BYTES_PER_SECOND_MIN: u64 = 1024;
/// A body must have arrived by then.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(60);
/// A file that is sent to be looked at, with what is done about it, may take so long. The slow ones end by
/// [`FIRST_BYTE_TIMEOUT`], which counts for each piece.
pub const UPLOAD_TIMEOUT: Duration = Duration::from_secs(30 * 60);
/// Bytes of all fields of a form beside its file.
pub const UPLOAD_FIELDS_BYTES_MAX: usize = 64 * 1024;
/// A handler must have answered by then; the rest of a streamed answer may take longer.
pub const HANDLER_TIMEOUT: Duration = Duration::from_secs(20);
/// Requests in progress get this long when the server stops.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(25);
/// Bytes of the path and query of a request.
pub const TARGET_BYTES_MAX: usize = 16 * 1024;
/// Headers of a request.
pub const HEADERS_MAX: usize = 100;
/// Bytes of request line and headers.
pub const HEAD_BYTES_MAX: usize = 64 * 1024;

/// A verified application password is trusted for so long without hashing it again.
pub const VERIFIED_PASSWORD_TTL: Duration = Duration::from_secs(60);
/// Verified passwords kept in memory.
pub const VERIFIED_PASSWORDS_MAX: usize = 1024;

/// Bytes of a credential; signed tokens are the longest.
pub const CREDENTIAL_BYTES_MAX: usize = 16 * 1024;
/// A request waits so long for others of its connector to end.
pub const IN_FLIGHT_WAIT: Duration = Duration::from_secs(5);
/// The body of a request for an access token.
pub const FORM_BODY_BYTES_MAX: usize = 16 * 1024;

/// The limits that an installation may set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Requests of one connector in a second, on average; 0 for no limit.
    pub scim_rate: u32,
    /// Requests of one connector at once before the average counts.
    pub scim_burst: u32,
    /// Requests of one connector that are worked on at a time; others wait a while.
    pub scim_in_flight: usize,
    /// Failed authentications from one address in a minute; 0 for no limit.
    pub failed_authentications: u32,
    /// Connections at once.
    pub connections: usize,
    /// Connections at once from one address, except from trusted proxies.
    pub connections_per_address: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // Far above what identity providers send, far below what would keep others from being served.
            scim_rate: 500,
            scim_burst: 2_000,
            scim_in_flight: 32,
            failed_authentications: 20,
            connections: 4096,
            connections_per_address: 256,
        }
    }
}
