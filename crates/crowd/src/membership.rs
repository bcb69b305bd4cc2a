//! Every group with its direct members in one document. XML only, whatever a caller asks for.

use std::io::{self, Write};

use crate::reference;
use crate::stream::Chunks;
use crate::xml;

/// The document being written: a group, its users, its child groups, the next group, and so on.
///
/// Every visible group has to be named, empty ones too, since a product removes the members of a group it
/// does not find here. The end is written by [`Memberships::finish`] only.
pub struct Memberships<W> {
    chunks: Chunks<W>,
    place: Place,
}

/// Where in the document the writer stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the first group.
    Root,
    /// In a group without a member so far; the tag of its users is still open.
    NoUsers,
    /// In the users of a group.
    Users,
    /// In the child groups of a group.
    Groups,
}

impl<W: Write> Memberships<W> {
    /// Begins the document.
    pub fn new(writer: W) -> io::Result<Memberships<W>> {
        let mut chunks = Chunks::new(writer);
        chunks.item(|out| {
            xml::declaration(out);
            xml::open(out, "memberships");
        })?;
        Ok(Memberships {
            chunks,
            place: Place::Root,
        })
    }

    /// Begins the next group.
    pub fn group(&mut self, name: &str) -> io::Result<()> {
        let place = std::mem::replace(&mut self.place, Place::NoUsers);
        self.chunks.item(|out| {
            end_group(out, place);
            xml::start_tag(out, "membership");
            xml::attribute(out, "group", name);
            xml::end_tag(out);
            xml::start_tag(out, "users");
        })
    }

    /// Writes a user who is a direct member of the group; users come before child groups.
    pub fn user(&mut self, name: &str) -> io::Result<()> {
        let place = std::mem::replace(&mut self.place, Place::Users);
        if matches!(place, Place::Root | Place::Groups) {
            return Err(misplaced("a user"));
        }
        self.chunks.item(|out| {
            if place == Place::NoUsers {
                xml::end_tag(out);
            }
            reference::write_bare_xml(out, "user", name);
        })
    }

    /// Writes a group that is a direct member of the group.
    pub fn child_group(&mut self, name: &str) -> io::Result<()> {
        let place = std::mem::replace(&mut self.place, Place::Groups);
        if place == Place::Root {
            return Err(misplaced("a child group"));
        }
        self.chunks.item(|out| {
            if place != Place::Groups {
                end_users(out, place);
                xml::open(out, "groups");
            }
            reference::write_bare_xml(out, "group", name);
        })
    }

    /// Writes the end and gives the writer back.
    pub fn finish(self) -> io::Result<W> {
        let place = self.place;
        self.chunks.finish(|out| {
            end_group(out, place);
            xml::close(out, "memberships");
        })
    }
}

/// Appends what is still open of a group.
fn end_group(out: &mut Vec<u8>, place: Place) {
    match place {
        Place::Root => return,
        Place::NoUsers | Place::Users => {
            end_users(out, place);
            xml::empty(out, "groups");
        }
        Place::Groups => xml::close(out, "groups"),
    }
    xml::close(out, "membership");
}

fn end_users(out: &mut Vec<u8>, place: Place) {
    if place == Place::NoUsers {
        xml::end_empty(out);
    } else {
        xml::close(out, "users");
    }
}

fn misplaced(what: &str) -> io::Error {
    io::Error::other(format!("{what} stands outside its place in a membership"))
}
