//! The client's side: reading what a Crowd server answers, in XML, the way products read it.
//!
//! Lists are read entry by entry, so that a full synchronisation needs no more memory than what the caller
//! keeps. What a product's own client does with an odd answer is done here too: a user without `active` is
//! inactive, an event of an unknown name is an error.

mod tree;

use crate::attributes::Attributes;
use crate::error::Reason;
use crate::event::Operation;

use tree::{Node, read};

/// An answer that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the answer cannot be read: {0}")]
pub struct Unreadable(String);

/// The error entity. A reason that is not known reads as none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Why, in Crowd's words.
    pub reason: Option<Reason>,
    /// Why, in the server's.
    pub message: String,
}

/// A user, in full or by name only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct User {
    /// The user's name.
    pub name: String,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// The name shown to others.
    pub display_name: String,
    /// Mail address.
    pub email: String,
    /// The identity of the user for life; none in the short form.
    pub key: Option<String>,
    /// Whether the user may log in; false where the server does not say.
    pub active: bool,
    /// The attributes that came with it.
    pub attributes: Attributes,
}

/// A group, in full or by name only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// The group's name.
    pub name: String,
    /// What the group is for.
    pub description: String,
    /// `GROUP`; empty in the short form.
    pub kind: String,
    /// Whether the group counts; false where the server does not say.
    pub active: bool,
    /// The attributes that came with it.
    pub attributes: Attributes,
}

/// A group with its direct members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The group.
    pub group: String,
    /// Users that are direct members.
    pub users: Vec<String>,
    /// Groups that are direct members.
    pub child_groups: Vec<String>,
}

/// What the root of a list of events says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// The token to come back with.
    pub token: Option<String>,
    /// Whether coming back with it makes sense; false where the server does not say.
    pub incremental: bool,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A user appeared, changed or went.
    User {
        /// What happened.
        operation: Operation,
        /// The user, by name only if it went.
        user: User,
        /// The attributes the user now has.
        stored: Attributes,
        /// Names of attributes that went.
        deleted: Vec<String>,
    },
    /// A group appeared, changed or went.
    Group {
        /// What happened.
        operation: Operation,
        /// The group, by name only if it went.
        group: Group,
        /// The attributes the group now has.
        stored: Attributes,
        /// Names of attributes that went.
        deleted: Vec<String>,
    },
    /// A user's groups changed.
    UserMembership {
        /// Added to, removed from, or made equal to the list.
        operation: Operation,
        /// The user.
        child: String,
        /// The groups.
        parents: Vec<String>,
    },
    /// A group's neighbours changed.
    GroupMembership {
        /// Added to, removed from, or made equal to the lists.
        operation: Operation,
        /// The group.
        group: String,
        /// Groups above it.
        parents: Vec<String>,
        /// Groups below it.
        children: Vec<String>,
    },
}

/// Reads an error entity.
pub fn refusal(body: &[u8]) -> Result<Refusal, Unreadable> {
    let root = document(body, "error")?;
    let reason = root.text_of("reason");
    Ok(Refusal {
        reason: Reason::parse(reason.trim()),
        message: root.text_of("message"),
    })
}

/// Reads a single user.
pub fn user(body: &[u8]) -> Result<User, Unreadable> {
    user_of(&document(body, "user")?)
}

/// Reads a single group.
pub fn group(body: &[u8]) -> Result<Group, Unreadable> {
    group_of(&document(body, "group")?)
}

/// Reads the attributes of a user or group.
pub fn attributes(body: &[u8]) -> Result<Attributes, Unreadable> {
    attributes_of(&document(body, "attributes")?)
}

/// Reads a list of users and gives each to `take`.
pub fn users(body: &[u8], mut take: impl FnMut(User)) -> Result<(), Unreadable> {
    read(body, "users", |node| {
        if node.name == "user" {
            take(user_of(&node)?);
        }
        Ok(())
    })
    .map(drop)
}

/// Reads a list of groups and gives each to `take`.
pub fn groups(body: &[u8], mut take: impl FnMut(Group)) -> Result<(), Unreadable> {
    read(body, "groups", |node| {
        if node.name == "group" {
            take(group_of(&node)?);
        }
        Ok(())
    })
    .map(drop)
}

