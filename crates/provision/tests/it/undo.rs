//! The past is found again, what was undone is as it was, and an undo can be undone.

use directory::{
    Account, DirectoryId, JobKind, JobState, Operation, Reason, Rules, Status, UserPk,
};
use emulate::databases::{TestDatabase, on_each_database};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use provision::{
    ProvisionError, UNDONE_AT_ONCE_MAX, UndoReport, UndoSelection, Undone, Writer, undo_report,
};
use serde_json::json;

use crate::world::World;

const USERS: usize = 3;
const GROUPS: usize = 2;

/// What an identity provider does.
#[derive(Debug, Clone)]
enum Write {
    Rename(usize, u8),
    Mail(usize, u8),
    Active(usize, bool),
    Join(usize, usize),
    Leave(usize, usize),
    Delete(usize),
    Create(usize),
}

fn write() -> impl Strategy<Value = Write> {
    prop_oneof![
        (0..USERS, 0..3_u8).prop_map(|(user, to)| Write::Rename(user, to)),
        (0..USERS, 0..3_u8).prop_map(|(user, to)| Write::Mail(user, to)),
        (0..USERS, any::<bool>()).prop_map(|(user, active)| Write::Active(user, active)),
        (0..GROUPS, 0..USERS).prop_map(|(group, user)| Write::Join(group, user)),
        (0..GROUPS, 0..USERS).prop_map(|(group, user)| Write::Leave(group, user)),
        (0..USERS).prop_map(Write::Delete),
        (0..USERS).prop_map(Write::Create),
    ]
}

/// An identity provider with some people, of whom some are there.
struct Idp<'w> {
    world: &'w World,
    users: Vec<Option<String>>,
    groups: Vec<String>,
}

impl<'w> Idp<'w> {
    fn new(world: &'w World) -> Self {
        Self {
            users: (0..USERS)
                .map(|n| Some(world.user(&format!("user{n}"))))
                .collect(),
            groups: (0..GROUPS)
                .map(|n| world.group(&format!("group{n}"), &[]))
                .collect(),
            world,
        }
    }

    fn carry_out(&mut self, write: &Write) {
        let world = self.world;
        let id = |user: usize| self.users[user].clone();
        let set = |user: usize, value: serde_json::Value| {
            if let Some(id) = id(user) {
                world.patch_user(&id, json!([{"op": "replace", "value": value}]));
            }
        };
        match *write {
            Write::Rename(user, to) => set(user, json!({"userName": format!("user{user}-{to}")})),
            Write::Mail(user, to) => {
                let address = format!("u{to}@x.example");
                set(
                    user,
                    json!({"emails": [{"value": address, "primary": true}]}),
                );
            }
            Write::Active(user, active) => set(user, json!({"active": active})),
            Write::Join(group, user) => {
                if let Some(id) = id(user) {
                    world.add(&self.groups[group], &id);
                }
            }
            Write::Leave(group, user) => {
                if let Some(id) = id(user) {
                    world.remove(&self.groups[group], &id);
                }
            }
            Write::Delete(user) => {
                if let Some(id) = self.users[user].take() {
                    world.delete_user(&id);
                }
            }
            Write::Create(user) => {
                if self.users[user].is_none() {
                    self.users[user] = Some(world.user(&format!("user{user}")));
                }
            }
        }
    }
}

fn now(world: &World) -> Timestamp {
    let store = world.provision.store();
    store
        .read_blocking(|tx| Ok::<_, ProvisionError>(tx.now()))
        .unwrap()
}

fn directory(world: &World) -> DirectoryId {
    world.connector.connector.directory
}

/// Everybody who is there, with all that undo gives back.
fn everybody(world: &World) -> Vec<(UserPk, Account)> {
    let directory = directory(world);
    world
        .provision
        .store()
        .read_blocking(move |tx| {
            let mut all = Vec::new();
            for user in tx.directory_users(directory, 0, 1000)? {
                if let Some(found) = tx.account(user.pk)? {
                    all.push((user.pk, comparable(found.account)));
                }
            }
            all.sort_by_key(|(pk, _)| *pk);
            Ok::<_, ProvisionError>(all)
        })
        .unwrap()
}

