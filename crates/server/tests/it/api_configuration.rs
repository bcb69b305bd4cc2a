//! The configuration as one document: exported, planned and applied through the admin API.

use emulate::databases::on_each_database;
use serde_json::{Value, json};
use store::Access;

use crate::api_console::{Console, ok, problem};
use crate::http::Ask;
use crate::world::{Product, World, basic};

impl Console<'_> {
    pub fn export(&self) -> Value {
        self.show("/configuration")
    }

    #[track_caller]
    pub fn plan(&self, configuration: &Value, prune: bool) -> Value {
        let wish = json!({"configuration": configuration, "prune": prune});
        ok(&self.post("/configuration/plan", wish))
    }

    #[track_caller]
    pub fn apply(&self, configuration: &Value, prune: bool) -> Value {
        let wish =
            json!({"configuration": configuration, "prune": prune, "comment": "from a file"});
        ok(&self.post("/configuration/apply", wish))
    }

    /// The places of everything that is wrong.
    #[track_caller]
    pub fn mistakes(&self, configuration: Value) -> Vec<String> {
        let before = self.export();
        let wish = json!({"configuration": configuration, "prune": true});
        let planned = self.post("/configuration/plan", wish.clone());
        let applied = self.post("/configuration/apply", wish);
        assert_eq!(problem(&planned), problem(&applied));
        assert_eq!(
            (planned.status, &planned.json()["field"]),
            (422, &json!("configuration"))
        );
        assert_eq!(planned.json()["errors"], applied.json()["errors"]);
        assert_eq!(self.export(), before);
        let errors = planned.json()["errors"].as_array().unwrap().clone();
        let told = |error: &Value| {
            assert!(!error["remedy"].as_str().unwrap().is_empty(), "{error}");
            error["path"].as_str().unwrap().to_owned()
        };
        errors.iter().map(told).collect()
    }
}

pub fn summaries(told: &Value, list: &str) -> Vec<String> {
    let items = told[list].as_array().unwrap().iter();
    items
        .map(|item| item["summary"].as_str().unwrap().to_owned())
        .collect()
}

/// Something of everything.
fn rich() -> Value {
    json!({
        "version": 1,
        "directories": [
            {"name": "Staff", "local_users": true, "precedence": {"order": ["ENTRA"], "targets": {"email": ["entra"]}}},
            {"name": "partners"},
        ],
        "connectors": [
            {
                "name": "entra",
                "preset": "entra",
                "state": "paused",
                "directory": "staff",
                "settings": {
                    "schedule": null,
                    "pilot": {"percent": 20},
                    "departures": {"empty_text_clears": false},
                    "credentials": {
                        "addresses": ["10.0.0.0/8"], "token_header": "X-Api-Key",
                        "jwt": {"tenant": "6babcaad-604b-40ac-a9d7-9fd97c0b779f"},
                    },
                    "limits": {"leavers": 7, "renames": null},
                },
                "rules": {
                    "mapping": [{"target": "username", "steps": ["lower"]}],
                    "groups": {"always_assign": ["everybody"]},
                },
                "tests": [{"name": "names are small", "user": {"userName": "MIRA"}, "expect": {"attributes": {"username": "mira"}}}],
                "schemas": [{"document": {
                    "id": "urn:example:staff:User",
                    "name": "Staff",
                    "attributes": [{"name": "badge", "type": "string", "uniqueness": "server"}],
                }}],
                "tokens": [{"label": "entra", "access": "read-only"}, {"label": "entra"}, {"label": "old", "expires": "2020-01-01T00:00:00Z"}],
                "clients": [{"label": "script", "addresses": ["192.0.2.1"]}],
            },
            {"name": "partners"},
        ],
        "applications": [
            {
                "name": "jira",
                "access": "read-write",
                "addresses": ["127.0.0.0/8"],
                "directories": [{"directory": "Staff", "login_groups": ["everybody"]}, {"directory": "partners"}],
                "only_with_access": true,
                "sign_in": {"session_idle_minutes": 5},
                "webhooks": [{"url": "https://jira.example.org/hook", "token": {"value": "hook-secret"}}],
            },
        ],
        "notifications": [
            {
                "name": "operations",
                "way": {"mail": {"host": "smtp.example.com", "username": "v", "from": "v@example.com", "to": ["o@example.com"]}},
                "secret": {"value": "mail-secret"},
                "events": ["job.failed", "hold.created"],
                "connectors": ["partners", "ENTRA"],
                "every_minutes": 30,
            },
            {"name": "alerts", "way": {"webhook": {"url": "https://ops.example.com/vestibule"}}},
            {"name": "chat", "enabled": false, "way": {"chat": {"format": "teams"}}},
        ],
        "subscriptions": [
            {"name": "warehouse", "url": "https://ops.example.com/all"},
            {"name": "Licences", "enabled": false, "url": "https://ops.example.com/some", "directories": ["STAFF"],
             "events": ["user.deleted", "user.created"]},
        ],
        "audit": {"keep_days": 90},
    })
}

