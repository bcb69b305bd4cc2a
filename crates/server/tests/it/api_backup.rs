//! The backup: who may take it, that it is told, and that a store which was filled from it says the same as before.

use emulate::databases::{TestDatabase, on_each_database};
use serde_json::{Value, json};
use store::{Access, BackupError, Database, Environment, Role};

use crate::api_console::{Console, each, ok, problem};
use crate::http::Ask;
use crate::ui_browser::{Browser, PASSWORD};
use crate::world::{Product, World};

/// Everything that is compared: settings, people as products and identity providers see them, and the journal.
fn picture(console: &Console<'_>, product: &Product<'_>) -> Vec<String> {
    let shown = [
        "/configuration",
        "/directories/default/users",
        "/directories/default/groups",
    ];
    let shown = shown.map(|path| console.show(path).to_string());
    let journal = console.show("/directories/default/journal").to_string();
    let members = product.get("/group/user/direct?groupname=staff");
    let people = product.get("/search?entity-type=user&expand=user");
    let seen = [members.text(), people.text()];
    // Links tell where the server is.
    let seen = seen.map(|text| text.replace(&product.world.address, "here"));
    [journal].into_iter().chain(seen).chain(shown).collect()
}

fn restore(path: &std::path::Path, target: &TestDatabase) -> Result<store::Restored, BackupError> {
    let database = Database::parse(&target.url).unwrap();
    provision::restore(path, &database, Environment::system(), true)
}

#[test]
fn a_server_on_a_restored_store_answers_as_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    on_each_database(|from| {
        let world = World::new(from);
        let ann = world.user(json!({"userName": "ann", "displayName": "Ann \u{1F98A} O'Neil"}));
        let bob = world.user(json!({"userName": "bob", "active": false}));
        world.group("staff", &[&ann, &bob]);
        world.delete_user(&bob);
        let owner = Console::new(&world);
        let jira = world.application("jira", Access::ReadOnly);
        let product = Product::known(&world, jira.clone());
        let token = |product: &Product<'_>| {
            let answer = product.get("/event");
            let seen = crowd::answer::events(answer.text().as_bytes(), |_| {}).unwrap();
            seen.token.unwrap()
        };
        let seen = token(&product);
        let browser = Browser::signed_in(&world, "ann", Role::Owner);
        let before = picture(&owner, &product);
        let answer = owner.get("/backup");
        assert!(answer.status == 200 && answer.complete);
        assert!(
            answer
                .header("content-disposition")
                .unwrap()
                .contains("vestibule-")
        );
        let path = folder.path().join(from.engine);
        std::fs::write(&path, &answer.body).unwrap();
        let (key, cookie) = (owner.token().to_owned(), browser.cookie().unwrap());
        drop((product, owner, browser));
        let targets = [
            TestDatabase::sqlite().unwrap(),
            TestDatabase::postgres().unwrap(),
        ];
        let mut world = world;
        for into in &targets {
            restore(&path, into).unwrap();
            world = world.restarted(into);
            let owner = Console::with_token(&world, &key);
            let product = Product::known(&world, jira.clone());
            assert_eq!(picture(&owner, &product), before);
            // Products fetch everything anew, and nobody is signed in.
            assert_eq!(product.get(&format!("/event/{seen}")).status, 410);
            assert_ne!(token(&product), seen);
            let page = Ask::new("GET", "/console/people").header("Cookie", &cookie);
            assert_eq!(world.send(page).status, 303);
            assert_eq!(Browser::new(&world).sign_in("ann", PASSWORD).status, 303);
            let told = each(&owner.show("/audit?action=restore_backup"), "actor");
            assert_eq!(told, ["command line"]);
            assert_eq!(owner.show("/audit/check")["whole"], true);
            // Whoever writes goes on.
            world.user(json!({"userName": "cyd"}));
            assert_eq!(product.get("/user?username=cyd").status, 200);
        }
    });
}

#[test]
fn only_owners_take_it_and_that_is_told() {
    let database = TestDatabase::sqlite().unwrap();
    let world = &World::new(&database);
    let owner = Console::new(world);
    let make = |wish: Value| {
        let made = ok(&owner.post("/tokens", wish));
        Console::with_token(world, made["token"].as_str().unwrap())
    };
    for wish in [
        json!({"role": "operator"}),
        json!({"role": "auditor"}),
        json!({"role": "operator", "connectors": ["idp"]}),
    ] {
        let caller = make(wish);
        assert_eq!(problem(&caller.get("/backup")).0, 403);
        assert_eq!(world.send(caller.ask("HEAD", "/backup")).status, 403);
    }
    assert_eq!(world.send(Ask::new("GET", "/api/v1/backup")).status, 401);
    assert_eq!(owner.get("/backup").status, 200);
    let log = owner.show("/audit?action=take_backup");
    let outcomes: Vec<&Value> = log["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["succeeded"])
        .collect();
    assert_eq!(outcomes.first(), Some(&&json!(true)));
    assert!(
        outcomes[1..]
            .iter()
            .all(|outcome| **outcome == json!(false))
            && outcomes.len() == 4
    );

    // The console gives it to owners as well, and only by its form.
    let browser = Browser::signed_in(world, "ann", Role::Owner);
    assert!(
        browser
            .get("/console/backup")
            .text()
            .contains("Download a backup")
    );
    let saved = browser.fill_in("/console/backup", "/console/backup", &[]);
    assert!(saved.status == 200 && saved.complete);
    assert!(saved.body.starts_with(b"vestibule-backup 1\n"));
    assert_eq!(browser.submit("/console/backup", &[]).status, 403);
    let reader = Browser::signed_in(world, "eve", Role::Auditor);
    assert!(
        !reader
            .get("/console/backup")
            .text()
            .contains("Download a backup")
    );
    let refused = reader.fill_in("/console/backup", "/console/backup", &[]);
    assert_eq!(refused.status, 403);
}
