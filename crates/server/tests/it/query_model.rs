//! What filters and sorts mean, told once more in the plainest way: on the documents that the server shows.

use std::cmp::Ordering;

use jiff::Timestamp;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::scim_idp::*;

/// Texts that are near each other.
pub const WORDS: [&str; 9] = ["a", "A", "ab", "aB%", "É", "é_", "it's \\ \"x\"", "b", "zz"];

/// What a value is compared as.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum As {
    /// Without regard to case.
    Folded,
    Exact,
    Flag,
    Time,
}

/// An attribute: how it is written, where it is in a document, what it is compared as.
pub type Attr = (&'static str, &'static [&'static str], As);

/// Attributes of users, several under more than one name.
pub const OF_USERS: [Attr; 21] = [
    ("userName", &["userName"], As::Folded),
    (
        "urn:ietf:params:scim:schemas:core:2.0:User:USERNAME",
        &["userName"],
        As::Folded,
    ),
    ("title", &["title"], As::Folded),
    ("name.familyName", &["name", "familyName"], As::Folded),
    ("active", &["active"], As::Flag),
    ("emails", &["emails", "value"], As::Folded),
    ("emails.value", &["emails", "value"], As::Folded),
    ("emails.type", &["emails", "type"], As::Folded),
    ("emails.primary", &["emails", "primary"], As::Flag),
    ("department", &[ENT, "department"], As::Folded),
    (
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
        &[ENT, "department"],
        As::Folded,
    ),
    ("manager", &[ENT, "manager", "value"], As::Folded),
    ("manager.value", &[ENT, "manager", "value"], As::Folded),
    ("groups", &["groups", "value"], As::Exact),
    ("groups.value", &["groups", "value"], As::Exact),
    ("groups.display", &["groups", "display"], As::Folded),
    ("displayname", &["displayName"], As::Folded),
    ("externalId", &["externalId"], As::Exact),
    ("id", &["id"], As::Exact),
    ("meta.created", &["meta", "created"], As::Time),
    ("meta.lastModified", &["meta", "lastModified"], As::Time),
];

pub const OF_GROUPS: [Attr; 11] = [
    ("displayName", &["displayName"], As::Folded),
    ("externalId", &["externalId"], As::Exact),
    ("id", &["id"], As::Exact),
    ("members", &["members", "value"], As::Exact),
    ("members.value", &["members", "value"], As::Exact),
    ("members.type", &["members", "type"], As::Folded),
    ("members.display", &["members", "display"], As::Folded),
    ("schemas", &["schemas"], As::Exact),
    ("meta.resourceType", &["meta", "resourceType"], As::Exact),
    ("meta.created", &["meta", "created"], As::Time),
    ("meta.lastModified", &["meta", "lastModified"], As::Time),
];

/// A filter.
#[derive(Debug, Clone)]
pub enum Wish {
    All(Vec<Wish>),
    Any(Vec<Wish>),
    Not(Box<Wish>),
    Test(Attr, &'static str, Value),
    Null(Attr, &'static str),
    Present(Attr),
    /// Of one element of a list, tests of its parts.
    Element(&'static str, Vec<(&'static str, As, &'static str, Value)>),
}

impl Wish {
    pub fn text(&self) -> String {
        let joined = |wishes: &[Wish], word: &str| {
            let texts: Vec<String> = wishes.iter().map(Wish::text).collect();
            format!("({})", texts.join(word))
        };
        match self {
            Wish::All(wishes) => joined(wishes, " and "),
            Wish::Any(wishes) => joined(wishes, " OR "),
            Wish::Not(inner) => format!("not ({})", inner.text()),
            Wish::Test((name, ..), op, value) => format!("{name} {op} {value}"),
            Wish::Null((name, ..), op) => format!("{name} {op} null"),
            Wish::Present((name, ..)) => format!("{name} pr"),
            Wish::Element(list, parts) => {
                let parts: Vec<String> = parts
                    .iter()
                    .map(|(part, _, op, value)| format!("{part} {op} {value}"))
                    .collect();
                format!("{list}[{}]", parts.join(" and "))
            }
        }
    }

    pub fn holds(&self, document: &Value) -> bool {
        match self {
            Wish::All(wishes) => wishes.iter().all(|wish| wish.holds(document)),
            Wish::Any(wishes) => wishes.iter().any(|wish| wish.holds(document)),
            Wish::Not(inner) => !inner.holds(document),
            Wish::Test((_, path, how), op, value) => {
                let found = values(document, path);
                (found.is_empty() && *op == "ne")
                    || found.iter().any(|found| compares(found, op, value, *how))
            }
            Wish::Null((_, path, _), op) => values(document, path).is_empty() == (*op == "eq"),
            Wish::Present((_, path, _)) => !values(document, path).is_empty(),
            Wish::Element(list, parts) => elements(&document[*list]).into_iter().any(|element| {
                parts.iter().all(|(part, how, op, value)| {
                    let found = &element[*part];
                    match found.is_null() {
                        true => *op == "ne",
                        false => compares(found, op, value, *how),
                    }
                })
            }),
        }
    }
}

fn elements(value: &Value) -> Vec<&Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(items) => items.iter().collect(),
        one => vec![one],
    }
}

fn values<'d>(document: &'d Value, path: &[&str]) -> Vec<&'d Value> {
    path.iter().fold(vec![document], |found, name| {
        found
            .into_iter()
            .flat_map(|value| elements(&value[*name]))
            .collect()
    })
}

fn compares(found: &Value, op: &str, wanted: &Value, how: As) -> bool {
    if how == As::Flag {
        return (found == wanted) == (op == "eq");
    }
    let (found, wanted) = (found.as_str().unwrap(), wanted.as_str().unwrap());
    let order = match how {
        As::Time => {
            let time = |text: &str| text.parse::<Timestamp>().unwrap();
            time(found).cmp(&time(wanted))
        }
        As::Exact => found.cmp(wanted),
        As::Folded | As::Flag => found.to_lowercase().cmp(&wanted.to_lowercase()),
    };
    let text = |text: &str| match how {
        As::Exact => text.to_owned(),
        _ => text.to_lowercase(),
    };
    match op {
        "eq" => order.is_eq(),
        "ne" => order.is_ne(),
        "gt" => order.is_gt(),
        "ge" => order.is_ge(),
        "lt" => order.is_lt(),
        "le" => order.is_le(),
        "co" => text(found).contains(&text(wanted)),
        "sw" => text(found).starts_with(&text(wanted)),
        "ew" => text(found).ends_with(&text(wanted)),
        other => panic!("{other}"),
    }
}

/// The documents in the order of an attribute: of a list the primary element counts, or else the first; no
/// value comes last; equal ones keep their order. Descending is the reverse.
pub fn sorted(mut documents: Vec<Value>, by: Attr, descending: bool) -> Vec<Value> {
    let key = |document: &Value| -> Option<Value> {
        let (_, path, _) = by;
        if let [list, part] = path
            && let Some(items) = document[*list].as_array()
        {
            let primary = items.iter().find(|item| item["primary"] == true);
            let of_primary = primary.map(|item| item[*part].clone());
            return of_primary.filter(|value| !value.is_null()).or_else(|| {
                items
                    .iter()
                    .map(|item| item[*part].clone())
                    .find(|value| !value.is_null())
            });
        }
        values(document, path).first().map(|value| (*value).clone())
    };
    documents.sort_by(|a, b| match (key(a), key(b)) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(a), Some(b)) if by.2 == As::Flag => a.as_bool().cmp(&b.as_bool()),
        (Some(a), Some(b)) if compares(&a, "lt", &b, by.2) => Ordering::Less,
        (Some(a), Some(b)) if compares(&a, "gt", &b, by.2) => Ordering::Greater,
        _ => Ordering::Equal,
    });
    if descending {
        documents.reverse();
    }
    documents
}

