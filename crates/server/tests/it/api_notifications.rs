//! Notifications: what administrators are told of, once and by whom, and what the admin API says of its channels.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use directory::notification::{Message, MessageKind, Way};
use directory::{JobKind, JobState};
use emulate::databases::{TestDatabase, on_each_database};
use jiff::SignedDuration;
use provision::{ClaimedNotification, Letter, NotificationSender, ProvisionError, Sent};
use serde_json::{Value, json};
use store::{NewJob, Role, Scope, StoreError};

use crate::api_console::{Console, each, ok, problem};
use crate::http::Ask;
use crate::scim_idp::Idp;
use crate::ui_browser::Browser;
use crate::world::{Product, World};

/// A message, the way it took, and the secret that was used.
type SentMessage = (Way, Option<String>, Message);

/// Takes messages instead of a mail server, or refuses them.
#[derive(Default)]
pub struct Post {
    sent: Mutex<Vec<SentMessage>>,
    /// What was posted to endpoints of subscriptions.
    pub letters: Mutex<Vec<Letter>>,
    pub refuses: AtomicBool,
}

impl NotificationSender for Post {
    fn send<'s>(&'s self, way: &'s Way, secret: Option<&'s str>, message: &'s Message) -> Sent<'s> {
        Box::pin(async move {
            if self.refuses.load(Ordering::SeqCst) {
                return Err("smtp.example.com cannot be reached".to_owned());
            }
            let sent = (way.clone(), secret.map(str::to_owned), message.clone());
            self.sent.lock().unwrap().push(sent);
            Ok("250 taken".to_owned())
        })
    }

    fn post<'s>(&'s self, letter: &'s Letter) -> Sent<'s> {
        Box::pin(async move {
            self.letters.lock().unwrap().push(letter.clone());
            match self.refuses.load(Ordering::SeqCst) {
                true => Err("ops.example.com cannot be reached".to_owned()),
                false => Ok("status 204".to_owned()),
            }
        })
    }
}

pub fn post_of(world: &World) -> Arc<Post> {
    let post = Arc::new(Post::default());
    world.provision.notify_with(Arc::<Post>::clone(&post));
    post
}

fn claim(world: &World) -> Vec<ClaimedNotification> {
    world.run(world.provision.claim_notifications(10)).unwrap()
}

/// What is told now, as sentences: one list for each message.
pub fn tell(world: &World) -> Vec<Vec<String>> {
    let messages = claim(world).into_iter().map(|claimed| {
        let titles = claimed.message.news.iter();
        let titles = titles.map(|one| format!("{}: {}", one.event.as_str(), one.title));
        let titles = titles.collect();
        world
            .run(world.provision.send_notification(claimed))
            .unwrap();
        titles
    });
    messages.collect()
}

pub fn webhook(name: &str) -> Value {
    json!({"name": name, "way": {"webhook": {"url": "https://ops.example.com/hook"}}})
}

fn minutes(count: i64) -> SignedDuration {
    SignedDuration::from_mins(count)
}

/// Ann is let go; those after her are held.
fn leave(console: &Console<'_>, idp: &Idp<'_>, names: &[&str]) {
    let limits = json!({"settings": {"limits": {"deactivations": {"at_least": 1}}}});
    ok(&console.patch("/connectors/idp", limits));
    for name in names {
        let id = idp.user(name);
        let operations = json!([{"op": "replace", "value": {"active": false}}]);
        assert_eq!(idp.patch(&format!("/Users/{id}"), &operations).status, 200);
    }
}

