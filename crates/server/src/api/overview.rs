//! The overview: whether each identity provider and each product is current, and how much happens.

use axum::Json;
use axum::extract::State;
use directory::{ApplicationId, Connector, ConnectorState, DirectoryId, Preset};
use jiff::{SignedDuration, Timestamp};
use provision::{ProvisionError, RefusedProduct, poll_report, silence_report};
use serde::Serialize;
use std::collections::HashMap;
use store::{Application, DirectoryCounts, ReadTx, Rights, StoreError, TokenKind};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::applications::GateView;
use super::directories::{self, DirectoryView, names_of_directories};
use super::request::Segments;
use super::{Answer, applications, schema};
use crate::App;
use crate::authority::Admin;
use crate::seen;

/// Errors are counted over this time.
const ERRORS_OF: SignedDuration = SignedDuration::from_hours(24);
/// Errors that are counted.
const ERRORS_MAX: i64 = 1_000;
/// Changes behind a product that are counted.
const BEHIND_MAX: i64 = 1_000;
/// Credentials that end within this time are told of.
const ENDS_SOON: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Pieces of the last day.
const PIECES: i64 = 24;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(show))
        .routes(routes!(application_position))
}

/// Whether each identity provider and each product is current, and how much happens.
#[derive(Debug, Serialize, ToSchema)]
struct OverviewView {
    /// Each identity provider, in the order the connectors were made.
    connectors: Vec<ProviderView>,
    /// Each product, by name of its application.
    applications: Vec<ProductView>,
    /// All directories, in the order they were made.
    directories: Vec<DirectoryView>,
    /// Tokens of this API that end within 30 days.
    api_tokens_ending: Vec<EndingView>,
    /// The last 24 hours, an hour each, oldest first.
    activity: Vec<HourView>,
}

/// An identity provider.
#[derive(Debug, Serialize, ToSchema)]
struct ProviderView {
    /// The name of the connector.
    connector: String,
    /// Which identity provider it is for.
    #[schema(schema_with = schema::preset)]
    preset: Preset,
    /// What people call it.
    called: &'static str,
    /// Whether its writes are taken, and whether they have effect.
    #[schema(schema_with = schema::connector_state)]
    state: ConnectorState,
    /// The name of the directory that it feeds.
    directory: String,
    /// Users in its source.
    users: i64,
    /// Groups in its source.
    groups: i64,
    /// Users whose evaluation is still to come.
    due: i64,
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
    /// Requests that failed in the last 24 hours, 1000 at most.
    errors: i64,
    /// When it last asked for anything.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_heard: Option<Timestamp>,
    /// Seconds that usually pass between its visits, if enough of them are on record.
    usual_pause: Option<i64>,
    /// Whether it has been away for more than three times as long as usual.
    silent: bool,
    /// Its tokens that end within 30 days.
    tokens_ending: Vec<EndingView>,
}

/// A product.
#[derive(Debug, Serialize, ToSchema)]
struct ProductView {
    /// The id of the application.
    id: String,
    /// Its name.
    name: String,
    /// When it last asked for anything, to the minute.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_seen: Option<Timestamp>,
    /// When it last came to fetch: what is new, or everything.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_poll: Option<Timestamp>,
    /// Seconds that usually pass until it comes to fetch again, if it has come often enough to tell.
    usual_pause: Option<i64>,
    /// Whether it has not come to fetch for more than three times as long as usual.
    silent: bool,
    /// How current it is on each directory that it sees.
    directories: Vec<LagView>,
    /// That it was not let in since it last was, as far as this node knows since it was started.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<RefusedView>,
}

/// That a product was not let in.
#[derive(Debug, Serialize, ToSchema)]
struct RefusedView {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Whence, if that is known.
    address: Option<String>,
    /// `address` if it may not come from there, `password` if its password was wrong.
    why: &'static str,
}

impl From<&RefusedProduct> for RefusedView {
    fn from(refused: &RefusedProduct) -> Self {
        Self {
            at: refused.at,
            address: refused.address.clone(),
            why: match refused.is_address {
                true => "address",
                false => "password",
            },
        }
    }
}

