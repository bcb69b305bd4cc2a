//! `/Users`.

use axum::body::Body;
use directory::{ConnectorId, PatchReply};
use provision::{HashError, NewPassword, ProvisionError, WrittenUser};
use scim::render::{self, References};
use scim::{PatchRequest, Projection, Resource, ResourceType, ScimError, Warning};
use store::{GroupReference, ReadTx, SourceUser};

use super::page::{self, Groupings};
use super::reply::{self, Reply};
use super::request::Call;
use super::scim_error;
use crate::limits::USER_BODY_BYTES_MAX;

/// The list that is kept beside a user's document.
const BESIDE: &str = "groups";

pub(super) async fn list(call: &Call) -> Reply {
    let query = call.list_query(call.user_type())?;
    let (filter, window) = (query.filter.clone(), page::window(&query));
    let connector = call.connector();
    let with_groups = query.projection.wants(BESIDE);
    let read = move |tx: &mut ReadTx<'_>| {
        let page = tx.list_source_users(connector, filter.as_ref(), window)?;
        let groups = if with_groups {
            groups_of(tx, connector, &page.items)?
        } else {
            Groupings::default()
        };
        Ok::<_, ProvisionError>((page, groups))
    };
    let (page, mut groups) = page::read(call, &query, read).await?;
    let mut shown = Vec::with_capacity(page.items.len());
    for user in &page.items {
        let groups = groups.take(user.pk.0);
        shown.push(reply::project(
            rendered(call, user, &groups),
            &query.projection,
            BESIDE,
        )?);
    }
    Ok(reply::shown(
        render::list(page.total.unsigned_abs(), query.start_index, shown),
        None,
    ))
}

/// The groups of all users of a page.
fn groups_of(
    tx: &ReadTx<'_>,
    connector: ConnectorId,
    users: &[SourceUser],
) -> Result<Groupings<GroupReference>, ProvisionError> {
    let pks: Vec<_> = users.iter().map(|user| user.pk).collect();
    let found = tx.source_groups_of_many(connector, &pks)?;
    Ok(found
        .into_iter()
        .map(|(user, group)| (user.0, group))
        .collect())
}

pub(super) async fn get(call: &Call, id: &str) -> Reply {
    let projection = call.projection(call.user_type())?;
    let connector = call.connector();
    let (wanted, with_groups) = (id.to_owned(), projection.wants(BESIDE));
    let found = call.face.app.provision().store().look_up(move |tx| {
        let Some(user) = tx.source_user(connector, &wanted)? else {
            return Ok(None);
        };
        let groups = if with_groups {
            tx.source_groups_of(connector, user.pk)?
        } else {
            Vec::new()
        };
        Ok::<_, ProvisionError>(Some((user, groups)))
    });
    let Some((user, groups)) = found.await.map_err(scim_error)? else {
        return Err(ScimError::not_found(
            "There is no User with this id. It may have been deleted; look it up with a filter.",
        ));
    };
    if call
        .if_none_match()
        .is_some_and(|condition| !condition.accepts(user.meta.version))
    {
        return Ok(reply::not_modified(&user.meta));
    }
    show(call, &user, &groups, &projection)
}

pub(super) async fn create(call: &Call, body: Body) -> Reply {
    let projection = call.projection(call.user_type())?;
    let map = call.object(body, USER_BODY_BYTES_MAX).await?;
    let connector = &call.caller.connector;
    let (user, warnings) = Resource::from_request(call.user_type(), map, &connector.dialect)?;
    call.note(&warnings);
    let password = hashed(call, user.taken_password().map(str::to_owned)).await?;
    let written = call
        .face
        .app
        .provision()
        .create_user(connector, user, password, call.cause());
    let WrittenUser {
        user,
        groups,
        warnings,
    } = written.await.map_err(scim_error)?;
    call.note(&warnings);
    let response = show(call, &user, &groups, &projection)?;
    Ok(reply::created(response, &location(call, &user)))
}

