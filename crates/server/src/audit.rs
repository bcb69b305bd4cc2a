//! What goes into the audit log: whatever changes something through the admin API, and every way in.

mod changes;
mod look;
mod place;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{MatchedPath, Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use directory::Connector;
use jiff::{SignedDuration, Timestamp};
use provision::ProvisionError;
use store::{ActorKind, AuditDraft};

pub(crate) use changes::Changes;
pub(crate) use look::Turns;
pub(crate) use place::{by_ids, wanted};

use crate::App;
use crate::api::{BASE, Problem, Why};
use crate::authority::{Admin, request_id};
use crate::operations::{Effect, Operation, Operations};
use crate::record::redacted_json;
use look::{Caller, Sight};
use place::readable;

/// Failures of people who did not prove to be anybody that are entered in one minute: nobody fills the log by knocking.
const FAILURES_PER_MINUTE: u32 = 60;
/// Of a longer body nothing is kept: it is rules or people, of which there are versions and a journal.
const BODY_BYTES_MAX: usize = 4_096;
/// How often old entries are looked for, and changes that were cut off.
const LOOK_EVERY: Duration = Duration::from_secs(600);
/// What is entered although it changes nothing: who took everything of a kind with them.
const TAKEN: [&str; 4] = [
    "export_audit_csv",
    "export_audit_json",
    "export_configuration",
    "take_backup",
];
/// What is entered that is no operation of the admin API.
const ENTRIES: [&str; 8] = [
    "accept_invitation",
    "prove_again",
    "restore_backup",
    "second_factor",
    "sign_in",
    "sign_in_openid",
    "sign_out",
    "token",
];
/// Below here bodies are passwords and codes.
const ACCOUNT: &str = "/account";

/// What a handler read as the body of its request, for the audit log.
#[derive(Clone, Default)]
pub(crate) struct ReadBody(Arc<Mutex<Option<Bytes>>>);

impl ReadBody {
    /// Notes a body.
    pub(crate) fn note(&self, bytes: &Bytes) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(bytes.clone());
    }

    fn take(&self) -> Option<Bytes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Who enters what was done through the admin API: knows the operations, and looks at what they change.
#[derive(Clone)]
pub(crate) struct Auditor {
    app: App,
    operations: Operations,
    sight: Sight,
}

impl Auditor {
    /// One who looks at objects by these routes.
    pub(crate) fn new(app: App, operations: Operations, routes: Router<App>) -> Self {
        let sight = Sight::new(routes.with_state(app.clone()));
        Self {
            app,
            operations,
            sight,
        }
    }

    /// The operation of a request, if it is to be entered.
    fn operation(&self, request: &Request) -> Option<Operation> {
        let route = request.extensions().get::<MatchedPath>()?;
        let route = route.as_str().strip_prefix(BASE)?;
        let operation = self.operations.at(request.method(), route)?;
        is_entered(operation).then(|| operation.clone())
    }

    /// Notes that a change begins, so that it is told of whatever happens to the program. What only takes something along
    /// changes nothing, and would be in the backup that it takes.
    async fn begin(
        &self,
        operation: &Operation,
        draft: &AuditDraft,
    ) -> Result<Option<i64>, ProvisionError> {
        match operation.changes {
            Effect::Nothing => Ok(None),
            _ => {
                let begun = self.app.provision().begin_audit(draft.clone()).await;
                begun.map(Some)
            }
        }
    }

