//! How many requests wait for a thread or for an import, and how many of them are cancelled.

use crate::error::{Error, Result};
use crate::pool::sync::{AtomicUsize, Ordering};

/// Up to this number of cancelled exchanges are left where they waited.
const SWEEP_FROM: usize = 64;

pub struct Backlog {
    /// Exchanges that wait and are not cancelled.
    queued: AtomicUsize,
    max_queue: usize,
    /// Exchanges that were cancelled while they waited, and are still where they waited.
    cancelled: AtomicUsize,
}

impl Backlog {
    pub(super) fn new(max_queue: usize) -> Self {
        Backlog { queued: AtomicUsize::new(0), max_queue, cancelled: AtomicUsize::new(0) }
    }

    /// Takes a place, which `leave` frees again. Only the thread that submits calls this, so the
    /// check and the count may be two steps.
    pub fn enter(&self) -> Result<()> {
        if self.queued.load(Ordering::Relaxed) >= self.max_queue {
            return Err(Error::Busy { max_queue: self.max_queue });
        }
        self.queued.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    pub(super) fn leave(&self) {
        self.queued.fetch_sub(1, Ordering::Relaxed);
    }

    /// An exchange that waits is about to be cancelled. That frees its place, but not its memory.
    pub(super) fn note_cancelled(&self) {
        self.cancelled.fetch_add(1, Ordering::Relaxed);
    }

    /// This number of cancelled exchanges are no longer where they waited.
    pub fn forget_cancelled(&self, count: usize) {
        self.cancelled.fetch_sub(count, Ordering::Relaxed);
    }

    /// Whether more than half of the exchanges that are where they waited are cancelled.
    pub fn has_many_cancelled(&self) -> bool {
        let cancelled = self.cancelled.load(Ordering::Relaxed);
        cancelled > SWEEP_FROM && cancelled > self.queued.load(Ordering::Relaxed)
    }
}
