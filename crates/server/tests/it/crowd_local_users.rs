//! Users whom products make themselves, where a directory allows it, and their passwords.

use emulate::databases::on_each_database;
use serde_json::json;

use crate::api_console::{self, Console};
use crate::http::Answer;
use crate::world::{Product, World, ok, refusal};

const DENIED: &str = "APPLICATION_PERMISSION_DENIED";

#[track_caller]
fn refused(answer: &Answer, status: u16, reason: &str) {
    assert_eq!(
        refusal(answer),
        (status, reason.to_owned()),
        "{}",
        answer.text()
    );
}

fn login(product: &Product<'_>, user: &str, password: &str) -> Answer {
    let body = json!({"value": password}).to_string();
    product.post(&format!("/authentication?username={user}"), &body)
}

fn allow(world: &World, allowed: bool) {
    let console = Console::new(world);
    let changed = console.patch("/directories/default", json!({"local_users": allowed}));
    assert_eq!(api_console::ok(&changed)["local_users"], allowed);
}

const LISA: &str = r#"{"name": "lisa", "first-name": "Lisa", "last-name": "Local", "email": "lisa@example.test",
    "active": true, "password": {"value": "a good one"},
    "attributes": {"attributes": [{"name": "team", "values": ["ops", "dev"]}]}}"#;

#[test]
fn a_local_user_from_creation_to_removal() {
    on_each_database(|database| {
        let world = World::new(database);
        world.mira();
        allow(&world, true);
        let product = Product::writer(&world);
        let made = product.json().post("/user", LISA);
        assert_eq!(made.status, 201, "{}", made.text());
        let user = made.json();
        assert_eq!(user["display-name"], "Lisa Local");
        assert_eq!(user["attributes"]["attributes"][0]["name"], "team");
        assert!(user["password"]["value"].is_null());
        let key = user["key"].as_str().unwrap().to_owned();
        assert_eq!(
            made.header("location"),
            Some(format!("{}/user?username=lisa", product.url()).as_str())
        );
        ok(&login(&product, "lisa", "a good one"));
        refused(&product.post("/user", LISA), 400, "INVALID_USER");
        refused(
            &product.post("/user", "<user name=\"MIRA\"/>"),
            400,
            "INVALID_USER",
        );

        // What was read is written back with one change: key, attributes and password stay.
        let mut read = product
            .json()
            .get("/user?username=lisa&expand=attributes")
            .json();
        read["email"] = json!("new@example.test");
        let put = product.send("PUT", "/user?username=LISA", &read.to_string());
        assert_eq!(put.status, 204, "{}", put.text());
        let after = product
            .json()
            .get("/user?username=lisa&expand=attributes")
            .json();
        read["updated-date"] = after["updated-date"].clone();
        assert_eq!(after, read);
        ok(&login(&product, "lisa", "a good one"));
        let other = product.send("PUT", "/user?username=lisa", "<user name=\"lis\"/>");
        refused(&other, 400, "ILLEGAL_ARGUMENT");

        let token = |answer: Answer| answer.json()["newEventToken"].as_str().unwrap().to_owned();
        let before = token(product.json().get("/event"));
        let renamed = product.json().post(
            "/user/rename?username=lisa",
            "{\"new-name\": \"lisa.local\"}",
        );
        ok(&renamed);
        assert_eq!(
            (&renamed.json()["name"], &renamed.json()["key"]),
            (&json!("lisa.local"), &json!(key))
        );
        let events = product.get(&format!("/event/{before}"));
        assert!(ok(&events).contains("lisa.local"), "{}", events.text());
        let taken = product.post(
            "/user/rename?username=lisa.local",
            "{\"newName\": \"mira\"}",
        );
        refused(&taken, 400, "INVALID_USER");
        let recased = "<rename><new-name>Lisa.Local</new-name></rename>";
        ok(&product.post("/user/rename?username=lisa.local", recased));

        let inactive = "<user name=\"lisa.local\"><active>false</active></user>";
        assert_eq!(
            product
                .send("PUT", "/user?username=lisa.local", inactive)
                .status,
            204
        );
        refused(
            &login(&product, "lisa.local", "a good one"),
            400,
            "INACTIVE_ACCOUNT",
        );
        assert_eq!(product.delete("/user?username=lisa.local").status, 204);
        refused(
            &product.delete("/user?username=lisa.local"),
            404,
            "USER_NOT_FOUND",
        );
        refused(
            &login(&product, "lisa.local", "a good one"),
            400,
            "USER_NOT_FOUND",
        );
        let again = product.json().post("/user", LISA);
        assert_ne!(
            again.json()["key"],
            key.as_str(),
            "a key is never given twice"
        );
    });
}

