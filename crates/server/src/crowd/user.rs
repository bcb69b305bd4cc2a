//! Single users. They come from the identity provider; those that products make themselves are in `local_user`.

use ::crowd::attributes;
use ::crowd::user::User as Shown;
use ::crowd::{Attributes, CrowdError, Reason};
use axum::http::StatusCode;
use directory::User;

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
        .look_up(move |tx, view| {
            let user = match (&name, &key) {
                (Some(name), _) => find_user(tx, view, name)?,
                (None, Some(key)) => view
                    .user_by_key(tx, key)?
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

/// `POST user/mail/...`: no mail leaves this server.
pub(super) async fn mail(call: Call) -> Reply {
    call.may_write()?;
    let message = "No mail is sent from here. People reset their password at the identity provider; that of a user who \
         is kept here is set by an administrator of a product that may write.";
    Err(CrowdError::new(Reason::UnsupportedOperation, message).into())
}

/// `GET user/avatar`
pub(super) async fn avatar(_call: Call) -> Reply {
    let message = "There are no avatars here.";
    let error = CrowdError::new(Reason::UnsupportedOperation, message);
    Err(error.with_status(StatusCode::NOT_FOUND.as_u16()).into())
}
