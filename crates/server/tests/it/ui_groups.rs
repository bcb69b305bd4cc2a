//! A group's page, which tells where it comes from and lets somebody decide; and people looked for in all directories.

use emulate::databases::{TestDatabase, on_each_database};
use provision::Writer;
use serde_json::json;
use store::Role;

use crate::api_console::{Console, ok};
use crate::scim_idp::Idp;
use crate::ui_browser::Browser;
use crate::world::World;

fn told(text: &str, expected: &[&str]) {
    for one in expected {
        assert!(text.contains(one), "{one} in {text}");
    }
}

#[test]
fn a_group_tells_where_it_comes_from_and_what_can_be_done() {
    on_each_database(|database| {
        let world = World::new(database);
        let (console, idp) = (Console::new(&world), Idp::new(&world));
        let ids: Vec<String> = (0..60)
            .map(|number| idp.user(&format!("user{number:02}")))
            .collect();
        let all: Vec<&str> = ids.iter().map(String::as_str).collect();
        let staff = idp.group("staff <b>", &all);
        world.run(world.provision.work_off()).unwrap();
        let browser = Browser::signed_in(&world, "ann", Role::Operator);
        let place = "/console/directories/default/groups/staff%20%3Cb%3E";
        let page = browser.text(place);
        let source = format!("/console/connectors/idp/source-groups/{staff}");
        told(
            &page,
            &[
                &format!("<a href=\"{source}\">staff &#60;b&#62;</a>"),
                "assigned</span>",
                &format!("{source}/ignore"),
                "Evaluate everybody of <bdi>idp</bdi> anew",
                "/console/connectors/idp/edit/groups",
                "?group=staff%20%3Cb%3E#groups",
                ">More</a>",
            ],
        );
        let members = page.split("id=\"history\"").next().unwrap();
        assert!(members.contains(">user49</a>") && !members.contains(">user50</a>"));
        let (_, more) = page.split_once("href=\"?after=").unwrap();
        let more = format!("{place}?after={}", more.split('"').next().unwrap());
        let rest = browser.text(&more);
        told(&rest, &[">user50</a>", "From the beginning"]);
        let begun = browser.fill_in(place, "/console/connectors/idp/reconcile", &[]);
        told(begun.text(), &["evaluated anew"]);

        // Decided about from here, and told here.
        let asked = browser.get(&format!("{source}/rename?name=crew"));
        told(asked.text(), &["feed the group crew"]);
        let action = format!("{source}/rename");
        assert_eq!(
            browser
                .fill_in(
                    &format!("{source}/rename?name=crew"),
                    &action,
                    &[("name", "crew")]
                )
                .status,
            200
        );
        world.run(world.provision.work_off()).unwrap();
        let crew = browser.text("/console/directories/default/groups/crew");
        told(
            &crew,
            &[
                "by the name that was decided",
                &format!("{source}/follow"),
                "staff &#60;b&#62;</a>",
            ],
        );
        let sources = console.show("/directories/default/groups/crew/sources");
        assert_eq!(sources["items"][0]["connector"], "idp");
        assert_eq!(sources["items"][0]["own_name"], "crew");

        let reader = Browser::signed_in(&world, "eve", Role::Auditor);
        let page = reader.text("/console/directories/default/groups/crew");
        assert!(
            !page.contains("/follow") && !page.contains("Evaluate everybody"),
            "{page}"
        );
    });
}

#[test]
fn a_group_tells_who_waits_to_feed_it() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let console = Console::new(&world);
    ok(&console.patch(
        "/connectors/idp",
        json!({"rules": {"groups": {"on_existing": "review"}}}),
    ));
    let ann = world.user(json!({"userName": "ann"}));
    let writer = Writer {
        directory: world.connector.connector.directory,
        application: "jira".into(),
        request: String::new(),
    };
    world.user(json!({"userName": "ben"}));
    let put = world.provision.add_local_membership(
        &writer,
        "dev".into(),
        "ben".into(),
        Some(String::new()),
    );
    world.run(put).unwrap();
    let browser = Browser::signed_in(&world, "eve", Role::Operator);
    let place = "/console/directories/default/groups/dev";
    told(
        browser.get(place).text(),
        &[
            "No group of an identity provider feeds it.",
            "A product or an administrator made it",
        ],
    );
    let dev = world.group("dev", &[&ann]);
    let adopt = format!("/console/connectors/idp/source-groups/{dev}/adopt");
    let page = browser.text(place);
    told(
        &page,
        &["waits for a decision", "1 would come, 1 would go", &adopt],
    );

    // Whoever has not looked at the group sees it outside: at the tab and on the overview.
    told(
        browser.get("/console/connectors/idp").text(),
        &["Conflicts <span class=\"count\">1</span>"],
    );
    told(
        browser.get("/console").text(),
        &[
            "<dt>Conflicts</dt><dd><a class=\"bad\" href=\"/console/connectors/idp/conflicts\">1</a>",
        ],
    );
    assert_eq!(console.show("/connectors/idp")["waiting_groups"], 1);
    assert_eq!(browser.fill_in(&adopt, &adopt, &[]).status, 200);
    assert!(
        !browser
            .get("/console/connectors/idp")
            .text()
            .contains("Conflicts <span")
    );
    told(browser.get(place).text(), &["assigned</span>"]);
}

