//! How far the set-up of a connector has come: what has arrived, what was refused and why, which product fetches.

mod items;

use std::collections::HashMap;

use directory::{ApplicationId, Connector, ConnectorState, Preset};
use jiff::Timestamp;
use store::{Application, PendingMember, ReadTx, RequestQuery, RequestRecord, TokenKind};

use crate::{Provision, ProvisionError};

/// Errors that are looked through for the newest one of each kind.
const ERRORS_LOOKED_AT: i64 = 20;

/// Something that a connection needs, in the order in which it happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// A request has come to the base URL.
    Reached,
    /// A credential was taken.
    Tested,
    /// A user has arrived.
    User,
    /// A group has arrived.
    Group,
    /// A user is in a group.
    Membership,
    /// A product has signed in.
    Attached,
    /// A product has fetched the directory.
    Fetched,
}

impl Check {
    /// The word used in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Check::Reached => "reached",
            Check::Tested => "tested",
            Check::User => "user",
            Check::Group => "group",
            Check::Membership => "membership",
            Check::Attached => "attached",
            Check::Fetched => "fetched",
        }
    }

    /// What it is for people.
    pub const fn title(self) -> &'static str {
        match self {
            Check::Reached => "The server is reached",
            Check::Tested => "The connection test is seen",
            Check::User => "The first user has arrived",
            Check::Group => "The first group has arrived",
            Check::Membership => "The first membership has arrived",
            Check::Attached => "The product is attached",
            Check::Fetched => "The product has fetched",
        }
    }

    /// Whether it is the identity provider's part; the others are the product's.
    pub const fn is_of_provider(self) -> bool {
        !matches!(self, Check::Attached | Check::Fetched)
    }
}

/// How something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckState {
    /// It has happened.
    Done,
    /// It has not happened yet.
    Waiting,
    /// It was tried, and refused.
    Failed,
    /// It will not happen: this identity provider sends no such thing.
    Skipped,
}

impl CheckState {
    /// The word used in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            CheckState::Done => "done",
            CheckState::Waiting => "waiting",
            CheckState::Failed => "failed",
            CheckState::Skipped => "skipped",
        }
    }
}

/// How one thing stands, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckItem {
    /// What it is.
    pub check: Check,
    /// How it stands.
    pub state: CheckState,
    /// What was received, or that nothing was.
    pub seen: String,
    /// What to do or to change, if anything.
    pub remedy: Option<String>,
    /// When it happened, if that is known.
    pub at: Option<Timestamp>,
}

impl CheckItem {
    fn new(check: Check, state: CheckState, seen: impl Into<String>) -> Self {
        Self {
            check,
            state,
            seen: seen.into(),
            remedy: None,
            at: None,
        }
    }

    fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    fn at(mut self, at: Option<Timestamp>) -> Self {
        self.at = at;
        self
    }
}

/// How the set-up of a connector stands.
#[derive(Debug, Clone)]
pub struct Checklist {
    /// Each thing, in the order in which it happens.
    pub items: Vec<CheckItem>,
}

impl Checklist {
    /// Whether nothing is left to happen.
    pub fn is_complete(&self) -> bool {
        let is_over =
            |item: &CheckItem| matches!(item.state, CheckState::Done | CheckState::Skipped);
        self.items.iter().all(is_over)
    }
}

/// A product that was not let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedProduct {
    /// When.
    pub at: Timestamp,
    /// Whence.
    pub address: Option<String>,
    /// Whether it came from an address that it may not use; else its password was wrong.
    pub is_address: bool,
}

/// What only the server knows.
#[derive(Debug, Clone, Default)]
pub struct Outside {
    /// What the identity provider was given to call.
    pub base_url: String,
    /// Products that were refused since the server was started, the latest time of each.
    pub refused: HashMap<ApplicationId, RefusedProduct>,
    /// The product that is being set up, by name or id; none for whichever comes first.
    pub application: Option<String>,
}

/// What is stored about the set-up of a connector.
struct Facts {
    preset: Preset,
    state: ConnectorState,
    directory: String,
    users: i64,
    groups: i64,
    has_members: bool,
    pending: Option<PendingMember>,
    /// When a credential was last used, and whence.
    used: Option<(Timestamp, Option<String>)>,
    newest: Option<RequestRecord>,
    errors: Vec<RequestRecord>,
    in_directory: i64,
    position: i64,
    applications: Vec<Seer>,
}

/// A product that sees the directory.
struct Seer {
    id: ApplicationId,
    name: String,
    last_seen: Option<Timestamp>,
    position: Option<i64>,
}

impl Provision {
    /// How the set-up of a connector stands.
    pub async fn checklist(
        &self,
        connector: &str,
        outside: Outside,
    ) -> Result<Checklist, ProvisionError> {
        let connector = connector.to_owned();
        let wanted = outside.application.clone();
        let facts = self
            .store()
            .read(move |tx| {
                let found = tx
                    .find_connector(&connector)?
                    .ok_or_else(|| ProvisionError::not_found("connector", &connector))?;
                facts(tx, &found.connector, wanted.as_deref())
            })
            .await?;
        Ok(Checklist {
            items: items::items(&facts, &outside),
        })
    }
}

fn facts(
    tx: &ReadTx<'_>,
    connector: &Connector,
    application: Option<&str>,
) -> Result<Facts, ProvisionError> {
    let counts = tx.source_counts(connector.id)?;
    let tokens = tx.tokens(TokenKind::Scim(connector.id))?;
    let uses = tokens
        .into_iter()
        .filter_map(|token| token.last_used.map(|at| (at, token.last_address)));
    let query = RequestQuery {
        connector: Some(connector.id),
        limit: 1,
        ..RequestQuery::default()
    };
    let failed = RequestQuery {
        status: Some((400, 599)),
        limit: ERRORS_LOOKED_AT,
        ..query.clone()
    };
    let inside = tx.directory_counts(&[connector.directory])?;
    let inside = inside
        .get(&connector.directory)
        .copied()
        .unwrap_or_default();
    let directory = tx.directory(connector.directory)?;
    let applications = tx.applications()?.into_iter();
    let seers = applications.filter_map(|one| seer(one, connector, application));
    Ok(Facts {
        preset: connector.preset,
        state: connector.state,
        directory: directory.map(|found| found.name).unwrap_or_default(),
        users: counts.users,
        groups: counts.groups,
        has_members: tx.has_source_members(connector.id)?,
        pending: tx.pending_members(connector.id, ("", 0), 1)?.pop(),
        used: uses.max_by_key(|(at, _)| *at),
        newest: tx.requests(&query)?.pop(),
        errors: tx.requests(&failed)?,
        in_directory: inside.active_users + inside.disabled_users,
        position: inside.position,
        applications: seers.collect(),
    })
}

/// The application as far as it sees the directory of the connector, if it is the one that is looked for.
fn seer(application: Application, connector: &Connector, wanted: Option<&str>) -> Option<Seer> {
    let is_wanted = wanted.is_none_or(|wanted| {
        wanted == application.public_id || wanted.eq_ignore_ascii_case(&application.name)
    });
    let mut attached = application.mapping.directories.iter();
    let attached = attached.find(|one| one.directory == connector.directory)?;
    is_wanted.then_some(Seer {
        position: attached.last_position,
        id: application.id,
        last_seen: application.last_seen,
        name: application.name,
    })
}
