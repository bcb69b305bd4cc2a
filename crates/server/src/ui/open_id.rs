//! Signing in at the company's OpenID provider, and the page on which that is set.

use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use provision::{OpenIdError, OpenIdSettings};
use serde::Deserialize;
use serde_json::{Value, json};

use super::desk::Desk;
use super::form::Fields;
use super::page::{Shell, Shown, Trouble, go_to, show, show_wrong};
use super::{SIGN_IN, Ui, entry, session};
use crate::App;
use crate::open_id::{self, CALLBACK};

/// Where the provider is set.
const PLACE: &str = "/console/administrators/openid";

/// The way in and out, and the page of its settings.
pub(super) fn routes() -> Router<Ui> {
    Router::new()
        .route("/console/sign-in/openid", get(begin))
        .route(CALLBACK, get(callback))
        .route("/console/sign-in/openid/sign-out", get(sign_out))
        .route(PLACE, get(page).post(save))
        .route("/console/administrators/openid/delete", post(delete))
}

/// The settings, if the way is open.
pub(super) async fn open(app: &App) -> Option<OpenIdSettings> {
    let found = app.provision().open_id().await.ok().flatten();
    found.filter(|settings| settings.enabled)
}

/// What the button says.
pub(super) fn label(settings: &OpenIdSettings) -> String {
    match settings.label.as_str() {
        "" => {
            let rest = settings
                .issuer
                .split_once("://")
                .map_or("", |(_, rest)| rest);
            rest.split(['/', ':']).next().unwrap_or_default().to_owned()
        }
        label => label.to_owned(),
    }
}

/// `GET /console/sign-in/openid`: to the provider.
async fn begin(State(ui): State<Ui>, headers: HeaderMap, Query(next): Query<entry::Next>) -> Shown {
    let app = &ui.app;
    let Some(settings) = open(app).await else {
        return go_to(SIGN_IN);
    };
    let now = app.provision().store().now();
    let provider = match app.inner().open_id.provider(&settings.issuer, now).await {
        Ok(provider) => provider,
        Err(why) => {
            tracing::warn!(
                issuer = settings.issuer,
                why,
                "the OpenID provider cannot be asked"
            );
            let wrong = "Your company’s identity provider cannot be asked at the moment. Sign in with a password, or try again.";
            return entry::refused(&ui, &headers, StatusCode::BAD_GATEWAY, wrong).await;
        }
    };
    let begun = app
        .provision()
        .begin_open_id(&settings.issuer, next.inside());
    let (attempt, sealed) = begun.map_err(|error| {
        tracing::error!(%error, "an attempt to sign in cannot begin");
        Trouble::ours()
    })?;
    let back = format!("{}{CALLBACK}", app.base_url(&headers));
    let mut response = go_to(&open_id::authorization_url(
        &provider, &settings, &attempt, &back,
    ))?;
    session::keep_attempt(app, &headers, &mut response, &sealed);
    Ok(response)
}

/// What the provider sends people back with (RFC 6749 section 4.1.2, RFC 9207).
#[derive(Default, Deserialize)]
#[serde(default)]
struct Back {
    code: String,
    state: String,
    iss: Option<String>,
    error: String,
    error_description: String,
}

/// A page that goes on by itself: the cookie of a session is sent to no page that another site sent somebody to.
#[derive(Template)]
#[template(path = "signed_in.html")]
struct SignedInPage {
    next: String,
}

/// `GET /console/sign-in/openid/callback`: back from the provider.
async fn callback(State(ui): State<Ui>, Query(back): Query<Back>, request: Request) -> Shown {
    let (parts, _body) = request.into_parts();
    let (app, headers) = (&ui.app, &parts.headers);
    let attempt = session::attempt(app, headers);
    let Some(attempt) = attempt.and_then(|sealed| app.provision().open_id_attempt(&sealed)) else {
        return go_to(SIGN_IN);
    };
    let outcome = match open(app).await {
        Some(settings) => person(app, &settings, &attempt, back, headers).await,
        None => Err("signing in there was switched off".to_owned()),
    };
    let person = match outcome {
        Ok(person) => person,
        Err(why) => {
            ui.enter(&parts, "sign_in_openid", None, Some(&why)).await;
            let wrong = "Your company’s identity provider did not let you in, or its answer could not be used. Try again; the server’s audit log tells an owner why.";
            let refused = entry::refused(&ui, headers, StatusCode::UNAUTHORIZED, wrong).await;
            return forgetting(app, headers, refused);
        }
    };
    let name = person.name.clone();
    match app
        .provision()
        .sign_in_open_id(&attempt.issuer, person, entry::browser(&ui, &parts))
        .await
    {
        Ok(made) => {
            ui.enter(&parts, "sign_in_openid", Some(&made.administrator), None)
                .await;
            let next = entry::inside(&attempt.next).to_owned();
            let mut response = show(&SignedInPage { next })?;
            session::keep(app, headers, &mut response, made.secret.reveal());
            forgetting(app, headers, Ok(response))
        }
        Err(error @ OpenIdError::NoRole(_)) => {
            ui.enter(&parts, "sign_in_openid", None, Some(&error.to_string()))
                .await;
            let wrong = format!(
                "You are signed in there as {name}, but none of your groups has a role here. An owner decides which groups have one, under Administrators."
            );
            let refused = entry::refused(&ui, headers, StatusCode::FORBIDDEN, &wrong).await;
            forgetting(app, headers, refused)
        }
        Err(OpenIdError::Provision(error)) => {
            tracing::error!(%error, "signing in failed");
            Err(Trouble::ours())
        }
    }
}

