//! What is copied from files and other servers: read, checked, narrowed.

use directory::census::{Census, CopiedGroup, CopiedUser, CopyGroups, CopyOptions, Piece};
use proptest::prelude::*;

fn users(pieces: &[Piece]) -> Vec<&CopiedUser> {
    let mut users = Vec::new();
    for piece in pieces {
        if let Piece::User(user) = piece {
            users.push(user);
        }
    }
    users
}

fn groups(pieces: &[Piece]) -> Vec<&str> {
    let mut names = Vec::new();
    for piece in pieces {
        if let Piece::Group { name, .. } = piece {
            names.push(name.as_str());
        }
    }
    names
}

#[test]
fn csv_as_spreadsheets_write_it() {
    let text = "\u{feff}Username;E-Mail\r\nann;a@x.test\r\n";
    let faults = Census::from_csv(text).unwrap_err();
    assert!(faults[0].message.contains("no column 'E-Mail'"));

    let text = "\u{feff}Username;Email;active;groups;attr:City\r\n\
                ann;a@x.test;;\"jira | staff\";\"a \"\"b\"\"\nc\"\r\n\r\nbob;;no;;\r\n";
    let census = Census::from_csv(text).unwrap();
    let ann = &census.users[0];
    assert_eq!((ann.name.as_str(), ann.active), ("ann", true));
    assert_eq!(ann.groups, ["jira", "staff"]);
    assert_eq!(ann.attributes["City"], ["a \"b\"\nc"]);
    assert!(!census.users[1].active);
}

#[test]
fn csv_that_is_wrong_says_where() {
    for (text, place, message) in [
        ("", "line 1", "is missing"),
        ("email\na@x", "line 1", "no column username"),
        ("username,email\nann\n", "line 2", "has 1 cells, not 2"),
        (
            "username,active\nann,\"a\nb\"\nbob,maybe\n",
            "line 2",
            "active is",
        ),
        ("username\n\"ann\n", "line 2", "never closed"),
    ] {
        let fault = Census::from_csv(text).unwrap_err().remove(0);
        assert_eq!(fault.place, place, "{text}");
        assert!(fault.message.contains(message), "{fault}");
    }
}

#[test]
fn json_names_its_unknown_members() {
    let fault = Census::from_json(r#"{"users": [{"name": "ann", "mail": "x"}]}"#)
        .unwrap_err()
        .remove(0);
    assert!(
        fault.message.contains("nothing is called `mail` here"),
        "{fault}"
    );
    assert_eq!(fault.place, "line 1, column 33");
}

#[test]
fn memberships_may_be_told_from_either_side() {
    let census = Census::from_json(
        r#"{"users": [{"name": "Ann", "groups": ["a"], "attributes": {"city": "Bern"}}, {"name": "bob"}],
            "groups": [{"name": "A", "description": "first", "users": ["ann", "BOB", "nobody"], "groups": ["b"]}]}"#,
    )
    .unwrap();
    let pieces = census.pieces(&CopyOptions::default()).unwrap();
    assert_eq!(groups(&pieces), ["A", "b"]);
    let users = users(&pieces);
    assert_eq!(users[0].groups.len(), 1);
    assert_eq!(users[1].groups, ["A"]);
    assert_eq!(users[0].attributes["city"], ["Bern"]);
    let child = Piece::Child {
        group: "A".into(),
        child: "b".into(),
    };
    assert_eq!(pieces.last(), Some(&child));
}

#[test]
fn what_is_not_wanted_stays_behind() {
    let mut ann = CopiedUser::new("ann");
    ann.groups = vec!["jira-users".into(), "hr".into()];
    ann.attributes = [
        ("city".to_owned(), vec!["Bern".to_owned()]),
        ("passwordLastChanged".to_owned(), vec!["1".to_owned()]),
    ]
    .into();
    let census = Census {
        users: vec![ann],
        groups: vec![CopiedGroup {
            name: "all".into(),
            groups: vec!["jira-users".into()],
            ..CopiedGroup::default()
        }],
    };
    let copied = |groups| {
        let options = CopyOptions {
            groups,
            attributes: None,
        };
        census.clone().pieces(&options).unwrap()
    };
    let matching = copied(CopyGroups::Matching(vec!["re:jira-.*".into()]));
    assert_eq!(groups(&matching), ["jira-users"]);
    assert_eq!(users(&matching)[0].groups, ["jira-users"]);
    assert_eq!(matching.len(), 2);
    let none = copied(CopyGroups::None);
    assert_eq!(none.len(), 1);
    let attributes: Vec<&String> = users(&none)[0].attributes.keys().collect();
    assert_eq!(attributes, ["city"]);
    let wrong = CopyOptions {
        groups: CopyGroups::Matching(vec!["re:(".into()]),
        attributes: None,
    };
    let faults = census.clone().pieces(&wrong).unwrap_err();
    assert!(faults[0].place.starts_with("groups.matching[0]"));
}

#[test]
fn names_that_cannot_be_are_all_told() {
    let census = Census {
        users: ["ann", "", "ANN", "a\u{200b}b"].map(CopiedUser::new).into(),
        groups: Vec::new(),
    };
    let faults = census.pieces(&CopyOptions::default()).unwrap_err();
    assert_eq!(faults.len(), 3, "{faults:?}");
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in ".{0,200}") {
        let _read_or_refused = Census::from_csv(&text);
        let _read_or_refused = Census::from_csv(&format!("username,groups\n{text}"));
        let _read_or_refused = Census::from_json(&text);
    }

    #[test]
    fn pieces_of_pieces_are_the_same(names in prop::collection::btree_set("[a-c]{1,3}", 0..6), groups in prop::collection::vec("[xyXY]{1,2}", 0..8)) {
        let mut census = Census::default();
        for (index, name) in names.iter().enumerate() {
            let mut user = CopiedUser::new(name.clone());
            user.groups = groups.iter().skip(index).cloned().collect();
            census.users.push(user);
        }
        let pieces = census.pieces(&CopyOptions::default()).unwrap();
        let again = Census {
            users: users(&pieces).into_iter().cloned().collect(),
            groups: Vec::new(),
        };
        prop_assert_eq!(again.pieces(&CopyOptions::default()).unwrap(), pieces);
    }
}
