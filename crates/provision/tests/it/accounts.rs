//! Names that wait or are kept, people who come back by name, and those who stay disabled for a time.

use directory::{GivenUp, HoldState, Reason, Rules, Status};
use emulate::databases::on_each_database;
use jiff::{SignedDuration, Timestamp};
use provision::{
    Decided, LocalUserDraft, LocalWriteError, ProvisionError, ReservedName, StickyDone, StickyWish,
    Writer,
};
use serde_json::{Value, json};
use store::{HoldChoice, HoldQuery, NameConflict};

use crate::world::World;

fn rules(written: Value) -> Rules {
    serde_json::from_value(written).unwrap()
}

fn days(count: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * count)
}

impl World {
    fn rename(&self, id: &str, name: &str) {
        self.patch_user(
            id,
            json!([{"op": "replace", "path": "userName", "value": name}]),
        );
    }

    fn with_id(&self, name: &str, external_id: &str) -> String {
        self.try_user(json!({"userName": name, "externalId": external_id}))
            .unwrap()
    }

    fn standing(&self, name: &str) -> Option<(Status, Reason)> {
        self.account(name).map(|it| (it.status, it.reason))
    }

    fn open_holds(&self) -> Vec<String> {
        let query = HoldQuery {
            state: Some(HoldState::Open),
            limit: 100,
            ..HoldQuery::default()
        };
        let store = self.provision.store();
        let holds = store.read_blocking(move |tx| tx.holds(&query)).unwrap();
        holds.into_iter().map(|it| it.user_name).collect()
    }

    fn in_conflict(&self) -> Vec<NameConflict> {
        let id = self.connector.connector.id;
        let store = self.provision.store();
        store
            .read_blocking(move |tx| tx.name_conflicts(id, 0, 100))
            .unwrap()
    }

    fn reserved(&self) -> Vec<ReservedName> {
        let directory = self.connector.connector.directory;
        self.provision
            .store()
            .read_blocking(|tx| self.provision.reserved_names(tx, directory, "", 100))
            .unwrap()
    }

    fn release(&self, name: &str) -> Result<(), ProvisionError> {
        let directory = self.connector.connector.directory;
        self.run(self.provision.release_name(directory, name, "admin"))
    }

    fn why_text(&self, id: &str) -> String {
        let (provision, connector) = (self.provision.clone(), self.connector.connector.id);
        let why = self
            .provision
            .store()
            .read_blocking(|tx| provision.why_of_source(tx, connector, id, None))
            .unwrap()
            .unwrap();
        let lines = why.outcome.lines().into_iter().map(|line| line.text);
        let lines: Vec<String> = lines.chain(why.conditions).collect();
        lines.join("\n")
    }

    fn disable_all(&self, wishes: &[(&str, Option<Timestamp>)]) -> StickyDone {
        let directory = self.connector.connector.directory;
        let wishes = wishes.iter().map(|(user, until)| StickyWish {
            user: (*user).to_owned(),
            until: *until,
        });
        let done = self
            .provision
            .disable_users(directory, wishes.collect(), "admin");
        self.run(done).unwrap()
    }

    fn sticky(&self) -> Vec<(String, Reason, Option<Timestamp>)> {
        let directory = self.connector.connector.directory;
        let store = self.provision.store();
        let found = store
            .read_blocking(move |tx| tx.sticky_users(directory, None, directory::UserPk(0), 100))
            .unwrap();
        found
            .into_iter()
            .map(|it| (it.name, it.reason, it.until))
            .collect()
    }

    fn now(&self) -> Timestamp {
        self.provision.store().now()
    }
}

