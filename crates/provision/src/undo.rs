//! Undo: what somebody did in a directory is taken back, user by user, by changes like any other.

mod job;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use directory::{
    Account, Cause, DirectoryId, Outcome, OverrideKind, Pass, Past, Plan, Reason, Status, Trigger,
    User, UserPk, source_mark,
};
use jiff::Timestamp;
use scim::fold;
use serde::{Deserialize, Serialize};
use store::{JournalEntry, JournalSelection, ReadTx, Scope, StoredAccount, WriteTx};

use crate::carry_out::{Target, carry_out};
use crate::decide::{Occasion, decide};
use crate::facts::{Facts, Person};
use crate::loaded::LoadedConnector;
use crate::name_holder::NameHolder;
use crate::overrides::mark_of;
use crate::past::newest_first;
use crate::world::Stored;
use crate::{BegunJob, Provision, ProvisionError};

pub use job::undo_report;

/// Users undone in one transaction.
const CHUNK_MAX: usize = 50;
/// As many users are undone before the answer; of more a job is made.
pub const UNDONE_AT_ONCE_MAX: usize = 200;
/// Conflicts that a report lists at most.
const CONFLICTS_MAX: usize = 200;

/// What is to be undone: everything that all of it is true of.
#[derive(Debug, Clone, Default)]
pub struct UndoSelection {
    /// What came through this connector.
    pub connector: Option<directory::ConnectorId>,
    /// What this request or undo did.
    pub request: Option<String>,
    /// What this actor did.
    pub actor: Option<String>,
    /// What was done then or later.
    pub from: Option<Timestamp>,
    /// What was done before then.
    pub to: Option<Timestamp>,
    /// What was done to these users.
    pub users: Option<Vec<UserPk>>,
}

/// An undo that has been selected and not been made.
#[derive(Debug)]
pub struct Undoing {
    selection: JournalSelection,
    /// What became of groups since.
    groups: Vec<JournalEntry>,
    /// Whom it touches, in the order of their numbers.
    pub users: Vec<UserPk>,
    /// Changes of groups themselves and of groups in groups, which are not undone.
    pub group_changes: i64,
}

/// What an undo means for one user.
#[derive(Debug)]
pub struct UndoneUser {
    /// The user, as it is now.
    pub user: User,
    /// As it is.
    pub before: Account,
    /// As it is to be.
    pub after: Account,
    /// The way there.
    pub plan: Plan,
    /// What is not undone, as it was changed again since, or cannot be had back.
    pub conflicts: Vec<String>,
}

/// What came of asking for an undo.
#[derive(Debug)]
pub enum Undone {
    /// It is done.
    Now(UndoReport),
    /// It touches many, and goes on as a job.
    Later(Box<BegunJob>),
}

/// What an undo did.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct UndoReport {
    /// The id by which the undo can be undone.
    pub request: String,
    /// Users who were changed.
    pub users: u64,
    /// Changes that were made.
    pub changes: u64,
    /// Users who are kept as they are from now on, as the identity provider still says otherwise.
    pub kept_as_is: u64,
    /// What was not undone: the user's name and the reason. The first of them, if they are many.
    pub conflicts: Vec<(String, String)>,
    /// How many conflicts there were.
    pub conflict_count: u64,
}

impl Provision {
    /// Looks whom an undo would touch.
    pub fn select_undo(
        &self,
        tx: &ReadTx<'_>,
        directory: DirectoryId,
        wanted: &UndoSelection,
    ) -> Result<Undoing, ProvisionError> {
        wanted.check()?;
        let floor = tx.journal_floor(directory)?;
        let position = tx.journal_position(directory)?;
        let at = |moment: Option<Timestamp>, otherwise| match moment {
            Some(moment) => tx.journal_before(directory, moment),
            None => Ok(otherwise),
        };
        let mut selection = JournalSelection {
            after: at(wanted.from, floor)?,
            upto: at(wanted.to, position)?,
            connector: wanted.connector,
            request: wanted.request.clone(),
            actor: wanted.actor.clone(),
        };
        // Nobody has to be followed further back than to the first of these entries.
        let (users, group_changes);
        match &wanted.users {
            Some(among) => {
                let touched = tx.touched_among(directory, &selection, among)?;
                let first = touched.values().min();
                selection.after = first.map_or(selection.upto, |first| first - 1);
                (users, group_changes) = (touched.into_keys().collect(), 0);
            }
            None => {
                selection.after = tx.before_selected(directory, &selection)?;
                users = tx.users_touched(directory, &selection)?;
                group_changes = tx.group_changes(directory, &selection)?;
            }
        }
        Ok(Undoing {
            groups: tx.journal_of_groups(directory, selection.after)?,
            group_changes,
            selection,
            users,
        })
    }

