//! Long answers: their shape, their size in memory, and that a broken one never looks whole.

use std::io::{self, Write};

use crowd::answer::{self, Event};
use crowd::event::{Events, Operation};
use crowd::limits::CHUNK_BYTES;
use crowd::list::{GroupList, UserList};
use crowd::membership::Memberships;
use crowd::{EventToken, Format, Reason};
use proptest::prelude::*;

use super::{assert_json, assert_xml, attributes, mira, platform, style};

const NONE: &crowd::Attributes = crowd::attributes::NONE;

fn token(sequence: u64) -> EventToken {
    EventToken {
        store: "8f2c".to_owned(),
        sequences: vec![sequence],
    }
}

#[test]
fn empty_lists() {
    let users = |format| {
        UserList::new(Vec::new(), style(format))
            .unwrap()
            .finish()
            .unwrap()
    };
    assert_xml(&users(Format::Xml), "<users expand=\"user\"/>");
    assert_json(&users(Format::Json), r#"{"expand": "user", "users": []}"#);
    let groups = |format| {
        GroupList::new(Vec::new(), style(format))
            .unwrap()
            .finish()
            .unwrap()
    };
    assert_xml(&groups(Format::Xml), "<groups expand=\"group\"/>");
    assert_json(
        &groups(Format::Json),
        r#"{"expand": "group", "groups": []}"#,
    );
}

#[test]
fn short_lists() {
    let write = |format| {
        let mut list = UserList::new(Vec::new(), style(format)).unwrap();
        list.push_name("jon").unwrap();
        list.push_name("mira").unwrap();
        list.finish().unwrap()
    };
    assert_xml(
        &write(Format::Xml),
        r#"<users expand="user"><user name="jon"><link href="BASE/user?username=jon" rel="self"/></user>
           <user name="mira"><link href="BASE/user?username=mira" rel="self"/></user></users>"#,
    );
    assert_json(
        &write(Format::Json),
        r#"{"expand": "user", "users": [
             {"link": {"href": "BASE/user?username=jon", "rel": "self"}, "name": "jon"},
             {"link": {"href": "BASE/user?username=mira", "rel": "self"}, "name": "mira"}]}"#,
    );
}

#[test]
fn a_lean_full_synchronisation() {
    let lean = style(Format::Xml).lean();
    let mut users = UserList::new(Vec::new(), lean.clone()).unwrap();
    users.push(&mira(NONE)).unwrap();
    assert_xml(
        &users.finish().unwrap(),
        r#"<users expand="user"><user name="mira" expand="attributes"><first-name>Mira</first-name>
           <last-name>Solberg</last-name><display-name>Mira Solberg</display-name><email>mira@example.test</email>
           <key>1:5b0f0f1e-6f3c-4d3b-9d2a-0f3f2b7a9c11</key><created-date>2024-05-06T07:08:09.123Z</created-date>
           <updated-date>2024-06-01T10:00:00.000Z</updated-date><active>true</active><attributes/></user></users>"#,
    );
    let list = attributes(&[("department", &["Platform"])]);
    let mut groups = GroupList::new(Vec::new(), lean).unwrap();
    groups.push(&platform(&list)).unwrap();
    assert_xml(
        &groups.finish().unwrap(),
        r#"<groups expand="group"><group name="eng-platform" expand="attributes"><description>Platform engineering</description>
           <type>GROUP</type><active>true</active><attributes><attribute name="department"><values><value>Platform</value></values>
           </attribute></attributes></group></groups>"#,
    );
}

#[test]
fn json_lists_and_plain_xml_lists_keep_their_links() {
    for style in [style(Format::Json).lean(), style(Format::Xml)] {
        let mut list = UserList::new(Vec::new(), style.clone()).unwrap();
        list.push(&mira(NONE)).unwrap();
        let text = String::from_utf8(list.finish().unwrap()).unwrap();
        let alone = String::from_utf8(mira(NONE).to_bytes(&style)).unwrap();
        let alone = alone
            .split_once("?>\n")
            .map_or(alone.as_str(), |(_, document)| document);
        assert!(text.contains(alone), "{text}");
    }
}

