//! Schemas that a connector's users and groups have besides those of SCIM itself.

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use provision::{SchemaDraft, StoredData};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::StoredSchema;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page::List;
use super::request::{Body, Parameters, Segments};
use super::{Answer, connectors};
use crate::App;
use crate::authority::Admin;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show, put, remove))
}

/// A kind of resource that can have a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
enum ResourceKind {
    /// Users.
    User,
    /// Groups.
    Group,
}

/// A registered schema.
#[derive(Debug, Serialize, ToSchema)]
struct SchemaView {
    /// The URN.
    urn: String,
    /// Which resources have it.
    resource_types: Vec<ResourceKind>,
    /// Whether each of them must have it.
    required: bool,
    /// The document of RFC 7643, section 7.
    #[schema(value_type = Object)]
    document: Value,
    /// When it was registered.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    updated: Timestamp,
}

impl From<StoredSchema> for SchemaView {
    fn from(stored: StoredSchema) -> Self {
        let kinds = [
            (stored.of_users, ResourceKind::User),
            (stored.of_groups, ResourceKind::Group),
        ];
        let urn = stored.document.get("id").and_then(Value::as_str);
        Self {
            urn: urn.unwrap_or_default().to_owned(),
            resource_types: kinds
                .into_iter()
                .filter_map(|(is_one, kind)| is_one.then_some(kind))
                .collect(),
            required: stored.required,
            document: stored.document,
            created: stored.created,
            updated: stored.updated,
        }
    }
}

/// A schema to be registered, or to take the place of the one with its URN.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SchemaBody {
    /// Which resources have it; users if left out.
    #[serde(default = "users")]
    resource_types: Vec<ResourceKind>,
    /// Whether each of them must have it.
    #[serde(default)]
    required: bool,
    /// The document of RFC 7643, section 7: `id`, `name`, `description` and `attributes`.
    #[schema(value_type = Object)]
    document: Value,
}

fn users() -> Vec<ResourceKind> {
    vec![ResourceKind::User]
}

/// A schema after it was registered or changed.
#[derive(Debug, Serialize, ToSchema)]
struct WrittenSchema {
    #[serde(flatten)]
    schema: SchemaView,
    /// Whether there was none of its URN before.
    is_new: bool,
    /// What was stored under its URN before.
    stored: StoredView,
}

/// How many resources have data under a URN, and what that means.
#[derive(Debug, Serialize, ToSchema)]
struct StoredView {
    /// Users.
    users: u64,
    /// Groups.
    groups: u64,
    /// What becomes of these data.
    note: &'static str,
}

impl StoredView {
    fn new(stored: StoredData, note: &'static str) -> Self {
        let StoredData { users, groups } = stored;
        let note = if users + groups == 0 {
            "Nothing is stored under this URN."
        } else {
            note
        };
        Self {
            users,
            groups,
            note,
        }
    }
}

/// What was there when a schema was forgotten.
#[derive(Debug, Serialize, ToSchema)]
struct DeletedSchema {
    /// What is stored under its URN.
    stored: StoredView,
}

/// How a change of a schema may be made.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Permission {
    /// Makes the change also if stored values that were never returned become readable by it.
    #[serde(default)]
    reveal: bool,
}

/// The schemas of a connector, by URN.
#[utoipa::path(get, path = "/connectors/{connector}/schemas", operation_id = "list_schemas", tag = "schemas",
    params(("connector" = String, Path, description = "Its id or name")),
    responses((status = OK, body = List<SchemaView>)))]
async fn list(
    _admin: Admin,
    State(app): State<App>,
    connector: Segments<String>,
) -> Answer<Json<List<SchemaView>>> {
    let id = connectors::find_id(&app, &connector).await?;
    let provision = app.provision().clone();
    let all = app
        .provision()
        .store()
        .read(move |tx| provision.schemas(tx, id))
        .await?;
    let items = all.into_iter().map(SchemaView::from).collect();
    Ok(Json(List { items }))
}

/// One schema.
#[utoipa::path(get, path = "/connectors/{connector}/schemas/{urn}", operation_id = "show_schema", tag = "schemas",
    params(("connector" = String, Path, description = "Its id or name"), ("urn" = String, Path, description = "Its URN")),
    responses((status = OK, body = SchemaView)))]
async fn show(
    _admin: Admin,
    State(app): State<App>,
    segments: Segments<(String, String)>,
) -> Answer<Json<SchemaView>> {
    let Segments((connector, urn)) = segments;
    let id = connectors::find_id(&app, &connector).await?;
    let provision = app.provision().clone();
    let found = app
        .provision()
        .store()
        .read(move |tx| provision.schema(tx, id, &urn))
        .await?;
    Ok(Json(found.into()))
}

/// Registers a schema, or changes the one with this URN.
///
/// Data that are stored under the URN already stay as they are and are checked when they are
/// written again; `stored` tells how many there are.
#[utoipa::path(put, path = "/connectors/{connector}/schemas/{urn}", operation_id = "put_schema", tag = "schemas",
    params(("connector" = String, Path, description = "Its id or name"), ("urn" = String, Path, description = "Its URN"), Permission),
    request_body = SchemaBody,
    responses((status = OK, description = "It is registered.", body = WrittenSchema)))]
async fn put(
    _admin: Admin,
    State(app): State<App>,
    segments: Segments<(String, String)>,
    Parameters(permission): Parameters<Permission>,
    Body(body): Body<SchemaBody>,
) -> Answer<Json<WrittenSchema>> {
    let Segments((connector, urn)) = segments;
    let id = connectors::find_id(&app, &connector).await?;
    let draft = SchemaDraft {
        of_users: body.resource_types.contains(&ResourceKind::User),
        of_groups: body.resource_types.contains(&ResourceKind::Group),
        required: body.required,
        document: body.document,
    };
    let written = app
        .provision()
        .put_schema(id, &urn, draft, permission.reveal)
        .await?;
    let note = "They stay as they are, and are checked when they are written again.";
    Ok(Json(WrittenSchema {
        is_new: written.is_new,
        stored: StoredView::new(written.stored, note),
        schema: written.schema.into(),
    }))
}

/// Forgets a schema. What is stored under its URN stays, and is not checked any more.
#[utoipa::path(delete, path = "/connectors/{connector}/schemas/{urn}", operation_id = "delete_schema", tag = "schemas",
    params(("connector" = String, Path, description = "Its id or name"), ("urn" = String, Path, description = "Its URN"), Permission),
    responses((status = OK, body = DeletedSchema)))]
async fn remove(
    _admin: Admin,
    State(app): State<App>,
    segments: Segments<(String, String)>,
    Parameters(permission): Parameters<Permission>,
) -> Answer<Json<DeletedSchema>> {
    let Segments((connector, urn)) = segments;
    let id = connectors::find_id(&app, &connector).await?;
    let deleted = app.provision().delete_schema(id, &urn, permission.reveal);
    let deleted = deleted.await?;
    let note = "They are kept and given back as before, and are not checked any more.";
    Ok(Json(DeletedSchema {
        stored: StoredView::new(deleted.stored, note),
    }))
}
