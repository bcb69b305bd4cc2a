//! The protocol around the resources: routes, methods, media types, versions, pages, discovery.

use directory::{ConnectorSettings, PatchReply};
use emulate::databases::on_each_database;
use serde_json::{Value, json};

use crate::http::Ask;
use crate::scim_idp::*;
use crate::world::{Product, World};

#[test]
fn without_the_right_token_there_is_nothing() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let right = format!("Bearer {}", idp.token);
        for path in [
            "/Users",
            "/Users/1",
            "/Groups",
            "/ServiceProviderConfig",
            "/Schemas",
            "/nonsense",
            "",
        ] {
            for authorization in [
                None,
                Some("Bearer "),
                Some("Bearer x"),
                Some("Basic eDp5"),
                Some("vst_scim_x"),
            ] {
                let ask = Ask::new("GET", format!("{}{path}", idp.base));
                let ask = authorization
                    .into_iter()
                    .fold(ask, |ask, value| ask.header("Authorization", value));
                let answer = world.send(ask);
                assert_eq!(refused(&answer).0, 401, "{path} {authorization:?}");
                assert!(
                    answer
                        .header("www-authenticate")
                        .unwrap()
                        .starts_with("Bearer")
                );
            }
        }
        let elsewhere = Ask::new("GET", "/scim/v2/00000000-0000-0000-0000-000000000000/Users");
        assert_eq!(
            refused(&world.send(elsewhere.header("Authorization", &right))).0,
            401
        );
        // More than one credential is a request that cannot be right (RFC 6750 section 3.1).
        let twice = idp.ask("GET", "/Users").header("Authorization", &right);
        assert_eq!(refused(&world.send(twice)).0, 400);
        let lower = Ask::new("GET", format!("{}/Users", idp.base))
            .header("authorization", &right.replace("Bearer", "bearer"));
        shown(&world.send(lower));
    });
}

#[test]
fn routes_forgive_slashes_and_refuse_what_is_not_there() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let id = idp.user("ann");
        for path in [
            "/Users",
            "/Users/",
            "//Users",
            "/Users/?filter=userName+eq+%22ann%22",
            "/Users?aadOptscim062020",
            "/Users?aadOptscim062020&filter=userName%20eq%20%22ANN%22",
        ] {
            assert_eq!(shown(&idp.get(path))["totalResults"], 1, "{path}");
        }
        for path in [
            format!("/Users/{id}"),
            format!("/Users/{id}/"),
            format!("//Users//{id}"),
        ] {
            assert_eq!(shown(&idp.get(&path))["id"], json!(id), "{path}");
        }
        for path in ["", "/", "//"] {
            assert_eq!(shown(&idp.get(path))["totalResults"], 1, "{path}");
        }
        for path in [
            "/nonsense",
            "/Users/1/2",
            "/Users/%00",
            "/Users/%ff",
            "/Groups/none",
            "/Users/none",
            "/Schemas/x",
            "/ResourceTypes/x",
        ] {
            assert_eq!(refused(&idp.get(path)).0, 404, "{path}");
        }
        for path in [
            "/scim",
            "/scim/",
            "/scim/v2",
            "/scim/v2/",
            "/scim/v1/Users",
            "/scim/v2/%ff/Users",
        ] {
            let token = format!("Bearer {}", idp.token);
            let answer = world.send(Ask::new("GET", path).header("Authorization", &token));
            assert_eq!(refused(&answer).0, 404, "{path}");
        }
        for (method, path) in [("GET", "/Me"), ("PATCH", "/Me")] {
            assert_eq!(
                refused(&world.send(idp.ask(method, path).body("{}"))).0,
                501,
                "{method} {path}"
            );
        }
        for (method, path, allowed) in [
            ("PUT", "/Users", "GET, HEAD, POST, OPTIONS"),
            ("DELETE", "/Groups", "GET, HEAD, POST, OPTIONS"),
            ("POST", "/Users/1", "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"),
            ("POST", "/Schemas", "GET, HEAD, OPTIONS"),
            ("PATCH", "/ServiceProviderConfig", "GET, HEAD, OPTIONS"),
            ("BREW", "/ResourceTypes/User", "GET, HEAD, OPTIONS"),
        ] {
            let answer = world.send(idp.ask(method, path).body("{}"));
            assert_eq!(refused(&answer).0, 405, "{method} {path}");
            assert_eq!(answer.header("allow"), Some(allowed));
        }
        let head = world.send(idp.ask("HEAD", "/Users"));
        assert_eq!((head.status, head.body.len()), (200, 0));
    });
}

