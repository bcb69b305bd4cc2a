//! Notifications: what administrators are told of without asking (US-51).
//!
//! What stands is computed from what is stored, and compared with what a channel was told. So nothing is told twice,
//! nothing is lost when a message is, and whoever looks, on whichever node, comes to the same.

mod channel;
mod message;
mod news;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::ConnectorId;

pub use channel::{
    ChatFormat, ChatSettings, EVERY_MINUTES_DEFAULT, MailSecurity, MailSettings, RECIPIENTS_MAX,
    Way, WebhookSettings, check_every, check_way,
};
pub use message::{Message, MessageKind, TOLD_MAX};
pub use news::{Comparison, Told, Wants, compare};

/// Days before its end at which a token is told of.
const TOKEN_DAYS: [i64; 4] = [30, 14, 7, 1];
/// A token that ended is told of for so long.
const ENDED_TOLD_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What administrators can be told of, in the order of a message: first what waits for somebody.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum Event {
    /// Changes that safety limits keep back until somebody decides.
    #[serde(rename = "hold.created")]
    HoldCreated,
    /// Such changes that have waited for longer than the connector's settings want.
    #[serde(rename = "hold.escalated")]
    HoldEscalated,
    /// Users whose name somebody else has.
    #[serde(rename = "conflict.created")]
    ConflictCreated,
    /// Groups of the identity provider that wait for a decision.
    #[serde(rename = "group.waiting")]
    GroupWaiting,
    /// Users whom the rules cannot evaluate, or to whom they give a value that cannot be used.
    #[serde(rename = "evaluation.failed")]
    EvaluationFailed,
    /// A job or an import that cannot go on.
    #[serde(rename = "job.failed")]
    JobFailed,
    /// An identity provider that has stopped coming.
    #[serde(rename = "connector.silent")]
    ConnectorSilent,
    /// A product that has stopped fetching.
    #[serde(rename = "application.silent")]
    ApplicationSilent,
    /// Groups that the identity provider renamed and that products know by the name before.
    #[serde(rename = "group.renamed")]
    GroupRenamed,
    /// A token that ends in 30, 14, 7 days, or in one.
    #[serde(rename = "token.expiring")]
    TokenExpiring,
    /// A token that has ended.
    #[serde(rename = "token.expired")]
    TokenExpired,
    /// A webhook or a channel whose other end does not answer.
    #[serde(rename = "delivery.failed")]
    DeliveryFailed,
}

impl Event {
    /// Every one there is.
    pub const ALL: [Event; 12] = [
        Event::HoldCreated,
        Event::HoldEscalated,
        Event::ConflictCreated,
        Event::GroupWaiting,
        Event::EvaluationFailed,
        Event::JobFailed,
        Event::ConnectorSilent,
        Event::ApplicationSilent,
        Event::GroupRenamed,
        Event::TokenExpiring,
        Event::TokenExpired,
        Event::DeliveryFailed,
    ];

    /// The word used in storage, messages and settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Event::HoldCreated => "hold.created",
            Event::HoldEscalated => "hold.escalated",
            Event::ConflictCreated => "conflict.created",
            Event::GroupWaiting => "group.waiting",
            Event::EvaluationFailed => "evaluation.failed",
            Event::JobFailed => "job.failed",
            Event::ConnectorSilent => "connector.silent",
            Event::ApplicationSilent => "application.silent",
            Event::GroupRenamed => "group.renamed",
            Event::TokenExpiring => "token.expiring",
            Event::TokenExpired => "token.expired",
            Event::DeliveryFailed => "delivery.failed",
        }
    }

    /// Reads the word used in storage, messages and settings.
    pub fn parse(text: &str) -> Option<Event> {
        Event::ALL.into_iter().find(|event| event.as_str() == text)
    }

    /// What it is, for people.
    pub const fn called(self) -> &'static str {
        match self {
            Event::HoldCreated => "Changes wait for a decision",
            Event::HoldEscalated => "Changes have waited for long",
            Event::ConflictCreated => "A user’s name is taken",
            Event::GroupWaiting => "A group waits for a decision",
            Event::EvaluationFailed => "A user cannot be evaluated, or gets an unusable value",
            Event::JobFailed => "A job or an import failed",
            Event::ConnectorSilent => "An identity provider is silent, or comes again",
            Event::ApplicationSilent => "A product has stopped fetching, or fetches again",
            Event::GroupRenamed => "A group was renamed, and products keep the name before",
            Event::TokenExpiring => "A token ends in 30, 14, 7 days or 1 day",
            Event::TokenExpired => "A token has ended",
            Event::DeliveryFailed => "A webhook or another channel fails",
        }
    }
}

