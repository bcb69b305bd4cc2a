//! Who exists and who is in which group, as one side sees it: what an identity provider has sent, or a product has read.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

/// A user as products know one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Portrait {
    /// Whether the user may log in.
    pub active: bool,
    /// The name shown.
    pub display_name: String,
    /// The mail address.
    pub email: String,
}

/// All users by name, and all groups by name with the names of the users and the groups directly in them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Picture {
    /// The users.
    pub users: BTreeMap<String, Portrait>,
    /// The groups, with their users.
    pub groups: BTreeMap<String, BTreeSet<String>>,
    /// The groups that have groups in them, with those.
    pub nested: BTreeMap<String, BTreeSet<String>>,
}

impl Picture {
    /// How `seen` differs from this picture, one sentence each; empty if it does not.
    #[must_use]
    pub fn differences(&self, seen: &Picture) -> Vec<String> {
        let mut found = Vec::new();
        compare(
            &self.users,
            &seen.users,
            "user",
            &mut found,
            |name, wanted, got, found| {
                if wanted != got {
                    found.push(format!("user {name} should be {wanted:?} but is {got:?}"));
                }
            },
        );
        compare(
            &self.groups,
            &seen.groups,
            "group",
            &mut found,
            |name, wanted, got, found| {
                found.extend(
                    wanted
                        .difference(got)
                        .map(|member| format!("{member} is missing in group {name}")),
                );
                found.extend(
                    got.difference(wanted)
                        .map(|member| format!("{member} should not be in group {name}")),
                );
            },
        );
        let none = BTreeSet::new();
        for parent in self.nested.keys().chain(
            seen.nested
                .keys()
                .filter(|name| !self.nested.contains_key(*name)),
        ) {
            let wanted = self.nested.get(parent).unwrap_or(&none);
            let got = seen.nested.get(parent).unwrap_or(&none);
            found.extend(
                wanted
                    .difference(got)
                    .map(|child| format!("group {child} is missing in group {parent}")),
            );
            found.extend(
                got.difference(wanted)
                    .map(|child| format!("group {child} should not be in group {parent}")),
            );
        }
        found
    }

    /// How what a product sees differs from this picture of what was sent, as far as it must not. The server may keep
    /// what the provider took away but products have built on: a deleted group without its people, and the memberships
    /// of those who are inactive.
    #[must_use]
    pub fn differences_in_effect(&self, product: &Picture) -> Vec<String> {
        let mut product = product.among_the_active();
        product
            .groups
            .retain(|name, members| !members.is_empty() || self.groups.contains_key(name));
        self.among_the_active().differences(&product)
    }

    /// The same without the memberships of inactive users.
    fn among_the_active(&self) -> Picture {
        let is_active = |name: &String| self.users.get(name).is_some_and(|user| user.active);
        let mut picture = self.clone();
        for members in picture.groups.values_mut() {
            members.retain(|name| is_active(name));
        }
        picture
    }

    /// Both pictures in one; users and groups of the same name are joined.
    #[must_use]
    pub fn with(mut self, other: Picture) -> Picture {
        self.users.extend(other.users);
        for (name, members) in other.groups {
            self.groups.entry(name).or_default().extend(members);
        }
        for (name, children) in other.nested {
            self.nested.entry(name).or_default().extend(children);
        }
        self
    }
}

fn compare<T>(
    wanted: &BTreeMap<String, T>,
    seen: &BTreeMap<String, T>,
    what: &str,
    found: &mut Vec<String>,
    each: impl Fn(&str, &T, &T, &mut Vec<String>),
) {
    for (name, value) in wanted {
        match seen.get(name) {
            Some(other) => each(name, value, other, found),
            None => found.push(format!("{what} {name} is missing")),
        }
    }
    found.extend(
        seen.keys()
            .filter(|name| !wanted.contains_key(*name))
            .map(|name| format!("{what} {name} should not be there")),
    );
}

#[cfg(test)]
mod tests {
    use super::{Picture, Portrait};

    #[test]
    fn what_has_no_effect_may_stay() {
        let user = |active| Portrait {
            active,
            display_name: String::new(),
            email: String::new(),
        };
        let mut sent = Picture::default();
        sent.users.insert("a".to_owned(), user(true));
        sent.users.insert("b".to_owned(), user(false));
        sent.groups.insert("g".to_owned(), ["a".to_owned()].into());
        let mut seen = sent.clone();
        seen.groups
            .insert("g".to_owned(), ["a".to_owned(), "b".to_owned()].into());
        seen.groups
            .insert("deleted".to_owned(), ["b".to_owned()].into());
        assert_eq!(sent.differences_in_effect(&seen), Vec::<String>::new());
        seen.groups
            .insert("deleted".to_owned(), ["a".to_owned()].into());
        assert_eq!(sent.differences_in_effect(&seen).len(), 1);
    }

    #[test]
    fn every_difference_is_told() {
        let user = |active| Portrait {
            active,
            display_name: "A".to_owned(),
            email: String::new(),
        };
        let mut wanted = Picture::default();
        wanted.users.insert("a".to_owned(), user(true));
        wanted.users.insert("b".to_owned(), user(true));
        wanted
            .groups
            .insert("g".to_owned(), ["a".to_owned()].into());
        let mut seen = Picture::default();
        seen.users.insert("a".to_owned(), user(false));
        seen.users.insert("c".to_owned(), user(true));
        seen.groups.insert("g".to_owned(), ["b".to_owned()].into());
        seen.groups.insert("h".to_owned(), [].into());
        assert_eq!(wanted.differences(&seen).len(), 6);
        wanted
            .nested
            .insert("g".to_owned(), ["i".to_owned()].into());
        seen.nested.insert("h".to_owned(), ["g".to_owned()].into());
        assert_eq!(wanted.differences(&seen).len(), 8);
        assert_eq!(wanted.differences(&wanted.clone()), Vec::<String>::new());
    }
}
