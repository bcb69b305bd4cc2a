//! Jobs: begun once, worked off, told of, cancelled without loss.

use directory::{ConnectorState, JobKind, JobState, Operation};
use emulate::databases::on_each_database;
use provision::Progress;
use serde_json::json;
use store::{Job, JobQuery};

use crate::world::World;

impl World {
    fn reconcile(&self) -> provision::BegunJob {
        let id = self.connector.connector.id;
        self.run(self.provision.reconcile(id, "admin")).unwrap()
    }

    pub fn set_state(&self, state: ConnectorState) {
        let id = self.connector.connector.id;
        self.run(self.provision.set_connector_state(id, state, "admin"))
            .unwrap();
    }

    /// Newest first.
    fn jobs(&self) -> Vec<Job> {
        let query = JobQuery {
            limit: 100,
            ..JobQuery::default()
        };
        let store = self.provision.store();
        store.read_blocking(|tx| tx.jobs(&query)).unwrap()
    }

    fn progress(&self, job: &Job) -> Progress {
        let store = self.provision.store();
        store
            .read_blocking(|tx| provision::progress(tx, job))
            .unwrap()
    }

    fn results(&self, job: &Job) -> Vec<String> {
        let store = self.provision.store();
        let entries = store.read_blocking(|tx| tx.job_entries(job, None, 0, 1000));
        let kinds = entries.unwrap().into_iter();
        kinds.map(|entry| entry.change.kind().to_owned()).collect()
    }
}

fn count(job: &Job, operation: Operation) -> i64 {
    job.counts.0.get(&operation).copied().unwrap_or_default()
}

#[test]
fn a_reconcile_that_changes_nothing_leaves_only_its_job() {
    on_each_database(|database| {
        let world = World::new(database, directory::Rules::default());
        let ann = world.user("ann");
        world.user("bob");
        world.group("staff", &[&ann]);
        let before = world.position();
        let begun = world.reconcile();
        assert!(!begun.coalesced);
        assert_eq!(begun.job.state, JobState::Queued);
        assert_eq!((begun.job.total, world.progress(&begun.job).done), (2, 0));
        let again = world.reconcile();
        assert!(again.coalesced);
        assert_eq!(again.job.id, begun.job.id);

        world.work_off();
        assert_eq!(world.position(), before);
        let [job] = world.jobs().try_into().unwrap();
        assert_eq!((job.state, job.worked), (JobState::Done, 2));
        assert_eq!(count(&job, Operation::Unchanged), 2);
        assert_eq!(job.cause.request, job.public_id);
        assert!(job.started.is_some() && job.finished.is_some());
        assert_eq!(world.results(&job), [""; 0]);
        assert!(!world.reconcile().coalesced, "that one was over");
    });
}

#[test]
fn new_rules_are_a_job_that_tells_what_changed() {
    on_each_database(|database| {
        let world = World::new(database, directory::Rules::default());
        let ann = world.user("ann");
        world.group("staff", &[&ann]);
        world.user("bob");
        let reconcile = world.reconcile().job;
        world.set_rules(|rules| rules.groups.always_assign = vec!["everyone".into()]);
        world.work_off();
        let jobs = world.jobs();
        let [rules, old] = &jobs[..] else {
            panic!("{jobs:?}")
        };
        assert_eq!(old.id, reconcile.id);
        assert_eq!(
            (old.state, old.worked),
            (JobState::Done, 0),
            "the new rules took over whom it had left"
        );
        assert_eq!((rules.kind, rules.total), (JobKind::Rules, 2));
        assert_eq!(count(rules, Operation::GroupAdd), 2);
        assert_eq!(count(rules, Operation::GroupCreate), 1);
        assert_eq!(count(rules, Operation::Unchanged), 0);
        let kinds = world.results(rules);
        assert_eq!(kinds, ["create_group", "add_membership", "add_membership"]);
        // Rules changed twice in a row are one job, whoever it had evaluated already.
        world.set_rules(|rules| rules.groups.always_assign = vec!["all".into()]);
        world.set_rules(|rules| rules.groups.always_assign = vec!["everyone".into()]);
        world.work_off();
        assert_eq!(world.jobs().len(), 3);
        assert_eq!(world.groups("bob"), ["everyone"]);
    });
}

