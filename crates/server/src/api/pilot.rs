//! Pilots: a connector that has effect for a part of its users, and what it would mean for the others.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use directory::{Change, Pilot, SourceUserPk};
use provision::ProvisionError;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page::limit;
use super::request::{Body, Parameters, Segments};
use super::{Answer, Problem, connectors};
use crate::App;
use crate::authority::Admin;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show, set, end))
}

/// For whom a connector has effect. Name one of the two.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct PilotView {
    /// Users in one of these source groups, by the names that the identity provider uses.
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<Vec<String>>,
    /// So many of a hundred users, the same ones for as long as the number stands; a larger number adds others.
    #[serde(skip_serializing_if = "Option::is_none")]
    percent: Option<u8>,
}

impl From<Pilot> for PilotView {
    fn from(pilot: Pilot) -> Self {
        match pilot {
            Pilot::Groups(groups) => Self {
                groups: Some(groups),
                percent: None,
            },
            Pilot::Percent(percent) => Self {
                groups: None,
                percent: Some(percent),
            },
        }
    }
}

impl PilotView {
    fn pilot(self) -> Result<Pilot, Problem> {
        match (self.groups, self.percent) {
            (Some(groups), None) => Ok(Pilot::Groups(groups)),
            (None, Some(percent)) => Ok(Pilot::Percent(percent)),
            _ => {
                let detail =
                    "A pilot is for 'groups' or for 'percent' of the users; name one of the two.";
                Err(Problem::invalid("pilot", detail))
            }
        }
    }
}

/// A part of the users of a connector, seen under its pilot.
#[derive(Debug, Serialize, ToSchema)]
struct PilotPage {
    /// For whom the connector has effect; absent if that is everybody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pilot: Option<PilotView>,
    /// Users of this page for whom it has effect.
    inside: usize,
    /// Users of this page for whom it has none.
    outside: usize,
    /// Those outside for whom it would change something.
    items: Vec<WaitingView>,
    /// What to send as `after` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<i64>,
}

/// Somebody for whom a connector would change something.
#[derive(Debug, Serialize, ToSchema)]
struct WaitingView {
    /// The SCIM id.
    id: String,
    /// The userName at the identity provider.
    user_name: String,
    /// What it would change.
    #[schema(value_type = Vec<Object>)]
    changes: Vec<Change>,
}

/// Which part to look at.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PilotQuery {
    /// `next` of the page before.
    after: Option<i64>,
    /// How many users to look at, 1 to 1000; 100 if left out.
    limit: Option<u32>,
}

/// For whom a connector has effect, and what it would change for the others.
///
/// A page looks at `limit` users, whether or not anything would change for them.
#[utoipa::path(get, path = "/connectors/{connector}/pilot", operation_id = "show_pilot", tag = "connectors",
    params(("connector" = String, Path, description = "Its id or name"), PilotQuery),
    responses((status = OK, body = PilotPage)))]
async fn show(
    _admin: Admin,
    State(app): State<App>,
    name: Segments<String>,
    Parameters(query): Parameters<PilotQuery>,
) -> Answer<Json<PilotPage>> {
    let limit = limit(query.limit)?;
    let provision = app.provision().clone();
    let page = app.provision().store().read(move |tx| {
        let connector = connectors::find(tx, &name)?.connector;
        let after = SourceUserPk(query.after.unwrap_or(0));
        let look = provision.look_at_pilot(tx, connector.id, after, limit)?;
        let items = look.waiting.into_iter().map(|one| WaitingView {
            id: one.id,
            user_name: one.user_name,
            changes: one.changes,
        });
        Ok::<_, ProvisionError>(PilotPage {
            pilot: connector.settings.pilot.map(PilotView::from),
            inside: look.inside,
            outside: look.outside,
            items: items.collect(),
            next: look.next.map(|next| next.0),
        })
    });
    Ok(Json(page.await?))
}

/// Lets a connector have effect for a part of its users only. The accounts of the others stay as they are.
///
/// Deletions by the identity provider have effect for everybody.
#[utoipa::path(put, path = "/connectors/{connector}/pilot", operation_id = "set_pilot", tag = "connectors",
    params(("connector" = String, Path, description = "Its id or name")),
    request_body = PilotView,
    responses((status = NO_CONTENT)))]
async fn set(
    admin: Admin,
    State(app): State<App>,
    name: Segments<String>,
    Body(pilot): Body<PilotView>,
) -> Answer<StatusCode> {
    let pilot = pilot.pilot()?;
    let id = connectors::find_id(&app, &name).await?;
    app.provision()
        .set_pilot(id, Some(pilot), &admin.name)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends a pilot: the connector has effect for everybody, and all its users are evaluated anew.
#[utoipa::path(delete, path = "/connectors/{connector}/pilot", operation_id = "end_pilot", tag = "connectors",
    params(("connector" = String, Path, description = "Its id or name")),
    responses((status = NO_CONTENT)))]
async fn end(admin: Admin, State(app): State<App>, name: Segments<String>) -> Answer<StatusCode> {
    let id = connectors::find_id(&app, &name).await?;
    app.provision().set_pilot(id, None, &admin.name).await?;
    Ok(StatusCode::NO_CONTENT)
}