/// An attempt is good once.
fn forgetting(app: &App, headers: &HeaderMap, shown: Shown) -> Result<Response, Trouble> {
    let mut response = shown?;
    session::keep_attempt(app, headers, &mut response, "");
    Ok(response)
}

async fn person(
    app: &App,
    settings: &OpenIdSettings,
    attempt: &provision::OpenIdAttempt,
    back: Back,
    headers: &HeaderMap,
) -> Result<provision::OpenIdPerson, String> {
    if back.state != attempt.state || attempt.issuer != settings.issuer {
        return Err("the answer belongs to another attempt".to_owned());
    }
    // Who is asked says who answers, so that one provider cannot pass for another.
    if back.iss.is_some_and(|issuer| issuer != settings.issuer) {
        return Err("another provider answered".to_owned());
    }
    if !back.error.is_empty() {
        let told = format!(
            "the provider said {}: {}",
            back.error, back.error_description
        );
        let told = told.chars().filter(|c| !c.is_control());
        return Err(told.take(300).collect());
    }
    let redirect_uri = format!("{}{CALLBACK}", app.base_url(headers));
    open_id::person(app, settings, attempt, back.code, redirect_uri).await
}

/// `GET /console/sign-in/openid/sign-out`: out of the provider as well.
async fn sign_out(State(ui): State<Ui>, headers: HeaderMap) -> Shown {
    let app = &ui.app;
    let Some(settings) = open(app).await else {
        return go_to(SIGN_IN);
    };
    let now = app.provision().store().now();
    let provider = app.inner().open_id.provider(&settings.issuer, now).await;
    let back = format!("{}{SIGN_IN}", app.base_url(&headers));
    let place = provider
        .ok()
        .and_then(|provider| open_id::end_session_url(&provider, &settings, &back));
    go_to(place.as_deref().unwrap_or(SIGN_IN))
}

#[derive(Template)]
#[template(path = "open_id.html")]
struct OpenIdPage {
    shell: Shell,
    wrong: Option<Trouble>,
    is_set: bool,
    open_id: OpenId,
    /// Groups and their roles, a line for each.
    roles: String,
    /// What the provider answered, if it was asked.
    answered: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct OpenId {
    enabled: bool,
    issuer: String,
    client_id: String,
    has_secret: bool,
    label: String,
    scopes: Vec<String>,
    name_claim: String,
    groups_claim: String,
    roles: Vec<GroupRole>,
    redirect_uri: String,
}

#[derive(Deserialize)]
struct GroupRole {
    group: String,
    role: String,
    connectors: Option<Vec<String>>,
}

/// Whether to ask the provider.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Ask {
    check: String,
}

/// `GET /console/administrators/openid`
async fn page(desk: Desk, Query(ask): Query<Ask>) -> Shown {
    let mut page = shown(&desk).await?;
    if page.is_set && !ask.check.is_empty() {
        let checked: Result<Value, Trouble> = desk.get(&["sign-in", "openid", "check"], &[]).await;
        match checked {
            Ok(found) => {
                let place = found["authorization_endpoint"].as_str().unwrap_or_default();
                page.answered = Some(format!("The provider answers. People sign in at {place}"));
            }
            Err(wrong) => page.wrong = Some(wrong),
        }
    }
    show(&page)
}

