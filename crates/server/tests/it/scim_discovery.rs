//! The discovery documents and the server agree: each probe is derived from what the documents say, so
//! that it holds whatever is offered.

use std::io::Read;

use directory::ConnectorSettings;
use emulate::databases::on_each_database;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::api_console::{Console, ok};
use crate::http::Ask;
use crate::scim_idp::*;
use crate::world::World;

fn config(idp: &Idp<'_>) -> Value {
    shown(&idp.get("/ServiceProviderConfig"))
}

/// Whether something is offered, as the document says it.
fn supports(config: &Value, what: &str) -> bool {
    config[what]["supported"].as_bool().expect(what)
}

fn number(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

#[test]
fn each_flag_is_as_the_server_does() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let config = config(&idp);
        let path = format!("/Users/{}", idp.user("m"));
        let add = json!([{ "op": "add", "path": "title", "value": "T" }]);
        assert_eq!(
            idp.patch(&path, &add).status,
            if supports(&config, "patch") { 200 } else { 501 }
        );
        let answer = idp.get(&path);
        assert_eq!(answer.header("etag").is_some(), supports(&config, "etag"));
        let unknown = world.send(idp.ask("GET", &path).header("If-Match", "\"0\""));
        assert_eq!(
            unknown.status,
            if supports(&config, "etag") { 412 } else { 200 }
        );
        let found = idp.get(&format!(
            "/Users?filter={}",
            encoded("userName eq \"nobody\"")
        ));
        let offered = supports(&config, "filter");
        assert_eq!(found.json()["totalResults"].as_u64(), offered.then_some(0));
        bulk(&idp, &config);
        sorting(&idp, &config);
        pages(&idp, &config);
        authentication(&idp, &config);
    });
}

fn bulk(idp: &Idp<'_>, config: &Value) {
    let send = |operations: usize, bytes: usize| {
        let operation = json!({ "method": "DELETE", "path": "/Users/none" });
        let body = json!({ "Operations": vec![operation; operations] }).to_string();
        let padding = " ".repeat(bytes.saturating_sub(body.len()));
        idp.world
            .send(idp.ask("POST", "/Bulk").body(format!("{body}{padding}")))
            .status
    };
    if !supports(config, "bulk") {
        assert_eq!(send(1, 0), 501);
        return;
    }
    let (operations, bytes) = (
        number(&config["bulk"]["maxOperations"]),
        number(&config["bulk"]["maxPayloadSize"]),
    );
    assert_eq!((send(operations, 0), send(operations + 1, 0)), (200, 413));
    assert_eq!((send(1, bytes), send(1, bytes + 1)), (200, 413));
}

