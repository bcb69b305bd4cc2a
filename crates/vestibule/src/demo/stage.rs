//! What happens in the demo: everybody is provisioned, then things change, and each time the product has to see it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use emulate::jira::{Directory, JiraError, Synchronization};
use emulate::organization::{Event, GroupKind, Organization, PersonId};
use emulate::report::{Report, quietly};

use super::cast::{Cast, Side};
use super::teller::Teller;
use crate::exit::Failure;

/// How long a product gets to see what its identity provider has sent.
const TO_AGREE: Duration = Duration::from_secs(20);
/// How often it asks meanwhile.
const BETWEEN_ASKING: Duration = Duration::from_millis(100);

/// The play, as it goes on.
pub struct Stage<'a> {
    sides: Vec<Side>,
    teller: &'a Teller,
    failures: u64,
}

/// What a product sees of one user, whom it knows by key.
#[derive(Clone, PartialEq, Eq)]
struct Seen {
    name: String,
    active: bool,
    groups: BTreeSet<String>,
}

/// A scene: its title, and what happens in an organization.
type Scene = (&'static str, fn(&mut Organization) -> Option<Event>);

/// What changes, one thing after the other.
const SCENES: [Scene; 6] = [
    ("somebody leaves", |organization| {
        let leaver = member_of_many(organization)?;
        organization.leave(leaver)
    }),
    ("somebody moves to another department", |organization| {
        let mover = member_of_many(organization)?;
        organization.move_person(mover)
    }),
    ("somebody has a new name", |organization| {
        let person = member_of_many(organization)?;
        organization.rename_person(person)
    }),
    ("somebody new begins", |organization| {
        Some(organization.join())
    }),
    ("a group gets a new name", |organization| {
        let group = organization
            .groups()
            .find(|group| group.kind == GroupKind::Project)?
            .id;
        organization.rename_group(group)
    }),
    ("the one who left comes back", |organization| {
        let gone = organization
            .people()
            .iter()
            .rev()
            .find(|person| !person.is_here() && is_member(organization, person.id));
        let gone = gone?.id;
        organization.come_back(gone)
    }),
];

impl<'a> Stage<'a> {
    /// Everybody in place, and nothing sent yet.
    pub fn new(cast: Cast, teller: &'a Teller) -> Stage<'a> {
        Stage {
            sides: cast.sides,
            teller,
            failures: 0,
        }
    }

    /// Plays all scenes; gives the number of things that went wrong.
    pub async fn play(&mut self) -> Result<u64, Failure> {
        self.teller.scene("the connection tests")?;
        for place in 0..self.sides.len() {
            self.test(place).await?;
        }
        if self.failures > 0 {
            return Ok(self.failures);
        }
        self.teller.scene("everybody is provisioned")?;
        for place in 0..self.sides.len() {
            self.provision_everybody(place).await?;
        }
        for (title, change) in SCENES {
            self.teller.pause().await;
            self.teller.scene(title)?;
            for place in 0..self.sides.len() {
                self.change(place, change).await?;
            }
        }
        Ok(self.failures)
    }

    /// Tells how it ended and how to go on.
    pub fn closing(&self, once: bool) -> Result<(), Failure> {
        self.teller.closing(self.failures, &self.sides, once)
    }

    async fn test(&mut self, place: usize) -> Result<(), Failure> {
        let side = &mut self.sides[place];
        let report = side.provider.test().await;
        let name = side.provider.name();
        self.tell_report(name, &report)?;
        let side = &self.sides[place];
        match side.product.test_connection().await {
            Ok(()) => self
                .teller
                .line(side.product_name, "connection test answered"),
            Err(error) => self.tell_error(place, &error),
        }
    }

    async fn provision_everybody(&mut self, place: usize) -> Result<(), Failure> {
        let side = &mut self.sides[place];
        let report = side
            .provider
            .synchronize(&side.organization, &quietly)
            .await;
        let name = side.provider.name();
        self.tell_report(name, &report)?;
        let Some(done) = self.agree(place).await? else {
            return Ok(());
        };
        let side = &self.sides[place];
        let how = if done.full {
            "full synchronisation"
        } else {
            "events"
        };
        let directory = side.product.directory();
        self.teller.line(
            side.product_name,
            &format!(
                "sees {} users and {} groups with {} memberships ({how}, {} ms)",
                directory.users().count(),
                directory.groups().count(),
                directory.memberships(),
                done.duration.as_millis()
            ),
        )
    }

    async fn change(
        &mut self,
        place: usize,
        change: fn(&mut Organization) -> Option<Event>,
    ) -> Result<(), Failure> {
        let side = &mut self.sides[place];
        let Some(event) = change(&mut side.organization) else {
            return Ok(());
        };
        let before = seen(side.product.directory());
        let groups_before = group_names(side.product.directory());
        let name = side.provider.name();
        self.teller.line(name, &side.organization.tell(&event))?;
        drop(side.provider.client().take_exchanges());
        let report = side
            .provider
            .synchronize(&side.organization, &quietly)
            .await;
        self.teller
            .exchanges(&side.provider.client().take_exchanges())?;
        self.tell_failures(name, &report)?;
        if self.agree(place).await?.is_none() {
            return Ok(());
        }
        let side = &self.sides[place];
        let mut sentences = differences(&before, &seen(side.product.directory()));
        sentences.extend(group_differences(
            &groups_before,
            &group_names(side.product.directory()),
        ));
        for sentence in sentences {
            self.teller.line(side.product_name, &sentence)?;
        }
        Ok(())
    }

    /// Lets the product synchronise until it sees what the identity provider has sent; `None`, and one more thing
    /// that went wrong, if it never does.
    async fn agree(&mut self, place: usize) -> Result<Option<Synchronization>, Failure> {
        let started = Instant::now();
        let side = &mut self.sides[place];
        let wanted = side.provider.picture();
        loop {
            let done = match side.product.synchronize(&quietly).await {
                Ok(done) => done,
                Err(error) => {
                    self.tell_error(place, &error)?;
                    return Ok(None);
                }
            };
            let differences = wanted.differences_in_effect(&side.product.picture());
            if differences.is_empty() {
                return Ok(Some(done));
            }
            if started.elapsed() > TO_AGREE {
                self.failures += differences.len() as u64;
                for difference in differences.iter().take(5) {
                    self.teller.wrong(side.product_name, difference)?;
                }
                return Ok(None);
            }
            tokio::time::sleep(BETWEEN_ASKING).await;
        }
    }

    fn tell_report(&mut self, who: &str, report: &Report) -> Result<(), Failure> {
        self.teller.line(
            who,
            &format!("{report} in {} ms", report.duration.as_millis()),
        )?;
        self.tell_failures(who, report)
    }

    fn tell_failures(&mut self, who: &str, report: &Report) -> Result<(), Failure> {
        self.failures += report.failed;
        for failure in report.failures.iter().take(5) {
            self.teller.wrong(who, &failure.to_string())?;
        }
        Ok(())
    }

    fn tell_error(&mut self, place: usize, error: &JiraError) -> Result<(), Failure> {
        self.failures += 1;
        self.teller
            .wrong(self.sides[place].product_name, &error.to_string())
    }
}

/// Somebody who is here and in several groups, so that the change shows.
fn member_of_many(organization: &Organization) -> Option<PersonId> {
    let here = organization
        .people()
        .iter()
        .filter(|person| person.is_here());
    here.max_by_key(|person| organization.groups_of(person.id).count())
        .map(|person| person.id)
}

fn is_member(organization: &Organization, person: PersonId) -> bool {
    organization.groups_of(person).next().is_some()
}

fn seen(directory: &Directory) -> BTreeMap<String, Seen> {
    let of = |user: &emulate::jira::User| Seen {
        name: user.name.clone(),
        active: user.active,
        groups: BTreeSet::new(),
    };
    let mut all: BTreeMap<String, Seen> = directory
        .users()
        .map(|user| (user.key.clone(), of(user)))
        .collect();
    for group in directory.groups() {
        for member in directory.members_of(&group.name).unwrap_or_default() {
            let key = directory.user(&member).map(|user| &user.key);
            if let Some(seen) = key.and_then(|key| all.get_mut(key)) {
                seen.groups.insert(group.name.clone());
            }
        }
    }
    all
}

fn group_names(directory: &Directory) -> BTreeSet<String> {
    directory.groups().map(|group| group.name.clone()).collect()
}

/// What changed about users, in sentences.
fn differences(before: &BTreeMap<String, Seen>, after: &BTreeMap<String, Seen>) -> Vec<String> {
    let mut told = Vec::new();
    for (key, now) in after {
        let Some(then) = before.get(key) else {
            let place = listed(now.groups.iter())
                .map_or_else(String::new, |groups| format!(", in {groups}"));
            told.push(format!("{} is new{place}", now.name));
            continue;
        };
        if then.name != now.name {
            told.push(format!("{} is now {}", then.name, now.name));
        }
        if then.active != now.active {
            let state = if now.active {
                "active again"
            } else {
                "inactive"
            };
            told.push(format!(
                "{} is {state}, and in {} groups",
                now.name,
                now.groups.len()
            ));
        }
        if now.active {
            told.extend(moves(then, now));
        }
    }
    told.extend(
        before
            .iter()
            .filter(|(key, _)| !after.contains_key(*key))
            .map(|(_, then)| format!("{} is gone", then.name)),
    );
    // A renamed group touches everybody in it; the group's own sentence says it better.
    if told.len() > 3 { Vec::new() } else { told }
}

fn moves(then: &Seen, now: &Seen) -> Option<String> {
    let left = listed(then.groups.difference(&now.groups)).map(|groups| format!("left {groups}"));
    let joined =
        listed(now.groups.difference(&then.groups)).map(|groups| format!("joined {groups}"));
    let parts: Vec<String> = left.into_iter().chain(joined).collect();
    (!parts.is_empty()).then(|| format!("{} {}", now.name, parts.join(" and ")))
}

fn group_differences(before: &BTreeSet<String>, after: &BTreeSet<String>) -> Vec<String> {
    let gone = before
        .difference(after)
        .map(|name| format!("the group {name} is gone"));
    let new = after
        .difference(before)
        .map(|name| format!("the group {name} is new"));
    gone.chain(new).collect()
}

/// The names, or `None` if there are none.
fn listed<'a>(names: impl Iterator<Item = &'a String>) -> Option<String> {
    let names: Vec<&str> = names.map(String::as_str).collect();
    (!names.is_empty()).then(|| names.join(", "))
}
