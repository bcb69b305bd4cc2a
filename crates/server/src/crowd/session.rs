//! Single sign-on among products: sessions, by tokens that products keep in a cookie.
//!
//! A session is of a person, not of a product: whoever sees the person may ask for it. It ends with the account,
//! with the password, by a logout in any product, and with its time; it follows a rename.

use std::net::IpAddr;
use std::time::Duration;

use ::crowd::authentication::{AuthenticationContext, ValidationFactors};
use ::crowd::session::{CookieConfig, Session as Shown, SessionUser};
use ::crowd::{Attributes, CrowdError, Reason, attributes};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request};
use axum::response::Response;
use directory::User;
use jiff::{SignedDuration, Timestamp};
use provision::{Begun, SessionWish};
use serde::Deserialize;
use store::{Factors, Session, token_hash};

use super::Refusal;
use super::authentication::{WRONG, inactive, only_active, prove, vouched_for, wrong_password};
use super::call::{Call, by_name, only_admitted};
use super::reply::{Reply, created, document, nothing};
use super::user::shown as user_shown;
use crate::App;
use crate::authority::address_of;

/// Factors of one session, and bytes of all of them.
const FACTORS_MAX: usize = 32;
const FACTORS_BYTES_MAX: usize = 8 * 1024;
/// The factor that has the address of the browser.
const ADDRESS_FACTOR: &str = "remote_address";

/// `GET config/cookie`: where products keep the token, and some clients' connection test.
pub(super) async fn cookie(call: Call) -> Reply {
    let provision = call.face.app.provision();
    let settings = provision.sign_in_settings(call.application.id).await?;
    let over_tls = call.application.base_url.starts_with("https:");
    let config = CookieConfig {
        domain: &settings.cookie_domain,
        secure: settings.cookie_secure.unwrap_or(over_tls),
        name: &settings.cookie_name,
    };
    Ok(document(call.format(), config.to_bytes(call.format())))
}

/// `POST session`
pub(super) async fn create(call: Call, request: Request) -> Reply {
    let validate = validate_password(&call)?;
    let duration = duration(&call)?;
    let peer = address_of(&call.face.app, &request);
    let context: AuthenticationContext = call.read(request).await?;
    let factors = checked(context.factors)?;
    let (user, proof) = if validate {
        let address = browser_of(&factors).or(peer);
        let proven = prove(&call, context.username, context.password.value, address).await;
        let proven = proven.map_err(without_names)?;
        (proven.user, Some(proven.hash))
    } else {
        (trusted(&call, context.username).await?, None)
    };
    let provision = call.face.app.provision();
    let wish = SessionWish {
        user: user.pk,
        proof,
        factors,
        duration,
        application: call.application.name.clone(),
        settings: provision.sign_in_settings(call.application.id).await?,
    };
    let begun = match provision.begin_session(wish).await? {
        Begun::Session(begun) => *begun,
        Begun::Inactive => return Err(inactive(&user.name)),
        Begun::OtherPassword => return Err(wrong_password(WRONG)),
    };
    let seen = Seen {
        attributes: attributes_of(&call, &user).await?,
        user,
        session: begun.session,
    };
    let body = seen.to_bytes(&call, &begun.token);
    let location = call.style.links.session(&begun.token);
    Ok(created(call.format(), &location, body))
}

/// `GET session/{token}`
pub(super) async fn show(call: Call, path: TokenPath) -> Reply {
    let token = token_of(path);
    let (seen, _) = find(&call, &token).await?;
    Ok(answer(&call, &seen, &token))
}

/// `POST session/{token}`: is it still good, and in the same hands? If so it lives longer.
pub(super) async fn validate(call: Call, path: TokenPath, request: Request) -> Reply {
    let token = token_of(path);
    let factors = checked(call.read::<ValidationFactors>(request).await?)?;
    let (seen, now) = find(&call, &token).await?;
    if seen.session.factors != factors {
        return Err(unknown());
    }
    let session = call
        .face
        .app
        .provision()
        .use_session(seen.session, now)
        .await?;
    let seen = Seen { session, ..seen };
    Ok(answer(&call, &seen, &token))
}

/// `DELETE session/{token}`: one that is not there has ended already.
pub(super) async fn end(call: Call, path: TokenPath) -> Reply {
    let token = token_of(path);
    if !is_token(&token) {
        return Ok(nothing());
    }
    let found = call
        .look_up(move |tx, view| {
            let Some(session) = tx.session(&token_hash(&token))? else {
                return Ok(None);
            };
            let Some(user) = tx.session_user(&session)? else {
                return Ok(None);
            };
            let seen = view.user(tx, &user.name)?;
            Ok(seen.filter(|seen| seen.pk == user.pk).map(|_| session))
        })
        .await?;
    if let Some(session) = found {
        call.face.app.provision().end_session(session).await?;
    }
    Ok(nothing())
}

/// `DELETE session?username=&exclude=`
pub(super) async fn end_all(call: Call) -> Reply {
    let name = call.username()?;
    let except = call.query.get("exclude").map(str::to_owned);
    let user = call
        .look_up(move |tx, view| Ok(view.user(tx, &name)?))
        .await?;
    if let Some(user) = user {
        let provision = call.face.app.provision();
        provision.end_sessions_of(user.pk, except).await?;
    }
    Ok(nothing())
}

/// The token in the path.
#[derive(Deserialize)]
pub(super) struct TokenSegment {
    token: String,
}

