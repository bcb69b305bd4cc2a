//! What HTTP says of methods, conditions and addresses, on the SCIM face.

use directory::{ConnectorSettings, PatchReply};
use emulate::databases::on_each_database;
use serde_json::{Value, json};

use crate::http::{Answer, Ask};
use crate::scim_idp::*;
use crate::world::World;

const TELLING: [&str; 4] = ["content-type", "content-length", "etag", "location"];

#[test]
fn head_is_get_without_the_body_and_options_tells_the_methods() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let user = idp.user("ann");
        let group = idp.group("G", &[&user]);
        for path in [
            "/Users".to_owned(),
            format!("/Users/{user}"),
            "/Users/none".to_owned(),
            "/Users?filter=((".to_owned(),
            "/Groups".to_owned(),
            format!("/Groups/{group}"),
            "/ServiceProviderConfig".to_owned(),
            "/Schemas".to_owned(),
            "/ResourceTypes/User".to_owned(),
            "/Me".to_owned(),
            "/nonsense".to_owned(),
        ] {
            let (get, head) = (idp.get(&path), world.send(idp.ask("HEAD", &path)));
            assert_eq!((head.status, head.body.len()), (get.status, 0), "{path}");
            for name in TELLING {
                assert_eq!(head.header(name), get.header(name), "{name} of {path}");
            }
        }
        for (path, allowed) in [
            ("/Users", "GET, HEAD, POST, OPTIONS"),
            ("/Groups", "GET, HEAD, POST, OPTIONS"),
            ("/Users/any", "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"),
            ("/Groups/any", "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"),
            ("/Bulk", "POST, OPTIONS"),
            ("/Schemas", "GET, HEAD, OPTIONS"),
            ("/ResourceTypes", "GET, HEAD, OPTIONS"),
            ("/ServiceProviderConfig", "GET, HEAD, OPTIONS"),
        ] {
            let answer = world.send(idp.ask("OPTIONS", path));
            assert_eq!(
                (answer.status, answer.body.len(), answer.header("allow")),
                (204, 0, Some(allowed)),
                "{path}"
            );
            for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "BREW"] {
                let answer = world.send(idp.ask(method, path).body("{}"));
                let is_allowed = allowed.split(", ").any(|one| one == method);
                assert_eq!(answer.status == 405, !is_allowed, "{method} {path}");
                if !is_allowed {
                    assert_eq!(refused(&answer).0, 405);
                    assert_eq!(answer.header("allow"), Some(allowed));
                }
            }
        }
        assert_eq!(refused(&world.send(idp.ask("OPTIONS", "/nonsense"))).0, 404);
        let anonymous = Ask::new("OPTIONS", format!("{}/Users", idp.base));
        assert_eq!(refused(&world.send(anonymous)).0, 401);
    });
}

#[test]
fn a_token_stands_for_no_user() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        for path in ["/Me", "/me/", "/Me?attributes=id", "/Me/x"] {
            for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
                let answer = world.send(idp.ask(method, path).body("{}"));
                assert_eq!(refused(&answer).0, 501, "{method} {path}");
            }
        }
        let endpoints = shown(&idp.get("/ResourceTypes"));
        assert!(!endpoints.to_string().contains("/Me"));
    });
}

#[test]
fn bodies_of_reads_are_passed_over() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let path = format!("/Users/{}", idp.user("ann"));
        for body in [
            "{\"userName\":\"bob\"}",
            "rubbish",
            "GET / HTTP/1.1\r\n\r\n",
        ] {
            let read = shown(&world.send(idp.ask("GET", &path).body(body)));
            assert_eq!(read["userName"], "ann");
            assert_eq!(world.send(idp.ask("HEAD", &path).body(body)).status, 200);
        }
        assert_eq!(
            world.send(idp.ask("DELETE", &path).body("rubbish")).status,
            204
        );
    });
}

