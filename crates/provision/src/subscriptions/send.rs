//! Telling subscriptions: who takes one tells it one batch, and notes what came of that.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use store::{Delivery, DeliveryState, Scope, StoreError, Subscription, WriteTx};

use super::batch::{self, Step, next_step};
use super::{find, find_delivery, unchanged};
use crate::Letter;
use crate::notifications::shortened;
use crate::webhooks::{is_hopeless, later, wait_after};
use crate::{Provision, ProvisionError};

/// Who tells a subscription keeps it for so long; by then the sender is done, or gone.
const CLAIM: SignedDuration = SignedDuration::from_secs(120);
/// What was told is kept for so long.
const KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A batch that was taken to be sent.
#[derive(Debug, Clone)]
pub struct ClaimedBatch {
    /// Whom it is for.
    pub subscription: Subscription,
    delivery: Delivery,
    events: Vec<Value>,
    /// Until when it is ours.
    until: Timestamp,
}

impl Provision {
    /// Takes subscriptions that have something to be told, at most so many: on every node nobody else gets them until they
    /// are reported, or their time is over.
    pub async fn claim_batches(&self, limit: usize) -> Result<Vec<ClaimedBatch>, ProvisionError> {
        let this = self.clone();
        let behind = self
            .store()
            .read(move |tx| {
                let mut behind = Vec::new();
                for subscription in tx.subscriptions_to_try()? {
                    if next_step(&this, tx, &subscription)?.is_some() {
                        behind.push(subscription);
                    }
                    if behind.len() == limit {
                        break;
                    }
                }
                Ok::<_, ProvisionError>(behind)
            })
            .await?;
        if behind.is_empty() {
            return Ok(Vec::new());
        }
        let this = self.clone();
        self.store()
            .write(Scope::Settings, move |tx| {
                let mut claimed = Vec::new();
                for seen in &behind {
                    claimed.extend(claim(&this, tx, seen)?);
                }
                Ok(claimed)
            })
            .await
    }

    /// Sends a claimed batch and notes what came of it. Gives the subscription as it is from now on.
    pub async fn send_batch(&self, claimed: ClaimedBatch) -> Result<Subscription, ProvisionError> {
        let is_sent = !claimed.events.is_empty();
        let outcome = match is_sent {
            // What it was about is gone, with its directory or by its age, or is not wanted any more.
            false => Ok("nothing of it is left to tell".to_owned()),
            true => {
                let (to, id) = (&claimed.subscription, &claimed.delivery.id);
                self.post_events(to, id, &claimed.events).await
            }
        };
        self.store()
            .write(Scope::Settings, move |tx| {
                let now = tx.now();
                let after = after(tx, &claimed, &outcome)?;
                if tx.note_subscription(&after, claimed.until)? {
                    let state = match (outcome.is_ok(), is_sent) {
                        (true, true) => DeliveryState::Taken,
                        (true, false) => DeliveryState::Skipped,
                        (false, _) => DeliveryState::Waiting,
                    };
                    tx.note_delivery(&tried(&claimed.delivery, state, &outcome, now))?;
                }
                Ok(after)
            })
            .await
    }

    /// Sends once more what a subscription was told, and says what the other end said, or why it does not arrive.
    pub async fn send_again(
        &self,
        name: &str,
        id: &str,
    ) -> Result<Result<String, String>, ProvisionError> {
        let (this, name, id) = (self.clone(), name.to_owned(), id.to_owned());
        let found = self.store().look_up(move |tx| {
            let found = find(tx, &name)?;
            let delivery = find_delivery(tx, &found, &id)?;
            if delivery.state == DeliveryState::Waiting {
                return Err(ProvisionError::invalid(
                    "delivery",
                    "waits still, and is sent by itself; to have it at once, try the subscription again",
                ));
            }
            let events = batch::events(&this, tx, &found, &delivery.batch)?;
            Ok((found, delivery, events))
        });
        let (subscription, delivery, events) = found.await?;
        if events.is_empty() {
            let gone = "what it told of is not known any more, or not wanted";
            return Ok(Err(gone.to_owned()));
        }
        let outcome = self.post_events(&subscription, &delivery.id, &events).await;
        let told = outcome.clone();
        self.store()
            .write(Scope::Settings, move |tx| {
                let state = match outcome.is_ok() {
                    true => DeliveryState::Taken,
                    false => delivery.state,
                };
                let after = tried(&delivery, state, &outcome, tx.now());
                Ok::<_, ProvisionError>(tx.note_delivery(&after)?)
            })
            .await?;
        Ok(told)
    }

