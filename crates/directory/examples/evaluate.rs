//! How many people a second the rules decide on, on one core and without a database, with the program's allocator.
//!
//! For `cargo xtask bench`. Prints one line of JSON.

use std::error::Error;
use std::hint::black_box;
use std::time::Duration;

use directory::{
    CompiledRules, Rules, SourceGroup, SourceGroupPk, Subject, Trigger, apply, evaluate, plan,
};
use scim::{Dialect, Resource, ResourceType};
use serde_json::{Value, json};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Source groups of everybody.
const GROUPS: i64 = 20;
/// Rounds of which the best counts: neighbours only ever slow down.
const ROUNDS: u32 = 20;
/// Decisions in a round.
const ROUND: u32 = 5_000;

fn main() -> Result<(), Box<dyn Error>> {
    let ten: Vec<Value> = (0..10)
        .map(|number| {
            json!({"regex_replace": {
                "pattern": format!("(?i)(.*)\\.(.*)@(corp|part{number})\\.example"), "with": "$1.$2@corp.example",
            }})
        })
        .collect();
    let expressions = json!({"mapping": [{"target": "username", "steps": ten}]});
    println!(
        "{}",
        json!({ "default_rules": per_second(json!({}))?, "ten_expressions": per_second(expressions)? })
    );
    Ok(())
}

/// Users a second by some rules, of somebody whose account is as it should be.
fn per_second(written: Value) -> Result<f64, Box<dyn Error>> {
    let rules: Rules = serde_json::from_value(written)?;
    let rules = CompiledRules::new(&rules).map_err(|errors| format!("{errors:?}"))?;
    let user = user()?;
    let groups: Vec<SourceGroup> = (1..=GROUPS)
        .map(|id| SourceGroup::direct(SourceGroupPk(id), format!("team-{id}")))
        .collect();
    let mut subject = Subject {
        user: Some(&user),
        groups: &groups,
        existing: None,
        now: "2026-03-01T09:00:00Z".parse()?,
        trigger: Trigger::Reconcile,
        overrides: &[],
    };
    let account = apply(None, &plan(None, &evaluate(&subject, &rules)));
    subject.existing = account.as_ref();
    let mut best: f64 = 0.0;
    for _ in 0..ROUNDS {
        let begun = cpu()?;
        for _ in 0..ROUND {
            black_box(evaluate(black_box(&subject), &rules));
        }
        best = best.max(f64::from(ROUND) / (cpu()? - begun).as_secs_f64());
    }
    Ok(best.round())
}

/// Processor time of this thread so far: that of the clock would be shared with neighbours.
fn cpu() -> Result<Duration, Box<dyn Error>> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanos = text.split(' ').next().unwrap_or_default().parse()?;
    Ok(Duration::from_nanos(nanos))
}

fn user() -> Result<Resource, Box<dyn Error>> {
    let map = serde_json::from_value(json!({
        "userName": "Ann.Archer@corp.example",
        "displayName": "Ann Archer",
        "name": {"givenName": "Ann", "familyName": "Archer"},
        "emails": [{"value": "ann.archer@corp.example", "type": "work", "primary": true}],
        "title": "Chief of Staff",
        "active": true,
    }))?;
    let read = Resource::from_request(ResourceType::user(), map, &Dialect::generic());
    let (user, _warnings) = read.map_err(|error| error.detail)?;
    Ok(user)
}
