//! Connectors and their tokens through the admin API.

use emulate::databases::{TestDatabase, on_each_database};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::api_console::{Console, each, ok, problem};
use crate::http::Ask;
use crate::world::World;

/// What a SCIM client is told that comes with a token.
fn scim_status(world: &World, base_url: &str, token: &str) -> u16 {
    let host = format!("http://{}", world.address);
    let path = base_url.strip_prefix(&host).unwrap();
    let ask = Ask::new("GET", format!("{path}/Users"))
        .header("Authorization", &format!("Bearer {token}"));
    world.send(ask).status
}

fn text(document: &Value, member: &str) -> String {
    document[member].as_str().unwrap().to_owned()
}

#[test]
fn a_connector_is_made_shown_and_changed() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let answer = console.post(
            "/connectors",
            json!({"name": "Okta production", "preset": "okta"}),
        );
        assert_eq!(answer.status, 201);
        let made = ok(&answer);
        let (id, base_url) = (text(&made, "id"), text(&made, "base_url"));
        assert!(
            answer
                .header("location")
                .unwrap()
                .ends_with(&format!("/api/v1/connectors/{id}"))
        );
        assert_eq!(made["state"], "active");
        assert_eq!(made["directory"], "Okta production");
        let token = text(&made, "token");
        assert_eq!(scim_status(&world, &base_url, &token), 200);

        let by_id = console.show(&format!("/connectors/{id}"));
        assert_eq!(by_id, console.show("/connectors/okta%20PRODUCTION"));
        assert_eq!(by_id["rules"]["groups"]["authority"], "owned_only");
        assert_eq!(by_id["settings"]["patch_reply"], "auto");
        assert_eq!(by_id["settings"]["accept_passwords"], false);
        assert_eq!(by_id["settings"]["credentials"]["basic"], false);
        assert!(!by_id.to_string().contains(&token), "a token is shown once");
        assert_eq!(
            each(&console.show("/connectors"), "name"),
            ["default", "idp", "Okta production"]
        );

        let change = json!({
            "name": "Okta", "state": "paused",
            "settings": {"accept_passwords": true},
            "rules": {"groups": {"only_assign": ["re:jira-.*"]}},
        });
        let changed = ok(&console.patch(&format!("/connectors/{id}"), change));
        assert_eq!(
            (&changed["name"], &changed["state"]),
            (&json!("Okta"), &json!("paused"))
        );
        assert_eq!(changed["settings"]["patch_reply"], "auto");
        assert_eq!(changed["settings"]["accept_passwords"], true);
        assert_eq!(
            changed["rules"]["groups"]["only_assign"],
            json!(["re:jira-.*"])
        );
        let settings = json!({"settings": {"patch_reply": "always204"}});
        let changed = ok(&console.patch("/connectors/okta", settings));
        assert_eq!(changed["settings"]["patch_reply"], "always204");
        assert_eq!(changed["settings"]["accept_passwords"], true);
        assert_eq!(changed["name"], "Okta", "what is left out stays");

        let disabled = ok(&console.patch("/connectors/okta", json!({"state": "disabled"})));
        assert_eq!(disabled["state"], "disabled");
        assert_eq!(scim_status(&world, &base_url, &token), 403);
    });
}

#[test]
fn new_rules_take_effect_on_everyone() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let mira = world.mira();
        world.group("Jira Users", &[&mira]);
        let rules = json!({"groups": {"names": {"rules": [{"steps": [
            "lower", {"replace": {"find": " ", "with": "-"}},
        ]}]}}});
        ok(&console.patch("/connectors/idp", json!({"rules": rules})));
        world.run(world.provision.work_off()).unwrap();
        let mira = console.show("/directories/default/users/mira");
        assert_eq!(mira["memberships"][0]["group"], "jira-users");
        assert_eq!(console.show("/connectors/idp")["due"], 0);

        let answer = console.call("/connectors/idp/reconcile");
        assert_eq!(answer.status, 202);
        assert_eq!(answer.json()["job"]["total"], 1);
    });
}

#[test]
fn rules_that_cannot_work_change_nothing_and_are_explained() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let console = Console::new(&world);
    let before = console.show("/connectors/idp");
    let rules = json!({
        "mapping": [{"target": "username", "steps": [
            {"regex_replace": {"pattern": "(?=a)", "with": "$1"}},
        ]}],
        "groups": {"only_assign": ["re:["]},
    });
    let answer = console.patch("/connectors/idp", json!({"name": "other", "rules": rules}));
    assert_eq!(problem(&answer).0, 422);
    let problem = answer.json();
    assert_eq!(problem["field"], "rules");
    let paths: Vec<&str> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["path"].as_str().unwrap())
        .collect();
    assert_eq!(
        paths,
        [
            "groups.only_assign[0]",
            "mapping[0].steps[0].regex_replace.pattern"
        ]
    );
    assert!(
        problem["errors"][1]["message"]
            .as_str()
            .unwrap()
            .contains("look-ahead")
    );
    assert_eq!(console.show("/connectors/idp"), before);

    let check = ok(&console.post("/rules/check", rules));
    assert_eq!(
        (&check["valid"], &check["errors"]),
        (&json!(false), &problem["errors"])
    );
    let check = ok(&console.post("/rules/check", json!({})));
    let valid = json!({"valid": true, "errors": [], "warnings": [], "refusals": []});
    assert_eq!(check, valid);
}

