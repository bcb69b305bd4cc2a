//! Reading a Crowd server's XML as strictly as Atlassian's client: no namespaces, no DOCTYPE, nothing missing.

use std::collections::BTreeSet;

use roxmltree::{Document, Node, ParsingOptions};

use super::local::{Group, User};
use super::{Answer, JiraError};

/// One group's direct members in the answer of `group/membership`.
pub(super) struct Membership {
    pub(super) group: String,
    pub(super) users: Vec<String>,
    pub(super) children: Vec<String>,
}

/// Parses an answer whose root has the given name, and reads it.
pub(super) fn read<T>(
    answer: &Answer,
    root: &str,
    reader: impl FnOnce(Node<'_, '_>) -> Result<T, String>,
) -> Result<T, JiraError> {
    let parsed = parse(answer).and_then(|text| {
        let document = Document::parse_with_options(text, ParsingOptions::default())
            .map_err(|error| format!("the answer is no XML: {error}"))?;
        let element = document.root_element();
        if is(element, root) {
            reader(element)
        } else {
            Err(format!("the root element is not {root}"))
        }
    });
    parsed.map_err(|why| JiraError::invalid(answer, why))
}

fn parse(answer: &Answer) -> Result<&str, String> {
    let kind = answer.header("content-type").unwrap_or_default();
    if kind
        .split(';')
        .next()
        .is_none_or(|essence| essence.trim() != "application/xml")
    {
        return Err(format!("the content type is {kind:?}"));
    }
    std::str::from_utf8(&answer.body).map_err(|error| format!("the answer is not UTF-8: {error}"))
}

/// The full users of a list.
pub(super) fn users(answer: &Answer) -> Result<Vec<User>, JiraError> {
    read(answer, "users", |root| {
        let users: Vec<User> = children(root, "user").map(user).collect::<Result<_, _>>()?;
        only_once("user", users.iter().map(|user| user.name.to_lowercase()))?;
        only_once("key", users.iter().map(|user| user.key.clone()))?;
        Ok(users)
    })
}

/// The full groups of a list. Names that differ in case only break a synchronisation.
pub(super) fn groups(answer: &Answer) -> Result<Vec<Group>, JiraError> {
    read(answer, "groups", |root| {
        let groups: Vec<Group> = children(root, "group")
            .map(group)
            .collect::<Result<_, _>>()?;
        only_once(
            "group",
            groups.iter().map(|group| group.name.to_lowercase()),
        )?;
        Ok(groups)
    })
}

/// All memberships.
pub(super) fn memberships(answer: &Answer) -> Result<Vec<Membership>, JiraError> {
    read(answer, "memberships", |root| {
        let memberships: Vec<Membership> = children(root, "membership")
            .map(membership)
            .collect::<Result<_, _>>()?;
        only_once(
            "membership of group",
            memberships.iter().map(|each| each.group.to_lowercase()),
        )?;
        Ok(memberships)
    })
}

/// Reason and message of an error entity; empty texts if the answer has none.
pub(super) fn error(answer: &Answer) -> (String, String) {
    let found = read(answer, "error", |root| {
        Ok((text(root, "reason"), text(root, "message")))
    });
    found.unwrap_or_default()
}

/// A full user. `active` is a plain boolean in the client, so that a missing one would silently mean "inactive".
pub(super) fn user(node: Node<'_, '_>) -> Result<User, String> {
    let name = name(node)?;
    let Some(active) = flag(node, "active")? else {
        return Err(format!("user {name} has no active"));
    };
    let key = text(node, "key");
    if key.is_empty() {
        return Err(format!("user {name} has no key"));
    }
    Ok(User {
        key,
        first_name: text(node, "first-name"),
        last_name: text(node, "last-name"),
        display_name: text(node, "display-name"),
        email: text(node, "email"),
        active,
        name,
    })
}

/// A full group.
pub(super) fn group(node: Node<'_, '_>) -> Result<Group, String> {
    let name = name(node)?;
    if text(node, "type") != "GROUP" {
        return Err(format!("group {name} is not of type GROUP"));
    }
    if flag(node, "active")?.is_none() {
        return Err(format!("group {name} has no active"));
    }
    Ok(Group::new(name, text(node, "description")))
}

fn membership(node: Node<'_, '_>) -> Result<Membership, String> {
    let group = node
        .attribute("group")
        .filter(|name| !name.is_empty())
        .ok_or("a membership names no group")?;
    let list = |wrapper: &str, item: &str| match child(node, wrapper) {
        Some(list) => names(list, item),
        None => Err(format!("the membership of {group} has no {wrapper}")),
    };
    Ok(Membership {
        group: group.to_owned(),
        users: list("users", "user")?,
        children: list("groups", "group")?,
    })
}

/// The names of the elements `item` in a list.
pub(super) fn names(list: Node<'_, '_>, item: &str) -> Result<Vec<String>, String> {
    children(list, item).map(name).collect()
}

/// The attribute `name`, which must not be empty.
pub(super) fn name(node: Node<'_, '_>) -> Result<String, String> {
    let name = node.attribute("name").filter(|name| !name.is_empty());
    name.map(str::to_owned)
        .ok_or_else(|| format!("a {} has no name", node.tag_name().name()))
}

/// The child element of this name, in no namespace.
pub(super) fn child<'a, 'i>(node: Node<'a, 'i>, wanted: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|child| is(*child, wanted))
}

/// The text of a child element; empty if it is missing.
pub(super) fn text(node: Node<'_, '_>, wanted: &str) -> String {
    child(node, wanted)
        .and_then(|child| child.text())
        .unwrap_or_default()
        .to_owned()
}

fn children<'a, 'i: 'a>(node: Node<'a, 'i>, wanted: &'a str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(move |child| is(*child, wanted))
}

fn is(node: Node<'_, '_>, wanted: &str) -> bool {
    node.is_element() && node.tag_name().name() == wanted && node.tag_name().namespace().is_none()
}

fn flag(node: Node<'_, '_>, wanted: &str) -> Result<Option<bool>, String> {
    match child(node, wanted).map(|child| child.text().unwrap_or_default()) {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(other) => Err(format!("{wanted} is {other:?}, not true or false")),
    }
}

fn only_once(what: &str, names: impl Iterator<Item = String>) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for name in names {
        if let Some(twice) = seen.replace(name) {
            return Err(format!("the {what} {twice} is there twice"));
        }
    }
    Ok(())
}

/// A text in XML content or in a double-quoted attribute.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
