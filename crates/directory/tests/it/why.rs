//! Explanations: each decision can be told in words, and each membership, and each absence of one.

use serde_json::json;

use crate::stage::{Person, membership, user};

fn why(person: &Person, group: &str) -> (bool, String) {
    let why = person.outcome().why_group(group);
    let lines: Vec<String> = why.lines.into_iter().map(|line| line.text).collect();
    (why.member, lines.join("\n"))
}

fn ann() -> Person {
    Person::new(json!({"groups": {
        "names": {
            "rules": [{"steps": [{"regex_replace": {"pattern": "app-(.*)", "with": "$1"}}]}],
            "on_no_match": "clear",
        },
        "only_assign": ["re:jira.*"],
        "never_assign": ["jira-admins"],
        "always_assign": ["everyone"],
        "never_remove": ["re:local-.*"],
    }}))
    .in_groups(&["app-jira", "app-jira-admins", "app-conf", "hr"])
    .with_account(vec![
        membership("jira-old", &["idp:9"]),
        membership("local-x", &["idp:8"]),
        membership("made-here", &["local"]),
    ])
}

#[test]
fn each_membership_has_its_reason() {
    let ann = ann();
    for (group, member, reason) in [
        (
            "jira",
            true,
            "source group `app-jira` is assigned as `jira`",
        ),
        (
            "app-jira",
            false,
            "source group `app-jira` is assigned as `jira`",
        ),
        (
            "JIRA-ADMINS",
            false,
            "`jira-admins` is in `never_assign` by `jira-admins`",
        ),
        ("conf", false, "`conf` is not in `only_assign`"),
        ("hr", false, "no rule matches its name"),
        (
            "everyone",
            true,
            "`everyone` is assigned to every active user",
        ),
        (
            "jira-old",
            false,
            "`jira-old` goes: nothing grants it any more",
        ),
        (
            "local-x",
            true,
            "`local-x` stays: it is in `never_remove` by `re:local-.*`",
        ),
        (
            "made-here",
            true,
            "`made-here` stays: this connector did not assign it",
        ),
        (
            "payroll",
            false,
            "nothing this user has from the identity provider or the rules names `payroll`",
        ),
    ] {
        let (is_member, text) = why(&ann, group);
        assert_eq!(is_member, member, "{group}: {text}");
        assert!(text.contains(reason), "{group}: {text}");
        assert!(
            text.ends_with("account active (IDP_ACTIVE)"),
            "{group}: {text}"
        );
    }
}

#[test]
fn a_disabled_account_explains_frozen_groups() {
    let mut ann = ann();
    ann.step();
    ann.user = None;
    let (member, text) = why(&ann, "jira");
    assert!(member);
    assert!(
        text.contains("IDP_DELETED: the rules say disable"),
        "{text}"
    );
    assert!(text.contains("memberships stay as they are"), "{text}");
}

#[test]
fn waiting_explains_itself() {
    let ann = Person::new(json!({"scope": {"required_groups": ["g"]}})).in_groups(&["dev"]);
    let (member, text) = why(&ann, "dev");
    assert!(!member);
    assert!(text.contains("in no required group and waits"), "{text}");
    assert!(
        text.contains("no account (NOT_IN_REQUIRED_GROUP)"),
        "{text}"
    );
}

#[test]
fn a_whole_decision_in_words() {
    let mut ann = Person::new(json!({
        "mapping": [{"target": "username", "steps": ["strip_domain"]}],
        "scope": {"required_groups": ["re:d.*"]},
    }))
    .in_groups(&["dev"]);
    ann.user = Some(user(
        json!({"userName": "ann@example.com", "displayName": "Ann"}),
    ));
    let lines: Vec<String> = ann
        .outcome()
        .lines()
        .into_iter()
        .map(|line| format!("{:?} {}", line.stage, line.text))
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    Subject scim: the user is in one source group; no account so far
    Mapping `username`: mapping[0].steps[0].strip_domain makes "ann" of "ann@example.com"
    Mapping `username` is "ann", from userName
    Mapping `email` stays as it was: emails has no value
    Mapping `display_name` is "Ann", from displayName or name
    Mapping `first_name` is empty: name.givenName has no value
    Mapping `last_name` is empty: name.familyName has no value
    Mapping `active` is true, as active has no value
    Scope `dev` is a required group by `re:d.*`
    Groups source group `dev` is assigned
    Status account active (IDP_ACTIVE)
    "#);
}

#[test]
fn groups_in_groups_are_told_with_their_way() {
    let nested = |word: &str| {
        Person::new(json!({"groups": {"nested_groups": word}}))
            .in_groups(&["team"])
            .by_way_of("staff", &["team", "division"])
    };
    for (word, member, reason) in [
        (
            "flatten",
            true,
            "source group `staff`, by way of `team` in `division`, is assigned",
        ),
        (
            "preserve",
            false,
            "is no membership of its own: products see which groups are in which",
        ),
        (
            "ignore",
            false,
            "is left out: the rules ignore groups in groups",
        ),
    ] {
        let (is_member, text) = why(&nested(word), "staff");
        assert_eq!(is_member, member, "{word}");
        assert!(text.contains(reason), "{word}: {text}");
        assert!(why(&nested(word), "team").0, "{word}");
    }
}

#[test]
fn a_preserved_child_group_counts_for_a_required_group() {
    for (word, status) in [("flatten", true), ("preserve", true), ("ignore", false)] {
        let rules = json!({
            "groups": {"nested_groups": word},
            "scope": {"required_groups": ["staff"]},
        });
        let mut ann = Person::new(rules)
            .in_groups(&["team"])
            .by_way_of("staff", &["team"]);
        ann.step();
        assert_eq!(ann.account.is_some(), status, "{word}");
    }
}
