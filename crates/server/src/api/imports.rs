//! Imports: people and groups of another server or a file, copied into a directory.

use axum::Json;
use axum::extract::{FromRequest, Request, State};
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use directory::census::{Census, CopyGroups, CopyOptions};
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use provision::{CrowdAddress, ImportCounts, ImportWish, ProvisionError};
use serde::{Deserialize, Serialize};
use store::{Import, StoreError};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page::List;
use super::problem::Problem;
use super::request::{Body, Parameters, Segments, unreadable};
use super::{Answer, directories};
use crate::App;
use crate::authority::Admin;
use crate::body;
use crate::limits::IMPORT_BODY_BYTES_MAX;

/// Imports that a list shows.
const LISTED: i64 = 100;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, begin))
        .routes(routes!(begin_crowd))
        .routes(routes!(show))
        .routes(routes!(run))
}

/// An import, and how far it is.
#[derive(Debug, Serialize, ToSchema)]
struct ImportView {
    /// Its id; absent if it was only tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// Where it comes from.
    source: String,
    /// Who wanted it.
    actor: String,
    /// `reading`: it is being read from another server. `staging`: what is to be copied is being stored. `running`: it is being
    /// copied. `done`. `tried`: nothing was done, `counts` is what would come of it, and `run` does it. `failed`.
    state: &'static str,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
    /// Pieces that there are: groups, users, groups in groups. While it is being read, how many of these were found.
    total: i64,
    /// Pieces that are done.
    done: i64,
    /// What came of them.
    counts: CountsView,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    started: Option<Timestamp>,
    /// When it last went on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    updated: Option<Timestamp>,
}

/// What came of an import, or would come of it.
#[derive(Debug, Serialize, ToSchema)]
struct CountsView {
    /// Accounts that were made.
    users_created: i64,
    /// Accounts of an earlier import that were changed.
    users_updated: i64,
    /// Accounts of an earlier import that are as they should be.
    users_unchanged: i64,
    /// Accounts that an identity provider feeds or that are kept here; an import leaves them alone.
    users_left_alone: i64,
    /// Groups that were made.
    groups_created: i64,
    /// Groups that were there.
    groups_unchanged: i64,
    /// Memberships that were made.
    memberships_added: i64,
    /// Groups that were put into groups.
    child_groups_added: i64,
    /// Names of some accounts that were left alone.
    left_alone: Vec<String>,
}

impl From<ImportCounts> for CountsView {
    fn from(counts: ImportCounts) -> Self {
        let ImportCounts {
            users_created,
            users_updated,
            users_unchanged,
            users_left_alone,
            groups_created,
            groups_unchanged,
            memberships_added,
            child_groups_added,
            left_alone,
        } = counts;
        Self {
            users_created,
            users_updated,
            users_unchanged,
            users_left_alone,
            groups_created,
            groups_unchanged,
            memberships_added,
            child_groups_added,
            left_alone,
        }
    }
}

fn view(import: Import) -> Result<ImportView, StoreError> {
    let counts = ImportCounts::of(&import)?;
    Ok(ImportView {
        id: Some(import.public_id),
        source: import.source,
        actor: import.actor,
        state: import.state.as_str(),
        failure: import.failure,
        total: import.total,
        done: import.done,
        counts: counts.into(),
        started: Some(import.started),
        updated: Some(import.updated),
    })
}

/// What is copied, and whether it is.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wish {
    /// Only tells what would come of it.
    #[serde(default)]
    dry_run: bool,
    /// With `dry_run`: keeps what was sent, so that it can be copied by `run` once somebody has looked. It is kept for a day, or until another
    /// import into the directory begins. The answer comes at once then, and the import tells when it is `tried`.
    #[serde(default)]
    keep: bool,
    /// Where it comes from, for people; `a file` if left out.
    source: Option<String>,
    /// Which groups, with who is in them: `all`, `none`, or an entry as in the lists of the rules, for example
    /// `re:jira-.*`. All if left out.
    groups: Option<String>,
    /// Names of the attributes, with commas between; all but those about passwords if left out, none if empty.
    attributes: Option<String>,
}

