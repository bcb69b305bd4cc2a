//! Searches in XML, in JSON and in CQL.

use crowd::limits::{CQL_BYTES_MAX, RESTRICTION_DEPTH_MAX, RESTRICTION_NODES_MAX};
use crowd::{Body, Format, MatchMode, Reason, Restriction, cql};
use proptest::prelude::*;

fn read(body: &str) -> Restriction {
    Restriction::read(body.as_bytes(), None).unwrap()
}

fn test(property: &str, mode: MatchMode, value: &str) -> Restriction {
    Restriction::test(property, mode, value)
}

fn equals(property: &str, value: &str) -> Restriction {
    test(property, MatchMode::ExactlyMatches, value)
}

#[test]
fn everything() {
    for body in [
        "",
        "{}",
        "<null-search-restriction/>",
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?><null-search-restriction/>",
        "{\"restriction-type\":\"null-search-restriction\"}",
        "<boolean-search-restriction boolean-logic=\"or\"><restrictions/></boolean-search-restriction>",
        "{\"restriction-type\":\"boolean-search-restriction\",\"boolean-logic\":\"or\",\"restrictions\":[]}",
    ] {
        assert_eq!(read(body), Restriction::Everything, "{body}");
    }
}

#[test]
fn the_connection_test_in_any_order() {
    let expected = test("name", MatchMode::Null, "");
    for body in [
        "<property-search-restriction><match-mode>NULL</match-mode><property><name>name</name><type>STRING</type></property></property-search-restriction>",
        "<property-search-restriction><property><type>STRING</type><name>name</name></property><match-mode>NULL</match-mode></property-search-restriction>",
        "<propertySearchRestriction><property><name> name </name></property><matchMode>null</matchMode></propertySearchRestriction>",
        "{\"restriction-type\":\"property-search-restriction\",\"property\":{\"name\":\"name\",\"type\":\"STRING\"},\"match-mode\":\"NULL\"}",
        "{\"property\":{\"name\":\"name\"},\"matchMode\":\"NULL\",\"value\":null}",
    ] {
        assert_eq!(read(body), expected, "{body}");
    }
}

#[test]
fn every_match_mode() {
    for (word, mode) in [
        ("EXACTLY_MATCHES", MatchMode::ExactlyMatches),
        ("STARTS_WITH", MatchMode::StartsWith),
        ("ENDS_WITH", MatchMode::EndsWith),
        ("CONTAINS", MatchMode::Contains),
        ("LESS_THAN", MatchMode::LessThan),
        ("GREATER_THAN", MatchMode::GreaterThan),
    ] {
        let xml = format!(
            "<property-search-restriction><property><name>email</name><type>STRING</type></property>\
             <match-mode>{word}</match-mode><value>mira@example.test</value></property-search-restriction>"
        );
        let expected = test("email", mode, "mira@example.test");
        assert_eq!(read(&xml), expected);
        assert!(
            String::from_utf8(expected.to_bytes(Format::Xml))
                .unwrap()
                .ends_with(&xml)
        );
        let json = format!(
            "{{\"restriction-type\":\"property-search-restriction\",\"property\":{{\"name\":\"email\",\"type\":\"STRING\"}},\
             \"match-mode\":\"{word}\",\"value\":\"mira@example.test\"}}"
        );
        assert_eq!(read(&json), expected);
        assert_eq!(
            String::from_utf8(expected.to_bytes(Format::Json)).unwrap(),
            json
        );
    }
}

#[test]
fn connectives() {
    let xml = "<boolean-search-restriction boolean-logic=\"AND\"><restrictions>\
        <property-search-restriction><property><name>active</name><type>BOOLEAN</type></property><match-mode>EXACTLY_MATCHES</match-mode><value>true</value></property-search-restriction>\
        <boolean-search-restriction boolean-logic=\"or\"><restrictions><null-search-restriction/>\
        <property-search-restriction><property><name>team</name></property><match-mode>CONTAINS</match-mode><value/></property-search-restriction>\
        </restrictions></boolean-search-restriction></restrictions></boolean-search-restriction>";
    let expected = Restriction::And(vec![
        equals("active", "true"),
        Restriction::Or(vec![
            Restriction::Everything,
            test("team", MatchMode::Contains, ""),
        ]),
    ]);
    assert_eq!(read(xml), expected);
}

