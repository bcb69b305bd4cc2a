//! Which attributes an answer shows: `attributes` and `excludedAttributes` (RFC 7644, 3.9).

use serde_json::{Map, Value};

use crate::catalogue;
use crate::foreign::is_extension_urn;
use crate::limits::PROJECTION_NAMES_MAX;
use crate::path::{Place, Spot};
use crate::schema::{Attribute, Returned};
use crate::{AttrPath, ResourceType, ScimError};

/// The attributes that a client asked for. `schemas` and `id` are always shown; names that don't exist
/// are passed over, as clients ask one list of all servers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Projection {
    /// Only these; all if `None`.
    shown: Option<Vec<Named>>,
    hidden: Vec<Named>,
    /// Attributes of extensions that are not shown by default.
    special: Vec<Special>,
}

/// An attribute of an extension, or a part of it, that an answer has always, never, or on request.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Special {
    extension: String,
    attr: String,
    sub: Option<String>,
    returned: Returned,
}

impl Special {
    fn all_of(ty: &ResourceType) -> Vec<Special> {
        let mut all = Vec::new();
        for schema in &ty.extensions {
            let mut add = |attribute: &Attribute, sub: Option<&Attribute>| {
                let returned = sub.unwrap_or(attribute).returned;
                if returned != Returned::Default {
                    all.push(Special {
                        extension: schema.id.clone(),
                        attr: attribute.name.clone(),
                        sub: sub.map(|sub| sub.name.clone()),
                        returned,
                    });
                }
            };
            for attribute in &schema.attributes {
                add(attribute, None);
                for sub in &attribute.sub_attributes {
                    add(attribute, Some(sub));
                }
            }
        }
        all
    }
}

/// A name in canonical spelling: an attribute, a part of it, or a whole extension.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Named {
    extension: Option<String>,
    attr: Option<String>,
    sub: Option<String>,
}

impl Projection {
    /// Reads the two query parameters, lists of names with commas between them. They exclude each other
    /// (RFC 7644, 3.9).
    pub fn parse(
        attributes: Option<&str>,
        excluded: Option<&str>,
        ty: &ResourceType,
    ) -> Result<Projection, ScimError> {
        let is_given = |names: &&str| !names.trim().is_empty();
        let (shown, excluded) = (attributes.filter(is_given), excluded.filter(is_given));
        if shown.is_some() && excluded.is_some() {
            return Err(catalogue::PROJECTION_WRONG.error(
                "'attributes' and 'excludedAttributes' exclude each other. Send one of them.",
            ));
        }
        Ok(Projection {
            shown: shown
                .map(|names| named("attributes", names, ty))
                .transpose()?,
            hidden: named("excludedAttributes", excluded.unwrap_or_default(), ty)?,
            special: Special::all_of(ty),
        })
    }

    /// Whether the client named what it wants to see; then there has to be an answer with a body.
    pub fn is_selective(&self) -> bool {
        self.shown.is_some()
    }

    /// Whether all is shown.
    pub fn shows_everything(&self) -> bool {
        self.shown.is_none() && self.hidden.is_empty() && !self.withholds()
    }

    /// Whether a stored document may have something that is not shown unless asked for.
    fn withholds(&self) -> bool {
        let mut special = self.special.iter();
        special.any(|special| special.returned != Returned::Always)
    }

    /// Whether an attribute at the top of the resource is shown, wholly or in part. Asked before the
    /// members of a group are read, which may be many.
    pub fn wants(&self, attribute: &str) -> bool {
        let is_it =
            |named: &&Named| named.extension.is_none() && named.attr.as_deref() == Some(attribute);
        let asked = self
            .shown
            .as_ref()
            .is_none_or(|shown| shown.iter().any(|named| is_it(&named)));
        asked
            && !self
                .hidden
                .iter()
                .filter(is_it)
                .any(|named| named.sub.is_none())
    }

