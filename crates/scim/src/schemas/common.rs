//! Attributes that every resource has (RFC 7643, 3 and 3.1).

use crate::limits::EXTERNAL_ID_CHARS_MAX;
use crate::schema::{Attribute, Kind, Mutability::ReadOnly, Returned::Always, Uniqueness};

/// `schemas`, `id`, `externalId` and `meta`.
pub(super) fn attributes() -> Vec<Attribute> {
    vec![
        Attribute {
            multi_valued: true,
            ..Attribute::reference(
                "schemas",
                &["uri"],
                "URNs of the schemas whose attributes the resource has.",
            )
            .case_exact()
            .mutability(ReadOnly)
            .returned(Always)
        },
        Attribute {
            uniqueness: Uniqueness::Server,
            ..Attribute::text(
                "id",
                "Identifier given by this server; it never changes and is never given again.",
            )
            .case_exact()
            .mutability(ReadOnly)
            .returned(Always)
        },
        Attribute::text("externalId", "Identifier given by the client.")
            .case_exact()
            .at_most(EXTERNAL_ID_CHARS_MAX),
        meta(),
    ]
}

fn meta() -> Attribute {
    let time =
        |name, description| Attribute::new(name, Kind::DateTime, description).mutability(ReadOnly);
    let text = |name, description| {
        Attribute::text(name, description)
            .case_exact()
            .mutability(ReadOnly)
    };
    let parts = vec![
        text("resourceType", "Name of the resource type."),
        time("created", "When the resource was created."),
        time("lastModified", "When the resource was last changed."),
        Attribute::reference("location", &["uri"], "Address of the resource.")
            .case_exact()
            .mutability(ReadOnly),
        text("version", "Entity tag of the resource."),
    ];
    Attribute::complex("meta", "What the server keeps about the resource.", parts)
        .mutability(ReadOnly)
}
