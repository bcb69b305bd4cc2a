//! What Crowd says: the resources of a Crowd server in XML and JSON, restrictions, CQL and errors. Pure.
//!
//! Everything here is about bytes on the wire of the user management API (`/rest/usermanagement/1`).
//! Nothing here opens a socket, reads a clock or decides anything about users.
//!
//! The rooms of this crate, in reading order:
//!
//! * [`mod@format`], [`transport`], [`query`], [`body`]: how a request is understood.
//! * [`error`]: the reasons a Crowd server may give, and their entity.
//! * [`user`], [`group`], [`attributes`], [`authentication`], [`session`], [`webhook`]: single documents.
//! * [`list`], [`membership`], [`event`]: long answers, written item by item.
//! * [`restriction`], [`property`], [`cql`]: searches.
//! * [`answer`]: the client's side, which reads what a server says.

pub mod answer;
pub mod attributes;
pub mod authentication;
pub mod body;
pub mod cql;
pub mod error;
pub mod event;
mod explained;
pub mod format;
pub mod group;
pub mod limits;
pub mod link;
pub mod list;
pub mod membership;
pub mod property;
pub mod query;
pub mod restriction;
pub mod session;
pub mod style;
pub mod transport;
pub mod user;
pub mod webhook;

mod codec;
mod json;
mod reference;
mod stream;
mod time;
mod xml;

pub use attributes::Attributes;
pub use body::Body;
pub use error::{CrowdError, Reason};
pub use event::EventToken;
pub use explained::Explained;
pub use format::Format;
pub use link::Links;
pub use restriction::{MatchMode, Restriction};
pub use style::Style;
