//! The rules of a connector: show, save, apply what was previewed, versions and the way back.

mod check;
mod previews;
mod sample;
mod tests;
mod trial;

use axum::Json;
use axum::extract::State;
use directory::rules::{Difference, WrittenRules, differences};
use directory::{ConnectorId, Rules};
use jiff::Timestamp;
use provision::{Provision, ProvisionError, RulesChange, rules_job};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{ReadTx, RulesVersion};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::connectors::find_id;
use super::page::{List, Page, cut, limit, one_more};
use super::problem::RuleProblem;
use super::request::{Body, OptionalBody, Parameters, Segments};
use super::{Answer, schema};
use crate::App;
use crate::authority::Admin;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(show, save))
        .routes(routes!(apply))
        .routes(routes!(diff))
        .routes(routes!(versions))
        .routes(routes!(version))
        .routes(routes!(roll_back))
        .merge(check::routes())
        .merge(previews::routes())
        .merge(sample::routes())
        .merge(tests::routes())
        .merge(trial::routes())
}

/// A version of rules in a list.
#[derive(Debug, Serialize, ToSchema)]
struct VersionView {
    /// Its number; the newest are the rules in force.
    version: i64,
    /// Who made it; empty if nobody knows.
    author: String,
    /// What for; empty if nobody said.
    comment: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
}

/// Rules with the version that they are.
#[derive(Debug, Serialize, ToSchema)]
struct RulesView {
    #[serde(flatten)]
    version: VersionView,
    /// The rules.
    #[schema(schema_with = schema::rules)]
    rules: Rules,
    /// What can be carried out and hardly means what was meant.
    warnings: Vec<RuleProblem>,
    /// Users whose evaluation by the rules in force is still to come.
    due: i64,
    /// The job that evaluates everybody by new rules, or did so last.
    job: Option<String>,
}

/// Rules to be saved.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RulesSave {
    /// The new rules, as a whole. What is not said is as with a new connector: administrative groups are protected,
    /// for example; `"protected": []` protects none.
    #[schema(schema_with = schema::rules)]
    rules: WrittenRules,
    /// What the change is for; kept with the version.
    #[serde(default)]
    comment: String,
    /// Whether the rules are taken although a test fails or users would get no usable values.
    #[serde(default)]
    anyway: bool,
}

/// What to apply: a preview, or rules.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RulesApplication {
    /// The id of a preview: exactly what it shows is done, or nothing.
    #[serde(default)]
    preview: Option<String>,
    /// Rules, whatever they do to the data.
    #[serde(default)]
    #[schema(schema_with = schema::rules)]
    rules: Option<WrittenRules>,
    /// What the change is for; kept with the version.
    #[serde(default)]
    comment: String,
    /// Whether the rules are taken although a test fails or users would get no usable values.
    #[serde(default)]
    anyway: bool,
}

/// What to go back to a version for.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RollBack {
    /// What for; "back to version N" if left out.
    #[serde(default)]
    comment: String,
    /// Whether the rules are taken although a test fails or users would get no usable values.
    #[serde(default)]
    anyway: bool,
}

/// What to compare.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct Comparison {
    /// The version that counts as the former; the rules in force, or the version before `to`, if left out.
    from: Option<i64>,
    /// The version that counts as the new; the rules in force if left out.
    to: Option<i64>,
    /// Rules that count as the new, instead of a version.
    #[schema(schema_with = schema::rules)]
    rules: Option<WrittenRules>,
}

/// One place at which rules differ.
#[derive(Debug, Serialize, ToSchema)]
struct DifferenceView {
    /// The place, from the top of the rules; what has a name stands for itself, the rest has its number.
    #[schema(example = "mapping[email].steps[1]")]
    path: String,
    /// What was there; null if nothing was.
    before: Value,
    /// What is there; null if nothing is.
    after: Value,
}

/// Which versions to list.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct VersionQuery {
    /// Only versions before this one: `next` of the page before.
    after: Option<i64>,
    /// How many at most, 1 to 1000; 100 if left out.
    limit: Option<u32>,
}

/// The rules in force.
#[utoipa::path(get, path = "/connectors/{connector}/rules", operation_id = "show_rules", tag = "rules",
    params(("connector" = String, Path, description = "Its id or name")),
    responses((status = OK, body = RulesView)))]
async fn show(
    _admin: Admin,
    State(app): State<App>,
    connector: Segments<String>,
) -> Answer<Json<RulesView>> {
    let id = find_id(&app, &connector).await?;
    Ok(Json(present(&app, id).await?))
}

