//! What would have to be different: every no has its conditions, they name all that is in the way, and whoever does
//! what they say gets there.

use directory::{
    Account, Alone, Becoming, Case, CompiledRules, Outcome, Override, OverrideId, OverrideKind,
    Reason, Remedy, Review, Rules, SourceGroup, SourceGroupPk, Status, Subject, Trigger, Verdict,
    evaluate,
};
use proptest::prelude::*;
use scim::Resource;
use serde_json::{Value, json};

use crate::laws::{account, compile, groups, person, rules, start};
use crate::stage::{Person, membership, user};

#[test]
fn who_waits_is_told_for_which_groups() {
    let ann = Person::new(json!({"scope": {"required_groups": ["jira-users", "re:crowd-.*"]}}));
    assert_eq!(
        ann.would_need(None),
        ["be in one of the required groups: jira-users, re:crowd-.*"]
    );
}

#[test]
fn who_is_inactive_is_told_so() {
    let mut ann = Person::new(json!({})).with_account(Vec::new());
    ann.user = Some(user(json!({"userName": "ann", "active": false})));
    assert_eq!(
        ann.would_need(None),
        ["the identity provider must say that the user is active"]
    );
    ann.user = None;
    assert_eq!(
        ann.would_need(None),
        ["the identity provider must provision the user again"]
    );
}

#[test]
fn one_thing_in_the_way_does_not_hide_another() {
    let mut ann = Person::new(json!({
        "scope": {"filter": "title eq \"Engineer\"", "required_groups": ["staff"]},
        "accounts": {"create": false},
        "mapping": [{"target": "email", "on_null": "drop_user"}],
        "conditions": [{"name": "externals", "when": "userName sw \"a\"", "drop": true}],
        "groups": {"never_assign": ["jira"], "only_assign": ["staff"], "protected": ["re:j.*", "jira"]},
    }))
    .in_groups(&["jira"]);
    ann.user = Some(user(json!({"userName": "ann", "active": false})));
    assert_eq!(
        ann.would_need(Some("jira")),
        [
            "the condition `externals` must not hold, which takes the account",
            "`scope.filter` must hold for the user: title eq \"Engineer\"",
            "the value of emails must be one that the row for `email` takes: it drops the user (DROPPED_BY_RULE)",
            "the identity provider must say that the user is active",
            "be in one of the required groups: staff",
            "`accounts.create` must be on, or there must be an account for the user to be linked with",
            "`jira` must go from `groups.protected`",
            "`re:j.*` must go from `groups.protected`",
            "`groups.only_assign` must have `jira`",
            "`jira` must go from `groups.never_assign`",
        ]
    );
}

#[test]
fn a_group_in_the_way_of_a_list_names_the_entry() {
    let written =
        json!({"groups": {"never_assign": ["re:jira-a.*"], "only_assign": ["re:jira-.*"]}});
    let ann = Person::new(written).in_groups(&["jira-admins", "dev"]);
    assert_eq!(
        ann.would_need(Some("jira-admins")),
        ["`re:jira-a.*` must go from `groups.never_assign`"]
    );
    assert_eq!(
        ann.would_need(Some("dev")),
        ["`groups.only_assign` must have `dev`"]
    );
    // Lists mean nothing to what everybody gets.
    assert_eq!(
        ann.would_need(Some("ops")),
        [
            "either be in a source group whose name becomes `ops`, or have a mapping row for `groups` give it, and \
             `groups.only_assign` must have `ops`; or `groups.always_assign` must have `ops`"
        ]
    );
}

#[test]
fn groups_that_are_off_are_named_beside_the_lists() {
    let off = json!({"groups": {"enabled": false, "never_assign": ["dev"]}});
    let ann = Person::new(off).in_groups(&["dev"]);
    assert_eq!(
        ann.would_need(Some("dev")),
        [
            "`groups.enabled` must be on",
            "`dev` must go from `groups.never_assign`"
        ]
    );
}

#[test]
fn what_everybody_gets_waits_for_the_account_alone() {
    let ann = Person::new(json!({
        "scope": {"required_groups": ["staff"]},
        "groups": {
            "always_assign": ["everyone", "board"], "new_user_groups": ["welcome"],
            "only_assign": ["none"], "protected": ["board"],
        },
    }));
    let waits = "be in one of the required groups: staff";
    assert_eq!(ann.would_need(Some("everyone")), [waits]);
    assert_eq!(ann.would_need(Some("welcome")), [waits]);
    assert_eq!(
        ann.would_need(Some("board")),
        [waits, "`board` must go from `groups.protected`"]
    );
}

