//! Okta's Group Push: creation, membership differences, full pushes, renames and deletion.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{AppKind, Okta, Pushed, profile};
use crate::answer::{self, Remote};
use crate::http::{Method, Trouble, encoded};
use crate::organization::{Group, GroupId, Organization, PersonId};
use crate::report::{Report, Run, quietly};

/// A membership difference: what leaves and what comes.
struct Difference {
    leaving: Vec<PersonId>,
    coming: Vec<PersonId>,
}

impl Okta {
    pub(super) async fn synchronize_groups(&mut self, organization: &Organization, run: &Run<'_>) {
        let gone: Vec<GroupId> = self
            .groups
            .keys()
            .copied()
            .filter(|id| organization.group(*id).is_none_or(|group| group.deleted))
            .collect();
        let due: Vec<&Group> = organization
            .groups()
            .filter(|group| self.is_due(group))
            .collect();
        run.expect(gone.len() + due.len());
        for id in gone {
            self.delete_group(id, run).await;
            run.step("deleted group");
        }
        for group in due {
            self.push(group, run).await;
            run.step(&group.name);
        }
    }

    /// "Push now": the whole group as it is, whatever was sent before.
    pub async fn push_now(&mut self, organization: &Organization, id: GroupId) -> Report {
        let run = Run::begin(&quietly);
        if let Some(group) = organization.group(id).filter(|group| !group.deleted) {
            self.push(group, &run).await;
            if let Some(pushed) = self.groups.get(&id).cloned() {
                let result = self.replace_members(&pushed, self.pushable(group)).await;
                if let Some(pushed) = run.noted(|| format!("push group {}", group.name), result) {
                    self.groups.insert(id, pushed);
                    run.count("groups pushed");
                }
            }
        }
        run.end()
    }

    /// Links a group to one that exists already in the app under `remote`: its members stay, ours are added.
    pub async fn link_group(
        &mut self,
        organization: &Organization,
        id: GroupId,
        remote: &str,
    ) -> Report {
        let run = Run::begin(&quietly);
        if let Some(group) = organization.group(id).filter(|group| !group.deleted) {
            let link = Pushed {
                id: remote.to_owned(),
                name: String::new(),
                members: BTreeSet::new(),
            };
            self.groups.insert(id, link);
            self.push(group, &run).await;
        }
        run.end()
    }

    /// Forgets a group; with `delete` it is deleted in the app too, else nothing at all is sent.
    pub async fn unlink_group(&mut self, id: GroupId, delete: bool) -> Report {
        let run = Run::begin(&quietly);
        if delete {
            self.delete_group(id, &run).await;
        } else {
            self.groups.remove(&id);
        }
        run.end()
    }

    fn is_due(&self, group: &Group) -> bool {
        self.groups.get(&group.id).is_none_or(|pushed| {
            let Difference { leaving, coming } = self.difference(pushed, group);
            pushed.name != group.name || !leaving.is_empty() || !coming.is_empty()
        })
    }

    /// The members that Okta would send: those assigned to the app. Others are silently left out.
    fn pushable(&self, group: &Group) -> BTreeSet<PersonId> {
        let assigned = |id: &&PersonId| self.users.get(*id).is_some_and(|user| user.active);
        group.members.iter().filter(assigned).copied().collect()
    }

    /// Nobody is removed for having lost the app alone: that shows in the user, not in the group.
    fn difference(&self, pushed: &Pushed, group: &Group) -> Difference {
        let pushable = self.pushable(group);
        Difference {
            leaving: pushed.members.difference(&group.members).copied().collect(),
            coming: pushable.difference(&pushed.members).copied().collect(),
        }
    }

    async fn push(&mut self, group: &Group, run: &Run<'_>) {
        let result = match self.groups.get(&group.id).cloned() {
            Some(pushed) => self.update_group(group, pushed, run).await,
            None => self.create_or_link(group, run).await,
        };
        self.note_doubt(group.id, &result);
        if let Some(pushed) = run.noted(|| format!("push group {}", group.name), result) {
            self.groups.insert(group.id, pushed);
        }
    }

    fn note_doubt<T>(&mut self, id: GroupId, result: &Result<T, Trouble>) {
        match result {
            Err(trouble) if trouble.status() == 0 => self.doubtful_groups.insert(id),
            _ => self.doubtful_groups.remove(&id),
        };
    }

    async fn create_or_link(&self, group: &Group, run: &Run<'_>) -> Result<Pushed, Trouble> {
        if let Some(found) = self.find_group(&group.name).await? {
            run.count("groups linked");
            let link = Pushed {
                id: found.id,
                name: group.name.clone(),
                members: BTreeSet::new(),
            };
            return self.change_members(group, link, run).await;
        }
        let members = self.pushable(group);
        let body = profile::group(None, &group.name, &self.member_objects(&members));
        let answer = self.send(Method::POST, "/Groups", Some(body)).await?;
        let created = answer::resource(&answer, &[201])?;
        if created.text("displayName").is_none() {
            return Err(answer.trouble("the new group has no displayName"));
        }
        run.count("groups created");
        run.count_many("members added", members.len());
        Ok(Pushed {
            id: created.id,
            name: group.name.clone(),
            members,
        })
    }

    /// Brings a known group up to date; one that the server has lost is looked up by name or made anew.
    async fn update_group(
        &self,
        group: &Group,
        pushed: Pushed,
        run: &Run<'_>,
    ) -> Result<Pushed, Trouble> {
        let answer = self.get(&group_path(&pushed.id)).await?;
        if answer.status == 404 {
            return self.create_or_link(group, run).await;
        }
        answer::resource(&answer, &[200])?;
        let renamed = if pushed.name == group.name {
            pushed
        } else {
            self.rename(group, pushed, run).await?
        };
        self.change_members(group, renamed, run).await
    }

