//! Each fault of a server is caught by the check that is named for it, and a server without faults has none.

use check::{Cancel, Report, Selection, Verdict, run};

use crate::fake::Fake;

fn checked(fake: &Fake, only: &[&str]) -> Report {
    let mut plan = fake.plan();
    plan.selection = Selection(only.iter().map(|id| (*id).to_owned()).collect());
    run(&plan, &Cancel::default(), &|_, _| {}).unwrap()
}

#[test]
fn a_server_that_does_everything_right_passes_every_check() {
    let fake = Fake::start(&[]);
    let report = checked(&fake, &[]);
    let wrong: Vec<String> = report
        .outcomes
        .iter()
        .filter(|outcome| outcome.verdict != Verdict::Pass)
        .map(|outcome| {
            format!(
                "{} {:?} {:?} {:#?}",
                outcome.id, outcome.verdict, outcome.reason, outcome.evidence
            )
        })
        .collect();
    // It has no previousCursor, which nobody has to have.
    assert!(
        wrong.len() == 1 && wrong[0].starts_with("CUR-PAGE-07 Skip"),
        "{}",
        wrong.join("\n")
    );
    assert_eq!(report.left_behind, Vec::<String>::new());
    assert_eq!(fake.count(), 0, "everything that was created is deleted");
}