fn sorting(idp: &Idp<'_>, config: &Value) {
    for name in ["z", "a"] {
        idp.user(name);
    }
    let list = idp.get("/Users?sortBy=userName&sortOrder=descending&attributes=userName");
    let names: Vec<Value> = shown(&list)["Resources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["userName"].clone())
        .collect();
    let expected = if supports(config, "sort") {
        ["z", "m", "a"]
    } else {
        ["m", "z", "a"]
    };
    assert_eq!(names, expected);
}

fn pages(idp: &Idp<'_>, config: &Value) {
    let paging = &config["pagination"];
    let most = number(&config["filter"]["maxResults"]);
    assert_eq!(most, number(&paging["maxPageSize"]));
    let mut left = most;
    while left > 0 {
        let some = left.min(number(&config["bulk"]["maxOperations"])).min(500);
        let operations: Vec<Value> = (0..some)
            .map(|nth| {
                let name = format!("page{}", left - nth);
                json!({ "method": "POST", "path": "/Users", "bulkId": name, "data": { "userName": name } })
            })
            .collect();
        shown(&idp.post("/Bulk", &json!({ "Operations": operations })));
        left -= some;
    }
    let total = most + 3;
    let page = |query: &str| {
        let page = shown(&idp.get(&format!("/Users?attributes=id{query}")));
        assert_eq!(page["totalResults"], total);
        let items = page["Resources"].as_array().unwrap().len();
        assert_eq!(page["itemsPerPage"], items);
        (items, page)
    };
    assert_eq!(page("").0, number(&paging["defaultPageSize"]));
    assert_eq!(page("&count=1000000").0, most);
    assert_eq!(page(&format!("&count={most}")).0, most);
    if paging["index"] == true {
        assert_eq!(page(&format!("&startIndex={most}")).0, 4);
    }
    let (items, first) = page("&cursor&count=2");
    assert_eq!(items, 2);
    assert_eq!(first["nextCursor"].is_string(), paging["cursor"] == true);
}

fn authentication(idp: &Idp<'_>, config: &Value) {
    let schemes = config["authenticationSchemes"].as_array().unwrap();
    let offers = |kind: &str| schemes.iter().any(|scheme| scheme["type"] == kind);
    assert_eq!(
        schemes
            .iter()
            .filter(|scheme| scheme["primary"] == true)
            .count(),
        1
    );
    let ask = |authorization: String| {
        let ask = Ask::new("GET", format!("{}/Users?count=0", idp.base));
        idp.world
            .send(ask.header("Authorization", &authorization))
            .status
    };
    assert_eq!(
        ask(format!("Bearer {}", idp.token)) == 200,
        offers("oauthbearertoken")
    );
    if !offers("httpbasic") {
        assert_eq!(ask(crate::world::basic("idp", &idp.token)), 401);
    }
}

/// Whatever opens the connector is named, and what is named opens it.
#[test]
fn every_form_of_credentials_that_is_taken_is_named() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let id = idp.base.rsplit('/').next().unwrap().to_owned();
        let kinds = |idp: &Idp<'_>| -> Vec<String> {
            let config = config(idp);
            let schemes = config["authenticationSchemes"].as_array().unwrap().clone();
            let kinds = schemes
                .iter()
                .map(|scheme| scheme["type"].as_str().unwrap().to_owned());
            kinds.collect()
        };
        assert_eq!(kinds(&idp), ["oauthbearertoken"]);
        let console = Console::new(&world);
        let made = ok(&console.post(&format!("/connectors/{id}/clients"), json!({"label": "hr"})));
        let change = json!({"basic": true, "bare_token": true, "token_header": "X-Scim",
            "jwt": {"issuer": "https://idp.example.org", "audience": "vestibule"}});
        let body = json!({"settings": {"credentials": change}});
        ok(&console.patch(&format!("/connectors/{id}"), body));
        world.wait(SignedDuration::from_secs(10));
        let named = [
            "oauthbearertoken",
            "oauthbearertoken",
            "oauth2",
            "httpbasic",
        ];
        assert_eq!(kinds(&idp), named);
        let schemes = config(&idp)["authenticationSchemes"].clone();
        let told = |nth: usize| schemes[nth]["description"].as_str().unwrap().to_owned();
        assert!(
            told(0).contains("x-scim") && told(0).contains("alone"),
            "{}",
            told(0)
        );
        assert!(told(1).contains("https://idp.example.org"));
        assert!(
            told(2).contains(&format!("/oauth/{id}/token")),
            "{}",
            told(2)
        );
        let pair = crate::world::basic(
            made["client_id"].as_str().unwrap(),
            made["client_secret"].as_str().unwrap(),
        );
        let ask = Ask::new("GET", format!("{}/Users?count=0", idp.base));
        assert_eq!(world.send(ask.header("Authorization", &pair)).status, 200);
    });
}

#[test]
fn discovery_is_given_whole_and_short_for_whoever_asks_for_gzip() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        for path in [
            "/ServiceProviderConfig",
            "/Schemas",
            "/ResourceTypes",
            "/ResourceTypes/User",
            "/Schemas/urn:ietf:params:scim:schemas:core:2.0:User",
        ] {
            assert_eq!(
                refused(&idp.get(&format!("{path}?filter=x"))).0,
                403,
                "{path}"
            );
        }
        let plain = idp.get("/Schemas");
        assert_eq!(plain.header("content-encoding"), None);
        assert_eq!(plain.header("vary"), Some("accept-encoding"));
        let ask = idp
            .ask("GET", "/Schemas")
            .header("Accept-Encoding", "gzip, deflate");
        let short = world.send(ask);
        assert_eq!(short.header("content-encoding"), Some("gzip"));
        assert_eq!(short.header("vary"), Some("accept-encoding"));
        assert!(
            short.body.len() * 4 < plain.body.len(),
            "{}",
            short.body.len()
        );
        let mut whole = String::new();
        flate2::read::GzDecoder::new(&short.body[..])
            .read_to_string(&mut whole)
            .unwrap();
        assert_eq!(whole, plain.text());
        let tiny = idp.ask("GET", "/Users").header("Accept-Encoding", "gzip");
        assert_eq!(world.send(tiny).header("content-encoding"), None);
        let secret = idp.get("/Users?filter=password%20eq%20%22x%22");
        assert_eq!(refused(&secret).0, 403);
        assert_eq!(secret.json()["scimType"], "sensitive");
    });
}