impl Wish {
    fn options(&self) -> CopyOptions {
        let groups = match self.groups.as_deref() {
            None | Some("all") => CopyGroups::All,
            Some("none") => CopyGroups::None,
            Some(entry) => CopyGroups::Matching(vec![entry.to_owned()]),
        };
        let names = |text: &String| {
            let names = text.split(',').map(str::trim);
            names
                .filter(|name| !name.is_empty())
                .map(str::to_owned)
                .collect()
        };
        CopyOptions {
            groups,
            attributes: self.attributes.as_ref().map(names),
        }
    }
}

/// What is to be copied, as JSON or as CSV.
struct Found(Census);

impl<S: Sync> FromRequest<S> for Found {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let kind = parts.headers.get(CONTENT_TYPE);
        let kind = kind
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let essence = kind
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        let read = match essence.as_str() {
            "application/json" => Census::from_json,
            "text/csv" => Census::from_csv,
            _ => {
                return Err(Problem::new(
                    StatusCode::UNSUPPORTED_MEDIA_TYPE,
                    "Send what is to be copied with 'Content-Type: application/json' or 'text/csv'. The documentation's \
                     chapter on moving an existing directory describes both.",
                ));
            }
        };
        let bytes = body::read(&parts.headers, body, IMPORT_BODY_BYTES_MAX).await;
        let bytes = bytes.map_err(unreadable)?;
        let text = std::str::from_utf8(&bytes).map_err(|error| {
            let detail = format!(
                "The body is not UTF-8 (byte {}). Save the file as UTF-8.",
                error.valid_up_to()
            );
            Problem::new(StatusCode::BAD_REQUEST, detail)
        })?;
        read(text)
            .map(Self)
            .map_err(|faults| ProvisionError::Census(faults).into())
    }
}

/// The newest imports of a directory, the newest first.
#[utoipa::path(get, path = "/directories/{directory}/imports", operation_id = "list_imports", tag = "directories",
    params(("directory" = String, Path, description = "Its id or name")),
    responses((status = OK, body = List<ImportView>)))]
async fn list(
    _admin: Admin,
    State(app): State<App>,
    name: Segments<String>,
) -> Answer<Json<List<ImportView>>> {
    directories::answer(&app, name.0, |tx, directory| {
        let imports = tx.imports(directory, LISTED)?.into_iter();
        let items = imports.map(view).collect::<Result<_, _>>()?;
        Ok(List { items })
    })
    .await
}

/// Copies people and groups into a directory.
///
/// The accounts belong to no identity provider until one of its users is taken for the same person. The work goes on
/// after the answer; with `dry_run` nothing happens, and the answer is what would come of it. Copying the same again
/// changes only what is different.
#[utoipa::path(post, path = "/directories/{directory}/imports", operation_id = "begin_import", tag = "directories",
    params(("directory" = String, Path, description = "Its id or name"), Wish),
    request_body(description = "`{\"users\": [...], \"groups\": [...]}`, or CSV with a line for each user",
        content((Object = "application/json"), (String = "text/csv"))),
    responses((status = "2XX", description = "The work has begun, or was only tried.", body = ImportView)))]
async fn begin(
    admin: Admin,
    State(app): State<App>,
    headers: HeaderMap,
    name: Segments<String>,
    Parameters(wish): Parameters<Wish>,
    Found(census): Found,
) -> Answer<Response> {
    let directory = directories::find_id(&app, name.0.clone()).await?;
    let options = wish.options();
    let (dry_run, keep) = (wish.dry_run, wish.keep);
    if keep && !dry_run {
        let detail = "'keep' belongs to 'dry_run': what is copied at once need not be kept.";
        return Err(Problem::invalid("keep", detail));
    }
    let wish = ImportWish {
        directory,
        source: wish.source.unwrap_or_else(|| "a file".to_owned()),
        actor: admin.name.clone(),
        census,
        options,
    };
    if keep {
        let import = app.provision().begin_trial(wish).await?;
        return begun(&app, &headers, &name.0, import);
    }
    if dry_run {
        let (source, actor) = (wish.source.clone(), wish.actor.clone());
        let (total, counts) = app.provision().try_import(wish).await?;
        let tried = ImportView {
            id: None,
            source,
            actor,
            state: "tried",
            failure: None,
            total,
            done: 0,
            counts: counts.into(),
            started: None,
            updated: None,
        };
        return Ok(Json(tried).into_response());
    }
    let import = app.provision().begin_import(wish).await?;
    begun(&app, &headers, &name.0, import)
}

