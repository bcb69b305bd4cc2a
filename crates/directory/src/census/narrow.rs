//! A census brought into the pieces in which it is copied: what is not wanted left out, each thing once.

use std::collections::{BTreeMap, HashMap};

use scim::limits::{EMAIL_CHARS_MAX, NAME_CHARS_MAX, TEXT_CHARS_MAX};
use scim::name::{echo, refuse_name};
use serde::{Deserialize, Serialize};

use super::{Census, CensusFault, CopiedUser, FAULTS_MAX, PEOPLE_MAX};
use crate::name::{folded, same};
use crate::rules::NameList;

/// What a Crowd server keeps about passwords that are not copied.
const OF_PASSWORDS: [&str; 3] = [
    "passwordLastChanged",
    "invalidPasswordAttempts",
    "requiresPasswordChange",
];

/// What is copied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CopyOptions {
    /// Which groups, with who is in them.
    pub groups: CopyGroups,
    /// Names of the attributes; all but those about passwords if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attributes: Option<Vec<String>>,
}

/// Which groups are copied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CopyGroups {
    /// All.
    #[default]
    All,
    /// None, and no membership.
    None,
    /// Those that one of these entries matches, entries as in the lists of the rules.
    Matching(Vec<String>),
}

/// The least thing that is copied at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Piece {
    /// A group, to be there before anybody is in it.
    Group {
        /// Its name.
        name: String,
        /// A sentence about it.
        description: String,
    },
    /// A person with memberships and attributes.
    User(CopiedUser),
    /// A group in a group.
    Child {
        /// The one around it.
        group: String,
        /// The one inside.
        child: String,
    },
}

impl Census {
    /// The pieces, groups first, then people, then groups in groups. Says everything that keeps it from being
    /// copied: names that cannot be names, and people who are there twice.
    pub fn pieces(self, options: &CopyOptions) -> Result<Vec<Piece>, Vec<CensusFault>> {
        let wanted = Wanted::new(options)?;
        if self.users.len().max(self.groups.len()) > PEOPLE_MAX {
            let message = format!("there are more than {PEOPLE_MAX} users or groups");
            return Err(vec![CensusFault::new(
                "users",
                message,
                "copy them in parts",
            )]);
        }
        let mut faults = Faults::default();
        let mut members: HashMap<String, Vec<String>> = HashMap::new();
        let mut groups: BTreeMap<String, (String, String)> = BTreeMap::new();
        let mut children = Vec::new();
        for group in self.groups.into_iter().filter(|it| wanted.group(&it.name)) {
            faults.name("group", &group.name);
            faults.text("description", &group.name, &group.description);
            for user in &group.users {
                let known = members.entry(folded(user).into_owned()).or_default();
                known.push(group.name.clone());
            }
            let inside = group.groups.into_iter().filter(|child| wanted.group(child));
            children.extend(inside.map(|child| (group.name.clone(), child)));
            let known = groups
                .entry(folded(&group.name).into_owned())
                .or_insert((group.name, String::new()));
            if known.1.is_empty() {
                known.1 = group.description;
            }
        }
        let mut seen: HashMap<String, String> = HashMap::new();
        let mut users = Vec::with_capacity(self.users.len());
        for mut user in self.users {
            faults.user(&user);
            let fold = folded(&user.name).into_owned();
            user.groups.retain(|group| wanted.group(group));
            user.groups
                .extend(members.remove(&fold).unwrap_or_default());
            user.groups
                .sort_by_cached_key(|group| folded(group).into_owned());
            user.groups.dedup_by(|a, b| same(a, b));
            user.attributes.retain(|name, _| wanted.attribute(name));
            for group in &user.groups {
                faults.name("group", group);
                let name = || (group.clone(), String::new());
                groups
                    .entry(folded(group).into_owned())
                    .or_insert_with(name);
            }
            match seen.insert(fold, user.name.clone()) {
                Some(before) => faults.twice(&before, &user.name),
                None => users.push(user),
            }
        }
        for (_, child) in &children {
            let name = || (child.clone(), String::new());
            groups
                .entry(folded(child).into_owned())
                .or_insert_with(name);
        }
        faults.result()?;
        let groups = groups.into_values();
        let groups = groups.map(|(name, description)| Piece::Group { name, description });
        let children = children
            .into_iter()
            .filter(|(group, child)| !same(group, child));
        let children = children.map(|(group, child)| Piece::Child { group, child });
        let users = users.into_iter().map(Piece::User);
        Ok(groups.chain(users).chain(children).collect())
    }
}

