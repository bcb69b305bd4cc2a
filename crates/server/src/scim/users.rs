//! `/Users`.

use axum::body::Body;
use directory::PatchReply;
use provision::{HashError, NewPassword, ProvisionError, WrittenUser};
use scim::render::{self, References};
use scim::{
    Meta, PatchRequest, Projection, Reading, Resource, ResourceType, ScimError, Warning, catalogue,
};
use store::{GroupReference, SourceUser};

use super::reply::{self, Reply};
use super::request::Call;
use super::scim_error;
use crate::limits::USER_BODY_BYTES_MAX;

/// The list that is kept beside a user's document.
const BESIDE: &str = "groups";

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
        return Err(catalogue::USER_NOT_FOUND.error(
            "There is no User with this id. It may have been deleted; look it up with a filter.",
        ));
    };
    let meta = if with_groups {
        meta_with(&user, &groups)
    } else {
        user.meta
    };
    match call.precondition().read(&meta)? {
        Reading::NotModified => Ok(reply::not_modified(&meta)),
        Reading::Show => show_as(call, &user, &groups, &meta, projection),
    }
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
    Ok(reply::created(show(call, &user, &groups, projection)?))
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
        Some(call.precondition()),
        cause,
    );
    let WrittenUser {
        user,
        groups,
        warnings,
    } = written.await.map_err(scim_error)?;
    call.note(&warnings);
    show(call, &user, &groups, projection)
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
        Some(call.precondition()),
        cause,
    );
    let WrittenUser {
        user,
        groups,
        warnings,
    } = written.await.map_err(scim_error)?;
    call.note(&warnings);
    match connector.connector.settings.patch_reply {
        PatchReply::Always204 if !projection.is_selective() => {
            let meta = if projection.wants(BESIDE) {
                meta_with(&user, &groups)
            } else {
                user.meta
            };
            Ok(reply::written(&meta, &location(call, &user)))
        }
        _ => show(call, &user, &groups, projection),
    }
}

pub(super) async fn delete(call: &Call, id: String) -> Reply {
    let (connector, cause) = (&call.caller.connector, call.cause());
    let deleted =
        call.face
            .app
            .provision()
            .delete_user(connector, id, Some(call.precondition()), cause);
    deleted.await.map_err(scim_error)?;
    Ok(reply::no_content())
}

/// The hash of a pushed password, if the connector keeps passwords.
pub(super) async fn hashed(
    call: &Call,
    password: Option<String>,
) -> Result<Option<NewPassword>, ScimError> {
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
        Err(HashError::Busy) => Err(catalogue::TOO_MANY_PASSWORDS.error(
            "Too many passwords are being set at once. Try again later; nothing of the request happened.",
        )),
        Err(error) => {
            tracing::error!(%error, "a password could not be hashed");
            Err(catalogue::INTERNAL_ERROR.error(
                "The server could not keep the password. Nothing of the request was stored.",
            ))
        }
    }
}

/// The version that is shown with the groups of a user: it changes with them, though nothing of the
/// user is written then.
fn meta_with(user: &SourceUser, groups: &[GroupReference]) -> Meta {
    let parts = groups.iter().flat_map(|group| [&group.id, &group.display]);
    user.meta.showing(parts.map(String::as_str))
}

fn location(call: &Call, user: &SourceUser) -> String {
    render::location(&call.caller.base_url, ResourceType::user(), &user.id)
}

/// What is shown of users in a list, and where they and their groups are found.
pub(super) struct Showing {
    base_url: String,
    groups: String,
    projection: Projection,
}

impl Showing {
    pub(super) fn new(call: &Call, projection: Projection) -> Showing {
        Showing {
            base_url: call.caller.base_url.clone(),
            groups: call.collection(ResourceType::group()),
            projection,
        }
    }

    /// Whether groups have to be read.
    pub(super) fn with_groups(&self) -> bool {
        self.projection.wants(BESIDE)
    }

    /// A user with its groups, if they are wanted.
    pub(super) fn shown(
        &self,
        user: &SourceUser,
        groups: &[GroupReference],
    ) -> Result<String, ScimError> {
        let groups = if self.with_groups() { groups } else { &[] };
        let location = render::location(&self.base_url, ResourceType::user(), &user.id);
        self.rendered(user, groups, &meta_with(user, groups), &location)
    }

    fn rendered(
        &self,
        user: &SourceUser,
        groups: &[GroupReference],
        meta: &Meta,
        location: &str,
    ) -> Result<String, ScimError> {
        let mut references = References::new();
        for group in groups {
            references.push(
                &group.id,
                Some((&self.groups, "direct")),
                Some(&group.display),
            );
        }
        let references = references.finish();
        let beside = [(BESIDE, references.as_str())];
        let beside = if groups.is_empty() {
            &beside[..0]
        } else {
            &beside[..]
        };
        let ty = ResourceType::user();
        let whole = render::resource(ty, &user.id, &user.document, beside, meta, location);
        reply::project(whole, &self.projection, BESIDE)
    }
}

fn show(
    call: &Call,
    user: &SourceUser,
    groups: &[GroupReference],
    projection: Projection,
) -> Reply {
    let groups = if projection.wants(BESIDE) {
        groups
    } else {
        &[]
    };
    show_as(call, user, groups, &meta_with(user, groups), projection)
}

/// Shows a user with just these groups, at the version that it has with them.
fn show_as(
    call: &Call,
    user: &SourceUser,
    groups: &[GroupReference],
    meta: &Meta,
    projection: Projection,
) -> Reply {
    let location = location(call, user);
    let body = Showing::new(call, projection).rendered(user, groups, meta, &location)?;
    Ok(reply::one(body, meta, &location))
}
