//! What this server offers, told to clients (RFC 7644 section 4).

use scim::discovery::{self, BulkLimits, Capabilities};
use scim::limits::{BULK_BODY_BYTES_MAX, BULK_OPERATIONS_MAX};
use scim::{catalogue, render};
use serde_json::Value;

use super::reply::{Reply, document, shown};
use super::request::Call;

pub(super) fn service_provider_config(call: &Call) -> Reply {
    let settings = &call.caller.connector.connector.settings;
    let offered = Capabilities {
        bulk: Some(BulkLimits {
            operations: BULK_OPERATIONS_MAX,
            bytes: BULK_BODY_BYTES_MAX,
        }),
        change_password: settings.accept_passwords,
        ..Capabilities::default()
    };
    Ok(document(&discovery::service_provider_config(
        &offered,
        &call.caller.base_url,
    )))
}

pub(super) fn resource_types(call: &Call) -> Reply {
    list(
        call,
        discovery::resource_types(call.types(), &call.caller.base_url),
    )
}

pub(super) fn resource_type(call: &Call, name: &str) -> Reply {
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
    let found = discovery::schema(call.types(), urn, &call.caller.base_url);
    let found = found.ok_or_else(|| {
        catalogue::SCHEMA_UNKNOWN
            .error("There is no such schema; GET /Schemas lists those there are.")
    })?;
    Ok(document(&found))
}

/// Lists of discovery are given whole; a filter on them is refused with 403, as RFC 7644 has it.
fn list(call: &Call, items: Vec<Value>) -> Reply {
    if call.asks_for("filter")? {
        return Err(catalogue::DISCOVERY_NOT_FILTERED
            .error("Discovery can't be filtered. Ask without 'filter'."));
    }
    let total = items.len() as u64;
    Ok(shown(render::list(
        total,
        1,
        items.iter().map(Value::to_string),
    )))
}
