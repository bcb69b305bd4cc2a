//! Commands through the admin API of a running server: the same answers as through the data folder.

use serde_json::Value;

use crate::program::{Program, Ran, Serving};

/// A server, and an elsewhere from which it is commanded.
struct Elsewhere {
    here: Program,
    server: Serving,
    there: Program,
}

impl Elsewhere {
    fn new() -> Self {
        let here = Program::new();
        let server = here.serve(&[]);
        let token = server.announced["first_start"]["admin_token"]
            .as_str()
            .unwrap()
            .to_owned();
        let there = Program::new()
            .with("VESTIBULE_SERVER", server.url())
            .with("VESTIBULE_TOKEN", &token);
        Self {
            here,
            server,
            there,
        }
    }

    fn run(&self, words: &[&str]) -> Ran {
        self.there.run(words)
    }

    fn json(&self, words: &[&str]) -> Value {
        let words: Vec<&str> = words.iter().copied().chain(["--json"]).collect();
        self.there.json(&words)
    }
}

/// The names in a JSON object, in order.
fn names(value: &Value) -> Vec<&String> {
    value.as_object().unwrap().keys().collect()
}

#[test]
fn both_doors_give_the_same_answers() {
    let elsewhere = Elsewhere::new();
    let pairs: [&[&str]; 6] = [
        &["connector", "create", "--preset", "okta", "--name"],
        &["connector", "show"],
        &["connector", "rotate-token", "--overlap", "5"],
        &["connector", "pause"],
        &["application", "create", "--directory", "default", "--name"],
        &["token", "create", "--role", "owner", "--label"],
    ];
    for words in pairs {
        let through = |program: &Program, name: &str| {
            let words: Vec<&str> = words.iter().copied().chain([name, "--json"]).collect();
            program.json(&words)
        };
        let near = through(&elsewhere.here, "near one");
        let far = through(&elsewhere.there, "far/one%20?");
        assert_eq!(names(&near), names(&far), "{words:?}");
    }
    for words in [
        ["connector", "list"],
        ["application", "list"],
        ["token", "list"],
    ] {
        let near = elsewhere.here.json(&[words[0], words[1], "--json"]);
        let far = elsewhere.json(&words);
        assert_eq!(
            near.as_array().unwrap().len(),
            far.as_array().unwrap().len()
        );
        for (near, far) in near.as_array().unwrap().iter().zip(far.as_array().unwrap()) {
            assert_eq!((&near["id"], names(near)), (&far["id"], names(far)));
        }
    }
}

#[test]
fn departures_are_switched_through_both_doors() {
    let elsewhere = Elsewhere::new();
    let created = ["connector", "create", "--name", "one", "--preset", "entra"];
    assert_eq!(elsewhere.run(&created).code, 0);
    let standing = |all: &Value, name: &str| {
        let mut all = all.as_array().unwrap().iter();
        let found = all.find(|one| one["departure"] == name).unwrap();
        (found["on"].as_bool().unwrap(), found["set_by"].clone())
    };
    let name = "known_external_id_is_adopted";
    let far = elsewhere.json(&["connector", "departures", "one", "--on", name]);
    assert_eq!(standing(&far, name), (true, "setting".into()));
    assert_eq!(
        standing(&far, "group_patch_has_no_body"),
        (true, "preset".into())
    );
    let near = ["connector", "departures", "one", "--json"];
    assert_eq!(elsewhere.here.json(&near), far);
    let reset = ["connector", "departures", "one", "--reset", name, "--json"];
    let near = elsewhere.here.json(&reset);
    assert_eq!(standing(&near, name), (false, "preset".into()));
    let unknown = ["connector", "departures", "one", "--on", "colour"];
    assert_eq!(elsewhere.run(&unknown).code, 2);
    let presets = Program::new().json(&["connector", "presets", "--json"]);
    assert_eq!(
        presets["presets"].as_array().unwrap().len(),
        directory::Preset::ALL.len()
    );
}

#[test]
fn base_urls_are_those_of_the_server() {
    let elsewhere = Elsewhere::new();
    let made = elsewhere.json(&["connector", "create", "--name", "one"]);
    let expected = format!(
        "{}/scim/v2/{}",
        elsewhere.server.url(),
        made["id"].as_str().unwrap()
    );
    assert_eq!(made["base_url"], expected);
}

