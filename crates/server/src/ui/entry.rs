//! The way in and out: signing in, making the account of an invitation, signing out.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use provision::{NewSession, ProvisionError, SignInError};
use serde::Deserialize;
use store::{Administrator, Browser, Role, Stage};

use super::desk::{self, segment};
use super::form::Fields;
use super::knock::{NotIn, knocked, told};
use super::page::{Shown, Trouble, go_to, show, show_wrong};
use super::session::{self, is_form_token, is_private};
use super::{SIGN_IN, Ui, account, open_id};
use crate::App;
use crate::audit::Entry;
use crate::forwarded::client_address;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    wrong: Option<String>,
    name: String,
    next: String,
    private: bool,
    nobody: bool,
    welcome: bool,
    /// Whether a form was sent after the session had ended.
    ended: bool,
    /// What the button says that leads to the company's own provider.
    open_id: Option<String>,
    /// The same for who has just left and came by it.
    left: Option<String>,
}

#[derive(Template)]
#[template(path = "welcome.html")]
struct WelcomePage {
    wrong: Option<String>,
    name: String,
    /// Whose password is renewed; none for somebody new.
    known: Option<String>,
    role: &'static str,
    private: bool,
}

/// Where the second factor is shown.
pub(super) const CODE: &str = "/console/sign-in/code";

/// Where somebody is who signed out and may want to sign out of the provider as well.
const LEFT: &str = "/console/sign-in?left=true";

/// Where to go after signing in.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Next {
    next: String,
    welcome: bool,
    left: bool,
    ended: bool,
}

impl Next {
    /// Where to go, if that is a page of the console.
    pub(super) fn inside(&self) -> &str {
        inside(&self.next)
    }
}

/// A page of the console, whatever was asked for.
pub(super) fn inside(next: &str) -> &str {
    match next.starts_with("/console") && !next.contains(['\r', '\n', '\\']) {
        true => next,
        false => "/console",
    }
}

/// `GET /console/sign-in`
pub(super) async fn page(
    State(ui): State<Ui>,
    headers: HeaderMap,
    Query(next): Query<Next>,
) -> Shown {
    if let Some(text) = session::shown(&ui.app, &headers)
        && let Ok(Some(session)) = ui.app.provision().administrator_session(&text).await
        && session.stage == Stage::Full
    {
        return go_to(next.inside());
    }
    let nobody = ui
        .app
        .provision()
        .store()
        .read(|tx| Ok::<_, ProvisionError>(tx.administrators()?.is_empty()))
        .await;
    let page = blank(&ui, &headers).await;
    show(&SignInPage {
        next: next.inside().to_owned(),
        nobody: nobody.unwrap_or(false),
        welcome: next.welcome,
        ended: next.ended,
        left: page.open_id.clone().filter(|_| next.left),
        ..page
    })
}

/// The page as it is without anything that happened.
async fn blank(ui: &Ui, headers: &HeaderMap) -> SignInPage {
    let settings = open_id::open(&ui.app).await;
    SignInPage {
        wrong: None,
        name: String::new(),
        next: "/console".to_owned(),
        private: is_private(&ui.app, headers),
        nobody: false,
        welcome: false,
        ended: false,
        open_id: settings.as_ref().map(open_id::label),
        left: None,
    }
}

/// The page for who was not let in.
pub(super) async fn refused(
    ui: &Ui,
    headers: &HeaderMap,
    status: StatusCode,
    wrong: &str,
) -> Shown {
    let page = SignInPage {
        wrong: Some(wrong.to_owned()),
        ..blank(ui, headers).await
    };
    show_wrong(status, &page)
}

/// `POST /console/sign-in`
pub(super) async fn sign_in(State(ui): State<Ui>, request: axum::extract::Request) -> Shown {
    let (parts, body) = request.into_parts();
    let (app, headers) = (&ui.app, &parts.headers);
    let fields = Fields::read(app, headers, body).await?;
    let name = fields.text("name").to_owned();
    let signed_in = knocked(&ui, &parts, async {
        let password = fields.exact("password");
        let browser = browser(&ui, &parts);
        app.provision()
            .sign_in_administrator(&name, password, app.passwords(), browser)
            .await
    })
    .await;
    let next = inside(fields.text("next")).to_owned();
    let error = match signed_in {
        Ok(made) => {
            ui.enter(&parts, "sign_in", Some(&made.administrator), None)
                .await;
            return entered(&ui, headers, &made, &next);
        }
        Err(error) => error,
    };
    // A name that nobody has is not entered: it may be a password, typed in the wrong place.
    let meant = app.provision().administrator(&name).await.ok();
    let failure = error.reason();
    ui.enter(&parts, "sign_in", meant.as_ref(), Some(&failure))
        .await;
    let told = told(&ui, error, "Name or password is wrong.")?;
    told.show(&SignInPage {
        wrong: Some(told.wrong.clone()),
        name,
        next,
        ..blank(&ui, headers).await
    })
}

