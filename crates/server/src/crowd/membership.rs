//! Who is in which group. Groups of the directory hold users only: what the identity provider nests is
//! resolved before, so nested lists equal direct ones and no group has a child.

use ::crowd::group::GroupRequest;
use ::crowd::membership::Memberships;
use ::crowd::query::EntityType;
use ::crowd::user::UserRequest;
use ::crowd::{CrowdError, Format, Reason};
use axum::extract::Request;
use directory::Search;
use store::{MembershipItem, StoreError};

use super::Refusal;
use super::call::{Call, find_group, find_user};
use super::listing::{Wanted, walk};
use super::reply::{Reply, created, document, nothing};
use super::stream::{self, Sink};

/// `GET user/group/direct`, `GET user/group/nested`: the groups of a user, or whether the user is in one.
pub(super) async fn groups_of_user(call: Call) -> Reply {
    let user = call.username()?;
    if call.query.get("groupname").is_some() {
        let (_, group) = both_names(&call).await?;
        return Ok(document(
            call.format(),
            ::crowd::group::short(&group, &call.style),
        ));
    }
    let wanted = Wanted::new(&call, EntityType::Group, Search::All)?;
    stream::bounded(&call, move |tx, directory, sink| {
        let user = find_user(tx, directory, &user)?;
        let mut groups = wanted.groups(tx, sink)?;
        for group in tx.groups_of_user(directory, user.pk)? {
            if groups.is_full() || groups.take(&group)?.is_break() {
                break;
            }
        }
        groups.finish()
    })
    .await
}

/// `GET group/user/direct`, `GET group/user/nested`: the users of a group, or whether one is in it.
pub(super) async fn users_of_group(call: Call) -> Reply {
    let group = call.groupname()?;
    if call.query.get("username").is_some() {
        let (user, _) = both_names(&call).await?;
        return Ok(document(
            call.format(),
            ::crowd::user::short(&user, &call.style),
        ));
    }
    let wanted = Wanted::new(&call, EntityType::User, Search::All)?;
    let bounded = wanted.is_bounded();
    let write = move |tx: &store::ReadTx<'_>, directory, sink: Sink| {
        let group = find_group(tx, directory, &group)?;
        let mut users = wanted.users(tx, sink)?;
        if !users.is_full() {
            walk(
                |each| tx.each_user_of_group(directory, group.pk, each),
                |user| users.take(user),
            )?;
        }
        users.finish()
    };
    match bounded {
        true => stream::bounded(&call, write).await,
        false => stream::unbounded(&call, call.format(), write).await,
    }
}

/// The stored names of the user and the group that a single check asks about. Whatever is missing, the user,
/// the group or the membership, the answer is that there is no such membership.
async fn both_names(call: &Call) -> Result<(String, String), Refusal> {
    let (user, group) = (call.username()?, call.groupname()?);
    call.look_up(move |tx, directory| {
        let missing = || CrowdError::membership_not_found(&user, &group);
        let found_user = tx.directory_user(directory, &user)?.ok_or_else(missing)?;
        let found_group = tx.directory_group(directory, &group)?.ok_or_else(missing)?;
        tx.membership_origins(found_group.pk, found_user.pk)?
            .ok_or_else(missing)?;
        Ok((found_user.name, found_group.name))
    })
    .await
}

/// `GET group/child-group/direct`, `GET group/child-group/nested`
pub(super) async fn child_groups(call: Call) -> Reply {
    let child = call.query.get("child-groupname").map(str::to_owned);
    no_groups(call, child).await
}

/// `GET group/parent-group/direct`, `GET group/parent-group/nested`. Two names are in use for the parent.
pub(super) async fn parent_groups(call: Call) -> Reply {
    let parent = call
        .query
        .get("parent-groupname")
        .or_else(|| call.query.get("child-groupname"));
    let parent = parent.map(str::to_owned);
    no_groups(call, parent).await
}

/// The empty list of groups next to a group that exists, or the refusal of a single check.
async fn no_groups(call: Call, single: Option<String>) -> Reply {
    let group = call.groupname()?;
    if let Some(other) = single {
        return Err(CrowdError::membership_not_found(&other, &group).into());
    }
    let wanted = Wanted::new(&call, EntityType::Group, Search::All)?;
    stream::bounded(&call, move |tx, directory, sink| {
        find_group(tx, directory, &group)?;
        wanted.groups(tx, sink)?.finish()
    })
    .await
}

/// `GET group/membership`: every group with its users. XML, whatever the caller accepts.
pub(super) async fn all(call: Call) -> Reply {
    stream::unbounded(&call, Format::Xml, |tx, directory, sink| {
        let mut memberships = Memberships::new(sink)?;
        let mut failed = None;
        let walked = tx.each_membership(directory, &mut |item| {
            let written = match item {
                MembershipItem::Group(name) => memberships.group(name),
                MembershipItem::User(name) => memberships.user(name),
            };
            written.map_err(|error| {
                failed = Some(error);
                // Only ends the walk: what it means is in `failed`.
                StoreError::Busy
            })
        });
        match failed {
            Some(error) => Err(error.into()),
            None => {
                walked?;
                Ok(memberships.finish()?)
            }
        }
    })
    .await
}

/// `POST user/group/direct?username=`: the group is named in the body.
pub(super) async fn add_group_to_user(call: Call, request: Request) -> Reply {
    let writer = call.writer()?;
    let user = call.username()?;
    let group = call.read::<GroupRequest>(request).await?.name;
    let provision = call.face.app.provision();
    let added = provision
        .add_local_membership(&writer, group.clone(), user.clone())
        .await;
    added.map_err(|error| named_in_body(error.into(), Reason::GroupNotFound))?;
    Ok(created(
        call.format(),
        &call.style.links.user_membership(&user, &group),
        Vec::new(),
    ))
}

/// `POST group/user/direct?groupname=`: the user is named in the body.
pub(super) async fn add_user_to_group(call: Call, request: Request) -> Reply {
    let writer = call.writer()?;
    let group = call.groupname()?;
    let user = call.read::<UserRequest>(request).await?.name;
    let provision = call.face.app.provision();
    let added = provision
        .add_local_membership(&writer, group.clone(), user.clone())
        .await;
    added.map_err(|error| named_in_body(error.into(), Reason::UserNotFound))?;
    Ok(created(
        call.format(),
        &call.style.links.user_membership(&user, &group),
        Vec::new(),
    ))
}

/// `DELETE user/group/direct`, `DELETE group/user/direct`: the same membership from either side.
pub(super) async fn remove(call: Call) -> Reply {
    let writer = call.writer()?;
    let (user, group) = (call.username()?, call.groupname()?);
    call.face
        .app
        .provision()
        .remove_local_membership(&writer, group, user)
        .await?;
    Ok(nothing())
}

/// Groups in groups cannot be written.
pub(super) async fn nest(call: Call) -> Reply {
    call.writer()?;
    let message = "Groups hold users here. Nest groups at the identity provider.";
    Err(CrowdError::new(Reason::NestedGroupsNotSupported, message).into())
}

/// What the body names and is not there is the body's fault: 400 instead of 404.
fn named_in_body(refusal: Refusal, reason: Reason) -> Refusal {
    let error = refusal.into_error();
    match error.reason == reason {
        true => error.in_body().into(),
        false => error.into(),
    }
}
