//! What the description of the admin API says of each operation: its name, and what it changes.

use std::collections::HashMap;
use std::sync::Arc;

use axum::http::Method;
use utoipa::openapi::path::Operation as Described;
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{OpenApi, PathItem, RefOr};

/// The word of the description for what an operation changes: [`NOTHING`], or the route of an object. Where it is left
/// out, that is the nearest object that the operation's own route is, or is below.
const CHANGES: &str = "x-changes";
/// A question that is too long for an address: it is posted, and changes nothing.
const NOTHING: &str = "nothing";
/// What is no object: a list, or a file that is given out piece by piece.
const LISTS: [&str; 2] = ["List_", "Page_"];

/// An operation that is no plain GET.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Operation {
    /// Its `operationId`.
    pub(crate) name: String,
    pub(crate) changes: Effect,
}

/// What an operation changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing: it asks.
    Nothing,
    /// What no object of this API shows.
    Hidden,
    /// The object at this route.
    Object(String),
    /// It takes away the object at its own route.
    Gone(String),
    /// It makes an object in a list: the route of the object, whose last segment is the id.
    Made(String),
}

/// The operations of the admin API, by method and route.
#[derive(Clone)]
pub(crate) struct Operations(Arc<HashMap<(Method, String), Operation>>);

impl Operations {
    /// Those that a description of the API names.
    pub(crate) fn of(document: &OpenApi) -> Self {
        let mut found = HashMap::new();
        for (route, item) in &document.paths.paths {
            for (method, described) in operations(item) {
                let Some(name) = described.operation_id.clone() else {
                    continue;
                };
                let changes = effect(document, &method, route, described);
                found.insert((method, route.clone()), Operation { name, changes });
            }
        }
        Self(Arc::new(found))
    }

    /// The operation at a route of the admin API, below its base.
    pub(crate) fn at(&self, method: &Method, route: &str) -> Option<&Operation> {
        self.0.get(&(method.clone(), route.to_owned()))
    }

    /// The names of those that are so.
    pub(crate) fn names(&self, are: impl Fn(&Operation) -> bool) -> impl Iterator<Item = String> {
        let found = self.0.values().filter(move |one| are(one));
        found.map(|one| one.name.clone())
    }

    /// Whether a request changes nothing.
    pub(crate) fn only_ask(&self, method: &Method, route: &str) -> bool {
        method.is_safe()
            || self
                .at(method, route)
                .is_some_and(|one| one.changes == Effect::Nothing)
    }
}

fn operations(item: &PathItem) -> impl Iterator<Item = (Method, &Described)> {
    let all = [
        (Method::GET, &item.get),
        (Method::PUT, &item.put),
        (Method::POST, &item.post),
        (Method::PATCH, &item.patch),
        (Method::DELETE, &item.delete),
    ];
    all.into_iter()
        .filter_map(|(method, described)| Some((method, described.as_ref()?)))
}

fn effect(document: &OpenApi, method: &Method, route: &str, described: &Described) -> Effect {
    if method.is_safe() {
        return Effect::Nothing;
    }
    let extensions = described.extensions.as_ref();
    let said = extensions.and_then(|all| all.get(CHANGES)?.as_str());
    match said {
        Some(NOTHING) => return Effect::Nothing,
        Some(object) => return Effect::Object(object.to_owned()),
        None => {}
    }
    if method == Method::POST
        && let Some(made) = item_of(document, route)
    {
        return Effect::Made(made);
    }
    let is_item = route.ends_with('}');
    match nearest(document, route) {
        Some(object) if object == route && is_item && method == Method::DELETE => {
            Effect::Gone(object)
        }
        Some(object) => Effect::Object(object),
        None => Effect::Hidden,
    }
}

/// The route of the objects in the list at a route.
fn item_of(document: &OpenApi, route: &str) -> Option<String> {
    let mut routes = document.paths.paths.keys();
    let found = routes.find(|below| {
        let rest = below
            .strip_prefix(route)
            .and_then(|rest| rest.strip_prefix("/{"));
        rest.is_some_and(|rest| rest.find('}') == Some(rest.len() - 1))
    })?;
    is_object(document, found).then(|| found.clone())
}

/// The object that a route is, or is below.
fn nearest(document: &OpenApi, route: &str) -> Option<String> {
    let mut route = route;
    while !route.is_empty() {
        if is_object(document, route) {
            return Some(route.to_owned());
        }
        route = route.rsplit_once('/').map_or("", |(above, _)| above);
    }
    None
}

/// Whether a GET answers one object.
fn is_object(document: &OpenApi, route: &str) -> bool {
    let item = document.paths.paths.get(route);
    let Some(get) = item.and_then(|item| item.get.as_ref()) else {
        return false;
    };
    let Some(RefOr::T(answer)) = get.responses.responses.get("200") else {
        return false;
    };
    let Some(RefOr::T(content)) = answer.content.get("application/json") else {
        return false;
    };
    match content.schema.as_ref() {
        Some(RefOr::Ref(schema)) => {
            let name = schema.ref_location.rsplit('/').next().unwrap_or_default();
            !LISTS.iter().any(|list| name.starts_with(list))
        }
        Some(RefOr::T(Schema::Object(_))) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// What is decided about each operation is in a file that is looked at when it changes.
    #[test]
    fn of_every_operation_it_is_decided_what_it_changes() {
        let document = crate::api::description();
        let operations = Operations::of(&document);
        let all = operations
            .0
            .iter()
            .filter(|((method, _), _)| !method.is_safe());
        let table: BTreeMap<String, String> = all
            .map(|((method, route), operation)| {
                let changes = match &operation.changes {
                    Effect::Nothing => "nothing".to_owned(),
                    Effect::Hidden => "what no object shows".to_owned(),
                    Effect::Object(object) => object.clone(),
                    Effect::Gone(object) => format!("takes away {object}"),
                    Effect::Made(object) => format!("makes {object}"),
                };
                (format!("{route} {method}"), changes)
            })
            .collect();
        let lines: Vec<String> = table
            .iter()
            .map(|(operation, changes)| format!("{operation}: {changes}"))
            .collect();
        insta::assert_snapshot!("changes", lines.join("\n"));
    }

    #[test]
    fn what_the_description_says_of_changes_is_there() {
        let document = crate::api::description();
        for (route, item) in &document.paths.paths {
            for (method, described) in operations(item) {
                let said = described
                    .extensions
                    .as_ref()
                    .and_then(|all| all.get(CHANGES));
                let Some(said) = said else { continue };
                let said = said.as_str().unwrap_or_default();
                assert!(!method.is_safe(), "{method} {route} changes nothing anyway");
                assert!(
                    said == NOTHING || is_object(&document, said),
                    "{route}: {said}"
                );
            }
        }
    }
}
