//! What stands now that administrators should know of.

use std::collections::HashMap;

use directory::notification::{Event, Standing, TokenEnd, token_end, token_ends_told};
use directory::{Connector, ConnectorId, ConnectorState};
use jiff::{SignedDuration, Timestamp};
use store::{
    Channel, FailedEvaluations, FailedWork, FailingWebhook, FlaggedUsers, OpenConflicts, OpenHolds,
    ReadTx, StoreError, TokenEnding,
};

use super::silence;

/// What failed is told of for so long.
const FAILED_TOLD_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Everything that stands. Webhooks and channels count from so many failures in a row.
pub(super) fn standing(tx: &ReadTx<'_>, failures: i64) -> Result<Vec<Standing>, StoreError> {
    let now = tx.now();
    let connectors: HashMap<ConnectorId, Connector> = tx
        .connectors()?
        .into_iter()
        .map(|stored| (stored.connector.id, (stored.connector)))
        .collect();
    let of = |id: ConnectorId| connectors.get(&id);
    let mut all = Vec::new();
    for holds in tx.open_holds()? {
        all.extend(of(holds.connector).map(|connector| holds_created(connector, holds)));
    }
    for holds in tx.escalated_holds()? {
        all.extend(of(holds.connector).map(|connector| holds_escalated(connector, holds)));
    }
    for conflicts in tx.open_conflicts()? {
        all.extend(of(conflicts.connector).map(|connector| names_taken(connector, conflicts)));
    }
    for flagged in tx.flagged_by_connector()? {
        all.extend(of(flagged.connector).map(|connector| unusable_values(connector, flagged)));
    }
    for failed in tx.failed_evaluations()? {
        all.extend(of(failed.connector).map(|connector| not_evaluated(connector, failed)));
    }
    let since = now.checked_sub(FAILED_TOLD_FOR).unwrap_or(Timestamp::MIN);
    for work in tx.failed_jobs(since)? {
        let path = format!("/console/jobs/{}", work.id);
        let connector = work.connector.and_then(of);
        all.push(failed_work("job", connector, work, path));
    }
    for work in tx.failed_imports(since)? {
        all.push(failed_work("import", None, work, "/console".to_owned()));
    }
    for connector in connectors.values() {
        if connector.state != ConnectorState::Disabled {
            all.extend(silent(tx, connector)?);
        }
    }
    let (from, to) = token_ends_told(now);
    for token in tx.tokens_ending(from, to)? {
        let connector = token.connector.and_then(of);
        all.extend(token_ends(connector, token, now));
    }
    all.extend(
        tx.failing_webhooks(failures)?
            .into_iter()
            .map(webhook_fails),
    );
    let channels = tx.channels()?.into_iter();
    let failing = channels.filter(|one| one.draft.enabled && one.failures >= failures);
    all.extend(failing.map(|channel| channel_fails(&channel)));
    // A message begins with what has stood for longest.
    all.sort_by_cached_key(|one| (one.since, one.key()));
    Ok(all)
}

/// What a failing channel is known by.
pub(super) fn about_channel(channel: &Channel) -> String {
    format!("channel {}", channel.id)
}

fn page(connector: &Connector, below: &str) -> String {
    format!("/console/connectors/{}{below}", connector.public_id)
}

fn named(connector: &Connector) -> Option<(ConnectorId, String)> {
    Some((connector.id, connector.name.clone()))
}

/// `1 user` or `2 users`.
fn counted(count: i64, one: &str, many: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        _ => format!("{count} {many}"),
    }
}

fn holds_created(connector: &Connector, holds: OpenHolds) -> Standing {
    let changes = counted(holds.count, "change", "changes");
    let wait = if holds.count == 1 { "waits" } else { "wait" };
    Standing {
        event: Event::HoldCreated,
        about: connector.public_id.clone(),
        connector: named(connector),
        mark: holds.newest,
        count: holds.count,
        since: holds.since,
        title: format!("{changes} of {} {wait} for a decision", connector.name),
        detail: "A safety limit keeps back what the identity provider wants until somebody approves or rejects it."
            .to_owned(),
        path: format!("/console/holds?connector={}", connector.public_id),
    }
}

fn holds_escalated(connector: &Connector, holds: OpenHolds) -> Standing {
    let changes = counted(holds.count, "change", "changes");
    let have = if holds.count == 1 { "has" } else { "have" };
    Standing {
        event: Event::HoldEscalated,
        title: format!(
            "{changes} of {} {have} waited for more than a day for a decision",
            connector.name
        ),
        ..holds_created(connector, holds)
    }
}

fn names_taken(connector: &Connector, conflicts: OpenConflicts) -> Standing {
    let users = counted(conflicts.count, "user", "users");
    let have = if conflicts.count == 1 { "has" } else { "have" };
    Standing {
        event: Event::ConflictCreated,
        about: connector.public_id.clone(),
        connector: named(connector),
        mark: conflicts.newest.as_microsecond(),
        count: conflicts.count,
        since: conflicts.since,
        title: format!("{users} of {} {have} a name that is taken", connector.name),
        detail: "Products do not see them until somebody decides whether account and user are one person.".to_owned(),
        path: page(connector, "/conflicts"),
    }
}

