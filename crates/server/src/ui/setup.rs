//! The set-up of a connection: choosing both sides, what to enter where, and what has arrived so far.

pub(super) mod choices;
mod making;
pub(super) mod progress;

use askama::Template;
use axum::body::Body;
use axum::extract::{Path, Query};
use axum::http::Method;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::confirm::Confirm;
use super::desk::{Desk, Listed, Named, segment};
use super::form::Fields;
use super::guide::{self, copy_field};
use super::once::found_at;
use super::page::{Shell, Shown, Trouble, show, show_wrong};
use super::secret::Secret;
use super::when::When;
use choices::{CLOUD, Choice, PRODUCTS, PROVIDERS, product_of, provider_name};
use making::{make_application, make_connector, new_token};
use progress::{Progress, progress};

#[derive(Template)]
#[template(path = "setup_choose.html")]
struct ChoosePage {
    shell: Shell,
    providers: &'static [Choice],
    products: &'static [Choice],
    applications: Vec<Application>,
    directories: Vec<Named>,
    wrong: Option<Trouble>,
    provider: String,
    product: String,
    name: String,
    directory: String,
}

#[derive(Template)]
#[template(path = "setup.html")]
struct SetupPage {
    shell: Shell,
    address: String,
    connector: Connector,
    provider: &'static str,
    base_url: String,
    /// A token that was just made, to be shown this once.
    token: Option<String>,
    provider_steps: String,
    product: Option<ProductPart>,
    /// Whether it is for who has Atlassian Cloud, to which nothing leads.
    is_cloud: bool,
    directory: String,
    products: Vec<ProductLink>,
    progress: Progress,
    /// Whether the checklist offers the way on.
    overview: bool,
    /// Where the checklist is to be had alone.
    live: String,
    /// This page again, without secrets.
    here: String,
    /// Whether it loads itself again where no scripts run.
    reloads: bool,
    links: Vec<LinkRow>,
    wrong: Option<Trouble>,
}

impl SetupPage {
    /// What is shown once on it, if anything is: then nothing leads away but the one way on.
    fn shown_once(&self) -> Option<&'static str> {
        let password = self.product.as_ref().and_then(|it| it.password.as_ref());
        match (self.token.is_some(), password.is_some()) {
            (true, true) => Some("The token and the application password are"),
            (true, false) => Some("The token is"),
            (false, true) => Some("The application password is"),
            (false, false) => None,
        }
    }

    fn shows_secret(&self) -> bool {
        self.shown_once().is_some()
    }
}

/// What is to be done in a product.
pub(super) struct ProductPart {
    pub(super) label: &'static str,
    pub(super) name: String,
    pub(super) address: String,
    pub(super) url: String,
    /// A password that was just made, to be shown this once.
    pub(super) password: Option<String>,
    pub(super) steps: String,
}

/// A link for somebody without an account.
struct LinkRow {
    revoke: String,
    by: String,
    expires: When,
    opened: Option<When>,
}

#[derive(Deserialize)]
struct Link {
    id: String,
    created_by: String,
    expires: Timestamp,
    last_opened: Option<Timestamp>,
}

#[derive(Deserialize)]
struct MadeLink {
    link: String,
}

/// The same page for another product.
struct ProductLink {
    key: &'static str,
    label: &'static str,
    place: String,
    is_open: bool,
}

#[derive(Template)]
#[template(path = "checklist.html")]
struct ChecklistPart {
    progress: Progress,
    /// Whether to offer the way on.
    overview: bool,
}

#[derive(Deserialize)]
pub(super) struct Application {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) url: String,
    pub(super) directories: Vec<Attached>,
}

#[derive(Deserialize)]
pub(super) struct Attached {
    pub(super) directory: String,
}

#[derive(Deserialize)]
pub(super) struct Connector {
    pub(super) name: String,
    pub(super) preset: String,
    pub(super) base_url: String,
    directory: String,
    #[serde(default)]
    users: i64,
    #[serde(default)]
    groups: i64,
}

#[derive(Deserialize)]
pub(super) struct Preset {
    preset: String,
    guide: Option<String>,
}

/// Which part of a set-up to look at.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct View {
    application: String,
    product: String,
    /// `no` to keep the page from loading itself again.
    watch: String,
}

impl View {
    /// Whether somebody has a product to which nothing leads.
    fn is_cloud(&self) -> bool {
        self.product == CLOUD
    }
}

/// Secrets that were just made.
#[derive(Default)]
struct Fresh {
    token: Option<String>,
    password: Option<String>,
    wrong: Option<Trouble>,
}

/// `GET /console/setup`
pub(super) async fn choose(desk: Desk) -> Shown {
    show(&choosing(&desk, None).await?)
}

