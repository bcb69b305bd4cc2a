//! The configuration: everything that administrators set up, given out, compared and carried out as one document.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use directory::configuration::{Configuration, ObjectName, Plan, Step};
use directory::rules::Difference;
use provision::{Applied, ConfigurationWish, Passphrase, Planned};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::request::{Body, LongBody};
use super::{Answer, Problem};
use crate::App;
use crate::authority::Admin;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(export))
        .routes(routes!(seal))
        .routes(routes!(schema))
        .routes(routes!(plan))
        .routes(routes!(apply))
}

/// A configuration, and how to compare it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PlanWish {
    /// The configuration, as `/configuration/schema` describes it. A secret is sent as `{"value": SECRET}`, or sealed.
    #[schema(value_type = Object)]
    configuration: Value,
    /// Whether what the lists of the configuration do not name is removed.
    #[serde(default)]
    prune: bool,
    /// Whether rules are taken although a test fails or users would get no usable values.
    #[serde(default)]
    anyway: bool,
    /// What the sealed secrets in it were sealed with, if there are any.
    passphrase: Option<String>,
}

/// A configuration that is to be carried out.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ApplyWish {
    /// The configuration, as `/configuration/schema` describes it. A secret is sent as `{"value": SECRET}`, or sealed.
    #[schema(value_type = Object)]
    configuration: Value,
    /// Whether what the lists of the configuration do not name is removed.
    #[serde(default)]
    prune: bool,
    /// Whether rules are taken although a test fails or users would get no usable values.
    #[serde(default)]
    anyway: bool,
    /// What the sealed secrets in it were sealed with, if there are any.
    passphrase: Option<String>,
    /// `ground` of the plan that this carries out; any if left out.
    ground: Option<String>,
    /// What the change is for; kept with new versions of rules.
    #[serde(default)]
    comment: String,
}

/// With what secrets are sealed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SealWish {
    /// 15 to 1000 characters. Whoever has the document can try as many as they like.
    passphrase: String,
}

/// What would have to be done.
#[derive(Debug, Serialize, ToSchema)]
struct PlanView {
    /// A mark of the configuration that the plan was made on.
    ground: String,
    #[serde(flatten)]
    work: WorkView,
}

/// What was done.
#[derive(Debug, Serialize, ToSchema)]
struct AppliedView {
    #[serde(flatten)]
    work: WorkView,
    /// Secrets that were generated, shown this once.
    secrets: Vec<GeneratedSecretView>,
    /// Ids of jobs that go on: everybody of a connector with new rules is evaluated, and connectors and directories are deleted, piece
    /// by piece.
    jobs: Vec<String>,
}

/// Steps, and what stays.
#[derive(Debug, Serialize, ToSchema)]
struct WorkView {
    /// What is done, in this order; empty if everything is as the configuration says.
    steps: Vec<StepView>,
    /// What its lists do not name, and stays.
    kept: Vec<KeptView>,
}

/// Something of a configuration.
#[derive(Debug, Serialize, ToSchema)]
struct ObjectView {
    /// `directory`, `connector`, `schema`, `token`, `client`, `application`, `webhook`, `channel`, `subscription` or
    /// `audit log`.
    kind: &'static str,
    /// Its name, label, address or URN; empty for the audit log.
    name: String,
    /// The connector or application that it is part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    of: Option<String>,
}

/// One thing to do.
#[derive(Debug, Serialize, ToSchema)]
struct StepView {
    /// `create`, `change` or `delete`.
    action: &'static str,
    #[serde(flatten)]
    object: ObjectView,
    /// The step in words.
    summary: String,
    /// Where it stands in the document; empty for what is not in it.
    path: String,
    /// What is otherwise afterwards; of what is made, what is otherwise than the default.
    differences: Vec<ChangeView>,
    /// What else has to be known about it.
    notes: Vec<String>,
}

/// One thing that is otherwise afterwards.
#[derive(Debug, Serialize, ToSchema)]
struct ChangeView {
    /// The place, from the top of the object.
    #[schema(example = "settings.limits.leavers")]
    path: String,
    /// What was there; null if nothing was.
    before: Value,
    /// What is there; null if nothing is.
    after: Value,
}

/// Something that stays.
#[derive(Debug, Serialize, ToSchema)]
struct KeptView {
    #[serde(flatten)]
    object: ObjectView,
    /// It in words.
    summary: String,
    /// Why it stays.
    reason: String,
}

/// A secret that was generated.
#[derive(Debug, Serialize, ToSchema)]
struct GeneratedSecretView {
    #[serde(flatten)]
    object: ObjectView,
    /// Whose it is, in words.
    summary: String,
    /// The id that is shown with it, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// The text.
    secret: String,
}

/// Everything that administrators set up, without secrets.
///
/// Lists are in the order of names, so that the same configuration is always the same document. It can be given to
/// `/configuration/plan` and `/configuration/apply` of this or another server.
#[utoipa::path(get, path = "/configuration", operation_id = "export_configuration", tag = "configuration",
    responses((status = OK, body = Object)))]
async fn export(_admin: Admin, State(app): State<App>) -> Answer<Json<Configuration>> {
    Ok(Json(app.provision().export_configuration().await?))
}

