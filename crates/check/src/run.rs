//! One run: the server is looked at, the checks are played, and everything that was created is deleted.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Instant;

use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::sync::Notify;

use crate::catalogue::{Check, Client, Level, all};
use crate::fixture::Cast;
use crate::profile::{Need, Profile};
use crate::report::{Evidence, Outcome, Report, Verdict};
use crate::stop::{Fault, Step, Stop};
use crate::talk::{
    Exchange, Ledger, Patience, Talk, Tenant, Unanswered, encoded, patiently, resources, together,
    with_query,
};
use crate::target::Target;
use crate::wire::{Answer, Ask, Wire};

/// All names of things that are created begin so.
const MARK: &str = "vcheck";
/// More exchanges than these are not kept of a failed check; the last ones tell most.
const EXCHANGES_KEPT: usize = 12;

/// What to run and against what.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The server.
    pub target: Target,
    /// A second tenant of the same server, for the checks that tenants are apart.
    pub other: Option<Target>,
    /// Which checks.
    pub selection: Selection,
    /// Whether only what writes nothing is run.
    pub is_read_only: bool,
    /// The habits of these clients count as failures and not as warnings.
    pub clients: Vec<Client>,
    /// Whether everything counts as a failure.
    pub is_strict: bool,
    /// So many checks run at the same time.
    pub concurrency: usize,
    /// So many members a big group gets.
    pub crowd: usize,
    /// Hears, from any thread, that the run waits because the server asked for patience.
    pub told: fn(&str),
}

impl Plan {
    /// Everything, four checks at a time, with big groups of 101 members.
    pub fn new(target: Target) -> Plan {
        Plan {
            target,
            other: None,
            selection: Selection::default(),
            is_read_only: false,
            clients: Vec::new(),
            is_strict: false,
            concurrency: 4,
            crowd: 101,
            told: |_| {},
        }
    }
}

/// Ids and sections; all checks if there are none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection(pub Vec<String>);

impl Selection {
    /// Whether the check is meant: by its id, or by the beginning of it up to a dash.
    pub fn has(&self, check: &Check) -> bool {
        self.0.is_empty() || self.0.iter().any(|word| is_meant(word, check.id))
    }

    /// A word that means nothing.
    pub fn unknown(&self, checks: &[Check]) -> Option<&str> {
        let is_unknown = |word: &&String| !checks.iter().any(|check| is_meant(word, check.id));
        self.0.iter().find(is_unknown).map(String::as_str)
    }
}

