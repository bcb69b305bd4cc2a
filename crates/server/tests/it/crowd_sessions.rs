//! Single sign-on: sessions from their beginning to every way in which they end.

use emulate::databases::{TestDatabase, on_each_database};
use jiff::{SignedDuration, Timestamp};
use provision::{Begun, SessionWish};
use serde_json::{Value, json};
use store::{Access, Factors, SignInSettings};

use crate::api_console::{self, Console};
use crate::http::Answer;
use crate::world::{Product, World, ok, refusal};

const HERE: &str = r#"{"validationFactors":[{"name":"remote_address","value":"192.0.2.10"},{"name":"X-Forwarded-For","value":"10.0.0.1"}]}"#;
const PASSWORD: &str = "s3cret & more";

#[track_caller]
fn refused(answer: &Answer, status: u16, reason: &str) {
    assert_eq!(
        refusal(answer),
        (status, reason.to_owned()),
        "{}",
        answer.text()
    );
}

fn mira(world: &World) -> String {
    let body = json!({"userName": "mira", "displayName": "Mira Solberg"});
    world.user_with_password(body, Some(PASSWORD))
}

/// Opens a session of mira with these factors.
fn begin(product: &Product<'_>, query: &str, factors: &str) -> Answer {
    let factors: Value = serde_json::from_str(factors).unwrap();
    let context = json!({"username": "mira", "password": PASSWORD, "validation-factors": factors});
    product
        .json()
        .post(&format!("/session{query}"), &context.to_string())
}

#[track_caller]
fn token(answer: &Answer) -> String {
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()["token"].as_str().unwrap().to_owned()
}

fn expiry(answer: &Answer) -> Timestamp {
    let millis = answer.json()["expiry-date"].as_i64().unwrap();
    Timestamp::from_millisecond(millis).unwrap()
}

fn check(product: &Product<'_>, token: &str, factors: &str) -> Answer {
    product.json().post(&format!("/session/{token}"), factors)
}

#[test]
fn a_session_from_login_to_logout() {
    on_each_database(|database| {
        let world = World::new(database);
        mira(&world);
        let product = Product::reader(&world);
        let xml = format!(
            "<authentication-context><username>MIRA</username><password>{}</password><validation-factors>\
             <validation-factor><name>remote_address</name><value>192.0.2.10</value></validation-factor>\
             </validation-factors></authentication-context>",
            "s3cret &amp; more"
        );
        let begun = product.post("/session", &xml);
        assert_eq!(begun.status, 201, "{}", begun.text());
        let shape = begun.text();
        assert!(
            shape.contains("<session expand=\"user\"><token>"),
            "{shape}"
        );
        assert!(shape.contains("<user name=\"mira\"><link"), "{shape}");
        let token = shape.split_once("<token>").unwrap().1;
        let token = token.split_once("</token>").unwrap().0.to_owned();
        assert_eq!(token.len(), 24);
        assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        let place = format!("{}/session/{token}", product.url());
        assert_eq!(begun.header("location"), Some(place.as_str()));

        let shown = product.json().get(&format!("/session/{token}"));
        ok(&shown);
        let shown = shown.json();
        assert_eq!(shown["token"], token.as_str());
        assert_eq!(shown["user"]["name"], "mira");
        assert!(shown["user"]["display-name"].is_null(), "{shown}");
        assert_eq!(shown["link"]["href"], place.as_str());
        let lives =
            shown["expiry-date"].as_i64().unwrap() - shown["created-date"].as_i64().unwrap();
        assert_eq!(lives, 30 * 60 * 1_000);
        let full = product.json().get(&format!("/session/{token}?expand=user"));
        assert_eq!(full.json()["user"]["display-name"], "Mira Solberg");
        assert_eq!(full.json()["user"]["active"], true);

        let factors = "<validation-factors><validation-factor><name>remote_address</name><value>192.0.2.10</value>\
                       </validation-factor></validation-factors>";
        ok(&product.post(&format!("/session/{token}"), factors));
        assert_eq!(product.delete(&format!("/session/{token}")).status, 204);
        assert_eq!(product.delete(&format!("/session/{token}")).status, 204);
        refused(
            &product.get(&format!("/session/{token}")),
            404,
            "INVALID_SSO_TOKEN",
        );
        refused(
            &product.post(&format!("/session/{token}"), factors),
            404,
            "INVALID_SSO_TOKEN",
        );
    });
}

