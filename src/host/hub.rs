//! What all exchanges of a runtime share: the host, and the list of what it is to be told.

use super::event::{LINE_STEPS, Steps};
use super::exchange::Exchange;
use super::log::{Line, Logs};
use super::news::News;
use super::other_threads::OtherThreads;
use super::{Host, Level, polling};
use crate::error::{Error, Result};
use crate::pool::completion::CompletionQueue;
use crate::pool::credit::Credit;
use crate::pool::sync::{AtomicBool, AtomicUsize, Mutex, Ordering};
use crate::python::thread::is_forked;
use once_cell::sync::OnceCell;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many bytes of large blocks, of all responses together, may wait for the polling thread before
/// applications wait with their next block.
const UNDELIVERED_BYTES: usize = 8 * 1024 * 1024;

/// After this the rest of what there is to deliver waits until the host has looked at its other events.
const TURN: Duration = Duration::from_millis(5);

/// Fewer cancelled exchanges than this are left where they waited.
const SWEEP_FROM: usize = 64;

/// Something for the polling thread.
pub enum Delivery {
    Exchange(Arc<Exchange>),
    /// A line that belongs to no request.
    Log(Level, Line),
    /// Nothing to deliver: the polling thread has applications to run.
    Wake,
    /// So many threads are stuck, which is more than there may be.
    Exhausted(usize),
}

#[derive(Default)]
struct Live {
    slots: Vec<Option<Arc<Exchange>>>,
    free: Vec<usize>,
}

pub struct Hub {
    pub(super) host: Box<dyn Host>,
    clock: Instant,
    completed: CompletionQueue<Delivery>,
    /// Taken from `completed`, not delivered yet. Only the polling thread.
    ready: Mutex<VecDeque<Delivery>>,
    polling: AtomicBool,
    /// The polling thread runs applications and delivers right after: nobody need wake it.
    about_to_poll: AtomicBool,
    /// See `take_resumed`.
    resumed: AtomicBool,
    /// Exchanges that the host still has a pointer to: this keeps them alive.
    live: Mutex<Live>,
    /// How many exchanges wait for a thread or an import.
    queued: AtomicUsize,
    max_queue: usize,
    /// How many were cancelled while they did, and are still where they waited.
    cancelled: AtomicUsize,
    pub(super) logs: Arc<Logs>,
    pub(super) other_threads: OtherThreads,
    /// The bytes of large blocks that the polling thread has not got yet. It may be slower than the
    /// threads that make them.
    undelivered: Credit,
    /// One thing too many while the host has asked applications to wait.
    output: Credit,
    output_paused: AtomicBool,
    retired: Mutex<Vec<Py<PyBytes>>>,
    wake: OnceCell<Box<dyn Fn() + Send + Sync>>,
    news: News,
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").finish_non_exhaustive()
    }
}

impl Hub {
    pub fn new(host: Box<dyn Host>, log_line_size: usize, max_queue: usize) -> Arc<Self> {
        Arc::new(Hub {
            host,
            clock: Instant::now(),
            completed: CompletionQueue::new(),
            ready: Mutex::default(),
            polling: AtomicBool::new(false),
            about_to_poll: AtomicBool::new(false),
            resumed: AtomicBool::new(false),
            live: Mutex::default(),
            queued: AtomicUsize::new(0),
            max_queue,
            cancelled: AtomicUsize::new(0),
            logs: Logs::new(log_line_size),
            other_threads: OtherThreads::default(),
            undelivered: Credit::new(UNDELIVERED_BYTES),
            output: Credit::new(0),
            output_paused: AtomicBool::new(false),
            retired: Mutex::default(),
            wake: OnceCell::new(),
            news: News::default(),
        })
    }

    pub fn host(&self) -> &dyn Host {
        &*self.host
    }