#[test]
fn each_thing_is_told_once_first_at_once_and_then_in_a_digest() {
    on_each_database(|database| {
        let world = &World::new(database);
        let (console, idp) = (Console::new(world), Idp::new(world));
        post_of(world);
        ok(&console.post("/notifications", webhook("ops")));
        assert!(tell(world).is_empty(), "nothing stands");
        leave(&console, &idp, &["ann", "ben", "cid"]);
        let holds = "hold.created: 2 changes of idp wait for a decision";
        assert_eq!(tell(world), [[holds]], "at once");
        assert!(tell(world).is_empty(), "once");

        // What comes within a quarter of an hour is told together after it.
        leave(&console, &idp, &["dan"]);
        // A token that nobody uses any more since another took its place is no news.
        let soon = world.provision.store().now() + minutes(24 * 60);
        let replaced = json!({"label": "replaced", "expires": soon});
        ok(&console.post("/connectors/idp/tokens", replaced));
        world.wait(minutes(1));
        let expires = world.provision.store().now() + minutes(29 * 24 * 60);
        let token = json!({"label": "ci", "expires": expires});
        let made = ok(&console.post("/connectors/idp/tokens", token));
        let id = made["id"].as_str().unwrap().to_owned();
        let uses = vec![(id, world.provision.store().now(), None)];
        world
            .run(world.provision.note_credential_uses(uses))
            .unwrap();
        assert!(tell(world).is_empty(), "not yet");
        world.wait(minutes(15));
        let told = tell(world);
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0].len(), 2, "{told:?}");
        assert_eq!(
            told[0][0], "hold.created: 3 changes of idp wait for a decision",
            "what waits for somebody comes first"
        );
        assert!(
            told[0][1].starts_with("token.expiring: The token ci of idp ends on "),
            "{told:?}"
        );
        world.wait(minutes(15));
        assert!(tell(world).is_empty());

        // One fewer is no news; one more is.
        let first = console.show("/holds?state=open")["items"][0]["id"].clone();
        ok(&console.call(&format!("/holds/{first}/approve")));
        assert!(tell(world).is_empty());
        leave(&console, &idp, &["eva"]);
        assert_eq!(
            tell(world),
            [["hold.created: 3 changes of idp wait for a decision"]]
        );
        ok(&console.post("/connectors/idp/holds/reject", json!({})));
        world.wait(minutes(15));
        assert!(tell(world).is_empty());
    });
}