/// The same with its secrets, sealed with a passphrase, and the ids of connectors. For owners.
///
/// It is what sets up another server so that products and identity providers go on with the secrets that they have. Of tokens,
/// clients and passwords of applications it holds what they are recognised by, as the server does.
#[utoipa::path(post, path = "/configuration/seal", operation_id = "seal_configuration", tag = "configuration",
    request_body = SealWish,
    responses((status = OK, body = Object)))]
async fn seal(
    _admin: Admin,
    State(app): State<App>,
    Body(wish): Body<SealWish>,
) -> Answer<Json<Configuration>> {
    let passphrase = Passphrase::to_seal(wish.passphrase)?;
    let provision = app.provision();
    let sealed = provision.export_sealed_configuration(&passphrase, app.passwords());
    Ok(Json(sealed.await?))
}

/// The JSON Schema of a configuration.
#[utoipa::path(get, path = "/configuration/schema", operation_id = "show_configuration_schema", tag = "configuration",
    responses((status = OK, body = Object)))]
async fn schema(_admin: Admin) -> Json<Value> {
    Json(directory::configuration::schema())
}

/// What would have to be done for things to be as a configuration says. Changes nothing.
///
/// What it does not say stays as it is. Everything that is wrong with it is told at once.
#[utoipa::path(post, path = "/configuration/plan", operation_id = "plan_configuration", tag = "configuration",
    extensions(("x-changes" = json!("nothing"))),
    request_body = PlanWish,
    responses((status = OK, body = PlanView)))]
async fn plan(
    _admin: Admin,
    State(app): State<App>,
    LongBody(wish): LongBody<PlanWish>,
) -> Answer<Json<PlanView>> {
    let mut asked = understood(wish.configuration, wish.prune, wish.anyway)?;
    asked.passphrase = wish.passphrase.map(Passphrase::to_open);
    let planned = app.provision().plan_configuration(&asked, app.passwords());
    Ok(Json(planned.await?.into()))
}

/// Makes things as a configuration says, all in one transaction or not at all. For owners.
///
/// With the `ground` of a plan it does what that plan says, or answers 409 if the configuration of the server changed
/// meanwhile. Rules are changed as by hand: with a version, tests, safety limits and an evaluation of everybody.
#[utoipa::path(post, path = "/configuration/apply", operation_id = "apply_configuration", tag = "configuration",
    request_body = ApplyWish,
    responses((status = OK, body = AppliedView)))]
async fn apply(
    admin: Admin,
    State(app): State<App>,
    LongBody(body): LongBody<ApplyWish>,
) -> Answer<Json<AppliedView>> {
    let mut wish = understood(body.configuration, body.prune, body.anyway)?;
    wish.passphrase = body.passphrase.map(Passphrase::to_open);
    let ground = body.ground.as_deref();
    let applied = app
        .provision()
        .apply_configuration(&wish, &body.comment, ground, &admin.name, app.passwords())
        .await?;
    Ok(Json(applied.into()))
}

fn understood(configuration: Value, prune: bool, anyway: bool) -> Answer<ConfigurationWish> {
    if !configuration.is_object() {
        let detail = "'configuration' has to be an object, as GET /configuration gives it.";
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail));
    }
    let configuration = directory::configuration::read(configuration);
    Ok(ConfigurationWish {
        configuration: configuration.map_err(|errors| Problem::configuration(&errors))?,
        prune,
        anyway,
        passphrase: None,
    })
}

impl From<Planned> for PlanView {
    fn from(planned: Planned) -> Self {
        Self {
            ground: planned.ground,
            work: planned.plan.into(),
        }
    }
}

impl From<Applied> for AppliedView {
    fn from(applied: Applied) -> Self {
        let secrets = applied.secrets.into_iter().map(|made| GeneratedSecretView {
            summary: made.object.to_string(),
            object: made.object.into(),
            id: made.id,
            secret: made.secret.reveal().to_owned(),
        });
        Self {
            secrets: secrets.collect(),
            jobs: applied.jobs.into_iter().map(|job| job.public_id).collect(),
            work: applied.plan.into(),
        }
    }
}

impl From<Plan> for WorkView {
    fn from(plan: Plan) -> Self {
        let kept = plan.kept.into_iter().map(|kept| KeptView {
            summary: kept.object.to_string(),
            object: kept.object.into(),
            reason: kept.reason,
        });
        Self {
            steps: plan.steps.into_iter().map(StepView::from).collect(),
            kept: kept.collect(),
        }
    }
}

impl From<Step> for StepView {
    fn from(step: Step) -> Self {
        let differences = step.differences.into_iter().map(ChangeView::from);
        Self {
            action: step.action.as_str(),
            summary: format!("{} {}", step.action.as_str(), step.object),
            object: step.object.into(),
            path: step.path,
            differences: differences.collect(),
            notes: step.notes,
        }
    }
}

impl From<ObjectName> for ObjectView {
    fn from(name: ObjectName) -> Self {
        Self {
            kind: name.kind.as_str(),
            name: name.name,
            of: name.of,
        }
    }
}

impl From<Difference> for ChangeView {
    fn from(difference: Difference) -> Self {
        let Difference {
            path,
            before,
            after,
        } = difference;
        Self {
            path,
            before,
            after,
        }
    }
}
