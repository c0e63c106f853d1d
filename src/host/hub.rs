//! Carries the exchanges of a runtime to the thread that polls.

use super::backlog::Backlog;
use super::callbacks::{Host, HostRequest, Level};
use super::exchange::{Exchange, Post};
use super::lent::LentExchanges;
use super::line::{Line, LineBudget};
use super::news::News;
use super::other_threads::OtherThreads;
use super::polling::{self, Callbacks};
use super::request::Request;
use super::response::deferred::DeferredDrops;
use super::response::event::{LINE_STEPS, Steps};
use super::response::pressure::Pressure;
use super::shared::Shared;
use crate::error::{Error, Result};
use crate::pool::completion::CompletionQueue;
use crate::pool::sync::{AtomicBool, Mutex, Ordering};
use crate::python::fork::is_forked;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The longest time that one poll delivers. After it the host must look at its other events first.
const TURN: Duration = Duration::from_millis(5);

/// Something for the polling thread.
pub enum Delivery {
    Exchange(Arc<Exchange>),
    /// A line that does not belong to a request.
    Log(Level, Line),
    /// There is nothing to deliver, but the polling thread has applications to run.
    Wake,
    /// This number of threads is stuck, which is above the limit.
    Exhausted(usize),
}

pub struct Hub {
    host: Arc<dyn Host>,
    shared: Shared,
    mailbox: CompletionQueue<Delivery>,
    /// Deliveries that were taken from `mailbox`. Only the polling thread uses it.
    ready: Mutex<VecDeque<Delivery>>,
    callbacks: Arc<Callbacks>,
    /// The polling thread runs applications, and delivers right after that. No thread needs to wake
    /// it.
    about_to_poll: AtomicBool,
    /// See `take_resumed`.
    resumed: AtomicBool,
    lent: LentExchanges,
    pub(super) lines: Arc<LineBudget>,
    pub(super) other_threads: OtherThreads,
    deferred: Arc<DeferredDrops>,
    news: News,
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").finish_non_exhaustive()
    }
}

impl Hub {
    pub fn new(host: Box<dyn Host>, log_line_size: usize, max_queue: usize) -> Arc<Self> {
        let callbacks = Arc::new(Callbacks::default());
        Arc::new(Hub {
            host: host.into(),
            shared: Shared::new(max_queue),
            mailbox: CompletionQueue::new(),
            ready: Mutex::default(),
            deferred: DeferredDrops::new(callbacks.clone()),
            callbacks,
            about_to_poll: AtomicBool::new(false),
            resumed: AtomicBool::new(false),
            lent: LentExchanges::default(),
            lines: LineBudget::new(log_line_size),
            other_threads: OtherThreads::default(),
            news: News::default(),
        })
    }

    pub fn host(&self) -> &Arc<dyn Host> {
        &self.host
    }

    /// The requests that wait for a thread or an import.
    pub fn backlog(&self) -> &Backlog {
        &self.shared.backlog
    }

    pub fn pressure(&self) -> &Pressure {
        &self.shared.pressure
    }

    pub fn deferred(&self) -> &Arc<DeferredDrops> {
        &self.deferred
    }

    /// Makes an exchange for `request`. Also returns the pointer to it for the host. The hub keeps
    /// the exchange alive until it is cancelled or finished. Only on the polling thread.
    pub fn accept(
        self: &Arc<Self>,
        request: Box<Request>,
        host_request: HostRequest,
    ) -> Result<(Arc<Exchange>, *const Exchange)> {
        self.shared.backlog.enter()?;
        let exchange = Exchange::new(request, host_request, self.clone());
        let pointer = Arc::as_ptr(&exchange);
        self.lent.add(exchange.clone());
        self.host.lends(pointer.cast());
        Ok((exchange, pointer))
    }

    /// Cancels every exchange that the host knows of.
    pub fn cancel_all(&self) {
        for exchange in self.lent.all() {
            exchange.cancel();
            // The host's clients may still be there, and the host may cancel each exchange once
            // more when they leave. So the pointers must stay valid.
            self.host.lends(Arc::as_ptr(&exchange).cast());
            std::mem::forget(exchange);
        }
        self.lines.end();
        self.shared.pressure.end();
    }

    /// Puts `delivery` into the mailbox, and wakes the polling thread if necessary. In a forked
    /// child it does nothing: the child has no polling thread, and another thread may have held the
    /// mailbox's lock at the fork.
    pub fn deliver(&self, delivery: Delivery) {
        if is_forked() {
            return std::mem::forget(delivery);
        }
        if self.mailbox.push(delivery) && !self.about_to_poll.load(Ordering::Acquire) {
            self.notify();
        }
    }

