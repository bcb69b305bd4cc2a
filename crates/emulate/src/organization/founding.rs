//! How an organization comes into being: departments first, then people, then the groups they are in.

use std::collections::BTreeSet;

use super::{
    Department, Group, GroupId, GroupKind, Name, Organization, Person, PersonId, Size, Standing,
};
use crate::random::Random;

const DIVISIONS: &[&str] = &[
    "Engineering",
    "Sales",
    "Finance",
    "People & Culture",
    "Operations",
    "R&D",
    "Legal",
    "Marketing",
    "Équipe Produit",
    "Vertrieb Süd",
    "研究開発",
    "Закупки",
];

const UNITS: &[&str] = &[
    "Platform",
    "Data",
    "Security",
    "Field",
    "EMEA",
    "Nordics",
    "Payments",
    "Tooling",
    "Quality",
    "Support",
    "Cloud+",
    "Core",
    "Q&A",
    "\"Special\" Tasks",
    "Partners, Channel",
    "Übersetzung",
];

const PROJECTS: &[&str] = &[
    "Heron", "Basalt", "Lantern", "Juniper", "Meridian", "Halyard", "Quartz", "Saffron", "Tundra",
    "Umbra", "Ørsted", "Zénith", "Kestrel", "Plover", "Ibis", "Cobalt", "Ember", "Fathom", "Gable",
    "Nimbus",
];

const TITLES: &[&str] = &[
    "Engineer",
    "Senior Engineer",
    "Analyst",
    "Account Manager",
    "Designer",
    "Head of Something & More",
    "Consultant <external>",
    "Développeuse",
    "Geschäftsführer",
    "Technician",
];

/// The licence groups, with how many in a thousand people are in each.
const LICENCES: &[(&str, usize)] = &[
    ("jira-users", 950),
    ("confluence-users", 700),
    ("bitbucket-users", 350),
    ("jira-administrators", 5),
    ("jira-servicemanagement-users", 100),
    ("confluence-administrators", 3),
];

/// Departments are nested at most this deep.
const DEEPEST: usize = 4;

impl Organization {
    /// Makes up an organization. The same size and seed always give the same one.
    #[must_use]
    pub fn found(size: &Size) -> Organization {
        let mut organization = Organization {
            random: Random::new(size.seed),
            domain: size.domain.clone(),
            people: Vec::with_capacity(size.people),
            groups: Vec::with_capacity(size.groups),
            departments: Vec::new(),
            logins: BTreeSet::new(),
            group_names: BTreeSet::new(),
        };
        let licences = if size.groups == 0 {
            0
        } else {
            (size.groups / 4).clamp(1, LICENCES.len())
        };
        let departments = (size.groups - licences).div_ceil(2);
        organization.open_departments(departments);
        for _ in 0..size.people {
            organization.hire();
        }
        organization.appoint_managers();
        organization.gather_departments();
        for (name, per_mille) in &LICENCES[..licences] {
            organization.license(name, *per_mille);
        }
        for rank in 0..size.groups - licences - departments {
            organization.start_project(rank);
        }
        organization.retire_some();
        organization
    }

    /// Adds one person to a department; not yet to any group.
    pub(super) fn hire(&mut self) -> PersonId {
        let name = Name::random(&mut self.random);
        let id = PersonId(self.people.len());
        let login = self.free_login(&name);
        let email = match self.random.below(20) {
            0 => login.replacen('@', "+mail@", 1),
            1 => login.to_uppercase(),
            _ => login.clone(),
        };
        // The smaller of two draws: a few large departments and many small ones.
        let narrowed = self.random.below(self.departments.len()) + 1;
        let person = Person {
            id,
            token: self.random.bits(),
            email,
            title: self.random.word(TITLES).to_owned(),
            department: self.random.below(narrowed),
            manager: None,
            employee_number: format!("{:06}", 100_000 + id.0),
            standing: Standing::Here,
            name,
            login,
        };
        self.people.push(person);
        id
    }