#[test]
fn a_new_name_waits_for_an_administrator_and_everything_else_follows() {
    on_each_database(|database| {
        let world = World::new(database, rules(json!({"accounts": {"rename": "hold"}})));
        world.set_limits(|limits| limits.enabled = false);
        let ann = world.user("ann");
        world.rename(&ann, "ANN");
        assert_eq!(world.account("ann").unwrap().name, "ANN", "the same name");
        world.patch_user(
            &ann,
            json!([
                {"op": "replace", "path": "userName", "value": "anna"},
                {"op": "add", "path": "displayName", "value": "Anna"},
            ]),
        );
        assert_eq!(world.account("ann").unwrap().display_name, "Anna");
        assert_eq!(world.open_holds(), ["ANN"]);
        let why = world.why_text(&ann);
        assert!(why.contains("the rule `accounts.rename`"), "{why}");

        // What was decided stands as long as the identity provider says the same.
        let id = world.connector.connector.id;
        let all = HoldChoice::default;
        world
            .run(world.provision.reject_holds(id, all(), "admin"))
            .unwrap();
        world.patch_user(&ann, json!([{"op": "add", "path": "title", "value": "x"}]));
        assert!(world.account("ann").is_some() && world.open_holds().is_empty());
        world.rename(&ann, "annie");
        assert_eq!(world.open_holds(), ["ANN"]);
        world
            .run(world.provision.approve_holds(id, all(), "admin"))
            .unwrap();
        assert!(world.account("annie").is_some() && world.account("ann").is_none());

        // Everybody together is no way around it.
        world.set_limits(|limits| limits.reconcile = directory::ReconcileMode::AllOrNothing);
        world.set_rules(|rules| {
            let row = json!({"target": "username", "steps": [{"prefix": {"text": "x-"}}]});
            rules.mapping = vec![serde_json::from_value(row).unwrap()];
        });
        world.work_off();
        assert_eq!(world.open_holds(), ["annie"]);
        assert!(world.account("annie").is_some());

        // Who was hidden gets the name back: nobody asks for that.
        world.set_rules(|rules| {
            rules.mapping = Vec::new();
            rules.cleanup.idp_inactive = directory::rules::CleanupAction::Anonymise;
        });
        world.work_off();
        assert!(world.open_holds().is_empty(), "taken back");
        world.set_active(&ann, false);
        assert!(world.account("annie").is_none());
        world.set_active(&ann, true);
        assert_eq!(
            world.standing("annie"),
            Some((Status::Active, Reason::IdpActive))
        );
    });
}

#[test]
fn a_name_that_was_given_up_is_kept_for_a_time() {
    on_each_database(|database| {
        let kept =
            json!({"accounts": {"names_reserved_days": 30}, "cleanup": {"idp_deleted": "delete"}});
        let world = World::new(database, rules(kept));
        let (ann, ben) = (world.user("ann"), world.user("ben"));
        world.rename(&ann, "anna");
        // Whoever had it gets it back at once.
        world.rename(&ann, "ann");
        assert!(world.account("ann").is_some());
        world.rename(&ann, "anna");
        world.delete_user(&ben);
        let reserved = world.reserved();
        let told: Vec<(&str, GivenUp)> = reserved
            .iter()
            .map(|it| (it.former.name.as_str(), it.former.former.manner))
            .collect();
        assert_eq!(told, [("ann", GivenUp::Renamed), ("ben", GivenUp::Removed)]);
        assert_eq!(reserved[0].former.now, "anna");

        // Others do not get it: neither newcomers, nor those who are renamed, nor whom products make.
        let second = world.with_id("ann", "x-other");
        let eve = world.user("eve");
        world.rename(&eve, "ben");
        assert!(world.account("ann").is_none() && world.account("ben").is_none());
        assert!(world.account("eve").is_some(), "keeps the name it has");
        let conflicts = world.in_conflict();
        assert_eq!(conflicts.len(), 2);
        assert!(
            conflicts
                .iter()
                .all(|it| it.holder.is_none() && it.former.is_some())
        );
        let why = world.why_text(&second);
        assert!(why.contains("is given to nobody before"), "{why}");
        assert!(why.contains("it is kept for whoever had it until"), "{why}");
        let directory = world.connector.connector.directory;
        world
            .run(world.provision.allow_local_users(directory, true))
            .unwrap();
        let writer = Writer {
            directory,
            application: "jira".into(),
            request: String::new(),
        };
        let draft = LocalUserDraft {
            name: "Ann".into(),
            ..LocalUserDraft::default()
        };
        let local = world
            .provision
            .create_local_user(&writer, draft, Vec::new(), None);
        let refused = world.run(local).unwrap_err();
        assert!(
            matches!(refused, LocalWriteError::NameReserved { .. }),
            "{refused}"
        );

        // An administrator lets it go; else time does.
        assert!(world.release("nobody").is_err());
        world.release("ANN").unwrap();
        world.work_off();
        assert!(world.account("ann").is_some(), "the newcomer's");
        world.wait(days(30) - SignedDuration::from_mins(1));
        world.work_off();
        assert!(world.account("ben").is_none());
        world.wait(SignedDuration::from_mins(2));
        world.work_off();
        assert!(world.account("ben").is_some() && world.account("eve").is_none());
        let left: Vec<String> = world
            .reserved()
            .into_iter()
            .map(|it| it.former.name)
            .collect();
        assert_eq!(left, ["eve"], "of those that somebody has, nothing is told");
        assert!(world.in_conflict().is_empty());
    });
}

