//! Cleanup in stages: names and groups that are taken and given back, delays, and people who do not log in.

use directory::{Attributes, Change, CompiledRules, Reason, Rules, Status};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::stage::{Person, membership, user};

const DAY: i64 = 24 * 60;

fn says(person: &mut Person, active: bool) {
    person.user = Some(user(json!({
        "userName": "ann", "displayName": "Ann", "name": {"givenName": "Ann", "familyName": "Lee"},
        "emails": [{"value": "ann@x.example"}], "title": "Dev", "active": active,
    })));
}

fn ann(rules: Value) -> Person {
    let mut ann = Person::new(rules);
    says(&mut ann, true);
    ann.join(&["dev"]);
    ann.step();
    ann.account.as_mut().unwrap().key = "1:c0ffee".into();
    ann
}

fn attributes(person: &Person) -> &Attributes {
    &person.account.as_ref().unwrap().attributes
}

#[test]
fn who_is_anonymised_stays_as_an_unknown_and_comes_back_by_name() {
    let mut ann = ann(json!({
        "mapping": [{"target": "attr:title", "source": {"attribute": "title"}}],
        "cleanup": {"idp_inactive": "anonymise"},
    }));
    let before = attributes(&ann).clone();
    says(&mut ann, false);
    assert_eq!(ann.changes(), ["rename_user", "update_user", "anonymise"]);
    let hidden = attributes(&ann).clone();
    assert!(hidden.username.starts_with("user-"), "{hidden:?}");
    assert_eq!(hidden.username.len(), 13);
    assert_eq!(hidden.email, format!("{}@user.anon", hidden.username));
    assert_eq!(hidden.display_name, hidden.username);
    assert!(hidden.first_name.is_empty() && hidden.last_name.is_empty() && hidden.extra.is_empty());
    assert_eq!(ann.state(), Some((Status::Anonymised, Reason::IdpInactive)));
    assert_eq!(ann.member_of(), ["dev"]);

    says(&mut ann, true);
    assert_eq!(ann.changes(), ["rename_user", "update_user", "reactivate"]);
    assert_eq!(*attributes(&ann), before);
    assert_eq!(ann.state(), Some((Status::Active, Reason::IdpActive)));
}

#[test]
fn names_come_back_whatever_keeps_names_otherwise() {
    for rules in [
        json!({"accounts": {"update": false}}),
        json!({"accounts": {"rename": "pin"}}),
        json!({"mapping": [{"target": "username", "apply": "create_only"}]}),
        json!({"mapping": [{"target": "username", "steps": [{"unique_suffix": {}}]}]}),
    ] {
        let mut rules = rules;
        rules["cleanup"] = json!({"idp_inactive": "anonymise"});
        let mut ann = ann(rules.clone());
        says(&mut ann, false);
        ann.step();
        assert_ne!(attributes(&ann).username, "ann", "{rules}");
        says(&mut ann, true);
        ann.step();
        assert_eq!(attributes(&ann).username, "ann", "{rules}");
        assert_eq!(attributes(&ann).email, "ann@x.example", "{rules}");
    }
}

#[test]
fn an_address_that_reaches_nobody_does_not_outlive_the_pseudonym() {
    let mut ann = ann(json!({"cleanup": {"idp_inactive": "anonymise"}}));
    says(&mut ann, false);
    ann.step();
    ann.user = Some(user(json!({"userName": "ann", "displayName": "Ann"})));
    ann.step();
    assert_eq!(attributes(&ann).email, "");
}

#[test]
fn nobody_is_made_only_to_be_anonymised() {
    let mut ann = Person::new(json!({"cleanup": {"idp_inactive": "anonymise"}}));
    says(&mut ann, false);
    assert_eq!(ann.changes(), Vec::<&str>::new());
    assert_eq!(ann.state(), None);
}

