//! Logins: what a product hears about users and passwords, and that it is never a 401.

use emulate::databases::on_each_database;
use jiff::SignedDuration;
use serde_json::json;

use crate::api_console::{Console, ok as ok_admin};
use crate::http::{Answer, Ask};
use crate::world::{Product, World, ok, refusal};

fn login(product: &Product<'_>, user: &str, password: &str) -> Answer {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?><password><value>{password}</value></password>"
    );
    product.post(&format!("/authentication?username={user}"), &body)
}

#[track_caller]
fn refused(answer: &Answer, reason: &str) {
    assert_eq!(
        refusal(answer),
        (400, reason.to_owned()),
        "{}",
        answer.text()
    );
}

#[test]
fn every_outcome_of_a_login() {
    on_each_database(|database| {
        let world = World::new(database);
        let mira = world.user_with_password(
            json!({"userName": "mira", "displayName": "Mira"}),
            Some("s3cret &"),
        );
        world.user(json!({"userName": "jon"}));
        let product = Product::reader(&world);
        let answer = login(&product, "MIRA", "s3cret &amp;");
        let user = crowd::answer::user(ok(&answer).as_bytes()).unwrap();
        assert_eq!((user.name.as_str(), user.active), ("mira", true));
        assert!(user.key.is_some());
        let answer = product
            .json()
            .post("/authentication?username=mira", "{\"value\":\"s3cret &\"}");
        ok(&answer);
        assert_eq!(answer.json()["display-name"], "Mira");
        let wrong = login(&product, "mira", "wrong");
        refused(&wrong, "INVALID_USER_AUTHENTICATION");
        assert!(
            wrong
                .text()
                .contains("Failed to authenticate principal, password was invalid")
        );
        refused(&login(&product, "mira", ""), "INVALID_USER_AUTHENTICATION");
        refused(
            &product.post("/authentication?username=mira", "<password/>"),
            "INVALID_USER_AUTHENTICATION",
        );
        refused(
            &product.post("/authentication?username=mira", ""),
            "INVALID_USER_AUTHENTICATION",
        );
        refused(
            &login(&product, "jon", "anything"),
            "INVALID_USER_AUTHENTICATION",
        );
        refused(&login(&product, "nobody", "s3cret &amp;"), "USER_NOT_FOUND");
        refused(
            &product.post("/authentication", "<password/>"),
            "ILLEGAL_ARGUMENT",
        );
        world.patch_user(&mira, "active", false);
        refused(&login(&product, "mira", "s3cret &amp;"), "INACTIVE_ACCOUNT");
        refused(
            &login(&product, "mira", "wrong"),
            "INVALID_USER_AUTHENTICATION",
        );
    });
}

#[test]
fn a_login_by_other_means_is_only_a_notice() {
    on_each_database(|database| {
        let world = World::new(database);
        let mira = world.mira();
        let product = Product::reader(&world);
        for body in ["", "<password/>", "{}"] {
            let answer = product.post("/authentication/notify?username=mira", body);
            assert!(crowd::answer::user(ok(&answer).as_bytes()).unwrap().active);
        }
        refused(
            &product.post("/authentication/notify?username=jon", ""),
            "USER_NOT_FOUND",
        );
        world.patch_user(&mira, "active", false);
        refused(
            &product.post("/authentication/notify?username=mira", ""),
            "INACTIVE_ACCOUNT",
        );
    });
}

/// Nothing about the user or the password; a product takes it for trouble that passes.
#[track_caller]
fn throttled(answer: &Answer) {
    assert_eq!(refusal(answer), (429, "OPERATION_FAILED".to_owned()));
    let after: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=300).contains(&after), "{after}");
    assert!(
        answer.text().contains(&format!(" {after} s")),
        "{}",
        answer.text()
    );
}

#[test]
fn guessing_slows_down_one_user_of_one_application_only() {
    on_each_database(|database| {
        let world = World::new(database);
        world.user_with_password(json!({"userName": "mira"}), Some("right"));
        world.user_with_password(json!({"userName": "jon"}), Some("right"));
        let product = Product::reader(&world);
        let guess = || {
            let ask = product.ask("POST", "/authentication?username=mira");
            ask.header("Content-Type", "application/xml")
                .body("<password><value>wrong</value></password>")
        };
        let answers = world.run(async {
            let send = |ask: Ask| {
                let address = world.address.clone();
                tokio::spawn(async move { ask.send(&address).await })
            };
            let sent: Vec<_> = (0..20).map(|_| send(guess())).collect();
            let mut answers = Vec::new();
            for answer in sent {
                answers.push(answer.await.unwrap());
            }
            answers
        });
        for answer in &answers {
            match answer.status {
                429 => throttled(answer),
                _ => refused(answer, "INVALID_USER_AUTHENTICATION"),
            }
        }
        // Nobody says that the right password is wrong: the product hears that it was not looked at.
        throttled(&login(&product, "mira", "right"));
        let context = r#"{"username": "mira", "password": "right", "validation-factors": {"validationFactors": []}}"#;
        throttled(&product.json().post("/session", context));
        ok(&login(&product, "jon", "right"));
        ok(&login(&Product::writer(&world), "mira", "right"));
        world.wait(SignedDuration::from_secs(10));
        ok(&login(&product, "mira", "right"));
    });
}

