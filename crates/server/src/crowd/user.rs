//! Single users. They come from the identity provider; a product can look, not touch.

use ::crowd::attributes;
use ::crowd::user::User as Shown;
use ::crowd::{Attributes, CrowdError, Reason};
use axum::http::StatusCode;
use directory::User;

use super::Refusal;
use super::call::{Call, by_name, find_user};
use super::reply::{Reply, document};

/// A user of the directory as the protocol shows it.
pub(super) fn shown<'a>(user: &'a User, attributes: &'a Attributes) -> Shown<'a> {
    Shown {
        name: &user.name,
        first_name: &user.first_name,
        last_name: &user.last_name,
        display_name: &user.display_name,
        email: &user.email,
        key: &user.key,
        created: user.created,
        updated: user.updated,
        active: user.active(),
        attributes,
    }
}

/// `GET user?username=` or `?key=`
pub(super) async fn get(call: Call) -> Reply {
    let key = call.query.get("key").map(str::to_owned);
    let name = call.query.get("username").map(str::to_owned);
    let with_attributes = call.query.expand().attributes;
    let (user, attributes) = call
        .look_up(move |tx, directory| {
            let user = match (&name, &key) {
                (Some(name), _) => find_user(tx, directory, name)?,
                (None, Some(key)) => tx
                    .directory_user_by_key(directory, key)?
                    .ok_or_else(|| CrowdError::user_not_found(key))?,
                (None, None) => {
                    let message = "The request needs the parameter \"username\" or \"key\".";
                    return Err(CrowdError::illegal_argument(message).into());
                }
            };
            let attributes = match with_attributes {
                true => by_name(tx.user_attributes(user.pk)?),
                false => Attributes::new(),
            };
            Ok((user, attributes))
        })
        .await?;
    Ok(document(
        call.format(),
        shown(&user, &attributes).to_bytes(&call.style),
    ))
}

/// A user without attributes as a document.
pub(super) fn plain(call: &Call, user: &User) -> axum::response::Response {
    document(
        call.format(),
        shown(user, attributes::NONE).to_bytes(&call.style),
    )
}

/// `POST user`
pub(super) async fn create(call: Call) -> Reply {
    call.writer()?;
    Err(owned(
        "Users come from the identity provider. Create this user there.",
    ))
}

/// `PUT user`, `DELETE user`
pub(super) async fn change(call: Call) -> Reply {
    call.writer()?;
    Err(owned(
        "This user comes from the identity provider. Change or remove the user there.",
    ))
}

/// `POST user/rename`
pub(super) async fn rename(call: Call) -> Reply {
    call.writer()?;
    Err(owned(
        "This user comes from the identity provider. Rename the user there.",
    ))
}

/// `PUT user/password`, `DELETE user/password`
pub(super) async fn password(call: Call) -> Reply {
    call.writer()?;
    Err(owned(
        "Passwords are kept by the identity provider. Change this one there.",
    ))
}

/// `POST user/mail/...` and `POST user/expire-all-passwords`: the identity provider's business.
pub(super) async fn mail(call: Call) -> Reply {
    call.writer()?;
    let message =
        "Passwords are kept by the identity provider, which resets and expires them itself.";
    Err(CrowdError::new(Reason::UnsupportedOperation, message).into())
}

/// `GET user/avatar`
pub(super) async fn avatar(_call: Call) -> Reply {
    let message = "There are no avatars here.";
    let error = CrowdError::new(Reason::UnsupportedOperation, message);
    Err(error.with_status(StatusCode::NOT_FOUND.as_u16()).into())
}

fn owned(message: &str) -> Refusal {
    Refusal::forbidden(message)
}
