//! Every interleaving of `Handoff`, within loom's bounds. A thread that is stuck is a deadlock,
//! which loom reports.
//!
//! These checks can fail, as trials have shown. Loom reports a deadlock if `wait_turn` does not
//! check the queue before it waits, if `next` and `drop` keep the standby's place when the queue is
//! empty, if `next` appoints no standby, if `wake` is not remembered, if a dropped turn keeps its
//! place or appoints no standby, and if `close` wakes only one thread.

use loom::sync::{Arc, Mutex};
use loom::thread::{self, JoinHandle};
use model::checked::handoff::Handoff;
use model::checked::sync::Condvar;
use model::checked::sync::Mutex as ParkingMutex;

/// The state that the threads of one model share.
struct Scene {
    handoff: Handoff<usize>,
    gil: Mutex<()>,
    progress: ParkingMutex<Progress>,
    changed: Condvar,
}

#[derive(Default)]
struct Progress {
    /// How often each job was run.
    runs: [usize; 3],
    /// How many turns have ended.
    turns: usize,
}

impl Scene {
    fn new() -> Arc<Self> {
        Arc::new(Scene {
            handoff: Handoff::new(),
            gil: Mutex::new(()),
            progress: ParkingMutex::new(Progress::default()),
            changed: Condvar::new(),
        })
    }

    /// The work of a thread of the pool: it waits without the GIL, and pops and runs jobs with it.
    fn work(&self) {
        while let Some(turn) = self.handoff.wait_turn() {
            let _gil = self.gil.lock().expect("no thread panics");
            for job in turn {
                self.record(|progress| progress.runs[job] += 1);
            }
            self.record(|progress| progress.turns += 1);
        }
    }

    fn record(&self, change: impl FnOnce(&mut Progress)) {
        change(&mut self.progress.lock());
        self.changed.notify_all();
    }

    fn wait_until(&self, reached: impl Fn(&Progress) -> bool) {
        let mut progress = self.progress.lock();
        while !reached(&progress) {
            self.changed.wait(&mut progress);
        }
    }
}

fn start_workers(scene: &Arc<Scene>, count: usize) -> Vec<JoinHandle<()>> {
    (0..count)
        .map(|_| {
            let scene = scene.clone();
            thread::spawn(move || scene.work())
        })
        .collect()
}

fn join(workers: Vec<JoinHandle<()>>) {
    for worker in workers {
        worker.join().expect("no thread panics");
    }
}

fn check(preemptions: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(model);
}

/// Each job is run once. The producer waits for all of them, and is never stuck.
#[test]
fn every_job_is_run_exactly_once() {
    check(3, || {
        let scene = Scene::new();
        let workers = start_workers(&scene, 2);
        for job in 0..3 {
            assert_eq!(scene.handoff.push(job), Ok(()));
        }
        scene.wait_until(|progress| progress.runs == [1, 1, 1]);
        assert!(scene.handoff.close().is_empty());
        join(workers);
        assert_eq!(scene.progress.lock().runs, [1, 1, 1]);
    });
}

/// The next job is pushed when the one before it is done. The worker may be anywhere between its
/// last pop and its next wait then. The job must be run.
#[test]
fn a_job_between_two_turns_is_not_lost() {
    check(3, || {
        let scene = Scene::new();
        let workers = start_workers(&scene, 2);
        for job in 0..2 {
            assert_eq!(scene.handoff.push(job), Ok(()));
            scene.wait_until(|progress| progress.runs[job] == 1);
        }
        assert!(scene.handoff.close().is_empty());
        join(workers);
    });
}

/// A job releases the GIL and waits until a later job is done. The standby takes over and runs
/// that.
#[test]
fn the_standby_takes_over_when_a_job_releases_the_gil() {
    check(2, || {
        let scene = Scene::new();
        let workers: Vec<_> = (0..2)
            .map(|_| {
                let scene = scene.clone();
                thread::spawn(move || {
                    while let Some(turn) = scene.handoff.wait_turn() {
                        let mut gil = Some(scene.gil.lock().expect("no thread panics"));
                        for job in turn {
                            if job == 0 {
                                drop(gil.take());
                                scene.wait_until(|progress| progress.runs[1] == 1);
                                gil = Some(scene.gil.lock().expect("no thread panics"));
                            }
                            scene.record(|progress| progress.runs[job] += 1);
                        }
                        drop(gil);
                    }
                })
            })
            .collect();
        assert_eq!(scene.handoff.push(0), Ok(()));
        assert_eq!(scene.handoff.push(1), Ok(()));
        scene.wait_until(|progress| progress.runs[..2] == [1, 1]);
        assert!(scene.handoff.close().is_empty());
        join(workers);
    });
}

