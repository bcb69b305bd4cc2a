//! The server is killed in the middle of a load: nothing acknowledged may be lost, and everybody goes on afterwards.

use std::sync::Mutex;

use emulate::databases::on_each_database;
use emulate::entra::{Entra, PatchDialect};
use emulate::okta::{AppKind, Okta};
use emulate::organization::Organization;
use emulate::provider::Provider;
use emulate::report::quietly;

use crate::house::{House, clean, follows, organization, tell};

/// Synchronises until so many tasks are done, when the server is killed; what is left over fails.
async fn interrupted(
    house: &mut House,
    provider: &mut Provider,
    organization: &Organization,
    tasks: u64,
) {
    let house = Mutex::new(house);
    let progress = |done: u64, _total: u64, _label: &str| {
        if done == tasks {
            house.lock().unwrap().kill();
        }
    };
    let report = provider.synchronize(organization, &progress).await;
    assert!(
        report.failed > 0,
        "the server was killed too late: {report}"
    );
}

#[test]
fn nothing_acknowledged_is_lost_when_the_server_is_killed() {
    on_each_database(|database| {
        let mut house = House::on(database);
        let connector = house.connector("okta");
        tell(async {
            let mut jira = house.jira("jira", &connector, "read-only");
            let mut organization = organization(150, 20, 21);
            let okta = Okta::new(&connector.url, &connector.token, AppKind::Template).unwrap();
            let mut provider = Provider::Okta(okta.with_concurrency(8));
            jira.synchronize(&quietly).await.unwrap();

            // While people are created, then while groups are pushed, then while people change.
            for tasks in [60, 92, 8] {
                interrupted(&mut house, &mut provider, &organization, tasks).await;
                house.start_again();
                house.settle(&connector);
                if let Provider::Okta(okta) = &provider {
                    clean(&okta.import_and_compare(&quietly).await);
                }
                let done = jira.synchronize(&quietly).await.unwrap();
                assert!(!done.full, "event tokens outlive the server: {done:?}");
                if tasks != 60 {
                    clean(&provider.synchronize(&organization, &quietly).await);
                    house.sees(&mut jira, &connector, &provider.picture()).await;
                    follows(&jira.picture(), &organization);
                    for _ in 0..80 {
                        organization.next_event();
                    }
                }
            }
        });
    });
}

#[test]
fn entra_goes_on_where_it_was_after_a_kill() {
    on_each_database(|database| {
        let mut house = House::on(database);
        let connector = house.connector("entra");
        tell(async {
            let mut jira = house.jira("jira", &connector, "read-only");
            let organization = organization(60, 8, 22);
            let entra =
                Entra::new(&connector.url, &connector.token, PatchDialect::Classic).unwrap();
            let mut provider = Provider::Entra(entra);
            jira.synchronize(&quietly).await.unwrap();
            // In the middle of the members, with requests in parallel on the same groups.
            interrupted(&mut house, &mut provider, &organization, 160).await;
            house.start_again();
            clean(&provider.synchronize(&organization, &quietly).await);
            let done = house.sees(&mut jira, &connector, &provider.picture()).await;
            assert!(!done.full);
            follows(&jira.picture(), &organization);
        });
    });
}

#[test]
fn a_job_goes_on_where_it_was_after_a_kill() {
    on_each_database(|database| {
        let mut house = House::on(database);
        let connector = house.connector("okta");
        tell(async {
            let organization = organization(350, 3, 23);
            let okta = Okta::new(&connector.url, &connector.token, AppKind::Template).unwrap();
            let mut provider = Provider::Okta(okta.with_concurrency(8));
            clean(&provider.synchronize(&organization, &quietly).await);
            house.settle(&connector);
        });
        let rules = tempfile::NamedTempFile::new().unwrap();
        let text = r#"{"groups": {"always_assign": ["everyone"], "protected": []}}"#;
        std::fs::write(rules.path(), text).unwrap();
        let file = rules.path().to_str().unwrap();
        let words = [
            "connector",
            "rules",
            &connector.name,
            "--file",
            file,
            "--json",
        ];
        house.program.json(&words);
        let job = |house: &House| house.program.json(&["job", "list", "--json"])[0].clone();
        let id = job(&house)["id"].as_str().unwrap().to_owned();
        while job(&house)["state"] == "queued" {}
        house.kill();
        let killed = job(&house);
        house.start_again();
        let words = ["job", "show", &id, "--wait", "--json"];
        let done = house.program.json(&words);
        assert_eq!(done["kind"], "rules");
        assert_eq!(done["state"], "done", "{killed} {done}");
        assert_eq!(done["done"], done["total"]);
        assert_eq!(
            done["counts"]["group_add"], done["total"],
            "each of them once: {killed}"
        );
        let words = ["job", "results", &id, "--operation", "group_add", "--json"];
        let results = house.program.json(&words);
        assert_eq!(results.as_array().unwrap().len() as u64, done["total"]);
    });
}
