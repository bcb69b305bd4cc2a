//! Directories that several connectors share: one person is one account, and each says what counts of it (BY-15).

use std::collections::BTreeMap;
use std::sync::Arc;

use directory::rules::{MappingRow, OnNull, Target};
use directory::{ConnectorId, Fate, HoldKind, Limit, Precedence, ReconcileMode, Rules, UserPk};
use emulate::databases::{TestDatabase, on_each_database};
use jiff::SignedDuration;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use provision::{
    LoadedConnector, MatchBy, PrecedencePreview, PreviewWish, ProvisionError, TransferWish,
};
use serde_json::{Value, json};

use crate::world::World;

/// Two connectors into one directory.
pub struct Two {
    pub world: World,
    okta: Arc<LoadedConnector>,
    hr: Arc<LoadedConnector>,
}

impl Two {
    pub fn new(database: &TestDatabase) -> Self {
        let world = World::new(database, Rules::default());
        let hr = world.another("hr", Some("idp"));
        Self {
            okta: Arc::clone(&world.connector),
            hr,
            world,
        }
    }

    /// The same world with one of both as the one that writes.
    fn by(&mut self, connector: &Arc<LoadedConnector>) -> &World {
        self.world.connector = self.world.loaded(connector.connector.id);
        &self.world
    }

    pub fn okta(&mut self) -> &World {
        let okta = Arc::clone(&self.okta);
        self.by(&okta)
    }

    pub fn hr(&mut self) -> &World {
        let hr = Arc::clone(&self.hr);
        self.by(&hr)
    }

    pub fn ids(&self) -> (ConnectorId, ConnectorId) {
        (self.okta.connector.id, self.hr.connector.id)
    }

    pub fn share(&self, precedence: Option<Precedence>) {
        let world = &self.world;
        let set = world
            .provision
            .set_precedence(world.directory(), precedence, "admin");
        assert_eq!(world.run(set).unwrap().len(), 2, "a job of each connector");
        world.work_off();
    }

    fn look_at(&self, precedence: &Precedence) -> PrecedencePreview {
        let (provision, tried) = (self.world.provision.clone(), precedence.clone());
        let directory = self.world.directory();
        let store = self.world.provision.store();
        store
            .read_blocking(move |tx| {
                provision.preview_precedence(tx, directory, &tried, UserPk(0), 10)
            })
            .unwrap()
    }

    fn reconcile(&self) {
        let (okta, hr) = self.ids();
        for id in [okta, hr] {
            self.world
                .job(self.world.run(self.world.provision.reconcile(id, "admin")));
        }
    }

    /// Address, full name, groups and owner of an account.
    fn seen(&self, name: &str) -> (String, String, Vec<String>, Option<ConnectorId>) {
        let user = self.world.account(name).unwrap();
        let groups = self.world.groups(name);
        (user.email, user.display_name, groups, user.connector)
    }
}

pub fn person(name: &str, mail: &str, full: &str) -> Value {
    json!({"userName": name, "displayName": full, "emails": [{"value": mail, "primary": true}]})
}

pub fn mail_by(first: ConnectorId, others: &[ConnectorId]) -> Precedence {
    Precedence {
        order: others.to_vec(),
        targets: BTreeMap::from([(Target::Email, vec![first])]),
    }
}

fn told(
    mail: &str,
    name: &str,
    groups: &[&str],
    owner: ConnectorId,
) -> (String, String, Vec<String>, Option<ConnectorId>) {
    let groups = groups.iter().map(|it| (*it).to_owned()).collect();
    (mail.to_owned(), name.to_owned(), groups, Some(owner))
}

