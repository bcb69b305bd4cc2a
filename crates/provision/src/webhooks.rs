//! Webhooks: registered by applications, called when there is something new for them.
//!
//! What a webhook has been told of is a position in the journal of each directory that its application sees.
//! It is behind when these are not the newest ones; a call that gets lost, or comes twice, does no harm.

use directory::{ApplicationId, check_call_url};
use jiff::{SignedDuration, Timestamp};
use store::{Scope, StoreError, Webhook, WriteTx};

use crate::{Provision, ProvisionError};

/// Webhooks of one application.
pub(crate) const PER_APPLICATION_MAX: usize = 10;
/// Longest token, in bytes.
const TOKEN_BYTES_MAX: usize = 512;
/// Who calls a webhook keeps it for so long; by then the caller is done, or gone.
const CLAIM: SignedDuration = SignedDuration::from_secs(60);
/// The wait after the first failure; it doubles with each further one.
const RETRY_FIRST: SignedDuration = SignedDuration::from_secs(10);
/// The longest wait between two attempts.
const RETRY_MAX: SignedDuration = SignedDuration::from_mins(30);
/// A webhook that has failed for so long is given up ...
const GIVE_UP_AFTER: SignedDuration = SignedDuration::from_hours(24);
/// ... if it was tried at least so often.
const GIVE_UP_FAILURES: i64 = 20;

/// A webhook that was taken to be called.
#[derive(Debug, Clone)]
pub struct ClaimedWebhook {
    /// The webhook.
    pub webhook: Webhook,
    /// What it will have been told of when the call succeeds.
    news: store::Positions,
    /// Until when it is ours.
    until: Timestamp,
}

impl Provision {
    /// Registers a webhook for an administrator, who can allow its address. An application cannot: that one is told of in
    /// the list of its webhooks.
    pub async fn create_webhook(
        &self,
        application: ApplicationId,
        url: String,
        token: Option<String>,
    ) -> Result<Webhook, ProvisionError> {
        self.require_reach("url", &url, None)?;
        self.register_webhook(application, url, token).await
    }

    /// Registers a webhook for what happens from now on. The same address again renews the one that is there.
    pub async fn register_webhook(
        &self,
        application: ApplicationId,
        url: String,
        token: Option<String>,
    ) -> Result<Webhook, ProvisionError> {
        check(&url, token.as_deref())?;
        self.store()
            .write(Scope::Settings, move |tx| {
                let known = tx.webhooks_of(application)?;
                if known.len() >= PER_APPLICATION_MAX && known.iter().all(|one| one.url != url) {
                    return Err(ProvisionError::invalid(
                        "webhook",
                        format!(
                            "an application has at most {PER_APPLICATION_MAX} webhooks; delete one first"
                        ),
                    ));
                }
                let told = tx.positions_seen_by(application)?;
                let id = tx.put_webhook(application, &url, token.as_deref(), &told)?;
                require(tx, id)
            })
            .await
    }

    /// Deletes a webhook.
    pub async fn delete_webhook(&self, id: i64) -> Result<(), ProvisionError> {
        self.store()
            .write(Scope::Settings, move |tx| {
                require(tx, id)?;
                Ok(tx.delete_webhook(id)?)
            })
            .await
    }

    /// Gives a webhook another chance, at once.
    pub async fn enable_webhook(&self, id: i64) -> Result<Webhook, ProvisionError> {
        self.store()
            .write(Scope::Settings, move |tx| {
                let before = require(tx, id)?;
                let claimed = before.next_try;
                let after = Webhook {
                    failures: 0,
                    failing_since: None,
                    disabled: None,
                    next_try: tx.now(),
                    ..before
                };
                tx.update_webhook(&after, claimed)?;
                require(tx, id)
            })
            .await
    }

    /// Takes webhooks whose applications have something new, at most so many: on every node nobody else
    /// gets them until they are reported, or their time is over.
    pub async fn claim_webhooks(
        &self,
        limit: usize,
    ) -> Result<Vec<ClaimedWebhook>, ProvisionError> {
        let behind = self
            .store()
            .read(move |tx| {
                let mut behind = Vec::new();
                for webhook in tx.webhooks_to_try(i64::MAX)? {
                    if tx.positions_seen_by(webhook.application)? != webhook.told {
                        behind.push(webhook);
                    }
                    if behind.len() == limit {
                        break;
                    }
                }
                Ok::<_, StoreError>(behind)
            })
            .await?;
        if behind.is_empty() {
            return Ok(Vec::new());
        }
        self.store()
            .write(Scope::Settings, move |tx| {
                let mut claimed = Vec::new();
                let until = later(tx.now(), CLAIM);
                for webhook in &behind {
                    let news = tx.positions_seen_by(webhook.application)?;
                    if tx.claim_webhook(webhook.id, webhook.next_try, until)? {
                        claimed.push(ClaimedWebhook {
                            webhook: webhook.clone(),
                            news,
                            until,
                        });
                    }
                }
                Ok(claimed)
            })
            .await
    }

