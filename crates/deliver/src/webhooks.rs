//! Webhooks: telling applications that there is something new, as a Crowd server does: a POST without a body,
//! with the application's own token in `Authorization: Basic`. What is new they ask for themselves.
//!
//! A webhook is behind when the journals of its directories have grown since it was last told. However much
//! happened, it is told once; it is never called twice at a time, by whichever node.

use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{HeaderValue, Method};
use provision::{ClaimedWebhook, Provision, ProvisionError};
use tokio::task::JoinSet;

use crate::{Client, Request};

/// How often is looked for webhooks that are behind; what happens meanwhile is told in one call.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Webhooks called at once.
const AT_ONCE_MAX: usize = 8;
/// The whole exchange ends by then; well before the claim does.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Calls webhooks for ever.
pub async fn call_webhooks(provision: Provision, client: Client) {
    loop {
        match call_webhooks_once(&provision, &client).await {
            Ok(AT_ONCE_MAX) => {}
            Ok(_) => tokio::time::sleep(LOOK_EVERY).await,
            Err(error) => {
                tracing::warn!(%error, "webhooks could not be looked at; trying again");
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
    }
}

/// Calls the webhooks that are behind, a bounded number. Returns how many were called.
pub async fn call_webhooks_once(
    provision: &Provision,
    client: &Client,
) -> Result<usize, ProvisionError> {
    let mut calls = JoinSet::new();
    for claimed in provision.claim_webhooks(AT_ONCE_MAX).await? {
        calls.spawn(call(provision.clone(), client.clone(), claimed));
    }
    let mut called = 0;
    while calls.join_next().await.is_some() {
        called += 1;
    }
    Ok(called)
}

/// Calls one webhook and notes what came of it.
async fn call(provision: Provision, client: Client, claimed: ClaimedWebhook) {
    let id = claimed.webhook.id;
    let outcome = ping(&client, &claimed).await;
    if let Err(why) = &outcome {
        tracing::info!(webhook = id, %why, "a webhook could not be told");
    }
    match provision.report_webhook(claimed, outcome).await {
        Ok(after) if after.disabled.is_some() => {
            tracing::warn!(
                webhook = id,
                why = after.last_error,
                "a webhook is given up; enable it when its endpoint answers again"
            );
        }
        Ok(_) => {}
        Err(error) => {
            tracing::warn!(webhook = id, %error, "the call of a webhook could not be noted")
        }
    }
}

/// Sends the call; an error is a sentence for the administrator.
async fn ping(client: &Client, claimed: &ClaimedWebhook) -> Result<(), String> {
    let mut request = Request::new(Method::POST, &claimed.webhook.url).within(TIMEOUT);
    if let Some(token) = &claimed.webhook.token {
        let mut value = HeaderValue::from_str(&format!("Basic {token}"))
            .map_err(|error| format!("the token cannot be sent: {error}"))?;
        value.set_sensitive(true);
        request = request.header(AUTHORIZATION, value);
    }
    let answer = client
        .send(request)
        .await
        .map_err(|error| error.to_string())?;
    match answer.is_success() {
        true => Ok(()),
        false => Err(format!(
            "the endpoint answered with status {}",
            answer.status
        )),
    }
}
