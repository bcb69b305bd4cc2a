//! Connectors: list, create, show, change, reconcile.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header::LOCATION};
use axum::response::IntoResponse;
use directory::rules::WrittenRules;
use directory::{
    Connector, ConnectorId, ConnectorSettings, ConnectorState, PatchReply, Preset, Rules, Schedule,
};
use jiff::Timestamp;
use provision::{ConnectorDraft, ProvisionError};
use scim::Departure;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use store::{OpenDecisions, ReadTx, SourceCounts, StoreError, StoredConnector, TokenKind};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::directories::names_of_directories;
use super::page::List;
use super::request::{Body, Parameters, Segments};
use super::tokens::TokenView;
use super::{Answer, release, rules, schema};
use crate::App;
use crate::authority::Admin;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, change, release::delete))
}

/// A connector in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ConnectorView {
    /// The id in its URLs.
    id: String,
    /// Its name.
    name: String,
    /// Which identity provider it is for.
    #[schema(schema_with = schema::preset)]
    preset: Preset,
    /// Whether its writes are taken, and whether they have effect.
    #[schema(schema_with = schema::connector_state)]
    state: ConnectorState,
    /// What to paste into the identity provider.
    pub(super) base_url: String,
    /// The name of the directory that it feeds.
    directory: String,
    /// Users in its source.
    users: i64,
    /// Groups in its source.
    groups: i64,
    /// Changes that safety limits keep back until somebody decides.
    open_holds: i64,
    /// Users whose name is taken, about whom nobody has decided.
    open_conflicts: i64,
    /// Groups that products have already with members from elsewhere, about which nobody has decided.
    waiting_groups: i64,
    /// Groups that the identity provider renamed and that products know by the name before.
    pinned_groups: i64,
    /// Users for whom the rules give a value that cannot be used.
    value_errors: i64,
    /// Users for whom switches of the rules (`accounts.create` and others) keep something back.
    suppressed: i64,
    /// Unless it is active: since when, by whom, and what waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped: Option<Stopped>,
}

/// What everybody should know of a connector that is not active.
#[derive(Debug, Serialize, ToSchema)]
struct Stopped {
    /// Since when.
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    /// Who did it.
    by: Option<String>,
    /// How many users changed or were deleted meanwhile, to take effect when it is active again.
    waiting: i64,
}

/// All there is to show about one connector.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ConnectorDetail {
    #[serde(flatten)]
    connector: ConnectorView,
    /// Users whose evaluation is still to come.
    due: i64,
    /// When it is reconciled next by its schedule.
    #[schema(value_type = Option<String>, format = DateTime)]
    next_run: Option<Timestamp>,
    /// Until when reads of the identity provider are recorded; null if they are not.
    #[schema(value_type = Option<String>, format = DateTime)]
    reads_recorded_until: Option<Timestamp>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// When its configuration last changed.
    #[schema(value_type = String, format = DateTime)]
    updated: Timestamp,
    /// How its endpoint behaves.
    #[schema(schema_with = schema::settings)]
    settings: ConnectorSettings,
    /// What its writes mean for the directory.
    #[schema(schema_with = schema::rules)]
    rules: Rules,
    /// Its tokens, newest first, without their text.
    tokens: Vec<TokenView>,
}

/// A connector that was just made.
#[derive(Debug, Serialize, ToSchema)]
struct NewConnector {
    #[serde(flatten)]
    connector: ConnectorView,
    /// The token, shown this once.
    token: String,
}

/// A connector to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ConnectorCreation {
    /// Its name, 1 to 100 characters; free of other meaning, and no other connector's.
    name: String,
    /// Which identity provider it is for.
    #[serde(default)]
    #[schema(schema_with = schema::preset)]
    preset: Preset,
    /// Name or id of the directory that it feeds; left out, it gets one of its own of the same name.
    directory: Option<String>,
    /// What its writes mean for the directory.
    ///
    /// What is not said begins safely: administrative groups are in `groups.protected`, `groups.rename` is `pin` and
    /// `groups.on_existing` is `review`.
    #[serde(default)]
    #[schema(schema_with = schema::rules)]
    rules: WrittenRules,
    /// How its endpoint behaves.
    #[serde(default)]
    #[schema(schema_with = schema::settings)]
    settings: ConnectorSettings,
}

