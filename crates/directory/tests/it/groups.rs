//! Groups that rules give by themselves, that nothing may give, and that rows map one by one.

use std::collections::HashMap;

use directory::rules::{Fault, GroupRules, warnings};
use directory::{
    CompiledRules, Origin, Reason, Review, Rules, SourceGroup, SourceGroupPk, Standing, Status,
};
use serde_json::{Value, json};

use crate::stage::{Person, membership, rules, user};

fn told(person: &Person) -> String {
    let lines = person.outcome().lines().into_iter();
    lines.map(|line| line.text).collect::<Vec<_>>().join("\n")
}

fn refused(written: Value) -> Vec<String> {
    let rules: Rules = serde_json::from_value(written).unwrap();
    let errors = CompiledRules::new(&rules).err().unwrap_or_default();
    errors.into_iter().map(|error| error.path).collect()
}

fn warned(written: Value) -> Vec<String> {
    let rules: Rules = serde_json::from_value(written).unwrap();
    CompiledRules::new(&rules).unwrap();
    let found = warnings(&rules).into_iter();
    found.map(|warning| warning.path).collect()
}

#[test]
fn newcomers_get_their_groups_once() {
    let written = json!({"groups": {"new_user_groups": ["welcome", "Jira-Users"]}});
    let mut ann = Person::new(written.clone()).in_groups(&["jira-users"]);
    ann.step();
    assert_eq!(ann.member_of(), ["jira-users", "welcome"]);
    assert_eq!(ann.origins("welcome"), ["rule:new_user_groups"]);
    assert_eq!(
        ann.origins("jira-users"),
        ["idp:1", "rule:new_user_groups"],
        "leaving the source group does not take it"
    );

    ann.groups.clear();
    assert_eq!(ann.changes(), ["set_origins"]);
    assert_eq!(ann.member_of(), ["jira-users", "welcome"]);

    // Whoever takes the user out is not contradicted.
    let account = ann.account.as_mut().unwrap();
    account.memberships.retain(|it| it.group != "welcome");
    assert!(ann.changes().is_empty());
    assert_eq!(ann.member_of(), ["jira-users"]);

    // Nor does a change of the rules take back what was given.
    ann.rules = rules(json!({"groups": {"authority": "strict"}}));
    assert!(ann.changes().is_empty());

    let mut known = Person::new(written).with_account(vec![]);
    assert!(known.changes().is_empty(), "an old account is not new");
}

#[test]
fn newcomers_groups_come_with_the_account_and_not_before() {
    let mut ann = Person::new(json!({
        "groups": {"new_user_groups": ["g", "welcome"]}, "scope": {"required_groups": ["g"]},
    }));
    assert!(ann.changes().is_empty(), "they are no required groups");
    ann.join(&["g"]);
    ann.step();
    assert_eq!(ann.member_of(), ["g", "welcome"]);
}

#[test]
fn a_rule_that_gives_once_says_so() {
    let rules = rules(json!({"mapping": [
        {"target": "groups", "source": {"attribute": "title"}, "apply": "create_only"},
        {"target": "groups", "source": {"attribute": "userType"}},
        {"target": "display_name", "source": {"attribute": "nickName"}, "apply": "create_only"},
    ]}));
    assert!(rules.gives_once(Origin::NEW_USER_GROUPS));
    assert!(rules.gives_once("title"));
    assert!(!rules.gives_once("userType"));
    assert!(!rules.gives_once("nickName"));
}

fn contractor(more: Value) -> Value {
    let mut rule = json!({"name": "contractors", "when": "userType eq \"Contractor\""});
    for (name, value) in more.as_object().unwrap() {
        rule[name] = value.clone();
    }
    json!({"conditions": [rule]})
}

fn with(mut person: Person, attributes: Value) -> Person {
    let mut written = json!({"userName": "ann", "displayName": "Ann"});
    for (name, value) in attributes.as_object().unwrap() {
        written[name] = value.clone();
    }
    person.user = Some(user(written));
    person
}

