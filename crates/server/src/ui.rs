//! The console: pages for administrators, rendered here.
//!
//! A page asks the admin API within the program, so it shows and does what the API does, under the same checks.
//! Everything is HTML and one stylesheet. Two small scripts make some of it nicer; nothing needs them.

mod account;
mod activity;
mod administrators;
mod application_form;
mod applications;
pub(crate) mod assets;
mod attach;
mod audit;
mod back;
mod backup;
mod chart;
mod compare;
mod configuration;
mod confirm;
mod connect;
mod connector;
mod connectors;
mod desk;
mod directory;
mod editor;
mod entry;
mod form;
mod framed;
mod groups;
mod guide;
mod hold_filters;
mod holds;
mod jobs;
mod journal;
mod knock;
mod notifications;
mod once;
mod open_id;
mod overview;
mod page;
mod past;
mod people;
mod person;
mod person_acts;
mod plans;
mod prove;
mod refused;
mod replay;
mod secret;
mod session;
mod sessions;
mod settings;
mod setup;
mod stopped;
mod subscriptions;
mod tokens;
mod told;
mod undo;
mod upload;
mod when;
mod why;
mod words;

use axum::Router;
use axum::extract::FromRef;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::Redirect;
use axum::routing::{any, get, post};

use crate::App;
use crate::local::LocalApi;
use desk::Desk;
use page::Trouble;

/// What the pages share.
#[derive(Clone)]
struct Ui {
    app: App,
    api: LocalApi,
}

impl FromRef<Ui> for App {
    fn from_ref(ui: &Ui) -> App {
        ui.app.clone()
    }
}

/// Where somebody who is not signed in is sent.
const SIGN_IN: &str = "/console/sign-in";

/// The routes of this face. All but the entry need somebody who is signed in; that proof is an argument of each page.
pub(crate) fn routes(app: App) -> Router<App> {
    let ui = Ui {
        api: LocalApi::new(app.clone()),
        app,
    };
    let pages = pages().layer(from_fn_with_state(ui.clone(), prove::require));
    let before = pages.clone().with_state(ui.clone());
    pages
        .layer(from_fn_with_state(before, back::tell))
        .layer(from_fn_with_state(ui.clone(), framed::within))
        .layer(from_fn_with_state(ui.clone(), told::forget))
        .with_state(ui)
}