#[test]
fn memberships() {
    let mut memberships = Memberships::new(Vec::new()).unwrap();
    memberships.group("all-staff").unwrap();
    memberships.user("jon").unwrap();
    memberships.user("a<b").unwrap();
    memberships.child_group("eng-platform").unwrap();
    memberships.child_group("two").unwrap();
    memberships.group("empty").unwrap();
    memberships.group("only \"groups\"").unwrap();
    memberships.child_group("x").unwrap();
    memberships.group("eng-platform").unwrap();
    memberships.user("mira").unwrap();
    assert_xml(
        &memberships.finish().unwrap(),
        r#"<memberships>
             <membership group="all-staff"><users><user name="jon"/><user name="a&lt;b"/></users>
               <groups><group name="eng-platform"/><group name="two"/></groups></membership>
             <membership group="empty"><users/><groups/></membership>
             <membership group="only &quot;groups&quot;"><users/><groups><group name="x"/></groups></membership>
             <membership group="eng-platform"><users><user name="mira"/></users><groups/></membership>
           </memberships>"#,
    );
    assert_xml(
        &Memberships::new(Vec::new()).unwrap().finish().unwrap(),
        "<memberships></memberships>",
    );
}

#[test]
fn a_member_out_of_place_is_an_error() {
    assert!(Memberships::new(Vec::new()).unwrap().user("x").is_err());
    assert!(
        Memberships::new(Vec::new())
            .unwrap()
            .child_group("x")
            .is_err()
    );
    let mut memberships = Memberships::new(Vec::new()).unwrap();
    memberships.group("g").unwrap();
    memberships.child_group("c").unwrap();
    assert!(memberships.user("x").is_err());
}

fn write_events(format: Format) -> Vec<u8> {
    let list = attributes(&[("department", &["Platform"])]);
    let mut events = Events::new(Vec::new(), style(format), &token(1044), true).unwrap();
    events.group_deleted("old").unwrap();
    events.user_deleted("old.user").unwrap();
    events
        .group(Operation::Updated, &platform(NONE), &[])
        .unwrap();
    events
        .user(Operation::Created, &mira(&list), &["gone"])
        .unwrap();
    events
        .user_membership(Operation::Updated, "mira", ["eng-platform", "all"])
        .unwrap();
    events
        .user_membership(Operation::Updated, "jon", [])
        .unwrap();
    events
        .group_membership(Operation::Deleted, "eng-platform", ["all"], [])
        .unwrap();
    events.finish().unwrap()
}

#[test]
fn events_in_xml() {
    assert_xml(
        &write_events(Format::Xml),
        r#"<events newEventToken="8f2c:1044" incrementalSynchronisationAvailable="true">
             <groupEvent><operation>DELETED</operation><group name="old"/><storedAttributes/><deletedAttributes/></groupEvent>
             <userEvent><operation>DELETED</operation><user name="old.user"/></userEvent>
             <groupEvent><operation>UPDATED</operation>
               <group name="eng-platform" expand="attributes"><description>Platform engineering</description><type>GROUP</type>
               <active>true</active><attributes/></group><storedAttributes/><deletedAttributes/></groupEvent>
             <userEvent><operation>CREATED</operation>
               <user name="mira" expand="attributes"><first-name>Mira</first-name><last-name>Solberg</last-name>
               <display-name>Mira Solberg</display-name><email>mira@example.test</email>
               <key>1:5b0f0f1e-6f3c-4d3b-9d2a-0f3f2b7a9c11</key><created-date>2024-05-06T07:08:09.123Z</created-date>
               <updated-date>2024-06-01T10:00:00.000Z</updated-date><active>true</active><attributes/></user>
               <storedAttributes><attribute name="department"><values><value>Platform</value></values></attribute></storedAttributes>
               <deletedAttributes><attribute name="gone"><values/></attribute></deletedAttributes></userEvent>
             <userMembershipEvent><operation>UPDATED</operation><childUser name="mira"/>
               <parentGroups><group name="eng-platform"/><group name="all"/></parentGroups></userMembershipEvent>
             <userMembershipEvent><operation>UPDATED</operation><childUser name="jon"/><parentGroups/></userMembershipEvent>
             <groupMembershipEvent><operation>DELETED</operation><group name="eng-platform"/>
               <parentGroups><group name="all"/></parentGroups><childGroups/></groupMembershipEvent>
           </events>"#,
    );
    let none = |available| {
        Events::new(Vec::new(), style(Format::Xml), &token(7), available)
            .unwrap()
            .finish()
            .unwrap()
    };
    assert_xml(
        &none(true),
        "<events newEventToken=\"8f2c:7\" incrementalSynchronisationAvailable=\"true\"/>",
    );
    assert_xml(
        &none(false),
        "<events newEventToken=\"8f2c:7\" incrementalSynchronisationAvailable=\"false\"/>",
    );
}

