//! What administrators say about single users: it counts at once, survives syncs, and ends by itself.

use directory::{OverrideId, OverrideKind, Reason, Rules, Status};
use emulate::databases::on_each_database;
use jiff::SignedDuration;
use provision::{LocalUserDraft, OverrideWish, ProvisionError, Said, Writer};
use serde_json::json;

use crate::world::World;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

pub fn now(world: &World) -> jiff::Timestamp {
    let store = world.provision.store();
    store
        .read_blocking(|tx| Ok::<_, ProvisionError>(tx.now()))
        .unwrap()
}

fn try_say(
    world: &World,
    user: &str,
    kind: OverrideKind,
    for_time: Option<SignedDuration>,
) -> Result<Said, ProvisionError> {
    let directory = world.connector.connector.directory;
    let wish = OverrideWish {
        kind,
        until: for_time.map(|time| now(world) + time),
        comment: "ticket 7".into(),
    };
    let user = world.account(user).unwrap().pk;
    let said = world
        .provision
        .add_override(directory, user, wish, "admin", "r-1");
    world.run(said)
}

fn say(world: &World, user: &str, kind: OverrideKind) -> Said {
    let until = match kind {
        OverrideKind::KeepAsIs { .. } => None,
        _ => Some(HOUR),
    };
    try_say(world, user, kind, until).unwrap()
}

fn as_it_is() -> OverrideKind {
    OverrideKind::KeepAsIs {
        mark: String::new(),
    }
}

fn said(world: &World) -> Vec<Said> {
    let (provision, directory) = (world.provision.clone(), world.connector.connector.directory);
    let store = world.provision.store();
    store
        .read_blocking(move |tx| provision.overrides(tx, directory, OverrideId(0), 100))
        .unwrap()
}

fn status(world: &World, name: &str) -> (Status, Reason) {
    let account = world.account(name).unwrap();
    (account.status, account.reason)
}

#[test]
fn an_excluded_user_comes_back_by_itself_whatever_was_written_meanwhile() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        let ann = world.user("ann");
        say(&world, "ann", OverrideKind::Exclude);
        assert_eq!(status(&world, "ann"), (Status::Disabled, Reason::Override));
        world.patch_user(
            &ann,
            json!([{"op": "replace", "value": {"displayName": "Ann"}}]),
        );
        let account = world.account("ann").unwrap();
        assert_eq!(
            (account.status, account.display_name.as_str()),
            (Status::Disabled, "Ann")
        );
        world.wait(HOUR);
        world.work_off();
        assert_eq!(status(&world, "ann"), (Status::Active, Reason::IdpActive));
        assert!(said(&world).is_empty());
    });
}

#[test]
fn memberships_come_and_stay_away_for_a_time() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        let (ann, ben) = (world.user("ann"), world.user("ben"));
        let dev = world.group("dev", &[&ann]);
        world.group("ops", &[&ben]);
        let group = |name: &str| name.to_owned();
        say(
            &world,
            "ann",
            OverrideKind::AddToGroup {
                group: group("ops"),
            },
        );
        say(
            &world,
            "ann",
            OverrideKind::KeepOutOfGroup {
                group: group("dev"),
            },
        );
        assert_eq!(world.groups("ann"), ["ops"]);
        world.remove(&dev, &ann);
        world.add(&dev, &ann);
        assert_eq!(world.groups("ann"), ["ops"]);
        world.wait(HOUR);
        world.work_off();
        assert_eq!(world.groups("ann"), ["dev"]);
    });
}

#[test]
fn someone_the_provider_deleted_is_kept_active_until_the_end() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        let ann = world.user("ann");
        world.group("dev", &[&ann]);
        let kept = say(&world, "ann", OverrideKind::KeepActive);
        world.delete_user(&ann);
        world.work_off();
        assert_eq!(status(&world, "ann"), (Status::Active, Reason::IdpDeleted));
        assert_eq!(world.groups("ann"), ["dev"]);
        let directory = world.connector.connector.directory;
        world
            .run(
                world
                    .provision
                    .remove_override(directory, kept.said.id, "admin", "r-2"),
            )
            .unwrap();
        assert_eq!(
            status(&world, "ann"),
            (Status::Disabled, Reason::IdpDeleted)
        );
    });
}

#[test]
fn someone_is_kept_as_is_until_the_provider_says_something_else() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        let ann = world.user("ann");
        say(&world, "ann", as_it_is());
        let position = world.position();
        let id = world.connector.connector.id;
        world.run(world.provision.reconcile(id, "admin")).unwrap();
        world.work_off();
        assert_eq!((said(&world).len(), world.position()), (1, position));
        world.set_active(&ann, false);
        assert_eq!(status(&world, "ann").0, Status::Disabled);
        assert!(said(&world).is_empty(), "the provider said something else");
    });
}

#[test]
fn what_cannot_be_is_refused() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        world.user("ann");
        let refused = |kind, time| try_say(&world, "ann", kind, time).unwrap_err().to_string();
        let nowhere = OverrideKind::AddToGroup {
            group: "nowhere".into(),
        };
        assert!(refused(nowhere, Some(HOUR)).contains("no group 'nowhere'"));
        let nameless = OverrideKind::KeepOutOfGroup {
            group: String::new(),
        };
        assert!(refused(nameless, Some(HOUR)).contains("1 to"));
        assert!(refused(OverrideKind::Exclude, None).contains("needs an end"));
        assert!(refused(OverrideKind::Exclude, Some(-HOUR)).contains("past"));
        let directory = world.connector.connector.directory;
        world
            .run(world.provision.allow_local_users(directory, true))
            .unwrap();
        let writer = Writer {
            directory,
            application: "jira".into(),
            request: "r".into(),
        };
        let draft = LocalUserDraft {
            name: "local".into(),
            ..LocalUserDraft::default()
        };
        world
            .run(
                world
                    .provision
                    .create_local_user(&writer, draft, Vec::new(), None),
            )
            .unwrap();
        let local = try_say(&world, "local", OverrideKind::Exclude, Some(HOUR));
        assert!(local.unwrap_err().to_string().contains("kept here"));
        assert!(said(&world).is_empty());
    });
}
