//! An emulated Microsoft Entra ID provisioning job for one application: cycles, look-ups, and its two PATCH dialects.
//!
//! The initial and the incremental cycle are one thing: whatever differs from what the job remembers is sent.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::StreamExt;

use crate::answer;
use crate::http::{Client, SetupError};
use crate::organization::{GroupId, Organization, Person, PersonId, Standing};
use crate::picture::{Picture, Portrait};
use crate::random::Random;
use crate::report::{Progress, Report, Run, quietly};

use attributes::Attributes;
use wire::Wire;

mod attributes;
mod groups;
#[cfg(test)]
mod tests;
mod users;
mod wire;

/// How long the job waits for an answer.
const READ: Duration = Duration::from_secs(100);

/// The flag in the tenant URL that asks for PATCH as the RFC has it.
pub const RFC_FLAG: &str = "aadOptscim062020";

/// How the job writes PATCH requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatchDialect {
    /// What a custom application sends by itself: capital ops, one operation per attribute, booleans as text.
    Classic,
    /// With the tenant flag `aadOptscim062020`.
    Flagged,
}

/// The attribute by which a user is looked up before it is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matching {
    /// `userName`, the default.
    UserName,
    /// `externalId`, as newer templates have it.
    ExternalId,
}

/// A user whom the job manages.
#[derive(Clone, Debug)]
struct Linked {
    id: String,
    active: bool,
    sent: Attributes,
    manager: Option<PersonId>,
    seen_as: Portrait,
    login: String,
}

/// A group that the job manages.
#[derive(Clone, Debug)]
struct LinkedGroup {
    id: String,
    name: String,
    members: BTreeSet<PersonId>,
}

/// The emulated provisioning job.
pub struct Entra {
    wire: Wire,
    matching: Matching,
    concurrency: usize,
    members_per_request: usize,
    random: Random,
    users: BTreeMap<PersonId, Linked>,
    groups: BTreeMap<GroupId, LinkedGroup>,
}

#[derive(Clone, Copy)]
enum UserTask {
    LinkOrCreate,
    Update,
    Disable,
    Delete,
}

/// What a task on a user leads to in the job's memory.
type Outcome = (PersonId, Option<Linked>);

impl Entra {
    /// A job that knows the tenant URL (without the flag, which the dialect adds) and the secret token of a connector.
    ///
    /// # Errors
    /// If the address or the token can't be used.
    pub fn new(tenant_url: &str, token: &str, dialect: PatchDialect) -> Result<Entra, SetupError> {
        let headers = [
            (
                "accept",
                "application/scim+json, application/json".to_owned(),
            ),
            ("adscimversion", "2.0".to_owned()),
            ("authorization", format!("Bearer {token}")),
        ];
        let address = match dialect {
            PatchDialect::Classic => tenant_url.to_owned(),
            PatchDialect::Flagged => format!("{}/?{RFC_FLAG}", tenant_url.trim_end_matches('/')),
        };
        Ok(Entra {
            wire: Wire {
                client: Client::new(&address, &headers, READ)?,
                dialect,
            },
            matching: Matching::UserName,
            concurrency: 8,
            members_per_request: 1,
            random: Random::new(0xE47A),
            users: BTreeMap::new(),
            groups: BTreeMap::new(),
        })
    }

    /// Looks users up by another attribute.
    #[must_use]
    pub fn with_matching(mut self, matching: Matching) -> Entra {
        self.matching = matching;
        self
    }

    /// How many requests go at the same time.
    #[must_use]
    pub fn with_concurrency(mut self, concurrency: usize) -> Entra {
        self.concurrency = concurrency.max(1);
        self
    }

    /// How many members one PATCH adds or removes; one unless the job is set otherwise.
    #[must_use]
    pub fn with_members_per_request(mut self, members: usize) -> Entra {
        self.members_per_request = members.max(1);
        self
    }

    /// Changes the client's settings, as in `entra.with_client(|client| client.remembering(1000))`.
    #[must_use]
    pub fn with_client(mut self, change: impl FnOnce(Client) -> Client) -> Entra {
        self.wire.client = change(self.wire.client);
        self
    }

