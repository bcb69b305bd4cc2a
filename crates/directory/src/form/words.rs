//! What a reader of JSON says is wrong, in words for people who write documents.

/// What is wrong, and what to do about it; `correct` where nothing better is known.
pub fn told(message: &str, correct: &str) -> (String, String) {
    let marked: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let named = |name: &str, message: String, remedy: String| {
        (!name.is_empty()).then_some((message, remedy))
    };
    let found = match marked.as_slice() {
        [name, known @ ..] if message.starts_with("unknown field") => named(
            name,
            format!("nothing is called `{name}` here"),
            instead(known, correct),
        ),
        [name, known @ ..] if message.starts_with("unknown variant") => named(
            name,
            format!("`{name}` is not known here"),
            one_of(known, correct),
        ),
        [name] if message.starts_with("missing field") => {
            named(name, format!("`{name}` is missing"), "add it".to_owned())
        }
        [name] if message.starts_with("duplicate field") => named(
            name,
            format!("`{name}` is there twice"),
            "remove one".to_owned(),
        ),
        _ => misplaced(message).map(|message| (message, correct.to_owned())),
    };
    found.unwrap_or_else(|| (message.to_owned(), correct.to_owned()))
}

fn instead(known: &[&str], correct: &str) -> String {
    match known.is_empty() {
        true => "remove it".to_owned(),
        false => format!("remove it, or {}", one_of(known, correct)),
    }
}

fn one_of(known: &[&str], correct: &str) -> String {
    let known: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
    match known.as_slice() {
        [] => correct.to_owned(),
        [only] => format!("write {only}"),
        all => format!("write one of {}", all.join(", ")),
    }
}

/// Of something that stands where something else belongs.
fn misplaced(message: &str) -> Option<String> {
    // What parameters of an address say, which are all text.
    match message {
        "invalid digit found in string" | "cannot parse integer from empty string" => {
            return Some("a whole number in digits belongs here".to_owned());
        }
        "number too large to fit in target type" | "number too small to fit in target type" => {
            return Some("the number is larger or smaller than any that belongs here".to_owned());
        }
        "provided string was not `true` or `false`" => {
            return Some("`true` or `false` belongs here".to_owned());
        }
        _ => {}
    }
    let (kind, rest) = message.split_once(": ")?;
    let (is, expected) = match kind {
        "invalid type" | "invalid value" => rest.rsplit_once(", expected ")?,
        _ => return None,
    };
    Some(format!(
        "{} is here, and {} belongs here",
        present(is),
        belonging(expected)
    ))
}

fn present(is: &str) -> String {
    let bare = is.replace('`', "");
    match bare.split_once(' ') {
        Some(("string", text)) => format!("the text {text}"),
        Some(("integer", number)) => format!("the number {number}"),
        Some(("floating", rest)) => format!("the number {}", rest.trim_start_matches("point ")),
        Some(("boolean", word)) => format!("`{word}`"),
        _ => match bare.as_str() {
            "null" | "unit value" => "`null`".to_owned(),
            "map" => "an object".to_owned(),
            "sequence" => "a list".to_owned(),
            "unit variant" => "a single word".to_owned(),
            _ => "something else".to_owned(),
        },
    }
}

fn belonging(expected: &str) -> String {
    match expected
        .split_once(' ')
        .map_or(expected, |(first, _)| first)
    {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" => "a whole number from 0 on",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "string" | "str" => "a text",
        "struct" | "map" | "internally" => "an object",
        "tuple" | "sequence" => "a list",
        "unit" | "unit," => "`null`",
        "enum" | "variant" => "a word, or an object with one member,",
        _ => match expected {
            "a string" | "a borrowed string" => "a text",
            "a boolean" => "`true` or `false`",
            "a sequence" => "a list",
            "a map" => "an object",
            other => other,
        },
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::told;
    use crate::form::REMEDY;

    #[test]
    fn nothing_is_told_in_the_words_of_the_program() {
        for (message, plain) in [
            (
                "invalid type: string \"5, expected\", expected usize",
                "the text \"5, expected\" is here, and a whole number from 0 on belongs here",
            ),
            (
                "invalid value: integer `-1`, expected u32",
                "the number -1 is here, and a whole number from 0 to 4294967295 belongs here",
            ),
            (
                "invalid type: floating point `1.5`, expected u16",
                "the number 1.5 is here, and a whole number from 0 to 65535 belongs here",
            ),
            (
                "invalid type: sequence, expected a string",
                "a list is here, and a text belongs here",
            ),
            (
                "invalid type: boolean `true`, expected struct Rules",
                "`true` is here, and an object belongs here",
            ),
            (
                "invalid type: unit variant, expected struct variant Step::Prefix",
                "a single word is here, and an object belongs here",
            ),
            (
                "unknown field `targt`, expected `target` or `source`",
                "nothing is called `targt` here",
            ),
            ("missing field `target`", "`target` is missing"),
            ("is no time", "is no time"),
        ] {
            assert_eq!(told(message, REMEDY).0, plain);
        }
        let (_, remedy) = told(
            "unknown variant `lowercase`, expected one of `lower`, `upper`",
            REMEDY,
        );
        assert_eq!(remedy, "write one of `lower`, `upper`");
        let (_, remedy) = told("unknown field `x`, there are no fields", REMEDY);
        assert_eq!(remedy, "remove it");
    }
}
