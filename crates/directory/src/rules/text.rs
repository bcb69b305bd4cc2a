//! The small text functions behind the steps: pure, of any script, independent of locale.

use hmac::{Hmac, Mac};
use regex::Regex;
use sha2::Sha256;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// What is before the last `@`; the whole text if there is none or it comes first (XF-04).
pub(crate) fn strip_domain(text: &str) -> &str {
    match text.rfind('@') {
        None | Some(0) => text,
        Some(at) => &text[..at],
    }
}

/// Undoes the disguise of a guest's address (XF-05): what stands before `#EXT#`, its last `_` being
/// the `@`. None if the text is no such address.
pub(crate) fn guest_to_email(text: &str) -> Option<String> {
    const MARK: &[u8] = b"#EXT#";
    let mark = text
        .as_bytes()
        .windows(MARK.len())
        .position(|window| window.eq_ignore_ascii_case(MARK))?;
    let (local, domain) = text[..mark].rsplit_once('_')?;
    let whole = !local.is_empty() && !domain.is_empty();
    whole.then(|| format!("{local}@{domain}"))
}

/// Runs of white space become one space (XF-03).
pub(crate) fn collapse_spaces(text: &str) -> String {
    let mut collapsed = String::with_capacity(text.len());
    let mut after_space = false;
    for c in text.chars() {
        if !c.is_whitespace() {
            collapsed.push(c);
        } else if !after_space {
            collapsed.push(' ');
        }
        after_space = c.is_whitespace();
    }
    collapsed
}

/// Every word begins with an upper-case letter and goes on in lower case; words end at spaces,
/// hyphens and apostrophes (XF-02).
pub(crate) fn title(text: &str) -> String {
    let mut titled = String::with_capacity(text.len());
    let mut starts_word = true;
    for c in text.chars() {
        if starts_word {
            titled.extend(c.to_uppercase());
        } else {
            titled.extend(c.to_lowercase());
        }
        starts_word = matches!(c, ' ' | '-' | '\'' | '’');
    }
    titled
}

/// Letters without their marks; those that are not of ASCII as they are commonly written in it (XF-21).
/// What has no such spelling stays.
pub(crate) fn ascii_fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.nfkd().filter(|c| !is_combining_mark(*c)) {
        match c {
            'ß' => folded.push_str("ss"),
            'ẞ' => folded.push_str("SS"),
            'æ' => folded.push_str("ae"),
            'Æ' => folded.push_str("AE"),
            'œ' => folded.push_str("oe"),
            'Œ' => folded.push_str("OE"),
            'þ' => folded.push_str("th"),
            'Þ' => folded.push_str("Th"),
            'ø' => folded.push('o'),
            'Ø' => folded.push('O'),
            'đ' | 'ð' => folded.push('d'),
            'Đ' | 'Ð' => folded.push('D'),
            'ł' => folded.push('l'),
            'Ł' => folded.push('L'),
            'ħ' => folded.push('h'),
            'Ħ' => folded.push('H'),
            'ŧ' => folded.push('t'),
            'Ŧ' => folded.push('T'),
            'ŋ' => folded.push('n'),
            'Ŋ' => folded.push('N'),
            'ı' => folded.push('i'),
            'ĸ' => folded.push('k'),
            '’' | '‘' | 'ʼ' => folded.push('\''),
            '‐' | '‑' | '–' | '—' => folded.push('-'),
            other => folded.push(other),
        }
    }
    folded
}

/// A part of a text, in characters; shorter where the text ends (XF-14).
pub(crate) fn substring(text: &str, start: usize, len: Option<usize>) -> &str {
    let at = |text: &str, chars: usize| {
        text.char_indices()
            .nth(chars)
            .map_or(text.len(), |(at, _)| at)
    };
    let rest = &text[at(text, start)..];
    len.map_or(rest, |len| &rest[..at(rest, len)])
}

/// The last characters of a text.
pub(crate) fn right(text: &str, chars: usize) -> &str {
    let skipped = text.chars().count().saturating_sub(chars);
    substring(text, skipped, None)
}

/// Replaces runs of characters that are not wanted; at both ends they go (XF-22).
pub(crate) fn replace_runs(text: &str, unwanted: &Regex, with: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    for part in unwanted.split(text).filter(|part| !part.is_empty()) {
        if !cleaned.is_empty() {
            cleaned.push_str(with);
        }
        cleaned.push_str(part);
    }
    cleaned
}

/// Lower-case hexadecimal digits of a keyed hash (XF-24).
pub(crate) fn pseudonym(key: &Hmac<Sha256>, text: &str, digits: usize) -> String {
    let mut hash = key.clone();
    hash.update(text.as_bytes());
    let bytes = hash.finalize().into_bytes();
    let mut hex = String::with_capacity(64);
    for byte in bytes {
        for half in [byte >> 4, byte & 15] {
            hex.push(char::from_digit(u32::from(half), 16).unwrap_or('0'));
        }
    }
    hex.truncate(digits);
    hex
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_cut_at_the_last_at_sign() {
        for (text, expected) in [
            ("ann@example.com", "ann"),
            ("ann@home@example.com", "ann@home"),
            ("ann", "ann"),
            ("@example.com", "@example.com"),
            ("ann@", "ann"),
            ("", ""),
        ] {
            assert_eq!(strip_domain(text), expected, "{text}");
        }
    }

    #[test]
    fn guests_get_their_address_back() {
        for (text, expected) in [
            (
                "bob_j_partner.com#EXT#@t.example",
                Some("bob_j@partner.com"),
            ),
            ("bob_partner.com#ext#@t.example", Some("bob@partner.com")),
            ("üb_x.de#EXT#", Some("üb@x.de")),
            ("bob#EXT#@t.example", None),
            ("_partner.com#EXT#@t.example", None),
            ("bob_#EXT#", None),
            ("bob_j@example.com", None),
            ("", None),
        ] {
            assert_eq!(guest_to_email(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn white_space_collapses_to_single_spaces() {
        for (text, expected) in [
            ("a  b", "a b"),
            ("a\tb", "a b"),
            ("a\u{A0} b", "a b"),
            ("  a ", " a "),
            ("a b", "a b"),
        ] {
            assert_eq!(collapse_spaces(text), expected, "{text:?}");
        }
    }

    #[test]
    fn titles_begin_after_spaces_hyphens_and_apostrophes() {
        assert_eq!(
            title("ANNA-maria o'NEIL van élan"),
            "Anna-Maria O'Neil Van Élan"
        );
    }
}