fn comparable(mut account: Account) -> Account {
    account.memberships.sort_by(|a, b| a.group.cmp(&b.group));
    account.memory = directory::Memory::default();
    account
}

/// The same, but for the reason of those who are kept although the IdP deleted them, which is told truly.
fn kept_alive(all: Vec<(UserPk, Account)>) -> Vec<(UserPk, Account)> {
    let kept = all.into_iter().map(|(pk, mut account)| {
        if (account.status, account.reason) == (Status::Active, Reason::IdpDeleted) {
            account.reason = Reason::IdpActive;
        }
        (pk, account)
    });
    kept.collect()
}

/// The same at a moment, from the journal.
fn everybody_at(world: &World, moment: Timestamp) -> Vec<(UserPk, Account)> {
    let (directory, provision) = (directory(world), world.provision.clone());
    world
        .provision
        .store()
        .read_blocking(move |tx| {
            let pks: Vec<UserPk> = (1..50).map(UserPk).collect();
            let mut all = Vec::new();
            for user in tx.directory_users_by_pk(directory, &pks)? {
                let past = provision.user_at(tx, directory, &user, moment)?;
                all.extend(past.account.map(|account| (user.pk, comparable(account))));
            }
            all.sort_by_key(|(pk, _)| *pk);
            Ok::<_, ProvisionError>(all)
        })
        .unwrap()
}

fn undo(world: &World, wanted: UndoSelection, request: &str) -> UndoReport {
    let undo = world
        .provision
        .undo(directory(world), wanted, "admin", request);
    match world.run(undo).unwrap() {
        Undone::Now(report) => report,
        Undone::Later(begun) => {
            world.work_off();
            let id = begun.job.public_id;
            let job = world.run(world.provision.require_job(&id)).unwrap();
            assert_eq!(job.state, JobState::Done, "{job:?}");
            undo_report(&job).unwrap().unwrap()
        }
    }
}

fn reconcile(world: &World) {
    let id = world.connector.connector.id;
    world.run(world.provision.reconcile(id, "admin")).unwrap();
    world.work_off();
}

fn by_request(request: &str) -> UndoSelection {
    UndoSelection {
        request: Some(request.to_owned()),
        ..UndoSelection::default()
    }
}

fn check(before: &[Write], after: &[Write], database: &TestDatabase) -> Result<(), TestCaseError> {
    let world = World::new(database, Rules::default());
    let mut idp = Idp::new(&world);
    let mut moments = Vec::new();
    for write in before {
        idp.carry_out(write);
        moments.push((now(&world), everybody(&world)));
    }
    let was = everybody(&world);
    let from = now(&world);
    for write in after {
        idp.carry_out(write);
        moments.push((now(&world), everybody(&world)));
    }
    let is = everybody(&world);
    for (moment, seen) in &moments {
        prop_assert_eq!(&everybody_at(&world, *moment), seen);
    }

    let since = UndoSelection {
        from: Some(from),
        ..UndoSelection::default()
    };
    let report = undo(&world, since, "undo-1");
    prop_assert_eq!(report.conflict_count, 0);
    prop_assert_eq!(kept_alive(everybody(&world)), was.clone());
    reconcile(&world);
    prop_assert_eq!(
        kept_alive(everybody(&world)),
        was,
        "the next evaluation does not do it again"
    );

    undo(&world, by_request("undo-1"), "undo-2");
    prop_assert_eq!(everybody(&world), is.clone());
    reconcile(&world);
    prop_assert_eq!(everybody(&world), is);
    Ok(())
}

#[test]
fn undo_gives_what_was_and_undoing_that_gives_it_back() {
    let writes = || prop::collection::vec(write(), 1..7);
    let mut runner = TestRunner::new(Config::with_cases(24));
    runner
        .run(&(writes(), writes()), |(before, after)| {
            check(&before, &after, &TestDatabase::sqlite()?)
        })
        .unwrap();
}