#[test]
fn broken_restrictions_are_refused() {
    for body in [
        "<error/>",
        "<property-search-restriction/>",
        "<property-search-restriction><property/><match-mode>NULL</match-mode></property-search-restriction>",
        "<property-search-restriction><property><name>a</name></property><value>x</value></property-search-restriction>",
        "<property-search-restriction><property><name>a</name></property><match-mode>SOUNDS_LIKE</match-mode><value>x</value></property-search-restriction>",
        "<property-search-restriction><property><name>a</name></property><match-mode>CONTAINS</match-mode></property-search-restriction>",
        "<boolean-search-restriction boolean-logic='xor'><restrictions><null-search-restriction/></restrictions></boolean-search-restriction>",
        "<boolean-search-restriction><restrictions><null-search-restriction/></restrictions></boolean-search-restriction>",
        "[]",
        "\"x\"",
        "{\"restriction-type\":\"other\"}",
        "{\"value\":\"x\"}",
        "{\"restrictions\":{}}",
        "{\"restrictions\":[1]}",
        "{\"property\":\"name\",\"match-mode\":\"NULL\"}",
    ] {
        let error = Restriction::read(body.as_bytes(), None).unwrap_err();
        assert_eq!(error.reason, Reason::IllegalArgument, "{body}");
    }
}

#[test]
fn a_restriction_has_limits() {
    let flat = |count: usize| Restriction::Or(vec![equals("a", "b"); count - 1]);
    for format in [Format::Xml, Format::Json] {
        let fits = flat(RESTRICTION_NODES_MAX);
        assert_eq!(
            Restriction::read(&fits.to_bytes(format), None).unwrap(),
            fits
        );
        let body = flat(RESTRICTION_NODES_MAX + 1).to_bytes(format);
        assert!(
            Restriction::read(&body, None)
                .unwrap_err()
                .message
                .contains("parts")
        );
        let fits = equals("a", &"x".repeat(CQL_BYTES_MAX - 1));
        assert!(Restriction::read(&fits.to_bytes(format), None).is_ok());
        let body = equals("a", &"x".repeat(CQL_BYTES_MAX)).to_bytes(format);
        assert!(
            Restriction::read(&body, None)
                .unwrap_err()
                .message
                .contains("bytes")
        );
        let deep = (0..5_000).fold(Restriction::Everything, |inner, _| {
            Restriction::And(vec![inner])
        });
        let body = deep.to_bytes(format);
        assert!(
            Restriction::read(&body, None)
                .unwrap_err()
                .message
                .contains("deeper")
        );
        // Taken apart by hand: dropping thousands of levels recursively is what the limit is against.
        let mut rest = deep;
        while let Restriction::And(mut parts) = rest {
            rest = parts.pop().unwrap();
        }
    }
}

#[test]
fn cql_as_it_is_documented() {
    let cases = [
        ("", Restriction::Everything),
        ("  \t", Restriction::Everything),
        (
            "email = \"mira@example.test\"",
            equals("email", "mira@example.test"),
        ),
        (
            "email=mira@example.test",
            equals("email", "mira@example.test"),
        ),
        ("name = 'o\"neil'", equals("name", "o\"neil")),
        ("name = o'neil", equals("name", "o'neil")),
        (
            "name = \"a \\\"b\\\" \\\\ \\*\"",
            equals("name", "a \"b\" \\ *"),
        ),
        ("name = CORP\\jo", equals("name", "CORP\\jo")),
        ("name = \"\"", equals("name", "")),
        ("and = or", equals("and", "or")),
        ("\"cost center\" = x", equals("cost center", "x")),
        (
            "firstName = mi*",
            test("firstName", MatchMode::StartsWith, "mi"),
        ),
        (
            "firstName = *mi",
            test("firstName", MatchMode::EndsWith, "mi"),
        ),
        (
            "firstName = \"*mi*\"",
            test("firstName", MatchMode::Contains, "mi"),
        ),
        ("firstName = m*i", equals("firstName", "m*i")),
        (
            "firstName = *",
            test("firstName", MatchMode::StartsWith, ""),
        ),
        (
            "firstName = \\*",
            test("firstName", MatchMode::StartsWith, "\\"),
        ),
        (
            "createdDate > 2023-12",
            test("createdDate", MatchMode::GreaterThan, "2023-12"),
        ),
        (
            "createdDate<2010*",
            test("createdDate", MatchMode::LessThan, "2010*"),
        ),
        (
            "firstName = mi* and active = true",
            Restriction::And(vec![
                test("firstName", MatchMode::StartsWith, "mi"),
                equals("active", "true"),
            ]),
        ),
        (
            "active=true AND name=\"mi*\" And email=\"..*\"",
            Restriction::And(vec![
                equals("active", "true"),
                test("name", MatchMode::StartsWith, "mi"),
                test("email", MatchMode::StartsWith, ".."),
            ]),
        ),
        (
            "a=1 or b=2 and c=3 or d=4",
            Restriction::Or(vec![
                equals("a", "1"),
                Restriction::And(vec![equals("b", "2"), equals("c", "3")]),
                equals("d", "4"),
            ]),
        ),
        (
            "(lastName = \"Solberg\" or lastName = Berg) and createdDate > 2023-12",
            Restriction::And(vec![
                Restriction::Or(vec![
                    equals("lastName", "Solberg"),
                    equals("lastName", "Berg"),
                ]),
                test("createdDate", MatchMode::GreaterThan, "2023-12"),
            ]),
        ),
        ("((department=Platform))", equals("department", "Platform")),
    ];
    for (text, expected) in cases {
        assert_eq!(cql::parse(text).unwrap(), expected, "{text}");
    }
}