#[test]
fn conditions_hold_on_every_method() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        for (nth, name) in ["userName", "displayName"].into_iter().enumerate() {
            let collection = ["/Users", "/Groups"][nth];
            let path = format!(
                "{collection}/{}",
                id_of(&idp.post(collection, &json!({ name: "first" })))
            );
            let send = |method: &str, headers: &[(&str, &str)]| {
                let body = match method {
                    "PUT" => json!({ name: "first", "externalId": "x" }),
                    "PATCH" => {
                        json!({ "Operations": [{ "op": "add", "path": "externalId", "value": "y" }] })
                    }
                    _ => Value::Null,
                };
                let ask = idp.ask_with(method, &path, &body);
                let ask = headers
                    .iter()
                    .fold(ask, |ask, (name, value)| ask.header(name, value));
                world.send(ask).status
            };
            let tag = idp.get(&path).header("etag").unwrap().to_owned();
            assert_eq!(tag, "W/\"1\"");
            let others = "\"0\", W/\"99\" ,W/\"x,y\"";
            let with_it = format!("{others}, {tag}");
            for (headers, read, write) in [
                (vec![("If-Match", tag.as_str())], 200, 0),
                (vec![("If-Match", "\"1\"")], 200, 0),
                (vec![("If-Match", with_it.as_str())], 200, 0),
                (
                    vec![("If-Match", others), ("If-Match", tag.as_str())],
                    200,
                    0,
                ),
                (vec![("If-Match", "*")], 200, 0),
                (vec![("If-Match", others)], 412, 412),
                (vec![("If-Match", "")], 412, 412),
                (vec![("If-None-Match", tag.as_str())], 304, 412),
                (vec![("If-None-Match", with_it.as_str())], 304, 412),
                (vec![("If-None-Match", "*")], 304, 412),
                (vec![("If-None-Match", others)], 200, 0),
                (
                    vec![("If-Match", "*"), ("If-None-Match", tag.as_str())],
                    304,
                    412,
                ),
                (
                    vec![("If-Match", others), ("If-None-Match", tag.as_str())],
                    412,
                    412,
                ),
            ] {
                for method in ["GET", "HEAD"] {
                    assert_eq!(send(method, &headers), read, "{method} {path} {headers:?}");
                }
                for method in ["PUT", "PATCH", "DELETE"] {
                    if write == 412 {
                        assert_eq!(send(method, &headers), 412, "{method} {path} {headers:?}");
                    }
                }
            }
            assert_eq!(send("PATCH", &[("If-Match", &with_it)]), 200);
            assert_eq!(send("PUT", &[("If-None-Match", &tag)]), 200);
            assert_eq!(send("PUT", &[("If-Match", &tag)]), 412);
            assert_eq!(send("DELETE", &[("If-Match", "W/\"3\"")]), 204);
            for (method, header) in [
                ("GET", "If-Match"),
                ("PUT", "If-Match"),
                ("PATCH", "If-None-Match"),
                ("DELETE", "If-Match"),
            ] {
                assert_eq!(send(method, &[(header, "*")]), 404, "{method}");
            }
        }
    });
}

/// The answer to a read that knows the tag of the read before.
fn again(idp: &Idp<'_>, path: &str, before: &Answer) -> Answer {
    let tag = before.header("etag").unwrap();
    assert_eq!(before.json()["meta"]["version"], tag);
    idp.world
        .send(idp.ask("GET", path).header("If-None-Match", tag))
}

#[test]
fn a_tag_changes_with_the_groups_of_a_user() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let id = idp.user("ann");
        let path = format!("/Users/{id}");
        let member = json!([{ "op": "add", "path": "members", "value": [{ "value": id }] }]);
        let group = format!("/Groups/{}", idp.group("G", &[]));
        let mut seen = idp.get(&path);
        assert_eq!(again(&idp, &path, &seen).status, 304);
        for operations in [
            member.clone(),
            json!([{ "op": "replace", "path": "displayName", "value": "H" }]),
            json!([{ "op": "remove", "path": "members" }]),
            member,
        ] {
            idp.patch(&group, &operations);
            let now = again(&idp, &path, &seen);
            assert_eq!(now.status, 200, "{operations}");
            assert_eq!(again(&idp, &path, &now).status, 304);
            seen = now;
        }
        let listed = shown(&idp.get("/Users"));
        assert_eq!(
            listed["Resources"][0]["meta"]["version"],
            seen.header("etag").unwrap()
        );
        let without = format!("{path}?excludedAttributes=groups");
        assert_eq!(
            again(&idp, &without, &seen).status,
            304,
            "nothing of what is shown changed"
        );
        idp.delete(&group);
        let now = again(&idp, &path, &seen);
        assert_eq!((now.status, now.json().get("groups")), (200, None));
        let patch = json!({ "Operations": [{ "op": "add", "path": "title", "value": "T" }] });
        let ask = idp.ask_with("PATCH", &path, &patch);
        let written = world.send(ask.header("If-Match", seen.header("etag").unwrap()));
        assert_eq!(written.status, 200, "nobody wrote to the user");
    });
}

