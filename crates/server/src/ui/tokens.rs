//! Tokens of the admin API: what they may do, who uses them, and new ones.

use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use axum::routing::get;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Ui;
use super::administrators::{Choices, choices, rights_wish};
use super::confirm::Confirm;
use super::desk::{Desk, Listed, segment};
use super::form::Fields;
use super::page::{Shell, Shown, Trouble, show, show_wrong};
use super::secret::Secret;
use super::when::When;

/// Where this page is.
const PLACE: &str = "/console/tokens";
/// Told where a token is asked for that is not there.
pub(super) const NO_SUCH: &str = "There is no such token. It was revoked already, perhaps.";
/// The longest life that is offered here.
const DAYS_MAX: i64 = 3_650;

/// The pages of tokens of the admin API.
pub(super) fn routes() -> Router<Ui> {
    Router::new().route(PLACE, get(list).post(create)).route(
        "/console/tokens/{token}/revoke",
        get(ask_revoke).post(revoke),
    )
}

#[derive(Template)]
#[template(path = "tokens.html")]
struct TokensPage {
    shell: Shell,
    wrong: Option<Trouble>,
    tokens: Vec<Row>,
    choices: Choices,
    draft: Draft,
}

struct Row {
    address: String,
    created: When,
    expires: Option<When>,
    last_used: Option<When>,
    token: Token,
}

#[derive(Deserialize)]
struct Token {
    id: String,
    label: String,
    role: String,
    connectors: Option<Vec<String>>,
    addresses: Vec<String>,
    created: Timestamp,
    expires: Option<Timestamp>,
    last_used: Option<Timestamp>,
    last_address: Option<String>,
}

/// What the form of a new token says.
pub(super) struct Draft {
    pub(super) label: String,
    /// What it may do: the role or the access.
    pub(super) may: String,
    pub(super) days: String,
    pub(super) addresses: String,
}

impl Draft {
    /// An empty form with these choices.
    pub(super) fn new(may: &str, days: &str) -> Self {
        Self {
            label: String::new(),
            may: may.to_owned(),
            days: days.to_owned(),
            addresses: String::new(),
        }
    }

    /// What was sent, with what it may do in the field of this name.
    pub(super) fn of(form: &Fields, may: &str) -> Self {
        let text = |name: &str| form.text(name).to_owned();
        Self {
            label: text("label"),
            may: text(may),
            days: text("days"),
            addresses: text("addresses"),
        }
    }

    /// How long a token may live, in days, with what people call it.
    pub(super) fn lives(&self) -> [(&'static str, &'static str); 4] {
        [
            ("30", "30 days"),
            ("90", "90 days"),
            ("365", "a year"),
            ("", "never"),
        ]
    }

    /// Adds what all kinds of tokens have to a wish for one.
    pub(super) fn add_to(&self, wish: &mut Value, desk: &Desk) {
        let addresses = self.addresses.split([',', ' ']);
        let addresses: Vec<&str> = addresses.filter(|text| !text.is_empty()).collect();
        wish["label"] = json!(self.label);
        wish["addresses"] = json!(addresses);
        if let Ok(days @ 1..=DAYS_MAX) = self.days.parse::<i64>() {
            wish["expires"] = json!(desk.now() + SignedDuration::from_hours(24 * days));
        }
    }
}

/// Makes a token at this path of the admin API, and shows it, with what belongs to it.
pub(super) async fn make(
    desk: &Desk,
    path: &[&str],
    wish: Value,
    secret: Secret,
) -> Result<Response, Trouble> {
    #[derive(Deserialize)]
    struct Made {
        token: String,
    }
    let made: Made = desk.send(Method::POST, path, Some(wish)).await?;
    secret.field("Token", &made.token).show(desk)
}

/// `GET /console/tokens`
async fn list(desk: Desk) -> Shown {
    show(&listed(&desk).await?)
}

async fn listed(desk: &Desk) -> Result<TokensPage, Trouble> {
    let all: Listed<Token> = desk.get(&["tokens"], &[]).await?;
    let row = |token: Token| Row {
        address: segment(&token.id),
        created: desk.when(token.created),
        expires: token.expires.map(|at| desk.when(at)),
        last_used: token.last_used.map(|at| desk.when(at)),
        token,
    };
    Ok(TokensPage {
        shell: desk.shell("settings"),
        wrong: None,
        tokens: all.items.into_iter().map(row).collect(),
        choices: choices(desk, &[]).await?,
        draft: Draft::new("auditor", "90"),
    })
}

/// `POST /console/tokens`
async fn create(desk: Desk, body: Body) -> Shown {
    let form = desk.form(body).await?;
    let mut wish = rights_wish(&form);
    let draft = Draft::of(&form, "role");
    draft.add_to(&mut wish, &desk);
    let secret = Secret::new("settings", format!("The token {}", draft.label), PLACE);
    desk.once(&form, PLACE, async {
        let wrong = match make(&desk, &["tokens"], wish, secret).await {
            Ok(shown) => return Ok(shown),
            Err(wrong) => wrong,
        };
        let mut page = listed(&desk).await?;
        let status = wrong.status;
        page.wrong = Some(wrong);
        page.draft = draft;
        page.choices = choices(&desk, &form.ticked("connector.")).await?;
        show_wrong(status, &page)
    })
    .await
}

/// `GET /console/tokens/{token}/revoke`
async fn ask_revoke(desk: Desk, Path(token): Path<String>) -> Shown {
    let found = find(&desk, &token).await?;
    let used = match found.last_used {
        Some(at) => format!("It was last used {}.", desk.when(at).words()),
        None => "It was never used.".to_owned(),
    };
    Confirm::new(
        "administrators",
        format!("Revoke the token {}?", found.label),
    )
    .effect(format!(
        "It stops working at once, and whatever uses it is refused. {used}"
    ))
    .verb("Revoke")
    .action(format!("{PLACE}/{}/revoke", segment(&found.id)))
    .back(PLACE)
    .show(&desk)
}

/// `POST /console/tokens/{token}/revoke`
async fn revoke(desk: Desk, Path(token): Path<String>, body: Body) -> Shown {
    desk.form(body).await?;
    let label = find(&desk, &token).await?.label;
    let _nothing: Value = desk.send(Method::DELETE, &["tokens", &token], None).await?;
    desk.go_told(PLACE, format!("The token “{label}” is revoked."))
}

async fn find(desk: &Desk, token: &str) -> Result<Token, Trouble> {
    let all: Listed<Token> = desk.get(&["tokens"], &[]).await?;
    let mut items = all.items.into_iter();
    let found = items.find(|one| one.id == token);
    found.ok_or_else(|| Trouble::new(StatusCode::NOT_FOUND, NO_SUCH))
}
