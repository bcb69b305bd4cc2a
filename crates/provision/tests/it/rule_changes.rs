//! Changing rules: what a preview shows is what applying it does; versions are kept; bad rules change nothing.

use std::collections::{BTreeMap, BTreeSet};

use directory::{
    Account, HoldKind, HoldState, Limit, LimitSettings, Operation, Plan, ReconcileMode, Rules,
};
use emulate::databases::{TestDatabase, on_each_database};
use jiff::SignedDuration;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use provision::{
    Confined, Preview, PreviewSearch, PreviewWish, PreviewedUser, ProvisionError, RulesChange,
};
use serde_json::{Value, json};
use store::{StoreError, SubjectReader};

use crate::world::World;

const USERS: usize = 6;
const GROUPS: [&str; 4] = ["Staff", "staff-eu", "Admins", "Guests"];

fn rules(written: &Value) -> Rules {
    serde_json::from_value(written.clone()).unwrap()
}

impl World {
    pub fn preview(&self, wish: PreviewWish) -> (Preview, Vec<PreviewedUser>) {
        let id = self.connector.connector.id;
        let job = self
            .run(self.provision.start_preview(id, wish, "admin"))
            .unwrap();
        self.run(job.work).unwrap();
        let store = self.provision.store();
        store
            .read_blocking(|tx| {
                let preview = self.provision.preview(tx, id, &job.id)?;
                let search = PreviewSearch::default();
                let users = self
                    .provision
                    .previewed_users(tx, &preview.stored, &search, 10_000)?;
                let users = users.into_iter().map(|(_, user)| user).collect();
                Ok::<_, ProvisionError>((preview, users))
            })
            .unwrap()
    }

    pub fn preview_of(&self, written: &Value) -> (Preview, Vec<PreviewedUser>) {
        self.preview(PreviewWish {
            rules: Some(rules(written)),
            ..PreviewWish::default()
        })
    }

    /// The account of every user of the source, by SCIM id; none where there is no account to be seen.
    fn accounts(&self) -> BTreeMap<String, Option<Account>> {
        let id = self.connector.connector.id;
        self.provision
            .store()
            .read_blocking(|tx| {
                let subjects =
                    SubjectReader::new(tx, id).after(directory::SourceUserPk(0), 1_000)?;
                let accounts = subjects.into_iter().map(|subject| {
                    let mut account = subject.account.map(|it| it.account);
                    if let Some(account) = &mut account {
                        // When it was noticed is no part of what was decided.
                        account.memory = directory::Memory::default();
                        account.key.clear();
                        comparable(account);
                    }
                    let seen = account.filter(|it| it.status != directory::Status::Removed);
                    (subject.user.id, seen)
                });
                Ok::<_, StoreError>(accounts.collect())
            })
            .unwrap()
    }

    pub fn apply(&self, preview: &Preview, anyway: bool) -> Result<(), ProvisionError> {
        let id = self.connector.connector.id;
        let change = RulesChange {
            comment: "as previewed".into(),
            anyway,
        };
        let applied = self
            .provision
            .apply_preview(id, &preview.stored.public_id, change, "admin");
        self.run(applied)
    }

    fn save(&self, written: &Value, anyway: bool) -> Result<(), ProvisionError> {
        let id = self.connector.connector.id;
        let change = RulesChange {
            comment: String::new(),
            anyway,
        };
        self.run(
            self.provision
                .save_rules(id, rules(written), change, "admin"),
        )
    }
}

/// Groups are the same however they are written.
fn comparable(account: &mut Account) {
    for membership in &mut account.memberships {
        membership.group = membership.group.to_lowercase();
    }
    account.memberships.sort_by(|a, b| a.group.cmp(&b.group));
}

/// A person of the random data: nickname, whether active, groups.
type Human = (Option<u8>, bool, Vec<usize>);

fn people() -> impl Strategy<Value = Vec<Human>> {
    let nick = prop::option::of(0..8_u8);
    let groups = prop::collection::vec(0..GROUPS.len(), 0..3);
    prop::collection::vec((nick, prop::bool::weighted(0.8), groups), USERS)
}

