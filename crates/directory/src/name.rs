//! Names compare by their fold, and most names are cheap to fold.

use std::borrow::Cow;

/// The form under which names are compared; borrowed when the name already has it.
///
/// Same answer as [`scim::fold`], without an allocation for lower-case ASCII.
pub fn folded(name: &str) -> Cow<'_, str> {
    if !name.is_ascii() {
        Cow::Owned(scim::fold(name))
    } else if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

/// Whether two names mean the same user or group.
pub fn same(left: &str, right: &str) -> bool {
    if left.is_ascii() && right.is_ascii() {
        left.eq_ignore_ascii_case(right)
    } else {
        folded(left) == folded(right)
    }
}

/// A text in quotes, as people read it: letters of all scripts stay what they are.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_differing_in_case_width_or_composition_are_the_same() {
        assert!(same("Jira-Users", "jira-users"));
        assert!(same("\u{212A}evin", "kevin"), "Kelvin sign");
        assert!(same("ａｄｍｉｎ", "admin"), "full width");
        assert!(same("Zoe\u{308}", "zo\u{eb}"), "composed and decomposed");
        assert!(
            !same("admin", "аdmin"),
            "a Cyrillic letter stays another letter"
        );
    }

    #[test]
    fn folding_agrees_with_the_protocol_room() {
        for name in ["", "plain", "MiXed", "Straße", "İstanbul", "ＡＢＣ", "a b"] {
            assert_eq!(folded(name), scim::fold(name), "{name}");
        }
        assert!(matches!(folded("plain"), Cow::Borrowed(_)));
    }
}