/// How far a product has read a directory.
#[derive(Debug, Serialize, ToSchema)]
struct LagView {
    /// The name of the directory.
    directory: String,
    /// The position of its journal that the product has fetched up to; null if it has never asked.
    position: Option<i64>,
    /// The newest position.
    newest: i64,
    /// Changes that it has not fetched, 1000 at most. Numbers of other directories lie between their positions.
    changes_behind: i64,
    /// When the first change was made that it has not fetched.
    #[schema(value_type = Option<String>, format = DateTime)]
    behind_since: Option<Timestamp>,
    /// What is wrong with the groups whose members may log in.
    #[serde(flatten)]
    gate: GateView,
}

/// A credential that ends soon, or has ended.
#[derive(Debug, Serialize, ToSchema)]
struct EndingView {
    /// What it is for.
    label: String,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    expires: Timestamp,
}

/// How much happened in an hour. Of each connector and directory 50,000 at most are counted.
#[derive(Debug, Serialize, ToSchema)]
struct HourView {
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// Requests that wrote or failed.
    requests: i64,
    /// Those of them that failed.
    errors: i64,
    /// Changes of directories.
    changes: i64,
}

/// Whether each identity provider and each product is current, and how much happens.
///
/// Who is confined to some connectors is told of these, of the directories that they alone feed, and of no products.
#[utoipa::path(get, path = "/overview", operation_id = "show_overview", tag = "directories",
    responses((status = OK, body = OverviewView)))]
async fn show(admin: Admin, State(app): State<App>) -> Answer<Json<OverviewView>> {
    app.flush_records().await;
    seen::write_once(&app).await;
    let store = app.provision().store();
    let refused = app.inner().seen.refused_applications();
    let view = store.read(move |tx| overview(tx, &admin.rights, &refused));
    let view = view.await?;
    Ok(Json(view))
}

/// How far an application has read each directory that it sees, and when it last asked.
#[utoipa::path(get, path = "/applications/{application}/position", operation_id = "show_application_position",
    tag = "applications", params(("application" = String, Path, description = "Its id or name")),
    responses((status = OK, body = ProductView)))]
async fn application_position(
    _admin: Admin,
    State(app): State<App>,
    name: Segments<String>,
) -> Answer<Json<ProductView>> {
    seen::write_once(&app).await;
    let found = applications::find(&app, &name).await?;
    let refused = app.inner().seen.refused_applications();
    let view = app.provision().store().read(move |tx| {
        let names = names_of_directories(tx)?;
        let attached = found.mapping.directories.iter();
        let attached: Vec<DirectoryId> = attached.map(|one| one.directory).collect();
        let counts = tx.directory_counts(&attached)?;
        product(tx, found.clone(), (&names, &counts), &refused)
    });
    Ok(Json(view.await?))
}

fn overview(
    tx: &ReadTx<'_>,
    rights: &Rights,
    refused: &HashMap<ApplicationId, RefusedProduct>,
) -> Result<OverviewView, ProvisionError> {
    let names = names_of_directories(tx)?;
    let sources = tx.source_counts_of_all()?;
    let mut connectors = Vec::new();
    let within = tx.connectors()?.into_iter();
    let within = within.filter(|stored| rights.reach(stored.connector.id));
    for stored in within {
        let (counts, due) = sources
            .get(&stored.connector.id)
            .copied()
            .unwrap_or_default();
        let directory = names.get(&stored.connector.directory).cloned();
        connectors.push(ProviderView {
            directory: directory.unwrap_or_default(),
            users: counts.users,
            groups: counts.groups,
            due,
            ..provider(tx, &stored.connector)?
        });
    }
    let mut applications = Vec::new();
    let mut api_tokens_ending = Vec::new();
    // Products and tokens of this API are nobody's part.
    if rights.connectors.is_none() {
        let attached: Vec<DirectoryId> = names.keys().copied().collect();
        let counts = tx.directory_counts(&attached)?;
        for application in tx.applications()? {
            applications.push(product(tx, application, (&names, &counts), refused)?);
        }
        api_tokens_ending = ending(tx, TokenKind::Api)?;
    }
    Ok(OverviewView {
        connectors,
        applications,
        directories: directories::all_directories(tx, rights)?,
        api_tokens_ending,
        activity: activity(tx, rights)?,
    })
}

