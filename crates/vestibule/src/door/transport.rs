//! How questions reach the admin API: over HTTP to a running server, or within this program on the data folder.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use deliver::Notifier;
use provision::Provision;
use reqwest::{Method, StatusCode, Url};
use serde_json::Value;
use server::{Caller, LocalApi};
use store::{Database, Environment, OpenMode, Store};

use super::public_url;
use crate::config::Settings;
use crate::exit::{Exit, Failure};
use crate::key_file;

/// How long a server may take to answer.
const TIMEOUT: Duration = Duration::from_secs(60);

/// How long a file of it may take.
const DOWNLOAD_TIMEOUT: Duration = Duration::from_secs(6 * 3_600);

/// How it came, in the journal, when no server was asked.
const ACTOR: &str = "command line";
/// Variables that hold the account of the system, who became another one first.
const ACCOUNTS: [&str; 4] = ["SUDO_USER", "USER", "LOGNAME", "USERNAME"];

/// Where the admin API is.
pub(super) enum Transport {
    /// At a running server.
    Http {
        base: Url,
        token: String,
        client: reqwest::Client,
    },
    /// Here, on the store itself, whether or not a server has it open too.
    Local {
        /// Its requests.
        api: LocalApi,
        /// Who asks.
        actor: String,
    },
}

impl Transport {
    /// Checks the address of a server; nothing is sent yet.
    pub(super) fn http(server: &str, token: &str) -> Result<Self, Failure> {
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
        Ok(Self::Http {
            base,
            token: token.to_owned(),
            client,
        })
    }

    /// Opens the store of the data folder. It has to be there: a slip in the name of the folder
    /// must not make a new one.
    pub(super) fn local(settings: &Settings, author: Option<&str>) -> Result<Self, Failure> {
        if let Database::Sqlite(path) = &settings.database
            && !path.exists()
        {
            let message = format!("there is no database at {}", path.display());
            let remedy = "name the folder of the server with --data, or start the server first: vestibule serve";
            return Err(Failure::new(Exit::Store, message).with(remedy));
        }
        let store = Store::open_for(OpenMode::Tool, &settings.database, Environment::system())?;
        // A database elsewhere can be asked without a folder here, as long as nothing has to be sealed.
        let provision = match settings.secret_key.is_some() || settings.data.is_dir() {
            true => Provision::with_key(store, key_file::read_or_make(settings)?),
            false => Provision::new(store),
        };
        provision.allow_outbound(settings.outbound_allow.clone());
        let notifier = Notifier::new(&settings.outbound_allow, settings.public_url.clone());
        provision.notify_with(Arc::new(notifier));
        let app = server::App::new(
            provision,
            server::Settings {
                public_url: Some(public_url(settings)),
                ..server::Settings::default()
            },
        );
        Ok(Self::Local {
            api: LocalApi::new(app),
            actor: actor(author),
        })
    }

    /// Whether no server is asked, so that its flags are not known.
    pub(super) fn is_local(&self) -> bool {
        matches!(self, Self::Local { .. })
    }

    /// Where it is, for messages.
    pub(super) fn place(&self) -> &str {
        match self {
            Self::Http { base, .. } => base.as_str(),
            Self::Local { .. } => "the data folder",
        }
    }

    /// Does what is owed, where maybe no server does.
    pub(super) async fn work_off(&self) -> Result<(), Failure> {
        match self {
            Self::Http { .. } => Ok(()),
            Self::Local { api, .. } => api.work_off().await.map_err(Failure::from),
        }
    }

    /// Hands a file over as it comes. If the answer is no success, its text is given instead.
    pub(super) async fn download(
        &self,
        path: &[&str],
        each: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<(StatusCode, String), Failure> {
        match self {
            Self::Http {
                base,
                token,
                client,
            } => {
                let request = client
                    .get(url(base.clone(), path, &[]))
                    .bearer_auth(token)
                    .timeout(DOWNLOAD_TIMEOUT);
                let broken = |error: reqwest::Error| {
                    let error = anyhow::Error::from(error);
                    let message = format!("{base} did not answer to the end: {error:#}");
                    Failure::new(Exit::Store, message)
                };
                let mut response = request.send().await.map_err(broken)?;
                let status = response.status();
                if !status.is_success() {
                    return Ok((status, response.text().await.map_err(broken)?));
                }
                while let Some(bytes) = response.chunk().await.map_err(broken)? {
                    each(&bytes)?;
                }
                Ok((status, String::new()))
            }
            Self::Local { api, actor } => {
                let target = url_here(path, &[])?;
                api.download(&Caller::owner(actor), target.as_str(), each)
                    .await
                    .map_err(unreadable)
            }
        }
    }

    /// Asks, and waits for the answer: its status and its text.
    pub(super) async fn call(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, String)],
        body: Option<&Value>,
    ) -> Result<(StatusCode, String), Failure> {
        match self {
            Self::Http {
                base,
                token,
                client,
            } => {
                let mut request = client
                    .request(method, url(base.clone(), path, query))
                    .bearer_auth(token);
                if let Some(body) = body {
                    request = request.json(body);
                }
                let answered = async {
                    let response = request.send().await?;
                    Ok((response.status(), response.text().await?))
                };
                answered.await.map_err(|error: reqwest::Error| {
                    let message =
                        format!("{base} cannot be reached: {:#}", anyhow::Error::from(error));
                    Failure::new(Exit::Store, message)
                })
            }
            Self::Local { api, actor } => {
                let target = url_here(path, query)?;
                let body = body.map(Value::to_string);
                api.call(&Caller::owner(actor), method, target.as_str(), body)
                    .await
                    .map_err(unreadable)
            }
        }
    }
}

/// Who asks: as named, or the account of the system, and that it came this way.
fn actor(author: Option<&str>) -> String {
    let account = || {
        let mut names = ACCOUNTS.iter().filter_map(|name| std::env::var(name).ok());
        names.find(|name| !name.trim().is_empty() && !name.chars().any(char::is_control))
    };
    match author.map(str::to_owned).or_else(account) {
        Some(name) => format!("{name} ({ACTOR})"),
        None => ACTOR.to_owned(),
    }
}

fn unreadable(error: impl std::fmt::Display) -> Failure {
    Failure::new(Exit::Failed, format!("the answer cannot be read: {error}"))
}

/// An address within this program, which no network sees.
fn url_here(path: &[&str], query: &[(&str, String)]) -> Result<Url, Failure> {
    let here = Url::parse("http://localhost").map_err(anyhow::Error::from)?;
    Ok(url(here, path, query))
}

fn url(mut base: Url, path: &[&str], query: &[(&str, String)]) -> Url {
    if let Ok(mut segments) = base.path_segments_mut() {
        segments.pop_if_empty().extend(["api", "v1"]).extend(path);
    }
    if !query.is_empty() {
        base.query_pairs_mut().extend_pairs(query);
    }
    base
}
