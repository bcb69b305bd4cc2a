//! What real clients send, and what must not come in.

use crowd::authentication::{AuthenticationContext, Password, ValidationFactors};
use crowd::group::GroupRequest;
use crowd::user::{Rename, UserRequest};
use crowd::webhook::Webhook;
use crowd::{Attributes, Body, CrowdError, Reason, Restriction};
use proptest::prelude::*;

use super::attributes;

fn read<T: Body>(body: &str) -> T {
    T::read(body.as_bytes(), None).unwrap()
}

fn refused<T: Body>(body: &str) -> CrowdError {
    match T::read(body.as_bytes(), None) {
        Ok(_) => panic!("this was read: {body}"),
        Err(error) => {
            assert_eq!(
                (error.status, error.reason),
                (400, Reason::IllegalArgument),
                "{body}"
            );
            error
        }
    }
}

#[test]
fn a_membership_call_needs_only_a_name() {
    let user: UserRequest = read(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n\
         <user name=\"o'neil &lt;ops&gt;\"><active>false</active></user>",
    );
    assert_eq!(user.name, "o'neil <ops>");
    assert_eq!(
        read::<UserRequest>("{\"name\":\"mira\"}"),
        UserRequest::named("mira")
    );
    assert_eq!(
        read::<GroupRequest>("<whatever name='g'/>"),
        GroupRequest::named("g")
    );
    assert_eq!(
        read::<GroupRequest>("{\"name\":\"g\",\"type\":\"GROUP\"}"),
        GroupRequest::named("g")
    );
    for body in [
        "<user/>",
        "<user name=''/>",
        "{}",
        "{\"name\":null}",
        "{\"name\":{}}",
        "[]",
        "null",
        "",
    ] {
        refused::<UserRequest>(body);
        refused::<GroupRequest>(body);
    }
}

#[test]
fn an_answer_that_is_sent_back_changes_nothing_it_should_not() {
    let user: UserRequest = read(
        r#"{"expand": "attributes", "link": {"href": "https://x", "rel": "self"}, "name": "mira",
            "first-name": "Mira", "last-name": "Solberg", "display-name": "M", "email": "m@example.test",
            "password": {"link": {"href": "https://x", "rel": "edit"}}, "key": "1:other",
            "created-date": 1, "active": true,
            "attributes": {"attributes": [], "link": {"href": "https://x", "rel": "self"}}}"#,
    );
    assert_eq!(user.password, None);
    assert!(!user.encrypted_password);
    assert_eq!(user.active, Some(true));
    assert_eq!(user.attributes, Some(Attributes::new()));
}

#[test]
fn active_in_all_its_spellings() {
    for (text, active) in [
        ("true", Some(true)),
        ("\"true\"", Some(true)),
        ("false", Some(false)),
        ("\"False\"", Some(false)),
        ("null", None),
        ("\"\"", None),
    ] {
        let user: UserRequest = read(&format!("{{\"name\":\"m\",\"active\":{text}}}"));
        assert_eq!(user.active, active, "{text}");
    }
    assert_eq!(read::<UserRequest>("<user name='m'/>").active, None);
    assert_eq!(
        read::<UserRequest>("<user name='m'><active> TRUE </active></user>").active,
        Some(true)
    );
    refused::<UserRequest>("{\"name\":\"m\",\"active\":\"yes\"}");
    refused::<UserRequest>("{\"name\":\"m\",\"active\":[true]}");
}

#[test]
fn order_neighbours_and_namespaces_do_not_matter() {
    let user: UserRequest = read(
        "<u:user xmlns:u='urn:x' odd='1' name='mira'><email>a@b</email><nonsense><email>no</email></nonsense>\
         <password><other/><value>p w</value></password><first-name>M</first-name>\
         <attributes><attribute name='x'><values><value>1</value><value>1</value></values></attribute></attributes></u:user>",
    );
    assert_eq!(user.email.as_deref(), Some("a@b"));
    assert_eq!(user.first_name.as_deref(), Some("M"));
    assert_eq!(user.password.as_deref(), Some("p w"));
    assert_eq!(user.attributes, Some(attributes(&[("x", &["1"])])));
}

