//! Why a user is as it is: the rules' decision on what is stored now, told line by line.

use axum::Json;
use axum::extract::State;
use directory::trace::Stage;
use directory::{Line, User, Verdict, name};
use provision::{ProvisionError, Why};
use serde::{Deserialize, Serialize};
use store::ReadTx;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::request::{Parameters, Segments};
use super::{Answer, connectors, directories, users};
use crate::App;
use crate::authority::Admin;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(of_user))
        .routes(routes!(of_source_user))
}

/// About which group to ask.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct WhyQuery {
    /// Only what has to do with this group, by its name for the products or at the identity provider.
    group: Option<String>,
}

/// An explanation.
#[derive(Debug, Serialize, ToSchema)]
struct Explanation {
    /// The account as the rules want it: `active`, `disabled`, `none` or `removed`.
    decision: &'static str,
    /// Why, e.g. `IDP_ACTIVE` or `NOT_IN_REQUIRED_GROUP`.
    reason: &'static str,
    /// Of a question about a group: whether the user is in it now.
    #[serde(skip_serializing_if = "Option::is_none")]
    member: Option<bool>,
    /// Of a question about a group: whether the rules want the user in it. It differs from `member`
    /// while an evaluation is still to come.
    #[serde(skip_serializing_if = "Option::is_none")]
    member_by_rules: Option<bool>,
    /// The name that the user should have and that somebody else has.
    #[serde(skip_serializing_if = "Option::is_none")]
    taken_name: Option<String>,
    /// How the decision comes about, in the order of evaluation.
    lines: Vec<LineView>,
}

/// One line of an explanation.
#[derive(Debug, Serialize, ToSchema)]
struct LineView {
    /// `subject`, `mapping`, `groups`, `scope`, `additions`, `removals` or `status`.
    #[schema(value_type = String)]
    stage: Stage,
    /// What was found or done.
    text: String,
}

impl From<Line> for LineView {
    fn from(line: Line) -> Self {
        Self {
            stage: line.stage,
            text: line.text,
        }
    }
}

/// Why a user is as it is, or is or is not in a group.
#[utoipa::path(get, path = "/directories/{directory}/users/{user}/why", operation_id = "explain_user", tag = "directories",
    params(
        ("directory" = String, Path, description = "Its id or name"),
        ("user" = String, Path, description = "The user's name or key"),
        WhyQuery,
    ),
    responses((status = OK, body = Explanation)))]
async fn of_user(
    _admin: Admin,
    State(app): State<App>,
    path: Segments<(String, String)>,
    Parameters(query): Parameters<WhyQuery>,
) -> Answer<Json<Explanation>> {
    let provision = app.provision().clone();
    let (directory, name) = path.0;
    directories::answer(&app, directory, move |tx, directory| {
        let user = users::find(tx, directory, &name)?;
        let member = is_member(tx, &user, query.group.as_deref())?;
        Ok(match provision.why(tx, user.pk)? {
            Some(why) => explain(&why, query.group.as_deref(), member),
            None => unexplained(&user, member),
        })
    })
    .await
}

/// Why someone whom a connector knows has an account or has none, or is or is not in a group.
#[utoipa::path(get, path = "/connectors/{connector}/users/{user}/why", operation_id = "explain_source_user", tag = "connectors",
    params(
        ("connector" = String, Path, description = "Its id or name"),
        ("user" = String, Path, description = "The SCIM id, or the userName"),
        WhyQuery,
    ),
    responses((status = OK, body = Explanation)))]
async fn of_source_user(
    _admin: Admin,
    State(app): State<App>,
    path: Segments<(String, String)>,
    Parameters(query): Parameters<WhyQuery>,
) -> Answer<Json<Explanation>> {
    let provision = app.provision().clone();
    let told = app
        .provision()
        .store()
        .read(move |tx| {
            let (connector, user) = &*path;
            let connector = connectors::find(tx, connector)?.connector.id;
            let by_name = tx.source_user_id_by_user_name(connector, user)?;
            let id = by_name.as_deref().unwrap_or(user);
            match provision.why_of_source(tx, connector, id)? {
                Some(why) => Ok(explain(&why, query.group.as_deref(), None)),
                None => Err(ProvisionError::NotFound {
                    what: "user",
                    name: user.clone(),
                }),
            }
        })
        .await?;
    Ok(Json(told))
}

fn is_member(
    tx: &ReadTx<'_>,
    user: &User,
    group: Option<&str>,
) -> Result<Option<bool>, ProvisionError> {
    let Some(group) = group else { return Ok(None) };
    let memberships = tx.memberships_of(user.pk)?;
    Ok(Some(
        memberships.iter().any(|one| name::same(&one.group, group)),
    ))
}

fn explain(why: &Why, group: Option<&str>, member: Option<bool>) -> Explanation {
    let (decision, reason) = match why.outcome.verdict {
        Verdict::NoAccount { reason } => ("none", reason),
        Verdict::Account { status, reason } => (status.as_str(), reason),
        Verdict::Remove { reason } => ("removed", reason),
    };
    let (member_by_rules, lines) = match group {
        None => (None, why.outcome.lines()),
        Some(group) => {
            let answer = why.outcome.why_group(group);
            (Some(answer.member), answer.lines)
        }
    };
    Explanation {
        decision,
        reason: reason.as_str(),
        member,
        member_by_rules,
        taken_name: why.taken_name.clone(),
        lines: lines.into_iter().map(LineView::from).collect(),
    }
}

/// About a user of whom no identity provider speaks there is little to tell.
fn unexplained(user: &User, member: Option<bool>) -> Explanation {
    let text = match user.connector {
        Some(_) => {
            "The identity provider has deleted the user; the account stays as the rules for that had it."
        }
        None => "The user is kept here and comes from no identity provider.",
    };
    Explanation {
        decision: user.status.as_str(),
        reason: user.reason.as_str(),
        member,
        member_by_rules: None,
        taken_name: None,
        lines: vec![LineView {
            stage: Stage::Subject,
            text: text.to_owned(),
        }],
    }
}
