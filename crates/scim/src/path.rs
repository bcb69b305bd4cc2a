//! Attribute paths: `userName`, `name.familyName`, `urn:...:User:department`, `emails[type eq "work"].value`.

use std::fmt;

use serde_json::Value;

use crate::catalogue;
use crate::filter::parser::Parser;
use crate::filter::{Filter, Node};
use crate::foreign::is_extension_urn;
use crate::limits::{PATH_BYTES_MAX, PATH_NODES_MAX};
use crate::name::echo;
use crate::schema::{Attribute, Kind, ResourceType, Returned, Schema, Uniqueness};
use crate::{Resource, ScimError};

/// The part of a list's element that has what it is about.
pub(crate) const VALUE: &str = "value";

/// The path of an attribute or sub-attribute as it was written (RFC 7644, 3.10).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AttrPath {
    /// URN of the schema, if one is named.
    pub urn: Option<String>,
    /// The attribute; empty where the path is a URN that can't end in the name of one.
    pub attr: String,
    /// The sub-attribute.
    pub sub: Option<String>,
}

impl AttrPath {
    /// Reads a path.
    pub fn parse(text: &str) -> Result<AttrPath, ScimError> {
        AttrPath::read(text).ok_or_else(|| not_a_path(text))
    }

    /// Reads a path, or `None` if it isn't one. A URN contains dots and colons; attribute names contain
    /// neither, so the last colon ends the URN.
    pub(crate) fn read(text: &str) -> Option<AttrPath> {
        let is_urn = text
            .get(..4)
            .is_some_and(|start| start.eq_ignore_ascii_case("urn:"));
        let (urn, rest) = match text.rsplit_once(':') {
            Some((urn, rest)) if is_urn => (Some(urn.to_owned()), rest),
            _ => (None, text),
        };
        let (attr, sub) = match rest.split_once('.') {
            Some((attr, sub)) => (attr, Some(sub)),
            None => (rest, None),
        };
        let names_are_good = is_attribute_name(attr) && sub.is_none_or(is_attribute_name);
        names_are_good.then(|| AttrPath {
            urn,
            attr: attr.to_owned(),
            sub: sub.map(str::to_owned),
        })
    }

    /// A URN that ends in a version, such as `urn:example:badge:1.0`: all attributes of that schema.
    fn of_schema(text: &str) -> Option<AttrPath> {
        is_extension_urn(text).then(|| AttrPath {
            urn: Some(text.to_owned()),
            attr: String::new(),
            sub: None,
        })
    }

    /// Finds the attribute in a resource type, whatever the case of its name. Attributes of an
    /// extension are found without their URN when the core schema has none of that name.
    pub fn resolve(&self, ty: &ResourceType) -> Result<AttrRef, ScimError> {
        match ty.place(self) {
            Some(Place::Spot(spot)) => Ok(spot.attr_ref()),
            _ => Err(catalogue::PATH_UNKNOWN.error(self.unknown_to(ty))),
        }
    }

    pub(crate) fn unknown_to(&self, ty: &ResourceType) -> String {
        format!(
            "A {} has no attribute '{}'. See /Schemas for those it has.",
            ty.name,
            echo(&self.to_string())
        )
    }
}

impl fmt::Display for AttrPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.urn {
            Some(urn) if self.attr.is_empty() => f.write_str(urn)?,
            Some(urn) => write!(f, "{urn}:")?,
            None => {}
        }
        f.write_str(&self.attr)?;
        match &self.sub {
            Some(sub) => write!(f, ".{sub}"),
            None => Ok(()),
        }
    }
}

fn not_a_path(text: &str) -> ScimError {
    catalogue::PATH_UNREADABLE.error(format!(
        "'{}' is not an attribute path. Write a name such as userName, name.familyName or emails[type eq \"work\"].value.",
        echo(text)
    ))
}

/// ABNF `ATTRNAME` of RFC 7644, and `$ref`.
pub(crate) fn is_attribute_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    let starts_well = bytes
        .next()
        .is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'$');
    starts_well && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// An attribute or sub-attribute that exists, with what a comparison must know about it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AttrRef {
    name: String,
    extension: Option<String>,
    attr: String,
    sub: Option<String>,
    kind: Kind,
    case_exact: bool,
    multi_valued: bool,
    unique: bool,
}

impl AttrRef {
    /// The canonical name: `userName`, `emails.value`, `meta.lastModified`,
    /// `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// URN of the extension that has it; `None` for core and common attributes.
    pub fn extension(&self) -> Option<&str> {
        self.extension.as_deref()
    }

    /// Name of the attribute without its sub-attribute.
    pub fn attr(&self) -> &str {
        &self.attr
    }

    /// Name of the sub-attribute.
    pub fn sub(&self) -> Option<&str> {
        self.sub.as_deref()
    }

    /// Type of what it names.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether comparison regards case.
    pub fn case_exact(&self) -> bool {
        self.case_exact
    }