#[test]
fn refusals_have_the_same_exit_codes() {
    let elsewhere = Elsewhere::new();
    assert_eq!(elsewhere.run(&["connector", "show", "nobody"]).code, 3);
    let taken = elsewhere.run(&["connector", "create", "--name", "Default"]);
    assert_eq!(taken.code, 4, "{taken:?}");
    let nameless = elsewhere.run(&["connector", "create", "--name", " "]);
    assert_eq!(nameless.code, 2, "{nameless:?}");
    let wrong = elsewhere
        .there
        .file("rules.json", r#"{"groups": {"only_assign": ["re:("]}}"#);
    let wrong = [
        "connector",
        "rules",
        "default",
        "--file",
        wrong.to_str().unwrap(),
    ];
    let wrong = elsewhere.run(&wrong);
    assert_eq!(wrong.code, 2, "{wrong:?}");
    assert!(wrong.err.contains("groups.only_assign[0]"), "{}", wrong.err);
}

#[test]
fn a_token_that_is_revoked_is_refused() {
    let elsewhere = Elsewhere::new();
    let made = elsewhere.json(&[
        "token",
        "create",
        "--label",
        "nightly script",
        "--role",
        "owner",
    ]);
    let script = Program::new()
        .with("VESTIBULE_SERVER", elsewhere.server.url())
        .with("VESTIBULE_TOKEN", made["token"].as_str().unwrap());
    assert_eq!(script.run(&["connector", "list"]).code, 0);
    assert_eq!(
        elsewhere
            .run(&["token", "revoke", made["id"].as_str().unwrap()])
            .code,
        0
    );
    assert_eq!(
        elsewhere
            .run(&["token", "revoke", made["id"].as_str().unwrap()])
            .code,
        3
    );
    let refused = script.run(&["connector", "list"]);
    assert_eq!(refused.code, 6, "{refused:?}");
}

#[test]
fn a_server_that_is_away_or_none_at_all_is_told_apart() {
    let away = [
        "connector",
        "list",
        "--server",
        "http://127.0.0.1:1",
        "--token",
        "t",
    ];
    let away = Program::new().run(&away);
    assert_eq!(away.code, 5, "{away:?}");
    let none = ["connector", "list", "--server", "127.0.0.1", "--token", "t"];
    assert_eq!(Program::new().run(&none).code, 2);
    let tokenless = ["connector", "list", "--server", "http://127.0.0.1:1"];
    assert_eq!(Program::new().run(&tokenless).code, 2);
}

#[test]
fn what_limits_hold_is_seen_and_decided_through_both_doors() {
    let elsewhere = Elsewhere::new();
    let near = |words: &[&str]| elsewhere.here.run(words);
    assert_eq!(near(&["holds", "list"]).code, 0);
    assert_eq!(near(&["holds", "show", "7"]).code, 3);
    assert_eq!(near(&["holds", "approve"]).code, 2);
    let announced = &elsewhere.server.announced["first_start"];
    let (url, token) = (&announced["base_url"], &announced["token"]);
    let simulate = [
        "simulate",
        "okta",
        "--url",
        url.as_str().unwrap(),
        "--token",
        token.as_str().unwrap(),
        "--users",
        "40",
        "--groups",
        "2",
    ];
    assert_eq!(near(&simulate).code, 0);
    let rules = r#"{"scope": {"required_groups": ["nobody is in it"], "grace_minutes": 0}}"#;
    let rules = elsewhere.here.file("rules.json", rules);
    let rules = rules.to_str().unwrap();
    let apply = ["connector", "rules", "default", "--file", rules, "--yes"];
    assert_eq!(near(&apply[..5]).code, 9);
    let ran = near(&apply);
    assert_eq!(ran.code, 7, "{}", ran.err);
    // Everybody goes, and after ten that is too much.
    let started = std::time::Instant::now();
    let listed = loop {
        let due = elsewhere.json(&["connector", "show", "default"])["due"].clone();
        let listed = elsewhere.run(&["holds", "list", "--json"]);
        if due == 0 || started.elapsed().as_secs() > 60 {
            break listed;
        }
    };
    assert_eq!(listed.code, 7, "{}", listed.err);
    assert!(listed.err.contains("wait for a decision"), "{}", listed.err);
    let near_list = near(&["holds", "list", "--json", "--kind", "deactivation"]);
    assert_eq!((near_list.code, &near_list.out), (7, &listed.out));
    let holds: Value = serde_json::from_str(&listed.out).unwrap();
    let id = holds[0]["id"].to_string();
    let shown = near(&["holds", "show", &id]);
    assert_eq!(shown.code, 0);
    assert!(shown.out.contains("HELD"), "{}", shown.out);
    assert_eq!(near(&["holds", "limits", "default"]).code, 7);
    let one = elsewhere.json(&["holds", "approve", &id]);
    assert_eq!(one["decided"], 1);
    assert_eq!(near(&["holds", "reject", &id]).code, 4);
    let all = near(&["holds", "reject", "--connector", "default"]);
    assert_eq!(all.code, 0, "{}", all.err);
    assert_eq!(near(&["holds", "list"]).code, 0);
    assert_eq!(near(&["holds", "limits", "default"]).code, 0);
}

#[test]
fn the_question_why_and_the_life_of_applications_are_the_same_through_both_doors() {
    let elsewhere = Elsewhere::new();
    let announced = &elsewhere.server.announced["first_start"];
    let simulate = |users: &str| {
        elsewhere.here.run(&[
            "simulate",
            "okta",
            "--url",
            announced["base_url"].as_str().unwrap(),
            "--token",
            announced["token"].as_str().unwrap(),
            "--users",
            users,
            "--groups",
            "2",
        ])
    };
    assert_eq!(simulate("5").code, 0);
    let listed = elsewhere.json(&["directory", "list"]);
    assert_eq!(
        elsewhere.here.json(&["directory", "list", "--json"]),
        listed
    );
    assert_eq!(listed[0]["connectors"][0], "default");

    // Somebody who was not renamed since. Requests are written down beside the answers.
    let written = loop {
        let written = elsewhere.json(&["requests", "list", "--operation", "create_user"]);
        if written.as_array().unwrap().len() == 5 {
            break written;
        }
        std::thread::yield_now();
    };
    // What made somebody is tried on that person now, and writes nothing.
    let first = written[0]["id"].to_string();
    let replayed = elsewhere.json(&["requests", "replay", &first]);
    assert_eq!(replayed["operations"][0]["status"], 200, "{replayed}");
    let told = elsewhere.here.run(&["requests", "replay", &first]);
    assert!(told.out.starts_with("Nothing was written."), "{}", told.out);
    let names = written.as_array().unwrap().iter();
    let mut names = names.map(|one| one["resource_name"].as_str().unwrap());
    let somebody = names
        .find(|name| elsewhere.here.json(&["why", name, "--json"])[0]["became"].is_null())
        .unwrap();
    let far = elsewhere.json(&["why", somebody]);
    assert_eq!(elsewhere.here.json(&["why", somebody, "--json"]), far);
    assert_eq!(
        (&far[0]["directory"], &far[0]["decision"]),
        (&"default".into(), &"active".into())
    );
    let of_group = elsewhere.json(&["why", somebody, "no such group"]);
    assert_eq!(of_group[0]["member"], false);

    // Whom products know by another name since is found by the one before.
    let rules = r#"{"mapping": [{"target": "username", "steps": ["strip_domain"]}]}"#;
    let rules = elsewhere.here.file("rules.json", rules);
    let rules = [
        "connector",
        "rules",
        "default",
        "--file",
        rules.to_str().unwrap(),
    ];
    assert_eq!(elsewhere.here.run(&rules).code, 0);
    let mut far = elsewhere.json(&["why", somebody]);
    for _ in 0..100 {
        if !far[0]["became"].is_null() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
        far = elsewhere.json(&["why", somebody]);
    }
    let became = far[0]["became"].as_str().unwrap();
    assert!(became.contains("gave this name up"), "{far}");
    assert_eq!(elsewhere.here.json(&["why", somebody, "--json"]), far);
    for words in [
        &["why", "nobody"][..],
        &["session", "end", "nobody"],
        &["user", "disable", "nobody"],
    ] {
        assert_eq!(
            (elsewhere.run(words).code, elsewhere.here.run(words).code),
            (3, 3)
        );
    }

    for (door, name) in [(&elsewhere.here, "near"), (&elsewhere.there, "far")] {
        let made = door.json(&["application", "create", "--name", name, "--json"]);
        let reset = door.json(&["application", "reset-password", name, "--json"]);
        assert_ne!(made["password"], reset["password"]);
        let url = "https://app.example.org/hook";
        let hook = door.json(&["webhook", "create", name, "--url", url, "--json"]);
        assert_eq!(hook["url"], url);
        assert_eq!(
            door.run(&["webhook", "create", name, "--url", "app"]).code,
            2
        );
        assert_eq!(
            door.json(&["application", "show", name, "--json"])["name"],
            name
        );
        assert_eq!(door.run(&["application", "delete", name]).code, 0);
        assert_eq!(door.run(&["application", "show", name]).code, 3);
        let renamed = door.json(&["connector", "rename", "default", "other", "--json"]);
        assert_eq!(renamed["name"], "other");
        assert_eq!(
            door.run(&["connector", "rename", "other", "default"]).code,
            0
        );
        let disabled = door.json(&["connector", "disable", "default", "--json"]);
        assert_eq!(disabled["state"], "disabled");
        assert_eq!(door.run(&["connector", "resume", "default"]).code, 0);
        assert_eq!(
            door.json(&["reconcile", "default", "--json"])["job"]["kind"],
            "reconcile"
        );
    }
}

#[test]
fn who_stays_disabled_and_whose_name_is_kept_is_told_through_both_doors() {
    let elsewhere = Elsewhere::new();
    let announced = &elsewhere.server.announced["first_start"];
    let simulated = elsewhere.here.run(&[
        "simulate",
        "okta",
        "--url",
        announced["base_url"].as_str().unwrap(),
        "--token",
        announced["token"].as_str().unwrap(),
        "--users",
        "3",
        "--groups",
        "1",
    ]);
    assert_eq!(simulated.code, 0, "{}", simulated.err);
    let written = loop {
        let written = elsewhere.json(&["requests", "list", "--operation", "create_user"]);
        if written.as_array().unwrap().len() == 3 {
            break written;
        }
        std::thread::yield_now();
    };
    let mut names = written.as_array().unwrap().iter();
    let somebody = names
        .find_map(|one| {
            let name = one["resource_name"].as_str()?;
            let shown = elsewhere.here.run(&["user", "show", name, "--json"]);
            (shown.code == 0 && shown.out.contains("\"active\"")).then_some(name)
        })
        .unwrap();
    let list = format!("user_name,until\r\n{somebody},2090-01-01T00:00:00Z\r\nnobody,\r\n");
    let list = elsewhere.here.file("list.csv", &list);
    let import = ["sticky", "import", list.to_str().unwrap()];
    let imported = elsewhere.run(&import);
    assert_eq!(
        imported.code, 1,
        "nobody cannot be disabled: {}",
        imported.err
    );
    assert!(
        imported.out.contains("1 stays disabled"),
        "{}",
        imported.out
    );

    let far = elsewhere.json(&["sticky", "list"]);
    assert_eq!(elsewhere.here.json(&["sticky", "list", "--json"]), far);
    assert_eq!(far[0]["user_name"], somebody);
    assert_eq!(far[0]["until"], "2090-01-01T00:00:00Z");
    let sheet = elsewhere
        .here
        .run(&["sticky", "export", "--reason", "manual"]);
    assert!(sheet.out.contains(somebody), "{}", sheet.out);
    let sheet = elsewhere.here.file("again.csv", &sheet.out);
    let again = elsewhere.json(&["sticky", "import", sheet.to_str().unwrap()]);
    assert_eq!(again["unchanged"], 1, "what is exported can be imported");

    assert_eq!(elsewhere.run(&["sticky", "clear"]).code, 8);
    let cleared = elsewhere.json(&["sticky", "clear", "--yes"]);
    assert_eq!(cleared["enabled"], 1);
    let until = [
        "user",
        "disable",
        somebody,
        "--until",
        "2090-01-01T00:00:00Z",
    ];
    assert_eq!(elsewhere.here.run(&until).code, 0);
    assert_eq!(elsewhere.here.run(&["user", "enable", somebody]).code, 0);

    let kept = elsewhere.json(&["conflict", "reserved"]);
    assert_eq!(
        elsewhere.here.json(&["conflict", "reserved", "--json"]),
        kept
    );
    let release = ["conflict", "release", "nobody"];
    assert_eq!(elsewhere.run(&release).code, 3);
}

/// A flag that has no effect and says nothing leaves a door open that somebody thinks closed.
#[test]
fn restrictions_of_signed_tokens_are_applied_to_those_that_are_taken_or_refused() {
    let elsewhere = Elsewhere::new();
    let _made = elsewhere.json(&["connector", "create", "--name", "idp"]);
    let ask = |more: &[&str]| {
        let words = [&["connector", "credentials", "idp"], more].concat();
        elsewhere.run(&words)
    };
    for restriction in [
        &["--jwt-read-only"][..],
        &["--jwt-claim", "azp=x"],
        &["--jwt-algorithm", "ES256"],
        &["--jwt-keys-url", "https://idp.example.org/keys"],
        &["--jwt-audience", "vst"],
    ] {
        let ran = ask(restriction);
        assert_eq!(ran.code, 2, "{restriction:?}: {ran:?}");
        assert!(ran.err.contains("takes no signed tokens"), "{ran:?}");
    }
    let issuer = [
        "--jwt-issuer",
        "https://idp.example.org",
        "--jwt-audience",
        "vst",
    ];
    assert_eq!(
        ask(&[&issuer[..], &["--jwt-claim", "tid=1"]].concat()).code,
        0
    );
    let ran = ask(&[
        "--jwt-read-only",
        "--jwt-claim",
        "azp=x",
        "--jwt-algorithm",
        "ES256",
    ]);
    assert_eq!(ran.code, 0, "{ran:?}");
    for told in [
        "azp=x, tid=1",
        "ES256",
        "only read",
        "https://idp.example.org",
    ] {
        assert!(ran.out.contains(told), "{told}: {ran:?}");
    }
    let shown = elsewhere.json(&["connector", "credentials", "idp"]);
    let jwt = &shown["jwt"];
    assert_eq!(
        (&jwt["read_only"], &jwt["audience"]),
        (&true.into(), &"vst".into())
    );
    assert_eq!(ask(&["--jwt-read-only=false"]).code, 0);
    let shown = elsewhere.json(&["connector", "credentials", "idp"]);
    assert_eq!(shown["jwt"]["read_only"], false);
    assert_eq!(shown["jwt"]["claims"]["tid"], "1");
    assert_eq!(ask(&["--no-jwt", "--jwt-read-only"]).code, 2);
}

#[test]
fn addresses_of_applications_and_settings_of_connectors_have_flags() {
    let elsewhere = Elsewhere::new();
    let _made = elsewhere.json(&["connector", "create", "--name", "idp"]);
    let made = [
        "application",
        "create",
        "--name",
        "jira",
        "--from",
        "10.0.0.0/8",
        "--directory",
        "default",
    ];
    assert_eq!(
        elsewhere.json(&made)["addresses"],
        serde_json::json!(["10.0.0.0/8"])
    );
    let more = [
        "application",
        "update",
        "jira",
        "--from",
        "192.0.2.1",
        "--from",
        "192.0.2.2",
    ];
    let changed = elsewhere.json(&more);
    assert_eq!(
        changed["addresses"],
        serde_json::json!(["192.0.2.1", "192.0.2.2"])
    );
    let changed = elsewhere.json(&["application", "update", "jira", "--access", "read-write"]);
    assert_eq!(changed["addresses"].as_array().unwrap().len(), 2);
    let changed = elsewhere.json(&["application", "update", "jira", "--from-anywhere"]);
    assert_eq!(changed["addresses"], serde_json::json!([]));
    let missing = ["application", "update", "jira", "--login-group", "nobodys"];
    let ran = elsewhere.run(&missing);
    assert!(ran.out.contains("there is no group nobodys"), "{ran:?}");

    let words = [
        "connector",
        "settings",
        "idp",
        "--accept-passwords",
        "true",
        "--patch-reply",
        "always204",
    ];
    let shown = elsewhere.json(&words);
    assert_eq!(
        (&shown["accept_passwords"], &shown["patch_reply"]),
        (&true.into(), &"always204".into())
    );
    let ran = elsewhere.run(&["connector", "settings", "idp"]);
    assert!(
        ran.out.contains("kept") && ran.out.contains("always 204"),
        "{ran:?}"
    );
}
