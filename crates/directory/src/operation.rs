//! Operations: one word for what a plan does to a person, to count and to search by (US-41).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::change::Change;
use crate::model::{Attributes, Reason, Status};
use crate::outcome::{Outcome, Verdict};
use crate::plan::Plan;
use crate::rules::{NAME_CHARS_MAX, Target};

/// What happens to a person. One plan can be several operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// An account is made, or comes back.
    Create,
    /// Attributes change.
    Update,
    /// The user name changes.
    Rename,
    /// The account is enabled.
    Enable,
    /// The account is disabled.
    Disable,
    /// The account goes.
    Delete,
    /// The user comes into a group.
    GroupAdd,
    /// The user leaves a group.
    GroupRemove,
    /// Products see no difference.
    Unchanged,
    /// There is no account yet: the user waits for a required group.
    Pending,
    /// The user cannot have the name that the rules want, since somebody else has it.
    Conflict,
    /// The rules gave a value that cannot be used, or the user could not be evaluated.
    Error,
    /// An account was given to another connector.
    Transfer,
    /// A group was made.
    GroupCreate,
    /// A group changed its name or description.
    GroupUpdate,
    /// A group was deleted.
    GroupDelete,
    /// Only a reason or an origin changed, which products don't see.
    Internal,
    /// A safety limit, or an administrator's word, keeps something back.
    Held,
    /// The user is out of scope, and keeps the account until a grace time ends.
    Grace,
    /// A switch of the rules keeps something back (MO-05 to MO-08).
    Suppressed,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Operation; 20] = [
        Operation::Create,
        Operation::Update,
        Operation::Rename,
        Operation::Enable,
        Operation::Disable,
        Operation::Delete,
        Operation::GroupAdd,
        Operation::GroupRemove,
        Operation::Unchanged,
        Operation::Pending,
        Operation::Conflict,
        Operation::Error,
        Operation::Transfer,
        Operation::GroupCreate,
        Operation::GroupUpdate,
        Operation::GroupDelete,
        Operation::Internal,
        Operation::Held,
        Operation::Grace,
        Operation::Suppressed,
    ];

    /// The word used in storage and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Operation::Create => "create",
            Operation::Update => "update",
            Operation::Rename => "rename",
            Operation::Enable => "enable",
            Operation::Disable => "disable",
            Operation::Delete => "delete",
            Operation::GroupAdd => "group_add",
            Operation::GroupRemove => "group_remove",
            Operation::Unchanged => "unchanged",
            Operation::Pending => "pending",
            Operation::Conflict => "conflict",
            Operation::Error => "error",
            Operation::Transfer => "transfer",
            Operation::GroupCreate => "group_create",
            Operation::GroupUpdate => "group_update",
            Operation::GroupDelete => "group_delete",
            Operation::Internal => "internal",
            Operation::Held => "held",
            Operation::Grace => "grace",
            Operation::Suppressed => "suppressed",
        }
    }

    /// Reads the word used in storage and answers.
    pub fn parse(text: &str) -> Option<Operation> {
        Operation::ALL
            .into_iter()
            .find(|operation| operation.as_str() == text)
    }

    /// What an entry of the journal is, by the word that [`Change::kind`] gives.
    pub fn of_entry(kind: &str) -> Operation {
        match kind {
            "create_user" => Operation::Create,
            "rename_user" => Operation::Rename,
            "disable" => Operation::Disable,
            "reactivate" => Operation::Enable,
            "remove_user" => Operation::Delete,
            "add_membership" | "add_child_group" => Operation::GroupAdd,
            "remove_membership" | "remove_child_group" => Operation::GroupRemove,
            "create_group" => Operation::GroupCreate,
            "update_group" | "rename_group" => Operation::GroupUpdate,
            "delete_group" => Operation::GroupDelete,
            "set_reason" | "set_origins" | "set_child_group_origins" => Operation::Internal,
            _ => Operation::Update,
        }
    }

    /// Whether products see a difference.
    pub const fn is_seen(self) -> bool {
        !matches!(
            self,
            Operation::Unchanged
                | Operation::Pending
                | Operation::Conflict
                | Operation::Error
                | Operation::Held
                | Operation::Grace
                | Operation::Suppressed
        )
    }

    /// What a change is; none if products see nothing of it, or if it is not about a person.
    pub const fn of(change: &Change) -> Option<Operation> {
        Some(match change {
            Change::CreateUser { .. } => Operation::Create,
            Change::UpdateUser { .. } => Operation::Update,
            Change::RenameUser { .. } => Operation::Rename,
            Change::Reactivate { .. } => Operation::Enable,
            Change::Disable { .. } | Change::Anonymise { .. } => Operation::Disable,
            Change::RemoveUser { .. } => Operation::Delete,
            Change::AddMembership { .. } => Operation::GroupAdd,
            Change::RemoveMembership { .. } => Operation::GroupRemove,
            _ => return None,
        })
    }

    /// Everything that a plan is, together with what stands in its way.
    pub fn all_of(
        plan: &Plan,
        outcome: &Outcome,
        is_conflict: bool,
        is_error: bool,
    ) -> BTreeSet<Operation> {
        let mut all: BTreeSet<Operation> = plan.changes.iter().filter_map(Operation::of).collect();
        if all.is_empty() {
            all.insert(match outcome.verdict {
                Verdict::NoAccount {
                    reason: Reason::NotInRequiredGroup,
                } => Operation::Pending,
                _ => Operation::Unchanged,
            });
        }
        if is_conflict {
            all.insert(Operation::Conflict);
        }
        if is_error {
            all.insert(Operation::Error);
        }
        let is_suppressed = outcome.suppressed().next().is_some();
        if is_suppressed {
            all.insert(Operation::Suppressed);
        }
        if is_conflict || is_error || is_suppressed {
            all.remove(&Operation::Unchanged);
        }
        all
    }
}

