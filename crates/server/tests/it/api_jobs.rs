//! Jobs through the admin API: progress, results, the end of one.

use emulate::databases::{TestDatabase, on_each_database};
use serde_json::{Value, json};

use crate::api_console::{Console, each, ok, problem};
use crate::world::World;

fn of(job: &Value) -> String {
    format!("/jobs/{}", job["id"].as_str().unwrap())
}

#[test]
fn a_reconcile_is_a_job_with_progress_and_results() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let mira = world.mira();
        world.group("Jira Users", &[&mira]);
        let rules = json!({"groups": {"always_assign": ["everyone", "=cmd"]}});
        ok(&console.patch("/connectors/idp", json!({"rules": rules})));
        let jobs = console.show("/jobs?connector=idp&state=queued");
        assert_eq!(each(&jobs, "kind"), ["rules"]);
        let job = &jobs["items"][0];
        assert_eq!((&job["done"], &job["total"]), (&json!(0), &json!(1)));
        assert_eq!(job["actor"], "console");
        let answer = console.call("/connectors/idp/reconcile");
        assert_eq!(answer.status, 202);
        let begun = answer.json();
        assert_eq!(begun["coalesced"], true);
        assert_eq!(begun["job"]["id"], job["id"]);
        let (status, detail) = problem(&console.call(&format!("{}/cancel", of(job))));
        assert_eq!(status, 422);
        assert!(detail.contains("cannot be cancelled"), "{detail}");

        world.run(world.provision.work_off()).unwrap();
        let shown = console.show(&of(job));
        assert_eq!(shown["state"], "done");
        assert_eq!(shown["counts"], json!({"group_add": 2, "group_create": 2}));
        assert!(shown["took_millis"].is_i64());
        let results = format!("{}/results", of(job));
        let all = console.show(&results);
        assert_eq!(all["items"].as_array().unwrap().len(), 4);
        let added = console.show(&format!(
            "{results}?operation=group_add&search=EVERY&user=mira"
        ));
        assert_eq!(each(&added, "group"), ["everyone"]);
        assert_eq!(added["items"][0]["user"]["name"], "mira");
        assert_eq!(added["items"][0]["cause"]["request"], shown["id"]);

        // In pages, each change once.
        let (mut after, mut found) = (String::new(), Vec::new());
        loop {
            let page = console.show(&format!("{results}?limit=3{after}"));
            found.extend(
                page["items"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|it| it["position"].clone()),
            );
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        assert_eq!(found.len(), 4);
        let csv = console.get(&format!("{}/results.csv?operation=group_add", of(job)));
        assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"));
        let text = csv.text();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert!(
            lines[1].contains(",group_add,\"mira\",\"'=cmd\","),
            "{text}"
        );
    });
}

#[test]
fn a_reconcile_is_cancelled_and_jobs_are_listed_newest_first() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let console = Console::new(&world);
    world.mira();
    let begun = console.call("/connectors/idp/reconcile").json();
    let cancelled = ok(&console.call(&format!("{}/cancel", of(&begun["job"]))));
    assert_eq!(cancelled["state"], "cancelled");
    assert_eq!(world.run(world.provision.work_off()).unwrap(), 0);
    let second = console.call("/connectors/idp/reconcile").json();
    assert_eq!(second["coalesced"], false);
    world.run(world.provision.work_off()).unwrap();
    let first_page = console.show("/jobs?limit=1");
    assert_eq!(each(&first_page, "state"), ["done"]);
    let next = first_page["next"].as_str().unwrap();
    let second_page = console.show(&format!("/jobs?limit=1&after={next}"));
    assert_eq!(each(&second_page, "state"), ["cancelled"]);
    assert_eq!(second_page["next"], Value::Null);
    assert_eq!(problem(&console.get("/jobs/none")).0, 404);
    assert_eq!(problem(&console.get("/jobs?state=finished")).0, 400);
}

#[test]
fn one_user_is_evaluated_on_request() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let console = Console::new(&world);
    world.mira();
    let done = ok(&console.call("/directories/default/users/mira/evaluate"));
    assert_eq!(done, json!({"changes": 0, "waits": false}));
    ok(&console.patch("/connectors/idp", json!({"state": "paused"})));
    let waits = ok(&console.call("/connectors/idp/users/mira/evaluate"));
    assert_eq!(waits, json!({"changes": 0, "waits": true}));
    let nobody = console.call("/directories/default/users/nobody/evaluate");
    assert_eq!(problem(&nobody).0, 404);
}

#[test]
fn a_schedule_is_shown_with_its_next_run_and_a_pause_with_what_waits() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let console = Console::new(&world);
    let shown = console.show("/connectors/idp");
    assert_eq!(shown["settings"]["schedule"]["cron"], "0 3 * * *");
    assert!(
        shown["next_run"]
            .as_str()
            .unwrap()
            .starts_with("2026-05-29T03:0")
    );
    assert_eq!(shown["stopped"], Value::Null);
    let schedule =
        json!({"settings": {"schedule": {"cron": "30 4 * * mon", "time_zone": "Asia/Tokyo"}}});
    let changed = ok(&console.patch("/connectors/idp", schedule));
    assert!(
        changed["next_run"]
            .as_str()
            .unwrap()
            .starts_with("2026-05-31T19:3")
    );
    let wrong = json!({"settings": {"schedule": {"cron": "30 4 * *"}}});
    let (status, detail) = problem(&console.patch("/connectors/idp", wrong));
    assert_eq!(status, 422);
    assert!(detail.contains("write five"), "{detail}");
    let off = json!({"settings": {"schedule": {"cron": "off"}}});
    assert_eq!(
        ok(&console.patch("/connectors/idp", off))["next_run"],
        Value::Null
    );

    ok(&console.patch("/connectors/idp", json!({"state": "paused"})));
    world.mira();
    let all = console.show("/connectors");
    let stopped = &all["items"].as_array().unwrap().last().unwrap()["stopped"];
    assert_eq!(
        (&stopped["by"], &stopped["waiting"]),
        (&json!("console"), &json!(1))
    );
    assert!(stopped["since"].is_string());
}
