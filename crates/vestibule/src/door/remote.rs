//! The door of a running server: its admin API.

use std::collections::BTreeMap;
use std::time::Duration;

use directory::{ConnectorState, Preset, Rules};
use jiff::SignedDuration;
use reqwest::{Method, StatusCode, Url};
use scim::Departure;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::{
    ApplicationEdit, ApplicationView, ApplicationWish, AttachedView, ConnectorDetail,
    ConnectorView, Door, Due, NewApplication, NewConnector, RotatedToken, SightWish,
};
use crate::exit::{Exit, Failure};

/// How long the server may take to answer.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A server that can be asked.
pub struct Remote {
    base: Url,
    token: String,
    client: reqwest::Client,
    runtime: Runtime,
}

#[derive(Deserialize)]
struct List<T> {
    items: Vec<T>,
}

/// An error of the admin API (RFC 9457).
#[derive(Default, Deserialize)]
#[serde(default)]
struct Problem {
    detail: String,
    errors: Vec<RuleProblem>,
}

#[derive(Deserialize)]
struct RuleProblem {
    path: String,
    message: String,
    remedy: String,
}

impl Remote {
    /// Checks the address; nothing is sent yet.
    pub fn open(server: &str, token: &str) -> Result<Self, Failure> {
        // One that is there already is as good.
        let _already_installed = rustls::crypto::ring::default_provider().install_default();
        let base = Url::parse(server)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .ok_or_else(|| {
                let message = format!("--server: `{server}` is not the address of a server");
                Failure::new(Exit::Usage, message)
                    .with("write for example https://vestibule.example.org")
            })?;
        let client = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(anyhow::Error::from)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        Ok(Self {
            base,
            token: token.to_owned(),
            client,
            runtime,
        })
    }

    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["api", "v1"]).extend(path);
        }
        url
    }

    /// The answer to a request, or the failure that it tells.
    pub(super) fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &[&str],
        body: Option<&Value>,
    ) -> Result<T, Failure> {
        self.ask_with(method, path, &[], body)
    }

    /// The same with parameters.
    pub(super) fn ask_with<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, String)],
        body: Option<&Value>,
    ) -> Result<T, Failure> {
        let text = self.send_with(method, path, query, body)?;
        serde_json::from_str(&text).map_err(|error| {
            let message = format!("{} does not answer like a Vestibule: {error}", self.base);
            Failure::new(Exit::Failed, message)
        })
    }

    pub(super) fn send(
        &self,
        method: Method,
        path: &[&str],
        body: Option<&Value>,
    ) -> Result<String, Failure> {
        self.send_with(method, path, &[], body)
    }

    fn send_with(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, String)],
        body: Option<&Value>,
    ) -> Result<String, Failure> {
        let mut url = self.url(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut request = self.client.request(method, url).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answered = self.runtime.block_on(async {
            let response = request.send().await?;
            let status = response.status();
            Ok::<_, reqwest::Error>((status, response.text().await?))
        });
        let (status, text) = answered.map_err(|error| {
            let message = format!(
                "{} cannot be reached: {:#}",
                self.base,
                anyhow::Error::from(error)
            );
            Failure::new(Exit::Store, message)
        })?;
        if status.is_success() {
            Ok(text)
        } else {
            Err(refusal(status, &text))
        }
    }

    pub(super) fn get<T: DeserializeOwned>(&self, path: &[&str]) -> Result<T, Failure> {
        self.ask(Method::GET, path, None)
    }

    pub(super) fn get_with<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, String)],
    ) -> Result<T, Failure> {
        self.ask_with(Method::GET, path, query, None)
    }

    pub(super) fn list<T: DeserializeOwned>(&self, path: &[&str]) -> Result<Vec<T>, Failure> {
        self.get::<List<T>>(path).map(|list| list.items)
    }

    pub(super) fn post<T: DeserializeOwned>(
        &self,
        path: &[&str],
        body: &Value,
    ) -> Result<T, Failure> {
        self.ask(Method::POST, path, Some(body))
    }
}

