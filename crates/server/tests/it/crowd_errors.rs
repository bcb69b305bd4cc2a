//! What a Crowd client meets when something is wrong: the header on everything, the right status, an entity.

use emulate::databases::on_each_database;
use store::Access;

use crate::http::Ask;
use crate::world::{Product, World, basic, ok, refusal};

const ILLEGAL: &str = "ILLEGAL_ARGUMENT";

fn refused(answer: &crate::http::Answer, status: u16, reason: &str) {
    assert_eq!(
        refusal(answer),
        (status, reason.to_owned()),
        "{}",
        answer.text()
    );
}

#[test]
fn wrong_credentials_get_the_exact_text() {
    on_each_database(|database| {
        let world = World::new(database);
        let jira = world.application("Jira prod", Access::ReadOnly);
        let attempts = [
            None,
            Some(basic("Jira prod", "wrong")),
            Some(basic("nobody", &jira.password)),
            Some(basic("Jira prod", "")),
            Some("Basic !!!".to_owned()),
            Some("Basic".to_owned()),
            Some(format!("Bearer {}", jira.password)),
            Some(basic("Jira\0prod", &jira.password)),
            Some(basic("Jira prod", "\0")),
        ];
        for path in [
            "/crowd/rest/usermanagement/1/user?username=x",
            "/rest/usermanagement/1/nonsense",
            "/rest/usermanagement/77/user",
            "/rest/usermanagement/",
            "/crowd/rest/usermanagement",
        ] {
            for authorization in &attempts {
                let ask = Ask::new("GET", path).header("Accept", "application/json");
                let ask = match authorization {
                    Some(value) => ask.header("Authorization", value),
                    None => ask,
                };
                let answer = world.send(ask);
                assert_eq!(answer.status, 401, "{path} {authorization:?}");
                assert_eq!(answer.text(), "Application failed to authenticate");
                assert_eq!(
                    answer.header("content-type"),
                    Some("text/plain;charset=UTF-8")
                );
                assert_eq!(
                    answer.header("www-authenticate"),
                    Some("BASIC realm=\"Crowd REST Service\"")
                );
                assert!(answer.header("x-embedded-crowd-version").is_some());
            }
        }
        let right = Ask::new("GET", "/rest/usermanagement/1/config/cookie")
            .header("Authorization", &jira.basic());
        assert_eq!(world.send(right).status, 200);
    });
}

#[test]
fn an_address_outside_the_list_is_a_403_in_words_that_clients_look_for() {
    on_each_database(|database| {
        let world = World::new(database);
        let far = world.application_from("far", Access::ReadOnly, &["192.0.2.0/24"], None);
        let near = world.application_from("near", Access::ReadOnly, &["127.0.0.1"], None);
        let ask = |basic: &str| {
            Ask::new("GET", "/rest/usermanagement/1/config/cookie").header("Authorization", basic)
        };
        let answer = world.send(ask(&far.basic()));
        assert_eq!(answer.status, 403);
        assert!(
            answer
                .text()
                .contains("The server understood the request but refuses to authorize it.")
        );
        assert!(answer.header("x-embedded-crowd-version").is_some());
        assert_eq!(world.send(ask(&near.basic())).status, 200);
    });
}

#[test]
fn every_version_and_both_bases_are_the_same_api() {
    on_each_database(|database| {
        let world = World::new(database);
        world.mira();
        let product = Product::reader(&world);
        for version in ["1", "1.0", "1.1", "1.2", "1.3", "1.4", "latest"] {
            for context in ["", "/crowd"] {
                let ask = Ask::new(
                    "GET",
                    format!("{context}/rest/usermanagement/{version}/user?username=mira"),
                )
                .header("Authorization", &product.credentials.basic());
                let answer = world.send(ask);
                let href = format!(
                    "http://{}{context}/rest/usermanagement/1/user?username=mira",
                    world.address
                );
                assert!(ok(&answer).contains(&href), "{}", answer.text());
            }
        }
        for version in ["2", "1.5", "v1", "LATEST"] {
            let ask = Ask::new(
                "GET",
                format!("/rest/usermanagement/{version}/user?username=mira"),
            )
            .header("Authorization", &product.credentials.basic());
            refused(&world.send(ask), 404, "UNSUPPORTED_OPERATION");
        }
    });
}