#[test]
fn what_is_exported_is_what_is_applied_again() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let applied = console.apply(&rich(), false);
        assert_eq!(
            summaries(&applied, "steps"),
            [
                "create directory 'Staff'",
                "create directory 'partners'",
                "create connector 'entra'",
                "create schema 'urn:example:staff:User' of connector 'entra'",
                "create token 'entra' of connector 'entra'",
                "create token 'entra' of connector 'entra'",
                "create client 'script' of connector 'entra'",
                "create connector 'partners'",
                "create application 'jira'",
                "create webhook 'https://jira.example.org/hook' of application 'jira'",
                "create channel 'operations'",
                "create channel 'alerts'",
                "create channel 'chat'",
                "create subscription 'warehouse'",
                "create subscription 'Licences'",
                "change audit log",
            ]
        );
        assert_eq!(
            summaries(&applied, "secrets"),
            [
                "token 'entra' of connector 'entra'",
                "token 'entra' of connector 'entra'",
                "client 'script' of connector 'entra'",
                "application 'jira'",
                "channel 'alerts'",
                "subscription 'warehouse'",
                "subscription 'Licences'",
            ]
        );
        assert_eq!(
            summaries(&applied, "kept"),
            [
                "connector 'idp'",
                "connector 'default'",
                "directory 'default'"
            ]
        );

        // What was applied is there, and needs nothing more; so does what is exported.
        assert_eq!(console.plan(&rich(), false)["steps"], json!([]));
        let exported = console.get("/configuration").text().to_owned();
        assert_eq!(console.get("/configuration").text(), exported);
        for hidden in ["secret\":", "hook-secret", "mail-secret", "whsec_"] {
            assert!(!exported.contains(hidden), "{hidden}");
        }
        let whole: Value = serde_json::from_str(&exported).unwrap();
        assert_eq!(console.plan(&whole, true)["steps"], json!([]));
        assert_eq!(whole["connectors"][1]["settings"]["schedule"], json!(null));
        assert!(
            whole["connectors"][1]["settings"]["credentials"]["jwt"]["issuer"]
                .as_str()
                .unwrap()
                .contains("6babcaad")
        );

        // Everything goes, in as many rounds as connectors need, and comes again as it was.
        let nothing = json!({
            "version": 1, "directories": [], "connectors": [], "applications": [], "notifications": [],
            "subscriptions": [], "audit": {"keep_days": 400},
        });
        let gone = console.apply(&nothing, true);
        let deleted = [
            "change audit log",
            "delete subscription 'warehouse'",
            "delete subscription 'Licences'",
            "delete channel 'operations'",
            "delete channel 'chat'",
            "delete channel 'alerts'",
            "delete application 'jira'",
            "delete connector 'partners'",
            "delete connector 'idp'",
            "delete connector 'entra'",
        ];
        assert_eq!(summaries(&gone, "steps"), deleted);
        assert_eq!(gone["jobs"].as_array().unwrap().len(), 3);
        let kept = [
            "connector 'default'",
            "directory 'Staff'",
            "directory 'partners'",
            "directory 'default'",
        ];
        let mut told = summaries(&gone, "kept");
        told.sort();
        let mut kept = kept.to_vec();
        kept.sort_unstable();
        assert_eq!(told, kept);
        for steps in [3, 1, 0] {
            world.run(world.provision.work_off()).unwrap();
            let gone = console.apply(&nothing, true);
            assert_eq!(summaries(&gone, "steps").len(), steps, "{gone}");
        }
        assert_eq!(console.export(), nothing);
        console.apply(&whole, true);
        assert_eq!(console.get("/configuration").text(), exported);
    });
}