#[test]
fn an_encrypted_password_is_noticed() {
    let xml =
        "<user name='m'><encrypted-password><value>{PKCS5S2}x</value></encrypted-password></user>";
    assert!(read::<UserRequest>(xml).encrypted_password);
    assert!(
        read::<UserRequest>("{\"name\":\"m\",\"encrypted-password\":{\"value\":\"x\"}}")
            .encrypted_password
    );
}

#[test]
fn attributes_in_both_json_spellings() {
    let expected = attributes(&[("a", &["1", "true"]), ("b", &["x"]), ("c", &[])]);
    for member in ["attributes", "attribute"] {
        let body = format!(
            r#"{{"{member}": [{{"name": "a", "values": ["1", true, null]}}, {{"name": "b", "values": "x"}},
                {{"name": "c", "values": []}}]}}"#
        );
        assert_eq!(read::<Attributes>(&body), expected);
    }
    let xml = "<attributes><attribute name='a'><values><value>1</value><value>true</value></values></attribute>\
               <attribute name='b'><link href=''/><values><value>x</value></values></attribute>\
               <attribute name='c'/></attributes>";
    assert_eq!(read::<Attributes>(xml), expected);
    for body in [
        "{\"attributes\":[{\"values\":[]}]}",
        "{\"attributes\":\"x\"}",
        "\"x\"",
        "<a><attribute/></a>",
        "",
    ] {
        refused::<Attributes>(body);
    }
    assert_eq!(read::<Attributes>("{}"), Attributes::new());
}

#[test]
fn attribute_lengths_at_and_above_the_limit() {
    let fits = "ü".repeat(255);
    let list = attributes(&[(&fits, &[&fits])]);
    assert!(crowd::attributes::check_lengths(&list).is_ok());
    let long = "ü".repeat(256);
    for list in [attributes(&[(&long, &[])]), attributes(&[("a", &[&long])])] {
        assert!(crowd::attributes::check_lengths(&list).is_err());
    }
}

#[test]
fn passwords() {
    for (body, value) in [
        (
            "<password><value> s3cret </value></password>",
            Some(" s3cret "),
        ),
        ("<password><value/></password>", Some("")),
        ("<password/>", None),
        ("{\"value\":\"s3cret\"}", Some("s3cret")),
        ("{\"value\":null}", None),
        ("{}", None),
        ("", None),
        ("<password><value>a<!-- -->b</value></password>", Some("ab")),
    ] {
        assert_eq!(read::<Password>(body).value.as_deref(), value, "{body}");
    }
}

#[test]
fn spellings_of_other_clients() {
    assert_eq!(read::<Rename>("{\"newName\":\"n\"}").new_name, "n");
    assert_eq!(
        read::<Rename>("<x><new-name>n</new-name></x>").new_name,
        "n"
    );
    refused::<Rename>("<rename/>");
    let context: AuthenticationContext = read(
        r#"{"userName": "mira", "password": "p", "validation-factors": {"validation-factor": [{"name": "n", "value": "v"}]}}"#,
    );
    assert_eq!(context.username, "mira");
    assert_eq!(context.password.value.as_deref(), Some("p"));
    assert_eq!(
        context.factors,
        ValidationFactors([("n".to_owned(), "v".to_owned())].into())
    );
    let context: AuthenticationContext = read(
        "<authentication-context><username>mira</username><password>p</password></authentication-context>",
    );
    assert_eq!(context.factors, ValidationFactors::default());
    refused::<AuthenticationContext>("{\"password\":\"p\"}");
    for body in [
        "",
        "{}",
        "<validation-factors/>",
        "{\"validationFactors\":[]}",
    ] {
        assert_eq!(
            read::<ValidationFactors>(body),
            ValidationFactors::default(),
            "{body}"
        );
    }
    let order = "{\"validationFactors\":[{\"name\":\"b\",\"value\":\"2\"},{\"name\":\"a\",\"value\":\"1\"}]}";
    let other = "{\"validationFactors\":[{\"name\":\"a\",\"value\":\"1\"},{\"name\":\"b\",\"value\":\"2\"},{\"name\":\"b\",\"value\":\"2\"}]}";
    assert_eq!(
        read::<ValidationFactors>(order),
        read::<ValidationFactors>(other)
    );
    let webhook: Webhook = read("<webhook><endpointUrl>https://x</endpointUrl></webhook>");
    assert_eq!((webhook.id, webhook.token), (None, None));
    refused::<Webhook>("{\"id\":\"x\",\"endpointUrl\":\"https://x\"}");
    refused::<Webhook>("{}");
}