#[test]
fn tokens_are_made_rotated_and_revoked() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let made = ok(&console.post("/connectors", json!({"name": "entra"})));
        let (base_url, first) = (text(&made, "base_url"), text(&made, "token"));

        let expires: Timestamp = crate::world::START.parse().unwrap();
        let expires = expires + SignedDuration::from_hours(2);
        let body = json!({"label": "spare", "expires": expires});
        let answer = console.post("/connectors/entra/tokens", body);
        assert_eq!(answer.status, 201);
        let second = ok(&answer);
        assert_eq!(second["label"], "spare");
        let rotated = ok(&console.post(
            "/connectors/entra/tokens/rotate",
            json!({"overlap_minutes": 60}),
        ));
        assert_eq!(rotated["base_url"], made["base_url"]);
        let third = text(&rotated, "token");
        let end: Timestamp = text(&rotated, "old_tokens_end").parse().unwrap();
        let listed = console.show("/connectors/entra/tokens");
        assert_eq!(
            each(&listed, "label"),
            ["rotated", "spare", "made with the connector"]
        );
        let ends: Vec<&Value> = listed["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| &it["expires"])
            .collect();
        assert_eq!(ends[0], &Value::Null);
        assert_eq!(ends[1].as_str().unwrap().parse::<Timestamp>().unwrap(), end);

        for token in [&first, &text(&second, "token"), &third] {
            assert_eq!(scim_status(&world, &base_url, token), 200);
        }
        let at_once = json!({"overlap_minutes": 0});
        let fourth = text(
            &ok(&console.post("/connectors/entra/tokens/rotate", at_once)),
            "token",
        );
        for token in [&first, &text(&second, "token"), &third] {
            assert_eq!(scim_status(&world, &base_url, token), 401);
        }
        assert_eq!(scim_status(&world, &base_url, &fourth), 200);

        let id = each(&console.show("/connectors/entra/tokens"), "id").remove(0);
        let foreign = console.delete(&format!("/connectors/idp/tokens/{id}"));
        assert_eq!(
            problem(&foreign).0,
            404,
            "a token is revoked at its own connector only"
        );
        assert_eq!(
            console
                .delete(&format!("/connectors/entra/tokens/{id}"))
                .status,
            204
        );
        assert_eq!(scim_status(&world, &base_url, &fourth), 401);
        assert_eq!(
            problem(&console.delete(&format!("/connectors/entra/tokens/{id}"))).0,
            404
        );
    });
}

#[test]
fn rotation_without_words_leaves_a_day() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let console = Console::new(&world);
    let rotated = ok(&console.call("/connectors/idp/tokens/rotate"));
    let end: Timestamp = text(&rotated, "old_tokens_end").parse().unwrap();
    let start: Timestamp = crate::world::START.parse().unwrap();
    let overlap = end.duration_since(start);
    assert!(overlap >= SignedDuration::from_hours(24) && overlap < SignedDuration::from_hours(25));

    let long = console.post(
        "/connectors/idp/tokens/rotate",
        json!({"overlap_minutes": 43_201}),
    );
    assert_eq!(problem(&long).0, 422);
    assert_eq!(long.json()["field"], "overlap_minutes");
    let now = console.post(
        "/connectors/idp/tokens/rotate",
        json!({"overlap_minutes": 0}),
    );
    assert_eq!(now.status, 201);
}

#[test]
fn tokens_of_the_api_itself() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let console = Console::new(&world);
    let made = ok(&console.post("/tokens", json!({"label": "deploy", "role": "owner"})));
    let other = Console::with_token(&world, made["token"].as_str().unwrap());
    assert_eq!(
        each(&other.show("/tokens"), "label"),
        ["deploy", "console", "first start"]
    );
    assert_eq!(
        console
            .delete(&format!("/tokens/{}", text(&made, "id")))
            .status,
        204
    );
    let refused = other.get("/tokens");
    assert_eq!(problem(&refused).0, 401);
    assert!(
        refused
            .header("www-authenticate")
            .unwrap()
            .starts_with("Bearer")
    );
    let past = console.post(
        "/tokens",
        json!({"role": "owner", "expires": "2020-01-01T00:00:00Z"}),
    );
    assert_eq!(problem(&past).0, 422);
    let long = console.post(
        "/tokens",
        json!({"role": "owner", "label": "x".repeat(101)}),
    );
    assert_eq!(problem(&long).0, 422);
}

