//! Lists of values: how one joins, how one leaves, and that at most one is primary (RFC 7643, 2.4).

use serde_json::{Map, Value};

use crate::coerce::Parts;
use crate::name;
use crate::schema::Attribute;

/// Sets an attribute or removes it.
pub(crate) fn set(map: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    match value {
        Some(value) => drop(map.insert(name.to_owned(), value)),
        None => drop(map.shift_remove(name)),
    }
}

/// Sets and clears parts. When `value` changes, what described the old one goes, unless it is sent again. Where
/// there was none, what was said before describes the new one.
pub(crate) fn merge_parts(object: &mut Map<String, Value>, parts: Parts) {
    let changes_value = object.get("value").is_some_and(|old| {
        let mut parts = parts.iter();
        parts.any(|(name, value)| name == "value" && Some(old) != value.as_ref())
    });
    if changes_value {
        for description in ["display", "displayName", "$ref"] {
            object.shift_remove(description);
        }
    }
    for (name, value) in parts {
        set(object, &name, value);
    }
}

/// Adds an element to a list, or merges it into the one that has its value (and type); returns where it is.
pub(crate) fn join(attribute: &Attribute, list: &mut Vec<Value>, element: Value) -> usize {
    let Some(at) = list
        .iter()
        .position(|known| is_same(attribute, known, &element))
    else {
        list.push(element);
        return list.len() - 1;
    };
    if let (Some(Value::Object(known)), Value::Object(new)) = (list.get_mut(at), element) {
        known.extend(new.into_iter().filter(|(name, _)| name != "value"));
    }
    at
}

/// Whether an element is the one that `asked` means: the same `value` and, if asked for, the same
/// `type`; without a value, if it has all the parts asked for.
pub(crate) fn is_same(attribute: &Attribute, known: &Value, asked: &Value) -> bool {
    let Value::Object(asked) = asked else {
        return same_value(attribute.case_exact, known, asked);
    };
    let has = |part: &str, wanted: &Value| {
        let case_exact = attribute.sub(part).is_some_and(|sub| sub.case_exact);
        known
            .get(part)
            .is_some_and(|found| same_value(case_exact, found, wanted))
    };
    match asked.get("value") {
        Some(value) => {
            has("value", value) && asked.get("type").is_none_or(|wanted| has("type", wanted))
        }
        None => {
            known.get("value").is_none() && asked.iter().all(|(part, wanted)| has(part, wanted))
        }
    }
}

fn same_value(case_exact: bool, a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::String(a), Value::String(b)) if !case_exact => name::same(a, b),
        _ => a == b,
    }
}

/// Whether the element at this place is primary.
pub(crate) fn is_primary(list: &[Value], at: usize) -> bool {
    list.get(at)
        .and_then(|element| element.get("primary"))
        .and_then(Value::as_bool)
        .unwrap_or(false)
}

/// At most one element is primary: the last one that was said to be.
pub(crate) fn keep_one_primary(list: &mut [Value], preferred: Option<usize>) {
    let Some(preferred) = preferred else { return };
    for (at, element) in list.iter_mut().enumerate() {
        let Some(element) = element.as_object_mut().filter(|_| at != preferred) else {
            continue;
        };
        if element.get("primary") == Some(&Value::Bool(true)) {
            element.insert("primary".to_owned(), Value::Bool(false));
        }
    }
}

/// Whether an element has only labels left and says nothing.
pub(crate) fn says_nothing(element: &Value) -> bool {
    element
        .as_object()
        .is_some_and(|parts| parts.keys().all(|part| part == "type" || part == "primary"))
}