#[test]
fn conditions_add_groups_while_they_hold() {
    let written = contractor(json!({"add_groups": ["externals"]}));
    let mut ann = with(Person::new(written), json!({"userType": "contractor"}));
    ann.step();
    assert_eq!(ann.member_of(), ["externals"]);
    assert_eq!(ann.origins("externals"), ["rule:contractors"]);
    assert!(told(&ann).contains("`externals` is assigned by condition `contractors`"));

    ann = with(ann, json!({"userType": "Employee"}));
    assert_eq!(ann.changes(), ["remove_membership"]);
    ann.rules = rules(contractor(
        json!({"add_groups": ["externals"], "state": "off"}),
    ));
    ann = with(ann, json!({"userType": "Contractor"}));
    assert!(ann.changes().is_empty(), "it is off");
}

#[test]
fn conditions_look_at_groups_as_the_identity_provider_calls_them() {
    let mut ann = Person::new(json!({"conditions": [
        {"name": "both", "when": "groups eq \"Dev\" and groups eq \"ops\"", "add_groups": ["sre"]},
    ]}))
    .in_groups(&["dev"]);
    ann.step();
    assert_eq!(ann.member_of(), ["dev"]);
    ann.join(&["dev", "OPS"]);
    ann.step();
    assert_eq!(ann.member_of(), ["OPS", "dev", "sre"]);
}

#[test]
fn groups_of_conditions_are_no_required_groups() {
    let mut ann = Person::new(json!({
        "conditions": [{"name": "all", "when": "userName pr", "add_groups": ["staff"]}],
        "scope": {"required_groups": ["staff"]},
    }));
    assert!(ann.changes().is_empty());
}

#[test]
fn conditions_drop_users_and_disable_accounts() {
    let mut ann = with(
        Person::new(contractor(json!({"drop": true}))),
        json!({"userType": "Contractor"}),
    );
    assert!(ann.changes().is_empty());
    assert!(told(&ann).contains("condition `contractors` holds and drops the user"));

    ann.rules = rules(contractor(json!({"disable": true})));
    ann.groups = vec![SourceGroup::direct(SourceGroupPk(1), "dev")];
    ann.step();
    let disabled = (Status::Disabled, Reason::DisabledByRule);
    assert_eq!(ann.state(), Some(disabled));
    assert_eq!(
        ann.member_of(),
        ["dev"],
        "groups follow as for the inactive"
    );

    ann = with(ann, json!({"userType": "Employee"}));
    assert_eq!(ann.changes(), ["reactivate"]);
}

#[test]
fn an_administrators_word_and_switches_stand_above_conditions() {
    let contractor_ann = |written: Value| {
        with(
            Person::new(written).with_account(vec![]),
            json!({"userType": "Contractor"}),
        )
    };
    let mut held_back = contractor(json!({"disable": true}));
    held_back["accounts"] = json!({"disable": false});
    let mut ann = contractor_ann(held_back);
    ann.step();
    assert_eq!(ann.state().unwrap().0, Status::Active);

    let mut exempt = contractor(json!({"disable": true}));
    exempt["cleanup"] = json!({"exempt_when": "userName eq \"ann\""});
    let mut ann = contractor_ann(exempt);
    ann.step();
    assert_eq!(ann.state().unwrap().0, Status::Active);

    let mut ann = contractor_ann(contractor(json!({"disable": true})));
    let account = ann.account.as_mut().unwrap();
    (account.status, account.reason) = (Status::Disabled, Reason::Manual);
    ann.step();
    assert_eq!(ann.state(), Some((Status::Disabled, Reason::Manual)));
}

#[test]
fn a_leaver_is_disabled_even_if_inactive_people_are_kept() {
    let mut written = contractor(json!({"disable": true}));
    written["cleanup"] = json!({"idp_inactive": "keep"});
    let mut ann = with(
        Person::new(written).with_account(vec![]),
        json!({"userType": "Contractor", "active": false}),
    );
    ann.step();
    assert_eq!(
        ann.state(),
        Some((Status::Disabled, Reason::DisabledByRule))
    );
}

fn leaving() -> Value {
    json!({"conditions": [{
        "name": "end of contract", "when": "userName pr", "disable_at": "title",
        "disable_at_plus": {"days": 1},
    }]})
}

#[test]
fn an_account_is_disabled_when_its_date_comes() {
    let mut ann = with(Person::new(leaving()), json!({"title": "2026-03-01"}));
    assert_eq!(
        ann.outcome().recheck_at,
        Some("2026-03-02T00:00:00Z".parse().unwrap())
    );
    ann.step();
    assert_eq!(ann.state().unwrap().0, Status::Active);
    assert!(told(&ann).contains("will disable the account at 2026-03-02T00:00:00Z"));

    ann.now = "2026-03-02T00:00:00Z".parse().unwrap();
    assert_eq!(ann.changes(), ["disable"]);
    assert_eq!(ann.outcome().recheck_at, None);

    ann = with(ann, json!({"title": "2027-01-31"}));
    assert_eq!(ann.changes(), ["reactivate"], "the contract goes on");
}

