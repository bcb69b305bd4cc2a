//! The past of users and groups: what they were at a moment, and what lies between two moments.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use directory::{Account, Change, DirectoryId, Membership, Reason, Status, plan};
use jiff::Timestamp;
use provision::{PastUser, Provision, ProvisionError};
use serde::{Deserialize, Serialize};
use store::ReadTx;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::request::{Parameters, Segments};
use super::whoever::{self, Whoever};
use super::{Answer, directories};
use crate::App;
use crate::authority::Admin;

/// Names of members that are shown at most.
const MEMBERS_MAX: usize = 1_000;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(of_user))
        .routes(routes!(of_group))
}

/// At which moments to look.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct HistoryQuery {
    /// The moment; now, if it is left out.
    #[param(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
    /// An earlier moment to compare with.
    #[param(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
}

/// What a user was.
#[derive(Debug, Serialize, ToSchema)]
struct UserHistory {
    /// Who it is.
    who: Whoever,
    /// The moment.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// The user at that moment; absent if products saw no such user then.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<PastAccountView>,
    /// The user at the earlier moment, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<PastAccountView>,
    /// What lies between the two moments, taken together.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    changes: Option<Vec<Change>>,
    /// The position of the journal at that moment: entries about the user behind it or before it tell the causes.
    position: i64,
}

/// A user at a moment.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PastAccountView {
    /// The user name.
    name: String,
    /// The full name.
    display_name: String,
    /// The given name.
    first_name: String,
    /// The family name.
    last_name: String,
    /// The e-mail address; empty if unknown.
    email: String,
    /// `active`, `disabled` or `removed`.
    #[schema(value_type = String)]
    status: Status,
    /// Why, e.g. `IDP_ACTIVE`.
    #[schema(value_type = String)]
    reason: Reason,
    /// Further attributes of the rules.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    attributes: BTreeMap<String, Vec<String>>,
    /// The groups, by name, and why the user is in them.
    memberships: Vec<PlaceView>,
}

/// A membership at a moment.
#[derive(Debug, Serialize, ToSchema)]
struct PlaceView {
    /// The group's name then.
    group: String,
    /// The kinds of its origins.
    origins: Vec<&'static str>,
}

impl From<Account> for PastAccountView {
    fn from(account: Account) -> Self {
        let place = |one: Membership| PlaceView {
            origins: one.origins.iter().map(directory::Origin::kind).collect(),
            group: one.group,
        };
        let mut memberships: Vec<PlaceView> = account.memberships.into_iter().map(place).collect();
        memberships.sort_by(|a, b| a.group.cmp(&b.group));
        Self {
            name: account.attributes.username,
            display_name: account.attributes.display_name,
            first_name: account.attributes.first_name,
            last_name: account.attributes.last_name,
            email: account.attributes.email,
            status: account.status,
            reason: account.reason,
            attributes: account.attributes.extra,
            memberships,
        }
    }
}

/// What a group was.
#[derive(Debug, Serialize, ToSchema)]
struct GroupHistory {
    /// Which group it is.
    who: Whoever,
    /// The moment.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// The name at that moment; absent if there was no such group then.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The description at that moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// How many members it had itself.
    members: usize,
    /// Their present names, in order; the first of them, if they are many.
    member_names: Vec<String>,
    /// Who came since the earlier moment, by present name; the first of them, if they are many.
    #[serde(skip_serializing_if = "Option::is_none")]
    joined: Option<Vec<String>>,
    /// Who left since the earlier moment, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    left: Option<Vec<String>>,
    /// The position of the journal at that moment.
    position: i64,
}

/// What a user was at a moment, and what lies between two moments.
///
/// The journal is followed back from the present. Its entries, with their causes, are listed by
/// `/directories/{directory}/journal?user=`.
#[utoipa::path(get, path = "/directories/{directory}/users/{user}/history", operation_id = "show_user_history", tag = "journal",
    params(
        ("directory" = String, Path, description = "Its id or name"),
        ("user" = String, Path, description = "The user's key, or a name of now or then: of several who had it, whoever had it last"),
        HistoryQuery,
    ),
    responses((status = OK, body = UserHistory)))]
async fn of_user(
    _admin: Admin,
    State(app): State<App>,
    path: Segments<(String, String)>,
    Parameters(query): Parameters<HistoryQuery>,
) -> Answer<Json<UserHistory>> {
    let (directory, name) = path.0;
    let provision = app.provision().clone();
    directories::answer(&app, directory, move |tx, directory| {
        user_history(&provision, tx, directory, &name, &query)
    })
    .await
}