#[test]
fn a_tag_changes_with_the_members_of_a_group() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let (ann, inner) = (idp.user("ann"), idp.group("inner", &[]));
        let path = format!("/Groups/{}", idp.group("G", &[&ann, &inner, "extern-1"]));
        let mut seen = idp.get(&path);
        let mut modified = seen.json()["meta"]["lastModified"].clone();
        let mut check = |what: &str| {
            let now = again(&idp, &path, &seen);
            assert_eq!(now.status, 200, "{what}");
            let meta = now.json()["meta"].clone();
            assert!(meta["lastModified"].as_str() > modified.as_str(), "{what}");
            modified = meta["lastModified"].clone();
            assert_eq!(again(&idp, &path, &now).status, 304, "{what}");
            seen = now;
        };
        idp.delete(&format!("/Users/{ann}"));
        check("a member was deleted");
        idp.delete(&format!("/Groups/{inner}"));
        check("a group in it was deleted");
        idp.post(
            "/Users",
            &json!({ "userName": "bob", "externalId": "extern-1" }),
        );
        check("somebody came who was waited for");
    });
}

#[test]
fn every_answer_with_one_resource_has_its_address_and_tag() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        for (collection, name) in [("/Users", "userName"), ("/Groups", "displayName")] {
            let whole = |answer: &Answer| {
                let document = answer.json();
                let meta = &document["meta"];
                let location = format!(
                    "{}{collection}/{}",
                    idp.url(),
                    document["id"].as_str().unwrap()
                );
                assert_eq!(meta["location"], location);
                assert_eq!(answer.header("location"), Some(location.as_str()));
                assert_eq!(answer.header("etag"), meta["version"].as_str());
                assert_eq!(meta["resourceType"], &collection[1..collection.len() - 1]);
                assert!(meta["created"].is_string() && meta["lastModified"].is_string());
            };
            let posted = idp.post(collection, &json!({ name: "one" }));
            assert_eq!(posted.status, 201);
            whole(&posted);
            let path = format!("{collection}/{}", posted.json()["id"].as_str().unwrap());
            let add = json!([{ "op": "add", "path": "externalId", "value": "x" }]);
            for answer in [
                idp.get(&path),
                idp.put(&path, &json!({ name: "two" })),
                idp.patch(&path, &add),
            ] {
                assert_eq!(answer.status, 200);
                whole(&answer);
            }
            let part = idp.get(&format!("{path}?attributes={name}"));
            assert_eq!(
                part.header("location"),
                Some(format!("{}{path}", idp.url()).as_str())
            );
            assert_eq!(part.header("etag"), Some("W/\"3\""));
            let listed = idp.get(collection);
            assert_eq!(
                (listed.header("location"), listed.header("etag")),
                (None, None)
            );
            let item = &shown(&listed)["Resources"][0]["meta"];
            assert_eq!(
                (&item["location"], &item["version"]),
                (&json!(format!("{}{path}", idp.url())), &json!("W/\"3\""))
            );
        }
        let silent =
            world
                .provision
                .change_connector(world.connector.connector.id, "test", |connector| {
                    connector.settings = ConnectorSettings {
                        patch_reply: PatchReply::Always204,
                        ..ConnectorSettings::default()
                    };
                    Ok(())
                });
        world.run(silent).unwrap();
        for collection in ["/Users", "/Groups"] {
            let id = shown(&idp.get(collection))["Resources"][0]["id"]
                .as_str()
                .unwrap()
                .to_owned();
            let path = format!("{collection}/{id}");
            let add = |value: &str| json!([{ "op": "add", "path": "externalId", "value": value }]);
            let answer = idp.patch(&path, &add("y"));
            assert_eq!(
                (
                    answer.status,
                    answer.header("etag"),
                    answer.header("location")
                ),
                (
                    204,
                    Some("W/\"4\""),
                    Some(format!("{}{path}", idp.url()).as_str())
                )
            );
            let answer = shown(&idp.patch(&format!("{path}?attributes=externalId"), &add("z")));
            assert_eq!(
                answer["externalId"], "z",
                "a client that asks for attributes gets them"
            );
        }
    });
}

