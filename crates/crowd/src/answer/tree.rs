//! Reads a document whose root is large and whose entries are small.

use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use crate::limits::XML_DEPTH_MAX;

use super::Unreadable;

/// An element with everything in it. At most [`XML_DEPTH_MAX`] deep, so that dropping it is safe.
#[derive(Debug, Default)]
pub struct Node {
    pub name: String,
    pub children: Vec<Node>,
    pub text: String,
    attributes: Vec<(String, String)>,
}

impl Node {
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn required(&self, name: &str) -> Result<String, Unreadable> {
        let missing = || Unreadable(format!("<{}> without {name}", self.name));
        self.attribute(name).map(str::to_owned).ok_or_else(missing)
    }

    pub fn child(&self, name: &str) -> Option<&Node> {
        self.children.iter().find(|child| child.name == name)
    }

    pub fn text_of(&self, name: &str) -> String {
        self.child(name)
            .map(|child| child.text.clone())
            .unwrap_or_default()
    }
}

/// Reads a document with a root of this name, gives each of the root's children to `take` as soon as it is
/// whole, and gives back the root without them.
///
/// A document that ends too early is an error, whatever was taken from it before.
pub fn read(
    body: &[u8],
    root: &str,
    mut take: impl FnMut(Node) -> Result<(), Unreadable>,
) -> Result<Node, Unreadable> {
    let text = std::str::from_utf8(body).map_err(|error| Unreadable(error.to_string()))?;
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Node> = Vec::new();
    loop {
        let event = reader
            .read_event()
            .map_err(|error| Unreadable(error.to_string()))?;
        let closed = match event {
            Event::Start(tag) => {
                open.push(start(&tag, open.len())?);
                continue;
            }
            Event::Empty(tag) => Some(start(&tag, open.len())?),
            Event::End(_) => open.pop(),
            Event::Text(piece) => add_text(&mut open, &piece.xml10_content()),
            Event::CData(piece) => add_text(&mut open, &piece.xml10_content()),
            Event::GeneralRef(reference) => {
                add_text(&mut open, resolve(&reference)?.encode_utf8(&mut [0; 4]))
            }
            Event::DocType(_) => return Err(Unreadable("it has a DOCTYPE".to_owned())),
            Event::Eof => return Err(Unreadable("it ends too early".to_owned())),
            _ => None,
        };
        let Some(node) = closed else { continue };
        match open.len() {
            0 if node.name == root => return Ok(node),
            0 => return Err(Unreadable(format!("<{}> instead of <{root}>", node.name))),
            1 => take(node)?,
            _ => {
                if let Some(parent) = open.last_mut() {
                    parent.children.push(node);
                }
            }
        }
    }
}

fn start(tag: &BytesStart<'_>, depth: usize) -> Result<Node, Unreadable> {
    if depth >= XML_DEPTH_MAX {
        return Err(Unreadable(format!(
            "it is nested deeper than {XML_DEPTH_MAX}"
        )));
    }
    let mut node = Node {
        name: tag.local_name().as_ref().to_owned(),
        ..Node::default()
    };
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(|error| Unreadable(error.to_string()))?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0);
        let value = value.map_err(|error| Unreadable(error.to_string()))?;
        node.attributes.push((
            attribute.key.local_name().as_ref().to_owned(),
            value.into_owned(),
        ));
    }
    Ok(node)
}

/// Text between the entries of the root is white space and is not kept.
fn add_text(open: &mut [Node], text: &str) -> Option<Node> {
    if open.len() > 1
        && let Some(node) = open.last_mut()
    {
        node.text.push_str(text);
    }
    None
}

fn resolve(reference: &BytesRef<'_>) -> Result<char, Unreadable> {
    let found = match &*reference.xml10_content() {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => reference
            .resolve_char_ref()
            .map_err(|error| Unreadable(error.to_string()))?,
    };
    found.ok_or_else(|| Unreadable("it has an unknown entity".to_owned()))
}