#[test]
fn unknown_paths_and_methods() {
    on_each_database(|database| {
        let world = World::new(database);
        let product = Product::reader(&world);
        for path in [
            "",
            "/",
            "/nonsense",
            "/user/nonsense",
            "/user/",
            "/session/a/b",
        ] {
            refused(&product.get(path), 404, "UNSUPPORTED_OPERATION");
        }
        let answer = product.send("PUT", "/search?entity-type=user", "");
        refused(&answer, 405, "UNSUPPORTED_OPERATION");
        assert!(answer.header("allow").unwrap().contains("POST"));
        refused(
            &product.json().delete("/group/membership"),
            405,
            "UNSUPPORTED_OPERATION",
        );
        refused(
            &product.send("PATCH", "/user?username=x", ""),
            405,
            "UNSUPPORTED_OPERATION",
        );
    });
}

#[test]
fn wrong_parameters_are_illegal_arguments() {
    on_each_database(|database| {
        let world = World::new(database);
        let product = Product::reader(&world);
        for path in [
            "/user",
            "/user?username=",
            "/user?username=%ff",
            "/user?username=%zz",
            "/group",
            "/user/attribute",
            "/user/group/direct",
            "/user/group/direct?groupname=g",
            "/group/user/nested",
            "/group/child-group/direct",
            "/search",
            "/search?entity-type=role",
            "/search?entity-type=user&max-results=abc",
            "/search?entity-type=user&start-index=-1",
            "/search?entity-type=user&restriction=name",
            "/search?entity-type=user&restriction=active%3Dperhaps",
        ] {
            for product in [&product, &product.json()] {
                refused(&product.get(path), 400, ILLEGAL);
            }
        }
        let deep = format!("{}a=b{}", "(".repeat(33), ")".repeat(33));
        refused(
            &product.get(&format!("/search?entity-type=user&restriction={deep}")),
            400,
            ILLEGAL,
        );
    });
}

/// No name has it, and no database takes it: it is refused before anything is looked up.
#[test]
fn the_character_nul_is_an_illegal_argument_wherever_it_stands() {
    on_each_database(|database| {
        let world = World::new(database);
        world.mira();
        let writer = Product::writer(&world);
        for path in [
            "/user?username=a%00b",
            "/user?key=%00",
            "/group?groupname=%00",
            "/user/group/nested?username=mira&groupname=%00",
            "/search?entity-type=user&restriction=name%3D%22a%00b%22",
            "/search?entity-type=user&restriction=a%00b%3D1",
        ] {
            for product in [&writer, &writer.json()] {
                refused(&product.get(path), 400, ILLEGAL);
            }
        }
        refused(&writer.delete("/session?username=%00"), 400, ILLEGAL);
        refused(
            &writer.delete("/user/attribute?username=mira&attributename=%00"),
            400,
            ILLEGAL,
        );
        let names = "{\"name\":\"property\",\"type\":\"STRING\"}";
        let restriction = format!(
            "{{\"restriction-type\":\"property-search-restriction\",\"property\":{names},\
             \"match-mode\":\"EXACTLY_MATCHES\",\"value\":\"a\\u0000b\"}}"
        );
        for (path, body) in [
            ("/authentication?username=a%00b", "{\"value\":\"x\"}"),
            ("/authentication?username=mira", "{\"value\":\"\\u0000\"}"),
            (
                "/session",
                "{\"username\":\"a\\u0000b\",\"password\":\"x\"}",
            ),
            ("/search?entity-type=user", &restriction),
            ("/user/rename?username=mira", "{\"new-name\":\"a\\u0000b\"}"),
            (
                "/user/attribute?username=mira",
                "{\"attributes\":[{\"name\":\"a\",\"values\":[\"b\\u0000\"]}]}",
            ),
            ("/user/rename?username=mira", "<new-name>a&#0;b</new-name>"),
        ] {
            refused(&writer.post(path, body), 400, ILLEGAL);
        }
        for path in ["/session/%00", "/session/a%00b"] {
            refused(&writer.get(path), 404, "INVALID_SSO_TOKEN");
        }
        refused(&writer.get("/event/a%00:1"), 410, "EVENT_TOKEN_EXPIRED");
        refused(&writer.get("/webhook/%00"), 404, "WEBHOOK_NOT_FOUND");
    });
}

