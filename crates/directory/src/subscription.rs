//! Events: what happens in directories, in the words that subscriptions tell it (DS-01).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::change::Change;
use crate::model::Status;

/// What a subscription tells of.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum DirectoryEvent {
    /// A user appeared, or came back.
    #[serde(rename = "user.created")]
    UserCreated,
    /// Attributes or the name of a user changed.
    #[serde(rename = "user.updated")]
    UserUpdated,
    /// A user is gone, and with the user every membership.
    #[serde(rename = "user.deleted")]
    UserDeleted,
    /// A user may log in again.
    #[serde(rename = "user.enabled")]
    UserEnabled,
    /// A user may no longer log in.
    #[serde(rename = "user.disabled")]
    UserDisabled,
    /// A group appeared.
    #[serde(rename = "group.created")]
    GroupCreated,
    /// Name, description or groups in a group changed.
    #[serde(rename = "group.updated")]
    GroupUpdated,
    /// A group is gone, and with it every membership in it.
    #[serde(rename = "group.deleted")]
    GroupDeleted,
    /// A user became a member.
    #[serde(rename = "group.user_added")]
    GroupUserAdded,
    /// A user is no longer a member.
    #[serde(rename = "group.user_removed")]
    GroupUserRemoved,
    /// A directory is gone, with every user, group and membership in it.
    #[serde(rename = "directory.deleted")]
    DirectoryDeleted,
    /// A job ended.
    #[serde(rename = "run.finished")]
    RunFinished,
}

impl DirectoryEvent {
    /// Every one there is.
    pub const ALL: [DirectoryEvent; 12] = [
        DirectoryEvent::UserCreated,
        DirectoryEvent::UserUpdated,
        DirectoryEvent::UserDeleted,
        DirectoryEvent::UserEnabled,
        DirectoryEvent::UserDisabled,
        DirectoryEvent::GroupCreated,
        DirectoryEvent::GroupUpdated,
        DirectoryEvent::GroupDeleted,
        DirectoryEvent::GroupUserAdded,
        DirectoryEvent::GroupUserRemoved,
        DirectoryEvent::DirectoryDeleted,
        DirectoryEvent::RunFinished,
    ];

    /// The word used in storage, messages and settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            DirectoryEvent::UserCreated => "user.created",
            DirectoryEvent::UserUpdated => "user.updated",
            DirectoryEvent::UserDeleted => "user.deleted",
            DirectoryEvent::UserEnabled => "user.enabled",
            DirectoryEvent::UserDisabled => "user.disabled",
            DirectoryEvent::GroupCreated => "group.created",
            DirectoryEvent::GroupUpdated => "group.updated",
            DirectoryEvent::GroupDeleted => "group.deleted",
            DirectoryEvent::GroupUserAdded => "group.user_added",
            DirectoryEvent::GroupUserRemoved => "group.user_removed",
            DirectoryEvent::DirectoryDeleted => "directory.deleted",
            DirectoryEvent::RunFinished => "run.finished",
        }
    }

    /// What it is, for people.
    pub const fn called(self) -> &'static str {
        match self {
            DirectoryEvent::UserCreated => "A user appeared",
            DirectoryEvent::UserUpdated => "A user changed",
            DirectoryEvent::UserDeleted => "A user is gone",
            DirectoryEvent::UserEnabled => "A user may log in again",
            DirectoryEvent::UserDisabled => "A user may no longer log in",
            DirectoryEvent::GroupCreated => "A group appeared",
            DirectoryEvent::GroupUpdated => "A group changed",
            DirectoryEvent::GroupDeleted => "A group is gone",
            DirectoryEvent::GroupUserAdded => "Somebody joined a group",
            DirectoryEvent::GroupUserRemoved => "Somebody left a group",
            DirectoryEvent::DirectoryDeleted => "A directory is gone",
            DirectoryEvent::RunFinished => "A job ended",
        }
    }

    /// What a change is; nothing that products cannot see is one.
    pub const fn of(change: &Change) -> Option<DirectoryEvent> {
        Some(match change {
            Change::CreateUser { .. } => DirectoryEvent::UserCreated,
            Change::UpdateUser { .. } | Change::RenameUser { .. } | Change::SetAttribute { .. } => {
                DirectoryEvent::UserUpdated
            }
            Change::Disable { .. }
            | Change::Anonymise {
                status: Status::Active,
                ..
            } => DirectoryEvent::UserDisabled,
            Change::Anonymise { .. } => DirectoryEvent::UserUpdated,
            Change::Reactivate { .. } => DirectoryEvent::UserEnabled,
            Change::RemoveUser { .. } => DirectoryEvent::UserDeleted,
            Change::AddMembership { .. } => DirectoryEvent::GroupUserAdded,
            Change::RemoveMembership { .. } => DirectoryEvent::GroupUserRemoved,
            Change::CreateGroup { .. } => DirectoryEvent::GroupCreated,
            Change::UpdateGroup { .. }
            | Change::RenameGroup { .. }
            | Change::AddChildGroup { .. }
            | Change::RemoveChildGroup { .. } => DirectoryEvent::GroupUpdated,
            Change::DeleteGroup { .. } => DirectoryEvent::GroupDeleted,
            Change::LinkUser { .. }
            | Change::SetReason { .. }
            | Change::SetOrigins { .. }
            | Change::SetChildGroupOrigins { .. } => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_the_same_in_json() {
        for event in DirectoryEvent::ALL {
            assert_eq!(serde_json::to_value(event).unwrap(), event.as_str());
        }
    }
}
