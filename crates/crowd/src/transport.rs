//! What every answer of a Crowd server carries besides its document.

/// The header that a client looks for before it looks at the status; without it, on any answer, the server
/// does not count as a Crowd server. Its value, `<product>/<version>`, does not matter.
pub const VERSION_HEADER: &str = "X-Embedded-Crowd-Version";

/// The value of `Cache-Control` on every answer: clients run behind a caching HTTP library.
pub const CACHE_CONTROL: &str = "no-cache, no-store";

/// The challenge of a 401, which is about the application and never about a user.
pub const CHALLENGE: &str = "BASIC realm=\"Crowd REST Service\"";

/// The whole body of a 401; clients compare it letter by letter.
pub const UNAUTHENTICATED: &str = "Application failed to authenticate";

/// The `Content-Type` of a 401.
pub const UNAUTHENTICATED_CONTENT_TYPE: &str = "text/plain;charset=UTF-8";

/// The folder under which the API lives, on the server's root and under [`CONTEXT`].
pub const BASE_PATH: &str = "/rest/usermanagement";

/// The context path administrators are used to typing.
pub const CONTEXT: &str = "/crowd";

/// The version segments that mean the one API we have.
pub const API_VERSIONS: [&str; 7] = ["1", "1.0", "1.1", "1.2", "1.3", "1.4", "latest"];