/// What to change about a connector; what is left out stays.
#[derive(Debug, Default, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ConnectorChange {
    /// The new name.
    name: Option<String>,
    /// Which identity provider it is for from now on. What has arrived stays as it is.
    #[schema(schema_with = schema::preset)]
    preset: Option<Preset>,
    /// The new state.
    #[schema(schema_with = schema::connector_state)]
    state: Option<ConnectorState>,
    /// The new rules, as a whole. Every user of the connector is then evaluated anew.
    #[schema(schema_with = schema::rules)]
    rules: Option<WrittenRules>,
    /// The settings to change.
    settings: Option<SettingsChange>,
}

/// Which settings to change; what is left out stays.
#[derive(Debug, Default, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SettingsChange {
    /// The answer to a successful PATCH: `auto`, `always200` or `always204`.
    #[schema(value_type = Option<String>)]
    patch_reply: Option<PatchReply>,
    /// Whether a pushed password is kept, as a hash.
    accept_passwords: Option<bool>,
    /// Departures from the RFCs to switch on or off; `null` leaves one to the preset again.
    #[schema(value_type = Option<Object>)]
    departures: Option<BTreeMap<Departure, Option<bool>>>,
    /// Members of `credentials` to change, each as a whole; `null` gives one its default.
    #[schema(value_type = Option<Object>)]
    credentials: Option<Map<String, Value>>,
    /// When it is reconciled by itself: `cron`, five fields or `off`, and `time_zone`, an IANA name, UTC if left out.
    #[schema(value_type = Option<Object>)]
    schedule: Option<Schedule>,
    /// Members of `limits` to change, each as a whole; `null` in the place of a limit takes it away.
    #[schema(value_type = Option<Object>)]
    limits: Option<Map<String, Value>>,
}

/// Which connectors to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Listing {
    /// Only those that take no effect at present: paused or disabled.
    stopped: bool,
}

/// All connectors, in the order they were made.
#[utoipa::path(get, path = "/connectors", operation_id = "list_connectors", tag = "connectors",
    params(Listing),
    responses((status = OK, body = List<ConnectorView>)))]
async fn list(
    admin: Admin,
    State(app): State<App>,
    headers: HeaderMap,
    Parameters(listing): Parameters<Listing>,
) -> Answer<Json<List<ConnectorView>>> {
    let base = app.base_url(&headers);
    let items = app
        .provision()
        .store()
        .read(move |tx| {
            if listing.stopped {
                let all = tx.stopped_connectors()?.into_iter();
                let within = all.filter(|stored| admin.rights.reach(stored.connector.id));
                return within.map(|stored| view(tx, &stored, &base)).collect();
            }
            let (names, counts) = (names_of_directories(tx)?, tx.source_counts_of_all()?);
            let open = tx.open_decisions_of_all()?;
            let all = tx.connectors()?.into_iter();
            let within = all.filter(|stored| admin.rights.reach(stored.connector.id));
            let views = within.map(|stored| {
                let connector = &stored.connector;
                let (counts, _due) = counts.get(&connector.id).copied().unwrap_or_default();
                let directory = names.get(&connector.directory).cloned();
                let directory = directory.unwrap_or_default();
                let open = open.get(&connector.id).copied().unwrap_or_default();
                let view = ConnectorView::new(connector, counts, directory, &base);
                // Of those that are stopped, which are few.
                Ok(view.with_state(open, stopped(tx, connector)?))
            });
            views.collect::<Result<Vec<_>, StoreError>>()
        })
        .await?;
    Ok(Json(List { items }))
}

/// Makes a connector and its first token.
///
/// The token is in the answer and nowhere else.
#[utoipa::path(post, path = "/connectors", operation_id = "create_connector", tag = "connectors", request_body = ConnectorCreation,
    responses((status = CREATED, body = NewConnector)))]
