//! Writing XML: elements and attributes straight into a buffer, escaped, without a tree.

pub mod read;

/// What a byte needs before it may stand in the output.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Care {
    /// Copied as it is.
    None,
    /// Replaced by a reference.
    Escape(&'static str),
    /// Forbidden in XML 1.0: removed.
    Remove,
    /// The first byte of U+F000 to U+FFFF, of which two are forbidden.
    Look,
}

/// What needs care in element content. A carriage return would be read back as a line feed.
const IN_TEXT: [Care; 256] = table(false);

/// What needs care in an attribute, where a reader turns white space into spaces.
const IN_ATTRIBUTE: [Care; 256] = table(true);

const fn table(attribute: bool) -> [Care; 256] {
    let mut table = [Care::None; 256];
    let mut control = 0;
    while control < 0x20 {
        table[control] = Care::Remove;
        control += 1;
    }
    table[b'\t' as usize] = if attribute {
        Care::Escape("&#9;")
    } else {
        Care::None
    };
    table[b'\n' as usize] = if attribute {
        Care::Escape("&#10;")
    } else {
        Care::None
    };
    table[b'\r' as usize] = Care::Escape("&#13;");
    table[b'&' as usize] = Care::Escape("&amp;");
    table[b'<' as usize] = Care::Escape("&lt;");
    table[b'>' as usize] = Care::Escape("&gt;");
    if attribute {
        table[b'"' as usize] = Care::Escape("&quot;");
    }
    table[0xEF] = Care::Look;
    table
}

/// Appends `text` with everything replaced or removed that the table names.
fn escape(out: &mut Vec<u8>, text: &str, table: &[Care; 256]) {
    let bytes = text.as_bytes();
    let mut copied = 0;
    for (at, byte) in bytes.iter().enumerate() {
        let (replacement, length) = match table[usize::from(*byte)] {
            Care::None => continue,
            Care::Escape(reference) => (reference, 1),
            Care::Remove => ("", 1),
            Care::Look if is_noncharacter(&bytes[at..]) => ("", 3),
            Care::Look => continue,
        };
        out.extend_from_slice(&bytes[copied..at]);
        out.extend_from_slice(replacement.as_bytes());
        copied = at + length;
    }
    out.extend_from_slice(&bytes[copied..]);
}

/// True at U+FFFE and U+FFFF, the only forbidden characters beyond the controls that a `str` can hold.
fn is_noncharacter(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\xEF\xBF\xBE") || bytes.starts_with(b"\xEF\xBF\xBF")
}

/// The first line of every document.
pub fn declaration(out: &mut Vec<u8>) {
    out.extend_from_slice(b"<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n");
}

/// Appends `<name`; attributes may follow, then [`end_tag`] or [`end_empty`].
pub fn start_tag(out: &mut Vec<u8>, name: &str) {
    out.push(b'<');
    out.extend_from_slice(name.as_bytes());
}

/// Appends ` name="value"`.
pub fn attribute(out: &mut Vec<u8>, name: &str, value: &str) {
    out.push(b' ');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"=\"");
    escape(out, value, &IN_ATTRIBUTE);
    out.push(b'"');
}

/// Appends the `>` of a start tag.
pub fn end_tag(out: &mut Vec<u8>) {
    out.push(b'>');
}

/// Appends the `/>` of an element without content.
pub fn end_empty(out: &mut Vec<u8>) {
    out.extend_from_slice(b"/>");
}

/// Appends `<name>`.
pub fn open(out: &mut Vec<u8>, name: &str) {
    start_tag(out, name);
    end_tag(out);
}

/// Appends `</name>`.
pub fn close(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(b"</");
    out.extend_from_slice(name.as_bytes());
    out.push(b'>');
}

/// Appends `<name/>`.
pub fn empty(out: &mut Vec<u8>, name: &str) {
    start_tag(out, name);
    end_empty(out);
}

/// Appends `<name>text</name>`, or `<name/>` for an empty text.
pub fn element(out: &mut Vec<u8>, name: &str, text: &str) {
    if text.is_empty() {
        return empty(out, name);
    }
    open(out, name);
    escape(out, text, &IN_TEXT);
    close(out, name);
}

/// Appends `<name>true</name>` or `<name>false</name>`.
pub fn flag(out: &mut Vec<u8>, name: &str, value: bool) {
    element(out, name, if value { "true" } else { "false" });
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What XML 1.0 allows (production 2 of the recommendation).
    fn is_allowed(c: char) -> bool {
        matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
    }

    fn document(text: &str) -> String {
        let mut out = Vec::new();
        declaration(&mut out);
        start_tag(&mut out, "root");
        attribute(&mut out, "name", text);
        end_tag(&mut out);
        element(&mut out, "value", text);
        close(&mut out, "root");
        String::from_utf8(out).unwrap()
    }

    fn assert_round_trip(text: &str) {
        let expected: String = text.chars().filter(|c| is_allowed(*c)).collect();
        let written = document(text);
        let read = roxmltree::Document::parse(&written).unwrap();
        let root = read.root_element();
        assert_eq!(root.attribute("name"), Some(expected.as_str()));
        let value = root.first_element_child().unwrap();
        assert_eq!(value.text().unwrap_or(""), expected);
    }

    #[test]
    fn hostile_texts_come_back() {
        for text in [
            "",
            "a & b <c> \"d\" 'e' ]]> &amp; &#0;",
            "tab\tline\nreturn\r\nend",
            "\u{0}\u{1}\u{8}\u{b}\u{1f}\u{7f}\u{85}",
            "\u{FFFD}\u{FFFE}\u{FFFF}\u{F8FF}\u{FEFF}",
            "\u{1FFFE}\u{10FFFF}😀ß\u{2028}",
        ] {
            assert_round_trip(text);
        }
    }

    proptest! {
        #[test]
        fn any_text_comes_back_without_what_xml_forbids(text in any::<String>()) {
            assert_round_trip(&text);
        }

        #[test]
        fn controls_and_markup_come_back(text in "[\u{0}-\u{7f}\u{fff0}-\u{ffff}]{0,40}") {
            assert_round_trip(&text);
        }
    }
}
