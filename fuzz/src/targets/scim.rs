//! What identity providers send.

use std::sync::LazyLock;

use jiff::Timestamp;
use scim::limits::{
    BULK_OPERATIONS_MAX, DETAIL_CHARS_MAX, FILTER_BYTES_MAX, FILTER_NODES_MAX, RESOURCE_BYTES_MAX,
};
use scim::{
    BulkRequest, CustomSchema, Departure, Dialect, Filter, Meta, Node, PatchRequest, Precondition,
    Resource, ResourceType, ResourceTypes, ScimError, SearchRequest, ValuePath, discovery, json,
};
use serde_json::{Map, Value};

pub const FILTER_WORDS: &[&str] = &[
    "userName",
    "emails",
    "emails.value",
    "emails[type eq \"work\"]",
    "name.familyName",
    "active",
    "members.value",
    "meta.lastModified",
    "displayName",
    "groups",
    "manager",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:",
    "urn:ietf:params:scim:schemas:core:2.0:User:",
    " eq ",
    " NE ",
    " co ",
    " sw ",
    " ew ",
    " gt ",
    " ge ",
    " lt ",
    " le ",
    " pr",
    " and ",
    " or ",
    "not (",
    "(",
    ")",
    "[",
    "]",
    ".",
    ":",
    "\"x\"",
    "true",
    "null",
    "1.5e3",
    "\"2011-05-13T04:42:34Z\"",
    "$ref",
    "\\\"",
    "\\u00e9",
    "id",
    "schemas",
];
pub const JSON_WORDS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"a\":",
    "\"A\":",
    "null",
    "true",
    "1e999",
    "-0.0",
    "\"\\ud83d\\ude00\"",
    "\"\\ud83d\"",
    "12345678901234567890",
    "0.1e-400",
    "\"schemas\":",
];
pub const RESOURCE_WORDS: &[&str] = &[
    "\"userName\":",
    "\"USERNAME\":",
    "\"emails\":[",
    "{\"value\":\"a@b\",\"type\":\"work\",\"primary\":true}",
    "\"name\":{",
    "\"givenName\":",
    "\"active\":",
    "\"True\"",
    "false",
    "null",
    "[]",
    "{}",
    "\"\"",
    "\"roles\":[",
    "\"manager\":",
    "\"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User\":{",
    "\"urn:x:y:2.0:Z\":{",
    "\"id\":\"1\",",
    "\"meta\":{",
    "\"password\":\"p\"",
    "\"displayName\":",
    "\"members\":[{\"value\":\"1\"}]",
    ",",
    "}",
    "]",
    "\"x509Certificates\":[{\"value\":\"AA==\"}]",
    "\"$ref\":",
    "\"addresses\":[{\"primary\":true}]",
];
pub const PATCH_WORDS: &[&str] = &[
    "{\"op\":\"add\",",
    "{\"op\":\"Replace\",",
    "{\"op\":\"remove\",",
    "\"path\":",
    "\"value\":",
    "\"emails\"",
    "\"emails[type eq \\\"work\\\"].value\"",
    "\"name.givenName\"",
    "\"members[value eq \\\"1\\\"]\"",
    "\"members\"",
    "\"emails[primary eq true]\"",
    "\"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User\"",
    "\"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager\"",
    "\"active\"",
    "\"\"",
    "null",
    "[]",
    "{}",
    "[{\"value\":\"1\"}]",
    "{\"value\":\"a@b\",\"primary\":true}",
    "\"x\"",
    "true",
    ",",
    "}",
    "]",
    "\"roles\"",
    "\"id\"",
    "\"urn:x:y:2.0:Z:a\"",
    "\"displayName\"",
];
pub const BULK_WORDS: &[&str] = &[
    "{\"method\":\"POST\",\"path\":\"/Users\",",
    "\"bulkId\":\"a\",",
    "\"bulkId\":\"b\",",
    "\"data\":{",
    "\"bulkId:a\"",
    "\"bulkId:b\"",
    "\"/Groups/bulkId:a\"",
    "\"members\":[{\"value\":\"bulkId:a\"}]",
    "\"failOnErrors\":",
    "0",
    "-1",
    "\"Operations\":[",
    "PATCH",
    "PUT",
    "DELETE",
    "/Users/1",
    "/Groups",
    "\"version\":\"W/\\\"1\\\"\"",
    "null",
    ",",
    "}",
    "]",
    "\"path\":",
    "\"method\":",
];
pub const SEARCH_WORDS: &[&str] = &[
    "\"filter\":",
    "\"sortBy\":",
    "\"sortOrder\":\"descending\"",
    "\"startIndex\":",
    "\"count\":",
    "\"cursor\":",
    "\"attributes\":[",
    "\"excludedAttributes\":",
    "\"userName\"",
    "\"emails.value\"",
    "\"userName eq \\\"x\\\"\"",
    "-1",
    "0",
    "1e9",
    "\"\"",
    "null",
    "filter=",
    "&",
    "count=",
    "sortBy=",
    "attributes=",
    "emails",
    ",",
];
pub const SCHEMA_WORDS: &[&str] = &[
    "\"id\":\"urn:x:y:2.0:Z\"",
    "\"name\":",
    "\"attributes\":[",
    "{\"name\":\"a\",\"type\":\"string\"}",
    "\"type\":",
    "\"complex\"",
    "\"integer\"",
    "\"reference\"",
    "\"binary\"",
    "\"dateTime\"",
    "\"multiValued\":true",
    "\"subAttributes\":[",
    "\"canonicalValues\":",
    "\"referenceTypes\":",
    "\"uniqueness\":\"server\"",
    "\"mutability\":\"readOnly\"",
    "\"returned\":\"never\"",
    "\"required\":true",
    "\"caseExact\":",
    "null",
    "[]",
    "\"\"",
    ",",
    "}",
    "]",
    "urn:ietf:params:scim:schemas:core:2.0:User",
];
pub const HEADER_WORDS: &[&str] = &[
    "W/",
    "\"1\"",
    "\"7-0000abcd\"",
    "*",
    ",",
    " ",
    "\"",
    "-",
    "w/\"7\"",
    "\t",
];