#[test]
fn undo_on_each_database() {
    on_each_database(|database| {
        let before = [
            Write::Join(0, 0),
            Write::Active(1, false),
            Write::Mail(2, 1),
        ];
        let after = [
            Write::Leave(0, 0),
            Write::Rename(0, 2),
            Write::Active(1, true),
            Write::Delete(2),
            Write::Join(1, 0),
        ];
        check(&before, &after, database).unwrap();
    });
}

#[test]
fn what_a_product_did_since_stays_and_is_told() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        let ann = world.user("ann");
        let from = now(&world);
        let dev = world.group("dev", &[&ann]);
        world.group("ops", &[&ann]);
        world.remove(&dev, &ann);
        let writer = Writer {
            directory: directory(&world),
            application: "jira".into(),
            request: "p-1".into(),
        };
        let join = world
            .provision
            .add_local_membership(&writer, "dev".into(), "ann".into(), None);
        world.run(join).unwrap();
        let connector = Some(world.connector.connector.id);
        let wanted = UndoSelection {
            connector,
            from: Some(from),
            ..UndoSelection::default()
        };
        let report = undo(&world, wanted, "undo-1");
        assert_eq!(world.groups("ann"), ["dev"]);
        assert_eq!(report.kept_as_is, 1, "the provider still has her in ops");
        let told: Vec<&str> = report
            .conflicts
            .iter()
            .map(|(_, why)| why.as_str())
            .collect();
        assert_eq!(told, ["membership in dev: changed again since, or gone"]);
        // What the product did is undone by its own request.
        undo(&world, by_request("p-1"), "undo-2");
        assert_eq!(world.groups("ann"), [""; 0]);
        // The provider has the last word.
        world.add(&dev, &ann);
        assert_eq!(world.groups("ann"), ["dev", "ops"]);
    });
}

#[test]
fn who_is_given_an_account_back_keeps_it_though_a_grace_time_would_begin_anew() {
    on_each_database(|database| {
        let written = json!({
            "scope": {"required_groups": ["staff"], "grace_minutes": 5},
            "cleanup": {"out_of_scope": "disable"},
        });
        let world = World::new(database, serde_json::from_value(written).unwrap());
        let (ann, ben) = (world.user("ann"), world.user("ben"));
        let staff = world.group("staff", &[&ann, &ben]);
        world.work_off();
        world.remove(&staff, &ann);
        let from = now(&world);
        world.wait(SignedDuration::from_mins(10));
        world.work_off();
        let status = |name: &str| world.account(name).map(|user| user.status);
        assert_eq!(status("ann"), Some(Status::Disabled));
        let wanted = UndoSelection {
            connector: Some(world.connector.connector.id),
            from: Some(from),
            ..UndoSelection::default()
        };
        let report = undo(&world, wanted, "undo-1");
        assert_eq!((report.users, report.kept_as_is), (1, 1));
        for _again in 0..2 {
            reconcile(&world);
            world.wait(SignedDuration::from_mins(10));
            world.work_off();
            assert_eq!(status("ann"), Some(Status::Active));
        }
    });
}

#[test]
fn who_is_given_an_account_back_after_a_deletion_is_told_to_be_deleted() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        let ann = world.user("ann");
        let from = now(&world);
        world.delete_user(&ann);
        let wanted = UndoSelection {
            connector: Some(world.connector.connector.id),
            from: Some(from),
            ..UndoSelection::default()
        };
        undo(&world, wanted, "undo-1");
        for _again in 0..2 {
            let user = world.account("ann").unwrap();
            let told = (user.status, user.reason);
            assert_eq!(told, (Status::Active, Reason::IdpDeleted));
            reconcile(&world);
        }
    });
}

#[test]
fn a_name_that_somebody_else_has_now_is_not_given_back() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        let ann = world.user("ann");
        let from = now(&world);
        world.patch_user(
            &ann,
            json!([{"op": "replace", "value": {"userName": "anna"}}]),
        );
        world.try_user(json!({"userName": "ann"})).unwrap();
        let wanted = UndoSelection {
            users: Some(vec![world.account("anna").unwrap().pk]),
            from: Some(from),
            ..UndoSelection::default()
        };
        let report = undo(&world, wanted, "undo-1");
        let (_, why) = &report.conflicts[0];
        assert!(
            why.starts_with("username: `ann` belongs to `ann` (1:"),
            "{why}"
        );
        assert!(why.ends_with(" of connector `idp` now"), "{why}");
        assert!(world.account("anna").is_some());
    });
}

