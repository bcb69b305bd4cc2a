//! Schedules: when a connector is reconciled by itself, said as a cron expression in a time zone.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The word for no schedule.
const OFF: &str = "off";
/// Runs of different connectors are spread over so many seconds behind the minute that the expression names.
pub const SPREAD_SECONDS: u64 = 300;
/// Days that are looked through for the next run: the 29th of February may be eight years away.
const DAYS_MAX: u32 = 8 * 366 + 2;
const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// When a connector is reconciled by itself, as it is stored (US-39).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Schedule {
    /// Minute, hour, day of the month, month and day of the week, as cron has them; `off` for never.
    pub cron: String,
    /// The IANA name of the time zone in which that is meant.
    pub time_zone: String,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            cron: OFF.to_owned(),
            time_zone: "UTC".to_owned(),
        }
    }
}

impl Schedule {
    /// Every night at three, which new connectors have.
    pub fn nightly() -> Self {
        Self {
            cron: "0 3 * * *".to_owned(),
            ..Self::default()
        }
    }

    /// The schedule ready for use, none if it is off, or what is wrong with it and what to do.
    pub fn compile(&self) -> Result<Option<Timing>, String> {
        let zone = TimeZone::get(&self.time_zone).map_err(|_unknown| {
            format!(
                "'{}' is no time zone; write an IANA name such as UTC or Europe/Berlin",
                self.time_zone
            )
        })?;
        if self.cron.trim().eq_ignore_ascii_case(OFF) {
            return Ok(None);
        }
        let cron = Cron::parse(&self.cron)?;
        if cron.next(Timestamp::UNIX_EPOCH, &zone).is_none() {
            return Err(format!("'{}' never comes", self.cron));
        }
        Ok(Some(Timing { cron, zone }))
    }
}

/// A schedule ready for use.
#[derive(Clone, Debug)]
pub struct Timing {
    cron: Cron,
    zone: TimeZone,
}

impl Timing {
    /// The first run behind a moment. `name` stands for what is run: those of different names are spread over
    /// [`SPREAD_SECONDS`], always in the same manner.
    pub fn next(&self, behind: Timestamp, name: &str) -> Option<Timestamp> {
        let delay = SignedDuration::from_secs(i64::try_from(spread(name)).unwrap_or(0));
        let from = behind.checked_sub(delay).ok()?;
        self.cron.next(from, &self.zone)?.checked_add(delay).ok()
    }
}

/// A number below [`SPREAD_SECONDS`] that is the same for the same name everywhere (FNV-1a).
fn spread(name: &str) -> u64 {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash % SPREAD_SECONDS
}

/// The most hours that clocks are put forward at once.
const SKIPPED_HOURS_MAX: i8 = 2;

/// The sets of values that an expression names, as bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cron {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// Days of the month or of the week count alone if the other says `*`; if both say something, either will do.
    either_day: bool,
}

