//! The order of a list: `sortBy` and `sortOrder` (RFC 7644, 3.4.2.3).

use std::cmp::Ordering;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::catalogue;
use crate::filter::{as_time, comparable};
use crate::name::{echo, fold};
use crate::path::{Place, Spot};
use crate::schema::{Kind, ResourceType};
use crate::{AttrPath, AttrRef, Facts, ScimError};

/// By which attribute a list is sorted, and in which direction.
#[derive(Debug, Clone, PartialEq)]
pub struct Sort {
    /// What is compared; none if this type of resource has no such attribute, and so no value of it.
    place: Option<SortPlace>,
    descending: bool,
}

#[derive(Debug, Clone, PartialEq)]
struct SortPlace {
    attr: AttrRef,
    /// The whole list, if it is a list of objects: one of its elements stands for all.
    list: Option<AttrRef>,
}

impl Sort {
    /// Reads the two parameters for one of the types that are searched together. The attribute must be one
    /// of any of them; a complex one is compared by its `value`, as in filters.
    pub(crate) fn parse(
        by: &str,
        order: Option<&str>,
        ty: &ResourceType,
        types: &[&ResourceType],
    ) -> Result<Sort, ScimError> {
        let descending = is_descending(order)?;
        let path = AttrPath::parse(by).map_err(|error| invalid(error.detail))?;
        if !types.iter().any(|ty| spot(&path, ty).is_some()) {
            return Err(invalid(format!(
                "'sortBy' names '{}', which is no attribute. See /Schemas for those there are.",
                echo(by)
            )));
        }
        let Some(found) = spot(&path, ty) else {
            return Ok(Sort {
                place: None,
                descending,
            });
        };
        if found.is_secret() || found.name() == "meta.location" {
            return Err(invalid(format!(
                "Lists can't be sorted by '{}'.",
                found.name()
            )));
        }
        let compared = comparable(found).map_err(|error| invalid(error.detail))?;
        let list = compared.attribute.multi_valued && compared.attribute.kind == Kind::Complex;
        let whole = Spot {
            sub: None,
            ..compared
        };
        Ok(Sort {
            place: Some(SortPlace {
                attr: compared.attr_ref(),
                list: list.then(|| whole.attr_ref()),
            }),
            descending,
        })
    }

    /// What is compared; none if no resource of the type can have a value.
    pub fn attr(&self) -> Option<&AttrRef> {
        self.place.as_ref().map(|place| &place.attr)
    }

    /// Whether the largest comes first, and what has no value before it.
    pub fn descending(&self) -> bool {
        self.descending
    }

    /// The value by which a resource is sorted: of a list that of the primary element, else the first.
    pub fn key(&self, facts: &dyn Facts) -> SortKey {
        let Some(place) = &self.place else {
            return SortKey(None);
        };
        let mut found = None;
        let Some(list) = &place.list else {
            facts.any(&place.attr, &mut |value| {
                found = sort_value(&place.attr, value);
                found.is_some()
            });
            return SortKey(found);
        };
        let part = place.attr.sub().unwrap_or("value");
        facts.any(list, &mut |element| {
            let is_primary = element.get("primary").and_then(Value::as_bool) == Some(true);
            if found.is_none() || is_primary {
                let value = element
                    .get(part)
                    .and_then(|value| sort_value(&place.attr, value));
                found = value.or(found.take());
            }
            is_primary
        });
        SortKey(found)
    }
}

fn spot<'t>(path: &AttrPath, ty: &'t ResourceType) -> Option<Spot<'t>> {
    match ty.place(path) {
        Some(Place::Spot(spot)) => Some(spot),
        _ => None,
    }
}

fn is_descending(order: Option<&str>) -> Result<bool, ScimError> {
    match order.map(str::trim) {
        None | Some("") => Ok(false),
        Some(word) if word.eq_ignore_ascii_case("ascending") => Ok(false),
        Some(word) if word.eq_ignore_ascii_case("descending") => Ok(true),
        Some(other) => Err(invalid(format!(
            "'sortOrder' is 'ascending' or 'descending', not '{}'.",
            echo(other)
        ))),
    }
}

fn invalid(detail: String) -> ScimError {
    catalogue::SORT_WRONG.error(detail)
}

fn sort_value(attr: &AttrRef, value: &Value) -> Option<SortValue> {
    match (attr.kind(), value) {
        (Kind::Boolean, Value::Bool(flag)) => Some(SortValue::Bool(*flag)),
        // Adding zero makes both zeros the same.
        (Kind::Integer | Kind::Decimal, Value::Number(number)) => number
            .as_f64()
            .map(|number| SortValue::Number(number + 0.0)),
        (Kind::DateTime, Value::String(text)) => as_time(text).map(SortValue::Time),
        (_, Value::String(text)) if attr.case_exact() => Some(SortValue::Text(text.clone())),
        (_, Value::String(text)) => Some(SortValue::Text(fold(text))),
        _ => None,
    }
}

/// What a resource is sorted by. No value comes after every value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SortKey(Option<SortValue>);

impl SortKey {
    /// The key of a resource without a value.
    pub const ABSENT: SortKey = SortKey(None);

    /// The key of a value.
    pub fn of(value: SortValue) -> SortKey {
        SortKey(Some(value))
    }

    /// The value, if there is one.
    pub fn value(&self) -> Option<&SortValue> {
        self.0.as_ref()
    }
}

