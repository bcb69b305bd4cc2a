//! Configurations: read with all their mistakes, taken apart, merged and planned.

use directory::configuration::{Action, Configuration, merge, objects, plan, read, schema};
use directory::rules::RuleError;
use proptest::prelude::*;
use serde_json::{Value, json};

fn good(document: Value) -> Configuration {
    read(document).unwrap()
}

fn paths(errors: &[RuleError]) -> Vec<&str> {
    errors.iter().map(|error| error.path.as_str()).collect()
}

/// What has to be done, in words.
fn steps(present: Value, wanted: Value, prune: bool) -> Vec<String> {
    let (present, wanted) = (objects(&good(present)), objects(&good(wanted)));
    let plan = plan(merge(&present, &wanted), &present, &wanted, prune);
    let steps = plan.steps.iter();
    steps
        .map(|step| {
            let paths: Vec<&str> = step.differences.iter().map(|one| &*one.path).collect();
            format!(
                "{} {} {}",
                step.action.as_str(),
                step.object,
                paths.join(" ")
            )
        })
        .collect()
}

#[test]
fn every_mistake_is_told_with_its_place_as_it_was_written() {
    let wrong = read(json!({
        "version": 1,
        "conectors": [],
        "directories": [{"name": "a"}, {"nmae": "b"}, {"name": 3}, {"name": "d", "x": 1}],
        "connectors": [
            {"name": "one", "state": "asleep", "settings": {"patch_reply": "sometimes", "limits": {"leavers": -1, "x": 1}}},
            {
                "name": "two",
                "rules": {
                    "mapping": [
                        {"target": "email", "steps": ["lower", "uper", {"replace": {"find": "a"}}, {"left": "x"}]},
                        {"targt": "username"},
                        {"target": "nonsense"},
                    ],
                    "groups": {"rename": "sometimes"},
                },
                "tests": [{"name": "t"}],
                "tokens": [{"label": "l", "access": "all"}],
            },
        ],
        "applications": [{"name": "jira", "password": {"envy": "X"}}],
    }))
    .unwrap_err();
    let mut found = paths(&wrong);
    found.sort_unstable();
    assert_eq!(
        found,
        [
            "applications[0].password",
            "conectors",
            "connectors[0].settings.limits.leavers",
            "connectors[0].settings.limits.x",
            "connectors[0].settings.patch_reply",
            "connectors[0].state",
            "connectors[1].rules.groups.rename",
            "connectors[1].rules.mapping[0].steps[1]",
            "connectors[1].rules.mapping[0].steps[2].replace",
            "connectors[1].rules.mapping[0].steps[3].left",
            "connectors[1].rules.mapping[1]",
            "connectors[1].rules.mapping[1].targt",
            "connectors[1].rules.mapping[2].target",
            "connectors[1].tests[0]",
            "connectors[1].tokens[0].access",
            "directories[1]",
            "directories[1].nmae",
            "directories[2].name",
            "directories[3].x",
        ],
        "{wrong:#?}"
    );
    assert!(wrong.iter().all(|error| !error.remedy.is_empty()));
    assert_eq!(
        paths(&read(json!({"version": 2})).unwrap_err()),
        ["version"]
    );
    assert_eq!(paths(&read(json!([])).unwrap_err()), [""]);
    let list =
        read(json!({"connectors": [{"name": "x", "rules": [], "settings": {"limits": []}}]}));
    assert_eq!(
        paths(&list.unwrap_err()),
        ["connectors[0].settings.limits", "connectors[0].rules"]
    );
}

