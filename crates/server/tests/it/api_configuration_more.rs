//! What a configuration says besides connectors and applications: whose word counts, channels, and the audit log.

use emulate::databases::on_each_database;
use serde_json::{Value, json};

use crate::api_configuration::summaries;
use crate::api_console::{Console, ok};
use crate::world::World;

fn shared(precedence: &Value) -> Value {
    json!({"directories": [{"name": "default", "precedence": precedence}]})
}

#[test]
fn whose_word_counts_is_planned_said_and_left_alone_where_the_file_is_silent() {
    on_each_database(|database| {
        let world = World::new(database);
        world.user(json!({"userName": "ann", "displayName": "Ann"}));
        let console = Console::new(&world);
        ok(&console.patch("/connectors/default", json!({"name": "HR"})));
        let place = "/directories/default/precedence";
        let jobs = || console.show("/jobs")["items"].as_array().unwrap().len();

        let wanted = shared(
            &json!({"order": ["hr", "IDP"], "targets": {"attr:title": ["idp"], "groups": ["hr"]}}),
        );
        let plan = console.plan(&wanted, false);
        assert_eq!(summaries(&plan, "steps"), ["change directory 'default'"]);
        let step = &plan["steps"][0];
        assert_eq!(
            step["differences"],
            json!([{
                "path": "precedence", "before": null,
                "after": {"order": ["HR", "idp"], "targets": {"attr:title": ["idp"], "groups": ["HR"]}},
            }])
        );
        assert!(
            step["notes"][0]
                .as_str()
                .unwrap()
                .contains("evaluated anew")
        );
        let before = jobs();
        console.apply(&wanted, false);
        assert_eq!(jobs() - before, 2, "one of each connector");
        world.run(world.provision.work_off()).unwrap();
        let said = console.show(place)["precedence"].clone();
        assert_eq!(said, step["differences"][0]["after"]);
        assert_eq!(console.plan(&wanted, false)["steps"], json!([]));
        assert_eq!(console.export()["directories"][0]["precedence"], said);

        // What is not said stays; what is said counts as a whole, and null ends it.
        let silent = json!({"directories": [{"name": "default", "local_users": true}]});
        let plan = console.apply(&silent, true);
        assert_eq!(plan["steps"][0]["differences"][0]["path"], "local_users");
        assert_eq!(plan["steps"][0]["notes"], json!([]));
        assert_eq!(console.show(place)["precedence"], said);
        assert_eq!(console.show("/directories/default")["local_users"], true);
        let plan = console.plan(&shared(&json!({"order": ["HR", "idp"]})), false);
        let differences = &plan["steps"][0]["differences"];
        assert_eq!(differences[0]["path"], "precedence.targets", "{plan}");
        console.apply(&shared(&Value::Null), false);
        world.run(world.provision.work_off()).unwrap();
        assert!(console.show(place)["precedence"].is_null());
    });
}

#[test]
fn only_connectors_of_the_directory_have_a_word_in_it() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let wrong = |precedence: Value| {
            console.mistakes(json!({
                "directories": [{"name": "default", "precedence": precedence}, {"name": "new"}],
                "connectors": [{"name": "idp"}, {"name": "other", "directory": "new"}],
            }))
        };
        // With `prune` the connector that is not in the list would be gone.
        for (precedence, place) in [
            (json!({"order": ["nobody"]}), "order[0]"),
            (json!({"order": ["idp", "other"]}), "order[1]"),
            (json!({"order": ["idp", "default"]}), "order[1]"),
            (json!({"order": ["idp", "IDP"]}), "order[1]"),
            (json!({"targets": {"email": ["other"]}}), "targets.email[0]"),
            (json!({"targets": {"active": ["idp"]}}), "targets.active"),
            (json!({"targets": {"nonsense": ["idp"]}}), "targets"),
            (json!({"ordre": ["idp"]}), "ordre"),
        ] {
            let told = wrong(precedence);
            assert_eq!(told.len(), 1, "{told:?}");
            let whole = format!("directories[0].precedence.{place}");
            assert!(told[0].starts_with(&whole), "{told:?} {place}");
        }

        // A directory that is made together with those who speak in it.
        let made = json!({
            "directories": [{"name": "new", "precedence": {"order": ["second", "first"]}}],
            "connectors": [{"name": "first", "directory": "new"}, {"name": "second", "directory": "new"}],
        });
        console.apply(&made, false);
        let said = console.show("/directories/new/precedence");
        assert_eq!(said["precedence"]["order"], json!(["second", "first"]));
        assert_eq!(console.plan(&made, false)["steps"], json!([]));
    });
}

fn channels(list: &Value) -> Value {
    json!({ "notifications": list })
}