impl Ui {
    /// Enters a way in or out into the audit log.
    pub(super) async fn enter(
        &self,
        parts: &Parts,
        action: &'static str,
        who: Option<&Administrator>,
        failure: Option<&str>,
    ) {
        let settings = &self.app.inner().settings;
        let entry = Entry {
            action,
            who: who.map(|one| (one.id.as_str(), one.name.as_str())),
            failure,
            address: client_address(settings, &parts.extensions, &parts.headers),
            headers: &parts.headers,
            target: SIGN_IN,
        };
        self.app.note_entry(entry).await;
    }
}

/// In what a session begins.
pub(super) fn browser(ui: &Ui, parts: &Parts) -> Browser {
    let settings = &ui.app.inner().settings;
    let address = client_address(settings, &parts.extensions, &parts.headers);
    desk::browser(address, &parts.headers)
}

/// Where somebody goes whose session just began, by what it is good for.
fn entered(ui: &Ui, headers: &HeaderMap, made: &NewSession, next: &str) -> Shown {
    let target = match made.stage {
        Stage::Full => next.to_owned(),
        Stage::Code => format!("{CODE}?next={}", segment(next)),
        Stage::Enrol => account::PLACE.to_owned(),
    };
    let mut response = go_to(&target)?;
    session::keep(&ui.app, headers, &mut response, made.secret.reveal());
    Ok(response)
}

#[derive(Template)]
#[template(path = "sign_in_code.html")]
struct CodePage {
    wrong: Option<String>,
    next: String,
    form_token: String,
}

/// The session that waits for its second factor.
async fn waiting(ui: &Ui, headers: &HeaderMap) -> Option<String> {
    let text = session::shown(&ui.app, headers)?;
    let found = ui.app.provision().administrator_session(&text).await;
    let waits = found.is_ok_and(|it| it.is_some_and(|it| it.stage == Stage::Code));
    waits.then_some(text)
}

/// `GET /console/sign-in/code`
pub(super) async fn code_page(
    State(ui): State<Ui>,
    headers: HeaderMap,
    Query(next): Query<Next>,
) -> Shown {
    let Some(text) = waiting(&ui, &headers).await else {
        return go_to(SIGN_IN);
    };
    show(&CodePage {
        wrong: None,
        next: next.inside().to_owned(),
        form_token: session::form_token(&text),
    })
}

/// `POST /console/sign-in/code`
pub(super) async fn show_code(State(ui): State<Ui>, request: axum::extract::Request) -> Shown {
    let (parts, body) = request.into_parts();
    let Some(text) = waiting(&ui, &parts.headers).await else {
        return go_to(SIGN_IN);
    };
    let fields = Fields::read(&ui.app, &parts.headers, body).await?;
    if !is_form_token(&text, fields.text("form_token")) {
        return go_to(CODE);
    }
    let next = inside(fields.text("next")).to_owned();
    let provision = ui.app.provision();
    let meant = provision.administrator_session(&text).await.ok().flatten();
    let meant = meant.map(|session| session.administrator);
    let code = fields.text("code");
    let shown = provision.show_second_factor(&text, code, browser(&ui, &parts));
    let shown = knocked(&ui, &parts, shown).await;
    let error = match shown {
        Ok(made) => {
            ui.enter(&parts, "second_factor", Some(&made.administrator), None)
                .await;
            return entered(&ui, &parts.headers, &made, &next);
        }
        Err(NotIn::Refused(SignInError::Late)) => return go_to(SIGN_IN),
        Err(error) => error,
    };
    let failure = match &error {
        NotIn::Refused(SignInError::Wrong) => "the code is wrong".to_owned(),
        other => other.reason(),
    };
    ui.enter(&parts, "second_factor", meant.as_ref(), Some(&failure))
        .await;
    let wrong = "The code is wrong, or was used already. Wait for the next one.";
    let told = told(&ui, error, wrong)?;
    told.show(&CodePage {
        wrong: Some(told.wrong.clone()),
        next,
        form_token: session::form_token(&text),
    })
}

/// `POST /console/sign-out`
pub(super) async fn sign_out(State(ui): State<Ui>, request: axum::extract::Request) -> Shown {
    let (parts, body) = request.into_parts();
    let headers = parts.headers.clone();
    let fields = Fields::read(&ui.app, &headers, body).await?;
    let mut place = SIGN_IN;
    if let Some(text) = session::shown(&ui.app, &headers)
        && is_form_token(&text, fields.text("form_token"))
    {
        let whose = ui.app.provision().administrator_session(&text).await;
        if let Ok(Some(session)) = whose {
            let administrator = session.administrator;
            if administrator.issuer.is_some() {
                place = LEFT;
            }
            ui.enter(&parts, "sign_out", Some(&administrator), None)
                .await;
        }
        let ended = ui.app.provision().sign_out_administrator(&text).await;
        ended.map_err(|error| {
            tracing::error!(%error, "signing out failed");
            Trouble::ours()
        })?;
    }
    let mut response = go_to(place)?;
    session::keep(&ui.app, &headers, &mut response, "");
    Ok(response)
}

