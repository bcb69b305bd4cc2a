//! How people sign in with applications, and how applications hear of news, through either door.

use jiff::Timestamp;
use provision::ProvisionError;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{SignInSettings, Webhook};

use super::data::Data;
use super::remote::Remote;
use crate::cli::SignInEdit;
use crate::exit::Failure;

/// A webhook and how telling it goes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WebhookView {
    /// Its number.
    pub id: i64,
    /// Where it is told.
    pub url: String,
    /// Attempts that failed since the last success.
    pub failures: i64,
    /// Why the last of them failed.
    pub last_error: Option<String>,
    /// When it was last told.
    pub last_success: Option<Timestamp>,
    /// When it was given up, if it was.
    pub disabled: Option<Timestamp>,
}

/// What commands can ask for.
pub trait SignIn {
    /// How people sign in with an application.
    fn sign_in(&self, application: &str) -> Result<SignInSettings, Failure>;
    /// Changes how people sign in with an application.
    fn change_sign_in(
        &self,
        application: &str,
        edit: &SignInEdit,
    ) -> Result<SignInSettings, Failure>;
    /// Says whether applications may make users in a directory.
    fn allow_local_users(&self, directory: &str, allowed: bool) -> Result<(), Failure>;
    /// The webhooks of an application, oldest first.
    fn webhooks(&self, application: &str) -> Result<Vec<WebhookView>, Failure>;
    /// Registers a webhook; the same address again renews the one that is there.
    fn create_webhook(
        &self,
        application: &str,
        url: &str,
        token: Option<&str>,
    ) -> Result<WebhookView, Failure>;
    /// Gives a webhook another chance.
    fn enable_webhook(&self, application: &str, id: i64) -> Result<WebhookView, Failure>;
    /// Deletes a webhook.
    fn delete_webhook(&self, application: &str, id: i64) -> Result<(), Failure>;
}

impl SignIn for Remote {
    fn sign_in(&self, application: &str) -> Result<SignInSettings, Failure> {
        self.get(&["applications", application, "sign-in"])
    }

    fn change_sign_in(
        &self,
        application: &str,
        edit: &SignInEdit,
    ) -> Result<SignInSettings, Failure> {
        let path = ["applications", application, "sign-in"];
        self.ask(Method::PATCH, &path, Some(&json!(edit)))
    }

    fn allow_local_users(&self, directory: &str, allowed: bool) -> Result<(), Failure> {
        let body = json!({"local_users": allowed});
        let path = ["directories", directory];
        self.ask::<Value>(Method::PATCH, &path, Some(&body))
            .map(drop)
    }

    fn webhooks(&self, application: &str) -> Result<Vec<WebhookView>, Failure> {
        self.list(&["applications", application, "webhooks"])
    }

    fn create_webhook(
        &self,
        application: &str,
        url: &str,
        token: Option<&str>,
    ) -> Result<WebhookView, Failure> {
        let body = json!({ "url": url, "token": token });
        self.post(&["applications", application, "webhooks"], &body)
    }

    fn enable_webhook(&self, application: &str, id: i64) -> Result<WebhookView, Failure> {
        let id = id.to_string();
        let path = ["applications", application, "webhooks", &id, "enable"];
        self.ask(Method::POST, &path, None)
    }

    fn delete_webhook(&self, application: &str, id: i64) -> Result<(), Failure> {
        let id = id.to_string();
        let path = ["applications", application, "webhooks", &id];
        self.send(Method::DELETE, &path, None).map(drop)
    }
}

impl SignIn for Data {
    fn sign_in(&self, application: &str) -> Result<SignInSettings, Failure> {
        let id = self.find_application(application)?.id;
        self.wait(self.provision.sign_in_settings(id))
    }

    fn change_sign_in(
        &self,
        application: &str,
        edit: &SignInEdit,
    ) -> Result<SignInSettings, Failure> {
        let id = self.find_application(application)?.id;
        let edit = edit.clone();
        self.wait(self.provision.change_sign_in(id, move |settings| {
            apply(&edit, settings);
        }))
    }

    fn allow_local_users(&self, directory: &str, allowed: bool) -> Result<(), Failure> {
        let found = self.find_directory(directory)?;
        self.wait(self.provision.allow_local_users(found.id, allowed))
    }

    fn webhooks(&self, application: &str) -> Result<Vec<WebhookView>, Failure> {
        let id = self.find_application(application)?.id;
        let all = self.read(|tx| tx.webhooks_of(id))?;
        Ok(all.into_iter().map(WebhookView::from).collect())
    }

    fn create_webhook(
        &self,
        application: &str,
        url: &str,
        token: Option<&str>,
    ) -> Result<WebhookView, Failure> {
        let id = self.find_application(application)?.id;
        let (url, token) = (url.to_owned(), token.map(str::to_owned));
        let made = self.wait(self.provision.register_webhook(id, url, token))?;
        Ok(made.into())
    }

    fn enable_webhook(&self, application: &str, id: i64) -> Result<WebhookView, Failure> {
        own(self, application, id)?;
        let enabled = self.wait(self.provision.enable_webhook(id))?;
        Ok(enabled.into())
    }

    fn delete_webhook(&self, application: &str, id: i64) -> Result<(), Failure> {
        own(self, application, id)?;
        self.wait(self.provision.delete_webhook(id))
    }
}

impl From<Webhook> for WebhookView {
    fn from(webhook: Webhook) -> Self {
        Self {
            id: webhook.id,
            url: webhook.url,
            failures: webhook.failures,
            last_error: webhook.last_error,
            last_success: webhook.last_success,
            disabled: webhook.disabled,
        }
    }
}

fn apply(edit: &SignInEdit, settings: &mut SignInSettings) {
    if let Some(domain) = &edit.cookie_domain {
        settings.cookie_domain.clone_from(domain);
    }
    if let Some(name) = &edit.cookie_name {
        settings.cookie_name.clone_from(name);
    }
    settings.cookie_secure = edit.cookie_secure.or(settings.cookie_secure);
    let SignInSettings {
        session_idle_minutes: idle,
        session_life_minutes: life,
        ..
    } = settings;
    *idle = edit.session_idle_minutes.unwrap_or(*idle);
    *life = edit.session_life_minutes.unwrap_or(*life);
}

/// Makes sure that a webhook is this application's.
fn own(data: &Data, application: &str, id: i64) -> Result<(), Failure> {
    let application = data.find_application(application)?.id;
    let found = data.read(|tx| tx.webhook(id))?;
    match found.filter(|webhook| webhook.application == application) {
        Some(_) => Ok(()),
        None => Err(ProvisionError::NotFound {
            what: "webhook",
            name: id.to_string(),
        }
        .into()),
    }
}
