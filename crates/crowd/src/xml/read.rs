//! Reading XML: a check for what must not come in, then a small read-only tree.

use quick_xml::Reader;
use quick_xml::events::{BytesDecl, BytesStart, Event};

use crate::error::{CrowdError, echo};
use crate::limits::{XML_ATTRIBUTES_MAX, XML_DEPTH_MAX, XML_ELEMENTS_MAX};

/// Reads a document and gives its root to `take`.
///
/// The check comes first and runs over a flat series of events, so that neither depth nor number nor a
/// DOCTYPE ever reaches the tree.
pub fn document<T>(
    body: &[u8],
    take: impl FnOnce(Element<'_, '_>) -> Result<T, CrowdError>,
) -> Result<T, CrowdError> {
    let text = std::str::from_utf8(body)
        .map_err(|error| broken(format!("it is not UTF-8 (byte {})", error.valid_up_to())))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    check(text)?;
    let tree =
        roxmltree::Document::parse(text).map_err(|error| broken(echo(&error.to_string())))?;
    take(Element {
        node: tree.root_element(),
    })
}

/// Refuses what section 7's limits refuse, before anything is built.
fn check(text: &str) -> Result<(), CrowdError> {
    let mut reader = Reader::from_str(text);
    let mut depth = 0;
    let mut elements = 0;
    loop {
        match reader
            .read_event()
            .map_err(|error| broken(echo(&error.to_string())))?
        {
            Event::Start(tag) => {
                depth += 1;
                elements += 1;
                check_tag(&tag, depth, elements)?;
            }
            Event::Empty(tag) => {
                elements += 1;
                check_tag(&tag, depth + 1, elements)?;
            }
            Event::End(_) => depth = depth.saturating_sub(1),
            Event::DocType(_) => return Err(broken("a DOCTYPE is not allowed")),
            Event::Decl(declaration) => check_encoding(&declaration)?,
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

fn check_tag(tag: &BytesStart<'_>, depth: usize, elements: usize) -> Result<(), CrowdError> {
    if depth > XML_DEPTH_MAX {
        return Err(broken(format!(
            "elements are nested deeper than {XML_DEPTH_MAX}"
        )));
    }
    if elements > XML_ELEMENTS_MAX {
        return Err(broken(format!(
            "it has more than {XML_ELEMENTS_MAX} elements"
        )));
    }
    let mut attributes = tag.attributes();
    if attributes
        .with_checks(false)
        .take(XML_ATTRIBUTES_MAX + 1)
        .count()
        > XML_ATTRIBUTES_MAX
    {
        return Err(broken(format!(
            "a tag has more than {XML_ATTRIBUTES_MAX} attributes"
        )));
    }
    Ok(())
}

/// Only UTF-8 is read; a document that calls itself something else would be misread.
fn check_encoding(declaration: &BytesDecl<'_>) -> Result<(), CrowdError> {
    match declaration.encoding() {
        Some(Ok(name)) if ["utf-8", "us-ascii"].contains(&name.to_ascii_lowercase().as_str()) => {
            Ok(())
        }
        Some(_) => Err(broken("its encoding is not UTF-8")),
        None => Ok(()),
    }
}

fn broken(why: impl std::fmt::Display) -> CrowdError {
    CrowdError::illegal_argument(format!("The XML in the request cannot be read: {why}."))
}

/// An element of a request. Names count without their namespace, order and unknown neighbours not at all.
#[derive(Clone, Copy)]
pub struct Element<'a, 'input> {
    node: roxmltree::Node<'a, 'input>,
}

impl<'a, 'input> Element<'a, 'input> {
    /// The element's own name.
    pub fn name(&self) -> &'a str {
        self.node.tag_name().name()
    }

    /// An attribute's value.
    pub fn attribute(&self, name: &str) -> Option<&'a str> {
        let named = |attribute: &roxmltree::Attribute<'_, '_>| attribute.name() == name;
        self.node
            .attributes()
            .find(named)
            .map(|attribute| attribute.value())
    }

    /// All child elements.
    pub fn children(&self) -> impl Iterator<Item = Element<'a, 'input>> + use<'a, 'input> {
        self.node
            .children()
            .filter(|node| node.is_element())
            .map(|node| Element { node })
    }

    /// The child elements of one name.
    pub fn all(&self, name: &str) -> impl Iterator<Item = Element<'a, 'input>> {
        self.children().filter(move |child| child.name() == name)
    }

    /// The first child element of this name.
    pub fn child(&self, name: &str) -> Option<Element<'a, 'input>> {
        self.all(name).next()
    }

    /// The element's text as it stands; comments in between do not cut it short.
    pub fn text(&self) -> String {
        self.node
            .children()
            .filter(|node| node.is_text())
            .filter_map(|node| node.text())
            .collect()
    }

    /// The text of the first child element of this name.
    pub fn text_of(&self, name: &str) -> Option<String> {
        self.child(name).map(|child| child.text())
    }

    /// The text of the first child element that has one of these names.
    pub fn text_of_any(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| self.text_of(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Reason;
    use proptest::prelude::*;

    fn read(body: impl AsRef<[u8]>) -> Result<String, CrowdError> {
        document(body.as_ref(), |root| Ok(root.text()))
    }

    fn refused(body: impl AsRef<[u8]>) -> String {
        let error = read(body).unwrap_err();
        assert_eq!((error.status, error.reason), (400, Reason::IllegalArgument));
        error.message
    }

    fn nested(depth: usize) -> String {
        format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth))
    }

    fn attributes(count: usize) -> String {
        let list: String = (0..count).map(|n| format!(" a{n}=\"\"")).collect();
        format!("<a{list}/>")
    }

    fn siblings(count: usize) -> String {
        format!("<a>{}</a>", "<b/>".repeat(count - 1))
    }

    #[test]
    fn each_limit_holds_at_and_above() {
        assert!(read(nested(XML_DEPTH_MAX)).is_ok());
        assert!(refused(nested(XML_DEPTH_MAX + 1)).contains("deeper"));
        assert!(refused(nested(60_000)).contains("deeper"));
        let leaf = format!(
            "{}<a/>{}",
            "<a>".repeat(XML_DEPTH_MAX),
            "</a>".repeat(XML_DEPTH_MAX)
        );
        assert!(refused(leaf).contains("deeper"));
        assert!(read(siblings(XML_ELEMENTS_MAX)).is_ok());
        assert!(refused(siblings(XML_ELEMENTS_MAX + 1)).contains("elements"));
        assert!(read(attributes(XML_ATTRIBUTES_MAX)).is_ok());
        assert!(refused(attributes(XML_ATTRIBUTES_MAX + 1)).contains("attributes"));
        assert!(refused(attributes(50_000)).contains("attributes"));
    }

    #[test]
    fn a_doctype_is_refused_whatever_it_says() {
        for text in [
            "<!DOCTYPE a><a/>",
            "<?xml version=\"1.0\"?><!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>",
            "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>",
            "<!DOCTYPE a []><a/>",
        ] {
            assert!(refused(text).contains("DOCTYPE"), "{text}");
        }
        assert!(!refused("<a>&x;</a>").is_empty());
    }

    #[test]
    fn only_utf8_is_read() {
        assert_eq!(read("\u{feff}<a>ü</a>").unwrap(), "ü");
        assert_eq!(
            read("<?xml version='1.0' encoding='utf-8'?><a>ü</a>").unwrap(),
            "ü"
        );
        assert!(refused("<?xml version='1.0' encoding='UTF-16'?><a/>").contains("UTF-8"));
        assert!(refused("<?xml version='1.0' encoding='UTF-7'?><a/>").contains("UTF-8"));
        assert!(refused(b"<a>\xfc</a>").contains("UTF-8"));
        let wide: Vec<u8> = "<a/>".encode_utf16().flat_map(u16::to_be_bytes).collect();
        refused([&[0xfe, 0xff], wide.as_slice()].concat());
    }

    #[test]
    fn broken_documents_are_refused() {
        for text in [
            "",
            " ",
            "<a>",
            "<a></b>",
            "<a/><b/>",
            "text",
            "<a b></a>",
            "<a b=c/>",
            "<a:b/>",
            "<a b='1' b='2'/>",
            "<a>a\0b</a>",
            "<a>a&#0;b</a>",
            "<a b='&#x0;'/>",
        ] {
            refused(text);
        }
    }

    #[test]
    fn namespaces_comments_and_character_data_do_not_matter() {
        assert_eq!(
            read("<p:a xmlns:p='urn:x'>x<!-- - -->y<![CDATA[<z>]]>&amp;</p:a>").unwrap(),
            "xy<z>&"
        );
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(body);
        }

        #[test]
        fn random_markup_never_panics(body in "[<>/a!\\[\\]\"'=&;#?x\\- ]{0,60}") {
            let _ = read(body);
        }
    }
}
