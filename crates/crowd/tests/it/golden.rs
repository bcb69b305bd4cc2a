//! Every document of the protocol as it goes over the wire, in both formats: what we write, and what we make of
//! what clients send. A change of any of these files is a change that products see.

use std::fmt::Debug;

use crowd::attributes::{self, Owner};
use crowd::authentication::{AuthenticationContext, Password, ValidationFactors};
use crowd::event::{Events, Operation};
use crowd::group::{self, GroupRequest};
use crowd::list::{GroupList, UserList};
use crowd::membership::Memberships;
use crowd::session::{COOKIE_NAME, CookieConfig, Session, SessionUser};
use crowd::user::{self, Rename, UserRequest};
use crowd::webhook::Webhook;
use crowd::{Attributes, Body, CrowdError, EventToken, Format, MatchMode, Reason, Restriction};

use super::{attributes, mira, platform, style, time};

const BOTH: [Format; 2] = [Format::Xml, Format::Json];

/// A document in lines: one element or member in each.
fn lines(format: Format, document: &[u8]) -> String {
    let text = std::str::from_utf8(document).unwrap();
    match format {
        Format::Xml => text.replace("><", ">\n<"),
        Format::Json => {
            let value: serde_json::Value = serde_json::from_str(text).unwrap();
            serde_json::to_string_pretty(&value).unwrap()
        }
    }
}

/// What we write.
#[track_caller]
fn written(name: &str, write: impl Fn(Format) -> Vec<u8>) {
    let texts = BOTH.map(|format| lines(format, &write(format)));
    insta::assert_snapshot!(format!("answer_{name}"), texts.join("\n\n"));
}

/// What clients send: written in both formats, each is read back as the same.
#[track_caller]
fn exchanged<T: Body + Debug + PartialEq>(name: &str, document: &T) {
    let texts = BOTH.map(|format| {
        let bytes = document.to_bytes(format);
        assert_eq!(&T::read(&bytes, None).unwrap(), document);
        lines(format, &bytes)
    });
    insta::assert_snapshot!(format!("request_{name}"), texts.join("\n\n"));
}

/// What clients send in their own ways, and what it means.
#[track_caller]
fn understood<T: Body + Debug>(name: &str, texts: &[&str]) {
    let told = texts.iter().map(|text| {
        let read = T::read(text.as_bytes(), None);
        match read {
            Ok(document) => format!("{text}\n=> {document:#?}"),
            Err(error) => format!("{text}\n=> refused with {}: {error}", error.status),
        }
    });
    let told: Vec<String> = told.collect();
    insta::assert_snapshot!(format!("lenient_{name}"), told.join("\n\n"));
}

fn departments() -> Attributes {
    attributes(&[
        ("costCenter", &["CC-7", "CC-9"]),
        ("department", &["R & D <lab>"]),
    ])
}

#[test]
fn users() {
    let list = departments();
    written("user", |format| {
        mira(attributes::NONE).to_bytes(&style(format))
    });
    written("user_with_attributes", |format| {
        mira(&list).to_bytes(&style(format))
    });
    written("user_short", |format| {
        user::short("o'neil+ops@example.test", &style(format))
    });
    written("user_attributes", |format| {
        attributes::to_bytes(&list, Owner::User("mira"), &style(format))
    });
}

#[test]
fn groups() {
    let list = departments();
    written("group", |format| {
        platform(attributes::NONE).to_bytes(&style(format))
    });
    written("group_with_attributes", |format| {
        platform(&list).to_bytes(&style(format))
    });
    written("group_short", |format| {
        group::short("Eng Team & Co", &style(format))
    });
    written("group_attributes", |format| {
        attributes::to_bytes(&list, Owner::Group("eng"), &style(format))
    });
}

#[test]
fn lists() {
    let list = departments();
    written("users", |format| {
        let mut users = UserList::new(Vec::new(), style(format)).unwrap();
        users.push(&mira(&list)).unwrap();
        users.push_name("jon").unwrap();
        users.finish().unwrap()
    });
    written("users_lean", |format| {
        let mut users = UserList::new(Vec::new(), style(format).lean()).unwrap();
        users.push(&mira(attributes::NONE)).unwrap();
        users.finish().unwrap()
    });
    written("users_none", |format| {
        let users = UserList::new(Vec::new(), style(format)).unwrap();
        users.finish().unwrap()
    });
    written("groups", |format| {
        let mut groups = GroupList::new(Vec::new(), style(format)).unwrap();
        groups.push(&platform(attributes::NONE)).unwrap();
        groups.push_name("empty").unwrap();
        groups.finish().unwrap()
    });
    written("groups_none", |format| {
        let groups = GroupList::new(Vec::new(), style(format)).unwrap();
        groups.finish().unwrap()
    });
}