#[test]
fn a_plan_is_carried_out_on_its_ground_only_and_as_a_whole() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        world.user(json!({"userName": "Mira"}));
        let wanted = json!({
            "directories": [{"name": "new"}],
            "connectors": [{"name": "idp", "rules": {"mapping": [{"target": "username", "steps": ["lower"]}]},
                            "settings": {"limits": {"leavers": 3}}}],
        });
        let plan = console.plan(&wanted, false);
        assert_eq!(
            summaries(&plan, "steps"),
            ["create directory 'new'", "change connector 'idp'"]
        );
        let differences = plan["steps"][1]["differences"].as_array().unwrap();
        let leavers = differences
            .iter()
            .find(|one| one["path"] == "settings.limits.leavers");
        assert_eq!(
            (&leavers.unwrap()["before"], &leavers.unwrap()["after"]),
            (&json!(0), &json!(3))
        );
        assert!(
            plan["steps"][1]["notes"][0]
                .as_str()
                .unwrap()
                .contains("1 user"),
            "{plan}"
        );
        let before = console.export();

        // Somebody changes something else meanwhile.
        ok(&console.patch(
            "/connectors/default",
            json!({"settings": {"accept_passwords": true}}),
        ));
        let wish = json!({"configuration": wanted, "ground": plan["ground"], "comment": "smaller"});
        let late = console.post("/configuration/apply", wish.clone());
        assert_eq!(problem(&late).0, 409, "{}", late.text());
        ok(&console.patch(
            "/connectors/default",
            json!({"settings": {"accept_passwords": false}}),
        ));
        assert_eq!(console.export(), before);

        // The last of the steps cannot be done: none is, and what was seen on the way is forgotten.
        let hooks: Vec<Value> = (0..11)
            .map(|number| json!({"url": format!("https://a.example/{number}")}))
            .collect();
        let mut too_much = wanted.clone();
        too_much["applications"] =
            json!([{"name": "jira", "directories": [{"directory": "new"}], "webhooks": hooks}]);
        let refused = console.post("/configuration/apply", json!({"configuration": too_much}));
        assert_eq!(problem(&refused).0, 422, "{}", refused.text());
        assert_eq!(console.export(), before);
        world.user(json!({"userName": "Other"}));
        assert_eq!(
            console.get("/directories/default/users/Other").json()["name"],
            "Other"
        );

        // On its ground the plan is carried out, by the way that rules always go.
        ok(&console.post("/configuration/apply", wish));
        world.run(world.provision.work_off()).unwrap();
        let versions = console.show("/connectors/idp/rules/versions");
        let newest = &versions["items"][0];
        assert_eq!(
            (&newest["author"], &newest["comment"]),
            (&json!("console"), &json!("smaller"))
        );
        let jobs = console.show("/jobs?connector=idp");
        assert_eq!(jobs["items"][0]["kind"], "rules", "{jobs}");
        assert_eq!(
            console.show("/directories/default/users/mira")["name"],
            "mira"
        );
        assert_eq!(console.plan(&wanted, false)["steps"], json!([]));
    });
}

