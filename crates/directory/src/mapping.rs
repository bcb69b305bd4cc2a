//! The mapping table run over one user: attributes, the wish to be active, and groups named by attributes.

use std::borrow::Cow;
use std::sync::Arc;

use crate::model::{Account, Attributes, Origin, Reason};
use crate::notes::Notes;
use crate::outcome::Subject;
use crate::pseudonym;
use crate::rules::{
    CompiledRules, Context, Fault, Flow, Item, OnNull, Row, Settled, Target, is_possible_name,
};
use crate::surroundings::Surroundings;
use crate::trace::{AttributeEffect, Entry, Trace};

/// What the mapping table makes of one user.
#[derive(Debug, Default)]
pub(crate) struct Mapped<'a> {
    pub attributes: Attributes,
    /// Whether the identity provider means the user to be active.
    pub active: bool,
    /// Groups that rows name, each with the row's source.
    pub groups: Vec<(Cow<'a, str>, Arc<str>)>,
}

/// A row's result before it is put in its place.
enum Read<'a> {
    Values(Vec<Item<'a>>),
    Keep(AttributeEffect),
    Clear(AttributeEffect),
    Drop(Reason),
}

/// Runs the table. An error is the reason for which the user is dropped.
pub(crate) fn map<'a>(
    user: &'a scim::Resource,
    subject: &Subject<'a>,
    around: &dyn Surroundings,
    rules: &CompiledRules,
    trace: &mut Trace,
) -> Result<Mapped<'a>, Reason> {
    let existing = subject.existing;
    // Of an account that was anonymised there is nothing to keep: names come anew.
    let before = existing
        .map(|it| &it.attributes)
        .filter(|it| !pseudonym::is_one(it));
    let mut mapped = Mapped {
        active: user.active().unwrap_or(true),
        ..Mapped::default()
    };
    let mut missed = false;
    for row in &rules.rows {
        let context = Context {
            user,
            groups: subject.groups,
            existing,
            now: subject.now,
            trigger: subject.trigger,
            around,
            results: &mapped.attributes,
        };
        let known = match row.target {
            Target::Groups => existing.is_some(),
            _ => before.is_some(),
        };
        let (effect, dropped) = match row.read(&context, known, trace) {
            Read::Values(values) => (mapped.set(row, values, before), None),
            Read::Keep(effect) => {
                mapped.keep(row, existing, before);
                (effect, None)
            }
            // An account that was anonymised is not lost for want of what it was made with.
            Read::Drop(_) if row.create_only && existing.is_some() => {
                mapped.keep(row, existing, before);
                (AttributeEffect::KeptSinceCreation, None)
            }
            Read::Clear(effect) => (effect, None),
            Read::Drop(reason) => (AttributeEffect::Dropped(reason), Some(reason)),
        };
        missed |= row.target == Target::Username && row.misses(effect);
        trace.push(Entry::Attribute {
            target: Arc::clone(&row.label),
            from: Arc::clone(&row.from),
            effect: mapped.told(&row.target, effect),
        });
        if let Some(reason) = dropped {
            return Err(reason);
        }
    }
    // Nobody is known by no name: without a new one the old one stays, and without that nobody appears.
    if mapped.attributes.username.is_empty() {
        mapped.keep_attribute(&Target::Username, existing.map(|it| &it.attributes));
    }
    if mapped.attributes.username.is_empty() {
        trace.push(Entry::Nameless);
        return Err(Reason::DroppedByRule);
    }
    if missed {
        trace.push(Entry::OldNameStays);
    }
    Ok(mapped)
}

impl Row {
    /// Whether it has no value to set, and nobody said that what is there is to stay then.
    fn misses(&self, effect: AttributeEffect) -> bool {
        match effect {
            AttributeEffect::KeptWithoutValue => !self.null_is_foreseen,
            AttributeEffect::ClearedWithoutValue | AttributeEffect::ClearedWithoutMatch => true,
            _ => false,
        }
    }

    /// `known` tells whether there is something that the target has.
    fn read<'a>(&self, context: &Context<'a, '_>, known: bool, trace: &mut Trace) -> Read<'a> {
        if self.create_only && known {
            return Read::Keep(AttributeEffect::KeptSinceCreation);
        }
        let mut values = self.reader.read(context);
        if self.steps.is_empty() {
            return if values.is_empty() {
                self.without_value()
            } else {
                Read::Values(values)
            };
        }
        let mut notes = Notes::on(trace, &self.label, self.redacted);
        match self.steps.run(&mut values, Some(context), &mut notes) {
            Err(fault) => return Read::Keep(AttributeEffect::Failed(fault)),
            Ok(Flow::Keep) => return Read::Keep(AttributeEffect::KeptByStep),
            Ok(Flow::Drop) => return Read::Drop(Reason::DroppedByRule),
            Ok(Flow::Go) => {}
        }
        values.retain(|item| !item.text.is_empty());
        if values.is_empty() {
            return self.without_value();
        }
        if !self.steps.conditional {
            return Read::Values(values);
        }
        match self.on_no_match.settle(values) {
            Settled::Values(values) if values.is_empty() => {
                Read::Clear(AttributeEffect::ClearedWithoutMatch)
            }
            Settled::Values(values) => Read::Values(values),
            Settled::Keep => Read::Keep(AttributeEffect::KeptWithoutMatch),
            Settled::DropUser => Read::Drop(Reason::FilteredNoMatch),
        }
    }

