//! What a restriction means in the directory.

use ::crowd::property::{Period, Property, truth};
use ::crowd::query::EntityType;
use ::crowd::{CrowdError, MatchMode, Restriction};
use directory::{Field, Match, Search};
use jiff::{SignedDuration, Timestamp};

/// The least difference of two stored times.
const TICK: SignedDuration = SignedDuration::from_micros(1);
/// Times are shown to the millisecond, so "later than this" is later than the whole millisecond.
const SHOWN: SignedDuration = SignedDuration::from_micros(999);

/// The search that a restriction asks for. Values that cannot be compared are refused, not ignored.
pub(super) fn search_of(restriction: &Restriction, kind: EntityType) -> Result<Search, CrowdError> {
    let all = |parts: &[Restriction]| {
        parts
            .iter()
            .map(|part| search_of(part, kind))
            .collect::<Result<Vec<_>, _>>()
    };
    match restriction {
        Restriction::Everything => Ok(Search::All),
        Restriction::And(parts) => Ok(Search::And(all(parts)?)),
        Restriction::Or(parts) => Ok(Search::Or(all(parts)?)),
        Restriction::Test {
            property,
            mode,
            value,
        } => {
            let known = match kind {
                EntityType::User => Property::of_user(property),
                EntityType::Group => Property::of_group(property),
            };
            test(known, property, *mode, value)
        }
    }
}

fn test(
    known: Property<'_>,
    name: &str,
    mode: MatchMode,
    value: &str,
) -> Result<Search, CrowdError> {
    let op = match_of(mode);
    let plain = |field| {
        Ok(Search::Test {
            field,
            op,
            value: value.to_owned(),
        })
    };
    match known {
        Property::Name => plain(Field::Name),
        Property::Email => plain(Field::Email),
        Property::FirstName => plain(Field::FirstName),
        Property::LastName => plain(Field::LastName),
        Property::DisplayName => plain(Field::DisplayName),
        Property::ExternalId => plain(Field::Key),
        Property::Description => plain(Field::Description),
        Property::Attribute(name) => plain(Field::Attribute(name.to_owned())),
        Property::Active => flag(name, op, value),
        Property::CreatedDate => time(Field::Created, name, op, value),
        Property::UpdatedDate => time(Field::Updated, name, op, value),
    }
}

fn match_of(mode: MatchMode) -> Match {
    match mode {
        MatchMode::ExactlyMatches => Match::Equals,
        MatchMode::StartsWith => Match::StartsWith,
        MatchMode::EndsWith => Match::EndsWith,
        MatchMode::Contains => Match::Contains,
        MatchMode::LessThan => Match::LessThan,
        MatchMode::GreaterThan => Match::GreaterThan,
        MatchMode::Null => Match::Absent,
    }
}

fn flag(name: &str, op: Match, value: &str) -> Result<Search, CrowdError> {
    match op {
        Match::Equals => {
            let value = truth(value)?.to_string();
            Ok(Search::Test {
                field: Field::Active,
                op,
                value,
            })
        }
        Match::Absent => Ok(Search::Or(Vec::new())),
        _ => Err(incomparable(name)),
    }
}

/// A date is compared as the period it covers.
fn time(field: Field, name: &str, op: Match, value: &str) -> Result<Search, CrowdError> {
    let test = |op, time: Timestamp| Search::Test {
        field: field.clone(),
        op,
        value: time.to_string(),
    };
    if op == Match::Absent {
        return Ok(Search::Or(Vec::new()));
    }
    let Period { start, end } = Period::parse(value)?;
    let shift = |time: Timestamp, by| {
        time.checked_add(by)
            .map_err(|error| CrowdError::illegal_argument(error.to_string()))
    };
    match op {
        Match::Equals => Ok(Search::And(vec![
            test(Match::GreaterThan, shift(start, -TICK)?),
            test(Match::LessThan, end),
        ])),
        Match::LessThan => Ok(test(Match::LessThan, start)),
        Match::GreaterThan => Ok(test(Match::GreaterThan, shift(start, SHOWN)?)),
        _ => Err(incomparable(name)),
    }
}

fn incomparable(name: &str) -> CrowdError {
    CrowdError::illegal_argument(format!("\"{name}\" cannot be compared in this way."))
}

/// True if some part looks at a custom attribute, so that attributes have to be read.
pub(super) fn mentions_attributes(search: &Search) -> bool {
    match search {
        Search::All => false,
        Search::And(parts) | Search::Or(parts) => parts.iter().any(mentions_attributes),
        Search::Test { field, .. } => matches!(field, Field::Attribute(_)),
    }
}

