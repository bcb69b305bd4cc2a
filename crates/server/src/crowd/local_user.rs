//! Users whom products make, change and remove: in directories that allow it, and never those of an identity provider.

use ::crowd::attributes::check_lengths;
use ::crowd::authentication::Password;
use ::crowd::user::{Rename, UserRequest};
use ::crowd::{Attributes, CrowdError, Reason};
use axum::extract::Request;
use provision::{LocalUserDraft, Writer};
use store::Attribute;

use super::Refusal;
use super::call::{Call, by_name};
use super::reply::{Reply, created, nothing};
use super::user::{plain, shown};

/// Shortest and longest password, in characters.
const PASSWORD_CHARS: std::ops::RangeInclusive<usize> = 8..=256;

/// `POST user`
pub(super) async fn create(call: Call, request: Request) -> Reply {
    call.may_write()?;
    let asked: UserRequest = call.read(request).await?;
    let writer = place_of_new_users(&call, &asked.name).await?;
    let attributes = stored(asked.attributes.clone().unwrap_or_default())?;
    let hash = match (&asked.password, asked.encrypted_password) {
        (Some(password), _) => Some(hash(&call, password.clone()).await?),
        (None, true) => {
            return Err(invalid_credential(
                "An encrypted password cannot be taken over; send it in clear",
            ));
        }
        (None, false) => None,
    };
    let provision = call.face.app.provision();
    let user = provision
        .create_local_user(&writer, draft(asked), attributes, hash)
        .await?;
    let pk = user.pk;
    let attributes: Attributes = call
        .look_up(move |tx, _view| Ok(by_name(tx.user_attributes(pk)?)))
        .await?;
    let location = call.style.links.user(&user.name);
    let body = shown(&user, &attributes).to_bytes(&call.style);
    Ok(created(call.format(), &location, body))
}

/// `PUT user?username=`: password and attributes in the body mean nothing here.
pub(super) async fn change(call: Call, request: Request) -> Reply {
    call.may_write()?;
    let name = call.username()?;
    let asked: UserRequest = call.read(request).await?;
    if scim::fold(&asked.name) != scim::fold(&name) {
        let message =
            "The name in the body is another than in the URL. Use user/rename to rename a user.";
        return Err(CrowdError::illegal_argument(message).into());
    }
    let writer = call.writer_at_user(&name).await?;
    let provision = call.face.app.provision();
    provision.update_local_user(&writer, draft(asked)).await?;
    Ok(nothing())
}

/// `DELETE user?username=`
pub(super) async fn remove(call: Call) -> Reply {
    call.may_write()?;
    let name = call.username()?;
    let writer = call.writer_at_user(&name).await?;
    let provision = call.face.app.provision();
    provision.delete_local_user(&writer, name).await?;
    Ok(nothing())
}

/// `POST user/rename?username=`
pub(super) async fn rename(call: Call, request: Request) -> Reply {
    call.may_write()?;
    let name = call.username()?;
    let Rename { new_name } = call.read(request).await?;
    let writer = call.writer_at_user(&name).await?;
    if scim::fold(&name) != scim::fold(&new_name) {
        require_free(&call, &new_name).await?;
    }
    let provision = call.face.app.provision();
    let user = provision.rename_local_user(&writer, name, new_name).await?;
    Ok(plain(&call, &user))
}

/// `PUT user/password?username=`
pub(super) async fn set_password(call: Call, request: Request) -> Reply {
    call.may_write()?;
    let name = call.username()?;
    let password: Password = call.read(request).await?;
    let writer = call.writer_at_user(&name).await?;
    let provision = call.face.app.provision();
    let (checks, of, sought) = (provision.clone(), writer.clone(), name.clone());
    call.look_up(move |tx, _view| Ok(checks.local_user(tx, &of, &sought)?))
        .await?;
    let hash = hash(&call, password.value.unwrap_or_default()).await?;
    provision
        .set_local_password(&writer, name, Some(hash))
        .await?;
    Ok(nothing())
}