#[test]
fn memberships_are_xml_whatever_is_asked_for() {
    let mut memberships = Memberships::new(Vec::new()).unwrap();
    memberships.group("all-staff").unwrap();
    memberships.user("jon").unwrap();
    memberships.child_group("eng-platform").unwrap();
    memberships.group("empty").unwrap();
    let document = memberships.finish().unwrap();
    insta::assert_snapshot!("answer_memberships", lines(Format::Xml, &document));
}

#[test]
fn events() {
    let token = EventToken {
        store: "8f2c".to_owned(),
        sequences: vec![1042],
    };
    let list = departments();
    written("events_none", |format| {
        let events = Events::new(Vec::new(), style(format), &token, true).unwrap();
        events.finish().unwrap()
    });
    written("events_unavailable", |format| {
        let events = Events::new(Vec::new(), style(format), &token, false).unwrap();
        events.finish().unwrap()
    });
    written("events", |format| {
        let mut events = Events::new(Vec::new(), style(format), &token, true).unwrap();
        events.group_deleted("old-group").unwrap();
        events.user_deleted("old.user").unwrap();
        events
            .group(Operation::Updated, &platform(attributes::NONE), &[])
            .unwrap();
        events
            .user(Operation::Created, &mira(&list), &["gone"])
            .unwrap();
        events
            .user_membership(Operation::Updated, "mira", ["eng-platform", "all-staff"])
            .unwrap();
        events
            .group_membership(Operation::Updated, "eng-platform", ["all-staff"], [])
            .unwrap();
        events.finish().unwrap()
    });
}

#[test]
fn sessions() {
    let session = |user| Session {
        token: "qGd1pDbk4b0VJ2zQm0uS5w00",
        user,
        created: time("2024-06-01T10:00:00Z"),
        expires: time("2024-06-01T10:30:00Z"),
    };
    written("session", |format| {
        session(SessionUser::Short("mira")).to_bytes(&style(format))
    });
    written("session_with_user", |format| {
        session(SessionUser::Full(mira(attributes::NONE))).to_bytes(&style(format))
    });
    written("cookie_config", |format| {
        let cookie = CookieConfig {
            domain: ".example.test",
            secure: true,
            name: COOKIE_NAME,
        };
        cookie.to_bytes(format)
    });
    written("cookie_config_without_domain", |format| {
        let cookie = CookieConfig {
            domain: "",
            secure: false,
            name: COOKIE_NAME,
        };
        cookie.to_bytes(format)
    });
}

#[test]
fn every_reason_in_both_formats() {
    let all = Reason::ALL.iter().map(|reason| {
        let error = CrowdError::new(*reason, "What was wrong with <this>, and what to do.");
        let texts = BOTH.map(|format| lines(format, &error.to_bytes(format)));
        format!("{} {}", error.status, texts.join("\n"))
    });
    let all: Vec<String> = all.collect();
    insta::assert_snapshot!("answer_errors", all.join("\n\n"));
}

