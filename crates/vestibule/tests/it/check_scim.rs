//! `vestibule check-scim` against Vestibule itself: every check passes, on both engines, and nothing is left behind.

use check::{Cancel, Credentials, Plan, Style, Target, Verdict, run};
use emulate::databases::on_each_database;
use serde_json::Value;

use crate::house::{Connector, House};

fn target(connector: &Connector) -> Target {
    let credentials = Credentials::Bearer(connector.token.clone());
    Target::new(connector.url.clone(), credentials)
}

#[test]
fn vestibule_passes_every_check() {
    on_each_database(|database| {
        let house = House::on(database);
        let (one, other) = (house.connector("generic"), house.connector("okta"));
        let plan = Plan {
            other: Some(target(&other)),
            is_strict: true,
            ..Plan::new(target(&one))
        };
        let report = run(&plan, &Cancel::default(), &|_, _| {}).unwrap();
        let wrong = report.with(Verdict::Fail).chain(report.with(Verdict::Warn));
        assert_eq!(wrong.count(), 0, "{}", report.text(Style::default()));
        // What is skipped is looked at, too: a feature that is gone would go unnoticed.
        let skipped: Vec<_> = report
            .with(Verdict::Skip)
            .map(|one| (one.id, &one.reason))
            .collect();
        assert!(skipped.is_empty(), "{skipped:?}");
        assert_eq!(report.left_behind, Vec::<String>::new());
        for connector in [&one, &other] {
            let shown = house
                .program
                .json(&["connector", "show", &connector.name, "--json"]);
            assert_eq!(
                (&shown["users"], &shown["groups"]),
                (&0.into(), &0.into()),
                "{shown}"
            );
        }
    });
}

#[test]
fn the_program_tells_by_its_exit_code_and_writes_reports() {
    on_each_database(|database| {
        let house = House::on(database);
        let connector = house.connector("generic");
        let program = &house.program;
        let asked = |more: &[&str]| {
            let words = [
                "check-scim",
                "--url",
                &connector.url,
                "--token",
                &connector.token,
            ];
            program.run(&[&words[..], more].concat())
        };
        let good = asked(&["--only", "USR-POST", "--only", "dsc"]);
        assert_eq!(good.code, 0, "{good:?}");
        assert!(
            good.out.contains("USR  Users") && !good.out.contains('\u{1b}'),
            "{}",
            good.out
        );

        let file = program.folder().join("report.xml");
        let file = file.to_str().unwrap();
        let junit = asked(&["--read-only", "--format", "junit", "--out", file]);
        assert_eq!(junit.code, 0, "{junit:?}");
        assert!(
            junit.out.contains(file) && junit.out.contains(" passed, 0 failed"),
            "{}",
            junit.out
        );
        assert!(
            std::fs::read_to_string(file)
                .unwrap()
                .contains("<testsuites ")
        );

        let json = asked(&["--only", "AUT", "--json"]);
        let json: Value = serde_json::from_str(&json.out).unwrap();
        assert_eq!(json["counts"]["fail"], 0);

        let list = program.run(&["check-scim", "--list", "--only", "RAC"]);
        assert!(
            list.code == 0 && list.out.contains("RAC-MEM-01"),
            "{list:?}"
        );
        for (words, code) in [
            (vec!["check-scim"], 2),
            (vec!["check-scim", "--list", "--only", "nothing"], 2),
            (
                vec!["check-scim", "--url", "http://127.0.0.1:9/", "--token", "t"],
                2,
            ),
            (
                vec!["check-scim", "--url", &connector.url, "--token", "wrong"],
                2,
            ),
            (
                vec![
                    "check-scim",
                    "--url",
                    &connector.url,
                    "--token",
                    "t",
                    "--client",
                    "nobody",
                ],
                2,
            ),
        ] {
            let ran = program.run(&words);
            assert_eq!(ran.code, code, "{words:?} {ran:?}");
        }
    });
}
