//! What this server offers, told to clients (RFC 7644 section 4).

use scim::discovery::{self, BulkLimits, Capabilities, CredentialForms};
use scim::limits::{BULK_BODY_BYTES_MAX, BULK_OPERATIONS_MAX};
use scim::{ScimError, catalogue, render};
use serde_json::Value;

use super::reply::{Reply, document, shown};
use super::request::Call;
use super::scim_error;

pub(super) async fn service_provider_config(call: &Call) -> Reply {
    refuse_filter(call)?;
    let settings = &call.caller.connector.connector.settings;
    let offered = Capabilities {
        bulk: Some(BulkLimits {
            operations: BULK_OPERATIONS_MAX,
            bytes: BULK_BODY_BYTES_MAX,
        }),
        change_password: settings.accept_passwords,
        credentials: credentials(call).await?,
        ..Capabilities::default()
    };
    Ok(document(&discovery::service_provider_config(
        &offered,
        &call.caller.base_url,
    )))
}

/// What the connector takes beside a token after the word Bearer.
async fn credentials(call: &Call) -> Result<CredentialForms, ScimError> {
    let (app, connector) = (&call.face.app, &call.caller.connector.connector);
    let id = connector.id;
    let look = app.provision().store().look_up(move |tx| tx.clients(id));
    let clients = look.await.map_err(|error| scim_error(error.into()))?;
    let settings = &connector.settings.credentials;
    let endpoint = || {
        let base = app.base_url(&call.parts.headers);
        format!("{base}/oauth/{}/token", connector.public_id)
    };
    Ok(CredentialForms {
        bare_token: settings.bare_token,
        token_header: settings.token_header.clone(),
        issuer: settings.jwt.as_ref().map(|jwt| jwt.issuer.clone()),
        token_endpoint: (!clients.is_empty()).then(endpoint),
        basic: settings.basic,
    })
}

pub(super) fn resource_types(call: &Call) -> Reply {
    list(
        call,
        discovery::resource_types(call.types(), &call.caller.base_url),
    )
}

pub(super) fn resource_type(call: &Call, name: &str) -> Reply {
    refuse_filter(call)?;
    let found = discovery::resource_type(call.types(), name, &call.caller.base_url);
    let found = found.ok_or_else(|| {
        catalogue::RESOURCE_TYPE_UNKNOWN
            .error("There is no such resource type; there are User and Group.")
    })?;
    Ok(document(&found))
}

pub(super) fn schemas(call: &Call) -> Reply {
    list(
        call,
        discovery::schemas(call.types(), &call.caller.base_url),
    )
}

pub(super) fn schema(call: &Call, urn: &str) -> Reply {
    refuse_filter(call)?;
    let found = discovery::schema(call.types(), urn, &call.caller.base_url);
    let found = found.ok_or_else(|| {
        catalogue::SCHEMA_UNKNOWN
            .error("There is no such schema; GET /Schemas lists those there are.")
    })?;
    Ok(document(&found))
}

/// What is discovered is given whole; a filter on it is refused with 403, as RFC 7644 has it.
fn refuse_filter(call: &Call) -> Result<(), ScimError> {
    match call.asks_for("filter")? {
        true => Err(catalogue::DISCOVERY_NOT_FILTERED
            .error("Discovery can't be filtered. Ask without 'filter'.")),
        false => Ok(()),
    }
}

fn list(call: &Call, items: Vec<Value>) -> Reply {
    refuse_filter(call)?;
    let total = items.len() as u64;
    Ok(shown(render::list(
        total,
        1,
        items.iter().map(Value::to_string),
    )))
}
