//! The pool: the queue of requests, its threads, and the calls in progress. Its threads, the watch
//! and the inspector use it.

use super::runs::Runs;
use super::settings::Settings;
use super::threads::PoolThreads;
use crate::error::{Error, Result};
use crate::host::Host;
use crate::host::exchange::Exchange;
use crate::host::hub::{Delivery, Hub};
use crate::pool::handoff::{Handoff, Turn};
use crate::pool::sync::{AtomicBool, Mutex, Ordering};
use crate::wsgi::app::Application;
use std::collections::VecDeque;
use std::sync::Arc;

/// An exchange and the application that answers it.
pub(super) struct Job {
    pub(super) exchange: Arc<Exchange>,
    pub(super) application: Arc<Application>,
}

pub(super) struct Pool {
    pub(super) hub: Arc<Hub>,
    handoff: Handoff<Job>,
    /// Jobs that were submitted, and are not in `handoff` yet: see `WSGI_BATCH`. None if each
    /// submit wakes a thread.
    batch: Option<Mutex<VecDeque<Job>>>,
    pub(super) threads: PoolThreads,
    /// How many threads the pool has. Stuck threads that were replaced do not count.
    pub(super) size: usize,
    /// At most this number of stuck threads may be replaced.
    pub(super) max_stuck: usize,
    pub(super) runs: Runs,
    stopping: AtomicBool,
}

impl Pool {
    pub(super) fn new(settings: &Settings, host: Box<dyn Host>) -> Self {
        Pool {
            hub: Hub::new(host, settings.log_line_size, settings.max_queue),
            handoff: Handoff::new(),
            batch: (settings.batch || settings.threads == 0).then(Mutex::default),
            threads: PoolThreads::default(),
            size: settings.threads,
            max_stuck: settings.max_stuck,
            runs: Runs::default(),
            stopping: AtomicBool::new(false),
        }
    }

    pub(super) fn check_running(&self) -> Result<()> {
        if self.stopping.load(Ordering::Acquire) { Err(Error::Stopping) } else { Ok(()) }
    }

    /// From now on no request is accepted. A second call is an error.
    pub(super) fn stop(&self) -> Result<()> {
        if self.stopping.swap(true, Ordering::AcqRel) { Err(Error::Stopping) } else { Ok(()) }
    }

    /// Ends every turn and drops the jobs that no thread has taken.
    pub(super) fn close(&self) {
        drop(self.handoff.close());
    }

    /// Whether applications run on the polling thread.
    pub(super) fn is_inline(&self) -> bool {
        self.size == 0 && self.hub.host().is_event_driven()
    }

    pub(super) fn wait_turn(&self) -> Option<Turn<'_, Job>> {
        self.handoff.wait_turn()
    }

    /// Makes a thread take the GIL and drop the deferred objects soon.
    pub(super) fn wake(&self) {
        match self.is_inline() {
            true => self.hub.deliver(Delivery::Wake),
            false => self.handoff.wake(),
        }
    }

    /// Adds a job to the batch, or hands it to the threads at once. Only on the polling thread.
    pub(super) fn enqueue(&self, job: Job) {
        match &self.batch {
            Some(batch) => {
                batch.lock().push_back(job);
                self.hub.host().request_poll();
            }
            // Refused only after a stop, which has cancelled the exchange.
            None => drop(self.handoff.push(job)),
        }
    }

    /// As `enqueue`, on Python's main thread. It must not count on a poll that comes later.
    pub(super) fn enqueue_now(&self, job: Job) {
        if self.is_inline() {
            self.enqueue(job);
            self.hub.deliver(Delivery::Wake);
        } else {
            // Refused only after a stop, which has cancelled the exchange.
            drop(self.handoff.push(job));
        }
    }

    /// Hands all jobs of the batch to the threads, and wakes at most one of them.
    pub(super) fn flush_batch(&self) {
        let Some(batch) = &self.batch else { return };
        let mut jobs = std::mem::take(&mut *batch.lock());
        if !jobs.is_empty() {
            self.handoff.push_all(&mut jobs);
        }
    }

    /// How many jobs are in the batch.
    pub(super) fn batched(&self) -> usize {
        self.batch.as_ref().map_or(0, |batch| batch.lock().len())
    }

    pub(super) fn pop_batched(&self) -> Option<Job> {
        self.batch.as_ref()?.lock().pop_front()
    }

    /// Drops the requests that were cancelled while they waited, and returns their number.
    pub(super) fn sweep(&self) -> usize {
        let waits = |job: &Job| job.exchange.is_queued();
        let mut swept = self.handoff.retain(waits).len();
        if let Some(batch) = &self.batch {
            let mut jobs = batch.lock();
            let before = jobs.len();
            jobs.retain(waits);
            swept += before - jobs.len();
        }
        swept
    }
}
