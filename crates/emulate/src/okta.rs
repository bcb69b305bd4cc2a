//! An emulated Okta org with one SCIM app: what it sends, when, and what it remembers.
//!
//! It works level-based: it compares the organization with what it remembers to have sent, and makes the calls that
//! Okta makes for each difference.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::StreamExt;

pub use import::{Import, ImportedGroup, ImportedUser};

use crate::answer::Object;
use crate::http::{Answer, Client, Method, Patience, SetupError, Trouble};
use crate::organization::{GroupId, Organization, Person, PersonId};
use crate::picture::{Picture, Portrait};
use crate::report::{Progress, Report, Run};

mod groups;
mod import;
mod profile;
#[cfg(test)]
mod tests;
mod users;

/// Okta gives up on an answer after a minute.
const READ: Duration = Duration::from_secs(60);

/// 429 is obeyed up to ten times; without a usable `Retry-After` Okta waits five minutes. Other errors are final.
const PATIENCE: Patience = Patience {
    attempts: 10,
    server_errors: false,
    seconds: 300,
};

/// How the app was made, which decides between PATCH and PUT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppKind {
    /// A template or catalogue app: PATCH for `active` and for groups.
    Template,
    /// Made with the App Integration Wizard: PUT for everything.
    Wizard,
}

/// A user whom Okta has provisioned and remembers.
#[derive(Clone, Debug)]
struct Assigned {
    id: String,
    active: bool,
    sent: Object,
    seen_as: Portrait,
    login: String,
}

/// A group that Okta pushes.
#[derive(Clone, Debug)]
struct Pushed {
    id: String,
    name: String,
    members: BTreeSet<PersonId>,
}

/// The emulated Okta.
pub struct Okta {
    client: Client,
    kind: AppKind,
    concurrency: usize,
    users: BTreeMap<PersonId, Assigned>,
    groups: BTreeMap<GroupId, Pushed>,
    /// Those whose last request got no answer: the server may have carried it out or not.
    doubtful_users: BTreeSet<PersonId>,
    doubtful_groups: BTreeSet<GroupId>,
}

/// What a task on a user leads to in Okta's memory.
struct Outcome {
    person: PersonId,
    assigned: Option<Assigned>,
    in_doubt: bool,
}

#[derive(Clone, Copy)]
enum UserTask {
    Assign,
    Update,
    Reactivate,
    Deactivate,
}

impl Okta {
    /// An Okta app that knows the base URL and the bearer token of a connector.
    ///
    /// # Errors
    /// If the address or the token can't be used.
    pub fn new(base_url: &str, token: &str, kind: AppKind) -> Result<Okta, SetupError> {
        let headers = [
            ("accept", "application/scim+json".to_owned()),
            ("accept-charset", "utf-8".to_owned()),
            ("accept-encoding", "gzip,deflate".to_owned()),
            ("user-agent", "Okta SCIM Client 1.0.0".to_owned()),
            ("authorization", format!("Bearer {token}")),
        ];
        let client = Client::new(base_url, &headers, READ)?;
        Ok(Okta {
            client,
            kind,
            concurrency: 1,
            users: BTreeMap::new(),
            groups: BTreeMap::new(),
            doubtful_users: BTreeSet::new(),
            doubtful_groups: BTreeSet::new(),
        })
    }

    /// How many users are provisioned at the same time; groups always go one after the other.
    #[must_use]
    pub fn with_concurrency(mut self, concurrency: usize) -> Okta {
        self.concurrency = concurrency.max(1);
        self
    }

    /// Changes the client's settings, as in `okta.with_client(|client| client.remembering(1000))`.
    #[must_use]
    pub fn with_client(mut self, change: impl FnOnce(Client) -> Client) -> Okta {
        self.client = change(self.client);
        self
    }

    /// The client, with its memory of exchanges.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The id under which the server knows a person, if Okta has provisioned it.
    #[must_use]
    pub fn remote_user(&self, person: PersonId) -> Option<&str> {
        self.users.get(&person).map(|assigned| assigned.id.as_str())
    }

    /// The id under which the server knows a group, if Okta pushes it.
    #[must_use]
    pub fn remote_group(&self, group: GroupId) -> Option<&str> {
        self.groups.get(&group).map(|pushed| pushed.id.as_str())
    }

    /// What the server must hold if it took everything that it acknowledged.
    #[must_use]
    pub fn picture(&self) -> Picture {
        let login = |id: &PersonId| self.users.get(id).map(|assigned| assigned.login.clone());
        let users = self.users.values().map(|each| {
            (
                each.login.clone(),
                Portrait {
                    active: each.active,
                    ..each.seen_as.clone()
                },
            )
        });
        let groups = self.groups.values().map(|each| {
            (
                each.name.clone(),
                each.members.iter().filter_map(login).collect(),
            )
        });
        Picture {
            users: users.collect(),
            groups: groups.collect(),
            nested: BTreeMap::new(),
        }
    }