#[test]
fn one_person_is_one_account_of_which_each_says_what_counts() {
    on_each_database(|database| {
        let mut two = Two::new(database);
        let (okta, hr) = two.ids();
        two.share(Some(mail_by(hr, &[okta])));
        let ann = two
            .okta()
            .try_user(person("ann", "a@okta", "Ann O"))
            .unwrap();
        let dev = two.okta().group("dev", &[&ann]);
        let key = two.world.account("ann").unwrap().key;
        let anns = two.hr().try_user(person("Ann", "a@hr", "Ann H")).unwrap();
        let staff = two.hr().group("staff", &[&anns]);
        assert_eq!(
            two.seen("ann"),
            told("a@hr", "Ann O", &["dev", "staff"], okta)
        );

        // It can be told, and nothing is left to do.
        let pk = two.world.account("ann").unwrap().pk;
        let store = two.world.provision.store();
        let provision = two.world.provision.clone();
        let lines: Vec<String> = store
            .read_blocking(move |tx| {
                let why = provision.why(tx, pk, None)?.unwrap();
                Ok::<_, ProvisionError>(why.outcome.lines().into_iter().map(|it| it.text).collect())
            })
            .unwrap();
        for text in [
            "connector `hr` knows the same person",
            "`email` is what connector `hr` says, by the directory's precedence",
            "`staff` is given by connector `hr`",
        ] {
            assert!(
                lines.iter().any(|it| it.starts_with(text)),
                "{text}: {lines:?}"
            );
        }
        let position = two.world.position();
        two.reconcile();
        assert_eq!(two.world.position(), position);

        // Who has nothing to say leaves it to the next; who is inactive says nothing.
        two.hr()
            .patch_user(&anns, json!([{"op": "remove", "path": "emails"}]));
        assert_eq!(two.seen("ann").0, "a@okta");
        two.hr().patch_user(
            &anns,
            json!([{"op": "add", "path": "emails", "value": [{"value": "b@hr"}]}]),
        );
        two.hr().set_active(&anns, false);
        assert_eq!(two.seen("ann"), told("a@okta", "Ann O", &["dev"], okta));
        two.hr().set_active(&anns, true);
        assert_eq!(
            two.seen("ann"),
            told("b@hr", "Ann O", &["dev", "staff"], okta)
        );
        two.hr().remove(&staff, &anns);
        assert_eq!(two.seen("ann").2, ["dev"]);
        two.hr().add(&staff, &anns);
        two.okta().remove(&dev, &ann);
        assert_eq!(two.seen("ann").2, ["staff"]);
        two.okta().add(&dev, &ann);

        // While one is paused, what it writes has no effect, also not by the other's.
        let paused = directory::ConnectorState::Paused;
        let pause = |world: &World, state| {
            let id = world.connector.connector.id;
            let change = world.provision.change_connector(id, "admin", move |it| {
                it.state = state;
                Ok(())
            });
            world.run(change).unwrap();
        };
        pause(two.hr(), paused);
        two.hr().patch_user(
            &anns,
            json!([{"op": "replace", "path": "emails", "value": [{"value": "c@hr"}]}]),
        );
        two.okta().patch_user(
            &ann,
            json!([{"op": "replace", "value": {"displayName": "Ann P"}}]),
        );
        assert_eq!(
            two.seen("ann"),
            told("b@hr", "Ann P", &["dev", "staff"], okta)
        );
        pause(two.hr(), directory::ConnectorState::Active);
        two.world.work_off();
        assert_eq!(two.seen("ann").0, "c@hr");

        // The connector of the account says whether it is active.
        two.okta().set_active(&ann, false);
        assert!(!two.world.account("ann").unwrap().active());
        two.okta().set_active(&ann, true);

        // When it has the person no more, the account is the other's: nobody is disabled in between.
        let before = two.world.position();
        two.okta().delete_user(&ann);
        two.world.work_off();
        assert_eq!(two.seen("ann"), told("c@hr", "Ann H", &["staff"], hr));
        assert_eq!(two.world.account("ann").unwrap().key, key);
        let directory = two.world.directory();
        let store = two.world.provision.store();
        let entries = store
            .read_blocking(move |tx| tx.journal_between(directory, (before, i64::MAX), None, 100))
            .unwrap();
        let bounced = ["disable", "reactivate", "remove_user", "create_user"];
        let kinds: Vec<&str> = entries.iter().map(|it| it.change.kind()).collect();
        assert!(kinds.iter().all(|it| !bounced.contains(it)), "{kinds:?}");
        assert!(kinds.contains(&"link_user"));

        // It comes back, and speaks of an account that is the other's now.
        let ann = two
            .okta()
            .try_user(person("ann", "a@okta", "Ann O"))
            .unwrap();
        assert_eq!(two.seen("ann"), told("c@hr", "Ann O", &["staff"], hr));
        two.okta().delete_user(&ann);
        two.hr().delete_user(&anns);
        assert!(!two.world.account("ann").unwrap().active());
    });
}

