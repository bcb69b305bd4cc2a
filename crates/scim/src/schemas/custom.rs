//! Schemas that an administrator registers: read from the JSON form of RFC 7643, section 7, checked, and
//! told apart from what there is already. Everything that is wrong is said at once, with its place.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::foreign::is_extension_urn;
use crate::limits::{
    CUSTOM_ATTRIBUTES_MAX, CUSTOM_NAME_CHARS_MAX, CUSTOM_SCHEMA_BYTES_MAX, CUSTOM_SCHEMAS_MAX,
    CUSTOM_VALUES_MAX, TEXT_CHARS_MAX, URN_CHARS_MAX,
};
use crate::name::echo;
use crate::path::is_attribute_name;
use crate::schema::{Attribute, Kind, Mutability, ResourceTypes, Returned, Schema, Uniqueness};

use super::ENTERPRISE_URN;

/// Names at the top of an extension that would be taken for what every resource has, or for a secret.
const RESERVED: [&str; 5] = ["schemas", "id", "externalId", "meta", "password"];

/// What is said about an attribute; other members are refused, as they are most often misspelt.
const CHARACTERISTICS: [&str; 12] = [
    "name",
    "type",
    "multiValued",
    "description",
    "required",
    "canonicalValues",
    "caseExact",
    "mutability",
    "returned",
    "uniqueness",
    "referenceTypes",
    "subAttributes",
];

/// A schema that was registered for a connector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomSchema {
    /// Whether users have it.
    pub of_users: bool,
    /// Whether groups have it.
    pub of_groups: bool,
    /// The schema; `required` says whether each resource must have it.
    pub schema: Schema,
}

/// One thing that is wrong with the document of a schema.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {message}; {remedy}")]
pub struct SchemaError {
    /// Where, from the top of the document: `attributes[2].subAttributes[0].type`.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

impl CustomSchema {
    /// Reads the document of a schema. `required` and the resource types are not part of it: a
    /// resource type says them of its extensions (RFC 7643, 6).
    pub fn parse(
        document: &Value,
        required: bool,
        of_users: bool,
        of_groups: bool,
    ) -> Result<CustomSchema, Vec<SchemaError>> {
        let mut reader = Reader { errors: Vec::new() };
        if !of_users && !of_groups {
            reader.wrong(
                "resource_types",
                "names no resource type",
                "name User, Group or both",
            );
        }
        let schema = reader.schema(document, required);
        match schema {
            Some(schema) if reader.errors.is_empty() => Ok(CustomSchema {
                of_users,
                of_groups,
                schema,
            }),
            _ => Err(reader.errors),
        }
    }

    /// Its attributes whose values no two resources may have alike.
    pub fn unique_attributes(&self) -> impl Iterator<Item = &Attribute> {
        unique_attributes(&self.schema)
    }
}

/// The attributes of a schema whose values no two resources of a connector may have alike.
pub fn unique_attributes(schema: &Schema) -> impl Iterator<Item = &Attribute> {
    let attributes = schema.attributes.iter();
    attributes.filter(|attribute| attribute.uniqueness == Uniqueness::Server)
}

impl ResourceTypes {
    /// The types of a connector with these schemas registered. Says which of them can't stand beside
    /// the others.
    pub fn with(schemas: &[CustomSchema]) -> Result<ResourceTypes, Vec<SchemaError>> {
        let mut reader = Reader { errors: Vec::new() };
        if schemas.len() > CUSTOM_SCHEMAS_MAX {
            reader.wrong(
                "id",
                format!(
                    "is one schema too many: {CUSTOM_SCHEMAS_MAX} can be registered for a connector"
                ),
                "put the attributes into a schema that is registered already",
            );
        }
        let mut types = ResourceTypes::core();
        for (nth, custom) in schemas.iter().enumerate() {
            for other in schemas.iter().take(nth) {
                clash(&mut reader, &custom.schema, &other.schema);
            }
            if custom.of_users {
                types.user.extensions.push(custom.schema.clone());
            }
            if custom.of_groups {
                types.group.extensions.push(custom.schema.clone());
            }
        }
        if reader.errors.is_empty() {
            Ok(types)
        } else {
            Err(reader.errors)
        }
    }
}

/// Two schemas must differ in more than case, and neither may look like an attribute of the other.
fn clash(reader: &mut Reader, one: &Schema, other: &Schema) {
    if one.id.eq_ignore_ascii_case(&other.id) {
        reader.wrong(
            "id",
            format!("'{}' is registered already", echo(&other.id)),
            "change that schema instead",
        );
        return;
    }
    for (long, short) in [(one, other), (other, one)] {
        let name = long
            .id
            .get(..short.id.len())
            .filter(|start| start.eq_ignore_ascii_case(&short.id))
            .and_then(|_| long.id.get(short.id.len()..)?.strip_prefix(':'));
        if let Some(attribute) = name.and_then(|name| short.attribute(name)) {
            reader.wrong(
                "id",
                format!(
                    "'{}' reads like the attribute '{}' of '{}'",
                    echo(&long.id),
                    attribute.name,
                    echo(&short.id)
                ),
                "choose another URN",
            );
        }
    }
}

struct Reader {
    errors: Vec<SchemaError>,
}

impl Reader {
    fn wrong(&mut self, path: &str, message: impl Into<String>, remedy: impl Into<String>) {
        self.errors.push(SchemaError {
            path: path.to_owned(),
            message: message.into(),
            remedy: remedy.into(),
        });
    }

