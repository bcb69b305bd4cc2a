//! Every single document, letter by letter.

use crowd::attributes::{self, Owner};
use crowd::authentication::{AuthenticationContext, Password, ValidationFactors};
use crowd::session::{COOKIE_NAME, CookieConfig, Session, SessionUser};
use crowd::user::{Rename, User, UserRequest};
use crowd::webhook::Webhook;
use crowd::{Attributes, Body, Format};

use super::{assert_json, assert_xml, attributes, mira, platform, style, time};

#[test]
fn a_full_user() {
    let user = mira(attributes::NONE);
    assert_xml(
        &user.to_bytes(&style(Format::Xml)),
        r#"<user name="mira" expand="attributes">
             <link href="BASE/user?username=mira" rel="self"/>
             <first-name>Mira</first-name>
             <last-name>Solberg</last-name>
             <display-name>Mira Solberg</display-name>
             <email>mira@example.test</email>
             <password><link href="BASE/user/password?username=mira" rel="edit"/></password>
             <key>1:5b0f0f1e-6f3c-4d3b-9d2a-0f3f2b7a9c11</key>
             <created-date>2024-05-06T07:08:09.123Z</created-date>
             <updated-date>2024-06-01T10:00:00.000Z</updated-date>
             <active>true</active>
             <attributes><link href="BASE/user/attribute?username=mira" rel="self"/></attributes>
           </user>"#,
    );
    assert_json(
        &user.to_bytes(&style(Format::Json)),
        r#"{"expand": "attributes",
            "link": {"href": "BASE/user?username=mira", "rel": "self"},
            "name": "mira", "first-name": "Mira", "last-name": "Solberg",
            "display-name": "Mira Solberg", "email": "mira@example.test",
            "password": {"link": {"href": "BASE/user/password?username=mira", "rel": "edit"}},
            "key": "1:5b0f0f1e-6f3c-4d3b-9d2a-0f3f2b7a9c11",
            "created-date": 1714979289123, "updated-date": 1717236000000, "active": true,
            "attributes": {"attributes": [], "link": {"href": "BASE/user/attribute?username=mira", "rel": "self"}}}"#,
    );
}

#[test]
fn an_inactive_user_without_mail_says_so() {
    let nobody = User {
        email: "",
        first_name: "",
        active: false,
        ..mira(attributes::NONE)
    };
    let text = String::from_utf8(nobody.to_bytes(&style(Format::Xml))).unwrap();
    assert!(
        text.contains("<active>false</active>") && text.contains("<email/>"),
        "{text}"
    );
    let text = String::from_utf8(nobody.to_bytes(&style(Format::Json))).unwrap();
    assert!(
        text.contains("\"active\":false") && text.contains("\"email\":\"\""),
        "{text}"
    );
}

#[test]
fn a_user_with_attributes() {
    let list = attributes(&[("department", &["Platform"])]);
    let text = String::from_utf8(mira(&list).to_bytes(&style(Format::Xml))).unwrap();
    let href = format!("{}/user/attribute?username=mira", super::BASE);
    assert!(text.contains(&format!(
        "<attributes><link href=\"{href}\" rel=\"self\"/><attribute name=\"department\">\
         <link href=\"{href}&amp;attributename=department\" rel=\"self\"/>\
         <values><value>Platform</value></values></attribute></attributes></user>"
    )));
}

#[test]
fn a_full_group() {
    let group = platform(attributes::NONE);
    assert_xml(
        &group.to_bytes(&style(Format::Xml)),
        r#"<group name="eng-platform" expand="attributes">
             <link href="BASE/group?groupname=eng-platform" rel="self"/>
             <description>Platform engineering</description>
             <type>GROUP</type>
             <active>true</active>
             <attributes><link href="BASE/group/attribute?groupname=eng-platform" rel="self"/></attributes>
           </group>"#,
    );
    assert_json(
        &group.to_bytes(&style(Format::Json)),
        r#"{"expand": "attributes",
            "link": {"href": "BASE/group?groupname=eng-platform", "rel": "self"},
            "name": "eng-platform", "description": "Platform engineering", "type": "GROUP", "active": true,
            "attributes": {"attributes": [], "link": {"href": "BASE/group/attribute?groupname=eng-platform", "rel": "self"}}}"#,
    );
}

#[test]
fn short_forms() {
    assert_xml(
        &crowd::user::short("mira", &style(Format::Xml)),
        r#"<user name="mira"><link href="BASE/user?username=mira" rel="self"/></user>"#,
    );
    assert_json(
        &crowd::user::short("mira", &style(Format::Json)),
        r#"{"link": {"href": "BASE/user?username=mira", "rel": "self"}, "name": "mira"}"#,
    );
    assert_xml(
        &crowd::group::short("A & \"B\"", &style(Format::Xml)),
        r#"<group name="A &amp; &quot;B&quot;"><link href="BASE/group?groupname=A%20%26%20%22B%22" rel="self"/></group>"#,
    );
    assert_json(
        &crowd::group::short("A & \"B\"", &style(Format::Json)),
        r#"{"link": {"href": "BASE/group?groupname=A%20%26%20%22B%22", "rel": "self"}, "name": "A & \"B\""}"#,
    );
}

