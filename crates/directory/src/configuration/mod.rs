//! The configuration file: what administrators set up, as one document that can be compared and carried out (BY-18).
//!
//! A member that is left out is left as it is. Export gives every member, so that what is applied elsewhere is the same
//! there.

mod entries;
mod objects;
mod place;
mod plan;
mod read;
mod schema;
mod secret;

pub use entries::{
    ApplicationEntry, AttachedEntry, AuditEntry, ChannelEntry, ClientEntry, Configuration,
    ConnectorEntry, DirectoryEntry, FORMAT, PrecedenceEntry, ResourceKind, SchemaEntry,
    SubscriptionEntry, TokenEntry, WebhookEntry,
};
pub use objects::{Kind, Object, ObjectName, Said, objects};
pub use place::{item, member};
pub use plan::{Action, Kept, Merged, Plan, Step, merge, plan, settings_with};
pub use read::read;
pub use schema::schema;
pub use secret::{KeptClientSecret, KeptSecret, SecretSource};