#[test]
fn everything_that_is_wrong_is_told_and_nothing_is_changed() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        world.user(json!({"userName": "a@x.example"}));
        world.user(json!({"userName": "a@y.example"}));
        let places = console.mistakes(json!({
            "directories": [{"name": "default"}, {"name": "Default"}, {"name": ""}],
            "connectors": [
                {"name": "idp", "preset": "okta", "directory": "nowhere",
                 "rules": {"mapping": [{"target": "email", "steps": [{"keep_if": {"pattern": "(?=a)"}}]}],
                           "groups": {"never_assign": ["re:("]}},
                 "settings": {"schedule": {"cron": "soon"}, "credentials": {"rate": 1}, "limits": {"window_minutes": 0}},
                 "tokens": [{"label": "t", "addresses": ["everywhere"], "secret": {"env": "X"}}]},
                {"name": "new", "directory": "default", "tests": [{"name": "t", "user": {"userName": "a"}, "expect": {"status": "none"}}],
                 "schemas": [{"document": {"id": "x"}}], "tokens": [{"label": "t", "secret": {"value": "guess"}}]},
            ],
            "applications": [
                {"name": "jira", "addresses": ["x"], "sign_in": {"cookie_name": ""}, "password": {"value": "short"},
                 "only_groups_with_access": true, "webhooks": [{"url": "jira"}]},
                {"name": "wiki", "directories": [{"directory": "default", "login_groups": []}, {"directory": "DEFAULT"}]},
            ],
        }));
        for expected in [
            "directories[1].name",
            "directories[2].name",
            "connectors[0].preset",
            "connectors[0].directory",
            "connectors[0].rules.mapping[0].steps[0].keep_if.pattern",
            "connectors[0].rules.groups.never_assign[0]",
            "connectors[0].settings.schedule",
            "connectors[0].settings.credentials.rate",
            "connectors[0].settings.limits.window_minutes",
            "connectors[0].tokens[0]",
            "connectors[0].tokens[0].secret",
            "connectors[1].tests[t]",
            "connectors[1].schemas[0].document.attributes",
            "connectors[1].tokens[0].secret",
            "applications[0].addresses",
            "applications[0].directories",
            "applications[0].only_groups_with_access",
            "applications[0].sign_in",
            "applications[0].password",
            "applications[0].webhooks[0].url",
            "applications[1].directories[0].login_groups",
            "applications[1].directories[1].directory",
        ] {
            assert!(
                places.iter().any(|place| place == expected),
                "{expected} in {places:#?}"
            );
        }

        // Rules by which people would get no usable values are refused as by hand, and taken if that is wanted.
        let clash = json!({"connectors": [{"name": "idp", "rules": {"mapping": [{"target": "username", "steps": ["strip_domain"]}]}}]});
        assert_eq!(
            console.mistakes(clash.clone()),
            ["connectors[0].rules.mapping[0]"]
        );
        let wish = json!({"configuration": clash, "anyway": true});
        assert_eq!(
            summaries(&ok(&console.post("/configuration/plan", wish)), "steps").len(),
            1
        );

        // A connector that feeds another directory would have to be moved, and a directory in use does not go.
        let moved = json!({"directories": [{"name": "other"}, {"name": "default"}], "connectors": [{"name": "idp", "directory": "other"}]});
        assert_eq!(console.mistakes(moved), ["connectors[0].directory"]);
        let pruned = json!({"directories": [], "connectors": [{"name": "idp"}]});
        assert_eq!(console.mistakes(pruned), ["connectors[0].directory"]);
        for (wrong, said) in [
            (json!({"configuration": []}), "object"),
            (json!({"configuration": {}, "prone": true}), "prone"),
        ] {
            let refused = console.post("/configuration/plan", wrong);
            assert!(problem(&refused).1.contains(said), "{}", refused.text());
        }
    });
}