fn pages() -> Router<Ui> {
    Router::new()
        .route("/console", get(overview::page))
        .route(
            "/console/",
            get(|| async { Redirect::permanent("/console") }),
        )
        .route("/console/console.css", get(assets::stylesheet))
        .route("/console/preview.js", get(assets::preview))
        .route("/console/console.js", get(assets::script))
        .route(SIGN_IN, get(entry::page).post(entry::sign_in))
        .route(entry::CODE, get(entry::code_page).post(entry::show_code))
        .route("/console/sign-out", post(entry::sign_out))
        .route("/console/settings", get(settings::page))
        .merge(account::routes())
        .merge(sessions::routes())
        .merge(tokens::routes())
        .merge(audit::routes())
        .merge(notifications::routes())
        .merge(subscriptions::routes())
        .merge(backup::routes())
        .merge(configuration::routes())
        .merge(open_id::routes())
        .route(
            "/console/welcome/{invitation}",
            get(entry::welcome).post(entry::accept),
        )
        .route("/console/setup", get(setup::choose).post(setup::begin))
        .route(
            "/console/connectors/{connector}/setup",
            get(setup::page).post(setup::more),
        )
        .route(
            "/console/connectors/{connector}/setup-links",
            post(setup::make_link),
        )
        .route(
            "/console/connectors/{connector}/setup-links/{link}/revoke",
            get(setup::ask_revoke_link).post(setup::revoke_link),
        )
        .route(
            "/connect/{link}",
            get(connect::page).post(connect::make_token),
        )
        .route("/connect/{link}/checklist", get(connect::checklist))
        .route(
            "/console/connectors/{connector}/checklist",
            get(setup::checklist),
        )
        .route(
            "/console/connectors",
            get(connectors::list).post(connectors::create),
        )
        .merge(connector_routes())
        .merge(directory_routes())
        .route("/console/holds", get(holds::list))
        .route("/console/holds/{hold}", get(holds::page))
        .route(
            "/console/holds/{hold}/{decision}",
            get(holds::ask_one).post(holds::decide_one),
        )
        .route("/console/jobs", get(jobs::list))
        .route("/console/jobs/{job}", get(jobs::page))
        .route(
            "/console/jobs/{job}/cancel",
            get(jobs::ask_cancel).post(jobs::cancel),
        )
        .route("/console/undo", get(undo::page).post(undo::undo))
        .route("/console/people", get(people::search))
        .route(
            "/console/directories/{directory}/users/{user}",
            get(person::page),
        )
        .route(
            "/console/directories/{directory}/users/{user}/do/{act}",
            get(person_acts::ask).post(person_acts::carry_out),
        )
        .route(
            "/console/directories/{directory}/users/{user}/overrides",
            get(person_acts::override_form).post(person_acts::add_override),
        )
        .route(
            "/console/directories/{directory}/users/{user}/overrides/{override}/remove",
            get(person_acts::ask_remove).post(person_acts::remove_override),
        )
        .route("/console/groups", get(groups::search))
        .route(
            "/console/directories/{directory}/groups/{group}",
            get(groups::page),
        )
        .route("/console/activity", get(activity::list))
        .route("/console/activity/live", get(activity::live))
        .route("/console/activity/live/rows", get(activity::live_rows))
        .route("/console/activity/{request}", get(activity::page))
        .route("/console/activity/{request}/now", get(replay::page))
        .route("/console/journal", get(journal::page))
        .merge(application_routes())
        .route(
            "/console/administrators",
            get(administrators::list).post(administrators::invite),
        )
        .route(
            "/console/administrators/{administrator}/role",
            get(administrators::ask_role).post(administrators::role),
        )
        .route(
            "/console/administrators/sign-in",
            post(administrators::sign_in_rules),
        )
        .route(
            "/console/administrators/{administrator}/second-factor",
            get(administrators::ask_reset_second_factor).post(administrators::reset_second_factor),
        )
        .route(
            "/console/administrators/{administrator}/reset",
            post(administrators::reset),
        )
        .route(
            "/console/administrators/{administrator}/delete",
            get(administrators::ask_delete).post(administrators::delete),
        )
        .route(
            "/console/invitations/{invitation}/revoke",
            get(administrators::ask_revoke).post(administrators::revoke),
        )
        .route("/console/{*rest}", any(nothing_here))
        .method_not_allowed_fallback(not_this_way)
}

/// An address of the console at which there is nothing.
async fn nothing_here(_desk: Desk) -> Trouble {
    let told = "There is no such page. It may have moved, or what it was about is gone.";
    Trouble::new(StatusCode::NOT_FOUND, told)
}

/// Most often a form's address that was loaded again after the session had ended.
async fn not_this_way() -> Trouble {
    let told = "This address only takes what a form sends. Open the page with the form, and send it again.";
    Trouble::new(StatusCode::METHOD_NOT_ALLOWED, told)
}

/// The routes about applications.
fn application_routes() -> Router<Ui> {
    let of = |rest: &str| format!("/console/applications/{{application}}{rest}");
    Router::new()
        .route(
            "/console/applications",
            get(applications::list).post(applications::create),
        )
        .route(&of(""), get(applications::page))
        .route(&of("/guide"), get(attach::page))
        .route(
            &of("/settings"),
            get(application_form::page).post(application_form::save),
        )
        .route(
            &of("/webhooks/{webhook}/enable"),
            post(applications::enable_webhook),
        )
        .route(
            &of("/webhooks/{webhook}/delete"),
            get(applications::ask_delete_webhook).post(applications::delete_webhook),
        )
        .route(
            &of("/password"),
            get(applications::ask_password).post(applications::password),
        )
        .route(
            &of("/delete"),
            get(applications::ask_delete).post(applications::delete),
        )
}

