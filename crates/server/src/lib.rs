//! Who may ask, and how: the only HTTP server, with thin faces for SCIM, Crowd and the admin API.
//!
//! A request passes, from outside in: [`connection`] (limits on slow and idle peers), [`router`]
//! (request id, security headers, panics, time limit, metrics), [`authority`] (who is it), and the
//! handler of its face. Handlers take the proof of authority as an argument and decide nothing.

pub mod authority;
pub mod body;

mod api;
mod app;
mod connection;
mod crowd;
mod forwarded;
mod front;
mod health;
mod limits;
mod metrics;
mod oauth;
mod record;
mod request_line;
mod router;
mod scim;
mod seen;
mod traffic;

pub use app::{App, Settings};
pub use connection::serve;
pub use limits::Limits;
pub use record::Retention;
pub use router::router;

/// What the admin API tells, for whoever reads the store without a server in between: both say the same.
pub mod views {
    pub use crate::api::{
        DirectoryView, Explanation, FactorView, LineView, SessionView, all_directories,
        explain_source_user, explain_user, live_sessions,
    };
}

/// The OpenAPI document of the admin API, as JSON.
pub fn openapi() -> String {
    api::openapi()
}
