//! Previews: what rules would do to everybody, computed beside the running work and kept to be looked at.

mod foresight;
mod grace;
mod job;
mod overlay;
mod problems;
mod reviews;
mod sample;
mod simulation;
mod summary;
mod user;

use directory::{ConnectorId, Operation, Rules, SourceGroupPk, SourceUserPk};
use serde::{Deserialize, Serialize};
use store::{ItemQuery, NewPreview, ReadTx, Scope, StoredPreview};
use tokio::task::JoinHandle;

pub use foresight::{ForeseenHold, LimitForecast};
pub use grace::{AfterGrace, GraceForecast};
pub use sample::{Sample, SampleWish, SampledGroup};
pub use summary::PreviewSummary;
pub use user::{PreviewedAccount, PreviewedUser};

use crate::{Provision, ProvisionError};
use simulation::Range;

/// What to preview.
#[derive(Debug, Clone, Default)]
pub struct PreviewWish {
    /// The rules to try; those in force if left out, which shows what a reconcile would do (US-40).
    pub rules: Option<Rules>,
    /// Whether rows and rules in the shadow count (BY-04).
    pub with_shadows: bool,
    /// To whom it is confined.
    pub confined: Confined,
}

/// To whom a preview is confined; to nobody in particular if both are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confined {
    /// One user, by `userName` or SCIM `id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The users below a source group, by `displayName` or SCIM `id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

/// A preview that is being made.
pub struct PreviewJob {
    /// Its id.
    pub id: String,
    /// Ends when the preview is complete, or has failed.
    pub work: JoinHandle<()>,
}

/// A preview, complete or not.
#[derive(Debug, Clone)]
pub struct Preview {
    /// As it is stored.
    pub stored: StoredPreview,
    /// To whom it is confined.
    pub confined: Confined,
    /// What it found; nothing until it is complete.
    pub summary: PreviewSummary,
}

impl Provision {
    /// Begins a preview. It goes on if nobody waits for it.
    pub async fn start_preview(
        &self,
        id: ConnectorId,
        wish: PreviewWish,
        author: &str,
    ) -> Result<PreviewJob, ProvisionError> {
        let this = self.clone();
        let wanted = wish.clone();
        let (rules, range, total) = self
            .store()
            .read(move |tx| {
                let present = this.require_connector(tx, id)?;
                let rules = wanted.rules.as_ref().unwrap_or(&present.connector.rules);
                let rules = match wanted.with_shadows {
                    true => rules.with_shadows(),
                    false => rules.clone(),
                };
                present.with_rules(tx, rules.clone())?;
                let range = wanted.confined.range(tx, id)?;
                let total = range.size(tx, id)?;
                Ok::<_, ProvisionError>((rules, range, total))
            })
            .await?;
        let confined = serde_json::to_string(&wish.confined).map_err(corrupt)?;
        let new = NewPreview {
            connector: id,
            author: author.to_owned(),
            rules: rules.clone(),
            confined,
            total,
        };
        let (pk, public_id) = self
            .store()
            .write(Scope::Record, move |tx| tx.insert_preview(&new))
            .await?;
        let job = job::Job {
            pk,
            connector: id,
            rules,
            range,
        };
        let work = tokio::spawn(self.clone().make_preview(job));
        Ok(PreviewJob {
            id: public_id,
            work,
        })
    }

    /// A connector's preview of this id.
    pub fn preview(
        &self,
        tx: &ReadTx<'_>,
        connector: ConnectorId,
        public_id: &str,
    ) -> Result<Preview, ProvisionError> {
        match tx.preview(connector, public_id)? {
            Some(stored) => Preview::of(stored),
            None => Err(ProvisionError::not_found("preview", public_id)),
        }
    }

    /// A connector's previews, newest first.
    pub fn previews(
        &self,
        tx: &ReadTx<'_>,
        connector: ConnectorId,
    ) -> Result<Vec<Preview>, ProvisionError> {
        let stored = tx.previews(connector)?.into_iter();
        stored.map(Preview::of).collect()
    }

    /// Users of a preview from a place on, at most `limit`: each with its place.
    pub fn previewed_users(
        &self,
        tx: &ReadTx<'_>,
        preview: &StoredPreview,
        search: &PreviewSearch,
        limit: usize,
    ) -> Result<Vec<(i64, PreviewedUser)>, ProvisionError> {
        let query = ItemQuery {
            after: search.after,
            name: search.name.clone(),
            operations: search.operation.map(|operation| user::bits([operation])),
        };
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let items = tx.preview_items(preview.pk, &query, limit)?;
        let users = items.iter();
        users
            .map(|item| Ok((item.number, PreviewedUser::of_item(item)?)))
            .collect()
    }
}

/// Which users of a preview to show.
#[derive(Debug, Clone, Default)]
pub struct PreviewSearch {
    /// Only those behind this place.
    pub after: i64,
    /// Only those with this text in a name.
    pub name: Option<String>,
    /// Only those with this operation.
    pub operation: Option<Operation>,
}

impl Preview {
    fn of(stored: StoredPreview) -> Result<Self, ProvisionError> {
        Ok(Self {
            confined: serde_json::from_str(&stored.confined).map_err(corrupt)?,
            summary: serde_json::from_str(&stored.summary).map_err(corrupt)?,
            stored,
        })
    }

    /// Whether exactly this can be applied, as long as the data stay as they are.
    pub fn can_be_applied(&self) -> bool {
        !self.stored.fingerprint.is_empty() && self.confined == Confined::default()
    }
}

impl Confined {
    fn range(&self, tx: &ReadTx<'_>, id: ConnectorId) -> Result<Range, ProvisionError> {
        match (&self.user, &self.group) {
            (None, None) => Ok(Range::All),
            (Some(user), None) => Ok(Range::User(find_user(tx, id, user)?)),
            (None, Some(group)) => Ok(Range::Group(find_group(tx, id, group)?)),
            (Some(_), Some(_)) => Err(ProvisionError::invalid(
                "user",
                "is given together with a group; give one of them",
            )),
        }
    }
}

pub(crate) fn find_user(
    tx: &ReadTx<'_>,
    id: ConnectorId,
    name: &str,
) -> Result<SourceUserPk, ProvisionError> {
    let by_name = tx.source_user_id_by_user_name(id, name)?;
    tx.source_user(id, by_name.as_deref().unwrap_or(name))?
        .map(|user| user.pk)
        .ok_or_else(|| ProvisionError::not_found("user", name))
}

/// The same, else the first whose `userName` begins so.
fn find_user_beginning(
    tx: &ReadTx<'_>,
    id: ConnectorId,
    name: &str,
) -> Result<SourceUserPk, ProvisionError> {
    match find_user(tx, id, name) {
        Err(nobody @ ProvisionError::NotFound { .. }) => {
            tx.source_user_beginning(id, name)?.ok_or(nobody)
        }
        found => found,
    }
}

fn find_group(
    tx: &ReadTx<'_>,
    id: ConnectorId,
    name: &str,
) -> Result<SourceGroupPk, ProvisionError> {
    let by_name = tx.source_group_id_by_display_name(id, name)?;
    tx.source_group(id, by_name.as_deref().unwrap_or(name))?
        .map(|group| group.pk)
        .ok_or_else(|| ProvisionError::not_found("group", name))
}

fn corrupt(error: serde_json::Error) -> ProvisionError {
    store::StoreError::Corrupt {
        what: format!("a preview: {error}"),
    }
    .into()
}
