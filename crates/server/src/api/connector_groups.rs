//! Groups of a connector: what the rules make of them, and what an administrator decides about one.

use axum::Json;
use axum::extract::State;
use directory::rules::Fault;
use directory::{ConnectorId, SourceGroupPk};
use jiff::Timestamp;
use provision::{GroupChoice, GroupFate, GroupQuery, ListedGroup};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page::{Page, cut, limit, not_a_place};
use super::problem::Problem;
use super::request::{Body, Parameters, Segments};
use super::{Answer, connectors};
use crate::App;
use crate::authority::Admin;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(decide))
}

/// A group as the identity provider has it, and what has become of it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ConnectorGroupView {
    /// The SCIM `id`, to which rows of `groups.mapping` are bound.
    id: String,
    /// Its `displayName`.
    name: String,
    /// Users and groups in it.
    members: i64,
    /// `assigned`, `waiting` (for a decision), `ignored` (by a decision), `protected` (its name is in
    /// `groups.protected`, so that its members are refused) or `left_out` (by the rules).
    state: &'static str,
    /// The groups that its members get; of a waiting one, would get.
    groups: Vec<String>,
    /// The entry of `groups.protected` that has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    protected_by: Option<String>,
    /// What is wrong with what the rules make of its name. The memberships of its members stay as they were then.
    #[serde(skip_serializing_if = "Option::is_none")]
    name_fault: Option<&'static str>,
    /// The former name that the rules go on with, after the identity provider renamed the group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pinned_name: Option<String>,
    /// The former name that it has beside the present one.
    #[serde(skip_serializing_if = "Option::is_none")]
    alias: Option<AliasView>,
    /// The name that an administrator gave its group.
    #[serde(skip_serializing_if = "Option::is_none")]
    own_name: Option<String>,
    /// When any of this was last decided or noticed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    /// What a waiting group waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    existing: Option<ExistingView>,
}

/// A former name.
#[derive(Debug, Serialize, ToSchema)]
struct AliasView {
    /// The name.
    name: String,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
}

/// A group that has members from elsewhere.
#[derive(Debug, Serialize, ToSchema)]
struct ExistingView {
    /// Its name.
    name: String,
    /// Whether it was made here or by a product.
    local: bool,
    /// Users in it.
    members: i64,
    /// Users whom adopting or merging adds.
    would_add: i64,
    /// Users whom adopting takes out.
    would_remove: i64,
}

impl ConnectorGroupView {
    pub(super) fn of(item: ListedGroup, now: Timestamp) -> Self {
        let standing = item.listed.standing;
        // A former name goes on only where it is the rules that say what the group becomes.
        let is_by_rules = standing.own_name.is_none() && item.fate != GroupFate::Ignored;
        let (pinned_name, alias) = match (standing.former_name, standing.former_until) {
            (Some(name), Some(until)) if is_by_rules && now < until => {
                (None, Some(AliasView { name, until }))
            }
            (Some(name), None) => (Some(name), None),
            _ => (None, None),
        };
        Self {
            id: item.listed.group.id,
            name: item.listed.group.display_name,
            members: item.listed.group.member_count,
            state: word(item.fate),
            groups: item.names,
            protected_by: item.protected_by,
            name_fault: item.name_fault.map(Fault::as_str),
            pinned_name,
            alias,
            own_name: standing.own_name,
            since: item.listed.since,
            existing: item.in_the_way.map(|there| ExistingView {
                name: there.group.name,
                local: there.group.local,
                members: there.comparison.members,
                would_add: there.comparison.added,
                would_remove: there.comparison.removed,
            }),
        }
    }
}

fn word(fate: GroupFate) -> &'static str {
    match fate {
        GroupFate::Assigned => "assigned",
        GroupFate::Waiting => "waiting",
        GroupFate::Ignored => "ignored",
        GroupFate::Protected => "protected",
        GroupFate::LeftOut => "left_out",
    }
}

/// Which groups to list.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct GroupFilter {
    /// Only `assigned`, `waiting`, `ignored`, `protected` or `left_out` ones, or those that are `renamed` and have a
    /// former name still.
    state: Option<String>,
    /// `next` of the page before.
    after: Option<String>,
    /// How many at most, 1 to 1000; 100 if left out.
    limit: Option<u32>,
}

impl GroupFilter {
    fn query(&self) -> Result<GroupQuery, Problem> {
        Ok(match self.state.as_deref() {
            None => GroupQuery::Any,
            Some("assigned") => GroupQuery::Fate(GroupFate::Assigned),
            Some("waiting") => GroupQuery::Fate(GroupFate::Waiting),
            Some("ignored") => GroupQuery::Fate(GroupFate::Ignored),
            Some("protected") => GroupQuery::Fate(GroupFate::Protected),
            Some("left_out") => GroupQuery::Fate(GroupFate::LeftOut),
            Some("renamed") => GroupQuery::Renamed,
            Some(_) => {
                let detail =
                    "'state' has to be assigned, waiting, ignored, protected, left_out or renamed.";
                return Err(Problem::invalid("state", detail));
            }
        })
    }

