//! Decisions about very many holds are jobs, which go on where they were cut off.

use directory::{HoldState, JobKind, JobState, Limit, Rules, Status};
use emulate::databases::{TestDatabase, on_each_database};
use provision::{BegunJob, HoldsAnswer};
use store::{HoldChoice, Job};

use crate::world::World;

const MANY: usize = 230;

/// A world in which everybody is to be disabled, and is held.
fn held(database: &TestDatabase) -> (World, Vec<String>) {
    let world = World::new(database, Rules::default());
    let staff: Vec<String> = (0..MANY)
        .map(|number| world.user(&format!("user{number:03}")))
        .collect();
    world.set_limits(|limits| limits.deactivations = Some(Limit::new(0, 0)));
    for id in &staff {
        world.set_active(id, false);
    }
    assert_eq!(world.holds(HoldState::Open).len(), MANY);
    (world, staff)
}

fn later(answer: HoldsAnswer) -> BegunJob {
    match answer {
        HoldsAnswer::Later(begun) => *begun,
        HoldsAnswer::Now(decided) => panic!("at once: {decided:?}"),
    }
}

fn approve(world: &World) -> BegunJob {
    let id = world.connector.connector.id;
    let all = HoldChoice::default();
    later(
        world
            .run(world.provision.approve_holds(id, all, "ann"))
            .unwrap(),
    )
}

fn job(world: &World, begun: &Job) -> Job {
    let found = world.provision.require_job(&begun.public_id);
    world.run(found).unwrap()
}

fn active(world: &World) -> usize {
    world.seen().iter().filter(|it| it.active).count()
}

#[test]
fn many_are_approved_piece_by_piece() {
    on_each_database(|database| {
        let (world, staff) = held(database);
        let begun = approve(&world);
        assert_eq!(
            (begun.job.kind, begun.coalesced),
            (JobKind::ApproveHolds, false)
        );
        assert_eq!(begun.job.total, MANY as i64);
        assert_eq!(active(&world), MANY, "the answer comes before the work");
        assert!(approve(&world).coalesced, "the same is not begun twice");

        // A piece is a transaction: whoever goes on after a crash finds the job between two pieces.
        assert_eq!(world.run(world.provision.work_on_jobs()).unwrap(), 1);
        let now = job(&world, &begun.job);
        assert_eq!((now.state, now.worked), (JobState::Running, 100));
        assert_eq!(active(&world), MANY - 100);
        assert_eq!(world.holds(HoldState::Approved).len(), 0);

        // Whoever comes back meanwhile is not disabled, and a hold that begins now is not meant.
        world.set_active(&staff[MANY - 1], true);
        world.set_active(&staff[MANY - 1], false);
        world.work_off();
        let over = job(&world, &begun.job);
        assert_eq!((over.state, over.worked), (JobState::Done, MANY as i64 - 1));
        let open = world.holds(HoldState::Open);
        assert_eq!(open.len(), 1);
        assert_eq!(
            world.account(&open[0].user_name).unwrap().status,
            Status::Active
        );
        assert_eq!(active(&world), 1);
        let last = world.last_entry();
        assert_eq!(
            (last.cause.actor.as_str(), &last.cause.request),
            ("ann", &over.public_id)
        );
    });
}

#[test]
fn many_are_rejected_and_a_job_can_be_cancelled() {
    let database = TestDatabase::sqlite().unwrap();
    let (world, _staff) = held(&database);
    let id = world.connector.connector.id;
    let all = HoldChoice::default();
    let begun = later(
        world
            .run(world.provision.reject_holds(id, all, "ann"))
            .unwrap(),
    );
    world.run(world.provision.work_on_jobs()).unwrap();
    let cancelled = world.provision.cancel_job(&begun.job.public_id);
    assert_eq!(world.run(cancelled).unwrap().state, JobState::Cancelled);
    world.work_off();
    assert_eq!(world.holds(HoldState::Rejected).len(), 100);
    assert_eq!(world.holds(HoldState::Open).len(), MANY - 100);
    assert_eq!(active(&world), MANY);
}

#[test]
fn many_that_are_approved_by_time_are_one_job() {
    let database = TestDatabase::sqlite().unwrap();
    let (world, _staff) = held(&database);
    world.set_limits(|limits| limits.auto_approve_after_minutes = Some(5));
    world.wait(jiff::SignedDuration::from_mins(10));
    for _ in 0..3 {
        world.run(world.provision.keep_holds()).unwrap();
    }
    world.work_off();
    assert_eq!(active(&world), 0);
}