#[test]
fn bodies_are_json_of_bounded_size() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let post = |media_type: Option<&str>, body: &[u8]| {
            let ask = idp.ask("POST", "/Users");
            let ask = media_type
                .into_iter()
                .fold(ask, |ask, value| ask.header("Content-Type", value));
            world.send(ask.body(body))
        };
        for (nth, media_type) in [
            Some("application/scim+json"),
            Some("application/json"),
            Some("APPLICATION/JSON; charset=utf-8"),
            Some("application/scim+json;charset=UTF-8"),
            None,
        ]
        .into_iter()
        .enumerate()
        {
            let body = json!({ "userName": format!("user{nth}") }).to_string();
            created(&post(media_type, body.as_bytes()));
        }
        for media_type in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/xml",
            "jsonp",
            "",
        ] {
            assert_eq!(
                refused(&post(Some(media_type), b"{\"userName\":\"x\"}")).0,
                415,
                "{media_type}"
            );
        }
        let gzip = idp
            .ask("POST", "/Users")
            .header("Content-Encoding", "gzip")
            .body("x");
        assert_eq!(refused(&world.send(gzip)).0, 415);
        for body in [
            &b""[..],
            b"{",
            b"[]",
            b"\xff",
            b"{\"userName\":\"a\"}{}",
            b"{\"userName\":\"a\",\"USERNAME\":\"b\"}",
        ] {
            assert_eq!(
                refused(&post(None, body)),
                (400, "invalidSyntax".to_owned()),
                "{body:?}"
            );
        }
        let deep = format!(
            "{{\"userName\":\"x\",\"a\":{}{}}}",
            "[".repeat(5_000),
            "]".repeat(5_000)
        );
        assert_eq!(
            refused(&post(None, deep.as_bytes())),
            (400, "invalidSyntax".to_owned())
        );
        let long = |bytes: usize| format!("{{\"userName\":\"long\"{}}}", " ".repeat(bytes - 19));
        created(&post(None, long(1024 * 1024).as_bytes()));
        assert_eq!(
            refused(&post(None, long(1024 * 1024 + 1).as_bytes())).0,
            413
        );
        assert_eq!(idp.find("Users", "userName eq \"x\"")["totalResults"], 0);
    });
}

#[test]
fn bad_values_filters_and_paths_are_named() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let user = format!("/Users/{}", idp.user("ann"));
        let group = format!("/Groups/{}", idp.group("G", &[]));
        for (collection, body) in [
            ("/Users", json!({})),
            ("/Users", json!({ "userName": "" })),
            ("/Users", json!({ "userName": "a\u{200b}b" })),
            ("/Users", json!({ "userName": "x".repeat(256) })),
            ("/Users", json!({ "userName": "b", "externalId": 1 })),
            ("/Users", json!({ "userName": "b", "active": "maybe" })),
            ("/Groups", json!({ "members": [] })),
            (
                "/Groups",
                json!({ "displayName": "H", "members": [{ "value": 5 }] }),
            ),
        ] {
            assert_eq!(
                refused(&idp.post(collection, &body)),
                (400, "invalidValue".to_owned()),
                "{body}"
            );
        }
        for filter in [
            "",
            "userName",
            "userName eq",
            "shoe eq \"x\"",
            "((((",
            "active gt true",
            "userName eq \"x",
        ] {
            let answer = idp.get(&format!("/Users?filter={}", encoded(filter)));
            assert_eq!(
                refused(&answer),
                (400, "invalidFilter".to_owned()),
                "{filter}"
            );
        }
        let secret = idp.get(&format!("/Users?filter={}", encoded("password sw \"a\"")));
        assert_eq!(refused(&secret), (403, "sensitive".to_owned()));
        for query in ["count=ten", "startIndex=1.5", "filter=%ff"] {
            assert_eq!(
                refused(&idp.get(&format!("/Users?{query}"))).0,
                400,
                "{query}"
            );
        }
        for (path, operations, keyword) in [
            (&user, json!([{ "op": "burn" }]), "invalidSyntax"),
            (
                &user,
                json!([{ "op": "replace", "path": "shoe", "value": "x" }]),
                "invalidPath",
            ),
            (
                &user,
                json!([{ "op": "replace", "path": "id", "value": "x" }]),
                "mutability",
            ),
            (&user, json!([{ "op": "remove" }]), "noTarget"),
            (
                &user,
                json!([{ "op": "remove", "path": "userName" }]),
                "invalidValue",
            ),
            (
                &user,
                json!([{ "op": "replace", "path": "active", "value": "?" }]),
                "invalidValue",
            ),
            (
                &group,
                json!([{ "op": "remove", "path": "members", "value": [{ "id": "x" }] }]),
                "invalidValue",
            ),
            (
                &group,
                json!([{ "op": "remove", "path": "displayName" }]),
                "invalidValue",
            ),
        ] {
            assert_eq!(
                refused(&idp.patch(path, &operations)),
                (400, keyword.to_owned()),
                "{operations}"
            );
        }
        let many = vec![json!({ "op": "replace", "path": "title", "value": "x" }); 1_001];
        assert_eq!(refused(&idp.patch(&user, &json!(many))).0, 413);
        assert_eq!(
            shown(&idp.get(&user))["meta"]["version"],
            "W/\"1\"",
            "nothing of all this happened"
        );
    });
}

