//! Directories that several connectors share: whose word counts for what, and what another order would change.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use directory::rules::Target;
use directory::{Change, ConnectorId, DirectoryId, Precedence, RuleError, UserPk};
use provision::{PrecededUser, ProvisionError};
use serde::{Deserialize, Serialize};
use store::ReadTx;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::history::PastAccountView;
use super::jobs::{JobView, seen};
use super::page::limit;
use super::request::{Body, Parameters, Segments};
use super::{Answer, connectors, directories};
use crate::App;
use crate::authority::Admin;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(show, set, end))
        .routes(routes!(preview))
}

/// Whose word counts where several connectors know the same person.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PrecedenceView {
    /// Connectors by name or id, the one whose word counts most first. After those that are named comes the connector to
    /// which the account belongs, then the others in the order in which they were made.
    #[serde(default)]
    order: Vec<String>,
    /// Other orders for single targets: `username`, `email`, `display_name`, `first_name`, `last_name`, `attr:NAME` ... For
    /// `groups`, the first that knows the person decides alone; left out, the groups that all give are joined.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    targets: BTreeMap<String, Vec<String>>,
}

/// Whether connectors share a directory, and whose word counts.
#[derive(Debug, Serialize, ToSchema)]
struct SharingView {
    /// Whose word counts; absent where each account is spoken of by one connector alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    precedence: Option<PrecedenceView>,
    /// How many accounts several connectors speak of.
    shared_accounts: i64,
}

/// Evaluations that began.
#[derive(Debug, Serialize, ToSchema)]
struct Begun {
    /// One job of each connector of the directory.
    jobs: Vec<JobView>,
}

/// What another precedence would change.
#[derive(Debug, Serialize, ToSchema)]
struct PrecedencePreview {
    /// How many accounts several connectors speak of by now.
    shared_accounts: i64,
    /// Those of this page for which something would change.
    items: Vec<PrecedenceItem>,
    /// What to send as `after` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<i64>,
}

/// What another precedence would make of one account.
#[derive(Debug, Serialize, ToSchema)]
struct PrecedenceItem {
    /// The user name.
    user: String,
    /// The stable key.
    key: String,
    /// As it is.
    before: PastAccountView,
    /// As it would be.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<PastAccountView>,
    /// The changes that lead there.
    #[schema(value_type = Vec<Object>)]
    changes: Vec<Change>,
}

impl From<PrecededUser> for PrecedenceItem {
    fn from(user: PrecededUser) -> Self {
        Self {
            user: user.name,
            key: user.key,
            before: user.before.into(),
            after: user.after.map(PastAccountView::from),
            changes: user.changes,
        }
    }
}

/// Which part of a preview to show.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PreviewQuery {
    /// `next` of the page before.
    after: Option<i64>,
    /// How many shared accounts to look at, 1 to 1000; 100 if left out.
    limit: Option<u32>,
}

impl PrecedenceView {
    fn of(tx: &ReadTx<'_>, precedence: &Precedence) -> Result<Self, ProvisionError> {
        let names = |ids: &Vec<ConnectorId>| {
            let mut names = Vec::with_capacity(ids.len());
            for id in ids {
                // One that is gone since counts no more.
                names.extend(tx.connector(*id)?.map(|stored| stored.connector.name));
            }
            Ok::<_, ProvisionError>(names)
        };
        let targets = precedence.targets.iter();
        let targets = targets.map(|(target, ids)| Ok((target.to_string(), names(ids)?)));
        Ok(Self {
            order: names(&precedence.order)?,
            targets: targets.collect::<Result<_, ProvisionError>>()?,
        })
    }

    fn read(&self, tx: &ReadTx<'_>) -> Result<Precedence, ProvisionError> {
        let find = |names: &Vec<String>| {
            let ids = names.iter();
            ids.map(|name| Ok(connectors::find(tx, name)?.connector.id))
                .collect::<Result<Vec<_>, ProvisionError>>()
        };
        let mut precedence = Precedence {
            order: find(&self.order)?,
            ..Precedence::default()
        };
        for (target, names) in &self.targets {
            let known = Target::try_from(target.clone()).map_err(|message| {
                let path = format!("targets.{target}");
                let remedy = "name a target of mapping rows, or `groups`".to_owned();
                ProvisionError::Precedence(vec![RuleError {
                    path,
                    message,
                    remedy,
                }])
            })?;
            precedence.targets.insert(known, find(names)?);
        }
        Ok(precedence)
    }
}

