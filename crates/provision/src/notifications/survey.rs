//! What stands now that administrators should know of.

use std::collections::HashMap;

use directory::notification::{Event, Standing, TokenEnd, token_end, token_ends_told};
use directory::{Connector, ConnectorId, ConnectorState};
use jiff::{SignedDuration, Timestamp};
use store::{
    Application, Channel, FailedEvaluations, FailedWork, FailingWebhook, FlaggedUsers,
    OpenConflicts, OpenGroups, OpenHolds, ReadTx, StoreError, Subscription, TokenEnding,
};

use super::silence::{Presence, presence, product_presence};

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
    for groups in tx.groups_that_wait()? {
        all.extend(of(groups.connector).map(|connector| groups_wait(connector, groups)));
    }
    for groups in tx.groups_with_pinned_names()? {
        all.extend(of(groups.connector).map(|connector| groups_renamed(connector, groups)));
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
            let present = presence(tx, connector.id)?;
            all.extend(present.map(|present| provider_presence(connector, present)));
        }
    }
    for application in tx.applications()? {
        let present = product_presence(tx, application.id)?;
        all.extend(present.map(|present| application_presence(&application, present)));
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
    let subscriptions = tx.subscriptions()?.into_iter();
    let failing = subscriptions.filter(|one| one.draft.enabled && one.failures >= failures);
    all.extend(failing.map(subscription_fails));
    let channels = tx.channels()?.into_iter();
    let failing = channels.filter(|one| one.draft.enabled && one.failures >= failures);
    all.extend(failing.map(|channel| channel_fails(&channel)));
    // A message begins with what waits for somebody, and of that with what has for longest.
    all.sort_by_cached_key(|one| (one.event, one.since, one.key()));
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

fn groups_wait(connector: &Connector, groups: OpenGroups) -> Standing {
    let wait = if groups.count == 1 { "waits" } else { "wait" };
    Standing {
        event: Event::GroupWaiting,
        about: connector.public_id.clone(),
        connector: named(connector),
        mark: groups.newest.as_microsecond(),
        count: groups.count,
        since: groups.since,
        title: format!(
            "{} of {} {wait} for a decision",
            counted(groups.count, "group", "groups"),
            connector.name
        ),
        detail: "Groups of their names are there already, with members from elsewhere. Nobody gets into them through the identity \
                 provider until somebody decides."
            .to_owned(),
        path: page(connector, "/source-groups?state=waiting"),
    }
}

fn groups_renamed(connector: &Connector, groups: OpenGroups) -> Standing {
    let keep = match groups.count {
        1 => "keeps its name in products",
        _ => "keep their names in products",
    };
    Standing {
        event: Event::GroupRenamed,
        about: connector.public_id.clone(),
        connector: named(connector),
        mark: groups.newest.as_microsecond(),
        count: groups.count,
        since: groups.since,
        title: format!(
            "{} of {} that {} renamed {keep}",
            counted(groups.count, "group", "groups"),
            connector.name,
            if groups.count == 1 { "was" } else { "were" },
        ),
        detail: "Permissions of products hang on the name. Let a group follow its new name when they are given to that as well."
            .to_owned(),
        path: page(connector, "/source-groups?state=renamed"),
    }
}

fn provider_presence(connector: &Connector, present: Presence) -> Standing {
    let name = &connector.name;
    let advice = "Look at its job there, and whether its token still works.";
    Standing {
        event: Event::ConnectorSilent,
        about: connector.public_id.clone(),
        connector: named(connector),
        title: match present {
            Presence::Here(_) => format!("The identity provider of {name} comes again"),
            Presence::Silent(..) => format!("The identity provider of {name} is silent"),
        },
        path: page(connector, "/activity"),
        ..told_presence(present, "comes", advice)
    }
}

fn application_presence(application: &Application, present: Presence) -> Standing {
    let name = &application.name;
    let advice = "Look whether it runs, whether its directory is switched on there, and whether its page here says that it was refused.";
    Standing {
        about: application.public_id.clone(),
        title: match present {
            Presence::Here(_) => format!("The product {name} fetches again"),
            Presence::Silent(..) => format!("The product {name} has stopped fetching"),
        },
        path: format!("/console/applications/{}", application.public_id),
        ..told_presence(present, "fetches", advice)
    }
}

/// What is the same of everybody who comes by: when, how often, and what to do if not.
fn told_presence(present: Presence, comes: &str, advice: &str) -> Standing {
    let (count, since, detail) = match present {
        Presence::Here(last) => (0, last, String::new()),
        Presence::Silent(last, usual) => {
            let usual = counted((usual.as_secs() + 30) / 60, "minute", "minutes");
            (
                1,
                last,
                format!("It usually {comes} every {usual}. {advice}"),
            )
        }
    };
    Standing {
        event: Event::ApplicationSilent,
        about: String::new(),
        connector: None,
        mark: since.as_microsecond(),
        count,
        since,
        title: String::new(),
        detail,
        path: String::new(),
    }
}

fn token_ends(
    connector: Option<&Connector>,
    token: TokenEnding,
    now: Timestamp,
) -> Option<Standing> {
    if token
        .newer
        .as_ref()
        .is_some_and(|newer| newer.has_taken_over)
    {
        return None;
    }
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
        detail: match (connector, &token.newer) {
            (_, Some(newer)) => format!(
                "Enter the newest one, {}, at the identity provider before that, where this one is still used.",
                newer.label
            ),
            (Some(_), None) => "Make a new one, enter it at the identity provider, and revoke the old one when nobody uses it any more."
                .to_owned(),
            (None, None) => "Make a new one, give it to whoever uses the old one, and revoke that.".to_owned(),
        },
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

fn subscription_fails(subscription: Subscription) -> Standing {
    let name = &subscription.draft.name;
    let (mark, title) = match subscription.given_up {
        None => (0, format!("The subscription {name} is not answered")),
        Some(_) => (1, format!("The subscription {name} was given up")),
    };
    Standing {
        event: Event::DeliveryFailed,
        about: format!("subscription {}", subscription.id),
        connector: None,
        mark,
        count: 1,
        since: subscription.failing_since.unwrap_or(subscription.created),
        title,
        detail: subscription.last_error.unwrap_or_default(),
        path: format!("/console/subscriptions/{}", subscription.id),
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