#[test]
fn versions_guard_writes_and_spare_reads() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let paths = [
            format!("/Users/{}", idp.user("ann")),
            format!("/Groups/{}", idp.group("G", &[])),
        ];
        for path in &paths {
            let name = if path.starts_with("/U") {
                "userName"
            } else {
                "displayName"
            };
            let send = |method: &str, header: (&str, &str), body: &Value| {
                world.send(idp.ask_with(method, path, body).header(header.0, header.1))
            };
            let first = idp.get(path);
            let tag = first.header("etag").unwrap().to_owned();
            assert_eq!(tag, first.json()["meta"]["version"]);
            let unchanged = send("GET", ("If-None-Match", &tag), &Value::Null);
            assert_eq!(
                (
                    unchanged.status,
                    unchanged.body.len(),
                    unchanged.header("etag")
                ),
                (304, 0, Some(tag.as_str()))
            );
            assert_eq!(
                send("GET", ("If-None-Match", "W/\"99\""), &Value::Null).status,
                200
            );

            let body = json!({ name: "New" });
            let patch =
                json!({ "Operations": [{ "op": "replace", "path": name, "value": "New" }] });
            for (method, body) in [("PUT", &body), ("PATCH", &patch), ("DELETE", &Value::Null)] {
                assert_eq!(
                    refused(&send(method, ("If-Match", "W/\"99\""), body)).0,
                    412,
                    "{method} {path}"
                );
            }
            assert_eq!(send("PATCH", ("If-Match", &tag), &patch).status, 200);
            assert_eq!(refused(&send("PUT", ("If-Match", &tag), &body)).0, 412);
            assert_eq!(send("PUT", ("If-Match", "*"), &body).status, 200);
            assert_eq!(
                send("DELETE", ("If-Match", "\"2\""), &Value::Null).status,
                204
            );
        }
    });
}

#[test]
fn pages_walk_through_everybody_once() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let mut expected: Vec<String> = (0..23).map(|n| idp.user(&format!("user{n}"))).collect();
        let (mut seen, mut start) = (Vec::new(), 1);
        loop {
            let page = shown(&idp.get(&format!("/Users?startIndex={start}&count=5")));
            assert_eq!(
                (&page["totalResults"], &page["startIndex"]),
                (&json!(23), &json!(start))
            );
            let ids: Vec<String> = page["Resources"]
                .as_array()
                .unwrap()
                .iter()
                .map(|user| user["id"].as_str().unwrap().to_owned())
                .collect();
            assert_eq!(page["itemsPerPage"], ids.len());
            if ids.is_empty() {
                break;
            }
            start += ids.len();
            seen.extend(ids);
        }
        assert_eq!(seen, expected, "in the order of their creation");
        seen.sort();
        expected.sort();
        assert_eq!(seen, expected);
        for (query, items) in [
            ("count=0", 0),
            ("count=-1", 0),
            ("startIndex=0&count=2", 2),
            ("startIndex=99", 0),
            ("count=100000", 23),
        ] {
            let page = shown(&idp.get(&format!("/Users?{query}")));
            assert_eq!(
                (&page["totalResults"], &page["itemsPerPage"]),
                (&json!(23), &json!(items)),
                "{query}"
            );
        }
        let some = shown(&idp.get(&format!(
            "/Users?filter={}&startIndex=3&count=4",
            encoded("userName sw \"USER1\"")
        )));
        let names: Vec<&str> = some["Resources"]
            .as_array()
            .unwrap()
            .iter()
            .map(|user| user["userName"].as_str().unwrap())
            .collect();
        assert_eq!(
            (&some["totalResults"], names),
            (&json!(11), vec!["user11", "user12", "user13", "user14"])
        );
    });
}

