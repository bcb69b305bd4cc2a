//! Groups that products put into groups.

use ::crowd::group::GroupRequest;
use ::crowd::{CrowdError, Reason};
use axum::extract::Request;
use directory::{DirectoryId, Group};
use provision::LocalWriteError;
use store::{ReadTx, StoreError};

use super::Refusal;
use super::call::{Call, find_group};
use super::reply::{Reply, created, nothing};
use super::view::View;

/// Which of the two groups the body of a request names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Named {
    Child,
    Parent,
}

/// `POST group/child-group/direct?groupname=`: the group that comes in is named in the body.
pub(super) async fn add_child(call: Call, request: Request) -> Reply {
    call.may_write()?;
    let parent = call.groupname()?;
    let child = call.read::<GroupRequest>(request).await?.name;
    nest(&call, &parent, &child, Named::Child).await
}

/// `POST group/parent-group/direct?groupname=`: the group around it is named in the body.
pub(super) async fn add_parent(call: Call, request: Request) -> Reply {
    call.may_write()?;
    let child = call.groupname()?;
    let parent = call.read::<GroupRequest>(request).await?.name;
    nest(&call, &parent, &child, Named::Parent).await
}

/// Puts a group into another. `in_body` tells which of them the body named; that it is missing is the body's fault.
async fn nest(call: &Call, parent: &str, child: &str, in_body: Named) -> Reply {
    let (outer, inner) = (parent.to_owned(), child.to_owned());
    let (directory, make) = call
        .look_up(move |tx, view| {
            let parent = view.group(tx, &outer)?;
            let child = view.group(tx, &inner)?;
            let missing = |name: &str, which: Named| {
                let error = CrowdError::group_not_found(name);
                match which == in_body {
                    true => Refusal::from(error.in_body()),
                    false => Refusal::from(error),
                }
            };
            let (parent, child) = match (parent, child) {
                (Some(parent), Some(child)) => (parent, child),
                (None, None) if in_body == Named::Parent => {
                    return Err(missing(&inner, Named::Child));
                }
                (None, _) => return Err(missing(&outer, Named::Parent)),
                (_, None) => return Err(missing(&inner, Named::Child)),
            };
            refuse_twice_or_circle(tx, view, &parent, &child)?;
            Ok(place_of(tx, view, &parent, &child)?)
        })
        .await?
        .ok_or_else(|| Refusal::from(CrowdError::group_not_found(child)))?;
    call.face
        .app
        .provision()
        .add_local_child_group(
            &call.writer(directory),
            parent.to_owned(),
            child.to_owned(),
            make,
        )
        .await?;
    Ok(created(
        call.format(),
        &call.style.links.group_membership(parent, child),
        Vec::new(),
    ))
}

/// The same refusals as within one directory, for what several have together.
fn refuse_twice_or_circle(
    tx: &ReadTx<'_>,
    view: &View,
    parent: &Group,
    child: &Group,
) -> Result<(), Refusal> {
    let names = || (child.name.clone(), parent.name.clone());
    if view.is_in_group(tx, child, parent, false)? {
        let (child, group) = names();
        return Err(LocalWriteError::ChildGroupExists { child, group }.into());
    }
    if parent.pk == child.pk || view.is_in_group(tx, parent, child, true)? {
        let (child, group) = names();
        return Err(LocalWriteError::Circle { child, group }.into());
    }
    Ok(())
}

/// Where a group is put into another: in a directory that has both, else in the first that has the child, where the
/// parent is made with its description: to the product both are one.
fn place_of(
    tx: &ReadTx<'_>,
    view: &View,
    parent: &Group,
    child: &Group,
) -> Result<Option<(DirectoryId, Option<String>)>, StoreError> {
    let with_child = view.directories_of_group(tx, &child.name)?;
    let with_parent = view.directories_of_group(tx, &parent.name)?;
    let both = with_child.iter().find(|it| with_parent.contains(it));
    Ok(match both {
        Some(directory) => Some((*directory, None)),
        None => {
            let first = with_child.first().copied();
            first.map(|directory| (directory, Some(parent.description.clone())))
        }
    })
}

/// `DELETE group/child-group/direct`: a group goes out of a group.
pub(super) async fn remove_child(call: Call) -> Reply {
    let parent = call.groupname()?;
    let child = call.query.required("child-groupname")?.to_owned();
    remove(&call, parent, child).await
}

/// `DELETE group/parent-group/direct`: the same from the other side.
pub(super) async fn remove_parent(call: Call) -> Reply {
    let child = call.groupname()?;
    let parent = match call.query.get("child-groupname") {
        Some(parent) if call.query.get("parent-groupname").is_none() => parent,
        _ => call.query.required("parent-groupname")?,
    };
    let parent = parent.to_owned();
    remove(&call, parent, child).await
}

/// Takes a group out of another, in each directory in which it is there: otherwise it would still be seen.
async fn remove(call: &Call, parent: String, child: String) -> Reply {
    call.may_write()?;
    let (outer, inner) = (parent.clone(), child.clone());
    let places = call
        .look_up(move |tx, view| {
            let found_parent = find_group(tx, view, &outer)?;
            let found_child = find_group(tx, view, &inner)?;
            let mut found = Vec::new();
            for directory in view.directories_of_group(tx, &found_child.name)? {
                let pair = tx.directory_group(directory, &outer)?;
                if let Some((parent, child)) = pair.zip(tx.directory_group(directory, &inner)?)
                    && tx.nesting_origins(parent.pk, child.pk)?.is_some()
                {
                    found.push(directory);
                }
            }
            if found.is_empty() {
                let (child, parent) = (&found_child.name, &found_parent.name);
                let missing = CrowdError::new(
                    Reason::MembershipNotFound,
                    format!("Group <{child}> is not a member of group <{parent}>"),
                );
                return Err(missing.into());
            }
            Ok(found)
        })
        .await?;
    for directory in places {
        call.face
            .app
            .provision()
            .remove_local_child_group(&call.writer(directory), parent.clone(), child.clone())
            .await?;
    }
    Ok(nothing())
}
