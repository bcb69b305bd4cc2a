//! What a product keeps of a directory: users by key and name, groups with members, and how events change them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::events::{Event, How};
use super::xml::Membership;

/// A user as the product knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    /// Stays the same when the user is renamed.
    pub key: String,
    /// The login name in its own spelling.
    pub name: String,
    /// The given name.
    pub first_name: String,
    /// The family name.
    pub last_name: String,
    /// The name shown.
    pub display_name: String,
    /// The mail address.
    pub email: String,
    /// Whether the user may log in.
    pub active: bool,
}

/// A group as the product knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// The name in its own spelling.
    pub name: String,
    /// What the group is for.
    pub description: String,
    members: BTreeSet<Arc<str>>,
    children: BTreeSet<Arc<str>>,
}

/// All that the product sees. Names are compared in lower case.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    users: BTreeMap<Arc<str>, User>,
    keys: HashMap<String, Arc<str>>,
    groups: BTreeMap<Arc<str>, Group>,
}

impl Group {
    /// A group without members.
    pub(super) fn new(name: String, description: String) -> Group {
        Group {
            name,
            description,
            ..Group::default()
        }
    }
}

impl Directory {
    /// The users, by name.
    pub fn users(&self) -> impl Iterator<Item = &User> {
        self.users.values()
    }

