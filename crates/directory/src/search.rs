//! A question about users or groups, the meeting point of SCIM filters and Crowd restrictions.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::{Group, User};
use crate::name::folded;

/// Values of a user's or a group's further attributes, by name.
pub type ExtraAttributes = BTreeMap<String, Vec<String>>;

/// A predicate over the fields of users or of groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Search {
    /// Everything.
    All,
    /// What all of them match; everything if there are none.
    And(Vec<Search>),
    /// What at least one of them matches; nothing if there are none.
    Or(Vec<Search>),
    /// What has such a value in one field.
    Test {
        /// The field looked at.
        field: Field,
        /// How its value is compared.
        op: Match,
        /// With what; unused by [`Match::Absent`].
        value: String,
    },
}

/// What can be asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// The user's or the group's name.
    Name,
    /// The e-mail address.
    Email,
    /// The given name.
    FirstName,
    /// The family name.
    LastName,
    /// The full name.
    DisplayName,
    /// `true` or `false`; groups are always active.
    Active,
    /// When it was created (RFC 3339).
    Created,
    /// When it last changed (RFC 3339).
    Updated,
    /// The stable key, exactly.
    Key,
    /// The identity provider's id, exactly.
    ExternalId,
    /// The group's description.
    Description,
    /// A further attribute by name; one matching value is enough.
    Attribute(String),
}

/// How a value is compared. Text compares by its fold, except keys and external ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// The same.
    Equals,
    /// Begins with it.
    StartsWith,
    /// Ends with it.
    EndsWith,
    /// Has it somewhere.
    Contains,
    /// Sorts before it; of times, is earlier.
    LessThan,
    /// Sorts after it; of times, is later.
    GreaterThan,
    /// Has no value.
    Absent,
}

/// A field's value as one side of a comparison.
enum Held<'a> {
    Nothing,
    Name(&'a str),
    Exact(&'a str),
    Flag(bool),
    Time(Timestamp),
    Many(&'a [String]),
}

impl Search {
    /// Whether a user answers the question. `attributes` are the user's further attributes.
    pub fn matches_user(&self, user: &User, attributes: &ExtraAttributes) -> bool {
        self.matches(&|field| match field {
            Field::Name => Held::Name(&user.name),
            Field::Email => Held::Name(&user.email),
            Field::FirstName => Held::Name(&user.first_name),
            Field::LastName => Held::Name(&user.last_name),
            Field::DisplayName => Held::Name(&user.display_name),
            Field::Active => Held::Flag(user.active()),
            Field::Created => Held::Time(user.created),
            Field::Updated => Held::Time(user.updated),
            Field::Key => Held::Exact(&user.key),
            Field::ExternalId => user
                .external_id
                .as_deref()
                .map_or(Held::Nothing, Held::Exact),
            Field::Description => Held::Nothing,
            Field::Attribute(name) => further(attributes, name),
        })
    }

    /// Whether a group answers the question. `attributes` are the group's further attributes.
    pub fn matches_group(&self, group: &Group, attributes: &ExtraAttributes) -> bool {
        self.matches(&|field| match field {
            Field::Name => Held::Name(&group.name),
            Field::Description => Held::Name(&group.description),
            Field::Active => Held::Flag(true),
            Field::Created => Held::Time(group.created),
            Field::Updated => Held::Time(group.updated),
            Field::Attribute(name) => further(attributes, name),
            Field::Email
            | Field::FirstName
            | Field::LastName
            | Field::DisplayName
            | Field::Key
            | Field::ExternalId => Held::Nothing,
        })
    }

    fn matches<'a>(&self, field_of: &dyn Fn(&Field) -> Held<'a>) -> bool {
        match self {
            Search::All => true,
            Search::And(parts) => parts.iter().all(|part| part.matches(field_of)),
            Search::Or(parts) => parts.iter().any(|part| part.matches(field_of)),
            Search::Test { field, op, value } => op.holds(&field_of(field), value),
        }
    }
}

fn further<'a>(attributes: &'a ExtraAttributes, name: &str) -> Held<'a> {
    attributes
        .get(name)
        .map_or(Held::Nothing, |values| Held::Many(values))
}

impl Match {
    fn holds(self, held: &Held<'_>, wanted: &str) -> bool {
        match held {
            Held::Nothing => self == Match::Absent,
            Held::Name("") if self == Match::Absent => true,
            Held::Name(text) => self.of_text(&folded(text), &folded(wanted)),
            Held::Exact(text) => self.of_text(text, wanted),
            Held::Many([]) => self == Match::Absent,
            Held::Many(values) => {
                let wanted = folded(wanted);
                values
                    .iter()
                    .any(|value| self.of_text(&folded(value), &wanted))
            }
            Held::Flag(flag) => match wanted.trim() {
                text if text.eq_ignore_ascii_case("true") => self == Match::Equals && *flag,
                text if text.eq_ignore_ascii_case("false") => self == Match::Equals && !*flag,
                _ => false,
            },
            Held::Time(time) => wanted
                .trim()
                .parse::<Timestamp>()
                .is_ok_and(|wanted| self.of_order(time.cmp(&wanted))),
        }
    }