impl Cron {
    fn parse(text: &str) -> Result<Self, String> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields.as_slice() else {
            return Err(format!(
                "'{text}' has {} fields; write five: minute, hour, day of the month, month, day of the week, as in \
                 0 3 * * *, or off",
                fields.len()
            ));
        };
        let weekdays = field(weekday, "day of the week", (0, 7), &WEEKDAYS, 0)?;
        Ok(Self {
            minutes: field(minute, "minute", (0, 59), &[], 0)?,
            hours: field(hour, "hour", (0, 23), &[], 0)?,
            days: field(day, "day of the month", (1, 31), &[], 0)?,
            months: field(month, "month", (1, 12), &MONTHS, 1)?,
            // Sunday is 0 and 7.
            weekdays: (weekdays | (weekdays >> 7)) & 0x7f,
            either_day: !day.starts_with('*') && !weekday.starts_with('*'),
        })
    }

    fn next(&self, behind: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let start = behind.to_zoned(zone.clone()).datetime();
        let mut date = start.date();
        for _ in 0..DAYS_MAX {
            if self.has_date(date) {
                // What was skipped when clocks were put forward is still to come a little later.
                let first = match date == start.date() {
                    true => (start.hour() - SKIPPED_HOURS_MAX).max(0),
                    false => 0,
                };
                let found = self.on(date, first, zone, behind);
                if found.is_some() {
                    return found;
                }
            }
            date = date.tomorrow().ok()?;
        }
        None
    }

    /// The first moment behind another on this date, from an hour on. Where clocks are put forward, what is skipped
    /// happens by as much later; where they are put back, it happens once.
    fn on(
        &self,
        date: Date,
        first_hour: i8,
        zone: &TimeZone,
        behind: Timestamp,
    ) -> Option<Timestamp> {
        let hours = (first_hour..24).filter(|hour| has(self.hours, *hour));
        let minutes = |hour: i8| {
            (0..60)
                .filter(|minute| has(self.minutes, *minute))
                .map(move |minute| date.at(hour, minute, 0, 0))
        };
        hours
            .flat_map(minutes)
            .filter_map(|time| zone.to_timestamp(time).ok())
            .find(|moment| *moment > behind)
    }

    fn has_date(&self, date: Date) -> bool {
        let day = has(self.days, date.day());
        let weekday = has(self.weekdays, date.weekday().to_sunday_zero_offset());
        let fits = match self.either_day {
            true => day || weekday,
            false => day && weekday,
        };
        fits && has(self.months, date.month())
    }
}

fn has(set: u64, value: i8) -> bool {
    u32::try_from(value).is_ok_and(|value| set & (1_u64 << value) != 0)
}

