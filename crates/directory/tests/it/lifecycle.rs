//! Accounts over time: leavers, returners, renames, administrators' decisions.

use directory::{Change, Reason, Status, Verdict};
use serde_json::json;

use crate::stage::{Person, membership, user};

fn set_active(person: &mut Person, active: bool) {
    person.user = Some(user(
        json!({"userName": "ann", "displayName": "Ann", "active": active}),
    ));
}

#[test]
fn a_leaver_is_disabled_keeps_the_groups_the_provider_says_and_comes_back() {
    let rules = json!({"groups": {"always_assign": ["everyone"], "authority": "strict"}});
    let mut ann = Person::new(rules).in_groups(&["dev"]);
    ann.step();

    set_active(&mut ann, false);
    assert_eq!(ann.changes(), ["disable"]);
    assert_eq!(ann.member_of(), ["dev", "everyone"]);
    ann.join(&["ops"]);
    assert_eq!(ann.changes(), ["add_membership", "remove_membership"]);
    assert_eq!(ann.member_of(), ["everyone", "ops"]);

    set_active(&mut ann, true);
    assert_eq!(ann.changes(), ["reactivate"]);
    assert_eq!(ann.state(), Some((Status::Active, Reason::IdpActive)));
    assert_eq!(ann.member_of(), ["everyone", "ops"]);
}

#[test]
fn each_cause_has_its_own_cleanup() {
    for (action, expected) in [
        ("disable", (Status::Disabled, Reason::IdpInactive)),
        ("delete", (Status::Removed, Reason::IdpInactive)),
        ("keep", (Status::Active, Reason::IdpInactive)),
    ] {
        let mut ann = Person::new(json!({"cleanup": {"idp_inactive": action}})).in_groups(&["dev"]);
        ann.step();
        set_active(&mut ann, false);
        ann.step();
        assert_eq!(ann.state(), Some(expected), "{action}");
    }
}

#[test]
fn a_leaver_does_not_stay_because_another_cause_would_keep() {
    let rules = json!({
        "scope": {"required_groups": ["g"], "grace_minutes": 0},
        "cleanup": {"out_of_scope": "keep"},
    });
    let mut ann = Person::new(rules).in_groups(&["g"]);
    ann.step();
    ann.join(&[]);
    ann.step();
    assert_eq!(
        ann.state(),
        Some((Status::Active, Reason::NotInRequiredGroup))
    );
    set_active(&mut ann, false);
    ann.step();
    assert_eq!(ann.state(), Some((Status::Disabled, Reason::IdpInactive)));
}

#[test]
fn a_group_that_only_newcomers_get_is_no_ticket() {
    let mut ann = Person::new(json!({
        "mapping": [{"target": "groups", "source": {"attribute": "userName"}, "apply": "create_only"}],
        "scope": {"required_groups": ["ann"]},
    }));
    ann.step();
    assert_eq!(ann.state(), None);
    ann.join(&["ann"]);
    ann.step();
    assert_eq!(ann.state(), Some((Status::Active, Reason::IdpActive)));
}

#[test]
fn a_leaver_does_not_wait_for_the_grace_time() {
    let mut ann = Person::new(json!({"scope": {"required_groups": ["g"]}})).in_groups(&["g"]);
    ann.step();
    ann.join(&[]);
    set_active(&mut ann, false);
    ann.step();
    assert_eq!(ann.state(), Some((Status::Disabled, Reason::IdpInactive)));
    // Nor does the grace time let a disabled user in.
    set_active(&mut ann, true);
    ann.step();
    assert_eq!(ann.state(), Some((Status::Disabled, Reason::IdpInactive)));
    ann.join(&["g"]);
    ann.step();
    assert_eq!(ann.state(), Some((Status::Active, Reason::IdpActive)));
}

#[test]
fn someone_inactive_from_the_start_is_shown_disabled_and_without_groups_for_everybody() {
    let mut ann =
        Person::new(json!({"groups": {"always_assign": ["everyone"]}})).in_groups(&["dev"]);
    set_active(&mut ann, false);
    assert_eq!(ann.changes(), ["create_user", "add_membership"]);
    assert_eq!(ann.state(), Some((Status::Disabled, Reason::IdpInactive)));
    assert_eq!(ann.member_of(), ["dev"]);
    set_active(&mut ann, true);
    assert_eq!(ann.changes(), ["reactivate", "add_membership"]);
}