async fn choosing(desk: &Desk, wrong: Option<Trouble>) -> Result<ChoosePage, Trouble> {
    let applications = desk.applications().await?;
    let directories: Listed<Named> = desk.get(&["directories"], &[]).await?;
    Ok(ChoosePage {
        shell: desk.shell("connectors"),
        providers: PROVIDERS,
        products: PRODUCTS,
        applications,
        directories: directories.items,
        wrong,
        provider: "okta".to_owned(),
        product: "jira".to_owned(),
        name: String::new(),
        directory: String::new(),
    })
}

/// `POST /console/setup`: makes what is needed for both sides.
pub(super) async fn begin(desk: Desk, body: Body) -> Shown {
    let form = desk.form(body).await?;
    desk.once(&form, "/console/connectors", make_both(&desk, &form))
        .await
}

async fn make_both(desk: &Desk, form: &Fields) -> Shown {
    let (provider, product) = (form.text("provider"), form.text("product"));
    let (name, directory) = (form.text("name"), form.text("directory"));
    let (connector, token) = match make_connector(desk, provider, name, directory).await {
        Ok(made) => made,
        Err(trouble) => {
            let mut page = choosing(desk, None).await?;
            page.provider = provider.to_owned();
            page.product = product.to_owned();
            page.name = name.to_owned();
            page.directory = directory.to_owned();
            let status = trouble.status;
            page.wrong = Some(trouble);
            return show_wrong(status, &page);
        }
    };
    let mut view = View {
        product: product.to_owned(),
        ..View::default()
    };
    let mut fresh = Fresh {
        token: Some(token),
        ..Fresh::default()
    };
    match make_application(desk, &connector.directory, product).await {
        Ok(Some((id, password))) => {
            view.application = id;
            fresh.password = password;
        }
        Ok(None) => {}
        Err(trouble) => fresh.wrong = Some(trouble),
    }
    let shown = show(&setting_up(desk, &connector.name, view, fresh).await?);
    found_at(shown, &place(&connector.name))
}

/// The page of a connector that was just made, with its token.
pub(super) async fn made(desk: &Desk, connector: &str, token: String) -> Shown {
    let fresh = Fresh {
        token: Some(token),
        ..Fresh::default()
    };
    let shown = show(&setting_up(desk, connector, View::default(), fresh).await?);
    found_at(shown, &place(connector))
}

/// Where the set-up of a connector is.
fn place(connector: &str) -> String {
    format!("/console/connectors/{}/setup", segment(connector))
}

/// `GET /console/connectors/{connector}/setup`
pub(super) async fn page(
    desk: Desk,
    Path(connector): Path<String>,
    Query(view): Query<View>,
) -> Shown {
    show(&setting_up(&desk, &connector, view, Fresh::default()).await?)
}

/// `POST /console/connectors/{connector}/setup`: makes a token, or an application for a product.
pub(super) async fn more(
    desk: Desk,
    Path(connector): Path<String>,
    Query(view): Query<View>,
    body: Body,
) -> Shown {
    let form = desk.form(body).await?;
    let making = make_more(&desk, &connector, view, form.text("product"));
    desk.once(&form, &place(&connector), making).await
}

async fn make_more(desk: &Desk, connector: &str, mut view: View, product: &str) -> Shown {
    let mut fresh = Fresh::default();
    match product {
        "" => fresh.token = Some(new_token(desk, connector).await?),
        product => {
            let found: Connector = desk.get(&["connectors", connector], &[]).await?;
            match make_application(desk, &found.directory, product).await {
                Ok(Some((id, password))) => {
                    view.application = id;
                    view.product = product.to_owned();
                    fresh.password = password;
                }
                Ok(None) => {}
                Err(trouble) => fresh.wrong = Some(trouble),
            }
        }
    }
    show(&setting_up(desk, connector, view, fresh).await?)
}

/// `POST /console/connectors/{connector}/setup-links`
pub(super) async fn make_link(desk: Desk, Path(connector): Path<String>, body: Body) -> Shown {
    let form = desk.form(body).await?;
    let days: Option<u32> = form.text("days").parse().ok();
    let place = place(&connector);
    desk.once(&form, &place, async {
        let path = ["connectors", &connector, "setup-links"];
        let wish = json!({ "days": days });
        let made: MadeLink = desk.send(Method::POST, &path, Some(wish)).await?;
        Secret::new(
            "connectors",
            format!("A link to the set-up of {connector}"),
            &*place,
        )
        .field("Link", &made.link)
        .hint("Give it to whoever sets up the identity provider. It cannot be shown again.")
        .show(&desk)
    })
    .await
}

/// `GET /console/connectors/{connector}/setup-links/{link}/revoke`
pub(super) async fn ask_revoke_link(
    desk: Desk,
    Path((connector, link)): Path<(String, String)>,
) -> Shown {
    let place = place(&connector);
    Confirm::new("connectors", format!("Take back a link to the set-up of {connector}?"))
        .effect(
            "Whoever has it opens nothing from then on, in the middle of the set-up too. What was set up stays, and so do tokens.",
        )
        .verb("Take back")
        .action(format!(
            "/console/connectors/{}/setup-links/{}/revoke",
            segment(&connector),
            segment(&link)
        ))
        .back(place)
        .show(&desk)
}

