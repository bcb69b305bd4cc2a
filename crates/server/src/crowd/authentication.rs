//! Logins. Whatever is wrong with a user or a password is a 400: a 401 would accuse the application.

use std::net::IpAddr;

use ::crowd::authentication::Password;
use ::crowd::{CrowdError, Reason};
use axum::extract::Request;
use directory::User;
use jiff::Timestamp;
use store::{KeptPassword, ReadTx, StoreError};

use super::Refusal;
use super::call::{Call, find_user, only_admitted};
use super::reply::Reply;
use super::throttle::{Verdict, Whose};
use super::user::plain;
use super::view::View;
use crate::authority::address_of;
use crate::traffic::whole_seconds;

/// `POST authentication?username=`
pub(super) async fn login(call: Call, request: Request) -> Reply {
    let name = call.username()?;
    let address = address_of(&call.face.app, &request);
    let password: Password = call.read(request).await?;
    let proven = prove(&call, name, password.value, address).await?;
    Ok(plain(&call, &proven.user))
}

/// `POST authentication/notify?username=`: the user has logged in over there by other means.
pub(super) async fn notify(call: Call) -> Reply {
    let user = vouched_for(&call, call.username()?).await;
    let user = user.map_err(named_user)?;
    call.face.app.provision().note_login(user.pk);
    Ok(plain(&call, &user))
}

/// The user of a name for whom the product vouches, if the user may log in: it has checked who that is by other means.
pub(super) async fn vouched_for(call: &Call, name: String) -> Result<User, Refusal> {
    let provision = call.face.app.provision().clone();
    let wanted = name.clone();
    let found = call
        .look_up(move |tx, view| {
            let user = find_user(tx, view, &wanted)?;
            if provision.asks_at_log_in(tx, &user)? {
                return Ok(Err(user));
            }
            may_log_in(tx, view, &user)?;
            Ok(Ok(user))
        })
        .await?;
    match found {
        Ok(user) => Ok(user),
        Err(user) => evaluated(call, user).await,
    }
}

/// The user as the rules leave it that look at log-ins (US-35, US-38), if it may log in then.
async fn evaluated(call: &Call, user: User) -> Result<User, Refusal> {
    let provision = call.face.app.provision();
    provision
        .evaluate_at_log_in(&user, &call.application.name)
        .await?;
    call.look_up(move |tx, view| {
        let user = find_user(tx, view, &user.name)?;
        may_log_in(tx, view, &user)?;
        Ok(user)
    })
    .await
}

fn may_log_in(tx: &ReadTx<'_>, view: &View, user: &User) -> Result<(), Refusal> {
    only_active(user)?;
    only_admitted(tx, view, user)
}

/// Somebody who wants to log in, as far as is known before the password was looked at.
struct Candidate {
    user: User,
    password: Kept,
    /// Why the user may not log in to this application, if that is so.
    barred: Option<CrowdError>,
    /// The rules want to look at the user before.
    is_asked: bool,
}

/// The password of a user, as it is kept here.
enum Kept {
    /// This one.
    Password(KeptPassword),
    /// None, for the reason that an administrator can read in the product's log.
    Nothing { why: String },
}

/// Somebody who knew the password.
pub(super) struct Proven {
    pub(super) user: User,
    /// The hash of that password.
    pub(super) hash: String,
}

/// The user who has this name and password and may log in to the application.
///
/// Nobody learns by the time it takes whether there is such a user, or one with a password.
pub(super) async fn prove(
    call: &Call,
    name: String,
    given: Option<String>,
    address: Option<IpAddr>,
) -> Result<Proven, Refusal> {
    let wanted = name.clone();
    let provision = call.face.app.provision().clone();
    let (candidate, now) = call
        .look_up(move |tx, view| {
            let Some(user) = view.user(tx, &wanted)? else {
                return Ok((None, tx.now()));
            };
            let barred = only_admitted(tx, view, &user).err();
            let candidate = Candidate {
                password: kept(tx, &user)?,
                barred: barred.map(Refusal::into_error),
                is_asked: provision.asks_at_log_in(tx, &user)?,
                user,
            };
            Ok((Some(candidate), tx.now()))
        })
        .await?;
    let hash = match candidate.as_ref().map(|found| &found.password) {
        Some(Kept::Password(kept)) => Some(kept.hash.clone()),
        _ => None,
    };
    let is_right = match given.filter(|given| !given.is_empty()) {
        Some(given) => is_right(call, &name, given, hash, address, now).await?,
        None => false,
    };
    let Some(candidate) = candidate else {
        return Err(named_user(CrowdError::user_not_found(&name).into()));
    };
    let KeptPassword { hash, expired } = match candidate.password {
        Kept::Nothing { why } => return Err(wrong_password(&why)),
        Kept::Password(_) if !is_right => return Err(wrong_password(WRONG)),
        Kept::Password(kept) => kept,
    };
    let user = match (candidate.is_asked, candidate.barred) {
        (true, _) => evaluated(call, candidate.user).await?,
        (false, barred) => {
            only_active(&candidate.user)?;
            barred.map_or(Ok(candidate.user), Err)?
        }
    };
    if expired {
        let message = format!(
            "The password of user <{}> has expired and has to be changed",
            user.name
        );
        return Err(CrowdError::new(Reason::ExpiredCredential, message).into());
    }
    call.face.app.provision().note_login(user.pk);
    Ok(Proven { user, hash })
}