#[test]
fn everything_that_needs_somebody_is_told() {
    on_each_database(|database| {
        let world = &World::new(database);
        let (console, idp) = (Console::new(world), Idp::new(world));
        post_of(world);
        // Every forty minutes, until it stops.
        for visit in 0..8 {
            idp.user(&format!("user{visit}"));
            console.get("/requests");
            world.wait(minutes(40));
        }
        leave(&console, &idp, &["ann", "ben"]);
        let second = json!({"name": "second", "directory": "default"});
        let second = ok(&console.post("/connectors", second));
        let other = Idp {
            world,
            base: format!("/scim/v2/{}", second["id"].as_str().unwrap()),
            token: second["token"].as_str().unwrap().to_owned(),
        };
        other.user("USER1");
        let conflicts = console.show("/connectors/second/name-conflicts");
        assert_eq!(
            conflicts["items"].as_array().unwrap().len(),
            1,
            "{conflicts}"
        );

        // What a broken database would make of a job and of an evaluation.
        let (directory, connector, cause) = (
            world.connector.connector.directory,
            world.connector.connector.id,
            world.cause(),
        );
        let broken = idp.user("broken");
        let broken = world
            .provision
            .store()
            .write(Scope::Directory(directory), move |tx| {
                let job = tx.insert_job(&NewJob {
                    kind: JobKind::Undo,
                    connector: Some(connector),
                    directory,
                    subject: "yesterday".into(),
                    wish: json!({}),
                    cause: cause.clone(),
                })?;
                tx.finish_job(job.id, JobState::Failed, Some("it cannot be read"))?;
                let until = tx.now() + minutes(2 * 24 * 60);
                let id = tx.source_user(connector, &broken)?.unwrap().pk;
                tx.mark_due(connector, id, until, &cause)?;
                tx.postpone_due(id, until, "its document cannot be read")?;
                Ok::<_, StoreError>(())
            });
        world.run(broken).unwrap();

        let product = Product::reader(world);
        product.post(
            "/webhook",
            r#"{"endpointUrl": "https://app.example.test/hook"}"#,
        );
        idp.user("news");
        for _ in 0..5 {
            world.wait(minutes(5));
            let called = world
                .run(world.provision.claim_webhooks(1))
                .unwrap()
                .remove(0);
            let reported = world
                .provision
                .report_webhook(called, Err("it is gone".into()));
            world.run(reported).unwrap();
        }
        let expires = world.provision.store().now() + minutes(1);
        ok(&console.post(
            "/tokens",
            json!({"label": "script", "role": "auditor", "expires": expires}),
        ));
        world.wait(SignedDuration::from_hours(25));
        console.get("/requests");
        world.run(world.provision.work_off()).unwrap();
        world.run(world.provision.keep_holds()).unwrap();

        ok(&console.post("/notifications", webhook("ops")));
        let mut confined = webhook("second");
        confined["connectors"] = json!(["second"]);
        ok(&console.post("/notifications", confined));
        let mut some = webhook("tokens");
        some["events"] = json!(["token.expired", "token.expiring"]);
        ok(&console.post("/notifications", some));
        let told = tell(world);
        let mut all = told[0].clone();
        all.sort();
        let begins = [
            "conflict.created: 1 user of second has a name that is taken",
            "connector.silent: The identity provider of idp is silent",
            "delivery.failed: A webhook of reader is not answered",
            "evaluation.failed: 1 user of idp cannot be evaluated",
            "hold.created: 1 change of idp waits for a decision",
            "hold.escalated: 1 change of idp has waited for more than a day",
            "job.failed: A job for the directory default failed",
            "token.expired: The token script of the admin API ended on ",
        ];
        assert_eq!(all.len(), begins.len(), "{all:#?}");
        for (one, begin) in all.iter().zip(begins) {
            assert!(one.starts_with(begin), "{all:#?}");
        }
        assert_eq!(told[1], [begins[0]]);
        assert_eq!(told[2].len(), 1, "{told:?}");
        // It comes back, and stops once more.
        idp.user("again");
        console.get("/overview");
        world.wait(minutes(15));
        assert_eq!(
            tell(world),
            [["connector.silent: The identity provider of idp comes again"]]
        );
        world.wait(SignedDuration::from_hours(3));
        let told = tell(world);
        assert_eq!(
            told,
            [["connector.silent: The identity provider of idp is silent"]]
        );
    });
}

#[test]
fn one_node_sends_and_what_is_lost_is_sent_again() {
    on_each_database(|database| {
        let world = &World::new(database);
        let (console, idp) = (Console::new(world), Idp::new(world));
        let post = post_of(world);
        ok(&console.post("/notifications", webhook("ops")));
        leave(&console, &idp, &["ann", "ben"]);
        if database.url.starts_with("postgres") {
            let node = world.beside(database);
            let gone = (claim(world), claim(&node));
            assert_eq!(gone.0.len() + gone.1.len(), 1, "only one node sends");
        } else {
            assert_eq!(claim(world).len(), 1);
        }
        assert!(claim(world).is_empty(), "somebody is at it");
        world.wait(minutes(3));
        let mut late = claim(world);
        let first = late[0].message.id.clone();
        world.wait(minutes(3));
        post.refuses.store(true, Ordering::SeqCst);
        let failing = claim(world).remove(0);
        assert_eq!(failing.message.id, first, "the same message");
        let after = world
            .run(world.provision.send_notification(failing))
            .unwrap();
        assert_eq!(after.failures, 1);
        assert!(claim(world).is_empty(), "not at once");
        // Who comes late has no say any more.
        post.refuses.store(false, Ordering::SeqCst);
        world
            .run(world.provision.send_notification(late.remove(0)))
            .unwrap();
        let shown = console.show("/notifications/OPS");
        assert_eq!(
            (&shown["state"], &shown["failures"]),
            (&json!("failing"), &json!(1))
        );
        assert_eq!(shown["last_error"], "smtp.example.com cannot be reached");

        // Others tell of it.
        let mut other = webhook("other");
        other["events"] = json!(["delivery.failed"]);
        ok(&console.post("/notifications", other));
        post.refuses.store(true, Ordering::SeqCst);
        for _ in 0..4 {
            world.wait(minutes(5));
            assert_eq!(tell(world).len(), 1);
        }
        let metrics = world.send(Ask::new("GET", "/metrics".to_owned()));
        let metrics = metrics.text();
        let id = shown["id"].as_str().unwrap();
        let line = format!("vestibule_notification_failures{{channel=\"{id}\"}} 5");
        assert!(metrics.contains(&line), "{metrics}");
        post.refuses.store(false, Ordering::SeqCst);
        world.wait(minutes(5));
        let mut told = tell(world);
        told.sort();
        assert_eq!(
            told,
            [
                ["delivery.failed: The notification channel ops does not work"],
                ["hold.created: 1 change of idp waits for a decision"],
            ]
        );
        let shown = console.show("/notifications/ops");
        assert_eq!(
            (&shown["state"], &shown["last_answer"]),
            (&json!("working"), &json!("250 taken"))
        );
        assert_eq!(shown["last_error"], Value::Null);
    });
}

