//! The OpenAPI document of the admin API: what is said of it as a whole, and of every answer alike.

use utoipa::openapi::path::Operation;
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Components, ContentBuilder, Ref, RefOr};
use utoipa::{OpenApi, ToSchema};

use super::Problem;
use super::problem::RuleProblem;

/// The name of the one answer that tells of a failure.
const FAILURE: &str = "Problem";

/// What the document says about the API as a whole.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Vestibule admin API",
        description = "Connectors, applications, directories and the journal. Every request bears a token \
                       of the admin API; errors are problem documents (RFC 9457) that say what to do.",
        version = "1",
    ),
    servers((url = "/api/v1")),
    tags(
        (name = "connectors", description = "Endpoints for identity providers, and their rules"),
        (name = "rules", description = "What a connector's writes mean: versions, previews, tests and trials of rules"),
        (name = "tokens", description = "Bearer tokens of connectors and of this API"),
        (name = "administrators", description = "Who administers this server, how they sign in, and the caller's own account"),
        (name = "audit", description = "Who did what, when and from where"),
        (name = "clients", description = "Clients of connectors, which get access tokens for an id and a secret"),
        (name = "applications", description = "Products that attach a directory"),
        (name = "configuration", description = "Everything that administrators set up, as one document"),
        (name = "backup", description = "Everything that is stored, as one file"),
        (name = "holds", description = "What safety limits keep back until somebody decides"),
        (name = "directories", description = "Users and groups as the products see them, and why"),
        (name = "schemas", description = "Schemas that a connector's resources have besides those of SCIM"),
        (name = "requests", description = "What identity providers asked for, and what came of it"),
        (name = "journal", description = "What changed, in order"),
        (name = "notifications", description = "Channels by which administrators are told of what stands"),
        (name = "subscriptions", description = "Endpoints that are told of every change of directories, in order"),
        (name = "jobs", description = "Work on many people that goes on by itself: progress and results"),
    ),
    security(("token" = [])),
    components(schemas(Problem, RuleProblem)),
)]
pub(super) struct Description;

/// Adds what every operation has in common, once all operations are there.
pub(super) fn complete(document: &mut utoipa::openapi::OpenApi) {
    let components = document.components.get_or_insert_default();
    let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    components.add_security_scheme("token", scheme);
    add_failure(components);
    for item in document.paths.paths.values_mut() {
        let operations = [
            &mut item.get,
            &mut item.put,
            &mut item.post,
            &mut item.patch,
            &mut item.delete,
        ];
        for operation in operations.into_iter().flatten() {
            complete_operation(operation);
        }
    }
}

fn add_failure(components: &mut Components) {
    let schema = Ref::from_schema_name(Problem::name());
    let content = ContentBuilder::new().schema(Some(schema)).build();
    let failure = ResponseBuilder::new()
        .description("The request could not be carried out; nothing of it happened.")
        .content("application/problem+json", content)
        .build();
    components
        .responses
        .insert(FAILURE.to_owned(), failure.into());
}

fn complete_operation(operation: &mut Operation) {
    let responses = &mut operation.responses.responses;
    for (status, response) in responses.iter_mut() {
        if let RefOr::T(response) = response {
            describe(status, response);
        }
    }
    let failure = RefOr::Ref(Ref::from_response_name(FAILURE));
    responses.insert("default".to_owned(), failure);
}

fn describe(status: &str, response: &mut Response) {
    if response.description.is_empty() {
        response.description = match status {
            "201" => "It is made.",
            "202" => "The work has begun.",
            "204" => "It is gone.",
            _ => "What was asked for.",
        }
        .to_owned();
    }
}
