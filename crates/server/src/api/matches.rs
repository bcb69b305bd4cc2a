//! The match report: which existing accounts a connector's users would find, and which rule would find the most.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, LINK};
use axum::response::{IntoResponse, Response};
use directory::matching::MatchKind;
use directory::rules::MappingRow;
use directory::{ConnectorId, DirectoryId, Holder, SourceUserPk};
use provision::{MatchRow, MatchSuggestion, ProvisionError};
use serde::{Deserialize, Serialize};
use store::ReadTx;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page::{Page, cut, limit, not_a_place, one_more};
use super::problem::Problem;
use super::request::{Parameters, Segments};
use super::{Answer, connectors, csv, directories};
use crate::App;
use crate::authority::Admin;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(report))
        .routes(routes!(summary))
}

/// A user of the connector, and the accounts that it would find.
#[derive(Debug, Serialize, ToSchema)]
struct MatchView {
    /// The SCIM `id` of the user.
    user_id: String,
    /// Its `userName`.
    user_name: String,
    /// The user name that the rules give; empty if they give none.
    username: String,
    /// The e-mail address that the rules give.
    email: String,
    /// `linked`: the account is the user's own. `exact`: the same name. `case_only`: the name differs in case only.
    /// `domain_stripped`: the name without what stands behind `@`. `email`: one account has the address. `ambiguous`:
    /// several have it. `none`: no account looks like this user.
    #[schema(value_type = String)]
    kind: MatchKind,
    /// The accounts.
    accounts: Vec<MatchedView>,
}

/// An account that a user would find.
#[derive(Debug, Serialize, ToSchema)]
struct MatchedView {
    /// Its name.
    name: String,
    /// Whose it is: `copied`, `local`, `other_connector` or `same_connector`.
    #[schema(value_type = String)]
    holder: Holder,
}

/// How many users find an account.
#[derive(Debug, Serialize, ToSchema)]
struct MatchSummaryView {
    /// How many there are of each kind.
    counts: BTreeMap<&'static str, u64>,
    /// How many find an account by their name under the present rules.
    by_name: u64,
    /// How many would under other rows for the user name, the most first.
    rows: Vec<SuggestionView>,
    /// The first of them that finds more than the present rules do and can be saved: that leaves nobody nameless whom they
    /// do not.
    #[schema(value_type = Option<Object>)]
    best: Option<MappingRow>,
}

/// A row for the user name, and how many users would find an account by it.
#[derive(Debug, Serialize, ToSchema)]
struct SuggestionView {
    /// The row, ready for `mapping` of the rules.
    #[schema(value_type = Object)]
    row: MappingRow,
    /// How many.
    found: u64,
    /// How many users it would give no name, or the name that another gets: more than none, and it is refused when it is
    /// saved.
    nameless: u64,
}

/// What is compared with what, and which part of it.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Part {
    /// Name or id of the directory whose accounts are looked at; the connector's own if left out.
    directory: Option<String>,
    /// Only those of this kind. A page may then have fewer, even if another follows.
    kind: Option<String>,
    /// `json` or `csv`; CSV tells the next page in the header `Link`.
    format: Option<String>,
    /// `next` of the page before.
    after: Option<String>,
    /// How many users at most, 1 to 1000; 100 if left out.
    limit: Option<u32>,
}

/// Whose accounts are looked at.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Whole {
    /// Name or id of the directory; the connector's own if left out.
    directory: Option<String>,
}

fn places(
    tx: &ReadTx<'_>,
    connector: &str,
    directory: Option<&str>,
) -> Result<(ConnectorId, DirectoryId), ProvisionError> {
    let found = connectors::find(tx, connector)?.connector;
    let directory = match directory {
        Some(name) => directories::find(tx, name)?.id,
        None => found.directory,
    };
    Ok((found.id, directory))
}

/// The users of a connector with the accounts of a directory that they would find.
#[utoipa::path(get, path = "/connectors/{connector}/match", operation_id = "match_users", tag = "connectors",
    params(("connector" = String, Path, description = "Its id or name"), Part),
    responses((status = OK, content((Page<MatchView> = "application/json"), (String = "text/csv")))))]
