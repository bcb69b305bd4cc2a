//! Custom attributes of users and groups. Products use them for bookkeeping of their own.

use ::crowd::Attributes;
use ::crowd::attributes::{self, Owner};
use axum::extract::Request;
use store::Attribute;

use super::Refusal;
use super::call::{Call, by_name, find_group, find_user};
use super::reply::{Reply, document, nothing};

/// `GET user/attribute?username=`
pub(super) async fn of_user(call: Call) -> Reply {
    let name = call.username()?;
    let (name, attributes) = call
        .look_up(move |tx, view| {
            let user = find_user(tx, view, &name)?;
            let attributes = by_name(tx.user_attributes(user.pk)?);
            Ok((user.name, attributes))
        })
        .await?;
    let body = attributes::to_bytes(&attributes, Owner::User(&name), &call.style);
    Ok(document(call.format(), body))
}

/// `GET group/attribute?groupname=`
pub(super) async fn of_group(call: Call) -> Reply {
    let name = call.groupname()?;
    let (name, attributes) = call
        .look_up(move |tx, view| {
            let group = find_group(tx, view, &name)?;
            let attributes = by_name(tx.group_attributes(group.pk)?);
            Ok((group.name, attributes))
        })
        .await?;
    let body = attributes::to_bytes(&attributes, Owner::Group(&name), &call.style);
    Ok(document(call.format(), body))
}

/// `POST user/attribute?username=`, and `PUT`, which one client uses for the same.
pub(super) async fn set_of_user(call: Call, request: Request) -> Reply {
    call.may_write()?;
    let name = call.username()?;
    let writer = call.writer_at_user(&name).await?;
    let attributes = asked(&call, request).await?;
    call.face
        .app
        .provision()
        .set_local_user_attributes(&writer, name, attributes)
        .await?;
    Ok(nothing())
}

/// `POST group/attribute?groupname=`, and `PUT`.
pub(super) async fn set_of_group(call: Call, request: Request) -> Reply {
    call.may_write()?;
    let name = call.groupname()?;
    let writer = call.writer_at_group(&name).await?;
    let attributes = asked(&call, request).await?;
    call.face
        .app
        .provision()
        .set_local_group_attributes(&writer, name, attributes)
        .await?;
    Ok(nothing())
}

/// `DELETE user/attribute?username=&attributename=`; there is no harm in removing what is not there.
pub(super) async fn remove_of_user(call: Call) -> Reply {
    call.may_write()?;
    let (name, gone) = (call.username()?, named(&call)?);
    let writer = call.writer_at_user(&name).await?;
    call.face
        .app
        .provision()
        .set_local_user_attributes(&writer, name, gone)
        .await?;
    Ok(nothing())
}

/// `DELETE group/attribute?groupname=&attributename=`
pub(super) async fn remove_of_group(call: Call) -> Reply {
    call.may_write()?;
    let (name, gone) = (call.groupname()?, named(&call)?);
    let writer = call.writer_at_group(&name).await?;
    call.face
        .app
        .provision()
        .set_local_group_attributes(&writer, name, gone)
        .await?;
    Ok(nothing())
}

/// The attributes in a body; those without values are to be removed.
async fn asked(call: &Call, request: Request) -> Result<Vec<Attribute>, Refusal> {
    let attributes: Attributes = call.read(request).await?;
    attributes::check_lengths(&attributes)?;
    Ok(attributes
        .into_iter()
        .map(|(name, values)| Attribute { name, values })
        .collect())
}

/// The attribute in the query, without values.
fn named(call: &Call) -> Result<Vec<Attribute>, Refusal> {
    let name = call.query.required("attributename")?.to_owned();
    Ok(vec![Attribute {
        name,
        values: Vec::new(),
    }])
}