#[test]
fn who_leaves_the_scope_of_a_connector_that_only_gives_has_its_time_of_grace_once() {
    on_each_database(|database| {
        let mut two = Two::new(database);
        let (okta, hr) = two.ids();
        two.share(Some(mail_by(hr, &[okta])));
        two.okta().user("ann");
        let anns = two.hr().user("ann");
        let badge = two.hr().group("badge", &[&anns]);
        two.hr().set_rules(|rules| {
            rules.scope.required_groups = vec!["badge".to_owned()];
            rules.scope.grace_minutes = 60;
        });
        two.world.work_off();
        assert_eq!(two.world.groups("ann"), ["badge"]);
        two.hr().group("staff", &[&anns]);
        two.hr().remove(&badge, &anns);
        for _ in 0..5 {
            two.world.wait(SignedDuration::from_mins(11));
            two.reconcile();
            assert_eq!(two.world.groups("ann"), ["staff"], "it is granted");
        }
        two.world.wait(SignedDuration::from_mins(6));
        two.world.work_off();
        assert_eq!(two.world.groups("ann"), [""; 0], "it is over");
        two.reconcile();
        assert_eq!(two.world.groups("ann"), [""; 0], "and does not begin anew");
        // Back in scope, and out of it again.
        two.hr().add(&badge, &anns);
        assert_eq!(two.world.groups("ann"), ["badge", "staff"]);
        two.hr().remove(&badge, &anns);
        assert_eq!(two.world.groups("ann"), ["staff"]);

        // Who was never in scope is given nothing in the meantime.
        two.okta().user("ben");
        let bens = two.hr().user("ben");
        two.hr().group("others", &[&bens]);
        assert_eq!(two.world.groups("ben"), [""; 0]);
    });
}

#[test]
fn people_who_were_in_conflict_become_one_and_two_again() {
    on_each_database(|database| {
        let mut two = Two::new(database);
        let (okta, hr) = two.ids();
        let ann = two
            .okta()
            .try_user(person("ann", "a@okta", "Ann O"))
            .unwrap();
        two.okta().group("dev", &[&ann]);
        let anns = two.hr().try_user(person("ann", "a@hr", "Ann H")).unwrap();
        two.hr().group("staff", &[&anns]);
        assert_eq!(two.seen("ann"), told("a@okta", "Ann O", &["dev"], okta));
        let waiting = |two: &Two| {
            let store = two.world.provision.store();
            store
                .read_blocking(move |tx| tx.name_conflicts(hr, 0, 100))
                .unwrap()
                .len()
        };
        assert_eq!(waiting(&two), 1);

        // What sharing makes of them is looked at before it begins.
        let first = Precedence {
            order: vec![hr],
            targets: BTreeMap::new(),
        };
        let preview = two.look_at(&first);
        assert_eq!((preview.shared, preview.users.len()), (1, 1));
        let after = preview.users[0].after.clone().unwrap();
        assert_eq!(after.attributes.email, "a@hr");
        let groups = after.memberships.iter().map(|it| it.group.as_str());
        assert_eq!(groups.collect::<Vec<_>>(), ["dev", "staff"]);

        two.share(Some(first));
        assert_eq!(
            two.seen("ann"),
            told("a@hr", "Ann H", &["dev", "staff"], okta)
        );
        assert_eq!(waiting(&two), 0);

        // Another order is looked at before it holds.
        let directory = two.world.directory();
        let other = Precedence {
            order: vec![okta],
            targets: BTreeMap::from([(Target::Groups, vec![okta])]),
        };
        let position = two.world.position();
        let preview = two.look_at(&other);
        assert_eq!((preview.shared, preview.users.len()), (1, 1));
        let kinds: Vec<&str> = preview.users[0]
            .changes
            .iter()
            .map(|it| it.kind())
            .collect();
        assert_eq!(kinds, ["update_user", "remove_membership"]);
        let after = preview.users[0].after.clone().unwrap();
        assert_eq!(after.attributes.email, "a@okta");
        assert_eq!(two.world.position(), position);
        two.share(Some(other));
        assert_eq!(two.seen("ann"), told("a@okta", "Ann O", &["dev"], okta));

        two.share(None);
        assert_eq!(two.seen("ann"), told("a@okta", "Ann O", &["dev"], okta));
        assert_eq!(waiting(&two), 1, "they are in each other's way again");

        let elsewhere = two.world.another("elsewhere", None);
        let wrong = Precedence {
            order: vec![elsewhere.connector.id],
            targets: BTreeMap::new(),
        };
        let refused = two.world.run(two.world.provision.set_precedence(
            directory,
            Some(wrong),
            "a",
        ));
        assert!(
            refused
                .unwrap_err()
                .to_string()
                .contains("does not feed this directory")
        );
    });
}