    async fn rename(
        &self,
        group: &Group,
        pushed: Pushed,
        run: &Run<'_>,
    ) -> Result<Pushed, Trouble> {
        match self.kind {
            AppKind::Template => self.patch_name(&pushed.id, &group.name).await?,
            AppKind::Wizard => {
                self.put_group(&pushed.id, &group.name, &pushed.members)
                    .await?
            }
        }
        run.count("groups renamed");
        Ok(Pushed {
            name: group.name.clone(),
            ..pushed
        })
    }

    async fn change_members(
        &self,
        group: &Group,
        mut pushed: Pushed,
        run: &Run<'_>,
    ) -> Result<Pushed, Trouble> {
        let Difference { leaving, coming } = self.difference(&pushed, group);
        if leaving.is_empty() && coming.is_empty() {
            return Ok(pushed);
        }
        match self.kind {
            AppKind::Template => {
                // The name goes along with every change of members, changed or not.
                self.patch_name(&pushed.id, &pushed.name).await?;
                self.patch_members(&pushed.id, &leaving, &coming).await?;
                pushed.members.retain(|id| !leaving.contains(id));
                pushed.members.extend(&coming);
            }
            AppKind::Wizard => {
                let members = self.pushable(group);
                self.put_group(&pushed.id, &pushed.name, &members).await?;
                pushed.members = members;
            }
        }
        run.count_many("members added", coming.len());
        run.count_many("members removed", leaving.len());
        Ok(pushed)
    }

    async fn replace_members(
        &self,
        pushed: &Pushed,
        members: BTreeSet<PersonId>,
    ) -> Result<Pushed, Trouble> {
        match self.kind {
            AppKind::Template => {
                let operation = json!({ "op": "replace", "path": "members", "value": self.member_objects(&members) });
                self.patch_group(&pushed.id, &[operation]).await?;
            }
            AppKind::Wizard => self.put_group(&pushed.id, &pushed.name, &members).await?,
        }
        Ok(Pushed {
            members,
            ..pushed.clone()
        })
    }

    async fn delete_group(&mut self, id: GroupId, run: &Run<'_>) {
        let Some(pushed) = self.groups.get(&id).cloned() else {
            return;
        };
        let sent = self
            .send(Method::DELETE, &group_path(&pushed.id), None)
            .await;
        let result = sent.and_then(|answer| answer::deleted(&answer));
        self.note_doubt(id, &result);
        if run
            .noted(|| format!("delete group {}", pushed.name), result)
            .is_some()
        {
            self.groups.remove(&id);
            run.count("groups deleted");
        }
    }

    async fn find_group(&self, name: &str) -> Result<Option<Remote>, Trouble> {
        let filter = encoded(&format!("displayName eq {}", Value::from(name)));
        let answer = self
            .get(&format!("/Groups?filter={filter}&startIndex=1&count=100"))
            .await?;
        if answer.status == 404 {
            return Ok(None);
        }
        let found = answer::page(&answer)?.resources.into_iter().next();
        let same = |group: &Remote| {
            group
                .text("displayName")
                .is_some_and(|n| n.to_lowercase() == name.to_lowercase())
        };
        if found.as_ref().is_some_and(|group| !same(group)) {
            return Err(answer.trouble("the look-up gave another group"));
        }
        Ok(found)
    }

    async fn patch_name(&self, id: &str, name: &str) -> Result<(), Trouble> {
        self.patch_group(
            id,
            &[json!({ "op": "replace", "value": { "id": id, "displayName": name } })],
        )
        .await
    }

    async fn patch_members(
        &self,
        id: &str,
        leaving: &[PersonId],
        coming: &[PersonId],
    ) -> Result<(), Trouble> {
        let remote = leaving.iter().filter_map(|person| self.users.get(person));
        let mut operations: Vec<Value> = remote
            .map(|user| json!({ "op": "remove", "path": format!("members[value eq {}]", Value::from(user.id.as_str())) }))
            .collect();
        if !coming.is_empty() {
            let value = self.member_objects(coming);
            operations.push(json!({ "op": "add", "path": "members", "value": value }));
        }
        self.patch_group(id, &operations).await
    }

    async fn patch_group(&self, id: &str, operations: &[Value]) -> Result<(), Trouble> {
        let answer = self
            .send(
                Method::PATCH,
                &group_path(id),
                Some(profile::patch(operations)),
            )
            .await?;
        answer::written(&answer)
    }

    async fn put_group(
        &self,
        id: &str,
        name: &str,
        members: &BTreeSet<PersonId>,
    ) -> Result<(), Trouble> {
        let body = profile::group(Some(id), name, &self.member_objects(members));
        let answer = self.send(Method::PUT, &group_path(id), Some(body)).await?;
        answer::resource(&answer, &[200]).map(drop)
    }

    /// Members as Okta writes them: the id and, for the reader, the user name; no type.
    fn member_objects<'a>(&self, members: impl IntoIterator<Item = &'a PersonId>) -> Vec<Value> {
        let known = members.into_iter().filter_map(|id| self.users.get(id));
        known
            .map(|user| json!({ "value": user.id, "display": user.login }))
            .collect()
    }
}

fn group_path(id: &str) -> String {
    format!("/Groups/{}", encoded(id))
}