/// Filters on these attributes, with values that some of the documents have.
pub fn wishes(attrs: Vec<Attr>, documents: &[Value]) -> BoxedStrategy<Wish> {
    let texts: Vec<Value> = documents
        .iter()
        .map(|document| document["id"].clone())
        .chain(WORDS.map(Value::from))
        .chain([
            json!("work"),
            json!("home"),
            json!("User"),
            json!(CORE_GROUP),
        ])
        .collect();
    let times: Vec<Value> = documents
        .iter()
        .flat_map(|document| ["created", "lastModified"].map(|name| document["meta"][name].clone()))
        .collect();
    let op = select(vec![
        "eq", "eq", "eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le",
    ]);
    let of_time = select(vec!["eq", "ne", "gt", "ge", "lt", "le"]);
    let of_flag = select(vec!["eq", "ne"]);
    let value_of = move |attr: Attr| match attr.2 {
        As::Flag => (of_flag.clone(), any::<bool>().prop_map(Value::from)).boxed(),
        As::Time => (of_time.clone(), select(times.clone())).boxed(),
        As::Folded | As::Exact => (op.clone(), select(texts.clone())).boxed(),
    };
    let test = select(attrs.clone()).prop_flat_map(move |attr| {
        value_of(attr).prop_map(move |(op, value)| Wish::Test(attr, op, value))
    });
    let null = (select(attrs.clone()), select(vec!["eq", "ne"]))
        .prop_map(|(attr, op)| Wish::Null(attr, op));
    let present = select(attrs.clone()).prop_map(Wish::Present);
    let lists: Vec<&'static str> = ["emails", "members"]
        .into_iter()
        .filter(|list| attrs.iter().any(|(name, ..)| name == list))
        .collect();
    let part = prop_oneof![
        (
            select(vec!["eq", "ne", "co"]),
            select(vec!["work", "home", "User"])
        )
            .prop_map(|(op, value)| ("type", As::Folded, op, json!(value))),
        (select(vec!["eq", "sw", "gt"]), select(WORDS.to_vec())).prop_map(|(op, value)| (
            "display",
            As::Folded,
            op,
            json!(value)
        )),
    ];
    let element = (select(lists), proptest::collection::vec(part, 1..3))
        .prop_map(|(list, parts)| Wish::Element(list, parts));
    let leaf = prop_oneof![6 => test, 1 => null, 1 => present, 2 => element];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Wish::All),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Wish::Any),
            inner.prop_map(|wish| Wish::Not(Box::new(wish))),
        ]
    })
    .boxed()
}

