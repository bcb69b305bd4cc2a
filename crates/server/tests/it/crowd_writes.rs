//! What products may write: local groups, local memberships, attributes; and what they may not.

use emulate::databases::on_each_database;
use serde_json::json;

use crate::world::{Product, World, ok, refusal};

const DENIED: (u16, &str) = (403, "APPLICATION_PERMISSION_DENIED");

#[track_caller]
fn refused(answer: &crate::http::Answer, expected: (u16, &str)) {
    assert_eq!(
        refusal(answer),
        (expected.0, expected.1.to_owned()),
        "{}",
        answer.text()
    );
}

/// Every write of the API: method, path, body.
const WRITES: [(&str, &str, &str); 24] = [
    ("POST", "/user", "<user name=\"new\"/>"),
    ("PUT", "/user?username=mira", "<user name=\"mira\"/>"),
    ("DELETE", "/user?username=mira", ""),
    (
        "POST",
        "/user/rename?username=mira",
        "<rename><new-name>m</new-name></rename>",
    ),
    (
        "POST",
        "/user/attribute?username=mira",
        "{\"attributes\":[]}",
    ),
    (
        "PUT",
        "/user/attribute?username=mira",
        "{\"attributes\":[]}",
    ),
    (
        "DELETE",
        "/user/attribute?username=mira&attributename=a",
        "",
    ),
    (
        "PUT",
        "/user/password?username=mira",
        "<password><value>x</value></password>",
    ),
    ("DELETE", "/user/password?username=mira", ""),
    ("POST", "/user/mail/password?username=mira", ""),
    ("POST", "/user/mail/usernames?email=a@b", ""),
    ("POST", "/user/expire-all-passwords?confirm=true", ""),
    (
        "POST",
        "/user/group/direct?username=mira",
        "<group name=\"eng\"/>",
    ),
    (
        "DELETE",
        "/user/group/direct?username=mira&groupname=eng",
        "",
    ),
    ("POST", "/group", "<group name=\"new\"/>"),
    ("PUT", "/group?groupname=eng", "<group name=\"eng\"/>"),
    ("DELETE", "/group?groupname=eng", ""),
    (
        "POST",
        "/group/attribute?groupname=eng",
        "{\"attributes\":[]}",
    ),
    (
        "DELETE",
        "/group/attribute?groupname=eng&attributename=a",
        "",
    ),
    (
        "POST",
        "/group/user/direct?groupname=eng",
        "<user name=\"mira\"/>",
    ),
    (
        "DELETE",
        "/group/user/direct?groupname=eng&username=mira",
        "",
    ),
    (
        "POST",
        "/group/child-group/direct?groupname=eng",
        "<group name=\"x\"/>",
    ),
    (
        "DELETE",
        "/group/child-group/direct?groupname=eng&child-groupname=x",
        "",
    ),
    (
        "POST",
        "/group/parent-group/direct?groupname=eng",
        "<group name=\"x\"/>",
    ),
];

#[test]
fn who_may_only_read_is_refused_every_write_and_changes_nothing() {
    on_each_database(|database| {
        let world = World::new(database);
        let mira = world.mira();
        world.group("eng", &[&mira]);
        let product = Product::reader(&world);
        let before = ok(&product.get("/event")).to_owned();
        for (method, path, body) in WRITES {
            refused(&product.send(method, path, body), DENIED);
            refused(&product.json().send(method, path, "broken"), DENIED);
        }
        assert_eq!(ok(&product.get("/event")), before);
    });
}