    fn without_value<'a>(&self) -> Read<'a> {
        match self.on_null {
            OnNull::Keep => Read::Keep(AttributeEffect::KeptWithoutValue),
            OnNull::Clear => Read::Clear(AttributeEffect::ClearedWithoutValue),
            OnNull::DropUser => Read::Drop(Reason::DroppedByRule),
        }
    }
}

impl<'a> Mapped<'a> {
    fn set(
        &mut self,
        row: &Row,
        values: Vec<Item<'a>>,
        before: Option<&Attributes>,
    ) -> AttributeEffect {
        match &row.target {
            Target::Groups => {
                let from = &row.from;
                let groups = values.into_iter().map(|item| (item.text, Arc::clone(from)));
                self.groups.extend(groups);
            }
            Target::Attribute(name) | Target::Product(name) => {
                let texts = values.into_iter().map(|item| item.text.into_owned());
                self.attributes.extra.insert(name.clone(), texts.collect());
            }
            target => {
                let Some(first) = values.into_iter().next() else {
                    return AttributeEffect::ClearedWithoutValue;
                };
                if let Err(fault) = self.set_one(target, first.text) {
                    self.keep_attribute(target, before);
                    return AttributeEffect::Failed(fault);
                }
            }
        }
        if row.redacted {
            return AttributeEffect::SetUnseen;
        }
        AttributeEffect::Set
    }

    fn set_one(&mut self, target: &Target, text: Cow<'a, str>) -> Result<(), Fault> {
        if *target == Target::Active {
            self.active = flag(&text).ok_or(Fault::NotUnderstood)?;
            return Ok(());
        }
        if *target == Target::Username && !is_possible_name(&text) {
            return Err(Fault::NotAName);
        }
        if let Some(place) = self.attributes.place_mut(target) {
            *place = text.into_owned();
        }
        Ok(())
    }

    /// An effect on being active says which it is, as no attribute keeps it.
    fn told(&self, target: &Target, effect: AttributeEffect) -> AttributeEffect {
        match effect {
            _ if *target != Target::Active => effect,
            AttributeEffect::Set | AttributeEffect::SetUnseen => AttributeEffect::Flag(self.active),
            AttributeEffect::Dropped(_) | AttributeEffect::Failed(_) => effect,
            _ => AttributeEffect::FlagWithoutValue(self.active),
        }
    }

    /// Leaves a target as it was. Whether to be active is then what the identity provider says plainly, and of
    /// groups those stay that the same row gave.
    fn keep(&mut self, row: &Row, existing: Option<&'a Account>, before: Option<&Attributes>) {
        if row.target != Target::Groups {
            return self.keep_attribute(&row.target, before);
        }
        let given = |origin: &Origin| matches!(origin, Origin::Rule(name) if **name == *row.from);
        for membership in existing.into_iter().flat_map(|it| &it.memberships) {
            if membership.origins.iter().any(given) {
                let name = Cow::Borrowed(membership.group.as_str());
                self.groups.push((name, Arc::clone(&row.from)));
            }
        }
    }

    fn keep_attribute(&mut self, target: &Target, before: Option<&Attributes>) {
        let Some(before) = before else { return };
        if let Some(name) = target.attribute() {
            if let Some(values) = before.extra.get(name) {
                self.attributes
                    .extra
                    .insert(name.to_owned(), values.clone());
            }
        } else if let (Some(from), Some(to)) =
            (before.place(target), self.attributes.place_mut(target))
        {
            to.clone_from(from);
        }
    }
}

impl Attributes {
    fn place(&self, target: &Target) -> Option<&String> {
        Some(match target {
            Target::Username => &self.username,
            Target::Email => &self.email,
            Target::DisplayName => &self.display_name,
            Target::FirstName => &self.first_name,
            Target::LastName => &self.last_name,
            Target::Active | Target::Groups | Target::Attribute(_) | Target::Product(_) => {
                return None;
            }
        })
    }

    fn place_mut(&mut self, target: &Target) -> Option<&mut String> {
        Some(match target {
            Target::Username => &mut self.username,
            Target::Email => &mut self.email,
            Target::DisplayName => &mut self.display_name,
            Target::FirstName => &mut self.first_name,
            Target::LastName => &mut self.last_name,
            Target::Active | Target::Groups | Target::Attribute(_) | Target::Product(_) => {
                return None;
            }
        })
    }

    /// The value of a target by its name in the rules; several values are joined by commas.
    pub fn get(&self, target: &str) -> Option<String> {
        let target = Target::try_from(target.to_owned()).ok()?;
        match target.attribute() {
            Some(name) => self.extra.get(name).map(|values| values.join(", ")),
            None => self.place(&target).cloned(),
        }
    }

    /// The values of a target.
    pub(crate) fn texts(&self, target: &Target) -> Vec<String> {
        match target.attribute() {
            Some(name) => self.extra.get(name).cloned().unwrap_or_default(),
            None => self.place(target).cloned().into_iter().collect(),
        }
    }
}

/// Reads the spellings of true and false that clients use.
fn flag(text: &str) -> Option<bool> {
    let any = |words: &[&str]| {
        words
            .iter()
            .any(|word| text.trim().eq_ignore_ascii_case(word))
    };
    if any(&["true", "1", "yes"]) {
        Some(true)
    } else if any(&["false", "0", "no"]) {
        Some(false)
    } else {
        None
    }
}
