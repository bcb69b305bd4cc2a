//! A connector's settings: when it is reconciled by itself, and how its endpoint behaves.

use axum::body::Body;
use axum::extract::Path;
use axum::http::Method;
use serde_json::{Value, json};

use super::super::desk::Desk;
use super::super::form::Fields;
use super::super::page::{Shown, show_wrong};
use super::{place, setup};

/// The settings as a form shows them, or as they were typed.
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

    fn typed(form: &Fields) -> Self {
        let text = |name: &str| form.text(name).to_owned();
        Self {
            cron: text("cron"),
            time_zone: text("time_zone"),
            patch_reply: text("patch_reply"),
            accept_passwords: !form.text("accept_passwords").is_empty(),
        }
    }
}

/// `POST /console/connectors/{connector}/settings`
pub(in crate::ui) async fn save(desk: Desk, Path(connector): Path<String>, body: Body) -> Shown {
    let form = desk.form(body).await?;
    let typed = SettingsForm::typed(&form);
    let change = json!({ "settings": {
        "schedule": { "cron": typed.cron, "time_zone": typed.time_zone },
        "patch_reply": typed.patch_reply,
        "accept_passwords": typed.accept_passwords,
    }});
    let path = ["connectors", &connector];
    let changed = desk.send::<Value>(Method::PATCH, &path, Some(change)).await;
    let Err(mut wrong) = changed else {
        return desk.go_told(&place(&connector), "The settings are saved.");
    };
    // Both fields are one value of the API.
    if wrong.field.as_deref() == Some("schedule") && wrong.detail.contains("is no time zone") {
        wrong.field = Some("time_zone".to_owned());
    }
    let mut page = setup(&desk, &connector).await?;
    let status = wrong.status;
    page.settings = typed;
    page.wrong = Some(wrong);
    show_wrong(status, &page)
}