#[test]
fn a_date_that_cannot_be_read_disables_nobody_and_is_told() {
    let mut ann = with(Person::new(leaving()), json!({"title": "soon"}));
    ann.step();
    assert_eq!(ann.state().unwrap().0, Status::Active);
    let outcome = ann.outcome();
    assert_eq!(
        outcome.faults().map(|(it, _)| it).collect::<Vec<_>>(),
        ["title"]
    );
    let nobody = with(Person::new(leaving()), json!({}));
    assert!(told(&nobody).contains("`title` has no date"));
}

#[test]
fn a_name_on_which_a_rule_fails_grants_nothing_and_takes_nothing() {
    let split = json!({"groups": {"names": {"rules": [{"steps": [{"split": {"sep": ","}}]}]}}});
    let mut ann = Person::new(split).in_groups(&["dev,ops"]);
    ann.step();
    assert_eq!(ann.member_of(), ["dev", "ops"]);
    let names: Vec<String> = (0..1_200).map(|n| n.to_string()).collect();
    ann.groups.clear();
    ann.join(&["qa", &names.join(",")]);
    assert_eq!(ann.changes(), ["add_membership"]);
    assert_eq!(ann.member_of(), ["dev", "ops", "qa"]);
    let outcome = ann.outcome();
    assert_eq!(
        outcome.faults().map(|(it, _)| it).collect::<Vec<_>>(),
        ["groups"]
    );
    assert!(told(&ann).contains("became a list of more than 1,000"));

    ann.groups.retain(|group| group.name == "qa");
    ann.step();
    assert_eq!(ann.member_of(), ["qa"]);
    assert_eq!(ann.outcome().faults().count(), 0);
}

#[test]
fn bad_conditions_are_told_by_their_place() {
    let one = |rule: Value| refused(json!({"conditions": [rule]}));
    assert_eq!(
        one(json!({"name": "x", "when": "userName pr"})),
        ["conditions[0]"]
    );
    assert_eq!(
        one(json!({"name": " ", "when": "userName pr", "drop": true})),
        ["conditions[0].name"]
    );
    assert_eq!(
        one(json!({"name": "new_user_groups", "when": "userName pr", "drop": true})),
        ["conditions[0].name"]
    );
    for when in ["userName", "existing eq true", "trigger eq \"scim\""] {
        let errors = one(json!({"name": "x", "when": when, "drop": true}));
        assert_eq!(errors, ["conditions[0].when"], "{when}");
    }
    assert_eq!(
        one(json!({"name": "x", "when": "userName pr", "disable_at": "emails["})),
        ["conditions[0].disable_at"]
    );
    assert_eq!(
        one(json!({"name": "x", "when": "userName pr", "add_groups": ["re:.*", "ok"]})),
        ["conditions[0].add_groups[0]"]
    );
    let rule = json!({"name": "x", "when": "userName pr", "drop": true});
    assert_eq!(
        refused(json!({"conditions": [rule, rule]})),
        ["conditions[1].name"]
    );
}

fn protected(more: Value) -> Value {
    let mut written = json!({"groups": {"protected": ["jira-administrators", "re:.*-admins"]}});
    for (name, value) in more.as_object().unwrap() {
        written["groups"][name] = value.clone();
    }
    written
}

#[test]
fn nothing_grants_a_protected_group() {
    let mut written = protected(json!({
        "names": {"rules": [{"steps": [
            {"regex_replace": {"pattern": "(?i)app-(.*)", "with": "$1"}},
        ]}]},
        "always_assign": ["jira-administrators"],
        "new_user_groups": ["wiki-admins"],
    }));
    written["mapping"] = json!([{"target": "groups", "source": {"constant": "dev-admins"}}]);
    written["conditions"] =
        json!([{"name": "all", "when": "userName pr", "add_groups": ["ops-admins", "ok"]}]);
    let mut ann = Person::new(written)
        .in_groups(&["APP-Jira-Administrators", "ｊｉｒａ－administrators", "dev"])
        .by_way_of("jira-admins", &["dev"]);
    ann.step();
    assert_eq!(ann.member_of(), ["dev", "ok"]);
    let told = told(&ann);
    assert!(told.contains("`Jira-Administrators` is in `protected` by `jira-administrators`"));
    assert!(told.contains("`ops-admins` is not assigned"));
    let effective = |name: &str| {
        let group = SourceGroup::direct(SourceGroupPk(9), name);
        ann.rules.effective_group(&group)
    };
    assert_eq!(effective("app-jira-administrators"), None);
    assert_eq!(effective("app-dev").as_deref(), Some("dev"));
}

