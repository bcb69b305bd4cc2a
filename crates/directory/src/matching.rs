//! Matching: how people of an identity provider and accounts that exist would find each other (US-27).

use std::collections::HashMap;

use jiff::Timestamp;
use scim::Resource;
use serde::Serialize;

use crate::cause::Trigger;
use crate::evaluate::evaluate;
use crate::model::User;
use crate::name::folded;
use crate::outcome::Subject;
use crate::rules::{
    CompiledRules, MappingRow, RuleError, Rules, Source, Step, Target, strip_domain,
};

/// How a person and an account find each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchKind {
    /// The account is the person's own already.
    Linked,
    /// The user name is the same, letter by letter.
    Exact,
    /// The user name differs in upper and lower case only.
    CaseOnly,
    /// The user name without what stands behind `@` is the same.
    DomainStripped,
    /// One account has the e-mail address.
    Email,
    /// Several accounts have the e-mail address.
    Ambiguous,
    /// No account looks like this person.
    None,
}

impl MatchKind {
    /// All of them, in the order in which they are told.
    pub const ALL: [MatchKind; 7] = [
        MatchKind::Linked,
        MatchKind::Exact,
        MatchKind::CaseOnly,
        MatchKind::DomainStripped,
        MatchKind::Email,
        MatchKind::Ambiguous,
        MatchKind::None,
    ];

    /// The word used in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            MatchKind::Linked => "linked",
            MatchKind::Exact => "exact",
            MatchKind::CaseOnly => "case_only",
            MatchKind::DomainStripped => "domain_stripped",
            MatchKind::Email => "email",
            MatchKind::Ambiguous => "ambiguous",
            MatchKind::None => "none",
        }
    }
}

/// A row for the user name that could be used instead of the present one.
pub struct Suggestion {
    /// The row.
    pub row: MappingRow,
    rules: CompiledRules,
}

/// The names by which accounts are looked for: those of the present rules, and those of each suggestion.
pub struct Names {
    /// What the present rules make of the person's user name; empty if nothing.
    pub username: String,
    /// The e-mail address that they give.
    pub email: String,
    /// The user name by each suggestion, in their order.
    pub suggested: Vec<String>,
}

/// Reads names out of people.
pub struct Matcher {
    present: CompiledRules,
    /// The rows that could be used instead.
    pub suggestions: Vec<Suggestion>,
}

impl Matcher {
    /// For a connector with these rules.
    pub fn new(rules: &Rules) -> Result<Self, Vec<RuleError>> {
        let suggestions = suggested_rows().into_iter().map(|row| {
            let rules = named_by(vec![row.clone()])?;
            Ok(Suggestion { row, rules })
        });
        Ok(Self {
            suggestions: suggestions.collect::<Result<_, Vec<RuleError>>>()?,
            present: named_by(rules.mapping.clone())?,
        })
    }

    /// The names of one person.
    pub fn names(&self, user: &Resource) -> Names {
        let present = attributes(user, &self.present);
        let suggested = self.suggestions.iter();
        Names {
            suggested: suggested
                .map(|one| attributes(user, &one.rules).username)
                .collect(),
            username: present.username,
            email: present.email,
        }
    }
}

/// Rules that do nothing but name people.
fn named_by(mapping: Vec<MappingRow>) -> Result<CompiledRules, Vec<RuleError>> {
    CompiledRules::new(&Rules {
        mapping,
        ..Rules::default()
    })
}

fn attributes(user: &Resource, rules: &CompiledRules) -> crate::Attributes {
    let subject = Subject {
        user: Some(user),
        groups: &[],
        existing: None,
        now: Timestamp::UNIX_EPOCH,
        overrides: &[],
        trigger: Trigger::Simulate,
    };
    evaluate(&subject, rules).attributes
}

fn suggested_rows() -> Vec<MappingRow> {
    let row = |source: Source, steps: Vec<Step>| MappingRow {
        source: Some(source),
        steps,
        ..MappingRow::default_for(Target::Username)
    };
    let attribute = |name: &str| Source::Attribute(name.to_owned());
    vec![
        row(attribute("userName"), Vec::new()),
        row(attribute("userName"), vec![Step::StripDomain]),
        row(Source::EmailPrimary, Vec::new()),
        row(Source::EmailPrimary, vec![Step::StripDomain]),
        row(attribute("externalId"), Vec::new()),
        row(attribute("nickName"), Vec::new()),
    ]
}

/// Accounts that may be met, found by name and by address.
#[derive(Default)]
pub struct Candidates {
    by_name: HashMap<String, User>,
    by_email: HashMap<String, Vec<User>>,
}

impl Candidates {
    /// Adds accounts that were found by their names.
    pub fn add_named(&mut self, users: Vec<User>) {
        let named = users.into_iter();
        self.by_name
            .extend(named.map(|user| (folded(&user.name).into_owned(), user)));
    }

    /// Adds accounts that were found by their addresses.
    pub fn add_addressed(&mut self, users: Vec<User>) {
        for user in users {
            let fold = folded(&user.email).into_owned();
            self.by_email.entry(fold).or_default().push(user);
        }
    }

    /// The account of this name.
    pub fn named(&self, name: &str) -> Option<&User> {
        self.by_name.get(folded(name).as_ref())
    }

    /// How a person with these names finds an account, and which.
    pub fn find(&self, names: &Names) -> (MatchKind, Vec<&User>) {
        if let Some(user) = self.named(&names.username) {
            let kind = match user.name == names.username {
                true => MatchKind::Exact,
                false => MatchKind::CaseOnly,
            };
            return (kind, vec![user]);
        }
        if let Some(user) = self.named(strip_domain(&names.username)) {
            return (MatchKind::DomainStripped, vec![user]);
        }
        let addressed = self.by_email.get(folded(&names.email).as_ref());
        match addressed
            .filter(|_| !names.email.is_empty())
            .map(Vec::as_slice)
        {
            Some([only]) => (MatchKind::Email, vec![only]),
            Some([]) | None => (MatchKind::None, Vec::new()),
            Some(several) => (MatchKind::Ambiguous, several.iter().collect()),
        }
    }
}
