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

/// Request line and headers must have arrived by then.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// A body must have arrived by then.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(60);
/// A handler must have answered by then; the rest of a streamed answer may take longer.
pub const HANDLER_TIMEOUT: Duration = Duration::from_secs(20);
/// Requests in progress get this long when the server stops.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(25);
/// Connections at once.
pub const CONNECTIONS_MAX: usize = 4096;
/// Bytes of request line and headers.
pub const HEAD_BYTES_MAX: usize = 64 * 1024;

/// A verified application password is trusted for so long without hashing it again.
pub const VERIFIED_PASSWORD_TTL: Duration = Duration::from_secs(60);
/// Verified passwords kept in memory.
pub const VERIFIED_PASSWORDS_MAX: usize = 1024;