/// A user with a bit of everything.
static JOY: LazyLock<Resource> =
    LazyLock::new(|| stored(include_str!("joy.json"), ResourceType::user()));
static TEAM: LazyLock<Resource> = LazyLock::new(|| {
    stored(
        r#"{"displayName": "Team", "externalId": "7"}"#,
        ResourceType::group(),
    )
});

fn stored(text: &str, ty: &ResourceType) -> Resource {
    let map = json::read_object(text.as_bytes()).unwrap();
    Resource::from_request(ty, map, &Dialect::generic())
        .unwrap()
        .0
}

/// No departure, the usual ones, all of them.
fn dialects() -> [Dialect; 3] {
    let all = Departure::ALL
        .into_iter()
        .fold(Dialect::rfc(), Dialect::with);
    [Dialect::rfc(), Dialect::generic(), all]
}

/// What a refusal may be.
fn refused(error: &ScimError) {
    assert!((400..500).contains(&error.status), "{error:?}");
    assert!(!error.detail.is_empty(), "{error:?}");
    assert!(
        error.detail.chars().count() <= DETAIL_CHARS_MAX,
        "{error:?}"
    );
    assert!(!error.detail.chars().any(char::is_control), "{error:?}");
}

fn map_of(input: &[u8]) -> Option<Map<String, Value>> {
    json::read_object(input).inspect_err(refused).ok()
}

/// What is accepted is printed so that it reads back as the same.
pub fn filter(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let filter = match Filter::parse(text) {
        Ok(filter) => filter,
        Err(error) => return refused(&error),
    };
    assert!(text.len() <= FILTER_BYTES_MAX);
    let printed = filter.to_string();
    match Filter::parse(&printed) {
        Ok(again) => assert_eq!(again, filter, "{printed}"),
        // Each connective gets its parentheses, which may be too many of them.
        Err(error) => assert!(printed.len() > text.len(), "{printed}: {error}"),
    }
    for (ty, resource) in [
        (ResourceType::user(), &*JOY),
        (ResourceType::group(), &*TEAM),
    ] {
        match filter.resolve(ty) {
            Ok(node) => {
                assert!(nodes(&node) <= FILTER_NODES_MAX);
                let holds = node.matches(resource);
                assert_eq!(Node::Not(Box::new(node)).matches(resource), !holds);
            }
            Err(error) => refused(&error),
        }
    }
}

fn nodes(node: &Node) -> usize {
    match node {
        Node::And(terms) | Node::Or(terms) => {
            terms.iter().map(nodes).sum::<usize>() + usize::from(!terms.is_empty())
        }
        Node::Not(inner) => 1 + nodes(inner),
        Node::Element { filter, .. } => 1 + nodes(filter),
        Node::Test { .. } | Node::Present(_) => 1,
    }
}

