//! Why a user is as it is: the rules' decision on what is stored now, told line by line.

mod membership;

use axum::Json;
use axum::extract::State;
use directory::rules::CleanupAction;
use directory::trace::Stage;
use directory::{ConnectorState, DirectoryId, Line, Outcome, Status, User, Verdict};
use jiff::Timestamp;
use provision::{NameHolder, Provision, ProvisionError, Why, Written};
use serde::{Deserialize, Serialize};
use store::ReadTx;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::request::{Parameters, Segments};
use super::{Answer, connectors, directories, whoever};
use crate::App;
use crate::authority::Admin;
use membership::{feeding, is_member};

/// Users who wait for a name that an explanation names at most.
const WAITING_MAX: i64 = 5;

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
    /// Only how this attribute comes about, by the name of its target in the rules: `username`, `email`, `attr:title` ...
    attribute: Option<String>,
}

/// An explanation.
#[derive(Debug, Serialize, ToSchema)]
pub struct Explanation {
    /// The account as the rules want it: `active`, `disabled`, `none` or `removed`.
    decision: &'static str,
    /// Why, e.g. `IDP_ACTIVE` or `NOT_IN_REQUIRED_GROUP`.
    reason: &'static str,
    /// Whether the account stays active although `reason` speaks against it, as something holds cleanup back.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    kept_active: bool,
    /// Of a question about a group: whether the user is in it now, itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    member: Option<bool>,
    /// Of a question about a group that the user is in only by way of groups in it: those groups, the innermost first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    member_by_way_of: Vec<String>,
    /// Of a question about a group: whether the rules want the user in it. It differs from `member`
    /// while an evaluation is still to come.
    #[serde(skip_serializing_if = "Option::is_none")]
    member_by_rules: Option<bool>,
    /// The name that the user should have and that somebody else has.
    #[serde(skip_serializing_if = "Option::is_none")]
    taken_name: Option<String>,
    /// Who has it: `key`, `name` and `connector` of the account; absent if the name is only kept for somebody.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object)]
    taken_by: Option<NameHolder>,
    /// Of a question about an attribute: its values by the rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    values: Option<Vec<String>>,
    /// How the decision comes about, in the order of evaluation.
    lines: Vec<LineView>,
    /// Where the answer is no: what would have to be different, all of it; where there are several ways, one line has them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    conditions: Vec<String>,
    /// What becomes of an account that was cleaned up, if nothing changes until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    later: Option<LaterView>,
    /// The request that wrote the user last, as far as the record of requests goes back.
    #[serde(skip_serializing_if = "Option::is_none")]
    written: Option<WrittenView>,
    /// Of a question about a group: what put the user into it.
    #[serde(skip_serializing_if = "Option::is_none")]
    joined: Option<WrittenView>,
    /// Of a question about a group that the user is in no more: what took the user out.
    #[serde(skip_serializing_if = "Option::is_none")]
    left: Option<WrittenView>,
    /// If the account was there before: by what it was found, and what made it this user's.
    #[serde(skip_serializing_if = "Option::is_none")]
    linked: Option<LinkedView>,
    /// The key of the account that the user has.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    /// What became of the name that was asked for and of whoever had it; absent if who was asked for is there under it.
    #[serde(skip_serializing_if = "Option::is_none")]
    became: Option<String>,
}

/// The second stage of cleanup.
#[derive(Debug, Serialize, ToSchema)]
pub struct LaterView {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// What: `anonymise` or `delete`.
    #[schema(value_type = String)]
    action: CleanupAction,
}

impl LaterView {
    /// What is still to come of a decision.
    pub(super) fn of(outcome: &Outcome) -> Option<Self> {
        let (at, action) = outcome.later()?;
        Some(Self { at, action })
    }
}

/// How an account that was there before became a user's.
#[derive(Debug, Serialize, ToSchema)]
pub struct LinkedView {
    /// `username`, `email` or `attribute`.
    by: &'static str,
    #[serde(flatten)]
    written: WrittenView,
}

/// What wrote something, and when.
#[derive(Debug, Serialize, ToSchema)]
pub struct WrittenView {
    /// The id of the request, as the record of requests and the journal have it; empty if there was none.
    request: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Method and path of a request, or what set an evaluation off.
    what: String,
    /// Who acted.
    actor: String,
}