/// `GET /console/welcome/{invitation}`
pub(super) async fn welcome(
    State(ui): State<Ui>,
    headers: HeaderMap,
    Path(invitation): Path<String>,
) -> Shown {
    let page = invited(&ui, &headers, &invitation).await?;
    show(&page)
}

async fn invited(ui: &Ui, headers: &HeaderMap, invitation: &str) -> Result<WelcomePage, Trouble> {
    let found = ui.app.provision().invitation(invitation).await;
    match found {
        Ok(Some((invitation, of))) => Ok(WelcomePage {
            wrong: None,
            name: String::new(),
            known: of.map(|one| one.name),
            role: invitation.rights.role.as_str(),
            private: is_private(&ui.app, headers),
        }),
        Ok(None) => Err(Trouble::new(
            StatusCode::NOT_FOUND,
            "The link was used already, or its time is over. If it was you who used it, sign in. Otherwise ask for a new one: an owner makes it under Administrators; \
             on the server, 'vestibule admin invite' does.",
        )),
        Err(error) => {
            tracing::error!(%error, "an invitation cannot be looked up");
            Err(Trouble::ours())
        }
    }
}

/// `POST /console/welcome/{invitation}`
pub(super) async fn accept(
    State(ui): State<Ui>,
    Path(invitation): Path<String>,
    request: axum::extract::Request,
) -> Result<Response, Trouble> {
    let (parts, body) = request.into_parts();
    let headers = parts.headers.clone();
    let fields = Fields::read(&ui.app, &headers, body).await?;
    let mut page = invited(&ui, &headers, &invitation).await?;
    let (name, password) = (fields.text("name"), fields.exact("password"));
    page.name = name.to_owned();
    if password != fields.exact("again") {
        page.wrong = Some("The two passwords are not the same.".to_owned());
        return show_wrong(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let made = ui
        .app
        .provision()
        .accept_invitation(&invitation, name, password.clone(), ui.app.passwords())
        .await;
    let administrator = match made {
        Ok(administrator) => administrator,
        Err(error @ (ProvisionError::Invalid { .. } | ProvisionError::Exists { .. })) => {
            page.wrong = Some(worded(&error));
            return show_wrong(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
        Err(error) => {
            tracing::error!(%error, "an invitation cannot be accepted");
            return Err(Trouble::ours());
        }
    };
    ui.enter(&parts, "accept_invitation", Some(&administrator), None)
        .await;
    let signed_in = ui
        .app
        .provision()
        .sign_in_administrator(
            &administrator.name,
            password,
            ui.app.passwords(),
            browser(&ui, &parts),
        )
        .await;
    match signed_in {
        Ok(made) => {
            ui.enter(&parts, "sign_in", Some(&made.administrator), None)
                .await;
            let first = first_page(&ui.app, &made.administrator).await;
            entered(&ui, &headers, &made, first)
        }
        Err(_busy) => go_to(&format!("{SIGN_IN}?welcome=true")),
    }
}

/// Where a new administrator begins: at the set-up while nobody has arrived from anywhere, for who may set something up.
async fn first_page(app: &App, who: &Administrator) -> &'static str {
    if who.rights.role == Role::Auditor || who.rights.connectors.is_some() {
        return "/console";
    }
    let counted = app
        .provision()
        .store()
        .read(|tx| Ok::<_, ProvisionError>(tx.source_counts_of_all()?))
        .await;
    let is_empty = counted.is_ok_and(|all| all.values().all(|(counts, _due)| counts.users == 0));
    match is_empty {
        true => "/console/setup",
        false => "/console",
    }
}

fn worded(error: &ProvisionError) -> String {
    match error {
        ProvisionError::Invalid {
            field: "name",
            message,
        } => format!("A name {message}."),
        ProvisionError::Invalid {
            field: "password",
            message,
        } => format!("The password {message}."),
        other => format!("{other}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_elsewhere_after_signing_in() {
        for (next, target) in [
            ("/console/people?search=ann", "/console/people?search=ann"),
            ("https://evil.example", "/console"),
            ("//evil.example", "/console"),
            ("/console\\@evil.example", "/console"),
            ("/console\r\nx: y", "/console"),
            ("", "/console"),
        ] {
            assert_eq!(inside(next), target);
        }
        assert_ne!(session::form_token("a"), session::form_token("b"));
    }
}
