//! Who is in which group, directly or by way of groups in groups.

use ::crowd::group::GroupRequest;
use ::crowd::membership::Memberships;
use ::crowd::query::EntityType;
use ::crowd::user::UserRequest;
use ::crowd::{CrowdError, Format, Reason};
use axum::extract::Request;
use directory::{Group, Search};
use store::{MembershipItem, ReadTx, StoreError};

use super::Refusal;
use super::call::{Call, find_group, find_user, only_open};
use super::listing::Wanted;
use super::reply::{Reply, created, document, nothing};
use super::stream::{self, Sink};
use super::view::View;
use crate::walk::walk;

/// Whether only what is directly in a group counts, or also what is in groups in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Depth {
    Direct,
    Nested,
}

/// `GET user/group/direct`: the groups of a user, or whether the user is in one.
pub(super) async fn groups_of_user(call: Call) -> Reply {
    groups_around_user(call, Depth::Direct).await
}

/// `GET user/group/nested`: also those that the user is in by way of groups in them.
pub(super) async fn groups_of_user_nested(call: Call) -> Reply {
    groups_around_user(call, Depth::Nested).await
}

async fn groups_around_user(call: Call, depth: Depth) -> Reply {
    let user = call.username()?;
    if call.query.get("groupname").is_some() {
        let (_, group) = both_names(&call, depth).await?;
        return Ok(document(
            call.format(),
            ::crowd::group::short(&group, &call.style),
        ));
    }
    list_groups(call, move |tx, view| {
        let user = find_user(tx, view, &user)?;
        Ok(match depth {
            Depth::Direct => view.groups_of_user(tx, &user)?,
            Depth::Nested => view.groups_of_user_nested(tx, &user)?,
        })
    })
    .await
}

/// `GET group/user/direct`: the users of a group, or whether one is in it.
pub(super) async fn users_of_group(call: Call) -> Reply {
    users_in_group(call, Depth::Direct).await
}

/// `GET group/user/nested`: also those in groups in it.
pub(super) async fn users_of_group_nested(call: Call) -> Reply {
    users_in_group(call, Depth::Nested).await
}

