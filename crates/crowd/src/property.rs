//! What the property of a search is, and what its value has to look like.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

use crate::error::{CrowdError, echo};

/// A property by which users and groups are searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Property<'a> {
    /// The name of the user or group.
    Name,
    /// A user's mail address.
    Email,
    /// A user's given name.
    FirstName,
    /// A user's family name.
    LastName,
    /// A user's shown name.
    DisplayName,
    /// A user's key.
    ExternalId,
    /// A group's description.
    Description,
    /// Whether the user or group is active; see [`truth`].
    Active,
    /// When it appeared; see [`Period`].
    CreatedDate,
    /// When it last changed; see [`Period`].
    UpdatedDate,
    /// A custom attribute: matches if any of its values does.
    Attribute(&'a str),
}

impl<'a> Property<'a> {
    /// The property of a user that `name` means.
    pub fn of_user(name: &'a str) -> Property<'a> {
        match name {
            "email" => Property::Email,
            "firstName" => Property::FirstName,
            "lastName" => Property::LastName,
            "displayName" => Property::DisplayName,
            "externalId" => Property::ExternalId,
            other => Property::of_either(other),
        }
    }

    /// The property of a group that `name` means.
    pub fn of_group(name: &'a str) -> Property<'a> {
        match name {
            "description" => Property::Description,
            other => Property::of_either(other),
        }
    }

    fn of_either(name: &'a str) -> Property<'a> {
        match name {
            "name" => Property::Name,
            "active" => Property::Active,
            "createdDate" => Property::CreatedDate,
            "updatedDate" => Property::UpdatedDate,
            other => Property::Attribute(other),
        }
    }
}

/// The value of a search by a truth value.
pub fn truth(value: &str) -> Result<bool, CrowdError> {
    match value.trim().to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(CrowdError::illegal_argument(format!(
            "<{}> is neither true nor false.",
            echo(value)
        ))),
    }
}

/// What a date in a search covers: from `start` on, up to before `end`.
///
/// A year or a month means the whole of it in UTC, so that `createdDate = 2010` finds what a person means;
/// `>` and `<` look at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// The first moment.
    pub start: Timestamp,
    /// The moment after the last.
    pub end: Timestamp,
}

impl Period {
    /// Reads `2010`, `2010-12`, `2010-12-31`, or a date and time with or without a zone.
    pub fn parse(value: &str) -> Result<Period, CrowdError> {
        let value = value.trim();
        period(value).ok_or_else(|| {
            CrowdError::illegal_argument(format!(
                "<{}> is not a date such as 2010-12-31.",
                echo(value)
            ))
        })
    }
}

fn period(value: &str) -> Option<Period> {
    let digits = |text: &str, length: usize| {
        (text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| text.parse::<i16>().ok())?
    };
    if let Some(year) = digits(value, 4) {
        let start = utc(Date::new(year, 1, 1).ok()?)?;
        return between(&start, &start.checked_add(1.year()).ok()?);
    }
    if let Some((year, month)) = value
        .split_once('-')
        .and_then(|(y, m)| Some((digits(y, 4)?, digits(m, 2)?)))
    {
        let start = utc(Date::new(year, i8::try_from(month).ok()?, 1).ok()?)?;
        return between(&start, &start.checked_add(1.month()).ok()?);
    }
    if value.len() == 10 {
        let start = utc(value.parse().ok()?)?;
        return between(&start, &start.checked_add(1.day()).ok()?);
    }
    let start = match value.parse::<Timestamp>() {
        Ok(time) => time,
        Err(_) => value
            .parse::<DateTime>()
            .ok()?
            .to_zoned(TimeZone::UTC)
            .ok()?
            .timestamp(),
    };
    // Times are kept and shown to the millisecond.
    Some(Period {
        start,
        end: start.checked_add(1.millisecond()).ok()?,
    })
}

fn utc(date: Date) -> Option<Zoned> {
    date.to_zoned(TimeZone::UTC).ok()
}

fn between(start: &Zoned, end: &Zoned) -> Option<Period> {
    Some(Period {
        start: start.timestamp(),
        end: end.timestamp(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn dates_cover_what_they_say() {
        for (value, start, end) in [
            ("2010", "2010-01-01T00:00:00Z", "2011-01-01T00:00:00Z"),
            ("2010-12", "2010-12-01T00:00:00Z", "2011-01-01T00:00:00Z"),
            ("2012-02-29", "2012-02-29T00:00:00Z", "2012-03-01T00:00:00Z"),
            (
                "2010-12-31T10:00:00",
                "2010-12-31T10:00:00Z",
                "2010-12-31T10:00:00.001Z",
            ),
            (
                " 2010-12-31T10:00:00+02:00 ",
                "2010-12-31T08:00:00Z",
                "2010-12-31T08:00:00.001Z",
            ),
        ] {
            let period = Period::parse(value).unwrap();
            assert_eq!(
                (period.start, period.end),
                (time(start), time(end)),
                "{value}"
            );
        }
        for value in [
            "",
            "10",
            "2010-13",
            "2010-02-30",
            "2010-1",
            "yesterday",
            "99999",
            "-2010",
            "2010-12-31T25:00:00",
        ] {
            assert!(Period::parse(value).is_err(), "{value}");
        }
    }

    #[test]
    fn what_is_no_property_is_an_attribute() {
        assert_eq!(
            Property::of_user("description"),
            Property::Attribute("description")
        );
        assert_eq!(Property::of_group("email"), Property::Attribute("email"));
        assert_eq!(Property::of_group("description"), Property::Description);
        assert_eq!(Property::of_user("name"), Property::Name);
    }

    proptest! {
        #[test]
        fn random_dates_never_panic(value in "[0-9TZ:+. -]{0,30}") {
            let _ = Period::parse(&value);
        }
    }
}