#[test]
fn the_same_person_with_the_same_factors_has_the_same_token() {
    on_each_database(|database| {
        let world = World::new(database);
        mira(&world);
        let jira = Product::reader(&world);
        let wiki = Product::writer(&world);
        let first = token(&begin(&jira, "", HERE));
        // Another order, a repetition, another product: the same set of factors.
        let turned = r#"[{"name":"X-Forwarded-For","value":"10.0.0.1"},{"name":"remote_address","value":"192.0.2.10"},
                         {"name":"X-Forwarded-For","value":"10.0.0.1"}]"#;
        let turned = format!("{{\"validation-factor\":{turned}}}");
        assert_eq!(token(&begin(&wiki, "", &turned)), first);
        let elsewhere = r#"{"validationFactors":[{"name":"remote_address","value":"192.0.2.11"}]}"#;
        let second = token(&begin(&jira, "", elsewhere));
        assert_ne!(second, first);
        assert_ne!(token(&begin(&jira, "", "{}")), second);
        // The other product honours it, in the same hands only.
        ok(&check(&wiki, &first, &turned));
        refused(&check(&wiki, &first, elsewhere), 404, "INVALID_SSO_TOKEN");
        refused(&check(&wiki, &first, "{}"), 404, "INVALID_SSO_TOKEN");
        ok(&wiki.get(&format!("/session/{first}")));
        jira.delete(&format!("/session/{first}"));
        refused(&check(&wiki, &first, HERE), 404, "INVALID_SSO_TOKEN");
        assert_ne!(
            token(&begin(&jira, "", HERE)),
            first,
            "an ended session stays ended"
        );
    });
}

#[test]
fn sessions_survive_a_restart_and_no_usable_token_is_stored() {
    on_each_database(|database| {
        let world = World::new(database);
        mira(&world);
        let product = Product::reader(&world);
        let credentials = product.credentials.clone();
        let first = token(&begin(&product, "", HERE));
        let stored = world.run(world.provision.store().read({
            let first = first.clone();
            move |tx| tx.session(&store::token_hash(&first))
        }));
        let stored: store::Session = stored.unwrap().unwrap();
        assert!(!format!("{stored:?}").contains(&first));
        let world = world.restarted(database);
        let product = Product::known(&world, credentials.clone());
        ok(&check(&product, &first, HERE));
        assert_eq!(token(&begin(&product, "", HERE)), first);
        if database.url.starts_with("postgres") {
            let node = world.beside(database);
            let other = Product::known(&node, credentials);
            ok(&check(&other, &first, HERE));
            assert_eq!(token(&begin(&other, "", HERE)), first);
            other.delete(&format!("/session/{first}"));
            refused(&check(&product, &first, HERE), 404, "INVALID_SSO_TOKEN");
        }
    });
}

#[test]
fn two_at_once_get_one_session() {
    on_each_database(|database| {
        let world = World::new(database);
        mira(&world);
        let product = Product::reader(&world);
        let context = json!({"username": "mira", "validation-factors": {}}).to_string();
        let answers = world.run(async {
            let send = || {
                let ask = product
                    .json()
                    .ask("POST", "/session?validate-password=false")
                    .header("Content-Type", "application/json")
                    .body(context.clone());
                let address = world.address.clone();
                tokio::spawn(async move { ask.send(&address).await })
            };
            let sent: Vec<_> = (0..8).map(|_| send()).collect();
            let mut answers = Vec::new();
            for answer in sent {
                answers.push(answer.await.unwrap());
            }
            answers
        });
        let tokens: std::collections::BTreeSet<String> = answers.iter().map(token).collect();
        assert_eq!(tokens.len(), 1);
    });
}