#[test]
fn people_are_found_in_all_directories_within_reach() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let browser = Browser::signed_in(&world, "ann", Role::Operator);
        world.mira();
        // With one directory nothing is said of directories.
        let one = browser.text("/console/people?search=mi");
        assert!(
            one.contains(">mira</a>") && !one.contains("<th scope=\"col\">Directory"),
            "{one}"
        );

        ok(&console.post("/connectors", json!({"name": "other & more"})));
        let people = json!({"users": [{"name": "mirko"}, {"name": "zoe", "display_name": "Mira Zoe"}, {"name": "adam"}]});
        assert_eq!(
            console
                .post("/directories/other%20%26%20more/imports", people)
                .status,
            202
        );
        world.run(world.provision.work_off()).unwrap();
        let found = browser.text("/console/people?search=MIR");
        told(
            &found,
            &[
                "in all directories",
                ">mira</a></th><td data-label=\"Directory\">default</td>",
                ">mirko</a></th><td data-label=\"Directory\">other &#38; more</td>",
                ">zoe</a>",
                "/console/directories/other%20%26%20more/users/",
                "directory=other%20%26%20more&#38;search=MIR&#38;inside=yes",
            ],
        );
        let everybody = browser.text("/console/people");
        let place = |name: &str| everybody.find(&format!(">{name}</a>")).unwrap();
        assert!(
            place("adam") < place("mira") && place("mirko") < place("zoe"),
            "by name: {everybody}"
        );
        let nobody = browser.text("/console/people?search=ko");
        told(&nobody, &["No name begins with", ">mirko</a>"]);
        let inside =
            browser.text("/console/people?directory=other%20%26%20more&search=ko&inside=yes");
        told(&inside, &[">mirko</a>"]);
        let chosen = browser.text("/console/people?directory=default&search=mir");
        assert!(
            chosen.contains(">mira</a>") && !chosen.contains(">mirko</a>"),
            "{chosen}"
        );

        // Page by page, with namesakes on one.
        let many: Vec<_> = (0..70)
            .map(|n| json!({"name": format!("n{n:02}")}))
            .collect();
        for directory in ["default", "other%20%26%20more"] {
            let place = format!("/directories/{directory}/imports");
            assert_eq!(console.post(&place, json!({"users": many})).status, 202);
        }
        world.run(world.provision.work_off()).unwrap();
        let (mut place, mut seen) = ("/console/people".to_owned(), Vec::new());
        loop {
            let page = browser.text(&place);
            let rows = page.split("<th scope=\"row\">").skip(1);
            let names = rows.filter_map(|row| row.split('>').nth(1)?.split('<').next());
            seen.extend(names.map(str::to_owned));
            let Some(before) = page.find("\">More</a>") else {
                break;
            };
            place = page[..before].rsplit("href=\"").next().unwrap().to_owned();
        }
        let mut sorted = seen.clone();
        sorted.sort();
        assert_eq!(seen, sorted);
        assert_eq!(seen.len(), 2 * 70 + 4, "{seen:?}");

        // By whether they may log in, as the overview counts them, and with what keeps changes back.
        let mira = "/directories/default/users/mira/disable";
        ok(&console.post(mira, json!({})));
        ok(&console.patch("/connectors/idp", json!({"state": "paused"})));
        let counted = "/console/people?directory=default&#38;status=disabled";
        let overview = browser.text("/console").replace("&amp;", "&#38;");
        told(&overview, &[&format!("{counted}\">1</a>")]);
        for place in [
            "/console/people?status=disabled",
            "/console/people?directory=default&status=disabled",
            "/console/people?directory=default&status=disabled&search=mi",
        ] {
            let page = browser.text(place);
            told(
                &page,
                &[">mira</a></th>", "paused <time", "Nobody changed meanwhile"],
            );
            assert!(!page.contains(">mirko</a>"), "{page}");
        }
        let others = browser.text("/console/people?status=active&search=mi");
        assert!(
            others.contains(">mirko</a>") && !others.contains(">mira</a></th>"),
            "{others}"
        );

        // Who is confined finds people of the own directories.
        let confined = Browser::confined_to(&world, "dan", "other & more");
        let found = confined.text("/console/people?search=mir");
        assert!(
            found.contains(">mirko</a>") && !found.contains(">mira</a>"),
            "{found}"
        );
    });
}
