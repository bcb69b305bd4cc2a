//! What the admin API refuses, in the words of a page.

use axum::http::StatusCode;
use serde::Deserialize;

use super::page::{Place, Trouble};
use crate::api::{BODY_UNUSABLE, NAMES_TOLD, PARAMETERS_UNUSABLE, PLACES_TOLD};

/// An error of the admin API.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Refused {
    detail: String,
    field: Option<String>,
    errors: Vec<Place>,
}

/// What people call that of which the API's name tells too little.
const NAMES: [(&str, &str); 13] = [
    ("addresses", "the addresses"),
    ("connectors", "connectors"),
    ("directories", "the list of directories"),
    ("every_minutes", "the time between two messages"),
    ("from", "“From”"),
    ("keep_days", "the time for which entries are kept"),
    ("label", "what it is for"),
    ("present", "the present password"),
    ("since", "the beginning"),
    ("to", "the list of recipients"),
    ("until", "the end"),
    ("url", "the URL"),
    ("users", "the list of people"),
];

/// The trouble of a page from an answer of the admin API.
pub(super) fn refused(status: StatusCode, text: &str) -> Trouble {
    let refused: Refused = serde_json::from_str(text).unwrap_or_default();
    let detail = refused.detail.trim_end_matches('.');
    let is_misread = [BODY_UNUSABLE, PARAMETERS_UNUSABLE]
        .iter()
        .any(|it| detail.starts_with(*it));
    if let Some(place) = refused.errors.first().filter(|_| is_misread) {
        return Trouble {
            field: Some(place.path.clone()),
            ..Trouble::new(status, misread(place))
        };
    }
    let field = refused.field.as_deref();
    let of_field = field.and_then(|field| detail.strip_prefix(&format!("'{field}' ")));
    let (field, detail) = match (field, of_field) {
        (Some(field), Some(rest)) => (Some(field.to_owned()), said_of(field, rest)),
        _ => (refused.field.clone(), refused.detail.clone()),
    };
    let told = [PLACES_TOLD, NAMES_TOLD];
    let short = told.iter().find_map(|told| detail.strip_suffix(told));
    let detail = short.unwrap_or(&detail);
    Trouble {
        field,
        places: refused.errors,
        ..Trouble::new(status, detail)
    }
}

/// What is said of a field, as a sentence about what people call so.
fn said_of(field: &str, rest: &str) -> String {
    if let Some((value, rest)) = rest.strip_prefix('\'').and_then(|it| it.split_once("' ")) {
        return format!("“{value}” {rest}.");
    }
    format!("{} {rest}.", first_upper(&called(field)))
}

/// What is wrong with a value that the admin API could not read.
fn misread(place: &Place) -> String {
    let name = first_upper(&called(&place.path));
    let message = place.message.as_str();
    let marked = |text: &str| -> Vec<String> {
        let marked = text.split('`').skip(1).step_by(2);
        marked.map(str::to_owned).collect()
    };
    match (marked(message).as_slice(), marked(&place.remedy)) {
        ([value], all) if message.ends_with("is not known here") && !all.is_empty() => {
            format!("{name}: “{value}” is none of {}.", all.join(", "))
        }
        _ if message.contains("a whole number") => {
            format!("{name}: write a whole number, in digits.")
        }
        _ if message.contains("failed to parse") => {
            format!("{name}: write a date and a time, such as 2026-05-28T20:26.")
        }
        _ => format!("{name}: this cannot be used here."),
    }
}

/// What people call a field: by the last part of its path.
fn called(path: &str) -> String {
    let last = path.rsplit('.').next().unwrap_or_default();
    let last = last.split('[').next().unwrap_or_default();
    let known = NAMES.iter().find(|(name, _)| *name == last);
    match (known, last) {
        (Some((_, words)), _) => (*words).to_owned(),
        (None, "") => "the form".to_owned(),
        (None, last) => format!("the {}", last.replace('_', " ")),
    }
}

fn first_upper(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::Problem;

    /// What the admin API answers where it could not read something.
    fn misread(begin: &str, said: &str) -> serde_json::Value {
        let problem = Problem::misread(StatusCode::UNPROCESSABLE_ENTITY, begin, said);
        serde_json::to_value(problem).unwrap()
    }

    #[test]
    fn no_word_of_the_api_reaches_a_page() {
        for (problem, words) in [
            (
                json!({"detail": "'name' needs 1 to 100 characters.", "field": "name"}),
                "The name needs 1 to 100 characters.",
            ),
            (
                json!({"detail": "'addresses' 'x' is no address; write 192.0.2.10.", "field": "addresses"}),
                "“x” is no address; write 192.0.2.10.",
            ),
            (
                misread(
                    BODY_UNUSABLE,
                    "way.mail.port: invalid type: string \"x\", expected u16 at line 1 column 9",
                ),
                "The port: write a whole number, in digits.",
            ),
            (
                misread(
                    BODY_UNUSABLE,
                    "roles[0].role: unknown variant `x`, expected one of `owner`, `operator` at line 1 column 4",
                ),
                "The role: “x” is none of owner, operator.",
            ),
            (
                misread(PARAMETERS_UNUSABLE, "since: failed to parse year"),
                "The beginning: write a date and a time, such as 2026-05-28T20:26.",
            ),
            (
                json!({"detail": format!("The rules are not valid.{PLACES_TOLD}"), "field": "rules"}),
                "The rules are not valid.",
            ),
            (
                json!({"detail": "A token 'x' exists."}),
                "A token 'x' exists.",
            ),
        ] {
            let told = refused(StatusCode::UNPROCESSABLE_ENTITY, &problem.to_string());
            assert_eq!(told.detail, words);
        }
    }
}
