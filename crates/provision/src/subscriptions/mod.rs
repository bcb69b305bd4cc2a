//! Subscriptions: endpoints that are told of every change of directories, in order (DS-01).
//!
//! How far each was told is a position in each journal. What it is to be told is read from there when it is sent, so
//! nothing is lost when a message is, and what was sent once can be sent again.

mod batch;
mod send;

use directory::check_call_url;
use directory::notification::{Way, WebhookSettings};
use store::{
    Delivery, DeliveryState, Positions, ReadTx, Scope, StoreError, Subscription, SubscriptionDraft,
    WriteTx,
};

pub use send::ClaimedBatch;

use crate::notifications::channels::check_name;
use crate::notifications::secrets::{self, Need};
use crate::secret::Secret;
use crate::{Provision, ProvisionError, SecretKey};

/// Subscriptions there can be.
const SUBSCRIPTIONS_MAX: usize = 50;

/// What a subscription is to be.
#[derive(Clone)]
pub struct SubscriptionWish {
    /// Everything but its key.
    pub draft: SubscriptionDraft,
    /// The key of its signatures. Nothing keeps what is there; an empty one is a new one.
    pub secret: Option<String>,
}

impl Provision {
    /// Makes a subscription for what happens from now on. A key that was made for its signatures is given back, to be
    /// shown once.
    pub async fn create_subscription(
        &self,
        wish: SubscriptionWish,
    ) -> Result<(Subscription, Option<Secret>), ProvisionError> {
        check(&wish.draft)?;
        self.require_reach("url", &wish.draft.url, None)?;
        let key = self.key()?.clone();
        self.store()
            .write(Scope::Settings, move |tx| {
                require_free(tx, &wish.draft, None)?;
                let (id, made) = insert(tx, &key, &wish.draft, wish.secret.as_deref())?;
                Ok((find(tx, &id)?, made))
            })
            .await
    }

    /// Changes a subscription. Of directories that it was not told of before, it is told what happens from now on.
    pub async fn change_subscription(
        &self,
        name: &str,
        wish: SubscriptionWish,
    ) -> Result<(Subscription, Option<Secret>), ProvisionError> {
        check(&wish.draft)?;
        let (key, name, this) = (self.key()?.clone(), name.to_owned(), self.clone());
        self.store()
            .write(Scope::Settings, move |tx| {
                let before = find(tx, &name)?;
                require_free(tx, &wish.draft, Some(&before))?;
                this.require_reach("url", &wish.draft.url, Some(&before.draft.url))?;
                let made = update(tx, &key, &before, &wish.draft, wish.secret.as_deref())?;
                Ok((find(tx, &before.id)?, made))
            })
            .await
    }

    /// The key of a subscription's signatures, opened.
    pub(crate) fn subscription_key(
        &self,
        subscription: &Subscription,
    ) -> Result<String, ProvisionError> {
        let way = way(&subscription.draft.url);
        self.open_secret(&subscription.id, &way, &subscription.sealed)
    }

    /// Deletes a subscription.
    pub async fn delete_subscription(&self, name: &str) -> Result<(), ProvisionError> {
        let name = name.to_owned();
        self.store()
            .write(Scope::Settings, move |tx| {
                let found = find(tx, &name)?;
                Ok(tx.delete_subscription(found.pk)?)
            })
            .await
    }

    /// Tells a subscription at once what it waits for, also if it was given up.
    pub async fn retry_subscription(&self, name: &str) -> Result<Subscription, ProvisionError> {
        let name = name.to_owned();
        self.store()
            .write(Scope::Settings, move |tx| {
                let before = find(tx, &name)?;
                let after = tried_anew(tx, &before);
                tx.note_subscription(&after, before.next_try)?;
                find(tx, &before.id)
            })
            .await
    }

    /// Lets what comes after a delivery go on without it. It can be sent again later.
    pub async fn skip_delivery(&self, name: &str, id: &str) -> Result<Delivery, ProvisionError> {
        let (name, id) = (name.to_owned(), id.to_owned());
        self.store()
            .write(Scope::Settings, move |tx| {
                let found = find(tx, &name)?;
                let delivery = find_delivery(tx, &found, &id)?;
                if delivery.state != DeliveryState::Waiting {
                    return Err(ProvisionError::invalid(
                        "delivery",
                        "was taken or skipped already, so there is nothing to skip",
                    ));
                }
                let skipped = Delivery {
                    state: DeliveryState::Skipped,
                    ..delivery
                };
                tx.note_delivery(&skipped)?;
                let mut after = tried_anew(tx, &found);
                batch::move_on(tx, &mut after, &skipped.batch)?;
                tx.note_subscription(&after, found.next_try)?;
                Ok(skipped)
            })
            .await
    }
}

