//! How people sign in with applications, and how applications hear of news, asked through the door.

use jiff::Timestamp;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::SignInSettings;

use super::Door;
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

impl Door {
    /// How people sign in with an application.
    pub fn sign_in(&self, application: &str) -> Result<SignInSettings, Failure> {
        self.get(&["applications", application, "sign-in"])
    }

    /// Changes how people sign in with an application.
    pub fn change_sign_in(
        &self,
        application: &str,
        edit: &SignInEdit,
    ) -> Result<SignInSettings, Failure> {
        let path = ["applications", application, "sign-in"];
        self.ask(Method::PATCH, &path, Some(&json!(edit)))
    }

    /// Says whether applications may make users in a directory.
    pub fn allow_local_users(&self, directory: &str, allowed: bool) -> Result<(), Failure> {
        let body = json!({"local_users": allowed});
        let path = ["directories", directory];
        self.ask::<Value>(Method::PATCH, &path, Some(&body))
            .map(drop)
    }

    /// The webhooks of an application, oldest first.
    pub fn webhooks(&self, application: &str) -> Result<Vec<WebhookView>, Failure> {
        self.list(&["applications", application, "webhooks"])
    }

    /// Registers a webhook; the same address again renews the one that is there.
    pub fn create_webhook(
        &self,
        application: &str,
        url: &str,
        token: Option<&str>,
    ) -> Result<WebhookView, Failure> {
        let body = json!({ "url": url, "token": token });
        self.post(&["applications", application, "webhooks"], &body)
    }

    /// Gives a webhook another chance.
    pub fn enable_webhook(&self, application: &str, id: i64) -> Result<WebhookView, Failure> {
        let id = id.to_string();
        let path = ["applications", application, "webhooks", &id, "enable"];
        self.ask(Method::POST, &path, None)
    }

    /// Deletes a webhook.
    pub fn delete_webhook(&self, application: &str, id: i64) -> Result<(), Failure> {
        let id = id.to_string();
        let path = ["applications", application, "webhooks", &id];
        self.send(Method::DELETE, &path, None)
    }
}