#[test]
fn a_second_stage_follows_after_its_days_and_not_before() {
    let mut ann = ann(json!({"cleanup": {
        "idp_deleted": "disable",
        "later": {"idp_deleted": {"after_days": 30, "action": "anonymise"}},
    }}));
    ann.user = None;
    assert_eq!(ann.changes(), ["disable"]);
    let due = ann.outcome().recheck_at.unwrap();
    assert_eq!(due, ann.now + SignedDuration::from_hours(24 * 30));
    let told = ann.outcome().lines();
    assert!(
        told.iter()
            .any(|it| it.text.contains("anonymise follows at")),
        "{told:?}"
    );
    ann.wait(30 * DAY - 1);
    assert_eq!(ann.changes(), Vec::<&str>::new());
    ann.wait(1);
    assert_eq!(ann.changes(), ["rename_user", "update_user", "anonymise"]);
    assert_eq!(ann.outcome().recheck_at, None);

    // Days count anew after a return.
    says(&mut ann, true);
    ann.step();
    assert_eq!(attributes(&ann).username, "ann");
    ann.user = None;
    ann.step();
    assert_eq!(ann.state(), Some((Status::Disabled, Reason::IdpDeleted)));
}

#[test]
fn an_account_may_be_kept_for_some_days_and_deleted_then() {
    let mut ann = ann(json!({"cleanup": {
        "idp_inactive": "keep", "later": {"idp_inactive": {"after_days": 7, "action": "delete"}},
    }}));
    says(&mut ann, false);
    ann.step();
    assert_eq!(ann.state(), Some((Status::Active, Reason::IdpInactive)));
    ann.wait(7 * DAY);
    assert_eq!(ann.changes(), ["remove_user"]);
    ann.wait(1);
    assert_eq!(ann.changes(), Vec::<&str>::new(), "gone for good");
    says(&mut ann, true);
    ann.step();
    assert_eq!(ann.state(), Some((Status::Active, Reason::IdpActive)));
    assert_eq!(ann.member_of(), ["dev"]);
}

#[test]
fn days_do_not_count_while_an_exemption_holds_cleanup_back() {
    let mut ann = ann(json!({"cleanup": {
        "exempt_groups": ["vip"],
        "later": {"idp_deleted": {"after_days": 30, "action": "delete"}},
    }}));
    let account = ann.account.as_mut().unwrap();
    account.memberships.push(membership("vip", &["local"]));
    ann.user = None;
    ann.step();
    ann.wait(100 * DAY);
    ann.step();
    assert_eq!(ann.state(), Some((Status::Active, Reason::IdpDeleted)));
    let account = ann.account.as_mut().unwrap();
    account.memberships.retain(|it| it.group != "vip");
    assert_eq!(ann.changes(), ["disable"]);
    ann.wait(30 * DAY);
    assert_eq!(ann.changes(), ["remove_user"]);
}

#[test]
fn groups_are_taken_on_cleanup_and_given_back_with_their_origins() {
    for action in ["disable", "anonymise", "keep"] {
        let rules = json!({"cleanup": {
            "idp_inactive": action, "strip_groups": true, "strip_exempt": ["re:all-.*"],
        }});
        let mut ann = ann(rules);
        let account = ann.account.as_mut().unwrap();
        account.memberships.push(membership("mine", &["local"]));
        account
            .memberships
            .push(membership("all-staff", &["product"]));
        says(&mut ann, false);
        ann.step();
        assert_eq!(ann.member_of(), ["all-staff"], "{action}");
        // What is granted meanwhile is taken too.
        ann.join(&["dev", "ops"]);
        ann.step();
        assert_eq!(ann.member_of(), ["all-staff"], "{action}");
        // The identity provider takes one away for good.
        ann.groups.remove(0);
        ann.step();
        says(&mut ann, true);
        ann.step();
        assert_eq!(ann.member_of(), ["all-staff", "mine", "ops"], "{action}");
        assert_eq!(ann.origins("mine"), ["local"]);
    }
}

#[test]
fn groups_are_taken_from_those_who_were_cleaned_up_earlier() {
    let mut ann = ann(json!({"cleanup": {"out_of_scope": "disable"}}));
    ann.user = None;
    ann.step();
    ann.rules = crate::stage::rules(json!({"cleanup": {"strip_groups": true}}));
    assert_eq!(ann.changes(), ["remove_membership"]);
    // Who was deleted and is back gets what the identity provider had granted, until it speaks itself.
    says(&mut ann, true);
    ann.join(&[]);
    ann.step();
    assert_eq!(ann.origins("dev"), ["copied"]);
}

