//! What happens: the use cases, each one transaction. The only writer of the store.
//!
//! A write of an IdP goes through [`users`] and [`groups`]: the source takes it as it is, then
//! [`settle`] asks the rules what it means for each affected person and carries that out, all in
//! the same transaction. What would touch too many people is marked as due there and worked off
//! in chunks by [`worker`].

mod address;
mod administration;
mod admission;
mod bulk;
mod carry_out;
mod clients;
mod credential;
mod error;
mod groups;
mod issuer;
mod key;
mod loaded;
mod local;
mod members;
mod nesting;
mod passwords;
mod rebind;
mod requests;
mod schemas;
mod secret;
mod sessions;
mod settle;
mod setup;
mod sign_in;
mod tokens;
mod unique;
mod users;
mod webhooks;
mod why;
mod worker;
mod write;

use std::sync::{Arc, OnceLock};

pub use address::AddressRange;
pub use administration::{
    ApplicationChange, ApplicationDraft, ApplicationUse, ConnectorDraft, DirectoryChoice,
};
pub use admission::changed_credentials;
pub use bulk::{BulkDone, BulkJob, BulkOutcome};
pub use clients::{NewAccessToken, NewClientSecret};
pub use credential::{Credential, can_be_scim_token};
pub use error::ProvisionError;
pub use groups::WrittenGroup;
pub use issuer::{Fetched, IssuerKeys, KeysPlace};
pub use key::SecretKey;
pub use loaded::LoadedConnector;
pub use local::{LocalUserDraft, LocalWriteError, Writer};
pub use passwords::{HashError, Passwords};
pub use schemas::{DeletedSchema, SchemaDraft, StoredData, WrittenSchema};
pub use secret::Secret;
pub use sessions::{LiveSession, SessionWish};
pub use setup::FirstStart;
pub use tokens::NewToken;
pub use users::{NewPassword, WrittenUser};
pub use webhooks::ClaimedWebhook;
pub use why::Why;

use store::Store;
use tokio::sync::Notify;

/// A JSON object as a request carries it.
pub type JsonObject = serde_json::Map<String, serde_json::Value>;

/// The door of this room: every use case is a method of it. Cheap to clone.
#[derive(Clone)]
pub struct Provision {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    connectors: loaded::Cache,
    work: Notify,
    key: OnceLock<SecretKey>,
}

impl Provision {
    /// The use cases on this store, with a key that is forgotten with this value.
    pub fn new(store: Store) -> Self {
        Self::with(store, OnceLock::new())
    }

    /// The use cases on this store, with the key that all nodes of the installation share.
    pub fn with_key(store: Store, key: SecretKey) -> Self {
        Self::with(store, OnceLock::from(key))
    }

    fn with(store: Store, key: OnceLock<SecretKey>) -> Self {
        Self {
            inner: Arc::new(Inner {
                store,
                connectors: loaded::Cache::default(),
                work: Notify::new(),
                key,
            }),
        }
    }

    fn key(&self) -> Result<&SecretKey, ProvisionError> {
        if let Some(key) = self.inner.key.get() {
            return Ok(key);
        }
        let key = SecretKey::generate()?;
        Ok(self.inner.key.get_or_init(|| key))
    }

    /// The store, for reading.
    pub fn store(&self) -> &Store {
        &self.inner.store
    }
}