fn some_rules() -> impl Strategy<Value = Value> {
    let username = prop::sample::select(vec![
        json!(null),
        json!({"target": "username", "source": {"attribute": "nickName"}}),
        json!({"target": "username", "source": {"attribute": "nickName"}, "on_null": "drop_user"}),
        json!({"target": "username", "steps": ["upper"]}),
        json!({"target": "username", "steps": [{"prefix": {"text": "x-"}}]}),
        json!({"target": "username", "source": {"constant": "same"}}),
        json!({"target": "username", "source": {"attribute": "nickName"}, "apply": "create_only"}),
        json!({"target": "username", "source": {"attribute": "nickName"},
            "steps": [{"unique_suffix": {}}]}),
    ]);
    let display = prop::sample::select(vec![
        json!(null),
        json!({"target": "display_name", "source": {"constant": "Somebody"}}),
        json!({"target": "attr:nick", "source": {"attribute": "nickName"}}),
    ]);
    let names = prop::sample::select(vec![
        json!([]),
        json!([{"steps": ["lower"]}]),
        json!([{"steps": [{"regex_replace": {"pattern": "staff.*", "with": "team", "i": true}}]}]),
    ]);
    let words = |words: &'static [&'static str]| prop::sample::select(words);
    let lists = (
        prop::sample::select(vec![json!([]), json!(["Admins"]), json!(["re:staff.*"])]),
        prop::sample::select(vec![json!([]), json!(["everybody"])]),
        prop::sample::select(vec![
            json!([]),
            json!([]),
            json!(["Staff"]),
            json!(["re:staff.*"]),
        ]),
    );
    let kinds = (
        words(&["strict", "owned_only", "additive"]),
        words(&["flatten", "ignore"]),
        words(&["disable", "delete", "keep"]),
        words(&["disable", "delete", "keep"]),
        any::<bool>(),
        0..2_u32,
    );
    (username, display, names, lists, kinds).prop_map(
        |(username, display, names, (never, always, required), kinds)| {
            let (authority, nested, out, dropped, empty, grace) = kinds;
            let rows: Vec<Value> = [username, display]
                .into_iter()
                .filter(|row| !row.is_null())
                .collect();
            json!({
                "mapping": rows,
                "groups": {
                    "names": {"rules": names}, "never_assign": never, "always_assign": always,
                    "authority": authority, "nested_groups": nested, "create_empty": empty,
                },
                "scope": {"required_groups": required, "grace_minutes": grace},
                "cleanup": {"out_of_scope": out, "dropped": dropped},
            })
        },
    )
}

/// A world of these people, two of whom were deleted, under the first rules.
/// Limits that are reached, in either manner, or none.
fn limits() -> impl Strategy<Value = LimitSettings> {
    let few = || prop::option::of((0..3_u32).prop_map(|most| Limit::new(most, 0)));
    let limits = (few(), few(), few(), few(), any::<bool>()).prop_map(
        |(deactivations, group_memberships, memberships, renames, whole)| LimitSettings {
            deactivations,
            group_memberships,
            memberships,
            // Names that wait for the end of everybody's evaluation go to others meanwhile.
            renames: renames.filter(|_| !whole),
            reconcile: match whole {
                true => ReconcileMode::AllOrNothing,
                false => ReconcileMode::InOrder,
            },
            ..LimitSettings::default()
        },
    );
    prop_oneof![2 => Just(LimitSettings::default()), 3 => limits]
}

fn settled(database: &TestDatabase, people: &[Human], first: &Value) -> World {
    let world = World::new(database, rules(first));
    let ids: Vec<String> = people
        .iter()
        .enumerate()
        .map(|(number, (nick, active, _))| {
            let mut user = json!({"userName": format!("u{number}"), "active": active,
                "externalId": format!("x{number}")});
            if let Some(nick) = nick {
                user["nickName"] = json!(format!("u{nick}"));
            }
            world.try_user(user).unwrap()
        })
        .collect();
    for (index, name) in GROUPS.iter().enumerate() {
        let members = people.iter().zip(&ids);
        let members: Vec<&str> = members
            .filter(|((_, _, groups), _)| groups.contains(&index))
            .map(|(_, id)| id.as_str())
            .collect();
        world.group(name, &members);
    }
    world.delete_user(&ids[4]);
    // Comes back under another id, or as somebody else with the same name.
    world
        .try_user(json!({"userName": "u7", "nickName": "u4"}))
        .unwrap();
    world.work_off();
    world
}