/// A value that the rules gave and that cannot be used, or that products cannot keep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValueError {
    /// The target of the mapping row.
    pub target: String,
    /// What is wrong, in words that go on from "the value".
    pub message: String,
}

/// What is wrong with the values that the rules gave a person.
pub fn value_errors(outcome: &Outcome) -> Vec<ValueError> {
    let error = |target: &str, message: &str| ValueError {
        target: target.to_owned(),
        message: message.to_owned(),
    };
    let mut errors: Vec<ValueError> = outcome
        .faults()
        .map(|(target, fault)| error(target, fault.as_str()))
        .collect();
    if outcome.is_nameless() {
        errors.push(error("username", "is empty"));
    }
    if outcome.keeps_old_name() {
        errors.push(error("username", "is empty, so the old name stays"));
    }
    let counts = match outcome.verdict {
        Verdict::Account { status, .. } => status != Status::Removed,
        Verdict::NoAccount { .. } | Verdict::Remove { .. } => false,
    };
    if counts {
        let too_long = too_long(&outcome.attributes);
        let message = format!("has more than the {NAME_CHARS_MAX} characters that products keep");
        errors.extend(too_long.map(|target| error(&target, &message)));
    }
    errors
}

fn too_long(attributes: &Attributes) -> impl Iterator<Item = String> {
    let is_long = |text: &str| text.len() > NAME_CHARS_MAX && text.chars().count() > NAME_CHARS_MAX;
    let texts = [
        (Target::Username, &attributes.username),
        (Target::Email, &attributes.email),
        (Target::DisplayName, &attributes.display_name),
        (Target::FirstName, &attributes.first_name),
        (Target::LastName, &attributes.last_name),
    ];
    let plain = texts.into_iter().filter(move |(_, text)| is_long(text));
    // What single products keep of a user, such as a picture, may be longer.
    let products = |name: &str| matches!(Target::try_from(name.to_owned()), Ok(Target::Product(_)));
    let extra = attributes
        .extra
        .iter()
        .filter(move |(name, values)| !products(name) && values.iter().any(|text| is_long(text)));
    let extra = extra.map(|(name, _)| Target::Attribute(name.clone()).to_string());
    plain.map(|(target, _)| target.to_string()).chain(extra)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back_and_are_those_of_json() {
        for operation in Operation::ALL {
            assert_eq!(Operation::parse(operation.as_str()), Some(operation));
            let json = serde_json::to_string(&operation).unwrap();
            assert_eq!(json, format!("\"{}\"", operation.as_str()));
        }
        assert_eq!(Operation::parse("CREATE"), None);
    }
}
