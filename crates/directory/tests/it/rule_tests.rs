//! Rule tests as an administrator keeps them.

use directory::rules::{CompiledRules, RuleTest, TestResult, check_tests, run_tests};
use directory::{Rules, value_errors};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::stage::Person;

fn run(rules: Value, test: Value) -> TestResult {
    let rules: Rules = serde_json::from_value(rules).unwrap();
    let test: RuleTest = serde_json::from_value(test).unwrap();
    assert_eq!(check_tests(std::slice::from_ref(&test)), []);
    let now: Timestamp = "2026-03-01T09:00:00Z".parse().unwrap();
    let compiled = CompiledRules::new(&rules).unwrap();
    run_tests(&[test], &compiled, now).remove(0)
}

fn rules() -> Value {
    json!({
        "mapping": [{"target": "username", "steps": ["lower"]}],
        "groups": {"never_assign": ["secret"], "always_assign": ["jira-users"]},
        "scope": {"required_groups": ["Staff"]},
    })
}

#[test]
fn a_test_passes_when_everything_comes_out_as_expected() {
    let result = run(
        rules(),
        json!({
            "name": "staff", "groups": ["Staff", "Secret"],
            "user": {"userName": "ANN", "emails": [{"value": "ann@x.example", "primary": true}]},
            "expect": {
                "status": "active", "reason": "IDP_ACTIVE", "groups": ["JIRA-users", "staff"],
                "attributes": {"username": "ann", "email": "ann@x.example"},
                "in_groups": ["staff"], "not_in_groups": ["secret"],
            },
        }),
    );
    assert!(result.passed(), "{result:?}");
}

#[test]
fn a_mismatch_says_what_was_expected_and_what_came_out() {
    let result = run(
        rules(),
        json!({
            "name": "guest", "user": {"userName": "Gil"}, "groups": ["Secret"],
            "expect": {"status": "active", "attributes": {"username": "gil"}, "in_groups": ["secret"]},
        }),
    );
    let told: Vec<String> = result
        .mismatches
        .iter()
        .map(|it| format!("{} {} {}", it.what, it.expected, it.found))
        .collect();
    assert_eq!(
        told,
        [
            r#"status "active" "none""#,
            r#"username "gil" """#,
            r#"in_groups "secret" []"#
        ]
    );
}

#[test]
fn a_test_can_begin_with_an_account_and_without_a_user() {
    let existing = json!({"username": "ann", "groups": ["Staff"], "local_groups": ["admins"]});
    let leaver = json!({"name": "leaver", "existing": existing, "expect": {"status": "disabled"}});
    assert!(run(json!({}), leaver.clone()).passed());
    assert!(!run(json!({"cleanup": {"idp_deleted": "delete"}}), leaver).passed());
    let mover = json!({
        "name": "mover", "user": {"userName": "ann"}, "groups": ["Other"], "existing": existing,
        "expect": {"groups": ["other", "admins"]},
    });
    assert!(run(json!({}), mover).passed());
}

#[test]
fn the_leaver_of_the_documentation_comes_out_as_it_says() {
    let leaver = json!({
        "name": "a leaver is disabled and keeps no group of ours",
        "existing": {"username": "ann", "groups": ["staff"], "local_groups": ["chess"]},
        "user": {"userName": "ann", "active": false},
        "expect": {"status": "disabled", "groups": ["chess"]}
    });
    let result = run(json!({}), leaver);
    assert!(result.passed(), "{result:?}");
}

#[test]
fn tests_that_cannot_be_run_are_refused_with_the_place() {
    let tests: Vec<RuleTest> = serde_json::from_value(json!([
        {"name": "one", "user": {"userName": "a"}, "expect": {}},
        {"name": "one", "user": {"displayName": "no name"}, "expect": {"attributes": {"mail": "x"}}},
        {"name": " ", "expect": {}},
    ]))
    .unwrap();
    let paths: Vec<String> = check_tests(&tests).into_iter().map(|it| it.path).collect();
    assert_eq!(
        paths,
        [
            "tests[1].name",
            "tests[1].user",
            "tests[1].expect.attributes",
            "tests[2].name",
            "tests[2].user"
        ]
    );
    assert!(
        serde_json::from_value::<RuleTest>(json!({"name": "x", "expected": {}})).is_err(),
        "misspelt members are refused"
    );
}

#[test]
fn values_that_cannot_be_used_are_told() {
    let told = |rules: Value| {
        let outcome = Person::new(rules).outcome();
        let errors = value_errors(&outcome).into_iter();
        errors
            .map(|error| format!("{} {}", error.target, error.message))
            .collect::<Vec<_>>()
    };
    let row =
        |target: &str, source: Value| json!({"mapping": [{"target": target, "source": source}]});
    assert_eq!(told(json!({})), [""; 0]);
    assert_eq!(
        told(row("username", json!({"attribute": "nickName"}))),
        ["username is empty"]
    );
    assert_eq!(
        told(row(
            "display_name",
            json!({"template": format!("${{userName}}{}", "x".repeat(256))})
        )),
        ["display_name has more than the 255 characters that products keep"]
    );
    assert_eq!(
        told(row("active", json!({"constant": "perhaps"}))),
        ["active is neither true nor false"]
    );
}