async fn report(
    _admin: Admin,
    State(app): State<App>,
    connector: Segments<String>,
    Parameters(part): Parameters<Part>,
) -> Answer<Response> {
    let limit = limit(part.limit)?;
    let is_csv = match part.format.as_deref() {
        None | Some("json") => false,
        Some("csv") => true,
        Some(_) => return Err(Problem::invalid("format", "'format' is 'json' or 'csv'.")),
    };
    let behind = part.after.as_deref().map_or(Ok(0), str::parse);
    let behind = behind.map_err(not_a_place)?;
    let kind = part.kind.as_deref().map(kind_of).transpose()?;
    let asked = part.clone();
    let (name, directory) = (connector.0, part.directory);
    let provision = app.provision().clone();
    let mut rows = app
        .provision()
        .store()
        .read(move |tx| {
            let (connector, directory) = places(tx, &name, directory.as_deref())?;
            let limit = one_more(limit);
            provision.matches(tx, connector, directory, SourceUserPk(behind), limit)
        })
        .await?;
    let next = cut(&mut rows, limit, |last| last.source.0);
    rows.retain(|row| kind.is_none_or(|kind| row.kind == kind));
    if is_csv {
        let link = next.map(|next| (LINK, part_behind(&asked, next)));
        let headers = [
            Some((CONTENT_TYPE, "text/csv; charset=utf-8".to_owned())),
            link,
        ];
        let headers = axum::response::AppendHeaders(headers.into_iter().flatten());
        return Ok((headers, sheet(&rows)).into_response());
    }
    let page = Page {
        items: rows.into_iter().map(MatchView::from).collect::<Vec<_>>(),
        next: next.map(|next| next.to_string()),
    };
    Ok(Json(page).into_response())
}

/// How many users of a connector find an account, and which row for the user name would find the most.
#[utoipa::path(get, path = "/connectors/{connector}/match/summary", operation_id = "summarize_match", tag = "connectors",
    params(("connector" = String, Path, description = "Its id or name"), Whole),
    responses((status = OK, body = MatchSummaryView)))]
async fn summary(
    _admin: Admin,
    State(app): State<App>,
    connector: Segments<String>,
    Parameters(whole): Parameters<Whole>,
) -> Answer<Json<MatchSummaryView>> {
    let provision = app.provision().clone();
    let found = app
        .provision()
        .store()
        .read(move |tx| {
            let (connector, directory) = places(tx, &connector, whole.directory.as_deref())?;
            provision.match_summary(tx, connector, directory)
        })
        .await?;
    let best = found.best().map(|one| one.row.clone());
    let counts = found.counts.iter();
    Ok(Json(MatchSummaryView {
        counts: counts
            .map(|(kind, count)| (kind.as_str(), *count))
            .collect(),
        by_name: found.by_name,
        best,
        rows: found.rows.into_iter().map(SuggestionView::from).collect(),
    }))
}

/// The address of the next page: asked in the same way, from another place on.
fn part_behind(asked: &Part, next: i64) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let named = [
        ("directory", asked.directory.clone()),
        ("kind", asked.kind.clone()),
        ("format", asked.format.clone()),
        ("limit", asked.limit.map(|limit| limit.to_string())),
        ("after", Some(next.to_string())),
    ];
    for (name, value) in named {
        if let Some(value) = value {
            query.append_pair(name, &value);
        }
    }
    format!("<?{}>; rel=\"next\"", query.finish())
}

fn kind_of(text: &str) -> Result<MatchKind, Problem> {
    let found = MatchKind::ALL
        .into_iter()
        .find(|kind| kind.as_str() == text);
    found.ok_or_else(|| {
        let words = MatchKind::ALL.map(MatchKind::as_str).join(", ");
        Problem::invalid("kind", format!("'kind' is one of {words}."))
    })
}

impl From<MatchSuggestion> for SuggestionView {
    fn from(one: MatchSuggestion) -> Self {
        Self {
            row: one.row,
            found: one.found,
            nameless: one.nameless,
        }
    }
}

impl From<MatchRow> for MatchView {
    fn from(row: MatchRow) -> Self {
        let accounts = row.accounts.into_iter();
        Self {
            user_id: row.id,
            user_name: row.user_name,
            username: row.username,
            email: row.email,
            kind: row.kind,
            accounts: accounts
                .map(|(name, holder)| MatchedView { name, holder })
                .collect(),
        }
    }
}

fn sheet(rows: &[MatchRow]) -> String {
    let mut text = "user_id,user_name,username,email,kind,accounts\r\n".to_owned();
    for row in rows {
        let names: Vec<&str> = row.accounts.iter().map(|(name, _)| name.as_str()).collect();
        let names = names.join("|");
        let kind = row.kind.as_str();
        let (id, user_name, username, email) =
            (&*row.id, &*row.user_name, &*row.username, &*row.email);
        text.push_str(&csv::line([id, user_name, username, email, kind, &names]));
    }
    text
}
