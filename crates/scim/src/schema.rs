//! Schemas as data: attributes with every characteristic of RFC 7643 section 7, and the resource types
//! made of them.

use std::sync::LazyLock;

use crate::limits::TEXT_CHARS_MAX;
use crate::schemas;

/// The type of an attribute's value (RFC 7643, 2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Text.
    Text,
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Integer,
    /// Any number.
    Decimal,
    /// An instant, RFC 3339.
    DateTime,
    /// Base64 text.
    Binary,
    /// A URI.
    Reference,
    /// An object of sub-attributes.
    Complex,
}

impl Kind {
    /// The name in a schema document.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Text => "string",
            Kind::Boolean => "boolean",
            Kind::Integer => "integer",
            Kind::Decimal => "decimal",
            Kind::DateTime => "dateTime",
            Kind::Binary => "binary",
            Kind::Reference => "reference",
            Kind::Complex => "complex",
        }
    }
}

/// Who may write an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mutability {
    /// Only the server.
    ReadOnly,
    /// The client, at any time.
    ReadWrite,
    /// The client, when the resource or the value is created.
    Immutable,
    /// The client, and nobody reads it.
    WriteOnly,
}

impl Mutability {
    /// The name in a schema document.
    pub fn as_str(self) -> &'static str {
        match self {
            Mutability::ReadOnly => "readOnly",
            Mutability::ReadWrite => "readWrite",
            Mutability::Immutable => "immutable",
            Mutability::WriteOnly => "writeOnly",
        }
    }
}

/// When an attribute is part of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Returned {
    /// In every answer, whatever was asked for.
    Always,
    /// In no answer.
    Never,
    /// Unless left out by the query.
    Default,
    /// Only if asked for by name.
    Request,
}

impl Returned {
    /// The name in a schema document.
    pub fn as_str(self) -> &'static str {
        match self {
            Returned::Always => "always",
            Returned::Never => "never",
            Returned::Default => "default",
            Returned::Request => "request",
        }
    }
}

/// Whether two resources may have the same value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Uniqueness {
    /// They may.
    None,
    /// Not within one connector.
    Server,
    /// Not anywhere.
    Global,
}

impl Uniqueness {
    /// The name in a schema document.
    pub fn as_str(self) -> &'static str {
        match self {
            Uniqueness::None => "none",
            Uniqueness::Server => "server",
            Uniqueness::Global => "global",
        }
    }
}

/// One attribute or sub-attribute with its characteristics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Name in its canonical spelling.
    pub name: String,
    /// Type of its value, or of each value.
    pub kind: Kind,
    /// Whether it is a list.
    pub multi_valued: bool,
    /// What it is, for people who read the schema.
    pub description: String,
    /// Whether a resource must have it.
    pub required: bool,
    /// Suggested values; others are accepted.
    pub canonical_values: Vec<String>,
    /// Whether comparison regards case.
    pub case_exact: bool,
    /// Who may write it.
    pub mutability: Mutability,
    /// When it is part of an answer.
    pub returned: Returned,
    /// Whether values are unique.
    pub uniqueness: Uniqueness,
    /// What a reference may point at.
    pub reference_types: Vec<String>,
    /// Parts of a complex attribute.
    pub sub_attributes: Vec<Attribute>,
    /// Longest text, in characters. Not part of SCIM's own schema language.
    pub chars_max: usize,
    /// Whether it is a name that people and products compare, so that characters nobody sees are refused.
    pub is_name: bool,
}

impl Attribute {
    /// An attribute with the defaults of RFC 7643 section 2.2.
    pub fn new(name: &str, kind: Kind, description: &str) -> Attribute {
        Attribute {
            name: name.to_owned(),
            kind,
            multi_valued: false,
            description: description.to_owned(),
            required: false,
            canonical_values: Vec::new(),
            case_exact: false,
            mutability: Mutability::ReadWrite,
            returned: Returned::Default,
            uniqueness: Uniqueness::None,
            reference_types: Vec::new(),
            sub_attributes: Vec::new(),
            chars_max: TEXT_CHARS_MAX,
            is_name: false,
        }
    }

    /// A text.
    pub fn text(name: &str, description: &str) -> Attribute {
        Attribute::new(name, Kind::Text, description)
    }

    /// A truth value.
    pub fn boolean(name: &str, description: &str) -> Attribute {
        Attribute::new(name, Kind::Boolean, description)
    }

    /// A reference to one of `types`: a resource type, `uri` or `external`.
    pub fn reference(name: &str, types: &[&str], description: &str) -> Attribute {
        Attribute {
            reference_types: owned(types),
            ..Attribute::new(name, Kind::Reference, description)
        }
    }

    /// One object.
    pub fn complex(name: &str, description: &str, sub_attributes: Vec<Attribute>) -> Attribute {
        Attribute {
            sub_attributes,
            ..Attribute::new(name, Kind::Complex, description)
        }
    }