    /// A login that nobody has had: `given.family`, with a number for those who are called the same.
    pub(super) fn free_login(&mut self, name: &Name) -> String {
        let stem = match name.given_latin.as_str() {
            "" => name.family_latin.clone(),
            given => format!("{given}.{}", name.family_latin),
        };
        let mut login = format!("{stem}@{}", self.domain);
        let mut number = 2;
        while !self.logins.insert(login.clone()) {
            login = format!("{stem}{number}@{}", self.domain);
            number += 1;
        }
        // Some directories keep capitals in logins; comparison must not care.
        if self.random.chance(30) {
            capitalised(&login)
        } else {
            login
        }
    }

    /// A group name that no group has had, made from the wanted one.
    pub(super) fn free_group_name(&mut self, wanted: &str) -> String {
        let mut name = wanted.to_owned();
        let mut number = 2;
        while !self.group_names.insert(name.to_lowercase()) {
            name = format!("{wanted} {number}");
            number += 1;
        }
        name
    }

    /// The groups of a department and of those above it.
    pub(super) fn department_groups(&self, department: usize) -> Vec<GroupId> {
        let line: Vec<usize> = self.line_of(department).collect();
        line.into_iter()
            .filter_map(|each| self.departments[each].group)
            .collect()
    }

    pub(super) fn add_group(
        &mut self,
        name: String,
        kind: GroupKind,
        members: BTreeSet<PersonId>,
    ) -> GroupId {
        let id = GroupId(self.groups.len());
        let token = self.random.bits();
        self.groups.push(Group {
            id,
            token,
            name,
            kind,
            members,
            deleted: false,
        });
        id
    }

    fn open_departments(&mut self, groups: usize) {
        let count = groups.max(1);
        let divisions = (count / 4).clamp(1, DIVISIONS.len());
        for place in 0..count {
            let department = if let Some(name) = DIVISIONS[..divisions].get(place) {
                Department {
                    name: (*name).to_owned(),
                    parent: None,
                    group: None,
                }
            } else {
                let parent = self.shallow_department(place);
                let name = self.unit_name(parent);
                Department {
                    name,
                    parent: Some(parent),
                    group: None,
                }
            };
            self.departments.push(department);
            if place < groups {
                let path = self.department_path(place);
                let name = self.free_group_name(&path);
                let group = self.add_group(name, GroupKind::Department, BTreeSet::new());
                self.departments[place].group = Some(group);
            }
        }
    }

    fn shallow_department(&mut self, count: usize) -> usize {
        let chosen = self.random.below(count);
        let line: Vec<usize> = self.line_of(chosen).collect();
        if line.len() < DEEPEST {
            chosen
        } else {
            line.last().copied().unwrap_or(chosen)
        }
    }

    fn unit_name(&mut self, parent: usize) -> String {
        let unit = self.random.word(UNITS);
        let taken = |name: &str, all: &[Department]| {
            all.iter()
                .any(|d| d.parent == Some(parent) && d.name == name)
        };
        let numbered = (2..).map(|number| format!("{unit} {number}"));
        std::iter::once(unit.to_owned())
            .chain(numbered)
            .find(|name| !taken(name, &self.departments))
            .unwrap_or_default()
    }

    /// The first person of a department leads it and reports to the leader of the one above.
    fn appoint_managers(&mut self) {
        let mut leaders: Vec<Option<PersonId>> = vec![None; self.departments.len()];
        for person in &self.people {
            leaders[person.department].get_or_insert(person.id);
        }
        for place in 0..self.people.len() {
            let id = self.people[place].id;
            let line: Vec<usize> = self.line_of(self.people[place].department).collect();
            let manager = line
                .into_iter()
                .filter_map(|department| leaders[department])
                .find(|leader| *leader != id);
            self.people[place].manager = manager;
        }
    }

    fn gather_departments(&mut self) {
        for place in 0..self.people.len() {
            let id = self.people[place].id;
            for group in self.department_groups(self.people[place].department) {
                self.groups[group.0].members.insert(id);
            }
        }
    }

    fn license(&mut self, name: &str, per_mille: usize) {
        let mut members = BTreeSet::new();
        for place in 0..self.people.len() {
            if self.random.chance(per_mille) {
                members.insert(self.people[place].id);
            }
        }
        let name = self.free_group_name(name);
        self.add_group(name, GroupKind::Licence, members);
    }

