//! Forms with something wrong in them: told in the words of the page, beside the field, with what was typed.

use emulate::databases::{TestDatabase, on_each_database};
use serde_json::json;
use store::Role;

use crate::api_console::{Console, ok};
use crate::http::Answer;
use crate::scim_idp::Idp;
use crate::ui_browser::Browser;
use crate::world::World;

const IDP: &str = "/console/connectors/idp";

/// The form as it is shown again.
#[track_caller]
fn shown_again(answer: &Answer, status: u16, told: &str) -> String {
    let text = answer.text().to_owned();
    assert_eq!(answer.status, status, "{text}");
    assert!(
        text.contains("aria-label=\"Console\""),
        "no page of the console: {text}"
    );
    let main = text.split_once("<main").unwrap().1;
    assert!(
        main.contains("role=\"alert\"") && main.contains(told),
        "{told} in {main}"
    );
    for word in [
        "'errors'",
        "The body cannot",
        "The parameters cannot",
        "unknown variant",
        "invalid type",
        "at line 1",
        "limits.",
    ] {
        let alert = main.split("role=\"alert\"").nth(1).unwrap();
        let alert = alert.split("</div>").next().unwrap();
        assert!(!alert.contains(word), "{word} in {alert}");
    }
    main.to_owned()
}

#[test]
fn what_is_wrong_is_told_in_the_words_of_the_page() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let browser = Browser::signed_in(&world, "ann", Role::Owner);
    let limits = format!("{IDP}/limits");
    let tokens = format!("{IDP}/tokens");
    let limit = "enabled=on&reconcile=in_order&window_minutes=30&leavers=1";
    for (page, action, fields, status, told, kept) in [
        (
            IDP,
            &*format!("{IDP}/settings"),
            "cron=every+day&time_zone=UTC&patch_reply=auto",
            422,
            "“every day” has 2 fields",
            "value=\"every day\"",
        ),
        (
            IDP,
            &*format!("{IDP}/settings"),
            "cron=0+3+*+*+*&time_zone=Mars&patch_reply=auto",
            422,
            "“Mars” is no time zone",
            "value=\"Mars\"",
        ),
        (
            IDP,
            &*format!("{IDP}/settings"),
            "cron=off&time_zone=UTC&patch_reply=never",
            422,
            "is none of auto",
            "value=\"off\"",
        ),
        (
            &*limits,
            &*limits,
            &*format!("{limit}&deactivations.percent=many"),
            422,
            "“many” is no whole number",
            "value=\"many\"",
        ),
        (
            &*limits,
            &*limits,
            &*format!("{limit}&deactivations.percent=900"),
            422,
            "Accounts disabled or removed, per cent",
            "value=\"900\"",
        ),
        (
            &*limits,
            &*limits,
            &*format!("{limit}&break_glass_users=re:("),
            422,
            "Users who never lose anything",
            "re:(",
        ),
        (
            &*limits,
            &*limits,
            "reconcile=in_order&leavers=1",
            422,
            "there is no number",
            "name=\"window_minutes\" inputmode=\"numeric\" value=\"\"",
        ),
        (
            &*tokens,
            &*tokens,
            "label=ci&access=read-only&addresses=here",
            422,
            "“here” is neither an address nor a range",
            "value=\"here\"",
        ),
        (
            "/console/connectors",
            "/console/connectors",
            "name=&preset=okta",
            422,
            "The name needs 1 to 100 characters",
            "value=\"okta\" selected",
        ),
        (
            "/console/applications",
            "/console/applications",
            "name=&directory=default&access=read-write",
            422,
            "The name needs",
            "value=\"read-write\" selected",
        ),
        (
            "/console/setup",
            "/console/setup",
            "provider=google&product=none&name=idp&directory=default",
            409,
            "exists already",
            "value=\"google\" checked",
        ),
        (
            "/console/tokens",
            "/console/tokens",
            "label=ci&role=owner&connector.idp=on",
            422,
            "cannot be named for an owner",
            "name=\"connector.idp\" checked",
        ),
        (
            "/console/administrators",
            "/console/administrators",
            "role=owner&connector.idp=on",
            422,
            "cannot be named for an owner",
            "<option selected>owner",
        ),
        (
            "/console/notifications/new/mail",
            "/console/notifications/new/mail",
            "kind=mail&name=m&host=h&port=x&security=starttls&from=a@b.example&to=c@d.example&every_minutes=5&enabled=true&events=0",
            422,
            "The port: write a whole number",
            "value=\"x\"",
        ),
        (
            "/console/administrators/openid",
            "/console/administrators/openid",
            "issuer=https://x.example&client_id=c&groups_claim=g&name_claim=n&scopes=one&roles=a:+king&enabled=false",
            422,
            "“king” is none of owner, operator, auditor",
            "a: king",
        ),
        (
            "/console/audit",
            "/console/audit/settings",
            "keep_days=x",
            422,
            "The time for which entries are kept has to be between",
            "value=\"x\"",
        ),
        (
            "/console/account",
            "/console/account/password",
            "present=a&new=b&again=c",
            422,
            "The two new passwords are not the same",
            "class=\"wrong\"",
        ),
        (
            "/console/directories/default/sticky",
            "/console/directories/default/sticky",
            "users=mira&until=soon&sure=yes",
            422,
            "The end: write a date and a time",
            "value=\"soon\"",
        ),
        // Where there is no form with fields, the page that it came from tells.
        (
            IDP,
            &*format!("{IDP}/state"),
            "state=sleepy",
            422,
            "The state: “sleepy” is none of active, paused, disabled",
            "Pause",
        ),
        (
            "/console/holds",
            "/console/holds/99/approve",
            "",
            404,
            "There is no hold",
            "Holds",
        ),
        (
            "/console/jobs",
            "/console/jobs/99/cancel",
            "",
            404,
            "There is no job",
            "Jobs",
        ),
        (
            &*format!("{IDP}/delete"),
            &*format!("{IDP}/delete"),
            "accounts=burn",
            400,
            "“burn” is none of keep, disable, remove",
            "Delete the connector idp?",
        ),
    ] {
        let fields: Vec<(String, String)> = form_urlencoded::parse(fields.as_bytes())
            .into_owned()
            .collect();
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .collect();
        let again = shown_again(&browser.fill_in(page, action, &fields), status, told);
        assert!(again.contains(kept), "{action}: {kept} in {again}");
    }
}

