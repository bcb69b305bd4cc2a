//! Rules that cannot work are refused with their place, what is wrong, and what to do.

use directory::{CompiledRules, RuleError, Rules};
use serde_json::{Value, json};

fn refused(written: Value) -> Vec<RuleError> {
    let rules: Rules = serde_json::from_value(written).unwrap();
    CompiledRules::new(&rules).unwrap_err()
}

fn paths(written: Value) -> Vec<String> {
    refused(written)
        .into_iter()
        .map(|error| error.path)
        .collect()
}

#[test]
fn everything_wrong_is_said_at_once() {
    let errors = refused(json!({
        "mapping": [
            {"target": "email", "source": {"attribute": "mail"}},
            {"target": "email"},
            {"target": "attr:x"},
            {"target": "groups"},
            {"target": "username", "source": {"first_of": []}},
            {"target": "last_name", "source": {"template": "${name.familyName"}},
            {"target": "first_name", "source": {"template": "no attribute"}},
            {"target": "display_name", "steps": [
                "lower",
                {"regex_replace": {"pattern": "(?=a)", "with": ""}},
                {"regex_replace": {"pattern": "a", "with": "$1"}},
                {"regex_replace": {"pattern": "(.*)", "with": "$1", "mode": "all"}},
                {"replace": {"find": "", "with": "x"}},
            ]},
        ],
        "groups": {
            "only_assign": ["re:["],
            "always_assign": ["fine", "re:.*", " "],
            "names": {"rules": [{"steps": [{"regex_replace": {"pattern": "a\\1", "with": ""}}]}]},
        },
        "scope": {"required_groups": [""]},
    }));
    let mut paths: Vec<&str> = errors.iter().map(|error| error.path.as_str()).collect();
    paths.sort_unstable();
    assert_eq!(
        paths,
        [
            "groups.always_assign[1]",
            "groups.always_assign[2]",
            "groups.names.rules[0].steps[0].regex_replace.pattern",
            "groups.only_assign[0]",
            "mapping[0].source.attribute",
            "mapping[1].target",
            "mapping[2].source",
            "mapping[3].source",
            "mapping[4].source",
            "mapping[5].source.template",
            "mapping[6].source.template",
            "mapping[7].steps[1].regex_replace.pattern",
            "mapping[7].steps[2].regex_replace.with",
            "mapping[7].steps[3].regex_replace.pattern",
            "mapping[7].steps[4].replace.find",
            "scope.required_groups[0]",
        ]
    );
    for error in &errors {
        assert!(
            !error.message.is_empty() && !error.remedy.is_empty(),
            "{error}"
        );
    }
}

#[test]
fn numbers_have_limits() {
    assert_eq!(
        paths(json!({"scope": {"grace_minutes": 43_201}})),
        ["scope.grace_minutes"]
    );
    let many: Vec<String> = (0..=1_000).map(|number| format!("g{number}")).collect();
    assert_eq!(
        paths(json!({"groups": {"never_remove": many}})),
        ["groups.never_remove"]
    );
    let steps = vec!["lower"; 101];
    let row = json!({"target": "username", "steps": steps});
    assert_eq!(paths(json!({"mapping": [row]})), ["mapping[0].steps"]);
    let rows: Vec<Value> = (0..501)
        .map(|number| json!({"target": format!("attr:{number}"), "source": {"constant": "x"}}))
        .collect();
    assert_eq!(paths(json!({"mapping": rows})), ["mapping"]);
}

#[test]
fn misspelt_rules_do_not_parse() {
    for written in [
        json!({"group": {}}),
        json!({"groups": {"only": []}}),
        json!({"mapping": [{"target": "mail"}]}),
        json!({"mapping": [{"target": "attr:"}]}),
        json!({"mapping": [{"target": "email", "step": []}]}),
        json!({"mapping": [{"target": "email", "steps": ["lowercase"]}]}),
        json!({"mapping": [{"target": "email", "steps": [{"prefix": {"txt": "x"}}]}]}),
        json!({"cleanup": {"idp_deleted": "anonymize"}}),
    ] {
        assert!(
            serde_json::from_value::<Rules>(written.clone()).is_err(),
            "{written}"
        );
    }
}

