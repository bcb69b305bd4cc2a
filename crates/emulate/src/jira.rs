//! An emulated Jira with a directory of type "Atlassian Crowd": it synchronises over the Crowd REST API, keeps its own
//! picture of users and groups, and can say whom it sees.
//!
//! It accepts an answer only where Atlassian's own client would, and calls everything else an error.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use base64::Engine as _;

pub use local::{Directory, Group, User};
pub use login::Login;

use crate::http::{Answer, Client, Exchange, Method, SetupError, Trouble, encoded, form_encoded};
use crate::picture::{Picture, Portrait};
use crate::report::Progress;

mod events;
mod local;
mod login;
#[cfg(test)]
mod tests;
mod writes;
mod xml;

/// The socket read limit of the real client.
const READ: Duration = Duration::from_secs(600);

/// Everybody: the body of the two large searches.
const NULL_RESTRICTION: &str =
    r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><null-search-restriction/>"#;

/// Users whose name is null, that is, nobody: the body of the connection test.
const NOBODY: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?><property-search-restriction>\
    <match-mode>NULL</match-mode><property><name>name</name><type>STRING</type></property>\
    </property-search-restriction>";

/// What Jira would tell its administrator.
#[derive(Debug, thiserror::Error)]
pub enum JiraError {
    /// There was no answer.
    #[error("cannot connect: {why} ({0})", why = .0.answer)]
    Unreachable(Box<Exchange>),
    /// An answer without the header by which a Crowd server is known.
    #[error(
        "not a Crowd user management service, the header X-Embedded-Crowd-Version is missing: {0}"
    )]
    NotCrowd(Box<Exchange>),
    /// 401: about the application, never about a user.
    #[error("the application's name or password is wrong: {0}")]
    Credentials(Box<Exchange>),
    /// 403: the application may not do this.
    #[error("the application has no permission: {0}")]
    Permission(Box<Exchange>),
    /// An error entity with a reason.
    #[error("{reason}: {message} ({exchange})")]
    Refused {
        /// The reason, such as `USER_NOT_FOUND`; empty if the answer had none.
        reason: String,
        /// The sentence for the administrator.
        message: String,
        /// The request and its answer.
        exchange: Box<Exchange>,
    },
    /// An answer that the product could not use, or that would harm its picture.
    #[error("{why} ({exchange})")]
    Invalid {
        /// What is wrong with it.
        why: String,
        /// The request and its answer.
        exchange: Box<Exchange>,
    },
}

impl JiraError {
    fn invalid(answer: &Answer, why: impl Into<String>) -> JiraError {
        let Trouble { why, exchange } = answer.trouble(why);
        JiraError::Invalid { why, exchange }
    }

    /// The request and the answer that failed.
    #[must_use]
    pub fn exchange(&self) -> &Exchange {
        match self {
            JiraError::Unreachable(exchange)
            | JiraError::NotCrowd(exchange)
            | JiraError::Credentials(exchange)
            | JiraError::Permission(exchange)
            | JiraError::Refused { exchange, .. }
            | JiraError::Invalid { exchange, .. } => exchange,
        }
    }
}

/// What a synchronisation did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Synchronization {
    /// Everything was read, not only events.
    pub full: bool,
    /// Events were asked for and the server said that the token has expired.
    pub fell_back: bool,
    /// How many events were applied.
    pub events: usize,
    /// Memberships that name a user or a group not listed before: the picture may be torn.
    pub skipped: Vec<String>,
    /// How long it took.
    pub duration: Duration,
}

/// The emulated Jira.
pub struct Jira {
    client: Client,
    incremental: bool,
    nested_groups: bool,
    directory: Directory,
    token: Option<String>,
}

impl Jira {
    /// A Jira whose administrator typed this server URL, application name and password.
    ///
    /// # Errors
    /// If the address or the credentials can't be used.
    pub fn new(server_url: &str, application: &str, password: &str) -> Result<Jira, SetupError> {
        let credentials =
            base64::engine::general_purpose::STANDARD.encode(format!("{application}:{password}"));
        let headers = [
            ("authorization", format!("Basic {credentials}")),
            ("x-atlassian-token", "no-check".to_owned()),
        ];
        let address = format!("{}/rest/usermanagement/1", server_url.trim_end_matches('/'));
        Ok(Jira {
            client: Client::new(&address, &headers, READ)?,
            incremental: true,
            nested_groups: false,
            directory: Directory::default(),
            token: None,
        })
    }

