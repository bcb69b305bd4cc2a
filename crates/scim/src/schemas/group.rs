//! The Group schema (RFC 7643, 4.2).

use crate::limits::NAME_CHARS_MAX;
use crate::schema::{Attribute, Mutability, Schema};

/// URN of the Group schema.
pub const GROUP_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

pub(super) fn schema() -> Schema {
    Schema {
        id: GROUP_URN.to_owned(),
        name: "Group".to_owned(),
        description: "Group of users and groups".to_owned(),
        required: false,
        attributes: vec![
            Attribute::text(
                "displayName",
                "Name of the group; compared without regard to case.",
            )
            .required()
            .unique()
            .at_most(NAME_CHARS_MAX)
            .name_like(),
            members(),
        ],
    }
}

fn members() -> Attribute {
    let fixed = |attribute: Attribute| attribute.mutability(Mutability::Immutable);
    let parts = vec![
        fixed(Attribute::text("value", "Identifier of the member.").case_exact()),
        fixed(Attribute::reference(
            "$ref",
            &["User", "Group"],
            "Address of the member.",
        )),
        fixed(Attribute::text("type", "Type of the member.").canonical(&["User", "Group"])),
        Attribute::text("display", "Name of the member.").mutability(Mutability::ReadOnly),
    ];
    Attribute::list("members", "Members of the group.", parts)
}
