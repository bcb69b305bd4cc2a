//! The journal: what changed in a directory, in order, and what made it change.

use std::collections::{BTreeSet, HashMap};

use axum::Json;
use axum::extract::State;
use directory::name::folded;
use directory::rules::Target;
use directory::{Change, ConnectorId, DirectoryId, Trigger};
use jiff::Timestamp;
use provision::{Provision, ProvisionError};
use serde::{Deserialize, Serialize};
use store::{EntryNames, JournalEntry, JournalQuery, ReadTx};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page::{cut, limit, one_more};
use super::request::{Parameters, Segments};
use super::users::connector_names;
use super::whoever::{self, Whoever};
use super::{Answer, connectors, directories};
use crate::App;
use crate::authority::Admin;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

/// A part of the journal.
#[derive(Debug, Serialize, ToSchema)]
struct JournalPage {
    /// The entries.
    items: Vec<EntryView>,
    /// What to send as `after` for the next page, or as `before` when the newest come first; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<i64>,
    /// The newest position of the whole journal.
    position: i64,
    /// The user that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<Whoever>,
    /// The group that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<Whoever>,
}

/// One entry.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EntryView {
    /// Its position; grows in the order in which changes were made.
    position: i64,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// The user it is about, by the present name.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<UserName>,
    /// The group it is about, by the present name; by the former one if it is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    /// The group that came into it, left it or is in it for other reasons, by the present name; by the former one if it
    /// is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    child_group: Option<String>,
    /// What changed: its kind in `change`, and what belongs to that kind.
    #[schema(value_type = Object)]
    change: Change,
    /// What made it change.
    cause: CauseView,
}

/// A user by key and name.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct UserName {
    /// The stable key.
    key: String,
    /// The name.
    name: String,
}

/// What made a change.
#[derive(Debug, Serialize, ToSchema)]
struct CauseView {
    /// What set it off: `scim`, `login`, `reconcile`, `simulate` or `import`.
    #[schema(value_type = String)]
    trigger: Trigger,
    /// The name of the connector it came through.
    connector: Option<String>,
    /// Who acted: a token's label, an application, an administrator.
    actor: String,
    /// The id of the request; empty if there was none.
    request: String,
}

impl EntryView {
    /// Its position.
    pub(super) fn position(&self) -> i64 {
        self.position
    }

    /// When it was made.
    pub(super) fn at(&self) -> Timestamp {
        self.at
    }

    /// What changed.
    pub(super) fn change(&self) -> &Change {
        &self.change
    }

    /// The names of the user, the group and the child group that it is about; empty where there is none.
    pub(super) fn names(&self) -> [&str; 3] {
        [
            self.user.as_ref().map_or("", |user| &user.name),
            self.group.as_deref().unwrap_or_default(),
            self.child_group.as_deref().unwrap_or_default(),
        ]
    }

    /// Whether one of its names has this text, which is folded.
    pub(super) fn speaks_of(&self, text: &str) -> bool {
        self.names().iter().any(|name| folded(name).contains(text))
    }
}

/// Which entries to list.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct EntryQuery {
    /// Only entries behind this position.
    after: Option<i64>,
    /// Only entries before this position.
    before: Option<i64>,
    /// Only entries from this moment on.
    #[param(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    /// Only entries before this moment.
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// Only entries about this user, memberships included: by the key, or by a name of now or then.
    user: Option<String>,
    /// Only entries about this group, its members and its places in other groups included: by a name of now or then.
    group: Option<String>,
    /// Only entries that came through this connector, by id or name.
    connector: Option<String>,
    /// Which come first.
    #[param(inline)]
    order: Option<Order>,
    /// How many at most, 1 to 1000; 100 if left out.
    limit: Option<u32>,
}

/// Which entries come first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Order {
    /// The oldest, as they happened.
    #[default]
    Oldest,
    /// The newest.
    Newest,
}

/// What changed in a directory, in order, with its causes.
#[utoipa::path(get, path = "/directories/{directory}/journal", operation_id = "list_journal", tag = "journal",
    params(("directory" = String, Path, description = "Its id or name"), EntryQuery),
    responses((status = OK, body = JournalPage)))]
async fn list(
    _admin: Admin,
    State(app): State<App>,
    directory: Segments<String>,
    Parameters(query): Parameters<EntryQuery>,
) -> Answer<Json<JournalPage>> {
    let limit = limit(query.limit)?;
    let provision = app.provision().clone();
    directories::answer(&app, directory.0, move |tx, directory| {
        page(&provision, tx, directory, (&query, limit))
    })
    .await
}

fn page(
    provision: &Provision,
    tx: &ReadTx<'_>,
    directory: DirectoryId,
    (query, limit): (&EntryQuery, usize),
) -> Result<JournalPage, ProvisionError> {
    let newest_first = query.order.unwrap_or_default() == Order::Newest;
    let (user, the_user) = query
        .user
        .as_deref()
        .map(|name| whoever::user(tx, directory, name))
        .transpose()?
        .unzip();
    let (group, the_group) = query
        .group
        .as_deref()
        .map(|name| whoever::group(tx, directory, name))
        .transpose()?
        .unzip();
    let connector = query
        .connector
        .as_deref()
        .map(|name| connectors::find(tx, name))
        .transpose()?;
    let before = |moment: Timestamp| tx.journal_before(directory, moment);
    let since = query.since.map(before).transpose()?;
    let until = query.until.map(before).transpose()?.map(|last| last + 1);
    let wanted = JournalQuery {
        after: query.after.unwrap_or(0).max(since.unwrap_or(0)),
        before: query.before.into_iter().chain(until).min(),
        user: user.map(|user| user.pk),
        group: group.map(|group| group.pk),
        connector: connector.map(|stored| stored.connector.id),
        newest_first,
        limit: one_more(limit),
    };
    let mut entries = tx.journal(directory, &wanted)?;
    let next = cut(&mut entries, limit, |last| last.position);
    let names = Names::of(provision, tx, directory, &entries)?;
    Ok(JournalPage {
        items: entries.into_iter().map(|entry| names.view(entry)).collect(),
        next,
        position: tx.journal_position(directory)?,
        user: the_user,
        group: the_group,
    })
}

/// What those are called whom a page speaks of.
pub(super) struct Names {
    /// Targets whose values are not to be shown.
    hidden: BTreeSet<Target>,
    subjects: EntryNames,
    connectors: HashMap<ConnectorId, String>,
}

impl Names {
    pub(super) fn of(
        provision: &Provision,
        tx: &ReadTx<'_>,
        directory: DirectoryId,
        entries: &[JournalEntry],
    ) -> Result<Self, ProvisionError> {
        Ok(Self {
            hidden: provision.hidden_in(tx, directory)?,
            subjects: EntryNames::of(tx, directory, entries)?,
            connectors: connector_names(tx)?,
        })
    }

    pub(super) fn view(&self, mut entry: JournalEntry) -> EntryView {
        entry.change.redact(&self.hidden);
        let user = self.subjects.user(&entry).map(|user| UserName {
            key: user.key.clone(),
            name: user.name.clone(),
        });
        let group = self.subjects.group(&entry).map(str::to_owned);
        let child_group = self.subjects.child_group(&entry).map(str::to_owned);
        let connector = entry.cause.connector;
        EntryView {
            position: entry.position,
            at: entry.at,
            user,
            group,
            child_group,
            change: entry.change,
            cause: CauseView {
                trigger: entry.cause.trigger,
                connector: connector.and_then(|id| self.connectors.get(&id).cloned()),
                actor: entry.cause.actor,
                request: entry.cause.request,
            },
        }
    }
}