    /// The client, with its memory of exchanges.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.wire.client
    }

    /// The id under which the server knows a person, if the job manages it.
    #[must_use]
    pub fn remote_user(&self, person: PersonId) -> Option<&str> {
        self.users.get(&person).map(|linked| linked.id.as_str())
    }

    /// The id under which the server knows a group, if the job manages it.
    #[must_use]
    pub fn remote_group(&self, group: GroupId) -> Option<&str> {
        self.groups.get(&group).map(|linked| linked.id.as_str())
    }

    /// What the server must hold if it took everything that it acknowledged.
    #[must_use]
    pub fn picture(&self) -> Picture {
        let login = |id: &PersonId| self.users.get(id).map(|linked| linked.login.clone());
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

    /// The button "Test Connection": a look-up of a user who does not exist.
    pub async fn test_connection(&mut self) -> Report {
        let run = Run::begin(&quietly);
        self.look_up_nobody(&run).await;
        run.end()
    }

    /// One provisioning cycle: the first is the initial one, later ones send only differences.
    pub async fn cycle(&mut self, organization: &Organization, progress: &Progress<'_>) -> Report {
        let run = Run::begin(progress);
        self.look_up_nobody(&run).await;
        self.cycle_users(organization, &run).await;
        self.cycle_managers(organization, &run).await;
        self.cycle_groups(organization, &run).await;
        run.end()
    }

    /// "Provision on demand" for one person: at once, and never in the flagged dialect.
    pub async fn provision_on_demand(
        &mut self,
        organization: &Organization,
        person: PersonId,
    ) -> Report {
        let run = Run::begin(&quietly);
        if let Some(person) = organization.person(person)
            && let Some(task) = self.task_for(organization, person)
        {
            let outcome = self
                .perform(&self.wire.on_demand(), task, organization, person, &run)
                .await;
            self.remember(outcome);
        }
        run.end()
    }

    /// Looks up a user and a group whom nobody has: the sign of life at the start of all activity.
    async fn look_up_nobody(&mut self, run: &Run<'_>) {
        let nobody = self.random.uuid();
        let paths = [
            wire::look_up("/Users", "userName", &nobody),
            wire::look_up("/Groups?excludedAttributes=members", "displayName", &nobody),
        ];
        for path in paths {
            let found =
                self.wire
                    .get(&path)
                    .await
                    .and_then(|answer| match answer::page(&answer)?.total {
                        0 => Ok(()),
                        _ => Err(answer.trouble("a look-up of a random name must find nobody")),
                    });
            if run
                .noted(|| "test the connection".to_owned(), found)
                .is_some()
            {
                run.count("test calls answered");
            }
        }
    }

    async fn cycle_users(&mut self, organization: &Organization, run: &Run<'_>) {
        let tasks: Vec<(UserTask, &Person)> = organization
            .people()
            .iter()
            .filter_map(|person| Some((self.task_for(organization, person)?, person)))
            .collect();
        run.expect(tasks.len());
        let me: &Entra = self;
        let outcomes: Vec<Outcome> = futures_util::stream::iter(tasks)
            .map(|(task, person)| me.perform(&me.wire, task, organization, person, run))
            .buffer_unordered(me.concurrency)
            .collect()
            .await;
        for outcome in outcomes {
            self.remember(outcome);
        }
    }

    fn task_for(&self, organization: &Organization, person: &Person) -> Option<UserTask> {
        match (self.users.get(&person.id), person.standing) {
            (None, Standing::Here) => Some(UserTask::LinkOrCreate),
            // Those who were disabled before they were provisioned are never created.
            (None, _) => None,
            (Some(_), Standing::Gone) => Some(UserTask::Delete),
            (Some(known), Standing::Left) => known.active.then_some(UserTask::Disable),
            (Some(known), Standing::Here) if !known.active => Some(UserTask::LinkOrCreate),
            (Some(known), Standing::Here) => {
                (known.sent != attributes::of(organization, person)).then_some(UserTask::Update)
            }
        }
    }

    async fn perform(
        &self,
        wire: &Wire,
        task: UserTask,
        organization: &Organization,
        person: &Person,
        run: &Run<'_>,
    ) -> Outcome {
        let known = self.users.get(&person.id);
        let (verb, result) = match (task, known) {
            (UserTask::Update, Some(known)) => (
                "update",
                self.update(wire, organization, person, known, run)
                    .await
                    .map(Some),
            ),
            (UserTask::Disable, Some(known)) => (
                "disable",
                self.disable(wire, organization, person, known, run)
                    .await
                    .map(Some),
            ),
            (UserTask::Delete, Some(known)) => {
                ("delete", self.delete(wire, known, run).await.map(|()| None))
            }
            _ => (
                "create",
                self.link_or_create(wire, organization, person, run)
                    .await
                    .map(Some),
            ),
        };
        run.step(&person.name.display);
        match result {
            Ok(linked) => (person.id, linked),
            Err(trouble) => {
                // An id that the server does not know any more is looked up again the next time.
                let kept = known.filter(|_| trouble.status() != 404).cloned();
                run.fail(format!("{verb} {}", person.login), trouble);
                (person.id, kept)
            }
        }
    }

    /// A user with another id, or none, is a stranger to the groups: its memberships have to be sent again.
    fn remember(&mut self, (person, linked): Outcome) {
        let before = self.users.get(&person).map(|known| known.id.clone());
        if before.is_some() && before.as_ref() != linked.as_ref().map(|linked| &linked.id) {
            for group in self.groups.values_mut() {
                group.members.remove(&person);
            }
        }
        match linked {
            Some(linked) => self.users.insert(person, linked),
            None => self.users.remove(&person),
        };
    }
}