#[test]
fn the_field_has_its_message_beside_it_and_no_secret_comes_back() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let browser = Browser::signed_in(&world, "ann", Role::Owner);
    let set = [
        ("cron", "0 3 * * *"),
        ("time_zone", "Mars"),
        ("patch_reply", "auto"),
    ];
    let again = browser.fill_in(IDP, &format!("{IDP}/settings"), &set);
    let (_, behind) = again.text().split_once("name=\"time_zone\"").unwrap();
    let label = behind.split("</label>").next().unwrap();
    assert!(
        label.contains("class=\"wrong\" id=\"e-time_zone\">“Mars” is no time zone"),
        "{label}"
    );
    assert_eq!(again.text().matches("class=\"wrong\"").count(), 1);
    let set = [
        ("present", "one two three four five"),
        ("new", "six seven eight nine"),
        ("again", "six seven eight nine"),
    ];
    let again = browser.fill_in("/console/account", "/console/account/password", &set);
    assert!(
        again
            .text()
            .contains("The present password is not your password"),
        "{}",
        again.text()
    );
    assert!(!again.text().contains("one two three") && !again.text().contains("six seven"));
    let place = "/console/notifications/new/chat";
    let set = [
        ("kind", "chat"),
        ("name", "n"),
        ("format", "text"),
        ("secret", "not-an-address"),
        ("every_minutes", "5"),
        ("enabled", "true"),
        ("events", "0"),
    ];
    let again = browser.fill_in(place, place, &set);
    assert_eq!(again.status, 422);
    assert!(
        again
            .text()
            .contains("The secret is no address that can be called")
    );
    assert!(!again.text().contains("not-an-address"));
}

#[test]
fn who_came_from_elsewhere_or_from_a_page_that_is_gone_is_told_on_a_page_with_the_menu() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let browser = Browser::signed_in(&world, "ann", Role::Owner);
    let shown = browser.get("/console/connectors");
    let send = |from: Option<&str>| {
        let form = browser.form_of(&shown, &format!("{IDP}/state"), &[("state", "sleepy")]);
        browser.ask(match from {
            Some(from) => form.header("Referer", from),
            None => form,
        })
    };
    for from in [
        None,
        Some("https://evil.example/"),
        Some("not an address"),
        Some("http://localhost/console/connectors/gone"),
        Some("http://localhost/console/console.css"),
        Some("http://localhost/api/v1/connectors"),
    ] {
        let told = send(from);
        assert_eq!(told.status, 422, "{from:?}");
        assert!(
            told.text().contains("“sleepy” is none of"),
            "{from:?}: {}",
            told.text()
        );
        assert!(told.text().contains("aria-label=\"Console\""), "{from:?}");
        assert!(
            told.text().contains("<h1>This cannot be done</h1>"),
            "{from:?}"
        );
    }
    // The notice is text, whatever was sent.
    let form = browser.form_of(&shown, &format!("{IDP}/state"), &[("state", "<b>x</b>")]);
    let told = browser.ask(form.header("Referer", "http://localhost/console/connectors"));
    assert!(told.text().contains("aria-label=\"Console\"") && !told.text().contains("<b>x"));
}