async fn create(
    admin: Admin,
    State(app): State<App>,
    headers: HeaderMap,
    Body(creation): Body<ConnectorCreation>,
) -> Answer<impl IntoResponse> {
    let draft = ConnectorDraft {
        name: creation.name,
        preset: creation.preset,
        directory: creation.directory,
        rules: rules::read(creation.rules)?,
        settings: creation.settings,
    };
    let made = app.provision().create_connector(draft, &admin.name).await?;
    let label = "made with the connector";
    let token = app
        .provision()
        .create_scim_token(made.connector.id, label, None)
        .await?;
    let base = app.base_url(&headers);
    let location = format!("{base}/api/v1/connectors/{}", made.connector.public_id);
    let connector = app
        .provision()
        .store()
        .read(move |tx| view(tx, &made, &base))
        .await?;
    let made = NewConnector {
        connector,
        token: token.secret.reveal().to_owned(),
    };
    Ok((StatusCode::CREATED, [(LOCATION, location)], Json(made)))
}

/// One connector with its rules, settings and tokens.
#[utoipa::path(get, path = "/connectors/{connector}", operation_id = "show_connector", tag = "connectors",
    params(("connector" = String, Path, description = "Its id or name")),
    responses((status = OK, body = ConnectorDetail)))]
async fn show(
    _admin: Admin,
    State(app): State<App>,
    headers: HeaderMap,
    name: Segments<String>,
) -> Answer<Json<ConnectorDetail>> {
    let base = app.base_url(&headers);
    let detail = app
        .provision()
        .store()
        .read(move |tx| detail(tx, &find(tx, &name)?, &base))
        .await?;
    Ok(Json(detail))
}

/// Changes name, preset, state, rules or settings.
///
/// With new rules every user of the connector becomes due and is evaluated anew, in pieces, while
/// the server goes on serving.
#[utoipa::path(patch, path = "/connectors/{connector}", operation_id = "change_connector", tag = "connectors",
    params(("connector" = String, Path, description = "Its id or name")),
    request_body = ConnectorChange,
    responses((status = OK, body = ConnectorDetail)))]
async fn change(
    admin: Admin,
    State(app): State<App>,
    headers: HeaderMap,
    name: Segments<String>,
    Body(change): Body<ConnectorChange>,
) -> Answer<Json<ConnectorDetail>> {
    let id = find_id(&app, &name).await?;
    let new = rules::read_all(change.rules.clone())?;
    if let Some(rules) = &new {
        app.provision().check_rules_on_data(id, rules).await?;
    }
    if change != ConnectorChange::default() {
        app.provision()
            .change_connector(id, &admin.name, move |connector| {
                set(&mut connector.rules, new.clone());
                change.clone().apply(connector)
            })
            .await?;
    }
    let base = app.base_url(&headers);
    let detail = app
        .provision()
        .store()
        .read(move |tx| {
            let found = tx.connector(id)?;
            let stored = found.ok_or_else(|| not_found(&id.to_string()))?;
            detail(tx, &stored, &base)
        })
        .await?;
    Ok(Json(detail))
}

impl ConnectorView {
    fn new(connector: &Connector, counts: SourceCounts, directory: String, base: &str) -> Self {
        Self {
            id: connector.public_id.clone(),
            name: connector.name.clone(),
            preset: connector.preset,
            state: connector.state,
            base_url: format!("{base}/scim/v2/{}", connector.public_id),
            directory,
            users: counts.users,
            groups: counts.groups,
            open_holds: 0,
            open_conflicts: 0,
            waiting_groups: 0,
            pinned_groups: 0,
            value_errors: 0,
            suppressed: 0,
            stopped: None,
        }
    }

    /// Adds what waits for somebody, and since when the connector is stopped.
    fn with_state(mut self, open: OpenDecisions, stopped: Option<Stopped>) -> Self {
        self.open_holds = open.holds;
        self.open_conflicts = open.conflicts;
        self.waiting_groups = open.groups;
        self.pinned_groups = open.pinned_groups;
        self.value_errors = open.value_errors;
        self.suppressed = open.suppressed;
        self.stopped = stopped;
        self
    }
}

/// Since when and by whom a connector is stopped, if it is.
fn stopped(tx: &ReadTx<'_>, connector: &Connector) -> Result<Option<Stopped>, StoreError> {
    if connector.state == ConnectorState::Active {
        return Ok(None);
    }
    let (since, by) = tx.connector_times(connector.id)?.state.unzip();
    let waiting = tx.waiting_count(connector.id)?;
    Ok(Some(Stopped { since, by, waiting }))
}

