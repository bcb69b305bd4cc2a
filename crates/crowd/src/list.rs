//! Lists of users and of groups, written item by item.

use std::io::{self, Write};
use std::marker::PhantomData;

use crate::format::Format;
use crate::group::Group;
use crate::reference::{self, Kind};
use crate::stream::Chunks;
use crate::style::Style;
use crate::user::User;
use crate::xml;

/// What a list can hold.
pub trait Entry: sealed::Entry {}

impl Entry for User<'_> {}
impl Entry for Group<'_> {}

mod sealed {
    use super::{Kind, Style};

    pub trait Entry {
        const KIND: Kind;
        fn write_entry(&self, out: &mut Vec<u8>, style: &Style);
    }
}

impl sealed::Entry for User<'_> {
    const KIND: Kind = Kind::User;

    fn write_entry(&self, out: &mut Vec<u8>, style: &Style) {
        self.write(out, style, style.in_list());
    }
}

impl sealed::Entry for Group<'_> {
    const KIND: Kind = Kind::Group;

    fn write_entry(&self, out: &mut Vec<u8>, style: &Style) {
        self.write(out, style, style.in_list());
    }
}

/// A list being written. The end is written by [`List::finish`] only: whoever drops the list on an error
/// leaves a document that no reader takes for a whole one.
pub struct List<W, E> {
    chunks: Chunks<W>,
    style: Style,
    first: bool,
    entry: PhantomData<fn(E)>,
}

/// A list of users.
pub type UserList<W> = List<W, User<'static>>;

/// A list of groups.
pub type GroupList<W> = List<W, Group<'static>>;

impl<W: Write, E: Entry> List<W, E> {
    /// Begins a list.
    pub fn new(writer: W, style: Style) -> io::Result<List<W, E>> {
        let mut list = List {
            chunks: Chunks::new(writer),
            style,
            first: true,
            entry: PhantomData,
        };
        let format = list.style.format;
        list.chunks.item(|out| begin(out, E::KIND, format))?;
        Ok(list)
    }

    /// Writes an entry in its short form.
    pub fn push_name(&mut self, name: &str) -> io::Result<()> {
        let first = self.is_first();
        let style = &self.style;
        self.chunks.item(|out| {
            separate(out, style.format, first);
            reference::write(out, E::KIND, name, style);
        })
    }

    /// Writes the end and gives the writer back.
    pub fn finish(self) -> io::Result<W> {
        let (format, first) = (self.style.format, self.first);
        self.chunks.finish(|out| end(out, E::KIND, format, first))
    }

    fn push_full(&mut self, entry: &impl sealed::Entry) -> io::Result<()> {
        let first = self.is_first();
        let style = &self.style;
        self.chunks.item(|out| {
            separate(out, style.format, first);
            entry.write_entry(out, style);
        })
    }

    fn is_first(&mut self) -> bool {
        std::mem::replace(&mut self.first, false)
    }
}

impl<W: Write> UserList<W> {
    /// Writes a user in full.
    pub fn push(&mut self, user: &User<'_>) -> io::Result<()> {
        self.push_full(user)
    }
}

impl<W: Write> GroupList<W> {
    /// Writes a group in full.
    pub fn push(&mut self, group: &Group<'_>) -> io::Result<()> {
        self.push_full(group)
    }
}

/// Appends everything up to the first entry. In XML the `>` of the root waits for the first entry.
fn begin(out: &mut Vec<u8>, kind: Kind, format: Format) {
    match format {
        Format::Xml => {
            xml::declaration(out);
            xml::start_tag(out, kind.plural());
            xml::attribute(out, "expand", kind.tag());
        }
        Format::Json => {
            out.extend_from_slice(b"{\"expand\":\"");
            out.extend_from_slice(kind.tag().as_bytes());
            out.extend_from_slice(b"\",\"");
            out.extend_from_slice(kind.plural().as_bytes());
            out.extend_from_slice(b"\":[");
        }
    }
}

fn separate(out: &mut Vec<u8>, format: Format, first: bool) {
    match format {
        Format::Xml if first => xml::end_tag(out),
        Format::Json if !first => out.push(b','),
        _ => {}
    }
}

fn end(out: &mut Vec<u8>, kind: Kind, format: Format, empty: bool) {
    match format {
        Format::Xml if empty => xml::end_empty(out),
        Format::Xml => xml::close(out, kind.plural()),
        Format::Json => out.extend_from_slice(b"]}"),
    }
}
