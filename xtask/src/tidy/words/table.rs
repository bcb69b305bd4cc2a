//! The tables behind the words rule.

/// A name in code that only some rooms may use.
pub struct Word {
    pub text: &'static str,
    /// Rooms that may use it anywhere.
    rooms: &'static [&'static str],
    /// Whether tests of every room may use it.
    in_tests: bool,
    /// What to do instead.
    pub why: &'static str,
}

impl Word {
    /// Whether code of this room may use the word.
    pub fn allows(&self, room: &str, is_test: bool) -> bool {
        self.rooms.contains(&room) || (is_test && self.in_tests)
    }
}

const fn word(
    text: &'static str,
    rooms: &'static [&'static str],
    in_tests: bool,
    why: &'static str,
) -> Word {
    Word {
        text,
        rooms,
        in_tests,
        why,
    }
}

const HTTP_SERVER: &[&str] = &["server", "emulate"];
const HTTP_CLIENT: &[&str] = &["deliver", "emulate", "check", "vestibule"];
const OUTSIDE: &[&str] = &["vestibule", "emulate", "xtask"];
const ACTIVE: &[&str] = &[
    "store",
    "provision",
    "deliver",
    "server",
    "vestibule",
    "emulate",
    "check",
    "xtask",
];

const SERVING: &str = "HTTP is served by the server room alone";
const STORING: &str = "databases are reached through the store alone";
const PRINTING: &str = "only the binary reads the environment, prints or ends the process";
const CLOCK: &str =
    "time and ids are handed in by the binary; take them from the transaction or an argument";
const PURE: &str = "this room is pure: no files, network, threads or tasks";
const DOUBT: &str = "give an error, or make the impossible case impossible";

/// The words and their rooms.
pub const WORDS: &[Word] = &[
    word("axum", HTTP_SERVER, true, SERVING),
    word("tower", HTTP_SERVER, true, SERVING),
    word("tower_http", HTTP_SERVER, true, SERVING),
    word("hyper", HTTP_SERVER, true, SERVING),
    word("rusqlite", &["store"], false, STORING),
    word("postgres::", &["store"], false, STORING),
    word("tokio_postgres", &["store"], false, STORING),
    word(
        "reqwest",
        HTTP_CLIENT,
        true,
        "only deliver and the workshops call others",
    ),
    word("println!", OUTSIDE, true, PRINTING),
    word("print!", OUTSIDE, true, PRINTING),
    word("eprintln!", OUTSIDE, true, PRINTING),
    word("eprint!", OUTSIDE, true, PRINTING),
    word("std::env", OUTSIDE, true, PRINTING),
    word("env::var", OUTSIDE, true, PRINTING),
    word("process::exit", OUTSIDE, true, PRINTING),
    word("Timestamp::now", OUTSIDE, true, CLOCK),
    word("Zoned::now", OUTSIDE, true, CLOCK),
    word("SystemTime::now", OUTSIDE, true, CLOCK),
    word("Instant::now", OUTSIDE, true, CLOCK),
    word("Uuid::new_v4", OUTSIDE, true, CLOCK),
    word("Uuid::now_v7", OUTSIDE, true, CLOCK),
    word("tokio", ACTIVE, true, PURE),
    word("std::fs", ACTIVE, true, PURE),
    word("std::net", ACTIVE, true, PURE),
    word("std::thread", ACTIVE, true, PURE),
    word("getrandom", ACTIVE, true, PURE),
    word("todo!", &[], false, "finish it, or leave it out"),
    word("unimplemented!", &[], false, "finish it, or leave it out"),
    word("dbg!", &[], false, "remove it, or use tracing"),
    word("#[ignore", &[], false, "a test runs, or is not there"),
    word("panic!", &[], true, DOUBT),
    word(".unwrap()", &[], true, DOUBT),
    word(".unwrap_err()", &[], true, DOUBT),
];

/// A use of a word outside its rooms that is right all the same.
pub struct Exception {
    pub path: &'static str,
    /// The word, `sql`, or a vendor in lower case.
    pub word: &'static str,
    /// Why it is right there. For the reader of this table.
    #[allow(dead_code, reason = "the reason is for people")]
    pub why: &'static str,
}

/// Each exception with its reason. One that nothing needs is an error.
pub const EXCEPTIONS: &[Exception] = &[
    exception(
        "crates/directory/src/notification/message.rs",
        "microsoft",
        "the media type of cards has it in its name",
    ),
    exception(
        "crates/store/src/environment.rs",
        "Timestamp::now",
        "the one place that gives the real clock a name; the binary asks for it",
    ),
    exception(
        "crates/store/src/environment.rs",
        "Uuid::new_v4",
        "the one place that gives random ids a name; the binary asks for it",
    ),
    exception("crates/store/src/pool.rs", "Instant::now", STOPWATCH),
    exception("crates/store/src/postgres.rs", "Instant::now", STOPWATCH),
    exception(
        "crates/store/src/postgres/connection.rs",
        "Instant::now",
        STOPWATCH,
    ),
    exception(
        "crates/store/src/sqlite/reader.rs",
        "Instant::now",
        STOPWATCH,
    ),
    exception(
        "crates/store/src/sqlite/writer.rs",
        "Instant::now",
        STOPWATCH,
    ),
    exception(
        "crates/server/src/authority/verified.rs",
        "Instant::now",
        STOPWATCH,
    ),
    exception("crates/server/src/body.rs", "Instant::now", STOPWATCH),
    exception("crates/server/src/router.rs", "Instant::now", STOPWATCH),
    exception("crates/server/src/scim/bulk.rs", "Instant::now", STOPWATCH),
    exception("crates/check/src/run.rs", "Instant::now", STOPWATCH),
    exception("crates/check/src/talk.rs", "Instant::now", STOPWATCH),
    exception(
        "crates/check/src/run.rs",
        "Uuid::new_v4",
        "what a run creates is told from everything else by a random name",
    ),
    exception(
        "crates/emulate/src/databases.rs",
        "panic!",
        "it tells a test's story, and a test fails by a panic",
    ),
];

/// Why a monotonic clock is right in a few places.
const STOPWATCH: &str =
    "it measures how long something takes and ends waiting; nothing of it is kept or decided on";

const fn exception(path: &'static str, word: &'static str, why: &'static str) -> Exception {
    Exception { path, word, why }
}

/// Makers of identity providers, in lower case.
pub const VENDORS: &[&str] = &[
    "authentik",
    "azure",
    "entra",
    "jumpcloud",
    "keycloak",
    "microsoft",
    "okta",
    "onelogin",
    "rauthy",
];

/// Where vendors may be named: their dialects, the presets, the workshops, and texts for people.
pub const VENDOR_PLACES: &[&str] = &[
    "crates/check/",
    "crates/directory/src/preset.rs",
    "crates/emulate/",
    "crates/scim/src/catalogue",
    "crates/scim/src/dialect",
    "crates/server/src/ui/",
    "crates/vestibule/",
    "xtask/",
];
