//! Handoff, CompletionQueue and Credit together, with real threads, under load for two seconds.

use model::real::completion::CompletionQueue;
use model::real::credit::Credit;
use model::real::handoff::Handoff;
use model::real::sync::{Condvar, Mutex};
use parking_lot::MutexGuard;
use std::collections::VecDeque;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

const WORKERS: usize = 4;
const CONCURRENCY: usize = 32;
const BLOCKS: usize = 4;
const BLOCK: usize = 3000;
/// Two blocks are above it, so that most jobs park.
const LIMIT: usize = 4096;
/// One of this number of jobs is cancelled, at its first block.
const CANCELLED: usize = 7;
const LOAD: Duration = Duration::from_secs(2);
/// A busy machine needs far less time than this for one event. A thread that waits longer is stuck.
const STUCK: Duration = Duration::from_secs(30);

#[derive(Clone)]
struct Job {
    number: usize,
    credit: Arc<Credit>,
}

enum Event {
    Block(Job),
    End(usize),
}

struct Pool {
    handoff: Handoff<Job>,
    done: CompletionQueue<Event>,
    gil: Mutex<()>,
    notified: Mutex<bool>,
    notification: Condvar,
}

impl Pool {
    fn work(&self) {
        while let Some(turn) = self.handoff.wait_turn() {
            let mut gil = self.gil.lock();
            for job in turn {
                self.run(job, &mut gil);
            }
        }
    }

    /// Yields blocks as an application does, until it is done or cancelled.
    fn run(&self, job: Job, gil: &mut MutexGuard<'_, ()>) {
        for _ in 0..BLOCKS {
            job.credit.reserve(BLOCK);
            self.publish(Event::Block(job.clone()));
            let go_on = if job.credit.is_over() {
                MutexGuard::unlocked(gil, || job.credit.wait())
            } else {
                !job.credit.is_ended()
            };
            if !go_on {
                break;
            }
        }
        self.publish(Event::End(job.number));
    }

    fn publish(&self, event: Event) {
        if self.done.push(event) {
            *self.notified.lock() = true;
            self.notification.notify_one();
        }
    }

    fn wait_for_notification(&self) {
        let mut notified = self.notified.lock();
        while !*notified {
            let waited = self.notification.wait_for(&mut notified, STUCK);
            assert!(!waited.timed_out(), "stuck with {} jobs queued", self.handoff.queued());
        }
        *notified = false;
    }
}

/// The host: the jobs that it has handed over, and those that have ended.
struct Host<'a> {
    pool: &'a Pool,
    /// For each job, whether the host has received its end.
    ended: Vec<bool>,
    running: usize,
}

impl Host<'_> {
    fn submit(&mut self) {
        let job = Job { number: self.ended.len(), credit: Arc::new(Credit::new(LIMIT)) };
        self.ended.push(false);
        self.running += 1;
        assert!(self.pool.handoff.push(job).is_ok());
    }

    fn receive(&mut self, event: Event) {
        match event {
            Event::Block(job) if job.number % CANCELLED == 0 => {
                job.credit.end();
                self.pool.handoff.wake();
            }
            Event::Block(job) => job.credit.release(BLOCK),
            Event::End(number) => {
                assert!(!self.ended[number], "job {number} ended twice");
                self.ended[number] = true;
                self.running -= 1;
            }
        }
    }

    fn run(&mut self) {
        let start = Instant::now();
        let mut events = VecDeque::new();
        loop {
            while self.running < CONCURRENCY && start.elapsed() < LOAD {
                self.submit();
            }
            if self.running == 0 {
                return;
            }
            self.pool.wait_for_notification();
            self.pool.done.drain(&mut events);
            for event in events.drain(..) {
                self.receive(event);
            }
        }
    }
}

// The workers are not scoped: a host that is stuck must fail, and not wait for workers that are
// stuck.
#[test]
fn nothing_is_lost_or_stuck_under_load() {
    let pool = Arc::new(Pool {
        handoff: Handoff::new(),
        done: CompletionQueue::new(),
        gil: Mutex::new(()),
        notified: Mutex::new(false),
        notification: Condvar::new(),
    });
    let workers: Vec<_> = (0..WORKERS)
        .map(|_| {
            let pool = pool.clone();
            thread::spawn(move || pool.work())
        })
        .collect();
    let mut host = Host { pool: &pool, ended: Vec::new(), running: 0 };
    host.run();
    assert!(host.ended.len() >= CONCURRENCY && host.ended.iter().all(|ended| *ended));
    assert!(pool.handoff.close().is_empty());
    for worker in workers {
        worker.join().expect("no worker panics");
    }
}
