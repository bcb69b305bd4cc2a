//! How commands reach the data: through the data folder, or through a running server's admin API.
//!
//! Both doors give the same views, so that a command need not know which one it went through, and
//! so that a script gets the same JSON from both.

mod credentials;
mod data;
mod insight;
mod look;
mod remote;
mod sign_in;
mod views;

use std::collections::BTreeMap;
use std::path::Path;

use directory::{ConnectorState, Preset, Rules};
use jiff::SignedDuration;
use scim::Departure;
use serde::Serialize;
use store::Access;

use crate::cli::DoorFlags;
use crate::config::Settings;
use crate::exit::{Exit, Failure};

pub use sign_in::{SignIn, WebhookView};
pub use views::{
    ApplicationView, AttachedView, ClientView, ConnectorDetail, ConnectorView, NewApplication,
    NewClientSecret, NewConnector, NewToken, RotatedToken, SecretView, TokenView,
};

pub use credentials::Credentials;
use data::Data;
pub use insight::{
    ChangedSchema, Insight, NameConflictView, PendingMemberView, RequestDetail, RequestView,
    SchemaView, SchemaWish,
};
pub use look::{DirectoryView, Look, SessionView, WhyView};
use remote::Remote;

/// The file in the data folder in which a server leaves its public URL for commands to print.
const URL_FILE: &str = "public-url";

/// What to call the application and what it may do.
#[derive(Debug, Clone)]
pub struct ApplicationWish {
    /// The name that the product signs in with.
    pub name: String,
    /// What it may do.
    pub access: Access,
    /// What it sees; the only directory if none is given.
    pub sight: SightWish,
}

/// What an application is to see; what is left out stays as it is.
#[derive(Debug, Clone, Default)]
pub struct SightWish {
    /// Names or ids of directories, the one that wins first.
    pub directories: Option<Vec<String>>,
    /// Groups whose members may log in, the same for every directory; an empty list lets everybody in.
    pub login_groups: Option<Vec<String>>,
    /// Whether memberships count of every directory that has a user's name.
    pub aggregate_memberships: Option<bool>,
    /// Whether only users who may log in are seen at all.
    pub only_with_access: Option<bool>,
}

/// A directory as an application is to see it.
#[derive(Debug, Clone, Serialize)]
pub struct AttachedWish {
    /// Its name or id.
    pub directory: String,
    /// Groups whose members may log in; none lets everybody in.
    pub login_groups: Option<Vec<String>>,
}

impl SightWish {
    /// The directories of an application that sees these now; none if they stay as they are.
    fn attached(&self, now: &[AttachedView]) -> Result<Option<Vec<AttachedWish>>, Failure> {
        let names: Vec<String> = match (&self.directories, &self.login_groups) {
            (None, None) => return Ok(None),
            (Some(_), None) if now.iter().any(|one| one.login_groups.is_some()) => {
                let message = "some directories let only members of certain groups log in";
                return Err(Failure::new(Exit::Usage, message)
                    .with("say who may log in from now on: --login-group NAME, or --everybody"));
            }
            (Some(names), _) => names.clone(),
            (None, Some(_)) => now.iter().map(|one| one.directory.clone()).collect(),
        };
        let groups = self
            .login_groups
            .clone()
            .filter(|groups| !groups.is_empty());
        let attached = names.into_iter().map(|directory| AttachedWish {
            directory,
            login_groups: groups.clone(),
        });
        Ok(Some(attached.collect()))
    }
}

/// What to change about an application.
#[derive(Debug, Clone, Default)]
pub struct ApplicationEdit {
    /// The new name.
    pub name: Option<String>,
    /// What it may do.
    pub access: Option<Access>,
    /// What it sees.
    pub sight: SightWish,
}

/// How many users are to be evaluated anew.
#[derive(Debug, Clone, Copy, Serialize, serde::Deserialize)]
pub struct Due {
    /// The number.
    pub due: u64,
}

/// What commands can ask for. Connectors are named by name or id.
pub trait Door: Credentials + Insight + Look + SignIn {
    /// Makes a connector with a token.
    fn create_connector(&self, name: &str, preset: Preset) -> Result<NewConnector, Failure>;
    /// All connectors, in the order they were made.
    fn connectors(&self) -> Result<Vec<ConnectorView>, Failure>;
    /// One connector.
    fn connector(&self, connector: &str) -> Result<ConnectorDetail, Failure>;
    /// Makes a new token; the others end after the overlap.
    fn rotate_token(
        &self,
        connector: &str,
        overlap: SignedDuration,
    ) -> Result<RotatedToken, Failure>;
    /// Pauses or resumes a connector.
    fn set_state(&self, connector: &str, state: ConnectorState)
    -> Result<ConnectorDetail, Failure>;
    /// Switches departures from the RFCs; `None` leaves one to the preset.
    fn switch_departures(
        &self,
        connector: &str,
        changes: &BTreeMap<Departure, Option<bool>>,
    ) -> Result<ConnectorDetail, Failure>;
    /// Checks and applies rules.
    fn set_rules(&self, connector: &str, rules: Rules) -> Result<ConnectorDetail, Failure>;
    /// Gives a connector another name.
    fn rename_connector(&self, connector: &str, name: &str) -> Result<ConnectorDetail, Failure>;
    /// Evaluates everybody of a connector anew; tells how many are due.
    fn reconcile(&self, connector: &str) -> Result<Due, Failure>;
    /// One application, named by name or id.
    fn application(&self, application: &str) -> Result<ApplicationView, Failure>;
    /// Gives an application a new password.
    fn reset_password(&self, application: &str) -> Result<NewApplication, Failure>;
    /// Deletes an application.
    fn delete_application(&self, application: &str) -> Result<(), Failure>;
    /// Makes an application with a password.
    fn create_application(&self, wish: &ApplicationWish) -> Result<NewApplication, Failure>;
    /// Changes an application, named by name or id.
    fn change_application(
        &self,
        application: &str,
        edit: &ApplicationEdit,
    ) -> Result<ApplicationView, Failure>;
    /// All applications by name.
    fn applications(&self) -> Result<Vec<ApplicationView>, Failure>;
}

/// Opens the door that the flags name.
pub fn open(flags: &DoorFlags, settings: &Settings) -> Result<Box<dyn Door>, Failure> {
    Ok(match (&flags.server, &flags.token) {
        (Some(server), Some(token)) => Box::new(Remote::open(server, token)?),
        _ => Box::new(Data::open(settings)?),
    })
}

/// Leaves a server's public URL in the data folder.
pub fn leave_url(data: &Path, url: &str) -> std::io::Result<()> {
    std::fs::write(data.join(URL_FILE), format!("{url}\n"))
}

/// The public URL: as set, as the server that ran last had it, or as the default has it.
pub fn public_url(settings: &Settings) -> String {
    let left = || std::fs::read_to_string(settings.data.join(URL_FILE)).ok();
    settings
        .public_url
        .clone()
        .or_else(|| left().map(|text| text.trim().to_owned()))
        .unwrap_or_else(|| format!("http://{}", settings.listen))
}
