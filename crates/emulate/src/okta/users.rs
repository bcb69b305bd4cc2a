//! Okta's requests on users.

use serde_json::{Value, json};

use super::{AppKind, Assigned, Okta, profile};
use crate::answer::{self, Object, Remote};
use crate::http::{Method, Trouble, encoded};
use crate::organization::{Organization, Person};
use crate::report::Run;

impl Okta {
    /// Assigns a person to the app, for the first time or again: look-up, then create, or link, enable and update.
    pub(super) async fn assign(
        &self,
        organization: &Organization,
        person: &Person,
        run: &Run<'_>,
    ) -> Result<Assigned, Trouble> {
        let profile = profile::of(organization, person);
        // Somebody who came back and was renamed since: the coming back happened under the login of before.
        let known = self.users.get(&person.id);
        let login = known.map_or(&person.login, |known| &known.login);
        let Some(found) = self.find_user(login).await? else {
            let created = self.create(&profile, person).await?;
            run.count("users created");
            return Ok(assigned(created.id, profile, person, true));
        };
        if !found.active() && self.kind == AppKind::Template {
            self.patch_active(&found.id, true).await?;
        }
        self.put(&found.id, &profile, person, true).await?;
        run.count(if found.active() {
            "users linked"
        } else {
            "users reactivated"
        });
        Ok(assigned(found.id, profile, person, true))
    }

    /// Pushes a changed profile.
    pub(super) async fn update(
        &self,
        organization: &Organization,
        person: &Person,
        known: &Assigned,
        run: &Run<'_>,
    ) -> Result<Assigned, Trouble> {
        let profile = profile::of(organization, person);
        self.put(&known.id, &profile, person, true).await?;
        run.count("users updated");
        Ok(assigned(known.id.clone(), profile, person, true))
    }

    /// Disables a user who was unassigned or left; what changed before that is sent first. Okta never deletes one.
    pub(super) async fn deactivate(
        &self,
        organization: &Organization,
        person: &Person,
        known: &Assigned,
        run: &Run<'_>,
    ) -> Result<Assigned, Trouble> {
        let profile = profile::of(organization, person);
        if profile != known.sent {
            self.put(&known.id, &profile, person, true).await?;
        }
        match self.kind {
            AppKind::Template => self.patch_active(&known.id, false).await?,
            AppKind::Wizard => self.put(&known.id, &profile, person, false).await?,
        }
        run.count("users deactivated");
        Ok(assigned(known.id.clone(), profile, person, false))
    }

    async fn find_user(&self, login: &str) -> Result<Option<Remote>, Trouble> {
        let filter = encoded(&format!("userName eq {}", Value::from(login)));
        let answer = self
            .get(&format!("/Users?filter={filter}&startIndex=1&count=100"))
            .await?;
        // Okta takes a 404 for "nobody".
        if answer.status == 404 {
            return Ok(None);
        }
        let found = answer::page(&answer)?.resources;
        match <[Remote; 1]>::try_from(found) {
            Ok([one]) => {
                let same = one
                    .text("userName")
                    .is_some_and(|name| name.to_lowercase() == login.to_lowercase());
                if same {
                    Ok(Some(one))
                } else {
                    Err(answer.trouble("the look-up gave somebody else"))
                }
            }
            Err(none) if none.is_empty() => Ok(None),
            Err(_several) => Err(answer.trouble("the look-up gave several users of one name")),
        }
    }

    async fn create(&self, profile: &Object, person: &Person) -> Result<Remote, Trouble> {
        let answer = self
            .send(
                Method::POST,
                "/Users",
                Some(profile::creation(profile, person)),
            )
            .await?;
        if answer.status == 201 && answer.body.is_empty() {
            return Err(answer.trouble("create new user returned empty user"));
        }
        let created = answer::resource(&answer, &[201])?;
        if !created
            .body
            .get("active")
            .is_some_and(|active| active == true)
        {
            return Err(answer.trouble("the new user is not active"));
        }
        Ok(created)
    }

    async fn put(
        &self,
        id: &str,
        profile: &Object,
        person: &Person,
        active: bool,
    ) -> Result<(), Trouble> {
        let path = format!("/Users/{}", encoded(id));
        let answer = self.get(&path).await?;
        let read = answer::resource(&answer, &[200])?;
        let body = profile::replacement(read.body, profile, person, active);
        let answer = self.send(Method::PUT, &path, Some(body)).await?;
        let stored = answer::resource(&answer, &[200])?;
        if stored.id != id {
            return Err(answer.trouble("the answer has another id"));
        }
        if stored.active() != active {
            return Err(answer.trouble(format!("active should be {active}")));
        }
        Ok(())
    }

    async fn patch_active(&self, id: &str, active: bool) -> Result<(), Trouble> {
        let body = profile::patch(&[json!({ "op": "replace", "value": { "active": active } })]);
        let answer = self
            .send(
                Method::PATCH,
                &format!("/Users/{}", encoded(id)),
                Some(body),
            )
            .await?;
        answer::written(&answer)
    }
}

fn assigned(id: String, sent: Object, person: &Person, active: bool) -> Assigned {
    Assigned {
        id,
        active,
        sent,
        seen_as: profile::portrait(person),
        login: person.login.clone(),
    }
}
