//! The mapping table run over one user: attributes, the wish to be active, and groups named by attributes.

use std::borrow::Cow;
use std::sync::Arc;

use crate::cause::Trigger;
use crate::evaluate::Decision;
use crate::model::{Account, Attributes, Memory, Origin, Reason, Status};
use crate::notes::Notes;
use crate::outcome::Subject;
use crate::pseudonym;
use crate::rules::{
    CompiledRules, Context, Fault, Flow, Item, OnNull, Row, Settled, Target, name_fault,
};
use crate::surroundings::Surroundings;
use crate::trace::{AttributeEffect, Entry, Trace};
use crate::why_not::Case;

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

impl<'a> Decision<'a> {
    /// Runs the rows. An error is the reason for which the user is dropped.
    pub(crate) fn map(
        &mut self,
        user: &'a scim::Resource,
        subject: &Subject<'a>,
    ) -> Result<Mapped<'a>, Reason> {
        let asks_why = subject.trigger == Trigger::Simulate;
        let table = Table {
            rules: self.rules,
            around: self.around,
            // Who asks why there is no account sees all that the rows would give.
            whole: asks_why && self.live.is_none(),
        };
        let (mapped, dropped) = table.run(user, subject, &mut self.trace);
        if asks_why {
            self.trace.given = Some(mapped.attributes.clone());
        }
        dropped.map_or(Ok(mapped), Err)
    }

    /// Tells who asks why what the rows would give to somebody for whom they do not run.
    pub(crate) fn tell_rows(&mut self, user: &'a scim::Resource, subject: &Subject<'a>) {
        if subject.trigger == Trigger::Simulate && self.live.is_none() {
            let _nothing_comes_of_it = self.map(user, subject);
        }
    }
}

impl Case<'_> {
    /// By what an account that exists is looked for: what the rows would give to somebody who has one, even if one of
    /// them drops the user.
    pub fn sought(&self) -> Attributes {
        let supposed = Account {
            key: String::new(),
            attributes: Attributes::default(),
            status: Status::Active,
            reason: Reason::Copied,
            memberships: Vec::new(),
            memory: Memory::default(),
            last_login: None,
        };
        let subject = Subject {
            existing: Some(&supposed),
            ..self.subject
        };
        let table = Table {
            rules: self.rules,
            around: self.around,
            whole: true,
        };
        let run = |user| table.run(user, &subject, &mut Trace::default());
        let ran = subject.user.map(run);
        ran.map_or_else(Attributes::default, |(mapped, _)| mapped.attributes)
    }
}

/// The mapping table.
struct Table<'t> {
    rules: &'t CompiledRules,
    around: &'t dyn Surroundings,
    /// Whether it goes on when a row has dropped the user.
    whole: bool,
}

impl Table<'_> {
    /// Runs it. What the rows gave, and the reason for which the user is dropped, if one does.
    fn run<'a>(
        &self,
        user: &'a scim::Resource,
        subject: &Subject<'a>,
        trace: &mut Trace,
    ) -> (Mapped<'a>, Option<Reason>) {
        let existing = subject.existing;
        // Of an account that was anonymised, or is only supposed, there is nothing to keep: names come anew.
        let before = existing
            .map(|it| &it.attributes)
            .filter(|it| !it.username.is_empty() && !pseudonym::is_one(it));
        let mut mapped = Mapped {
            active: user.active().unwrap_or(true),
            ..Mapped::default()
        };
        let mut missed = false;
        let mut first = None;
        for row in &self.rules.rows {
            let context = Context {
                user,
                groups: subject.groups,
                existing,
                now: subject.now,
                trigger: subject.trigger,
                around: self.around,
                results: &mapped.attributes,
            };
            let known = match row.target {
                Target::Groups => existing.is_some(),
                _ => before.is_some(),
            };
            let (effect, dropped) = match row.read(&context, known, trace) {
                Read::Values(values) if row.target == Target::Groups => {
                    (mapped.set_groups(row, values, existing), None)
                }
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
            first = first.or(dropped);
            if first.is_some() && !self.whole {
                return (mapped, first);
            }
        }
        // Nobody is known by no name: without a new one the old one stays, and without that nobody appears.
        if mapped.attributes.username.is_empty() {
            mapped.keep_attribute(&Target::Username, existing.map(|it| &it.attributes));
        }
        if mapped.attributes.username.is_empty() {
            trace.push(Entry::Nameless);
            first = first.or(Some(Reason::DroppedByRule));
        } else if missed {
            trace.push(Entry::OldNameStays);
        }
        (mapped, first)
    }
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

    fn was_set(&self) -> AttributeEffect {
        match self.redacted {
            true => AttributeEffect::SetUnseen,
            false => AttributeEffect::Set,
        }
    }

    /// `known` tells whether there is something that the target has.
    fn read<'a>(&self, context: &Context<'a, '_>, known: bool, trace: &mut Trace) -> Read<'a> {
        if self.create_only && known {
            return Read::Keep(AttributeEffect::KeptSinceCreation);
        }
        let mut values = self.reader.read(context);
        if self.keeps_empty && values.is_empty() && self.reader.is_emptied(context.user) {
            values.push(Item::new(""));
        }
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
        values.retain(|item| self.keeps_empty || !item.text.is_empty());
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
            Target::Attribute(name) | Target::Product(name) => {
                let texts = values.into_iter().map(|item| item.text.into_owned());
                let texts: Vec<String> = texts.filter(|text| !text.is_empty()).collect();
                if !texts.is_empty() {
                    self.attributes.extra.insert(name.clone(), texts);
                }
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
        row.was_set()
    }

    /// Names groups. With a value that cannot name one, those stay as well that the row named before: which of them it
    /// was cannot be told.
    fn set_groups(
        &mut self,
        row: &Row,
        values: Vec<Item<'a>>,
        existing: Option<&'a Account>,
    ) -> AttributeEffect {
        let values = values.into_iter().filter(|it| !it.text.is_empty());
        let (good, bad): (Vec<_>, Vec<_>) = values.partition(|it| name_fault(&it.text).is_none());
        let groups = good.into_iter().map(|it| (it.text, Arc::clone(&row.from)));
        self.groups.extend(groups);
        let Some(fault) = bad.iter().find_map(|it| name_fault(&it.text)) else {
            return row.was_set();
        };
        self.keep(row, existing, None);
        AttributeEffect::Failed(fault)
    }

    fn set_one(&mut self, target: &Target, text: Cow<'a, str>) -> Result<(), Fault> {
        if *target == Target::Active {
            self.active = flag(&text).ok_or(Fault::NotUnderstood)?;
            return Ok(());
        }
        if let (Target::Username, Some(fault)) = (target, name_fault(&text)) {
            return Err(fault);
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

    pub(crate) fn place_mut(&mut self, target: &Target) -> Option<&mut String> {
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
