//! Jira against feeds that are right, torn, expired or not from a Crowd server at all.

use std::sync::{Arc, Mutex};

use super::{Jira, JiraError, Login};
use crate::fake::{Reply, serve};
use crate::report::quietly;

const USERS: &str = "<users expand='user'><user name='Mira'><first-name>Mira</first-name><last-name>&#x5d0;</last-name>\
    <display-name>Mira &amp; Co</display-name><email>m@x</email><key>1:a</key><active>true</active></user>\
    <user name='jon'><key>1:b</key><active>false</active></user></users>";
const GROUPS: &str = "<groups expand='group'><group name='eng'><description>E</description><type>GROUP</type>\
    <active>true</active></group><group name='All Staff'><type>GROUP</type><active>true</active></group></groups>";
const MEMBERSHIPS: &str = "<memberships><membership group='eng'><users><user name='mira'/></users><groups/></membership>\
    <membership group='all staff'><users><user name='jon'/></users><groups><group name='eng'/></groups></membership>\
    </memberships>";
const EVENTS: &str = "<events newEventToken='1:9' incrementalSynchronisationAvailable='true'/>";

fn event_feed(token: &str, events: &str) -> String {
    format!(
        "<events newEventToken='{token}' incrementalSynchronisationAvailable='true'>{events}</events>"
    )
}

/// A server whose answer to `event/{token}` can be changed, and whose other answers are the above.
async fn server(
    feed: Arc<Mutex<Reply>>,
    change: impl Fn(&str, Reply) -> Reply + Send + Sync + 'static,
) -> String {
    serve(move |call| {
        let path = call
            .path
            .trim_start_matches("/crowd/rest/usermanagement/1/")
            .to_owned();
        let reply = match path.as_str() {
            p if p.starts_with("search?entity-type=user") => Reply::crowd(200, USERS),
            p if p.starts_with("search?entity-type=group") => Reply::crowd(200, GROUPS),
            "group/membership" => Reply::crowd(200, MEMBERSHIPS),
            "event" => Reply::crowd(200, EVENTS),
            "event/1%3A9" => std::mem::replace(
                &mut *feed.lock().expect("a lock"),
                Reply::crowd(200, EVENTS),
            ),
            _ => Reply::crowd(404, "<error><reason>OPERATION_FAILED</reason></error>"),
        };
        change(&path, reply)
    })
    .await
}

async fn jira_after_full(feed: Arc<Mutex<Reply>>) -> Jira {
    let url = server(feed, |_, reply| reply).await;
    let mut jira = Jira::new(&format!("{url}/crowd/"), "jira", "pw")
        .expect("an address")
        .with_nested_groups(true);
    let done = jira
        .synchronize(&quietly)
        .await
        .expect("a full synchronisation");
    assert!(done.full && !done.fell_back && done.skipped.is_empty());
    jira
}

async fn after(events: &str) -> Result<Jira, JiraError> {
    let feed = Arc::new(Mutex::new(Reply::crowd(200, &event_feed("1:9", events))));
    let mut jira = jira_after_full(feed).await;
    jira.synchronize(&quietly)
        .await
        .map(|done| assert!(!done.full))
        .map(|()| jira)
}

fn set(names: &[&str]) -> std::collections::BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test]
async fn a_full_run_makes_five_calls_and_shows_the_picture() {
    let jira = jira_after_full(Arc::new(Mutex::new(Reply::empty(500)))).await;
    assert_eq!(jira.client().exchanges().len(), 5);
    assert_eq!(
        (
            jira.is_active("MIRA"),
            jira.is_active("jon"),
            jira.is_active("eve")
        ),
        (Some(true), Some(false), None)
    );
    assert_eq!(jira.members_of("ENG"), Some(set(&["Mira"])));
    assert_eq!(
        jira.directory().children_of("all staff"),
        Some(set(&["eng"]))
    );
    let mira = jira.directory().user_by_key("1:a").expect("Mira");
    assert_eq!(
        (mira.display_name.as_str(), mira.last_name.as_str()),
        ("Mira & Co", "א")
    );
}