#[test]
fn writes_show_what_was_asked_for() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let posted = created_names(&idp.post(
            "/Users?attributes=userName",
            &json!({ "userName": "a", "title": "T" }),
        ));
        assert_eq!(posted, ["schemas", "id", "userName"]);
        let id = idp.user("b");
        let names = |answer| {
            let document: Value = shown(&answer);
            document
                .as_object()
                .unwrap()
                .keys()
                .cloned()
                .collect::<Vec<String>>()
        };
        let patched = idp.patch(
            &format!("/Users/{id}?excludedAttributes=meta,active"),
            &json!([{ "op": "add", "path": "title", "value": "T" }]),
        );
        assert_eq!(names(patched), ["schemas", "id", "userName", "title"]);
        let put = idp.put(
            &format!("/Users/{id}?attributes=meta.version"),
            &json!({ "userName": "b" }),
        );
        assert_eq!(names(put), ["schemas", "id", "meta"]);
        let listed = shown(&idp.get("/Users?attributes=userName&count=1"));
        assert_eq!(listed["Resources"][0].as_object().unwrap().len(), 3);
    });
}

fn created_names(answer: &crate::http::Answer) -> Vec<String> {
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json().as_object().unwrap().keys().cloned().collect()
}

#[test]
fn names_are_written_as_their_scripts_are() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let product = Product::reader(&world).json().below("/rest");
        for name in ["نمی\u{200C}دانم", "\u{1F469}\u{200D}\u{1F4BB} Team"] {
            let group = idp.group(name, &[]);
            assert_eq!(
                shown(&idp.get(&format!("/Groups/{group}")))["displayName"],
                name
            );
            let found = idp.find("/Groups", &format!("displayName eq \"{name}\""));
            assert_eq!(found["totalResults"], 1);
            // Nobody can be sure to see the difference, so it is none.
            let same = name.replace(['\u{200C}', '\u{200D}'], "");
            let found = idp.find("/Groups", &format!("displayName eq \"{same}\""));
            assert_eq!(found["Resources"][0]["id"], *group);
            assert_eq!(
                refused(&idp.post("/Groups", &json!({ "displayName": same }))),
                (409, "uniqueness".into())
            );
            let user = idp.user(name);
            let found = idp.find("/Users", &format!("userName eq \"{same}\""));
            assert_eq!(found["Resources"][0]["id"], *user);
            assert_eq!(idp.post("/Users", &json!({ "userName": same })).status, 409);
            let path = format!("/usermanagement/1/user?username={}", encoded(&same));
            let seen = product.get(&path);
            assert_eq!(seen.json()["name"], name, "{}", seen.text());
        }
        let hidden = json!({ "displayName": "sta\u{200D}ff" });
        assert_eq!(
            refused(&idp.post("/Groups", &hidden)),
            (400, "invalidValue".into())
        );
    });
}