#[test]
fn a_large_group_that_goes_is_a_job() {
    on_each_database(|database| {
        let world = World::new(database, directory::Rules::default());
        // All of them lose it at once.
        world.set_limits(|limits| limits.enabled = false);
        let users: Vec<String> = (0..210).map(|n| world.user(&format!("u{n:03}"))).collect();
        let ids: Vec<&str> = users.iter().map(String::as_str).collect();
        let group = world.group("everybody", &ids);
        world.work_off();
        world.delete_group(&group);
        let job = world.jobs().remove(0);
        assert_eq!(
            (job.kind, job.subject.as_str(), job.total),
            (JobKind::GroupDeleted, "everybody", 210)
        );
        assert_eq!(job.cause.request, "r", "the request that did it");
        let refused = world.run(world.provision.cancel_job(&job.public_id));
        assert!(
            refused
                .unwrap_err()
                .to_string()
                .contains("cannot be cancelled")
        );
        // A later write is right whatever the job has done of it.
        world.set_active(&users[0], false);
        assert_eq!(world.groups("u000"), [""; 0]);
        world.work_off();
        let job = world.jobs().remove(0);
        assert_eq!((job.state, job.worked), (JobState::Done, 209));
        assert_eq!(count(&job, Operation::GroupRemove), 209);
        assert_eq!(world.progress(&job).done, 210);
        assert!(world.groups("u209").is_empty());
    });
}

#[test]
fn a_cancelled_job_takes_back_only_what_nobody_else_wants() {
    on_each_database(|database| {
        let world = World::new(database, directory::Rules::default());
        let ann = world.user("ann");
        let bob = world.user("bob");
        world.user("cem");
        world.set_state(ConnectorState::Paused);
        world.set_active(&ann, false);
        let job = world.reconcile().job;
        assert!(world.progress(&job).waits);
        assert_eq!(job.total, 2, "ann is due anyway");
        world.set_active(&bob, false);
        let cancelled = world
            .run(world.provision.cancel_job(&job.public_id))
            .unwrap();
        assert_eq!(cancelled.state, JobState::Cancelled);
        let again = world.run(world.provision.cancel_job(&job.public_id));
        assert!(again.unwrap_err().to_string().contains("over already"));
        world.set_state(ConnectorState::Active);
        assert_eq!(world.work_off(), 2);
        let active: Vec<bool> = world.seen().iter().map(|user| user.active).collect();
        assert_eq!(active, [false, false, true]);
    });
}

#[test]
fn a_grace_delay_outlives_a_job_that_is_cancelled() {
    on_each_database(|database| {
        let mut rules = directory::Rules::default();
        rules.scope.required_groups = vec!["staff".into()];
        let world = World::new(database, rules);
        let ann = world.user("ann");
        let staff = world.group("staff", &[&ann]);
        world.remove(&staff, &ann);
        assert!(world.account("ann").unwrap().active(), "there is a delay");
        let job = world.reconcile().job;
        world
            .run(world.provision.cancel_job(&job.public_id))
            .unwrap();
        world.work_off();
        assert!(world.account("ann").unwrap().active());
        world.wait(jiff::SignedDuration::from_hours(24));
        world.work_off();
        assert!(!world.account("ann").unwrap().active());
    });
}