#[test]
fn channels_are_made_changed_and_removed_and_keep_their_secrets() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let mail = |host: &str| json!({"mail": {"host": host, "username": "v", "from": "v@example.com", "to": ["o@example.com"]}});
        let wanted = channels(&json!([
            {"name": "mail", "way": mail("one.example.com"), "secret": {"value": "mail-secret"}, "connectors": ["IDP"]},
            {"name": "chat", "way": {"chat": {}}},
            {"name": "hook", "way": {"webhook": {"url": "https://a.example.com/"}}},
        ]));
        let plan = console.plan(&wanted, false);
        assert!(!plan.to_string().contains("mail-secret"), "{plan}");
        let notes: Vec<&Value> = plan["steps"]
            .as_array()
            .unwrap()
            .iter()
            .map(|step| &step["notes"])
            .collect();
        assert_eq!(
            notes,
            [
                &json!([]),
                &json!([
                    "it tells nothing until it is given its secret: the URL that the chat gave you"
                ]),
                &json!(["the key of its signatures is generated and shown once"]),
            ]
        );
        let applied = console.apply(&wanted, false);
        assert_eq!(summaries(&applied, "secrets"), ["channel 'hook'"]);
        let key = applied["secrets"][0]["secret"].as_str().unwrap();
        assert!(key.starts_with("whsec_"));
        let shown = console.show("/notifications/mail");
        assert_eq!(
            (&shown["has_secret"], &shown["connectors"]),
            (&json!(true), &json!(["idp"]))
        );
        assert_eq!(console.show("/notifications/chat")["has_secret"], false);
        assert_eq!(console.plan(&wanted, true)["steps"], json!([]));

        // A channel that waits for its secret can be changed meanwhile, and is given it.
        let quieter =
            channels(&json!([{"name": "CHAT", "every_minutes": 60, "events": ["job.failed"]}]));
        let plan = console.apply(&quieter, false);
        assert_eq!(summaries(&plan, "steps"), ["change channel 'CHAT'"]);
        assert_eq!(console.show("/notifications/chat")["name"], "chat");
        let url = "https://chat.example.com/hook";
        let given = channels(&json!([{"name": "chat", "events": null, "secret": {"value": url}}]));
        let plan = console.apply(&given, false);
        let paths: Vec<&Value> = plan["steps"][0]["differences"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| &one["path"])
            .collect();
        assert_eq!(paths, ["events", "secret"]);
        assert_eq!(console.plan(&given, false)["steps"], json!([]));
        assert!(!console.export().to_string().contains(url));

        // The password that one server was given is not shown to another, unless it is given again.
        let moved = channels(&json!([{"name": "mail", "way": mail("two.example.com")}]));
        assert_eq!(console.mistakes(moved), ["notifications[0].secret"]);
        let moved = channels(&json!([
            {"name": "mail", "way": mail("two.example.com"), "secret": {"value": "mail-secret"}},
            {"name": "hook", "way": {"webhook": {"url": "https://b.example.com/"}}},
        ]));
        let applied = console.apply(&moved, true);
        assert_eq!(
            summaries(&applied, "steps"),
            [
                "change channel 'mail'",
                "change channel 'hook'",
                "delete channel 'chat'"
            ]
        );
        assert_eq!(summaries(&applied, "secrets"), ["channel 'hook'"]);
        assert_ne!(applied["secrets"][0]["secret"], key);
        assert_eq!(console.show("/notifications/mail")["has_secret"], true);
        assert_eq!(console.plan(&moved, true)["steps"], json!([]));
    });
}

#[test]
fn what_can_be_no_channel_is_told_with_its_place() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let places = console.mistakes(json!({
            "notifications": [
                {"name": "none"},
                {"name": " ", "way": {"chat": {}}, "secret": {"value": "no url"}},
                {"name": "mail", "way": {"mail": {"host": "a b", "from": "a@b", "to": ["a@b"]}}, "every_minutes": 15},
                {"name": "hook", "way": {"webhook": {"url": "https://a.example"}}, "secret": {"value": "guess"}, "events": []},
                {"name": "often", "way": {"chat": {}}, "every_minutes": 0, "connectors": ["nobody"]},
                {"name": "MAIL", "way": {"chat": {}}, "secret": {"env": "X"}},
            ],
            "audit": {"keep_days": 1},
        }));
        let mut places = places;
        places.sort_unstable();
        assert_eq!(
            places,
            [
                "audit.keep_days",
                "notifications[0].way",
                "notifications[1].name",
                "notifications[1].secret",
                "notifications[2].way.mail.host",
                "notifications[3].events",
                "notifications[3].secret",
                "notifications[4].connectors[0]",
                "notifications[4].every_minutes",
                "notifications[5].name",
                "notifications[5].secret",
            ]
        );
        let misread = console.mistakes(json!({
            "notifications": [{"name": "x", "way": {"pigeon": {}}}, {"name": "y", "events": ["nothing"]}],
            "audit": {"keep_dayz": 1},
        }));
        assert_eq!(
            misread,
            [
                "notifications[0].way",
                "notifications[1].events[0]",
                "audit.keep_dayz"
            ]
        );
    });
}