#[test]
fn channels_are_made_shown_changed_tested_and_deleted() {
    on_each_database(|database| {
        let world = &World::new(database);
        let console = Console::new(world);
        let post = post_of(world);
        let made = ok(&console.post("/notifications", webhook("ops")));
        let key = made["secret"].as_str().unwrap().to_owned();
        assert!(key.starts_with("whsec_"), "{key}");
        assert_eq!(
            (&made["state"], &made["every_minutes"]),
            (&json!("new"), &json!(15))
        );
        let mail = json!({
            "name": "Mail", "every_minutes": 60, "events": ["hold.created"], "connectors": ["IDP"],
            "way": {"mail": {"host": "smtp.example.com", "username": "vestibule", "from": "v@example.com",
                             "to": ["a@example.com", "b@example.com"]}},
            "secret": "violet anchor",
        });
        let made = ok(&console.post("/notifications", mail.clone()));
        assert!(made.get("secret").is_none(), "{made}");
        assert_eq!(made["way"]["mail"]["security"], "starttls");
        let chat = json!({"name": "chat", "way": {"chat": {}}, "secret": "https://chat.example.com/T0/secret"});
        ok(&console.post("/notifications", chat));
        let listed = console.get("/notifications");
        for secret in [key.as_str(), "violet", "T0"] {
            assert!(!listed.text().contains(secret), "{}", listed.text());
        }
        let listed = listed.json();
        assert_eq!(each(&listed, "name"), ["chat", "Mail", "ops"]);
        let shown = &listed["items"][1];
        assert_eq!(shown["events"], json!(["hold.created"]));
        assert_eq!(shown["connectors"], json!(["idp"]));
        assert_eq!(shown["has_secret"], true);

        // The test uses the secret; what the other end says is the answer.
        let tested = ok(&console.call("/notifications/mail/test"));
        assert_eq!(tested["answer"], "250 taken");
        ok(&console.call("/notifications/ops/test"));
        {
            let sent = post.sent.lock().unwrap();
            assert_eq!(sent[0].1.as_deref(), Some("violet anchor"));
            assert_eq!(sent[1].1.as_deref(), Some(key.as_str()));
            assert_eq!(sent[1].2.kind, MessageKind::Test);
        }
        assert_eq!(console.show("/notifications/mail")["state"], "working");
        post.refuses.store(true, Ordering::SeqCst);
        let (status, detail) = problem(&console.call("/notifications/mail/test"));
        assert_eq!(status, 502);
        assert!(
            detail.contains("smtp.example.com cannot be reached"),
            "{detail}"
        );
        assert_eq!(console.show("/notifications/mail")["state"], "failing");
        post.refuses.store(false, Ordering::SeqCst);

        // The password stays, but is not given to another server.
        let mut changed = mail.clone();
        let without = changed.as_object_mut().unwrap();
        without.remove("secret");
        without.remove("events");
        without.insert("name".into(), json!("letters"));
        let shown = ok(&console.put("/notifications/mail", changed.clone()));
        assert_eq!(
            (&shown["name"], &shown["events"]),
            (&json!("letters"), &Value::Null)
        );
        assert_eq!(shown["state"], "working", "what failed is forgotten");
        ok(&console.call("/notifications/letters/test"));
        let last = post.sent.lock().unwrap().pop().unwrap();
        assert_eq!(last.1.as_deref(), Some("violet anchor"));
        changed["way"]["mail"]["host"] = json!("smtp.example.org");
        let (status, detail) = problem(&console.put("/notifications/letters", changed));
        assert_eq!(status, 422, "{detail}");
        assert!(detail.contains("secret"), "{detail}");
        let mut renewed = webhook("ops");
        renewed["secret"] = json!("");
        let renewed = ok(&console.put("/notifications/ops", renewed));
        assert_ne!(renewed["secret"], key.as_str());

        for (body, member) in [
            (json!({"name": " ", "way": {"chat": {}}}), "name"),
            (json!({"name": "x", "way": {"chat": {}}}), "secret"),
            (
                json!({"name": "x", "way": {"chat": {}}, "secret": "ftp://x"}),
                "secret",
            ),
            (
                json!({"name": "x", "way": {"webhook": {"url": "no"}}}),
                "url",
            ),
            (
                json!({"name": "x", "way": {"webhook": {"url": "https://a"}}, "secret": "abc"}),
                "secret",
            ),
            (
                json!({"name": "x", "way": {"webhook": {"url": "https://a"}}, "events": []}),
                "events",
            ),
            (
                json!({"name": "x", "way": {"webhook": {"url": "https://a"}}, "events": ["x"]}),
                "x",
            ),
            (
                json!({"name": "x", "way": {"webhook": {"url": "https://a"}}, "every_minutes": 0}),
                "every_minutes",
            ),
            (
                json!({"name": "x", "way": {"webhook": {"url": "https://a"}}, "connectors": ["no"]}),
                "no",
            ),
            (json!({"name": "x", "way": {"pigeon": {}}}), "pigeon"),
            (
                json!({"name": "x", "way": {"mail": {"host": "h", "from": "a@b", "to": []}}}),
                "to",
            ),
            (
                json!({"name": "x", "way": {"mail": {"host": "h", "security": "none", "username": "u", "from": "a@b", "to": ["a@b"]}}, "secret": "p"}),
                "security",
            ),
        ] {
            let answer = console.post("/notifications", body.clone());
            let (status, detail) = problem(&answer);
            assert!((400..500).contains(&status), "{body}: {status}");
            assert!(detail.contains(member), "{body}: {detail}");
        }
        let (status, _) = problem(&console.post("/notifications", webhook("OPS")));
        assert_eq!(status, 409);

        let audit = console.get("/audit");
        let audit = audit.text();
        assert!(audit.contains("create_notification_channel"), "{audit}");
        for secret in ["violet", "T0"] {
            assert!(!audit.contains(secret), "{audit}");
        }
        assert_eq!(console.delete("/notifications/ops").status, 204);
        assert_eq!(problem(&console.get("/notifications/ops")).0, 404);
        assert_eq!(problem(&console.call("/notifications/ops/test")).0, 404);
    });
}