/// As [`filter`].
pub fn path(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let path = match ValuePath::parse(text) {
        Ok(path) => path,
        Err(error) => return refused(&error),
    };
    let printed = path.to_string();
    match ValuePath::parse(&printed) {
        Ok(again) => assert_eq!(again, path, "{printed}"),
        Err(error) => assert!(printed.len() > text.len(), "{printed}: {error}"),
    }
    for (ty, resource) in [
        (ResourceType::user(), &*JOY),
        (ResourceType::group(), &*TEAM),
    ] {
        for resolved in [path.resolve(ty), path.resolve_open(ty)] {
            match resolved {
                Ok(selector) => drop(selector.values(resource)),
                Err(error) => refused(&error),
            }
        }
    }
}

/// What is accepted is JSON to everybody else, and reads back as the same.
pub fn json(input: &[u8]) {
    let value = match json::read(input) {
        Ok(value) => value,
        Err(error) => return refused(&error),
    };
    let input = input.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(input);
    let others: Value = serde_json::from_slice(input).unwrap();
    assert_eq!(value, others);
    // The last digit of a fraction may change once more: it is read as the nearest but one.
    if !has_fraction(&value) {
        let again = json::read(value.to_string().as_bytes()).unwrap();
        assert_eq!(again, value);
    }
}

fn has_fraction(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(items) => items.iter().any(has_fraction),
        Value::Object(map) => map.values().any(has_fraction),
        _ => false,
    }
}

/// What is kept of a body is canonical: as a body of its own it is kept as it is.
pub fn resource(input: &[u8]) {
    for ty in [ResourceType::user(), ResourceType::group()] {
        for dialect in dialects() {
            let Some(mut map) = map_of(input) else { return };
            if let Err(error) = scim::members_of(&mut map) {
                refused(&error);
            }
            match Resource::from_request(ty, map, &dialect) {
                Ok((resource, _)) => canonical(&resource, ty),
                Err(error) => refused(&error),
            }
        }
    }
}

fn canonical(resource: &Resource, ty: &ResourceType) {
    let text = resource.to_stored();
    assert!(
        text.len() <= RESOURCE_BYTES_MAX,
        "{} bytes are kept",
        text.len()
    );
    assert_eq!(&Resource::parse_stored(&text).unwrap(), resource);
    // What was let through for a client's sake is nothing special any more.
    let read = |resource: &Resource| {
        Resource::from_request(ty, resource.as_map().clone(), &Dialect::rfc())
            .unwrap()
            .0
    };
    let again = read(resource);
    assert_eq!(sorted(&again), sorted(resource));
    assert_eq!(read(&again), again);
}

/// A resource with its schemas in order.
fn sorted(resource: &Resource) -> Map<String, Value> {
    let mut map = resource.as_map().clone();
    if let Some(Value::Array(urns)) = map.get_mut("schemas") {
        urns.sort_by_key(Value::to_string);
    }
    map
}

/// What a PATCH leaves is canonical. One that says where and what, and asks nothing, does it once only.
pub fn patch(input: &[u8]) {
    for dialect in dialects() {
        let Some(map) = map_of(input) else { return };
        let once = happens_once(&map);
        let request = match PatchRequest::parse(map) {
            Ok(request) => request,
            Err(error) => return refused(&error),
        };
        apply(&request, ResourceType::user(), &JOY, &dialect, once);
        match request.split_members() {
            Ok((rest, _)) => apply(&rest, ResourceType::group(), &TEAM, &dialect, once),
            Err(error) => refused(&error),
        }
    }
}

fn apply(
    request: &PatchRequest,
    ty: &ResourceType,
    before: &Resource,
    dialect: &Dialect,
    once: bool,
) {
    let patched = match request.apply(ty, before, dialect) {
        Ok(patched) => patched,
        Err(error) => return refused(&error),
    };
    assert_eq!(patched.changed, patched.resource != *before);
    canonical(&patched.resource, ty);
    if once {
        let again = request.apply(ty, &patched.resource, dialect).unwrap();
        assert!(
            !again.changed,
            "{:?} became {:?}",
            patched.resource, again.resource
        );
    }
}

/// Whether it is one operation without a filter in a path, so that repeating it changes nothing.
fn happens_once(map: &Map<String, Value>) -> bool {
    let lists: Vec<&Value> = map
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("operations"))
        .map(|(_, value)| value)
        .collect();
    let [Value::Array(operations)] = lists.as_slice() else {
        return false;
    };
    let [Value::Object(operation)] = operations.as_slice() else {
        return false;
    };
    !operation.iter().any(|(_, part)| asks(part))
}

fn asks(part: &Value) -> bool {
    match part {
        Value::String(text) => text.contains('['),
        Value::Array(items) => items.iter().any(asks),
        Value::Object(map) => map
            .iter()
            .any(|(name, value)| name.contains('[') || asks(value)),
        _ => false,
    }
}

