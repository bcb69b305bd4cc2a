//! The job's requests on users, and on their managers.

use futures_util::StreamExt;

use super::wire::{Wire, look_up};
use super::{Entra, Linked, Matching, attributes};
use crate::answer::{self, Remote};
use crate::http::{Method, Trouble, encoded};
use crate::organization::{Organization, Person, PersonId};
use crate::report::Run;

impl Entra {
    /// Looks a person up; found: brings the account up to date, not found: creates it.
    pub(super) async fn link_or_create(
        &self,
        wire: &Wire,
        organization: &Organization,
        person: &Person,
        run: &Run<'_>,
    ) -> Result<Linked, Trouble> {
        let wanted = attributes::of(organization, person);
        // Somebody who came back and was renamed since: the coming back happened under the login of before.
        let known = self.users.get(&person.id).map(|known| &known.sent);
        if let Some(found) = self.find_user(wire, known.unwrap_or(&wanted)).await? {
            return self.link(wire, person, found, wanted, run).await;
        }
        let answer = wire
            .send(Method::POST, "/Users", Some(attributes::creation(&wanted)))
            .await?;
        if answer.status == 409
            && let Some(found) = self.find_user(wire, &wanted).await?
        {
            return self.link(wire, person, found, wanted, run).await;
        }
        let created = answer::resource(&answer, &[201])?;
        if !created.active() {
            return Err(answer.trouble("the new user is not active"));
        }
        run.count("users created");
        Ok(self.linked(created.id, person, wanted))
    }

    /// Sends what has changed about a known user; one that the server has lost is looked up or made again.
    pub(super) async fn update(
        &self,
        wire: &Wire,
        organization: &Organization,
        person: &Person,
        known: &Linked,
        run: &Run<'_>,
    ) -> Result<Linked, Trouble> {
        let answer = wire.get(&user_path(&known.id)).await?;
        if answer.status == 404 {
            return self.link_or_create(wire, organization, person, run).await;
        }
        let remote = answer::resource(&answer, &[200])?;
        let wanted = attributes::of(organization, person);
        self.send_differences(wire, &remote, &wanted, true).await?;
        run.count("users updated");
        Ok(self.linked(known.id.clone(), person, wanted))
    }

    /// The soft deletion: the account is disabled and keeps everything else, its groups included.
    pub(super) async fn disable(
        &self,
        wire: &Wire,
        organization: &Organization,
        person: &Person,
        known: &Linked,
        run: &Run<'_>,
    ) -> Result<Linked, Trouble> {
        let answer = wire.get(&user_path(&known.id)).await?;
        let remote = answer::resource(&answer, &[200])?;
        let wanted = attributes::of(organization, person);
        self.send_differences(wire, &remote, &wanted, false).await?;
        run.count("users disabled");
        let linked = self.linked(known.id.clone(), person, wanted);
        Ok(Linked {
            active: false,
            ..linked
        })
    }

    /// The hard deletion, thirty days after the soft one.
    pub(super) async fn delete(
        &self,
        wire: &Wire,
        known: &Linked,
        run: &Run<'_>,
    ) -> Result<(), Trouble> {
        let answer = wire
            .send(Method::DELETE, &user_path(&known.id), None)
            .await?;
        answer::deleted(&answer)?;
        run.count("users deleted");
        Ok(())
    }

    /// Managers are sent once both people are known to the server.
    pub(super) async fn cycle_managers(&mut self, organization: &Organization, run: &Run<'_>) {
        let due: Vec<(PersonId, PersonId)> = self
            .users
            .iter()
            .filter_map(|(id, linked)| {
                let manager = organization.person(*id)?.manager?;
                let due = linked.active
                    && linked.manager != Some(manager)
                    && self.users.contains_key(&manager);
                due.then_some((*id, manager))
            })
            .collect();
        run.expect(due.len());
        let me: &Entra = self;
        let sent: Vec<Option<(PersonId, PersonId)>> = futures_util::stream::iter(due)
            .map(|(person, manager)| me.send_manager(person, manager, run))
            .buffer_unordered(me.concurrency)
            .collect()
            .await;
        for (person, manager) in sent.into_iter().flatten() {
            if let Some(linked) = self.users.get_mut(&person) {
                linked.manager = Some(manager);
            }
        }
    }