    fn notify(&self) {
        self.host.notify();
        self.news.watch();
    }

    /// Sets the function that makes the watch check whether the host fetches its news.
    pub fn set_watch(&self, wake: Box<dyn Fn() + Send + Sync>) {
        self.news.set_watch(wake);
    }

    pub fn is_watched(&self) -> bool {
        self.news.is_watched()
    }

    /// The watch stops its checks until there are news again, if there are none now.
    pub fn unwatch(&self) {
        self.news.unwatch(|| self.has_news());
    }

    /// How often the host has polled, if news wait for it.
    pub fn unfetched(&self) -> Option<usize> {
        self.has_news().then(|| self.news.polls())
    }

    /// Whether the polling thread has something to fetch or to deliver.
    fn has_news(&self) -> bool {
        !self.mailbox.is_empty() || !self.ready.lock().is_empty()
    }

    /// Whether a paused application has become able to go on since the last call.
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
        self.callbacks.are_in_progress()
    }

    /// Runs `work`, which runs applications, on the polling thread. The caller then calls
    /// [`Hub::poll`].
    pub fn before_poll<R>(&self, work: impl FnOnce() -> R) -> R {
        self.about_to_poll.store(true, Ordering::Release);
        self.lines.open();
        self.other_threads.begin();
        let result = work();
        self.other_threads.end();
        self.lines.close();
        self.about_to_poll.store(false, Ordering::Release);
        result
    }

    /// Runs `work`, which calls callbacks of the host. The host must not poll in them. Afterwards
    /// the caller must check whether they have deferred drops.
    pub(super) fn in_callbacks<R>(&self, work: impl FnOnce() -> R) -> R {
        self.callbacks.run(work)
    }

    /// Delivers up to `max` deliveries, or all if `max` is 0. Returns how many are left. Only on
    /// the polling thread.
    pub fn poll(&self, max: usize) -> Result<usize> {
        self.check_not_polling()?;
        polling::mark();
        self.in_callbacks(|| self.take_turn(max));
        // A thread is woken once, and not for each buffer: each time it may take the core from the
        // host's loop.
        if self.deferred.has_any() {
            self.deferred.wake();
        }
        let left = self.ready.lock().len();
        if max == 0 && left > 0 {
            // A host that asks for all deliveries may ignore the number of those that are left.
            self.notify();
        }
        Ok(left)
    }

    pub(super) fn take_turn(&self, max: usize) {
        let waiting = {
            self.host.clear_notification();
            let mut ready = self.ready.lock();
            self.mailbox.drain(&mut ready);
            self.news.fetch();
            ready.len()
        };
        // Events that are published meanwhile must wait for the next poll: an application may
        // publish without an end.
        let most = if max == 0 { waiting } else { max };
        let mut steps = if max == 0 { Steps::all() } else { Steps::turn() };
        let end = (max > 0).then(|| Instant::now() + TURN);
        let mut served = 0;
        while served < most && !steps.are_done() {
            // A statement of its own, so that the lock is free before a callback runs.
            let delivery = self.ready.lock().pop_front();
            match delivery {
                None => break,
                Some(Delivery::Exchange(exchange)) => {
                    exchange.deliver(&*self.host, &mut steps);
                    if exchange.outgoing.stays_posted() {
                        self.ready.lock().push_back(Delivery::Exchange(exchange));
                    }
                }
                Some(Delivery::Wake) => {}
                Some(Delivery::Log(level, line)) => {
                    steps.spend(LINE_STEPS);
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

    /// Delivers the events of `exchange` at once, from inside an application that runs on the
    /// polling thread. The exchange stays in the mailbox. The caller must drop the deferred objects
    /// when it holds the GIL again.
    pub(super) fn deliver_now(&self, exchange: &Exchange) {
        self.in_callbacks(|| exchange.deliver(&*self.host, &mut Steps::all()));
    }
}

impl Post for Hub {
    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn post(&self, exchange: Arc<Exchange>) {
        self.deliver(Delivery::Exchange(exchange));
    }

    fn post_line(&self, level: Level, line: Line) {
        self.deliver(Delivery::Log(level, line));
    }

    fn post_resumed(&self) {
        self.resumed.store(true, Ordering::Release);
        self.deliver(Delivery::Wake);
    }

    fn lent(&self, exchange: &Exchange) -> Option<Arc<Exchange>> {
        self.lent.get(exchange)
    }

    fn take_back(&self, exchange: &Exchange) {
        if let Some(kept) = self.lent.remove(exchange) {
            let pointer = std::ptr::from_ref(exchange).cast();
            self.host.takes_back(pointer, exchange.is_cancelled(), Some(kept));
        }
    }
}
