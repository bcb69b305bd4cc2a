//! The configuration as a file: shown, saved, and changed from a file after a look at what that would do.

use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Ui;
use super::connector::versions::Difference;
use super::desk::Desk;
use super::form::Fields;
use super::page::{Shell, Shown, Trouble, show, show_wrong};
use crate::limits::CONFIGURATION_BODY_BYTES_MAX;
use crate::yaml;

/// Where this page is.
const PLACE: &str = "/console/configuration";

/// The pages of the configuration.
pub(super) fn routes() -> Router<Ui> {
    Router::new()
        .route(PLACE, get(page).post(plan))
        .route("/console/configuration.yaml", get(save))
        .route("/console/configuration/sealed", post(save_sealed))
        .route("/console/configuration/apply", post(apply))
}

#[derive(Template)]
#[template(path = "configuration.html")]
struct ConfigurationPage {
    shell: Shell,
    wrong: Option<Trouble>,
    /// What is wrong with the file, with its lines, in their order.
    mistakes: Vec<(usize, String)>,
    /// Everything that is set up now.
    current: String,
    sent: Sent,
    plan: Option<Planned>,
    applied: Option<Applied>,
}

/// What was sent, and how it is meant.
#[derive(Default)]
struct Sent {
    text: String,
    prune: bool,
    anyway: bool,
    comment: String,
    /// What its secrets are sealed with, which no page repeats.
    passphrase: String,
}

#[derive(Deserialize)]
struct Planned {
    ground: String,
    #[serde(flatten)]
    work: Work,
}

#[derive(Deserialize)]
struct Applied {
    #[serde(flatten)]
    work: Work,
    secrets: Vec<MadeSecret>,
    jobs: Vec<String>,
}

#[derive(Deserialize)]
struct Work {
    steps: Vec<Step>,
    kept: Vec<Kept>,
}

#[derive(Deserialize)]
struct Step {
    action: String,
    summary: String,
    differences: Vec<Difference>,
    notes: Vec<String>,
}

impl Step {
    fn colour(&self) -> &'static str {
        match self.action.as_str() {
            "create" => "good",
            "delete" => "bad",
            _ => "warn",
        }
    }

    /// The step without its first word, which stands beside it.
    fn what(&self) -> &str {
        let rest = self.summary.strip_prefix(self.action.as_str());
        rest.unwrap_or(&self.summary).trim_start()
    }
}

#[derive(Deserialize)]
struct Kept {
    summary: String,
    reason: String,
}

#[derive(Deserialize)]
struct MadeSecret {
    summary: String,
    id: Option<String>,
    secret: String,
}

impl ConfigurationPage {
    /// Whether it shows what is shown once: then nothing on it leads away but the one way on.
    fn shows_secret(&self) -> bool {
        let applied = self.applied.as_ref();
        applied.is_some_and(|applied| !applied.secrets.is_empty())
    }
}

impl Sent {
    fn of(form: &Fields) -> Self {
        Self {
            text: form.exact("configuration"),
            prune: !form.text("prune").is_empty(),
            anyway: !form.text("anyway").is_empty(),
            comment: form.text("comment").to_owned(),
            passphrase: form.exact("passphrase"),
        }
    }
}

/// `GET /console/configuration`
async fn page(desk: Desk) -> Shown {
    show(&shown(&desk, Sent::default()).await?)
}

async fn shown(desk: &Desk, sent: Sent) -> Result<ConfigurationPage, Trouble> {
    let current: Value = desk.get(&["configuration"], &[]).await?;
    Ok(ConfigurationPage {
        shell: desk.shell("settings"),
        wrong: None,
        mistakes: Vec::new(),
        current: yaml::print(&current),
        sent,
        plan: None,
        applied: None,
    })
}

/// `GET /console/configuration.yaml`
async fn save(desk: Desk) -> Shown {
    let current: Value = desk.get(&["configuration"], &[]).await?;
    Ok(file("vestibule.yaml", &current))
}