#[test]
fn events_in_json() {
    let read: serde_json::Value = serde_json::from_slice(&write_events(Format::Json)).unwrap();
    assert_eq!(read["newEventToken"], "8f2c:1044");
    assert_eq!(read["incrementalSynchronisationAvailable"], true);
    assert_eq!(read["events"].as_array().unwrap().len(), 7);
    assert_eq!(
        read["events"][3]["userEvent"]["user"]["email"],
        "mira@example.test"
    );
    assert_eq!(
        read["events"][3]["userEvent"]["storedAttributes"]["attributes"][0]["name"],
        "department"
    );
    assert_eq!(
        read["events"][4]["userMembershipEvent"]["parentGroups"][1]["name"],
        "all"
    );
    let none = Events::new(Vec::new(), style(Format::Json), &token(7), false)
        .unwrap()
        .finish()
        .unwrap();
    assert_json(
        &none,
        r#"{"newEventToken": "8f2c:7", "incrementalSynchronisationAvailable": false, "events": []}"#,
    );
}

#[test]
fn a_product_reads_the_events() {
    let mut events = Vec::new();
    let feed = answer::events(&write_events(Format::Xml), |event| events.push(event)).unwrap();
    assert_eq!(
        (feed.token.as_deref(), feed.incremental),
        (Some("8f2c:1044"), true)
    );
    assert_eq!(events.len(), 7);
    assert!(
        matches!(&events[1], Event::User { operation: Operation::Deleted, user, .. } if user.name == "old.user")
    );
    assert!(
        matches!(&events[2], Event::Group { group, .. } if group.active && group.kind == "GROUP")
    );
    assert!(
        matches!(&events[3], Event::User { user, stored, .. } if user.active && stored["department"] == ["Platform"])
    );
    assert!(
        matches!(&events[4], Event::UserMembership { parents, .. } if parents == &["eng-platform", "all"])
    );
    let odd = b"<events newEventToken='a:1'><aliasEvent><operation>CREATED</operation></aliasEvent></events>";
    assert!(answer::events(odd, |_| {}).is_err());
}

#[test]
fn tokens() {
    let several: [(&str, &str, &[u64]); 4] = [
        ("8f2c:1042", "8f2c", &[1042]),
        ("a-b_c.d:0", "a-b_c.d", &[0]),
        ("x:18446744073709551615", "x", &[u64::MAX]),
        ("x.1-2:7.0.9", "x.1-2", &[7, 0, 9]),
    ];
    for (text, store, sequences) in several {
        let token = EventToken::parse(text).unwrap();
        assert_eq!(
            (token.store.as_str(), token.sequences.as_slice()),
            (store, sequences)
        );
        assert_eq!(token.to_string(), text);
    }
    for text in [
        "",
        ":",
        "8f2c",
        "8f2c:",
        ":1",
        "a:b",
        "a:-1",
        "a:+1",
        "a:01",
        "a:1 ",
        "a:1.",
        "a:.1",
        "a:1..2",
        "a:1.02",
        "a b:1",
        "a:18446744073709551616",
        "a/../b:1",
        "ü:1",
    ] {
        let error = EventToken::parse(text).unwrap_err();
        assert_eq!(
            (error.status, error.reason),
            (410, Reason::EventTokenExpired),
            "{text}"
        );
    }
}

/// Remembers how large its pieces were.
#[derive(Default)]
struct Sizes {
    largest: usize,
    total: usize,
}

impl Write for Sizes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.largest = self.largest.max(bytes.len());
        self.total += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn memory_stays_flat_however_long_the_answer() {
    let mut users = UserList::new(Sizes::default(), style(Format::Xml).lean()).unwrap();
    let mut memberships = Memberships::new(Sizes::default()).unwrap();
    memberships.group("one large group").unwrap();
    for _ in 0..20_000 {
        users.push(&mira(NONE)).unwrap();
        memberships.user("mira").unwrap();
    }
    for sizes in [users.finish().unwrap(), memberships.finish().unwrap()] {
        assert!(sizes.total > 5 * CHUNK_BYTES);
        assert!(sizes.largest < CHUNK_BYTES + 4096, "{}", sizes.largest);
    }
}