impl From<Written> for WrittenView {
    fn from(written: Written) -> Self {
        Self {
            request: written.request,
            at: written.at,
            what: written.what,
            actor: written.actor,
        }
    }
}

/// One line of an explanation.
#[derive(Debug, Serialize, ToSchema)]
pub struct LineView {
    /// `subject`, `identity`, `conditions`, `mapping`, `groups`, `scope`, `additions`, `removals`, `status`, `precedence` (what
    /// other connectors of the directory say), `overrides`, `safety`, or `shadow` (what would be if rules in the shadow counted).
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

/// Why a user is as it is, or is or is not in a group; also one whose account is gone.
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
    app.flush_records().await;
    let told = app
        .provision()
        .store()
        .read(move |tx| explain_user(&provision, tx, &directory, &name, &query));
    Ok(Json(told.await?))
}

/// Explains a user of a directory, each by name or id; with a group, by its name, only what has to do with it.
fn explain_user(
    provision: &Provision,
    tx: &ReadTx<'_>,
    directory: &str,
    user: &str,
    query: &WhyQuery,
) -> Result<Explanation, ProvisionError> {
    let group = query.group.as_deref();
    let directory = directories::find(tx, directory)?.id;
    let (user, who) = whoever::user(tx, directory, user)?;
    let member = is_member(tx, &user, group)?;
    let mut told = match provision.why(tx, user.pk, group)? {
        Some(why) => explain(provision, tx, &why, (directory, query, member))?,
        None => unexplained(tx, directory, &user, member)?,
    };
    if let Some(group) = group {
        let joined = provision.joined(tx, &user, directory, group)?;
        told.joined = joined.map(WrittenView::from);
    }
    let linked = provision.linked(tx, &user)?;
    told.linked = linked.map(|(by, written)| LinkedView {
        by: by.as_str(),
        written: written.into(),
    });
    told.account = Some(user.key.clone());
    told.became = who.became;
    if let (Some(group), Some(false)) = (group, member) {
        told.add_way(tx, directory, &user, group)?;
        told.add_end(provision, tx, (directory, &user), group)?;
    }
    Ok(told)
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
    app.flush_records().await;
    let told = app
        .provision()
        .store()
        .read(move |tx| {
            let (connector, user) = &*path;
            explain_source_user(&provision, tx, connector, user, &query)
        })
        .await?;
    Ok(Json(told))
}

/// Explains somebody whom a connector knows, by userName or SCIM id, whether or not there is an account.
fn explain_source_user(
    provision: &Provision,
    tx: &ReadTx<'_>,
    connector: &str,
    user: &str,
    query: &WhyQuery,
) -> Result<Explanation, ProvisionError> {
    let connector = connectors::find(tx, connector)?.connector;
    let (connector, directory) = (connector.id, connector.directory);
    let by_name = tx.source_user_id_by_user_name(connector, user)?;
    let id = by_name.as_deref().unwrap_or(user);
    match provision.why_of_source(tx, connector, id, query.group.as_deref())? {
        Some(why) => explain(provision, tx, &why, (directory, query, None)),
        None => Err(ProvisionError::not_found("user", user)),
    }
}