/// Stores a new subscription, which is told what happens from now on. Gives its id, and a key that was made for it.
pub(crate) fn insert(
    tx: &WriteTx<'_>,
    key: &SecretKey,
    draft: &SubscriptionDraft,
    secret: Option<&str>,
) -> Result<(String, Option<Secret>), ProvisionError> {
    if tx.subscriptions()?.len() >= SUBSCRIPTIONS_MAX {
        return Err(ProvisionError::invalid(
            "subscription",
            format!("there are {SUBSCRIPTIONS_MAX} at most; delete one first"),
        ));
    }
    let id = tx.new_id().to_string();
    let kept = secrets::keep(key, &id, &way(&draft.url), (secret, Need::Now), None)?;
    let told = known_positions(tx)?;
    tx.insert_subscription(&id, draft, &kept.sealed.unwrap_or_default(), &told)?;
    Ok((id, kept.made))
}

/// Changes a subscription. Gives a key that was made for it.
pub(crate) fn update(
    tx: &WriteTx<'_>,
    key: &SecretKey,
    before: &Subscription,
    draft: &SubscriptionDraft,
    secret: Option<&str>,
) -> Result<Option<Secret>, ProvisionError> {
    let there = (way(&before.draft.url), Some(before.sealed.clone()));
    let given = (secret, Need::Now);
    let kept = secrets::keep(key, &before.id, &way(&draft.url), given, Some(there))?;
    let mut told = known_positions(tx)?;
    for (directory, position) in &mut told {
        if before.wants(*directory) {
            let known = before.told.get(directory).copied();
            *position = known.unwrap_or(tx.journal_floor(*directory)?);
        }
    }
    tx.update_subscription(before, draft, &kept.sealed.unwrap_or_default(), &told)?;
    Ok(kept.made)
}

/// A subscription that is to be tried at once, whatever failed before.
fn tried_anew(tx: &WriteTx<'_>, before: &Subscription) -> Subscription {
    Subscription {
        failures: 0,
        failing_since: None,
        given_up: None,
        next_try: tx.now(),
        ..before.clone()
    }
}

/// How its key is kept: as that of a signed webhook.
pub(crate) fn way(url: &str) -> Way {
    Way::Webhook(WebhookSettings {
        url: url.to_owned(),
    })
}

/// Where every journal ends now.
fn known_positions(tx: &ReadTx<'_>) -> Result<Positions, StoreError> {
    let all = tx.directories()?.into_iter();
    all.map(|directory| Ok((directory.id, tx.journal_position(directory.id)?)))
        .collect()
}

fn check(draft: &SubscriptionDraft) -> Result<(), ProvisionError> {
    check_name(&draft.name)?;
    check_url(&draft.url)
}

/// Refuses what can be no address of an endpoint.
pub(crate) fn check_url(url: &str) -> Result<(), ProvisionError> {
    check_call_url(url).map_err(|why| ProvisionError::invalid("url", why))
}

fn require_free(
    tx: &ReadTx<'_>,
    draft: &SubscriptionDraft,
    own: Option<&Subscription>,
) -> Result<(), ProvisionError> {
    match tx.find_subscription(&draft.name)? {
        Some(other) if own.is_none_or(|own| own.pk != other.pk) => Err(ProvisionError::Exists {
            what: "subscription",
            name: draft.name.clone(),
        }),
        _ => Ok(()),
    }
}

pub(crate) fn find(tx: &ReadTx<'_>, name: &str) -> Result<Subscription, ProvisionError> {
    tx.find_subscription(name)?
        .ok_or_else(|| ProvisionError::not_found("subscription", name))
}

fn find_delivery(
    tx: &ReadTx<'_>,
    subscription: &Subscription,
    id: &str,
) -> Result<Delivery, ProvisionError> {
    tx.delivery(subscription.pk, id)?
        .ok_or_else(|| ProvisionError::not_found("delivery", id))
}

/// A subscription as it is now, unless somebody changed or took it since it was looked at.
fn unchanged(tx: &WriteTx<'_>, seen: &Subscription) -> Result<Option<Subscription>, StoreError> {
    let now = tx.find_subscription(&seen.id)?;
    Ok(now.filter(|now| now.next_try == seen.next_try && now.pk == seen.pk))
}