#[test]
fn broken_cql_is_refused_with_the_place() {
    for (text, part) in [
        ("name", "the end"),
        ("name =", "the end"),
        ("= x", "character 1 "),
        ("name = x y", "character 10 "),
        ("name == x", "a value"),
        ("name <= x", "a value"),
        ("name != x", "=, < or >"),
        ("name!=x", "not-equal"),
        ("name = x and", "the end"),
        ("name = x or and = ", "the end"),
        ("(name = x", "the end"),
        ("name = x)", "character 9 "),
        ("name = \"x", "character 8 "),
        ("name = 'x\\", "does not end"),
        ("\"\" = x", "no name"),
        ("()", "a field"),
        ("ü = (", "character 5 "),
    ] {
        let error = cql::parse(text).unwrap_err();
        assert_eq!((error.status, error.reason), (400, Reason::IllegalArgument));
        assert!(error.message.contains(part), "{text}: {error}");
    }
}

#[test]
fn cql_has_limits() {
    let flat = |count: usize| vec!["a=b"; count].join(" or ");
    assert!(cql::parse(&flat(RESTRICTION_NODES_MAX - 1)).is_ok());
    assert!(cql::parse(&flat(RESTRICTION_NODES_MAX)).is_err());
    let nested = |depth: usize| format!("{}a=b{}", "(".repeat(depth), ")".repeat(depth));
    assert!(cql::parse(&nested(RESTRICTION_DEPTH_MAX)).is_ok());
    assert!(
        cql::parse(&nested(RESTRICTION_DEPTH_MAX + 1))
            .unwrap_err()
            .message
            .contains("deeper")
    );
    assert!(
        cql::parse(&"(".repeat(5_000))
            .unwrap_err()
            .message
            .contains("deeper")
    );
    let long = |length: usize| format!("a={}", "x".repeat(length - 2));
    assert!(cql::parse(&long(CQL_BYTES_MAX)).is_ok());
    assert!(
        cql::parse(&long(CQL_BYTES_MAX + 1))
            .unwrap_err()
            .message
            .contains("bytes")
    );
}

/// Restrictions that CQL has words for.
fn printable() -> impl Strategy<Value = Restriction> {
    let modes = prop::sample::select(vec![
        MatchMode::ExactlyMatches,
        MatchMode::StartsWith,
        MatchMode::EndsWith,
        MatchMode::Contains,
        MatchMode::LessThan,
        MatchMode::GreaterThan,
    ]);
    let property = prop_oneof!["[a-z]{1,6}", "and|or|AND", "\\PC{1,6}"];
    let value = prop_oneof!["[a-z]{1,6}", "[\\\\\"'*()= !<>]{1,6}", "\\PC{1,6}"];
    let leaf = (property, modes, value)
        .prop_map(|(property, mode, value)| Restriction::test(property, mode, value));
    leaf.prop_recursive(4, 40, 4, |inner| {
        let parts = prop::collection::vec(inner, 2..4);
        (parts, any::<bool>()).prop_map(|(parts, all)| {
            if all {
                Restriction::And(parts)
            } else {
                Restriction::Or(parts)
            }
        })
    })
}

proptest! {
    #[test]
    fn what_is_printed_reads_back(restriction in printable()) {
        let text = cql::print(&restriction).unwrap();
        prop_assert_eq!(cql::parse(&text).unwrap(), restriction, "{}", text);
    }

    #[test]
    fn documents_read_back(restriction in printable()) {
        let trimmed = |name: &str| !name.trim().is_empty() && name.trim() == name;
        fn names_hold(restriction: &Restriction, holds: &dyn Fn(&str) -> bool) -> bool {
            match restriction {
                Restriction::Test { property, .. } => holds(property),
                Restriction::And(parts) | Restriction::Or(parts) => parts.iter().all(|part| names_hold(part, holds)),
                Restriction::Everything => true,
            }
        }
        prop_assume!(names_hold(&restriction, &trimmed));
        for format in [Format::Xml, Format::Json] {
            prop_assert_eq!(&Restriction::read(&restriction.to_bytes(format), None).unwrap(), &restriction);
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in any::<String>(), signs in "[ab=<>()\"'\\\\* ]{0,40}") {
        let _ = cql::parse(&text);
        let _ = cql::parse(&signs);
    }
}