#[test]
fn what_is_left_out_stays_and_parts_count_as_a_whole() {
    let present = json!({
        "directories": [{"name": "staff"}],
        "connectors": [{
            "name": "okta", "preset": "okta", "directory": "staff", "state": "active",
            "settings": {"accept_passwords": true, "pilot": {"percent": 5}},
            "rules": {"groups": {"always_assign": ["all"]}},
            "tokens": [{"label": "a", "expires": "2030-01-01T00:00:00Z"}, {"label": "a"}, {"label": "b"}],
        }],
        "applications": [{"name": "jira", "access": "read-only", "directories": [{"directory": "staff"}]}],
    });
    assert_eq!(steps(present.clone(), present.clone(), true), [""; 0]);
    assert_eq!(steps(present.clone(), json!({}), true), [""; 0]);
    let wanted = json!({"connectors": [{"name": "OKTA", "settings": {"pilot": null}}]});
    assert_eq!(
        steps(present.clone(), wanted, true),
        ["change connector 'OKTA' settings.pilot"]
    );
    let wanted = json!({
        "connectors": [{"name": "okta", "rules": {}, "tokens": [{"label": "a"}, {"label": "A"}]}],
        "applications": [],
    });
    assert_eq!(
        steps(present.clone(), wanted.clone(), true),
        [
            "change connector 'okta' rules.groups.always_assign[0]",
            "change token 'a' of connector 'okta' expires",
            "delete application 'jira' ",
            "delete token 'b' of connector 'okta' ",
        ]
    );
    assert_eq!(steps(present, wanted, false).len(), 2);
}

#[test]
fn rules_that_say_nothing_begin_safely() {
    let made =
        good(json!({"connectors": [{"name": "x", "rules": {"groups": {"rename": "follow"}}}]}));
    let rules = made.connectors.unwrap().remove(0).rules.unwrap();
    assert!(!rules.groups.protected.is_empty());
    assert_eq!(json!(rules.groups.rename), json!("follow"));
    let new = steps(
        json!({}),
        json!({"connectors": [{"name": "x", "rules": {}}]}),
        false,
    );
    assert_eq!(
        new,
        ["create connector 'x' "],
        "the rules are those of a new connector"
    );
}

#[test]
fn secrets_are_never_part_of_what_is_told() {
    let wanted = objects(&good(json!({"applications": [
        {"name": "jira", "password": {"value": "s3cret"}, "directories": [{"directory": "d"}],
         "webhooks": [{"url": "https://a.example/", "token": {"value": "s3cret"}}]},
    ]})));
    let present = objects(&Configuration::default());
    let plan = plan(merge(&present, &wanted), &present, &wanted, false);
    assert!(plan.steps.iter().all(|step| step.secret.is_some()));
    assert!(!format!("{plan:?} {wanted:?}").contains("s3cret"));
    assert_eq!(plan.steps[0].action, Action::Create);
    assert!(plan.steps[0].touches("password"));
}

#[test]
fn two_of_a_name_are_refused_and_labels_may_be_shared() {
    let said = objects(&good(json!({
        "directories": [{"name": "a"}, {"name": "A "}],
        "connectors": [{"name": "c", "tokens": [{"label": "t"}, {"label": "t"}]}],
    })));
    assert_eq!(paths(&said.twice()), ["directories[1].name"]);
}

