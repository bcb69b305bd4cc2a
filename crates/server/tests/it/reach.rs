//! Places that this server never calls: refused when they are given, in the words of sending.

use emulate::databases::{TestDatabase, on_each_database};
use provision::AddressRange;
use serde_json::{Value, json};
use store::Role;

use crate::api_console::{Console, ok, problem};
use crate::http::Answer;
use crate::ui_browser::Browser;
use crate::world::World;

#[track_caller]
fn refused(answer: &Answer, field: &str) {
    assert_eq!(problem(answer).0, 422, "{}", answer.text());
    let told = answer.json();
    let detail = told["detail"].as_str().unwrap();
    assert_eq!(told["field"], field, "{detail}");
    assert!(
        detail.contains("may not be called: its address") && detail.contains("outbound_allow"),
        "{detail}"
    );
}

fn channel(way: Value) -> Value {
    json!({"name": "ops", "way": way})
}

fn mail(host: &str) -> Value {
    channel(json!({"mail": {"host": host, "from": "v@example.com", "to": ["o@example.com"]}}))
}

fn allow(world: &World, range: &str) {
    world
        .provision
        .allow_outbound(vec![AddressRange::parse(range).unwrap()]);
}

#[test]
fn what_can_never_be_called_is_refused_when_it_is_given() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let subscription = |url: &str| json!({"name": "all", "url": url});
        let hook = |url: &str| channel(json!({"webhook": {"url": url}}));
        for url in [
            "http://127.0.0.1:9/hook",
            "https://LocalHost/hook",
            "https://[::1]/hook",
            "https://10.0.0.5/hook",
            "https://169.254.169.254/latest",
            "https://0x7f000001/",
        ] {
            refused(&console.post("/subscriptions", subscription(url)), "url");
            refused(&console.post("/notifications", hook(url)), "url");
            let mut chat = channel(json!({"chat": {"format": "text"}}));
            chat["secret"] = json!(url);
            refused(&console.post("/notifications", chat), "secret");
            let body = json!({"url": url});
            let webhooks = console.post("/applications/jira/webhooks", body);
            if webhooks.status != 404 {
                refused(&webhooks, "url");
            }
        }
        // Mail servers and identity providers usually are in a private network; not on this machine.
        refused(&console.post("/notifications", mail("localhost")), "host");
        ok(&console.post("/notifications", mail("10.0.0.5")));
        let signed = |url: &str| json!({"settings": {"credentials": {"jwt": {"issuer": url, "audience": "a"}}}});
        let near = "https://127.0.0.1/idp";
        refused(
            &console.patch("/connectors/idp", signed(near)),
            "jwt.keys_url",
        );
        ok(&console.patch("/connectors/idp", signed("https://10.0.0.5/idp")));

        // Names are looked at when something is sent.
        ok(&console.post("/subscriptions", subscription("https://ops.internal/hook")));
        let changed = console.put("/subscriptions/all", subscription("https://10.0.0.5/"));
        refused(&changed, "url");
        refused(
            &console.put("/notifications/ops", mail("127.0.0.1")),
            "host",
        );
    });
}

#[test]
fn what_the_setting_allows_is_taken_and_what_is_there_stays() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    allow(&world, "127.0.0.0/8");
    let console = Console::new(&world);
    let url = "http://localhost:9/hook";
    ok(&console.post("/subscriptions", json!({"name": "all", "url": url})));
    // The setting has changed since: what is there can be switched off, and exported and planned.
    let world = world.restarted(&database);
    let console = Console::new(&world);
    let off = json!({"name": "all", "url": url, "enabled": false});
    ok(&console.put("/subscriptions/all", off));
    let whole = console.export();
    assert_eq!(console.plan(&whole, true)["steps"], json!([]));
}

#[test]
fn a_file_is_told_the_place_and_a_form_the_field() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let console = Console::new(&world);
    let wanted = json!({
        "connectors": [{"name": "idp", "settings": {"credentials": {"jwt":
            {"issuer": "https://127.0.0.1/idp", "audience": "a"}}}}],
        "notifications": [
            {"name": "hook", "way": {"webhook": {"url": "https://10.0.0.5/"}}},
            {"name": "mail", "way": {"mail": {"host": "localhost", "from": "a@b.example", "to": ["c@d.example"]}}},
            {"name": "chat", "way": {"chat": {}}, "secret": {"value": "https://10.0.0.5/"}},
        ],
        "subscriptions": [{"name": "all", "url": "https://localhost/"}],
    });
    let mut places = console.mistakes(wanted);
    places.sort();
    assert_eq!(
        places,
        [
            "connectors[0].settings.credentials.jwt.keys_url",
            "notifications[0].way.webhook.url",
            "notifications[1].way.mail.host",
            "notifications[2].secret",
            "subscriptions[0].url",
        ]
    );

    let browser = Browser::signed_in(&world, "ann", Role::Owner);
    let place = "/console/subscriptions/new";
    let fields = [
        ("name", "all"),
        ("url", "https://localhost/"),
        ("enabled", "true"),
        ("events", "0"),
        ("directories", "0"),
    ];
    let again = browser.fill_in(place, place, &fields);
    assert_eq!(again.status, 422, "{}", again.text());
    let text = again.text();
    assert!(text.contains("outbound_allow"), "{text}");
    assert_eq!(text.matches("class=\"wrong\"").count(), 1, "{text}");
    assert!(text.contains("value=\"https://localhost/\""), "{text}");
}
