//! The words each room may use: reading a line, one can name its room.

mod table;

use super::Problem;
use super::rooms::{Place, place};
use super::source::Source;
use super::tree::Tree;
use table::{EXCEPTIONS, VENDOR_PLACES, VENDORS, WORDS, Word};

/// Finds words in rooms that may not use them, and exceptions that nothing needs any more.
pub fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut used = vec![false; EXCEPTIONS.len()];
    for (file, source) in tree.rust() {
        let Some(place) = place(&file.path) else {
            continue;
        };
        for (line, what) in misplaced(&file.path, place, source) {
            match exception(&file.path, &what.word) {
                Some(index) => used[index] = true,
                None => problems.push(Problem::error(&file.path, line + 1, what.message)),
            }
        }
    }
    for (exception, used) in EXCEPTIONS.iter().zip(used) {
        if !used && tree.has(exception.path) {
            let message = format!(
                "the exception for `{}` is not needed: remove it",
                exception.word
            );
            problems.push(Problem::error(exception.path, 0, message));
        }
    }
    problems
}

struct Finding {
    word: String,
    message: String,
}

fn exception(path: &str, word: &str) -> Option<usize> {
    EXCEPTIONS
        .iter()
        .position(|e| e.path == path && e.word == word)
}

fn misplaced(path: &str, place: Place<'_>, source: &Source) -> Vec<(usize, Finding)> {
    let mut found = Vec::new();
    for (line, code) in source.code.iter().enumerate() {
        let is_test = place.is_test || source.is_test[line];
        for word in WORDS
            .iter()
            .filter(|word| !word.allows(place.room, is_test))
        {
            if mentions(code, word.text) {
                found.push((line, Finding::word(word)));
            }
        }
    }
    sql(place, source, &mut found);
    if !VENDOR_PLACES
        .iter()
        .any(|allowed| path.starts_with(allowed))
    {
        vendors(place, source, &mut found);
    }
    found
}

impl Finding {
    fn word(word: &Word) -> Self {
        Self {
            word: word.text.to_owned(),
            message: format!("`{}` does not belong here: {}", word.text, word.why),
        }
    }
}

/// Whether the code uses the word as a name of its own, not as a part of another one.
fn mentions(code: &str, word: &str) -> bool {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        let before = &code[..at];
        let after = &code[at + word.len()..];
        let starts = !word.starts_with(is_name)
            || (!before.ends_with(is_name) && (!word.ends_with("::") || !before.ends_with("::")));
        let ends = !word.ends_with(is_name) || !after.starts_with(is_name);
        starts && ends
    })
}

fn sql(place: Place<'_>, source: &Source, found: &mut Vec<(usize, Finding)>) {
    if place.room == "store" || place.room == "xtask" {
        return;
    }
    for (line, text) in &source.strings {
        if is_sql(text) {
            let message =
                "SQL text belongs to the store, behind a function that says what is wanted";
            found.push((
                *line,
                Finding {
                    word: "sql".to_owned(),
                    message: message.to_owned(),
                },
            ));
        }
    }
}

fn is_sql(text: &str) -> bool {
    let text = text.to_lowercase().replace('\\', " ");
    let words: Vec<&str> = text.split_whitespace().collect();
    match words.as_slice() {
        ["select", rest @ ..] | ["with", _, "as", rest @ ..] => rest.contains(&"from"),
        ["insert", "into", ..] | ["delete", "from", ..] => true,
        ["update", _, "set", ..] => true,
        [
            "create" | "alter" | "drop",
            "table" | "index" | "view" | "trigger",
            ..,
        ] => true,
        ["create", "unique", "index", ..] => true,
        ["pragma", _] | ["pragma", _, "=", ..] => true,
        _ => false,
    }
}

fn vendors(place: Place<'_>, source: &Source, found: &mut Vec<(usize, Finding)>) {
    if place.is_test {
        return;
    }
    let code = source.code.iter().enumerate().map(|(n, t)| (n, t.as_str()));
    let comments = source
        .comments
        .iter()
        .enumerate()
        .map(|(n, t)| (n, t.as_str()));
    let strings = source.strings.iter().map(|(n, t)| (*n, t.as_str()));
    for (line, text) in code.chain(comments).chain(strings) {
        if source.is_test[line] {
            continue;
        }
        if let Some(vendor) = subwords(text).find(|word| VENDORS.contains(&word.as_str())) {
            let message = format!(
                "`{vendor}` is a vendor: what one vendor does differently is told in scim's dialects"
            );
            found.push((
                line,
                Finding {
                    word: vendor,
                    message,
                },
            ));
        }
    }
}