    /// Whether the attribute is a list.
    pub fn multi_valued(&self) -> bool {
        self.multi_valued
    }

    /// Whether no two resources of a connector have the same value.
    pub fn unique(&self) -> bool {
        self.unique
    }
}

impl AttrRef {
    /// An attribute of which nothing is known but its name: a part of a schema that nobody registered.
    pub(crate) fn untyped(path: &AttrPath, kind: Kind) -> AttrRef {
        AttrRef {
            name: path.to_string(),
            extension: path.urn.clone(),
            attr: path.attr.clone(),
            sub: path.sub.clone(),
            kind,
            case_exact: false,
            multi_valued: true,
            unique: false,
        }
    }

    /// The same, one level down.
    pub(crate) fn part(&self, sub: &str) -> AttrRef {
        AttrRef {
            name: format!("{}.{sub}", self.name),
            sub: Some(sub.to_owned()),
            unique: false,
            ..self.clone()
        }
    }
}

impl fmt::Display for AttrRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// Where a path leads in a resource type.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place<'t> {
    /// All attributes of the core schema (`None`) or of an extension.
    Whole(Option<&'t Schema>),
    /// One attribute.
    Spot(Spot<'t>),
}

/// One attribute or sub-attribute with its schema.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spot<'t> {
    pub extension: Option<&'t Schema>,
    pub attribute: &'t Attribute,
    pub sub: Option<&'t Attribute>,
}

impl<'t> Spot<'t> {
    /// The attribute that the value at this place has.
    pub fn target(&self) -> &'t Attribute {
        self.sub.unwrap_or(self.attribute)
    }

    /// The same place, one level down.
    pub fn with_sub(self, sub: &'t Attribute) -> Spot<'t> {
        Spot {
            sub: Some(sub),
            ..self
        }
    }

    /// The part of this name in any case. What is no object in a list is its own `value` (RFC 7643, 2.4).
    pub fn part(self, name: &str) -> Option<Spot<'t>> {
        if self.attribute.is_plain_list() && name.eq_ignore_ascii_case(VALUE) {
            return Some(self);
        }
        self.attribute.sub(name).map(|sub| self.with_sub(sub))
    }

    /// The canonical dotted name.
    pub fn name(&self) -> String {
        let mut name = String::new();
        if let Some(schema) = self.extension {
            name.push_str(&schema.id);
            name.push(':');
        }
        name.push_str(&self.attribute.name);
        if let Some(sub) = self.sub {
            name.push('.');
            name.push_str(&sub.name);
        }
        name
    }

    pub fn attr_ref(&self) -> AttrRef {
        let target = self.target();
        AttrRef {
            name: self.name(),
            extension: self.extension.map(|schema| schema.id.clone()),
            attr: self.attribute.name.clone(),
            sub: self.sub.map(|sub| sub.name.clone()),
            kind: target.kind,
            case_exact: target.case_exact,
            multi_valued: self.attribute.multi_valued,
            unique: target.uniqueness == Uniqueness::Server,
        }
    }

    /// Whether nobody may read it back, so that it can't be compared either.
    pub fn is_secret(&self) -> bool {
        self.attribute.returned == Returned::Never || self.target().returned == Returned::Never
    }

    pub fn is_read_only(&self) -> bool {
        self.attribute.is_read_only() || self.target().is_read_only()
    }
}

impl ResourceType {
    /// Follows a path. The URN of a schema alone leads to all its attributes.
    pub(crate) fn place(&self, path: &AttrPath) -> Option<Place<'_>> {
        let Some(urn) = &path.urn else {
            return self.unqualified(path).map(Place::Spot);
        };
        if path.attr.is_empty() {
            return self.whole(urn);
        }
        if urn.eq_ignore_ascii_case(&self.core.id) {
            return spot(None, self.top(&path.attr)?, path).map(Place::Spot);
        }
        if let Some(schema) = self.extension(urn) {
            return spot(Some(schema), schema.attribute(&path.attr)?, path).map(Place::Spot);
        }
        self.whole(&path.to_string())
    }

    /// The schema whose URN this is.
    pub(crate) fn whole(&self, urn: &str) -> Option<Place<'_>> {
        if urn.eq_ignore_ascii_case(&self.core.id) {
            return Some(Place::Whole(None));
        }
        self.extension(urn).map(|schema| Place::Whole(Some(schema)))
    }

    fn unqualified(&self, path: &AttrPath) -> Option<Spot<'_>> {
        if let Some(attribute) = self.top(&path.attr) {
            return spot(None, attribute, path);
        }
        self.extensions
            .iter()
            .find_map(|schema| spot(Some(schema), schema.attribute(&path.attr)?, path))
    }
}

fn spot<'t>(
    extension: Option<&'t Schema>,
    attribute: &'t Attribute,
    path: &AttrPath,
) -> Option<Spot<'t>> {
    let whole = Spot {
        extension,
        attribute,
        sub: None,
    };
    match &path.sub {
        Some(sub) => whole.part(sub),
        None => Some(whole),
    }
}

