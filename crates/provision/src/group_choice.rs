//! What an administrator decides about one source group, and the list to decide from.

use directory::rules::Fault;
use directory::{Cause, ConnectorId, DirectoryId, Group, Review, SourceGroupPk, Trigger};
use scim::fold;
use store::{
    ConnectorGroup, GroupStanding, GroupTask, MemberComparison, ReadTx, SourceGroup,
    StandingFilter, WriteTx,
};

use crate::loaded::LoadedConnector;
use crate::rebind::has_to_wait;
use crate::{Provision, ProvisionError};

/// Groups read at once while a list is made.
const CHUNK: i64 = 200;

/// What to do about one source group (AG-06, CP-02).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupChoice {
    /// It feeds the group of its name, which loses the members that others put there.
    Adopt,
    /// It feeds the group of its name, whose members stay.
    Merge,
    /// It feeds a group of this name.
    Rename(String),
    /// It feeds no group.
    Ignore,
    /// Nothing special: the rules say which group it feeds, by its present name.
    Follow,
}

/// What a source group has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupFate {
    /// It feeds its groups.
    Assigned,
    /// Somebody has to decide.
    Waiting,
    /// An administrator decided that it feeds none.
    Ignored,
    /// `groups.protected` has its name.
    Protected,
    /// The rules leave it out.
    LeftOut,
}

/// A group that stands in the way of a source group.
#[derive(Debug, Clone)]
pub struct GroupInTheWay {
    /// The group.
    pub group: directory::Group,
    /// Its members beside those of the source group.
    pub comparison: MemberComparison,
}

/// A source group in the list.
#[derive(Debug, Clone)]
pub struct ListedGroup {
    /// The group with what was decided.
    pub listed: ConnectorGroup,
    /// What it has come to.
    pub fate: GroupFate,
    /// The groups that its members get, or would get.
    pub names: Vec<String>,
    /// The entry of `groups.protected` that has it.
    pub protected_by: Option<String>,
    /// What is wrong with what the rules make of its name, so that memberships stay as they were.
    pub name_fault: Option<Fault>,
    /// What somebody has to decide about.
    pub in_the_way: Option<GroupInTheWay>,
}

/// Which source groups to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupQuery {
    /// All.
    Any,
    /// Those that have come to this.
    Fate(GroupFate),
    /// Those that the IdP renamed and that have a former name still.
    Renamed,
}

impl Provision {
    /// Source groups of a connector behind this one, with what the rules and administrators make of them; `limit` at
    /// most.
    pub fn connector_groups(
        &self,
        tx: &ReadTx<'_>,
        connector: ConnectorId,
        query: GroupQuery,
        mut after: SourceGroupPk,
        limit: usize,
    ) -> Result<Vec<ListedGroup>, ProvisionError> {
        let loaded = self.require_connector(tx, connector)?;
        let filter = match query {
            GroupQuery::Fate(GroupFate::Waiting) => StandingFilter::Review(Review::Waiting),
            GroupQuery::Fate(GroupFate::Ignored) => StandingFilter::Review(Review::Ignored),
            GroupQuery::Renamed => StandingFilter::Renamed,
            _ => StandingFilter::Any,
        };
        let mut found = Vec::new();
        loop {
            let chunk = tx.connector_groups(connector, filter, after, CHUNK)?;
            let ended = i64::try_from(chunk.len()).unwrap_or(CHUNK) < CHUNK;
            for listed in chunk {
                after = listed.group.pk;
                let item = list_one(&loaded, listed);
                let wanted = match query {
                    GroupQuery::Fate(fate) => item.fate == fate,
                    GroupQuery::Any | GroupQuery::Renamed => true,
                };
                if wanted {
                    found.push(with_what_is_in_the_way(tx, &loaded, item)?);
                }
                if found.len() == limit {
                    return Ok(found);
                }
            }
            if ended {
                return Ok(found);
            }
        }
    }

