//! Connectors and applications, asked through the door.

use std::collections::BTreeMap;

use directory::{ConnectorState, Preset};
use jiff::SignedDuration;
use reqwest::Method;
use scim::Departure;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    ApplicationEdit, ApplicationView, ApplicationWish, AttachedView, ConnectorDetail,
    ConnectorView, Door, NewApplication, NewConnector, RotatedToken, RuleWarning, SightWish,
};
use crate::exit::Failure;

impl Door {
    /// Makes a connector with a token.
    pub fn create_connector(
        &self,
        name: &str,
        preset: Preset,
        directory: Option<&str>,
    ) -> Result<NewConnector, Failure> {
        let mut wish = json!({ "name": name, "preset": preset });
        if let Some(directory) = directory {
            wish["directory"] = json!(directory);
        }
        self.post(&["connectors"], &wish)
    }

    /// All connectors, in the order they were made.
    pub fn connectors(&self) -> Result<Vec<ConnectorView>, Failure> {
        self.list(&["connectors"])
    }

    /// One connector.
    pub fn connector(&self, connector: &str) -> Result<ConnectorDetail, Failure> {
        self.get(&["connectors", connector])
    }

    /// What the rules of a connector say in vain.
    pub fn rule_warnings(&self, connector: &str) -> Result<Vec<RuleWarning>, Failure> {
        #[derive(Deserialize)]
        struct Warned {
            warnings: Vec<RuleWarning>,
        }
        let found: Warned = self.get(&["connectors", connector, "rules"])?;
        Ok(found.warnings)
    }

    /// Makes a new token; the others end after the overlap.
    pub fn rotate_token(
        &self,
        connector: &str,
        overlap: SignedDuration,
    ) -> Result<RotatedToken, Failure> {
        let body = json!({ "overlap_minutes": overlap.as_mins() });
        self.post(&["connectors", connector, "tokens", "rotate"], &body)
    }

    /// Pauses or resumes a connector.
    pub fn set_state(
        &self,
        connector: &str,
        state: ConnectorState,
    ) -> Result<ConnectorDetail, Failure> {
        let body = json!({ "state": state });
        self.ask(Method::PATCH, &["connectors", connector], Some(&body))
    }

    /// Switches departures from the RFCs; `None` leaves one to the preset.
    pub fn switch_departures(
        &self,
        connector: &str,
        changes: &BTreeMap<Departure, Option<bool>>,
    ) -> Result<ConnectorDetail, Failure> {
        let body = json!({ "settings": { "departures": changes } });
        self.ask(Method::PATCH, &["connectors", connector], Some(&body))
    }

    /// Gives a connector another name.
    pub fn rename_connector(
        &self,
        connector: &str,
        name: &str,
    ) -> Result<ConnectorDetail, Failure> {
        let body = json!({ "name": name });
        self.ask(Method::PATCH, &["connectors", connector], Some(&body))
    }

    /// One application, named by name or id.
    pub fn application(&self, application: &str) -> Result<ApplicationView, Failure> {
        self.get(&["applications", application])
    }

    /// Gives an application a new password.
    pub fn reset_password(&self, application: &str) -> Result<NewApplication, Failure> {
        self.ask(
            Method::POST,
            &["applications", application, "password"],
            None,
        )
    }

    /// Deletes an application.
    pub fn delete_application(&self, application: &str) -> Result<(), Failure> {
        let path = ["applications", application];
        self.send(Method::DELETE, &path, None)
    }

    /// Makes an application with a password.
    pub fn create_application(&self, wish: &ApplicationWish) -> Result<NewApplication, Failure> {
        let mut body = json!({
            "name": wish.name, "access": wish.access.as_str(), "addresses": wish.addresses,
        });
        sight_into(&mut body, &wish.sight, &[])?;
        self.post(&["applications"], &body)
    }

    /// Changes an application, named by name or id.
    pub fn change_application(
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
        if let Some(addresses) = &edit.addresses {
            body["addresses"] = json!(addresses);
        }
        sight_into(&mut body, &edit.sight, &now.directories)?;
        self.ask(Method::PATCH, &path, Some(&body))
    }

    /// All applications by name.
    pub fn applications(&self) -> Result<Vec<ApplicationView>, Failure> {
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
    if let Some(only) = sight.only_groups_with_access {
        body["only_groups_with_access"] = json!(only);
    }
    Ok(())
}
