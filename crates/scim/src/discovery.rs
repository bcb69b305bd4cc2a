//! The documents by which a client learns what is served (RFC 7644, 4; RFC 7643, 5 to 7).

use serde_json::{Value, json};

use crate::limits::{CURSOR_SECONDS, PAGE_DEFAULT, PAGE_MAX, PATCH_OPERATIONS_MAX};
use crate::schema::{Attribute, Kind, ResourceType, ResourceTypes, Schema};
use crate::schemas;

/// Schema URN of the service provider's configuration.
pub const SERVICE_PROVIDER_URN: &str =
    "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";
/// Schema URN of a resource type.
pub const RESOURCE_TYPE_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";
/// Schema URN of a schema.
pub const SCHEMA_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";

/// What a server offers. The document says this and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// PATCH is served.
    pub patch: bool,
    /// Bulk is served, with this many operations and bytes at most.
    pub bulk: Option<BulkLimits>,
    /// Filters are served.
    pub filter: bool,
    /// A user's password can be set.
    pub change_password: bool,
    /// Lists can be sorted.
    pub sort: bool,
    /// Entity tags are served.
    pub etag: bool,
    /// Address of a documentation for people.
    pub documentation: Option<String>,
    /// How a client may prove who it is beside a token after the word Bearer.
    pub credentials: CredentialForms,
}

/// Forms of credentials beside a token after the word Bearer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CredentialForms {
    /// A token is taken without the word Bearer, too.
    pub bare_token: bool,
    /// A header in which a token is taken in the place of `Authorization`.
    pub token_header: Option<String>,
    /// Tokens that this issuer signs are taken.
    pub issuer: Option<String>,
    /// The endpoint at which clients get access tokens.
    pub token_endpoint: Option<String>,
    /// Id and secret of a client are taken as user name and password.
    pub basic: bool,
}

/// Limits of a bulk request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BulkLimits {
    /// Most operations.
    pub operations: usize,
    /// Largest body in bytes.
    pub bytes: usize,
}

impl Default for Capabilities {
    /// What this implementation offers by itself: PATCH, filters, sorted lists and entity tags.
    fn default() -> Capabilities {
        Capabilities {
            patch: true,
            bulk: None,
            filter: true,
            change_password: false,
            sort: true,
            etag: true,
            documentation: None,
            credentials: CredentialForms::default(),
        }
    }
}

/// `/ServiceProviderConfig`. `base` is the address of the connector, without a slash at its end.
pub fn service_provider_config(offered: &Capabilities, base: &str) -> Value {
    let mut document = json!({ "schemas": [SERVICE_PROVIDER_URN] });
    if let Some(address) = &offered.documentation {
        document["documentationUri"] = address.as_str().into();
    }
    document["patch"] = json!({ "supported": offered.patch });
    document["bulk"] = bulk(offered.bulk);
    document["filter"] = json!({ "supported": offered.filter, "maxResults": PAGE_MAX });
    document["changePassword"] = json!({ "supported": offered.change_password });
    document["sort"] = json!({ "supported": offered.sort });
    document["etag"] = json!({ "supported": offered.etag });
    document["pagination"] = json!({
        "cursor": true,
        "index": true,
        "defaultPaginationMethod": "index",
        "defaultPageSize": PAGE_DEFAULT,
        "maxPageSize": PAGE_MAX,
        "cursorTimeout": CURSOR_SECONDS,
    });
    document["authenticationSchemes"] = authentication_schemes(&offered.credentials).into();
    document["meta"] = meta(
        "ServiceProviderConfig",
        &format!("{base}/ServiceProviderConfig"),
    );
    document
}

/// The words for types are those of RFC 7643, section 5; there is none for a header of another name.
fn authentication_schemes(forms: &CredentialForms) -> Vec<Value> {
    let mut token =
        "The token of the connector in the header Authorization, after the word Bearer".to_owned();
    if forms.bare_token {
        token.push_str(" or alone");
    }
    if let Some(header) = &forms.token_header {
        token.push_str(&format!(", or in the header {header}"));
    }
    let scheme = |kind: &str, name: &str, description: String, rfc: u16| {
        json!({
            "type": kind,
            "name": name,
            "description": description,
            "specUri": format!("https://www.rfc-editor.org/info/rfc{rfc}"),
            "primary": false,
        })
    };
    let mut schemes = vec![scheme(
        "oauthbearertoken",
        "Bearer token",
        format!("{token}."),
        6750,
    )];
    schemes[0]["primary"] = true.into();
    if let Some(issuer) = &forms.issuer {
        let description = format!(
            "A token that {issuer} signed, in the header Authorization after the word Bearer."
        );
        schemes.push(scheme(
            "oauthbearertoken",
            "Signed token",
            description,
            7519,
        ));
    }
    if let Some(endpoint) = &forms.token_endpoint {
        let description = format!(
            "Client credentials: id and secret of a client give an access token at {endpoint}."
        );
        schemes.push(scheme(
            "oauth2",
            "OAuth 2.0 client credentials",
            description,
            6749,
        ));
    }
    if forms.basic {
        let description = "Id and secret of a client as user name and password.".to_owned();
        schemes.push(scheme("httpbasic", "HTTP Basic", description, 7617));
    }
    schemes
}