    /// Source groups that feed a group, so many at most, and those that wait until somebody decides whether they do;
    /// each with the name of its connector.
    pub fn groups_behind(
        &self,
        tx: &ReadTx<'_>,
        directory: DirectoryId,
        group: &Group,
        limit: i64,
    ) -> Result<Vec<(String, ListedGroup)>, ProvisionError> {
        let mut found = Vec::new();
        for (connector, listed) in tx.feeding_groups(group.pk, limit)? {
            let loaded = self.require_connector(tx, connector)?;
            found.push((loaded.connector.name.clone(), list_one(&loaded, listed)));
        }
        for (connector, waiting) in tx.waiting_groups(directory)? {
            let loaded = self.require_connector(tx, connector)?;
            let listed = ConnectorGroup {
                standing: tx.group_standing(waiting.pk)?,
                group: waiting,
                since: None,
            };
            let item = list_one(&loaded, listed);
            let is_first = item.names.first();
            if is_first.is_some_and(|name| fold(name) == fold(&group.name)) {
                let item = with_what_is_in_the_way(tx, &loaded, item)?;
                found.push((loaded.connector.name.clone(), item));
            }
        }
        Ok(found)
    }

    /// One group of a connector, by its SCIM `id` or its name, as in a list.
    pub fn connector_group(
        &self,
        tx: &ReadTx<'_>,
        connector: ConnectorId,
        group: &str,
    ) -> Result<ListedGroup, ProvisionError> {
        let found = find(tx, connector, group)?.pk;
        let before = SourceGroupPk(found.0 - 1);
        let listed = self.connector_groups(tx, connector, GroupQuery::Any, before, 1)?;
        let mut listed = listed.into_iter();
        let listed = listed.find(|item| item.listed.group.pk == found);
        listed.ok_or_else(|| ProvisionError::not_found("group of the connector", group))
    }

    /// Carries out what an administrator decided about a source group, named by its SCIM id or its name. Memberships
    /// follow without any write of the IdP. Gives its SCIM id.
    pub async fn choose_for_group(
        &self,
        connector: ConnectorId,
        group: String,
        choice: GroupChoice,
        actor: &str,
    ) -> Result<String, ProvisionError> {
        let cause = Cause {
            trigger: Trigger::Reconcile,
            connector: Some(connector),
            actor: actor.to_owned(),
            request: String::new(),
        };
        let place = self.place_of(connector).await?;
        let chosen = self
            .write_at(place, move |this, tx, connector| {
                let found = find(tx, connector.connector.id, &group)?;
                this.choose(tx, connector, &found, &choice, &cause)?;
                Ok(found.id)
            })
            .await?;
        self.wake_worker();
        Ok(chosen)
    }

    fn choose(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        group: &SourceGroup,
        choice: &GroupChoice,
        cause: &Cause,
    ) -> Result<(), ProvisionError> {
        let id = connector.connector.id;
        let before = tx.group_standing(group.pk)?;
        let mut after = before.clone();
        match choice {
            GroupChoice::Adopt | GroupChoice::Merge => {
                return self.let_in(tx, connector, group, before, choice, cause);
            }
            GroupChoice::Rename(name) => {
                check_own_name(tx, connector, group, name)?;
                after.own_name = Some(name.clone());
                after.review = Review::Settled;
            }
            GroupChoice::Ignore => after.review = Review::Ignored,
            GroupChoice::Follow => {
                check_present_name(tx, connector, group)?;
                after = GroupStanding::default();
            }
        }
        if after == before {
            return Ok(());
        }
        tx.put_group_standing(id, group.pk, &after)?;
        match choice {
            // The rename that was not followed before may now be one of the group itself.
            GroupChoice::Follow if before.former_name.is_some() => {
                self.follow(tx, connector, group, (&[], true), cause)
            }
            _ => self.refeed(tx, connector, group, &[], cause),
        }
    }

    /// Ties a source group to the group that stood in its way.
    fn let_in(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        group: &SourceGroup,
        standing: GroupStanding,
        choice: &GroupChoice,
        cause: &Cause,
    ) -> Result<(), ProvisionError> {
        if standing.review == Review::Settled {
            let message =
                "has nothing to decide about: no group with members from elsewhere waits for it";
            return Err(ProvisionError::invalid("choice", message));
        }
        let id = connector.connector.id;
        let settled = GroupStanding {
            review: Review::Settled,
            ..standing
        };
        let seen = settled.clone().seen(group.pk, group.display_name.clone());
        let there = match connector.rules.effective_group(&seen) {
            Some(name) => tx.directory_group(connector.connector.directory, &name)?,
            None => None,
        };
        tx.put_group_standing(id, group.pk, &settled)?;
        if let Some(there) = there {
            tx.bind_group(group.pk, Some(there.pk))?;
            if *choice == GroupChoice::Adopt {
                let now = tx.now();
                tx.mark_group_due(id, there.pk, GroupTask::TakeOver, now, cause)?;
            }
            let neighbours = crate::nesting::Neighbours::of(tx, group.pk)?;
            self.settle_around(tx, connector, &neighbours, [None, Some(there.pk)], cause)?;
        }
        self.refeed(tx, connector, group, &[], cause)
    }
}

