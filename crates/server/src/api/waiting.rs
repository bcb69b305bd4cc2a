//! What waits for somebody: members whom nobody knows yet, users whose name is taken, and values that cannot be used.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use directory::{Connector, ConnectorId, GivenUp, MatchedBy, User, ValueError};
use jiff::Timestamp;
use provision::{Decided, Provision, ProvisionError};
use scim::Resource;
use serde::{Deserialize, Serialize};
use store::{FlaggedUser, NameConflict, ReadTx, StoreError};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page::{Page, Part, cut, limit, not_a_place, one_more};
use super::request::{Body, Parameters, Segments};
use super::users::connector_names;
use super::{Answer, connectors};
use crate::App;
use crate::authority::Admin;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(pending))
        .routes(routes!(conflicts))
        .routes(routes!(decide))
        .routes(routes!(value_errors))
}

/// A member that a group names and that is not there yet.
#[derive(Debug, Serialize, ToSchema)]
struct PendingMemberView {
    /// The id by which the identity provider names it.
    value: String,
    /// The SCIM `id` of the group.
    group_id: String,
    /// The group's `displayName`.
    group: String,
}

/// A user who could not have the name that the rules give.
#[derive(Debug, Serialize, ToSchema)]
struct NameConflictView {
    /// The SCIM `id` of the user.
    user_id: String,
    /// The user's `userName`.
    user_name: String,
    /// The full name, as the identity provider writes it; empty if it says none.
    display_name: String,
    /// The e-mail address, likewise.
    email: String,
    /// The name that is taken, in small letters.
    wanted: String,
    /// Since when it is so.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// By what the user and the account were taken for one person: `username`, `email` or `attribute`.
    #[schema(value_type = String)]
    matched_by: MatchedBy,
    /// The value that both have; absent if nobody has the name, or the account has another value by now.
    #[serde(skip_serializing_if = "Option::is_none")]
    matched_value: Option<String>,
    /// The attribute that both have the value in, if it is by that.
    #[serde(skip_serializing_if = "Option::is_none")]
    matched_attribute: Option<String>,
    /// Somebody decided that they are two people.
    kept: bool,
    /// Who has the name; absent if it has become free and the user is about to be evaluated, or if it is kept.
    holder: Option<HolderView>,
    /// Nobody has the name, and it is kept for whoever had it.
    #[serde(skip_serializing_if = "Option::is_none")]
    reserved: Option<KeptNameView>,
}

/// For whom a name is kept.
#[derive(Debug, Serialize, ToSchema)]
struct KeptNameView {
    /// The key of the account that had it.
    key: String,
    /// How it was given up: `renamed`, `removed` or `anonymised`.
    #[schema(value_type = String)]
    given_up: GivenUp,
    /// When it was given up.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// Until when nobody else gets it.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
}

/// A user for whom the rules give values that cannot be used. Products keep the old ones.
#[derive(Debug, Serialize, ToSchema)]
struct FlaggedUserView {
    /// The SCIM `id` of the user.
    user_id: String,
    /// The user's `userName`.
    user_name: String,
    /// What is wrong: the `target` of a mapping row (`groups` of rules for group names), and a `message` about its value.
    #[schema(value_type = Vec<Object>)]
    errors: Vec<ValueError>,
    /// Since when it is so.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
}

/// What was decided about a user and the account in its way.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Decision {
    /// `link`: both are one person, and the account becomes the user's own. `keep`: they are two people, and both
    /// stay as they are.
    action: Action,
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Action {
    Link,
    Keep,
}

/// The account that has a name.
#[derive(Debug, Serialize, ToSchema)]
struct HolderView {
    /// The stable key.
    key: String,
    /// The name.
    name: String,
    /// The full name.
    display_name: String,
    /// The e-mail address; empty if unknown.
    email: String,
    /// The name of the connector that owns it; none if it is kept here.
    connector: Option<String>,
}

/// Which conflicts to list.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ConflictQuery {
    /// Only that of the user with this SCIM `id`.
    user: Option<String>,
    /// `next` of the page before.
    after: Option<String>,
    /// How many at most, 1 to 1000; 100 if left out.
    limit: Option<u32>,
}

/// Members whom groups of the connector name and whom nobody knows yet. They join when they appear.
#[utoipa::path(get, path = "/connectors/{connector}/pending-members", operation_id = "list_pending_members", tag = "connectors",
    params(("connector" = String, Path, description = "Its id or name"), Part),
    responses((status = OK, body = Page<PendingMemberView>)))]