/// The routes about one connector.
fn connector_routes() -> Router<Ui> {
    let of = |rest: &str| format!("/console/connectors/{{connector}}{rest}");
    Router::new()
        .route(&of(""), get(connector::page))
        .route(
            &of("/state"),
            get(connector::ask_state).post(connector::state),
        )
        .route(&of("/settings"), post(connector::settings::save))
        .route(&of("/reconcile"), post(connector::reconcile))
        .route(
            &of("/delete"),
            get(connector::release::ask).post(connector::release::delete),
        )
        .route(
            &of("/edit/{section}"),
            get(editor::page).post(editor::submit),
        )
        .route(
            &of("/rules"),
            get(editor::page_of_all).post(editor::submit_all),
        )
        .route(&of("/plans/{plan}"), get(plans::page))
        .route(&of("/plans/{plan}/apply"), post(plans::apply))
        .route(&of("/plans/{plan}/again"), post(plans::again))
        .route(&of("/versions"), get(connector::versions::list))
        .route(&of("/versions/{version}"), get(connector::versions::page))
        .route(
            &of("/versions/{version}/plan"),
            post(connector::versions::plan),
        )
        .route(
            &of("/limits"),
            get(connector::limits::page).post(connector::limits::save),
        )
        .route(
            &of("/holds/{decision}"),
            get(holds::ask_all).post(holds::decide_all),
        )
        .route(&of("/conflicts"), get(connector::conflicts::page))
        .route(
            &of("/conflicts/{user}/{decision}"),
            get(connector::conflicts::ask).post(connector::conflicts::decide),
        )
        .route(&of("/source-groups"), get(connector::source_groups::list))
        .route(
            &of("/source-groups/{group}"),
            get(connector::source_groups::page),
        )
        .route(
            &of("/source-groups/{group}/{decision}"),
            get(connector::source_groups::ask).post(connector::source_groups::decide),
        )
        .route(&of("/source-users"), get(connector::source_users::list))
        .route(
            &of("/source-users/{user}"),
            get(connector::source_users::page),
        )
        .route(
            &of("/source-users/{user}/evaluate"),
            post(connector::source_users::evaluate),
        )
        .route(&of("/match"), get(connector::matches::page))
        .route(
            &of("/tokens"),
            get(connector::tokens::page).post(connector::tokens::create),
        )
        .route(
            &of("/tokens/{token}/revoke"),
            get(connector::tokens::ask_revoke).post(connector::tokens::revoke),
        )
        .route(&of("/activity"), get(connector::activity::page))
        .route(&of("/recording"), post(connector::activity::record_reads))
}

/// The routes about one directory as a whole.
fn directory_routes() -> Router<Ui> {
    use directory::{import, precedence, reserved, sticky};
    let of = |rest: &str| format!("/console/directories/{{directory}}{rest}");
    Router::new()
        .route(&of(""), get(directory::page))
        .route(&of("/sticky"), get(sticky::page).post(sticky::add))
        .route(&of("/sticky.csv"), get(sticky::csv))
        .route(
            &of("/sticky/clear"),
            get(sticky::ask_clear).post(sticky::clear),
        )
        .route(&of("/reserved-names"), get(reserved::page))
        .route(
            &of("/reserved-names/{name}/release"),
            get(reserved::ask).post(reserved::release),
        )
        .route(
            &of("/precedence"),
            get(precedence::page).post(precedence::submit),
        )
        .route(
            &of("/precedence/end"),
            get(precedence::ask_end).post(precedence::end),
        )
        .route(&of("/import"), get(import::page))
        .route(&of("/import/file"), post(import::file))
        .route(&of("/import/crowd"), post(import::crowd))
        .route(&of("/import/{import}"), get(import::one))
        .route(&of("/import/{import}/run"), post(import::run))
}