    fn behind(&self) -> Result<SourceGroupPk, Problem> {
        match self.after.as_deref() {
            None => Ok(SourceGroupPk(0)),
            Some(text) => text.parse().map_err(not_a_place),
        }
    }
}

/// What to do about a group.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ChoiceWord {
    /// It feeds the group that it waits for, and the members that others put there go.
    Adopt,
    /// It feeds the group that it waits for, whose members stay.
    Merge,
    /// It feeds a group of another name.
    Rename,
    /// It feeds no group.
    Ignore,
    /// Nothing special any more: it goes by its present name and the rules.
    Follow,
}

/// A decision about a group.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct GroupDecision {
    /// What to do.
    choice: ChoiceWord,
    /// The name of its group from now on, if `choice` is `rename`.
    name: Option<String>,
}

impl GroupDecision {
    fn choice(self) -> Result<GroupChoice, Problem> {
        Ok(match (self.choice, self.name) {
            (ChoiceWord::Rename, Some(name)) => GroupChoice::Rename(name),
            (ChoiceWord::Rename, None) => {
                return Err(Problem::invalid(
                    "name",
                    "'name' is missing; say what the group is to be called.",
                ));
            }
            (_, Some(_)) => {
                return Err(Problem::invalid(
                    "name",
                    "'name' belongs to the choice `rename` only.",
                ));
            }
            (ChoiceWord::Adopt, None) => GroupChoice::Adopt,
            (ChoiceWord::Merge, None) => GroupChoice::Merge,
            (ChoiceWord::Ignore, None) => GroupChoice::Ignore,
            (ChoiceWord::Follow, None) => GroupChoice::Follow,
        })
    }
}

/// Groups that the identity provider has written, with what the rules and administrators make of each.
#[utoipa::path(get, path = "/connectors/{connector}/groups", operation_id = "list_connector_groups", tag = "connectors",
    params(("connector" = String, Path, description = "Its id or name"), GroupFilter),
    responses((status = OK, body = Page<ConnectorGroupView>)))]
async fn list(
    _admin: Admin,
    State(app): State<App>,
    connector: Segments<String>,
    Parameters(filter): Parameters<GroupFilter>,
) -> Answer<Json<Page<ConnectorGroupView>>> {
    let (limit, query, after) = (limit(filter.limit)?, filter.query()?, filter.behind()?);
    let id = connectors::find_id(&app, &connector).await?;
    let provision = app.provision().clone();
    let (mut found, now) = app
        .provision()
        .store()
        .read(move |tx| {
            let found = provision.connector_groups(tx, id, query, after, limit + 1)?;
            Ok::<_, provision::ProvisionError>((found, tx.now()))
        })
        .await?;
    Ok(Json(Page {
        next: cut(&mut found, limit, |last| last.listed.group.pk.to_string()),
        items: found
            .into_iter()
            .map(|item| ConnectorGroupView::of(item, now))
            .collect(),
    }))
}

/// One group that the identity provider has written, with what the rules and administrators make of it.
#[utoipa::path(get, path = "/connectors/{connector}/groups/{group}", operation_id = "show_connector_group", tag = "connectors",
    params(("connector" = String, Path, description = "Its id or name"),
        ("group" = String, Path, description = "The SCIM id or the name of the group")),
    responses((status = OK, body = ConnectorGroupView)))]
async fn show(
    _admin: Admin,
    State(app): State<App>,
    place: Segments<(String, String)>,
) -> Answer<Json<ConnectorGroupView>> {
    let (connector, group) = place.0;
    let id = connectors::find_id(&app, &connector).await?;
    Ok(Json(one(&app, id, group).await?))
}

/// A group by its SCIM id or its name.
async fn one(app: &App, connector: ConnectorId, group: String) -> Answer<ConnectorGroupView> {
    let provision = app.provision().clone();
    let store = app.provision().store();
    let found = store.read(move |tx| {
        let found = provision.connector_group(tx, connector, &group)?;
        Ok::<_, provision::ProvisionError>(ConnectorGroupView::of(found, tx.now()))
    });
    Ok(found.await?)
}

/// Decides about one group of the identity provider, named by its SCIM id or its name.
///
/// Memberships follow at once, or soon if there are many, without any write of the identity provider.
#[utoipa::path(post, path = "/connectors/{connector}/groups/{group}/decision", operation_id = "decide_connector_group",
    tag = "connectors",
    params(("connector" = String, Path, description = "Its id or name"),
        ("group" = String, Path, description = "The SCIM id or the name of the group")),
    request_body = GroupDecision,
    responses((status = OK, body = ConnectorGroupView)))]
async fn decide(
    admin: Admin,
    State(app): State<App>,
    place: Segments<(String, String)>,
    Body(decision): Body<GroupDecision>,
) -> Answer<Json<ConnectorGroupView>> {
    let (connector, group) = &*place;
    let choice = decision.choice()?;
    let id = connectors::find_id(&app, connector).await?;
    let id_of_group = app
        .provision()
        .choose_for_group(id, group.clone(), choice, &admin.name)
        .await?;
    Ok(Json(one(&app, id, id_of_group).await?))
}
