//! Events: what changed since a token, for products that follow us step by step.

use std::fmt;
use std::io::{self, Write};

use crate::attributes::{self, Attributes};
use crate::error::{CrowdError, Reason};
use crate::format::Format;
use crate::group::Group;
use crate::reference;
use crate::stream::Chunks;
use crate::style::{Detail, Style};
use crate::user::User;
use crate::{json, xml};

/// A place in an event stream: which store, and how far.
///
/// Another store, a later place than the newest, or a place no longer kept are all the same to a client:
/// it has to synchronise in full.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EventToken {
    /// Names one life of one stream; letters, digits, `-`, `_` and `.` only.
    pub store: String,
    /// The last change the client knows, of each part of the stream; at least one.
    pub sequences: Vec<u64>,
}

impl EventToken {
    /// Reads a token that has been percent-decoded. Whatever cannot be a token counts as expired.
    pub fn parse(text: &str) -> Result<EventToken, CrowdError> {
        let (store, sequences) = text.rsplit_once(':').ok_or_else(expired)?;
        let in_store = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if store.is_empty() || !store.bytes().all(in_store) {
            return Err(expired());
        }
        // One spelling for each number, so that equal places are equal texts.
        let number = |text: &str| {
            let value = text.parse::<u64>().ok();
            value.filter(|value| value.to_string() == text)
        };
        let sequences: Option<Vec<u64>> = sequences.split('.').map(number).collect();
        Ok(EventToken {
            store: store.to_owned(),
            sequences: sequences.ok_or_else(expired)?,
        })
    }
}

impl fmt::Display for EventToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.store)?;
        for (index, sequence) in self.sequences.iter().enumerate() {
            let between = if index == 0 { "" } else { "." };
            write!(f, "{between}{sequence}")?;
        }
        Ok(())
    }
}

/// The refusal that sends a product back to a full synchronisation.
pub fn expired() -> CrowdError {
    CrowdError::new(
        Reason::EventTokenExpired,
        "This event token is not valid here any longer. Please synchronise in full.",
    )
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Something appeared.
    Created,
    /// Something is now as the event shows it.
    Updated,
    /// Something went.
    Deleted,
}

impl Operation {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Operation::Created => "CREATED",
            Operation::Updated => "UPDATED",
            Operation::Deleted => "DELETED",
        }
    }

    /// The operation a word on the wire names.
    pub fn parse(text: &str) -> Option<Operation> {
        match text {
            "CREATED" => Some(Operation::Created),
            "UPDATED" => Some(Operation::Updated),
            "DELETED" => Some(Operation::Deleted),
            _ => None,
        }
    }
}

/// The list of events being written, in the order in which a product is to apply them. The end is written by
/// [`Events::finish`] only.
pub struct Events<W> {
    chunks: Chunks<W>,
    style: Style,
    first: bool,
}

/// The attributes of the root.
const NEW_TOKEN: &str = "newEventToken";
const AVAILABLE: &str = "incrementalSynchronisationAvailable";

impl<W: Write> Events<W> {
    /// Begins a list that leads up to `token`. `available` tells the product whether it may come back with
    /// the token or has to synchronise in full each time.
    pub fn new(
        writer: W,
        style: Style,
        token: &EventToken,
        available: bool,
    ) -> io::Result<Events<W>> {
        let mut chunks = Chunks::new(writer);
        chunks.item(|out| begin(out, style.format, token, available))?;
        Ok(Events {
            chunks,
            style,
            first: true,
        })
    }

    /// A user is as given, with these attributes; `deleted` names attributes that went.
    pub fn user(
        &mut self,
        operation: Operation,
        user: &User<'_>,
        deleted: &[&str],
    ) -> io::Result<()> {
        let bare = User {
            attributes: attributes::NONE,
            ..*user
        };
        self.entity(
            "userEvent",
            "user",
            operation,
            user.attributes,
            deleted,
            |out, style| {
                bare.write(out, style, Detail::Lean);
            },
        )
    }

    /// A group is as given, with these attributes; `deleted` names attributes that went.
    pub fn group(
        &mut self,
        operation: Operation,
        group: &Group<'_>,
        deleted: &[&str],
    ) -> io::Result<()> {
        let bare = Group {
            attributes: attributes::NONE,
            ..*group
        };
        self.entity(
            "groupEvent",
            "group",
            operation,
            group.attributes,
            deleted,
            |out, style| {
                bare.write(out, style, Detail::Lean);
            },
        )
    }

    /// A user has gone; `name` is the name the product knows.
    pub fn user_deleted(&mut self, name: &str) -> io::Result<()> {
        self.deleted("userEvent", "user", name)
    }

    /// A group has gone; `name` is the name the product knows.
    pub fn group_deleted(&mut self, name: &str) -> io::Result<()> {
        self.deleted("groupEvent", "group", name)
    }

