//! Facts: what is stored about one person that a decision needs.

use directory::{SourceGroup, SourceUserPk};
use scim::Resource;
use store::{ReadTx, StoredAccount, StoredSubject};

use crate::ProvisionError;

/// A user of the source about whom something is to be decided.
#[derive(Clone, Copy)]
pub(crate) struct Person<'a> {
    pub(crate) source: SourceUserPk,
    pub(crate) user: &'a Resource,
    /// Just made: in no group, and nothing can be known about it yet.
    pub(crate) is_new: bool,
}

/// What is stored about a person besides the resource itself.
#[derive(Default)]
pub(crate) struct Facts {
    /// The source groups that contain the person.
    pub(crate) groups: Vec<SourceGroup>,
    /// The account that the person feeds.
    pub(crate) account: Option<StoredAccount>,
}

impl Facts {
    /// Reads them; of somebody just made there are none.
    pub(crate) fn of(tx: &ReadTx<'_>, person: &Person<'_>) -> Result<Self, ProvisionError> {
        if person.is_new {
            return Ok(Self::default());
        }
        Ok(Self {
            groups: tx.effective_source_groups(person.source)?,
            account: tx.account_of_source(person.source)?,
        })
    }
}

impl From<StoredSubject> for Facts {
    fn from(subject: StoredSubject) -> Self {
        Self {
            groups: subject.groups,
            account: subject.account,
        }
    }
}