    /// A list of objects.
    pub fn list(name: &str, description: &str, sub_attributes: Vec<Attribute>) -> Attribute {
        Attribute {
            multi_valued: true,
            ..Attribute::complex(name, description, sub_attributes)
        }
    }

    /// The same, required.
    pub fn required(self) -> Attribute {
        Attribute {
            required: true,
            ..self
        }
    }

    /// The same, compared with regard to case.
    pub fn case_exact(self) -> Attribute {
        Attribute {
            case_exact: true,
            ..self
        }
    }

    /// The same, unique within a connector.
    pub fn unique(self) -> Attribute {
        Attribute {
            uniqueness: Uniqueness::Server,
            ..self
        }
    }

    /// The same, writable by these.
    pub fn mutability(self, mutability: Mutability) -> Attribute {
        Attribute { mutability, ..self }
    }

    /// The same, returned when this says.
    pub fn returned(self, returned: Returned) -> Attribute {
        Attribute { returned, ..self }
    }

    /// The same, with suggested values.
    pub fn canonical(self, values: &[&str]) -> Attribute {
        Attribute {
            canonical_values: owned(values),
            ..self
        }
    }

    /// The same, with a longest text in characters.
    pub fn at_most(self, chars_max: usize) -> Attribute {
        Attribute { chars_max, ..self }
    }

    /// The same, as a name that people compare.
    pub fn name_like(self) -> Attribute {
        Attribute {
            is_name: true,
            ..self
        }
    }

    /// The sub-attribute of this name in any case.
    pub fn sub(&self, name: &str) -> Option<&Attribute> {
        find(&self.sub_attributes, name)
    }

    /// Whether it is a list of values that are no objects, each of which is its own `value` (RFC 7643, 2.4).
    pub fn is_plain_list(&self) -> bool {
        self.multi_valued && self.kind != Kind::Complex
    }

    /// Whether a client can't write it.
    pub fn is_read_only(&self) -> bool {
        self.mutability == Mutability::ReadOnly
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn find<'s>(attributes: &'s [Attribute], name: &str) -> Option<&'s Attribute> {
    attributes
        .iter()
        .find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}

/// A set of attributes under a URN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// The URN.
    pub id: String,
    /// Short name.
    pub name: String,
    /// What it describes.
    pub description: String,
    /// Its attributes, in the order in which resources show them.
    pub attributes: Vec<Attribute>,
    /// Of an extension: whether each resource must have it.
    pub required: bool,
}

impl Schema {
    /// The attribute of this name in any case.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        find(&self.attributes, name)
    }
}

/// A kind of resource: an endpoint, a core schema and its extensions (RFC 7643, 6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceType {
    /// `User` or `Group`.
    pub name: String,
    /// `/Users` or `/Groups`.
    pub endpoint: String,
    /// What it is.
    pub description: String,
    /// Attributes of every resource: `schemas`, `id`, `externalId`, `meta`.
    pub common: Vec<Attribute>,
    /// The schema whose attributes stand at the top of the resource.
    pub core: Schema,
    /// Schemas whose attributes stand in an object under their URN.
    pub extensions: Vec<Schema>,
}

impl ResourceType {
    /// The type of users, with the enterprise extension.
    pub fn user() -> &'static ResourceType {
        static USER: LazyLock<ResourceType> = LazyLock::new(schemas::user_type);
        &USER
    }

    /// The type of groups.
    pub fn group() -> &'static ResourceType {
        static GROUP: LazyLock<ResourceType> = LazyLock::new(schemas::group_type);
        &GROUP
    }

    /// The attribute at the top of a resource, in any case: a common or a core one.
    pub fn top(&self, name: &str) -> Option<&Attribute> {
        find(&self.common, name).or_else(|| self.core.attribute(name))
    }

    /// The extension of this URN, in any case.
    pub fn extension(&self, urn: &str) -> Option<&Schema> {
        self.extensions
            .iter()
            .find(|schema| schema.id.eq_ignore_ascii_case(urn))
    }

    /// Whether this is the type of users.
    pub fn is_user(&self) -> bool {
        self.core.id == schemas::USER_URN
    }
}

/// The resource types of one connector: those of the RFCs, with the extensions that an administrator
/// registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceTypes {
    /// Users.
    pub user: ResourceType,
    /// Groups.
    pub group: ResourceType,
}

impl ResourceTypes {
    /// Those of the RFCs alone.
    pub fn core() -> ResourceTypes {
        ResourceTypes {
            user: ResourceType::user().clone(),
            group: ResourceType::group().clone(),
        }
    }

    /// The types in the order of the discovery documents.
    pub fn all(&self) -> [&ResourceType; 2] {
        [&self.user, &self.group]
    }
}
