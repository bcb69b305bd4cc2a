//! Reading the event feed: what changed since a token.

use std::fmt;

use roxmltree::Node;

use super::local::{Group, User};
use super::{Answer, JiraError, xml};

/// What the feed answered.
pub(super) struct Feed {
    /// The token for the next time; `None` if the server does not offer incremental synchronisation.
    pub(super) token: Option<String>,
    pub(super) events: Vec<Event>,
}

/// One event, with what it says about users, groups or memberships.
pub(super) enum Event {
    PutUser(User),
    DeleteUser(String),
    PutGroup(Group),
    DeleteGroup(String),
    UserGroups {
        user: String,
        groups: Vec<String>,
        how: How,
    },
    GroupGroups {
        group: String,
        parents: Vec<String>,
        children: Vec<String>,
        how: How,
    },
}

/// How the listed groups change a membership.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    Add,
    Remove,
    /// The list is all there is.
    Equal,
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            How::Add => "added to",
            How::Remove => "removed from",
            How::Equal => "put into",
        })
    }
}

/// Reads the answer to `event` or `event/{token}`.
pub(super) fn feed(answer: &Answer) -> Result<Feed, JiraError> {
    xml::read(answer, "events", |root| {
        let available = root.attribute("incrementalSynchronisationAvailable") == Some("true");
        let token = root
            .attribute("newEventToken")
            .filter(|token| !token.is_empty())
            .map(str::to_owned);
        if available && token.is_none() {
            return Err("events are available but there is no newEventToken".to_owned());
        }
        let events = root
            .children()
            .filter(Node::is_element)
            .map(event)
            .collect::<Result<_, _>>()?;
        Ok(Feed {
            token: token.filter(|_| available),
            events,
        })
    })
}

fn event(node: Node<'_, '_>) -> Result<Event, String> {
    let kind = node.tag_name().name();
    let deleted = match xml::text(node, "operation").as_str() {
        "CREATED" => How::Add,
        "DELETED" => How::Remove,
        "UPDATED" => How::Equal,
        other => return Err(format!("a {kind} has the operation {other:?}")),
    };
    let part = |name: &str| xml::child(node, name).ok_or_else(|| format!("a {kind} has no {name}"));
    match (kind, deleted) {
        ("userEvent", How::Remove) => Ok(Event::DeleteUser(xml::name(part("user")?)?)),
        ("userEvent", _) => Ok(Event::PutUser(xml::user(part("user")?)?)),
        ("groupEvent", How::Remove) => Ok(Event::DeleteGroup(xml::name(part("group")?)?)),
        ("groupEvent", _) => {
            // The product reads both without a look at whether they are there.
            part("storedAttributes")?;
            part("deletedAttributes")?;
            Ok(Event::PutGroup(xml::group(part("group")?)?))
        }
        ("userMembershipEvent", how) => Ok(Event::UserGroups {
            user: xml::name(part("childUser")?)?,
            groups: xml::names(part("parentGroups")?, "group")?,
            how,
        }),
        ("groupMembershipEvent", how) => Ok(Event::GroupGroups {
            group: xml::name(part("group")?)?,
            parents: xml::names(part("parentGroups")?, "group")?,
            children: xml::names(part("childGroups")?, "group")?,
            how,
        }),
        (other, _) => Err(format!("an event of the unknown kind {other}")),
    }
}
