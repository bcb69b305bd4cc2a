//! Webhooks: registered by an application, seen by the administrator, behind when there is something new.

use emulate::databases::on_each_database;
use jiff::SignedDuration;
use provision::ClaimedWebhook;
use serde_json::json;

use crate::api_console::{self, Console};
use crate::http::Answer;
use crate::world::{Product, World, ok, refusal};

const HOOK: &str = r#"{"endpointUrl": "https://app.example.test/hook", "token": "abc"}"#;

#[track_caller]
fn refused(answer: &Answer, status: u16, reason: &str) {
    assert_eq!(
        refusal(answer),
        (status, reason.to_owned()),
        "{}",
        answer.text()
    );
}

fn claim(world: &World) -> Vec<ClaimedWebhook> {
    world.run(world.provision.claim_webhooks(10)).unwrap()
}

fn report(world: &World, claimed: ClaimedWebhook, outcome: Result<(), String>) -> store::Webhook {
    world
        .run(world.provision.report_webhook(claimed, outcome))
        .unwrap()
}

#[test]
fn a_webhook_is_registered_read_and_deleted_in_both_formats() {
    on_each_database(|database| {
        let world = World::new(database);
        let product = Product::reader(&world);
        let made = product.json().post("/webhook", HOOK);
        assert_eq!(made.status, 201, "{}", made.text());
        let id = made.json()["id"].as_i64().unwrap();
        let expected =
            json!({"id": id, "endpointUrl": "https://app.example.test/hook", "token": "abc"});
        assert_eq!(made.json(), expected);
        let place = format!("{}/webhook/{id}", product.url());
        assert_eq!(made.header("location"), Some(place.as_str()));
        assert_eq!(
            product.json().get(&format!("/webhook/{id}")).json(),
            expected
        );
        let again = product.post(
            "/webhook",
            "<webhook><endpointUrl>https://app.example.test/hook</endpointUrl></webhook>",
        );
        assert_eq!(again.status, 201);
        let xml = format!(
            "<webhook><id>{id}</id><endpointUrl>https://app.example.test/hook</endpointUrl></webhook>"
        );
        assert!(again.text().ends_with(&xml), "{}", again.text());
        assert!(ok(&product.get(&format!("/webhook/{id}"))).ends_with(&xml));
        // Others do not see it.
        let stranger = Product::writer(&world);
        refused(
            &stranger.get(&format!("/webhook/{id}")),
            404,
            "WEBHOOK_NOT_FOUND",
        );
        refused(
            &stranger.delete(&format!("/webhook/{id}")),
            404,
            "WEBHOOK_NOT_FOUND",
        );
        assert_eq!(product.delete(&format!("/webhook/{id}")).status, 204);
        for path in [
            format!("/webhook/{id}"),
            "/webhook/0".into(),
            "/webhook/x".into(),
        ] {
            refused(&product.get(&path), 404, "WEBHOOK_NOT_FOUND");
            refused(&product.delete(&path), 404, "WEBHOOK_NOT_FOUND");
        }
    });
}

#[test]
fn the_same_address_again_renews_the_webhook_that_is_there() {
    on_each_database(|database| {
        let world = World::new(database);
        let product = Product::reader(&world).json();
        let register = |url: &str, token: &str| {
            let body = json!({"endpointUrl": url, "token": token}).to_string();
            let made = product.post("/webhook", &body);
            assert_eq!(made.status, 201, "{}", made.text());
            made.json()
        };
        let one = register("https://app.example.test/1", "a");
        let two = register("https://app.example.test/2", "b");
        let again = register("https://app.example.test/1", "c");
        assert_eq!(
            again,
            json!({"id": one["id"], "endpointUrl": "https://app.example.test/1", "token": "c"})
        );
        let other = product.get(&format!("/webhook/{}", two["id"]));
        assert_eq!(other.json(), two);
    });
}

#[test]
fn what_cannot_be_called_is_refused() {
    on_each_database(|database| {
        let world = World::new(database);
        let product = Product::reader(&world);
        for body in [
            r#"{"endpointUrl": "ftp://app.example.test/"}"#,
            r#"{"endpointUrl": "app.example.test"}"#,
            r#"{"endpointUrl": "https://user:pass@app.example.test/"}"#,
            r#"{"endpointUrl": "https://app.example.test/a b"}"#,
            r#"{"endpointUrl": ""}"#,
            r#"{"endpointUrl": "https://app.example.test/", "token": "a\nb"}"#,
            "{}",
            "",
            "<webhook/>",
        ] {
            refused(&product.post("/webhook", body), 400, "ILLEGAL_ARGUMENT");
        }
        for number in 0..10 {
            let body = json!({"endpointUrl": format!("https://app.example.test/{number}")});
            assert_eq!(product.post("/webhook", &body.to_string()).status, 201);
        }
        refused(&product.post("/webhook", HOOK), 400, "ILLEGAL_ARGUMENT");
        let known = r#"{"endpointUrl": "https://app.example.test/3"}"#;
        assert_eq!(product.post("/webhook", known).status, 201);
    });
}