/// Whether the schema has a place for everything in a document; names with which it does not are given.
fn unknown(schema: &Value, root: &Value, document: &Value, path: &str, found: &mut Vec<String>) {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.trim_start_matches("#/$defs/");
        return unknown(&root["$defs"][name], root, document, path, found);
    }
    for choice in ["anyOf", "oneOf"] {
        if let Some(choices) = schema[choice].as_array() {
            let fits = choices.iter().any(|one| {
                let mut found = Vec::new();
                unknown(one, root, document, path, &mut found);
                found.is_empty()
            });
            if !fits {
                found.push(path.to_owned());
            }
            return;
        }
    }
    let kind = match document {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let is_kind = match &schema["type"] {
        Value::String(one) => one == kind,
        Value::Array(several) => several.iter().any(|one| one == kind),
        _ => true,
    };
    let is_value = schema["enum"]
        .as_array()
        .is_none_or(|all| all.contains(document))
        && schema.get("const").is_none_or(|only| only == document);
    if !is_kind || !is_value {
        found.push(path.to_owned());
    }
    match document {
        Value::Array(items) if schema.get("items").is_some() => {
            for item in items {
                unknown(&schema["items"], root, item, path, found);
            }
        }
        Value::Object(members) => {
            for name in schema["required"].as_array().into_iter().flatten() {
                if !members.contains_key(name.as_str().unwrap()) {
                    found.push(format!("{path}.{name}"));
                }
            }
            for (name, value) in members {
                let path = format!("{path}.{name}");
                match (
                    schema["properties"].get(name),
                    &schema["additionalProperties"],
                ) {
                    (Some(known), _) => unknown(known, root, value, &path, found),
                    (None, Value::Bool(false)) => found.push(path),
                    (None, more @ Value::Object(_)) => unknown(more, root, value, &path, found),
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

#[test]
fn null_says_something_and_silence_does_not() {
    let present = json!({
        "directories": [{"name": "staff", "local_users": false, "precedence": {"order": ["okta"], "targets": {"email": ["hr"]}}}],
        "notifications": [{"name": "ops", "way": {"chat": {}}, "enabled": true, "events": ["job.failed"], "connectors": ["okta"],
            "every_minutes": 15}],
        "subscriptions": [{"name": "all", "url": "https://x/", "enabled": true, "events": ["user.created"], "directories": ["staff"]}],
        "audit": {"keep_days": 400},
    });
    assert_eq!(steps(present.clone(), present.clone(), true), [""; 0]);
    let silent = json!({"directories": [{"name": "staff"}], "notifications": [{"name": "OPS"}], "subscriptions": [{"name": "ALL"}],
        "audit": {}});
    assert_eq!(steps(present.clone(), silent, true), [""; 0]);
    let wanted = json!({
        "directories": [{"name": "staff", "precedence": {"order": ["okta"]}}],
        "notifications": [{"name": "ops", "events": null, "secret": {"sealed": "v1$"}}],
        "subscriptions": [{"name": "all", "events": null, "directories": null}],
        "audit": {"keep_days": 90},
    });
    assert_eq!(
        steps(present.clone(), wanted, true),
        [
            "change directory 'staff' precedence.targets",
            "change channel 'ops' events secret",
            "change subscription 'all' events directories",
            "change audit log keep_days",
        ]
    );
    let none = json!({"directories": [{"name": "staff", "precedence": null}], "notifications": []});
    assert_eq!(
        steps(present.clone(), none, true),
        [
            "change directory 'staff' precedence",
            "delete channel 'ops' "
        ]
    );
    // What a new one has where nothing is said is told of what is otherwise alone.
    let new = json!({
        "directories": [{"name": "new", "precedence": null}],
        "connectors": [{"name": "new", "id": "0197f6c2-6d5c-7b7e-9a3f-0c8a4f3a2b11"}],
        "notifications": [{"name": "new", "way": {"chat": {"format": "text"}}}],
        "subscriptions": [{"name": "new", "url": "https://x/"}],
    });
    let made = [
        "create directory 'new' ",
        "create connector 'new' id",
        "create channel 'new' way",
        "create subscription 'new' url",
    ];
    assert_eq!(steps(json!({}), new, false), made);
    // One that is there keeps its id.
    let known = json!({"connectors": [{"name": "x"}]});
    let other =
        json!({"connectors": [{"name": "x", "id": "0197f6c2-6d5c-7b7e-9a3f-0c8a4f3a2b11"}]});
    assert_eq!(steps(known, other, true), [""; 0]);
}

#[test]
fn the_schema_knows_everything_that_can_be_read_and_nothing_else() {
    let schema = schema();
    let misfits = |document: &Value| {
        let mut found = Vec::new();
        unknown(&schema, &schema, document, "", &mut found);
        found
    };
    let document = json!({
        "version": 1,
        "directories": [
            {"name": "x", "local_users": true, "precedence": {"order": ["x"], "targets": {"attr:title": ["x"], "groups": []}}},
            {"name": "y", "precedence": null},
        ],
        "connectors": [{
            "name": "x",
            "id": "0197f6c2-6d5c-7b7e-9a3f-0c8a4f3a2b11",
            "settings": {
                "schedule": {"cron": "off"}, "pilot": {"groups": ["a"]}, "departures": {"empty_text_clears": true},
                "credentials": {"jwt": {"tenant": "t", "algorithms": ["RS256"]}}, "limits": {"renames": null},
            },
            "rules": {
                "mapping": [
                    {"target": "attr:department", "source": {"attribute": "title"}, "on_null": "keep", "steps": [
                        "lower", {"left": 3}, {"map": {"table": {"a": "b", "c": ["d", "e"]}, "default": {"value": "x"}}},
                        {"if": {"when": "active eq true", "then": ["upper"], "else": [{"constant": "x"}]}},
                        {"regex_extract": {"pattern": "(a)", "group": 1}},
                    ]},
                ],
                "groups": {"protected": ["admins"], "mapping": {"rows": []}},
                "cleanup": {"idp_deleted": "anonymise"},
                "conditions": [{"name": "c", "when": "active eq true", "disable": true}],
            },
            "tests": [{"name": "t", "user": {"userName": "a"}, "expect": {"status": "active"}}],
            "tokens": [{"label": "a", "secret": {"env": "X"}}],
            "clients": [{"label": "a", "secret": {"sealed": "v1$"}}],
        }],
        "applications": [{"name": "jira", "sign_in": {"cookie_secure": null}, "directories": [{"directory": "x"}]}],
        "notifications": [
            {"name": "a", "way": {"mail": {"host": "h", "from": "a@b", "to": ["a@b"]}}, "secret": {"file": "x"}},
            {"name": "b", "way": {"webhook": {"url": "https://x"}}, "events": ["job.failed"], "connectors": ["x"]},
            {"name": "c", "way": {"chat": {"format": "teams"}}, "enabled": false, "events": null, "connectors": null},
        ],
        "subscriptions": [
            {"name": "a", "url": "https://x/", "secret": {"file": "x"}, "events": ["user.created"], "directories": ["x"]},
            {"name": "b", "url": "https://x/", "enabled": false, "events": null, "directories": null},
        ],
        "audit": {"keep_days": 90},
    });
    let read_back = read(document.clone());
    assert_eq!(misfits(&document), [""; 0], "{read_back:?}");
    let whole = serde_json::to_value(read_back.unwrap()).unwrap();
    assert_eq!(misfits(&whole), [""; 0]);
    for (wrong, place) in [
        (json!({"connectors": [{"nam": "x"}]}), ".connectors"),
        (
            json!({"connectors": [{"name": "x", "rules": {"mapings": []}}]}),
            ".connectors",
        ),
        (
            json!({"applications": [{"name": "x", "password": {"value": "s"}}]}),
            ".applications",
        ),
        (
            json!({"directories": [{"name": "x", "precedence": {"orders": []}}]}),
            ".directories",
        ),
        (
            json!({"notifications": [{"name": "x", "way": {"pigeon": {}}}]}),
            ".notifications",
        ),
        (
            json!({"subscriptions": [{"name": "x", "events": ["user.sneezed"]}]}),
            ".subscriptions",
        ),
        (json!({"version": "1"}), ".version"),
    ] {
        let found = misfits(&wrong);
        assert!(
            found.iter().any(|path| path.starts_with(place)),
            "{wrong}: {found:?}"
        );
    }
}

proptest! {
    /// Whatever is there and wanted: a plan for what is there already is empty, and with `prune` nothing is left over.
    #[test]
    fn what_was_carried_out_needs_no_plan(
        present in prop::collection::btree_set("[a-d]", 0..4),
        wanted in prop::collection::btree_set("[a-d]", 0..4),
        state in prop::sample::select(vec!["active", "paused", "disabled"]),
    ) {
        let document = |names: &std::collections::BTreeSet<String>, state: &str| {
            let entries: Vec<Value> = names
                .iter()
                .map(|name| json!({"name": name, "state": state, "tokens": [{"label": name}]}))
                .collect();
            json!({"connectors": entries})
        };
        let (present, wanted) = (document(&present, "active"), document(&wanted, state));
        prop_assert_eq!(steps(wanted.clone(), wanted.clone(), true), Vec::<String>::new());
        let (before, after) = (objects(&good(present)), objects(&good(wanted)));
        let plan = plan(merge(&before, &after), &before, &after, true);
        let mut there: Vec<String> = before.objects.iter().map(|it| it.name.to_string()).collect();
        for step in &plan.steps {
            let name = step.object.to_string();
            match step.action {
                Action::Create => there.push(name),
                Action::Change => prop_assert!(there.contains(&name)),
                Action::Delete => there.retain(|known| {
                    // What is part of it goes with it.
                    *known != name && !known.ends_with(&format!("of {name}"))
                }),
            }
        }
        let mut expected: Vec<String> = after.objects.iter().map(|it| it.name.to_string()).collect();
        there.sort();
        expected.sort();
        prop_assert_eq!(there, expected);
    }
}