#[test]
fn broken_bodies_are_illegal_arguments() {
    on_each_database(|database| {
        let world = World::new(database);
        let product = Product::reader(&world);
        let search = "/search?entity-type=user";
        for body in [
            "<null-search-restriction>",
            "<error/>",
            "<!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><null-search-restriction>&a;</null-search-restriction>",
            "{\"restriction-type\":",
            "{\"restriction-type\":\"odd\"}",
            "{\"a\":1,\"a\":2}",
        ] {
            refused(&product.post(search, body), 400, ILLEGAL);
        }
        let deep = format!("{}{}", "<a>".repeat(20_000), "</a>".repeat(20_000));
        refused(&product.post(search, &deep), 400, ILLEGAL);
        let wide = format!(
            "<a {}/>",
            (0..5_000).map(|n| format!("a{n}='' ")).collect::<String>()
        );
        refused(&product.post(search, &wide), 400, ILLEGAL);
    });
}

#[test]
fn large_and_encoded_bodies_are_refused_with_the_header() {
    on_each_database(|database| {
        let world = World::new(database);
        let product = Product::reader(&world);
        let search = "/search?entity-type=user";
        let fits = format!(
            "<null-search-restriction>{}</null-search-restriction>",
            " ".repeat(512 * 1024 - 51)
        );
        assert_eq!(fits.len(), 512 * 1024);
        ok(&product.post(search, &fits));
        refused(&product.post(search, &format!("{fits} ")), 413, ILLEGAL);
        let ask = product
            .ask("POST", search)
            .header("Content-Encoding", "gzip")
            .body("x");
        refused(&world.send(ask), 415, ILLEGAL);
    });
}

#[test]
fn what_is_not_there_is_a_404_with_its_reason() {
    on_each_database(|database| {
        let world = World::new(database);
        let mira = world.mira();
        world.group("eng", &[&mira]);
        world.group("empty", &[]);
        let product = Product::reader(&world);
        for (path, reason) in [
            ("/user?username=jon", "USER_NOT_FOUND"),
            ("/user?key=1:none", "USER_NOT_FOUND"),
            ("/user/attribute?username=jon", "USER_NOT_FOUND"),
            ("/user/group/direct?username=jon", "USER_NOT_FOUND"),
            ("/user/group/nested?username=jon", "USER_NOT_FOUND"),
            ("/group?groupname=none", "GROUP_NOT_FOUND"),
            ("/group/attribute?groupname=none", "GROUP_NOT_FOUND"),
            ("/group/user/direct?groupname=none", "GROUP_NOT_FOUND"),
            (
                "/group/user/nested?groupname=none&max-results=-1",
                "GROUP_NOT_FOUND",
            ),
            (
                "/group/child-group/direct?groupname=none",
                "GROUP_NOT_FOUND",
            ),
            (
                "/group/parent-group/nested?groupname=none",
                "GROUP_NOT_FOUND",
            ),
            (
                "/user/group/direct?username=mira&groupname=empty",
                "MEMBERSHIP_NOT_FOUND",
            ),
            (
                "/user/group/nested?username=mira&groupname=none",
                "MEMBERSHIP_NOT_FOUND",
            ),
            (
                "/group/user/direct?groupname=eng&username=jon",
                "MEMBERSHIP_NOT_FOUND",
            ),
            (
                "/group/child-group/direct?groupname=eng&child-groupname=empty",
                "MEMBERSHIP_NOT_FOUND",
            ),
            (
                "/group/parent-group/direct?groupname=eng&child-groupname=empty",
                "MEMBERSHIP_NOT_FOUND",
            ),
            (
                "/group/parent-group/nested?groupname=eng&parent-groupname=empty",
                "MEMBERSHIP_NOT_FOUND",
            ),
            ("/session/abc", "INVALID_SSO_TOKEN"),
            ("/webhook/17", "WEBHOOK_NOT_FOUND"),
        ] {
            refused(&product.get(path), 404, reason);
        }
    });
}

#[test]
fn what_is_not_offered_says_so_in_protocol_form() {
    on_each_database(|database| {
        let world = World::new(database);
        let product = Product::reader(&world);
        refused(
            &product.post("/session/abc", "<validation-factors/>"),
            404,
            "INVALID_SSO_TOKEN",
        );
        assert_eq!(product.delete("/session/abc").status, 204);
        assert_eq!(product.delete("/session?username=mira").status, 204);
        refused(&product.delete("/session"), 400, ILLEGAL);
        refused(
            &product.get("/user/avatar?username=mira"),
            404,
            "UNSUPPORTED_OPERATION",
        );
        let cookie = product.get("/config/cookie");
        assert!(ok(&cookie).ends_with("<cookie-config><domain/><secure>false</secure><name>crowd.token_key</name></cookie-config>"));
    });
}
