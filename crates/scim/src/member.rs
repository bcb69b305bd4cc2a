//! Members of a group. They are kept apart from the group's document, so that a group of 100,000 never
//! has to be one value in memory.

use serde_json::{Map, Value};

use crate::ScimError;
use crate::catalogue;
use crate::filter::Node;
use crate::limits::MEMBERS_PER_REQUEST_MAX;
use crate::name::echo;
use crate::schemas::GROUP_URN;

/// One member as a client names it. The name that it shows is the client's opinion only.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Member {
    /// Identifier of the user or group.
    pub value: String,
    /// `User` or `Group`, if the client says so.
    pub kind: Option<String>,
    /// The name that the client shows for it.
    pub display: Option<String>,
}

impl Member {
    /// A member of which only the identifier is known.
    pub fn new(value: impl Into<String>) -> Member {
        Member {
            value: value.into(),
            kind: None,
            display: None,
        }
    }

    /// Reads one element of `members`: an object, or a bare identifier. `None` if it names nobody.
    fn read(value: Value) -> Result<Option<Member>, ScimError> {
        let parts = match value {
            Value::String(id) => return Ok((!id.is_empty()).then(|| Member::new(id))),
            Value::Object(parts) => parts,
            Value::Null => return Ok(None),
            other => return Err(not_a_member(&other)),
        };
        let (mut value, mut kind, mut display) = (None, None, None);
        for (name, part) in parts {
            match part {
                Value::String(text) if name.eq_ignore_ascii_case("value") => value = Some(text),
                Value::String(text) if name.eq_ignore_ascii_case("type") => kind = Some(text),
                Value::String(text) if name.eq_ignore_ascii_case("display") => display = Some(text),
                Value::Null => {}
                other if name.eq_ignore_ascii_case("value") => return Err(not_a_member(&other)),
                _ => {}
            }
        }
        Ok(value.filter(|id| !id.is_empty()).map(|value| Member {
            value,
            kind,
            display,
        }))
    }

    /// Reads the value of `members`: a list, or one member.
    pub(crate) fn read_all(value: Value) -> Result<Vec<Member>, ScimError> {
        let items = match value {
            Value::Null => return Ok(Vec::new()),
            Value::Array(items) => items,
            one => vec![one],
        };
        check_count(items.len())?;
        let mut members = Vec::with_capacity(items.len());
        for item in items {
            members.extend(Member::read(item)?);
        }
        Ok(members)
    }
}

pub(crate) fn check_count(count: usize) -> Result<(), ScimError> {
    if count <= MEMBERS_PER_REQUEST_MAX {
        return Ok(());
    }
    Err(catalogue::TOO_MANY_MEMBERS.error(format!(
        "The request names {count} members; {MEMBERS_PER_REQUEST_MAX} are the most. Send them in several requests."
    )))
}

fn not_a_member(value: &Value) -> ScimError {
    catalogue::MEMBER_UNREADABLE.error(format!(
        "'members' has the value {}; each member is an object such as {{\"value\": \"<id of a user>\"}}.",
        echo(&value.to_string())
    ))
}

/// What a PATCH does to the members of a group; in the order in which it was written.
#[derive(Debug, Clone, PartialEq)]
pub enum MemberOp {
    /// These belong to it from now on.
    Add(Vec<Member>),
    /// These identifiers don't.
    Remove(Vec<String>),
    /// Those that fit don't; the attributes are parts of `members`.
    RemoveWhere(Node),
    /// Exactly these belong to it.
    Replace(Vec<Member>),
}

/// Whether a key of a group's body names its members.
pub(crate) fn is_members_key(key: &str) -> bool {
    let name = match key.rsplit_once(':') {
        Some((urn, name)) if urn.eq_ignore_ascii_case(GROUP_URN) => name,
        _ => key,
    };
    name.eq_ignore_ascii_case("members")
}

/// Takes the members out of the body of a group (POST, PUT). `None` if it has none.
pub fn members_of(map: &mut Map<String, Value>) -> Result<Option<Vec<Member>>, ScimError> {
    let Some(key) = map.keys().find(|key| is_members_key(key)).cloned() else {
        return Ok(None);
    };
    let Some(value) = map.shift_remove(&key) else {
        return Ok(None);
    };
    Member::read_all(value).map(Some)
}