#[test]
fn passwords_of_local_users_are_set_removed_and_expire() {
    on_each_database(|database| {
        let world = World::new(database);
        allow(&world, true);
        let product = Product::writer(&world);
        assert_eq!(product.post("/user", LISA).status, 201);
        let set = |password: &str| {
            let body = json!({"value": password}).to_string();
            product.send("PUT", "/user/password?username=lisa", &body)
        };
        let context = json!({"username": "lisa", "password": "a good one"}).to_string();
        let begun = product.json().post("/session", &context).json();
        let session = format!("/session/{}", begun["token"].as_str().unwrap());
        ok(&product.get(&session));
        for bad in ["", "short", &"x".repeat(257)] {
            refused(&set(bad), 400, "INVALID_CREDENTIAL");
        }
        assert_eq!(set("another one").status, 204);
        refused(&product.get(&session), 404, "INVALID_SSO_TOKEN");
        refused(
            &login(&product, "lisa", "a good one"),
            400,
            "INVALID_USER_AUTHENTICATION",
        );
        ok(&login(&product, "lisa", "another one"));
        let context = json!({"username": "lisa", "password": "another one"}).to_string();
        let begun = product.json().post("/session", &context).json();
        let session = format!("/session/{}", begun["token"].as_str().unwrap());

        refused(
            &product.post("/user/expire-all-passwords", ""),
            400,
            "ILLEGAL_ARGUMENT",
        );
        assert_eq!(
            product
                .post("/user/expire-all-passwords?confirm=true", "")
                .status,
            204
        );
        refused(&product.get(&session), 404, "INVALID_SSO_TOKEN");
        refused(
            &login(&product, "lisa", "another one"),
            400,
            "EXPIRED_CREDENTIAL",
        );
        refused(
            &login(&product, "lisa", "wrong"),
            400,
            "INVALID_USER_AUTHENTICATION",
        );
        refused(
            &product.post("/session", &context),
            400,
            "EXPIRED_CREDENTIAL",
        );
        assert_eq!(set("a third one").status, 204);
        ok(&login(&product, "lisa", "a third one"));

        assert_eq!(product.delete("/user/password?username=lisa").status, 204);
        let none = login(&product, "lisa", "a third one");
        refused(&none, 400, "INVALID_USER_AUTHENTICATION");
        assert!(none.text().contains("has no password"), "{}", none.text());
        refused(
            &product.delete("/user/password?username=nobody"),
            404,
            "USER_NOT_FOUND",
        );
    });
}

#[test]
fn nobody_is_made_where_it_is_not_allowed() {
    on_each_database(|database| {
        let world = World::new(database);
        let reader = Product::reader(&world);
        let product = Product::writer(&world);
        let answer = product.post("/user", LISA);
        refused(&answer, 403, DENIED);
        assert!(
            answer
                .text()
                .contains("allow local users in directory &lt;default&gt;")
        );
        allow(&world, true);
        refused(&reader.post("/user", LISA), 403, DENIED);
        assert_eq!(product.post("/user", LISA).status, 201);
        allow(&world, false);
        refused(&product.post("/user", "<user name=\"kim\"/>"), 403, DENIED);
        assert_eq!(
            product.delete("/user?username=lisa").status,
            204,
            "who is there can go"
        );
    });
}

