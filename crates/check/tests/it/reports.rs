//! What a run leaves behind, and what its reports look like.

use check::{Cancel, CannotRun, Client, Credentials, Plan, Selection, Style, Target, Verdict, run};
use serde_json::Value;

use crate::fake::Fake;

fn quiet(_: &check::Outcome, _: usize) {}

#[test]
fn a_read_only_run_writes_nothing_and_says_so() {
    let fake = Fake::start(&[]);
    fake.put_user("mira");
    let plan = Plan {
        is_read_only: true,
        ..fake.plan()
    };
    let report = run(&plan, &Cancel::default(), &quiet).unwrap();
    assert_eq!(fake.count(), 1);
    let counts = report.counts();
    assert!(
        counts.fail == 0 && counts.warn == 0 && counts.pass > 60,
        "{counts:?}"
    );
    let skipped = report.with(Verdict::Skip).next().unwrap();
    assert!(
        skipped.reason.as_deref().unwrap().contains("read-only"),
        "{skipped:?}"
    );
    assert!(
        report
            .text(Style::default())
            .contains("nothing was written")
    );
}

#[test]
fn what_was_there_is_untouched_and_nothing_is_left() {
    let fake = Fake::start(&[
        "updates get lost",
        "filters are passed over",
        "a second DELETE succeeds",
    ]);
    fake.put_user("mira");
    let report = run(&fake.plan(), &Cancel::default(), &quiet).unwrap();
    assert!(report.counts().fail > 10);
    assert_eq!(fake.count(), 1, "{:?}", report.left_behind);
}

#[test]
fn a_run_that_is_stopped_deletes_what_it_created() {
    let fake = Fake::start(&[]);
    let cancel = Cancel::default();
    let plan = fake.plan();
    let report = run(&plan, &cancel, &|outcome, _| {
        if outcome.id.starts_with("MEM") {
            cancel.cancel();
        }
    });
    let report = report.unwrap();
    assert!(
        report.is_cancelled && report.counts().skip > 100,
        "{:?}",
        report.counts()
    );
    assert_eq!((fake.count(), report.left_behind), (0, Vec::new()));
}

#[test]
fn a_server_without_a_feature_is_not_blamed_for_it() {
    let fake = Fake::start(&[
        "bulk is offered and not said",
        "cursors are offered and not said",
    ]);
    let mut plan = fake.plan();
    plan.selection = Selection(vec!["blk".into(), "CUR".into()]);
    let report = run(&plan, &Cancel::default(), &quiet).unwrap();
    assert_eq!(report.counts().skip, report.outcomes.len());
    let text = report.text(Style::default());
    assert!(
        text.contains("ServiceProviderConfig does not offer it (bulk.supported is not true): BLK-"),
        "{text}"
    );
}

#[test]
fn habits_count_for_those_who_have_the_client() {
    let fake = Fake::start(&["capital operations are refused"]);
    let with = |clients: Vec<Client>, is_strict| {
        let mut plan = Plan {
            clients,
            is_strict,
            ..fake.plan()
        };
        plan.selection = Selection(vec!["DIA-ENTR-01".into()]);
        run(&plan, &Cancel::default(), &quiet).unwrap().outcomes[0].verdict
    };
    assert_eq!(with(vec![], false), Verdict::Warn);
    assert_eq!(with(vec![Client::Okta], false), Verdict::Warn);
    assert_eq!(with(vec![Client::Entra], false), Verdict::Fail);
    assert_eq!(with(vec![], true), Verdict::Fail);
}