fn user_history(
    provision: &Provision,
    tx: &ReadTx<'_>,
    directory: DirectoryId,
    name: &str,
    query: &HistoryQuery,
) -> Result<UserHistory, ProvisionError> {
    let (at, since) = query.moments(tx)?;
    let (user, who) = whoever::user(tx, directory, name)?;
    let PastUser {
        mut account,
        position,
    } = provision.user_at(tx, directory, &user, at)?;
    let mut before = match since {
        Some(since) => Some(provision.user_at(tx, directory, &user, since)?.account),
        None => None,
    };
    let hidden = provision.hidden_in(tx, directory)?;
    let mut changes = before
        .as_ref()
        .map(|before| between(before.as_ref(), account.as_ref()));
    for change in changes.iter_mut().flatten() {
        change.redact(&hidden);
    }
    for shown in account.iter_mut().chain(before.iter_mut().flatten()) {
        shown.attributes.redact(&hidden, None);
    }
    Ok(UserHistory {
        who,
        at,
        changes,
        before: before.flatten().map(PastAccountView::from),
        user: account.map(PastAccountView::from),
        position,
    })
}

/// The changes that lead from one state to another.
fn between(before: Option<&Account>, after: Option<&Account>) -> Vec<Change> {
    match (before, after) {
        (None, None) => Vec::new(),
        (before, Some(after)) => plan(before, &after.as_outcome()).changes,
        (Some(before), None) => {
            let gone = Account {
                status: Status::Removed,
                ..before.clone()
            };
            plan(Some(before), &gone.as_outcome()).changes
        }
    }
}

/// What a group was at a moment, and who came and left since an earlier one.
#[utoipa::path(get, path = "/directories/{directory}/groups/{group}/history", operation_id = "show_group_history", tag = "journal",
    params(
        ("directory" = String, Path, description = "Its id or name"),
        ("group" = String, Path, description = "A name of now or then: of several groups that had it, the one that had it last"),
        HistoryQuery,
    ),
    responses((status = OK, body = GroupHistory)))]
async fn of_group(
    _admin: Admin,
    State(app): State<App>,
    path: Segments<(String, String)>,
    Parameters(query): Parameters<HistoryQuery>,
) -> Answer<Json<GroupHistory>> {
    let (directory, name) = path.0;
    let provision = app.provision().clone();
    directories::answer(&app, directory, move |tx, directory| {
        let (at, since) = query.moments(tx)?;
        let (group, who) = whoever::group(tx, directory, &name)?;
        let past = provision.group_at(tx, directory, &group, at)?;
        let before = match since {
            Some(since) => Some(provision.group_at(tx, directory, &group, since)?.members),
            None => None,
        };
        let joined = before
            .as_ref()
            .map(|it| past.members.difference(it).copied());
        let left = before
            .as_ref()
            .map(|it| it.difference(&past.members).copied());
        let names = |users: Vec<directory::UserPk>| names(tx, directory, &users);
        let (name, description) = past.named.clone().unzip();
        Ok(GroupHistory {
            who,
            at,
            name,
            description,
            members: past.members.len(),
            joined: joined.map(|it| names(it.collect())).transpose()?,
            left: left.map(|it| names(it.collect())).transpose()?,
            member_names: names(past.members.iter().copied().collect())?,
            position: past.position,
        })
    })
    .await
}

fn names(
    tx: &ReadTx<'_>,
    directory: DirectoryId,
    users: &[directory::UserPk],
) -> Result<Vec<String>, ProvisionError> {
    let some = &users[..users.len().min(MEMBERS_MAX)];
    let found = tx.directory_users_by_pk(directory, some)?;
    let mut names: Vec<String> = found.into_iter().map(|user| user.name).collect();
    names.sort_unstable();
    Ok(names)
}

impl HistoryQuery {
    fn moments(&self, tx: &ReadTx<'_>) -> Result<(Timestamp, Option<Timestamp>), ProvisionError> {
        let at = self.at.unwrap_or_else(|| tx.now());
        match self.since {
            Some(since) if since >= at => Err(ProvisionError::Invalid {
                field: "since",
                message: format!("is {since}, not before {at}; name an earlier moment"),
            }),
            since => Ok((at, since)),
        }
    }
}
