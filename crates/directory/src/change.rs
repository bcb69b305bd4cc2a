//! Changes: the one vocabulary of journal, preview, audit and API for what happens in a directory.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::identity::MatchedBy;
use crate::model::{Account, Attributes, Membership, Origin, Reason, Status};
use crate::name::same;

/// One change of a directory. Whose it is (which user, which group) is kept beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// A user appears; after a removal, the same user with the same key comes back.
    CreateUser {
        /// What is known about the user.
        attributes: Attributes,
        /// Active, disabled or anonymised.
        status: Status,
        /// Why.
        reason: Reason,
    },
    /// Attributes other than the name change. Both sides bear the name valid at that point.
    UpdateUser {
        /// What was.
        before: Attributes,
        /// What is.
        after: Attributes,
    },
    /// The user name changes; the user stays the same.
    RenameUser {
        /// The former name.
        from: String,
        /// The new name.
        to: String,
    },
    /// A user who was there already becomes that of a user of the source. Products see nothing of it.
    LinkUser {
        /// The user's name.
        name: String,
        /// By what both were taken for one person.
        by: MatchedBy,
    },
    /// The user may no longer log in; memberships stay as they are.
    Disable {
        /// Why.
        reason: Reason,
        /// Why the user could log in; entries of older journals do not tell.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<Reason>,
    },
    /// The user may no longer log in, and has lost names and attributes by the changes before this one.
    Anonymise {
        /// Why.
        reason: Reason,
        /// The former status.
        status: Status,
        /// The former reason.
        before: Reason,
    },
    /// The user may log in again.
    Reactivate {
        /// Why.
        reason: Reason,
        /// Why the user could not log in; entries of older journals do not tell.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<Reason>,
    },
    /// The status stays, for another reason. Products see nothing of it.
    SetReason {
        /// The former reason.
        before: Reason,
        /// The present reason.
        after: Reason,
    },
    /// The user is gone for the products, and with the user every membership.
    RemoveUser {
        /// The name the user had.
        name: String,
        /// Why.
        reason: Reason,
        /// What went with the user; entries of older journals do not tell.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<Former>,
    },
    /// The user becomes a member; the group is created if need be.
    AddMembership {
        /// The group's name.
        group: String,
        /// Why.
        origins: BTreeSet<Origin>,
    },
    /// The user is no longer a member.
    RemoveMembership {
        /// The group's name.
        group: String,
        /// The origins it had.
        origins: BTreeSet<Origin>,
    },
    /// The membership stays, for other reasons. Products see nothing of it.
    SetOrigins {
        /// The group's name.
        group: String,
        /// The former origins.
        before: BTreeSet<Origin>,
        /// The present origins.
        after: BTreeSet<Origin>,
    },
    /// A group becomes a member of another.
    AddChildGroup {
        /// The parent's name.
        group: String,
        /// The child's name.
        child: String,
        /// Why.
        origins: BTreeSet<Origin>,
    },
    /// A group is no longer a member of another.
    RemoveChildGroup {
        /// The parent's name.
        group: String,
        /// The child's name.
        child: String,
        /// The origins it had.
        origins: BTreeSet<Origin>,
    },
    /// A group stays in another, for other reasons. Products see nothing of it.
    SetChildGroupOrigins {
        /// The parent's name.
        group: String,
        /// The child's name.
        child: String,
        /// The former origins.
        before: BTreeSet<Origin>,
        /// The present origins.
        after: BTreeSet<Origin>,
    },
    /// A group appears.
    CreateGroup {
        /// Its name.
        name: String,
        /// A sentence about it; empty if none.
        description: String,
    },
    /// A group's description changes.
    UpdateGroup {
        /// Its name.
        name: String,
        /// The former description.
        before: String,
        /// The new description.
        after: String,
    },
    /// A group's name changes; the group stays the same.
    RenameGroup {
        /// The former name.
        from: String,
        /// The new name.
        to: String,
        /// Applications that let its members log in, and know it by the new name from now on.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        admitted_to: Vec<String>,
    },
    /// A group is gone, and with it every membership in it.
    DeleteGroup {
        /// The name it had.
        name: String,
    },
    /// A product wrote an attribute of the user, or took it away (no values).
    SetAttribute {
        /// The attribute.
        name: String,
        /// Its values from now on.
        values: Vec<String>,
    },
}

/// What goes with a user who is removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Former {
    /// The status.
    pub status: Status,
    /// Why it was that.
    pub reason: Reason,
    /// The attributes.
    pub attributes: Attributes,
    /// The memberships.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub memberships: Vec<Membership>,
}

impl From<&Account> for Former {
    fn from(account: &Account) -> Self {
        Self {
            status: account.status,
            reason: account.reason,
            attributes: account.attributes.clone(),
            memberships: account.memberships.clone(),
        }
    }
}

impl Change {
    /// The name that a user or a group gives up by it; none if it keeps the name.
    pub fn name_given_up(&self) -> Option<&str> {
        match self {
            Change::RenameUser { from, to } | Change::RenameGroup { from, to, .. } => {
                (!same(from, to)).then_some(from)
            }
            Change::RemoveUser { name, .. } | Change::DeleteGroup { name } => Some(name),
            _ => None,
        }
    }

