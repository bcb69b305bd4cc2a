//! Rules as people write them: whatever is wrong with their form is told at once, in words for people, each with its place.

use directory::rules::{MappingRow, RuleError, Written, WrittenRules};
use serde_json::{Value, json};

fn read(written: Value) -> Result<directory::Rules, Vec<RuleError>> {
    serde_json::from_value::<WrittenRules>(written)
        .unwrap()
        .read()
}

fn paths(errors: &[RuleError]) -> Vec<&str> {
    errors.iter().map(|error| error.path.as_str()).collect()
}

#[test]
fn every_mistake_of_the_form_is_told_with_its_place() {
    let wrong = read(json!({
        "mapping": [
            {"target": "usrname", "source": {"attribute": "userName"}},
            {"target": "email", "sorce": {"attribute": "userName"}},
            {"target": "first_name", "steps": [
                "lower", "lowercase", {"prefix": 5}, "prefix", {"left": -1}, {"regex_replace": {"patern": "a", "with": ""}},
                {"map": {"table": {"a": 1}}}, {}, 7, {"if": {"when": "active eq true", "then": ["uper"]}}]},
            {"source": {"attribute": "title"}},
        ],
        "scope": {"grace_minutes": -5, "required_groups": "staff"},
        "cleanup": {"idp_deleted": "remove"},
        "group": {},
        "inactivity": {"days": "thirty"},
    }))
    .unwrap_err();
    let mut found = paths(&wrong);
    found.sort_unstable();
    assert_eq!(
        found,
        [
            "cleanup.idp_deleted",
            "group",
            "inactivity.days",
            "mapping[0].target",
            "mapping[1].sorce",
            "mapping[2].steps[1]",
            "mapping[2].steps[2].prefix",
            "mapping[2].steps[3]",
            "mapping[2].steps[4].left",
            "mapping[2].steps[5].regex_replace",
            "mapping[2].steps[5].regex_replace.patern",
            "mapping[2].steps[6].map.table.a",
            "mapping[2].steps[7]",
            "mapping[2].steps[8]",
            "mapping[2].steps[9].if.then[0]",
            "mapping[3]",
            "scope.grace_minutes",
            "scope.required_groups",
        ],
        "{wrong:#?}"
    );
    for error in &wrong {
        let told = error.to_string();
        for word in [
            "usize", "u32", "struct", "variant", "enum", "Step::", "invalid", "line",
        ] {
            assert!(!told.contains(word), "{told}");
        }
        assert!(!error.remedy.is_empty(), "{told}");
    }
}

#[test]
fn what_can_hardly_be_meant_is_warned_of_at_its_place() {
    let rules = read(json!({
        "mapping": [
            {"target": "attr:a", "source": {"attribute": "title"}, "steps": [
                {"date_parse": {"format": "dd.MM.yyyy"}}, "date_parse", {"date_format": {"format": "%Y"}}]},
            {"target": "attr:b", "source": {"attribute": "title"}, "steps": [
                {"if": {"when": "trigger eq \"foo\" or (trigger eq \"login\")", "then": [{"date_format": {"format": "yyyy"}}]}}]},
        ],
        "conditions": [{"name": "x", "when": "not (trigger eq \"sign_in\")", "drop": true}],
        "groups": {"never_assign": ["jira-.*"], "always_assign": ["re:x", "staff "]},
    }))
    .unwrap();
    assert_eq!(
        paths(&directory::rules::warnings(&rules)),
        [
            "groups.never_assign[0]",
            "groups.always_assign[0]",
            "groups.always_assign[1]",
            "mapping[0].steps[0].date_parse.format",
            "mapping[1].steps[0].if.when",
            "mapping[1].steps[0].if.then[0].date_format.format",
            "conditions[0].when",
        ]
    );
    let long = read(json!({"scope": {"grace_minutes": 4_000_000_000_u32}})).unwrap();
    let errors = directory::CompiledRules::new(&long).unwrap_err();
    assert_eq!(errors[0].remedy, "choose fewer");
}

#[test]
fn what_is_no_object_at_all_is_told_too() {
    for wrong in [json!([]), json!(1), json!("x"), json!(null)] {
        assert_eq!(paths(&read(wrong).unwrap_err()), ["rules"]);
    }
}

#[test]
fn a_row_alone_is_told_below_its_own_place() {
    let row = json!({"target": "emial", "steps": ["trim", "lowr"], "on_null": "stay"});
    let written: Written<MappingRow> = serde_json::from_value(row).unwrap();
    let mut found: Vec<String> = written
        .read("row")
        .unwrap_err()
        .into_iter()
        .map(|error| error.path)
        .collect();
    found.sort_unstable();
    assert_eq!(found, ["row.on_null", "row.steps[1]", "row.target"]);
}

#[test]
fn a_step_of_which_nothing_has_to_be_said_is_a_word() {
    let steps = |steps: Value| read(json!({"mapping": [{"target": "username", "steps": steps}]}));
    for word in [
        "username_safe",
        "unique_suffix",
        "date_parse",
        "date_diff",
        "to_bool",
        "lookup_user",
    ] {
        let whole = steps(json!([{ word: {} }])).unwrap();
        assert_eq!(steps(json!([word])).unwrap(), whole, "{word}");
        let stored = serde_json::to_value(&whole).unwrap();
        assert_eq!(read(stored).unwrap(), whole, "{word}");
    }
    let schema = directory::configuration::schema().to_string();
    assert!(
        schema.contains(r#""enum":["username_safe","#),
        "the schema has the words"
    );
}