    /// Milliseconds since the runtime was started.
    pub fn now(&self) -> u64 {
        u64::try_from(self.clock.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// A place in the queue, which is given back by whoever takes the exchange out of it. Called by
    /// the one thread that submits, so that the check and the count need not be one step.
    pub fn enter_queue(&self) -> Result<()> {
        if self.queued.load(Ordering::Relaxed) >= self.max_queue {
            return Err(Error::Busy { max_queue: self.max_queue });
        }
        self.queued.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    pub(super) fn leave_queue(&self) {
        self.queued.fetch_sub(1, Ordering::Relaxed);
    }

    /// An exchange that waits is about to be cancelled: its place is free, but it still takes memory.
    pub(super) fn note_cancelled(&self) {
        self.cancelled.fetch_add(1, Ordering::Relaxed);
    }

    /// So many cancelled exchanges are no longer where they waited.
    pub fn forget_cancelled(&self, count: usize) {
        self.cancelled.fetch_sub(count, Ordering::Relaxed);
    }

    /// Whether there are more cancelled exchanges where they waited than others.
    pub fn has_many_cancelled(&self) -> bool {
        let cancelled = self.cancelled.load(Ordering::Relaxed);
        cancelled > SWEEP_FROM && cancelled > self.queued.load(Ordering::Relaxed)
    }

    /// Keeps `exchange` alive until [`Hub::forget`]; the pointer is what the host gets.
    pub fn lend(&self, exchange: Arc<Exchange>) -> *const Exchange {
        let pointer = Arc::as_ptr(&exchange);
        let mut live = self.live.lock();
        let slot = live.free.pop().unwrap_or(live.slots.len());
        exchange.slot.store(slot, Ordering::Relaxed);
        if slot == live.slots.len() {
            live.slots.push(None);
        }
        live.slots[slot] = Some(exchange);
        super::live::lent(pointer);
        pointer
    }

    /// The exchange itself, if the host still has a pointer to it.
    pub(super) fn lent(&self, exchange: &Exchange) -> Option<Arc<Exchange>> {
        let slot = exchange.slot.load(Ordering::Relaxed);
        self.live.lock().slots.get(slot)?.clone()
    }

    pub(super) fn forget(&self, exchange: &Exchange) {
        let slot = exchange.slot.swap(usize::MAX, Ordering::Relaxed);
        if slot == usize::MAX {
            return;
        }
        let mut live = self.live.lock();
        let kept = live.slots[slot].take();
        live.free.push(slot);
        drop(live);
        super::live::revoked(exchange, kept);
    }

    /// Cancels every exchange that the host knows of.
    pub fn cancel_all(&self) {
        let all: Vec<_> = self.live.lock().slots.iter().flatten().cloned().collect();
        for exchange in all {
            exchange.cancel();
            // The host may have clients left, and cancel the exchange once more for each of them.
            super::live::lent(Arc::as_ptr(&exchange));
            std::mem::forget(exchange);
        }
        self.logs.end();
        self.undelivered.end();
        self.output.end();
    }

    /// Has applications wait before they hand over a block, all of them, until it is called with
    /// false. The polling thread only.
    pub fn pause_output(&self, pause: bool) {
        match (self.output_paused.swap(pause, Ordering::Relaxed), pause) {
            (false, true) => self.output.reserve(1),
            (true, false) => self.output.release(1),
            _ => {}
        }
    }

    /// Whether there is too much output already to begin a response on the polling thread, which must
    /// not wait in the middle of one.
    pub fn is_output_paused(&self) -> bool {
        self.output.is_over() || self.undelivered.is_over()
    }

    pub(super) fn undelivered(&self) -> &Credit {
        &self.undelivered
    }

    pub(super) fn output(&self) -> &Credit {
        &self.output
    }

    /// Puts `delivery` where the polling thread finds it, and wakes that if it need be. In a forked child
    /// there is none, and another thread may have held the lock of the list at the fork.
    pub fn list(&self, delivery: Delivery) {
        if is_forked() {
            return std::mem::forget(delivery);
        }
        if self.completed.push(delivery) && !self.about_to_poll.load(Ordering::Acquire) {
            self.notify();
        }
    }

    pub(super) fn news(&self) -> &News {
        &self.news
    }

    /// The polling thread has something to fetch, or to deliver.
    pub(super) fn has_news(&self) -> bool {
        !self.completed.is_empty() || !self.ready.lock().is_empty()
    }

    /// An application that was paused can go on.
    pub(super) fn set_resumed(&self) {
        self.resumed.store(true, Ordering::Release);
        self.list(Delivery::Wake);
    }

    /// Whether one can since the last time.
    pub fn take_resumed(&self) -> bool {
        self.resumed.swap(false, Ordering::AcqRel)
    }

    /// An error inside a callback of [`Hub::poll`].
    pub fn check_not_polling(&self) -> Result<()> {
        match self.is_in_callback() {
            true => Err(Error::invalid("wsgi_poll was called inside a callback of wsgi_poll")),
            false => Ok(()),
        }
    }

    pub(super) fn is_in_callback(&self) -> bool {
        self.polling.load(Ordering::Acquire)
    }

    /// Runs applications, `work`, on the polling thread, which calls [`Hub::poll`] next.
    pub fn before_poll<R>(&self, work: impl FnOnce() -> R) -> R {
        self.about_to_poll.store(true, Ordering::Release);
        self.logs.open();
        self.other_threads.begin();
        let result = work();
        self.other_threads.end();
        self.logs.close();
        self.about_to_poll.store(false, Ordering::Release);
        result
    }

    /// Runs callbacks of the host, which must not poll inside of them. What they retire is for the
    /// caller to think of.
    pub(super) fn polling<R>(&self, work: impl FnOnce() -> R) -> R {
        let before = self.polling.swap(true, Ordering::AcqRel);
        let result = work();
        self.polling.store(before, Ordering::Release);
        result
    }

    /// Delivers up to `max` items (0: all) and says how many are left. The polling thread only.
    pub fn poll(&self, max: usize) -> Result<usize> {
        self.check_not_polling()?;
        polling::mark();
        self.polling(|| self.deliver(max));
        // Once, and not at each buffer: a thread that wakes takes the core from the loop each time.
        if self.has_retired() {
            self.wake_for_retired();
        }
        let left = self.ready.lock().len();
        if max == 0 && left > 0 {
            // A host that asks for all need not look at what is left.
            self.notify();
        }
        Ok(left)
    }

    pub(super) fn deliver(&self, max: usize) {
        let waiting = {
            self.host.hear();
            let mut ready = self.ready.lock();
            self.completed.drain(&mut ready);
            self.news.fetched();
            ready.len()
        };
        // What is published meanwhile is for the next poll: an application may never stop.
        let most = if max == 0 { waiting } else { max };
        let mut steps = if max == 0 { Steps::all() } else { Steps::turn() };
        let end = (max > 0).then(|| Instant::now() + TURN);
        let mut served = 0;
        while served < most && !steps.are_done() {
            // The guard must be gone before a callback runs.
            let item = self.ready.lock().pop_front();
            match item {
                None => break,
                Some(Delivery::Exchange(exchange)) => {
                    if exchange.deliver_some(&mut steps) {
                        self.ready.lock().push_back(Delivery::Exchange(exchange));
                    }
                }
                Some(Delivery::Wake) => {}
                Some(Delivery::Log(level, line)) => {
                    steps.take(LINE_STEPS);
                    self.host.log(None, level, &line);
                }
                Some(Delivery::Exhausted(stuck)) => self.host.exhausted(stuck),
            }
            served += 1;
            if end.is_some_and(|end| Instant::now() >= end) {
                break;
            }
        }
    }

    /// Sets what wakes a thread that will call [`Hub::drop_retired`].
    pub fn set_wake(&self, wake: Box<dyn Fn() + Send + Sync>) {
        let _ = self.wake.set(wake);
    }

    /// Takes a reference that the caller cannot drop because it does not hold the GIL.
    pub fn retire(&self, object: Py<PyBytes>) {
        if is_forked() {
            return std::mem::forget(object);
        }
        let first = {
            let mut retired = self.retired.lock();
            retired.push(object);
            retired.len() == 1
        };
        // Whoever polls looks under that lock afterwards: it sees the object, or this does.
        if first && !self.polling.load(Ordering::Acquire) {
            self.wake_for_retired();
        }
    }

    fn wake_for_retired(&self) {
        if let Some(wake) = self.wake.get() {
            wake();
        }
    }

    pub fn has_retired(&self) -> bool {
        !self.retired.lock().is_empty()
    }

    /// Drops what was retired. The token shows that the GIL is held.
    pub fn drop_retired(&self, _py: Python<'_>) {
        let retired = std::mem::take(&mut *self.retired.lock());
        drop(retired);
    }
}
