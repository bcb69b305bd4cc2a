//! What the set-up tells of each thing that a connection needs, and what to do about it.

use directory::{ConnectorState, Preset};
use store::RequestRecord;

use super::{Check, CheckItem, CheckState, Facts, Outside};

/// Everything, in the order in which it happens.
pub(super) fn items(facts: &Facts, outside: &Outside) -> Vec<CheckItem> {
    vec![
        reached(facts, &outside.base_url),
        tested(facts),
        user(facts),
        group(facts),
        membership(facts),
        attached(facts, outside),
        fetched(facts),
    ]
}

fn reached(facts: &Facts, base_url: &str) -> CheckItem {
    let newest = facts.newest.as_ref();
    if let Some((at, address)) = &facts.used {
        let from = address.as_deref().map(|from| format!(" from {from}"));
        let seen = format!("A request has come{}.", from.unwrap_or_default());
        return CheckItem::new(Check::Reached, CheckState::Done, seen).at(Some(*at));
    }
    if let Some(newest) = newest {
        let seen = format!("A request has come: {} {}.", newest.method, newest.path);
        return CheckItem::new(Check::Reached, CheckState::Done, seen).at(Some(newest.at));
    }
    let seen = format!("Nothing has come to {base_url} yet.");
    CheckItem::new(Check::Reached, CheckState::Waiting, seen).remedy(unreached(base_url))
}

/// What keeps an identity provider from reaching an address.
fn unreached(base_url: &str) -> &'static str {
    if is_of_this_machine(base_url) {
        "This address means the machine itself. An identity provider in the cloud cannot reach it: put the server behind \
         HTTPS under a public name and set public_url to it."
    } else if base_url.starts_with("http://") {
        "This address is not HTTPS. Identity providers in the cloud call nothing else: put the server behind HTTPS and \
         set public_url to it."
    } else {
        "Paste base URL and token there and let it test the connection. If it cannot connect, try the address from \
         outside your network: DNS name, firewall and certificate must be right."
    }
}

fn is_of_this_machine(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split('/').next().unwrap_or_default();
    let name = host.split(':').next().unwrap_or_default();
    name == "localhost" || name.starts_with("127.") || host.starts_with("[::1]")
}

fn tested(facts: &Facts) -> CheckItem {
    if facts.state == ConnectorState::Disabled {
        let seen = "The connector is switched off and refuses everything.";
        return CheckItem::new(Check::Tested, CheckState::Failed, seen).remedy("Switch it on.");
    }
    let was_taken = facts.newest.as_ref().filter(|one| !is_refusal(one));
    let taken_at = facts.used.as_ref().map(|(at, _)| *at);
    if let Some(at) = taken_at.or(was_taken.map(|one| one.at)) {
        let seen = "The credential was right.";
        return CheckItem::new(Check::Tested, CheckState::Done, seen).at(Some(at));
    }
    if let Some(refused) = facts.errors.iter().find(|one| is_refusal(one)) {
        return failed(Check::Tested, refused);
    }
    CheckItem::new(
        Check::Tested,
        CheckState::Waiting,
        "No credential was shown yet.",
    )
    .remedy("Press the button there that tests the connection.")
}

/// Whether somebody was not let in.
fn is_refusal(record: &RequestRecord) -> bool {
    matches!(record.status, 401 | 403 | 429)
}

fn failed(check: Check, record: &RequestRecord) -> CheckItem {
    let detail = record.detail.as_deref().unwrap_or("it was refused");
    let whom = record.resource_name.as_deref();
    let whom = whom.filter(|name| !name.is_empty());
    let whom = whom.map(|name| format!(" ({name})")).unwrap_or_default();
    let seen = format!(
        "{} {}{whom} was answered with {}: {detail}",
        record.method, record.path, record.status
    );
    let item = CheckItem::new(check, CheckState::Failed, seen).at(Some(record.at));
    match record.entry() {
        Some(entry) => item.remedy(entry.remedy),
        None => item,
    }
}

fn failure_of<'f>(facts: &'f Facts, kind: &str) -> Option<&'f RequestRecord> {
    let is_of_kind = |one: &&RequestRecord| one.resource_type.as_deref() == Some(kind);
    facts
        .errors
        .iter()
        .filter(|one| !is_refusal(one))
        .find(is_of_kind)
}

fn user(facts: &Facts) -> CheckItem {
    if facts.users > 0 {
        let (users, inside) = (counted(facts.users, "user"), facts.in_directory);
        let directory = &facts.directory;
        let seen = format!("{users} arrived; {inside} in the directory {directory}.");
        let item = CheckItem::new(Check::User, CheckState::Done, seen);
        return match (inside, facts.state) {
            (0, ConnectorState::Paused) => {
                item.remedy("The connector is paused: nothing takes effect until it is resumed.")
            }
            (0, _) => item
                .remedy("The rules let none of them into the directory. Look one up and read why."),
            _ => item,
        };
    }
    if let Some(record) = failure_of(facts, "User") {
        return failed(Check::User, record);
    }
    CheckItem::new(Check::User, CheckState::Waiting, "Nobody has arrived yet.").remedy(
        "Assign people to the application at the identity provider and start provisioning there.",
    )
}