#[tokio::test]
async fn events_are_applied_in_order() {
    let events = "<userEvent><operation>UPDATED</operation><user name='mira.s'><key>1:a</key><active>false</active></user></userEvent>\
        <userEvent><operation>DELETED</operation><user name='JON'/></userEvent>\
        <groupEvent><operation>CREATED</operation><group name='ops'><type>GROUP</type><active>true</active></group>\
        <storedAttributes/><deletedAttributes/></groupEvent>\
        <userMembershipEvent><operation>CREATED</operation><childUser name='mira.s'/><parentGroups><group name='ops'/></parentGroups></userMembershipEvent>\
        <groupMembershipEvent><operation>UPDATED</operation><group name='all staff'/><parentGroups/><childGroups><group name='ops'/></childGroups></groupMembershipEvent>\
        <groupEvent><operation>DELETED</operation><group name='nobody knows it'/></groupEvent>";
    let jira = after(events).await.expect("an incremental run");
    assert_eq!(
        jira.users()
            .map(|user| user.name.as_str())
            .collect::<Vec<_>>(),
        ["mira.s"]
    );
    assert_eq!(
        (jira.members_of("eng"), jira.members_of("ops")),
        (Some(set(&["mira.s"])), Some(set(&["mira.s"])))
    );
    assert_eq!(
        (jira.members_of("all staff"), jira.is_active("mira.s")),
        (Some(set(&[])), Some(false))
    );
    assert_eq!(
        jira.directory().children_of("all staff"),
        Some(set(&["ops"]))
    );
}

#[tokio::test]
async fn an_update_makes_all_groups_of_a_user_equal_to_the_list() {
    let events = "<userMembershipEvent><operation>UPDATED</operation><childUser name='mira'/><parentGroups>\
        <group name='All Staff'/></parentGroups></userMembershipEvent>\
        <userMembershipEvent><operation>DELETED</operation><childUser name='jon'/><parentGroups>\
        <group name='All Staff'/></parentGroups></userMembershipEvent>";
    let jira = after(events).await.expect("an incremental run");
    assert_eq!(
        (jira.members_of("eng"), jira.members_of("all staff")),
        (Some(set(&[])), Some(set(&["Mira"])))
    );
}

#[tokio::test]
async fn events_that_would_break_the_product_are_errors_and_lead_to_a_full_run() {
    let cases = [
        (
            "no active",
            "<userEvent><operation>UPDATED</operation><user name='x'><key>1:x</key></user></userEvent>",
        ),
        (
            "no storedAttributes",
            "<groupEvent><operation>CREATED</operation><group name='g'><type>GROUP</type><active>true</active></group></groupEvent>",
        ),
        (
            "unknown user",
            "<userMembershipEvent><operation>CREATED</operation><childUser name='x'/><parentGroups><group name='eng'/></parentGroups></userMembershipEvent>",
        ),
        (
            "unknown group",
            "<userMembershipEvent><operation>CREATED</operation><childUser name='jon'/><parentGroups><group name='x'/></parentGroups></userMembershipEvent>",
        ),
        (
            "unknown kind",
            "<otherEvent><operation>CREATED</operation></otherEvent>",
        ),
        (
            "operation",
            "<userEvent><operation>MOVED</operation><user name='x'/></userEvent>",
        ),
        (
            "somebody else",
            "<userEvent><operation>UPDATED</operation><user name='jon'><key>1:a</key><active>true</active></user></userEvent>",
        ),
    ];
    for (wanted, events) in cases {
        let feed = Arc::new(Mutex::new(Reply::crowd(200, &event_feed("1:9", events))));
        let mut jira = jira_after_full(feed).await;
        let error = jira.synchronize(&quietly).await.expect_err(wanted);
        assert!(error.to_string().contains(wanted), "{wanted}: {error}");
        assert!(
            jira.synchronize(&quietly).await.expect("a run").full,
            "{wanted}"
        );
    }
}

#[tokio::test]
async fn an_expired_token_leads_to_a_full_run() {
    let expired = "<error><reason>EVENT_TOKEN_EXPIRED</reason><message>m</message></error>";
    let mut jira = jira_after_full(Arc::new(Mutex::new(Reply::crowd(410, expired)))).await;
    let done = jira.synchronize(&quietly).await.expect("a run");
    assert!(done.full && done.fell_back);
    assert!(!jira.synchronize(&quietly).await.expect("a run").full);
}