fn find(
    tx: &ReadTx<'_>,
    connector: ConnectorId,
    name: &str,
) -> Result<SourceGroup, ProvisionError> {
    if let Some(found) = tx.source_group(connector, name)? {
        return Ok(found);
    }
    let id = tx.source_group_id_by_display_name(connector, name)?;
    let found = match id {
        Some(id) => tx.source_group(connector, &id)?,
        None => None,
    };
    found.ok_or_else(|| ProvisionError::not_found("group of the connector", name))
}

fn check_own_name(
    tx: &WriteTx<'_>,
    connector: &LoadedConnector,
    group: &SourceGroup,
    name: &str,
) -> Result<(), ProvisionError> {
    let wrong = |message: String| Err(ProvisionError::invalid("name", message));
    if !directory::rules::is_possible_group_name(name) {
        return wrong("is no possible name of a group; names have 1 to 255 characters".to_owned());
    }
    if let Some(entry) = connector.rules.protects(name, None) {
        return wrong(format!(
            "is in groups.protected by '{entry}'; choose another"
        ));
    }
    let Some(there) = tx.directory_group(connector.connector.directory, name)? else {
        return Ok(());
    };
    let own = tx.bound_group(group.pk)?;
    if own.is_none_or(|own| fold(&own.name) != fold(name))
        && tx.has_members_from_elsewhere(there.pk, connector.connector.id)?
    {
        return Err(ProvisionError::Exists {
            what: "group with members from elsewhere",
            name: there.name,
        });
    }
    Ok(())
}

/// A group that feeds one does not leave it for another that would have to be decided about first.
fn check_present_name(
    tx: &WriteTx<'_>,
    connector: &LoadedConnector,
    group: &SourceGroup,
) -> Result<(), ProvisionError> {
    let seen = directory::SourceGroup::direct(group.pk, group.display_name.as_str());
    let (Some(bound), Some(name)) = (
        tx.bound_group(group.pk)?,
        connector.rules.effective_group(&seen),
    ) else {
        return Ok(());
    };
    match tx.directory_group(connector.connector.directory, &name)? {
        Some(there) if there.pk != bound.pk && has_to_wait(tx, connector, &seen, &there)? => {
            Err(ProvisionError::Exists {
                what: "group with members from elsewhere",
                name: there.name,
            })
        }
        _ => Ok(()),
    }
}

fn list_one(connector: &LoadedConnector, listed: ConnectorGroup) -> ListedGroup {
    let group = &listed.group;
    let seen = listed
        .standing
        .clone()
        .seen(group.pk, group.display_name.clone());
    let names = connector.rules.effective_groups(&seen);
    let protected_by = connector.rules.protecting_entry(&seen);
    let fate = match listed.standing.review {
        Review::Ignored => GroupFate::Ignored,
        Review::Waiting => GroupFate::Waiting,
        Review::Settled if !names.is_empty() => GroupFate::Assigned,
        Review::Settled if protected_by.is_some() => GroupFate::Protected,
        Review::Settled => GroupFate::LeftOut,
    };
    ListedGroup {
        fate,
        names,
        protected_by: protected_by.map(|entry| entry.to_string()),
        name_fault: connector.rules.name_fault(&seen),
        in_the_way: None,
        listed,
    }
}

fn with_what_is_in_the_way(
    tx: &ReadTx<'_>,
    connector: &LoadedConnector,
    mut item: ListedGroup,
) -> Result<ListedGroup, ProvisionError> {
    if item.fate != GroupFate::Waiting {
        return Ok(item);
    }
    let there = match item.names.first() {
        Some(name) => tx.directory_group(connector.connector.directory, name)?,
        None => None,
    };
    if let Some(group) = there {
        let below = connector.rules.reaches_below();
        let comparison = tx.compare_members(item.listed.group.pk, group.pk, below)?;
        item.in_the_way = Some(GroupInTheWay { group, comparison });
    }
    Ok(item)
}