impl ConnectorChange {
    fn apply(self, connector: &mut Connector) -> Result<(), ProvisionError> {
        set(&mut connector.name, self.name);
        set(&mut connector.preset, self.preset);
        set(&mut connector.state, self.state);
        let settings = self.settings.unwrap_or_default();
        set(&mut connector.settings.patch_reply, settings.patch_reply);
        set(
            &mut connector.settings.accept_passwords,
            settings.accept_passwords,
        );
        if let Some(changes) = settings.departures {
            connector.settings.switch(&changes);
        }
        if settings.schedule.is_some() {
            connector.settings.schedule = settings.schedule;
        }
        if let Some(change) = settings.credentials {
            let credentials = &mut connector.settings.credentials;
            *credentials = provision::changed_credentials(credentials, change)?;
        }
        if let Some(change) = settings.limits {
            let limits = &mut connector.settings.limits;
            *limits = provision::changed_limits(limits, change)?;
        }
        Ok(())
    }
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

/// The connector of this id or name.
pub(super) fn find(tx: &ReadTx<'_>, name: &str) -> Result<StoredConnector, ProvisionError> {
    tx.find_connector(name)?.ok_or_else(|| not_found(name))
}

/// The store's numbers of the connectors of these ids or names, where any are named.
pub(super) async fn ids(
    app: &App,
    names: Option<Vec<String>>,
) -> Result<Option<Vec<ConnectorId>>, ProvisionError> {
    let Some(names) = names else {
        return Ok(None);
    };
    let found = app.provision().store().look_up(move |tx| {
        let id = |name: &String| Ok(find(tx, name)?.connector.id);
        names.iter().map(id).collect()
    });
    found.await.map(Some)
}

/// The names of these connectors, where any are named; those that are gone have none.
pub(super) fn names(
    tx: &ReadTx<'_>,
    within: Option<&[ConnectorId]>,
) -> Result<Option<Vec<String>>, ProvisionError> {
    let Some(within) = within else {
        return Ok(None);
    };
    let all = tx.connectors()?.into_iter().map(|stored| stored.connector);
    let named = all.filter(|connector| within.contains(&connector.id));
    Ok(Some(named.map(|connector| connector.name).collect()))
}

/// The store's number of the connector of this id or name.
pub(super) async fn find_id(app: &App, name: &str) -> Result<ConnectorId, ProvisionError> {
    let name = name.to_owned();
    let found = app
        .provision()
        .store()
        .look_up(move |tx| find(tx, &name))
        .await;
    found.map(|stored| stored.connector.id)
}

pub(super) fn not_found(name: &str) -> ProvisionError {
    ProvisionError::not_found("connector", name)
}

pub(super) fn view(
    tx: &ReadTx<'_>,
    stored: &StoredConnector,
    base: &str,
) -> Result<ConnectorView, StoreError> {
    let connector = &stored.connector;
    let counts = tx.source_counts(connector.id)?;
    let directory = tx.directory(connector.directory)?;
    let directory = directory.map(|found| found.name).unwrap_or_default();
    let view = ConnectorView::new(connector, counts, directory, base);
    Ok(view.with_state(tx.open_decisions(connector.id)?, stopped(tx, connector)?))
}

fn detail(
    tx: &ReadTx<'_>,
    stored: &StoredConnector,
    base: &str,
) -> Result<ConnectorDetail, ProvisionError> {
    let connector = &stored.connector;
    let tokens = tx.tokens(TokenKind::Scim(connector.id))?.into_iter();
    let tokens: Result<_, ProvisionError> = tokens.map(|token| TokenView::new(tx, token)).collect();
    let times = tx.connector_times(connector.id)?;
    Ok(ConnectorDetail {
        connector: view(tx, stored, base)?,
        due: tx.due_count(connector.id)?,
        next_run: times.next_run,
        reads_recorded_until: times.reads_recorded,
        created: connector.created,
        updated: connector.updated,
        settings: connector.settings.clone(),
        rules: connector.rules.clone(),
        tokens: tokens?,
    })
}
