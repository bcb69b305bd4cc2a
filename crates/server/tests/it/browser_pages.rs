//! Every page of the console: nothing keeps anybody out, and nothing that others wrote becomes markup.

use emulate::browser::crawl;
use emulate::databases::TestDatabase;
use serde_json::json;
use store::Access;

use crate::browser::Console;
use crate::scim_idp::Idp;
use crate::world::{Product, World};

/// Text that would do something if it were taken for markup.
const MARKUP: &str = "<img src=x onerror=\"window.hit=1\"><script>window.hit=1</script>'\"><b>";

/// A world in which something is on every page.
fn furnished(database: &TestDatabase) -> World {
    let world = World::new(database);
    let idp = Idp::new(&world);
    let ann = idp.user("ann");
    let marked = idp.post(
        "/Users",
        &json!({ "schemas": [crate::scim_idp::CORE_USER], "userName": format!("bob{MARKUP}"), "displayName": MARKUP,
                 "name": { "givenName": MARKUP, "familyName": MARKUP }, "emails": [{ "value": MARKUP }] }),
    );
    assert_eq!(marked.status, 201, "{}", marked.text());
    idp.group(
        &format!("team{MARKUP}"),
        &[&ann, &crate::scim_idp::id_of(&marked)],
    );
    assert_eq!(
        idp.post("/Users", &json!({ "userName": format!("bob{MARKUP}") }))
            .status,
        409
    );
    assert_eq!(
        idp.get(&format!(
            "/Users?filter={}",
            crate::scim_idp::encoded(MARKUP)
        ))
        .status,
        400
    );
    let product = Product::reader(&world);
    assert_eq!(product.get("/event").status, 200);
    world.application(&format!("jira {MARKUP}"), Access::ReadOnly);
    world.application(&"y".repeat(100), Access::ReadOnly);
    let console = crate::api_console::Console::new(&world);
    let long = console.post("/connectors", json!({ "name": "x".repeat(100) }));
    assert_eq!(long.status, 201, "{}", long.text());
    world.run(world.provision.work_off()).unwrap();
    let paused = console.patch("/connectors/idp", json!({ "state": "paused" }));
    assert_eq!(paused.status, 200, "{}", paused.text());
    world
}

#[test]
fn every_page_is_open_to_everybody_and_takes_nothing_for_markup() {
    let database = TestDatabase::sqlite().unwrap();
    let world = furnished(&database);
    let console = Console::signed_in(&world);
    let mut wrong = Vec::new();
    let pages = crawl(
        &console.browser,
        &format!("http://{}/console", world.address),
    )
    .unwrap();
    assert!(pages.len() > 20, "{pages:?}");
    for page in &pages {
        console.browser.open(&page.url).unwrap();
        for dark in [false, true] {
            console.browser.dark(dark).unwrap();
            let scheme = if dark { "dark" } else { "light" };
            let found = console.barriers();
            wrong.extend(
                found
                    .into_iter()
                    .map(|one| format!("{} ({scheme}): {one}", page.kind)),
            );
        }
        let hit = console.browser.run("return window.hit === 1 || document.querySelector('main img, main script, main b') !== null", &[]);
        if hit.unwrap() == true {
            wrong.push(format!("{}: markup of others is markup here", page.kind));
        }
        // Nothing sticks out at the width of a telephone.
        console.browser.size(360, 800).unwrap();
        let over = console.browser.run(
            "return document.documentElement.scrollWidth - innerWidth",
            &[],
        );
        if over.unwrap().as_i64().unwrap() > 0 {
            wrong.push(format!("{}: wider than 360 px", page.kind));
        }
        console.browser.size(1440, 900).unwrap();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