#[test]
fn who_is_exempt_from_cleanup_keeps_the_groups_too() {
    for rules in [
        json!({"cleanup": {"strip_groups": true, "exempt_groups": ["dev"]}}),
        json!({"cleanup": {"strip_groups": true}, "accounts": {"disable": false}}),
    ] {
        let mut ann = ann(rules);
        ann.user = None;
        ann.step();
        assert_eq!(ann.member_of(), ["dev"]);
    }
}

#[test]
fn an_account_that_is_kept_active_goes_on_to_follow() {
    for rules in [
        json!({"accounts": {"disable": false}}),
        json!({"cleanup": {"idp_inactive": "keep"}}),
        json!({"cleanup": {"exempt_when": "title eq \"Dev\""}}),
        json!({"cleanup": {"strip_groups": true, "exempt_when": "title eq \"Dev\""}}),
    ] {
        let mut ann = ann(rules.clone());
        let account = ann.account.as_mut().unwrap();
        account.memberships.push(membership("mine", &["local"]));
        says(&mut ann, false);
        ann.step();
        let kept = Some((Status::Active, Reason::IdpInactive));
        assert_eq!(
            (ann.state(), ann.member_of()),
            (kept, vec!["dev", "mine"]),
            "{rules}"
        );
        ann.user = Some(user(
            json!({"userName": "ann", "displayName": "Anna", "title": "Dev", "active": false}),
        ));
        ann.join(&["ops"]);
        ann.step();
        assert_eq!(
            (ann.state(), ann.member_of()),
            (kept, vec!["mine", "ops"]),
            "{rules}"
        );
        assert_eq!(attributes(&ann).display_name, "Anna", "{rules}");
        assert_eq!(ann.changes(), Vec::<&str>::new(), "{rules}");
    }
}

#[test]
fn an_account_that_may_not_be_enabled_goes_on_to_follow() {
    for strip in [false, true] {
        let mut ann = ann(json!({"cleanup": {"strip_groups": strip}}));
        says(&mut ann, false);
        ann.step();
        let rules = json!({"accounts": {"enable": false}, "cleanup": {"strip_groups": strip}});
        ann.rules = crate::stage::rules(rules);
        says(&mut ann, true);
        ann.join(&["ops"]);
        ann.step();
        assert_eq!(ann.state().unwrap().0, Status::Disabled);
        assert_eq!(ann.member_of(), if strip { vec![] } else { vec!["ops"] });
        assert_eq!(ann.changes(), Vec::<&str>::new());
    }
}

#[test]
fn groups_that_were_taken_stay_away_if_the_rules_say_so() {
    let mut ann = ann(json!({"cleanup": {"strip_groups": true, "restore_groups": false}}));
    let account = ann.account.as_mut().unwrap();
    account.memberships.push(membership("mine", &["local"]));
    says(&mut ann, false);
    ann.step();
    says(&mut ann, true);
    ann.step();
    assert_eq!(ann.member_of(), ["dev"]);
}

#[test]
fn a_pinned_name_stays_while_all_else_follows() {
    let mut ann = ann(json!({"accounts": {"rename": "pin"}}));
    ann.user = Some(user(json!({"userName": "anna", "displayName": "Anna"})));
    assert_eq!(ann.changes(), ["update_user"]);
    assert_eq!(attributes(&ann).username, "ann");
    assert_eq!(attributes(&ann).display_name, "Anna");
    let told = ann.outcome().lines();
    assert!(
        told.iter().any(|it| it.text.contains("names are pinned")),
        "{told:?}"
    );
}

