//! Shapes: what a form is made of, from which it is shown and read, with one description for both ways.

use serde_json::{Map, Value};

use super::super::form::Fields;

/// Items of one list that a form is read of.
const ITEMS_MAX: usize = 500;

/// A part of a JSON document that can be edited in a form.
pub(in crate::ui) enum Shape {
    /// A text; taken as it is typed.
    Text,
    /// A text, for which the list of this id makes suggestions.
    Suggested(&'static str),
    /// A text that is left out if it is empty.
    Optional,
    /// A number; left out if it is empty.
    Number,
    /// Yes or no.
    Switch,
    /// Yes or no, and yes if it is left out.
    OnUnlessOff,
    /// One of several words, each with what people read. The empty word leaves it out.
    Choice(&'static [(&'static str, &'static str)]),
    /// Texts, one on a line.
    Lines,
    /// From a text to another or to several, `text = other | another`, one on a line.
    Table,
    /// JSON itself.
    Json,
    /// Members with names.
    Record(&'static [Member]),
    /// What another description says.
    Nested(&'static Shape),
    /// Something that is there or not.
    Maybe {
        inside: &'static Shape,
        /// What is asked.
        ask: &'static str,
        /// How it begins, as JSON.
        fresh: &'static str,
    },
    /// Any number of something.
    List {
        item: &'static Shape,
        /// What one of them is called.
        noun: &'static str,
        /// What is said while there is none.
        none: &'static str,
        /// How a new one begins, as JSON.
        fresh: &'static str,
    },
    /// One of several kinds, each with what belongs to it.
    Tagged(&'static [Variant]),
}

/// A member of a record.
pub(in crate::ui) struct Member {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) hint: &'static str,
    pub(super) shape: Shape,
}

/// A kind of something.
pub(in crate::ui) struct Variant {
    pub(super) tag: &'static str,
    pub(super) label: &'static str,
    pub(super) inside: Option<Inside>,
}

/// What belongs to a kind.
pub(in crate::ui) struct Inside {
    pub(super) shape: &'static Shape,
    pub(super) label: &'static str,
    /// How it begins, as JSON.
    pub(super) fresh: &'static str,
}

/// A line of a form, ready to be shown.
pub(in crate::ui) enum Item {
    /// A group of lines begins.
    Open {
        path: String,
        legend: String,
        /// Whether it stands in a list, and can be moved there and go.
        moves: Option<Moves>,
        /// Whether its first line tells the legend already.
        told: bool,
    },
    /// It ends.
    Close,
    /// Something to fill in.
    Control(Control),
    /// Something that is only kept.
    Hidden { path: String, value: String },
    /// There is nothing in a list.
    None(&'static str),
    /// What adds to a list.
    Add {
        path: String,
        /// Where the new one will be.
        place: String,
        noun: &'static str,
        kinds: Vec<(&'static str, &'static str)>,
    },
}

/// Where something in a list can go.
pub(in crate::ui) struct Moves {
    pub(super) list: String,
    index: usize,
    count: usize,
}

impl Moves {
    /// Its place after one step up, if there is one.
    pub(super) fn up(&self) -> Option<String> {
        let above = self.index.checked_sub(1)?;
        Some(format!("{}.{above}", self.list))
    }

    /// Its place after one step down, if there is one.
    pub(super) fn down(&self) -> Option<String> {
        let below = self.index + 1;
        (below < self.count).then(|| format!("{}.{below}", self.list))
    }
}

/// Something to fill in.
pub(in crate::ui) struct Control {
    pub(super) path: String,
    pub(super) label: String,
    pub(super) hint: &'static str,
    pub(super) look: Look,
    pub(super) value: String,
}

/// How something to fill in looks.
pub(in crate::ui) enum Look {
    /// One line, with the id of a list that makes suggestions, if there is one.
    Line(Option<&'static str>),
    Number,
    Switch,
    Choice {
        options: Vec<(&'static str, &'static str)>,
        /// Whether the form has other lines for another choice.
        reshapes: bool,
    },
    Area(usize),
}

impl Control {
    /// Whether it takes the whole width.
    pub(in crate::ui) fn is_wide(&self) -> bool {
        matches!(self.look, Look::Area(3..))
    }

    /// Whether a choice is the present one.
    pub(in crate::ui) fn is(&self, word: &str) -> bool {
        self.value == word
    }
}

/// The lines of a form for a document of this shape.
pub(in crate::ui) fn lines(shape: &Shape, path: &str, label: &str, value: &Value) -> Vec<Item> {
    let mut lines = Lines(Vec::new());
    lines.add(shape, path, (label, ""), value);
    lines.0
}

struct Lines(Vec<Item>);

impl Lines {
    fn add(
        &mut self,
        shape: &Shape,
        path: &str,
        (label, hint): (&str, &'static str),
        value: &Value,
    ) {
        let control = |look, value| {
            Item::Control(Control {
                path: path.to_owned(),
                label: label.to_owned(),
                hint,
                look,
                value,
            })
        };
        match shape {
            Shape::Text | Shape::Optional => {
                self.0.push(control(Look::Line(None), text_of(value)));
            }
            Shape::Suggested(list) => self.0.push(control(Look::Line(Some(list)), text_of(value))),
            Shape::Number => self.0.push(control(Look::Number, text_of(value))),
            Shape::Switch => {
                let on = value.as_bool() == Some(true);
                self.0.push(control(Look::Switch, on.to_string()));
            }
            Shape::OnUnlessOff => {
                let on = value.as_bool() != Some(false);
                self.0.push(control(Look::Switch, on.to_string()));
            }
            Shape::Choice(options) => {
                let look = Look::Choice {
                    options: options.to_vec(),
                    reshapes: false,
                };
                self.0.push(control(look, text_of(value)));
            }
            Shape::Lines => {
                let lines = items(value).iter().map(text_of).collect::<Vec<_>>();
                let rows = lines.len().clamp(2, 8);
                self.0.push(control(Look::Area(rows), lines.join("\n")));
            }
            Shape::Table => {
                let text = table_text(value);
                let rows = text.lines().count().clamp(3, 12);
                self.0.push(control(Look::Area(rows), text));
            }
            Shape::Json => {
                let text = match value {
                    Value::String(unread) => unread.clone(),
                    Value::Null => String::new(),
                    value => serde_json::to_string_pretty(value).unwrap_or_default(),
                };
                let rows = text.lines().count().clamp(3, 20);
                self.0.push(control(Look::Area(rows), text));
            }
            Shape::Record(members) => self.record(members, path, value),
            Shape::Nested(shape) => self.add(shape, path, (label, hint), value),
            Shape::Maybe { inside, ask, .. } => {
                let on = !value.is_null();
                self.0.push(Item::Hidden {
                    path: format!("{path}.was"),
                    value: if on { "true" } else { "" }.to_owned(),
                });
                self.0.push(Item::Control(Control {
                    path: format!("{path}.on"),
                    label: (*ask).to_owned(),
                    hint,
                    look: Look::Choice {
                        options: vec![("", "no"), ("true", "yes")],
                        reshapes: true,
                    },
                    value: if on { "true" } else { "" }.to_owned(),
                }));
                if on {
                    self.add(inside, path, (label, ""), value);
                }
            }
            Shape::List {
                item, noun, none, ..
            } => self.list((item, noun, none), path, value),
            Shape::Tagged(variants) => self.tagged(variants, path, (label, hint), value),
        }
    }

    fn record(&mut self, members: &[Member], path: &str, value: &Value) {
        let mut rest = value.as_object().cloned().unwrap_or_default();
        for member in members {
            let inside = rest.remove(member.name).unwrap_or_default();
            let path = join(path, member.name);
            let is_group = matches!(
                member.shape,
                Shape::Record(_) | Shape::List { .. } | Shape::Nested(_) | Shape::Maybe { .. }
            );
            if is_group {
                self.0.push(Item::Open {
                    path: path.clone(),
                    legend: member.label.to_owned(),
                    moves: None,
                    told: false,
                });
            }
            self.add(&member.shape, &path, (member.label, member.hint), &inside);
            if is_group {
                self.0.push(Item::Close);
            }
        }
        // What this program knows and the form does not is kept.
        if !rest.is_empty() {
            let value = Value::Object(rest).to_string();
            let path = join(path, "~");
            self.0.push(Item::Hidden { path, value });
        }
    }

    fn list(
        &mut self,
        (item, noun, none): (&Shape, &'static str, &'static str),
        path: &str,
        value: &Value,
    ) {
        let all = items(value);
        self.0.push(Item::Hidden {
            path: format!("{path}.#"),
            value: all.len().to_string(),
        });
        if all.is_empty() {
            self.0.push(Item::None(none));
        }
        for (index, one) in all.iter().enumerate() {
            let place = format!("{path}.{index}");
            let legend = format!("{noun} {}", index + 1);
            self.0.push(Item::Open {
                path: place.clone(),
                legend: legend.clone(),
                told: matches!(item, Shape::Tagged(_)),
                moves: Some(Moves {
                    list: path.to_owned(),
                    index,
                    count: all.len(),
                }),
            });
            self.add(item, &place, (&legend, ""), one);
            self.0.push(Item::Close);
        }
        let kinds = match item {
            Shape::Tagged(variants) => variants.iter().map(|it| (it.tag, it.label)).collect(),
            _ => Vec::new(),
        };
        self.0.push(Item::Add {
            path: path.to_owned(),
            place: format!("{path}.{}", all.len()),
            noun,
            kinds,
        });
    }

    fn tagged(
        &mut self,
        variants: &[Variant],
        path: &str,
        (label, hint): (&str, &'static str),
        value: &Value,
    ) {
        let (tag, inside) = tag_of(value);
        self.0.push(Item::Hidden {
            path: format!("{path}.was"),
            value: tag.to_owned(),
        });
        self.0.push(Item::Control(Control {
            path: format!("{path}.kind"),
            label: label.to_owned(),
            hint,
            look: Look::Choice {
                options: variants.iter().map(|it| (it.tag, it.label)).collect(),
                reshapes: true,
            },
            value: tag.to_owned(),
        }));
        let variant = variants.iter().find(|it| it.tag == tag);
        match variant.map(|it| &it.inside) {
            Some(Some(part)) => self.add(part.shape, &join(path, tag), (part.label, ""), inside),
            Some(None) => {}
            // A kind that the form does not know stays as it is.
            None => self.0.push(Item::Hidden {
                path: format!("{path}.~"),
                value: value.to_string(),
            }),
        }
    }
}

/// What a form of this shape says; none if it leaves the value out.
pub(in crate::ui) fn read(shape: &Shape, path: &str, form: &Fields) -> Option<Value> {
    let text = || form.exact(path).replace('\r', "");
    match shape {
        Shape::Text | Shape::Suggested(_) => Some(Value::String(text())),
        Shape::Optional => Some(text().trim().to_owned())
            .filter(|text| !text.is_empty())
            .map(Value::String),
        Shape::Number => match form.text(path) {
            "" => None,
            text => Some(match text.parse::<i64>() {
                Ok(number) => number.into(),
                // The API tells what is wrong with it.
                Err(_not_a_number) => text.into(),
            }),
        },
        Shape::Switch => Some(Value::Bool(!form.text(path).is_empty())),
        Shape::OnUnlessOff => form.text(path).is_empty().then_some(Value::Bool(false)),
        Shape::Choice(_) => match form.text(path) {
            "" => None,
            word => Some(word.into()),
        },
        Shape::Lines => Some(said_lines(&text()).map(Value::from).collect()),
        Shape::Table => Some(table_of(&text())),
        Shape::Json => match text().trim() {
            "" => None,
            text => Some(serde_json::from_str(text).unwrap_or_else(|_unread| text.into())),
        },
        Shape::Record(members) => {
            let rest = form.exact(&join(path, "~"));
            let mut record: Map<String, Value> = serde_json::from_str(&rest).unwrap_or_default();
            for member in *members {
                if let Some(value) = read(&member.shape, &join(path, member.name), form) {
                    record.insert(member.name.to_owned(), value);
                }
            }
            Some(Value::Object(record))
        }
        Shape::Nested(shape) => read(shape, path, form),
        Shape::Maybe { inside, fresh, .. } => {
            let [on, was] = ["on", "was"].map(|it| form.text(&join(path, it)));
            match (on, was) {
                ("", _) => None,
                (_, "") => serde_json::from_str(fresh).ok(),
                _ => read(inside, path, form),
            }
        }
        Shape::List { item, .. } => {
            let count = form.text(&format!("{path}.#")).parse().unwrap_or(0);
            let count: usize = ITEMS_MAX.min(count);
            let items = (0..count).filter_map(|index| read(item, &format!("{path}.{index}"), form));
            Some(items.collect())
        }
        Shape::Tagged(variants) => {
            let tag = form.text(&format!("{path}.kind"));
            let Some(variant) = variants.iter().find(|it| it.tag == tag) else {
                return serde_json::from_str(&form.exact(&format!("{path}.~"))).ok();
            };
            let is_new = form.text(&format!("{path}.was")) != tag;
            match &variant.inside {
                None if tag.is_empty() => None,
                None => Some(tag.into()),
                Some(part) if is_new => Some(fresh_of(tag, part)),
                Some(part) => {
                    let inside = read(part.shape, &join(path, tag), form).unwrap_or_default();
                    Some(Value::Object(Map::from_iter([(tag.to_owned(), inside)])))
                }
            }
        }
    }
}

/// How something new in a list begins; of several kinds, that of this word.
pub(super) fn fresh(item: &Shape, fresh: &str, kind: &str) -> Value {
    let Shape::Tagged(variants) = item else {
        return serde_json::from_str(fresh).unwrap_or_default();
    };
    let variant = variants.iter().find(|it| it.tag == kind);
    match variant.or(variants.first()) {
        Some(Variant {
            tag,
            inside: Some(part),
            ..
        }) => fresh_of(tag, part),
        Some(Variant { tag, .. }) => (*tag).into(),
        None => Value::Null,
    }
}

fn fresh_of(tag: &str, part: &Inside) -> Value {
    let inside = serde_json::from_str(part.fresh).unwrap_or_default();
    Value::Object(Map::from_iter([(tag.to_owned(), inside)]))
}

impl Shape {
    /// The shape itself, without what refers to it.
    pub(super) fn bare(&self) -> &Shape {
        match self {
            Shape::Nested(shape) => shape.bare(),
            shape => shape,
        }
    }
}

/// The shape of what is at a path.
pub(super) fn at<'s>(shape: &'s Shape, path: &str) -> Option<&'s Shape> {
    let (first, rest) = match path.split_once('.') {
        Some((first, rest)) => (first, rest),
        None => (path, ""),
    };
    if first.is_empty() {
        return Some(shape);
    }
    match shape {
        Shape::Record(members) => {
            let member = members.iter().find(|it| it.name == first)?;
            at(&member.shape, rest)
        }
        Shape::Nested(inside) | Shape::Maybe { inside, .. } => at(inside, path),
        Shape::List { item, .. } => at(item, rest),
        Shape::Tagged(variants) => {
            let variant = variants.iter().find(|it| it.tag == first)?;
            at(variant.inside.as_ref()?.shape, rest)
        }
        _ => None,
    }
}

fn join(path: &str, name: &str) -> String {
    match path {
        "" => name.to_owned(),
        path => format!("{path}.{name}"),
    }
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The kind of something, and what belongs to it.
fn tag_of(value: &Value) -> (&str, &Value) {
    match value {
        Value::String(tag) => (tag, &Value::Null),
        Value::Object(map) => match map.iter().next() {
            Some((tag, inside)) => (tag, inside),
            None => ("", &Value::Null),
        },
        _ => ("", &Value::Null),
    }
}

fn said_lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

fn table_text(value: &Value) -> String {
    let Some(table) = value.as_object() else {
        return String::new();
    };
    let lines = table_lines(table);
    // What lines cannot say is said as JSON.
    match table_of(&lines) == *value {
        true => lines,
        false => serde_json::to_string_pretty(value).unwrap_or_default(),
    }
}

fn table_lines(table: &Map<String, Value>) -> String {
    let line = |(from, to): (&String, &Value)| {
        let to = match to {
            Value::Array(several) => several.iter().map(text_of).collect::<Vec<_>>().join(" | "),
            one => text_of(one),
        };
        format!("{from} = {to}")
    };
    table.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn table_of(text: &str) -> Value {
    if text.trim_start().starts_with('{')
        && let Ok(table) = serde_json::from_str::<Map<String, Value>>(text)
    {
        return table.into();
    }
    let pairs = said_lines(text).map(|line| {
        let (from, to) = line.split_once('=').unwrap_or((line, ""));
        let several: Vec<&str> = to.split('|').map(str::trim).collect();
        let to = match several.as_slice() {
            [one] => Value::from(*one),
            several => several.iter().copied().map(Value::from).collect(),
        };
        (from.trim().to_owned(), to)
    });
    Value::Object(pairs.collect())
}