/// Users and groups whose attributes are near each other, and some of which are missing; as they are shown,
/// in the order of their creation.
pub fn people(idp: &Idp<'_>) -> (Vec<Value>, Vec<Value>) {
    let mut ids = Vec::new();
    for number in 0..28_usize {
        let word = |offset: usize| WORDS[(number * 5 + offset) % WORDS.len()];
        let mut body = json!({"schemas": [CORE_USER], "userName": format!("{}{number}", word(0))});
        let mut give = |every: usize, name: &str, value: Value| {
            if !number.is_multiple_of(every) {
                body[name] = value;
            }
        };
        give(2, "title", json!(word(1)));
        give(3, "displayName", json!(word(2)));
        give(4, "externalId", json!(word(3)));
        give(5, "active", json!(number.is_multiple_of(2)));
        give(4, "name", json!({"familyName": word(4), "givenName": "x"}));
        give(
            3,
            ENT,
            json!({"department": word(5), "manager": {"value": word(6)}}),
        );
        give(
            6,
            "emails",
            json!([
                {"value": format!("{}@x", number % 5), "type": "work", "display": word(1)},
                {"value": format!("{}@y", number % 3), "type": "home", "primary": number.is_multiple_of(4)},
            ]),
        );
        ids.push(id_of(&idp.post("/Users", &body)));
    }
    for (number, word) in WORDS.into_iter().enumerate() {
        let mut members: Vec<Value> = ids[..28]
            .iter()
            .skip(number)
            .step_by(number + 3)
            .map(|id| json!({"value": id}))
            .collect();
        if number.is_multiple_of(3) {
            members.push(json!({"value": "not-there-yet"}));
        }
        if number == 7 {
            members.push(json!({"value": ids[28]}));
        }
        if number == 8 {
            members.clear();
        }
        let name = format!("{word}{number}");
        let mut body = json!({"schemas": [CORE_GROUP], "displayName": name, "members": members});
        if number.is_multiple_of(2) {
            body["externalId"] = json!(word);
        }
        ids.push(id_of(&idp.post("/Groups", &body)));
    }
    for id in ids[..28].iter().step_by(6) {
        let set = json!([{"op": "replace", "path": "nickName", "value": "changed"}]);
        assert_eq!(idp.patch(&format!("/Users/{id}"), &set).status, 200);
    }
    let all = |collection: &str| {
        let page = shown(&idp.get(&format!("/{collection}?count=1000")));
        page["Resources"].as_array().unwrap().clone()
    };
    (all("Users"), all("Groups"))
}

pub fn ids(documents: &[Value]) -> Vec<&str> {
    documents
        .iter()
        .map(|document| document["id"].as_str().unwrap())
        .collect()
}
