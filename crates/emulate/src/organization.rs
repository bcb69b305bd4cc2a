//! A made-up organization: the people, departments and groups an identity provider would know.

use std::collections::BTreeSet;

pub use life::Event;
pub use names::Name;

use crate::random::Random;

mod founding;
mod life;
mod names;

/// A person, by the place in [`Organization::people`]; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonId(pub(crate) usize);

/// A group, by the place in [`Organization::groups`]; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId(pub(crate) usize);

/// Where a person stands with the organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Works here.
    Here,
    /// Has left; the identity provider still keeps the account, disabled, in its groups.
    Left,
    /// Deleted for good, and out of all groups.
    Gone,
}

/// One person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Which person this is.
    pub id: PersonId,
    /// What external ids are made from; unlike the login it never changes.
    pub token: u64,
    /// The person's name.
    pub name: Name,
    /// The login name, in the form of a mail address; unique without regard to case.
    pub login: String,
    /// The mail address, mostly the same as the login.
    pub email: String,
    /// What the person is.
    pub title: String,
    /// The department, by its place in [`Organization::department_path`].
    pub department: usize,
    /// The person this one reports to.
    pub manager: Option<PersonId>,
    /// The number on the badge.
    pub employee_number: String,
    /// Where the person stands.
    pub standing: Standing,
}

/// What a group is for; licence groups are never deleted or renamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupKind {
    /// The people of one department and of those below it.
    Department,
    /// A project across departments.
    Project,
    /// Who may use a product, such as `jira-users`.
    Licence,
}

/// One group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Which group this is.
    pub id: GroupId,
    /// What external ids are made from.
    pub token: u64,
    /// The name, unique without regard to case.
    pub name: String,
    /// What the group is for.
    pub kind: GroupKind,
    /// Its people, those who left included.
    pub members: BTreeSet<PersonId>,
    /// The group has been deleted.
    pub deleted: bool,
}

/// How large an organization to make up.
#[derive(Clone, Debug)]
pub struct Size {
    /// How many people.
    pub people: usize,
    /// How many groups.
    pub groups: usize,
    /// The same seed makes the same organization.
    pub seed: u64,
    /// The domain of the mail addresses.
    pub domain: String,
}

#[derive(Clone, Debug)]
struct Department {
    name: String,
    parent: Option<usize>,
    group: Option<GroupId>,
}

/// The organization and its future: [`Organization::next_event`] lets time pass.
#[derive(Clone, Debug)]
pub struct Organization {
    random: Random,
    domain: String,
    people: Vec<Person>,
    groups: Vec<Group>,
    departments: Vec<Department>,
    logins: BTreeSet<String>,
    group_names: BTreeSet<String>,
}

impl Person {
    /// Whether the person works here.
    #[must_use]
    pub fn is_here(&self) -> bool {
        self.standing == Standing::Here
    }
}

impl Organization {
    /// Everybody who ever was here, in the order they came.
    #[must_use]
    pub fn people(&self) -> &[Person] {
        &self.people
    }

    /// One person.
    #[must_use]
    pub fn person(&self, id: PersonId) -> Option<&Person> {
        self.people.get(id.0)
    }

    /// The person with this login, whatever its case.
    #[must_use]
    pub fn person_by_login(&self, login: &str) -> Option<&Person> {
        let wanted = login.to_lowercase();
        self.people.iter().find(|person| {
            person.standing != Standing::Gone && person.login.to_lowercase() == wanted
        })
    }

    /// The groups there are, without the deleted ones.
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.groups.iter().filter(|group| !group.deleted)
    }

    /// One group, deleted or not.
    #[must_use]
    pub fn group(&self, id: GroupId) -> Option<&Group> {
        self.groups.get(id.0)
    }

    /// The group of this name.
    #[must_use]
    pub fn group_by_name(&self, name: &str) -> Option<&Group> {
        let wanted = name.to_lowercase();
        self.groups()
            .find(|group| group.name.to_lowercase() == wanted)
    }

    /// The groups a person is in.
    pub fn groups_of(&self, id: PersonId) -> impl Iterator<Item = &Group> {
        self.groups()
            .filter(move |group| group.members.contains(&id))
    }

    /// How many memberships there are in all groups together.
    #[must_use]
    pub fn memberships(&self) -> usize {
        self.groups().map(|group| group.members.len()).sum()
    }

    /// A department with those above it, as in `Engineering / Platform`.
    #[must_use]
    pub fn department_path(&self, department: usize) -> String {
        let mut names: Vec<&str> = self
            .line_of(department)
            .map(|each| self.departments[each].name.as_str())
            .collect();
        names.reverse();
        names.join(" / ")
    }

    /// A department and all above it, from the inside out.
    fn line_of(&self, department: usize) -> impl Iterator<Item = usize> {
        let known = Some(department).filter(|each| *each < self.departments.len());
        std::iter::successors(known, |each| self.departments[*each].parent)
    }
}
