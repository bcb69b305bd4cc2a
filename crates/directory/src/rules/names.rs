//! Group names on their way from the identity provider to the products (US-15).

use super::step::{Fault, Item, Steps};
use super::step_compile::Use;
use super::{GroupNames, NameMode, OnNoMatch, RuleError, name_fault};
use crate::notes::Notes;

/// Compiled rules for group names.
#[derive(Clone, Debug, Default)]
pub(crate) struct NameRules {
    mode: NameMode,
    rules: Vec<Steps>,
    conditional: bool,
    /// What happens to names that no rule matched.
    pub on_no_match: OnNoMatch,
}

impl NameRules {
    /// Compiles the rules; what is wrong with them goes into `errors`.
    pub(crate) fn compile(names: &GroupNames, path: &str, errors: &mut Vec<RuleError>) -> Self {
        let rules: Vec<Steps> = names
            .rules
            .iter()
            .enumerate()
            .filter_map(|(index, rule)| {
                let path = format!("{path}.rules[{index}].steps");
                let steps = Steps::compile(&rule.steps, Use::GroupNames, &path, errors);
                rule.state.is_active().then_some(steps)
            })
            .collect();
        Self {
            mode: names.mode,
            conditional: rules.iter().any(|rule| rule.conditional),
            rules,
            on_no_match: names.on_no_match,
        }
    }

    /// Whether every name goes on as it is.
    pub(crate) fn changes_nothing(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether a name can fail to match.
    pub(crate) fn conditional(&self) -> bool {
        self.conditional
    }

    /// What one source group's name becomes: mostly one name, none if a rule took it away.
    /// A name on which a rule fails becomes nothing: half changed it could be the name of another group. One that the
    /// rules make impossible has failed too, or all members would leave the group in silence.
    pub(crate) fn transform<'a>(&self, name: &'a str) -> Result<Vec<Item<'a>>, Fault> {
        let mut values = vec![Item::new(name)];
        let mut matched = !self.conditional;
        for rule in &self.rules {
            let mut tried = fresh(&values);
            rule.run(&mut tried, None, &mut Notes::off())?;
            let applies = !rule.conditional || tried.iter().any(|item| item.matched);
            if !applies {
                continue;
            }
            values = tried;
            matched |= rule.conditional;
            if rule.conditional && self.mode == NameMode::FirstMatch {
                break;
            }
        }
        for item in &mut values {
            item.matched = matched;
        }
        values.retain(|item| !item.text.is_empty());
        let mut changed = values.iter().filter(|item| *item.text != *name);
        let fault = changed.find_map(|item| name_fault(&item.text));
        fault.map_or(Ok(values), Err)
    }
}

fn fresh<'a>(values: &[Item<'a>]) -> Vec<Item<'a>> {
    values
        .iter()
        .map(|item| Item::new(item.text.clone()))
        .collect()
}
