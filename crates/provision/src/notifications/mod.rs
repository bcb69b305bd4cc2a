//! Telling administrators: channels, and what each of them is still to be told (US-51).

pub(crate) mod channels;
pub(crate) mod secrets;
mod sender;
mod silence;
mod survey;

use directory::notification::{Comparison, Event, Message, Standing, Told, compare};
use jiff::{SignedDuration, Timestamp};
use store::{Channel, ReadTx, Scope, StoreError, WriteTx};

pub use channels::ChannelWish;
pub use secrets::signing_key;
pub use sender::{Letter, NotificationSender, Sent};
pub use silence::{Presence, SilenceReport, poll_report, presence, silence_report};

use crate::webhooks::{later, wait_after};
use crate::{Provision, ProvisionError};

/// Who sends by a channel keeps it for so long; by then the sender is done, or gone.
const CLAIM: SignedDuration = SignedDuration::from_secs(120);
/// Failures in a row from which a webhook or a channel is told of.
const FAILURES_TOLD: i64 = 5;
/// Characters of an error or an answer that are kept.
const KEPT_CHARS: usize = 500;

/// A channel that was taken to send by it.
#[derive(Debug, Clone)]
pub struct ClaimedNotification {
    /// The channel.
    pub channel: Channel,
    /// What is to be sent.
    pub message: Message,
    /// Until when it is ours.
    until: Timestamp,
}

impl Provision {
    /// Takes channels that have something to tell, at most so many: on every node nobody else gets them until they are
    /// reported, or their time is over.
    pub async fn claim_notifications(
        &self,
        limit: usize,
    ) -> Result<Vec<ClaimedNotification>, ProvisionError> {
        let behind = self
            .store()
            .read(move |tx| {
                let mut behind = behind(tx)?;
                behind.truncate(limit);
                Ok::<_, StoreError>(behind)
            })
            .await?;
        if behind.is_empty() {
            return Ok(Vec::new());
        }
        self.store()
            .write(Scope::Settings, move |tx| {
                let mut claimed = Vec::new();
                for (channel, found) in &behind {
                    keep_up(tx, channel, found)?;
                    claimed.extend(claim(tx, channel, &found.news)?);
                }
                Ok(claimed)
            })
            .await
    }

    /// Sends what a claimed channel has to tell and notes what came of it. Gives the channel as it is from now on.
    pub async fn send_notification(
        &self,
        claimed: ClaimedNotification,
    ) -> Result<Channel, ProvisionError> {
        let outcome = self.send(&claimed.channel, &claimed.message).await;
        self.store()
            .write(Scope::Settings, move |tx| {
                let now = tx.now();
                let after = match &outcome {
                    Ok(answer) => {
                        let every = i64::from(claimed.channel.draft.every_minutes);
                        Channel {
                            next_try: later(now, SignedDuration::from_mins(every)),
                            ..succeeded(&claimed.channel, answer, now)
                        }
                    }
                    Err(why) => {
                        let after = failed(&claimed.channel, why, now);
                        Channel {
                            next_try: later(now, wait_after(after.failures)),
                            ..after
                        }
                    }
                };
                if tx.note_attempt(&after, claimed.until)? && outcome.is_ok() {
                    for one in &claimed.message.news {
                        if one.count == 0 {
                            tx.forget_told(after.pk, &one.key())?;
                            continue;
                        }
                        let told = Told {
                            mark: one.mark,
                            count: one.count,
                        };
                        tx.set_told(after.pk, &one.key(), told)?;
                    }
                }
                Ok(after)
            })
            .await
    }