/// Another Crowd server, or a Jira that acts as one, and the application as which it is read.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CrowdSource {
    /// The address that people use for it, such as `https://crowd.example.com/crowd`.
    url: String,
    /// The name of the application.
    application: String,
    /// Its password. It is kept nowhere and written into no log.
    #[schema(format = Password)]
    password: String,
}

/// What is copied of a Crowd server, and whether it is.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct CrowdWish {
    /// Only tells what would come of it. What was read is kept for a day, or until another import into the directory begins, so that `run`
    /// copies it without reading again.
    #[serde(default)]
    dry_run: bool,
    /// Which groups, with who is in them: `all`, `none`, or an entry as in the lists of the rules, for example
    /// `re:jira-.*`. All if left out.
    groups: Option<String>,
    /// Names of the attributes, with commas between; all but those about passwords if left out, none if empty.
    attributes: Option<String>,
}

/// Reads a Crowd server and copies what is found there into a directory.
///
/// Both go on after the answer; the import tells how far they are. The server has to be one that this one may reach: addresses of this
/// machine itself and of metadata services are refused unless the setting `outbound_allow` names them. As the password is kept
/// nowhere, the reading is broken off when the server stops, and has to be asked for again; what was read is copied in any case.
#[utoipa::path(post, path = "/directories/{directory}/imports/crowd", operation_id = "begin_crowd_import", tag = "directories",
    params(("directory" = String, Path, description = "Its id or name"), CrowdWish),
    request_body = CrowdSource,
    responses((status = ACCEPTED, body = ImportView)))]
async fn begin_crowd(
    admin: Admin,
    State(app): State<App>,
    headers: HeaderMap,
    name: Segments<String>,
    Parameters(wish): Parameters<CrowdWish>,
    Body(source): Body<CrowdSource>,
) -> Answer<Response> {
    let directory = directories::find_id(&app, name.0.clone()).await?;
    let server = CrowdAddress {
        url: source.url,
        application: source.application,
        password: source.password,
    };
    let options = Wish {
        dry_run: wish.dry_run,
        keep: true,
        source: None,
        groups: wish.groups,
        attributes: wish.attributes,
    }
    .options();
    let import = app
        .provision()
        .begin_crowd_import(directory, server, (options, wish.dry_run), &admin.name)
        .await?;
    begun(&app, &headers, &name.0, import)
}

fn begun(app: &App, headers: &HeaderMap, directory: &str, import: Import) -> Answer<Response> {
    let base = app.base_url(headers);
    let directory = utf8_percent_encode(directory, NON_ALPHANUMERIC);
    let location = format!(
        "{base}/api/v1/directories/{directory}/imports/{}",
        import.public_id
    );
    let answer = (
        StatusCode::ACCEPTED,
        [(LOCATION, location)],
        Json(view(import)?),
    );
    Ok(answer.into_response())
}

/// Copies what an import found that was tried.
///
/// The work goes on after the answer. Nothing is read again: it is what was found when it was tried.
#[utoipa::path(post, path = "/directories/{directory}/imports/{import}/run", operation_id = "run_import", tag = "directories",
    params(("directory" = String, Path, description = "Its id or name"),
        ("import" = String, Path, description = "The id of the import")),
    responses((status = ACCEPTED, body = ImportView)))]
async fn run(
    admin: Admin,
    State(app): State<App>,
    headers: HeaderMap,
    path: Segments<(String, String)>,
) -> Answer<Response> {
    let (name, id) = &*path;
    let directory = directories::find_id(&app, name.clone()).await?;
    let import = app
        .provision()
        .run_import(directory, id, &admin.name)
        .await?;
    begun(&app, &headers, name, import)
}

/// One import, and how far it is.
#[utoipa::path(get, path = "/directories/{directory}/imports/{import}", operation_id = "show_import", tag = "directories",
    params(("directory" = String, Path, description = "Its id or name"),
        ("import" = String, Path, description = "The id of the import")),
    responses((status = OK, body = ImportView)))]
async fn show(
    _admin: Admin,
    State(app): State<App>,
    path: Segments<(String, String)>,
) -> Answer<Json<ImportView>> {
    let Segments((directory, id)) = path;
    directories::answer(&app, directory, move |tx, directory| {
        let found = tx.import(directory, &id)?;
        let found = found.ok_or_else(|| ProvisionError::NotFound {
            what: "import",
            name: id.clone(),
        })?;
        Ok(view(found)?)
    })
    .await
}