#[test]
fn a_preview_of_rules_tells_what_becomes_of_accounts_of_others() {
    on_each_database(|database| {
        let mut two = Two::new(database);
        let (okta, hr) = two.ids();
        two.share(Some(mail_by(hr, &[okta])));
        two.okta()
            .try_user(person("ann", "a@okta", "Ann O"))
            .unwrap();
        two.hr().try_user(person("ann", "a@hr", "Ann H")).unwrap();
        let rules: Rules = serde_json::from_value(json!({
            "mapping": [{"target": "email", "source": {"attribute": "userName"}}],
            "groups": {"always_assign": ["everyone"]},
        }))
        .unwrap();
        let wish = PreviewWish {
            rules: Some(rules.clone()),
            ..PreviewWish::default()
        };
        let (preview, users) = two.hr().preview(wish);
        assert_eq!(users.len(), 1, "{users:?}");
        let after = users[0].after.clone().unwrap();
        assert_eq!(
            (after.attributes.email.as_str(), after.groups),
            ("ann", vec!["everyone".to_owned()])
        );
        assert_eq!(preview.summary.changed, 1);
        two.hr()
            .set_rules(move |present| present.clone_from(&rules));
        two.world.work_off();
        assert_eq!(two.seen("ann"), told("ann", "Ann O", &["everyone"], okta));
    });
}

#[test]
fn a_preview_of_rules_tells_what_the_limits_of_another_connector_would_hold() {
    for mode in [ReconcileMode::InOrder, ReconcileMode::AllOrNothing] {
        for most in [3, 4] {
            on_each_database(|database| {
                let mut two = Two::new(database);
                let (okta, hr) = two.ids();
                two.share(Some(mail_by(hr, &[okta])));
                let names = ["ann", "ben", "cid", "dan"];
                for name in names {
                    let person = |at: &str| person(name, &format!("{name}@{at}"), name);
                    two.okta().try_user(person("okta")).unwrap();
                }
                let ids = names.map(|name| {
                    let person = person(name, &format!("{name}@hr"), name);
                    two.hr().try_user(person).unwrap()
                });
                let members: Vec<&str> = ids.iter().map(String::as_str).collect();
                two.hr().group("team", &members);
                two.world.work_off();
                two.okta().set_limits(move |limits| {
                    limits.memberships = Some(Limit::new(most, 0));
                    limits.reconcile = mode;
                });
                let rules: Rules =
                    serde_json::from_value(json!({"groups": {"never_assign": ["team"]}})).unwrap();
                let wish = PreviewWish {
                    rules: Some(rules.clone()),
                    ..PreviewWish::default()
                };
                let (preview, users) = two.hr().preview(wish);
                let foreseen: Vec<&str> = users
                    .iter()
                    .filter(|user| !user.held.is_empty())
                    .map(|user| user.user_name.as_str())
                    .collect();
                let expected: &[&str] = match (mode, most) {
                    (_, 4) => &[],
                    (ReconcileMode::InOrder, _) => &names[3..],
                    (ReconcileMode::AllOrNothing, _) => &names,
                };
                assert_eq!(foreseen, expected);
                let others = &preview.summary.limits_of_others;
                let told = &others["idp"][&HoldKind::MembershipRemoval];
                assert_eq!(told.held as usize, expected.len());
                assert_eq!(preview.summary.limits, BTreeMap::new());

                two.hr()
                    .set_rules(move |present| present.clone_from(&rules));
                two.world.work_off();
                two.world.work_off();
                let kept = names.map(|name| two.world.groups(name).contains(&"team".to_owned()));
                assert_eq!(kept, names.map(|name| expected.contains(&name)), "{mode:?}");
            });
        }
    }
}