async fn users_in_group(call: Call, depth: Depth) -> Reply {
    let group = call.groupname()?;
    if call.query.get("username").is_some() {
        let (user, _) = both_names(&call, depth).await?;
        return Ok(document(
            call.format(),
            ::crowd::user::short(&user, &call.style),
        ));
    }
    let wanted = Wanted::new(&call, EntityType::User, Search::All)?;
    let bounded = wanted.is_bounded();
    let write = move |tx: &ReadTx<'_>, view: &View, sink: Sink| {
        let group = find_group(tx, view, &group)?;
        let mut users = wanted.users(tx, sink)?;
        if !users.is_full() {
            walk(
                |each| match depth {
                    Depth::Direct => view.each_user_of_group(tx, &group, each),
                    Depth::Nested => view.each_user_below_group(tx, &group, each),
                },
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
async fn both_names(call: &Call, depth: Depth) -> Result<(String, String), Refusal> {
    let (user, group) = (call.username()?, call.groupname()?);
    call.look_up(move |tx, view| {
        let missing = || CrowdError::membership_not_found(&user, &group);
        let found_user = view.user(tx, &user)?.ok_or_else(missing)?;
        let found_group = view.group(tx, &group)?.ok_or_else(missing)?;
        let is_member = match depth {
            Depth::Direct => view.is_member(tx, &found_user, &found_group)?,
            Depth::Nested => view.is_member_below(tx, &found_user, &found_group)?,
        };
        if !is_member {
            return Err(missing().into());
        }
        Ok((found_user.name, found_group.name))
    })
    .await
}

/// `GET group/child-group/direct`
pub(super) async fn child_groups(call: Call) -> Reply {
    groups_in_group(call, Depth::Direct).await
}

/// `GET group/child-group/nested`
pub(super) async fn child_groups_nested(call: Call) -> Reply {
    groups_in_group(call, Depth::Nested).await
}

/// The groups in a group, or whether one is in it.
async fn groups_in_group(call: Call, depth: Depth) -> Reply {
    let group = call.groupname()?;
    if let Some(child) = call.query.get("child-groupname").map(str::to_owned) {
        return one_in_other(call, child.clone(), group, child, depth).await;
    }
    list_groups(call, move |tx, view| {
        let group = find_group(tx, view, &group)?;
        Ok(match depth {
            Depth::Direct => view.child_groups(tx, &group)?,
            Depth::Nested => view.groups_below(tx, &group)?,
        })
    })
    .await
}

/// `GET group/parent-group/direct`
pub(super) async fn parent_groups(call: Call) -> Reply {
    groups_around_group(call, Depth::Direct).await
}

/// `GET group/parent-group/nested`
pub(super) async fn parent_groups_nested(call: Call) -> Reply {
    groups_around_group(call, Depth::Nested).await
}

/// The groups that a group is in, or whether it is in one. Two names are in use for the parent.
async fn groups_around_group(call: Call, depth: Depth) -> Reply {
    let group = call.groupname()?;
    let parent = call
        .query
        .get("parent-groupname")
        .or_else(|| call.query.get("child-groupname"));
    if let Some(parent) = parent.map(str::to_owned) {
        return one_in_other(call, group, parent.clone(), parent, depth).await;
    }
    list_groups(call, move |tx, view| {
        let group = find_group(tx, view, &group)?;
        Ok(match depth {
            Depth::Direct => view.parent_groups(tx, &group)?,
            Depth::Nested => view.groups_above(tx, &group)?,
        })
    })
    .await
}

/// Answers a single check with the one that was asked for.
async fn one_in_other(
    call: Call,
    inner: String,
    outer: String,
    asked: String,
    depth: Depth,
) -> Reply {
    let name = call
        .look_up(move |tx, view| {
            let missing = || CrowdError::membership_not_found(&inner, &outer);
            let child = view.group(tx, &inner)?.ok_or_else(missing)?;
            let parent = view.group(tx, &outer)?.ok_or_else(missing)?;
            if !view.is_in_group(tx, &child, &parent, depth == Depth::Nested)? {
                return Err(missing().into());
            }
            Ok(match asked == inner {
                true => child.name,
                false => parent.name,
            })
        })
        .await?;
    Ok(document(
        call.format(),
        ::crowd::group::short(&name, &call.style),
    ))
}

/// A list of the groups that `find` finds.
async fn list_groups(
    call: Call,
    find: impl Fn(&ReadTx<'_>, &View) -> Result<Vec<Group>, Refusal> + Send + Sync + 'static,
) -> Reply {
    let wanted = Wanted::new(&call, EntityType::Group, Search::All)?;
    stream::bounded(&call, move |tx, view, sink| {
        let found = find(tx, view)?;
        let mut groups = wanted.groups(tx, sink)?;
        for group in found {
            if groups.is_full() || groups.take(&group)?.is_break() {
                break;
            }
        }
        groups.finish()
    })
    .await
}

/// `GET group/membership`: every group with its users. XML, whatever the caller accepts.
pub(super) async fn all(call: Call) -> Reply {
    let name = call.application.name.clone();
    // Only who fetches everything asks for this, whether it asks for events or not.
    let seen = &call.face.app.inner().seen;
    let now = call.face.app.provision().store().now();
    seen.poll(call.application.id, now, &[]);
    stream::unbounded(&call, Format::Xml, move |tx, view, sink| {
        only_open(tx, view, &name)?;
        let mut memberships = Memberships::new(sink)?;
        let mut failed = None;
        let walked = view.each_membership(tx, &mut |item| {
            let written = match item {
                MembershipItem::Group(name) => memberships.group(name),
                MembershipItem::User(name) => memberships.user(name),
                MembershipItem::Child(name) => memberships.child_group(name),
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
    call.may_write()?;
    let user = call.username()?;
    let group = call.read::<GroupRequest>(request).await?.name;
    let added = add(&call, &group, &user).await;
    added.map_err(|refusal| named_in_body(refusal, Reason::GroupNotFound))?;
    Ok(created(
        call.format(),
        &call.style.links.user_membership(&user, &group),
        Vec::new(),
    ))
}

/// `POST group/user/direct?groupname=`: the user is named in the body.
pub(super) async fn add_user_to_group(call: Call, request: Request) -> Reply {
    call.may_write()?;
    let group = call.groupname()?;
    let user = call.read::<UserRequest>(request).await?.name;
    let added = add(&call, &group, &user).await;
    added.map_err(|refusal| named_in_body(refusal, Reason::UserNotFound))?;
    Ok(created(
        call.format(),
        &call.style.links.user_membership(&user, &group),
        Vec::new(),
    ))
}

/// `DELETE user/group/direct`, `DELETE group/user/direct`: the same membership from either side.
pub(super) async fn remove(call: Call) -> Reply {
    call.may_write()?;
    let (user, group) = (call.username()?, call.groupname()?);
    let (name, of) = (user.clone(), group.clone());
    // Each directory in which the membership is: otherwise it would still be seen.
    let places = call
        .look_up(move |tx, view| {
            let mut found = Vec::new();
            if view.user(tx, &name)?.is_none() {
                return Ok(found);
            }
            if view.hides_groups() && view.group(tx, &of)?.is_none() {
                return Ok(found);
            }
            for directory in view.directories_of_memberships(tx, &name)? {
                let pair = tx.directory_user(directory, &name)?;
                let pair = pair.zip(tx.directory_group(directory, &of)?);
                if let Some((user, group)) = pair
                    && tx.membership_origins(group.pk, user.pk)?.is_some()
                {
                    found.push(directory);
                }
            }
            Ok(found)
        })
        .await?;
    let provision = call.face.app.provision();
    if places.is_empty() {
        return Err(not_there(&call, &user, &group).await?);
    }
    for directory in places {
        provision
            .remove_local_membership(&call.writer(directory), group.clone(), user.clone())
            .await?;
    }
    Ok(nothing())
}

/// What is missing of a membership: the group, the user, or only that they belong together.
async fn not_there(call: &Call, user: &str, group: &str) -> Result<Refusal, Refusal> {
    let (user, group) = (user.to_owned(), group.to_owned());
    call.look_up(move |tx, view| {
        find_group(tx, view, &group)?;
        find_user(tx, view, &user)?;
        Ok(CrowdError::membership_not_found(&user, &group).into())
    })
    .await
}

/// Puts a user into a group, in the directory that the user is from. A group that only another directory has is made
/// there too: to the product both are one.
async fn add(call: &Call, group: &str, user: &str) -> Result<(), Refusal> {
    let (name, of) = (user.to_owned(), group.to_owned());
    let make = call
        .look_up(move |tx, view| {
            let group = find_group(tx, view, &of)?;
            let member = find_user(tx, view, &name)?;
            if view.is_member(tx, &member, &group)? {
                let message = format!(
                    "User <{}> is a member of group <{}> already",
                    member.name, group.name
                );
                return Err(CrowdError::new(Reason::MembershipAlreadyExists, message).into());
            }
            Ok(Some(group.description))
        })
        .await?;
    let writer = call.writer_at_user(user).await?;
    let provision = call.face.app.provision();
    let (group, user) = (group.to_owned(), user.to_owned());
    Ok(provision
        .add_local_membership(&writer, group, user, make)
        .await?)
}

/// What the body names and is not there is the body's fault: 400 instead of 404.
fn named_in_body(refusal: Refusal, reason: Reason) -> Refusal {
    let error = refusal.into_error();
    match error.reason == reason {
        true => error.in_body().into(),
        false => error.into(),
    }
}