    /// Sends a message by a channel that tells nothing but that it arrives, and says what the other end said, or why it
    /// does not arrive.
    pub async fn test_channel(&self, name: &str) -> Result<Result<String, String>, ProvisionError> {
        let wanted = name.to_owned();
        let channel = self.store().look_up(move |tx| find(tx, &wanted)).await?;
        let message = Message::of_test(&channel.id, self.store().now());
        let outcome = self.send(&channel, &message).await;
        let told = outcome.clone();
        self.store()
            .write(Scope::Settings, move |tx| {
                let now = tx.now();
                // When something is told next stays as it is, but for a channel that works again.
                let claimed = channel.next_try;
                let after = match &outcome {
                    Ok(answer) => Channel {
                        next_try: match channel.failures {
                            0 => claimed,
                            _ => claimed.min(now),
                        },
                        ..succeeded(&channel, answer, now)
                    },
                    Err(why) => failed(&channel, why, now),
                };
                Ok::<_, ProvisionError>(tx.note_attempt(&after, claimed)?)
            })
            .await?;
        Ok(told)
    }

    /// Sends by a channel: what the other end said, or why it was not sent.
    async fn send(&self, channel: &Channel, message: &Message) -> Result<String, String> {
        let Some(sender) = self.inner.sender.get() else {
            return Err("this program sends no notifications; a running server does".to_owned());
        };
        let secret = self.channel_secret(channel);
        let secret = secret.map_err(|error| error.to_string())?;
        let way = &channel.draft.way;
        let sent = sender.send(way, secret.as_deref(), message).await;
        sent.map(|text| shortened(&text))
            .map_err(|text| shortened(&text))
    }
}

pub(crate) fn shortened(text: &str) -> String {
    let plain = text.chars().filter(|c| !c.is_control() || *c == ' ');
    plain.take(KEPT_CHARS).collect()
}

/// Channels for which what stands differs from what they were told.
fn behind(tx: &ReadTx<'_>) -> Result<Vec<(Channel, Comparison)>, StoreError> {
    let channels = tx.channels_to_try()?;
    if channels.is_empty() {
        return Ok(Vec::new());
    }
    let standing = survey::standing(tx, FAILURES_TOLD)?;
    let mut behind = Vec::new();
    for channel in channels {
        // Of itself it cannot tell.
        let own = survey::about_channel(&channel);
        let others: Vec<Standing> = standing
            .iter()
            .filter(|one| one.event != Event::DeliveryFailed || one.about != own)
            .cloned()
            .collect();
        let found = compare(&others, &tx.told(channel.pk)?, &channel.draft.wants);
        if found != Comparison::default() {
            behind.push((channel, found));
        }
    }
    Ok(behind)
}

/// Remembers what there is less of, and forgets what is over.
fn keep_up(tx: &WriteTx<'_>, channel: &Channel, found: &Comparison) -> Result<(), StoreError> {
    for (key, told) in &found.fewer {
        tx.set_told(channel.pk, key, *told)?;
    }
    for key in &found.ended {
        tx.forget_told(channel.pk, key)?;
    }
    Ok(())
}

fn claim(
    tx: &WriteTx<'_>,
    channel: &Channel,
    news: &[Standing],
) -> Result<Option<ClaimedNotification>, ProvisionError> {
    let now = tx.now();
    let until = later(now, CLAIM);
    if news.is_empty() || !tx.claim_channel(channel.pk, channel.next_try, until)? {
        return Ok(None);
    }
    Ok(Some(ClaimedNotification {
        channel: channel.clone(),
        message: Message::of_news(&channel.id, news.to_vec(), now),
        until,
    }))
}

fn succeeded(channel: &Channel, answer: &str, now: Timestamp) -> Channel {
    Channel {
        failures: 0,
        failing_since: None,
        last_error: None,
        last_success: Some(now),
        last_answer: Some(answer.to_owned()),
        ..channel.clone()
    }
}

fn failed(channel: &Channel, why: &str, now: Timestamp) -> Channel {
    Channel {
        failures: channel.failures + 1,
        failing_since: channel.failing_since.or(Some(now)),
        last_error: Some(why.to_owned()),
        ..channel.clone()
    }
}

pub(crate) fn find(tx: &ReadTx<'_>, name: &str) -> Result<Channel, ProvisionError> {
    tx.find_channel(name)?
        .ok_or_else(|| ProvisionError::not_found("notification channel", name))
}
