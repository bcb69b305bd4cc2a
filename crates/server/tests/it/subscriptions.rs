//! Subscriptions: endpoints that are told of every change of directories, in order, once, and again if they missed it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use emulate::databases::on_each_database;
use jiff::SignedDuration;
use serde_json::{Value, json};
use store::Role;

use crate::api_console::{Console, ok};
use crate::api_notifications::{Post, post_of, tell, webhook};
use crate::api_release::done;
use crate::http::Answer;
use crate::scim_idp::Idp;
use crate::ui_browser::Browser;
use crate::world::World;

fn subscription(name: &str) -> Value {
    json!({"name": name, "url": "https://ops.example.com/events"})
}

/// Tells everybody until there is nothing to tell.
fn tell_all(world: &World) {
    loop {
        let claimed = world.run(world.provision.claim_batches(8)).unwrap();
        if claimed.is_empty() {
            return;
        }
        for one in claimed {
            world.run(world.provision.send_batch(one)).unwrap();
        }
    }
}

/// The events that were posted since, in order.
fn posted(post: &Arc<Post>) -> Vec<Value> {
    let letters = std::mem::take(&mut *post.letters.lock().unwrap());
    let bodies = letters.iter().map(|letter| {
        let body: Value = serde_json::from_str(&letter.body).unwrap();
        assert_eq!(body["data"]["store"].as_str().unwrap().len(), 12, "{body}");
        body["data"]["events"].as_array().unwrap().clone()
    });
    bodies.flatten().collect()
}

fn words(events: &[Value]) -> Vec<&str> {
    events
        .iter()
        .map(|one| one["event"].as_str().unwrap())
        .collect()
}

#[track_caller]
fn refused(answer: &Answer, status: u16, why: &str) {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert!(answer.text().contains(why), "{}", answer.text());
}

#[test]
fn what_happens_is_told_in_order_once_and_as_it_was_chosen() {
    on_each_database(|database| {
        let world = &World::new(database);
        let (console, idp, post) = (Console::new(world), Idp::new(world), post_of(world));
        idp.user("before");
        let made = ok(&console.post("/subscriptions", subscription("all")));
        assert!(
            made["secret"].as_str().unwrap().starts_with("whsec_"),
            "{made}"
        );
        assert_eq!(made["state"], "current");
        let mut some = subscription("some");
        some["events"] = json!(["group.user_added", "user.disabled"]);
        some["directories"] = json!(["default"]);
        ok(&console.post("/subscriptions", some));
        tell_all(world);
        assert!(posted(&post).is_empty(), "from now on");

        let ann = idp.user("ann");
        let devs = world.group("devs", &[&ann]);
        world.patch_user(&ann, "displayName", "Ann Lee");
        world.remove(&devs, &ann);
        world.patch_user(&ann, "active", false);
        world.patch_user(&ann, "active", true);
        world.delete_group(&devs);
        world.run(world.provision.work_off()).unwrap();
        tell_all(world);
        let letters = post.letters.lock().unwrap().clone();
        assert_eq!(letters.len(), 2, "a batch for each");
        assert!(letters.iter().all(|letter| letter.id.starts_with("msg_")));
        let mut by_count: BTreeMap<usize, Vec<Value>> = BTreeMap::new();
        for letter in letters {
            let body: Value = serde_json::from_str(&letter.body).unwrap();
            assert_eq!(body["type"], "events");
            let events = body["data"]["events"].as_array().unwrap().clone();
            by_count.insert(events.len(), events);
        }
        posted(&post);
        let (some, all) = (
            by_count.pop_first().unwrap().1,
            by_count.pop_last().unwrap().1,
        );
        assert_eq!(words(&some), ["group.user_added", "user.disabled"]);
        let of_all = words(&all);
        for event in [
            "user.created",
            "group.created",
            "group.user_added",
            "user.updated",
            "group.user_removed",
            "user.disabled",
            "user.enabled",
        ] {
            assert!(of_all.contains(&event), "{event}: {of_all:?}");
        }
        let positions: Vec<i64> = all
            .iter()
            .filter_map(|one| one["position"].as_i64())
            .collect();
        assert!(positions.is_sorted(), "{positions:?}");
        let created = all
            .iter()
            .find(|one| one["event"] == "user.created")
            .unwrap();
        assert_eq!(created["user"]["name"], "ann", "{created}");
        assert_eq!(created["directory"], "default");
        assert_eq!(created["cause"]["connector"], "idp");
        tell_all(world);
        assert!(posted(&post).is_empty(), "once");

        // Jobs, each once, though others end at the same time.
        for _ in 0..2 {
            ok(&console.call("/connectors/idp/reconcile"));
            world.run(world.provision.work_off()).unwrap();
            tell_all(world);
            let told = posted(&post);
            assert_eq!(words(&told), ["run.finished"], "{told:?}");
            assert_eq!(told[0]["job"]["state"], "done", "{told:?}");
            tell_all(world);
            assert!(posted(&post).is_empty());
            world.wait(SignedDuration::from_mins(20));
        }
    });
}