    /// The first project takes nearly a third of the people, the next half of that, and so on in a long tail; one in
    /// twenty has nobody yet.
    fn start_project(&mut self, rank: usize) {
        let base = self.random.word(PROJECTS);
        let name = self.free_group_name(&format!("Project {base}"));
        let size = if rank % 20 == 19 {
            0
        } else {
            (self.people.len() * 3 / (10 * (rank + 1))).max(1)
        };
        let members = (0..size)
            .map(|_| PersonId(self.random.below(self.people.len())))
            .collect();
        let members = if self.people.is_empty() {
            BTreeSet::new()
        } else {
            members
        };
        self.add_group(name, GroupKind::Project, members);
    }

    /// A few are disabled before the provisioning begins: they must never be created.
    fn retire_some(&mut self) {
        for place in 0..self.people.len() {
            if place % 50 == 37 {
                self.people[place].standing = Standing::Left;
            }
        }
    }
}

/// Each word of the part before the `@` with a capital.
fn capitalised(login: &str) -> String {
    let mut at_start = true;
    let mut in_domain = false;
    let capital = |letter: char| {
        in_domain |= letter == '@';
        let upper = at_start && !in_domain;
        at_start = matches!(letter, '.' | '-' | '\'');
        if upper {
            letter.to_ascii_uppercase()
        } else {
            letter
        }
    };
    login.chars().map(capital).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Organization, Size, capitalised};
    use crate::organization::GroupKind;

    fn found(people: usize, groups: usize, seed: u64) -> Organization {
        Organization::found(&Size {
            people,
            groups,
            seed,
            domain: "example.org".to_owned(),
        })
    }

    #[test]
    fn the_same_seed_makes_the_same_organization() {
        let (first, second) = (found(300, 20, 4), found(300, 20, 4));
        assert_eq!(first.people(), second.people());
        assert!(first.groups().eq(second.groups()));
        assert_ne!(first.people(), found(300, 20, 5).people());
    }

    #[test]
    fn sizes_are_met_also_at_the_edges() {
        for (people, groups) in [(0, 0), (1, 0), (0, 3), (1, 1), (7, 2), (500, 60)] {
            let organization = found(people, groups, 1);
            assert_eq!(organization.people().len(), people);
            assert_eq!(organization.groups().count(), groups);
        }
    }

    #[test]
    fn logins_and_group_names_are_unique_whatever_their_case() {
        let organization = found(20_000, 400, 8);
        let logins: BTreeSet<String> = organization
            .people()
            .iter()
            .map(|p| p.login.to_lowercase())
            .collect();
        assert_eq!(logins.len(), 20_000);
        let names: BTreeSet<String> = organization
            .groups()
            .map(|group| group.name.to_lowercase())
            .collect();
        assert_eq!(names.len(), 400);
        let displays: BTreeSet<&str> = organization
            .people()
            .iter()
            .map(|p| p.name.display.as_str())
            .collect();
        assert!(displays.len() < 20_000, "some people are called the same");
    }

    #[test]
    fn groups_have_a_long_tail_and_departments_hold_those_below() {
        let organization = found(5000, 80, 2);
        let mut projects: Vec<usize> = organization
            .groups()
            .filter(|g| g.kind == GroupKind::Project)
            .map(|g| g.members.len())
            .collect();
        projects.sort_unstable();
        assert!(projects.last() > Some(&1000) && projects.contains(&0));
        assert!(organization.people().iter().any(|p| {
            organization
                .department_path(p.department)
                .matches('/')
                .count()
                >= 2
        }));
        for person in organization.people() {
            for group in organization.department_groups(person.department) {
                assert!(
                    organization
                        .group(group)
                        .is_some_and(|group| group.members.contains(&person.id))
                );
            }
        }
    }

    #[test]
    fn nobody_reports_to_themselves_and_nearly_all_report_to_someone() {
        let organization = found(1000, 30, 3);
        assert!(
            organization
                .people()
                .iter()
                .all(|person| person.manager != Some(person.id))
        );
        assert!(
            organization
                .people()
                .iter()
                .filter(|person| person.manager.is_none())
                .count()
                < 20
        );
    }

    #[test]
    fn capitals_stay_out_of_the_domain() {
        assert_eq!(
            capitalised("mary.o'neil@example.org"),
            "Mary.O'Neil@example.org"
        );
    }
}