/// `close` may come at any time. Each job is run, returned by `close` or refused by `push`, and all
/// threads end.
#[test]
fn close_wakes_all_and_loses_no_job() {
    check(3, || {
        let scene = Scene::new();
        let workers = start_workers(&scene, 2);
        let closer = scene.clone();
        let closing = thread::spawn(move || closer.handoff.close());
        let refused: Vec<_> = (0..2).filter_map(|job| scene.handoff.push(job).err()).collect();
        let left = closing.join().expect("no thread panics");
        join(workers);
        let mut runs = scene.progress.lock().runs;
        for job in refused.into_iter().chain(left) {
            runs[job] += 1;
        }
        assert_eq!(runs, [1, 1, 0]);
    });
}

/// The threads may do anything at the time of a wake. A turn ends after it, and no job is held up.
#[test]
fn a_wake_ends_in_a_turn() {
    check(3, || {
        let scene = Scene::new();
        let workers = start_workers(&scene, 2);
        assert_eq!(scene.handoff.push(0), Ok(()));
        scene.wait_until(|progress| progress.runs[0] == 1);
        let before = scene.progress.lock().turns;
        scene.handoff.wake();
        scene.wait_until(|progress| progress.turns > before);
        assert!(scene.handoff.close().is_empty());
        join(workers);
    });
}

/// A turn that is dropped unused, while it has the standby's place, holds up no job.
#[test]
fn an_unused_turn_holds_up_nothing() {
    check(3, || {
        let scene = Scene::new();
        let dropping = scene.clone();
        let dropper = thread::spawn(move || drop(dropping.handoff.wait_turn()));
        let workers = start_workers(&scene, 1);
        assert_eq!(scene.handoff.push(0), Ok(()));
        scene.wait_until(|progress| progress.runs[0] == 1);
        assert!(scene.handoff.close().is_empty());
        dropper.join().expect("no thread panics");
        join(workers);
    });
}

/// Jobs are taken out while threads are on their way to the queue. Each job is either run or taken
/// out, once. Those that stay are run.
#[test]
fn a_job_that_is_taken_out_holds_up_no_other() {
    check(3, || {
        let scene = Scene::new();
        let workers = start_workers(&scene, 2);
        assert_eq!(scene.handoff.push(0), Ok(()));
        assert_eq!(scene.handoff.push(1), Ok(()));
        let taken = scene.handoff.retain(|job| *job != 0);
        assert_eq!(scene.handoff.push(2), Ok(()));
        scene.wait_until(|progress| progress.runs[1..] == [1, 1]);
        assert!(scene.handoff.close().is_empty());
        join(workers);
        assert_eq!(scene.progress.lock().runs[0] + taken.len(), 1);
    });
}

/// A thread leaves the pool in the middle of its turn, because another one has its place. No job is
/// lost, whatever the thread did when its successor came.
#[test]
fn a_thread_that_leaves_loses_no_job() {
    check(3, || {
        let scene = Scene::new();
        let leaving = scene.clone();
        let leaver = thread::spawn(move || {
            let Some(mut turn) = leaving.handoff.wait_turn() else { return };
            let _gil = leaving.gil.lock().expect("no thread panics");
            if let Some(job) = turn.next() {
                leaving.record(|progress| progress.runs[job] += 1);
            }
        });
        let successors = start_workers(&scene, 1);
        for job in 0..3 {
            assert_eq!(scene.handoff.push(job), Ok(()));
        }
        scene.wait_until(|progress| progress.runs == [1, 1, 1]);
        assert!(scene.handoff.close().is_empty());
        leaver.join().expect("no thread panics");
        join(successors);
    });
}
