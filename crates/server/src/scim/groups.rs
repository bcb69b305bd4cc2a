//! `/Groups`. Members are read only where they are shown, and a long list of them is streamed.

use axum::body::Body;
use axum::response::Response;
use directory::PatchReply;
use provision::WrittenGroup;
use scim::{
    Departure, PatchRequest, Projection, Reading, Resource, ResourceType, ScimError, catalogue,
    members_of, render,
};
use store::SourceGroup;

use super::members::{BESIDE, Showing};
use super::reply::{self, Reply};
use super::request::Call;
use super::{scim_error, stream};
use crate::limits::GROUP_BODY_BYTES_MAX;

/// A group with more members is answered without them after a write: clients send differences so
/// that nobody has to move the whole list.
const MEMBERS_AFTER_WRITE_MAX: i64 = 1_000;

pub(super) async fn get(call: &Call, id: &str) -> Reply {
    let projection = call.projection(call.group_type())?;
    let precondition = call.precondition();
    if !precondition.is_empty()
        && let Some(group) = find(call, id).await?
        && precondition.read(&group.meta)? == Reading::NotModified
    {
        return Ok(reply::not_modified(&group.meta));
    }
    show(call, id, projection, None).await
}

async fn find(call: &Call, id: &str) -> Result<Option<SourceGroup>, ScimError> {
    let (connector, id) = (call.connector(), id.to_owned());
    let found = call
        .face
        .app
        .provision()
        .store()
        .look_up(move |tx| tx.source_group(connector, &id));
    found.await.map_err(|error| scim_error(error.into()))
}

/// A group as it is now, with its members if they are wanted, and not more than `most` if that is given.
async fn show(call: &Call, id: &str, projection: Projection, most: Option<usize>) -> Reply {
    let (showing, id) = (Showing::new(call, projection), id.to_owned());
    stream::answer(call, !showing.with_members(), move |tx, out| {
        let found = tx.source_group(showing.connector, &id)?;
        let group = found.ok_or_else(|| {
            catalogue::GROUP_NOT_FOUND.error("There is no Group with this id. It may have been deleted; look it up with a filter.")
        })?;
        out.tag(group.meta, showing.location(&group))?;
        match most {
            Some(most) => showing.write_up_to(tx, &group, most, out),
            None => showing.write(tx, &group, out),
        }
    })
    .await
}

pub(super) async fn create(call: &Call, body: Body) -> Reply {
    let projection = call.projection(call.group_type())?;
    let mut map = call.object(body, GROUP_BODY_BYTES_MAX).await?;
    let members = members_of(&mut map)?.unwrap_or_default();
    let connector = &call.caller.connector;
    let (group, warnings) = Resource::from_request(call.group_type(), map, &connector.dialect)?;
    call.note(&warnings);
    let created = call
        .face
        .app
        .provision()
        .create_group(connector, group, members, call.cause());
    let WrittenGroup { group, warnings } = created.await.map_err(scim_error)?;
    call.note(&warnings);
    Ok(reply::created(
        show_written(call, &group, projection).await?,
    ))
}

pub(super) async fn replace(call: &Call, id: String, body: Body) -> Reply {
    let projection = call.projection(call.group_type())?;
    let mut map = call.object(body, GROUP_BODY_BYTES_MAX).await?;
    let members = members_of(&mut map)?.unwrap_or_default();
    let (connector, condition) = (&call.caller.connector, Some(call.precondition()));
    let replaced = call.face.app.provision().replace_group(
        connector,
        id,
        map,
        members,
        condition,
        call.cause(),
    );
    let WrittenGroup { group, warnings } = replaced.await.map_err(scim_error)?;
    call.note(&warnings);
    show_written(call, &group, projection).await
}

pub(super) async fn patch(call: &Call, id: String, body: Body) -> Reply {
    let projection = call.projection(call.group_type())?;
    let request = PatchRequest::parse(call.object(body, GROUP_BODY_BYTES_MAX).await?)?;
    let connector = &call.caller.connector;
    let patched = call.face.app.provision().patch_group(
        connector,
        id,
        request,
        Some(call.precondition()),
        call.cause(),
    );
    let WrittenGroup { group, warnings } = patched.await.map_err(scim_error)?;
    call.note(&warnings);
    match connector.connector.settings.patch_reply {
        // A client that says what it wants to see is shown that (RFC 7644 section 3.5.2).
        _ if projection.is_selective() => show_written(call, &group, projection).await,
        PatchReply::Always204 => Ok(written_silently(call, &group)),
        PatchReply::Auto
            if is_long(&group, &projection)
                || connector.dialect.has(Departure::GroupPatchHasNoBody) =>
        {
            Ok(written_silently(call, &group))
        }
        PatchReply::Auto | PatchReply::Always200 => show_written(call, &group, projection).await,
    }
}

/// A group that was just written. It is read again, so that version and members are of one state; if
/// it is gone already, the answer is what was written.
async fn show_written(call: &Call, group: &SourceGroup, projection: Projection) -> Reply {
    if !is_long(group, &projection) {
        // References to what is not there yet are not in the count.
        let most = (!projection.is_selective())
            .then(|| usize::try_from(MEMBERS_AFTER_WRITE_MAX).unwrap_or_default());
        match show(call, &group.id, projection.clone(), most).await {
            Err(error) if error.status == 404 => {}
            shown => return shown,
        }
    }
    let (showing, group) = (Showing::new(call, projection), group.clone());
    stream::answer(call, true, move |_tx, out| {
        out.tag(group.meta, showing.location(&group))?;
        showing.write_without_members(&group, out)
    })
    .await
}

fn written_silently(call: &Call, group: &SourceGroup) -> Response {
    let location = render::location(&call.caller.base_url, ResourceType::group(), &group.id);
    reply::written(&group.meta, &location)
}

fn is_long(group: &SourceGroup, projection: &Projection) -> bool {
    projection.wants(BESIDE)
        && !projection.is_selective()
        && group.member_count > MEMBERS_AFTER_WRITE_MAX
}

pub(super) async fn delete(call: &Call, id: String) -> Reply {
    let (connector, condition) = (&call.caller.connector, Some(call.precondition()));
    let deleted = call
        .face
        .app
        .provision()
        .delete_group(connector, id, condition, call.cause());
    deleted.await.map_err(scim_error)?;
    Ok(reply::no_content())
}