fn explain(
    provision: &Provision,
    tx: &ReadTx<'_>,
    why: &Why,
    (directory, query, member): (DirectoryId, &WhyQuery, Option<bool>),
) -> Result<Explanation, ProvisionError> {
    let (decision, reason) = match why.outcome.verdict {
        Verdict::NoAccount { reason } => ("none", reason),
        Verdict::Account { status, reason } => (status.as_str(), reason),
        Verdict::Remove { reason } => ("removed", reason),
    };
    let mut values = None;
    let (member_by_rules, lines) = match (&query.group, &query.attribute) {
        (Some(_), Some(_)) => return Err(one_question()),
        (None, None) => (None, why.outcome.lines()),
        (None, Some(attribute)) => {
            values = Some(why.values_of(attribute));
            (None, about_attribute(why, attribute)?)
        }
        (Some(group), None) => {
            let answer = why.outcome.why_group(group);
            (Some(answer.member), answer.lines)
        }
    };
    let mut lines: Vec<LineView> = lines.into_iter().map(LineView::from).collect();
    if query.attribute.is_none() {
        let shadow = why.in_the_shadow(query.group.as_deref());
        lines.extend(shadow.into_iter().map(LineView::from));
    }
    if let (Some(group), Some(false)) = (&query.group, member_by_rules) {
        lines.extend(feeding(tx, directory, group)?);
    }
    if why.outside_pilot {
        lines.push(LineView {
            stage: Stage::Status,
            text: "the connector is on pilot without this user: nothing of this takes effect"
                .to_owned(),
        });
    }
    if why.state == ConnectorState::Paused {
        lines.push(LineView {
            stage: Stage::Status,
            text: "the connector is paused: nothing of this takes effect before it is resumed"
                .to_owned(),
        });
    }
    let attribute = query.attribute.as_deref();
    let decided_by = attribute.and_then(|it| why.outcome.decided_by(it));
    let written = match (&why.account, decided_by) {
        (Some(account), Some(other)) => provision.written_at(tx, account, other)?,
        _ => why.written.clone(),
    };
    Ok(Explanation {
        decision,
        reason: reason.as_str(),
        kept_active: why.outcome.stays_active(),
        member,
        member_by_way_of: Vec::new(),
        member_by_rules,
        taken_name: why.taken_name.clone(),
        taken_by: why.taken_by.clone(),
        values,
        lines,
        conditions: conditions(why, query),
        later: LaterView::of(&why.outcome),
        written: written.map(WrittenView::from),
        joined: None,
        left: None,
        linked: None,
        account: why.account.clone(),
        became: None,
    })
}

fn one_question() -> ProvisionError {
    ProvisionError::Invalid {
        field: "attribute",
        message: "cannot be asked for together with 'group'; ask one after the other".to_owned(),
    }
}

fn about_attribute(why: &Why, attribute: &str) -> Result<Vec<Line>, ProvisionError> {
    why.outcome
        .why_attribute(attribute)
        .ok_or_else(|| ProvisionError::Invalid {
            field: "attribute",
            message: format!(
                "is '{attribute}', which no row of the rules is about, or the user was dropped before; targets are \
                 username, email, display_name, first_name, last_name, active, groups and attr:NAME"
            ),
        })
}

/// What would have to be different, where the answer is no.
fn conditions(why: &Why, query: &WhyQuery) -> Vec<String> {
    let has_account = matches!(why.outcome.verdict, Verdict::Account { .. });
    // Attributes are the account's: without one, what is asked is why there is none.
    let mut all = match query.attribute.is_some() && has_account {
        true => Vec::new(),
        false => why.conditions.clone(),
    };
    let (group, attribute) = (query.group.as_deref(), query.attribute.as_deref());
    let held = why.outcome.to_approve(group, attribute);
    all.extend(held.iter().map(ToString::to_string));
    all
}

/// About a user of whom no identity provider speaks there is little to tell.
fn unexplained(
    tx: &ReadTx<'_>,
    directory: DirectoryId,
    user: &User,
    member: Option<bool>,
) -> Result<Explanation, ProvisionError> {
    let text = match user.status {
        Status::Removed => "The user was kept here, and the account is gone.",
        _ => "The user is kept here and comes from no identity provider.",
    };
    let mut lines = vec![LineView {
        stage: Stage::Subject,
        text: text.to_owned(),
    }];
    if user.status != Status::Removed {
        let waiting = tx.waiting_for_name(directory, &user.name, WAITING_MAX)?;
        lines.extend(waiting.into_iter().map(|(connector, id)| LineView {
            stage: Stage::Identity,
            text: format!(
                "the user `{id}` of connector `{connector}` is to have this name and waits until somebody decides \
                 whether both are one person"
            ),
        }));
    }
    Ok(Explanation {
        decision: user.status.as_str(),
        reason: user.reason.as_str(),
        kept_active: false,
        member,
        member_by_way_of: Vec::new(),
        member_by_rules: None,
        taken_name: None,
        taken_by: None,
        values: None,
        conditions: Vec::new(),
        later: None,
        written: None,
        joined: None,
        left: None,
        linked: None,
        account: None,
        became: None,
        lines,
    })
}