    /// Notes what came of the call of a webhook; an error is a sentence for the administrator. Gives the webhook
    /// as it is from now on.
    pub async fn report_webhook(
        &self,
        claimed: ClaimedWebhook,
        outcome: Result<(), String>,
    ) -> Result<Webhook, ProvisionError> {
        self.store()
            .write(Scope::Settings, move |tx| {
                let now = tx.now();
                let after = match &outcome {
                    Ok(()) => succeeded(&claimed, now),
                    Err(why) => failed(&claimed, now, why),
                };
                tx.update_webhook(&after, claimed.until)?;
                Ok(after)
            })
            .await
    }
}

fn succeeded(claimed: &ClaimedWebhook, now: Timestamp) -> Webhook {
    Webhook {
        told: claimed.news.clone(),
        failures: 0,
        failing_since: None,
        last_error: None,
        last_success: Some(now),
        next_try: now,
        ..claimed.webhook.clone()
    }
}

fn failed(claimed: &ClaimedWebhook, now: Timestamp, why: &str) -> Webhook {
    let before = &claimed.webhook;
    let failures = before.failures + 1;
    let since = before.failing_since.unwrap_or(now);
    let hopeless = is_hopeless(failures, since, now);
    Webhook {
        failures,
        failing_since: Some(since),
        last_error: Some(why.to_owned()),
        next_try: later(now, wait_after(failures)),
        disabled: hopeless.then_some(now),
        ..before.clone()
    }
}

/// Whether somebody who failed so often since then is given up.
pub(crate) fn is_hopeless(failures: i64, since: Timestamp, now: Timestamp) -> bool {
    failures >= GIVE_UP_FAILURES && now.duration_since(since) >= GIVE_UP_AFTER
}

/// The wait after so many failures.
pub(crate) fn wait_after(failures: i64) -> SignedDuration {
    let doublings = u32::try_from(failures - 1).unwrap_or(u32::MAX).min(16);
    (RETRY_FIRST * (1 << doublings)).min(RETRY_MAX)
}

pub(crate) fn later(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.checked_add(by).unwrap_or(Timestamp::MAX)
}

fn require(tx: &WriteTx<'_>, id: i64) -> Result<Webhook, ProvisionError> {
    tx.webhook(id)?
        .ok_or_else(|| ProvisionError::not_found("webhook", &id.to_string()))
}

pub(crate) fn check(url: &str, token: Option<&str>) -> Result<(), ProvisionError> {
    check_call_url(url).map_err(|why| ProvisionError::invalid("url", why))?;
    // It travels in a header.
    let good_token = |token: &str| {
        token.len() <= TOKEN_BYTES_MAX && token.bytes().all(|byte| matches!(byte, b' '..=b'~'))
    };
    if token.is_some_and(|token| !good_token(token)) {
        return Err(ProvisionError::invalid(
            "token",
            format!("needs at most {TOKEN_BYTES_MAX} visible ASCII characters"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claimed(failures: i64, since: Option<Timestamp>) -> ClaimedWebhook {
        let then = Timestamp::UNIX_EPOCH;
        ClaimedWebhook {
            webhook: Webhook {
                id: 1,
                application: ApplicationId(1),
                url: String::new(),
                token: None,
                told: store::Positions::new(),
                created: then,
                failures,
                failing_since: since,
                last_error: None,
                last_success: None,
                next_try: then,
                disabled: None,
            },
            news: store::Positions::new(),
            until: then,
        }
    }

    #[test]
    fn waits_double_up_to_half_an_hour() {
        let now = Timestamp::UNIX_EPOCH;
        for (failures, seconds) in [
            (0, 10),
            (1, 20),
            (2, 40),
            (7, 1_280),
            (8, 1_800),
            (99, 1_800),
        ] {
            let after = failed(&claimed(failures, None), now, "no");
            assert_eq!(after.next_try.duration_since(now).as_secs(), seconds);
            assert_eq!((after.failures, after.disabled), (failures + 1, None));
        }
    }

    #[test]
    fn only_long_failure_is_given_up() {
        let start = Timestamp::UNIX_EPOCH;
        let (soon, late) = (later(start, RETRY_MAX), later(start, GIVE_UP_AFTER));
        assert_eq!(failed(&claimed(99, Some(start)), soon, "no").disabled, None);
        assert_eq!(failed(&claimed(3, Some(start)), late, "no").disabled, None);
        let gone = failed(&claimed(19, Some(start)), late, "no");
        assert_eq!(gone.disabled, Some(late));
        assert_eq!(gone.last_error.as_deref(), Some("no"));
    }

    #[test]
    fn addresses_are_checked_for_their_form() {
        for url in [
            "https://a.example/x?y",
            "http://10.0.0.1:8080",
            "https://[::1]/",
        ] {
            assert!(check(url, Some("t 1")).is_ok(), "{url}");
        }
        for url in [
            "",
            "https://",
            "https:///x",
            "ftp://a",
            "https://u:p@a/",
            "https://a/ b",
            "https://a/\n",
            "//a",
            &format!("https://a/{}", "x".repeat(directory::CALL_URL_BYTES_MAX)),
        ] {
            assert!(check(url, None).is_err(), "{url}");
        }
        assert!(check("https://a", Some("a\r\nb")).is_err());
    }
}