#[test]
fn only_those_for_whom_the_filter_holds_are_in_scope() {
    let rules =
        json!({"scope": {"filter": "title eq \"Dev\""}, "cleanup": {"out_of_scope": "delete"}});
    let mut bob = Person::new(rules.clone());
    bob.step();
    assert_eq!(bob.state(), None);

    let mut ann = ann(rules);
    assert_eq!(ann.state(), Some((Status::Active, Reason::IdpActive)));
    ann.user = Some(user(
        json!({"userName": "ann", "displayName": "Ann B", "title": "Chef"}),
    ));
    ann.step();
    assert_eq!(
        ann.state(),
        Some((Status::Active, Reason::IdpActive)),
        "grace"
    );
    assert_eq!(
        attributes(&ann).display_name,
        "Ann B",
        "attributes follow in the grace time"
    );
    ann.wait(5);
    says(&mut ann, true);
    ann.step();
    ann.wait(DAY);
    assert_eq!(ann.changes(), Vec::<&str>::new());
    ann.user = Some(user(json!({"userName": "ann", "title": "Chef"})));
    ann.step();
    ann.wait(10);
    ann.step();
    assert_eq!(
        ann.state(),
        Some((Status::Removed, Reason::FilteredNoMatch))
    );
}

#[test]
fn the_filter_and_required_groups_share_one_grace_time() {
    let mut ann = ann(json!({"scope": {"filter": "title eq \"Dev\"", "required_groups": ["dev"]}}));
    ann.join(&[]);
    ann.step();
    ann.wait(9);
    ann.user = Some(user(json!({"userName": "ann"})));
    ann.step();
    assert_eq!(ann.state(), Some((Status::Active, Reason::IdpActive)));
    ann.wait(1);
    ann.step();
    assert_eq!(
        ann.state(),
        Some((Status::Disabled, Reason::FilteredNoMatch))
    );
}

fn logs_in(person: &mut Person) {
    person.account.as_mut().unwrap().last_login = Some(person.now);
}

#[test]
fn who_does_not_log_in_any_more_is_disabled_until_an_administrator_says_otherwise() {
    let mut ann = ann(json!({"inactivity": {"days": 90}}));
    logs_in(&mut ann);
    ann.wait(89 * DAY);
    assert_eq!(ann.changes(), Vec::<&str>::new());
    let recheck = ann.outcome().recheck_at.unwrap();
    assert_eq!(recheck, ann.now + SignedDuration::from_hours(24));
    logs_in(&mut ann);
    ann.wait(89 * DAY);
    assert_eq!(ann.changes(), Vec::<&str>::new());
    ann.wait(DAY);
    assert_eq!(ann.changes(), ["disable"]);
    assert_eq!(
        ann.state(),
        Some((Status::Disabled, Reason::InactivityRule))
    );

    ann.wait(DAY);
    assert_eq!(
        ann.changes(),
        Vec::<&str>::new(),
        "the identity provider does not undo it"
    );
    says(&mut ann, false);
    ann.step();
    says(&mut ann, true);
    ann.step();
    assert_eq!(
        ann.state(),
        Some((Status::Disabled, Reason::InactivityRule))
    );

    let account = ann.account.as_mut().unwrap();
    account.status = Status::Active;
    account.reason = Reason::Manual;
    account.memory.active_since = Some(ann.now);
    ann.step();
    assert_eq!(ann.state(), Some((Status::Active, Reason::IdpActive)));
    ann.wait(89 * DAY);
    ann.step();
    assert_eq!(ann.state(), Some((Status::Active, Reason::IdpActive)));
}

#[test]
fn what_is_not_sticky_ends_with_the_next_write_of_the_identity_provider() {
    let mut ann = ann(json!({"inactivity": {"days": 90, "sticky": false}}));
    logs_in(&mut ann);
    ann.wait(90 * DAY);
    assert_eq!(ann.changes(), ["disable"]);
    ann.wait(1);
    assert_eq!(ann.changes(), ["reactivate"]);
    ann.wait(89 * DAY);
    assert_eq!(ann.changes(), Vec::<&str>::new(), "the days begin anew");
}

#[test]
fn of_those_who_never_logged_in_nothing_is_concluded_unless_the_rules_say_so() {
    for (include, expected) in [(false, Status::Active), (true, Status::Disabled)] {
        let mut ann = ann(json!({"inactivity": {"days": 90, "include_never_logged_in": include}}));
        ann.wait(90 * DAY);
        ann.step();
        assert_eq!(ann.state().unwrap().0, expected, "{include}");
    }
}

