//! Runs applications on the polling thread itself, if `wsgi_runtime_config.threads` is 0. A request
//! does not pass to another thread, but the process does nothing else meanwhile. This is for
//! applications that are fast and trusted.
//!
//! `wsgi_poll` runs the requests that were submitted, then delivers. The thread must not wait. So
//! it pauses a response whose client is slow, and resumes it once its credit is back. It also
//! pauses a response that takes long, between two blocks, and the next poll resumes it. Other
//! responses run meanwhile, so each has a context of its own: see `begin`.

use super::pool::{Job, Pool};
use crate::host::client::{Client, CurrentRequestGuard};
use crate::host::polled::Polled;
use crate::host::polling::{self, Turn};
use crate::python;
use crate::python::context::Context;
use crate::wsgi::gateway::{self, Paused};
use pyo3::Python;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::time::Duration;

/// How long applications run before the host's other events have their turn. No application is
/// interrupted for that. Each turn serves at least one new request and one paused response.
pub(super) const TURN: Duration = Duration::from_millis(5);

thread_local! {
    /// Responses that wait for their clients. They belong to the polling thread, since a response
    /// stays on the thread that began it.
    static PAUSED: RefCell<Vec<Unfinished>> = const { RefCell::new(Vec::new()) };
    /// Responses that can go on.
    static RESUMABLE: RefCell<VecDeque<Unfinished>> = const { RefCell::new(VecDeque::new()) };
    /// The context of the last response that ended. The next one begins with it, since frameworks
    /// keep data there for longer than a request. On a thread of the pool it is the same.
    static CONTEXT: RefCell<Option<Context>> = const { RefCell::new(None) };
}

/// An unfinished response.
struct Unfinished {
    job: Job,
    paused: Paused,
    context: Option<Context>,
}

/// Runs the requests of the batch and resumes the responses that can go on, until `limit` is over.
/// The caller polls the hub next, which delivers their events.
pub(super) fn run(pool: &Pool, limit: Option<Duration>) {
    // These thread-locals must exist before the first use of Python on this thread. Then the
    // thread-local that notices an `exit` is dropped before them.
    PAUSED.with_borrow(|_| ());
    CONTEXT.with_borrow(|_| ());
    find_resumable(pool);
    let mut resumable = RESUMABLE.take();
    // Requests that a callback submits meanwhile must wait for the next poll.
    let mut new = pool.batched();
    if new == 0 && resumable.is_empty() && !pool.hub.deferred().has_any() {
        return;
    }
    pool.hub.before_poll(|| {
        python::attach(|py| {
            let _turn = Turn::begin(limit);
            while new > 0 || !resumable.is_empty() {
                if let Some(Unfinished { job, paused, context }) = resumable.pop_front() {
                    keep(py, job, context, |job| paused.resume(py, &job.application, &pool.hub));
                }
                // A new request waits until the host lets applications go on.
                let begins = new > 0 && !pool.hub.pressure().is_high();
                let job = if begins { pool.pop_batched() } else { None };
                new = new.saturating_sub(1);
                if let Some(job) = job {
                    begin(py, pool, job);
                }
                if polling::is_turn_over() {
                    break;
                }
            }
            pool.hub.deferred().drop_all(py);
        });
    });
    // Responses that had no turn are the first of the next poll.
    resumable.append(&mut RESUMABLE.take());
    RESUMABLE.set(resumable);
}

/// The number of paused responses that can be resumed. Delivering a block of one may return credit
/// to another; this poll has already consumed that wake-up, so they are counted here.
pub(super) fn resumable(pool: &Pool) -> usize {
    find_resumable(pool);
    RESUMABLE.with_borrow(VecDeque::len)
}

/// Moves the responses that can go on to `RESUMABLE`. There may be thousands that wait, so it looks
/// at them only if one of them can go on.
fn find_resumable(pool: &Pool) {
    if !pool.hub.take_resumed() {
        return;
    }
    let (paused, resumable): (Vec<_>, Vec<_>) =
        PAUSED.take().into_iter().partition(|response| response.job.exchange.is_paused());
    PAUSED.set(paused);
    RESUMABLE.with_borrow_mut(|all| all.extend(resumable));
}

fn begin(py: Python<'_>, pool: &Pool, job: Job) {
    // There is no request if the client left while it was waiting.
    let Some(request) = job.exchange.begin() else { return };
    let transport = Box::new(Polled::pausing(pool.hub.clone(), job.exchange.clone()));
    // If there is no memory for a context, the application runs in the thread's own, as it does on
    // a thread of the pool.
    let context = CONTEXT.take().or_else(|| Context::copy(py).ok());
    keep(py, job, context, |job| {
        gateway::answer(py, &job.application, request, transport, &pool.hub)
    });
}

/// Does a piece of the work for `job`, and keeps the response if it is unfinished.
fn keep(
    py: Python<'_>,
    job: Job,
    context: Option<Context>,
    work: impl FnOnce(&Job) -> Option<Paused>,
) {
    let current = CurrentRequestGuard::new(Client::Exchange(job.exchange.clone()));
    let paused = match &context {
        Some(context) => context.run(py, || work(&job)),
        None => work(&job),
    };
    python::child::leave_if_forked(py);
    drop(current);
    match paused {
        Some(paused) if job.exchange.is_paused() => {
            PAUSED.with_borrow_mut(|all| all.push(Unfinished { job, paused, context }));
        }
        Some(paused) => {
            RESUMABLE.with_borrow_mut(|all| all.push_back(Unfinished { job, paused, context }));
        }
        None => CONTEXT.set(context),
    }
}