#[test]
fn what_is_written_while_paused_takes_effect_afterwards() {
    on_each_database(|database| {
        let world = World::new(database, directory::Rules::default());
        let ann = world.user("ann");
        let bob = world.user("bob");
        let crew = world.group("crew", &[&ann]);
        let position = world.position();
        world.set_state(ConnectorState::Paused);
        world.user("cem");
        world.group("staff", &[&ann]);
        world.rename_group(&crew, "crew 2");
        world.set_active(&bob, false);
        world.patch_user(
            &ann,
            json!([{"op": "replace", "path": "displayName", "value": "Ann A"}]),
        );
        world.delete_user(&bob);
        world.work_off();
        assert_eq!(world.position(), position, "nothing has an effect");
        assert_eq!(world.seen().len(), 2);
        world.set_state(ConnectorState::Active);
        world.work_off();
        let seen = world.seen();
        let names: Vec<(&str, bool)> = seen
            .iter()
            .map(|user| (user.name.as_str(), user.active))
            .collect();
        assert_eq!(names, [("ann", true), ("bob", false), ("cem", true)]);
        assert_eq!(world.groups("ann"), ["crew 2", "staff"]);
        assert_eq!(world.group_names(), ["crew 2", "staff"], "it was renamed");
        assert_eq!(world.account("ann").unwrap().display_name, "Ann A");
    });
}

#[test]
fn one_user_is_evaluated_at_once() {
    on_each_database(|database| {
        let world = World::new(database, directory::Rules::default());
        let id = world.connector.connector.id;
        let directory = world.connector.connector.directory;
        world.user("ann");
        world.user("bob");
        world.set_rules(|rules| rules.groups.always_assign = vec!["everyone".into()]);
        let refresh = world.provision.refresh_account(directory, "ann", "admin");
        assert_eq!(world.run(refresh).unwrap().changes, 2);
        assert_eq!(world.groups("ann"), ["everyone"]);
        assert!(world.groups("bob").is_empty());
        let refresh = world.provision.refresh_source_user(id, "bob", "admin");
        assert_eq!(world.run(refresh).unwrap().changes, 1);
        let nobody = world.provision.refresh_source_user(id, "cem", "admin");
        assert!(world.run(nobody).is_err());
        world.work_off();
        let job = world.jobs().remove(0);
        assert_eq!((job.state, job.worked), (JobState::Done, 0));
    });
}

#[test]
fn a_schedule_begins_a_run_once_and_plans_the_next() {
    on_each_database(|database| {
        let world = World::new(database, directory::Rules::default());
        let id = world.connector.connector.id;
        let next_run = || {
            let store = world.provision.store();
            let times = store.read_blocking(|tx| tx.connector_times(id)).unwrap();
            times.next_run
        };
        let first = next_run().expect("new connectors run every night");
        let run = || world.run(world.provision.run_schedules()).unwrap();
        run();
        assert!(world.jobs().is_empty(), "it is not time yet");
        world.user("ann");
        world.wait(jiff::SignedDuration::from_hours(24));
        run();
        run();
        let [job] = world.jobs().try_into().unwrap();
        assert_eq!(
            (job.kind, job.cause.actor.as_str()),
            (JobKind::Reconcile, "schedule")
        );
        let second = next_run().unwrap();
        assert_eq!(second.duration_since(first).as_hours(), 24);
        // The run is not over: the next one does nothing of its own.
        world.wait(jiff::SignedDuration::from_hours(24));
        run();
        assert_eq!(world.jobs().len(), 1);
        world.work_off();

        // What is paused has no runs, but goes on having a next one; what is switched off has none.
        world.set_state(ConnectorState::Paused);
        world.wait(jiff::SignedDuration::from_hours(24));
        run();
        assert_eq!(world.jobs().len(), 1);
        assert!(next_run().unwrap() > second);
        let off = |connector: &mut directory::Connector| {
            connector.settings.schedule = Some(directory::Schedule::default());
            Ok(())
        };
        world
            .run(world.provision.change_connector(id, "admin", off))
            .unwrap();
        assert_eq!(next_run(), None);
        let wrong = |connector: &mut directory::Connector| {
            connector.settings.schedule = Some(directory::Schedule {
                cron: "0 25 * * *".into(),
                ..directory::Schedule::default()
            });
            Ok(())
        };
        let refused = world.run(world.provision.change_connector(id, "admin", wrong));
        assert!(refused.unwrap_err().to_string().contains("'25' is no hour"));
    });
}