async fn shown(desk: &Desk) -> Result<OpenIdPage, Trouble> {
    let found: Option<OpenId> = desk.find(&["sign-in", "openid"], &[]).await?;
    let is_set = found.is_some();
    let open_id = found.unwrap_or_else(|| OpenId {
        enabled: true,
        scopes: vec!["profile".to_owned(), "email".to_owned()],
        name_claim: "preferred_username".to_owned(),
        groups_claim: "groups".to_owned(),
        redirect_uri: desk.address(CALLBACK),
        ..OpenId::default()
    });
    let line = |one: &GroupRole| match &one.connectors {
        None => format!("{}: {}\n", one.group, one.role),
        Some(names) => format!("{}: {} of {}\n", one.group, one.role, names.join(", ")),
    };
    Ok(OpenIdPage {
        shell: desk.shell("settings"),
        wrong: None,
        is_set,
        roles: open_id.roles.iter().map(line).collect(),
        open_id,
        answered: None,
    })
}

/// Lines such as `admins: owner` and `ops: operator of okta, entra`.
fn read_roles(text: &str) -> Vec<Value> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let read = lines.map(|line| {
        let (group, rights) = line.rsplit_once(':').unwrap_or((line, ""));
        match rights.split_once(" of ") {
            None => json!({ "group": group.trim(), "role": rights.trim() }),
            Some((role, names)) => {
                let names: Vec<&str> = names.split(',').map(str::trim).collect();
                json!({ "group": group.trim(), "role": role.trim(), "connectors": names })
            }
        }
    });
    read.collect()
}

fn wish(form: &Fields) -> Value {
    let scopes: Vec<&str> = form.text("scopes").split_whitespace().collect();
    let mut wish = json!({
        "enabled": form.text("enabled") == "true",
        "issuer": form.text("issuer"),
        "client_id": form.text("client_id"),
        "label": form.text("label"),
        "scopes": scopes,
        "name_claim": form.text("name_claim"),
        "groups_claim": form.text("groups_claim"),
        "roles": read_roles(form.text("roles")),
    });
    if !form.text("client_secret").is_empty() {
        wish["client_secret"] = json!(form.exact("client_secret"));
    }
    wish
}

/// `POST /console/administrators/openid`
async fn save(desk: Desk, body: Body) -> Shown {
    let form = desk.form(body).await?;
    let Err(wrong) = keep(&desk, &form).await else {
        return go_to("/console/administrators/openid?check=yes");
    };
    let mut page = shown(&desk).await?;
    let status = wrong.status;
    page.wrong = Some(wrong);
    // What was typed stays, but for the secret.
    page.open_id.issuer = form.text("issuer").to_owned();
    page.open_id.client_id = form.text("client_id").to_owned();
    page.open_id.label = form.text("label").to_owned();
    page.open_id.name_claim = form.text("name_claim").to_owned();
    page.open_id.groups_claim = form.text("groups_claim").to_owned();
    page.open_id.scopes = form
        .text("scopes")
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    page.open_id.enabled = form.text("enabled") == "true";
    page.roles = form.text("roles").to_owned();
    show_wrong(status, &page)
}

/// Keeps what was typed. The way opens only once the provider has answered; if it is open already, it stays so.
async fn keep(desk: &Desk, form: &Fields) -> Result<(), Trouble> {
    let path = ["sign-in", "openid"];
    let before: Option<OpenId> = desk.find(&path, &[]).await?;
    let is_open = before.is_some_and(|it| it.enabled && it.issuer == form.text("issuer"));
    let mut wish = wish(form);
    let opens = wish["enabled"] == true && !is_open;
    if opens {
        wish["enabled"] = json!(false);
    }
    let _kept: Value = desk.send(Method::PUT, &path, Some(wish.clone())).await?;
    if !opens {
        return Ok(());
    }
    let checked: Result<Value, Trouble> = desk.get(&[path[0], path[1], "check"], &[]).await;
    checked.map_err(|mut wrong| {
        wrong
            .detail
            .push_str(" The settings are kept, and the way stays closed.");
        wrong
    })?;
    wish["enabled"] = json!(true);
    let _open: Value = desk.send(Method::PUT, &path, Some(wish)).await?;
    Ok(())
}

/// `POST /console/administrators/openid/delete`
async fn delete(desk: Desk, body: Body) -> Shown {
    desk.form(body).await?;
    let _nothing: Value = desk
        .send(Method::DELETE, &["sign-in", "openid"], None)
        .await?;
    desk.go_told(
        PLACE,
        "Nobody signs in by OpenID Connect any more; the settings are forgotten.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_read_a_line_for_each_group() {
        let read = read_roles("admins: owner\n\n  a:b : operator of okta , entra \nbroken");
        assert_eq!(
            Value::from(read),
            json!([
                {"group": "admins", "role": "owner"},
                {"group": "a:b", "role": "operator", "connectors": ["okta", "entra"]},
                {"group": "broken", "role": ""},
            ])
        );
    }
}
