//! Settings: what is about the installation as a whole, each with where it stands.

use askama::Template;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::desk::{Desk, Listed, Named, segment};
use super::page::{Shell, Shown, Trouble, show};

#[derive(Template)]
#[template(path = "settings.html")]
struct SettingsPage {
    shell: Shell,
    /// Who may sign in.
    administrators: Vec<Administrator>,
    tokens: usize,
    /// The provider at which administrators sign in, if there is one.
    provider: Option<Provider>,
    channels: Vec<Channel>,
    subscriptions: Vec<Channel>,
    directories: Vec<Directory>,
}

#[derive(Deserialize)]
struct Administrator {
    second_factor: Option<jiff::Timestamp>,
    issuer: Option<String>,
}

#[derive(Deserialize)]
struct Provider {
    issuer: String,
    enabled: bool,
}

#[derive(Deserialize)]
struct Channel {
    state: String,
}

struct Directory {
    name: String,
    address: String,
}

impl SettingsPage {
    /// Who signs in here with a password alone.
    fn without_second_factor(&self) -> usize {
        let alone = |it: &&Administrator| it.second_factor.is_none() && it.issuer.is_none();
        self.administrators.iter().filter(alone).count()
    }

    fn failing_channels(&self) -> usize {
        failing(&self.channels)
    }

    fn failing_subscriptions(&self) -> usize {
        failing(&self.subscriptions)
    }
}

fn failing(all: &[Channel]) -> usize {
    let is_failing = |it: &&Channel| matches!(it.state.as_str(), "failing" | "given_up");
    all.iter().filter(is_failing).count()
}

/// `GET /console/settings`
pub(super) async fn page(desk: Desk) -> Shown {
    let administrators: Listed<Administrator> = desk.get(&["administrators"], &[]).await?;
    let tokens: Listed<IgnoredAny> = desk.get(&["tokens"], &[]).await?;
    let channels: Listed<Channel> = desk.get(&["notifications"], &[]).await?;
    let subscriptions: Listed<Channel> = desk.get(&["subscriptions"], &[]).await?;
    show(&SettingsPage {
        shell: desk.shell("settings"),
        administrators: administrators.items,
        tokens: tokens.items.len(),
        provider: desk.find(&["sign-in", "openid"], &[]).await?,
        channels: channels.items,
        subscriptions: subscriptions.items,
        directories: directories(&desk).await?,
    })
}

async fn directories(desk: &Desk) -> Result<Vec<Directory>, Trouble> {
    let all: Listed<Named> = desk.get(&["directories"], &[]).await?;
    let row = |Named { name }: Named| Directory {
        address: format!("/console/directories/{}", segment(&name)),
        name,
    };
    Ok(all.items.into_iter().map(row).collect())
}