impl Ord for SortKey {
    fn cmp(&self, other: &SortKey) -> Ordering {
        match (&self.0, &other.0) {
            (Some(a), Some(b)) => a.cmp(b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        }
    }
}

impl PartialOrd for SortKey {
    fn partial_cmp(&self, other: &SortKey) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A value of a sorted attribute; texts without regard to case are folded.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum SortValue {
    /// A truth value; `false` comes first.
    #[serde(rename = "b")]
    Bool(bool),
    /// A number.
    #[serde(rename = "n", with = "bits")]
    Number(f64),
    /// An instant.
    #[serde(rename = "t")]
    Time(Timestamp),
    /// A text, in the order of its characters.
    #[serde(rename = "s")]
    Text(String),
}

impl SortValue {
    /// Values of one attribute are of one kind; the order of kinds only makes the order whole.
    fn rank(&self) -> u8 {
        match self {
            SortValue::Bool(_) => 0,
            SortValue::Number(_) => 1,
            SortValue::Time(_) => 2,
            SortValue::Text(_) => 3,
        }
    }

    /// About how much memory it takes, in bytes.
    pub fn bytes(&self) -> usize {
        size_of::<SortValue>()
            + match self {
                SortValue::Text(text) => text.len(),
                _ => 0,
            }
    }
}

impl Ord for SortValue {
    fn cmp(&self, other: &SortValue) -> Ordering {
        match (self, other) {
            (SortValue::Bool(a), SortValue::Bool(b)) => a.cmp(b),
            (SortValue::Number(a), SortValue::Number(b)) => a.total_cmp(b),
            (SortValue::Time(a), SortValue::Time(b)) => a.cmp(b),
            (SortValue::Text(a), SortValue::Text(b)) => a.cmp(b),
            (a, b) => a.rank().cmp(&b.rank()),
        }
    }
}

impl PartialOrd for SortValue {
    fn partial_cmp(&self, other: &SortValue) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for SortValue {
    fn eq(&self, other: &SortValue) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for SortValue {}

/// A number as its bits: what is written reads back as exactly the same.
mod bits {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(number: &f64, to: S) -> Result<S::Ok, S::Error> {
        number.to_bits().serialize(to)
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<f64, D::Error> {
        u64::deserialize(from).map(f64::from_bits)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Dialect, Resource};

    fn user(body: Value) -> Resource {
        let Value::Object(map) = body else {
            panic!("no object")
        };
        let ty = ResourceType::user();
        Resource::from_request(ty, map, &Dialect::generic())
            .unwrap()
            .0
    }

    fn sort(by: &str, order: Option<&str>) -> Result<Sort, ScimError> {
        Sort::parse(by, order, ResourceType::user(), &[ResourceType::user()])
    }

    fn text(text: &str) -> SortKey {
        SortKey::of(SortValue::Text(text.into()))
    }

    #[test]
    fn of_a_list_the_primary_element_counts_or_else_the_first() {
        let key = |by: &str, emails: Value| {
            sort(by, None)
                .unwrap()
                .key(&user(json!({"userName": "x", "emails": emails})))
        };
        let two = |primary: bool| json!([{"value": "B@x", "type": "work"}, {"value": "A@x", "type": "home", "primary": primary}]);
        for by in [
            "emails",
            "emails.value",
            "urn:ietf:params:scim:schemas:core:2.0:User:emails.value",
        ] {
            assert_eq!(key(by, two(true)), text("a@x"), "{by}");
            assert_eq!(key(by, two(false)), text("b@x"), "{by}");
            assert_eq!(key(by, json!([])), SortKey::ABSENT);
        }
        assert_eq!(key("emails.type", two(true)), text("home"));
        assert_eq!(key("emails.display", two(true)), SortKey::ABSENT);
    }

    #[test]
    fn values_are_compared_by_their_type_and_absence_comes_last() {
        let key = |by: &str, body: Value| sort(by, None).unwrap().key(&user(body));
        assert_eq!(key("userName", json!({"userName": "JANE"})), text("jane"));
        assert_eq!(
            key("externalId", json!({"userName": "x", "externalId": "AbC"})),
            text("AbC")
        );
        let active = |active: bool| key("active", json!({"userName": "x", "active": active}));
        assert!(active(false) < active(true));
        assert!(active(true) < key("active", json!({"userName": "x"})));
        let manager =
            json!({"userName": "x", crate::schemas::ENTERPRISE_URN: {"manager": {"value": "M1"}}});
        assert_eq!(key("manager", manager), text("m1"));
        assert!(text("zz") < SortKey::ABSENT && text("Z") < text("a"));
    }

    #[test]
    fn what_cannot_be_sorted_by_is_refused() {
        for by in [
            "nonsense",
            "name",
            "password",
            "meta.location",
            "addresses",
            "emails[type eq \"work\"]",
            "a b",
            "members",
        ] {
            let error = sort(by, None).unwrap_err();
            assert_eq!(
                (error.status, error.scim_type),
                (400, Some(crate::ScimType::InvalidValue)),
                "{by}"
            );
        }
        assert!(sort("userName", Some("up")).is_err());
        assert!(sort("userName", Some("Descending")).unwrap().descending());
        let both = [ResourceType::user(), ResourceType::group()];
        let of_users = Sort::parse("members", None, ResourceType::user(), &both).unwrap();
        assert!(of_users.attr().is_none());
        assert!(
            Sort::parse("members", None, ResourceType::group(), &both)
                .unwrap()
                .attr()
                .is_some()
        );
    }

    #[test]
    fn keys_read_back_as_they_were_written() {
        for key in [
            SortKey::ABSENT,
            text("ä\"\u{10FFFF}"),
            SortKey::of(SortValue::Number(0.1 + 0.2)),
            SortKey::of(SortValue::Bool(true)),
            SortKey::of(SortValue::Time(
                "2026-05-28T20:26:40.123456789Z".parse().unwrap(),
            )),
        ] {
            let written = serde_json::to_string(&key).unwrap();
            assert_eq!(
                serde_json::from_str::<SortKey>(&written).unwrap(),
                key,
                "{written}"
            );
        }
    }
}