/// Saves rules as a new version and puts them in force.
///
/// They are checked, tested, and tried on the stored users first: who would get an empty, a taken or an overlong value
/// is listed, and nothing is changed, unless `anyway` says otherwise. Every user of the connector is then evaluated
/// anew, in pieces, while the server goes on serving.
#[utoipa::path(put, path = "/connectors/{connector}/rules", operation_id = "save_rules", tag = "rules",
    params(("connector" = String, Path, description = "Its id or name")),
    request_body = RulesSave,
    responses((status = OK, body = RulesView)))]
async fn save(
    admin: Admin,
    State(app): State<App>,
    connector: Segments<String>,
    Body(save): Body<RulesSave>,
) -> Answer<Json<RulesView>> {
    let id = find_id(&app, &connector).await?;
    let change = RulesChange {
        comment: save.comment,
        anyway: save.anyway,
    };
    app.provision()
        .save_rules(id, read(save.rules)?, change, &admin.name)
        .await?;
    Ok(Json(present(&app, id).await?))
}

/// Puts in force what was previewed, or given rules.
///
/// A preview is applied exactly as it was made: if users, groups or the directory changed meanwhile, the answer is 409
/// and says what to do.
#[utoipa::path(post, path = "/connectors/{connector}/rules/apply", operation_id = "apply_rules", tag = "rules",
    params(("connector" = String, Path, description = "Its id or name")),
    request_body = RulesApplication,
    responses((status = OK, body = RulesView)))]
async fn apply(
    admin: Admin,
    State(app): State<App>,
    connector: Segments<String>,
    Body(wish): Body<RulesApplication>,
) -> Answer<Json<RulesView>> {
    let id = find_id(&app, &connector).await?;
    let change = RulesChange {
        comment: wish.comment,
        anyway: wish.anyway,
    };
    let provision = app.provision();
    match (wish.preview, read_all(wish.rules)?) {
        (Some(preview), None) => {
            provision
                .apply_preview(id, &preview, change, &admin.name)
                .await?;
        }
        (None, Some(rules)) => {
            provision.save_rules(id, rules, change, &admin.name).await?;
        }
        _ => {
            return Err(super::Problem::invalid(
                "preview",
                "Give either 'preview', the id of a preview, or 'rules'.",
            ));
        }
    }
    Ok(Json(present(&app, id).await?))
}

/// Tells what rules say otherwise than others.
#[utoipa::path(post, path = "/connectors/{connector}/rules/diff", operation_id = "compare_rules", tag = "rules",
    extensions(("x-changes" = json!("nothing"))),
    params(("connector" = String, Path, description = "Its id or name")),
    request_body = Comparison,
    responses((status = OK, body = List<DifferenceView>)))]
async fn diff(
    _admin: Admin,
    State(app): State<App>,
    connector: Segments<String>,
    OptionalBody(wish): OptionalBody<Comparison>,
) -> Answer<Json<List<DifferenceView>>> {
    let id = find_id(&app, &connector).await?;
    let rules = read_all(wish.rules)?;
    let found = app
        .provision()
        .store()
        .read(move |tx| {
            let newest = newest(tx, id)?.0.number;
            let (from, after) = match (&rules, wish.to) {
                (Some(rules), _) => (newest, rules.clone()),
                (None, Some(to)) => ((to - 1).max(1), find(tx, id, to)?.1),
                (None, None) => match wish.from {
                    Some(_) => (newest, find(tx, id, newest)?.1),
                    None => ((newest - 1).max(1), find(tx, id, newest)?.1),
                },
            };
            let before = find(tx, id, wish.from.unwrap_or(from))?.1;
            Ok::<_, ProvisionError>(differences(&before, &after))
        })
        .await?;
    let items = found.into_iter().map(DifferenceView::from).collect();
    Ok(Json(List { items }))
}

/// Every version of the rules, newest first.
#[utoipa::path(get, path = "/connectors/{connector}/rules/versions", operation_id = "list_rules_versions", tag = "rules",
    params(("connector" = String, Path, description = "Its id or name"), VersionQuery),
    responses((status = OK, body = Page<VersionView>)))]
async fn versions(
    _admin: Admin,
    State(app): State<App>,
    connector: Segments<String>,
    Parameters(query): Parameters<VersionQuery>,
) -> Answer<Json<Page<VersionView>>> {
    let id = find_id(&app, &connector).await?;
    let limit = limit(query.limit)?;
    let mut found = app
        .provision()
        .store()
        .read(move |tx| tx.rules_versions(id, query.after, one_more(limit)))
        .await?;
    let next = cut(&mut found, limit, |last| last.number.to_string());
    let items = found.into_iter().map(VersionView::from).collect();
    Ok(Json(Page { items, next }))
}