/// A fault, and the checks that have to catch it.
const FAULTS: &[(&str, &[&str])] = &[
    ("the configuration has no schema", &["DSC-SPC-01"]),
    ("flags are texts", &["DSC-SPC-02"]),
    ("limits are missing", &["DSC-SPC-03"]),
    ("no way to authenticate is told", &["DSC-SPC-04"]),
    ("pages are described in words", &["DSC-SPC-05"]),
    ("the configuration changes", &["DSC-SPC-06"]),
    ("the configuration can be written", &["DSC-SPC-07"]),
    ("discovery passes over filters", &["DSC-SPC-08"]),
    ("patch is offered and not said", &["DSC-TRU-01"]),
    ("bulk is offered and not said", &["DSC-TRU-02"]),
    ("there is no bulk, whatever is said", &["DSC-TRU-02"]),
    (
        "filters are passed over",
        &["DSC-TRU-03", "FLT-OP-01", "GRP-FLT-01"],
    ),
    ("maxResults is not kept", &["DSC-TRU-04"]),
    ("versions are given and not said", &["DSC-TRU-05"]),
    ("cursors are offered and not said", &["DSC-TRU-06"]),
    ("discovery lists are bare", &["DSC-TYP-01", "DSC-SCH-01"]),
    ("an endpoint is wrong", &["DSC-TYP-03", "DSC-TYP-07"]),
    (
        "discovery has no single documents",
        &["DSC-TYP-05", "DSC-SCH-05", "CLI-SAIL-01"],
    ),
    ("what is not there is empty", &["DSC-TYP-06", "DSC-SCH-06"]),
    ("types have other names", &["DSC-SCH-03"]),
    ("a schema is missing", &["DSC-SCH-04", "DSC-SCH-11"]),
    ("userName is not published as unique", &["DSC-SCH-07"]),
    ("the password is published as readable", &["DSC-SCH-08"]),
    (
        "answers have more than is published",
        &["DSC-SCH-09", "DSC-SCH-10"],
    ),
    ("anybody may read", &["AUT-NONE-01"]),
    ("anybody may write", &["AUT-WRT-01"]),
    ("any token will do", &["AUT-WRNG-01", "AUT-WRT-02"]),
    ("an empty token will do", &["AUT-WRNG-02"]),
    ("a part of the token will do", &["AUT-WRNG-03"]),
    ("a token in the URL will do", &["AUT-WRNG-04"]),
    ("401 does not say how", &["AUT-TELL-01"]),
    (
        "errors are plain",
        &[
            "AUT-TELL-02",
            "HTP-ERR-01",
            "HTP-URL-04",
            "HTP-BDY-01",
            "USR-GET-02",
        ],
    ),
    ("a refusal repeats the token", &["AUT-TELL-03"]),
    ("only Bearer with a capital letter", &["AUT-BEAR-01"]),
    ("answers are text/html", &["HTP-TYP-01", "HTP-ERR-04"]),
    ("only scim+json is accepted", &["HTP-TYP-02", "CLI-KEYC-01"]),
    ("a charset is refused", &["HTP-TYP-05"]),
    ("any content type will do", &["HTP-TYP-06"]),
    ("a slash at the end is not found", &["HTP-URL-01"]),
    (
        "unknown parameters are refused",
        &["HTP-URL-02", "CLI-ENTR-03"],
    ),
    ("a plus is no blank", &["HTP-URL-03"]),
    (
        "an unreadable body breaks it",
        &["HTP-BDY-01", "HTP-BDY-02"],
    ),
    ("bodies have no limit", &["HTP-BDY-05"]),
    ("the status of errors is a number", &["HTP-ERR-02"]),
    ("errors tell the inside", &["HTP-ERR-05"]),
    (
        "no scimType",
        &[
            "USR-UNIQ-03",
            "USR-BAD-03",
            "HTP-BDY-03",
            "PAT-BAD-06",
            "FLT-BAD-07",
            "CUR-BAD-02",
        ],
    ),
    ("201 has no body", &["USR-POST-01"]),
    (
        "creation is answered with 200",
        &["USR-POST-01", "GRP-POST-01"],
    ),
    ("201 has no Location", &["USR-POST-02", "GRP-POST-01"]),
    ("clients choose ids", &["USR-POST-03"]),
    ("times have no zone", &["USR-POST-04"]),
    ("resources have no schemas", &["USR-POST-05"]),
    ("an element is lost", &["USR-KEEP-06"]),
    ("the extension is lost", &["USR-KEEP-07"]),
    (
        "users may have the same name",
        &["USR-UNIQ-01", "USR-PUT-04", "PAT-ALL-08", "RAC-NEW-01"],
    ),
    (
        "names differ by case",
        &["USR-UNIQ-02", "RAC-NEW-02", "UNI-NAME-02"],
    ),
    ("a number is an externalId", &["USR-UNIQ-04"]),
    ("a wrong type breaks it", &["USR-BAD-01", "USR-BAD-04"]),
    ("the password is returned", &["USR-PASS-01"]),
    ("null is refused", &["USR-ENTR-01", "USR-ONEL-01"]),
    (
        "unknown schemas are refused",
        &["USR-ENTR-02", "GRP-POST-04"],
    ),
    ("booleans may be texts", &["USR-ENTR-03"]),
    (
        "who is not there is a bad request",
        &["USR-GET-02", "GRP-GET-01"],
    ),
    ("the disabled are hidden", &["USR-GET-03", "CLI-OKTA-01"]),
    ("users do not tell their groups", &["USR-GET-04"]),
    ("lastModified stays", &["USR-META-01"]),
    ("PUT clears nothing", &["USR-PUT-02"]),
    ("PUT creates", &["USR-PUT-03", "GRP-PUT-03"]),
    (
        "every write is a new version",
        &["USR-PUT-09", "GRP-PUT-04", "PAT-ALL-06"],
    ),
    ("PUT without active disables", &["USR-PUT-10"]),
    ("DELETE is answered with 200 and a body", &["USR-DEL-01"]),
    (
        "a second DELETE succeeds",
        &["USR-DEL-02", "GRP-DEL-01", "RAC-DEL-01"],
    ),
    ("members of a new group are lost", &["GRP-POST-02"]),
    (
        "groups may have the same name",
        &["GRP-POST-05", "RAC-NEW-03"],
    ),
    ("members of a PUT are lost", &["GRP-PUT-01", "CLI-OKTA-03"]),
    (
        "PUT without members keeps them",
        &["GRP-PUT-02", "CLI-POCK-01"],
    ),
    ("a group takes its people along", &["GRP-DEL-01"]),
    ("groups cannot be filtered", &["GRP-FLT-01", "GRP-FLT-03"]),
    ("an unknown name is not found", &["GRP-FLT-05"]),
    ("add replaces a list", &["MEM-ADD-01", "PAT-LST-01"]),
    (
        "a member again is a conflict",
        &["MEM-ADD-02", "CLI-ENTR-02"],
    ),
    (
        "capital operations are refused",
        &["MEM-ADD-05", "DIA-ENTR-01"],
    ),
    (
        "remove with values removes all",
        &["MEM-REM-04", "MEM-REM-05", "MEM-REM-06", "MEM-REM-07"],
    ),
    ("unknown members are refused", &["MEM-EDGE-03"]),
    ("who is deleted stays in groups", &["MEM-LIFE-01"]),
    ("who is disabled leaves the groups", &["MEM-LIFE-02"]),
    ("half a PATCH is kept", &["PAT-ALL-04"]),
    ("two primaries are kept", &["PAT-LST-10"]),
    ("a boolean stays a text", &["DIA-ENTR-02", "DIA-ENTR-03"]),
    (
        "a value path without a match is refused",
        &["DIA-PATH-01", "DIA-PATH-02", "DIA-PATH-03"],
    ),
    (
        "keys with dots are passed over",
        &["DIA-FLAG-01", "CLI-ENTR-03"],
    ),
    ("or binds as tightly as and", &["FLT-LOG-04"]),
    (
        "everything is compared exactly",
        &["FLT-VAL-01", "GRP-FLT-02", "SRT-ORD-04"],
    ),
    ("a value needs quotes", &["FLT-CLI-02", "CLI-AUTH-01"]),
    (
        "a bad filter finds everybody",
        &["FLT-BAD-01", "FLT-BAD-03", "SEA-BAD-01"],
    ),
    ("totals are texts", &["PAG-LIST-01", "DSC-TRU-03"]),
    ("itemsPerPage is what was asked for", &["PAG-LIST-03"]),
    (
        "totalResults is the size of the page",
        &["PAG-LIST-04", "PAG-WALK-01"],
    ),
    ("pages overlap", &["PAG-WALK-01", "PAG-WALK-02"]),
    ("the order is random", &["PAG-WALK-04"]),
    ("there is always a next page", &["CUR-PAGE-03"]),
    ("a cursor is a number", &["CUR-PAGE-02"]),
    ("a bad cursor begins again", &["CUR-BAD-01", "CUR-BAD-04"]),
    ("sorting is passed over", &["SRT-ORD-02", "SRT-ORD-04"]),
    (
        "who has no value comes first",
        &["SRT-ORD-05", "SRT-ORD-06"],
    ),
    (
        "attributes is passed over",
        &["PRJ-ATTR-01", "SEA-USR-03", "PRJ-POST-01"],
    ),
    (
        "excludedAttributes is passed over",
        &["PRJ-EXCL-01", "MEM-LIFE-04", "PRJ-LIST-02"],
    ),
    ("there is no ETag", &["ETG-TAG-01", "ETG-TAG-04"]),
    ("If-None-Match is passed over", &["ETG-GET-01"]),
    (
        "If-Match is passed over",
        &["ETG-PUT-01", "ETG-PTCH-01", "ETG-DEL-01", "ETG-RACE-01"],
    ),
    ("the status of results is an object", &["BLK-DO-02"]),
    ("references are not resolved", &["BLK-REF-01", "BLK-REF-02"]),
    ("bulk stops at the first failure", &["BLK-ERR-01"]),
    ("failOnErrors is passed over", &["BLK-ERR-02"]),
    ("a bulkId is not needed", &["BLK-ERR-06"]),
    ("bulk has no limits", &["BLK-MAX-01", "BLK-MAX-02"]),
    ("texts are cut", &["UNI-TEXT-04"]),
    (
        "uniqueness is looked up first",
        &["RAC-NEW-01", "RAC-NEW-02", "RAC-NEW-03"],
    ),
    ("a duplicate is plain", &["RAC-NEW-04", "USR-UNIQ-01"]),
    (
        "updates get lost",
        &["RAC-MEM-01", "RAC-MEM-02", "RAC-PAT-01", "ETG-RACE-01"],
    ),
    (
        "tenants are not apart",
        &["ISO-READ-01", "ISO-READ-02", "ISO-WRT-01", "ISO-SAME-01"],
    ),
    ("any tenant's token will do", &["ISO-KEY-01"]),
];

#[test]
fn each_fault_is_caught_by_its_checks() {
    let mut missed = Vec::new();
    for (fault, ids) in FAULTS.iter().filter(|(_, ids)| !ids.is_empty()) {
        let fake = Fake::start(&[fault]);
        // Some faults only show where somebody is.
        fake.put_user("mira");
        fake.put_user("liv");
        let report = checked(&fake, ids);
        for outcome in &report.outcomes {
            if !matches!(outcome.verdict, Verdict::Fail | Verdict::Warn) {
                missed.push(format!(
                    "{fault}: {} {:?} {:?}",
                    outcome.id, outcome.verdict, outcome.reason
                ));
            }
        }
        assert_eq!(report.outcomes.len(), ids.len(), "{fault}");
    }
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn all_faults_are_different() {
    let mut names: Vec<&str> = FAULTS.iter().map(|(fault, _)| *fault).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), FAULTS.len());
}