    /// What a request is about, by ids; looked up before it is carried out, since names may change by it.
    async fn object(&self, target: &str) -> Option<String> {
        let target = target.to_owned();
        let store = self.app.provision().store();
        let found = store.look_up(move |tx| by_ids(tx, &target)).await;
        found
            .inspect_err(
                |error| tracing::warn!(%error, "what a change is about cannot be looked up"),
            )
            .ok()
    }
}

/// Enters what changes something, after it happened or was refused and before it is answered.
pub(crate) async fn enter(
    State(auditor): State<Auditor>,
    mut request: Request,
    next: Next,
) -> Response {
    let admin = request.extensions().get::<Admin>().cloned();
    let (Some(admin), Some(operation)) = (admin, auditor.operation(&request)) else {
        return next.run(request).await;
    };
    let path = request.uri().path().to_owned();
    let mut draft = drafted(&admin, &operation, &path);
    draft.object = auditor.object(&draft.target).await;
    let body = ReadBody::default();
    request.extensions_mut().insert(body.clone());
    let caller = Caller::new(admin, request.headers());
    let look = auditor.look(&operation.changes, caller, &path).await;
    let begun = match auditor.begin(&operation, &draft).await {
        Ok(begun) => begun,
        Err(error) => return Problem::from(error).into_response(),
    };
    let mut response = next.run(request).await;
    let status = response.status();
    // Nothing was there to be changed, or it was not understood.
    if [StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED].contains(&status) {
        auditor.app.forget_begun(begun).await;
        return response;
    }
    draft.succeeded = status.is_success();
    if draft.succeeded {
        let seen = look.again(&auditor.sight, &mut response).await;
        draft.changes = seen.changes.and_then(|it| serde_json::to_string(&it).ok());
        if let Some(id) = seen.made {
            draft.target = format!("{}/{id}", draft.target);
            draft.object = draft.object.map(|list| format!("{list}/{id}"));
        }
    }
    let sent = body.take().filter(|_| !draft.target.starts_with(ACCOUNT));
    let sent = sent.map(|bytes| match bytes.len() {
        0..=BODY_BYTES_MAX => redacted_json(&bytes),
        many => format!("({many} bytes)"),
    });
    let answered = (!draft.succeeded).then(|| {
        let why = response.extensions().get::<Why>();
        let why = why.map(|Why(text)| format!(" ({text})"));
        format!("answered {}{}", status.as_u16(), why.unwrap_or_default())
    });
    let parts: Vec<String> = answered.into_iter().chain(sent).collect();
    draft.detail = parts.join(": ");
    auditor.app.note_ended(begun, draft).await;
    response
}

fn drafted(admin: &Admin, operation: &Operation, path: &str) -> AuditDraft {
    AuditDraft {
        actor_kind: admin.kind,
        actor_id: admin.id.clone(),
        actor: admin.name.clone(),
        address: admin.address.map(|address| address.to_string()),
        request: admin.request.clone(),
        action: operation.name.clone(),
        target: readable(path),
        succeeded: false,
        detail: String::new(),
        changes: None,
        object: None,
    }
}

/// How many failures of nobody were entered lately.
#[derive(Default)]
pub(crate) struct Knocking(Mutex<(Option<Timestamp>, u32)>);

impl Knocking {
    fn may_enter(&self, now: Timestamp) -> bool {
        let mut lately = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let minute = SignedDuration::from_mins(1);
        if lately
            .0
            .is_none_or(|since| now.duration_since(since).abs() >= minute)
        {
            *lately = (Some(now), 0);
        }
        lately.1 += 1;
        lately.1 <= FAILURES_PER_MINUTE
    }
}

/// A way in, or an attempt.
pub(crate) struct Entry<'e> {
    /// `sign_in`, `sign_out`, `second_factor`, `accept_invitation`, `token`.
    pub(crate) action: &'static str,
    /// Id and name of the administrator, where it is known whose account it is.
    pub(crate) who: Option<(&'e str, &'e str)>,
    /// Why it failed; nothing if it did not.
    pub(crate) failure: Option<&'e str>,
    pub(crate) address: Option<IpAddr>,
    pub(crate) headers: &'e axum::http::HeaderMap,
    pub(crate) target: &'e str,
}

/// A token of a connector that somebody without an account made by a set-up link.
pub(crate) struct MadeByLink<'e> {
    /// What the link is called.
    pub(crate) link: String,
    pub(crate) connector: &'e Connector,
    /// The id of the token.
    pub(crate) token: &'e str,
    /// The id of the one that the link had made before, which ended by that.
    pub(crate) ended: Option<&'e str>,
    pub(crate) address: Option<IpAddr>,
    pub(crate) headers: &'e axum::http::HeaderMap,
}

/// The actions that entries may have, in their order.
pub(crate) fn actions() -> &'static [String] {
    static ACTIONS: LazyLock<Vec<String>> = LazyLock::new(|| {
        let operations = Operations::of(&crate::api::description());
        let others = ENTRIES.into_iter().map(str::to_owned);
        let all: BTreeSet<String> = operations.names(is_entered).chain(others).collect();
        all.into_iter().collect()
    });
    &ACTIONS
}