/// One version with its rules.
#[utoipa::path(get, path = "/connectors/{connector}/rules/versions/{version}", operation_id = "show_rules_version",
    tag = "rules",
    params(
        ("connector" = String, Path, description = "Its id or name"),
        ("version" = i64, Path, description = "The number of the version"),
    ),
    responses((status = OK, body = RulesView)))]
async fn version(
    _admin: Admin,
    State(app): State<App>,
    path: Segments<(String, i64)>,
) -> Answer<Json<RulesView>> {
    let (connector, number) = path.0;
    let id = find_id(&app, &connector).await?;
    let provision = app.provision().clone();
    let view = app
        .provision()
        .store()
        .read(move |tx| view(&provision, tx, id, find(tx, id, number)?))
        .await?;
    Ok(Json(view))
}

/// Goes back to a former version: its rules are saved as a new version and put in force.
#[utoipa::path(post, path = "/connectors/{connector}/rules/versions/{version}/rollback",
    operation_id = "roll_back_rules", tag = "rules",
    extensions(("x-changes" = json!("/connectors/{connector}/rules"))),
    params(
        ("connector" = String, Path, description = "Its id or name"),
        ("version" = i64, Path, description = "The number of the version"),
    ),
    request_body = RollBack,
    responses((status = OK, body = RulesView)))]
async fn roll_back(
    admin: Admin,
    State(app): State<App>,
    path: Segments<(String, i64)>,
    OptionalBody(wish): OptionalBody<RollBack>,
) -> Answer<Json<RulesView>> {
    let (connector, number) = path.0;
    let id = find_id(&app, &connector).await?;
    let change = RulesChange {
        comment: wish.comment,
        anyway: wish.anyway,
    };
    app.provision()
        .roll_back_rules(id, number, change, &admin.name)
        .await?;
    Ok(Json(present(&app, id).await?))
}

/// Rules that somebody wrote, or everything that is wrong with their form.
pub(super) fn read(written: WrittenRules) -> Result<Rules, ProvisionError> {
    written.read().map_err(ProvisionError::Rules)
}

/// The same where they may be left out.
pub(super) fn read_all(written: Option<WrittenRules>) -> Result<Option<Rules>, ProvisionError> {
    written.map(read).transpose()
}

async fn present(app: &App, id: ConnectorId) -> Result<RulesView, ProvisionError> {
    let provision = app.provision().clone();
    app.provision()
        .store()
        .read(move |tx| view(&provision, tx, id, newest(tx, id)?))
        .await
}

fn newest(tx: &ReadTx<'_>, id: ConnectorId) -> Result<(RulesVersion, Rules), ProvisionError> {
    let newest = tx.rules_versions(id, None, 1)?;
    find(tx, id, newest.first().map_or(0, |version| version.number))
}

fn find(
    tx: &ReadTx<'_>,
    id: ConnectorId,
    number: i64,
) -> Result<(RulesVersion, Rules), ProvisionError> {
    let found = tx.rules_version(id, number)?;
    found.ok_or_else(|| ProvisionError::not_found("version of the rules", &number.to_string()))
}

/// What rules say in vain at a connector.
pub(super) fn warnings_of(
    provision: &Provision,
    tx: &ReadTx<'_>,
    id: ConnectorId,
    rules: &Rules,
) -> Result<Vec<RuleProblem>, ProvisionError> {
    let found = match provision.rule_warnings(tx, id, rules) {
        // Rules that another version of the program stored are shown all the same.
        Err(ProvisionError::Rules(errors)) => errors,
        other => other?,
    };
    Ok(found.iter().map(RuleProblem::from).collect())
}

fn view(
    provision: &Provision,
    tx: &ReadTx<'_>,
    id: ConnectorId,
    (version, rules): (RulesVersion, Rules),
) -> Result<RulesView, ProvisionError> {
    Ok(RulesView {
        version: version.into(),
        warnings: warnings_of(provision, tx, id, &rules)?,
        rules,
        due: tx.due_count(id)?,
        job: rules_job(tx, id)?.map(|job| job.public_id),
    })
}

impl From<RulesVersion> for VersionView {
    fn from(version: RulesVersion) -> Self {
        Self {
            version: version.number,
            author: version.author,
            comment: version.comment,
            created: version.created,
        }
    }
}

impl From<Difference> for DifferenceView {
    fn from(difference: Difference) -> Self {
        Self {
            path: difference.path,
            before: difference.before,
            after: difference.after,
        }
    }
}
