//! The small text functions behind the steps: pure, of any script, independent of locale.

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
