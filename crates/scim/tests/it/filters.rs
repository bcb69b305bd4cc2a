//! Filters: what they mean, what is refused, and that they print as they were.

use proptest::prelude::*;
use scim::filter::Operand;
use scim::{AttrPath, Filter, Meta, Node, Op, Record, ResourceType, ScimType};
use serde_json::json;

use crate::scene::*;

fn node(text: &str) -> Node {
    let filter = Filter::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    filter
        .resolve(ResourceType::user())
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn matches(text: &str) -> bool {
    let meta = Meta {
        created: "2026-01-01T00:00:00Z".parse().unwrap(),
        last_modified: "2026-03-01T12:00:00.25Z".parse().unwrap(),
        version: 3,
        beside: None,
    };
    let joy = joy();
    let record = Record {
        ty: ResourceType::user(),
        id: "2819c223-7f76",
        resource: &joy,
        meta: &meta,
    };
    node(text).matches(&record)
}

#[test]
fn filters_that_hold() {
    for text in [
        r#"userName eq "joy@example.org""#,
        r#"userName eq "JOY@EXAMPLE.ORG""#,
        r#"urn:ietf:params:scim:schemas:core:2.0:User:userName eq "joy@example.org""#,
        r#"URN:IETF:params:scim:schemas:core:2.0:user:USERNAME eq "joy@example.org""#,
        r#"externalId eq "0a21f0f2""#,
        r#"id eq "2819c223-7f76""#,
        r#"id eq "2819c223-7f76" and manager eq "7""#,
        r#"manager.value eq "7" and manager.displayName sw "MA""#,
        r#"department eq "d""#,
        r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq "D""#,
        r#"emails eq "joy@home.example""#,
        r#"emails.value ew "@HOME.example""#,
        r#"emails[type eq "work" and value co "@example"]"#,
        r#"emails[type eq "work"].value eq "joy@example.org""#,
        r#"emails[type eq "work"].value pr"#,
        r#"emails[primary eq true]"#,
        r#"emails[primary eq "True"].type eq work"#,
        r#"not (emails[type eq "work" and value eq "joy@home.example"])"#,
        "active eq true",
        "active eq TRUE",
        r#"active eq "true""#,
        "active ne false",
        "title pr",
        "emails pr and name pr and meta pr",
        "not (nickName pr)",
        "nickName eq null",
        "title ne null",
        r#"nickName ne "x""#,
        r#"title gt "Eng" and title le "engineer""#,
        r#"meta.lastModified gt "2026-03-01T12:00:00Z""#,
        "meta.lastModified gt 2026-03-01T12:00:00Z",
        r#"meta.lastModified eq "2026-03-01T13:00:00.250000+01:00""#,
        r#"meta.lastModified eq "2026-03-01T13:00:00.25 01:00""#,
        r#"meta.created lt "2026-01-01T00:00:00.000001Z""#,
        r#"meta.resourceType eq "User" and meta.version eq "W/\"3\"""#,
        r#"schemas eq "urn:ietf:params:scim:schemas:core:2.0:User""#,
        r#"phoneNumbers.value sw "+49""#,
        // `and` binds closer than `or`, `not` closest.
        r#"title pr or nickName pr and nickName pr"#,
        r#"nickName pr and nickName pr or title pr"#,
        r#"not (nickName pr) and title pr"#,
        r#"(title pr or nickName pr) and active eq true"#,
        "TITLE PR AND NOT(nickname pr)OR nickName pr",
        "  title   pr  ",
    ] {
        assert!(matches(text), "{text}");
    }
}

#[test]
fn filters_that_do_not_hold() {
    for text in [
        r#"externalId eq "0A21F0F2""#,
        r#"id eq "2819C223-7F76""#,
        r#"userName eq "joy""#,
        r#"userName sw "example""#,
        r#"emails[type eq "work" and value eq "joy@home.example"]"#,
        r#"emails[type eq "home" and primary eq true]"#,
        r#"emails[type eq "work"].value eq "joy@home.example""#,
        r#"title ne "engineer""#,
        "nickName pr",
        r#"nickName co """#,
        r#"nickName gt "a""#,
        "title eq null",
        "active eq false",
        "(title pr or nickName pr) and nickName pr",
        "not (title pr or nickName pr)",
        r#"groups.value eq "g""#,
        r#"meta.lastModified gt "2026-03-01T12:00:00.25Z""#,
        r#"photos.value eq "x""#,
    ] {
        assert!(!matches(text), "{text}");
    }
}

#[test]
fn case_and_form_of_letters_do_not_matter_where_case_does_not() {
    let kelvin = user(&json!({ "userName": "\u{212A}evin", "displayName": "Mu\u{308}ller" }));
    for text in [
        r#"userName eq "kevin""#,
        r#"userName eq "KEVIN""#,
        r#"displayName eq "MÜLLER""#,
        r#"displayName sw "mü""#,
    ] {
        assert!(node(text).matches(&kelvin), "{text}");
    }
    let quoted = user(&json!({ "userName": "o'brien", "displayName": "a \"b\" \\ c" }));
    assert!(node(r#"userName eq "o'brien" and displayName eq "a \"b\" \\ c""#).matches(&quoted));
    assert!(node(r#"displayName eq "\u0061 \"b\" \\ c""#).matches(&quoted));
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    for (text, hint) in [
        ("", "an attribute was expected, not the end"),
        ("userName", "a comparison was expected"),
        ("userName eq", "a value was expected"),
        ("userName == \"x\"", "'==' is not a comparison"),
        ("userName eq \"x", "closing quote"),
        ("userName eq \"\\x\"", "escape"),
        ("userName eq 'x'", "double quotes"),
        ("displayName eq Sales EU", "double quotes"),
        ("userName eq \"x\" and", "an attribute was expected"),
        (
            "userName eq \"x\" xor title pr",
            "'and' or 'or' was expected",
        ),
        ("(userName pr", "')' was expected"),
        ("userName pr)", "')' is not expected"),
        ("emails[type pr", "']' was expected"),
        ("emails[phones[type pr]]", "only after"),
        ("a.b[type pr]", "only after"),
        ("user name pr", "'name' is not a comparison"),
        ("1abc pr", "not the name of an attribute"),
        ("a.b.c pr", "not the name of an attribute"),
        ("shoeSize pr", "no attribute 'shoeSize'"),
        ("name.nick pr", "no attribute 'name.nick'"),
        ("urn:x:y:z pr", "no attribute"),
        ("emails[shoe pr]", "no part 'shoe'"),
        ("emails[emails.type pr]", "no part"),
        ("userName[type pr]", "not a list"),
        ("name eq \"x\"", "name.formatted"),
        ("addresses eq \"x\"", "addresses.formatted"),
        ("active gt true", "can't be compared with gt"),
        ("active eq 1", "can't be compared with '1'"),
        ("active co \"t\"", "can't be compared with co"),
        ("meta.created sw \"2026\"", "can't be compared with sw"),
        (
            "meta.created gt \"yesterday\"",
            "can't be compared with 'yesterday'",
        ),
        ("title gt null", "eq and ne only"),
        ("password pr", "can't be used"),
        ("password sw \"a\"", "can't be used"),
        ("meta.location pr", "can't be used"),
    ] {
        let error = Filter::parse(text)
            .and_then(|filter| filter.resolve(ResourceType::user()))
            .unwrap_err();
        let wanted = match text.starts_with("password") {
            true => (403, Some(ScimType::Sensitive)),
            false => (400, Some(ScimType::InvalidFilter)),
        };
        assert_eq!((error.status, error.scim_type), wanted, "{text}");
        assert!(error.detail.contains(hint), "{text}: {}", error.detail);
    }
    let error = Filter::parse("ünïcödé eq 1").unwrap_err();
    insta::assert_snapshot!(error.detail, @r#"The filter can't be read: at character 1, 'ünïcödé' is not the name of an attribute. Write it like userName eq "joy@example.org"."#);
    let error = Filter::parse("title eq \"ü\" oder x pr").unwrap_err();
    insta::assert_snapshot!(error.detail, @r#"The filter can't be read: at character 14, 'and' or 'or' was expected, not 'oder'; put a value with blanks in double quotes. Write it like userName eq "joy@example.org"."#);
}

#[test]
fn references_have_canonical_names() {
    for (text, name) in [
        ("USERNAME", "userName"),
        ("Emails.VALUE", "emails.value"),
        (
            "manager",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
        ),
        ("meta.LASTMODIFIED", "meta.lastModified"),
        ("emails.$REF", ""),
        ("groups.$REF", "groups.$ref"),
    ] {
        let found = AttrPath::parse(text).unwrap().resolve(ResourceType::user());
        assert_eq!(
            found.map(|attr| attr.name().to_owned()).unwrap_or_default(),
            name
        );
    }
    let Node::Test {
        attr,
        op: Op::Eq,
        value,
    } = node("manager eq \"X\"")
    else {
        panic!("a test")
    };
    assert_eq!(
        attr.name(),
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value"
    );
    assert_eq!((attr.case_exact(), value.as_text()), (false, Some("x")));
    let Node::Test { attr, value, .. } = node("groups eq \"X\"") else {
        panic!("a test")
    };
    assert_eq!(
        (attr.name(), attr.case_exact(), value.as_text()),
        ("groups.value", true, Some("X"))
    );
}

fn attr_path() -> impl Strategy<Value = AttrPath> {
    let urn = proptest::option::of("urn:[a-z]{1,3}(:[a-zA-Z0-9.]{1,4}){1,3}");
    let sub = proptest::option::of("[a-zA-Z$][a-zA-Z0-9_-]{0,5}");
    (urn, "[a-zA-Z][a-zA-Z0-9_-]{0,6}", sub).prop_map(|(urn, attr, sub)| AttrPath {
        urn,
        attr,
        sub,
    })
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        Just(Op::Eq),
        Just(Op::Ne),
        Just(Op::Co),
        Just(Op::Sw),
        Just(Op::Ew),
        Just(Op::Gt),
        Just(Op::Ge),
        Just(Op::Lt),
        Just(Op::Le)
    ]
}

fn operand() -> impl Strategy<Value = Operand> {
    prop_oneof![
        any::<String>().prop_map(Operand::Quoted),
        "[^\\s()\\[\\]\"'][^\\s()\\[\\]\"]{0,8}".prop_map(Operand::Bare)
    ]
}

fn term() -> impl Strategy<Value = Filter> {
    prop_oneof![
        (attr_path(), op(), operand()).prop_map(|(path, op, value)| Filter::Test {
            path,
            op,
            value
        }),
        attr_path().prop_map(Filter::Present),
    ]
}

fn connected(term: impl Strategy<Value = Filter> + 'static) -> impl Strategy<Value = Filter> {
    term.prop_recursive(4, 24, 4, |inner| {
        let list = proptest::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            list.clone().prop_map(Filter::And),
            list.prop_map(Filter::Or),
            inner.prop_map(|inner| Filter::Not(Box::new(inner))),
        ]
    })
}

fn filter() -> impl Strategy<Value = Filter> {
    let element = (attr_path(), connected(term())).prop_map(|(path, filter)| Filter::Element {
        path: AttrPath { sub: None, ..path },
        filter: Box::new(filter),
    });
    connected(prop_oneof![4 => term(), 1 => element])
}

proptest! {
    #[test]
    fn a_printed_filter_reads_back_as_the_same(filter in filter()) {
        let printed = filter.to_string();
        prop_assert_eq!(Filter::parse(&printed).map_err(|error| format!("{printed}: {error}")), Ok(filter));
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,80}") {
        let _ = Filter::parse(&text).and_then(|filter| filter.resolve(ResourceType::user()));
    }

    #[test]
    fn no_shuffled_words_make_the_parser_panic(
        words in proptest::collection::vec(
            prop_oneof![
                Just("userName"), Just("emails"), Just("["), Just("]"), Just("("), Just(")"), Just("not"), Just("and"), Just("or"),
                Just("eq"), Just("pr"), Just("\"x\""), Just("true"), Just(".value"), Just("\""), Just("\\"), Just("type"),
            ],
            0..16,
        ),
    ) {
        if let Ok(filter) = Filter::parse(&words.join(" ")) {
            prop_assert_eq!(Filter::parse(&filter.to_string()), Ok(filter.clone()));
            if let Ok(node) = filter.resolve(ResourceType::user()) {
                node.matches(&joy());
            }
        }
    }

    #[test]
    fn negation_and_de_morgan_hold(a in "userName|nickName|title", b in "active|emails|locale") {
        let joy = joy();
        let holds = |text: String| node(&text).matches(&joy);
        prop_assert_eq!(holds(format!("not ({a} pr and {b} pr)")), holds(format!("not ({a} pr) or not ({b} pr)")));
        prop_assert_eq!(holds(format!("not (not ({a} pr))")), holds(format!("{a} pr")));
    }
}
