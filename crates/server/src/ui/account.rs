//! The account of whoever is signed in: password, second factor, recovery codes.

use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::http::Method;
use axum::routing::{get, post};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Ui;
use super::desk::Desk;
use super::page::{Shell, Shown, Trouble, show, show_wrong};
use super::sessions::{self, Row};
use super::when::When;

/// Where this page is.
pub(super) const PLACE: &str = "/console/account";

/// The pages of one's own account.
pub(super) fn routes() -> Router<Ui> {
    Router::new()
        .route(PLACE, get(page))
        .route("/console/account/password", post(password))
        .route("/console/account/second-factor", post(begin))
        .route("/console/account/second-factor/confirm", post(confirm))
        .route("/console/account/second-factor/remove", post(remove))
        .route("/console/account/recovery-codes", post(renew))
}

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage {
    shell: Shell,
    wrong: Option<Trouble>,
    since: Option<When>,
    account: Account,
    sessions: Vec<Row>,
}

#[derive(Deserialize)]
struct Account {
    name: String,
    role: String,
    second_factor: Option<Timestamp>,
    recovery_codes_left: i64,
    second_factor_required: bool,
    issuer: Option<String>,
}

#[derive(Template)]
#[template(path = "second_factor.html")]
struct FactorPage {
    shell: Shell,
    wrong: Option<Trouble>,
    /// What is shown once; not again after a wrong code.
    made: Option<NewFactor>,
}

#[derive(Deserialize)]
struct NewFactor {
    secret: String,
    /// Drawn by the admin API, so it is markup.
    qr: String,
}

#[derive(Template)]
#[template(path = "recovery_codes.html")]
struct CodesPage {
    shell: Shell,
    codes: Vec<String>,
}

#[derive(Deserialize)]
struct Codes {
    recovery_codes: Vec<String>,
}

/// `GET /console/account`
async fn page(desk: Desk) -> Shown {
    show(&account(&desk, None).await?)
}

async fn account(desk: &Desk, wrong: Option<Trouble>) -> Result<AccountPage, Trouble> {
    let account: Account = desk.get(&["account"], &[]).await?;
    Ok(AccountPage {
        shell: desk.shell("account"),
        wrong,
        since: account.second_factor.map(|since| desk.when(since)),
        account,
        sessions: sessions::own(desk).await?,
    })
}

async fn refused(desk: &Desk, wrong: Trouble) -> Shown {
    let status = wrong.status;
    show_wrong(status, &account(desk, Some(wrong)).await?)
}

/// `POST /console/account/password`
async fn password(mut desk: Desk, body: Body) -> Shown {
    let form = desk.form(body).await?;
    if form.exact("new") != form.exact("again") {
        let wrong = "The two new passwords are not the same.";
        return refused(&desk, Trouble::in_field("again", wrong)).await;
    }
    let wish = json!({ "present": form.exact("present"), "new": form.exact("new") });
    let path = ["account", "password"];
    let changed: Result<Value, Trouble> = desk.send(Method::POST, &path, Some(wish)).await;
    if let Err(wrong) = changed {
        return refused(&desk, wrong).await;
    }
    let renewed = desk.renew().await?;
    let mut response = desk.go_told(PLACE, "The password is changed.")?;
    desk.keep(&renewed, &mut response);
    Ok(response)
}

/// `POST /console/account/second-factor`
async fn begin(desk: Desk, body: Body) -> Shown {
    let form = desk.form(body).await?;
    desk.once(&form, PLACE, async {
        let path = ["account", "second-factor"];
        match desk.send(Method::POST, &path, None).await {
            Ok(made) => show(&FactorPage {
                shell: desk.shell("account"),
                wrong: None,
                made: Some(made),
            }),
            Err(wrong) => refused(&desk, wrong).await,
        }
    })
    .await
}

/// `POST /console/account/second-factor/confirm`
async fn confirm(mut desk: Desk, body: Body) -> Shown {
    let form = desk.form(body).await?;
    let wish = json!({ "code": form.text("code") });
    let path = ["account", "second-factor", "confirm"];
    let codes: Codes = match desk.send(Method::POST, &path, Some(wish)).await {
        Ok(codes) => codes,
        Err(wrong) => {
            let status = wrong.status;
            let page = FactorPage {
                shell: desk.shell("account"),
                wrong: Some(wrong),
                made: None,
            };
            return show_wrong(status, &page);
        }
    };
    let renewed = desk.renew().await?;
    let mut response = show(&CodesPage {
        shell: desk
            .shell("account")
            .told("The second factor is set up. It is asked for from now on."),
        codes: codes.recovery_codes,
    })?;
    desk.keep(&renewed, &mut response);
    Ok(response)
}

/// `POST /console/account/second-factor/remove`
async fn remove(desk: Desk, body: Body) -> Shown {
    let form = desk.form(body).await?;
    let wish = json!({ "code": form.text("code") });
    let path = ["account", "second-factor", "remove"];
    let removed: Result<Value, Trouble> = desk.send(Method::POST, &path, Some(wish)).await;
    if let Err(wrong) = removed {
        return refused(&desk, wrong).await;
    }
    desk.go_told(PLACE, "The second factor is removed.")
}

/// `POST /console/account/recovery-codes`
async fn renew(desk: Desk, body: Body) -> Shown {
    let form = desk.form(body).await?;
    let wish = json!({ "code": form.text("code") });
    desk.once(&form, PLACE, async {
        match desk
            .send::<Codes>(Method::POST, &["account", "recovery-codes"], Some(wish))
            .await
        {
            Ok(codes) => show(&CodesPage {
                shell: desk.shell("account"),
                codes: codes.recovery_codes,
            }),
            Err(wrong) => refused(&desk, wrong).await,
        }
    })
    .await
}