async fn pending(
    _admin: Admin,
    State(app): State<App>,
    connector: Segments<String>,
    Parameters(part): Parameters<Part>,
) -> Answer<Json<Page<PendingMemberView>>> {
    let limit = limit(part.limit)?;
    let (group, value) = match part.after.as_deref() {
        None => (0, String::new()),
        Some(text) => text
            .split_once('.')
            .and_then(|(group, value)| Some((group.parse().ok()?, value.to_owned())))
            .ok_or_else(|| not_a_place(text))?,
    };
    let id = connectors::find_id(&app, &connector).await?;
    let mut found = app
        .provision()
        .store()
        .read(move |tx| {
            let limit = one_more(limit);
            Ok::<_, ProvisionError>(tx.pending_members(id, (&value, group), limit)?)
        })
        .await?;
    Ok(Json(Page {
        next: cut(&mut found, limit, |last| {
            format!("{}.{}", last.group_pk, last.value)
        }),
        items: found
            .into_iter()
            .map(|member| PendingMemberView {
                value: member.value,
                group_id: member.group,
                group: member.display_name,
            })
            .collect(),
    }))
}

/// Users of the connector who got no account, or not the name they should have, because it is taken.
#[utoipa::path(get, path = "/connectors/{connector}/name-conflicts", operation_id = "list_name_conflicts", tag = "connectors",
    params(("connector" = String, Path, description = "Its id or name"), ConflictQuery),
    responses((status = OK, body = Page<NameConflictView>)))]
async fn conflicts(
    _admin: Admin,
    State(app): State<App>,
    connector: Segments<String>,
    Parameters(query): Parameters<ConflictQuery>,
) -> Answer<Json<Page<NameConflictView>>> {
    let limit = limit(query.limit)?;
    let behind = behind(query.after.as_deref())?;
    let provision = app.provision().clone();
    let page = app.provision().store().read(move |tx| {
        let found = connectors::find(tx, &connector)?.connector;
        let mut conflicts = match query.user.as_deref() {
            None => {
                let most = one_more(limit);
                tx.name_conflicts(found.id, behind, most)?
            }
            Some(user) => conflict_of(tx, found.id, user)?,
        };
        let next = cut(&mut conflicts, limit, |last| last.source_pk.to_string());
        let items = views(&provision, tx, &found, conflicts)?;
        Ok::<_, ProvisionError>(Page { items, next })
    });
    Ok(Json(page.await?))
}

/// The conflict of one user, if there is one.
fn conflict_of(
    tx: &ReadTx<'_>,
    connector: ConnectorId,
    user: &str,
) -> Result<Vec<NameConflict>, ProvisionError> {
    let Some(user) = tx.source_user(connector, user)? else {
        return Ok(Vec::new());
    };
    let mut found = tx.name_conflicts(connector, user.pk.0 - 1, 1)?;
    found.retain(|conflict| conflict.source_pk == user.pk.0);
    Ok(found)
}

/// Conflicts with what is known of those who have the names, looked up together.
fn views(
    provision: &Provision,
    tx: &ReadTx<'_>,
    connector: &Connector,
    conflicts: Vec<NameConflict>,
) -> Result<Vec<NameConflictView>, ProvisionError> {
    let names = conflicts.iter().filter_map(|one| one.holder.as_ref());
    let names = names.map(|(_, name)| name.as_str());
    let holders = tx.directory_users_named(connector.directory, names)?;
    let holders: HashMap<String, User> = holders
        .into_iter()
        .map(|user| (user.key.clone(), user))
        .collect();
    let connectors = connector_names(tx)?;
    let mut views = Vec::with_capacity(conflicts.len());
    for conflict in conflicts {
        let reserved = reserved(provision, tx, connector.id, &conflict)?;
        let holder = conflict
            .holder
            .as_ref()
            .and_then(|(key, _)| holders.get(key));
        let attribute = connector.rules.identity.by_attribute.as_deref();
        let (matched_value, attribute) = match (conflict.matched, holder, attribute) {
            (_, None, _) | (MatchedBy::Attribute, _, None) => (None, None),
            (MatchedBy::Username, Some(holder), _) => (Some(holder.name.clone()), None),
            (MatchedBy::Email, Some(holder), _) => (Some(holder.email.clone()), None),
            (MatchedBy::Attribute, Some(holder), Some(name)) => {
                (value_of(tx, holder, name)?, Some(name))
            }
        };
        let user = Resource::parse_stored(&conflict.document).unwrap_or_default();
        let emails = user.emails();
        let email = emails.iter().find(|email| email.primary);
        let email = email.or(emails.first()).map(|email| email.value.clone());
        views.push(NameConflictView {
            user_id: conflict.id,
            user_name: user.user_name().unwrap_or_default().to_owned(),
            display_name: user.display_name().unwrap_or_default().to_owned(),
            email: email.unwrap_or_default(),
            wanted: conflict.name,
            since: conflict.since,
            matched_by: conflict.matched,
            matched_value,
            matched_attribute: attribute.map(str::to_owned),
            kept: conflict.kept,
            holder: holder.map(|holder| HolderView {
                key: holder.key.clone(),
                name: holder.name.clone(),
                display_name: holder.display_name.clone(),
                email: holder.email.clone(),
                connector: holder.connector.and_then(|id| connectors.get(&id).cloned()),
            }),
            reserved,
        });
    }
    Ok(views)
}

