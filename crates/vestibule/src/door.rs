//! How commands reach the data: through the data folder, or through a running server's admin API.
//!
//! Both doors give the same views, so that a command need not know which one it went through, and
//! so that a script gets the same JSON from both.

mod data;
mod views;

use std::path::Path;

use store::Access;

use crate::cli::DoorFlags;
use crate::config::Settings;
use crate::exit::Failure;

pub use data::Data;
pub use views::{
    ApplicationView, ConnectorDetail, ConnectorView, NewApplication, NewConnector, RotatedToken,
    TokenView,
};

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

/// Opens the door that the flags name.
pub fn open(_flags: &DoorFlags, settings: &Settings) -> Result<Data, Failure> {
    Data::open(settings)
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
