//! Running applications on the polling thread itself (`wsgi_runtime_config.threads` is 0): no hop,
//! and no other request of the process meanwhile. For applications that are fast and trusted.
//!
//! `wsgi_poll` runs what was submitted, then delivers. The thread must not wait, so an iterable
//! whose client is slow is left in the middle and resumed once its credit is back; one that takes
//! long is left in the middle too, between two blocks, and resumed by the next poll. Others run
//! meanwhile, so each is in a context of its own: see `begin`.

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
/// interrupted for that, and each turn serves one new request and one paused response.
pub(super) const TURN: Duration = Duration::from_millis(5);

thread_local! {
    /// Responses that wait for their clients. A response stays on the thread that began it, so
    /// these are the polling thread's.
    static PAUSED: RefCell<Vec<Left>> = const { RefCell::new(Vec::new()) };
    /// Responses that can go on.
    static RESUMABLE: RefCell<VecDeque<Left>> = const { RefCell::new(VecDeque::new()) };
    /// The context of the last response that ended. The next begins with it, as the next one of a
    /// thread of the pool does: frameworks keep things there for longer than a request.
    static CONTEXT: RefCell<Option<Context>> = const { RefCell::new(None) };
}

/// A response in the middle.
struct Left {
    job: Job,
    paused: Paused,
    context: Option<Context>,
}

/// Runs the requests of the batch and resumes the responses that can go on, until `limit` is over.
/// The caller polls the hub next, which delivers their events.
pub(super) fn run(pool: &Pool, limit: Option<Duration>) {
    // Before Python is first used here, so that what notices an `exit` is dropped before them.
    PAUSED.with_borrow(|_| ());
    CONTEXT.with_borrow(|_| ());
    find_resumable(pool);
    let mut resumable = RESUMABLE.take();
    // What a callback submits meanwhile is for the next poll.
    let mut new = pool.batched();
    if new == 0 && resumable.is_empty() && !pool.hub.deferred().has_any() {
        return;
    }
    pool.hub.before_poll(|| {
        python::attach(|py| {
            let _turn = Turn::begin(limit);
            while new > 0 || !resumable.is_empty() {
                if let Some(Left { job, paused, context }) = resumable.pop_front() {
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
    // Those whose turn it was not are the first in the next.
    resumable.append(&mut RESUMABLE.take());
    RESUMABLE.set(resumable);
}

/// The number of paused responses that can be resumed. Delivering a block of one may return credit
/// to another; this poll has already consumed that wake-up, so they are counted here.
pub(super) fn resumable(pool: &Pool) -> usize {
    find_resumable(pool);
    RESUMABLE.with_borrow(VecDeque::len)
}

/// Looks at the responses that wait for their clients only if one of them has been resumed: there
/// may be thousands.
fn find_resumable(pool: &Pool) {
    if !pool.hub.take_resumed() {
        return;
    }
    let (paused, resumable): (Vec<_>, Vec<_>) =
        PAUSED.take().into_iter().partition(|left| left.job.exchange.is_paused());
    PAUSED.set(paused);
    RESUMABLE.with_borrow_mut(|all| all.extend(resumable));
}

fn begin(py: Python<'_>, pool: &Pool, job: Job) {
    // None: the client left while the request was waiting.
    let Some(request) = job.exchange.begin() else { return };
    let transport = Box::new(Polled::pausing(pool.hub.clone(), job.exchange.clone()));
    // Without memory for one, it is the thread's own, as it would be on a thread of the pool.
    let context = CONTEXT.take().or_else(|| Context::copy(py).ok());
    keep(py, job, context, |job| {
        gateway::answer(py, &job.application, request, transport, &pool.hub)
    });
}

/// Does a piece of the work for `job`, and keeps what is left of it.
fn keep(
    py: Python<'_>,
    job: Job,
    context: Option<Context>,
    work: impl FnOnce(&Job) -> Option<Paused>,
) {
    let current = CurrentRequestGuard::new(Client::Exchange(job.exchange.clone()));
    let left = match &context {
        Some(context) => context.run(py, || work(&job)),
        None => work(&job),
    };
    python::child::leave_if_forked(py);
    drop(current);
    match left {
        Some(paused) if job.exchange.is_paused() => {
            PAUSED.with_borrow_mut(|all| all.push(Left { job, paused, context }));
        }
        Some(paused) => {
            RESUMABLE.with_borrow_mut(|all| all.push_back(Left { job, paused, context }));
        }
        None => CONTEXT.set(context),
    }
}