#[test]
fn passwords_are_kept_if_the_document_says_so() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        for (nth, accept_passwords) in [false, true].into_iter().enumerate() {
            let change = world.provision.change_connector(
                world.connector.connector.id,
                "test",
                move |connector| {
                    connector.settings = ConnectorSettings {
                        accept_passwords,
                        ..ConnectorSettings::default()
                    };
                    Ok(())
                },
            );
            world.run(change).unwrap();
            let body = json!({ "userName": format!("user{nth}"), "password": "s3cret" });
            let id = id_of(&idp.post("/Users", &body));
            let connector = world.connector.connector.id;
            let kept = world.run(world.provision.store().read(move |tx| {
                let user = tx.source_user(connector, &id)?.expect("a user");
                tx.source_password(user.pk)
            }));
            assert_eq!(
                kept.unwrap().is_some(),
                supports(&config(&idp), "changePassword")
            );
        }
    });
}

#[test]
fn documents_name_each_other_and_what_is_there() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let list = |path: &str| {
            shown(&idp.get(path))["Resources"]
                .as_array()
                .unwrap()
                .clone()
        };
        let (types, schemas) = (list("/ResourceTypes"), list("/Schemas"));
        let ids: Vec<&str> = schemas
            .iter()
            .map(|schema| schema["id"].as_str().unwrap())
            .collect();
        for ty in &types {
            let endpoint = ty["endpoint"].as_str().unwrap();
            assert_eq!(shown(&idp.get(endpoint))["totalResults"], 0, "{endpoint}");
            assert!(ids.contains(&ty["schema"].as_str().unwrap()));
            for extension in ty["schemaExtensions"].as_array().unwrap() {
                assert!(
                    ids.contains(&extension["schema"].as_str().unwrap()),
                    "{extension}"
                );
            }
        }
        for document in types.iter().chain(&schemas).chain([&config(&idp)]) {
            let location = document["meta"]["location"].as_str().unwrap();
            let path = location.strip_prefix(&idp.url()).unwrap();
            assert_eq!(&shown(&idp.get(path)), document);
            let kind = document["meta"]["resourceType"].as_str().unwrap();
            let urn = format!("urn:ietf:params:scim:schemas:core:2.0:{kind}");
            assert_eq!(document["schemas"], json!([urn]));
            conforms(
                document,
                &schemas[ids.iter().position(|id| *id == urn).unwrap()]["attributes"],
            );
        }
    });
}

/// Each value of a document is one that its schema knows, of the type that it says.
fn conforms(document: &Value, described: &Value) {
    let attributes = described.as_array().unwrap();
    for (name, value) in document.as_object().unwrap() {
        if ["schemas", "meta", "id"].contains(&name.as_str()) {
            continue;
        }
        let attribute = attributes
            .iter()
            .find(|attribute| attribute["name"] == name.as_str());
        // A schema of schemas has to end somewhere; parts are described as wholes are.
        if attribute.is_none() && name == "subAttributes" {
            let parts = value.as_array().unwrap().iter();
            parts.for_each(|part| conforms(part, described));
            continue;
        }
        let attribute = attribute.unwrap_or_else(|| panic!("{name} of {document}"));
        let values = match attribute["multiValued"] == true {
            true => value.as_array().unwrap().iter().collect(),
            false => vec![value],
        };
        for value in values {
            match attribute["type"].as_str().unwrap() {
                "complex" => conforms(value, &attribute["subAttributes"]),
                "boolean" => assert!(value.is_boolean(), "{name}"),
                "integer" => assert!(value.is_i64() || value.is_u64(), "{name}"),
                _ => assert!(value.is_string(), "{name}"),
            }
        }
    }
    for attribute in attributes
        .iter()
        .filter(|attribute| attribute["required"] == true)
    {
        let name = attribute["name"].as_str().unwrap();
        assert!(document.get(name).is_some(), "{name} of {document}");
    }
}
