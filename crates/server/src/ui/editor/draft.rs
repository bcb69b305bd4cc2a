//! A section of the rules on its way through a form: shown, read, and changed by the buttons in it.

use serde_json::{Map, Value};

use super::super::form::Fields;
use super::sections::{Section, TARGETS};
use super::shape::{self, Item, Shape};

/// The lines of the form.
pub(super) fn lines(section: &Section, rules: &Value) -> Vec<Item> {
    let Shape::Record(members) = &section.shape else {
        return Vec::new();
    };
    // The rest of the rules is not in the form.
    let names = members.iter().map(|member| member.name);
    let part: Map<String, Value> = names
        .filter_map(|name| Some((name.to_owned(), rules.get(name)?.clone())))
        .collect();
    shape::lines(&section.shape, "", section.title, &Value::Object(part))
}

/// The rules with what a form says of the section.
pub(super) fn read(section: &Section, form: &Fields, present: &Value) -> Value {
    let mut rules = present.as_object().cloned().unwrap_or_default();
    let (Shape::Record(members), Some(Value::Object(said))) =
        (&section.shape, shape::read(&section.shape, "", form))
    else {
        return present.clone();
    };
    for member in *members {
        rules.remove(member.name);
    }
    rules.extend(said);
    Value::Object(rules)
}

/// Does what a button of the form wants with the items of a list: `add:PATH`, `remove:PATH`, `up:PATH` or `down:PATH`.
pub(super) fn carry_out(section: &Section, form: &Fields, wish: &str, rules: &mut Value) {
    let Some((verb, path)) = wish.split_once(':') else {
        return;
    };
    if verb == "add" {
        if let (Some(Shape::List { item, fresh, .. }), Some(list)) = (
            shape::at(&section.shape, path).map(Shape::bare),
            place(rules, path),
        ) {
            let kind = form.text(&format!("{path}.new"));
            let mut new = shape::fresh(item, fresh, kind);
            take_free_target(&mut new, list);
            list.push(new);
        }
        return;
    }
    let Some((path, index)) = path.rsplit_once('.') else {
        return;
    };
    let (Ok(index), Some(list)) = (index.parse::<usize>(), place(rules, path)) else {
        return;
    };
    match verb {
        "remove" if index < list.len() => drop(list.remove(index)),
        "up" if index > 0 && index < list.len() => list.swap(index - 1, index),
        "down" if index + 1 < list.len() => list.swap(index, index + 1),
        _ => {}
    }
}

/// Where rows have targets, a new one begins with the first that has none yet.
fn take_free_target(new: &mut Value, rows: &[Value]) {
    let is_free = |target: &&&str| !rows.iter().any(|row| row["target"] == **target);
    let free = TARGETS.iter().find(is_free).unwrap_or(&"groups");
    if let Some(target) = new.get_mut("target") {
        *target = (*free).into();
    }
}

/// The list at a path.
fn place<'r>(rules: &'r mut Value, path: &str) -> Option<&'r mut Vec<Value>> {
    let pointer = format!("/{}", path.replace('.', "/"));
    rules.pointer_mut(&pointer)?.as_array_mut()
}
