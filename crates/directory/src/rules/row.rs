//! Rows of the mapping compiled, in the order of what they read of each other.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::source::{Reader, describe};
use super::step::Steps;
use super::step_compile::Use;
use super::{Apply, MappingRow, NAME_CHARS_MAX, OnNoMatch, OnNull, RuleError, Source, Target};

/// A compiled mapping row.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub target: Target,
    /// The target as traces name it.
    pub label: Arc<str>,
    /// The source as traces name it.
    pub from: Arc<str>,
    pub reader: Reader,
    pub steps: Steps,
    pub on_no_match: OnNoMatch,
    pub on_null: OnNull,
    /// An attribute that is there and empty is a value.
    pub keeps_empty: bool,
    /// Whether the rules say what happens without a value.
    pub null_is_foreseen: bool,
    /// Targets of other rows whose results it reads.
    pub needs: Vec<Target>,
    /// The row counts for new accounts only.
    pub create_only: bool,
    /// Explanations do not show its values.
    pub redacted: bool,
}

/// The rows that count, and those for targets that have none.
pub(super) fn compile_rows(rows: &[MappingRow], errors: &mut Vec<RuleError>) -> Vec<Row> {
    let mut seen = BTreeSet::new();
    let mut stored = BTreeSet::new();
    let mut compiled = Vec::with_capacity(rows.len() + 6);
    for (index, row) in rows.iter().enumerate() {
        let path = format!("mapping[{index}]");
        if !row.state.is_active() {
            // What does not count yet has to be right all the same.
            let wrong = Row::compile(row, &path, errors).err();
            errors.extend(wrong);
            continue;
        }
        let again = row.target != Target::Groups && !seen.insert(&row.target);
        let stored_again = row.target.attribute().is_some_and(|it| !stored.insert(it));
        if again || stored_again {
            let message = format!("`{}` has a row already", row.target);
            let remedy = "keep one row; `first_of` tries several attributes in order";
            errors.push(RuleError::new(format!("{path}.target"), message, remedy));
        }
        match Row::compile(row, &path, errors) {
            Ok(row) => compiled.push((row, path)),
            Err(error) => errors.push(error),
        }
    }
    for target in [
        Target::Username,
        Target::Email,
        Target::DisplayName,
        Target::FirstName,
        Target::LastName,
        Target::Active,
    ] {
        if !seen.contains(&target) {
            match Row::compile(&MappingRow::default_for(target), "defaults", errors) {
                Ok(row) => compiled.push((row, "defaults".to_owned())),
                Err(error) => errors.push(error),
            }
        }
    }
    in_order(compiled, errors)
}

/// Puts rows behind those whose results they read, and otherwise leaves their order. Rows that read each other's
/// results in a circle have no order.
fn in_order(mut waiting: Vec<(Row, String)>, errors: &mut Vec<RuleError>) -> Vec<Row> {
    let known: BTreeSet<Target> = waiting.iter().map(|(row, _)| row.target.clone()).collect();
    let mut done: BTreeSet<Target> = BTreeSet::new();
    let mut hidden: BTreeSet<Target> = BTreeSet::new();
    let mut ordered = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let ready = |(row, _): &(Row, String)| {
            let mut needed = row.needs.iter();
            needed.all(|target| done.contains(target) || !known.contains(target))
        };
        let Some(next) = waiting.iter().position(ready) else {
            let labels: Vec<String> = waiting
                .iter()
                .map(|(row, _)| format!("`{}`", row.label))
                .collect();
            for (row, path) in &waiting {
                let message = format!(
                    "`{}` waits for itself: the rows for {} read each other's results",
                    row.label,
                    labels.join(", ")
                );
                let remedy = "let one of them read an attribute of the user instead of `result`";
                errors.push(RuleError::new(path.clone(), message, remedy));
            }
            break;
        };
        let (mut row, path) = waiting.remove(next);
        for target in &row.needs {
            if !known.contains(target) {
                let message = format!("no row sets `{target}`");
                errors.push(RuleError::new(
                    path.clone(),
                    message,
                    "add the row, or read an attribute",
                ));
            }
            row.redacted |= hidden.contains(target);
        }
        if row.redacted {
            hidden.insert(row.target.clone());
        }
        done.insert(row.target.clone());
        ordered.push(row);
    }
    ordered
}

impl Row {
    pub(crate) fn compile(
        row: &MappingRow,
        path: &str,
        errors: &mut Vec<RuleError>,
    ) -> Result<Self, RuleError> {
        let purpose = Use::Row(&row.target);
        let steps = Steps::compile(&row.steps, purpose, &format!("{path}.steps"), errors);
        let reader = match &row.source {
            Some(source) => Reader::compile(source, &format!("{path}.source"))?,
            None => Reader::default_for(&row.target).ok_or_else(|| {
                RuleError::new(
                    format!("{path}.source"),
                    format!("`{}` has no default source", row.target),
                    "name one, e.g. {\"attribute\": \"title\"}; names of source groups change in `groups.names`",
                )
            })??,
        };
        if let Some(name) = row.target.attribute()
            && name.chars().count() > NAME_CHARS_MAX
        {
            let message = "the attribute's name has more than 255 characters";
            return Err(RuleError::new(
                format!("{path}.target"),
                message,
                "shorten it",
            ));
        }
        let on_null = row.on_null.unwrap_or(match row.target {
            Target::Username | Target::Email | Target::DisplayName => OnNull::Keep,
            _ => OnNull::Clear,
        });
        let mut needs = Vec::new();
        reader.needs(&mut needs);
        steps.needs(&mut needs);
        Ok(Self {
            create_only: row.apply == Apply::CreateOnly || steps.create_only,
            redacted: steps.redacted,
            needs,
            label: row.target.to_string().into(),
            from: match &row.source {
                Some(Source::Constant(_)) if steps.redacted => "constant".into(),
                source => describe(source.as_ref(), &row.target).into(),
            },
            target: row.target.clone(),
            reader,
            steps,
            on_no_match: row.on_no_match,
            on_null,
            keeps_empty: !row.empty_as_null,
            null_is_foreseen: row.on_null.is_some(),
        })
    }
}
