//! What carries the exchanges of a runtime to the thread that polls.

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

/// After this time the rest of the deliveries waits until the host has looked at its other events.
const TURN: Duration = Duration::from_millis(5);

/// Something for the polling thread.
pub enum Delivery {
    Exchange(Arc<Exchange>),
    /// A line that belongs to no request.
    Log(Level, Line),
    /// Nothing to deliver: the polling thread has applications to run.
    Wake,
    /// This number of threads are stuck, which is more than there may be.
    Exhausted(usize),
}

pub struct Hub {
    host: Arc<dyn Host>,
    shared: Shared,
    mailbox: CompletionQueue<Delivery>,
    /// Taken from `mailbox`, not delivered yet. Only the polling thread uses it.
    ready: Mutex<VecDeque<Delivery>>,
    callbacks: Arc<Callbacks>,
    /// The polling thread runs applications and delivers right after: no thread need wake it.
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

    /// An exchange for `request`, and the pointer that the host gets to it. The hub keeps the
    /// exchange alive until it is cancelled or finished. On the polling thread.
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
            // The host may have clients left, and cancel the exchange once more for each of them.
            self.host.lends(Arc::as_ptr(&exchange).cast());
            std::mem::forget(exchange);
        }
        self.lines.end();
        self.shared.pressure.end();
    }

    /// Puts `delivery` where the polling thread finds it, and wakes that thread if it need be. In a
    /// forked child there is no such thread, and another one may have held the mailbox's lock at
    /// the fork.
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

    /// Sets what makes the watch look whether the host fetches its news.
    pub fn set_watch(&self, wake: Box<dyn Fn() + Send + Sync>) {
        self.news.set_watch(wake);
    }

    pub fn is_watched(&self) -> bool {
        self.news.is_watched()
    }

    /// The watch looks no more until there are news, if there are none now.
    pub fn unwatch(&self) {
        self.news.unwatch(|| self.has_news());
    }

    /// If news wait for the host, how often it polled before.
    pub fn unfetched(&self) -> Option<usize> {
        self.has_news().then(|| self.news.polls())
    }

    /// The polling thread has something to fetch, or to deliver.
    fn has_news(&self) -> bool {
        !self.mailbox.is_empty() || !self.ready.lock().is_empty()
    }

    /// Whether an application that was paused can go on, since the last call.
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

    /// Runs applications, `work`, on the polling thread, which calls [`Hub::poll`] next.
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

    /// Runs `work`, which calls callbacks of the host. The host must not poll in them. The
    /// caller looks afterwards whether they have deferred drops.
    pub(super) fn in_callbacks<R>(&self, work: impl FnOnce() -> R) -> R {
        self.callbacks.run(work)
    }

    /// Delivers up to `max` deliveries (0: all) and returns how many are left. Only on the polling
    /// thread.
    pub fn poll(&self, max: usize) -> Result<usize> {
        self.check_not_polling()?;
        polling::mark();
        self.in_callbacks(|| self.take_turn(max));
        // Once, and not at each buffer: a thread that wakes takes the core from the loop each time.
        if self.deferred.has_any() {
            self.deferred.wake();
        }
        let left = self.ready.lock().len();
        if max == 0 && left > 0 {
            // A host that asks for all need not look at what is left.
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
        // What is published meanwhile is for the next poll: an application may never stop.
        let most = if max == 0 { waiting } else { max };
        let mut steps = if max == 0 { Steps::all() } else { Steps::turn() };
        let end = (max > 0).then(|| Instant::now() + TURN);
        let mut served = 0;
        while served < most && !steps.are_done() {
            // The guard must be gone before a callback runs.
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

    /// Delivers what `exchange` has at once, from inside an application that runs on the polling
    /// thread. The exchange stays in the mailbox. The caller, which holds the GIL next, drops what
    /// was deferred.
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