    /// A user's direct groups: added to, removed from, or made equal to `parents`.
    pub fn user_membership<'n>(
        &mut self,
        operation: Operation,
        child: &str,
        parents: impl IntoIterator<Item = &'n str>,
    ) -> io::Result<()> {
        self.event("userMembershipEvent", |event| {
            event.operation(operation);
            event.name("childUser", child);
            event.names("parentGroups", parents);
        })
    }

    /// A group's direct parents and children: added to, removed from, or made equal to these.
    pub fn group_membership<'n>(
        &mut self,
        operation: Operation,
        group: &str,
        parents: impl IntoIterator<Item = &'n str>,
        children: impl IntoIterator<Item = &'n str>,
    ) -> io::Result<()> {
        self.event("groupMembershipEvent", |event| {
            event.operation(operation);
            event.name("group", group);
            event.names("parentGroups", parents);
            event.names("childGroups", children);
        })
    }

    /// Writes the end and gives the writer back.
    pub fn finish(self) -> io::Result<W> {
        let (format, empty) = (self.style.format, self.first);
        self.chunks.finish(|out| match format {
            Format::Xml if empty => xml::end_empty(out),
            Format::Xml => xml::close(out, "events"),
            Format::Json => out.extend_from_slice(b"]}"),
        })
    }

    fn entity(
        &mut self,
        event: &str,
        kind: &'static str,
        operation: Operation,
        stored: &Attributes,
        deleted: &[&str],
        write: impl FnOnce(&mut Vec<u8>, &Style),
    ) -> io::Result<()> {
        let gone: Attributes = deleted
            .iter()
            .map(|name| ((*name).to_owned(), Vec::new()))
            .collect();
        self.event(event, |event| {
            event.operation(operation);
            event.entity(kind, write);
            event.attributes("storedAttributes", stored);
            event.attributes("deletedAttributes", &gone);
        })
    }

    /// Both attribute elements go with it, since a product reads a group's without asking whether they are there.
    fn deleted(&mut self, event: &str, kind: &'static str, name: &str) -> io::Result<()> {
        self.event(event, |event| {
            event.operation(Operation::Deleted);
            event.name(kind, name);
            if kind == "group" {
                event.attributes("storedAttributes", attributes::NONE);
                event.attributes("deletedAttributes", attributes::NONE);
            }
        })
    }

    fn event(&mut self, name: &str, write: impl FnOnce(&mut Event<'_>)) -> io::Result<()> {
        let first = std::mem::replace(&mut self.first, false);
        let style = &self.style;
        self.chunks.item(|out| match style.format {
            Format::Xml => {
                if first {
                    xml::end_tag(out);
                }
                xml::open(out, name);
                write(&mut Event::Xml { out, style });
                xml::close(out, name);
            }
            Format::Json => {
                if !first {
                    out.push(b',');
                }
                let mut wrapper = json::Object::open(out);
                let inner = json::Object::open(wrapper.member(name));
                let mut event = Event::Json {
                    object: inner,
                    style,
                };
                write(&mut event);
                if let Event::Json { object, .. } = event {
                    object.close();
                }
                wrapper.close();
            }
        })
    }
}

fn begin(out: &mut Vec<u8>, format: Format, token: &EventToken, available: bool) {
    match format {
        Format::Xml => {
            xml::declaration(out);
            xml::start_tag(out, "events");
            xml::attribute(out, NEW_TOKEN, &token.to_string());
            xml::attribute(out, AVAILABLE, if available { "true" } else { "false" });
        }
        Format::Json => {
            let mut object = json::Object::open(out);
            object.text(NEW_TOKEN, &token.to_string());
            object.flag(AVAILABLE, available);
            object.member("events").push(b'[');
        }
    }
}

/// One event being written. In JSON, which no client was seen to read, it is an object with one member named
/// like the XML element.
enum Event<'a> {
    Xml {
        out: &'a mut Vec<u8>,
        style: &'a Style,
    },
    Json {
        object: json::Object<'a>,
        style: &'a Style,
    },
}

impl Event<'_> {
    fn operation(&mut self, operation: Operation) {
        match self {
            Event::Xml { out, .. } => xml::element(out, "operation", operation.as_str()),
            Event::Json { object, .. } => object.text("operation", operation.as_str()),
        }
    }

    fn entity(&mut self, kind: &str, write: impl FnOnce(&mut Vec<u8>, &Style)) {
        match self {
            Event::Xml { out, style } => write(out, style),
            Event::Json { object, style } => write(object.member(kind), style),
        }
    }

    fn name(&mut self, tag: &str, name: &str) {
        match self {
            Event::Xml { out, .. } => reference::write_bare_xml(out, tag, name),
            Event::Json { object, .. } => reference::write_bare_json(object.member(tag), name),
        }
    }

    fn names<'n>(&mut self, tag: &str, names: impl IntoIterator<Item = &'n str>) {
        match self {
            Event::Xml { out, .. } => {
                xml::start_tag(out, tag);
                let mut empty = true;
                for name in names {
                    if std::mem::replace(&mut empty, false) {
                        xml::end_tag(out);
                    }
                    reference::write_bare_xml(out, "group", name);
                }
                if empty {
                    xml::end_empty(out);
                } else {
                    xml::close(out, tag);
                }
            }
            Event::Json { object, .. } => object.array(tag, names, reference::write_bare_json),
        }
    }

    fn attributes(&mut self, tag: &str, attributes: &Attributes) {
        match self {
            Event::Xml { out, .. } => attributes::write_list_xml(out, tag, attributes, None),
            Event::Json { object, .. } => {
                attributes::write_list_json(object.member(tag), attributes, None)
            }
        }
    }
}