/// Every operation is carried out once, and after what it names.
pub fn bulk(input: &[u8]) {
    let Some(map) = map_of(input) else { return };
    let request = match BulkRequest::parse(map, BULK_OPERATIONS_MAX) {
        Ok(request) => request,
        Err(error) => return refused(&error),
    };
    assert_ne!(request.fail_on_errors, Some(0));
    let units = request.order();
    let mut order: Vec<usize> = units
        .iter()
        .flat_map(|unit| unit.operations.iter().copied())
        .collect();
    order.sort_unstable();
    assert_eq!(order, (0..request.operations.len()).collect::<Vec<_>>());
    for operation in &request.operations {
        match &operation.task {
            Ok(task) => {
                let found = task.resolved(|_| Some("7".to_owned())).unwrap();
                assert_eq!(
                    found.resolved(|_| None).as_ref(),
                    Ok(&found),
                    "nothing is left to resolve"
                );
                assert_eq!(found.known_id(), found.id());
                let alone = task.without(|_| true);
                assert_eq!(alone.without(|_| true), alone);
                if let Err(error) = task.resolved(|_| None) {
                    refused(&error);
                }
            }
            Err(error) => refused(error),
        }
    }
}

/// As a body and as a query.
pub fn search(input: &[u8]) {
    if let Some(request) =
        map_of(input).and_then(|map| SearchRequest::from_body(map).inspect_err(refused).ok())
    {
        resolve(&request);
    }
    if let Ok(text) = std::str::from_utf8(input) {
        let pairs = text
            .split('&')
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        resolve(&SearchRequest::from_query(pairs));
    }
}

fn resolve(request: &SearchRequest) {
    assert_eq!(request.identity(), request.identity());
    let types = [ResourceType::user(), ResourceType::group()];
    for (ty, resource) in types.into_iter().zip([&*JOY, &*TEAM]) {
        for query in [request.resolve(ty), request.resolve_among(ty, &types)] {
            let query = match query {
                Ok(query) => query,
                Err(error) => {
                    refused(&error);
                    continue;
                }
            };
            assert!(query.count <= scim::limits::PAGE_MAX);
            if let Some(filter) = &query.filter {
                filter.matches(resource);
            }
            let shown = query.projection.apply(resource.as_map());
            assert_eq!(query.projection.apply(&shown), shown, "showing is choosing");
        }
    }
}

/// What is accepted is described so that it reads back as the same, and has resources.
pub fn schema(input: &[u8]) {
    let Ok(document) = json::read(input).inspect_err(refused) else {
        return;
    };
    let custom = match CustomSchema::parse(&document, false, true, true) {
        Ok(custom) => custom,
        Err(errors) => {
            assert!(!errors.is_empty());
            let said = errors
                .iter()
                .all(|error| !error.message.is_empty() && !error.remedy.is_empty());
            return assert!(said, "{errors:?}");
        }
    };
    let described = discovery::document_of(&custom.schema);
    assert_eq!(
        CustomSchema::parse(&described, false, true, true).as_ref(),
        Ok(&custom),
        "{described}"
    );
    let urn = custom.schema.id.clone();
    let Ok(types) = ResourceTypes::with(&[custom]) else {
        return;
    };
    assert!(discovery::schema(&types, &urn, "https://x").is_some());
    let mut map = JOY.as_map().clone();
    map.insert(urn, document);
    match Resource::from_request(&types.user, map, &Dialect::generic()) {
        Ok((resource, _)) => canonical(&resource, &types.user),
        Err(error) => refused(&error),
    }
}

/// A tag of ours holds for its version; what isn't one for none.
pub fn headers(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let meta = |version| Meta {
        created: Timestamp::UNIX_EPOCH,
        last_modified: Timestamp::UNIX_EPOCH,
        version,
        beside: None,
    };
    let demanded = Precondition::parse(Some(text), None);
    let versions = [1, 7, i64::MAX].map(|version| demanded.check(&meta(version)).is_ok());
    let excluded = Precondition::parse(None, Some(text));
    for (version, holds) in [1, 7, i64::MAX].into_iter().zip(versions) {
        assert_eq!(excluded.check(&meta(version)).is_err(), holds, "{text}");
        if let Err(error) = excluded.check(&meta(version)) {
            refused(&error);
        }
    }
    let one = Precondition::parse(Some(&meta(7).etag()), None);
    assert!(one.check(&meta(7)).is_ok() && one.check(&meta(8)).is_err());
}
