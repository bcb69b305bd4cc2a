//! The conversation of one check with the server: it keeps what was said, and knows what it created.

use std::cell::{Cell, RefCell};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use crate::fixture::Cast;
use crate::profile::Profile;
use crate::run::{Cancel, Stage};
use crate::stop::{Step, Stop, fault, preparing};
use crate::wire::{Answer, Ask, NoAnswer, Wire};

/// The schema of users.
pub const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// The schema of groups.
pub const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// The enterprise extension of users.
pub const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// The schema of PATCH requests.
pub const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
/// The schema of lists.
pub const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
/// An id that no server has given.
pub const GHOST: &str = "b0000000-0000-4000-8000-0badc0ffee00";

/// So often a request that is told to come later is sent again.
const RETRIES: usize = 4;
/// Nobody has to wait longer than this for one answer of "later".
const RETRY_WAIT_MAX: Duration = Duration::from_secs(60);

/// A request and what came, for a report.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// What was sent.
    pub sent: String,
    /// What came.
    pub came: String,
}

/// Something that was created.
#[derive(Debug, Clone)]
pub struct Made {
    /// Its id.
    pub id: String,
    /// Its path below the base URL.
    pub path: String,
    /// What was sent.
    pub sent: Value,
    /// What came.
    pub body: Value,
}

/// The paths of what was created and has to go, and to which tenant it belongs.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<Vec<(Tenant, String)>>);

/// Which of the two tenants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tenant {
    /// The one under test.
    First,
    /// The other one.
    Second,
}

impl Ledger {
    /// Notes what an answer says was created or deleted.
    fn note(&self, tenant: Tenant, ask: &Ask, answer: &Answer) {
        if !answer.is_success() {
            return;
        }
        let path = ask.path().split('?').next().unwrap_or_default();
        let path = path.trim_end_matches('/');
        if ask.method() == "DELETE" {
            self.strike(tenant, path);
            return;
        }
        let operations = answer.body["Operations"].as_array();
        for location in operations.into_iter().flatten() {
            let location = location["location"].as_str().unwrap_or_default();
            for collection in ["/Users/", "/Groups/"] {
                if let Some(at) = location.find(collection) {
                    self.add(tenant, location[at..].to_owned());
                }
            }
        }
        if ask.method() == "POST"
            && matches!(path, "/Users" | "/Groups")
            && let Some(id) = answer.body["id"].as_str()
        {
            self.add(tenant, format!("{path}/{}", encoded(id)));
        }
    }

    fn add(&self, tenant: Tenant, path: String) {
        let mut all = self.0.lock().unwrap_or_else(|broken| broken.into_inner());
        if !all.contains(&(tenant, path.clone())) {
            all.push((tenant, path));
        }
    }

    fn strike(&self, tenant: Tenant, path: &str) {
        let mut all = self.0.lock().unwrap_or_else(|broken| broken.into_inner());
        all.retain(|(whose, known)| !(*whose == tenant && known == path));
    }

    /// Takes everything out, groups before users, the newest first.
    pub fn take(&self) -> Vec<(Tenant, String)> {
        let mut all = self.0.lock().unwrap_or_else(|broken| broken.into_inner());
        let mut taken = std::mem::take(&mut *all);
        taken.reverse();
        taken.sort_by_key(|(_, path)| path.starts_with("/Users"));
        taken
    }
}

/// The conversation of one check.
pub struct Talk<'r> {
    stage: &'r Stage,
    /// The check's id in lower case.
    name: String,
    log: RefCell<Vec<Exchange>>,
    ledger: Ledger,
    names: Cell<usize>,
}