#[test]
fn time_ends_sessions_and_use_prolongs_them() {
    on_each_database(|database| {
        let world = World::new(database);
        mira(&world);
        let product = Product::reader(&world);
        let console = Console::new(&world);
        let minutes = SignedDuration::from_mins;
        let long = token(&begin(&product, "", HERE));
        let short = token(&begin(&product, "?duration=60", "{}"));
        world.wait(minutes(2));
        refused(
            &product.get(&format!("/session/{short}")),
            404,
            "INVALID_SSO_TOKEN",
        );
        let before = expiry(&product.json().get(&format!("/session/{long}")));
        world.wait(minutes(27));
        let used = check(&product, &long, HERE);
        assert_eq!(expiry(&used).duration_since(before).as_secs() / 60, 29);
        world.wait(minutes(29));
        // Looking does not prolong; a use does.
        ok(&product.get(&format!("/session/{long}")));
        world.wait(minutes(2));
        refused(&check(&product, &long, HERE), 404, "INVALID_SSO_TOKEN");

        let settings = json!({"session_idle_minutes": 10, "session_life_minutes": 15});
        api_console::ok(&console.patch("/applications/reader/sign-in", settings));
        // A longer time than the server's own is not to be had.
        let begun = begin(&product, "?duration=36000", HERE);
        let third = token(&begun);
        assert_ne!(third, long);
        world.wait(minutes(9));
        let used = check(&product, &third, HERE);
        let whole = expiry(&used).duration_since(expiry(&begun));
        assert_eq!(whole.as_secs(), 5 * 60, "it lives 15 minutes in all");
        world.wait(minutes(7));
        refused(&check(&product, &third, HERE), 404, "INVALID_SSO_TOKEN");
        assert_eq!(world.run(world.provision.prune_sessions()).unwrap(), 1);
        assert_eq!(world.run(world.provision.prune_sessions()).unwrap(), 0);
    });
}

#[test]
fn the_account_decides_about_its_sessions() {
    on_each_database(|database| {
        let world = World::new(database);
        let id = mira(&world);
        let product = Product::reader(&world);
        let vouched = "?validate-password=false";
        let first = token(&begin(&product, vouched, HERE));
        world.patch_user(&id, "userName", "mira.solberg");
        let renamed = product.json().get(&format!("/session/{first}"));
        assert_eq!(
            renamed.json()["user"]["name"],
            "mira.solberg",
            "it follows a rename"
        );
        world.patch_user(&id, "userName", "mira");

        world.patch_user(&id, "active", false);
        refused(&check(&product, &first, HERE), 404, "INVALID_SSO_TOKEN");
        world.patch_user(&id, "active", true);
        refused(&check(&product, &first, HERE), 404, "INVALID_SSO_TOKEN");

        let second = token(&begin(&product, "", HERE));
        world.set_password(&id, "another password");
        refused(&check(&product, &second, HERE), 404, "INVALID_SSO_TOKEN");
        refused(
            &begin(&product, "", HERE),
            400,
            "INVALID_USER_AUTHENTICATION",
        );

        let third = token(&begin(&product, vouched, HERE));
        world.delete_user(&id);
        refused(
            &product.get(&format!("/session/{third}")),
            404,
            "INVALID_SSO_TOKEN",
        );
        world.user(json!({"userName": "mira"}));
        refused(
            &product.get(&format!("/session/{third}")),
            404,
            "INVALID_SSO_TOKEN",
        );
    });
}

#[test]
fn a_password_that_changes_while_it_is_compared_opens_nothing() {
    on_each_database(|database| {
        let world = World::new(database);
        let id = mira(&world);
        let store = world.provision.store();
        let directory = world.connector.connector.directory;
        let user = store
            .read_blocking(|tx| tx.directory_user(directory, "mira"))
            .unwrap()
            .unwrap();
        let hash = || {
            let kept = store.read_blocking(|tx| tx.password_of(&user)).unwrap();
            kept.unwrap().hash
        };
        // What a login knows at the moment in which the password was right.
        let begin = |proof: Option<String>| {
            let wish = SessionWish {
                user: user.pk,
                proof,
                factors: Factors::default(),
                duration: None,
                application: "jira".to_owned(),
                settings: SignInSettings::default(),
            };
            world.run(world.provision.begin_session(wish)).unwrap()
        };
        let before = hash();
        assert!(matches!(begin(Some(before.clone())), Begun::Session(_)));
        world.set_password(&id, "another password");
        assert!(matches!(begin(Some(before)), Begun::OtherPassword));
        let sessions = store.read_blocking(|tx| tx.sessions_of(user.pk)).unwrap();
        assert_eq!(sessions.len(), 0, "neither the old one nor a new one");
        assert!(matches!(begin(Some(hash())), Begun::Session(_)));
        assert!(matches!(begin(None), Begun::Session(_)), "vouched for");
    });
}

