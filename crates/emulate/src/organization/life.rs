//! What happens in an organization after its founding: people come, move, change their names, leave and come back.

use super::{GroupId, GroupKind, Organization, PersonId, Standing};

/// One thing that happened. The organization has changed already when it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Somebody new began.
    Joined(PersonId),
    /// Somebody went to another department, and with it to other groups.
    Moved {
        /// Who moved.
        person: PersonId,
        /// The path of the department before.
        from: String,
        /// The path of the department now.
        to: String,
    },
    /// Somebody has a new name, and with it a new login and mail address.
    Renamed {
        /// Who it is.
        person: PersonId,
        /// The login before.
        from: String,
    },
    /// Somebody left; the account is disabled, memberships stay.
    Left(PersonId),
    /// Somebody who had left is back, as the same account.
    Returned(PersonId),
    /// A group has a new name.
    GroupRenamed {
        /// Which group.
        group: GroupId,
        /// The name before.
        from: String,
    },
    /// A group is gone.
    GroupDeleted(GroupId),
}

impl Organization {
    /// Lets time pass until something happens. Events that find nobody to happen to become a new colleague.
    pub fn next_event(&mut self) -> Event {
        let drawn = match self.random.below(100) {
            0..25 => None,
            25..50 => self
                .somebody(Standing::Here)
                .and_then(|person| self.move_person(person)),
            50..65 => self
                .somebody(Standing::Here)
                .and_then(|person| self.rename_person(person)),
            65..80 => self
                .somebody(Standing::Here)
                .and_then(|person| self.leave(person)),
            80..90 => self
                .somebody(Standing::Left)
                .and_then(|person| self.come_back(person)),
            90..96 => self.some_group().and_then(|group| self.rename_group(group)),
            _ => self.some_group().and_then(|group| self.delete_group(group)),
        };
        drawn.unwrap_or_else(|| self.join())
    }

    /// Somebody new begins, in a department and in the first licence group.
    pub fn join(&mut self) -> Event {
        let id = self.hire();
        let mut groups = self.department_groups(self.people[id.0].department);
        groups.extend(
            self.groups()
                .find(|group| group.kind == GroupKind::Licence)
                .map(|group| group.id),
        );
        for group in groups {
            self.groups[group.0].members.insert(id);
        }
        Event::Joined(id)
    }

    /// Moves a person to another department; `None` if there is no other, or nobody to move.
    pub fn move_person(&mut self, id: PersonId) -> Option<Event> {
        let from = self.people.get(id.0)?.department;
        let to = (0..8)
            .map(|_| self.random.below(self.departments.len()))
            .find(|to| *to != from)?;
        for group in self.department_groups(from) {
            self.groups[group.0].members.remove(&id);
        }
        for group in self.department_groups(to) {
            self.groups[group.0].members.insert(id);
        }
        self.people[id.0].department = to;
        Some(Event::Moved {
            person: id,
            from: self.department_path(from),
            to: self.department_path(to),
        })
    }

    /// Gives a person a new family name, login and mail address.
    pub fn rename_person(&mut self, id: PersonId) -> Option<Event> {
        let person = self.people.get(id.0)?;
        let from = person.login.clone();
        let name = person.name.clone().with_new_family(&mut self.random);
        let login = self.free_login(&name);
        let person = self.people.get_mut(id.0)?;
        person.name = name;
        person.email.clone_from(&login);
        person.login = login;
        Some(Event::Renamed { person: id, from })
    }

    /// A person leaves.
    pub fn leave(&mut self, id: PersonId) -> Option<Event> {
        self.turn(id, Standing::Here, Standing::Left)
            .then_some(Event::Left(id))
    }

    /// A person who left comes back.
    pub fn come_back(&mut self, id: PersonId) -> Option<Event> {
        self.turn(id, Standing::Left, Standing::Here)
            .then_some(Event::Returned(id))
    }

    /// Deletes a person for good, as an identity provider does some time after the leaving. Not among the drawn
    /// events. False if the person had not left.
    pub fn purge(&mut self, id: PersonId) -> bool {
        let purged = self.turn(id, Standing::Left, Standing::Gone);
        if purged {
            for group in &mut self.groups {
                group.members.remove(&id);
            }
        }
        purged
    }

    /// Renames a group; licence groups keep their names.
    pub fn rename_group(&mut self, id: GroupId) -> Option<Event> {
        let from = self
            .groups
            .get(id.0)
            .filter(|group| !group.deleted && group.kind != GroupKind::Licence)?
            .name
            .clone();
        let wanted = match from.strip_suffix(" (new)") {
            Some(stem) => stem.to_owned(),
            None => format!("{from} (new)"),
        };
        let to = self.free_group_name(&wanted);
        self.groups[id.0].name = to;
        Some(Event::GroupRenamed { group: id, from })
    }

