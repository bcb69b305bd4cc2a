//! Input made to hurt: depth, size, repetition.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use scim::{Filter, PatchRequest, ResourceType, ScimType, ValuePath, json, limits};
use serde_json::json;

use crate::scene::*;

/// Far above what any of it takes on a busy machine, and far below what any of it would take if the
/// cost grew with the square of the size.
const SOON: Duration = Duration::from_secs(60);

#[test]
fn filters_are_bounded_in_length_parts_and_depth() {
    let flat = |terms: usize| vec!["id pr"; terms].join(" or ");
    assert!(Filter::parse(&flat(limits::FILTER_NODES_MAX - 1)).is_ok());
    assert!(
        Filter::parse(&flat(limits::FILTER_NODES_MAX))
            .unwrap_err()
            .detail
            .contains("parts")
    );
    assert!(
        Filter::parse(&flat(100_000))
            .unwrap_err()
            .detail
            .contains("bytes")
    );

    let deep = |levels: usize| format!("{}id pr{}", "(".repeat(levels), ")".repeat(levels));
    assert!(Filter::parse(&deep(limits::FILTER_DEPTH_MAX)).is_ok());
    for levels in [limits::FILTER_DEPTH_MAX + 1, 4_000] {
        assert!(
            Filter::parse(&deep(levels))
                .unwrap_err()
                .detail
                .contains("nested"),
            "{levels}"
        );
    }
    let nots = |levels: usize| format!("{}id pr{}", "not (".repeat(levels), ")".repeat(levels));
    assert!(Filter::parse(&nots(limits::FILTER_DEPTH_MAX)).is_ok());
    assert!(
        Filter::parse(&nots(1_000))
            .unwrap_err()
            .detail
            .contains("nested")
    );

    let long = |bytes: usize| format!("id eq \"{}\"", "x".repeat(bytes - 8));
    assert!(Filter::parse(&long(limits::FILTER_BYTES_MAX)).is_ok());
    assert_eq!(
        Filter::parse(&long(limits::FILTER_BYTES_MAX + 1))
            .unwrap_err()
            .scim_type,
        Some(ScimType::InvalidFilter)
    );
}

#[test]
fn paths_are_bounded() {
    let path = |terms: usize| format!("emails[{}]", vec!["type pr"; terms].join(" or "));
    assert!(ValuePath::parse(&path(limits::PATH_NODES_MAX - 1)).is_ok());
    assert!(ValuePath::parse(&path(limits::PATH_NODES_MAX)).is_err());
    let long = |bytes: usize| "x".repeat(bytes);
    assert!(ValuePath::parse(&long(limits::PATH_BYTES_MAX)).is_ok());
    assert!(ValuePath::parse(&long(limits::PATH_BYTES_MAX + 1)).is_err());
}

#[test]
fn operations_are_counted() {
    let body = |count: usize| {
        let operations = vec![json!({ "op": "replace", "path": "title", "value": "x" }); count];
        PatchRequest::parse(object(&json!({ "Operations": operations })))
    };
    assert!(body(limits::PATCH_OPERATIONS_MAX).is_ok());
    assert_eq!(
        body(limits::PATCH_OPERATIONS_MAX + 1).unwrap_err().status,
        413
    );
}

#[test]
fn the_largest_requests_are_read_soon() {
    let began = Instant::now();
    let members: Vec<_> = (0..limits::MEMBERS_PER_REQUEST_MAX)
        .map(|n| json!({ "value": format!("{n:036}") }))
        .collect();
    let body = json!({ "displayName": "G", "members": members }).to_string();
    let mut map = json::read_object(body.as_bytes()).unwrap();
    assert_eq!(
        scim::members_of(&mut map).unwrap().unwrap().len(),
        limits::MEMBERS_PER_REQUEST_MAX
    );

    let names: Vec<String> = (0..limits::JSON_NAMES_MAX)
        .map(|n| format!("\"{n}\":0"))
        .collect();
    let wide = vec![format!("{{{}}}", names.join(",")); 100].join(",");
    assert!(json::read_object(format!("{{\"a\":[{wide}]}}").as_bytes()).is_ok());

    let texts = vec!["\"\""; 300_000].join(",");
    let many = json::read_object(format!("{{\"userName\":\"a\",\"emails\":[{texts}]}}").as_bytes())
        .unwrap();
    assert!(
        scim::Resource::from_request(ResourceType::user(), many, &scim::Dialect::generic())
            .is_err()
    );

    let operations: Vec<_> = (0..limits::PATCH_OPERATIONS_MAX)
        .map(|n| json!({ "op": "add", "path": format!("emails[type eq \"{}\"].value", n % 100), "value": "x" }))
        .collect();
    assert!(
        patch(&joy(), &json!(operations)).is_err(),
        "102 e-mails are too many"
    );
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
}

#[test]
fn errors_repeat_little_of_what_was_sent() {
    let long = format!("a{}", "x".repeat(500));
    let nasty = "a\u{1b}[31m\r\nb".to_owned();
    for name in [long, nasty] {
        let error = post(
            ResourceType::user(),
            &json!({ "userName": format!(" {name}") }),
        )
        .unwrap_err();
        assert!(error.detail.chars().count() < 300, "{}", error.detail);
        assert!(
            !error.detail.chars().any(char::is_control),
            "{:?}",
            error.detail
        );
        let error = Filter::parse(&format!("{name} zz 1")).unwrap_err();
        assert!(
            error.detail.chars().count() < 300 && !error.detail.chars().any(char::is_control),
            "{:?}",
            error.detail
        );
        let path = format!("emails[type co {}].value", json!(format!("\u{7f}{name}")));
        let replace = json!([{ "op": "replace", "path": path, "value": "x" }]);
        let error = patch(&joy(), &replace).unwrap_err();
        assert_eq!(error.scim_type, Some(ScimType::NoTarget));
        assert!(
            error.detail.chars().count() < 300 && !error.detail.chars().any(char::is_control),
            "{:?}",
            error.detail
        );
        let error = ValuePath::parse(&format!("{name} zz")).unwrap_err();
        assert!(
            error.detail.chars().count() < 300 && !error.detail.chars().any(char::is_control),
            "{:?}",
            error.detail
        );
    }
}

proptest! {
    #[test]
    fn no_path_makes_it_panic(text in "\\PC{0,40}", words in "(emails|\\[|\\]|type|eq|\"x\"|\\.|value|urn:| |members){0,10}") {
        for path in [text, words] {
            if let Ok(path) = ValuePath::parse(&path) {
                prop_assert_eq!(ValuePath::parse(&path.to_string()), Ok(path.clone()));
                let _ = path.resolve(ResourceType::user());
            }
        }
    }

    #[test]
    fn no_patch_makes_it_panic(
        op in "add|Replace|REMOVE|x", path in "(emails|members|name|manager|active|meta)(\\[(type|value|primary) (eq|ne|co) \"?(a|true)\"?\\])?(\\.(value|type|givenName))?",
        value in prop_oneof![Just(json!(null)), Just(json!([])), Just(json!({})), Just(json!("a")), Just(json!(1)), Just(json!([{ "value": "a" }])), Just(json!({ "value": [1] }))],
    ) {
        let body = json!({ "Operations": [{ "op": op, "path": path, "value": value }] });
        if let Ok(request) = PatchRequest::parse(object(&body)) {
            let _ = request.apply(ResourceType::user(), &joy(), &scim::Dialect::generic());
            if let Ok((rest, _)) = request.split_members() {
                let _ = rest.apply(ResourceType::group(), &group(&json!({ "displayName": "G" })), &scim::Dialect::generic());
            }
        }
    }
}
