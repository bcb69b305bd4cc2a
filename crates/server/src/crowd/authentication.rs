//! Logins. Whatever is wrong with a user or a password is a 400: a 401 would accuse the application.

use ::crowd::authentication::Password;
use ::crowd::{CrowdError, Reason};
use axum::extract::Request;
use directory::User;
use jiff::Timestamp;

use super::Refusal;
use super::call::{Call, find_user};
use super::reply::Reply;
use super::throttle::Verdict;
use super::user::plain;

/// `POST authentication?username=`
pub(super) async fn login(call: Call, request: Request) -> Reply {
    let name = call.username()?;
    let password: Password = call.read(request).await?;
    let (user, hash, now) = call
        .look_up(move |tx, directory| {
            let user = find_user(tx, directory, &name).map_err(named_user)?;
            let hash = match tx.source_behind(user.pk)? {
                Some(source) => tx.source_password(source)?,
                None => None,
            };
            Ok((user, hash, tx.now()))
        })
        .await?;
    let given = password.value.filter(|value| !value.is_empty());
    let Some((given, hash)) = given.zip(hash) else {
        return Err(wrong_password());
    };
    check(&call, &user, given, hash, now).await?;
    only_active(&user)?;
    Ok(plain(&call, &user))
}

/// Compares the password unless too many were wrong before.
async fn check(
    call: &Call,
    user: &User,
    given: String,
    hash: String,
    now: Timestamp,
) -> Result<(), Refusal> {
    let throttle = &call.face.throttle;
    let attempt = match throttle.begin(call.application.id, user.pk, now) {
        Verdict::Try(attempt) => attempt,
        Verdict::TooMany => {
            tracing::warn!(user = %user.key, application = %call.application.name, "too many wrong passwords");
            return Err(wrong_password());
        }
    };
    tokio::time::sleep(attempt.wait).await;
    if !call.face.app.passwords().verify(given, Some(hash)).await? {
        return Err(wrong_password());
    }
    throttle.succeeded(call.application.id, user.pk);
    Ok(())
}

/// `POST authentication/notify?username=`: the user has logged in over there by other means.
pub(super) async fn notify(call: Call) -> Reply {
    let name = call.username()?;
    let user = call
        .look_up(move |tx, directory| find_user(tx, directory, &name).map_err(named_user))
        .await?;
    only_active(&user)?;
    Ok(plain(&call, &user))
}

/// A 404 would tell the product that this server is too old to know logins.
fn named_user(refusal: Refusal) -> Refusal {
    let error = refusal.into_error();
    match error.reason {
        Reason::UserNotFound => error.in_body().into(),
        _ => error.into(),
    }
}

fn only_active(user: &User) -> Result<(), Refusal> {
    if user.active() {
        return Ok(());
    }
    let message = format!("The account of user <{}> is not active", user.name);
    Err(CrowdError::new(Reason::InactiveAccount, message).into())
}

fn wrong_password() -> Refusal {
    let message = "Failed to authenticate principal, password was invalid";
    CrowdError::new(Reason::InvalidUserAuthentication, message).into()
}
