//! Sessions that people have with products (single sign-on).
//!
//! Who signs in again with the same factors has to get the same token while the session lives, and yet
//! no usable token may be in the database. So a token is derived from a random salt, which is stored, with the
//! installation's secret key, which is not; it is found by its hash. A node with another key still honours
//! every token; it only cannot give the same one again, and begins a new session instead.

use directory::{DirectoryId, Status, UserPk};
use jiff::{SignedDuration, Timestamp};
use store::{Factors, Scope, Session, SignInSettings, WriteTx, token_hash};

use crate::secret::base62;
use crate::{Provision, ProvisionError};

/// Letters and digits of a token: 142 random bits.
const TOKEN_CHARS: usize = 24;
/// Sessions of one user at once; the oldest makes room.
const SESSIONS_PER_USER_MAX: usize = 100;
/// A use is written down only if it moves the end by this part of the time of rest.
const PROLONG_STEP: i32 = 20;
/// Sessions forgotten in one transaction.
const PRUNE_CHUNK: i64 = 1_000;

/// A session to be begun, of somebody who has proved who they are.
#[derive(Debug, Clone)]
pub struct SessionWish {
    /// Whose it is to be.
    pub user: UserPk,
    /// The hash of the password that was right, if one was asked for.
    pub proof: Option<String>,
    /// What it is to be bound to.
    pub factors: Factors,
    /// A shorter time of rest than the application's own.
    pub duration: Option<SignedDuration>,
    /// The name of the application.
    pub application: String,
    /// How people sign in there.
    pub settings: SignInSettings,
}

/// A session with its token, which is not to be had from the store.
#[derive(Clone)]
pub struct LiveSession {
    /// Letters and digits.
    pub token: String,
    /// The session.
    pub session: Session,
}

/// What became of a wish for a session.
pub enum Begun {
    /// There is one.
    Session(Box<LiveSession>),
    /// The user may not log in any more.
    Inactive,
    /// The password that was right is the user's no more.
    OtherPassword,
}

impl Provision {
    /// Begins a session, or gives the one that the user has with the same factors. Passwords are compared before, as
    /// that takes long; one that was changed since proves nothing.
    pub async fn begin_session(&self, wish: SessionWish) -> Result<Begun, ProvisionError> {
        let user = wish.user;
        let found = self
            .store()
            .look_up(move |tx| tx.directory_of_user(user))
            .await?;
        let Some(directory) = found else {
            return Ok(Begun::Inactive);
        };
        let this = self.clone();
        let begun = self
            .store()
            .write(Scope::Directory(directory), move |tx| {
                this.begin(tx, directory, &wish)
            })
            .await?;
        if matches!(begun, Begun::Session(_)) {
            self.note_login(user);
        }
        Ok(begun)
    }

    fn begin(
        &self,
        tx: &WriteTx<'_>,
        directory: DirectoryId,
        wish: &SessionWish,
    ) -> Result<Begun, ProvisionError> {
        let users = tx.directory_users_by_pk(directory, &[wish.user])?;
        let Some(user) = users.iter().find(|user| user.status == Status::Active) else {
            return Ok(Begun::Inactive);
        };
        if let Some(proof) = &wish.proof {
            let kept = tx.password_of(user)?;
            if !kept.is_some_and(|kept| kept.hash == *proof && !kept.expired) {
                return Ok(Begun::OtherPassword);
            }
        }
        let now = tx.now();
        let idle = wish.idle();
        let (live, ended): (Vec<_>, Vec<_>) = tx
            .sessions_of(wish.user)?
            .into_iter()
            .partition(|session| session.is_live(now));
        let surplus = (live.len() + 1).saturating_sub(SESSIONS_PER_USER_MAX);
        for mut session in live.iter().cloned() {
            let token = self.session_token(&session.salt)?;
            if session.factors == wish.factors && token_hash(&token) == session.hash {
                session.idle = idle;
                session.expires = session.prolonged(now);
                tx.prolong_session(session.pk, session.idle, session.expires)?;
                return Ok(Begun::Session(Box::new(LiveSession { token, session })));
            }
        }
        for session in ended.iter().chain(live.iter().take(surplus)) {
            tx.delete_session(session.pk)?;
        }
        let salt = tx.new_id().to_string();
        let token = self.session_token(&salt)?;
        let ends = later(now, minutes(wish.settings.session_life_minutes));
        let session = Session {
            pk: 0,
            hash: token_hash(&token),
            salt,
            directory,
            user: wish.user,
            factors: wish.factors.clone(),
            application: wish.application.clone(),
            created: now,
            idle,
            expires: later(now, idle).min(ends),
            ends,
        };
        tx.insert_session(&session)?;
        Ok(Begun::Session(Box::new(LiveSession { token, session })))
    }

    fn session_token(&self, salt: &str) -> Result<String, ProvisionError> {
        Ok(base62(&self.key()?.derive("session", salt)?, TOKEN_CHARS))
    }

    /// Notes that a session was used at `now`; gives it with its end from then on. A use right after
    /// another is not written down, so that looking at sessions costs next to nothing.
    pub async fn use_session(
        &self,
        session: Session,
        now: Timestamp,
    ) -> Result<Session, ProvisionError> {
        self.note_login(session.user);
        let expires = session.prolonged(now);
        if expires.duration_since(session.expires) < session.idle / PROLONG_STEP {
            return Ok(session);
        }
        self.store()
            .write(Scope::Directory(session.directory), move |tx| {
                // It may have been ended meanwhile: then nothing is there to be changed.
                tx.prolong_session(session.pk, session.idle, expires)?;
                Ok(Session {
                    expires,
                    ..session.clone()
                })
            })
            .await
    }

    /// Ends a session.
    pub async fn end_session(&self, session: Session) -> Result<(), ProvisionError> {
        self.store()
            .write(Scope::Directory(session.directory), move |tx| {
                Ok(tx.delete_session(session.pk)?)
            })
            .await
    }

    /// Ends all sessions of a user but the one with this token. Returns how many that were.
    pub async fn end_sessions_of(
        &self,
        user: UserPk,
        except: Option<String>,
    ) -> Result<u64, ProvisionError> {
        let found = self
            .store()
            .look_up(move |tx| tx.directory_of_user(user))
            .await?;
        let Some(directory) = found else {
            return Ok(0);
        };
        let except = except.map(|token| token_hash(&token));
        self.store()
            .write(Scope::Directory(directory), move |tx| {
                Ok(tx.delete_sessions_of(user, except.as_deref())?)
            })
            .await
    }

    /// Forgets sessions that have ended. Returns how many.
    pub async fn prune_sessions(&self) -> Result<u64, ProvisionError> {
        let mut pruned = 0;
        loop {
            let some = self
                .store()
                .write(Scope::Settings, |tx| tx.prune_sessions(PRUNE_CHUNK))
                .await?;
            pruned += some;
            if some < PRUNE_CHUNK as u64 {
                return Ok(pruned);
            }
        }
    }
}

impl SessionWish {
    /// What was asked for can only shorten the application's own time.
    fn idle(&self) -> SignedDuration {
        let own = minutes(self.settings.session_idle_minutes);
        self.duration.map_or(own, |asked| asked.min(own))
    }
}

fn minutes(count: u32) -> SignedDuration {
    SignedDuration::from_mins(i64::from(count))
}

fn later(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.checked_add(by).unwrap_or(Timestamp::MAX)
}
