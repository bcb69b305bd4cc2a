//! What switches of the rules keep back, user by user (MO-05 to MO-08).

use axum::Json;
use axum::extract::State;
use directory::trace::Suppressed;
use jiff::Timestamp;
use scim::Resource;
use serde::Serialize;
use store::{SuppressedPlace, SuppressedUser};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page::{Page, Part, cut, limit, not_a_place, one_more};
use super::request::{Parameters, Segments};
use super::{Answer, connectors};
use crate::App;
use crate::authority::Admin;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Somebody for whom switches of the rules keep something back.
#[derive(Debug, Serialize, ToSchema)]
struct SuppressedUserView {
    /// The SCIM `id` of the user; absent if the identity provider deleted the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<String>,
    /// The `userName`; of a deleted user the name of the account.
    user_name: String,
    /// The key of the account, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    /// What is kept back, switch by switch.
    kept_back: Vec<KeptBackView>,
    /// Since when it is so.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
}

/// What one switch keeps back.
#[derive(Debug, Serialize, ToSchema)]
struct KeptBackView {
    /// The switch, by its place in the rules: `accounts.create`, `accounts.update`, `accounts.enable` or `accounts.disable`.
    switch: &'static str,
    /// What it does, as a sentence.
    text: &'static str,
}

/// Users of the connector for whom switches of the rules keep something back, and which. They follow the identity
/// provider again when the switch is on.
#[utoipa::path(get, path = "/connectors/{connector}/suppressed", operation_id = "list_suppressed", tag = "connectors",
    params(("connector" = String, Path, description = "Its id or name"), Part),
    responses((status = OK, body = Page<SuppressedUserView>)))]
async fn list(
    _admin: Admin,
    State(app): State<App>,
    connector: Segments<String>,
    Parameters(part): Parameters<Part>,
) -> Answer<Json<Page<SuppressedUserView>>> {
    let limit = limit(part.limit)?;
    let behind = place(part.after.as_deref())?;
    let id = connectors::find_id(&app, &connector).await?;
    let most = one_more(limit);
    let store = app.provision().store();
    let mut found = store
        .read(move |tx| tx.suppressed_users(id, behind, most))
        .await?;
    Ok(Json(Page {
        next: cut(&mut found, limit, |last| word(last.place)),
        items: found.into_iter().map(SuppressedUserView::from).collect(),
    }))
}

impl From<SuppressedUser> for SuppressedUserView {
    fn from(user: SuppressedUser) -> Self {
        let (key, name) = user.account.unzip();
        let (id, document) = user.source.unzip();
        let document = document.map(|it| Resource::parse_stored(&it).unwrap_or_default());
        let written = document.and_then(|it| it.user_name().map(str::to_owned));
        Self {
            user_id: id,
            user_name: written.or(name).unwrap_or_default(),
            account: key,
            kept_back: user.switches.into_iter().map(KeptBackView::from).collect(),
            since: user.since,
        }
    }
}

impl From<Suppressed> for KeptBackView {
    fn from(what: Suppressed) -> Self {
        Self {
            switch: what.switch(),
            text: what.text(),
        }
    }
}

/// A place in the list as a word, and read back: those whose user was deleted come after the others.
fn word(place: SuppressedPlace) -> String {
    let of = if place.deleted { "deleted-" } else { "" };
    format!("{of}{}", place.last)
}

fn place(after: Option<&str>) -> Answer<SuppressedPlace> {
    let Some(text) = after else {
        return Ok(SuppressedPlace::default());
    };
    let (deleted, number) = match text.strip_prefix("deleted-") {
        Some(number) => (true, number),
        None => (false, text),
    };
    Ok(SuppressedPlace {
        deleted,
        last: number.parse().map_err(not_a_place)?,
    })
}