type TokenPath = Result<Path<TokenSegment>, PathRejection>;

/// What is no text cannot be a token either.
fn token_of(path: TokenPath) -> String {
    path.map(|Path(path)| path.token).unwrap_or_default()
}

/// A live session with the user whose it is.
struct Seen {
    session: Session,
    user: User,
    attributes: Attributes,
}

impl Seen {
    fn to_bytes(&self, call: &Call, token: &str) -> Vec<u8> {
        let user = match call.query.expand().user {
            true => SessionUser::Full(user_shown(&self.user, &self.attributes)),
            false => SessionUser::Short(&self.user.name),
        };
        let shown = Shown {
            token,
            user,
            created: self.session.created,
            expires: self.session.expires,
        };
        shown.to_bytes(&call.style)
    }
}

fn answer(call: &Call, seen: &Seen, token: &str) -> Response {
    document(call.format(), seen.to_bytes(call, token))
}

/// The live session with this token, if its user may still log in here; and the moment that was looked at.
async fn find(call: &Call, token: &str) -> Result<(Seen, Timestamp), Refusal> {
    if !is_token(token) {
        return Err(unknown());
    }
    let hash = token_hash(token);
    let with_attributes = call.query.expand().attributes;
    call.look_up(move |tx, view| {
        let now = tx.now();
        let session = tx.session(&hash)?.filter(|found| found.is_live(now));
        let session = session.ok_or_else(unknown)?;
        let user = tx.session_user(&session)?.ok_or_else(unknown)?;
        let seen = view.user(tx, &user.name)?;
        let is_seen = seen.is_some_and(|seen| seen.pk == user.pk);
        if !is_seen || only_active(&user).is_err() {
            return Err(unknown());
        }
        only_admitted(tx, view, &user)?;
        let attributes = match with_attributes {
            true => by_name(tx.user_attributes(user.pk)?),
            false => attributes::NONE.clone(),
        };
        let seen = Seen {
            session,
            user,
            attributes,
        };
        Ok((seen, now))
    })
    .await
}

async fn attributes_of(call: &Call, user: &User) -> Result<Attributes, Refusal> {
    if !call.query.expand().attributes {
        return Ok(attributes::NONE.clone());
    }
    let user = user.pk;
    call.look_up(move |tx, _view| Ok(by_name(tx.user_attributes(user)?)))
        .await
}

/// The user of a session for which the product vouches: it has checked who that is by other means.
async fn trusted(call: &Call, name: String) -> Result<User, Refusal> {
    vouched_for(call, name).await.map_err(without_names)
}

/// Who opens a session does not hear whether there is a user of a name.
fn without_names(refusal: Refusal) -> Refusal {
    let error = refusal.into_error();
    match error.reason {
        Reason::UserNotFound => wrong_password(WRONG),
        _ => error.into(),
    }
}

fn validate_password(call: &Call) -> Result<bool, CrowdError> {
    match call.query.get("validate-password") {
        None | Some("true") => Ok(true),
        Some("false") => Ok(false),
        Some(_) => Err(CrowdError::illegal_argument(
            "\"validate-password\" has to be true or false.",
        )),
    }
}

/// The parameter `duration`, in seconds.
fn duration(call: &Call) -> Result<Option<SignedDuration>, CrowdError> {
    let Some(text) = call.query.get("duration") else {
        return Ok(None);
    };
    let seconds = text.parse::<u32>().ok().filter(|seconds| *seconds > 0);
    let seconds = seconds.ok_or_else(|| {
        CrowdError::illegal_argument("\"duration\" has to be a number of seconds above 0.")
    })?;
    Ok(Some(SignedDuration::from_secs(i64::from(seconds))))
}

fn checked(factors: ValidationFactors) -> Result<Factors, CrowdError> {
    let all = factors.0.iter();
    let bytes: usize = all.map(|(name, value)| name.len() + value.len()).sum();
    let has_nul = factors
        .0
        .iter()
        .any(|(name, value)| name.contains('\0') || value.contains('\0'));
    if factors.0.len() > FACTORS_MAX || bytes > FACTORS_BYTES_MAX || has_nul {
        return Err(CrowdError::illegal_argument(format!(
            "There may be at most {FACTORS_MAX} validation factors with {FACTORS_BYTES_MAX} bytes in all."
        )));
    }
    Ok(factors.0)
}

/// The address of the browser, if the product tells it.
fn browser_of(factors: &Factors) -> Option<IpAddr> {
    let mut named = factors.iter().filter(|(name, _)| name == ADDRESS_FACTOR);
    named.next()?.1.trim().parse().ok()
}

/// Whether a text can be a token at all.
fn is_token(text: &str) -> bool {
    text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn unknown() -> Refusal {
    let message = "This token is unknown or has expired, or the session is not in the same hands.";
    CrowdError::new(Reason::InvalidSsoToken, message).into()
}

/// How often sessions that have ended are forgotten.
const PRUNE_EVERY: Duration = Duration::from_secs(10 * 60);

/// Forgets sessions that have ended, for ever.
pub(crate) async fn prune(app: App) {
    loop {
        tokio::time::sleep(PRUNE_EVERY).await;
        match app.provision().prune_sessions().await {
            Ok(pruned) => tracing::debug!(pruned, "sessions that have ended are forgotten"),
            Err(error) => tracing::warn!(%error, "sessions could not be forgotten"),
        }
    }
}