/// `DELETE user/password?username=`
pub(super) async fn remove_password(call: Call) -> Reply {
    call.may_write()?;
    let name = call.username()?;
    let writer = call.writer_at_user(&name).await?;
    let provision = call.face.app.provision();
    provision.set_local_password(&writer, name, None).await?;
    Ok(nothing())
}

/// `POST user/expire-all-passwords?confirm=true`: those of users who are kept here.
pub(super) async fn expire_passwords(call: Call) -> Reply {
    call.may_write()?;
    if call.query.get("confirm") != Some("true") {
        let message = "The request needs the parameter \"confirm\" with the value true.";
        return Err(CrowdError::illegal_argument(message).into());
    }
    let mut expired = 0;
    for directory in call.view().directories() {
        let writer = call.writer(directory);
        let provision = call.face.app.provision();
        expired += provision.expire_local_passwords(&writer).await?;
    }
    if expired == 0 {
        let message = "All passwords are the identity provider's. Let them expire there.";
        return Err(CrowdError::new(Reason::UnsupportedOperation, message).into());
    }
    tracing::info!(application = %call.application.name, expired, "passwords have expired");
    Ok(nothing())
}

/// The author of writes in the first directory that takes new users; without one, in the first, which refuses.
async fn place_of_new_users(call: &Call, name: &str) -> Result<Writer, Refusal> {
    require_free(call, name).await?;
    let allowing = call
        .look_up(|tx, view| {
            let mut unseen = None;
            let showing: Vec<_> = view.showing_newcomers().collect();
            for directory in view.directories() {
                if tx.allows_local_users(directory)? {
                    if showing.contains(&directory) {
                        return Ok(Ok(Some(directory)));
                    }
                    unseen = Some(directory);
                }
            }
            Ok(unseen.map_or(Ok(view.first()), Err))
        })
        .await?;
    // Crowd answers with the user it made, and asks for it first; this one nobody here would ever see.
    let allowing = allowing.map_err(|_unseen| {
        Refusal::forbidden(format!(
            "Application <{}> sees only users who are in a group that may log in, and a new user is in none, so it \
             would not see whom it makes. An administrator can let it see all users (only_with_access), or let \
             everybody of the directory log in",
            call.application.name
        ))
    })?;
    let directory = allowing.ok_or_else(|| {
        Refusal::forbidden("This application sees no directory. An administrator can give it one.")
    })?;
    Ok(call.writer(directory))
}

/// A name that another directory has would make one of the two users invisible.
async fn require_free(call: &Call, name: &str) -> Result<(), Refusal> {
    let wanted = name.to_owned();
    let holder = call
        .look_up(move |tx, view| Ok(view.user(tx, &wanted)?))
        .await?;
    holder.map_or(Ok(()), |holder| {
        let message = format!("User <{}> exists already", holder.name);
        Err(CrowdError::new(Reason::InvalidUser, message).into())
    })
}

fn stored(attributes: Attributes) -> Result<Vec<Attribute>, CrowdError> {
    check_lengths(&attributes)?;
    let stored = attributes.into_iter();
    Ok(stored
        .map(|(name, values)| Attribute { name, values })
        .collect())
}

fn draft(asked: UserRequest) -> LocalUserDraft {
    LocalUserDraft {
        name: asked.name,
        first_name: asked.first_name,
        last_name: asked.last_name,
        display_name: asked.display_name,
        email: asked.email,
        active: asked.active,
    }
}

async fn hash(call: &Call, password: String) -> Result<String, Refusal> {
    if !PASSWORD_CHARS.contains(&password.chars().count()) {
        return Err(invalid_credential(&format!(
            "A password needs {} to {} characters",
            PASSWORD_CHARS.start(),
            PASSWORD_CHARS.end()
        )));
    }
    Ok(call.face.app.passwords().hash(password).await?)
}

fn invalid_credential(message: &str) -> Refusal {
    CrowdError::new(Reason::InvalidCredential, message).into()
}
