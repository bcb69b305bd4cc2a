//! What SCIM says: schemas, resources, paths, filters, PATCH, lists, errors, vendor dialects. Pure.
//!
//! An implementation of RFC 7643 and RFC 7644 without any input or output of its own. Values are JSON
//! (`serde_json::Value`), made canonical by a schema once at the door: attribute names in their
//! canonical spelling, types checked, what is unknown left out and reported.
//!
//! Reading order: [`schema`] and [`schemas`] say what there is; [`json`] reads a body; [`Resource`]
//! makes it canonical; [`AttrPath`], [`Filter`] and [`PatchRequest`] say what a client asks;
//! [`ListQuery`] and [`render`] answer it; [`Dialect`] names each departure from the RFCs.
//!
//! ```
//! use scim::{Dialect, Filter, PatchRequest, Resource, ResourceType, json};
//!
//! # fn main() -> Result<(), scim::ScimError> {
//! let (ty, dialect) = (ResourceType::user(), Dialect::generic());
//! let body = json::read_object(br#"{"USERNAME": "joy@example.org", "active": "True"}"#)?;
//! let (joy, ignored) = Resource::from_request(ty, body, &dialect)?;
//! assert_eq!((joy.user_name(), joy.active()), (Some("joy@example.org"), Some(true)));
//! assert!(ignored.is_empty());
//!
//! let patch = json::read_object(
//!     br#"{"Operations": [{"op": "Add", "path": "emails[type eq \"work\"].value", "value": "joy@example.org"}]}"#,
//! )?;
//! let patched = PatchRequest::parse(patch)?.apply(ty, &joy, &dialect)?;
//! assert!(patched.changed);
//!
//! let filter = Filter::parse(r#"emails.value sw "JOY@" and not (title pr)"#)?.resolve(ty)?;
//! assert!(filter.matches(&patched.resource));
//! # Ok(())
//! # }
//! ```

pub mod bulk;
pub mod catalogue;
pub mod dialect;
pub mod discovery;
pub mod error;
pub mod filter;
pub mod json;
pub mod limits;
pub mod list;
pub mod member;
pub mod name;
pub mod patch;
pub mod path;
pub mod projection;
pub mod render;
pub mod resource;
pub mod schema;
pub mod schemas;
pub mod search;
pub mod sort;
pub mod version;

mod coerce;
mod draft;
mod elements;
mod foreign;
mod segments;
mod values;
mod warning;

pub use bulk::{
    BulkAction, BulkEndpoint, BulkOperation, BulkRequest, BulkResult, BulkTask, BulkUnit,
};
pub use dialect::{Departure, Dialect};
pub use discovery::Capabilities;
pub use error::{ScimError, ScimType};
pub use filter::{Facts, Filter, Literal, Node, Op, Record};
pub use list::{ListQuery, Paging};
pub use member::{Member, MemberOp, members_of};
pub use name::{fold, refuse_name};
pub use patch::{PatchRequest, Patched, password_of};
pub use path::{AttrPath, AttrRef, Selector, ValuePath};
pub use projection::Projection;
pub use resource::{Email, Resource};
pub use schema::{Attribute, Kind, ResourceType, ResourceTypes, Schema};
pub use schemas::{CustomSchema, SchemaError};
pub use search::SearchRequest;
pub use segments::segments;
pub use sort::{Sort, SortKey, SortValue};
pub use version::{Meta, Precondition, Reading};
pub use warning::Warning;
