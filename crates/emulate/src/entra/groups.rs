//! The job's requests on groups: never with members when it looks or creates, and members by single differences.

use std::collections::BTreeSet;

use futures_util::StreamExt;

use super::wire::{Wire, look_up};
use super::{Entra, LinkedGroup, attributes};
use crate::answer::{self, Remote};
use crate::http::{Method, Trouble, encoded};
use crate::organization::{Group, GroupId, Organization, PersonId};
use crate::report::{Report, Run, quietly};

/// "Provision on demand" takes at most so many members of a group.
const ON_DEMAND_MEMBERS: usize = 5;

/// Members to be added to or removed from one group in one request.
struct Batch {
    group: GroupId,
    adding: bool,
    people: Vec<PersonId>,
}

impl Entra {
    /// "Provision on demand" for a group and a few of its members.
    pub async fn provision_group_on_demand(
        &mut self,
        organization: &Organization,
        id: GroupId,
    ) -> Report {
        let run = Run::begin(&quietly);
        if let Some(group) = organization.group(id).filter(|group| !group.deleted) {
            let wire = self.wire.on_demand();
            self.bring_group(&wire, group, &run).await;
            let mut batches = self.batches(group);
            batches
                .iter_mut()
                .for_each(|batch| batch.people.truncate(ON_DEMAND_MEMBERS));
            batches.truncate(ON_DEMAND_MEMBERS.div_ceil(self.members_per_request));
            for batch in batches {
                let done = self.send_batch(&wire, batch, &run).await;
                self.remember_batch(done);
            }
        }
        run.end()
    }

    pub(super) async fn cycle_groups(&mut self, organization: &Organization, run: &Run<'_>) {
        self.delete_groups(organization, run).await;
        let due: Vec<&Group> = organization
            .groups()
            .filter(|group| self.is_due(group))
            .collect();
        run.expect(due.len());
        let wire = self.wire.clone();
        for group in &due {
            self.bring_group(&wire, group, run).await;
            run.step(&group.name);
        }
        let batches: Vec<Batch> = due.iter().flat_map(|group| self.batches(group)).collect();
        run.expect(batches.len());
        let me: &Entra = self;
        let done: Vec<Option<Batch>> = futures_util::stream::iter(batches)
            .map(|batch| async {
                let done = me.send_batch(&me.wire, batch, run).await;
                run.step("members");
                done
            })
            .buffer_unordered(me.concurrency)
            .collect()
            .await;
        for batch in done {
            self.remember_batch(batch);
        }
    }

    fn is_due(&self, group: &Group) -> bool {
        self.groups.get(&group.id).is_none_or(|linked| {
            linked.name != group.name || self.wanted_members(group) != linked.members
        })
    }

    /// Those members whom the job manages, the disabled included: a soft deletion takes nobody out of a group.
    fn wanted_members(&self, group: &Group) -> BTreeSet<PersonId> {
        group
            .members
            .iter()
            .filter(|id| self.users.contains_key(id))
            .copied()
            .collect()
    }

    async fn delete_groups(&mut self, organization: &Organization, run: &Run<'_>) {
        let gone = |id: &GroupId| organization.group(*id).is_none_or(|group| group.deleted);
        let gone: Vec<GroupId> = self.groups.keys().copied().filter(gone).collect();
        run.expect(gone.len());
        for id in gone {
            let Some(linked) = self.groups.get(&id) else {
                continue;
            };
            let sent = self
                .wire
                .send(Method::DELETE, &group_path(&linked.id), None)
                .await;
            let result = sent.and_then(|answer| answer::deleted(&answer));
            if run
                .noted(|| format!("delete group {}", linked.name), result)
                .is_some()
            {
                run.count("groups deleted");
                self.groups.remove(&id);
            }
            run.step("deleted group");
        }
    }

    /// Makes sure that a group is there under its name; its members come later.
    async fn bring_group(&mut self, wire: &Wire, group: &Group, run: &Run<'_>) {
        let result = match self.groups.get(&group.id).cloned() {
            Some(linked) => self.check_group(wire, group, linked, run).await,
            None => self.link_or_create_group(wire, group, run).await,
        };
        if let Some(linked) = run.noted(|| format!("provision group {}", group.name), result) {
            self.groups.insert(group.id, linked);
        }
    }