fn unusable_values(connector: &Connector, flagged: FlaggedUsers) -> Standing {
    let users = counted(flagged.count, "user", "users");
    let verb = if flagged.count == 1 { "gets" } else { "get" };
    Standing {
        event: Event::EvaluationFailed,
        about: format!("{} values", connector.public_id),
        connector: named(connector),
        mark: flagged.newest.as_microsecond(),
        count: flagged.count,
        since: flagged.since,
        title: format!(
            "{users} of {} {verb} a value that cannot be used",
            connector.name
        ),
        detail:
            "Products keep the old one. Mend the rules, or the values at the identity provider."
                .to_owned(),
        path: page(connector, "/conflicts"),
    }
}

fn not_evaluated(connector: &Connector, failed: FailedEvaluations) -> Standing {
    let users = counted(failed.count, "user", "users");
    Standing {
        event: Event::EvaluationFailed,
        about: connector.public_id.clone(),
        connector: named(connector),
        mark: failed.newest.as_microsecond(),
        count: failed.count,
        since: failed.since,
        title: format!("{users} of {} cannot be evaluated", connector.name),
        detail: format!(
            "It is tried again every few minutes. The error: {}",
            failed.example
        ),
        path: page(connector, ""),
    }
}

fn failed_work(
    what: &str,
    connector: Option<&Connector>,
    work: FailedWork,
    path: String,
) -> Standing {
    let detail = [work.subject.as_str(), work.failure.as_str()];
    let detail: Vec<&str> = detail.into_iter().filter(|text| !text.is_empty()).collect();
    let article = if what == "import" { "An" } else { "A" };
    Standing {
        event: Event::JobFailed,
        about: format!("{what} {}", work.id),
        connector: connector.and_then(named),
        mark: 0,
        count: 1,
        since: work.at,
        title: format!(
            "{article} {what} for the directory {} failed",
            work.directory
        ),
        detail: detail.join(": "),
        path,
    }
}

fn silent(tx: &ReadTx<'_>, connector: &Connector) -> Result<Option<Standing>, StoreError> {
    let report = silence::silent(tx, connector.id)?;
    let Some((last_heard, usual)) = report.and_then(|it| it.last_heard.zip(it.usual_pause)) else {
        return Ok(None);
    };
    Ok(Some(Standing {
        event: Event::ConnectorSilent,
        about: connector.public_id.clone(),
        connector: named(connector),
        mark: last_heard.as_microsecond(),
        count: 1,
        since: last_heard,
        title: format!("The identity provider of {} is silent", connector.name),
        detail: format!(
            "It usually comes every {}. Look at its job there, and whether its token still works.",
            counted((usual.as_secs() + 30) / 60, "minute", "minutes")
        ),
        path: page(connector, "/activity"),
    }))
}

fn token_ends(
    connector: Option<&Connector>,
    token: TokenEnding,
    now: Timestamp,
) -> Option<Standing> {
    let what = match token.is_client_secret {
        true => "secret of the client",
        false => "token",
    };
    let owner = match connector {
        Some(connector) => format!(" of {}", connector.name),
        None => " of the admin API".to_owned(),
    };
    let day = token.expires.strftime("%Y-%m-%d %H:%M");
    let (event, mark, since, verb) = match token_end(token.expires, now)? {
        TokenEnd::Soon { days, mark } => {
            let ahead = SignedDuration::from_hours(days * 24);
            let since = token.expires.checked_sub(ahead);
            (
                Event::TokenExpiring,
                mark,
                since.unwrap_or(Timestamp::MIN),
                "ends",
            )
        }
        TokenEnd::Over => (Event::TokenExpired, 0, token.expires, "ended"),
    };
    Some(Standing {
        event,
        about: token.id,
        connector: connector.and_then(named),
        mark,
        count: 1,
        since,
        title: format!("The {what} {}{owner} {verb} on {day} UTC", token.label),
        detail: match connector {
            Some(_) => "Make a new one, enter it at the identity provider, and revoke the old one when nobody uses it any more.",
            None => "Make a new one, give it to whoever uses the old one, and revoke that.",
        }
        .to_owned(),
        path: match connector {
            Some(connector) => page(connector, "/tokens"),
            None => "/console/tokens".to_owned(),
        },
    })
}

fn webhook_fails(webhook: FailingWebhook) -> Standing {
    let (id, name) = &webhook.application;
    let (mark, title) = match webhook.given_up {
        false => (0, format!("A webhook of {name} is not answered")),
        true => (1, format!("A webhook of {name} was given up")),
    };
    Standing {
        event: Event::DeliveryFailed,
        about: format!("webhook {}", webhook.id),
        connector: None,
        mark,
        count: 1,
        since: webhook.since,
        title,
        detail: webhook.error,
        path: format!("/console/applications/{id}"),
    }
}

fn channel_fails(channel: &Channel) -> Standing {
    Standing {
        event: Event::DeliveryFailed,
        about: about_channel(channel),
        connector: None,
        mark: 0,
        count: 1,
        since: channel.failing_since.unwrap_or(channel.created),
        title: format!(
            "The notification channel {} does not work",
            channel.draft.name
        ),
        detail: channel.last_error.clone().unwrap_or_default(),
        path: "/console/notifications".to_owned(),
    }
}
