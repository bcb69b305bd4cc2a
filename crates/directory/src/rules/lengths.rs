//! Texts that rules give as they are written, and that are longer than products keep.

use super::{
    MapDefault, MappingRow, NAME_CHARS_MAX, NameMode, OneOrMany, RuleError, Rules, Source, Step,
    Target,
};

/// Refuses values and names of groups that come out of the rules too long, whoever they are for.
pub(super) fn check(rules: &Rules, errors: &mut Vec<RuleError>) {
    let mut given = Vec::new();
    for (index, row) in rules.mapping.iter().enumerate() {
        if !matches!(row.target, Target::Active | Target::Product(_)) {
            row_texts(row, &format!("mapping[{index}]"), &mut given);
        }
    }
    let names = &rules.groups.names;
    for (index, rule) in names.rules.iter().enumerate() {
        // What comes after it in a chain may shorten a name.
        if names.mode == NameMode::FirstMatch || index + 1 == names.rules.len() {
            let path = format!("groups.names.rules[{index}].steps");
            last_texts(&rule.steps, &path, &mut given);
        }
    }
    let groups = &rules.groups;
    for (path, list) in [
        ("groups.only_assign", &groups.only_assign),
        ("groups.never_assign", &groups.never_assign),
        ("groups.protected", &groups.protected),
        ("groups.never_remove", &groups.never_remove),
        ("scope.required_groups", &rules.scope.required_groups),
    ] {
        let plain = list.iter().enumerate();
        let plain = plain.filter(|(_, entry)| !entry.contains("re:") && !entry.contains("source:"));
        given.extend(plain.map(|(index, entry)| (format!("{path}[{index}]"), entry.as_str())));
    }
    for (path, text) in given {
        let count = text.chars().count();
        // A text may be refused there already for being longer than any.
        let is_refused = errors.iter().any(|it| it.path.starts_with(&path));
        if count > NAME_CHARS_MAX && !is_refused {
            let message =
                format!("the text has {count} characters, and products keep {NAME_CHARS_MAX}");
            errors.push(RuleError::new(path, message, "shorten it"));
        }
    }
}

fn row_texts<'r>(row: &'r MappingRow, path: &str, given: &mut Vec<(String, &'r str)>) {
    let all_pass = last_texts(&row.steps, &format!("{path}.steps"), given);
    if let (true, Some(Source::Constant(text))) = (all_pass, &row.source) {
        given.push((format!("{path}.source.constant"), text));
    }
}

/// The texts that steps end with. Whether what comes into the steps comes out of them as it is.
fn last_texts<'r>(steps: &'r [Step], path: &str, given: &mut Vec<(String, &'r str)>) -> bool {
    for (index, step) in steps.iter().enumerate().rev() {
        let path = format!("{path}[{index}]");
        match step {
            Step::Redact
            | Step::Unique
            | Step::Sort
            | Step::First
            | Step::Last
            | Step::IgnoreIfEmpty => continue,
            Step::Constant(text) => given.push((format!("{path}.constant"), text)),
            Step::Default(text) => {
                given.push((format!("{path}.default"), text));
                continue;
            }
            Step::Prefix { text, .. } => given.push((format!("{path}.prefix.text"), text)),
            Step::Suffix { text, .. } => given.push((format!("{path}.suffix.text"), text)),
            Step::Map { table, default, .. } => {
                for (key, values) in table {
                    let path = format!("{path}.map.table.{key}");
                    let values = match values {
                        OneOrMany::One(text) => std::slice::from_ref(text),
                        OneOrMany::Many(texts) => texts,
                    };
                    given.extend(values.iter().map(|text| (path.clone(), text.as_str())));
                }
                if let MapDefault::Value(text) = default {
                    given.push((format!("{path}.map.default"), text));
                }
            }
            Step::If {
                then, otherwise, ..
            } => {
                last_texts(then, &format!("{path}.if.then"), given);
                last_texts(otherwise, &format!("{path}.if.else"), given);
            }
            _ => {}
        }
        return false;
    }
    true
}