#[tokio::test]
async fn answers_that_would_harm_the_picture_are_refused_and_the_old_one_stays() {
    type Change = fn(&str, Reply) -> Reply;
    let cases: [(&str, Change); 8] = [
        ("X-Embedded-Crowd-Version", |_, reply| {
            reply.without("x-embedded-crowd-version")
        }),
        ("application's name or password", |_, _| {
            Reply::crowd(401, "")
        }),
        ("no permission", |_, _| Reply::crowd(403, "")),
        ("content type", |_, reply| {
            reply.with("content-type", "application/json")
        }),
        ("no XML", |_, _| Reply::crowd(200, "<users")),
        ("no active", |path, reply| {
            match path.starts_with("search") {
                true => Reply::crowd(200, "<users><user name='x'><key>1</key></user></users>"),
                false => reply,
            }
        }),
        ("twice", |path, reply| {
            match path.starts_with("search?entity-type=group") {
                true => Reply::crowd(
                    200,
                    "<groups><group name='a'><type>GROUP</type><active>true</active></group>\
                <group name='A'><type>GROUP</type><active>true</active></group></groups>",
                ),
                false => reply,
            }
        }),
        ("OUT_OF_MEMORY", |path, reply| match path {
            "group/membership" => Reply::crowd(
                500,
                "<error><reason>OUT_OF_MEMORY</reason><message>m</message></error>",
            ),
            _ => reply,
        }),
    ];
    for (wanted, change) in cases {
        let broken = Arc::new(Mutex::new(false));
        let switch = Arc::clone(&broken);
        let url = server(
            Arc::new(Mutex::new(Reply::empty(500))),
            move |path, reply| {
                if *switch.lock().expect("a lock") {
                    change(path, reply)
                } else {
                    reply
                }
            },
        )
        .await;
        let mut jira = Jira::new(&format!("{url}/crowd"), "jira", "pw").expect("an address");
        jira.synchronize(&quietly).await.expect("a first run");
        *broken.lock().expect("a lock") = true;
        let error = jira.synchronize_fully(&quietly).await.expect_err(wanted);
        assert!(error.to_string().contains(wanted), "{wanted}: {error}");
        assert_eq!(jira.users().count(), 2, "{wanted}");
    }
}

#[tokio::test]
async fn torn_memberships_are_skipped_and_told() {
    let url = server(Arc::new(Mutex::new(Reply::empty(500))), |path, reply| match path {
        "group/membership" => Reply::crowd(
            200,
            "<memberships><membership group='eng'><users><user name='new'/></users><groups/></membership>\
             <membership group='unseen'><users/><groups/></membership></memberships>",
        ),
        _ => reply,
    })
    .await;
    let mut jira = Jira::new(&format!("{url}/crowd"), "jira", "pw").expect("an address");
    let done = jira.synchronize(&quietly).await.expect("a run");
    assert_eq!(done.skipped.len(), 2, "{:?}", done.skipped);
}

#[tokio::test]
async fn a_login_updates_user_and_groups() {
    let url = serve(
        |call| match call.path.trim_start_matches("/rest/usermanagement/1/") {
            p if p.starts_with("authentication") && call.body.contains("<value>a&lt;b</value>") => {
                Reply::crowd(
                    200,
                    "<user name='mira'><key>1:a</key><active>true</active></user>",
                )
            }
            p if p.starts_with("authentication") => Reply::crowd(
                400,
                "<error><reason>INVALID_USER_AUTHENTICATION</reason><message>no</message></error>",
            ),
            p if p.starts_with("user/group/direct") => {
                Reply::crowd(200, "<groups><group name='eng team'/></groups>")
            }
            p if p.starts_with("group?groupname=eng+team&") => Reply::crowd(
                200,
                "<group name='eng team'><type>GROUP</type><active>true</active></group>",
            ),
            _ => Reply::crowd(500, ""),
        },
    )
    .await;
    let mut jira = Jira::new(&url, "jira", "pw").expect("an address");
    let denied = jira.log_in("mira", "wrong").await.expect("an answer");
    assert_eq!(
        denied,
        Login::Denied("INVALID_USER_AUTHENTICATION".to_owned())
    );
    assert!(matches!(
        jira.log_in("mira", "a<b").await,
        Ok(Login::Accepted { .. })
    ));
    assert_eq!(jira.members_of("eng team"), Some(set(&["mira"])));
}
