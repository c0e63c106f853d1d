//! Logs the Python stacks of late threads, and raises exceptions in them.
//!
//! The thread `wsgi-inspector` does this, since it must wait for the GIL, perhaps for a long time.

use super::alarm::Alarm;
use super::pool::Pool;
use super::threads::PoolThread;
use crate::host::Level;
use crate::host::exchange::Exchange;
use crate::host::hub::Hub;
use crate::pool::sync::{Condvar, Mutex};
use crate::python::{self, stacks};
use crate::wsgi::libwsgi_module;
use pyo3::prelude::*;
use pyo3::types::PyType;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the inspector waits for the GIL before it logs that. A thread that runs Python code
/// releases the GIL 5 ms after another thread has asked for it.
const PATIENCE: Duration = Duration::from_secs(1);
/// The stacks of this number of busy threads are logged when a request has waited in vain.
const BUSY_SHOWN: usize = 3;
/// They are logged at most once in this time, since many requests may wait in vain for the same
/// reason.
const BUSY_PAUSE: Duration = Duration::from_secs(10);

/// Something that the inspector must look at.
pub(super) enum Inspection {
    /// This thread is late with this exchange.
    Late { thread: Arc<PoolThread>, exchange: Arc<Exchange>, about: Arc<str>, interrupt: bool },
    /// No thread was free for this request.
    Busy { about: Arc<str> },
}

#[derive(Default)]
struct Requests {
    inspections: VecDeque<Inspection>,
    /// Since when the inspector has been waiting for the GIL, and for which request.
    waiting: Option<(Instant, Arc<str>)>,
    last_busy: Option<Instant>,
}

#[derive(Default)]
pub(super) struct Inspector {
    requests: Mutex<Requests>,
    asked: Condvar,
}

impl Inspection {
    fn about(&self) -> &Arc<str> {
        match self {
            Inspection::Late { about, .. } | Inspection::Busy { about } => about,
        }
    }
}

impl Inspector {
    pub(super) fn ask(&self, inspection: Inspection) {
        let mut requests = self.requests.lock();
        if let Inspection::Busy { .. } = inspection {
            if requests.last_busy.is_some_and(|last| last.elapsed() < BUSY_PAUSE) {
                return;
            }
            requests.last_busy = Some(Instant::now());
        }
        requests.inspections.push_back(inspection);
        drop(requests);
        self.asked.notify_all();
    }

    /// Logs, once, that the inspector has waited for too long. Returns when to look again.
    pub(super) fn look(&self, hub: &Hub, now: Instant) -> Option<Instant> {
        let mut requests = self.requests.lock();
        let (since, about) = requests.waiting.clone()?;
        if since + PATIENCE > now {
            return Some(since + PATIENCE);
        }
        requests.waiting = None;
        drop(requests);
        let text = format!(
            "WSGI0006 no Python code has run for {} ms, so no thread can look at {about}: code that \
             is not Python's holds the GIL",
            PATIENCE.as_millis()
        );
        hub.log(None, Level::Error, &text);
        None
    }

    /// Waits until there is something to look at.
    fn wait(&self) {
        let mut requests = self.requests.lock();
        loop {
            if let Some(inspection) = requests.inspections.front() {
                requests.waiting = Some((Instant::now(), inspection.about().clone()));
                return;
            }
            self.asked.wait(&mut requests);
        }
    }

    fn next(&self) -> Option<Inspection> {
        let mut requests = self.requests.lock();
        requests.waiting = None;
        requests.inspections.pop_front()
    }
}

/// The work of the thread `wsgi-inspector` until the process ends. `alarm` wakes the watch, which
/// notices how long this thread waits for the GIL. `main` is Python's main thread.
pub(super) fn inspect(pool: &Pool, inspector: &Inspector, alarm: &Alarm, main: u64) {
    loop {
        inspector.wait();
        alarm.ring();
        python::attach(|py| {
            while let Some(inspection) = inspector.next() {
                match inspection {
                    Inspection::Late { thread, exchange, about, interrupt } => {
                        let class =
                            interrupt.then(|| libwsgi_module::request_timeout(py).ok()).flatten();
                        show_late(py, &pool.hub, &thread, &exchange, &about, class);
                    }
                    Inspection::Busy { about } => show_busy(py, pool, main, &about),
                }
            }
        });
    }
}

/// Logs the stack of a late thread, unless it has come back meanwhile. Raises `class` in it, if
/// there is one.
fn show_late(
    py: Python<'_>,
    hub: &Hub,
    thread: &PoolThread,
    exchange: &Arc<Exchange>,
    about: &str,
    class: Option<&Bound<'_, PyType>>,
) {
    if !thread.runs(exchange) {
        return;
    }
    // The stack comes first: once the exception is raised, the thread is at another place.
    let stack = stacks::lines(py, thread.ident());
    let is_interrupted = class.is_some_and(|class| thread.interrupt(exchange, class));
    let interrupted = if is_interrupted { "; RequestTimeout is raised in it" } else { "" };
    let head = format!("WSGI0005 the thread {} is late with {about}{interrupted}", thread.name);
    log_stack(py, hub, &head, stack);
}

/// Logs the stacks of the threads that have been silent for the longest time. If no thread runs an
/// application, the request has waited for an import.
fn show_busy(py: Python<'_>, pool: &Pool, main: u64, about: &str) {
    let threads = pool.threads.all();
    let mut busy: Vec<_> =
        threads.iter().filter_map(|thread| Some((thread.running()?.1, thread))).collect();
    busy.sort_by_key(|(silent, _)| std::cmp::Reverse(*silent));
    for (silent, thread) in busy.iter().take(BUSY_SHOWN) {
        let head = format!(
            "WSGI0009 {about} has waited in vain; the thread {} is busy, and has been silent for \
             {silent} ms",
            thread.name
        );
        log_stack(py, &pool.hub, &head, stacks::lines(py, thread.ident()));
    }
    if busy.is_empty() {
        let head = format!("WSGI0009 {about} has waited in vain; Python's main thread is busy");
        log_stack(py, &pool.hub, &head, stacks::lines(py, main));
    }
}

fn log_stack(py: Python<'_>, hub: &Hub, head: &str, stack: PyResult<Vec<String>>) {
    let (text, lines) = match stack {
        Ok(lines) if lines.is_empty() => (format!("{head}; it runs no Python code"), lines),
        Ok(lines) => (format!("{head}; its stack, the most recent call last:"), lines),
        Err(error) => (format!("{head}; its stack cannot be had: {error}"), Vec::new()),
    };
    py.detach(|| {
        hub.log(None, Level::Error, &text);
        for line in lines {
            hub.log(None, Level::Error, &line);
        }
    });
}