#[test]
fn what_an_endpoint_misses_waits_for_it_in_order_and_can_be_sent_again() {
    on_each_database(|database| {
        let world = &World::new(database);
        let (console, idp, post) = (Console::new(world), Idp::new(world), post_of(world));
        let mut wish = subscription("ops");
        wish["events"] = json!(["user.created", "user.deleted"]);
        ok(&console.post("/subscriptions", wish));
        ok(&console.post("/notifications", webhook("told")));
        post.refuses.store(true, Ordering::SeqCst);
        idp.user("ann");
        for _ in 0..25 {
            tell_all(world);
            world.wait(SignedDuration::from_mins(31));
            idp.user(&format!(
                "u{}",
                world.provision.store().now().as_microsecond()
            ));
        }
        let shown = console.show("/subscriptions/ops");
        assert_eq!(shown["state"], "failing", "{shown}");
        assert!(
            shown["last_error"]
                .as_str()
                .unwrap()
                .contains("cannot be reached")
        );
        let events = posted(&post);
        let all_ann = events.iter().all(|one| one["user"]["name"] == "ann");
        assert!(all_ann, "nothing overtakes it");
        post.refuses.store(false, Ordering::SeqCst);
        let told = tell(world).concat();
        let fails = "delivery.failed: The subscription ops is not answered";
        assert!(told.contains(&fails.to_owned()), "{told:?}");
        post.refuses.store(true, Ordering::SeqCst);
        // Given up at last, and nothing is lost.
        for _ in 0..30 {
            world.wait(SignedDuration::from_mins(31));
            tell_all(world);
        }
        assert_eq!(console.show("/subscriptions/ops")["state"], "given_up");
        posted(&post);
        post.refuses.store(false, Ordering::SeqCst);
        tell_all(world);
        assert!(posted(&post).is_empty(), "left alone");
        ok(&console.call("/subscriptions/ops/retry"));
        tell_all(world);
        let events = posted(&post);
        assert_eq!(events.len(), 26);
        assert_eq!(events[0]["user"]["name"], "ann");
        let log = console.show("/subscriptions/ops/deliveries");
        let log = log["items"].as_array().unwrap();
        assert!(log.iter().all(|one| one["state"] == "taken"), "{log:?}");
        let first = log.last().unwrap();
        assert!(first["attempts"].as_i64().unwrap() > 20, "{first}");

        // Again, with the id it had.
        let id = first["id"].as_str().unwrap();
        ok(&console.call(&format!("/subscriptions/ops/deliveries/{id}/send")));
        let again = post.letters.lock().unwrap().clone();
        assert_eq!(again[0].id, format!("msg_{id}"));
        assert_eq!(posted(&post)[0]["user"]["name"], "ann");

        // What an endpoint will never take is let go, and what comes after it arrives.
        post.refuses.store(true, Ordering::SeqCst);
        idp.user("poison");
        tell_all(world);
        idp.user("next");
        let log = console.show("/subscriptions/ops/deliveries");
        let stuck = &log["items"][0];
        assert_eq!(
            (&stuck["state"], &stuck["events"]),
            (&json!("waiting"), &json!(1))
        );
        let place = format!(
            "/subscriptions/ops/deliveries/{}",
            stuck["id"].as_str().unwrap()
        );
        refused(&console.call(&format!("{place}/send")), 422, "waits still");
        assert_eq!(
            ok(&console.call(&format!("{place}/skip")))["state"],
            "skipped"
        );
        refused(
            &console.call(&format!("{place}/skip")),
            422,
            "nothing to skip",
        );
        post.refuses.store(false, Ordering::SeqCst);
        posted(&post);
        tell_all(world);
        let events = posted(&post);
        assert_eq!(events.len(), 1);
        assert_eq!(events[0]["user"]["name"], "next");
        ok(&console.call(&format!("{place}/send")));
        assert_eq!(posted(&post)[0]["user"]["name"], "poison");
    });
}