#[test]
fn days_of_those_who_never_logged_in_begin_with_the_rule() {
    let mut ann = ann(json!({}));
    ann.wait(400 * DAY);
    let rules = json!({"inactivity": {"days": 90, "include_never_logged_in": true}});
    ann.rules = crate::stage::rules(rules);
    ann.step();
    assert_eq!(ann.state(), Some((Status::Active, Reason::IdpActive)));
    ann.wait(90 * DAY);
    ann.step();
    assert_eq!(
        ann.state(),
        Some((Status::Disabled, Reason::InactivityRule))
    );
}

#[test]
fn a_log_in_from_before_there_was_the_rule_counts() {
    let mut ann = ann(json!({}));
    logs_in(&mut ann);
    ann.wait(400 * DAY);
    ann.step();
    ann.rules = crate::stage::rules(json!({"inactivity": {"days": 90}}));
    assert_eq!(ann.changes(), ["disable"]);
}

#[test]
fn administrators_are_never_inactive_and_others_only_in_the_groups_that_are_meant() {
    let base = json!({"days": 90, "include_never_logged_in": true});
    for (change, group, expected) in [
        (json!({}), "jira-administrators", Status::Active),
        (json!({}), "dev", Status::Disabled),
        (json!({"never": ["dev"]}), "dev", Status::Active),
        (json!({"only_groups": ["ops"]}), "dev", Status::Active),
        (json!({"only_groups": ["re:d.*"]}), "dev", Status::Disabled),
    ] {
        let mut rule = base.clone();
        for (name, value) in change.as_object().unwrap() {
            rule[name] = value.clone();
        }
        let mut ann = Person::new(json!({"inactivity": rule}));
        ann.join(&[group]);
        ann.step();
        ann.wait(90 * DAY);
        ann.step();
        assert_eq!(ann.state().unwrap().0, expected, "{change} {group}");
    }
}

#[test]
fn stages_and_inactivity_that_mean_nothing_are_refused() {
    for (written, path) in [
        (
            json!({"cleanup": {"later": {"dropped": {"after_days": 0, "action": "delete"}}}}),
            "cleanup.later.dropped.after_days",
        ),
        (
            json!({"cleanup": {"later": {"dropped": {"after_days": 1, "action": "disable"}}}}),
            "cleanup.later.dropped.action",
        ),
        (
            json!({"cleanup": {"later": {"dropped": {"after_days": 3651, "action": "delete"}}}}),
            "cleanup.later.dropped.after_days",
        ),
        (json!({"inactivity": {"days": 0}}), "inactivity.days"),
        (
            json!({"inactivity": {"days": 1, "action": "keep"}}),
            "inactivity.action",
        ),
        (
            json!({"inactivity": {"days": 1, "action": "delete"}}),
            "inactivity.action",
        ),
        (
            json!({"inactivity": {"days": 1, "never": ["re:("]}}),
            "inactivity.never[0]",
        ),
        (json!({"scope": {"filter": "title eq"}}), "scope.filter"),
        (
            json!({"cleanup": {"strip_exempt": [""]}}),
            "cleanup.strip_exempt[0]",
        ),
    ] {
        let rules: Rules = serde_json::from_value(written.clone()).unwrap();
        let errors = CompiledRules::new(&rules).unwrap_err();
        assert_eq!(errors[0].path, path, "{written}");
    }
}

#[test]
fn rules_that_were_stored_before_there_were_stages_still_read() {
    let written = json!({"cleanup": {"idp_deleted": "delete"}, "accounts": {"create": false}});
    let rules: Rules = serde_json::from_value(written).unwrap();
    assert!(rules.cleanup.restore_groups && !rules.cleanup.strip_groups);
    assert_eq!(rules.inactivity, None);
}

#[test]
fn nothing_that_is_left_tells_the_former_name() {
    let mut ann = ann(json!({"cleanup": {"idp_inactive": "anonymise"}}));
    says(&mut ann, false);
    let plan = ann.step();
    let Some(Change::UpdateUser { after, .. }) = plan.changes.get(1) else {
        panic!("{plan:?}")
    };
    assert!(!format!("{after:?}").to_lowercase().contains("ann"));
}