fn is_meant(word: &str, id: &str) -> bool {
    let word = word.to_ascii_uppercase();
    id.strip_prefix(word.as_str())
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// Ends a run early; what was created is deleted all the same.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<(AtomicBool, Notify)>);

impl Cancel {
    /// Ends the run.
    pub fn cancel(&self) {
        self.0.0.store(true, Ordering::SeqCst);
        self.0.1.notify_waiters();
    }

    /// Whether it is to end.
    pub fn is_cancelled(&self) -> bool {
        self.0.0.load(Ordering::SeqCst)
    }

    pub(crate) async fn cancelled(&self) {
        let told = self.0.1.notified();
        let mut told = std::pin::pin!(told);
        // Registered before the look at the flag, so that no call gets lost between both.
        told.as_mut().enable();
        if !self.is_cancelled() {
            told.await;
        }
    }
}

/// Why nothing could be checked.
#[derive(Debug, thiserror::Error)]
pub enum CannotRun {
    /// What the caller asks for does not hold together.
    #[error("{0}")]
    Plan(String),
    /// The server does not answer.
    #[error("{url} cannot be reached: {why}")]
    Unreachable {
        /// The base URL.
        url: String,
        /// What happened.
        why: String,
    },
    /// The server does not accept the credentials.
    #[error("{url} does not accept the credentials: it answered GET /Users with {status}")]
    Refused {
        /// The base URL.
        url: String,
        /// The status code.
        status: u16,
    },
}

/// What all checks of a run share.
pub struct Stage {
    runtime: Runtime,
    pub(crate) wire: Wire,
    other: Option<Wire>,
    pub(crate) prefix: String,
    pub(crate) profile: Profile,
    pub(crate) cancel: Cancel,
    patience: Patience,
    pub(crate) crowd: usize,
    pub(crate) cast: OnceLock<Result<Cast, Stop>>,
    /// What the shared users are.
    ledger: Mutex<Vec<(Tenant, String)>>,
    left_behind: Mutex<Vec<String>>,
    deleted: AtomicUsize,
}

/// Runs the checks of a plan. `watch` hears each outcome as it comes, from any thread.
pub fn run(
    plan: &Plan,
    cancel: &Cancel,
    watch: &(dyn Fn(&Outcome, usize) + Sync),
) -> Result<Report, CannotRun> {
    let begin = Instant::now();
    let every = all();
    if let Some(word) = plan.selection.unknown(&every) {
        return Err(CannotRun::Plan(format!(
            "there is no check or section `{word}`; --list shows all"
        )));
    }
    let checks: Vec<&Check> = every.iter().filter(|c| plan.selection.has(c)).collect();
    let stage = Stage::prepare(plan, cancel)?;
    let outcomes: Vec<OnceLock<Outcome>> = checks.iter().map(|_| OnceLock::new()).collect();
    let total = checks.len();
    let play = |nth: usize| {
        let outcome = stage.play(plan, checks[nth]);
        watch(&outcome, total);
        let _first = outcomes[nth].set(outcome);
    };
    let (alone, crowd): (Vec<usize>, Vec<usize>) =
        (0..total).partition(|nth| checks[*nth].is_alone);
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..plan.concurrency.clamp(1, 64) {
            scope.spawn(|| {
                while let Some(nth) = crowd.get(next.fetch_add(1, Ordering::SeqCst)) {
                    play(*nth);
                }
            });
        }
    });
    alone.into_iter().for_each(play);
    let left_behind = stage.clean_up(plan.is_read_only);
    Ok(Report {
        url: stage.wire.base().to_owned(),
        prefix: stage.prefix.clone(),
        offers: stage.profile.offers(),
        is_read_only: plan.is_read_only,
        is_cancelled: cancel.is_cancelled(),
        seconds: begin.elapsed().as_secs_f64(),
        outcomes: outcomes
            .into_iter()
            .filter_map(OnceLock::into_inner)
            .collect(),
        left_behind,
        deleted: stage.deleted.load(Ordering::SeqCst),
    })
}

impl Stage {
    fn prepare(plan: &Plan, cancel: &Cancel) -> Result<Stage, CannotRun> {
        let wire = Wire::new(&plan.target).map_err(CannotRun::Plan)?;
        only_base(wire.base())?;
        let other = plan
            .other
            .as_ref()
            .map(Wire::new)
            .transpose()
            .map_err(CannotRun::Plan)?;
        let runtime = Runtime::new()
            .map_err(|error| CannotRun::Plan(format!("no threads can be started: {error}")))?;
        let random = uuid::Uuid::new_v4().simple().to_string();
        let mut stage = Stage {
            runtime,
            wire,
            other,
            prefix: format!("{MARK}-{}", &random[..8]),
            profile: Profile {
                may_write: !plan.is_read_only,
                has_other: plan.other.is_some(),
                ..Profile::default()
            },
            cancel: cancel.clone(),
            patience: Patience::new(plan.told),
            crowd: plan.crowd.max(2),
            cast: OnceLock::new(),
            ledger: Mutex::default(),
            left_behind: Mutex::default(),
            deleted: AtomicUsize::new(0),
        };
        stage.look()?;
        Ok(stage)
    }

    /// Reads what the server says about itself, and whether it lets the caller in.
    fn look(&mut self) -> Result<(), CannotRun> {
        let url = self.wire.base().to_owned();
        let get = |path: &str| match self.ask(Tenant::First, &Ask::new("GET", path)) {
            Ok(answer) => Ok(answer),
            Err(Unanswered::Why(why)) => Err(CannotRun::Unreachable {
                url: url.clone(),
                why: why.to_string(),
            }),
            Err(Unanswered::Cancelled) => Err(CannotRun::Plan("stopped".to_owned())),
        };
        let users = get("/Users?count=1")?;
        if matches!(users.status, 401 | 403) {
            return Err(CannotRun::Refused {
                url: url.clone(),
                status: users.status,
            });
        }
        if users.status == 404 && !users.body.is_object() {
            let why = "GET /Users was answered with 404, and not in SCIM's form; the base URL ends before /Users";
            return Err(CannotRun::Unreachable {
                url: url.clone(),
                why: why.to_owned(),
            });
        }
        let config = get("/ServiceProviderConfig")?;
        let types = get("/ResourceTypes")?;
        let schemas = get("/Schemas")?;
        let groups = get("/Groups?count=1")?;
        let profile = &mut self.profile;
        profile.config = (config.status == 200 && config.body.is_object()).then_some(config.body);
        profile.types = resources(&types);
        profile.schemas = resources(&schemas);
        profile.has_groups = groups.status == 200 || profile.names_groups();
        Ok(())
    }

