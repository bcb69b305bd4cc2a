//! The User schema (RFC 7643, 4.1 and 8.7.1).

use crate::limits::{EMAIL_CHARS_MAX, JSON_TEXT_BYTES_MAX, NAME_CHARS_MAX};
use crate::schema::{Attribute, Kind, Mutability, Returned, Schema};

/// URN of the User schema.
pub const USER_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

pub(super) fn schema() -> Schema {
    Schema {
        id: USER_URN.to_owned(),
        name: "User".to_owned(),
        description: "User account".to_owned(),
        required: false,
        attributes: [singular(), contact(), belonging()].concat(),
    }
}

fn singular() -> Vec<Attribute> {
    vec![
        Attribute::text(
            "userName",
            "Name under which the user signs in; compared without regard to case.",
        )
        .required()
        .unique()
        .at_most(NAME_CHARS_MAX)
        .name_like(),
        name(),
        Attribute::text("displayName", "Name to show for the user."),
        Attribute::text("nickName", "Casual name."),
        Attribute::reference(
            "profileUrl",
            &["external"],
            "Address of a page about the user.",
        ),
        Attribute::text(
            "title",
            "Title within the organization, such as Vice President.",
        ),
        Attribute::text(
            "userType",
            "Relation to the organization, such as Employee or Contractor.",
        ),
        Attribute::text(
            "preferredLanguage",
            "Language in the form of an Accept-Language header.",
        ),
        Attribute::text(
            "locale",
            "Where the user is, for formats of numbers, dates and currency.",
        ),
        Attribute::text(
            "timezone",
            "Time zone in the IANA form, such as Europe/Berlin.",
        ),
        Attribute::boolean("active", "Whether the account may be used."),
        Attribute::text("password", "Clear-text password to be set; never returned.")
            .mutability(Mutability::WriteOnly)
            .returned(Returned::Never),
    ]
}

fn name() -> Attribute {
    let parts = vec![
        Attribute::text("formatted", "Whole name as it is written."),
        Attribute::text("familyName", "Family name or last name."),
        Attribute::text("givenName", "Given name or first name."),
        Attribute::text("middleName", "Middle names."),
        Attribute::text("honorificPrefix", "Title before the name, such as Dr."),
        Attribute::text("honorificSuffix", "What follows the name, such as III."),
    ];
    Attribute::complex("name", "Parts of the user's name.", parts)
}

fn contact() -> Vec<Attribute> {
    let address = Attribute::text("value", "The e-mail address.").at_most(EMAIL_CHARS_MAX);
    let photo = Attribute::reference("value", &["external"], "Address of the image.").case_exact();
    vec![
        valued(
            "emails",
            "E-mail addresses.",
            address,
            &["work", "home", "other"],
        ),
        valued(
            "phoneNumbers",
            "Phone numbers.",
            Attribute::text("value", "The number."),
            &["work", "home", "mobile", "fax", "pager", "other"],
        ),
        valued(
            "ims",
            "Instant messaging addresses.",
            Attribute::text("value", "The address."),
            &["aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo"],
        ),
        valued(
            "photos",
            "Images of the user.",
            photo,
            &["photo", "thumbnail"],
        ),
        addresses(),
    ]
}

fn addresses() -> Attribute {
    let mut parts = vec![
        Attribute::text("formatted", "Whole address as it is written on a letter."),
        Attribute::text("streetAddress", "Street with number."),
        Attribute::text("locality", "City or town."),
        Attribute::text("region", "State or region."),
        Attribute::text("postalCode", "Postal code."),
        Attribute::text("country", "Country as its ISO 3166-1 alpha-2 code."),
    ];
    parts.extend(
        labels(&["work", "home", "other"])
            .into_iter()
            .filter(|part| part.name != "display"),
    );
    Attribute::list("addresses", "Postal addresses.", parts)
}

fn belonging() -> Vec<Attribute> {
    let certificate = Attribute::new("value", Kind::Binary, "The certificate, DER in base64.")
        .case_exact()
        .at_most(JSON_TEXT_BYTES_MAX);
    vec![
        groups(),
        valued(
            "entitlements",
            "What the user is entitled to.",
            Attribute::text("value", "The entitlement."),
            &[],
        ),
        valued(
            "roles",
            "Roles of the user.",
            Attribute::text("value", "The role."),
            &[],
        ),
        valued(
            "x509Certificates",
            "Certificates of the user.",
            certificate,
            &[],
        ),
    ]
}

fn groups() -> Attribute {
    let part = |attribute: Attribute| attribute.mutability(Mutability::ReadOnly);
    let parts = vec![
        part(Attribute::text("value", "Identifier of the group.").case_exact()),
        part(Attribute::reference(
            "$ref",
            &["Group"],
            "Address of the group.",
        )),
        part(Attribute::text("display", "Name of the group.")),
        part(
            Attribute::text("type", "How the user belongs to it.")
                .canonical(&["direct", "indirect"]),
        ),
    ];
    part(Attribute::list(
        "groups",
        "Groups of the user, computed from the groups' members.",
        parts,
    ))
}

/// A list whose elements have `value` and the labels.
fn valued(name: &str, description: &str, value: Attribute, types: &[&str]) -> Attribute {
    let mut parts = vec![value];
    parts.extend(labels(types));
    Attribute::list(name, description, parts)
}

fn labels(types: &[&str]) -> Vec<Attribute> {
    vec![
        Attribute::text("display", "Text to show for it."),
        Attribute::text("type", "What it is used for.").canonical(types),
        Attribute::boolean(
            "primary",
            "Whether it is the preferred one; at most one is.",
        ),
    ]
}
