//! Dates in texts: ISO 8601 in and out, in UTC.

use jiff::civil::{Date, DateTime};
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

use super::{DateSpan, DateUnit};

/// Reads ISO 8601: an instant, a date with a time, or a date alone; without a zone it is UTC.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(instant) = text.parse() {
        return Some(instant);
    }
    let at = match text.parse::<DateTime>() {
        Ok(at) => at,
        Err(_no_time) => text.parse::<Date>().ok()?.at(0, 0, 0, 0),
    };
    in_utc(at)
}

/// Reads a text of another format; without a zone it is UTC.
pub(crate) fn parse_as(format: &str, text: &str) -> Option<Timestamp> {
    let parts = strtime::parse(format, text.trim()).ok()?;
    if let Ok(instant) = parts.to_timestamp() {
        return Some(instant);
    }
    let at = match parts.to_datetime() {
        Ok(at) => at,
        Err(_no_time) => parts.to_date().ok()?.at(0, 0, 0, 0),
    };
    in_utc(at)
}

fn in_utc(at: DateTime) -> Option<Timestamp> {
    at.to_zoned(TimeZone::UTC).ok().map(|it| it.timestamp())
}

/// Writes an instant in a format; none if the format has fields that do not exist.
pub(crate) fn format(format: &str, at: Timestamp) -> Option<String> {
    strtime::format(format, &at.to_zoned(TimeZone::UTC)).ok()
}

/// Adds to an instant by the calendar, the largest units first; none if it leaves the years that there are.
pub(crate) fn add(at: Timestamp, by: &DateSpan) -> Option<Timestamp> {
    // One by one, as a span of the library has one sign for all its units.
    let spans = [
        Span::new().try_years(by.years),
        Span::new().try_months(by.months),
        Span::new().try_weeks(by.weeks),
        Span::new().try_days(by.days),
        Span::new().try_hours(by.hours),
        Span::new().try_minutes(by.minutes),
    ];
    let mut at = at.to_zoned(TimeZone::UTC);
    for span in spans {
        at = at.checked_add(span.ok()?).ok()?;
    }
    Some(at.timestamp())
}

/// Whole units from one instant to another.
pub(crate) fn units(from: Timestamp, to: Timestamp, unit: DateUnit) -> i64 {
    let seconds = SignedDuration::as_secs(&to.duration_since(from));
    seconds
        / match unit {
            DateUnit::Weeks => 7 * 24 * 3_600,
            DateUnit::Days => 24 * 3_600,
            DateUnit::Hours => 3_600,
            DateUnit::Minutes => 60,
            DateUnit::Seconds => 1,
        }
}