/// What somebody has in an attribute.
fn value_of(tx: &ReadTx<'_>, user: &User, name: &str) -> Result<Option<String>, StoreError> {
    let mut attributes = tx.user_attributes(user.pk)?.into_iter();
    let found = attributes.find(|attribute| attribute.name.eq_ignore_ascii_case(name));
    Ok(found.and_then(|found| found.values.into_iter().next()))
}

/// For whom the name of a conflict is kept, if nobody has it.
fn reserved(
    provision: &Provision,
    tx: &ReadTx<'_>,
    connector: ConnectorId,
    conflict: &NameConflict,
) -> Result<Option<KeptNameView>, ProvisionError> {
    let (None, Some((former, key))) = (&conflict.holder, &conflict.former) else {
        return Ok(None);
    };
    let until = provision.reserved_by(tx, connector, former.at)?;
    Ok(until.map(|until| KeptNameView {
        key: key.clone(),
        given_up: former.manner,
        since: former.at,
        until,
    }))
}

/// Decides about a user and the account in its way.
#[utoipa::path(post, path = "/connectors/{connector}/name-conflicts/{user}", operation_id = "decide_name_conflict", tag = "connectors",
    params(("connector" = String, Path, description = "Its id or name"),
        ("user" = String, Path, description = "The SCIM `id` of the user")),
    request_body = Decision,
    responses((status = NO_CONTENT, description = "It is decided.")))]
async fn decide(
    admin: Admin,
    State(app): State<App>,
    path: Segments<(String, String)>,
    Body(decision): Body<Decision>,
) -> Answer<StatusCode> {
    let (connector, user) = &*path;
    let id = connectors::find_id(&app, connector).await?;
    let decided = match decision.action {
        Action::Link => Decided::Link,
        Action::Keep => Decided::Keep,
    };
    app.provision()
        .decide_standoff(id, user, decided, &admin.name)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Users of the connector for whom the rules give values that cannot be used, and what is wrong with them. Products keep
/// the old values until the rules or the identity provider say something else.
#[utoipa::path(get, path = "/connectors/{connector}/value-errors", operation_id = "list_value_errors", tag = "connectors",
    params(("connector" = String, Path, description = "Its id or name"), Part),
    responses((status = OK, body = Page<FlaggedUserView>)))]
async fn value_errors(
    _admin: Admin,
    State(app): State<App>,
    connector: Segments<String>,
    Parameters(part): Parameters<Part>,
) -> Answer<Json<Page<FlaggedUserView>>> {
    let limit = limit(part.limit)?;
    let behind = behind(part.after.as_deref())?;
    let id = connectors::find_id(&app, &connector).await?;
    let most = one_more(limit);
    let store = app.provision().store();
    let mut found = store
        .read(move |tx| tx.flagged_users(id, behind, most))
        .await?;
    Ok(Json(Page {
        next: cut(&mut found, limit, |last| last.source_pk.to_string()),
        items: found.into_iter().map(FlaggedUserView::from).collect(),
    }))
}

impl From<FlaggedUser> for FlaggedUserView {
    fn from(flagged: FlaggedUser) -> Self {
        let user = Resource::parse_stored(&flagged.document).unwrap_or_default();
        Self {
            user_id: flagged.id,
            user_name: user.user_name().unwrap_or_default().to_owned(),
            errors: flagged.errors,
            since: flagged.since,
        }
    }
}

/// Behind which number a page of users begins.
fn behind(after: Option<&str>) -> Answer<i64> {
    match after {
        None => Ok(0),
        Some(text) => text.parse().map_err(not_a_place),
    }
}
