//! Samples: what rules would do to a few users and groups, while somebody is still writing them.

use axum::Json;
use axum::extract::State;
use directory::rules::WrittenRules;
use provision::{PreviewedUser, SampleWish, SampledGroup};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::connectors::find_id;
use super::super::request::{Body, Segments};
use super::super::{Answer, schema};
use super::read;
use crate::App;
use crate::authority::Admin;

/// Users or groups that a sample shows at most.
const SHOWN_MAX: usize = 50;
/// Users and groups that it shows if nobody says how many.
const SHOWN: usize = 5;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(run))
}

/// Which rules to try, and how much to show.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SampleCreation {
    /// The rules to try.
    #[schema(schema_with = schema::rules)]
    rules: WrittenRules,
    /// Somebody who is shown in any case, by `userName`, its beginning, or SCIM `id`.
    user: Option<String>,
    /// How many users to show, at most 50; 5 if left out.
    users: Option<usize>,
    /// How many groups to show, at most 50; 5 if left out.
    groups: Option<usize>,
}

/// A few users and groups, as the rules in force have them and as they would be.
#[derive(Debug, Serialize, ToSchema)]
struct SampleView {
    /// Users, those for whom something would change first; described at `/connectors/{connector}/rules/previews`.
    #[schema(value_type = Vec<Object>)]
    users: Vec<PreviewedUser>,
    /// Groups of the identity provider, likewise.
    groups: Vec<SampledGroupView>,
    /// How many users were looked at: the oldest ones, a few hundred.
    looked_at: u64,
    /// For how many of them products would see a difference from what the rules in force give. What is held already stays as it
    /// is, and limits are not looked at: what they would hold back, a preview of everybody tells.
    changed: u64,
    /// How many of them would have a trouble that they do not have now.
    problems: u64,
}

/// A group of the identity provider, and the groups that its members get.
#[derive(Debug, Serialize, ToSchema)]
struct SampledGroupView {
    /// Its name at the identity provider.
    name: String,
    /// What becomes of it by the rules in force; nothing if it is left out.
    before: Vec<String>,
    /// What would become of it.
    after: Vec<String>,
}

/// Tries rules on a few stored users and groups, changing and keeping nothing.
///
/// It takes as long for a large connector as for a small one. A preview looks at everybody, and can be applied.
#[utoipa::path(post, path = "/connectors/{connector}/rules/sample", operation_id = "sample_rules", tag = "rules",
    extensions(("x-changes" = json!("nothing"))),
    params(("connector" = String, Path, description = "Its id or name")),
    request_body = SampleCreation,
    responses((status = OK, body = SampleView)))]
async fn run(
    _admin: Admin,
    State(app): State<App>,
    connector: Segments<String>,
    Body(creation): Body<SampleCreation>,
) -> Answer<Json<SampleView>> {
    let id = find_id(&app, &connector).await?;
    let wish = SampleWish {
        rules: read(creation.rules)?,
        user: creation.user.filter(|name| !name.trim().is_empty()),
        users: creation.users.unwrap_or(SHOWN).min(SHOWN_MAX),
        groups: creation.groups.unwrap_or(SHOWN).min(SHOWN_MAX),
    };
    let provision = app.provision().clone();
    let sample = app
        .provision()
        .store()
        .read(move |tx| provision.sample_rules(tx, id, &wish))
        .await?;
    Ok(Json(SampleView {
        users: sample.users,
        groups: sample
            .groups
            .into_iter()
            .map(SampledGroupView::from)
            .collect(),
        looked_at: sample.looked_at,
        changed: sample.changed,
        problems: sample.problems,
    }))
}

impl From<SampledGroup> for SampledGroupView {
    fn from(group: SampledGroup) -> Self {
        Self {
            name: group.name,
            before: group.before,
            after: group.after,
        }
    }
}
