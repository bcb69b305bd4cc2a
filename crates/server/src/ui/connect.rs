//! The set-up of one connector for somebody without an account, who was given a link.

use askama::Template;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode};
use provision::ProvisionError;
use serde::Deserialize;
use store::{SetupLink, StoredConnector};

use super::Ui;
use super::desk::{look, segment};
use super::form::Fields;
use super::guide::copy_field;
use super::page::{Shown, Trouble, show, show_wrong};
use super::session::is_private;
use super::setup::choices::provider_name;
use super::setup::progress::{Answer, Progress, shown};
use super::setup::{Connector, steps_for};
use super::when::When;
use crate::audit::MadeByLink;
use crate::forwarded::client_address;

#[derive(Template)]
#[template(path = "connect.html")]
struct ConnectPage {
    connector: String,
    provider: &'static str,
    base_url: String,
    /// A token that was just made, to be shown this once.
    token: Option<String>,
    /// The id of the token that the link has made before.
    before: Option<String>,
    wrong: Option<Trouble>,
    steps: String,
    progress: Progress,
    overview: bool,
    here: String,
    expires: When,
    by: String,
    reloads: bool,
    private: bool,
}

#[derive(Template)]
#[template(path = "checklist.html")]
struct ChecklistPart {
    progress: Progress,
    overview: bool,
}

/// Whether the page is to load itself again.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Watch {
    watch: String,
}

/// Somebody whom a link let in.
struct Guest {
    link: SetupLink,
    connector: StoredConnector,
    /// Of the page.
    address: String,
}

impl Guest {
    /// Nobody is let in by a link that ended or was taken back.
    async fn let_in(ui: &Ui, text: &str) -> Result<Option<Self>, Trouble> {
        match ui.app.provision().open_setup_link(text).await {
            Ok(found) => Ok(found.map(|(link, connector)| Self {
                link,
                connector,
                address: format!("/connect/{}", segment(text)),
            })),
            Err(error) => {
                tracing::error!(%error, "a set-up link cannot be looked up");
                Err(Trouble::ours())
            }
        }
    }

    fn name(&self) -> String {
        format!("set-up link of {}", self.link.created_by)
    }

    /// The part of the checklist that is the identity provider's.
    async fn progress(&self, ui: &Ui, headers: &HeaderMap) -> Result<Progress, Trouble> {
        let id = &self.connector.connector.public_id;
        let path = ["connectors", id.as_str(), "checklist"];
        let mut answer: Answer = look(ui, headers, &self.name(), &path).await?;
        answer.keep_provider();
        let now = ui.app.provision().store().now();
        Ok(shown(answer.items, |at| When::new(at, now)))
    }

    async fn page(
        self,
        ui: &Ui,
        headers: &HeaderMap,
        token: Option<String>,
        watch: &str,
    ) -> Result<ConnectPage, Trouble> {
        let id = &self.connector.connector.public_id;
        let connector: Connector =
            look(ui, headers, &self.name(), &["connectors", id.as_str()]).await?;
        let presets = look(ui, headers, &self.name(), &["presets"]).await?;
        let progress = self.progress(ui, headers).await?;
        Ok(ConnectPage {
            provider: provider_name(&connector.preset),
            base_url: copy_field(&connector.base_url),
            steps: steps_for(&connector, presets, token.as_deref()),
            reloads: token.is_none() && !progress.complete && watch != "no",
            token: token.as_deref().map(copy_field),
            before: self.link.token,
            wrong: None,
            connector: connector.name,
            progress,
            overview: false,
            expires: When::new(self.link.expires, ui.app.provision().store().now()),
            by: self.link.created_by,
            private: is_private(&ui.app, headers),
            here: self.address,
        })
    }
}

#[derive(Template)]
#[template(path = "connect_ended.html")]
struct EndedPage;

/// For whoever has no account, and a link that leads nowhere any more.
fn ended() -> Shown {
    show_wrong(StatusCode::NOT_FOUND, &EndedPage)
}

/// `GET /connect/{link}`
pub(super) async fn page(
    State(ui): State<Ui>,
    headers: HeaderMap,
    Path(link): Path<String>,
    Query(watch): Query<Watch>,
) -> Shown {
    match Guest::let_in(&ui, &link).await? {
        Some(guest) => show(&guest.page(&ui, &headers, None, &watch.watch).await?),
        None => ended(),
    }
}

/// `POST /connect/{link}`: makes the token.
pub(super) async fn make_token(
    State(ui): State<Ui>,
    Path(link): Path<String>,
    request: Request,
) -> Shown {
    let (parts, body) = request.into_parts();
    let headers = &parts.headers;
    let form = Fields::read(&ui.app, headers, body).await?;
    // The form names the token that it takes the place of: sent twice, it makes one.
    let before = Some(form.text("before")).filter(|id| !id.is_empty());
    let made = ui.app.provision().token_by_setup_link(&link, before).await;
    let Some(guest) = Guest::let_in(&ui, &link).await? else {
        return ended();
    };
    match made {
        Ok(made) => {
            let settings = &ui.app.inner().settings;
            let entry = MadeByLink {
                link: guest.name(),
                connector: &guest.connector.connector,
                token: &made.token.id,
                ended: before,
                address: client_address(settings, &parts.extensions, headers),
                headers,
            };
            ui.app.note_token_by_link(entry).await;
            let token = made.secret.reveal().to_owned();
            show(&guest.page(&ui, headers, Some(token), "").await?)
        }
        Err(ProvisionError::Conflict(_)) => {
            let mut page = guest.page(&ui, headers, None, "").await?;
            page.wrong = Some(Trouble::new(StatusCode::CONFLICT, MADE_ALREADY));
            show_wrong(StatusCode::CONFLICT, &page)
        }
        Err(ProvisionError::NotFound { .. }) => ended(),
        Err(error) => {
            tracing::error!(%error, "a set-up link cannot make a token");
            Err(Trouble::ours())
        }
    }
}

const MADE_ALREADY: &str = "The token was made when this was first asked for, and was shown then. It cannot be shown again: if nobody \
                            has copied it, make another.";

/// `GET /connect/{link}/checklist`: the checklist alone, for a page that is open.
pub(super) async fn checklist(
    State(ui): State<Ui>,
    headers: HeaderMap,
    Path(link): Path<String>,
) -> Shown {
    let Some(guest) = Guest::let_in(&ui, &link).await? else {
        return ended();
    };
    let progress = guest.progress(&ui, &headers).await?;
    show(&ChecklistPart {
        progress,
        overview: false,
    })
}