impl<'r> Talk<'r> {
    /// A new conversation.
    pub fn new(stage: &'r Stage, id: &str) -> Talk<'r> {
        Talk {
            stage,
            name: id.to_lowercase(),
            log: RefCell::default(),
            ledger: Ledger::default(),
            names: Cell::new(0),
        }
    }

    /// What was said, in order.
    pub fn log(&self) -> Vec<Exchange> {
        self.log.borrow().clone()
    }

    /// What it created.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// What the server says about itself.
    pub fn profile(&self) -> &Profile {
        &self.stage.profile
    }

    /// The way to the server.
    pub fn wire(&self) -> &Wire {
        &self.stage.wire
    }

    /// So many members a big group gets.
    pub fn crowd_size(&self) -> usize {
        self.stage.crowd
    }

    /// The users that many checks read and none changes.
    pub fn cast(&self) -> Step<&'r Cast> {
        let made = self.stage.cast.get_or_init(|| Cast::gather(self.stage));
        match made {
            Ok(cast) => Ok(cast),
            Err(Stop::Cancelled) => Err(Stop::Cancelled),
            Err(stop) => preparing("creating users to look for", Err(stop.clone())),
        }
    }

    /// A name that nothing else on the server has.
    pub fn name(&self) -> String {
        let nth = self.names.get() + 1;
        self.names.set(nth);
        format!("{}-{}-{nth}", self.stage.prefix, self.name)
    }

    /// Sends a request.
    pub fn ask(&self, ask: &Ask) -> Step<Answer> {
        let came = self.stage.ask(Tenant::First, ask);
        self.noted(Tenant::First, ask, came)
    }

    /// Sends a request to the other tenant.
    pub fn ask_other(&self, ask: &Ask) -> Step<Answer> {
        let came = self.stage.ask(Tenant::Second, ask);
        self.noted(Tenant::Second, ask, came)
    }

    /// Sends all requests at the same time.
    pub fn at_once(&self, asks: &[Ask]) -> Step<Vec<Answer>> {
        let came = self.stage.all_at_once(asks);
        asks.iter()
            .zip(came)
            .map(|(ask, came)| self.noted(Tenant::First, ask, came))
            .collect()
    }

    fn noted(&self, tenant: Tenant, ask: &Ask, came: Result<Answer, Unanswered>) -> Step<Answer> {
        let came = match came {
            Ok(answer) => Ok(answer),
            Err(Unanswered::Cancelled) => return Err(Stop::Cancelled),
            Err(Unanswered::Why(why)) => Err(why),
        };
        let mut log = self.log.borrow_mut();
        let told = match &came {
            Ok(answer) => answer.told(),
            Err(why) => why.to_string(),
        };
        let wire = self.wire();
        log.push(Exchange {
            sent: wire.redacted(&ask.told()),
            came: wire.redacted(&told),
        });
        let mut answer = came?;
        answer.nth = log.len() - 1;
        self.ledger.note(tenant, ask, &answer);
        Ok(answer)
    }

    /// GET.
    pub fn get(&self, path: &str) -> Step<Answer> {
        self.ask(&Ask::new("GET", path))
    }

    /// POST of JSON.
    pub fn post(&self, path: &str, body: &Value) -> Step<Answer> {
        self.ask(&Ask::new("POST", path).json(body))
    }

    /// PUT of JSON.
    pub fn put(&self, path: &str, body: &Value) -> Step<Answer> {
        self.ask(&Ask::new("PUT", path).json(body))
    }

    /// PATCH with these operations.
    pub fn patch(&self, path: &str, operations: &Value) -> Step<Answer> {
        self.ask(&patch(path, operations))
    }

    /// DELETE.
    pub fn delete(&self, path: &str) -> Step<Answer> {
        self.ask(&Ask::new("DELETE", path))
    }

    /// GET of a collection with query parameters.
    pub fn query(&self, collection: &str, parameters: &[(&str, &str)]) -> Step<Answer> {
        self.get(&with_query(collection, parameters))
    }

    /// The list that a filter gives, which has to be one.
    pub fn filtered(&self, collection: &str, filter: &str) -> Step<Answer> {
        let answer = self.query(collection, &[("filter", filter)])?;
        answer.status(&[200])?;
        Ok(answer)
    }

    /// The body of a user of a new name, with these attributes over the usual ones; null takes one out.
    pub fn user_body(&self, more: Value) -> Value {
        let name = self.name();
        let mail = format!("{name}@example.com");
        let mut body = json!({
            "schemas": [USER],
            "userName": mail,
            "name": {"givenName": "Check", "familyName": "Probe"},
            "displayName": name,
            "emails": [{"value": mail, "type": "work", "primary": true}],
            "active": true,
        });
        merge(&mut body, more);
        body
    }

