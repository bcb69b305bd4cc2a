//! Events: what a product has missed since it last asked, as today's state of everyone who was touched.
//!
//! A token is a position in the journal of one directory. Whatever happened in between is told once: those who
//! went by the name the product knows, everyone else as they are now, memberships as whole lists. A product
//! that applies the same events twice ends in the same state.

mod news;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ::crowd::event::{EventToken, Events, expired};
use axum::extract::{Path, rejection::PathRejection};
use directory::{ApplicationId, DirectoryId};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use store::{ReadTx, StoreError};

use self::news::News;
use super::Refusal;
use super::call::Call;
use super::reply::{Reply, document};
use super::stream;

/// Journal entries that one answer looks at; whoever is further behind reads everything anew.
const ENTRIES_MAX: i64 = 25_000;
/// How long a full synchronisation may take for its last step to find the position of its first.
const SYNCHRONISATION_MAX: SignedDuration = SignedDuration::from_secs(30 * 60);

/// A place in the journal of a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    directory: DirectoryId,
    sequence: i64,
    at: Timestamp,
}

impl Position {
    /// Where the journal ends in this state of the store.
    pub(super) fn now(tx: &ReadTx<'_>, directory: DirectoryId) -> Result<Position, StoreError> {
        let sequence = tx.journal_position(directory)?;
        Ok(Position {
            directory,
            sequence,
            at: tx.now(),
        })
    }
}

/// From where each application last listed all users.
///
/// A product asks for its token only after it has read three lists. A change between the first list and the token would
/// be missed until the next full run; so the token it gets is that of the first list.
#[derive(Default)]
pub(super) struct Positions {
    noted: Mutex<HashMap<ApplicationId, Position>>,
}

impl Positions {
    /// Remembers where a listing of all users stands.
    pub(super) fn note(&self, application: ApplicationId, position: Position) {
        self.lock().insert(application, position);
    }

    /// Where the synchronisation in progress began, if there is one.
    fn noted(
        &self,
        application: ApplicationId,
        directory: DirectoryId,
        now: Timestamp,
    ) -> Option<i64> {
        let position = self.lock().get(&application).copied()?;
        let fresh = now.duration_since(position.at) < SYNCHRONISATION_MAX;
        (fresh && position.directory == directory).then_some(position.sequence)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ApplicationId, Position>> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where the journal stands.
struct Place {
    /// Names this store and this directory, so that tokens of others are foreign.
    store: String,
    newest: i64,
    oldest: i64,
    now: Timestamp,
}

async fn place(call: &Call) -> Result<Place, Refusal> {
    call.look_up(|tx, directory| {
        Ok(Place {
            store: format!("{}.{directory}", tx.store_id()?),
            newest: tx.journal_position(directory)?,
            oldest: tx.journal_floor(directory)?,
            now: tx.now(),
        })
    })
    .await
}

/// `GET event`: the token to begin with.
pub(super) async fn current(call: Call) -> Reply {
    let place = place(&call).await?;
    let noted = call
        .face
        .positions
        .noted(call.application.id, call.directory(), place.now);
    let from = noted.filter(|sequence| (place.oldest..=place.newest).contains(sequence));
    let sequence = from.unwrap_or(place.newest);
    let token = token_of(place.store, sequence);
    note_progress(&call, place.now, sequence);
    no_events(&call, &token)
}

/// The rest of the path. An event token has no slash, but a malformed one may have.
#[derive(Deserialize)]
pub(super) struct TokenPath {
    token: String,
}

/// `GET event/{token}`: what happened since. Never a 404: products take that for a server without events.
pub(super) async fn since(path: Result<Path<TokenPath>, PathRejection>, call: Call) -> Reply {
    let text = path.map(|Path(path)| path.token).unwrap_or_default();
    let known = EventToken::parse(&text)?;
    let place = place(&call).await?;
    let since = i64::try_from(known.sequence).unwrap_or(i64::MAX);
    if known.store != place.store || since > place.newest || since < place.oldest {
        return Err(expired().into());
    }
    if since == place.newest {
        note_progress(&call, place.now, since);
        return no_events(&call, &known);
    }
    let (style, app, id) = (
        call.style.clone(),
        call.face.app.clone(),
        call.application.id,
    );
    stream::unbounded(&call, call.format(), move |tx, directory, sink| {
        let touched = tx
            .touched_since(directory, since, ENTRIES_MAX)?
            .ok_or_else(expired)?;
        let position = touched.position;
        let news = News::gather(tx, directory, touched)?;
        let token = token_of(place.store.clone(), position);
        let mut events = Events::new(sink, style.clone(), &token, true)?;
        news.write(tx, &mut events)?;
        app.inner().seen.application(id, tx.now(), Some(position));
        Ok(events.finish()?)
    })
    .await
}

/// `GET event/`
pub(super) async fn without_token(_call: Call) -> Refusal {
    expired().into()
}

fn token_of(store: String, sequence: i64) -> EventToken {
    EventToken {
        store,
        sequence: sequence.unsigned_abs(),
    }
}

fn no_events(call: &Call, token: &EventToken) -> Reply {
    let events = Events::new(Vec::new(), call.style.clone(), token, true)?;
    Ok(document(call.format(), events.finish()?))
}

/// Notes how far the application has read.
fn note_progress(call: &Call, now: Timestamp, position: i64) {
    call.face
        .app
        .inner()
        .seen
        .application(call.application.id, now, Some(position));
}