#[test]
fn it_is_told_once_of_all_that_is_new() {
    on_each_database(|database| {
        let world = World::new(database);
        world.mira();
        let product = Product::reader(&world);
        product.post("/webhook", HOOK);
        assert!(claim(&world).is_empty(), "what was there before is no news");
        let jon = world.user(json!({"userName": "jon"}));
        world.group("eng", &[&jon]);
        let mut claimed = claim(&world);
        assert_eq!(claimed.len(), 1);
        assert_eq!(claimed[0].webhook.token.as_deref(), Some("abc"));
        assert!(claim(&world).is_empty(), "somebody is calling it");
        // What happens while it is being called is told afterwards.
        world.user(json!({"userName": "kim"}));
        let told = report(&world, claimed.remove(0), Ok(()));
        assert_eq!((told.failures, told.disabled), (0, None));
        let mut claimed = claim(&world);
        assert_eq!(claimed.len(), 1);
        report(&world, claimed.remove(0), Ok(()));
        assert!(claim(&world).is_empty());
        // Another directory's news are none.
        let console = Console::new(&world);
        api_console::ok(&console.post("/connectors", json!({"name": "other"})));
        assert!(claim(&world).is_empty());
    });
}

#[test]
fn whose_caller_is_gone_is_called_by_somebody_else() {
    on_each_database(|database| {
        let world = World::new(database);
        let product = Product::reader(&world);
        product.post("/webhook", HOOK);
        world.mira();
        let gone = claim(&world).remove(0);
        world.wait(SignedDuration::from_secs(59));
        assert!(claim(&world).is_empty());
        world.wait(SignedDuration::from_secs(2));
        let mut next = claim(&world);
        assert_eq!(next.len(), 1);
        // The one who comes late has no say any more.
        report(&world, gone, Err("late".into()));
        let console = Console::new(&world);
        let listed = console.show("/applications/reader/webhooks");
        assert_eq!(listed["items"][0]["failures"], 0);
        report(&world, next.remove(0), Ok(()));
        assert!(claim(&world).is_empty());
        if database.url.starts_with("postgres") {
            let node = world.beside(database);
            world.user(json!({"userName": "jon"}));
            let both = claim(&world).len() + claim(&node).len();
            assert_eq!(both, 1, "only one node calls");
        }
    });
}

#[test]
fn failure_is_tried_again_ever_more_rarely_and_then_given_up() {
    on_each_database(|database| {
        let world = World::new(database);
        let product = Product::reader(&world);
        let console = Console::new(&world);
        product.post("/webhook", HOOK);
        world.mira();
        let listed = || console.show("/applications/reader/webhooks")["items"][0].clone();
        assert_eq!(listed()["state"], "behind");
        let why = "app.example.test cannot be reached";
        report(&world, claim(&world).remove(0), Err(why.into()));
        let failing = listed();
        assert_eq!(
            (&failing["state"], &failing["last_error"]),
            (&json!("failing"), &json!(why))
        );
        assert_eq!(failing["has_token"], true);
        assert!(failing["token"].is_null());
        assert!(claim(&world).is_empty(), "not at once");
        world.wait(SignedDuration::from_secs(11));
        let mut failures = 1;
        let disabled = loop {
            let Some(claimed) = claim(&world).pop() else {
                world.wait(SignedDuration::from_mins(15));
                continue;
            };
            failures += 1;
            let after = report(&world, claimed, Err(why.into()));
            assert!(failures < 100, "it goes on for ever");
            if after.disabled.is_some() {
                break after;
            }
        };
        let since = disabled.failing_since.unwrap();
        let failed_for = disabled.disabled.unwrap().duration_since(since);
        assert!(failed_for.as_hours() >= 24 && failures >= 20, "{failures}");
        world.wait(SignedDuration::from_hours(100));
        assert!(claim(&world).is_empty());
        assert_eq!(listed()["state"], "disabled");
        let id = listed()["id"].as_i64().unwrap();
        let enable = format!("/applications/reader/webhooks/{id}/enable");
        let enabled = api_console::ok(&console.call(&enable));
        assert_eq!(
            (&enabled["failures"], &enabled["disabled"]),
            (&json!(0), &json!(null))
        );
        report(&world, claim(&world).remove(0), Ok(()));
        let fine = listed();
        assert_eq!(
            (&fine["state"], &fine["last_error"]),
            (&json!("idle"), &json!(null))
        );
    });
}

#[test]
fn the_administrator_sees_registers_and_deletes_them() {
    on_each_database(|database| {
        let world = World::new(database);
        let product = Product::reader(&world);
        Product::writer(&world);
        let console = Console::new(&world);
        let body = json!({"url": "https://app.example.test/hook", "token": "abc"});
        let made = api_console::ok(&console.post("/applications/reader/webhooks", body.clone()));
        let id = made["id"].as_i64().unwrap();
        ok(&product.get(&format!("/webhook/{id}")));
        assert_eq!(
            console.show("/applications/writer/webhooks"),
            json!({"items": []})
        );
        let strange = format!("/applications/writer/webhooks/{id}");
        assert_eq!(api_console::problem(&console.delete(&strange)).0, 404);
        let bad = console.post("/applications/reader/webhooks", json!({"url": "x"}));
        assert_eq!(api_console::problem(&bad).0, 422);
        let own = format!("/applications/reader/webhooks/{id}");
        assert_eq!(console.delete(&own).status, 204);
        assert_eq!(api_console::problem(&console.delete(&own)).0, 404);
        // What is left goes with the application.
        api_console::ok(&console.post("/applications/reader/webhooks", body));
        assert_eq!(console.delete("/applications/reader").status, 204);
        world.mira();
        assert!(claim(&world).is_empty());
    });
}