#[test]
fn what_the_identity_provider_owns_is_refused_with_the_reason() {
    on_each_database(|database| {
        let world = World::new(database);
        let mira = world.mira();
        world.group("eng", &[&mira]);
        let product = Product::writer(&world);
        for (method, path, body) in [
            ("POST", "/user", "<user name=\"new\"/>"),
            (
                "PUT",
                "/user?username=mira",
                "<user name=\"mira\"><email>x@y</email></user>",
            ),
            ("DELETE", "/user?username=mira", ""),
            (
                "POST",
                "/user/rename?username=mira",
                "<rename><new-name>m</new-name></rename>",
            ),
            (
                "PUT",
                "/user/password?username=mira",
                "<password><value>x</value></password>",
            ),
            (
                "DELETE",
                "/user/group/direct?username=mira&groupname=eng",
                "",
            ),
            (
                "DELETE",
                "/group/user/direct?groupname=eng&username=mira",
                "",
            ),
            ("DELETE", "/group?groupname=eng", ""),
            (
                "PUT",
                "/group?groupname=eng",
                "<group name=\"ENG\"><description>x</description></group>",
            ),
        ] {
            let answer = product.send(method, path, body);
            refused(&answer, DENIED);
            assert!(
                answer.text().contains("provider") || answer.text().contains("origin"),
                "{}",
                answer.text()
            );
        }
        refused(
            &product.post("/user/mail/password?username=mira", ""),
            (400, "UNSUPPORTED_OPERATION"),
        );
        let child = "<group name=\"x\"/>";
        refused(
            &product.post("/group/child-group/direct?groupname=eng", child),
            (400, "GROUP_NOT_FOUND"),
        );
        assert!(ok(&product.get("/group/membership")).contains("mira"));
    });
}

#[test]
fn local_groups_live_and_die() {
    on_each_database(|database| {
        let world = World::new(database);
        let product = Product::writer(&world);
        let body = "<group name=\"Local &amp; own\"><description>Ours</description><type>GROUP</type><active>true</active></group>";
        let made = product.post("/group", body);
        assert_eq!(made.status, 201);
        let place = format!("{}/group?groupname=Local%20%26%20own", product.url());
        assert_eq!(made.header("location"), Some(place.as_str()));
        assert_eq!(
            made.header("content-type"),
            Some("application/xml;charset=UTF-8")
        );
        let shown = product.json().get("/group?groupname=local+%26+OWN");
        assert_eq!(
            (&shown.json()["name"], &shown.json()["description"]),
            (&json!("Local & own"), &json!("Ours"))
        );
        refused(&product.post("/group", body), (400, "INVALID_GROUP"));
        let changed = product.json().send(
            "PUT",
            "/group?groupname=Local+%26+own",
            &json!({"name": "local & OWN", "description": "New"}).to_string(),
        );
        ok(&changed);
        assert_eq!(
            (&changed.json()["name"], &changed.json()["description"]),
            (&json!("Local & own"), &json!("New"))
        );
        let other = product.send(
            "PUT",
            "/group?groupname=Local+%26+own",
            "<group name=\"x\"/>",
        );
        refused(&other, (400, "INVALID_GROUP"));
        // No group is inactive here, and nobody is left to believe it.
        let asleep = json!({"name": "asleep", "active": false}).to_string();
        refused(
            &product.json().post("/group", &asleep),
            (400, "INVALID_GROUP"),
        );
        refused(
            &product.get("/group?groupname=asleep"),
            (404, "GROUP_NOT_FOUND"),
        );
        let own = "<group name=\"local &amp; own\"><active>false</active></group>";
        let off = product.send("PUT", "/group?groupname=Local+%26+own", own);
        refused(&off, (400, "INVALID_GROUP"));
        assert!(off.text().contains("always active"), "{}", off.text());
        assert_eq!(product.delete("/group?groupname=Local+%26+own").status, 204);
        refused(
            &product.delete("/group?groupname=Local+%26+own"),
            (404, "GROUP_NOT_FOUND"),
        );
        refused(
            &product.post("/group", "<group/>"),
            (400, "ILLEGAL_ARGUMENT"),
        );
        for name in ["  ", " padded", "two\nlines", &"x".repeat(256)] {
            let body = json!({"name": name}).to_string();
            refused(&product.post("/group", &body), (400, "INVALID_GROUP"));
        }
    });
}