/// Something that administrators should know, as long as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What it is.
    pub event: Event,
    /// What it is about, so that it is known again.
    pub about: String,
    /// The connector that it is about, with its name.
    pub connector: Option<(ConnectorId, String)>,
    /// Grows when it is told anew.
    pub mark: i64,
    /// How many things it is; it is told anew when there are more. None is that it is over, which is told to who was told
    /// that it was not.
    pub count: i64,
    /// Since when it stands.
    pub since: Timestamp,
    /// What there is, in a sentence.
    pub title: String,
    /// More of it; may be empty.
    pub detail: String,
    /// The page of the console where something can be done about it.
    pub path: String,
}

impl Standing {
    /// By what it is known again.
    pub fn key(&self) -> String {
        format!("{} {}", self.event.as_str(), self.about)
    }
}

/// How far a token is on the way to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenEnd {
    /// It ends in so many days at most; the mark grows as they get fewer.
    Soon {
        /// 30, 14, 7 or 1.
        days: i64,
        /// 1 for the first of them.
        mark: i64,
    },
    /// It has ended, not long ago.
    Over,
}

/// The moments between which a token has to end to be told of now.
pub fn token_ends_told(now: Timestamp) -> (Timestamp, Timestamp) {
    let ahead = SignedDuration::from_hours(TOKEN_DAYS[0] * 24);
    (
        now.checked_sub(ENDED_TOLD_FOR).unwrap_or(Timestamp::MIN),
        now.checked_add(ahead).unwrap_or(Timestamp::MAX),
    )
}

/// What is to be told of a token that ends then, if anything.
pub fn token_end(expires: Timestamp, now: Timestamp) -> Option<TokenEnd> {
    let left = expires.duration_since(now);
    if left <= SignedDuration::ZERO {
        return (-left <= ENDED_TOLD_FOR).then_some(TokenEnd::Over);
    }
    let within = |days: &&i64| left <= SignedDuration::from_hours(**days * 24);
    let mut passed = TOKEN_DAYS.iter().filter(within);
    let mark = i64::try_from(passed.clone().count()).unwrap_or_default();
    let days = passed.next_back().copied()?;
    Some(TokenEnd::Soon { days, mark })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back_and_are_the_same_in_json() {
        for event in Event::ALL {
            assert_eq!(Event::parse(event.as_str()), Some(event));
            assert_eq!(serde_json::to_value(event).unwrap(), event.as_str());
        }
        assert_eq!(Event::parse("hold"), None);
    }

    #[test]
    fn a_token_is_told_of_at_each_of_four_days_and_when_it_ended() {
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        let in_hours = |hours: i64| token_end(now + SignedDuration::from_hours(hours), now);
        let soon = |days, mark| Some(TokenEnd::Soon { days, mark });
        assert_eq!(in_hours(30 * 24 + 1), None);
        assert_eq!(in_hours(30 * 24), soon(30, 1));
        assert_eq!(in_hours(14 * 24 + 1), soon(30, 1));
        assert_eq!(in_hours(14 * 24), soon(14, 2));
        assert_eq!(in_hours(7 * 24), soon(7, 3));
        assert_eq!(in_hours(24), soon(1, 4));
        assert_eq!(in_hours(1), soon(1, 4));
        assert_eq!(in_hours(0), Some(TokenEnd::Over));
        assert_eq!(in_hours(-7 * 24), Some(TokenEnd::Over));
        assert_eq!(in_hours(-7 * 24 - 1), None);
        let (from, to) = token_ends_told(now);
        assert_eq!(token_end(from, now), Some(TokenEnd::Over));
        assert_eq!(token_end(to, now), soon(30, 1));
    }
}
