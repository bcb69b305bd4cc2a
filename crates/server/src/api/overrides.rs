//! Overrides: what an administrator says about one user beside the rules, and until when.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use directory::{Override, OverrideId, OverrideKind, User};
use jiff::Timestamp;
use provision::{OverrideWish, ProvisionError, Said};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page::{Page, cut, limit, one_more};
use super::request::{Body, Parameters, Segments};
use super::{Answer, Problem, directories, users};
use crate::App;
use crate::authority::Admin;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(add))
        .routes(routes!(show, remove))
}

/// An override.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OverrideView {
    /// Its number.
    id: i64,
    /// The user's name, the former one of a user who is gone.
    user: String,
    /// The user's stable key.
    key: String,
    /// `keep_active`, `exclude`, `add_to_group`, `keep_out_of_group` or `keep_as_is`.
    kind: &'static str,
    /// Of the kinds about groups: the group.
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    /// When it ends by itself. One without ends when the identity provider says something else of the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// Since when it stands.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// Who said it.
    actor: String,
    /// What for.
    comment: String,
}

impl OverrideView {
    /// What was said about a user.
    pub(super) fn of(user: &User, said: Override) -> Self {
        Self {
            id: said.id.0,
            user: user.name.clone(),
            key: user.key.clone(),
            kind: said.kind.as_str(),
            group: said.kind.group().map(str::to_owned),
            until: said.until,
            created: said.created,
            actor: said.actor,
            comment: said.comment,
        }
    }
}

impl From<Said> for OverrideView {
    fn from(one: Said) -> Self {
        Self::of(&one.user, one.said)
    }
}

/// What an administrator wants to say about a user.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OverrideDraft {
    /// What.
    #[schema(inline)]
    kind: Kind,
    /// Of the kinds about groups: the group, by name.
    group: Option<String>,
    /// When it ends by itself. Only `keep_as_is` can do without: it ends when the identity provider says something
    /// else of the user.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// What for.
    #[serde(default)]
    comment: String,
}

/// What an override says.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Kind {
    /// The account is active, whatever the identity provider and the rules say.
    KeepActive,
    /// The user may not log in.
    Exclude,
    /// The user is in a group.
    AddToGroup,
    /// The user is not in a group.
    KeepOutOfGroup,
    /// The account stays exactly as it is.
    KeepAsIs,
}

impl OverrideDraft {
    fn wish(self) -> Result<OverrideWish, Problem> {
        let kind = match (self.kind, self.group) {
            (Kind::AddToGroup, Some(group)) => OverrideKind::AddToGroup { group },
            (Kind::KeepOutOfGroup, Some(group)) => OverrideKind::KeepOutOfGroup { group },
            (Kind::AddToGroup | Kind::KeepOutOfGroup, None) => {
                let detail = "'group' is missing; name the group that this is about.";
                return Err(Problem::invalid("group", detail));
            }
            (_, Some(_)) => {
                let detail = "'group' says nothing for this kind; leave it out.";
                return Err(Problem::invalid("group", detail));
            }
            (Kind::KeepActive, None) => OverrideKind::KeepActive,
            (Kind::Exclude, None) => OverrideKind::Exclude,
            (Kind::KeepAsIs, None) => OverrideKind::KeepAsIs {
                mark: String::new(),
            },
        };
        Ok(OverrideWish {
            kind,
            until: self.until,
            comment: self.comment,
        })
    }
}

/// Which overrides to list.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OverrideQuery {
    /// Only those behind this number: `next` of the page before.
    after: Option<String>,
    /// How many at most, 1 to 1000; 100 if left out.
    limit: Option<u32>,
}

/// All overrides of a directory, for review, the oldest first.
#[utoipa::path(get, path = "/directories/{directory}/overrides", operation_id = "list_overrides", tag = "directories",
    params(("directory" = String, Path, description = "Its id or name"), OverrideQuery),
    responses((status = OK, body = Page<OverrideView>)))]
async fn list(
    _admin: Admin,
    State(app): State<App>,
    directory: Segments<String>,
    Parameters(query): Parameters<OverrideQuery>,
) -> Answer<Json<Page<OverrideView>>> {
    let limit = limit(query.limit)?;
    let after = match query.after.as_deref().map(str::parse) {
        None => OverrideId(0),
        Some(Ok(after)) => OverrideId(after),
        Some(Err(_)) => {
            let detail = "'after' has to be 'next' of the page before.";
            return Err(Problem::invalid("after", detail));
        }
    };
    let provision = app.provision().clone();
    directories::answer(&app, directory.0, move |tx, directory| {
        let mut found = provision.overrides(tx, directory, after, one_more(limit))?;
        Ok(Page {
            next: cut(&mut found, limit, |last| last.said.id.to_string()),
            items: found.into_iter().map(OverrideView::from).collect(),
        })
    })
    .await
}

/// An override.
#[utoipa::path(get, path = "/directories/{directory}/overrides/{override}", operation_id = "show_override", tag = "directories",
    params(
        ("directory" = String, Path, description = "Its id or name"),
        ("override" = i64, Path, description = "Its number"),
    ),
    responses((status = OK, body = OverrideView)))]
async fn show(
    _admin: Admin,
    State(app): State<App>,
    path: Segments<(String, i64)>,
) -> Answer<Json<OverrideView>> {
    let (directory, id) = path.0;
    let provision = app.provision().clone();
    directories::answer(&app, directory, move |tx, directory| {
        let before = OverrideId(id.saturating_sub(1));
        let found = provision.overrides(tx, directory, before, 1)?;
        let own = found.into_iter().find(|one| one.said.id == OverrideId(id));
        let own = own.ok_or_else(|| ProvisionError::not_found("override", &id.to_string()))?;
        Ok(OverrideView::from(own))
    })
    .await
}

/// Says something about one user beside the rules, with effect at once.
#[utoipa::path(post, path = "/directories/{directory}/users/{user}/overrides", operation_id = "add_override", tag = "directories",
    params(
        ("directory" = String, Path, description = "Its id or name"),
        ("user" = String, Path, description = "The user's name or key"),
    ),
    responses((status = CREATED, body = OverrideView)))]
async fn add(
    admin: Admin,
    State(app): State<App>,
    path: Segments<(String, String)>,
    Body(draft): Body<OverrideDraft>,
) -> Answer<impl IntoResponse> {
    let wish = draft.wish()?;
    let (directory, name) = path.0;
    let id = directories::find_id(&app, directory).await?;
    let found = app.provision().store().read(move |tx| {
        let user = users::find(tx, id, &name)?;
        Ok::<_, ProvisionError>(user.pk)
    });
    let user = found.await?;
    let said = app
        .provision()
        .add_override(id, user, wish, &admin.name, &admin.request)
        .await?;
    Ok((StatusCode::CREATED, Json(OverrideView::from(said))))
}

/// Takes an override back: what the identity provider and the rules say counts again at once.
#[utoipa::path(delete, path = "/directories/{directory}/overrides/{override}", operation_id = "remove_override", tag = "directories",
    params(
        ("directory" = String, Path, description = "Its id or name"),
        ("override" = i64, Path, description = "Its number"),
    ),
    responses((status = NO_CONTENT)))]
async fn remove(
    admin: Admin,
    State(app): State<App>,
    path: Segments<(String, i64)>,
) -> Answer<StatusCode> {
    let (directory, id) = path.0;
    let directory = directories::find_id(&app, directory).await?;
    app.provision()
        .remove_override(directory, OverrideId(id), &admin.name, &admin.request)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