    fn of_text(self, text: &str, wanted: &str) -> bool {
        match self {
            Match::StartsWith => text.starts_with(wanted),
            Match::EndsWith => text.ends_with(wanted),
            Match::Contains => text.contains(wanted),
            Match::Equals | Match::LessThan | Match::GreaterThan => self.of_order(text.cmp(wanted)),
            Match::Absent => false,
        }
    }

    fn of_order(self, order: Ordering) -> bool {
        match self {
            Match::Equals => order.is_eq(),
            Match::LessThan => order.is_lt(),
            Match::GreaterThan => order.is_gt(),
            Match::StartsWith | Match::EndsWith | Match::Contains | Match::Absent => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{GroupPk, UserPk};
    use crate::model::{Reason, Status};

    fn alice() -> User {
        User {
            pk: UserPk(1),
            key: "Key-1".into(),
            name: "Alice".into(),
            first_name: "Alice".into(),
            last_name: "Łuk".into(),
            display_name: String::new(),
            email: "alice@example.com".into(),
            status: Status::Active,
            reason: Reason::IdpActive,
            connector: None,
            external_id: None,
            created: "2026-01-01T00:00:00Z".parse().unwrap(),
            updated: "2026-02-01T00:00:00Z".parse().unwrap(),
        }
    }

    fn test(field: Field, op: Match, value: &str) -> Search {
        Search::Test {
            field,
            op,
            value: value.into(),
        }
    }

    fn holds(field: Field, op: Match, value: &str) -> bool {
        let attributes = ExtraAttributes::from([
            ("office".into(), vec!["Berlin".into(), "Wien".into()]),
            ("empty".into(), vec![]),
        ]);
        test(field, op, value).matches_user(&alice(), &attributes)
    }

    #[test]
    fn names_ignore_case_and_keys_do_not() {
        assert!(holds(Field::Name, Match::Equals, "aLICE"));
        assert!(holds(Field::LastName, Match::StartsWith, "łU"));
        assert!(holds(Field::Email, Match::EndsWith, "@EXAMPLE.com"));
        assert!(holds(Field::Email, Match::Contains, "ce@ex"));
        assert!(holds(Field::Key, Match::Equals, "Key-1"));
        assert!(!holds(Field::Key, Match::Equals, "key-1"));
    }

    #[test]
    fn flags_and_times_compare_as_what_they_are() {
        assert!(holds(Field::Active, Match::Equals, "TRUE"));
        assert!(!holds(Field::Active, Match::Equals, "false"));
        assert!(!holds(Field::Active, Match::Equals, "yes"));
        assert!(holds(
            Field::Created,
            Match::Equals,
            "2026-01-01T01:00:00+01:00"
        ));
        assert!(holds(
            Field::Created,
            Match::LessThan,
            "2026-01-01T00:00:00.000001Z"
        ));
        assert!(holds(
            Field::Updated,
            Match::GreaterThan,
            "2026-01-31T23:59:59Z"
        ));
        assert!(!holds(Field::Updated, Match::GreaterThan, "soon"));
    }

    #[test]
    fn absent_means_no_value_at_all() {
        assert!(holds(Field::DisplayName, Match::Absent, ""));
        assert!(holds(Field::ExternalId, Match::Absent, ""));
        assert!(holds(Field::Attribute("nowhere".into()), Match::Absent, ""));
        assert!(holds(Field::Attribute("empty".into()), Match::Absent, ""));
        assert!(!holds(Field::Attribute("office".into()), Match::Absent, ""));
        assert!(!holds(Field::Name, Match::Absent, ""));
        assert!(!holds(Field::ExternalId, Match::Equals, ""));
    }

    #[test]
    fn one_of_several_values_is_enough() {
        assert!(holds(
            Field::Attribute("office".into()),
            Match::Equals,
            "wien"
        ));
        assert!(!holds(
            Field::Attribute("office".into()),
            Match::Equals,
            "graz"
        ));
    }

    #[test]
    fn empty_conjunction_is_everything_and_empty_choice_nothing() {
        let none = ExtraAttributes::new();
        assert!(Search::All.matches_user(&alice(), &none));
        assert!(Search::And(vec![]).matches_user(&alice(), &none));
        assert!(!Search::Or(vec![]).matches_user(&alice(), &none));
        let both = Search::And(vec![
            test(Field::Name, Match::Equals, "alice"),
            Search::Or(vec![test(Field::Active, Match::Equals, "true")]),
        ]);
        assert!(both.matches_user(&alice(), &none));
    }

    #[test]
    fn groups_have_names_and_descriptions_only() {
        let group = Group {
            pk: GroupPk(1),
            name: "Jira-Users".into(),
            description: "everyone".into(),
            local: false,
            created: "2026-01-01T00:00:00Z".parse().unwrap(),
            updated: "2026-01-01T00:00:00Z".parse().unwrap(),
        };
        let none = ExtraAttributes::new();
        let asks = |field, op, value| test(field, op, value).matches_group(&group, &none);
        assert!(asks(Field::Name, Match::StartsWith, "jira-"));
        assert!(asks(Field::Description, Match::Equals, "Everyone"));
        assert!(asks(Field::Active, Match::Equals, "true"));
        assert!(!asks(Field::Email, Match::Contains, ""));
    }
}
