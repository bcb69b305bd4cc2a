//! Users of a connector as its identity provider wrote them, whether or not the rules give them an account.

use axum::Json;
use axum::extract::State;
use directory::{ConnectorId, SourceUserPk};
use jiff::Timestamp;
use provision::ProvisionError;
use scim::Resource;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use store::{ReadTx, SourcePeople, SourcePerson, SourceUser};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page::{Page, limit, not_a_place};
use super::request::{Parameters, Segments};
use super::{Answer, Problem, connectors};
use crate::App;
use crate::authority::Admin;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show))
}

/// A user of a connector in a list.
#[derive(Debug, Serialize, ToSchema)]
struct SourceUserView {
    /// The SCIM `id`.
    id: String,
    /// The `userName`.
    user_name: String,
    /// The full name, as the identity provider writes it; empty if it says none.
    display_name: String,
    /// The e-mail address, likewise.
    email: String,
    /// The identity provider's own id.
    external_id: Option<String>,
    /// Whether the identity provider says so.
    active: bool,
    /// When it wrote the user last.
    #[schema(value_type = String, format = DateTime)]
    updated: Timestamp,
    /// The account; absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<AccountOfView>,
}

/// The account of a user.
#[derive(Debug, Serialize, ToSchema)]
struct AccountOfView {
    /// The stable key.
    key: String,
    /// The name that products see.
    name: String,
}

/// A user of a connector with all that was written.
#[derive(Debug, Serialize, ToSchema)]
struct SourceUserDetail {
    #[serde(flatten)]
    user: SourceUserView,
    /// All that the identity provider said.
    #[schema(value_type = Object)]
    document: Map<String, Value>,
    /// The names of the identity provider's groups that have the user.
    groups: Vec<String>,
}

/// Which users to list.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SourceUserQuery {
    /// Only users of whom the `userName`, the full name or an address begins with the text, or of whom it is the SCIM `id` or
    /// the id at the identity provider; who is meant most likely first, and no further page.
    search: Option<String>,
    /// Only users who have no account, or only those who have one.
    account: Option<bool>,
    /// `next` of the page before. Among those without an account a page may have fewer, even if another follows.
    after: Option<String>,
    /// How many at most, 1 to 1000; 100 if left out.
    limit: Option<u32>,
}

/// Users as the identity provider wrote them, with their accounts, in the order in which they came.
///
/// Why somebody has none, `/connectors/{connector}/users/{user}/why` tells.
#[utoipa::path(get, path = "/connectors/{connector}/users", operation_id = "list_source_users", tag = "connectors",
    params(("connector" = String, Path, description = "Its id or name"), SourceUserQuery),
    responses((status = OK, body = Page<SourceUserView>)))]
async fn list(
    _admin: Admin,
    State(app): State<App>,
    connector: Segments<String>,
    Parameters(query): Parameters<SourceUserQuery>,
) -> Answer<Json<Page<SourceUserView>>> {
    let limit = limit(query.limit)?;
    let search = query
        .search
        .as_deref()
        .unwrap_or_default()
        .trim()
        .to_owned();
    if !search.is_empty() && query.after.is_some() {
        return Err(Problem::invalid(
            "after",
            "'after' cannot be used with 'search', which has one page. Write more of the name instead.",
        ));
    }
    let behind = query.after.as_deref().map_or(Ok(0), str::parse);
    let behind = SourceUserPk(behind.map_err(not_a_place)?);
    let store = app.provision().store();
    let page = store.read(move |tx| {
        let id = connectors::find(tx, &connector)?.connector.id;
        let unaccounted = query.account == Some(false);
        let mut found = match search.as_str() {
            "" => tx.source_people(id, unaccounted, behind, limit)?,
            text => SourcePeople {
                people: tx.source_people_beginning(id, unaccounted, text, limit)?,
                next: None,
            },
        };
        if query.account == Some(true) {
            found.people.retain(|one| one.account.is_some());
        }
        let pks: Vec<SourceUserPk> = found.people.iter().map(|person| person.user).collect();
        let mut users = tx.source_users_by_pk(id, &pks)?;
        let items = found.people.into_iter().filter_map(|person| {
            let user = users.remove(&person.user)?;
            Some(view(&user, person))
        });
        Ok::<_, ProvisionError>(Page {
            items: items.collect(),
            next: found.next.map(|next| next.0.to_string()),
        })
    });
    Ok(Json(page.await?))
}

/// One user as the identity provider wrote it.
#[utoipa::path(get, path = "/connectors/{connector}/users/{user}", operation_id = "show_source_user", tag = "connectors",
    params(
        ("connector" = String, Path, description = "Its id or name"),
        ("user" = String, Path, description = "The SCIM id, or the userName"),
    ),
    responses((status = OK, body = SourceUserDetail)))]
async fn show(
    _admin: Admin,
    State(app): State<App>,
    path: Segments<(String, String)>,
) -> Answer<Json<SourceUserDetail>> {
    let store = app.provision().store();
    let detail = store.read(move |tx| {
        let (connector, user) = &*path;
        let connector = connectors::find(tx, connector)?.connector.id;
        detail(tx, connector, user)
    });
    Ok(Json(detail.await?))
}

fn detail(
    tx: &ReadTx<'_>,
    connector: ConnectorId,
    user: &str,
) -> Result<SourceUserDetail, ProvisionError> {
    let by_name = tx.source_user_id_by_user_name(connector, user)?;
    let id = by_name.as_deref().unwrap_or(user);
    let found = tx.source_user(connector, id)?;
    let found = found.ok_or_else(|| ProvisionError::not_found("user", user))?;
    let groups = tx.source_groups_of(connector, found.pk)?.into_iter();
    let person = tx.source_person(connector, found.pk)?;
    Ok(SourceUserDetail {
        groups: groups.map(|group| group.display).collect(),
        document: serde_json::from_str(&found.document).unwrap_or_default(),
        user: view(&found, person),
    })
}

fn view(user: &SourceUser, person: SourcePerson) -> SourceUserView {
    let written = Resource::parse_stored(&user.document).unwrap_or_default();
    let emails = written.emails();
    let email = emails.iter().find(|email| email.primary);
    let email = email.or(emails.first()).map(|email| email.value.clone());
    SourceUserView {
        id: user.id.clone(),
        user_name: written.user_name().unwrap_or_default().to_owned(),
        display_name: written.display_name().unwrap_or_default().to_owned(),
        email: email.unwrap_or_default(),
        external_id: written.external_id().map(str::to_owned),
        active: written.active().unwrap_or(true),
        updated: user.meta.last_modified,
        account: person
            .account
            .map(|(key, name)| AccountOfView { key, name }),
    }
}
