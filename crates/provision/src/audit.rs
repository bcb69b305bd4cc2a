//! The audit log: entered, kept for a time, and checked for changes.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use store::{AuditDraft, ReadTx, Scope, StoreError, WriteTx};

use crate::{Provision, ProvisionError};

/// The name of these settings in the store.
pub(crate) const SETTINGS: &str = "audit";
/// Where the kept part of the log begins.
const FLOOR: &str = "audit_floor";
/// Days that entries are kept unless an owner says otherwise.
const DAYS_DEFAULT: u32 = 400;
/// Fewest days: an attack is often noticed after weeks.
const DAYS_MIN: u32 = 30;
/// Most days: ten years.
const DAYS_MAX: u32 = 3_660;
/// Entries looked at in one piece.
const PIECE: i64 = 1_000;
/// Minutes after which a change that did not end is believed to have been cut off: far longer than any takes.
const CUT_OFF_AFTER_MIN: i64 = 10;
/// What the entry of such a change says.
const CUT_OFF: &str = "begun, and cut off before it was known how it ended: the program was stopped. Look whether it was done";
/// Bytes of a text of an entry.
const TEXT_BYTES_MAX: usize = 4_096;

/// How long the audit log is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuditSettings {
    /// Days.
    pub keep_days: u32,
}

impl Default for AuditSettings {
    fn default() -> Self {
        Self {
            keep_days: DAYS_DEFAULT,
        }
    }
}

/// The digest of the last entry that was removed for its age.
#[derive(Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Floor {
    digest: String,
}

/// Whether the audit log is as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditCheck {
    /// Entries that were looked at.
    pub entries: i64,
    /// The number of the first entry that does not follow from the one before, if there is one.
    pub broken_at: Option<i64>,
    /// The digest of the newest entry. Kept elsewhere, it shows later that nothing was cut off at the end.
    pub head: Option<String>,
}

impl Provision {
    /// Enters something into the audit log.
    pub async fn audit(&self, draft: AuditDraft) -> Result<(), ProvisionError> {
        self.store()
            .write(Scope::Settings, move |tx| Ok(enter(tx, draft.clone())?))
            .await
    }

    /// Notes durably that a change begins, so that the audit log tells of it even if the program is killed before it ends.
    /// Returns by what it is ended.
    pub async fn begin_audit(&self, draft: AuditDraft) -> Result<i64, ProvisionError> {
        self.store()
            .write(Scope::Settings, move |tx| Ok(tx.begin_audit(&draft)?))
            .await
    }

    /// Ends a change that was begun, with its entry; with none where nothing was there to be changed.
    pub async fn end_audit(
        &self,
        begun: i64,
        draft: Option<AuditDraft>,
    ) -> Result<(), ProvisionError> {
        self.store()
            .write(Scope::Settings, move |tx| {
                tx.end_audit(begun)?;
                match &draft {
                    Some(draft) => Ok(enter(tx, draft.clone())?),
                    None => Ok(()),
                }
            })
            .await
    }

    /// Enters changes that were begun and cut off. Returns how many entries that made.
    pub async fn enter_cut_off(&self) -> Result<usize, ProvisionError> {
        let store = self.store();
        let before = store.now() - SignedDuration::from_mins(CUT_OFF_AFTER_MIN);
        let none = store
            .look_up(move |tx| Ok::<_, ProvisionError>(tx.audit_begun(before, 1)?.is_empty()))
            .await?;
        if none {
            return Ok(0);
        }
        store
            .write(Scope::Settings, move |tx| {
                let cut_off = tx.audit_begun(before, PIECE)?;
                for begun in &cut_off {
                    tx.end_audit(begun.id)?;
                    let mut draft = begun.draft.clone();
                    draft.detail = format!("{CUT_OFF} ({})", begun.at);
                    enter(tx, draft)?;
                }
                Ok::<_, ProvisionError>(cut_off.len())
            })
            .await
    }