#[test]
fn what_others_gave_in_a_protected_group_stays() {
    for authority in ["strict", "owned_only"] {
        let mut ann = Person::new(protected(json!({"authority": authority}))).with_account(vec![
            membership("jira-administrators", &["local", "idp:7"]),
            membership("dev-admins", &["idp:7"]),
        ]);
        ann.step();
        assert_eq!(ann.member_of(), ["jira-administrators"], "{authority}");
        assert_eq!(ann.origins("jira-administrators"), ["local"]);
    }
}

#[test]
fn who_was_deleted_and_is_back_does_not_get_administrative_groups_back() {
    let mut ann = Person::new(protected(json!({}))).with_account(vec![
        membership("jira-administrators", &["local"]),
        membership("dev", &["idp:1"]),
    ]);
    let back = ann.user.take();
    let account = ann.account.as_mut().unwrap();
    (account.status, account.reason) = (Status::Removed, Reason::IdpDeleted);
    account.memory.restore = ["jira-administrators", "dev"]
        .map(|group| membership(group, &["copied"]))
        .into();
    account.memberships.clear();
    ann.user = back;
    ann.step();
    assert_eq!(ann.member_of(), ["dev"]);
}

#[test]
fn new_connectors_begin_safely_and_old_rules_stay_as_they_were() {
    let old: Rules = serde_json::from_str("{}").unwrap();
    assert_eq!(old, Rules::default());
    assert!(old.groups.protected.is_empty());
    let new = CompiledRules::new(&Rules::for_new_connector()).unwrap();
    for name in [
        "jira-administrators",
        "Confluence-Administrators",
        "crowd-administrators",
        "bamboo-admin",
        "site-admins",
        "confluence-admins-vitafleet",
        "jira-servicemanagement-admins-vitafleet",
        "user-access-admins-vitafleet",
    ] {
        assert!(new.protects(name, None).is_some(), "{name}");
    }
    for name in [
        "jira-users",
        "project-admins-berlin",
        "admins",
        "jira-users-vitafleet",
    ] {
        assert!(new.protects(name, None).is_none(), "{name}");
    }
    let stored = serde_json::to_string(&Rules::for_new_connector()).unwrap();
    let read: Rules = serde_json::from_str(&stored).unwrap();
    assert_eq!(read.groups, GroupRules::for_new_connector());
}

fn mapped(unmapped: &str, more: Value) -> Value {
    let mut written = json!({"groups": {"mapping": {"unmapped": unmapped, "rows": [
        {"source": {"id": "g-1", "name": "All Staff"}, "groups": ["jira-users", "wiki-users"]},
        {"source": {"id": "g-2"}, "groups": ["Wiki-Users"]},
        {"source": {"id": "g-1"}, "groups": ["staff"]},
        {"source": {"id": "gone"}, "groups": ["nobody"]},
    ]}}});
    for (name, value) in more.as_object().unwrap() {
        written["groups"][name] = value.clone();
    }
    written
}

fn bound(person: &mut Person) {
    let known = [("g-1", 1), ("g-2", 2), ("g-3", 3)];
    let known: HashMap<String, SourceGroupPk> = known
        .into_iter()
        .map(|(id, pk)| (id.to_owned(), SourceGroupPk(pk)))
        .collect();
    person.rules.bind(&known);
}

