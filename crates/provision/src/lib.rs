//! What happens: the use cases, each one transaction. The only writer of the store.
//!
//! A write of an IdP goes through [`users`] and [`groups`]: the source takes it as it is, then
//! [`settle`] asks the rules what it means for each affected person and carries that out, all in
//! the same transaction. What would touch too many people is marked as due there and worked off
//! in chunks by [`worker`].

mod address;
mod administrators;
mod admission;
mod application_preview;
mod applications;
mod attempts;
mod audit;
mod backup;
mod breached;
mod bulk;
mod carry_out;
mod checklist;
mod clients;
mod configuration;
mod connectors;
mod console_forms;
mod console_sessions;
mod credential;
mod decide;
mod departed;
mod directories;
mod encounter;
mod error;
mod facts;
mod former_names;
mod group_choice;
mod group_work;
mod groups;
mod held;
mod hold_jobs;
mod holds;
mod import;
mod issuer;
mod jobs;
mod key;
mod linked;
mod loaded;
mod local;
mod logins;
mod matches;
mod members;
mod membership_ends;
mod name_holder;
mod naming;
mod nesting;
mod notifications;
mod open_id;
mod overrides;
mod passwords;
mod past;
mod pilot;
mod places;
mod precedence;
mod preview;
mod proof;
mod reach;
mod rebind;
mod recording;
mod refresh;
mod release;
mod replay;
mod requests;
mod rule_changes;
mod rule_warnings;
mod safety;
mod schedule;
mod schemas;
mod second_factor;
mod secret;
mod sessions;
mod settle;
mod setup;
mod setup_links;
mod sharing;
mod sign_in;
mod standing;
mod standoff;
mod subscriptions;
mod tokens;
mod totp;
mod transfer;
mod trial;
mod undo;
mod unique;
mod unlink;
mod users;
mod webhooks;
mod why;
mod worker;
mod world;
mod write;

use std::sync::{Arc, OnceLock};

pub use address::AddressRange;
pub use administrators::{Inviter, NewInvitation};
pub use admission::{changed_credentials, changed_limits};
pub use application_preview::AccessPreview;
pub use applications::{ApplicationChange, ApplicationDraft, ApplicationUse, DirectoryChoice};
pub use audit::{AuditCheck, AuditSettings};
pub use backup::{CheckedBackup, RestoredBy, is_key_of, restore};
pub use bulk::{BulkDone, BulkJob, BulkOutcome};
pub use checklist::{Check, CheckItem, CheckState, Checklist, Outside, RefusedProduct};
pub use clients::{NewAccessToken, NewClientSecret};
pub use configuration::{Applied, ConfigurationWish, MadeSecret, Passphrase, Planned};
pub use connectors::ConnectorDraft;
pub use console_forms::Sending;
pub use console_sessions::{NewSession, SignInError};
pub use credential::{Credential, can_be_scim_token};
pub use directories::{DetachEffects, DirectoryEffects};
pub use error::ProvisionError;
pub use former_names::ReservedName;
pub use group_choice::{GroupChoice, GroupFate, GroupInTheWay, GroupQuery, ListedGroup};
pub use groups::WrittenGroup;
pub use held::{HeldGroup, HeldNow};
pub use holds::{HoldsAnswer, HoldsDecided, LimitReport, LimitUse};
pub use import::{CrowdAddress, CrowdReader, ImportCounts, ImportWish, ReadCrowd, Told};
pub use issuer::{Fetched, IssuerKeys, KeysPlace};
pub use jobs::{BegunJob, Progress, progress, rules_job};
pub use key::SecretKey;
pub use loaded::LoadedConnector;
pub use local::{LocalUserDraft, LocalWriteError, Writer};
pub use matches::{MatchRow, MatchSuggestion, MatchSummary};
pub use membership_ends::Left;
pub use name_holder::NameHolder;
pub use notifications::{
    ChannelWish, ClaimedNotification, Letter, NotificationSender, Presence, Sent, SilenceReport,
    poll_report, presence, signing_key, silence_report,
};
pub use open_id::{
    Asked, ClientSecret, CodeExchange, GroupRole, OpenIdAttempt, OpenIdClient, OpenIdError,
    OpenIdPerson, OpenIdProvider, OpenIdSettings, OpenIdTokens,
};
pub use overrides::{OverrideWish, Said};
pub use passwords::{HashError, Passwords};
pub use past::{PastGroup, PastUser};
pub use pilot::{PilotLook, WaitingUser};
pub use precedence::{PrecededUser, PrecedencePreview};
pub use preview::{
    AfterGrace, Confined, ForeseenHold, GraceForecast, LimitForecast, Preview, PreviewJob,
    PreviewSearch, PreviewSummary, PreviewWish, PreviewedAccount, PreviewedUser, Sample,
    SampleWish, SampledGroup,
};
pub use proof::needs_proof;
pub use reach::{Guard, Reach, Unreached};
pub use refresh::Refreshed;
pub use release::ReleaseEffects;
pub use replay::{KeptResource, Replayed, ReplayedChange, ReplayedOperation, why_no_replay};
pub use rule_changes::{RulesChange, TestRun};
pub use schemas::{DeletedSchema, SchemaDraft, StoredData, WrittenSchema};
pub use second_factor::{NewSecondFactor, SignInRules};
pub use secret::Secret;
pub use sessions::{Begun, LiveSession, SessionWish};
pub use setup::FirstStart;
pub use setup_links::{NewSetupLink, SETUP_LINK_DAYS_DEFAULT};
pub use standing::{StickyDone, StickyWish};
pub use standoff::Decided;
pub use subscriptions::{ClaimedBatch, SubscriptionWish};
pub use tokens::NewToken;
pub use transfer::{Fit, MatchBy, TransferItem, TransferPreview, TransferWish};
pub use trial::{TrialPerson, TrialWish, Tried};
pub use undo::{
    UNDONE_AT_ONCE_MAX, UndoReport, UndoSelection, Undoing, Undone, UndoneUser, undo_report,
};
pub use users::{NewPassword, WrittenUser};
pub use webhooks::ClaimedWebhook;
pub use why::{Why, Written};

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
    logins: logins::Logins,
    work: Notify,
    previewing: tokio::sync::Mutex<()>,
    key: OnceLock<SecretKey>,
    crowds: OnceLock<Arc<dyn CrowdReader>>,
    sender: OnceLock<Arc<dyn NotificationSender>>,
    outbound: OnceLock<Vec<AddressRange>>,
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
                logins: logins::Logins::default(),
                work: Notify::new(),
                previewing: tokio::sync::Mutex::default(),
                key,
                crowds: OnceLock::new(),
                sender: OnceLock::new(),
                outbound: OnceLock::new(),
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
