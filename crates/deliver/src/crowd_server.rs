//! Another Crowd server, or a Jira that acts as one, read as a whole to be copied.

use std::collections::HashSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use directory::census::{Census, CopiedGroup, CopiedUser, PEOPLE_MAX};
use http::{HeaderValue, header};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use provision::{CrowdAddress, CrowdReader, ReadCrowd, Told};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::client::{CallError, Client, Request};

/// People or groups asked for at once.
const PAGE: usize = 500;
/// Bytes of the answer with one page.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Where the API lies below a server's own address.
const API: &str = "/rest/usermanagement/1";

/// Why another server could not be read. No text of it has credentials.
#[derive(Debug, thiserror::Error)]
pub enum CrowdServerError {
    /// No answer came.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The credentials have a character that no header can carry.
    #[error("the application's name or password has a character that cannot be sent")]
    Credentials,
    /// It answered with something else than what was asked for.
    #[error("{what} at {url}: {why}")]
    Answer {
        /// What was asked for.
        what: &'static str,
        /// Where.
        url: String,
        /// What was wrong and what to do.
        why: String,
    },
}

/// A Crowd server and the application as which it is read.
pub struct CrowdServer {
    client: Client,
    base: String,
    authorization: HeaderValue,
}

/// How far the reading is: what is being read, and how much of it was found.
pub type Progress<'a> = &'a mut (dyn FnMut(&'static str, usize) + Send);

impl CrowdServer {
    /// A server by the address people use for it, e.g. `https://crowd.example.com/crowd` or
    /// `https://jira.example.com`.
    pub fn new(
        client: Client,
        url: &str,
        application: &str,
        password: &str,
    ) -> Result<Self, CrowdServerError> {
        let base = url.trim_end_matches('/');
        let base = base
            .find("/rest/usermanagement")
            .map_or(base, |end| &base[..end]);
        let secret = STANDARD.encode(format!("{application}:{password}"));
        let mut authorization = HeaderValue::from_str(&format!("Basic {secret}"))
            .map_err(|_not_a_header| CrowdServerError::Credentials)?;
        authorization.set_sensitive(true);
        Ok(Self {
            client,
            base: format!("{base}{API}"),
            authorization,
        })
    }

    /// Everybody and everything that the application sees; groups and memberships only if they are wanted.
    pub async fn census(
        &self,
        with_groups: bool,
        progress: Progress<'_>,
    ) -> Result<Census, CrowdServerError> {
        let found: Vec<CrowdUser> = self
            .all("search", "entity-type=user", "user,attributes", progress)
            .await?;
        let users = found.into_iter().map(CopiedUser::from).collect();
        if !with_groups {
            return Ok(Census {
                users,
                groups: Vec::new(),
            });
        }
        let found: Vec<CrowdGroup> = self
            .all("search", "entity-type=group", "group", progress)
            .await?;
        let mut groups = Vec::with_capacity(found.len());
        for group in found {
            let name = utf8_percent_encode(&group.name, NON_ALPHANUMERIC).to_string();
            let of = format!("groupname={name}");
            let users: Vec<Named> = self
                .all("group/user/direct", &of, "", &mut |_, _| {})
                .await?;
            let children: Vec<NamedGroup> = self
                .all("group/child-group/direct", &of, "", &mut |_, _| {})
                .await?;
            groups.push(CopiedGroup {
                name: group.name,
                description: group.description.unwrap_or_default(),
                users: users.into_iter().map(|user| user.name).collect(),
                groups: children.into_iter().map(|group| group.name).collect(),
            });
            progress("members of groups", groups.len());
        }
        Ok(Census { users, groups })
    }

    /// A list to its end, page by page: until a page brings nothing new, as servers may give less than was asked
    /// for, or everything.
    async fn all<T: Item>(
        &self,
        path: &str,
        query: &str,
        expand: &str,
        progress: Progress<'_>,
    ) -> Result<Vec<T>, CrowdServerError> {
        let mut found: Vec<T> = Vec::new();
        let mut seen: HashSet<String> = HashSet::new();
        let mut start = 0;
        loop {
            let url = format!(
                "{}/{path}?{query}&start-index={start}&max-results={PAGE}&expand={expand}",
                self.base
            );
            let page: T::List = self.get(T::WHAT, &url).await?;
            let page = T::items(page);
            start += page.len();
            let before = found.len();
            for item in page {
                if seen.insert(item.name().to_owned()) {
                    found.push(item);
                }
            }
            progress(T::WHAT, found.len());
            if found.len() == before {
                return Ok(found);
            }
            if found.len() > PEOPLE_MAX {
                return Err(CrowdServerError::Answer {
                    what: T::WHAT,
                    url: self.base.clone(),
                    why: format!("there are more than {PEOPLE_MAX}, which is too many"),
                });
            }
        }
    }

    async fn get<T: DeserializeOwned>(
        &self,
        what: &'static str,
        url: &str,
    ) -> Result<T, CrowdServerError> {
        let request = Request::get(url)
            .header(header::AUTHORIZATION, self.authorization.clone())
            .header(header::ACCEPT, HeaderValue::from_static("application/json"))
            .answered_within(ANSWER_BYTES_MAX);
        let answer = self.client.send(request).await?;
        let wrong = |why: String| CrowdServerError::Answer {
            what,
            url: self.base.clone(),
            why,
        };
        match answer.status {
            200 => serde_json::from_slice(&answer.body)
                .map_err(|error| wrong(format!("the answer is not what a Crowd server sends: {error}"))),
            401 => Err(wrong(
                "the server does not know the application or its password; check both there".into(),
            )),
            403 => Err(wrong(
                "the server does not let the application in from here; add the address of this machine to the application there".into(),
            )),
            404 => Err(wrong(
                "there is no Crowd REST API; give the address as people use it, for example https://crowd.example.com/crowd or https://jira.example.com".into(),
            )),
            status => Err(wrong(format!("the server answered {status}"))),
        }
    }
}

/// Reads Crowd servers that administrators name, with a [`Client`].
pub struct CrowdClient {
    client: Client,
}

impl CrowdClient {
    /// One that goes where the client goes.
    pub fn new(client: Client) -> Self {
        Self { client }
    }
}

impl CrowdReader for CrowdClient {
    fn read<'r>(
        &'r self,
        server: &'r CrowdAddress,
        with_groups: bool,
        told: Told<'r>,
    ) -> ReadCrowd<'r> {
        Box::pin(async move {
            let found = CrowdServer::new(
                self.client.clone(),
                &server.url,
                &server.application,
                &server.password,
            );
            let found = found.map_err(|error| error.to_string())?;
            let mut progress = |what: &'static str, count: usize| told(what, count);
            let census = found.census(with_groups, &mut progress).await;
            census.map_err(|error| error.to_string())
        })
    }
}