/// Whether connectors share a directory, and whose word counts.
#[utoipa::path(get, path = "/directories/{directory}/precedence", operation_id = "show_precedence", tag = "directories",
    params(("directory" = String, Path, description = "Its id or name")),
    responses((status = OK, body = SharingView)))]
async fn show(
    _admin: Admin,
    State(app): State<App>,
    name: Segments<String>,
) -> Answer<Json<SharingView>> {
    directories::answer(&app, name.0, |tx, directory| {
        let precedence = tx.precedence(directory)?;
        let precedence = precedence.map(|it| PrecedenceView::of(tx, &it));
        Ok(SharingView {
            precedence: precedence.transpose()?,
            shared_accounts: tx.count_shared_accounts(directory)?,
        })
    })
    .await
}

/// Lets the connectors of a directory share accounts, and says whose word counts.
///
/// A user of one connector who meets an account of another, by what its rule `identity` says, speaks of that account from then on. The
/// account goes on belonging to its connector, which says whether it is active; when that one has the person no more, it passes
/// to the next that has. Everybody in the directory is evaluated, by a job of kind `rules` for each connector.
#[utoipa::path(put, path = "/directories/{directory}/precedence", operation_id = "set_precedence", tag = "directories",
    params(("directory" = String, Path, description = "Its id or name")),
    request_body = PrecedenceView,
    responses((status = ACCEPTED, body = Begun)))]
async fn set(
    admin: Admin,
    State(app): State<App>,
    name: Segments<String>,
    Body(view): Body<PrecedenceView>,
) -> Answer<impl IntoResponse> {
    let directory = directories::find_id(&app, name.0).await?;
    let store = app.provision().store();
    let precedence = store.read(move |tx| view.read(tx)).await?;
    changed(&app, directory, Some(precedence), &admin.name).await
}

/// Lets each account of a directory be spoken of by one connector alone. What others said of it goes.
#[utoipa::path(delete, path = "/directories/{directory}/precedence", operation_id = "end_precedence", tag = "directories",
    params(("directory" = String, Path, description = "Its id or name")),
    responses((status = ACCEPTED, body = Begun)))]
async fn end(
    admin: Admin,
    State(app): State<App>,
    name: Segments<String>,
) -> Answer<impl IntoResponse> {
    let directory = directories::find_id(&app, name.0).await?;
    changed(&app, directory, None, &admin.name).await
}

async fn changed(
    app: &App,
    directory: DirectoryId,
    precedence: Option<Precedence>,
    actor: &str,
) -> Answer<(StatusCode, Json<Begun>)> {
    let provision = app.provision();
    let begun = provision
        .set_precedence(directory, precedence, actor)
        .await?;
    let mut jobs = Vec::with_capacity(begun.len());
    for one in begun {
        jobs.push(seen(app, one.job).await?);
    }
    Ok((StatusCode::ACCEPTED, Json(Begun { jobs })))
}

/// What another precedence would change for accounts that several connectors speak of, without changing it.
#[utoipa::path(post, path = "/directories/{directory}/precedence/preview", operation_id = "preview_precedence", tag = "directories",
    extensions(("x-changes" = json!("nothing"))),
    params(("directory" = String, Path, description = "Its id or name"), PreviewQuery),
    request_body = PrecedenceView,
    responses((status = OK, body = PrecedencePreview)))]
async fn preview(
    _admin: Admin,
    State(app): State<App>,
    name: Segments<String>,
    Parameters(query): Parameters<PreviewQuery>,
    Body(view): Body<PrecedenceView>,
) -> Answer<Json<PrecedencePreview>> {
    let limit = limit(query.limit)?;
    let provision = app.provision().clone();
    directories::answer(&app, name.0, move |tx, directory| {
        let precedence = view.read(tx)?;
        let after = UserPk(query.after.unwrap_or(0));
        let found = provision.preview_precedence(tx, directory, &precedence, after, limit)?;
        Ok(PrecedencePreview {
            shared_accounts: found.shared,
            items: found.users.into_iter().map(PrecedenceItem::from).collect(),
            next: found.next.map(|user| user.0),
        })
    })
    .await
}