#[test]
fn rules_written_out_read_back_the_same() {
    let written = json!({
        "mapping": [{
            "target": "attr:team",
            "source": {"first_of": ["title", "department"]},
            "steps": ["lower", {"regex_replace": {"pattern": "a", "with": "b", "mode": "all"}}],
            "on_no_match": "clear",
            "on_null": "keep",
        }],
        "groups": {"authority": "strict", "never_remove": ["re:.*"]},
    });
    let rules: Rules = serde_json::from_value(written).unwrap();
    let again: Rules = serde_json::from_str(&serde_json::to_string(&rules).unwrap()).unwrap();
    assert_eq!(rules, again);
    assert_eq!(
        serde_json::from_str::<Rules>("{}").unwrap(),
        Rules::default()
    );
}

#[test]
fn steps_that_cannot_work_are_refused_at_their_place() {
    for (target, step, path) in [
        (
            "email",
            json!({"regex_extract": {"pattern": "a(b)", "group": 2}}),
            "regex_extract.group",
        ),
        (
            "email",
            json!({"regex_extract": {"pattern": "a(b)", "group": "x"}}),
            "regex_extract.group",
        ),
        (
            "email",
            json!({"keep_if": {"pattern": "(?<!a)b"}}),
            "keep_if.pattern",
        ),
        (
            "email",
            json!({"drop_if": {"pattern": "["}}),
            "drop_if.pattern",
        ),
        ("email", json!({"split": {"sep": ""}}), "split.sep"),
        ("email", json!({"word": {"n": 0, "sep": ""}}), "word.sep"),
        ("email", json!({"map": {"table": {}}}), "map.table"),
        (
            "email",
            json!({"map": {"table": {"a": "1", "A": "2"}, "i": true}}),
            "map.table",
        ),
        (
            "email",
            json!({"username_safe": {"allowed": "a-z"}}),
            "username_safe.allowed",
        ),
        (
            "email",
            json!({"username_safe": {"allowed": "[z-a]"}}),
            "username_safe.allowed",
        ),
        (
            "email",
            json!({"username_safe": {"replace": " "}}),
            "username_safe.replace",
        ),
        ("email", json!({"unique_suffix": {}}), "unique_suffix"),
        (
            "username",
            json!({"unique_suffix": {"max": 1}}),
            "unique_suffix.max",
        ),
        ("email", json!({"hash": {"key": "short"}}), "hash.key"),
        (
            "email",
            json!({"hash": {"key": "0123456789abcdef", "len": 65}}),
            "hash.len",
        ),
        (
            "email",
            json!({"date_format": {"format": "%"}}),
            "date_format.format",
        ),
        (
            "email",
            json!({"date_parse": {"format": ""}}),
            "date_parse.format",
        ),
        ("email", json!({"date_add": {}}), "date_add"),
        ("email", json!({"date_add": {"years": 100_000}}), "date_add"),
        (
            "email",
            json!({"date_diff": {"to": "noAttribute"}}),
            "date_diff.to",
        ),
        (
            "email",
            json!({"to_bool": {"true": ["1"], "false": ["1"]}}),
            "to_bool",
        ),
        ("email", json!({"coalesce": []}), "coalesce"),
        (
            "email",
            json!({"coalesce": ["title", "nothing"]}),
            "coalesce[1]",
        ),
        ("email", json!({"template": "${nothing}"}), "template"),
        ("email", json!({"template": "plain"}), "template"),
        ("email", json!({"if": {"when": "title eq"}}), "if.when"),
        (
            "email",
            json!({"if": {"when": "unknown pr", "then": ["lower"]}}),
            "if.when",
        ),
        (
            "email",
            json!({"if": {"when": "title pr", "else": ["lower", {"split": {"sep": ""}}]}}),
            "if.else[1].split.sep",
        ),
        (
            "email",
            json!({"drop_user_if": {"when": "password pr"}}),
            "drop_user_if.when",
        ),
        (
            "email",
            json!({"lookup_user": {"return": "nothing"}}),
            "lookup_user.return",
        ),
        (
            "email",
            json!({"constant": "x".repeat(10_001)}),
            "constant.constant",
        ),
    ] {
        let found = paths(json!({"mapping": [{"target": target, "steps": [step]}]}));
        assert_eq!(found, [format!("mapping[0].steps[0].{path}")], "{step}");
    }
}

#[test]
fn conditions_have_a_depth_and_steps_in_them_count() {
    let mut step = json!("lower");
    for _ in 0..9 {
        step = json!({"if": {"when": "title pr", "then": [step]}});
    }
    let found = paths(json!({"mapping": [{"target": "email", "steps": [step]}]}));
    assert_eq!(found.len(), 1);
    assert!(found[0].ends_with("then[0].if"), "{found:?}");
    let many = json!({"if": {"when": "title pr", "then": vec!["lower"; 100]}});
    let found = paths(json!({"mapping": [{"target": "email", "steps": [many]}]}));
    assert_eq!(found, ["mapping[0].steps"]);
}

