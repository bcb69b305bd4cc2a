//! The deletion of a connector: what it touches, and what becomes of the accounts.

use axum::body::Body;
use axum::extract::Path;
use axum::http::Method;
use serde::Deserialize;

use super::super::confirm::Confirm;
use super::super::desk::{Desk, segment};
use super::super::jobs;
use super::super::page::Shown;
use super::super::words::count;
use super::Begun;

#[derive(Deserialize)]
struct Release {
    users: i64,
    groups: i64,
    active_accounts: i64,
    disabled_accounts: i64,
}

/// What can become of accounts.
const FATES: [(&str, &str); 3] = [
    ("keep", "stay, and are kept here from now on"),
    ("disable", "stay, and can no longer log in"),
    ("remove", "are deleted"),
];

/// `GET /console/connectors/{connector}/delete`
pub(in crate::ui) async fn ask(desk: Desk, Path(connector): Path<String>) -> Shown {
    let path = ["connectors", connector.as_str(), "release"];
    let found: Release = desk.get(&path, &[]).await?;
    let back = format!("/console/connectors/{}", segment(&connector));
    Confirm::new("connectors", format!("Delete the connector {connector}?"))
        .effect(format!(
            "What the identity provider wrote is forgotten: {} and {}. Its tokens stop working at once.",
            count(found.users, "user", "users"),
            count(found.groups, "group", "groups")
        ))
        .effect(format!(
            "{} and {} come from it. Say what becomes of them.",
            count(found.active_accounts, "active account", "active accounts"),
            count(found.disabled_accounts, "disabled account", "disabled accounts")
        ))
        .choose("The accounts", "accounts", &FATES)
        .verb("Delete the connector")
        .action(format!("{back}/delete"))
        .back(back)
        .show(&desk)
}

/// `POST /console/connectors/{connector}/delete`
pub(in crate::ui) async fn delete(desk: Desk, Path(connector): Path<String>, body: Body) -> Shown {
    let form = desk.form(body).await?;
    let query = [("accounts", form.text("accounts"))];
    let path = ["connectors", connector.as_str()];
    let begun: Begun = desk.send_with(Method::DELETE, &path, &query, None).await?;
    desk.go_told(
        &jobs::place(&begun.job.id),
        "The connector is being deleted.",
    )
}