struct Wanted<'a> {
    groups: Option<NameList>,
    none: bool,
    attributes: Option<&'a [String]>,
}

impl<'a> Wanted<'a> {
    fn new(options: &'a CopyOptions) -> Result<Self, Vec<CensusFault>> {
        let mut errors = Vec::new();
        let groups = match &options.groups {
            CopyGroups::Matching(entries) => {
                Some(NameList::compile(entries, "groups.matching", &mut errors))
            }
            CopyGroups::All | CopyGroups::None => None,
        };
        if !errors.is_empty() {
            let errors = errors.into_iter();
            return Err(errors
                .map(|it| CensusFault::new(it.path, it.message, it.remedy))
                .collect());
        }
        Ok(Self {
            groups,
            none: options.groups == CopyGroups::None,
            attributes: options.attributes.as_deref(),
        })
    }

    fn group(&self, name: &str) -> bool {
        let listed = |list: &NameList| list.find(name, Some(name)).is_some();
        !self.none && self.groups.as_ref().is_none_or(listed)
    }

    fn attribute(&self, name: &str) -> bool {
        match self.attributes {
            Some(names) => names.iter().any(|wanted| same(wanted, name)),
            None => !OF_PASSWORDS.iter().any(|it| same(it, name)),
        }
    }
}

/// What is wrong, up to as much as anybody wants to read.
#[derive(Default)]
struct Faults(Vec<CensusFault>);

impl Faults {
    fn push(&mut self, fault: CensusFault) {
        if self.0.len() < FAULTS_MAX {
            self.0.push(fault);
        }
    }

    fn name(&mut self, what: &str, name: &str) {
        let why = match name.chars().count() {
            0 => "has no name".to_owned(),
            count if count > NAME_CHARS_MAX => format!("has more than {NAME_CHARS_MAX} characters"),
            _ => match refuse_name(name) {
                Some(why) => format!("has {why}"),
                None => return,
            },
        };
        self.push(CensusFault::new(
            format!("{what} '{}'", echo(name)),
            why,
            "give it a name of 1 to 255 visible characters, or leave it out",
        ));
    }

    fn text(&mut self, what: &str, of: &str, text: &str) {
        let chars_max = match what {
            "email" => EMAIL_CHARS_MAX,
            "description" | "attribute" => TEXT_CHARS_MAX,
            _ => NAME_CHARS_MAX,
        };
        let invisible = |c: char| c.is_control() && !(what == "attribute" && c.is_whitespace());
        if text.chars().count() > chars_max || text.chars().any(invisible) {
            self.push(CensusFault::new(
                format!("'{}'", echo(of)),
                format!("{what} is longer than {chars_max} characters or has control characters"),
                "shorten it or leave it out",
            ));
        }
    }

    fn user(&mut self, user: &CopiedUser) {
        self.name("user", &user.name);
        let texts = [
            ("first_name", &user.first_name),
            ("last_name", &user.last_name),
            ("display_name", &user.display_name),
            ("email", &user.email),
        ];
        for (what, text) in texts {
            self.text(what, &user.name, text);
        }
        for (name, values) in &user.attributes {
            self.name("attribute", name);
            for value in values {
                self.text("attribute", &user.name, value);
            }
        }
    }

    fn twice(&mut self, before: &str, name: &str) {
        self.push(CensusFault::new(
            format!("user '{}'", echo(name)),
            format!("is there twice, also as '{}'", echo(before)),
            "keep one of them; user names are compared without regard to case",
        ));
    }

    fn result(self) -> Result<(), Vec<CensusFault>> {
        match self.0.is_empty() {
            true => Ok(()),
            false => Err(self.0),
        }
    }
}