#[test]
fn bad_connectors_are_refused_with_what_to_do() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let console = Console::new(&world);
    for (body, status, part) in [
        (
            json!({"name": "IDP"}),
            409,
            "A connector named 'IDP' exists already",
        ),
        (json!({"name": " "}), 422, "1 to 100 characters"),
        (json!({"name": "x".repeat(101)}), 422, "1 to 100 characters"),
        (json!({"name": "a\u{7}b"}), 422, "control character"),
        (json!({"name": "a\u{202E}b"}), 422, "invisible character"),
        (json!({}), 422, "`name` is missing; add it"),
        (json!({"name": 7}), 422, "name"),
        (
            json!({"name": "a", "preset": "Okta"}),
            422,
            "preset: `Okta` is not known here; write one of `generic`, `okta`",
        ),
        (
            json!({"name": "a", "directory": "nowhere"}),
            404,
            "no directory 'nowhere'",
        ),
        (
            json!({"name": "a", "secret": "x"}),
            422,
            "nothing is called `secret` here",
        ),
        (
            json!({"name": "a", "rules": {"group": {}}}),
            422,
            "nothing is called `group` here",
        ),
        (
            json!({"name": "a", "settings": {"patchReply": "auto"}}),
            422,
            "patchReply",
        ),
    ] {
        let answer = console.post("/connectors", body.clone());
        assert_eq!(problem(&answer).0, status, "{body}: {}", answer.text());
        assert!(answer.text().contains(part), "{body}: {}", answer.text());
    }
    for (body, status) in [
        (json!({"name": "default"}), 409),
        (json!({"state": "off"}), 422),
        (json!({"preset": "nobody"}), 422),
        (json!({"id": "x"}), 422),
    ] {
        assert_eq!(
            problem(&console.patch("/connectors/idp", body.clone())).0,
            status,
            "{body}"
        );
    }
    assert_eq!(
        each(&console.show("/connectors"), "name"),
        ["default", "idp"]
    );
    for path in ["", "/tokens", "/users/x/why"] {
        assert_eq!(
            problem(&console.get(&format!("/connectors/nobody{path}"))).0,
            404
        );
    }
}

/// What could not be read is told by its place, in plain words, with what may be there.
#[test]
fn no_word_of_the_program_is_in_what_is_told_of_a_body_or_of_parameters() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let console = Console::new(&world);
    let subscription =
        |events: Value| json!({"name": "all", "url": "https://ops.example.com/", "events": events});
    let channel = |port: Value| {
        let mail = json!({"host": "h", "from": "a@b.example", "to": ["c@d.example"], "port": port});
        json!({"name": "ops", "way": {"mail": mail}})
    };
    let settings = |settings: Value| json!({ "settings": settings });
    let told = [
        (
            console.post("/subscriptions", subscription(json!(["user.gone"]))),
            "events[0]",
            "`user.gone` is not known here",
            "`group.user_added`",
        ),
        (
            console.post("/subscriptions", subscription(json!("user.created"))),
            "events",
            "the text \"user.created\" is here, and a list belongs here",
            "openapi.json",
        ),
        (
            console.post(
                "/notifications",
                json!({"name": "ops", "events": ["x"], "way": {"chat": {}}}),
            ),
            "events[0]",
            "`x` is not known here",
            "`hold.created`",
        ),
        (
            console.post("/notifications", channel(json!("x"))),
            "way.mail.port",
            "the text \"x\" is here, and a whole number from 0 to 65535 belongs here",
            "correct it",
        ),
        (
            console.patch(
                "/connectors/idp",
                settings(json!({"limits": {"window_minutes": "x"}})),
            ),
            "limits.window_minutes",
            "the text \"x\" is here",
            "correct it",
        ),
        (
            console.get("/requests?limit=many"),
            "limit",
            "a whole number in digits belongs here",
            "correct it",
        ),
        (
            console.get("/jobs?state=sleepy"),
            "state",
            "`sleepy` is not known here",
            "write one of",
        ),
    ];
    for (answer, path, message, remedy) in told {
        let text = answer.text();
        assert!([400, 422].contains(&problem(&answer).0), "{text}");
        let wrong = answer.json()["errors"][0].clone();
        assert_eq!(wrong["path"], path, "{text}");
        assert!(
            wrong["message"].as_str().unwrap().contains(message),
            "{text}"
        );
        assert!(wrong["remedy"].as_str().unwrap().contains(remedy), "{text}");
        for raw in ["unknown variant", "invalid type", "at line", "expected"] {
            assert!(!text.contains(raw), "{text}");
        }
    }
    let jwt = settings(json!({"credentials": {"rate": "x"}}));
    let refused = console.patch("/connectors/idp", jwt);
    assert!(refused.text().contains("rate"), "{}", refused.text());
    assert!(
        !refused.text().contains("invalid type"),
        "{}",
        refused.text()
    );
}