    pub(crate) fn ask(&self, tenant: Tenant, ask: &Ask) -> Result<Answer, Unanswered> {
        let wire = match tenant {
            Tenant::First => &self.wire,
            Tenant::Second => self.other.as_ref().unwrap_or(&self.wire),
        };
        let asked = patiently(wire, &self.cancel, &self.patience, ask);
        self.runtime.block_on(asked)
    }

    pub(crate) fn all_at_once(&self, asks: &[Ask]) -> Vec<Result<Answer, Unanswered>> {
        self.runtime
            .block_on(together(&self.wire, &self.cancel, &self.patience, asks))
    }

    /// Takes over what a conversation created, to be deleted at the end of the run.
    pub(crate) fn adopt(&self, talk: &Talk<'_>) {
        let mut all = self
            .ledger
            .lock()
            .unwrap_or_else(|broken| broken.into_inner());
        // `take` gives the newest first.
        all.extend(talk.ledger().take().into_iter().rev());
    }

    fn play(&self, plan: &Plan, check: &Check) -> Outcome {
        let begin = Instant::now();
        let lack = check
            .needs
            .iter()
            .find_map(|need: &Need| self.profile.lacks(*need));
        let talk = Talk::new(self, check.id);
        let came: Step = match lack {
            _ if self.cancel.is_cancelled() => Err(Stop::Cancelled),
            Some(reason) => Err(Stop::Skip(reason)),
            None => catch_unwind(AssertUnwindSafe(|| (check.play)(&talk))).unwrap_or_else(|_| {
                Err(Stop::Skip(
                    "the tester itself made a mistake here; please report it".to_owned(),
                ))
            }),
        };
        self.delete_all(talk.ledger());
        let (verdict, reason, evidence) = match came {
            Ok(()) => (Verdict::Pass, None, None),
            Err(Stop::Skip(reason)) => (Verdict::Skip, Some(self.wire.redacted(&reason)), None),
            Err(Stop::Cancelled) => (Verdict::Skip, Some("the run was stopped".to_owned()), None),
            Err(Stop::Fault(fault)) => {
                let evidence = self.evidence(check, &fault, talk.log());
                (weight(plan, check.level), None, Some(evidence))
            }
        };
        Outcome {
            id: check.id,
            section: check.section(),
            title: check.title,
            level: check.level.as_str(),
            client: match check.level {
                Level::Habit(client) => Some(client),
                _ => None,
            },
            source: check.source,
            verdict,
            reason,
            evidence,
            milliseconds: u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX),
        }
    }

    fn evidence(&self, check: &Check, fault: &Fault, log: Vec<Exchange>) -> Evidence {
        let about = fault.about.unwrap_or(log.len().saturating_sub(1));
        let blank = Exchange {
            sent: "nothing".to_owned(),
            came: "nothing".to_owned(),
        };
        let Exchange { sent, came } = log.get(about).cloned().unwrap_or(blank);
        let first = log.len().saturating_sub(EXCHANGES_KEPT);
        Evidence {
            expected: self.wire.redacted(&fault.expected),
            came: self.wire.redacted(&fault.came),
            sent,
            answer: came,
            why: check.why,
            fix: check.fix,
            conversation: log[first..]
                .iter()
                .map(|one| (one.sent.clone(), one.came.clone()))
                .collect(),
        }
    }

    /// Deletes what a check created, also when the run is to end.
    fn delete_all(&self, ledger: &Ledger) {
        for (tenant, path) in ledger.take() {
            self.delete(tenant, path);
        }
    }

    fn delete(&self, tenant: Tenant, path: String) {
        let wire = match tenant {
            Tenant::First => &self.wire,
            Tenant::Second => self.other.as_ref().unwrap_or(&self.wire),
        };
        // Nobody can stop this: it is the promise to leave nothing behind.
        let never = Cancel::default();
        let ask = Ask::new("DELETE", path.as_str());
        let asked = patiently(wire, &never, &self.patience, &ask);
        let is_gone = match self.runtime.block_on(asked) {
            Ok(answer) => answer.is_success() || matches!(answer.status, 404 | 410),
            Err(_) => false,
        };
        self.deleted.fetch_add(1, Ordering::SeqCst);
        if !is_gone {
            let mut left = self
                .left_behind
                .lock()
                .unwrap_or_else(|broken| broken.into_inner());
            left.push(path);
        }
    }

    /// Deletes the shared users, and whatever else bears the mark of this run: a request that timed out may
    /// have created something all the same.
    fn clean_up(&self, is_read_only: bool) -> Vec<String> {
        let shared = std::mem::take(
            &mut *self
                .ledger
                .lock()
                .unwrap_or_else(|broken| broken.into_inner()),
        );
        for (tenant, path) in shared.into_iter().rev() {
            self.delete(tenant, path);
        }
        if !is_read_only {
            for (collection, attribute) in [("/Groups", "displayName"), ("/Users", "userName")] {
                for path in self.remains(collection, attribute) {
                    self.delete(Tenant::First, path);
                }
            }
        }
        let mut left = self
            .left_behind
            .lock()
            .unwrap_or_else(|broken| broken.into_inner());
        let mut left = std::mem::take(&mut *left);
        left.sort_unstable();
        left.dedup();
        left
    }

    fn remains(&self, collection: &str, attribute: &str) -> Vec<String> {
        let filter = format!("{attribute} sw \"{}\"", self.prefix);
        let path = with_query(collection, &[("filter", &filter)]);
        let asked = self.runtime.block_on(patiently(
            &self.wire,
            &Cancel::default(),
            &self.patience,
            &Ask::new("GET", path),
        ));
        let Ok(answer) = asked else {
            return Vec::new();
        };
        // A server that passes over the filter answers with everybody: only what bears the mark is touched.
        let is_ours = |resource: &&Value| {
            let name = resource[attribute].as_str();
            name.is_some_and(|name| name.starts_with(&self.prefix))
        };
        let found = resources(&answer);
        let ids = found
            .iter()
            .filter(is_ours)
            .filter_map(|one| one["id"].as_str());
        ids.map(|id| format!("{collection}/{}", encoded(id)))
            .collect()
    }
}