#[test]
fn names_of_groups_do_not_depend_on_the_user() {
    for step in [
        json!({"if": {"when": "title pr", "then": ["lower"]}}),
        json!({"drop_user_if": {"when": "title pr"}}),
        json!({"template": "${title}"}),
        json!({"coalesce": ["title"]}),
        json!({"lookup_user": {}}),
        json!({"unique_suffix": {}}),
        json!("now"),
        json!("ignore_if_empty"),
        json!({"map": {"table": {"a": "b"}, "default": "keep"}}),
    ] {
        let errors = refused(json!({"groups": {"names": {"rules": [{"steps": [step]}]}}}));
        assert_eq!(errors.len(), 1, "{step}");
        assert!(
            errors[0]
                .path
                .starts_with("groups.names.rules[0].steps[0].")
        );
        assert!(
            errors[0].message.contains("depends on the user"),
            "{}",
            errors[0]
        );
    }
}

#[test]
fn rows_that_wait_for_each_other_are_refused() {
    let errors = refused(json!({"mapping": [
        {"target": "email", "source": {"template": "${result.attr:a}@x"}},
        {"target": "attr:a", "source": {"result": "attr:b"}},
        {"target": "attr:b", "source": {"attribute": "title"}, "steps": [
            {"if": {"when": "title pr", "then": [{"template": "${value}-${result.email}"}]}}]},
        {"target": "username", "source": {"result": "username"}},
        {"target": "attr:c", "source": {"result": "attr:none"}},
        {"target": "attr:d", "source": {"result": "groups"}},
    ]}));
    let mut found: Vec<&str> = errors.iter().map(|it| it.path.as_str()).collect();
    found.sort_unstable();
    assert_eq!(
        found,
        [
            "mapping[0]",
            "mapping[1]",
            "mapping[2]",
            "mapping[3]",
            "mapping[4]",
            "mapping[5].source.result"
        ]
    );
    assert!(
        errors
            .iter()
            .any(|it| it.message.contains("waits for itself"))
    );
}

#[test]
fn targets_and_exemptions_are_checked() {
    for target in [
        "prop:jira:",
        "profile:confluence:shoe",
        "org:other",
        "attr:",
    ] {
        let written = json!({"mapping": [{"target": target, "source": {"constant": "x"}}]});
        assert!(
            serde_json::from_value::<Rules>(written).is_err(),
            "{target}"
        );
    }
    let twice = json!({"mapping": [
        {"target": "avatar", "source": {"constant": "x"}},
        {"target": "attr:avatar", "source": {"constant": "y"}},
    ]});
    assert_eq!(paths(twice), ["mapping[1].target"]);
    let exempt = json!({"cleanup": {"exempt_when": "title", "exempt_groups": ["re:("]}});
    assert_eq!(
        paths(exempt),
        ["cleanup.exempt_groups[0]", "cleanup.exempt_when"]
    );
}

#[test]
fn contradictions_are_warned_of() {
    let written = json!({
        "mapping": [
            {"target": "username", "on_null": "clear", "on_no_match": "keep", "steps": ["lower"]},
            {"target": "attr:a", "source": {"constant": "x"}, "on_null": "keep"},
            {"target": "attr:b", "source": {"attribute": "title"}, "steps": ["lower", {"constant": "x"}]},
        ],
        "groups": {
            "enabled": false,
            "only_assign": ["dev", "ops", "DEV"],
            "never_assign": ["Ops"],
            "always_assign": ["OPS"],
            "names": {"rules": [
                {"steps": [{"regex_replace": {"pattern": "(.*)", "with": "x-$1"}}]},
                {"steps": [{"regex_replace": {"pattern": "a(.*)", "with": "$1"}}]},
            ]},
        },
        "accounts": {"disable": false},
        "cleanup": {"idp_deleted": "delete"},
    });
    let rules: Rules = serde_json::from_value(written).unwrap();
    assert!(CompiledRules::new(&rules).is_ok(), "they work all the same");
    let mut found: Vec<String> = directory::rules::warnings(&rules)
        .into_iter()
        .map(|it| it.path)
        .collect();
    found.sort_unstable();
    assert_eq!(
        found,
        [
            "cleanup.idp_deleted",
            "groups.always_assign[0]",
            "groups.enabled",
            "groups.names.rules[1]",
            "groups.only_assign[1]",
            "groups.only_assign[2]",
            "mapping[0].on_no_match",
            "mapping[0].on_null",
            "mapping[1].on_null",
            "mapping[2].steps[1]",
        ]
    );
    assert_eq!(directory::rules::warnings(&Rules::default()), []);
}

