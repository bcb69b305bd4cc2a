//! The worked examples of the feature catalogue, by their numbers.

use directory::{Reason, SourceGroupPk, Standing, Status, Verdict};
use serde_json::{Value, json};

use crate::stage::{Person, called, membership, user};

fn jira_rules(changes: Value) -> Value {
    let mut rules = json!({"groups": {
        "only_assign": ["re:jira-.*"],
        "never_assign": ["jira-admins"],
        "always_assign": ["jira-software-users"],
        "never_remove": ["re:local-.*"],
        "authority": "strict",
    }});
    for (name, value) in changes.as_object().unwrap() {
        rules["groups"][name] = value.clone();
    }
    rules
}

fn ann_in_jira(changes: Value) -> Person {
    Person::new(jira_rules(changes))
        .in_groups(&["jira-users", "jira-admins", "conf-users"])
        .with_account(vec![
            membership("jira-users", &["idp:1"]),
            membership("local-x", &["local"]),
        ])
}

#[test]
fn t1_lists_filter_and_protected_groups_stay() {
    let mut ann = ann_in_jira(json!({}));
    assert_eq!(ann.changes(), ["add_membership"]);
    assert_eq!(
        ann.member_of(),
        ["jira-software-users", "jira-users", "local-x"]
    );
    assert_eq!(ann.origins("jira-software-users"), ["always"]);
}

#[test]
fn t2_strict_removes_what_the_identity_provider_does_not_report() {
    let mut ann = ann_in_jira(json!({"never_remove": []}));
    assert_eq!(ann.changes(), ["add_membership", "remove_membership"]);
    assert_eq!(ann.member_of(), ["jira-software-users", "jira-users"]);
}

#[test]
fn t3_owned_only_leaves_what_others_made() {
    let mut ann = ann_in_jira(json!({"never_remove": [], "authority": "owned_only"}));
    assert_eq!(ann.changes(), ["add_membership"]);
    assert_eq!(
        ann.member_of(),
        ["jira-software-users", "jira-users", "local-x"]
    );
}

#[test]
fn t4_users_without_groups() {
    let written_out = json!({"groups": {"never_remove": ["re:.*"], "never_assign": ["re:.*"], "authority": "strict"}});
    let switched_off = json!({"groups": {"enabled": false, "authority": "strict"}});
    for rules in [written_out, switched_off] {
        let mut ann = Person::new(rules).in_groups(&["a", "b"]).with_account(vec![
            membership("a", &["idp:9"]),
            membership("c", &["local"]),
        ]);
        ann.user = Some(user(json!({"userName": "ann", "displayName": "Ann Other"})));
        assert_eq!(ann.changes(), ["update_user"]);
        assert_eq!(ann.member_of(), ["a", "c"]);
        assert_eq!(ann.rules.effective_group(&called("a")), None);
    }
}

fn only_c_is_mapped(on_no_match: &str) -> Value {
    json!({"groups": {"names": {
        "rules": [{"steps": [{"regex_replace": {"pattern": "C", "with": "jira-c"}}]}],
        "on_no_match": on_no_match,
    }}})
}

#[test]
fn t5_some_names_match() {
    for (on_no_match, expected) in [
        ("pass", vec!["A", "B", "jira-c"]),
        ("clear", vec!["jira-c"]),
        ("keep", vec!["jira-c"]),
        ("drop_user", vec!["jira-c"]),
    ] {
        let mut ann = Person::new(only_c_is_mapped(on_no_match)).in_groups(&["A", "B", "C"]);
        ann.step();
        assert_eq!(ann.member_of(), expected, "{on_no_match}");
    }
}

#[test]
fn t6_no_name_matches() {
    for (on_no_match, expected, status) in [
        ("pass", vec!["A", "B"], Status::Active),
        ("clear", vec![], Status::Active),
        ("keep", vec!["jira-c"], Status::Active),
        ("drop_user", vec!["jira-c"], Status::Disabled),
    ] {
        let mut ann = Person::new(only_c_is_mapped(on_no_match))
            .in_groups(&["A", "B"])
            .with_account(vec![membership("jira-c", &["idp:3"])]);
        ann.step();
        assert_eq!(ann.member_of(), expected, "{on_no_match}");
        assert_eq!(ann.account.unwrap().status, status, "{on_no_match}");
    }
    let nobody = Person::new(only_c_is_mapped("drop_user")).in_groups(&["A", "B"]);
    let reason = Reason::FilteredNoMatch;
    assert_eq!(nobody.outcome().verdict, Verdict::NoAccount { reason });
}

#[test]
fn t7_two_source_groups_in_one() {
    let to_team = json!({"groups": {"names": {"rules": [
        {"steps": [{"regex_replace": {"pattern": "dev-.*|ops-.*", "with": "team"}}]},
    ]}}});
    let mut ann = Person::new(to_team).in_groups(&["dev-one", "ops-two"]);
    ann.step();
    assert_eq!(ann.member_of(), ["team"]);
    assert_eq!(ann.origins("team"), ["idp:1", "idp:2"]);

    ann.groups.remove(0);
    assert_eq!(ann.changes(), ["set_origins"]);
    assert_eq!(ann.member_of(), ["team"]);

    ann.groups.clear();
    assert_eq!(ann.changes(), ["remove_membership"]);
}