#[test]
fn who_is_confined_sees_no_steps_of_products() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let idp = Idp::new(&world);
        idp.user("mira");
        let rights = store::Rights {
            role: Role::Operator,
            connectors: Some(vec![world.connector.connector.id]),
        };
        let confined = Browser::with_rights(&world, "ben", rights);
        let page = format!("{IDP}/setup");
        for place in [&page, &format!("{IDP}/checklist")] {
            let shown = confined.get(place);
            assert_eq!(shown.status, 200, "{}", shown.text());
            for word in [
                "The product is attached",
                "Make an application",
                "Jira",
                "synchronise",
            ] {
                assert!(
                    !shown.text().contains(word),
                    "{word} at {place}: {}",
                    shown.text()
                );
            }
            assert!(shown.text().contains("The first user has arrived"));
        }
        let choose = confined.get("/console/setup");
        assert_eq!(choose.status, 200, "{}", choose.text());
        assert!(
            choose.text().contains("confined to some connectors")
                && !choose.text().contains("Go on")
        );
        let owner = Browser::signed_in(&world, "ann", Role::Owner);
        assert!(owner.get(&page).text().contains("The product is attached"));
        assert!(
            ok(&console.get("/connectors/idp/checklist"))["items"]
                .as_array()
                .unwrap()
                .len()
                > 5
        );
    });
}

#[test]
fn the_journal_is_found_by_time() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let idp = Idp::new(&world);
        idp.user("early");
        world.wait(jiff::SignedDuration::from_hours(1));
        idp.user("middle");
        world.wait(jiff::SignedDuration::from_hours(1));
        idp.user("late");
        let journal = "/directories/default/journal";
        let all = console.show(journal)["items"].as_array().unwrap().clone();
        let at = |name: &str| {
            let entry = all.iter().find(|entry| entry["user"]["name"] == name);
            entry.unwrap()["at"].as_str().unwrap().to_owned()
        };
        let names = |query: &str| -> Vec<String> {
            let page = console.show(&format!("{journal}?{query}"));
            let items = page["items"].as_array().unwrap().iter();
            let names = items.map(|entry| entry["user"]["name"].as_str().unwrap_or("?").to_owned());
            let mut names: Vec<String> = names.collect();
            names.dedup();
            names
        };
        let (middle, late) = (at("middle"), at("late"));
        assert_eq!(names(&format!("since={middle}")), ["middle", "late"]);
        assert_eq!(names(&format!("until={middle}")), ["early"]);
        assert_eq!(names(&format!("since={middle}&until={late}")), ["middle"]);
        assert_eq!(
            names(&format!("since={middle}&order=newest")),
            ["late", "middle"]
        );
        assert_eq!(
            names(&format!("since={middle}&user=early")),
            Vec::<String>::new()
        );
        assert_eq!(names("since=2999-01-01T00:00:00Z"), Vec::<String>::new());
        assert_eq!(names("until=1999-01-01T00:00:00Z"), Vec::<String>::new());
        assert_eq!(console.get(&format!("{journal}?since=soon")).status, 400);

        let browser = Browser::signed_in(&world, "ann", Role::Auditor);
        let field = |time: &str| time[..19].to_owned();
        let page = browser.get(&format!(
            "/console/journal?since={}&until={}",
            field(&middle),
            field(&late)
        ));
        assert!(page.text().contains(">middle</a>"), "{}", page.text());
        assert!(!page.text().contains(">early</a>") && !page.text().contains(">late</a>"));
        assert!(
            page.text()
                .contains(&format!("value=\"{}\"", field(&middle)))
        );
        let wrong = browser.get("/console/journal?since=soon");
        assert!(
            wrong
                .text()
                .contains("The beginning: write a date and a time"),
            "{}",
            wrong.text()
        );
        let wrong = browser.get("/console/activity?since=soon");
        assert!(
            wrong
                .text()
                .contains("The beginning: write a date and a time"),
            "{}",
            wrong.text()
        );
        let none = browser.get("/console/journal?until=1999-01-01T00:00");
        assert!(none.text().contains("No change is like this"));
        ok(&console.post(
            "/applications",
            json!({"name": "x", "directories": ["default"]}),
        ));
    });
}