/// Refuses an address that ends in one of those that are made from the base URL.
fn only_base(base: &str) -> Result<(), CannotRun> {
    const ENDPOINTS: [&str; 6] = [
        "Users",
        "Groups",
        "Bulk",
        "Schemas",
        "ResourceTypes",
        "ServiceProviderConfig",
    ];
    let Some((before, last)) = base.rsplit_once('/') else {
        return Ok(());
    };
    match ENDPOINTS.iter().any(|one| one.eq_ignore_ascii_case(last)) {
        true => Err(CannotRun::Plan(format!(
            "the URL ends in /{last}; the base URL is what is before that: {before}"
        ))),
        false => Ok(()),
    }
}

fn weight(plan: &Plan, level: Level) -> Verdict {
    let counts = match level {
        Level::Must => true,
        Level::Should => plan.is_strict,
        Level::Habit(client) => plan.is_strict || plan.clients.contains(&client),
    };
    match counts {
        true => Verdict::Fail,
        false => Verdict::Warn,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_a_collection_is_no_base_url() {
        let refused = only_base("https://a.example/scim/v2/users").unwrap_err();
        assert!(refused.to_string().ends_with(": https://a.example/scim/v2"));
        assert!(only_base("https://users.example/scim/v2/users-of-all").is_ok());
    }

    #[test]
    fn a_word_means_a_check_or_all_that_begin_with_it() {
        for (word, id, meant) in [
            ("USR-POST-01", "USR-POST-01", true),
            ("usr", "USR-POST-01", true),
            ("USR-POST", "USR-POST-01", true),
            ("US", "USR-POST-01", false),
            ("USR-POST-0", "USR-POST-01", false),
            ("GRP", "USR-POST-01", false),
        ] {
            assert_eq!(is_meant(word, id), meant, "{word}");
        }
        let unknown = Selection(vec!["usr".into(), "nothing".into()]);
        assert_eq!(unknown.unknown(&all()), Some("nothing"));
    }
}