#[test]
fn a_rename_keeps_the_user_and_the_groups() {
    let mut ann = Person::new(json!({})).in_groups(&["dev"]);
    ann.step();
    ann.user = Some(user(json!({"userName": "anna", "displayName": "Anna"})));
    let changes = ann.step().changes;
    let Some(Change::RenameUser { from, to }) = changes.first() else {
        panic!("{changes:?}")
    };
    assert_eq!((from.as_str(), to.as_str()), ("ann", "anna"));
    let Some(Change::UpdateUser { before, after }) = changes.get(1) else {
        panic!("{changes:?}")
    };
    assert_eq!(
        (before.username.as_str(), before.display_name.as_str()),
        ("anna", "Ann")
    );
    assert_eq!(
        (after.username.as_str(), after.display_name.as_str()),
        ("anna", "Anna")
    );
    assert_eq!(changes.len(), 2);
}

#[test]
fn what_an_administrator_disabled_stays_disabled() {
    let mut ann = Person::new(json!({})).in_groups(&["dev"]);
    ann.step();
    let account = ann.account.as_mut().unwrap();
    (account.status, account.reason) = (Status::Disabled, Reason::Manual);

    ann.join(&["dev", "ops"]);
    ann.user = Some(user(json!({"userName": "ann", "displayName": "Ann Other"})));
    assert_eq!(ann.changes(), ["update_user"]);
    set_active(&mut ann, false);
    ann.step();
    set_active(&mut ann, true);
    ann.step();
    assert_eq!(ann.state(), Some((Status::Disabled, Reason::Manual)));
    assert_eq!(ann.member_of(), ["dev"]);
}

#[test]
fn deleting_and_creating_again_is_no_way_around_an_administrator() {
    for action in ["disable", "delete"] {
        let mut ann = Person::new(json!({"cleanup": {"idp_deleted": action}}));
        ann.step();
        let account = ann.account.as_mut().unwrap();
        (account.status, account.reason) = (Status::Disabled, Reason::Manual);
        let user = ann.user.take();
        ann.step();
        ann.user = user;
        ann.step();
        let (status, reason) = ann.state().unwrap();
        assert_ne!(status, Status::Active, "{action}");
        assert_eq!(reason, Reason::Manual, "{action}");
    }
}

#[test]
fn a_dropped_user_keeps_name_and_groups() {
    let rules = json!({"mapping": [{
        "target": "email",
        "source": {"attribute": "emails[type eq \"work\"].value"},
        "steps": [{"regex_replace": {"pattern": ".*@corp\\.example", "with": "$0"}}],
        "on_no_match": "drop_user",
        "on_null": "drop_user",
    }]});
    let mail = |address: &str| {
        let emails = json!([{"value": address, "type": "work"}]);
        Some(user(
            json!({"userName": "ann", "displayName": "Ann", "emails": emails}),
        ))
    };
    let mut ann = Person::new(rules).in_groups(&["dev"]);
    let reason = Reason::DroppedByRule;
    assert_eq!(
        ann.outcome().verdict,
        Verdict::NoAccount { reason },
        "no address at all"
    );
    ann.user = mail("ann@corp.example");
    ann.step();
    ann.user = mail("ann@else.example");
    ann.join(&[]);
    assert_eq!(ann.changes(), ["disable"]);
    assert_eq!(
        ann.state(),
        Some((Status::Disabled, Reason::FilteredNoMatch))
    );
    assert_eq!(
        ann.account.as_ref().unwrap().attributes.email,
        "ann@corp.example"
    );
    assert_eq!(ann.member_of(), ["dev"]);
    ann.user = mail("ann@corp.example");
    assert_eq!(ann.changes(), ["reactivate", "remove_membership"]);
}