/// What an answer that is no success means.
fn refusal(status: StatusCode, text: &str) -> Failure {
    let problem: Problem = serde_json::from_str(text).unwrap_or_default();
    let exit = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Exit::Refused,
        StatusCode::NOT_FOUND => Exit::NotFound,
        StatusCode::CONFLICT => Exit::Conflict,
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => Exit::Usage,
        StatusCode::SERVICE_UNAVAILABLE => Exit::Store,
        _ => Exit::Failed,
    };
    let wrong: Vec<String> = problem
        .errors
        .iter()
        .map(|one| format!("{}: {}; {}", one.path, one.message, one.remedy))
        .collect();
    if !wrong.is_empty() {
        return Failure::new(exit, wrong.join("\n"));
    }
    match problem.detail.as_str() {
        "" => Failure::new(exit, format!("the server answered {status}")),
        detail => Failure::new(exit, detail),
    }
}

impl Door for Remote {
    fn create_connector(&self, name: &str, preset: Preset) -> Result<NewConnector, Failure> {
        self.post(&["connectors"], &json!({ "name": name, "preset": preset }))
    }

    fn connectors(&self) -> Result<Vec<ConnectorView>, Failure> {
        self.list(&["connectors"])
    }

    fn connector(&self, connector: &str) -> Result<ConnectorDetail, Failure> {
        self.get(&["connectors", connector])
    }

    fn rotate_token(
        &self,
        connector: &str,
        overlap: SignedDuration,
    ) -> Result<RotatedToken, Failure> {
        let body = json!({ "overlap_minutes": overlap.as_mins() });
        self.post(&["connectors", connector, "tokens", "rotate"], &body)
    }

    fn set_state(
        &self,
        connector: &str,
        state: ConnectorState,
    ) -> Result<ConnectorDetail, Failure> {
        let body = json!({ "state": state });
        self.ask(Method::PATCH, &["connectors", connector], Some(&body))
    }

    fn switch_departures(
        &self,
        connector: &str,
        changes: &BTreeMap<Departure, Option<bool>>,
    ) -> Result<ConnectorDetail, Failure> {
        let body = json!({ "settings": { "departures": changes } });
        self.ask(Method::PATCH, &["connectors", connector], Some(&body))
    }

    fn set_rules(&self, connector: &str, rules: Rules) -> Result<ConnectorDetail, Failure> {
        let body = json!({ "rules": rules });
        self.ask(Method::PATCH, &["connectors", connector], Some(&body))
    }

    fn rename_connector(&self, connector: &str, name: &str) -> Result<ConnectorDetail, Failure> {
        let body = json!({ "name": name });
        self.ask(Method::PATCH, &["connectors", connector], Some(&body))
    }

    fn reconcile(&self, connector: &str) -> Result<Due, Failure> {
        self.ask(Method::POST, &["connectors", connector, "reconcile"], None)
    }

    fn application(&self, application: &str) -> Result<ApplicationView, Failure> {
        self.get(&["applications", application])
    }

    fn reset_password(&self, application: &str) -> Result<NewApplication, Failure> {
        self.ask(
            Method::POST,
            &["applications", application, "password"],
            None,
        )
    }

    fn delete_application(&self, application: &str) -> Result<(), Failure> {
        let path = ["applications", application];
        self.send(Method::DELETE, &path, None).map(drop)
    }

    fn create_application(&self, wish: &ApplicationWish) -> Result<NewApplication, Failure> {
        let mut body = json!({ "name": wish.name, "access": wish.access.as_str() });
        sight_into(&mut body, &wish.sight, &[])?;
        self.post(&["applications"], &body)
    }

    fn change_application(
        &self,
        application: &str,
        edit: &ApplicationEdit,
    ) -> Result<ApplicationView, Failure> {
        let path = ["applications", application];
        let now: ApplicationView = self.ask(Method::GET, &path, None)?;
        let mut body = json!({});
        if let Some(name) = &edit.name {
            body["name"] = json!(name);
        }
        if let Some(access) = edit.access {
            body["access"] = json!(access.as_str());
        }
        sight_into(&mut body, &edit.sight, &now.directories)?;
        self.ask(Method::PATCH, &path, Some(&body))
    }

    fn applications(&self) -> Result<Vec<ApplicationView>, Failure> {
        self.list(&["applications"])
    }
}

/// Puts what an application is to see into a request.
fn sight_into(body: &mut Value, sight: &SightWish, now: &[AttachedView]) -> Result<(), Failure> {
    if let Some(directories) = sight.attached(now)? {
        body["directories"] = json!(directories);
    }
    if let Some(aggregate) = sight.aggregate_memberships {
        body["aggregate_memberships"] = json!(aggregate);
    }
    if let Some(only) = sight.only_with_access {
        body["only_with_access"] = json!(only);
    }
    Ok(())
}