#[test]
fn whoever_may_not_log_in_gets_no_session() {
    on_each_database(|database| {
        let world = World::new(database);
        let id = mira(&world);
        world.user(json!({"userName": "jon"}));
        let product = Product::reader(&world);
        let wrong = json!({"username": "mira", "password": "wrong"}).to_string();
        refused(
            &product.json().post("/session", &wrong),
            400,
            "INVALID_USER_AUTHENTICATION",
        );
        for name in ["nobody", "jon"] {
            let context = json!({"username": name, "password": "wrong"}).to_string();
            let answer = product.json().post("/session", &context);
            refused(&answer, 400, "INVALID_USER_AUTHENTICATION");
        }
        let unknown = json!({"userName": "nobody"}).to_string();
        let answer = product
            .json()
            .post("/session?validate-password=false", &unknown);
        refused(&answer, 400, "INVALID_USER_AUTHENTICATION");
        let without = json!({"username": "mira"}).to_string();
        refused(
            &product.json().post("/session", &without),
            400,
            "INVALID_USER_AUTHENTICATION",
        );
        for (query, body) in [
            ("?validate-password=perhaps", without.as_str()),
            ("?duration=soon", &without),
            ("?duration=0", &without),
            ("?duration=-1", &without),
            ("", "{}"),
            ("", ""),
            ("", "<authentication-context/>"),
        ] {
            let answer = product.post(&format!("/session{query}"), body);
            refused(&answer, 400, "ILLEGAL_ARGUMENT");
        }
        let many: Vec<Value> = (0..33)
            .map(|number| json!({"name": format!("n{number}"), "value": "v"}))
            .collect();
        let many = json!({"validationFactors": many}).to_string();
        refused(&begin(&product, "", &many), 400, "ILLEGAL_ARGUMENT");
        world.patch_user(&id, "active", false);
        refused(&begin(&product, "", HERE), 400, "INACTIVE_ACCOUNT");
        let vouched = begin(&product, "?validate-password=false", HERE);
        refused(&vouched, 400, "INACTIVE_ACCOUNT");
        for odd in ["%ff", "a%2Fb", "....", "%00", &"a".repeat(4_000)] {
            let answer = product.get(&format!("/session/{odd}"));
            refused(&answer, 404, "INVALID_SSO_TOKEN");
        }
    });
}

#[test]
fn one_product_may_let_in_fewer_people_than_another() {
    on_each_database(|database| {
        let world = World::new(database);
        mira(&world);
        let open = Product::reader(&world);
        let closed = world.application("closed", Access::ReadOnly);
        let closed = Product::known(&world, closed);
        let console = Console::new(&world);
        let first = token(&begin(&closed, "", HERE));
        let attached =
            json!({"directories": [{"directory": "default", "login_groups": ["staff"]}]});
        api_console::ok(&console.patch("/applications/closed", attached));
        refused(
            &check(&closed, &first, HERE),
            403,
            "APPLICATION_ACCESS_DENIED",
        );
        refused(&begin(&closed, "", HERE), 403, "APPLICATION_ACCESS_DENIED");
        let vouched = begin(&closed, "?validate-password=false", HERE);
        refused(&vouched, 403, "APPLICATION_ACCESS_DENIED");
        let login = closed.post(
            "/authentication?username=mira",
            &json!({"value": PASSWORD}).to_string(),
        );
        refused(&login, 403, "APPLICATION_ACCESS_DENIED");
        let wrong = closed.post("/authentication?username=mira", "{\"value\":\"wrong\"}");
        refused(&wrong, 400, "INVALID_USER_AUTHENTICATION");
        let notice = closed.post("/authentication/notify?username=mira", "");
        refused(&notice, 403, "APPLICATION_ACCESS_DENIED");
        ok(&check(&open, &first, HERE));
    });
}

