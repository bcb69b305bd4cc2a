//! Tests of rules: kept with the connector, run when rules are saved and on demand.

use axum::Json;
use axum::extract::State;
use directory::rules::{RuleTest, TestResult, WrittenRules};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::connectors::find_id;
use super::super::request::{Body, OptionalBody, Segments};
use super::super::{Answer, schema};
use super::read_all;
use crate::App;
use crate::authority::Admin;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(show, save))
        .routes(routes!(run))
}

/// The tests that a connector's rules have to pass.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RuleTests {
    /// The tests; each has a `name`, a `user` as the identity provider sends it, its `groups`, the account there is in
    /// `existing`, and what is expected in `expect`. The documentation's chapter on changing rules describes every member.
    #[schema(value_type = Vec<Object>)]
    tests: Vec<RuleTest>,
}

/// What to run; what is left out is taken from the connector.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct RunWish {
    /// The tests.
    #[schema(value_type = Option<Vec<Object>>)]
    tests: Option<Vec<RuleTest>>,
    /// The rules.
    #[schema(schema_with = schema::rules)]
    rules: Option<WrittenRules>,
}

/// What came of tests.
#[derive(Debug, Serialize, ToSchema)]
struct RunView {
    /// Tests that passed.
    passed: usize,
    /// Tests that did not.
    failed: usize,
    /// Each test.
    results: Vec<TestResultView>,
}

/// What came of a test.
#[derive(Debug, Serialize, ToSchema)]
struct TestResultView {
    /// The test.
    name: String,
    /// Whether everything came out as expected.
    passed: bool,
    /// What came out otherwise.
    mismatches: Vec<MismatchView>,
}

/// One thing that came out otherwise.
#[derive(Debug, Serialize, ToSchema)]
struct MismatchView {
    /// What: `status`, `reason`, `groups`, `in_groups`, `not_in_groups`, or the name of a target.
    what: String,
    /// What was expected.
    expected: Value,
    /// What came out.
    found: Value,
}

/// The tests that a connector's rules have to pass.
#[utoipa::path(get, path = "/connectors/{connector}/rules/tests", operation_id = "show_rule_tests", tag = "rules",
    params(("connector" = String, Path, description = "Its id or name")),
    responses((status = OK, body = RuleTests)))]
async fn show(
    _admin: Admin,
    State(app): State<App>,
    connector: Segments<String>,
) -> Answer<Json<RuleTests>> {
    let id = find_id(&app, &connector).await?;
    let store = app.provision().store();
    let tests = store.read(move |tx| tx.rule_tests(id)).await?;
    Ok(Json(RuleTests { tests }))
}

/// Sets the tests, all of them. From then on rules that fail one are not saved, unless `anyway` says otherwise.
#[utoipa::path(put, path = "/connectors/{connector}/rules/tests", operation_id = "save_rule_tests", tag = "rules",
    params(("connector" = String, Path, description = "Its id or name")),
    request_body = RuleTests,
    responses((status = OK, body = RuleTests)))]
async fn save(
    _admin: Admin,
    State(app): State<App>,
    connector: Segments<String>,
    Body(RuleTests { tests }): Body<RuleTests>,
) -> Answer<Json<RuleTests>> {
    let id = find_id(&app, &connector).await?;
    app.provision().set_rule_tests(id, tests.clone()).await?;
    Ok(Json(RuleTests { tests }))
}

/// Runs tests without changing anything.
#[utoipa::path(post, path = "/connectors/{connector}/rules/tests/run", operation_id = "run_rule_tests", tag = "rules",
    extensions(("x-changes" = json!("nothing"))),
    params(("connector" = String, Path, description = "Its id or name")),
    request_body = RunWish,
    responses((status = OK, body = RunView)))]
async fn run(
    _admin: Admin,
    State(app): State<App>,
    connector: Segments<String>,
    OptionalBody(wish): OptionalBody<RunWish>,
) -> Answer<Json<RunView>> {
    let id = find_id(&app, &connector).await?;
    let run = app
        .provision()
        .run_rule_tests(id, wish.tests, read_all(wish.rules)?)
        .await?;
    let failed = run.results.iter().filter(|it| !it.passed()).count();
    Ok(Json(RunView {
        passed: run.results.len() - failed,
        failed,
        results: run.results.into_iter().map(TestResultView::from).collect(),
    }))
}

impl From<TestResult> for TestResultView {
    fn from(result: TestResult) -> Self {
        let passed = result.passed();
        let mismatches = result.mismatches.into_iter();
        Self {
            name: result.name,
            passed,
            mismatches: mismatches
                .map(|it| MismatchView {
                    what: it.what,
                    expected: it.expected,
                    found: it.found,
                })
                .collect(),
        }
    }
}
