//! Names: how they are compared, which characters they may have, and how errors repeat them.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;
use unicode_normalization::UnicodeNormalization;

use crate::limits::ECHO_CHARS_MAX;

/// The joiners, and the selector that makes an emoji of a sign.
const JOINERS: [char; 3] = ['\u{200C}', '\u{200D}', '\u{FE0F}'];

/// Folds a text for comparison without regard to case: NFKC, lower case, NFC, and without what only says how
/// letters are joined or emoji drawn, which many a reader cannot see.
///
/// Two names are the same name exactly when their folds are equal. The fold is stored beside the name
/// under a unique index, so a change of this function is a migration.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let seen = |c: &char| !JOINERS.contains(c);
    let compatible: String = text.nfkc().filter(seen).collect();
    compatible.to_lowercase().nfc().collect()
}

/// Whether two texts have the same [`fold`]; allocates only for texts beyond ASCII.
pub fn same(a: &str, b: &str) -> bool {
    if a.is_ascii() && b.is_ascii() {
        return a.eq_ignore_ascii_case(b);
    }
    fold(a) == fold(b)
}

/// Says what is wrong with a name of a user or group, if anything: control characters, line
/// separators, invisible or bidirectional controls, unassigned code points, white space around it.
///
/// Joiners are a part of how some scripts are written (Persian, Hindi) and of emoji; they are refused where they
/// join nothing, since there nobody can see them: between Latin letters, or at an end.
pub fn refuse_name(name: &str) -> Option<&'static str> {
    static REFUSED: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(&refused()).ok());
    if name.starts_with(char::is_whitespace) || name.ends_with(char::is_whitespace) {
        return Some("white space at its beginning or end");
    }
    if name.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return None;
    }
    match REFUSED.as_ref() {
        Some(refused) if !refused.is_match(name) => None,
        _ => Some("a control character, an invisible character or an unassigned code point"),
    }
}

/// What no name may have: characters, and joiners and selectors of emoji without what they belong to.
fn refused() -> String {
    const JOINERS: &str = r"\u{200C}\u{200D}";
    // Scripts whose letters look otherwise when they are joined or kept apart (Unicode Standard Annex 31, section 2.3).
    const JOINED: &str = r"\p{scx:Arab}\p{scx:Syrc}\p{scx:Mong}\p{scx:Deva}\p{scx:Beng}\p{scx:Guru}\p{scx:Gujr}\p{scx:Orya}\p{scx:Taml}\p{scx:Telu}\p{scx:Knda}\p{scx:Mlym}\p{scx:Sinh}\p{scx:Khmr}\p{Extended_Pictographic}\p{Emoji_Modifier}\u{FE0F}";
    // Of characters that several scripts share, only letters and marks can be joined.
    let joined =
        format!("[{JOINED}&&[\\p{{L}}\\p{{M}}\\p{{Extended_Pictographic}}\\p{{Emoji_Modifier}}]]");
    let other = format!("[^{JOINED}]|[{JOINED}--{joined}]");
    let ignorable = format!(r"[\p{{Default_Ignorable_Code_Point}}--[{JOINERS}\u{{FE0F}}]]");
    format!(
        r"[\p{{Cc}}\p{{Cn}}\p{{Zl}}\p{{Zp}}\p{{Bidi_Control}}]|{ignorable}|(?:^|{other})[{JOINERS}]|[{JOINERS}](?:$|{other})|(?:^|[^\p{{Extended_Pictographic}}])\u{{FE0F}}"
    )
}

/// Shortens and cleans a piece of input for an error message.
pub fn echo(input: &str) -> Cow<'_, str> {
    let fits = input.chars().nth(ECHO_CHARS_MAX).is_none();
    if fits && !input.chars().any(char::is_control) {
        return Cow::Borrowed(input);
    }
    let clean = |c: char| if c.is_control() { '\u{FFFD}' } else { c };
    let mut text: String = input.chars().take(ECHO_CHARS_MAX).map(clean).collect();
    if !fits {
        text.push('…');
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn look_alikes_fold_together() {
        for (a, b) in [
            ("Jane", "jANE"),
            ("\u{212A}evin", "kevin"),
            ("ａｄｍｉｎ", "admin"),
            ("Mu\u{308}ller", "MÜLLER"),
            ("ﬁn", "fin"),
            ("دا\u{200C}نم", "دانم"),
            ("\u{2764}\u{FE0F}", "\u{2764}"),
            ("क्\u{200D}ष", "क्ष"),
            ("a\u{200D}\u{308}", "ä"),
        ] {
            assert_eq!(fold(a), fold(b), "{a} and {b}");
            assert!(same(a, b));
        }
        assert!(!same("аdmin", "admin"), "Cyrillic a is another letter");
        assert!(!same("straße", "strasse"));
    }

    #[test]
    fn names_are_refused_for_what_cannot_be_seen() {
        for name in [
            "jane",
            "o'brien",
            "José Ñandú",
            "山田",
            "jane+x@example.org",
            "a b",
            "نمی\u{200C}دانم",
            "क्\u{200D}ष",
            "\u{1F469}\u{200D}\u{1F4BB} Team",
            "\u{2764}\u{FE0F}\u{200D}\u{1F525}",
            "\u{1F469}\u{1F3FD}\u{200D}\u{1F680}",
        ] {
            assert_eq!(refuse_name(name), None, "{name}");
        }
        for name in [
            " jane",
            "jane ",
            "jane\u{A0}",
            "a\tb",
            "a\nb",
            "a\0b",
            "a\u{7F}b",
            "a\u{85}b",
            "a\u{200B}b",
            "a\u{202E}b",
            "a\u{2028}b",
            "a\u{FEFF}b",
            "a\u{AD}b",
            "a\u{0378}b",
            "a\u{FFFF}b",
            "a\u{E0041}b",
            "\u{3164}",
            "ali\u{200C}ce",
            "ali\u{200D}ce",
            "\u{200D}jane",
            "jane\u{200C}",
            "دانم\u{200C}",
            "دانم\u{200C} x",
            "دا\u{200C}\u{200C}نم",
            "دa\u{200C}نم",
            "1\u{200D}2",
            "a\u{FE0F}b",
        ] {
            assert!(refuse_name(name).is_some(), "{name:?}");
        }
    }

    proptest! {
        #[test]
        fn folding_twice_is_folding_once(text in "(\\PC|[\u{200C}\u{200D}\u{FE0F}\u{301}\u{327}]){0,20}") {
            prop_assert_eq!(fold(&fold(&text)), fold(&text));
        }
    }
}