#[test]
fn attributes_as_the_root() {
    let list = attributes(&[
        ("costCenter", &["CC-7", "CC-9"]),
        ("department", &["Platform"]),
    ]);
    assert_xml(
        &attributes::to_bytes(&list, Owner::User("mira"), &style(Format::Xml)),
        r#"<attributes>
             <link href="BASE/user/attribute?username=mira" rel="self"/>
             <attribute name="costCenter">
               <link href="BASE/user/attribute?username=mira&amp;attributename=costCenter" rel="self"/>
               <values><value>CC-7</value><value>CC-9</value></values>
             </attribute>
             <attribute name="department">
               <link href="BASE/user/attribute?username=mira&amp;attributename=department" rel="self"/>
               <values><value>Platform</value></values>
             </attribute>
           </attributes>"#,
    );
    assert_json(
        &attributes::to_bytes(&list, Owner::Group("g"), &style(Format::Json)),
        r#"{"attributes": [
             {"name": "costCenter", "values": ["CC-7", "CC-9"],
              "link": {"href": "BASE/group/attribute?groupname=g&attributename=costCenter", "rel": "self"}},
             {"name": "department", "values": ["Platform"],
              "link": {"href": "BASE/group/attribute?groupname=g&attributename=department", "rel": "self"}}],
            "link": {"href": "BASE/group/attribute?groupname=g", "rel": "self"}}"#,
    );
}

#[test]
fn a_session_short_and_full() {
    let session = Session {
        token: "qGd1pDbk4b0VJ2zQm0uS5w00",
        user: SessionUser::Short("mira"),
        created: time("2024-06-01T10:00:00Z"),
        expires: time("2024-06-01T10:30:00Z"),
    };
    assert_xml(
        &session.to_bytes(&style(Format::Xml)),
        r#"<session expand="user">
             <token>qGd1pDbk4b0VJ2zQm0uS5w00</token>
             <user name="mira"><link href="BASE/user?username=mira" rel="self"/></user>
             <link href="BASE/session/qGd1pDbk4b0VJ2zQm0uS5w00" rel="self"/>
             <created-date>2024-06-01T10:00:00.000Z</created-date>
             <expiry-date>2024-06-01T10:30:00.000Z</expiry-date>
           </session>"#,
    );
    assert_json(
        &session.to_bytes(&style(Format::Json)),
        r#"{"expand": "user", "token": "qGd1pDbk4b0VJ2zQm0uS5w00",
            "user": {"link": {"href": "BASE/user?username=mira", "rel": "self"}, "name": "mira"},
            "link": {"href": "BASE/session/qGd1pDbk4b0VJ2zQm0uS5w00", "rel": "self"},
            "created-date": 1717236000000, "expiry-date": 1717237800000}"#,
    );
    let full = Session {
        user: SessionUser::Full(mira(attributes::NONE)),
        ..session
    };
    let text = String::from_utf8(full.to_bytes(&style(Format::Json))).unwrap();
    assert!(text.contains("\"email\":\"mira@example.test\""), "{text}");
}

#[test]
fn the_cookie_configuration() {
    let config = CookieConfig {
        domain: "",
        secure: true,
        name: COOKIE_NAME,
    };
    assert_xml(
        &config.to_bytes(Format::Xml),
        "<cookie-config><domain/><secure>true</secure><name>crowd.token_key</name></cookie-config>",
    );
    assert_json(
        &config.to_bytes(Format::Json),
        r#"{"domain": "", "secure": true, "name": "crowd.token_key"}"#,
    );
}

#[test]
fn documents_that_clients_send() {
    let password = Password {
        value: Some("s3cret".to_owned()),
    };
    assert_xml(
        &password.to_bytes(Format::Xml),
        "<password><value>s3cret</value></password>",
    );
    assert_json(&password.to_bytes(Format::Json), r#"{"value": "s3cret"}"#);
    assert_eq!(format!("{password:?}"), "Password(..)");

    let rename = Rename {
        new_name: "mira.solberg".to_owned(),
    };
    assert_xml(
        &rename.to_bytes(Format::Xml),
        "<rename><new-name>mira.solberg</new-name></rename>",
    );
    assert_json(
        &rename.to_bytes(Format::Json),
        r#"{"new-name": "mira.solberg"}"#,
    );

    let factors =
        ValidationFactors([("remote_address".to_owned(), "192.0.2.10".to_owned())].into());
    let context = AuthenticationContext {
        username: "mira".to_owned(),
        password,
        factors,
    };
    assert_xml(
        &context.to_bytes(Format::Xml),
        "<authentication-context><username>mira</username><password>s3cret</password>
           <validation-factors>
             <validation-factor><name>remote_address</name><value>192.0.2.10</value></validation-factor>
           </validation-factors>
         </authentication-context>",
    );
    assert_json(
        &context.to_bytes(Format::Json),
        r#"{"username": "mira", "password": "s3cret",
            "validation-factors": {"validationFactors": [{"name": "remote_address", "value": "192.0.2.10"}]}}"#,
    );

    let webhook = Webhook {
        id: Some(17),
        endpoint_url: "https://app.example.test/hook".to_owned(),
        token: Some("abc".to_owned()),
    };
    assert_xml(
        &webhook.to_bytes(Format::Xml),
        "<webhook><id>17</id><endpointUrl>https://app.example.test/hook</endpointUrl><token>abc</token></webhook>",
    );
    assert_json(
        &webhook.to_bytes(Format::Json),
        r#"{"id": 17, "endpointUrl": "https://app.example.test/hook", "token": "abc"}"#,
    );
}

#[test]
fn what_is_written_is_read_again() {
    let user = UserRequest {
        first_name: Some("Mira & Co".to_owned()),
        email: Some(String::new()),
        active: Some(false),
        password: Some(" s3c<ret ".to_owned()),
        attributes: Some(attributes(&[("a", &["1", "2"]), ("gone", &[])])),
        ..UserRequest::named("mi\"ra")
    };
    for format in [Format::Xml, Format::Json] {
        assert_eq!(
            UserRequest::read(&user.to_bytes(format), None).unwrap(),
            user
        );
        let list = attributes(&[("a", &["1"]), ("gone", &[])]);
        assert_eq!(
            Attributes::read(&list.to_bytes(format), None).unwrap(),
            list
        );
    }
}