/// `POST /console/configuration/sealed`: a form, so that no address has the passphrase in it.
async fn save_sealed(desk: Desk, body: Body) -> Shown {
    let form = desk.form(body).await?;
    let passphrase = form.exact("passphrase");
    let sealed = match passphrase == form.exact("again") {
        true => {
            let wish = json!({ "passphrase": passphrase });
            let path = ["configuration", "seal"];
            desk.send::<Value>(Method::POST, &path, Some(wish)).await
        }
        false => {
            let detail = "These are two passphrases. Type the same twice.";
            Err(Trouble::new(StatusCode::UNPROCESSABLE_ENTITY, detail))
        }
    };
    match sealed {
        Ok(sealed) => Ok(file("vestibule-sealed.yaml", &sealed)),
        Err(wrong) => mistaken(shown(&desk, Sent::default()).await?, wrong),
    }
}

/// A configuration as a file to save.
fn file(name: &str, configuration: &Value) -> Response {
    let attached = format!("attachment; filename=\"{name}\"");
    let head = [
        (CONTENT_TYPE, "application/yaml"),
        (CONTENT_DISPOSITION, attached.as_str()),
    ];
    (head, yaml::print(configuration)).into_response()
}

/// `POST /console/configuration`: what the file would do; nothing is changed.
async fn plan(desk: Desk, body: Body) -> Shown {
    let form = desk.form_within(body, CONFIGURATION_BODY_BYTES_MAX).await?;
    let sent = Sent::of(&form);
    let planned = match wish(&sent) {
        Ok(wish) => {
            desk.ask::<Planned>(&["configuration", "plan"], &[], wish)
                .await
        }
        Err(trouble) => Err(trouble),
    };
    let mut page = shown(&desk, sent).await?;
    match planned {
        Ok(planned) => {
            page.plan = Some(planned);
            show(&page)
        }
        Err(wrong) => mistaken(page, wrong),
    }
}

/// `POST /console/configuration/apply`: exactly what was planned, or nothing.
async fn apply(desk: Desk, body: Body) -> Shown {
    let form = desk.form_within(body, CONFIGURATION_BODY_BYTES_MAX).await?;
    desk.once(&form, PLACE, carry_out(&desk, &form)).await
}

async fn carry_out(desk: &Desk, form: &Fields) -> Shown {
    let sent = Sent::of(form);
    let applied = match wish(&sent) {
        Ok(mut wish) => {
            wish["ground"] = form.text("ground").into();
            wish["comment"] = sent.comment.clone().into();
            let path = ["configuration", "apply"];
            desk.send::<Applied>(Method::POST, &path, Some(wish)).await
        }
        Err(trouble) => Err(trouble),
    };
    match applied {
        Ok(applied) => {
            let mut page = shown(desk, Sent::default()).await?;
            page.shell = page.shell.told("Everything is as the file says.");
            page.applied = Some(applied);
            show(&page)
        }
        Err(wrong) => mistaken(shown(desk, sent).await?, wrong),
    }
}

/// What the admin API is asked with.
fn wish(sent: &Sent) -> Result<Value, Trouble> {
    if sent.text.trim().is_empty() {
        let detail = "Paste the text of a configuration file first.";
        return Err(Trouble::new(StatusCode::UNPROCESSABLE_ENTITY, detail));
    }
    let document = yaml::parse(&sent.text).map_err(|wrong| {
        let detail = format!("Line {}: {}", wrong.line, wrong.message);
        Trouble::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
    })?;
    let mut wish = json!({
        "configuration": document.value,
        "prune": sent.prune,
        "anyway": sent.anyway,
    });
    if !sent.passphrase.is_empty() {
        wish["passphrase"] = sent.passphrase.as_str().into();
    }
    Ok(wish)
}

/// The page with what is wrong, each with the line that it is about.
fn mistaken(mut page: ConfigurationPage, mut wrong: Trouble) -> Shown {
    let status = wrong.status;
    if let Ok(document) = yaml::parse(&page.sent.text) {
        let places = std::mem::take(&mut wrong.places);
        let told = places.iter().map(|place| {
            let line = document.line(&place.path).unwrap_or(1);
            (line, place.to_string())
        });
        page.mistakes = told.collect();
        page.mistakes.sort_by_key(|(line, _)| *line);
    }
    page.wrong = Some(wrong);
    show_wrong(status, &page)
}