#[test]
fn a_connector_can_fix_the_answer_to_patch_and_keep_passwords() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let user = format!("/Users/{}", idp.user("ann"));
        let group = format!("/Groups/{}", idp.group("G", &[]));
        let set = |settings: ConnectorSettings| {
            let change = world.provision.change_connector(
                world.connector.connector.id,
                "test",
                move |connector| {
                    connector.settings = settings.clone();
                    Ok(())
                },
            );
            world.run(change).unwrap();
        };
        let title = |text: &str| json!([{ "op": "replace", "path": "externalId", "value": text }]);
        set(ConnectorSettings {
            patch_reply: PatchReply::Always204,
            ..ConnectorSettings::default()
        });
        for path in [&user, &group] {
            let answer = idp.patch(path, &title("1"));
            assert_eq!(
                (answer.status, answer.body.len(), answer.header("etag")),
                (204, 0, Some("W/\"2\""))
            );
        }
        set(ConnectorSettings {
            patch_reply: PatchReply::Always200,
            accept_passwords: true,
            ..ConnectorSettings::default()
        });
        for path in [&user, &group] {
            shown(&idp.patch(path, &title("2")));
        }
        assert_eq!(
            shown(&idp.get("/ServiceProviderConfig"))["changePassword"]["supported"],
            true
        );
        for answer in [
            idp.patch(
                &user,
                &json!([{ "op": "replace", "value": { "password": "s3cret-one" } }]),
            ),
            idp.put(
                &user,
                &json!({ "userName": "ann", "password": "s3cret-two" }),
            ),
            idp.get(&user),
        ] {
            assert!(!answer.text().contains("s3cret"), "{}", answer.text());
        }
    });
}

#[test]
fn discovery_says_what_is_served() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let config = shown(&idp.get("/ServiceProviderConfig"));
        for (name, supported) in [
            ("patch", true),
            ("bulk", true),
            ("filter", true),
            ("changePassword", false),
            ("sort", true),
            ("etag", true),
        ] {
            assert_eq!(config[name]["supported"], supported, "{name}");
        }
        assert_eq!(
            config["meta"]["location"],
            format!("{}/ServiceProviderConfig", idp.url())
        );
        for (collection, total) in [("/ResourceTypes", 2), ("/Schemas", 6)] {
            let list = shown(&idp.get(collection));
            assert_eq!(
                (
                    &list["totalResults"],
                    &list["itemsPerPage"],
                    &list["startIndex"]
                ),
                (&json!(total), &json!(total), &json!(1))
            );
            for item in list["Resources"].as_array().unwrap() {
                let one =
                    shown(&idp.get(&format!("{collection}/{}", item["id"].as_str().unwrap())));
                assert_eq!(&one, item);
                let location = item["meta"]["location"].as_str().unwrap();
                assert_eq!(
                    location,
                    format!("{}{collection}/{}", idp.url(), item["id"].as_str().unwrap())
                );
            }
            let filtered = idp.get(&format!("{collection}?filter=id+pr"));
            assert_eq!(refused(&filtered).0, 403);
        }
    });
}

#[test]
fn connectors_do_not_see_each_other() {
    on_each_database(|database| {
        let world = World::new(database);
        let one = Idp::new(&world);
        let two = one.stranger();
        let (user, group) = (one.user("ann"), one.group("G", &[]));
        assert_eq!(shown(&two.get("/Users"))["totalResults"], 0);
        for path in [format!("/Users/{user}"), format!("/Groups/{group}")] {
            let patch = json!([{ "op": "replace", "path": "externalId", "value": "x" }]);
            for answer in [
                two.get(&path),
                two.delete(&path),
                two.patch(&path, &patch),
                two.put(&path, &json!({ "userName": "x", "displayName": "x" })),
            ] {
                assert_eq!(refused(&answer).0, 404, "{path}");
            }
        }
        for (collection, filter) in [
            ("Users", format!("id eq \"{user}\"")),
            ("Users", "userName eq \"ann\"".into()),
            ("Groups", "displayName eq \"G\"".into()),
        ] {
            assert_eq!(two.find(collection, &filter)["totalResults"], 0, "{filter}");
        }
        let (own, theirs) = (two.user("ann"), two.group("G", &[&user]));
        assert_ne!(own, user);
        assert_eq!(
            shown(&two.get(&format!("/Groups/{theirs}")))["members"],
            json!([{ "value": user }]),
            "nobody it knows"
        );
        assert_eq!(
            shown(&one.get(&format!("/Users/{user}"))).get("groups"),
            None
        );
        let crossed = Ask::new("GET", format!("{}/Users", one.base))
            .header("Authorization", &format!("Bearer {}", two.token));
        assert_eq!(refused(&world.send(crossed)).0, 401);
    });
}