#[test]
fn bodies_of_requests() {
    exchanged(
        "password",
        &Password {
            value: Some("s3cret & <more>".into()),
        },
    );
    exchanged("password_none", &Password::default());
    let factors = ValidationFactors(
        [
            ("remote_address".to_owned(), "192.0.2.10".to_owned()),
            ("X-Forwarded-For".to_owned(), "10.0.0.1".to_owned()),
        ]
        .into(),
    );
    exchanged("validation_factors", &factors);
    exchanged("validation_factors_none", &ValidationFactors::default());
    exchanged(
        "authentication_context",
        &AuthenticationContext {
            username: "mira".into(),
            password: Password {
                value: Some("s3cret".into()),
            },
            factors,
        },
    );
    exchanged(
        "rename",
        &Rename {
            new_name: "mira.solberg".into(),
        },
    );
    exchanged(
        "user",
        &UserRequest {
            name: "mira".into(),
            first_name: Some("Mira".into()),
            last_name: Some("Solberg".into()),
            display_name: Some("Mira Solberg".into()),
            email: Some("mira@example.test".into()),
            active: Some(true),
            password: Some("s3cret".into()),
            encrypted_password: false,
            attributes: Some(departments()),
        },
    );
    exchanged("user_name", &UserRequest::named("mira"));
    exchanged(
        "group",
        &GroupRequest {
            name: "eng-platform".into(),
            description: Some("Platform engineering".into()),
            active: Some(true),
            attributes: None,
        },
    );
    exchanged("group_name", &GroupRequest::named("eng-platform"));
    exchanged("attributes", &departments());
    exchanged(
        "webhook",
        &Webhook {
            id: Some(17),
            endpoint_url: "https://app.example.test/hook".into(),
            token: Some("abc".into()),
        },
    );
    let email = Restriction::test("email", MatchMode::ExactlyMatches, "mira@example.test");
    exchanged("restriction_none", &Restriction::Everything);
    exchanged("restriction", &email);
    exchanged(
        "restriction_null",
        &Restriction::test("name", MatchMode::Null, ""),
    );
    exchanged(
        "restriction_boolean",
        &Restriction::And(vec![
            email,
            Restriction::Or(vec![
                Restriction::test("active", MatchMode::ExactlyMatches, "true"),
                Restriction::test("createdDate", MatchMode::GreaterThan, "2023-12"),
            ]),
        ]),
    );
}

#[test]
fn bodies_as_widely_used_clients_write_them() {
    understood::<AuthenticationContext>(
        "authentication_context",
        &[
            r#"{"username": "mira", "password": "p", "validation-factors": {"validationFactors": [{"name": "a", "value": "b"}]}}"#,
            r#"{"userName": "mira", "password": "p", "validationFactors": {"validation-factor": [{"name": "a", "value": "b"}]}}"#,
            r#"{"username": "mira", "validation-factors": {}}"#,
            "<authentication-context><password>p</password><userName>mira</userName></authentication-context>",
            "{}",
            "",
        ],
    );
    understood::<ValidationFactors>(
        "validation_factors",
        &[
            "",
            "{}",
            r#"{"validationFactors": [{"name": "a", "value": "b"}, {"name": "a", "value": "b"}]}"#,
            r#"[{"name": "a", "value": "b"}]"#,
            "<validation-factors/>",
        ],
    );
    understood::<Rename>(
        "rename",
        &[
            r#"{"new-name": "m"}"#,
            r#"{"newName": "m"}"#,
            "<rename><newName>m</newName></rename>",
            "<new-name>m</new-name>",
        ],
    );
    understood::<UserRequest>(
        "user",
        &[
            r#"{"name": "m", "active": "false", "password": {"link": {"href": "x", "rel": "edit"}}, "key": "1:x", "expand": "attributes",
            "attributes": {"attributes": [{"name": "a", "values": ["b"]}], "link": {}}}"#,
            r#"{"name": "m", "active": null, "attributes": {"attribute": [{"name": "a", "values": ["b"]}]}}"#,
            r#"{"name": "m", "firstName": "M", "displayName": "M", "encrypted-password": {"value": "x"}}"#,
            r#"<user name="m"><unknown x="y"/><active>false</active><email/></user>"#,
            r#"{"name": "m", "active": "maybe"}"#,
        ],
    );
    understood::<Webhook>(
        "webhook",
        &[
            r#"{"endpointUrl": "https://a", "applicationId": 3}"#,
            r#"{"endpoint-url": "https://a", "token": null}"#,
            "<webhook><endpointUrl>https://a</endpointUrl><token/></webhook>",
            "<webhook/>",
        ],
    );
    understood::<Restriction>(
        "restriction",
        &[
            "",
            "{}",
            "<null-search-restriction/>",
            r#"{"restriction-type": "property-search-restriction", "property": {"name": "email"}, "matchMode": "contains", "value": "x"}"#,
            "<property-search-restriction><match-mode>NULL</match-mode><property><name>name</name><type>STRING</type></property></property-search-restriction>",
            r#"<boolean-search-restriction boolean-logic="AND"><restrictions/></boolean-search-restriction>"#,
            "<property-search-restriction><property><name>a</name></property><match-mode>LIKE</match-mode></property-search-restriction>",
        ],
    );
}