fn sends_no_groups(preset: Preset) -> bool {
    preset == Preset::Google
}

fn group(facts: &Facts) -> CheckItem {
    if facts.groups > 0 {
        let seen = format!("{} arrived.", counted(facts.groups, "group"));
        return CheckItem::new(Check::Group, CheckState::Done, seen);
    }
    if sends_no_groups(facts.preset) {
        let seen = "This identity provider sends no groups.";
        return CheckItem::new(Check::Group, CheckState::Skipped, seen)
            .remedy("Give memberships by rules, from an attribute such as the department.");
    }
    if let Some(record) = failure_of(facts, "Group") {
        return failed(Check::Group, record);
    }
    CheckItem::new(
        Check::Group,
        CheckState::Waiting,
        "No group has arrived yet.",
    )
    .remedy("Push a group at the identity provider.")
}

fn membership(facts: &Facts) -> CheckItem {
    if facts.has_members {
        return CheckItem::new(
            Check::Membership,
            CheckState::Done,
            "Somebody is in a group.",
        );
    }
    if sends_no_groups(facts.preset) {
        let seen = "This identity provider sends no groups.";
        return CheckItem::new(Check::Membership, CheckState::Skipped, seen);
    }
    if let Some(pending) = &facts.pending {
        let seen = format!(
            "The group {} names {}, who has not arrived.",
            pending.display_name, pending.value
        );
        return CheckItem::new(Check::Membership, CheckState::Failed, seen)
            .remedy("Assign the people of the group to the application as well. They join when they arrive.");
    }
    CheckItem::new(
        Check::Membership,
        CheckState::Waiting,
        "No group has a member yet.",
    )
    .remedy("Push a group whose people are assigned to the application.")
}

fn attached(facts: &Facts, outside: &Outside) -> CheckItem {
    let directory = &facts.directory;
    let came = facts
        .applications
        .iter()
        .filter_map(|one| one.last_seen.map(|at| (at, one)));
    if let Some((at, one)) = came.max_by_key(|(at, _)| *at) {
        let seen = format!("{} has signed in.", one.name);
        return CheckItem::new(Check::Attached, CheckState::Done, seen).at(Some(at));
    }
    let refused = facts.applications.iter();
    let refused =
        refused.filter_map(|one| outside.refused.get(&one.id).map(|refused| (one, refused)));
    if let Some((one, refused)) = refused.max_by_key(|(_, refused)| refused.at) {
        let from = refused.address.as_deref().unwrap_or("an unknown address");
        let (why, remedy) = match refused.is_address {
            true => (
                "it may not come from there",
                "Add the address to those of the application.",
            ),
            false => (
                "its password was wrong",
                "Enter the application's password again, or make a new one.",
            ),
        };
        let seen = format!("{} came from {from} and was refused: {why}.", one.name);
        return CheckItem::new(Check::Attached, CheckState::Failed, seen)
            .remedy(remedy)
            .at(Some(refused.at));
    }
    let item = |seen| CheckItem::new(Check::Attached, CheckState::Waiting, seen);
    match facts.applications.as_slice() {
        [] => item(format!("No application sees the directory {directory}."))
            .remedy("Make an application for the product."),
        all => {
            let names: Vec<&str> = all.iter().map(|one| one.name.as_str()).collect();
            item(format!("{} has not signed in yet.", names.join(", ")))
                .remedy("Enter URL, name and password in the product and press its test button.")
        }
    }
}

fn fetched(facts: &Facts) -> CheckItem {
    let read = facts
        .applications
        .iter()
        .filter_map(|one| one.position.map(|at| (at, one)));
    let Some((position, one)) = read.max_by_key(|(at, _)| *at) else {
        return CheckItem::new(
            Check::Fetched,
            CheckState::Waiting,
            "Nothing was fetched yet.",
        )
        .remedy("Synchronise the directory in the product.");
    };
    let seen = match facts.position - position {
        ..=0 => format!("{} has everything.", one.name),
        behind => format!("{} is {} behind.", one.name, counted(behind, "change")),
    };
    CheckItem::new(Check::Fetched, CheckState::Done, seen).at(one.last_seen)
}

fn counted(count: i64, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_nobody_can_reach_is_told() {
        for (url, told) in [
            ("http://localhost:8080/scim/v2/x", "the machine itself"),
            ("https://127.0.0.1/scim/v2/x", "the machine itself"),
            ("http://[::1]:80/scim/v2/x", "the machine itself"),
            ("http://vestibule.example.org/scim/v2/x", "not HTTPS"),
            ("https://vestibule.example.org/scim/v2/x", "certificate"),
            ("https://localhost.example.org", "certificate"),
        ] {
            assert!(unreached(url).contains(told), "{url}");
        }
    }
}