    /// Deletes a group; licence groups stay.
    pub fn delete_group(&mut self, id: GroupId) -> Option<Event> {
        let group = self
            .groups
            .get_mut(id.0)
            .filter(|group| !group.deleted && group.kind != GroupKind::Licence)?;
        group.deleted = true;
        group.members.clear();
        for department in &mut self.departments {
            department.group = department.group.filter(|each| *each != id);
        }
        Some(Event::GroupDeleted(id))
    }

    /// An event in one line, for people to read.
    #[must_use]
    pub fn tell(&self, event: &Event) -> String {
        let who = |id: &PersonId| {
            self.person(*id)
                .map_or("somebody", |person| person.name.display.as_str())
        };
        let what = |id: &GroupId| {
            self.group(*id)
                .map_or("a group", |group| group.name.as_str())
        };
        match event {
            Event::Joined(id) => format!("{} joins", who(id)),
            Event::Moved { person, from, to } => {
                format!("{} moves from {from} to {to}", who(person))
            }
            Event::Renamed { person, from } => {
                let login = self
                    .person(*person)
                    .map_or("", |person| person.login.as_str());
                format!("{from} is now called {} ({login})", who(person))
            }
            Event::Left(id) => format!("{} leaves", who(id)),
            Event::Returned(id) => format!("{} comes back", who(id)),
            Event::GroupRenamed { group, from } => {
                format!("the group {from} is now {}", what(group))
            }
            Event::GroupDeleted(group) => format!("the group {} is deleted", what(group)),
        }
    }

    fn turn(&mut self, id: PersonId, from: Standing, to: Standing) -> bool {
        match self.people.get_mut(id.0) {
            Some(person) if person.standing == from => {
                person.standing = to;
                true
            }
            _ => false,
        }
    }

    fn somebody(&mut self, standing: Standing) -> Option<PersonId> {
        let count = self.people.len();
        let start = self.random.below(count);
        (0..count)
            .map(|step| &self.people[(start + step) % count])
            .find(|p| p.standing == standing)
            .map(|p| p.id)
    }

    fn some_group(&mut self) -> Option<GroupId> {
        let count = self.groups.len();
        let start = self.random.below(count);
        (0..count)
            .map(|step| &self.groups[(start + step) % count])
            .find(|group| !group.deleted && group.kind != GroupKind::Licence)
            .map(|group| group.id)
    }
}

#[cfg(test)]
mod tests {
    use super::Event;
    use crate::organization::{GroupKind, Organization, Size, Standing};

    fn found(people: usize, groups: usize, seed: u64) -> Organization {
        Organization::found(&Size {
            people,
            groups,
            seed,
            domain: "example.org".to_owned(),
        })
    }

    #[test]
    fn the_same_seed_lives_the_same_life() {
        let (mut first, mut second) = (found(100, 20, 6), found(100, 20, 6));
        for _ in 0..200 {
            assert_eq!(first.next_event(), second.next_event());
        }
        assert_eq!(first.people(), second.people());
    }

    #[test]
    fn everything_happens_sooner_or_later_and_the_rest_stays_whole() {
        let mut organization = found(200, 40, 12);
        let events: Vec<Event> = (0..600).map(|_| organization.next_event()).collect();
        for wanted in [
            "Joined",
            "Moved",
            "Renamed",
            "Left",
            "Returned",
            "GroupRenamed",
            "GroupDeleted",
        ] {
            assert!(
                events
                    .iter()
                    .any(|event| format!("{event:?}").starts_with(wanted)),
                "{wanted}"
            );
        }
        assert!(
            organization
                .groups()
                .any(|group| group.name == "jira-users" && group.kind == GroupKind::Licence)
        );
        let known = organization.people().len();
        assert!(
            organization
                .groups()
                .all(|group| group.members.iter().all(|id| id.0 < known))
        );
        let mut logins: Vec<String> = organization
            .people()
            .iter()
            .map(|person| person.login.to_lowercase())
            .collect();
        logins.sort();
        logins.dedup();
        assert_eq!(logins.len(), known);
    }

    #[test]
    fn an_empty_organization_can_only_hire() {
        let mut organization = found(0, 0, 1);
        assert!(matches!(organization.next_event(), Event::Joined(_)));
        assert!((0..100).map(|_| organization.next_event()).count() == 100);
    }

    #[test]
    fn who_left_stays_in_the_groups_until_purged() {
        let mut organization = found(50, 10, 2);
        let id = organization
            .people()
            .iter()
            .find(|person| person.is_here())
            .map(|person| person.id);
        let id = id.expect("somebody is here");
        let groups = organization.groups_of(id).count();
        assert!(!organization.purge(id));
        organization.leave(id);
        assert_eq!(organization.groups_of(id).count(), groups);
        assert!(organization.purge(id));
        assert_eq!(organization.groups_of(id).count(), 0);
        assert_eq!(
            organization.person(id).map(|person| person.standing),
            Some(Standing::Gone)
        );
        assert_eq!(organization.come_back(id), None);
    }
}