#[test]
fn applying_a_preview_does_what_it_shows() {
    let mut runner = TestRunner::new(Config::with_cases(64));
    runner
        .run(
            &(people(), some_rules(), some_rules(), limits()),
            |(people, first, second, limits)| {
                let database = TestDatabase::sqlite()?;
                let world = settled(&database, &people, &first);
                let held_before = world.holds(HoldState::Open).len();
                world.set_limits(move |present| present.clone_from(&limits));
                let (before, groups) = (world.accounts(), world.group_names());
                let position = world.position();
                let (preview, users) = world.preview_of(&second);
                prop_assert!(preview.can_be_applied());
                prop_assert_eq!(world.position(), position, "a preview changes nothing");
                prop_assert_eq!(world.accounts(), before.clone());
                world.apply(&preview, true).unwrap();
                world.work_off();
                let after = world.accounts();
                let told: BTreeMap<&str, &PreviewedUser> = users
                    .iter()
                    .filter_map(|user| Some((user.id.as_deref()?, user)))
                    .collect();
                prop_assert_eq!(told.len(), users.len(), "each user is told of once");
                for (id, account) in &after {
                    let was = &before[id];
                    let Some(user) = told.get(id.as_str()) else {
                        prop_assert_eq!(account, was, "{} was not told of", id);
                        continue;
                    };
                    let plan = Plan {
                        changes: user.changes.clone(),
                        memory: directory::Memory::default(),
                    };
                    let mut wanted = match &user.before {
                        Some(_) if was.is_none() => account.clone(),
                        _ => directory::apply(was.as_ref(), &plan),
                    };
                    if let Some(wanted) = &mut wanted {
                        wanted.memory = directory::Memory::default();
                        wanted.key.clear();
                        comparable(wanted);
                    }
                    let wanted = wanted.filter(|it| it.status != directory::Status::Removed);
                    prop_assert_eq!(account, &wanted, "{:?}", user);
                    let name = account.as_ref().map(|it| it.attributes.username.as_str());
                    let shown = user
                        .after
                        .as_ref()
                        .map(|it| it.attributes.username.as_str());
                    prop_assert_eq!(name, shown);
                    let shown = user.after.as_ref().map(|it| it.groups.clone());
                    let groups = name.map(|name| world.groups(name));
                    prop_assert_eq!(groups, shown);
                }
                let known: BTreeSet<String> = groups.into_iter().collect();
                let appeared: BTreeSet<String> = world
                    .group_names()
                    .into_iter()
                    .filter(|name| !known.contains(name))
                    .collect();
                let told: BTreeSet<String> = preview.summary.new_groups.iter().cloned().collect();
                prop_assert_eq!(appeared, told);
                let (again, _) = world.preview(PreviewWish::default());
                prop_assert_eq!(again.summary.changed, 0, "nothing is left to do");
                let held: usize = users.iter().map(|user| user.held.len()).sum();
                prop_assert_eq!(
                    held,
                    world.holds(HoldState::Open).len(),
                    "{:?}",
                    held_before
                );
                let counted: u64 = preview.summary.limits.values().map(|it| it.held).sum();
                prop_assert_eq!(held as u64, counted);
                Ok(())
            },
        )
        .unwrap();
}

#[test]
fn a_preview_tells_what_the_limits_would_hold_and_whom() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        let ids: Vec<String> = (0..6).map(|n| world.user(&format!("u{n}"))).collect();
        world.group("few", &[&ids[0], &ids[1]]);
        let wanted = json!({"scope": {"required_groups": ["few"], "grace_minutes": 0}});
        let look = |mode: ReconcileMode, most: u32| {
            world.set_limits(move |limits| {
                limits.deactivations = Some(Limit::new(most, 0));
                limits.reconcile = mode;
            });
            let (preview, users) = world.preview_of(&wanted);
            let told = preview.summary.limits[&HoldKind::Deactivation].clone();
            let held: Vec<String> = users
                .iter()
                .filter(|user| !user.held.is_empty())
                .map(|user| user.user_name.clone())
                .collect();
            assert_eq!(told.held as usize, held.len());
            assert!(
                users
                    .iter()
                    .all(|it| it.held.iter().all(|one| one.by == "limit"))
            );
            let operations = preview.summary.operations.get(&Operation::Held).copied();
            assert_eq!(operations.unwrap_or_default() as usize, held.len());
            (told.passes, held, told.allowed)
        };
        let names = |all: &[&str]| all.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            look(ReconcileMode::InOrder, 3),
            (3, names(&["u5"]), Some(3))
        );
        assert_eq!(
            look(ReconcileMode::AllOrNothing, 4),
            (4, names(&[]), Some(4))
        );
        let all = names(&["u2", "u3", "u4", "u5"]);
        assert_eq!(look(ReconcileMode::AllOrNothing, 3), (0, all, Some(3)));
        assert_eq!(
            world.holds(HoldState::Open).len(),
            0,
            "nothing of it was noted"
        );
    });
}

