//! What an explanation says of being in one group: by which way, because of what, and until when.

use std::collections::{BTreeSet, HashMap};

use directory::trace::Stage;
use directory::{DirectoryId, GroupPk, Origin, SourceGroupPk, User, name, nesting};
use provision::{Left, Provision, ProvisionError};
use store::{ReadTx, StoreError};

use super::{Explanation, LineView};

/// Source groups that an explanation names at most.
const FEEDING_MAX: i64 = 10;

/// Whether a user is in a group itself; none if nothing is asked about one.
pub(super) fn is_member(
    tx: &ReadTx<'_>,
    user: &User,
    group: Option<&str>,
) -> Result<Option<bool>, ProvisionError> {
    let Some(group) = group else { return Ok(None) };
    let memberships = tx.memberships_of(user.pk)?;
    Ok(Some(
        memberships.iter().any(|one| name::same(&one.group, group)),
    ))
}

impl Explanation {
    /// Tells what ended the membership of a user who is in a group no more.
    pub(super) fn add_end(
        &mut self,
        provision: &Provision,
        tx: &ReadTx<'_>,
        (directory, user): (DirectoryId, &User),
        group: &str,
    ) -> Result<(), ProvisionError> {
        let Some(left) = provision.left(tx, user, directory, group)? else {
            return Ok(());
        };
        let because = match deleted_source(&left) {
            Some(told) => told,
            None if left.origins.is_empty() => "the account went".to_owned(),
            None => former_reasons(tx, &left.origins)?,
        };
        let text = format!(
            "the user was in `{group}` until {:.0}: {because}",
            left.by.at
        );
        let stage = Stage::Groups;
        self.lines.insert(0, LineView { stage, text });
        self.left = Some(left.by.into());
        Ok(())
    }

    /// Tells by way of which groups the user is in a group, and why each of them is in the next.
    pub(super) fn add_way(
        &mut self,
        tx: &ReadTx<'_>,
        directory: DirectoryId,
        user: &User,
        group: &str,
    ) -> Result<(), StoreError> {
        let Some(group) = tx.directory_group(directory, group)? else {
            return Ok(());
        };
        let ways = nesting::ways(&tx.steps_of_user(user.pk)?);
        let Some(way) = ways.get(&group.pk) else {
            return Ok(());
        };
        let names: HashMap<GroupPk, String> = tx
            .directory_groups_by_pk(directory, way)?
            .into_iter()
            .map(|group| (group.pk, group.name))
            .collect();
        let name = |pk: &GroupPk| names.get(pk).cloned().unwrap_or_default();
        self.member_by_way_of = way.iter().map(name).collect();
        let mut outer = way.iter().skip(1).copied().chain([group.pk]);
        for inner in way {
            let Some(parent) = outer.next() else { break };
            let parent_name = match parent == group.pk {
                true => group.name.clone(),
                false => name(&parent),
            };
            let origins = tx.nesting_origins(parent, *inner)?.unwrap_or_default();
            let reasons = reasons(tx, &origins)?;
            self.lines.push(LineView {
                stage: Stage::Groups,
                text: format!("`{}` is in `{parent_name}`: {reasons}", name(inner)),
            });
        }
        Ok(())
    }
}

/// Why a group is in another, in words.
fn reasons(tx: &ReadTx<'_>, origins: &BTreeSet<Origin>) -> Result<String, StoreError> {
    let names = source_names(tx, origins)?;
    let texts = origins.iter().map(|origin| match origin {
        Origin::Idp(source) => match names.get(source) {
            Some(name) => format!("source group `{name}` has it"),
            None => "a source group that is gone had it".to_owned(),
        },
        Origin::Local | Origin::Product => "a product put it there".to_owned(),
        other => format!("origin {}", other.kind()),
    });
    Ok(texts.collect::<Vec<_>>().join("; "))
}

/// Why a user was in a group, in words.
fn former_reasons(tx: &ReadTx<'_>, origins: &BTreeSet<Origin>) -> Result<String, StoreError> {
    let names = source_names(tx, origins)?;
    let texts = origins.iter().map(|origin| match origin {
        Origin::Idp(source) => match names.get(source) {
            Some(name) => format!("source group `{name}` gave it"),
            None => "a source group that is gone gave it".to_owned(),
        },
        Origin::Always => "every active user was in it".to_owned(),
        Origin::Rule(rule) => format!("rule `{rule}` gave it"),
        Origin::Local | Origin::Override(_) => "an administrator put the user there".to_owned(),
        Origin::Product => "a product put the user there".to_owned(),
        Origin::Copied => "it was taken over".to_owned(),
    });
    Ok(texts.collect::<Vec<_>>().join("; "))
}

/// The names of the source groups among origins, as far as they are there.
fn source_names(
    tx: &ReadTx<'_>,
    origins: &BTreeSet<Origin>,
) -> Result<HashMap<SourceGroupPk, String>, StoreError> {
    let sources = origins.iter().filter_map(|origin| match origin {
        Origin::Idp(source) => Some(*source),
        _ => None,
    });
    tx.source_group_names(&sources.collect::<Vec<_>>())
}

/// That the identity provider deleted the source group by which somebody was in a group, if that ended the membership.
fn deleted_source(left: &Left) -> Option<String> {
    let record = left.record.as_ref()?;
    let by_source = left.origins.iter().any(|it| matches!(it, Origin::Idp(_)));
    let group = match &record.resource_name {
        Some(name) => format!("source group `{name}`"),
        None => "a source group".to_owned(),
    };
    (by_source && record.operation == "delete_group").then(|| {
        let request = format!("`{} {}`", record.method, record.path);
        format!("{group} gave it, which the identity provider deleted, {request}")
    })
}

/// For somebody who is not in a group: which source groups make others its members.
pub(super) fn feeding(
    tx: &ReadTx<'_>,
    directory: DirectoryId,
    group: &str,
) -> Result<Option<LineView>, ProvisionError> {
    let Some(found) = tx.directory_group(directory, group)? else {
        return Ok(None);
    };
    let names = tx.source_groups_feeding(found.pk, FEEDING_MAX)?;
    Ok((!names.is_empty()).then(|| LineView {
        stage: Stage::Groups,
        text: format!(
            "source groups that become `{group}` now: {}",
            names.join(", ")
        ),
    }))
}