    /// Whether events are used between full synchronisations; on by default.
    #[must_use]
    pub fn with_incremental(mut self, incremental: bool) -> Jira {
        self.incremental = incremental;
        self
    }

    /// Whether child groups are kept; off by default, as in the product.
    #[must_use]
    pub fn with_nested_groups(mut self, nested: bool) -> Jira {
        self.nested_groups = nested;
        self
    }

    /// Changes the client's settings, as in `jira.with_client(|client| client.remembering(1000))`.
    #[must_use]
    pub fn with_client(mut self, change: impl FnOnce(Client) -> Client) -> Jira {
        self.client = change(self.client);
        self
    }

    /// The client, with its memory of exchanges.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Everything that Jira sees.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// The users that Jira sees, by name.
    pub fn users(&self) -> impl Iterator<Item = &User> {
        self.directory.users()
    }

    /// The groups that Jira sees, by name.
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.directory.groups()
    }

    /// The names of a group's direct members; `None` if Jira does not see the group.
    #[must_use]
    pub fn members_of(&self, group: &str) -> Option<BTreeSet<String>> {
        self.directory.members_of(group)
    }

    /// Whether a user may log in; `None` if Jira does not see the user.
    #[must_use]
    pub fn is_active(&self, user: &str) -> Option<bool> {
        self.directory.user(user).map(|user| user.active)
    }

    /// What Jira sees, to be compared with what others have sent.
    #[must_use]
    pub fn picture(&self) -> Picture {
        let portrait = |user: &User| Portrait {
            active: user.active,
            display_name: user.display_name.clone(),
            email: user.email.clone(),
        };
        let members = |group: &Group| self.members_of(&group.name).unwrap_or_default();
        let children = |group: &Group| self.directory.children_of(&group.name).unwrap_or_default();
        Picture {
            users: self
                .users()
                .map(|user| (user.name.clone(), portrait(user)))
                .collect(),
            groups: self
                .groups()
                .map(|group| (group.name.clone(), members(group)))
                .collect(),
            nested: self
                .groups()
                .map(|group| (group.name.clone(), children(group)))
                .filter(|(_, children)| !children.is_empty())
                .collect(),
        }
    }

    /// The button "Test Connection".
    ///
    /// # Errors
    /// As Jira would show them.
    pub async fn test_connection(&self) -> Result<(), JiraError> {
        let path = "/search?entity-type=user&start-index=0&max-results=1&expand=user";
        let answer = self.post(path, NOBODY.to_owned()).await?;
        match xml::users(&answer)?.len() {
            0 => Ok(()),
            _ => Err(JiraError::invalid(
                &answer,
                "a search for users without a name must find nobody",
            )),
        }
    }

    /// One synchronisation: by events if a token is held and incremental synchronisation is on, else full.
    ///
    /// # Errors
    /// If an answer can't be used; what Jira saw before stays, and the next synchronisation is a full one.
    pub async fn synchronize(
        &mut self,
        progress: &Progress<'_>,
    ) -> Result<Synchronization, JiraError> {
        let started = Instant::now();
        let token = self.token.take().filter(|_| self.incremental);
        let asked = token.is_some();
        let incremental = match token {
            Some(token) => self.synchronize_events(&token).await?,
            None => None,
        };
        let done = match incremental {
            Some(done) => done,
            None => Synchronization {
                fell_back: asked,
                ..self.synchronize_all(progress).await?
            },
        };
        Ok(Synchronization {
            duration: started.elapsed(),
            ..done
        })
    }

    /// A full synchronisation, as after a restart of Jira.
    ///
    /// # Errors
    /// As for [`Jira::synchronize`].
    pub async fn synchronize_fully(
        &mut self,
        progress: &Progress<'_>,
    ) -> Result<Synchronization, JiraError> {
        self.token = None;
        self.synchronize(progress).await
    }

    /// The five calls of a full run: token, users, groups, memberships, token.
    async fn synchronize_all(
        &mut self,
        progress: &Progress<'_>,
    ) -> Result<Synchronization, JiraError> {
        let steps = 5;
        let search = |entity: &str| {
            format!("/search?entity-type={entity}&start-index=0&max-results=-1&expand={entity}")
        };
        let events = self.incremental && self.current_token().await?.is_some();
        progress(1, steps, "users");
        let users = xml::users(
            &self
                .post(&search("user"), NULL_RESTRICTION.to_owned())
                .await?,
        )?;
        progress(2, steps, "groups");
        let groups = xml::groups(
            &self
                .post(&search("group"), NULL_RESTRICTION.to_owned())
                .await?,
        )?;
        progress(3, steps, "memberships");
        let memberships = xml::memberships(&self.get("/group/membership").await?)?;
        progress(4, steps, "events");
        let token = if events {
            self.current_token().await?
        } else {
            None
        };
        let mut directory = Directory::default();
        let skipped = directory.fill(users, groups, memberships, self.nested_groups);
        (self.directory, self.token) = (directory, token);
        progress(5, steps, "done");
        Ok(Synchronization {
            full: true,
            skipped,
            ..Synchronization::default()
        })
    }

    /// Applies the events since a token; `None` if a full run is needed.
    async fn synchronize_events(
        &mut self,
        token: &str,
    ) -> Result<Option<Synchronization>, JiraError> {
        let answer = self
            .ask(Method::GET, &format!("/event/{}", encoded(token)), None)
            .await?;
        if answer.status == 410 {
            return Ok(None);
        }
        let answer = accepted(answer, &[200])?;
        let feed = events::feed(&answer)?;
        let Some(token) = feed.token else {
            return Ok(None);
        };
        let count = feed.events.len();
        for event in feed.events {
            self.directory
                .apply(event, self.nested_groups)
                .map_err(|why| JiraError::invalid(&answer, why))?;
        }
        self.token = Some(token);
        Ok(Some(Synchronization {
            events: count,
            ..Synchronization::default()
        }))
    }

    /// The newest token; `None` if the server has no events, which switches incremental runs off cleanly.
    async fn current_token(&self) -> Result<Option<String>, JiraError> {
        let answer = self.ask(Method::GET, "/event", None).await?;
        if answer.status == 404 {
            return Ok(None);
        }
        Ok(events::feed(&accepted(answer, &[200])?)?.token)
    }

    async fn get(&self, path: &str) -> Result<Answer, JiraError> {
        accepted(self.ask(Method::GET, path, None).await?, &[200])
    }

    async fn post(&self, path: &str, body: String) -> Result<Answer, JiraError> {
        accepted(self.ask(Method::POST, path, Some(body)).await?, &[200])
    }

    /// Sends a request. Whatever the status, the header that marks a Crowd server is looked for first.
    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<String>,
    ) -> Result<Answer, JiraError> {
        let mut headers = vec![("accept", "application/xml")];
        if body.is_some() {
            headers.push(("content-type", "application/xml; charset=UTF-8"));
        }
        known(self.client.send(method, path, &headers, body).await)
    }
}

/// The checks that the client makes before it looks at anything else.
fn known(sent: Result<Answer, Trouble>) -> Result<Answer, JiraError> {
    let answer = sent.map_err(|trouble| JiraError::Unreachable(trouble.exchange))?;
    let exchange = || answer.trouble("").exchange;
    if answer.header("x-embedded-crowd-version").is_none() {
        return Err(JiraError::NotCrowd(exchange()));
    }
    match answer.status {
        401 => Err(JiraError::Credentials(exchange())),
        403 => Err(JiraError::Permission(exchange())),
        _ => Ok(answer),
    }
}

/// Passes an answer with one of the statuses on; reads the error entity of any other.
fn accepted(answer: Answer, statuses: &[u16]) -> Result<Answer, JiraError> {
    if statuses.contains(&answer.status) {
        return Ok(answer);
    }
    let (reason, message) = xml::error(&answer);
    Err(JiraError::Refused {
        reason,
        message,
        exchange: answer.trouble("").exchange,
    })
}

/// One `name=value` of a query, with `+` for a blank.
fn parameter(name: &str, value: &str) -> String {
    format!("{name}={}", form_encoded(value))
}