#[test]
fn reports_tell_all_and_no_secret() {
    let fake = Fake::start(&[
        "a refusal repeats the token",
        "texts are cut",
        "there is no ETag",
        "errors tell the inside",
    ]);
    let report = run(&fake.plan(), &Cancel::default(), &quiet).unwrap();
    let full = Style {
        is_coloured: true,
        is_full: true,
    };
    let (text, coloured) = (report.text(Style::default()), report.text(full));
    let (json, junit) = (report.json().to_string(), report.junit());
    for report in [&text, &coloured, &json, &junit] {
        assert!(
            !report.contains("token-of-a-7f31") && !report.contains("token-of-b-9c02"),
            "a token is told"
        );
        assert!(report.contains("UNI-TEXT-04"), "{report}");
    }
    for part in [
        "expected  ",
        "got  ",
        "sent  ",
        "answer  ",
        "matters  ",
        "do  ",
        "FAILURES (",
        "WARNINGS (",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains('\u{1b}') && coloured.contains('\u{1b}'));
    assert!(coloured.contains("  USR-POST-01  A new user"));
    let read: Value = serde_json::from_str(&json).unwrap();
    let failed = report.counts().fail;
    let told = read["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["verdict"] == "fail");
    assert!(
        told.clone()
            .all(|one| one["evidence"]["fix"].is_string() && one["evidence"]["sent"].is_string())
    );
    assert_eq!(
        (told.count(), read["counts"]["fail"].as_u64().unwrap()),
        (failed, failed as u64)
    );
}

#[test]
fn junit_is_xml_whatever_a_server_answers() {
    let fake = Fake::start(&[
        "texts are cut",
        "there is no ETag",
        "an element is lost",
        "filters are passed over",
    ]);
    let report = run(&fake.plan(), &Cancel::default(), &quiet).unwrap();
    let xml = report.junit();
    let document =
        roxmltree::Document::parse(&xml).unwrap_or_else(|error| panic!("{error}: {xml}"));
    let root = document.root_element();
    let counts = report.counts();
    assert_eq!(root.tag_name().name(), "testsuites");
    assert_eq!(
        root.attribute("tests"),
        Some(report.outcomes.len().to_string().as_str())
    );
    let count = |name: &str| {
        document
            .descendants()
            .filter(|node| node.has_tag_name(name))
            .count()
    };
    assert_eq!(count("testcase"), report.outcomes.len());
    assert_eq!(
        (count("failure"), count("skipped"), count("system-out")),
        (counts.fail, counts.skip, counts.warn)
    );
    assert!(counts.fail > 0 && counts.warn > 0);
    let sum: usize = root
        .children()
        .filter_map(|suite| suite.attribute("failures"))
        .map(|n| n.parse::<usize>().unwrap())
        .sum();
    assert_eq!(sum, counts.fail);
}

#[test]
fn what_cannot_be_checked_is_told() {
    let fake = Fake::start(&[]);
    let told = |plan: &Plan| run(plan, &Cancel::default(), &quiet).unwrap_err();
    let mut plan = fake.plan();
    plan.target.credentials = Credentials::Bearer("wrong".into());
    assert!(matches!(
        told(&plan),
        CannotRun::Refused { status: 401, .. }
    ));
    let nobody = Plan::new(Target::new("http://127.0.0.1:9/scim", Credentials::Nothing));
    assert!(matches!(told(&nobody), CannotRun::Unreachable { .. }));
    for url in ["ftp://example.com", "example", "http://"] {
        let plan = Plan::new(Target::new(url, Credentials::Nothing));
        assert!(matches!(told(&plan), CannotRun::Plan(_)), "{url}");
    }
    let mut plan = fake.plan();
    plan.selection = Selection(vec!["NOTHING".into()]);
    assert!(told(&plan).to_string().contains("NOTHING"));
}

#[test]
fn the_report_says_what_was_created_and_by_which_name_it_is_found() {
    let fake = Fake::start(&[]);
    let plan = Plan {
        selection: Selection(vec!["USR-POST".into()]),
        ..fake.plan()
    };
    let report = run(&plan, &Cancel::default(), &quiet).unwrap();
    assert!(report.deleted > 0);
    let told = format!(
        "{} users and groups were created and deleted again",
        report.deleted
    );
    let text = report.text(Style::default());
    assert!(
        text.contains(&told) && text.contains(&report.prefix),
        "{text}"
    );
}

#[test]
fn an_address_of_a_collection_is_told_at_once() {
    let fake = Fake::start(&[]);
    let mut plan = fake.plan();
    plan.target.url.push_str("/Users");
    match run(&plan, &Cancel::default(), &quiet) {
        Err(CannotRun::Plan(why)) => assert!(why.contains("ends in /Users"), "{why}"),
        other => panic!("{other:?}"),
    }
}