#[test]
fn what_has_no_effect_is_warned_of() {
    let warned = |written: Value| -> Vec<String> {
        let rules: Rules = serde_json::from_value(written).unwrap();
        assert!(CompiledRules::new(&rules).is_ok(), "it works all the same");
        let found = directory::rules::warnings(&rules).into_iter();
        found.map(|it| it.path).collect()
    };
    for (written, path) in [
        (
            json!({"inactivity": {"days": 9}, "accounts": {"disable": false}}),
            "inactivity",
        ),
        (
            json!({"inactivity": {"days": 9, "only_groups": ["dev"], "never": ["Dev"]}}),
            "inactivity.only_groups[0]",
        ),
        (
            json!({"inactivity": {"days": 9, "never": ["dev", "DEV"]}}),
            "inactivity.never[1]",
        ),
        (
            json!({"cleanup": {"exempt_groups": ["a", "A"]}}),
            "cleanup.exempt_groups[1]",
        ),
        (
            json!({"cleanup": {"strip_exempt": ["a", "A"]}}),
            "cleanup.strip_exempt[1]",
        ),
        (
            json!({"accounts": {"update": false, "rename": "hold"}}),
            "accounts.rename",
        ),
        (
            json!({"accounts": {"create": false}, "groups": {"new_user_groups": ["a"]}}),
            "groups.new_user_groups",
        ),
        (
            json!({"groups": {"new_user_groups": ["a"], "never_assign": ["A"]}}),
            "groups.new_user_groups[0]",
        ),
        (
            json!({"identity": {"by_username": false, "on_deleted": "link"}}),
            "identity.on_deleted",
        ),
    ] {
        assert_eq!(warned(written.clone()), [path], "{written}");
    }
}

#[test]
fn times_that_mean_nothing_are_refused() {
    for (written, path) in [
        (
            json!({"accounts": {"names_reserved_days": 3_651}}),
            "accounts.names_reserved_days",
        ),
        (
            json!({"inactivity": {"days": 9, "sticky_days": 0}}),
            "inactivity.sticky_days",
        ),
        (
            json!({"inactivity": {"days": 9, "sticky": false, "sticky_days": 5}}),
            "inactivity.sticky_days",
        ),
        (
            json!({"inactivity": {"days": 9, "sticky_days": 3_651}}),
            "inactivity.sticky_days",
        ),
    ] {
        assert_eq!(paths(written.clone()), [path], "{written}");
    }
}

#[test]
fn contradictions_by_patterns_are_warned_of_where_they_can_be_told() {
    let told = |groups: Value| -> Vec<String> {
        let rules: Rules = serde_json::from_value(json!({"groups": groups})).unwrap();
        let found = directory::rules::warnings(&rules).into_iter();
        found
            .map(|it| format!("{}: {}", it.path, it.message))
            .collect()
    };
    for (groups, expected) in [
        (
            json!({"never_assign": ["re:x.*"], "always_assign": ["y", "XYZ"]}),
            "groups.always_assign[1]: `XYZ` is in `never_assign` too by `re:x.*`, which does not hold for groups that \
             everybody is in",
        ),
        (
            json!({"never_assign": ["re:x.*"], "only_assign": ["re:x.*", "re:y.*"]}),
            "groups.only_assign[0]: `re:x.*` is in `never_assign` too, which wins",
        ),
        (
            json!({"never_assign": ["re:.*"], "only_assign": ["re:jira-.*"]}),
            "groups.only_assign[0]: `re:jira-.*` is in `never_assign` too by `re:.*`, which wins",
        ),
        (
            json!({"never_assign": ["source:re:x.*"], "only_assign": ["source:x1", "x2"]}),
            "groups.only_assign[0]: `source:x1` is in `never_assign` too by `source:re:x.*`, which wins",
        ),
        (
            json!({"protected": ["re:.*-admins"], "only_assign": ["jira-admins"]}),
            "groups.only_assign[0]: `jira-admins` is in `protected` too by `re:.*-admins`, so nobody gets it from here",
        ),
        (
            json!({"never_assign": ["re:w.*"], "new_user_groups": ["welcome"]}),
            "groups.new_user_groups[0]: `welcome` is in `never_assign` too by `re:w.*`, which does not hold for groups \
             that come with an account",
        ),
    ] {
        assert_eq!(told(groups), [expected]);
    }
    // An exception from a pattern is what lists are for.
    assert_eq!(
        told(
            json!({"only_assign": ["re:jira-.*"], "never_assign": ["jira-admins", "re:jira-a.*"]})
        ),
        Vec::<String>::new()
    );
}

