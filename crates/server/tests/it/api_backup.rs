//! The backup: who may take it, that it is told, and that a store which was filled from it says the same as before.

use emulate::databases::{TestDatabase, on_each_database};
use provision::RestoredBy;
use serde_json::{Value, json};
use server::Settings;
use store::{Access, BackupError, Database, Environment, Role};

use crate::api_console::{Console, each, ok, problem};
use crate::http::Ask;
use crate::ui_browser::{Browser, PASSWORD};
use crate::world::{Product, World, forgiving};

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
    let by = RestoredBy::command_line();
    provision::restore(path, &database, Environment::system(), true, by)
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

#[test]
fn a_backup_is_looked_at_as_it_comes_and_nothing_of_it_is_kept() {
    on_each_database(|database| {
        let world = &World::new(database);
        world.user(json!({"userName": "ann", "displayName": "x".repeat(4_000)}));
        let owner = Console::new(world);
        let backup = owner.get("/backup").body;
        let look = |caller: &Console<'_>, file: &[u8]| {
            let ask = caller.ask("POST", "/backup/check");
            let ask = ask.header("Content-Type", "application/octet-stream");
            world.send(ask.body(file))
        };
        let found = ok(&look(&owner, &backup));
        assert_eq!(
            (&found["own"], &found["right_key"], &found["migrations"]),
            (&json!(true), &json!(true), &json!(0))
        );
        let engine = found["engine"].as_str().unwrap();
        assert!(
            database.engine.to_lowercase().starts_with(engine),
            "{engine}"
        );
        assert_eq!(found["bytes"], backup.len());
        assert!(
            backup.ends_with(format!("sha256 {}\n", found["sha256"].as_str().unwrap()).as_bytes())
        );

        let mut changed = backup.clone();
        let middle = changed.len() / 2;
        changed[middle] ^= 1;
        let other = [b"vestibule-backup 99\n{}\n".as_slice(), &[b'x'; 100]].concat();
        for (file, told) in [
            (&backup[..backup.len() - 10], "end is missing"),
            (&backup[..200], "end is missing"),
            (&changed, "checksum"),
            (&[backup.as_slice(), b"\n"].concat(), "end is missing"),
            (b"", "not a backup"),
            (b"PK\x03\x04 something else", "not a backup"),
            (&other, "format 99"),
        ] {
            let (status, detail) = problem(&look(&owner, file));
            assert_eq!(status, 422, "{detail}");
            assert!(detail.contains(told), "{told}: {detail}");
        }
        assert_eq!(problem(&owner.post("/backup/check", json!({}))).0, 415);
        let made = ok(&owner.post("/tokens", json!({"role": "operator"})));
        let operator = Console::with_token(world, made["token"].as_str().unwrap());
        assert_eq!(problem(&look(&operator, &backup)).0, 403);

        // Whatever was sent, everything is as it was.
        assert_eq!(owner.show("/directories/default/users/ann")["name"], "ann");
    });
}

#[test]
fn a_backup_lies_ready_until_it_is_taken_away() {
    on_each_database(|database| {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings {
            staging: Some(folder.path().to_owned()),
            ..forgiving()
        };
        // What another run left is gone.
        let file = folder.path().join("restore.backup");
        std::fs::write(&file, b"left").unwrap();
        let world = &World::with_settings(database, settings);
        assert!(!file.exists());
        let owner = Console::new(world);
        let backup = owner.get("/backup").body;
        let stage = |caller: &Console<'_>, file: &[u8]| {
            let ask = caller.ask("PUT", "/backup/staged");
            let ask = ask.header("Content-Type", "application/octet-stream");
            world.send(ask.body(file))
        };
        let staged = ok(&stage(&owner, &backup));
        assert_eq!(std::fs::read(&file).unwrap(), backup);
        let mode = std::os::unix::fs::PermissionsExt::mode(&file.metadata().unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
        let shown = owner.show("/backup/staged");
        assert_eq!(shown["backup"], staged);
        assert!(shown["failed"].is_null());
        // Only what is meant is restored.
        let other = owner.post("/backup/staged/restore", json!({"sha256": "0"}));
        assert_eq!(problem(&other).0, 409);
        // One that is not whole takes the place of the other, and is not kept.
        let cut = &backup[..backup.len() - 10];
        assert_eq!(problem(&stage(&owner, cut)).0, 422);
        assert!(!file.exists() && owner.show("/backup/staged")["backup"].is_null());

        let browser = Browser::signed_in(world, "ann", Role::Owner);
        let (place, action) = ("/console/backup", "/console/backup/staged");
        let refused = browser.send_file(place, action, &[], ("x", cut));
        assert_eq!(refused.status, 422);
        assert!(
            refused.text().contains("end is missing"),
            "{}",
            refused.text()
        );
        let nothing = browser.send_file(place, action, &[], ("", b""));
        assert!(nothing.text().contains("Choose a file first."));
        let sent = browser.send_file(place, action, &[], ("my.backup", &backup));
        assert_eq!(sent.status, 303, "{}", sent.text());
        let page = browser.get(place);
        for told in [
            staged["sha256"].as_str().unwrap(),
            "the one that is here",
            "Replace everything by this backup",
        ] {
            assert!(page.text().contains(told), "{told} in {}", page.text());
        }
        let gone = browser.fill_in(place, "/console/backup/staged/discard", &[]);
        assert!(
            gone.text().contains("The file is taken away."),
            "{}",
            gone.text()
        );
        assert!(!file.exists());

        let made = ok(&owner.post("/tokens", json!({"role": "operator"})));
        let operator = Console::with_token(world, made["token"].as_str().unwrap());
        assert_eq!(problem(&stage(&operator, &backup)).0, 403);
        assert_eq!(problem(&operator.get("/backup/staged")).0, 403);
        let wish = json!({"sha256": staged["sha256"]});
        assert_eq!(
            problem(&operator.post("/backup/staged/restore", wish)).0,
            403
        );
    });
}

#[test]
fn a_server_that_nobody_starts_again_restores_nothing() {
    let database = TestDatabase::sqlite().unwrap();
    let world = &World::new(&database);
    let owner = Console::new(world);
    let ask = owner.ask("PUT", "/backup/staged");
    let ask = ask.header("Content-Type", "application/octet-stream");
    let (status, detail) = problem(&world.send(ask.body(b"x")));
    assert_eq!(status, 409);
    assert!(detail.contains("vestibule restore FILE"), "{detail}");
}