#[test]
fn a_returner_who_is_not_yet_in_a_required_group_waits_and_loses_nothing() {
    for action in ["disable", "delete"] {
        let rules = json!({
            "scope": {"required_groups": ["g"]},
            "cleanup": {"idp_deleted": action},
        });
        let mut ann = Person::new(rules).in_groups(&["g", "dev"]);
        ann.step();
        let back = ann.user.take();
        ann.join(&[]);
        ann.step();
        ann.user = back;
        ann.step();
        assert_ne!(
            ann.account.as_ref().unwrap().status,
            Status::Active,
            "{action}"
        );
        ann.wait(30);
        ann.step();
        ann.join(&["g"]);
        ann.step();
        assert_eq!(
            ann.state(),
            Some((Status::Active, Reason::IdpActive)),
            "{action}"
        );
        assert_eq!(ann.member_of(), ["dev", "g"], "{action}");
    }
}

#[test]
fn what_the_lists_forbid_does_not_come_back_with_a_returner() {
    let mut ann = Person::new(json!({"cleanup": {"idp_deleted": "delete"}}))
        .in_groups(&["dev", "jira-administrators"]);
    ann.step();
    let back = ann.user.take();
    ann.step();
    ann.rules = crate::stage::rules(json!({"groups": {"never_assign": ["re:.*admin.*"]}}));
    ann.user = back;
    ann.join(&[]);
    ann.step();
    assert_eq!(ann.member_of(), ["dev"]);
}

#[test]
fn additive_never_takes_away() {
    let mut ann = Person::new(json!({"groups": {"authority": "additive"}})).in_groups(&["dev"]);
    ann.step();
    ann.join(&["ops"]);
    assert_eq!(ann.changes(), ["add_membership"]);
    assert_eq!(ann.member_of(), ["dev", "ops"]);
}

#[test]
fn a_membership_with_two_origins_ends_with_the_last() {
    let mut ann = Person::new(json!({}))
        .in_groups(&["dev"])
        .with_account(vec![membership("dev", &["local"])]);
    assert_eq!(ann.changes(), ["set_origins"]);
    assert_eq!(ann.origins("dev"), ["idp:1", "local"]);
    ann.join(&[]);
    assert_eq!(ann.changes(), ["set_origins"]);
    assert_eq!(ann.origins("dev"), ["local"]);
}

#[test]
fn spelling_does_not_make_another_group() {
    let mut ann = Person::new(json!({"groups": {"always_assign": ["DEV"]}}))
        .in_groups(&["Dev"])
        .with_account(vec![membership("dev", &["idp:1"])]);
    assert_eq!(ann.changes(), ["set_origins"]);
    assert_eq!(ann.member_of(), ["dev"]);
    assert_eq!(ann.origins("dev"), ["idp:1", "always"]);
}

#[test]
fn removals_come_last() {
    let mut ann = Person::new(json!({})).in_groups(&["m"]).with_account(vec![
        membership("a", &["idp:7"]),
        membership("z", &["idp:8"]),
    ]);
    ann.user = Some(user(json!({"userName": "anna", "displayName": "Ann"})));
    assert_eq!(
        ann.changes(),
        [
            "rename_user",
            "add_membership",
            "remove_membership",
            "remove_membership"
        ]
    );
}

/// Where names that match nothing leave memberships alone, that is about those that are there: what a deleted user had
/// by a source group does not come back beside what everybody gets.
#[test]
fn what_is_remembered_is_not_granted_by_what_everybody_gets() {
    for enabled in [true, false] {
        let mut ann = Person::new(json!({
            "groups": {
                "enabled": enabled, "always_assign": ["DEV", "ops"], "authority": "strict",
                "names": {"on_no_match": "keep", "rules": [
                    {"steps": [{"regex_replace": {"pattern": "app-(.*)", "with": "$1"}}]}
                ]},
            },
        }))
        .in_groups(&["hr"])
        .with_account(Vec::new());
        let account = ann.account.as_mut().unwrap();
        (account.status, account.reason) = (Status::Removed, Reason::IdpDeleted);
        account.memory.restore = ["dev", "ops"].map(|it| membership(it, &["idp:1"])).into();
        ann.step();
        assert_eq!(ann.member_of(), ["dev", "ops"]);
        assert_eq!(ann.origins("dev"), ["always"]);
        assert_eq!(ann.origins("ops"), ["always"]);
    }
}