/// Something that lists are made of.
trait Item: Sized {
    /// The list as it is sent.
    type List: DeserializeOwned;
    /// What it is called.
    const WHAT: &'static str;
    fn items(list: Self::List) -> Vec<Self>;
    fn name(&self) -> &str;
}

#[derive(Deserialize)]
struct Users<T> {
    users: Vec<T>,
}

#[derive(Deserialize)]
struct Groups<T> {
    groups: Vec<T>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct NamedGroup {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct CrowdUser {
    name: String,
    first_name: Option<String>,
    last_name: Option<String>,
    display_name: Option<String>,
    email: Option<String>,
    active: bool,
    #[serde(default)]
    attributes: AttributeList,
}

#[derive(Deserialize, Default)]
struct AttributeList {
    #[serde(default)]
    attributes: Vec<CrowdAttribute>,
}

#[derive(Deserialize)]
struct CrowdAttribute {
    name: String,
    #[serde(default)]
    values: Vec<String>,
}

#[derive(Deserialize)]
struct CrowdGroup {
    name: String,
    description: Option<String>,
}

impl Item for CrowdUser {
    type List = Users<CrowdUser>;
    const WHAT: &'static str = "users";
    fn items(list: Self::List) -> Vec<Self> {
        list.users
    }
    fn name(&self) -> &str {
        &self.name
    }
}

impl Item for CrowdGroup {
    type List = Groups<CrowdGroup>;
    const WHAT: &'static str = "groups";
    fn items(list: Self::List) -> Vec<Self> {
        list.groups
    }
    fn name(&self) -> &str {
        &self.name
    }
}

impl Item for Named {
    type List = Users<Named>;
    const WHAT: &'static str = "members of a group";
    fn items(list: Self::List) -> Vec<Self> {
        list.users
    }
    fn name(&self) -> &str {
        &self.name
    }
}

impl Item for NamedGroup {
    type List = Groups<NamedGroup>;
    const WHAT: &'static str = "groups in a group";
    fn items(list: Self::List) -> Vec<Self> {
        list.groups
    }
    fn name(&self) -> &str {
        &self.name
    }
}

impl From<CrowdUser> for CopiedUser {
    fn from(user: CrowdUser) -> Self {
        let attributes = user.attributes.attributes.into_iter();
        Self {
            first_name: user.first_name.unwrap_or_default(),
            last_name: user.last_name.unwrap_or_default(),
            display_name: user.display_name.unwrap_or_default(),
            email: user.email.unwrap_or_default(),
            active: user.active,
            attributes: attributes
                .filter(|attribute| !attribute.values.is_empty())
                .map(|attribute| (attribute.name, attribute.values))
                .collect(),
            ..CopiedUser::new(user.name)
        }
    }
}
