//! Writing JSON: members straight into a buffer, escaped, without a tree.

pub mod read;

/// What to write for each byte of a string: 0 as it is, `u` as `\u00XX`, else a backslash and this letter.
const ESCAPES: [u8; 256] = {
    let mut table = [0; 256];
    let mut control = 0;
    while control < 0x20 {
        table[control] = b'u';
        control += 1;
    }
    table[b'\n' as usize] = b'n';
    table[b'\r' as usize] = b'r';
    table[b'\t' as usize] = b't';
    table[b'"' as usize] = b'"';
    table[b'\\' as usize] = b'\\';
    table
};

/// Appends a string in quotes.
pub fn string(out: &mut Vec<u8>, text: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let bytes = text.as_bytes();
    let mut copied = 0;
    out.push(b'"');
    for (at, byte) in bytes.iter().enumerate() {
        let escape = ESCAPES[usize::from(*byte)];
        if escape == 0 {
            continue;
        }
        out.extend_from_slice(&bytes[copied..at]);
        out.extend_from_slice(&[b'\\', escape]);
        if escape == b'u' {
            let (high, low) = (usize::from(byte >> 4), usize::from(byte & 15));
            out.extend_from_slice(&[b'0', b'0', HEX[high], HEX[low]]);
        }
        copied = at + 1;
    }
    out.extend_from_slice(&bytes[copied..]);
    out.push(b'"');
}

/// Appends a whole number.
pub fn number(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(value.to_string().as_bytes());
}

/// An object being written: members in order, closed by [`Object::close`].
pub struct Object<'a> {
    out: &'a mut Vec<u8>,
    first: bool,
}

impl<'a> Object<'a> {
    /// Appends `{`.
    pub fn open(out: &'a mut Vec<u8>) -> Object<'a> {
        out.push(b'{');
        Object { out, first: true }
    }

    /// Appends a member's name and gives the buffer for its value.
    pub fn member(&mut self, name: &str) -> &mut Vec<u8> {
        if !self.first {
            self.out.push(b',');
        }
        self.first = false;
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    /// Appends a member with a text.
    pub fn text(&mut self, name: &str, value: &str) {
        string(self.member(name), value);
    }

    /// Appends a member with `true` or `false`.
    pub fn flag(&mut self, name: &str, value: bool) {
        let word: &[u8] = if value { b"true" } else { b"false" };
        self.member(name).extend_from_slice(word);
    }

    /// Appends a member with a whole number.
    pub fn number(&mut self, name: &str, value: i64) {
        number(self.member(name), value);
    }

    /// Appends a member with an array, each item written by `write`.
    pub fn array<T>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut Vec<u8>, T),
    ) {
        let out = self.member(name);
        out.push(b'[');
        for (at, item) in items.into_iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            write(out, item);
        }
        out.push(b']');
    }

    /// Appends `}`.
    pub fn close(self) {
        self.out.push(b'}');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_text_comes_back(text in any::<String>(), ascii in "[\u{0}-\u{7f}]{0,40}") {
            let mut out = Vec::new();
            let mut object = Object::open(&mut out);
            object.text("any", &text);
            object.text("ascii", &ascii);
            object.close();
            let read: serde_json::Value = serde_json::from_slice(&out).unwrap();
            prop_assert_eq!(&read["any"], &text);
            prop_assert_eq!(&read["ascii"], &ascii);
        }
    }
}
