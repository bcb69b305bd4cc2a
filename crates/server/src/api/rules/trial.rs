//! Trials: what rules, one row or the rules for names make of one value or one person (US-14).

use axum::Json;
use axum::extract::State;
use directory::rules::{GroupNames, MappingRow, OneOrMany, Written, WrittenRules};
use directory::{Attributes, Reason, ValueError, Verdict, value_errors};
use provision::{NameHolder, ProvisionError, TrialPerson, TrialWish};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::connectors::find_id;
use super::super::request::{Body, Segments};
use super::super::why::LineView;
use super::super::{Answer, Problem, schema};
use super::read_all;
use crate::App;
use crate::authority::Admin;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(run))
}

/// What to try, and on whom.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct TrialCreation {
    /// The rules; those in force if left out.
    #[schema(schema_with = schema::rules)]
    rules: Option<WrittenRules>,
    /// A mapping row to try in place of the rows with its target.
    #[schema(value_type = Option<Object>)]
    row: Option<Written<MappingRow>>,
    /// Rules for names of groups to try in place of those in force.
    #[schema(value_type = Option<Object>)]
    names: Option<Written<GroupNames>>,
    /// A typed value, or a list of them: of a `row`, what its steps begin with, whatever its source; of `names`, the
    /// names of groups.
    #[schema(value_type = Option<Object>)]
    value: Option<OneOrMany>,
    /// A stored user, by `userName` or SCIM `id`.
    stored_user: Option<String>,
    /// A user as an identity provider sends it.
    #[schema(value_type = Option<Object>)]
    user: Option<Map<String, Value>>,
    /// The names of the groups of that user.
    groups: Vec<String>,
}

/// What came of a trial.
#[derive(Debug, Serialize, ToSchema)]
struct TrialView {
    /// The account as the rules want it: `active`, `disabled`, `none` or `removed`.
    decision: &'static str,
    /// Why.
    #[schema(value_type = String)]
    reason: Reason,
    /// Its attributes.
    #[schema(value_type = Object)]
    attributes: Attributes,
    /// The names of its groups.
    groups: Vec<String>,
    /// The name that the user should have and that somebody else has.
    #[serde(skip_serializing_if = "Option::is_none")]
    taken_name: Option<String>,
    /// Who has it: `key`, `name` and `connector` of the account; absent if the name is only kept for somebody.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object)]
    taken_by: Option<NameHolder>,
    /// Values that cannot be used.
    #[schema(value_type = Vec<Object>)]
    errors: Vec<ValueError>,
    /// How the decision comes about.
    lines: Vec<LineView>,
}

/// Tries rules on one value, one stored user or one written user, changing nothing.
///
/// To try a row on all stored users, preview the rules with that row.
#[utoipa::path(post, path = "/connectors/{connector}/rules/try", operation_id = "try_rules", tag = "rules",
    extensions(("x-changes" = json!("nothing"))),
    params(("connector" = String, Path, description = "Its id or name")),
    request_body = TrialCreation,
    responses((status = OK, body = TrialView)))]
async fn run(
    _admin: Admin,
    State(app): State<App>,
    connector: Segments<String>,
    Body(creation): Body<TrialCreation>,
) -> Answer<Json<TrialView>> {
    let id = find_id(&app, &connector).await?;
    let person = match (creation.value, creation.stored_user, creation.user) {
        (Some(value), None, None) => TrialPerson::Values(value.as_slice().to_vec()),
        (None, Some(user), None) => TrialPerson::Stored(user),
        (None, None, Some(user)) => TrialPerson::Written {
            user,
            groups: creation.groups,
        },
        _ => {
            let detail = "Give one of 'value', 'stored_user' and 'user'.";
            return Err(Problem::invalid("user", detail));
        }
    };
    let wish = TrialWish {
        rules: read_all(creation.rules)?,
        row: part(creation.row, "row")?,
        names: part(creation.names, "names")?,
        person,
    };
    let tried = app.provision().try_rules(id, wish).await?;
    let outcome = &tried.outcome;
    let (decision, reason) = match outcome.verdict {
        Verdict::Account { status, reason } => (status.as_str(), reason),
        Verdict::NoAccount { reason } => ("none", reason),
        Verdict::Remove { reason } => ("removed", reason),
    };
    let memberships = outcome.memberships.iter();
    Ok(Json(TrialView {
        decision,
        reason,
        groups: memberships.map(|it| it.group.clone()).collect(),
        errors: value_errors(outcome),
        lines: outcome.lines().into_iter().map(LineView::from).collect(),
        attributes: tried.attributes,
        taken_name: tried.taken_name,
        taken_by: tried.taken_by,
    }))
}

/// A part of rules that somebody wrote, or everything that is wrong with its form.
fn part<T: DeserializeOwned + Serialize>(
    written: Option<Written<T>>,
    path: &str,
) -> Result<Option<T>, ProvisionError> {
    let read = written.map(|written| written.read(path));
    read.transpose().map_err(ProvisionError::Rules)
}