/// Whether what an operation does is entered.
fn is_entered(operation: &Operation) -> bool {
    operation.changes != Effect::Nothing || TAKEN.contains(&operation.name.as_str())
}

impl App {
    /// Enters a way in. Who never proved to be anybody is entered so often in a minute and not more.
    pub(crate) async fn note_entry(&self, entry: Entry<'_>) {
        let now = self.provision().store().now();
        if entry.failure.is_some() && !self.inner().knocking.may_enter(now) {
            return;
        }
        let (id, name) = entry.who.unzip();
        if let Some(why) = entry.failure {
            let (action, address) = (entry.action, entry.address.map(|it| it.to_string()));
            tracing::warn!(
                action,
                account = id,
                address,
                why,
                "somebody was not let in"
            );
        }
        self.note_audit(AuditDraft {
            actor_kind: match id {
                Some(_) => ActorKind::Administrator,
                None => ActorKind::Nobody,
            },
            actor_id: id.map(str::to_owned),
            actor: name.unwrap_or_default().to_owned(),
            address: entry.address.map(|address| address.to_string()),
            request: request_id(entry.headers),
            action: entry.action.to_owned(),
            target: entry.target.to_owned(),
            succeeded: entry.failure.is_none(),
            detail: entry.failure.unwrap_or_default().to_owned(),
            changes: None,
            object: None,
        })
        .await;
    }

    /// Forgets a change that was begun, where nothing was there to be changed. If that fails, it is entered as cut off later.
    async fn forget_begun(&self, begun: Option<i64>) {
        let Some(begun) = begun else { return };
        if let Err(error) = self.provision().end_audit(begun, None).await {
            tracing::warn!(%error, "a request that changed nothing cannot be forgotten");
        }
    }

    /// Enters a token that was made by a set-up link.
    pub(crate) async fn note_token_by_link(&self, made: MadeByLink<'_>) {
        let path = |connector: &str| format!("/connectors/{connector}/tokens/{}", made.token);
        let ended = made
            .ended
            .map(|id| format!("the token {id}, which the link had made before, stopped working"));
        self.note_audit(AuditDraft {
            actor_kind: ActorKind::Nobody,
            actor_id: None,
            target: path(&made.connector.name),
            object: Some(path(&made.connector.public_id)),
            actor: made.link,
            address: made.address.map(|address| address.to_string()),
            request: request_id(made.headers),
            action: "create_connector_token".to_owned(),
            succeeded: true,
            detail: ended.unwrap_or_default(),
            changes: None,
        })
        .await;
    }

    async fn note_audit(&self, draft: AuditDraft) {
        self.note_ended(None, draft).await;
    }

    /// Enters how a change ended. What cannot be entered is in the program's log at least.
    async fn note_ended(&self, begun: Option<i64>, draft: AuditDraft) {
        let entered = match begun {
            Some(begun) => self.provision().end_audit(begun, Some(draft.clone())).await,
            None => self.provision().audit(draft.clone()).await,
        };
        if let Err(error) = entered {
            let AuditDraft {
                actor,
                action,
                target,
                ..
            } = draft;
            tracing::error!(%error, actor, action, target, "the audit log cannot be written");
        }
    }
}

/// Removes entries that are too old, and enters changes that were cut off.
pub(crate) async fn maintain(app: App) {
    loop {
        match app.provision().enter_cut_off().await {
            Ok(0) => {}
            Ok(count) => tracing::warn!(count, "changes were cut off; the audit log has them"),
            Err(error) => tracing::warn!(%error, "changes that were cut off cannot be looked for"),
        }
        match app.provision().prune_audit().await {
            Ok(0) => tokio::time::sleep(LOOK_EVERY).await,
            Ok(count) => tracing::info!(count, "old entries of the audit log were removed"),
            Err(error) => {
                tracing::warn!(%error, "old entries of the audit log could not be removed");
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knocking_does_not_fill_the_log() {
        let knocking = Knocking::default();
        let now = Timestamp::UNIX_EPOCH;
        let entered = (0..200).filter(|_| knocking.may_enter(now)).count();
        assert_eq!(entered, FAILURES_PER_MINUTE as usize);
        assert!(knocking.may_enter(now + SignedDuration::from_mins(1)));
    }
}