/// Takes some bytes, then fails, as a closed connection does.
struct Closing(usize);

impl Write for Closing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self
            .0
            .checked_sub(bytes.len())
            .ok_or_else(|| io::Error::other("closed"))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_closed_connection_stops_the_writer() {
    let mut users = UserList::new(Closing(CHUNK_BYTES * 3), style(Format::Xml)).unwrap();
    assert!((0..10_000).any(|_| users.push(&mira(NONE)).is_err()));
}

#[test]
fn what_was_not_finished_reads_as_broken() {
    let mut sent = Vec::new();
    {
        let mut users = UserList::new(&mut sent, style(Format::Xml)).unwrap();
        for _ in 0..1_000 {
            users.push(&mira(NONE)).unwrap();
        }
    }
    assert!(sent.len() > CHUNK_BYTES);
    assert!(answer::users(&sent, |_| {}).is_err());
    assert!(answer::users(b"<users expand=\"user\"><user name=\"a\"/>", |_| {}).is_err());
    assert!(answer::users(b"", |_| {}).is_err());
}

#[test]
fn a_user_without_active_reads_as_inactive() {
    assert!(
        !answer::user(b"<user name='a'><first-name>A</first-name></user>")
            .unwrap()
            .active
    );
    assert!(
        answer::user(&mira(NONE).to_bytes(&style(Format::Xml)))
            .unwrap()
            .active
    );
    assert!(answer::user(b"<user/>").is_err());
    assert!(answer::user(b"<!DOCTYPE user><user name='a'/>").is_err());
    let deep = format!("{}{}", "<user name='a'>".repeat(40), "</user>".repeat(40));
    assert!(answer::user(deep.as_bytes()).is_err());
}

#[test]
fn refusals_are_read() {
    let error = crowd::CrowdError::user_not_found("mira");
    let refusal = answer::refusal(&error.to_bytes(Format::Xml)).unwrap();
    assert_eq!(refusal.reason, Some(Reason::UserNotFound));
    assert_eq!(refusal.message, error.message);
    assert_eq!(
        answer::refusal(b"<error><reason>NEW</reason></error>")
            .unwrap()
            .reason,
        None
    );
    assert!(answer::refusal(b"<html/>").is_err());
}

proptest! {
    #[test]
    fn every_list_comes_back(names in proptest::collection::vec("[^\u{0}-\u{1f}\u{fffe}\u{ffff}]{1,12}", 0..20)) {
        let mut users = UserList::new(Vec::new(), style(Format::Xml).lean()).unwrap();
        let mut memberships = Memberships::new(Vec::new()).unwrap();
        for name in &names {
            users.push(&crowd::user::User { name, display_name: name, ..mira(NONE) }).unwrap();
            memberships.group(name).unwrap();
            names.iter().for_each(|name| memberships.user(name).unwrap());
            names.iter().for_each(|name| memberships.child_group(name).unwrap());
        }
        let mut read = Vec::new();
        answer::users(&users.finish().unwrap(), |user| read.push((user.name, user.display_name))).unwrap();
        let expected: Vec<_> = names.iter().map(|name| (name.clone(), name.clone())).collect();
        prop_assert_eq!(read, expected);
        let mut groups = 0;
        answer::memberships(&memberships.finish().unwrap(), |membership| {
            assert_eq!(membership.group, names[groups]);
            assert_eq!(membership.users, names);
            assert_eq!(membership.child_groups, names);
            groups += 1;
        }).unwrap();
        prop_assert_eq!(groups, names.len());
    }

    #[test]
    fn no_answer_makes_a_reader_panic(body in proptest::collection::vec(any::<u8>(), 0..200), markup in "[<>/a!\\[\\]\"'=&;#?x\\- ]{0,60}") {
        for body in [body.as_slice(), markup.as_bytes()] {
            let _ = answer::users(body, |_| {});
            let _ = answer::events(body, |_| {});
            let _ = answer::refusal(body);
        }
    }
}
