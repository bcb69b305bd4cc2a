//! How commands reach the data: they ask the admin API, of a running server or within this program on the data
//! folder, so that a script gets the same JSON from both.

mod ask;
mod configuration;
mod credentials;
mod group;
mod import;
mod insight;
mod look;
mod setup;
mod sign_in;
mod transport;
mod views;

use std::path::Path;

use reqwest::{Method, StatusCode};
use serde::Serialize;
use serde_json::Value;
use store::Access;
use tokio::runtime::Runtime;

use crate::cli::DoorFlags;
use crate::config::Settings;
use crate::exit::{Exit, Failure};

pub use configuration::ConfigurationMistake;
pub use sign_in::WebhookView;
pub use views::{
    ApplicationView, AttachedView, ClientView, ConnectorDetail, ConnectorView, NewApplication,
    NewClientSecret, NewConnector, NewToken, RotatedToken, RuleWarning, TokenView,
};

pub use group::ConnectorGroupView;
pub use import::{ImportCountsView, ImportView};
pub use insight::{
    ChangedSchema, FlaggedUserView, NameConflictView, PendingMemberView, Replay, RequestDetail,
    RequestView, SchemaView, SchemaWish, SuppressedUserView,
};
pub use look::{About, DirectoryView, SessionView, WhyView};
use transport::Transport;

/// The file in the data folder in which a server leaves its public URL for commands to print.
const URL_FILE: &str = "public-url";

/// What to call the application and what it may do.
#[derive(Debug, Clone)]
pub struct ApplicationWish {
    /// The name that the product signs in with.
    pub name: String,
    /// What it may do.
    pub access: Access,
    /// Addresses and ranges it may come from; empty means any.
    pub addresses: Vec<String>,
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
    /// Whether, beside that, only groups whose members may log in are seen.
    pub only_groups_with_access: Option<bool>,
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
    /// Addresses and ranges it may come from, all of them.
    pub addresses: Option<Vec<String>>,
    /// What it sees.
    pub sight: SightWish,
}

/// The admin API, wherever it is. What can be asked is said by topic, in the modules of this one.
pub struct Door {
    transport: Transport,
    runtime: Runtime,
}

impl Door {
    /// Whether no server is asked, so that its flags are not known.
    pub fn is_local(&self) -> bool {
        self.transport.is_local()
    }

    fn place(&self) -> &str {
        self.transport.place()
    }

    /// Waits; work that the door has begun goes on meanwhile.
    pub fn pause(&self, time: std::time::Duration) {
        self.runtime.block_on(tokio::time::sleep(time));
    }

    /// Hands a file of the admin API over as it comes.
    pub fn download(
        &self,
        path: &[&str],
        each: &mut dyn FnMut(&[u8]) -> std::io::Result<()>,
    ) -> Result<(), Failure> {
        let downloading = self.transport.download(path, each);
        let (status, text) = self.runtime.block_on(downloading)?;
        match status.is_success() {
            true => Ok(()),
            false => Err(ask::refusal(status, &text)),
        }
    }

    fn call(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, String)],
        body: Option<&Value>,
    ) -> Result<(StatusCode, String), Failure> {
        let answer = self.transport.call(method, path, query, body);
        self.runtime.block_on(answer)
    }
}

/// Opens the door that the flags name.
pub fn open(flags: &DoorFlags, settings: &Settings) -> Result<Door, Failure> {
    let transport = match (&flags.server, &flags.token) {
        (Some(server), Some(token)) => Transport::http(server, token)?,
        _ => Transport::local(settings, flags.author.as_deref())?,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    Ok(Door { transport, runtime })
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