#[test]
fn shares_are_of_what_there_was_before_everybody_is_evaluated() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        let ids: Vec<String> = (0..20).map(|n| world.user(&format!("u{n:02}"))).collect();
        let all: Vec<&str> = ids.iter().map(String::as_str).collect();
        for name in ["Old one", "Old two", "Old three"] {
            world.group(name, &all);
        }
        world.set_limits(|limits| {
            limits.group_memberships = None;
            limits.memberships = Some(Limit::new(15, 30));
        });
        // Each loses three groups and gets three others.
        let wanted = json!({"groups": {"names": {"rules": [
            {"steps": [{"replace": {"find": "Old", "with": "New"}}]}]}}});
        let (preview, _) = world.preview_of(&wanted);
        let told = &preview.summary.limits[&HoldKind::MembershipRemoval];
        assert_eq!((told.passes, told.held, told.allowed), (18, 42, Some(18)));
        let groups = wanted["groups"].clone();
        world.set_rules(move |rules| {
            rules.groups = serde_json::from_value(groups.clone()).unwrap();
        });
        world.work_off();
        assert_eq!(world.holds(HoldState::Open).len() as u64, told.held);
    });
}

#[test]
fn shares_of_a_group_are_of_what_it_had_before_everybody_is_evaluated() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        let ids: Vec<String> = (0..40).map(|n| world.user(&format!("u{n:02}"))).collect();
        let all: Vec<&str> = ids.iter().map(String::as_str).collect();
        world.group("Next", &all[..20]);
        world.group("Team", &all[20..]);
        world.wait(SignedDuration::from_hours(2));
        world.set_limits(|limits| {
            limits.group_memberships = Some(Limit::new(2, 25));
            limits.memberships = None;
        });
        // Those who come are looked at before those who leave.
        let wanted = json!({"groups": {"names": {"mode": "chain", "rules": [
            {"steps": [{"replace": {"find": "Team", "with": "Left"}}]},
            {"steps": [{"replace": {"find": "Next", "with": "Team"}}]}]}}});
        let (preview, users) = world.preview_of(&wanted);
        let mut foreseen: Vec<&str> = users
            .iter()
            .filter(|user| !user.held.is_empty())
            .map(|user| user.user_name.as_str())
            .collect();
        foreseen.sort_unstable();
        let of_team = foreseen.iter().filter(|it| **it >= "u20").count();
        assert_eq!(of_team, 15, "a quarter of twenty goes");
        world.apply(&preview, true).unwrap();
        world.work_off();
        let held = world.holds(HoldState::Open);
        let mut held: Vec<&str> = held.iter().map(|hold| hold.user_name.as_str()).collect();
        held.sort_unstable();
        assert_eq!(held, foreseen);
    });
}

#[test]
fn names_that_are_left_go_to_those_who_wait_for_them() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        let nick = |name: &str, nick: &str| {
            world
                .try_user(json!({"userName": name, "nickName": nick}))
                .unwrap()
        };
        nick("a", "b");
        nick("b", "c");
        nick("d", "e");
        nick("e", "d");
        nick("f", "c");
        let written =
            json!({"mapping": [{"target": "username", "source": {"attribute": "nickName"}}]});
        let (preview, users) = world.preview_of(&written);
        let told: Vec<String> = users
            .iter()
            .map(|user| {
                let taken = user.taken_name.as_deref().unwrap_or("-");
                format!("{}: {} {taken}", user.user_name, user.name())
            })
            .collect();
        assert_eq!(told, ["b: c -", "d: e -", "e: d -", "a: b -", "f: f c"]);
        assert_eq!(preview.summary.operations[&Operation::Rename], 4);
        assert_eq!(preview.summary.operations[&Operation::Conflict], 1);
        assert_eq!(preview.summary.problems, 1);
        let refused = world.apply(&preview, false).unwrap_err();
        assert!(matches!(refused, ProvisionError::Conflict(_)), "{refused}");
        let ProvisionError::Rules(listed) = world.save(&written, false).unwrap_err() else {
            panic!("the users are listed");
        };
        assert_eq!(listed.len(), 1);
        assert_eq!(listed[0].path, "mapping[0]");
        let told = &listed[0].message;
        let whose = "'f' would have the user name 'c', which `b` (1:";
        assert!(told.starts_with(whose), "{told}");
        assert!(told.ends_with(") of connector `idp` has"), "{told}");
        world.apply(&preview, true).unwrap();
        world.work_off();
        let names: Vec<String> = world.seen().into_iter().map(|it| it.name).collect();
        assert_eq!(names, ["b", "c", "d", "e", "f"]);
        let same = json!({"mapping": written["mapping"], "groups": {"create_empty": false}});
        world.save(&same, false).unwrap();
    });
}

