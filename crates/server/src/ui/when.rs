//! Moments as people read them: how long ago, with the time itself behind it.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

/// A moment seen from another one. It writes itself as HTML.
#[derive(Clone, Copy)]
pub(super) struct When {
    at: Timestamp,
    now: Timestamp,
}

impl When {
    pub(super) fn new(at: Timestamp, now: Timestamp) -> Self {
        Self { at, now }
    }

    /// The time of day, which stays the same while a page is looked at.
    pub(super) fn clock(&self) -> String {
        let at = self.at;
        let (shown, full) = (
            at.strftime("%H:%M:%S"),
            at.strftime("%Y-%m-%d %H:%M:%S UTC"),
        );
        format!("<time datetime=\"{at:.0}\" title=\"{full}\">{shown}</time>")
    }

    /// In words, without markup.
    pub(super) fn words(&self) -> String {
        let away = self.now.duration_since(self.at);
        match away.as_secs() {
            0..=9 => "just now".to_owned(),
            ..0 => format!("in {}", length(away)),
            _ => format!("{} ago", length(away)),
        }
    }
}

/// How long something lasts, in the unit that fits.
pub(super) fn length(time: SignedDuration) -> String {
    let amount = time.as_secs().unsigned_abs();
    let (count, unit) = match amount {
        0..=89 => (amount, "s"),
        90..=5_399 => (amount.div_ceil(60), "min"),
        5_400..=129_599 => ((amount + 1_800) / 3_600, "h"),
        _ => ((amount + 43_200) / 86_400, "days"),
    };
    format!("{count} {unit}")
}

/// A time has digits and letters only, so nothing in it needs escaping.
impl fmt::Display for When {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (at, words) = (self.at, self.words());
        let full = at.strftime("%Y-%m-%d %H:%M:%S UTC");
        write!(
            out,
            "<time datetime=\"{at:.0}\" title=\"{full}\">{words}</time>"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_told_in_the_unit_that_fits() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let words = |seconds: i64| {
            let at = Timestamp::from_second(now.as_second() - seconds).unwrap();
            When::new(at, now).words()
        };
        for (seconds, told) in [
            (0, "just now"),
            (9, "just now"),
            (10, "10 s ago"),
            (89, "89 s ago"),
            (90, "2 min ago"),
            (3_600, "60 min ago"),
            (7_200, "2 h ago"),
            (3 * 86_400, "3 days ago"),
            (-30, "in 30 s"),
            (-86_400 * 2, "in 2 days"),
        ] {
            assert_eq!(words(seconds), told, "{seconds}");
        }
        let shown = When::new(now, now).to_string();
        assert_eq!(
            shown,
            "<time datetime=\"2026-03-01T12:00:00Z\" title=\"2026-03-01 12:00:00 UTC\">just now</time>"
        );
    }
}