/// `POST /console/connectors/{connector}/setup-links/{link}/revoke`
pub(super) async fn revoke_link(
    desk: Desk,
    Path((connector, link)): Path<(String, String)>,
    body: Body,
) -> Shown {
    desk.form(body).await?;
    let path = ["connectors", &connector, "setup-links", &link];
    let _nothing: Value = desk.send(Method::DELETE, &path, None).await?;
    desk.go_told(&place(&connector), "The link is revoked.")
}

/// `GET /console/connectors/{connector}/checklist`: the checklist alone, for a page that is open.
pub(super) async fn checklist(
    desk: Desk,
    Path(connector): Path<String>,
    Query(view): Query<View>,
) -> Shown {
    let progress = progress(&desk, &connector, &view).await?;
    show(&ChecklistPart {
        progress,
        overview: true,
    })
}

async fn setting_up(
    desk: &Desk,
    connector: &str,
    view: View,
    fresh: Fresh,
) -> Result<SetupPage, Trouble> {
    let found: Connector = desk.get(&["connectors", connector], &[]).await?;
    let applications: Vec<Application> = desk.applications().await?;
    let sees = |one: &Application| {
        one.directories
            .iter()
            .any(|seen| seen.directory == found.directory)
    };
    let mut seers = applications.into_iter().filter(sees);
    let application = match view.application.as_str() {
        "" => seers.next(),
        wanted => seers.find(|one| one.id == wanted),
    };
    let address = segment(&found.name);
    let id = application
        .as_ref()
        .map(|one| segment(&one.id))
        .unwrap_or_default();
    let name = application.as_ref().map_or("", |one| &one.name);
    let product = product_of(&view.product, name);
    let open = if view.is_cloud() { CLOUD } else { product.key };
    let place = |product: &str| {
        let place = place(connector);
        format!("{place}?application={id}&product={product}")
    };
    let view = View {
        application: application
            .as_ref()
            .map_or_else(String::new, |one| one.id.clone()),
        ..view
    };
    let progress = progress(desk, connector, &view).await?;
    let is_plain = fresh.token.is_none() && fresh.password.is_none();
    let links: Listed<Link> = desk
        .get(&["connectors", connector, "setup-links"], &[])
        .await?;
    Ok(SetupPage {
        shell: desk.shell("connectors"),
        provider: provider_name(&found.preset),
        provider_steps: provider_steps(desk, &found, fresh.token.as_deref()).await?,
        base_url: copy_field(&found.base_url),
        token: fresh.token.as_deref().map(copy_field),
        products: PRODUCTS
            .iter()
            .map(|one| ProductLink {
                key: one.key,
                label: one.label,
                place: place(one.key),
                is_open: one.key == open,
            })
            .collect(),
        product: application.map(|one| product_part(one, product.label, fresh.password)),
        is_cloud: view.is_cloud(),
        directory: segment(&found.directory),
        live: format!("/console/connectors/{address}/checklist?application={id}&product={open}"),
        here: place(open),
        reloads: is_plain && !progress.complete && view.watch != "no",
        progress,
        overview: true,
        links: links
            .items
            .into_iter()
            .map(|link| LinkRow {
                revoke: format!(
                    "/console/connectors/{address}/setup-links/{}/revoke",
                    segment(&link.id)
                ),
                expires: desk.when(link.expires),
                opened: link.last_opened.map(|at| desk.when(at)),
                by: link.created_by,
            })
            .collect(),
        address,
        connector: found,
        wrong: fresh.wrong,
    })
}

async fn provider_steps(
    desk: &Desk,
    connector: &Connector,
    token: Option<&str>,
) -> Result<String, Trouble> {
    let presets = desk.get(&["presets"], &[]).await?;
    Ok(steps_for(connector, presets, token))
}

/// The steps at the identity provider of a connector, as HTML.
pub(super) fn steps_for(
    connector: &Connector,
    presets: Listed<Preset>,
    token: Option<&str>,
) -> String {
    let preset = presets
        .items
        .into_iter()
        .find(|one| one.preset == connector.preset);
    let guide = preset.and_then(|one| one.guide);
    let values = [
        ("the base URL", Some(connector.base_url.as_str())),
        ("the token", token),
    ];
    guide::provider(&connector.preset, guide.as_deref(), &values)
}

/// What is to be entered in a product, and where.
pub(super) fn product_part(
    application: Application,
    label: &'static str,
    password: Option<String>,
) -> ProductPart {
    let values = [
        ("the server URL", Some(application.url.as_str())),
        ("the application name", Some(application.name.as_str())),
        ("the application password", password.as_deref()),
    ];
    ProductPart {
        label,
        steps: guide::product(label, &values),
        address: segment(&application.id),
        url: copy_field(&application.url),
        name: copy_field(&application.name),
        password: password.as_deref().map(copy_field),
    }
}