#[test]
fn rows_map_source_groups_many_to_many_whatever_their_names() {
    let mut ann = Person::new(mapped("ignore", json!({}))).in_groups(&["All Staff", "B", "C"]);
    assert_eq!(ann.rules.named_groups(), ["g-1", "g-2", "gone"]);
    bound(&mut ann);
    ann.step();
    assert_eq!(ann.member_of(), ["jira-users", "staff", "wiki-users"]);
    assert_eq!(ann.origins("wiki-users"), ["idp:1", "idp:2"]);
    assert!(told(&ann).contains("`C` is left out: no row of `groups.mapping` has it"));

    // A rename in the identity provider changes nothing.
    ann.join(&["Everybody", "B2", "C"]);
    assert!(ann.changes().is_empty());

    ann.groups.remove(0);
    ann.step();
    assert_eq!(ann.member_of(), ["wiki-users"]);
}

#[test]
fn groups_without_a_row_go_on_if_the_rules_say_so() {
    let names = json!({"names": {"rules": [{"steps": ["lower"]}]}, "never_assign": ["staff"]});
    let mut ann = Person::new(mapped("pass", names)).in_groups(&["All Staff", "B", "C"]);
    bound(&mut ann);
    ann.step();
    assert_eq!(ann.member_of(), ["c", "jira-users", "wiki-users"]);
    let unknown = Person::new(mapped("ignore", json!({}))).in_groups(&["All Staff"]);
    assert_eq!(
        unknown.outcome().memberships,
        [],
        "nothing comes of rows before the groups are known"
    );
}

#[test]
fn bad_rows_are_told_by_their_place() {
    let rows = |rows: Value| refused(json!({"groups": {"mapping": {"rows": rows}}}));
    assert_eq!(
        rows(json!([
            {"source": {"id": ""}, "groups": ["x"]},
            {"source": {"id": "g"}, "groups": []},
            {"source": {"id": "g"}, "groups": ["x", ""]},
        ])),
        [
            "groups.mapping.rows[0].source.id",
            "groups.mapping.rows[1].groups",
            "groups.mapping.rows[2].groups[1]",
        ]
    );
}

fn standing(name: &str, standing: Standing) -> SourceGroup {
    SourceGroup {
        standing: Some(Box::new(standing)),
        ..SourceGroup::direct(SourceGroupPk(1), name)
    }
}

#[test]
fn a_renamed_group_has_both_names_until_the_former_one_ends() {
    let mut ann = Person::new(json!({"groups": {"names": {"rules": [{"steps": ["lower"]}]}}}));
    let until = "2026-03-08T00:00:00Z".parse().unwrap();
    ann.groups = vec![standing(
        "New",
        Standing {
            alias: Some(("Old".into(), until)),
            ..Standing::default()
        },
    )];
    assert_eq!(ann.outcome().recheck_at, Some(until));
    ann.step();
    assert_eq!(ann.member_of(), ["new", "old"]);
    ann.now = until;
    assert_eq!(ann.changes(), ["remove_membership"]);
    assert_eq!(ann.member_of(), ["new"]);
    assert_eq!(ann.outcome().recheck_at, None);
}

#[test]
fn a_pinned_group_keeps_its_name_and_who_asks_hears_of_the_new_one() {
    let mut ann = Person::new(json!({}));
    ann.groups = vec![standing(
        "devs",
        Standing {
            renamed: Some("developers".into()),
            ..Standing::default()
        },
    )];
    ann.step();
    assert_eq!(ann.member_of(), ["devs"]);
    let why = ann.outcome().why_group("developers");
    assert!(!why.member);
    assert!(why.lines[0].text.contains("the rules go on with `devs`"));
}

#[test]
fn a_group_under_review_grants_nothing_and_counts_as_required() {
    let reviewed = |review| Standing {
        review,
        ..Standing::default()
    };
    let mut ann = Person::new(json!({"scope": {"required_groups": ["staff"]}}));
    ann.groups = vec![standing("staff", reviewed(Review::Waiting))];
    ann.step();
    assert_eq!(ann.state().unwrap().0, Status::Active);
    assert!(ann.member_of().is_empty());
    assert!(told(&ann).contains("waits: `staff` has members from elsewhere"));

    ann.groups = vec![standing("staff", reviewed(Review::Ignored))];
    assert!(told(&ann).contains("an administrator decided so"));
    assert!(ann.outcome().memory.out_of_scope_since.is_some());

    let named = Standing {
        own_name: Some("people".into()),
        ..Standing::default()
    };
    ann.rules = rules(json!({}));
    ann.groups = vec![standing("staff", named)];
    ann.step();
    assert_eq!(ann.member_of(), ["people"]);
}

