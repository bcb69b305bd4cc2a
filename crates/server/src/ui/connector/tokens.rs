//! Tokens of a connector: made, shown once, and revoked.

use askama::Template;
use axum::body::Body;
use axum::extract::Path;
use axum::http::Method;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::confirm::Confirm;
use super::super::desk::{Desk, segment};
use super::super::page::{Shell, Shown, Trouble, show, show_wrong};
use super::super::secret::Secret;
use super::super::tokens::{Draft, NO_SUCH, make};
use super::super::when::When;
use super::super::words::access;
use super::{Detail, Frame};

#[derive(Template)]
#[template(path = "connector/tokens.html")]
struct TokensPage {
    shell: Shell,
    frame: Frame,
    rows: Vec<Row>,
    draft: Draft,
    wrong: Option<Trouble>,
}

/// A token, without its text.
#[derive(Deserialize)]
pub(super) struct Token {
    id: String,
    label: String,
    access: String,
    #[serde(default)]
    addresses: Vec<String>,
    created: Timestamp,
    expires: Option<Timestamp>,
    last_used: Option<Timestamp>,
    last_address: Option<String>,
}

impl Token {
    fn may(&self) -> &str {
        access(&self.access)
    }
}

/// The newer token that is to be entered where one that ends is still used, as after a rotation.
fn waiting_for(token: &Token, all: &[Token], now: Timestamp) -> Option<String> {
    let end = token.expires.filter(|end| *end > now)?;
    let lasts = |other: &&Token| other.expires.is_none_or(|other| other > end);
    let later = all.iter().filter(|other| other.created > token.created);
    let newest = later.filter(lasts).max_by_key(|other| other.created)?;
    let used = token.last_used?;
    let has_taken_over = newest.last_used.is_some() && used < newest.created;
    (!has_taken_over).then(|| newest.label.clone())
}

struct Row {
    address: String,
    /// The newer token that is to take its place where it is still used.
    waits_for: Option<String>,
    created: When,
    expires: Option<When>,
    last_used: Option<When>,
    token: Token,
}

/// `GET /console/connectors/{connector}/tokens`
pub(in crate::ui) async fn page(desk: Desk, Path(connector): Path<String>) -> Shown {
    show(&listed(&desk, &connector).await?)
}

async fn listed(desk: &Desk, connector: &str) -> Result<TokensPage, Trouble> {
    let mut found: Detail = desk.get(&["connectors", connector], &[]).await?;
    let tokens = std::mem::take(&mut found.tokens);
    let waits = tokens.iter();
    let waits: Vec<Option<String>> = waits
        .map(|token| waiting_for(token, &tokens, desk.now()))
        .collect();
    let rows = tokens.into_iter().zip(waits);
    let rows = rows.map(|(token, waits_for)| Row {
        address: segment(&token.id),
        waits_for,
        created: desk.when(token.created),
        expires: token.expires.map(|at| desk.when(at)),
        last_used: token.last_used.map(|at| desk.when(at)),
        token,
    });
    Ok(TokensPage {
        shell: desk.shell("connectors"),
        frame: found.frame(desk, "tokens"),
        rows: rows.collect(),
        draft: Draft::new("read-write", ""),
        wrong: None,
    })
}

/// `POST /console/connectors/{connector}/tokens`
pub(in crate::ui) async fn create(desk: Desk, Path(connector): Path<String>, body: Body) -> Shown {
    let form = desk.form(body).await?;
    let draft = Draft::of(&form, "access");
    let mut wish = json!({ "access": draft.may });
    draft.add_to(&mut wish, &desk);
    let found: Detail = desk.get(&["connectors", &connector], &[]).await?;
    let title = format!("The token {} of {connector}", draft.label);
    let place = place(&connector);
    let secret = Secret::new("connectors", title, &*place).field("Base URL", &found.base_url);
    let path = ["connectors", &connector, "tokens"];
    desk.once(&form, &place, async {
        let wrong = match make(&desk, &path, wish, secret).await {
            Ok(shown) => return Ok(shown),
            Err(wrong) => wrong,
        };
        let mut page = listed(&desk, &connector).await?;
        let status = wrong.status;
        page.wrong = Some(wrong);
        page.draft = draft;
        show_wrong(status, &page)
    })
    .await
}

/// `GET /console/connectors/{connector}/tokens/{token}/revoke`
pub(in crate::ui) async fn ask_revoke(
    desk: Desk,
    Path((connector, token)): Path<(String, String)>,
) -> Shown {
    let found: Detail = desk.get(&["connectors", &connector], &[]).await?;
    let place = place(&connector);
    let Some(found) = found.tokens.into_iter().find(|one| one.id == token) else {
        return desk.go_told(&place, NO_SUCH);
    };
    let effect = match found.last_used {
        Some(at) => format!(
            "It stops working at once. It was last used {}: whoever uses it is refused from then on.",
            desk.when(at).words()
        ),
        None => "It stops working at once. Nobody has used it so far.".to_owned(),
    };
    Confirm::new(
        "connectors",
        format!("Revoke the token “{}” of {connector}?", found.label),
    )
    .effect(effect)
    .verb("Revoke")
    .action(format!("{place}/{}/revoke", segment(&token)))
    .back(place)
    .show(&desk)
}

/// `POST /console/connectors/{connector}/tokens/{token}/revoke`
pub(in crate::ui) async fn revoke(
    desk: Desk,
    Path((connector, token)): Path<(String, String)>,
    body: Body,
) -> Shown {
    desk.form(body).await?;
    let place = place(&connector);
    let found: Detail = desk.get(&["connectors", &connector], &[]).await?;
    let Some(found) = found.tokens.into_iter().find(|one| one.id == token) else {
        return desk.go_told(&place, NO_SUCH);
    };
    let path = ["connectors", &connector, "tokens", &token];
    let _nothing: Value = desk.send(Method::DELETE, &path, None).await?;
    desk.go_told(&place, format!("The token “{}” is revoked.", found.label))
}

fn place(connector: &str) -> String {
    format!("/console/connectors/{}/tokens", segment(connector))
}
