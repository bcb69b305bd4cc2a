//! What would have to be different: every no has its conditions, and they name what to do.

use directory::{CompiledRules, Status, Subject, Trigger, Verdict, evaluate};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::json;

use crate::laws::{account, groups, person, rules};
use crate::stage::{Person, user};

fn texts(conditions: &[String]) -> Vec<&str> {
    conditions.iter().map(String::as_str).collect()
}

#[test]
fn who_waits_is_told_for_which_groups() {
    let ann = Person::new(json!({"scope": {"required_groups": ["jira-users", "re:crowd-.*"]}}));
    let conditions = ann.outcome().why_no_account(&ann.rules);
    assert_eq!(
        texts(&conditions),
        ["be in one of the required groups: jira-users, re:crowd-.*"]
    );
}

#[test]
fn who_is_inactive_is_told_so() {
    let mut ann = Person::new(json!({})).with_account(Vec::new());
    ann.user = Some(user(json!({"userName": "ann", "active": false})));
    let conditions = ann.outcome().why_no_account(&ann.rules);
    assert!(
        conditions.contains(&"the identity provider must say that the user is active".to_owned())
    );
    ann.user = None;
    let conditions = ann.outcome().why_no_account(&ann.rules);
    assert_eq!(
        texts(&conditions),
        ["the identity provider must provision the user again"]
    );
}

#[test]
fn a_group_in_the_way_of_a_list_names_the_entry() {
    let written =
        json!({"groups": {"never_assign": ["re:jira-a.*"], "only_assign": ["re:jira-.*"]}});
    let ann = Person::new(written).in_groups(&["jira-admins", "dev"]);
    let outcome = ann.outcome();
    let not = |group| outcome.why_not_group(group, &ann.rules);
    assert_eq!(
        texts(&not("jira-admins")),
        ["`re:jira-a.*` must go from `groups.never_assign`"]
    );
    assert_eq!(texts(&not("dev")), ["`groups.only_assign` must have `dev`"]);
    let ops = not("ops");
    assert!(
        ops[0].contains("a source group whose name becomes `ops`"),
        "{ops:?}"
    );
    assert_eq!(ops[1], "`groups.only_assign` must have `ops`");
}

#[test]
fn a_group_that_becomes_another_says_which() {
    let written = json!({"groups": {"names": {"rules": [
        {"steps": [{"regex_replace": {"pattern": "d", "with": "", "mode": "all"}}]}
    ]}}});
    let ann = Person::new(written).in_groups(&["dev"]);
    let outcome = ann.outcome();
    assert_eq!(
        texts(&outcome.why_not_group("dev", &ann.rules)),
        ["the rules must make `dev` of `dev`, of which they make `ev`"]
    );
    assert!(outcome.why_not_group("ev", &ann.rules).is_empty());
}

#[test]
fn an_attribute_is_told_with_its_row_and_steps() {
    let written = json!({"mapping": [
        {"target": "username", "steps": ["upper"]},
        {"target": "attr:site", "source": {"constant": "Bonn"}},
    ]});
    let ann = Person::new(written);
    let outcome = ann.outcome();
    let lines = outcome.why_attribute("username").unwrap();
    assert!(
        lines[0].text.contains(r#"makes "ANN" of "ann""#),
        "{lines:?}"
    );
    assert!(
        lines[1].text.contains(r#"`username` is "ANN""#),
        "{lines:?}"
    );
    let site = outcome.why_attribute("attr:site").unwrap();
    assert_eq!(site.len(), 1);
    assert_eq!(outcome.why_attribute("attr:nothing"), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn every_no_has_a_condition(
        rules in rules(),
        user in person(),
        groups in groups(),
        account in account(),
    ) {
        let compiled = CompiledRules::new(&rules).unwrap();
        let now: Timestamp = "2026-03-01T09:00:00Z".parse().unwrap();
        let subject = Subject {
            user: user.as_ref(),
            groups: &groups,
            existing: account.as_ref(),
            now,
            trigger: Trigger::Simulate,
            overrides: &[],
        };
        let outcome = evaluate(&subject, &compiled);
        let is_active = matches!(
            outcome.verdict,
            Verdict::Account { status: Status::Active, .. }
        );
        let conditions = outcome.why_no_account(&compiled);
        prop_assert_eq!(is_active, conditions.is_empty(), "{:?}", outcome.verdict);
        for group in ["dev", "ops", "elsewhere"] {
            let member = outcome.why_group(group).member;
            let conditions = outcome.why_not_group(group, &compiled);
            prop_assert_eq!(member, conditions.is_empty(), "{}", group);
        }
    }
}