#[test]
fn a_group_of_a_condition_names_the_condition() {
    let ann = Person::new(json!({
        "groups": {"never_assign": ["licence"], "protected": ["board"]},
        "conditions": [
            {"name": "engineers", "when": "title eq \"Engineer\"", "add_groups": ["licence"]},
            {"name": "anns", "when": "userName eq \"ann\"", "add_groups": ["board"]},
            {"name": "later", "when": "title eq \"Boss\"", "add_groups": ["bosses"], "state": "off"},
        ],
    }));
    assert_eq!(
        ann.would_need(Some("board")),
        ["`board` must go from `groups.protected`"]
    );
    let need = ann.would_need(Some("licence"));
    assert_eq!(need.len(), 1);
    assert!(
        need[0].starts_with(
            "either the condition `engineers` must hold for the user: title eq \"Engineer\"; or be in a source group"
        ),
        "{need:?}"
    );
    let need = ann.would_need(Some("bosses"));
    assert!(
        need[0].starts_with(
            "either the condition `later` must be active, which is off, and the condition `later` must hold"
        ),
        "{need:?}"
    );
}

#[test]
fn two_ways_to_a_group_are_told_as_two() {
    let ann = Person::new(json!({
        "groups": {"never_assign": ["source:jira"], "protected": ["jira"]},
        "conditions": [{"name": "staff", "when": "title eq \"x\"", "add_groups": ["Jira"]}],
    }))
    .in_groups(&["jira"]);
    assert_eq!(
        ann.would_need(Some("jira")),
        [
            "`jira` must go from `groups.protected`",
            "either `source:jira` must go from `groups.never_assign`; or the condition `staff` must hold for the user: \
             title eq \"x\""
        ]
    );
}

#[test]
fn an_unmapped_group_and_its_list_are_both_named() {
    let ann = Person::new(json!({
        "scope": {"filter": "title pr"},
        "groups": {"mapping": {"rows": []}, "never_assign": ["dev"]},
    }))
    .in_groups(&["dev"]);
    assert_eq!(
        ann.would_need(Some("dev")),
        [
            "`scope.filter` must hold for the user: title pr",
            "a row of `groups.mapping` must make `dev` of `dev`",
            "`dev` must go from `groups.never_assign`"
        ]
    );
}

#[test]
fn a_group_that_becomes_another_says_which() {
    let written = json!({"groups": {"names": {"rules": [
        {"steps": [{"regex_replace": {"pattern": "d", "with": "", "mode": "all"}}]}
    ]}}});
    let ann = Person::new(written).in_groups(&["dev"]);
    assert_eq!(
        ann.would_need(Some("dev")),
        ["the rules must make `dev` of `dev`, of which they make `ev`"]
    );
    assert_eq!(ann.would_need(Some("ev")), Vec::<String>::new());
    let unmatched = json!({"groups": {"names": {"on_no_match": "clear", "rules": [
        {"steps": [{"regex_replace": {"pattern": "app-(.*)", "with": "$1"}}]}
    ]}}});
    let ann = Person::new(unmatched).in_groups(&["dev"]);
    assert_eq!(
        ann.would_need(Some("dev")),
        ["a rule of `groups.names` must match `dev` and make `dev` of it"]
    );
}

#[test]
fn a_group_in_a_group_and_one_that_waits_say_so_beside_the_lists() {
    let mut ann =
        Person::new(json!({"groups": {"nested_groups": "ignore", "never_assign": ["staff"]}}))
            .in_groups(&["team"])
            .by_way_of("staff", &["team"]);
    ann.groups[1].standing.get_or_insert_default().review = Review::Waiting;
    assert_eq!(
        ann.would_need(Some("staff")),
        [
            "`groups.nested_groups` must be `flatten`, or the user must be in `staff` directly",
            "an administrator must decide that `staff` may feed `staff`",
            "`staff` must go from `groups.never_assign`"
        ]
    );
}

