//! Schemas of the discovery documents themselves (RFC 7643, 5 to 7 and 8.7.2; RFC 9865 for `pagination`).

use crate::discovery::{RESOURCE_TYPE_URN, SCHEMA_URN, SERVICE_PROVIDER_URN};
use crate::schema::{Attribute, Kind, Mutability, Schema};

pub(super) fn schemas() -> Vec<Schema> {
    vec![service_provider_config(), resource_type(), schema()]
}

fn described(id: &str, name: &str, description: &str, attributes: Vec<Attribute>) -> Schema {
    let attributes = attributes.into_iter().map(read_only).collect();
    Schema {
        id: id.to_owned(),
        name: name.to_owned(),
        description: description.to_owned(),
        required: false,
        attributes,
    }
}

/// Discovery is read-only through and through.
fn read_only(attribute: Attribute) -> Attribute {
    let sub_attributes = attribute
        .sub_attributes
        .into_iter()
        .map(read_only)
        .collect();
    Attribute {
        sub_attributes,
        mutability: Mutability::ReadOnly,
        ..attribute
    }
}

fn service_provider_config() -> Schema {
    let supported = || Attribute::boolean("supported", "Whether it is offered.").required();
    let offer =
        |name, description| Attribute::complex(name, description, vec![supported()]).required();
    let number = |name, description| Attribute::new(name, Kind::Integer, description);
    let bulk = vec![
        supported(),
        number("maxOperations", "Most operations in one request.").required(),
        number("maxPayloadSize", "Largest body in bytes.").required(),
    ];
    let filter = vec![
        supported(),
        number("maxResults", "Most resources in one answer.").required(),
    ];
    let pagination = vec![
        Attribute::boolean("cursor", "Whether pages can be walked by cursor.").required(),
        Attribute::boolean("index", "Whether pages can be walked by index.").required(),
        Attribute::text(
            "defaultPaginationMethod",
            "How pages are walked when the client does not say.",
        )
        .canonical(&["cursor", "index"]),
        number(
            "defaultPageSize",
            "Resources on a page when the client does not say.",
        ),
        number("maxPageSize", "Most resources on a page."),
        number(
            "cursorTimeout",
            "How long a cursor can be used, in seconds.",
        ),
    ];
    described(
        SERVICE_PROVIDER_URN,
        "ServiceProviderConfig",
        "What this server offers",
        vec![
            Attribute::reference(
                "documentationUri",
                &["external"],
                "Address of a documentation for people.",
            ),
            offer("patch", "Changes of parts of a resource."),
            Attribute::complex("bulk", "Several requests in one.", bulk).required(),
            Attribute::complex("filter", "Searches.", filter).required(),
            offer("changePassword", "Setting a user's password."),
            offer("sort", "Sorted lists."),
            offer("etag", "Entity tags."),
            Attribute::complex("pagination", "Pages of lists.", pagination),
            Attribute::list(
                "authenticationSchemes",
                "Ways to prove who is calling.",
                authentication(),
            )
            .required(),
        ],
    )
}

fn authentication() -> Vec<Attribute> {
    vec![
        Attribute::text("type", "Kind of the scheme.")
            .required()
            .canonical(&[
                "oauth",
                "oauth2",
                "oauthbearertoken",
                "httpbasic",
                "httpdigest",
            ]),
        Attribute::text("name", "Name for people.").required(),
        Attribute::text("description", "What it is.").required(),
        Attribute::reference("specUri", &["external"], "Address of its specification."),
        Attribute::reference(
            "documentationUri",
            &["external"],
            "Address of its documentation.",
        ),
        Attribute::boolean("primary", "Whether it is the preferred one."),
    ]
}

fn resource_type() -> Schema {
    let uri = |name, description| {
        Attribute::reference(name, &["uri"], description)
            .case_exact()
            .required()
    };
    let extensions = vec![
        uri("schema", "URN of the extension."),
        Attribute::boolean("required", "Whether each resource must have it.").required(),
    ];
    described(
        RESOURCE_TYPE_URN,
        "ResourceType",
        "A kind of resource that is served",
        vec![
            Attribute::text("id", "Identifier of the resource type."),
            Attribute::text("name", "Name of the resource type.").required(),
            Attribute::text("description", "What it is."),
            uri("endpoint", "Path of its collection under the base address."),
            uri("schema", "URN of its core schema."),
            Attribute::list(
                "schemaExtensions",
                "Schemas that add to the core schema.",
                extensions,
            ),
        ],
    )
}

fn schema() -> Schema {
    let mut attributes = characteristics();
    attributes.push(Attribute::list(
        "subAttributes",
        "Parts of a complex attribute.",
        characteristics(),
    ));
    described(
        SCHEMA_URN,
        "Schema",
        "A set of attributes",
        vec![
            Attribute::text("id", "URN of the schema.").required(),
            Attribute::text("name", "Name for people."),
            Attribute::text("description", "What it describes."),
            Attribute::list(
                "attributes",
                "Its attributes with their characteristics.",
                attributes,
            )
            .required(),
        ],
    )
}

fn characteristics() -> Vec<Attribute> {
    let exact = |name, description| Attribute::text(name, description).case_exact();
    let texts = |attribute: Attribute| Attribute {
        multi_valued: true,
        ..attribute
    };
    vec![
        exact("name", "Name of the attribute.").required(),
        exact("type", "Type of its value.").required().canonical(&[
            "string",
            "complex",
            "boolean",
            "decimal",
            "integer",
            "dateTime",
            "reference",
            "binary",
        ]),
        Attribute::boolean("multiValued", "Whether it is a list.").required(),
        exact("description", "What it is."),
        Attribute::boolean("required", "Whether a resource must have it."),
        texts(exact("canonicalValues", "Suggested values.")),
        Attribute::boolean("caseExact", "Whether comparison regards case."),
        exact("mutability", "Who may write it.").canonical(&[
            "readOnly",
            "readWrite",
            "immutable",
            "writeOnly",
        ]),
        exact("returned", "When it is part of an answer.")
            .canonical(&["always", "never", "default", "request"]),
        exact("uniqueness", "Whether values are unique.").canonical(&["none", "server", "global"]),
        texts(exact("referenceTypes", "What a reference may point at.")),
    ]
}
