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