#[test]
fn another_directory_knows_nothing_of_a_session() {
    on_each_database(|database| {
        let world = World::new(database);
        mira(&world);
        let product = Product::reader(&world);
        let console = Console::new(&world);
        api_console::ok(&console.post("/connectors", json!({"name": "other"})));
        let stranger = Product::reader_of(&world, "other");
        let first = token(&begin(&product, "", HERE));
        refused(
            &stranger.get(&format!("/session/{first}")),
            404,
            "INVALID_SSO_TOKEN",
        );
        assert_eq!(stranger.delete(&format!("/session/{first}")).status, 204);
        assert_eq!(stranger.delete("/session?username=mira").status, 204);
        ok(&check(&product, &first, HERE));
    });
}

#[test]
fn all_sessions_of_a_user_end_but_one() {
    on_each_database(|database| {
        let world = World::new(database);
        mira(&world);
        world.user(json!({"userName": "jon"}));
        let product = Product::reader(&world);
        let console = Console::new(&world);
        let factors = |number: u8| {
            json!({"validationFactors": [{"name": "remote_address", "value": number.to_string()}]})
                .to_string()
        };
        let tokens: Vec<String> = (0..3)
            .map(|number| token(&begin(&product, "", &factors(number))))
            .collect();
        let listed = console.show("/directories/default/users/mira/sessions");
        assert_eq!(listed["items"].as_array().unwrap().len(), 3);
        assert_eq!(listed["items"][0]["factors"][0]["name"], "remote_address");
        assert!(!listed.to_string().contains(&tokens[0]));
        let path = format!("/session?username=MIRA&exclude={}", tokens[1]);
        assert_eq!(product.delete(&path).status, 204);
        for (number, token) in tokens.iter().enumerate() {
            let status = product.get(&format!("/session/{token}")).status;
            assert_eq!(status, if number == 1 { 200 } else { 404 });
        }
        assert_eq!(product.delete("/session?username=jon").status, 204);
        assert_eq!(product.delete("/session?username=nobody").status, 204);
        refused(&product.delete("/session"), 400, "ILLEGAL_ARGUMENT");
        let ended = api_console::ok(&console.delete("/directories/default/users/mira/sessions"));
        assert_eq!(ended, json!({"ended": 1}));
        assert_eq!(product.get(&format!("/session/{}", tokens[1])).status, 404);
    });
}

#[test]
fn the_cookie_is_as_the_administrator_says() {
    on_each_database(|database| {
        let world = World::new(database);
        let product = Product::reader(&world);
        let console = Console::new(&world);
        let default = json!({"domain": "", "secure": false, "name": "crowd.token_key"});
        assert_eq!(product.json().get("/config/cookie").json(), default);
        let change = json!({"cookie_domain": ".example.org", "cookie_secure": true, "cookie_name": "sso.key"});
        api_console::ok(&console.patch("/applications/READER/sign-in", change));
        let changed = json!({"domain": ".example.org", "secure": true, "name": "sso.key"});
        assert_eq!(product.json().get("/config/cookie").json(), changed);
        let shown = console.show("/applications/reader/sign-in");
        assert_eq!(shown["session_idle_minutes"], 30, "what is left out stays");
        let other = Product::writer(&world);
        assert_eq!(other.json().get("/config/cookie").json(), default);
        for bad in [
            json!({"cookie_name": "a b"}),
            json!({"cookie_domain": "a;b"}),
            json!({"session_idle_minutes": 0}),
            json!({"session_life_minutes": 5}),
            json!({"cookie": "x"}),
        ] {
            let (status, detail) =
                api_console::problem(&console.patch("/applications/reader/sign-in", bad.clone()));
            assert_eq!(status, 422, "{bad}: {detail}");
        }
        assert_eq!(product.json().get("/config/cookie").json(), changed);
    });
}

#[test]
fn a_user_has_a_bounded_number_of_sessions() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    mira(&world);
    let product = Product::reader(&world);
    let begin = |number: usize| {
        let factors = json!({"validationFactors": [{"name": "n", "value": number.to_string()}]});
        begin(&product, "?validate-password=false", &factors.to_string())
    };
    let tokens: Vec<String> = (0..101).map(|number| token(&begin(number))).collect();
    let status = |token: &String| product.get(&format!("/session/{token}")).status;
    assert_eq!((status(&tokens[0]), status(&tokens[1])), (404, 200));
    assert_eq!(status(&tokens[100]), 200);
}
