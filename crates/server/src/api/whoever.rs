//! Whom an answer about the past is about: found by a name of now or then, and what became of them.

use directory::{DirectoryId, Status, User, name};
use jiff::Timestamp;
use provision::ProvisionError;
use serde::Serialize;
use store::{GroupEver, ReadTx};
use utoipa::ToSchema;

/// The user or the group that an answer is about.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct Whoever {
    /// The stable key of a user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<String>,
    /// The present name; of one that is gone, the last.
    pub(super) name: String,
    /// When it went; absent if it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    gone: Option<Timestamp>,
    /// What became of the name that was asked for and of whoever had it, as a sentence; absent if who was asked for is
    /// there under that name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) became: Option<String>,
}

/// The user of this name or key, or who had the name last.
pub(super) fn user(
    tx: &ReadTx<'_>,
    directory: DirectoryId,
    asked: &str,
) -> Result<(User, Whoever), ProvisionError> {
    let found = tx.directory_user_ever(directory, asked)?;
    let user = found.ok_or_else(|| ProvisionError::not_found("user", asked))?;
    let is_former = asked != user.key && !name::same(asked, &user.name);
    let renamed = match is_former {
        true => tx.user_name_given_up(directory, asked)?.map(|it| it.at),
        false => None,
    };
    let gone = match user.status {
        Status::Removed => {
            let removed = tx.user_name_given_up(directory, &user.name)?;
            let removed = removed.filter(|it| it.subject.user() == Some(user.pk));
            Some(removed.map_or(user.updated, |it| it.at))
        }
        _ => None,
    };
    let told = gone.map(|at| format!("was removed {at:.0} ({})", user.reason.as_str()));
    let whoever = Whoever {
        key: Some(user.key.clone()),
        name: user.name.clone(),
        became: became((asked, &user.name), renamed, told),
        gone,
    };
    Ok((user, whoever))
}

/// The group of this name, or the one that had it last.
pub(super) fn group(
    tx: &ReadTx<'_>,
    directory: DirectoryId,
    asked: &str,
) -> Result<(GroupEver, Whoever), ProvisionError> {
    let found = tx.directory_group_ever(directory, asked)?;
    let group = found.ok_or_else(|| ProvisionError::not_found("group", asked))?;
    let renamed = match name::same(asked, &group.name) {
        true => None,
        false => tx.group_name_given_up(directory, asked)?.map(|it| it.at),
    };
    let told = group.gone.map(|at| format!("was deleted {at:.0}"));
    let by_source = renamed.is_none() && !name::same(asked, &group.name);
    let by_source = by_source.then(|| {
        let name = &group.name;
        format!("`{asked}` is a name that the identity provider has or had for it; products know it as `{name}`.")
    });
    let whoever = Whoever {
        key: None,
        name: group.name.clone(),
        became: by_source.or_else(|| became((asked, &group.name), renamed, told)),
        gone: group.gone,
    };
    Ok((group, whoever))
}

/// What became of a name that was asked for, if it became anything.
fn became(
    (asked, name): (&str, &str),
    renamed: Option<Timestamp>,
    gone: Option<String>,
) -> Option<String> {
    let renamed = renamed.map(|at| format!("`{asked}` gave this name up {at:.0}, and is `{name}`"));
    match (renamed, gone) {
        (Some(renamed), Some(gone)) => Some(format!("{renamed}, which {gone}.")),
        (Some(renamed), None) => Some(format!("{renamed} now.")),
        (None, Some(gone)) => Some(format!("`{name}` {gone}.")),
        (None, None) => None,
    }
}