#[test]
fn a_group_that_came_only_with_new_accounts_needs_another_way() {
    let ann = Person::new(json!({"groups": {"new_user_groups": ["welcome"]}}))
        .with_account(vec![membership("dev", &["local"])]);
    let need = ann.would_need(Some("welcome"));
    assert!(need[0].contains("be in a source group"), "{need:?}");
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

/// What the rules give is told to who asks why there is no account, whatever keeps it away.
#[test]
fn attributes_are_told_without_an_account() {
    for written in [
        json!({"scope": {"required_groups": ["staff"]}}),
        json!({"scope": {"filter": "title pr"}}),
        json!({"conditions": [{"name": "all", "when": "userName pr", "drop": true}]}),
        json!({"accounts": {"create": false}}),
        json!({"mapping": [{"target": "email", "on_null": "drop_user"}]}),
        json!({"mapping": [{"target": "first_name", "on_null": "drop_user"}]}),
    ] {
        let ann = Person::new(written.clone());
        let outcome = ann.asked();
        assert!(matches!(outcome.verdict, Verdict::NoAccount { .. }));
        for (target, value) in [("username", "ann"), ("display_name", "Ann")] {
            let lines = outcome.why_attribute(target).unwrap();
            let text = format!("`{target}` is {value:?}, from ");
            assert!(lines[0].text.starts_with(&text), "{written}: {lines:?}");
            let end = &lines.last().unwrap().text;
            assert!(end.starts_with("no account ("), "{written}: {end}");
            assert_eq!(outcome.worked_out().values_of(target), [value], "{written}");
        }
    }
}

/// Somebody of whom everything can be changed.
#[derive(Clone, Debug)]
struct Scene {
    rules: Rules,
    user: Option<Resource>,
    groups: Vec<SourceGroup>,
    account: Option<Account>,
    overrides: Vec<Override>,
}

impl Scene {
    fn ask<T>(&self, ask: impl FnOnce(&Case<'_>, &CompiledRules) -> T) -> T {
        let rules = compile(&self.rules);
        let subject = Subject {
            user: self.user.as_ref(),
            groups: &self.groups,
            existing: self.account.as_ref(),
            now: start(),
            trigger: Trigger::Simulate,
            overrides: &self.overrides,
        };
        let case = Case {
            subject,
            rules: &rules,
            around: &Alone,
            shared: None,
        };
        ask(&case, &rules)
    }

    fn outcome(&self) -> Outcome {
        self.ask(|case, rules| evaluate(&case.subject, rules))
    }

    fn is_active(&self) -> bool {
        let status = |it| matches!(it, Verdict::Account { status, .. } if status == Status::Active);
        status(self.outcome().verdict)
    }

    fn is_in(&self, group: &str) -> bool {
        self.outcome().why_group(group).member
    }

    fn group(&mut self, id: SourceGroupPk) -> &mut directory::Standing {
        let found = self.groups.iter_mut().find(|it| it.id == id).unwrap();
        found.standing.get_or_insert_default()
    }

    fn say_active(&mut self) {
        let mut written = Value::Object(self.user.take().unwrap().as_map().clone());
        written["active"] = json!(true);
        self.user = Some(user(written));
        let is_active = |it: &directory::rules::MappingRow| it.target.to_string() == "active";
        self.rules.mapping.retain(|it| !is_active(it));
    }

    /// Does what a remedy says; it may be done in the simplest way.
    fn follow(&mut self, remedy: &Remedy) {
        let rules = &mut self.rules;
        match remedy {
            Remedy::RequiredGroup(_) => rules.scope.required_groups.clear(),
            Remedy::Filter(_) => rules.scope.filter = None,
            Remedy::RowTakes { target, .. } | Remedy::StepTakes { target, .. } => {
                let rows = rules.mapping.iter_mut();
                for row in rows.filter(|row| row.target.to_string() == **target) {
                    row.steps.clear();
                    row.on_null = Some(directory::rules::OnNull::Keep);
                    row.on_no_match = directory::rules::OnNoMatch::Pass;
                }
            }
            Remedy::SaysTrue { .. } | Remedy::SaysActive => self.say_active(),
            Remedy::ProvisionedAgain => {
                self.user = Some(user(json!({
                    "userName": "ann", "title": "x", "nickName": "2031-01-01",
                    "emails": [{"value": "ann@x.example"}],
                })));
                rules.scope = directory::rules::Scope::default();
                rules.mapping.clear();
                rules.conditions.retain(|it| !it.drop && !it.disable);
            }
            Remedy::SomeNameMatches => {
                self.groups
                    .push(SourceGroup::direct(SourceGroupPk(98), "matched"));
                self.group(SourceGroupPk(98)).own_name = Some("matched".to_owned());
            }
            Remedy::SwitchedOn(_) => {
                (rules.accounts.create, rules.accounts.enable) = (true, true);
            }
            Remedy::ConditionFails(name) => rules.conditions.retain(|it| it.name != **name),
            Remedy::UserName => rules
                .mapping
                .retain(|it| it.target.to_string() != "username"),
            Remedy::DecisionLifted | Remedy::EnabledAgain { .. } => {
                let removed = |it: &Account| it.status == Status::Removed;
                self.account = self.account.take().filter(|it| !removed(it));
                if let Some(account) = &mut self.account {
                    (account.status, account.reason) = (Status::Active, Reason::IdpActive);
                    account.last_login = Some(start());
                }
            }
            Remedy::LogIn(_) => self.account.as_mut().unwrap().last_login = Some(start()),
            Remedy::OverrideEnds { kind, .. } => self.overrides.retain(|it| it.kind != *kind),
            Remedy::NotProtected(entry) => rules.groups.protected.retain(|it| **it != **entry),
            Remedy::NotNeverAssigned(entry) => {
                rules.groups.never_assign.retain(|it| **it != **entry);
            }
            Remedy::OnlyAssigned(name) => rules.groups.only_assign.push(name.clone()),
            Remedy::GroupsOn => rules.groups.enabled = true,
            Remedy::Becomes {
                source, group, now, ..
            } => {
                assert!(!matches!(now, Becoming::Names(names) if names.contains(group)));
                self.group(*source).own_name = Some(group.clone());
            }
            Remedy::MayFeed { source, .. } => self.group(*source).review = Review::Settled,
            Remedy::Flattened { .. } => {
                rules.groups.nested_groups = directory::rules::NestedGroups::Flatten;
            }
            Remedy::ConditionCounts { rule, .. } => {
                let mut all = rules.conditions.iter_mut();
                let found = all.find(|it| it.name == **rule).unwrap();
                found.state = directory::rules::RuleState::Active;
            }
            Remedy::ConditionHolds { rule, .. } => {
                let mut all = rules.conditions.iter_mut();
                let found = all.find(|it| it.name == **rule).unwrap();
                found.when = "userName pr".to_owned();
                (found.disable_at, found.disable_at_plus) = (None, None);
            }
            Remedy::Named(group) => {
                self.groups
                    .push(SourceGroup::direct(SourceGroupPk(99), "another"));
                self.group(SourceGroupPk(99)).own_name = Some(group.clone());
            }
            Remedy::AlwaysAssigned(group) => rules.groups.always_assign.push(group.clone()),
            Remedy::GivenBy { .. } | Remedy::Approved { .. } | Remedy::OneOf(_) => {
                unreachable!("{remedy:?}")
            }
        }
    }
}

/// All the ways that remedies leave open.
fn followed(scene: &Scene, remedies: &[Remedy]) -> Vec<Scene> {
    let mut scenes = vec![scene.clone()];
    for remedy in remedies {
        match remedy {
            Remedy::OneOf(ways) => {
                let ways = ways.iter();
                scenes = ways
                    .flat_map(|way| scenes.iter().flat_map(|it| followed(it, way)))
                    .collect();
            }
            remedy => scenes.iter_mut().for_each(|it| it.follow(remedy)),
        }
    }
    scenes
}

fn overrides() -> impl Strategy<Value = Vec<Override>> {
    let one = |kind| Override {
        id: OverrideId(1),
        kind,
        until: None,
        created: start(),
        actor: "admin".into(),
        comment: String::new(),
    };
    let out = OverrideKind::KeepOutOfGroup {
        group: "dev".into(),
    };
    prop_oneof![
        6 => Just(vec![]),
        1 => Just(vec![one(OverrideKind::Exclude)]),
        1 => Just(vec![one(out)]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn whoever_does_what_is_said_gets_there(
        rules in rules(),
        user in person(),
        groups in groups(),
        account in account(),
        overrides in overrides(),
        review in any::<prop::sample::Index>(),
        waits in any::<bool>(),
    ) {
        let mut scene = Scene { rules, user, groups, account, overrides };
        if waits && !scene.groups.is_empty() {
            let id = scene.groups[review.index(scene.groups.len())].id;
            scene.group(id).review = Review::Waiting;
        }
        let remedies = scene.ask(|case, _| case.why_no_account());
        prop_assert_eq!(scene.is_active(), remedies.is_empty());
        for followed in followed(&scene, &remedies) {
            prop_assert!(followed.is_active(), "{:?}", remedies);
        }
        for group in ["dev", "ops", "jira-admins", "everyone", "extra", "elsewhere"] {
            let remedies = scene.ask(|case, _| case.why_not_group(group));
            prop_assert_eq!(scene.is_in(group), remedies.is_empty(), "{}", group);
            for followed in followed(&scene, &remedies) {
                prop_assert!(followed.is_in(group), "{}: {:?}", group, remedies);
            }
        }
    }
}
