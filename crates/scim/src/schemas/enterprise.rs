//! The enterprise extension of User (RFC 7643, 4.3).

use crate::schema::{Attribute, Schema};

/// URN of the enterprise extension.
pub const ENTERPRISE_URN: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

pub(super) fn schema() -> Schema {
    Schema {
        id: ENTERPRISE_URN.to_owned(),
        name: "EnterpriseUser".to_owned(),
        description: "Enterprise user".to_owned(),
        required: false,
        attributes: vec![
            Attribute::text("employeeNumber", "Number or code of the employee."),
            Attribute::text("costCenter", "Cost center."),
            Attribute::text("organization", "Organization."),
            Attribute::text("division", "Division."),
            Attribute::text("department", "Department."),
            manager(),
        ],
    }
}

/// `displayName` is read-only in the RFC, but clients send it and rules want it; the schema that is
/// served says so.
fn manager() -> Attribute {
    let parts = vec![
        Attribute::text("value", "Identifier of the manager."),
        Attribute::reference("$ref", &["User"], "Address of the manager."),
        Attribute::text("displayName", "Name of the manager, as the client sent it."),
    ];
    Attribute::complex("manager", "The user's manager.", parts)
}
