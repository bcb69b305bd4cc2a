//! Searches: all users, all groups, or those that match a restriction.

use ::crowd::query::EntityType;
use ::crowd::{Restriction, cql};
use axum::extract::Request;
use directory::{Group, Search, User};
use store::ReadTx;

use super::call::{Call, only_open};
use super::listing::{Users, Wanted};
use super::question::{Shortcut, search_of, shortcut};
use super::reply::Reply;
use super::stream::{self, Sink};
use super::view::View;
use super::{Refusal, event};
use crate::walk::{Each, walk};

/// `GET search?entity-type=&restriction=`
pub(super) async fn by_query(call: Call) -> Reply {
    let kind = call.query.entity_type()?;
    let restriction = cql::parse(call.query.get("restriction").unwrap_or_default())?;
    answer(call, kind, &restriction).await
}

/// `POST search?entity-type=`
pub(super) async fn by_body(call: Call, request: Request) -> Reply {
    let kind = call.query.entity_type()?;
    let restriction: Restriction = call.read(request).await?;
    answer(call, kind, &restriction).await
}

async fn answer(call: Call, kind: EntityType, restriction: &Restriction) -> Reply {
    let wanted = Wanted::new(&call, kind, search_of(restriction, kind)?)?;
    let name = call.application.name.clone();
    let everybody =
        kind == EntityType::User && wanted.search == Search::All && wanted.paging.is_everything();
    if wanted.is_bounded() {
        return stream::bounded(&call, move |tx, view, sink| {
            only_whole(tx, view, kind, &wanted, &name)?;
            write(tx, view, kind, &wanted, sink)
        })
        .await;
    }
    let (positions, application) = (call.face.positions.clone(), call.application.id);
    stream::unbounded(&call, call.format(), move |tx, view, sink| {
        only_whole(tx, view, kind, &wanted, &name)?;
        if everybody {
            // The first of the three lists of a full synchronisation: what changes from here on may be missed.
            positions.note(application, event::Position::now(tx, view)?);
        }
        write(tx, view, kind, &wanted, sink)
    })
    .await
}

/// Refuses a list of everybody, or of all groups, that would be short by mistake.
fn only_whole(
    tx: &ReadTx<'_>,
    view: &View,
    kind: EntityType,
    wanted: &Wanted,
    application: &str,
) -> Result<(), Refusal> {
    let is_filtered = kind == EntityType::User || view.hides_groups();
    match wanted.search == Search::All && is_filtered {
        true => only_open(tx, view, application),
        false => Ok(()),
    }
}

fn write(
    tx: &ReadTx<'_>,
    view: &View,
    kind: EntityType,
    wanted: &Wanted,
    sink: Sink,
) -> Result<Sink, Refusal> {
    match kind {
        EntityType::User => write_users(tx, view, wanted, sink),
        EntityType::Group => write_groups(tx, view, wanted, sink),
    }
}

fn write_users(tx: &ReadTx<'_>, view: &View, wanted: &Wanted, sink: Sink) -> Result<Sink, Refusal> {
    if let Some((skip, limit)) = wanted.window() {
        let page = wanted.skipped();
        return write_some(page.users(tx, sink)?, view.users_page(tx, skip, limit)?);
    }
    let mut users = wanted.users(tx, sink)?;
    if users.is_full() {
        return users.finish();
    }
    let some = match shortcut(&wanted.search) {
        Shortcut::Nothing => Vec::new(),
        Shortcut::Name(name) => view.user(tx, name)?.into_iter().collect(),
        Shortcut::Key(key) => view.user_by_key(tx, key)?.into_iter().collect(),
        Shortcut::Email(email) => view.users_by_email(tx, email)?,
        Shortcut::Prefix(prefix) => {
            let run = |each: Each<'_, User>| view.each_user(tx, prefix, each);
            walk(run, |user| users.take(user))?;
            return users.finish();
        }
        Shortcut::Walk => {
            let run = |each: Each<'_, User>| view.each_user(tx, "", each);
            walk(run, |user| users.take(user))?;
            return users.finish();
        }
    };
    write_some(users, some)
}

/// Writes the users at hand.
fn write_some(mut users: Users<'_>, some: Vec<User>) -> Result<Sink, Refusal> {
    for user in some {
        if users.take(user)?.is_break() {
            break;
        }
    }
    users.finish()
}

fn write_groups(
    tx: &ReadTx<'_>,
    view: &View,
    wanted: &Wanted,
    sink: Sink,
) -> Result<Sink, Refusal> {
    if let Some((skip, limit)) = wanted.window() {
        let page = wanted.skipped();
        let mut groups = page.groups(tx, sink)?;
        for group in view.groups_page(tx, skip, limit)? {
            let _more = groups.take(&group)?;
        }
        return groups.finish();
    }
    let mut groups = wanted.groups(tx, sink)?;
    if groups.is_full() {
        return groups.finish();
    }
    match shortcut(&wanted.search) {
        Shortcut::Nothing => {}
        Shortcut::Name(name) => {
            if let Some(group) = view.group(tx, name)? {
                let _only_one = groups.take(&group)?;
            }
        }
        _ => {
            let run = |each: Each<'_, Group>| view.each_group(tx, each);
            walk(run, |group| groups.take(&group))?;
        }
    }
    groups.finish()
}