#[test]
fn stored_rules_keep_no_names_and_new_ones_do() {
    let stored = rules(json!({"accounts": {"create": true}}));
    assert_eq!(stored.accounts.names_reserved_days, 0);
    let new: directory::rules::WrittenRules =
        serde_json::from_value(json!({"accounts": {"enable": false}})).unwrap();
    let new = new.read().unwrap();
    assert_eq!(new.accounts.names_reserved_days, 30);
    assert!(!new.accounts.enable);
    on_each_database(|database| {
        let world = World::new(
            database,
            rules(json!({"cleanup": {"idp_deleted": "delete"}})),
        );
        let ann = world.user("ann");
        let key = world.account("ann").unwrap().key;
        world.delete_user(&ann);
        assert!(world.reserved().is_empty());
        world.with_id("ann", "x-other");
        assert_ne!(world.account("ann").unwrap().key, key);
    });
}

#[test]
fn who_is_made_anew_by_name_is_the_same_person_if_the_rules_say_so() {
    for (action, hidden) in [("delete", true), ("anonymise", true), ("disable", false)] {
        on_each_database(|database| {
            let world = World::new(
                database,
                rules(json!({
                    "accounts": {"names_reserved_days": 30},
                    "identity": {"on_deleted": "link"},
                    "cleanup": {"idp_deleted": action, "strip_groups": true},
                })),
            );
            let ann = world.user("ann");
            world.group("dev", &[&ann]);
            let before = world.account("ann").unwrap();
            world.delete_user(&ann);
            assert_eq!(world.account("ann").is_none(), hidden, "{action}");

            let again = world.with_id("ann", "x-new");
            let after = world.account("ann").unwrap();
            assert_eq!((after.pk, &after.key), (before.pk, &before.key), "{action}");
            assert_eq!(after.external_id.as_deref(), Some("x-new"));
            assert_eq!(after.status, Status::Active);
            assert_eq!(world.groups("ann"), ["dev"], "{action}");
            let entry = world.entries("link_user");
            assert_eq!(entry, 1, "the journal tells that both were taken for one");
            assert!(world.in_conflict().is_empty());

            // The first ids are nobody's any more.
            world.delete_user(&again);
            world.with_id("other", "x-ann");
            assert_ne!(world.account("other").unwrap().pk, before.pk);
        });
    }
}

#[test]
fn whom_only_the_name_tells_gets_the_account_back_and_nothing_that_it_was_in() {
    for action in ["disable", "anonymise", "delete"] {
        for (first, second) in [(None, None), (Some("x"), None), (None, Some("y"))] {
            on_each_database(|database| {
                let world = World::new(
                    database,
                    rules(json!({
                        "accounts": {"names_reserved_days": 30},
                        "cleanup": {"idp_deleted": action, "strip_groups": action == "anonymise"},
                    })),
                );
                let make = |id: Option<&str>| {
                    let mut ann = json!({"userName": "ann"});
                    if let Some(id) = id {
                        ann["externalId"] = json!(id);
                    }
                    world.try_user(ann).unwrap()
                };
                let ann = make(first);
                world.group("secret", &[&ann]);
                let before = world.account("ann").unwrap();
                world.delete_user(&ann);

                let again = make(second);
                world.work_off();
                let after = world.account("ann").unwrap();
                let case = format!("{action}: {first:?}, then {second:?}");
                assert_eq!(after.key, before.key, "{case}");
                assert_eq!(after.status, Status::Active, "{case}");
                assert!(world.groups("ann").is_empty(), "{case}");
                assert_eq!(world.entries("link_user"), 1, "the journal tells: {case}");
                assert!(world.in_conflict().is_empty(), "{case}");

                world.group("dev", &[&again]);
                assert_eq!(world.groups("ann"), ["dev"], "{case}");
            });
        }
    }
}