    fn schema(&mut self, document: &Value, required: bool) -> Option<Schema> {
        let Value::Object(map) = document else {
            self.wrong(
                "document",
                "is not an object",
                "send a schema document (RFC 7643, section 7)",
            );
            return None;
        };
        let bytes = document.to_string().len();
        if bytes > CUSTOM_SCHEMA_BYTES_MAX {
            self.wrong(
                "document",
                format!("has {bytes} bytes; {CUSTOM_SCHEMA_BYTES_MAX} are the most"),
                "divide it into several schemas",
            );
            return None;
        }
        let known = ["schemas", "id", "name", "description", "attributes", "meta"];
        self.refuse_others("", map, &known);
        let id = self.text("id", map.get("id")).unwrap_or_default();
        self.check_urn(&id);
        let name = self.text("name", map.get("name"));
        let description = self.text("description", map.get("description"));
        let last = || id.rsplit(':').next().unwrap_or_default().to_owned();
        let attributes = self.attributes("attributes", map.get("attributes"), None);
        Some(Schema {
            name: name.filter(|name| !name.is_empty()).unwrap_or_else(last),
            description: description.unwrap_or_default(),
            attributes,
            required,
            id,
        })
    }

    fn check_urn(&mut self, id: &str) {
        if id.eq_ignore_ascii_case(ENTERPRISE_URN)
            || id
                .to_ascii_lowercase()
                .starts_with("urn:ietf:params:scim:schemas:core:")
        {
            self.wrong(
                "id",
                format!("'{}' belongs to SCIM itself", echo(id)),
                "choose a URN of your own, such as urn:example:params:scim:staff:1.0:User",
            );
        } else if !is_extension_urn(id) {
            self.wrong(
                "id",
                format!("'{}' is not a URN that can be used", echo(id)),
                format!("write urn:<namespace>:<name>, {URN_CHARS_MAX} characters at most, without blanks"),
            );
        }
    }

    fn refuse_others(&mut self, path: &str, map: &Map<String, Value>, known: &[&str]) {
        for name in map.keys().filter(|name| !known.contains(&name.as_str())) {
            let meant = known.iter().find(|known| known.eq_ignore_ascii_case(name));
            let remedy = match meant {
                Some(meant) => format!("write it '{meant}'"),
                None => format!("leave it out; there are {}", known.join(", ")),
            };
            self.wrong(&inside(path, &echo(name)), "is not known here", remedy);
        }
    }

    fn text(&mut self, path: &str, value: Option<&Value>) -> Option<String> {
        match value {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) if text.chars().count() <= TEXT_CHARS_MAX => {
                Some(text.clone())
            }
            Some(Value::String(_)) => {
                self.wrong(
                    path,
                    format!("is longer than {TEXT_CHARS_MAX} characters"),
                    "shorten it",
                );
                None
            }
            Some(_) => {
                self.wrong(path, "is not a text", "write a text in quotes");
                None
            }
        }
    }

    fn flag(&mut self, path: &str, value: Option<&Value>) -> bool {
        match value {
            None | Some(Value::Null) => false,
            Some(Value::Bool(value)) => *value,
            Some(_) => {
                self.wrong(
                    path,
                    "is neither true nor false",
                    "write true or false, without quotes",
                );
                false
            }
        }
    }

