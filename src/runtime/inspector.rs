//! Looking at threads that are late: where their Python code is, and an exception for it.
//!
//! The thread `wsgi-inspector` does it, since it has to wait for the GIL, perhaps for long.

use super::Runtime;
use super::seats::Seat;
use crate::host::Level;
use crate::host::exchange::Exchange;
use crate::pool::sync::{Condvar, Mutex};
use crate::python::{self, stacks};
use crate::wsgi::builtin;
use pyo3::prelude::*;
use pyo3::types::PyType;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A thread that is asked to let go of the GIL does so after 5 ms, if it can.
const PATIENCE: Duration = Duration::from_secs(1);
/// Of how many busy threads the stack is logged when a request has waited in vain,
const BUSY_SHOWN: usize = 3;
/// and how often: many requests wait in vain for the same.
const BUSY_PAUSE: Duration = Duration::from_secs(10);

/// Something to be looked at.
pub(super) enum Report {
    /// This thread is late with this exchange.
    Late { seat: Arc<Seat>, exchange: Arc<Exchange>, about: Arc<str>, interrupt: bool },
    /// No thread was free for this request.
    Busy { about: Arc<str> },
}

#[derive(Default)]
struct State {
    reports: VecDeque<Report>,
    /// Since when the inspector has been waiting for the GIL, and about what.
    waiting: Option<(Instant, Arc<str>)>,
    last_busy: Option<Instant>,
}

#[derive(Default)]
pub(super) struct Inspector {
    state: Mutex<State>,
    asked: Condvar,
}

impl Report {
    fn about(&self) -> &Arc<str> {
        match self {
            Report::Late { about, .. } | Report::Busy { about } => about,
        }
    }
}

impl Inspector {
    pub(super) fn ask(&self, report: Report) {
        let mut state = self.state.lock();
        if let Report::Busy { .. } = report {
            if state.last_busy.is_some_and(|last| last.elapsed() < BUSY_PAUSE) {
                return;
            }
            state.last_busy = Some(Instant::now());
        }
        state.reports.push_back(report);
        drop(state);
        self.asked.notify_all();
    }

    /// Says in the log that the inspector has waited for too long, once; when to look again.
    pub(super) fn look(&self, runtime: &Runtime, now: Instant) -> Option<Instant> {
        let mut state = self.state.lock();
        let (since, about) = state.waiting.clone()?;
        if since + PATIENCE > now {
            return Some(since + PATIENCE);
        }
        state.waiting = None;
        drop(state);
        let text = format!(
            "WSGI0006 no Python code has run for {} ms, so nobody can look at {about}: code that \
             is not Python's holds the GIL",
            PATIENCE.as_millis()
        );
        runtime.hub.log(None, Level::Error, &text);
        None
    }

    /// Waits until there is something to look at.
    fn wait(&self) {
        let mut state = self.state.lock();
        loop {
            if let Some(report) = state.reports.front() {
                state.waiting = Some((Instant::now(), report.about().clone()));
                return;
            }
            self.asked.wait(&mut state);
        }
    }

    fn next(&self) -> Option<Report> {
        let mut state = self.state.lock();
        state.waiting = None;
        state.reports.pop_front()
    }
}

/// What the thread `wsgi-inspector` does, for ever.
pub(super) fn inspect(runtime: &'static Runtime) {
    let inspector = &runtime.watch.inspector;
    loop {
        inspector.wait();
        runtime.watch.look();
        python::attach(|py| {
            while let Some(report) = inspector.next() {
                match report {
                    Report::Late { seat, exchange, about, interrupt } => {
                        let class = interrupt.then(|| builtin::request_timeout(py).ok()).flatten();
                        show_late(py, runtime, &seat, &exchange, &about, class);
                    }
                    Report::Busy { about } => show_busy(py, runtime, &about),
                }
            }
        });
    }
}

/// The thread, unless it has come back meanwhile; and `class`, if any, is raised in it.
fn show_late(
    py: Python<'_>,
    runtime: &Runtime,
    seat: &Seat,
    exchange: &Arc<Exchange>,
    about: &str,
    class: Option<&Bound<'_, PyType>>,
) {
    if !seat.runs(exchange) {
        return;
    }
    // The stack first: afterwards the thread would be somewhere else.
    let stack = stacks::lines(py, seat.ident());
    let is_interrupted = class.is_some_and(|class| seat.interrupt(exchange, class));
    let interrupted = if is_interrupted { "; RequestTimeout is raised in it" } else { "" };
    let head = format!("WSGI0005 the thread {} is late with {about}{interrupted}", seat.name);
    log_stack(py, runtime, &head, stack);
}

/// The threads that have been silent for the longest time; if none runs an application, then what
/// the request has waited for is an import.
fn show_busy(py: Python<'_>, runtime: &Runtime, about: &str) {
    let seats = runtime.watch.seats.all();
    let mut busy: Vec<_> =
        seats.iter().filter_map(|seat| Some((seat.running()?.1, seat))).collect();
    busy.sort_by_key(|(silent, _)| std::cmp::Reverse(*silent));
    for (silent, seat) in busy.iter().take(BUSY_SHOWN) {
        let head = format!(
            "WSGI0009 {about} has waited in vain; the thread {} is busy, and has been silent for \
             {silent} ms",
            seat.name
        );
        log_stack(py, runtime, &head, stacks::lines(py, seat.ident()));
    }
    if busy.is_empty() {
        let head = format!("WSGI0009 {about} has waited in vain; Python's main thread is busy");
        log_stack(py, runtime, &head, stacks::lines(py, runtime.main.ident()));
    }
}

fn log_stack(py: Python<'_>, runtime: &Runtime, head: &str, stack: PyResult<Vec<String>>) {
    let (text, lines) = match stack {
        Ok(lines) if lines.is_empty() => (format!("{head}; it runs no Python code"), lines),
        Ok(lines) => (format!("{head}; its stack, the most recent call last:"), lines),
        Err(error) => (format!("{head}; its stack cannot be had: {error}"), Vec::new()),
    };
    py.detach(|| {
        runtime.hub.log(None, Level::Error, &text);
        for line in lines {
            runtime.hub.log(None, Level::Error, &line);
        }
    });
}
