//! An account as it is and as it would be: what previews, plans, undos and histories show, in one form.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::journal;
use super::why::NameHolder;

/// An account at a moment, as the admin API tells it: in previews by the rules' names, elsewhere by the directory's.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Account {
    #[serde(alias = "username")]
    name: String,
    display_name: String,
    first_name: String,
    last_name: String,
    email: String,
    status: String,
    reason: String,
    #[serde(alias = "extra")]
    attributes: BTreeMap<String, Vec<String>>,
    groups: Vec<String>,
    memberships: Vec<Place>,
}

#[derive(Clone, Deserialize)]
struct Place {
    group: String,
}

/// What becomes of one account.
pub(super) struct Compared {
    /// Whom it is about.
    pub(super) name: String,
    /// Where that is looked at.
    pub(super) address: Option<String>,
    /// What it is, in words, each with the colour of its badge.
    pub(super) badges: Vec<(&'static str, &'static str)>,
    pub(super) lines: Vec<Line>,
    pub(super) groups: Vec<Group>,
    /// Groups that stay and are not listed.
    pub(super) more_groups: usize,
    /// What stands in the way.
    pub(super) troubles: Vec<String>,
}

/// One attribute.
pub(super) struct Line {
    pub(super) label: String,
    pub(super) before: String,
    pub(super) after: String,
}

impl Line {
    pub(super) fn changes(&self) -> bool {
        self.before != self.after
    }
}

/// One membership: `stays`, `comes` or `goes`.
pub(super) struct Group {
    pub(super) name: String,
    pub(super) how: &'static str,
}

/// Groups that stay and are listed.
const STAYING_MAX: usize = 6;

impl Account {
    fn lines(&self) -> BTreeMap<(usize, String), String> {
        let fixed = [
            ("User name", &self.name),
            ("Name", &self.display_name),
            ("Given name", &self.first_name),
            ("Family name", &self.last_name),
            ("E-mail", &self.email),
            ("Status", &self.status),
        ];
        let fixed = fixed.into_iter().enumerate();
        let fixed = fixed.map(|(place, (label, value))| ((place, label.to_owned()), value.clone()));
        let others = self.attributes.iter();
        let others = others.map(|(name, values)| ((9, name.clone()), values.join(", ")));
        fixed.chain(others).collect()
    }

    fn groups(&self) -> BTreeSet<String> {
        let places = self.memberships.iter().map(|place| place.group.clone());
        places.chain(self.groups.iter().cloned()).collect()
    }
}

/// Compares an account with what it would be. Of attributes that stay, the usual ones are shown if `all` says so.
pub(super) fn compared(
    name: String,
    before: Option<Account>,
    after: Option<Account>,
    all: bool,
) -> Compared {
    let (is_new, is_gone) = (before.is_none(), after.is_none());
    let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
    let (was, is) = (before.lines(), after.lines());
    let keys: BTreeSet<_> = was.keys().chain(is.keys()).cloned().collect();
    let lines = keys.into_iter().map(|key| Line {
        before: was.get(&key).cloned().unwrap_or_default(),
        after: is.get(&key).cloned().unwrap_or_default(),
        label: key.1,
    });
    let usual =
        |line: &Line| all && matches!(&*line.label, "User name" | "Name" | "E-mail" | "Status");
    let lines = lines.filter(|line| line.changes() || usual(line));
    let lines = lines.filter(|line| !(line.before.is_empty() && line.after.is_empty()));
    let (was, is) = (before.groups(), after.groups());
    let mut groups = Vec::new();
    let mut more_groups = 0;
    for name in was.union(&is) {
        let how = match (was.contains(name), is.contains(name)) {
            (true, true) => "stays",
            (true, false) => "goes",
            _ => "comes",
        };
        groups.push(Group {
            name: name.clone(),
            how,
        });
    }
    groups.sort_by_key(|group| group.how == "stays");
    let changing = groups.iter().filter(|group| group.how != "stays").count();
    let shown = changing + if all { STAYING_MAX } else { 0 };
    if groups.len() > shown {
        more_groups = groups.len() - shown;
        groups.truncate(shown);
    }
    let badges = match (is_new, is_gone) {
        (true, true) => vec![("no account", "")],
        (true, false) => vec![("new", "good")],
        (false, true) => vec![("goes", "bad")],
        _ => Vec::new(),
    };
    Compared {
        name,
        address: None,
        badges,
        lines: lines.collect(),
        groups,
        more_groups,
        troubles: Vec::new(),
    }
}

impl Compared {
    /// Whether nothing is different.
    pub(super) fn is_same(&self) -> bool {
        !self.lines.iter().any(Line::changes)
            && self.groups.iter().all(|group| group.how == "stays")
    }
}