    /// The body of a group of a new name.
    pub fn group_body(&self, members: &[&str]) -> Value {
        let members: Vec<Value> = members.iter().map(|id| json!({"value": id})).collect();
        let mut body = json!({"schemas": [GROUP], "displayName": self.name()});
        if !members.is_empty() {
            body["members"] = members.into();
        }
        body
    }

    /// Creates something that the check is not about: if that fails, another check tells.
    pub fn make(&self, collection: &str, body: Value) -> Step<Made> {
        let made = self
            .post(collection, &body)
            .and_then(|answer| created(collection, body, &answer));
        preparing("creating what it needs", made)
    }

    /// A user that the check is not about.
    pub fn user(&self, more: Value) -> Step<Made> {
        self.make("/Users", self.user_body(more))
    }

    /// A group that the check is not about.
    pub fn group(&self, members: &[&str]) -> Step<Made> {
        self.make("/Groups", self.group_body(members))
    }

    /// Many users, some at the same time.
    pub fn users(&self, count: usize) -> Step<Vec<Made>> {
        let bodies: Vec<Value> = (0..count).map(|_| self.user_body(json!({}))).collect();
        let mut made = Vec::new();
        for lot in bodies.chunks(8) {
            let asks: Vec<Ask> = lot
                .iter()
                .map(|body| Ask::new("POST", "/Users").json(body))
                .collect();
            let answers = preparing("creating users", self.at_once(&asks))?;
            for (body, answer) in lot.iter().zip(&answers) {
                let one = created("/Users", body.clone(), answer);
                made.push(preparing("creating users", one)?);
            }
        }
        Ok(made)
    }

    /// Reads something back, which has to be there.
    pub fn read(&self, made: &Made) -> Step<Answer> {
        let answer = self.get(&made.path)?;
        answer.status(&[200])?;
        answer.object()?;
        Ok(answer)
    }

    /// The ids of a group's members, sorted.
    pub fn members(&self, group: &Made) -> Step<Vec<String>> {
        Ok(member_ids(&self.read(group)?.body))
    }

    /// Fails unless the group has exactly these members.
    pub fn expect_members(&self, group: &Made, wanted: &[&Made]) -> Step {
        let answer = self.read(group)?;
        let came = member_ids(&answer.body);
        let mut ids: Vec<String> = wanted.iter().map(|user| user.id.clone()).collect();
        ids.sort_unstable();
        answer.ensure(
            came == ids,
            format!("{} members: {ids:?}", ids.len()),
            || format!("{} members: {came:?}", came.len()),
        )
    }
}

/// What was created, from the answer to its POST.
pub fn created(collection: &str, sent: Value, answer: &Answer) -> Step<Made> {
    answer.status(&[201, 200])?;
    let id = answer.string("/id")?.to_owned();
    Ok(Made {
        path: format!("{collection}/{}", encoded(&id)),
        id,
        sent,
        body: answer.body.clone(),
    })
}

/// A PATCH with these operations.
pub fn patch(path: &str, operations: &Value) -> Ask {
    Ask::new("PATCH", path).json(&json!({"schemas": [PATCH_OP], "Operations": operations}))
}

/// A path with a query.
pub fn with_query(path: &str, parameters: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = parameters
        .iter()
        .map(|(name, value)| format!("{name}={}", encoded(value)))
        .collect();
    match pairs.is_empty() {
        true => path.to_owned(),
        false => format!("{path}?{}", pairs.join("&")),
    }
}

/// All but the characters that need no encoding anywhere in a URL (RFC 3986 section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Percent-encoded for a path or a query.
pub fn encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// The ids of the members of a group as it was answered, sorted.
pub fn member_ids(group: &Value) -> Vec<String> {
    let members = group["members"].as_array();
    let ids = members
        .into_iter()
        .flatten()
        .filter_map(|member| member["value"].as_str());
    let mut ids: Vec<String> = ids.map(str::to_owned).collect();
    ids.sort_unstable();
    ids
}

/// The resources of a list.
pub fn resources(answer: &Answer) -> Vec<Value> {
    answer.body["Resources"]
        .as_array()
        .cloned()
        .unwrap_or_default()
}