fn provider(tx: &ReadTx<'_>, connector: &Connector) -> Result<ProviderView, StoreError> {
    let now = tx.now();
    let report = silence_report(tx, connector.id)?;
    let open = tx.open_decisions(connector.id)?;
    Ok(ProviderView {
        connector: connector.name.clone(),
        preset: connector.preset,
        called: connector.preset.called(),
        state: connector.state,
        directory: String::new(),
        users: 0,
        groups: 0,
        due: 0,
        open_holds: open.holds,
        open_conflicts: open.conflicts,
        waiting_groups: open.groups,
        pinned_groups: open.pinned_groups,
        value_errors: open.value_errors,
        errors: tx.failed_requests(connector.id, now - ERRORS_OF, ERRORS_MAX)?,
        silent: report.silent,
        usual_pause: report.usual_pause.map(|usual| usual.as_secs()),
        last_heard: report.last_heard,
        tokens_ending: ending(tx, TokenKind::Scim(connector.id))?,
    })
}

fn product(
    tx: &ReadTx<'_>,
    application: Application,
    (names, counts): (
        &HashMap<DirectoryId, String>,
        &HashMap<DirectoryId, DirectoryCounts>,
    ),
    refused: &HashMap<ApplicationId, RefusedProduct>,
) -> Result<ProductView, StoreError> {
    let gates = GateView::of(tx, &application)?;
    let polls = poll_report(tx, application.id)?;
    // One that was let in since has the right password now.
    let is_since = |one: &&RefusedProduct| application.last_seen.is_none_or(|seen| seen < one.at);
    let refused = refused.get(&application.id).filter(is_since);
    let mut directories = Vec::new();
    for (attached, gate) in application.mapping.directories.into_iter().zip(gates) {
        let newest = counts.get(&attached.directory).map(|one| one.position);
        let newest = newest.unwrap_or_default();
        let behind = attached.last_position.filter(|position| *position < newest);
        let (changes_behind, behind_since) = match behind {
            Some(position) => tx.changes_behind(attached.directory, position, BEHIND_MAX)?,
            None => (0, None),
        };
        directories.push(LagView {
            directory: names.get(&attached.directory).cloned().unwrap_or_default(),
            position: attached.last_position,
            newest,
            changes_behind,
            behind_since,
            gate,
        });
    }
    Ok(ProductView {
        id: application.public_id,
        name: application.name,
        last_seen: application.last_seen,
        last_poll: polls.last_heard,
        usual_pause: polls.usual_pause.map(|usual| usual.as_secs()),
        silent: polls.silent,
        directories,
        refused: refused.map(RefusedView::from),
    })
}

fn ending(tx: &ReadTx<'_>, kind: TokenKind) -> Result<Vec<EndingView>, StoreError> {
    let soon = tx.now() + ENDS_SOON;
    let tokens = tx.tokens(kind)?.into_iter();
    let ending = tokens.filter_map(|token| {
        let expires = token.expires.filter(|expires| *expires <= soon)?;
        Some(EndingView {
            label: token.label,
            expires,
        })
    });
    Ok(ending.collect())
}

fn activity(tx: &ReadTx<'_>, rights: &Rights) -> Result<Vec<HourView>, StoreError> {
    let now = tx.now();
    let from = |pieces: i64| now - SignedDuration::from_hours(pieces);
    let mut bounds: Vec<Timestamp> = (1..=PIECES).rev().map(from).collect();
    // What has just happened is in the last piece.
    bounds.push(now + SignedDuration::from_secs(1));
    let pulse = tx.pulse(&bounds, rights)?;
    let hours = bounds.into_iter().zip(pulse).map(|(from, pulse)| HourView {
        from,
        requests: pulse.requests,
        errors: pulse.errors,
        changes: pulse.changes,
    });
    Ok(hours.collect())
}