#[test]
fn the_products_log_is_told_why_nobody_can_log_in_by_password() {
    on_each_database(|database| {
        let world = World::new(database);
        world.mira();
        let product = Product::reader(&world);
        let off = login(&product, "mira", "whatever");
        refused(&off, "INVALID_USER_AUTHENTICATION");
        assert!(off.text().contains("switch on accept_passwords"));
        assert!(off.text().contains("&lt;idp&gt;"), "{}", off.text());
        let console = Console::new(&world);
        let accept = serde_json::json!({"settings": {"accept_passwords": true}});
        ok_admin(&console.patch("/connectors/idp", accept));
        let on = login(&product, "mira", "whatever");
        assert!(on.text().contains("has not pushed one"), "{}", on.text());
    });
}

#[test]
fn names_that_nobody_has_are_throttled_alike() {
    on_each_database(|database| {
        let world = World::new(database);
        let product = Product::reader(&world);
        for _ in 0..10 {
            refused(&login(&product, "nobody", "x"), "USER_NOT_FOUND");
        }
        let answers: Vec<_> = (0..2).map(|_| login(&product, "NOBODY", "x")).collect();
        for answer in &answers {
            refused(answer, "USER_NOT_FOUND");
        }
        throttled(&login(&product, "nobody", "x"));
    });
}

#[test]
fn a_log_in_wakes_whom_the_rule_for_the_inactive_took() {
    on_each_database(|database| {
        let rules = json!({"inactivity": {
            "days": 30, "include_never_logged_in": true, "sticky": false,
        }});
        let world = World::with_rules(database, serde_json::from_value(rules).unwrap());
        let mira = world.user_with_password(json!({"userName": "mira"}), Some("secret"));
        world.user(json!({"userName": "jon"}));
        let product = Product::reader(&world);
        let sleep = || {
            world.wait(SignedDuration::from_hours(24 * 31));
            world.run(world.provision.work_off()).unwrap();
        };
        let is_active = || {
            let user = product.json().get("/user?username=mira").json();
            user["active"].as_bool().unwrap()
        };
        sleep();
        assert!(!is_active());
        refused(
            &login(&product, "mira", "wrong"),
            "INVALID_USER_AUTHENTICATION",
        );
        assert!(!is_active(), "who does not know the password wakes nobody");
        ok(&login(&product, "mira", "secret"));
        assert!(is_active());

        // So does a product that vouches for somebody: by a session, or by telling of a log-in.
        sleep();
        let session = "/session?validate-password=false";
        let factors = r#"{"username": "mira", "validation-factors": {"validationFactors": []}}"#;
        assert_eq!(product.json().post(session, factors).status, 201);
        assert!(is_active());
        sleep();
        ok(&product.post("/authentication/notify?username=mira", ""));
        assert!(is_active());

        // Whom the identity provider says is inactive, nobody wakes.
        world.patch_user(&mira, "active", false);
        refused(&login(&product, "mira", "secret"), "INACTIVE_ACCOUNT");
        let jon = product.post("/authentication/notify?username=jon", "");
        assert_eq!(jon.status, 200, "{}", jon.text());
    });
}

#[test]
fn rules_that_look_at_log_ins_are_asked_at_each_and_others_are_not() {
    on_each_database(|database| {
        let rules = json!({"mapping": [{
            "target": "attr:seen",
            "source": {"attribute": "userName"},
            "steps": [{"if": {
                "when": "trigger eq \"login\"", "then": [{"constant": "yes"}], "else": [{"constant": "no"}],
            }}],
        }]});
        let world = World::with_rules(database, serde_json::from_value(rules).unwrap());
        world.user_with_password(json!({"userName": "mira"}), Some("secret"));
        let product = Product::reader(&world);
        let seen = || {
            let path = "/user?username=mira&expand=attributes";
            let user = product.json().get(path).json();
            let attributes = user["attributes"]["attributes"].as_array().unwrap().clone();
            let seen = attributes
                .into_iter()
                .find(|it| it["name"] == "seen")
                .unwrap();
            seen["values"][0].as_str().unwrap().to_owned()
        };
        assert_eq!(seen(), "no");
        ok(&login(&product, "mira", "secret"));
        assert_eq!(seen(), "yes");
    });
}