    /// How long the audit log is kept.
    pub async fn audit_settings(&self) -> Result<AuditSettings, ProvisionError> {
        self.store().look_up(|tx| Ok(tx.setting(SETTINGS)?)).await
    }

    /// Changes how long the audit log is kept.
    pub async fn set_audit_settings(
        &self,
        settings: AuditSettings,
    ) -> Result<AuditSettings, ProvisionError> {
        check_settings(settings)?;
        self.store()
            .write(Scope::Settings, move |tx| {
                tx.set_setting(SETTINGS, &settings)?;
                Ok(settings)
            })
            .await
    }

    /// Removes a piece of what is older than the settings say. Returns how many entries that were.
    pub async fn prune_audit(&self) -> Result<u64, ProvisionError> {
        let is_due = self.store().look_up(|tx| {
            let (from, oldest) = (kept_from(tx)?, tx.audit_after(0, 1)?);
            Ok::<_, ProvisionError>(oldest.iter().any(|entry| entry.at < from))
        });
        if !is_due.await? {
            return Ok(0);
        }
        self.store()
            .write(Scope::Settings, |tx| {
                let from = kept_from(tx)?;
                let oldest = tx.audit_after(0, PIECE)?;
                let old = oldest.iter().take_while(|entry| entry.at < from);
                let Some(last) = old.last() else {
                    return Ok(0);
                };
                let digest = last.digest.clone();
                tx.set_setting(FLOOR, &Floor { digest })?;
                Ok::<_, ProvisionError>(tx.prune_audit(last.id)?)
            })
            .await
    }

    /// Looks whether every entry follows from the one before.
    pub async fn check_audit(&self) -> Result<AuditCheck, ProvisionError> {
        // One snapshot: entries that go for their age meanwhile are no fault.
        self.store().read(|tx| checked(tx)).await
    }
}

/// What is older is no longer kept.
fn kept_from(tx: &ReadTx<'_>) -> Result<Timestamp, StoreError> {
    let days = i64::from(tx.setting::<AuditSettings>(SETTINGS)?.keep_days);
    Ok(tx.now() - SignedDuration::from_hours(24 * days))
}

/// Refuses settings that cannot be meant.
pub(crate) fn check_settings(settings: AuditSettings) -> Result<(), ProvisionError> {
    match (DAYS_MIN..=DAYS_MAX).contains(&settings.keep_days) {
        true => Ok(()),
        false => Err(ProvisionError::invalid(
            "keep_days",
            format!("has to be between {DAYS_MIN} and {DAYS_MAX}"),
        )),
    }
}

/// Enters something into the audit log.
pub(crate) fn enter(tx: &WriteTx<'_>, mut draft: AuditDraft) -> Result<(), StoreError> {
    for text in [&mut draft.actor, &mut draft.target, &mut draft.detail] {
        cut(text);
    }
    let previous = match tx.audit_head()? {
        Some((_, digest)) => digest,
        None => tx.setting::<Floor>(FLOOR)?.digest,
    };
    tx.insert_audit(&draft, &previous)
}

fn checked(tx: &ReadTx<'_>) -> Result<AuditCheck, ProvisionError> {
    let mut check = AuditCheck {
        entries: 0,
        broken_at: None,
        head: None,
    };
    let mut previous = tx.setting::<Floor>(FLOOR)?.digest;
    let mut after = 0;
    loop {
        let piece = tx.audit_after(after, PIECE)?;
        let Some(last) = piece.last() else {
            return Ok(check);
        };
        after = last.id;
        for entry in &piece {
            check.entries += 1;
            if entry.digest != entry.chained(&previous) {
                check.broken_at = check.broken_at.or(Some(entry.id));
            }
            previous.clone_from(&entry.digest);
        }
        check.head = Some(previous.clone());
    }
}

fn cut(text: &mut String) {
    if text.len() > TEXT_BYTES_MAX {
        let mut end = TEXT_BYTES_MAX;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push('…');
    }
}