/// A path that may select elements of a list by a filter: the path of a PATCH operation, and of a rule
/// that reads one value of many (RFC 7644, 3.5.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValuePath {
    /// The attribute; with a filter, a list.
    pub attr: AttrPath,
    /// Which elements of the list are meant.
    pub filter: Option<Filter>,
    /// The part of each element that is meant.
    pub sub: Option<String>,
}

impl ValuePath {
    /// Reads a path. `attr.sub` without a filter has its `sub` inside [`ValuePath::attr`].
    pub fn parse(text: &str) -> Result<ValuePath, ScimError> {
        if text.len() > PATH_BYTES_MAX {
            return Err(catalogue::PATH_UNREADABLE.error(format!(
                "A path may have {PATH_BYTES_MAX} bytes at most. Name one attribute in it."
            )));
        }
        if !text.contains('[') {
            let text = text.trim();
            let attr = AttrPath::read(text)
                .or_else(|| AttrPath::of_schema(text))
                .ok_or_else(|| not_a_path(text))?;
            return Ok(ValuePath {
                attr,
                filter: None,
                sub: None,
            });
        }
        Parser::new(text, PATH_NODES_MAX)
            .value_path()
            .map_err(|error| {
                catalogue::PATH_UNREADABLE.error(format!(
                    "The path '{}' can't be read: {error}. Write it like emails[type eq \"work\"].value.",
                    echo(text)
                ))
            })
    }

    /// Finds the attributes in a resource type.
    pub fn resolve(&self, ty: &ResourceType) -> Result<Selector, ScimError> {
        let Some(filter) = &self.filter else {
            return Ok(Selector {
                attr: self.attr.resolve(ty)?,
                filter: None,
            });
        };
        let Some(Place::Spot(list)) = ty.place(&self.attr) else {
            return Err(catalogue::PATH_UNKNOWN.error(self.attr.unknown_to(ty)));
        };
        let node = filter
            .resolve_in(ty, list)
            .map_err(|error| catalogue::PATH_FILTER_WRONG.error(error.detail))?;
        let place = match &self.sub {
            Some(sub) => list.part(sub).ok_or_else(|| {
                catalogue::PATH_UNKNOWN.error(format!(
                    "'{}' has no part '{}'. See /Schemas for those it has.",
                    list.name(),
                    echo(sub)
                ))
            })?,
            None => list,
        };
        Ok(Selector {
            attr: place.attr_ref(),
            filter: Some(node),
        })
    }
}

impl ValuePath {
    /// The same where any extension may be read, whether or not its schema is registered: rules read
    /// what is stored, and what is stored may be older or newer than the schemas.
    pub fn resolve_open(&self, ty: &ResourceType) -> Result<Selector, ScimError> {
        let urn = self.attr.urn.as_deref().unwrap_or_default();
        if self.attr.attr.is_empty() || !is_extension_urn(urn) || ty.whole(urn).is_some() {
            return self.resolve(ty);
        }
        let attr = AttrRef::untyped(&self.attr, Kind::Text);
        let Some(filter) = &self.filter else {
            return Ok(Selector { attr, filter: None });
        };
        let filter = filter.untyped().ok_or_else(|| {
            catalogue::PATH_FILTER_WRONG.error(format!(
                "The filter of '{}' compares parts of a value; name them without a URN or a dot.",
                echo(&self.to_string())
            ))
        })?;
        let attr = match &self.sub {
            Some(sub) => attr.part(sub),
            None => attr,
        };
        Ok(Selector {
            attr,
            filter: Some(filter),
        })
    }
}

impl fmt::Display for ValuePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.attr)?;
        if let Some(filter) = &self.filter {
            write!(f, "[{filter}]")?;
        }
        match &self.sub {
            Some(sub) => write!(f, ".{sub}"),
            None => Ok(()),
        }
    }
}

/// A [`ValuePath`] that was found in a resource type, ready to read resources.
#[derive(Debug, Clone, PartialEq)]
pub struct Selector {
    attr: AttrRef,
    filter: Option<Node>,
}

impl Selector {
    /// What is selected.
    pub fn attr(&self) -> &AttrRef {
        &self.attr
    }

    /// Which elements are selected.
    pub fn filter(&self) -> Option<&Node> {
        self.filter.as_ref()
    }

    /// The selected values; those of a list one by one.
    pub fn values<'r>(&self, resource: &'r Resource) -> Vec<&'r Value> {
        let Some(filter) = &self.filter else {
            return resource.at(&self.attr);
        };
        let list = resource.attribute(&self.attr).and_then(Value::as_array);
        let chosen = list
            .into_iter()
            .flatten()
            .filter(|element| filter.matches_element(element));
        match self.attr.sub() {
            Some(sub) => chosen.filter_map(|element| element.get(sub)).collect(),
            None => chosen.collect(),
        }
    }
}