    /// Whether the stored document is shown whole, so that it needn't be parsed; `beside` names the
    /// attributes that aren't in it and that the caller leaves out itself.
    pub fn shows_document(&self, beside: &[&str]) -> bool {
        let is_beside = |named: &Named| {
            named.extension.is_none()
                && named.sub.is_none()
                && named
                    .attr
                    .as_deref()
                    .is_some_and(|attr| beside.contains(&attr))
        };
        self.shown.is_none() && self.hidden.iter().all(is_beside) && !self.withholds()
    }

    /// The resource with what is to be shown.
    pub fn apply(&self, resource: &Map<String, Value>) -> Map<String, Value> {
        let mut shown = Map::new();
        for (name, value) in resource {
            let value = match value {
                _ if name == "schemas" || name == "id" => Some(value.clone()),
                Value::Object(extension) if name.contains(':') => self.extension(name, extension),
                value => self.attribute(None, name, value, &[]),
            };
            if let Some(value) = value {
                shown.insert(name.clone(), value);
            }
        }
        shown
    }

    fn extension(&self, urn: &str, attributes: &Map<String, Value>) -> Option<Value> {
        let shown = attributes
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), self.of_extension(urn, name, value)?)))
            .collect::<Map<_, _>>();
        (!shown.is_empty()).then_some(Value::Object(shown))
    }

    fn of_extension(&self, urn: &str, name: &str, value: &Value) -> Option<Value> {
        let is_it = |special: &&Special| {
            special.extension.eq_ignore_ascii_case(urn) && special.attr.eq_ignore_ascii_case(name)
        };
        let mut own = None;
        let (mut withheld, mut always) = (Vec::new(), Vec::new());
        for special in self.special.iter().filter(is_it) {
            match (&special.sub, special.returned) {
                (None, returned) => own = Some(returned),
                (Some(sub), Returned::Always) => always.push(sub.as_str()),
                (Some(_), Returned::Default) => {}
                (Some(sub), Returned::Request) if self.asks_for(urn, name, Some(sub)) => {}
                (Some(sub), _) => withheld.push(sub.as_str()),
            }
        }
        let value = match own {
            Some(Returned::Never) => None,
            Some(Returned::Always) => Some(value.clone()),
            Some(Returned::Request) if !self.asks_for(urn, name, None) => None,
            _ => self.attribute(Some(urn), name, value, &always),
        }?;
        if withheld.is_empty() {
            return Some(value);
        }
        let is_withheld = |part: &str| withheld.iter().any(|sub| sub.eq_ignore_ascii_case(part));
        parts(&value, |part| !is_withheld(part))
    }

    /// Whether the client named the attribute, or the part, itself.
    fn asks_for(&self, urn: &str, name: &str, sub: Option<&str>) -> bool {
        let is = |named: &Option<String>, wanted: &str| {
            named
                .as_deref()
                .is_some_and(|named| named.eq_ignore_ascii_case(wanted))
        };
        let mut shown = self.shown.iter().flatten();
        shown.any(|named| {
            is(&named.extension, urn)
                && is(&named.attr, name)
                && sub.is_none_or(|sub| is(&named.sub, sub))
        })
    }

    /// What is shown of an attribute; of its parts, those in `always` come along whatever the client names.
    fn attribute(
        &self,
        extension: Option<&str>,
        name: &str,
        value: &Value,
        always: &[&str],
    ) -> Option<Value> {
        let comes = |part: &str| always.iter().any(|sub| sub.eq_ignore_ascii_case(part));
        let choice = Choice::among(self.shown.as_deref(), extension, name);
        let hidden = Choice::among(Some(&self.hidden), extension, name);
        match (choice, hidden) {
            (Choice::None, _) | (_, Choice::All) => None,
            (Choice::All, Choice::None) => Some(value.clone()),
            (Choice::All, Choice::Parts(hidden)) => {
                parts(value, |part| comes(part) || !hidden.contains(&part))
            }
            (Choice::Parts(shown), Choice::None) => {
                parts(value, |part| comes(part) || shown.contains(&part))
            }
            (Choice::Parts(shown), Choice::Parts(hidden)) => parts(value, |part| {
                comes(part) || (shown.contains(&part) && !hidden.contains(&part))
            }),
        }
    }
}

