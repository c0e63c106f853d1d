//! The threads of the pool: the exchange that each of them answers, and whether it is late with it.

use crate::host::exchange::Exchange;
use crate::pool::sync::{AtomicUsize, Mutex, Ordering};
use crate::python::interrupt;
use once_cell::sync::OnceCell;
use pyo3::Python;
use pyo3::prelude::*;
use pyo3::types::PyType;
use std::sync::Arc;
use std::time::Instant;

/// One thread of the pool.
///
/// Threads lock the mutex with and without the GIL, and so does the host's thread. So a thread must
/// not wait while it holds the mutex. Nor must it lock the mutex under that of [`PoolThreads`].
pub(super) struct PoolThread {
    pub(super) name: String,
    /// `threading.get_ident()` of the thread, once it runs.
    ident: OnceCell<u64>,
    run: Mutex<Option<Answering>>,
}

/// The exchange that the thread answers.
struct Answering {
    exchange: Arc<Exchange>,
    late: Option<Late>,
    interrupted: bool,
}

/// The host has given up the exchange. The application must come back before `due`.
#[derive(Clone)]
pub(super) struct Late {
    /// The host's name for the request.
    pub(super) about: Arc<str>,
    pub(super) due: Instant,
    pub(super) interrupt: bool,
    pub(super) lateness: Lateness,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Lateness {
    /// Not late yet.
    Expected,
    /// The thread counts as stuck.
    Stuck,
    /// The thread counts as stuck, and another one has taken its place in the pool.
    Replaced,
}

impl PoolThread {
    pub(super) fn begin(&self, exchange: Arc<Exchange>) {
        let run = Answering { exchange, late: None, interrupted: false };
        *self.run.lock() = Some(run);
    }

    /// The application has come back. Returns how late it is, if it was watched. Only on the thread
    /// itself.
    pub(super) fn end(&self, py: Python<'_>) -> Option<Late> {
        // Exceptions are requested under this mutex. One that was requested for this exchange is
        // raised already, or is taken back here. After this none is requested for it. So an
        // exception never reaches the next exchange.
        let mut run = self.run.lock();
        if run.as_ref().is_some_and(|run| run.interrupted) {
            interrupt::take_back(py, self.ident());
        }
        let ended = run.take();
        drop(run);
        ended.and_then(|run| run.late)
    }

    /// Makes the thread raise `class`, if it still runs `exchange`. Returns whether it runs it.
    pub(super) fn interrupt(&self, exchange: &Arc<Exchange>, class: &Bound<'_, PyType>) -> bool {
        let mut run = self.run.lock();
        let Some(run) = run.as_mut().filter(|run| run.is(exchange)) else { return false };
        run.interrupted = true;
        interrupt::raise_in(self.ident(), class);
        true
    }

    pub(super) fn runs(&self, exchange: &Arc<Exchange>) -> bool {
        self.run.lock().as_ref().is_some_and(|run| run.is(exchange))
    }

    /// The exchange that it answers, and how many milliseconds ago that last gave or took anything.
    pub(super) fn running(&self) -> Option<(Arc<Exchange>, u64)> {
        self.run.lock().as_ref().map(|run| (run.exchange.clone(), run.exchange.phase().1))
    }

    /// Calls `decide` with the exchange and its [`Late`], if it is watched.
    pub(super) fn with_late<R>(
        &self,
        decide: impl FnOnce(&Arc<Exchange>, &mut Late) -> R,
    ) -> Option<R> {
        let mut run = self.run.lock();
        let run = run.as_mut()?;
        run.late.as_mut().map(|late| decide(&run.exchange, late))
    }

    pub(super) fn set_ident(&self, ident: u64) {
        let _ = self.ident.set(ident);
    }

    /// 0 before the thread runs. No thread has that number.
    pub(super) fn ident(&self) -> u64 {
        self.ident.get().copied().unwrap_or_default()
    }
}

impl Answering {
    fn is(&self, exchange: &Arc<Exchange>) -> bool {
        Arc::ptr_eq(&self.exchange, exchange)
    }
}

/// The threads of the pool, including those that are stuck.
#[derive(Default)]
pub(super) struct PoolThreads {
    all: Mutex<Vec<Arc<PoolThread>>>,
    /// How many threads were ever added.
    added: AtomicUsize,
    stuck: AtomicUsize,
}

impl PoolThreads {
    pub(super) fn add(&self) -> Arc<PoolThread> {
        let number = self.added.fetch_add(1, Ordering::Relaxed);
        let name = format!("wsgi-{number}");
        let thread = Arc::new(PoolThread { name, ident: OnceCell::new(), run: Mutex::new(None) });
        self.all.lock().push(thread.clone());
        thread
    }

    pub(super) fn remove(&self, thread: &Arc<PoolThread>) {
        self.all.lock().retain(|other| !Arc::ptr_eq(other, thread));
    }

    pub(super) fn all(&self) -> Vec<Arc<PoolThread>> {
        self.all.lock().clone()
    }

    pub(super) fn stuck(&self) -> usize {
        self.stuck.load(Ordering::Acquire)
    }

    /// Counts one more stuck thread, and returns how many there are.
    pub(super) fn count_stuck(&self) -> usize {
        self.stuck.fetch_add(1, Ordering::AcqRel) + 1
    }

    /// A stuck thread is back.
    pub(super) fn came_back(&self) {
        self.stuck.fetch_sub(1, Ordering::AcqRel);
    }

    /// Notes that `exchange` may become late. False if no thread runs it.
    pub(super) fn expect(&self, exchange: &Exchange, late: &Late) -> bool {
        self.all().iter().any(|thread| {
            let mut run = thread.run.lock();
            let run = run.as_mut().filter(|run| std::ptr::eq(Arc::as_ptr(&run.exchange), exchange));
            run.map(|run| run.late = Some(late.clone())).is_some()
        })
    }
}
