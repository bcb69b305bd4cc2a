//! Connectors: which there are, and how another is made.

use askama::Template;
use axum::body::Body;
use axum::http::Method;
use serde::Deserialize;
use serde_json::json;

use super::desk::{Desk, Listed, segment};
use super::page::{Shell, Shown, Trouble, show, show_wrong};
use super::setup;

#[derive(Template)]
#[template(path = "connectors.html")]
struct ListPage {
    shell: Shell,
    connectors: Vec<Row>,
    presets: Vec<Preset>,
    wrong: Option<Trouble>,
    name: String,
    preset: String,
}

struct Row {
    address: String,
    /// What people call the identity provider.
    called: String,
    connector: Connector,
}

#[derive(Deserialize)]
struct Connector {
    name: String,
    preset: String,
    state: String,
    directory: String,
    users: i64,
    groups: i64,
}

#[derive(Deserialize)]
struct Preset {
    preset: String,
    name: String,
}

/// `GET /console/connectors`
pub(super) async fn list(desk: Desk) -> Shown {
    show(&listed(&desk).await?)
}

async fn listed(desk: &Desk) -> Result<ListPage, Trouble> {
    let all: Listed<Connector> = desk.get(&["connectors"], &[]).await?;
    let presets: Listed<Preset> = desk.get(&["presets"], &[]).await?;
    let called = |preset: &str| {
        let known = presets.items.iter().find(|one| one.preset == preset);
        known.map_or_else(|| preset.to_owned(), |one| one.name.clone())
    };
    let rows = all.items.into_iter().map(|connector| Row {
        address: segment(&connector.name),
        called: called(&connector.preset),
        connector,
    });
    let rows = rows.collect();
    Ok(ListPage {
        shell: desk.shell("connectors"),
        connectors: rows,
        presets: presets.items,
        wrong: None,
        name: String::new(),
        preset: String::new(),
    })
}

#[derive(Deserialize)]
struct Made {
    name: String,
    token: String,
}

/// `POST /console/connectors`
pub(super) async fn create(desk: Desk, body: Body) -> Shown {
    let form = desk.form(body).await?;
    let name = form.text("name");
    let wish = json!({ "name": name, "preset": form.text("preset") });
    desk.once(&form, "/console/connectors", async {
        match desk
            .send::<Made>(Method::POST, &["connectors"], Some(wish))
            .await
        {
            Ok(made) => setup::made(&desk, &made.name, made.token).await,
            Err(wrong) => {
                let mut page = listed(&desk).await?;
                let status = wrong.status;
                page.wrong = Some(wrong);
                page.name = name.to_owned();
                page.preset = form.text("preset").to_owned();
                show_wrong(status, &page)
            }
        }
    })
    .await
}
