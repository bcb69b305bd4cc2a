//! Words of the admin API as people read them.

use askama::filters::{Html, escape};

/// Why an account is as it is.
pub(super) fn reason(code: &str) -> &str {
    match code {
        "IDP_ACTIVE" => "the identity provider says active",
        "IDP_INACTIVE" => "the identity provider says inactive",
        "IDP_DELETED" => "the identity provider deleted the user",
        "NOT_IN_REQUIRED_GROUP" => "not in a required group",
        "DROPPED_BY_RULE" => "dropped by a rule",
        "FILTERED_NO_MATCH" => "out of scope",
        "DISABLED_BY_RULE" => "disabled by a rule",
        "INACTIVITY_RULE" => "has not logged in for long",
        "MANUAL" => "an administrator decided so",
        "CONFLICT" => "the name is taken",
        "HELD" => "held by a safety limit",
        "LOCAL" => "kept here",
        "OVERRIDE" => "an override says so",
        "COPIED" => "copied from elsewhere",
        other => other,
    }
}

/// What an override says.
pub(super) fn override_kind(word: &str) -> &str {
    match word {
        "keep_active" => "stays active",
        "exclude" => "may not log in",
        "add_to_group" => "is in the group",
        "keep_out_of_group" => "is not in the group",
        "keep_as_is" => "stays exactly as it is",
        other => other,
    }
}

/// What a credential may do.
pub(super) fn access(word: &str) -> &str {
    match word {
        "read-only" => "only read",
        "read-write" => "read and write",
        other => other,
    }
}

/// A text as HTML, what stands between backticks being code.
pub(super) fn marked(text: &str) -> String {
    html(text, str::to_owned)
}

/// A line of an explanation as HTML: as above, and reasons in words.
pub(super) fn explained(line: &str) -> String {
    html(line, reasons_in_words)
}

fn html(text: &str, in_words: impl Fn(&str) -> String) -> String {
    let pieces = text.split('`').enumerate();
    let pieces = pieces.filter(|(_, piece)| !piece.is_empty());
    let pieces = pieces.map(|(place, piece)| match place % 2 {
        0 => escaped(&in_words(piece)),
        _ => format!("<code>{}</code>", escaped(piece)),
    });
    pieces.collect()
}

fn escaped(text: &str) -> String {
    let Ok(text) = escape(text, Html);
    text.to_string()
}

/// The same with each reason as people read it.
fn reasons_in_words(text: &str) -> String {
    let is_apart = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
    let parts = text.split_inclusive(is_apart).map(|part| {
        let word = part.trim_end_matches(is_apart);
        let rest = part.strip_prefix(word).unwrap_or_default();
        format!("{}{rest}", reason(word))
    });
    parts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_code_and_reasons_are_words() {
        assert_eq!(
            marked("no row sets `a<b`"),
            "no row sets <code>a&#60;b</code>"
        );
        assert_eq!(
            explained("HELD: disabling `MANUAL` (IDP_INACTIVE)"),
            "held by a safety limit: disabling <code>MANUAL</code> (the identity provider says inactive)"
        );
    }
}