    /// The button "Test API Credentials".
    pub async fn test_credentials(&self) -> Report {
        let run = Run::begin(&crate::report::quietly);
        for path in [
            "/Users?startIndex=1&count=2",
            "/Groups?startIndex=1&count=100",
        ] {
            let answer = self
                .get(path)
                .await
                .and_then(|answer| crate::answer::page(&answer));
            if run
                .noted(|| "test the API credentials".to_owned(), answer)
                .is_some()
            {
                run.count("test calls answered");
            }
        }
        run.end()
    }

    /// Sends everything in which the organization differs from what was sent before: users first, then groups.
    pub async fn synchronize(
        &mut self,
        organization: &Organization,
        progress: &Progress<'_>,
    ) -> Report {
        let run = Run::begin(progress);
        self.synchronize_users(organization, &run).await;
        self.synchronize_groups(organization, &run).await;
        run.end()
    }

    /// Does what is to be done about one person, as when an administrator assigns or unassigns it.
    pub async fn synchronize_person(
        &mut self,
        organization: &Organization,
        person: PersonId,
    ) -> Report {
        let run = Run::begin(&crate::report::quietly);
        if let Some(person) = organization.person(person)
            && let Some(task) = self.task_for(organization, person)
        {
            let outcome = self.perform(task, organization, person, &run).await;
            self.remember(outcome);
        }
        run.end()
    }

    async fn synchronize_users(&mut self, organization: &Organization, run: &Run<'_>) {
        let tasks: Vec<(UserTask, &Person)> = organization
            .people()
            .iter()
            .filter_map(|person| Some((self.task_for(organization, person)?, person)))
            .collect();
        run.expect(tasks.len());
        let me: &Okta = self;
        let outcomes: Vec<Outcome> = futures_util::stream::iter(tasks)
            .map(|(task, person)| me.perform(task, organization, person, run))
            .buffer_unordered(me.concurrency)
            .collect()
            .await;
        for outcome in outcomes {
            self.remember(outcome);
        }
    }

    fn task_for(&self, organization: &Organization, person: &Person) -> Option<UserTask> {
        match (self.users.get(&person.id), person.is_here()) {
            (None, true) => Some(UserTask::Assign),
            (None, false) => None,
            (Some(known), true) if !known.active => Some(UserTask::Reactivate),
            (Some(known), true) => {
                (known.sent != profile::of(organization, person)).then_some(UserTask::Update)
            }
            (Some(known), false) => known.active.then_some(UserTask::Deactivate),
        }
    }

    async fn perform(
        &self,
        task: UserTask,
        organization: &Organization,
        person: &Person,
        run: &Run<'_>,
    ) -> Outcome {
        let known = self.users.get(&person.id);
        let (verb, result) = match (task, known) {
            (UserTask::Update, Some(known)) => (
                "update",
                self.update(organization, person, known, run).await,
            ),
            (UserTask::Deactivate, Some(known)) => (
                "deactivate",
                self.deactivate(organization, person, known, run).await,
            ),
            (UserTask::Reactivate, _) => {
                ("reactivate", self.assign(organization, person, run).await)
            }
            _ => ("assign", self.assign(organization, person, run).await),
        };
        run.step(&person.name.display);
        match result {
            Ok(assigned) => Outcome {
                person: person.id,
                assigned: Some(assigned),
                in_doubt: false,
            },
            Err(trouble) => {
                // An id that the server does not know any more is looked up again the next time.
                let assigned = known.filter(|_| trouble.status() != 404).cloned();
                let in_doubt = trouble.status() == 0;
                run.fail(format!("{verb} {}", person.login), trouble);
                Outcome {
                    person: person.id,
                    assigned,
                    in_doubt,
                }
            }
        }
    }

    /// A user with another id, or none, is a stranger to the groups: its memberships have to be sent again.
    fn remember(&mut self, outcome: Outcome) {
        let Outcome {
            person,
            assigned,
            in_doubt,
        } = outcome;
        let before = self.users.get(&person).map(|known| known.id.clone());
        if before.is_some() && before.as_ref() != assigned.as_ref().map(|assigned| &assigned.id) {
            for group in self.groups.values_mut() {
                group.members.remove(&person);
            }
        }
        match assigned {
            Some(assigned) => self.users.insert(person, assigned),
            None => self.users.remove(&person),
        };
        match in_doubt {
            true => self.doubtful_users.insert(person),
            false => self.doubtful_users.remove(&person),
        };
    }

    async fn get(&self, path: &str) -> Result<Answer, Trouble> {
        self.client
            .send_patiently(Method::GET, path, &[], None, PATIENCE)
            .await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<serde_json::Value>,
    ) -> Result<Answer, Trouble> {
        let headers = [("content-type", "application/scim+json; charset=utf-8")];
        let body = body.map(|body| body.to_string());
        self.client
            .send_patiently(method, path, &headers, body, PATIENCE)
            .await
    }
}