/// The texts of one attribute of all resources of a list.
pub fn column(answer: &Answer, attribute: &str) -> Vec<String> {
    let of = |resource: &Value| resource[attribute].as_str().map(str::to_owned);
    resources(answer).iter().filter_map(of).collect()
}

fn merge(body: &mut Value, more: Value) {
    let Value::Object(more) = more else { return };
    let nothing = Map::new();
    let body = match body {
        Value::Object(map) => map,
        other => {
            *other = Value::Object(nothing);
            return merge(other, Value::Object(more));
        }
    };
    for (key, value) in more {
        match value {
            Value::Null => drop(body.shift_remove(&key)),
            value => drop(body.insert(key, value)),
        }
    }
}

/// Why there is no answer.
#[derive(Debug, Clone)]
pub enum Unanswered {
    /// The user wants to end.
    Cancelled,
    /// Something with the connection.
    Why(NoAnswer),
}

/// Tells that the run waits: once for all requests that wait at the same time.
#[derive(Debug)]
pub struct Patience {
    told: fn(&str),
    until: Mutex<Option<Instant>>,
}

impl Patience {
    /// Tells it to this one.
    pub fn new(told: fn(&str)) -> Patience {
        Patience {
            told,
            until: Mutex::default(),
        }
    }

    fn waits(&self, wait: Duration, status: u16) {
        let now = Instant::now();
        let mut until = self
            .until
            .lock()
            .unwrap_or_else(|broken| broken.into_inner());
        if until.is_none_or(|until| until <= now) {
            (self.told)(&format!(
                "waiting {} s, since the server answered {status} and asked for it",
                wait.as_secs()
            ));
            *until = Some(now + wait);
        }
    }
}

/// Sends a request, again if the server asks for patience; ends early when the user wants to end.
pub async fn patiently(
    wire: &Wire,
    cancel: &Cancel,
    patience: &Patience,
    ask: &Ask,
) -> Result<Answer, Unanswered> {
    let mut left = RETRIES;
    loop {
        let answer = tokio::select! {
            () = cancel.cancelled() => return Err(Unanswered::Cancelled),
            answer = wire.send(ask) => answer.map_err(Unanswered::Why)?,
        };
        let is_later = matches!(answer.status, 429 | 503);
        let wait = answer
            .header("retry-after")
            .and_then(|seconds| seconds.trim().parse().ok())
            .map(Duration::from_secs);
        let Some(wait) = wait.filter(|_| is_later && left > 0) else {
            return Ok(answer);
        };
        left -= 1;
        let wait = wait.min(RETRY_WAIT_MAX);
        patience.waits(wait, answer.status);
        tokio::select! {
            () = cancel.cancelled() => return Err(Unanswered::Cancelled),
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Sends all at the same time.
pub async fn together(
    wire: &Wire,
    cancel: &Cancel,
    patience: &Patience,
    asks: &[Ask],
) -> Vec<Result<Answer, Unanswered>> {
    join_all(
        asks.iter()
            .map(|ask| patiently(wire, cancel, patience, ask)),
    )
    .await
}

/// Fails with the first difference between what came and what should have.
pub fn expect(answer: &Answer, wanted: &Value) -> Step {
    match crate::compare::difference(&answer.body, wanted) {
        None => Ok(()),
        Some(difference) => answer.wrong(format!("a resource with {wanted}"), difference),
    }
}

/// Fails unless exactly one of the answers has this status.
pub fn exactly_one(answers: &[Answer], status: u16, what: &str) -> Step {
    let all: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    match all.iter().filter(|one| **one == status).count() {
        1 => Ok(()),
        _ => fault(
            format!("exactly one {what} with {status}"),
            format!("{all:?}"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn who_waits_says_so_once_for_all_who_wait() {
        static TOLD: AtomicUsize = AtomicUsize::new(0);
        let patience = Patience::new(|text| {
            assert!(
                text.contains("waiting 60 s") && text.contains("429"),
                "{text}"
            );
            TOLD.fetch_add(1, Ordering::SeqCst);
        });
        for _ in 0..8 {
            patience.waits(Duration::from_secs(60), 429);
        }
        assert_eq!(TOLD.load(Ordering::SeqCst), 1);
    }
}
