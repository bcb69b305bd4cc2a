//! Subscriptions: telling endpoints of every change of directories, in order, in signed messages.

use std::time::Duration;

use provision::{ClaimedBatch, Provision, ProvisionError};

use crate::rounds;

/// How often is looked for something to tell.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Subscriptions told at once.
const AT_ONCE_MAX: usize = 8;

/// Tells subscriptions for ever; while there is more for one of them, without a pause.
pub async fn tell_subscriptions(provision: Provision) {
    let failed = "subscriptions could not be looked at";
    let round = || tell_subscriptions_once(&provision);
    rounds::for_ever(LOOK_EVERY, 1, failed, round).await;
}

/// Sends a batch to each of the subscriptions that are behind, a bounded number. Returns how many that were.
pub async fn tell_subscriptions_once(provision: &Provision) -> Result<usize, ProvisionError> {
    let claimed = provision.claim_batches(AT_ONCE_MAX).await?.into_iter();
    let sending = claimed.map(|claimed| send(provision.clone(), claimed));
    Ok(rounds::side_by_side(sending).await)
}

async fn send(provision: Provision, claimed: ClaimedBatch) {
    let name = claimed.subscription.draft.name.clone();
    match provision.send_batch(claimed).await {
        Ok(after) if after.given_up.is_some() => tracing::warn!(
            subscription = name,
            why = after.last_error,
            "a subscription is given up; try it again when its endpoint answers"
        ),
        Ok(after) => {
            if let Some(why) = after.last_error {
                tracing::warn!(subscription = name, why, "a subscription could not be told");
            }
        }
        Err(error) => {
            tracing::warn!(subscription = name, %error, "what came of a batch could not be noted");
        }
    }
}
