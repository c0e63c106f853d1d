//! A job goes from the thread that submits to a thread of the pool, and its end comes back, without
//! Python. This measures the two queues, and the cost of waking threads.

use crate::host::{notify, wait};
use criterion::{Criterion, Throughput};
use std::collections::VecDeque;
use std::sync::Arc;
use std::thread;
use wsgi::pool::completion::CompletionQueue;
use wsgi::pool::handoff::Handoff;

const BATCH: usize = 32;

#[derive(Default)]
struct Pool {
    handoff: Handoff<usize>,
    done: CompletionQueue<usize>,
}

impl Pool {
    /// The work of a thread of the pool. Each job is done at once.
    fn work(&self) {
        while let Some(turn) = self.handoff.wait_turn() {
            for job in turn {
                if self.done.push(job) {
                    notify();
                }
            }
        }
    }

    /// Hands over this number of jobs together, and waits until all are back.
    fn there_and_back(&self, jobs: usize, back: &mut VecDeque<usize>) {
        self.handoff.push_all(&mut (0..jobs).collect());
        while back.len() < jobs {
            wait();
            self.done.drain(back);
        }
        back.clear();
    }
}

pub fn benches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("hand-off");
    group.bench_function("on one thread", |bencher| {
        let pool = Pool::default();
        let mut back = VecDeque::new();
        bencher.iter(|| {
            pool.handoff.push(1).expect("it is open");
            for job in pool.handoff.wait_turn().expect("it is open") {
                assert!(pool.done.push(job), "nothing is left from before");
            }
            pool.done.drain(&mut back);
            back.clear();
        });
    });
    for (name, jobs) in [("a thread and back", 1), ("a thread and back, 32 at a time", BATCH)] {
        let pool = Arc::new(Pool::default());
        let worker = thread::spawn({
            let pool = pool.clone();
            move || pool.work()
        });
        let mut back = VecDeque::new();
        group.throughput(Throughput::Elements(jobs as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| pool.there_and_back(jobs, &mut back));
        });
        pool.handoff.close();
        worker.join().expect("it ends well");
    }
    group.finish();
}
