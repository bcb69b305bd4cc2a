//! Users of a directory: search them, and see one with everything that is known.

use std::collections::{BTreeMap, HashMap};

use axum::Json;
use axum::extract::State;
use directory::{
    ConnectorId, DirectoryId, Field, Match, Membership, Origin, Reason, Search, SourceGroupPk,
    Status, User,
};
use jiff::Timestamp;
use provision::ProvisionError;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use store::{ReadTx, StoreError};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::overrides::OverrideView;
use super::page::{Page, cut, limit};
use super::request::{OptionalBody, Parameters, Segments};
use super::why::LaterView;
use super::{Answer, Problem, directories};
use crate::App;
use crate::authority::Admin;
use crate::walk::first;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(disable))
        .routes(routes!(enable))
        .routes(routes!(unlink))
}

/// A user in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct UserView {
    /// The stable key, which products hold on to across renames.
    key: String,
    /// The user name.
    name: String,
    /// The full name.
    display_name: String,
    /// The given name.
    first_name: String,
    /// The family name.
    last_name: String,
    /// The e-mail address; empty if unknown.
    email: String,
    /// Whether the user may log in: `active`, `disabled`, or `anonymised`.
    #[schema(value_type = String)]
    status: Status,
    /// Why, e.g. `IDP_ACTIVE` or `NOT_IN_REQUIRED_GROUP`.
    #[schema(value_type = String)]
    reason: Reason,
    /// The name of the connector that owns the user; none for local users.
    connector: Option<String>,
    /// The identity provider's own id.
    external_id: Option<String>,
    /// When the user was created.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// When the user last changed.
    #[schema(value_type = String, format = DateTime)]
    updated: Timestamp,
}

/// A user with everything that is known.
#[derive(Debug, Serialize, ToSchema)]
struct UserDetail {
    #[serde(flatten)]
    user: UserView,
    /// Further attributes, those of the rules and those that products wrote.
    attributes: BTreeMap<String, Vec<String>>,
    /// When the user last logged in with a product, to about ten minutes; none if never, as far as known.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_login: Option<Timestamp>,
    /// The groups, by name, and why the user is in them.
    memberships: Vec<MembershipView>,
    /// The user as the identity provider wrote it, if one feeds the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<SourceView>,
    /// What becomes of an account that was disabled or anonymised, if nothing changes until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    later: Option<LaterView>,
    /// What administrators say about the user beside the rules.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    overrides: Vec<OverrideView>,
}

/// A user of a source.
#[derive(Debug, Serialize, ToSchema)]
struct SourceView {
    /// The SCIM `id`.
    id: String,
    /// All that the identity provider said.
    #[schema(value_type = Object)]
    document: Map<String, Value>,
}

/// A membership.
#[derive(Debug, Serialize, ToSchema)]
struct MembershipView {
    /// The group's name.
    group: String,
    /// Why the user is in it; the membership ends with the last of these.
    origins: Vec<OriginView>,
}

/// Why a membership exists.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OriginView {
    /// `idp`, `always`, `rule`, `local`, `copied` or `product`.
    kind: &'static str,
    /// Of kind `idp`: the name of the source group, if it still has the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    source_group: Option<String>,
    /// Of kind `rule`: which one.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
    /// Of kind `local`, if an override made it: its number. The user's `overrides` tell by whom it is, and until when.
    #[serde(rename = "override", skip_serializing_if = "Option::is_none")]
    by_override: Option<i64>,
}

/// Which users to list.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct UserQuery {
    /// Text that the name, the full, first or last name or the address contains, in any case; or the key, the SCIM `id` or the id at the
    /// identity provider.
    search: Option<String>,
    /// Only users of whom the user name, the address, the full, the last or the first name begins with the text, or of whom it is an
    /// id; who is meant most likely first, and no further page. It takes as long among many users as among few.
    begins: Option<bool>,
    /// Only users who may log in, or only those who may not.
    active: Option<bool>,
    /// Only users whose name comes behind this one: `next` of the page before.
    after: Option<String>,
    /// How many at most, 1 to 1000; 100 if left out.
    limit: Option<u32>,
}

/// Users that products see, in the order of their names.
#[utoipa::path(get, path = "/directories/{directory}/users", operation_id = "list_users", tag = "directories",
    params(("directory" = String, Path, description = "Its id or name"), UserQuery),
    responses((status = OK, body = Page<UserView>)))]
async fn list(
    _admin: Admin,
    State(app): State<App>,
    directory: Segments<String>,
    Parameters(query): Parameters<UserQuery>,
) -> Answer<Json<Page<UserView>>> {
    let limit = limit(query.limit)?;
    if query.begins == Some(true) && query.after.is_some() {
        return Err(Problem::invalid(
            "begins",
            "has one page of users; leave out `after`",
        ));
    }
    directories::answer(&app, directory.0, move |tx, directory| {
        Ok(match query.begins {
            Some(true) => beginning(tx, directory, &query, limit)?,
            _ => page(tx, directory, &query, limit)?,
        })
    })
    .await
}