    /// The groups, by name.
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.groups.values()
    }

    /// A user by name.
    #[must_use]
    pub fn user(&self, name: &str) -> Option<&User> {
        self.users.get(name.to_lowercase().as_str())
    }

    /// A user by key, as after a rename.
    #[must_use]
    pub fn user_by_key(&self, key: &str) -> Option<&User> {
        self.users.get(self.keys.get(key)?)
    }

    /// A group by name.
    #[must_use]
    pub fn group(&self, name: &str) -> Option<&Group> {
        self.groups.get(name.to_lowercase().as_str())
    }

    /// The names of a group's direct members.
    #[must_use]
    pub fn members_of(&self, group: &str) -> Option<BTreeSet<String>> {
        let members = self.group(group)?.members.iter();
        Some(
            members
                .filter_map(|name| self.users.get(name))
                .map(|user| user.name.clone())
                .collect(),
        )
    }

    /// The names of a group's direct child groups.
    #[must_use]
    pub fn children_of(&self, group: &str) -> Option<BTreeSet<String>> {
        let children = self.group(group)?.children.iter();
        Some(
            children
                .filter_map(|name| self.groups.get(name))
                .map(|group| group.name.clone())
                .collect(),
        )
    }

    /// The names of the users in a group or in any group below it: whom the product counts as its members when
    /// nested groups are on.
    #[must_use]
    pub fn members_below(&self, group: &str) -> Option<BTreeSet<String>> {
        let mut left = vec![self.group(group)?];
        let (mut seen, mut found) = (BTreeSet::new(), BTreeSet::new());
        while let Some(group) = left.pop() {
            if seen.insert(group.name.to_lowercase()) {
                found.extend(self.members_of(&group.name).unwrap_or_default());
                let children = group.children.iter();
                left.extend(children.filter_map(|name| self.groups.get(name)));
            }
        }
        Some(found)
    }

    /// How many memberships of users there are.
    #[must_use]
    pub fn memberships(&self) -> usize {
        self.groups.values().map(|group| group.members.len()).sum()
    }

    /// The answers of a full run. Memberships of users or groups that were not listed are left out and told.
    pub(super) fn fill(
        &mut self,
        users: Vec<User>,
        groups: Vec<Group>,
        memberships: Vec<Membership>,
        nested: bool,
    ) -> Vec<String> {
        for user in users {
            let name = folded(&user.name);
            self.keys.insert(user.key.clone(), Arc::clone(&name));
            self.users.insert(name, user);
        }
        for group in groups {
            self.groups.insert(folded(&group.name), group);
        }
        let mut skipped = Vec::new();
        for membership in memberships {
            let listed = folded(&membership.group);
            if !self.groups.contains_key(&listed) {
                skipped.push(format!(
                    "members of the unlisted group {}",
                    membership.group
                ));
                continue;
            }
            let mut known =
                |names: Vec<String>, what: &str, find: &dyn Fn(&str) -> Option<Arc<str>>| {
                    let mut found = BTreeSet::new();
                    for name in names {
                        match find(&name) {
                            Some(known) => drop(found.insert(known)),
                            None => skipped.push(format!(
                                "the unlisted {what} {name} in group {}",
                                membership.group
                            )),
                        }
                    }
                    found
                };
            let members = known(membership.users, "user", &|name| self.user_name(name));
            let children = if nested {
                known(membership.children, "group", &|name| self.group_name(name))
            } else {
                BTreeSet::new()
            };
            if let Some(group) = self.groups.get_mut(&listed) {
                (group.members, group.children) = (members, children);
            }
        }
        skipped
    }

    /// Applies one event as the product does. An event about something unknown makes its synchronisation fail.
    pub(super) fn apply(&mut self, event: Event, nested: bool) -> Result<(), String> {
        match event {
            Event::PutUser(user) => self.put_user(user),
            Event::DeleteUser(name) => {
                self.remove_user(&name);
                Ok(())
            }
            Event::PutGroup(group) => {
                self.put_group(group);
                Ok(())
            }
            Event::DeleteGroup(name) => {
                self.remove_group(&name);
                Ok(())
            }
            Event::UserGroups { user, groups, how } => self.change_groups_of(&user, &groups, how),
            Event::GroupGroups {
                group,
                parents,
                children,
                how,
            } if nested => {
                self.change_parents_of(&group, &parents, how)?;
                self.change_children_of(&group, &children, how)
            }
            Event::GroupGroups { .. } => Ok(()),
        }
    }

    /// Adds or updates a user, found by key first, so that a new name renames it in all its groups.
    pub(super) fn put_user(&mut self, user: User) -> Result<(), String> {
        let name = folded(&user.name);
        let before = self.keys.get(&user.key).cloned();
        if let Some(before) = before.filter(|before| *before != name) {
            if self.users.contains_key(&name) {
                return Err(format!(
                    "{before} is renamed to {name}, which is somebody else"
                ));
            }
            self.users.remove(&before);
            for group in self.groups.values_mut() {
                if group.members.remove(&before) {
                    group.members.insert(Arc::clone(&name));
                }
            }
        }
        if let Some(replaced) = self
            .users
            .get(&name)
            .filter(|replaced| replaced.key != user.key)
        {
            self.keys.remove(&replaced.key);
        }
        self.keys.insert(user.key.clone(), Arc::clone(&name));
        self.users.insert(name, user);
        Ok(())
    }

    pub(super) fn remove_user(&mut self, name: &str) {
        let name = folded(name);
        if let Some(user) = self.users.remove(&name) {
            self.keys.remove(&user.key);
            for group in self.groups.values_mut() {
                group.members.remove(&name);
            }
        }
    }

    /// Adds or updates a group; one that is there keeps its members.
    pub(super) fn put_group(&mut self, group: Group) {
        let known = self.groups.entry(folded(&group.name)).or_default();
        (known.name, known.description) = (group.name, group.description);
    }

    pub(super) fn remove_group(&mut self, name: &str) {
        let name = folded(name);
        self.groups.remove(&name);
        for group in self.groups.values_mut() {
            group.children.remove(&name);
        }
    }

    pub(super) fn change_groups_of(
        &mut self,
        user: &str,
        groups: &[String],
        how: How,
    ) -> Result<(), String> {
        let name = self
            .user_name(user)
            .ok_or_else(|| format!("the unknown user {user} is {how} groups"))?;
        let listed = self.known_groups(user, groups, how)?;
        change(
            &mut self.groups,
            &listed,
            how,
            |group| &mut group.members,
            &name,
        );
        Ok(())
    }

    fn change_parents_of(
        &mut self,
        child: &str,
        parents: &[String],
        how: How,
    ) -> Result<(), String> {
        let name = self
            .group_name(child)
            .ok_or_else(|| format!("the unknown group {child} is {how} groups"))?;
        let listed = self.known_groups(child, parents, how)?;
        change(
            &mut self.groups,
            &listed,
            how,
            |group| &mut group.children,
            &name,
        );
        Ok(())
    }

    pub(super) fn change_children_of(
        &mut self,
        parent: &str,
        children: &[String],
        how: How,
    ) -> Result<(), String> {
        let listed = self.known_groups(parent, children, how)?;
        let Some(group) = self.groups.get_mut(parent.to_lowercase().as_str()) else {
            return Err(format!("the unknown group {parent} has children"));
        };
        match how {
            How::Add => group.children.extend(listed),
            How::Remove => group.children.retain(|child| !listed.contains(child)),
            How::Equal => group.children = listed,
        }
        Ok(())
    }

    /// The listed groups as the product knows them. One that is gone already can't be left.
    fn known_groups(
        &self,
        who: &str,
        groups: &[String],
        how: How,
    ) -> Result<BTreeSet<Arc<str>>, String> {
        let mut known = BTreeSet::new();
        for group in groups {
            match self.group_name(group) {
                Some(name) => drop(known.insert(name)),
                None => return Err(format!("{who} is {how} the unknown group {group}")),
            }
        }
        Ok(known)
    }

    fn user_name(&self, name: &str) -> Option<Arc<str>> {
        self.users
            .get_key_value(name.to_lowercase().as_str())
            .map(|(name, _)| Arc::clone(name))
    }

    fn group_name(&self, name: &str) -> Option<Arc<str>> {
        self.groups
            .get_key_value(name.to_lowercase().as_str())
            .map(|(name, _)| Arc::clone(name))
    }
}

fn folded(name: &str) -> Arc<str> {
    Arc::from(name.to_lowercase())
}

/// Puts a name into, or out of, one set of each listed group; with [`How::Equal`] out of that set of all others.
fn change(
    groups: &mut BTreeMap<Arc<str>, Group>,
    listed: &BTreeSet<Arc<str>>,
    how: How,
    set: impl Fn(&mut Group) -> &mut BTreeSet<Arc<str>>,
    name: &Arc<str>,
) {
    for (key, group) in groups.iter_mut() {
        match (how, listed.contains(key)) {
            (How::Add | How::Equal, true) => drop(set(group).insert(Arc::clone(name))),
            (How::Remove, true) | (How::Equal, false) => drop(set(group).remove(name)),
            (How::Add | How::Remove, false) => {}
        }
    }
}