#[test]
fn users_of_an_identity_provider_stay_its_own() {
    on_each_database(|database| {
        let world = World::new(database);
        let id = world.user_with_password(json!({"userName": "mira"}), Some("pushed one"));
        allow(&world, true);
        let product = Product::writer(&world);
        let context = json!({"username": "mira", "password": "pushed one"}).to_string();
        let begun = product.json().post("/session", &context);
        assert_eq!(begun.status, 201);
        for (method, path, body) in [
            (
                "PUT",
                "/user?username=mira",
                "<user name=\"mira\"><email>x@y</email></user>",
            ),
            ("DELETE", "/user?username=mira", ""),
            ("POST", "/user/rename?username=mira", "{\"new-name\":\"m\"}"),
            (
                "PUT",
                "/user/password?username=mira",
                "{\"value\":\"a good one\"}",
            ),
            ("DELETE", "/user/password?username=mira", ""),
        ] {
            let answer = product.send(method, path, body);
            refused(&answer, 403, DENIED);
            assert!(answer.text().contains("comes from the identity provider"));
        }
        refused(
            &product.post("/user/expire-all-passwords?confirm=true", ""),
            400,
            "UNSUPPORTED_OPERATION",
        );
        ok(&login(&product, "mira", "pushed one"));
        // Nor when the provider has deleted the user and the account is only kept.
        world.delete_user(&id);
        let gone = product.delete("/user?username=mira");
        assert!(gone.status == 403 || gone.status == 404, "{}", gone.text());
    });
}

#[test]
fn a_name_that_becomes_free_goes_to_whom_the_provider_gave_it() {
    on_each_database(|database| {
        let world = World::new(database);
        allow(&world, true);
        let product = Product::writer(&world);
        assert_eq!(product.post("/user", LISA).status, 201);
        world.user(json!({"userName": "lisa", "displayName": "Lisa of the provider"}));
        let user = product.json().get("/user?username=lisa").json();
        assert_eq!(
            user["display-name"], "Lisa Local",
            "who has a name keeps it"
        );
        assert_eq!(product.delete("/user?username=lisa").status, 204);
        world.run(world.provision.work_off()).unwrap();
        let user = product.json().get("/user?username=lisa").json();
        assert_eq!(user["display-name"], "Lisa of the provider");
        refused(
            &login(&product, "lisa", "a good one"),
            400,
            "INVALID_USER_AUTHENTICATION",
        );
    });
}

#[test]
fn what_cannot_be_kept_is_refused() {
    on_each_database(|database| {
        let world = World::new(database);
        allow(&world, true);
        let product = Product::writer(&world);
        let long = "x".repeat(256);
        for (body, reason) in [
            (json!({"name": ""}), "ILLEGAL_ARGUMENT"),
            (json!({}), "ILLEGAL_ARGUMENT"),
            (json!({"name": " a"}), "INVALID_USER"),
            (json!({"name": "a\tb"}), "INVALID_USER"),
            (json!({"name": long}), "INVALID_USER"),
            (
                json!({"name": "a", "email": "x".repeat(255)}),
                "INVALID_USER",
            ),
            (json!({"name": "a", "last-name": long}), "INVALID_USER"),
            (
                json!({"name": "a", "password": {"value": "short"}}),
                "INVALID_CREDENTIAL",
            ),
            (
                json!({"name": "a", "encrypted-password": {"value": "{SSHA}x"}}),
                "INVALID_CREDENTIAL",
            ),
            (
                json!({"name": "a", "active": "perhaps"}),
                "ILLEGAL_ARGUMENT",
            ),
        ] {
            refused(&product.post("/user", &body.to_string()), 400, reason);
        }
        refused(&product.get("/user?username=a"), 404, "USER_NOT_FOUND");
        // Nothing but a name is enough; without a password there is no login.
        let bare = product
            .json()
            .post("/user", "{\"name\": \"bare\", \"active\": \"false\"}");
        assert_eq!(bare.status, 201);
        assert_eq!(
            (&bare.json()["display-name"], &bare.json()["active"]),
            (&json!("bare"), &json!(false))
        );
    });
}