#[test]
fn t8_an_account_comes_with_the_required_group() {
    let mut ann = Person::new(json!({"scope": {"required_groups": ["g"]}}));
    assert_eq!(ann.changes(), Vec::<&str>::new());
    assert_eq!(ann.account, None);

    ann.wait(60 * 24);
    ann.join(&["g"]);
    assert_eq!(ann.changes(), ["create_user", "add_membership"]);
    assert_eq!(ann.changes(), Vec::<&str>::new());
}

#[test]
fn t9_leaving_and_coming_back_within_the_grace_time() {
    let mut ann = Person::new(json!({"scope": {"required_groups": ["g"]}})).in_groups(&["g"]);
    ann.step();

    ann.join(&[]);
    ann.step();
    let until = "2026-03-01T09:10:00Z".parse().unwrap();
    assert_eq!(ann.outcome().recheck_at, Some(until));
    assert_eq!(ann.state(), Some((Status::Active, Reason::IdpActive)));

    ann.wait(9);
    ann.step();
    ann.join(&["g"]);
    ann.step();
    assert_eq!(ann.state(), Some((Status::Active, Reason::IdpActive)));
    assert_eq!(ann.outcome().recheck_at, None);

    // The clock starts anew, and runs out at the minute.
    ann.join(&[]);
    ann.step();
    ann.wait(9);
    ann.step();
    assert_eq!(ann.state(), Some((Status::Active, Reason::IdpActive)));
    ann.wait(1);
    assert_eq!(ann.changes(), ["disable"]);
    assert_eq!(
        ann.state(),
        Some((Status::Disabled, Reason::NotInRequiredGroup))
    );
}

#[test]
fn t10_user_names_by_expression() {
    let rules = json!({"mapping": [{"target": "username", "steps": [
        {"regex_replace": {"pattern": "(.*)@.*", "with": "$1"}},
    ]}]});
    for (name, expected) in [("demouser@gmail.com", "demouser"), ("plain", "plain")] {
        let mut person = Person::new(rules.clone());
        person.user = Some(user(json!({"userName": name})));
        assert_eq!(person.outcome().attributes.username, expected);
    }
}

#[test]
fn t11_replacements_from_java() {
    let rules = json!({"mapping": [{"target": "username", "steps": [
        {"regex_replace": {"pattern": "(a)", "with": "$1x"}},
    ]}]});
    let mut person = Person::new(rules);
    person.user = Some(user(json!({"userName": "a"})));
    assert_eq!(person.outcome().attributes.username, "ax");
}

#[test]
fn t12_guests_get_their_address() {
    let rules = json!({"mapping": [{"target": "username", "steps": ["guest_to_email"]}]});
    let mut person = Person::new(rules);
    let name = "bob_j_partner.com#EXT#@t.onmicrosoft.com";
    person.user = Some(user(json!({"userName": name})));
    assert_eq!(person.outcome().attributes.username, "bob_j@partner.com");
}

#[test]
fn t17_a_deleted_user_comes_back_with_groups() {
    for action in ["disable", "delete", "keep"] {
        let rules =
            json!({"cleanup": {"idp_deleted": action}, "groups": {"always_assign": ["everyone"]}});
        let mut ann = Person::new(rules).in_groups(&["dev", "ops"]);
        ann.step();

        let user = ann.user.take();
        ann.join(&[]);
        ann.step();
        let status = ann.account.as_ref().unwrap().status;
        match action {
            "disable" => assert_eq!(status, Status::Disabled),
            "delete" => assert_eq!(status, Status::Removed),
            _ => assert_eq!(status, Status::Active),
        }

        ann.wait(60);
        ann.user = user;
        ann.step();
        assert_eq!(
            ann.state(),
            Some((Status::Active, Reason::IdpActive)),
            "{action}"
        );
        assert_eq!(ann.member_of(), ["dev", "everyone", "ops"], "{action}");
        assert_eq!(ann.origins("dev"), ["copied"], "{action}");
        assert_eq!(ann.origins("everyone"), ["always"], "{action}");

        // What the identity provider then says itself is its own again, and ends with it.
        ann.join(&["dev"]);
        assert_eq!(ann.changes(), ["set_origins"]);
        assert_eq!(ann.origins("dev"), ["idp:1"], "{action}");
        ann.join(&[]);
        ann.step();
        assert_eq!(ann.member_of(), ["everyone", "ops"], "{action}");
    }
}

#[test]
fn t18_a_membership_that_was_there_before_the_user() {
    let mut ann = Person::new(json!({}));
    let user = ann.user.take();
    ann.join(&["dev"]);
    assert_eq!(
        ann.changes(),
        Vec::<&str>::new(),
        "a member nobody knows is nobody"
    );

    ann.user = user;
    assert_eq!(ann.changes(), ["create_user", "add_membership"]);
    assert_eq!(ann.member_of(), ["dev"]);
}

#[test]
fn t16_a_renamed_group_keeps_its_name_and_its_rows() {
    let mut ann = Person::new(json!({"groups": {"mapping": {"unmapped": "pass", "rows": [
        {"source": {"id": "g-2", "name": "wiki"}, "groups": ["wiki-users"]},
    ]}}}))
    .in_groups(&["devs", "wiki"]);
    ann.rules
        .bind(&[("g-2".to_owned(), SourceGroupPk(2))].into());
    ann.step();
    for (group, now) in ann.groups.iter_mut().zip(["developers", "the wiki"]) {
        let standing = Standing {
            renamed: Some(now.to_owned()),
            ..Standing::default()
        };
        group.standing = Some(Box::new(standing));
    }
    assert_eq!(ann.changes(), Vec::<&str>::new());
    assert_eq!(ann.member_of(), ["devs", "wiki-users"]);
}
