//! Events: what a product has missed since it last asked, as today's state of everyone who was touched.
//!
//! A token is a position in the journal of each directory that the application sees. Whatever happened in between is
//! told once: those who went by the name the product knows, everyone else as they are now, memberships as whole
//! lists. A product that applies the same events twice ends in the same state.

mod history;
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
use super::call::{Call, only_open};
use super::reply::{Reply, document};
use super::stream;
use super::view::View;

/// Journal entries of one directory that one answer looks at; whoever is further behind reads everything anew.
const ENTRIES_MAX: i64 = 25_000;
/// How long a full synchronisation may take for its last step to find the position of its first.
const SYNCHRONISATION_MAX: SignedDuration = SignedDuration::from_secs(30 * 60);

/// A place in the journals of the directories of a view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Position {
    /// The view's mark.
    view: String,
    sequences: Vec<i64>,
    at: Timestamp,
}

impl Position {
    /// Where the journals end in this state of the store.
    pub(super) fn now(tx: &ReadTx<'_>, view: &View) -> Result<Position, StoreError> {
        Ok(Position {
            view: view.mark(),
            sequences: each_journal(view, |directory| tx.journal_position(directory))?,
            at: tx.now(),
        })
    }
}

fn each_journal(
    view: &View,
    look_up: impl Fn(DirectoryId) -> Result<i64, StoreError>,
) -> Result<Vec<i64>, StoreError> {
    view.directories().map(look_up).collect()
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
    fn noted(&self, application: ApplicationId, view: &View, now: Timestamp) -> Option<Vec<i64>> {
        let position = self.lock().get(&application).cloned()?;
        let fresh = now.duration_since(position.at) < SYNCHRONISATION_MAX;
        (fresh && position.view == view.mark()).then_some(position.sequences)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ApplicationId, Position>> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where the journals stand.
struct Place {
    /// Names this store and this view, so that tokens of others are foreign.
    store: String,
    newest: Vec<i64>,
    oldest: Vec<i64>,
    now: Timestamp,
}

impl Place {
    /// Whether everything behind these sequences is still known here.
    fn reaches(&self, sequences: &[i64]) -> bool {
        let limits = self.oldest.iter().zip(&self.newest);
        sequences.len() == self.newest.len()
            && sequences
                .iter()
                .zip(limits)
                .all(|(sequence, (oldest, newest))| (oldest..=newest).contains(&sequence))
    }
}

async fn place(call: &Call) -> Result<Place, Refusal> {
    call.look_up(|tx, view| {
        Ok(Place {
            store: format!("{}.{}", tx.store_id()?, view.mark()),
            newest: each_journal(view, |directory| tx.journal_position(directory))?,
            oldest: each_journal(view, |directory| tx.journal_floor(directory))?,
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
        .noted(call.application.id, call.view(), place.now);
    let from = noted.filter(|sequences| place.reaches(sequences));
    let sequences = from.unwrap_or_else(|| place.newest.clone());
    note_progress(&call, place.now, &sequences);
    no_events(&call, &token_of(place.store, &sequences))
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
    let since: Vec<i64> = known
        .sequences
        .iter()
        .map(|sequence| i64::try_from(*sequence).unwrap_or(i64::MAX))
        .collect();
    if known.store != place.store || !place.reaches(&since) {
        return Err(expired().into());
    }
    if since == place.newest {
        note_progress(&call, place.now, &since);
        return no_events(&call, &known);
    }
    let (style, app, id) = (
        call.style.clone(),
        call.face.app.clone(),
        call.application.id,
    );
    let name = call.application.name.clone();
    stream::unbounded(&call, call.format(), move |tx, view, sink| {
        only_open(tx, view, &name)?;
        let mut touched = Vec::with_capacity(since.len());
        for (directory, since) in view.directories().zip(&since) {
            let of_one = tx.touched_since(directory, *since, ENTRIES_MAX)?;
            touched.push(of_one.ok_or_else(expired)?);
        }
        let sequences: Vec<i64> = touched.iter().map(|touched| touched.position).collect();
        let news = News::gather(tx, view, touched)?;
        let token = token_of(place.store.clone(), &sequences);
        let mut events = Events::new(sink, style.clone(), &token, true)?;
        news.write(tx, view, &mut events)?;
        let read: Vec<_> = view.directories().zip(sequences).collect();
        app.inner().seen.poll(id, tx.now(), &read);
        Ok(events.finish()?)
    })
    .await
}

/// `GET event/`
pub(super) async fn without_token(_call: Call) -> Refusal {
    expired().into()
}

fn token_of(store: String, sequences: &[i64]) -> EventToken {
    EventToken {
        store,
        sequences: sequences.iter().map(|one| one.unsigned_abs()).collect(),
    }
}

fn no_events(call: &Call, token: &EventToken) -> Reply {
    let events = Events::new(Vec::new(), call.style.clone(), token, true)?;
    Ok(document(call.format(), events.finish()?))
}

/// Notes how far the application has read.
fn note_progress(call: &Call, now: Timestamp, sequences: &[i64]) {
    let read: Vec<_> = call
        .view()
        .directories()
        .zip(sequences.iter().copied())
        .collect();
    let seen = &call.face.app.inner().seen;
    seen.poll(call.application.id, now, &read);
}
