//! A connector's settings: when it is reconciled by itself, and how its endpoint behaves.

use axum::body::Body;
use axum::extract::Path;
use axum::http::Method;
use serde_json::{Value, json};

use super::super::desk::Desk;
use super::super::page::Shown;
use super::told_on_setup;

/// The settings as a form shows them.
pub(super) struct SettingsForm {
    pub(super) cron: String,
    pub(super) time_zone: String,
    pub(super) patch_reply: String,
    pub(super) accept_passwords: bool,
}

impl SettingsForm {
    pub(super) fn of(settings: &Value) -> Self {
        let text = |pointer: &str| settings.pointer(pointer).and_then(Value::as_str);
        Self {
            cron: text("/schedule/cron").unwrap_or("off").to_owned(),
            time_zone: text("/schedule/time_zone").unwrap_or("UTC").to_owned(),
            patch_reply: text("/patch_reply").unwrap_or("auto").to_owned(),
            accept_passwords: settings["accept_passwords"] == true,
        }
    }
}

/// `POST /console/connectors/{connector}/settings`
pub(in crate::ui) async fn save(desk: Desk, Path(connector): Path<String>, body: Body) -> Shown {
    let form = desk.form(body).await?;
    let change = json!({ "settings": {
        "schedule": { "cron": form.text("cron"), "time_zone": form.text("time_zone") },
        "patch_reply": form.text("patch_reply"),
        "accept_passwords": !form.text("accept_passwords").is_empty(),
    }});
    let path = ["connectors", &connector];
    let _changed: Value = desk.send(Method::PATCH, &path, Some(change)).await?;
    told_on_setup(&desk, &connector, "The settings are saved.").await
}