#[test]
fn accounts_are_given_on_and_passed_on_when_a_connector_goes() {
    on_each_database(|database| {
        let mut two = Two::new(database);
        let (okta, hr) = two.ids();
        two.share(Some(Precedence {
            order: vec![okta, hr],
            targets: BTreeMap::new(),
        }));
        let ann = two
            .okta()
            .try_user(person("ann", "a@okta", "Ann O"))
            .unwrap();
        two.okta().group("dev", &[&ann]);
        two.okta().user("only-okta");
        let anns = two.hr().try_user(person("ann", "a@hr", "Ann H")).unwrap();
        two.hr().group("staff", &[&anns]);
        two.hr().user("only-hr");

        // By a transfer the account changes hands; the former one goes on speaking of it.
        let wish = TransferWish {
            to: hr.0,
            match_by: MatchBy::ExternalId,
            filter: None,
            keep_memberships: false,
            behind: 0,
        };
        let preview = two
            .world
            .run(two.world.provision.preview_transfer(okta, wish.clone()))
            .unwrap();
        assert_eq!(
            preview.counts[&provision::Fit::Transfer],
            1,
            "it is known who is the same person"
        );
        two.world.job(
            two.world
                .run(two.world.provision.transfer(okta, wish, "admin")),
        );
        assert_eq!(
            two.seen("ann"),
            told("a@okta", "Ann O", &["dev", "staff"], hr)
        );

        let job = two.world.run(
            two.world
                .provision
                .delete_connector(hr, Fate::Remove, "admin"),
        );
        let job = two.world.job(job);
        assert_eq!(job.state.as_str(), "done", "{:?}", job.failure);
        two.world.work_off();
        assert_eq!(two.seen("ann"), told("a@okta", "Ann O", &["dev"], okta));
        assert!(two.world.account("ann").unwrap().active());
        assert!(two.world.account("only-hr").is_none());
        let job = two.world.run(
            two.world
                .provision
                .delete_connector(okta, Fate::Keep, "admin"),
        );
        two.world.job(job);
        assert_eq!(two.world.account("ann").unwrap().connector, None);
    });
}

/// What one of both does with the person.
#[derive(Debug, Clone)]
enum Write {
    Mail(Option<u8>),
    Name(u8),
    Active(bool),
    Join(usize),
    Leave(usize),
}

fn write() -> impl Strategy<Value = Write> {
    prop_oneof![
        prop::option::of(0..3_u8).prop_map(Write::Mail),
        (0..3_u8).prop_map(Write::Name),
        any::<bool>().prop_map(Write::Active),
        (0..2_usize).prop_map(Write::Join),
        (0..2_usize).prop_map(Write::Leave),
    ]
}

fn carry_out(world: &World, user: &str, groups: &[String], write: &Write) {
    let set = |value: Value| world.patch_user(user, json!([{"op": "replace", "value": value}]));
    match write {
        Write::Mail(None) => world.patch_user(user, json!([{"op": "remove", "path": "emails"}])),
        Write::Mail(Some(n)) => set(json!({"emails": [{"value": format!("m{n}@x")}]})),
        Write::Name(n) => set(json!({"displayName": format!("Ann {n}")})),
        Write::Active(active) => set(json!({"active": active})),
        Write::Join(group) => world.add(&groups[*group], user),
        Write::Leave(group) => world.remove(&groups[*group], user),
    }
}

/// An address that nobody has any more goes, whoever had it last.
fn cleared(rules: &mut Rules) {
    rules.mapping = vec![MappingRow {
        on_null: Some(OnNull::Clear),
        ..MappingRow::default_for(Target::Email)
    }];
}

#[test]
fn the_order_in_which_connectors_write_does_not_matter() {
    let writes = prop::collection::vec((any::<bool>(), write()), 1..10);
    let mut runner = TestRunner::new(Config::with_cases(16));
    runner
        .run(&(writes, any::<bool>()), |(writes, groups_by_one)| {
            let after = |sorted: bool| {
                let database = TestDatabase::sqlite()?;
                let mut two = Two::new(&database);
                let (okta, hr) = two.ids();
                let mut precedence = mail_by(hr, &[okta]);
                if groups_by_one {
                    precedence.targets.insert(Target::Groups, vec![hr]);
                }
                two.share(Some(precedence));
                two.okta().set_rules(cleared);
                two.hr().set_rules(cleared);
                let ann = two.okta().user("ann");
                let okta = ["both", "okta"].map(|name| two.okta().group(name, &[]));
                let anns = two.hr().user("ann");
                let hr = ["both", "hr"].map(|name| two.hr().group(name, &[]));
                let mut writes = writes.clone();
                if sorted {
                    writes.sort_by_key(|(by_hr, _)| *by_hr);
                }
                for (by_hr, write) in &writes {
                    match by_hr {
                        false => carry_out(two.okta(), &ann, &okta, write),
                        true => carry_out(two.hr(), &anns, &hr, write),
                    }
                }
                two.world.work_off();
                let seen = (two.seen("ann"), two.world.account("ann").unwrap().active());
                let position = two.world.position();
                two.reconcile();
                prop_assert_eq!(two.world.position(), position, "nothing is left to do");
                Ok(seen)
            };
            prop_assert_eq!(after(false)?, after(true)?);
            Ok(())
        })
        .unwrap();
}