/// The password of a user, or why there is none.
fn kept(tx: &ReadTx<'_>, user: &User) -> Result<Kept, StoreError> {
    if let Some(password) = tx.password_of(user)? {
        return Ok(Kept::Password(password));
    }
    let Some(connector) = user.connector else {
        return Ok(Kept::Nothing {
            why: format!(
                "User <{}> has no password; set one in a product that may write",
                user.name
            ),
        });
    };
    let connector = tx.connector(connector)?.map(|stored| stored.connector);
    let name = connector.as_ref().map_or("", |found| &found.name);
    let accepts = connector
        .as_ref()
        .is_some_and(|found| found.settings.accept_passwords);
    let why = match accepts {
        true => format!(
            "User <{}> has no password here: the identity provider has not pushed one to connector <{name}>. \
             Let it push passwords, or let people sign in by single sign-on",
            user.name
        ),
        false => format!(
            "User <{}> has no password here: connector <{name}> does not keep pushed passwords. Let people sign in \
             by single sign-on, or switch on accept_passwords in the settings of the connector (vestibule connector settings \
             {name} --accept-passwords true) and let the identity provider push passwords",
            user.name
        ),
    };
    Ok(Kept::Nothing { why })
}

/// Compares the password unless too many were wrong before. Without a hash it takes as long.
async fn is_right(
    call: &Call,
    name: &str,
    given: String,
    hash: Option<String>,
    address: Option<IpAddr>,
    now: Timestamp,
) -> Result<bool, Refusal> {
    let throttle = &call.face.throttle;
    let application = &call.application;
    let attempt = match throttle.begin(application.id, name, address, now) {
        Verdict::Try(attempt) => attempt,
        Verdict::TooMany { whose, wait } => {
            tracing::warn!(user = %name, application = %application.name, ?whose, ?wait, "too many wrong passwords");
            return Err(too_many(whose, whole_seconds(wait)));
        }
    };
    tokio::time::sleep(attempt.wait).await;
    let is_right = call.face.app.passwords().verify(given, hash).await?;
    if is_right {
        throttle.succeeded(&attempt);
    }
    Ok(is_right)
}

/// The password was not looked at, so the product must not tell the person that it is wrong.
fn too_many(whose: Whose, seconds: u64) -> Refusal {
    let whose = match whose {
        Whose::User => "for this user name",
        Whose::Address => "from this address",
        Whose::Application => "by this application",
    };
    let message = format!(
        "Too many wrong passwords were tried {whose}, so this one was not looked at. Try again in {seconds} s"
    );
    CrowdError::too_many(message, seconds).into()
}

/// A 404 would tell the product that this server is too old to know logins.
fn named_user(refusal: Refusal) -> Refusal {
    let error = refusal.into_error();
    match error.reason {
        Reason::UserNotFound => error.in_body().into(),
        _ => error.into(),
    }
}

pub(super) fn only_active(user: &User) -> Result<(), Refusal> {
    match user.active() {
        true => Ok(()),
        false => Err(inactive(&user.name)),
    }
}

/// The refusal of a user whose account is disabled.
pub(super) fn inactive(name: &str) -> Refusal {
    let message = format!(
        "The account of user <{}> is not active",
        ::crowd::error::echo(name)
    );
    CrowdError::new(Reason::InactiveAccount, message).into()
}

/// What Crowd says, letter by letter.
pub(super) const WRONG: &str = "Failed to authenticate principal, password was invalid";

pub(super) fn wrong_password(message: &str) -> Refusal {
    CrowdError::new(Reason::InvalidUserAuthentication, message).into()
}