#[test]
fn contradictions_between_groups_are_warned_of() {
    let both = json!({"groups": {
        "always_assign": ["everyone"], "new_user_groups": ["Everyone"],
    }});
    assert_eq!(warned(both), ["groups.new_user_groups[0]"]);
    let admins = json!({"groups": {
        "always_assign": ["jira-administrators"], "protected": ["re:.*-administrators"],
    }});
    assert_eq!(warned(admins), ["groups.always_assign[0]"]);
    let condition = json!({"groups": {"never_assign": ["x"]}, "conditions": [
        {"name": "a", "when": "userName pr", "add_groups": ["x"], "drop": true},
    ]});
    assert_eq!(
        warned(condition),
        ["conditions[0].drop", "conditions[0].add_groups[0]"]
    );
    let rows = json!({"groups": {"only_assign": ["re:jira-.*"], "mapping": {"rows": [
        {"source": {"id": "g"}, "groups": ["jira-x", "y"]},
    ]}}});
    assert_eq!(warned(rows), ["groups.mapping.rows[0].groups[1]"]);
    let alias = json!({"groups": {"rename": "alias", "alias_days": 0}});
    assert_eq!(warned(alias), ["groups.alias_days"]);
}

#[test]
fn rules_of_a_new_connector_keep_what_is_said_and_begin_safely_otherwise() {
    use directory::rules::{RenamePolicy, WrittenRules};
    let read = |written: Value| {
        serde_json::from_value::<WrittenRules>(written)
            .unwrap()
            .read()
    };
    assert_eq!(read(json!({})), WrittenRules::default().read());
    let some = read(json!({"groups": {"protected": [], "only_assign": ["x"]}})).unwrap();
    assert!(some.groups.protected.is_empty());
    assert_eq!(some.groups.rename, RenamePolicy::Pin);
    assert_eq!(some.groups.only_assign, ["x"]);
    for wrong in [
        json!({"group": {}}),
        json!({"groups": 1}),
        json!({"groups": {"x": 1}}),
        json!(1),
    ] {
        assert!(read(wrong.clone()).is_err(), "{wrong}");
    }
}

#[test]
fn a_name_that_the_rules_make_impossible_takes_no_membership_away() {
    let prefixed = |text: &str| {
        rules(json!({"groups": {"names": {"rules": [
            {"steps": [{"prefix": {"text": text}}]},
        ]}}}))
    };
    let mut ann = Person::new(json!({})).in_groups(&["dev", "x"]);
    ann.step();
    let (long, impossible) = (Fault::NameTooLong, Fault::NotAName);
    for (text, fault, told_as) in [
        ("p".repeat(254), long, "is too long for a name"),
        ("\u{200b}".to_owned(), impossible, "is not a possible name"),
        (" ".to_owned(), impossible, "is not a possible name"),
    ] {
        ann.rules = prefixed(&text);
        ann.step();
        assert_eq!(ann.member_of()[0], "dev", "{text:?}");
        let outcome = ann.outcome();
        let faults: Vec<_> = outcome.faults().collect();
        assert_eq!(faults[0], ("groups", fault), "{text:?}");
        assert!(told(&ann).contains(told_as), "{}", told(&ann));
    }
    let dev = &ann.groups[0];
    assert_eq!(ann.rules.name_fault(dev), Some(Fault::NotAName));
    ann.rules = prefixed("a-");
    ann.step();
    assert_eq!(ann.member_of(), ["a-dev", "a-x"]);
}

#[test]
fn a_row_that_gives_an_impossible_name_takes_no_membership_away() {
    let mut ann = Person::new(json!({"mapping": [
        {"target": "groups", "source": {"attribute": "title"}, "steps": [{"split": {"sep": ","}}]},
    ]}));
    let titled = |title: String| Some(user(json!({"userName": "ann", "title": title})));
    ann.user = titled("dev,ops".to_owned());
    ann.step();
    assert_eq!(ann.member_of(), ["dev", "ops"]);
    ann.user = titled(format!("web,{}", "x".repeat(300)));
    ann.step();
    assert_eq!(ann.member_of(), ["dev", "ops", "web"]);
    let outcome = ann.outcome();
    let faults: Vec<_> = outcome.faults().collect();
    assert_eq!(faults, [("groups", Fault::NameTooLong)]);
    ann.user = titled("web".to_owned());
    ann.step();
    assert_eq!(ann.member_of(), ["web"]);
}