#[test]
fn a_directory_that_goes_is_told_of_and_stands_for_what_was_in_it() {
    on_each_database(|database| {
        let world = &World::new(database);
        let (console, idp, post) = (Console::new(world), Idp::new(world), post_of(world));
        let mut wish = subscription("ops");
        wish["events"] = json!(["user.created", "user.deleted", "directory.deleted"]);
        ok(&console.post("/subscriptions", wish));
        post.refuses.store(true, Ordering::SeqCst);
        idp.user("ann");
        tell_all(world);
        idp.user("ben");
        for connector in console.show("/connectors")["items"].as_array().unwrap() {
            let id = connector["id"].as_str().unwrap();
            let gone = console.delete(&format!("/connectors/{id}?accounts=keep"));
            done(&console, &gone.json());
        }
        for application in console.show("/applications")["items"].as_array().unwrap() {
            let id = application["id"].as_str().unwrap();
            assert_eq!(console.delete(&format!("/applications/{id}")).status, 204);
        }
        let gone = console.delete("/directories/default?force=true");
        assert_eq!(gone.status, 202, "{}", gone.text());
        done(&console, &gone.json());
        post.refuses.store(false, Ordering::SeqCst);
        posted(&post);
        world.wait(SignedDuration::from_mins(31));
        tell_all(world);
        let events = posted(&post);
        assert_eq!(words(&events), ["directory.deleted"]);
        assert_eq!(events[0]["directory"], "default");
        let log = console.show("/subscriptions/ops/deliveries");
        let states: Vec<&Value> = log["items"].as_array().unwrap().iter().collect();
        let states: Vec<&Value> = states.iter().map(|one| &one["state"]).collect();
        assert_eq!(states, ["taken", "skipped"], "{log}");
        assert_eq!(console.show("/subscriptions/ops")["state"], "current");
    });
}