    async fn check_group(
        &self,
        wire: &Wire,
        group: &Group,
        linked: LinkedGroup,
        run: &Run<'_>,
    ) -> Result<LinkedGroup, Trouble> {
        let path = group_path(&linked.id);
        let answer = wire
            .get(&format!("{path}?excludedAttributes=members"))
            .await?;
        if answer.status == 404 {
            return self.link_or_create_group(wire, group, run).await;
        }
        let remote = without_members(answer::resource(&answer, &[200])?)
            .map_err(|why| answer.trouble(why))?;
        if remote.text("displayName") == Some(group.name.as_str()) {
            return Ok(LinkedGroup {
                name: group.name.clone(),
                ..linked
            });
        }
        let answer = wire
            .patch(&path, vec![wire.rename_operation(&group.name)])
            .await?;
        answer::written(&answer)?;
        run.count("groups renamed");
        Ok(LinkedGroup {
            name: group.name.clone(),
            ..linked
        })
    }

    async fn link_or_create_group(
        &self,
        wire: &Wire,
        group: &Group,
        run: &Run<'_>,
    ) -> Result<LinkedGroup, Trouble> {
        let linked = |remote: Remote| LinkedGroup {
            id: remote.id,
            name: group.name.clone(),
            members: BTreeSet::new(),
        };
        if let Some(found) = find_group(wire, &group.name).await? {
            run.count("groups linked");
            return Ok(linked(found));
        }
        let answer = wire
            .send(Method::POST, "/Groups", Some(attributes::group(group)))
            .await?;
        if answer.status == 409
            && let Some(found) = find_group(wire, &group.name).await?
        {
            run.count("groups linked");
            return Ok(linked(found));
        }
        let created = answer::resource(&answer, &[201])?;
        run.count("groups created");
        Ok(linked(created))
    }

    /// The requests that make a group's members right. One who is in already rides along with the new ones, as the
    /// real job sends members again now and then.
    fn batches(&self, group: &Group) -> Vec<Batch> {
        let Some(linked) = self.groups.get(&group.id) else {
            return Vec::new();
        };
        let wanted = self.wanted_members(group);
        let leaving: Vec<PersonId> = linked.members.difference(&wanted).copied().collect();
        let mut coming: Vec<PersonId> = wanted.difference(&linked.members).copied().collect();
        if !coming.is_empty() {
            coming.extend(wanted.intersection(&linked.members).next());
        }
        let batches = |adding: bool, people: &[PersonId]| -> Vec<Batch> {
            let chunks = people.chunks(self.members_per_request);
            chunks
                .map(|people| Batch {
                    group: group.id,
                    adding,
                    people: people.to_vec(),
                })
                .collect()
        };
        let mut all = batches(false, &leaving);
        all.extend(batches(true, &coming));
        all
    }

    /// Sends one batch and gives it back if the server took it.
    async fn send_batch(&self, wire: &Wire, batch: Batch, run: &Run<'_>) -> Option<Batch> {
        let linked = self.groups.get(&batch.group)?;
        let known = batch
            .people
            .iter()
            .filter_map(|person| self.users.get(person));
        let ids: Vec<&str> = known.map(|user| user.id.as_str()).collect();
        let sent = wire
            .patch(
                &group_path(&linked.id),
                wire.member_operations(batch.adding, &ids),
            )
            .await;
        let result = sent.and_then(|answer| answer::written(&answer));
        run.noted(
            || format!("change members of group {}", linked.name),
            result,
        )?;
        run.count_many(
            if batch.adding {
                "members added"
            } else {
                "members removed"
            },
            ids.len(),
        );
        Some(batch)
    }

    fn remember_batch(&mut self, done: Option<Batch>) {
        let Some(Batch {
            group,
            adding,
            people,
        }) = done
        else {
            return;
        };
        let Some(linked) = self.groups.get_mut(&group) else {
            return;
        };
        if adding {
            linked.members.extend(people);
        } else {
            linked.members.retain(|member| !people.contains(member));
        }
    }
}

async fn find_group(wire: &Wire, name: &str) -> Result<Option<Remote>, Trouble> {
    let answer = wire
        .get(&look_up(
            "/Groups?excludedAttributes=members",
            "displayName",
            name,
        ))
        .await?;
    let mut found = answer::page(&answer)?.resources;
    match (found.pop(), found.is_empty()) {
        (_, false) => Err(answer.trouble("several groups have this name")),
        (Some(one), true)
            if one
                .text("displayName")
                .is_none_or(|has| has.to_lowercase() != name.to_lowercase()) =>
        {
            Err(answer.trouble("the look-up gave another group"))
        }
        (found, true) => {
            let found = found.map(without_members).transpose();
            found.map_err(|why| answer.trouble(why))
        }
    }
}

fn without_members(remote: Remote) -> Result<Remote, String> {
    if remote.body.contains_key("members") {
        Err("members were excluded and came all the same".to_owned())
    } else {
        Ok(remote)
    }
}

fn group_path(id: &str) -> String {
    format!("/Groups/{}", encoded(id))
}
