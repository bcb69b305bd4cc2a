//! How commands reach the data: through the data folder, or through a running server's admin API.
//!
//! Both doors give the same views, so that a command need not know which one it went through, and
//! so that a script gets the same JSON from both.

mod data;
mod remote;
mod views;

use std::path::Path;

use directory::{ConnectorState, Preset, Rules};
use jiff::SignedDuration;
use store::Access;

use crate::cli::DoorFlags;
use crate::config::Settings;
use crate::exit::Failure;

pub use views::{
    ApplicationView, ConnectorDetail, ConnectorView, NewApplication, NewConnector, NewToken,
    RotatedToken, TokenView,
};

use data::Data;
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
    /// Name or id of its directory; the only one if none is given.
    pub directory: Option<String>,
}

/// What commands can ask for. Connectors are named by name or id.
pub trait Door {
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
    /// Checks and applies rules.
    fn set_rules(&self, connector: &str, rules: Rules) -> Result<ConnectorDetail, Failure>;
    /// Makes an application with a password.
    fn create_application(&self, wish: &ApplicationWish) -> Result<NewApplication, Failure>;
    /// All applications by name.
    fn applications(&self) -> Result<Vec<ApplicationView>, Failure>;
    /// Makes a token for the admin API.
    fn create_token(&self, label: &str) -> Result<NewToken, Failure>;
    /// The tokens of the admin API, newest first.
    fn tokens(&self) -> Result<Vec<TokenView>, Failure>;
    /// Ends a token of the admin API at once.
    fn revoke_token(&self, id: &str) -> Result<(), Failure>;
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