#[test]
fn secrets_that_are_given_work_and_are_shown_nowhere() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let token = world.run(world.provision.create_scim_token(
            world.connector.connector.id,
            "spare",
            None,
        ));
        let token = token.unwrap().secret.reveal().to_owned();
        ok_or_none(&console, &token, &world);
        let wanted = |password: &str| {
            json!({
                "connectors": [{"name": "idp", "tokens": [{"label": "vault", "secret": {"value": token}}]}],
                "applications": [{"name": "jira", "directories": [{"directory": "default"}], "password": {"value": password}}],
            })
        };
        let first = "the first password of jira";
        let plan = console.plan(&wanted(first), false).to_string();
        assert!(!plan.contains(first) && !plan.contains(&token), "{plan}");
        let applied = console.apply(&wanted(first), false);
        assert_eq!(applied["secrets"], json!([]));
        assert_eq!(console.plan(&wanted(first), false)["steps"], json!([]));
        assert_eq!(scim_status(&world, &token), 200);
        assert_eq!(crowd_status(&world, first), 200);
        let exported = console.get("/configuration").text().to_owned();
        assert!(!exported.contains(first) && !exported.contains(&token));

        let second = "the second password of jira";
        let plan = console.plan(&wanted(second), false);
        assert_eq!(summaries(&plan, "steps"), ["change application 'jira'"]);
        console.apply(&wanted(second), false);
        assert_eq!(
            (crowd_status(&world, first), crowd_status(&world, second)),
            (401, 200)
        );

        // A token that another connector has is nobody else's.
        let mut stolen = wanted(second);
        stolen["connectors"][0]["name"] = json!("default");
        assert_eq!(console.mistakes(stolen), ["connectors[0].tokens[0].secret"]);
        let reader = Product::reader(&world);
        assert_eq!(reader.get("/search?entity-type=user").status, 200);
        let narrower = json!({"connectors": [{"name": "idp", "tokens": [{"label": "vault", "access": "read-only"}]}, {"name": "default"}]});
        let changed = console.apply(&narrower, true);
        assert_eq!(
            summaries(&changed, "steps"),
            ["change token 'vault' of connector 'idp'"]
        );
        assert_eq!(scim_status(&world, &token), 200);
        let none = json!({"connectors": [{"name": "idp", "tokens": []}, {"name": "default"}]});
        assert_eq!(
            summaries(&console.plan(&none, false), "kept"),
            ["token 'vault' of connector 'idp'"]
        );
        console.apply(&none, true);
        assert_eq!(scim_status(&world, &token), 401);
    });
}

/// The token is made known by a file alone.
fn ok_or_none(console: &Console<'_>, token: &str, world: &World) {
    assert_eq!(scim_status(world, token), 200);
    let none = json!({"connectors": [{"name": "idp", "tokens": []}, {"name": "default"}]});
    console.apply(&none, true);
    assert_eq!(scim_status(world, token), 401);
}

pub fn scim_status(world: &World, token: &str) -> u16 {
    let path = format!("/scim/v2/{}/Users", world.connector.connector.public_id);
    let ask = Ask::new("GET", path).header("Authorization", &format!("Bearer {token}"));
    world.send(ask).status
}

pub fn crowd_status(world: &World, password: &str) -> u16 {
    let path = "/crowd/rest/usermanagement/1/config/cookie";
    let ask = Ask::new("GET", path).header("Authorization", &basic("jira", password));
    world.send(ask).status
}

#[test]
fn who_may_only_read_may_export_and_plan_and_no_more() {
    on_each_database(|database| {
        let world = World::new(database);
        let grant = store::Grant {
            access: Access::ReadOnly,
            ..store::Grant::of("auditor")
        };
        let made = world.run(world.provision.create_token(store::TokenKind::Api, grant));
        let console = Console::with_token(&world, made.unwrap().secret.reveal());
        assert_eq!(console.export()["version"], 1);
        assert_eq!(
            console.show("/configuration/schema")["title"],
            "Vestibule configuration"
        );
        let same = json!({"configuration": {}});
        let planned = console.post("/configuration/plan", same.clone());
        assert_eq!(planned.status, 200, "{}", planned.text());
        let refused = console.post("/configuration/apply", same);
        assert_eq!(refused.status, 403, "{}", refused.text());
    });
}
