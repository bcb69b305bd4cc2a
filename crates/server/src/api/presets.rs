//! The identity providers that a connector can be set up for, and the departures from the RFCs that it
//! can switch.

use axum::Json;
use directory::Preset;
use scim::Departure;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page::List;
use super::schema;
use crate::App;
use crate::authority::Admin;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(presets))
        .routes(routes!(departures))
}

/// An identity provider that a connector can be set up for.
#[derive(Debug, Serialize, ToSchema)]
struct PresetView {
    /// The word to make a connector with.
    #[schema(schema_with = schema::preset)]
    preset: Preset,
    /// Its name for people.
    name: &'static str,
    /// What it sends, in a line.
    about: &'static str,
    /// The page of the documentation's guides about it; absent if there is none of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    guide: Option<&'static str>,
    /// The departures from the RFCs that are on, unless the connector's settings say otherwise.
    #[schema(value_type = Vec<String>)]
    departures: Vec<Departure>,
}

/// A departure from the RFCs that a connector can switch.
#[derive(Debug, Serialize, ToSchema)]
struct DepartureView {
    /// The word to switch it with, in `departures` of the settings.
    #[schema(value_type = String)]
    departure: Departure,
    /// What the server does then.
    about: &'static str,
    /// Who needs it.
    seen_from: &'static str,
}

/// What a connector can be set up for, in the order to offer it.
#[utoipa::path(get, path = "/presets", operation_id = "list_presets", tag = "connectors",
    responses((status = OK, body = List<PresetView>)))]
async fn presets(_admin: Admin) -> Json<List<PresetView>> {
    let items = Preset::ALL.into_iter().map(|preset| PresetView {
        preset,
        name: preset.name(),
        about: preset.about(),
        guide: preset.guide(),
        departures: preset.dialect().departures().collect(),
    });
    Json(List {
        items: items.collect(),
    })
}

/// The departures from the RFCs that a connector can switch on and off.
#[utoipa::path(get, path = "/departures", operation_id = "list_departures", tag = "connectors",
    responses((status = OK, body = List<DepartureView>)))]
async fn departures(_admin: Admin) -> Json<List<DepartureView>> {
    let items = Departure::ALL.into_iter().map(|departure| DepartureView {
        departure,
        about: departure.about(),
        seen_from: departure.seen_from(),
    });
    Json(List {
        items: items.collect(),
    })
}
