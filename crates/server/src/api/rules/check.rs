//! Checks: what is wrong with rules, and what they say in vain, before they are saved.

use axum::Json;
use axum::extract::State;
use directory::rules::{RuleError, WrittenRules, warnings};
use directory::{CompiledRules, Rules};
use provision::ProvisionError;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::Answer;
use super::super::connectors::find_id;
use super::super::problem::RuleProblem;
use super::super::request::{Body, Segments};
use super::warnings_of;
use crate::App;
use crate::authority::Admin;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(alone))
        .routes(routes!(at_connector))
}

/// What is wrong with rules.
#[derive(Debug, Serialize, ToSchema)]
struct RuleCheck {
    /// Whether they could be used.
    valid: bool,
    /// Everything that is wrong.
    errors: Vec<RuleProblem>,
    /// What could be carried out and hardly means what was meant.
    warnings: Vec<RuleProblem>,
    /// What saving refuses them for all the same, unless `anyway` says otherwise: stored users and groups of the connector of
    /// which the rules would make nothing that can be used, and do so now. `/rules/tests/run` tells of its tests.
    refusals: Vec<RuleProblem>,
}

impl RuleCheck {
    fn wrong(errors: &[RuleError]) -> Self {
        Self {
            valid: false,
            errors: errors.iter().map(RuleProblem::from).collect(),
            warnings: Vec::new(),
            refusals: Vec::new(),
        }
    }

    fn right(warnings: Vec<RuleProblem>, refusals: &[RuleError]) -> Self {
        Self {
            valid: true,
            errors: Vec::new(),
            warnings,
            refusals: refusals.iter().map(RuleProblem::from).collect(),
        }
    }
}

/// Checks rules by themselves, without changing anything.
#[utoipa::path(post, path = "/rules/check", operation_id = "check_rules", tag = "connectors",
    extensions(("x-changes" = json!("nothing"))),
    request_body(description = "Rules, as a connector has them", content_type = "application/json"),
    responses((status = OK, body = RuleCheck)))]
async fn alone(_admin: Admin, Body(written): Body<WrittenRules>) -> Answer<Json<RuleCheck>> {
    Ok(Json(match checked(written) {
        Ok(rules) => {
            let warnings = warnings(&rules);
            RuleCheck::right(warnings.iter().map(RuleProblem::from).collect(), &[])
        }
        Err(errors) => RuleCheck::wrong(&errors),
    }))
}

/// Checks rules for a connector, without changing anything: also whether the groups that they name are there, and whether
/// they would be refused because of what is stored.
#[utoipa::path(post, path = "/connectors/{connector}/rules/check", operation_id = "check_rules_of_connector", tag = "rules",
    extensions(("x-changes" = json!("nothing"))),
    params(("connector" = String, Path, description = "Its id or name")),
    request_body(description = "Rules, as a connector has them", content_type = "application/json"),
    responses((status = OK, body = RuleCheck)))]
async fn at_connector(
    _admin: Admin,
    State(app): State<App>,
    connector: Segments<String>,
    Body(written): Body<WrittenRules>,
) -> Answer<Json<RuleCheck>> {
    let id = find_id(&app, &connector).await?;
    let rules = match checked(written) {
        Ok(rules) => rules,
        Err(errors) => return Ok(Json(RuleCheck::wrong(&errors))),
    };
    let refusals = match app.provision().check_rules_on_data(id, &rules).await {
        Ok(()) => Vec::new(),
        Err(ProvisionError::Rules(errors)) => errors,
        Err(error) => return Err(error.into()),
    };
    let provision = app.provision().clone();
    let store = app.provision().store();
    let found = store.read(move |tx| warnings_of(&provision, tx, id, &rules));
    Ok(Json(RuleCheck::right(found.await?, &refusals)))
}

/// Rules that can be used, or everything that is wrong with them.
fn checked(written: WrittenRules) -> Result<Rules, Vec<RuleError>> {
    let rules = written.read()?;
    CompiledRules::new(&rules).map(|_compiled| rules)
}