#[test]
fn a_preview_of_other_data_is_not_applied() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        let ann = world.user("ann");
        let staff = world.group("staff", &[&ann]);
        let written = json!({"groups": {"never_assign": ["staff"]}});
        let moves: [&dyn Fn(); 4] = [
            &|| drop(world.user("ben")),
            &|| world.remove(&staff, &ann),
            &|| world.rename_group(&staff, "crew"),
            &|| {
                world
                    .save(&json!({"groups": {"always_assign": ["x"]}}), false)
                    .unwrap();
                world.work_off();
            },
        ];
        for moved in moves {
            let (preview, _) = world.preview_of(&written);
            assert!(preview.can_be_applied());
            moved();
            let refused = world.apply(&preview, false).unwrap_err();
            assert!(matches!(refused, ProvisionError::Conflict(_)), "{refused}");
        }
        world.save(&json!({}), false).unwrap();
        let (preview, _) = world.preview_of(&written);
        assert_eq!(preview.summary.due, 2);
        assert!(!preview.can_be_applied(), "while users are due");
    });
}

#[test]
fn a_preview_can_be_confined_searched_and_is_forgotten_in_the_end() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        let people: Vec<String> = ["Ann", "Ben", "Joanna"]
            .map(|name| world.user(name))
            .to_vec();
        world.group("few", &[&people[0], &people[1]]);
        let written = json!({"groups": {"always_assign": ["everybody"]},
            "mapping": [{"target": "username", "steps": ["lower"]}]});
        let confined = |user: Option<&str>, group: Option<&str>| {
            let confined = Confined {
                user: user.map(str::to_owned),
                group: group.map(str::to_owned),
            };
            world.preview(PreviewWish {
                rules: Some(rules(&written)),
                confined,
                ..PreviewWish::default()
            })
        };
        let (one, users) = confined(Some("ben"), None);
        assert_eq!((users.len(), one.summary.users), (1, 1));
        assert!(!one.can_be_applied());
        assert_eq!(confined(None, Some("FEW")).1.len(), 2);
        let (preview, users) = world.preview_of(&written);
        assert_eq!((users.len(), preview.stored.looked_at), (3, 3));
        let groups = &users[0].after.as_ref().unwrap().groups;
        assert_eq!(groups, &["everybody", "few"]);
        let count = |name: Option<&str>, operation: Option<Operation>| {
            let search = PreviewSearch {
                after: 0,
                name: name.map(str::to_owned),
                operation,
            };
            let store = world.provision.store();
            store
                .read_blocking(|tx| {
                    world
                        .provision
                        .previewed_users(tx, &preview.stored, &search, 10)
                })
                .unwrap()
                .len()
        };
        assert_eq!(count(Some("ANN"), None), 2);
        assert_eq!(count(Some("%"), None), 0);
        assert_eq!(count(None, Some(Operation::Rename)), 3);
        assert_eq!(count(Some("ben"), Some(Operation::Create)), 0);
        for _ in 0..6 {
            world.preview(PreviewWish::default());
        }
        let id = world.connector.connector.id;
        let kept = world
            .provision
            .store()
            .read_blocking(|tx| world.provision.previews(tx, id))
            .unwrap();
        assert!(kept.len() <= 6, "{}", kept.len());
        assert!(kept.iter().all(|it| it.stored.pk != preview.stored.pk));
    });
}

#[test]
fn every_change_of_rules_is_a_version_and_one_step_leads_back() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        let id = world.connector.connector.id;
        let versions = || {
            let store = world.provision.store();
            let found = store
                .read_blocking(|tx| tx.rules_versions(id, None, 10))
                .unwrap();
            let told: Vec<String> = found
                .iter()
                .map(|it| format!("{} {} {}", it.number, it.author, it.comment))
                .collect();
            told
        };
        assert_eq!(versions(), ["1 admin made with the connector"]);
        world.set_rules(|rules| rules.groups.always_assign = vec!["a".into()]);
        world
            .save(&json!({"groups": {"always_assign": ["b"]}}), false)
            .unwrap();
        world
            .save(&json!({"groups": {"always_assign": ["b"]}}), false)
            .unwrap();
        let back = world
            .provision
            .roll_back_rules(id, 2, RulesChange::default(), "ann");
        world.run(back).unwrap();
        assert_eq!(
            versions(),
            [
                "4 ann back to version 2",
                "3 admin ",
                "2 admin ",
                "1 admin made with the connector"
            ]
        );
        world.user("zoe");
        assert_eq!(world.groups("zoe"), ["a"]);
        let back = world
            .provision
            .roll_back_rules(id, 9, RulesChange::default(), "ann");
        assert!(matches!(
            world.run(back),
            Err(ProvisionError::NotFound { .. })
        ));
    });
}

