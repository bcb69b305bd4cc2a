//! What is wrong with rules, told beside the fields of their form and in its words.

use std::collections::BTreeMap;

use super::super::page::Trouble;
use super::shape::Item;

/// A field of the form.
struct Field<'i> {
    path: &'i str,
    /// What it is called, with the groups around it.
    label: String,
}

/// Calls each place that is wrong as the form calls it, and gives what is to be said beside which field.
pub(super) fn beside(items: &[Item], wrong: &mut Trouble) -> BTreeMap<String, String> {
    let fields = fields(items);
    let mut told = BTreeMap::new();
    for place in &mut wrong.places {
        let Some(field) = nearest(&fields, &place.dotted()) else {
            continue;
        };
        place.label = Some(field.label.clone());
        told.entry(field.path.to_owned())
            .or_insert_with(|| format!("{}; {}", place.message, place.remedy));
    }
    told
}

/// What the form calls the field of a place, if it has one.
pub(super) fn label_of(items: &[Item], path: &str) -> Option<String> {
    nearest(&fields(items), path).map(|field| field.label.clone())
}

fn fields(items: &[Item]) -> Vec<Field<'_>> {
    let mut around: Vec<(&str, bool)> = Vec::new();
    let mut fields = Vec::new();
    for item in items {
        match item {
            Item::Open { legend, moves, .. } => around.push((legend, moves.is_some())),
            Item::Close => drop(around.pop()),
            Item::Control(control) => fields.push(Field {
                path: &control.path,
                label: label(&around, &control.label),
            }),
            _ => {}
        }
    }
    fields
}

/// The legends around a field and its label. Of a list, the one in it tells enough.
fn label(around: &[(&str, bool)], label: &str) -> String {
    let is_list = |place: usize| around.get(place + 1).is_some_and(|(_, is_item)| *is_item);
    let legends = around.iter().enumerate();
    let legends = legends.filter(|(place, (legend, _))| !is_list(*place) && *legend != label);
    let mut parts: Vec<&str> = legends.map(|(_, (legend, _))| *legend).collect();
    parts.push(label);
    parts.join(", ")
}

/// The field at a path, else the first one beneath it, else that of the closest path above.
fn nearest<'f, 'i>(fields: &'f [Field<'i>], path: &str) -> Option<&'f Field<'i>> {
    let beneath = format!("{path}.");
    let at = fields.iter().find(|field| field.path == path);
    let found = at.or_else(|| fields.iter().find(|it| it.path.starts_with(&beneath)));
    match (found, path.rsplit_once('.')) {
        (None, Some((above, _))) => nearest(fields, above),
        (found, _) => found,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use serde_json::json;

    use super::super::super::page::Place;
    use super::super::{draft, section};
    use super::*;

    fn told(key: &str, rules: &serde_json::Value, path: &str) -> (String, String) {
        let items = section(key).map(|section| draft::lines(section, rules));
        let mut wrong = Trouble::new(StatusCode::UNPROCESSABLE_ENTITY, "no");
        wrong.places.push(Place {
            path: path.to_owned(),
            message: "is odd".to_owned(),
            remedy: "mend it".to_owned(),
            label: None,
        });
        let told = beside(&items.unwrap_or_default(), &mut wrong);
        let field = told.into_keys().next().unwrap_or_default();
        (field, wrong.places[0].label.clone().unwrap_or_default())
    }

    #[test]
    fn places_are_called_as_the_form_calls_them() {
        let rules = json!({"mapping": [{
            "target": "email", "source": {"template": "${"}, "steps": ["trim", {"left": -1}], "on_no_match": "pass"
        }], "groups": {"always_assign": ["a", "b"]}});
        for (key, path, field, label) in [
            (
                "mapping",
                "mapping[0].source.template",
                "mapping.0.source.template",
                "Row 1, Template",
            ),
            (
                "mapping",
                "mapping[0].source",
                "mapping.0.source.kind",
                "Row 1, Comes from",
            ),
            (
                "mapping",
                "mapping[0].steps[1].left",
                "mapping.0.steps.1.left",
                "Row 1, Step 2, How many",
            ),
            (
                "mapping",
                "mapping[0].steps[0]",
                "mapping.0.steps.0.kind",
                "Row 1, Step 1",
            ),
            ("mapping", "mapping[0]", "mapping.0.target", "Row 1, Target"),
            (
                "groups",
                "groups.always_assign[1]",
                "groups.always_assign",
                "Groups, Every active user is in these",
            ),
            ("mapping", "groups.always_assign[1]", "", ""),
        ] {
            let found = told(key, &rules, path);
            assert_eq!(found, (field.to_owned(), label.to_owned()), "{path}");
        }
    }
}