/// The words inside names: `OktaPush` and `okta_push` both have `okta`.
fn subwords(text: &str) -> impl Iterator<Item = String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for c in text.chars() {
        let starts = c.is_uppercase() && before.is_lowercase();
        if starts || !c.is_alphabetic() {
            words.push(String::new());
        }
        if c.is_alphabetic()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    words.into_iter().filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(path: &str, text: &str) -> Vec<String> {
        check(&Tree::of(&[(path, text)]))
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    fn is_clean(path: &str, text: &str) -> bool {
        problems(path, text).is_empty()
    }

    #[test]
    fn a_web_framework_lives_in_the_server_only() {
        assert!(is_clean("crates/server/src/lib.rs", "use axum::Router;"));
        assert!(is_clean("crates/store/tests/it/x.rs", "use axum::Router;"));
        assert!(!is_clean("crates/store/src/lib.rs", "use axum::Router;"));
        assert!(is_clean(
            "crates/store/src/lib.rs",
            "// axum is elsewhere\nlet a = \"axum\";"
        ));
        assert!(is_clean("crates/store/src/lib.rs", "fn axum_like() {}"));
    }

    #[test]
    fn sql_lives_in_the_store_only() {
        let text = "let a = \"select 1 from users\";";
        assert!(is_clean("crates/store/src/users.rs", text));
        assert!(!is_clean("crates/server/src/users.rs", text));
        assert!(!is_clean(
            "crates/provision/src/a.rs",
            "x(\"update users set a = 1\")"
        ));
        assert!(is_clean(
            "crates/vestibule/src/a.rs",
            "x(\"Select a connector\")"
        ));
        assert!(is_clean(
            "crates/vestibule/src/a.rs",
            "x(\"Delete the connector\")"
        ));
    }

    #[test]
    fn only_the_binary_reads_the_clock_and_the_environment() {
        for word in [
            "Timestamp::now()",
            "Uuid::new_v4()",
            "println!()",
            "std::env::var(a)",
        ] {
            let text = format!("fn f() {{ {word}; }}");
            assert!(!is_clean("crates/provision/src/a.rs", &text), "{word}");
            assert!(is_clean("crates/vestibule/src/a.rs", &text), "{word}");
            assert!(is_clean("crates/provision/tests/it/a.rs", &text), "{word}");
        }
    }

    #[test]
    fn a_driver_is_found_as_a_path_and_not_as_a_part_of_one() {
        assert!(!is_clean("crates/server/src/a.rs", "use postgres::Client;"));
        assert!(is_clean(
            "crates/server/src/a.rs",
            "use emulate::postgres::Server;"
        ));
    }

    #[test]
    fn unfinished_code_is_nowhere() {
        assert!(!is_clean("crates/scim/src/a.rs", "fn a() { todo!() }"));
        assert!(!is_clean(
            "crates/scim/tests/it/a.rs",
            "fn a() { unimplemented!() }"
        ));
        assert!(!is_clean(
            "crates/scim/tests/it/a.rs",
            "#[ignore]\nfn a() {}"
        ));
    }

    #[test]
    fn unwrap_is_for_tests() {
        assert!(!is_clean("crates/scim/src/a.rs", "fn a() { b.unwrap() }"));
        assert!(is_clean(
            "crates/scim/src/a.rs",
            "fn a() { b.unwrap_or(1) }"
        ));
        assert!(is_clean(
            "crates/scim/src/a.rs",
            "#[test]\nfn a() { b.unwrap() }"
        ));
    }

    #[test]
    fn vendors_are_named_in_dialects_only() {
        assert!(is_clean("crates/scim/src/dialect/mod.rs", "fn okta() {}"));
        assert!(!is_clean("crates/scim/src/patch.rs", "// Entra sends this"));
        assert!(!is_clean("crates/scim/src/patch.rs", "struct OktaPatch;"));
        assert!(is_clean("crates/scim/src/patch.rs", "// a new entrance"));
        assert!(is_clean(
            "crates/scim/src/a.rs",
            "#[test]\nfn okta_sends_this() {}"
        ));
    }

    #[test]
    fn problems_name_the_line() {
        let found = problems("crates/scim/src/a.rs", "fn a() {\n    todo!()\n}");
        assert!(
            found[0].starts_with("error: crates/scim/src/a.rs:2: `todo!`"),
            "{found:?}"
        );
    }
}