#[test]
fn the_header_outranks_the_look_of_a_body() {
    assert!(Password::read(b"{\"value\":\"x\"}", Some("application/xml; charset=UTF-8")).is_err());
    assert!(
        Password::read(
            b"{\"value\":\"x\"}",
            Some("application/json; charset=utf-8")
        )
        .is_ok()
    );
    assert!(
        Password::read(
            b"{\"value\":\"x\"}",
            Some("application/x-www-form-urlencoded")
        )
        .is_ok()
    );
    assert!(Password::read(b"  ", Some("application/json")).is_ok());
}

#[test]
fn a_doctype_is_refused_in_every_document() {
    let body = "<!DOCTYPE x><x name='a'><value>1</value><new-name>n</new-name><username>u</username><endpointUrl>e</endpointUrl></x>";
    refused::<UserRequest>(body);
    refused::<GroupRequest>(body);
    refused::<Password>(body);
    refused::<Rename>(body);
    refused::<AuthenticationContext>(body);
    refused::<Attributes>(body);
    refused::<Restriction>(body);
    refused::<Webhook>(body);
}

fn read_all(body: &[u8], kind: Option<&str>) {
    let _ = UserRequest::read(body, kind);
    let _ = GroupRequest::read(body, kind);
    let _ = Attributes::read(body, kind);
    let _ = Password::read(body, kind);
    let _ = Rename::read(body, kind);
    let _ = AuthenticationContext::read(body, kind);
    let _ = ValidationFactors::read(body, kind);
    let _ = Webhook::read(body, kind);
    let _ = Restriction::read(body, kind);
}

proptest! {
    #[test]
    fn no_body_makes_a_reader_panic(body in proptest::collection::vec(any::<u8>(), 0..300), kind in ".{0,20}") {
        read_all(&body, None);
        read_all(&body, Some(&kind));
    }

    #[test]
    fn no_document_of_known_words_makes_a_reader_panic(
        words in proptest::collection::vec(
            prop::sample::select(vec![
                "{", "}", "[", "]", ":", ",", "\"name\"", "\"property\"", "\"restrictions\"", "\"values\"",
                "\"attributes\"", "null", "true", "\"value\"", "\"and\"", "1", "\"restriction-type\"",
            ]),
            0..40,
        ),
    ) {
        read_all(words.concat().as_bytes(), None);
    }

    #[test]
    fn every_request_user_comes_back(
        name in "[^\u{0}-\u{1f}\u{fffe}\u{ffff}]{1,20}",
        password in proptest::option::of("[^\u{0}-\u{1f}\u{fffe}\u{ffff}]{1,20}"),
        active: Option<bool>,
    ) {
        let user = UserRequest { password, active, ..UserRequest::named(name) };
        for format in [crowd::Format::Xml, crowd::Format::Json] {
            prop_assert_eq!(&UserRequest::read(&user.to_bytes(format), None).unwrap(), &user);
        }
    }
}