/// One client takes `maxOperations` as the number of operations of one PATCH, whether or not bulk is
/// served, so it is the same figure always.
fn bulk(limits: Option<BulkLimits>) -> Value {
    let (operations, bytes) = limits.map_or((PATCH_OPERATIONS_MAX, 0), |limits| {
        (limits.operations, limits.bytes)
    });
    json!({ "supported": limits.is_some(), "maxOperations": operations, "maxPayloadSize": bytes })
}

fn meta(resource_type: &str, location: &str) -> Value {
    json!({ "resourceType": resource_type, "location": location })
}

/// `/ResourceTypes`.
pub fn resource_types(types: &ResourceTypes, base: &str) -> Vec<Value> {
    types
        .all()
        .into_iter()
        .map(|ty| resource_type_document(ty, base))
        .collect()
}

/// `/ResourceTypes/{name}`.
pub fn resource_type(types: &ResourceTypes, name: &str, base: &str) -> Option<Value> {
    let ty = types
        .all()
        .into_iter()
        .find(|ty| ty.name.eq_ignore_ascii_case(name))?;
    Some(resource_type_document(ty, base))
}

fn resource_type_document(ty: &ResourceType, base: &str) -> Value {
    let extensions = ty
        .extensions
        .iter()
        .map(|schema| json!({ "schema": schema.id, "required": schema.required }));
    json!({
        "schemas": [RESOURCE_TYPE_URN],
        "id": ty.name,
        "name": ty.name,
        "endpoint": ty.endpoint,
        "description": ty.description,
        "schema": ty.core.id,
        "schemaExtensions": extensions.collect::<Vec<_>>(),
        "meta": meta("ResourceType", &format!("{base}/ResourceTypes/{}", ty.name)),
    })
}

/// `/Schemas`: those of the resources first, then those of the discovery documents themselves.
pub fn schemas(types: &ResourceTypes, base: &str) -> Vec<Value> {
    all_schemas(types)
        .into_iter()
        .map(|schema| schema_document(schema, base))
        .collect()
}

/// `/Schemas/{urn}`.
pub fn schema(types: &ResourceTypes, urn: &str, base: &str) -> Option<Value> {
    let schema = all_schemas(types)
        .into_iter()
        .find(|schema| schema.id.eq_ignore_ascii_case(urn))?;
    Some(schema_document(schema, base))
}

/// Each once, also if both resource types have it.
fn all_schemas(types: &ResourceTypes) -> Vec<&Schema> {
    let resources = types.all().into_iter();
    let resources = resources.flat_map(|ty| std::iter::once(&ty.core).chain(&ty.extensions));
    let mut all: Vec<&Schema> = Vec::new();
    for schema in resources.chain(schemas::of_discovery()) {
        if all.iter().all(|known| known.id != schema.id) {
            all.push(schema);
        }
    }
    all
}

/// A schema in the JSON form of RFC 7643, section 7, without the address of a server.
pub fn document_of(schema: &Schema) -> Value {
    json!({
        "id": schema.id,
        "name": schema.name,
        "description": schema.description,
        "attributes": attributes(&schema.attributes),
    })
}

fn schema_document(schema: &Schema, base: &str) -> Value {
    json!({
        "schemas": [SCHEMA_URN],
        "id": schema.id,
        "name": schema.name,
        "description": schema.description,
        "attributes": attributes(&schema.attributes),
        "meta": meta("Schema", &format!("{base}/Schemas/{}", schema.id)),
    })
}

fn attributes(attributes: &[Attribute]) -> Vec<Value> {
    attributes.iter().map(attribute_document).collect()
}

fn attribute_document(attribute: &Attribute) -> Value {
    let mut document = json!({
        "name": attribute.name,
        "type": attribute.kind.as_str(),
        "multiValued": attribute.multi_valued,
        "description": attribute.description,
        "required": attribute.required,
    });
    if !attribute.canonical_values.is_empty() {
        document["canonicalValues"] = json!(attribute.canonical_values);
    }
    if !matches!(attribute.kind, Kind::Boolean | Kind::Complex) {
        document["caseExact"] = attribute.case_exact.into();
    }
    document["mutability"] = attribute.mutability.as_str().into();
    document["returned"] = attribute.returned.as_str().into();
    if attribute.kind != Kind::Boolean {
        document["uniqueness"] = attribute.uniqueness.as_str().into();
    }
    if !attribute.reference_types.is_empty() {
        document["referenceTypes"] = json!(attribute.reference_types);
    }
    if !attribute.sub_attributes.is_empty() {
        document["subAttributes"] = attributes(&attribute.sub_attributes).into();
    }
    document
}