    /// What an undo means for some of its users; those for whom it means nothing are left out.
    pub fn preview_undo(
        &self,
        tx: &ReadTx<'_>,
        directory: DirectoryId,
        undoing: &Undoing,
        users: &[UserPk],
    ) -> Result<Vec<UndoneUser>, ProvisionError> {
        let entries = tx.journal_of_users(directory, users, undoing.selection.after)?;
        let mut all = Vec::new();
        for user in users {
            let own: Vec<JournalEntry> = entries
                .iter()
                .filter(|entry| is_about(entry, *user))
                .cloned()
                .collect();
            if let Some(account) = tx.account(*user)? {
                let undone = undoing.undo(tx, directory, account, &own)?;
                if !undone.plan.is_empty() || !undone.conflicts.is_empty() {
                    all.push(undone);
                }
            }
        }
        Ok(all)
    }

    /// Undoes what was selected, a piece of it in each transaction: at once, or as a job if it touches many.
    pub async fn undo(
        &self,
        directory: DirectoryId,
        wanted: UndoSelection,
        actor: &str,
        request: &str,
    ) -> Result<Undone, ProvisionError> {
        let this = self.clone();
        let undoing = self
            .store()
            .read(move |tx| this.select_undo(tx, directory, &wanted))
            .await?;
        if undoing.users.len() > UNDONE_AT_ONCE_MAX {
            let begun = self.begin_undo(directory, undoing, actor, request).await?;
            return Ok(Undone::Later(Box::new(begun)));
        }
        let undoing = std::sync::Arc::new(undoing);
        let cause = Cause {
            trigger: Trigger::Undo,
            connector: None,
            actor: actor.to_owned(),
            request: request.to_owned(),
        };
        let mut report = UndoReport {
            request: request.to_owned(),
            ..UndoReport::default()
        };
        for chunk in undoing.users.chunks(CHUNK_MAX) {
            let (this, undoing, cause) = (self.clone(), undoing.clone(), cause.clone());
            let users = chunk.to_vec();
            let done = self
                .store()
                .write(Scope::Directory(directory), move |tx| {
                    this.undo_chunk(tx, directory, &undoing, &users, &cause)
                })
                .await?;
            report.add(done);
        }
        self.wake_worker();
        Ok(Undone::Now(report))
    }

    fn undo_chunk(
        &self,
        tx: &WriteTx<'_>,
        directory: DirectoryId,
        undoing: &Undoing,
        users: &[UserPk],
        cause: &Cause,
    ) -> Result<UndoReport, ProvisionError> {
        let mut report = UndoReport::default();
        let all = self.preview_undo(tx, directory, undoing, users)?;
        // Read before anything is written, so that nothing is kept in memory that was never committed.
        let mut connectors = BTreeMap::new();
        for id in all.iter().filter_map(|undone| undone.user.connector) {
            if let Entry::Vacant(place) = connectors.entry(id) {
                place.insert(self.require_connector(tx, id)?);
            }
        }
        for undone in all {
            let name = &undone.before.attributes.username;
            let conflicts = undone.conflicts.iter().cloned();
            report
                .conflicts
                .extend(conflicts.map(|why| (name.clone(), why)));
            if undone.plan.is_empty() {
                continue;
            }
            let Some(existing) = tx.account(undone.user.pk)? else {
                continue;
            };
            let target = Target {
                directory,
                connector: existing.user.connector,
                source: None,
                external_id: existing.user.external_id.as_deref(),
                existing: Some(&existing),
            };
            carry_out(tx, &target, &undone.plan, cause)?;
            report.users += 1;
            report.changes += undone.plan.changes.len() as u64;
            let connector = existing.user.connector.and_then(|id| connectors.get(&id));
            if let Some(connector) = connector
                && keep(tx, connector, &existing, cause)?
            {
                report.kept_as_is += 1;
            }
        }
        report.conflict_count = report.conflicts.len() as u64;
        Ok(report)
    }
}

/// Keeps a user, who was otherwise until now, as it is from now on, if evaluations would change it again.
fn keep(
    tx: &WriteTx<'_>,
    connector: &LoadedConnector,
    former: &StoredAccount,
    cause: &Cause,
) -> Result<bool, ProvisionError> {
    let directory = connector.connector.directory;
    let user = former.user.pk;
    for said in tx.overrides_of(user)? {
        if matches!(said.kind, OverrideKind::KeepAsIs { .. }) {
            tx.delete_override(directory, said.id)?;
        }
    }
    let Some(account) = tx.account(user)? else {
        return Ok(false);
    };
    let is_back = former.user.status != Status::Active && account.user.status == Status::Active;
    let outcome = decided(tx, connector, &account)?;
    let agrees = directory::plan(Some(&account.account), &outcome).is_empty();
    // A grace time that begins anew would end as the one before it did.
    if agrees && !(is_back && outcome.grace_until().is_some()) {
        return Ok(false);
    }
    let mark = match account.source {
        Some(source) => mark_of(tx, connector.connector.id, source)?,
        None => source_mark(None, &[]),
    };
    let comment = format!("undo {}", cause.request);
    let by = (cause.actor.as_str(), comment.as_str());
    tx.insert_override(directory, user, &OverrideKind::KeepAsIs { mark }, None, by)?;
    Ok(true)
}