/// The values that one field names, as bits. `names` stand for the numbers from `first_name` on.
fn field(
    text: &str,
    what: &str,
    (least, most): (u32, u32),
    names: &[&str],
    first_name: u32,
) -> Result<u64, String> {
    let wrong = || {
        format!(
            "'{text}' is no {what}; write *, or values from {least} to {most} with commas between, ranges such as \
             {least}-{most}, or steps such as */2"
        )
    };
    let value = |text: &str| -> Result<u32, String> {
        let named = names
            .iter()
            .position(|name| text.eq_ignore_ascii_case(name));
        let number = match named {
            Some(index) => u32::try_from(index)
                .unwrap_or(u32::MAX)
                .saturating_add(first_name),
            None if text.bytes().all(|byte| byte.is_ascii_digit()) => {
                text.parse().map_err(|_error| wrong())?
            }
            None => return Err(wrong()),
        };
        match (least..=most).contains(&number) {
            true => Ok(number),
            false => Err(wrong()),
        }
    };
    let mut set = 0;
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(step.parse::<u32>().map_err(|_error| wrong())?)),
            None => (part, None),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (least, most),
            Some((from, to)) => (value(from)?, value(to)?),
            None => {
                let from = value(range)?;
                (from, if step.is_some() { most } else { from })
            }
        };
        if from > to || step == Some(0) {
            return Err(wrong());
        }
        let step = usize::try_from(step.unwrap_or(1)).unwrap_or(usize::MAX);
        set |= (from..=to)
            .step_by(step)
            .fold(0, |set, value| set | (1_u64 << value));
    }
    Ok(set)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn runs(cron: &str, zone: &str, from: &str, count: usize) -> Vec<String> {
        let schedule = Schedule {
            cron: cron.into(),
            time_zone: zone.into(),
        };
        let timing = schedule.compile().unwrap().unwrap();
        let mut at: Timestamp = from.parse().unwrap();
        let mut found = Vec::new();
        for _ in 0..count {
            at = timing.cron.next(at, &timing.zone).unwrap();
            found.push(at.to_string());
        }
        found
    }

    #[test]
    fn expressions_mean_what_cron_means() {
        let from = "2026-11-29T20:00:00Z";
        assert_eq!(
            runs("0 3 * * *", "UTC", from, 2),
            ["2026-11-30T03:00:00Z", "2026-12-01T03:00:00Z"]
        );
        assert_eq!(
            runs("*/20 20,21 * * *", "UTC", from, 4),
            [
                "2026-11-29T20:20:00Z",
                "2026-11-29T20:40:00Z",
                "2026-11-29T21:00:00Z",
                "2026-11-29T21:20:00Z"
            ]
        );
        // Either the 1st or a Sunday.
        assert_eq!(
            runs("0 0 1 * 7", "UTC", from, 3),
            [
                "2026-12-01T00:00:00Z",
                "2026-12-06T00:00:00Z",
                "2026-12-13T00:00:00Z"
            ]
        );
        assert_eq!(
            runs("5/30 9-10 * JAN-mar/2 Mon", "UTC", from, 2),
            ["2027-01-04T09:05:00Z", "2027-01-04T09:35:00Z"]
        );
        assert_eq!(runs("0 0 29 2 *", "UTC", from, 1), ["2028-02-29T00:00:00Z"]);
    }

    #[test]
    fn clocks_that_are_changed_lose_no_run_and_repeat_none() {
        // At 2:00 it is 3:00 in Berlin on 2027-03-28; on 2026-10-25 it is 2:30 twice.
        assert_eq!(
            runs("30 2 * * *", "Europe/Berlin", "2027-03-27T12:00:00Z", 2),
            ["2027-03-28T01:30:00Z", "2027-03-29T00:30:00Z"]
        );
        assert_eq!(
            runs("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2),
            ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]
        );
    }

    #[test]
    fn what_cannot_be_is_refused_with_what_to_write() {
        let message = |cron: &str, zone: &str| {
            let schedule = Schedule {
                cron: cron.into(),
                time_zone: zone.into(),
            };
            schedule.compile().unwrap_err()
        };
        for (cron, part) in [
            ("", "0 fields"),
            ("0 3 * *", "4 fields"),
            ("60 3 * * *", "'60' is no minute"),
            ("0 3 * * mo", "'mo' is no day of the week"),
            ("0 5-3 * * *", "'5-3' is no hour"),
            ("*/0 * * * *", "'*/0' is no minute"),
            ("0 +3 * * *", "'+3' is no hour"),
            ("0 0 31 2 *", "never comes"),
            ("0 0 , * *", "',' is no day of the month"),
        ] {
            assert!(
                message(cron, "UTC").contains(part),
                "{cron}: {}",
                message(cron, "UTC")
            );
        }
        assert!(message("0 3 * * *", "Berlin").contains("IANA"));
        assert!(Schedule::default().compile().unwrap().is_none());
    }

    proptest! {
        #[test]
        fn runs_come_one_after_the_other_and_are_spread(
            minute in 0_u32..60, hour in 0_u32..24, start in 1_500_000_000_i64..1_900_000_000, name in "[a-z0-9-]{1,40}"
        ) {
            let schedule = Schedule { cron: format!("{minute} {hour} * * *"), time_zone: "America/New_York".into() };
            let timing = schedule.compile().unwrap().unwrap();
            let from = Timestamp::from_second(start).unwrap();
            let first = timing.next(from, &name).unwrap();
            let second = timing.next(first, &name).unwrap();
            prop_assert!(first > from);
            prop_assert!(first.duration_since(from) <= SignedDuration::from_hours(25));
            let between = second.duration_since(first).as_hours();
            prop_assert!((22..=25).contains(&between), "{first} {second}");
            // The same from any moment before it.
            let before = first.checked_sub(SignedDuration::from_secs(1)).unwrap();
            prop_assert_eq!(timing.next(before, &name).unwrap(), first);
        }

        #[test]
        fn no_text_makes_it_panic(cron in "\\PC{0,30}", zone in "\\PC{0,12}") {
            let _any = Schedule { cron, time_zone: zone }.compile();
        }

        #[test]
        fn no_expression_makes_it_panic(cron in "[0-9*/,-]{1,6} [0-9*/,-]{1,6} [0-9*/,-]{1,6} [0-9*/,-]{1,6} [0-9*/,-]{1,6}") {
            let _any = Schedule { cron, time_zone: "UTC".into() }.compile();
        }
    }
}