/// One user, with memberships and their origins.
#[utoipa::path(get, path = "/directories/{directory}/users/{user}", operation_id = "show_user", tag = "directories",
    params(
        ("directory" = String, Path, description = "Its id or name"),
        ("user" = String, Path, description = "The user's name or key"),
    ),
    responses((status = OK, body = UserDetail)))]
async fn show(
    _admin: Admin,
    State(app): State<App>,
    path: Segments<(String, String)>,
) -> Answer<Json<UserDetail>> {
    let (directory, name) = path.0;
    let provision = app.provision().clone();
    directories::answer(&app, directory, move |tx, directory| {
        let user = find(tx, directory, &name)?;
        let later = match user.status {
            Status::Disabled | Status::Anonymised => provision.why(tx, user.pk, None)?,
            Status::Active | Status::Removed => None,
        };
        let later = later.and_then(|why| LaterView::of(&why.outcome));
        Ok(UserDetail {
            later,
            ..detail(tx, user)?
        })
    })
    .await
}

/// How long a user is to be disabled.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Disabling {
    /// When it ends by itself, so that the rules decide again; left out, an administrator has to end it.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
}

/// Takes the log-in from a user, until an administrator gives it back or a time comes.
///
/// Whatever the identity provider says meanwhile, the account stays disabled, with the reason `MANUAL`.
#[utoipa::path(post, path = "/directories/{directory}/users/{user}/disable", operation_id = "disable_user", tag = "directories",
    params(
        ("directory" = String, Path, description = "Its id or name"),
        ("user" = String, Path, description = "The user's name or key"),
    ),
    request_body = Option<Disabling>,
    responses((status = OK, body = UserView)))]
async fn disable(
    admin: Admin,
    State(app): State<App>,
    path: Segments<(String, String)>,
    OptionalBody(wish): OptionalBody<Disabling>,
) -> Answer<Json<UserView>> {
    let (directory, user) = path.0;
    let id = directories::find_id(&app, directory).await?;
    let user = app
        .provision()
        .disable_user(id, user, wish.until, admin.name)
        .await?;
    seen(&app, user).await
}

/// Takes back that an administrator disabled a user, or that the rule for inactive people did.
///
/// The rules decide then: somebody whom the identity provider says is inactive, or who is out of scope, is disabled
/// for that reason, which the answer tells.
#[utoipa::path(post, path = "/directories/{directory}/users/{user}/enable", operation_id = "enable_user", tag = "directories",
    params(
        ("directory" = String, Path, description = "Its id or name"),
        ("user" = String, Path, description = "The user's name or key"),
    ),
    responses((status = OK, body = UserView)))]
async fn enable(
    admin: Admin,
    State(app): State<App>,
    path: Segments<(String, String)>,
) -> Answer<Json<UserView>> {
    let (directory, user) = path.0;
    let id = directories::find_id(&app, directory).await?;
    let user = app.provision().enable_user(id, user, admin.name).await?;
    seen(&app, user).await
}

/// Lets an account be kept here: its identity provider feeds it no more.
///
/// Name, groups and state stay as they are. What the identity provider says of the person from now on may meet the account
/// again, as `identity` of the rules has it.
#[utoipa::path(post, path = "/directories/{directory}/users/{user}/unlink", operation_id = "unlink_user", tag = "directories",
    params(
        ("directory" = String, Path, description = "Its id or name"),
        ("user" = String, Path, description = "The user's name or key"),
    ),
    responses((status = OK, body = UserView)))]
async fn unlink(
    admin: Admin,
    State(app): State<App>,
    path: Segments<(String, String)>,
) -> Answer<Json<UserView>> {
    let (directory, user) = path.0;
    let id = directories::find_id(&app, directory).await?;
    let user = app
        .provision()
        .unlink_user(id, user, &admin.name, &admin.request)
        .await?;
    seen(&app, user).await
}

async fn seen(app: &App, user: User) -> Answer<Json<UserView>> {
    let store = app.provision().store();
    let names = store.look_up(|tx| connector_names(tx)).await?;
    Ok(Json(view(user, &names)))
}

/// The user of this name or key.
pub(super) fn find(
    tx: &ReadTx<'_>,
    directory: DirectoryId,
    name: &str,
) -> Result<User, ProvisionError> {
    let found = match tx.directory_user(directory, name)? {
        Some(found) => Some(found),
        None => tx.directory_user_by_key(directory, name)?,
    };
    found.ok_or_else(|| ProvisionError::not_found("user", name))
}