    /// The word for the kind of change, as in its JSON form.
    pub const fn kind(&self) -> &'static str {
        match self {
            Change::CreateUser { .. } => "create_user",
            Change::UpdateUser { .. } => "update_user",
            Change::RenameUser { .. } => "rename_user",
            Change::LinkUser { .. } => "link_user",
            Change::Disable { .. } => "disable",
            Change::Anonymise { .. } => "anonymise",
            Change::Reactivate { .. } => "reactivate",
            Change::SetReason { .. } => "set_reason",
            Change::RemoveUser { .. } => "remove_user",
            Change::AddMembership { .. } => "add_membership",
            Change::RemoveMembership { .. } => "remove_membership",
            Change::SetOrigins { .. } => "set_origins",
            Change::AddChildGroup { .. } => "add_child_group",
            Change::RemoveChildGroup { .. } => "remove_child_group",
            Change::SetChildGroupOrigins { .. } => "set_child_group_origins",
            Change::CreateGroup { .. } => "create_group",
            Change::UpdateGroup { .. } => "update_group",
            Change::RenameGroup { .. } => "rename_group",
            Change::DeleteGroup { .. } => "delete_group",
            Change::SetAttribute { .. } => "set_attribute",
        }
    }

    /// The group it speaks of, by the name after the change; none if it speaks of none. Of a group in another,
    /// that is the parent.
    pub fn group_name(&self) -> Option<&str> {
        match self {
            Change::AddMembership { group, .. }
            | Change::RemoveMembership { group, .. }
            | Change::SetOrigins { group, .. }
            | Change::AddChildGroup { group, .. }
            | Change::RemoveChildGroup { group, .. }
            | Change::SetChildGroupOrigins { group, .. } => Some(group),
            Change::CreateGroup { name, .. }
            | Change::UpdateGroup { name, .. }
            | Change::RenameGroup { to: name, .. }
            | Change::DeleteGroup { name } => Some(name),
            Change::CreateUser { .. }
            | Change::UpdateUser { .. }
            | Change::RenameUser { .. }
            | Change::LinkUser { .. }
            | Change::Disable { .. }
            | Change::Anonymise { .. }
            | Change::Reactivate { .. }
            | Change::SetReason { .. }
            | Change::RemoveUser { .. }
            | Change::SetAttribute { .. } => None,
        }
    }

    /// The group in another that it speaks of; none if it speaks of none.
    pub fn child_group_name(&self) -> Option<&str> {
        match self {
            Change::AddChildGroup { child, .. }
            | Change::RemoveChildGroup { child, .. }
            | Change::SetChildGroupOrigins { child, .. } => Some(child),
            _ => None,
        }
    }

    /// Names of attributes that it takes away, other than those that everybody has.
    pub fn lost_attributes(&self) -> Vec<String> {
        match self {
            Change::UpdateUser { before, after } => {
                let names = before.extra.keys();
                let lost = names.filter(|name| !after.extra.contains_key(*name));
                lost.cloned().collect()
            }
            Change::RemoveUser {
                before: Some(before),
                ..
            } => before.attributes.extra.keys().cloned().collect(),
            Change::SetAttribute { name, values } if values.is_empty() => vec![name.clone()],
            _ => Vec::new(),
        }
    }

    /// Whether products can see a difference; changes of reasons and origins are for us alone.
    pub const fn is_visible(&self) -> bool {
        !matches!(
            self,
            Change::SetReason { .. }
                | Change::LinkUser { .. }
                | Change::SetOrigins { .. }
                | Change::SetChildGroupOrigins { .. }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_names_its_kind_in_its_json() {
        let change = Change::RenameUser {
            from: "ann".into(),
            to: "anna".into(),
        };
        let json = serde_json::to_string(&change).unwrap();
        assert_eq!(json, r#"{"change":"rename_user","from":"ann","to":"anna"}"#);
        assert_eq!(change.kind(), "rename_user");
        assert_eq!(serde_json::from_str::<Change>(&json).unwrap(), change);
    }

    #[test]
    fn a_change_tells_which_attributes_it_takes_away() {
        let with = |names: &[&str]| Attributes {
            extra: names
                .iter()
                .map(|name| ((*name).to_owned(), vec!["x".to_owned()]))
                .collect(),
            ..Attributes::default()
        };
        let update = Change::UpdateUser {
            before: with(&["department", "floor"]),
            after: with(&["floor", "room"]),
        };
        assert_eq!(update.lost_attributes(), ["department"]);
        let set = |values: &[&str]| Change::SetAttribute {
            name: "theme".into(),
            values: values.iter().map(|value| (*value).to_owned()).collect(),
        };
        assert_eq!(set(&[]).lost_attributes(), ["theme"]);
        assert!(set(&["dark"]).lost_attributes().is_empty());
    }

    #[test]
    fn entries_that_do_not_tell_what_was_are_read() {
        for text in [
            r#"{"change":"disable","reason":"IDP_INACTIVE"}"#,
            r#"{"change":"reactivate","reason":"IDP_ACTIVE"}"#,
            r#"{"change":"remove_user","name":"ann","reason":"IDP_DELETED"}"#,
        ] {
            let change: Change = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&change).unwrap(), text);
        }
    }
}