#[test]
fn rules_that_fail_a_test_are_not_saved() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        let id = world.connector.connector.id;
        let tests = json!([{"name": "admins stay out", "user": {"userName": "ann"}, "groups": ["Admins"],
            "expect": {"not_in_groups": ["admins"]}}]);
        let tests = serde_json::from_value(tests).unwrap();
        world
            .run(world.provision.set_rule_tests(id, tests))
            .unwrap();
        let fine = json!({"groups": {"never_assign": ["admins"]}});
        world.save(&fine, false).unwrap();
        let bad = json!({"groups": {"never_assign": ["guests"]}});
        let ProvisionError::Rules(failed) = world.save(&bad, false).unwrap_err() else {
            panic!("the test is named");
        };
        assert_eq!(failed[0].path, "tests[admins stay out]");
        let change = world
            .provision
            .change_connector(id, "admin", move |connector| {
                connector.rules = rules(&bad);
                Ok(())
            });
        assert!(world.run(change).is_err(), "by no way");
        let bad = json!({"groups": {"never_assign": ["guests"]}});
        world.save(&bad, true).unwrap();
        let run = world.run(world.provision.run_rule_tests(id, None, Some(rules(&fine))));
        assert!(run.unwrap().results[0].passed());
    });
}

#[test]
fn what_is_in_the_shadow_has_no_effect_and_a_preview_tells_which_it_would_have() {
    on_each_database(|database| {
        let written = json!({
            "mapping": [
                {"target": "display_name", "source": {"constant": "One"}},
                {"target": "display_name", "source": {"constant": "Two"}, "state": "shadow"},
                {"target": "email", "source": {"constant": "off@x.example"}, "state": "off"},
            ],
            "groups": {"names": {"rules": [{"steps": [{"prefix": {"text": "x-"}}], "state": "shadow"}]}},
        });
        let world = World::new(database, rules(&written));
        let ann = world.user("ann");
        world.group("staff", &[&ann]);
        let account = world.account("ann").unwrap();
        assert_eq!(
            (account.display_name.as_str(), account.email.as_str()),
            ("One", "")
        );
        assert_eq!(world.groups("ann"), ["staff"]);
        let (now, _) = world.preview(PreviewWish::default());
        assert_eq!(now.summary.changed, 0);
        let wish = PreviewWish {
            with_shadows: true,
            ..PreviewWish::default()
        };
        let (preview, users) = world.preview(wish);
        let after = users[0].after.as_ref().unwrap();
        assert_eq!(after.attributes.display_name, "Two");
        assert_eq!(after.groups, ["x-staff"]);
        world.apply(&preview, false).unwrap();
        world.work_off();
        assert_eq!(world.account("ann").unwrap().display_name, "Two");
        assert_eq!(world.groups("ann"), ["x-staff"]);
    });
}

/// What a transaction sees of a connector that it changed itself is worth nothing once it is rolled back: nobody may be
/// served those rules, whatever is stored afterwards.
#[test]
fn rules_that_were_rolled_back_serve_nobody() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        let id = world.connector.connector.id;
        let (provision, store) = (world.provision.clone(), world.provision.store());
        let rolled_back = store.write(store::Scope::Settings, move |tx| {
            let mut connector = tx.connector(id)?.unwrap().connector;
            connector.rules.groups.always_assign = vec!["never-was".into()];
            tx.update_connector(&connector)?;
            let seen = provision.load_connector(tx, id)?.unwrap();
            assert_eq!(seen.connector.rules.groups.always_assign, ["never-was"]);
            Err::<(), _>(ProvisionError::not_found("end", "of the story"))
        });
        assert!(world.run(rolled_back).is_err());
        world.set_rules(|rules| rules.groups.always_assign = vec!["everybody".into()]);
        world.user("ada");
        assert_eq!(world.groups("ada"), ["everybody"]);
    });
}