/// What an evaluation now would come to.
fn decided(
    tx: &ReadTx<'_>,
    connector: &LoadedConnector,
    account: &StoredAccount,
) -> Result<Outcome, ProvisionError> {
    let occasion = Occasion {
        now: tx.now(),
        trigger: Trigger::Reconcile,
        moment: directory::Moment::Later,
    };
    let stored = match account.source {
        Some(source) => tx.source_user_by_pk(connector.connector.id, source)?,
        None => None,
    };
    match stored {
        Some(stored) => {
            let user = stored.resource()?;
            let person = Person {
                source: stored.pk,
                user: &user,
                is_new: false,
            };
            let facts = Facts::of(tx, &person)?;
            let world = Stored::new(tx, &connector.connector);
            Ok(decide(&world, connector, &person, facts, occasion)?.outcome)
        }
        None => {
            let overrides = tx.overrides_of(account.user.pk)?;
            let subject = directory::Subject {
                user: None,
                groups: &[],
                existing: Some(&account.account),
                now: occasion.now,
                trigger: occasion.trigger,
                overrides: &overrides,
            };
            Ok(directory::evaluate(&subject, &connector.rules))
        }
    }
}

impl UndoSelection {
    fn check(&self) -> Result<(), ProvisionError> {
        let narrow = self.connector.is_some()
            || self.request.is_some()
            || self.actor.is_some()
            || self.from.is_some();
        if !narrow {
            return Err(ProvisionError::invalid(
                "from",
                "is missing; say whose work to undo (connector, request or actor), or since when (from)",
            ));
        }
        match (self.from, self.to) {
            (Some(from), Some(to)) if to <= from => Err(ProvisionError::invalid(
                "to",
                format!("is {to}, not after {from}; turn them round"),
            )),
            _ => Ok(()),
        }
    }
}

impl Undoing {
    /// What was selected before, for those users whom the caller knows.
    fn again(
        tx: &ReadTx<'_>,
        directory: DirectoryId,
        selection: JournalSelection,
    ) -> Result<Self, ProvisionError> {
        Ok(Self {
            groups: tx.journal_of_groups(directory, selection.after)?,
            selection,
            users: Vec::new(),
            group_changes: 0,
        })
    }

    /// Goes back over what was selected of one user's entries, which come with the newest first.
    fn undo(
        &self,
        tx: &ReadTx<'_>,
        directory: DirectoryId,
        stored: StoredAccount,
        entries: &[JournalEntry],
    ) -> Result<UndoneUser, ProvisionError> {
        let before = stored.account;
        let mut past = Past::from(before.clone());
        for entry in newest_first(entries, &self.groups) {
            let pass = match self.selection.has(entry) {
                true => Pass::Back,
                false => Pass::Stay,
            };
            past.pass(&entry.change, pass);
        }
        let (mut after, conflicts) = past.undone();
        let mut conflicts: Vec<String> = conflicts
            .iter()
            .map(|aspect| format!("{aspect}: changed again since, or gone"))
            .collect();
        if let Some(holder) = holder_of_name(tx, directory, &stored.user, &after)? {
            let name = &after.attributes.username;
            let holder = NameHolder::of(tx, &holder)?;
            conflicts.push(format!("username: `{name}` belongs to {holder} now"));
            match before.status {
                Status::Removed => after = before.clone(),
                _ => after
                    .attributes
                    .username
                    .clone_from(&before.attributes.username),
            }
        }
        let is_back = before.status != Status::Active && after.status == Status::Active;
        let is_gone = stored.user.connector.is_some() && stored.source.is_none();
        if is_back && is_gone && after.reason == Reason::IdpActive {
            // The identity provider calls nobody active whom it deleted.
            after.reason = Reason::IdpDeleted;
        }
        let plan = directory::plan(Some(&before), &after.as_outcome());
        Ok(UndoneUser {
            user: stored.user,
            before,
            after,
            plan,
            conflicts,
        })
    }
}

/// Who has the name that the user is to have again.
fn holder_of_name(
    tx: &ReadTx<'_>,
    directory: DirectoryId,
    user: &User,
    after: &Account,
) -> Result<Option<User>, ProvisionError> {
    let name = &after.attributes.username;
    let has_it = user.status != Status::Removed && fold(&user.name) == fold(name);
    if after.status == Status::Removed || has_it {
        return Ok(None);
    }
    let holder = tx.directory_user(directory, name)?;
    Ok(holder.filter(|holder| holder.pk != user.pk))
}

fn is_about(entry: &JournalEntry, user: UserPk) -> bool {
    match entry.subject {
        store::Subject::User(of) | store::Subject::Membership(_, of) => of == user,
        store::Subject::Group(_) | store::Subject::Nesting(..) => false,
    }
}

impl UndoReport {
    fn add(&mut self, other: UndoReport) {
        self.users += other.users;
        self.changes += other.changes;
        self.kept_as_is += other.kept_as_is;
        self.conflict_count += other.conflict_count;
        let room = CONFLICTS_MAX - self.conflicts.len().min(CONFLICTS_MAX);
        self.conflicts
            .extend(other.conflicts.into_iter().take(room));
    }
}