#[test]
fn a_secret_is_of_no_use_without_the_key_of_the_installation() {
    let database = TestDatabase::sqlite().unwrap();
    let world = &World::new(&database);
    let console = Console::new(world);
    let chat = json!({"name": "chat", "way": {"chat": {}}, "secret": "https://chat.example.com/T0/secret"});
    ok(&console.post("/notifications", chat));
    let sealed = world.run(
        world
            .provision
            .store()
            .read(|tx| Ok::<_, ProvisionError>(tx.channels()?.remove(0).sealed)),
    );
    assert!(!sealed.unwrap().unwrap().contains("chat.example"));
    // Nobody sends here.
    let (status, detail) = problem(&console.call("/notifications/chat/test"));
    assert_eq!(status, 502);
    assert!(detail.contains("sends no notifications"), "{detail}");
}

#[test]
fn channels_are_kept_in_the_console() {
    let database = TestDatabase::sqlite().unwrap();
    let world = &World::new(&database);
    let post = post_of(world);
    let ann = Browser::signed_in(world, "ann", Role::Owner);
    let list = "/console/notifications";
    assert!(ann.get(list).text().contains("There is no channel"));
    let new = "/console/notifications/new/mail";
    let mut fields = vec![
        ("kind", "mail"),
        ("events", "9"),
        ("event.hold.created", "on"),
        ("name", "Operations"),
        ("host", "smtp.example.com"),
        ("security", "none"),
        ("port", ""),
        ("username", "vestibule"),
        ("secret", "violet anchor"),
        ("from", "vestibule@example.com"),
        ("to", "ann@example.com, bob@example.com"),
        ("every_minutes", "30"),
        ("enabled", "true"),
    ];
    let refused = ann.fill_in(new, new, &fields);
    assert_eq!(refused.status, 422, "{}", refused.text());
    for kept in ["without encryption", "bob@example.com", "value=\"30\""] {
        assert!(refused.text().contains(kept), "{kept}: {}", refused.text());
    }
    assert!(!refused.text().contains("violet"));
    fields[5].1 = "starttls";
    let made = ann.fill_in(new, new, &fields);
    assert!(made.text().contains("Saved."), "{}", made.text());
    let made = Console::new(world).show("/notifications")["items"][0].clone();
    let place = format!("/console/notifications/{}", made["id"].as_str().unwrap());
    let page = ann.get(&place);
    assert!(
        page.text().contains("There was none yet"),
        "{}",
        page.text()
    );
    let tested = ann.fill_in(&place, &format!("{place}/test"), &[]);
    assert!(tested.text().contains("250 taken"), "{}", tested.text());
    post.refuses.store(true, Ordering::SeqCst);
    let tested = ann.fill_in(&place, &format!("{place}/test"), &[]);
    assert_eq!(tested.status, 502);
    assert!(
        tested.text().contains("cannot be reached"),
        "{}",
        tested.text()
    );
    let listed = ann.get(list);
    for shown in [
        "Operations",
        "mail to ann@example.com, bob@example.com",
        "Changes wait for a decision",
        "fails",
    ] {
        assert!(listed.text().contains(shown), "{shown}: {}", listed.text());
    }

    let auditor = Browser::signed_in(world, "eve", Role::Auditor);
    let seen = auditor.get(&place);
    assert!(
        seen.text().contains("Only an owner changes it"),
        "{}",
        seen.text()
    );
    let hook = "/console/notifications/new/webhook";
    let fields = [
        ("kind", "webhook"),
        ("events", "0"),
        ("name", "hook"),
        ("url", "https://ops.example.com/hook"),
        ("every_minutes", "15"),
        ("enabled", "true"),
    ];
    let made = ann.fill_in(hook, hook, &fields);
    assert!(made.text().contains("whsec_"), "{}", made.text());
    assert!(!ann.get(list).text().contains("whsec_"));
    let delete = format!("{place}/delete");
    let deleted = ann.fill_in(&delete, &delete, &[]);
    assert!(deleted.text().contains("is deleted."), "{}", deleted.text());
    assert!(!ann.get(list).text().contains("Operations"));
    assert_eq!(ann.get("/console/notifications/new/pigeon").status, 404);
}