/// Reads all memberships and gives each to `take`.
pub fn memberships(body: &[u8], mut take: impl FnMut(Membership)) -> Result<(), Unreadable> {
    read(body, "memberships", |node| {
        if node.name == "membership" {
            take(Membership {
                group: node.required("group")?,
                users: names_of(&node, "users")?,
                child_groups: names_of(&node, "groups")?,
            });
        }
        Ok(())
    })
    .map(drop)
}

/// Reads a list of events, gives each to `take`, and tells what the root says.
pub fn events(body: &[u8], mut take: impl FnMut(Event)) -> Result<Feed, Unreadable> {
    let root = read(body, "events", |node| {
        take(event_of(&node)?);
        Ok(())
    })?;
    Ok(Feed {
        token: root.attribute("newEventToken").map(str::to_owned),
        incremental: root.attribute("incrementalSynchronisationAvailable") == Some("true"),
    })
}

/// Reads a document that is small enough to stand in memory.
fn document(body: &[u8], name: &str) -> Result<Node, Unreadable> {
    let mut children = Vec::new();
    let mut root = read(body, name, |node| {
        children.push(node);
        Ok(())
    })?;
    root.children = children;
    Ok(root)
}

fn user_of(node: &Node) -> Result<User, Unreadable> {
    Ok(User {
        name: node.required("name")?,
        first_name: node.text_of("first-name"),
        last_name: node.text_of("last-name"),
        display_name: node.text_of("display-name"),
        email: node.text_of("email"),
        key: node.child("key").map(|key| key.text.clone()),
        active: node.text_of("active").trim() == "true",
        attributes: node
            .child("attributes")
            .map_or(Ok(Attributes::new()), attributes_of)?,
    })
}

fn group_of(node: &Node) -> Result<Group, Unreadable> {
    Ok(Group {
        name: node.required("name")?,
        description: node.text_of("description"),
        kind: node.text_of("type"),
        active: node.text_of("active").trim() == "true",
        attributes: node
            .child("attributes")
            .map_or(Ok(Attributes::new()), attributes_of)?,
    })
}

fn attributes_of(node: &Node) -> Result<Attributes, Unreadable> {
    let mut attributes = Attributes::new();
    for attribute in node
        .children
        .iter()
        .filter(|child| child.name == "attribute")
    {
        let values = attribute
            .child("values")
            .map_or(&[][..], |values| &values.children);
        let values = values.iter().map(|value| value.text.clone()).collect();
        attributes.insert(attribute.required("name")?, values);
    }
    Ok(attributes)
}

fn attribute_names_of(node: &Node) -> Result<Vec<String>, Unreadable> {
    Ok(attributes_of(node)?.into_keys().collect())
}

fn names_of(node: &Node, list: &str) -> Result<Vec<String>, Unreadable> {
    let entries = node.child(list).map_or(&[][..], |list| &list.children);
    entries.iter().map(|entry| entry.required("name")).collect()
}

fn event_of(node: &Node) -> Result<Event, Unreadable> {
    let word = node.text_of("operation");
    let operation =
        Operation::parse(&word).ok_or_else(|| Unreadable(format!("operation <{word}>")))?;
    let missing = |what: &str| Unreadable(format!("<{}> without <{what}>", node.name));
    let part = |what: &str| node.child(what).ok_or_else(|| missing(what));
    match node.name.as_str() {
        "userEvent" => Ok(Event::User {
            operation,
            user: user_of(part("user")?)?,
            stored: node
                .child("storedAttributes")
                .map_or(Ok(Attributes::new()), attributes_of)?,
            deleted: node
                .child("deletedAttributes")
                .map_or(Ok(Vec::new()), attribute_names_of)?,
        }),
        // A product reads both without asking whether they are there.
        "groupEvent" => Ok(Event::Group {
            operation,
            group: group_of(part("group")?)?,
            stored: attributes_of(part("storedAttributes")?)?,
            deleted: attribute_names_of(part("deletedAttributes")?)?,
        }),
        "userMembershipEvent" => Ok(Event::UserMembership {
            operation,
            child: part("childUser")?.required("name")?,
            parents: names_of(node, "parentGroups")?,
        }),
        "groupMembershipEvent" => Ok(Event::GroupMembership {
            operation,
            group: part("group")?.required("name")?,
            parents: names_of(node, "parentGroups")?,
            children: names_of(node, "childGroups")?,
        }),
        other => Err(Unreadable(format!("an event <{other}>"))),
    }
}