#[test]
fn local_memberships_come_and_go_from_either_side() {
    on_each_database(|database| {
        let world = World::new(database);
        world.mira();
        let product = Product::writer(&world);
        assert_eq!(product.post("/group", "<group name=\"own\"/>").status, 201);
        let sides = [
            (
                "/user/group/direct?username=mira",
                "<group name=\"OWN\"/>",
                "/user/group/direct?username=mira&groupname=own",
            ),
            (
                "/group/user/direct?groupname=own",
                "<user name=\"Mira\"><active>false</active></user>",
                "/group/user/direct?groupname=own&username=mira",
            ),
        ];
        for (add, body, single) in sides {
            let added = product.post(add, body);
            assert_eq!(added.status, 201, "{}", added.text());
            assert_eq!(added.text(), "");
            assert_eq!(
                added.header("content-type"),
                Some("application/xml;charset=UTF-8")
            );
            assert!(
                added
                    .header("location")
                    .unwrap()
                    .starts_with(&product.url())
            );
            ok(&product.get(single));
            refused(&product.post(add, body), (409, "MEMBERSHIP_ALREADY_EXISTS"));
            assert!(ok(&product.get("/user?username=mira")).contains("<active>true</active>"));
            assert_eq!(product.delete(single).status, 204);
            refused(&product.get(single), (404, "MEMBERSHIP_NOT_FOUND"));
            refused(&product.delete(single), (404, "MEMBERSHIP_NOT_FOUND"));
        }
        refused(
            &product.post("/user/group/direct?username=jon", "<group name=\"own\"/>"),
            (404, "USER_NOT_FOUND"),
        );
        refused(
            &product.post("/user/group/direct?username=mira", "<group name=\"none\"/>"),
            (400, "GROUP_NOT_FOUND"),
        );
        refused(
            &product.post("/group/user/direct?groupname=none", "<user name=\"mira\"/>"),
            (404, "GROUP_NOT_FOUND"),
        );
        refused(
            &product.post("/group/user/direct?groupname=own", "<user name=\"jon\"/>"),
            (400, "USER_NOT_FOUND"),
        );
        refused(
            &product.delete("/group/user/direct?groupname=own&username=jon"),
            (404, "USER_NOT_FOUND"),
        );
        // A widespread client's mistake: the group in the query, the user in the body.
        refused(
            &product.post("/user/group/direct?groupname=own", "{\"name\":\"mira\"}"),
            (400, "ILLEGAL_ARGUMENT"),
        );
    });
}

#[test]
fn attributes_are_set_kept_and_removed() {
    on_each_database(|database| {
        let world = World::new(database);
        world.mira();
        let product = Product::writer(&world);
        let path = "/user/attribute?username=mira";
        let set =
            |method: &str, body: &str| assert_eq!(product.send(method, path, body).status, 204);
        let shown = || crowd::answer::attributes(ok(&product.get(path)).as_bytes()).unwrap();
        set(
            "POST",
            "<attributes><attribute name=\"lastLogin\"><values><value>1</value></values></attribute></attributes>",
        );
        set(
            "PUT",
            "{\"attributes\":[{\"name\":\"colour\",\"values\":[\"red\",\"blue\"]}]}",
        );
        assert_eq!(shown().len(), 2, "others are left alone");
        set(
            "POST",
            "{\"attributes\":[{\"name\":\"LASTLOGIN\",\"values\":[\"2\"]}]}",
        );
        assert_eq!(
            shown()
                .values()
                .filter(|values| values.contains(&"2".to_owned()))
                .count(),
            1
        );
        assert_eq!(shown().len(), 2, "names compare without case");
        set(
            "POST",
            "<attributes><attribute name=\"colour\"><values/></attribute></attributes>",
        );
        assert_eq!(shown().len(), 1);
        assert_eq!(
            product
                .delete(&format!("{path}&attributename=lastLogin"))
                .status,
            204
        );
        assert_eq!(
            product
                .delete(&format!("{path}&attributename=lastLogin"))
                .status,
            204
        );
        assert!(shown().is_empty());
        let long = json!({"attributes": [{"name": "a", "values": ["x".repeat(256)]}]}).to_string();
        refused(&product.post(path, &long), (400, "ILLEGAL_ARGUMENT"));
        refused(
            &product.post("/user/attribute?username=jon", "{}"),
            (404, "USER_NOT_FOUND"),
        );
        refused(&product.delete(path), (400, "ILLEGAL_ARGUMENT"));
    });
}
