//! Words of the admin API as people read them.

use std::fmt;

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

/// What set an evaluation off.
pub(super) fn trigger(code: &str) -> &str {
    match code {
        "scim" => "written by the identity provider",
        "login" => "found at a log-in",
        "reconcile" => "found when everybody was evaluated",
        "import" => "by an import",
        "product" => "written by a product",
        "undo" => "taken back",
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

/// A number of things: one of this, or several of that.
pub(super) fn count(number: impl fmt::Display, one: &str, many: &str) -> String {
    let number = number.to_string();
    let things = if number == "1" { one } else { many };
    format!("{number} {things}")
}

/// A name as HTML, with places where a line may end; apart from what stands beside it, if it could turn that around.
pub(super) fn name(text: &str) -> String {
    let ends: &[char] = match text.contains('@') {
        true => &['@'],
        false => &['_', '.', '/'],
    };
    let pieces: Vec<String> = text.split_inclusive(ends).map(escaped).collect();
    let pieces = pieces.join("<wbr>");
    match turns(text) {
        true => format!("<bdi>{pieces}</bdi>"),
        false => pieces,
    }
}

/// A name for a sentence: isolated by marks, if it could turn around what stands beside it.
pub(super) fn apart(name: &str) -> String {
    match turns(name) {
        true => format!("\u{2068}{name}\u{2069}"),
        false => name.to_owned(),
    }
}

/// Whether something in a text is written from right to left, or is a mark of direction.
fn turns(text: &str) -> bool {
    text.contains(|c: char| {
        matches!(c, '\u{590}'..='\u{8FF}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}')
            || matches!(c, '\u{2066}'..='\u{2069}' | '\u{FB1D}'..='\u{FDFF}')
            || matches!(c, '\u{FE70}'..='\u{FEFC}' | '\u{10800}'..='\u{10FFF}' | '\u{1E800}'..='\u{1EFFF}')
    })
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
    fn names_stand_apart_and_break_where_a_part_ends() {
        assert_eq!(name("a.b@x<y>.org"), "a.b@<wbr>x&#60;y&#62;.org");
        assert_eq!(name("wiki.x_y"), "wiki.<wbr>x_<wbr>y");
        assert_eq!(name("\u{202E}a@b"), "<bdi>\u{202E}a@<wbr>b</bdi>");
        assert_eq!(name(""), "");
    }

    #[test]
    fn names_turn_nothing_around() {
        assert_eq!(apart("Zoë (石)"), "Zoë (石)");
        assert_eq!(apart("a\u{202E}b"), "\u{2068}a\u{202E}b\u{2069}");
        assert_eq!(apart("דנה"), "\u{2068}דנה\u{2069}");
    }

    #[test]
    fn one_is_no_plural() {
        assert_eq!(count(1, "person", "people"), "1 person");
        assert_eq!(count(0, "person", "people"), "0 people");
    }

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
