//! Which thread of the pool answers which exchange, and which of them are late with it.

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
/// The mutex is taken with and without the GIL, also by the host's thread: nothing waits under it,
/// and it is not taken under that of [`Seats`].
pub(super) struct Seat {
    pub(super) name: String,
    /// `threading.get_ident()` of the thread, once it runs.
    ident: OnceCell<u64>,
    run: Mutex<Option<Run>>,
}

/// What the thread is answering.
struct Run {
    exchange: Arc<Exchange>,
    late: Option<Late>,
    interrupted: bool,
}

/// The host has given up the exchange; its application has until `due` to come back.
#[derive(Clone)]
pub(super) struct Late {
    /// What the host calls the request.
    pub(super) about: Arc<str>,
    pub(super) due: Instant,
    pub(super) interrupt: bool,
    pub(super) state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Not late yet.
    Expected,
    /// It counts as stuck.
    Stuck,
    /// It does, and another thread has taken its place in the pool.
    Replaced,
}

impl Seat {
    pub(super) fn begin(&self, exchange: Arc<Exchange>) {
        let run = Run { exchange, late: None, interrupted: false };
        *self.run.lock() = Some(run);
    }

    /// The application has come back. What it was late with, if it was. On the thread itself.
    pub(super) fn end(&self, py: Python<'_>) -> Option<Late> {
        // Under the mutex: an exception that was asked for under it, for this exchange, is raised
        // by now or taken back, and none is asked for any more. The next exchange never meets it.
        let mut run = self.run.lock();
        if run.as_ref().is_some_and(|run| run.interrupted) {
            interrupt::take_back(py, self.ident());
        }
        let ended = run.take();
        drop(run);
        ended.and_then(|run| run.late)
    }

    /// Has the thread raise `class` if it still runs `exchange`; whether it does.
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

    /// What it runs, and for how many milliseconds it has given and taken nothing.
    pub(super) fn running(&self) -> Option<(Arc<Exchange>, u64)> {
        self.run.lock().as_ref().map(|run| (run.exchange.clone(), run.exchange.phase().1))
    }

    /// Calls `decide` with the exchange and what is known of its being late, if it is watched.
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

    /// 0, which no thread has, before it runs.
    pub(super) fn ident(&self) -> u64 {
        self.ident.get().copied().unwrap_or_default()
    }
}

impl Run {
    fn is(&self, exchange: &Arc<Exchange>) -> bool {
        Arc::ptr_eq(&self.exchange, exchange)
    }
}

/// The threads of the pool, those that are stuck among them.
#[derive(Default)]
pub(super) struct Seats {
    all: Mutex<Vec<Arc<Seat>>>,
    made: AtomicUsize,
}

impl Seats {
    pub(super) fn add(&self) -> Arc<Seat> {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let name = format!("wsgi-{number}");
        let seat = Arc::new(Seat { name, ident: OnceCell::new(), run: Mutex::new(None) });
        self.all.lock().push(seat.clone());
        seat
    }

    pub(super) fn remove(&self, seat: &Arc<Seat>) {
        self.all.lock().retain(|other| !Arc::ptr_eq(other, seat));
    }

    pub(super) fn all(&self) -> Vec<Arc<Seat>> {
        self.all.lock().clone()
    }

    /// Notes that `exchange` may become late; false if no thread runs it.
    pub(super) fn expect(&self, exchange: &Exchange, late: &Late) -> bool {
        self.all().iter().any(|seat| {
            let mut run = seat.run.lock();
            let run = run.as_mut().filter(|run| std::ptr::eq(Arc::as_ptr(&run.exchange), exchange));
            run.map(|run| run.late = Some(late.clone())).is_some()
        })
    }
}