/// How much of one attribute a list of names means.
enum Choice<'n> {
    None,
    Parts(Vec<&'n str>),
    All,
}

impl<'n> Choice<'n> {
    fn among(names: Option<&'n [Named]>, extension: Option<&str>, attribute: &str) -> Choice<'n> {
        let Some(names) = names else {
            return Choice::All;
        };
        let mut parts = Vec::new();
        for named in names
            .iter()
            .filter(|named| match (named.extension.as_deref(), extension) {
                (Some(named), Some(urn)) => named.eq_ignore_ascii_case(urn),
                (named, urn) => named == urn,
            })
        {
            match (&named.attr, &named.sub) {
                (None, _) => return Choice::All,
                (Some(attr), _) if !attr.eq_ignore_ascii_case(attribute) => {}
                (Some(_), None) => return Choice::All,
                (Some(_), Some(sub)) => parts.push(sub.as_str()),
            }
        }
        if parts.is_empty() {
            Choice::None
        } else {
            Choice::Parts(parts)
        }
    }
}

/// An object, or each object of a list, with some of its parts.
fn parts(value: &Value, keep: impl Fn(&str) -> bool + Copy) -> Option<Value> {
    match value {
        Value::Object(object) => {
            let kept = object.iter().filter(|(name, _)| keep(name));
            let kept: Map<_, _> = kept
                .map(|(name, part)| (name.clone(), part.clone()))
                .collect();
            (!kept.is_empty()).then_some(Value::Object(kept))
        }
        Value::Array(items) => {
            let kept: Vec<Value> = items.iter().filter_map(|item| parts(item, keep)).collect();
            (!kept.is_empty()).then_some(Value::Array(kept))
        }
        _ => None,
    }
}

fn named(parameter: &str, names: &str, ty: &ResourceType) -> Result<Vec<Named>, ScimError> {
    let names: Vec<&str> = names
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .collect();
    if names.len() > PROJECTION_NAMES_MAX {
        return Err(catalogue::PROJECTION_WRONG.error(format!(
            "'{parameter}' has {} names; {PROJECTION_NAMES_MAX} are the most. Leave some out.",
            names.len()
        )));
    }
    Ok(names
        .into_iter()
        .flat_map(|name| match Named::find(name, ty) {
            Some(known) => vec![known],
            None => Named::foreign(name),
        })
        .collect())
}

impl Named {
    /// What a URN means that no registered schema explains: an extension, or an attribute of one.
    fn foreign(name: &str) -> Vec<Named> {
        let whole = is_extension_urn(name).then(|| Named {
            extension: Some(name.to_owned()),
            attr: None,
            sub: None,
        });
        let part = AttrPath::read(name)
            .filter(|path| path.urn.is_some())
            .map(|path| Named {
                extension: path.urn,
                attr: Some(path.attr),
                sub: path.sub,
            });
        whole.into_iter().chain(part).collect()
    }

    fn find(name: &str, ty: &ResourceType) -> Option<Named> {
        let place = AttrPath::read(name)
            .and_then(|path| ty.place(&path))
            .or_else(|| ty.whole(name));
        match place? {
            Place::Whole(schema) => Some(Named {
                extension: Some(schema?.id.clone()),
                attr: None,
                sub: None,
            }),
            Place::Spot(Spot { attribute, .. }) if attribute.returned == Returned::Never => None,
            Place::Spot(Spot {
                extension,
                attribute,
                sub,
            }) => Some(Named {
                extension: extension.map(|schema| schema.id.clone()),
                attr: Some(attribute.name.clone()),
                sub: sub.map(|sub| sub.name.clone()),
            }),
        }
    }
}