    /// Sends a message without events, and says what the other end said, or why it does not arrive.
    pub async fn test_subscription(
        &self,
        name: &str,
    ) -> Result<Result<String, String>, ProvisionError> {
        let name = name.to_owned();
        let found = self.store().look_up(move |tx| find(tx, &name)).await?;
        let id = format!("test-{}", self.store().now().as_microsecond());
        Ok(self.post_events(&found, &id, &[]).await)
    }

    async fn post_events(
        &self,
        to: &Subscription,
        id: &str,
        events: &[Value],
    ) -> Result<String, String> {
        let Some(sender) = self.inner.sender.get() else {
            return Err("this program sends nothing; a running server does".to_owned());
        };
        let secret = self.subscription_key(to);
        let at = self.store().now();
        let store = self.store().look_up(|tx| tx.store_id()).await;
        let store = store.map_err(|error: StoreError| error.to_string())?;
        let kind = if events.is_empty() { "test" } else { "events" };
        let letter = Letter {
            url: to.draft.url.clone(),
            secret: secret.map_err(|error| error.to_string())?,
            id: format!("msg_{id}"),
            at,
            body:
                json!({"type": kind, "timestamp": at, "data": {"store": store, "events": events}})
                    .to_string(),
        };
        let sent = sender.post(&letter).await;
        sent.map(|text| shortened(&text))
            .map_err(|text| shortened(&text))
    }
}

fn claim(
    provision: &Provision,
    tx: &WriteTx<'_>,
    seen: &Subscription,
) -> Result<Option<ClaimedBatch>, ProvisionError> {
    let Some(subscription) = unchanged(tx, seen)? else {
        return Ok(None);
    };
    let now = tx.now();
    let (batch, events) = match next_step(provision, tx, &subscription)? {
        None => return Ok(None),
        Some(Step::MoveOn(told)) => {
            let after = Subscription {
                told,
                ..subscription.clone()
            };
            tx.note_subscription(&after, subscription.next_try)?;
            return Ok(None);
        }
        Some(Step::Again(delivery, events)) => {
            return Ok(take(tx, subscription, delivery, events)?);
        }
        Some(Step::New(batch, events)) => (batch, events),
    };
    let forget = now.checked_sub(KEPT).unwrap_or(Timestamp::MIN);
    let count = i64::try_from(events.len()).unwrap_or(i64::MAX);
    tx.insert_delivery(subscription.pk, &batch, count, forget)?;
    match tx.waiting_delivery(subscription.pk)? {
        Some(delivery) => Ok(take(tx, subscription, delivery, events)?),
        None => Ok(None),
    }
}

fn take(
    tx: &WriteTx<'_>,
    subscription: Subscription,
    delivery: Delivery,
    events: Vec<Value>,
) -> Result<Option<ClaimedBatch>, StoreError> {
    let until = later(tx.now(), CLAIM);
    let is_ours = tx.claim_subscription(subscription.pk, subscription.next_try, until)?;
    Ok(is_ours.then_some(ClaimedBatch {
        subscription,
        delivery,
        events,
        until,
    }))
}

/// The subscription when its batch was sent.
fn after(
    tx: &WriteTx<'_>,
    claimed: &ClaimedBatch,
    outcome: &Result<String, String>,
) -> Result<Subscription, StoreError> {
    let (before, now) = (claimed.subscription.clone(), tx.now());
    Ok(match outcome {
        Ok(_) => {
            let mut after = Subscription {
                failures: 0,
                failing_since: None,
                last_error: None,
                last_success: match claimed.events.is_empty() {
                    true => before.last_success,
                    false => Some(now),
                },
                next_try: now,
                ..before
            };
            batch::move_on(tx, &mut after, &claimed.delivery.batch)?;
            after
        }
        Err(why) => {
            let failures = before.failures + 1;
            let since = before.failing_since.unwrap_or(now);
            Subscription {
                failures,
                failing_since: Some(since),
                last_error: Some(why.clone()),
                next_try: later(now, wait_after(failures)),
                given_up: is_hopeless(failures, since, now).then_some(now),
                ..before
            }
        }
    })
}

fn tried(
    delivery: &Delivery,
    state: DeliveryState,
    outcome: &Result<String, String>,
    now: Timestamp,
) -> Delivery {
    let (Ok(said) | Err(said)) = outcome;
    Delivery {
        state,
        attempts: delivery.attempts + 1,
        last_try: Some(now),
        answer: Some(said.clone()),
        ..delivery.clone()
    }
}