fn page(
    tx: &ReadTx<'_>,
    directory: DirectoryId,
    query: &UserQuery,
    limit: usize,
) -> Result<Page<UserView>, StoreError> {
    let active = query.active;
    let after = query.after.as_deref().unwrap_or_default();
    let most = limit + 1;
    let mut found = match query.search.as_deref().map(str::trim) {
        None | Some("") => first(
            most,
            |each| tx.each_directory_user_who(directory, after, active, each),
            |_| true,
        )?,
        Some(text) => {
            let (search, is_ascii) = (about(text), text.is_ascii());
            first(
                most,
                |each| tx.each_directory_user_like(directory, after, text, each),
                |user: &User| {
                    active.is_none_or(|active| active == (user.status == Status::Active))
                        // The store compares letters of ASCII alone.
                        && (is_ascii || search.matches_user(user, &BTreeMap::new()))
                },
            )?
        }
    };
    let names = connector_names(tx)?;
    Ok(Page {
        next: cut(&mut found, limit, |last| last.name.clone()),
        items: found.into_iter().map(|user| view(user, &names)).collect(),
    })
}

/// Those who are meant by a text that somebody began to type.
fn beginning(
    tx: &ReadTx<'_>,
    directory: DirectoryId,
    query: &UserQuery,
    limit: usize,
) -> Result<Page<UserView>, StoreError> {
    let text = query.search.as_deref().unwrap_or_default().trim();
    let found = tx.directory_users_beginning(directory, text, query.active, limit)?;
    let names = connector_names(tx)?;
    Ok(Page {
        next: None,
        items: found.into_iter().map(|user| view(user, &names)).collect(),
    })
}

/// What a text is looked for in.
fn about(text: &str) -> Search {
    let fields = [
        Field::Name,
        Field::DisplayName,
        Field::FirstName,
        Field::LastName,
        Field::Email,
    ];
    let tests = fields.map(|field| Search::Test {
        field,
        op: Match::Contains,
        value: text.to_owned(),
    });
    Search::Or(tests.into())
}

/// The names of all connectors.
pub(super) fn connector_names(tx: &ReadTx<'_>) -> Result<HashMap<ConnectorId, String>, StoreError> {
    let all = tx.connectors()?.into_iter();
    Ok(all
        .map(|stored| (stored.connector.id, stored.connector.name))
        .collect())
}

pub(super) fn view(user: User, connectors: &HashMap<ConnectorId, String>) -> UserView {
    UserView {
        key: user.key,
        name: user.name,
        display_name: user.display_name,
        first_name: user.first_name,
        last_name: user.last_name,
        email: user.email,
        status: user.status,
        reason: user.reason,
        connector: user.connector.and_then(|id| connectors.get(&id).cloned()),
        external_id: user.external_id,
        created: user.created,
        updated: user.updated,
    }
}

fn detail(tx: &ReadTx<'_>, user: User) -> Result<UserDetail, StoreError> {
    let groups = source_groups_of(tx, &user)?;
    let memberships = tx.memberships_of(user.pk)?.into_iter();
    let memberships = memberships.map(|membership| membership_view(membership, &groups));
    let attributes = tx.user_attributes(user.pk)?.into_iter();
    let said = tx.overrides_of(user.pk)?.into_iter();
    let overrides = said.map(|said| OverrideView::of(&user, said)).collect();
    Ok(UserDetail {
        source: source_of(tx, &user)?,
        later: None,
        overrides,
        memberships: memberships.collect(),
        attributes: attributes.map(|one| (one.name, one.values)).collect(),
        last_login: tx.last_login(user.pk)?,
        user: view(user, &connector_names(tx)?),
    })
}

/// What the identity provider wrote of the user of an account.
fn source_of(tx: &ReadTx<'_>, user: &User) -> Result<Option<SourceView>, StoreError> {
    let (Some(connector), Some(source)) = (user.connector, tx.source_behind(user.pk)?) else {
        return Ok(None);
    };
    let found = tx.source_user_by_pk(connector, source)?;
    Ok(found.map(|found| SourceView {
        document: serde_json::from_str(&found.document).unwrap_or_default(),
        id: found.id,
    }))
}

/// Names of the source groups that have a user, to tell origins by.
pub(super) fn source_groups_of(
    tx: &ReadTx<'_>,
    user: &User,
) -> Result<HashMap<SourceGroupPk, String>, StoreError> {
    let Some(source) = tx.source_behind(user.pk)? else {
        return Ok(HashMap::new());
    };
    let groups = tx.effective_source_groups(source)?.into_iter();
    Ok(groups.map(|group| (group.id, group.name)).collect())
}

fn membership_view(
    membership: Membership,
    groups: &HashMap<SourceGroupPk, String>,
) -> MembershipView {
    let origins = membership.origins.into_iter();
    MembershipView {
        group: membership.group,
        origins: origins.map(|origin| origin_view(origin, groups)).collect(),
    }
}

pub(super) fn origin_view(origin: Origin, groups: &HashMap<SourceGroupPk, String>) -> OriginView {
    OriginView {
        kind: origin.kind(),
        source_group: match &origin {
            Origin::Idp(group) => groups.get(group).cloned(),
            _ => None,
        },
        by_override: match &origin {
            Origin::Override(id) => Some(id.0),
            _ => None,
        },
        rule: match origin {
            Origin::Rule(name) => Some(name),
            _ => None,
        },
    }
}
