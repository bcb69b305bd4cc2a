//! Single groups. Groups of the identity provider can be read, local ones can be made and changed too.

use ::crowd::group::{Group as Shown, GroupRequest};
use ::crowd::{Attributes, CrowdError, Reason, attributes};
use axum::extract::Request;
use directory::Group;
use scim::limits::NAME_CHARS_MAX;
use scim::name::refuse_name;

use super::Refusal;
use super::call::{Call, by_name, find_group};
use super::reply::{Reply, created, document, nothing};

/// A group of the directory as the protocol shows it.
pub(super) fn shown<'a>(group: &'a Group, attributes: &'a Attributes) -> Shown<'a> {
    Shown {
        name: &group.name,
        description: &group.description,
        active: true,
        attributes,
    }
}

/// `GET group?groupname=`
pub(super) async fn get(call: Call) -> Reply {
    let name = call.groupname()?;
    let with_attributes = call.query.expand().attributes;
    let (group, attributes) = call
        .look_up(move |tx, view| {
            let group = find_group(tx, view, &name)?;
            let attributes = match with_attributes {
                true => by_name(tx.group_attributes(group.pk)?),
                false => Attributes::new(),
            };
            Ok((group, attributes))
        })
        .await?;
    Ok(document(
        call.format(),
        shown(&group, &attributes).to_bytes(&call.style),
    ))
}

/// `POST group`
pub(super) async fn create(call: Call, request: Request) -> Reply {
    call.may_write()?;
    if call.view().hides_groups() {
        return Err(Refusal::forbidden(
            "This application sees only groups with access, so it cannot make any: the new one would not be seen. An administrator can show it every group.",
        ));
    }
    let asked: GroupRequest = call.read(request).await?;
    check_name(&asked.name)?;
    only_active(&asked)?;
    let description = asked.description.unwrap_or_default();
    // Where a directory has it already, that one refuses.
    let writer = call.writer_at_group(&asked.name).await?;
    let provision = call.face.app.provision();
    let group = provision
        .create_local_group(&writer, asked.name, description)
        .await?;
    let location = call.style.links.group(&group.name);
    let body = shown(&group, attributes::NONE).to_bytes(&call.style);
    Ok(created(call.format(), &location, body))
}

/// `PUT group?groupname=`
pub(super) async fn change(call: Call, request: Request) -> Reply {
    call.may_write()?;
    let name = call.groupname()?;
    let asked: GroupRequest = call.read(request).await?;
    if scim::fold(&asked.name) != scim::fold(&name) {
        let message = "A group cannot be renamed: the name in the body is another than in the URL.";
        return Err(CrowdError::new(Reason::InvalidGroup, message).into());
    }
    only_active(&asked)?;
    let group = match asked.description {
        Some(description) => {
            let writer = call.writer_at_group(&name).await?;
            call.face
                .app
                .provision()
                .update_local_group(&writer, name, description)
                .await?
        }
        None => {
            call.look_up(move |tx, view| find_group(tx, view, &name))
                .await?
        }
    };
    Ok(document(
        call.format(),
        shown(&group, attributes::NONE).to_bytes(&call.style),
    ))
}

/// `DELETE group?groupname=`
pub(super) async fn remove(call: Call) -> Reply {
    call.may_write()?;
    let name = call.groupname()?;
    let writer = call.writer_at_group(&name).await?;
    call.face
        .app
        .provision()
        .delete_local_group(&writer, name)
        .await?;
    Ok(nothing())
}

/// Groups have no such state here, and whoever asks for one is not left to believe that there is.
fn only_active(asked: &GroupRequest) -> Result<(), CrowdError> {
    if asked.active == Some(false) {
        let message = "Groups are always active here: leave \"active\" out, or delete the group.";
        return Err(CrowdError::new(Reason::InvalidGroup, message));
    }
    Ok(())
}

/// A local group's name has to be one that the identity provider could give as well.
fn check_name(name: &str) -> Result<(), CrowdError> {
    let refused = |why| {
        CrowdError::new(
            Reason::InvalidGroup,
            format!("The name of the group has {why}."),
        )
    };
    if name.chars().count() > NAME_CHARS_MAX {
        return Err(refused("more than 255 characters"));
    }
    refuse_name(name).map_or(Ok(()), |why| Err(refused(why)))
}
