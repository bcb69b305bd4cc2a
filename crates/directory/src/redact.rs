//! Values that rules hide from whoever asks what they make of people.

use std::collections::BTreeSet;

use crate::change::Change;
use crate::model::Attributes;
use crate::rules::{CompiledRules, REDACTED, Target};

/// What is shown in place of a hidden value that is another than before.
const REDACTED_ANEW: &str = "[redacted, another value]";

impl CompiledRules {
    /// The targets whose values are not to be shown.
    pub fn hidden(&self) -> BTreeSet<Target> {
        let hidden = self.rows.iter().filter(|row| row.redacted);
        hidden.map(|row| row.target.clone()).collect()
    }

    /// The attributes of the identity provider whose values are not to be shown either, in small letters: those that the
    /// hidden targets come from. A user name that only stands in for a missing name is no secret by that.
    pub fn hidden_sources(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for row in self.rows.iter().filter(|row| row.redacted) {
            let read = row.reader.read_names();
            let stands_in = |name: &String| name == "username" && row.target == Target::DisplayName;
            names.extend(read.into_iter().filter(|name| !stands_in(name)));
        }
        names
    }
}

impl Attributes {
    /// Hides the values of targets. What differs from what was before shows that it does.
    pub fn redact(&mut self, hidden: &BTreeSet<Target>, before: Option<&Attributes>) {
        for target in hidden {
            let texts = self.texts(target);
            let had = before.map(|it| it.texts(target));
            let had = had.filter(|it| it.iter().any(|text| !text.is_empty()));
            let mark = match had.is_some_and(|it| it != texts) {
                true => REDACTED_ANEW,
                false => REDACTED,
            };
            if let Some(name) = target.attribute() {
                if let Some(values) = self.extra.get_mut(name) {
                    *values = vec![mark.to_owned()];
                }
            } else if let Some(text) = self.place_mut(target).filter(|it| !it.is_empty()) {
                *text = mark.to_owned();
            }
        }
    }
}

impl Change {
    /// Hides the values of targets in it.
    pub fn redact(&mut self, hidden: &BTreeSet<Target>) {
        match self {
            Change::CreateUser { attributes, .. } => attributes.redact(hidden, None),
            Change::UpdateUser { before, after } => {
                after.redact(hidden, Some(before));
                before.redact(hidden, None);
            }
            Change::RenameUser { from, to } if hidden.contains(&Target::Username) => {
                (*from, *to) = (REDACTED.to_owned(), REDACTED_ANEW.to_owned());
            }
            Change::RemoveUser { name, before, .. } => {
                if hidden.contains(&Target::Username) {
                    *name = REDACTED.to_owned();
                }
                if let Some(before) = before {
                    before.attributes.redact(hidden, None);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_hidden_targets_come_from_is_known() {
        let rules = json!({"mapping": [
            {"target": "attr:pin", "source": {"attribute": "title"}, "steps": ["redact"]},
            {"target": "email", "steps": ["redact"]},
            {"target": "attr:room", "source": {"template": "${name.familyName} ${locale}"}, "steps": ["redact"]},
            {"target": "display_name"},
        ]});
        let rules = CompiledRules::new(&serde_json::from_value(rules).unwrap()).unwrap();
        let names: Vec<String> = rules.hidden_sources().into_iter().collect();
        assert_eq!(names, ["emails", "familyname", "locale", "title"]);
    }

    #[test]
    fn hidden_values_show_only_whether_they_differ() {
        let rules = json!({"mapping": [
            {"target": "attr:pin", "source": {"attribute": "title"}, "steps": ["redact"]},
            {"target": "email", "steps": ["redact"]},
        ]});
        let rules = CompiledRules::new(&serde_json::from_value(rules).unwrap()).unwrap();
        let attributes = |pin: &str, email: &str| {
            let mut one = Attributes {
                username: "ann".into(),
                email: email.into(),
                ..Attributes::default()
            };
            one.extra.insert("pin".into(), vec![pin.into()]);
            one
        };
        let mut change = Change::UpdateUser {
            before: attributes("1234", "ann@x.example"),
            after: attributes("5678", "ann@x.example"),
        };
        change.redact(&rules.hidden());
        assert_eq!(
            change,
            Change::UpdateUser {
                before: attributes(REDACTED, REDACTED),
                after: attributes(REDACTED_ANEW, REDACTED),
            }
        );
        let mut nothing = attributes("", "");
        nothing.extra.clear();
        let before = nothing.clone();
        nothing.redact(&rules.hidden(), None);
        assert_eq!(nothing, before, "what is not there is not hidden");
    }
}
