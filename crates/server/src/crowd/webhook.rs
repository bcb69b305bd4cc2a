//! Webhooks: an application says where it wants to hear that there is something new. It sees its own only.

use ::crowd::webhook::Webhook as Shown;
use ::crowd::{Body as _, CrowdError, Reason};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request};
use provision::ProvisionError;
use serde::Deserialize;
use store::Webhook;

use super::Refusal;
use super::call::Call;
use super::reply::{Reply, created, document, nothing};

/// `POST webhook`
pub(super) async fn create(call: Call, request: Request) -> Reply {
    let asked: Shown = call.read(request).await?;
    let token = asked.token.filter(|token| !token.is_empty());
    let provision = call.face.app.provision();
    let url = asked.endpoint_url.trim().to_owned();
    let made = provision
        .register_webhook(call.application.id, url, token)
        .await?;
    let location = call.style.links.webhook(made.id);
    let body = shown(made).to_bytes(call.format());
    Ok(created(call.format(), &location, body))
}

/// `GET webhook/{id}`
pub(super) async fn show(call: Call, path: IdPath) -> Reply {
    let found = find(&call, path).await?;
    Ok(document(
        call.format(),
        shown(found).to_bytes(call.format()),
    ))
}

/// `DELETE webhook/{id}`
pub(super) async fn delete(call: Call, path: IdPath) -> Reply {
    let found = find(&call, path).await?;
    match call.face.app.provision().delete_webhook(found.id).await {
        Ok(()) => Ok(nothing()),
        Err(ProvisionError::NotFound { .. }) => Err(unknown()),
        Err(error) => Err(error.into()),
    }
}

/// The number in the path.
#[derive(Deserialize)]
pub(super) struct IdSegment {
    id: i64,
}

type IdPath = Result<Path<IdSegment>, PathRejection>;

/// The webhook with this number, if it is the application's own.
async fn find(call: &Call, path: IdPath) -> Result<Webhook, Refusal> {
    let Path(IdSegment { id }) = path.map_err(|_no_number| unknown())?;
    let application = call.application.id;
    let found = call.look_up(move |tx, _view| Ok(tx.webhook(id)?)).await?;
    found
        .filter(|webhook| webhook.application == application)
        .ok_or_else(unknown)
}

fn shown(webhook: Webhook) -> Shown {
    Shown {
        id: Some(webhook.id),
        endpoint_url: webhook.url,
        token: webhook.token,
    }
}

fn unknown() -> Refusal {
    CrowdError::new(Reason::WebhookNotFound, "There is no such webhook.").into()
}