#[test]
fn who_is_made_anew_by_name_is_somebody_else_until_somebody_decides() {
    on_each_database(|database| {
        let world = World::new(
            database,
            rules(json!({
                "accounts": {"names_reserved_days": 30}, "cleanup": {"idp_deleted": "delete"},
            })),
        );
        let (ann, ben) = (world.user("ann"), world.user("ben"));
        let keys = [world.account("ann"), world.account("ben")].map(|it| it.unwrap().key);
        world.delete_user(&ann);
        world.delete_user(&ben);
        let (ann, ben) = (world.with_id("ann", "y-1"), world.with_id("ben", "y-2"));
        assert!(world.account("ann").is_none() && world.account("ben").is_none());
        let why = world.why_text(&ann);
        assert!(why.contains("was that of a user with other ids"), "{why}");
        let id = world.connector.connector.id;
        let decide = |user: &str, decided| {
            world.run(world.provision.decide_standoff(id, user, decided, "admin"))
        };
        decide(&ann, Decided::Link).unwrap();
        assert_eq!(world.account("ann").unwrap().key, keys[0]);
        decide(&ben, Decided::Keep).unwrap();
        assert!(
            world.account("ben").is_none(),
            "the name is kept all the same"
        );
        world.wait(days(31));
        world.work_off();
        assert_ne!(world.account("ben").unwrap().key, keys[1]);
    });
}

#[test]
fn a_list_of_people_stays_disabled_each_until_its_time() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        for name in ["ann", "ben", "eve"] {
            world.user(name);
        }
        let until = world.now() + days(7);
        let wishes = [
            ("ann", Some(until)),
            ("BEN", None),
            ("nobody", None),
            ("eve", Some(world.now() - days(1))),
        ];
        let done = world.disable_all(&wishes);
        assert_eq!((done.changed, done.unchanged), (2, 0));
        let refused: Vec<&str> = done.refused.iter().map(|(user, _)| user.as_str()).collect();
        assert_eq!(refused, ["nobody", "eve"]);
        assert_eq!(world.disable_all(&wishes[..2]).unchanged, 2);
        assert_eq!(
            world.sticky(),
            [
                ("ann".into(), Reason::Manual, Some(until)),
                ("ben".into(), Reason::Manual, None)
            ]
        );

        world.wait(days(7));
        world.work_off();
        assert_eq!(
            world.standing("ann"),
            Some((Status::Active, Reason::IdpActive))
        );
        assert_eq!(
            world.standing("ben"),
            Some((Status::Disabled, Reason::Manual))
        );

        let directory = world.connector.connector.directory;
        let clear = |reason| {
            let cleared = world.provision.enable_users(directory, reason, "admin");
            world.run(cleared).unwrap()
        };
        assert_eq!(clear(Some(Reason::InactivityRule)), 0);
        assert_eq!(clear(None), 1);
        assert_eq!(
            world.standing("ben"),
            Some((Status::Active, Reason::IdpActive))
        );
        assert!(world.sticky().is_empty());
    });
}

#[test]
fn the_inactive_stick_for_as_long_as_the_rules_say() {
    on_each_database(|database| {
        let world = World::new(
            database,
            rules(json!({"inactivity": {
                "days": 90, "include_never_logged_in": true, "sticky_days": 30,
            }})),
        );
        let ann = world.user("ann");
        world.wait(days(90));
        world.work_off();
        assert_eq!(world.sticky().len(), 1);
        world.set_active(&ann, false);
        world.set_active(&ann, true);
        assert_eq!(world.standing("ann").unwrap().1, Reason::InactivityRule);
        world.wait(days(31));
        world.work_off();
        assert_eq!(
            world.standing("ann"),
            Some((Status::Active, Reason::IdpActive))
        );
        world.wait(days(89));
        world.work_off();
        assert_eq!(world.standing("ann").unwrap().0, Status::Active);
        world.wait(days(2));
        world.work_off();
        assert_eq!(world.standing("ann").unwrap().1, Reason::InactivityRule);
    });
}

impl World {
    /// How many entries of the journal tell of a kind of change.
    fn entries(&self, kind: &str) -> usize {
        let directory = self.connector.connector.directory;
        let query = store::JournalQuery {
            limit: 1000,
            ..store::JournalQuery::default()
        };
        let store = self.provision.store();
        let found = store.read_blocking(move |tx| tx.journal(directory, &query));
        let found = found.unwrap();
        found.iter().filter(|it| it.change.kind() == kind).count()
    }
}