#[test]
fn of_two_nodes_one_tells_and_long_journals_come_in_pieces() {
    on_each_database(|database| {
        let world = &World::new(database);
        let (console, idp, post) = (Console::new(world), Idp::new(world), post_of(world));
        ok(&console.post("/subscriptions", subscription("ops")));
        for nth in 0..130 {
            idp.user(&format!("user{nth}"));
        }
        let first = world.run(world.provision.claim_batches(8)).unwrap();
        assert_eq!(first.len(), 1);
        let second = world.run(world.provision.claim_batches(8)).unwrap();
        assert!(second.is_empty(), "taken");
        // The node that took it is gone, and comes back late.
        world.wait(SignedDuration::from_mins(3));
        tell_all(world);
        let events = posted(&post);
        assert_eq!(events.len(), 130);
        let log = console.show("/subscriptions/ops/deliveries");
        let counts: Vec<_> = log["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["events"].clone())
            .collect();
        assert_eq!(counts, [json!(30), json!(100)]);
        for late in first {
            world.run(world.provision.send_batch(late)).unwrap();
        }
        posted(&post);
        idp.user("later");
        tell_all(world);
        assert_eq!(posted(&post).len(), 1, "it has not gone back");
    });
}

#[test]
fn subscriptions_are_made_shown_changed_and_deleted_by_owners() {
    on_each_database(|database| {
        let world = &World::new(database);
        let (console, idp, post) = (Console::new(world), Idp::new(world), post_of(world));
        ok(&console.post("/subscriptions", subscription("ops")));
        refused(
            &console.post("/subscriptions", subscription("OPS")),
            409,
            "OPS",
        );
        for (member, value, why) in [
            ("url", json!("ftp://x"), "url"),
            ("name", json!(" "), "name"),
            ("events", json!([]), "events"),
            ("directories", json!(["nowhere"]), "nowhere"),
            ("secret", json!("abc"), "secret"),
        ] {
            let mut wish = subscription("other");
            wish[member] = value;
            let refused = console.post("/subscriptions", wish);
            assert!((400..500).contains(&refused.status), "{member}");
            assert!(refused.text().contains(why), "{member}: {}", refused.text());
        }
        let tested = ok(&console.call("/subscriptions/ops/test"));
        assert_eq!(tested["answer"], "status 204");
        let letter = post.letters.lock().unwrap().pop().unwrap();
        assert!(letter.body.contains("\"type\":\"test\""), "{}", letter.body);
        // Off, it is told later; a directory that is added is told of from then on.
        let second = json!({"name": "second", "preset": "okta"});
        ok(&console.post("/connectors", second));
        let mut wish = subscription("ops");
        wish["directories"] = json!(["second"]);
        wish["enabled"] = json!(false);
        let kept = ok(&console.put("/subscriptions/ops", wish.clone()));
        assert_eq!(
            (&kept["secret"], &kept["state"]),
            (&json!(null), &json!("off"))
        );
        idp.user("ann");
        wish["directories"] = json!(["second", "default"]);
        wish["enabled"] = json!(true);
        ok(&console.put("/subscriptions/ops", wish.clone()));
        idp.user("ben");
        tell_all(world);
        let events = posted(&post);
        assert_eq!(words(&events), ["user.created"]);
        assert_eq!(events[0]["user"]["name"], "ben");
        // A key does not go to another place.
        wish["url"] = json!("https://elsewhere.example.com/");
        assert!(ok(&console.put("/subscriptions/ops", wish))["secret"].is_string());
        let operator = ok(&console.post("/tokens", json!({"label": "o", "role": "operator"})));
        let operator = Console::with_token(world, operator["token"].as_str().unwrap());
        assert_eq!(operator.get("/subscriptions").status, 200);
        assert_eq!(operator.delete("/subscriptions/ops").status, 403);
        assert_eq!(console.delete("/subscriptions/ops").status, 204);
        assert_eq!(console.get("/subscriptions/ops").status, 404);
        idp.user("cid");
        tell_all(world);
        assert!(posted(&post).is_empty());
    });
}

#[test]
fn subscriptions_are_kept_in_the_console() {
    on_each_database(|database| {
        let world = &World::new(database);
        let (console, idp, post) = (Console::new(world), Idp::new(world), post_of(world));
        let browser = Browser::signed_in(world, "ann", Role::Owner);
        let list = "/console/subscriptions";
        assert!(browser.text(list).contains("No program is told."));
        let new = "/console/subscriptions/new";
        let form = [
            ("name", "ops <b>"),
            ("url", "https://ops.example.com/events"),
            ("events", "11"),
            ("event.user.created", "on"),
            ("directories", "1"),
            ("directory.default", "on"),
            ("enabled", "true"),
        ];
        let made = browser.fill_in(new, new, &form);
        assert!(made.text().contains("whsec_"), "{}", made.text());
        let shown = console.show("/subscriptions/ops%20%3Cb%3E");
        assert_eq!(shown["events"], json!(["user.created"]));
        assert_eq!(shown["directories"], json!(null), "all, also those to come");
        let page = format!("{list}/{}", shown["id"].as_str().unwrap());

        idp.user("ann");
        tell_all(world);
        posted(&post);
        let told = browser.text(&page);
        assert!(
            told.contains("ops &#60;b&#62;") && told.contains("default, up to"),
            "{told}"
        );
        let log = console.show(&format!(
            "/subscriptions/{}/deliveries",
            shown["id"].as_str().unwrap()
        ));
        let first = format!(
            "{page}/deliveries/{}",
            log["items"][0]["id"].as_str().unwrap()
        );
        let again = browser.fill_in(&page, &format!("{first}/send"), &[]);
        assert!(
            again.text().contains("The message was taken."),
            "{}",
            again.text()
        );
        assert_eq!(posted(&post).len(), 1);

        post.refuses.store(true, Ordering::SeqCst);
        idp.user("ben");
        tell_all(world);
        let failing = browser.text(&page);
        assert!(
            failing.contains("fails</span>") && failing.contains("cannot be reached"),
            "{failing}"
        );
        assert!(browser.text("/console/settings").contains("1 failing"));
        let refused = browser.fill_in(&page, &format!("{page}/test"), &[]);
        assert_eq!(refused.status, 502);
        assert!(
            refused.text().contains("was not taken"),
            "{}",
            refused.text()
        );
        let log = console.show(&format!(
            "/subscriptions/{}/deliveries",
            shown["id"].as_str().unwrap()
        ));
        let skip = format!(
            "{page}/deliveries/{}/skip",
            log["items"][0]["id"].as_str().unwrap()
        );
        assert!(failing.contains(&skip), "{failing}");
        assert!(browser.text(&skip).contains("Go on without this message"));
        let skipped = browser.fill_in(&skip, &skip, &[]);
        assert!(
            skipped.text().contains("The message is skipped"),
            "{}",
            skipped.text()
        );

        let auditor = Browser::signed_in(world, "eve", Role::Auditor);
        let seen = auditor.text(&page);
        assert!(
            seen.contains("What it was told") && !seen.contains("Send again"),
            "{seen}"
        );
        let wrong = browser.fill_in(
            &page,
            &page,
            &[
                ("name", ""),
                ("url", "ftp://x"),
                ("events", "0"),
                ("directories", "0"),
                ("enabled", "true"),
            ],
        );
        assert_eq!(wrong.status, 422, "{}", wrong.text());
        let delete = format!("{page}/delete");
        let deleted = browser.fill_in(&delete, &delete, &[]);
        assert!(
            deleted.text().contains("The subscription is deleted."),
            "{}",
            deleted.text()
        );
        assert_eq!(browser.get(&page).status, 404);
    });
}

#[test]
fn what_rules_hide_is_hidden_from_endpoints() {
    on_each_database(|database| {
        let world = &World::new(database);
        let (console, idp, post) = (Console::new(world), Idp::new(world), post_of(world));
        let row =
            json!({"target": "attr:pin", "source": {"attribute": "title"}, "steps": ["redact"]});
        let rules = json!({"rules": {"mapping": [row]}});
        ok(&console.put("/connectors/idp/rules", rules));
        ok(&console.post("/subscriptions", subscription("all")));
        let ann = idp.post("/Users", &json!({"userName": "ann", "title": "S3cret"}));
        let ann = ann.json()["id"].as_str().unwrap().to_owned();
        world.patch_user(&ann, "title", "S3cret anew");
        tell_all(world);
        let events = posted(&post);
        let told = Value::from(events.clone());
        assert!(!told.to_string().contains("S3cret"), "{told}");
        assert_eq!(words(&events), ["user.created", "user.updated"]);
        let pin = |change: &Value| change["extra"]["pin"].clone();
        assert_eq!(
            pin(&events[0]["change"]["attributes"]),
            json!(["[redacted]"])
        );
        assert_eq!(
            pin(&events[1]["change"]["after"]),
            json!(["[redacted, another value]"])
        );

        // What is sent once more is read from the journal again.
        let deliveries = console.show("/subscriptions/all/deliveries");
        let id = deliveries["items"][0]["id"].as_str().unwrap().to_owned();
        ok(&console.post(
            &format!("/subscriptions/all/deliveries/{id}/send"),
            json!(null),
        ));
        let again = Value::from(posted(&post)).to_string();
        assert!(
            again.contains("[redacted]") && !again.contains("S3cret"),
            "{again}"
        );
    });
}
