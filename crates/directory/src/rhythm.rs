//! How often somebody comes by, and whether they have stopped: told from when they came.

use jiff::{SignedDuration, Timestamp};

/// What comes within this time belongs to one visit.
const VISIT: SignedDuration = SignedDuration::from_secs(120);
/// With fewer pauses nothing is told of a rhythm.
const PAUSES_MIN: usize = 5;
/// Silence is a pause so many times as long as usual.
const SILENT_AFTER: i32 = 3;
/// A shorter pause is no silence, however often somebody usually comes.
const SILENCE_MIN: SignedDuration = SignedDuration::from_mins(15);
/// Visits that are remembered where nothing else keeps them.
const VISITS_KEPT: usize = 24;

/// Remembers that somebody came, in moments with the newest first; what belongs to the last visit adds nothing.
pub fn remember(visits: &mut Vec<Timestamp>, at: Timestamp) {
    let is_new = |last: &Timestamp| at.duration_since(*last) > VISIT;
    if visits.first().is_none_or(is_new) {
        visits.insert(0, at);
        visits.truncate(VISITS_KEPT);
    }
}

/// The usual pause between two visits, half of them being shorter; none if there are too few to tell. The moments are in
/// order, the newest first.
pub fn usual_pause(moments: &[Timestamp]) -> Option<SignedDuration> {
    let pauses = moments.windows(2).filter_map(|two| match two {
        [later, earlier] => Some(later.duration_since(*earlier)),
        _ => None,
    });
    let mut pauses: Vec<SignedDuration> = pauses.filter(|pause| *pause > VISIT).collect();
    if pauses.len() < PAUSES_MIN {
        return None;
    }
    let middle = pauses.len() / 2;
    let (_, median, _) = pauses.select_nth_unstable(middle);
    Some(*median)
}

/// Whether somebody has been away for long enough to be silent, however often they usually come.
pub fn may_be_silent(since_last: SignedDuration) -> bool {
    since_last > SILENCE_MIN
}

/// Whether somebody who usually comes after such a pause has stopped.
pub fn is_silent(usual: SignedDuration, since_last: SignedDuration) -> bool {
    let limit = usual.checked_mul(SILENT_AFTER);
    may_be_silent(since_last) && limit.is_some_and(|limit| since_last > limit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    #[test]
    fn forty_minutes_are_forty_minutes_whatever_a_visit_is() {
        // Ten visits of thirty requests each, forty minutes apart.
        let mut moments: Vec<Timestamp> = (0..10)
            .flat_map(|visit| (0..30).map(move |request| at(visit * 2_400 + request)))
            .collect();
        moments.reverse();
        let usual = usual_pause(&moments).unwrap();
        assert!(usual > SignedDuration::from_mins(39) && usual <= SignedDuration::from_mins(40));
        assert!(!is_silent(usual, SignedDuration::from_mins(100)));
        assert!(is_silent(usual, SignedDuration::from_hours(3)));
        assert_eq!(
            usual_pause(&moments[..100]),
            None,
            "three pauses tell nothing"
        );
        assert!(!is_silent(
            SignedDuration::from_secs(130),
            SignedDuration::from_mins(14)
        ));
    }

    #[test]
    fn a_visit_is_remembered_once_and_only_the_last_ones_are() {
        let mut visits = Vec::new();
        for visit in 0..100 {
            for request in [0, 1, 100] {
                remember(&mut visits, at(visit * 3_600 + request));
            }
        }
        assert_eq!(visits.len(), VISITS_KEPT);
        assert_eq!(visits[0], at(99 * 3_600));
        assert_eq!(usual_pause(&visits), Some(SignedDuration::from_hours(1)));
        // Another node that writes late does not turn the order round.
        remember(&mut visits, at(98 * 3_600));
        assert_eq!(visits[0], at(99 * 3_600));
    }

    proptest! {
        #[test]
        fn the_usual_pause_is_one_that_happened(mut seconds in prop::collection::vec(0_i64..1_000_000, 0..60)) {
            seconds.sort_unstable();
            let moments: Vec<Timestamp> = seconds.iter().rev().map(|second| at(*second)).collect();
            if let Some(usual) = usual_pause(&moments) {
                prop_assert!(usual > VISIT);
                prop_assert!(seconds.windows(2).any(|two| two[1] - two[0] == usual.as_secs()));
            }
        }
    }
}