    async fn send_manager(
        &self,
        person: PersonId,
        manager: PersonId,
        run: &Run<'_>,
    ) -> Option<(PersonId, PersonId)> {
        let (linked, boss) = (self.users.get(&person)?, self.users.get(&manager)?);
        let result = self.put_manager(linked, &boss.id).await;
        run.step(&linked.login);
        let changed = run.noted(|| format!("set the manager of {}", linked.login), result)?;
        run.count_many("managers set", usize::from(changed));
        Some((person, manager))
    }

    /// Asks whether the reference is right already, and sends it only if not.
    async fn put_manager(&self, linked: &Linked, boss: &str) -> Result<bool, Trouble> {
        let filter = format!("id eq \"{}\" and manager eq \"{boss}\"", linked.id);
        let path = format!(
            "/Users?attributes=id&filter={}",
            crate::http::form_encoded(&filter)
        );
        let answer = self.wire.get(&path).await?;
        if answer::page(&answer)?.total > 0 {
            return Ok(false);
        }
        let is_new = linked.manager.is_none();
        let change = attributes::Change {
            path: attributes::MANAGER,
            value: boss.to_owned(),
            is_new,
        };
        let operations = self.wire.operations(&[change], None);
        let answer = self.wire.patch(&user_path(&linked.id), operations).await?;
        answer::written(&answer)?;
        Ok(true)
    }

    async fn find_user(
        &self,
        wire: &Wire,
        wanted: &attributes::Attributes,
    ) -> Result<Option<Remote>, Trouble> {
        let attribute = match self.matching {
            Matching::UserName => "userName",
            Matching::ExternalId => "externalId",
        };
        let value = wanted
            .get(attribute)
            .map(String::as_str)
            .unwrap_or_default();
        let answer = wire.get(&look_up("/Users", attribute, value)).await?;
        let mut found = answer::page(&answer)?.resources;
        match (found.pop(), found.is_empty()) {
            (_, false) => {
                Err(answer.trouble(format!("several users have the {attribute} {value}")))
            }
            (Some(one), true)
                if one
                    .text(attribute)
                    .is_none_or(|has| has.to_lowercase() != value.to_lowercase()) =>
            {
                Err(answer.trouble("the look-up gave somebody else"))
            }
            (found, true) => Ok(found),
        }
    }

    async fn link(
        &self,
        wire: &Wire,
        person: &Person,
        found: Remote,
        wanted: attributes::Attributes,
        run: &Run<'_>,
    ) -> Result<Linked, Trouble> {
        let answer = wire.get(&user_path(&found.id)).await?;
        let remote = answer::resource(&answer, &[200])?;
        self.send_differences(wire, &remote, &wanted, true).await?;
        run.count(if remote.active() {
            "users linked"
        } else {
            "users restored"
        });
        Ok(self.linked(remote.id, person, wanted))
    }

    async fn send_differences(
        &self,
        wire: &Wire,
        remote: &Remote,
        wanted: &attributes::Attributes,
        active: bool,
    ) -> Result<(), Trouble> {
        let changes = attributes::changes(wanted, remote);
        let operations = wire.operations(&changes, (remote.active() != active).then_some(active));
        if operations.is_empty() {
            return Ok(());
        }
        let answer = wire.patch(&user_path(&remote.id), operations).await?;
        answer::written(&answer)?;
        if answer.status == 200 && answer::resource(&answer, &[200])?.active() != active {
            return Err(answer.trouble(format!("active should be {active}")));
        }
        Ok(())
    }

    fn linked(&self, id: String, person: &Person, sent: attributes::Attributes) -> Linked {
        // The manager was sent to this very resource or has to be sent again.
        let before = self.users.get(&person.id).filter(|known| known.id == id);
        Linked {
            manager: before.and_then(|known| known.manager),
            id,
            active: true,
            sent,
            seen_as: attributes::portrait(person),
            login: person.login.clone(),
        }
    }
}

fn user_path(id: &str) -> String {
    format!("/Users/{}", encoded(id))
}