#[test]
fn what_is_longer_than_products_keep_is_refused_where_it_is_written() {
    let (long, fits) = ("x".repeat(256), "x".repeat(255));
    let rules = |text: &str| {
        json!({
            "mapping": [
                {"target": "attr:a", "source": {"constant": text}},
                {"target": "attr:b", "source": {"constant": text}, "steps": ["redact"]},
                {"target": "attr:c", "source": {"attribute": "title"}, "steps": ["lower", {"default": text}]},
                {"target": "groups", "source": {"attribute": "title"}, "steps": [
                    {"map": {"table": {"a": ["ok", text]}, "default": {"value": text}}}
                ]},
                {"target": "email", "steps": [
                    {"if": {"when": "title pr", "then": [{"constant": text}], "else": [{"suffix": {"text": text}}]}}
                ]},
                {"target": "display_name", "source": {"constant": text}, "steps": [{"left": 10}]},
                {"target": "avatar", "source": {"constant": text}},
            ],
            "groups": {
                "only_assign": [text], "always_assign": [text],
                "names": {"rules": [{"steps": [{"prefix": {"text": text}}]}]},
            },
            "conditions": [{"name": "c", "when": "title pr", "add_groups": [text]}],
        })
    };
    let mut found = paths(rules(&long));
    found.sort_unstable();
    assert_eq!(
        found,
        [
            "conditions[0].add_groups[0]",
            "groups.always_assign[0]",
            "groups.names.rules[0].steps[0].prefix.text",
            "groups.only_assign[0]",
            "mapping[0].source.constant",
            "mapping[1].source.constant",
            "mapping[2].steps[1].default",
            "mapping[3].steps[0].map.default",
            "mapping[3].steps[0].map.table.a",
            "mapping[4].steps[0].if.else[0].suffix.text",
            "mapping[4].steps[0].if.then[0].constant",
        ]
    );
    let fits: Rules = serde_json::from_value(rules(&fits)).unwrap();
    CompiledRules::new(&fits).unwrap();
}

#[test]
fn rules_in_force_may_go_on_with_a_text_that_is_too_long() {
    let name = "x".repeat(300);
    let written = json!({"groups": {"only_assign": [name]}});
    let rules: Rules = serde_json::from_value(written).unwrap();
    let refused = CompiledRules::new(&rules).unwrap_err();
    assert_eq!(refused[0].path, "groups.only_assign[0]");
    assert!(CompiledRules::stored(&rules).is_ok());
}

#[test]
fn paths_without_a_value_are_warned_of_with_their_place() {
    let rules: Rules = serde_json::from_value(json!({
        "mapping": [
            {"target": "attr:a", "source": {"attribute": "name"}},
            {"target": "attr:b", "source": {"first_of": ["title", "urn:foo:bar:User:x"]}},
            {"target": "attr:c", "source": {"template": "${title} ${meta} ${result.email}"}},
            {"target": "attr:d", "source": {"attribute": "groups.display"},
                "steps": [{"if": {"when": "title pr", "then": [{"coalesce": ["meta.location"]}]}}]},
            {"target": "attr:e", "source": {"attribute": "id"}, "steps": [
                {"lookup_user": {"return": "name"}}]},
            {"target": "attr:f", "source": {"first_of": [
                "emails", "meta.lastModified", "name.givenName", "emails[type eq \"work\"].value",
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager"]}},
        ],
        "conditions": [{"name": "leaves", "when": "title pr", "disable_at": "urn:x:y:User:end"}],
    }))
    .unwrap();
    CompiledRules::new(&rules).unwrap();
    let found = directory::rules::path_warnings(&rules, scim::ResourceType::user());
    let places: Vec<String> = found.into_iter().map(|it| it.path).collect();
    assert_eq!(
        places,
        [
            "mapping[0].source.attribute",
            "mapping[1].source.first_of[1]",
            "mapping[2].source.template",
            "mapping[3].source.attribute",
            "mapping[3].steps[0].if.then[0].coalesce[0]",
            "mapping[4].steps[0].lookup_user.return",
            "conditions[0].disable_at",
        ]
    );
    let defaults = Rules::default();
    assert_eq!(
        directory::rules::path_warnings(&defaults, scim::ResourceType::user()),
        []
    );
}
