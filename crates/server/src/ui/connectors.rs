//! Connectors: which there are, and how another is made.

use askama::Template;
use axum::body::Body;
use serde::Deserialize;
use serde_json::json;

use super::connector;
use super::create::{Creation, create as make};
use super::desk::{Desk, Listed, segment};
use super::page::{Shell, Shown, Trouble, show, show_wrong};

#[derive(Template)]
#[template(path = "connectors.html")]
struct ListPage {
    shell: Shell,
    connectors: Vec<Row>,
    presets: Vec<Preset>,
    wrong: Option<Trouble>,
    name: String,
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
    show(&listed(&desk, None, String::new()).await?)
}

async fn listed(desk: &Desk, wrong: Option<Trouble>, name: String) -> Result<ListPage, Trouble> {
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
        wrong,
        name,
    })
}

#[derive(Deserialize)]
struct Made {
    name: String,
    token: String,
}

impl Creation for Made {
    const COLLECTION: &'static str = "connectors";

    async fn show(self, desk: &Desk) -> Shown {
        connector::made(desk, &self.name, self.token).await
    }

    async fn refuse(desk: &Desk, wrong: Trouble, name: String) -> Shown {
        let status = wrong.status;
        show_wrong(status, &listed(desk, Some(wrong), name).await?)
    }
}

/// `POST /console/connectors`
pub(super) async fn create(desk: Desk, body: Body) -> Shown {
    let form = desk.form(body).await?;
    let name = form.text("name");
    let wish = json!({ "name": name, "preset": form.text("preset") });
    make::<Made>(&desk, name, wish).await
}