#[test]
fn what_is_shown_can_be_chosen_on_every_way() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let names = |document: &Value| -> Vec<String> {
            let mut names: Vec<String> = document.as_object().unwrap().keys().cloned().collect();
            names.sort();
            names
        };
        let body = json!({ "userName": "ann", "title": "T", "password": "s3cret", ENT: { "department": "D", "division": "V" } });
        let posted = idp.post("/Users?attributes=title", &body);
        assert_eq!(
            (posted.status, names(&posted.json())),
            (201, vec!["id".into(), "schemas".into(), "title".into()])
        );
        let path = format!("/Users/{}", posted.json()["id"].as_str().unwrap());
        let add = json!([{ "op": "add", "path": "title", "value": "U" }]);
        for (query, expected) in [
            ("attributes=userName", vec!["id", "schemas", "userName"]),
            (
                "attributes=USERNAME,urn:ietf:params:scim:schemas:core:2.0:User:title",
                vec!["id", "schemas", "title", "userName"],
            ),
            ("attributes=department", vec!["id", "schemas", ENT]),
            ("attributes=password,nonsense,", vec!["id", "schemas"]),
            (
                "attributes=meta.location&excludedAttributes=",
                vec!["id", "meta", "schemas"],
            ),
            (
                "attributes=&excludedAttributes=meta,id,schemas,userName",
                vec!["id", "schemas", "title", ENT],
            ),
            (
                "excludedAttributes=meta,title,password,nonsense,urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
                vec!["id", "schemas", "userName"],
            ),
        ] {
            let with_query = format!("{path}?{query}");
            let list = shown(&idp.get(&format!("/Users?{query}")))["Resources"][0].clone();
            for document in [
                shown(&idp.get(&with_query)),
                list,
                shown(&idp.put(&with_query, &body)),
                shown(&idp.patch(&with_query, &add)),
            ] {
                let mut expected: Vec<&str> = expected.clone();
                expected.sort_unstable();
                assert_eq!(names(&document), expected, "{query}");
            }
        }
        let part = shown(&idp.get(&format!("{path}?attributes={ENT}:division")));
        assert_eq!(part[ENT], json!({ "division": "V" }));
        let both = "attributes=title&excludedAttributes=title";
        let before = shown(&idp.get(&path));
        for answer in [
            idp.get(&format!("/Users?{both}")),
            idp.get(&format!("{path}?{both}")),
            idp.post(&format!("/Users?{both}"), &json!({ "userName": "bob" })),
            idp.put(&format!("{path}?{both}"), &json!({ "userName": "bob" })),
            idp.patch(
                &format!("{path}?{both}"),
                &json!([{ "op": "remove", "path": "title" }]),
            ),
        ] {
            assert_eq!(refused(&answer), (400, "invalidValue".to_owned()));
        }
        assert_eq!(
            shown(&idp.get(&path)),
            before,
            "nothing of what was refused happened"
        );
        assert_eq!(shown(&idp.get("/Users"))["totalResults"], 1);
    });
}

#[test]
fn queries_in_the_clear_work_or_are_refused_in_this_form() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        idp.user("ann");
        idp.user("älva <x>");
        for (filter, found) in [
            ("userName+eq+\"ann\"", 1),
            ("userName%20eq%20\"bob\"", 0),
            ("userName+eq+%22ann\"", 1),
            ("userName+eq+\"älva+<x>\"", 1),
            ("userName+sw+\"\\u0061\"", 1),
        ] {
            let answer = shown(&idp.get(&format!("/Users?filter={filter}")));
            assert_eq!(answer["totalResults"], found, "{filter}");
        }
        for path in [
            "/Users?filter=userName eq \"ann\"",
            "/Users/a b",
            "/Users?filter=userName eq ann",
        ] {
            let (status, _) = refused(&idp.get(path));
            assert_eq!(status, 400, "{path}");
        }
        assert_eq!(refused(&idp.get("/Users/\"x\"")).0, 404);
        let raw = |line: &[u8]| {
            let mut head = line.to_vec();
            let rest = format!(
                "\r\nHost: {0}\r\nAuthorization: Bearer {1}\r\nConnection: close\r\n\r\n",
                world.address, idp.token
            );
            head.extend(rest.as_bytes());
            world.run(crate::http::raw(&world.address, &[&head]))
        };
        let bytes = format!(
            "GET {}/Users?filter=userName+eq+\"\u{e9}\" HTTP/1.1",
            idp.base
        );
        let latin: Vec<u8> = bytes.chars().map(|one| one as u8).collect();
        assert_eq!(refused(&raw(&latin)[0]).0, 400, "not UTF-8");
    });
}

#[test]
fn a_connection_goes_on_after_a_query_in_the_clear() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let ask = |method: &str, path: &str, body: &str| {
            format!(
                "{method} {}{path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                idp.base,
                world.address,
                idp.token,
                body.len()
            )
        };
        // The second message of a connection, and a body that looks like a request line.
        let nasty = "{\"userName\":\"GET /a\\\"b HTTP/1.1\"}";
        let messages = [
            ask("GET", "/Users?filter=userName+eq+\"ann\"", ""),
            ask("POST", "/Users", nasty),
            ask("GET", "/Users?filter=userName+co+\"a\\\"b\"", ""),
            ask("GET", "/Users?filter=userName eq x", ""),
            ask("GET", "/Users?attributes=\"", ""),
        ];
        let messages: Vec<&[u8]> = messages.iter().map(|message| message.as_bytes()).collect();
        let answers = world.run(crate::http::raw(&world.address, &messages));
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        assert_eq!(statuses, [200, 201, 200, 400, 200]);
        assert_eq!(
            answers[2].json()["Resources"][0]["userName"],
            "GET /a\"b HTTP/1.1"
        );
    });
}