/// A user of a preview or a sample.
#[derive(Deserialize)]
pub(super) struct Previewed {
    user_name: String,
    operations: Vec<String>,
    before: Option<Account>,
    after: Option<Account>,
    taken_name: Option<String>,
    taken_by: Option<NameHolder>,
    #[serde(default)]
    errors: Vec<ValueError>,
    after_grace: Option<AfterGrace>,
    #[serde(default)]
    held: Vec<Held>,
}

/// A change that is kept back.
#[derive(Deserialize)]
struct Held {
    change: Value,
    #[serde(default)]
    stands: bool,
}

impl Held {
    fn sentence(&self) -> String {
        let words = journal::told(&self.change, None);
        let words = match self.change["group"].as_str() {
            Some(group) => format!("{words} ({group})"),
            None => words,
        };
        match self.stands {
            true => format!("Held already, and stays so: {words}."),
            false => format!("Held back: {words}."),
        }
    }
}

#[derive(Deserialize)]
struct AfterGrace {
    at: Timestamp,
    operations: Vec<String>,
}

impl AfterGrace {
    fn sentence(&self) -> String {
        let words = self.operations.iter().map(|word| operation(word).0);
        let words: Vec<&str> = words.collect();
        let at = self.at.strftime("%Y-%m-%d %H:%M UTC");
        format!("Keeps the account until {at}; then: {}.", words.join(", "))
    }
}

#[derive(Deserialize)]
struct ValueError {
    target: String,
    message: String,
}

impl Previewed {
    /// As a page shows it.
    pub(super) fn compared(self, all: bool) -> Compared {
        let mut compared = compared(self.user_name, self.before, self.after, all);
        let words = self.operations.iter().map(|word| operation(word));
        compared.badges = words.collect();
        if let Some(name) = self.taken_name {
            let text = match &self.taken_by {
                Some(holder) => {
                    let (whose, of) = (&holder.name, holder.of());
                    format!("Should be named {name}, which {whose} has ({of}).")
                }
                None => format!("Should be named {name}, which is not free."),
            };
            compared.troubles.push(text);
        }
        let errors = self.errors.into_iter();
        let errors = errors.map(|error| format!("{}: {}", error.target, error.message));
        compared.troubles.extend(errors);
        compared
            .troubles
            .extend(self.held.iter().map(Held::sentence));
        let later = self.after_grace.iter().map(AfterGrace::sentence);
        compared.troubles.extend(later);
        compared
    }
}

/// An operation in words, with the colour of its badge.
pub(super) fn operation(word: &str) -> (&'static str, &'static str) {
    match word {
        "create" => ("new account", "good"),
        "update" => ("attributes", "info"),
        "rename" => ("renamed", "warn"),
        "enable" => ("enabled", "good"),
        "disable" => ("disabled", "bad"),
        "delete" => ("deleted", "bad"),
        "group_add" => ("joins", "good"),
        "group_remove" => ("leaves", "warn"),
        "unchanged" => ("no change", ""),
        "pending" => ("waits for a group", ""),
        "held" => ("held by limits", "warn"),
        "suppressed" => ("kept back by a switch", "warn"),
        "grace" => ("keeps the account for a while", "warn"),
        "conflict" => ("name taken", "bad"),
        "error" => ("unusable value", "bad"),
        "transfer" => ("changes hands", "info"),
        "group_create" => ("group made", "good"),
        "group_update" => ("group changed", "info"),
        "group_delete" => ("group deleted", "bad"),
        "internal" => ("reason only", ""),
        _ => ("other", ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(name: &str, groups: &[&str]) -> Account {
        Account {
            name: name.to_owned(),
            status: "active".to_owned(),
            groups: groups.iter().map(|group| (*group).to_owned()).collect(),
            ..Account::default()
        }
    }

    #[test]
    fn what_changes_is_shown_and_what_stays_on_demand() {
        let (was, is) = (account("ann", &["a", "b"]), account("Ann", &["b", "c"]));
        let told = compared("x".to_owned(), Some(was.clone()), Some(is), false);
        let lines: Vec<_> = told
            .lines
            .iter()
            .map(|it| (&*it.before, &*it.after))
            .collect();
        assert_eq!(lines, [("ann", "Ann")]);
        let groups: Vec<_> = told.groups.iter().map(|it| (&*it.name, it.how)).collect();
        assert_eq!(
            (groups, told.more_groups),
            (vec![("a", "goes"), ("c", "comes")], 1)
        );
        let same = compared("x".to_owned(), Some(was.clone()), Some(was), true);
        assert!(same.is_same());
        assert_eq!((same.lines.len(), same.groups.len()), (2, 2));
    }
}