    fn texts(&mut self, path: &str, value: Option<&Value>) -> Vec<String> {
        match value {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(items)) if items.len() <= CUSTOM_VALUES_MAX => (0..)
                .zip(items)
                .filter_map(|(nth, item): (usize, _)| {
                    self.text(&format!("{path}[{nth}]"), Some(item))
                })
                .collect(),
            Some(Value::Array(items)) => {
                self.wrong(
                    path,
                    format!(
                        "has {} values; {CUSTOM_VALUES_MAX} are the most",
                        items.len()
                    ),
                    "leave some out",
                );
                Vec::new()
            }
            Some(_) => {
                self.wrong(path, "is not a list", "write a list of texts");
                Vec::new()
            }
        }
    }

    /// One of a few words; the first is what is meant if nothing is said.
    fn word<T: Copy>(
        &mut self,
        path: &str,
        value: Option<&Value>,
        words: &[(&str, T)],
    ) -> Option<T> {
        let text = match value {
            None | Some(Value::Null) => return words.first().map(|(_, meant)| *meant),
            Some(Value::String(text)) => text.as_str(),
            Some(_) => "",
        };
        let found = words.iter().find(|(word, _)| *word == text);
        if found.is_none() {
            let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let message = format!("'{}' is none of the words that can stand here", echo(text));
            self.wrong(path, message, format!("write one of {}", words.join(", ")));
        }
        found.map(|(_, meant)| *meant)
    }

    fn attributes(
        &mut self,
        path: &str,
        value: Option<&Value>,
        inside_of: Option<bool>,
    ) -> Vec<Attribute> {
        let items = match value {
            Some(Value::Array(items)) if !items.is_empty() => items,
            None | Some(Value::Null | Value::Array(_)) => {
                self.wrong(path, "is empty", "describe at least one attribute");
                return Vec::new();
            }
            Some(_) => {
                self.wrong(path, "is not a list", "write a list of attributes");
                return Vec::new();
            }
        };
        if items.len() > CUSTOM_ATTRIBUTES_MAX {
            self.wrong(
                path,
                format!(
                    "has {} attributes; {CUSTOM_ATTRIBUTES_MAX} are the most",
                    items.len()
                ),
                "divide them",
            );
            return Vec::new();
        }
        let mut seen = BTreeSet::new();
        let mut attributes = Vec::with_capacity(items.len());
        for (nth, item) in items.iter().enumerate() {
            let path = format!("{path}[{nth}]");
            let Some(attribute) = self.attribute(&path, item, inside_of) else {
                continue;
            };
            if !seen.insert(attribute.name.to_ascii_lowercase()) {
                self.wrong(
                    &format!("{path}.name"),
                    format!(
                        "'{}' is the name of an attribute before it (case does not count)",
                        echo(&attribute.name)
                    ),
                    "give each attribute a name of its own",
                );
            }
            attributes.push(attribute);
        }
        attributes
    }

    /// `inside_of` tells of a part whether the attribute that it belongs to is a list.
    fn attribute(
        &mut self,
        path: &str,
        value: &Value,
        inside_of: Option<bool>,
    ) -> Option<Attribute> {
        let Value::Object(map) = value else {
            self.wrong(
                path,
                "is not an object",
                "write {\"name\": ..., \"type\": ...}",
            );
            return None;
        };
        self.refuse_others(path, map, &CHARACTERISTICS);
        let at = |member: &str| format!("{path}.{member}");
        let name = self.text(&at("name"), map.get("name")).unwrap_or_default();
        self.check_name(&at("name"), &name, inside_of.is_some());
        let kinds = KINDS.map(|kind| (kind.as_str(), kind));
        if map.get("type").is_none_or(Value::is_null) {
            self.wrong(
                &at("type"),
                "is missing",
                "write the type, such as \"string\"",
            );
        }
        let kind = self.word(&at("type"), map.get("type"), &kinds)?;
        let mutability = self.word(&at("mutability"), map.get("mutability"), &MUTABILITIES);
        let returned = self.word(&at("returned"), map.get("returned"), &RETURNED);
        let uniqueness = self.word(&at("uniqueness"), map.get("uniqueness"), &UNIQUENESS);
        let description = self.text(&at("description"), map.get("description"));
        let mut attribute = Attribute {
            multi_valued: self.flag(&at("multiValued"), map.get("multiValued")),
            required: self.flag(&at("required"), map.get("required")),
            case_exact: self.flag(&at("caseExact"), map.get("caseExact")),
            canonical_values: self.texts(&at("canonicalValues"), map.get("canonicalValues")),
            reference_types: self.texts(&at("referenceTypes"), map.get("referenceTypes")),
            mutability: mutability?,
            returned: returned?,
            uniqueness: uniqueness?,
            ..Attribute::new(&name, kind, &description.unwrap_or_default())
        };
        self.check_parts(path, map, &mut attribute, inside_of);
        self.check_secrecy(&at("returned"), map, &mut attribute);
        self.check_together(path, &attribute, inside_of);
        Some(attribute)
    }

    fn check_name(&mut self, path: &str, name: &str, is_part: bool) {
        let is_reference = is_part && name == "$ref";
        if !is_reference
            && (!is_attribute_name(name)
                || name.starts_with('$')
                || name.len() > CUSTOM_NAME_CHARS_MAX)
        {
            self.wrong(
                path,
                format!("'{}' is not a name", echo(name)),
                format!("begin with a letter and go on with letters, digits, '-' and '_', {CUSTOM_NAME_CHARS_MAX} characters at most"),
            );
        } else if !is_part
            && RESERVED
                .iter()
                .any(|reserved| reserved.eq_ignore_ascii_case(name))
        {
            self.wrong(
                path,
                format!("'{}' is a name with a meaning of its own", echo(name)),
                "choose another name",
            );
        }
    }

    fn check_parts(
        &mut self,
        path: &str,
        map: &Map<String, Value>,
        attribute: &mut Attribute,
        inside_of: Option<bool>,
    ) {
        let at = format!("{path}.subAttributes");
        let given = map.get("subAttributes").filter(|value| !value.is_null());
        match (attribute.kind == Kind::Complex, inside_of, given) {
            (true, Some(_), _) => self.wrong(
                &format!("{path}.type"),
                "is complex inside a complex attribute, which SCIM does not know",
                "give the part a simple type",
            ),
            (true, None, given) => {
                attribute.sub_attributes =
                    self.attributes(&at, given, Some(attribute.multi_valued));
            }
            (false, _, Some(Value::Array(items))) if items.is_empty() => {}
            (false, _, Some(_)) => self.wrong(
                &at,
                "stands at an attribute that is not complex",
                "leave it out, or write \"type\": \"complex\"",
            ),
            (false, _, None) => {}
        }
    }

    /// What nobody may read is never returned, whether or not the document says so twice.
    fn check_secrecy(&mut self, path: &str, map: &Map<String, Value>, attribute: &mut Attribute) {
        if attribute.mutability != Mutability::WriteOnly || attribute.returned == Returned::Never {
            return;
        }
        if map.get("returned").is_some_and(|value| !value.is_null()) {
            self.wrong(
                path,
                "contradicts \"mutability\": \"writeOnly\"",
                "write \"never\", or leave it out",
            );
        }
        attribute.returned = Returned::Never;
    }

    fn check_together(&mut self, path: &str, attribute: &Attribute, inside_of: Option<bool>) {
        let at = |member: &str| format!("{path}.{member}");
        if attribute.required && attribute.mutability == Mutability::ReadOnly {
            self.wrong(
                &at("required"),
                "asks for what no client can write",
                "leave out one of required and readOnly",
            );
        }
        if !attribute.reference_types.is_empty() && attribute.kind != Kind::Reference {
            self.wrong(
                &at("referenceTypes"),
                "stands at an attribute that is no reference",
                "leave it out, or write \"type\": \"reference\"",
            );
        }
        if inside_of == Some(true) && attribute.mutability == Mutability::Immutable {
            self.wrong(
                &at("mutability"),
                "cannot be immutable in a list, whose values come and go",
                "make the whole attribute immutable",
            );
        }
        match attribute.uniqueness {
            Uniqueness::None => {}
            Uniqueness::Global => self.wrong(
                &at("uniqueness"),
                "cannot be global: a connector knows nothing of others",
                "write \"server\"",
            ),
            Uniqueness::Server => {
                let is_text = matches!(attribute.kind, Kind::Text | Kind::Reference);
                if inside_of.is_some() || attribute.multi_valued || !is_text {
                    self.wrong(
                        &at("uniqueness"),
                        "can be \"server\" for a single text or reference at the top of the extension only",
                        "write \"none\"",
                    );
                } else if attribute.returned == Returned::Never {
                    // A refusal would tell which values others have.
                    self.wrong(
                        &at("uniqueness"),
                        "cannot be \"server\" for what is never shown: refusals would give it away",
                        "write \"none\"",
                    );
                }
            }
        }
    }
}

fn inside(path: &str, member: &str) -> String {
    if path.is_empty() {
        member.to_owned()
    } else {
        format!("{path}.{member}")
    }
}

const KINDS: [Kind; 8] = [
    Kind::Text,
    Kind::Boolean,
    Kind::Integer,
    Kind::Decimal,
    Kind::DateTime,
    Kind::Binary,
    Kind::Reference,
    Kind::Complex,
];
const MUTABILITIES: [(&str, Mutability); 4] = [
    ("readWrite", Mutability::ReadWrite),
    ("readOnly", Mutability::ReadOnly),
    ("immutable", Mutability::Immutable),
    ("writeOnly", Mutability::WriteOnly),
];
const RETURNED: [(&str, Returned); 4] = [
    ("default", Returned::Default),
    ("always", Returned::Always),
    ("never", Returned::Never),
    ("request", Returned::Request),
];
const UNIQUENESS: [(&str, Uniqueness); 3] = [
    ("none", Uniqueness::None),
    ("server", Uniqueness::Server),
    ("global", Uniqueness::Global),
];