/// Where to look for what can match; the whole search still decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shortcut<'a> {
    /// Nothing can match.
    Nothing,
    /// One name.
    Name(&'a str),
    /// Names that begin so.
    Prefix(&'a str),
    /// One mail address.
    Email(&'a str),
    /// One key.
    Key(&'a str),
    /// Everywhere.
    Walk,
}

/// The narrowest place that the conjuncts of a search allow.
pub(super) fn shortcut(search: &Search) -> Shortcut<'_> {
    match search {
        Search::And(parts) => {
            let narrow = parts.iter().map(shortcut).min_by_key(breadth);
            narrow.unwrap_or(Shortcut::Walk)
        }
        Search::Or(parts) if parts.is_empty() => Shortcut::Nothing,
        Search::Test { field, op, value } => match (field, op) {
            // Everyone has a name; this is what a product's connection test asks.
            (Field::Name, Match::Absent) => Shortcut::Nothing,
            (Field::Name, Match::Equals) => Shortcut::Name(value),
            (Field::Name, Match::StartsWith) if !value.is_empty() => Shortcut::Prefix(value),
            (Field::Email, Match::Equals) if !value.is_empty() => Shortcut::Email(value),
            (Field::Key, Match::Equals) => Shortcut::Key(value),
            _ => Shortcut::Walk,
        },
        Search::All | Search::Or(_) => Shortcut::Walk,
    }
}

fn breadth(shortcut: &Shortcut<'_>) -> u8 {
    match shortcut {
        Shortcut::Nothing => 0,
        Shortcut::Name(_) | Shortcut::Key(_) => 1,
        Shortcut::Email(_) => 2,
        Shortcut::Prefix(_) => 3,
        Shortcut::Walk => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::crowd::cql;

    fn search(text: &str) -> Result<Search, CrowdError> {
        search_of(&cql::parse(text).unwrap(), EntityType::User)
    }

    #[test]
    fn a_conjunct_narrows_the_search() {
        for (text, expected) in [
            ("name = mira and active = true", Shortcut::Name("mira")),
            (
                "lastName = x and (email = \"a@b\" and name = mi*)",
                Shortcut::Email("a@b"),
            ),
            ("name = mi*", Shortcut::Prefix("mi")),
            ("name = *mi", Shortcut::Walk),
            ("name = a or name = b", Shortcut::Walk),
            ("email = \"\"", Shortcut::Walk),
        ] {
            assert_eq!(shortcut(&search(text).unwrap()), expected, "{text}");
        }
        let nobody = Restriction::test("name", MatchMode::Null, "");
        let nobody = search_of(&nobody, EntityType::User).unwrap();
        assert_eq!(shortcut(&nobody), Shortcut::Nothing);
    }

    #[test]
    fn what_cannot_be_compared_is_refused() {
        for text in [
            "active = maybe",
            "active = tr*",
            "active > true",
            "createdDate = soon",
            "updatedDate = 2010*",
        ] {
            assert!(search(text).is_err(), "{text}");
        }
        assert!(search("createdDate > 2010 and updatedDate < 2010-12-31T10:00:00Z").is_ok());
    }

    #[test]
    fn a_shown_time_finds_the_time_behind_it() {
        let stored: Timestamp = "2024-05-06T07:08:09.123456Z".parse().unwrap();
        let user = directory::User {
            pk: directory::UserPk(1),
            key: "1:x".into(),
            name: "mira".into(),
            first_name: String::new(),
            last_name: String::new(),
            display_name: String::new(),
            email: String::new(),
            status: directory::Status::Active,
            reason: directory::Reason::IdpActive,
            connector: None,
            external_id: None,
            created: stored,
            updated: stored,
        };
        let finds = |text: &str| {
            search(text)
                .unwrap()
                .matches_user(&user, &Default::default())
        };
        assert!(finds("createdDate = 2024-05-06T07:08:09.123Z"));
        assert!(finds("createdDate = 2024-05"));
        assert!(!finds("createdDate > 2024-05-06T07:08:09.123Z"));
        assert!(!finds("createdDate < 2024-05-06T07:08:09.123Z"));
        assert!(finds("createdDate > 2024-05-06T07:08:09.122Z"));
        assert!(finds("createdDate > 2024"));
        assert!(!finds("createdDate = 2023"));
    }
}