fn subscriptions(list: &Value) -> Value {
    json!({ "subscriptions": list })
}

#[test]
fn subscriptions_are_made_changed_and_removed_and_keep_their_keys() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let key = format!("whsec_{}", "A".repeat(32));
        let wanted = subscriptions(&json!([
            {"name": "given", "url": "https://a.example.com/", "secret": {"value": key}, "directories": ["DEFAULT"]},
            {"name": "made", "url": "https://b.example.com/", "events": ["user.created"]},
        ]));
        let plan = console.plan(&wanted, false);
        assert!(!plan.to_string().contains(&key), "{plan}");
        let generated = json!(["the key of its signatures is generated and shown once"]);
        assert_eq!(plan["steps"][0]["notes"], json!([]));
        assert_eq!(plan["steps"][1]["notes"], generated);
        let applied = console.apply(&wanted, false);
        assert_eq!(summaries(&applied, "secrets"), ["subscription 'made'"]);
        let shown = console.show("/subscriptions/given");
        assert_eq!(shown["directories"], json!(["default"]));
        assert_eq!(console.plan(&wanted, true)["steps"], json!([]));
        assert!(!console.export().to_string().contains(&key));

        // What is not said stays, and so does the key while the endpoint is the same.
        let quiet = subscriptions(&json!([
            {"name": "GIVEN", "enabled": false, "events": ["user.deleted"], "directories": null},
        ]));
        let applied = console.apply(&quiet, false);
        assert_eq!(summaries(&applied, "secrets"), [""; 0]);
        let shown = console.show("/subscriptions/given");
        assert_eq!(
            (&shown["name"], &shown["url"], &shown["enabled"]),
            (
                &json!("given"),
                &json!("https://a.example.com/"),
                &json!(false)
            )
        );
        let same = subscriptions(&json!([{"name": "given", "secret": {"value": key}}]));
        assert_eq!(console.plan(&same, false)["steps"], json!([]));

        // Another endpoint is not signed to with the key of the first.
        let moved = subscriptions(&json!([
            {"name": "given", "url": "https://c.example.com/"},
            {"name": "made", "url": "https://b.example.com/", "secret": {"value": key}},
        ]));
        let plan = console.plan(&moved, true);
        assert_eq!(plan["steps"][0]["notes"], generated);
        let applied = console.apply(&moved, true);
        assert_eq!(summaries(&applied, "secrets"), ["subscription 'given'"]);
        assert_ne!(applied["secrets"][0]["secret"], key);
        assert_eq!(console.plan(&moved, true)["steps"], json!([]));
        let applied = console.apply(&subscriptions(&json!([])), true);
        assert_eq!(
            summaries(&applied, "steps"),
            ["delete subscription 'made'", "delete subscription 'given'"]
        );
    });
}

#[test]
fn a_subscription_of_a_directory_that_is_gone_stays_as_it_is() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let made = json!({
            "directories": [{"name": "short"}],
            "subscriptions": [{"name": "ops", "url": "https://a.example.com/", "directories": ["short"]}],
        });
        console.apply(&made, false);
        ok(&console.delete("/directories/short"));
        world.run(world.provision.work_off()).unwrap();
        let left = console.export();
        assert_eq!(left["subscriptions"][0]["directories"], json!([]));
        assert_eq!(console.plan(&left, true)["steps"], json!([]));
        let quiet = subscriptions(&json!([{"name": "ops", "enabled": false}]));
        console.apply(&quiet, false);
        assert_eq!(console.show("/subscriptions/ops")["enabled"], false);
        let other = subscriptions(
            &json!([{"name": "other", "url": "https://a.example.com/", "directories": []}]),
        );
        assert_eq!(console.mistakes(other), ["subscriptions[0].directories"]);
    });
}

#[test]
fn what_can_be_no_subscription_is_told_with_its_place() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let mut places = console.mistakes(subscriptions(&json!([
            {"name": "none"},
            {"name": " ", "url": "ftp://a.example.com/", "secret": {"value": "guess"}},
            {"name": "x", "url": "https://a.example.com/", "events": [], "directories": ["nowhere"]},
            {"name": "X", "url": "https://a.example.com/", "secret": {"env": "X"}},
        ])));
        places.sort_unstable();
        assert_eq!(
            places,
            [
                "subscriptions[0].url",
                "subscriptions[1].name",
                "subscriptions[1].secret",
                "subscriptions[1].url",
                "subscriptions[2].directories[0]",
                "subscriptions[2].events",
                "subscriptions[3].name",
                "subscriptions[3].secret",
            ]
        );
        let misread = console.mistakes(subscriptions(&json!([
            {"name": "x", "ur": "https://a.example.com/"},
            {"name": "y", "url": "https://a.example.com/", "events": ["user.sneezed"]},
        ])));
        assert_eq!(
            misread,
            ["subscriptions[0].ur", "subscriptions[1].events[0]"]
        );
    });
}