pub(super) async fn replace(call: &Call, id: String, body: Body) -> Reply {
    let projection = call.projection(call.user_type())?;
    let map = call.object(body, USER_BODY_BYTES_MAX).await?;
    let password = scim::password_of(&map, ResourceType::user()).map(str::to_owned);
    let password = hashed(call, password).await?;
    let (connector, cause) = (&call.caller.connector, call.cause());
    let written = call.face.app.provision().replace_user(
        connector,
        id,
        map,
        password,
        call.if_match(),
        cause,
    );
    let WrittenUser {
        user,
        groups,
        warnings,
    } = written.await.map_err(scim_error)?;
    call.note(&warnings);
    show(call, &user, &groups, &projection)
}

pub(super) async fn patch(call: &Call, id: String, body: Body) -> Reply {
    let projection = call.projection(call.user_type())?;
    let request = PatchRequest::parse(call.object(body, USER_BODY_BYTES_MAX).await?)?;
    let password = hashed(
        call,
        request.password(ResourceType::user()).map(str::to_owned),
    )
    .await?;
    let (connector, cause) = (&call.caller.connector, call.cause());
    let written = call.face.app.provision().patch_user(
        connector,
        id,
        request,
        password,
        call.if_match(),
        cause,
    );
    let WrittenUser {
        user,
        groups,
        warnings,
    } = written.await.map_err(scim_error)?;
    call.note(&warnings);
    match connector.connector.settings.patch_reply {
        PatchReply::Always204 => Ok(reply::no_content(Some(&user.meta))),
        PatchReply::Auto | PatchReply::Always200 => show(call, &user, &groups, &projection),
    }
}

pub(super) async fn delete(call: &Call, id: String) -> Reply {
    let (connector, cause) = (&call.caller.connector, call.cause());
    let deleted = call
        .face
        .app
        .provision()
        .delete_user(connector, id, call.if_match(), cause);
    deleted.await.map_err(scim_error)?;
    Ok(reply::no_content(None))
}

/// The hash of a pushed password, if the connector keeps passwords.
async fn hashed(call: &Call, password: Option<String>) -> Result<Option<NewPassword>, ScimError> {
    let Some(password) = password.filter(|password| !password.is_empty()) else {
        return Ok(None);
    };
    if !call.caller.connector.connector.settings.accept_passwords {
        call.note(&[Warning::new(
            "password",
            "the connector does not keep passwords, ignored",
        )]);
        return Ok(None);
    }
    match call.face.app.passwords().hash(password).await {
        Ok(hash) => Ok(Some(NewPassword { hash })),
        Err(HashError::Busy) => Err(ScimError::unavailable(
            "Too many passwords are being set at once. Try again later; nothing of the request happened.",
        )),
        Err(error) => {
            tracing::error!(%error, "a password could not be hashed");
            Err(ScimError::internal(
                "The server could not keep the password. Nothing of the request was stored.",
            ))
        }
    }
}

fn location(call: &Call, user: &SourceUser) -> String {
    render::location(&call.caller.base_url, ResourceType::user(), &user.id)
}

fn rendered(call: &Call, user: &SourceUser, groups: &[GroupReference]) -> String {
    let ty = ResourceType::user();
    let location = location(call, user);
    if groups.is_empty() {
        return render::resource(ty, &user.id, &user.document, &[], &user.meta, &location);
    }
    let collection = call.collection(ResourceType::group());
    let mut references = References::new();
    for group in groups {
        references.push(
            &group.id,
            Some((&collection, "direct")),
            Some(&group.display),
        );
    }
    render::resource(
        ty,
        &user.id,
        &user.document,
        &[(BESIDE, &references.finish())],
        &user.meta,
        &location,
    )
}

fn show(
    call: &Call,
    user: &SourceUser,
    groups: &[GroupReference],
    projection: &Projection,
) -> Reply {
    let groups = if projection.wants(BESIDE) {
        groups
    } else {
        &[]
    };
    let body = reply::project(rendered(call, user, groups), projection, BESIDE)?;
    Ok(reply::shown(body, Some(&user.meta)))
}