#[test]
fn an_undo_needs_to_be_told_whose_work() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        let refused = world.run(world.provision.undo(
            directory(&world),
            UndoSelection::default(),
            "admin",
            "u",
        ));
        assert!(refused.unwrap_err().to_string().contains("whose work"));
    });
}

#[test]
fn a_group_is_what_it_was() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        let (ann, ben) = (world.user("ann"), world.user("ben"));
        let before_all = now(&world);
        let dev = world.group("dev", &[&ann, &ben]);
        let then = now(&world);
        world.remove(&dev, &ann);
        world.rename_group(&dev, "developers");
        world.delete_user(&ben);
        let (provision, directory) = (world.provision.clone(), directory(&world));
        let at = move |moment| {
            let provision = provision.clone();
            world
                .provision
                .store()
                .read_blocking(move |tx| {
                    let group = tx.directory_group(directory, "developers")?.unwrap();
                    provision.group_at(tx, directory, &group.into(), moment)
                })
                .unwrap()
        };
        let past = at(then);
        assert_eq!(past.named, Some(("dev".to_owned(), String::new())));
        assert_eq!(past.members.len(), 2);
        assert_eq!(at(before_all).named, None);
    });
}

#[test]
fn an_undo_of_many_is_a_job_that_goes_on_where_it_was() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        let many = UNDONE_AT_ONCE_MAX + 30;
        let users: Vec<String> = (0..many).map(|n| world.user(&format!("u{n}"))).collect();
        let from = now(&world);
        let members: Vec<&str> = users.iter().map(String::as_str).collect();
        let group = world.group("dev", &members);
        world.work_off();
        let was = everybody(&world);
        world.rename_group(&group, "developers");
        world.work_off();

        let since = |moment| UndoSelection {
            from: Some(moment),
            ..UndoSelection::default()
        };
        let begin = |request: &str| {
            let undo = world
                .provision
                .undo(directory(&world), since(from), "admin", request);
            match world.run(undo).unwrap() {
                Undone::Later(begun) => begun.job,
                Undone::Now(report) => panic!("{report:?}"),
            }
        };
        let job = begin("undo-1");
        assert_eq!((job.kind, job.total), (JobKind::Undo, many as i64));
        // Another one beside it is refused, and it can be ended early: what is undone stays so.
        let beside = world.run(world.provision.undo(
            directory(&world),
            since(from),
            "admin",
            "undo-2",
        ));
        assert!(beside.unwrap_err().to_string().contains("of kind undo"));
        assert_eq!(world.run(world.provision.work_on_jobs()).unwrap(), 1);
        let ended = world
            .run(world.provision.cancel_job(&job.public_id))
            .unwrap();
        assert_eq!(ended.state, JobState::Cancelled);
        let done = undo_report(&ended).unwrap().unwrap();
        assert_eq!((done.users, ended.worked), (50, 50));

        let again = begin("undo-3");
        world.work_off();
        let over = world
            .run(world.provision.require_job(&again.public_id))
            .unwrap();
        let done = undo_report(&over).unwrap().unwrap();
        assert_eq!(
            (over.state, done.users as usize),
            (JobState::Done, many - 50)
        );
        assert_eq!(
            over.counts.0.get(&Operation::GroupRemove),
            Some(&(many as i64 - 50))
        );
        assert!(
            everybody(&world)
                .iter()
                .all(|(_, it)| it.memberships.is_empty())
        );
        // By the requests of both everybody is where they were.
        undo(&world, by_request("undo-3"), "undo-4");
        undo(&world, by_request("undo-1"), "undo-5");
        let groups =
            |all: &[(UserPk, Account)]| all.iter().filter(|it| it.1.memberships.len() == 1).count();
        assert_eq!(groups(&everybody(&world)), groups(&was));
    });
}
